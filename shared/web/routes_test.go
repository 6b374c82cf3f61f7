package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/store"
)

const (
	goodJSON = `{"automatic":true,"intervalMinutes":5,"tagId":"","direction":"to-google","conflicts":"google"}`
	goodForm = "automatic=on&intervalMinutes=5&tagId=&direction=to-google&conflicts=google"
)

// Every route, as nobody, as anna, and as anna from a page of another site.
var everyRoute = []struct {
	method, path, body        string
	nobody, anna, otherOrigin int
}{
	{"GET", "", "", 200, 200, 200},
	{"GET", "/", "", 200, 200, 200},
	{"HEAD", "", "", 200, 200, 200},
	{"GET", "/sign-in", "", 303, 303, 303},
	{"POST", "/sign-out", "", 303, 303, 403},
	{"GET", "/link/creatio", "", 303, 303, 303},
	{"POST", "/link/creatio", "username=anna.example&password=right", 303, 409, 403},
	{"POST", "/unlink/google", "", 303, 303, 403},
	{"POST", "/unlink/creatio", "", 303, 303, 403},
	{"POST", "/unlink/other", "", 303, 404, 403},
	{"POST", "/contacts", goodForm, 303, 303, 403},
	{"POST", "/contacts/sync", "", 303, 303, 403},
	{"POST", "/activities", goodActivitiesForm, 303, 303, 403},
	{"POST", "/activities/sync", "", 303, 303, 403},
	{"GET", "/runs", "", 303, 200, 200},
	{"GET", "/runs/run-2", "", 303, 200, 200},
	{"GET", "/runs/of-somebody-else", "", 303, 404, 404},
	{"POST", "/runs/run-1/approve", "", 303, 303, 403},
	{"POST", "/runs/run-1/reject", "", 303, 303, 403},
	{"POST", "/runs/run-2/approve", "", 303, 409, 403},
	{"POST", "/runs/run-0/approve", "", 303, 409, 403},
	{"POST", "/runs/run-2/undo", "", 303, 303, 403},
	{"POST", "/runs/run-3/undo", "", 303, 409, 403},
	{"POST", "/runs/of-somebody-else/undo", "", 303, 404, 403},
	{"GET", "/runs/run-2/undo", "", 303, 200, 200},
	{"GET", "/runs/run-3/undo", "", 303, 303, 303},
	{"GET", "/runs/run-1/approve", "", 303, 200, 200},
	{"GET", "/runs/run-2/approve", "", 303, 303, 303},
	{"GET", "/runs/run-1/reject", "", 303, 200, 200},
	{"GET", "/runs/of-somebody-else/undo", "", 303, 404, 404},
	{"POST", "/runs/run-2/run", "", 303, 303, 403},
	{"POST", "/runs/of-somebody-else/run", "", 303, 404, 403},
	{"POST", "/admin/users/anna/pause", "", 303, 404, 403},
	{"POST", "/api/v1/admin/users/anna/pause", "", 401, 404, 403},
	{"POST", "/admin/users/anna/erase", "", 303, 404, 403},
	{"GET", "/link/google", "", 303, 303, 303},
	{"GET", "/export", "", 303, 200, 200},
	{"GET", "/erase", "", 303, 200, 200},
	{"POST", "/erase", "", 303, 303, 403},
	{"DELETE", "/runs/run-2/undo", "", 405, 405, 403},
	{"GET", "/admin", "", 303, 404, 404},
	{"POST", "/admin/contacts/pause", "", 303, 404, 403},
	{"POST", "/admin/contacts/explode", "", 303, 404, 403},
	{"GET", "/privacy", "", 200, 200, 200},
	{"GET", "/tokens", "", 303, 200, 200},
	{"POST", "/tokens", "name=Backup&scope=read&days=30", 303, 200, 403},
	{"POST", "/tokens/t1/revoke", "", 303, 303, 403},
	{"GET", "/api/v1/tokens", "", 401, 200, 200},
	{"POST", "/api/v1/tokens", goodToken, 401, 201, 403},
	{"DELETE", "/api/v1/tokens/t1", "", 401, 204, 403},
	{"DELETE", "/api/v1/tokens/of-somebody-else", "", 401, 404, 403},
	{"GET", "/api/v1/openapi.json", "", 200, 200, 200},
	{"GET", "/healthz", "", 200, 200, 200},
	{"GET", "/static/site.css", "", 200, 200, 200},
	{"GET", "/static/layout.html", "", 404, 404, 404},
	{"GET", "/api/v1/account", "", 401, 200, 200},
	{"GET", "/api/v1/tags", "", 401, 200, 200},
	{"PUT", "/api/v1/contacts", goodJSON, 401, 200, 403},
	{"POST", "/api/v1/contacts/sync", "", 401, 202, 403},
	{"PUT", "/api/v1/activities", goodActivitiesJSON, 401, 200, 403},
	{"POST", "/api/v1/activities/sync", "", 401, 202, 403},
	{"POST", "/api/v1/activities/preview", "", 401, 200, 403},
	{"GET", "/api/v1/runs", "", 401, 200, 200},
	{"POST", "/api/v1/contacts/preview", "", 401, 200, 403},
	{"GET", "/api/v1/contacts/pairs", "", 401, 200, 200},
	{"POST", "/api/v1/contacts/pairs", goodPair, 401, 204, 403},
	{"POST", "/api/v1/contacts/pairs", "{}", 401, 422, 403},
	{"POST", "/contacts/pairs", "creatioId=c1&googleId=people%2F1&same=true", 303, 303, 403},
	{"GET", "/api/v1/activities/pairs", "", 401, 200, 200},
	{"POST", "/api/v1/activities/pairs", goodPair, 401, 204, 403},
	{"POST", "/activities/pairs", "creatioId=a1&googleId=e1&same=false", 303, 303, 403},
	{"POST", "/contacts/preview", "", 303, 303, 403},
	{"POST", "/activities/preview", "", 303, 303, 403},
	{"GET", "/api/v1/export", "", 401, 200, 200},
	{"DELETE", "/api/v1/google", "", 401, 204, 403},
	{"DELETE", "/api/v1/creatio", "", 401, 204, 403},
	{"DELETE", "/api/v1/account", "", 401, 204, 403},
	{"GET", "/api/v1/runs/run-2", "", 401, 200, 200},
	{"GET", "/api/v1/runs/run-2/changes", "", 401, 200, 200},
	{"GET", "/api/v1/runs/of-somebody-else/changes", "", 401, 404, 404},
	{"POST", "/api/v1/runs/run-1/approve", "", 401, 202, 403},
	{"POST", "/api/v1/runs/run-1/reject", "", 401, 202, 403},
	{"POST", "/api/v1/runs/run-2/reject", "", 401, 409, 403},
	{"POST", "/api/v1/runs/run-0/reject", "", 401, 409, 403},
	{"POST", "/api/v1/runs/run-2/undo", "", 401, 202, 403},
	{"POST", "/api/v1/runs/run-3/undo", "", 401, 409, 403},
	{"POST", "/api/v1/runs/of-somebody-else/undo", "", 401, 404, 403},
	{"GET", "/api/v1/runs/of-somebody-else", "", 401, 404, 404},
	{"GET", "/api/v1/admin", "", 401, 404, 404},
	{"POST", "/api/v1/admin/contacts/pause", "", 401, 404, 403},

	{"GET", "/nowhere", "", 404, 404, 404},
	{"GET", "/runs/", "", 404, 404, 404},
	{"GET", "//runs", "", 404, 404, 404},
	{"POST", "/runs", "", 405, 405, 403},
	{"DELETE", "/api/v1/contacts", "", 405, 405, 403},
	{"GET", "/api/v1/contacts", "", 405, 405, 405},
	{"GET", "/api/v1/nowhere", "", 404, 404, 404},
	{"GET", "/api", "", 404, 404, 404},
}

func TestEveryRouteLetsInWhomItShould(t *testing.T) {
	t.Parallel()
	foreign := []option{header("Sec-Fetch-Site", "cross-site"), header("Origin", "https://evil.example.com")}
	for _, rt := range everyRoute {
		t.Run(rt.method+" "+rt.path, func(t *testing.T) {
			t.Parallel()
			for _, prefix := range []string{"/settings", ""} {
				if prefix+rt.path == "" || prefix == "" && strings.HasPrefix(rt.path, "//") {
					continue
				}
				c := newClient(t)
				wantStatus(t, c.do(rt.method, prefix+rt.path, rt.body), rt.nobody)
				if n := c.fake.writes(); n != 0 {
					t.Errorf("nobody changed something: %v", c.fake.calls)
				}
				c = newClient(t)
				wantStatus(t, c.do(rt.method, prefix+rt.path, rt.body, c.signedIn), rt.anna)
				c = newClient(t)
				wantStatus(t, c.do(rt.method, prefix+rt.path, rt.body, append(foreign, c.signedIn)...), rt.otherOrigin)
				if n := c.fake.writes(); n != 0 {
					t.Errorf("another site changed something: %v", c.fake.calls)
				}
			}
		})
	}
}

func TestEveryRouteOfTheTableIsTried(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for _, rt := range c.routes {
		if !slices.ContainsFunc(everyRoute, func(e struct {
			method, path, body        string
			nobody, anna, otherOrigin int
		},
		) bool {
			r, _ := http.NewRequest(e.method, "/", nil)
			return e.method == rt.method && rt.matches(r, c.trim(e.path, "settings"))
		}) {
			t.Errorf("%s %s is not among the tried routes", rt.method, rt.path)
		}
	}
}

func TestAnswersOfTheAPIAreProblemDocumentsWhenTheyAreErrors(t *testing.T) {
	t.Parallel()
	for _, rt := range everyRoute {
		for _, signedIn := range []bool{false, true} {
			c := newClient(t)
			var opts []option
			if signedIn {
				opts = append(opts, c.signedIn)
			}
			r := c.do(rt.method, "/settings"+rt.path, rt.body, opts...)
			want := "text/html; charset=utf-8"
			if strings.HasPrefix(rt.path, "/api") {
				want = "application/problem+json"
			}
			if got := r.Header.Get("Content-Type"); r.StatusCode >= 400 && got != want {
				t.Errorf("%s %s: Content-Type %q, want %q", rt.method, rt.path, got, want)
			}
		}
	}
}

func TestAWrongMethodNamesTheRightOnes(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for target, want := range map[string]string{
		"/settings/api/v1/contacts": "PUT", "/settings/link/creatio": "GET, POST", "/oauth-callback": "GET",
	} {
		r := c.do(http.MethodPatch, target, "")
		wantStatus(t, r, http.StatusMethodNotAllowed)
		if got := r.Header.Get("Allow"); got != want {
			t.Errorf("%s: Allow = %q, want %q", target, got, want)
		}
	}
}

func TestPathOfThePublicAddressStaysInEveryLink(t *testing.T) {
	t.Parallel()
	c := newClient(t, func(o *Options) { o.PublicURL = public + "/team/" })
	wantSeeOther(t, c.do("GET", "/settings/runs", ""), "/team/settings")
	wantSeeOther(t, c.do("GET", "/team/settings/runs", ""), "/team/settings")
	wantSeeOther(t, c.do("GET", "/runs", ""), "/team/settings")
	page := body(t, c.do("GET", "/", "", c.signedIn))
	for _, part := range strings.Split(page, `="/`)[1:] {
		if !strings.HasPrefix(part, "team/settings") {
			t.Errorf("a link leads elsewhere: /%.40s", part)
		}
	}
}

func TestFaultsOfTheServiceBecomeAnswers(t *testing.T) {
	t.Parallel()
	leak := errors.New("token=hunter2")
	for _, tc := range []struct {
		err    error
		status int
		code   string
	}{
		{fault.New(fault.Retry, "creatio", "unreachable", leak), 503, "unreachable"},
		{fault.New(fault.Misconfigured, "google", "bad-client", leak), 500, "bad-client"},
		{fault.New(fault.Reconnect, "creatio", "unauthorized", leak), 409, "unauthorized"},
		{fault.New(fault.BadRecord, "creatio", "refused", leak), 502, "refused"},
		{leak, 500, "bug"},
		{store.ErrNotFound, 404, "not-found"},
	} {
		for _, target := range []string{"/settings/api/v1/account", "/settings/runs"} {
			c := newClient(t)
			c.fake.errs["Account"] = tc.err
			r := c.do("GET", target, "", c.signedIn)
			text := body(t, r)
			if r.StatusCode != tc.status {
				t.Errorf("%v: %s answers %d, want %d", tc.err, target, r.StatusCode, tc.status)
			}
			if strings.Contains(text, "hunter2") {
				t.Errorf("%v: the answer holds the error's text", tc.err)
			}
			if strings.Contains(target, "/api/") && !strings.Contains(text, `"code":"`+tc.code+`"`) {
				t.Errorf("%v: no code %q in %s", tc.err, tc.code, text)
			}
			if (r.Header.Get("Retry-After") != "") != (tc.status == 503) {
				t.Errorf("%v: Retry-After = %q", tc.err, r.Header.Get("Retry-After"))
			}
		}
	}
}

func TestAPanicIsAnAnswer(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.service = nil // every call of it panics
	r := c.do("GET", "/settings/api/v1/account", "", c.signedIn)
	wantStatus(t, r, http.StatusInternalServerError)
	if diff := cmp.Diff("application/problem+json", r.Header.Get("Content-Type")); diff != "" {
		t.Error(diff)
	}
	wantStatus(t, c.do("GET", "/settings/runs", "", c.signedIn), http.StatusInternalServerError)
}
