// Package observe makes the logs of Tandem: for Cloud Logging as JSON, for a person at a terminal as text. It is for
// everything that is not pure; the pure packages have no logger.
//
// Invariants: what a logger of this package writes holds no secret that can be told by its form or its name, whoever
// let it slip into a message, an attribute or an error; users are written as a short hash; what With put into a
// context stands on every line that is logged with it.
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

// The levels of Cloud Logging that slog has no name for.
const (
	// LevelNotice is for what is normal and worth knowing, as a start.
	LevelNotice = slog.Level(2)
	// LevelCritical is for what nobody foresaw, as a panic.
	LevelCritical = slog.Level(12)
)

// Options of a logger for Cloud Logging.
type Options struct {
	// Project is the Google Cloud project that traces belong to; without it lines are not tied to traces.
	Project string
	// Level is the least level that is logged; default info.
	Level slog.Leveler
}

// NewLogger writes lines as Cloud Logging reads them from a function's standard output.
func NewLogger(w io.Writer, o Options) *slog.Logger {
	if o.Level == nil {
		o.Level = slog.LevelInfo
	}
	return slog.New(&scrubber{next: newCloud(w, o)})
}

// NewTextLogger writes lines for a person to read.
func NewTextLogger(w io.Writer, level slog.Leveler) *slog.Logger {
	return slog.New(&scrubber{next: &inContext{Handler: slog.NewTextHandler(w, &slog.HandlerOptions{
		Level: level,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			switch {
			case slices.Contains(groups, requestGroup):
				return slog.Attr{} // The line says the same in fewer words.
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

// User is how a user is named in logs: a short hash, the same for the same id, which says nothing to who does not know
// the id.
func User(id string) string {
	sum := sha256.Sum256([]byte("tandem user " + id))
	return "u-" + hex.EncodeToString(sum[:6])
}

type contextKey int

const attrsKey contextKey = iota

// With attaches attributes to every line that is logged with the context, as user, run and type. They are given as to
// slog.Logger.With: as slog.Attr, or as keys and values in turn. A later attribute replaces an earlier one of its key.
func With(ctx context.Context, attrs ...any) context.Context {
	kept := slices.Clone(attached(ctx))
	for _, a := range slog.Group("", attrs...).Value.Group() {
		if a.Equal(slog.Attr{}) {
			continue
		}
		a = scrubAttr(a)
		if i := slices.IndexFunc(kept, func(k slog.Attr) bool { return k.Key == a.Key }); i >= 0 {
			kept[i] = a
			continue
		}
		kept = append(kept, a)
	}
	return context.WithValue(ctx, attrsKey, kept)
}

func attached(ctx context.Context) []slog.Attr {
	if ctx == nil {
		return nil
	}
	attrs, _ := ctx.Value(attrsKey).([]slog.Attr)
	return attrs
}

// inContext adds the context's attributes to each line of a handler that knows nothing of them.
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
