package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"google.golang.org/api/googleapi"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/httpx"
)

// isTaken tells whether Cloud Tasks has, or had a short time ago, a task of that name. The HTTP status alone would not
// do: a call that met another one is answered with 409 as well.
func isTaken(err error) bool {
	g, ok := errors.AsType[*googleapi.Error](err)
	return ok && refusalOf(g, time.Time{}).status == "ALREADY_EXISTS"
}

// classify says what kind of error a call of Cloud Tasks ended with.
func classify(op string, err error, now time.Time) error {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		kept := *f
		kept.Err = fmt.Errorf("%s: %w", op, f.Err)
		return &kept
	}
	if g, ok := errors.AsType[*googleapi.Error](err); ok {
		r := refusalOf(g, now)
		kind, code := r.kind()
		f := fault.Errorf(kind, side, code, "%s: %w", op, r)
		if kind == fault.Retry {
			f.After, f.Ambiguous = r.after, r.http != http.StatusTooManyRequests
		}
		return f
	}
	if r, ok := errors.AsType[*oauth2.RetrieveError](err); ok && isRefused(r) {
		// The whole error quotes the reply, which is the token service's to word.
		return fault.Errorf(fault.Misconfigured, side, "credentials", "%s: no token for this process: status %d %s", op, r.Response.StatusCode, r.ErrorCode)
	}
	code := "unreachable"
	if _, ok := errors.AsType[*json.SyntaxError](err); ok {
		code = "malformed-reply"
	} else if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		code = "interrupted"
	}
	f := fault.Errorf(fault.Retry, side, code, "%s: %w", op, httpx.Redact(err))
	f.Ambiguous = true
	return f
}

// isRefused tells a token service that refuses these credentials from one that is busy.
func isRefused(err *oauth2.RetrieveError) bool {
	if err.Response == nil {
		return false
	}
	status := err.Response.StatusCode
	return status < http.StatusInternalServerError && status != http.StatusTooManyRequests && status != http.StatusRequestTimeout
}

// refusal is an answer other than a success, as google.rpc.Status tells of it
// (https://cloud.google.com/apis/design/errors).
type refusal struct {
	http            int
	status, message string
	reasons         []string
	after           time.Duration
}

func refusalOf(g *googleapi.Error, now time.Time) refusal {
	r := refusal{http: g.Code, message: g.Message}
	var body struct {
		Error struct {
			Status  string `json:"status"`
			Details []struct {
				Reason     string `json:"reason"`
				RetryDelay string `json:"retryDelay"`
			} `json:"details"`
		} `json:"error"`
	}
	// A body that is no JSON has no details; a gateway on the way makes such ones.
	_ = json.Unmarshal([]byte(g.Body), &body)
	r.status = body.Error.Status
	for _, d := range body.Error.Details {
		if d.Reason != "" {
			r.reasons = append(r.reasons, d.Reason)
		}
		if wait, err := time.ParseDuration(d.RetryDelay); err == nil {
			r.after = max(r.after, wait)
		}
	}
	if wait, ok := httpx.RetryAfter(&http.Response{Header: g.Header}, now); ok {
		r.after = max(r.after, wait)
	}
	return r
}

func (r refusal) kind() (fault.Kind, string) {
	switch {
	case r.http == http.StatusTooManyRequests, slices.Contains(r.reasons, "RATE_LIMIT_EXCEEDED"):
		return fault.Retry, "quota"
	case r.http == http.StatusConflict, r.http == http.StatusRequestTimeout, r.http >= http.StatusInternalServerError:
		return fault.Retry, "unavailable"
	case r.http == http.StatusUnauthorized:
		return fault.Misconfigured, "credentials"
	case r.http == http.StatusForbidden && slices.Contains(r.reasons, "SERVICE_DISABLED"):
		return fault.Misconfigured, "api-disabled"
	case r.http == http.StatusForbidden:
		return fault.Misconfigured, "denied"
	case r.http == http.StatusNotFound, r.status == "FAILED_PRECONDITION":
		// A queue that does not exist is told of in both ways.
		return fault.Misconfigured, "queue-missing"
	}
	// What is left speaks of the address or of the service account: all else was checked before.
	return fault.Misconfigured, "refused"
}

// maxMessage bounds how much of a service's words goes into an error.
const maxMessage = 300

func (r refusal) Error() string {
	message := r.message
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + "…"
	}
	parts := []string{fmt.Sprintf("status %d", r.http)}
	for _, part := range []string{r.status, strings.Join(r.reasons, " "), message} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ": ")
}
