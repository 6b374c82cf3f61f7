package google

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"google.golang.org/api/googleapi"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/httpx"
)

// classify says what kind of error a call ended with. It is the one place that knows the API's words. write says that
// the call changes something, so that without an answer it may have taken effect.
func (c *Contacts) classify(what string, err error, write bool) error {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		kept := *f
		kept.Side = side
		kept.Err = fmt.Errorf("%s: %w", what, f.Err)
		if f.Err == nil {
			kept.Err = errors.New(what)
		}
		return &kept
	}
	if g, ok := errors.AsType[*googleapi.Error](err); ok {
		return refusalOf(g, c.options.Now()).fault(what, write)
	}
	code := "unreachable"
	if _, ok := errors.AsType[*json.SyntaxError](err); ok {
		code = "malformed-reply"
	} else if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		code = "malformed-reply"
	}
	f := fault.Errorf(fault.Retry, side, code, "%s: %w", what, httpx.Redact(err))
	f.Ambiguous = write
	return f
}

// onList is the error of a reading that concerns no single record.
func onList(err error) error {
	switch fault.KindOf(err) {
	case fault.BadRecord, fault.Conflict, fault.Gone:
		return fault.New(fault.Bug, side, "request-refused", err)
	}
	return err
}

// concernsAll reports whether an error is not of single records only.
func concernsAll(err error) bool {
	switch fault.KindOf(err) {
	case fault.BadRecord, fault.Conflict, fault.Gone, fault.ReadOnly:
		return false
	}
	return true
}

// refusal is an answer other than a success, as google.rpc.Status and the older form tell of it
// (https://cloud.google.com/apis/design/errors).
type refusal struct {
	http    int
	status  string
	message string
	reasons []string
	after   time.Duration
	// page says that the answer is a page for people.
	page bool
	// unprocessed says that a 503 named a time, and so was not half done.
	unprocessed bool
}

func refusalOf(g *googleapi.Error, now time.Time) refusal {
	r := refusal{http: g.Code, message: g.Message, page: httpx.IsPage(&http.Response{Header: g.Header})}
	var body struct {
		Error struct {
			Status  string            `json:"status"`
			Details []json.RawMessage `json:"details"`
		} `json:"error"`
	}
	// A body that is no JSON has no details; a gateway on the way makes such ones.
	_ = json.Unmarshal([]byte(g.Body), &body)
	r.status = body.Error.Status
	for _, e := range g.Errors {
		r.reasons = append(r.reasons, e.Reason)
	}
	for _, raw := range body.Error.Details {
		var d struct {
			Reason     string `json:"reason"`
			RetryDelay string `json:"retryDelay"`
		}
		if json.Unmarshal(raw, &d) != nil {
			continue
		}
		if d.Reason != "" {
			r.reasons = append(r.reasons, d.Reason)
		}
		if wait, err := time.ParseDuration(d.RetryDelay); err == nil {
			r.after = max(r.after, wait)
		}
	}
	if wait, ok := httpx.RetryAfter(&http.Response{Header: g.Header}, now); ok {
		r.after = max(r.after, wait)
		r.unprocessed = true
	}
	return r
}

func (r refusal) has(words ...string) bool {
	return slices.ContainsFunc(r.reasons, func(reason string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(reason, w) })
	})
}

func (r refusal) says(words ...string) bool {
	text := strings.ToLower(r.message)
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
}

// stale reports a write to a state that is no longer the current one. Google answers it with 400, and at times
// has with 403 and 412.
func (r refusal) stale() bool {
	return r.has("failedPrecondition") || r.status == "FAILED_PRECONDITION" || r.http == http.StatusPreconditionFailed || r.says("etag")
}

func (r refusal) fault(what string, write bool) *fault.Error {
	kind, code := r.kind()
	f := fault.New(kind, side, code, fmt.Errorf("%s: %w", what, r))
	if kind == fault.Retry {
		f.After = r.after
		answered := r.http == http.StatusTooManyRequests || r.http == http.StatusForbidden ||
			(r.http == http.StatusServiceUnavailable && r.unprocessed)
		f.Ambiguous = write && !answered
	}
	return f
}

func (r refusal) kind() (fault.Kind, string) {
	switch {
	case r.page && r.http >= http.StatusBadRequest && r.http < http.StatusInternalServerError && r.http != http.StatusTooManyRequests &&
		r.http != http.StatusRequestTimeout && r.http != http.StatusUnauthorized:
		// Of no record: something before the API, or an address at which there is none.
		return fault.Misconfigured, "html-instead-of-json"
	case r.http == http.StatusUnauthorized:
		// The transport below has a good token, or has said that there is none.
		return fault.Retry, "token-refused"
	case r.http == http.StatusTooManyRequests, r.has("rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded",
		"RATE_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED", "dailyLimitExceeded"):
		return fault.Retry, "quota"
	case r.has("EXPIRED_SYNC_TOKEN"), r.http == http.StatusGone, r.http == http.StatusBadRequest && r.says("sync token"):
		return fault.FullSync, "token-expired"
	case r.has("MY_CONTACTS_OVERFLOW_COUNT"), r.says("my_contacts_overflow_count"):
		return fault.BadRecord, "contacts-full"
	case (r.http == http.StatusBadRequest || r.http == http.StatusForbidden || r.http == http.StatusPreconditionFailed) && r.stale():
		return fault.Conflict, "changed-meanwhile"
	case r.http == http.StatusForbidden:
		return r.forbidden()
	case r.http == http.StatusNotFound:
		return fault.Gone, "not-found"
	case r.http == http.StatusConflict:
		return fault.Conflict, "exists"
	case r.http == http.StatusRequestTimeout, r.http >= http.StatusInternalServerError:
		return fault.Retry, "unavailable"
	case r.http >= http.StatusBadRequest:
		return fault.BadRecord, "refused"
	}
	return fault.Bug, "unexpected-status"
}

// forbidden tells what is missing: the user's consent, or the operator's set-up.
func (r refusal) forbidden() (fault.Kind, string) {
	switch {
	case r.has("ACCESS_TOKEN_SCOPE_INSUFFICIENT", "insufficientPermissions", "insufficientScopes"), r.says("insufficient authentication scopes"):
		return fault.Reconnect, "scope-missing"
	case r.has("SERVICE_DISABLED", "accessNotConfigured"):
		return fault.Misconfigured, "api-disabled"
	}
	return fault.Misconfigured, "no-access"
}

// maxMessage bounds how much of a service's words goes into an error.
const maxMessage = 300

func (r refusal) Error() string {
	message := r.message
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + "…"
	}
	parts := []string{fmt.Sprintf("status %d", r.http)}
	if r.status != "" {
		parts = append(parts, r.status)
	}
	if len(r.reasons) > 0 {
		parts = append(parts, strings.Join(r.reasons, " "))
	}
	if message != "" {
		parts = append(parts, message)
	}
	return strings.Join(parts, ": ")
}

// codeFailedPrecondition is google.rpc.Code's word for a write to a state that is no longer the current one.
const codeFailedPrecondition = 9

// codeStatus maps google.rpc.Code to HTTP, for the fates of single records inside an answer
// (https://cloud.google.com/apis/design/errors#handling_errors).
var codeStatus = map[int64]int{
	1: 503, 2: 500, 3: 400, 4: 504, 5: 404, 6: 409, 7: 403, 8: 429, 9: 400, 10: 409, 11: 400, 13: 500, 14: 503, 15: 500, 16: 401,
}
