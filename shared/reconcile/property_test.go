package reconcile

import (
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
	_ "github.com/tandem-sync/tandem/shared/sandbox/seed"
)

var schema = contact.Schema

func decide(w *world, p Policy) Decision { return Decide(schema, w.pair(), p) }

// Once everything is written there is nothing left to do, however often people edit in between.
func TestMerging_again_does_nothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		p := policies().Draw(t, "policy")
		for range rapid.IntRange(1, 3).Draw(t, "rounds") {
			w.carryOut(decide(w, p))
			again := decide(w, p)
			if len(again.Ops) > 0 {
				for side, op := range again.Ops {
					t.Errorf("%s again: %v", side, op.Changed)
					for _, c := range again.Changes[side] {
						t.Errorf("\t%s: %v -> %v, %s", c.Field.Name, c.Before, c.After, c.Rule)
					}
				}
				t.FailNow()
			}
			if !schema.Equal(w.base, again.Base) {
				t.Fatalf("what was agreed changes without an edit:\n%s", gocmp.Diff(w.base, again.Base))
			}
			w.edit(t)
			if rapid.Bool().Draw(t, "own labels") {
				w.relabel(t, rapid.SampledFrom(record.Sides[:]).Draw(t, "side"))
			}
		}
	})
}

// Who gives a value a label that the other side does not know takes nothing away there, and gets no second one of it.
func TestMerging_leaves_alone_what_gets_a_label_of_its_own(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		// What stands for another value speaks for itself once somebody has touched it.
		w.narrow, w.shown = "", map[record.Side][]record.Projection{}
		p := policies().Draw(t, "policy")
		w.carryOut(decide(w, p))
		s := rapid.SampledFrom(record.Sides[:]).Draw(t, "side")
		w.relabel(t, s)
		for _, again := range []Decision{decide(w, p), decide(w, p)} {
			for side, op := range again.Ops {
				t.Fatalf("%s gets %v for what %s has under labels of its own: %v", side, op.Changed, s, w.kept[s])
			}
			w.carryOut(again)
		}
		// As the next run finds it that has not read the record.
		w.kept = nil
		if again := decide(w, p); len(again.Ops) > 0 {
			t.Fatalf("unread, the record is taken for another: %v", again.Changes)
		}
	})
}

// Both ways and without a preference, it does not matter which side is which.
func TestMerging_treats_both_sides_alike(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		there := decide(w, Policy{Direction: Both, Conflicts: Latest})
		back := decide(w.swapped(), Policy{Direction: Both, Conflicts: Latest})
		for _, s := range record.Sides {
			for _, f := range schema {
				a, b := there.After[s][f.Name], back.After[s.Other()][f.Name]
				if !f.Equal(a, b) {
					t.Fatalf("%s gets %v in %s, but %v with the sides exchanged", s, a, f.Name, b)
				}
			}
		}
		if a, b := len(there.Conflicts), len(back.Conflicts); a != b {
			t.Fatalf("%d conflicts, but %d with the sides exchanged", a, b)
		}
	})
}

// What a person added on one side stays there, and comes to the other side where the settings let it.
func TestMerging_loses_nothing_that_was_added(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		p := policies().Draw(t, "policy")
		d := decide(w, p)
		for _, s := range record.Sides {
			for _, f := range schema {
				if !f.Set {
					continue
				}
				for _, e := range w.added(s, f) {
					if !kept(f, d, s, e) {
						t.Fatalf("%s added %v to %s; it has %v and both agree on %v", s, e, f.Name, d.After[s][f.Name], d.Base[f.Name])
					}
					if p.Direction.Takes(s.Other()) && !kept(f, d, s.Other(), e) {
						t.Fatalf("%s added %v to %s; the other side has %v", s, e, f.Name, d.After[s.Other()][f.Name])
					}
				}
			}
		}
	})
}

// added are the values of a side whose identity is new to the link.
func (w *world) added(s record.Side, f record.Field) []record.Entry {
	known := map[string]bool{}
	for _, e := range w.base[f.Name] {
		known[f.Key(e)] = true
	}
	for _, sh := range w.shown[s] {
		known[f.Key(sh.Displayed)] = true
	}
	var out []record.Entry
	for _, e := range w.now[s][f.Name] {
		if !known[f.Key(e)] && !w.isEdit(s, f, e) {
			out = append(out, e)
		}
	}
	return out
}

// isEdit reports whether a value may be an agreed one that a person wrote in another form there: it is changed, and not added.
func (w *world) isEdit(s record.Side, f record.Field, e record.Entry) bool {
	return slices.ContainsFunc(w.base[f.Name], func(was record.Entry) bool {
		if slices.ContainsFunc(w.now[s][f.Name], func(is record.Entry) bool { return f.Key(is) == f.Key(was) }) {
			return false
		}
		if f.Alike != nil && f.Alike(was, e) {
			return true
		}
		weight := 0
		if f.Edited != nil {
			_, weight = f.Edited(was, was, e)
		}
		return weight >= mostlyLost
	})
}

// kept reports whether a side is to have a value: by its identity or as the same number in another spelling.
func kept(f record.Field, d Decision, s record.Side, e record.Entry) bool {
	for _, a := range d.After[s][f.Name] {
		if identity(f, a) == identity(f, e) || (f.Alike != nil && f.Alike(a, e)) {
			return true
		}
	}
	return false
}

// What only one side changed is what both have then.
func TestMerging_takes_over_what_one_side_changed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		base := content().Draw(t, "base")
		now := edited(t, base)
		s := rapid.SampledFrom(record.Sides[:]).Draw(t, "side")
		w := &world{base: base, now: map[record.Side]record.Fields{s: now, s.Other(): base}, shown: map[record.Side][]record.Projection{}}
		w.clock(t)
		d := decide(w, Policy{Direction: Both, Conflicts: rapid.SampledFrom([]Conflicts{Latest, CreatioWins, GoogleWins}).Draw(t, "conflicts")})
		if !schema.Equal(d.After[s], now) || !schema.Equal(d.After[s.Other()], now) || !schema.Equal(d.Base, now) || d.Ops[s] != nil {
			t.Fatalf("one side changed to\n%v\nbut both are to be\n%v", now, d.After)
		}
		if len(d.Conflicts) > 0 {
			t.Fatalf("conflicts with nobody: %v", d.Conflicts)
		}
	})
}

// Two different changes of one value: the loser is in the report, and the winner on both sides.
func TestConflicts_tell_what_was_lost(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		w.narrow, w.shown = "", map[record.Side][]record.Projection{}
		p := policies().Draw(t, "policy")
		d := decide(w, p)
		reported := map[string]Conflict{}
		for _, c := range d.Conflicts {
			reported[c.Field] = c
		}
		for _, f := range schema {
			c, g, b := w.now[record.Creatio].One(f.Name), w.now[record.Google].One(f.Name), w.base.One(f.Name)
			if f.Set || f.Same(c, g) || f.Same(c, b) || f.Same(g, b) || f.Of != "" && (fromOneSide(d, f) || w.stands(d, f)) {
				continue
			}
			conflict, told := reported[f.Name]
			if p.Direction == Both && (f.Empty(c) || f.Empty(g)) {
				if told || f.Empty(d.Base.One(f.Name)) {
					t.Fatalf("%s was emptied and edited; the edit is to stay without a conflict: %v, %v", f.Name, d.Base[f.Name], conflict)
				}
				continue
			}
			if !told {
				t.Fatalf("both changed %s, and no conflict says so", f.Name)
			}
			won, lost := c, g
			if conflict.Winner == record.Google {
				won, lost = g, c
			}
			if !f.Same(d.Base.One(f.Name), won) {
				t.Fatalf("%s won %s, but both agree on %v", conflict.Winner, f.Name, d.Base[f.Name])
			}
			if !f.Empty(lost) && (len(conflict.Lost) != 1 || !f.Same(conflict.Lost[0], lost)) {
				t.Fatalf("%v was lost in %s, and the report has %v", lost, f.Name, conflict.Lost)
			}
			if want := expectedWinner(w, p); want != "" && want != conflict.Winner {
				t.Fatalf("%s won %s, %s should have", conflict.Winner, f.Name, want)
			}
		}
	})
}

// fromOneSide reports whether the parts of a value all come from one side.
func fromOneSide(d Decision, part record.Field) bool {
	winners := map[record.Side]bool{}
	for _, c := range d.Conflicts {
		if f, _ := schema.Field(c.Field); f.Of == part.Of {
			winners[c.Winner] = true
		}
	}
	return len(winners) == 1
}

// stands reports whether both sides keep what they have of a value of many parts, each with its words in parts of its own.
func (w *world) stands(d Decision, part record.Field) bool {
	for _, s := range record.Sides {
		for _, f := range schema {
			if f.Of == part.Of && !f.Same(w.now[s].One(f.Name), d.After[s].One(f.Name)) {
				return false
			}
		}
	}
	return true
}

// A name that people split in two ways is on both sides as one of them has it: no word twice, and none of both in one.
func TestMerging_takes_a_value_of_many_parts_from_one_side_where_its_words_stand_elsewhere(t *testing.T) {
	t.Parallel()
	split := func(t *rapid.T, words []string) record.Fields {
		f := record.Fields{}
		from := rapid.IntRange(0, len(words)).Draw(t, "given")
		to := rapid.IntRange(from, len(words)).Draw(t, "middle")
		f.SetText(contact.GivenName, strings.Join(words[:from], " "))
		f.SetText(contact.MiddleName, strings.Join(words[from:to], " "))
		f.SetText(contact.Surname, strings.Join(words[to:], " "))
		return f
	}
	words := func(f record.Fields) []string { return strings.Fields(contact.Title(f)) }
	rapid.Check(t, func(t *rapid.T) {
		w := &world{first: true, base: record.Fields{}, now: map[record.Side]record.Fields{}, shown: map[record.Side][]record.Projection{}}
		w.clock(t)
		name := []string{"Juan", "Carlos", "de", "la", "Cruz"}[:rapid.IntRange(1, 5).Draw(t, "words")]
		for _, s := range record.Sides {
			w.now[s] = split(t, name)
		}
		d := decide(w, policies().Draw(t, "policy"))
		for _, s := range record.Sides {
			if got := words(d.After[s]); !slices.Equal(got, name) {
				t.Fatalf("%s is to be called %v, not %v", s, got, name)
			}
		}
	})
}

func expectedWinner(w *world, p Policy) record.Side {
	switch {
	case p.Direction == ToGoogle, p.Direction == Both && p.Conflicts == CreatioWins:
		return record.Creatio
	case p.Direction == ToCreatio, p.Direction == Both && p.Conflicts == GoogleWins:
		return record.Google
	case w.at[record.Google].After(w.at[record.Creatio]):
		return record.Google
	default:
		return record.Creatio
	}
}

// Where values disappear from a side, a person took them away on the other one, or the report has them.
func TestMerging_takes_nothing_away_unseen(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		w.narrow, w.shown = "", map[record.Side][]record.Projection{}
		d := decide(w, policies().Draw(t, "policy"))
		for _, s := range record.Sides {
			for _, f := range schema {
				for _, e := range w.now[s][f.Name] {
					agreed := has(identities(f, w.base[f.Name]), identity(f, e))
					if !kept(f, d, s, e) && !agreed && !has(identities(f, lost(d, f)), identity(f, e)) {
						t.Fatalf("%s loses %v in %s, and nothing tells of it", s, e, f.Name)
					}
				}
			}
		}
	})
}

// identity is what makes a value that value: its key in a set, else all that a person sees.
func identity(f record.Field, e record.Entry) string {
	if f.Set {
		return f.Key(e)
	}
	return f.Exact(e)
}

func identities(f record.Field, entries []record.Entry) map[string]bool {
	out := map[string]bool{}
	for _, e := range entries {
		out[identity(f, e)] = true
	}
	return out
}

func lost(d Decision, f record.Field) []record.Entry {
	var out []record.Entry
	for _, c := range d.Conflicts {
		if c.Field == f.Name {
			out = append(out, c.Lost...)
		}
	}
	return out
}

// One way, the side that changes come from is never written to, whatever happened to either record.
func TestOne_way_writes_to_one_side_only(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := policies().Draw(t, "policy")
		d := Decide(schema, anyPair(t), p)
		for _, s := range record.Sides {
			if d.Ops[s] != nil && !p.Direction.Takes(s) {
				t.Fatalf("%s with direction %s: %+v", s, p.Direction, d.Ops[s])
			}
		}
	})
}

// anyPair draws a pair of which either record may be missing, deleted or out of scope.
func anyPair(t *rapid.T) Pair {
	w := drawWorld(t)
	pair := w.pair()
	pair.Active = !pair.First && rapid.Bool().Draw(t, "active")
	for _, s := range record.Sides {
		n := pair.Sides[s]
		n.Member = rapid.Bool().Draw(t, "member")
		switch rapid.IntRange(0, 4).Draw(t, "state") {
		case 0:
			n = Now{ID: n.ID, Gone: true}
		case 1:
			if pair.First {
				n = Now{}
			}
		}
		pair.Sides[s] = n
	}
	return pair
}

func TestOperations_are_whole(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pair := anyPair(t)
		d := Decide(schema, pair, policies().Draw(t, "policy"))
		for side, op := range d.Ops {
			n := pair.Sides[side]
			if d.Rules[side] == "" {
				t.Fatalf("%s: an operation without a reason: %+v", side, op)
			}
			if op.Link != pair.Link {
				t.Fatalf("%s: an operation for the link %q", side, op.Link)
			}
			changed := map[string]bool{}
			for _, name := range op.Changed {
				changed[name] = true
			}
			for _, f := range schema {
				if differ := !f.Equal(op.Before[f.Name], op.After[f.Name]); differ != changed[f.Name] {
					t.Fatalf("%s: %s differs: %v, but the operation says %v", side, f.Name, differ, op.Changed)
				}
			}
			switch op.Action {
			case record.Create:
				if n.exists() || !op.Join || (side == record.Creatio) != (op.ID != "") {
					t.Fatalf("%s: a creation in place of %+v: %+v", side, n, op)
				}
			case record.Update:
				if !n.exists() || op.ID != n.ID || (len(op.Changed) == 0 && !op.Join) || (op.Join && n.Member) {
					t.Fatalf("%s: an update of %+v: %+v", side, n, op)
				}
			case record.Unlink:
				if !n.exists() || !n.Member || !pair.Active || len(op.Changed) > 0 || pair.Sides[side.Other()].exists() && pair.Sides[side.Other()].Member {
					t.Fatalf("%s: takes %+v out of scope: %+v", side, n, op)
				}
			default:
				t.Fatalf("%s: unknown action %q", side, op.Action)
			}
		}
	})
}

// The same input gives the same plan, in the same order.
func TestDecisions_do_not_depend_on_chance(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pair, policy := anyPair(t), policies().Draw(t, "policy")
		want := printDecision(Decide(schema, pair, policy))
		for range 4 {
			if diff := gocmp.Diff(want, printDecision(Decide(schema, pair, policy))); diff != "" {
				t.Fatalf("another decision:\n%s", diff)
			}
		}
	})
}
