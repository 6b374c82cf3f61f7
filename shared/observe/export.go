package observe

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/url"
	"sync"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/credentials/oauth"
)

// googleTelemetry accepts traces and metrics in OTLP (https://cloud.google.com/stackdriver/docs/otlp/overview). Its roles
// require cloudScope.
const (
	googleTelemetry = "telemetry.googleapis.com:443"
	cloudScope      = "https://www.googleapis.com/auth/cloud-platform"
)

// idleTimeout closes an unused connection. While the platform suspends an instance, its connections may break unnoticed.
const idleTimeout = time.Minute

// dial prepares the connection that traces and metrics share. The first call connects.
func dial(o TelemetryOptions) (*grpc.ClientConn, error) {
	secure := credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12})
	if o.Endpoint == "" {
		return grpc.NewClient(googleTelemetry, grpc.WithTransportCredentials(secure), grpc.WithIdleTimeout(idleTimeout),
			grpc.WithPerRPCCredentials(&applicationDefault{find: sync.OnceValues(func() (credentials.PerRPCCredentials, error) {
				// The credentials outlive the call that first needs them.
				return oauth.NewApplicationDefault(context.Background(), cloudScope)
			})}))
	}
	u, err := url.Parse(o.Endpoint)
	if err != nil {
		return nil, err
	}
	port := u.Port()
	if port == "" {
		port = "4317" // OTLP over gRPC (https://opentelemetry.io/docs/specs/otlp/#otlpgrpc-default-port).
	}
	if u.Scheme == "http" {
		secure = insecure.NewCredentials()
	}
	return grpc.NewClient(net.JoinHostPort(u.Hostname(), port), grpc.WithTransportCredentials(secure), grpc.WithIdleTimeout(idleTimeout))
}

// applicationDefault are the credentials of this process. They are looked up at the first use, so that the start does not
// wait for them.
type applicationDefault struct {
	find func() (credentials.PerRPCCredentials, error)
}

func (a *applicationDefault) GetRequestMetadata(ctx context.Context, uri ...string) (map[string]string, error) {
	found, err := a.find()
	if err != nil {
		return nil, err
	}
	return found.GetRequestMetadata(ctx, uri...)
}

func (a *applicationDefault) RequireTransportSecurity() bool { return true }

// pauseAfterFailure is how long nothing is sent after a failure.
const pauseAfterFailure = time.Minute

// gate is a circuit breaker for the exporters: after a failure it sends nothing for a while. It logs the first failure of
// a series. Meanwhile spans wait in a bounded buffer; metrics are cumulative and need none.
type gate struct {
	logger  *slog.Logger
	now     func() time.Time
	timeout time.Duration

	mu      sync.Mutex
	until   time.Time
	failing bool
	closed  bool
}

func (g *gate) open() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.closed && !g.now().Before(g.until)
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
}

func (g *gate) failed(err error) {
	g.mu.Lock()
	known := g.failing
	g.failing, g.until = true, g.now().Add(pauseAfterFailure)
	g.mu.Unlock()
	if !known {
		g.logger.Warn("traces and metrics cannot be sent; sending is retried after a minute at the earliest", slog.Any("error", err))
	}
}

// pass calls send if the gate is open, and records whether it failed. It returns no error because OpenTelemetry would
// print it.
func (g *gate) pass(ctx context.Context, send func(context.Context) error) {
	if !g.open() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	if err := send(ctx); err != nil {
		g.failed(err)
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.failing = false
}

// exporters makes exporters that send over a connection, through the gate. They do not retry: a request waits for them.
func (g *gate) exporters(conn *grpc.ClientConn) (sdktrace.SpanExporter, sdkmetric.Exporter, error) {
	ctx := context.Background()
	spans, err := otlptracegrpc.New(ctx, otlptracegrpc.WithGRPCConn(conn), otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{}))
	if err != nil {
		return nil, nil, err
	}
	points, err := otlpmetricgrpc.New(ctx, otlpmetricgrpc.WithGRPCConn(conn), otlpmetricgrpc.WithRetry(otlpmetricgrpc.RetryConfig{}))
	if err != nil {
		return nil, nil, err
	}
	return &gatedSpans{spans, g}, &gatedPoints{points, g}, nil
}

type gatedSpans struct {
	sdktrace.SpanExporter
	gate *gate
}

func (e *gatedSpans) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	e.gate.pass(ctx, func(ctx context.Context) error { return e.SpanExporter.ExportSpans(ctx, spans) })
	return nil
}

type gatedPoints struct {
	sdkmetric.Exporter
	gate *gate
}

func (e *gatedPoints) Export(ctx context.Context, points *metricdata.ResourceMetrics) error {
	e.gate.pass(ctx, func(ctx context.Context) error { return e.Exporter.Export(ctx, points) })
	return nil
}
