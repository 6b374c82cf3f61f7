package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tandem-sync/tandem/shared/store"
)

// AccessTokens are the personal access tokens, by which a user's scripts call the API.
type AccessTokens interface {
	// Bearer is whose scripts have the secret; store.ErrNotFound where it is none that counts, ErrNotAllowed as with Session.
	Bearer(ctx context.Context, secret string) (Bearer, error)
	// AccessTokens are the user's tokens that have not expired, the oldest first.
	AccessTokens(ctx context.Context, user string) ([]AccessToken, error)
	// MakeAccessToken makes a token as TokenRequest.check found right. Its secret is told this once. ErrTooManyTokens.
	MakeAccessToken(ctx context.Context, user string, r TokenRequest) (t AccessToken, secret string, err error)
	// RevokeAccessToken ends the use of one of the user's tokens; store.ErrNotFound.
	RevokeAccessToken(ctx context.Context, user, id string) error
}

// ErrTooManyTokens says that a user has as many tokens as anybody may have.
var ErrTooManyTokens = errors.New("too many access tokens")

// The scopes of an access token.
const (
	ScopeRead = "read"
	ScopeFull = "full"
)

// Bearer is whose token a script sent, and what the token is good for.
type Bearer struct{ User, Scope string }

// AccessToken is a token as its user sees it. Its JSON form is part of the API.
type AccessToken struct {
	ID        string
	Name      string
	Scope     string
	CreatedAt time.Time
	ExpiresAt time.Time
	UsedAt    time.Time
}

// Full reports whether the token may change something.
func (t AccessToken) Full() bool { return t.Scope == ScopeFull }

type accessTokenJSON struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Scope     string     `json:"scope"`
	CreatedAt *time.Time `json:"createdAt"`
	ExpiresAt *time.Time `json:"expiresAt"`
	UsedAt    *time.Time `json:"usedAt"`
	// Secret is there in the answer that made the token, and nowhere else.
	Secret string `json:"secret,omitempty"`
}

func (t AccessToken) json(secret string) accessTokenJSON {
	return accessTokenJSON{t.ID, t.Name, t.Scope, moment(t.CreatedAt), moment(t.ExpiresAt), moment(t.UsedAt), secret}
}

// MarshalJSON writes a token that was never used with null.
func (t AccessToken) MarshalJSON() ([]byte, error) { return json.Marshal(t.json("")) }

// TokenRequest is what a new token is to be.
type TokenRequest struct {
	Name, Scope string
	ExpiresAt   time.Time
}

const (
	longestTokenName = 100
	// longestTokenLife keeps a secret that is forgotten in a script from being good for ever.
	longestTokenLife = 366 * 24 * time.Hour

	hintTokenName    = "Give a name of 1 to 100 characters."
	hintTokenScope   = "Choose read or full."
	hintTokenExpires = "Give a time as 2026-01-31T12:00:00Z, from now to a year from now."
)

func (r TokenRequest) check(now time.Time) (errs []FieldError) {
	if r.Name == "" || utf8.RuneCountInString(r.Name) > longestTokenName || strings.ContainsFunc(r.Name, unicode.IsControl) || !utf8.ValidString(r.Name) {
		errs = append(errs, FieldError{"name", hintTokenName})
	}
	if r.Scope != ScopeRead && r.Scope != ScopeFull {
		errs = append(errs, FieldError{"scope", hintTokenScope})
	}
	if !r.ExpiresAt.After(now) || r.ExpiresAt.Sub(now) > longestTokenLife {
		errs = append(errs, FieldError{"expiresAt", hintTokenExpires})
	}
	return errs
}

func readTokenRequest(body io.Reader, now time.Time) (TokenRequest, error) {
	o, err := readObject(body)
	if err != nil {
		return TokenRequest{}, err
	}
	r := TokenRequest{
		Name: strings.TrimSpace(take[string](o, "name", hintTokenName)), Scope: take[string](o, "scope", hintTokenScope),
		ExpiresAt: take[time.Time](o, "expiresAt", hintTokenExpires),
	}
	return r, o.check(r.check(now))
}

// tokenDays are the lives of a token that the page offers.
var tokenDays = []string{"7", "30", "90", "365"}

var tokenScopes = []string{ScopeRead, ScopeFull}

// tokenForm is what the form shows again where it could not be taken.
type tokenForm struct {
	Name, Scope, Days string
	Errors            []FieldError
}

func (l locale) readTokenForm(f url.Values, now time.Time) (TokenRequest, tokenForm) {
	form := tokenForm{Name: strings.TrimSpace(f.Get("name")), Scope: f.Get("scope"), Days: f.Get("days")}
	r := TokenRequest{Name: form.Name, Scope: form.Scope}
	if days, err := time.ParseDuration(form.Days + "h"); err == nil && slices.Contains(tokenDays, form.Days) {
		r.ExpiresAt = now.Add(24 * days)
	}
	for _, e := range r.check(now) {
		if e.Field == "expiresAt" {
			e.Field = "days"
		}
		e.Message = l.say("wrong." + e.Field)
		form.Errors = append(form.Errors, e)
	}
	return r, form
}

// bearer is the token that a script sent; false where it sent none. Where it did, no session counts beside it.
func bearer(r *http.Request) (secret string, sent bool) {
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(secret), strings.EqualFold(scheme, "Bearer")
}

// enterAsScript lets a script into a route that its token is good for.
func (s *Site) enterAsScript(w http.ResponseWriter, r *http.Request, rt route, secret string) error {
	b, err := s.service.Bearer(r.Context(), secret)
	switch {
	case errors.Is(err, store.ErrNotFound):
		w.Header().Set("WWW-Authenticate", `Bearer realm="Tandem", error="invalid_token"`) // RFC 6750, 3.1
		return refuse(http.StatusUnauthorized, "bad-token", "This access token is unknown, revoked or expired.", "Make another one on the settings page.")
	case err != nil:
		return err
	case rt.noToken:
		return refuse(http.StatusForbidden, "session-needed", "An access token cannot do this.", "Sign in on the settings page, and do it there.")
	case b.Scope != ScopeFull && r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("WWW-Authenticate", `Bearer realm="Tandem", error="insufficient_scope", scope="full"`)
		return refuse(http.StatusForbidden, "read-only-token", "This access token may only read.", "Make one on the settings page that may change something.")
	}
	return s.admit(w, r, rt, visit{user: b.User})
}

func (s *Site) getTokens(w http.ResponseWriter, r *http.Request, v visit) error {
	tokens, err := s.service.AccessTokens(r.Context(), v.user)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, list(tokens))
}

func (s *Site) postToken(w http.ResponseWriter, r *http.Request, v visit) error {
	if !v.fresh {
		return signInAgain()
	}
	wanted, err := readTokenRequest(r.Body, s.now())
	if err != nil {
		return err
	}
	t, secret, err := s.service.MakeAccessToken(r.Context(), v.user, wanted)
	if err != nil {
		return err
	}
	return answer(w, http.StatusCreated, t.json(secret))
}

func (s *Site) deleteToken(w http.ResponseWriter, r *http.Request, v visit) error {
	return gone(w, s.service.RevokeAccessToken(r.Context(), v.user, r.PathValue("id")))
}

// tokensView is the page of the access tokens. Secret is there only when its token was just made.
type tokensView struct {
	Tokens       []AccessToken
	Form         tokenForm
	Scopes, Days []choice
	Secret       string
	Revoked      bool
	// SignIn says that a new token needs another sign-in first.
	SignIn bool
	// Called is the address of the API.
	Called string
}

func (s *Site) tokensPage(w http.ResponseWriter, r *http.Request, status int, v visit, view tokensView) error {
	a, err := s.service.Account(r.Context(), v.user)
	if err != nil {
		return err
	}
	if view.Tokens, err = s.service.AccessTokens(r.Context(), v.user); err != nil {
		return err
	}
	l := localeOf(r).in(a.Zone)
	view.Scopes, view.Days, view.SignIn, view.Called = l.choices("tokens.scope.", tokenScopes...), l.choices("tokens.days.", tokenDays...), !v.fresh, s.apiAddress()
	p := s.accountPage(l, l.say("tokens"), "", a)
	p.Main, p.Failed = view, len(view.Form.Errors) > 0
	return s.render(w, status, "accesstokens.html", p)
}

func (s *Site) accessTokens(w http.ResponseWriter, r *http.Request, v visit) error {
	return s.tokensPage(w, r, http.StatusOK, v, tokensView{
		Form: tokenForm{Scope: ScopeRead, Days: "90"}, Revoked: r.URL.Query().Get("done") == "revoked",
	})
}

// makeToken makes a token and shows its secret on the page that answers: it is in no address and is kept nowhere.
func (s *Site) makeToken(w http.ResponseWriter, r *http.Request, v visit) error {
	if err := parseForm(r); err != nil {
		return err
	}
	wanted, form := localeOf(r).readTokenForm(r.PostForm, s.now())
	if len(form.Errors) > 0 {
		return s.tokensPage(w, r, http.StatusUnprocessableEntity, v, tokensView{Form: form})
	}
	if !v.fresh {
		return signInAgain()
	}
	_, secret, err := s.service.MakeAccessToken(r.Context(), v.user, wanted)
	if err != nil {
		return err
	}
	return s.tokensPage(w, r, http.StatusOK, v, tokensView{Secret: secret, Form: tokenForm{Scope: ScopeRead, Days: "90"}})
}

func (s *Site) revokeToken(w http.ResponseWriter, r *http.Request, v visit) error {
	err := s.service.RevokeAccessToken(r.Context(), v.user, r.PathValue("id"))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err // one that is gone already is what the user wants
	}
	return s.see(w, s.link("/tokens?done=revoked"))
}
