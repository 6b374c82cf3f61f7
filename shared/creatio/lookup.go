package creatio

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/odata"
)

// Question asks one of the site's lists for rows by name.
type Question struct {
	// Set is the list's entity set.
	Set string
	// Within are the columns that say what a row lies in, as the country of a city.
	Within []string
	Names  []string
}

// Named is a row of a list.
type Named struct {
	ID, Name string
	// Within are the ids of what the row lies in, in the order of the question; nil where it asked for none.
	Within []string
}

// Names are rows of the site's lists by entity set and name, whatever the case: those only that were asked for.
type Names map[string]map[string][]Named

// NameKey is the form in which spellings of one name are equal to a list.
func NameKey(name string) string { return strings.ToLower(strings.Join(strings.Fields(name), " ")) }

// Find gives the rows of a list that have a name.
func (n Names) Find(set, name string) []Named { return n[set][NameKey(name)] }

// Add takes a row in, once however often it was found.
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

// clone is a copy that later look-ups do not change.
func (n Names) clone() Names {
	out := make(Names, len(n))
	for set, rows := range n {
		out[set] = maps.Clone(rows)
	}
	return out
}

// LookUp finds rows by name, and asks the site for each name once in its life. A list that the site does not have knows no
// names; of one that the user may not read nobody can say what it knows. What was found before is in the answer as well.
func (s *Site) LookUp(ctx context.Context, questions []Question) (Names, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var pieces []Question
	var queries []odata.Query
	for _, q := range questions {
		names := slices.DeleteFunc(slices.Clone(q.Names), func(name string) bool { return s.asked[q.Set][name] })
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
