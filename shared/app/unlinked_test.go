package app_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/app"
	"github.com/tandem-sync/tandem/shared/record"
	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/bolt"
)

// days passes days, with a tick of each job in every one.
func (w *world) days(n int) {
	w.t.Helper()
	for range n {
		w.pass(24 * time.Hour)
		w.tick()
	}
}

// exported is what the export says of links and runs.
func (w *world) exported() (out struct {
	ForgetAt time.Time
	Links    map[record.Type][]store.Link
	Runs     []store.Run
},
) {
	w.t.Helper()
	w.visit("/settings/sign-in")
	a := w.do(http.MethodGet, "/settings/api/v1/export", nil)
	if err := json.Unmarshal([]byte(a.body), &out); err != nil {
		w.t.Fatalf("%v: %d %s", err, a.status, a.body)
	}
	return out
}

// unlinkable is a world with two pairs of contacts.
func unlinkable(t *testing.T, changes ...change) (w *world, tag string) {
	t.Helper()
	w = newWorld(t, changes...)
	tag = w.tag("Ada", private)
	for _, name := range []string{"Hopper", "Turing"} {
		w.tagged(tag, w.contact("Some "+name, strings.ToLower(name)+"@example.com"))
	}
	w.link()
	w.choose(tag)
	w.sync("done")
	return w, tag
}

func TestLinks_and_history_are_forgotten_after_an_account_was_unlinked_for_long(t *testing.T) {
	t.Parallel()
	for name, changes := range map[string][]change{"bolt": nil, "firestore": {onFirestore(t)}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, tag := unlinkable(t, append(changes, func(env map[string]string, _ *creatiobox.Options, _ *app.Options) { env["UNLINKED_DAYS"] = "3" })...)
			w.call(http.MethodDelete, "/creatio", nil, 204, nil)
			until := w.now().Add(3 * 24 * time.Hour)
			if a := w.visit("/settings"); !strings.Contains(a.body, until.UTC().Format("2006-01-02T15:04")) {
				t.Errorf("the page does not say until when everything is kept: %s", a.body)
			}
			w.days(2)
			if k := w.exported(); len(k.Links[record.Contacts]) != 2 || len(k.Runs) == 0 || !k.ForgetAt.Equal(until) {
				t.Fatalf("a day before: %d links, %d runs, until %v", len(k.Links[record.Contacts]), len(k.Runs), k.ForgetAt)
			}
			w.days(2)
			if k := w.exported(); len(k.Links[record.Contacts]) != 0 || len(k.Runs) != 0 || !k.ForgetAt.IsZero() {
				t.Fatalf("a day after: %d links, %d runs, until %v", len(k.Links[record.Contacts]), len(k.Runs), k.ForgetAt)
			}
			if a := w.account(); a.Contacts.TagID != tag {
				t.Errorf("the settings are gone: %+v", a.Contacts)
			}
			if got := w.tickAfter(24 * time.Hour); got != `{"due":0,"queued":0}` {
				t.Errorf("nothing is left to be done, and a tick finds %s", got)
			}
			// Whoever comes back begins anew, with everybody once.
			w.link()
			run := w.sync("done")
			if run.Counts.Matched != 2 || len(w.google.Account(ada).People()) != 2 {
				t.Errorf("after coming back: %s, google has %d people", summary(run), len(w.google.Account(ada).People()))
			}
			w.silent()
		})
	}
}

func TestWho_links_again_in_time_keeps_links_and_history(t *testing.T) {
	t.Parallel()
	for name, unlink := range map[string][]string{"Google": {"/google"}, "Creatio": {"/creatio"}, "both": {"/creatio", "/google"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _ := unlinkable(t)
			for _, side := range unlink {
				w.call(http.MethodDelete, side, nil, 204, nil)
				w.days(3)
			}
			w.days(80)
			w.link()
			w.days(20)
			k := w.exported()
			if len(k.Links[record.Contacts]) != 2 || len(k.Runs) == 0 || !k.ForgetAt.IsZero() {
				t.Errorf("%d links, %d runs, until %v", len(k.Links[record.Contacts]), len(k.Runs), k.ForgetAt)
			}
			if runs := len(k.Runs); runs > 3 {
				t.Errorf("there are %d runs: somebody synchronized without being asked", runs)
			}
			w.silent()
		})
	}
}

func TestA_run_that_goes_while_links_are_to_be_forgotten_is_waited_for(t *testing.T) {
	t.Parallel()
	w, _ := unlinkable(t)
	w.call(http.MethodDelete, "/creatio", nil, 204, nil)
	w.days(89)
	// A run of before that still goes, as far as anybody knows.
	w.documents(func(u store.User) error {
		_, _, err := u.Acquire(t.Context(), record.Activities, "run", w.now(), 49*time.Hour)
		return err
	})
	w.days(2)
	if k := w.exported(); len(k.Links[record.Contacts]) != 2 {
		t.Errorf("%d links are left while a run goes", len(k.Links[record.Contacts]))
	}
	w.days(2)
	if k := w.exported(); len(k.Links[record.Contacts]) != 0 {
		t.Errorf("%d links are left", len(k.Links[record.Contacts]))
	}
}

// documents changes the user's documents while Tandem does not run.
func (w *world) documents(f func(store.User) error) {
	w.t.Helper()
	w.stop()
	s, err := bolt.Open(strings.TrimPrefix(w.env["STORE"], "bolt:"))
	if err == nil {
		err = errors.Join(f(s.User(w.id)), s.Close())
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.start()
}

// A former version did not note when an account was unlinked.
func TestLinks_that_a_former_version_kept_for_ever_are_forgotten_too(t *testing.T) {
	t.Parallel()
	w, _ := unlinkable(t)
	w.call(http.MethodDelete, "/creatio", nil, 204, nil)
	w.documents(func(u store.User) error {
		return errors.Join(
			u.UpdateProfile(t.Context(), func(p *store.Profile) error { p.UnlinkedAt = time.Time{}; return nil }),
			u.UpdateSync(t.Context(), record.Contacts, func(d *store.Sync) error { d.Due = time.Time{}; return nil }),
		)
	})
	w.days(88)
	if k := w.exported(); len(k.Links[record.Contacts]) != 2 {
		t.Errorf("%d links are left", len(k.Links[record.Contacts]))
	}
	w.days(5)
	if k := w.exported(); len(k.Links[record.Contacts]) != 0 {
		t.Errorf("%d links are left", len(k.Links[record.Contacts]))
	}
}
