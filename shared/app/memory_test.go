package app_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tandem-sync/tandem/shared/store"
)

const (
	// heapLimit is far below what a function has, so that the collector works as hard as it ever does.
	heapLimit = "128MiB"

	many    = 25_000
	most    = 192 << 20
	idleRun = 64 << 20
)

func TestA_synchronization_of_25000_contacts_fits_into_a_small_function(t *testing.T) {
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

	run := w.sync("done")
	if run.Counts.Google.Created != many || len(w.google.Account(ada).Members(w.group())) != many {
		t.Fatalf("the first run did %s", summary(run))
	}
	w.within(most, "a first run of 25,000 contacts")

	// What the first run wrote comes back once.
	if run := w.sync("done"); len(run.Changes) > 0 {
		t.Fatalf("the second run did %s", summary(run))
	}
	w.within(most, "a run that sees 25,000 contacts as it wrote them")

	w.restart()
	// A new process asks once how the site is laid out.
	w.sync("done")
	run = w.sync("done")
	if len(run.Changes) > 0 || run.Counts.Calls != (store.Calls{Google: 2, Creatio: 1}) {
		t.Fatalf("an idle run did %s with %+v", summary(run), run.Counts.Calls)
	}
	w.within(idleRun, "an idle run with 25,000 links")
}

// within holds what the worker did to so much memory, and tells what else it used.
func (w *world) within(limit uint64, what string) {
	w.t.Helper()
	var u usage
	w.fromWorker("/worker/usage", &u)
	w.t.Logf("%s: %d MiB, %d of them live, %.1f s, %.0f %% of them for the garbage collector", what, u.Peak>>20, u.Live>>20, u.CPU, 100*u.share())
	if u.Peak > limit {
		w.t.Errorf("%s took %d MiB, more than %d", what, u.Peak>>20, limit>>20)
	}
}

const homeAddress = "4f8b2d67-71d0-45fb-897e-cd4a308a97c0"
