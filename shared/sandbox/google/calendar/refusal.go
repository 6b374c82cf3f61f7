package calendar

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// Refusal is an error in the Calendar API's form (https://developers.google.com/workspace/calendar/api/guides/errors).
type Refusal struct {
	Code           int
	Domain, Reason string
	Message        string
	// Location is what was wrong, and LocationType what that is: a parameter, or a header.
	Location, LocationType string
}

// JSON is the body of the answer; a 304 has none.
func (f *Refusal) JSON() []byte {
	if f.Code == http.StatusNotModified {
		return nil
	}
	one := map[string]any{"domain": f.Domain, "reason": f.Reason, "message": f.Message}
	if f.Location != "" {
		one["location"], one["locationType"] = f.Location, f.LocationType
	}
	raw, err := json.Marshal(map[string]any{"error": map[string]any{"errors": []any{one}, "code": f.Code, "message": f.Message}})
	if err != nil {
		panic(fmt.Sprintf("encode refusal: %v", err))
	}
	return raw
}

// RateLimited is the refusal of a user who makes too many requests.
func RateLimited() *Refusal {
	return &Refusal{
		Code: http.StatusForbidden, Domain: "usageLimits", Reason: "rateLimitExceeded",
		Message: "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user' of service 'calendar-json.googleapis.com'.",
	}
}

// UsageLimits is the refusal of a user who made too much of something for long, as for weeks after a flood of events.
func UsageLimits() *Refusal {
	return &Refusal{Code: http.StatusForbidden, Domain: "usageLimits", Reason: "quotaExceeded", Message: "Calendar usage limits exceeded."}
}

// Conflict is the refusal of a request in a batch that another one of the batch is in the way of.
func Conflict() *Refusal {
	return &Refusal{Code: http.StatusConflict, Domain: "global", Reason: "conflict", Message: "Conflict"}
}

// Forbidden is the refusal of a user who may not do something, however often it is tried.
func Forbidden() *Refusal {
	return &Refusal{Code: http.StatusForbidden, Domain: "global", Reason: "forbidden", Message: "Forbidden"}
}

// BackendError is the refusal of a service that has trouble of its own.
func BackendError() *Refusal {
	return &Refusal{Code: http.StatusServiceUnavailable, Domain: "global", Reason: "backendError", Message: "Backend Error"}
}

// WebhookUnauthorized is the refusal of a channel whose address is not known as the client's.
func WebhookUnauthorized() *Refusal {
	return &Refusal{Code: http.StatusUnauthorized, Domain: "global", Reason: "push.webhookUrlUnauthorized", Message: "Unauthorized WebHook callback channel"}
}

func notFound() *Refusal {
	return &Refusal{Code: http.StatusNotFound, Domain: "global", Reason: "notFound", Message: "Not Found"}
}

func deleted() *Refusal {
	return &Refusal{Code: http.StatusGone, Domain: "global", Reason: "deleted", Message: "Resource has been deleted"}
}

func invalid(location, format string, args ...any) *Refusal {
	f := refuse("global", "invalid", format, args...)
	if location != "" {
		f.Location, f.LocationType = location, "parameter"
	}
	return f
}

func refuse(domain, reason, format string, args ...any) *Refusal {
	return &Refusal{Code: http.StatusBadRequest, Domain: domain, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// tooLarge is the refusal of a value that has a limit.
func tooLarge() *Refusal {
	return refuse("global", "invalid", "A provided value exceeds the allowed size limit.")
}

// notOrganizer is the refusal of a guest who would change what all share.
func notOrganizer() *Refusal {
	return &Refusal{
		Code: http.StatusForbidden, Domain: "calendar", Reason: "forbiddenForNonOrganizer",
		Message: "Shared properties can only be changed by the organizer of the event.",
	}
}

// precondition refuses a request that was made for another version.
func precondition(have, header string) *Refusal {
	if header == "" || header == "*" || header == have {
		return nil
	}
	return &Refusal{
		Code: http.StatusPreconditionFailed, Domain: "global", Reason: "conditionNotMet", Message: "Precondition Failed",
		Location: "If-Match", LocationType: "header",
	}
}
