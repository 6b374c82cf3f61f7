package web

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
)

func account(c client, opts ...option) *http.Response {
	return c.do("GET", "/settings/api/v1/account", "", opts...)
}

func TestASessionCountsUntilItEnds(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		ticket ticket
		want   int
	}{
		"just begun":                     {ticket{"anna", "s3", noon, noon}, 200},
		"on its last day":                {ticket{"anna", "s3", noon.Add(-sessionAge + time.Second), noon}, 200},
		"expired":                        {ticket{"anna", "s3", noon.Add(-sessionAge), noon}, 401},
		"on the last day of two weeks":   {ticket{"anna", "s3", noon.Add(-idleAge), noon.Add(-idleAge + time.Second)}, 200},
		"not used for two weeks":         {ticket{"anna", "s3", noon.Add(-idleAge), noon.Add(-idleAge)}, 401},
		"from a copy whose clock is off": {ticket{"anna", "s3", noon.Add(time.Minute), noon.Add(time.Minute)}, 200},
		"from the future":                {ticket{"anna", "s3", noon.Add(time.Hour), noon}, 401},
		"ended by signing out":           {ticket{"anna", "s2", noon, noon}, 401},
		"that names nothing":             {ticket{"anna", "", noon, noon}, 401},
		"of somebody unknown":            {ticket{"bruno", "s3", noon, noon}, 401},
		"of nobody":                      {ticket{"", "s3", noon, noon}, 401},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t)
			r := account(c, c.with(tc.ticket))
			wantStatus(t, r, tc.want)
			cleared := len(r.Cookies()) == 1 && r.Cookies()[0].Name == "__Host-tandem" && r.Cookies()[0].MaxAge < 0
			renewed := len(r.Cookies()) == 1 && r.Cookies()[0].MaxAge > 0
			if cleared != (tc.want == 401) || renewed != (tc.want == 200 && noon.Sub(tc.ticket.Seen) >= seenAge) {
				t.Errorf("cookies = %v", r.Cookies())
			}
		})
	}
}

func TestATamperedSessionIsNone(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	encode := base64.RawURLEncoding.EncodeToString
	const valid = `{"user":"anna","session":"s3","issued":"2026-03-04T12:00:00Z","seen":"2026-03-04T12:00:00Z"}`
	for name, value := range map[string]string{
		"not sealed":            encode([]byte(valid)),
		"sealed as other thing": encode([]byte("sealed:anna:" + valid)),
		"not base64":            "%%%",
		"no JSON":               encode([]byte("sealed:session:anna")),
		"far too long":          encode([]byte("sealed:session:" + valid + strings.Repeat(" ", maxCookie))),
		"empty":                 "",
	} {
		if r := account(c, cookie("__Host-tandem", value)); r.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: status %d", name, r.StatusCode)
		}
	}
	if len(c.fake.calls) != 0 {
		t.Errorf("the service was asked: %v", c.fake.calls)
	}
}

func TestASessionOnHTTPSIsNotTakenFromTheNameWithoutPrefix(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	plain := newClient(t, func(o *Options) { o.PublicURL = "http://127.0.0.1:8080" })
	wantStatus(t, account(c, plain.signedIn), http.StatusUnauthorized)
	wantStatus(t, account(plain, plain.signedIn), http.StatusOK)
}

func TestAKeyOutOfReachDoesNotSignAnybodyOut(t *testing.T) {
	t.Parallel()
	good := newClient(t)
	c := newClient(t, func(o *Options) {
		o.Sealer = plainSealer{fault.New(fault.Retry, "", "kms", errors.New("open: deadline"))}
	})
	r := account(c, good.signedIn)
	wantStatus(t, r, http.StatusServiceUnavailable)
	if len(r.Cookies()) != 0 {
		t.Errorf("cookies = %v", r.Cookies())
	}
	c = newClient(t)
	c.fake.errs["Session"] = fault.New(fault.Retry, "", "store", errors.New("read profile: unavailable"))
	wantStatus(t, account(c, c.signedIn), http.StatusServiceUnavailable)
}

func TestSigningOutEndsEverySession(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	r := c.do("POST", "/settings/sign-out", "", c.signedIn)
	wantSeeOther(t, r, "/settings")
	if len(r.Cookies()) != 2 {
		t.Errorf("cookies = %v, want both taken away", r.Cookies())
	}
	wantStatus(t, account(c, c.signedIn), http.StatusUnauthorized)
}

func TestWhoCouldNotBeSignedOutIsTold(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.fake.errs["SignOut"] = fault.New(fault.Retry, "", "store", errors.New("write profile: unavailable"))
	r := c.do("POST", "/settings/sign-out", "", c.signedIn)
	wantStatus(t, r, http.StatusServiceUnavailable)
	if len(r.Cookies()) != 0 {
		t.Errorf("cookies = %v", r.Cookies())
	}
}
