package httpx

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"

	"github.com/tandem-sync/tandem/shared/fault"
)

var (
	errAttemptTimeout = errors.New("no complete reply within the time of one attempt")
	errAskedToWait    = errors.New("asked to wait for longer than a request may take")
	errOwnLimit       = errors.New("the rate limit of this user requires a longer wait than a request may take")
)

func (t *transport) fault(kind fault.Kind, code string, err error) *fault.Error {
	return fault.New(kind, t.Side, code, err)
}

// interrupted is the fault of a request whose context ended.
func (t *transport) interrupted(err error) *fault.Error {
	code := "canceled"
	if errors.Is(err, context.DeadlineExceeded) {
		code = "timeout"
	}
	return t.fault(fault.Retry, code, err)
}

// failure classifies an attempt without a reply.
func (t *transport) failure(ctx context.Context, req *http.Request, tr *trace, err error) outcome {
	// The base has classified the error itself, as a token source does that has to refresh first.
	if f, ok := errors.AsType[*fault.Error](err); ok {
		own := *f
		return outcome{fault: &own, unsent: tr.unsent() || !own.Ambiguous, final: true}
	}
	out := outcome{unsent: tr.unsent() || neverDialed(err)}
	var verification *tls.CertificateVerificationError
	var timeout net.Error
	switch {
	case req.Context().Err() != nil:
		out.fault, out.final = t.interrupted(req.Context().Err()), true
	case errors.Is(context.Cause(ctx), errAttemptTimeout):
		out.fault = t.fault(fault.Retry, "timeout", errAttemptTimeout)
	case errors.As(err, &verification):
		out.fault, out.unsent, out.final = t.fault(fault.Retry, "certificate", err), true, true
	case errors.As(err, &timeout) && timeout.Timeout():
		out.fault = t.fault(fault.Retry, "timeout", err)
	case out.unsent:
		out.fault = t.fault(fault.Retry, "unreachable", err)
	default:
		out.fault = t.fault(fault.Retry, "connection-lost", err)
	}
	return out
}

// neverDialed reports whether connecting failed, so that nothing of the request was sent.
func neverDialed(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return true
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return true
	}
	_, ok := errors.AsType[tls.RecordHeaderError](err)
	return ok
}

// waitCode is the fault code of a reply that asks to wait.
func waitCode(status int) string {
	if status == http.StatusTooManyRequests {
		return "quota"
	}
	return "unavailable"
}

// trace records whether an attempt got a connection. http.Transport reports it. Another base may not; then it is unknown.
type trace struct{ asked, connected atomic.Bool }

func (tr *trace) attach(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { tr.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { tr.connected.Store(true) },
	})
}

// unsent reports whether the attempt ended while it waited for a connection, including the TLS handshake.
func (tr *trace) unsent() bool { return tr.asked.Load() && !tr.connected.Load() }
