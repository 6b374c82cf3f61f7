package httpx_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/httpx"
)

// Whatever a service asks for, nobody waits for longer than an hour, or for less than nothing.
func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"", "0", "-1", "9", "999999999999999999999", "Mon, 02 Mar 2026 12:00:00 GMT", "1e9", "0x7f", "+5", "Fri, 31 Dec 9999 23:59:59 GMT"} {
		f.Add(seed, "Mon, 02 Mar 2026 12:00:00 GMT")
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, after, date string) {
		resp := &http.Response{Header: http.Header{"Retry-After": {after}, "Date": {date}}}
		if wait, named := httpx.RetryAfter(resp, time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)); wait < 0 || wait > time.Hour || !named && wait != 0 {
			t.Errorf("%q at %q: %s, %t", after, date, wait, named)
		}
	})
}
