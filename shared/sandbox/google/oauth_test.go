package google

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"
)

func wantError(t *testing.T, err error, status int, code, about string) {
	t.Helper()
	e, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok || e.Response.StatusCode != status || e.ErrorCode != code || e.ErrorDescription != about {
		t.Errorf("got %v, want %d %s %q", err, status, code, about)
	}
}

func TestSigning_in_tells_a_client_who_the_user_is(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.AutoConsent(ann)
	c, verifier := w.config(contacts), oauth2.GenerateVerifier()
	provider := must(oidc.NewProvider(oidc.ClientContext(w.t.Context(), w.http), w.url))(t)
	c.Endpoint = provider.Endpoint()
	answer := w.open(c.AuthCodeURL("s", oauth2.AccessTypeOffline, oauth2.SetAuthURLParam("nonce", "n"), oauth2.S256ChallengeOption(verifier)))
	if answer.Get("state") != "s" || answer.Get("iss") != w.url {
		t.Errorf("the client is told %v", answer)
	}
	token := must(c.Exchange(w.context(), answer.Get("code"), oauth2.VerifierOption(verifier)))(t)
	if token.RefreshToken == "" || !strings.Contains(token.Extra("scope").(string), contacts) {
		t.Errorf("got scope %q, refresh token %t", token.Extra("scope"), token.RefreshToken != "")
	}
	raw, _ := token.Extra("id_token").(string)
	id := must(provider.Verifier(&oidc.Config{ClientID: clientID, Now: w.clock.Now}).Verify(oidc.ClientContext(t.Context(), w.http), raw))(t)
	var claims struct {
		Email, Name, HD string
		Verified        bool `json:"email_verified"`
	}
	if err := errors.Join(id.Claims(&claims), id.VerifyAccessToken(token.AccessToken)); err != nil {
		t.Error(err)
	}
	got := []any{id.Nonce, claims.Email, claims.Name, claims.HD, claims.Verified, len(id.Subject)}
	if diff := cmp.Diff([]any{"n", ann, "Ann Reed", "example.com", true, 21}, got); diff != "" {
		t.Error(diff)
	}
	info := must(provider.UserInfo(oidc.ClientContext(t.Context(), w.http), oauth2.StaticTokenSource(token)))(t)
	if info.Subject != id.Subject || info.Email != ann {
		t.Errorf("user info is %+v", info)
	}
}

func TestA_code_is_good_once_and_for_ten_minutes_and_with_its_verifier(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.AutoConsent(ann)
	c, verifier := w.config(), oauth2.GenerateVerifier()
	code := func() string { return w.open(c.AuthCodeURL("", oauth2.S256ChallengeOption(verifier))).Get("code") }
	exchange := func(code string, o ...oauth2.AuthCodeOption) error {
		_, err := c.Exchange(w.context(), code, o...)
		return err
	}
	with := oauth2.VerifierOption(verifier)
	wantError(t, exchange("guess", with), 400, "invalid_grant", "Malformed auth code.")
	wantError(t, exchange(code()), 400, "invalid_grant", "Missing code verifier.")
	wantError(t, exchange(code(), oauth2.VerifierOption("other")), 400, "invalid_grant", "Invalid code verifier.")
	old := code()
	w.clock.pass(10 * time.Minute)
	wantError(t, exchange(old, with), 400, "invalid_grant", "Bad Request")

	once := code()
	token := must(c.Exchange(w.context(), once, with))(t)
	wantError(t, exchange(once, with), 400, "invalid_grant", "Bad Request")
	if status, _ := w.call(token, "GET", "/oauth2/v3/userinfo", ""); status != http.StatusUnauthorized {
		t.Errorf("the tokens of a code that came twice are still good: %d", status)
	}
	if len(w.Violations()) != 1 {
		t.Errorf("got violations %q", w.Violations())
	}
}

func TestClients_authenticate_themselves_in_either_way(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	for _, style := range []oauth2.AuthStyle{oauth2.AuthStyleInHeader, oauth2.AuthStyleInParams} {
		w.AutoConsent(ann)
		c := w.config()
		c.Endpoint.AuthStyle = style
		code := w.open(c.AuthCodeURL("")).Get("code")
		wrong, unknown, other := *c, *c, *c
		wrong.ClientSecret, unknown.ClientID, other.RedirectURL = "guess", "nobody", callback+"/"
		_, err := wrong.Exchange(w.context(), code)
		wantError(t, err, 401, "invalid_client", "The provided client secret is invalid.")
		_, err = unknown.Exchange(w.context(), code)
		wantError(t, err, 401, "invalid_client", "The OAuth client was not found.")
		_, err = other.Exchange(w.context(), code)
		wantError(t, err, 400, "redirect_uri_mismatch", "Bad Request")
		must(c.Exchange(w.context(), code))(t)
	}
}

func TestA_refresh_token_comes_with_the_first_consent_and_with_a_forced_one(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.AutoConsent(ann)
	c := w.config(contacts)
	var got []bool
	for _, o := range [][]oauth2.AuthCodeOption{{}, {oauth2.AccessTypeOffline}, {oauth2.AccessTypeOffline, oauth2.ApprovalForce}} {
		got = append(got, must(c.Exchange(w.context(), w.open(c.AuthCodeURL("", o...)).Get("code")))(t).RefreshToken != "")
	}
	w.RevokeGrant(ann)
	got = append(got, must(c.Exchange(w.context(), w.open(c.AuthCodeURL("", oauth2.AccessTypeOffline)).Get("code")))(t).RefreshToken != "")
	if diff := cmp.Diff([]bool{false, false, true, true}, got); diff != "" {
		t.Error(diff)
	}
}

func TestAccess_ends_and_is_renewed_until_the_user_takes_it_back(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	token := w.link(contacts)
	list := func(token *oauth2.Token) int {
		status, _ := w.call(token, "GET", "/v1/people/me/connections?personFields=names", "")
		return status
	}
	renew := func() (*oauth2.Token, error) {
		return w.config().TokenSource(w.context(), &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
	}
	w.clock.pass(time.Hour)
	if got := list(token); got != http.StatusUnauthorized {
		t.Errorf("after an hour: %d", got)
	}
	next := must(renew())(t)
	if got := list(next); got != http.StatusOK || next.RefreshToken != token.RefreshToken {
		t.Errorf("renewed: %d", got)
	}
	w.ExpireTokens()
	if got := list(next); got != http.StatusUnauthorized {
		t.Errorf("expired: %d", got)
	}
	next = must(renew())(t)
	w.RevokeGrant(ann)
	if got := list(next); got != http.StatusUnauthorized {
		t.Errorf("revoked: %d", got)
	}
	for range 2 {
		_, err := renew()
		wantError(t, err, 400, "invalid_grant", "Token has been expired or revoked.")
	}
	if len(w.Violations()) != 1 {
		t.Errorf("got violations %q", w.Violations())
	}
}

func TestRevoking_a_token_ends_the_whole_grant(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	first, second := w.link(), w.link(contacts)
	revoke := func(token string) int {
		status, _, _ := w.send(must(http.NewRequestWithContext(t.Context(), "POST", w.url+"/revoke?token="+url.QueryEscape(token), nil))(t))
		return status
	}
	if got := revoke(first.RefreshToken); got != http.StatusOK {
		t.Errorf("got %d", got)
	}
	if status, _ := w.call(second, "GET", "/oauth2/v3/userinfo", ""); status != http.StatusUnauthorized {
		t.Errorf("the other token is still good: %d", status)
	}
	if got := revoke(first.RefreshToken); got != http.StatusBadRequest {
		t.Errorf("got %d for a token that had ended", got)
	}
}

func TestThe_oldest_of_more_than_a_hundred_refresh_tokens_ends(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	first, second := w.link(), w.link()
	for range maxRefresh - 1 {
		w.link()
	}
	for i, token := range []*oauth2.Token{first, second} {
		_, err := w.config().TokenSource(w.context(), &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
		if (err != nil) != (i == 0) {
			t.Errorf("token %d: %v", i, err)
		}
	}
}

func TestUsers_can_grant_a_part_or_nothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.AutoConsent(ann)
	calendar := scopePrefix + "calendar.events"
	w.SetGrantedScopes(ann, calendar)
	c := w.config(contacts, calendar)
	scope := func(o ...oauth2.AuthCodeOption) []string {
		return strings.Fields(must(c.Exchange(w.context(), w.open(c.AuthCodeURL("", o...)).Get("code")))(t).Extra("scope").(string))
	}
	if diff := cmp.Diff([]string{"openid", emailScope, profileScope, calendar}, scope()); diff != "" {
		t.Error(diff)
	}
	token := must(c.Exchange(w.context(), w.open(c.AuthCodeURL("")).Get("code")))(t)
	status, body := w.call(token, "GET", "/v1/people/me/connections?personFields=names", "")
	if status != http.StatusForbidden || !strings.Contains(body, `"reason":"ACCESS_TOKEN_SCOPE_INSUFFICIENT"`) {
		t.Errorf("got %d %s", status, body)
	}
	// What is asked for later comes on top, where the client wants both.
	w.SetGrantedScopes(ann, contacts)
	c.Scopes = []string{"openid", contacts}
	if got := scope(); slices.Contains(got, calendar) {
		t.Errorf("got %v", got)
	}
	if got := scope(oauth2.SetAuthURLParam("include_granted_scopes", "true")); !slices.Contains(got, calendar) || !slices.Contains(got, contacts) {
		t.Errorf("got %v", got)
	}
	w.RefuseConsent(ann, true)
	if got := w.open(c.AuthCodeURL("s")); got.Get("error") != "access_denied" || got.Get("state") != "s" || got.Has("code") {
		t.Errorf("got %v", got)
	}
}

func TestThe_consent_page_asks_and_takes_the_answer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.AddUser(User{Email: "bob@example.com", Name: "<Bob>"})
	address := w.config(contacts).AuthCodeURL("s", oauth2.SetAuthURLParam("login_hint", "bob@example.com"))
	status, header, page := w.get(address)
	for _, want := range []string{`<html lang="en">`, "Sandbox Google</title>", "&lt;Bob&gt;", `value="bob@example.com" required checked`, contacts, ">Allow</button>", ">Refuse</button>"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not have %s:\n%s", want, page)
		}
	}
	if status != http.StatusOK || !strings.Contains(header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
		t.Errorf("got %d %v", status, header)
	}
	answer := func(form url.Values) url.Values {
		req := must(http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(form.Encode())))(t)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		_, header, _ := w.send(req)
		return told(t, header)
	}
	if got := answer(url.Values{"action": {"refuse"}}); got.Get("error") != "access_denied" {
		t.Errorf("got %v", got)
	}
	for _, ticked := range []bool{false, true} {
		form := url.Values{"action": {"allow"}, "account": {ann}}
		if ticked {
			form.Set("scope", contacts)
		}
		token := must(w.config().Exchange(w.context(), answer(form).Get("code")))(t)
		if got := strings.Contains(token.Extra("scope").(string), contacts); got != ticked {
			t.Errorf("ticked %t, granted %t", ticked, got)
		}
	}
}

func TestRequests_for_consent_that_are_wrong_never_reach_the_client(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.AutoConsent(ann)
	for name, c := range map[string]struct {
		option oauth2.AuthCodeOption
		status int
	}{
		"invalid_client":            {oauth2.SetAuthURLParam("client_id", "nobody"), 401},
		"redirect_uri_mismatch":     {oauth2.SetAuthURLParam("redirect_uri", callback+"?x=1"), 400},
		"invalid_scope":             {oauth2.SetAuthURLParam("scope", "everything"), 400},
		"unsupported_response_type": {oauth2.SetAuthURLParam("response_type", "token"), 400},
		"invalid_request":           {oauth2.SetAuthURLParam("prompt", "none consent"), 400},
	} {
		status, header, body := w.get(w.config().AuthCodeURL("", c.option))
		if status != c.status || header.Get("Location") != "" || !strings.Contains(body, "Error: "+name) {
			t.Errorf("%s: got %d, sent to %q", name, status, header.Get("Location"))
		}
	}
}

func TestWithout_a_prompt_only_what_was_granted_is_given(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	silent := oauth2.SetAuthURLParam("prompt", "none")
	hint := oauth2.SetAuthURLParam("login_hint", ann)
	got := []string{w.open(w.config().AuthCodeURL("", silent)).Get("error"), w.open(w.config(contacts).AuthCodeURL("", silent, hint)).Get("error")}
	w.link(contacts)
	got = append(got, fmt.Sprint(w.open(w.config(contacts).AuthCodeURL("", silent, hint)).Has("code")))
	if diff := cmp.Diff([]string{"login_required", "interaction_required", "true"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestA_service_account_proves_itself(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.SetIssuerURL(w.url + "/")
	raw := w.IssueServiceToken("caller@project.iam.example.com", "https://tandem.example.com/sync-contacts")
	ctx := oidc.ClientContext(t.Context(), w.http)
	provider := must(oidc.NewProvider(ctx, w.url))(t)
	verify := func(audience string) error {
		_, err := provider.Verifier(&oidc.Config{ClientID: audience, Now: w.clock.Now}).Verify(ctx, raw)
		return err
	}
	if err := verify("https://tandem.example.com/sync-contacts"); err != nil {
		t.Error(err)
	}
	if verify("https://tandem.example.com/settings") == nil {
		t.Error("the token is good for another audience")
	}
	w.clock.pass(2 * time.Hour)
	if verify("https://tandem.example.com/sync-contacts") == nil {
		t.Error("the token never ends")
	}
}
