package contacts

import (
	"slices"
	"strings"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/record"
)

// The site's lists in which the names of a contact are looked up.
const (
	accounts    = "Account"
	salutations = "ContactSalutationType"
	departments = "Department"
	jobs        = "Job"
	countries   = "Country"
	regions     = "Region"
	cities      = "City"
)

// questions are what has to be looked up to plan operations.
func questions(ops []record.Operation) []creatio.Question {
	names := map[string][]string{}
	ask := func(set, name string) {
		if name = strings.TrimSpace(name); name != "" {
			names[set] = append(names[set], name)
		}
	}
	for _, op := range ops {
		for _, field := range op.Changed {
			switch field {
			case contact.Company:
				ask(accounts, op.After.Text(field))
			case contact.Salutation:
				ask(salutations, op.After.Text(field))
			case contact.Department:
				ask(departments, op.After.Text(field))
			case contact.JobTitle:
				ask(jobs, op.After.Text(field))
			case contact.Addresses:
				for _, e := range newAddresses(op) {
					ask(countries, e.Parts[contact.Country])
					for _, name := range contact.CountrySpellings(e.Parts[contact.Country]) {
						ask(countries, name)
					}
					ask(regions, e.Parts[contact.Region])
					ask(cities, e.Parts[contact.City])
				}
			}
		}
	}
	var out []creatio.Question
	for _, set := range []string{accounts, salutations, departments, jobs, countries} {
		out = append(out, creatio.Question{Set: set, Names: names[set]})
	}
	return append(out,
		creatio.Question{Set: regions, Within: []string{"CountryId"}, Names: names[regions]},
		creatio.Question{Set: cities, Within: []string{"CountryId", "RegionId"}, Names: names[cities]})
}

// newAddresses are the addresses that the contact does not show yet.
func newAddresses(op record.Operation) []record.Entry {
	f, _ := contact.Schema.Field(contact.Addresses)
	known := map[string]bool{}
	for _, e := range op.Before[contact.Addresses] {
		known[f.Exact(e)] = true
	}
	return slices.DeleteFunc(slices.Clone(op.After[contact.Addresses]), func(e record.Entry) bool { return known[f.Exact(e)] })
}

// place is what the lists have of an address; parts that are not found are zero.
type place struct{ country, region, city creatio.Named }

// placeOf finds the parts of an address from the outside to the inside, so that a region is one of the country and a
// city one of the region. A name that several rows have equally is not found.
func placeOf(n creatio.Names, country, region, city string) place {
	var p place
	if rows := countryRows(n, country); len(rows) == 1 {
		p.country = rows[0]
	}
	p.region = within(n.Find(regions, region), []part{{country, p.country.ID}})
	p.city = within(n.Find(cities, city), []part{{country, p.country.ID}, {region, p.region.ID}})
	return p
}

// countryRows are the rows of a country: by its name, else by its names in other languages.
func countryRows(n creatio.Names, country string) []creatio.Named {
	rows := n.Find(countries, country)
	if len(rows) > 0 {
		return rows
	}
	for _, name := range contact.CountrySpellings(country) {
		for _, row := range n.Find(countries, name) {
			if !slices.ContainsFunc(rows, func(known creatio.Named) bool { return known.ID == row.ID }) {
				rows = append(rows, row)
			}
		}
	}
	return rows
}

// part is a part of an address in which another one lies: its name, and its row where it was found.
type part struct{ name, id string }

// within is the row that lies in what is around it, and in most of that; none where several do equally.
func within(rows []creatio.Named, around []part) creatio.Named {
	best, most, tie := creatio.Named{}, -1, false
	for _, r := range rows {
		rank, fits := 0, true
		for i, a := range around {
			switch {
			case r.Within[i] == "" || a.name == "":
			case r.Within[i] != a.id:
				fits = false
			default:
				rank++
			}
		}
		if fits && rank >= most {
			best, tie, most = r, rank == most, rank
		}
	}
	if tie {
		return creatio.Named{}
	}
	return best
}
