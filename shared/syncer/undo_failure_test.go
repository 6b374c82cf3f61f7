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
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
)

func TestAn_undo_whose_time_is_over_goes_on_where_it_stopped(t *testing.T) {
	t.Parallel()
	w := team(t, "Ada", "Bo", "Cy", "Di", "Ed")
	w.engine.Chunk = 1
	for _, n := range []string{"Ada", "Bo", "Cy", "Di", "Ed"} {
		w.setJob(record.Google, n, "Pilot")
	}
	r := w.sync()
	id := w.askUndo(store.Undo{Run: r.ID})
	w.engine.Margin = time.Hour
	applied := 0
	deadline := time.Now().Add(24 * time.Hour)
	w.clock = deadline.Add(-time.Hour - 30*time.Second)
	w.after = func(call string) error {
		if call == "google apply" {
			if applied++; applied == 2 {
				w.pass(40 * time.Second)
			}
		}
		return nil
	}
	ctx, cancel := context.WithDeadline(t.Context(), deadline)
	defer cancel()
	out, first := w.attempt(ctx, id)
	if out.Status != syncer.Continued || first.Status != "running" || len(first.Changes) != 4 {
		t.Fatalf("got %+v with %d changes", out, len(first.Changes))
	}
	w.after = nil
	out, second := w.attempt(t.Context(), id)
	if out.Status != syncer.Done || len(second.Changes) != 10 || len(second.Problems) > 0 || second.Counts.Google.Updated != 5 {
		t.Fatalf("got %+v with %d changes, %+v", out, len(second.Changes), second.Problems)
	}
	for _, n := range []string{"Ada", "Bo", "Cy", "Di", "Ed"} {
		wantJob(t, w, n, "Clerk / Clerk")
	}
	w.silent()
	w.undo(second)
	wantJob(t, w, "Ed", "Pilot / Pilot")
}

// Every call of an undo fails once, before and after it took effect, and a scheduled run comes in between: the next
// attempt comes to the same end, and nobody's content is lost on the way.
func TestAn_undo_interrupted_anywhere_comes_to_the_same_end(t *testing.T) {
	t.Parallel()
	for _, late := range []bool{false, true} {
		for _, between := range []bool{false, true} {
			for n := 1; ; n++ {
				w := newWorld(t)
				r, before := undoScene(w)
				calls := failing(w, n, late)
				id := w.askUndo(store.Undo{Run: r.ID})
				w.attempt(t.Context(), id)
				if *calls < n {
					break
				}
				w.before, w.after = nil, nil
				what := fmt.Sprintf("call %d fails, late %t, a run between %t", n, late, between)
				if between {
					w.pass(time.Hour)
					w.run(syncer.TriggerSchedule)
				}
				w.pass(time.Hour)
				if out, u := w.attempt(t.Context(), id); out.Status != syncer.Done && out.Status != syncer.Partial {
					t.Fatalf("%s: ended %+v %+v", what, out, u.Problems)
				}
				w.pass(time.Hour)
				w.sync()
				w.silent()
				if got := w.contents(); got != before {
					t.Fatalf("%s:\ngot  %s\nwant %s", what, got, before)
				}
			}
		}
	}
}

// undoScene makes a run with something of everything to undo, and tells what each side shall have once that is undone.
func undoScene(w *world) (store.Run, string) {
	c, g := w.sides[record.Creatio], w.sides[record.Google]
	for _, n := range []string{"Ada", "Bo", "Cy", "Di"} {
		c.add(n, strings.ToLower(n)+"@example.com")
		w.setJob(record.Creatio, n, "Clerk")
	}
	w.sync()
	c.add("Met", "met@example.com")
	g.add("Met", "met@example.com")
	g.edit(g.id("Met"), func(r *row) { r.member = false })
	g.add("Both", "both@example.com")
	c.add("Both", "both@example.com")
	w.setJob(record.Creatio, "Met", "Pilot")
	w.setJob(record.Google, "Met", "Captain")
	w.setJob(record.Creatio, "Both", "Pilot")
	c.add("New", "new@example.com")
	want := w.contents()
	w.setJob(record.Google, "Ada", "Pilot")
	w.setJob(record.Creatio, "Bo", "Pilot")
	g.edit(g.id("Cy"), func(r *row) { r.member = false })
	r := w.sync()
	return r, want + " | google creation out"
}

// contents are who is there on each side, in scope or not, and as what.
func (w *world) contents() string {
	var out []string
	created := ""
	for s, h := range w.sides {
		h.mu.Lock()
		for id, r := range h.rows {
			name := r.fields.Text(contact.GivenName)
			if strings.HasPrefix(id, "google-made") && name == "New" {
				if !r.member {
					created = " | google creation out"
				}
				continue
			}
			out = append(out, fmt.Sprintf("%s %s %s %t", s, name, r.fields.Text(contact.JobTitle), r.member))
		}
		h.mu.Unlock()
	}
	slices.Sort(out)
	return strings.Join(out, ", ") + created
}

func TestAn_undo_of_nothing_says_so(t *testing.T) {
	t.Parallel()
	w := team(t, "Ada")
	out, err := w.engine.Run(t.Context(), w.user, syncer.Request{Type: record.Contacts, Trigger: syncer.TriggerUndo})
	if out.Status != syncer.Skipped || out.Reason != syncer.ReasonBug || !fault.Is(err, fault.Bug) {
		t.Errorf("got %+v, %v", out, err)
	}
	w.silent()
}

// People edit at random, a run carries it over, and the run is undone: whoever nobody touched since shows on the side that
// was written what it showed before, and the next run has nothing to do.
func TestAny_run_can_be_undone_and_stays_undone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		w.t = rt
		names := 0
		edit := func() {
			names++
			act(rt, w, names)
		}
		for range rapid.IntRange(0, 3).Draw(rt, "rounds") {
			for range rapid.IntRange(0, 5).Draw(rt, "edits") {
				edit()
			}
			w.run(syncer.TriggerApprove)
		}
		for range rapid.IntRange(1, 6).Draw(rt, "last edits") {
			edit()
		}
		before := w.snapshot()
		out, r := w.run(syncer.TriggerApprove)
		if out.Status == syncer.Held {
			// Everybody left, which waits. The user agrees, and the run that follows is the one to undo.
			before = w.snapshot()
			out, r = w.run(syncer.TriggerApprove)
		}
		if out.Status != syncer.Done {
			rt.Fatalf("the run ended %s", out.Status)
		}
		after := w.snapshot()
		u := w.undo(r)
		if len(u.Problems) > 0 {
			rt.Fatalf("nobody touched anything, and the undo reports %+v", u.Problems)
		}
		now := w.snapshot()
		for _, c := range r.Changes {
			if c.Action != "update" {
				continue
			}
			id := map[record.Side]string{record.Creatio: c.CreatioID, record.Google: c.GoogleID}[c.Side]
			for _, f := range c.Fields {
				key := string(c.Side) + " " + id + " " + f.Field
				if f.Field != contact.Phones && now[key] != before[key] {
					rt.Fatalf("%s was %q, then %q, and is %q", key, before[key], after[key], now[key])
				}
			}
		}
		w.silent()
		w.silent()
		w.undo(u)
		w.sync()
		w.silent()
	})
}

// snapshot is every value and membership of both sides.
func (w *world) snapshot() map[string]string {
	out := map[string]string{}
	for s, h := range w.sides {
		for id, r := range h.rows {
			for _, f := range contact.Schema {
				out[string(s)+" "+id+" "+f.Name] = f.Show(r.fields[f.Name])
			}
			member := map[record.Side]string{record.Creatio: "private tag", record.Google: "group"}[s]
			if !r.member {
				member = ""
			}
			out[string(s)+" "+id+" membership"] = member
		}
	}
	return out
}

// What a side shows of before its own last write is nobody's edit, and not the value that was to come back.
func TestAn_undo_decides_nothing_by_a_read_that_is_older_than_what_the_link_knows(t *testing.T) {
	t.Parallel()
	w := team(t, "Ada", "Bo", "Cy")
	g := w.sides[record.Google]
	g.lags = time.Hour
	ada, cy := g.id("Ada"), g.id("Cy")
	before := map[string]record.Record{ada: g.record(ada), cy: g.record(cy)}
	w.setJob(record.Google, "Ada", "Pilot")
	w.setJob(record.Google, "Bo", "Pilot")
	w.setJob(record.Google, "Cy", "Pilot")
	r := w.sync()
	g.stale = before
	out, u := w.attempt(t.Context(), w.askUndo(store.Undo{Run: r.ID}))
	if out.Status != syncer.Partial || codes(u) != "Ada not-yet, Cy not-yet" || w.kept().Status != "partial" {
		t.Errorf("ended %+v with %q, the state is %+v", out, codes(u), w.kept())
	}
	if says := w.kept().Problem.Message; !strings.HasPrefix(says, "2 records ") {
		t.Errorf("the settings page says: %s", says)
	}
	wantJob(t, w, "Ada", "Pilot / Pilot")
	wantJob(t, w, "Bo", "Clerk / Clerk")
	wantJob(t, w, "Cy", "Pilot / Pilot")
	w.pass(time.Hour)
	g.stale = nil
	w.undo(r)
	wantJob(t, w, "Ada", "Clerk / Clerk")
	wantJob(t, w, "Cy", "Clerk / Clerk")
	w.silent()
}

func TestAn_undo_that_put_one_side_back_and_could_not_read_the_other_is_unfinished(t *testing.T) {
	t.Parallel()
	for _, again := range []bool{false, true} {
		w := team(t, "Ada", "Bo")
		c, g := w.sides[record.Creatio], w.sides[record.Google]
		g.lags = time.Hour
		id := g.id("Ada")
		before := g.record(id)
		w.setJob(record.Google, "Ada", "Pilot")
		r := w.sync()
		w.before = func(call string) error {
			if call == "google apply" {
				// Somebody edits another field, and reads do not show that yet, nor what was there before it.
				w.before = nil
				g.edit(id, func(r *row) { r.fields.SetText(contact.Department, "Air") })
				g.stale = map[string]record.Record{id: before}
			}
			return nil
		}
		out, u := w.attempt(t.Context(), w.askUndo(store.Undo{Run: r.ID}))
		if out.Status != syncer.Partial || codes(u) != "Ada not-yet" || strings.Contains(u.Problems[0].Message, "left as it is") {
			t.Errorf("ended %+v with %+v", out, u.Problems)
		}
		if w.text(record.Creatio, "Ada") != "Clerk" {
			t.Errorf("creatio has %q", c.scope())
		}
		w.pass(time.Hour)
		g.stale = nil
		if again {
			w.undo(r)
		}
		w.sync()
		wantJob(t, w, "Ada", "Clerk / Clerk")
		w.agree()
		w.silent()
	}
}
