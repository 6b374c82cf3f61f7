package google

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	scopePrefix  = "https://www.googleapis.com/auth/"
	openidScope  = "openid"
	emailScope   = scopePrefix + "userinfo.email"
	profileScope = scopePrefix + "userinfo.profile"
)

// scopes are the ones that may be asked for, with what the consent page says of them. Those of signing in cannot be
// unticked, and have no sentence.
var scopes = map[string]string{
	openidScope: "", emailScope: "", profileScope: "",
	scopePrefix + "contacts":              "See, edit, download, and permanently delete your contacts",
	scopePrefix + "contacts.readonly":     "See and download your contacts",
	scopePrefix + "calendar":              "See, edit, share, and permanently delete all the calendars you can access",
	scopePrefix + "calendar.readonly":     "See and download any calendar you can access",
	scopePrefix + "calendar.events":       "View and edit events on all your calendars",
	scopePrefix + "calendar.events.owned": "View and edit events on calendars you own",
	scopePrefix + "calendar.app.created":  "Make secondary calendars, and see, create, change, and delete events on them",
}

// canonical is how Google spells a scope in its answers.
func canonical(scope string) string {
	switch scope {
	case "email", "profile":
		return scopePrefix + "userinfo." + scope
	}
	return scope
}

// grant is what a user lets a client do.
type grant struct {
	Scopes []string
	// Refresh are the refresh tokens, the oldest first.
	Refresh []string
}

// maxRefresh is how many refresh tokens an account has with one client; the oldest ends without a word
// (https://developers.google.com/identity/protocols/oauth2#expiration).
const maxRefresh = 100

// code is an authorization code.
type code struct {
	Client, Email, RedirectURI string
	Scopes                     []string
	Nonce, Challenge, Method   string
	// Offline says that a refresh token comes with it.
	Offline bool
	Expires time.Time
	Used    bool
}

// codeLifetime is how long a code may be exchanged.
const codeLifetime = 10 * time.Minute

// token is an access or a refresh token.
type token struct {
	Client, Email string
	Scopes        []string
	// Code is the one that the token came from.
	Code string
	// Expires is zero for refresh tokens.
	Expires time.Time
}

func grantKey(client, email string) string { return client + " " + email }

// granted is the grant that a user gave a client; nil where there is none.
func (s *Server) granted(client, email string) *grant { return s.state.Grants[grantKey(client, email)] }

// bearer is the token that a request came with. An Authorization header is the only way that is no mistake.
func (s *Server) bearer(r *http.Request) (*token, *failure) {
	raw, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !found {
		f := newFailure(http.StatusUnauthorized, "UNAUTHENTICATED", "Request is missing required authentication credential. "+expectation)
		f.challenge = `Bearer realm="https://accounts.google.com/"`
		return nil, f.because("CREDENTIALS_MISSING", nil)
	}
	t := s.state.Access[raw]
	if t == nil || !s.o.Now().Before(t.Expires) || s.state.Accounts[t.Email] == nil {
		f := newFailure(http.StatusUnauthorized, "UNAUTHENTICATED", "Request had invalid authentication credentials. "+expectation)
		f.challenge = `Bearer realm="https://accounts.google.com/", error="invalid_token"`
		return nil, f
	}
	return t, nil
}

const expectation = "Expected OAuth 2 access token, login cookie or other valid authentication credential. " +
	"See https://developers.google.com/identity/sign-in/web/devconsole-project."

// newAccess makes an access token, and forgets those that ended.
func (s *Server) newAccess(t token) string {
	now := s.o.Now()
	maps.DeleteFunc(s.state.Access, func(_ string, old *token) bool { return now.After(old.Expires.Add(time.Hour)) })
	t.Expires = now.Add(s.o.TokenLifetime)
	secret := random("ya29.")
	s.state.Access[secret] = &t
	return secret
}

func (s *Server) newRefresh(t token) string {
	secret := random("1//0")
	s.state.Refresh[secret] = &t
	g := s.granted(t.Client, t.Email)
	if g.Refresh = append(g.Refresh, secret); len(g.Refresh) > maxRefresh {
		delete(s.state.Refresh, g.Refresh[0])
		g.Refresh = g.Refresh[1:]
	}
	return secret
}

// dropTokens ends the tokens of whom the function says so.
func (s *Server) dropTokens(which func(*token) bool) {
	drop := func(_ string, t *token) bool { return which(t) }
	maps.DeleteFunc(s.state.Access, drop)
	maps.DeleteFunc(s.state.Refresh, drop)
	for _, g := range s.state.Grants {
		g.Refresh = slices.DeleteFunc(g.Refresh, func(secret string) bool { return s.state.Refresh[secret] == nil })
	}
}

// drop ends all that a user granted a client.
func (s *Server) drop(client, email string) {
	s.dropTokens(func(t *token) bool { return t.Client == client && t.Email == email })
	delete(s.state.Grants, grantKey(client, email))
	maps.DeleteFunc(s.state.Codes, func(_ string, c *code) bool { return c.Client == client && c.Email == email })
}

// ExpireTokens ends every access token.
func (s *Server) ExpireTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.state.Access)
}

// RevokeGrant is the user who takes back, in the Google account's settings, what any client was granted.
func (s *Server) RevokeGrant(email string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := emailKey(email)
	for id := range s.state.Clients {
		s.drop(id, key)
	}
}

// SetGrantedScopes says what the user lets be ticked on the consent page, besides signing in. What was granted already
// stays granted.
func (s *Server) SetGrantedScopes(email string, scopes ...string) {
	s.onAccount(email, func(a *account) {
		a.Limited, a.Granted = true, nil
		for _, scope := range scopes {
			a.Granted = append(a.Granted, canonical(scope))
		}
	})
}

// RefuseConsent says whether the user answers the consent page with no, at once.
func (s *Server) RefuseConsent(email string, refuse bool) {
	s.onAccount(email, func(a *account) { a.Refuses = refuse })
}

// AutoConsent says whose browser it is that comes to the consent page: it is answered for that user at once. Empty makes
// the page ask again.
func (s *Server) AutoConsent(email string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Auto = emailKey(email)
}

// Suggest has the consent page preselect an account, where the request names none.
func (s *Server) Suggest(email string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.suggested = email
}

func (s *Server) onAccount(email string, do func(*account)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.state.Accounts[emailKey(email)]; a != nil {
		do(a)
	}
}
