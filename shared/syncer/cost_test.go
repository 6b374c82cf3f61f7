package syncer_test

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/firestore"
	"github.com/tandem-sync/tandem/shared/store/migrate"
	"github.com/tandem-sync/tandem/shared/store/storetest"
	"github.com/tandem-sync/tandem/shared/syncer"
)

var emulatorMissing error

func TestMain(m *testing.M) {
	host, stop, err := storetest.Emulator()
	emulatorMissing = err
	if err == nil {
		_ = os.Setenv("FIRESTORE_EMULATOR_HOST", host)
	}
	code := m.Run()
	if stop != nil {
		stop()
	}
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, "goroutines are left behind:", err)
		code = 1
	}
	os.Exit(code)
}

// metered is a world on Firestore that counts documents read and written.
func metered(t *testing.T, links int) (w *world, reads, writes *atomic.Int64) {
	t.Helper()
	storetest.NeedEmulator(t, emulatorMissing)
	s, err := firestore.Open(t.Context(), storetest.Project(), "(default)")
	must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	must(t, s.UpdateSchema(t.Context(), func(s *store.Schema) error { s.Version = len(migrate.All); return nil }))
	reads, writes = &atomic.Int64{}, &atomic.Int64{}
	w = newWorld(t)
	w.engine.Chunk = 200
	w.move(s.WithObserver(func(r, n int) {
		reads.Add(int64(r))
		writes.Add(int64(n))
	}))
	for i := range links {
		w.sides[record.Creatio].add(fmt.Sprintf("N%d", i), fmt.Sprintf("n%d@example.com", i))
	}
	w.sync()
	w.silent()
	return w, reads, writes
}

func TestAn_idle_run_costs_the_store_the_same_however_many_links_there_are(t *testing.T) {
	t.Parallel()
	for _, links := range []int{3, 300} {
		w, reads, writes := metered(t, links)
		reads.Store(0)
		writes.Store(0)
		out, err := w.engine.Run(t.Context(), w.user, syncer.Request{Type: record.Contacts, Trigger: syncer.TriggerSchedule})
		if err != nil || out.Status != syncer.Done {
			t.Fatalf("got %+v, %v", out, err)
		}
		if r, n := reads.Load(), writes.Load(); r > 8 || n > 3 {
			t.Errorf("with %d links an idle run makes %d reads and %d writes", links, r, n)
		}
	}
}

func TestWho_comes_and_goes_costs_the_store_what_they_are_and_not_what_is_there(t *testing.T) {
	t.Parallel()
	cost := map[int][2]int64{}
	for _, links := range []int{20, 300} {
		w, reads, writes := metered(t, links)
		reads.Store(0)
		writes.Store(0)
		creatio, google := w.sides[record.Creatio], w.sides[record.Google]
		creatio.add("New", "new@example.com")
		creatio.edit(creatio.id("N1"), func(r *row) { r.member = false })
		google.edit(google.id("N2"), func(r *row) { r.member = false })
		w.sync()
		w.agree()
		cost[links] = [2]int64{reads.Load(), writes.Load()}
	}
	if cost[20] != cost[300] {
		t.Errorf("three who come and go cost %v reads and writes with 20 links, and %v with 300", cost[20], cost[300])
	}
}

// spent is what one run costs the store.
func spent(t *testing.T, w *world, reads, writes *atomic.Int64) [2]int64 {
	t.Helper()
	reads.Store(0)
	writes.Store(0)
	w.pass(time.Minute)
	out, err := w.engine.Run(t.Context(), w.user, syncer.Request{Type: record.Contacts, Trigger: syncer.TriggerSchedule})
	if err != nil || out.Status != syncer.Done {
		t.Fatalf("got %+v, %v", out, err)
	}
	return [2]int64{reads.Load(), writes.Load()}
}

func TestWhat_changed_costs_the_store_one_reading_and_two_writings_of_its_link_each(t *testing.T) {
	t.Parallel()
	w, reads, writes := metered(t, 250)
	// The first note of a database makes the key under which notes are kept.
	w.setJob(record.Google, "N0", "first")
	w.sync()
	w.silent()
	idle := spent(t, w, reads, writes)
	for _, changed := range []int64{1, 10, 200} {
		for _, side := range record.Sides {
			for i := range changed {
				s := w.sides[side]
				s.edit(s.id(fmt.Sprintf("N%d", i)), func(r *row) { r.fields.SetText(contact.JobTitle, fmt.Sprintf("%s %d %d", side, changed, i)) })
			}
			// A link is written with its intent before anything is sent, and with the result. Besides the links: one query more,
			// the fence of the intents, and the history, listed before what it tells of is done, and told after that: for each of these three
			// the profile is looked at, without which nothing of a user is begun.
			want := [2]int64{idle[0] + changed + 5, idle[1] + 2*changed + 3}
			if side == record.Google {
				// Other users of the contacts are told in a note that the write is nobody's edit, as it is about to be sent and
				// with the result; what was noted before is read each time.
				want[0], want[1] = want[0]+2*changed, want[1]+2*changed
			}
			if got := spent(t, w, reads, writes); got != want {
				t.Errorf("%d changes in %s cost %v reads and writes, want %v", changed, side, got, want)
			}
		}
	}
}

func TestA_first_run_costs_the_store_two_writings_of_each_link_in_bulk(t *testing.T) {
	t.Parallel()
	for _, contacts := range []int64{50, 450} {
		w, reads, writes := metered(t, 0)
		for i := range contacts {
			w.sides[record.Creatio].add(fmt.Sprintf("N%d", i), fmt.Sprintf("n%d@example.com", i))
		}
		chunks := (contacts + 199) / 200
		// Each link as what is intended and as what became of it, the history of each chunk likewise; the run as it begins
		// and as it ends, the lease, the document, the members of both sides. What is read is the lease ahead of each writing
		// of links, the profile ahead of each writing of the history, and what every run reads.
		want := [2]int64{4*chunks + 8, 2*contacts + 2*chunks + 6}
		if got := spent(t, w, reads, writes); got != want {
			t.Errorf("a first run of %d contacts costs %v reads and writes, want %v", contacts, got, want)
		}
	}
}

func TestA_creation_in_Creatio_costs_the_store_its_claims_and_its_note_besides(t *testing.T) {
	t.Parallel()
	w, reads, writes := metered(t, 250)
	w.sides[record.Google].add("First", "first@example.com")
	w.sync()
	w.silent()
	idle := spent(t, w, reads, writes)
	const creations = 20
	for i := range creations {
		w.sides[record.Google].add(fmt.Sprintf("G%d", i), fmt.Sprintf("g%d@example.com", i))
	}
	// Besides the link, which is written twice: the claim of the only key, and the note, each of them read before. What is
	// read besides is the fence of the intents, and whether the records have links, of which nobody is the counterpart, and three
	// times the profile.
	got, want := spent(t, w, reads, writes), [2]int64{idle[0] + 2*creations + 9, idle[1] + 4*creations + 5}
	if got != want {
		t.Errorf("%d creations in Creatio cost %v reads and writes, want %v", creations, got, want)
	}
}
