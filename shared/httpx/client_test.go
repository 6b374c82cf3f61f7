package httpx_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/httpx"
)

func TestAttempts_are_counted_per_side_and_observed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var seen []httpx.CallInfo
		s := &script{steps: []func(*http.Request) (*http.Response, error){fails(refusedDial), reply(503), reply(200)}}
		var c httpx.Counter
		ctx := httpx.WithCounter(t.Context(), &c)
		if _, err := send(ctx, t, httpx.Options{Base: s, Observe: func(_ context.Context, i httpx.CallInfo) { seen = append(seen, i) }}, "GET"); err != nil {
			t.Fatal(err)
		}
		if c.Calls() != 2 || c.CallsTo("creatio") != 2 || c.CallsTo("google") != 0 {
			t.Errorf("got %d calls, %d to creatio, want 2: the attempt without a connection was not sent", c.Calls(), c.CallsTo("creatio"))
		}
		if len(seen) != 3 || seen[0].Sent || seen[0].Code != "unreachable" || seen[1].Status != 503 || seen[2].Attempt != 3 {
			t.Errorf("observed %+v", seen)
		}
	})
}

func TestA_final_status_is_not_retried(t *testing.T) {
	t.Parallel()
	s := &script{steps: []func(*http.Request) (*http.Response, error){reply(500)}}
	resp, err := send(httpx.FinalStatus(t.Context(), 500), t, httpx.Options{Base: s}, "DELETE")
	if err != nil || resp.StatusCode != 500 || s.calls() != 1 {
		t.Errorf("got %v, %v after %d calls, want the 500 after one", resp, err, s.calls())
	}
}

func TestNo_query_string_reaches_the_log_or_a_redacted_error(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		s := &script{steps: []func(*http.Request) (*http.Response, error){fails(reset)}}
		_, err := send(t.Context(), t, httpx.Options{Base: s, Logger: logger}, "GET")
		if !strings.Contains(err.Error(), "secret") {
			t.Fatalf("got %q: the test has nothing to redact", err)
		}
		redacted := httpx.Redact(err)
		if strings.Contains(redacted.Error(), "secret") || !strings.Contains(redacted.Error(), "crm.example.com") {
			t.Errorf("got %q, want the address without its query", redacted)
		}
		if fault.KindOf(redacted) != fault.Retry || !errors.As(redacted, new(*url.Error)) {
			t.Errorf("the chain is broken: %v", redacted)
		}
		if log.Len() == 0 || strings.Contains(log.String(), "secret") {
			t.Errorf("logged %q", log.String())
		}
	})
}

func TestRedirects_stay_on_their_host(t *testing.T) {
	t.Parallel()
	var strayed atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strayed.Add(1) }))
	t.Cleanup(other.Close)
	home := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/near":
			http.Redirect(w, r, "/here", http.StatusFound)
		case "/far":
			http.Redirect(w, r, other.URL, http.StatusFound)
		}
	}))
	t.Cleanup(home.Close)
	client := httpx.NewClient(httpx.Options{})
	t.Cleanup(client.CloseIdleConnections)
	for path, want := range map[string]int{"/near": 200, "/far": 302} {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, home.URL+path, nil)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: got %d, want %d", path, resp.StatusCode, want)
		}
	}
	if strayed.Load() != 0 {
		t.Error("a redirect to another host was followed")
	}
}

func TestA_refused_connection_is_certainly_unsent(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	var waits int
	client := httpx.NewClient(httpx.Options{Attempts: 2, Rand: func() float64 { waits++; return 0 }})
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+addr, strings.NewReader("x"))
	_, err = client.Do(req)
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != "unreachable" || f.Ambiguous || waits != 1 {
		t.Errorf("got %#v after %d waits, want unreachable, certain, after one", f, waits)
	}
}

func TestA_failed_handshake_is_certainly_unsent(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for conn, err := l.Accept(); err == nil; conn, err = l.Accept() {
			_ = conn.Close()
		}
	}()
	client := httpx.NewClient(httpx.Options{Attempts: 2, Rand: func() float64 { return 0 }})
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+l.Addr().String(), strings.NewReader("x"))
	_, err = client.Do(req)
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != "unreachable" || f.Ambiguous {
		t.Errorf("got %#v, want unreachable, certain", f)
	}
}

func TestA_connection_closed_without_a_reply_is_ambiguous(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	t.Cleanup(server.Close)
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader("x"))
	_, err := httpx.NewClient(httpx.Options{}).Do(req)
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != fault.Retry || !f.Ambiguous {
		t.Errorf("got %#v, want an ambiguous retry", f)
	}
}

func TestRetryAfter_reads_both_forms(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for value, tc := range map[string]struct {
		want time.Duration
		ok   bool
	}{
		"":                  {0, false},
		"soon":              {0, false},
		"-3":                {0, false},
		"0":                 {0, true},
		"120":               {2 * time.Minute, true},
		"99999999999999999": {time.Hour, true},
		now.Add(30 * 24 * time.Hour).Format(http.TimeFormat): {time.Hour, true},
		now.Add(time.Minute).Format(http.TimeFormat):         {time.Minute, true},
		now.Add(-time.Hour).Format(http.TimeFormat):          {0, true},
	} {
		resp := &http.Response{Header: http.Header{"Retry-After": {value}}}
		if got, ok := httpx.RetryAfter(resp, now); got != tc.want || ok != tc.ok {
			t.Errorf("%q: got %v, %v, want %v, %v", value, got, ok, tc.want, tc.ok)
		}
	}
}
