package reconcile

import (
	"slices"

	"github.com/tandem-sync/tandem/shared/record"
)

// way is how a value comes back.
type way int

const (
	// together: on both sides, and both agree on it.
	together way = iota
	// differing: on the side that was written; the pair agrees that it shows it in the place of the agreed value.
	differing
	// respelled: the same value in its former spelling, on the side that was written.
	respelled
	// oneSided: on the side that was written. To the settings, which do not let the other one be written, it is a change
	// that stays where it was made.
	oneSided
	// outOfScope: on the side that was written, whose record is out of scope. Were it to come back, what the other side has is
	// the change.
	outOfScope
	// separate: on the side that was written. The records agree on nothing any more.
	separate
	// outOfScopeUnagreed: the same where the records had never agreed. Were it to come back, they would be matched anew.
	outOfScopeUnagreed
)

// back puts one value back.
type back struct {
	*merger
	side record.Side
	swap record.Swap
	how  way
	// agreed, where not nil, is what both sides agree on once each shows its own value again.
	agreed *record.Entry
}

// put reports whether the value is back, now or already; else somebody changed it since.
func (b *back) put() bool {
	switch {
	case b.agreed != nil:
		return b.takeApart(*b.agreed)
	case b.how == together:
		return b.together()
	case b.how == differing:
		other := b.side.Other()
		if !b.left(b.side) || !b.left(other) {
			return false
		}
		b.replace(b.side, slot{canonical: b.swap.After, displayed: &b.swap.Before})
		return true
	case b.how == respelled:
		return b.respell()
	default:
		return b.alone()
	}
}

// takeApart shows a side's own value again in the place of one that was put together of both sides'.
func (b *back) takeApart(agreed record.Entry) bool {
	other := b.side.Other()
	switch {
	case b.has(b.side, agreed, b.swap.After):
		return true
	case !b.left(b.side), !b.left(other) && !b.has(other, agreed, b.swap.After):
		return false
	}
	own := slot{canonical: agreed}
	if shown := b.former(b.side).display(); !b.field.Same(shown, agreed) {
		own.displayed = &shown
	}
	b.replace(b.side, own)
	b.agree(agreed)
	return true
}

// together puts the value back on both sides.
func (b *back) together() bool {
	for _, s := range record.Sides {
		if b.left(s) || b.returned(s) {
			continue
		}
		if b.returned(s.Other()) {
			// It is back on one side, so that what the other one has is the only change.
			b.agree(b.swap.Before)
		}
		return false
	}
	done := true
	for _, s := range record.Sides {
		if !b.has(s, b.swap.Before, b.swap.After) {
			done = false
			b.replace(s, b.former(s))
		}
	}
	if !done {
		b.agree(b.swap.Before)
	}
	return true
}

// alone puts the value back on the side that was written.
func (b *back) alone() bool {
	other := b.side.Other()
	switch {
	case b.returned(b.side):
		return true
	case !b.left(b.side), b.how == oneSided && !b.left(other) && !b.returned(other):
		return false
	}
	was := b.former(b.side)
	switch b.how {
	case separate:
	case outOfScope:
		b.agree(b.swap.Before)
	case outOfScopeUnagreed:
		b.agree(record.Entry{})
	default:
		// Nobody agrees that it stands for anything but what it shows.
		was = slot{canonical: was.display()}
	}
	b.replace(b.side, was)
	return true
}

// respell shows a value again as it was shown before.
func (b *back) respell() bool {
	i := b.find(b.after[b.side], b.swap.After)
	if i < 0 || !b.field.Same(b.after[b.side][i].canonical, b.swap.After) {
		return false
	}
	before, now, shown := b.former(b.side), b.after[b.side][i], b.swap.After
	if b.swap.AfterDisplayed != nil {
		shown = *b.swap.AfterDisplayed
	}
	switch {
	case b.field.Same(now.display(), before.display()):
		return true
	case !b.field.Same(now.display(), shown):
		return false
	}
	b.replace(b.side, before)
	return true
}

// former is the value before the run, as the side showed it.
func (b *back) former(s record.Side) slot {
	out := slot{canonical: b.swap.Before}
	if as, ok := b.swap.BeforeDisplayed[s]; ok {
		out.displayed = &as
	}
	return out
}

// left reports whether a side has the value that the run left.
func (b *back) left(s record.Side) bool { return b.has(s, b.swap.After, b.swap.Before) }

// returned reports whether a side has the value of before the run, or shows what it showed then.
func (b *back) returned(s record.Side) bool {
	was, is := b.swap.Before, b.swap.After
	if b.has(s, was, is) {
		return b.field.Empty(was) || b.field.Empty(is) || b.field.Key(was) == b.field.Key(is) || !b.field.Set || b.find(b.after[s], is) < 0
	}
	as, ok := b.swap.BeforeDisplayed[s]
	switch {
	case !ok:
		return false
	case b.field.Empty(as):
		return !b.field.Empty(is) && b.find(b.after[s], is) < 0 && b.find(b.after[s], was) < 0
	}
	return b.showing(b.after[s], as) >= 0
}

// has reports whether a side has one of two values; to have an empty one is not to have the other.
func (b *back) has(s record.Side, e, other record.Entry) bool {
	if b.field.Empty(e) {
		return b.find(b.after[s], other) < 0
	}
	i := b.find(b.after[s], e)
	return i >= 0 && b.field.Same(b.after[s][i].canonical, e)
}

// find is the place of a value of the given identity. A single field has one place.
func (b *back) find(slots []slot, e record.Entry) int {
	return slices.IndexFunc(slots, func(s slot) bool { return !b.field.Set || b.field.Key(s.canonical) == b.field.Key(e) })
}

// showing is the place of a value that shows as a former one did, and stands for nothing else.
func (b *back) showing(slots []slot, e record.Entry) int {
	return slices.IndexFunc(slots, func(s slot) bool { return s.displayed == nil && b.field.Same(s.canonical, e) })
}

// replace puts a value in the place of the one that the run left, and notes it.
func (b *back) replace(s record.Side, with slot) {
	old, slots := b.exchange(b.after[s], with)
	b.after[s] = slots
	b.decide(s, RuleUndo, old, with)
}

// agreeOnShown leaves of the entries that both sides agreed on those that both still have.
func (m *merger) agreeOnShown() {
	if !m.field.Set {
		return
	}
	m.base = slices.DeleteFunc(m.base, func(e record.Entry) bool {
		lacks := func(s record.Side) bool {
			return !slices.ContainsFunc(m.after[s], func(has slot) bool { return m.field.Same(has.canonical, e) })
		}
		return lacks(record.Creatio) || lacks(record.Google)
	})
}

// agree does the same in what both sides agree on.
func (b *back) agree(on record.Entry) {
	var slots []slot
	for _, e := range b.base {
		slots = append(slots, slot{canonical: e})
	}
	_, slots = b.exchange(slots, slot{canonical: on})
	b.base = nil
	for _, s := range slots {
		b.base = append(b.base, s.canonical)
	}
}

// exchange takes out what the run left, or what is there of before it, and puts another value in its place.
func (b *back) exchange(slots []slot, with slot) (old slot, out []slot) {
	at := -1
	if !b.field.Empty(b.swap.After) || !b.field.Set {
		at = b.find(slots, b.swap.After)
	}
	if at < 0 && !b.field.Empty(with.display()) {
		at = b.showing(slots, with.display())
	}
	if at < 0 && !b.field.Empty(with.canonical) {
		at = b.find(slots, with.canonical)
	}
	if at < 0 {
		at = len(slots)
	} else {
		old = slots[at]
		slots = slices.Delete(slices.Clone(slots), at, at+1)
	}
	stands := !b.field.Empty(with.canonical) || !b.field.Set && !b.field.Empty(with.display())
	if stands && b.find(slots, with.canonical) < 0 {
		slots = slices.Insert(slices.Clone(slots), at, with)
	}
	return old, slots
}
