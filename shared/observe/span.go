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

// scopeName is what spans and metrics are told apart by from those of libraries.
const scopeName = "github.com/tandem-sync/tandem"

// Span is a piece of work in a trace. The zero value is one that nobody looks at.
type Span struct{ inner trace.Span }

// Begin begins a piece of work within the one that the context is in. Outside of a trace that is sent it costs nothing
// and does nothing. The name is one of a small set: what tells two pieces of the same work apart goes into attributes.
func Begin(ctx context.Context, name string, attrs ...slog.Attr) (context.Context, Span) {
	// The tracer comes with the context, so that who works needs to know nobody who sends.
	tracer := trace.SpanFromContext(ctx).TracerProvider().Tracer(scopeName)
	ctx, inner := tracer.Start(ctx, name)
	s := Span{inner}
	s.Set(attrs...)
	return ctx, s
}

// Set adds attributes. Texts have to be words; see word.
func (s Span) Set(attrs ...slog.Attr) {
	if s.inner == nil || !s.inner.IsRecording() {
		return
	}
	for _, a := range attrs {
		s.inner.SetAttributes(plain(a))
	}
}

// End ends the work, with the error that it ended with. Of an error a trace shows what it is, and not its text, which
// may quote what a user wrote.
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

// plain is an attribute as a trace takes it.
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

// word is a text as a label may have it. Names, addresses, ids and tokens are of another form, or longer: what a user
// wrote cannot come to stand in a trace or a metric, and no label has values without end.
func word(text string) string {
	switch {
	case text == "" || words.MatchString(text):
		return text
	default:
		return "other"
	}
}
