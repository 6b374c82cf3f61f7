package web

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/store"
)

func with(secret string) option { return header("Authorization", "Bearer "+secret) }

func TestAnAccessTokenDoesWhatItsScopeSays(t *testing.T) {
	t.Parallel()
	const reading, changing = "tandem_secret-1", "tandem_secret-2"
	for _, tc := range []struct {
		secret, method, path, body string
		want                       int
		code                       string
	}{
		{reading, "GET", "account", "", 200, ""},
		{reading, "HEAD", "account", "", 200, ""},
		{reading, "GET", "runs/run-2/changes", "", 200, ""},
		{reading, "PUT", "contacts", goodJSON, 403, "read-only-token"},
		{reading, "POST", "contacts/preview", "", 403, "read-only-token"},
		{reading, "DELETE", "google", "", 403, "read-only-token"},
		{changing, "GET", "account", "", 200, ""},
		{changing, "PUT", "contacts", goodJSON, 200, ""},
		{changing, "POST", "contacts/sync", "", 202, ""},
		{changing, "GET", "export", "", 403, "sign-in-again"},
		{changing, "DELETE", "account", "", 403, "sign-in-again"},
		{changing, "GET", "tokens", "", 403, "session-needed"},
		{changing, "POST", "tokens", goodToken, 403, "session-needed"},
		{changing, "DELETE", "tokens/t1", "", 403, "session-needed"},
		{"tandem_secret-9", "GET", "account", "", 401, "bad-token"},
		{"", "GET", "account", "", 401, "bad-token"},
	} {
		c := newClient(t)
		got := c.do(tc.method, "/settings/api/v1/"+tc.path, tc.body, with(tc.secret))
		if got.StatusCode != tc.want {
			t.Errorf("%s %s with %q: %d, want %d", tc.method, tc.path, tc.secret, got.StatusCode, tc.want)
		}
		if text := body(t, got); tc.code != "" && !strings.Contains(text, `"code":"`+tc.code+`"`) {
			t.Errorf("%s %s with %q: %s, want %s", tc.method, tc.path, tc.secret, text, tc.code)
		}
		if tc.want >= 400 && c.fake.writes() > 0 {
			t.Errorf("%s %s with %q changed something: %v", tc.method, tc.path, tc.secret, c.fake.calls)
		}
		if tc.want == 401 && !strings.HasPrefix(got.Header.Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("a 401 names no way in: %v", got.Header)
		}
	}
}

func TestATokenThatDoesNotCountIsNotHelpedByASession(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	wantStatus(t, account(c, c.signedIn, with("tandem_secret-9")), http.StatusUnauthorized)
	wantStatus(t, account(c, c.signedIn, header("Authorization", "Basic YTpi")), http.StatusOK)
	// A token is for the API: no page takes it.
	wantSeeOther(t, c.do("GET", "/settings/runs", "", with("tandem_secret-2")), "/settings")
	c.fake.errs["Bearer"] = ErrNotAllowed
	wantStatus(t, account(c, with("tandem_secret-2")), http.StatusForbidden)
}

const goodToken = `{"name":"Backup","scope":"read","expiresAt":"2026-04-04T12:00:00Z"}`

func TestATokenIsMadeOnlyAsItMayBe(t *testing.T) {
	t.Parallel()
	for input, want := range map[string]int{
		goodToken: 201,
		strings.Replace(goodToken, "Backup", " ", 1):                                  422,
		strings.Replace(goodToken, "Backup", "a\\nb", 1):                              422,
		strings.Replace(goodToken, "Backup", strings.Repeat("ü", 100), 1):             201,
		strings.Replace(goodToken, "Backup", strings.Repeat("ü", 101), 1):             422,
		strings.Replace(goodToken, "read", "write", 1):                                422,
		strings.Replace(goodToken, "2026-04-04T12:00:00Z", "2026-03-04T12:00:00Z", 1): 422,
		strings.Replace(goodToken, "2026-04-04T12:00:00Z", "2027-03-06T12:00:00Z", 1): 422,
		strings.Replace(goodToken, "2026-04-04T12:00:00Z", "tomorrow", 1):             422,
		strings.Replace(goodToken, `"name"`, `"owner":"eve","name"`, 1):               422,
		`{}`: 422,
		`[]`: 400,
	} {
		c := newClient(t)
		got := c.do("POST", "/settings/api/v1/tokens", input, c.signedIn)
		wantStatus(t, got, want)
		if want == 201 && !strings.Contains(body(t, got), `"secret":"tandem_secret-3"`) {
			t.Errorf("%s: the answer has no secret", input)
		}
		if made := len(c.fake.tokens) > 2; made != (want == 201) {
			t.Errorf("%s: made: %v", input, made)
		}
	}
	// A session that was left open, or stolen, makes no token that outlives it.
	c := newClient(t)
	old := c.with(ticket{"anna", "s3", noon.Add(-11 * time.Minute), noon.Add(-11 * time.Minute)})
	wantStatus(t, c.do("POST", "/settings/api/v1/tokens", goodToken, old), http.StatusForbidden)
	wantStatus(t, c.do("POST", "/settings/tokens", "name=Backup&scope=read&days=30", old), http.StatusForbidden)
	if n := c.fake.writes(); n != 0 {
		t.Errorf("an old session made a token: %v", c.fake.calls)
	}
}

func TestTheSecretOfATokenIsShownOnce(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	made := c.do("POST", "/settings/tokens", "name=Backup&scope=full&days=30", c.signedIn)
	wantStatus(t, made, http.StatusOK)
	if !strings.Contains(body(t, made), "tandem_secret-3") {
		t.Error("the page does not show the new token")
	}
	if got := c.fake.tokens["tandem_secret-3"]; got.Scope != ScopeFull || !got.ExpiresAt.Equal(noon.Add(30*24*time.Hour)) {
		t.Errorf("made %+v", got)
	}
	for _, path := range []string{"/settings/tokens", "/settings/api/v1/tokens", "/settings"} {
		if text := body(t, c.do("GET", path, "", c.signedIn)); strings.Contains(text, "tandem_secret") {
			t.Errorf("%s shows a secret", path)
		}
	}
	wantStatus(t, c.do("POST", "/settings/tokens", "name=&scope=other&days=9999", c.signedIn), http.StatusUnprocessableEntity)
	for range 2 { // the second press finds nothing more to do
		wantSeeOther(t, c.do("POST", "/settings/tokens/t1/revoke", "", c.signedIn), "/settings/tokens?done=revoked")
	}
	if _, there := c.fake.tokens["tandem_secret-1"]; there {
		t.Error("the token is not revoked")
	}
}

func TestSettingsAreReplacedOnlyWhereTheyAreThoseThatWereRead(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	read := account(c, c.signedIn).Header.Get("ETag")
	put := func(path, body, tag string) *http.Response {
		return c.do("PUT", "/settings/api/v1/"+path, body, c.signedIn, header("If-Match", tag))
	}
	// A run that ends meanwhile changes the state, and stands in nobody's way.
	c.fake.account.Contacts.State.LastSync = noon
	if now := account(c, c.signedIn).Header.Get("ETag"); now == read {
		t.Error("the tag is the same though the account shows something else")
	}
	first := put("contacts", goodJSON, read)
	wantStatus(t, first, http.StatusOK)
	saved := c.fake.saved
	again := put("contacts", strings.Replace(goodJSON, "google", "creatio", 1), read)
	wantStatus(t, again, http.StatusPreconditionFailed)
	if text := body(t, again); !strings.Contains(text, `"code":"etag-mismatch"`) || !strings.Contains(text, "GET /account") {
		t.Errorf("got %s", text)
	}
	if c.fake.saved != saved {
		t.Errorf("saved %+v", c.fake.saved)
	}
	// The other section is as it was, so its part of the same tag still holds.
	wantStatus(t, put("activities", goodActivitiesJSON, `"other", `+read), http.StatusOK)
	wantStatus(t, put("activities", goodActivitiesJSON, read), http.StatusPreconditionFailed)
	now := account(c, c.signedIn).Header.Get("ETag")
	for tag, want := range map[string]int{now: 200, "*": 200, "W/" + now: 412, "": 412, "nonsense": 412, first.Header.Get("ETag"): 200} {
		wantStatus(t, put("contacts", goodJSON, tag), want)
	}
	for _, call := range []string{"google", "creatio", "account"} {
		wantStatus(t, c.do("DELETE", "/settings/api/v1/"+call, "", c.signedIn, header("If-Match", `"a.b.c.d"`)), http.StatusPreconditionFailed)
	}
	if slices.Contains(c.fake.calls, "Erase") || slices.Contains(c.fake.calls, "Unlink google") {
		t.Errorf("something was deleted: %v", c.fake.calls)
	}
	wantStatus(t, c.do("DELETE", "/settings/api/v1/google", "", c.signedIn, header("If-Match", now)), http.StatusNoContent)
	wantStatus(t, account(c, c.signedIn, header("If-None-Match", account(c, c.signedIn).Header.Get("ETag"))), http.StatusNotModified)
	wantStatus(t, account(c, c.signedIn, header("If-None-Match", read)), http.StatusOK)
}

// broken is a body whose sender goes away.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestABodyThatBreaksOffAlarmsNobodyAndDoesNothing(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"contacts/sync", "contacts/preview", "runs/run-1/approve", "runs/run-2/undo", "contacts/pairs"} {
		c := newClient(t)
		gone := func(r *http.Request) { r.Body = io.NopCloser(broken{}) }
		if got := c.do("POST", "/settings/api/v1/"+path, "", c.signedIn, gone); got.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d %s", path, got.StatusCode, body(t, got))
		}
		if n := c.fake.writes(); n != 0 {
			t.Errorf("%s changed something: %v", path, c.fake.calls)
		}
	}
}

func TestEveryProblemTellsAScriptWhatAScriptCanDo(t *testing.T) {
	t.Parallel()
	refused := regexp.MustCompile(`refuse(?:d|As)?\([a-zA-Z.]+, "([a-z-]+)"`)
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	codes := map[string]bool{}
	for _, name := range sources {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(name, "_test.go") {
			for _, m := range refused.FindAllStringSubmatch(string(text), -1) {
				codes[m[1]] = true
			}
		}
	}
	// These speak to programs, or are of pages alone.
	for _, code := range []string{"bad-request", "unauthenticated", "not-invoker", "bad-state", "no-passwords", "too-many-requests", "busy"} {
		delete(codes, code)
	}
	for code := range codes {
		if scriptActions[code] == "" {
			t.Errorf("%s tells a script what a person can do", code)
		}
	}
	for code := range scriptActions {
		if !codes[code] {
			t.Errorf("nothing is refused as %s", code)
		}
	}
	c := newClient(t)
	c.fake.errs["SyncNow"], c.fake.account.Contacts.TagID, c.fake.account.Creatio.Linked = ErrNotReady, "", false
	var p struct{ Detail string }
	if err := json.Unmarshal([]byte(body(t, c.do("POST", "/settings/api/v1/contacts/sync", "", c.signedIn))), &p); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(p.Detail, `"creatio"."linked" has to be true`) || !strings.Contains(p.Detail, "PUT /contacts") {
		t.Errorf("detail is %q", p.Detail)
	}
	c.fake.errs["Run"] = store.ErrNotFound
	if page := body(t, c.do("GET", "/settings/runs/run-2", "", c.signedIn)); strings.Contains(page, "openapi") {
		t.Error("a page speaks to scripts")
	}
}
