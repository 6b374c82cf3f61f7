package httpx_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/httpx"
)

// script is an in-memory service that plays one step per attempt and repeats the last one.
type script struct {
	steps  []func(*http.Request) (*http.Response, error)
	bodies []string
	times  []time.Time
}

func (s *script) RoundTrip(req *http.Request) (*http.Response, error) {
	body := ""
	if req.Body != nil {
		b, _ := io.ReadAll(req.Body)
		_ = req.Body.Close()
		body = string(b)
	}
	s.bodies = append(s.bodies, body)
	s.times = append(s.times, time.Now())
	return s.steps[min(len(s.bodies), len(s.steps))-1](req)
}

func (s *script) calls() int { return len(s.bodies) }

func reply(status int, header ...string) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) {
		h := http.Header{}
		for i := 0; i+1 < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader("ok")), Request: req}, nil
	}
}

func fails(err error) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

func silence(req *http.Request) (*http.Response, error) {
	<-req.Context().Done()
	return nil, req.Context().Err()
}

var (
	refusedDial = &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	reset       = &net.OpError{Op: "read", Net: "tcp", Err: errors.New("connection reset by peer")}
)

func send(ctx context.Context, t *testing.T, o httpx.Options, method string) (*http.Response, error) {
	t.Helper()
	o.Side = "creatio"
	var body io.Reader
	if method == http.MethodPost || method == http.MethodPatch || method == http.MethodPut {
		body = strings.NewReader("content")
	}
	req, err := http.NewRequestWithContext(ctx, method, "https://crm.example.com/0/odata/Contact?$filter=secret", body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := httpx.NewClient(o).Do(req)
	if resp != nil {
		t.Cleanup(func() { _ = resp.Body.Close() })
	}
	return resp, err
}

func TestOnly_safe_retries_are_made(t *testing.T) {
	t.Parallel()
	type want struct {
		calls     int
		status    int // 0: an error
		code      string
		ambiguous bool
	}
	type steps = []func(*http.Request) (*http.Response, error)
	lostThenGood := steps{fails(reset), reply(200)}
	lost := steps{fails(reset)}
	for name, tc := range map[string]struct {
		method string
		mark   bool
		steps  steps
		want   want
	}{
		"a read is repeated after a lost connection":  {"GET", false, lostThenGood, want{2, 200, "", false}},
		"a read lost for good is not ambiguous":       {"GET", false, lost, want{4, 0, "connection-lost", false}},
		"a put is repeated":                           {"PUT", false, lostThenGood, want{2, 200, "", false}},
		"a delete lost for good is ambiguous":         {"DELETE", false, lost, want{4, 0, "connection-lost", true}},
		"a post is not repeated and is ambiguous":     {"POST", false, lostThenGood, want{1, 0, "connection-lost", true}},
		"a patch is not repeated and is ambiguous":    {"PATCH", false, lostThenGood, want{1, 0, "connection-lost", true}},
		"a marked post is repeated":                   {"POST", true, lostThenGood, want{2, 200, "", false}},
		"a post that was never sent is repeated":      {"POST", false, steps{fails(refusedDial), reply(201)}, want{2, 201, "", false}},
		"a post that never could be sent is certain":  {"POST", false, steps{fails(refusedDial)}, want{4, 0, "unreachable", false}},
		"doubt stays after a later dial error":        {"PUT", false, steps{fails(reset), fails(refusedDial)}, want{4, 0, "unreachable", true}},
		"doubt stays after a gateway's error":         {"PUT", false, steps{reply(502), fails(refusedDial)}, want{4, 0, "unreachable", true}},
		"a post after 429 is repeated":                {"POST", false, steps{reply(429), reply(201)}, want{2, 201, "", false}},
		"a post after 503 with a time is repeated":    {"POST", false, steps{reply(503, "Retry-After", "1"), reply(201)}, want{2, 201, "", false}},
		"a post after a bare 503 is handed on":        {"POST", false, steps{reply(503)}, want{1, 503, "", false}},
		"a post after 500 is handed on":               {"POST", false, steps{reply(500)}, want{1, 500, "", false}},
		"a read after 500 is repeated":                {"GET", false, steps{reply(500), reply(200)}, want{2, 200, "", false}},
		"the last of many 502 is handed on":           {"GET", false, steps{reply(502)}, want{4, 502, "", false}},
		"a 400 is an answer":                          {"GET", false, steps{reply(400)}, want{1, 400, "", false}},
		"a 404 with a Retry-After is still an answer": {"GET", false, steps{reply(404, "Retry-After", "1")}, want{1, 404, "", false}},
		"silence is a time-out":                       {"GET", false, steps{silence}, want{4, 0, "timeout", false}},
		"silence after a post is ambiguous":           {"POST", false, steps{silence}, want{1, 0, "timeout", true}},
		"a kind decided below stays": {
			"GET", false,
			steps{fails(fault.New(fault.Reconnect, "creatio", "invalid-grant", nil))},
			want{1, 0, "invalid-grant", false},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if tc.mark {
					ctx = httpx.Idempotent(ctx)
				}
				s := &script{steps: tc.steps}
				resp, err := send(ctx, t, httpx.Options{Base: s}, tc.method)
				if s.calls() != tc.want.calls {
					t.Errorf("got %d calls, want %d", s.calls(), tc.want.calls)
				}
				if tc.want.status != 0 {
					if err != nil || resp.StatusCode != tc.want.status {
						t.Fatalf("got %v, %v, want status %d", resp, err, tc.want.status)
					}
					return
				}
				f, ok := errors.AsType[*fault.Error](err)
				if !ok || f.Code != tc.want.code || f.Ambiguous != tc.want.ambiguous || f.Side != "creatio" {
					t.Errorf("got %#v, want code %s, ambiguous %v", f, tc.want.code, tc.want.ambiguous)
				}
			})
		})
	}
}

func TestEvery_retry_sends_the_whole_body(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for name, size := range map[string]int{"kept": 1 << 10, "too large to keep": 11 << 20} {
			s := &script{steps: []func(*http.Request) (*http.Response, error){reply(429), reply(200)}}
			content := strings.Repeat("x", size)
			// A reader that is no bytes.Reader has no GetBody.
			req, _ := http.NewRequestWithContext(t.Context(), http.MethodPut, "https://crm.example.com/", io.NopCloser(strings.NewReader(content)))
			resp, err := httpx.NewTransport(httpx.Options{Base: s}).RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			wantCalls := 2
			if size > 10<<20 {
				wantCalls = 1
			}
			if s.calls() != wantCalls {
				t.Errorf("%s: got %d calls, want %d", name, s.calls(), wantCalls)
			}
			for i, b := range s.bodies {
				if b != content {
					t.Errorf("%s: attempt %d sent %d bytes, want %d", name, i+1, len(b), size)
				}
			}
		}
	})
}

func TestA_retry_waits_as_long_as_the_service_asks_or_the_backoff(t *testing.T) {
	t.Parallel()
	date := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		step     func(*http.Request) (*http.Response, error)
		rand     float64
		want     []time.Duration
		attempts int
	}{
		"seconds":                          {reply(503, "Retry-After", "7"), 0.5, []time.Duration{7 * time.Second, 7 * time.Second, 7 * time.Second}, 4},
		"a date, by the reply's own clock": {reply(429, "Retry-After", date.Add(9*time.Second).Format(http.TimeFormat), "Date", date.Format(http.TimeFormat)), 0.5, []time.Duration{9 * time.Second}, 2},
		"no time: growing with full jitter": {
			reply(429), 0.5,
			[]time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second},
			4,
		},
		"growth ends at the longest wait": {
			reply(429), 1 - 1e-12,
			[]time.Duration{500e6, 1e9, 2e9, 4e9, 8e9, 16e9, 20e9, 20e9},
			9,
		},
		"silence counts for one attempt's time": {silence, 0, []time.Duration{30 * time.Second}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &script{steps: []func(*http.Request) (*http.Response, error){tc.step}}
				_, _ = send(t.Context(), t, httpx.Options{Base: s, Attempts: tc.attempts, Rand: func() float64 { return tc.rand }}, "GET")
				if s.calls() != len(tc.want)+1 {
					t.Fatalf("got %d calls, want %d", s.calls(), len(tc.want)+1)
				}
				for i, want := range tc.want {
					if got := s.times[i+1].Sub(s.times[i]); (got - want).Abs() > time.Millisecond {
						t.Errorf("wait %d: got %v, want %v", i+1, got, want)
					}
				}
			})
		})
	}
}

func TestA_delay_that_is_too_long_fails_at_once(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		deadline time.Duration
		step     func(*http.Request) (*http.Response, error)
		code     string
		after    time.Duration
	}{
		"longer than this process waits": {time.Hour, reply(429, "Retry-After", "3600"), "quota", time.Hour},
		"longer than the deadline":       {5 * time.Second, reply(503, "Retry-After", "10"), "unavailable", 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), tc.deadline)
				defer cancel()
				start := time.Now()
				s := &script{steps: []func(*http.Request) (*http.Response, error){tc.step}}
				_, err := send(ctx, t, httpx.Options{Base: s}, "POST")
				f, ok := errors.AsType[*fault.Error](err)
				if !ok || f.Kind != fault.Retry || f.Code != tc.code || f.After != tc.after || f.Ambiguous {
					t.Errorf("got %#v, want retry %s after %v", f, tc.code, tc.after)
				}
				if time.Since(start) != 0 || s.calls() != 1 {
					t.Errorf("got %d calls in %v, want 1 at once", s.calls(), time.Since(start))
				}
			})
		})
	}
}

func TestThe_context_ends_a_request_and_its_waits(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		step  func(*http.Request) (*http.Response, error)
		took  time.Duration
		calls int
	}{
		"while it is under way":               {silence, 10 * time.Second, 1},
		"before a wait that would outlast it": {reply(429), 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				deadline := max(tc.took, 200*time.Millisecond)
				ctx, cancel := context.WithTimeout(t.Context(), deadline)
				defer cancel()
				start := time.Now()
				s := &script{steps: []func(*http.Request) (*http.Response, error){tc.step}}
				resp, err := send(ctx, t, httpx.Options{Base: s, Rand: func() float64 { return 0.9 }}, "GET")
				if got := time.Since(start); got != tc.took || s.calls() != tc.calls {
					t.Errorf("got %d calls in %v, want %d in %v", s.calls(), got, tc.calls, tc.took)
				}
				if tc.took > 0 && (fault.KindOf(err) != fault.Retry || !errors.Is(err, context.DeadlineExceeded)) {
					t.Errorf("got %v, want a retry that is the deadline's", err)
				}
				if tc.took == 0 && (err != nil || resp.StatusCode != 429) {
					t.Errorf("got %v, %v, want the 429 itself", resp, err)
				}
			})
		})
	}
}

func TestThe_limiter_spaces_attempts_and_refuses_waits_that_are_too_long(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []func(*http.Request) (*http.Response, error){reply(200)}}
		o := httpx.Options{Base: s, Limiter: rate.NewLimiter(rate.Every(8*time.Second), 1)}
		for range 3 {
			if _, err := send(t.Context(), t, o, "GET"); err != nil {
				t.Fatal(err)
			}
		}
		if got := s.times[2].Sub(s.times[0]); got != 16*time.Second {
			t.Errorf("three calls took %v, want 16s", got)
		}
		o.Limiter = rate.NewLimiter(rate.Every(time.Minute), 1)
		_, _ = send(t.Context(), t, o, "GET")
		_, err := send(t.Context(), t, o, "POST")
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != "quota" || f.After != time.Minute || f.Ambiguous {
			t.Errorf("got %#v, want quota after a minute", f)
		}
	})
}

func TestA_request_that_costs_several_waits_for_as_many(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{steps: []func(*http.Request) (*http.Response, error){reply(200)}}
		o := httpx.Options{Base: s, Limiter: rate.NewLimiter(rate.Every(time.Second), 4)}
		for _, cost := range []int{4, 3, 50} {
			if _, err := send(httpx.WithCost(t.Context(), cost), t, o, "GET"); err != nil {
				t.Fatal(err)
			}
		}
		if got := s.times[1].Sub(s.times[0]); got != 3*time.Second {
			t.Errorf("three more were taken after %v, want 3s", got)
		}
		if got := s.times[2].Sub(s.times[1]); got != 4*time.Second {
			t.Errorf("more than fit at once were taken after %v, want 4s: as many as fit", got)
		}
	})
}

func TestA_reply_is_bounded_in_size_and_time(t *testing.T) {
	t.Parallel()
	body := func(r io.Reader) func(*http.Request) (*http.Response, error) {
		return func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(r)}, nil
		}
	}
	for name, tc := range map[string]struct {
		method string
		body   io.Reader
		kind   fault.Kind
		code   string
		read   int
	}{
		"of exactly the limit":       {"GET", strings.NewReader(strings.Repeat("x", 100)), 0, "", 100},
		"larger":                     {"GET", strings.NewReader(strings.Repeat("x", 101)), fault.Bug, "reply-too-large", 100},
		"cut off":                    {"POST", io.MultiReader(strings.NewReader("x"), failing{reset}), fault.Retry, "connection-lost", 1},
		"cut off, of a mere read":    {"GET", io.MultiReader(strings.NewReader("x"), failing{reset}), fault.Retry, "connection-lost", 1},
		"trickling past the attempt": {"GET", &trickle{}, fault.Retry, "timeout", 28},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &script{steps: []func(*http.Request) (*http.Response, error){body(tc.body)}}
				if tr, ok := tc.body.(*trickle); ok {
					s.steps[0] = func(req *http.Request) (*http.Response, error) {
						tr.ctx = req.Context()
						return body(tr)(req)
					}
				}
				resp, err := send(t.Context(), t, httpx.Options{Base: s, MaxBody: 100}, tc.method)
				if err != nil {
					t.Fatal(err)
				}
				var got bytes.Buffer
				_, err = io.Copy(&got, resp.Body)
				if got.Len() != tc.read {
					t.Errorf("read %d bytes, want %d", got.Len(), tc.read)
				}
				if tc.code == "" {
					if err != nil {
						t.Errorf("got %v, want no error", err)
					}
					return
				}
				f, ok := errors.AsType[*fault.Error](err)
				if !ok || f.Kind != tc.kind || f.Code != tc.code || f.Ambiguous != (tc.method == "POST") {
					t.Errorf("got %#v, want %v %s", f, tc.kind, tc.code)
				}
			})
		})
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// trickle returns one byte every 1.1 seconds, the first at once, so that no byte arrives at the end of an attempt.
type trickle struct {
	ctx     context.Context
	started bool
}

func (tr *trickle) Read(p []byte) (int, error) {
	if tr.started {
		select {
		case <-time.After(1100 * time.Millisecond):
		case <-tr.ctx.Done():
			return 0, tr.ctx.Err()
		}
	}
	if tr.ctx.Err() != nil {
		return 0, tr.ctx.Err()
	}
	tr.started = true
	p[0] = 'x'
	return 1, nil
}
