package app_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
)

// hostileSite is a Creatio site that sends whoever comes to its consent page on to Google, with the state that Tandem
// gave the visitor and the nonce and challenge of a sign-in that the attacker began.
type hostileSite struct {
	mu sync.Mutex
	// asked is where Tandem sent the attacker's own browser to sign in.
	asked url.Values
	// redirect is the address that Google is to send the visitor back to.
	redirect string
	// posted are the codes that came to the site's token endpoint.
	posted []string
}

func (h *hostileSite) serve(google string) func(*http.Request) *creatiobox.Fault {
	return func(r *http.Request) *creatiobox.Fault {
		h.mu.Lock()
		defer h.mu.Unlock()
		switch r.URL.Path {
		case "/connect/authorize":
			q := url.Values{}
			for name, values := range h.asked {
				q[name] = values
			}
			q.Set("state", r.URL.Query().Get("state"))
			q.Set("redirect_uri", h.redirect)
			return &creatiobox.Fault{Status: http.StatusFound, Header: http.Header{"Location": {google + "/o/oauth2/v2/auth?" + q.Encode()}}}
		case "/connect/token":
			body, _ := io.ReadAll(r.Body)
			form, _ := url.ParseQuery(string(body))
			h.posted = append(h.posted, form.Get("code"))
		}
		return nil
	}
}

func TestA_hostile_site_that_forwards_a_visitor_to_Google_gets_no_code_and_signs_in_as_nobody(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		// back is the path that Google is to send the visitor to; registered, what the operator registered there.
		back       string
		registered []string
		want       int
	}{
		"to the address of Google":                              {"/oauth-callback", []string{"/oauth-callback"}, 400},
		"to its own address":                                    {"/oauth-callback/creatio", []string{"/oauth-callback"}, 400},
		"to its own address, which is registered at Google too": {"/oauth-callback/creatio", []string{"/oauth-callback", "/oauth-callback/creatio"}, 400},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			var addresses []string
			for _, path := range tc.registered {
				addresses = append(addresses, w.url+path)
			}
			w.google.AddClient(clientID, clientSecret, addresses...)
			w.visit("/settings/sign-in")

			attacker := newBrowser(t)
			attacker.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			resp, err := attacker.Get(w.url + "/settings/sign-in")
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			consent, err := resp.Location()
			if err != nil {
				t.Fatal(err)
			}
			site := &hostileSite{asked: consent.Query(), redirect: w.url + tc.back}
			w.creatio.SetFault(site.serve(w.env["GOOGLE_ENDPOINT"]))

			a := w.visit("/settings/link/creatio")
			if a.status != tc.want {
				t.Errorf("the visitor ends at %s with %d", a.url, a.status)
			}
			for _, code := range site.posted {
				t.Errorf("the site was handed a code")
				q := url.Values{"state": {consent.Query().Get("state")}, "code": {code}, "iss": {w.env["GOOGLE_ENDPOINT"]}}
				resp, err := attacker.Get(w.url + "/oauth-callback?" + q.Encode())
				if err != nil {
					t.Fatal(err)
				}
				_ = resp.Body.Close()
				t.Errorf("the attacker, with that code, is answered %d", resp.StatusCode)
			}
			w.creatio.SetFault(nil)
			if a := w.account(); !a.Google.Linked || a.Creatio.Linked {
				t.Errorf("the visitor's account is %+v", a)
			}
			if got := w.log.String(); strings.Contains(got, "level=ERROR") {
				t.Errorf("the log tells\n%s", got)
			}
		})
	}
}
