package contacts

import (
	"context"
	"slices"
	"strings"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/odata"
)

// eachPerson reads contacts with their details, and with them the rows that one more query has of them where more is not
// nil. It hands them over as they come, a batch at a time: what a site answers takes many times the room of what it says.
// Those that are not there any more are missing.
func (s *Side) eachPerson(ctx context.Context, ids []string, more func(ids []string) odata.Query, do func([]*person, []odata.Row)) error {
	if len(ids) == 0 {
		return nil
	}
	if err := s.learnCulture(ctx); err != nil {
		return err
	}
	per := len(contactQueries(nil))
	if more != nil {
		per++
	}
	for part := range slices.Chunk(ids, creatio.MaxParts/per*creatio.MaxListed) {
		people, rest, err := s.people(ctx, part, more)
		if err != nil {
			return err
		}
		do(people, rest)
	}
	return nil
}

// people reads as many contacts as fit in a batch.
func (s *Side) people(ctx context.Context, ids []string, more func(ids []string) odata.Query) ([]*person, []odata.Row, error) {
	var queries []odata.Query
	per := 0
	for chunk := range slices.Chunk(ids, creatio.MaxListed) {
		each := contactQueries(chunk)
		if more != nil {
			each = append(each, more(chunk))
		}
		per = len(each)
		queries = append(queries, each...)
	}
	answers, err := s.site.ReadAll(ctx, queries)
	if err != nil {
		return nil, nil, err
	}
	people, rest := peopleOf(answers, per)
	return people, rest, s.readDays(ctx, people)
}

// peopleOf puts the answers to contactQueries together, of which there are so many at a time: with what one more query has,
// where there is one.
func peopleOf(answers []creatio.Answer, per int) (people []*person, rest []odata.Row) {
	byID := map[string]*person{}
	for i, a := range answers {
		for _, r := range a.Rows {
			owner := byID[strings.ToLower(r.Lookup("ContactId"))]
			switch {
			case i%per == 0:
				p := contactOf(r)
				byID[p.id] = p
				people = append(people, p)
			case i%per == 4:
				rest = append(rest, r)
			case owner == nil:
			case i%per == 1:
				owner.communications = append(owner.communications, communicationOf(r))
			case i%per == 2:
				owner.addresses = append(owner.addresses, addressOf(r))
			case i%per == 3:
				owner.anniversaries = append(owner.anniversaries, anniversary{r.Text("Id"), r.Time("Date"), r.Time("ModifiedOn")})
			}
		}
	}
	return people, rest
}

// contactQueries ask for contacts by id, their communications, addresses and birthdays, in this order.
func contactQueries(ids []string) []odata.Query {
	listed := creatio.Guids(ids)
	return contentQueries(odata.In("Id", listed), odata.In("Contact/Id", listed))
}

// contentQueries are contactQueries of contacts, and of details of contacts, that match.
func contentQueries(contacts, of odata.Filter) []odata.Query {
	return []odata.Query{
		{
			Set: "Contact", Filter: contacts,
			Select: []string{
				"Id", "Name", "Surname", "GivenName", "MiddleName", "SalutationTypeId", "JobId", "JobTitle", "DepartmentId", "AccountId",
				"BirthDate", "Notes", "Skype", "PhotoId", "ModifiedOn",
			},
			Expand: nameFrom("SalutationType", "Job", "Department", "Account"),
		},
		{Set: "ContactCommunication", Filter: of, Select: []string{"Id", "ContactId", "CommunicationTypeId", "Number", "Primary", "ModifiedOn"}},
		{
			Set: "ContactAddress", Filter: of,
			Select: []string{"Id", "ContactId", "AddressTypeId", "CountryId", "RegionId", "CityId", "Address", "Zip", "Primary", "ModifiedOn"},
			Expand: nameFrom("Country", "Region", "City"),
		},
		{
			Set: "ContactAnniversary", Filter: odata.And(of, odata.Eq("AnniversaryType/Id", odata.Guid(anniversaryBirthday))),
			Select: []string{"Id", "ContactId", "Date", "ModifiedOn"},
		},
	}
}

// nameFrom asks for the names of what lookups point to.
func nameFrom(lookups ...string) []odata.Expand {
	out := make([]odata.Expand, len(lookups))
	for i, l := range lookups {
		out[i] = odata.Expand{Name: l, Select: []string{"Name"}}
	}
	return out
}

func contactOf(r odata.Row) *person {
	p := &person{
		id: strings.ToLower(r.Text("Id")), name: r.Text("Name"), surname: r.Text("Surname"), given: r.Text("GivenName"), middle: r.Text("MiddleName"),
		salutation: nameOf(r, "SalutationType"), department: nameOf(r, "Department"), account: nameOf(r, "Account"), job: nameOf(r, "Job"),
		jobTitle: r.Text("JobTitle"), birth: r.Time("BirthDate"), notes: r.Text("Notes"), skype: r.Text("Skype"), photo: strings.ToLower(r.Lookup("PhotoId")), modified: r.Time("ModifiedOn"),
	}
	for lookup, field := range map[string]string{
		"SalutationType": contact.Salutation, "Department": contact.Department, "Account": contact.Company, "Job": contact.JobTitle,
	} {
		if isHidden(r, lookup) {
			p.hidden = append(p.hidden, field)
		}
	}
	slices.Sort(p.hidden)
	return p
}

// isHidden reports whether a lookup points to a row that the user may not read.
func isHidden(r odata.Row, lookup string) bool {
	return r.Lookup(lookup+"Id") != "" && nameOf(r, lookup) == ""
}

func communicationOf(r odata.Row) communication {
	return communication{
		id: r.Text("Id"), typeID: strings.ToLower(r.Lookup("CommunicationTypeId")), number: r.Text("Number"),
		primary: r.Bool("Primary"), modified: r.Time("ModifiedOn"),
	}
}

func addressOf(r odata.Row) address {
	a := address{
		id: r.Text("Id"), typeID: strings.ToLower(r.Lookup("AddressTypeId")), street: r.Text("Address"), city: nameOf(r, "City"),
		region: nameOf(r, "Region"), zip: r.Text("Zip"), country: nameOf(r, "Country"), primary: r.Bool("Primary"), modified: r.Time("ModifiedOn"),
	}
	for _, of := range [][2]string{{"City", contact.City}, {"Region", contact.Region}, {"Country", contact.Country}} {
		if isHidden(r, of[0]) {
			a.hidden = append(a.hidden, of[1])
		}
	}
	return a
}

// nameOf is the name of the row that a lookup points to.
func nameOf(r odata.Row, lookup string) string {
	return strings.TrimSpace(r.Nested(lookup).Text("Name"))
}
