package syncer_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// ask promises the undo of a run, as a page does, and gives its id.
func (w *world) askUndo(what store.Undo) string {
	w.t.Helper()
	w.pass(time.Minute)
	id := syncer.NewRunID(w.now())
	r := store.Run{ID: id, Type: record.Contacts, Trigger: syncer.TriggerUndo, Status: "queued", Undoes: &what}
	if err := w.user.PutRun(context.Background(), r); err != nil {
		w.t.Fatal(err)
	}
	return id
}

// attempt makes a promised undo, or another attempt at it.
func (w *world) attempt(ctx context.Context, id string) (syncer.Outcome, store.Run) {
	w.t.Helper()
	out, _ := w.engine.Run(ctx, w.user, syncer.Request{Type: record.Contacts, Run: id, Trigger: syncer.TriggerUndo})
	r, err := w.user.Run(context.Background(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return out, r
}

// undo puts a run back, and that must do its work.
func (w *world) undo(run store.Run, only ...store.Undo) store.Run {
	w.t.Helper()
	what := store.Undo{Run: run.ID}
	if len(only) > 0 {
		what = only[0]
		what.Run = run.ID
	}
	out, r := w.attempt(context.Background(), w.askUndo(what))
	if out.Status != syncer.Done {
		w.t.Fatalf("undo ended %+v with problems %+v", out, r.Problems)
	}
	return r
}

func codes(r store.Run) string {
	var out []string
	for _, p := range r.Problems {
		out = append(out, p.Record+" "+p.Code)
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func TestUndoing_an_edit_brings_the_old_value_back_on_both_sides(t *testing.T) {
	t.Parallel()
	for _, side := range record.Sides {
		w := team(t, "Ada", "Bo")
		w.setJob(side, "Ada", "Pilot")
		r := w.sync()
		wantJob(t, w, "Ada", "Pilot / Pilot")

		u := w.undo(r)
		wantJob(t, w, "Ada", "Clerk / Clerk")
		if u.Counts.Creatio.Updated != 1 || u.Counts.Google.Updated != 1 || len(u.Problems) > 0 {
			t.Errorf("edit in %s: the undo counts %+v with %+v", side, u.Counts, u.Problems)
		}
		if c := u.Changes[0].Fields[0]; c.Before != "Pilot" || c.After != "Clerk" || c.Rule != "undo" {
			t.Errorf("edit in %s: history says %+v", side, c)
		}
		w.silent()

		writes := w.writes()
		if twice := w.undo(r); len(twice.Changes)+len(twice.Problems) > 0 || w.writes() != writes {
			t.Errorf("edit in %s: undone twice: %+v %+v", side, twice.Changes, twice.Problems)
		}
		w.undo(u)
		wantJob(t, w, "Ada", "Pilot / Pilot")
		w.silent()
		w.agree()
	}
}

func TestUndoing_a_conflict_brings_the_loser_back_on_both_sides(t *testing.T) {
	t.Parallel()
	w := team(t, "Ada")
	w.setJob(record.Creatio, "Ada", "Pilot")
	w.setJob(record.Google, "Ada", "Captain")
	r := w.sync()
	wantJob(t, w, "Ada", "Captain / Captain")
	u := w.undo(r)
	wantJob(t, w, "Ada", "Pilot / Pilot")
	w.silent()
	w.undo(u)
	wantJob(t, w, "Ada", "Captain / Captain")
	w.silent()
}

func TestUndo_of_a_set_goes_value_by_value(t *testing.T) {
	t.Parallel()
	w := team(t, "Ada")
	phone := func(s record.Side, n string) {
		w.sides[s].edit(w.sides[s].id("Ada"), func(r *row) {
			r.fields[contact.Phones] = append(slices.Clone(r.fields[contact.Phones]), record.Entry{Kind: "work", Text: n})
		})
	}
	phone(record.Creatio, "+1 202 555 0101")
	w.sync()
	phone(record.Google, "+1 202 555 0102")
	r := w.sync()
	phone(record.Google, "+1 202 555 0103")
	w.sync()
	u := w.undo(r)
	for _, h := range w.sides {
		if got := fmt.Sprint(h.rows[h.id("Ada")].fields[contact.Phones]); strings.Contains(got, "0102") || !strings.Contains(got, "0101") || !strings.Contains(got, "0103") {
			t.Errorf("%s has %s", h.side, got)
		}
	}
	if len(u.Problems) > 0 {
		t.Errorf("the undo reports %+v", u.Problems)
	}
	w.silent()
	w.agree()
}

func TestWhat_was_changed_since_is_left_and_reported(t *testing.T) {
	t.Parallel()
	for name, meanwhile := range map[string]func(*world){
		"and synchronized": func(w *world) { w.setJob(record.Creatio, "Ada", "Captain"); w.sync() },
		"in Creatio":       func(w *world) { w.setJob(record.Creatio, "Ada", "Captain") },
		"in Google":        func(w *world) { w.setJob(record.Google, "Ada", "Captain") },
	} {
		w := team(t, "Ada", "Bo")
		w.setJob(record.Google, "Ada", "Pilot")
		w.setJob(record.Google, "Bo", "Pilot")
		r := w.sync()
		meanwhile(w)
		u := w.undo(r)
		if got := codes(u); got != "Ada changed-since" {
			t.Errorf("changed %s: reported %q", name, got)
		}
		if p := u.Problems[0]; p.CreatioID == "" || !strings.Contains(p.Message, "Job title") || p.Action == "" {
			t.Errorf("changed %s: the user reads %+v", name, p)
		}
		wantJob(t, w, "Bo", "Clerk / Clerk")
		w.sync()
		wantJob(t, w, "Ada", "Captain / Captain")
		w.silent()
	}
}

func TestUndoing_a_creation_takes_the_copy_out_of_scope_and_leaves_the_original(t *testing.T) {
	t.Parallel()
	for _, side := range record.Sides {
		w := team(t, "Ada")
		from, to := w.sides[side], w.sides[side.Other()]
		id := from.add("Bo", "bo@example.com")
		r := w.sync()
		u := w.undo(r)
		copied := to.rows[to.id("Bo")]
		if copied.member || copied.gone || !from.rows[id].member {
			t.Fatalf("from %s: the copy is %+v, the original %+v", side, copied, from.rows[id])
		}
		if c := u.Changes; len(c) != 1 || c[0].Action != "unlink" || c[0].Side != side.Other() || c[0].Fields[0].Rule != "undo" {
			t.Errorf("from %s: history says %+v", side, c)
		}
		w.silent()
		// It stays so although the original is edited, the copy is deleted, or others come and go.
		from.edit(id, func(r *row) { r.fields.SetText(contact.JobTitle, "Pilot") })
		from.add("Cy", "")
		w.sync()
		w.silent()
		if twice := w.undo(r); len(twice.Changes)+len(twice.Problems) > 0 || to.rows[to.id("Bo")].member {
			t.Errorf("from %s: undone twice: %+v", side, twice)
		}
		w.undo(u)
		w.sync()
		w.agree()
		if len(to.scope()) != 3 {
			t.Errorf("from %s: the undo was undone, and in scope are %q", side, to.scope())
		}
		w.silent()
	}
}

func TestWhat_an_undo_parted_comes_together_when_a_person_says_so(t *testing.T) {
	t.Parallel()
	for name, again := range map[string]func(*world, *half, *half){
		"the copy is selected": func(w *world, _, to *half) {
			to.edit(to.id("Bo"), func(r *row) { r.member = true })
		},
		"the original is deselected and selected again": func(w *world, from, _ *half) {
			from.edit(from.id("Bo"), func(r *row) { r.member = false })
			w.sync()
			w.silent()
			from.edit(from.id("Bo"), func(r *row) { r.member = true })
		},
		"the original is deselected without a trace, and selected again": func(w *world, from, _ *half) {
			from.rows[from.id("Bo")].member = false
			w.silent()
			from.rows[from.id("Bo")].member = true
			w.pass(lag)
		},
	} {
		for _, side := range record.Sides {
			w := team(t, "Ada")
			from, to := w.sides[side], w.sides[side.Other()]
			from.add("Bo", "bo@example.com")
			w.undo(w.sync())
			to.edit(to.id("Bo"), func(r *row) { r.fields.SetText(contact.Department, "Air") })
			w.sync()
			again(w, from, to)
			w.sync()
			w.agree()
			if len(to.scope()) != 2 || len(to.rows) != 2 || from.rows[from.id("Bo")].fields.Text(contact.Department) != "Air" {
				t.Errorf("%s (%s): in scope are %q of %d", name, side, to.scope(), len(to.rows))
			}
			w.silent()
		}
	}
}

func TestA_deleted_copy_of_an_undone_creation_is_not_made_again(t *testing.T) {
	t.Parallel()
	for _, side := range record.Sides {
		w := team(t, "Ada")
		from, to := w.sides[side], w.sides[side.Other()]
		from.add("Bo", "bo@example.com")
		w.undo(w.sync())
		to.edit(to.id("Bo"), func(r *row) { r.gone = true })
		w.silent()
		w.silent()
	}
}

func TestUndoing_a_deselection_selects_the_contact_on_both_sides_again(t *testing.T) {
	t.Parallel()
	for _, side := range record.Sides {
		for name, leave := range leaving {
			w := team(t, "Ada", "Bo")
			h := w.sides[side]
			h.edit(h.id("Bo"), leave)
			r := w.sync()
			u := w.undo(r)
			if len(u.Problems) > 0 {
				t.Errorf("%s in %s: %+v", name, side, u.Problems)
			}
			w.agree()
			if len(h.scope()) != 2 {
				t.Errorf("%s in %s: in scope are %q", name, side, h.scope())
			}
			w.silent()
			w.undo(u)
			if c, g := w.sides[record.Creatio].scope(), w.sides[record.Google].scope(); len(c) != 1 || len(g) != 1 {
				t.Errorf("%s in %s, undone, and that undone: in scope are %q and %q", name, side, c, g)
			}
			w.silent()
		}
	}
}

// Two records that are matched have agreed on nothing before: each gets its own content back, and whether they are one is open
// until the user says it, or undoes the undo.
func TestUndoing_a_first_meeting_gives_each_record_its_own_content_back(t *testing.T) {
	t.Parallel()
	for _, member := range []bool{true, false} {
		w := newWorld(t)
		c, g := w.sides[record.Creatio], w.sides[record.Google]
		c.add("Ada", "ada@example.com")
		g.add("Ada", "ada@example.com")
		c.edit(c.id("Ada"), func(r *row) {
			r.fields.SetText(contact.JobTitle, "Pilot")
			r.fields.SetText(contact.Department, "Air")
		})
		g.edit(g.id("Ada"), func(r *row) {
			r.fields.SetText(contact.JobTitle, "Captain")
			r.fields.SetText(contact.Company, "Example Air")
			r.member = member
		})
		before := map[record.Side]record.Fields{}
		for s, h := range w.sides {
			before[s] = h.rows[h.id("Ada")].fields.Clone()
		}
		r := w.sync()
		after := c.scope()
		if r.Counts.Matched != 1 {
			t.Fatalf("got %+v", r.Counts)
		}
		u := w.undo(r)
		for s, h := range w.sides {
			if row := h.rows[h.id("Ada")]; !contact.Schema.Equal(row.fields, before[s]) || row.member != (member || s == record.Creatio) {
				t.Errorf("in the group before: %t; %s has %+v", member, s, row)
			}
		}
		w.silent()
		w.undo(u)
		if !slices.Equal(c.scope(), after) || !slices.Equal(g.scope(), after) {
			t.Errorf("in the group before: %t; undone twice there are %q and %q, not %q", member, c.scope(), g.scope(), after)
		}
		w.silent()
	}
}

func TestOne_record_can_be_undone_alone(t *testing.T) {
	t.Parallel()
	for _, by := range record.Sides {
		w := team(t, "Ada", "Bo")
		w.setJob(record.Google, "Ada", "Pilot")
		w.setJob(record.Google, "Bo", "Pilot")
		r := w.sync()
		only := store.Undo{CreatioID: strings.ToUpper(w.sides[record.Creatio].id("Ada"))}
		if by == record.Google {
			only = store.Undo{GoogleID: w.sides[record.Google].id("Ada")}
		}
		w.undo(r, only)
		wantJob(t, w, "Ada", "Clerk / Clerk")
		wantJob(t, w, "Bo", "Pilot / Pilot")
		w.silent()
	}
}

func TestUndo_carries_no_other_edit(t *testing.T) {
	t.Parallel()
	w := team(t, "Ada")
	w.setJob(record.Google, "Ada", "Pilot")
	r := w.sync()
	c := w.sides[record.Creatio]
	c.edit(c.id("Ada"), func(r *row) { r.fields.SetText(contact.Department, "Air") })
	u := w.undo(r)
	if len(u.Changes) != 2 || len(u.Changes[0].Fields) != 1 || len(u.Changes[1].Fields) != 1 {
		t.Errorf("the undo changed %+v", u.Changes)
	}
	if r := w.sync(); len(r.Changes) != 1 || r.Changes[0].Fields[0].Field != contact.Department {
		t.Errorf("the next run changed %+v", r.Changes)
	}
	w.agree()
	w.silent()
}

func TestUndo_writes_the_other_side_only_where_the_settings_let_it(t *testing.T) {
	t.Parallel()
	w := team(t, "Ada", "Bo")
	must(t, w.user.UpdateSync(t.Context(), record.Contacts, func(d *store.Sync) error {
		d.Settings.Direction = "to-google"
		return nil
	}))
	c, g := w.sides[record.Creatio], w.sides[record.Google]
	w.setJob(record.Creatio, "Ada", "Pilot")
	c.edit(c.id("Bo"), func(r *row) { r.member = false })
	r := w.sync()
	u := w.undo(r)
	wantJob(t, w, "Ada", "Pilot / Clerk")
	if c.rows[c.id("Bo")].member || !g.rows[g.id("Bo")].member {
		t.Errorf("creatio has %q, google %q", c.scope(), g.scope())
	}
	w.silent()
	if twice := w.undo(r); len(twice.Changes)+len(twice.Problems) > 0 {
		t.Errorf("undone twice: %+v %+v", twice.Changes, twice.Problems)
	}
	w.undo(u)
	wantJob(t, w, "Ada", "Pilot / Pilot")
	if g.rows[g.id("Bo")].member {
		t.Errorf("google has %q", g.scope())
	}
	w.silent()
}

func TestRecords_that_are_gone_or_away_are_reported(t *testing.T) {
	t.Parallel()
	w := team(t, "Ada", "Bo", "Cy")
	c, g := w.sides[record.Creatio], w.sides[record.Google]
	for _, n := range []string{"Ada", "Bo", "Cy"} {
		w.setJob(record.Google, n, "Pilot")
	}
	g.add("Di", "")
	r := w.sync()
	c.edit(c.id("Ada"), func(r *row) { r.gone = true })
	g.edit(g.id("Bo"), func(r *row) { r.member = false })
	c.edit(c.id("Di"), func(r *row) { r.gone = true })
	u := w.undo(r)
	if got := codes(u); got != "Ada deleted-since, Bo away-since, Di deleted-since" {
		t.Errorf("reported %q", got)
	}
	wantJob(t, w, "Bo", "Pilot / Pilot")
	wantJob(t, w, "Cy", "Clerk / Clerk")
	w.sync()
	w.silent()
}

func TestA_record_that_changes_while_it_is_put_back_is_left(t *testing.T) {
	t.Parallel()
	w := team(t, "Ada")
	w.setJob(record.Google, "Ada", "Pilot")
	r := w.sync()
	w.before = func(call string) error {
		if call == "google apply" {
			w.before = nil
			w.setJob(record.Google, "Ada", "Captain")
		}
		return nil
	}
	out, u := w.attempt(t.Context(), w.askUndo(store.Undo{Run: r.ID}))
	if out.Status != syncer.Done || codes(u) != "Ada changed-since" {
		t.Errorf("got %+v, reported %q", out, codes(u))
	}
	w.sync()
	if got := w.text(record.Google, "Ada"); got != "Captain" {
		t.Errorf("google has %q", got)
	}
	w.agree()
	w.silent()
}

// Another tag is another set of members, which nobody knows before a run has read it: not an undo in between either.
func TestAn_undo_after_the_tag_was_changed_does_not_hide_who_left_with_it(t *testing.T) {
	t.Parallel()
	w := team(t, "Ada", "Bo")
	c, g := w.sides[record.Creatio], w.sides[record.Google]
	g.add("Cy", "cy@example.com")
	r := w.sync()
	must(t, w.user.UpdateSync(t.Context(), record.Contacts, func(d *store.Sync) error {
		delete(d.Scopes, record.Creatio)
		delete(d.Cursors, record.Creatio)
		delete(d.MemberDigests, record.Creatio)
		return nil
	}))
	c.rows[c.id("Bo")].member = false
	w.undo(r)
	w.sync()
	if g.rows[g.id("Bo")].member || !g.rows[g.id("Ada")].member || c.rows[c.id("Cy")].member {
		t.Errorf("creatio has %q, google %q", c.scope(), g.scope())
	}
	w.silent()
}

func TestWhat_was_only_planned_is_not_undone(t *testing.T) {
	t.Parallel()
	w := team(t, "Ada", "Bo")
	w.setJob(record.Google, "Ada", "Pilot")
	w.sides[record.Creatio].edit(w.sides[record.Creatio].id("Bo"), func(r *row) { r.member = false })
	_, preview := w.run(syncer.TriggerPreview)
	if len(preview.Changes) != 2 || preview.Undoable() {
		t.Fatalf("the preview is %+v", preview)
	}
	writes := w.writes()
	if u := w.undo(preview); len(u.Changes)+len(u.Problems) > 0 || w.writes() != writes {
		t.Errorf("undone: %+v %+v", u.Changes, u.Problems)
	}
	wantJob(t, w, "Ada", "Clerk / Pilot")
}

// The value that lost a conflict comes back by itself: the other changes of the record stay.
func TestOne_value_of_a_record_can_be_put_back_alone(t *testing.T) {
	t.Parallel()
	w := team(t, "Ada", "Bo")
	w.setJob(record.Creatio, "Ada", "Captain")
	w.pass(time.Minute)
	w.setJob(record.Google, "Ada", "Pilot")
	google := w.sides[record.Google]
	google.edit(google.id("Ada"), func(r *row) { r.fields.SetText(contact.Notes, "likes tea") })
	r := w.sync()
	wantJob(t, w, "Ada", "Pilot / Pilot")
	var one store.Undo
	for _, c := range r.Changes {
		if c.Exchanges(contact.JobTitle) {
			one = store.Undo{CreatioID: c.CreatioID, GoogleID: c.GoogleID, Field: contact.JobTitle}
		}
	}
	u := w.undo(r, one)
	wantJob(t, w, "Ada", "Captain / Captain")
	for _, s := range record.Sides {
		h := w.sides[s]
		if got := h.rows[h.id("Ada")].fields.Text(contact.Notes); got != "likes tea" {
			t.Errorf("in %s the notes are %q", s, got)
		}
	}
	if len(u.Problems) > 0 {
		t.Errorf("the undo tells of %+v", u.Problems)
	}
	w.silent()
}
