package web

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/store"
)

// fakeNotified remembers what it was told.
type fakeNotified struct {
	err error
	got []Notification
}

func (f *fakeNotified) Notify(_ context.Context, n Notification) error {
	f.got = append(f.got, n)
	return f.err
}

func TestThe_function_that_Google_calls_answers_as_Google_relies_on(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		method, path, body string
		err                error
		status, told       int
	}{
		"a notification":            {status: 204, told: 1},
		"without the deployed name": {path: "/", status: 204, told: 1},
		"of no channel":             {err: fmt.Errorf("receive: %w", store.ErrNotFound), status: 404, told: 1},
		// Google repeats what is answered so.
		"while the store is away": {err: fault.New(fault.Retry, "store", "unreachable", errors.New("away")), status: 503, told: 1},
		"a GET":                   {method: "GET", status: 405},
		"another path":            {path: "/calendar-push/x", status: 404},
		"with a body":             {body: strings.Repeat("x", 1<<17), status: 204, told: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// The function has neither users nor sessions.
			site := New(Options{PublicURL: "https://tandem.example.com"})
			if tc.method == "" {
				tc.method = "POST"
			}
			if tc.path == "" {
				tc.path = "/calendar-push"
			}
			r := httptest.NewRequest(tc.method, tc.path, strings.NewReader(tc.body))
			for name, v := range map[string]string{
				"X-Goog-Channel-ID": "channel", "X-Goog-Channel-Token": "token", "X-Goog-Resource-ID": "resource", "X-Goog-Resource-State": "exists",
			} {
				r.Header.Set(name, v)
			}
			w, to := httptest.NewRecorder(), &fakeNotified{err: tc.err}
			site.Push("calendar-push", to).ServeHTTP(w, r)
			want := []Notification{{Channel: "channel", Token: "token", Resource: "resource", State: "exists"}}[:tc.told]
			if !slices.Equal(to.got, want) || w.Code != tc.status {
				t.Errorf("answered %d %s; told %+v", w.Code, w.Body, to.got)
			}
			if strings.Contains(w.Body.String(), "token") || w.Code == 204 && w.Body.Len() > 0 {
				t.Errorf("the answer says %s", w.Body)
			}
		})
	}
}
