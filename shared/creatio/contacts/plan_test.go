package contacts

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/record"
	box "github.com/tandem-sync/tandem/shared/sandbox/creatio"
)

// listed fills the site's lists, and gives the ids of rows by name.
func (s *site) listed() map[string]string {
	s.t.Helper()
	ids := map[string]string{}
	add := func(set, name string, values map[string]any) {
		s.t.Helper()
		row := map[string]any{"Name": name}
		for column, of := range values {
			row[column] = of
		}
		id, err := s.box.System().Insert(set, row)
		s.must(err)
		ids[set+" "+name] = id
	}
	add(accounts, "Example Ltd", nil)
	add(accounts, "Old Ltd", nil)
	add(accounts, "Twin", nil)
	add(accounts, "twin", nil)
	add(salutations, "Dr.", nil)
	add(departments, "Sales", nil)
	add(jobs, "Manager", nil)
	add(countries, "Germany", nil)
	add(countries, "France", nil)
	add(countries, "United States", nil)
	add(regions, "Berlin", map[string]any{"CountryId": ids["Country Germany"]})
	add(cities, "Berlin", map[string]any{"CountryId": ids["Country Germany"], "RegionId": ids["Region Berlin"]})
	add(cities, "Paris", map[string]any{"CountryId": ids["Country France"]})
	add(cities, "Lyon", map[string]any{"CountryId": ids["Country France"]})
	return ids
}

// awkwardContact makes a contact that people and other programs have had their hands on.
func (s *site) awkwardContact(t *rapid.T, ids map[string]string) string {
	pick := func(label string, values ...string) string {
		return rapid.SampledFrom(append(values, "")).Draw(t, label)
	}
	values := map[string]any{"Name": "Whole Name"}
	switch rapid.IntRange(0, 2).Draw(t, "name") {
	case 0:
		values = map[string]any{"Name": pick("stands in", "Example Ltd", "a@example.com") + " "}
		if values["Name"] == " " {
			values["Name"] = "Otto"
		}
	case 1:
		values = map[string]any{"GivenName": "Otto", "Surname": "Old", "Name": "Otto Old"}
	}
	set := func(column, value string) {
		if value != "" {
			values[column] = value
		}
	}
	set("JobId", ids["Job "+pick("job", "Manager")])
	set("JobTitle", pick("title", "Manager", "CEO"))
	set("AccountId", ids["Account "+pick("account", "Old Ltd", "Example Ltd")])
	set("Notes", pick("notes", "plain", "<p>rich &amp; <b>bold</b></p><p>x</p>"))
	set("Skype", pick("skype", "old.skype"))
	set("BirthDate", pick("born", "1980-02-03T00:00:00Z"))
	id := s.row("Contact", values)
	types := []string{creatio.TypeEmail, typeSkype, phoneWork, phoneHome, phoneMobile, phoneOther, typeWeb, networks[0]}
	numbers := []string{"+12025550101", "+1 (202) 555-0101", "a@example.com", "b@example.com", "12", "HTTPS://b.example.com/"}
	for range rapid.IntRange(0, 5).Draw(t, "communications") {
		s.row("ContactCommunication", map[string]any{
			"ContactId": id, "CommunicationTypeId": rapid.SampledFrom(types).Draw(t, "type"), "Number": rapid.SampledFrom(numbers).Draw(t, "number"),
			"Primary": rapid.Bool().Draw(t, "primary"),
		})
	}
	for range rapid.IntRange(0, 3).Draw(t, "addresses") {
		row := map[string]any{"ContactId": id, "AddressTypeId": rapid.SampledFrom([]string{addressHome, addressLegal, addressBusiness}).Draw(t, "type")}
		for column, value := range map[string]string{
			"Address": pick("street", "Hauptstr. 1", "Elsewhere"), "Zip": pick("zip", "10115"),
			"CityId": ids["City "+pick("city", "Berlin", "Paris")], "CountryId": ids["Country "+pick("country", "Germany", "France")],
		} {
			if value != "" {
				row[column] = value
			}
		}
		s.row("ContactAddress", row)
	}
	for range rapid.IntRange(0, 2).Draw(t, "birthdays") {
		s.row("ContactAnniversary", map[string]any{"ContactId": id, "AnniversaryTypeId": anniversaryBirthday, "Date": "1980-02-03T00:00:00Z"})
	}
	return id
}

// some takes some fields of a content, and the others of another one.
func some(t *rapid.T, now, next record.Fields) record.Fields {
	out := now.Clone()
	for _, f := range contact.Schema {
		if rapid.Bool().Draw(t, "change "+f.Name) {
			out[f.Name] = next[f.Name]
		}
	}
	return contact.Schema.Clean(out)
}

// checked carries an operation out, whose plan has to be what shows, and gives the contact.
func (s *site) checked(t *rapid.T, op record.Operation) record.Record {
	plan := s.plan(op)[0]
	result := s.apply(op)[0]
	if plan.Err != nil || result.Err != nil {
		t.Fatalf("got %v, %v\nchanged %q", plan.Err, result.Err, op.Changed)
	}
	read := s.read(Classic, op.ID)
	for what, fields := range map[string]record.Fields{"plan": plan.Displayed, "result": result.Record.Fields} {
		for _, f := range contact.Schema {
			if !f.Equal(fields[f.Name], read.Fields[f.Name]) {
				t.Fatalf("%s: the %s says %+v, and what shows is %+v\nbefore %+v\nafter %+v", f.Name, what, fields[f.Name], read.Fields[f.Name], op.Before[f.Name], op.After[f.Name])
			}
		}
	}
	if diff := cmp.Diff(plan.Projections, result.Projections, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("planned and written projections differ (-plan +result):\n%s", diff)
	}
	if !slices.Equal(plan.Notes, result.Notes) {
		t.Fatalf("planned the notes %+v, told %+v", plan.Notes, result.Notes)
	}
	// A write that is planned from what the last one left is planned from what is there.
	if diff := cmp.Diff(stateOf(t, read), stateOf(t, result.Record), cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("the state after the write is another one than is read (-read +result):\n%s", diff)
	}
	made := map[string]bool{}
	for field, list := range plan.Rows {
		for _, id := range list {
			if field == tagRow {
				continue
			}
			made[id] = true
		}
	}
	for _, set := range []string{"ContactCommunication", "ContactAddress", "ContactAnniversary"} {
		for _, row := range s.box.As("Ada").Rows(set, map[string]any{"ContactId": op.ID}) {
			delete(made, fmt.Sprint(row["Id"]))
		}
	}
	if len(made) > 0 {
		t.Fatalf("planned rows that are not there: %v", made)
	}
	return read
}

// stateOf is a contact's state but for which of its rows are the first ones, in which sites have their own way.
func stateOf(t *rapid.T, r record.Record) state {
	s, err := readState(r.AdapterState)
	if err != nil {
		t.Fatalf("read state: %v", err)
	}
	for _, rows := range [][]row{s.Communications, s.Addresses} {
		for i := range rows {
			rows[i].Primary = false
		}
	}
	return s.sorted()
}

func TestProperty_what_a_plan_says_is_what_Creatio_shows(t *testing.T) {
	t.Parallel()
	for _, o := range []box.Options{{Version: "8.3.1"}, {Version: "7.18.5", NameOrder: "SGM"}} {
		t.Run(o.Version, func(t *testing.T) {
			t.Parallel()
			s := newSiteOf(t, o)
			ids := s.listed()
			rapid.Check(t, func(t *rapid.T) {
				var now record.Record
				if rapid.Bool().Draw(t, "known") {
					now = s.read(Classic, s.awkwardContact(t, ids))
				} else {
					after := drawFields(t)
					now = s.checked(t, record.Operation{
						Action: record.Create, Link: "l", ID: uuid.NewString(), Before: record.Fields{}, After: after, Changed: changedFields(nil, after), Join: true,
					})
				}
				for range 2 {
					after := some(t, now.Fields, drawFields(t))
					now = s.checked(t, record.Operation{
						Action: record.Update, Link: "l", ID: now.ID, AdapterState: now.AdapterState, Before: now.Fields, After: after,
						Changed: changedFields(now.Fields, after), Join: rapid.Bool().Draw(t, "join"),
					})
				}
			})
			if v := s.box.Violations(); len(v) > 0 {
				t.Errorf("what no client may do: %q", strings.Join(v, "; "))
			}
		})
	}
}

// A site before 8.0 makes every new number the first one of its type. Which of two spellings of a number shows does not hang on that.
func TestWhich_spelling_of_a_number_shows_does_not_change_with_another_number(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"+12025550101", "+1 (202) 555-0101"} {
		t.Run(first, func(t *testing.T) {
			t.Parallel()
			s := newSiteOf(t, box.Options{Version: "7.18.5"})
			id := s.row("Contact", map[string]any{"Name": "Grace Hopper"})
			numbers := map[string]string{"00000000-0000-4000-8000-000000000001": first, "00000000-0000-4000-8000-000000000002": "+1-202-555-0101"}
			for _, row := range slices.Sorted(maps.Keys(numbers)) {
				s.row("ContactCommunication", map[string]any{"Id": row, "ContactId": id, "CommunicationTypeId": phoneWork, "Number": numbers[row]})
			}
			before := s.read(Classic, id)
			shown := before.Fields[contact.Phones]
			s.row("ContactCommunication", map[string]any{"ContactId": id, "CommunicationTypeId": phoneWork, "Number": "+12025550102"})
			after := s.read(Classic, id).Fields[contact.Phones]
			if len(shown) != 1 || len(after) != 2 || !slices.ContainsFunc(after, shown[0].Equal) {
				t.Errorf("it showed %+v, and with another number %+v", shown, after)
			}
		})
	}
}
