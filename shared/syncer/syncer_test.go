package syncer_test

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/bolt"
	"github.com/tandem-sync/tandem/shared/syncer"
)

func TestA_first_run_pairs_what_is_on_both_sides_and_creates_the_rest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, g := w.sides[record.Creatio], w.sides[record.Google]
	c.add("Ada", "ada@example.com")
	c.add("Bo", "bo@example.com")
	g.add("Ada", "ADA@example.com")
	g.add("Cy", "cy@example.com")
	r := w.sync()
	if r.Counts.Matched != 1 || r.Counts.Google.Created != 1 || r.Counts.Creatio.Created != 1 {
		t.Errorf("got counts %+v", r.Counts)
	}
	if n := len(c.scope()); n != 3 || len(g.scope()) != 3 {
		t.Errorf("got %q and %q", c.scope(), g.scope())
	}
	w.silent()
}

func TestAn_edit_arrives_on_the_other_side_and_nothing_else_changes(t *testing.T) {
	t.Parallel()
	for _, side := range record.Sides {
		w := newWorld(t)
		for i := range 10 {
			w.sides[side].add(fmt.Sprintf("N%d", i), fmt.Sprintf("n%d@example.com", i))
		}
		w.sync()
		w.sides[side].edit(w.sides[side].id("N3"), func(r *row) { r.fields.SetText(record.JobTitle, "Pilot") })
		before := w.writes()
		r := w.sync()
		if w.writes()-before != 1 || len(r.Changes) != 1 || r.Changes[0].Side != side.Other() || r.Changes[0].Fields[0].After != "Pilot" {
			t.Errorf("an edit in %s led to %+v", side, r.Changes)
		}
		w.agree()
		w.silent()
	}
}

func TestDifferent_fields_of_one_record_edited_on_both_sides_both_arrive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sides[record.Creatio].add("Ada", "ada@example.com")
	w.sync()
	for side, field := range map[record.Side]string{record.Creatio: record.JobTitle, record.Google: record.Department} {
		w.sides[side].edit(w.sides[side].id("Ada"), func(r *row) { r.fields.SetText(field, "new in "+string(side)) })
	}
	if r := w.sync(); r.Counts.Conflicts != 0 || r.Counts.Creatio.Updated != 1 || r.Counts.Google.Updated != 1 {
		t.Errorf("got counts %+v", r.Counts)
	}
	w.agree()
	w.silent()
}

func TestLeaving_the_scope_on_one_side_leaves_it_on_the_other_and_coming_back_comes_back(t *testing.T) {
	t.Parallel()
	for _, side := range record.Sides {
		for name, leave := range map[string]func(*row){
			"out of scope": func(r *row) { r.member = false },
			"deleted":      func(r *row) { r.gone = true },
		} {
			w := newWorld(t)
			for i := range 8 {
				w.sides[side].add(fmt.Sprintf("N%d", i), fmt.Sprintf("n%d@example.com", i))
			}
			w.sync()
			id := w.sides[side].id("N3")
			w.sides[side].edit(id, leave)
			r := w.sync()
			if len(r.Changes) != 1 || r.Changes[0].Action != "unlink" || r.Changes[0].Side != side.Other() {
				t.Errorf("%s in %s led to %+v", name, side, r.Changes)
			}
			if len(w.sides[side.Other()].scope()) != 7 {
				t.Errorf("%s in %s: the other side still has it", name, side)
			}
			w.silent()
			w.sides[side].edit(id, func(r *row) { r.member, r.gone = true, false })
			w.sync()
			w.agree()
			if len(w.sides[side.Other()].rows) != 8 {
				t.Errorf("%s in %s and back: the other side has %d records", name, side, len(w.sides[side.Other()].rows))
			}
			w.silent()
		}
	}
}

func TestA_side_that_shows_nothing_any_more_holds_the_run(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 4 {
		w.sides[record.Creatio].add(fmt.Sprintf("N%d", i), "")
	}
	w.sync()
	w.sides[record.Google].drop()
	before := w.writes()
	out, r := w.run(syncer.TriggerSchedule)
	if out.Status != syncer.Held || r.Status != "held" || len(r.Changes) != 4 || w.writes() != before {
		t.Fatalf("got %+v, run %+v", out, r)
	}
	again, _ := w.run(syncer.TriggerSchedule)
	if again.Run != out.Run {
		t.Errorf("what waits goes by two names: %s and %s", out.Run, again.Run)
	}
	doc, err := w.user.Sync(t.Context(), record.Contacts)
	must(t, err)
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

func TestWhat_is_made_again_is_counted_once(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	google := w.sides[record.Google]
	w.sides[record.Creatio].add("Ada", "")
	w.sides[record.Creatio].add("Grace", "")
	w.sync()
	for _, name := range []string{"Ada", "Grace"} {
		google.edit(google.id(name), func(r *row) { r.gone, r.member = true, false })
	}
	if out, _ := w.run(syncer.TriggerSchedule); out.Status != syncer.Held {
		t.Fatalf("both were deleted: got %+v", out)
	}
	if out, _ := w.run(syncer.TriggerReject); out.Status != syncer.Done {
		t.Fatalf("rejected: got %+v", out)
	}
	d, err := w.user.Sync(t.Context(), record.Contacts)
	must(t, err)
	if d.Members != 2 {
		t.Errorf("two are in scope, and %d are counted", d.Members)
	}
	w.agree()
	w.silent()
}

func TestApproving_does_what_was_held(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 4 {
		w.sides[record.Creatio].add(fmt.Sprintf("N%d", i), "")
	}
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

func TestA_preview_tells_what_a_run_would_do_and_writes_nothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sides[record.Creatio].add("Ada", "")
	out, r := w.run(syncer.TriggerPreview)
	if out.Status != syncer.Preview || r.Counts.Google.Created != 1 || w.writes() != 0 {
		t.Errorf("got %+v with counts %+v and %d writes", out, r.Counts, w.writes())
	}
	if len(r.Changes) != 1 || r.Changes[0].Action != "create" || r.Changes[0].Record != "Ada" {
		t.Errorf("the preview lists %+v", r.Changes)
	}
	for l, err := range w.user.Links(t.Context(), record.Contacts) {
		t.Errorf("a preview left link %+v, %v", l, err)
	}
	if r := w.sync(); r.Counts.Google.Created != 1 {
		t.Errorf("the run after it did %+v", r.Counts)
	}
}

func TestOne_bad_record_is_reported_and_stops_nobody_else(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 10 {
		w.sides[record.Creatio].add(fmt.Sprintf("N%d", i), "")
	}
	w.sides[record.Google].refuse = func(op record.Operation) error {
		if op.After.Text(record.GivenName) == "N3" {
			return fault.New(fault.BadRecord, "google", "too-long", nil)
		}
		return nil
	}
	out, r := w.run(syncer.TriggerSchedule)
	if out.Status != syncer.Partial || r.Counts.Google.Created != 9 || r.Counts.Failed != 1 || len(r.Problems) != 1 || r.Problems[0].Record != "N3" {
		t.Fatalf("got %+v with %+v and %+v", out, r.Counts, r.Problems)
	}
	if out, r := w.run(syncer.TriggerSchedule); out.Status != syncer.Partial || r.Counts.Failed != 0 {
		t.Errorf("at once again: got %+v with %+v", out, r.Counts)
	}
	w.sides[record.Google].refuse = nil
	w.pass(time.Hour)
	if out, r := w.run(syncer.TriggerSchedule); out.Status != syncer.Done || r.Counts.Google.Created != 1 {
		t.Errorf("mended: got %+v with %+v", out, r.Counts)
	}
	w.agree()
	w.silent()
}

func TestWho_fits_two_records_is_linked_to_none_and_reported(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, g := w.sides[record.Creatio], w.sides[record.Google]
	c.add("Ada", "family@example.com")
	g.add("Ada", "family@example.com")
	second := g.add("Ada", "family@example.com")
	out, r := w.run(syncer.TriggerSchedule)
	if out.Status != syncer.Partial || w.writes() != 0 || len(r.Problems) != 3 {
		t.Fatalf("got %+v, %d writes, problems %+v", out, w.writes(), r.Problems)
	}
	g.edit(second, func(r *row) {
		r.fields[record.Emails] = []record.Entry{{Kind: "work", Text: "other@example.com"}}
		r.fields.SetText(record.GivenName, "Bo")
	})
	w.run(syncer.TriggerUser)
	w.agree()
	if len(c.rows) != 2 || len(g.rows) != 2 {
		t.Errorf("creatio has %d records, google %d", len(c.rows), len(g.rows))
	}
	w.silent()
}

func TestRecords_that_were_made_from_each_other_find_each_other_again_when_all_links_are_lost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sides[record.Creatio].add("Ada", "")
	w.sides[record.Google].add("Grace", "")
	w.sync()
	w.agree()
	other, err := bolt.Open(filepath.Join(t.TempDir(), "empty.db"))
	must(t, err)
	t.Cleanup(func() { _ = other.Close() })
	w.move(other)
	r := w.sync()
	if r.Counts.Matched != 2 || r.Counts.Creatio.Created+r.Counts.Google.Created != 0 {
		t.Errorf("after the loss: got %+v", r.Counts)
	}
	w.agree()
	w.silent()
}

func TestOf_two_records_that_were_merged_only_one_stays_in_scope(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sides[record.Creatio].add("Ada", "ada@example.com")
	w.sides[record.Creatio].add("Augusta", "augusta@example.com")
	w.sync()
	google := w.sides[record.Google]
	into, from := google.id("Ada"), google.id("Augusta")
	google.edit(from, func(r *row) { r.gone = true })
	google.edit(into, func(r *row) { r.former = append(r.former, from) })
	r := w.sync()
	if r.Counts.Creatio.Unlinked != 1 || r.Counts.Creatio.Created+r.Counts.Google.Created != 0 {
		t.Errorf("got %+v", r.Counts)
	}
	w.agree()
	w.silent()
	w.sides[record.Creatio].edit(w.sides[record.Creatio].id("Augusta"), func(r *row) { r.member = true })
	if r := w.sync(); r.Counts.Google.Created != 1 {
		t.Errorf("in scope again: got %+v", r.Counts)
	}
	w.agree()
	w.silent()
}

func TestAn_expired_cursor_reads_everything_and_finds_nothing_to_do(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sides[record.Creatio].add("Ada", "")
	w.sync()
	w.sides[record.Google].forgetful = true
	w.silent()
}

func TestA_run_that_cannot_begin_says_why(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		profile func(*store.Profile)
		sync    func(*store.Sync)
		status  syncer.Status
		reason  string
	}{
		"not linked":    {profile: func(p *store.Profile) { p.Creatio.Linked = false }, status: syncer.Skipped, reason: "not-linked"},
		"scope missing": {profile: func(p *store.Profile) { p.Google.Scopes = []string{"calendar"} }, status: syncer.Skipped, reason: "scope-missing"},
		"no tag":        {sync: func(d *store.Sync) { d.Settings.TagID = "" }, status: syncer.Skipped, reason: "no-tag"},
		"reconnect":     {profile: func(p *store.Profile) { p.Google.Reconnect = true }, status: syncer.Reconnect},
	} {
		w := newWorld(t)
		must(t, w.user.UpdateProfile(t.Context(), func(p *store.Profile) error {
			if tc.profile != nil {
				tc.profile(p)
			}
			return nil
		}))
		must(t, w.user.UpdateSync(t.Context(), record.Contacts, func(d *store.Sync) error {
			if tc.sync != nil {
				tc.sync(d)
			}
			return nil
		}))
		out, _ := w.run(syncer.TriggerSchedule)
		if out.Status != tc.status || out.Reason != tc.reason {
			t.Errorf("%s: got %+v", name, out)
		}
	}
	w := newWorld(t)
	out, err := w.engine.Run(t.Context(), w.store.User("nobody"), syncer.Request{Type: record.Contacts})
	if err != nil || out.Reason != "unknown-user" {
		t.Errorf("unknown user: got %+v, %v", out, err)
	}
	w.sync()
	w.sides[record.Creatio].missing = true
	if out, _ := w.run(syncer.TriggerSchedule); out.Reason != "tag-missing" {
		t.Errorf("tag missing: got %+v", out)
	}
}

func TestA_second_run_at_the_same_time_is_kept_away(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, _, err := w.user.Acquire(t.Context(), record.Contacts, "other", w.now(), 5*time.Minute)
	must(t, err)
	out, err := w.engine.Run(t.Context(), w.user, syncer.Request{Type: record.Contacts})
	if err != nil || out.Reason != "lease" {
		t.Errorf("got %+v, %v", out, err)
	}
}

func TestA_run_stops_before_its_time_is_over_and_the_next_one_goes_on(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.engine.Margin = time.Hour
	for i := range 4 {
		w.sides[record.Creatio].add(fmt.Sprintf("N%d", i), "")
	}
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(24*time.Hour))
	defer cancel()
	deadline, _ := ctx.Deadline()
	w.clock = deadline.Add(-time.Hour - 10*time.Millisecond)
	out, err := w.engine.Run(ctx, w.user, syncer.Request{Type: record.Contacts})
	if out.Status != syncer.Continued || err != nil {
		t.Fatalf("got %+v, %v", out, err)
	}
	w.sync()
	w.agree()
	w.silent()
}

func TestA_first_run_finishes_in_pieces_and_writes_nothing_twice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.engine.Chunk = 50
	const many = 400
	for i := range many {
		w.sides[record.Creatio].add(fmt.Sprintf("N%d", i), fmt.Sprintf("n%d@example.com", i))
	}
	w.after = func(call string) error {
		if call == "google apply" {
			w.pass(100 * time.Millisecond)
		}
		return nil
	}
	pieces := 0
	for status := syncer.Continued; status == syncer.Continued; pieces++ {
		ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(24*time.Hour))
		deadline, _ := ctx.Deadline()
		w.mu.Lock()
		w.clock = deadline.Add(-32 * time.Second)
		w.mu.Unlock()
		was := w.sides[record.Google].written
		out, _ := w.engine.Run(ctx, w.user, syncer.Request{Type: record.Contacts, Trigger: syncer.TriggerSchedule})
		cancel()
		status = out.Status
		done := w.sides[record.Google].written - was
		if pieces > many/50 || status == syncer.Continued && (done < 50 || done%50 != 0) {
			t.Fatalf("piece %d wrote %d and ended %s", pieces, done, status)
		}
	}
	if got := w.sides[record.Google].written; pieces < 3 || got != many {
		t.Errorf("%d contacts came in %d pieces with %d writes", many, pieces, got)
	}
	w.after = nil
	w.agree()
	w.silent()
}

func TestAn_outcome_tells_what_this_attempt_did_and_how_long_it_was_waited_for(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.engine.Chunk = 1
	for i := range 3 {
		w.sides[record.Creatio].add(fmt.Sprintf("N%d", i), fmt.Sprintf("n%d@example.com", i))
	}
	promised := syncer.NewRunID(w.now())
	must(t, w.user.PutRun(t.Context(), store.Run{ID: promised, Type: record.Contacts, Trigger: syncer.TriggerUser, Status: "queued"}))
	applied := 0
	w.after = func(call string) error {
		if call == "google apply" {
			if applied++; applied == 2 {
				return errDied
			}
		}
		return nil
	}
	attempt := func() syncer.Outcome {
		w.pass(time.Minute)
		out, _ := w.engine.Run(t.Context(), w.user, syncer.Request{Type: record.Contacts, Run: promised, Trigger: syncer.TriggerUser})
		return out
	}
	first, second := attempt(), attempt()
	kept, err := w.user.Run(t.Context(), promised)
	must(t, err)
	if first.Status != syncer.Retry || second.Status != syncer.Done || kept.Counts.Google.Created != 2 {
		t.Fatalf("got %+v, then %+v, which is kept as %+v", first, second, kept.Counts)
	}
	// The one whose answer was lost is found by the second attempt, and not made again.
	if a, b := first.Counts.Google.Created, second.Counts.Google.Created; a != 1 || b != 1 || second.Counts.Matched != 1 {
		t.Errorf("the attempts created %d and %d, want one each", a, b)
	}
	if first.Waited.Truncate(time.Second) != time.Minute || second.Waited.Truncate(time.Second) != 2*time.Minute || !second.LastSync.IsZero() {
		t.Errorf("got %+v, then %+v", first, second)
	}
	if next, _ := w.run(syncer.TriggerSchedule); next.LastSync.IsZero() || next.Counts.Google.Created != 0 {
		t.Errorf("the run after it says %+v", next)
	}
}

// A tag that comes off leaves no trace in Creatio, and the set of those under it may be the one of before the run that put
// it on and was cut off.
func TestWhat_a_cut_off_run_moved_and_a_person_moved_back_is_noticed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.engine.Chunk = 1
	creatio, google := w.sides[record.Creatio], w.sides[record.Google]
	creatio.add("Ada", "ada@example.com")
	w.sync()
	google.add("Bo", "bo@example.com")
	google.add("Cy", "cy@example.com")
	applied := 0
	w.after = func(call string) error {
		if call == "creatio apply" {
			if applied++; applied == 2 {
				return errDied
			}
		}
		return nil
	}
	if out, _ := w.run(syncer.TriggerSchedule); out.Status != syncer.Retry {
		t.Fatalf("the run ended %+v", out)
	}
	w.after = nil
	for _, r := range creatio.rows {
		if r.fields.Text(record.GivenName) != "Ada" {
			r.member, r.index = false, 0
		}
	}
	creatio.unaware = true
	w.pass(time.Hour)
	w.sync()
	creatio.unaware = false
	w.silent()
	w.agree()
	// Cy, of whom nobody knew whether the run had put the tag on, has it again.
	if got := len(google.scope()); got != 2 {
		t.Errorf("in Google's group are %q", google.scope())
	}
}

// Every call of a run fails once, before and after it took effect; the runs after it come to the same end as without.
func TestInterrupted_anywhere_the_next_runs_come_to_the_same_end(t *testing.T) {
	t.Parallel()
	for _, late := range []bool{false, true} {
		for n := 1; ; n++ {
			w := newWorld(t)
			scene(w)
			calls := 0
			fail := func(string) error {
				if calls++; calls == n {
					return errDied
				}
				return nil
			}
			if late {
				w.after = fail
			} else {
				w.before = fail
			}
			w.run(syncer.TriggerSchedule)
			if calls < n {
				break
			}
			w.before, w.after = nil, nil
			t.Logf("call %d fails, late %v", n, late)
			settle(w)
		}
	}
}

// scene is a world in which a run has something of everything to do.
func scene(w *world) {
	c, g := w.sides[record.Creatio], w.sides[record.Google]
	for i := range 12 {
		c.add(fmt.Sprintf("C%d", i), fmt.Sprintf("c%d@example.com", i))
	}
	g.add("G0", "c0@example.com")
	g.edit(g.id("G0"), func(r *row) { r.fields.SetText(record.GivenName, "C0") })
	w.sync()
	for i := range 4 {
		g.add(fmt.Sprintf("G%d", i), fmt.Sprintf("g%d@example.com", i))
		c.add(fmt.Sprintf("D%d", i), fmt.Sprintf("d%d@example.com", i))
	}
	c.edit(c.id("C1"), func(r *row) { r.fields.SetText(record.JobTitle, "Pilot") })
	g.edit(g.id("C1"), func(r *row) { r.fields.SetText(record.Department, "Air") })
	c.edit(c.id("C2"), func(r *row) { r.member = false })
	g.edit(g.id("C3"), func(r *row) { r.gone = true })
}

// settle lets the world come to rest and looks at it.
func settle(w *world) {
	w.t.Helper()
	for range 4 {
		w.pass(time.Hour)
		w.run(syncer.TriggerSchedule)
	}
	w.agree()
	for l, err := range w.user.Links(context.Background(), record.Contacts) {
		if err != nil || l.Unfinished() {
			w.t.Fatalf("left unfinished: %+v, %v", l, err)
		}
	}
	for _, h := range w.sides {
		seen := map[string]bool{}
		for _, text := range h.scope() {
			if seen[text] {
				w.t.Fatalf("%s has twice %s", h.side, text)
			}
			seen[text] = true
		}
		if len(seen) != 18 {
			w.t.Fatalf("%s has %d in scope: %q", h.side, len(seen), h.scope())
		}
	}
	w.silent()
}

// People edit on both sides, calls fail, and in the end both sides agree and nobody is there twice.
func TestAny_world_comes_to_rest_in_agreement(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		w.t = rt
		log := func(f string, a ...any) { rt.Logf(f, a...) }
		names := 0
		for range rapid.IntRange(1, 5).Draw(rt, "rounds") {
			for range rapid.IntRange(0, 6).Draw(rt, "edits") {
				h := w.sides[rapid.SampledFrom(record.Sides[:]).Draw(rt, "side")]
				var ids []string
				for _, id := range slices.Sorted(maps.Keys(h.rows)) {
					if !h.rows[id].gone {
						ids = append(ids, id)
					}
				}
				kind := rapid.IntRange(0, 5).Draw(rt, "kind")
				if len(ids) == 0 || kind == 0 {
					names++
					log("%s adds P%d", h.side, names)
					h.add(fmt.Sprintf("P%d", names), fmt.Sprintf("p%d@example.com", names))
					continue
				}
				id := ids[rapid.IntRange(0, len(ids)-1).Draw(rt, "id")]
				names++
				log("%s edits %s, kind %d", h.side, id, kind)
				h.edit(id, func(r *row) {
					switch kind {
					case 1:
						r.member = !r.member
					case 2:
						r.fields[record.Phones] = append(r.fields[record.Phones], record.Entry{Kind: "work", Text: fmt.Sprintf("+1 202 555 %04d", names)})
					case 3:
						r.fields[record.Phones] = nil
					default:
						r.fields.SetText(record.JobTitle, fmt.Sprint("job", names))
					}
				})
			}
			if n := rapid.IntRange(0, 30).Draw(rt, "fails"); n > 0 {
				w.before = func(string) error {
					if n--; n == 0 {
						return errDied
					}
					return nil
				}
			}
			out, _ := w.run(syncer.TriggerApprove)
			log("run ends %s", out.Status)
			w.before = nil
		}
		for range 3 {
			w.pass(time.Hour)
			w.run(syncer.TriggerApprove)
		}
		w.agree()
		w.silent()
	})
}
