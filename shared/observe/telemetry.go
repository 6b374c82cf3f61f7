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

// TelemetryOptions say where traces and metrics go, and of whom they are.
type TelemetryOptions struct {
	// Project and Location are Google Cloud's, whose Telemetry API then takes what is sent.
	Project, Location string
	// Endpoint is the address of a collector that speaks OTLP over gRPC, in place of Google's.
	Endpoint string
	// Service and Version are those of the program.
	Service, Version string
	// Logger hears when sending begins to fail.
	Logger *slog.Logger
	// Now is the clock of pauses; default time.Now.
	Now func() time.Time
	// Timeout is the longest that an answer waits for what is sent before it; default 2 s.
	Timeout time.Duration
	// Traces is how many traces are taken; default one in 30 seconds, and ten at once.
	Traces *rate.Limiter
}

// Telemetry sends traces and metrics. A nil one sends nothing, and may be used as any other.
//
// It sends when it is told to, and not by a clock of its own: a function has no processor once it has answered
// (https://cloud.google.com/run/docs/configuring/billing-settings). Sending is bounded in time, never an error of who
// asked for it, and rests for a while where nobody takes what is sent.
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
	// metricsEvery is the least time between two points of a metric. Metrics add up, so that a later point tells all of
	// an earlier one; Cloud Monitoring takes a point every 5 seconds (https://cloud.google.com/monitoring/quotas).
	metricsEvery = 30 * time.Second
	// spansEvery sends the spans of a long run before its end.
	spansEvery = time.Minute
)

// defaultTraces bounds what traces cost, whoever calls and whatever the caller wants traced: every trace where few are
// made, and a sample where many are.
func defaultTraces() *rate.Limiter { return rate.NewLimiter(rate.Every(30*time.Second), 10) }

// OpenTelemetry prepares sending; it connects to nobody yet.
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

// source is whose traces and metrics they are. Cloud Monitoring refuses points without a region and an instance
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

// sampler takes as many traces as the limit has room for, whatever a caller says of its own: everybody may call a
// public function, and say that it be traced. What belongs to a trace that is taken is taken with it.
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

func (l *limited) Description() string { return "as many as the limit has room for" }

// Handler makes each request to a function a piece of work, and sends what there is to send before the request ends.
func (t *Telemetry) Handler(function string, next http.Handler) http.Handler {
	if t == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, inner := t.tracer.Start(r.Context(), function, trace.WithSpanKind(trace.SpanKindServer))
		span, answer := Span{inner}, &recorder{ResponseWriter: w}
		defer func() {
			span.Set(slog.String("method", r.Method))
			if answer.status != 0 { // Nothing was answered yet where the handler panics.
				span.Set(slog.Int("status", answer.status))
			}
			span.End(nil)
			t.Flush(ctx)
		}()
		next.ServeHTTP(answer, r.WithContext(ctx))
	})
}

// Task makes work that no request waits for a piece of work of its own, within the trace that asked for it. end has to
// be called.
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

// Flush sends the spans that ended, and the metrics if the last time is long enough ago. It waits no longer than
// TelemetryOptions.Timeout, and not at all for some time after nobody took what was sent.
func (t *Telemetry) Flush(ctx context.Context) { t.flush(ctx, metricsEvery) }

// Close sends what is left. Nothing is sent afterwards.
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
	// A caller who has gone leaves something to tell all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.gate.timeout)
	defer cancel()
	var sending sync.WaitGroup
	sending.Go(func() { _ = t.spans.ForceFlush(ctx) }) // The gate has heard of the error.
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
		return // Somebody else sends them at this moment.
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
		_ = t.sink.Export(ctx, &points) // The gate has heard of the error.
	}
}
