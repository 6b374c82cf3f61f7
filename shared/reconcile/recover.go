package reconcile

import (
	"slices"

	"github.com/tandem-sync/tandem/shared/record"
)

// Recovered is what a link is after the writes of an intent, as far as its records show that they took effect.
type Recovered struct {
	Base        record.Fields
	Projections map[record.Side][]record.Projection
	Active      bool
	SplitSide   record.Side
}

// Recover decides what became of an intent whose outcome nobody heard, value by value. A record that shows what was
// intended was tookEffect, one that shows what it did before was not. What shows neither is somebody's edit: it is taken for a
// change against whichever value makes it a conflict, so that nothing of it is lost without a word.
//
// The values of a set are told apart by their keys; rows reports whether a side still has a row that the intent made.
func Recover(schema record.Schema, link Recovered, intent record.Intent, now map[record.Side]Now, rows func(record.Side, string) bool) Recovered {
	r := recovery{intent: intent, old: link, now: now, rows: rows, unwritten: map[record.Side]bool{}, out: Recovered{
		Base: link.Base.Clone(), Active: link.Active, SplitSide: link.SplitSide, Projections: map[record.Side][]record.Projection{},
	}}
	for _, s := range record.Sides {
		r.out.Projections[s] = slices.DeleteFunc(slices.Clone(link.Projections[s]), func(p record.Projection) bool {
			return slices.Contains(intent.Fields, p.Field)
		})
	}
	for _, name := range intent.Fields {
		if f, ok := schema.Field(name); ok {
			r.field(f)
		}
	}
	r.membership()
	return r.out
}

type recovery struct {
	intent record.Intent
	old    Recovered
	now    map[record.Side]Now
	rows   func(record.Side, string) bool
	out    Recovered
	// unwritten are the sides on which a value was not written.
	unwritten map[record.Side]bool
}

// effect is what became of one value on one side.
type effect int

const (
	untouched effect = iota // nothing was to change there
	tookEffect
	tookNone
	editedSince
)

// field recovers one field: of a set each value by itself.
func (r *recovery) field(f record.Field) {
	if !f.Set {
		r.value(f, r.old.Base.One(f.Name), r.intent.Base.One(f.Name))
		return
	}
	before, order := byKey(f, r.old.Base[f.Name])
	after, more := byKey(f, r.intent.Base[f.Name])
	delete(r.out.Base, f.Name)
	for _, k := range more {
		if _, known := before[k]; !known {
			order = append(order, k)
		}
	}
	for _, k := range order {
		r.value(f, before[k], after[k])
	}
}

func byKey(f record.Field, entries []record.Entry) (map[string]record.Entry, []string) {
	out := make(map[string]record.Entry, len(entries))
	var order []string
	for _, e := range entries {
		k := f.Key(e)
		if _, twice := out[k]; !twice {
			order = append(order, k)
		}
		out[k] = e
	}
	return out, order
}

// value recovers one value: what both sides agree on, and in what form each shows it.
func (r *recovery) value(f record.Field, before, after record.Entry) {
	effects := map[record.Side]effect{}
	for _, s := range record.Sides {
		effects[s] = r.effect(s, f, before, after)
		if effects[s] == tookNone {
			r.unwritten[s] = true
		}
	}
	count := func(x effect) (n int) {
		for _, is := range effects {
			if is == x {
				n++
			}
		}
		return n
	}
	// A value that neither side shows any more was edited on both. Until their edits have come together, it is what they are edits of.
	took := count(tookNone) == 0 && !(f.Set && f.Empty(after) && count(untouched) == len(record.Sides))
	if count(editedSince) > 0 {
		took = r.conflictsWith(f, effects, before, after)
	}
	base, projections := before, r.old.Projections
	if took {
		base, projections = after, map[record.Side][]record.Projection{}
		for _, s := range record.Sides {
			projections[s] = r.intent.Sides[s].Projections
		}
	}
	r.agree(f, base)
	for _, s := range record.Sides {
		for _, p := range projections[s] {
			if p.Field == f.Name && f.Same(p.Canonical, base) {
				r.out.Projections[s] = append(r.out.Projections[s], p)
			}
		}
	}
}

func (r *recovery) agree(f record.Field, e record.Entry) {
	switch {
	case f.Set && !f.Empty(e):
		r.out.Base[f.Name] = append(r.out.Base[f.Name], e)
	case f.Set:
	case f.Empty(e):
		delete(r.out.Base, f.Name)
	default:
		r.out.Base[f.Name] = []record.Entry{e}
	}
}

// effect tells what a side shows of a value that was to come in the place of another.
func (r *recovery) effect(s record.Side, f record.Field, before, after record.Entry) effect {
	side, now := r.intent.Sides[s], r.now[s]
	if side.Action == "" {
		return untouched
	}
	was, is := displayed(f, side.Before, r.old.Projections[s], before), displayed(f, side.After, side.Projections, after)
	switch {
	case !f.Set && f.Same(was, is) && !f.Same(before, after) && standsFor(f, side.Projections, after):
		// It shows the same before and after. Written once more it is what it was to be.
		return tookNone
	case f.Same(was, is), f.Set && f.Empty(was) && shows(f, side.Before[f.Name], is):
		// A value that only the other side was to get shows here already.
		return untouched
	case !now.exists():
		return tookNone
	case !f.Empty(is) && shows(f, now.Fields[f.Name], is):
		return tookEffect
	case f.Empty(was) && !f.Set && f.Empty(now.Fields.One(f.Name)), !f.Empty(was) && shows(f, now.Fields[f.Name], was):
		return tookNone
	case f.KindYields && !f.Empty(was) && f.Empty(is) && slices.ContainsFunc(now.Fields[f.Name], func(e record.Entry) bool { return f.Key(e) == f.Key(was) }):
		return tookNone
	case f.Set && f.Empty(was):
		if r.made(s, f) {
			return editedSince
		}
		return tookNone
	case f.Empty(is) && (f.Set || f.Empty(now.Fields.One(f.Name))):
		return tookEffect
	default:
		return editedSince
	}
}

// displayed is the form in which a side shows an agreed value; the zero Entry where it shows none.
func displayed(f record.Field, shown record.Fields, projections []record.Projection, e record.Entry) record.Entry {
	for _, p := range projections {
		if p.Field == f.Name && f.Same(p.Canonical, e) {
			return p.Displayed
		}
	}
	if !f.Set {
		// What nobody agreed on may show all the same.
		return shown.One(f.Name)
	}
	for _, is := range shown[f.Name] {
		if f.Key(is) == f.Key(e) {
			return is
		}
	}
	return record.Entry{}
}

// standsFor reports whether a side shows something else in the place of a value.
func standsFor(f record.Field, projections []record.Projection, e record.Entry) bool {
	return slices.ContainsFunc(projections, func(p record.Projection) bool { return p.Field == f.Name && f.Same(p.Canonical, e) })
}

func shows(f record.Field, entries []record.Entry, e record.Entry) bool {
	return slices.ContainsFunc(entries, func(is record.Entry) bool { return f.Same(is, e) })
}

// made reports whether a side has a row that the intent was to make in a field.
func (r *recovery) made(s record.Side, f record.Field) bool {
	return r.rows != nil && slices.ContainsFunc(r.intent.Sides[s].Rows[f.Name], func(id string) bool { return r.rows(s, id) })
}

// conflictsWith reports whether a value that somebody edited since is a conflict against the intended one rather than against
// the former one: where the other side still shows what it was taken from, the former one, else the intended one. Where the
// other side was to be written too, nobody edited it, and what it shows is agreed.
func (r *recovery) conflictsWith(f record.Field, effects map[record.Side]effect, before, after record.Entry) (intended bool) {
	for _, s := range record.Sides {
		if effects[s] == editedSince && r.made(s, f) {
			return true
		}
	}
	for _, s := range record.Sides {
		switch effects[s] {
		case editedSince:
		case tookEffect:
			return true
		case tookNone:
			return false
		case untouched:
			return !shows(f, r.now[s].Fields[f.Name], displayed(f, r.intent.Sides[s].After, r.intent.Sides[s].Projections, after))
		}
	}
	return f.Empty(before)
}

// created reports whether a record that was to be created is there with every row. Then it came into scope with them, and if it
// is not in scope now, somebody took it out.
func (r *recovery) created(s record.Side) bool {
	if !r.now[s].exists() {
		return false
	}
	for _, rows := range r.intent.Sides[s].Rows {
		if slices.ContainsFunc(rows, func(id string) bool { return r.rows == nil || !r.rows(s, id) }) {
			return false
		}
	}
	return true
}

// membership recovers whether the pair is in scope. Where a side was to come into scope or to leave it and did not, the
// link is what it was; and so where the pair was to be split because a record says that the user does not take part, and does not.
func (r *recovery) membership() {
	for _, s := range record.Sides {
		side := r.intent.Sides[s]
		if side.Action == record.Update && r.old.Active && !r.intent.Active && r.unwritten[s] {
			return
		}
		if side.Action == "" || side.WasMember == side.Member || side.Action == record.Create && r.created(s) {
			continue
		}
		if r.now[s].in() != side.Member {
			return
		}
	}
	r.out.Active, r.out.SplitSide = r.intent.Active, r.intent.SplitSide
}
