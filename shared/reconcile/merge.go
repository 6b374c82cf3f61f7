package reconcile

import (
	"slices"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
)

// Direction says which way changes go.
type Direction string

// The directions of the settings.
const (
	Both      Direction = "both"
	ToGoogle  Direction = "to-google"
	ToCreatio Direction = "to-creatio"
)

// Takes reports whether changes may be written to the side.
func (d Direction) Takes(s record.Side) bool {
	return d == Both || d == "" || (d == ToGoogle && s == record.Google) || (d == ToCreatio && s == record.Creatio)
}

// Conflicts says who wins where both sides changed the same value differently.
type Conflicts string

// The conflict rules of the settings.
const (
	Latest      Conflicts = "latest"
	CreatioWins Conflicts = "creatio"
	GoogleWins  Conflicts = "google"
)

// Departure is what becomes of a record whose counterpart was deleted or left the scope.
type Departure string

// What may become of it.
const (
	// Unlink takes it out of scope.
	Unlink Departure = ""
	// Cancel marks it as one that does not take place; Delete removes it.
	Cancel Departure = "cancel"
	Delete Departure = "delete"
	// Keep leaves it as it is, and ties it to nothing any more.
	Keep Departure = "keep"
)

// action is the one that carries a departure out; empty where there is nothing to carry out.
func (d Departure) action() record.Action {
	switch d {
	case Cancel:
		return record.Cancel
	case Delete:
		return record.Delete
	case Keep:
		return ""
	default:
		return record.Unlink
	}
}

// Policy is what the user's settings say about a merge.
type Policy struct {
	Direction Direction
	Conflicts Conflicts
	// Departures say, by the side on which a record departs, what becomes of its counterpart.
	Departures map[record.Side]Departure
	// Home is the country of the user, as ISO 3166-1 has it; empty where it is not known.
	Home string
	// KeepsMatches says that records which a run matched stay a pair when that run is undone: nobody is asked about them.
	KeepsMatches bool
	// EditsStay says that an edit of a record counts against the deletion of its counterpart as one of two changes that meet.
	EditsStay bool
	// Decline are the values by which a record says that the user does not take part.
	Decline record.Fields
	// Retract says, by side, what becomes of a record that a run created when that run is undone.
	Retract map[record.Side]Departure
	// TakesOver is the side whose records are left as they are when they are matched with one of the other side that was not made
	// from them, nor they from it; empty for none.
	TakesOver record.Side
}

// The rules by which a value was decided, as history names them.
const (
	RuleChanged     = "changed"       // one side changed, the other did not
	RuleFirst       = "first-meeting" // the records are matched for the first time and only one had a value
	RuleLatest      = "latest"        // both changed; the later change won
	RuleCreatio     = "creatio-wins"  // both changed; the settings prefer Creatio
	RuleGoogle      = "google-wins"   // both changed; the settings prefer Google
	RuleDirection   = "direction"     // both changed; the settings allow one direction only
	RuleEditKept    = "edit-kept"     // one side emptied what the other edited; the edit stays
	RuleCreated     = "created"       // a new record
	RuleLeft        = "left"          // the record left the scope on the other side
	RuleCameBack    = "came-back"     // the record is in scope again on the other side
	RuleReturned    = "returned"      // the record is there again in whose place it was made
	RuleUndo        = "undo"          // the user undid a run
	RuleBothKept    = "both-kept"     // the records are matched for the first time, and each side keeps what it has
	RuleUntouchable = ""              // nothing was decided
)

// FieldChange is one value that a side gets, and why.
type FieldChange struct {
	Field         record.Field
	Before, After []record.Entry
	Rule          string
	// Swaps are the single values that came in the place of others, in the order in which that happened.
	Swaps []record.Swap
}

// Conflict is a value that both sides changed differently.
type Conflict struct {
	Field  string
	Winner record.Side
	Lost   []record.Entry
}

// Merged is what a merge comes to.
type Merged struct {
	// Base is what both sides agree on once every write is done.
	Base record.Fields
	// After is the content each side is to have, in that side's own spelling.
	After map[record.Side]record.Fields
	// Changes are the values each side gets.
	Changes map[record.Side][]FieldChange
	// Projections are the values that a side keeps in its own spelling although the base has another.
	Projections map[record.Side][]record.Projection
	Conflicts   []Conflict
	// BothKept are the fields in which each side keeps what it has until somebody edits it: Before is what the record shows that was
	// taken over, After what the other one does.
	BothKept []FieldChange
	// ByTime says that some value was decided by which record changed last.
	ByTime bool
}

// View is one record of a pair as it is now.
type View struct {
	Fields      record.Fields
	Untracked   record.Fields
	Projections []record.Projection
	// Locked are the names of fields that may not be written here. Followed says that the record follows another user's, in which
	// they may be written, and that the runs of that user do so.
	Locked   []string
	Followed bool
	// Hidden is what the side has and does not show to this user, as record.Record names it.
	Hidden   []string
	Modified time.Time
	// TakenOver says that the record is left as it is by this match, whatever its counterpart has that it has not, or has otherwise.
	TakenOver bool
}

// hides reports whether the side has a field that it does not show.
func (v View) hides(f record.Field) bool { return slices.Contains(v.Hidden, f.Name) }

// hasUntracked reports whether the side has a value of a set under a label of its own, where it does not show it.
func (v View) hasUntracked(f record.Field, e record.Entry) bool {
	if v.Untracked == nil {
		return slices.ContainsFunc(v.Projections, func(s record.Projection) bool {
			return s.Untracked && s.Field == f.Name && f.Key(s.Canonical) == f.Key(e)
		})
	}
	return slices.ContainsFunc(v.Untracked[f.Name], func(k record.Entry) bool { return f.Means(k, e) })
}

// Merge brings two records together, field by field, against what they last agreed on. first says that
// they are matched for the first time, so that there is no base. Sets merge entry by entry.
func Merge(schema record.Schema, base record.Fields, first bool, views map[record.Side]View, p Policy) Merged {
	m := newMerger(first, views, p)
	m.wholes = composites(m, schema, base)
	for _, f := range schema {
		now := m.begin(f, base)
		switch {
		case m.views[record.Creatio].hides(f), m.views[record.Google].hides(f):
			m.leave(base[f.Name], now)
		case f.Set:
			m.set(m.agreed(base[f.Name], now), now)
		default:
			m.single(base.One(f.Name), one(now[record.Creatio]), one(now[record.Google]))
		}
		m.finish()
	}
	return m.out
}

func newMerger(first bool, views map[record.Side]View, p Policy) *merger {
	return &merger{policy: p, first: first, views: views, beside: map[string]bool{}, out: Merged{
		Base:        record.Fields{},
		After:       map[record.Side]record.Fields{record.Creatio: {}, record.Google: {}},
		Changes:     map[record.Side][]FieldChange{},
		Projections: map[record.Side][]record.Projection{},
	}}
}

// begin turns to a field, and reads what both sides show of it.
func (m *merger) begin(f record.Field, base record.Fields) map[record.Side][]slot {
	if f.Located != nil {
		f.Alike = f.Located([]record.Fields{m.views[record.Creatio].Fields, m.views[record.Google].Fields}, m.policy.Home)
	}
	m.field, m.base = f, nil
	m.after, m.rule, m.swaps = map[record.Side][]slot{}, map[record.Side]string{}, map[record.Side][]record.Swap{}
	m.bothKept = ""
	m.identify(base[f.Name])
	now := map[record.Side][]slot{}
	for _, s := range record.Sides {
		agreed := slices.Concat(base[f.Name], m.views[s.Other()].Fields[f.Name])
		now[s] = translate(f, m.views[s].Fields[f.Name], base[f.Name], m.views[s].Projections, m.views[s].withoutHidden(f, agreed)...)
	}
	if f.Set {
		for _, s := range record.Sides {
			m.asRepeated(s, now[s], base[f.Name])
			now[s] = m.withUntracked(s, now[s], now[s.Other()], base[f.Name])
		}
	}
	return now
}

// merger merges one field at a time and gathers the outcome.
type merger struct {
	policy Policy
	first  bool
	views  map[record.Side]View
	field  record.Field
	out    Merged

	// identities are the keys of values of a set that are the same as others, by their own.
	identities map[string]string

	wholes map[string]composite
	// beside names the fields that one side has beside a value and the other one in it.
	beside map[string]bool

	base  []record.Entry
	after map[record.Side][]slot
	rule  map[record.Side]string
	swaps map[record.Side][]record.Swap
	// bothKept is the side that was taken over and keeps a value of the field of which the other side has another one.
	bothKept record.Side
}

// put decides one value: what the base gets and what each side gets.
func (m *merger) put(base, creatio, google slot) {
	if !m.field.Empty(base.canonical) {
		m.base = append(m.base, base.canonical)
	}
	for side, s := range map[record.Side]slot{record.Creatio: creatio, record.Google: google} {
		if !m.field.Empty(s.canonical) || s.displayed != nil {
			m.after[side] = append(m.after[side], s)
		}
	}
}

// leave leaves a field as it is, of which one side does not show what it has.
func (m *merger) leave(base []record.Entry, now map[record.Side][]slot) {
	m.base = base
	for side, slots := range now {
		m.after[side] = slots
	}
}

// finish writes the field's outcome down, each side in its own spelling.
func (m *merger) finish() {
	name := m.field.Name
	if len(m.base) > 0 {
		m.out.Base[name] = m.base
	}
	for _, side := range record.Sides {
		before := m.views[side].Fields[name]
		after := m.spell(side)
		if len(after) > 0 {
			m.out.After[side][name] = after
		}
		if !m.field.Equal(before, after) {
			m.out.Changes[side] = append(m.out.Changes[side], FieldChange{
				Field: m.field, Before: before, After: after, Rule: m.rule[side], Swaps: m.swaps[side],
			})
		}
	}
	if s := m.bothKept; s != "" {
		m.out.BothKept = append(m.out.BothKept, FieldChange{
			Field: m.field, Before: m.views[s].Fields[name], After: m.out.After[s.Other()][name], Rule: RuleBothKept,
		})
	}
}

// spell writes a side's values as the side shows them. A value that would show as another one that is there as well
// does not show: a side holds each value once, and would seem to have lost the other one.
func (m *merger) spell(side record.Side) []record.Entry {
	seen := map[string]bool{}
	for _, s := range m.after[side] {
		if s.displayed == nil {
			seen[m.field.Key(s.canonical)] = true
		}
	}
	var after []record.Entry
	for _, s := range m.after[side] {
		e := s.canonical
		if s.displayed != nil {
			e = *s.displayed
			if seen[m.field.Key(e)] {
				e = record.Entry{}
			}
			seen[m.field.Key(e)] = true
			if s.repeated {
				if !m.field.Empty(e) {
					after = append(after, e)
				}
				continue
			}
			m.out.Projections[side] = append(m.out.Projections[side], record.Projection{Field: m.field.Name, Canonical: s.canonical, Displayed: e, Untracked: s.untracked, Alone: s.alone, Split: s.split})
		}
		if !m.field.Empty(e) {
			after = append(after, e)
		}
	}
	return after
}

// single merges a field with one value.
func (m *merger) single(base record.Entry, c, g slot) {
	w, decided := m.wholes[m.field.Of]
	if decided && w.shows != nil {
		m.show(w, map[record.Side]slot{record.Creatio: c, record.Google: g})
		return
	}
	if m.beside[m.field.Name] && m.field.Empty(base) && m.field.Empty(c.canonical) != m.field.Empty(g.canonical) {
		m.put(slot{}, c.asShown(), g.asShown())
		return
	}
	if stays := !m.takes(record.Creatio) && !m.takes(record.Google); !decided || stays || m.field.Same(c.canonical, g.canonical) {
		m.entry(slot{canonical: base}, c, g)
		return
	}
	m.resolve(w.winner, w.rule, c, g)
}

// entry merges one value by the three-way rule. An empty slot is an absent value.
func (m *merger) entry(b, c, g slot) {
	same := m.field.Same
	cChanged, gChanged := !same(c.canonical, b.canonical), !same(g.canonical, b.canonical)
	switch {
	case same(c.canonical, g.canonical):
		m.put(c, c, g)
	case m.first && m.field.Loose != nil && !m.field.Empty(c.canonical) && !m.field.Empty(g.canonical) && m.field.Loose(c.canonical) != m.field.Loose(g.canonical):
		m.keepBoth(c, g)
	case m.first && m.shortened(c, g):
		m.put(c, c, c.shownAs(g))
	case m.first && m.shortened(g, c):
		m.put(g, g.shownAs(c), g)
	case !cChanged && !m.takes(record.Creatio), !gChanged && !m.takes(record.Google), !m.takes(record.Creatio) && !m.takes(record.Google):
		m.stay(b, c, g)
	case cChanged && gChanged && m.leavesToOther():
		m.stay(b, c, g)
	case !cChanged:
		m.put(g, slot{canonical: g.canonical}, g)
		m.decide(record.Creatio, m.changed(), c, slot{canonical: g.canonical})
	case !gChanged:
		m.put(c, c, slot{canonical: c.canonical})
		m.decide(record.Google, m.changed(), g, slot{canonical: c.canonical})
	case m.field.Set && m.takes(record.Creatio) && m.takes(record.Google) && (m.relabelledAndRespelled(b, c, g) || m.mergeParts(b, c, g)):
	case m.field.KindYields && m.field.Empty(c.canonical) != m.field.Empty(g.canonical) && !m.policy.Direction.one():
		m.remove(b, c, g)
	default:
		m.conflict(b, c, g)
	}
}

// stay leaves a change, which the settings or a lock keep where it was made, there: both values stay, and the base too, so that it
// is still a change when it may be carried again.
//
// Of a record that was taken over it is no change any more: what the other one has is agreed on, and shows as something else there.
//
// Of a set both have the member then, whatever each says of it: the side that may not be written tells what was agreed on.
func (m *merger) stay(b, c, g slot) {
	if m.views[record.Google].TakenOver && !m.field.Empty(c.canonical) {
		m.put(c, c, c.shownAs(g))
		m.bothKept = record.Google
		return
	}
	if m.views[record.Creatio].TakenOver && !m.field.Empty(g.canonical) {
		m.put(g, g.shownAs(c), g)
		m.bothKept = record.Creatio
		return
	}
	if m.field.Set && m.field.Empty(b.canonical) && !m.field.Empty(c.canonical) && !m.field.Empty(g.canonical) {
		if b = c; !m.takes(record.Google) {
			b = g
		}
	}
	m.put(b, c, g)
}

// remove takes a value away that the other side removed. Where that may not be, both stay as they are.
func (m *merger) remove(b, c, g slot) {
	side, stays := record.Google, g
	if m.field.Empty(g.canonical) {
		side, stays = record.Creatio, c
	}
	if !m.takes(side) {
		m.stay(b, c, g)
		return
	}
	m.decide(side, RuleChanged, stays, slot{})
}

// leavesToOther reports whether another user's run decides about the field: two different changes of it meet in the records that
// user may write.
func (m *merger) leavesToOther() bool {
	return slices.ContainsFunc(record.Sides[:], func(s record.Side) bool {
		return m.views[s].Followed && m.policy.Direction.Takes(s) && slices.Contains(m.views[s].Locked, m.field.Name)
	})
}

// keepBoth leaves an exact value and a loose one as they are: the loose one stands for the exact one.
func (m *merger) keepBoth(c, g slot) {
	exact := c.canonical
	if m.field.Loose(exact) {
		exact = g.canonical
	}
	shows := func(s slot) slot {
		shown := s.display()
		return slot{canonical: exact, displayed: &shown}
	}
	m.put(slot{canonical: exact}, shows(c), shows(g))
}

// shortened reports whether a side shows a value for which it has no room whole.
func (m *merger) shortened(whole, short slot) bool {
	return m.field.Shortened != nil && !m.field.Empty(short.canonical) && m.field.Shortened(whole.canonical, short.canonical)
}

// takes reports whether the field may be written on a side.
func (m *merger) takes(s record.Side) bool {
	return m.policy.Direction.Takes(s) && !slices.Contains(m.views[s].Locked, m.field.Name) && !m.views[s].hides(m.field) && !m.views[s].TakenOver
}

func (m *merger) changed() string {
	if m.first {
		return RuleFirst
	}
	return RuleChanged
}

// decide notes that a side gets one value in the place of another, and why. Of a set's many reasons the one that chose
// between two values tells most.
func (m *merger) decide(side record.Side, rule string, was, is slot) {
	if m.rule[side] == "" || (rule != RuleChanged && rule != RuleFirst) {
		m.rule[side] = rule
	}
	swap := record.Swap{Before: was.canonical, After: is.canonical, AfterDisplayed: is.displayed}
	as := func(s record.Side, e record.Entry) {
		if swap.BeforeDisplayed == nil {
			swap.BeforeDisplayed = map[record.Side]record.Entry{}
		}
		swap.BeforeDisplayed[s] = e
	}
	if was.displayed != nil {
		as(side, *was.displayed)
	}
	for _, sh := range m.views[side.Other()].Projections {
		if sh.Field == m.field.Name && m.field.Same(sh.Canonical, was.canonical) {
			as(side.Other(), sh.Displayed)
			break
		}
	}
	m.swaps[side] = append(m.swaps[side], swap)
}

// conflict decides between two different changes of one value. One that wins and may not be written on the other side stays
// where it was made: whoever may write it there carries it.
func (m *merger) conflict(b, c, g slot) {
	winner, rule := m.winner(m.field.Empty(c.canonical), m.field.Empty(g.canonical))
	if !m.takes(winner.Other()) && m.policy.Direction.Takes(winner.Other()) {
		m.stay(b, c, g)
		return
	}
	m.resolve(winner, rule, c, g)
}

// resolve takes one side's value for both.
func (m *merger) resolve(winner record.Side, rule string, c, g slot) {
	won, lost := c, g
	if winner == record.Google {
		won, lost = g, c
	}
	if winner == record.Creatio {
		m.put(won, won, slot{canonical: won.canonical})
	} else {
		m.put(won, slot{canonical: won.canonical}, won)
	}
	m.decide(winner.Other(), rule, lost, slot{canonical: won.canonical})
	if rule == RuleEditKept {
		return
	}
	conflict := Conflict{Field: m.field.Name, Winner: winner}
	if !m.field.Empty(lost.canonical) {
		conflict.Lost = []record.Entry{lost.canonical}
	}
	m.out.Conflicts = append(m.out.Conflicts, conflict)
}

// winner picks the side whose change stays.
func (m *merger) winner(creatioEmpty, googleEmpty bool) (record.Side, string) {
	switch {
	case !m.policy.Direction.Takes(record.Creatio):
		return record.Creatio, RuleDirection
	case !m.policy.Direction.Takes(record.Google):
		return record.Google, RuleDirection
	case creatioEmpty:
		return record.Google, RuleEditKept
	case googleEmpty:
		return record.Creatio, RuleEditKept
	case m.policy.Conflicts == CreatioWins:
		return record.Creatio, RuleCreatio
	case m.policy.Conflicts == GoogleWins:
		return record.Google, RuleGoogle
	default:
		m.out.ByTime = true
		return m.latest(), RuleLatest
	}
}

// latest is the side whose record changed last. A tie goes to Creatio, as its own synchronization documented.
func (m *merger) latest() record.Side {
	if m.views[record.Google].Modified.After(m.views[record.Creatio].Modified) {
		return record.Google
	}
	return record.Creatio
}
