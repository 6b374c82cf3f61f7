// Package cloud says what kind of error a call of one of Google Cloud's REST APIs ended with. It is for the adapters that
// make such calls, and knows none of the APIs itself. No error of it holds a credential.
package cloud

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

// API is one of Google Cloud's APIs, as errors name it.
type API struct {
	// Side is the name of the adapter in faults.
	Side string
	// Codes tell by a google.rpc.Code, as "NOT_FOUND", what the operator has to mend.
	Codes map[string]string
	// Hints say how, by the code.
	Hints map[string]string
}

// StatusOf is the google.rpc.Code of a refusal, as "ALREADY_EXISTS"; empty for any other error. The HTTP status alone
// would not do: a call that met another one is answered with 409 as well.
func StatusOf(err error) string {
	g, ok := errors.AsType[*googleapi.Error](err)
	if !ok {
		return ""
	}
	return refusalOf(g, time.Time{}).status
}

// Classify says what kind of error a call ended with at now.
func (a API) Classify(op string, err error, now time.Time) error {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		kept := *f
		kept.Err = fmt.Errorf("%s: %w", op, f.Err)
		return &kept
	}
	if g, ok := errors.AsType[*googleapi.Error](err); ok {
		r := refusalOf(g, now)
		kind, code := a.kind(r)
		if hint := a.Hints[code]; hint != "" {
			op += ": " + hint
		}
		f := fault.Errorf(kind, a.Side, code, "%s: %w", op, r)
		if kind == fault.Retry {
			f.After, f.Ambiguous = r.after, r.http != http.StatusTooManyRequests
		}
		return f
	}
	if r, ok := errors.AsType[*oauth2.RetrieveError](err); ok && isRefused(r) {
		// The whole error quotes the reply, which is the token service's to word.
		return fault.Errorf(fault.Misconfigured, a.Side, "credentials", "%s: no token for this process: status %d %s", op, r.Response.StatusCode, r.ErrorCode)
	}
	code := "unreachable"
	if _, ok := errors.AsType[*json.SyntaxError](err); ok {
		code = "malformed-reply"
	} else if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		code = "interrupted"
	}
	f := fault.Errorf(fault.Retry, a.Side, code, "%s: %w", op, httpx.Redact(err))
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

func (a API) kind(r refusal) (fault.Kind, string) {
	status := r.status
	if r.http == http.StatusNotFound {
		status = "NOT_FOUND"
	}
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
	case a.Codes[status] != "":
		return fault.Misconfigured, a.Codes[status]
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
