package oauth

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// countedStore counts reads of tokens.
type countedStore struct {
	store.Store
	reads *atomic.Int64
}

type countedUser struct {
	store.User
	reads *atomic.Int64
}

func (s countedStore) User(id string) store.User { return countedUser{s.Store.User(id), s.reads} }

func (u countedUser) Token(ctx context.Context, side record.Side) (store.Token, error) {
	u.reads.Add(1)
	return u.User.Token(ctx, side)
}

// bearer is the access token that a client of the linker sends, after the API may have refused others.
func (w *world) bearer(l *Linker, user string, side record.Side) (string, error) {
	sent := ""
	client, err := l.Client(w.t.Context(), user, side, roundTripper(func(r *http.Request) (*http.Response, error) {
		sent = r.Header.Get("Authorization")
		return http.DefaultTransport.RoundTrip(r)
	}))
	if err != nil {
		return "", err
	}
	_, err = w.call(client, side)
	return sent, err
}

// relink links the user's Creatio account in another instance, as a user of Creatio.
func (w *world) relink(user string, as CreatioUser) {
	w.t.Helper()
	w.options.CreatioUser = func(context.Context, *http.Client) (CreatioUser, error) { return as, nil }
	here := w.linker
	w.linker = w.another()
	if _, err := w.finish(record.Creatio, consentAt(w.t, w.creatio, w.beginCreatio(user), grant{})); err != nil {
		w.t.Fatal(err)
	}
	w.linker = here
}

func TestAnInstanceReadsATokenOnceUntilItExpires(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	reads := &atomic.Int64{}
	w.options.Store = countedStore{w.store, reads}
	user := w.linked()
	l := w.another()
	for _, side := range record.Sides {
		reads.Store(0)
		first, err := w.bearer(l, user, side)
		for range 3 {
			again, failed := w.bearer(l, user, side)
			if again != first || err != nil || failed != nil || first == "" {
				t.Errorf("%s: %q, %v, then %q, %v", side, first, err, again, failed)
			}
		}
		if n := reads.Load(); n != 1 {
			t.Errorf("%s: read %d times", side, n)
		}
	}
	w.clock.pass(2 * time.Hour)
	reads.Store(0)
	if _, err := w.bearer(l, user, record.Google); err != nil || reads.Load() != 1 {
		t.Errorf("refreshed: %v, after %d reads", err, reads.Load())
	}
	if _, err := w.bearer(l, user, record.Google); err != nil || reads.Load() != 1 {
		t.Errorf("the refreshed one: %v, after %d reads", err, reads.Load())
	}
}

func TestAnInstanceUsesNoTokenOfAnAccountThatIsNotTheLinkedOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	user := w.linked()
	l := w.another()
	hers, err := w.bearer(l, user, record.Creatio)
	if err != nil {
		t.Fatal(err)
	}
	bo := CreatioUser{ID: "11111111-0000-4000-8000-000000000002", Login: "bo", ContactID: "22222222-0000-4000-8000-000000000002"}
	w.relink(user, bo)
	his, err := w.bearer(l, user, record.Creatio)
	if err != nil || his == hers {
		t.Errorf("linked as another: %q after %q, %v", his, hers, err)
	}
	// The profile of one and the token of the other, as they are for a moment while somebody links.
	if err := l.changeProfile(t.Context(), user, func(p *store.Profile) { p.Creatio.UserID = olena.ID }); err != nil {
		t.Fatal(err)
	}
	for name, instance := range map[string]*Linker{"another": w.another(), "a third": w.another()} {
		if got, err := w.bearer(instance, user, record.Creatio); !fault.Is(err, fault.Retry) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	w.relink(user, olena)
	if got, err := w.bearer(l, user, record.Creatio); err != nil || got == his {
		t.Errorf("linked as the first again: %q, %v", got, err)
	}
}

func TestATokenThatWasRevokedElsewhereIsReplacedByTheStoredOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	user := w.linked()
	l := w.another()
	for _, side := range record.Sides {
		if _, err := w.bearer(l, user, side); err != nil {
			t.Fatal(err)
		}
		if err := w.another().Unlink(t.Context(), user, side); err != nil {
			t.Fatal(err)
		}
		if got, err := w.bearer(l, user, side); !fault.Is(err, fault.Reconnect) || got != "" {
			t.Errorf("%s: unlinked elsewhere: %q, %v", side, got, err)
		}
	}
	w.google.expel()
	w.creatio.expel()
	w.olena()
	w.relink(user, olena)
	for side, s := range map[record.Side]*identityServer{record.Google: w.google, record.Creatio: w.creatio} {
		before := s.calls("refresh_token")
		status, err := w.call(w.client(l, user, side), side)
		if err != nil || status != http.StatusOK || s.calls("refresh_token") != before {
			t.Errorf("%s: linked again elsewhere: %d, %v, %d refreshes", side, status, err, s.calls("refresh_token")-before)
		}
	}
}

func TestTokensInMemoryAreBounded(t *testing.T) {
	t.Parallel()
	var h held
	for n := range mostHeld + 10 {
		h.keep(holder{user: fmt.Sprint(n), side: record.Google}, stored{credentials: credentials{Access: "a", Expiry: start.Add(time.Hour)}}, start)
	}
	if len(h.tokens) != mostHeld {
		t.Errorf("%d are held", len(h.tokens))
	}
	later := start.Add(2 * time.Hour)
	h.keep(holder{user: "late", side: record.Google}, stored{credentials: credentials{Access: "a", Expiry: later.Add(time.Hour)}}, later)
	if _, found := h.of(holder{user: "late", side: record.Google}, later); !found || len(h.tokens) != 1 {
		t.Errorf("%d are held, that of the latest user: %v", len(h.tokens), found)
	}
}
