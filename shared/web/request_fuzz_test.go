package web

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// Whatever a browser or a script sends, the answer is one of those that are meant for it: no failure of Tandem's own, no redirect to another
// site, and nothing of the request in a page that is not escaped.
func FuzzRequest(f *testing.F) {
	for _, path := range []string{
		"/settings", "/settings/runs?before=x", "/settings/runs/r1", "/settings/api/v1/runs?limit=999999999999999999999&type=contacts", "/settings/api/v1/runs/%2e%2e/changes?after=-1",
		"/settings/api/v1/admin?type=contacts&after=%00", "/settings?problem=<script>", "/oauth-callback?error=x&state=%ff", "/oauth-callback/creatio?code=1&code=2", "//evil.example/settings", "/settings/../x", "/settings/api/v1/tokens/%2f",
	} {
		f.Add("GET", path, "", "")
		f.Add("POST", path, "same=maybe&username=<svg onload=1>", "c2VhbGVkOnNlc3Npb246e30")
	}
	f.Add("PUT", "/settings/api/v1/contacts", `{"automatic":1e999}`, "")
	f.Add("POST", "/settings/api/v1/contacts/pairs", `{"creatioId":"\u0000","googleId":["x"],"same":null}`, "")
	f.Fuzz(func(t *testing.T, method, target, body, cookie string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || u.Host != "" || strings.ContainsAny(method, " \t\r\n") || method == "" || strings.ContainsAny(target, " \r\n") {
			return
		}
		r, err := http.NewRequest(method, target, strings.NewReader(body))
		if err != nil {
			return
		}
		r.RequestURI, r.Host = target, strings.TrimPrefix(public, "https://")
		if _, err := base64.RawURLEncoding.DecodeString(cookie); err == nil {
			r.AddCookie(&http.Cookie{Name: "__Host-tandem", Value: cookie})
		}
		c := newClient(t)
		w := httptest.NewRecorder()
		handler := c.Settings()
		if strings.HasPrefix(u.Path, "/oauth-callback") {
			handler = c.Callback()
		}
		handler.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("%s %s: %d %s", method, target, w.Code, w.Body)
		}
		if to := w.Header().Get("Location"); to != "" && !strings.HasPrefix(to, public) && !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") {
			t.Errorf("%s %s: leads to %s", method, target, to)
		}
		if strings.Contains(target+body, "<svg onload") && strings.Contains(w.Body.String(), "<svg onload") {
			t.Errorf("%s %s: the page has what the request said", method, target)
		}
	})
}

// Whatever comes to the address of channels is known, unknown, or no message.
func FuzzMessageOfAChannel(f *testing.F) {
	f.Add("POST", "c1", "t1", "r1", "exists")
	f.Add("POST", "", "\xff", strings.Repeat("x", 5000), "sync")
	f.Add("GET", "../../c1", "<script>", "", "")
	f.Fuzz(func(t *testing.T, method, channel, token, resource, state string) {
		r, err := http.NewRequest(method, "/calendar-push", nil)
		if err != nil {
			return
		}
		r.Header = http.Header{"X-Goog-Channel-Id": {channel}, "X-Goog-Channel-Token": {token}, "X-Goog-Resource-Id": {resource}, "X-Goog-Resource-State": {state}}
		c := newClient(t)
		w := httptest.NewRecorder()
		to := &fakeNotified{}
		c.Push("calendar-push", to).ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("%s %q: %d %s", method, r.Header, w.Code, w.Body)
		}
	})
}
