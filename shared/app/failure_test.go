package app_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
)

// post calls the sync function and gives what it answers.
func (w *world) post(body string) answer {
	w.t.Helper()
	w.pass(5 * time.Minute)
	return w.do(http.MethodPost, "/sync-contacts", body)
}

func TestRefused_consent_links_nothing_and_signs_nobody_in(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.google.RefuseConsent(ada, true)
	if a := w.visit("/settings/sign-in"); a.status != 200 || !strings.Contains(a.url, "problem=consent-denied") {
		t.Fatalf("ended at %s with %d", a.url, a.status)
	}
	w.call(http.MethodGet, "/account", nil, 401, nil)

	w.google.RefuseConsent(ada, false)
	w.creatio.RefuseConsent("Ada", true)
	w.visit("/settings/sign-in")
	if a := w.visit("/settings/link/creatio"); !strings.Contains(a.url, "problem=consent-denied") {
		t.Errorf("creatio refused: ended at %s", a.url)
	}
	if a := w.account(); !a.Google.Linked || a.Creatio.Linked {
		t.Errorf("got %+v", a)
	}
}

func TestAn_unticked_permission_is_noticed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.google.SetGrantedScopes(ada)
	if a := w.visit("/settings/sign-in"); !strings.Contains(a.url, "problem=scope-missing") {
		t.Errorf("ended at %s", a.url)
	}
	w.visit("/settings/link/creatio")
	w.choose(w.tag("Ada", private))
	w.sync("skipped scope-missing")
	w.call(http.MethodPost, "/contacts/sync", nil, 409, nil)
}

func TestA_state_that_is_unknown_used_or_another_browsers_links_nothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if a := w.visit("/oauth-callback?state=guess&code=guess"); a.status != 400 {
		t.Errorf("unknown: got %d", a.status)
	}
	if a := w.visit("/oauth-callback"); a.status != 400 {
		t.Errorf("none: got %d", a.status)
	}
	w.browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	consent := w.visit("/settings/sign-in").header.Get("Location")
	resp, err := w.browser.Get(consent)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	back := strings.TrimPrefix(resp.Header.Get("Location"), w.url)
	mine := w.browser
	w.browser = newBrowser(t)
	if a := w.visit(back); a.status != 400 {
		t.Errorf("another browser's: got %d", a.status)
	}
	w.browser.CheckRedirect = mine.CheckRedirect
	w.visit("/settings/sign-in")
	if a := w.visit(back); a.status != 400 {
		t.Errorf("that of another browser, which signs in itself: got %d", a.status)
	}
	w.browser = mine
	if a := w.visit(strings.Replace(back, "/oauth-callback", "/oauth-callback/creatio", 1)); a.status != 400 {
		t.Errorf("at the address of Creatio: got %d", a.status)
	}
	if a := w.visit(back); a.status != 303 {
		t.Errorf("the right one: got %d %s", a.status, a.body)
	}
	if a := w.visit(back); a.status != 400 {
		t.Errorf("used: got %d", a.status)
	}
}

func TestWho_is_not_allowed_leaves_no_trace(t *testing.T) {
	t.Parallel()
	w := newWorld(t, with("ALLOWED_DOMAINS", "example.org"))
	if a := w.visit("/settings/sign-in"); a.status != 403 {
		t.Errorf("another domain: got %d at %s", a.status, a.url)
	}
	w.call(http.MethodGet, "/account", nil, 401, nil)
}

func TestAn_unknown_user_and_a_body_of_another_form_do_nothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if a := w.post(`{"user":"nobody"}`); a.status != 200 || !strings.Contains(a.body, `"status":"skipped","reason":"unknown-user"`) {
		t.Errorf("unknown user: %d %s", a.status, a.body)
	}
	for _, body := range []string{`{"user":7}`, `{"users":"x"}`, `[`} {
		if a := w.post(body); a.status != 400 || !strings.HasPrefix(a.header.Get("Content-Type"), "application/problem+json") {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
	}
	if a := w.post(`{}`); a.status != 200 || strings.TrimSpace(a.body) != `{"due":0,"queued":0}` {
		t.Errorf("nobody due: %d %s", a.status, a.body)
	}
}

func TestDue_users_are_handed_to_the_queue_and_run(t *testing.T) {
	t.Parallel()
	w, _, _ := twins(t, "Hopper")
	before := *w.account().Contacts.State.LastSync
	w.pass(time.Hour)
	if a := w.post(""); strings.TrimSpace(a.body) != `{"due":1,"queued":1}` {
		t.Errorf("got %d %s", a.status, a.body)
	}
	if err := w.app.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := *w.account().Contacts.State.LastSync; !after.After(before) {
		t.Errorf("the last synchronization stays at %s", after)
	}
	if a := w.do(http.MethodPost, "/sync-contacts", "{}"); strings.TrimSpace(a.body) != `{"due":0,"queued":0}` {
		t.Errorf("at once again: got %s", a.body)
	}
}

func TestTokens_that_expire_are_renewed_without_a_word(t *testing.T) {
	t.Parallel()
	w, _, _ := twins(t, "Hopper")
	for range 3 {
		w.pass(2 * time.Hour)
		w.google.ExpireTokens()
		w.creatio.ExpireTokens()
		w.silent()
	}
}

func TestA_grant_that_was_taken_back_asks_to_connect_again_and_loses_nothing(t *testing.T) {
	t.Parallel()
	for side, revoke := range map[string]func(*world){
		"google":  func(w *world) { w.google.RevokeGrant(ada) },
		"creatio": func(w *world) { w.creatio.RevokeGrant("Ada") },
	} {
		w, tag, _ := twins(t, "Hopper")
		w.tagged(tag, w.contact("Some Turing", "turing@example.com"))
		revoke(w)
		w.sync("reconnect")
		a := w.account()
		if a.Contacts.State.Status != "reconnect" || a.Contacts.State.Problem == nil || (side == "google") != a.Google.Reconnect || (side == "creatio") != a.Creatio.Reconnect {
			t.Errorf("%s: got %+v", side, a)
		}
		w.link()
		if a := w.account(); a.Google.Reconnect || a.Creatio.Reconnect {
			t.Errorf("%s: linked again, and still %+v", side, a)
		}
		run := w.sync("done")
		if got, want := summary(run), "creatio +0 ~0 -0 google +1 ~0 -0 matched 0 failed 0"; got != want {
			t.Errorf("%s: linked again: got %s, want %s", side, got, want)
		}
		w.silent()
	}
}

func TestA_side_that_cannot_be_reached_is_tried_again_and_loses_nothing(t *testing.T) {
	t.Parallel()
	for side, fail := range map[string]func(*world, bool){
		"google": func(w *world, on bool) {
			w.google.SetFault(nil)
			if on {
				w.google.SetFault(func(r *http.Request) *googlebox.Fault {
					if strings.HasPrefix(r.URL.Path, "/v1/") {
						return &googlebox.Fault{Status: 503, Header: http.Header{"Retry-After": {"120"}}}
					}
					return nil
				})
			}
		},
		"creatio": func(w *world, on bool) {
			w.creatio.SetFault(nil)
			if on {
				w.creatio.SetFault(func(*http.Request) *creatiobox.Fault {
					return &creatiobox.Fault{Status: 503, Header: http.Header{"Retry-After": {"120"}}}
				})
			}
		},
	} {
		w, tag, _ := twins(t, "Hopper")
		w.tagged(tag, w.contact("Some Turing", "turing@example.com"))
		fail(w, true)
		a := w.post(`{"user":"` + w.account().ID + `"}`)
		if a.status != 503 || a.header.Get("Retry-After") != "120" || !strings.Contains(a.body, `"status":"retry"`) {
			t.Errorf("%s: got %d %v %s", side, a.status, a.header, a.body)
		}
		if s := w.account().Contacts.State; s.Status != "failing" || s.Failing != 1 || s.Problem == nil {
			t.Errorf("%s: got state %+v", side, s)
		}
		fail(w, false)
		run := w.sync("done")
		if got, want := summary(run), "creatio +0 ~0 -0 google +1 ~0 -0 matched 0 failed 0"; got != want {
			t.Errorf("%s: back again: got %s, want %s", side, got, want)
		}
		if s := w.account().Contacts.State; s.Status != "ok" || s.Failing != 0 || s.Problem != nil {
			t.Errorf("%s: back again: got state %+v", side, s)
		}
		w.silent()
	}
}

func TestA_lost_answer_to_a_write_makes_nothing_twice(t *testing.T) {
	t.Parallel()
	w, tag, _ := twins(t, "Hopper")
	w.tagged(tag, w.contact("Some Turing", "turing@example.com"))
	w.person("Emmy", "Noether", "emmy@example.com", w.group())
	w.google.SetFault(func(r *http.Request) *googlebox.Fault {
		if strings.HasSuffix(r.URL.Path, ":batchCreateContacts") {
			return &googlebox.Fault{Drop: true, After: true}
		}
		return nil
	})
	w.post(`{"user":"` + w.account().ID + `"}`)
	w.google.SetFault(nil)
	w.pass(time.Hour)
	w.post(`{"user":"` + w.account().ID + `"}`)
	if n := len(w.google.Account(ada).People()); n != 3 {
		t.Errorf("google has %d people", n)
	}
	if got := len(w.members()); got != 3 {
		t.Errorf("the group has %q", w.members())
	}
	w.silent()
}

func TestAn_idle_run_asks_little(t *testing.T) {
	t.Parallel()
	w, _, _ := twins(t, "Hopper", "Turing")
	w.silent()
	w.writes()
	run := w.sync("done")
	if run.Counts.Calls.Google != 2 || run.Counts.Calls.Creatio != 1 {
		t.Errorf("an idle run made %+v: %+v %+v", run.Counts.Calls, w.google.Requests(), w.creatio.Requests())
	}
}

func TestUnlinking_and_linking_again_duplicates_nothing(t *testing.T) {
	t.Parallel()
	w, tag, _ := twins(t, "Hopper", "Turing")
	w.call(http.MethodDelete, "/creatio", nil, 204, nil)
	w.call(http.MethodDelete, "/google", nil, 204, nil)
	w.sync("skipped not-linked")
	w.link()
	w.choose(tag)
	w.silent()

	w.visit("/settings/sign-in")
	w.call(http.MethodDelete, "/account", nil, 204, nil)
	w.call(http.MethodGet, "/account", nil, 401, nil)
	w.link()
	w.choose(tag)
	run := w.sync("done")
	if run.Counts.Matched != 2 || len(w.google.Account(ada).People()) != 2 {
		t.Errorf("after everything was erased: %s, google has %d people", summary(run), len(w.google.Account(ada).People()))
	}
	w.silent()
}

func TestDisconnecting_on_the_page_stops_the_synchronization(t *testing.T) {
	t.Parallel()
	w, _, _ := twins(t, "Hopper")
	a := w.do(http.MethodPost, "/settings/unlink/creatio", "", func(r *http.Request) {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	})
	if a.status != 200 || !strings.Contains(a.body, "disconnected") {
		t.Errorf("got %d at %s", a.status, a.url)
	}
	if a := w.account(); a.Creatio.Linked || !a.Google.Linked || a.Contacts.State.Status != "off" {
		t.Errorf("got %+v", a)
	}
	w.sync("skipped not-linked")
}

// No single answer keeps a user from their data for longer than an hour, and who asks for a run does not wait at all.
func TestA_service_that_asks_for_years_of_patience_is_left_alone_for_an_hour(t *testing.T) {
	t.Parallel()
	for _, side := range []string{"creatio", "google"} {
		t.Run(side, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.link()
			w.choose(w.tag("Ada", private))
			w.sync("done")
			forYears := http.Header{"Retry-After": {"999999999"}}
			if side == "google" {
				w.google.SetFault(func(*http.Request) *googlebox.Fault {
					return &googlebox.Fault{Status: http.StatusServiceUnavailable, Header: forYears}
				})
			} else {
				w.creatio.SetFault(func(*http.Request) *creatiobox.Fault {
					return &creatiobox.Fault{Status: http.StatusServiceUnavailable, Header: forYears}
				})
			}
			if a := w.post(`{"user":"` + w.id + `"}`); a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") != "3600" {
				t.Errorf("the queue is answered %d, Retry-After %s", a.status, a.header.Get("Retry-After"))
			}
			w.google.SetFault(nil)
			w.creatio.SetFault(nil)
			w.pass(time.Hour)
			w.sync("done")
		})
	}
}
