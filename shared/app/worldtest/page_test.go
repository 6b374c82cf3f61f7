package worldtest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/api/people/v1"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
)

// page is a contact on a side as people see and edit it.
type page interface {
	// list are the lines of a field with many values, as they are written there.
	list(field string) []line
	add(field string, l line)
	change(field string, was, is line)
	remove(field string, l line)
	// text is a field with one value.
	text(field string) string
	write(field, text string)
}

// line is one of many values with its label.
type line struct {
	at          any
	label, text string
}

// The labels of each side by what they mean to the other one; "" for labels that the other side does not know. The first of a
// kind is what Tandem writes.
var labels = map[record.Side]map[string][][2]string{
	record.Creatio: {
		contact.Phones: {
			{phoneTypes["work"], "work"},
			{phoneTypes["home"], "home"},
			{phoneTypes["mobile"], "mobile"},
			{phoneTypes["other"], "other"},
			{mainPhone, ""},
		},
		contact.Emails:    {{emailType, "any"}},
		contact.Websites:  {{"6a8ba927-67cc-df11-9b2a-001d60e938c6", "any"}},
		contact.Addresses: {{addressTypes["home"], "home"}, {addressTypes["work"], "work"}},
	},
	record.Google: {
		contact.Phones: {
			{"work", "work"},
			{"home", "home"},
			{"mobile", "mobile"},
			{"other", "other"},
			{"workFax", "work"},
			{"main", "mobile"},
			{"Boat", ""},
		},
		contact.Emails:    {{"home", "any"}, {"work", "any"}, {"Boat", "any"}},
		contact.Websites:  {{"homePage", "any"}, {"blog", "any"}},
		contact.Addresses: {{"home", "home"}, {"work", "work"}, {"Cabin", ""}},
	},
}

const mainPhone = "6a3fb10c-67cc-df11-9b2a-001d60e938c6"

// kindOfLabel is what a label means to the other side.
func kindOfLabel(side record.Side, field, label string) string {
	if field == contact.Emails || field == contact.Websites {
		return "any"
	}
	for _, l := range labels[side][field] {
		if l[0] == label {
			return l[1]
		}
	}
	return ""
}

// addressOrder are the parts of an address as the text of a line has them.
var addressOrder = []string{contact.Street, contact.Zip, contact.City, contact.Region, contact.Country}

func addressOf(text string) map[string]string {
	out := map[string]string{}
	for i, part := range strings.Split(text, "|") {
		out[addressOrder[i]] = part
	}
	return out
}

// row is a contact in Creatio, edited by one of its users.
type creatioPage struct {
	*creatiobox.Session
	system *creatiobox.Session
	id     string
	must   func(string, error) string
}

func (p creatioPage) list(field string) (out []line) {
	if field == contact.Addresses {
		for _, r := range byID(p.system.Rows("ContactAddress", map[string]any{"ContactId": p.id})) {
			name := func(list, column string) string { return text(p.system.Get(list, text(r[column]))["Name"]) }
			parts := []string{text(r["Address"]), text(r["Zip"]), name("City", "CityId"), name("Region", "RegionId"), name("Country", "CountryId")}
			out = append(out, line{text(r["Id"]), text(r["AddressTypeId"]), strings.Join(parts, "|")})
		}
		return out
	}
	for _, r := range byID(p.system.Rows("ContactCommunication", map[string]any{"ContactId": p.id})) {
		if l := text(r["CommunicationTypeId"]); slices.ContainsFunc(labels[record.Creatio][field], func(known [2]string) bool { return known[0] == l }) {
			out = append(out, line{text(r["Id"]), l, text(r["Number"])})
		}
	}
	return out
}

func byID(rows []map[string]any) []map[string]any {
	slices.SortFunc(rows, func(a, b map[string]any) int { return strings.Compare(text(a["Id"]), text(b["Id"])) })
	return rows
}

func (p creatioPage) values(field string, l line) (entity string, values map[string]any) {
	if field != contact.Addresses {
		return "ContactCommunication", map[string]any{"CommunicationTypeId": l.label, "Number": l.text}
	}
	parts := addressOf(l.text)
	values = map[string]any{"AddressTypeId": l.label, "Address": parts[contact.Street], "Zip": parts[contact.Zip]}
	for _, c := range [][3]string{{contact.City, "CityId", "City"}, {contact.Region, "RegionId", "Region"}, {contact.Country, "CountryId", "Country"}} {
		values[c[1]] = nil
		if rows := p.system.Rows(c[2], map[string]any{"Name": parts[c[0]]}); len(rows) > 0 {
			values[c[1]] = rows[0]["Id"]
		}
	}
	return "ContactAddress", values
}

func (p creatioPage) add(field string, l line) {
	entity, values := p.values(field, l)
	values["ContactId"] = p.id
	p.must(p.Insert(entity, values))
}

func (p creatioPage) change(field string, was, is line) {
	entity, values := p.values(field, is)
	p.must("", p.Update(entity, was.at.(string), values))
}

func (p creatioPage) remove(field string, l line) {
	entity, _ := p.values(field, l)
	p.must("", p.Delete(entity, l.at.(string)))
}

// columnOf are the columns of fields with one value.
var columnOf = map[string][2]string{
	contact.JobTitle: {"JobTitle", ""}, contact.Notes: {"Notes", ""}, contact.GivenName: {"GivenName", ""}, contact.Company: {"AccountId", "Account"},
	contact.Department: {"DepartmentId", "Department"}, contact.Salutation: {"SalutationTypeId", "ContactSalutationType"}, contact.Birthday: {"BirthDate", ""},
}

func (p creatioPage) text(field string) string {
	c := columnOf[field]
	value := p.system.Get("Contact", p.id)[c[0]]
	if t, ok := value.(time.Time); ok {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.DateOnly)
	}
	if c[1] != "" {
		return text(p.system.Get(c[1], text(value))["Name"])
	}
	return text(value)
}

func (p creatioPage) write(field, is string) {
	c := columnOf[field]
	var value any = is
	switch {
	case c[1] != "" && is == "":
		value = nil
	case c[1] != "":
		value = p.system.Rows(c[1], map[string]any{"Name": is})[0]["Id"]
	case field == contact.Birthday && is == "":
		value = nil
	case field == contact.Birthday:
		value = is + "T00:00:00Z"
	}
	p.must("", p.Update("Contact", p.id, map[string]any{c[0]: value}))
}

// googlePage is a contact in Google.
type googlePage struct {
	person func() *people.Person
	edit   func(func(*people.Person)) bool
}

func (p googlePage) list(field string) (out []line) {
	q := p.person()
	switch field {
	case contact.Phones:
		for i, e := range q.PhoneNumbers {
			out = append(out, line{i, e.Type, e.Value})
		}
	case contact.Emails:
		for i, e := range q.EmailAddresses {
			out = append(out, line{i, e.Type, e.Value})
		}
	case contact.Websites:
		for i, e := range q.Urls {
			out = append(out, line{i, e.Type, e.Value})
		}
	case contact.Addresses:
		for i, a := range q.Addresses {
			out = append(out, line{i, a.Type, strings.Join([]string{a.StreetAddress, a.PostalCode, a.City, a.Region, a.Country}, "|")})
		}
	}
	return out
}

func (p googlePage) put(field string, l line, into func(list int, entry any)) {
	switch field {
	case contact.Phones:
		into(0, &people.PhoneNumber{Type: l.label, Value: l.text})
	case contact.Emails:
		into(1, &people.EmailAddress{Type: l.label, Value: l.text})
	case contact.Websites:
		into(2, &people.Url{Type: l.label, Value: l.text})
	case contact.Addresses:
		a := addressOf(l.text)
		into(3, &people.Address{
			Type: l.label, StreetAddress: a[contact.Street], PostalCode: a[contact.Zip], City: a[contact.City], Region: a[contact.Region], Country: a[contact.Country],
		})
	}
}

func (p googlePage) add(field string, l line) {
	p.edit(func(q *people.Person) {
		p.put(field, l, func(_ int, entry any) {
			switch e := entry.(type) {
			case *people.PhoneNumber:
				q.PhoneNumbers = append(q.PhoneNumbers, e)
			case *people.EmailAddress:
				q.EmailAddresses = append(q.EmailAddresses, e)
			case *people.Url:
				q.Urls = append(q.Urls, e)
			case *people.Address:
				q.Addresses = append(q.Addresses, e)
			}
		})
	})
}

func (p googlePage) change(field string, was, is line) {
	i := was.at.(int)
	p.edit(func(q *people.Person) {
		p.put(field, is, func(_ int, entry any) {
			switch e := entry.(type) {
			case *people.PhoneNumber:
				q.PhoneNumbers[i] = e
			case *people.EmailAddress:
				q.EmailAddresses[i] = e
			case *people.Url:
				q.Urls[i] = e
			case *people.Address:
				q.Addresses[i] = e
			}
		})
	})
}

func (p googlePage) remove(field string, l line) {
	i := l.at.(int)
	p.edit(func(q *people.Person) {
		switch field {
		case contact.Phones:
			q.PhoneNumbers = slices.Delete(q.PhoneNumbers, i, i+1)
		case contact.Emails:
			q.EmailAddresses = slices.Delete(q.EmailAddresses, i, i+1)
		case contact.Websites:
			q.Urls = slices.Delete(q.Urls, i, i+1)
		case contact.Addresses:
			q.Addresses = slices.Delete(q.Addresses, i, i+1)
		}
	})
}

func (p googlePage) text(field string) string {
	q := p.person()
	switch field {
	case contact.JobTitle, contact.Company, contact.Department:
		if len(q.Organizations) == 0 {
			return ""
		}
		o := q.Organizations[0]
		return map[string]string{contact.JobTitle: o.Title, contact.Company: o.Name, contact.Department: o.Department}[field]
	case contact.Notes:
		if len(q.Biographies) > 0 {
			return q.Biographies[0].Value
		}
	case contact.Birthday:
		if len(q.Birthdays) > 0 {
			if d := q.Birthdays[0].Date; d != nil {
				return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
			}
			return q.Birthdays[0].Text
		}
	case contact.GivenName, contact.Salutation:
		if len(q.Names) > 0 {
			return map[string]string{contact.GivenName: q.Names[0].GivenName, contact.Salutation: q.Names[0].HonorificPrefix}[field]
		}
	}
	return ""
}

func (p googlePage) write(field, is string) {
	p.edit(func(q *people.Person) {
		switch field {
		case contact.JobTitle:
			organization(q).Title = is
		case contact.Company:
			organization(q).Name = is
		case contact.Department:
			organization(q).Department = is
		case contact.Notes:
			q.Biographies = nil
			if is != "" {
				q.Biographies = []*people.Biography{{Value: is, ContentType: contentType(is)}}
			}
		case contact.Birthday:
			q.Birthdays = nil
			if t, err := time.Parse(time.DateOnly, is); err == nil {
				q.Birthdays = []*people.Birthday{{Date: &people.Date{Year: int64(t.Year()), Month: int64(t.Month()), Day: int64(t.Day())}}}
			} else if is != "" {
				q.Birthdays = []*people.Birthday{{Text: is}}
			}
		case contact.GivenName:
			q.Names[0].GivenName = is
		case contact.Salutation:
			q.Names[0].HonorificPrefix = is
		}
	})
}

// contentType says of what kind a biography is: those that begin with a paragraph are HTML.
func contentType(text string) string {
	if strings.HasPrefix(text, "<p>") {
		return "TEXT_HTML"
	}
	return "TEXT_PLAIN"
}
