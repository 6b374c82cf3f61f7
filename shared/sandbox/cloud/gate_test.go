package cloud_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/sandbox/cloud"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
)

func TestNobody_but_the_caller_passes_the_gate_and_the_signature_stays_behind(t *testing.T) {
	t.Parallel()
	const caller, audience, serverless = "invoker@p.iam.gserviceaccount.com", "https://run.example.com/sync-contacts", "X-Serverless-Authorization"
	now := func() time.Time { return time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) }
	var issuer http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { issuer.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	google := googlebox.New(googlebox.Options{Now: now, IssuerURL: server.URL})
	issuer = google
	var seen http.Header
	gate := &cloud.Gate{Issuer: server.URL, Audience: audience, Caller: caller, Now: now, Service: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r.Header })}

	own := "Bearer " + google.IssueServiceToken(caller, audience)
	stripped := own[:strings.LastIndex(own, ".")+1] + "SIGNATURE_REMOVED_BY_GOOGLE"
	other := "Bearer " + google.IssueServiceToken("other@p.iam.gserviceaccount.com", audience)
	late := "Bearer " + google.IssueServiceToken(caller, audience, func(claims map[string]any) { claims["exp"] = now().Unix() - 1 })
	for what, tc := range map[string]struct {
		sent http.Header
		want int
		seen http.Header
	}{
		"the caller":                    {http.Header{"Authorization": {own}}, 200, http.Header{"Authorization": {stripped}}},
		"the caller in the other place": {http.Header{serverless: {own}, "Authorization": {"Bearer x"}}, 200, http.Header{serverless: {stripped}, "Authorization": {"Bearer x"}}},
		"nobody":                        {http.Header{}, 403, nil},
		"somebody else":                 {http.Header{"Authorization": {other}}, 403, nil},
		"somebody else beside a caller": {http.Header{serverless: {other}, "Authorization": {own}}, 403, nil},
		"another service's token":       {http.Header{"Authorization": {"Bearer " + google.IssueServiceToken(caller, "https://run.example.com/settings")}}, 401, nil},
		"a token of yesterday":          {http.Header{"Authorization": {late}}, 401, nil},
		"a token without a signature":   {http.Header{"Authorization": {stripped}}, 401, nil},
		"no token":                      {http.Header{"Authorization": {"Bearer x"}}, 401, nil},
	} {
		seen = nil
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/sync-contacts", nil)
		r.Header = tc.sent
		w := httptest.NewRecorder()
		gate.ServeHTTP(w, r)
		if w.Code != tc.want || seen.Get("Authorization") != tc.seen.Get("Authorization") || seen.Get(serverless) != tc.seen.Get(serverless) {
			t.Errorf("%s: got %d and passed on %v, want %d and %v", what, w.Code, seen, tc.want, tc.seen)
		}
	}
}
