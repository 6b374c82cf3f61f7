package reconcile

import (
	"maps"
	"slices"

	"github.com/tandem-sync/tandem/shared/record"
)

// slot is an entry of a side: what it means, and how the side shows it where that differs.
type slot struct {
	canonical record.Entry
	displayed *record.Entry
	// untracked says that the side shows nothing because it has the value under a label of its own.
	untracked bool
	// alone says that it never showed it there, repeated that it shows it under another label as well.
	alone, repeated bool
	// apart says that the value is a part of one that the sides split in different ways.
	split bool
}

// display is what a person sees there.
func (s slot) display() record.Entry {
	if s.displayed != nil {
		return *s.displayed
	}
	return s.canonical
}

// asShown is what the side shows although nothing was agreed on.
func (s slot) asShown() slot {
	shown := s.display()
	if shown.IsZero() {
		return slot{}
	}
	return slot{displayed: &shown}
}

// shownAs is the value as a side has it that shows another one.
func (s slot) shownAs(other slot) slot {
	shown := other.display()
	return slot{canonical: s.canonical, displayed: &shown}
}

func one(s []slot) slot {
	if len(s) == 0 {
		return slot{}
	}
	return s[0]
}

// translate reads a side's value through what the side is known to show differently.
// hidden are values of which the side does not show all it has, as they show then.
func translate(f record.Field, now, base []record.Entry, shown []record.Projection, hidden ...record.Projection) []slot {
	t := translation{field: f, base: base, out: make([]slot, len(now))}
	// absent are the values in whose place the side shows nothing.
	var absent []record.Projection
	agreed := make(map[string]bool, len(base))
	for _, e := range base {
		agreed[f.Exact(e)] = true
	}
	for _, s := range shown {
		if s.Field == f.Name && !s.Untracked && (agreed[f.Exact(s.Canonical)] || f.Empty(s.Canonical) && holds(f, base, s.Canonical)) {
			if f.Empty(s.Displayed) {
				absent = append(absent, s)
			} else {
				t.free = append(t.free, s)
			}
		}
	}
	for i, e := range now {
		t.out[i].canonical = e
		if s, ok := t.take(func(as record.Entry) bool { return f.Same(as, e) }); ok {
			t.out[i] = slot{canonical: s.Canonical, displayed: &e}
		}
	}
	if !f.Set && len(now) > 0 {
		return t.out
	}
	for i, e := range now {
		if t.out[i].displayed != nil {
			continue
		}
		// What stands for a value stands for it under another label too.
		if s, ok := t.take(func(as record.Entry) bool { as.Kind = e.Kind; return !f.Empty(as) && f.Same(as, e) }); ok {
			t.out[i] = slot{canonical: record.Entry{Kind: e.Kind, Text: s.Canonical.Text, Parts: s.Canonical.Parts}, displayed: &e}
		}
	}
	t.edits(hidden)
	if len(absent) == 0 {
		return t.out
	}
	there := make(map[string]bool, len(t.out)+len(absent))
	for _, s := range t.out {
		there[f.Key(s.canonical)] = true
	}
	for _, s := range absent {
		if key := f.Key(s.Canonical); !there[key] {
			there[key] = true
			t.out = append(t.out, slot{canonical: s.Canonical, displayed: &record.Entry{}})
		}
	}
	return t.out
}

// withoutHidden are values of a set as a side shows them that does not show some of their parts.
func (v View) withoutHidden(f record.Field, entries []record.Entry) []record.Projection {
	var out []record.Projection
	for _, e := range entries {
		as := record.Entry{Kind: e.Kind, Text: e.Text, Parts: maps.Clone(e.Parts)}
		maps.DeleteFunc(as.Parts, func(part, _ string) bool { return slices.Contains(v.Hidden, record.HiddenPart(f.Name, part)) })
		if len(as.Parts) < len(e.Parts) {
			out = append(out, record.Projection{Field: f.Name, Canonical: e, Displayed: as})
		}
	}
	return out
}

// translation is a side's value while it is read.
type translation struct {
	field record.Field
	base  []record.Entry
	// free are the values that the side showed differently, of which nothing was found yet.
	free []record.Projection
	out  []slot
}

// take finds a value by what the side showed for it.
func (t *translation) take(like func(as record.Entry) bool) (record.Projection, bool) {
	i := slices.IndexFunc(t.free, func(s record.Projection) bool { return like(s.Displayed) })
	if i < 0 {
		return record.Projection{}, false
	}
	s := t.free[i]
	t.free = slices.Delete(t.free, i, i+1)
	return s, true
}

// edits finds the values that somebody edited as the side showed them, those first of which most is left, and those of which the
// side does not show all it has.
func (t *translation) edits(hidden []record.Projection) {
	if t.field.Edited == nil {
		return
	}
	from := slices.Concat(t.free, hidden)
	for {
		best, at, of, most := record.Entry{}, 0, 0, 0
		for i, s := range t.out {
			if s.displayed != nil || holds(t.field, t.base, s.canonical) {
				continue
			}
			for j, p := range from {
				if e, weight := t.field.Edited(p.Canonical, p.Displayed, s.canonical); weight > most && !t.field.Empty(p.Displayed) {
					best, at, of, most = e, i, j, weight
				}
			}
		}
		if most == 0 {
			return
		}
		shown := t.out[at].canonical
		t.out[at] = slot{canonical: best, displayed: &shown}
		t.take(from[of].Displayed.Equal)
		from = slices.Delete(from, of, of+1)
	}
}

// holds reports whether a value is one of the agreed ones. Where nothing is agreed on, that is nothing: a side may show
// something where it cannot show nothing, as a name.
func holds(f record.Field, entries []record.Entry, e record.Entry) bool {
	if f.Empty(e) {
		return !f.Set && len(entries) == 0
	}
	for _, b := range entries {
		if f.Same(b, e) {
			return true
		}
	}
	return false
}

func holdsSlot(f record.Field, slots []slot, e record.Entry) bool {
	key := f.Key(e)
	for _, s := range slots {
		if f.Key(s.canonical) == key {
			return true
		}
	}
	return false
}
