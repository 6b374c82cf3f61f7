// Package reconcile decides what a run does: from what two records last agreed on,
// what they are now and what the settings say, to the list of operations with the
// reason of each. It knows fields, not contacts.
//
// The package is pure: no I/O, no clock, no logger. The same input gives the same plan,
// in the same order.
package reconcile

import (
	"slices"

	"github.com/tandem-sync/tandem/shared/record"
)

// Now is one record of a pair as it is.
type Now struct {
	// ID is empty where the side has no record yet.
	ID string
	// Gone says that the record was deleted.
	Gone bool
	// Member says that it is in scope: tagged, or in the group.
	Member bool
	// Withdrawn says that it left the scope by a person's choice about the synchronization alone.
	Withdrawn bool
	// WasLocked are the locks of the record when it was seen last.
	WasLocked []string
	// AdapterState is what the side's adapter keeps of it.
	AdapterState []byte
	View
}

// guestCopy reports whether the record was a copy that the user could not remove for others.
func (n Now) guestCopy() bool { return slices.Contains(n.WasLocked, record.Removal) }

func (n Now) exists() bool { return n.ID != "" && !n.Gone }

// in reports whether the record is there and in scope.
func (n Now) in() bool { return n.exists() && n.Member }

// Pair is what a link ties together.
type Pair struct {
	// Link is the link's id.
	Link string
	// First says that the records are matched for the first time.
	First bool
	// TakenOver is the side whose record is left as it is by a first match; empty where both may be written.
	TakenOver record.Side
	// Active says that both were in scope when they last agreed.
	Active bool
	// SplitSide is the side on which an undo took the record out of scope while the other one stayed in it; empty where
	// there is none.
	SplitSide record.Side
	// Separate says that an undo took the link away: it is as it was then, and nothing follows from it.
	Separate bool
	// Orphaned says that a guest's copy is gone because nobody's account has the record any more of which it was a copy.
	Orphaned bool
	// Held says that another user's link holds the records too, so that an undo of what made them leaves them there.
	Held  bool
	Base  record.Fields
	Sides map[record.Side]Now
	// NewIDs are the ids that new records get, where they are chosen here.
	NewIDs map[record.Side]string
}

// Decision is what is to be done about a pair.
type Decision struct {
	Link string
	// Ops are the operations, at most one for each side.
	Ops map[record.Side]*record.Operation
	// Rules tell why, for each operation.
	Rules map[record.Side]string
	Merged
	// Active and SplitSide are the link's state once every operation is done.
	Active    bool
	SplitSide record.Side
	// First says that the records met for the first time.
	First bool
	// More says that the pair has to be read and planned again once the operations are done.
	More bool
	// Separate says that the link is to go before anything is written, and Relink that it is to be there once everything is.
	Separate, Relink bool
	// Drop says that the pair is none of the sync's business and needs no link.
	Drop bool
	// left says on which sides the record is no longer in scope although it was.
	left map[record.Side]bool
}

// Decide plans one pair.
func Decide(schema record.Schema, p Pair, policy Policy) Decision {
	d := undecided(p)
	switch {
	case p.abandoned(policy):
		d.SplitSide = ""
		d.leave(schema, p, policy)
	case p.splitByUndo():
		// An undo left it so, and nobody has touched it since.
		return d
	case p.Active && p.guestLeft(policy.Direction):
		d.leave(schema, p, policy)
	case wanted(p, policy.Direction):
		d.SplitSide = ""
		d.join(schema, p, policy)
	case p.Active && p.editStays(schema, policy):
		again := p
		again.Active = false
		d.join(schema, again, policy)
	case p.Active && p.carriesOn(policy.Direction):
		d.Active = true
		d.create(schema, p, p.departed(), policy)
	case p.Active:
		d.leave(schema, p, policy)
	default:
		d.SplitSide, d.Drop = "", p.First
	}
	return d
}

// undecided is the decision that changes nothing.
func undecided(p Pair) Decision {
	d := Decision{
		Link: p.Link, Active: p.Active, SplitSide: p.SplitSide, First: p.First,
		Ops: map[record.Side]*record.Operation{}, Rules: map[record.Side]string{},
	}
	d.Base = p.Base
	return d
}

// splitByUndo reports whether one record is out of scope and the other one in it as an undo left them.
func (p Pair) splitByUndo() bool {
	return p.SplitSide != "" && !p.Sides[p.SplitSide].in() && p.Sides[p.SplitSide.Other()].in()
}

// abandoned reports whether the user declined because the own copy was gone, and by now nobody else takes part any more: two who
// decline at the same moment each take the other one for somebody who does.
func (p Pair) abandoned(policy Policy) bool {
	if p.Active || p.SplitSide == "" || len(policy.Decline) == 0 || p.departed() != p.SplitSide || !p.Sides[p.SplitSide].guestCopy() {
		return false
	}
	stays := p.Sides[p.SplitSide.Other()]
	for name, value := range policy.Decline {
		if !slices.EqualFunc(stays.Fields[name], value, record.Entry.Equal) {
			return false
		}
	}
	return !slices.Contains(stays.Locked, record.Others) && !slices.Contains(stays.Locked, record.Absent)
}

// wanted tells whether the pair is to be in scope: membership merges like any other value, by three ways.
func wanted(p Pair, direction Direction) bool {
	inC, inG := p.Sides[record.Creatio].in(), p.Sides[record.Google].in()
	switch {
	case !direction.Takes(record.Creatio):
		return inC
	case !direction.Takes(record.Google):
		return inG
	case p.Active:
		return inC && inG
	default:
		return inC || inG
	}
}

// leave has the record follow on the side where it still is in scope, as the policy says. Where it is kept, the pair is
// split: nothing follows from it any more as long as both records stay as they are.
func (d *Decision) leave(schema record.Schema, p Pair, policy Policy) {
	d.Active = false
	d.left = map[record.Side]bool{}
	for _, side := range record.Sides {
		n := p.Sides[side]
		if !n.in() {
			d.left[side] = true
			continue
		}
		takes, copied := policy.Direction.Takes(side), p.Sides[side.Other()].guestCopy()
		switch {
		case !takes && copied:
			d.SplitSide = side.Other()
			continue
		case !takes:
			d.Active = true
			continue
		case copied && slices.Contains(n.Locked, record.Others):
			d.decline(schema, p, side, policy)
			continue
		}
		action := p.departure(side, policy).action()
		if action == "" {
			d.SplitSide = side.Other()
			continue
		}
		d.Rules[side] = RuleLeft
		d.Ops[side] = &record.Operation{
			Action: action, Link: p.Link, ID: n.ID, AdapterState: n.AdapterState, Before: n.Fields, After: n.Fields,
		}
	}
}

// departed is the side whose record is gone while the other one is in scope; empty where there is none.
func (p Pair) departed() record.Side {
	for _, side := range record.Sides {
		if p.Sides[side].Gone && p.Sides[side.Other()].in() {
			return side
		}
	}
	return ""
}

// carriesOn reports whether the record that departed was a guest's copy of one that a run made for another user, whose account does
// not carry it any more. Then this user's account carries what is left.
func (p Pair) carriesOn(direction Direction) bool {
	side := p.departed()
	if side == "" || !direction.Takes(side) {
		return false
	}
	n := p.Sides[side]
	alone := !slices.Contains(p.Sides[side.Other()].Locked, record.Others)
	return n.guestCopy() && !slices.Contains(n.WasLocked, record.Withdrawal) && (alone || p.Orphaned)
}

// guestLeft reports whether the record that departed was a guest's copy of one that is somebody else's. It does not come back as one
// of the user's own, also where the settings let nothing of its departure reach the other side.
func (p Pair) guestLeft(direction Direction) bool {
	side := p.departed()
	return side != "" && p.Sides[side].guestCopy() && !p.carriesOn(direction)
}

// editStays reports whether one record was deleted, or cancelled, and the other one edited, and the edit is to stay. Whose time is
// known was not deleted but cancelled: then the later of the two stays, where the settings say so.
func (p Pair) editStays(schema record.Schema, policy Policy) bool {
	for _, side := range record.Sides {
		gone, edited := p.Sides[side], p.Sides[side.Other()]
		if gone.in() || !edited.in() {
			continue
		}
		switch {
		case !policy.EditsStay, gone.Withdrawn, gone.guestCopy(), slices.Contains(edited.Locked, record.Removal), policy.Direction.one(),
			!edited.edited(schema, p.Base, policy, gone.WasLocked):
			return false
		case policy.Conflicts == CreatioWins:
			return side == record.Google
		case policy.Conflicts == GoogleWins:
			return side == record.Creatio
		default:
			return gone.Gone || edited.Modified.After(gone.Modified)
		}
	}
	return false
}

// one reports whether changes go one way only.
func (d Direction) one() bool { return !d.Takes(record.Creatio) || !d.Takes(record.Google) }

// edited reports whether a record shows something else than was agreed on. Who answers an invitation edits nothing, nor does who changes
// what the other side did not take.
func (n Now) edited(schema record.Schema, base record.Fields, policy Policy, locked []string) bool {
	return slices.ContainsFunc(schema, func(f record.Field) bool {
		if policy.Decline[f.Name] != nil || slices.Contains(locked, f.Name) {
			return false
		}
		is, _ := n.means(record.Schema{f}, base)
		if f.Set {
			return !sameKeys(f, is[f.Name], base[f.Name])
		}
		return !f.Same(is.One(f.Name), base.One(f.Name))
	})
}

// means is what a record's values stand for, and what it shows in their place: what was agreed on, also where the side cannot
// show it.
func (n Now) means(schema record.Schema, base record.Fields) (fields record.Fields, shown []record.Projection) {
	fields = record.Fields{}
	for _, f := range schema {
		for _, s := range translate(f, n.Fields[f.Name], base[f.Name], n.Projections) {
			if f.Empty(s.canonical) {
				continue
			}
			fields[f.Name] = append(fields[f.Name], s.canonical)
			if s.displayed != nil {
				shown = append(shown, record.Projection{Field: f.Name, Canonical: s.canonical, Displayed: *s.displayed, Untracked: s.untracked})
			}
		}
	}
	return fields, shown
}

// sameKeys reports whether two sets have the same members, whatever their labels.
func sameKeys(f record.Field, a, b []record.Entry) bool {
	within := func(a, b []record.Entry) bool {
		return !slices.ContainsFunc(a, func(e record.Entry) bool {
			return !slices.ContainsFunc(b, func(o record.Entry) bool { return f.Key(o) == f.Key(e) })
		})
	}
	return within(a, b) && within(b, a)
}

// decline has a record in which others take part say that this user does not, whose copy is gone, and stay as it is otherwise.
func (d *Decision) decline(schema record.Schema, p Pair, side record.Side, policy Policy) {
	d.SplitSide = side.Other()
	n := p.Sides[side]
	// Should the copy come back, what it says of the user is newer than that.
	d.Base = p.Base.Clone()
	for name, value := range policy.Decline {
		d.Base[name] = value
	}
	op := &record.Operation{Action: record.Update, Link: p.Link, ID: n.ID, AdapterState: n.AdapterState, Before: n.Fields, After: n.Fields.Clone()}
	for _, f := range schema {
		value, asked := policy.Decline[f.Name]
		if !asked || f.Equal(n.Fields[f.Name], value) || slices.Contains(n.Locked, f.Name) {
			continue
		}
		op.After[f.Name], op.Changed = value, append(op.Changed, f.Name)
	}
	if len(op.Changed) > 0 {
		d.Ops[side], d.Rules[side] = op, RuleLeft
	}
}

// departure is what becomes of the record that stayed on a side. One that the user may not remove stays as it is, and so do one
// that nothing reaches, and one that a person made where its counterpart was only taken out of the synchronization.
func (p Pair) departure(side record.Side, policy Policy) Departure {
	locked := p.Sides[side].Locked
	if slices.Contains(locked, record.Removal) || slices.Contains(locked, record.Loss) || p.Sides[side.Other()].Withdrawn && slices.Contains(locked, record.Withdrawal) {
		return Keep
	}
	return policy.Departures[side.Other()]
}

// join brings both records to the same content and into scope, and creates the one that is missing.
func (d *Decision) join(schema record.Schema, p Pair, policy Policy) {
	d.Active = true
	for _, side := range record.Sides {
		if !p.Sides[side].exists() {
			d.create(schema, p, side, policy)
			return
		}
	}
	views := map[record.Side]View{}
	for _, side := range record.Sides {
		view := p.Sides[side].View
		view.TakenOver = side == p.TakenOver
		views[side] = view
	}
	d.Merged = Merge(schema, p.Base, p.First, views, policy)
	for _, side := range record.Sides {
		n := p.Sides[side]
		enter := !n.Member && !p.Active && policy.Direction.Takes(side)
		if len(d.Changes[side]) == 0 && !enter {
			continue
		}
		op := &record.Operation{
			Action: record.Update, Link: p.Link, ID: n.ID, AdapterState: n.AdapterState,
			Before: n.Fields, After: d.After[side], Join: enter,
		}
		for _, c := range d.Changes[side] {
			op.Changed = append(op.Changed, c.Field.Name)
		}
		d.Ops[side] = op
		switch {
		case enter && p.First:
			d.Rules[side] = RuleFirst
		case enter:
			d.Rules[side] = RuleCameBack
		default:
			d.Rules[side] = RuleChanged
		}
	}
}

// once leaves out of sets what a record has several times, each in another form.
func once(schema record.Schema, fields record.Fields, home string) {
	for _, f := range schema {
		if f.Located == nil {
			continue
		}
		f.Alike = f.Located([]record.Fields{fields}, home)
		seen := map[string]bool{}
		var kept []record.Entry
		for i, key := range f.Keys(fields[f.Name]) {
			if !seen[key] {
				seen[key] = true
				kept = append(kept, fields[f.Name][i])
			}
		}
		fields[f.Name] = kept
	}
}

// create plans the record that is missing on a side, as a copy of the other one.
func (d *Decision) create(schema record.Schema, p Pair, side record.Side, policy Policy) {
	if !policy.Direction.Takes(side) {
		d.Active, d.Drop = false, p.First
		return
	}
	from := p.Sides[side.Other()]
	fields, shown := from.means(schema, p.Base)
	once(schema, fields, policy.Home)
	op := &record.Operation{Action: record.Create, Link: p.Link, ID: p.NewIDs[side], Before: record.Fields{}, After: fields, Join: true}
	d.Merged = Merged{
		Base:        fields,
		After:       map[record.Side]record.Fields{side: fields, side.Other(): fields},
		Changes:     map[record.Side][]FieldChange{},
		Projections: map[record.Side][]record.Projection{side.Other(): shown},
	}
	for _, f := range schema {
		if len(fields[f.Name]) > 0 {
			op.Changed = append(op.Changed, f.Name)
			d.Changes[side] = append(d.Changes[side], FieldChange{Field: f, After: fields[f.Name], Rule: RuleCreated})
		}
	}
	d.Ops[side], d.Rules[side] = op, RuleCreated
	if other := p.Sides[side.Other()]; !other.Member && policy.Direction.Takes(side.Other()) {
		d.Ops[side.Other()] = &record.Operation{
			Action: record.Update, Link: p.Link, ID: other.ID, AdapterState: other.AdapterState,
			Before: other.Fields, After: other.Fields, Join: true,
		}
		d.Rules[side.Other()] = RuleCameBack
	}
}
