package observe

import (
	"context"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// The names of the metrics. The alerts and the dashboard under terraform/ query them; PromQL needs no quotes for them.
const (
	MetricRuns     = "tandem_runs"
	MetricDuration = "tandem_run_seconds"
	MetricWait     = "tandem_run_wait_seconds"
	MetricAge      = "tandem_last_success_age_seconds"
	MetricOverdue  = "tandem_overdue_seconds"
	MetricChanges  = "tandem_changes"
	MetricFailures = "tandem_failures"
	MetricCalls    = "tandem_calls"
)

// Bounds of histograms, in seconds.
var (
	durations = []float64{0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 900}
	waits     = []float64{1, 5, 15, 60, 300, 900, 3600, 14400}
	ages      = []float64{60, 300, 900, 1800, 3600, 7200, 14400, 43200, 86400, 259200, 604800}
)

// Run is the result of a run, as numbers and as words of small sets.
type Run struct {
	Type, Trigger, Status string
	Took                  time.Duration
	// Waited is the time from when the run was due, or requested, until it began.
	Waited time.Duration
	// Age is the time from the user's previous successful run until the end of this one; zero if there is none.
	Age time.Duration
	// Kind is the kind of the error that ended the run, and Side its side; empty without an error.
	Kind, Side string
	Changes    []Change
}

// Change is how many records a run changed on one side by one action, or failed to change.
type Change struct {
	Side, Action string
	Count        int
}

// Failed is the action of a record that could not be changed.
const Failed = "failed"

// meters are the instruments.
type meters struct {
	runs, changes, failures, calls metric.Int64Counter
	duration, wait, age            metric.Float64Histogram
	overdue                        metric.Float64Gauge
}

func newMeters(m metric.Meter) (meters, error) {
	var out meters
	var first error
	counter := func(name, about string) metric.Int64Counter {
		c, err := m.Int64Counter(name, metric.WithDescription(about))
		if first == nil {
			first = err
		}
		return c
	}
	histogram := func(name, about string, bounds []float64) metric.Float64Histogram {
		h, err := m.Float64Histogram(name, metric.WithDescription(about), metric.WithUnit("s"), metric.WithExplicitBucketBoundaries(bounds...))
		if first == nil {
			first = err
		}
		return h
	}
	out.runs = counter(MetricRuns, "Runs by how they ended")
	out.changes = counter(MetricChanges, "Records that runs changed")
	out.failures = counter(MetricFailures, "What could not be done, by the kind of error")
	out.calls = counter(MetricCalls, "Calls to both services, by how they were answered")
	out.duration = histogram(MetricDuration, "How long runs took", durations)
	out.wait = histogram(MetricWait, "How long after they were due, or asked for, runs began", waits)
	out.age = histogram(MetricAge, "How long ago the run before had succeeded", ages)
	overdue, err := m.Float64Gauge(MetricOverdue, metric.WithDescription("How long the user who waits longest has been due"), metric.WithUnit("s"))
	if first == nil {
		first = err
	}
	out.overdue = overdue
	return out, first
}

func labelled(pairs ...string) metric.MeasurementOption {
	var out []attribute.KeyValue
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, attribute.String(pairs[i], word(pairs[i+1])))
	}
	return metric.WithAttributes(out...)
}

// Ran counts a run.
func (t *Telemetry) Ran(ctx context.Context, r Run) {
	if t == nil {
		return
	}
	kind := labelled("type", r.Type)
	t.runs.Add(ctx, 1, labelled("type", r.Type, "trigger", r.Trigger, "status", r.Status))
	t.duration.Record(ctx, r.Took.Seconds(), labelled("type", r.Type, "status", r.Status))
	t.wait.Record(ctx, max(r.Waited, 0).Seconds(), kind)
	if r.Age > 0 {
		t.age.Record(ctx, r.Age.Seconds(), kind)
	}
	if r.Kind != "" {
		t.failures.Add(ctx, 1, labelled("type", r.Type, "side", r.Side, "kind", r.Kind))
	}
	for _, c := range r.Changes {
		switch {
		case c.Count <= 0:
		case c.Action == Failed:
			t.failures.Add(ctx, int64(c.Count), labelled("type", r.Type, "side", c.Side, "kind", "record"))
		default:
			t.changes.Add(ctx, int64(c.Count), labelled("type", r.Type, "side", c.Side, "action", c.Action))
		}
	}
}

// Called counts a call to an API of a side. The status is 0 if there was no reply.
func (t *Telemetry) Called(ctx context.Context, side, api string, status int) {
	if t == nil {
		return
	}
	t.calls.Add(ctx, 1, labelled("side", side, "api", api, "class", StatusClass(status)))
}

// Overdue records how long the user with the earliest due time has been due.
func (t *Telemetry) Overdue(ctx context.Context, kind string, late time.Duration) {
	if t == nil {
		return
	}
	t.overdue.Record(ctx, max(late, 0).Seconds(), labelled("type", kind))
}

// StatusClass is the label of an HTTP status. 429 has a label of its own: it means a quota, unlike the other 4xx.
func StatusClass(status int) string {
	switch {
	case status == 0:
		return "none"
	case status == 429:
		return "429"
	default:
		return strconv.Itoa(status/100) + "xx"
	}
}
