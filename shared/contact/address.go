package contact

import (
	"maps"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/tandem-sync/tandem/shared/record"
)

// addressKey is the identity of an address: its words, whatever the case and the punctuation, and its country in whatever
// language. One that was never
// taken apart is known by its text, and one without words by its signs.
func addressKey(e record.Entry) string {
	parts := []string{e.Text, e.Parts[Street], e.Parts[City], e.Parts[Region], e.Parts[Zip], e.Parts[Country]}
	folded := make([]string, len(parts))
	for i, part := range parts {
		folded[i] = record.Fold(part)
	}
	if code := countryCode(e.Parts[Country]); code != "" {
		folded[len(folded)-1] = code
	}
	if strings.Join(folded, "") == "" {
		for i, part := range parts {
			folded[i] = strings.Join(strings.Fields(norm.NFC.String(part)), " ")
		}
	}
	return strings.Join(folded, "|")
}

// editedAddress reads an address that a side shows in the place of another one, and in which somebody changed some parts. A side
// that has no place for a part shows it at the end of the street.
func editedAddress(canonical, displayed, now record.Entry) (record.Entry, int) {
	was := func(part string) string { return oneLine(displayed.Parts[part]) }
	is := func(part string) string { return oneLine(now.Parts[part]) }
	out := record.Entry{Kind: now.Kind, Parts: map[string]string{}}
	weight := 0
	for _, part := range []string{Zip, City, Region, Country} {
		switch {
		case is(part) != was(part):
			out.Parts[part] = now.Parts[part]
			continue
		case was(part) != "" && part != Country:
			weight++
		}
		out.Parts[part] = canonical.Parts[part]
	}
	switch street, moved, whole := streetOf(canonical, was(Street), is(Street)); {
	case is(Street) == was(Street):
		out.Parts[Street] = canonical.Parts[Street]
		weight += 4
	case !whole:
		return now, 0
	case moved:
		out.Parts[Street] = street
		weight++
	default:
		out.Parts[Street] = street
	}
	maps.DeleteFunc(out.Parts, func(_, v string) bool { return v == "" })
	return out, weight
}

// streetOf is a street that was edited, without what was moved to its end because it had no other place. It is not whole where
// that is gone.
func streetOf(canonical record.Entry, was, is string) (street string, moved, whole bool) {
	end, ok := strings.CutPrefix(was, oneLine(canonical.Parts[Street]))
	if !ok || end == "" {
		return is, false, ok
	}
	end = strings.TrimPrefix(end, ", ")
	if is == end {
		return "", true, true
	}
	street, whole = strings.CutSuffix(is, ", "+end)
	return street, true, whole
}

func oneLine(s string) string { return strings.Join(strings.Fields(norm.NFC.String(s)), " ") }
