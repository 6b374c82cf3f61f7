package syncer_test

import (
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
)

func TestAn_edit_arrives_on_the_other_side_and_nothing_else_changes(t *testing.T) {
	t.Parallel()
	for _, side := range record.Sides {
		w := newWorld(t)
		w.sides[side].many(10)
		w.sync()
		w.sides[side].edit(w.sides[side].id("N3"), func(r *row) { r.fields.SetText(contact.JobTitle, "Pilot") })
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
	for side, field := range map[record.Side]string{record.Creatio: contact.JobTitle, record.Google: contact.Department} {
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
		for name, leave := range leaving {
			w := newWorld(t)
			w.sides[side].many(8)
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

func TestOne_bad_record_is_reported_and_stops_nobody_else(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sides[record.Creatio].many(10)
	w.sides[record.Google].refuse = func(op record.Operation) error {
		if op.After.Text(contact.GivenName) == "N3" {
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
