package reconcile

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tandem-sync/tandem/shared/record"
)

// run decides and carries out, and gives what its history tells: of what a side shows, only what changed.
func (w *world) run(d Decision) []AppliedChange {
	before := maps.Clone(w.now)
	if d.After != nil {
		w.carryOut(d)
	}
	var out []AppliedChange
	for _, s := range record.Sides {
		if d.Ops[s] == nil {
			continue
		}
		change := AppliedChange{Side: s, First: d.First}
		for _, c := range d.Changes[s] {
			c.Swaps = slices.DeleteFunc(slices.Clone(c.Swaps), func(sw record.Swap) bool {
				was, is := sw.Before, sw.After
				if as, ok := sw.BeforeDisplayed[s]; ok {
					was = as
				}
				for _, sh := range w.shown[s] {
					if sh.Field == c.Field.Name && c.Field.Same(sh.Canonical, sw.After) {
						is = sh.Displayed
					}
				}
				return c.Field.Same(was, is)
			})
			if !c.Field.Equal(before[s][c.Field.Name], w.now[s][c.Field.Name]) {
				change.Fields = append(change.Fields, c)
			}
		}
		out = append(out, change)
	}
	return out
}

// touches reports whether a run changed a field on a side.
func touches(applied []AppliedChange, s record.Side, field string) bool {
	return slices.ContainsFunc(applied, func(d AppliedChange) bool {
		return d.Side == s && slices.ContainsFunc(d.Fields, func(c FieldChange) bool { return c.Field.Name == field })
	})
}

// isBack reports whether a side shows what it showed before the run. Of a set that the run changed on both sides, what
// people had added or taken away on this one goes back too, as both then agree on what they had agreed on.
func isBack(now, before record.Fields, applied []AppliedChange, s record.Side, f record.Field, p Policy) bool {
	if !f.Set || p.Direction != Both || applied[0].First || !touches(applied, s.Other(), f.Name) {
		return f.Equal(now[f.Name], before[f.Name])
	}
	for _, d := range applied {
		for _, c := range d.Fields {
			for _, swap := range c.Swaps {
				was := swap.Before
				if as, ok := swap.BeforeDisplayed[s]; ok {
					was = as
				}
				if d.Side == s && c.Field.Name == f.Name && !f.Empty(was) && !holds(f, now[f.Name], was) {
					return false
				}
			}
		}
	}
	return true
}

// full are the sets of which a side that cannot hold every value shows two in one. Which of them it shows is chance
// then, and it is not told when one makes room for the other.
func (w *world) full() map[string]bool {
	out := map[string]bool{}
	if w.narrow == "" {
		return out
	}
	for _, f := range schema {
		shown := map[string]string{}
		for _, e := range slices.Concat(w.base[f.Name], w.now[record.Creatio][f.Name], w.now[record.Google][f.Name]) {
			key := f.Key(narrowed(f, e))
			if other, ok := shown[key]; ok && other != f.Key(e) && f.Set {
				out[f.Name] = true
			}
			shown[key] = f.Key(e)
		}
	}
	return out
}

// rests fails where a run or another undo would find something to do.
func (w *world) rests(t *rapid.T, p Policy, what string) {
	t.Helper()
	for side, op := range decide(w, p).Ops {
		t.Fatalf("after %s a run changes %v in %s:\nnow %v\nagreed %v\nshown %v", what, op.Changed, side, w.now, w.base, w.shown)
	}
}

// Where nobody edited since, the side that a run wrote shows again what it showed before, the next run has nothing to do,
// and undoing again neither. Undoing the undo shows what the run had left.
func TestUndo_brings_back_what_the_run_wrote_over_and_rests(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		p := policies().Draw(t, "policy")
		before, full := maps.Clone(w.now), w.full()
		applied := w.run(decide(w, p))
		after := maps.Clone(w.now)

		d, left := Undo(schema, w.pair(), applied, p)
		left.Changed = slices.DeleteFunc(left.Changed, func(f record.Field) bool { return full[f.Name] })
		if len(left.Changed)+len(left.Gone) > 0 || left.Away {
			t.Fatalf("left as it is, though nobody touched it: %+v", left)
		}
		again := w.run(d)
		for _, s := range record.Sides {
			for _, f := range schema {
				if touches(applied, s, f.Name) && !full[f.Name] && !isBack(w.now[s], before[s], applied, s, f, p) {
					t.Fatalf("%s of %s was %v, then %v, and is %v after undo", f.Name, s, before[s][f.Name], after[s][f.Name], w.now[s][f.Name])
				}
				if !touches(applied, s, f.Name) && !touches(applied, s.Other(), f.Name) && !f.Equal(w.now[s][f.Name], after[s][f.Name]) {
					t.Fatalf("the run left %s of %s alone, and undo did not", f.Name, s)
				}
			}
		}
		w.rests(t, p, "undo")
		if twice, _ := Undo(schema, w.pair(), applied, p); len(twice.Ops) > 0 {
			t.Fatalf("undone, and undone again: %v", printDecision(twice))
		}

		d, left = Undo(schema, w.pair(), again, p)
		for _, f := range left.Changed {
			if !full[f.Name] {
				t.Fatalf("%s of the undo cannot be undone", f.Name)
			}
		}
		w.run(d)
		for _, s := range record.Sides {
			for _, f := range schema {
				if !full[f.Name] && !f.Equal(w.now[s][f.Name], after[s][f.Name]) {
					t.Fatalf("%s of %s was %v, and after undoing the undo %v", f.Name, s, after[s][f.Name], w.now[s][f.Name])
				}
			}
		}
		w.rests(t, p, "undoing the undo")
	})
}

// Two records that a run matched have each their own content again once that is undone, on the side that was written, and
// undoing the undo shows what the run had left.
func TestUndoing_a_match_separates_the_records_and_undoing_that_links_them_again(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := rapid.Custom(drawWorld).Filter(func(w *world) bool { return w.first }).Draw(t, "world")
		p := policies().Draw(t, "policy")
		before, full := maps.Clone(w.now), w.full()
		applied := append([]AppliedChange{{Side: record.Google, Tie: Matched, First: true}}, w.run(decide(w, p))...)
		after, agreed, shown := maps.Clone(w.now), w.base, maps.Clone(w.shown)

		d, left := Undo(schema, w.pair(), applied, p)
		if !d.Separate || d.Relink || left.Away || len(left.Gone) > 0 {
			t.Fatalf("the undo separates %t, links %t, leaves %+v", d.Separate, d.Relink, left)
		}
		again := append(w.run(d), AppliedChange{Side: record.Google, Tie: Separated})
		for _, s := range record.Sides {
			for _, f := range schema {
				if !full[f.Name] && !f.Equal(w.now[s][f.Name], before[s][f.Name]) {
					t.Fatalf("%s of %s was %v, then %v, and is %v after undo", f.Name, s, before[s][f.Name], after[s][f.Name], w.now[s][f.Name])
				}
			}
		}

		// What is kept of the link is as it was.
		w.base, w.shown = agreed, shown
		pair := w.pair()
		pair.Separate, pair.Active = true, false
		if twice, _ := Undo(schema, pair, applied, p); len(twice.Ops) > 0 {
			t.Fatalf("undone, and undone again: %v", printDecision(twice))
		}
		if d, _ = Undo(schema, pair, again, p); d.Separate || !d.Relink || !d.Active {
			t.Fatalf("undoing the undo: %v", printDecision(d))
		}
		w.run(d)
		for _, s := range record.Sides {
			for _, f := range schema {
				if !full[f.Name] && !f.Equal(w.now[s][f.Name], after[s][f.Name]) {
					t.Fatalf("%s of %s was %v, and after undoing the undo %v", f.Name, s, after[s][f.Name], w.now[s][f.Name])
				}
			}
		}
		w.rests(t, p, "undoing the undo")
	})
}

// Nothing goes from one record to the other where their link is gone, whoever left or was deleted.
func TestUndo_writes_to_no_record_what_is_of_one_that_it_has_no_link_with(t *testing.T) {
	t.Parallel()
	has := func(title string) Now {
		return Now{ID: "r", Member: true, View: View{Fields: record.Fields{"jobTitle": {{Text: title}}}}}
	}
	gone := has("")
	gone.Gone = true
	out := has("Pilot")
	out.Member = false
	left := []AppliedChange{{Side: record.Google, Moved: Left}, {Side: record.Google, Tie: Matched}}
	for name, sides := range map[string]map[record.Side]Now{
		"both are there": {record.Creatio: has("Pilot"), record.Google: out},
		"one is gone":    {record.Creatio: has("Pilot"), record.Google: gone},
		"both are out":   {record.Creatio: out, record.Google: out},
	} {
		d, _ := Undo(schema, Pair{Link: "l", Separate: true, Base: record.Fields{}, Sides: sides}, left, Policy{})
		if op := d.Ops[record.Creatio]; op != nil || d.Active || d.Relink {
			t.Errorf("%s: %v", name, printDecision(d))
		}
		if op := d.Ops[record.Google]; op != nil && op.Action == record.Create {
			t.Errorf("%s: a record is made again: %v", name, printDecision(d))
		}
	}
}
