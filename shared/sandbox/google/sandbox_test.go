package google

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"
	"google.golang.org/api/people/v1"
)

const (
	ann      = "ann@example.com"
	clientID = "client"
	secret   = "not a secret"
	callback = "https://tandem.example.com/oauth-callback"
	contacts = scopePrefix + "contacts"
	fields   = "names,emailAddresses,memberships,metadata"
)

// clock is one that goes on only when told to.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is a simulated Google with one user, and a client of it.
type world struct {
	*Server
	t     *testing.T
	url   string
	clock *clock
	http  *http.Client
}

func newWorld(t *testing.T, o Options) *world {
	t.Helper()
	w := &world{t: t, clock: &clock{now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}}
	o.Now = w.clock.Now
	w.Server = New(o)
	w.AddClient(clientID, secret, callback)
	w.AddUser(User{Email: ann, Name: "Ann Reed", HostedDomain: "example.com", EmailVerified: true})
	server := httptest.NewServer(w.Server)
	t.Cleanup(server.Close)
	w.url = server.URL
	w.http = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t.Cleanup(w.http.CloseIdleConnections)
	return w
}

func (w *world) config(scopes ...string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: clientID, ClientSecret: secret, RedirectURL: callback, Scopes: append([]string{"openid", "email", "profile"}, scopes...),
		Endpoint: oauth2.Endpoint{AuthURL: w.url + "/o/oauth2/v2/auth", TokenURL: w.url + "/token", AuthStyle: oauth2.AuthStyleInParams},
	}
}

func (w *world) context() context.Context {
	return context.WithValue(w.t.Context(), oauth2.HTTPClient, w.http)
}

// open goes to the consent page, and gives what the client is told, if it is told anything.
func (w *world) open(address string) url.Values {
	w.t.Helper()
	status, header, body := w.get(address)
	if status != http.StatusFound {
		w.t.Fatalf("the consent page answers %d: %s", status, body)
	}
	return told(w.t, header)
}

func told(t *testing.T, header http.Header) url.Values {
	t.Helper()
	u, err := url.Parse(header.Get("Location"))
	if err != nil || !strings.HasPrefix(u.String(), callback+"?") {
		t.Fatalf("sent to %q, %v", header.Get("Location"), err)
	}
	return u.Query()
}

func (w *world) get(address string) (int, http.Header, string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.send(req)
}

func (w *world) send(req *http.Request) (int, http.Header, string) {
	w.t.Helper()
	resp, err := w.http.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(body)
}

// link signs Ann in.
func (w *world) link(scopes ...string) *oauth2.Token {
	w.t.Helper()
	w.AutoConsent(ann)
	c := w.config(scopes...)
	code := w.open(c.AuthCodeURL("state", oauth2.AccessTypeOffline, oauth2.ApprovalForce)).Get("code")
	token, err := c.Exchange(w.context(), code)
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

// people is Google's own client library, signed in as Ann.
func (w *world) people() *people.Service {
	w.t.Helper()
	client := w.config().Client(w.context(), w.link(contacts))
	api, err := people.NewService(w.t.Context(), option.WithHTTPClient(client), option.WithEndpoint(w.url))
	if err != nil {
		w.t.Fatal(err)
	}
	return api
}

// call makes a request by hand, signed in as Ann.
func (w *world) call(token *oauth2.Token, verb, path, body string) (int, string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), verb, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	token.SetAuthHeader(req)
	status, _, answer := w.send(req)
	return status, answer
}

func person(given string, groups ...string) *people.Person {
	p := &people.Person{Names: []*people.Name{{GivenName: given, FamilyName: "Smith"}}}
	for _, g := range groups {
		p.Memberships = append(p.Memberships, &people.Membership{ContactGroupMembership: &people.ContactGroupMembership{ContactGroupResourceName: g}})
	}
	return p
}

// wantRefusal checks what a refusal says.
func wantRefusal(t *testing.T, err error, code int, status string, words ...string) {
	t.Helper()
	e, ok := errors.AsType[*googleapi.Error](err)
	if !ok {
		t.Errorf("got %v, want status %d", err, code)
		return
	}
	var body struct{ Error struct{ Status string } }
	if json.Unmarshal([]byte(e.Body), &body) != nil || e.Code != code || body.Error.Status != status {
		t.Errorf("got %d %s, want %d %s: %s", e.Code, body.Error.Status, code, status, e.Body)
	}
	for _, word := range words {
		if !strings.Contains(e.Body, word) {
			t.Errorf("the refusal does not say %q: %s", word, e.Body)
		}
	}
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
