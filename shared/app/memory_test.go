package app_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/store"
)

const (
	// heapLimit is far below what a function has, so that the collector works as hard as it ever does.
	heapLimit = "128MiB"
	// mostGC is the part of its time that the process may collect garbage. Beyond a half the runtime gives up the limit, which is
	// the bound of runs that hold back or carry out what everybody's departure takes away: all of it waits for the user at once.
	mostGC     = 0.25
	decisionGC = 0.5

	many    = 25_000
	most    = 160 << 20
	idleRun = 64 << 20
)

// longTests is set by scripts/test --long. Where CI=true the long tests run in any case.
const longTests = "LONG_TESTS"

func needLong(t *testing.T) {
	t.Helper()
	if os.Getenv(longTests) == "" && os.Getenv("CI") != "true" {
		t.Skip("it takes minutes: run it by ./scripts/test --long, or with " + longTests + "=true")
	}
}

func TestA_synchronization_of_25000_contacts_fits_into_a_small_function(t *testing.T) {
	needLong(t)
	t.Parallel()
	// A function has one processor.
	w := newWorld(t, with(workerMark, "127.0.0.1:0"), with("GOMEMLIMIT", heapLimit), with("GOMAXPROCS", "1"))
	tag := w.tag("Ada", private)
	contacts := make([]string, many)
	for i := range contacts {
		contacts[i] = w.row("Ada", "Contact", map[string]any{
			"Name": fmt.Sprintf("Given%d Family%d", i, i), "JobTitle": "Head of something", "BirthDate": "1980-02-03T00:00:00Z",
			"Notes": strings.Repeat("A note about this person. ", 5), "Email": fmt.Sprintf("person%d@example.com", i),
			"MobilePhone": fmt.Sprintf("+4477009%05d", i), "Phone": fmt.Sprintf("+44207946%05d", i),
		})
		w.row("Ada", "ContactAddress", map[string]any{
			"ContactId": contacts[i], "AddressTypeId": homeAddress, "Address": fmt.Sprintf("%d High Street", i), "Zip": "AB1 2CD", "Primary": true,
		})
		w.tagged(tag, contacts[i])
	}
	w.link()
	w.choose(tag)
	w.fromWorker("/worker/usage", nil)

	if run := w.window("done", most, mostGC, "a first run"); run.Counts.Google.Created != many || w.inGroup() != many {
		t.Fatalf("the first run did %s", summary(run))
	}

	// What the first run wrote comes back once.
	if run := w.window("done", most, mostGC, "a run that sees everybody as the first one wrote them"); changed(run) {
		t.Fatalf("the second run did %s", summary(run))
	}

	if *everybody || os.Getenv("CI") == "true" {
		leaveOnBothSides(w)
		comeBack(w, tag, contacts)
	}
	if *everybody {
		leaveAsDecided(w)
	}

	w.restart()
	// A new process asks once how the site is laid out.
	w.window("done", most, decisionGC, "the first run of a new process")
	run := w.window("done", idleRun, decisionGC, "an idle run")
	if changed(run) || run.Counts.Calls != (store.Calls{Google: 2, Creatio: 1}) {
		t.Fatalf("an idle run did %s with %+v", summary(run), run.Counts.Calls)
	}
}

// everybody makes the test of memory whole, which takes some minutes more. Before a change lands, everybody leaves and comes
// back in any case.
var everybody = flag.Bool("everybody", false, "have all 25,000 contacts leave, come back, and leave again in the test of memory")

// untag takes the tag off everybody.
func (w *world) untag() {
	w.t.Helper()
	for _, link := range w.creatio.System().Rows("ContactInTag", nil) {
		if err := w.creatio.As("Ada").Delete("ContactInTag", link["Id"].(string)); err != nil {
			w.t.Fatal(err)
		}
	}
}

// leaveOnBothSides has everybody lose the tag and leave the group, so that nothing is left to be done about it.
func leaveOnBothSides(w *world) {
	w.t.Helper()
	w.untag()
	group := w.group()
	for _, id := range w.google.Account(ada).Members(group) {
		w.google.Account(ada).RemoveFromGroup(id, group)
	}
	if run := w.window("done", most, decisionGC, "a run that finds everybody gone on both sides"); changed(run) {
		w.t.Fatalf("the run that finds everybody gone did %s", summary(run))
	}
}

// comeBack has everybody get the tag again.
func comeBack(w *world, tag string, contacts []string) {
	w.t.Helper()
	for _, id := range contacts {
		w.tagged(tag, id)
	}
	if run := w.window("done", most, mostGC, "a run in which everybody comes back"); run.Counts.Google.Updated != many || w.inGroup() != many {
		w.t.Fatalf("the run in which all come back did %s", summary(run))
	}
	if run := w.window("done", most, mostGC, "a run that sees everybody as they came back"); changed(run) {
		w.t.Fatalf("the run after that did %s", summary(run))
	}
}

// leaveAsDecided has everybody lose the tag, which the user approves.
func leaveAsDecided(w *world) {
	t := w.t
	t.Helper()
	w.untag()
	held := w.window("held", most, decisionGC, "a run that is held since everybody left")
	w.call(http.MethodPost, "/runs/"+held.ID+"/approve", nil, http.StatusAccepted, nil)
	w.fromWorker("/worker/idle", nil)
	w.within(most, decisionGC, "a run that takes everybody out of the group")
	if n := w.inGroup(); n > 0 {
		t.Fatalf("after the approval %d are in the group", n)
	}
}

// changed reports whether a run did anything but ask.
func changed(run store.Run) bool {
	run.Counts.Calls = store.Calls{}
	return run.Counts != store.Counts{}
}

func (w *world) inGroup() int { return len(w.google.Account(ada).Members(w.group())) }

func (w *world) window(want string, limit uint64, gc float64, what string) store.Run {
	w.t.Helper()
	return w.windowOf("/sync-contacts", want, limit, gc, what)
}

// windowOf runs the user's window in the worker, holds that to so much memory, and gives the run without its changes: the
// pages that show those are another function's.
func (w *world) windowOf(path, want string, limit uint64, gc float64, what string) store.Run {
	w.t.Helper()
	w.pass(5 * time.Minute)
	a := w.do(http.MethodPost, path, map[string]string{"user": w.id})
	var out struct{ Run, Status string }
	if err := json.Unmarshal([]byte(a.body), &out); err != nil || a.status != 200 || out.Status != want {
		w.t.Fatalf("%s: got %d %s, want %s", what, a.status, a.body, want)
	}
	w.within(limit, gc, what)
	var runs []store.Run
	w.call(http.MethodGet, "/runs?limit=1", nil, 200, &runs)
	w.fromWorker("/worker/usage", nil)
	if len(runs) == 0 || runs[0].ID != out.Run || runs[0].Status != want {
		w.t.Fatalf("%s: the history begins with %+v, and not with %s", what, runs, out.Run)
	}
	return runs[0]
}

// within holds what the worker did to so much memory, and to a tolerable part of its time for the collector.
func (w *world) within(limit uint64, gc float64, what string) {
	w.t.Helper()
	var u usage
	w.fromWorker("/worker/usage", &u)
	w.t.Logf("%s: %d MiB, %d of them live, %.1f s, %.0f %% of them for the garbage collector", what, u.Peak>>20, u.Live>>20, u.CPU, 100*u.share())
	if u.Peak > limit {
		w.t.Errorf("%s took %d MiB, more than %d", what, u.Peak>>20, limit>>20)
	}
	if u.share() > gc {
		w.t.Errorf("%s spent %.0f %% of its time for the garbage collector", what, 100*u.share())
	}
}

const homeAddress = "4f8b2d67-71d0-45fb-897e-cd4a308a97c0"
