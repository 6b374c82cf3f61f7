package app_test

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/api/people/v1"

	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
)

// amid makes a run, in the middle of whose n-th request to either side something happens, and which is cut off with that
// request where lost. It is false where the run had fewer.
func (w *world) amid(n int64, lost bool, happens func()) bool {
	w.t.Helper()
	var at atomic.Int64
	due := func() bool {
		if at.Add(1) != n {
			return false
		}
		happens()
		return lost
	}
	w.google.SetFault(func(*http.Request) *googlebox.Fault {
		if due() {
			return &googlebox.Fault{Drop: true, After: true}
		}
		return nil
	})
	w.creatio.SetFault(func(*http.Request) *creatiobox.Fault {
		if due() {
			return &creatiobox.Fault{Drop: true, After: true}
		}
		return nil
	})
	w.pass(5 * time.Minute)
	w.post(`{"user":"` + w.id + `"}`)
	w.google.SetFault(nil)
	w.creatio.SetFault(nil)
	return at.Load() >= n
}

// saves saves settings of the contacts, the others being those of choose.
func (w *world) saves(settings map[string]any) {
	w.t.Helper()
	all := map[string]any{"automatic": true, "intervalMinutes": 15, "tagId": w.account().Contacts.TagID, "direction": "both", "conflicts": "latest"}
	for name, value := range settings {
		all[name] = value
	}
	w.call(http.MethodPut, "/contacts", all, 200, nil)
}

// whole makes runs until one has nothing to do.
func (w *world) whole() {
	w.t.Helper()
	for range 3 {
		w.pass(10 * time.Minute)
		w.sync("done")
	}
	w.silent()
}

// The settings are saved at any request of a run, which takes somebody out, brings somebody in and carries an edit each way.
func TestAnother_tag_that_is_chosen_while_a_run_goes_counts_from_the_next_run(t *testing.T) {
	t.Parallel()
	for name, lost := range map[string]bool{"the run goes on": false, "the answer to the request is lost": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for n, reached := int64(1), true; reached; n++ {
				w := newWorld(t)
				former, tag := w.tag("Ada", private), w.row("Ada", "ContactTag", map[string]any{"Name": "Friends", "TypeId": private})
				ids := map[string]string{}
				for family, tags := range map[string][]string{
					"Lovelace": {former}, "Hopper": {former, tag}, "Turing": {former, tag}, "Noether": {tag}, "Curie": {former, tag},
				} {
					ids[family] = w.contact("Some "+family, strings.ToLower(family)+"@example.com")
					for _, id := range tags {
						w.tagged(id, ids[family])
					}
				}
				w.link()
				w.choose(former)
				w.sync("done")

				w.google.Account(ada).RemoveFromGroup(w.found("Curie").ResourceName, w.group())
				w.person("Some", "Meitner", "meitner@example.com", w.group())
				w.setTitle(ids["Lovelace"], "Countess")
				w.setTitle(ids["Hopper"], "Commodore")
				w.editTitle("Turing", "Fellow")
				reached = w.amid(n, lost, func() { w.saves(map[string]any{"tagId": tag}) })
				if !reached {
					w.saves(map[string]any{"tagId": tag})
				}
				if s := w.account().Contacts.State; !lost && (s.NextSync == nil || s.NextSync.After(w.now())) {
					t.Errorf("request %d: the new tag waits until %v", n, s.NextSync)
				}
				w.whole()

				in := w.members()
				in = slices.DeleteFunc(in, func(family string) bool { return family == "Meitner" })
				if want := []string{"Curie", "Hopper", "Noether", "Turing"}; !slices.Equal(in, want) {
					t.Errorf("request %d: in the group are %q, want %q", n, in, want)
				}
				if got := len(w.google.Account(ada).People()); got != 6 {
					t.Errorf("request %d: google has %d contacts", n, got)
				}
				wantTitles(t, w, ids["Hopper"], "Hopper", "Commodore / Commodore")
				wantTitles(t, w, ids["Turing"], "Turing", "Fellow / Fellow")
				for family, id := range ids {
					var tags []string
					for _, r := range w.creatio.System().Rows("ContactInTag", map[string]any{"EntityId": id}) {
						tags = append(tags, r["TagId"].(string))
					}
					if family != "Lovelace" && !slices.Contains(tags, tag) || family == "Lovelace" && !slices.Equal(tags, []string{former}) {
						t.Errorf("request %d: %s is tagged %q", n, family, tags)
					}
				}
				if found := w.creatio.System().Rows("Contact", map[string]any{"Name": "Some Meitner"}); len(found) > 1 {
					t.Errorf("request %d: creatio has Meitner %d times", n, len(found))
				}
			}
		})
	}
}

// editTitle gives a contact a job title in Google.
func (w *world) editTitle(family, title string) {
	w.google.Account(ada).Edit(w.found(family).ResourceName, func(p *people.Person) {
		p.Organizations = []*people.Organization{{Title: title}}
	})
}

func TestAnother_direction_that_is_chosen_while_a_run_goes_counts_from_the_next_run(t *testing.T) {
	t.Parallel()
	for n, reached := int64(1), true; reached; n++ {
		w := newWorld(t)
		id := w.contact("Ada Lovelace", "lovelace@example.com")
		tag := w.tag("Ada", private)
		w.tagged(tag, id)
		w.link()
		w.choose(tag)
		w.sync("done")

		w.editTitle("Lovelace", "Countess")
		reached = w.amid(n, false, func() { w.saves(map[string]any{"direction": "to-google"}) })
		wantTitles(t, w, id, "Lovelace", "Countess / Countess")
		if !reached {
			break
		}
		w.editTitle("Lovelace", "Baroness")
		w.whole()
		wantTitles(t, w, id, "Lovelace", "Countess / Baroness")

		w.setTitle(id, "Analyst")
		if !w.amid(min(n, 2), false, func() { w.saves(nil) }) {
			t.Errorf("request %d: the run had fewer requests", n)
		}
		w.whole()
		// Both were edited since they agreed last, and the latest edit wins.
		wantTitles(t, w, id, "Lovelace", "Analyst / Analyst")
	}
}

func TestA_tag_that_is_chosen_while_a_run_finds_the_former_one_gone_is_synchronized_by_itself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	former, tag := w.tag("Ada", private), w.row("Ada", "ContactTag", map[string]any{"Name": "Friends", "TypeId": private})
	w.tagged(former, w.contact("Ada Lovelace", "lovelace@example.com"))
	w.tagged(tag, w.contact("Grace Hopper", "hopper@example.com"))
	w.link()
	w.choose(former)
	w.sync("done")
	if err := w.creatio.As("Ada").Delete("ContactTag", former); err != nil {
		t.Fatal(err)
	}
	if !w.amid(1, false, func() { w.saves(map[string]any{"tagId": tag}) }) {
		t.Fatal("the run asked nothing")
	}
	if s := w.account().Contacts.State; s.Status == "off" || s.Problem != nil || s.NextSync == nil {
		t.Errorf("with another tag chosen the page shows %+v", s)
	}
	w.pass(time.Hour)
	w.tick()
	w.settle()
	if got := w.members(); !slices.Equal(got, []string{"Hopper"}) {
		t.Errorf("in the group are %q", got)
	}
}

func TestWho_left_the_group_before_another_tag_was_chosen_comes_in_with_that_tag(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	former, tag := w.tag("Ada", private), w.row("Ada", "ContactTag", map[string]any{"Name": "Friends", "TypeId": private})
	id := w.contact("Ada Lovelace", "lovelace@example.com")
	w.tagged(former, id)
	w.tagged(tag, id)
	w.tagged(former, w.contact("Grace Hopper", "hopper@example.com"))
	w.link()
	w.choose(former)
	w.sync("done")
	w.pass(time.Hour)
	account := w.google.Account(ada)
	for _, p := range account.People() {
		account.RemoveFromGroup(p.ResourceName, w.group())
	}
	w.pass(time.Hour)
	w.choose(tag)
	w.sync("done")
	w.whole()
	if got := w.members(); !slices.Equal(got, []string{"Lovelace"}) {
		t.Errorf("in the group are %q", got)
	}
	if got := w.creatio.System().Rows("ContactInTag", map[string]any{"EntityId": id, "TagId": tag}); len(got) != 1 {
		t.Errorf("the contact is under the new tag %d times", len(got))
	}
	// From then on who leaves leaves.
	for _, p := range account.People() {
		account.RemoveFromGroup(p.ResourceName, w.group())
	}
	w.pass(time.Hour)
	w.whole()
	if got := w.creatio.System().Rows("ContactInTag", map[string]any{"EntityId": id, "TagId": tag}); len(got) != 0 {
		t.Errorf("the contact that left is under the tag %d times", len(got))
	}
}

// A tag that nobody has yet shows as few as one that was never looked at.
func TestWho_chooses_a_tag_that_nobody_has_is_asked_about_those_of_the_former_one(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		// besides are the contacts beside the one that every such world has.
		besides []string
		want    string
		left    int
	}{
		"two leave":            {[]string{"Lovelace"}, "done", 0},
		"of three it is asked": {[]string{"Lovelace", "Turing"}, "held", 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := linkedWorld(t)
			former := w.account().Contacts.TagID
			for _, family := range tc.besides {
				w.tagged(former, w.contact("Some "+family, family+"@example.com"))
			}
			w.whole()
			w.pass(time.Hour)
			w.choose(w.tag("Ada", private))
			w.sync(tc.want)
			if got := w.members(); len(got) != tc.left {
				t.Errorf("in the group are %q", got)
			}
			w.choose(former)
			w.whole()
			if got := w.members(); len(got) != len(tc.besides)+1 || w.account().Contacts.State.Status != "ok" {
				t.Errorf("with the former tag again %q are in the group, the state is %+v", got, w.account().Contacts.State)
			}
		})
	}
}

// What the run had begun is fenced off, and nothing of it is left that the account could go on with.
func TestWho_erases_the_account_while_a_run_goes_and_links_again_has_everybody_once(t *testing.T) {
	t.Parallel()
	for n := int64(1); ; n++ {
		w := newWorld(t)
		tag := w.tag("Ada", private)
		w.tagged(tag, w.contact("Ada Lovelace", "lovelace@example.com"))
		w.tagged(tag, w.contact("Grace Hopper", "hopper@example.com"))
		w.link()
		w.choose(tag)
		w.whole()
		w.pass(time.Hour)
		w.tagged(tag, w.contact("Alan Turing", "turing@example.com"))
		w.visit("/settings/sign-in")
		reached := w.amid(n, false, func() { w.call(http.MethodDelete, "/account", nil, 204, nil) })
		w.link()
		w.choose(tag)
		w.whole()
		w.silent()
		if got := w.members(); !slices.Equal(got, []string{"Hopper", "Lovelace", "Turing"}) || len(w.google.Account(ada).People()) != 3 {
			t.Fatalf("erased amid request %d: in the group are %q, google has %d people", n, got, len(w.google.Account(ada).People()))
		}
		if !reached {
			if n < 5 {
				t.Errorf("the run had %d requests", n-1)
			}
			break
		}
	}
}
