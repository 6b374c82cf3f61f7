// Package observe makes the logs, traces and metrics of Tandem. Logs are JSON for Cloud Logging, or text for a terminal.
// It is for all packages that are not pure; the pure packages have no logger.
//
// Invariants: a logger of this package removes every secret that is recognizable by its form or its name, from messages,
// attributes and errors; users are logged as a short hash; the attributes that With adds to a context are on every line
// that is logged with it.
package observe

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"slices"
	"time"
)

// The levels of Cloud Logging for which slog has no name.
const (
	// LevelNotice is for normal but significant events, such as a start.
	LevelNotice = slog.Level(2)
	// LevelCritical is for unexpected failures, such as a panic.
	LevelCritical = slog.Level(12)
)

// Options of a logger for Cloud Logging.
type Options struct {
	// Project is the Google Cloud project of the traces; without it lines are not connected with traces.
	Project string
	// Level is the lowest level that is logged; default info.
	Level slog.Leveler
}

// NewLogger makes a logger that writes lines in the form that Cloud Logging reads from a function's output.
func NewLogger(w io.Writer, o Options) *slog.Logger {
	if o.Level == nil {
		o.Level = slog.LevelInfo
	}
	return slog.New(&scrubber{next: newCloud(w, o)})
}

// NewTextLogger makes a logger that writes lines for a person to read.
func NewTextLogger(w io.Writer, level slog.Leveler) *slog.Logger {
	return slog.New(&scrubber{next: &inContext{Handler: slog.NewTextHandler(w, &slog.HandlerOptions{
		Level: level,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			switch {
			case slices.Contains(groups, requestGroup):
				return slog.Attr{} // The line has the same values outside of the group.
			case len(groups) > 0:
			case a.Key == slog.TimeKey && a.Value.Kind() == slog.KindTime:
				a.Value = slog.StringValue(a.Value.Time().Format(time.TimeOnly))
			case a.Key == slog.LevelKey:
				if level, ok := a.Value.Any().(slog.Level); ok {
					a.Value = slog.StringValue(severity(level))
				}
			}
			return a
		},
	})}})
}

// User is the name of a user in logs: a short hash of the id, from which the id cannot be derived.
func User(id string) string {
	sum := sha256.Sum256([]byte("tandem user " + id))
	return "u-" + hex.EncodeToString(sum[:6])
}

type contextKey int

const attrsKey contextKey = iota

// With adds attributes, such as user, run and type, to every line that is logged with the context. Its arguments are those
// of slog.Logger.With. A later attribute replaces an earlier one with the same key.
func With(ctx context.Context, attrs ...any) context.Context {
	out := slices.Clone(attached(ctx))
	for _, a := range slog.Group("", attrs...).Value.Group() {
		if a.Equal(slog.Attr{}) {
			continue
		}
		a = scrubAttr(a)
		if i := slices.IndexFunc(out, func(o slog.Attr) bool { return o.Key == a.Key }); i >= 0 {
			out[i] = a
			continue
		}
		out = append(out, a)
	}
	return context.WithValue(ctx, attrsKey, out)
}

func attached(ctx context.Context) []slog.Attr {
	if ctx == nil {
		return nil
	}
	attrs, _ := ctx.Value(attrsKey).([]slog.Attr)
	return attrs
}

// inContext adds the context's attributes to each line of a handler that ignores the context.
type inContext struct{ slog.Handler }

func (h *inContext) Handle(ctx context.Context, r slog.Record) error {
	if attrs := attached(ctx); len(attrs) > 0 {
		r = r.Clone()
		r.AddAttrs(attrs...)
	}
	return h.Handler.Handle(ctx, r)
}

func (h *inContext) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &inContext{h.Handler.WithAttrs(attrs)}
}

func (h *inContext) WithGroup(name string) slog.Handler { return &inContext{h.Handler.WithGroup(name)} }
