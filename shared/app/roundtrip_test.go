package app_test

import (
	"cmp"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/api/people/v1"
	"pgregory.net/rapid"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
	_ "github.com/tandem-sync/tandem/shared/sandbox/seed"
	"github.com/tandem-sync/tandem/shared/store"
)

var oddity = flag.Int("oddity", 1, "the seed of the odd contacts")

// folkSize is how many contacts each side has.
const folkSize = 40

// TestA_round_trip_changes_nothing has contacts that are as odd as people make them copied to the other side, and has every copy
// edited and the edit taken back. Wherever a contact came from it has to be as it was, and nothing may be done twice.
func TestA_round_trip_changes_nothing(t *testing.T) {
	t.Parallel()
	o := newOdd(t)
	for i := range folkSize {
		o.people = append(o.people, o.inGoogle(i))
		o.contacts = append(o.contacts, o.inCreatio(500+i, 500+i))
	}

	before := o.originals()
	first := o.settles("the first synchronization")
	o.compare("are copied", before, o.originals())
	o.find(first)
	if len(o.copies) != 2*folkSize {
		t.Fatalf("%d of %d contacts have a copy:\n%s", len(o.copies), 2*folkSize, o.tells("", first))
	}

	was := o.all()
	o.edit(true)
	o.settles("an edit of every copy")
	o.edited()
	o.edit(false)
	// What is removed in Creatio leaves no trace; it is found within a day.
	o.pass(25 * time.Hour)
	if status, run := o.run(); status != "held" {
		t.Fatalf("so many lose what they got, and nobody is asked:\n%s", o.tells(status, run))
	}
	o.decide("approve")
	o.settles("what takes the edits back")
	o.compare("are edited on the other side and the edits taken back", was, o.all())
	o.clean()
}

// TestOdd_contacts_meet_and_lose_nothing has contacts that are as odd be on both sides already, as one person with
// other values on each. No entry of a set may be missing afterwards where it was.
func TestOdd_contacts_meet_and_lose_nothing(t *testing.T) {
	t.Parallel()
	o := newOdd(t)
	for i := range folkSize {
		o.meeting(i)
	}
	before := o.originals()
	first := o.settles("the first synchronization")
	if first.Counts.Matched != folkSize {
		t.Fatalf("%d of %d met:\n%s", first.Counts.Matched, folkSize, fold(o.tells("", first)))
	}
	after := o.originals()
	for id, was := range before {
		is := identities(after[id])
		for key, line := range identities(was) {
			if is[key] == "" {
				t.Errorf("%s is gone from\n%s\nwhich was\n%s", line, fold(after[id]), fold(was))
			}
		}
	}
	o.clean()
}

// identities are the lines of the entries of sets by what makes them the values that they are.
func identities(lines string) map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(lines) {
		label, text, _ := strings.Cut(strings.TrimSpace(line), ": ")
		label, _, _ = strings.Cut(label, " (")
		switch {
		case strings.Contains(label, "phone") && !strings.Contains(label, "phonetic"), label == "fax", label == "extension":
			// At a first meeting a number is the same with and without its country.
			out["phone "+cmp.Or(contact.SubscriberKey(text), contact.PhoneKey(text))] = line
		case label == "e-mail":
			out["e-mail "+contact.EmailKey(text)] = line
		case label == "web", label == "website", label == "linkedin", label == "facebook":
			out["web "+contact.WebKey(text)] = line
		case strings.HasSuffix(label, "address"):
			words := strings.Fields(record.Fold(strings.ReplaceAll(text, `\n`, " ")))
			slices.Sort(words)
			out["address "+strings.Join(words, " ")] = line
		}
	}
	return out
}

func newOdd(t *testing.T) *odd {
	t.Helper()
	s := &story{world: newWorld(t), settings: map[string]any{
		"automatic": true, "intervalMinutes": 15, "direction": "both", "conflicts": "latest",
	}}
	s.tag("Ada", private)
	for _, name := range []string{"Germany", "France", "Österreich"} {
		s.system("insert", "Country", "", columns{"Name": name})
	}
	s.system("insert", "Region", "", columns{"Name": "Berlin", "CountryId": s.listed("Country", "Germany")})
	s.system("insert", "City", "", columns{"Name": "Berlin", "CountryId": s.listed("Country", "Germany"), "RegionId": s.listed("Region", "Berlin")})
	for _, row := range [][2]string{{"Account", "Globex"}, {"Account", "Twins"}, {"Account", "Twins"}, {"Department", "R&D"}, {"ContactSalutationType", "Dr."}, {"Job", "Engineer"}} {
		s.system("insert", row[0], "", columns{"Name": row[1]})
	}
	s.google.Account(ada).CreateGroup("Creatio")
	return &odd{story: s}
}

// odd makes contacts that are odd, and knows their copies.
type odd struct {
	*story
	// people and contacts are the ids of the originals; copies lead from them to their copies.
	people, contacts []string
	copies           map[string]string
}

// at draws the value of a contact with a number of its own.
func at[V any](i int, g *rapid.Generator[V]) V { return g.Example(*oddity*1_000_000 + i) }

// settles synchronizes, and makes sure that whatever was to be done was done in that run, also when everything is compared.
func (o *odd) settles(what string) store.Run {
	o.t.Helper()
	status, run := o.run()
	before := o.all()
	for _, wait := range []time.Duration{0, 25 * time.Hour} {
		o.pass(wait)
		again, next := o.run()
		if len(next.Changes) > 0 {
			o.t.Errorf("after %s (%s) something is left to do: %s", what, status, fold(o.tells(again, next)))
		}
	}
	o.compare("were in step after "+what, before, o.all())
	return run
}

// find notes who was made from whom.
func (o *odd) find(run store.Run) {
	o.copies = map[string]string{}
	for _, c := range run.Changes {
		switch {
		case c.Action == "create" && c.Side == "creatio":
			o.copies[c.GoogleID] = c.CreatioID
		case c.Action == "create":
			o.copies[c.CreatioID] = c.GoogleID
		}
	}
}

func (o *odd) person(id string) string { return o.personLines(o.google.Account(ada).Person(id)) }
func (o *odd) contact(id string) string {
	row := o.creatio.System().Get("Contact", id)
	return fmt.Sprintf("  full name: %s\n%s", row["Name"], o.contactLines(row))
}

// originals are the contacts that people made, as they are.
func (o *odd) originals() map[string]string {
	out := map[string]string{}
	for _, id := range o.people {
		out[id] = o.person(id)
	}
	for _, id := range o.contacts {
		out[id] = o.contact(id)
	}
	return out
}

// all are the originals and the copies.
func (o *odd) all() map[string]string {
	out := o.originals()
	for original, made := range o.copies {
		if strings.HasPrefix(original, "people/") {
			out[made] = o.contact(made)
		} else {
			out[made] = o.person(made)
		}
	}
	return out
}

func (o *odd) compare(what string, before, after map[string]string) {
	o.t.Helper()
	for id, was := range before {
		if is := after[id]; is != was {
			o.t.Errorf("contacts that %s are to be as they were; this one is not:\n%s\nits copy:\n%s", what, fold(gocmp.Diff(strings.Split(was, "\n"), strings.Split(is, "\n"))), fold(o.counterpart(after, id)))
		}
	}
}

func (o *odd) counterpart(all map[string]string, id string) string {
	for original, made := range o.copies {
		if original == id {
			return all[made]
		}
		if made == id {
			return all[original]
		}
	}
	return ""
}

// additions are what everybody gets on the side of the copy, by its label in Creatio and in Google.
func additions(i int) [][3]string {
	return [][3]string{
		{"mobile phone", "phone (mobile)", fmt.Sprintf("+49 1512 345%04d", i)},
		{"e-mail", "e-mail (other)", fmt.Sprintf("added%d@example.com", i)},
		{"web", "website (homePage)", fmt.Sprintf("https://example.com/added/%d", i)},
		{"shipping address", "address (Shipping)", fmt.Sprintf("street Dock %d", i)},
	}
}

// edit adds something to every set of every copy, or takes it away again.
func (o *odd) edit(add bool) {
	sign := "- "
	if add {
		sign = "+ "
	}
	for i, id := range o.people {
		for _, a := range additions(i) {
			o.editContact(o.copies[id], sign+a[0]+": "+a[2])
		}
	}
	for i, id := range o.contacts {
		for _, a := range additions(i) {
			o.editPerson(o.copies[id], sign+a[1]+": "+a[2])
		}
	}
}

// edited makes sure that the originals have what their copies were given.
func (o *odd) edited() {
	o.t.Helper()
	for i, id := range o.people {
		for _, a := range additions(i) {
			if shows := o.person(id); !strings.Contains(shows, ": "+a[2]+"\n") {
				o.t.Errorf("%s did not arrive:\n%s", a[2], shows)
			}
		}
	}
	for i, id := range o.contacts {
		for _, a := range additions(i) {
			if shows := o.contact(id); !strings.Contains(shows, ": "+a[2]+"\n") {
				o.t.Errorf("%s did not arrive:\n%s", a[2], shows)
			}
		}
	}
}

// letters and marks are what texts are made of by chance.
var (
	letters = unicode.L
	marks   = unicode.Mn
)

// wording draws a text as people write and paste them.
func wording(longest int) *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.SampledFrom([]string{
			"", "", "Anna", "  Anna  Maria ", "O’Neil-Smith, Jr.", "e\u0301cole", "\u00a0x\u00a0", "a\u200bb", "\u202b\u05d0\u05d1\u202c", "👩‍👩‍👧 🎻", "王小明", "Müller & Söhne <b>",
			"a\tb", "=1+1", "NULL", "0", "null", "x'; --", "ﬁ", "İstanbul", "—", "(no name)",
		}),
		rapid.StringOfN(rapid.RuneFrom(nil, letters, marks), 1, 12, -1),
		rapid.Map(rapid.IntRange(longest/2, longest), func(n int) string { return strings.Repeat("äb ", n/3) + "." }),
	)
}

// noted draws notes.
func noted() *rapid.Generator[string] {
	return rapid.OneOf(wording(1000), rapid.SampledFrom([]string{
		"one\r\ntwo\r\n\r\n three  ", "\n\n", "<p>&nbsp;</p>", "a < b && c > d", "AT&amp;T", "<table><tr><td>Mon</td><td>9&nbsp;am</td></tr></table>",
		"<p>See <a href=\"https://example.com\">here</a><br></p><ul><li>one<li>two</ul>", "1 <br> 2", "<!-- hidden --> seen", "<script>x</script>", "- a\n\t- b",
		"<p>one</p>\n<p></p>\n<p>two</p>", "</p>", "<img src=x>", "&lt;b&gt;",
	}))
}

// numbers draws telephone numbers, of which each contact has a range of its own.
func numbers(i int) *rapid.Generator[string] {
	subscriber := fmt.Sprintf("%03d", i)
	return rapid.SampledFrom([]string{
		"+1 202 555 1" + subscriber, "+1 (202) 555-1" + subscriber, "0012025551" + subscriber, "202.555.1" + subscriber, "\u202a+12025551" + subscriber + "\u202c",
		"+1 202 555 1" + subscriber + " ext. 7", "+1 202 555 1" + subscriber + ",,7#", "+44 (0)20 7946 0" + subscriber, "020 7946 0" + subscriber, "1-800-COBOL" + subscriber, "12",
		"*100#", "ask at the desk", "+", "—", "٠٢٠ ٧٩٤٦ ٠" + subscriber, "+1 202 555 2" + subscriber, "tel:+12025552" + subscriber,
	})
}

func addresses(i int) *rapid.Generator[string] {
	return rapid.SampledFrom([]string{
		fmt.Sprintf("p%d@example.com", i), fmt.Sprintf("P%d@Example.COM", i), fmt.Sprintf("p%d@bücher.example", i), fmt.Sprintf("Anna <q%d@example.com>", i),
		fmt.Sprintf("p%d@example.com\u200b", i), fmt.Sprintf("no address %d", i), fmt.Sprintf("%s%d@example.com", strings.Repeat("e", 240), i), fmt.Sprintf("r%d@example.com", i),
	})
}

func websites() *rapid.Generator[string] {
	return rapid.SampledFrom([]string{
		"example.com", "https://Example.com/", "http://example.com/A?b#c", "ftp://example.com", "https://example.com/" + strings.Repeat("x", 400), "linkedin.com/in/x", "not a site",
	})
}

func list[V any](i int, what string, g *rapid.Generator[V], most int) []V {
	return at(i*31+len(what), rapid.SliceOfN(g, 0, most))
}

// meeting makes a contact on both sides that is one person by the name and an e-mail address.
func (o *odd) meeting(i int) {
	name, address := fmt.Sprintf("Pair%d", i), fmt.Sprintf("pair%d@example.com", i)
	person, contact := o.inGoogle(i), o.inCreatio(500+i, i)
	o.google.Account(ada).Edit(person, func(p *people.Person) {
		p.Names = []*people.Name{{GivenName: "Anna", FamilyName: name}}
		p.EmailAddresses = append(p.EmailAddresses, &people.EmailAddress{Value: address})
	})
	o.system("update", "Contact", contact, columns{"GivenName": "Anna", "MiddleName": "", "Surname": name})
	o.row("Ada", "ContactCommunication", columns{"ContactId": contact, "CommunicationTypeId": o.typeOf("e-mail"), "Number": address})
	o.people, o.contacts = append(o.people, person), append(o.contacts, contact)
}

// inGoogle makes a contact in the group.
func (o *odd) inGoogle(i int) string {
	label := func(known ...string) *rapid.Generator[string] {
		return rapid.SampledFrom(append(known, "", "home", "work", "other", "Boat", "HOME", "Extension"))
	}
	name := rapid.Custom(func(t *rapid.T) *people.Name {
		part := func(p string) string { return wording(300).Draw(t, p) }
		return &people.Name{
			GivenName: part("given"), MiddleName: part("middle"), FamilyName: part("family"), HonorificSuffix: part("suffix"), PhoneticGivenName: part("phonetic"),
			HonorificPrefix: rapid.SampledFrom([]string{"", "Dr.", "dr.", "Rev."}).Draw(t, "prefix"),
		}
	})
	p := &people.Person{
		Names:       []*people.Name{at(i, name)},
		Nicknames:   []*people.Nickname{{Value: fmt.Sprint("G", i)}},
		Biographies: []*people.Biography{{Value: at(i, noted()), ContentType: "TEXT_PLAIN"}},
		Birthdays: []*people.Birthday{{Date: at(i, rapid.SampledFrom([]*people.Date{
			nil, {Year: 2000, Month: 2, Day: 29}, {Month: 2, Day: 29}, {Year: 1604, Month: 5, Day: 1}, {Year: 1899, Month: 12, Day: 31}, {Year: 1990}, {Year: 9999, Month: 1, Day: 1},
		}))}},
		Organizations: list(i, "organizations", rapid.Custom(func(t *rapid.T) *people.Organization {
			return &people.Organization{
				Name:  rapid.OneOf(rapid.SampledFrom([]string{"Globex", "GLOBEX ", "Twins", ""}), wording(400)).Draw(t, "company"),
				Title: rapid.OneOf(rapid.SampledFrom([]string{"Engineer", "engineer", ""}), wording(400)).Draw(t, "title"), Department: rapid.SampledFrom([]string{"", "R&D", "Sales"}).Draw(t, "department"),
				Type: rapid.SampledFrom([]string{"", "work", "school"}).Draw(t, "type"), Current: rapid.Bool().Draw(t, "current"), Location: rapid.SampledFrom([]string{"", "Floor 3"}).Draw(t, "location"),
			}
		}), 3),
		ImClients: list(i, "im", rapid.Custom(func(t *rapid.T) *people.ImClient {
			return &people.ImClient{Protocol: rapid.SampledFrom([]string{"skype", "Skype", "jabber", ""}).Draw(t, "protocol"), Username: wording(300).Draw(t, "user")}
		}), 3),
		EmailAddresses: list(i, "emails", rapid.Custom(func(t *rapid.T) *people.EmailAddress {
			return &people.EmailAddress{Type: label().Draw(t, "type"), Value: addresses(i).Draw(t, "e-mail"), DisplayName: rapid.SampledFrom([]string{"", "Anna"}).Draw(t, "display")}
		}), 4),
		PhoneNumbers: list(i, "phones", rapid.Custom(func(t *rapid.T) *people.PhoneNumber {
			return &people.PhoneNumber{Type: label("mobile", "main", "workFax", "googleVoice", "pager").Draw(t, "type"), Value: numbers(i).Draw(t, "number")}
		}), 5),
		Urls: list(i, "urls", rapid.Custom(func(t *rapid.T) *people.Url {
			return &people.Url{Type: label("blog", "profile").Draw(t, "type"), Value: websites().Draw(t, "url")}
		}), 4),
		Addresses: list(i, "addresses", rapid.Custom(func(t *rapid.T) *people.Address {
			if rapid.IntRange(0, 5).Draw(t, "whole") == 0 {
				return &people.Address{Type: label("Legal").Draw(t, "type"), FormattedValue: "Dock 7\nHarbor"}
			}
			pick := func(what string, from ...string) string { return rapid.SampledFrom(append(from, "")).Draw(t, what) }
			return &people.Address{
				Type: label("Shipping", "Legal", "Actual").Draw(t, "type"), StreetAddress: pick("street", "Hauptstr. 1", "hauptstr 1", "1 Rue\nCour B", strings.Repeat("s", 600)),
				ExtendedAddress: pick("extended", "Apt 4"), PoBox: pick("box", "PO 5"), City: pick("city", "Berlin", "berlin", "Paris"), Region: pick("region", "Berlin", "BE"),
				PostalCode: pick("zip", "10115", strings.Repeat("9", 60)), Country: pick("country", "Germany", "GERMANY", "Deutschland", "Österreich"),
			}
		}), 4),
	}
	if p.Birthdays[0].Date == nil {
		p.Birthdays = nil
	}
	id := o.google.Account(ada).Add(p)
	o.google.Account(ada).AddToGroup(id, "Creatio")
	return id
}

// inCreatio makes a contact under the tag, drawn by one number, with values of its own by another.
func (o *odd) inCreatio(n, own int) string {
	pick := func(what string, from ...string) string {
		return at(n*17+len(what), rapid.SampledFrom(append(from, "")))
	}
	short := func(what string) string {
		return strings.TrimSpace(string([]rune(at(n*13+len(what), wording(80)))))
	}
	values := columns{
		"Name": "Placeholder " + fmt.Sprint(n), "JobTitle": short("JobTitle"), "Notes": at(n, noted()),
		"BirthDate": pick("BirthDate", "2000-02-29T00:00:00Z", "1899-12-30T22:00:00Z", "1815-12-10T00:00:00Z", "1989-12-31T11:00:00Z"),
	}
	if values["BirthDate"] == "" {
		delete(values, "BirthDate")
	}
	for column, of := range map[string][2]string{
		"AccountId": {"Account", "Globex"}, "DepartmentId": {"Department", "R&D"}, "SalutationTypeId": {"ContactSalutationType", "Dr."}, "JobId": {"Job", "Engineer"},
	} {
		if pick(column, of[1]) != "" {
			values[column] = o.listed(of[0], of[1])
		}
	}
	id := o.row("Ada", "Contact", values)
	name := columns{"GivenName": short("given"), "MiddleName": short("middle name"), "Surname": short("surname")}
	if strings.Join([]string{name["GivenName"].(string), name["MiddleName"].(string), name["Surname"].(string)}, "") != "" {
		o.system("update", "Contact", id, name)
	}
	types := o.creatio.System().Rows("CommunicationType", nil)
	slices.SortFunc(types, func(a, b map[string]any) int { return strings.Compare(a["Id"].(string), b["Id"].(string)) })
	for j, typ := range list(n, "communications", rapid.SampledFrom(types), 7) {
		of := numbers(own)
		switch typ["Name"] {
		case "Email":
			of = addresses(own)
		case "Web", "LinkedIn", "Facebook":
			of = websites()
		case "Skype":
			of = rapid.SampledFrom([]string{"live:x", "anna", " b "})
		}
		if number := at(n*19+j, of); len(number) <= 250 {
			o.row("Ada", "ContactCommunication", columns{"ContactId": id, "CommunicationTypeId": typ["Id"], "Number": number, "Primary": j%3 == 0})
		}
	}
	kinds := o.creatio.System().Rows("AddressType", nil)
	slices.SortFunc(kinds, func(a, b map[string]any) int { return strings.Compare(a["Id"].(string), b["Id"].(string)) })
	for j, kind := range list(n, "addresses", rapid.SampledFrom(append(kinds, nil)), 3) {
		part := func(what string, from ...string) string {
			return at(n*23+j*5+len(what), rapid.SampledFrom(append(from, "")))
		}
		row := columns{
			"ContactId": id, "Address": part("street", "Hauptstr. 1", "HAUPTSTR 1", " x "), "Zip": part("zip", "10115", "D-10115"), "Primary": j == 0,
		}
		if kind != nil {
			row["AddressTypeId"] = kind["Id"]
		}
		if part("germany", "yes") != "" {
			row["CountryId"] = o.listed("Country", "Germany")
			if part("in berlin", "yes") != "" {
				row["RegionId"], row["CityId"] = o.listed("Region", "Berlin"), o.listed("City", "Berlin")
			}
		}
		o.row("Ada", "ContactAddress", row)
	}
	o.tagged(o.tagNamed(defaultTag), id)
	return id
}
