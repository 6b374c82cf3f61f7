package app_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/app"
	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
)

// stolen is a browser of an attacker with the cookies that the user's browser has now.
func (w *world) stolen() *http.Client {
	w.t.Helper()
	at, err := url.Parse(w.url)
	if err != nil {
		w.t.Fatal(err)
	}
	thief := newBrowser(w.t)
	thief.Jar.SetCookies(at, w.browser.Jar.Cookies(at))
	return thief
}

// as has somebody else's browser ask for the account, and gives the status.
func (w *world) answeredTo(browser *http.Client) int {
	w.t.Helper()
	own := w.browser
	defer func() { w.browser = own }()
	w.browser = browser
	return w.do(http.MethodGet, "/settings/api/v1/account", nil).status
}

// bothStores runs a test with each database.
func bothStores(t *testing.T, test func(t *testing.T, store change)) {
	t.Helper()
	for name, store := range map[string]change{"bolt": func(map[string]string, *creatiobox.Options, *app.Options) {}, "firestore": onFirestore(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, store)
		})
	}
}

func TestA_stolen_session_stays_ended_whatever_the_user_does_next(t *testing.T) {
	t.Parallel()
	bothStores(t, func(t *testing.T, store change) {
		w := newWorld(t, store)
		w.visit("/settings/sign-in")
		first := w.stolen()
		if got := w.answeredTo(first); got != 200 {
			t.Fatalf("the thief is answered %d before anything happened", got)
		}
		w.do(http.MethodPost, "/settings/sign-out", nil)
		w.visit("/settings/sign-in")
		second := w.stolen()
		w.call(http.MethodDelete, "/account", nil, 204, nil)
		w.visit("/settings/sign-in")
		for name, thief := range map[string]*http.Client{"signing out": first, "erasing the account": second} {
			if got := w.answeredTo(thief); got != 401 {
				t.Errorf("after %s and coming back the thief is answered %d", name, got)
			}
		}
		if got := w.answeredTo(w.browser); got != 200 {
			t.Errorf("the user is answered %d", got)
		}
	})
}

func TestA_session_that_nobody_uses_for_two_weeks_ends(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.visit("/settings/sign-in")
	thief := w.stolen()
	for range 2 {
		w.pass(13 * 24 * time.Hour)
		if got := w.answeredTo(w.browser); got != 200 {
			t.Fatalf("a session in use is answered %d", got)
		}
	}
	if got := w.answeredTo(thief); got != 401 {
		t.Errorf("a copy that was not used for 26 days is answered %d", got)
	}
	w.pass(5 * 24 * time.Hour)
	if got := w.answeredTo(w.browser); got != 401 {
		t.Errorf("a session of 31 days is answered %d", got)
	}
}

func TestWhat_gives_everything_away_or_ends_it_needs_a_fresh_sign_in(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.link()
	w.pass(11 * time.Minute)
	// Linking Creatio is no sign-in.
	w.visit("/settings/link/creatio")
	for method, path := range map[string]string{http.MethodGet: "/export", http.MethodDelete: "/account"} {
		var problem struct{ Code string }
		w.call(method, path, nil, 403, &problem)
		if problem.Code != "sign-in-again" {
			t.Errorf("%s %s: code %q", method, path, problem.Code)
		}
	}
	w.visit("/settings/sign-in")
	w.call(http.MethodGet, "/export", nil, 200, nil)
	w.pass(9 * time.Minute)
	w.call(http.MethodDelete, "/account", nil, 204, nil)
}

func TestOpening_a_page_that_leads_to_consent_stores_nothing(t *testing.T) {
	t.Parallel()
	m := &meter{}
	w := newWorld(t, onFirestore(t), m.on())
	w.link()
	w.browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, path := range []string{"/settings/sign-in", "/settings/link/creatio"} {
		if a := w.do(http.MethodHead, path, nil); a.status != http.StatusMethodNotAllowed || a.header.Get("Location") != "" {
			t.Errorf("HEAD %s: got %d", path, a.status)
		}
		m.take()
		if a := w.visit(path); a.status != http.StatusSeeOther {
			t.Errorf("GET %s: got %d", path, a.status)
		}
		if got := m.take(); !strings.Contains(got, "0 writes") {
			t.Errorf("GET %s: %s", path, got)
		}
	}
	// A cookie that nobody sealed is not looked up.
	w.browser = newBrowser(t)
	for range 100 {
		w.do(http.MethodGet, "/settings/api/v1/account", nil, func(r *http.Request) {
			r.AddCookie(&http.Cookie{Name: "tandem", Value: "aW52ZW50ZWQgaW52ZW50ZWQgaW52ZW50ZWQgaW52ZW50ZWQgaW52ZW50ZWQ"})
		})
	}
	if got := m.take(); !strings.Contains(got, "0 reads, 0 writes") {
		t.Errorf("invented cookies cost %s", got)
	}
}

func TestA_visitors_own_error_alarms_nobody_and_a_foreign_browser_uses_up_nothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, code := range []string{"invalid_client", "server_error", "made-up"} {
		back := w.comesBack("/settings/sign-in")
		q := back.Query()
		q.Del("code")
		q.Set("error", code)
		if a := w.visit(back.Path + "?" + q.Encode()); a.status != 200 || !strings.HasSuffix(a.url, "/settings?problem=consent-failed") {
			t.Errorf("error=%s ends at %s with %d", code, a.url, a.status)
		}
	}
	if got := w.log.String(); strings.Contains(got, "level=ERROR") || strings.Contains(got, "made-up") {
		t.Errorf("the log tells\n%s", got)
	}
	back, own := w.comesBack("/settings/sign-in"), w.browser
	w.browser = newBrowser(t)
	w.comesBack("/settings/sign-in")
	if a := w.visit(back.RequestURI()); a.status != 400 {
		t.Errorf("another browser is answered %d", a.status)
	}
	w.browser = own
	if a := w.visit(back.RequestURI()); a.status != 200 {
		t.Errorf("the browser that began it is answered %d", a.status)
	}
	at, _ := url.Parse(w.url)
	for _, c := range w.browser.Jar.Cookies(at) {
		if c.Name == "tandem-link" {
			t.Error("the cookie of the linking survives the sign-in")
		}
	}
	if a := w.visit(back.RequestURI()); a.status != 400 {
		t.Errorf("the same answer again: %d", a.status)
	}
}

func TestTaking_a_domain_off_the_list_ends_everything_for_its_users(t *testing.T) {
	t.Parallel()
	bothStores(t, func(t *testing.T, store change) {
		w := newWorld(t, store, with("ALLOWED_DOMAINS", "example.com"))
		w.link()
		w.choose(w.tag("Ada", private))
		w.sync("done")
		restart := func(domains string) {
			w.stop()
			w.env["ALLOWED_DOMAINS"] = domains
			w.start()
		}
		ends := func() string {
			var out struct{ Status, Reason string }
			if err := json.Unmarshal([]byte(w.post(`{"user":"`+w.id+`"}`).body), &out); err != nil {
				t.Fatal(err)
			}
			return out.Status + " " + out.Reason
		}
		restart("example.org")
		if a := w.do(http.MethodGet, "/settings/api/v1/account", nil); a.status != 403 || !strings.Contains(a.body, "not-allowed") {
			t.Errorf("the session is answered %d %s", a.status, a.body)
		}
		if a := w.visit("/settings"); a.status != 403 || !strings.Contains(a.body, "may not use Tandem") {
			t.Errorf("the user reads %d %s", a.status, a.body)
		}
		if got := ends(); got != "skipped not-allowed" {
			t.Errorf("a run ends %s", got)
		}
		// Back on the list, everything is as it was.
		restart("@example.com")
		if got := ends(); got != "done " {
			t.Errorf("back on the list a run ends %s", got)
		}
		w.pass(40 * 24 * time.Hour)
		restart("example.org")
		for range 30 {
			ends()
			w.pass(24 * time.Hour)
		}
		restart("example.com")
		w.visit("/settings/sign-in")
		if !w.account().Creatio.Linked {
			t.Fatal("the accounts were forgotten before 30 days were over")
		}
		restart("example.org")
		for range 35 {
			ends()
			w.pass(24 * time.Hour)
		}
		restart("example.com")
		w.visit("/settings/sign-in")
		if w.account().Creatio.Linked {
			t.Error("the accounts are kept for ever")
		}
	})
}

func TestThe_accounts_of_a_barred_user_whom_no_schedule_runs_are_forgotten_too(t *testing.T) {
	t.Parallel()
	bothStores(t, func(t *testing.T, store change) {
		w := newWorld(t, store, with("ALLOWED_DOMAINS", "@example.com"))
		w.link()
		for _, c := range []struct {
			domains string
			days    int
			linked  bool
		}{{"@example.com", 2, true}, {"example.org", 29, true}, {"example.org", 33, false}} {
			w.stop()
			w.env["ALLOWED_DOMAINS"] = c.domains
			w.start()
			w.days(c.days)
			w.stop()
			w.env["ALLOWED_DOMAINS"] = "@example.com"
			w.start()
			w.visit("/settings/sign-in")
			if got := w.account().Creatio.Linked; got != c.linked {
				t.Errorf("after %d days with %s on the list: linked %v", c.days, c.domains, got)
			}
		}
	})
}

func TestA_private_account_with_an_administrators_address_is_no_administrator(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		email, workspace string
		want             int
	}{{ada, "", 404}, {ada, "example.com", 200}, {"boss@gmail.com", "", 200}, {"boss@notgmail.com", "", 404}} {
		w := newWorld(t, with("ADMIN_EMAILS", c.email))
		w.google.AddUser(googlebox.User{Email: c.email, Name: "Boss", EmailVerified: true, HostedDomain: c.workspace})
		w.google.AutoConsent(c.email)
		w.visit("/settings/sign-in")
		if a := w.do(http.MethodGet, "/settings/api/v1/admin", nil); a.status != c.want {
			t.Errorf("%s of Workspace %q: got %d, want %d", c.email, c.workspace, a.status, c.want)
		}
	}
}

func TestAnother_sites_page_starts_nothing_and_every_answer_is_protected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.link()
	for _, path := range []string{"/sync-contacts", "/sync-activities", "/calendar-push", "/settings/contacts/sync"} {
		for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example.com"} {
			if a := w.do(http.MethodPost, path, nil, func(r *http.Request) { r.Header.Set(name, value) }); a.status != 403 {
				t.Errorf("POST %s with %s: got %d", path, name, a.status)
			}
		}
	}
	w.browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, path := range []string{"/", "/nowhere", "/settings", "/settings//runs", "/oauth-callback", "/sync-contacts", "/calendar-push", "/settings/api/v1/account"} {
		a := w.visit(path)
		for name, want := range map[string]string{"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff"} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%s (%d): %s is %q", path, a.status, name, got)
			}
		}
		if a.header.Get("Permissions-Policy") == "" || a.header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s (%d): headers %v", path, a.status, a.header)
		}
	}
}
