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

// meanings says what a refusal means. The first line that fits decides.
var meanings = []meaning{
	// A page for people is of no record: it comes from something before the API, or from an address at which there is none.
	{refusedPage, fault.Misconfigured, "html-instead-of-json"},
	// The transport below has a good token, or has said that there is none.
	{status(http.StatusUnauthorized), fault.Retry, "token-refused"},
	{either(status(http.StatusTooManyRequests), reason("rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded",
		"RATE_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED", "dailyLimitExceeded")), fault.Retry, "quota"},
	{either(reason("EXPIRED_SYNC_TOKEN"), status(http.StatusGone), both(status(http.StatusBadRequest), message("sync token"))), fault.FullSync, "token-expired"},
	{either(reason("MY_CONTACTS_OVERFLOW_COUNT"), message("my_contacts_overflow_count")), fault.BadRecord, "contacts-full"},
	{both(status(http.StatusBadRequest, http.StatusForbidden, http.StatusPreconditionFailed), stale), fault.Conflict, "changed-meanwhile"},
	// What a 403 lacks is the user's consent, or the operator's set-up.
	{both(status(http.StatusForbidden), either(reason("ACCESS_TOKEN_SCOPE_INSUFFICIENT", "insufficientPermissions", "insufficientScopes"),
		message("insufficient authentication scopes"))), fault.Reconnect, "scope-missing"},
	{both(status(http.StatusForbidden), reason("SERVICE_DISABLED", "accessNotConfigured")), fault.Misconfigured, "api-disabled"},
	{status(http.StatusForbidden), fault.Misconfigured, "no-access"},
	{status(http.StatusNotFound), fault.Gone, "not-found"},
	{status(http.StatusConflict), fault.Conflict, "exists"},
	{either(status(http.StatusRequestTimeout), atLeast(http.StatusInternalServerError)), fault.Retry, "unavailable"},
	{atLeast(http.StatusBadRequest), fault.BadRecord, "refused"},
	{func(refusal) bool { return true }, fault.Bug, "unexpected-status"},
}

type meaning struct {
	fits func(refusal) bool
	kind fault.Kind
	code string
}

// refusedPage fits a page for people in the place of an answer, where a repetition would bring it again.
func refusedPage(r refusal) bool {
	passing := status(http.StatusTooManyRequests, http.StatusRequestTimeout, http.StatusUnauthorized)
	return r.page && r.http >= http.StatusBadRequest && r.http < http.StatusInternalServerError && !passing(r)
}

// stale fits a write to a state that is no longer the current one. Google answers it with 400, and at times has with 403
// and 412.
func stale(r refusal) bool {
	return r.http == http.StatusPreconditionFailed || r.status == failedPrecondition || reason("failedPrecondition")(r) || message("etag")(r)
}

// failedPrecondition is google.rpc.Code's name for a write to a state that is no longer the current one.
const failedPrecondition = "FAILED_PRECONDITION"

func status(codes ...int) func(refusal) bool {
	return func(r refusal) bool { return slices.Contains(codes, r.http) }
}

func atLeast(code int) func(refusal) bool { return func(r refusal) bool { return r.http >= code } }

func reason(words ...string) func(refusal) bool {
	return func(r refusal) bool {
		return slices.ContainsFunc(r.reasons, func(is string) bool {
			return slices.ContainsFunc(words, func(w string) bool { return strings.EqualFold(is, w) })
		})
	}
}

func message(words string) func(refusal) bool {
	return func(r refusal) bool { return strings.Contains(strings.ToLower(r.message), words) }
}

func either(conditions ...func(refusal) bool) func(refusal) bool {
	return func(r refusal) bool {
		return slices.ContainsFunc(conditions, func(fits func(refusal) bool) bool { return fits(r) })
	}
}

func both(conditions ...func(refusal) bool) func(refusal) bool {
	return func(r refusal) bool {
		return !slices.ContainsFunc(conditions, func(fits func(refusal) bool) bool { return !fits(r) })
	}
}

// Classify gives the error of a call its kind; nil stays nil. write says that the call changes something, so that without
// an answer it may have taken effect. now is the time from which a date to wait for counts.
func Classify(what string, err error, write bool, now time.Time) error {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		classified := *f
		classified.Side = Side
		classified.Err = fmt.Errorf("%s: %w", what, f.Err)
		if f.Err == nil {
			classified.Err = errors.New(what)
		}
		return &classified
	}
	if g, ok := errors.AsType[*googleapi.Error](err); ok {
		return refusalOf(g, now).fault(what, write)
	}
	code := "unreachable"
	if _, ok := errors.AsType[*json.SyntaxError](err); ok {
		code = "malformed-reply"
	} else if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		code = "malformed-reply"
	}
	f := fault.Errorf(fault.Retry, Side, code, "%s: %w", what, httpx.Redact(err))
	f.Ambiguous = write
	return f
}

// ClassifyStatus gives a status its kind that came without an error of a call: of one record inside the answer for many,
// or of a file. code is the number of google.rpc.Code where there is one, which counts where the HTTP status is missing or
// a success. It is nil where both are successes.
func ClassifyStatus(what string, httpStatus int, code int64, message string, write bool) error {
	r := refusal{http: httpStatus, message: message}
	if s, ok := rpcStatus[code]; ok && (httpStatus == 0 || httpStatus == http.StatusOK) {
		r.http = s
	}
	if r.http == 0 || r.http >= 200 && r.http <= 299 {
		return nil
	}
	if code == rpcFailedPrecondition {
		r.status = failedPrecondition
	}
	return r.fault(what, write)
}

// rpcFailedPrecondition is the number of google.rpc.Code for failedPrecondition.
const rpcFailedPrecondition = 9

// rpcStatus maps google.rpc.Code to HTTP (https://cloud.google.com/apis/design/errors#handling_errors).
var rpcStatus = map[int64]int{
	1: 503, 2: 500, 3: 400, 4: 504, 5: 404, 6: 409, 7: 403, 8: 429, rpcFailedPrecondition: 400, 10: 409, 11: 400, 13: 500, 14: 503, 15: 500, 16: 401,
}

// OfList is the error of a reading that concerns no single record.
func OfList(err error) error {
	switch fault.KindOf(err) {
	case fault.BadRecord, fault.Conflict, fault.Gone:
		return fault.New(fault.Bug, Side, "request-refused", err)
	}
	return err
}

// OfRecords reports whether an error may be that of single records, and not of the whole user or service.
func OfRecords(err error) bool {
	switch fault.KindOf(err) {
	case fault.BadRecord, fault.Conflict, fault.Gone, fault.ReadOnly:
		return true
	}
	return false
}

// Code is an error's code; empty where it has none.
func Code(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Code
	}
	return ""
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

func (r refusal) fault(what string, write bool) *fault.Error {
	m := meanings[slices.IndexFunc(meanings, func(m meaning) bool { return m.fits(r) })]
	f := fault.New(m.kind, Side, m.code, fmt.Errorf("%s: %w", what, r))
	if m.kind == fault.Retry {
		f.After = r.after
		answered := r.http == http.StatusTooManyRequests || r.http == http.StatusForbidden ||
			(r.http == http.StatusServiceUnavailable && r.unprocessed)
		f.Ambiguous = write && !answered
	}
	return f
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
