package oauth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"golang.org/x/oauth2"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/httpx"
	"github.com/tandem-sync/tandem/shared/record"
)

// verdicts are the error codes of token endpoints (RFC 6749, section 5.2, and Google's own). A code that is not among
// them is not repeated in an error: nobody knows what it holds.
var verdicts = map[string]fault.Kind{
	"invalid_grant":             fault.Reconnect,
	"invalid_client":            fault.Misconfigured,
	"unauthorized_client":       fault.Misconfigured,
	"unsupported_grant_type":    fault.Misconfigured,
	"unsupported_response_type": fault.Misconfigured,
	"invalid_request":           fault.Misconfigured,
	"invalid_scope":             fault.Misconfigured,
	"redirect_uri_mismatch":     fault.Misconfigured,
	"deleted_client":            fault.Misconfigured,
	"disabled_client":           fault.Misconfigured,
	"org_internal":              fault.Misconfigured,
	"access_denied":             fault.Misconfigured,
	"admin_policy_enforced":     fault.Misconfigured,
	"temporarily_unavailable":   fault.Retry,
	"server_error":              fault.Retry,
	"internal_failure":          fault.Retry,
	"rate_limit_exceeded":       fault.Retry,
	"slow_down":                 fault.Retry,
}

// refused says what the failure of a call to a token endpoint means. It is the one place that knows the endpoint's
// words, and takes over none but the known ones: descriptions may quote what was sent.
func (p *provider) refused(op string, err error) error {
	answer, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		return p.unreached(op, err)
	}
	kind, known := verdicts[answer.ErrorCode]
	switch {
	case known && kind == fault.Reconnect && !mayPass(answer.Response.StatusCode):
		return fault.Errorf(fault.Reconnect, string(p.side), "invalid-grant", "%s: %s", op, answer.ErrorCode)
	case mayPass(answer.Response.StatusCode):
		return p.busy(op, answer.Response)
	case known && kind == fault.Retry:
		return fault.Errorf(fault.Retry, string(p.side), "unavailable", "%s: %s", op, answer.ErrorCode)
	case known:
		return fault.Errorf(fault.Misconfigured, string(p.side), "client-refused", "%s: %s", op, answer.ErrorCode)
	default:
		return fault.Errorf(fault.Misconfigured, string(p.side), "token-endpoint", "%s: status %d without a known error", op, answer.Response.StatusCode)
	}
}

// clientRefusals are the codes with which a token endpoint refuses the client, whatever the code that it brings. They are
// RFC 6749's, and Google's own (https://developers.google.com/identity/protocols/oauth2/web-server#authorization-errors).
var clientRefusals = map[record.Side][]string{
	record.Creatio: {"invalid_client", "unauthorized_client"},
	record.Google: {
		"invalid_client", "unauthorized_client", "redirect_uri_mismatch", "deleted_client", "disabled_client", "org_internal", "admin_policy_enforced",
	},
}

// refusesCode says whether a token endpoint refuses an authorization code for what it is: too old, used, another linking's
// or made up. A visitor brings the code, so that it is no failure of the program's.
func (p *provider) refusesCode(err error) bool {
	answer, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok || mayPass(answer.Response.StatusCode) || slices.Contains(clientRefusals[p.side], answer.ErrorCode) {
		return false
	}
	return answer.Response.StatusCode >= http.StatusBadRequest || verdicts[answer.ErrorCode] == fault.Reconnect
}

// unreached is the fault of a call that brought no reply, or none that can be read.
func (p *provider) unreached(op string, err error) error {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		named := *f
		named.Side, named.Err = string(p.side), fmt.Errorf("%s: %w", op, httpx.Redact(err))
		return &named
	}
	if _, ok := errors.AsType[*url.Error](err); ok {
		return fault.Errorf(fault.Retry, string(p.side), "unreachable", "%s: %w", op, httpx.Redact(err))
	}
	return fault.New(fault.Retry, string(p.side), "malformed-reply", errors.New(op+": the reply is none of a token endpoint"))
}

// mayPass says whether a reply of this status may be followed by a better one.
func mayPass(code int) bool {
	return code >= http.StatusInternalServerError || code == http.StatusTooManyRequests || code == http.StatusRequestTimeout
}

// busy is the fault of a reply that asks for patience.
func (p *provider) busy(op string, resp *http.Response) error {
	f := fault.Errorf(fault.Retry, string(p.side), "unavailable", "%s: status %d", op, resp.StatusCode)
	f.After, _ = httpx.RetryAfter(resp, p.now())
	return f
}
