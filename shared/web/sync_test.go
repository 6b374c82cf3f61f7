package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
)

// fakeRunner remembers whom it ran.
type fakeRunner struct {
	caller     error
	dispatched error
	window     Window
	ran        []string
	dispatches int
	after      string
	due        time.Time
}

func (f *fakeRunner) Authorize(*http.Request, string) error { return f.caller }

func (f *fakeRunner) Dispatch(_ context.Context, _ record.Type, after string) (Dispatched, error) {
	f.dispatches++
	f.after = after
	return Dispatched{Due: 3, Queued: 2, Continued: after == "page-1"}, f.dispatched
}

func (f *fakeRunner) Window(_ context.Context, _ record.Type, user string, due time.Time, promised, trigger string) (Window, error) {
	f.ran, f.due = append(f.ran, strings.Join([]string{user, promised, trigger}, " ")), due
	if f.window.Retry {
		return f.window, errors.New("unreachable")
	}
	return f.window, nil
}

func TestA_sync_function_answers_as_its_callers_rely_on(t *testing.T) {
	t.Parallel()
	done := Window{Run: "r1", Status: "done"}
	for name, tc := range map[string]struct {
		method, path, body string
		runner             fakeRunner
		status             int
		want, after, place string
		ran, dispatches    int
	}{
		"nothing dispatches":          {body: "", status: 200, want: `{"due":3,"queued":2}`, dispatches: 1},
		"an empty object dispatches":  {body: " {} ", status: 200, want: `{"due":3,"queued":2}`, dispatches: 1},
		"without the deployed name":   {path: "/", body: "{}", status: 200, want: `{"due":3,"queued":2}`, dispatches: 1},
		"a user's window":             {body: `{"user":"u1"}`, runner: fakeRunner{window: done}, status: 200, want: `{"user":"u1","run":"r1","status":"done"}`, ran: 1},
		"a due user's window":         {body: `{"user":"u1","due":"2026-03-04T10:00:00.5Z"}`, runner: fakeRunner{window: done}, status: 200, want: `{"user":"u1","run":"r1","status":"done"}`, ran: 1},
		"a skipped window":            {body: `{"user":"u1"}`, runner: fakeRunner{window: Window{Run: "r1", Status: "skipped", Reason: "lease"}}, status: 200, want: `{"user":"u1","run":"r1","status":"skipped","reason":"lease"}`, ran: 1},
		"a window to repeat":          {body: `{"user":"u1"}`, runner: fakeRunner{window: Window{Run: "r1", Status: "retry", Retry: true, After: 61500 * time.Millisecond}}, status: 503, want: `{"user":"u1","run":"r1","status":"retry"}`, after: "62", ran: 1},
		"a further page":              {body: `{"after":"page-2"}`, status: 200, want: `{"due":3,"queued":2}`, dispatches: 1, place: "page-2"},
		"a page and more to come":     {body: `{"after":"page-1"}`, status: 200, want: `{"due":3,"queued":2,"continued":true}`, dispatches: 1, place: "page-1"},
		"no place":                    {body: `{"after":"x"}`, runner: fakeRunner{dispatched: fmt.Errorf("dispatch: %w", ErrNoPlace)}, status: 400, dispatches: 1, place: "x"},
		"an empty place":              {body: `{"after":""}`, status: 400},
		"a place and a user":          {body: `{"after":"page-2","user":"u1"}`, status: 400},
		"a time without a user":       {body: `{"due":"2026-03-04T10:00:00Z"}`, status: 400},
		"a user who is due some time": {body: `{"user":"u1","due":"soon"}`, status: 400},
		"another form":                {body: `{"user":"u1","force":true}`, status: 400},
		"a number":                    {body: `{"user":1}`, status: 400},
		"an empty user":               {body: `{"user":""}`, status: 400},
		"no user":                     {body: `{"user":null}`, status: 400},
		"something after it":          {body: `{"user":"u1"}{}`, status: 400},
		"no JSON":                     {body: `user=u1`, status: 400},
		"a list":                      {body: `[]`, status: 400},
		"too much":                    {body: strings.Repeat(" ", 1<<17), status: 413},
		"a GET":                       {method: "GET", status: 405},
		"another path":                {path: "/sync-contacts/x", body: "{}", status: 404},
		"no token":                    {body: "{}", runner: fakeRunner{caller: ErrNoCaller}, status: 401},
		"somebody else's token":       {body: "{}", runner: fakeRunner{caller: ErrWrongCaller}, status: 403},
		"a store that cannot be read": {body: "{}", runner: fakeRunner{dispatched: fault.New(fault.Retry, "", "store", nil)}, status: 503, dispatches: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := New(Options{Service: &fakeService{}, Sealer: plainSealer{}, PublicURL: "https://tandem.example.com"})
			method, path := tc.method, tc.path
			if method == "" {
				method = "POST"
			}
			if path == "" {
				path = "/sync-contacts"
			}
			w := httptest.NewRecorder()
			r := httptest.NewRequest(method, path, strings.NewReader(tc.body))
			r.Header.Set("Tandem-Run", "r7")
			r.Header.Set("Tandem-Trigger", "push")
			site.Sync(record.Contacts, &tc.runner).ServeHTTP(w, r)
			if tc.ran == 1 && (len(tc.runner.ran) != 1 || tc.runner.ran[0] != "u1 r7 push") {
				t.Errorf("ran %q", tc.runner.ran)
			}
			if w.Code != tc.status {
				t.Fatalf("got %d %s", w.Code, w.Body)
			}
			if tc.want != "" && strings.TrimSpace(w.Body.String()) != tc.want {
				t.Errorf("got %s, want %s", w.Body, tc.want)
			}
			if tc.after != "" && w.Header().Get("Retry-After") != tc.after {
				t.Errorf("got Retry-After %q, want %q", w.Header().Get("Retry-After"), tc.after)
			}
			var problem struct{ Code string }
			if tc.want == "" && (json.Unmarshal(w.Body.Bytes(), &problem) != nil || problem.Code == "") {
				t.Errorf("no problem document: %s", w.Body)
			}
			if tc.runner.after != tc.place {
				t.Errorf("dispatched after %q, want %q", tc.runner.after, tc.place)
			}
			if len(tc.runner.ran) != tc.ran || tc.runner.dispatches != tc.dispatches {
				t.Errorf("ran %v and dispatched %d times", tc.runner.ran, tc.runner.dispatches)
			}
		})
	}
}
