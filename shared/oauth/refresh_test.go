package oauth

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

func TestATokenIsRefreshedBeforeItExpiresAndStored(t *testing.T) {
	t.Parallel()
	for _, side := range record.Sides {
		w := newWorld(t, AuthUser)
		user := w.linked()
		before := w.credentials(user, side)
		client := w.client(w.linker, user, side)
		w.clock.pass(59 * time.Minute)
		if status, err := w.call(client, side); err != nil || status != http.StatusOK {
			t.Fatalf("%s: call = %d, %v", side, status, err)
		}
		after := w.credentials(user, side)
		if after.Access == before.Access || (after.Refresh != before.Refresh) != (side == record.Creatio) {
			t.Errorf("%s: kept %+v, before %+v", side, after, before)
		}
		if want := w.clock.now().Add(time.Hour); !after.Expiry.Equal(want) {
			t.Errorf("%s: expiry %v, want %v", side, after.Expiry, want)
		}
	}
}

func TestATokenWithoutALifetimeGetsAShortOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	w.creatio.lifetime = 0
	c := w.credentials(w.linked(), record.Creatio)
	if c.usable(start.Add(defaultLifetime)) || !c.upToDate(start.Add(time.Minute)) {
		t.Errorf("credentials = %+v", c)
	}
}

func TestARefusedTokenIsReplacedOnceAndTheRequestRetried(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	user := w.linked()
	w.creatio.expel()
	client := w.client(w.linker, user, record.Creatio)
	resp, err := client.Post(w.creatio.URL+"/api", "text/plain", io.MultiReader(strings.NewReader("the body")))
	if err != nil {
		t.Fatalf("Post: %v", err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK || string(body) != "the body" {
		t.Errorf("status %d, body %q", resp.StatusCode, body)
	}
	if n := w.creatio.calls("refresh_token"); n != 1 {
		t.Errorf("%d refreshes", n)
	}
}

func TestANewTokenThatIsRefusedIsNotReplacedForEver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	closed := roundTripper(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusUnauthorized, Body: http.NoBody, Request: req}, nil
	})
	client, err := w.linker.Client(t.Context(), w.olena(), record.Google, closed)
	if err != nil {
		t.Fatalf("Client: %v", err)
	}
	for range 4 {
		if status, err := w.call(client, record.Google); err != nil || status != http.StatusUnauthorized {
			t.Fatalf("call = %d, %v", status, err)
		}
	}
	if n := w.google.calls("refresh_token"); n != 1 {
		t.Errorf("%d refreshes, want one", n)
	}
}

func TestTwoInstancesRefreshOnceIfTokensRotate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	user := w.linked()
	clients := []*http.Client{
		w.client(w.linker, user, record.Creatio), w.client(w.linker, user, record.Creatio), w.client(w.another(), user, record.Creatio),
	}
	w.clock.pass(2 * time.Hour)
	// The first refresh is blocked until another instance has waited for it a few times.
	var slept atomic.Int32
	waited := make(chan struct{})
	w.options.Sleep = func(ctx context.Context, _ time.Duration) error {
		if slept.Add(1) == 3 {
			close(waited)
		}
		return sleep(ctx, time.Millisecond)
	}
	clients = append(clients, w.client(w.another(), user, record.Creatio))
	begun := make(chan struct{}, len(clients))
	w.creatio.on(func(path string, _ url.Values, _ http.ResponseWriter) bool {
		begun <- struct{}{}
		<-waited
		return false
	})
	var wg sync.WaitGroup
	call := func(c *http.Client) {
		wg.Go(func() {
			if status, err := w.call(c, record.Creatio); err != nil || status != http.StatusOK {
				t.Errorf("call = %d, %v", status, err)
			}
		})
	}
	// The instance that reports its waits must not be the one that refreshes.
	for _, c := range clients[:3] {
		call(c)
	}
	<-begun
	call(clients[3])
	wg.Wait()
	if n := w.creatio.calls("refresh_token"); n != 1 {
		t.Errorf("%d refreshes, want one", n)
	}
	if w.profile(user).Creatio.Reconnect {
		t.Error("the user was disconnected")
	}
}

func TestARefreshContinuesAfterItsCallerDisconnected(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	user := w.linked()
	before := w.credentials(user, record.Creatio)
	client := w.client(w.linker, user, record.Creatio)
	w.clock.pass(2 * time.Hour)
	ctx, leave := context.WithCancel(t.Context())
	asked, goOn := make(chan struct{}), make(chan struct{})
	w.creatio.on(func(path string, _ url.Values, _ http.ResponseWriter) bool {
		close(asked)
		<-goOn
		return false
	})
	left := make(chan error)
	go func() {
		_, err := get(ctx, client, w.creatio.URL+"/api")
		left <- err
	}()
	<-asked
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("call = %v", err)
	}
	w.creatio.on(nil)
	close(goOn)
	if status, err := w.call(client, record.Creatio); err != nil || status != http.StatusOK {
		t.Errorf("next call = %d, %v", status, err)
	}
	if after := w.credentials(user, record.Creatio); after.Refresh == before.Refresh || w.creatio.calls("refresh_token") != 1 {
		t.Errorf("kept %+v after %d refreshes", after, w.creatio.calls("refresh_token"))
	}
}

// An instance that dies between the refresh and its write leaves a claim. The next refresh waits until the claim expires
// and sends the used token; then the user has to link the account again.
func TestAfterACrashBetweenRefreshAndWriteTheUserHasToLinkAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	user := w.linked()
	w.clock.pass(2 * time.Hour)
	u := w.store.User(user)
	doc, err := u.Token(t.Context(), record.Creatio)
	if err != nil {
		t.Fatal(err)
	}
	dead := store.Token{Sealed: doc.Sealed, Version: claim(w.clock.now().Add(claimFor))}
	if swapped, err := u.SwapToken(t.Context(), record.Creatio, doc, dead); err != nil || !swapped {
		t.Fatalf("SwapToken = %v, %v", swapped, err)
	}
	if _, err := w.linker.call(t.Context(), record.Creatio, w.credentials(user, record.Creatio).Refresh); err != nil {
		t.Fatalf("call: %v", err)
	}
	waits := 0
	w.options.Sleep = func(context.Context, time.Duration) error {
		if waits++; waits > 5 {
			w.clock.pass(claimFor)
		}
		return nil
	}
	_, err = w.call(w.client(w.another(), user, record.Creatio), record.Creatio)
	if !fault.Is(err, fault.Reconnect) || waits == 0 {
		t.Errorf("call = %v after %d waits", err, waits)
	}
	if !w.profile(user).Creatio.Reconnect {
		t.Error("the account is not marked to be linked again")
	}
}

func TestAClaimedRefreshDelaysNoRequestWhoseTokenIsStillValid(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	user := w.linked()
	w.clock.pass(59 * time.Minute)
	u := w.store.User(user)
	doc, _ := u.Token(t.Context(), record.Creatio)
	if _, err := u.SwapToken(t.Context(), record.Creatio, doc, store.Token{Sealed: doc.Sealed, Version: claim(w.clock.now().Add(claimFor))}); err != nil {
		t.Fatal(err)
	}
	w.options.Sleep = func(context.Context, time.Duration) error {
		t.Error("there was a wait")
		return errors.New("no wait")
	}
	if status, err := w.call(w.client(w.another(), user, record.Creatio), record.Creatio); err != nil || status != http.StatusOK {
		t.Errorf("call = %d, %v", status, err)
	}
	if n := w.creatio.calls("refresh_token"); n != 0 {
		t.Errorf("%d refreshes beside the other's", n)
	}
}

func TestAClaimWhoseRefreshNeverHappenedExpires(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	user := w.linked()
	w.clock.pass(2 * time.Hour)
	u := w.store.User(user)
	doc, _ := u.Token(t.Context(), record.Creatio)
	if _, err := u.SwapToken(t.Context(), record.Creatio, doc, store.Token{Sealed: doc.Sealed, Version: claim(w.clock.now())}); err != nil {
		t.Fatal(err)
	}
	if status, err := w.call(w.client(w.linker, user, record.Creatio), record.Creatio); err != nil || status != http.StatusOK {
		t.Errorf("call = %d, %v", status, err)
	}
}

func TestARevokedGrantHasToBeLinkedAgain(t *testing.T) {
	t.Parallel()
	for _, side := range record.Sides {
		w := newWorld(t, AuthUser)
		user := w.linked()
		client := w.client(w.linker, user, side)
		w.clock.pass(2 * time.Hour)
		for _, s := range []*identityServer{w.google, w.creatio} {
			s.mu.Lock()
			clear(s.refresh)
			s.mu.Unlock()
		}
		secrets := w.credentials(user, side)
		_, err := w.call(client, side)
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != fault.Reconnect || f.Code != "invalid-grant" || f.Side != string(side) {
			t.Errorf("%s: call = %v", side, err)
		}
		if text := err.Error() + w.log.String(); strings.Contains(text, secrets.Refresh) || strings.Contains(text, "client-secret") {
			t.Errorf("%s: a secret shows: %s", side, text)
		}
		p := w.profile(user)
		if p.Google.Reconnect != (side == record.Google) || p.Creatio.Reconnect != (side == record.Creatio) {
			t.Errorf("%s: profile %+v", side, p)
		}
		if _, err := w.linker.Client(t.Context(), user, side, nil); !fault.Is(err, fault.Reconnect) {
			t.Errorf("%s: Client = %v", side, err)
		}
		if side == record.Google {
			if _, err := w.signIn(grant{claims: w.claims(nil), scope: allScopes}); err != nil || w.profile(user).Google.Reconnect {
				t.Errorf("linking again: %v, %+v", err, w.profile(user).Google)
			}
		}
	}
}

func TestARevokedGrantOfAnEarlierLinkingDisconnectsNoUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	user := w.olena()
	client := w.client(w.linker, user, record.Google)
	w.clock.pass(2 * time.Hour)
	w.google.on(func(path string, form url.Values, rw http.ResponseWriter) bool {
		if form.Get("grant_type") != "refresh_token" {
			return false
		}
		w.google.on(nil)
		if _, err := w.signIn(grant{claims: w.claims(nil), scope: allScopes}); err != nil { // the user is faster
			t.Errorf("sign in: %v", err)
		}
		reply(rw, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
		return true
	})
	if status, err := w.call(client, record.Google); err != nil || status != http.StatusOK {
		t.Errorf("call = %d, %v; want the new linking's token", status, err)
	}
	if w.profile(user).Google.Reconnect {
		t.Error("the user was disconnected")
	}
}

func TestAFailureThatIsNotTheUsersDisconnectsNoUser(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		kind   fault.Kind
	}{
		"wrong client":        {http.StatusUnauthorized, `{"error":"invalid_client"}`, fault.Misconfigured},
		"client not allowed":  {http.StatusBadRequest, `{"error":"unauthorized_client"}`, fault.Misconfigured},
		"no such page":        {http.StatusNotFound, `<html>`, fault.Misconfigured},
		"unknown word":        {http.StatusBadRequest, `{"error":"refresh-1"}`, fault.Misconfigured},
		"server error":        {http.StatusInternalServerError, `{"error":"invalid_grant"}`, fault.Retry},
		"gateway":             {http.StatusBadGateway, `<html>`, fault.Retry},
		"too many":            {http.StatusTooManyRequests, `{}`, fault.Retry},
		"unavailable":         {http.StatusBadRequest, `{"error":"temporarily_unavailable"}`, fault.Retry},
		"no token in reply":   {http.StatusOK, `{"refresh_token":"stray"}`, fault.Retry},
		"no JSON":             {http.StatusOK, `access_token`, fault.Retry},
		"endless reply":       {http.StatusOK, `{"access_token":"` + strings.Repeat("a", maxReply) + `"}`, fault.Retry},
		"refusal without end": {http.StatusBadRequest, `{"error_description":"` + strings.Repeat("a", maxReply) + `"}`, fault.Misconfigured},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, AuthUser)
			user := w.linked()
			client := w.client(w.linker, user, record.Creatio)
			before := w.credentials(user, record.Creatio)
			w.clock.pass(2 * time.Hour)
			w.creatio.refuse(c.status, c.body)
			_, err := w.call(client, record.Creatio)
			if !fault.Is(err, c.kind) {
				t.Fatalf("call = %v, want %v", err, c.kind)
			}
			if len(err.Error()) > 500 || strings.Contains(err.Error(), "refresh-1") {
				t.Errorf("the error repeats the reply: %.300s", err)
			}
			if w.profile(user).Creatio.Reconnect {
				t.Error("the user was disconnected")
			}
			w.creatio.on(nil)
			if after := w.credentials(user, record.Creatio); after != before {
				t.Errorf("kept %+v, before %+v", after, before)
			}
			if status, err := w.call(client, record.Creatio); err != nil || status != http.StatusOK {
				t.Errorf("call after it was mended = %d, %v", status, err)
			}
		})
	}
}

func TestAnUnreachableTokenEndpointIsRetriedLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	user := w.linked()
	w.options.CreatioHTTP = roundTripper(func(req *http.Request) (*http.Response, error) {
		if req.Method == http.MethodPost {
			return nil, errors.New("no route to host")
		}
		return http.DefaultTransport.RoundTrip(req)
	})
	client := w.client(w.another(), user, record.Creatio)
	w.clock.pass(59 * time.Minute)
	if status, err := w.call(client, record.Creatio); err != nil || status != http.StatusOK {
		t.Errorf("call with a token that is still good = %d, %v", status, err)
	}
	w.clock.pass(time.Minute)
	if _, err := w.call(client, record.Creatio); !fault.Is(err, fault.Retry) {
		t.Errorf("call = %v", err)
	}
	if w.profile(user).Creatio.Reconnect {
		t.Error("the user was disconnected")
	}
}

// stubborn is a store that refuses to swap tokens, except for claims.
type stubborn struct {
	store.Store
	refuse atomic.Bool
}

type stubbornUser struct {
	store.User
	s *stubborn
}

func (s *stubborn) User(id string) store.User { return stubbornUser{s.Store.User(id), s} }

func (u stubbornUser) SwapToken(ctx context.Context, side record.Side, old, new store.Token) (bool, error) {
	if u.s.refuse.Load() && claimed(new).IsZero() {
		return false, fault.New(fault.Retry, "store", "unavailable", errors.New("swap token"))
	}
	return u.User.SwapToken(ctx, side, old, new)
}

func TestARefreshedTokenSurvivesAnOutageOfTheStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	user := w.linked()
	away := &stubborn{Store: w.store}
	w.options.Store = away
	client := w.client(w.another(), user, record.Creatio)
	w.clock.pass(2 * time.Hour)
	away.refuse.Store(true)
	if _, err := w.call(client, record.Creatio); !fault.Is(err, fault.Retry) {
		t.Fatalf("call = %v: a token was used before it was written", err)
	}
	away.refuse.Store(false)
	if status, err := w.call(client, record.Creatio); err != nil || status != http.StatusOK {
		t.Errorf("call = %d, %v", status, err)
	}
	if n := w.creatio.calls("refresh_token"); n != 1 {
		t.Errorf("%d refreshes, want one", n)
	}
	if got := w.credentials(user, record.Creatio).Refresh; w.creatio.refresh[got].scope != "" || len(w.creatio.refresh) != 1 {
		t.Errorf("kept %q, good are %v", got, w.creatio.refresh)
	}
}

func TestNoAccountNoClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	user := w.olena()
	if _, err := w.linker.Client(t.Context(), user, record.Creatio, nil); !fault.Is(err, fault.Reconnect) || !strings.Contains(err.Error(), "not-linked") {
		t.Errorf("Client = %v", err)
	}
	if _, err := w.linker.Client(t.Context(), "nobody", record.Google, nil); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Client of nobody = %v", err)
	}
}

func TestCredentialsAreSentToTheirServiceOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	user := w.linked()
	for side, other := range map[record.Side]string{record.Google: w.creatio.URL, record.Creatio: w.google.URL} {
		if _, err := get(t.Context(), w.client(w.linker, user, side), other+"/api"); !fault.Is(err, fault.Bug) {
			t.Errorf("%s: request to a foreign host = %v", side, err)
		}
	}
	if err := w.linker.put(t.Context(), user, record.Creatio, credentials{Access: "a", Refresh: "r", Site: "https://other.example.com"}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.linker.Client(t.Context(), user, record.Creatio, nil); !fault.Is(err, fault.Reconnect) {
		t.Errorf("Client with another site's token = %v", err)
	}
	w.options.Creatio.URL = "https://other.example.com"
	if _, err := w.another().Client(t.Context(), user, record.Creatio, nil); !fault.Is(err, fault.Reconnect) {
		t.Errorf("Client for another site = %v", err)
	}
	w.options.Google.Endpoint = ""
	home := w.another().host(record.Google)
	for address, want := range map[string]bool{
		"https://people.googleapis.com/v1/people": true, "https://www.googleapis.com/calendar/v3": true,
		"http://people.googleapis.com/": false, "https://googleapis.com.example.com/": false, "https://evilgoogleapis.com/": false,
	} {
		if u, _ := url.Parse(address); home(u) != want {
			t.Errorf("home(%s) = %v", address, !want)
		}
	}
}

func TestATokenOfAnotherUserCannotBeUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	olena := w.olena()
	out, err := w.signIn(grant{claims: w.claims(map[string]any{"sub": "1002"}), scope: allScopes})
	if err != nil {
		t.Fatal(err)
	}
	doc, _ := w.store.User(olena).Token(t.Context(), record.Google)
	if err := w.store.User(out.User).PutToken(t.Context(), record.Google, doc); err != nil {
		t.Fatal(err)
	}
	if _, err := w.linker.Client(t.Context(), out.User, record.Google, nil); !fault.Is(err, fault.Reconnect) {
		t.Errorf("Client = %v", err)
	}
}

func TestATokenOfAnotherSideCannotBeUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	user := w.linked()
	doc, err := w.store.User(user).Token(t.Context(), record.Creatio)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.store.User(user).PutToken(t.Context(), record.Google, doc); err != nil {
		t.Fatal(err)
	}
	if _, err := w.linker.Client(t.Context(), user, record.Google, nil); !fault.Is(err, fault.Reconnect) {
		t.Errorf("Client = %v", err)
	}
}

func TestAnEndlessReplyOfAnIdentityServiceIsNotReadToItsEnd(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/token", "/.well-known/openid-configuration"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, AuthUser)
			user := w.olena()
			sent := int64(0)
			w.options.HTTP = roundTripper(func(req *http.Request) (*http.Response, error) {
				resp, err := http.DefaultTransport.RoundTrip(req)
				if err == nil && req.URL.Path == path {
					_ = resp.Body.Close()
					resp.Body = io.NopCloser(readerFunc(func(p []byte) (int, error) {
						sent += int64(len(p))
						if sent > 4*maxReply {
							return 0, errors.New("read far beyond the bound")
						}
						for i := range p {
							p[i] = ' '
						}
						return len(p), nil
					}))
				}
				return resp, err
			})
			w.linker = w.another()
			w.clock.pass(2 * time.Hour)
			if _, err := w.call(w.client(w.linker, user, record.Google), record.Google); err == nil {
				t.Error("the call succeeded")
			}
			if sent == 0 || sent > 2*maxReply {
				t.Errorf("%d bytes were read, the bound is %d", sent, maxReply)
			}
		})
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
