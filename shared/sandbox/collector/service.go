package collector

import (
	"context"
	"encoding/hex"
	"fmt"
	"regexp"

	metricservice "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	traceservice "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
)

type traceServer struct {
	traceservice.UnimplementedTraceServiceServer
	c *Collector
}

func (s traceServer) Export(ctx context.Context, r *traceservice.ExportTraceServiceRequest) (*traceservice.ExportTraceServiceResponse, error) {
	return &traceservice.ExportTraceServiceResponse{}, s.c.take(ctx, r, func() {
		for _, from := range r.GetResourceSpans() {
			for _, scope := range from.GetScopeSpans() {
				for _, span := range scope.GetSpans() {
					s.c.spans = append(s.c.spans, Span{
						Name: span.GetName(), Trace: hex.EncodeToString(span.GetTraceId()), ID: hex.EncodeToString(span.GetSpanId()),
						Parent: hex.EncodeToString(span.GetParentSpanId()), Attributes: attributes(span.GetAttributes()),
						Status: span.GetStatus().GetMessage(),
					})
				}
			}
		}
	})
}

type metricsServer struct {
	metricservice.UnimplementedMetricsServiceServer
	c *Collector
}

func (s metricsServer) Export(ctx context.Context, r *metricservice.ExportMetricsServiceRequest) (*metricservice.ExportMetricsServiceResponse, error) {
	response := &metricservice.ExportMetricsServiceResponse{}
	return response, s.c.take(ctx, r, func() {
		for _, from := range r.GetResourceMetrics() {
			whose := attributes(from.GetResource().GetAttributes())
			for _, scope := range from.GetScopeMetrics() {
				for _, m := range scope.GetMetrics() {
					s.c.put(whose, m, response)
				}
			}
		}
	})
}

// put keeps the points of a metric that may be kept, and says in the answer which may not.
func (c *Collector) put(whose map[string]string, m *metrics.Metric, response *metricservice.ExportMetricsServiceResponse) {
	for _, p := range pointsOf(m) {
		problem := c.problem(whose, p)
		if problem == "" {
			c.points[fmt.Sprint(whose["service.instance.id"], p.Name, p.Attributes)] = p
			continue
		}
		c.dropped = append(c.dropped, problem)
		if response.PartialSuccess == nil {
			response.PartialSuccess = &metricservice.ExportMetricsPartialSuccess{ErrorMessage: problem}
		}
		response.PartialSuccess.RejectedDataPoints++
	}
}

// The forms that the Telemetry API takes (https://cloud.google.com/stackdriver/docs/otlp-metrics/overview).
var (
	metricName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_:./]*$`)
	labelKey   = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_.]*$`)
)

// problem says why Google would not take a point.
func (c *Collector) problem(whose map[string]string, p Point) string {
	if !c.google {
		return ""
	}
	for _, key := range []string{"gcp.project_id", "cloud.region", "service.instance.id"} {
		if whose[key] == "" {
			return p.Name + ": its resource has no " + key
		}
	}
	if !metricName.MatchString(p.Name) {
		return p.Name + ": is no name of a metric"
	}
	for key := range p.Attributes {
		if !labelKey.MatchString(key) {
			return p.Name + ": " + key + " is no key of a label"
		}
	}
	return ""
}

// pointsOf are the points of a gauge, or of a sum or a histogram that adds up. No others are known here.
func pointsOf(m *metrics.Metric) []Point {
	const cumulative = metrics.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE
	var numbers []*metrics.NumberDataPoint
	var out []Point
	switch {
	case m.GetGauge() != nil:
		numbers = m.GetGauge().GetDataPoints()
	case m.GetSum().GetAggregationTemporality() == cumulative:
		numbers = m.GetSum().GetDataPoints()
	case m.GetHistogram().GetAggregationTemporality() == cumulative:
		for _, p := range m.GetHistogram().GetDataPoints() {
			out = append(out, Point{Name: m.GetName(), Attributes: attributes(p.GetAttributes()), Value: float64(p.GetCount()), Sum: p.GetSum()})
		}
	}
	for _, p := range numbers {
		value := p.GetAsDouble()
		if _, whole := p.GetValue().(*metrics.NumberDataPoint_AsInt); whole {
			value = float64(p.GetAsInt())
		}
		out = append(out, Point{Name: m.GetName(), Attributes: attributes(p.GetAttributes()), Value: value})
	}
	return out
}

func attributes(pairs []*common.KeyValue) map[string]string {
	out := map[string]string{}
	for _, p := range pairs {
		switch v := p.GetValue().GetValue().(type) {
		case *common.AnyValue_StringValue:
			out[p.GetKey()] = v.StringValue
		case *common.AnyValue_IntValue:
			out[p.GetKey()] = fmt.Sprint(v.IntValue)
		case *common.AnyValue_DoubleValue:
			out[p.GetKey()] = fmt.Sprint(v.DoubleValue)
		case *common.AnyValue_BoolValue:
			out[p.GetKey()] = fmt.Sprint(v.BoolValue)
		}
	}
	return out
}
