package google

import (
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// ask is what a client asks a user for (https://developers.google.com/identity/protocols/oauth2/web-server#creatingclient).
type ask struct {
	client, redirectURI, state, nonce string
	scopes                            []string
	challenge, method                 string
	offline, combine                  bool
	prompt                            []string
	hint                              string
}

// refusal is an answer of the OAuth endpoints.
type refusal struct {
	status      int
	Code, About string
}

// readAsk reads a request. What is wrong with it is told to the user, not to the client: it is not known yet who that is.
func (s *Server) readAsk(q url.Values) (ask, *refusal) {
	a := ask{
		client: q.Get("client_id"), redirectURI: q.Get("redirect_uri"), state: q.Get("state"), nonce: q.Get("nonce"),
		challenge: q.Get("code_challenge"), method: q.Get("code_challenge_method"), offline: q.Get("access_type") == "offline",
		combine: q.Get("include_granted_scopes") == "true", prompt: strings.Fields(q.Get("prompt")), hint: q.Get("login_hint"),
	}
	c := s.state.Clients[a.client]
	switch {
	case a.client == "":
		return a, &refusal{http.StatusBadRequest, "invalid_request", "Missing required parameter: client_id"}
	case c == nil:
		return a, &refusal{http.StatusUnauthorized, "invalid_client", "The OAuth client was not found."}
	case a.redirectURI == "":
		return a, &refusal{http.StatusBadRequest, "invalid_request", "Missing required parameter: redirect_uri"}
	case !slices.Contains(c.RedirectURIs, a.redirectURI):
		return a, &refusal{http.StatusBadRequest, "redirect_uri_mismatch", "The redirect URI in the request, " + a.redirectURI +
			", does not match the ones authorized for the OAuth client."}
	case q.Get("response_type") != "code":
		return a, &refusal{http.StatusBadRequest, "unsupported_response_type", "Only response_type=code is supported."}
	case q.Get("scope") == "":
		return a, &refusal{http.StatusBadRequest, "invalid_request", "Missing required parameter: scope"}
	case a.method != "" && a.method != "S256" && a.method != "plain", a.method != "" && a.challenge == "":
		return a, &refusal{http.StatusBadRequest, "invalid_request", "Invalid parameter: code_challenge_method"}
	case q.Has("approval_prompt") && q.Has("prompt"):
		return a, &refusal{http.StatusBadRequest, "invalid_request", "Conflict params: approval_prompt and prompt"}
	}
	for _, p := range a.prompt {
		if !slices.Contains([]string{"none", "consent", "select_account"}, p) || p == "none" && len(a.prompt) > 1 {
			return a, &refusal{http.StatusBadRequest, "invalid_request", "Invalid parameter value for prompt: " + q.Get("prompt")}
		}
	}
	for _, scope := range strings.Fields(q.Get("scope")) {
		scope = canonical(scope)
		if _, known := scopes[scope]; !known {
			return a, &refusal{http.StatusBadRequest, "invalid_scope", "Some requested scopes were invalid: " + scope}
		}
		if !slices.Contains(a.scopes, scope) {
			a.scopes = append(a.scopes, scope)
		}
	}
	return a, nil
}

// authorize is the authorization endpoint.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	a, wrong := s.readAsk(r.URL.Query())
	if wrong != nil {
		show(w, wrong.status, refusedPage, wrong)
		return
	}
	if r.Method == http.MethodPost {
		s.decided(w, r, a)
		return
	}
	who := s.decides(a)
	if slices.Contains(a.prompt, "none") {
		if who == nil {
			who = s.state.Accounts[emailKey(a.hint)]
		}
		switch {
		case who == nil:
			s.back(w, r, a, url.Values{"error": {"login_required"}})
		case !s.covered(a, who):
			s.back(w, r, a, url.Values{"error": {"interaction_required"}})
		default:
			s.allow(w, r, a, who, a.scopes)
		}
		return
	}
	switch {
	case who == nil:
		s.consentPage(w, r, a)
	case who.Refuses:
		s.back(w, r, a, url.Values{"error": {"access_denied"}})
	default:
		s.allow(w, r, a, who, a.scopes)
	}
}

// decides is the account for whom the page is answered at once.
func (s *Server) decides(a ask) *account {
	fits := func(who *account) bool {
		return who != nil && (a.hint == "" || emailKey(a.hint) == emailKey(who.Email) || a.hint == who.Subject)
	}
	if who := s.state.Accounts[s.state.Auto]; fits(who) {
		return who
	}
	var refusing []*account
	for _, who := range s.state.Accounts {
		if who.Refuses && fits(who) {
			refusing = append(refusing, who)
		}
	}
	if len(refusing) == 1 && s.state.Auto == "" {
		return refusing[0]
	}
	return nil
}

// covered reports whether the user granted all that before.
func (s *Server) covered(a ask, who *account) bool {
	g := s.granted(a.client, emailKey(who.Email))
	return g != nil && !slices.ContainsFunc(a.scopes, func(scope string) bool { return !slices.Contains(g.Scopes, scope) })
}

// decided reads the answer that was given on the page.
func (s *Server) decided(w http.ResponseWriter, r *http.Request, a ask) {
	if err := r.ParseForm(); err != nil {
		show(w, http.StatusBadRequest, refusedPage, &refusal{Code: "invalid_request", About: "The form could not be read."})
		return
	}
	if r.PostForm.Get("action") != "allow" {
		s.back(w, r, a, url.Values{"error": {"access_denied"}})
		return
	}
	who := s.state.Accounts[emailKey(r.PostForm.Get("account"))]
	if who == nil {
		show(w, http.StatusBadRequest, refusedPage, &refusal{Code: "invalid_request", About: "Choose an account."})
		return
	}
	var ticked []string
	for _, scope := range a.scopes {
		if scopes[scope] == "" || slices.Contains(r.PostForm["scope"], scope) {
			ticked = append(ticked, scope)
		}
	}
	s.allow(w, r, a, who, ticked)
}

// allow grants what was ticked, and sends the browser back with a code. A refresh token comes with the first consent and
// with a forced one (https://developers.google.com/identity/protocols/oauth2/web-server#offline).
func (s *Server) allow(w http.ResponseWriter, r *http.Request, a ask, who *account, ticked []string) {
	key := emailKey(who.Email)
	g := s.granted(a.client, key)
	forced := slices.Contains(a.prompt, "consent")
	first := g == nil
	if first {
		g = &grant{}
		s.state.Grants[grantKey(a.client, key)] = g
	}
	asked := forced || !s.covered(a, who)
	var given []string
	for _, scope := range ticked {
		if scopes[scope] == "" || !who.Limited || slices.Contains(who.Granted, scope) || !asked {
			given = append(given, scope)
		}
	}
	g.Scopes = union(g.Scopes, given)
	if a.combine {
		given = union(given, g.Scopes)
	}
	now := s.o.Now()
	maps.DeleteFunc(s.state.Codes, func(_ string, old *code) bool { return now.After(old.Expires.Add(24 * time.Hour)) })
	secret := random("4/0A")
	s.state.Codes[secret] = &code{
		Client: a.client, Email: key, RedirectURI: a.redirectURI, Scopes: given, Nonce: a.nonce, Challenge: a.challenge, Method: a.method,
		Offline: a.offline && (first || forced), Expires: now.Add(codeLifetime),
	}
	prompt := "none"
	if asked {
		prompt = "consent"
	}
	answer := url.Values{"code": {secret}, "scope": {strings.Join(given, " ")}, "authuser": {"0"}, "prompt": {prompt}}
	if who.HostedDomain != "" {
		answer.Set("hd", who.HostedDomain)
	}
	s.back(w, r, a, answer)
}

func union(a, b []string) []string {
	out := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// back sends the browser to the client.
func (s *Server) back(w http.ResponseWriter, r *http.Request, a ask, answer url.Values) {
	if a.state != "" {
		answer.Set("state", a.state)
	}
	// RFC 9207.
	answer.Set("iss", s.issuer(r))
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, appendQuery(a.redirectURI, answer), http.StatusFound)
}

type scopeLine struct{ Scope, About string }

func (s *Server) consentPage(w http.ResponseWriter, r *http.Request, a ask) {
	var lines []scopeLine
	for _, scope := range a.scopes {
		if about := scopes[scope]; about != "" {
			lines = append(lines, scopeLine{scope, about})
		}
	}
	var accounts []*account
	for _, key := range slices.Sorted(maps.Keys(s.state.Accounts)) {
		accounts = append(accounts, s.state.Accounts[key])
	}
	chosen := emailKey(a.hint)
	if s.state.Accounts[chosen] == nil {
		chosen = emailKey(s.suggested)
	}
	if s.state.Accounts[chosen] == nil && len(accounts) > 0 {
		chosen = emailKey(accounts[0].Email)
	}
	show(w, http.StatusOK, askPage, map[string]any{
		"Client": a.client, "Scopes": lines, "Accounts": accounts, "Chosen": chosen, "Action": "?" + r.URL.RawQuery,
	})
}

func show(w http.ResponseWriter, status int, page *template.Template, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if err := page.Execute(w, data); err != nil {
		panic("show page: " + err.Error())
	}
}

const frame = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{template "title"}} – Sandbox Google</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 34rem; padding: 0 1rem; color: #1f1f1f; background: #fff }
.note { border-left: .25rem solid #b06000; padding: .5rem 1rem; background: #fef7e0 }
fieldset { border: 1px solid #747775; border-radius: .5rem; margin: 1rem 0; padding: .5rem 1rem }
legend { font-weight: 600; padding: 0 .25rem }
label { display: block; padding: .375rem 0 }
button { font: inherit; padding: .5rem 1.5rem; border-radius: .5rem; border: 1px solid #0b57d0; background: #fff; color: #0b57d0 }
button.main { background: #0b57d0; color: #fff }
:focus-visible { outline: 3px solid #0b57d0; outline-offset: 2px }
</style>
</head>
<body>
<main>
<h1>{{template "title"}}</h1>
<p class="note">This is the sandbox, a simulated Google on your own machine. No real account is involved.</p>
{{template "content" .}}
</main>
</body>
</html>
`

var askPage = template.Must(template.New("ask").Funcs(template.FuncMap{"key": emailKey}).Parse(
	`{{define "title"}}Sign in and give consent{{end}}
{{define "content"}}
<form method="post" action="{{.Action}}">
<fieldset>
<legend>Choose an account to continue to {{.Client}}</legend>
{{range .Accounts}}<label><input type="radio" name="account" value="{{.Email}}" required{{if eq (key .Email) $.Chosen}} checked{{end}}>
{{.Name}} ({{.Email}})</label>
{{else}}<p>There are no accounts.</p>
{{end}}</fieldset>
{{if .Scopes}}<fieldset>
<legend>Select what {{.Client}} can access</legend>
{{range .Scopes}}<label><input type="checkbox" name="scope" value="{{.Scope}}" checked>
{{.About}}</label>
{{end}}</fieldset>
{{end}}<button class="main" name="action" value="allow"{{if not .Accounts}} disabled{{end}}>Allow</button>
<button name="action" value="refuse" formnovalidate>Refuse</button>
</form>
{{end}}` + frame))

var refusedPage = template.Must(template.New("refused").Parse(`{{define "title"}}Access blocked{{end}}
{{define "content"}}<p>The request is invalid.</p>
<p><strong>Error: {{.Code}}</strong></p>
<p>{{.About}}</p>
{{end}}` + frame))
