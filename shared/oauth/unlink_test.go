package oauth

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

func (w *world) noToken(user string, side record.Side) {
	w.t.Helper()
	if doc, err := w.store.User(user).Token(w.t.Context(), side); !errors.Is(err, store.ErrNotFound) {
		w.t.Errorf("%s: a token is kept: %+v, %v", side, doc, err)
	}
}

func TestUnlinkingRevokesAndDeletes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	user := w.linked()
	for side, s := range map[record.Side]*identityServer{record.Google: w.google, record.Creatio: w.creatio} {
		refresh := w.credentials(user, side).Refresh
		client := w.client(w.linker, user, side)
		if err := w.linker.Unlink(t.Context(), user, side); err != nil {
			t.Fatalf("%s: Unlink: %v", side, err)
		}
		if diff := cmp.Diff([]string{refresh}, s.revocations()); diff != "" {
			t.Errorf("%s: revoked (-want +got):\n%s", side, diff)
		}
		w.noToken(user, side)
		w.clock.pass(2 * time.Hour)
		if _, err := w.call(client, side); !fault.Is(err, fault.Reconnect) {
			t.Errorf("%s: call of a client made before = %v", side, err)
		}
		if err := w.linker.Unlink(t.Context(), user, side); err != nil {
			t.Errorf("%s: second Unlink: %v", side, err)
		}
	}
	want := store.GoogleAccount{Subject: "1001", Email: "olena@example.com", HostedDomain: "example.com", HostedDomainKnown: true, Name: "Olena Example"}
	p := w.profile(user)
	if diff := cmp.Diff(want, p.Google); diff != "" || p.Creatio.Linked || p.Creatio.ContactID == "" {
		t.Errorf("profile %+v, google (-want +got):\n%s", p, diff)
	}
}

func TestUnlinkingAPasswordDeletesIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthPassword)
	user := w.olena()
	if err := w.linker.LinkPassword(t.Context(), user, "olena", "right"); err != nil {
		t.Fatal(err)
	}
	if err := w.linker.Unlink(t.Context(), user, record.Creatio); err != nil {
		t.Fatal(err)
	}
	w.noToken(user, record.Creatio)
}

func TestRevokingAGrantIsRetriedForADay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	user := w.olena()
	refresh := w.credentials(user, record.Google).Refresh
	client := w.client(w.linker, user, record.Google)
	w.google.on(func(path string, _ url.Values, rw http.ResponseWriter) bool {
		if path == "/revoke" {
			rw.WriteHeader(http.StatusServiceUnavailable)
		}
		return path == "/revoke"
	})
	if err := w.linker.Unlink(t.Context(), user, record.Google); err != nil {
		t.Fatalf("Unlink: %v", err)
	}
	if w.profile(user).Google.Linked {
		t.Error("the account is still linked")
	}
	if _, err := w.linker.Client(t.Context(), user, record.Google, nil); !fault.Is(err, fault.Reconnect) {
		t.Errorf("Client = %v", err)
	}
	w.clock.pass(23 * time.Hour)
	if _, err := w.call(client, record.Google); !fault.Is(err, fault.Reconnect) || w.google.calls("refresh_token") != 0 {
		t.Errorf("call of a client made before = %v, after %d refreshes", err, w.google.calls("refresh_token"))
	}
	if err := w.linker.RevokePending(t.Context(), user); !fault.Is(err, fault.Retry) {
		t.Errorf("RevokePending = %v", err)
	}
	w.google.on(nil)
	if err := w.linker.RevokePending(t.Context(), user); err != nil {
		t.Errorf("RevokePending = %v", err)
	}
	if diff := cmp.Diff([]string{refresh}, w.google.revocations()); diff != "" {
		t.Errorf("revoked:\n%s", diff)
	}
	w.noToken(user, record.Google)
	if err := w.linker.RevokePending(t.Context(), user); err != nil {
		t.Errorf("RevokePending with nothing pending = %v", err)
	}
}

func TestAfterADayAGrantIsDeletedAnyway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	user := w.olena()
	w.google.on(func(_ string, _ url.Values, rw http.ResponseWriter) bool {
		rw.WriteHeader(http.StatusServiceUnavailable)
		return true
	})
	if err := w.linker.Unlink(t.Context(), user, record.Google); err != nil {
		t.Fatal(err)
	}
	w.clock.pass(24 * time.Hour)
	if err := w.linker.RevokePending(t.Context(), user); err != nil {
		t.Errorf("RevokePending = %v", err)
	}
	w.noToken(user, record.Google)
}

func TestLinkingAgainEndsAPendingRevocation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	user := w.olena()
	w.google.on(func(path string, _ url.Values, rw http.ResponseWriter) bool {
		if path == "/revoke" {
			rw.WriteHeader(http.StatusServiceUnavailable)
		}
		return path == "/revoke"
	})
	if err := w.linker.Unlink(t.Context(), user, record.Google); err != nil {
		t.Fatal(err)
	}
	if w.olena() != user {
		t.Fatal("another user")
	}
	w.google.on(nil)
	if err := w.linker.RevokePending(t.Context(), user); err != nil || len(w.google.revocations()) != 0 {
		t.Errorf("RevokePending = %v, revoked %v", err, w.google.revocations())
	}
	if status, err := w.call(w.client(w.linker, user, record.Google), record.Google); err != nil || status != http.StatusOK {
		t.Errorf("call = %d, %v", status, err)
	}
}

func TestARefreshUnderWayDoesNotUndoAnUnlinking(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	user := w.linked()
	client := w.client(w.linker, user, record.Creatio)
	w.clock.pass(2 * time.Hour)
	w.creatio.on(func(path string, _ url.Values, _ http.ResponseWriter) bool {
		if path == "/token" {
			w.creatio.on(nil)
			if err := w.linker.Unlink(t.Context(), user, record.Creatio); err != nil {
				t.Errorf("Unlink: %v", err)
			}
			w.creatio.mu.Lock()
			defer w.creatio.mu.Unlock()
			// The service handles the refresh before the revocation.
			w.creatio.refresh[w.creatio.revoked[0]] = grant{}
		}
		return false
	})
	if _, err := w.call(client, record.Creatio); !fault.Is(err, fault.Reconnect) {
		t.Errorf("call = %v", err)
	}
	w.noToken(user, record.Creatio)
	if got := w.creatio.revocations(); len(got) != 2 || len(w.creatio.refresh) != 0 {
		t.Errorf("revoked %v, still good %v", got, w.creatio.refresh)
	}
	if p := w.profile(user); p.Creatio.Linked || p.Creatio.Reconnect {
		t.Errorf("creatio = %+v", p.Creatio)
	}
}

func TestDiscoveryFindsTheIdentityService(t *testing.T) {
	t.Parallel()
	document := func(s *string) http.HandlerFunc {
		return func(rw http.ResponseWriter, _ *http.Request) {
			reply(rw, http.StatusOK, map[string]string{"authorization_endpoint": *s + "/a", "token_endpoint": *s + "/t"})
		}
	}
	for name, c := range map[string]struct {
		path, identity string
		kind           fault.Kind
		token          string
	}{
		".NET Framework":       {"/0/.well-known/openid-configuration", "", fault.Bug, "/t"},
		".NET":                 {"/.well-known/openid-configuration", "", fault.Bug, "/t"},
		"nowhere":              {"/nowhere", "", fault.Misconfigured, ""},
		"configured, no paper": {"/nowhere", "/identity", fault.Bug, "/identity/connect/token"},
		"configured":           {"/identity/.well-known/openid-configuration", "/identity", fault.Bug, "/t"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, AuthUser)
			mux := http.NewServeMux()
			var address string
			mux.HandleFunc(c.path, document(&address))
			address = serve(t, mux)
			w.options.Creatio.URL = address
			if c.identity != "" {
				w.options.Creatio.IdentityURL = address + c.identity
			}
			m, err := w.another().creatio.metadata(t.Context())
			if c.kind == fault.Misconfigured {
				if !fault.Is(err, c.kind) {
					t.Errorf("metadata = %v", err)
				}
				return
			}
			if err != nil || m.Token != address+c.token {
				t.Errorf("metadata = %+v, %v", m, err)
			}
		})
	}
}

func TestSecretsAreNotSentToUnencryptedEndpoints(t *testing.T) {
	t.Parallel()
	for endpoint, want := range map[string]bool{
		"https://id.example.com/token": true, "http://id.example.com/token": false, "/token": false, "ftp://id.example.com": false,
	} {
		if trustworthy("https://acme.example.com", endpoint) != want {
			t.Errorf("trustworthy(%s) = %v", endpoint, !want)
		}
		w := newWorld(t, AuthUser)
		p := w.linker.newProvider(record.Creatio, "client", "secret")
		p.client.Transport = roundTripper(func(*http.Request) (*http.Response, error) {
			said := `{"issuer":"https://acme.example.com","token_endpoint":"` + endpoint + `"}`
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(said))}, nil
		})
		if _, err := p.read(t.Context(), "https://acme.example.com"); (err == nil) != want {
			t.Errorf("a service whose tokens are at %s is discovered: %v", endpoint, err)
		}
	}
}

func TestWhatAGrantBeganCanBeEndedUntilItIsRevoked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	user := w.olena()
	if _, err := w.linker.LeavingGoogle(t.Context(), user, nil); !fault.Is(err, fault.Reconnect) {
		t.Errorf("while the account is linked: %v", err)
	}
	away := true
	w.google.on(func(path string, _ url.Values, rw http.ResponseWriter) bool {
		if path == "/revoke" && away {
			rw.WriteHeader(http.StatusServiceUnavailable)
		}
		return path == "/revoke" && away
	})
	if err := w.linker.Unlink(t.Context(), user, record.Google); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		client, err := w.linker.LeavingGoogle(t.Context(), user, nil)
		if err != nil {
			t.Fatal(err)
		}
		if status, err := w.call(client, record.Google); err != nil || status != http.StatusOK {
			t.Errorf("called: %d, %v", status, err)
		}
		// The access token ends, and the grant does not.
		w.clock.pass(2 * time.Hour)
	}
	away = false
	if err := w.linker.RevokePending(t.Context(), user); err != nil {
		t.Fatal(err)
	}
	if _, err := w.linker.LeavingGoogle(t.Context(), user, nil); !fault.Is(err, fault.Reconnect) {
		t.Errorf("once the grant is revoked: %v", err)
	}
}
