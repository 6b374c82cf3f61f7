package syncer_test

import (
	"testing"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
)

func TestA_side_that_shows_nothing_any_more_holds_the_run(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sides[record.Creatio].many(4)
	w.sync()
	w.sides[record.Google].drop()
	before := w.writes()
	out, r := w.run(syncer.TriggerSchedule)
	if out.Status != syncer.Held || r.Status != "held" || len(r.Changes) != 4 || w.writes() != before {
		t.Fatalf("got %+v, run %+v", out, r)
	}
	w.silent()
	doc := w.kept()
	if doc.HeldRun != out.Run || doc.Status != "held" {
		t.Errorf("got state %q, held run %q", doc.Status, doc.HeldRun)
	}
	if out, _ := w.run(syncer.TriggerReject); out.Status != syncer.Done {
		t.Fatalf("rejecting ended %+v", out)
	}
	w.agree()
	if len(w.sides[record.Google].scope()) != 4 {
		t.Errorf("google has %q", w.sides[record.Google].scope())
	}
	w.silent()
}

func TestApproving_does_what_was_held(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sides[record.Creatio].many(4)
	w.sync()
	for id := range w.sides[record.Google].rows {
		w.sides[record.Google].edit(id, func(r *row) { r.member = false })
	}
	if out, _ := w.run(syncer.TriggerSchedule); out.Status != syncer.Held {
		t.Fatalf("got %+v", out)
	}
	if out, r := w.run(syncer.TriggerApprove); out.Status != syncer.Done || r.Counts.Creatio.Unlinked != 4 {
		t.Fatalf("got %+v, counts %+v", out, r.Counts)
	}
	if n := len(w.sides[record.Creatio].scope()); n != 0 {
		t.Errorf("creatio still has %d in scope", n)
	}
	w.silent()
}

func TestA_group_whose_end_is_approved_is_made_again_for_who_is_new(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sides[record.Creatio].many(4)
	w.sync()
	w.sides[record.Google].drop()
	if out, _ := w.run(syncer.TriggerSchedule); out.Status != syncer.Held {
		t.Fatalf("got %+v", out)
	}
	w.sides[record.Creatio].add("New", "")
	if out, r := w.run(syncer.TriggerApprove); out.Status != syncer.Done || r.Counts.Creatio.Unlinked != 4 || r.Counts.Google.Created != 1 {
		t.Fatalf("got %+v, counts %+v, problems %+v", out, r.Counts, r.Problems)
	}
	w.agree()
	w.silent()
}

func TestA_held_run_whose_reason_is_gone_does_not_wait_any_more(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	google := w.sides[record.Google]
	w.sides[record.Creatio].many(4)
	w.sync()
	leave := func(in bool) {
		for id := range google.rows {
			google.edit(id, func(r *row) { r.member = in })
		}
	}
	leave(false)
	held, _ := w.run(syncer.TriggerSchedule)
	if held.Status != syncer.Held {
		t.Fatalf("got %+v", held)
	}
	status := func() string {
		r, err := w.user.Run(t.Context(), held.Run)
		must(t, err)
		return r.Status
	}
	if got := status(); got != "held" {
		t.Fatalf("the held run is %s", got)
	}
	leave(true)
	w.sync()
	d, err := w.user.Sync(t.Context(), record.Contacts)
	must(t, err)
	if got := status(); got != "replaced" || d.HeldRun != "" {
		t.Errorf("the run that was held is %s, and %q waits", got, d.HeldRun)
	}
	w.agree()
	w.silent()
}

func TestWhat_is_made_again_is_counted_once(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	google := w.sides[record.Google]
	w.sides[record.Creatio].add("Ada", "")
	w.sides[record.Creatio].add("Grace", "")
	w.sides[record.Creatio].add("Emmy", "")
	w.sync()
	for _, name := range []string{"Ada", "Grace", "Emmy"} {
		google.edit(google.id(name), func(r *row) { r.gone, r.member = true, false })
	}
	if out, _ := w.run(syncer.TriggerSchedule); out.Status != syncer.Held {
		t.Fatalf("all were deleted: got %+v", out)
	}
	if out, _ := w.run(syncer.TriggerReject); out.Status != syncer.Done {
		t.Fatalf("rejected: got %+v", out)
	}
	d := w.kept()
	if d.Members != 3 {
		t.Errorf("three are in scope, and %d are counted", d.Members)
	}
	w.agree()
	w.silent()
}

func TestA_group_that_decides_nothing_is_made_again_with_everybody_in_it(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	must(t, w.user.UpdateSync(t.Context(), record.Contacts, func(d *store.Sync) error {
		d.Settings.Direction = "to-google"
		return nil
	}))
	w.sides[record.Creatio].add("Ada", "")
	w.sides[record.Creatio].add("Grace", "")
	w.sync()
	w.sides[record.Google].drop()
	w.sides[record.Creatio].add("Emmy", "")
	if r := w.sync(); r.Counts.Google.Created != 1 || r.Counts.Google.Updated != 2 {
		t.Errorf("got %+v", r.Counts)
	}
	w.agree()
	w.silent()
}

func TestAn_undo_leaves_a_held_run_and_the_state_of_the_synchronization_alone(t *testing.T) {
	t.Parallel()
	w := team(t, "Ada", "Bo", "Cy")
	w.setJob(record.Google, "Ada", "Pilot")
	r := w.sync()
	w.sides[record.Google].drop()
	w.sides[record.Google].missing = false
	w.pass(lag)
	held, _ := w.run(syncer.TriggerSchedule)
	before := w.kept()
	w.undo(r)
	after := w.kept()
	if held.Status != syncer.Held || after.HeldRun != held.Run || after.Status != "held" || !after.LastSync.Equal(before.LastSync) {
		t.Errorf("the run ended %s; then %+v", held.Status, after)
	}
	if h, err := w.user.Run(t.Context(), held.Run); err != nil || h.Status != "held" {
		t.Errorf("the held run is %s, %v", h.Status, err)
	}
}

func TestAn_undo_that_takes_away_a_lot_is_not_held(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sides[record.Creatio].many(12)
	u := w.undo(w.sync())
	if u.Counts.Google.Unlinked != 12 || len(w.sides[record.Google].scope()) != 0 || len(w.sides[record.Creatio].scope()) != 12 {
		t.Errorf("got %+v", u.Counts)
	}
	w.silent()
	doc := w.kept()
	if doc.Members != 0 {
		t.Errorf("%d links count as in scope", doc.Members)
	}
}
