package creatio

import (
	"slices"
	"strings"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
)

// named is a row of a lookup or of the accounts.
type named struct{ id, name string }

// byName holds rows by name, whatever the case.
type byName map[string][]named

func nameKey(name string) string {
	return strings.ToLower(strings.Join(strings.Fields(name), " "))
}

func (b byName) find(name string) []named { return b[nameKey(name)] }

// add takes a row in, once however often it was found.
func (b byName) add(r named) {
	if key := nameKey(r.name); !slices.Contains(b[key], r) {
		b[key] = append(b[key], r)
	}
}

// names is what is known of the site's lists: only the names that the operations at hand mention.
type names struct {
	accounts, salutations, departments, jobs, countries byName
	regions, cities                                     map[string][]placeRow
}

// placeRow is a region or a city with what it lies in.
type placeRow struct {
	named
	country, region string
}

func newNames() *names {
	return &names{
		accounts: byName{}, salutations: byName{}, departments: byName{}, jobs: byName{}, countries: byName{},
		regions: map[string][]placeRow{}, cities: map[string][]placeRow{},
	}
}

// found is what the lists have of an address; parts that are not found are zero.
type found struct{ country, region, city named }

// place finds the parts of an address from the outside to the inside, so that a region is one of the country and a
// city one of the region. A name that several rows have equally is not found.
func (n *names) place(country, region, city string) found {
	var f found
	if rows := n.countries.find(country); len(rows) == 1 {
		f.country = rows[0]
	}
	within := func(rows []placeRow) named {
		best, bestRank, tie := named{}, -1, false
		for _, r := range rows {
			rank := 0
			fits := true
			for _, c := range []struct{ asked, have, of string }{
				{country, f.country.id, r.country}, {region, f.region.id, r.region},
			} {
				switch {
				case c.of == "" || c.asked == "":
				case c.have != c.of:
					fits = false
				default:
					rank++
				}
			}
			if !fits || rank < bestRank {
				continue
			}
			best, tie, bestRank = r.named, rank == bestRank, rank
		}
		if tie {
			return named{}
		}
		return best
	}
	f.region = within(n.regions[nameKey(region)])
	f.city = within(n.cities[nameKey(city)])
	return f
}

// mentioned are the names that operations mention.
type mentioned struct {
	accounts, salutations, departments, jobs, countries, regions, cities map[string]bool
}

// mention gathers what has to be looked up to plan the operations.
func mention(ops []record.Operation) mentioned {
	m := mentioned{
		map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{},
	}
	add := func(to map[string]bool, name string) {
		if name = strings.TrimSpace(name); name != "" {
			to[name] = true
		}
	}
	for _, op := range ops {
		for _, field := range op.Changed {
			switch field {
			case contact.Company:
				add(m.accounts, op.After.Text(field))
			case contact.Salutation:
				add(m.salutations, op.After.Text(field))
			case contact.Department:
				add(m.departments, op.After.Text(field))
			case contact.JobTitle:
				add(m.jobs, op.After.Text(field))
			case contact.Addresses:
				for _, e := range newEntries(op) {
					add(m.countries, e.Parts[contact.Country])
					add(m.regions, e.Parts[contact.Region])
					add(m.cities, e.Parts[contact.City])
				}
			}
		}
	}
	return m
}

// newEntries are the addresses that the contact does not show yet.
func newEntries(op record.Operation) []record.Entry {
	f, _ := contact.Schema.Field(contact.Addresses)
	var out []record.Entry
	for _, e := range op.After[contact.Addresses] {
		known := false
		for _, b := range op.Before[contact.Addresses] {
			known = known || f.Same(b, e)
		}
		if !known {
			out = append(out, e)
		}
	}
	return out
}
