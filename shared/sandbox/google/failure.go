package google

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/tandem-sync/tandem/shared/sandbox/discovery"
)

// failure is a refusal of an API, as google.rpc.Status tells of it, with the older list of errors beside it that
// Google's own client libraries print (https://cloud.google.com/apis/design/errors).
type failure struct {
	code            int
	status, message string
	details         []any
	challenge       string
	// reason is what the older list of errors says; empty for what the status has there.
	reason string
	// form is the whole answer, of a service whose refusals have a form of their own.
	form json.RawMessage
}

// refusalOf is the refusal of a request that the service's description does not have; nil where there is no reason for
// one. All reasons are told of at once.
func refusalOf(list []discovery.Refusal) *failure {
	if len(list) == 0 {
		return nil
	}
	var messages []string
	var fields []any
	for _, r := range list {
		messages = append(messages, r.Message)
		field := map[string]any{"description": r.Message}
		if r.Field != "" {
			field["field"] = r.Field
		}
		fields = append(fields, field)
	}
	f := invalid("%s", strings.Join(messages, "\n"))
	if f.reason = list[0].Reason; f.reason != "badRequest" && f.reason != "parseError" {
		f.details = []any{map[string]any{"@type": badRequest, "fieldViolations": fields}}
	}
	return f
}

// codeNames are the names of google.rpc.Code by HTTP status.
var codeNames = map[int]string{
	400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 409: "ALREADY_EXISTS",
	429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED",
}

// codeNumbers are the numbers of google.rpc.Code by name.
var codeNumbers = map[string]int64{"INVALID_ARGUMENT": 3, "NOT_FOUND": 5, "FAILED_PRECONDITION": 9}

// oldReasons are what the older list of errors says in place of a name of google.rpc.Code.
var oldReasons = map[string]string{
	"INVALID_ARGUMENT": "badRequest", "FAILED_PRECONDITION": "failedPrecondition", "NOT_FOUND": "notFound",
	"PERMISSION_DENIED": "forbidden", "UNAUTHENTICATED": "authError", "RESOURCE_EXHAUSTED": "rateLimitExceeded",
	"ALREADY_EXISTS": "alreadyExists", "UNAVAILABLE": "backendError", "INTERNAL": "backendError", "UNIMPLEMENTED": "notImplemented",
}

func newFailure(code int, status, message string) *failure {
	return &failure{code: code, status: status, message: message}
}

const badRequest = "type.googleapis.com/google.rpc.BadRequest"

const vague = "Request contains an invalid argument."

func invalid(format string, args ...any) *failure {
	return newFailure(http.StatusBadRequest, "INVALID_ARGUMENT", fmt.Sprintf(format, args...))
}

// invalidField is a refusal that names the field.
func invalidField(field, message string) *failure {
	f := invalid("%s", vague)
	f.details = []any{map[string]any{
		"@type":           badRequest,
		"fieldViolations": []any{map[string]any{"field": field, "description": message}},
	}}
	return f
}

func precondition(message string) *failure {
	return newFailure(http.StatusBadRequest, "FAILED_PRECONDITION", message)
}

func notFound() *failure {
	return newFailure(http.StatusNotFound, "NOT_FOUND", "Requested entity was not found.")
}

// because adds the reason that programs read.
func (f *failure) because(reason string, metadata map[string]string) *failure {
	info := map[string]any{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}
	if metadata != nil {
		info["metadata"] = metadata
	}
	f.details = append(f.details, info)
	return f
}

func (f *failure) json() string {
	body := map[string]any{
		"code": f.code, "message": f.message, "status": f.status,
		"errors": []any{map[string]any{"message": f.message, "domain": "global", "reason": cmp.Or(f.reason, oldReasons[f.status])}},
	}
	if len(f.details) > 0 {
		body["details"] = f.details
	}
	return encode(map[string]any{"error": body})
}

func (f *failure) write(w http.ResponseWriter) {
	if f.challenge != "" {
		w.Header().Set("WWW-Authenticate", f.challenge)
	}
	if f.code == http.StatusNotModified {
		w.WriteHeader(f.code)
		return
	}
	if f.form != nil {
		writeJSON(w, f.code, f.form)
		return
	}
	writeJSON(w, f.code, json.RawMessage(f.json()))
}

// encode writes what is known to be encodable, with the signs of markup as they are.
func encode(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("encode answer: %v", err))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.Header().Set("Cache-Control", "no-cache, no-store, max-age=0, must-revalidate")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(encode(v)))
}
