package oauth

import (
	"bytes"
	"cmp"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/bolt"
)

var start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// clock is a time that only a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// paperVault seals by prepending the context.
type paperVault struct{}

func (paperVault) Seal(plain []byte, context string) ([]byte, error) {
	return append([]byte(context+"|"), plain...), nil
}

func (paperVault) Open(sealed []byte, context string) ([]byte, error) {
	plain, found := bytes.CutPrefix(sealed, []byte(context+"|"))
	if !found {
		return nil, fault.New(fault.Reconnect, "vault", "unreadable-token", errors.New("open: another context"))
	}
	return plain, nil
}

var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

// grant is the grant of a code or a refresh token.
type grant struct {
	claims            map[string]any
	scope             string
	noRefresh, noOpen bool
	challenge         string
}

// identityServer is an OpenID provider and the API behind it.
type identityServer struct {
	// refreshed are the claims of the ID token that comes with a refresh; nil for none.
	refreshed map[string]any
	*httptest.Server
	now func() time.Time
	// rotates says that each refresh returns a new refresh token and that the old one is accepted once.
	rotates bool
	// callback is the one redirect address that is registered.
	callback string
	// issuer is the service's issuer if that is not its address; sendsIssuer says that its responses name the issuer.
	issuer      string
	sendsIssuer bool

	mu       sync.Mutex
	lifetime int
	codes    map[string]grant
	refresh  map[string]grant
	access   map[string]bool
	revoked  []string
	asked    []url.Values
	issued   int
	// answer replaces the reply of the token or the revocation endpoint if it returns true.
	answer func(path string, form url.Values, w http.ResponseWriter) bool
}

func newIdentityServer(t *testing.T, now func() time.Time) *identityServer {
	t.Helper()
	s := &identityServer{now: now, lifetime: 3600, codes: map[string]grant{}, refresh: map[string]grant{}, access: map[string]bool{}}
	mux := http.NewServeMux()
	discovery := func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]any{
			"issuer": cmp.Or(s.issuer, s.URL), "authorization_response_iss_parameter_supported": s.sendsIssuer, "authorization_endpoint": s.URL + "/authorize", "token_endpoint": s.URL + "/token",
			"revocation_endpoint": s.URL + "/revoke", "jwks_uri": s.URL + "/keys",
		})
	}
	mux.HandleFunc("GET /.well-known/openid-configuration", discovery)
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		public := signingKey().PublicKey
		reply(w, http.StatusOK, map[string]any{"keys": []any{map[string]any{
			"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "one",
			"n": base64.RawURLEncoding.EncodeToString(public.N.Bytes()),
			"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(public.E)).Bytes()),
		}}})
	})
	mux.HandleFunc("POST /token", s.token)
	mux.HandleFunc("POST /revoke", s.revoke)
	mux.HandleFunc("/api", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		s.mu.Lock()
		good := s.access[token]
		s.mu.Unlock()
		if !good {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprintf(w, "%s", body)
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func (s *identityServer) token(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	s.mu.Lock()
	s.asked = append(s.asked, r.PostForm)
	answer := s.answer
	s.mu.Unlock()
	if answer != nil && answer("/token", r.PostForm, w) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.PostForm.Get("client_id") != "client" || r.PostForm.Get("client_secret") != "client-secret" {
		reply(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		return
	}
	var g grant
	known, old := false, r.PostForm.Get("refresh_token")
	switch r.PostForm.Get("grant_type") {
	case "authorization_code":
		g, known = s.codes[r.PostForm.Get("code")]
		delete(s.codes, r.PostForm.Get("code"))
		sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
		known = known && r.PostForm.Get("redirect_uri") == s.callback && g.challenge == base64.RawURLEncoding.EncodeToString(sum[:])
	case "refresh_token":
		g, known = s.refresh[old]
		if s.rotates {
			delete(s.refresh, old)
		}
	case "client_credentials":
		g, known = grant{noRefresh: true}, true
	}
	if !known {
		reply(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant", "error_description": "gone: " + r.PostForm.Encode()})
		return
	}
	s.issued++
	access := fmt.Sprintf("access-%d", s.issued)
	s.access[access] = true
	out := map[string]any{"access_token": access, "token_type": "Bearer"}
	if s.lifetime > 0 {
		out["expires_in"] = s.lifetime
	}
	if g.scope != "" {
		out["scope"] = g.scope
	}
	if g.claims != nil && !g.noOpen {
		out["id_token"] = sign(g.claims)
	}
	if old != "" && s.refreshed != nil {
		out["id_token"] = sign(s.refreshed)
	}
	if !g.noRefresh && (old == "" || s.rotates) {
		refresh := fmt.Sprintf("refresh-%d", s.issued)
		g.noOpen = true
		s.refresh[refresh] = g
		out["refresh_token"] = refresh
	}
	reply(w, http.StatusOK, out)
}

func (s *identityServer) revoke(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	s.mu.Lock()
	answer := s.answer
	s.mu.Unlock()
	if answer != nil && answer("/revoke", r.PostForm, w) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revoked = append(s.revoked, r.PostForm.Get("token"))
	delete(s.refresh, r.PostForm.Get("token"))
}

// sign makes an ID token by hand.
func sign(claims map[string]any) string {
	encode := func(v any) string {
		b, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(b)
	}
	text := encode(map[string]any{"alg": "RS256", "kid": "one", "typ": "JWT"}) + "." + encode(claims)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, signingKey(), crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// refuse makes the token endpoint always send this reply.
func (s *identityServer) refuse(status int, body string) {
	s.on(func(path string, _ url.Values, w http.ResponseWriter) bool {
		if path != "/token" {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
		return true
	})
}

func (s *identityServer) on(f func(path string, form url.Values, w http.ResponseWriter) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = f
}

// expel makes the API refuse every access token issued so far.
func (s *identityServer) expel() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.access)
}

// calls counts calls of the token endpoint of one grant type.
func (s *identityServer) calls(grantType string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, form := range s.asked {
		if form.Get("grant_type") == grantType {
			n++
		}
	}
	return n
}

func (s *identityServer) revocations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.revoked...)
}

// world is a linker with everything around it.
type world struct {
	t       *testing.T
	clock   *clock
	store   store.Store
	google  *identityServer
	creatio *identityServer
	linker  *Linker
	options Options
	// cookie is what the browser keeps of the linkings that it began.
	cookie string
	// log is the log of the linkers.
	log *syncBuffer

	// password is the valid password of every user name.
	password string
	// found is the user whom CreatioFind finds.
	found func(email string) (CreatioUser, error)
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

var olena = CreatioUser{ID: "11111111-0000-4000-8000-000000000001", Login: "olena", ContactID: "22222222-0000-4000-8000-000000000001", TimeZone: "FLE Standard Time"}

func newWorld(t *testing.T, auth string) *world {
	t.Helper()
	w := &world{t: t, clock: &clock{at: start}, password: "right", log: &syncBuffer{}}
	w.found = func(string) (CreatioUser, error) { return olena, nil }
	kept, err := bolt.Open(filepath.Join(t.TempDir(), "tandem.db"))
	if err != nil {
		t.Fatalf("bolt.Open: %v", err)
	}
	t.Cleanup(func() { _ = kept.Close() })
	w.store = kept
	w.google, w.creatio = newIdentityServer(t, w.clock.now), newIdentityServer(t, w.clock.now)
	w.creatio.rotates = true
	w.google.callback, w.creatio.callback = "https://tandem.example.com/oauth-callback", "https://tandem.example.com/oauth-callback/creatio"
	w.options = Options{
		Store: kept, Vault: paperVault{}, Browser: paperVault{}, HTTP: http.DefaultTransport, CreatioHTTP: http.DefaultTransport,
		PublicURL: "https://tandem.example.com",
		Google:    Google{ClientID: "client", ClientSecret: "client-secret", Endpoint: w.google.URL},
		Creatio:   Creatio{URL: w.creatio.URL, Auth: auth, ClientID: "client", ClientSecret: "client-secret"},
		Now:       w.clock.now,
		Logger:    slog.New(slog.NewTextHandler(w.log, nil)),
		Sleep: func(ctx context.Context, _ time.Duration) error {
			return sleep(ctx, time.Millisecond)
		},
		CreatioUser: func(ctx context.Context, client *http.Client) (CreatioUser, error) {
			if status, err := get(ctx, client, w.creatio.URL+"/api"); err != nil || status != http.StatusOK {
				return CreatioUser{}, fault.Errorf(fault.Reconnect, "creatio", "unauthorized", "status %d: %w", status, err)
			}
			return olena, nil
		},
		CreatioFind: func(ctx context.Context, client *http.Client, email string) (CreatioUser, error) {
			if status, err := get(ctx, client, w.creatio.URL+"/api"); err != nil || status != http.StatusOK {
				return CreatioUser{}, fmt.Errorf("find: status %d: %w", status, err)
			}
			return w.found(email)
		},
		CreatioSignIn: func(_ context.Context, _ http.RoundTripper, _, password string) error { return w.tryPassword(password) },
		CreatioSession: func(_ http.RoundTripper, _, password string) http.RoundTripper {
			return roundTripper(func(req *http.Request) (*http.Response, error) {
				if err := w.tryPassword(password); err != nil {
					return nil, err
				}
				return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: req}, nil
			})
		},
	}
	w.linker = w.another()
	return w
}

func (w *world) tryPassword(password string) error {
	if password == w.password {
		return nil
	}
	return fault.New(fault.Reconnect, "creatio", "wrong-password", errors.New("log in: code 1"))
}

// another is another instance of Tandem on the same store.
func (w *world) another() *Linker {
	w.t.Helper()
	l, err := New(w.options)
	if err != nil {
		w.t.Fatalf("New: %v", err)
	}
	return l
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func get(ctx context.Context, client *http.Client, address string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, nil
}

// claims are the claims of a user who may sign in.
func (w *world) claims(change map[string]any) map[string]any {
	c := map[string]any{
		"iss": w.google.URL, "aud": "client", "sub": "1001", "email": "olena@example.com", "email_verified": true, "name": "Olena Example", "hd": "example.com",
		"iat": w.clock.now().Unix(), "exp": w.clock.now().Add(time.Hour).Unix(),
	}
	for k, v := range change {
		c[k] = v
	}
	return c
}

const allScopes = "openid email profile https://www.googleapis.com/auth/contacts https://www.googleapis.com/auth/calendar.events"

// consentAt gives the user's consent on the page at the address, and returns the response that the browser brings back.
func consentAt(t *testing.T, s *identityServer, address string, g grant) url.Values {
	t.Helper()
	at, err := url.Parse(address)
	if err != nil {
		t.Fatalf("consent page: %v", err)
	}
	q := at.Query()
	if q.Get("code_challenge_method") != "S256" || q.Get("response_type") != "code" || q.Get("redirect_uri") != s.callback {
		t.Fatalf("consent page: unexpected query %v", q)
	}
	if g.claims != nil && g.claims["nonce"] == nil {
		g.claims["nonce"] = q.Get("nonce")
	}
	g.challenge = q.Get("code_challenge")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.issued++
	code := fmt.Sprintf("code-%d", s.issued)
	s.codes[code] = g
	return url.Values{"state": {q.Get("state")}, "code": {code}}
}

// begin begins a sign-in.
func (w *world) begin() string {
	w.t.Helper()
	begun, err := w.linker.BeginGoogle(w.t.Context(), w.cookie)
	if err != nil {
		w.t.Fatalf("BeginGoogle: %v", err)
	}
	w.cookie = begun.Browser
	return begun.Redirect
}

// finish finishes a linking in the browser.
func (w *world) finish(side record.Side, response url.Values) (Outcome, error) {
	w.t.Helper()
	return w.linker.Finish(w.t.Context(), side, w.cookie, response)
}

// beginCreatio begins to link a Creatio account.
func (w *world) beginCreatio(user string) string {
	w.t.Helper()
	begun, err := w.linker.BeginCreatio(w.t.Context(), user, w.cookie)
	if err != nil {
		w.t.Fatalf("BeginCreatio: %v", err)
	}
	w.cookie = begun.Browser
	return begun.Redirect
}

// signIn signs a user in with a grant.
func (w *world) signIn(g grant) (Outcome, error) {
	w.t.Helper()
	return w.finish(record.Google, consentAt(w.t, w.google, w.begin(), g))
}

// olena signs the usual user in.
func (w *world) olena() string {
	w.t.Helper()
	out, err := w.signIn(grant{claims: w.claims(nil), scope: allScopes})
	if err != nil {
		w.t.Fatalf("sign in: %v", err)
	}
	return out.User
}

// linked is the usual user with a Creatio account linked by consent.
func (w *world) linked() string {
	w.t.Helper()
	user := w.olena()
	address := w.beginCreatio(user)
	if _, err := w.finish(record.Creatio, consentAt(w.t, w.creatio, address, grant{})); err != nil {
		w.t.Fatalf("Finish: %v", err)
	}
	return user
}

func (w *world) profile(user string) store.Profile {
	w.t.Helper()
	p, err := w.store.User(user).Profile(w.t.Context())
	if err != nil {
		w.t.Fatalf("Profile: %v", err)
	}
	return p
}

// credentials are the user's stored credentials.
func (w *world) credentials(user string, side record.Side) credentials {
	w.t.Helper()
	k, err := w.linker.load(w.t.Context(), user, side)
	if err != nil {
		w.t.Fatalf("load: %v", err)
	}
	return k.credentials
}

func (w *world) client(l *Linker, user string, side record.Side) *http.Client {
	w.t.Helper()
	c, err := l.Client(w.t.Context(), user, side, http.DefaultTransport)
	if err != nil {
		w.t.Fatalf("Client: %v", err)
	}
	return c
}

// call calls the API of a side.
func (w *world) call(c *http.Client, side record.Side) (int, error) {
	s := w.creatio
	if side == record.Google {
		s = w.google
	}
	return get(w.t.Context(), c, s.URL+"/api")
}

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}
