package worldtest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"google.golang.org/api/people/v1"

	"github.com/tandem-sync/tandem/shared/record"
)

// creatioActs are what people do in Creatio.
var creatioActs = []act{
	{"adds a tagged contact", 4, func(f *folk, _ *rand.Rand) string { return f.nameInCreatio(f.inCreatio(true)) }},
	{"adds a contact", 1, func(f *folk, _ *rand.Rand) string { return f.nameInCreatio(f.inCreatio(false)) }},
	{"changes the job title of", 4, column("JobTitle", func(f *folk, _ *rand.Rand) any { return f.value("Job %04d") })},
	{"empties the job title of", 1, column("JobTitle", func(*folk, *rand.Rand) any { return "" })},
	{"changes the first name of", 2, column("GivenName", func(f *folk, _ *rand.Rand) any { return f.given() })},
	{"changes the middle name of", 1, column("MiddleName", func(f *folk, _ *rand.Rand) any { return f.value("Mid%04d") })},
	{"writes notes about", 2, column("Notes", func(f *folk, _ *rand.Rand) any { return f.value("note %04d") + "\nsecond line" })},
	{"sets the department of", 1, column("DepartmentId", func(_ *folk, r *rand.Rand) any { return lists[r.IntN(2)].id })},
	{"sets the title of", 1, column("SalutationTypeId", func(_ *folk, r *rand.Rand) any { return lists[2+r.IntN(2)].id })},
	{"sets the company of", 1, column("AccountId", func(_ *folk, r *rand.Rand) any { return lists[4+r.IntN(2)].id })},
	{"sets the mobile phone on the page of", 1, column("MobilePhone", func(f *folk, _ *rand.Rand) any { return f.value("+1202555%04d") })},
	{"adds to the family name of", 1, inCreatio(func(f *folk, r *rand.Rand, id string) bool {
		f.must("", f.w.creatio.As("Ada").Update("Contact", id, map[string]any{"Surname": f.nameInCreatio(id) + [...]string{"", "-A", "-B"}[r.IntN(3)]}))
		return true
	})},
	{"sets the birthday of", 2, inCreatio(func(f *folk, _ *rand.Rand, id string) bool {
		s := f.w.creatio.As("Ada")
		f.over(fmt.Sprint(s.Get("Contact", id)["BirthDate"]))
		f.must("", s.Update("Contact", id, map[string]any{"BirthDate": f.day()}))
		return true
	})},
	{"adds a phone to", 3, inCreatio(func(f *folk, r *rand.Rand, id string) bool {
		number := f.value("+1202555%04d")
		f.says(record.Creatio, f.whom, phoneField(number), "", number)
		f.insert("ContactCommunication", map[string]any{"ContactId": id, "CommunicationTypeId": phoneTypes[kindOf(r, phoneTypes)], "Number": number})
		return true
	})},
	{"adds an address to", 2, inCreatio(func(f *folk, r *rand.Rand, id string) bool {
		street := f.value("%04d Elm Street")
		f.says(record.Creatio, f.whom, streetField(street), "", street+"|"+lists[6].name)
		f.insert("ContactAddress", map[string]any{
			"ContactId": id, "AddressTypeId": addressTypes[kindOf(r, addressTypes)], "Address": street, "CountryId": lists[6].id,
		})
		return true
	})},
	{"adds an e-mail address to", 2, inCreatio(func(f *folk, _ *rand.Rand, id string) bool {
		email := f.value("p%04d@example.com")
		f.says(record.Creatio, f.whom, emailField(email), "", email)
		f.insert("ContactCommunication", map[string]any{"ContactId": id, "CommunicationTypeId": emailType, "Number": email})
		return true
	})},
	{"changes a number or address of", 3, row("ContactCommunication", func(f *folk, _ *rand.Rand, r map[string]any) {
		form := "+1202555%04d"
		switch r["CommunicationTypeId"] {
		case emailType:
			form = "p%04d@example.com"
		case skypeType:
			form = "skype%04d"
		}
		was, is := text(r["Number"]), f.value(form)
		f.over(was)
		f.says(record.Creatio, f.whom, numberField(was), was, "")
		f.says(record.Creatio, f.whom, numberField(is), "", is)
		f.must("", f.w.creatio.As("Ada").Update("ContactCommunication", fmt.Sprint(r["Id"]), map[string]any{"Number": is}))
	})},
	{"relabels a phone of", 2, row("ContactCommunication", func(f *folk, rng *rand.Rand, r map[string]any) {
		if r["CommunicationTypeId"] != emailType && r["CommunicationTypeId"] != skypeType {
			f.says(record.Creatio, f.whom, numberField(text(r["Number"])), text(r["Number"]), text(r["Number"]))
			f.must("", f.w.creatio.As("Ada").Update("ContactCommunication", fmt.Sprint(r["Id"]), map[string]any{"CommunicationTypeId": phoneTypes[kindOf(rng, phoneTypes)]}))
		}
	})},
	{"takes a number or address from", 2, row("ContactCommunication", func(f *folk, _ *rand.Rand, r map[string]any) {
		f.over(fmt.Sprint(r["Number"]))
		f.says(record.Creatio, f.whom, numberField(text(r["Number"])), text(r["Number"]), "")
		f.must("", f.w.creatio.As("Ada").Delete("ContactCommunication", fmt.Sprint(r["Id"])))
	})},
	{"changes the street of", 1, row("ContactAddress", func(f *folk, _ *rand.Rand, r map[string]any) {
		was, is := text(r["Address"]), f.value("%04d Elm Street")
		f.over(was)
		f.says(record.Creatio, f.whom, streetField(was), was, "")
		f.must("", f.w.creatio.As("Ada").Update("ContactAddress", fmt.Sprint(r["Id"]), map[string]any{"Address": is}))
	})},
	{"takes a postal address from", 1, row("ContactAddress", func(f *folk, _ *rand.Rand, r map[string]any) {
		f.over(fmt.Sprint(r["Address"]))
		f.says(record.Creatio, f.whom, streetField(text(r["Address"])), text(r["Address"]), "")
		f.must("", f.w.creatio.As("Ada").Delete("ContactAddress", fmt.Sprint(r["Id"])))
	})},
	{"gives a photo to", 3, inCreatio(gives(record.Creatio))},
	{"takes the photo from", 1, inCreatio(takes(record.Creatio))},
	{"tags", 2, inCreatio(func(f *folk, _ *rand.Rand, id string) bool { f.tag(id); return true })},
	{"untags", 2, inCreatio(func(f *folk, _ *rand.Rand, id string) bool { f.untag(id); return true })},
	{"deletes", 1, inCreatio(func(f *folk, _ *rand.Rand, id string) bool {
		f.somebody(f.nameInCreatio(id)).out = true
		f.unsay(f.nameInCreatio(id))
		f.over(f.shown(record.Creatio, id))
		f.forget(record.Creatio, id)
		f.must("", f.w.creatio.As("Ada").Delete("Contact", id))
		return true
	})},
}

// inCreatio does something to a contact that is there.
func inCreatio(do func(*folk, *rand.Rand, string) bool) func(*folk, *rand.Rand) string {
	return func(f *folk, r *rand.Rand) string {
		var ids []string
		for _, c := range f.w.creatio.System().Rows("Contact", nil) {
			if id := fmt.Sprint(c["Id"]); familyName.MatchString(fmt.Sprint(c["Surname"])) && f.foreign[record.Creatio][id] == "" {
				ids = append(ids, id)
			}
		}
		if len(ids) == 0 {
			return ""
		}
		slices.Sort(ids)
		id := ids[r.IntN(len(ids))]
		name := f.nameInCreatio(id)
		f.whom = name
		if !do(f, r, id) {
			return ""
		}
		return name
	}
}

// column sets a column of a contact.
func column(name string, value func(*folk, *rand.Rand) any) func(*folk, *rand.Rand) string {
	return inCreatio(func(f *folk, r *rand.Rand, id string) bool {
		s := f.w.creatio.As("Ada")
		was := text(s.Get("Contact", id)[name])
		if was != "" {
			f.over(was)
		}
		is := value(f, r)
		switch name {
		case "JobTitle":
			f.says(record.Creatio, f.whom, jobTitle, was, text(is))
		case "Notes":
			f.says(record.Creatio, f.whom, notes, was, text(is))
		case "MobilePhone":
			// It changes the row of the number that was there.
			f.says(record.Creatio, f.whom, phoneField(was), was, "")
			f.says(record.Creatio, f.whom, phoneField(text(is)), "", text(is))
		}
		f.must("", s.Update("Contact", id, map[string]any{name: is}))
		return true
	})
}

// row does something to a row of a detail.
func row(entity string, do func(*folk, *rand.Rand, map[string]any)) func(*folk, *rand.Rand) string {
	return inCreatio(func(f *folk, r *rand.Rand, id string) bool {
		rows := f.w.creatio.As("Ada").Rows(entity, map[string]any{"ContactId": id})
		if len(rows) == 0 {
			return false
		}
		slices.SortFunc(rows, func(a, b map[string]any) int { return strings.Compare(fmt.Sprint(a["Id"]), fmt.Sprint(b["Id"])) })
		do(f, r, rows[r.IntN(len(rows))])
		return true
	})
}

// googleActs are what people do in Google.
var googleActs = []act{
	{"adds a contact to the group", 4, func(f *folk, _ *rand.Rand) string {
		g := f.group()
		if g == "" {
			return ""
		}
		return nameInGoogle(f.w.google.Account(ada).Person(f.inGoogle(g)))
	}},
	{"adds a contact", 1, func(f *folk, _ *rand.Rand) string {
		return nameInGoogle(f.w.google.Account(ada).Person(f.inGoogle("")))
	}},
	{"changes the job title of", 4, person(func(f *folk, _ *rand.Rand, p *people.Person) bool {
		was := organization(p).Title
		organization(p).Title = f.instead(was, "Job %04d")
		f.says(record.Google, f.whom, jobTitle, was, organization(p).Title)
		return true
	})},
	{"sets company and department of", 1, person(func(_ *folk, r *rand.Rand, p *people.Person) bool {
		organization(p).Name, organization(p).Department = lists[4+r.IntN(2)].name, lists[r.IntN(2)].name
		return true
	})},
	{"changes the first name of", 2, person(func(f *folk, _ *rand.Rand, p *people.Person) bool {
		f.over(p.Names[0].GivenName)
		p.Names[0].GivenName = f.given()
		return true
	})},
	{"changes the title of", 1, person(func(_ *folk, r *rand.Rand, p *people.Person) bool {
		p.Names[0].HonorificPrefix = lists[2+r.IntN(2)].name
		return true
	})},
	{"adds to the family name of", 1, person(func(_ *folk, r *rand.Rand, p *people.Person) bool {
		p.Names[0].FamilyName = nameInGoogle(p) + [...]string{"", "-C", "-D"}[r.IntN(3)]
		return true
	})},
	{"writes notes about", 2, person(func(f *folk, _ *rand.Rand, p *people.Person) bool {
		was, is := holdsInGoogle(f, p.ResourceName, notes, notes), f.value("note %04d")
		f.over(was)
		f.says(record.Google, f.whom, notes, was, is)
		p.Biographies = []*people.Biography{{Value: is, ContentType: "TEXT_PLAIN"}}
		return true
	})},
	{"sets the birthday of", 2, person(func(f *folk, _ *rand.Rand, p *people.Person) bool {
		f.over(encode(p.Birthdays))
		d := f.day()
		p.Birthdays = []*people.Birthday{{Date: &people.Date{Year: int64(d.Year()), Month: int64(d.Month()), Day: int64(d.Day())}}}
		return true
	})},
	{"adds a phone to", 3, person(func(f *folk, r *rand.Rand, p *people.Person) bool {
		kind := [...]string{"work", "home", "mobile", "other", "yacht"}[r.IntN(5)]
		number := f.value("+1202555%04d")
		if kind != "yacht" {
			// A number under a label that Creatio does not know stays where it is.
			f.says(record.Google, f.whom, phoneField(number), "", number)
		}
		p.PhoneNumbers = append(p.PhoneNumbers, &people.PhoneNumber{Value: number, Type: kind})
		return true
	})},
	{"changes a phone of", 2, person(func(f *folk, r *rand.Rand, p *people.Person) bool {
		if len(p.PhoneNumbers) == 0 {
			return false
		}
		n := p.PhoneNumbers[r.IntN(len(p.PhoneNumbers))]
		was := n.Value
		n.Value = f.instead(was, "+1202555%04d")
		if n.Type != "yacht" {
			f.says(record.Google, f.whom, phoneField(was), was, "")
			f.says(record.Google, f.whom, phoneField(n.Value), "", n.Value)
		}
		return true
	})},
	{"relabels a phone of", 2, person(func(f *folk, r *rand.Rand, p *people.Person) bool {
		if len(p.PhoneNumbers) == 0 {
			return false
		}
		n := p.PhoneNumbers[r.IntN(len(p.PhoneNumbers))]
		f.says(record.Google, f.whom, phoneField(n.Value), n.Value, n.Value)
		n.Type = [...]string{"work", "home", "mobile", "other"}[r.IntN(4)]
		return true
	})},
	{"takes a phone from", 2, person(func(f *folk, r *rand.Rand, p *people.Person) bool {
		if len(p.PhoneNumbers) == 0 {
			return false
		}
		i := r.IntN(len(p.PhoneNumbers))
		f.over(p.PhoneNumbers[i].Value)
		f.says(record.Google, f.whom, phoneField(p.PhoneNumbers[i].Value), p.PhoneNumbers[i].Value, "")
		p.PhoneNumbers = slices.Delete(p.PhoneNumbers, i, i+1)
		return true
	})},
	{"adds an e-mail address to", 2, person(func(f *folk, _ *rand.Rand, p *people.Person) bool {
		email := f.value("p%04d@example.com")
		f.says(record.Google, f.whom, emailField(email), "", email)
		p.EmailAddresses = append(p.EmailAddresses, &people.EmailAddress{Value: email, Type: "home"})
		return true
	})},
	{"takes an e-mail address from", 1, person(func(f *folk, r *rand.Rand, p *people.Person) bool {
		if len(p.EmailAddresses) == 0 {
			return false
		}
		i := r.IntN(len(p.EmailAddresses))
		f.over(p.EmailAddresses[i].Value)
		f.says(record.Google, f.whom, emailField(p.EmailAddresses[i].Value), p.EmailAddresses[i].Value, "")
		p.EmailAddresses = slices.Delete(p.EmailAddresses, i, i+1)
		return true
	})},
	{"adds an address to", 2, person(func(f *folk, r *rand.Rand, p *people.Person) bool {
		street := f.value("%04d Elm Street")
		f.says(record.Google, f.whom, streetField(street), "", street+"|Norway")
		p.Addresses = append(p.Addresses, &people.Address{Type: kindOf(r, addressTypes), StreetAddress: street, Country: "Norway"})
		return true
	})},
	{"takes a postal address from", 1, person(func(f *folk, r *rand.Rand, p *people.Person) bool {
		if len(p.Addresses) == 0 {
			return false
		}
		i := r.IntN(len(p.Addresses))
		street := p.Addresses[i].StreetAddress
		f.over(street)
		f.says(record.Google, f.whom, streetField(street), street, "")
		p.Addresses = slices.Delete(p.Addresses, i, i+1)
		return true
	})},
	{"gives a photo to", 3, inGoogle(gives(record.Google))},
	{"takes the photo from", 1, inGoogle(takes(record.Google))},
	{"moves the photos of", 1, movePhotos},
	{"takes into the group", 2, inGoogle(func(f *folk, _ *rand.Rand, id string) bool {
		g := f.group()
		if g == "" {
			return false
		}
		f.join(id, g)
		return true
	})},
	{"takes out of the group", 2, inGoogle(func(f *folk, _ *rand.Rand, id string) bool {
		return f.takeOut(id)
	})},
	{"deletes", 1, inGoogle(func(f *folk, _ *rand.Rand, id string) bool {
		f.somebody(f.whom).out = true
		f.unsay(f.whom)
		f.over(f.shown(record.Google, id))
		f.forget(record.Google, id)
		return f.w.google.Account(ada).Delete(id)
	})},
	{"gives another resource name to", 2, inGoogle(func(f *folk, _ *rand.Rand, id string) bool {
		return f.w.google.Account(ada).Rename(id) != ""
	})},
	{"merges another one into", 2, inGoogle(func(f *folk, r *rand.Rand, id string) bool {
		all := f.people()
		from := all[r.IntN(len(all))]
		// One that is not linked yet would leave two in Creatio for one in Google: that is asked, not decided.
		if from == id || f.unmet(from) {
			return false
		}
		// Which of two contacts in Creatio goes on is nobody's wish, so one may get the other's name, and the other leaves.
		lost, stays := f.somebody(nameInGoogle(f.w.google.Account(ada).Person(from))), f.somebody(nameInGoogle(f.w.google.Account(ada).Person(id)))
		lost.out, stays.out, stays.in = true, true, stays.in || lost.in
		gone := nameInGoogle(f.w.google.Account(ada).Person(from))
		f.unsay(f.whom, gone)
		f.related(f.whom, gone)
		lost.twice[record.Creatio], stays.twice[record.Creatio] = 1, 1
		f.over(encode(singleValues(f.w.google.Account(ada).Person(from))))
		f.unite(id, from)
		// Of two employers Tandem carries one, and shows the other in the place of none.
		f.w.google.Account(ada).Edit(from, func(p *people.Person) { p.Organizations = nil })
		return f.w.google.Account(ada).Merge(id, from)
	})},
	{"makes another one out of a copy of", 1, inGoogle(func(f *folk, _ *rand.Rand, id string) bool {
		p := f.w.google.Account(ada).Person(id)
		was := nameInGoogle(p)
		p.ResourceName, p.Names[0].FamilyName = "", f.family()
		f.whom = nameInGoogle(p)
		f.related(was, f.whom)
		p.Names[0].GivenName = f.given()
		p.EmailAddresses = []*people.EmailAddress{{Value: f.value("p%04d@example.com"), Type: "work"}}
		p.PhoneNumbers = nil
		name := p.Names[0].FamilyName
		if g := f.group(); g != "" && slices.ContainsFunc(p.Memberships, func(m *people.Membership) bool { return m.ContactGroupMembership.ContactGroupResourceName == g }) {
			f.somebody(name).in = true
			f.says(record.Google, name, scope, left, joined)
		}
		f.w.google.Account(ada).Add(p)
		return true
	})},
	{"deletes the group", 1, func(f *folk, r *rand.Rand) string {
		g := f.group()
		if g == "" || r.IntN(3) > 0 {
			return ""
		}
		for _, id := range f.w.google.Account(ada).Members(g) {
			name := nameInGoogle(f.w.google.Account(ada).Person(id))
			f.somebody(name).out = true
			f.unsay(name)
		}
		f.w.google.Account(ada).DeleteGroup(g)
		return g
	}},
	{"renames the group", 1, func(f *folk, r *rand.Rand) string {
		g := f.group()
		if g == "" || !f.known() || !f.w.google.Account(ada).RenameGroup(g, [...]string{"Creatio", "My customers", "Others"}[r.IntN(3)]) {
			return ""
		}
		return g
	}},
}

// singleValues are those values of a person of which a merged contact has room for one.
func singleValues(p *people.Person) any {
	return []any{p.Names, p.Biographies, p.Birthdays, p.Organizations}
}

// instead is a new value in the place of one that somebody sees.
func (f *folk) instead(was, format string) string {
	if was != "" {
		f.over(was)
	}
	return f.value(format)
}

// organization is the person's first employer.
func organization(p *people.Person) *people.Organization {
	if len(p.Organizations) == 0 {
		p.Organizations = []*people.Organization{{Current: true}}
	}
	return p.Organizations[0]
}

// people are those whom people edit.
func (f *folk) people() []string {
	var ids []string
	for _, p := range f.w.google.Account(ada).People() {
		if nameInGoogle(p) != "" && f.foreign[record.Google][p.ResourceName] == "" {
			ids = append(ids, p.ResourceName)
		}
	}
	return ids
}

// inGoogle does something to a contact that is there.
func inGoogle(do func(*folk, *rand.Rand, string) bool) func(*folk, *rand.Rand) string {
	return func(f *folk, r *rand.Rand) string {
		ids := f.people()
		if len(ids) == 0 {
			return ""
		}
		id := ids[r.IntN(len(ids))]
		name := nameInGoogle(f.w.google.Account(ada).Person(id))
		f.whom = name
		if !do(f, r, id) {
			return ""
		}
		return name
	}
}

// person edits a contact.
func person(do func(*folk, *rand.Rand, *people.Person) bool) func(*folk, *rand.Rand) string {
	return inGoogle(func(f *folk, r *rand.Rand, id string) bool {
		p := f.w.google.Account(ada).Person(id)
		if !do(f, r, p) {
			return false
		}
		return f.w.google.Account(ada).Edit(id, func(now *people.Person) { *now = *p })
	})
}
