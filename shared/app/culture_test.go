package app_test

import (
	"net/http"
	"strings"
	"testing"

	"google.golang.org/api/people/v1"

	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/bolt"
)

// profile changes what is kept about the user, while Tandem is stopped, and gives it.
func (w *world) profile(change func(*store.Profile)) (out store.Profile) {
	w.t.Helper()
	w.stop()
	defer w.start()
	s, err := bolt.Open(strings.TrimPrefix(w.env["STORE"], "bolt:"))
	if err != nil {
		w.t.Fatal(err)
	}
	err = s.User(w.id).UpdateProfile(w.t.Context(), func(p *store.Profile) error {
		change(p)
		out = *p
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		w.t.Fatal(err)
	}
	return out
}

func TestUsers_linked_before_cultures_were_kept_have_theirs_once_there_is_something_to_synchronize(t *testing.T) {
	t.Parallel()
	for _, auth := range []string{"user", "client"} {
		t.Run(auth, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, with("CREATIO_AUTH", auth))
			tag := w.tag("Ada", private)
			if auth == "client" {
				w.visit("/settings/sign-in")
				w.id = w.account().ID
			} else {
				w.link()
			}
			w.choose(tag)
			w.sync("done")
			w.silent()
			w.profile(func(p *store.Profile) { p.Creatio.Culture, p.Creatio.CultureKnown = "", false })
			w.silent()
			if calls := w.sync("done").Counts.Calls; calls.Google != 2 || calls.Creatio != 1 {
				t.Errorf("an idle run of somebody whose culture is not known made %+v", calls)
			}
			// Only in the United States 011 is what is dialled before the number of another country.
			id := w.contact("Grace Hopper", "grace@example.com")
			w.row("Ada", "ContactCommunication", map[string]any{"ContactId": id, "CommunicationTypeId": "3dddb3cc-53ee-49c4-a71f-e9e257f59e49", "Number": "020 7946 0101"})
			w.tagged(tag, id)
			w.google.Account(ada).Edit(w.person("Grace", "Hopper", "grace@example.com"), func(p *people.Person) {
				p.PhoneNumbers = []*people.PhoneNumber{{Value: "011 44 20 7946 0101", Type: "work"}}
			})
			w.sync("done")
			if p := w.found("Hopper"); len(p.PhoneNumbers) != 1 {
				t.Errorf("google has the number twice: %+v", p.PhoneNumbers)
			}
			if p := w.profile(func(*store.Profile) {}); p.Creatio.Culture != "en-US" || !p.Creatio.CultureKnown {
				t.Errorf("kept %q, known %v", p.Creatio.Culture, p.Creatio.CultureKnown)
			}
			w.silent()
		})
	}
}

func TestA_site_that_does_not_tell_a_users_culture_keeps_no_run_back(t *testing.T) {
	t.Parallel()
	w, _, contacts := twins(t, "Hopper")
	w.profile(func(p *store.Profile) { p.Creatio.Culture, p.Creatio.CultureKnown = "", false })
	w.creatio.SetFault(func(r *http.Request) *creatiobox.Fault {
		if strings.Contains(r.URL.Path, "UserInfoService") {
			return &creatiobox.Fault{Status: http.StatusNotFound}
		}
		return nil
	})
	if err := w.creatio.As("Ada").Update("Contact", contacts["Hopper"], map[string]any{"JobTitle": "Rear admiral"}); err != nil {
		t.Fatal(err)
	}
	w.sync("done")
	if p := w.found("Hopper"); len(p.Organizations) != 1 || p.Organizations[0].Title != "Rear admiral" {
		t.Errorf("google says of Hopper %+v", p.Organizations)
	}
}
