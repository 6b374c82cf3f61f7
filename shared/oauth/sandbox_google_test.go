package oauth

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/sandbox/google"
)

// sandboxGoogle replaces the test's own Google with the sandbox.
func (w *world) sandboxGoogle() *google.Server {
	w.t.Helper()
	s := google.New(google.Options{Now: w.clock.now})
	h := httptest.NewServer(s)
	w.t.Cleanup(func() {
		h.Close()
		if v := s.Violations(); len(v) > 0 {
			w.t.Errorf("what no client may do: %q", v)
		}
	})
	s.SetIssuerURL(h.URL)
	s.AddClient("client", "client-secret", "https://tandem.example.com/oauth-callback")
	s.AddUser(google.User{Email: "olena@example.com", Name: "Olena Example", EmailVerified: true, HostedDomain: "example.com"})
	s.AutoConsent("olena@example.com")
	w.options.Google.Endpoint = h.URL
	w.linker = w.another()
	return s
}

// visit is a browser that opens the consent page and is redirected back.
func visit(t *testing.T, address string) url.Values {
	t.Helper()
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := browser.Get(address)
	if err != nil {
		t.Fatalf("visit: %v", err)
	}
	defer resp.Body.Close()
	back, err := resp.Location()
	if err != nil {
		t.Fatalf("visit: status %d, no way back: %v", resp.StatusCode, err)
	}
	return back.Query()
}

// people asks Google for the contacts of the client's user.
func (w *world) people(c *http.Client) (int, error) {
	return get(w.t.Context(), c, w.options.Google.Endpoint+"/v1/people/me/connections?personFields=names")
}

func TestTheSandboxGoogleIsLinkedRefreshedAndUnlinked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	s := w.sandboxGoogle()
	out, err := w.finish(record.Google, visit(t, w.begin()))
	if err != nil || !out.NewUser || len(out.MissingScopes) > 0 {
		t.Fatalf("Finish = %+v, %v", out, err)
	}
	client := w.client(w.linker, out.User, record.Google)
	for _, spoil := range []func(){func() {}, func() { w.clock.pass(2 * time.Hour) }, s.ExpireTokens} {
		spoil()
		if status, err := w.people(client); err != nil || status != http.StatusOK {
			t.Errorf("people = %d, %v", status, err)
		}
	}
	if again, err := w.finish(record.Google, visit(t, w.begin())); err != nil || again.User != out.User || again.NewUser {
		t.Errorf("signing in again = %+v, %v", again, err)
	}
	if err := w.linker.Unlink(t.Context(), out.User, record.Google); err != nil {
		t.Errorf("Unlink: %v", err)
	}
	if _, err := w.people(client); !fault.Is(err, fault.Reconnect) {
		t.Errorf("people after unlinking = %v: the grant outlived it", err)
	}
}

func TestTheSandboxGooglesGrantIsRevokedAndGivenAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	s := w.sandboxGoogle()
	out, err := w.finish(record.Google, visit(t, w.begin()))
	if err != nil {
		t.Fatalf("Finish: %v", err)
	}
	client := w.client(w.linker, out.User, record.Google)
	s.RevokeGrant("olena@example.com")
	if _, err := w.people(client); !fault.Is(err, fault.Reconnect) {
		t.Errorf("people = %v", err)
	}
	if !w.profile(out.User).Google.Reconnect {
		t.Error("the account is not marked to be linked again")
	}
	if _, err := w.finish(record.Google, visit(t, w.begin())); err != nil {
		t.Fatalf("linking again: %v", err)
	}
	if status, err := w.people(w.client(w.linker, out.User, record.Google)); err != nil || status != http.StatusOK {
		t.Errorf("people = %d, %v", status, err)
	}
}

func TestTheSandboxGooglesUserUnticksContactsThenTicksThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	s := w.sandboxGoogle()
	s.SetGrantedScopes("olena@example.com")
	out, err := w.finish(record.Google, visit(t, w.begin()))
	if err != nil {
		t.Fatalf("Finish: %v", err)
	}
	if diff := cmp.Diff([]string{"contacts", "calendar"}, out.MissingScopes); diff != "" {
		t.Errorf("missing scopes:\n%s", diff)
	}
	s.SetGrantedScopes("olena@example.com", "https://www.googleapis.com/auth/contacts", "https://www.googleapis.com/auth/calendar.events")
	_, err = w.finish(record.Google, visit(t, w.begin()))
	if more, ok := errors.AsType[*ConsentError](err); ok {
		w.cookie = more.Browser
		out, err = w.finish(record.Google, visit(t, more.Redirect))
	}
	if err != nil || len(out.MissingScopes) > 0 {
		t.Fatalf("Finish = %+v, %v", out, err)
	}
	w.clock.pass(2 * time.Hour)
	if status, err := w.people(w.client(w.linker, out.User, record.Google)); err != nil || status != http.StatusOK {
		t.Errorf("people after a refresh = %d, %v", status, err)
	}
}

func TestTheSandboxGooglesUserRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	s := w.sandboxGoogle()
	s.RefuseConsent("olena@example.com", true)
	if _, err := w.finish(record.Google, visit(t, w.begin())); !errors.Is(err, ErrRefused) {
		t.Errorf("Finish = %v, want ErrRefused", err)
	}
}
