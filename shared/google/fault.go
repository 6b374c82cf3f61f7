package google

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"google.golang.org/api/googleapi"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/httpx"
)

// meanings classify refusals. The first line that matches decides.
var meanings = []meaning{
	// An HTML page is not about a record: it is from a proxy before the API, or from a wrong address.
	{refusedPage, fault.Misconfigured, "html-instead-of-json"},
	// The service does not send messages to the address, as where the domain is not known as the team's. It has answered so with
	// 400 and 401.
	{both(status(http.StatusBadRequest, http.StatusUnauthorized), pushRefused), fault.Misconfigured, "push-refused"},
	{reason("channelIdNotUnique"), fault.Conflict, "exists"},
	// Under whatever status, and however it looks like a rate: an account that is full stays so.
	{either(reason(overflow), message(strings.ToLower(overflow))), fault.BadRecord, contactsFull},
	// The token itself is valid: otherwise the transport below would have failed.
	{status(http.StatusUnauthorized), fault.Retry, "token-refused"},
	{either(status(http.StatusTooManyRequests), reason("rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded",
		"RATE_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED", "dailyLimitExceeded"), usageLimits), fault.Retry, "quota"},
	// Calendar answers 410 to a sync token and to a time that lie too far back, and to the deletion of what is deleted.
	{both(status(http.StatusGone), reason("deleted")), fault.Gone, "deleted"},
	{either(reason("EXPIRED_SYNC_TOKEN"), status(http.StatusGone), both(status(http.StatusBadRequest), message("sync token"))), fault.FullSync, "token-expired"},
	{both(status(http.StatusBadRequest, http.StatusForbidden, http.StatusPreconditionFailed), stale), fault.Conflict, "changed-meanwhile"},
	{both(status(http.StatusForbidden), reason("forbiddenForNonOrganizer", "requiredAccessLevel", "forbiddenForServiceAccounts")), fault.ReadOnly, "not-organizer"},
	// A 403 means that the user's consent is missing, or that the operator's set-up is wrong.
	{both(status(http.StatusForbidden), either(reason("ACCESS_TOKEN_SCOPE_INSUFFICIENT", "insufficientPermissions", "insufficientScopes"),
		message("insufficient authentication scopes"))), fault.Reconnect, "scope-missing"},
	{both(status(http.StatusForbidden), switchedOff), fault.Misconfigured, "api-disabled"},
	{status(http.StatusForbidden), fault.Misconfigured, "no-access"},
	{status(http.StatusNotFound), fault.Gone, "not-found"},
	{status(http.StatusConflict), fault.Conflict, "exists"},
	{either(status(http.StatusRequestTimeout), atLeast(http.StatusInternalServerError)), fault.Retry, "unavailable"},
	{atLeast(http.StatusBadRequest), fault.BadRecord, "refused"},
	{func(refusal) bool { return true }, fault.Bug, "unexpected-status"},
}

type meaning struct {
	matches func(refusal) bool
	kind    fault.Kind
	code    string
}

// refusedPage matches an HTML page instead of a reply, if a retry would not help.
func refusedPage(r refusal) bool {
	temporary := status(http.StatusTooManyRequests, http.StatusRequestTimeout, http.StatusUnauthorized)
	return r.page && r.http >= http.StatusBadRequest && r.http < http.StatusInternalServerError && !temporary(r)
}

// stale matches a write to a version that is no longer the current one. Google answers with 400, and has also answered with
// 403 and 412.
func stale(r refusal) bool {
	return r.http == http.StatusPreconditionFailed || r.status == failedPrecondition || reason("failedPrecondition")(r) || message("etag")(r)
}

// failedPrecondition is google.rpc.Code's name for a write to a version that is no longer the current one.
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

// usageLimits matches what Calendar refuses because of too many requests, under whatever reason
// (https://developers.google.com/workspace/calendar/api/guides/errors).
func usageLimits(r refusal) bool {
	return r.http == http.StatusForbidden && slices.Contains(r.domains, "usageLimits") && !switchedOff(r)
}

// pushRefused matches the reasons for which an address of messages is refused, as "push.webhookUrlUnauthorized".
func pushRefused(r refusal) bool {
	return slices.ContainsFunc(r.reasons, func(is string) bool { return strings.HasPrefix(is, "push.") })
}

var switchedOff = reason("SERVICE_DISABLED", "accessNotConfigured")

func either(conditions ...func(refusal) bool) func(refusal) bool {
	return func(r refusal) bool {
		return slices.ContainsFunc(conditions, func(matches func(refusal) bool) bool { return matches(r) })
	}
}

func both(conditions ...func(refusal) bool) func(refusal) bool {
	return func(r refusal) bool {
		return !slices.ContainsFunc(conditions, func(matches func(refusal) bool) bool { return !matches(r) })
	}
}

// Classify classifies the error of a call; it returns nil for nil. write says that the call changes something: without a
// reply it may have taken effect. now is the time with which a date in Retry-After is compared.
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

// ClassifyStatus classifies a status that is not from the error of a call: of one record in a batch reply, or of a file.
// code is the number of google.rpc.Code or zero; it decides if the HTTP status is missing or a success. ClassifyStatus
// returns nil if both are successes.
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

// OfList returns the error of reading a list, which is never one of a single record.
func OfList(err error) error {
	switch fault.KindOf(err) {
	case fault.BadRecord, fault.Conflict, fault.Gone:
		return fault.New(fault.Bug, Side, "request-refused", err)
	}
	return err
}

// OfRecords reports whether an error may concern single records, and not the whole user or service.
func OfRecords(err error) bool {
	switch fault.KindOf(err) {
	case fault.BadRecord, fault.Conflict, fault.Gone, fault.ReadOnly:
		return true
	}
	return false
}

// Code returns an error's code; empty if it has none.
func Code(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Code
	}
	return ""
}

// refusal is a reply other than a success, in the form of google.rpc.Status or the older form
// (https://cloud.google.com/apis/design/errors).
type refusal struct {
	http    int
	status  string
	message string
	reasons []string
	// domains are those of the reasons, in the older form.
	domains []string
	after   time.Duration
	// page says that the reply is an HTML page.
	page bool
	// unprocessed says that a 503 had Retry-After, so that the request was not processed.
	unprocessed bool
}

func refusalOf(g *googleapi.Error, now time.Time) refusal {
	r := refusal{http: g.Code, message: g.Message, page: httpx.IsPage(&http.Response{Header: g.Header})}
	var body struct {
		Error struct {
			Status  string            `json:"status"`
			Details []json.RawMessage `json:"details"`
			Errors  []struct {
				Domain string `json:"domain"`
			} `json:"errors"`
		} `json:"error"`
	}
	// A body that is no JSON has no details; a gateway may send one.
	_ = json.Unmarshal([]byte(g.Body), &body)
	r.status = body.Error.Status
	for _, e := range g.Errors {
		r.reasons = append(r.reasons, e.Reason)
	}
	for _, e := range body.Error.Errors {
		r.domains = append(r.domains, e.Domain)
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
	m := meanings[slices.IndexFunc(meanings, func(m meaning) bool { return m.matches(r) })]
	f := fault.New(m.kind, Side, m.code, fmt.Errorf("%s: %w", what, r))
	if m.code == contactsFull {
		f.After = fullFor
	}
	if m.kind == fault.Retry {
		f.After = r.after
		answered := r.http == http.StatusTooManyRequests || r.http == http.StatusForbidden ||
			(r.http == http.StatusServiceUnavailable && r.unprocessed)
		f.Ambiguous = write && !answered
	}
	return f
}

// Lasting reports whether a refusal stays one however long one waits, although its status is that of a rate: then it takes a person.
func Lasting(body []byte) bool { return bytes.Contains(bytes.ToUpper(body), []byte(overflow)) }

// overflow is the reason of an account without room for more contacts.
const overflow = "MY_CONTACTS_OVERFLOW_COUNT"

// contactsFull is the code for an account without room for more contacts, and fullFor how long it is left alone then: it takes a person
// to make room.
const (
	contactsFull = "contacts-full"
	fullFor      = 24 * time.Hour
)

// name is the form of statuses and reasons. Whatever else Google writes may quote what people entered, so it is in no error.
var name = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,79}$`)

func (r refusal) Error() string {
	parts := []string{fmt.Sprintf("status %d", r.http)}
	for _, word := range append([]string{r.status}, r.reasons...) {
		if name.MatchString(word) && !slices.Contains(parts, word) {
			parts = append(parts, word)
		}
	}
	return strings.Join(parts, ": ")
}
