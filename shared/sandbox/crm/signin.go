package creatio

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// idle is how long a session lasts without a request.
const idle = 20 * time.Minute

type session struct {
	Login, CSRF string
	Used        time.Time
}

type code struct {
	Client, Redirect, Login, Challenge string
	Offline                            bool
	Expires                            time.Time
}

type token struct {
	Login, Client string
	Refresh       bool
	Expires       time.Time
}

// AddUser makes a user with a contact and the rows that go with both.
func (s *Server) AddUser(u User) User {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u.ID == "" {
		u.ID = newID()
	}
	if u.ContactID == "" {
		u.ContactID = newID()
	}
	s.users[u.Name] = u
	system := actor{system: true}
	if s.t.rows["Contact"][u.ContactID] == nil {
		_, _ = s.t.insert(system, "Contact", map[string]any{"Id": u.ContactID, "Name": u.ContactName, "Email": u.Email})
	}
	_, _ = s.t.insert(system, "SysAdminUnit", map[string]any{
		"Id": u.ID, "Name": u.Name, "ContactId": u.ContactID, "TimeZoneId": u.TimeZone, "Active": u.Active, "Email": u.Email,
		"ConnectionType": 0.0, "SysAdminUnitTypeValue": 4.0,
	})
	return u
}

// AddOAuthClient registers an application.
func (s *Server) AddOAuthClient(c OAuthClient) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients[c.ID] = c
}

// ExpireSessions ends every session.
func (s *Server) ExpireSessions() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions = map[string]session{}
}

// ExpireTokens ends every access token; refresh tokens stay.
func (s *Server) ExpireTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, t := range s.tokens {
		if !t.Refresh {
			delete(s.tokens, id)
		}
	}
}

// RevokeGrant is a user or an administrator who takes the consent back.
func (s *Server) RevokeGrant(login string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, t := range s.tokens {
		if t.Login == login {
			delete(s.tokens, id)
		}
	}
}

// AutoConsent has the consent page say yes by itself for this user; an empty name ends that.
func (s *Server) AutoConsent(login string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.auto = login
}

// RefuseConsent has the consent page say no by itself for this user.
func (s *Server) RefuseConsent(login string, refuse bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusing[login] = refuse
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// login opens a session. A wrong password is answered with status 200 and a code.
func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	var req struct{ UserName, UserPassword string }
	if r.Method != http.MethodPost || json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&req) != nil {
		page(w, http.StatusBadRequest, "Bad Request")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u, ok := s.users[req.UserName]
	if !ok || !u.Active || u.Password == "" || u.Password != req.UserPassword {
		writeJSON(w, http.StatusOK, map[string]any{"Code": 1, "Message": "You have entered an incorrect username or password", "Exception": nil, "PasswordChangeUrl": "", "RedirectUrl": ""})
		return
	}
	id, csrf := rand.Text(), rand.Text()
	s.sessions[id] = session{Login: u.Name, CSRF: csrf, Used: s.o.Now()}
	for name, v := range map[string]string{"BPMLOADER": rand.Text(), ".ASPXAUTH": id, "BPMCSRF": csrf, "UserName": url.QueryEscape(u.Name)} {
		http.SetCookie(w, &http.Cookie{Name: name, Value: v, Path: "/", HttpOnly: name == ".ASPXAUTH"})
	}
	writeJSON(w, http.StatusOK, map[string]any{"Code": 0, "Message": "", "Exception": nil, "PasswordChangeUrl": nil, "RedirectUrl": nil})
}

// enter finds out on whose behalf a request is made; false after an answer of its own.
func (s *Server) enter(w http.ResponseWriter, r *http.Request) (actor, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if raw, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		t, ok := s.tokens[raw]
		if !ok || t.Refresh || s.o.Now().After(t.Expires) {
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
			w.WriteHeader(http.StatusUnauthorized)
			return actor{}, false
		}
		return actor{login: t.Login, contact: s.users[t.Login].ContactID}, true
	}
	if c, err := r.Cookie(".ASPXAUTH"); err == nil {
		x, ok := s.sessions[c.Value]
		switch {
		case !ok || s.o.Now().Sub(x.Used) > idle:
		case r.Header.Get("BPMCSRF") != x.CSRF:
			w.WriteHeader(http.StatusForbidden)
			return actor{}, false
		default:
			x.Used = s.o.Now()
			s.sessions[c.Value] = x
			return actor{login: x.Login, contact: s.users[x.Login].ContactID}, true
		}
	}
	if r.Header.Get("ForceUseSession") == "true" {
		w.WriteHeader(http.StatusUnauthorized)
	} else {
		http.Redirect(w, r, "/Login/NuiLogin.aspx?ReturnUrl="+url.QueryEscape(r.URL.Path), http.StatusFound)
	}
	return actor{}, false
}

func (s *Server) userInfo(w http.ResponseWriter, a actor) {
	s.mu.Lock()
	u := s.users[a.login]
	s.mu.Unlock()
	writeJSON(w, http.StatusOK, map[string]any{"GetCurrentUserInfoResult": map[string]any{
		"userId": u.ID, "userName": u.Name, "contactId": u.ContactID, "contactName": u.ContactName, "sysCultureName": "en-US", "timeZoneId": u.TimeZone,
	}})
}

func (s *Server) discovery(w http.ResponseWriter) {
	base := s.o.URL + s.prefix()
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer": base, "authorization_endpoint": base + "/connect/authorize", "token_endpoint": base + "/connect/token",
		"revocation_endpoint": base + "/connect/revocation", "grant_types_supported": []string{"authorization_code", "refresh_token", "client_credentials"},
		"scopes_supported": []string{"offline_access"}, "code_challenge_methods_supported": []string{"S256"},
	})
}

var consentPage = template.Must(template.New("consent").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Simulated Creatio: consent</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}
fieldset{border:1px solid #767676;border-radius:.5rem;margin:1rem 0;padding:1rem}label{display:block;padding:.25rem 0}
button{font:inherit;padding:.5rem 1.25rem;margin-right:.5rem}.note{background:#fff4d6;padding:.5rem 1rem;border-radius:.5rem}</style></head>
<body><main><p class="note">This is a simulated Creatio. Nothing leaves this machine.</p>
<h1>{{.Client}} wants to act for you in Creatio</h1>
<form method="post"><fieldset><legend>User</legend>{{range $i, $u := .Users}}
<label><input type="radio" name="user" value="{{$u.Name}}"{{if eq $i 0}} checked{{end}}> {{$u.ContactName}} ({{$u.Name}})</label>{{end}}</fieldset>
<button name="answer" value="allow">Allow</button><button name="answer" value="refuse">Refuse</button></form></main></body></html>`))

// authorize is the consent page.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.clients[q.Get("client_id")]
	switch {
	case !ok || c.Kind != "user":
		page(w, http.StatusBadRequest, "unauthorized_client")
		return
	case !slices.Contains(c.RedirectURIs, q.Get("redirect_uri")):
		page(w, http.StatusBadRequest, "invalid redirect_uri")
		return
	case q.Get("response_type") != "code" || q.Get("code_challenge") == "" || q.Get("code_challenge_method") != "S256":
		page(w, http.StatusBadRequest, "invalid_request: code challenge required")
		return
	}
	login, allowed := s.auto, true
	if login == "" {
		if r.Method != http.MethodPost || r.ParseForm() != nil {
			var users []User
			for _, u := range s.users {
				users = append(users, u)
			}
			slices.SortFunc(users, func(a, b User) int { return strings.Compare(b.Name, a.Name) })
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_ = consentPage.Execute(w, map[string]any{"Client": c.ID, "Users": users})
			return
		}
		login, allowed = r.PostForm.Get("user"), r.PostForm.Get("answer") == "allow"
	}
	back := url.Values{"state": {q.Get("state")}}
	if _, known := s.users[login]; !known || !allowed || s.refusing[login] {
		back.Set("error", "access_denied")
	} else {
		id := rand.Text()
		s.codes[id] = code{
			Client: c.ID, Redirect: q.Get("redirect_uri"), Login: login, Challenge: q.Get("code_challenge"),
			Offline: slices.Contains(strings.Fields(q.Get("scope")), "offline_access"), Expires: s.o.Now().Add(5 * time.Minute),
		}
		back.Set("code", id)
	}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
}

// token exchanges codes, refreshes with a new refresh token each time, and serves client credentials.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.ParseForm() != nil {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "invalid_request"})
		return
	}
	id, secret := r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	if u, p, ok := r.BasicAuth(); ok {
		id, _ = url.QueryUnescape(u)
		secret, _ = url.QueryUnescape(p)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.clients[id]
	if !ok || c.Secret != secret {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "invalid_client"})
		return
	}
	grant := r.PostForm.Get("grant_type")
	switch {
	case grant == "client_credentials" && c.Kind == "client":
		writeJSON(w, http.StatusOK, s.give(c.TechnicalUser, id, false))
	case grant == "authorization_code" && c.Kind == "user":
		given := r.PostForm.Get("code")
		x, ok := s.codes[given]
		delete(s.codes, given)
		sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
		if !ok || x.Client != id || x.Redirect != r.PostForm.Get("redirect_uri") || s.o.Now().After(x.Expires) ||
			x.Challenge != base64.RawURLEncoding.EncodeToString(sum[:]) {
			writeJSON(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
			return
		}
		writeJSON(w, http.StatusOK, s.give(x.Login, id, x.Offline))
	case grant == "refresh_token" && c.Kind == "user":
		given := r.PostForm.Get("refresh_token")
		t, ok := s.tokens[given]
		if !ok || !t.Refresh || t.Client != id {
			writeJSON(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
			return
		}
		delete(s.tokens, given)
		writeJSON(w, http.StatusOK, s.give(t.Login, id, true))
	default:
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "unauthorized_client"})
	}
}

func (s *Server) give(login, clientID string, refresh bool) map[string]any {
	access := "at-" + rand.Text()
	s.tokens[access] = token{Login: login, Client: clientID, Expires: s.o.Now().Add(s.o.TokenLifetime)}
	out := map[string]any{"access_token": access, "expires_in": int(s.o.TokenLifetime.Seconds()), "token_type": "Bearer"}
	if refresh {
		id := "rt-" + rand.Text()
		s.tokens[id] = token{Login: login, Client: clientID, Refresh: true}
		out["refresh_token"], out["scope"] = id, "offline_access"
	}
	return out
}

func (s *Server) revoke(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.ParseForm() != nil {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "invalid_request"})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, ok := s.tokens[r.PostForm.Get("token")]; ok {
		for id, o := range s.tokens {
			if o.Login == t.Login && o.Client == t.Client {
				delete(s.tokens, id)
			}
		}
	}
	w.WriteHeader(http.StatusOK)
}
