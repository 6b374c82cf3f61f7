package people

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/api/people/v1"
	"pgregory.net/rapid"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
	_ "github.com/tandem-sync/tandem/shared/sandbox/seed"
)

const testGroup = "contactGroups/4b1"

// contactPerson makes a person of a contact source out of fields.
func contactPerson(p people.Person) *people.Person {
	p.ResourceName = "people/c100"
	p.Etag = "%merged"
	p.Metadata = &people.PersonMetadata{Sources: []*people.Source{
		{Type: "PROFILE", Id: "55", Etag: "#profile", UpdateTime: "2026-09-09T00:00:00Z"},
		{Type: contactType, Id: "64", Etag: "#1", UpdateTime: "2026-03-01T10:11:12.123456Z"},
	}}
	return &p
}

// replace does to a person what Google does with the masked fields of an update. What is sent is sent as JSON.
func replace(t interface{ Fatalf(string, ...any) }, p *people.Person, out planned) *people.Person {
	raw, err := json.Marshal(out.person)
	if err != nil {
		t.Fatalf("encode: %v", err)
	}
	var sent people.Person
	if err := json.Unmarshal(raw, &sent); err != nil {
		t.Fatalf("decode: %v", err)
	}
	var keys map[string]json.RawMessage
	_ = json.Unmarshal(raw, &keys)
	next := *p
	for _, field := range out.mask {
		if _, explicit := keys[field]; !explicit {
			t.Fatalf("%s is in the mask and not in the request", field)
		}
		delete(keys, field)
		switch field {
		case "names":
			next.Names = sent.Names
		case "organizations":
			next.Organizations = sent.Organizations
		case "birthdays":
			next.Birthdays = sent.Birthdays
		case "biographies":
			next.Biographies = sent.Biographies
		case "imClients":
			next.ImClients = sent.ImClients
		case "emailAddresses":
			next.EmailAddresses = sent.EmailAddresses
		case "phoneNumbers":
			next.PhoneNumbers = sent.PhoneNumbers
		case "addresses":
			next.Addresses = sent.Addresses
		case "urls":
			next.Urls = sent.Urls
		default:
			t.Fatalf("unexpected field %s", field)
		}
	}
	if len(keys) > 0 {
		t.Fatalf("sent beyond the mask: %v", keys)
	}
	return contactPerson(next)
}

func change(from record.Record, after record.Fields) record.Operation {
	op := record.Operation{Action: record.Update, Link: "L1", ID: from.ID, AdapterState: from.AdapterState, Before: from.Fields, After: after}
	for _, f := range contact.Schema {
		if !f.Equal(from.Fields[f.Name], after[f.Name]) {
			op.Changed = append(op.Changed, f.Name)
		}
	}
	return op
}

// write carries an operation out on a person.
func write(t interface{ Fatalf(string, ...any) }, p *people.Person, after record.Fields) (*people.Person, planned) {
	r := recordOf(p, testGroup)
	n, err := readState(r.AdapterState)
	if err != nil {
		t.Fatalf("read state: %v", err)
	}
	out := planPerson(change(r, after), n)
	return replace(t, p, out), out
}

func text(s string) []record.Entry { return []record.Entry{{Text: s}} }

func TestA_person_reads_as_what_its_contact_source_says(t *testing.T) {
	t.Parallel()
	profile := &people.FieldMetadata{Source: &people.Source{Type: "PROFILE", Id: "55"}, Primary: true}
	own := &people.FieldMetadata{Source: &people.Source{Type: contactType, Id: "64"}}
	p := contactPerson(people.Person{
		Names: []*people.Name{
			{GivenName: "Self", FamilyName: "Chosen", Metadata: profile},
			{GivenName: "Ada", MiddleName: "Mary", FamilyName: "Example", HonorificPrefix: "Dr.", HonorificSuffix: "Jr.", Metadata: own},
		},
		Organizations:  []*people.Organization{{Name: "School of Examples", Type: "school", Metadata: &people.FieldMetadata{Primary: true}}, {Name: "Example Ltd", Title: "CTO", Department: "R&D"}},
		Birthdays:      []*people.Birthday{{Date: &people.Date{Month: 2, Day: 29}}},
		Biographies:    []*people.Biography{{Value: "one\ntwo", ContentType: "TEXT_PLAIN"}},
		ImClients:      []*people.ImClient{{Protocol: "jabber", Username: "ada@chat.example.com"}, {Protocol: "Skype", Username: "ada.example"}},
		EmailAddresses: []*people.EmailAddress{{Value: "ada@example.com", Type: "Private"}, {Value: "profile@example.com", Metadata: &people.FieldMetadata{Source: &people.Source{Type: "PROFILE"}}}},
		PhoneNumbers: []*people.PhoneNumber{
			{Value: "+1 202 555 0100", Type: "workMobile"},
			{Value: "+1 202 555 0101", Type: "homeFax"},
			{Value: "+1 202 555 0102", Type: "main"},
			{Value: "+1 202 555 0103"},
			{Value: "12", Type: "Extension"},
			{Value: "+1 202 555 0104", Type: "googleVoice"},
			{Value: "+1 202 555 0105", Type: "Boat"},
		},
		Addresses: []*people.Address{
			{Type: "home", StreetAddress: "1 Main St", ExtendedAddress: "Apt 4", City: "Springfield", PostalCode: "12345", Country: "USA", CountryCode: "US"},
			{Type: "Shipping", FormattedValue: "Dock 7\nHarbor"},
			{Type: "Cottage", City: "Lakeside"},
		},
		Urls: []*people.Url{
			{Value: "https://ada.example.com/", Type: "blog"}, {Value: "ada.example.com"}, {Value: "https://self.example.com", Type: "profile", Metadata: profile},
		},
		ClientData:  []*people.ClientData{{Key: "other", Value: "x"}, {Key: mark, Value: "L7"}},
		Memberships: []*people.Membership{{ContactGroupMembership: &people.ContactGroupMembership{ContactGroupResourceName: testGroup}}},
	})
	p.Metadata.PreviousResourceNames = []string{"people/c99"}
	got := recordOf(p, testGroup)
	want := record.Record{
		ID: "people/c100", Aliases: []string{"people/c99"}, Mark: "L7", Member: true,
		Modified: time.Date(2026, 3, 1, 10, 11, 12, 123456000, time.UTC),
		Fields: record.Fields{
			contact.GivenName: text("Ada"), contact.MiddleName: text("Mary"), contact.Surname: text("Example"), contact.Salutation: text("Dr."),
			contact.Company: text("Example Ltd"), contact.JobTitle: text("CTO"), contact.Department: text("R&D"),
			contact.Birthday: text("--02-29"), contact.Notes: text("one\ntwo"), contact.Skype: text("ada.example"), contact.Emails: text("ada@example.com"),
			contact.Websites: text("ada.example.com"),
			contact.Phones: {
				{Kind: "work", Text: "+1 202 555 0100"},
				{Kind: "home", Text: "+1 202 555 0101"},
				{Kind: "mobile", Text: "+1 202 555 0102"},
				{Kind: "other", Text: "+1 202 555 0103"},
				{Kind: "extension", Text: "12"},
			},
			contact.Addresses: {
				{Kind: "home", Parts: map[string]string{"street": "1 Main St, Apt 4", "city": "Springfield", "zip": "12345", "country": "USA"}},
				{Kind: "shipping", Parts: map[string]string{"street": "Dock 7\nHarbor"}},
			},
		},
		Untracked: record.Fields{
			contact.Phones:    {{Text: "+1 202 555 0104"}, {Text: "+1 202 555 0105"}},
			contact.Addresses: {{Parts: map[string]string{"city": "Lakeside"}}},
			contact.Suffix:    {{Text: "Jr."}},
		},
	}
	got.AdapterState = nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	n, err := readState(recordOf(p, testGroup).AdapterState)
	if err != nil || n.Etag != "#1" || n.Source != "64" || len(n.Person.Names) != 1 || len(n.Person.EmailAddresses) != 1 {
		t.Errorf("got state %+v, %v, want the contact's own version and entries", n, err)
	}
}

func TestA_person_without_a_contact_is_gone(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]*people.Person{
		"deleted":        {ResourceName: "people/c1", Metadata: &people.PersonMetadata{Deleted: true, Sources: []*people.Source{{Type: contactType}}}},
		"only a profile": {ResourceName: "people/c1", Metadata: &people.PersonMetadata{Sources: []*people.Source{{Type: "PROFILE"}}}},
		"no metadata":    {ResourceName: "people/c1"},
	} {
		if diff := cmp.Diff(record.Record{ID: "people/c1", Gone: true, Tombstone: name == "deleted"}, recordOf(p, testGroup)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestBirthdays_with_and_without_a_year(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]*people.Date{
		"1990-12-31": {Year: 1990, Month: 12, Day: 31},
		"0044-03-15": {Year: 44, Month: 3, Day: 15},
		"--02-29":    {Month: 2, Day: 29},
		"1990":       {Year: 1990},
		"1990-05":    {Year: 1990, Month: 5},
	} {
		if got := day(d); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if diff := cmp.Diff(d, dateOf(want)); diff != "" {
			t.Error(diff)
		}
	}
	for _, d := range []*people.Date{nil, {Year: 2001, Month: 2, Day: 29}, {Month: 13, Day: 1}} {
		if got := day(d); got != "" {
			t.Errorf("%+v reads as %q, want nothing", d, got)
		}
	}
	for _, s := range []string{"", "soon", "31.12.1990", "--13-01", "1990-13"} {
		if d := dateOf(s); d != nil {
			t.Errorf("%q is taken for the date %+v", s, d)
		}
	}
}

func TestAn_update_writes_the_named_fields_and_keeps_what_is_not_its_own(t *testing.T) {
	t.Parallel()
	p := contactPerson(people.Person{
		Names:         []*people.Name{{GivenName: "Ada", FamilyName: "Example", HonorificSuffix: "Jr.", PhoneticGivenName: "Ayda", UnstructuredName: "Ada Example, Jr."}},
		Organizations: []*people.Organization{{Name: "Old Ltd", Title: "Founder"}, {Name: "Example Ltd", Title: "CTO", Location: "Floor 3", Metadata: &people.FieldMetadata{Primary: true}}},
		ImClients:     []*people.ImClient{{Protocol: "jabber", Username: "ada@chat.example.com"}, {Protocol: "skype", Username: "ada"}},
		PhoneNumbers: []*people.PhoneNumber{
			{Value: "+1 202 555 0105", Type: "Boat"}, {Value: "+1 202 555 0100", Type: "workMobile"}, {Value: "+1 202 555 0101", Type: "home"},
		},
		EmailAddresses: []*people.EmailAddress{{Value: "ada@example.com", Type: "Private", DisplayName: "Ada"}},
	})
	before := recordOf(p, testGroup).Fields
	after := before.Clone()
	after.SetText(contact.Surname, "Sample")
	after.SetText(contact.JobTitle, "CEO")
	after.SetText(contact.Skype, "")
	after[contact.Phones] = []record.Entry{{Kind: "work", Text: "+1 202 555 0199"}, {Kind: "mobile", Text: "+1 202 555 0177"}}
	next, out := write(t, p, after)
	if diff := cmp.Diff([]string{"names", "organizations", "imClients", "phoneNumbers"}, out.mask); diff != "" {
		t.Errorf("mask: %s", diff)
	}
	want := contactPerson(people.Person{
		Names:          []*people.Name{{GivenName: "Ada", FamilyName: "Sample", HonorificSuffix: "Jr.", PhoneticGivenName: "Ayda"}},
		Organizations:  []*people.Organization{{Name: "Old Ltd", Title: "Founder"}, {Name: "Example Ltd", Title: "CEO", Location: "Floor 3", Metadata: &people.FieldMetadata{SourcePrimary: true}}},
		ImClients:      []*people.ImClient{{Protocol: "jabber", Username: "ada@chat.example.com"}},
		PhoneNumbers:   []*people.PhoneNumber{{Value: "+1 202 555 0105", Type: "Boat"}, {Value: "+1 202 555 0199", Type: "workMobile"}, {Value: "+1 202 555 0177", Type: "mobile"}},
		EmailAddresses: p.EmailAddresses,
	})
	if diff := cmp.Diff(asJSON(t, want), asJSON(t, next)); diff != "" {
		t.Error(diff)
	}
	if got := recordOf(next, testGroup).Fields; !contact.Schema.Equal(got, after) {
		t.Errorf("reads as %v, want %v", got, after)
	}
}

func TestA_web_address_keeps_its_label(t *testing.T) {
	t.Parallel()
	p := contactPerson(people.Person{Urls: []*people.Url{
		{Value: "https://ada.example.com", Type: "blog"}, {Value: "https://shop.example.com", Type: "Shop ⛵"},
	}})
	after := recordOf(p, testGroup).Fields.Clone()
	after[contact.Websites] = []record.Entry{{Text: "HTTP://ADA.example.com/"}, {Text: "https://shop.example.org"}, {Text: "new.example.com"}}
	next, out := write(t, p, after)
	want := []*people.Url{
		{Value: "HTTP://ADA.example.com/", Type: "blog"}, {Value: "https://shop.example.org", Type: "Shop ⛵"}, {Value: "new.example.com", Type: "homePage"},
	}
	if diff := cmp.Diff(asJSON(t, want), asJSON(t, next.Urls)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"urls"}, out.mask); diff != "" {
		t.Error(diff)
	}
}

func TestA_web_address_that_is_too_long_is_left_out_and_told_of(t *testing.T) {
	t.Parallel()
	long := "https://example.com/" + strings.Repeat("x", maxText)
	next, out := write(t, contactPerson(people.Person{}), record.Fields{contact.Websites: text(long)})
	if len(next.Urls) > 0 || len(out.notes) != 1 || out.notes[0].Code != "too-long" {
		t.Errorf("got %s, %+v", asJSON(t, next.Urls), out.notes)
	}
	if got := out.projections(recordOf(next, testGroup).Fields); len(got) != 1 || got[0].Canonical.Text != long || !got[0].Displayed.IsZero() {
		t.Errorf("got %+v, want that it does not show", got)
	}
}

func TestClearing_a_field_sends_it_empty(t *testing.T) {
	t.Parallel()
	p := contactPerson(people.Person{
		Names: []*people.Name{{GivenName: "Ada"}}, Organizations: []*people.Organization{{Name: "Example Ltd"}},
		Birthdays: []*people.Birthday{{Date: &people.Date{Month: 1, Day: 2}}}, Biographies: []*people.Biography{{Value: "x"}},
		EmailAddresses: []*people.EmailAddress{{Value: "ada@example.com"}}, PhoneNumbers: []*people.PhoneNumber{{Value: "+1 202 555 0100"}},
		Addresses: []*people.Address{{City: "Springfield"}}, Urls: []*people.Url{{Value: "example.com"}}, ImClients: []*people.ImClient{{Protocol: "skype", Username: "ada"}},
	})
	next, out := write(t, p, record.Fields{})
	if len(out.mask) != 9 {
		t.Errorf("got mask %v, want all nine fields", out.mask)
	}
	if got := recordOf(next, testGroup).Fields; len(got) != 0 {
		t.Errorf("%v is left", got)
	}
}

func TestAn_address_that_is_edited_keeps_nothing_of_the_old_one(t *testing.T) {
	t.Parallel()
	p := contactPerson(people.Person{Addresses: []*people.Address{
		{Type: "home", StreetAddress: "1 Main St", ExtendedAddress: "Apt 4", City: "Springfield", Country: "USA", CountryCode: "US", FormattedValue: "1 Main St\nSpringfield"},
		{Type: "work", StreetAddress: "2 Side St", PoBox: "77", City: "Springfield"},
	}})
	r := recordOf(p, testGroup)
	after := r.Fields.Clone()
	after[contact.Addresses] = []record.Entry{
		{Kind: "home", Parts: map[string]string{"street": "9 New Rd", "city": "Paris", "country": "France"}}, r.Fields[contact.Addresses][1],
	}
	next, _ := write(t, p, after)
	want := []*people.Address{{Type: "home", StreetAddress: "9 New Rd", City: "Paris", Country: "France"}, {Type: "work", StreetAddress: "2 Side St", PoBox: "77", City: "Springfield"}}
	if diff := cmp.Diff(asJSON(t, want), asJSON(t, next.Addresses)); diff != "" {
		t.Error(diff)
	}
}

func TestWhat_Google_cannot_hold_is_told(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxText+1)
	after := record.Fields{
		contact.JobTitle: text(long), contact.Birthday: text("sometime"), // as a text
		contact.Phones: {{Kind: "pigeon", Text: "+1 202 555 0100"}},
	}
	next, out := write(t, contactPerson(people.Person{}), after)
	got := recordOf(next, testGroup).Fields
	want := []record.Projection{
		{Field: contact.JobTitle, Canonical: record.Entry{Text: long}, Displayed: record.Entry{Text: long[:maxText]}},
		{Field: contact.Phones, Canonical: record.Entry{Kind: "pigeon", Text: "+1 202 555 0100"}, Displayed: record.Entry{Kind: "other", Text: "+1 202 555 0100"}},
	}
	if diff := cmp.Diff(want, out.projections(got)); diff != "" {
		t.Error(diff)
	}
	var codes []string
	for _, n := range out.notes {
		codes = append(codes, n.Field+" "+n.Code)
		if n.Message == "" || n.Action == "" {
			t.Errorf("note %v says nothing", n)
		}
	}
	if diff := cmp.Diff([]string{"jobTitle cut"}, codes); diff != "" {
		t.Error(diff)
	}
}

func TestThe_order_of_entries_does_not_matter(t *testing.T) {
	t.Parallel()
	phones := []*people.PhoneNumber{
		{Value: "+1 202 555 0100", Type: "work", Metadata: &people.FieldMetadata{Primary: true}},
		{Value: "+1 (202) 555-0100", Type: "mobile"},
		{Value: "+1 202 555 0101", Type: "home"},
		{Value: "+1 202 555 0101", Type: "work"},
	}
	orgs := []*people.Organization{{Name: "B", Type: "work"}, {Name: "A", Type: "work"}, {Name: "C", Current: true}}
	a := recordOf(contactPerson(people.Person{PhoneNumbers: phones, Organizations: orgs}), testGroup).Fields
	slices.Reverse(phones)
	slices.Reverse(orgs)
	b := recordOf(contactPerson(people.Person{PhoneNumbers: phones, Organizations: orgs}), testGroup).Fields
	if !contact.Schema.Equal(a, b) {
		t.Errorf("got %v and %v", a, b)
	}
	if a.Text(contact.Company) != "C" || a[contact.Phones][0].Kind != "work" {
		t.Errorf("got %v, want the current organization, and of two labels the one that is shown first", a)
	}
}

func TestThe_organization_that_is_carried_stays_the_same_one(t *testing.T) {
	t.Parallel()
	p := contactPerson(people.Person{
		Organizations: []*people.Organization{{Name: "Beta"}, {Name: "Alpha"}, {Name: "School", Type: "school", Metadata: &people.FieldMetadata{SourcePrimary: true}}},
		ImClients:     []*people.ImClient{{Protocol: "skype", Username: "b"}, {Protocol: "skype", Username: "a"}},
	})
	after := recordOf(p, testGroup).Fields.Clone()
	if after.Text(contact.Company) != "Alpha" || after.Text(contact.Skype) != "a" {
		t.Fatalf("got %v", after)
	}
	after.SetText(contact.Company, "Zeta")
	after.SetText(contact.Skype, "z")
	next, _ := write(t, p, after)
	if got := recordOf(next, testGroup).Fields; !contact.Schema.Equal(got, after) {
		t.Errorf("reads as %v, want %v", got, after)
	}
	first := 0
	for _, o := range next.Organizations {
		if o.Metadata != nil && o.Metadata.SourcePrimary {
			first++
		}
	}
	if first != 1 || len(next.Organizations) != 3 || len(next.ImClients) != 2 {
		t.Errorf("got %s, want one that is shown first and all of the others", asJSON(t, next))
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// anyFields draws a content as the schema holds it.
func anyFields(t *rapid.T) record.Fields {
	f := record.Fields{}
	word := rapid.StringMatching(`[A-Za-zÄöéЖ]{1,8}( [a-z.&]{1,6})?`)
	for _, name := range []string{contact.GivenName, contact.MiddleName, contact.Surname, contact.Salutation, contact.JobTitle, contact.Department, contact.Company, contact.Skype} {
		if rapid.Bool().Draw(t, name) {
			f.SetText(name, word.Draw(t, name+" text"))
		}
	}
	f.SetText(contact.Birthday, rapid.SampledFrom([]string{"", "1990-12-31", "2000-02-29", "--02-29", "--12-01"}).Draw(t, "birthday"))
	f.SetText(contact.Notes, strings.TrimSpace(rapid.StringMatching(`([a-z ]{0,9}\n?){0,3}`).Draw(t, "notes")))
	for i := range rapid.IntRange(0, 3).Draw(t, "emails") {
		f[contact.Emails] = append(f[contact.Emails], record.Entry{Text: fmt.Sprintf("p%d.%d@example.com", i, rapid.IntRange(0, 3).Draw(t, "email"))})
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "websites") {
		f[contact.Websites] = append(f[contact.Websites], record.Entry{Text: fmt.Sprintf("https://w%d.example.com/%d", i, rapid.IntRange(0, 3).Draw(t, "website"))})
	}
	kind := func(of map[string]string) string {
		kinds := make([]string, 0, len(of))
		for k := range of {
			kinds = append(kinds, k)
		}
		slices.Sort(kinds)
		return rapid.SampledFrom(kinds).Draw(t, "kind")
	}
	for range rapid.IntRange(0, 4).Draw(t, "phones") {
		f[contact.Phones] = append(f[contact.Phones], record.Entry{Kind: kind(phoneTypes), Text: fmt.Sprintf("+1 202 555 01%02d", rapid.IntRange(0, 6).Draw(t, "phone"))})
	}
	for range rapid.IntRange(0, 3).Draw(t, "addresses") {
		parts := map[string]string{}
		for _, part := range []string{contact.Street, contact.City, contact.Region, contact.Zip, contact.Country} {
			if rapid.Bool().Draw(t, part) {
				parts[part] = word.Draw(t, part+" text")
			}
		}
		f[contact.Addresses] = append(f[contact.Addresses], record.Entry{Kind: kind(addressTypes), Parts: parts})
	}
	return contact.Schema.Clean(f)
}

// foreign is what Tandem does not carry.
func foreign() people.Person {
	return people.Person{
		Organizations:  []*people.Organization{{Name: "School", Type: "school"}},
		ImClients:      []*people.ImClient{{Protocol: "jabber", Username: "x"}},
		PhoneNumbers:   []*people.PhoneNumber{{Value: "+1 202 555 0190", Type: "Boat"}, {Value: "+1 202 555 0100", Type: "googleVoice"}},
		Addresses:      []*people.Address{{Type: "Cottage", City: "Lakeside"}},
		EmailAddresses: nil,
	}
}

func TestProperty_what_was_written_is_read_and_foreign_entries_survive(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := contactPerson(foreign())
		for step := range 3 {
			after := anyFields(t)
			next, out := write(t, p, after)
			got := recordOf(next, testGroup)
			if !contact.Schema.Equal(got.Fields, after) {
				t.Fatalf("step %d: wrote %v, read %v", step, after, got.Fields)
			}
			if s := out.projections(got.Fields); len(s) > 0 || len(out.notes) > 0 {
				t.Fatalf("step %d: shown differently: %v, %v", step, s, out.notes)
			}
			for _, o := range foreign().PhoneNumbers {
				if !slices.ContainsFunc(next.PhoneNumbers, func(n *people.PhoneNumber) bool { return n.Value == o.Value && n.Type == o.Type }) {
					t.Fatalf("step %d: the number %v is lost", step, o)
				}
			}
			if !slices.ContainsFunc(next.Addresses, func(a *people.Address) bool { return a.Type == "Cottage" && a.City == "Lakeside" }) ||
				!slices.ContainsFunc(next.Organizations, func(o *people.Organization) bool { return o.Type == "school" && o.Name == "School" }) ||
				!slices.ContainsFunc(next.ImClients, func(c *people.ImClient) bool { return c.Protocol == "jabber" && c.Username == "x" }) {
				t.Fatalf("step %d: a foreign entry is lost: %+v", step, next)
			}
			// Google may give the entries back in any order.
			slices.Reverse(next.PhoneNumbers)
			slices.Reverse(next.Addresses)
			slices.Reverse(next.Organizations)
			p = next
		}
	})
}

func TestThe_job_that_somebody_has_now_is_the_one_that_is_carried(t *testing.T) {
	t.Parallel()
	ended, shownFirst := &people.Date{Year: 2019, Month: 6}, &people.FieldMetadata{SourcePrimary: true}
	for name, c := range map[string]struct {
		jobs []*people.Organization
		want string
	}{
		"a past job first":                {[]*people.Organization{{Name: "Past", EndDate: ended, Metadata: shownFirst}, {Name: "Now", Current: true}}, "Now"},
		"a past job that nobody dated":    {[]*people.Organization{{Name: "Past", Metadata: shownFirst}, {Name: "Now", Current: true}}, "Now"},
		"one without an end":              {[]*people.Organization{{Name: "Past", EndDate: ended, Metadata: shownFirst}, {Name: "Now"}}, "Now"},
		"two of now: the one shown first": {[]*people.Organization{{Name: "A", Current: true}, {Name: "B", Current: true, Metadata: shownFirst}}, "B"},
		"past jobs only":                  {[]*people.Organization{{Name: "A", EndDate: ended}, {Name: "B", EndDate: ended, Metadata: shownFirst}}, "B"},
	} {
		if got := fieldsOf(&people.Person{Organizations: c.jobs}).Text(contact.Company); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestThe_country_of_an_address_may_be_a_code(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		address people.Address
		want    map[string]string
	}{
		"a code alone":                {people.Address{City: "Lyon", CountryCode: "FR"}, map[string]string{contact.City: "Lyon", contact.Country: "France"}},
		"a code beside the name":      {people.Address{City: "Bonn", Country: "Deutschland", CountryCode: "DE"}, map[string]string{contact.City: "Bonn", contact.Country: "Deutschland"}},
		"a text beside the code":      {people.Address{FormattedValue: "Am Hof 1\n53113 Bonn", CountryCode: "DE"}, map[string]string{contact.Street: "Am Hof 1\n53113 Bonn"}},
		"nothing but a code":          {people.Address{CountryCode: "FR"}, map[string]string{contact.Country: "France"}},
		"a code that is no country's": {people.Address{City: "Bonn", CountryCode: "??"}, map[string]string{contact.City: "Bonn"}},
	} {
		if diff := cmp.Diff(c.want, partsOf(&c.address)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	old := &people.Address{Type: "home", City: "Lyon", CountryCode: "FR"}
	list := addressList(&people.Person{Addresses: []*people.Address{old}})
	kept := list.write(old, record.Entry{Kind: "home", Parts: map[string]string{contact.City: "Paris", contact.Country: "France"}})
	if kept.Country != "" || kept.CountryCode != "FR" || kept.City != "Paris" {
		t.Errorf("the code is not kept: %+v", kept)
	}
	moved := list.write(old, record.Entry{Kind: "home", Parts: map[string]string{contact.City: "Bonn", contact.Country: "Germany"}})
	if moved.Country != "Germany" || moved.CountryCode != "" {
		t.Errorf("the code of another country stays: %+v", moved)
	}
}
