package observe

import (
	"context"
	"encoding/binary"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/trace"
)

// The two headers of a trace: https://www.w3.org/TR/trace-context/#traceparent-header, to which later versions may append
// fields, and Google's older one with a decimal span (https://cloud.google.com/trace/docs/trace-context).
var (
	traceparent  = regexp.MustCompile(`^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$`)
	cloudContext = regexp.MustCompile(`^([0-9a-fA-F]{32})(?:/([0-9]+))?(?:;o=([0-9]+))?$`)
)

// Traceparent returns the context's trace and span in the form of the header of that name; empty outside of any trace.
func Traceparent(ctx context.Context) string {
	at := trace.SpanContextFromContext(ctx)
	if !at.IsValid() {
		return ""
	}
	return "00-" + at.TraceID().String() + "-" + at.SpanID().String() + "-" + (at.TraceFlags() & trace.FlagsSampled).String()
}

// Continue returns ctx within the trace that a Traceparent names.
func Continue(ctx context.Context, parent string) context.Context {
	at, ok := readTraceparent(parent)
	if !ok {
		return ctx
	}
	return trace.ContextWithRemoteSpanContext(ctx, at)
}

// readTrace returns the trace that the headers of a request name, if they name one.
func readTrace(h http.Header) (trace.SpanContext, bool) {
	if at, ok := readTraceparent(h.Get("Traceparent")); ok {
		return at, true
	}
	m := cloudContext.FindStringSubmatch(h.Get("X-Cloud-Trace-Context"))
	if m == nil {
		return trace.SpanContext{}, false
	}
	id, err := trace.TraceIDFromHex(strings.ToLower(m[1]))
	if err != nil {
		return trace.SpanContext{}, false
	}
	at := trace.SpanContextConfig{TraceID: id, TraceFlags: trace.TraceFlags(0).WithSampled(m[3] == "1")}
	// Zero or nothing means a trace without a span.
	if span, err := strconv.ParseUint(m[2], 10, 64); err == nil {
		binary.BigEndian.PutUint64(at.SpanID[:], span)
	}
	return trace.NewSpanContext(at), true
}

func readTraceparent(header string) (trace.SpanContext, bool) {
	m := traceparent.FindStringSubmatch(header)
	// Version ff is forbidden; version 00 has no further fields.
	if m == nil || m[1] == "ff" || (m[1] == "00" && m[5] != "") {
		return trace.SpanContext{}, false
	}
	flags, err := strconv.ParseUint(m[4], 16, 8)
	if err != nil {
		return trace.SpanContext{}, false
	}
	id, badID := trace.TraceIDFromHex(m[2])
	span, badSpan := trace.SpanIDFromHex(m[3])
	if badID != nil || badSpan != nil { // Ids of zeros are forbidden.
		return trace.SpanContext{}, false
	}
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: span, TraceFlags: trace.TraceFlags(flags) & trace.FlagsSampled}), true
}
