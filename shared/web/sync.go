package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
)

// Runner is what the sync functions stand on.
type Runner interface {
	// Authorize reports whether the request may run the function of that deployed name: nil, or ErrNoCaller and
	// ErrWrongCaller.
	Authorize(r *http.Request, function string) error
	// Dispatch hands due users to the queue: from the first one on, or from the place where an earlier request stopped.
	// A place that is none is ErrNoPlace.
	Dispatch(ctx context.Context, t record.Type, after string) (Dispatched, error)
	// Window runs one user's window now, under the id of a run that was promised to the user or, where that is empty,
	// one of its own. due is when the user was due whom the schedule queued: one who is not any more is skipped; zero runs in any
	// case. trigger is what the task says of its cause; empty for the schedule. The error is the cause of a Retry that
	// is not in the log yet.
	Window(ctx context.Context, t record.Type, user string, due time.Time, promised, trigger string) (Window, error)
}

// Dispatched is how many users a request found due, and how many of them are newly queued. Continued says that there
// are more of them, for a further request that is queued as well.
type Dispatched struct {
	Due       int  `json:"due"`
	Queued    int  `json:"queued"`
	Continued bool `json:"continued,omitempty"`
}

// ErrNoPlace says that a text is not the place where a request stopped.
var ErrNoPlace = errors.New("not a place in the list of due users")

// Window is how one user's window went.
type Window struct {
	Run, Status, Reason string
	// Retry says that the caller shall repeat the request, after After at the earliest.
	Retry bool
	After time.Duration
}

// Why a caller is turned away.
var (
	// ErrNoCaller says that the request carries no valid identity token for this function.
	ErrNoCaller = errors.New("no valid identity token")
	// ErrWrongCaller says that the token is somebody else's than the invoker's.
	ErrWrongCaller = errors.New("not the invoker")
)

func unauthorized(err error) error {
	var r *refusal
	switch {
	case errors.Is(err, ErrNoCaller):
		r = refuse(http.StatusUnauthorized, "unauthenticated", "This function is called with an identity token of its invoker.", "Send one in the Authorization header.")
	case errors.Is(err, ErrWrongCaller):
		r = refuse(http.StatusForbidden, "not-invoker", "This caller may not run the synchronization.", "Call it with the service account that INVOKER names.")
	default:
		return err
	}
	r.cause = err
	return r
}

// promised is the header in which a queued task names the run that was promised to the user.
const promised = "Tandem-Run"

// caused is the header in which a queued task says what caused it.
const caused = "Tandem-Trigger"

// minRetryAfter keeps a caller from coming back before anything can have changed.
const minRetryAfter = 5 * time.Second

// Sync serves a sync function: an empty body and a place dispatch, a user's id runs that user's window.
func (s *Site) Sync(t record.Type, run Runner) http.Handler {
	name := "sync-" + string(t)
	return s.machine(name, func(w http.ResponseWriter, r *http.Request) error {
		if r.Method != http.MethodPost {
			return notAllowed(w, http.MethodPost)
		}
		if err := run.Authorize(r, name); err != nil {
			return unauthorized(err)
		}
		user, after, due, err := readSync(r.Body)
		if err != nil {
			return err
		}
		if user == "" {
			out, err := run.Dispatch(r.Context(), t, after)
			if errors.Is(err, ErrNoPlace) {
				return badSync()
			}
			if err != nil {
				return err
			}
			return answer(w, http.StatusOK, out)
		}
		out, err := run.Window(r.Context(), t, user, due, r.Header.Get(promised), r.Header.Get(caused))
		if err != nil {
			s.log.WarnContext(r.Context(), "window ended early", "run", out.Run, "status", out.Status, "error", err.Error())
		}
		status := http.StatusOK
		if out.Retry {
			status = http.StatusServiceUnavailable
			w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(max(out.After, minRetryAfter).Seconds()))))
		}
		return answer(w, status, struct {
			User   string `json:"user"`
			Run    string `json:"run"`
			Status string `json:"status"`
			Reason string `json:"reason,omitempty"`
		}{user, out.Run, out.Status, out.Reason})
	})
}

// machine serves what programs call and no browser: no page, no session, problems as documents. A page of another site that
// has a browser call it is refused: on a machine of one's own nothing else would keep it out.
func (s *Site) machine(name string, serve func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.protect(w.Header())
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		err := s.sameOrigin(r)
		if err == nil {
			err = notFound().orNil(s.trim(r.URL.Path, name) != "/")
		}
		if err == nil {
			err = serve(w, r)
		}
		if err != nil {
			s.fail(w, r, true, err)
		}
	})
}

func (e *refusal) orNil(is bool) error {
	if !is {
		return nil
	}
	return e
}

func badSync() *refusal {
	return refuse(http.StatusBadRequest, "bad-request", "The body is not of the form this function takes.",
		`Send nothing, {}, {"user":"ID"}, or {"user":"ID","due":"TIME"}.`)
}

// readSync reads the body of a sync request: nothing, an empty object, a user's id with or without the time at which the user was
// due, or the place where an earlier request stopped.
func readSync(body io.Reader) (user, after string, due time.Time, err error) {
	raw, err := readBody(body)
	if err != nil {
		return "", "", due, err
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		return "", "", due, nil
	}
	o, err := readObject(bytes.NewReader(raw))
	if err != nil {
		return "", "", due, badSync()
	}
	for name, value := range o.fields {
		var text *string
		if json.Unmarshal(value, &text) != nil || text == nil || *text == "" {
			return "", "", due, badSync()
		}
		switch name {
		case "user":
			user = *text
		case "after":
			after = *text
		case "due":
			if due, err = time.Parse(time.RFC3339, *text); err != nil || due.IsZero() {
				return "", "", due, badSync()
			}
		default:
			return "", "", due, badSync()
		}
	}
	if user != "" && after != "" || user == "" && !due.IsZero() {
		return "", "", due, badSync()
	}
	return user, after, due, nil
}
