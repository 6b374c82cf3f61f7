package reconcile

import (
	"slices"

	"github.com/tandem-sync/tandem/shared/record"
)

// Moved is what a run did to a record's membership.
type Moved int

// What becomes of a membership.
const (
	Stayed  Moved = iota
	Entered       // it came into scope
	Left          // it went out of scope
)

// Tie is what a run did to the link between two records.
type Tie int

// What becomes of a link.
const (
	Untouched Tie = iota
	Matched       // two records that were there before were linked
	Separated     // the link was taken away
)

// AppliedChange is what a run did to one record of a pair, or to their link, as its history tells.
type AppliedChange struct {
	Side record.Side
	Tie  Tie
	// First says that the records met for the first time: what the run wrote over on one side was nobody's change, and
	// what the other side has is that record's own.
	First  bool
	Moved  Moved
	Fields []FieldChange
}

// LeftAsIs is what an undo leaves as it is, and why.
type LeftAsIs struct {
	// Changed are fields in which somebody changed what the run had left.
	Changed []record.Field
	// Hidden are fields that a side does not show to the user any more.
	Hidden []record.Field
	// Gone are sides on which the record was deleted.
	Gone []record.Side
	// Held says that what the run made stays, because it is another user's too.
	Held bool
	// Away says that the pair is no longer synchronized, so that its content is none of the undo's business.
	Away bool
}

// Undo plans how to put back what a run did to a pair, given the changes it applied, in their order. It touches nothing else: what
// people changed since waits for the next run.
//
// A value that the run wrote over comes back on both sides, so that they agree again and the next run has no reason to
// repeat what was undone. Where that is not possible, because the records met for the first time or the settings do not let
// the other side be written, it comes back where it was written over, and the pair remembers that the two differ. What was
// put back already stays, and what anybody changed since is left alone, on both sides.
//
// A record that the run took into scope leaves it again while the other one stays: the pair is split. One that the run
// took out of scope comes back on both sides.
//
// Two records that the run matched are separate again: the link goes before anything is written, so that whatever happens
// then nothing goes from one to the other, and each gets its own values back. An undo of that brings the link back, once
// everything else is written. They agree then on what they had agreed on before and both still show; what one of them lacks
// of it, it may not have lost but changed.
func Undo(schema record.Schema, p Pair, applied []AppliedChange, policy Policy) (Decision, LeftAsIs) {
	u := &undo{schema: schema, pair: p, applied: applied, policy: policy, in: map[record.Side]bool{}, d: undecided(p)}
	u.tie()
	u.membership()
	u.content()
	u.operations()
	return u.d, u.rest
}

type undo struct {
	schema  record.Schema
	pair    Pair
	applied []AppliedChange
	policy  Policy
	// in says which records are to be in scope. parts and returns say that one leaves, or comes back.
	in             map[record.Side]bool
	parts, returns bool
	// separate says that the two are not linked in the end, so that nothing goes from one to the other.
	separate bool
	d        Decision
	rest     LeftAsIs
}

// tie decides what becomes of the link: the contrary of what the run did last. Where one record is gone, there is nothing to
// separate, or to link.
func (u *undo) tie() {
	last := Untouched
	for _, change := range u.applied {
		if change.Tie != Untouched {
			last = change.Tie
		}
	}
	both := u.pair.Sides[record.Creatio].exists() && u.pair.Sides[record.Google].exists()
	u.d.Separate = last == Matched && both && !u.policy.KeepsMatches
	u.d.Relink = last == Separated && both && u.pair.Separate
	u.separate = u.d.Separate || u.pair.Separate && !u.d.Relink
}

// moved is what the run did to the membership on a side, all in all.
func (u *undo) moved(s record.Side) Moved {
	first, last := Stayed, Stayed
	for _, change := range u.applied {
		if change.Side == s && change.Moved != Stayed {
			if first == Stayed {
				first = change.Moved
			}
			last = change.Moved
		}
	}
	if first != last {
		return Stayed
	}
	return last
}

// membership decides who is to be in scope.
func (u *undo) membership() {
	for _, s := range record.Sides {
		u.in[s] = u.pair.Sides[s].in()
	}
	for _, s := range record.Sides {
		n, moved := u.pair.Sides[s], u.moved(s)
		switch {
		case moved == Stayed:
		case moved == Entered && u.pair.Held && n.exists():
			u.rest.Held = true
		case !n.exists() && moved != Entered && u.policy.Departures[s.Other()] == Delete && u.pair.Sides[s.Other()].exists():
			// It is gone as the run left it, and is made again.
			u.in[s], u.returns = true, true
			if u.policy.Direction.Takes(s.Other()) && !u.separate {
				u.in[s.Other()] = true
			}
		case !n.exists():
			u.rest.Gone = append(u.rest.Gone, s)
		case moved == Entered:
			u.in[s], u.parts = false, true
		case !n.Member || !u.pair.Active && !u.in[s.Other()]:
			// One that is back already, as from an undo that was cut off, brings its counterpart back. Where both were in step again,
			// a person took that one out.
			u.in[s], u.returns = true, true
			if u.policy.Direction.Takes(s.Other()) && !u.separate {
				u.in[s.Other()] = true
			}
		}
	}
	if u.separate || !u.d.Relink && !u.parts && !u.returns {
		return
	}
	u.d.Active, u.d.SplitSide = u.together(), ""
	for _, s := range record.Sides {
		if !u.in[s] && u.in[s.Other()] {
			u.d.SplitSide = s
		}
	}
}

func (u *undo) together() bool { return u.in[record.Creatio] && u.in[record.Google] }

// content decides what both records are to show.
func (u *undo) content() {
	swapped, leaves := false, false
	for _, change := range u.applied {
		for _, c := range change.Fields {
			swapped = swapped || len(c.Swaps) > 0
		}
	}
	for _, s := range record.Sides {
		leaves = leaves || u.pair.Sides[s].in() && !u.in[s]
		if swapped && !u.pair.Sides[s].exists() && !slices.Contains(u.rest.Gone, s) {
			u.rest.Gone = append(u.rest.Gone, s)
		}
	}
	switch {
	case !u.pair.Sides[record.Creatio].exists() || !u.pair.Sides[record.Google].exists():
		return
	case !swapped && !u.returns && !u.d.Relink:
		return
	case !u.together() && !u.parts && !u.separate && !u.d.Relink:
		u.rest.Away = swapped
		return
	case leaves:
		// One operation does not do both: who leaves gets its content back once it is out, where no other run touches it.
		u.d.More = swapped
		return
	}
	u.d.Merged = u.takeBack()
	if (u.returns || u.d.Relink) && u.together() {
		u.meetAgain()
	}
}

// takeBack puts the run's values back, the last one first, and keeps everything else.
func (u *undo) takeBack() Merged {
	m := newMerger(false, map[record.Side]View{
		record.Creatio: u.pair.Sides[record.Creatio].View, record.Google: u.pair.Sides[record.Google].View,
	}, u.policy)
	for _, f := range u.schema {
		now := m.begin(f, u.pair.Base)
		if m.views[record.Creatio].hides(f) || m.views[record.Google].hides(f) {
			if u.swapped(f) {
				u.rest.Hidden = append(u.rest.Hidden, f)
			}
			m.leave(u.pair.Base[f.Name], now)
			m.finish()
			continue
		}
		m.after, m.base = now, slices.Clone(u.pair.Base[f.Name])
		left := false
		for _, change := range slices.Backward(u.applied) {
			for _, c := range change.Fields {
				if c.Field.Name != f.Name {
					continue
				}
				for _, swap := range slices.Backward(c.Swaps) {
					b := back{merger: m, side: change.Side, swap: swap, how: u.how(change, swap, f)}
					if agreed, ok := u.mergedFrom(swap, f); ok && b.how == together {
						b.how, b.agreed = differing, &agreed
					}
					left = !b.put() || left
				}
			}
		}
		if left {
			u.rest.Changed = append(u.rest.Changed, f)
		}
		if u.d.Relink {
			m.agreeOnShown()
		}
		m.finish()
	}
	return m.out
}

// swapped reports whether the run put a value of a field in the place of another.
func (u *undo) swapped(f record.Field) bool {
	return slices.ContainsFunc(u.applied, func(change AppliedChange) bool {
		return slices.ContainsFunc(change.Fields, func(c FieldChange) bool { return c.Field.Name == f.Name && len(c.Swaps) > 0 })
	})
}

// mergedFrom is what Creatio showed before the run, of a value that the run put together of what both sides had changed: nobody
// agreed on either, and undone each side shows its own again.
func (u *undo) mergedFrom(of record.Swap, f record.Field) (was record.Entry, ok bool) {
	wrote := map[record.Side]bool{}
	for _, change := range u.applied {
		for _, c := range change.Fields {
			for _, swap := range c.Swaps {
				if c.Field.Name != f.Name || f.Empty(swap.After) || f.Empty(swap.Before) || !f.Same(swap.After, of.After) {
					continue
				}
				if wrote[change.Side] = true; change.Side == record.Creatio {
					was = swap.Before
				}
			}
		}
	}
	return was, wrote[record.Creatio] && wrote[record.Google]
}

// how tells in which way a value comes back.
func (u *undo) how(change AppliedChange, swap record.Swap, f record.Field) way {
	switch {
	case u.separate && !f.Same(swap.Before, swap.After):
		return separate
	case !u.separate && u.parts && !u.together():
		if change.First {
			return outOfScopeUnagreed
		}
		return outOfScope
	case f.Same(swap.Before, swap.After):
		return respelled
	case change.First:
		return differing
	case !u.policy.Direction.Takes(change.Side.Other()):
		return oneSided
	default:
		return together
	}
}

// meetAgain merges a pair that comes back into step: its records may have changed while they were out of it.
func (u *undo) meetAgain() {
	back := u.d.Merged
	views := map[record.Side]View{}
	for _, s := range record.Sides {
		now := u.pair.Sides[s].View
		now.Fields, now.Projections = back.After[s], back.Projections[s]
		views[s] = now
	}
	u.d.Merged = Merge(u.schema, back.Base, u.pair.First, views, u.policy)
	for _, s := range record.Sides {
		u.d.Changes[s] = compose(u.schema, u.pair.Sides[s].Fields, u.d.After[s], back.Changes[s], u.d.Changes[s])
	}
}

// compose makes one list of changes of two that follow each other.
func compose(schema record.Schema, before, after record.Fields, lists ...[]FieldChange) []FieldChange {
	var out []FieldChange
	for _, f := range schema {
		if f.Equal(before[f.Name], after[f.Name]) {
			continue
		}
		c := FieldChange{Field: f, Before: before[f.Name], After: after[f.Name]}
		for _, list := range lists {
			for _, part := range list {
				if part.Field.Name == f.Name {
					c.Rule = part.Rule
					c.Swaps = append(c.Swaps, part.Swaps...)
				}
			}
		}
		out = append(out, c)
	}
	return out
}

// operations makes the decision's operations of what was decided.
func (u *undo) operations() {
	p := u.pair
	for _, s := range record.Sides {
		n := p.Sides[s]
		op := &record.Operation{Action: record.Update, Link: p.Link, ID: n.ID, AdapterState: n.AdapterState, Before: n.Fields, After: n.Fields}
		switch {
		case !n.exists():
			if u.in[s] && u.policy.Direction.Takes(s) && !u.separate {
				u.d.create(u.schema, p, s, u.policy)
			}
			continue
		case n.Member && !u.in[s]:
			op.Action = u.policy.Retract[s].action()
		case len(u.d.Changes[s]) > 0 || !n.Member && u.in[s]:
			op.Join = !n.Member && u.in[s]
			if len(u.d.Changes[s]) > 0 {
				op.After = u.d.After[s]
			}
			for _, c := range u.d.Changes[s] {
				op.Changed = append(op.Changed, c.Field.Name)
			}
		default:
			continue
		}
		u.d.Ops[s] = op
	}
	for s := range u.d.Ops {
		u.d.Rules[s] = RuleUndo
		for i := range u.d.Changes[s] {
			if u.d.Changes[s][i].Rule == RuleCreated {
				u.d.Changes[s][i].Rule = RuleUndo
			}
		}
	}
}
