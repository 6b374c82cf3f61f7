package app_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
)

// enters has who is signed in enter a name and a password of Creatio.
func (w *world) enters(login, password string) answer {
	w.t.Helper()
	form := url.Values{"username": {login}, "password": {password}}.Encode()
	return w.do(http.MethodPost, "/settings/link/creatio", form, func(r *http.Request) {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	})
}

func TestWho_guesses_a_colleagues_password_has_to_wait_and_is_told_of(t *testing.T) {
	t.Parallel()
	bothStores(t, func(t *testing.T, store change) {
		w := newWorld(t, store, with("CREATIO_AUTH", "password"), with("ADMIN_EMAILS", "boss@example.com"))
		for _, email := range []string{mallory, "boss@example.com"} {
			w.google.AddUser(googlebox.User{Email: email, Name: "Somebody", EmailVerified: true, HostedDomain: strings.Split(email, "@")[1]})
		}
		w.signsIn(ada)
		adas := w.browser
		if a := w.enters("Ada", "right"); a.status != 200 || !w.account().Creatio.Linked {
			t.Fatalf("Ada is answered %d %s", a.status, a.body)
		}
		if a := w.visit("/settings"); strings.Contains(a.body, "wrong passwords") {
			t.Error("Ada is told of what nobody did")
		}
		w.signsIn(mallory)
		w.creatio.ResetRequests()
		var last answer
		for range 30 {
			last = w.enters("ada", "guess")
		}
		if last.status != 429 || last.header.Get("Retry-After") != "30" || !strings.Contains(last.body, "Try again in 30 seconds.") {
			t.Errorf("the last guess is answered %d, Retry-After %q", last.status, last.header.Get("Retry-After"))
		}
		signIns := 0
		for _, r := range w.creatio.Requests() {
			if strings.HasSuffix(r.Path, "/AuthService.svc/Login") {
				signIns++
			}
		}
		if signIns != 3 {
			t.Errorf("the site was asked %d times", signIns)
		}
		if !strings.Contains(w.log.String(), "passwords of a Creatio user are being tried") {
			t.Error("nothing of it is in the log")
		}
		w.signsIn("boss@example.com")
		if a := w.visit("/settings/admin"); !strings.Contains(a.body, "“ada”: 3 times") || !strings.Contains(a.body, mallory) {
			t.Errorf("the administrator reads %s", a.body)
		}
		var overview struct {
			WrongPasswords []struct {
				User  string
				Count int
				By    []string
			}
		}
		w.call(http.MethodGet, "/admin", nil, 200, &overview)
		if len(overview.WrongPasswords) != 1 || overview.WrongPasswords[0].Count != 3 {
			t.Errorf("the API tells %+v", overview)
		}
		w.browser = adas
		if a := w.visit("/settings"); !strings.Contains(a.body, "“Ada” and entered wrong passwords: 3 times") || strings.Contains(a.body, mallory) {
			t.Errorf("Ada reads %s", a.body)
		}
		w.pass(8 * 24 * time.Hour)
		if a := w.visit("/settings"); strings.Contains(a.body, "wrong passwords") {
			t.Error("Ada is told of it for ever")
		}
	})
}
