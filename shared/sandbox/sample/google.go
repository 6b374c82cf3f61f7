package sample

import (
	"slices"
	"strconv"
	"strings"

	"google.golang.org/api/people/v1"
)

// spelling makes what Google says of a person out of what Creatio says.
type spelling func(*person)

// spellings are the ways in which two address books differ about one person.
var spellings = []spelling{
	same, otherCase, otherOrder, numbersCompact, withoutAccents, otherLabels, nickname, numbersNational, latinScript, richer, sparser, dayOnly,
	numbersDotted, initials,
}

func same(*person) {}

// otherCase shouts the name and the e-mail address.
func otherCase(p *person) {
	p.given, p.middle, p.surname = strings.ToLower(p.given), strings.ToLower(p.middle), strings.ToUpper(p.surname)
	for i := range p.emails {
		p.emails[i].text = strings.ToUpper(p.emails[i].text[:1]) + p.emails[i].text[1:]
	}
	for i := range p.websites {
		p.websites[i] = strings.ToUpper(p.websites[i]) + "/"
	}
}

// otherOrder has the surname first.
func otherOrder(p *person) { p.given, p.surname = p.surname, p.given }

func numbersCompact(p *person)  { p.respell(compact) }
func numbersNational(p *person) { p.respell(national) }
func numbersDotted(p *person)   { p.respell(dotted) }

func (p *person) respell(how func(string) string) {
	for i := range p.phones {
		p.phones[i].text = how(p.phones[i].text)
	}
}

// withoutAccents is how a name comes out of a form that takes nothing else.
func withoutAccents(p *person) { p.given, p.middle, p.surname = p.latin[0], p.latin[1], p.latin[2] }

// otherLabels has private what is at work, and the reverse.
func otherLabels(p *person) {
	swap := map[string]string{"work": "home", "home": "work", "mobile": "other"}
	for _, list := range [][]labeled{p.emails, p.phones} {
		for i := range list {
			if k := swap[list[i].kind]; k != "" {
				list[i].kind = k
			}
		}
	}
}

// nickname is how friends call the person; whom nobody calls so is known by an initial.
func nickname(p *person) {
	if n := nicknames[p.given]; n != "" {
		p.given = n
		return
	}
	initials(p)
}

func initials(p *person) {
	first := []rune(p.given)
	p.given = string(first[:1]) + "."
	if p.middle != "" {
		p.middle = string([]rune(p.middle)[:1]) + "."
	}
}

// latinScript has the name in Latin letters, another address and the numbers from abroad.
func latinScript(p *person) {
	withoutAccents(p)
	p.emails = []labeled{{"home", p.key + "@example.org"}}
	p.respell(doubleZero)
}

// richer knows more than Creatio does.
func richer(p *person) {
	p.websites = append(p.websites, "blog.example.org/"+p.key)
	p.emails = append(p.emails, labeled{"other", p.key + ".private@example.org"})
	p.notes = strings.TrimSpace(p.notes + "\nAdded on the phone 📱")
	if p.birthday == "" {
		p.birthday = "1979-07-17"
	}
	if p.company == "" {
		p.company = strangers[len(p.key)%len(strangers)]
	}
}

// sparser is what a telephone takes down after a call.
func sparser(p *person) {
	*p = person{
		key: p.key, given: p.given, surname: p.surname, where: p.where, phones: p.phones[:1], groups: p.groups,
	}
	p.respell(compact)
}

// dayOnly knows the birthday without its year, and a company by another name.
func dayOnly(p *person) {
	p.birthday = "--05-21"
	p.company = strangers[len(p.key)%len(strangers)]
}

// google is the person as Google's address book has them.
func (p *person) google() *people.Person {
	g := *p
	g.emails, g.phones = slices.Clone(p.emails), slices.Clone(p.phones)
	g.websites = slices.Clone(p.websites)
	if p.spelling != nil {
		p.spelling(&g)
	}
	if strings.HasPrefix(g.notes, "<p>") {
		g.notes = "Signed the framework agreement.\nRenewal: autumn & by post only"
	}
	out := &people.Person{ResourceName: p.resourceName()}
	if g.given+g.middle+g.surname != "" {
		out.Names = []*people.Name{{GivenName: g.given, MiddleName: g.middle, FamilyName: g.surname, HonorificPrefix: g.salutation}}
	}
	for _, e := range g.emails {
		out.EmailAddresses = append(out.EmailAddresses, &people.EmailAddress{Type: e.kind, Value: e.text})
	}
	for _, n := range g.phones {
		if n.kind == "extension" {
			n.kind = "Extension"
		}
		out.PhoneNumbers = append(out.PhoneNumbers, &people.PhoneNumber{Type: n.kind, Value: n.text})
	}
	for _, a := range g.addresses {
		out.Addresses = append(out.Addresses, &people.Address{
			Type: a.kind, StreetAddress: a.parts[0], PostalCode: a.parts[1], City: a.parts[2], Region: a.parts[3], Country: a.parts[4],
		})
	}
	if g.company != "" || g.job != "" {
		out.Organizations = []*people.Organization{{Type: "work", Name: g.company, Title: g.job, Department: g.department}}
	}
	if g.birthday != "" {
		out.Birthdays = []*people.Birthday{{Date: date(g.birthday)}}
	}
	if g.notes != "" {
		out.Biographies = []*people.Biography{{Value: g.notes, ContentType: "TEXT_PLAIN"}}
	}
	if g.skype != "" {
		out.ImClients = []*people.ImClient{{Protocol: "skype", Username: g.skype}}
	}
	for i, w := range g.websites {
		out.Urls = append(out.Urls, &people.Url{Type: []string{"work", "blog"}[i%2], Value: w})
	}
	out.Memberships = []*people.Membership{member("contactGroups/myContacts")}
	for _, name := range g.groups {
		out.Memberships = append(out.Memberships, member(GroupResourceName(name)))
	}
	if p.more != nil {
		p.more(out)
	}
	return out
}

func member(group string) *people.Membership {
	return &people.Membership{ContactGroupMembership: &people.ContactGroupMembership{ContactGroupResourceName: group}}
}

// date reads a birthday; Google writes one without a year as the year 0.
func date(s string) *people.Date {
	if day, ok := strings.CutPrefix(s, "--"); ok {
		s = "0000-" + day
	}
	var n [3]int64
	for i, part := range strings.Split(s, "-") {
		n[i], _ = strconv.ParseInt(part, 10, 64)
	}
	return &people.Date{Year: n[0], Month: n[1], Day: n[2]}
}
