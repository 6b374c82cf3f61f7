package syncer_test

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store/firestore"
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
	os.Exit(code)
}

func TestAn_idle_run_costs_the_store_the_same_however_many_links_there_are(t *testing.T) {
	t.Parallel()
	storetest.NeedEmulator(t, emulatorMissing)
	for _, links := range []int{3, 300} {
		s, err := firestore.Open(t.Context(), storetest.Project(), "(default)")
		must(t, err)
		t.Cleanup(func() { _ = s.Close() })
		var reads, writes atomic.Int64
		w := newWorld(t)
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
