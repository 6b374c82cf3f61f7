package reconcile

import (
	"cmp"
	"maps"
	"slices"

	"github.com/tandem-sync/tandem/shared/record"
)

// identify finds which of all values that both sides have of a set, and had when they agreed, are one value: equal numbers in whatever
// form, also where only another form of them tells that.
func (m *merger) identify(base []record.Entry) {
	m.identities = nil
	if !m.field.Set || m.field.Alike == nil {
		return
	}
	all := slices.Clone(base)
	for _, s := range record.Sides {
		all = slices.Concat(all, m.views[s].Fields[m.field.Name], m.views[s].Untracked[m.field.Name])
	}
	m.identities = make(map[string]string, len(all))
	for i, key := range m.field.Keys(all) {
		m.identities[m.field.Key(all[i])] = key
	}
}

// key is the identity of an entry of a set: that of the value which it is in any form.
func (m *merger) key(e record.Entry) string {
	own := m.field.Key(e)
	return cmp.Or(m.identities[own], own)
}

// set merges a field with many values, one value at a time. A value is known by its key, so that a number in
// another spelling is still that number.
func (m *merger) set(base []record.Entry, now map[record.Side][]slot) {
	b := m.index(base)
	repeats := map[record.Side][]slot{}
	c, order := m.indexSlots(record.Creatio, b, now, repeats)
	g, more := m.indexSlots(record.Google, b, now, repeats)
	for _, key := range more {
		if !has(c, key) {
			order = append(order, key)
		}
	}
	order = m.editedOnBoth(b, c, g, order)
	for _, key := range order {
		ce, inC := c[key]
		ge, inG := g[key]
		be, inB := b[key]
		switch {
		case !inC && !inG:
		case inC && inG && !inB && ce.canonical.Kind == ge.canonical.Kind && !m.field.Same(ce.canonical, ge.canonical):
			// One value in two spellings: each side keeps its own.
			shown := slot{canonical: ce.canonical, displayed: &ge.canonical}
			if ge.displayed != nil {
				shown.displayed = ge.displayed
			}
			m.put(ce, ce, shown)
		default:
			m.entry(slot{canonical: be}, ce, ge)
		}
	}
	for side, slots := range repeats {
		m.keepRepeats(side, slots)
	}
}

// keepRepeats leaves what a side shows for a value beside another entry that stands for the same, as the text of an address
// and that address in its parts. It stays as long as the value does.
func (m *merger) keepRepeats(side record.Side, repeats []slot) {
	stays, shows := map[string]record.Entry{}, map[string]bool{}
	for _, s := range m.after[side] {
		stays[m.key(s.canonical)], shows[m.field.Key(s.display())] = s.canonical, true
	}
	for _, s := range repeats {
		shown := s.display()
		stands, ok := stays[m.key(s.canonical)]
		if !ok || m.field.Empty(shown) || shows[m.field.Key(shown)] {
			continue
		}
		shows[m.field.Key(shown)] = true
		if !m.field.Same(stands, shown) {
			s.displayed = &shown
		}
		s.canonical = stands
		m.after[side] = append(m.after[side], s)
	}
}

func (m *merger) index(entries []record.Entry) map[string]record.Entry {
	out := make(map[string]record.Entry, len(entries))
	for _, e := range entries {
		if key := m.key(e); !has(out, key) {
			out[key] = e
		}
	}
	return out
}

// indexSlots finds the values of a side by their keys. Of several that stand for one value it takes the one that says what was
// agreed, else the one whose own key that is, in whatever order they come; the others are repeats.
func (m *merger) indexSlots(side record.Side, base map[string]record.Entry, now, repeats map[record.Side][]slot) (map[string]slot, []string) {
	out := make(map[string]slot, len(now[side]))
	order := make([]string, 0, len(now[side]))
	for _, s := range now[side] {
		key := m.key(s.canonical)
		first, known := out[key]
		if !known {
			out[key], order = s, append(order, key)
			continue
		}
		better := func(than slot) bool { return m.field.Key(than.canonical) != key && m.field.Key(s.canonical) == key }
		if agreed, ok := base[key]; ok {
			better = func(than slot) bool {
				return !m.field.Same(than.canonical, agreed) && m.field.Same(s.canonical, agreed)
			}
		}
		if better(first) {
			out[key], s = s, first
		}
		repeats[side] = append(repeats[side], s)
	}
	return out, order
}

// editedOnBoth finds the agreed values of which both sides changed parts, or one a part and the other one the label, so that a side
// knows its own by another key.
func (m *merger) editedOnBoth(b map[string]record.Entry, c, g map[string]slot, order []string) []string {
	if m.field.Edited == nil {
		return order
	}
	edit := func(was record.Entry, side, other map[string]slot) (key string, weight int) {
		for _, k := range order {
			s, there := side[k]
			if !there || has(b, k) || has(other, k) {
				continue
			}
			if _, w := m.field.Edited(was, was, s.canonical); w > weight {
				key, weight = k, w
			}
		}
		return key, weight
	}
	for _, known := range slices.Sorted(maps.Keys(b)) {
		if has(c, known) != has(g, known) {
			side, other := c, g
			if has(g, known) {
				side, other = g, c
			}
			// One side changed the label and the other one a part.
			if key, weight := edit(b[known], other, side); weight >= mostlyThere && m.relabelled(side[known], b[known]) {
				other[known] = other[key]
				delete(other, key)
			}
			continue
		}
		if has(c, known) {
			continue
		}
		ck, left := edit(b[known], c, g)
		gk, right := edit(b[known], g, c)
		// Two that have hardly anything left of it may as well be two others.
		if min(left, right) < mostlyLost || max(left, right) < mostlyThere {
			continue
		}
		c[known], g[known] = c[ck], g[gk]
		delete(c, ck)
		delete(g, gk)
		order = append(order, known)
	}
	return order
}

// mostlyThere and mostlyLost are how much is left of a value, as Field.Edited weighs it, that is known for the same by it alone,
// and beside another one of which that much is left.
const mostlyThere, mostlyLost = 4, 2

// relabelledAndRespelled puts together a value that got another label on one side and another spelling on the other one. A side that had a
// spelling of its own keeps that under the new label.
func (m *merger) relabelledAndRespelled(b, c, g slot) bool {
	if m.field.Empty(c.canonical) || m.field.Empty(g.canonical) || m.field.Empty(b.canonical) {
		return false
	}
	label, spelling, of := c, g, record.Creatio
	if m.respelled(c, b.canonical) && m.relabelled(g, b.canonical) {
		label, spelling, of = g, c, record.Google
	} else if !m.respelled(g, b.canonical) || !m.relabelled(c, b.canonical) {
		return false
	}
	is := slot{canonical: record.Entry{Kind: label.canonical.Kind, Text: spelling.canonical.Text, Parts: spelling.canonical.Parts}}
	now := map[record.Side]slot{of.Other(): is, of: {canonical: is.canonical, displayed: label.displayed}}
	if label.displayed != nil && len(label.displayed.Parts) > 0 {
		// Another part has to be written.
		now[of] = is
	}
	m.put(is, now[record.Creatio], now[record.Google])
	for side, was := range map[record.Side]slot{record.Creatio: c, record.Google: g} {
		if !m.field.Same(was.display(), now[side].display()) {
			m.decide(side, RuleChanged, was, now[side])
		}
	}
	return true
}

// respelled reports whether a side has a value under the label that was agreed.
func (m *merger) respelled(s slot, was record.Entry) bool {
	return s.displayed == nil && s.canonical.Kind == was.Kind
}

// relabelled reports whether a side has an agreed value, and shows it, under another label.
func (m *merger) relabelled(s slot, was record.Entry) bool {
	if s.untracked || s.repeated || s.displayed != nil && m.field.Empty(*s.displayed) || s.canonical.Kind == was.Kind {
		return false
	}
	was.Kind = s.canonical.Kind
	return m.field.Same(s.canonical, was)
}

// mergeParts puts together a value of which both sides changed parts, each another one.
func (m *merger) mergeParts(b, c, g slot) bool {
	if m.field.Edited == nil || m.field.Empty(b.canonical) || m.field.Empty(c.canonical) || m.field.Empty(g.canonical) {
		return false
	}
	whole := true
	pick := func(was, creatio, google string) string {
		was, creatio, google = m.field.Clean(was), m.field.Clean(creatio), m.field.Clean(google)
		switch {
		case creatio == google, google == was:
			return creatio
		case creatio == was:
			return google
		default:
			whole = false
			return ""
		}
	}
	merged := record.Entry{
		Kind: pick(b.canonical.Kind, c.canonical.Kind, g.canonical.Kind), Text: pick(b.canonical.Text, c.canonical.Text, g.canonical.Text),
		Parts: map[string]string{},
	}
	for _, part := range m.field.Parts {
		if text := pick(b.canonical.Parts[part], c.canonical.Parts[part], g.canonical.Parts[part]); text != "" {
			merged.Parts[part] = text
		}
	}
	is := slot{canonical: merged}
	if !whole || m.field.Empty(merged) {
		return false
	}
	m.put(is, is, is)
	m.decide(record.Creatio, RuleChanged, c, is)
	m.decide(record.Google, RuleChanged, g, is)
	return true
}

func has[K comparable, V any](m map[K]V, k K) bool {
	_, ok := m[k]
	return ok
}
