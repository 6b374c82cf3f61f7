package google

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/api/people/v1"
)

func create(name string) *people.CreateContactGroupRequest {
	return &people.CreateContactGroupRequest{ContactGroup: &people.ContactGroup{Name: name}}
}

func TestGroups_are_made_renamed_and_deleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	api, account := w.people(), w.Account(ann)
	g := must(api.ContactGroups.Create(create("Creatio")).Do())(t)
	for _, name := range []string{" creatio ", "Friends"} {
		_, err := api.ContactGroups.Create(create(name)).Do()
		wantRefusal(t, err, 409, "ALREADY_EXISTS", "Contact group name already exists.")
	}
	_, err := api.ContactGroups.Create(create(" ")).Do()
	wantRefusal(t, err, 400, "INVALID_ARGUMENT")
	update := func(name, etag string) error {
		_, err := api.ContactGroups.Update(g.ResourceName, &people.UpdateContactGroupRequest{ContactGroup: &people.ContactGroup{Name: name, Etag: etag}}).Do()
		return err
	}
	if err := update("CRM", g.Etag); err != nil {
		t.Error(err)
	}
	wantRefusal(t, update("Again", g.Etag), 400, "FAILED_PRECONDITION")
	if diff := cmp.Diff("CRM", account.Groups()[0].Name); diff != "" {
		t.Error(diff)
	}
	name := account.Add(person("Tom", g.ResourceName))
	must(api.ContactGroups.Delete(g.ResourceName).Do())(t)
	_, err = api.ContactGroups.Get(g.ResourceName).Do()
	wantRefusal(t, err, 404, "NOT_FOUND")
	_, err = api.ContactGroups.Delete(myContacts).Do()
	wantRefusal(t, err, 400, "INVALID_ARGUMENT")
	if diff := cmp.Diff([]string{name}, account.Members(myContacts)); diff != "" {
		t.Error("whose last group is deleted stays among the user's own:", diff)
	}
	if len(w.Violations()) != 0 {
		t.Errorf("got violations %q", w.Violations())
	}
	other := account.CreateGroup("Other")
	account.AddToGroup(name, "Other")
	must(api.ContactGroups.Delete(other).DeleteContacts(true).Do())(t)
	if len(account.People()) != 0 || len(w.Violations()) != 1 {
		t.Errorf("got %d contacts, violations %q", len(account.People()), w.Violations())
	}
}

func TestGroups_are_listed_in_pages_and_by_what_changed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	api, account := w.people(), w.Account(ann)
	for i := range 30 {
		account.CreateGroup(fmt.Sprint("G", i))
	}
	first := must(api.ContactGroups.List().Do())(t)
	last := must(api.ContactGroups.List().PageToken(first.NextPageToken).Do())(t)
	if len(first.ContactGroups) != 30 || len(last.ContactGroups) != 8 || last.NextSyncToken == "" || first.NextSyncToken != "" {
		t.Errorf("got %d and %d groups", len(first.ContactGroups), len(last.ContactGroups))
	}
	account.DeleteGroup("G7")
	account.RenameGroup("G8", "H8")
	changes := must(api.ContactGroups.List().SyncToken(last.NextSyncToken).Do())(t)
	got := map[string]bool{}
	for _, g := range changes.ContactGroups {
		got[g.Name] = g.Metadata.Deleted
	}
	if diff := cmp.Diff(map[string]bool{"G7": true, "H8": false}, got); diff != "" {
		t.Error(diff)
	}
	_, err := api.ContactGroups.List().PageSize(10).SyncToken(last.NextSyncToken).Do()
	wantRefusal(t, err, 400, "INVALID_ARGUMENT")
}

func TestMembers_join_and_leave(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	api, account := w.people(), w.Account(ann)
	group := account.CreateGroup("Creatio")
	tom, eve := account.Add(person("Tom")), account.Add(person("Eve", group))
	modify := func(group string, add, remove []string) (*people.ModifyContactGroupMembersResponse, error) {
		return api.ContactGroups.Members.Modify(group, &people.ModifyContactGroupMembersRequest{ResourceNamesToAdd: add, ResourceNamesToRemove: remove}).Do()
	}
	before := account.Person(tom).Etag
	got := must(modify(group, []string{tom, "people/c5"}, []string{eve}))(t)
	if diff := cmp.Diff([][]string{{"people/c5"}, {eve}}, [][]string{got.NotFoundResourceNames, got.CanNotRemoveLastContactGroupResourceNames}); diff != "" {
		t.Error(diff)
	}
	if account.Person(tom).Etag == before {
		t.Error("who joins a group stays the same version")
	}
	g := must(api.ContactGroups.Get(group).MaxMembers(1).Do())(t)
	if g.MemberCount != 2 || len(g.MemberResourceNames) != 1 {
		t.Errorf("got %d members, %v", g.MemberCount, g.MemberResourceNames)
	}
	if g := must(api.ContactGroups.Get(group).Do())(t); g.MemberResourceNames != nil {
		t.Errorf("members are shown though nobody asked: %v", g.MemberResourceNames)
	}
	must(modify(group, nil, []string{tom}))(t)
	if diff := cmp.Diff([]string{eve}, account.Members("Creatio")); diff != "" {
		t.Error(diff)
	}
	_, err := modify("contactGroups/friends", []string{tom}, nil)
	wantRefusal(t, err, 400, "INVALID_ARGUMENT", "Contacts cannot be added")
	_, err = modify("contactGroups/none", []string{tom}, nil)
	wantRefusal(t, err, 404, "NOT_FOUND")
	many := make([]string, 1001)
	for i := range many {
		many[i] = fmt.Sprint("people/c", i)
	}
	_, err = modify(group, many, nil)
	wantRefusal(t, err, 400, "INVALID_ARGUMENT", "more than 1000")
	batch := must(api.ContactGroups.BatchGet().ResourceNames(group, "contactGroups/none").Do())(t)
	if batch.Responses[0].ContactGroup.Name != "Creatio" || batch.Responses[1].Status.Code != 5 {
		t.Errorf("got %+v", batch.Responses)
	}
}

func TestMemberships_are_written_with_the_contact_but_never_all_taken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	api, account := w.people(), w.Account(ann)
	group := account.CreateGroup("Creatio")
	name := account.Add(person("Tom"))
	update := func(p *people.Person) error {
		p.Etag = account.Person(name).Etag
		_, err := api.People.UpdateContact(name, p).UpdatePersonFields("memberships").Do()
		return err
	}
	wantRefusal(t, update(person("Tom")), 400, "INVALID_ARGUMENT", "At least one contact group membership is required.")
	if err := update(person("Tom", group)); err != nil {
		t.Error(err)
	}
	if got := account.Members(myContacts); len(got) != 0 {
		t.Errorf("My Contacts has %v", got)
	}
}
