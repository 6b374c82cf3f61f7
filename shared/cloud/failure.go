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

// API is one of Google Cloud's APIs, as errors name it.
type API struct {
	// Side is the name of the adapter in faults.
	Side string
	// Codes tell by a status what the operator has to mend.
	Codes map[codes.Code]string
	// Hints say how, by the code.
	Hints map[string]string
}

// Classify says what kind of error a call ended with.
func (a API) Classify(op string, err error) error {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		kept := *f
		kept.Err = fmt.Errorf("%s: %w", op, f.Err)
		return &kept
	}
	s, ok := status.FromError(err)
	if !ok {
		// The call's own time was over while it waited for the next attempt, or the reply was none.
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
		f.After, f.Ambiguous = askedToWait(s), code != "quota"
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
	// What is left speaks of the address or of the service account: all else was checked before.
	return fault.Misconfigured, "refused"
}

// reasons are why a call was refused, in words of the service (https://google.aip.dev/193#errorinfo).
func reasons(s *status.Status) []string {
	var out []string
	for _, detail := range s.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetReason() != "" {
			out = append(out, info.GetReason())
		}
	}
	return out
}

// askedToWait is how long the service wants a call not to be repeated; zero where it does not say.
func askedToWait(s *status.Status) time.Duration {
	var wait time.Duration
	for _, detail := range s.Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			wait = max(wait, info.GetRetryDelay().AsDuration())
		}
	}
	return wait
}

// refusal is the status of a call that failed.
type refusal struct {
	status  *status.Status
	reasons []string
}

// maxMessage bounds how much of a service's words goes into an error.
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
