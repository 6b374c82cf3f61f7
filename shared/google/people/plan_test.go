package people

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/oauth2"
	"google.golang.org/api/people/v1"
	"pgregory.net/rapid"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/google"
	"github.com/tandem-sync/tandem/shared/record"
	box "github.com/tandem-sync/tandem/shared/sandbox/google"
)

// account is a simulated account with the contacts in its group.
type account struct {
	*box.Account
	side *Side
}

func newAccount(t *testing.T) *account {
	t.Helper()
	const ada, secret, callback = "ada@example.com", "not a secret", "https://tandem.example.com/oauth-callback"
	b := box.New(box.Options{})
	b.AddClient("client", secret, callback)
	b.AddUser(box.User{Email: ada, Name: "Ada", EmailVerified: true})
	b.AutoConsent(ada)
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	plain := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, plain)
	c := &oauth2.Config{
		ClientID: "client", ClientSecret: secret, RedirectURL: callback, Scopes: []string{"openid", "email", "https://www.googleapis.com/auth/contacts"},
		Endpoint: oauth2.Endpoint{AuthURL: server.URL + "/o/oauth2/v2/auth", TokenURL: server.URL + "/token", AuthStyle: oauth2.AuthStyleInParams},
	}
	resp, err := plain.Get(c.AuthCodeURL("state"))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	back, err := url.Parse(resp.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	token, err := c.Exchange(ctx, back.Query().Get("code"))
	if err != nil {
		t.Fatal(err)
	}
	side := open(t, google.Options{HTTP: oauth2.NewClient(t.Context(), oauth2.StaticTokenSource(token)), Endpoint: server.URL}, Options{})
	if _, err := side.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &account{Account: b.Account(ada), side: side}
}

// awkwardFields draws a content of which Google cannot hold everything as it is.
func awkwardFields(t *rapid.T) record.Fields {
	f := anyFields(t)
	long := strings.Repeat("long 🚤 ", 200)
	for _, name := range []string{contact.GivenName, contact.JobTitle, contact.Company, contact.Skype} {
		if rapid.IntRange(0, 4).Draw(t, name+" too long") == 0 {
			f.SetText(name, long)
		}
	}
	if rapid.IntRange(0, 9).Draw(t, "notes too long") == 0 {
		f.SetText(contact.Notes, strings.Repeat("a note ", maxNotes/5))
	}
	if rapid.IntRange(0, 4).Draw(t, "no birthday") == 0 {
		f.SetText(contact.Birthday, rapid.SampledFrom([]string{"nonsense", "1980-02-30"}).Draw(t, "nonsense"))
	}
	some := func(field string, entries ...record.Entry) {
		for i, e := range entries {
			if rapid.IntRange(0, 2).Draw(t, fmt.Sprint(field, i)) == 0 {
				f[field] = append(f[field], e)
			}
		}
	}
	some(contact.Emails, record.Entry{Text: "P0.1@Example.com"}, record.Entry{Kind: "work", Text: " spaced@example.com "})
	some(contact.Phones, record.Entry{Kind: "fax", Text: "+1 202 555 0101"}, record.Entry{Kind: contact.KindOther, Text: "(202) 555-0101"},
		record.Entry{Kind: contact.KindExtension, Text: "12"}, record.Entry{Kind: contact.KindWork, Text: strings.Repeat("1", maxText+5)})
	some(contact.Websites, record.Entry{Text: "W0.example.com/1/"}, record.Entry{Text: "https://long.example.com/" + strings.Repeat("x", maxText)})
	street := func(kind, text string) record.Entry {
		return record.Entry{Kind: kind, Parts: map[string]string{contact.Street: text}}
	}
	some(contact.Addresses, street("villa", "1 Main St"), street(contact.KindOther, "1 Main St"), street(contact.KindHome, long),
		record.Entry{Kind: contact.KindWork, Text: "written in one piece"})
	return contact.Schema.Clean(f)
}

// awkwardPerson draws a contact that people and other programs have had their hands on.
func awkwardPerson(t *rapid.T) *people.Person {
	p := people.Person{}
	yes := func(label string) bool { return rapid.Bool().Draw(t, label) }
	if yes("foreign") {
		p = foreign()
	}
	switch rapid.IntRange(0, 2).Draw(t, "name") {
	case 0:
		p.Names = []*people.Name{{UnstructuredName: "Ada King of Lovelace"}}
	case 1:
		p.Names = []*people.Name{{GivenName: "Ada", FamilyName: "Lovelace", HonorificSuffix: "Jr."}}
	}
	first := &people.FieldMetadata{SourcePrimary: true}
	if yes("numbers") {
		p.PhoneNumbers = append(p.PhoneNumbers, &people.PhoneNumber{Type: "home", Value: "+1 202 555 0101"}, &people.PhoneNumber{Type: "work", Value: "(202) 555-0101"},
			&people.PhoneNumber{Type: "work", Value: "+1 202 555 0101"})
		if yes("one first") {
			p.PhoneNumbers[len(p.PhoneNumbers)-1].Metadata = first
		}
	}
	if yes("addresses") {
		p.EmailAddresses = []*people.EmailAddress{{Value: "P0.1@example.com", Type: "work"}, {Value: "p0.1@EXAMPLE.com", DisplayName: "Ada"}}
		p.Addresses = append(p.Addresses, &people.Address{Type: "home", StreetAddress: "1 Main St", ExtendedAddress: "Flat 2", City: "Berlin"},
			&people.Address{Type: "home", FormattedValue: "1 Main St, Flat 2\nBerlin"})
	}
	if yes("employers") {
		p.Organizations = append(p.Organizations, &people.Organization{Name: "First Ltd", Title: "Clerk"}, &people.Organization{Name: "Second Ltd", Current: true, Department: "IT"})
	}
	if yes("messengers") {
		p.ImClients = append(p.ImClients, &people.ImClient{Protocol: "skype", Username: "ada.b"}, &people.ImClient{Protocol: "Skype", Username: "ada.a"})
	}
	if yes("pages") {
		p.Urls = []*people.Url{{Value: "https://w0.example.com/1", Type: "blog"}, {Value: "w0.example.com/1"}}
	}
	if yes("born") {
		p.Birthdays = []*people.Birthday{{Date: &people.Date{Month: 2, Day: 29}}}
		p.Biographies = []*people.Biography{{Value: "one\ntwo"}}
	}
	return &p
}

// carryOut plans an operation, applies it, and reads the contact again.
func (a *account) carryOut(t *rapid.T, op record.Operation) (record.Plan, record.Result, record.Record) {
	plans, err := a.side.Plan(t.Context(), []record.Operation{op})
	if err != nil || plans[0].Err != nil {
		t.Fatalf("plan: %v, %v", err, plans[0].Err)
	}
	results, err := a.side.Apply(t.Context(), plans)
	if err != nil || results[0].Err != nil {
		t.Fatalf("apply: %v, %v", err, results[0].Err)
	}
	read, err := a.side.Fetch(t.Context(), []string{results[0].Record.ID})
	if err != nil || len(read) != 1 || read[0].Gone {
		t.Fatalf("fetch: %+v, %v", read, err)
	}
	return plans[0], results[0], read[0]
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

func TestProperty_what_a_plan_says_is_what_Google_shows(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	rapid.Check(t, func(t *rapid.T) {
		var now record.Record
		if rapid.Bool().Draw(t, "known") {
			name := a.Add(awkwardPerson(t))
			read, err := a.side.Fetch(t.Context(), []string{name})
			if err != nil {
				t.Fatal(err)
			}
			now = read[0]
		} else {
			op := change(record.Record{}, awkwardFields(t))
			op.Action, op.Before, op.Join = record.Create, record.Fields{}, true
			_, _, now = a.checked(t, op)
		}
		for range 2 {
			op := change(now, some(t, now.Fields, awkwardFields(t)))
			op.Join = rapid.Bool().Draw(t, "join")
			_, _, now = a.checked(t, op)
		}
	})
}

// checked carries an operation out, whose plan has to be what shows.
func (a *account) checked(t *rapid.T, op record.Operation) (record.Plan, record.Result, record.Record) {
	plan, result, read := a.carryOut(t, op)
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
	return plan, result, read
}

// Of two entries that say the same, the one that comes first shows. Where the first of all goes, another one takes its place.
func TestWhere_the_first_number_goes_the_plan_says_which_one_shows_then(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	rapid.Check(t, func(t *rapid.T) {
		numbers := []*people.PhoneNumber{
			{Type: "home", Value: "+1 202 555 0100", Metadata: &people.FieldMetadata{SourcePrimary: true}},
			{Type: "work", Value: "+1 202 555 0101"},
			{Type: "home", Value: "+1 202 555 0101"},
		}
		read, err := a.side.Fetch(t.Context(), []string{a.Add(&people.Person{PhoneNumbers: rapid.Permutation(numbers).Draw(t, "numbers")})})
		if err != nil {
			t.Fatal(err)
		}
		after := read[0].Fields.Clone()
		after[contact.Phones] = slices.DeleteFunc(after[contact.Phones], func(e record.Entry) bool { return strings.HasSuffix(e.Text, "0100") })
		a.checked(t, change(read[0], after))
	})
}

func TestA_suffix_that_Google_has_beside_the_name_is_not_written_into_it(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ given, middle, surname, wantMiddle, wantFamily string }{
		"split by a site":          {"John", "Reed", "Jr.", "", "Reed"},
		"at the end of the name":   {"John", "", "Reed Jr", "", "Reed"},
		"a middle name before it":  {"John", "Adam Reed", "JR", "Adam", "Reed"},
		"no suffix":                {"John", "Adam", "Reed", "Adam", "Reed"},
		"a surname that reads so":  {"John", "", "Jr.", "", "Jr."},
		"another suffix than that": {"John", "Reed", "Sr.", "Reed", "Sr."},
	} {
		have := state{Etag: "1", Person: &people.Person{Names: []*people.Name{{GivenName: "Jon", HonorificSuffix: "Jr."}}}}
		after := record.Fields{contact.GivenName: {{Text: c.given}}, contact.Surname: {{Text: c.surname}}}
		after.SetText(contact.MiddleName, c.middle)
		plan := planPerson(record.Operation{
			Action: record.Update, ID: "people/c1", Before: record.Fields{contact.GivenName: {{Text: "Jon"}}}, After: after,
			Changed: []string{contact.GivenName, contact.MiddleName, contact.Surname},
		}, have)
		if got := plan.person.Names[0]; got.MiddleName != c.wantMiddle || got.FamilyName != c.wantFamily || got.HonorificSuffix != "Jr." {
			t.Errorf("%s: Google gets %q %q %q %q", name, got.GivenName, got.MiddleName, got.FamilyName, got.HonorificSuffix)
		}
	}
}
