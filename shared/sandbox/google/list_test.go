package google

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"
	"google.golang.org/api/people/v1"
	"pgregory.net/rapid"
)

// listing is a list of connections with a size of its pages.
type listing struct {
	t    *testing.T
	api  *people.Service
	size int64
}

// read reads a list to its end: full, or what changed since a token.
func (l listing) read(since string) (found []*people.Person, token string) {
	l.t.Helper()
	for page := ""; ; {
		call := l.api.People.Connections.List("people/me").PersonFields(fields).PageSize(l.size).RequestSyncToken(true).Sources(contactSource)
		if since != "" {
			call.SyncToken(since)
		}
		if page != "" {
			call.PageToken(page)
		}
		reply := must(call.Do())(l.t)
		found = append(found, reply.Connections...)
		if page = reply.NextPageToken; page == "" {
			return found, reply.NextSyncToken
		}
		if reply.NextSyncToken != "" {
			l.t.Error("a page before the last has a sync token")
		}
	}
}

// said are the people of a list in short.
func said(list []*people.Person) (out []string) {
	for _, p := range list {
		switch {
		case p.Metadata.Deleted:
			out = append(out, p.ResourceName+" deleted")
		default:
			out = append(out, p.ResourceName+" "+p.Names[0].GivenName+strings.Join(p.Metadata.PreviousResourceNames, " was "))
		}
	}
	slices.Sort(out)
	return out
}

func TestA_sync_token_brings_what_changed_since(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	account, l := w.Account(ann), listing{t, w.people(), 2}
	group := account.CreateGroup("Creatio")
	var names []string
	for i := range 6 {
		names = append(names, account.Add(person(fmt.Sprint("N", i))))
	}
	all, token := l.read("")
	if len(all) != 6 {
		t.Fatalf("got %q", said(all))
	}
	if none, _ := l.read(token); len(none) != 0 {
		t.Errorf("nothing changed, but got %q", said(none))
	}
	account.Edit(names[0], func(p *people.Person) { p.Names[0].GivenName = "Edited" })
	account.Delete(names[1])
	account.AddToGroup(names[2], "Creatio")
	account.Merge(names[3], names[4])
	fresh := account.Add(person("New"))
	account.Delete(account.Add(person("Gone at once")))
	changes, next := l.read(token)
	want := []string{
		names[0] + " Edited", names[1] + " deleted", names[2] + " N2", names[3] + " N3" + names[4], names[4] + " deleted", fresh + " New",
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, said(changes)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{names[2]}, account.Members(group)); diff != "" {
		t.Error(diff)
	}
	account.Restore(names[1])
	account.DeleteGroup(group)
	changes, _ = l.read(next)
	want = []string{names[1] + " N1", names[2] + " N2"}
	slices.Sort(want)
	if diff := cmp.Diff(want, said(changes)); diff != "" {
		t.Error(diff)
	}
	full, _ := l.read("")
	if len(full) != 6 || slices.ContainsFunc(full, func(p *people.Person) bool { return p.Metadata.Deleted || p.Metadata.PreviousResourceNames != nil }) {
		t.Errorf("a full list has %q", said(full))
	}
}

func TestA_sync_token_ends_seven_days_after_the_full_list(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{TokenLifetime: 1000 * time.Hour})
	l := listing{t, w.people(), 100}
	list := func(token string) error {
		_, err := l.api.People.Connections.List("people/me").PersonFields(fields).PageSize(100).Sources(contactSource).SyncToken(token).Do()
		return err
	}
	_, token := l.read("")
	w.clock.pass(6 * 24 * time.Hour)
	_, token = l.read(token)
	w.clock.pass(24 * time.Hour)
	const words = "Sync token is expired. Clear local cache and retry call without the sync token."
	wantRefusal(t, list(token), 400, "FAILED_PRECONDITION", words, `"reason":"EXPIRED_SYNC_TOKEN"`)
	if len(w.Violations()) != 0 {
		t.Errorf("got violations %q", w.Violations())
	}
	wantRefusal(t, list(token), 400, "FAILED_PRECONDITION")
	if len(w.Violations()) != 1 {
		t.Errorf("sending it again is no violation: %q", w.Violations())
	}
	_, token = l.read("")
	w.ExpireSyncTokens()
	wantRefusal(t, list(token), 400, "FAILED_PRECONDITION", words)
}

func TestTokens_belong_to_their_parameters_and_their_account(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.AddUser(User{Email: "bob@example.com", Name: "Bob"})
	for i := range 3 {
		w.Account(ann).Add(person(fmt.Sprint("N", i)))
	}
	api := w.people()
	call := func() *people.PeopleConnectionsListCall {
		return api.People.Connections.List("people/me").PersonFields("names,metadata").PageSize(2)
	}
	first := must(call().RequestSyncToken(true).Do())(t)
	last := must(call().RequestSyncToken(true).PageToken(first.NextPageToken).Do())(t)
	for name, c := range map[string]*people.PeopleConnectionsListCall{
		"other fields on the page":   call().PersonFields("names").RequestSyncToken(true).PageToken(first.NextPageToken),
		"other size on the page":     call().PageSize(3).RequestSyncToken(true).PageToken(first.NextPageToken),
		"no sync token on the page":  call().PageToken(first.NextPageToken),
		"other fields since":         call().PersonFields("names").SyncToken(last.NextSyncToken),
		"other source since":         call().Sources(contactSource).SyncToken(last.NextSyncToken),
		"other order since":          call().SortOrder("FIRST_NAME_ASCENDING").SyncToken(last.NextSyncToken),
		"a page token as sync token": call().SyncToken(first.NextPageToken),
		"a guess":                    call().SyncToken("guess"),
	} {
		_, err := c.Do()
		t.Log(name)
		wantRefusal(t, err, 400, "INVALID_ARGUMENT", "Request contains an invalid argument.")
	}
	must(call().PersonFields("metadata,names").SyncToken(last.NextSyncToken).Do())(t)
	w.AutoConsent("bob@example.com")
	c := w.config(contacts)
	bob := must(c.Exchange(w.context(), w.open(c.AuthCodeURL("")).Get("code")))(t)
	path := "/v1/people/me/connections?personFields=names,metadata&pageSize=2"
	if status, body := w.call(bob, "GET", path+"&syncToken="+last.NextSyncToken, ""); status != 400 {
		t.Errorf("the token of another account: %d %s", status, body)
	}
	if status, body := w.call(bob, "GET", path, ""); status != 200 || strings.Contains(body, "N0") {
		t.Errorf("got %d %s", status, body)
	}
}

func TestLists_show_writes_late_where_that_is_set(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{WriteVisibility: 3 * time.Minute})
	account, l := w.Account(ann), listing{t, w.people(), 100}
	name := account.Add(person("Tom"))
	none, token := l.read("")
	if len(none) != 0 {
		t.Errorf("got %q", said(none))
	}
	w.clock.pass(2 * time.Minute)
	account.Edit(name, func(p *people.Person) { p.Names[0].GivenName = "Tim" })
	w.clock.pass(time.Minute)
	first, token := l.read(token)
	w.clock.pass(time.Minute)
	account.Edit(name, func(p *people.Person) { p.Names[0].GivenName = "Ted" })
	w.clock.pass(time.Minute)
	account.Edit(name, func(p *people.Person) { p.Names[0].GivenName = "Tod" })
	second, token := l.read(token)
	w.clock.pass(3 * time.Minute)
	third, token := l.read(token)
	fourth, _ := l.read(token)
	got := [][]string{said(first), said(second), said(third), said(fourth)}
	if diff := cmp.Diff([][]string{{name + " Tom"}, {name + " Tim"}, {name + " Tod"}, nil}, got); diff != "" {
		t.Error(diff)
	}
	if got := must(l.api.People.Get(name).PersonFields("names").Do())(t).Names[0].GivenName; got != "Tod" {
		t.Errorf("a read shows %s", got)
	}
}

func TestEveryone_is_in_a_full_list_though_they_change_while_it_is_read(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	account, api := w.Account(ann), w.people()
	want := map[string]bool{account.Add(person("Al")): true, account.Add(person("Bo")): true}
	last := account.Add(person("Cy"))
	want[last] = true
	got := map[string]bool{}
	for page := ""; ; {
		reply := must(api.People.Connections.List("people/me").PersonFields("names").PageSize(1).RequestSyncToken(true).PageToken(page).Do())(t)
		for _, p := range reply.Connections {
			got[p.ResourceName] = true
		}
		if page = reply.NextPageToken; page == "" {
			break
		}
		for range 3 {
			account.Edit(last, func(p *people.Person) { p.Names[0].GivenName += "!" })
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestFull_lists_have_a_quota_of_their_own(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{FullSyncPerMinute: 2})
	l := listing{t, w.people(), 100}
	_, token := l.read("")
	l.read("")
	l.read(token)
	_, err := l.api.People.Connections.List("people/me").PersonFields("names").RequestSyncToken(true).Do()
	wantRefusal(t, err, 429, "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED")
	w.clock.pass(time.Minute)
	l.read("")
}

func TestA_list_shows_a_hundred_addresses_of_one_person(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	p := person("Tom")
	for i := range 130 {
		p.EmailAddresses = append(p.EmailAddresses, &people.EmailAddress{Value: fmt.Sprintf("tom%d@example.com", i)})
	}
	name := w.Account(ann).Add(p)
	api := w.people()
	list := must(api.People.Connections.List("people/me").PersonFields(fields).Do())(t)
	one := must(api.People.Get(name).PersonFields(fields).Do())(t)
	if len(list.Connections[0].EmailAddresses) != 100 || len(one.EmailAddresses) != 130 {
		t.Errorf("got %d and %d", len(list.Connections[0].EmailAddresses), len(one.EmailAddresses))
	}
}

func TestLists_are_sorted_as_asked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	account, api := w.Account(ann), w.people()
	for _, given := range []string{"Cy", "Al", "Bo"} {
		account.Add(person(given))
	}
	for order, want := range map[string]string{"LAST_MODIFIED_ASCENDING": "CyAlBo", "LAST_MODIFIED_DESCENDING": "BoAlCy", "FIRST_NAME_ASCENDING": "AlBoCy"} {
		got := ""
		for page := ""; ; {
			reply := must(api.People.Connections.List("people/me").PersonFields("names").SortOrder(order).PageSize(1).PageToken(page).Do())(t)
			got += reply.Connections[0].Names[0].GivenName
			if page = reply.NextPageToken; page == "" {
				break
			}
		}
		if got != want {
			t.Errorf("%s: got %s", order, got)
		}
	}
}

func TestNobody_is_missed_whatever_happens_between_the_pages(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, Options{WriteVisibility: time.Duration(rapid.IntRange(0, 2).Draw(rt, "delay")) * time.Minute})
		account, api := w.Account(ann), w.people()
		write := func() {
			list := account.People()
			switch what := rapid.IntRange(0, 4).Draw(rt, "write"); {
			case what < 2 || len(list) == 0:
				account.Add(person("New"))
			case what == 2:
				account.Delete(rapid.SampledFrom(list).Draw(rt, "deleted").ResourceName)
			default:
				account.Edit(rapid.SampledFrom(list).Draw(rt, "edited").ResourceName, func(p *people.Person) { p.Names[0].GivenName += "+" })
			}
		}
		copied, token := map[string]string{}, ""
		for range rapid.IntRange(1, 6).Draw(rt, "rounds") {
			for range rapid.IntRange(0, 4).Draw(rt, "before") {
				write()
			}
			for page := ""; ; {
				call := api.People.Connections.List("people/me").PersonFields("names,metadata").PageSize(2).RequestSyncToken(true)
				if token != "" {
					call.SyncToken(token)
				}
				reply, err := call.PageToken(page).Do()
				if err != nil {
					rt.Fatal(err)
				}
				for _, p := range reply.Connections {
					if delete(copied, p.ResourceName); !p.Metadata.Deleted {
						copied[p.ResourceName] = p.Names[0].GivenName
					}
				}
				if page = reply.NextPageToken; page == "" {
					token = reply.NextSyncToken
					break
				}
				if rapid.Bool().Draw(rt, "meanwhile") {
					write()
				}
			}
			w.clock.pass(time.Duration(rapid.IntRange(0, 90).Draw(rt, "pause")) * time.Second)
		}
		w.clock.pass(time.Hour / 4)
		changes, _ := listing{t, api, 100}.since(rt, token)
		for _, p := range changes {
			if delete(copied, p.ResourceName); !p.Metadata.Deleted {
				copied[p.ResourceName] = p.Names[0].GivenName
			}
		}
		there := map[string]string{}
		for _, p := range account.People() {
			there[p.ResourceName] = p.Names[0].GivenName
		}
		if diff := cmp.Diff(there, copied); diff != "" {
			rt.Error(diff)
		}
	})
}

// since reads what is left to be read with the parameters of the property above.
func (l listing) since(rt *rapid.T, token string) (found []*people.Person, next string) {
	for page := ""; ; {
		reply, err := l.api.People.Connections.List("people/me").PersonFields("names,metadata").PageSize(2).RequestSyncToken(true).
			SyncToken(token).PageToken(page).Do()
		if err != nil {
			rt.Fatal(err)
		}
		found = append(found, reply.Connections...)
		if page = reply.NextPageToken; page == "" {
			return found, reply.NextSyncToken
		}
	}
}

func TestA_saved_state_goes_on_where_it_ended(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	account, l := w.Account(ann), listing{t, w.people(), 100}
	name := account.Add(person("Tom"))
	former := account.Add(person("Tomas"))
	account.Merge(name, former)
	_, token := l.read("")
	linked := w.link(contacts)
	var saved bytes.Buffer
	if err := w.Save(&saved); err != nil {
		t.Fatal(err)
	}
	if err := w.Load(strings.NewReader("{}")); err == nil {
		t.Error("a state that is none was loaded")
	}
	again := newWorld(t, Options{})
	if err := again.Load(&saved); err != nil {
		t.Fatal(err)
	}
	again.Account(ann).Edit(former, func(p *people.Person) { p.Names[0].GivenName = "Tim" })
	status, body := again.call(linked, "GET", "/v1/people/me/connections?personFields="+fields+"&pageSize=100&sources="+contactSource+"&syncToken="+token, "")
	if status != 200 || !strings.Contains(body, name) || !strings.Contains(body, "Tim") {
		t.Errorf("got %d %s", status, body)
	}
	c := again.config()
	must(c.TokenSource(again.context(), &oauth2.Token{RefreshToken: linked.RefreshToken}).Token())(t)
	_, _, before := w.get(w.url + "/oauth2/v3/certs")
	if _, _, after := again.get(again.url + "/oauth2/v3/certs"); before != after {
		t.Error("the signing key is another one")
	}
}
