// Package collector is a stand-in for what takes traces and metrics: an OTLP collector over gRPC, and Google's Telemetry
// API. It is for tests that ask what was sent.
//
// It refuses what the Telemetry API refuses: names of another form, points without a region or an instance
// (https://cloud.google.com/stackdriver/docs/reference/telemetry/v1.metrics). It refuses as that does: it answers with
// a success, and says in it how much was dropped.
package collector

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"

	metricservice "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	traceservice "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// Span is a span that arrived.
type Span struct {
	Name              string
	Trace, ID, Parent string
	Attributes        map[string]string
	// Status is what the span says of the error that it ended with.
	Status string
}

// Point is the latest point of a series that arrived. Value is the sum of a counter, the value of a gauge, or the number
// of measurements of a histogram, whose sum is Sum.
type Point struct {
	Name       string
	Attributes map[string]string
	Value, Sum float64
}

// Collector takes what is sent to it. It may be used from many goroutines.
type Collector struct {
	google bool
	listen net.Listener
	server *grpc.Server

	mu       sync.Mutex
	answer   func(context.Context) error
	requests int
	raw      []string
	spans    []Span
	points   map[string]Point
	dropped  []string
}

// Start listens on a free port of this machine. google says whether points have to be as Google wants them.
func Start(google bool) (*Collector, error) {
	listen, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start collector: %w", err)
	}
	c := &Collector{google: google, listen: listen, server: grpc.NewServer(), points: map[string]Point{}}
	traceservice.RegisterTraceServiceServer(c.server, traceServer{c: c})
	metricservice.RegisterMetricsServiceServer(c.server, metricsServer{c: c})
	go func() { _ = c.server.Serve(listen) }()
	return c, nil
}

// URL is the address to send to.
func (c *Collector) URL() string { return "http://" + c.listen.Addr().String() }

// Stop ends it; what waits for an answer gets none.
func (c *Collector) Stop() { c.server.Stop() }

// Answer has every request wait for f, and answered with its error where it has one: nothing of it is taken then.
func (c *Collector) Answer(f func(context.Context) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer = f
}

// Requests is how many requests there were, refused ones among them.
func (c *Collector) Requests() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.requests
}

// Raw are the requests that were taken, whole, as JSON.
func (c *Collector) Raw() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.raw)
}

// Spans are all spans that arrived.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.spans)
}

// Points are the latest points of all series of a metric.
func (c *Collector) Points(metric string) []Point {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []Point
	for _, p := range c.points {
		if p.Name == metric {
			out = append(out, p)
		}
	}
	return out
}

// Dropped says what was refused, and why.
func (c *Collector) Dropped() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.dropped)
}

// take counts a request, gives the answer that a test wants, and keeps the request where that is no error.
func (c *Collector) take(ctx context.Context, request proto.Message, keep func()) error {
	c.mu.Lock()
	c.requests++
	answer := c.answer
	c.mu.Unlock()
	if answer != nil {
		if err := answer(ctx); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raw = append(c.raw, protojson.Format(request))
	keep()
	return nil
}
