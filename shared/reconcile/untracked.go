package reconcile

import (
	"slices"

	"github.com/tandem-sync/tandem/shared/record"
)

// withUntracked adds the values that a side has under labels of its own. They say what the other side says of them, or else
// what was agreed: a label that nobody else knows is no other label, and no removal.
func (m *merger) withUntracked(s record.Side, now, other []slot, base []record.Entry) []slot {
	var there []record.Entry
	for _, o := range other {
		there = append(there, o.canonical)
	}
	for _, e := range slices.Concat(there, base) {
		if !slices.ContainsFunc(now, func(s slot) bool { return m.key(s.canonical) == m.key(e) }) && m.views[s].hasUntracked(m.field, e) {
			alone := m.wasAlone(s, e) || !slices.ContainsFunc(base, func(b record.Entry) bool { return m.key(b) == m.key(e) })
			now = append(now, slot{canonical: e, displayed: &record.Entry{}, untracked: true, alone: alone})
		}
	}
	return now
}

// wasAlone reports whether a side never had a value but under a label of its own.
func (m *merger) wasAlone(s record.Side, e record.Entry) bool {
	return slices.ContainsFunc(m.views[s].Projections, func(p record.Projection) bool {
		return p.Alone && p.Field == m.field.Name && m.key(p.Canonical) == m.key(e)
	})
}

// agreed are the agreed values of a set, without those that a side never had but under a label of its own, and now has no more: that is
// no removal of what the other side has.
func (m *merger) agreed(base []record.Entry, now map[record.Side][]slot) []record.Entry {
	return slices.DeleteFunc(slices.Clone(base), func(e record.Entry) bool {
		return slices.ContainsFunc(record.Sides[:], func(s record.Side) bool {
			return m.wasAlone(s, e) && !slices.ContainsFunc(now[s], func(n slot) bool { return m.key(n.canonical) == m.key(e) })
		})
	})
}

// asRepeated takes a value that a side has under several labels, or in several spellings, for the one that was agreed, or else for
// the one of the other side, as long as one of the labels and spellings is that one's.
func (m *merger) asRepeated(s record.Side, now []slot, base []record.Entry) {
	view := m.views[s]
	for i, e := range now {
		if e.displayed != nil {
			continue
		}
		for _, want := range slices.Concat(base, m.views[s.Other()].Fields[m.field.Name]) {
			if m.key(want) != m.key(e.canonical) {
				continue
			}
			spelled := m.field.Key(want) == m.field.Key(e.canonical)
			if spelled && want.Kind == e.canonical.Kind {
				break
			}
			rows := view.Untracked[m.field.Name]
			at := slices.IndexFunc(rows, func(r record.Entry) bool { return r.Kind == want.Kind && m.field.Key(r) == m.field.Key(want) })
			if at < 0 && want.Kind != e.canonical.Kind {
				at = slices.IndexFunc(rows, func(r record.Entry) bool { return r.Kind == want.Kind && m.key(r) == m.key(want) })
			}
			if at >= 0 {
				shown := e.canonical
				now[i] = slot{canonical: rows[at], displayed: &shown, repeated: true}
			}
			break
		}
	}
}
