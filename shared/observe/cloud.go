package observe

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"runtime"
	"slices"
	"strconv"

	"go.opentelemetry.io/otel/trace"
)

// The keys of a line that Cloud Logging interprets
// (https://cloud.google.com/logging/docs/structured-logging#structured_logging_special_fields), and the one that marks
// an error for Error Reporting (https://cloud.google.com/error-reporting/docs/formatting-error-messages).
const (
	severityField = "severity"
	messageField  = "message"
	timeField     = "time"
	traceField    = "logging.googleapis.com/trace"
	spanField     = "logging.googleapis.com/spanId"
	sampledField  = "logging.googleapis.com/trace_sampled"
	labelsField   = "logging.googleapis.com/labels"
	sourceField   = "logging.googleapis.com/sourceLocation"
	typeField     = "@type"

	reportedError = "type.googleapis.com/google.devtools.clouderrorreporting.v1beta1.ReportedErrorEvent"
)

// reserved are the keys that an attribute may not use: the line would have the key twice.
var reserved = []string{
	severityField, messageField, timeField, "timestamp", "timestampSeconds", "timestampNanos", traceField, spanField,
	sampledField, labelsField, sourceField, typeField, "logging.googleapis.com/insertId", "logging.googleapis.com/operation",
}

// cloud writes lines for Cloud Logging. It stores groups and attributes itself, because the special fields are top-level
// fields of a line even if its logger has an open group.
type cloud struct {
	json    slog.Handler
	project string
	scopes  []scope
}

// scope is a group that a logger opened, or attributes that were added to it.
type scope struct {
	group string
	attrs []slog.Attr
}

func newCloud(w io.Writer, o Options) *cloud {
	return &cloud{project: o.Project, json: slog.NewJSONHandler(w, &slog.HandlerOptions{Level: o.Level, ReplaceAttr: rename})}
}

// rename gives slog's own fields the names of Cloud Logging. Attributes with the same keys were renamed before, by
// unreserved.
func rename(groups []string, a slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return a
	}
	switch a.Key {
	case slog.LevelKey:
		if level, ok := a.Value.Any().(slog.Level); ok {
			return slog.String(severityField, severity(level))
		}
	case slog.MessageKey:
		a.Key = messageField
	}
	return a
}

func severity(l slog.Level) string {
	switch {
	case l < slog.LevelInfo:
		return "DEBUG"
	case l < LevelNotice:
		return "INFO"
	case l < slog.LevelWarn:
		return "NOTICE"
	case l < slog.LevelError:
		return "WARNING"
	case l < LevelCritical:
		return "ERROR"
	default:
		return "CRITICAL"
	}
}

func (h *cloud) Enabled(ctx context.Context, l slog.Level) bool { return h.json.Enabled(ctx, l) }

func (h *cloud) WithAttrs(attrs []slog.Attr) slog.Handler { return h.within(scope{attrs: attrs}) }

func (h *cloud) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return h.within(scope{group: name})
}

func (h *cloud) within(s scope) *cloud {
	inner := *h
	inner.scopes = append(slices.Clip(h.scopes), s)
	return &inner
}

func (h *cloud) Handle(ctx context.Context, r slog.Record) error {
	line := slog.NewRecord(r.Time, r.Level, r.Message, 0)
	line.AddAttrs(h.special(ctx, r)...)
	for _, a := range h.attrs(r) {
		line.AddAttrs(unreserved(a)...)
	}
	return h.json.Handle(ctx, line)
}

// special returns the fields that Cloud Logging and Error Reporting interpret.
func (h *cloud) special(ctx context.Context, r slog.Record) []slog.Attr {
	var out []slog.Attr
	if r.Level >= slog.LevelError {
		out = append(out, slog.String(typeField, reportedError))
	}
	if at := trace.SpanContextFromContext(ctx); at.HasTraceID() && h.project != "" {
		out = append(out, slog.String(traceField, "projects/"+h.project+"/traces/"+at.TraceID().String()))
		if at.HasSpanID() {
			out = append(out, slog.String(spanField, at.SpanID().String()))
		}
		out = append(out, slog.Bool(sampledField, at.IsSampled()))
	}
	if attrs := attached(ctx); len(attrs) > 0 {
		out = append(out, slog.Any(labelsField, labels(attrs)))
	}
	if r.PC != 0 {
		frame, _ := runtime.CallersFrames([]uintptr{r.PC}).Next()
		out = append(out, slog.Group(sourceField, slog.String("file", frame.File),
			slog.String("line", strconv.Itoa(frame.Line)), slog.String("function", frame.Function)))
	}
	return out
}

// labels turns attributes into labels, whose values are always texts in Cloud Logging.
func labels(attrs []slog.Attr) map[string]string {
	out := make(map[string]string, len(attrs))
	var add func(prefix string, attrs []slog.Attr)
	add = func(prefix string, attrs []slog.Attr) {
		for _, a := range attrs {
			value := a.Value.Resolve()
			switch raw, isJSON := value.Any().(json.RawMessage); {
			case value.Kind() == slog.KindGroup:
				add(prefix+a.Key+".", value.Group())
			case isJSON:
				out[prefix+a.Key] = string(raw)
			default:
				out[prefix+a.Key] = value.String()
			}
		}
	}
	add("", attrs)
	return out
}

// attrs returns the attributes of the line and of its logger, within the groups that the logger opened.
func (h *cloud) attrs(r slog.Record) []slog.Attr {
	var own []slog.Attr
	r.Attrs(func(a slog.Attr) bool {
		own = append(own, a)
		return true
	})
	for _, s := range slices.Backward(h.scopes) {
		if s.group != "" {
			own = []slog.Attr{{Key: s.group, Value: slog.GroupValue(own...)}}
			continue
		}
		own = slices.Concat(s.attrs, own)
	}
	return own
}

// unreserved renames an attribute whose key is reserved. A group without a key is replaced by its members, as slog does.
func unreserved(a slog.Attr) []slog.Attr {
	if a.Key == "" && a.Value.Kind() == slog.KindGroup {
		var out []slog.Attr
		for _, member := range a.Value.Group() {
			out = append(out, unreserved(member)...)
		}
		return out
	}
	if slices.Contains(reserved, a.Key) || a.Key == slog.LevelKey || a.Key == slog.MessageKey {
		a.Key += "_"
	}
	return []slog.Attr{a}
}
