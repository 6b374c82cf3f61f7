package oauth

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

func TestSigningInLinksGoogle(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	address := w.begin()
	q, _ := url.Parse(address)
	asked := q.Query()
	for name, want := range map[string]string{"access_type": "offline", "include_granted_scopes": "true", "prompt": "", "scope": allScopes} {
		if got := asked.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	out, err := w.finish(record.Google, consentAt(t, w.google, address, grant{claims: w.claims(nil), scope: allScopes}))
	if err != nil {
		t.Fatalf("Finish: %v", err)
	}
	if diff := cmp.Diff(Outcome{User: UserID("1001"), Side: record.Google, NewUser: true, Session: w.profile(out.User).Session}, out); diff != "" {
		t.Errorf("outcome (-want +got):\n%s", diff)
	}
	want := store.Profile{ID: out.User, CreatedAt: start, Session: out.Session, Google: store.GoogleAccount{
		Subject: "1001", Email: "olena@example.com", HostedDomain: "example.com", HostedDomainKnown: true, Name: "Olena Example", Linked: true, Scopes: []string{"contacts", "calendar"},
	}}
	if diff := cmp.Diff(want, w.profile(out.User)); diff != "" {
		t.Errorf("profile (-want +got):\n%s", diff)
	}
	if status, err := w.call(w.client(w.linker, out.User, record.Google), record.Google); err != nil || status != http.StatusOK {
		t.Errorf("call = %d, %v", status, err)
	}
}

func TestUserIDIsShortAndAKey(t *testing.T) {
	t.Parallel()
	id := UserID("1001")
	if len(id) != 24 || id != strings.ToLower(id) || id == UserID("1002") {
		t.Errorf("UserID = %q", id)
	}
}

func TestAStateIsValidOnceForTenMinutesInOneBrowser(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(w *world, q url.Values) (browser string){
		"unknown":       func(w *world, q url.Values) string { q.Set("state", "nobody-knows"); return w.cookie },
		"no key at all": func(w *world, q url.Values) string { q.Set("state", "../users"); return w.cookie },
		"missing":       func(w *world, q url.Values) string { q.Del("state"); return w.cookie },
		"used": func(w *world, q url.Values) string {
			if _, err := w.finish(record.Google, q); err != nil {
				w.t.Fatalf("first use: %v", err)
			}
			return w.cookie
		},
		"expired":         func(w *world, _ url.Values) string { w.clock.pass(linkingTime + time.Second); return w.cookie },
		"foreign browser": func(*world, url.Values) string { return "another browser's secret" },
		"no browser":      func(*world, url.Values) string { return "" },
		"no code":         func(w *world, q url.Values) string { q.Del("code"); return w.cookie },
		"foreign issuer":  func(w *world, q url.Values) string { q.Set("iss", "https://issuer.example.com"); return w.cookie },
		"foreign code":    func(w *world, q url.Values) string { q.Set("code", "stolen-code"); return w.cookie },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, AuthUser)
			q := consentAt(t, w.google, w.begin(), grant{claims: w.claims(nil), scope: allScopes})
			browser := spoil(w, q)
			_, err := w.linker.Finish(t.Context(), record.Google, browser, q)
			if !errors.Is(err, ErrState) {
				t.Errorf("Finish = %v, want ErrState", err)
			}
			if strings.Contains(err.Error(), "stolen-code") {
				t.Errorf("the error tells the code: %v", err)
			}
			if _, err := w.store.User(UserID("1001")).Profile(t.Context()); name != "used" && !errors.Is(err, store.ErrNotFound) {
				t.Errorf("a user was made: %v", err)
			}
		})
	}
}

func TestACodeOfAnotherLinkingIsRejected(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	theirs := consentAt(t, w.google, w.begin(), grant{claims: w.claims(nil), scope: allScopes})
	mine := consentAt(t, w.google, w.begin(), grant{claims: w.claims(nil), scope: allScopes})
	mine.Set("code", theirs.Get("code"))
	if _, err := w.finish(record.Google, mine); !errors.Is(err, ErrState) {
		t.Errorf("Finish = %v, want ErrState", err)
	}
}

func TestARefusedConsentChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	user := w.olena()
	before := w.profile(user)
	for code, want := range map[string]error{
		"access_denied": ErrRefused, "invalid_scope": ErrFailed, "temporarily_unavailable": ErrFailed, "made up <b>": ErrFailed,
	} {
		q := consentAt(t, w.google, w.begin(), grant{})
		q.Del("code")
		q.Set("error", code)
		_, err := w.finish(record.Google, q)
		if !errors.Is(err, want) {
			t.Errorf("%s: Finish = %v", code, err)
		}
		if strings.Contains(err.Error(), "<b>") {
			t.Errorf("the error repeats what it was given: %v", err)
		}
	}
	if diff := cmp.Diff(before, w.profile(user)); diff != "" {
		t.Errorf("profile changed:\n%s", diff)
	}
}

func TestAnInvalidIDTokenSignsNoUserIn(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]map[string]any{
		"nonce":            {"nonce": "another's"},
		"audience":         {"aud": "another-client"},
		"second audience":  {"aud": []string{"client", "another-client"}, "azp": "another-client"},
		"issuer":           {"iss": "https://issuer.example.com"},
		"expired":          {"exp": start.Add(-time.Minute).Unix()},
		"subject":          {"sub": ""},
		"access token":     {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
		"type of verified": {"email_verified": "yes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, AuthUser)
			_, err := w.signIn(grant{claims: w.claims(change), scope: allScopes})
			if !fault.Is(err, fault.Bug) || !strings.Contains(err.Error(), "bad-id-token") {
				t.Errorf("Finish = %v", err)
			}
			for p := range w.store.Users(t.Context()) {
				t.Errorf("a user was made: %+v", p)
			}
		})
	}
}

func TestASignatureOfAnotherKeySignsNoUserIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	address := w.begin()
	claims := w.claims(nil)
	q := consentAt(t, w.google, address, grant{claims: claims, scope: allScopes})
	forged := sign(claims)
	forged = forged[:strings.LastIndexByte(forged, '.')+1] + strings.Repeat("A", 342)
	w.google.refuse(http.StatusOK, `{"access_token":"a","refresh_token":"r","id_token":"`+forged+`"}`)
	if _, err := w.finish(record.Google, q); !fault.Is(err, fault.Bug) {
		t.Errorf("Finish = %v", err)
	}
}

func TestWhoMaySignIn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		domains []string
		claims  map[string]any
		allowed bool
	}{
		"any domain":       {nil, nil, true},
		"own workspace":    {[]string{"example.com"}, nil, true},
		"mail domain":      {[]string{"@example.com"}, map[string]any{"hd": nil}, true},
		"private address":  {[]string{"example.com"}, map[string]any{"hd": nil}, false},
		"other workspace":  {[]string{"example.com"}, map[string]any{"hd": "evil.example"}, false},
		"other ending":     {[]string{"@example.org"}, nil, false},
		"longer ending":    {[]string{"@ample.com"}, nil, false},
		"workspace":        {[]string{"corp.example"}, map[string]any{"hd": "corp.example"}, true},
		"another domain":   {[]string{"corp.example"}, nil, false},
		"longer domain":    {[]string{"ample.com"}, nil, false},
		"quoted local":     {[]string{"corp.example"}, map[string]any{"email": `"a@corp.example"@example.com`}, false},
		"unverified":       {nil, map[string]any{"email_verified": false}, false},
		"no address":       {nil, map[string]any{"email": ""}, false},
		"verified missing": {nil, map[string]any{"email_verified": nil}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, AuthUser)
			w.options.AllowedDomains = c.domains
			w.linker = w.another()
			out, err := w.signIn(grant{claims: w.claims(c.claims), scope: allScopes})
			if c.allowed {
				if err != nil {
					t.Errorf("Finish = %v", err)
				}
				return
			}
			if !errors.Is(err, ErrNotAllowed) || out.User != "" {
				t.Errorf("Finish = %+v, %v; want ErrNotAllowed", out, err)
			}
			for p := range w.store.Users(t.Context()) {
				t.Errorf("a user was kept: %+v", p)
			}
			if got := w.google.revocations(); len(got) != 1 || !strings.HasPrefix(got[0], "refresh-") {
				t.Errorf("revoked %v, want the grant", got)
			}
		})
	}
}

func TestUntilTheWorkspaceIsLearnedTheEndingOfTheAddressCounts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		hd      any
		allowed bool
	}{"of the Workspace": {"example.com", true}, "a private account": {nil, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, AuthUser)
			user := w.olena()
			w.options.AllowedDomains = []string{"example.com"}
			w.linker = w.another()
			if err := w.linker.changeProfile(t.Context(), user, func(p *store.Profile) { p.Google.HostedDomain, p.Google.HostedDomainKnown = "", false }); err != nil {
				t.Fatal(err)
			}
			if !w.linker.Allowed(w.profile(user).Google) {
				t.Error("the account is locked out before anything is known")
			}
			w.google.refreshed = w.claims(map[string]any{"hd": c.hd})
			w.clock.pass(2 * time.Hour)
			w.google.refreshed["iat"], w.google.refreshed["exp"] = w.clock.now().Unix(), w.clock.now().Add(time.Hour).Unix()
			if status, err := w.call(w.client(w.linker, user, record.Google), record.Google); err != nil || status != http.StatusOK {
				t.Fatalf("call = %d, %v", status, err)
			}
			if got := w.profile(user).Google; !got.HostedDomainKnown || w.linker.Allowed(got) != c.allowed {
				t.Errorf("after a refresh: %+v, allowed %t", got, w.linker.Allowed(got))
			}
		})
	}
}

func TestAPartialGrantIsReportedAndStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	out, err := w.signIn(grant{claims: w.claims(nil), scope: "openid email profile"})
	if err != nil {
		t.Fatalf("Finish: %v", err)
	}
	if diff := cmp.Diff([]string{"contacts", "calendar"}, out.MissingScopes); diff != "" {
		t.Errorf("missing scopes:\n%s", diff)
	}
	if p := w.profile(out.User); !p.Google.Linked || len(p.Google.Scopes) != 0 {
		t.Errorf("google = %+v", p.Google)
	}
	out, err = w.signIn(grant{claims: w.claims(nil), scope: "openid email profile https://www.googleapis.com/auth/contacts"})
	if err != nil {
		t.Fatalf("Finish: %v", err)
	}
	if diff := cmp.Diff([]string{"calendar"}, out.MissingScopes); diff != "" {
		t.Errorf("missing scopes with contacts:\n%s", diff)
	}
	if p := w.profile(out.User); !slices.Equal(p.Google.Scopes, []string{"contacts"}) {
		t.Errorf("with contacts google = %+v", p.Google)
	}
}

func TestSigningInAgainKeepsTheRefreshToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	user := w.olena()
	first := w.credentials(user, record.Google)
	out, err := w.signIn(grant{claims: w.claims(map[string]any{"email": "new@example.com"}), scope: allScopes, noRefresh: true})
	if err != nil || out.NewUser || out.User != user {
		t.Fatalf("Finish = %+v, %v", out, err)
	}
	again := w.credentials(user, record.Google)
	if again.Refresh != first.Refresh || again.Access == first.Access {
		t.Errorf("kept %+v, first %+v", again, first)
	}
	if got := w.profile(user).Google.Email; got != "new@example.com" {
		t.Errorf("email = %q", got)
	}
}

func TestConsentIsAskedAgainIfNoRefreshTokenIsValid(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(w *world){
		"never kept": func(*world) {},
		"dead": func(w *world) {
			w.linker.disconnect(w.t.Context(), w.olena(), record.Google, w.credentials(UserID("1001"), record.Google).Refresh)
		},
		"narrower": func(w *world) {
			if _, err := w.signIn(grant{claims: w.claims(nil), scope: "openid email profile"}); err != nil {
				w.t.Fatalf("sign in: %v", err)
			}
		},
		"unlinked": func(w *world) {
			if err := w.linker.Unlink(w.t.Context(), w.olena(), record.Google); err != nil {
				w.t.Fatalf("Unlink: %v", err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, AuthUser)
			prepare(w)
			_, err := w.signIn(grant{claims: w.claims(nil), scope: allScopes, noRefresh: true})
			more, ok := errors.AsType[*ConsentError](err)
			if !ok || !errors.Is(err, ErrNoRefresh) {
				t.Fatalf("Finish = %v, want a ConsentError", err)
			}
			at, _ := url.Parse(more.Redirect)
			if at.Query().Get("prompt") != "consent" || at.Query().Get("login_hint") != "olena@example.com" {
				t.Errorf("redirect = %s", more.Redirect)
			}
			w.cookie = more.Browser
			if strings.Contains(err.Error(), "state=") {
				t.Errorf("the error tells the state: %v", err)
			}
			out, err := w.finish(record.Google, consentAt(t, w.google, more.Redirect, grant{claims: w.claims(nil), scope: allScopes}))
			if err != nil {
				t.Fatalf("second Finish: %v", err)
			}
			if p := w.profile(out.User); !p.Google.Linked || p.Google.Reconnect {
				t.Errorf("google = %+v", p.Google)
			}
		})
	}
}

func TestConsentIsNotAskedForEver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	_, err := w.signIn(grant{claims: w.claims(nil), scope: allScopes, noRefresh: true})
	more, ok := errors.AsType[*ConsentError](err)
	if !ok {
		t.Fatalf("Finish = %v, want a ConsentError", err)
	}
	w.cookie = more.Browser
	q := consentAt(t, w.google, more.Redirect, grant{claims: w.claims(nil), scope: allScopes, noRefresh: true})
	if _, err = w.finish(record.Google, q); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("Finish = %v, want Misconfigured", err)
	}
}

func TestConsentLinksCreatio(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	user := w.olena()
	address := w.beginCreatio(user)
	if at, _ := url.Parse(address); at.Query().Get("scope") != "offline_access" {
		t.Errorf("scope in %s", address)
	}
	out, err := w.finish(record.Creatio, consentAt(t, w.creatio, address, grant{}))
	if err != nil {
		t.Fatalf("Finish: %v", err)
	}
	if diff := cmp.Diff(Outcome{User: user, Side: record.Creatio}, out); diff != "" {
		t.Errorf("outcome (-want +got):\n%s", diff)
	}
	want := store.CreatioAccount{URL: w.creatio.URL, UserID: olena.ID, User: "olena", ContactID: olena.ContactID, TimeZone: olena.TimeZone, Linked: true}
	if diff := cmp.Diff(want, w.profile(user).Creatio); diff != "" {
		t.Errorf("creatio (-want +got):\n%s", diff)
	}
	if status, err := w.call(w.client(w.linker, user, record.Creatio), record.Creatio); err != nil || status != http.StatusOK {
		t.Errorf("call = %d, %v", status, err)
	}
}

func TestSigningOutEndsALinkingUnderWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	user := w.olena()
	address := w.beginCreatio(user)
	if err := w.linker.changeProfile(t.Context(), user, func(p *store.Profile) { p.Session = "another" }); err != nil {
		t.Fatal(err)
	}
	if _, err := w.finish(record.Creatio, consentAt(t, w.creatio, address, grant{})); !errors.Is(err, ErrState) {
		t.Errorf("Finish = %v, want ErrState", err)
	}
}

func TestCreatioWithoutARefreshTokenIsMisconfigured(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	user := w.olena()
	address := w.beginCreatio(user)
	if _, err := w.finish(record.Creatio, consentAt(t, w.creatio, address, grant{noRefresh: true})); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("Finish = %v", err)
	}
	if w.profile(user).Creatio.Linked {
		t.Error("the account was linked")
	}
}

func TestNameAndPasswordLinkCreatio(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthPassword)
	user := w.olena()
	err := w.linker.LinkPassword(t.Context(), user, "olena", "wrong")
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != fault.Reconnect || f.Code != "wrong-password" {
		t.Errorf("LinkPassword = %v", err)
	}
	if _, err := w.store.User(user).Token(t.Context(), record.Creatio); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a wrong password was kept: %v", err)
	}
	if err := w.linker.LinkPassword(t.Context(), user, "olena", "right"); err != nil {
		t.Fatalf("LinkPassword: %v", err)
	}
	if c := w.profile(user).Creatio; !c.Linked || c.ContactID != olena.ContactID {
		t.Errorf("creatio = %+v", c)
	}
	client := w.client(w.linker, user, record.Creatio)
	if status, err := w.call(client, record.Creatio); err != nil || status != http.StatusOK {
		t.Errorf("call = %d, %v", status, err)
	}
	w.password = "changed"
	if _, err := w.call(client, record.Creatio); !fault.Is(err, fault.Reconnect) {
		t.Errorf("call with a refused password = %v", err)
	}
	if !w.profile(user).Creatio.Reconnect {
		t.Error("the account is not marked to be linked again")
	}
	if _, err := w.linker.Client(t.Context(), user, record.Creatio, nil); !fault.Is(err, fault.Reconnect) {
		t.Errorf("Client = %v: the password would be tried again", err)
	}
	if err := w.linker.LinkPassword(t.Context(), user, "olena", "changed"); err != nil || w.profile(user).Creatio.Reconnect {
		t.Errorf("linking again: %v, %+v", err, w.profile(user).Creatio)
	}
}

func TestOnlyTheConfiguredWayLinks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, AuthUser)
	user := w.olena()
	if err := w.linker.LinkPassword(t.Context(), user, "olena", "right"); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("LinkPassword = %v", err)
	}
	if err := w.linker.LinkClient(t.Context(), user); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("LinkClient = %v", err)
	}
	if _, err := w.linker.BeginCreatio(t.Context(), "nobody", w.cookie); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("BeginCreatio = %v", err)
	}
}

func TestNewNamesEveryMissingOption(t *testing.T) {
	t.Parallel()
	_, err := New(Options{Creatio: Creatio{Auth: AuthPassword}})
	if !fault.Is(err, fault.Misconfigured) {
		t.Fatalf("New = %v", err)
	}
	for _, name := range []string{"the store", "the vault", "the vault of browsers", "the public address", "CreatioSession", "CreatioSignIn"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%q is not named in %v", name, err)
		}
	}
}
