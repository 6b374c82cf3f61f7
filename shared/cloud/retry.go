package cloud

import (
	"slices"
	"time"

	"github.com/googleapis/gax-go/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Repeat has a call repeated that may be made twice: where the service was not reached, was busy or did not answer.
func Repeat() gax.CallOption {
	return gax.WithRetry(func() gax.Retryer {
		return &retryer{left: attempts - 1, backoff: gax.Backoff{Initial: firstWait, Max: longestWait, Multiplier: 2}}
	})
}

// Once has a call that may not be made twice made once, whatever the client does by itself.
func Once() gax.CallOption { return gax.WithRetry(nil) }

// passing are the codes of errors that may be gone a moment later (https://google.aip.dev/194); an attempt that took too
// long is one of them.
var passing = []codes.Code{codes.Unavailable, codes.DeadlineExceeded, codes.ResourceExhausted}

// retryer decides on the repetitions of one call. The client would go on until the call's time is over.
type retryer struct {
	left    int
	backoff gax.Backoff
}

// Retry tells how long to wait for the next attempt. Who is asked to wait for longer than this leaves it to the caller.
func (r *retryer) Retry(err error) (time.Duration, bool) {
	if r.left == 0 || !slices.Contains(passing, status.Code(err)) {
		return 0, false
	}
	r.left--
	wait := max(r.backoff.Pause(), askedToWait(status.Convert(err)))
	return wait, wait <= longestWait
}
