package app_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tandem-sync/tandem/shared/app"
	"github.com/tandem-sync/tandem/shared/record"
	cloudbox "github.com/tandem-sync/tandem/shared/sandbox/cloud"
	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// promises is a world whose queue is Cloud Tasks, with contacts in sync.
type promises struct {
	*world
	queue *cloudbox.Server
	// data is the database, in which a test writes what a process wrote that ended right after.
	data store.User
	// tagID is the tag, and cut ends what is under way.
	tagID string
	cut   func()
}

func newPromises(t *testing.T, names ...string) *promises {
	t.Helper()
	q := newCloud(t)
	w := newWorld(t, onFirestore(t), func(env map[string]string, _ *creatiobox.Options, o *app.Options) {
		env["QUEUE"], o.Google = queueName, q.Options()
	})
	tag := w.tag("Ada", private)
	for _, n := range names {
		w.tagged(tag, w.contact("Some "+n, n+"@example.com"))
	}
	w.link()
	w.choose(tag)
	if len(names) > 0 {
		w.sync("done")
		w.sync("done")
	}
	return &promises{world: w, queue: q, data: w.firestore().User(w.account().ID), tagID: tag}
}

// refuses has the queue take no task while somebody does something.
func (p *promises) refuses(do func()) {
	p.queue.SetFault(func(cloudbox.Call) *cloudbox.Fault {
		return &cloudbox.Fault{Err: status.Error(codes.PermissionDenied, "The principal lacks cloudtasks.tasks.create.")}
	})
	defer p.queue.SetFault(nil)
	do()
}

// fails has somebody ask for something that cannot be queued.
func (p *promises) fails(path string) {
	p.t.Helper()
	p.refuses(func() {
		if a := p.do(http.MethodPost, "/settings/api/v1"+path, nil); a.status < 500 {
			p.t.Fatalf("POST %s without a queue: got %d %s", path, a.status, a.body)
		}
	})
}

// runs asks for something, and wants one task that makes the run.
func (p *promises) runs(path, trigger string) store.Run {
	p.t.Helper()
	before := len(p.queue.Tasks.Taken())
	var next struct{ Run string }
	p.call(http.MethodPost, path, nil, 202, &next)
	return p.carried(next.Run, trigger, before)
}

// carried wants one task that makes a run, beside those that were there before.
func (p *promises) carried(id, trigger string, before int) store.Run {
	p.t.Helper()
	tasks := p.queue.Tasks.Taken()[before:]
	if len(tasks) != 1 {
		p.t.Fatalf("the run %s has %d tasks", id, len(tasks))
	}
	p.deliver(tasks[0])
	run := p.kept(id)
	if run.Status != "done" || run.Trigger != trigger {
		p.t.Fatalf("the run is %+v", run)
	}
	return run
}

func TestA_run_that_could_not_be_queued_is_queued_when_somebody_asks_again(t *testing.T) {
	t.Parallel()
	p := newPromises(t)
	p.fails("/contacts/sync")
	p.runs("/contacts/sync", "user")
}

func TestA_run_that_was_asked_for_and_never_stored_is_stored_when_somebody_asks_again(t *testing.T) {
	t.Parallel()
	p := newPromises(t)
	id := syncer.NewRunID(p.now())
	if err := p.data.UpdateSync(t.Context(), record.Contacts, func(d *store.Sync) error { d.Asked = id; return nil }); err != nil {
		t.Fatal(err)
	}
	if run := p.runs("/contacts/sync", "user"); run.ID != id {
		t.Errorf("another run was made than the one that was promised: %s", run.ID)
	}
}

func TestA_run_that_was_stored_and_never_queued_is_queued_when_its_user_looks(t *testing.T) {
	t.Parallel()
	p := newPromises(t)
	for name, look := range map[string]func(id string){
		"at the run":           func(id string) { p.kept(id) },
		"at the settings page": func(string) { p.visit("/settings") },
	} {
		id := syncer.NewRunID(p.now())
		if _, err := p.data.AddRun(t.Context(), store.Run{ID: id, Type: record.Contacts, Trigger: "user", Status: "queued"}); err != nil {
			t.Fatal(err)
		}
		before := len(p.queue.Tasks.Taken())
		if look(id); len(p.queue.Tasks.Taken()) != before {
			t.Errorf("%s: it is queued while whoever stored it may be about to", name)
		}
		p.pass(3 * time.Minute)
		look(id)
		p.carried(id, "user", before)
	}
}

func TestA_decision_of_which_nothing_came_is_carried_out_when_it_is_made_again(t *testing.T) {
	t.Parallel()
	for name, approve := range map[string]bool{"approve": true, "reject": false} {
		p := newPromises(t, "hopper", "turing", "noether")
		p.google.Account(ada).DeleteGroup(p.group())
		held := p.sync("held")
		p.fails("/runs/" + held.ID + "/" + name)
		p.runs("/runs/"+held.ID+"/"+name, name)
		if n := len(p.creatio.As("Ada").Rows("ContactInTag", nil)); (n == 0) != approve {
			t.Errorf("%s: %d contacts are tagged", name, n)
		}
		p.call(http.MethodPost, "/runs/"+held.ID+"/"+name, nil, 409, nil)
	}
}

func TestA_decision_that_ended_before_its_run_was_stored_can_be_made_again(t *testing.T) {
	t.Parallel()
	p := newPromises(t, "hopper", "turing", "noether")
	p.google.Account(ada).DeleteGroup(p.group())
	held := p.sync("held")
	ended := func(status string) {
		t.Helper()
		err := p.data.UpdateSync(t.Context(), record.Contacts, func(d *store.Sync) error { d.HeldDigest = ""; return nil })
		if err == nil {
			err = p.data.UpdateRun(t.Context(), held.ID, func(r *store.Run) error {
				r.Status, r.Decided = status, syncer.NewRunID(p.now())
				return nil
			})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	ended("approved")
	// Whoever approved may be about to store the run.
	p.call(http.MethodPost, "/runs/"+held.ID+"/reject", nil, 409, nil)
	p.pass(2 * time.Minute)
	if run := p.kept(held.ID); run.Status != "held" {
		t.Errorf("nothing came of the decision, and the run is %s", run.Status)
	}
	p.runs("/runs/"+held.ID+"/reject", "reject")
	if n := len(p.members()); n != 3 {
		t.Errorf("the group has %d members", n)
	}
	if run := p.kept(held.ID); run.Status != "rejected" {
		t.Errorf("the run is %s", run.Status)
	}
}

func TestAn_undo_that_could_not_be_queued_is_queued_when_it_is_asked_for_again(t *testing.T) {
	t.Parallel()
	p := newPromises(t, "hopper")
	var all []store.Run
	p.call(http.MethodGet, "/runs?limit=10", nil, 200, &all)
	first := all[len(all)-1]
	p.fails("/runs/" + first.ID + "/undo")
	undo := p.runs("/runs/"+first.ID+"/undo", "undo")
	if got := p.kept(first.ID).Undone; got != undo.ID {
		t.Errorf("the run says that %q undid it, and it was %s", got, undo.ID)
	}
	// It ended right after it noted which run was to undo this one.
	redo := syncer.NewRunID(p.now())
	if err := p.data.UpdateRun(t.Context(), undo.ID, func(r *store.Run) error { r.Undone = redo; return nil }); err != nil {
		t.Fatal(err)
	}
	if got := p.runs("/runs/"+undo.ID+"/undo", "undo"); got.ID != redo {
		t.Errorf("the undo is %s, and %s was promised", got.ID, redo)
	}
}

// Whatever a user asks for, the process ends right after each write of the request: who asks again gets all of it, once.
func TestWhat_a_user_asks_for_and_asks_for_again_is_done_wherever_the_process_ended(t *testing.T) {
	t.Parallel()
	heldRun := func(p *promises) string { return *p.account().Contacts.State.HeldRun }
	for name, tc := range map[string]struct {
		prepare func(p *promises)
		ask     func(p *promises) (method, path string)
		done    func(p *promises) bool
		// again is what is answered where everything had been done before the process ended.
		again int
	}{
		"synchronize": {
			prepare: func(p *promises) { p.tagged(p.tagID, p.contact("Emmy Lovelace", "emmy@example.com")) },
			ask:     func(*promises) (string, string) { return http.MethodPost, "/contacts/sync" },
			done:    func(p *promises) bool { return len(p.members()) == 4 },
		},
		"approve": {
			prepare: func(p *promises) { p.google.Account(ada).DeleteGroup(p.group()); p.sync("held") },
			ask:     func(p *promises) (string, string) { return http.MethodPost, "/runs/" + heldRun(p) + "/approve" },
			done:    func(p *promises) bool { return len(p.creatio.As("Ada").Rows("ContactInTag", nil)) == 0 },
		},
		"undo": {
			ask:  func(p *promises) (string, string) { return http.MethodPost, "/runs/" + p.first().ID + "/undo" },
			done: func(p *promises) bool { return len(p.members()) == 0 },
		},
		"erase": {
			prepare: func(p *promises) { p.visit("/settings/sign-in") },
			ask:     func(*promises) (string, string) { return http.MethodDelete, "/account" },
			done: func(p *promises) bool {
				_, err := p.data.Profile(p.t.Context())
				return errors.Is(err, store.ErrNotFound)
			},
			again: http.StatusUnauthorized,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for n := 1; ; n++ {
				p := newPromises(t, "hopper", "turing", "noether")
				if tc.prepare != nil {
					tc.prepare(p)
				}
				method, path := tc.ask(p)
				before := len(p.queue.Tasks.Taken())
				if !p.cutAfter(n, func() { p.do(method, "/settings/api/v1"+path, nil) }) {
					return
				}
				if a := p.do(method, "/settings/api/v1"+path, nil); a.status/100 != 2 && a.status != tc.again {
					t.Fatalf("asked again after %d writes: got %d %s", n, a.status, a.body)
				}
				for _, task := range p.queue.Tasks.Taken()[before:] {
					p.deliver(task)
				}
				if !tc.done(p) {
					t.Errorf("asked again after %d writes, and it is not done", n)
				}
			}
		})
	}
}

// cutAfter has the process end after so many writes of what is done, and begins another one. It reports whether there were so many.
func (p *promises) cutAfter(writes int, do func()) bool {
	p.t.Helper()
	p.stop()
	var made atomic.Int64
	p.options.Observe = func(_, w int) {
		if w > 0 && made.Add(1) == int64(writes) {
			p.cut()
		}
	}
	p.start()
	tandem := p.tandem
	ctx, cancel := context.WithCancel(p.t.Context())
	defer cancel()
	p.cut = cancel
	p.tandem = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { tandem.ServeHTTP(rw, r.WithContext(ctx)) })
	do()
	ended := ctx.Err() != nil
	p.stop()
	p.options.Observe = nil
	p.start()
	return ended
}
