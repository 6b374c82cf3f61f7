package worldtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/store/bolt"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// A backup is taken at every other call of a run to the store, and the run goes on. People edit, another run follows, and then the backup
// takes the place of the database. What the runs have written since is recognized: nobody is there twice, nobody is gone, and no edit
// is lost but where the former database told of it.
func TestA_backup_taken_at_any_moment_of_a_run_restores_to_a_state_that_syncs_without_duplicates(t *testing.T) {
	t.Parallel()
	calls := 0
	inWorld(t, 1, setup{chunk: 3}, func(w *world) {
		w.scene()
		p, _, _ := w.sync(syncer.TriggerSchedule, nil)
		calls = p.calls["store"]
		w.heal()
	})
	for n := 1; n <= calls; n += 2 {
		t.Run(fmt.Sprint("store call ", n), func(t *testing.T) {
			t.Parallel()
			inWorld(t, 1, setup{chunk: 3}, func(w *world) {
				w.scene()
				at := place{"store", n}
				if p, _, _ := w.sync(syncer.TriggerSchedule, map[place]mishap{at: backedUp}); len(p.met) == 0 {
					t.Errorf("there is no %s", at)
				}
				time.Sleep(time.Hour)
				for range 3 {
					w.folk.act(w.rng)
				}
				time.Sleep(time.Hour)
				w.sync(syncer.TriggerSchedule, nil)
				w.restore()
				w.heal()
				// Of a photo that went to Google since the backup nobody knows any more that it is the one in Creatio.
				w.sound()
			})
		})
	}
}

func (w *world) backup() string { return filepath.Join(filepath.Dir(w.file), "backup.db") }

// restore puts the backup in the place of the database.
func (w *world) restore() {
	w.write("the backup is restored")
	w.former = w.told()
	err := errors.Join(w.store.Close(), os.Rename(w.backup(), w.file))
	if err != nil {
		w.t.Fatal(err)
	}
	if w.store, err = bolt.Open(w.file); err != nil {
		w.t.Fatal(err)
	}
}

// backUp takes a backup while a run is under way.
func (w *world) backUp() {
	if err := w.store.Backup(context.Background(), w.backup()); err != nil {
		w.t.Error(err)
	}
}
