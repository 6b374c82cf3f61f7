package contacts

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/richtext"
)

// person is a contact as Creatio holds it: the columns that Tandem reads, and its details.
type person struct {
	id                           string
	name, surname, given, middle string
	// The names of what the contact is linked to.
	salutation, department, account, job string
	// hidden are the fields of those that the user may not read.
	hidden         []string
	jobTitle       string
	birth          time.Time
	days           days
	notes, skype   string
	photo          string
	modified       time.Time
	communications []communication
	addresses      []address
	anniversaries  []anniversary
	member         bool
	// tagged is when the contact was put under the tag.
	tagged time.Time
}

type communication struct {
	id, typeID, number string
	primary            bool
	modified           time.Time
}

type address struct {
	id, typeID                         string
	street, city, region, zip, country string
	// hidden are the parts that the user may not read.
	hidden   []string
	primary  bool
	modified time.Time
}

type anniversary struct {
	id       string
	date     time.Time
	modified time.Time
}

// record is the contact in Tandem's vocabulary.
func (p *person) record() record.Record {
	f := record.Fields{}
	var n state
	f.SetText(contact.Salutation, p.salutation)
	f.SetText(contact.Department, p.department)
	f.SetText(contact.Company, p.account)
	f.SetText(contact.JobTitle, cmp.Or(strings.TrimSpace(p.jobTitle), p.job))
	n.Job = p.job
	n.Hidden = p.hidden
	hidden := slices.Clone(p.hidden)
	if f.Text(contact.JobTitle) != "" {
		// The title stands in its own column.
		hidden = slices.DeleteFunc(hidden, func(field string) bool { return field == contact.JobTitle })
	}
	p.readBirthday(f, &n)
	f.SetText(contact.Notes, richtext.Plain(p.notes))
	n.HTML = richtext.IsHTML(p.notes)
	p.readCommunications(f, &n)
	hidden = append(hidden, p.readAddresses(f, &n)...)
	untracked := p.untracked()
	for name, repeats := range contact.Schema.Repeats(f) {
		untracked[name] = append(untracked[name], repeats...)
	}
	f = contact.Schema.Clean(f)
	p.readName(f, &n)
	return record.Record{
		ID: p.id, Modified: p.latest(), Member: p.member, Fields: f, Untracked: untracked, Hidden: hidden, Photo: p.photo, AdapterState: n.encode(),
	}
}

// untracked are the communications of types that Tandem does not carry. A site may have made types of its own for anything, so
// that each may be a number, an e-mail address or a web address. In a network somebody has a page; the address that they
// sign in with there is not one to write to.
func (p *person) untracked() record.Fields {
	out := record.Fields{}
	for _, c := range p.communications {
		number := strings.TrimSpace(c.number)
		if number == "" || communicationKind(c.typeID) != "" {
			continue
		}
		fields := []string{contact.Phones, contact.Emails, contact.Websites}
		if slices.Contains(networks, c.typeID) {
			fields = []string{contact.Websites}
		}
		for _, field := range fields {
			out[field] = append(out[field], record.Entry{Text: number})
		}
	}
	return out
}

// readName reads the parts of the name. A name that was never split shows whole as the given name, so that nothing
// depends on how this site would split it. Creatio requires one of everybody, Google of nobody: one that says that there is none
// does not show.
func (p *person) readName(f record.Fields, n *state) {
	given, middle, surname := strings.TrimSpace(p.given), strings.TrimSpace(p.middle), strings.TrimSpace(p.surname)
	if given == "" && middle == "" && surname == "" {
		given = strings.TrimSpace(p.name)
		n.Whole = given != ""
	}
	if given+middle+surname == nameless {
		n.Stand = nameless
		return
	}
	f.SetText(contact.GivenName, given)
	f.SetText(contact.MiddleName, middle)
	f.SetText(contact.Surname, surname)
}

// nameless is the name of a contact of whom nothing is known that could stand in for one.
const nameless = "(no name)"

// readBirthday reads the birthday.
func (p *person) readBirthday(f record.Fields, n *state) {
	for _, a := range p.anniversaries {
		n.Birthdays = append(n.Birthdays, a.id)
	}
	f.SetText(contact.Birthday, p.days.of(p.birthDate()))
}

// birthDate is what the column says, or the row of the detail where the column is empty.
func (p *person) birthDate() time.Time {
	date := p.birth
	for _, a := range p.anniversaries {
		if date.IsZero() {
			date = a.date
		}
	}
	return date
}

func (p *person) readCommunications(f record.Fields, n *state) {
	for _, c := range p.communications {
		if kind := communicationKind(c.typeID); kind != "" && strings.TrimSpace(c.number) != "" {
			n.Communications = append(n.Communications, row{ID: c.id, Kind: kind, Text: strings.TrimSpace(c.number), Primary: c.primary})
		}
	}
	n.Communications = inOrder(n.Communications)
	for _, r := range n.Communications {
		f[r.field()] = append(f[r.field()], r.entry())
	}
	n.Skype = strings.TrimSpace(p.skype) != ""
	if len(f[contact.Skype]) == 0 {
		f.SetText(contact.Skype, strings.TrimSpace(p.skype))
	}
}

// readAddresses reads the addresses, and tells what of them is hidden: parts, or all where nothing else of one is there.
func (p *person) readAddresses(f record.Fields, n *state) (hidden []string) {
	for _, a := range p.addresses {
		r := row{ID: a.id, Kind: addressKind(a.typeID), Parts: parts(a.street, a.city, a.region, a.zip, a.country), Primary: a.primary, Hidden: a.hidden}
		switch {
		case len(r.Parts) > 0:
			n.Addresses = append(n.Addresses, r)
			for _, part := range a.hidden {
				hidden = append(hidden, record.HiddenPart(contact.Addresses, part))
			}
		case len(a.hidden) > 0:
			hidden = append(hidden, contact.Addresses)
		}
	}
	n.Addresses = inOrder(n.Addresses)
	for _, r := range n.Addresses {
		f[contact.Addresses] = append(f[contact.Addresses], r.entry())
	}
	slices.Sort(hidden)
	return slices.Compact(hidden)
}

func parts(street, city, region, zip, country string) map[string]string {
	out := map[string]string{}
	for k, v := range map[string]string{
		contact.Street: street, contact.City: city, contact.Region: region, contact.Zip: zip, contact.Country: country,
	} {
		if v = strings.TrimSpace(v); v != "" {
			out[k] = v
		}
	}
	return out
}

// latest is when the contact last changed, its details and its tag included: rows of a detail do not always move the
// contact itself, and links of a tag never do.
func (p *person) latest() time.Time {
	t := p.modified
	see := func(o time.Time) {
		if o.After(t) {
			t = o
		}
	}
	see(p.tagged)
	for _, c := range p.communications {
		if communicationKind(c.typeID) != "" {
			see(c.modified)
		}
	}
	for _, a := range p.addresses {
		see(a.modified)
	}
	for _, a := range p.anniversaries {
		see(a.modified)
	}
	return t
}

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
