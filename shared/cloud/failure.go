package cloud

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tandem-sync/tandem/shared/fault"
)

// API says how to classify the errors of one of Google Cloud's APIs.
type API struct {
	// Side names the adapter in faults.
	Side string
	// Codes map a status that the operator has to fix to a fault code.
	Codes map[codes.Code]string
	// Hints say by fault code how to fix it.
	Hints map[string]string
}

// Classify turns the error of a call into a fault.
func (a API) Classify(op string, err error) error {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		wrapped := *f
		wrapped.Err = fmt.Errorf("%s: %w", op, f.Err)
		return &wrapped
	}
	s, ok := status.FromError(err)
	if !ok {
		// The call timed out while it waited for a retry, or the reply was not gRPC.
		code := "unreachable"
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			code = "interrupted"
		}
		f := fault.Errorf(fault.Retry, a.Side, code, "%s: %w", op, err)
		f.Ambiguous = true
		return f
	}
	r := refusal{status: s, reasons: reasons(s)}
	kind, code := a.kind(r)
	if hint := a.Hints[code]; hint != "" {
		op += ": " + hint
	}
	f := fault.Errorf(kind, a.Side, code, "%s: %w", op, r)
	if kind == fault.Retry {
		f.After, f.Ambiguous = retryDelay(s), code != "quota"
	}
	return f
}

func (a API) kind(r refusal) (fault.Kind, string) {
	code := r.status.Code()
	switch {
	case code == codes.ResourceExhausted, slices.Contains(r.reasons, "RATE_LIMIT_EXCEEDED"):
		return fault.Retry, "quota"
	case code == codes.Unavailable, code == codes.Aborted, code == codes.Internal, code == codes.Unknown, code == codes.DataLoss:
		return fault.Retry, "unavailable"
	case code == codes.DeadlineExceeded, code == codes.Canceled:
		return fault.Retry, "interrupted"
	case code == codes.Unauthenticated:
		return fault.Misconfigured, "credentials"
	case code == codes.PermissionDenied && slices.Contains(r.reasons, "SERVICE_DISABLED"):
		return fault.Misconfigured, "api-disabled"
	case code == codes.PermissionDenied:
		return fault.Misconfigured, "denied"
	case a.Codes[code] != "":
		return fault.Misconfigured, a.Codes[code]
	}
	// The remaining codes concern the address or the service account: everything else was checked before the call.
	return fault.Misconfigured, "refused"
}

// reasons are the service's reasons for refusing a call (https://google.aip.dev/193#errorinfo).
func reasons(s *status.Status) []string {
	var out []string
	for _, detail := range s.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetReason() != "" {
			out = append(out, info.GetReason())
		}
	}
	return out
}

// retryDelay is the delay that the service asks for before a retry; zero if it does not say.
func retryDelay(s *status.Status) time.Duration {
	var wait time.Duration
	for _, detail := range s.Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			wait = max(wait, info.GetRetryDelay().AsDuration())
		}
	}
	return wait
}

// refusal is the status of a failed call, as an error.
type refusal struct {
	status  *status.Status
	reasons []string
}

// maxMessage bounds the part of a service's message that goes into an error.
const maxMessage = 300

func (r refusal) Error() string {
	message := r.status.Message()
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + "…"
	}
	parts := []string{r.status.Code().String()}
	for _, part := range []string{strings.Join(r.reasons, " "), message} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ": ")
}
