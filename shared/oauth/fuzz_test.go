package oauth

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
)

// Whatever an identity service replies instead of its discovery document, nothing is taken for one that names no encrypted address.
func FuzzDiscovery(f *testing.F) {
	for _, seed := range []string{
		`{"issuer":"https://acme.example.com","token_endpoint":"https://acme.example.com/token"}`, `{"token_endpoint":"http://acme.example.com/token"}`, `{"token_endpoint":"//x"}`, `{"token_endpoint":"https:x"}`,
		`{"token_endpoint":"https://a/","jwks_uri":"javascript:1"}`, `{"token_endpoint":1}`, `null`, `<html>`, ``,
	} {
		f.Add(200, seed)
	}
	f.Add(503, "")
	f.Fuzz(func(t *testing.T, status int, said string) {
		p := &provider{side: record.Creatio, now: time.Now, client: &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(said))}, nil
		})}}
		m, err := p.read(t.Context(), "https://acme.example.com")
		if err != nil {
			return
		}
		for _, endpoint := range []string{m.Authorize, m.Token, m.Revocation, m.Keys} {
			if u, err := url.Parse(endpoint); endpoint != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
				t.Errorf("%q names the endpoint %q", said, endpoint)
			}
		}
	})
}

// Nobody can write an authorization response that fits a service that names its issuer, but by naming that one once.
func FuzzAnswerOfAnIssuer(f *testing.F) {
	for _, seed := range []string{"", "iss=https://a.example", "iss=https://b.example", "iss=https://a.example&iss=https://b.example", "iss", "state=1&state=2&iss=https://a.example", "iss=https://a.example/", "%zz"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		q, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		m := &metadata{Issuer: "https://a.example", SendsIssuer: true}
		if m.mismatch(q) == "" && (len(q["iss"]) != 1 || q.Get("iss") != m.Issuer || len(q["state"]) > 1 || len(q["code"]) > 1) {
			t.Errorf("%q is taken for an answer of %s", query, m.Issuer)
		}
	})
}

// A browser may show anything instead of the linkings that it began, and what was sealed here may be of another version: neither is a
// failure of Tandem.
func FuzzLinkings(f *testing.F) {
	for _, seed := range []string{"", "[]", "null", `[{"id":"x"}]`, `[{"expires":1}]`, "{", "\xff", strings.Repeat("[", 5000)} {
		f.Add(seed)
	}
	l := &Linker{o: Options{Browser: paperVault{}}}
	f.Fuzz(func(t *testing.T, text string) {
		sealed, err := paperVault{}.Seal([]byte(text), browserContext)
		if err != nil {
			t.Fatal(err)
		}
		for _, cookie := range []string{text, base64.RawURLEncoding.EncodeToString([]byte(text)), base64.RawURLEncoding.EncodeToString(sealed)} {
			if _, err := l.linkings(cookie); err != nil {
				t.Errorf("%q: %v", cookie, err)
			}
		}
	})
}
