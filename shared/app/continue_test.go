package app_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/observe"
	cloudbox "github.com/tandem-sync/tandem/shared/sandbox/cloud"
	"github.com/tandem-sync/tandem/shared/sandbox/collector"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
	"github.com/tandem-sync/tandem/shared/store"
)

// timed is the context of a request whose time ends by the test's clock.
type timed struct {
	context.Context
	until time.Time
}

func (c timed) Deadline() (time.Time, bool) { return c.until, true }

// manyChunks is a world in which a run has more to do than one chunk, and in which a request has time for one.
func manyChunks(t *testing.T, changes ...change) (w *world, q *cloudbox.Server, c *collector.Collector) {
	t.Helper()
	q, c = newCloud(t), newCollector(t)
	w = newWorld(t, append(changes, onTasks(q), measured(c))...)
	tag := w.tag("Ada", private)
	for i := range inChunks {
		w.tagged(tag, w.contact(fmt.Sprintf("Grace Hopper%03d", i), fmt.Sprintf("h%d@example.com", i)))
	}
	w.link()
	w.choose(tag)
	tandem := w.tandem
	w.tandem = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/sync-") {
			r = r.WithContext(timed{r.Context(), w.now().Add(45 * time.Second)})
		}
		tandem.ServeHTTP(rw, r)
	})
	return w, q, c
}

// inChunks is a chunk of contacts and some more.
const inChunks = 210

// slowly has the first creation of contacts in Google take a while.
func (w *world) slowly() {
	slow := true
	w.google.SetFault(func(r *http.Request) *googlebox.Fault {
		if slow && strings.HasSuffix(r.URL.Path, ":batchCreateContacts") {
			slow = false
			w.pass(40 * time.Second)
		}
		return nil
	})
}

func (w *world) promise(path string) (run string) {
	w.t.Helper()
	w.pass(5 * time.Minute)
	var next struct{ Run string }
	w.call(http.MethodPost, path, nil, 202, &next)
	return next.Run
}

func (w *world) kept(id string) (run store.Run) {
	w.t.Helper()
	w.call(http.MethodGet, "/runs/"+id, nil, 200, &run)
	return run
}

func TestA_run_in_pieces_is_no_failure_and_cannot_be_undone_before_its_end(t *testing.T) {
	t.Parallel()
	w, q, c := manyChunks(t)
	id := w.promise("/contacts/sync")
	w.slowly()
	if a := w.answer(q.Tasks.Taken()[0]); a.status != 503 || !strings.Contains(a.body, `"status":"retry"`) {
		t.Errorf("the first piece is answered %d %s", a.status, a.body)
	}
	made := len(w.members())
	if s := w.account().Contacts.State; made == 0 || made >= inChunks || s.Status != "running" || s.Failing != 0 || s.Problem == nil || s.Problem.Code != "deadline" {
		t.Errorf("after the first piece %d are in the group, and the settings page shows %+v", made, s)
	}
	if run := w.kept(id); run.Status != "running" || !run.FinishedAt.IsZero() || run.Counts.Google.Created != made || len(run.Problems) > 0 {
		t.Errorf("after the first piece the run is %s, finished at %v, with %+v and %+v", run.Status, run.FinishedAt, run.Counts, run.Problems)
	}
	if a := w.do(http.MethodPost, "/settings/api/v1/runs/"+id+"/undo", nil); a.status != 409 || !strings.Contains(a.body, "not-undoable") {
		t.Errorf("undone between two pieces: %d %s", a.status, a.body)
	}

	w.pass(time.Minute)
	if status := w.deliver(q.Tasks.Taken()[0]); status != "done" || len(w.members()) != inChunks {
		t.Errorf("the second piece ended %s with %d in the group", status, len(w.members()))
	}
	if run := w.kept(id); run.Status != "done" || run.Counts.Google.Created != inChunks || len(run.Problems) > 0 {
		t.Errorf("the run is %s with %+v and %+v", run.Status, run.Counts, run.Problems)
	}
	undo := w.promise("/runs/" + id + "/undo")
	w.slowly()
	for w.answer(q.Tasks.Taken()[1]).status != 200 {
		w.pass(time.Minute)
	}
	if run := w.kept(undo); run.Status != "done" || len(w.members()) != 0 {
		t.Errorf("the undo is %s with %d left in the group", run.Status, len(w.members()))
	}
	w.writes()
	if status := w.deliver(q.Tasks.Taken()[0]); status != "done" || len(w.writes()) > 0 {
		t.Errorf("a late delivery ended %s", status)
	}
	w.end()
	ended := map[string]float64{}
	for _, p := range c.Points(observe.MetricRuns) {
		ended[p.Attributes["status"]] += p.Value
	}
	if ended["continued"] == 0 || ended["retry"] > 0 || len(c.Points(observe.MetricFailures)) > 0 {
		t.Errorf("measured %v and the failures %+v", ended, c.Points(observe.MetricFailures))
	}
	if got := w.log.String(); strings.Contains(got, "run ended early") || !strings.Contains(got, "status=continued") {
		t.Error("the log tells of a failure, or not of the piece")
	}
}

func TestA_run_that_failed_halfway_and_is_undone_is_not_taken_up_again(t *testing.T) {
	t.Parallel()
	w, q, _ := manyChunks(t)
	id := w.promise("/contacts/sync")
	batches := 0
	w.google.SetFault(func(r *http.Request) *googlebox.Fault {
		if strings.HasSuffix(r.URL.Path, ":batchCreateContacts") {
			if batches++; batches > 1 {
				return &googlebox.Fault{Status: 503, Header: http.Header{"Retry-After": {"120"}}}
			}
		}
		return nil
	})
	if a := w.answer(q.Tasks.Taken()[0]); a.status != 503 {
		t.Errorf("the first attempt is answered %d %s", a.status, a.body)
	}
	w.google.SetFault(nil)
	if run := w.kept(id); run.Status != "failed" || run.Counts.Google.Created == 0 || len(w.members()) == 0 {
		t.Fatalf("the run is %s with %+v", run.Status, run.Counts)
	}
	w.promise("/runs/" + id + "/undo")
	w.writes()
	if status := w.deliver(q.Tasks.Taken()[0]); status != "partial" || len(w.writes()) > 0 {
		t.Errorf("the next attempt ended %s", status)
	}
	for w.answer(q.Tasks.Taken()[1]).status != 200 {
		w.pass(time.Minute)
	}
	if n := len(w.members()); n != 0 {
		t.Errorf("%d are left in the group", n)
	}
}
