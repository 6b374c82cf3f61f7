package observe_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/time/rate"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/observe"
	"github.com/tandem-sync/tandem/shared/sandbox/collector"
)

// sender is a Telemetry with a collector and a clock that the test sets.
type sender struct {
	*observe.Telemetry
	collector *collector.Collector
	log       *bytes.Buffer
	clock     atomic.Int64
}

func newSender(t *testing.T, changes ...func(*observe.TelemetryOptions)) *sender {
	t.Helper()
	c, err := collector.Start(true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Stop)
	s := &sender{collector: c, log: &bytes.Buffer{}}
	o := observe.TelemetryOptions{
		Project: "acme", Location: "europe-west1", Endpoint: c.URL(), Service: "sync-contacts", Version: "1", Timeout: 30 * time.Second,
		Logger: observe.NewLogger(s.log, observe.Options{}), Traces: rate.NewLimiter(rate.Inf, 0),
		Now: func() time.Time { return time.Unix(0, s.clock.Load()) },
	}
	for _, change := range changes {
		change(&o)
	}
	if s.Telemetry, err = observe.OpenTelemetry(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(t.Context()) })
	return s
}

func (s *sender) pass(d time.Duration) { s.clock.Add(int64(d)) }

// request sends one request through the function "settings", as the platform does.
func (s *sender) request(t *testing.T, handler http.HandlerFunc, headers ...string) (*httptest.ResponseRecorder, []map[string]any) {
	t.Helper()
	var log bytes.Buffer
	r := httptest.NewRequest(http.MethodPost, "/settings/runs/20260302-090000-000000-abcdefgh?code="+canary, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	logger := observe.NewLogger(&log, observe.Options{Project: "acme"})
	observe.Middleware(logger, s.Handler("settings", handler)).ServeHTTP(w, r)
	return w, lines(t, &log)
}

func answerOK(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }

const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"

func TestA_request_is_sent_before_it_ends_as_part_of_its_callers_trace(t *testing.T) {
	t.Parallel()
	s := newSender(t)
	var told string
	_, log := s.request(t, func(w http.ResponseWriter, r *http.Request) {
		ctx, run := observe.Begin(r.Context(), "run", slog.String("type", "contacts"), slog.Int("attempt", 2))
		_, call := observe.Begin(ctx, "google people")
		call.End(fault.New(fault.Retry, "google", "quota", errors.New("status 429 for ada@example.com")))
		told = observe.Traceparent(ctx)
		run.End(nil)
		w.WriteHeader(http.StatusAccepted)
	}, "Traceparent", parent)

	got := s.collector.Spans()
	if len(got) != 3 {
		t.Fatalf("got %d spans, want 3 before the request ends: %+v", len(got), got)
	}
	call, run, request := got[0], got[1], got[2]
	for _, span := range got {
		if span.Trace != "0af7651916cd43dd8448eb211c80319c" {
			t.Errorf("%s is in the trace %s", span.Name, span.Trace)
		}
	}
	if request.Parent != "b7ad6b7169203331" || run.Parent != request.ID || call.Parent != run.ID {
		t.Errorf("the spans are not one within the other: %+v", got)
	}
	want := []map[string]string{
		{"kind": "retry", "code": "quota"}, {"type": "contacts", "attempt": "2"}, {"method": "POST", "status": "202"},
	}
	if diff := cmp.Diff(want, []map[string]string{call.Attributes, run.Attributes, request.Attributes}); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	if request.Name != "settings" || call.Status != "retry" {
		t.Errorf("got %q, and a call that ended as %q", request.Name, call.Status)
	}
	if told != "00-"+run.Trace+"-"+run.ID+"-01" {
		t.Errorf("what is handed on is %s", told)
	}
	if line := log[0]; line["logging.googleapis.com/trace"] != "projects/acme/traces/"+run.Trace {
		t.Errorf("the request's line is not tied to the trace: %v", line)
	}
}

func TestA_line_that_is_logged_within_a_span_leads_to_it(t *testing.T) {
	t.Parallel()
	s := newSender(t)
	var log bytes.Buffer
	s.request(t, func(_ http.ResponseWriter, r *http.Request) {
		ctx, span := observe.Begin(r.Context(), "run")
		observe.NewLogger(&log, observe.Options{Project: "acme"}).InfoContext(ctx, "run ended")
		span.End(nil)
	})
	line, run := lines(t, &log)[0], s.collector.Spans()[0]
	if line["logging.googleapis.com/spanId"] != run.ID || line["logging.googleapis.com/trace_sampled"] != true {
		t.Errorf("got %v, want the span %s", line, run.ID)
	}
}

func TestNothing_that_a_user_wrote_gets_into_a_trace_or_a_metric(t *testing.T) {
	t.Parallel()
	s := newSender(t)
	secrets := []string{
		"ada@example.com", "Ada Lovelace", "c0ffee00-1234-4321-8888-0123456789ab", "people/c1234567890123456789012", "ya29.a0AfH6SMBx", canary,
		"+44 20 7946 0000", "10738829384756473829101112",
	}
	s.request(t, func(_ http.ResponseWriter, r *http.Request) {
		for _, secret := range secrets {
			_, span := observe.Begin(r.Context(), "run", slog.String("record", secret), slog.Any("error", errors.New(secret)))
			span.End(fault.New(fault.BadRecord, "google", secret, errors.New(secret)))
			s.Ran(r.Context(), observe.Run{
				Type: secret, Trigger: secret, Status: secret, Kind: secret, Side: secret,
				Changes: []observe.Change{{Side: secret, Action: secret, Count: 1}},
			})
			s.Called(r.Context(), secret, secret, 200)
			s.Overdue(r.Context(), secret, time.Second)
		}
	}, "User-Agent", secrets[1], "Authorization", "Bearer "+secrets[4])
	raw := strings.Join(s.collector.Raw(), "\n")
	if len(s.collector.Spans()) != len(secrets)+1 || len(s.collector.Points(observe.MetricRuns)) != 1 {
		t.Fatalf("too little was sent to prove anything: %s", raw)
	}
	for _, secret := range secrets {
		if strings.Contains(raw, secret) {
			t.Errorf("%q was sent", secret)
		}
	}
}

func TestMetrics_have_the_form_that_google_requires_and_are_cumulative(t *testing.T) {
	t.Parallel()
	s := newSender(t)
	run := observe.Run{
		Type: "contacts", Trigger: "schedule", Status: "done", Took: 3 * time.Second, Waited: time.Minute, Age: time.Hour,
		Kind: "retry", Side: "google",
		Changes: []observe.Change{{Side: "google", Action: "create", Count: 5}, {Side: "google", Action: "delete"}, {Action: observe.Failed, Count: 2}},
	}
	measure := func() {
		s.Ran(t.Context(), run)
		s.Called(t.Context(), "google", "people", 429)
		s.Called(t.Context(), "google", "people", 0)
		s.Overdue(t.Context(), "contacts", 90*time.Second)
	}
	measure()
	s.Flush(t.Context())
	measure()
	s.Flush(t.Context()) // Too soon: nothing is sent.
	if got := s.collector.Requests(); got != 1 {
		t.Errorf("got %d requests for two points within 30 seconds, want 1", got)
	}
	s.pass(30 * time.Second)
	s.Flush(t.Context())

	for name, want := range map[string][]collector.Point{
		observe.MetricRuns:     {{Attributes: map[string]string{"type": "contacts", "trigger": "schedule", "status": "done"}, Value: 2}},
		observe.MetricDuration: {{Attributes: map[string]string{"type": "contacts", "status": "done"}, Value: 2, Sum: 6}},
		observe.MetricWait:     {{Attributes: map[string]string{"type": "contacts"}, Value: 2, Sum: 120}},
		observe.MetricAge:      {{Attributes: map[string]string{"type": "contacts"}, Value: 2, Sum: 7200}},
		observe.MetricOverdue:  {{Attributes: map[string]string{"type": "contacts"}, Value: 90}},
		observe.MetricChanges:  {{Attributes: map[string]string{"type": "contacts", "side": "google", "action": "create"}, Value: 10}},
		observe.MetricFailures: {
			{Attributes: map[string]string{"type": "contacts", "side": "", "kind": "record"}, Value: 4},
			{Attributes: map[string]string{"type": "contacts", "side": "google", "kind": "retry"}, Value: 2},
		},
		observe.MetricCalls: {
			{Attributes: map[string]string{"side": "google", "api": "people", "class": "429"}, Value: 2},
			{Attributes: map[string]string{"side": "google", "api": "people", "class": "none"}, Value: 2},
		},
	} {
		for i := range want {
			want[i].Name = name
		}
		if diff := cmp.Diff(want, s.collector.Points(name), sorted); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if dropped := s.collector.Dropped(); len(dropped) > 0 {
		t.Errorf("google would drop %q", dropped)
	}
}

var sorted = cmp.Transformer("sorted", func(points []collector.Point) map[string]float64 {
	out := map[string]float64{}
	for _, p := range points {
		out[p.Name+cmp.Diff(nil, p.Attributes)] = p.Value + p.Sum/1e6
	}
	return out
})

func TestThe_limit_decides_how_many_traces_are_recorded_and_not_the_caller(t *testing.T) {
	t.Parallel()
	s := newSender(t, func(o *observe.TelemetryOptions) { o.Traces = rate.NewLimiter(0, 1) })
	sampled := strings.TrimSuffix(parent, "00") + "01"
	for range 3 {
		s.request(t, func(_ http.ResponseWriter, r *http.Request) {
			_, span := observe.Begin(r.Context(), "run")
			span.End(nil)
		}, "Traceparent", sampled)
	}
	if got := s.collector.Spans(); len(got) != 2 {
		t.Errorf("got %d spans, want the two of the first request: %+v", len(got), got)
	}
}

func TestA_collector_that_does_not_answer_delays_one_request_and_then_none(t *testing.T) {
	t.Parallel()
	s := newSender(t, func(o *observe.TelemetryOptions) { o.Timeout = 20 * time.Millisecond })
	s.collector.Answer(func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	})
	for range 5 {
		if w, _ := s.request(t, answerOK); w.Code != http.StatusOK {
			t.Errorf("the request was answered with %d", w.Code)
		}
		s.Called(t.Context(), "google", "people", 200)
	}
	if got := s.collector.Requests(); got > 2 {
		t.Errorf("got %d requests, want no more than the first one's spans and metrics", got)
	}
	if got := strings.Count(s.log.String(), "cannot be sent"); got != 1 {
		t.Errorf("got %d lines about it, want 1: %s", got, s.log)
	}
}

func TestA_collector_that_refuses_is_tried_again_after_a_while(t *testing.T) {
	t.Parallel()
	s := newSender(t)
	s.collector.Answer(func(context.Context) error { return status.Error(codes.PermissionDenied, "no role") })
	for range 3 {
		s.request(t, answerOK)
	}
	if got := s.collector.Requests(); got != 1 {
		t.Errorf("got %d requests while it refuses, want 1", got)
	}
	s.collector.Answer(nil)
	s.pass(time.Minute)
	s.request(t, answerOK)
	if got := s.collector.Spans(); len(got) != 3 {
		t.Errorf("got %d spans after it mended, want those that waited and the new one, 3", len(got))
	}
	if got := strings.Count(s.log.String(), "cannot be sent"); got != 1 {
		t.Errorf("got %d lines about it, want 1: %s", got, s.log)
	}
}

func TestAn_unreachable_collector_fails_no_request(t *testing.T) {
	t.Parallel()
	s := newSender(t)
	s.collector.Stop()
	if w, _ := s.request(t, answerOK); w.Code != http.StatusOK {
		t.Errorf("the request was answered with %d", w.Code)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Errorf("close: %v", err)
	}
}

func TestPoints_that_google_rejects_are_logged(t *testing.T) {
	t.Parallel()
	s := newSender(t, func(o *observe.TelemetryOptions) { o.Location = "" })
	s.Called(t.Context(), "google", "people", 200)
	s.Flush(t.Context())
	if len(s.collector.Dropped()) == 0 || !strings.Contains(s.log.String(), "cloud.region") {
		t.Errorf("dropped %q, logged %s", s.collector.Dropped(), s.log)
	}
}

func TestA_panic_is_traced_and_continues(t *testing.T) {
	t.Parallel()
	s := newSender(t)
	w, _ := s.request(t, func(http.ResponseWriter, *http.Request) { panic("ada@example.com") })
	if got := s.collector.Spans(); w.Code != http.StatusInternalServerError || len(got) != 1 {
		t.Errorf("answered %d, sent %+v", w.Code, got)
	}
}

func TestClose_sends_what_remains_and_nothing_is_sent_after_it(t *testing.T) {
	t.Parallel()
	s := newSender(t)
	s.Called(t.Context(), "google", "people", 200)
	s.Flush(t.Context())
	s.Called(t.Context(), "google", "people", 200)
	_, end := s.Task(observe.Continue(t.Context(), parent), "task")
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.collector.Points(observe.MetricCalls); len(got) != 1 || got[0].Value != 2 {
		t.Errorf("got %+v, want both calls", got)
	}
	before := s.collector.Requests()
	end(nil)
	if got := s.collector.Requests(); got != before {
		t.Errorf("got %d requests after the end", got-before)
	}
}

func TestWithout_telemetry_everything_works(t *testing.T) {
	t.Parallel()
	var none *observe.Telemetry
	handler := http.HandlerFunc(answerOK)
	if none.Handler("settings", handler) == nil {
		t.Error("there is no handler")
	}
	ctx, end := none.Task(t.Context(), "task")
	end(errors.New("x"))
	none.Ran(ctx, observe.Run{Type: "contacts"})
	none.Called(ctx, "google", "people", 200)
	none.Overdue(ctx, "contacts", time.Second)
	none.Flush(ctx)
	if err := none.Close(ctx); err != nil || observe.Traceparent(ctx) != "" {
		t.Errorf("close: %v, in the trace %q", err, observe.Traceparent(ctx))
	}
}

func BenchmarkOpenTelemetry(b *testing.B) {
	for b.Loop() {
		if _, err := observe.OpenTelemetry(observe.TelemetryOptions{Project: "acme", Location: "europe-west1", Service: "settings"}); err != nil {
			b.Fatal(err)
		}
	}
}

// A span that is not recorded costs next to nothing.
func BenchmarkUnrecordedSpan(b *testing.B) {
	ctx := observe.Continue(b.Context(), parent)
	b.ReportAllocs()
	for b.Loop() {
		_, span := observe.Begin(ctx, "run", slog.String("type", "contacts"))
		span.End(nil)
	}
}
