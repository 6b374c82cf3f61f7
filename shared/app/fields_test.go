package app_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/people/v1"

	"github.com/tandem-sync/tandem/shared/app"
	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
)

// kinds are the rows of the site's lists of types of communications and addresses.
var kinds = map[string]string{
	"email": "ee1c85c3-cfcb-df11-9b2a-001d60e938c6", "skype": "09e4bda6-cfcb-df11-9b2a-001d60e938c6", "web": "6a8ba927-67cc-df11-9b2a-001d60e938c6",
	"mobile": "d4a2dc80-30ca-df11-9b2a-001d60e938c6", "home": "0da6a26b-d7bc-df11-b00f-001d60e938c6", "work": "3dddb3cc-53ee-49c4-a71f-e9e257f59e49",
	"other": "21c0d693-9a52-43fa-b7f1-c6d8b53975d4", "extension": "e9d91e45-8d92-4e38-95a0-ef8aa28c9e7a", "fax": "9a7ab41b-67cc-df11-9b2a-001d60e938c6",
	"at Home": "4f8b2d67-71d0-45fb-897e-cd4a308a97c0", "at Actual": "780bf68c-4b6e-df11-b988-001d60e938c6", "at Legal": "770bf68c-4b6e-df11-b988-001d60e938c6",
	"at Shipping": "760bf68c-4b6e-df11-b988-001d60e938c6", "at Business": "fb7a3f6a-f36b-1410-6f81-1c6f65e50343", "at Other": "ce157f11-f425-4811-ba0e-e3816e8eced5",
}

const birthdayRow = "173d56d2-fdca-df11-9b2a-001d60e938c6"

// lists makes the site's own lists, as an administrator, and gives the ids by name.
func (w *world) lists() map[string]string {
	w.t.Helper()
	ids := map[string]string{}
	add := func(entity, name string, more map[string]any) {
		values := map[string]any{"Name": name}
		maps.Copy(values, more)
		id, err := w.creatio.System().Insert(entity, values)
		if err != nil {
			w.t.Fatal(err)
		}
		ids[name] = id
	}
	add("ContactSalutationType", "Dr.", nil)
	add("Department", "Sales", nil)
	add("Job", "Navigator", nil)
	add("Account", "Harbor Ltd", nil)
	add("Account", "Twin Pines", nil)
	add("Account", "Twin Pines", nil)
	add("Country", "Germany", nil)
	add("Country", "France", nil)
	add("Region", "Bavaria", map[string]any{"CountryId": ids["Germany"]})
	add("City", "Munich", map[string]any{"CountryId": ids["Germany"], "RegionId": ids["Bavaria"]})
	return ids
}

// inCreatio writes a contact down as the site has it: what each part of a record says, by name.
func (w *world) inCreatio(id string) string {
	w.t.Helper()
	root := w.creatio.System()
	c := root.Get("Contact", id)
	if c == nil {
		w.t.Fatalf("creatio has no contact %s", id)
	}
	name := func(entity, column string, of map[string]any) string {
		if r := root.Get(entity, fmt.Sprint(of[column])); of[column] != "" && r != nil {
			return fmt.Sprint(r["Name"])
		}
		return ""
	}
	var out []string
	say := func(what string, value any) {
		if s := fmt.Sprint(value); s != "" {
			out = append(out, what+": "+s)
		}
	}
	for _, column := range []string{"GivenName", "MiddleName", "Surname", "JobTitle", "Notes"} {
		say(column, c[column])
	}
	say("salutation", name("ContactSalutationType", "SalutationTypeId", c))
	say("department", name("Department", "DepartmentId", c))
	say("job", name("Job", "JobId", c))
	say("account", name("Account", "AccountId", c))
	date := func(v any) string {
		if at := v.(time.Time); !at.IsZero() {
			return at.Format(time.DateOnly)
		}
		return ""
	}
	say("born", date(c["BirthDate"]))
	for _, r := range root.Rows("ContactAnniversary", map[string]any{"ContactId": id}) {
		say("birthday", date(r["Date"]))
	}
	label := func(typeID any) string {
		for k, v := range kinds {
			if v == typeID {
				return k
			}
		}
		return fmt.Sprint(typeID)
	}
	for _, r := range root.Rows("ContactCommunication", map[string]any{"ContactId": id}) {
		say(label(r["CommunicationTypeId"]), r["Number"])
	}
	for _, r := range root.Rows("ContactAddress", map[string]any{"ContactId": id}) {
		say(label(r["AddressTypeId"]), fmt.Sprintf("%s|%s|%s|%s|%s", r["Address"], r["Zip"], name("City", "CityId", r), name("Region", "RegionId", r), name("Country", "CountryId", r)))
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// inGoogle does the same of a person.
func inGoogle(p *people.Person) string {
	var out []string
	say := func(what, value string) {
		if value != "" {
			out = append(out, what+": "+value)
		}
	}
	for _, n := range p.Names {
		say("given", n.GivenName)
		say("middle", n.MiddleName)
		say("family", n.FamilyName)
		say("prefix", n.HonorificPrefix)
	}
	for _, o := range p.Organizations {
		say("company", o.Name)
		say("title", o.Title)
		say("department", o.Department)
	}
	for _, b := range p.Birthdays {
		say("birthday", fmt.Sprintf("%04d-%02d-%02d", b.Date.Year, b.Date.Month, b.Date.Day))
	}
	for _, b := range p.Biographies {
		say("notes", b.Value)
	}
	for _, c := range p.ImClients {
		say(c.Protocol, c.Username)
	}
	for _, e := range p.EmailAddresses {
		say("mail "+e.Type, e.Value)
	}
	for _, n := range p.PhoneNumbers {
		say("phone "+n.Type, n.Value)
	}
	for _, u := range p.Urls {
		say("web "+u.Type, u.Value)
	}
	for _, a := range p.Addresses {
		say("at "+a.Type, strings.Join([]string{a.StreetAddress, a.PostalCode, a.City, a.Region, a.Country}, "|"))
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

func lines(s ...string) string {
	slices.Sort(s)
	return strings.Join(s, "\n")
}

// detail is a row of a detail of a contact.
type detail struct {
	entity string
	values map[string]any
}

func comm(kind, number string) detail {
	return detail{"ContactCommunication", map[string]any{"CommunicationTypeId": kinds[kind], "Number": number}}
}

func orders() map[string]change {
	order := func(o string) change {
		return func(_ map[string]string, site *creatiobox.Options, _ *app.Options) { site.NameOrder = o }
	}
	return map[string]change{"given name first": order("GMS"), "surname first": order("SGM")}
}

func TestEvery_field_of_a_contact_in_Creatio_arrives_in_Google(t *testing.T) {
	t.Parallel()
	for order, option := range orders() {
		t.Run(order, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, option)
			ids := w.lists()
			tag := w.tag("Ada", private)
			place := func(kind string, values map[string]any) detail {
				values["AddressTypeId"] = kinds["at "+kind]
				return detail{"ContactAddress", values}
			}
			long := strings.Repeat("ö", 240)
			cases := map[string]struct {
				contact map[string]any
				details []detail
				want    string
			}{
				"the parts of a name": {
					contact: map[string]any{"GivenName": "Anna", "MiddleName": "Maria Luise", "Surname": "de la Cruz"},
					want:    lines("given: Anna", "middle: Maria Luise", "family: de la Cruz"),
				},
				"one word": {contact: map[string]any{"GivenName": "Aurelio", "Surname": ""}, want: lines("given: Aurelio")},
				"another script, from right to left": {
					contact: map[string]any{"GivenName": "محمد", "Surname": "الأمين", "Notes": "يفضّل البريد ✉️"},
					want:    lines("given: محمد", "family: الأمين", "notes: يفضّل البريد ✉️"),
				},
				"emoji": {contact: map[string]any{"GivenName": "🚤 Boat", "Surname": "👨‍👩‍👧"}, want: lines("given: 🚤 Boat", "family: 👨‍👩‍👧")},
				"what lists say": {
					contact: map[string]any{
						"GivenName": "L", "Surname": "Lists", "SalutationTypeId": ids["Dr."], "DepartmentId": ids["Sales"], "AccountId": ids["Harbor Ltd"], "JobId": ids["Navigator"],
					},
					want: lines("given: L", "family: Lists", "prefix: Dr.", "company: Harbor Ltd", "title: Navigator", "department: Sales"),
				},
				"a full job title": {
					contact: map[string]any{"GivenName": "J", "Surname": "Title", "JobTitle": "Second navigator", "JobId": ids["Navigator"]},
					want:    lines("given: J", "family: Title", "title: Second navigator"),
				},
				"a birthday": {
					contact: map[string]any{"GivenName": "B", "Surname": "Day", "BirthDate": "1980-02-29T00:00:00Z"},
					want:    lines("given: B", "family: Day", "birthday: 1980-02-29"),
				},
				"a birthday that only its row tells": {
					contact: map[string]any{"GivenName": "R", "Surname": "Row"},
					details: []detail{{"ContactAnniversary", map[string]any{"AnniversaryTypeId": birthdayRow, "Date": "1979-12-30T22:00:00Z"}}},
					want:    lines("given: R", "family: Row", "birthday: 1979-12-31"),
				},
				"notes in HTML": {
					contact: map[string]any{"GivenName": "H", "Surname": "Notes", "Notes": "<p>Signed the <b>agreement</b>.</p><p>R&amp;D only</p>"},
					want:    lines("given: H", "family: Notes", "notes: Signed the agreement.\nR&D only"),
				},
				"every kind of communication": {
					contact: map[string]any{"GivenName": "C", "Surname": "Comm"},
					details: []detail{
						comm("email", "C.Comm@Example.com"), comm("email", "c2@example.com"), comm("skype", "c.comm"), comm("web", "c.example.com"),
						comm("work", "+1 202 555 0101 ext. 7"), comm("home", "(202) 555-0102"), comm("mobile", "+1 202 555 0103"), comm("other", "1-800-FLOWERS"),
						comm("extension", "412"), comm("fax", "+1 202 555 0109"),
					},
					want: lines("given: C", "family: Comm", "mail other: C.Comm@Example.com", "mail other: c2@example.com", "skype: c.comm", "web homePage: c.example.com",
						"phone work: +1 202 555 0101 ext. 7", "phone home: (202) 555-0102", "phone mobile: +1 202 555 0103", "phone other: 1-800-FLOWERS",
						"phone Extension: 412"),
				},
				"every kind of address": {
					contact: map[string]any{"GivenName": "A", "Surname": "Addr"},
					details: []detail{
						place("Home", map[string]any{"Address": "Weg 1", "Zip": "80331", "CityId": ids["Munich"], "RegionId": ids["Bavaria"], "CountryId": ids["Germany"]}),
						place("Business", map[string]any{"Address": "Weg 2"}),
						place("Shipping", map[string]any{"Address": "Weg 3"}),
						place("Legal", map[string]any{"Address": "Weg 4"}),
						place("Actual", map[string]any{"Address": "Weg 5"}),
						place("Other", map[string]any{"CityId": ids["Munich"]}),
					},
					want: lines("given: A", "family: Addr", "at home: Weg 1|80331|Munich|Bavaria|Germany", "at work: Weg 2||||", "at Shipping: Weg 3||||", "at Legal: Weg 4||||",
						"at Actual: Weg 5||||", "at other: ||Munich||"),
				},
				"long texts": {
					contact: map[string]any{"GivenName": "L", "Surname": "Long", "JobTitle": long, "Notes": strings.Repeat(long+"\n", 20) + "end"},
					want:    lines("given: L", "family: Long", "title: "+long, "notes: "+strings.Repeat(long+"\n", 20)+"end"),
				},
			}
			made := map[string]string{}
			for name, c := range cases {
				id := w.row("Ada", "Contact", map[string]any{"Name": "Somebody New"})
				values := map[string]any{"GivenName": "", "MiddleName": "", "Surname": ""}
				maps.Copy(values, c.contact)
				if err := w.creatio.As("Ada").Update("Contact", id, values); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				for _, d := range c.details {
					d.values["ContactId"] = id
					w.row("Ada", d.entity, d.values)
				}
				w.tagged(tag, id)
				made[name] = id
			}
			w.connect()
			w.choose(tag)
			run := w.sync("done")
			googleID := map[string]string{}
			for _, c := range run.Changes {
				googleID[c.CreatioID] = c.GoogleID
			}
			for name, c := range cases {
				if got := inGoogle(w.google.Account(ada).Person(googleID[made[name]])); got != c.want {
					t.Errorf("%s: google has\n%s\nwant\n%s", name, got, c.want)
				}
			}
			w.silent()
			w.clean()
		})
	}
}

func TestEvery_field_of_a_contact_in_Google_arrives_in_Creatio(t *testing.T) {
	t.Parallel()
	for order, option := range orders() {
		t.Run(order, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, option)
			w.lists()
			tag := w.tag("Ada", private)
			w.connect()
			w.choose(tag)
			w.sync("done")
			phone := func(kind, value string) *people.PhoneNumber { return &people.PhoneNumber{Type: kind, Value: value} }
			name := func(given, middle, family string) []*people.Name {
				return []*people.Name{{GivenName: given, MiddleName: middle, FamilyName: family}}
			}
			long := strings.Repeat("ö", 300)
			cases := map[string]struct {
				person people.Person
				want   string
				// told is the code of what the run says of it.
				told string
			}{
				"the parts of a name": {
					person: people.Person{Names: name("Anna", "Maria Luise", "de la Cruz")},
					want:   lines("GivenName: Anna", "MiddleName: Maria Luise", "Surname: de la Cruz"),
				},
				"a name that was never split": {
					person: people.Person{Names: []*people.Name{{UnstructuredName: "Anna Berg"}}}, want: lines("GivenName: Anna Berg"),
				},
				"one word":       {person: people.Person{Names: name("", "", "Aurelio")}, want: lines("Surname: Aurelio")},
				"another script": {person: people.Person{Names: name("محمد", "", "الأمين")}, want: lines("GivenName: محمد", "Surname: الأمين")},
				"emoji":          {person: people.Person{Names: name("🚤 Boat", "", "👨‍👩‍👧")}, want: lines("GivenName: 🚤 Boat", "Surname: 👨‍👩‍👧")},
				"nobody's name": {
					person: people.Person{Organizations: []*people.Organization{{Name: "Harbor Ltd"}}}, want: lines("GivenName: Harbor Ltd", "account: Harbor Ltd"),
				},
				"what lists have": {
					person: people.Person{
						Names:         []*people.Name{{GivenName: "L", FamilyName: "Lists", HonorificPrefix: "Dr."}},
						Organizations: []*people.Organization{{Name: "Harbor Ltd", Title: "Navigator", Department: "Sales"}},
					},
					want: lines("GivenName: L", "Surname: Lists", "salutation: Dr.", "account: Harbor Ltd", "JobTitle: Navigator", "job: Navigator", "department: Sales"),
				},
				"a title that no list has": {
					person: people.Person{Names: name("J", "", "Title"), Organizations: []*people.Organization{{Title: "Second navigator"}}},
					want:   lines("GivenName: J", "Surname: Title", "JobTitle: Second navigator"),
				},
				"a company that is not there": {
					person: people.Person{Names: name("N", "", "Company"), Organizations: []*people.Organization{{Name: "Unheard Of Inc"}}},
					want:   lines("GivenName: N", "Surname: Company"), told: "no-account",
				},
				"a company that is there twice": {
					person: people.Person{Names: name("T", "", "Company"), Organizations: []*people.Organization{{Name: "Twin Pines"}}},
					want:   lines("GivenName: T", "Surname: Company"), told: "several-accounts",
				},
				"a title of nobody's list": {
					person: people.Person{Names: []*people.Name{{GivenName: "S", FamilyName: "Salut", HonorificPrefix: "Baron"}}},
					want:   lines("GivenName: S", "Surname: Salut"), told: "no-salutation",
				},
				"a department of nobody's list": {
					person: people.Person{Names: name("D", "", "Dept"), Organizations: []*people.Organization{{Department: "Piracy"}}},
					want:   lines("GivenName: D", "Surname: Dept"), told: "no-department",
				},
				"a birthday": {
					person: people.Person{Names: name("B", "", "Day"), Birthdays: []*people.Birthday{{Date: &people.Date{Year: 1980, Month: 2, Day: 29}}}},
					want:   lines("GivenName: B", "Surname: Day", "born: 1980-02-29", "birthday: 1980-02-29"),
				},
				"a birthday without its year": {
					person: people.Person{Names: name("Y", "", "Day"), Birthdays: []*people.Birthday{{Date: &people.Date{Month: 2, Day: 29}}}},
					want:   lines("GivenName: Y", "Surname: Day"), told: "no-year",
				},
				"notes": {
					person: people.Person{Names: name("N", "", "Notes"), Biographies: []*people.Biography{{Value: "one < two\n\nthree 🚤"}}},
					want:   lines("GivenName: N", "Surname: Notes", "Notes: <p>one &lt; two<br><br>three 🚤</p>"),
				},
				"every kind of number": {
					person: people.Person{Names: name("P", "", "Phones"), PhoneNumbers: []*people.PhoneNumber{
						phone("work", "+1 202 555 0101 x7"), phone("workFax", "+1 202 555 0102"), phone("workMobile", "+1 202 555 0103"), phone("workPager", "+1 202 555 0104"),
						phone("main", "+1 202 555 0105"), phone("home", "+1 202 555 0106"), phone("homeFax", "+1 202 555 0107"), phone("mobile", "+1 202 555 0108"),
						phone("other", "1-800-FLOWERS"), phone("otherFax", "+1 202 555 0110"), phone("pager", "+1 202 555 0111"), phone("Extension", "412"),
						phone("", "+1 202 555 0112"), phone("googleVoice", "+1 202 555 0113"), phone("Boat ⛵", "+1 202 555 0114"),
						// One number in two spellings is one number.
						phone("work", "+1 (202) 555-0101 ext. 7"),
					}},
					want: lines("GivenName: P", "Surname: Phones", "work: +1 202 555 0101 x7", "work: +1 202 555 0102", "work: +1 202 555 0103", "work: +1 202 555 0104",
						"mobile: +1 202 555 0105", "home: +1 202 555 0106", "home: +1 202 555 0107", "mobile: +1 202 555 0108", "other: 1-800-FLOWERS", "other: +1 202 555 0110",
						"other: +1 202 555 0111", "extension: 412", "other: +1 202 555 0112"),
				},
				"mail, Skype and the web": {
					person: people.Person{
						Names:          name("M", "", "Mail"),
						EmailAddresses: []*people.EmailAddress{{Type: "work", Value: "M.Mail@Example.com"}, {Type: "Private ✉️", Value: "m@bücher.example"}, {Value: "m.mail@example.com"}},
						ImClients:      []*people.ImClient{{Protocol: "skype", Username: "m.mail"}, {Protocol: "jabber", Username: "m@chat.example.com"}},
						Urls:           []*people.Url{{Type: "blog", Value: "https://m.example.com/"}, {Type: "work", Value: "M.example.com"}},
					},
					want: lines("GivenName: M", "Surname: Mail", "email: M.Mail@Example.com", "email: m@bücher.example", "skype: m.mail", "web: https://m.example.com/"),
				},
				"every kind of address": {
					person: people.Person{Names: name("A", "", "Addr"), Addresses: []*people.Address{
						{Type: "home", StreetAddress: "Weg 1", PostalCode: "80331", City: "Munich", Region: "Bavaria", Country: "Germany"},
						{Type: "work", StreetAddress: "Weg 2", ExtendedAddress: "Stock 3", PoBox: "77"},
						{Type: "Shipping", StreetAddress: "Weg 3"},
						{Type: "Legal", StreetAddress: "Weg 4"},
						{Type: "Actual", StreetAddress: "Weg 5"},
						{Type: "other", City: "Munich"},
						{StreetAddress: "Weg 7", City: "Atlantis", Region: "Deep", Country: "Germany"},
						{Type: "Cottage", StreetAddress: "Weg 8"},
					}},
					want: lines("GivenName: A", "Surname: Addr", "at Home: Weg 1|80331|Munich|Bavaria|Germany", "at Business: Weg 2, Stock 3, 77||||", "at Shipping: Weg 3||||",
						"at Legal: Weg 4||||", "at Actual: Weg 5||||", "at Other: ||Munich||", "at Other: Weg 7, Atlantis, Deep||||Germany"),
				},
				"long texts": {
					person: people.Person{Names: name("L", "", "Long"), Organizations: []*people.Organization{{Title: long}}, Biographies: []*people.Biography{{Value: strings.Repeat(long, 20)}}},
					want:   lines("GivenName: L", "Surname: Long", "JobTitle: "+strings.Repeat("ö", 250), "Notes: "+strings.Repeat(long, 20)), told: "cut",
				},
			}
			made, before := map[string]string{}, map[string]string{}
			for name, c := range cases {
				made[name] = w.google.Account(ada).Add(&c.person)
				w.google.Account(ada).AddToGroup(made[name], "Creatio")
				before[name] = inGoogle(w.google.Account(ada).Person(made[name]))
			}
			run := w.sync("done")
			creatioID, told := map[string]string{}, map[string][]string{}
			for _, c := range run.Changes {
				creatioID[c.GoogleID] = c.CreatioID
			}
			for _, p := range run.Problems {
				told[p.GoogleID] = append(told[p.GoogleID], p.Code)
			}
			for name, c := range cases {
				id := made[name]
				if got := w.inCreatio(creatioID[id]); got != c.want {
					t.Errorf("%s: creatio has\n%s\nwant\n%s", name, got, c.want)
				}
				if got := strings.Join(told[id], ","); got != c.told {
					t.Errorf("%s: the run tells of %q, want %q", name, got, c.told)
				}
				if got := inGoogle(w.google.Account(ada).Person(id)); got != before[name] {
					t.Errorf("%s: google has now\n%s\nand had\n%s", name, got, before[name])
				}
			}
			w.silent()
			w.clean()
		})
	}
}

func TestAn_edit_of_one_field_rewrites_no_other(t *testing.T) {
	t.Parallel()
	w, _, contacts := twins(t, "Hopper")
	id := contacts["Hopper"]
	const html = "<p>Signed the <b>agreement</b>.</p><ul><li>one</li></ul>"
	if err := w.creatio.As("Ada").Update("Contact", id, map[string]any{"Notes": html}); err != nil {
		t.Fatal(err)
	}
	for _, d := range []detail{
		comm("work", "+1 202 555 0101"), comm("fax", "+1 202 555 0109"), comm("web", "hopper.example.com"),
		{"ContactAddress", map[string]any{"AddressTypeId": kinds["at Legal"], "Address": "Pier 1"}},
		{"ContactAddress", map[string]any{"AddressTypeId": kinds["at Actual"], "Address": "Pier 2"}},
	} {
		d.values["ContactId"] = id
		w.row("Ada", d.entity, d.values)
	}
	w.sync("done")
	google := w.google.Account(ada)
	person := w.found("Hopper").ResourceName
	// In Google somebody labels what Creatio has no labels for, and edits what is beside it.
	google.Edit(person, func(p *people.Person) {
		p.PhoneNumbers[0].Type, p.EmailAddresses[0].Type, p.Urls[0].Type = "workFax", "Bridge", "blog"
		p.PhoneNumbers = append(p.PhoneNumbers, &people.PhoneNumber{Type: "Boat", Value: "+1 202 555 0177"}, &people.PhoneNumber{Type: "home", Value: "+1 202 555 0102"})
		p.Organizations = []*people.Organization{{Title: "Admiral"}}
		p.Urls[0].Value = "https://Hopper.example.com/"
	})
	w.sync("done")
	if got, want := w.inCreatio(id), lines("GivenName: Some", "Surname: Hopper", "JobTitle: Admiral", "Notes: "+html, "email: hopper@example.com", "work: +1 202 555 0101",
		"fax: +1 202 555 0109", "home: +1 202 555 0102", "web: https://Hopper.example.com/", "at Legal: Pier 1||||", "at Actual: Pier 2||||"); got != want {
		t.Errorf("creatio has\n%s\nwant\n%s", got, want)
	}
	// In Creatio somebody edits every field that Google has labels for.
	for entity, values := range map[string]map[string]any{
		"work": {"Number": "+1 202 555 0199"}, "email": {"Number": "grace@example.com"}, "web": {"Number": "grace.example.com"},
	} {
		row := w.creatio.As("Ada").Rows("ContactCommunication", map[string]any{"ContactId": id, "CommunicationTypeId": kinds[entity]})[0]
		if err := w.creatio.As("Ada").Update("ContactCommunication", fmt.Sprint(row["Id"]), values); err != nil {
			t.Fatal(err)
		}
	}
	w.sync("done")
	if got, want := inGoogle(google.Person(person)), lines("given: Some", "family: Hopper", "title: Admiral", "notes: Signed the agreement.\n- one", "mail Bridge: grace@example.com",
		"phone workFax: +1 202 555 0199", "phone Boat: +1 202 555 0177", "phone home: +1 202 555 0102", "web blog: grace.example.com", "at Legal: Pier 1||||",
		"at Actual: Pier 2||||"); got != want {
		t.Errorf("google has\n%s\nwant\n%s", got, want)
	}
	w.silent()
	w.clean()
}
