package record

import (
	"maps"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Field is one field of a schema.
type Field struct {
	// Name is the stable name, as used in Fields and in history.
	Name string
	// Label is what a user reads.
	Label string
	// Set says that the field holds many entries that merge one by one.
	Set bool
	// Of names the value that the field is only a part of, as one of a name; empty where it is a value of its own. Words of
	// such a value stand in one part or in another, as people and programs split it.
	Of string
	// Ahead and Behind name, for a part of such a value, the field and the untracked value whose words may stand before and after
	// it: a title and a suffix, which are a part of the name where a side has no other place for them.
	Ahead, Behind string
	// Scripts, where not nil, reports whether two wordings of such a value are in two scripts, so that neither is an edit of the other.
	Scripts func(a, b string) bool
	// Parts are the names of the pieces of a composed value, in the order in which people read them.
	Parts []string
	// Lines says that line breaks are part of the value.
	Lines bool
	// Key is the identity of an entry of a set: entries of equal keys are one value, perhaps in two spellings.
	Key func(Entry) string
	// Alike, where not nil, finds two entries of different keys that mean the same, as a telephone number with
	// and without its country code. It is asked of values that nothing was agreed on yet, and of those under labels that
	// Tandem does not carry.
	Alike func(a, b Entry) bool
	// Located, where not nil, gives Alike for records of one thing, and for a user whose country is home where that is known.
	Located func(records []Fields, home string) func(a, b Entry) bool
	// Near, beside Alike, is what entries that are alike have in common: no others are compared.
	Near func(Entry) string
	// Loose, where not nil, tells of a value that only describes one, as a birthday "around 1960". Where records meet that have
	// it and an exact value, both stay.
	Loose func(Entry) bool
	// Shortened, where not nil, reports whether a value is what a side shows of another one for which it has no room. Where records
	// meet that have the two, both stay.
	Shortened func(whole, short Entry) bool
	// Edited, where not nil, reads a value that a side shows now as an edit of one that it showed in the place of another: it is
	// that other value, with what the side cannot hold of it, and with what was edited. The weight tells of how much of the
	// former value is left; it is 0 where now is no edit of it.
	Edited func(canonical, displayed, now Entry) (edited Entry, weight int)
	// KindYields says that the kind of an entry of a set tells something about it, as the answer of an attendee does: an entry that
	// one side removed goes although the other side changed its kind.
	KindYields bool
}

// Exact is the form in which a change of an entry shows: label and text without what nobody sees.
func (f Field) Exact(e Entry) string {
	var b strings.Builder
	b.WriteString(e.Kind)
	b.WriteByte(0)
	b.WriteString(f.clean(e.Text))
	for _, k := range slices.Sorted(maps.Keys(e.Parts)) {
		if v := f.clean(e.Parts[k]); v != "" {
			b.WriteByte(0)
			b.WriteString(k)
			b.WriteByte('=')
			b.WriteString(v)
		}
	}
	return b.String()
}

// Same reports whether nobody could tell the two entries apart.
func (f Field) Same(a, b Entry) bool { return a.Equal(b) || f.Exact(a) == f.Exact(b) }

// Means reports whether two entries of a set are one value in two spellings, or alike.
func (f Field) Means(a, b Entry) bool {
	return f.Key(a) == f.Key(b) || f.Alike != nil && f.Alike(a, b)
}

// Keys are the identities of entries that one record has side by side. Of entries that are alike all have one: within a record they are
// one value, as a number with and without its country code. It is the key of one of them, which shows whatever their order is.
func (f Field) Keys(entries []Entry) []string {
	own := make([]string, len(entries))
	for i, e := range entries {
		own[i] = f.Key(e)
	}
	if f.Alike == nil || len(entries) < 2 {
		return own
	}
	near, at := map[string][]int{}, make([]string, len(entries))
	for i, e := range entries {
		at[i] = f.Nearby(e)
		near[at[i]] = append(near[at[i]], i)
	}
	keys := slices.Clone(own)
	for i, e := range entries {
		for _, j := range near[at[i]] {
			if own[j] < keys[i] && f.Alike(e, entries[j]) {
				keys[i] = own[j]
			}
		}
	}
	return keys
}

// Nearby is what an entry has in common with all that are alike; nothing where the field does not say it.
func (f Field) Nearby(e Entry) string {
	if f.Near == nil {
		return ""
	}
	return f.Near(e)
}

// Empty reports whether the entry says nothing.
func (f Field) Empty(e Entry) bool {
	for _, part := range e.Parts {
		if f.clean(part) != "" {
			return false
		}
	}
	return f.clean(e.Text) == ""
}

// Clean is a text without what nobody sees of it.
func (f Field) Clean(s string) string { return f.clean(s) }

func (f Field) clean(s string) string {
	s = strings.Map(visible, norm.NFC.String(s))
	if strings.TrimFunc(s, isBlank) == "" {
		return ""
	}
	if !f.Lines {
		words := strings.Fields(s)
		for i, w := range words {
			words[i] = strings.Trim(w, joiners)
		}
		return strings.Join(words, " ")
	}
	lines := strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s), "\n")
	for i := range lines {
		lines[i] = strings.TrimRightFunc(lines[i], unicode.IsSpace)
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// joiners are characters that show nothing and tell words apart where they stand inside of one.
const joiners = "\u200c\u200d\u034f"

// visible drops the marks of direction, the spaces without a width and the control characters that come along where people copy from
// web pages and messages. Joiners stay, and so do tags, which are a part of flags, and the signs that are written over numbers.
func visible(r rune) rune {
	switch {
	case r < 0x7f && r >= ' ', strings.ContainsRune(joiners, r), unicode.Is(unicode.Prepended_Concatenation_Mark, r), isTag(r):
		return r
	case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Cc, r) && !unicode.IsSpace(r), r == '\u17b4', r == '\u17b5':
		return -1
	default:
		return r
	}
}

func isTag(r rune) bool { return r >= 0xe0020 && r <= 0xe007f }

// isBlank reports whether a character shows nothing by itself: spaces, joiners, tags, variation selectors, the fillers of Hangul and
// the empty cell of Braille.
func isBlank(r rune) bool {
	return unicode.IsSpace(r) || strings.ContainsRune(joiners+"\u115f\u1160\u3164\uffa0\u2800", r) || isTag(r) || unicode.Is(unicode.Variation_Selector, r)
}

// Show writes a field's value for a person to read.
func (f Field) Show(entries []Entry) string {
	out := make([]string, 0, len(entries))
	for _, e := range entries {
		text := e.Text
		if text == "" && len(e.Parts) > 0 {
			var parts []string
			for _, k := range f.Parts {
				if v := f.clean(e.Parts[k]); v != "" {
					parts = append(parts, v)
				}
			}
			text = strings.Join(parts, ", ")
		}
		if e.Kind != "" {
			text += " (" + e.Kind + ")"
		}
		out = append(out, text)
	}
	return strings.Join(out, "; ")
}

// Schema is the list of fields of a sync type, in the order of display.
type Schema []Field

// Field finds a field by name.
func (s Schema) Field(name string) (Field, bool) {
	for _, f := range s {
		if f.Name == name {
			return f, true
		}
	}
	return Field{}, false
}

// Names are those of the fields, in their order.
func (s Schema) Names() []string {
	out := make([]string, len(s))
	for i, f := range s {
		out[i] = f.Name
	}
	return out
}

// Clean drops empty entries and entries that repeat an earlier one's identity, and every field that is not of the
// schema, so that two readings of the same record are equal.
func (s Schema) Clean(in Fields) Fields {
	out := make(Fields, len(in))
	for _, f := range s {
		seen := map[string]bool{}
		keys := f.Keys(in[f.Name])
		for i, e := range in[f.Name] {
			if f.Empty(e) || seen[keys[i]] || keys[i] != f.Key(e) || (!f.Set && len(seen) > 0) {
				continue
			}
			seen[keys[i]] = true
			out[f.Name] = append(out[f.Name], e)
		}
	}
	return out
}

// Repeats are the entries of sets that Clean drops because an earlier one has their identity.
func (s Schema) Repeats(in Fields) Fields {
	out := Fields{}
	for _, f := range s {
		seen := map[string]bool{}
		keys := f.Keys(in[f.Name])
		for i, e := range in[f.Name] {
			switch {
			case !f.Set || f.Empty(e):
			case seen[keys[i]], keys[i] != f.Key(e):
				out[f.Name] = append(out[f.Name], e)
			default:
				seen[keys[i]] = true
			}
		}
	}
	return out
}

// Equal reports whether both contents are the same field by field, sets in any order.
func (s Schema) Equal(a, b Fields) bool {
	for _, f := range s {
		if !f.Equal(a[f.Name], b[f.Name]) {
			return false
		}
	}
	return true
}

// Equal reports whether both values of the field are the same, sets in any order.
func (f Field) Equal(a, b []Entry) bool {
	if len(a) != len(b) {
		return false
	}
	if slices.EqualFunc(a, b, Entry.Equal) {
		return true
	}
	left := make(map[string]int, len(a))
	for _, e := range a {
		left[f.Exact(e)]++
	}
	for _, e := range b {
		left[f.Exact(e)]--
		if left[f.Exact(e)] < 0 {
			return false
		}
	}
	return true
}
