package people

import (
	"slices"
	"strings"

	"google.golang.org/api/people/v1"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
)

// planner turns one operation into a person to write. It is pure.
type planner struct {
	op   record.Operation
	have *people.Person
	room room
	out  planned
}

func planPerson(op record.Operation, have state) planned {
	p := &planner{op: op, have: have.Person, out: planned{state: have, person: &people.Person{}, want: map[string][]wanted{}}}
	changed := map[string]bool{}
	for _, f := range op.Changed {
		changed[f] = true
	}
	p.room = roomIn(p.have, op, changed)
	if changed[contact.GivenName] || changed[contact.MiddleName] || changed[contact.Surname] || changed[contact.Salutation] {
		p.name()
	}
	if changed[contact.Company] || changed[contact.JobTitle] || changed[contact.Department] {
		p.organization(changed)
	}
	if changed[contact.Birthday] {
		p.birthday()
	}
	if changed[contact.Skype] {
		p.skype()
	}
	if changed[contact.Emails] {
		l := emailList(p.have)
		p.out.person.EmailAddresses = l.rewrite(p.set(l.field, nil))
		p.masked("emailAddresses", "EmailAddresses")
	}
	if changed[contact.Phones] {
		l := phoneList(p.have)
		p.out.person.PhoneNumbers = l.rewrite(p.set(l.field, phoneTypes))
		p.masked("phoneNumbers", "PhoneNumbers")
	}
	if changed[contact.Addresses] {
		l := addressList(p.have)
		p.out.person.Addresses = l.rewrite(p.set(l.field, addressTypes))
		p.masked("addresses", "Addresses")
	}
	if changed[contact.Websites] {
		l := websiteList(p.have)
		p.out.person.Urls = l.rewrite(p.set(l.field, nil))
		p.masked("urls", "Urls")
	}
	if changed[contact.Notes] {
		p.biography()
	}
	return p.out
}

// masked names a field to be replaced. It is sent even where it is empty, which clears it.
func (p *planner) masked(name, structField string) {
	p.out.mask = append(p.out.mask, name)
	p.out.person.ForceSendFields = append(p.out.person.ForceSendFields, structField)
}

func (p *planner) note(field, code, message, action string) {
	p.out.notes = append(p.out.notes, record.Note{Field: field, Code: code, Message: message, Action: action})
}

// text is the value of a single field as Google can hold it.
func (p *planner) text(field string) string {
	text := p.fit(field, strings.TrimSpace(p.op.After.Text(field)))
	p.out.want[field] = []wanted{{p.op.After.One(field), record.Entry{Text: text}}}
	return text
}

// fit cuts a text to the length that Google holds, and says so.
func (p *planner) fit(field, text string) string {
	short := record.Cut(text, maxText)
	if short != text {
		f, _ := contact.Schema.Field(field)
		p.note(field, "cut", "Google has no room for all of “"+f.Label+"”; the end is missing there.",
			"Shorten the text, or leave it: the full text stays in Creatio.")
	}
	return short
}

// name writes the name in its parts, which is predictable; what Tandem does not carry of it stays.
func (p *planner) name() {
	n := &people.Name{}
	if len(p.have.Names) > 0 {
		*n = *p.have.Names[0]
	}
	n.UnstructuredName, n.DisplayName, n.DisplayNameLastFirst, n.Metadata = "", "", "", nil
	n.GivenName, n.MiddleName = p.text(contact.GivenName), p.text(contact.MiddleName)
	n.FamilyName, n.HonorificPrefix = p.text(contact.Surname), p.text(contact.Salutation)
	if nick := nicknameOf(p.have); nick != "" && n.GivenName == nick && n.MiddleName+n.FamilyName == "" && (len(p.have.Names) == 0 || p.have.Names[0].GivenName == "") {
		// It shows by itself.
		n.GivenName = ""
	}
	p.once(n)
	if !emptyName(n) {
		p.out.person.Names = []*people.Name{n}
	}
	p.masked("names", "Names")
}

// once takes out of a name the suffix that Google has beside it: Creatio has no other place for one.
func (p *planner) once(n *people.Name) {
	suffix, family, middle := strings.Fields(n.HonorificSuffix), strings.Fields(n.FamilyName), strings.Fields(n.MiddleName)
	rest := len(family) - len(suffix)
	if len(suffix) == 0 || rest < 0 || rest+len(middle) == 0 || record.Fold(strings.Join(family[rest:], " ")) != record.Fold(n.HonorificSuffix) {
		return
	}
	if family = family[:rest]; rest == 0 {
		last := len(middle) - 1
		middle, family = middle[:last], middle[last:]
	}
	n.FamilyName, n.MiddleName = strings.Join(family, " "), strings.Join(middle, " ")
	for field, text := range map[string]string{contact.Surname: n.FamilyName, contact.MiddleName: n.MiddleName} {
		p.out.want[field] = []wanted{{p.op.After.One(field), record.Entry{Text: text}}}
	}
}

func emptyName(n *people.Name) bool {
	return n.GivenName+n.MiddleName+n.FamilyName+n.HonorificPrefix+n.HonorificSuffix+n.PhoneticGivenName+n.PhoneticMiddleName+
		n.PhoneticFamilyName+n.PhoneticFullName+n.PhoneticHonorificPrefix+n.PhoneticHonorificSuffix == ""
}

// organization writes the one organization that Tandem carries, and keeps the others.
func (p *planner) organization(changed map[string]bool) {
	list := slices.Clone(p.have.Organizations)
	at := managedOrganization(list)
	o := &people.Organization{}
	if at >= 0 {
		*o = *list[at]
	}
	for _, part := range []struct {
		field string
		value *string
	}{{contact.Company, &o.Name}, {contact.JobTitle, &o.Title}, {contact.Department, &o.Department}} {
		if changed[part.field] {
			*part.value = p.text(part.field)
		}
	}
	switch {
	case at >= 0 && emptyOrganization(o):
		list = slices.Delete(list, at, at+1)
	case at >= 0:
		list[at] = o
		employers := slices.DeleteFunc(slices.Clone(list), func(o *people.Organization) bool { return strings.EqualFold(o.Type, school) })
		if len(employers) > 1 {
			// Among several, being shown first is what makes it the one that Tandem carries.
			putFirst(list, o, func(o *people.Organization) **people.FieldMetadata { return &o.Metadata })
		}
	case !emptyOrganization(o):
		o.Current = true
		list = append(list, o)
	}
	p.out.person.Organizations = list
	p.masked("organizations", "Organizations")
}

// emptyOrganization reports whether an organization says nothing, to Tandem or to anybody.
func emptyOrganization(o *people.Organization) bool {
	return o.Name+o.Title+o.Department+o.CostCenter+o.Domain+o.JobDescription+o.Location+o.PhoneticName+o.Symbol == "" &&
		o.StartDate == nil && o.EndDate == nil && o.FullTimeEquivalentMillipercent == 0
}

// putFirst makes one entry of a list the one that is shown first. The others are copied where they change.
func putFirst[T any](list []*T, chosen *T, meta func(*T) **people.FieldMetadata) {
	for i, e := range list {
		switch {
		case e == chosen:
			*meta(e) = &people.FieldMetadata{SourcePrimary: true}
		case foremost(*meta(e)):
			other := *e
			*meta(&other) = nil
			list[i] = &other
		}
	}
}

// birthday writes a day with or without its year, or the text that somebody wrote instead of one.
func (p *planner) birthday() {
	want := p.text(contact.Birthday)
	if date := dateOf(want); date != nil {
		p.out.person.Birthdays = []*people.Birthday{{Date: date}}
	} else if want != "" {
		p.out.person.Birthdays = []*people.Birthday{{Text: want}}
	}
	p.masked("birthdays", "Birthdays")
}

// skype writes the one Skype name that Tandem carries, and keeps every other messenger.
func (p *planner) skype() {
	list := slices.Clone(p.have.ImClients)
	at := managedSkype(list)
	name := p.text(contact.Skype)
	switch {
	case at < 0 && name != "":
		list = append(list, &people.ImClient{Protocol: skype, Username: name})
	case at >= 0 && name == "":
		list = slices.Delete(list, at, at+1)
	case at >= 0:
		c := *list[at]
		c.Username = name
		list[at] = &c
		names := slices.DeleteFunc(slices.Clone(list), func(c *people.ImClient) bool { return !strings.EqualFold(c.Protocol, skype) })
		if len(names) > 1 {
			putFirst(list, &c, func(c *people.ImClient) **people.FieldMetadata { return &c.Metadata })
		}
	}
	p.out.person.ImClients = list
	p.masked("imClients", "ImClients")
}

// biography writes the notes as plain text.
func (p *planner) biography() {
	text := strings.TrimSpace(p.op.After.Text(contact.Notes))
	if short := p.room.cutNotes(strings.ToValidUTF8(text, "\ufffd")); len(short) < len(text) {
		text = short
		p.note(contact.Notes, "cut", "Google has no room for all of the notes; the end is missing there.",
			"Shorten the notes, or leave them: the full text stays in Creatio.")
	}
	p.out.want[contact.Notes] = []wanted{{p.op.After.One(contact.Notes), record.Entry{Text: text}}}
	if text != "" {
		p.out.person.Biographies = []*people.Biography{{Value: text, ContentType: "TEXT_PLAIN"}}
	}
	p.masked("biographies", "Biographies")
}

// set is the value of a set as Google can hold it. types are the labels that its entries may have.
func (p *planner) set(f record.Field, types map[string]string) []wanted {
	var all, want []wanted
	seen := map[string]bool{}
	after := p.op.After[f.Name]
	fitting := make([]record.Entry, len(after))
	for i, e := range after {
		if fitting[i] = p.entry(f, e); types == nil {
			fitting[i].Kind = ""
		} else if fitting[i].Kind = e.Kind; types[e.Kind] == "" {
			fitting[i].Kind = contact.KindOther
		}
	}
	for i, key := range f.Keys(fitting) {
		e, displayed := after[i], fitting[i]
		switch {
		case f.Empty(e):
			continue
		case f.Empty(displayed), seen[key], f.Key(displayed) != key:
			displayed = record.Entry{}
		default:
			seen[key] = true
		}
		all = append(all, wanted{e, displayed})
	}
	p.house(f, all)
	for _, w := range all {
		if !f.Empty(w.displayed) {
			want = append(want, w)
		}
	}
	p.out.want[f.Name] = all
	return want
}

// house leaves out entries of a set that have no room: none that is there already for the sake of a new one.
func (p *planner) house(f record.Field, all []wanted) {
	there := map[string]bool{}
	for _, e := range p.op.Before[f.Name] {
		there[f.Exact(e)] = true
	}
	told := false
	for _, old := range []bool{true, false} {
		for i, w := range all {
			if f.Empty(w.displayed) || there[f.Exact(w.displayed)] != old || p.room.take(w.displayed) {
				continue
			}
			all[i].displayed = record.Entry{}
			if !told {
				p.note(f.Name, "too-many", "Google has no room for so many entries in one contact.",
					"Remove entries that nobody needs, or leave them: they stay in Creatio.")
			}
			told = true
		}
	}
}

func (p *planner) entry(f record.Field, e record.Entry) record.Entry {
	if f.Name == contact.Websites && record.Length(strings.TrimSpace(e.Text)) > maxText {
		// A part of an address would lead elsewhere.
		p.note(f.Name, "too-long", "Google has no room for an address that long, so it is not there.",
			"Leave it: the address stays in Creatio.")
		return record.Entry{}
	}
	if f.Name != contact.Addresses {
		return record.Entry{Text: p.fit(f.Name, strings.TrimSpace(e.Text))}
	}
	as := record.Entry{Parts: map[string]string{}}
	for k, v := range e.Parts {
		if v = p.fit(f.Name, strings.TrimSpace(v)); v != "" {
			as.Parts[k] = v
		}
	}
	if text := strings.TrimSpace(e.Text); len(as.Parts) == 0 && text != "" {
		as.Parts[contact.Street] = p.fit(f.Name, text)
	}
	return as
}
