package contacts

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/record"
	_ "github.com/tandem-sync/tandem/shared/sandbox/seed"
)

// lists are the lookups of the site in these tests.
func lists() creatio.Names {
	n := creatio.Names{}
	n.Add(accounts, creatio.Named{ID: "acc-1", Name: "Example Ltd"})
	n.Add(accounts, creatio.Named{ID: "acc-2", Name: "Twin"})
	n.Add(accounts, creatio.Named{ID: "acc-3", Name: "twin"})
	n.Add(salutations, creatio.Named{ID: "sal-1", Name: "Dr."})
	n.Add(departments, creatio.Named{ID: "dep-1", Name: "Sales"})
	n.Add(jobs, creatio.Named{ID: "j-1", Name: "Manager"})
	n.Add(countries, creatio.Named{ID: "c-de", Name: "Germany"})
	n.Add(countries, creatio.Named{ID: "c-fr", Name: "France"})
	n.Add(regions, creatio.Named{ID: "r-be", Name: "Berlin", Within: []string{"c-de"}})
	n.Add(cities, creatio.Named{ID: "t-be", Name: "Berlin", Within: []string{"c-de", "r-be"}})
	n.Add(cities, creatio.Named{ID: "t-pa", Name: "Paris", Within: []string{"c-fr", ""}})
	n.Add(cities, creatio.Named{ID: "t-pa2", Name: "Paris", Within: []string{"c-us", ""}})
	return n
}

// carryOut does to a person what the writes say, as the site would.
func carryOut(t interface{ Fatalf(string, ...any) }, p *person, writes []creatio.Write, n creatio.Names) {
	id := func(v any) string { s, _ := v.(string); return s }
	nameIn := func(list string, v any) string {
		for _, rows := range n[list] {
			for _, r := range rows {
				if r.ID == id(v) {
					return r.Name
				}
			}
		}
		return ""
	}
	date := func(v any) time.Time { d, _ := time.Parse(time.RFC3339, id(v)); return d }
	for _, w := range writes {
		rowID := w.ID
		if w.Method == "POST" {
			rowID = id(w.Body["Id"])
		}
		switch w.Set {
		case "Contact":
			for c, v := range w.Body {
				switch c {
				case "Id":
					p.id = id(v)
				case "Name":
					// The site splits a name that is saved as a whole.
					p.name = id(v)
					p.given, p.surname, _ = strings.Cut(id(v), " ")
				case "GivenName":
					p.given = id(v)
				case "MiddleName":
					p.middle = id(v)
				case "Surname":
					p.surname = id(v)
				case "AccountId":
					p.account = nameIn(accounts, v)
				case "SalutationTypeId":
					p.salutation = nameIn(salutations, v)
				case "DepartmentId":
					p.department = nameIn(departments, v)
				case "JobTitle":
					p.jobTitle = id(v)
				case "JobId":
					p.job = nameIn(jobs, v)
				case "Notes":
					p.notes = id(v)
				case "Skype":
					p.skype = id(v)
				case "BirthDate":
					p.birth = date(v)
				default:
					t.Fatalf("unknown column %s", c)
				}
			}
		case "ContactCommunication":
			i := slices.IndexFunc(p.communications, func(c communication) bool { return c.id == rowID })
			if w.Method == "POST" {
				if i >= 0 {
					t.Fatalf("duplicate %s", rowID)
				}
				p.communications = append(p.communications, communication{id: rowID})
				i = len(p.communications) - 1
			}
			if i < 0 {
				t.Fatalf("no communication %s", rowID)
			}
			if w.Method == "DELETE" {
				p.communications = slices.Delete(p.communications, i, i+1)
				continue
			}
			c := &p.communications[i]
			for k, v := range w.Body {
				switch k {
				case "Number":
					c.number = id(v)
				case "CommunicationTypeId":
					c.typeID = id(v)
				case "Primary":
					c.primary = v.(bool)
				}
			}
			if c.typeID == typeSkype {
				p.skype = c.number
			}
		case "ContactAddress":
			i := slices.IndexFunc(p.addresses, func(c address) bool { return c.id == rowID })
			if w.Method == "POST" {
				if i >= 0 {
					t.Fatalf("duplicate %s", rowID)
				}
				p.addresses = append(p.addresses, address{id: rowID})
				i = len(p.addresses) - 1
			}
			if i < 0 {
				t.Fatalf("no address %s", rowID)
			}
			if w.Method == "DELETE" {
				p.addresses = slices.Delete(p.addresses, i, i+1)
				continue
			}
			a := &p.addresses[i]
			for k, v := range w.Body {
				switch k {
				case "Address":
					a.street = id(v)
				case "Zip":
					a.zip = id(v)
				case "CityId":
					a.city = nameIn(cities, v)
				case "RegionId":
					a.region = nameIn(regions, v)
				case "CountryId":
					a.country = nameIn(countries, v)
				case "AddressTypeId":
					a.typeID = id(v)
				case "Primary":
					a.primary = v.(bool)
				}
			}
		case "ContactAnniversary":
			i := slices.IndexFunc(p.anniversaries, func(c anniversary) bool { return c.id == rowID })
			switch w.Method {
			case "POST":
				p.anniversaries = append(p.anniversaries, anniversary{id: rowID, date: date(w.Body["Date"])})
			case "PATCH":
				p.anniversaries[i].date = date(w.Body["Date"])
			case "DELETE":
				p.anniversaries = slices.Delete(p.anniversaries, i, i+1)
			}
		default:
			t.Fatalf("write to %s", w.Set)
		}
	}
}

func changedFields(a, b record.Fields) []string {
	var out []string
	for _, f := range contact.Schema {
		if !f.Equal(a[f.Name], b[f.Name]) {
			out = append(out, f.Name)
		}
	}
	return out
}

// update plans a change of a person, carries it out and reads it back.
func update(t interface{ Fatalf(string, ...any) }, p *person, after record.Fields) (planned, record.Record) {
	before := p.record()
	n, err := readState(before.AdapterState)
	if err != nil {
		t.Fatalf("read state: %v", err)
	}
	op := record.Operation{
		Action: record.Update, Link: "link", ID: p.id, Before: before.Fields, After: after,
		Changed: changedFields(before.Fields, after),
	}
	planned := planContact(op, n, lists(), nil)
	carryOut(t, p, planned.writes, lists())
	return planned, p.record()
}

func drawFields(t *rapid.T) record.Fields {
	f := record.Fields{}
	pick := func(field string, values ...string) {
		f.SetText(field, rapid.SampledFrom(append(values, "")).Draw(t, field))
	}
	pick(contact.GivenName, "Anna", "Anna Maria", "a@example.com", "Example Ltd", strings.Repeat("ä", 260))
	pick(contact.MiddleName, "B.", "van")
	pick(contact.Surname, "Berg", "de la Cruz", strings.Repeat("long ", 60))
	pick(contact.Salutation, "Dr.", "dr.", "Baron")
	pick(contact.JobTitle, "Manager", "Head of everything", strings.Repeat("x", 300))
	pick(contact.Department, "Sales", "Nowhere")
	pick(contact.Company, "Example Ltd", "example ltd", "Twin", "Unknown Inc")
	pick(contact.Birthday, "1980-02-29", "2001-12-31", "--05-01", "nonsense")
	pick(contact.Skype, "live:anna", "anna.b")
	pick(contact.Notes, "one\ntwo", "a < b & c > d", "<b>bold</b>", "  indented\n\n\tmore  ", "1 <br> 2")
	emails := []record.Entry{{Text: "a@example.com"}, {Text: "A@Example.com"}, {Text: "b@example.com", Kind: "work"}, {Text: " c@example.com "}}
	phones := []record.Entry{
		{Kind: "work", Text: "+12025550101"},
		{Kind: "home", Text: "+1 202 555 0101"},
		{Kind: "mobile", Text: "+442079460123"},
		{Kind: "fax", Text: "+49 30 23125 111"},
		{Kind: "extension", Text: "12"},
		{Kind: "email", Text: "+33199001122"},
		{Kind: "work", Text: "+12025550102"},
	}
	websites := []record.Entry{
		{Text: "https://a.example.com"}, {Text: "A.example.com/"}, {Text: "b.example.com", Kind: "work"}, {Text: "c.example.com/" + strings.Repeat("x", 300)},
	}
	addresses := []record.Entry{
		{Kind: "home", Parts: map[string]string{"street": "Hauptstr. 1", "city": "Berlin", "region": "Berlin", "zip": "10115", "country": "Germany"}},
		{Kind: "work", Parts: map[string]string{"street": "Hauptstr. 1", "city": "berlin", "country": "germany"}},
		{Kind: "legal", Parts: map[string]string{"street": "1 Rue", "city": "Paris"}},
		{Kind: "villa", Parts: map[string]string{"street": "1 Rue", "city": "Paris", "country": "France"}},
		{Kind: "shipping", Parts: map[string]string{"city": "Atlantis", "country": "Nowhere", "zip": strings.Repeat("9", 60)}},
		{Kind: "other", Parts: map[string]string{"street": strings.Repeat("s", 600)}},
	}
	some := func(label string, from []record.Entry) []record.Entry {
		var out []record.Entry
		for i := range from {
			if rapid.Bool().Draw(t, fmt.Sprint(label, i)) {
				out = append(out, from[i])
			}
		}
		return out
	}
	f[contact.Emails] = some("email", emails)
	f[contact.Phones] = some("phone", phones)
	f[contact.Addresses] = some("address", addresses)
	f[contact.Websites] = some("website", websites)
	return contact.Schema.Clean(f)
}

func drawPerson(t *rapid.T) *person {
	text := func(label string, values ...string) string {
		return rapid.SampledFrom(append(values, "")).Draw(t, label)
	}
	p := &person{
		id: "p", name: "Whole Name", given: text("given", "Otto", "+12025550101"), middle: text("middle", "M"), surname: text("surname", "Old"),
		salutation: text("sal", "Mr."), department: text("dep", "IT"), account: text("acc", "Old Ltd", "Otto"), job: text("job", "Manager"),
		jobTitle: text("title", "Manager", "CEO"), notes: text("notes", "plain", "<p>rich &amp; <b>bold</b></p><p>x</p>"), skype: text("skype", "old.skype"),
	}
	if rapid.Bool().Draw(t, "born") {
		p.birth = time.Date(1969, 12, 30, 22, 0, 0, 0, time.UTC)
		if rapid.Bool().Draw(t, "row") {
			p.anniversaries = []anniversary{{id: "ann", date: p.birth}, {id: "ann2", date: p.birth}}[:rapid.IntRange(1, 2).Draw(t, "rows")]
		}
	}
	types := []string{creatio.TypeEmail, typeSkype, phoneWork, phoneHome, phoneMobile, phoneOther, phoneExtension, typeWeb, "2b387201-67cc-df11-9b2a-001d60e938c6"}
	numbers := []string{"+12025550101", "+1 (202) 555-0101", "a@example.com", "b@example.com", "12", "x.y", "HTTPS://b.example.com/"}
	for i := range rapid.IntRange(0, 5).Draw(t, "comms") {
		p.communications = append(p.communications, communication{
			id: fmt.Sprint("comm", i), typeID: rapid.SampledFrom(types).Draw(t, "type"),
			number: rapid.SampledFrom(numbers).Draw(t, "number"), primary: rapid.Bool().Draw(t, "primary"),
		})
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "addrs") {
		p.addresses = append(p.addresses, address{
			id: fmt.Sprint("addr", i), typeID: rapid.SampledFrom([]string{addressHome, addressLegal, addressBusiness, "", "custom"}).Draw(t, "atype"),
			street: text("street", "Hauptstr. 1", "Elsewhere"), city: text("city", "Berlin", "Paris"), country: text("country", "Germany", "France"), zip: text("zip", "10115"),
		})
	}
	return p
}

// A write that shows what was promised is what keeps the two sides from answering each other for ever.
func TestPlan_what_is_promised_is_what_is_read_back(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawPerson(t)
		after := drawFields(t)
		planned, got := update(t, p, after)
		checkPromise(t, planned, got, after)

		again, _ := update(t, p, got.Fields)
		if len(again.writes) > 0 {
			t.Fatalf("writing what is there already writes again: %+v", again.writes)
		}
	})
}

func TestPlan_creation_shows_what_was_promised(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		after := drawFields(t)
		op := record.Operation{Action: record.Create, Link: "l", ID: "new", Before: record.Fields{}, After: after, Changed: changedFields(nil, after), Join: true}
		planned := planContact(op, state{}, lists(), nil)
		p := &person{}
		carryOut(t, p, planned.writes, lists())
		checkPromise(t, planned, p.record(), after)
	})
}

func checkPromise(t *rapid.T, planned planned, got record.Record, after record.Fields) {
	if !contact.Schema.Equal(planned.fields, got.Fields) {
		t.Fatalf("promised and read differ (-promised +read):\n%s\nwrites: %+v", cmp.Diff(planned.fields, got.Fields), planned.writes)
	}
	read, err := readState(got.AdapterState)
	if err != nil {
		t.Fatalf("state: %v", err)
	}
	sorted := func(n state) state {
		by := func(a, b row) int { return strings.Compare(a.ID, b.ID) }
		n.Communications, n.Addresses = slices.Clone(n.Communications), slices.Clone(n.Addresses)
		slices.SortFunc(n.Communications, by)
		slices.SortFunc(n.Addresses, by)
		return n
	}
	if diff := cmp.Diff(sorted(planned.state), sorted(read)); diff != "" {
		t.Fatalf("kept and read row ids differ (-kept +read):\n%s", diff)
	}
	for _, f := range contact.Schema {
		for _, e := range after[f.Name] {
			same := slices.ContainsFunc(got.Fields[f.Name], func(o record.Entry) bool { return f.Same(o, e) })
			told := slices.ContainsFunc(planned.projections, func(s record.Projection) bool { return s.Field == f.Name && f.Same(s.Canonical, e) })
			if !same && !told {
				t.Fatalf("%s: %+v is neither there nor told of; there is %+v", f.Name, e, got.Fields[f.Name])
			}
		}
	}
}
