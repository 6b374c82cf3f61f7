package people

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/api/people/v1"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/richtext"
)

const contactType = "CONTACT"

// recordOf is a person in Tandem's vocabulary: what its contact source says. A person without one is no contact (any
// more).
func recordOf(p *people.Person, group string) record.Record {
	source := sourceOf(p)
	if source == nil || p.Metadata.Deleted {
		gone := record.Record{ID: p.ResourceName, Gone: true, Tombstone: p.Metadata != nil && p.Metadata.Deleted}
		if p.Metadata != nil {
			gone.Aliases = slices.Clone(p.Metadata.PreviousResourceNames)
		}
		return gone
	}
	own := ownOf(p, source)
	r := record.Record{
		ID: p.ResourceName, Aliases: slices.Clone(p.Metadata.PreviousResourceNames), Mark: markOf(p, source),
		Modified: timeOf(source.UpdateTime), Member: memberOf(p, group), Fields: fieldsOf(own),
		Untracked: untrackedOf(own),
	}
	n := state{Etag: source.Etag, Source: source.Id, Person: withoutDerived(own), Photo: photoOf(p, source)}
	r.Photo = referenceTo(n.Photo)
	if n.Etag == "" {
		n.Merged = p.Etag
	}
	r.AdapterState = n.encode()
	return r
}

// sourceOf is the person's contact source. There is one; a profile comes beside it.
func sourceOf(p *people.Person) *people.Source {
	if p.Metadata == nil {
		return nil
	}
	for _, s := range p.Metadata.Sources {
		if s != nil && s.Type == contactType {
			return s
		}
	}
	return nil
}

// of reports whether an entry is of the contact source.
func of(m *people.FieldMetadata, source *people.Source) bool {
	if m == nil || m.Source == nil || m.Source.Type == "" {
		return true
	}
	return m.Source.Type == contactType && (m.Source.Id == "" || source.Id == "" || m.Source.Id == source.Id)
}

// ownOf is the person without what is not of its contact source.
func ownOf(p *people.Person, source *people.Source) *people.Person {
	return &people.Person{
		Names:          only(p.Names, source, func(e *people.Name) *people.FieldMetadata { return e.Metadata }),
		Nicknames:      only(p.Nicknames, source, func(e *people.Nickname) *people.FieldMetadata { return e.Metadata }),
		Organizations:  only(p.Organizations, source, func(e *people.Organization) *people.FieldMetadata { return e.Metadata }),
		Birthdays:      only(p.Birthdays, source, func(e *people.Birthday) *people.FieldMetadata { return e.Metadata }),
		Biographies:    only(p.Biographies, source, func(e *people.Biography) *people.FieldMetadata { return e.Metadata }),
		ImClients:      only(p.ImClients, source, func(e *people.ImClient) *people.FieldMetadata { return e.Metadata }),
		EmailAddresses: only(p.EmailAddresses, source, func(e *people.EmailAddress) *people.FieldMetadata { return e.Metadata }),
		PhoneNumbers:   only(p.PhoneNumbers, source, func(e *people.PhoneNumber) *people.FieldMetadata { return e.Metadata }),
		Addresses:      only(p.Addresses, source, func(e *people.Address) *people.FieldMetadata { return e.Metadata }),
		Urls:           only(p.Urls, source, func(e *people.Url) *people.FieldMetadata { return e.Metadata }),
	}
}

func only[T any](entries []*T, source *people.Source, meta func(*T) *people.FieldMetadata) []*T {
	var out []*T
	for _, e := range entries {
		if e != nil && of(meta(e), source) {
			out = append(out, e)
		}
	}
	return out
}

// markOf is the link that Tandem left on the person. Merged contacts may carry two; it is a hint and no more.
func markOf(p *people.Person, source *people.Source) string {
	var marks []string
	for _, d := range p.ClientData {
		if d != nil && d.Key == mark && of(d.Metadata, source) {
			marks = append(marks, d.Value)
		}
	}
	if len(marks) == 0 {
		return ""
	}
	return slices.Min(marks)
}

func memberOf(p *people.Person, group string) bool {
	return group != "" && slices.ContainsFunc(p.Memberships, func(m *people.Membership) bool {
		return m != nil && m.ContactGroupMembership != nil && m.ContactGroupMembership.ContactGroupResourceName == group
	})
}

func timeOf(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// fieldsOf reads a contact's own entries.
func fieldsOf(p *people.Person) record.Fields {
	f := record.Fields{}
	if len(p.Names) > 0 {
		readName(f, p.Names[0])
	}
	if nick := nicknameOf(p); nick != "" && nameless(f) {
		f.SetText(contact.GivenName, nick)
	}
	if i := managedOrganization(p.Organizations); i >= 0 {
		o := p.Organizations[i]
		f.SetText(contact.Company, strings.TrimSpace(o.Name))
		f.SetText(contact.JobTitle, strings.TrimSpace(o.Title))
		f.SetText(contact.Department, strings.TrimSpace(o.Department))
	}
	if len(p.Birthdays) > 0 {
		f.SetText(contact.Birthday, birthdayOf(p.Birthdays[0]))
	}
	if len(p.Biographies) > 0 {
		f.SetText(contact.Notes, noteOf(p.Biographies[0]))
	}
	if i := managedSkype(p.ImClients); i >= 0 {
		f.SetText(contact.Skype, strings.TrimSpace(p.ImClients[i].Username))
	}
	f[contact.Emails] = emailList(p).entries()
	f[contact.Phones] = phoneList(p).entries()
	f[contact.Addresses] = addressList(p).entries()
	f[contact.Websites] = websiteList(p).entries()
	return contact.Schema.Clean(f)
}

// noteOf is a biography as a person reads it.
func noteOf(b *people.Biography) string {
	if b.ContentType == "TEXT_HTML" {
		return richtext.OfHTML(b.Value)
	}
	return strings.TrimSpace(b.Value)
}

// untrackedOf are the values under labels that Tandem does not carry, and what stands after the name.
func untrackedOf(p *people.Person) record.Fields {
	out := record.Fields{contact.Phones: phoneList(p).untracked(), contact.Addresses: addressList(p).untracked()}
	if len(p.Names) > 0 {
		out.SetText(contact.Suffix, strings.TrimSpace(p.Names[0].HonorificSuffix))
	}
	out.SetText(contact.Nickname, nicknameOf(p))
	return out
}

func nameless(f record.Fields) bool {
	return f.Text(contact.GivenName)+f.Text(contact.MiddleName)+f.Text(contact.Surname) == ""
}

// nicknameOf is what people call a contact, which names one that has no other name. It is not written.
func nicknameOf(p *people.Person) string {
	best := ""
	for _, n := range p.Nicknames {
		text := strings.TrimSpace(n.Value)
		if n.Type == "MAIDEN_NAME" || n.Type == "INITIALS" || text == "" {
			continue
		}
		if foremost(n.Metadata) {
			return text
		}
		if best == "" || text < best {
			best = text
		}
	}
	return best
}

// readName reads the parts of the name. A name that was never split shows whole as the given name.
func readName(f record.Fields, n *people.Name) {
	given, middle, family := strings.TrimSpace(n.GivenName), strings.TrimSpace(n.MiddleName), strings.TrimSpace(n.FamilyName)
	if given+middle+family+n.HonorificPrefix+n.HonorificSuffix == "" {
		given = strings.TrimSpace(n.UnstructuredName)
	}
	f.SetText(contact.GivenName, given)
	f.SetText(contact.MiddleName, middle)
	f.SetText(contact.Surname, family)
	f.SetText(contact.Salutation, strings.TrimSpace(n.HonorificPrefix))
}

// managedOrganization is the one that Tandem carries, of those that may be an employer: the current one, else one without an end,
// else the one shown first. Google gives no order, so what an organization says decides between equals.
func managedOrganization(list []*people.Organization) int {
	best := -1
	for i, o := range list {
		if strings.EqualFold(o.Type, school) {
			continue
		}
		if best < 0 || organizationOrder(o, list[best]) < 0 {
			best = i
		}
	}
	return best
}

func organizationOrder(a, b *people.Organization) int {
	return cmp.Or(first(a.Current, b.Current), first(a.EndDate == nil, b.EndDate == nil), first(foremost(a.Metadata), foremost(b.Metadata)),
		strings.Compare(a.Name+"\x00"+a.Title+"\x00"+a.Department, b.Name+"\x00"+b.Title+"\x00"+b.Department))
}

// managedSkype is the one Skype name that Tandem carries.
func managedSkype(list []*people.ImClient) int {
	best := -1
	for i, c := range list {
		if !strings.EqualFold(c.Protocol, skype) || strings.TrimSpace(c.Username) == "" {
			continue
		}
		if best < 0 || cmp.Or(first(foremost(c.Metadata), foremost(list[best].Metadata)), strings.Compare(c.Username, list[best].Username)) < 0 {
			best = i
		}
	}
	return best
}

// foremost reports whether an entry is the one that Google shows first.
func foremost(m *people.FieldMetadata) bool { return m != nil && (m.SourcePrimary || m.Primary) }

// first puts true before false.
func first(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	default:
		return 1
	}
}

// birthdayOf writes a birthday as Tandem does: a date, as much of one as there is, or the text that somebody wrote instead.
func birthdayOf(b *people.Birthday) string {
	if text := day(b.Date); text != "" {
		return text
	}
	return strings.TrimSpace(b.Text)
}

func day(d *people.Date) string {
	text := ""
	switch {
	case d == nil:
		return ""
	case d.Year > 0 && d.Month > 0 && d.Day > 0:
		text = fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
	case d.Month > 0 && d.Day > 0:
		text = fmt.Sprintf("--%02d-%02d", d.Month, d.Day)
	case d.Year > 0 && d.Month > 0:
		return fmt.Sprintf("%04d-%02d", d.Year, d.Month)
	case d.Year > 0:
		return fmt.Sprintf("%04d", d.Year)
	}
	if _, ok := contact.ParseBirthday(text); !ok {
		return ""
	}
	return text
}

// dateOf is the reverse; nil for a text that is no date.
func dateOf(text string) *people.Date {
	if t, ok := contact.ParseBirthday(text); ok {
		d := &people.Date{Year: int64(t.Year()), Month: int64(t.Month()), Day: int64(t.Day())}
		if strings.HasPrefix(text, "--") {
			d.Year = 0
		}
		return d
	}
	if t, err := time.Parse("2006-01", text); err == nil && t.Year() >= 1 {
		return &people.Date{Year: int64(t.Year()), Month: int64(t.Month())}
	}
	if t, err := time.Parse("2006", text); err == nil && t.Year() >= 1 {
		return &people.Date{Year: int64(t.Year())}
	}
	return nil
}
