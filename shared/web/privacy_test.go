package web

import (
	"html"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestEveryPageLeadsToPrivacyWhichHasGooglesStatement(t *testing.T) {
	t.Parallel()
	const policy = "https://www.example.com/privacy"
	c := newClient(t, func(o *Options) { o.Privacy, o.History, o.Unlinked = policy, 400*24*time.Hour, 90*24*time.Hour })
	read := func(target string) string {
		t.Helper()
		body, err := io.ReadAll(c.do(http.MethodGet, target, "", c.signedIn).Body)
		if err != nil {
			t.Fatal(err)
		}
		return html.UnescapeString(string(body))
	}
	for _, page := range []string{"/settings", "/settings/runs", "/settings/nowhere", "/settings/privacy"} {
		if body := read(page); !strings.Contains(body, `href="/settings/privacy"`) || !strings.Contains(body, `href="`+policy+`"`) {
			t.Errorf("%s leads to no page on privacy", page)
		}
	}
	body := read("/settings/privacy")
	for _, want := range []string{"Limited Use requirements", "Google API Services User Data Policy", "for 400 days", "after 90 days"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}
