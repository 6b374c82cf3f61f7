package app_test

import (
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/api/people/v1"

	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
)

// colleague is a user besides Ada, at a browser of their own.
type colleague struct {
	email, login, tag string
	browser           *http.Client
}

// duo is a world in which Ada and Bo are linked, each with a private tag and a group of their own.
func duo(t *testing.T) (w *world, a, b *colleague) {
	t.Helper()
	w = newWorld(t)
	w.google.AddUser(googlebox.User{Email: bo, Name: "Bo", EmailVerified: true, HostedDomain: "example.com"})
	a, b = &colleague{email: ada, login: "Ada"}, &colleague{email: bo, login: "Bo"}
	for _, c := range []*colleague{a, b} {
		c.tag, c.browser = w.tag(c.login, private), newBrowser(t)
		w.as(c, func() {
			w.google.AutoConsent(c.email)
			w.creatio.AutoConsent(c.login)
			w.link()
			w.choose(c.tag)
			w.sync("done")
		})
	}
	return w, a, b
}

// as does something at somebody's browser.
func (w *world) as(c *colleague, do func()) {
	w.t.Helper()
	was := w.browser
	w.browser = c.browser
	defer func() { w.browser = was }()
	do()
}

// adds has somebody add a contact to their group in Google.
func (w *world) adds(c *colleague, given, family, email string) {
	account := w.google.Account(c.email)
	id := account.Add(&people.Person{
		Names:          []*people.Name{{GivenName: given, FamilyName: family}},
		EmailAddresses: []*people.EmailAddress{{Value: email, Type: "work"}},
	})
	for _, g := range account.Groups() {
		if g.Name == "Creatio" {
			account.AddToGroup(id, g.ResourceName)
		}
	}
}

// title gives somebody's only contact a job title in Google.
func (w *world) title(c *colleague, title string) {
	account := w.google.Account(c.email)
	account.Edit(account.People()[0].ResourceName, func(p *people.Person) { p.Organizations = []*people.Organization{{Title: title}} })
	w.pass(5 * time.Minute)
}

// holders are who has tagged the only contact of a name; more contacts than one are an error.
func (w *world) holders(name string) (id string, tags []string) {
	w.t.Helper()
	found := w.creatio.System().Rows("Contact", map[string]any{"Name": name})
	if len(found) != 1 {
		w.t.Fatalf("creatio has %s %d times", name, len(found))
	}
	id, _ = found[0]["Id"].(string)
	for _, r := range w.creatio.System().Rows("ContactInTag", map[string]any{"EntityId": id}) {
		tag, _ := r["TagId"].(string)
		tags = append(tags, tag)
	}
	slices.Sort(tags)
	return id, tags
}

// Bo's run begins at any request of Ada's run to Creatio, and ends before that is answered.
func TestTwo_who_add_the_same_person_at_the_same_time_have_one_contact(t *testing.T) {
	t.Parallel()
	for name, lost := range map[string]bool{"both runs go on": false, "the answer to the first one's request is lost": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for n, reached := int64(1), true; reached; n++ {
				w, a, b := duo(t)
				w.adds(a, "Grace", "Hopper", "grace@example.com")
				w.adds(b, "Grace", "Hopper", "grace@example.com")
				var at atomic.Int64
				w.creatio.SetFault(func(r *http.Request) *creatiobox.Fault {
					if at.Add(1) != n {
						return nil
					}
					w.as(b, func() { w.sync("done") })
					if lost {
						return &creatiobox.Fault{Drop: true, After: true}
					}
					return nil
				})
				w.as(a, func() { w.do(http.MethodPost, "/sync-contacts", map[string]string{"user": w.account().ID}) })
				w.creatio.SetFault(nil)
				reached = at.Load() >= n
				for range 2 {
					for _, c := range []*colleague{a, b} {
						w.as(c, func() { w.sync("done") })
					}
				}
				want := []string{a.tag, b.tag}
				slices.Sort(want)
				if _, tags := w.holders("Grace Hopper"); !slices.Equal(tags, want) {
					t.Fatalf("request %d: the contact is tagged %v, want %v", n, tags, want)
				}
				for _, c := range []*colleague{a, b} {
					if got := len(w.google.Account(c.email).People()); got != 1 {
						t.Fatalf("request %d: %s has %d contacts in Google", n, c.login, got)
					}
				}
			}
		})
	}
}

// Ada's run tries again and again, and each time claims the person anew.
func TestWho_may_not_add_a_person_to_Creatio_keeps_nobody_from_it(t *testing.T) {
	t.Parallel()
	w, a, b := duo(t)
	w.adds(a, "Grace", "Hopper", "grace@example.com")
	w.adds(b, "Grace", "Hopper", "grace@example.com")
	w.creatio.Deny("Ada", "Contact", creatiobox.Insert)
	w.as(a, func() { w.sync("partial") })
	w.as(b, func() {
		if run := w.sync("done"); run.Counts.Creatio.Created != 1 {
			t.Errorf("Bo's run did %+v", run.Changes)
		}
	})
	w.pass(time.Hour)
	w.as(a, func() { w.sync("done") })
	want := []string{a.tag, b.tag}
	slices.Sort(want)
	if _, tags := w.holders("Grace Hopper"); !slices.Equal(tags, want) {
		t.Errorf("the contact is tagged %v, want %v", tags, want)
	}
}

func TestOf_two_edits_of_one_contact_the_latest_wins_in_whatever_order_they_are_synchronized(t *testing.T) {
	t.Parallel()
	for name, laterFirst := range map[string]bool{"the older edit first": false, "the later edit first": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, a, b := duo(t)
			w.adds(b, "Grace", "Hopper", "grace@example.com")
			w.as(b, func() { w.sync("done") })
			id, _ := w.holders("Grace Hopper")
			w.row("Ada", "ContactInTag", map[string]any{"TagId": a.tag, "EntityId": id})
			w.as(a, func() { w.sync("done") })
			w.pass(time.Hour)

			w.title(b, "Clerk")
			w.title(a, "Countess")
			order := []*colleague{b, a}
			if laterFirst {
				slices.Reverse(order)
			}
			for range 2 {
				for _, c := range order {
					w.as(c, func() { w.sync("done") })
				}
			}
			title, _ := w.creatio.As("Ada").Get("Contact", id)["JobTitle"].(string)
			got := []string{title}
			for _, c := range order {
				got = append(got, w.google.Account(c.email).People()[0].Organizations[0].Title)
			}
			if want := []string{"Countess", "Countess", "Countess"}; !slices.Equal(got, want) {
				t.Errorf("the titles are %q, want %q", got, want)
			}
		})
	}
}
