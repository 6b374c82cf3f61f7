package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/store"
)

// The errors of a Service that are neither a fault nor the store's.
var (
	// ErrState says that a linking is unknown, used, expired, or begun by another browser, or that the service that was
	// asked does not recognize the answer to it.
	ErrState = errors.New("linking unknown")
	// ErrFailed says that the service that was asked for consent could not ask, or did not understand the question.
	ErrFailed = errors.New("consent failed")
	// ErrRefused says that the user did not give consent.
	ErrRefused = errors.New("consent refused")
	// ErrNotAllowed says that this person may not sign in.
	ErrNotAllowed = errors.New("not allowed to sign in")
	// ErrNotReady says that there is nothing yet to run with: an account, a scope or the tag is missing.
	ErrNotReady = errors.New("not ready")
	// ErrNotHeld says that a run does not wait for anybody's decision.
	ErrNotHeld = errors.New("not held")
	// ErrReplaced says that what waits is not what a held run lists any more.
	ErrReplaced = errors.New("replaced")
	// ErrNoPair says that two contacts are neither linked with each other nor in doubt.
	ErrNoPair = errors.New("no pair")
	// ErrLinkedElsewhere says that one of two contacts is linked with a third.
	ErrLinkedElsewhere = errors.New("linked elsewhere")
	// ErrNotUndoable says that a run has not ended, or did not do what it lists.
	ErrNotUndoable = errors.New("not undoable")
)

// ChangedError says that by now there is something else to do than a preview showed. Run is the preview that shows what.
type ChangedError struct{ Run string }

func (e *ChangedError) Error() string { return "changed since the preview" }

// FieldError says what is wrong with one field of the input.
type FieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// InvalidError says that input was refused, field by field.
type InvalidError struct{ Errors []FieldError }

func (e *InvalidError) Error() string {
	names := make([]string, len(e.Errors))
	for i, f := range e.Errors {
		names[i] = f.Field
	}
	return "invalid input: " + strings.Join(names, ", ")
}

// refusal is an error in the form in which a person or a script gets it.
type refusal struct {
	status int
	fault.Sentence
	errors []FieldError
	// script is what a script can do about it; empty where the code tells.
	script string
	// after is how long to wait before a repetition.
	after time.Duration
	cause error
}

func (e *refusal) Error() string {
	if e.cause != nil {
		return e.cause.Error()
	}
	return e.Code
}

func (e *refusal) Unwrap() error { return e.cause }

func refuse(status int, code, message, action string) *refusal {
	return &refusal{status: status, Sentence: fault.Sentence{Code: code, Message: message, Action: action}}
}

// signInAgain refuses what a session that was left open, or stolen, is not enough for.
func signInAgain() *refusal {
	return refuse(http.StatusForbidden, "sign-in-again", "For this, Tandem has to know that it is you, right now.", "Sign in again on the settings page, and do it within ten minutes.")
}

func notFound() *refusal {
	return refuse(http.StatusNotFound, "not-found", "There is nothing at this address.", "Go to the settings page and start from there.")
}

// explain turns any error into a refusal. What it does not know is a bug.
func explain(err error) *refusal {
	if e, ok := errors.AsType[*refusal](err); ok {
		return e
	}
	if e, ok := errors.AsType[*InvalidError](err); ok {
		r := refuse(http.StatusUnprocessableEntity, "invalid", "Some of the values cannot be used.", "Correct them and send them again.")
		r.errors, r.cause = e.Errors, err
		return r
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return refuse(http.StatusRequestEntityTooLarge, "too-large", "The request is too large.", "Send at most 64 KiB.")
	}
	if _, ok := errors.AsType[*ChangedError](err); ok {
		r := refuse(http.StatusConflict, "changed", "There is something else to do now than that preview showed.", "Nothing was done. Make a new preview, and run that.")
		r.cause = err
		return r
	}
	var r *refusal
	switch {
	case errors.Is(err, store.ErrNotFound):
		r = notFound()
	case errors.Is(err, ErrNotReady):
		r = refuse(http.StatusConflict, "not-ready", "Tandem cannot synchronize yet.", "Connect both accounts and choose a tag on the settings page.")
	case errors.Is(err, ErrNotHeld):
		r = refuse(http.StatusConflict, "not-held", "This run does not wait for your decision, or not any more.", "Look at the history for the run that does.")
	case errors.Is(err, ErrReplaced):
		r = refuse(http.StatusConflict, "replaced", "This list does not stand any more: what waits has changed since, or nothing waits.",
			"Nothing was done. The settings page leads to the list that waits now, if there is one.")
	case errors.Is(err, ErrChanged):
		r = refuse(http.StatusPreconditionFailed, "etag-mismatch", "This has changed since you read it.", "Nothing was done. Reload the settings page, look at what is there now, and do it again.")
	case errors.Is(err, ErrTooManyTokens):
		r = refuse(http.StatusConflict, "too-many-tokens", "You have as many access tokens as anybody may have.", "Revoke one that is not used any more.")
	case errors.Is(err, ErrNotUndoable):
		r = refuse(http.StatusConflict, "not-undoable", "There is nothing to undo: this run has not ended yet, or it did nothing.",
			"Wait until it has ended. What waited and was done after you approved it, undo in the run that followed.")
	case errors.Is(err, ErrNoPair):
		r = refuse(http.StatusConflict, "not-a-pair", "These two records are not linked with each other, and Tandem does not ask whether they are the same.",
			"Nothing was done. The settings page lists what needs your decision.")
	case errors.Is(err, ErrLinkedElsewhere):
		r = refuse(http.StatusConflict, "linked-elsewhere", "One of these two records is linked with another one already.",
			"Nothing was done. If that link is wrong, say first that those two are different; if one of the records is a duplicate, merge or delete it.")
	case errors.Is(err, ErrNoJob):
		r = refuse(http.StatusConflict, "no-job", "There is no schedule here that Tandem could change.", "Set SCHEDULER to where the jobs of Cloud Scheduler are.")
	case errors.Is(err, ErrState):
		r = refuse(http.StatusBadRequest, "bad-state", "This link has been used before, is older than ten minutes, was opened in another browser, or the service that was asked does not recognize it.",
			"Nothing was connected. Go to the settings page and start again.")
	case errors.Is(err, ErrNotAllowed):
		r = refuse(http.StatusForbidden, "not-allowed", "This Google account may not use Tandem here.",
			"Use the account of your organization with a confirmed e-mail address, or ask your administrator.")
	default:
		r = &refusal{status: statusOf(fault.KindOf(err)), Sentence: fault.Explain(err), after: fault.After(err)}
		if fault.Is(err, fault.Retry) {
			r.Action = "Try again in a few minutes." // unlike a run, a request is not repeated by itself
		}
	}
	r.cause = err
	return r
}

func statusOf(k fault.Kind) int {
	switch k {
	case fault.Retry:
		return http.StatusServiceUnavailable
	case fault.Misconfigured, fault.Bug:
		return http.StatusInternalServerError
	case fault.Reconnect:
		return http.StatusConflict
	default:
		return http.StatusBadGateway
	}
}

// fail answers with an error: a problem document under the API, a page elsewhere.
func (s *Site) fail(w http.ResponseWriter, r *http.Request, api bool, err error) {
	e := explain(err)
	s.note(r, e)
	switch e.status {
	case http.StatusServiceUnavailable:
		retryAfter(w, max(e.after, 10*time.Second))
	case http.StatusTooManyRequests:
		retryAfter(w, e.after)
	}
	if api {
		s.problem(w, e)
		return
	}
	p := s.page(e.heading(), "")
	switch e.status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusConflict:
		p = s.visitorPage(w, r, e.heading())
	}
	p.Main = e.Sentence
	if err := s.render(w, e.status, "error.html", p); err != nil {
		s.note(r, explain(err))
		http.Error(w, e.Message+" "+e.Action, e.status)
	}
}

// retryAfter says when a repetition makes sense.
func retryAfter(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(wait.Seconds())))))
}

// problem writes a problem document (RFC 9457).
func (s *Site) problem(w http.ResponseWriter, e *refusal) {
	body, err := json.Marshal(struct {
		Type   string       `json:"type"`
		Title  string       `json:"title"`
		Status int          `json:"status"`
		Code   string       `json:"code"`
		Detail string       `json:"detail"`
		Errors []FieldError `json:"errors,omitempty"`
	}{"about:blank", http.StatusText(e.status), e.status, e.Code, strings.TrimSpace(e.Message + " " + e.forScripts()), e.errors})
	if err != nil {
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(e.status)
	_, _ = w.Write(append(body, '\n'))
}

// heading is the headline of an error page.
func (e *refusal) heading() string {
	switch e.status {
	case http.StatusNotFound:
		return "Page not found"
	case http.StatusForbidden:
		return "Not allowed"
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return "Please try again in a moment"
	case http.StatusMethodNotAllowed, http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusConflict:
		return "This did not work"
	default:
		return "Something went wrong"
	}
}

// note logs what the operator should know of. The query of the request stays out of it: it may hold a code.
func (s *Site) note(r *http.Request, e *refusal) {
	if e.status < http.StatusInternalServerError {
		return
	}
	level := s.log.ErrorContext
	if e.status == http.StatusServiceUnavailable {
		level = s.log.WarnContext
	}
	level(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "status", e.status, "code", e.Code, "error", fmt.Sprint(e.cause))
}
