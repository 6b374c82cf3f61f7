package syncer_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// people is a world in step with so many people: N0 and so on, clerks with an e-mail address.
func people(t *testing.T, n int) *world {
	t.Helper()
	w := newWorld(t)
	w.sides[record.Creatio].many(n)
	for i := range n {
		w.setJob(record.Creatio, fmt.Sprintf("N%d", i), "Clerk")
	}
	w.sync()
	w.silent()
	return w
}

// each is done by a person to some people of a side.
func (w *world) each(s record.Side, from, to int, f func(*row)) {
	for i := from; i < to; i++ {
		w.sides[s].edit(w.sides[s].id(fmt.Sprintf("N%d", i)), f)
	}
}

func leave(r *row)   { r.member = false }
func comeIn(r *row)  { r.member = true }
func empty(r *row)   { delete(r.fields, contact.Emails) }
func retired(r *row) { r.fields.SetText(contact.JobTitle, "") }
func pilot(r *row)   { r.fields.SetText(contact.JobTitle, "Pilot") }
func clerk(r *row)   { r.fields.SetText(contact.JobTitle, "Clerk") }

// held makes a run that must wait with something.
func (w *world) held(trigger string) store.Run {
	w.t.Helper()
	out, r := w.run(trigger)
	if out.Status != syncer.Held || r.Status != "held" {
		w.t.Fatalf("run ended %+v with problems %+v", out, r.Problems)
	}
	if d := w.kept(); d.HeldRun != r.ID || d.Status != "held" || d.Problem == nil || !strings.HasPrefix(d.Problem.Code, "held-") {
		w.t.Fatalf("%s is held, and the document says %s, %q, %+v", r.ID, d.Status, d.HeldRun, d.Problem)
	}
	return r
}

func (w *world) stored(run string) store.Run {
	w.t.Helper()
	r, err := w.user.Run(context.Background(), run)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// waits counts the changes of a run that wait, and those that were made.
func waits(r store.Run) (waiting, made int) {
	for _, c := range r.Changes {
		if c.Waits {
			waiting++
		} else {
			made++
		}
	}
	return waiting, made
}

func (w *world) inScope(s record.Side) int { return len(w.sides[s].scope()) }

func TestWhat_takes_away_too_much_waits_and_everything_else_is_carried_out(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		side record.Side
		lose func(*row)
	}{
		"they leave Creatio":            {record.Creatio, leave},
		"they leave Google":             {record.Google, leave},
		"their addresses are gone":      {record.Creatio, empty},
		"their titles are emptied":      {record.Google, retired},
		"they are deleted":              {record.Google, func(r *row) { r.gone, r.member = true, false }},
		"they lose a title and address": {record.Creatio, func(r *row) { retired(r); empty(r) }},
	} {
		w := people(t, 40)
		before := w.inScope(tc.side.Other())
		shows := w.sides[tc.side.Other()].scope()
		w.each(tc.side, 0, 12, tc.lose)
		w.setJob(record.Google, "N30", "Pilot")
		w.sides[record.Creatio].add("New", "new@example.com")
		w.pass(lag)
		r := w.held(syncer.TriggerSchedule)
		if waiting, _ := waits(r); waiting != 12 {
			t.Errorf("%s: %d wait", name, waiting)
		}
		if c := r.Counts; c.Creatio.Unlinked+c.Google.Unlinked > 0 || c.Google.Created != 1 || w.text(record.Creatio, "N30") != "Pilot" {
			t.Errorf("%s: everything else is not done: %+v", name, c)
		}
		if got := w.inScope(tc.side.Other()); got != before+1 {
			t.Errorf("%s: %d are in scope on the other side", name, got)
		}
		after := w.sides[tc.side.Other()].scope()
		lost := 0
		for _, text := range shows {
			if !slices.Contains(after, text) {
				lost++
			}
		}
		if lost > 1 {
			t.Errorf("%s: %d lost something all the same", name, lost)
		}
		// The list stays the same, and so does the run that has it.
		calls := w.sides[record.Creatio].fetched
		w.silent()
		if d := w.kept(); d.HeldRun != r.ID || d.Status != "held" || w.stored(r.ID).Status != "held" {
			t.Errorf("%s: then %s, %s waits, as %s", name, d.Status, d.HeldRun, w.stored(r.ID).Status)
		}
		if w.sides[record.Creatio].fetched != calls {
			t.Errorf("%s: what waits is read again although nothing changed", name)
		}
	}
}

func TestTitles_that_are_set_back_wait_and_new_ones_do_not(t *testing.T) {
	t.Parallel()
	w := people(t, 40)
	w.each(record.Creatio, 0, 30, pilot)
	if r := w.sync(); r.Counts.Google.Updated != 30 {
		t.Fatalf("30 new titles: %+v", r.Counts)
	}
	w.pass(lag)
	w.each(record.Google, 0, 30, clerk)
	if r := w.held(syncer.TriggerSchedule); len(r.Changes) != 30 || w.text(record.Creatio, "N3") != "Pilot" {
		t.Errorf("30 titles set back: %d wait, N3 is %s", len(r.Changes), w.job("N3"))
	}
}

func TestTitles_that_were_agreed_on_long_ago_are_new(t *testing.T) {
	t.Parallel()
	w := people(t, 40)
	w.each(record.Creatio, 0, 30, pilot)
	w.sync()
	w.pass(31 * 24 * time.Hour)
	w.each(record.Google, 0, 30, clerk)
	w.sync()
	w.agree()
}

func TestApproving_does_what_was_listed_and_counts_nothing(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*row){"departures": leave, "values": retired} {
		w := people(t, 40)
		w.each(record.Creatio, 0, 12, lose)
		held := w.held(syncer.TriggerSchedule)
		out, r := w.run(syncer.TriggerApprove)
		if out.Status != syncer.Done || len(r.Changes) != 12 {
			t.Fatalf("%s: approved, got %+v, %d changes, problems %+v", name, out, len(r.Changes), r.Problems)
		}
		if d := w.kept(); d.HeldRun != "" || d.Status != "ok" || len(d.Losses.Sides[record.Creatio]) > 0 {
			t.Errorf("%s: then %s, %q waits, counted %+v", name, d.Status, d.HeldRun, d.Losses)
		}
		if !slices.EqualFunc(w.stored(held.ID).Changes, held.Changes, func(a, b store.Change) bool { return a.GoogleID == b.GoogleID && a.Waits == b.Waits }) {
			t.Errorf("%s: the held run's list changed", name)
		}
		w.agree()
		w.silent()
	}
}

func TestRejecting_brings_back_what_went_missing(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*row){
		"departures": leave, "titles": retired, "addresses": empty,
		"titles set back": func(r *row) { r.fields.SetText(contact.JobTitle, "Clerk") },
	} {
		for _, s := range record.Sides {
			w := people(t, 40)
			w.each(record.Creatio, 0, 40, pilot)
			w.sync()
			w.pass(lag)
			was := w.sides[s.Other()].scope()
			w.each(s, 0, 12, lose)
			w.held(syncer.TriggerSchedule)
			if out, r := w.run(syncer.TriggerReject); out.Status != syncer.Done || len(r.Changes) != 12 {
				t.Fatalf("%s in %s: rejected, got %+v, %d changes, problems %+v", name, s, out, len(r.Changes), r.Problems)
			}
			if !slices.Equal(w.sides[s].scope(), was) {
				t.Errorf("%s in %s: not everything is back", name, s)
			}
			w.agree()
			w.silent()
		}
	}
}

// A read of what was written a moment ago may trail; that somebody departed was told by a tombstone, and waits.
func TestWhat_was_deleted_a_moment_ago_can_be_decided_about_at_once(t *testing.T) {
	t.Parallel()
	for _, trigger := range []string{syncer.TriggerApprove, syncer.TriggerReject} {
		w := newWorld(t)
		w.sides[record.Creatio].many(4)
		w.sync()
		w.each(record.Google, 0, 4, func(r *row) { r.gone, r.member = true, false })
		w.pass(-time.Minute)
		w.held(syncer.TriggerSchedule)
		w.pass(-time.Minute)
		w.sides[record.Google].unaware = true
		if out, r := w.run(trigger); out.Status != syncer.Done || len(r.Changes) != 4 {
			t.Errorf("%s: got %+v, problems %+v", trigger, out, r.Problems)
		}
		w.agree()
	}
}

func TestAn_approval_is_for_what_the_list_names(t *testing.T) {
	t.Parallel()
	w := people(t, 50)
	w.each(record.Creatio, 0, 12, leave)
	first := w.held(syncer.TriggerSchedule)
	w.each(record.Creatio, 12, 50, leave)
	second := w.held(syncer.TriggerApprove)
	if second.Counts.Google.Unlinked != 12 || w.inScope(record.Google) != 38 {
		t.Errorf("12 were approved, and %d left", second.Counts.Google.Unlinked)
	}
	if waiting, _ := waits(second); waiting != 38 || second.ID == first.ID {
		t.Errorf("38 wait, and %d are listed", waiting)
	}
}

func TestAnother_list_is_another_run(t *testing.T) {
	t.Parallel()
	w := people(t, 50)
	w.each(record.Creatio, 0, 12, leave)
	first := w.held(syncer.TriggerSchedule)
	w.each(record.Creatio, 12, 15, leave)
	longer := w.held(syncer.TriggerSchedule)
	if waiting, _ := waits(longer); waiting != 15 || w.stored(first.ID).Status != "replaced" || len(w.stored(first.ID).Changes) != 12 {
		t.Errorf("longer: %d wait, the former is %s", waiting, w.stored(first.ID).Status)
	}
	for _, c := range longer.Changes {
		if c.Record == "" || len(c.Fields) == 0 || c.Fields[0].Before == "" {
			t.Errorf("the list does not tell of %+v", c)
		}
	}
	w.each(record.Creatio, 3, 15, comeIn)
	shorter := w.held(syncer.TriggerSchedule)
	if waiting, _ := waits(shorter); waiting != 3 || w.stored(longer.ID).Status != "replaced" {
		t.Errorf("shorter: %d wait, the former is %s", waiting, w.stored(longer.ID).Status)
	}
	w.each(record.Creatio, 0, 3, comeIn)
	w.sync()
	if d := w.kept(); w.stored(shorter.ID).Status != "replaced" || d.HeldRun != "" || d.Status != "ok" {
		t.Errorf("nothing waits, and the run is %s, the state %s", w.stored(shorter.ID).Status, d.Status)
	}
	w.agree()
}

func TestThe_decision_about_a_list_that_was_replaced_meanwhile_is_for_that_list(t *testing.T) {
	t.Parallel()
	w := people(t, 50)
	w.each(record.Creatio, 0, 12, leave)
	first := w.held(syncer.TriggerSchedule)
	must(t, w.user.PutRun(t.Context(), store.Run{ID: "20990101-000000-000000-decision", Type: record.Contacts, Trigger: syncer.TriggerApprove, Status: "queued", Decides: first.ID}))
	w.each(record.Creatio, 12, 50, leave)
	w.held(syncer.TriggerSchedule)
	w.pass(time.Minute)
	out, err := w.engine.Run(t.Context(), w.user, syncer.Request{Type: record.Contacts, Run: "20990101-000000-000000-decision", Trigger: syncer.TriggerApprove})
	if err != nil || out.Status != syncer.Held || w.inScope(record.Google) != 38 {
		t.Errorf("got %+v, %v; %d are left in the group", out, err, w.inScope(record.Google))
	}
}

func TestWhat_changed_since_it_was_listed_is_left_out_of_the_approval_and_said_so(t *testing.T) {
	t.Parallel()
	w := people(t, 40)
	w.each(record.Creatio, 0, 12, retired)
	w.held(syncer.TriggerSchedule)
	w.each(record.Creatio, 0, 1, empty)
	w.each(record.Creatio, 1, 2, clerk)
	r := w.held(syncer.TriggerApprove)
	var changed []string
	for _, p := range r.Problems {
		if p.Code == "changed-since" {
			changed = append(changed, p.Record)
		}
	}
	slices.Sort(changed)
	if waiting, made := waits(r); waiting != 1 || made != 10 || !slices.Equal(changed, []string{"N0", "N1"}) {
		t.Errorf("%d wait, %d are done, changed since: %q", waiting, made, changed)
	}
}

// The bound is of a day, however losses come.
func TestLosses_of_many_runs_count_together(t *testing.T) {
	t.Parallel()
	w := people(t, 45)
	w.each(record.Google, 0, 9, leave)
	w.pass(lag)
	w.sync()
	w.each(record.Google, 9, 12, leave)
	w.pass(lag)
	if r := w.held(syncer.TriggerSchedule); len(r.Changes) != 3 {
		t.Errorf("%d wait", len(r.Changes))
	}
	w.each(record.Google, 9, 12, comeIn)
	w.pass(26 * time.Hour)
	w.sync()
	w.each(record.Google, 9, 12, leave)
	w.pass(lag)
	w.sync()
	w.agree()
}

func TestA_record_counts_once_a_day_for_the_side_it_comes_from(t *testing.T) {
	t.Parallel()
	w := people(t, 30)
	for range 4 {
		w.each(record.Creatio, 0, 8, retired)
		w.sync()
		w.each(record.Creatio, 0, 8, clerk)
		w.sync()
	}
	w.agree()
}

func TestWhat_waits_stays_until_somebody_decides(t *testing.T) {
	t.Parallel()
	w := people(t, 45)
	w.each(record.Creatio, 0, 9, leave)
	w.sync()
	w.each(record.Creatio, 9, 12, leave)
	w.held(syncer.TriggerSchedule)
	w.pass(72 * time.Hour)
	w.silent()
	if n := w.inScope(record.Google); n != 36 {
		t.Errorf("%d are left in the group", n)
	}
}

func TestWho_is_the_last_of_two_is_never_held(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2} {
		for _, s := range record.Sides {
			w := people(t, n)
			w.each(s, 0, n, leave)
			w.pass(lag)
			w.sync()
			if got := w.inScope(s.Other()); got != 0 {
				t.Errorf("%d of %d are still in scope", got, n)
			}
			w.silent()
		}
	}
}

func TestA_group_that_is_gone_stays_gone_until_somebody_decides(t *testing.T) {
	t.Parallel()
	w := people(t, 4)
	w.sides[record.Google].drop()
	first := w.held(syncer.TriggerSchedule)
	for range 2 {
		w.silent()
		if !w.sides[record.Google].missing || w.kept().HeldRun != first.ID {
			t.Fatal("the group was made again, or another run waits")
		}
	}
	w.setJob(record.Creatio, "N1", "Pilot")
	w.silent()
}

func TestA_person_who_asks_has_what_waits_looked_at_again(t *testing.T) {
	t.Parallel()
	w := people(t, 40)
	w.each(record.Creatio, 0, 12, leave)
	held := w.held(syncer.TriggerSchedule)
	if out, _ := w.run(syncer.TriggerUser); out.Status != syncer.Done || w.kept().HeldRun != held.ID {
		t.Errorf("got %+v, %s waits", out, w.kept().HeldRun)
	}
}

func TestA_preview_tells_what_would_wait(t *testing.T) {
	t.Parallel()
	w := people(t, 40)
	w.each(record.Creatio, 0, 12, leave)
	w.setJob(record.Creatio, "N20", "Pilot")
	_, r := w.run(syncer.TriggerPreview)
	if waiting, made := waits(r); waiting != 12 || made != 1 || r.Counts.Google.Unlinked != 0 || r.Counts.Google.Updated != 1 {
		t.Errorf("%d would wait, %d be done; counts %+v", waiting, made, r.Counts)
	}
	if d := w.kept(); d.HeldRun != "" || d.Status != "ok" {
		t.Errorf("a preview leaves %s, %q", d.Status, d.HeldRun)
	}
}

func TestUndoing_a_held_run_puts_back_what_it_did(t *testing.T) {
	t.Parallel()
	w := people(t, 40)
	w.each(record.Creatio, 0, 12, leave)
	w.setJob(record.Google, "N20", "Pilot")
	held := w.held(syncer.TriggerSchedule)
	w.undo(held)
	if w.job("N20") != "Clerk / Clerk" || w.inScope(record.Google) != 40 || w.kept().HeldRun != held.ID {
		t.Errorf("N20 is %s, %d are in the group", w.job("N20"), w.inScope(record.Google))
	}
	w.silent()
}

// What was approved stays approved although it cannot be carried out at once.
func TestAn_approval_outlives_a_record_that_cannot_be_written(t *testing.T) {
	t.Parallel()
	w := people(t, 40)
	w.each(record.Creatio, 0, 12, leave)
	w.held(syncer.TriggerSchedule)
	stuck := w.sides[record.Google].id("N3")
	w.sides[record.Google].refuse = func(op record.Operation) error {
		if op.ID == stuck {
			return badRecord
		}
		return nil
	}
	if out, _ := w.run(syncer.TriggerApprove); out.Status != syncer.Partial || w.inScope(record.Google) != 29 {
		t.Fatalf("got %+v, %d are left in the group", out, w.inScope(record.Google))
	}
	w.sides[record.Google].refuse = nil
	w.pass(24 * time.Hour)
	w.sync()
	w.agree()
	w.silent()
}

// Every call fails once while losses wait; nothing that waits is carried out, and the same waits in the end.
func TestInterrupted_anywhere_what_waits_goes_on_waiting(t *testing.T) {
	t.Parallel()
	for _, late := range []bool{false, true} {
		for n := 1; ; n++ {
			w := people(t, 16)
			w.each(record.Creatio, 0, 7, retired)
			w.each(record.Creatio, 7, 12, leave)
			w.setJob(record.Google, "N14", "Pilot")
			calls := failing(w, n, late)
			w.run(syncer.TriggerSchedule)
			if *calls < n {
				break
			}
			w.before, w.after = nil, nil
			w.run(syncer.TriggerSchedule)
			w.silent()
			if r := w.stored(w.kept().HeldRun); w.inScope(record.Google) != 16 || w.text(record.Google, "N2") != "Clerk" || w.text(record.Creatio, "N14") != "Pilot" {
				t.Fatalf("call %d fails, late %v: %d in the group, N2 %s, N14 %s; %s", n, late, w.inScope(record.Google), w.job("N2"), w.job("N14"), r.Status)
			}
		}
	}
}

// However losses are spread over the runs of a day, whatever fails, no more is carried out than the bound.
func TestAny_day_takes_no_more_away_than_the_bound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		w.t = rt
		const all = 30
		w.sides[record.Creatio].many(all)
		w.sync()
		left := map[int]bool{}
		for range rapid.IntRange(1, 6).Draw(rt, "rounds") {
			const s = record.Creatio
			for _, i := range rapid.SliceOfN(rapid.IntRange(0, all-1), 0, 9).Draw(rt, "who") {
				if !left[i] && rapid.IntRange(0, 3).Draw(rt, "leaves") > 0 {
					left[i] = true
					w.each(s, i, i+1, leave)
				} else if !left[i] {
					w.each(s, i, i+1, empty)
				}
			}
			if n := rapid.IntRange(0, 25).Draw(rt, "fails"); n > 0 {
				w.before = func(string) error {
					if n--; n == 0 {
						return errDied
					}
					return nil
				}
			}
			w.pass(time.Duration(rapid.IntRange(0, 200).Draw(rt, "minutes")) * time.Minute)
			w.run(syncer.TriggerSchedule)
			w.before = nil
		}
		w.run(syncer.TriggerSchedule)
		lost := 0
		for _, r := range w.sides[record.Google].rows {
			if !r.member || len(r.fields[contact.Emails]) == 0 {
				lost++
			}
		}
		if lost > 10 {
			rt.Fatalf("%d lost something within a day, and nobody approved that", lost)
		}
	})
}
