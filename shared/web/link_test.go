package web

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
)

func TestLinkingBindsToTheBrowserThatBeganIt(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for target, consent := range map[string]string{
		"/settings/sign-in":      "https://accounts.example.com/consent",
		"/settings/link/creatio": "https://creatio.example.com/consent",
	} {
		r := c.do("GET", target, "", c.signedIn)
		wantStatus(t, r, http.StatusSeeOther)
		if len(r.Cookies()) != 1 {
			t.Fatalf("cookies = %v", r.Cookies())
		}
		k := r.Cookies()[0]
		if k.Name != "__Host-tandem-link" || !strings.HasPrefix(k.Value, "+") || k.MaxAge != 600 || !k.HttpOnly || !k.Secure || k.SameSite != http.SameSiteLaxMode || k.Path != "/" {
			t.Errorf("cookie = %v", k)
		}
		if got := r.Header.Get("Location"); got != consent {
			t.Errorf("Location = %q", got)
		}
	}
}

func TestTwoLinkingsMayBeUnderWayAtOnce(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	r := c.do("GET", "/settings/sign-in", "", cookie("__Host-tandem-link", secret))
	if got := r.Cookies()[0].Value; got != secret+"+google" {
		t.Errorf("the browser is to keep %q", got)
	}
	r = c.do("GET", "/settings/sign-in", "", cookie("__Host-tandem-link", strings.Repeat("x", maxCookie+1)))
	if got := r.Cookies()[0].Value; got != "+google" {
		t.Errorf("the browser is to keep %q", got)
	}
}

func TestTheCallbackSignsIn(t *testing.T) {
	t.Parallel()
	for target, side := range map[string]record.Side{
		"/oauth-callback?state=known&code=c": record.Google, "/?state=known&code=c&x=oauth-callback": record.Google,
		"/oauth-callback/creatio?state=known&code=c": record.Creatio, "/creatio?state=known&code=c&x=oauth-callback": record.Creatio,
	} {
		c := newClient(t)
		r := c.do("GET", target, "", cookie("__Host-tandem-link", secret))
		wantSeeOther(t, r, "/settings")
		if c.fake.side != side {
			t.Errorf("%s is taken for an answer of %s", target, c.fake.side)
		}
		if len(r.Cookies()) != 2 {
			t.Fatalf("cookies = %v", r.Cookies())
		}
		if k := r.Cookies()[0]; k.Name != "__Host-tandem-link" || k.MaxAge >= 0 {
			t.Errorf("the browser keeps its linkings: %v", k)
		}
		k := r.Cookies()[1]
		if k.Name != "__Host-tandem" || k.MaxAge != 30*24*3600 || !k.HttpOnly || !k.Secure || k.SameSite != http.SameSiteLaxMode || k.Path != "/" || k.Domain != "" {
			t.Errorf("cookie = %v", k)
		}
		wantStatus(t, account(c, cookie(k.Name, k.Value)), http.StatusOK)
	}
}

func TestTheCallbackTellsWhatWentWrong(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		err      error
		status   int
		location string
	}{
		"state unknown":    {ErrState, 400, ""},
		"consent refused":  {ErrRefused, 303, "/settings?problem=consent-denied"},
		"consent failed":   {ErrFailed, 303, "/settings?problem=consent-failed"},
		"domain":           {ErrNotAllowed, 403, ""},
		"out of reach":     {fault.New(fault.Retry, "google", "unreachable", nil), 503, ""},
		"misconfigured":    {fault.New(fault.Misconfigured, "google", "invalid_client", nil), 500, ""},
		"code refused":     {fault.New(fault.Reconnect, "google", "invalid_grant", nil), 502, ""},
		"nobody knows why": {errors.New("exchange: odd answer with code=s3cret"), 502, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t)
			c.fake.errs["FinishLink"] = tc.err
			r := c.do("GET", "/oauth-callback?state=known&code=s3cret", "", cookie("__Host-tandem-link", secret))
			wantStatus(t, r, tc.status)
			if got := r.Header.Get("Location"); got != tc.location {
				t.Errorf("Location = %q, want %q", got, tc.location)
			}
			if len(r.Cookies()) != 0 {
				t.Errorf("somebody is signed in: %v", r.Cookies())
			}
			if r.Header.Get("Referrer-Policy") != "no-referrer" || strings.Contains(body(t, r), "s3cret") {
				t.Error("the code leaks")
			}
		})
	}
}

func TestAStrangersCallbackIsNotEvenLookedUp(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	wantStatus(t, c.do("GET", "/oauth-callback?state=known&code=c", "", c.signedIn), http.StatusBadRequest)
	wantStatus(t, c.do("HEAD", "/oauth-callback?state=known&code=c", "", cookie("__Host-tandem-link", secret)), http.StatusMethodNotAllowed)
	wantStatus(t, c.do("HEAD", "/oauth-callback/creatio?state=known&code=c", "", cookie("__Host-tandem-link", secret)), http.StatusMethodNotAllowed)
	wantStatus(t, c.do("GET", "/oauth-callback/creatio/?state=known&code=c", "", cookie("__Host-tandem-link", secret)), http.StatusNotFound)
	wantStatus(t, c.do("GET", "/oauth-callback/google?state=known&code=c", "", cookie("__Host-tandem-link", secret)), http.StatusNotFound)
	if len(c.fake.calls) != 0 {
		t.Errorf("the service was asked: %v", c.fake.calls)
	}
}

func TestAProblemOfTheLinkingIsShownOnTheSettingsPage(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.fake.outcome.Problem = "no-user"
	r := c.do("GET", "/oauth-callback?state=known&code=c", "", cookie("__Host-tandem-link", secret))
	wantSeeOther(t, r, "/settings?problem=no-user")
	for code, want := range map[string]string{
		"no-user": english.say("fail.no-user"), "consent-denied": english.say("fail.consent-denied"), "<script>": english.say("fail.other"), "no-user.then": english.say("fail.other"),
	} {
		page := body(t, c.do("GET", "/settings?problem="+code, "", c.signedIn))
		if !strings.Contains(page, want) || strings.Contains(page, "<script>") {
			t.Errorf("problem=%s: the page does not say %q", code, want)
		}
	}
}

func TestNameAndPasswordAreTriedAtOnce(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		form   string
		err    error
		status int
		says   string
	}{
		"right":            {"username=+anna.example+&password=right", nil, 303, ""},
		"wrong":            {"username=anna.example&password=not%20it", nil, 422, "does not accept this user name and password"},
		"no password":      {"username=anna.example&password=", nil, 422, "Enter your Creatio password."},
		"nothing":          {"", nil, 422, "Enter your Creatio user name."},
		"expired password": {"username=anna.example&password=right", fault.New(fault.Reconnect, "creatio", "password-expired", nil), 422, "has expired"},
		"out of reach":     {"username=anna.example&password=right", fault.New(fault.Retry, "creatio", "unreachable", nil), 503, "could not reach Creatio"},
		"no form":          {"%zz", nil, 400, "could not read the form"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t)
			c.fake.account.CreatioAuth = "password"
			c.fake.errs["LinkPassword"] = tc.err
			r := c.do("POST", "/settings/link/creatio", tc.form, c.signedIn)
			wantStatus(t, r, tc.status)
			text := body(t, r)
			if !strings.Contains(text, tc.says) {
				t.Errorf("the page does not say %q:\n%s", tc.says, text)
			}
			if strings.Contains(text, "not it") {
				t.Error("the page shows the password")
			}
			if tc.status == 422 && strings.Contains(tc.form, "anna.example") && !strings.Contains(text, `value="anna.example"`) {
				t.Error("the user name has to be typed again")
			}
		})
	}
}

func TestHowCreatioIsLinkedDependsOnTheSite(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.fake.account.CreatioAuth = "password"
	wantStatus(t, c.do("GET", "/settings/link/creatio", "", c.signedIn), http.StatusOK)
	c.fake.account.CreatioAuth = "client"
	wantSeeOther(t, c.do("GET", "/settings/link/creatio", "", c.signedIn), "/settings")
	wantStatus(t, c.do("POST", "/settings/link/creatio", "username=a&password=b", c.signedIn), http.StatusConflict)
	if n := c.fake.writes(); n != 0 {
		t.Errorf("a password was tried: %v", c.fake.calls)
	}
}
