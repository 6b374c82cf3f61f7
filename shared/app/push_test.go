package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/cloudtasks/apiv2/cloudtaskspb"
	"github.com/sethvargo/go-envconfig"

	"github.com/tandem-sync/tandem/shared/app"
	"github.com/tandem-sync/tandem/shared/config"
	"github.com/tandem-sync/tandem/shared/record"
	cloudbox "github.com/tandem-sync/tandem/shared/sandbox/cloud"
	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
	"github.com/tandem-sync/tandem/shared/sandbox/google/calendar"
	"github.com/tandem-sync/tandem/shared/store"
)

// pushed is a user who synchronizes activities automatically, with Cloud Tasks, whose tasks the test delivers.
type pushed struct {
	*agenda
	q *cloudbox.Server
	// delivered is how many of the tasks were delivered.
	delivered int
}

// newPushed makes the first run, which opens a channel.
func newPushed(t *testing.T, changes ...change) *pushed {
	t.Helper()
	q := newCloud(t)
	signed := func(env map[string]string, _ *creatiobox.Options, o *app.Options) {
		env["QUEUE"], env["INVOKER"] = queueName, invoker
		o.Google = q.Options()
	}
	p := &pushed{agenda: newAgenda(t, append([]change{signed}, changes...)...), q: q}
	p.tick()
	p.deliverAll()
	return p
}

// post calls the function as its invoker.
func (p *pushed) post(body string) answer {
	p.t.Helper()
	return p.do(http.MethodPost, "/sync-activities", body, func(r *http.Request) { p.authorize(r, invoker, p.url+"/sync-activities") })
}

func (p *pushed) tick() {
	p.t.Helper()
	if a := p.post("{}"); a.status != 200 {
		p.t.Fatalf("tick: got %d %s", a.status, a.body)
	}
}

// waiting are the tasks that were not delivered yet.
func (p *pushed) waiting() []*cloudtaskspb.Task { return p.q.Tasks.Taken()[p.delivered:] }

// deliverAll delivers the tasks that wait, in their time and only once, and tells how each ended.
func (p *pushed) deliverAll() (ended []string) {
	p.t.Helper()
	for _, task := range p.waiting() {
		if wait := task.GetScheduleTime().AsTime().Sub(p.now()); task.GetScheduleTime() != nil && wait > 0 {
			p.pass(wait)
		}
		p.delivered++
		ended = append(ended, strings.TrimSpace(task.GetHttpRequest().GetHeaders()["Tandem-Trigger"]+" "+p.deliver(task)))
	}
	return ended
}

// notify has Google send what it has to tell, and gives how many messages were taken.
func (p *pushed) notify() int {
	p.t.Helper()
	n, err := p.google.Calendars().DeliverNotifications(p.t.Context(), http.DefaultClient)
	if err != nil {
		p.t.Fatal(err)
	}
	return n
}

// channel is the one that is open.
func (p *pushed) channel() calendar.Channel {
	p.t.Helper()
	open := p.google.Calendars().Channels(ada)
	if len(open) != 1 {
		p.t.Fatalf("there are the channels %+v", open)
	}
	return open[0]
}

// message is one of a channel.
func (p *pushed) message(c calendar.Channel, state string) int {
	p.t.Helper()
	return p.do(http.MethodPost, "/calendar-push", nil, func(r *http.Request) {
		for name, v := range map[string]string{
			"X-Goog-Channel-ID": c.ID, "X-Goog-Channel-Token": c.Token, "X-Goog-Resource-ID": c.ResourceID, "X-Goog-Resource-State": state,
		} {
			r.Header.Set(name, v)
		}
	}).status
}

// latest is the latest run.
func (p *pushed) latest() store.Run {
	p.t.Helper()
	var runs []store.Run
	p.call(http.MethodGet, "/runs?type=activities&limit=1", nil, 200, &runs)
	if len(runs) != 1 {
		p.t.Fatalf("there are the runs %+v", runs)
	}
	return runs[0]
}

func (p *pushed) wantEnded(want string, got []string) {
	p.t.Helper()
	if is := strings.Join(got, ", "); is != want {
		p.t.Fatalf("tasks ended %q, want %q", is, want)
	}
}

func TestA_change_in_Google_is_carried_within_seconds_and_many_changes_are_one_run(t *testing.T) {
	t.Parallel()
	p := newPushed(t)
	// The first message says only that the channel is open.
	if n := p.notify(); n != 1 || len(p.waiting()) != 0 {
		t.Errorf("%d messages queued %d tasks", n, len(p.waiting()))
	}
	p.pass(time.Minute)
	for n := range 10 {
		p.calendar.Add(event(fmt.Sprint("Review ", n), 24+n))
		p.notify()
	}
	if tasks := p.waiting(); len(tasks) != 1 || tasks[0].GetScheduleTime().AsTime().Sub(p.now()) != 5*time.Second {
		t.Fatalf("ten messages queued %v", tasks)
	}
	p.wantEnded("push done", p.deliverAll())
	if run := p.latest(); run.Trigger != "push" || run.Counts.Creatio.Created != 10 {
		t.Errorf("got %s %+v", run.Trigger, run.Counts)
	}
	p.same()

	// What the run itself writes to Google costs one run that finds nothing, and that one nothing more.
	for n := range 3 {
		p.activity(fmt.Sprint("Audit ", n), 48+n)
	}
	p.pass(20 * time.Minute)
	p.tick()
	p.wantEnded("done", p.deliverAll())
	if n := p.notify(); n < 3 {
		t.Errorf("%d messages tell of the writes", n)
	}
	if wait := p.waiting()[0].GetScheduleTime().AsTime().Sub(p.now()); wait != 15*time.Second {
		t.Errorf("the run after a run waits %s", wait)
	}
	p.wantEnded("push done", p.deliverAll())
	if run := p.latest(); run.Counts != (store.Counts{Calls: run.Counts.Calls}) {
		t.Errorf("the run after the own writes did %+v", run.Counts)
	}
	if n := p.notify(); n != 0 || len(p.waiting()) != 0 {
		t.Errorf("after it %d messages queued %d tasks", n, len(p.waiting()))
	}
	p.same()
}

func TestA_message_that_is_lost_costs_an_interval(t *testing.T) {
	t.Parallel()
	p := newPushed(t)
	p.calendar.Add(event("Review", 24))
	p.google.Calendars().LoseNotifications()
	if p.notify(); len(p.waiting()) != 0 {
		t.Fatal("a lost message queued a task")
	}
	p.pass(16 * time.Minute)
	p.tick()
	p.wantEnded("done", p.deliverAll())
	if got := p.same(); !strings.Contains(got, "Review") {
		t.Errorf("both sides show %q", got)
	}
}

func TestA_message_that_meets_a_run_under_way_is_not_lost(t *testing.T) {
	t.Parallel()
	p := newPushed(t, onFirestore(t))
	p.notify()
	u, ctx := p.firestore().User(p.id), t.Context()
	_, lease, err := u.Acquire(ctx, record.Activities, "another run", p.now(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	// That run has read the calendar already.
	p.calendar.Add(event("Review", 24))
	p.notify()
	p.wantEnded("push skipped", p.deliverAll())
	p.calendar.Add(event("Clinic", 48))
	p.notify()
	tasks := p.waiting()
	if len(tasks) != 1 || !tasks[0].GetScheduleTime().AsTime().Equal(lease.Expires) {
		t.Fatalf("queued are %v, and the lease expires at %s", tasks, lease.Expires)
	}
	p.wantEnded("push done", p.deliverAll())
	if got := p.same(); !strings.Contains(got, "Review") || !strings.Contains(got, "Clinic") {
		t.Errorf("both sides show %q", got)
	}
}

func TestMessages_of_nobodys_channel_are_refused_and_cost_nothing(t *testing.T) {
	t.Parallel()
	var m meter
	p := newPushed(t, onFirestore(t), m.on())
	good := p.channel()
	for name, tc := range map[string]struct {
		change func(*calendar.Channel)
		cost   string
	}{
		"no header":        {func(c *calendar.Channel) { *c = calendar.Channel{} }, "0 reads, 0 writes"},
		"an invented id":   {func(c *calendar.Channel) { c.ID = strings.Repeat("0", len(c.ID)) }, "0 reads, 0 writes"},
		"a changed id":     {func(c *calendar.Channel) { c.ID = c.ID[1:] + c.ID[:1] }, "0 reads, 0 writes"},
		"another token":    {func(c *calendar.Channel) { c.Token = "guessed" }, "1 reads, 0 writes"},
		"no token":         {func(c *calendar.Channel) { c.Token = "" }, "1 reads, 0 writes"},
		"another resource": {func(c *calendar.Channel) { c.ResourceID = "other" }, "1 reads, 0 writes"},
	} {
		c := good
		tc.change(&c)
		m.take()
		if status, cost := p.message(c, "exists"), m.take(); status != 404 || cost != tc.cost {
			t.Errorf("%s: got %d at %s, want 404 at %s", name, status, cost, tc.cost)
		}
	}
	if n := len(p.waiting()); n > 0 {
		t.Errorf("they queued %d tasks", n)
	}
	m.take()
	if status, cost := p.message(good, "exists"), m.take(); status != 204 || len(p.waiting()) != 1 || cost != "3 reads, 0 writes" {
		t.Errorf("the right one: got %d at %s", status, cost)
	}
	p.pass(7 * 24 * time.Hour)
	if status := p.message(good, "exists"); status != 404 {
		t.Errorf("an expired one: got %d", status)
	}
	if strings.Contains(p.log.String(), good.Token) {
		t.Error("the token is in the log")
	}
	var export struct{ Channels []map[string]any }
	p.visit("/settings/sign-in")
	p.call(http.MethodGet, "/export", nil, 200, &export)
	if len(export.Channels) != 1 || export.Channels[0]["id"] != good.ID || export.Channels[0]["token"] != nil {
		t.Errorf("the export has the channels %v", export.Channels)
	}
}

func TestChannels_go_with_what_they_are_for(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*pushed){
		"automatic off": func(p *pushed) { p.put(map[string]any{"automatic": false}) },
		"no Google":     func(p *pushed) { p.call(http.MethodDelete, "/google", nil, 204, nil) },
		"no Creatio":    func(p *pushed) { p.call(http.MethodDelete, "/creatio", nil, 204, nil) },
		"erased":        func(p *pushed) { p.visit("/settings/sign-in"); p.call(http.MethodDelete, "/account", nil, 204, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPushed(t)
			was := p.channel()
			end(p)
			if open := p.google.Calendars().Channels(ada); len(open) > 0 {
				t.Errorf("left are %+v", open)
			}
			before := len(p.waiting())
			if status := p.message(was, "exists"); status != 404 || len(p.waiting()) != before {
				t.Errorf("a late message: got %d and %d tasks", status, len(p.waiting())-before)
			}
			p.pass(time.Minute)
			p.link()
			p.put(nil)
			p.pass(20 * time.Minute)
			p.tick()
			p.deliverAll()
			if again := p.channel(); again.ID == was.ID {
				t.Error("the channel came back under its id")
			}
			if v := p.google.Violations(); len(v) > 0 {
				t.Errorf("violations: %q", v)
			}
		})
	}
}

func TestA_grant_that_was_taken_back_ends_the_channel(t *testing.T) {
	t.Parallel()
	p := newPushed(t)
	was := p.channel()
	p.google.RevokeGrant(ada)
	p.calendar.Add(event("Review", 24))
	p.notify()
	p.wantEnded("push reconnect", p.deliverAll())
	if status := p.message(was, "exists"); status != 404 {
		t.Errorf("a late message: got %d", status)
	}
	p.link()
	p.tick()
	p.deliverAll()
	if now := p.channel(); now.ID == was.ID {
		t.Error("the former channel is not stopped")
	}
	p.same()
}

func TestA_channel_that_Google_could_not_stop_is_stopped_later(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*pushed){
		"automatic off": func(p *pushed) { p.put(map[string]any{"automatic": false}) },
		"no Google":     func(p *pushed) { p.call(http.MethodDelete, "/google", nil, 204, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPushed(t)
			was := p.channel()
			p.google.SetFault(func(*http.Request) *googlebox.Fault { return &googlebox.Fault{Status: http.StatusServiceUnavailable} })
			end(p)
			if status := p.message(was, "exists"); status != 404 {
				t.Errorf("a late message: got %d", status)
			}
			p.channel()
			tasks := p.waiting()
			if len(tasks) != 1 {
				t.Fatalf("queued are %v", tasks)
			}
			if a := p.answer(tasks[0]); a.status != 503 {
				t.Errorf("while Google is away the task ends %d", a.status)
			}
			p.google.SetFault(nil)
			p.wantEnded("channels done", p.deliverAll())
			if open := p.google.Calendars().Channels(ada); len(open) > 0 {
				t.Errorf("left are %+v", open)
			}
		})
	}
}

func TestAn_opening_whose_answer_was_lost_leaves_one_channel(t *testing.T) {
	t.Parallel()
	for name, fails := range map[string]*googlebox.Fault{
		"before it was done": {Drop: true}, "after it was done": {Drop: true, After: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPushed(t)
			p.put(map[string]any{"automatic": false})
			p.google.SetFault(func(r *http.Request) *googlebox.Fault {
				if strings.HasSuffix(r.URL.Path, "/watch") {
					return fails
				}
				return nil
			})
			p.put(nil)
			p.pass(20 * time.Minute)
			p.tick()
			p.wantEnded("done", p.deliverAll())
			// Messages of a channel whose opening was not answered count.
			for _, orphan := range p.google.Calendars().Channels(ada) {
				if status := p.message(orphan, "exists"); status != 204 {
					t.Errorf("a message of the orphan: got %d", status)
				}
			}
			p.google.SetFault(nil)
			for range 2 {
				p.pass(20 * time.Minute)
				p.tick()
				p.deliverAll()
			}
			p.channel()
			p.calendar.Add(event("Review", 24))
			p.notify()
			p.wantEnded("push done", p.deliverAll())
			p.same()
		})
	}
}

func TestA_channel_is_renewed_by_runs_and_where_there_are_none_by_ticks(t *testing.T) {
	t.Parallel()
	p := newPushed(t)
	first := p.channel()
	for range 6 * 4 {
		p.pass(6 * time.Hour)
		p.tick()
		p.deliverAll()
	}
	second := p.channel()
	if second.ID == first.ID {
		t.Fatal("the channel was not renewed by runs")
	}
	p.pass(6*24*time.Hour + 6*time.Hour)
	// The user's own task does not come to its end.
	p.creatio.SetFault(func(*http.Request) *creatiobox.Fault { return &creatiobox.Fault{Status: http.StatusServiceUnavailable} })
	p.tick()
	for _, task := range p.waiting() {
		p.delivered++
		if task.GetHttpRequest().GetHeaders()["Tandem-Trigger"] == "channels" {
			p.deliver(task)
		}
	}
	if p.channel().ID == second.ID {
		t.Error("the channel was not renewed by a tick")
	}
}

func TestWhat_Google_refuses_is_told_once_and_the_schedule_goes_on(t *testing.T) {
	t.Parallel()
	p := newPushed(t)
	p.put(map[string]any{"automatic": false})
	watches := 0
	p.google.SetFault(func(r *http.Request) *googlebox.Fault {
		if !strings.HasSuffix(r.URL.Path, "/watch") {
			return nil
		}
		watches++
		return googlebox.Refuse(calendar.WebhookUnauthorized())
	})
	p.put(nil)
	for range 12 {
		p.pass(6 * time.Hour)
		p.tick()
		p.wantEnded("done", p.deliverAll())
	}
	// A token that is refused is replaced once, so each attempt may be two requests.
	if watches > 4 || strings.Count(p.log.String(), "will not tell of changes") != 1 {
		t.Errorf("within three days Google was asked %d times; the log:\n%s", watches, p.log.String())
	}
	p.calendar.Add(event("Review", 24))
	p.pass(20 * time.Minute)
	p.tick()
	p.wantEnded("done", p.deliverAll())
	p.same()
}

func TestNo_channel_is_opened_where_push_is_off_and_one_that_is_open_is_stopped(t *testing.T) {
	t.Parallel()
	p := newPushed(t, with("CALENDAR_PUSH", "off"))
	if open := p.google.Calendars().Channels(ada); len(open) > 0 {
		t.Errorf("opened are %+v", open)
	}
	p.stop()
	p.env["CALENDAR_PUSH"] = "on"
	p.start()
	p.pass(20 * time.Minute)
	p.tick()
	p.deliverAll()
	p.channel()
	p.stop()
	p.env["CALENDAR_PUSH"] = "off"
	p.start()
	p.pass(20 * time.Minute)
	p.tick()
	p.deliverAll()
	if open := p.google.Calendars().Channels(ada); len(open) > 0 {
		t.Errorf("left are %+v", open)
	}
}

func TestAn_idle_run_costs_the_same_with_a_channel_and_without(t *testing.T) {
	t.Parallel()
	costs := map[string]string{}
	for _, push := range []string{"on", "off"} {
		var m meter
		p := newPushed(t, onFirestore(t), with("CALENDAR_PUSH", push), m.on())
		p.pass(20 * time.Minute)
		p.tick()
		p.deliverAll()
		p.pass(20 * time.Minute)
		p.tick()
		m.take()
		p.google.ResetRequests()
		p.deliverAll()
		costs[push] = fmt.Sprintf("%s, %d requests to Google", m.take(), len(p.google.Requests()))
	}
	if costs["on"] != costs["off"] {
		t.Errorf("it costs %s with, and %s without", costs["on"], costs["off"])
	}
}

func TestWhile_the_schedule_is_paused_a_message_starts_nothing(t *testing.T) {
	t.Parallel()
	p := newPushed(t, onFirestore(t))
	if err := p.firestore().PutSchedule(t.Context(), store.Schedule{Type: record.Activities, Paused: p.now()}); err != nil {
		t.Fatal(err)
	}
	if status := p.message(p.channel(), "exists"); status != 204 || len(p.waiting()) > 0 {
		t.Errorf("got %d and %d tasks", status, len(p.waiting()))
	}
}

func TestThe_function_that_Google_calls_needs_the_store_and_the_queue_alone(t *testing.T) {
	t.Parallel()
	p := newPushed(t, onFirestore(t))
	env := map[string]string{}
	for _, name := range []string{"PUBLIC_URL", "STORE", "QUEUE", "INVOKER"} {
		env[name] = p.env[name]
	}
	c, err := config.LoadReceiver(t.Context(), envconfig.MapLookuper(env))
	if err != nil {
		t.Fatal(err)
	}
	receiver, err := app.NewReceiver(t.Context(), c, app.Options{Now: p.now, Google: p.q.Options(), Patience: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = receiver.Close(t.Context()) })
	p.tandem = receiver.CalendarPush()
	open := p.channel()
	if status := p.message(open, "exists"); status != 204 || len(p.waiting()) != 1 {
		t.Errorf("got %d and %d tasks", status, len(p.waiting()))
	}
	open.Token = "guessed"
	if status := p.message(open, "exists"); status != 404 {
		t.Errorf("with another token: got %d", status)
	}
	// The task is as good as one of the other functions.
	p.tandem = p.app.Handler()
	p.wantEnded("push done", p.deliverAll())
}

func TestWithout_Cloud_Tasks_a_message_has_the_user_synchronized_in_this_process(t *testing.T) {
	t.Parallel()
	a := newAgenda(t, func(_ map[string]string, _ *creatiobox.Options, o *app.Options) { o.PushDelay = -1 })
	a.run("done")
	a.calendar.Add(event("Review", 24))
	if _, err := a.google.Calendars().DeliverNotifications(t.Context(), http.DefaultClient); err != nil {
		t.Fatal(err)
	}
	if err := a.app.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := a.same(); !strings.Contains(got, "Review") {
		t.Errorf("both sides show %q", got)
	}
}
