package sample

import (
	"slices"
	"strings"
)

// Rows of lookups that every Creatio is delivered with.
var (
	communicationTypes = map[string]string{
		"email": "ee1c85c3-cfcb-df11-9b2a-001d60e938c6", "skype": "09e4bda6-cfcb-df11-9b2a-001d60e938c6",
		"mobile": "d4a2dc80-30ca-df11-9b2a-001d60e938c6", "home": "0da6a26b-d7bc-df11-b00f-001d60e938c6",
		"work": "3dddb3cc-53ee-49c4-a71f-e9e257f59e49", "other": "21c0d693-9a52-43fa-b7f1-c6d8b53975d4",
		"extension": "e9d91e45-8d92-4e38-95a0-ef8aa28c9e7a",
		"web":       "6a8ba927-67cc-df11-9b2a-001d60e938c6",
	}
	addressTypes = map[string]string{
		"home": "4f8b2d67-71d0-45fb-897e-cd4a308a97c0", "actual": "780bf68c-4b6e-df11-b988-001d60e938c6",
		"legal": "770bf68c-4b6e-df11-b988-001d60e938c6", "shipping": "760bf68c-4b6e-df11-b988-001d60e938c6",
		"work": "fb7a3f6a-f36b-1410-6f81-1c6f65e50343", "other": "ce157f11-f425-4811-ba0e-e3816e8eced5",
	}
)

const (
	tagTypePrivate   = "8d7f6d6c-4ca5-4b43-bdd9-a5e01a582260"
	tagTypeCorporate = "5d79e393-f8e0-4830-a76b-f3c7bce529ed"
	tagTypePublic    = "d6fb4de6-0809-41fe-a84f-6d245cbc5f32"
	tagAccessMine    = "54c3c9a0-adba-423f-990b-673b903e2a38"

	contactTypeContact  = "806732ee-f36b-1410-a883-16d83cab0980"
	contactTypeEmployee = "60733efc-f36b-1410-a883-16d83cab0980"
)

// Lookups are the entities whose rows are the site's own lists. A site that brings such a list along may keep its own
// row of the same name, if it points what follows to it.
func Lookups() []string {
	return []string{"ContactSalutationType", "Department", "Country", "Region", "City"}
}

// builder writes rows down in order.
type builder struct {
	rows []Row
	// made tells which named rows there are.
	made map[string]bool
}

func (b *builder) add(entity, by string, values map[string]any) {
	b.rows = append(b.rows, Row{Entity: entity, Values: values, By: by})
}

// named makes a row with a name once, and gives its id.
func (b *builder) named(entity, name string, more map[string]any) string {
	id := derive(entity, name, "")
	if country, ok := more["CountryId"].(string); ok {
		id = derive(entity, name, country)
	}
	if b.made[id] {
		return id
	}
	b.made[id] = true
	values := map[string]any{"Id": id, "Name": name}
	for k, v := range more {
		if v != "" {
			values[k] = v
		}
	}
	b.add(entity, "", values)
	return id
}

// lookups makes the site's lists and the companies. One company is there twice under one name.
func (b *builder) lookups() {
	b.made = map[string]bool{}
	for _, s := range []string{"Mr.", "Ms.", "Dr.", "Prof."} {
		b.named("ContactSalutationType", s, nil)
	}
	for _, d := range departments {
		if d != "" {
			b.named("Department", d, nil)
		}
	}
	for _, r := range regions {
		for _, p := range r.places {
			b.place(p)
		}
	}
	for _, r := range regions {
		for _, c := range r.companies {
			b.account(c)
		}
	}
	b.add("Account", "", map[string]any{"Id": derive("Account", "Twin Pines", "again"), "Name": "Twin Pines"})
}

// place makes the rows of a place, and gives the ids of its city, region and country.
func (b *builder) place(p [5]string) (city, region, country string) {
	country = b.named("Country", p[4], nil)
	if p[3] != "" {
		region = b.named("Region", p[3], map[string]any{"CountryId": country})
	}
	city = b.named("City", p[2], map[string]any{"CountryId": country, "RegionId": region})
	return city, region, country
}

func (b *builder) account(name string) string { return b.named("Account", name, nil) }

// users makes the contacts that the users of the site are.
func (b *builder) users() {
	for _, u := range [][3]string{{UserContactID, UserName, UserEmail}, {ColleagueContactID, ColleagueName, ColleagueEmail}} {
		given, surname, _ := strings.Cut(u[1], " ")
		b.add("Contact", "", map[string]any{
			"Id": u[0], "Name": u[1], "GivenName": given, "Surname": surname, "TypeId": contactTypeEmployee, "OwnerId": u[0],
		})
		b.communication(u[0], "", "email", u[2], true)
	}
}

func (b *builder) tags() {
	for _, t := range [][4]string{
		{PrivateTagID, PrivateTagName, tagTypePrivate, UserLogin},
		{CorporateTagID, CorporateTagName, tagTypeCorporate, ColleagueLogin},
		{PublicTagID, PublicTagName, tagTypePublic, UserLogin},
		{ColleagueTagID, ColleagueTagName, tagTypePrivate, ColleagueLogin},
	} {
		b.add("ContactTag", t[3], map[string]any{"Id": t[0], "Name": t[1], "TypeId": t[2]})
	}
	b.add("Tag", UserLogin, map[string]any{
		"Id": FreedomTagID, "Name": FreedomTagName, "TagAccessId": tagAccessMine, "EntitySchemaName": "Contact",
	})
}

// contact makes a contact with its details and tags.
func (b *builder) contact(p *person) {
	owner := UserContactID
	if p.by == ColleagueLogin {
		owner = ColleagueContactID
	}
	values := map[string]any{
		"Id": p.id(), "Name": p.display(), "GivenName": p.given, "MiddleName": p.middle, "Surname": p.surname,
		"JobTitle": p.job, "Notes": p.notes, "TypeId": contactTypeContact, "OwnerId": owner,
	}
	if p.birthday != "" {
		values["BirthDate"] = p.birthday + "T00:00:00Z"
	}
	if p.salutation != "" {
		values["SalutationTypeId"] = b.named("ContactSalutationType", p.salutation, nil)
	}
	if p.department != "" {
		values["DepartmentId"] = b.named("Department", p.department, nil)
	}
	if p.account {
		values["AccountId"] = b.account(p.company)
	}
	for k, v := range values {
		if v == "" {
			delete(values, k)
		}
	}
	if seed := p.faces.creatio; seed != "" {
		id := derive("photo", seed)
		b.add("SysImage", p.by, map[string]any{"Id": id, "Name": p.key + ".png", "MimeType": "image/png", "Data": draw(seed)})
		values["PhotoId"] = id
	}
	b.add("Contact", p.by, values)
	b.details(p)
	for _, tag := range p.tags {
		b.tag(p, tag)
	}
}

// display is the name in one line, as Creatio keeps it.
func (p *person) display() string {
	return strings.Join(strings.Fields(p.given+" "+p.middle+" "+p.surname), " ")
}

func (b *builder) details(p *person) {
	first := map[string]bool{}
	communicate := func(kind, text string) {
		b.communication(p.id(), p.by, kind, text, !first[kind])
		first[kind] = true
	}
	for _, e := range p.emails {
		communicate("email", e.text)
	}
	for _, n := range p.phones {
		communicate(n.kind, n.text)
	}
	if p.skype != "" {
		communicate("skype", p.skype)
	}
	for _, w := range p.websites {
		communicate("web", w)
	}
	for i, a := range p.addresses {
		city, region, country := b.place(a.parts)
		values := map[string]any{
			"Id": derive("address", p.key, a.kind), "ContactId": p.id(), "AddressTypeId": addressTypes[a.kind],
			"Address": a.parts[0], "CityId": city, "CountryId": country, "Primary": i == 0,
		}
		if a.parts[1] != "" {
			values["Zip"] = a.parts[1]
		}
		if region != "" {
			values["RegionId"] = region
		}
		b.add("ContactAddress", p.by, values)
	}
}

func (b *builder) communication(contact, by, kind, text string, primary bool) {
	b.add("ContactCommunication", by, map[string]any{
		"Id": derive("communication", contact, kind, text), "ContactId": contact, "CommunicationTypeId": communicationTypes[kind],
		"Number": text, "Primary": primary,
	})
}

// tag puts a contact under a tag, as the user whose tag it is.
func (b *builder) tag(p *person, tag string) {
	id, by := derive("tagged", p.key, tag), UserLogin
	if slices.Contains([]string{ColleagueTagID, CorporateTagID}, tag) {
		by = ColleagueLogin
	}
	if tag == FreedomTagID {
		b.add("TagInRecord", by, map[string]any{"Id": id, "TagId": tag, "RecordId": p.id(), "RecordSchemaName": "Contact"})
		return
	}
	b.add("ContactInTag", by, map[string]any{"Id": id, "TagId": tag, "EntityId": p.id()})
}
