package syncer_test

import (
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// A year of hourly runs that find nothing is one document, and tells so.
func TestA_stretch_of_idle_runs_of_the_schedule_is_one_run_of_the_history(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sides[record.Creatio].add("Ada", "ada@example.com")
	w.sync()
	first, _ := w.run(syncer.TriggerSchedule)
	began := w.now()
	for range 3 {
		w.pass(time.Hour)
		out, r := w.run(syncer.TriggerSchedule)
		if out.Status != syncer.Done || out.Run != first.Run || r.ID != first.Run {
			t.Fatalf("an idle run is %s %s, want %s", out.Status, out.Run, first.Run)
		}
	}
	r, err := w.user.Run(t.Context(), first.Run)
	must(t, err)
	if r.Repeats != 3 || r.FinishedAt.Sub(r.StartedAt) < 3*time.Hour || r.StartedAt.After(began) {
		t.Errorf("the stretch is %+v", r)
	}

	w.sides[record.Creatio].add("Grace", "grace@example.com")
	w.pass(time.Hour)
	if out, r := w.run(syncer.TriggerSchedule); out.Run == first.Run || r.Counts.Google.Created != 1 {
		t.Errorf("a run that did something is %+v", r)
	}
	w.pass(time.Hour)
	next, _ := w.run(syncer.TriggerSchedule)
	w.pass(time.Hour)
	asked, _ := w.run(syncer.TriggerUser)
	w.pass(time.Hour)
	last, _ := w.run(syncer.TriggerSchedule)
	seen := map[string]bool{first.Run: true, next.Run: true, asked.Run: true, last.Run: true}
	if len(seen) != 4 {
		t.Errorf("what a user asked for, or what follows a change, belongs to an earlier stretch: %v", seen)
	}
}
