package creatio_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/sandbox/creatio"
)

const loginPath = "/ServiceModel/AuthService.svc/Login"

func plain() *http.Client {
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func TestForms_sign_in_wants_its_cookies_and_its_header(t *testing.T) {
	t.Parallel()
	w := newWorld(t, creatio.Options{})
	h := plain()
	if a := w.send(h, "POST", loginPath, `{"UserName":"ann","UserPassword":"wrong"}`); a.status != 200 || a.json["Code"] != 1.0 || len(a.header["Set-Cookie"]) > 0 {
		t.Errorf("wrong password: %d %s", a.status, a.body)
	}
	if a := w.send(h, "POST", "/0"+loginPath, `{"UserName":"ann","UserPassword":"right"}`); a.status != 401 {
		t.Errorf("under /0: %d", a.status)
	}
	a := w.send(h, "POST", loginPath, `{"UserName":"ann","UserPassword":"right"}`)
	var cookies, csrf string
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		cookies += c.Name + "=" + c.Value + "; "
		if c.Name == "BPMCSRF" {
			csrf = c.Value
		}
	}
	for _, name := range []string{"BPMLOADER", ".ASPXAUTH", "BPMCSRF", "UserName", "UserType"} {
		if a.json["Code"] != 0.0 || !strings.Contains(cookies, name+"=") {
			t.Errorf("no cookie %s in %s", name, a.body)
		}
	}
	for _, tc := range []struct {
		name    string
		headers []string
		status  int
		words   string
	}{
		{"signed in", []string{"Cookie", cookies, "BPMCSRF", csrf}, 200, "@odata.context"},
		{"no header", []string{"Cookie", cookies}, 403, "<html"},
		{"a wrong header", []string{"Cookie", cookies, "BPMCSRF", "x"}, 403, "<html"},
		{"no session", []string{"ForceUseSession", "true"}, 401, "<html"},
		{"no session, for a browser", nil, 302, "/Login/NuiLogin.aspx?ReturnUrl="},
		{"a wrong token", []string{"Authorization", "Bearer x"}, 401, "<html"},
	} {
		if a := w.send(h, "GET", "/0/odata/Contact?$top=1", "", tc.headers...); a.status != tc.status || !strings.Contains(a.body, tc.words) {
			t.Errorf("%s: got %d %.200s", tc.name, a.status, a.body)
		}
	}
	if a := w.send(h, "GET", "/Login/NuiLogin.aspx", ""); a.status != 200 || !strings.Contains(a.body, "<title>Log in") {
		t.Errorf("login page: %d %s", a.status, a.body)
	}
	w.box.AddUser(creatio.User{Name: "ann", Password: "right"})
	if a := w.send(h, "POST", loginPath, `{"UserName":"ann","UserPassword":"right"}`); a.json["Code"] != 1.0 {
		t.Errorf("a user who is not active: %s", a.body)
	}
	if a := w.send(h, "GET", "/0/odata/Contact", "", "Cookie", cookies, "BPMCSRF", csrf, "ForceUseSession", "true"); a.status != 401 {
		t.Errorf("the session of one who is not active any more: %d", a.status)
	}
}

const (
	verifier = "0123456789012345678901234567890123456789012345"
	callback = "https://tandem.example.com/oauth-callback"
)

// authorizePath is the address of the consent page, with changes.
func authorizePath(changes ...string) string {
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{
		"response_type": {"code"}, "client_id": {"app"}, "redirect_uri": {callback}, "scope": {"offline_access"}, "state": {"s t"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(changes); i += 2 {
		q.Set(changes[i], changes[i+1])
	}
	return "/connect/authorize?" + q.Encode()
}

func (w *world) form(path string, pairs ...string) answer {
	w.t.Helper()
	q := url.Values{"client_id": {"app"}, "client_secret": {"hush"}}
	for i := 0; i < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return w.send(plain(), "POST", path, q.Encode(), "Content-Type", "application/x-www-form-urlencoded")
}

// code consents and gives the authorization code.
func (w *world) code() string {
	w.t.Helper()
	at, err := url.Parse(w.send(plain(), "GET", authorizePath(), "").header.Get("Location"))
	if err != nil || at.Query().Get("state") != "s t" || !strings.HasPrefix(at.String(), callback) {
		w.t.Fatalf("sent to %s", at)
	}
	return at.Query().Get("code")
}

func (w *world) exchange(code string) answer {
	return w.form("/connect/token", "grant_type", "authorization_code", "code", code, "redirect_uri", callback, "code_verifier", verifier)
}

func text(a answer, name string) string { s, _ := a.json[name].(string); return s }

func oauthWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, creatio.Options{})
	w.box.AddOAuthClient(creatio.OAuthClient{ID: "app", Secret: "hush", Kind: "user", RedirectURIs: []string{callback}})
	w.box.AutoConsent("ann")
	return w
}

// status is how the site answers a token.
func (w *world) status(token string) int {
	return w.send(plain(), "GET", "/0/odata/Contact?$top=1", "", "Authorization", "Bearer "+token).status
}

func TestConsent_gives_tokens_that_rotate_and_end(t *testing.T) {
	t.Parallel()
	w := oauthWorld(t)
	d := w.send(plain(), "GET", "/0/.well-known/openid-configuration", "")
	if text(d, "token_endpoint") != w.url+"/connect/token" || text(d, "authorization_endpoint") == "" || text(d, "revocation_endpoint") == "" {
		t.Errorf("discovery: %s", d.body)
	}
	code := w.code()
	first := w.exchange(code)
	if first.json["expires_in"] != 3600.0 || text(first, "refresh_token") == "" || w.status(text(first, "access_token")) != 200 {
		t.Fatalf("exchange: %d %s", first.status, first.body)
	}
	me := w.send(plain(), "POST", "/0/ServiceModel/UserInfoService.svc/GetCurrentUserInfo", "{}", "Authorization", "Bearer "+text(first, "access_token"))
	if !strings.Contains(me.body, w.contact) {
		t.Errorf("acts as %s", me.body)
	}
	if a := w.exchange(code); a.status != 400 || text(a, "error") != "invalid_grant" {
		t.Errorf("a code was good twice: %d %s", a.status, a.body)
	}
	w.clock.pass(time.Hour)
	if got := w.status(text(first, "access_token")); got != 401 {
		t.Errorf("an old token: %d", got)
	}
	second := w.form("/connect/token", "grant_type", "refresh_token", "refresh_token", text(first, "refresh_token"))
	if w.status(text(second, "access_token")) != 200 || text(second, "refresh_token") == text(first, "refresh_token") {
		t.Fatalf("refresh: %s", second.body)
	}
	if a := w.form("/connect/token", "grant_type", "refresh_token", "refresh_token", text(first, "refresh_token")); text(a, "error") != "invalid_grant" {
		t.Errorf("a refresh token was good twice: %s", a.body)
	}
	w.box.ExpireTokens()
	if got := w.status(text(second, "access_token")); got != 401 {
		t.Errorf("an expired token: %d", got)
	}
	third := w.form("/connect/token", "grant_type", "refresh_token", "refresh_token", text(second, "refresh_token"))
	if a := w.form("/connect/revocation", "token", text(third, "refresh_token")); a.status != 200 || w.status(text(third, "access_token")) != 401 {
		t.Errorf("revocation: %d, then %d", a.status, w.status(text(third, "access_token")))
	}
	fourth := w.exchange(w.code())
	w.box.RevokeGrant("ann")
	if a := w.form("/connect/token", "grant_type", "refresh_token", "refresh_token", text(fourth, "refresh_token")); w.status(text(fourth, "access_token")) != 401 || a.status != 400 {
		t.Errorf("a revoked grant: %s", a.body)
	}
}

func TestThe_identity_service_refuses_what_is_not_right(t *testing.T) {
	t.Parallel()
	w := oauthWorld(t)
	w.box.AddOAuthClient(creatio.OAuthClient{ID: "machine", Secret: "hush", Kind: "client", TechnicalUser: "bob"})
	for name, tc := range map[string]struct {
		path, want string
		status     int
	}{
		"an unknown client":     {authorizePath("client_id", "x"), "not known", 400},
		"a foreign address":     {authorizePath("redirect_uri", "https://evil.example.com"), "not registered", 400},
		"a client of machines":  {authorizePath("client_id", "machine"), "not known", 400},
		"no PKCE":               {authorizePath("code_challenge", ""), "error=invalid_request", 302},
		"another response type": {authorizePath("response_type", "token"), "error=unsupported_response_type", 302},
	} {
		if a := w.send(plain(), "GET", tc.path, ""); a.status != tc.status || !strings.Contains(a.body+a.header.Get("Location"), tc.want) {
			t.Errorf("%s: got %d %s %s", name, a.status, a.header.Get("Location"), a.body)
		}
	}
	for name, tc := range map[string]struct {
		form []string
		want string
	}{
		"a wrong secret":       {[]string{"grant_type", "refresh_token", "client_secret", "x"}, "invalid_client"},
		"a wrong verifier":     {[]string{"grant_type", "authorization_code", "code", w.code(), "redirect_uri", callback, "code_verifier", "x"}, "invalid_grant"},
		"an address not asked": {[]string{"grant_type", "authorization_code", "code", w.code(), "redirect_uri", "x", "code_verifier", verifier}, "invalid_grant"},
		"a kind not given":     {[]string{"grant_type", "client_credentials"}, "unauthorized_client"},
		"a kind not known":     {[]string{"grant_type", "password"}, "unsupported_grant_type"},
	} {
		if a := w.form("/connect/token", tc.form...); a.status != 400 || text(a, "error") != tc.want {
			t.Errorf("%s: got %d %s, want %s", name, a.status, a.body, tc.want)
		}
	}
	old := w.code()
	w.clock.pass(6 * time.Minute)
	if a := w.exchange(old); text(a, "error") != "invalid_grant" {
		t.Errorf("an old code: %s", a.body)
	}
	w.box.RefuseConsent("ann", true)
	if a := w.send(plain(), "GET", authorizePath(), ""); !strings.Contains(a.header.Get("Location"), "error=access_denied") {
		t.Errorf("refused consent: %s", a.header.Get("Location"))
	}
	if a := w.form("/connect/token", "client_id", "machine", "grant_type", "client_credentials"); w.status(text(a, "access_token")) != 200 || text(a, "refresh_token") != "" {
		t.Errorf("client credentials: %s", a.body)
	}
}

func TestThe_consent_page_lets_people_choose(t *testing.T) {
	t.Parallel()
	w := oauthWorld(t)
	w.box.AutoConsent("")
	a := w.send(plain(), "GET", authorizePath("state", `"><script>`), "")
	if a.status != 200 || !strings.Contains(a.body, "<title>Creatio sandbox") || !strings.Contains(a.body, `value="bob"`) || strings.Contains(a.body, "<script>") {
		t.Fatalf("page: %d %s", a.status, a.body)
	}
	_, query, _ := strings.Cut(authorizePath(), "?")
	for decision, want := range map[string]string{"allow": "code=", "refuse": "error=access_denied"} {
		a := w.send(plain(), "POST", "/connect/authorize", query+"&user=bob&decision="+decision, "Content-Type", "application/x-www-form-urlencoded")
		if a.status != 302 || !strings.Contains(a.header.Get("Location"), want) {
			t.Errorf("%s: %d %s", decision, a.status, a.header.Get("Location"))
		}
	}
	older := newWorld(t, creatio.Options{Version: "8.2.9"})
	for _, path := range []string{"/0/.well-known/openid-configuration", authorizePath()} {
		if a := older.send(plain(), "GET", path, ""); a.status != 404 {
			t.Errorf("before 8.3, %.40s: %d", path, a.status)
		}
	}
}

func TestFaults_happen_before_or_after_the_request(t *testing.T) {
	t.Parallel()
	w := newWorld(t, creatio.Options{})
	h := w.ann()
	w.send(h, "GET", "/0/odata/Job", "")
	var f *creatio.Fault
	w.box.SetFault(func(*http.Request) *creatio.Fault { return f })
	for _, tc := range []struct {
		fault  creatio.Fault
		status int
		rows   int
	}{
		{creatio.Fault{}, 503, 0},
		{creatio.Fault{Status: 500, Body: `{"Message":"x"}`, After: true, Header: http.Header{"Retry-After": {"7"}}}, 500, 1},
		{creatio.Fault{Status: 429}, 429, 1},
	} {
		f = &tc.fault
		a := w.send(h, "POST", "/0/odata/Job", `{"Name":"x"}`)
		if n := len(w.box.System().Rows("Job", nil)); a.status != tc.status || n != tc.rows || tc.fault.After && a.header.Get("Retry-After") != "7" {
			t.Errorf("%+v: got %d and %d rows", tc.fault, a.status, n)
		}
	}
	f = &creatio.Fault{Drop: true}
	if resp, err := http.Get(w.url + "/"); err == nil {
		resp.Body.Close()
		t.Error("the connection was not closed")
	}
	if r := w.box.Requests(); r[len(r)-1].Status != 0 || r[1].Path != "/0/odata/Job" {
		t.Errorf("requests: %+v", r)
	}
}

func TestWhat_no_client_may_do_is_noted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, creatio.Options{})
	h := w.ann()
	id := w.insert("Contact", map[string]any{"Name": "Nia"})
	tag := w.insert("ContactTag", map[string]any{"Name": "all", "TypeId": public})
	for i, tc := range [][3]string{
		{"PATCH", "Contact(" + id + ")", `{"OwnerId":null}`},
		{"PATCH", "Contact(" + id + ")", `{"TypeId":"60733efc-f36b-1410-a883-16d83cab0980"}`},
		{"PATCH", "Contact(" + id + ")", `{"ModifiedOn":"2026-03-01T12:00:00Z"}`},
		{"POST", "Account", `{"Name":"x"}`},
		{"POST", "Country", `{"Name":"x"}`},
		{"POST", "ContactInTag", `{"TagId":"` + tag + `","EntityId":"` + id + `"}`},
		{"DELETE", "ContactTag(" + tag + ")", ""},
		{"DELETE", "Contact(" + id + ")", ""},
	} {
		if a := w.send(h, tc[0], "/0/odata/"+tc[1], tc[2]); a.status >= 300 || len(w.box.Violations()) != i+1 {
			t.Errorf("%v: %d, %v", tc, a.status, w.box.Violations())
		}
	}
}

func TestA_site_that_was_saved_goes_on_where_it_was(t *testing.T) {
	t.Parallel()
	w := oauthWorld(t)
	id := w.insert("Contact", map[string]any{"Name": "Olga Oak", "Email": "olga@example.com", "BirthDate": "1990-03-01T00:00:00Z", "Confirmed": true})
	tokens := w.exchange(w.code())
	var file bytes.Buffer
	if err := w.box.Save(&file); err != nil {
		t.Fatal(err)
	}
	saved := file.String()
	other := newWorld(t, creatio.Options{})
	if err := other.box.Load(&file); err != nil {
		t.Fatal(err)
	}
	if c := other.get("Contact", id); c["Email"] != "olga@example.com" || !c["BirthDate"].(time.Time).Equal(w.get("Contact", id)["BirthDate"].(time.Time)) || c["Confirmed"] != true {
		t.Errorf("the contact is %v", c)
	}
	other.update("ContactCommunication", other.box.System().Rows("ContactCommunication", map[string]any{"ContactId": id})[0]["Id"].(string), map[string]any{"Number": "o@example.com"})
	if other.get("Contact", id)["Email"] != "o@example.com" || other.status(text(tokens, "access_token")) != 200 {
		t.Error("what was restored does not work")
	}
	for _, broken := range []string{"", "{}", `{"Version":1,"Rows":{"Contact":{"x":{"Id":"\"y\""}}}}`, saved[:len(saved)/2]} {
		if err := other.box.Load(strings.NewReader(broken)); err == nil || other.get("Contact", id) == nil {
			t.Errorf("%.20s: loaded, or the old state is gone", broken)
		}
	}
}
