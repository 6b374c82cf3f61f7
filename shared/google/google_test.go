package google

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/googleapi"

	"github.com/tandem-sync/tandem/shared/fault"
)

func TestAn_invalid_endpoint_is_rejected(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{{}, {HTTP: http.DefaultClient, Endpoint: "people.example.com"}, {HTTP: http.DefaultClient, Endpoint: "ftp://example.com"}, {HTTP: http.DefaultClient, Endpoint: "http://%zz"}} {
		if _, err := NewClient(o); !fault.Is(err, fault.Misconfigured) {
			t.Errorf("%q: got %v, want misconfigured", o.Endpoint, err)
		}
	}
	if _, err := NewClient(Options{HTTP: http.DefaultClient}); err != nil {
		t.Error(err)
	}
}

func TestErrors_contain_the_reason_and_not_the_request(t *testing.T) {
	t.Parallel()
	r := refusal{
		http: 400, status: "INVALID_ARGUMENT", reasons: []string{"invalid", "Grace Hopper", "+1 202 555 0123"}, message: `Invalid phone "+1 202 555 0123" of Grace Hopper`,
	}
	if got := r.Error(); got != "status 400: INVALID_ARGUMENT: invalid" {
		t.Errorf("got %q", got)
	}
}

func TestRefusals_of_Calendar_are_told_apart_by_their_reasons(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status         int
		domain, reason string
		kind           fault.Kind
		code           string
	}{
		{403, "usageLimits", "userRateLimitExceeded", fault.Retry, "quota"},
		{403, "usageLimits", "calendarLimitsOfTomorrow", fault.Retry, "quota"},
		{429, "usageLimits", "rateLimitExceeded", fault.Retry, "quota"},
		{403, "usageLimits", "accessNotConfigured", fault.Misconfigured, "api-disabled"},
		{403, "calendar", "forbiddenForNonOrganizer", fault.ReadOnly, "not-organizer"},
		{403, "calendar", "requiredAccessLevel", fault.ReadOnly, "not-organizer"},
		{403, "global", "insufficientPermissions", fault.Reconnect, "scope-missing"},
		{403, "global", "forbidden", fault.Misconfigured, "no-access"},
		{404, "global", "notFound", fault.Gone, "not-found"},
		{409, "global", "duplicate", fault.Conflict, "exists"},
		{410, "global", "deleted", fault.Gone, "deleted"},
		{410, "calendar", "fullSyncRequired", fault.FullSync, "token-expired"},
		{410, "calendar", "updatedMinTooLongAgo", fault.FullSync, "token-expired"},
		{412, "global", "conditionNotMet", fault.Conflict, "changed-meanwhile"},
		{400, "global", "invalid", fault.BadRecord, "refused"},
		{400, "global", "push.webhookUrlNotHttps", fault.Misconfigured, "push-refused"},
		{401, "global", "push.webhookUrlUnauthorized", fault.Misconfigured, "push-refused"},
		{400, "global", "channelIdNotUnique", fault.Conflict, "exists"},
		{500, "global", "backendError", fault.Retry, "unavailable"},
	} {
		body := fmt.Sprintf(`{"error":{"code":%d,"message":"X","errors":[{"domain":%q,"reason":%q,"message":"X"}]}}`, c.status, c.domain, c.reason)
		resp := &http.Response{StatusCode: c.status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body))}
		err := Classify("read event", googleapi.CheckResponse(resp), false, time.Now())
		if fault.KindOf(err) != c.kind || Code(err) != c.code {
			t.Errorf("%d %s %s: %v %s, want %v %s", c.status, c.domain, c.reason, fault.KindOf(err), Code(err), c.kind, c.code)
		}
	}
}

func TestAn_account_without_room_is_tried_again_daily_under_whatever_status(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 403, 429} {
		for name, body := range map[string]string{
			"as the reason":  `{"error":{"code":%d,"message":"X","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"MY_CONTACTS_OVERFLOW_COUNT","domain":"people.googleapis.com"}]}}`,
			"in the message": `{"error":{"code":%d,"status":"RESOURCE_EXHAUSTED","message":"Request failed: MY_CONTACTS_OVERFLOW_COUNT."}}`,
		} {
			resp := &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(fmt.Sprintf(body, status)))}
			err := Classify("create contacts", googleapi.CheckResponse(resp), true, time.Now())
			if fault.KindOf(err) != fault.BadRecord || Code(err) != "contacts-full" || fault.After(err) != 24*time.Hour || fault.Ambiguous(err) {
				t.Errorf("%d, %s: %v %s, after %v", status, name, fault.KindOf(err), Code(err), fault.After(err))
			}
		}
	}
}
