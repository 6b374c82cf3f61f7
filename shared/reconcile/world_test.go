package reconcile

import (
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
)

// world is a pair of records that people edit, and the link that remembers what they agreed on.
type world struct {
	base record.Fields
	now  map[record.Side]record.Fields
	// kept are the values that somebody has put under a label of a side's own; nil where nobody ever did.
	kept  map[record.Side]record.Fields
	shown map[record.Side][]record.Projection
	at    map[record.Side]time.Time
	first bool
	// narrow is the side that cannot hold every value as it is, if any.
	narrow record.Side
}

// vocabulary is small, so that edits of both sides meet.
var vocabulary = map[string][]record.Entry{
	contact.Emails: {{Text: "a@example.com"}, {Text: "A@Example.com"}, {Text: "b@example.com"}, {Text: "c@example.org"}},
	contact.Phones: {
		{Kind: "work", Text: "+1 202 555 0100"},
		{Kind: "work", Text: "+12025550100"},
		{Kind: "home", Text: "0012025550100"},
		{Kind: "work", Text: "(202) 555-0100"},
		{Kind: "mobile", Text: "+44 20 7946 0018"},
		{Kind: "work", Text: "020 7946 0018"},
		{Kind: "extension", Text: "412"},
		{Kind: "other", Text: "412 "},
		{Kind: "home", Text: "+1 202 555 0111"},
	},
	contact.Addresses: {
		{Kind: "home", Parts: map[string]string{contact.City: "Berlin", contact.Street: "A 1"}},
		{Kind: "work", Parts: map[string]string{contact.City: "BERLIN", contact.Street: "a 1"}},
		{Kind: "home", Parts: map[string]string{contact.City: "Atlantis", contact.Street: "A 1"}},
		{Kind: "legal", Parts: map[string]string{contact.Street: "A 1"}},
		{Kind: "home", Parts: map[string]string{contact.City: "Paris"}},
	},
}

// values draws a value of a field.
func values(f record.Field) *rapid.Generator[record.Entry] {
	if v := vocabulary[f.Name]; v != nil {
		return rapid.SampledFrom(v)
	}
	return rapid.SampledFrom([]record.Entry{{Text: "one"}, {Text: "two"}, {Text: " two "}, {Text: "unheard of"}, {Text: "three"}})
}

// content draws a record's content.
func content() *rapid.Generator[record.Fields] {
	return rapid.Custom(func(t *rapid.T) record.Fields {
		out := record.Fields{}
		for _, f := range contact.Schema {
			out[f.Name] = rapid.SliceOfN(values(f), 0, 3).Draw(t, f.Name)
		}
		return contact.Schema.Clean(out)
	})
}

// edited draws what a person makes of a record: values go, come, and get another label or spelling.
func edited(t *rapid.T, in record.Fields) record.Fields {
	out := in.Clone()
	for _, f := range contact.Schema {
		if rapid.IntRange(0, 2).Draw(t, "edit "+f.Name) > 0 {
			continue
		}
		var kept []record.Entry
		for _, e := range out[f.Name] {
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
			case 1:
				e.Kind = relabeled(t, f, e.Kind)
				kept = append(kept, e)
			default:
				kept = append(kept, e)
			}
		}
		added := rapid.SliceOfN(values(f), 0, 2).Draw(t, "add")
		out[f.Name] = append(kept, added...)
		if !f.Set {
			out[f.Name] = append(added, kept...)
		}
	}
	return contact.Schema.Clean(out)
}

func relabeled(t *rapid.T, f record.Field, kind string) string {
	if !f.Set || f.Name == contact.Emails {
		return kind
	}
	return rapid.SampledFrom([]string{"work", "home", "other"}).Draw(t, "label")
}

// drawWorld draws a pair that agreed on something, or that is matched for the first time, with edits on both sides since.
func drawWorld(t *rapid.T) *world {
	w := &world{
		first: rapid.Bool().Draw(t, "first"), base: record.Fields{}, now: map[record.Side]record.Fields{},
		shown:  map[record.Side][]record.Projection{},
		narrow: rapid.SampledFrom([]record.Side{"", record.Creatio, record.Google}).Draw(t, "narrow"),
	}
	w.clock(t)
	if w.first {
		for _, s := range record.Sides {
			w.now[s], _ = w.hold(s, content().Draw(t, string(s)))
		}
		return w
	}
	w.base = content().Draw(t, "base")
	for _, s := range record.Sides {
		w.now[s], w.shown[s] = w.hold(s, w.base)
	}
	w.edit(t)
	return w
}

func (w *world) clock(t *rapid.T) {
	w.at = map[record.Side]time.Time{}
	order := rapid.Bool().Draw(t, "Google is later")
	for i, s := range record.Sides {
		w.at[s] = time.Unix(1_700_000_000, 0).Add(time.Duration(i) * time.Minute)
		if !order {
			w.at[s] = time.Unix(1_700_000_000, 0).Add(-time.Duration(i) * time.Minute)
		}
	}
}

// edit lets people edit what they see on both sides.
func (w *world) edit(t *rapid.T) {
	w.clock(t)
	for _, s := range record.Sides {
		w.now[s], _ = w.hold(s, edited(t, w.now[s]))
	}
}

// hold is what a side shows of content that is written to it, and which values it shows differently. What it shows
// already keeps its place.
func (w *world) hold(s record.Side, in record.Fields) (record.Fields, []record.Projection) {
	if s != w.narrow {
		return in, nil
	}
	out := record.Fields{}
	var shown []record.Projection
	for _, f := range contact.Schema {
		seen := map[string]bool{}
		there := func(e record.Entry) int {
			if holds(f, w.now[s][f.Name], e) {
				return 0
			}
			return 1
		}
		entries := slices.SortedStableFunc(slices.Values(in[f.Name]), func(a, b record.Entry) int { return there(a) - there(b) })
		for _, e := range entries {
			as := narrowed(f, e)
			if seen[f.Key(as)] {
				as = record.Entry{}
			}
			if !f.Same(e, as) {
				shown = append(shown, record.Projection{Field: f.Name, Canonical: e, Displayed: as})
			}
			if !f.Empty(as) {
				seen[f.Key(as)] = true
				out[f.Name] = append(out[f.Name], as)
			}
		}
	}
	return out, shown
}

// narrowed is a value as the narrow side shows it: texts and cities that it has no room for do not show, labels that it
// does not know become others, and what cannot be said apart is written in one.
func narrowed(f record.Field, e record.Entry) record.Entry {
	switch {
	case e.Text == "unheard of":
		return record.Entry{}
	case e.Kind == "extension" || e.Kind == "legal":
		e.Kind = "other"
	case e.Parts[contact.City] == "Atlantis":
		e.Parts = map[string]string{contact.Street: e.Parts[contact.Street]}
	case f.Name == contact.JobTitle && e.Text == "three":
		e.Text = "one"
	}
	return e
}

func (w *world) view(s record.Side) View {
	return View{Fields: w.now[s], Untracked: w.kept[s], Projections: w.shown[s], Modified: w.at[s]}
}

// relabel puts values of a side under labels of its own, and some that are under one back.
func (w *world) relabel(t *rapid.T, s record.Side) {
	if w.kept == nil {
		w.kept = map[record.Side]record.Fields{record.Creatio: {}, record.Google: {}}
	}
	now, kept := w.now[s].Clone(), w.kept[s].Clone()
	for _, f := range contact.Schema {
		if !f.Set {
			continue
		}
		var stay, out []record.Entry
		for _, e := range slices.Concat(now[f.Name], kept[f.Name]) {
			if rapid.IntRange(0, 2).Draw(t, "own label") == 0 {
				out = append(out, e)
			} else {
				stay = append(stay, e)
			}
		}
		now[f.Name], kept[f.Name] = stay, out
	}
	w.now[s], _ = w.hold(s, contact.Schema.Clean(now))
	w.kept[s] = kept
}

// pair is the world as the planner is told of it.
func (w *world) pair() Pair {
	p := Pair{Link: "l", First: w.first, Active: !w.first, Base: w.base, Sides: map[record.Side]Now{}, NewIDs: map[record.Side]string{record.Creatio: "new"}}
	for _, s := range record.Sides {
		p.Sides[s] = Now{ID: string(s), Member: true, View: w.view(s)}
	}
	return p
}

// carryOut writes what was decided, as a run does.
func (w *world) carryOut(d Decision) {
	for _, s := range record.Sides {
		shown := slices.Clone(d.Projections[s])
		if op := d.Ops[s]; op != nil {
			now, more := w.hold(s, op.After)
			w.now[s], shown = now, append(shown, more...)
		}
		w.shown[s] = shown
	}
	w.base, w.first = d.Base, false
}

// swapped is the same world with the sides exchanged.
func (w *world) swapped() *world {
	out := &world{
		base: w.base, first: w.first, now: map[record.Side]record.Fields{}, shown: map[record.Side][]record.Projection{}, at: map[record.Side]time.Time{},
	}
	for _, s := range record.Sides {
		out.now[s], out.shown[s], out.at[s] = w.now[s.Other()], w.shown[s.Other()], w.at[s.Other()]
	}
	return out
}

func policies() *rapid.Generator[Policy] {
	return rapid.Custom(func(t *rapid.T) Policy {
		return Policy{
			Direction: rapid.SampledFrom([]Direction{Both, Both, ToGoogle, ToCreatio}).Draw(t, "direction"),
			Conflicts: rapid.SampledFrom([]Conflicts{Latest, CreatioWins, GoogleWins}).Draw(t, "conflicts"),
		}
	})
}
