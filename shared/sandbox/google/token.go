package google

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

func (e *refusal) write(w http.ResponseWriter) {
	writeJSON(w, e.status, map[string]string{"error": e.Code, "error_description": e.About})
}

func badGrant(about string) *refusal {
	return &refusal{http.StatusBadRequest, "invalid_grant", about}
}

// token is the token endpoint.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		http.Error(w, "Error 404 (Not Found)!!1", http.StatusNotFound)
		return
	}
	if err := r.ParseForm(); err != nil {
		(&refusal{http.StatusBadRequest, "invalid_request", "Bad Request"}).write(w)
		return
	}
	id, wrong := s.clientOf(r)
	if wrong != nil {
		wrong.write(w)
		return
	}
	var answer map[string]any
	switch kind := r.PostForm.Get("grant_type"); kind {
	case "authorization_code":
		answer, wrong = s.exchange(r, id)
	case "refresh_token":
		answer, wrong = s.renew(r, id)
	default:
		wrong = &refusal{http.StatusBadRequest, "unsupported_grant_type", "Invalid grant_type: " + kind}
	}
	if wrong != nil {
		wrong.write(w)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

// clientOf is the client that authenticates itself, in the header or in the form (RFC 6749, section 2.3.1).
func (s *Server) clientOf(r *http.Request) (string, *refusal) {
	id, secret := r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	if name, password, basic := r.BasicAuth(); basic {
		var err, err2 error
		id, err = url.QueryUnescape(name)
		secret, err2 = url.QueryUnescape(password)
		if err != nil || err2 != nil {
			return "", &refusal{http.StatusUnauthorized, "invalid_client", "Unauthorized"}
		}
	}
	c := s.state.Clients[id]
	switch {
	case id == "":
		return "", &refusal{http.StatusBadRequest, "invalid_request", "Could not determine client ID from request."}
	case c == nil:
		return "", &refusal{http.StatusUnauthorized, "invalid_client", "The OAuth client was not found."}
	case secret == "":
		return "", &refusal{http.StatusBadRequest, "invalid_request", "client_secret is missing."}
	case subtle.ConstantTimeCompare([]byte(secret), []byte(c.Secret)) != 1:
		return "", &refusal{http.StatusUnauthorized, "invalid_client", "The provided client secret is invalid."}
	}
	return id, nil
}

// exchange turns a code into tokens, once. A code that comes again ends the tokens it gave (RFC 6749, section 4.1.2).
func (s *Server) exchange(r *http.Request, client string) (map[string]any, *refusal) {
	form := r.PostForm
	secret := form.Get("code")
	c := s.state.Codes[secret]
	switch {
	case secret == "":
		return nil, &refusal{http.StatusBadRequest, "invalid_request", "Missing required parameter: code"}
	case c == nil:
		return nil, badGrant("Malformed auth code.")
	case c.Client != client:
		return nil, &refusal{http.StatusUnauthorized, "unauthorized_client", "Unauthorized"}
	case c.Used:
		s.violate("a code was used twice")
		s.dropTokens(func(t *token) bool { return t.Code == secret })
		return nil, badGrant("Bad Request")
	case !s.o.Now().Before(c.Expires):
		return nil, badGrant("Bad Request")
	case form.Get("redirect_uri") != c.RedirectURI:
		return nil, &refusal{http.StatusBadRequest, "redirect_uri_mismatch", "Bad Request"}
	case c.Challenge != "" && form.Get("code_verifier") == "":
		return nil, badGrant("Missing code verifier.")
	case c.Challenge == "" && form.Get("code_verifier") != "", c.Challenge != "" && !c.verifies(form.Get("code_verifier")):
		return nil, badGrant("Invalid code verifier.")
	}
	c.Used = true
	t := token{Client: client, Email: c.Email, Scopes: c.Scopes, Code: secret}
	answer := s.answer(r, t, c.Nonce)
	if c.Offline {
		answer["refresh_token"] = s.newRefresh(t)
	}
	return answer, nil
}

// verifies reports whether a code verifier is the one of the challenge (RFC 7636, section 4.6).
func (c *code) verifies(verifier string) bool {
	if c.Method == "S256" {
		sum := sha256.Sum256([]byte(verifier))
		verifier = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return subtle.ConstantTimeCompare([]byte(verifier), []byte(c.Challenge)) == 1
}

// renew refreshes. The refresh token stays the same: Google does not rotate them.
func (s *Server) renew(r *http.Request, client string) (map[string]any, *refusal) {
	secret := r.PostForm.Get("refresh_token")
	t := s.state.Refresh[secret]
	switch {
	case secret == "":
		return nil, &refusal{http.StatusBadRequest, "invalid_request", "Missing required parameter: refresh_token"}
	case t == nil || s.state.Accounts[t.Email] == nil:
		if s.spent[secret] {
			s.violate("a refresh token that had ended was used again")
		}
		s.spent[secret] = true
		if !strings.HasPrefix(secret, "1//0") {
			return nil, badGrant("Bad Request")
		}
		return nil, badGrant("Token has been expired or revoked.")
	case t.Client != client:
		return nil, &refusal{http.StatusUnauthorized, "unauthorized_client", "Unauthorized"}
	}
	next := *t
	if asked := strings.Fields(r.PostForm.Get("scope")); len(asked) > 0 {
		next.Scopes = nil
		for _, scope := range asked {
			if scope = canonical(scope); !slices.Contains(t.Scopes, scope) {
				return nil, &refusal{http.StatusBadRequest, "invalid_scope", "Bad Request"}
			}
			next.Scopes = append(next.Scopes, scope)
		}
	}
	return s.answer(r, next, ""), nil
}

// answer is a successful answer of the token endpoint.
func (s *Server) answer(r *http.Request, t token, nonce string) map[string]any {
	access := s.newAccess(t)
	out := map[string]any{
		"access_token": access, "token_type": "Bearer", "scope": strings.Join(t.Scopes, " "),
		"expires_in": max(int(s.o.TokenLifetime/time.Second)-1, 1),
	}
	if slices.Contains(t.Scopes, openidScope) {
		out["id_token"] = s.idToken(s.issuer(r), t.Client, nonce, access, s.state.Accounts[t.Email], t.Scopes)
	}
	return out
}

// revoke ends all that the user granted the client, whichever token it is
// (https://developers.google.com/identity/protocols/oauth2/web-server#tokenrevoke).
func (s *Server) revoke(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		http.Error(w, "Error 404 (Not Found)!!1", http.StatusNotFound)
		return
	}
	secret := r.FormValue("token")
	t := s.state.Refresh[secret]
	if t == nil {
		if t = s.state.Access[secret]; t != nil && !s.o.Now().Before(t.Expires) {
			t = nil
		}
	}
	if t == nil {
		(&refusal{http.StatusBadRequest, "invalid_token", "Token expired or revoked"}).write(w)
		return
	}
	s.drop(t.Client, t.Email)
	writeJSON(w, http.StatusOK, struct{}{})
}

// String keeps secrets out of logs.
func (t token) String() string { return fmt.Sprintf("token of %s for %s", t.Email, t.Client) }
