package app_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
	"github.com/tandem-sync/tandem/shared/store"
)

// asked are the contacts about which the user is asked, by their names.
func (w *world) asked() (out []string) {
	w.t.Helper()
	var doubts []struct{ Creatio, Google string }
	w.call(http.MethodGet, "/contacts/pairs", nil, 200, &doubts)
	for _, d := range doubts {
		out = append(out, d.Creatio+" = "+d.Google)
	}
	slices.Sort(out)
	return out
}

func verdict(creatioID, googleID string, same bool) map[string]any {
	return map[string]any{"creatioId": creatioID, "googleId": googleID, "same": same}
}

// userRuns counts the runs that the user asked for.
func (w *world) userRuns() (n int) {
	w.t.Helper()
	var runs []store.Run
	w.call(http.MethodGet, "/runs?limit=100", nil, 200, &runs)
	for _, r := range runs {
		if r.Trigger == "user" {
			n++
		}
	}
	return n
}

// Ada has two contacts in doubt, one that is linked and one of Google that is none of Tandem's.
func TestWhat_a_user_says_of_two_contacts_is_taken_or_refused_for_what_is_known_of_them(t *testing.T) {
	t.Parallel()
	for name, changes := range map[string][]change{"bolt": nil, "firestore": {onFirestore(t)}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, changes...)
			tag := w.tag("Ada", private)
			ids := map[string]string{"Lovelace": w.contact("Ada Lovelace", "office@example.com"), "Hopper": w.contact("Grace Hopper", "hopper@example.com")}
			stranger := w.contact("Alan Turing", "turing@example.com")
			for _, id := range ids {
				w.tagged(tag, id)
			}
			babbage, clement := w.person("Charles", "Babbage", "office@example.com"), w.person("Joseph", "Clement", "office@example.com")
			hopper, other := w.person("Grace", "Hopper", "hopper@example.com"), w.person("Emmy", "Noether", "noether@example.com")
			w.link()
			w.call(http.MethodPost, "/contacts/pairs", verdict(ids["Lovelace"], babbage, true), 409, nil)
			w.choose(tag)
			run := w.sync("done")
			if got, want := w.asked(), []string{"Ada Lovelace = Charles Babbage", "Ada Lovelace = Joseph Clement"}; !slices.Equal(got, want) {
				t.Fatalf("the user is asked about %q, want %q", got, want)
			}
			for _, p := range run.Problems {
				if p.Code != "doubt" || p.CreatioID != ids["Lovelace"] || p.GoogleID != babbage && p.GoogleID != clement {
					t.Errorf("the run lists %+v", p)
				}
			}

			for _, c := range []struct {
				what   string
				body   map[string]any
				status int
				code   string
			}{
				{"a contact that nobody knows", verdict("00000000-0000-0000-0000-000000000001", babbage, true), 404, "not-found"},
				{"a contact of Creatio without the tag", verdict(stranger, babbage, true), 404, "not-found"},
				{"a contact of Google that is none of Tandem's", verdict(ids["Lovelace"], other, true), 404, "not-found"},
				{"two that have nothing to do with each other", verdict(ids["Hopper"], babbage, false), 409, "not-a-pair"},
				{"one that is linked with another", verdict(ids["Lovelace"], hopper, true), 409, "not-a-pair"},
				{"no id", verdict("", babbage, true), 422, "invalid"},
				{"two that are linked, as the same", verdict(ids["Hopper"], hopper, true), 204, ""},
			} {
				a := w.do(http.MethodPost, "/settings/api/v1/contacts/pairs", c.body)
				if a.status != c.status || c.code != "" && !strings.Contains(a.body, `"code":"`+c.code+`"`) {
					t.Errorf("%s: got %d %s, want %d %s", c.what, a.status, a.body, c.status, c.code)
				}
			}
			adas := w.id
			back := w.asBo()
			w.choose(w.tag("Bo", private))
			w.sync("done")
			w.call(http.MethodPost, "/contacts/pairs", verdict(ids["Lovelace"], babbage, true), 404, nil)
			back()
			w.id = adas
			if n := w.userRuns(); n != 0 {
				t.Errorf("what was refused or is so already had %d runs be made", n)
			}

			w.call(http.MethodPost, "/contacts/pairs", verdict(strings.ToUpper(ids["Lovelace"]), clement, true), 204, nil)
			w.settle()
			if got := w.asked(); len(got) != 0 {
				t.Errorf("the user is still asked about %q", got)
			}
			w.call(http.MethodPost, "/contacts/pairs", verdict(ids["Lovelace"], babbage, true), 404, nil)
			w.call(http.MethodPost, "/contacts/pairs", verdict(ids["Lovelace"], hopper, true), 409, nil)
			if got, want := len(w.google.Account(ada).People()), 4; got != want {
				t.Errorf("google has %d contacts, want %d", got, want)
			}
			w.pass(time.Hour)
			w.silent()
		})
	}
}

func TestWhat_is_said_while_a_run_goes_is_one_runs_work(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tag := w.tag("Ada", private)
	lovelace := w.contact("Ada Lovelace", "office@example.com")
	w.tagged(tag, lovelace)
	var others []string
	for _, name := range []string{"Charles Babbage", "Joseph Clement", "Grace Hopper"} {
		given, family, _ := strings.Cut(name, " ")
		others = append(others, w.person(given, family, "office@example.com"))
	}
	w.link()
	w.choose(tag)
	w.sync("done")

	begun, released := make(chan struct{}), make(chan struct{})
	var once sync.Once
	w.google.SetFault(func(*http.Request) *googlebox.Fault {
		once.Do(func() {
			close(begun)
			<-released
		})
		return nil
	})
	said := func(id string) { w.call(http.MethodPost, "/contacts/pairs", verdict(lovelace, id, false), 204, nil) }
	said(others[0])
	<-begun
	said(others[1])
	said(others[2])
	var first, second struct{ Run string }
	w.call(http.MethodPost, "/contacts/sync", nil, 202, &first)
	w.call(http.MethodPost, "/contacts/sync", nil, 202, &second)
	close(released)
	w.settle()
	if n := w.userRuns(); n != 2 || first != second {
		t.Errorf("there are %d runs, want the one that was under way and one for what was said since; asked for twice they are %s and %s", n, first.Run, second.Run)
	}
	if got := w.asked(); len(got) != 0 || len(w.members()) != 1 {
		t.Errorf("the user is asked about %q, in the group are %q", got, w.members())
	}
	w.silent()
}
