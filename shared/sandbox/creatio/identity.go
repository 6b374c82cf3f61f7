package creatio

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The kinds of OAuth clients: those that act for users who consent, and those that act as one technical user.
const (
	KindUser   = "user"
	KindClient = "client"
)

// OAuthClient is an application that the site's identity service knows.
type OAuthClient struct {
	ID, Secret string
	// Kind is KindUser or KindClient.
	Kind string
	// RedirectURIs are where users may be sent back to.
	RedirectURIs []string
	// TechnicalUser is the login of the user as whom client credentials act.
	TechnicalUser string
}

// codeLifetime is how long an authorization code is good.
const codeLifetime = 5 * time.Minute

// grant is what a code or a token stands for.
type grant struct {
	// ID is the same in all codes and tokens that come from one consent.
	ID, User, Client, Kind, Scope string
	Redirect, Challenge           string
	Expires                       time.Time
}

// AddOAuthClient registers an application, or replaces the one of that id.
func (s *Server) AddOAuthClient(c OAuthClient) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Clients[c.ID] = c
}

// consents reports whether the site has consent of each user, which came with version 8.3.
func (s *Server) consents() bool { return s.atLeast(8, 3) }

// discovery answers OpenID discovery, at the site as at its identity service.
func (s *Server) discovery(w *response) {
	if !s.consents() {
		page(w, http.StatusNotFound, "404 - File or directory not found.", "")
		return
	}
	writeJSON(w, http.StatusOK, jsonMedia, map[string]any{
		"issuer": s.base, "authorization_endpoint": s.base + "/connect/authorize", "token_endpoint": s.base + "/connect/token",
		"revocation_endpoint": s.base + "/connect/revocation", "response_types_supported": []string{"code"},
		"grant_types_supported":                 []string{"authorization_code", "refresh_token", "client_credentials"},
		"code_challenge_methods_supported":      []string{"S256"},
		"scopes_supported":                      []string{"offline_access"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"},
	})
}

// authorize shows the consent page, or answers it. A client that is not known, or an address that is not its own, is
// never redirected to.
func (s *Server) authorize(w *response, r *http.Request) {
	if !s.consents() || r.Method != http.MethodGet && r.Method != http.MethodPost {
		page(w, http.StatusNotFound, "404 - File or directory not found.", "")
		return
	}
	_ = r.ParseForm() // what cannot be read is missing
	in := r.Form
	c, known := s.state.Clients[in.Get("client_id")]
	redirect := in.Get("redirect_uri")
	if !known || c.Kind != KindUser || !slices.Contains(c.RedirectURIs, redirect) {
		page(w, http.StatusBadRequest, "Creatio sandbox: error", "<p>The application is not known, or its redirect address is not registered.</p>")
		return
	}
	back := func(values url.Values) {
		if state := in.Get("state"); state != "" {
			values.Set("state", state)
		}
		join := "?"
		if strings.Contains(redirect, "?") {
			join = "&"
		}
		w.header.Set("Location", redirect+join+values.Encode())
		w.WriteHeader(http.StatusFound)
	}
	switch {
	case in.Get("response_type") != "code":
		back(url.Values{"error": {"unsupported_response_type"}})
		return
	case in.Get("code_challenge_method") != "S256" || len(in.Get("code_challenge")) < 43:
		back(url.Values{"error": {"invalid_request"}, "error_description": {"code challenge required"}})
		return
	}
	user, decision := s.auto, "allow"
	if r.Method == http.MethodPost {
		user, decision = r.PostForm.Get("user"), r.PostForm.Get("decision")
	}
	u, there := s.state.Users[user]
	switch {
	case r.Method == http.MethodPost && decision != "allow":
		back(url.Values{"error": {"access_denied"}})
	case !there || !u.Active:
		s.consentPage(w, c, in)
	case s.refusing[user]:
		back(url.Values{"error": {"access_denied"}})
	default:
		code := secret()
		s.state.Codes[code] = grant{
			ID: secret(), User: user, Client: c.ID, Kind: KindUser, Scope: in.Get("scope"), Redirect: redirect,
			Challenge: in.Get("code_challenge"), Expires: s.now().Add(codeLifetime),
		}
		back(url.Values{"code": {code}})
	}
}

// consentPage asks who consents.
func (s *Server) consentPage(w *response, c OAuthClient, in url.Values) {
	var b strings.Builder
	b.WriteString("<p>The application <strong>" + escape(c.ID) + "</strong> asks to act for you in Creatio.</p>\n<form method=\"post\" action=\"/connect/authorize\">\n")
	for _, name := range []string{"response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method"} {
		b.WriteString(`<input type="hidden" name="` + name + `" value="` + escape(in.Get(name)) + "\">\n")
	}
	b.WriteString("<fieldset><legend>Who are you?</legend>\n")
	suggested := s.suggested
	if !s.state.Users[suggested].Active {
		suggested = ""
	}
	for _, name := range sortedKeys(s.state.Users) {
		if u := s.state.Users[name]; u.Active {
			if suggested == "" {
				suggested = name
			}
			checked := ""
			if name == suggested {
				checked = " checked"
			}
			b.WriteString(`<p><label><input type="radio" name="user" value="` + escape(name) + `" required` + checked + `> ` +
				escape(u.ContactName) + " (" + escape(name) + ")</label></p>\n")
		}
	}
	b.WriteString("</fieldset>\n<p><button name=\"decision\" value=\"allow\">Allow</button>\n" +
		"<button name=\"decision\" value=\"refuse\" formnovalidate>Refuse</button></p>\n</form>")
	page(w, http.StatusOK, "Creatio sandbox: consent", b.String())
}

// oauthError answers as a token endpoint does (RFC 6749, section 5.2).
func oauthError(w *response, code string) {
	w.header.Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusBadRequest, jsonMedia, map[string]string{"error": code})
}

// client is the client that a request to the token endpoint is from.
func (s *Server) client(r *http.Request) (OAuthClient, bool) {
	id, password := r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	if basicID, basicSecret, ok := r.BasicAuth(); ok {
		id, _ = url.QueryUnescape(basicID)
		password, _ = url.QueryUnescape(basicSecret)
	}
	c, known := s.state.Clients[id]
	return c, known && c.Secret == password
}

// token gives tokens for a code, a refresh token, or to a client itself.
func (s *Server) token(w *response, r *http.Request) {
	if r.Method != http.MethodPost || r.ParseForm() != nil {
		oauthError(w, "invalid_request")
		return
	}
	c, known := s.client(r)
	if !known {
		oauthError(w, "invalid_client")
		return
	}
	switch kind := r.PostForm.Get("grant_type"); {
	case kind == "client_credentials" && c.Kind == KindClient:
		s.issue(w, grant{ID: secret(), User: c.TechnicalUser, Client: c.ID, Kind: KindClient}, false)
	case kind == "authorization_code" && c.Kind == KindUser && s.consents():
		s.exchange(w, c, r.PostForm)
	case kind == "refresh_token" && c.Kind == KindUser && s.consents():
		s.refresh(w, c, r.PostForm.Get("refresh_token"))
	case kind == "client_credentials", kind == "authorization_code" && s.consents(), kind == "refresh_token" && s.consents():
		oauthError(w, "unauthorized_client")
	default:
		oauthError(w, "unsupported_grant_type")
	}
}

func (s *Server) exchange(w *response, c OAuthClient, form url.Values) {
	code := form.Get("code")
	g, known := s.state.Codes[code]
	delete(s.state.Codes, code)
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	if !known || g.Client != c.ID || g.Redirect != form.Get("redirect_uri") || !s.now().Before(g.Expires) ||
		g.Challenge != base64.RawURLEncoding.EncodeToString(sum[:]) {
		oauthError(w, "invalid_grant")
		return
	}
	s.issue(w, g, slices.Contains(strings.Fields(g.Scope), "offline_access"))
}

// refresh gives a new pair of tokens; the refresh token that was used is good no more.
func (s *Server) refresh(w *response, c OAuthClient, token string) {
	g, known := s.state.Refresh[token]
	if !known || g.Client != c.ID {
		oauthError(w, "invalid_grant")
		return
	}
	delete(s.state.Refresh, token)
	s.issue(w, g, true)
}

func (s *Server) issue(w *response, g grant, refresh bool) {
	if u, known := s.state.Users[g.User]; !known || !u.Active {
		oauthError(w, "invalid_grant")
		return
	}
	g.Redirect, g.Challenge = "", ""
	g.Expires = s.now().Add(s.o.TokenLifetime)
	access := secret()
	s.state.Access[access] = g
	out := map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": int(s.o.TokenLifetime.Seconds())}
	if g.Scope != "" {
		out["scope"] = g.Scope
	}
	if refresh {
		token := secret()
		g.Expires = time.Time{}
		s.state.Refresh[token] = g
		out["refresh_token"] = token
	}
	w.header.Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, jsonMedia, out)
}

// revocation ends everything that comes from one consent (RFC 7009). A token that is none is no error.
func (s *Server) revocation(w *response, r *http.Request) {
	if r.Method != http.MethodPost || r.ParseForm() != nil {
		oauthError(w, "invalid_request")
		return
	}
	c, known := s.client(r)
	if !known {
		oauthError(w, "invalid_client")
		return
	}
	for _, tokens := range []map[string]grant{s.state.Access, s.state.Refresh} {
		g, held := tokens[r.PostForm.Get("token")]
		if !held || g.Client != c.ID {
			continue
		}
		for _, all := range []map[string]grant{s.state.Access, s.state.Refresh} {
			for token, other := range all {
				if other.ID == g.ID {
					delete(all, token)
				}
			}
		}
	}
	w.WriteHeader(http.StatusOK)
}
