package creatio

import (
	"context"
	"maps"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/odata"
)

// Question is a search for rows of one of the site's lists by name.
type Question struct {
	// Set is the list's entity set.
	Set string
	// Within are the columns that refer to what contains a row, such as the country of a city.
	Within []string
	Names  []string
}

// Named is a row of a list.
type Named struct {
	ID, Name string
	// Within are the ids of what contains the row, in the order of the question; nil if it named no columns.
	Within []string
}

// Names are the rows that were found, by entity set and name, ignoring case.
type Names map[string]map[string][]Named

// NameKey normalizes a name, so that spellings that a list treats as equal have the same key.
func NameKey(name string) string { return strings.ToLower(norm.NFC.String(typed(oneLine(name)))) }

// oneLine is a name without what shows nothing, its words one space apart.
func oneLine(name string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) && r != '\u200c' && r != '\u200d' {
			return -1
		}
		return r
	}, name)), " ")
}

// typed writes signs as a keyboard has them that programs make typographic ones, and printed the other way round.
var (
	typed   = strings.NewReplacer("\u2018", "'", "\u2019", "'", "\u02bc", "'", "\u201c", `"`, "\u201d", `"`, "\u2010", "-", "\u2011", "-", "\u2013", "-").Replace
	printed = strings.NewReplacer("'", "\u2019", "-", "\u2013").Replace
)

// Spellings are the forms in which a list may have a name: a database compares letters as they are stored, composed or not, and does
// not know that one space is like another, or like two, nor that people type an apostrophe that another program curls.
func Spellings(name string) []string {
	line := norm.NFC.String(oneLine(name))
	return Unique([]string{
		name, line, norm.NFD.String(line), strings.ReplaceAll(line, " ", "\u00a0"), strings.ReplaceAll(line, " ", "  "), typed(line), printed(typed(line)),
		strings.ReplaceAll(typed(line), "'", "\u2019"),
	})
}

// Find returns the rows of a list with a name.
func (n Names) Find(set, name string) []Named { return n[set][NameKey(name)] }

// Add adds a row unless it is already there.
func (n Names) Add(set string, row Named) {
	key := NameKey(row.Name)
	if slices.ContainsFunc(n[set][key], func(known Named) bool { return known.ID == row.ID }) {
		return
	}
	if n[set] == nil {
		n[set] = map[string][]Named{}
	}
	n[set][key] = append(n[set][key], row)
}

// clone returns a copy that later look-ups do not change.
func (n Names) clone() Names {
	out := make(Names, len(n))
	for set, rows := range n {
		out[set] = maps.Clone(rows)
	}
	return out
}

// LookUp finds rows by name. It requests each name once per Site. A list that does not exist has no rows; a list that the
// user may not read is an error. The result includes what earlier calls found.
func (s *Site) LookUp(ctx context.Context, questions []Question) (Names, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var pieces []Question
	var queries []odata.Query
	for _, q := range questions {
		var names []string
		for _, name := range q.Names {
			if !s.asked[q.Set][name] {
				names = append(names, Spellings(name)...)
			}
		}
		for chunk := range slices.Chunk(Unique(names), MaxListed) {
			pieces = append(pieces, Question{Set: q.Set, Within: q.Within, Names: chunk})
			queries = append(queries, odata.Query{
				Set: q.Set, Select: append([]string{"Id", "Name"}, q.Within...), Filter: odata.In("Name", Texts(chunk)),
			})
		}
	}
	answers, err := s.Read(ctx, queries)
	if err != nil {
		return nil, err
	}
	for i, q := range pieces {
		switch err := answers[i].Err; {
		case fault.Is(err, fault.ReadOnly):
			return nil, Barred(err)
		case err != nil:
			s.options.Logger.WarnContext(ctx, "a list of the site cannot be read", "set", q.Set, "error", err)
		}
		for _, r := range answers[i].Rows {
			row := Named{ID: r.Lookup("Id"), Name: r.Text("Name")}
			for _, column := range q.Within {
				row.Within = append(row.Within, r.Lookup(column))
			}
			s.known.Add(q.Set, row)
		}
		if s.asked[q.Set] == nil {
			s.asked[q.Set] = map[string]bool{}
		}
		for _, name := range q.Names {
			s.asked[q.Set][name] = true
		}
	}
	return s.known.clone(), nil
}
