package contacts

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/odata"
	"github.com/tandem-sync/tandem/shared/record"
)

func fields(pairs ...string) record.Fields {
	f := record.Fields{}
	for i := 0; i < len(pairs); i += 2 {
		f.SetText(pairs[i], pairs[i+1])
	}
	return f
}

func with(f record.Fields, field string, entries ...record.Entry) record.Fields {
	f = f.Clone()
	f[field] = entries
	return f
}

func phone(kind, number string) record.Entry { return record.Entry{Kind: kind, Text: number} }

func sets(writes []creatio.Write) string {
	var out []string
	for _, w := range writes {
		out = append(out, w.Method+" "+w.Set)
	}
	return strings.Join(out, ", ")
}

func TestPlan_writes_only_what_changed(t *testing.T) {
	t.Parallel()
	base := func() *person {
		return &person{
			id: "p", name: "Otto Old", given: "Otto", surname: "Old", jobTitle: "CEO", account: "Old Ltd", job: "Boss",
			communications: []communication{
				{id: "w", typeID: phoneWork, number: "+12025550101", primary: true},
				{id: "f", typeID: "9a7ab41b-67cc-df11-9b2a-001d60e938c6", number: "+12025550199"},
				{id: "e", typeID: creatio.TypeEmail, number: "otto@example.com", primary: true},
				{id: "u", typeID: typeWeb, number: "otto.example.com", primary: true},
				{id: "v", typeID: typeWeb, number: "old.example.com"},
			},
			addresses: []address{{id: "a", typeID: addressLegal, street: "Hauptstr. 1", city: "Berlin", country: "Germany", zip: "10115"}},
		}
	}
	for name, tc := range map[string]struct {
		edit   func(record.Fields) record.Fields
		writes string
		check  func(t *testing.T, p *person, planned planned)
	}{
		"nothing": {edit: func(f record.Fields) record.Fields { return f }},
		"one part of the name": {
			edit:   func(f record.Fields) record.Fields { f.SetText(contact.Surname, "New"); return f },
			writes: "PATCH Contact",
			check: func(t *testing.T, _ *person, planned planned) {
				if body := planned.writes[0].Body; len(body) != 1 || body["Surname"] != "New" {
					t.Errorf("got %v", body)
				}
			},
		},
		"another number of the same kind keeps its row": {
			edit:   func(f record.Fields) record.Fields { return with(f, contact.Phones, phone("work", "+12025550102")) },
			writes: "PATCH ContactCommunication",
			check: func(t *testing.T, p *person, _ planned) {
				if c := p.communications[0]; c.id != "w" || c.number != "+12025550102" || !c.primary {
					t.Errorf("got %+v", c)
				}
			},
		},
		"the same number as another kind": {
			edit:   func(f record.Fields) record.Fields { return with(f, contact.Phones, phone("home", "+12025550101")) },
			writes: "PATCH ContactCommunication",
		},
		"a second number": {
			edit: func(f record.Fields) record.Fields {
				return with(f, contact.Phones, phone("work", "+12025550101"), phone("work", "+12025550103"), phone("mobile", "+12025550104"))
			},
			writes: "POST ContactCommunication, POST ContactCommunication",
			check: func(t *testing.T, p *person, _ planned) {
				if p.communications[5].primary || !p.communications[6].primary {
					t.Errorf("the first of its kind is not the primary one, or another is: %+v", p.communications[5:])
				}
			},
		},
		"no number leaves the fax alone": {
			edit:   func(f record.Fields) record.Fields { return with(f, contact.Phones) },
			writes: "DELETE ContactCommunication",
			check: func(t *testing.T, p *person, _ planned) {
				if len(p.communications) != 4 || p.communications[0].id != "f" {
					t.Errorf("got %+v", p.communications)
				}
			},
		},
		"one part of an address": {
			edit: func(f record.Fields) record.Fields {
				return with(f, contact.Addresses, record.Entry{Kind: "legal", Parts: map[string]string{"street": "Hauptstr. 2", "city": "Berlin", "country": "Germany", "zip": "10115"}})
			},
			writes: "PATCH ContactAddress",
			check: func(t *testing.T, _ *person, planned planned) {
				if body := planned.writes[0].Body; len(body) != 1 || body["Address"] != "Hauptstr. 2" {
					t.Errorf("got %v", body)
				}
			},
		},
		"an unknown country stays in the text": {
			edit: func(f record.Fields) record.Fields {
				return with(f, contact.Addresses, record.Entry{Kind: "legal", Parts: map[string]string{"street": "Hauptstr. 1", "city": "Berlin", "country": "Ruritania", "zip": "10115"}})
			},
			writes: "PATCH ContactAddress",
			check: func(t *testing.T, p *person, planned planned) {
				if a := p.addresses[0]; a.street != "Hauptstr. 1, Berlin, Ruritania" || a.city != "" || a.country != "" || a.zip != "10115" {
					t.Errorf("got %+v", a)
				}
				if len(planned.projections) != 1 || planned.projections[0].Canonical.Parts["country"] != "Ruritania" {
					t.Errorf("not told: %+v", planned.projections)
				}
			},
		},
		"a web address in another spelling keeps its row, and the others theirs": {
			edit: func(f record.Fields) record.Fields {
				return with(f, contact.Websites, record.Entry{Text: "https://Otto.example.com/"}, record.Entry{Text: "old.example.com"})
			},
			writes: "PATCH ContactCommunication",
			check: func(t *testing.T, p *person, _ planned) {
				if c := p.communications[3]; c.id != "u" || c.number != "https://Otto.example.com/" || c.typeID != typeWeb {
					t.Errorf("got %+v", c)
				}
			},
		},
		"a web address that is too long": {
			edit: func(f record.Fields) record.Fields {
				return with(f, contact.Websites, append(f[contact.Websites], record.Entry{Text: "x.example.com/" + strings.Repeat("x", maxText)})...)
			},
			check: func(t *testing.T, _ *person, planned planned) {
				if len(planned.notes) != 1 || planned.notes[0].Code != "too-long" || len(planned.projections) != 1 || !planned.projections[0].Displayed.IsZero() {
					t.Errorf("got %+v, %+v", planned.notes, planned.projections)
				}
			},
		},
		"an account that is not there": {
			edit: func(f record.Fields) record.Fields { f.SetText(contact.Company, "Unknown Inc"); return f },
			check: func(t *testing.T, p *person, planned planned) {
				if p.account != "Old Ltd" || len(planned.notes) != 1 || planned.notes[0].Code != "no-account" {
					t.Errorf("got %q, %+v", p.account, planned.notes)
				}
			},
		},
		"an account of which there are two": {
			edit: func(f record.Fields) record.Fields { f.SetText(contact.Company, "Twin"); return f },
			check: func(t *testing.T, _ *person, planned planned) {
				if len(planned.notes) != 1 || planned.notes[0].Code != "several-accounts" {
					t.Errorf("got %+v", planned.notes)
				}
			},
		},
		"an account in another case": {
			edit:   func(f record.Fields) record.Fields { f.SetText(contact.Company, "EXAMPLE LTD"); return f },
			writes: "PATCH Contact",
			check: func(t *testing.T, p *person, _ planned) {
				if p.account != "Example Ltd" {
					t.Errorf("got %q", p.account)
				}
			},
		},
		"no job title shows the job, which stays": {
			edit:   func(f record.Fields) record.Fields { f.SetText(contact.JobTitle, ""); return f },
			writes: "PATCH Contact",
			check: func(t *testing.T, p *person, planned planned) {
				if p.job != "Boss" || planned.fields.Text(contact.JobTitle) != "Boss" {
					t.Errorf("got job %q, promised %q", p.job, planned.fields.Text(contact.JobTitle))
				}
			},
		},
		"a birthday": {
			edit:   func(f record.Fields) record.Fields { f.SetText(contact.Birthday, "1980-02-29"); return f },
			writes: "POST ContactAnniversary, PATCH Contact",
		},
		"a birthday without a year": {
			edit: func(f record.Fields) record.Fields { f.SetText(contact.Birthday, "--02-29"); return f },
			check: func(t *testing.T, _ *person, planned planned) {
				if len(planned.projections) != 1 || !planned.projections[0].Displayed.IsZero() || len(planned.notes) != 1 {
					t.Errorf("got %+v, %+v", planned.projections, planned.notes)
				}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := base()
			planned, _ := update(t, p, tc.edit(p.record().Fields.Clone()))
			if got := sets(planned.writes); got != tc.writes {
				t.Errorf("got writes %q, want %q", got, tc.writes)
			}
			if tc.check != nil {
				tc.check(t, p, planned)
			}
		})
	}
}

func TestPlan_details_of_a_new_contact_come_after_it_and_before_its_columns(t *testing.T) {
	t.Parallel()
	after := with(fields(contact.GivenName, "Anna", contact.Surname, "Berg", contact.Birthday, "1980-01-02"), contact.Emails, record.Entry{Text: "anna@example.com"})
	planned := planContact(record.Operation{Action: record.Create, ID: "new", After: after, Changed: changedFields(nil, after)}, state{}, lists(), nil)
	if got, want := sets(planned.writes), "POST Contact, POST ContactAnniversary, POST ContactCommunication, PATCH Contact"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, column := range []string{"OwnerId", "TypeId"} {
		for _, w := range planned.writes {
			if _, named := w.Body[column]; named && w.Set == "Contact" {
				t.Errorf("%s is set", column)
			}
		}
	}
}

func TestPlan_a_contact_without_a_name_is_called_by_what_it_has(t *testing.T) {
	t.Parallel()
	after := with(record.Fields{}, contact.Emails, record.Entry{Text: "info@example.com"})
	planned := planContact(record.Operation{Action: record.Create, ID: "new", After: after, Changed: []string{contact.Emails}}, state{}, lists(), nil)
	p := &person{}
	carryOut(t, p, planned.writes, lists())
	if p.given != "info@example.com" {
		t.Errorf("the site got the name %q", p.given)
	}
	read, standIn := p.record(), fields(contact.GivenName, "info@example.com")
	if len(planned.projections) != 1 || !planned.projections[0].Canonical.IsZero() || planned.projections[0].Displayed.Text != "info@example.com" {
		t.Errorf("it is not told that the name stands in: %+v", planned.projections)
	}
	kept, err := readState(read.AdapterState)
	if err != nil {
		t.Fatal(err)
	}
	// Another address: the stand-in follows. A person's own name does not.
	for _, tc := range []struct {
		standIns record.Fields
		want     string
	}{{standIn, "office@example.com"}, {nil, "info@example.com"}} {
		after := with(read.Fields, contact.Emails, record.Entry{Text: "office@example.com"})
		next := planContact(record.Operation{
			Action: record.Update, ID: "new", Before: read.Fields, After: after, Changed: []string{contact.Emails}, StandIns: tc.standIns,
		}, kept, lists(), nil)
		if got := next.fields.Text(contact.GivenName); got != tc.want {
			t.Errorf("got name %q, want %q, writes %+v", got, tc.want, next.writes)
		}
	}
}

// A company that Creatio has no account of names its contact, for as long as the company has the name.
func TestPlan_a_company_without_a_name_is_called_by_its_name(t *testing.T) {
	t.Parallel()
	numbers := with(record.Fields{}, contact.Phones, phone("work", "+1 202 555 0143"))
	before := with(fields(contact.GivenName, "Harbor Office"), contact.Phones, phone("work", "+1 202 555 0143"))
	for name, tc := range map[string]struct {
		after   record.Fields
		changed string
		want    string
	}{
		"the company is renamed":     {with(before, contact.Company, record.Entry{Text: "Harbour Bureau"}), contact.Company, "Harbour Bureau"},
		"the company is taken away":  {before, contact.Company, "+1 202 555 0143"},
		"something else is changed":  {with(before, contact.Phones, phone("work", "+1 202 555 0199")), contact.Phones, "Harbor Office"},
		"it gets a name":             {with(numbers, contact.Surname, record.Entry{Text: "Lee"}), contact.GivenName, ""},
		"another value is added too": {with(before, contact.Emails, record.Entry{Text: "info@example.com"}), contact.Emails, "Harbor Office"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := planContact(record.Operation{
				Action: record.Update, ID: "p", Before: before, After: tc.after, Changed: []string{tc.changed}, StandIns: fields(contact.GivenName, "Harbor Office"),
			}, state{}, creatio.Names{}, nil)
			if got := p.fields.Text(contact.GivenName); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// Versions before hid a name that stands in. What they kept of a contact is read as they did.
func TestRemember_a_name_that_an_earlier_version_hid(t *testing.T) {
	t.Parallel()
	known := record.Record{AdapterState: state{Stand: "info@example.com"}.encode()}
	read := func(given, surname string) record.Record {
		p := &person{id: "p", given: given, surname: surname}
		return p.record()
	}
	var side *Side
	if got := side.Remember(known, read("", "info@example.com")); len(got.Fields) > 0 || !bytes.Equal(got.AdapterState, known.AdapterState) {
		t.Errorf("it shows: %+v %s", got.Fields, got.AdapterState)
	}
	for _, r := range []record.Record{side.Remember(known, read("Iris", "")), side.Remember(record.Record{}, read("info@example.com", ""))} {
		if len(r.Fields) == 0 {
			t.Errorf("a name is hidden: %+v", r)
		}
	}
}

func TestWhat_is_not_carried_is_told(t *testing.T) {
	t.Parallel()
	p := person{id: "p", communications: []communication{
		{id: "1", typeID: phoneWork, number: "+1 202 555 0101"},
		{id: "2", typeID: "6a3fb10c-67cc-df11-9b2a-001d60e938c6", number: " +1 202 555 0102 "},
		{id: "3", typeID: networks[1], number: "anna@example.com"},
		{id: "4", typeID: "the site's own", number: "berg@example.com"},
		{id: "5", typeID: "the site's own", number: " "},
	}}
	entry := func(text string) record.Entry { return record.Entry{Text: text} }
	want := record.Fields{
		contact.Phones:   {entry("+1 202 555 0102"), entry("berg@example.com")},
		contact.Emails:   {entry("+1 202 555 0102"), entry("berg@example.com")},
		contact.Websites: {entry("+1 202 555 0102"), entry("anna@example.com"), entry("berg@example.com")},
	}
	if diff := cmp.Diff(want, p.record().Untracked); diff != "" {
		t.Error(diff)
	}
}

func TestPair_a_hidden_repetition_goes_with_its_value(t *testing.T) {
	t.Parallel()
	f, _ := contact.Schema.Field(contact.Phones)
	rows := []row{{ID: "1", Kind: "work", Text: "+12025550101"}, {ID: "2", Kind: "home", Text: "+1 202 555 0101"}}
	gone := pair(f, rows, nil)
	if len(gone.remove) != 2 {
		t.Errorf("the value would come back: %+v", gone)
	}
	kept := pair(f, rows, []wanted{{displayed: phone("work", "+12025550101")}})
	if len(kept.keep) != 2 || len(kept.remove) > 0 {
		t.Errorf("rows that nobody asked about go: %+v", kept)
	}
}

func TestNumbersOf_find_a_number_by_its_end(t *testing.T) {
	t.Parallel()
	like := []record.Record{{Fields: record.Fields{contact.Phones: {phone("work", "+44 20 7946 0123"), phone("home", "+44 20 7946 0123"), phone("other", "front desk")}}}}
	got := numbersOf(like)
	if len(got) != 2 || len(got[0]) > conditionsPerNumber {
		t.Fatalf("got %v", got)
	}
	if want := "startswith(SearchNumber,'321064970')"; got[0][len(got[0])-1].String() != want {
		t.Errorf("got %q, want %q", got[0][len(got[0])-1], want)
	}
	danish := numbersOf([]record.Record{{Fields: record.Fields{contact.Phones: {phone("work", "+45 32 12 34 56")}}}})[0]
	if want := "startswith(SearchNumber,'65432123')"; !slices.ContainsFunc(danish, func(f odata.Filter) bool { return f.String() == want }) || len(danish) > conditionsPerNumber {
		t.Errorf("a number of eight digits is asked for by %v, want %q", danish, want)
	}
	extended := numbersOf([]record.Record{{Fields: record.Fields{contact.Phones: {phone("work", "+44 20 7946 0123 ext. 45")}}}})[0]
	var said []string
	for _, f := range extended {
		said = append(said, f.String())
	}
	for _, want := range []string{"startswith(SearchNumber,'321064970')", "startswith(SearchNumber,'54321064970')"} {
		if !slices.Contains(said, want) || len(said) > conditionsPerNumber {
			t.Errorf("with its extension it is asked for by %q, want %q", said, want)
		}
	}
}

func TestPlan_leaves_an_address_out_that_does_not_fit_and_says_so(t *testing.T) {
	t.Parallel()
	long := record.Entry{Text: strings.Repeat("e", 250) + "@example.com"}
	p := planContact(record.Operation{
		Action: record.Create, ID: "p", Before: record.Fields{}, Changed: []string{contact.GivenName, contact.Emails},
		After: with(fields(contact.GivenName, "Ada"), contact.Emails, long, record.Entry{Text: "ada@example.com"}),
	}, state{}, creatio.Names{}, nil)
	if got := p.fields[contact.Emails]; len(got) != 1 || got[0].Text != "ada@example.com" {
		t.Errorf("got %+v", got)
	}
	if len(p.projections) != 1 || !p.projections[0].Canonical.Equal(long) || !p.projections[0].Displayed.IsZero() {
		t.Errorf("shows %+v", p.projections)
	}
	if len(p.notes) != 1 || p.notes[0].Code != "too-long" || !strings.Contains(p.notes[0].Message, "E-mail") {
		t.Errorf("tells %+v", p.notes)
	}
}

func TestPlan_tells_that_a_company_stands_in_for_a_name(t *testing.T) {
	t.Parallel()
	p := planContact(record.Operation{
		Action: record.Create, ID: "p", Before: record.Fields{}, Changed: []string{contact.Company}, After: fields(contact.Company, "Harbor Office"),
	}, state{}, creatio.Names{}, nil)
	want := record.Projection{Field: contact.GivenName, Displayed: record.Entry{Text: "Harbor Office"}}
	for _, s := range p.projections {
		if s.Field == want.Field && s.Canonical.IsZero() && s.Displayed.Equal(want.Displayed) {
			return
		}
	}
	t.Errorf("the name is %v and shows %+v", p.fields[contact.GivenName], p.projections)
}
