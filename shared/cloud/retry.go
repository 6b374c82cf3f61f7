package cloud

import (
	"slices"
	"time"

	"github.com/googleapis/gax-go/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Repeat is for an idempotent call. The call is retried if the service was not reached, was busy or did not answer.
func Repeat() gax.CallOption {
	return gax.WithRetry(func() gax.Retryer {
		return &retryer{left: maxAttempts - 1, backoff: gax.Backoff{Initial: firstBackoff, Max: maxBackoff, Multiplier: 2}}
	})
}

// Once is for a call that is not idempotent. It switches off the client's own retries.
func Once() gax.CallOption { return gax.WithRetry(nil) }

// transient are the codes of errors that a retry may resolve (https://google.aip.dev/194), including the timeout of an
// attempt.
var transient = []codes.Code{codes.Unavailable, codes.DeadlineExceeded, codes.ResourceExhausted}

// retryer limits the retries of one call. Without it the client retries until the call times out.
type retryer struct {
	left    int
	backoff gax.Backoff
}

// Retry returns the delay before the next attempt. If the service asks for a delay longer than maxBackoff, it does not
// retry: the caller does so later.
func (r *retryer) Retry(err error) (time.Duration, bool) {
	if r.left == 0 || !slices.Contains(transient, status.Code(err)) {
		return 0, false
	}
	r.left--
	wait := max(r.backoff.Pause(), retryDelay(status.Convert(err)))
	return wait, wait <= maxBackoff
}
