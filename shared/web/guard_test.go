package web

import (
	"net/http"
	"strings"
	"testing"
)

func TestOnlyOwnPagesAndScriptsMayChangeSomething(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		headers map[string]string
		want    int
	}{
		"a script sends neither header":         {nil, 202},
		"own page":                              {map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": public}, 202},
		"own page in an old browser":            {map[string]string{"Origin": public}, 202},
		"typed by the user":                     {map[string]string{"Sec-Fetch-Site": "none"}, 202},
		"another site":                          {map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example.com"}, 403},
		"another site that claims our origin":   {map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": public}, 403},
		"a neighbor on the same site":           {map[string]string{"Sec-Fetch-Site": "same-site", "Origin": "https://other.example.com"}, 403},
		"another site in an old browser":        {map[string]string{"Origin": "https://evil.example.com"}, 403},
		"same host, other scheme":               {map[string]string{"Origin": "http://tandem.example.com"}, 403},
		"same host, other port":                 {map[string]string{"Origin": public + ":8443"}, 403},
		"a page without an origin":              {map[string]string{"Origin": "null"}, 403},
		"claims same-origin, another origin":    {map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example.com"}, 403},
		"the host under which it was handed on": {map[string]string{"Origin": "https://inner.example.net"}, 403},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t)
			opts := []option{c.signedIn, func(r *http.Request) { r.Host = "inner.example.net" }}
			for k, v := range tc.headers {
				opts = append(opts, header(k, v))
			}
			wantStatus(t, c.do("POST", "/settings/api/v1/contacts/sync", "", opts...), tc.want)
		})
	}
}

func TestDefaultPortsAreNoOtherOrigin(t *testing.T) {
	t.Parallel()
	c := newClient(t, func(o *Options) { o.PublicURL = "https://Tandem.example.com:443" })
	wantStatus(t, c.do("POST", "/settings/api/v1/contacts/sync", "", c.signedIn, header("Origin", public)), 202)
}

func TestEveryAnswerCarriesTheHeadersThatProtectIt(t *testing.T) {
	t.Parallel()
	for _, rt := range everyRoute {
		c := newClient(t)
		r := c.do(rt.method, "/settings"+rt.path, rt.body, c.signedIn)
		csp := r.Header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"} {
			if !strings.Contains(csp, part) {
				t.Errorf("%s %s: no %s", rt.method, rt.path, part)
			}
		}
		if r.Header.Get("X-Content-Type-Options") != "nosniff" || r.Header.Get("Referrer-Policy") != "same-origin" || r.Header.Get("Strict-Transport-Security") == "" {
			t.Errorf("%s %s: headers %v", rt.method, rt.path, r.Header)
		}
		if got := r.Header.Get("Cache-Control"); got != "no-store" && !(r.StatusCode == 200 && strings.HasPrefix(rt.path, "/static/")) {
			t.Errorf("%s %s: Cache-Control %q", rt.method, rt.path, got)
		}
	}
}

func TestTransportSecurityIsForHTTPSOnly(t *testing.T) {
	t.Parallel()
	c := newClient(t, func(o *Options) { o.PublicURL = "http://127.0.0.1:8080" })
	if got := c.do("GET", "/settings", "").Header.Get("Strict-Transport-Security"); got != "" {
		t.Errorf("Strict-Transport-Security = %q", got)
	}
}

func TestABodyThatIsTooLargeIsRefused(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	large := strings.Repeat(" ", maxBody) + goodJSON
	wantStatus(t, c.do("PUT", "/settings/api/v1/contacts", large, c.signedIn), http.StatusRequestEntityTooLarge)
	wantStatus(t, c.do("POST", "/settings/contacts", "x="+strings.Repeat("y", maxBody), c.signedIn), http.StatusRequestEntityTooLarge)
	if n := c.fake.writes(); n != 0 {
		t.Errorf("something was changed: %v", c.fake.calls)
	}
}

func TestStaticFilesAreKeptAsLongAsTheirNameSays(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for name, kind := range map[string]string{"site.css": "text/css; charset=utf-8", "site.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml"} {
		hashed := c.do("GET", "/settings/static/"+c.assets[name].hashed(), "")
		wantStatus(t, hashed, http.StatusOK)
		if got := hashed.Header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
			t.Errorf("%s: Cache-Control %q", name, got)
		}
		if got := hashed.Header.Get("Content-Type"); got != kind {
			t.Errorf("%s: Content-Type %q", name, got)
		}
		plain := c.do("GET", "/settings/static/"+name, "")
		if got := plain.Header.Get("Cache-Control"); got != "no-cache" {
			t.Errorf("%s by its own name: Cache-Control %q", name, got)
		}
		again := c.do("GET", "/settings/static/"+name, "", header("If-None-Match", plain.Header.Get("ETag")))
		wantStatus(t, again, http.StatusNotModified)
	}
	wantStatus(t, c.do("GET", "/settings/static/site.000000000000.css", ""), http.StatusNotFound)
}
