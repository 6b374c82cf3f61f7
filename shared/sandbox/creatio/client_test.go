package creatio_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-sync/tandem/shared/contact"
	client "github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/creatio/contacts"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/odata"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/sandbox/creatio"
)

// everySite runs a test against the kinds of sites that there are.
func everySite(t *testing.T, test func(t *testing.T, w *world)) {
	for _, o := range []creatio.Options{
		{Layout: creatio.Framework, Version: "8.3.1"},
		{Layout: creatio.Core, Version: "8.1.0"},
		{Layout: creatio.Framework, Version: "7.18.5", NameOrder: "SGM"},
	} {
		t.Run(o.Version+" "+o.Layout, func(t *testing.T) {
			t.Parallel()
			test(t, newWorld(t, o))
		})
	}
}

func (w *world) site(h *http.Client) *client.Site {
	w.t.Helper()
	site, err := client.Open(w.t.Context(), client.Options{HTTP: h, URL: w.url, Now: w.clock.now})
	if err != nil {
		w.t.Fatal(err)
	}
	return site
}

func TestA_site_tells_who_its_user_is_and_which_tags_are_their_own(t *testing.T) {
	t.Parallel()
	everySite(t, func(t *testing.T, w *world) {
		tag := w.insert("ContactTag", map[string]any{"Name": "phone", "TypeId": private})
		w.insert("ContactTag", map[string]any{"Name": "everybody", "TypeId": public})
		if _, err := w.box.As("bob").Insert("ContactTag", map[string]any{"Name": "bob's"}); err != nil {
			t.Fatal(err)
		}
		site := w.site(w.ann())
		user, err := site.CurrentUser(t.Context())
		want := client.User{ID: user.ID, Login: "ann", ContactID: w.contact, Name: "Ann Abel", Email: "ann@example.com", TimeZone: "Europe/London", Culture: "en-US"}
		if diff := cmp.Diff(want, user); diff != "" || err != nil || user.ID == user.ContactID {
			t.Errorf("user, %v (-want +got):\n%s", err, diff)
		}
		tags, err := contacts.Tags(t.Context(), site, user.ContactID)
		if diff := cmp.Diff([]contacts.Tag{{ID: tag, Name: "phone", Kind: contacts.Classic}}, tags); diff != "" || err != nil {
			t.Errorf("tags, %v (-want +got):\n%s", err, diff)
		}
		if found, err := site.FindUserByEmail(t.Context(), "BOB@example.com"); err != nil || found.Login != "bob" {
			t.Errorf("found %+v, %v", found, err)
		}
		w.box.Deny("ann", "SysAdminUnit", creatio.Read)
		if user, err := site.CurrentUser(t.Context()); err != nil || user.ContactID != w.contact || user.TimeZone != "" {
			t.Errorf("with system tables closed: %+v, %v", user, err)
		}
	})
}

func person(given, surname, mail, number string) record.Fields {
	f := record.Fields{
		contact.Emails: {{Text: mail}}, contact.Phones: {{Kind: contact.KindMobile, Text: number}},
		contact.Addresses: {{Kind: contact.KindHome, Parts: map[string]string{contact.Street: "Main St 1", contact.Country: "Germany", contact.Zip: "10115"}}},
	}
	for name, text := range map[string]string{
		contact.GivenName: given, contact.Surname: surname, contact.Birthday: "1980-05-17", contact.JobTitle: "Pilot", contact.Skype: "skype." + given,
		contact.Notes: "one\ntwo",
	} {
		f.SetText(name, text)
	}
	return f
}

func changedFields(f record.Fields) []string {
	var names []string
	for _, field := range contact.Schema {
		if len(f[field.Name]) > 0 {
			names = append(names, field.Name)
		}
	}
	return names
}

func apply(t *testing.T, c *contacts.Side, op record.Operation) record.Record {
	t.Helper()
	plans, err := c.Plan(t.Context(), []record.Operation{op})
	if err != nil {
		t.Fatalf("plan %s: %v", op.Action, err)
	}
	results, err := c.Apply(t.Context(), plans)
	if err != nil || results[0].Err != nil {
		t.Fatalf("apply %s: %v, %v", op.Action, err, results[0].Err)
	}
	return results[0].Record
}

const newContact = "9a0d4c9e-0000-4000-8000-000000000001"

func TestWhat_the_client_writes_is_what_it_reads(t *testing.T) {
	t.Parallel()
	everySite(t, func(t *testing.T, w *world) {
		tag := w.insert("ContactTag", map[string]any{"Name": "phone", "TypeId": private})
		if _, err := w.box.System().Insert("Country", map[string]any{"Name": "Germany"}); err != nil {
			t.Fatal(err)
		}
		site := w.site(w.ann())
		people := contacts.New(site, contacts.Tag{ID: tag, Kind: contacts.Classic}, client.User{ContactID: w.contact})
		empty, err := people.Scan(t.Context(), nil)
		if err != nil || len(empty.Members) != 0 || empty.Members == nil || empty.ScopeGone {
			t.Fatalf("empty scan: %+v, %v", empty, err)
		}
		after := person("Carla", "Cole", "carla@example.com", "+1 202 555 0143")
		made := apply(t, people, record.Operation{
			Action: record.Create, Link: "link", ID: newContact, After: after, Changed: changedFields(after), Join: true,
		})
		again := apply(t, people, record.Operation{
			Action: record.Create, Link: "link", ID: newContact, After: after, Changed: changedFields(after), Join: true,
		})
		for _, r := range []record.Record{made, again} {
			if !contact.Schema.Equal(after, r.Fields) {
				t.Errorf("the result says %v", cmp.Diff(after, r.Fields))
			}
		}
		w.clock.pass(time.Hour)
		next, err := people.Scan(t.Context(), empty.Cursor)
		if err != nil || !slices.Equal(next.Members, []string{newContact}) || !slices.Contains(next.Touched, newContact) {
			t.Errorf("scan: %+v, %v", next, err)
		}
		read, err := people.Fetch(t.Context(), []string{newContact})
		if err != nil || len(read) != 1 || !read[0].Member || !contact.Schema.Equal(after, read[0].Fields) {
			t.Fatalf("fetch: %v, %v", err, cmp.Diff(after, read[0].Fields))
		}
		like := []record.Record{{Fields: person("Nobody", "Else", "CARLA@example.com", "(202) 555-0143")}}
		if found, err := people.Candidates(t.Context(), like); err != nil || len(found) != 1 || found[0].ID != newContact {
			t.Errorf("candidates: %v, %v", found, err)
		}

		change := after.Clone()
		change[contact.Emails] = []record.Entry{{Text: "carla@example.net"}}
		change.SetText(contact.Surname, "Coleman")
		change.SetText(contact.Birthday, "")
		delete(change, contact.Addresses)
		done := apply(t, people, record.Operation{
			Action: record.Update, Link: "link", ID: newContact, AdapterState: read[0].AdapterState, Before: read[0].Fields, After: change,
			Changed: []string{contact.Emails, contact.Surname, contact.Birthday, contact.Addresses},
		})
		read, err = people.Fetch(t.Context(), []string{newContact})
		if err != nil || !contact.Schema.Equal(done.Fields, read[0].Fields) || !contact.Schema.Equal(change, read[0].Fields) {
			t.Errorf("after the change: %v, %v", err, cmp.Diff(change, read[0].Fields))
		}
		apply(t, people, record.Operation{Action: record.Unlink, ID: newContact, Before: read[0].Fields, AdapterState: read[0].AdapterState})
		if rows := w.box.System().Rows("ContactInTag", nil); len(rows) != 0 {
			t.Errorf("links are left: %v", rows)
		}
		if v := w.box.Violations(); len(v) > 0 {
			t.Errorf("violations: %v", v)
		}
	})
}

func TestThe_tags_of_the_Freedom_UI_work_as_the_classic_ones(t *testing.T) {
	t.Parallel()
	w := newWorld(t, creatio.Options{})
	tag := w.insert("Tag", map[string]any{"Name": "phone", "EntitySchemaName": "Contact"})
	site := w.site(w.ann())
	tags, err := contacts.Tags(t.Context(), site, w.contact)
	if err != nil || len(tags) != 1 || tags[0].Kind != contacts.Freedom {
		t.Fatalf("tags: %v, %v", tags, err)
	}
	people := contacts.New(site, tags[0], client.User{ContactID: w.contact})
	after := record.Fields{}
	after.SetText(contact.GivenName, "Dora")
	apply(t, people, record.Operation{Action: record.Create, Link: "l", ID: newContact, After: after, Changed: []string{contact.GivenName}, Join: true})
	delta, err := people.Scan(t.Context(), nil)
	if err != nil || !slices.Equal(delta.Members, []string{newContact}) || len(delta.Records) != 1 {
		t.Errorf("scan: %+v, %v", delta, err)
	}
	if err := w.box.As("ann").Delete("Tag", tag); err != nil {
		t.Fatal(err)
	}
	if delta, err := people.Scan(t.Context(), delta.Cursor); err != nil || !delta.ScopeGone {
		t.Errorf("after the tag is gone: %+v, %v", delta, err)
	}
	if v := w.box.Violations(); len(v) > 0 {
		t.Errorf("violations: %v", v)
	}
}

func TestA_lost_reply_is_settled_without_doing_anything_twice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, creatio.Options{})
	tag := w.insert("ContactTag", map[string]any{"Name": "phone", "TypeId": private})
	people := contacts.New(w.site(w.ann()), contacts.Tag{ID: tag, Kind: contacts.Classic}, client.User{ContactID: w.contact})
	lost := false
	w.box.SetFault(func(r *http.Request) *creatio.Fault {
		if lost || !strings.HasSuffix(r.URL.Path, "$batch") {
			return nil
		}
		body := make([]byte, 1<<16)
		n, _ := r.Body.Read(body)
		lost = strings.Contains(string(body[:n]), `"POST"`)
		return map[bool]*creatio.Fault{true: {After: true, Drop: true}}[lost]
	})
	after := person("Eve", "East", "eve@example.com", "+1 202 555 0144")
	apply(t, people, record.Operation{Action: record.Create, Link: "l", ID: newContact, After: after, Changed: changedFields(after), Join: true})
	system := w.box.System()
	if !lost || len(system.Rows("ContactCommunication", map[string]any{"ContactId": newContact})) != 3 || len(system.Rows("ContactInTag", nil)) != 1 {
		t.Errorf("lost %v, rows: %v", lost, system.Rows("ContactCommunication", map[string]any{"ContactId": newContact}))
	}
}

func TestMany_contacts_are_listed_completely(t *testing.T) {
	t.Parallel()
	w := newWorld(t, creatio.Options{})
	for i := range 250 {
		if i%7 == 0 {
			w.clock.pass(time.Second)
		}
		w.insert("Contact", map[string]any{"Name": fmt.Sprintf("P%d", i)})
	}
	c := w.odata(w.ann())
	seen := map[string]bool{}
	q := odata.Query{Set: "Contact", Select: []string{"Id"}, OrderBy: []odata.Order{{Path: "Id"}}, Top: 20, Count: true}
	for {
		page, err := c.Get(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range page.Rows {
			seen[row.Text("Id")] = true
			q.Filter = odata.Gt("Id", odata.Guid(row.Text("Id")))
		}
		if page.Count <= int64(len(page.Rows)) {
			break
		}
	}
	if len(seen) != 253 {
		t.Errorf("got %d, want 253", len(seen))
	}
}

func TestMetadata_names_what_the_client_asks_for(t *testing.T) {
	t.Parallel()
	w := newWorld(t, creatio.Options{})
	m, err := w.odata(w.ann()).Metadata(t.Context(), "Contact", "ContactInTag", "TagInRecord", "Nonsense")
	if err != nil {
		t.Fatal(err)
	}
	if missing := m.Missing("Contact", "Id", "Name", "AccountId", "Account", "BirthDate", "ModifiedOn"); len(missing) > 0 || len(m) != 3 {
		t.Errorf("missing %v of %d", missing, len(m))
	}
	if got := m["Contact"].Properties["BirthDate"]; got != "Edm.DateTimeOffset" {
		t.Errorf("BirthDate is %s", got)
	}
}

func TestErrors_are_of_the_kinds_that_the_client_knows(t *testing.T) {
	t.Parallel()
	w := newWorld(t, creatio.Options{})
	c := w.odata(w.ann())
	account, err := w.box.System().Insert("Account", map[string]any{"Name": "Acme"})
	if err != nil {
		t.Fatal(err)
	}
	id := w.insert("Contact", map[string]any{"Name": "Finn", "AccountId": account})
	w.box.Deny("ann", "Region", creatio.Read)
	w.box.Deny("ann", "Contact", creatio.Delete)
	second := func(_ any, err error) error { return err }
	ctx := t.Context()
	for name, tc := range map[string]struct {
		err  error
		kind fault.Kind
		code string
	}{
		"the same id twice":         {second(c.Insert(ctx, "Contact", odata.Values{"Id": id, "Name": "x"})), fault.BadRecord, "duplicate"},
		"a row that is not there":   {second(c.Insert(ctx, "Contact", odata.Values{"Name": "x", "AccountId": newContact})), fault.BadRecord, "foreign-key"},
		"a row that is in use":      {c.Delete(ctx, "Account", account), fault.BadRecord, "foreign-key"},
		"no name":                   {second(c.Insert(ctx, "Contact", odata.Values{"Email": "x"})), fault.BadRecord, "required"},
		"a long name":               {c.Update(ctx, "Contact", id, odata.Values{"JobTitle": strings.Repeat("x", 251)}), fault.BadRecord, "too-long"},
		"an unknown property":       {c.Update(ctx, "Contact", id, odata.Values{"Nonsense": "x"}), fault.Misconfigured, "unknown-column"},
		"an unknown set":            {second(c.Get(ctx, odata.Query{Set: "Nonsense"})), fault.Misconfigured, "unknown-set"},
		"a lookup by its column":    {second(c.Get(ctx, odata.Query{Set: "Contact", Filter: odata.Eq("AccountId", odata.Guid(id))})), fault.Misconfigured, "unknown-column"},
		"an unknown column":         {second(c.Get(ctx, odata.Query{Set: "Contact", Select: []string{"Nonsense"}})), fault.Misconfigured, "unknown-column"},
		"a contact that is gone":    {second(c.Entity(ctx, "Contact", newContact)), fault.Gone, "not-found"},
		"a list that is closed":     {second(c.Get(ctx, odata.Query{Set: "Region"})), fault.ReadOnly, "forbidden"},
		"a right that is missing":   {c.Delete(ctx, "Contact", id), fault.ReadOnly, "forbidden"},
		"a table nobody writes to":  {second(c.Insert(ctx, "SysAdminUnit", odata.Values{"Name": "x"})), fault.ReadOnly, "forbidden"},
		"a list behind a navigator": {second(c.Get(ctx, odata.Query{Set: "Contact", Expand: []odata.Expand{{Name: "Region"}}})), fault.ReadOnly, "forbidden"},
	} {
		var f *fault.Error
		if f, _ = errorAs(tc.err); f == nil || f.Kind != tc.kind || f.Code != tc.code {
			t.Errorf("%s: got %v, want %v %s", name, tc.err, tc.kind, tc.code)
		}
	}
}

func TestSessions_end_and_are_begun_again(t *testing.T) {
	t.Parallel()
	w := newWorld(t, creatio.Options{})
	site := w.site(w.ann())
	for name, end := range map[string]func(){
		"ended": w.box.ExpireSessions,
		"idle":  func() { w.clock.pass(21 * time.Minute) },
	} {
		end()
		if _, err := site.CurrentUser(context.Background()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	logins := 0
	for _, r := range w.box.Requests() {
		if strings.HasSuffix(r.Path, "/Login") {
			logins++
		}
	}
	if logins != 3 {
		t.Errorf("got %d logins, want one at first and one for each end", logins)
	}
	err := client.SignIn(t.Context(), nil, w.url, "ann", "wrong")
	if f, _ := errorAs(err); f == nil || f.Code != "wrong-password" {
		t.Errorf("wrong password: %v", err)
	}
}

func TestWhat_a_run_tagged_and_a_person_untagged_at_once_is_noticed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, creatio.Options{})
	tag := w.insert("ContactTag", map[string]any{"Name": "phone", "TypeId": private})
	people := contacts.New(w.site(w.ann()), contacts.Tag{ID: tag, Kind: contacts.Classic}, client.User{ContactID: w.contact})
	empty, err := people.Scan(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	after := person("Carla", "Cole", "carla@example.com", "+1 202 555 0143")
	apply(t, people, record.Operation{
		Action: record.Create, Link: "link", ID: newContact, After: after, Changed: changedFields(after), Join: true,
	})
	cursor := people.Relist(empty.Cursor, 1)
	link := w.box.System().Rows("ContactInTag", nil)[0]["Id"].(string)
	if err := w.box.As("ann").Delete("ContactInTag", link); err != nil {
		t.Fatal(err)
	}
	w.clock.pass(time.Minute)
	if delta, err := people.Scan(t.Context(), cursor); err != nil || delta.Members == nil || len(delta.Members) != 0 {
		t.Errorf("got members %v, %v", delta.Members, err)
	}
}
