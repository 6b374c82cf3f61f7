package observe_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-sync/tandem/shared/observe"
)

// serve sends one request through the middleware and returns the answer and the lines.
func serve(t *testing.T, r *http.Request, handler http.HandlerFunc) (*httptest.ResponseRecorder, []map[string]any) {
	t.Helper()
	var log bytes.Buffer
	w := httptest.NewRecorder()
	observe.Middleware(observe.NewLogger(&log, observe.Options{Project: "acme"}), handler).ServeHTTP(w, r)
	return w, lines(t, &log)
}

func TestA_request_is_one_line_without_its_query(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodGet, "/oauth-callback?code="+canary, nil)
	r.Header.Set("User-Agent", "test")
	_, got := serve(t, r, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, "no such state")
	})
	if len(got) != 1 {
		t.Fatalf("got %d lines: %v", len(got), got)
	}
	request, _ := got[0]["httpRequest"].(map[string]any)
	latency, _ := request["latency"].(string)
	if !strings.HasSuffix(latency, "s") || got[0]["latency"] == nil {
		t.Errorf("got latency %q and %v", latency, got[0]["latency"])
	}
	delete(request, "latency")
	delete(got[0], "latency")
	want := map[string]any{
		"severity": "INFO", "message": "GET /oauth-callback", "method": "GET", "path": "/oauth-callback", "status": 400.0,
		"httpRequest": map[string]any{
			"requestMethod": "GET", "requestUrl": "/oauth-callback", "status": 400.0, "responseSize": "13", "userAgent": "test",
		},
	}
	if diff := cmp.Diff(want, got[0]); diff != "" {
		t.Errorf("line (-want +got):\n%s", diff)
	}
}

func TestThe_status_of_a_response_decides_the_level_of_its_line(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		handler  http.HandlerFunc
		severity string
		status   float64
	}{
		"nothing written":  {func(http.ResponseWriter, *http.Request) {}, "INFO", 200},
		"only a body":      {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x") }, "INFO", 200},
		"hints before":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(103); w.WriteHeader(404) }, "INFO", 404},
		"the first status": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(303); w.WriteHeader(500) }, "INFO", 303},
		"a failure":        {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, "WARNING", 503},
	} {
		_, got := serve(t, httptest.NewRequest(http.MethodPost, "/sync-contacts", nil), tc.handler)
		if len(got) != 1 || got[0]["severity"] != tc.severity || got[0]["status"] != tc.status {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestA_panic_becomes_a_response_and_a_critical_line(t *testing.T) {
	t.Parallel()
	for accept, contentType := range map[string]string{
		"text/html,*/*": "text/plain; charset=utf-8", "application/json": "application/problem+json", "": "application/problem+json",
	} {
		r := httptest.NewRequest(http.MethodGet, "/settings", nil)
		r.Header.Set("Accept", accept)
		w, got := serve(t, r, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Set-Cookie", "session=x")
			panic(errors.New("nil pointer, client_secret=" + canary))
		})
		if w.Code != http.StatusInternalServerError || w.Header().Get("Content-Type") != contentType || w.Header().Get("Set-Cookie") != "" {
			t.Errorf("accept %q: got %d with %v", accept, w.Code, w.Header())
		}
		if strings.Contains(w.Body.String(), "nil pointer") || !strings.Contains(w.Body.String(), "Something went wrong") {
			t.Errorf("accept %q: got body %q", accept, w.Body)
		}
		if len(got) != 2 || got[0]["severity"] != "CRITICAL" || got[1]["severity"] != "WARNING" || got[1]["status"] != 500.0 {
			t.Fatalf("accept %q: got lines %v", accept, got)
		}
		stack, _ := got[0]["stack_trace"].(string)
		if !strings.HasPrefix(stack, "panic: nil pointer") || !strings.Contains(stack, "middleware_test.go") || strings.Contains(stack, "hunter2") {
			t.Errorf("accept %q: got stack %s", accept, stack)
		}
	}
}

func TestA_panic_aborts_a_response_that_has_begun(t *testing.T) {
	t.Parallel()
	for name, cause := range map[string]any{"a bug": "boom", "a handler that gives up": http.ErrAbortHandler} {
		var log bytes.Buffer
		handler := observe.Middleware(observe.NewLogger(&log, observe.Options{}), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic(cause)
		}))
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		response, err := server.Client().Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		if err == nil {
			t.Errorf("%s: half an answer was taken for a whole one: %q", name, body)
		}
		if err := response.Body.Close(); err != nil {
			t.Error(err)
		}
		server.Close()
		if critical := strings.Contains(log.String(), "CRITICAL"); critical != (name == "a bug") {
			t.Errorf("%s: got lines %s", name, log.String())
		}
	}
}

func TestAll_lines_of_a_request_belong_to_its_trace(t *testing.T) {
	t.Parallel()
	const id, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	for name, tc := range map[string]struct {
		header, value, id, span string
		sampled                 bool
	}{
		"w3c":                  {"traceparent", "00-" + id + "-" + span + "-01", id, span, true},
		"w3c, not sampled":     {"traceparent", "00-" + id + "-" + span + "-00", id, span, false},
		"w3c, a later version": {"traceparent", "01-" + id + "-" + span + "-03-more", id, span, true},
		"google":               {"X-Cloud-Trace-Context", strings.ToUpper(id) + "/67667974448284343;o=1", id, span, true},
		"google, no span":      {"X-Cloud-Trace-Context", id, id, "", false},
		"no trace":             {"X-Other", "", "", "", false},
		"a forbidden version":  {"traceparent", "ff-" + id + "-" + span + "-01", "", "", false},
		"an id of zeros":       {"traceparent", "00-" + strings.Repeat("0", 32) + "-" + span + "-01", "", "", false},
		"too long":             {"traceparent", "00-" + id + "-" + span + "-01-more", "", "", false},
		"an injection":         {"X-Cloud-Trace-Context", id + `/1;o=1","severity":"ALERT`, "", "", false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/settings", nil)
		r.Header.Set(tc.header, tc.value)
		_, got := serve(t, r, func(w http.ResponseWriter, _ *http.Request) {})
		want := map[string]any{}
		if tc.id != "" {
			want["logging.googleapis.com/trace"] = "projects/acme/traces/" + tc.id
			want["logging.googleapis.com/trace_sampled"] = tc.sampled
		}
		if tc.span != "" {
			want["logging.googleapis.com/spanId"] = tc.span
		}
		found := map[string]any{}
		for key, value := range got[0] {
			if strings.HasPrefix(key, "logging.") {
				found[key] = value
			}
		}
		if diff := cmp.Diff(want, found); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
