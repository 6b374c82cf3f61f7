package observe

import (
	"context"
	"errors"
	"log/slog"
	"regexp"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/tandem-sync/tandem/shared/fault"
)

// scopeName distinguishes Tandem's spans and metrics from those of libraries.
const scopeName = "github.com/tandem-sync/tandem"

// Span is an operation in a trace. The zero value records nothing.
type Span struct{ inner trace.Span }

// Begin begins a child of the context's span. It does nothing if the trace is not recorded. The name is one of a small set;
// details go into attributes.
func Begin(ctx context.Context, name string, attrs ...slog.Attr) (context.Context, Span) {
	// The tracer comes from the context, so that callers need no reference to Telemetry.
	tracer := trace.SpanFromContext(ctx).TracerProvider().Tracer(scopeName)
	ctx, inner := tracer.Start(ctx, name)
	s := Span{inner}
	s.Set(attrs...)
	return ctx, s
}

// Set adds attributes. Texts that are no words become "other"; see word.
func (s Span) Set(attrs ...slog.Attr) {
	if s.inner == nil || !s.inner.IsRecording() {
		return
	}
	for _, a := range attrs {
		s.inner.SetAttributes(plain(a))
	}
}

// End ends the span with the error of its operation. The trace shows the error's kind and code, but not its text, which
// may quote a user's data.
func (s Span) End(err error) {
	if s.inner == nil {
		return
	}
	if err != nil && s.inner.IsRecording() {
		s.inner.SetStatus(codes.Error, fault.KindOf(err).String())
		s.inner.SetAttributes(attribute.String("kind", word(fault.KindOf(err).String())))
		var f *fault.Error
		if errors.As(err, &f) && f.Code != "" {
			s.inner.SetAttributes(attribute.String("code", word(f.Code)))
		}
	}
	s.inner.End()
}

// plain converts an attribute for a trace.
func plain(a slog.Attr) attribute.KeyValue {
	switch v := a.Value.Resolve(); v.Kind() {
	case slog.KindInt64:
		return attribute.Int64(a.Key, v.Int64())
	case slog.KindBool:
		return attribute.Bool(a.Key, v.Bool())
	case slog.KindDuration:
		return attribute.Float64(a.Key, v.Duration().Seconds())
	default:
		return attribute.String(a.Key, word(v.String()))
	}
}

var words = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,23}$`)

// word returns a text that is a short word as it is, and "other" for any other text. Names, addresses, ids and tokens have
// another form or are longer. So no user's data gets into a trace or a metric, and labels have few values.
func word(text string) string {
	switch {
	case text == "" || words.MatchString(text):
		return text
	default:
		return "other"
	}
}
