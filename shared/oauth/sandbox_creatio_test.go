package oauth

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/sandbox/creatio"
)

// sandboxCreatio replaces the test's own site with the sandbox.
func (w *world) sandboxCreatio(o creatio.Options) *creatio.Server {
	w.t.Helper()
	o.Now = w.clock.now
	s := creatio.New(o)
	h := httptest.NewServer(s)
	w.t.Cleanup(h.Close)
	s.AddUser(creatio.User{Name: "olena", Password: "right", ContactName: "Olena Example", Active: true, ID: olena.ID, ContactID: olena.ContactID})
	kind := creatio.KindUser
	if w.options.Creatio.Auth == AuthClient {
		kind = creatio.KindClient
	}
	s.AddOAuthClient(creatio.OAuthClient{
		ID: "client", Secret: "client-secret", Kind: kind, TechnicalUser: "olena",
		RedirectURIs: []string{"https://tandem.example.com/oauth-callback/creatio"},
	})
	s.AutoConsent("olena")
	w.options.Creatio.URL = h.URL
	w.options.CreatioUser = func(ctx context.Context, client *http.Client) (CreatioUser, error) {
		return olena, w.tags(ctx, client)
	}
	w.options.CreatioFind = func(ctx context.Context, client *http.Client, _ string) (CreatioUser, error) {
		return olena, w.tags(ctx, client)
	}
	w.linker = w.another()
	return s
}

// tags requests data from the site that requires a user.
func (w *world) tags(ctx context.Context, c *http.Client) error {
	for _, place := range []string{"/0/odata", "/odata"} {
		status, err := get(ctx, c, w.options.Creatio.URL+place+"/ContactTag?$top=1")
		if err != nil || status == http.StatusOK {
			return err
		}
	}
	return fault.New(fault.Reconnect, "creatio", "unauthorized", errors.New("read tags: refused"))
}

// consent links the sandbox's user.
func (w *world) consent() string {
	w.t.Helper()
	user := w.olena()
	address := w.beginCreatio(user)
	if _, err := w.finish(record.Creatio, visit(w.t, address)); err != nil {
		w.t.Fatalf("Finish: %v", err)
	}
	return user
}

func TestTheSandboxCreatioIsLinkedRefreshedAndUnlinked(t *testing.T) {
	t.Parallel()
	for _, layout := range []string{creatio.Framework, creatio.Core} {
		t.Run(layout, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, AuthUser)
			s := w.sandboxCreatio(creatio.Options{Layout: layout})
			user := w.consent()
			client := w.client(w.linker, user, record.Creatio)
			for _, spoil := range []func(){func() {}, func() { w.clock.pass(2 * time.Hour) }, s.ExpireTokens, func() { w.clock.pass(2 * time.Hour) }} {
				spoil()
				if err := w.tags(t.Context(), client); err != nil {
					t.Errorf("tags: %v", err)
				}
			}
			if err := w.linker.Unlink(t.Context(), user, record.Creatio); err != nil {
				t.Errorf("Unlink: %v", err)
			}
			if err := w.tags(t.Context(), client); !fault.Is(err, fault.Reconnect) {
				t.Errorf("tags after unlinking = %v", err)
			}
		})
	}
}

func TestInstancesThatRefreshConcurrentlyStayLinkedToTheSandboxCreatio(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	w.sandboxCreatio(creatio.Options{})
	user := w.consent()
	var wg sync.WaitGroup
	for range 5 {
		w.clock.pass(2 * time.Hour)
		for range 4 {
			client := w.client(w.another(), user, record.Creatio)
			wg.Go(func() {
				if err := w.tags(t.Context(), client); err != nil {
					t.Errorf("tags: %v", err)
				}
			})
		}
		wg.Wait()
	}
	if w.profile(user).Creatio.Reconnect {
		t.Error("the user was disconnected")
	}
}

func TestTheSandboxCreatiosGrantIsRevokedAndGivenAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	s := w.sandboxCreatio(creatio.Options{})
	user := w.consent()
	client := w.client(w.linker, user, record.Creatio)
	s.RevokeGrant("olena")
	if err := w.tags(t.Context(), client); !fault.Is(err, fault.Reconnect) || !w.profile(user).Creatio.Reconnect {
		t.Errorf("tags = %v, creatio %+v", err, w.profile(user).Creatio)
	}
	w.consent()
	if err := w.tags(t.Context(), w.client(w.linker, user, record.Creatio)); err != nil {
		t.Errorf("tags after linking again: %v", err)
	}
}

func TestTheSandboxCreatiosUserRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	s := w.sandboxCreatio(creatio.Options{})
	s.RefuseConsent("olena", true)
	address := w.beginCreatio(w.olena())
	if _, err := w.finish(record.Creatio, visit(t, address)); !errors.Is(err, ErrRefused) {
		t.Errorf("Finish = %v, want ErrRefused", err)
	}
}

func TestTheSandboxCreatiosTechnicalUserServes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthClient)
	s := w.sandboxCreatio(creatio.Options{Version: "8.1.0"})
	user := w.olena()
	if err := w.linker.LinkClient(t.Context(), user); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("LinkClient = %v: a site before 8.3 names no identity service", err)
	}
	w.options.Creatio.IdentityURL = w.options.Creatio.URL
	w.linker = w.another()
	if err := w.linker.LinkClient(t.Context(), user); err != nil {
		t.Fatalf("LinkClient: %v", err)
	}
	client := w.client(w.linker, user, record.Creatio)
	for _, spoil := range []func(){func() { w.clock.pass(2 * time.Hour) }, s.ExpireTokens} {
		spoil()
		if err := w.tags(t.Context(), client); err != nil {
			t.Errorf("tags: %v", err)
		}
	}
}
