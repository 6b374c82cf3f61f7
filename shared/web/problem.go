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
	// key, and values for it, have the words of pages; empty where only scripts come upon it. steps are what a page says has to be done
	// first, in place of the action.
	key    string
	values []any
	steps  []string
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

// refused is a refusal that pages have words for.
func refused(status int, code string, values ...any) *refusal {
	return refuseAs(status, code, code, values...)
}

// refuseAs is refused for a code with words for more than one thing.
func refuseAs(status int, code, key string, values ...any) *refusal {
	n := english.notice("refusal."+key, values...)
	r := refuse(status, code, n.Message, n.Action)
	r.key, r.values = key, values
	return r
}

// in is what a page says of it.
func (e *refusal) in(l locale) notice {
	n := notice{Message: l.told(e.Message).Text, Action: l.told(e.Action).Text}
	if e.key != "" {
		n = l.notice("refusal."+e.key, e.values...)
	}
	if e.steps != nil {
		n.Action = strings.Join(e.steps, " ")
	}
	return n
}

// signInAgain refuses what a session that was left open, or stolen, is not enough for.
func signInAgain() *refusal {
	return refused(http.StatusForbidden, "sign-in-again")
}

func notFound() *refusal {
	return refused(http.StatusNotFound, "not-found")
}

// explain turns any error into a refusal. What it does not know is a bug.
func explain(err error) *refusal {
	if e, ok := errors.AsType[*refusal](err); ok {
		return e
	}
	if e, ok := errors.AsType[*InvalidError](err); ok {
		r := refused(http.StatusUnprocessableEntity, "invalid")
		r.errors, r.cause = e.Errors, err
		return r
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return refused(http.StatusRequestEntityTooLarge, "too-large")
	}
	if _, ok := errors.AsType[*ChangedError](err); ok {
		r := refused(http.StatusConflict, "changed")
		r.cause = err
		return r
	}
	var r *refusal
	switch {
	case errors.Is(err, store.ErrNotFound):
		r = notFound()
	case errors.Is(err, ErrNotReady):
		r = refused(http.StatusConflict, "not-ready")
	case errors.Is(err, ErrNotHeld):
		r = refused(http.StatusConflict, "not-held")
	case errors.Is(err, ErrReplaced):
		r = refused(http.StatusConflict, "replaced")
	case errors.Is(err, ErrChanged):
		r = refused(http.StatusPreconditionFailed, "etag-mismatch")
	case errors.Is(err, ErrTooManyTokens):
		r = refused(http.StatusConflict, "too-many-tokens")
	case errors.Is(err, ErrNotUndoable):
		r = refused(http.StatusConflict, "not-undoable")
	case errors.Is(err, ErrNoPair):
		r = refused(http.StatusConflict, "not-a-pair")
	case errors.Is(err, ErrLinkedElsewhere):
		r = refused(http.StatusConflict, "linked-elsewhere")
	case errors.Is(err, ErrNoJob):
		r = refused(http.StatusConflict, "no-job")
	case errors.Is(err, ErrState):
		r = refused(http.StatusBadRequest, "bad-state")
	case errors.Is(err, ErrNotAllowed):
		r = refused(http.StatusForbidden, "not-allowed")
	default:
		r = &refusal{status: statusOf(fault.KindOf(err)), Sentence: fault.Explain(err), after: fault.After(err)}
		if fault.Is(err, fault.Retry) {
			r.Action = english.say("refusal.retry.then") // unlike a run, a request is not repeated by itself
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
	l := localeOf(r)
	p := s.page(l, l.say(e.heading()), "")
	switch e.status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusConflict:
		p = s.visitorPage(w, r, l.say(e.heading()))
	}
	p.Main = e.in(l)
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

// heading is the key of the headline of an error page.
func (e *refusal) heading() string {
	switch e.status {
	case http.StatusNotFound:
		return "error.not-found"
	case http.StatusForbidden:
		return "error.not-allowed"
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return "error.again"
	case http.StatusMethodNotAllowed, http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusConflict:
		return "error.did-not-work"
	default:
		return "error.wrong"
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
