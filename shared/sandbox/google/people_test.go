package google

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/people/v1"
)

const contactSource = "READ_SOURCE_TYPE_CONTACT"

// etagged is a person to update, of the version that was read.
func etagged(read *people.Person, p *people.Person) *people.Person {
	p.Metadata = &people.PersonMetadata{Sources: []*people.Source{{Type: "CONTACT", Id: read.Metadata.Sources[0].Id, Etag: read.Metadata.Sources[0].Etag}}}
	return p
}

func TestA_contact_is_made_read_changed_and_deleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	api := w.people()
	p := person("Tom")
	p.PhoneNumbers = []*people.PhoneNumber{{Type: "work", Value: "+44 20 7946 0001"}, {Type: "Yacht", Value: "555"}}
	made := must(api.People.CreateContact(p).PersonFields(fields + ",phoneNumbers").Do())(t)
	if made.Names[0].DisplayName != "Tom Smith" || made.Names[0].DisplayNameLastFirst != "Smith, Tom" || !made.Names[0].Metadata.Primary {
		t.Errorf("the name is %+v", made.Names[0])
	}
	if got := made.Memberships[0].ContactGroupMembership.ContactGroupResourceName; got != myContacts {
		t.Errorf("a contact without a group is in %q", got)
	}
	phone := made.PhoneNumbers[slices.IndexFunc(made.PhoneNumbers, func(n *people.PhoneNumber) bool { return n.Type == "work" })]
	if phone.CanonicalForm != "+442079460001" || phone.FormattedType != "Work" {
		t.Errorf("the number is %+v", phone)
	}
	change := etagged(made, &people.Person{Names: []*people.Name{{GivenName: "Tim"}}})
	changed := must(api.People.UpdateContact(made.ResourceName, change).UpdatePersonFields("names").PersonFields("names,metadata").Do())(t)
	if changed.Names[0].DisplayName != "Tim" || changed.Names[0].FamilyName != "" || changed.Etag == made.Etag || changed.PhoneNumbers != nil {
		t.Errorf("got %+v", changed)
	}
	if got := w.Account(ann).Person(made.ResourceName); len(got.PhoneNumbers) != 2 || got.PhoneNumbers[0].Value != "+44 20 7946 0001" {
		t.Errorf("a field outside of the mask changed: %+v", got.PhoneNumbers)
	}
	must(api.People.DeleteContact(made.ResourceName).Do())(t)
	_, err := api.People.Get(made.ResourceName).PersonFields("names").Do()
	wantRefusal(t, err, 404, "NOT_FOUND", "Requested entity was not found.")
	if got := w.Violations(); len(got) != 1 || !strings.Contains(got[0], made.ResourceName) {
		t.Errorf("got violations %q", got)
	}
}

func TestAn_update_needs_the_current_version(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	api, account := w.people(), w.Account(ann)
	name := account.Add(person("Tom"))
	read := must(api.People.Get(name).PersonFields(fields).Sources(contactSource).Do())(t)
	update := func(p *people.Person) error {
		p.Names = []*people.Name{{GivenName: "Tim"}}
		_, err := api.People.UpdateContact(name, p).UpdatePersonFields("names").Do()
		return err
	}
	wantRefusal(t, update(&people.Person{}), 400, "INVALID_ARGUMENT", "Request must set person.etag or person.metadata.sources.etag")
	wantRefusal(t, update(&people.Person{Etag: read.Etag, Metadata: &people.PersonMetadata{Sources: []*people.Source{{Type: "PROFILE"}}}}),
		400, "INVALID_ARGUMENT", "There is no contact source.")
	account.Edit(name, func(p *people.Person) { p.Names[0].GivenName = "Tomas" })
	wantRefusal(t, update(&people.Person{Etag: read.Etag}), 400, "FAILED_PRECONDITION", "Request person.etag is different")
	wantRefusal(t, update(etagged(read, &people.Person{})), 400, "FAILED_PRECONDITION", "metadata.sources.etag is different", "failedPrecondition")
	read = must(api.People.Get(name).PersonFields(fields).Do())(t)
	if err := update(&people.Person{Etag: read.Etag}); err != nil {
		t.Error(err)
	}
}

func TestA_profile_of_somebody_else_changes_the_person_but_not_the_contact(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	api, account := w.people(), w.Account(ann)
	name := account.Add(person("Tom"))
	before := must(api.People.Get(name).PersonFields(fields).Do())(t)
	account.SetProfile(name, &people.Person{Names: []*people.Name{{GivenName: "Thomas", FamilyName: "Smythe"}}})
	both := must(api.People.Get(name).PersonFields(fields).Do())(t)
	own := must(api.People.Get(name).PersonFields(fields).Sources(contactSource).Do())(t)
	if len(both.Names) != 2 || len(both.Metadata.Sources) != 2 || len(own.Names) != 1 || len(own.Metadata.Sources) != 1 {
		t.Errorf("got %d names and %d sources, with the contact alone %d and %d", len(both.Names), len(both.Metadata.Sources), len(own.Names), len(own.Metadata.Sources))
	}
	if both.Etag == before.Etag || own.Metadata.Sources[0].Etag != before.Metadata.Sources[0].Etag {
		t.Error("the etags do not tell whose change it was")
	}
	primary := 0
	for _, n := range both.Names {
		if n.Metadata.Primary {
			primary++
		}
	}
	if primary != 1 {
		t.Errorf("%d names are primary", primary)
	}
	// Sending both names back is a mistake that has been made.
	_, err := api.People.UpdateContact(name, both).UpdatePersonFields("names").Do()
	wantRefusal(t, err, 400, "INVALID_ARGUMENT", "Cannot have more than one person.names per source.")
}

func TestWhat_a_contact_cannot_hold_is_refused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{MaxContacts: 1, TokenLifetime: 1000 * time.Hour})
	api := w.people()
	for name, p := range map[string]*people.Person{
		"person.biographies": {Biographies: []*people.Biography{{Value: "a"}, {Value: "b"}}},
		"too long":           {Nicknames: []*people.Nickname{{Value: strings.Repeat("x", 1025)}}},
		"too large":          {Biographies: []*people.Biography{{Value: strings.Repeat("x", 128<<10)}}},
		"date is invalid":    {Birthdays: []*people.Birthday{{Date: &people.Date{Year: 2023, Month: 2, Day: 29}}}},
		"does not exist":     person("Tom", "contactGroups/none"),
		"cannot be added":    person("Tom", "contactGroups/friends"),
	} {
		_, err := api.People.CreateContact(p).Do()
		wantRefusal(t, err, 400, "INVALID_ARGUMENT", name)
	}
	p := person("Tom")
	p.Birthdays = []*people.Birthday{{Date: &people.Date{Month: 2, Day: 29}}}
	p.Biographies = []*people.Biography{{Value: strings.Repeat("x", 100_000)}}
	made := must(api.People.CreateContact(p).Do())(t)
	full := func() error {
		_, err := api.People.CreateContact(person("Tim")).Do()
		return err
	}
	wantRefusal(t, full(), 400, "INVALID_ARGUMENT", "MY_CONTACTS_OVERFLOW_COUNT")
	// What is in the trash takes room until it is deleted for good.
	w.Account(ann).Delete(made.ResourceName)
	wantRefusal(t, full(), 400, "INVALID_ARGUMENT", "MY_CONTACTS_OVERFLOW_COUNT")
	w.clock.pass(30 * 24 * time.Hour)
	if err := full(); err != nil {
		t.Error(err)
	}
}

func TestRequests_that_are_not_of_the_interface_are_refused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.Account(ann).Add(&people.Person{ResourceName: "people/c1", Names: []*people.Name{{GivenName: "Tom"}}})
	token := w.link(contacts)
	for _, c := range []struct {
		verb, path, body string
		status           int
		says             string
	}{
		{"POST", "/v1/people:createContact", `{"names":[{"givenname":"Tom"}]}`, 400, `Unknown name \"givenname\" at 'names[0]': Cannot find field.`},
		{"POST", "/v1/people:createContact", `{"names":{"givenName":"Tom"}}`, 400, "Invalid value at 'names'"},
		{"POST", "/v1/people:createContact", `{"names":[{"givenName":7}]}`, 400, "Invalid value at 'names[0].given_name' (TYPE_STRING), 7"},
		{"POST", "/v1/people:createContact", `{} {}`, 400, "Unexpected token."},
		{"POST", "/v1/people:createContact", ``, 400, "Invalid JSON payload received."},
		{"PATCH", "/v1/people/c1:updateContact?updatePersonFields=photos", `{}`, 400, `Invalid updatePersonFields mask path: \"photos\"`},
		{"PATCH", "/v1/people/c1:updateContact", `{}`, 400, "updatePersonFields mask is required."},
		{"GET", "/v1/people/me/connections", "", 400, "personFields mask is required. Please specify one or more valid paths."},
		{"GET", "/v1/people/me/connections?personFields=names&pageSize=1001", "", 400, "page_size"},
		{"GET", "/v1/people/me/connections?personFields=names&sources=CONTACT", "", 400, "sources"},
		{"GET", "/v1/people/me/connections?personFields=names&pages=1", "", 400, "Cannot bind query parameter."},
		{"GET", "/v1/people/c1/connections?personFields=names", "", 400, "Only people/me is valid."},
		{"GET", "/v1/people/c1", "", 400, "personFields mask is required."},
		{"GET", "/v1/people/c1?personFields=names", "", 200, "Tom"},
		{"GET", "/v1/people/me?personFields=names,emailAddresses", "", 200, "Ann Reed"},
		{"GET", "/v1/people/c1/friends", "", 404, "Error 404"},
	} {
		if status, body := w.call(token, c.verb, c.path, c.body); status != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s %s %s: got %d %s", c.verb, c.path, c.body, status, body)
		}
	}
	token.AccessToken = "guess"
	if status, body := w.call(token, "GET", "/v1/people/c1?personFields=names", ""); status != 401 || !strings.Contains(body, "UNAUTHENTICATED") {
		t.Errorf("got %d %s", status, body)
	}
}

func TestA_batch_takes_effect_as_a_whole_or_not_at_all(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	api, account := w.people(), w.Account(ann)
	batch := func(n, bad int) *people.BatchCreateContactsRequest {
		in := &people.BatchCreateContactsRequest{ReadMask: fields, Sources: []string{contactSource}}
		for i := range n {
			p := person(fmt.Sprint("N", i))
			if i == bad {
				p.Names = append(p.Names, &people.Name{GivenName: "Twice"})
			}
			in.Contacts = append(in.Contacts, &people.ContactToCreate{ContactPerson: p})
		}
		return in
	}
	_, err := api.People.BatchCreateContacts(batch(201, -1)).Do()
	wantRefusal(t, err, 400, "INVALID_ARGUMENT", "more than 200")
	_, err = api.People.BatchCreateContacts(batch(3, 1)).Do()
	wantRefusal(t, err, 400, "INVALID_ARGUMENT", "BatchCreateContactsErrorDetails", `"contactErrors":{"1":`)
	if got := account.People(); len(got) != 0 {
		t.Fatalf("%d contacts were made", len(got))
	}
	made := must(api.People.BatchCreateContacts(batch(200, -1)).Do())(t)
	if len(made.CreatedPeople) != 200 || made.CreatedPeople[7].Person.Names[0].GivenName != "N7" {
		t.Errorf("got %d", len(made.CreatedPeople))
	}
	one, other := made.CreatedPeople[0].Person, made.CreatedPeople[1].Person
	account.Edit(other.ResourceName, func(p *people.Person) { p.Names[0].GivenName = "Changed" })
	update := &people.BatchUpdateContactsRequest{UpdateMask: "names", ReadMask: fields, Contacts: map[string]people.Person{
		one.ResourceName:   *etagged(one, person("One")),
		other.ResourceName: *etagged(other, person("Other")),
	}}
	_, err = api.People.BatchUpdateContacts(update).Do()
	wantRefusal(t, err, 400, "FAILED_PRECONDITION", "BatchUpdateContactsErrorDetails", other.ResourceName)
	if got := account.Person(one.ResourceName).Names[0].GivenName; got != "N0" {
		t.Errorf("half of a batch took effect: %s", got)
	}
	delete(update.Contacts, other.ResourceName)
	done := must(api.People.BatchUpdateContacts(update).Do())(t)
	if got := done.UpdateResult[one.ResourceName].Person; got.Names[0].GivenName != "One" || got.Etag == one.Etag {
		t.Errorf("got %+v", got)
	}
	update.ReadMask = ""
	update.Contacts = map[string]people.Person{one.ResourceName: *etagged(done.UpdateResult[one.ResourceName].Person, person("Uno"))}
	if done := must(api.People.BatchUpdateContacts(update).Do())(t); len(done.UpdateResult) != 0 {
		t.Errorf("an empty mask shows %v", done.UpdateResult)
	}
	names := []string{one.ResourceName, other.ResourceName}
	must(api.People.BatchDeleteContacts(&people.BatchDeleteContactsRequest{ResourceNames: names}).Do())(t)
	if got := account.People(); len(got) != 198 || len(w.Violations()) != 2 {
		t.Errorf("%d are left, violations %q", len(got), w.Violations())
	}
}

func TestReading_many_tells_of_each_who_is_not_there(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	api, account := w.people(), w.Account(ann)
	tom, old := account.Add(person("Tom")), account.Add(person("Tomas"))
	account.Merge(tom, old)
	renamed := account.Rename(account.Add(person("Eve")))
	got := must(api.People.GetBatchGet().ResourceNames(old, "people/c5", renamed).PersonFields("names").Do())(t)
	var said []string
	for _, r := range got.Responses {
		name := ""
		if r.Person != nil {
			name = r.Person.ResourceName
		}
		said = append(said, fmt.Sprint(r.RequestedResourceName, " ", name, " ", r.HttpStatusCode, " ", r.Status.Code))
	}
	want := []string{old + " " + tom + " 200 0", "people/c5  404 5", renamed + " " + renamed + " 200 0"}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Error(diff)
	}
	_, err := api.People.GetBatchGet().ResourceNames(make([]string, 201)...).PersonFields("names").Do()
	wantRefusal(t, err, 400, "INVALID_ARGUMENT", "more than 200")
}

func TestSearch_knows_what_was_there_when_it_was_warmed_up(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	api := w.people()
	tom := w.Account(ann).Add(person("Tom"))
	find := func(query string) (names []string) {
		for _, r := range must(api.People.SearchContacts().Query(query).ReadMask("names").Do())(t).Results {
			names = append(names, r.Person.ResourceName)
		}
		return names
	}
	got := [][]string{find("tom"), find(""), find("smi"), find("mith")}
	if diff := cmp.Diff([][]string{nil, nil, {tom}, nil}, got); diff != "" {
		t.Error(diff)
	}
}

func TestThe_order_of_entries_means_nothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	api, account := w.people(), w.Account(ann)
	p := person("Tom")
	p.EmailAddresses = []*people.EmailAddress{{Value: "a@example.com"}, {Value: "b@example.com", Metadata: &people.FieldMetadata{SourcePrimary: true}}}
	name := account.Add(p)
	seen := map[string]bool{}
	for range 2 {
		got := must(api.People.Get(name).PersonFields(fields).Do())(t)
		seen[got.EmailAddresses[0].Value] = true
		for _, e := range got.EmailAddresses {
			if e.Metadata.Primary != (e.Value == "b@example.com") {
				t.Errorf("%s is primary: %t", e.Value, e.Metadata.Primary)
			}
		}
		account.Edit(name, func(p *people.Person) { p.Names[0].GivenName += "!" })
	}
	if len(seen) != 2 {
		t.Errorf("the first is always %v", seen)
	}
}

func TestWhat_google_makes_itself_cannot_be_written(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	made := must(w.people().People.CreateContact(&people.Person{
		Names:        []*people.Name{{GivenName: "Tom", FamilyName: "Smith", UnstructuredName: "Old", DisplayName: "Old"}},
		Addresses:    []*people.Address{{City: "Leeds", Country: "UK", FormattedValue: "Old"}, {FormattedValue: "As it was typed"}},
		PhoneNumbers: []*people.PhoneNumber{{Value: "123", CanonicalForm: "+44123"}},
		Photos:       []*people.Photo{{Url: "https://photos.example.com/old.jpg"}},
	}).Do())(t)
	addresses := []string{made.Addresses[0].FormattedValue, made.Addresses[1].FormattedValue}
	slices.Sort(addresses)
	got := append(addresses, made.Names[0].UnstructuredName, made.Names[0].DisplayName, made.PhoneNumbers[0].CanonicalForm, fmt.Sprint(made.Photos[0].Default))
	if diff := cmp.Diff([]string{"As it was typed", "Leeds\nUK", "Tom Smith", "Tom Smith", "", "true"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestTypes_are_shown_in_the_viewers_language(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	api := w.people()
	p := person("Tom")
	p.PhoneNumbers = []*people.PhoneNumber{{Type: "home", Value: "1"}}
	name := w.Account(ann).Add(p)
	get := api.People.Get(name).PersonFields("phoneNumbers")
	get.Header().Set("Accept-Language", "de-DE")
	if got := must(get.Do())(t).PhoneNumbers[0]; got.FormattedType != "Privat" || got.Type != "home" {
		t.Errorf("got %+v", got)
	}
}

func TestWrites_in_parallel_are_noticed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	api := w.people()
	arrived, leave := make(chan struct{}, 2), make(chan struct{})
	w.SetFault(func(r *http.Request) *Fault {
		if r.Method == http.MethodPost {
			arrived <- struct{}{}
			<-leave
		}
		return nil
	})
	done := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := api.People.CreateContact(person("Tom")).Do()
			done <- err
		}()
	}
	<-arrived
	<-arrived
	close(leave)
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if got := w.Violations(); len(got) != 1 || !strings.Contains(got[0], "parallel writes for "+ann) {
		t.Errorf("got %q", got)
	}
}

func TestFaults_come_before_or_after_a_request_took_effect(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	api, account := w.people(), w.Account(ann)
	w.ResetRequests()
	for _, c := range []struct {
		fault  Fault
		status int
		made   int
	}{
		{Fault{Status: 429, Header: http.Header{"Retry-After": {"7"}}}, 429, 0},
		{Fault{Drop: true}, 0, 0},
		{Fault{After: true}, 503, 1},
		{Fault{After: true, Drop: true}, 0, 2},
	} {
		w.SetFault(func(r *http.Request) *Fault {
			if r.Method == http.MethodPost {
				return &c.fault
			}
			return nil
		})
		_, err := api.People.CreateContact(person("Tom")).Do()
		var status int
		if e, ok := err.(*googleapi.Error); ok {
			status = e.Code
		}
		if err == nil || status != c.status || len(account.People()) != c.made {
			t.Errorf("%+v: got %v, %d contacts", c.fault, err, len(account.People()))
		}
	}
	var statuses []int
	for _, r := range w.Requests() {
		statuses = append(statuses, r.Status)
	}
	if diff := cmp.Diff([]int{429, 0, 503, 0}, statuses); diff != "" {
		t.Error(diff)
	}
}

func TestReads_may_show_what_was_before_a_write(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{StaleReads: time.Minute})
	api, account := w.people(), w.Account(ann)
	name := account.Add(person("Tom"))
	w.clock.pass(2 * time.Minute)
	account.Edit(name, func(p *people.Person) { p.Names[0].GivenName = "Tim" })
	read := must(api.People.Get(name).PersonFields(fields).Do())(t)
	if got := read.Names[0].GivenName; got != "Tom" {
		t.Errorf("got %s", got)
	}
	_, err := api.People.UpdateContact(name, etagged(read, person("Ted"))).UpdatePersonFields("names").Do()
	wantRefusal(t, err, 400, "FAILED_PRECONDITION")
	w.clock.pass(time.Minute)
	if got := must(api.People.Get(name).PersonFields(fields).Do())(t).Names[0].GivenName; got != "Tim" {
		t.Errorf("later: got %s", got)
	}
}
