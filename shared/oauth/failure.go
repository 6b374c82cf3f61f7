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

// errorKinds are the kinds of the error codes of token endpoints (RFC 6749, section 5.2, and Google's own). Errors do not
// quote other codes, because their content is unknown.
var errorKinds = map[string]fault.Kind{
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

// tokenError classifies the failure of a call to a token endpoint. It is the only place that reads the endpoint's error
// codes, and it quotes only known ones: descriptions may repeat what was sent.
func (p *provider) tokenError(op string, err error) error {
	answer, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		return p.unreached(op, err)
	}
	kind, known := errorKinds[answer.ErrorCode]
	switch {
	case known && kind == fault.Reconnect && !temporary(answer.Response.StatusCode):
		return fault.Errorf(fault.Reconnect, string(p.side), "invalid-grant", "%s: %s", op, answer.ErrorCode)
	case temporary(answer.Response.StatusCode):
		return p.retryLater(op, answer.Response)
	case known && kind == fault.Retry:
		return fault.Errorf(fault.Retry, string(p.side), "unavailable", "%s: %s", op, answer.ErrorCode)
	case known:
		return fault.Errorf(fault.Misconfigured, string(p.side), "client-refused", "%s: %s", op, answer.ErrorCode)
	default:
		return fault.Errorf(fault.Misconfigured, string(p.side), "token-endpoint", "%s: status %d without a known error", op, answer.Response.StatusCode)
	}
}

// clientRefusals are the error codes with which a token endpoint refuses the client itself, and not the authorization code.
// They are RFC 6749's and Google's own
// (https://developers.google.com/identity/protocols/oauth2/web-server#authorization-errors).
var clientRefusals = map[record.Side][]string{
	record.Creatio: {"invalid_client", "unauthorized_client"},
	record.Google: {
		"invalid_client", "unauthorized_client", "redirect_uri_mismatch", "deleted_client", "disabled_client", "org_internal", "admin_policy_enforced",
	},
}

// refusesCode reports whether a token endpoint refuses the authorization code: it is too old, used, of another linking or
// forged. The code comes from the visitor, so this is no failure of Tandem.
func (p *provider) refusesCode(err error) bool {
	answer, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok || temporary(answer.Response.StatusCode) || slices.Contains(clientRefusals[p.side], answer.ErrorCode) {
		return false
	}
	return answer.Response.StatusCode >= http.StatusBadRequest || errorKinds[answer.ErrorCode] == fault.Reconnect
}

// unreached is the fault of a call without a readable reply.
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

// temporary reports whether a retry after this status may succeed.
func temporary(code int) bool {
	return code >= http.StatusInternalServerError || code == http.StatusTooManyRequests || code == http.StatusRequestTimeout
}

// retryLater is the fault of a reply with a temporary status.
func (p *provider) retryLater(op string, resp *http.Response) error {
	f := fault.Errorf(fault.Retry, string(p.side), "unavailable", "%s: status %d", op, resp.StatusCode)
	f.After, _ = httpx.RetryAfter(resp, p.now())
	return f
}
