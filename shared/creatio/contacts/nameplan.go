package contacts

import (
	"slices"
	"strings"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
)

// name writes the parts of the name, from which the site rebuilds the whole. A contact without one gets what it
// is known by, since Creatio requires a name.
func (p *planner) name() {
	given, middle, surname := p.part(contact.GivenName), p.part(contact.MiddleName), p.part(contact.Surname)
	stood := p.stood()
	if stood != "" && given == stood && middle+surname == "" {
		given = ""
	}
	stand := ""
	if given+middle+surname == "" {
		if stand = p.standIn(stood); stand == stood {
			return
		}
		given = stand
	}
	given, middle, surname = p.fitName(given, middle, surname)
	all := p.op.Action == record.Create || p.state.Whole || p.state.Stand != "" || stand != ""
	for _, c := range []struct{ column, field, value string }{
		{"GivenName", contact.GivenName, given}, {"MiddleName", contact.MiddleName, middle}, {"Surname", contact.Surname, surname},
	} {
		if all || c.value != strings.TrimSpace(p.op.Before.Text(c.field)) {
			p.columns[c.column] = c.value
		}
	}
	p.state.Whole, p.state.Stand = false, ""
	shown := record.Fields{}
	after := person{given: given, middle: middle, surname: surname}
	after.readName(shown, &p.state)
	for _, f := range []string{contact.GivenName, contact.MiddleName, contact.Surname} {
		p.set(f, shown.Text(f))
	}
}

// stood is the name that stands in for a missing one, because Tandem wrote it so and nobody changed it; empty where there is none.
func (p *planner) stood() string {
	shown := strings.TrimSpace(p.op.Before.Text(contact.GivenName))
	if p.op.Before.Text(contact.MiddleName)+p.op.Before.Text(contact.Surname) != "" || shown != p.op.StandIns.Text(contact.GivenName) {
		shown = ""
	}
	if shown == "" {
		return p.state.Stand
	}
	return shown
}

// standIn is what stands in for a missing name, which stays for as long as it is what the contact is known by: a company that gets
// another name is known by that, although Creatio may have no account of it.
func (p *planner) standIn(stood string) string {
	shown := contact.Schema.Clean(p.out.fields)
	for _, f := range []string{contact.GivenName, contact.MiddleName, contact.Surname} {
		delete(shown, f)
	}
	company, changes := p.part(contact.Company), slices.Contains(p.op.Changed, contact.Company)
	reached := reaches(p.op.Before, stood)
	switch {
	case p.op.Action == record.Create, stood == "", stood == nameless:
		return p.displayName(shown)
	case reached && reaches(shown, stood), !reached && !changes:
		return stood
	case !reached && company != "":
		return record.Cut(company, maxName)
	default:
		return p.displayName(shown)
	}
}

// reaches reports whether a name is an e-mail address or a number of the contact.
func reaches(f record.Fields, name string) bool {
	return slices.ContainsFunc(slices.Concat(f[contact.Emails], f[contact.Phones]), func(e record.Entry) bool {
		return name == record.Cut(e.Text, maxName)
	})
}

func (p *planner) part(field string) string { return strings.TrimSpace(p.op.After.Text(field)) }

// fitName cuts the parts so that the whole name fits its column as well.
func (p *planner) fitName(given, middle, surname string) (string, string, string) {
	parts := []*string{&given, &middle, &surname}
	before := given + middle + surname
	for {
		total, longest := -1, parts[0]
		for _, s := range parts {
			if *s != "" {
				total += record.Length(*s) + 1
			}
			if record.Length(*s) > record.Length(*longest) {
				longest = s
			}
		}
		if total <= maxName {
			break
		}
		*longest = record.Cut(*longest, record.Length(*longest)-(total-maxName))
	}
	if given+middle+surname != before {
		p.note(contact.GivenName, "cut", "Creatio has no room for all of the name; the end is missing there.",
			"Shorten the name, or leave it: the full name stays in Google.")
	}
	return given, middle, surname
}

// displayName is the name of a contact as a whole, or what stands in for it: in a contact that exists, something
// that it shows.
func (p *planner) displayName(shown record.Fields) string {
	if p.op.Action == record.Create {
		shown = p.op.After
	}
	return record.Cut(contact.Title(shown), maxName)
}
