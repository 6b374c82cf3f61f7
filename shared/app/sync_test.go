package app_test

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/people/v1"

	"github.com/tandem-sync/tandem/shared/store"
)

// The rows of the site's own lists that tags are made of.
const (
	private   = "8d7f6d6c-4ca5-4b43-bdd9-a5e01a582260"
	corporate = "5d79e393-f8e0-4830-a76b-f3c7bce529ed"
	public    = "d6fb4de6-0809-41fe-a84f-6d245cbc5f32"
	myTag     = "54c3c9a0-adba-423f-990b-673b903e2a38"
)

// row makes a row as a user of the site.
func (w *world) row(login, entity string, values map[string]any) string {
	w.t.Helper()
	id, err := w.creatio.As(login).Insert(entity, values)
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

func (w *world) contact(name, email string) string {
	w.t.Helper()
	return w.row("Ada", "Contact", map[string]any{"Name": name, "Email": email})
}

func (w *world) tag(login, kind string) string {
	w.t.Helper()
	return w.row(login, "ContactTag", map[string]any{"Name": "On my phone", "TypeId": kind})
}

func (w *world) tagged(tag, contact string) {
	w.t.Helper()
	w.row("Ada", "ContactInTag", map[string]any{"TagId": tag, "EntityId": contact})
}

// person adds a contact in Google.
func (w *world) person(given, family, email string, groups ...string) string {
	p := &people.Person{
		Names:          []*people.Name{{GivenName: given, FamilyName: family}},
		EmailAddresses: []*people.EmailAddress{{Value: email, Type: "work"}},
	}
	id := w.google.Account(ada).Add(p)
	for _, g := range groups {
		w.google.Account(ada).AddToGroup(id, g)
	}
	return id
}

// group is the resource name of the group "Creatio".
func (w *world) group() string {
	w.t.Helper()
	for _, g := range w.google.Account(ada).Groups() {
		if g.Name == "Creatio" {
			return g.ResourceName
		}
	}
	w.t.Fatal("there is no group Creatio")
	return ""
}

// found is the person of that family name in Google.
func (w *world) found(family string) *people.Person {
	w.t.Helper()
	for _, p := range w.google.Account(ada).People() {
		if len(p.Names) > 0 && p.Names[0].FamilyName == family {
			return p
		}
	}
	w.t.Fatalf("google has nobody called %s", family)
	return nil
}

// members are the family names of who is in the group.
func (w *world) members() []string {
	w.t.Helper()
	var out []string
	for _, id := range w.google.Account(ada).Members(w.group()) {
		out = append(out, w.google.Account(ada).Person(id).Names[0].FamilyName)
	}
	slices.Sort(out)
	return out
}

func (w *world) clean() {
	w.t.Helper()
	if v := append(w.google.Violations(), w.creatio.Violations()...); len(v) > 0 {
		w.t.Errorf("tandem did what no client may do: %q", v)
	}
}

// Google does not say when a contact left the group, and its reads may trail that by ten minutes.
func TestWho_is_tagged_again_within_minutes_is_back_in_the_group(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takes.Store(int64(20 * time.Millisecond))
	tag := w.tag("Ada", private)
	grace := w.contact("Grace Hopper", "grace@example.com")
	w.tagged(tag, grace)
	w.tagged(tag, w.contact("Alan Turing", "alan@example.com"))
	w.link()
	w.choose(tag)
	w.sync("done")
	for _, row := range w.creatio.System().Rows("ContactInTag", map[string]any{"EntityId": grace}) {
		if err := w.creatio.As("Ada").Delete("ContactInTag", row["Id"].(string)); err != nil {
			t.Fatal(err)
		}
	}
	w.sync("done")
	if got := w.members(); !slices.Equal(got, []string{"Turing"}) {
		t.Fatalf("in the group are %v", got)
	}
	w.tagged(tag, grace)
	w.sync("done")
	if got := w.members(); !slices.Equal(got, []string{"Hopper", "Turing"}) {
		t.Errorf("in the group are %v", got)
	}
	w.silent()
}

func TestFrom_sign_in_to_the_time_of_the_last_synchronization(t *testing.T) {
	t.Parallel()
	for name, changes := range map[string][]change{
		"bolt, services at the root":   nil,
		"firestore, services under /0": {onFirestore(t), layout("framework")},
		"bolt, names and passwords":    {with("CREATIO_AUTH", "password"), layout("framework")},
		"bolt, one technical user":     {with("CREATIO_AUTH", "client")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, changes...)
			if a := w.visit("/settings"); a.status != 200 || !strings.Contains(a.body, "sign-in") {
				t.Fatalf("without a session: %d %s", a.status, a.body)
			}
			w.call(http.MethodGet, "/account", nil, 401, nil)
			tag := w.tag("Ada", private)
			w.tagged(tag, w.contact("Grace Hopper", "grace@example.com"))
			w.tagged(tag, w.contact("Alan Turing", "alan@example.com"))
			w.person("Alan", "Turing", "ALAN@example.com")
			w.connect()

			var tags []struct{ ID, Name, Kind string }
			w.call(http.MethodGet, "/tags", nil, 200, &tags)
			if len(tags) != 1 || tags[0].ID != tag || tags[0].Kind != "classic" {
				t.Fatalf("got tags %+v", tags)
			}
			w.call(http.MethodPost, "/contacts/sync", nil, 409, nil)
			w.choose(tag)
			run := w.sync("done")
			if got, want := summary(run), "creatio +0 ~0 -0 google +1 ~1 -0 matched 1 failed 0"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			if got := w.members(); !slices.Equal(got, []string{"Hopper", "Turing"}) {
				t.Errorf("the group has %q", got)
			}
			if n := len(w.google.Account(ada).People()); n != 2 {
				t.Errorf("google has %d people", n)
			}
			state := w.account().Contacts.State
			if state.Status != "ok" || state.LastSync == nil || w.now().Sub(*state.LastSync) > time.Minute || state.NextSync == nil {
				t.Errorf("got state %+v", state)
			}
			w.silent()

			id := w.person("Ada", "Lovelace", "lovelace@example.com", w.group())
			run = w.sync("done")
			if got, want := summary(run), "creatio +1 ~0 -0 google +0 ~0 -0 matched 0 failed 0"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			rows := w.creatio.As("Ada").Rows("Contact", map[string]any{"Surname": "Lovelace"})
			if len(rows) != 1 || rows[0]["Email"] != "lovelace@example.com" {
				t.Errorf("creatio has %+v for %s", rows, id)
			}
			w.silent()
			w.clean()
			if log := w.log.String(); strings.Contains(log, clientSecret) || strings.Contains(log, "ya29.") || strings.Contains(log, "example.com") {
				t.Errorf("the log says too much:\n%s", log)
			}
		})
	}
}

// connect signs in and links Creatio in the way the world is made for.
func (w *world) connect() {
	w.t.Helper()
	switch w.kind() {
	case "user":
		w.link()
	case "password":
		w.visit("/settings/sign-in")
		form := func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }
		if a := w.do(http.MethodPost, "/settings/link/creatio", "username=Ada&password=wrong", form); a.status != 422 || !strings.Contains(a.body, "password") {
			w.t.Fatalf("a wrong password: %d %s", a.status, a.body)
		}
		if a := w.do(http.MethodPost, "/settings/link/creatio", "username=Ada&password=right", form); a.status != 200 {
			w.t.Fatalf("the right password: %d %s", a.status, a.body)
		}
	case "client":
		w.visit("/settings/sign-in")
	}
	if a := w.account(); !a.Google.Linked || !a.Creatio.Linked || a.Creatio.User != "Ada" {
		w.t.Fatalf("not linked: %+v", a)
	}
}

// twins is a world with some contacts in step.
func twins(t *testing.T, names ...string) (w *world, tag string, contacts map[string]string) {
	t.Helper()
	w = newWorld(t)
	tag = w.tag("Ada", private)
	contacts = map[string]string{}
	for _, n := range names {
		contacts[n] = w.contact("Some "+n, strings.ToLower(n)+"@example.com")
		w.tagged(tag, contacts[n])
	}
	w.link()
	w.choose(tag)
	w.sync("done")
	w.silent()
	return w, tag, contacts
}

func TestAn_edit_on_either_side_arrives_on_the_other(t *testing.T) {
	t.Parallel()
	w, _, contacts := twins(t, "Hopper", "Turing", "Noether")
	if err := w.creatio.As("Ada").Update("Contact", contacts["Hopper"], map[string]any{"JobTitle": "Rear admiral"}); err != nil {
		t.Fatal(err)
	}
	w.row("Ada", "ContactCommunication", map[string]any{
		"ContactId": contacts["Turing"], "CommunicationTypeId": "d4a2dc80-30ca-df11-9b2a-001d60e938c6", "Number": "+44 20 7946 0123",
	})
	w.google.Account(ada).Edit(w.found("Noether").ResourceName, func(p *people.Person) {
		p.Biographies = []*people.Biography{{Value: "Symmetry\nand conservation", ContentType: "TEXT_PLAIN"}}
	})
	run := w.sync("done")
	if got, want := summary(run), "creatio +0 ~1 -0 google +0 ~2 -0 matched 0 failed 0"; got != want {
		t.Errorf("got %s, want %s\n%+v", got, want, run.Changes)
	}
	if p := w.found("Hopper"); len(p.Organizations) != 1 || p.Organizations[0].Title != "Rear admiral" {
		t.Errorf("google says of Hopper %+v", p.Organizations)
	}
	if p := w.found("Turing"); len(p.PhoneNumbers) != 1 || p.PhoneNumbers[0].Type != "mobile" {
		t.Errorf("google says of Turing %+v", p.PhoneNumbers)
	}
	if notes := fmt.Sprint(w.creatio.As("Ada").Get("Contact", contacts["Noether"])["Notes"]); !strings.Contains(notes, "Symmetry") {
		t.Errorf("creatio says of Noether %q", notes)
	}
	w.silent()
	w.clean()
}

func TestDifferent_fields_of_one_contact_edited_on_both_sides_both_arrive(t *testing.T) {
	t.Parallel()
	w, _, contacts := twins(t, "Hopper")
	if err := w.creatio.As("Ada").Update("Contact", contacts["Hopper"], map[string]any{"JobTitle": "Rear admiral"}); err != nil {
		t.Fatal(err)
	}
	w.google.Account(ada).Edit(w.found("Hopper").ResourceName, func(p *people.Person) {
		p.PhoneNumbers = append(p.PhoneNumbers, &people.PhoneNumber{Value: "+1 202 555 0143", Type: "home"})
	})
	run := w.sync("done")
	if got, want := summary(run), "creatio +0 ~1 -0 google +0 ~1 -0 matched 0 failed 0"; got != want || run.Counts.Conflicts != 0 {
		t.Errorf("got %s with %d conflicts, want %s", got, run.Counts.Conflicts, want)
	}
	p, c := w.found("Hopper"), w.creatio.As("Ada").Get("Contact", contacts["Hopper"])
	if p.Organizations[0].Title != "Rear admiral" || len(p.PhoneNumbers) != 1 || c["JobTitle"] != "Rear admiral" || c["HomePhone"] != "+1 202 555 0143" {
		t.Errorf("google %+v %+v, creatio %+v", p.Organizations, p.PhoneNumbers, c)
	}
	w.silent()
	w.clean()
}

func TestUntagged_and_deleted_contacts_leave_the_other_side_and_are_never_deleted_there(t *testing.T) {
	t.Parallel()
	w, tag, contacts := twins(t, "Hopper", "Turing", "Noether", "Curie", "Lovelace")
	link := w.creatio.As("Ada").Rows("ContactInTag", map[string]any{"TagId": tag, "EntityId": contacts["Hopper"]})[0]
	if err := w.creatio.As("Ada").Delete("ContactInTag", fmt.Sprint(link["Id"])); err != nil {
		t.Fatal(err)
	}
	if err := w.creatio.As("Ada").Delete("Contact", contacts["Turing"]); err != nil {
		t.Fatal(err)
	}
	w.google.Account(ada).RemoveFromGroup(w.found("Noether").ResourceName, w.group())
	w.google.Account(ada).Delete(w.found("Curie").ResourceName)
	run := w.sync("done")
	if got, want := summary(run), "creatio +0 ~0 -2 google +0 ~0 -2 matched 0 failed 0"; got != want {
		t.Errorf("got %s, want %s\n%+v", got, want, run.Changes)
	}
	if got := w.members(); !slices.Equal(got, []string{"Lovelace"}) {
		t.Errorf("the group has %q", got)
	}
	if n := len(w.creatio.As("Ada").Rows("ContactInTag", map[string]any{"TagId": tag})); n != 1 {
		t.Errorf("%d contacts are tagged", n)
	}
	if w.creatio.As("Ada").Get("Contact", contacts["Curie"]) == nil || len(w.google.Account(ada).People()) != 4 {
		t.Error("somebody was deleted")
	}
	w.silent()
	w.tagged(tag, contacts["Hopper"])
	w.sync("done")
	if got := w.members(); !slices.Equal(got, []string{"Hopper", "Lovelace"}) || len(w.google.Account(ada).People()) != 4 {
		t.Errorf("tagged again: the group has %q of %d", got, len(w.google.Account(ada).People()))
	}
	w.silent()
	w.clean()
}

func TestOnly_the_users_own_private_tag_moves_contacts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	freedom := w.row("Ada", "Tag", map[string]any{"Name": "Mine", "TagAccessId": myTag, "EntitySchemaName": "Contact"})
	others := map[string]string{
		"corporate": w.tag("Ada", corporate), "public": w.tag("Ada", public), "somebody else's": w.tag("Bo", private),
		"corporate of the Freedom UI": w.row("Ada", "Tag", map[string]any{"Name": "Ours", "TagAccessId": "5126592f-5e93-42b4-b3a1-10752e6d413e"}),
		"public of the Freedom UI":    w.row("Ada", "Tag", map[string]any{"Name": "All", "TagAccessId": "7beab7b3-e895-45fe-96c6-0c662c6dcb16"}),
		"somebody else's own tag":     w.row("Bo", "Tag", map[string]any{"Name": "Bo's", "TagAccessId": myTag}),
	}
	for name, tag := range others {
		id := w.contact("Under "+strings.ReplaceAll(name, " ", "-"), "")
		if strings.Contains(name, "own tag") || strings.Contains(name, "Freedom") {
			w.row("Bo", "TagInRecord", map[string]any{"TagId": tag, "RecordId": id, "RecordSchemaName": "Contact"})
		} else {
			w.row("Bo", "ContactInTag", map[string]any{"TagId": tag, "EntityId": id})
		}
	}
	w.row("Ada", "TagInRecord", map[string]any{"TagId": freedom, "RecordId": w.contact("Grace Hopper", ""), "RecordSchemaName": "Contact"})
	w.link()

	var tags []struct{ ID, Kind string }
	w.call(http.MethodGet, "/tags", nil, 200, &tags)
	if len(tags) != 1 || tags[0].ID != freedom || tags[0].Kind != "freedom" {
		t.Errorf("got tags %+v", tags)
	}
	for name, tag := range others {
		body := map[string]any{"automatic": false, "intervalMinutes": 15, "tagId": tag, "direction": "both", "conflicts": "latest"}
		if a := w.do(http.MethodPut, "/settings/api/v1/contacts", body); a.status != 422 || !strings.Contains(a.body, "tagId") {
			t.Errorf("the tag %s was taken: %d %s", name, a.status, a.body)
		}
	}
	w.choose(freedom)
	w.sync("done")
	if got := w.members(); !slices.Equal(got, []string{"Hopper"}) {
		t.Errorf("the group has %q", got)
	}
	w.person("Emmy", "Noether", "emmy@example.com", w.group())
	w.sync("done")
	id := w.creatio.As("Ada").Rows("Contact", map[string]any{"Surname": "Noether"})[0]["Id"]
	if n := len(w.creatio.As("Ada").Rows("TagInRecord", map[string]any{"TagId": freedom, "RecordId": id})); n != 1 {
		t.Errorf("the new contact has %d links to the tag", n)
	}
	w.silent()

	// A tag that stops being private stops moving contacts.
	if err := w.creatio.System().Update("Tag", freedom, map[string]any{"TagAccessId": "7beab7b3-e895-45fe-96c6-0c662c6dcb16"}); err != nil {
		t.Fatal(err)
	}
	w.writes()
	w.sync("skipped tag-missing")
	if got := w.writes(); len(got) > 0 {
		t.Errorf("without a private tag tandem wrote %q", got)
	}
	if p := w.account().Contacts.State.Problem; p == nil || p.Code != "tag-missing" {
		t.Errorf("the user is told %+v", p)
	}
	w.choose(w.tag("Ada", private))
	if s := w.account().Contacts.State; s.Problem != nil || s.Status != "ok" || s.NextSync == nil {
		t.Errorf("another tag was chosen, and the state is %+v", s)
	}
	w.clean()
}

func TestA_deleted_group_holds_the_run_until_the_user_decides(t *testing.T) {
	t.Parallel()
	for _, approve := range []bool{false, true} {
		w, tag, _ := twins(t, "Hopper", "Turing", "Noether")
		w.google.Account(ada).DeleteGroup(w.group())
		w.writes()
		held := w.sync("held")
		if got := w.writes(); len(got) > 0 || len(held.Changes) != 3 {
			t.Fatalf("held, and yet wrote %q; lists %+v", got, held.Changes)
		}
		if s := w.account().Contacts.State; s.Status != "held" || s.HeldRun == nil || *s.HeldRun != held.ID {
			t.Errorf("got state %+v", s)
		}
		word, want := "reject", 3
		if approve {
			word, want = "approve", 0
		}
		var next struct{ Run string }
		w.call(http.MethodPost, "/runs/"+held.ID+"/"+word, nil, 202, &next)
		if err := w.app.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		var run store.Run
		w.call(http.MethodGet, "/runs/"+next.Run, nil, 200, &run)
		w.call(http.MethodPost, "/runs/"+held.ID+"/"+word, nil, 409, nil)
		if run.Status != "done" || run.Trigger != word {
			t.Errorf("%s: got %+v", word, run)
		}
		if n := len(w.creatio.As("Ada").Rows("ContactInTag", map[string]any{"TagId": tag})); n != want {
			t.Errorf("%s: %d contacts are tagged, want %d", word, n, want)
		}
		if !approve && len(w.members()) != 3 {
			t.Errorf("rejected: the group has %q", w.members())
		}
		w.sync("done")
		w.silent()
		w.clean()
	}
}

func TestA_preview_writes_nothing_and_tells_what_the_run_then_does(t *testing.T) {
	t.Parallel()
	w, tag, _ := twins(t, "Hopper")
	w.tagged(tag, w.contact("Some Turing", "turing@example.com"))
	w.writes()
	var preview store.Run
	w.call(http.MethodPost, "/contacts/preview", nil, 200, &preview)
	if got := w.writes(); len(got) > 0 || preview.Status != "preview" {
		t.Errorf("a %s wrote %q", preview.Status, got)
	}
	run := w.sync("done")
	if summary(preview) != summary(run) || run.Counts.Google.Created != 1 {
		t.Errorf("the preview tells %s, the run did %s", summary(preview), summary(run))
	}
	if len(preview.Changes) != 1 || len(run.Changes) != 1 || preview.Changes[0].Record != run.Changes[0].Record ||
		!reflect.DeepEqual(preview.Changes[0].Fields, run.Changes[0].Fields) {
		t.Errorf("the preview lists %+v, the run %+v", preview.Changes, run.Changes)
	}
}

func TestAn_export_has_everything_kept_about_the_user_and_no_secret(t *testing.T) {
	t.Parallel()
	w, _, contacts := twins(t, "Hopper")
	w.visit("/settings/sign-in")
	a := w.do(http.MethodGet, "/settings/api/v1/export", nil)
	for _, want := range []string{ada, contacts["Hopper"], w.found("Hopper").ResourceName, "hopper@example.com", `"trigger":"schedule"`} {
		if !strings.Contains(a.body, want) {
			t.Errorf("the export lacks %s", want)
		}
	}
	for _, secret := range []string{clientSecret, "sealed", "refresh_token", "ya29"} {
		if strings.Contains(a.body, secret) {
			t.Errorf("the export has %s", secret)
		}
	}
}
