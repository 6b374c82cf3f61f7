package app_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
)

// comesBack begins a linking and gives the address to which the consent page sends the browser back.
func (w *world) comesBack(begin string) *url.URL {
	w.t.Helper()
	follow := w.browser.CheckRedirect
	w.browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	defer func() { w.browser.CheckRedirect = follow }()
	consent := w.visit(begin).header.Get("Location")
	resp, err := w.browser.Get(consent)
	if err != nil {
		w.t.Fatal(err)
	}
	_ = resp.Body.Close()
	back, err := resp.Location()
	if err != nil {
		w.t.Fatalf("no way back from %s: %v", consent, err)
	}
	return back
}

func TestA_code_that_a_service_refuses_is_nobodys_alarm(t *testing.T) {
	t.Parallel()
	const json, html = `{"error":"%s"}`, "<!DOCTYPE html><title>Not found</title>"
	code := func(word string) string { return strings.Replace(json, "%s", word, 1) }
	for name, c := range map[string]struct {
		status int
		body   string
		// want is the status of the page; alarm says that the operator has to hear of it.
		want  int
		alarm bool
		// google is the same for Google, where it differs.
		google int
	}{
		"the code is another linking's":    {0, "", 400, false, 400},
		"invalid_grant":                    {400, code("invalid_grant"), 400, false, 400},
		"invalid_request":                  {400, code("invalid_request"), 400, false, 400},
		"a word that nobody knows":         {400, code("code_was_odd"), 400, false, 400},
		"a page":                           {404, html, 400, false, 400},
		"no body":                          {403, "", 400, false, 400},
		"the client is not known":          {401, code("invalid_client"), 500, true, 500},
		"the client may not":               {400, code("unauthorized_client"), 500, true, 500},
		"the redirect address is not ours": {400, code("redirect_uri_mismatch"), 400, false, 500},
		"too many requests":                {429, code("slow_down"), 503, false, 503},
		"a good status without a body":     {200, "", 503, false, 503},
		"a page with a good status":        {200, html, 503, false, 503},
	} {
		for _, side := range []string{"creatio", "google"} {
			t.Run(name+", "+side, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				begin, want, alarm := "/settings/sign-in", c.google, c.google == 500
				if side == "creatio" {
					w.visit(begin)
					begin, want, alarm = "/settings/link/creatio", c.want, c.alarm
				}
				back := w.comesBack(begin)
				header := http.Header{"Content-Type": {"application/json"}}
				if strings.HasPrefix(c.body, "<") {
					header.Set("Content-Type", "text/html")
				}
				if c.status == 0 {
					q := back.Query()
					q.Set("code", w.comesBack(begin).Query().Get("code"))
					back.RawQuery = q.Encode()
				} else {
					w.creatio.SetFault(func(r *http.Request) *creatiobox.Fault {
						if r.URL.Path != "/connect/token" {
							return nil
						}
						return &creatiobox.Fault{Status: c.status, Body: c.body, Header: header}
					})
					w.google.SetFault(func(r *http.Request) *googlebox.Fault {
						if r.URL.Path != "/token" {
							return nil
						}
						return &googlebox.Fault{Status: c.status, Body: c.body, Header: header}
					})
				}
				a := w.visit(back.RequestURI())
				if a.status != want {
					t.Errorf("got %d, want %d", a.status, want)
				}
				if said := "start again"; want == 400 && !strings.Contains(a.body, said) {
					t.Errorf("the page does not say %q:\n%s", said, a.body)
				}
				if got := w.log.String(); strings.Contains(got, "level=ERROR") != alarm {
					t.Errorf("the log tells\n%s", got)
				}
				if strings.Contains(w.log.String()+a.body, back.Query().Get("code")) {
					t.Error("the code leaks")
				}
			})
		}
	}
}
