// Package fault holds the closed list of error kinds that all packages use. An adapter classifies an error once, where it
// reads the API's reply. Every caller acts on the kind, and never on the text of the API.
//
// Each kind has one consequence for the run and one sentence for the user. The package is pure: no I/O, no clock, no
// logger.
package fault

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Kind decides the consequence of an error.
type Kind int

// The kinds. The zero value is Bug, because an unclassified error is a bug.
const (
	// Bug is an error that should not happen: it is logged and the run fails.
	Bug Kind = iota
	// Retry may be temporary: the run ends and is retried later.
	Retry
	// FullSync means that a cursor is no longer valid: read everything again.
	FullSync
	// Conflict means that the record changed since it was read: read, merge, write again.
	Conflict
	// ReadOnly means that the user may not change this record: leave it and report it.
	ReadOnly
	// Reconnect means that the user's authorization is gone: stop until linked again.
	Reconnect
	// BadRecord means that the service refuses this one record: report it and continue.
	BadRecord
	// Misconfigured is for the operator to fix: it raises an alert and never disconnects a user.
	Misconfigured
	// Gone means that the record no longer exists.
	Gone
)

var names = map[Kind]string{
	Bug: "bug", Retry: "retry", FullSync: "full-sync", Conflict: "conflict", ReadOnly: "read-only",
	Reconnect: "reconnect", BadRecord: "bad-record", Misconfigured: "misconfigured", Gone: "gone",
}

// String returns the kind's stable name, for logs and metrics.
func (k Kind) String() string { return names[k] }

// Error is an error with its kind.
type Error struct {
	Kind Kind
	// Code is a stable word for this error, such as "unreachable" or "quota".
	Code string
	// Side is "creatio" or "google", or the adapter's own name; empty if none is concerned.
	Side string
	// After is the least time to wait before a retry; zero if the service did not name one.
	After time.Duration
	// Ambiguous says that the request may have taken effect although it failed.
	Ambiguous bool
	// Err is the cause, for the log only.
	Err error
}

// New returns an error of a kind. code is a stable word; err is the cause.
func New(kind Kind, side, code string, err error) *Error {
	return &Error{Kind: kind, Side: side, Code: code, Err: err}
}

// Errorf returns an error of a kind whose cause is formatted; the format may wrap with %w.
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

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the outermost classified error in err's chain. A cancelled or expired context is Retry: the
// work was interrupted, not refused.
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

// InPart marks err as Ambiguous: the failed operation may have taken effect in part.
func InPart(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	part := *e
	part.Ambiguous = true
	return &part
}

// After returns the least time to wait before a retry; zero if unknown.
func After(err error) time.Duration {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.After
	}
	return 0
}
