// Package fault holds the closed list of error kinds that every other package
// speaks. An adapter decides once, where it reads an API's answer, which kind an
// error is; everybody above acts on the kind and never on the API's words.
//
// Each kind has one consequence for the run and one sentence for the user. The
// package is pure: no I/O, no clock, no logger.
package fault

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Kind says what follows from an error.
type Kind int

// The kinds, in the order in which a run looks at them. The zero value is Bug: an
// error that nobody classified is one.
const (
	// Bug is everything that should not happen; it is logged and the run fails.
	Bug Kind = iota
	// Retry may get better by itself: the run ends and is repeated later.
	Retry
	// FullSync means that a cursor is no longer good: read everything again.
	FullSync
	// Conflict means that the record changed since it was read: read, merge, write again.
	Conflict
	// ReadOnly means that the user may not change this record: leave it and say so.
	ReadOnly
	// Reconnect means that the user's authorization is gone: stop until linked again.
	Reconnect
	// BadRecord means that the service refuses this one record: report it, go on.
	BadRecord
	// Misconfigured is the operator's to mend: an alert, never a disconnected user.
	Misconfigured
	// Gone means that the record is no longer there.
	Gone
)

var names = map[Kind]string{
	Bug: "bug", Retry: "retry", FullSync: "full-sync", Conflict: "conflict", ReadOnly: "read-only",
	Reconnect: "reconnect", BadRecord: "bad-record", Misconfigured: "misconfigured", Gone: "gone",
}

// String is the kind's stable name, for logs and metrics.
func (k Kind) String() string { return names[k] }

// Error is an error with its kind.
type Error struct {
	Kind Kind
	// Code is a stable word for this error, as "unreachable" or "quota".
	Code string
	// Side is "creatio" or "google", empty where neither is concerned.
	Side string
	// After is the least time to wait before a repetition; zero where the service did not say.
	After time.Duration
	// Ambiguous says that the request may have taken effect although no answer came.
	Ambiguous bool
	// Err is the cause, for the log only.
	Err error
}

// New makes an error of a kind. code is a stable word; err is the cause.
func New(kind Kind, side, code string, err error) *Error {
	return &Error{Kind: kind, Side: side, Code: code, Err: err}
}

// Errorf makes an error of a kind from a format, which may wrap with %w.
func Errorf(kind Kind, side, code, format string, args ...any) *Error {
	return New(kind, side, code, fmt.Errorf(format, args...))
}

func (e *Error) Error() string {
	prefix := e.Kind.String()
	if e.Side != "" {
		prefix = e.Side + " " + prefix
	}
	if e.Err == nil {
		return prefix + ": " + e.Code
	}
	return fmt.Sprintf("%s: %s: %v", prefix, e.Code, e.Err)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf is the kind of the outermost classified error in err's chain. A cancelled
// or expired context is Retry: the work was cut off, not refused.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return Retry
	}
	return Bug
}

// Is reports whether err is of the kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }

// Ambiguous reports whether the failed request may have taken effect.
func Ambiguous(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Ambiguous
}

// InPart is err where the failed operation may have taken effect in part, whatever err itself says.
func InPart(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	part := *e
	part.Ambiguous = true
	return &part
}

// After is how long to wait at least before a repetition; zero where unknown.
func After(err error) time.Duration {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.After
	}
	return 0
}
