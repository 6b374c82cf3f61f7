package storetest

import (
	"slices"
	"strings"
	"testing"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

var otherTests = map[string]func(*testing.T, store.Store){
	"users are found by their contacts and by the addresses of their accounts": func(t *testing.T, s store.Store) {
		for id, p := range map[string]store.Profile{
			"ada": {Google: store.GoogleAccount{Email: "Ada@Example.com"}, Creatio: store.CreatioAccount{ContactID: "0F7F1A3E"}},
			"bob": {Google: store.GoogleAccount{Email: "bob@example.com"}, Creatio: store.CreatioAccount{ContactID: "c2"}},
			"eve": {},
		} {
			must(t, signedIn(t, s, id).UpdateProfile(t.Context(), func(kept *store.Profile) error {
				kept.CreatedAt, kept.Google, kept.Creatio = noon, p.Google, p.Creatio
				return nil
			}))
		}
		for name, row := range map[string]struct {
			contacts, addresses []string
			want                string
		}{
			"a contact":           {[]string{"0f7f1a3e", "unknown"}, nil, "ada"},
			"an address":          {nil, []string{"BOB@example.com", ""}, "bob"},
			"both of one user":    {[]string{"c2"}, []string{"bob@example.com"}, "bob"},
			"two users":           {[]string{"c2"}, []string{"ada@example.com"}, "ada bob"},
			"nobody":              {[]string{"bob@example.com"}, []string{"c2"}, ""},
			"nothing":             {[]string{""}, []string{""}, ""},
			"more than one query": {append(make([]string, 0), slices.Repeat([]string{"c2", "c3"}, 40)...), nil, "bob"},
		} {
			found, err := s.FindUsers(t.Context(), row.contacts, row.addresses)
			must(t, err)
			var ids []string
			for _, p := range found {
				ids = append(ids, p.ID)
			}
			slices.Sort(ids)
			if got := strings.Join(ids, " "); got != row.want {
				t.Errorf("%s: found %q, want %q", name, got, row.want)
			}
		}
	},

	"a user who has another account is found by that one alone": func(t *testing.T, s store.Store) {
		change := func(email, contact string) {
			must(t, signedIn(t, s, "ada").UpdateProfile(t.Context(), func(p *store.Profile) error {
				p.CreatedAt, p.Google.Email, p.Creatio.ContactID = noon, email, contact
				return nil
			}))
		}
		change("ada@example.com", "c1")
		change("ada@example.org", "")
		found, err := s.FindUsers(t.Context(), []string{"c1"}, []string{"ada@example.com"})
		must(t, err)
		same(t, "users", found, []store.Profile(nil))
		found, err = s.FindUsers(t.Context(), nil, []string{"ada@example.org"})
		must(t, err)
		if len(found) != 1 {
			t.Errorf("found %+v", found)
		}
		must(t, s.User("ada").Erase(t.Context()))
		found, err = s.FindUsers(t.Context(), nil, []string{"ada@example.org"})
		must(t, err)
		same(t, "users after the user was erased", found, []store.Profile(nil))
	},

	"copies of a record are found in everybody's links": func(t *testing.T, s store.Store) {
		ada, bob := signedIn(t, s, "ada"), signedIn(t, s, "bob")
		for _, u := range []store.User{ada, bob} {
			must(t, profile(t.Context(), u))
		}
		lease := acquire(t, ada, "run1")
		mine := store.Link{
			ID: "l1", CreatioID: "c1", GoogleID: "e1", Active: true, Shared: "meeting", Carries: true, Private: true,
			Sides: map[record.Side]store.LinkSide{record.Google: {Since: noon}},
		}
		must(t, putLinks(t.Context(), ada, record.Contacts, lease, []store.Link{mine, {ID: "l2", CreatioID: "c2", GoogleID: "e2", Active: true}}))
		must(t, putLinks(t.Context(), bob, record.Contacts, acquire(t, bob, "run2"), []store.Link{
			{ID: "l1", CreatioID: "c1", GoogleID: "e1", Active: true, Shared: "meeting"},
			{ID: "l3", CreatioID: "c1", GoogleID: "e3", Shared: "meeting"},
		}))
		want := []store.Copy{{User: "ada", CreatioID: "c1", Shared: "meeting", Active: true, Carries: true, Since: noon, Private: true}, {User: "bob", CreatioID: "c1", Shared: "meeting", Active: true}}
		find := func(typ record.Type, shared, ids []string) []store.Copy {
			found, err := s.Copies(t.Context(), typ, shared, ids)
			must(t, err)
			slices.SortFunc(found, func(a, b store.Copy) int { return strings.Compare(a.User, b.User) })
			return found
		}
		same(t, "copies by what they share", find(record.Contacts, []string{"meeting", "another", ""}, nil), want)
		same(t, "copies by the record", find(record.Contacts, nil, []string{"c1", "c2", "c9"}), want)
		same(t, "copies by both", find(record.Contacts, []string{"meeting"}, []string{"c1"}), want)
		same(t, "copies of another type", find(record.Activities, []string{"meeting"}, []string{"c1"}), []store.Copy(nil))
		mine.Active = false
		must(t, putLinks(t.Context(), ada, record.Contacts, lease, []store.Link{mine}))
		want[0].Active = false
		same(t, "copies after the one that carried it left", find(record.Contacts, []string{"meeting"}, nil), want)
		mine.SplitSide = record.Google
		must(t, putLinks(t.Context(), ada, record.Contacts, lease, []store.Link{mine}))
		want[0].Retained = true
		same(t, "copies after its event was deleted and the record kept", find(record.Contacts, []string{"meeting"}, nil), want)
		must(t, putLinks(t.Context(), ada, record.Contacts, lease, []store.Link{{ID: "l4", CreatioID: "c4", GoogleID: "e4", Shared: "visit", Pending: record.Creatio}}))
		same(t, "copies from which a record is being made", find(record.Contacts, nil, []string{"c4"}), []store.Copy{{User: "ada", CreatioID: "c4", Shared: "visit", Begun: true}})
		must(t, ada.Erase(t.Context()))
		must(t, bob.Erase(t.Context()))
		same(t, "copies after the other was erased", find(record.Contacts, nil, []string{"c1"}), []store.Copy(nil))
	},
}
