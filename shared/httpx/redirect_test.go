package httpx_test

import (
	"errors"
	"net/http"
	"net/url"
	"testing"

	"github.com/tandem-sync/tandem/shared/httpx"
)

func TestARedirectIsFollowedOnlyWithinOneOrigin(t *testing.T) {
	t.Parallel()
	at := func(address string) *http.Request {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		return &http.Request{URL: u}
	}
	for to, followed := range map[string]bool{
		"https://acme.example.com/0/other":      true,
		"http://acme.example.com/":              false,
		"https://evil.example.com/":             false,
		"https://acme.example.com:8443/":        false,
		"https://acme.example.com.evil.example": false,
	} {
		err := httpx.SameOrigin(at(to), []*http.Request{at("https://acme.example.com/0/odata")})
		if got := err == nil; got != followed || err != nil && !errors.Is(err, http.ErrUseLastResponse) {
			t.Errorf("%s: %v", to, err)
		}
	}
}
