package app_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cloud.google.com/go/cloudtasks/apiv2/cloudtaskspb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tandem-sync/tandem/shared/app"
	"github.com/tandem-sync/tandem/shared/observe"
	"github.com/tandem-sync/tandem/shared/record"
	cloudbox "github.com/tandem-sync/tandem/shared/sandbox/cloud"
	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/bolt"
	"github.com/tandem-sync/tandem/shared/store/firestore"
)

// pages makes a request hand over so many users.
func pages(of int) change {
	return func(_ map[string]string, _ *creatiobox.Options, o *app.Options) { o.Page = of }
}

// meter counts what is read and written in Firestore.
type meter struct {
	mu            sync.Mutex
	reads, writes int
}

func (m *meter) on() change {
	return func(_ map[string]string, _ *creatiobox.Options, o *app.Options) {
		o.Observe = func(reads, writes int) {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.reads, m.writes = m.reads+reads, m.writes+writes
		}
	}
}

// take is what was counted since it was last asked.
func (m *meter) take() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	defer func() { m.reads, m.writes = 0, 0 }()
	return fmt.Sprintf("%d reads, %d writes", m.reads, m.writes)
}

// firestore opens the database of a world beside its App.
func (w *world) firestore() store.Store {
	w.t.Helper()
	project, _, _ := strings.Cut(strings.TrimPrefix(w.env["STORE"], "firestore:"), "/")
	s, err := firestore.Open(w.t.Context(), project, "")
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = s.Close() })
	return s
}

// makeDue makes users whose contacts are due, the first one longest.
func (w *world) makeDue(s store.Store, ids ...string) {
	w.t.Helper()
	for n, id := range ids {
		if err := s.User(id).UpdateProfile(w.t.Context(), func(*store.Profile) error { return nil }); err != nil {
			w.t.Fatal(err)
		}
		err := s.User(id).UpdateSync(w.t.Context(), record.Contacts, func(d *store.Sync) error {
			d.Due = w.now().Add(time.Duration(n-len(ids)) * time.Second)
			return nil
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

func names(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("user-%03d", i)
	}
	return out
}

// ask calls the function as its invoker.
func (w *world) ask(body string) string {
	w.t.Helper()
	a := w.do(http.MethodPost, "/sync-contacts", body, w.asInvoker)
	return strings.TrimSpace(fmt.Sprint(a.status, " ", a.body))
}

func (w *world) asInvoker(r *http.Request) {
	w.authorize(r, invoker, w.url+"/sync-contacts")
}

// carried is the body that a task carries.
func carried(t *testing.T, task *cloudtaskspb.Task) (user, after string) {
	t.Helper()
	raw := task.GetHttpRequest().GetBody()
	var body struct{ User, After string }
	if json.Unmarshal(raw, &body) != nil {
		t.Fatalf("a task carries %q", raw)
	}
	return body.User, body.After
}

// handed are the users of the tasks from the nth on, and the places of further pages.
func handed(t *testing.T, q *cloudbox.Server, n int) (users, places []string) {
	t.Helper()
	for _, task := range q.Tasks.Taken()[n:] {
		user, after := carried(t, task)
		if after != "" {
			places = append(places, after)
		} else {
			users = append(users, user)
		}
	}
	return users, places
}

func TestA_tick_costs_a_read_for_each_due_user_and_one_where_nobody_is(t *testing.T) {
	t.Parallel()
	q := newCloud(t)
	var m meter
	w := newWorld(t, onFirestore(t), onTasks(q), m.on())
	w.ask("")
	m.take()
	if got, cost := w.ask(""), m.take(); got != `200 {"due":0,"queued":0}` || cost != "1 reads, 0 writes" {
		t.Errorf("an empty tick answers %s and costs %s", got, cost)
	}
	w.makeDue(w.firestore(), names(60)...)
	if got, cost, calls := w.ask(""), m.take(), len(q.Calls()); got != `200 {"due":60,"queued":60}` || cost != "60 reads, 0 writes" || calls != 60 {
		t.Errorf("a tick with 60 due users answers %s and costs %s and %d calls of the queue", got, cost, calls)
	}
}

func TestMore_due_users_than_a_page_follow_by_the_queue_longest_due_first(t *testing.T) {
	t.Parallel()
	q := newCloud(t)
	w := newWorld(t, onFirestore(t), onTasks(q), pages(10))
	all := names(23)
	w.makeDue(w.firestore(), all...)
	answers := []string{w.ask("{}")}
	for page, seen := 0, 0; page < 3; page++ {
		users, places := handed(t, q, seen)
		slices.Sort(users)
		if want := all[10*page : min(10*page+10, len(all))]; !slices.Equal(users, want) {
			t.Errorf("page %d hands over %q, want %q", page, users, want)
		}
		seen = len(q.Tasks.Taken())
		if len(places) == 0 {
			break
		}
		// Each page is delivered twice: to an instance whose clock is minutes behind, and to one whose is ahead.
		body := `{"after":"` + places[0] + `"}`
		w.pass(-7 * time.Minute)
		answers = append(answers, w.ask(body))
		w.pass(40 * time.Minute)
		if again := w.ask(body); !strings.Contains(again, `"queued":0`) {
			t.Errorf("the second delivery of page %d answers %s", page+1, again)
		}
		w.pass(-33 * time.Minute)
	}
	want := []string{`200 {"due":10,"queued":10,"continued":true}`, `200 {"due":10,"queued":10,"continued":true}`, `200 {"due":3,"queued":3}`}
	if !slices.Equal(answers, want) {
		t.Errorf("got %q, want %q", answers, want)
	}
	// The tick delivered again, and the next tick while the pages of this one are still to run, queue nobody twice.
	before := len(q.Tasks.Taken())
	if got := w.ask(""); got != `200 {"due":10,"queued":0,"continued":true}` || len(q.Tasks.Taken()) != before {
		t.Errorf("delivered again: %s, %d new tasks", got, len(q.Tasks.Taken())-before)
	}
	w.pass(time.Minute)
	w.makeDue(w.firestore(), "user-late")
	if got := w.ask(""); got != `200 {"due":10,"queued":0,"continued":true}` || len(q.Tasks.Taken()) != before+1 {
		t.Fatalf("the next tick: %s, %d new tasks", got, len(q.Tasks.Taken())-before)
	}
	for range 2 {
		_, places := handed(t, q, len(q.Tasks.Taken())-1)
		w.ask(`{"after":"` + places[0] + `"}`)
	}
	users, places := handed(t, q, before)
	if len(places) != 2 || !slices.Equal(users, []string{"user-late"}) {
		t.Errorf("the next tick's pages %d hand over %q", len(places), users)
	}
}

func TestA_place_that_is_none_is_a_bad_request(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, content := range []string{
		``, `{}`, `7`, `{"tick":1,"until":1,"at":1}`, `{"tick":1,"until":1,"user":"ada"}`, `{"tick":1,"at":1,"user":"ada"}`,
		`{"until":1,"at":1,"user":"ada"}`, `{"tick":1,"until":1,"at":1,"user":"a/b"}`, `{"tick":1,"until":1,"at":1,"user":"__ada__"}`,
		`{"tick":1,"until":1,"at":1,"user":"ada"} `,
	} {
		place := base64.RawURLEncoding.EncodeToString([]byte(content))
		want := 400
		if strings.HasSuffix(content, " ") {
			place, want = strings.TrimSpace(place), 200
		}
		if a := w.post(`{"after":"` + place + `"}`); a.status != want {
			t.Errorf("%s: got %d %s, want %d", content, a.status, a.body, want)
		}
	}
	if a := w.post(`{"after":"not base64!"}`); a.status != 400 {
		t.Errorf("got %d %s", a.status, a.body)
	}
}

func TestA_user_who_cannot_be_queued_stops_no_other_and_is_not_lost(t *testing.T) {
	t.Parallel()
	q := newCloud(t)
	w := newWorld(t, onFirestore(t), onTasks(q), pages(10))
	w.makeDue(w.firestore(), names(15)...)
	q.SetFault(func(c cloudbox.Call) *cloudbox.Fault {
		if strings.Contains(string(c.Request.(*cloudtaskspb.CreateTaskRequest).GetTask().GetHttpRequest().GetBody()), "user-003") {
			return &cloudbox.Fault{Err: status.Error(codes.NotFound, "Queue does not exist.")}
		}
		return nil
	})
	if got := w.ask(""); !strings.HasPrefix(got, "500 ") {
		t.Errorf("got %s", got)
	}
	users, places := handed(t, q, 0)
	if len(users) != 9 || slices.Contains(users, "user-003") || len(places) != 1 {
		t.Errorf("%q are handed over, and %d pages follow", users, len(places))
	}
	q.SetFault(nil)
	if got := w.ask(""); got != `200 {"due":10,"queued":1,"continued":true}` {
		t.Errorf("the next tick: got %s", got)
	}
	if users, _ := handed(t, q, 10); !slices.Equal(users, []string{"user-003"}) {
		t.Errorf("the next tick hands over %q", users)
	}
}

func TestA_queue_that_takes_nothing_is_not_asked_for_every_user(t *testing.T) {
	t.Parallel()
	q := newCloud(t)
	q.SetFault(func(cloudbox.Call) *cloudbox.Fault {
		return &cloudbox.Fault{Err: status.Error(codes.NotFound, "Queue does not exist.")}
	})
	w := newWorld(t, onFirestore(t), onTasks(q))
	w.makeDue(w.firestore(), names(100)...)
	if got, calls := w.ask(""), len(q.Calls()); !strings.HasPrefix(got, "500 ") || calls > 40 {
		t.Errorf("got %s after %d calls", got, calls)
	}
	q.SetFault(nil)
	if got := w.ask(""); got != `200 {"due":100,"queued":100}` {
		t.Errorf("got %s", got)
	}
}

func TestUsers_are_queued_several_at_a_time(t *testing.T) {
	t.Parallel()
	const atOnce = 8
	var arrived atomic.Int32
	all := make(chan struct{})
	q := newCloud(t)
	q.SetFault(func(cloudbox.Call) *cloudbox.Fault {
		if arrived.Add(1) == atOnce {
			close(all)
		}
		select {
		case <-all:
		case <-t.Context().Done():
		}
		return nil
	})
	w := newWorld(t, onFirestore(t), onTasks(q))
	w.makeDue(w.firestore(), names(20)...)
	// One after another, the first one would wait for ever.
	if got := w.ask(""); got != `200 {"due":20,"queued":20}` {
		t.Errorf("got %s", got)
	}
}

func TestAn_inline_queue_runs_who_is_due_longest_first(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(_ map[string]string, _ *creatiobox.Options, o *app.Options) { o.Workers, o.Page = 1, 7 })
	all := names(20)
	w.stop()
	s, err := bolt.Open(strings.TrimPrefix(w.env["STORE"], "bolt:"))
	if err != nil {
		t.Fatal(err)
	}
	w.makeDue(s, all...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	w.start()
	w.ask("")
	if err := w.app.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	var ran []string
	for line := range strings.Lines(w.log.String()) {
		if strings.Contains(line, "run ended") {
			ran = append(ran, regexp.MustCompile(`user=(\S+)`).FindStringSubmatch(line)[1])
		}
	}
	var want []string
	for _, id := range all {
		want = append(want, observe.User(id))
	}
	if !slices.Equal(ran, want) {
		t.Errorf("got %q, want %q", ran, want)
	}
}

func TestAll_pages_of_an_inline_queue_run(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pages(2))
	w.link()
	w.choose(w.tag("Ada", private))
	w.stop()
	s, err := bolt.Open(strings.TrimPrefix(w.env["STORE"], "bolt:"))
	if err != nil {
		t.Fatal(err)
	}
	// Ada is due last, behind users of whom nothing is known.
	w.pass(time.Hour)
	w.makeDue(s, append(names(6), w.id)...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	w.start()
	if due, queued, err := w.app.Dispatch(t.Context(), record.Contacts); due != 2 || queued != 2 || err != nil {
		t.Fatalf("got %d, %d, %v", due, queued, err)
	}
	if err := w.app.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if last := w.account().Contacts.State.LastSync; last == nil || !last.Equal(w.now()) {
		t.Errorf("the last page did not run: the last synchronization was at %v", last)
	}
}

// dead takes the lease of a user's contacts and never gives it back, as a process does that is killed.
func dead(ctx context.Context, s store.Store, user string, now time.Time) error {
	_, _, err := s.User(user).Acquire(ctx, record.Contacts, "killed", now, time.Minute)
	return err
}

func TestWhom_a_killed_process_left_behind_the_queue_brings_back_when_the_lease_ends(t *testing.T) {
	t.Parallel()
	q := newCloud(t)
	w := newWorld(t, onFirestore(t), onTasks(q))
	w.link()
	w.choose(w.tag("Ada", private))
	if got := w.ask(""); got != `200 {"due":1,"queued":1}` {
		t.Fatalf("got %s", got)
	}
	if err := dead(t.Context(), w.firestore(), w.id, w.now()); err != nil {
		t.Fatal(err)
	}
	// The task is delivered again, since its process did not answer, and finds the lease taken.
	for range 2 {
		if status := w.deliver(q.Tasks.Taken()[0]); status != "skipped" {
			t.Fatalf("the second delivery ended %s", status)
		}
	}
	if len(q.Tasks.Taken()) != 2 {
		t.Fatalf("%d tasks are queued", len(q.Tasks.Taken()))
	}
	if at := q.Tasks.Taken()[1].GetScheduleTime().AsTime(); !at.Equal(w.now().Add(time.Minute)) {
		t.Errorf("the user comes back at %s", at)
	}
	w.pass(time.Minute)
	if status := w.deliver(q.Tasks.Taken()[1]); status != "done" || w.account().Contacts.State.LastSync == nil {
		t.Errorf("the delivery after the lease ended %s", status)
	}
	if got := w.ask(""); got != `200 {"due":0,"queued":0}` {
		t.Errorf("got %s", got)
	}
}

func TestWhom_a_killed_process_left_behind_the_next_one_takes_up(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.link()
	w.choose(w.tag("Ada", private))
	w.stop()
	s, err := bolt.Open(strings.TrimPrefix(w.env["STORE"], "bolt:"))
	if err != nil {
		t.Fatal(err)
	}
	if err := dead(t.Context(), s, w.id, w.now()); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	w.start()
	w.pass(time.Minute)
	if got := w.ask(""); got != `200 {"due":1,"queued":1}` {
		t.Errorf("got %s", got)
	}
	if err := w.app.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if state := w.account().Contacts.State; state.Status != "ok" || state.LastSync == nil {
		t.Errorf("got %+v", state)
	}
}

func TestWhose_task_was_lost_is_handed_over_again_under_another_name(t *testing.T) {
	t.Parallel()
	q := newCloud(t)
	w := newWorld(t, onFirestore(t), onTasks(q))
	w.makeDue(w.firestore(), "user-001")
	for _, tc := range []struct {
		pass   time.Duration
		queued int
	}{{0, 1}, {time.Minute, 0}, {20 * time.Minute, 0}, {10 * time.Minute, 1}, {0, 0}, {30 * time.Minute, 1}} {
		w.pass(tc.pass)
		if got, want := w.ask(""), fmt.Sprintf(`200 {"due":1,"queued":%d}`, tc.queued); got != want {
			t.Errorf("after %s more: got %s, want %s", tc.pass, got, want)
		}
	}
}

// Where runs are slower than ticks, thousands of users wait in the queue. A tick reads the first of them, and who is new.
func TestA_tick_does_not_read_again_whom_an_earlier_one_has_queued(t *testing.T) {
	t.Parallel()
	q := newCloud(t)
	var m meter
	w := newWorld(t, onFirestore(t), onTasks(q), pages(10), m.on())
	s := w.firestore()
	w.makeDue(s, names(45)...)
	w.pass(5 * time.Minute)
	// tick makes a tick with all its pages, and tells whom it queued and what it read.
	tick := func() (users []string, cost string) {
		m.take()
		body := "{}"
		for range 10 {
			before := len(q.Tasks.Taken())
			w.ask(body)
			more, places := handed(t, q, before)
			users = append(users, more...)
			if len(places) == 0 {
				break
			}
			body = `{"after":"` + places[0] + `"}`
		}
		slices.Sort(users)
		return users, m.take()
	}
	if users, _ := tick(); !slices.Equal(users, names(45)) {
		t.Errorf("the first tick queued %d users", len(users))
	}
	w.pass(time.Minute)
	w.makeDue(s, "user-late")
	if users, cost := tick(); !slices.Equal(users, []string{"user-late"}) || cost != "12 reads, 1 writes" {
		t.Errorf("the next tick queued %q and cost %s", users, cost)
	}
	// After half an hour whoever still waits has been lost, for all that is known.
	w.pass(30 * time.Minute)
	if users, _ := tick(); len(users) != 46 {
		t.Errorf("after half an hour %d users are queued anew", len(users))
	}
}

func TestWhoever_was_queued_twice_is_synchronized_once(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tag := w.tag("Ada", private)
	w.link()
	w.choose(tag)
	w.sync("done")
	id := w.account().ID
	due := w.now().Add(-time.Hour).UTC().Format(time.RFC3339Nano)
	a := w.do(http.MethodPost, "/sync-contacts", map[string]string{"user": id, "due": due})
	if !strings.Contains(fmt.Sprint(a.body), `"status":"skipped","reason":"not-due"`) {
		t.Errorf("a user who is due no more: %s", a.body)
	}
	if a := w.do(http.MethodPost, "/sync-contacts", map[string]string{"user": id}); !strings.Contains(fmt.Sprint(a.body), `"status":"done"`) {
		t.Errorf("a user who was named without a time: %s", a.body)
	}
}
