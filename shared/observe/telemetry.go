package observe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/time/rate"
	"google.golang.org/grpc"
)

// TelemetryOptions are the destination and the source of traces and metrics.
type TelemetryOptions struct {
	// Project and Location are those of Google Cloud, if its Telemetry API is the destination.
	Project, Location string
	// Endpoint is the address of a collector for OTLP over gRPC, instead of Google's.
	Endpoint string
	// Service and Version are those of the program.
	Service, Version string
	// Logger logs when sending begins to fail.
	Logger *slog.Logger
	// Now is the clock; default time.Now.
	Now func() time.Time
	// Timeout is how long a response may wait for sending; default 2 s.
	Timeout time.Duration
	// Traces limits how many traces are recorded; default one in 30 seconds, in bursts of ten.
	Traces *rate.Limiter
}

// Telemetry sends traces and metrics. A nil Telemetry is valid and sends nothing.
//
// It sends when Flush is called and not in the background: a function has no processor time after its response
// (https://cloud.google.com/run/docs/configuring/billing-settings). Sending is bounded in time and never fails its caller.
// After a failure it pauses for a while.
type Telemetry struct {
	tracer trace.Tracer
	spans  *sdktrace.TracerProvider
	reader *sdkmetric.ManualReader
	sink   sdkmetric.Exporter
	meters
	conn *grpc.ClientConn
	gate *gate
	now  func() time.Time

	// sending is held while metrics are collected and sent; sent is when they were last.
	sending sync.Mutex
	sent    time.Time
}

const (
	defaultTimeout = 2 * time.Second
	// metricsEvery is the least time between two points of a metric. Metrics are cumulative, so a later point includes an
	// earlier one. Cloud Monitoring accepts a point every 5 seconds (https://cloud.google.com/monitoring/quotas).
	metricsEvery = 30 * time.Second
	// spansEvery sends the spans of a long run before its end.
	spansEvery = time.Minute
)

// defaultTraces bounds the cost of traces, whatever callers ask for. It records every trace at low traffic, and a sample
// at high traffic.
func defaultTraces() *rate.Limiter { return rate.NewLimiter(rate.Every(30*time.Second), 10) }

// OpenTelemetry prepares sending. It does not connect yet.
func OpenTelemetry(o TelemetryOptions) (*Telemetry, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.Traces == nil {
		o.Traces = defaultTraces()
	}
	conn, err := dial(o)
	if err != nil {
		return nil, fmt.Errorf("open telemetry: %w", err)
	}
	t := &Telemetry{conn: conn, gate: &gate{logger: o.Logger, now: o.Now, timeout: o.Timeout}, now: o.Now}
	spans, points, err := t.gate.exporters(conn)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open telemetry: %w", err), conn.Close())
	}
	from := source(o)
	t.spans = sdktrace.NewTracerProvider(
		sdktrace.WithResource(from),
		sdktrace.WithSampler(sampler(o.Traces)),
		sdktrace.WithBatcher(spans, sdktrace.WithBatchTimeout(spansEvery), sdktrace.WithExportTimeout(o.Timeout)),
	)
	t.tracer = t.spans.Tracer(scopeName)
	t.sink, t.reader = points, sdkmetric.NewManualReader()
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithResource(from), sdkmetric.WithReader(t.reader))
	if t.meters, err = newMeters(provider.Meter(scopeName)); err != nil {
		return nil, errors.Join(fmt.Errorf("open telemetry: %w", err), conn.Close())
	}
	return t, nil
}

// source describes this process. Cloud Monitoring refuses points without a region and an instance
// (https://cloud.google.com/stackdriver/docs/reference/telemetry/v1.metrics).
func source(o TelemetryOptions) *resource.Resource {
	attrs := []attribute.KeyValue{
		attribute.String("service.name", o.Service), attribute.String("service.version", o.Version),
		attribute.String("service.instance.id", uuid.NewString()),
	}
	if o.Project != "" {
		attrs = append(attrs, attribute.String("gcp.project_id", o.Project), attribute.String("cloud.provider", "gcp"),
			attribute.String("cloud.platform", "gcp_cloud_run"), attribute.String("cloud.region", o.Location))
	}
	return resource.NewSchemaless(attrs...)
}

// sampler records as many traces as the limit allows. It ignores whether the caller asks for a trace, because anybody may
// call a public function. All spans of a recorded trace are recorded.
func sampler(limit *rate.Limiter) sdktrace.Sampler {
	bounded := &limited{limit}
	return sdktrace.ParentBased(bounded, sdktrace.WithRemoteParentSampled(bounded), sdktrace.WithRemoteParentNotSampled(bounded))
}

type limited struct{ limit *rate.Limiter }

func (l *limited) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	result := sdktrace.SamplingResult{Decision: sdktrace.Drop, Tracestate: trace.SpanContextFromContext(p.ParentContext).TraceState()}
	if l.limit.Allow() {
		result.Decision = sdktrace.RecordAndSample
	}
	return result
}

func (l *limited) Description() string { return "as many as the limit allows" }

// Handler makes a span of each request to a function, and flushes before the request ends.
func (t *Telemetry) Handler(function string, next http.Handler) http.Handler {
	if t == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, inner := t.tracer.Start(r.Context(), function, trace.WithSpanKind(trace.SpanKindServer))
		span, answer := Span{inner}, &recorder{ResponseWriter: w}
		defer func() {
			span.Set(slog.String("method", r.Method))
			if answer.status != 0 { // If the handler panicked there may be no status yet.
				span.Set(slog.Int("status", answer.status))
			}
			span.End(nil)
			t.Flush(ctx)
		}()
		next.ServeHTTP(answer, r.WithContext(ctx))
	})
}

// Task makes a span of a queued task, within the trace that the context continues. The caller has to call end.
func (t *Telemetry) Task(ctx context.Context, name string) (inner context.Context, end func(error)) {
	if t == nil {
		return ctx, func(error) {}
	}
	ctx, span := t.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindConsumer))
	return ctx, func(err error) {
		Span{span}.End(err)
		t.Flush(ctx)
	}
}

// Flush sends the spans that ended, and the metrics if they were last sent long enough ago. It takes no longer than
// TelemetryOptions.Timeout. For a while after a failure it does nothing.
func (t *Telemetry) Flush(ctx context.Context) { t.flush(ctx, metricsEvery) }

// Close sends the remaining spans and metrics. Nothing is sent afterwards.
func (t *Telemetry) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	t.flush(ctx, 0)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.gate.timeout)
	defer cancel()
	t.gate.shut()
	return errors.Join(t.spans.Shutdown(ctx), t.reader.Shutdown(ctx), t.conn.Close())
}

func (t *Telemetry) flush(ctx context.Context, every time.Duration) {
	if t == nil || !t.gate.open() {
		return
	}
	// Telemetry is sent even if the caller has disconnected.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.gate.timeout)
	defer cancel()
	var sending sync.WaitGroup
	sending.Go(func() { _ = t.spans.ForceFlush(ctx) }) // The gate has recorded the error.
	sending.Go(func() { t.sendMetrics(ctx, every) })
	done := make(chan struct{})
	go func() {
		sending.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		t.gate.failed(ctx.Err())
	}
}

func (t *Telemetry) sendMetrics(ctx context.Context, every time.Duration) {
	if !t.sending.TryLock() {
		return // Another request is sending them.
	}
	defer t.sending.Unlock()
	now := t.now()
	if !t.sent.IsZero() && now.Sub(t.sent) < every {
		return
	}
	t.sent = now
	var points metricdata.ResourceMetrics
	if err := t.reader.Collect(ctx, &points); err != nil {
		t.gate.failed(err)
		return
	}
	if len(points.ScopeMetrics) > 0 {
		_ = t.sink.Export(ctx, &points) // The gate has recorded the error.
	}
}
