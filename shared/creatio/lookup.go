package creatio

import (
	"context"
	"maps"
	"slices"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/odata"
	"github.com/tandem-sync/tandem/shared/record"
)

// list is one of the site's lists in which names are looked up.
type list struct {
	set    string
	fields []string
	asked  func(mentioned) map[string]bool
	add    func(*names, odata.Row)
}

func siteLists() []list {
	simple := func(set string, asked func(mentioned) map[string]bool, to func(*names) byName) list {
		return list{set, []string{"Id", "Name"}, asked, func(n *names, r odata.Row) { to(n).add(namedOf(r)) }}
	}
	return []list{
		simple("Account", func(m mentioned) map[string]bool { return m.accounts }, func(n *names) byName { return n.accounts }),
		simple("ContactSalutationType", func(m mentioned) map[string]bool { return m.salutations }, func(n *names) byName { return n.salutations }),
		simple("Department", func(m mentioned) map[string]bool { return m.departments }, func(n *names) byName { return n.departments }),
		simple("Job", func(m mentioned) map[string]bool { return m.jobs }, func(n *names) byName { return n.jobs }),
		simple("Country", func(m mentioned) map[string]bool { return m.countries }, func(n *names) byName { return n.countries }),
		{
			"Region",
			[]string{"Id", "Name", "CountryId"},
			func(m mentioned) map[string]bool { return m.regions },
			func(n *names, r odata.Row) { addPlace(n.regions, r) },
		},
		{
			"City",
			[]string{"Id", "Name", "CountryId", "RegionId"},
			func(m mentioned) map[string]bool { return m.cities },
			func(n *names, r odata.Row) { addPlace(n.cities, r) },
		},
	}
}

func namedOf(r odata.Row) named { return named{id: r.Lookup("Id"), name: r.Text("Name")} }

func addPlace(to map[string][]placeRow, r odata.Row) {
	key, row := nameKey(r.Text("Name")), placeRow{namedOf(r), r.Lookup("CountryId"), r.Lookup("RegionId")}
	if !slices.Contains(to[key], row) {
		to[key] = append(to[key], row)
	}
}

// resolve looks up the names that operations mention, each once in the life of the site. A list that the site does not
// have knows no names; of one that the user may not read nobody can say what it knows.
func (s *Site) resolve(ctx context.Context, ops []record.Operation) (*names, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	wanted := mention(ops)
	type question struct {
		list  list
		names []string
	}
	var questions []question
	var queries []odata.Query
	for _, l := range siteLists() {
		var fresh []string
		for _, name := range slices.Sorted(maps.Keys(l.asked(wanted))) {
			if !l.asked(s.asked)[name] {
				fresh = append(fresh, name)
			}
		}
		for chunk := range slices.Chunk(fresh, maxListed) {
			questions = append(questions, question{l, chunk})
			queries = append(queries, odata.Query{Set: l.set, Select: l.fields, Filter: odata.In("Name", texts(chunk))})
		}
	}
	answers, err := s.read(ctx, queries)
	if err != nil {
		return nil, err
	}
	for i, q := range questions {
		switch err := answers[i].err; {
		case fault.Is(err, fault.ReadOnly):
			return nil, barred(err)
		case err != nil:
			s.options.Logger.WarnContext(ctx, "a list of the site cannot be read", "set", q.list.set, "error", err)
		}
		for _, r := range answers[i].rows {
			q.list.add(s.known, r)
		}
		for _, name := range q.names {
			q.list.asked(s.asked)[name] = true
		}
	}
	return s.known.clone(), nil
}

// clone is a copy that later look-ups do not change.
func (n *names) clone() *names {
	return &names{
		accounts: maps.Clone(n.accounts), salutations: maps.Clone(n.salutations), departments: maps.Clone(n.departments), jobs: maps.Clone(n.jobs),
		countries: maps.Clone(n.countries), regions: maps.Clone(n.regions), cities: maps.Clone(n.cities),
	}
}
