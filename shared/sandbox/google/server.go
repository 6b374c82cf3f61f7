// Package google is a simulated Google: OAuth 2.0 and OpenID Connect, the People API v1 and the Calendar API v3, as one http.Handler. It is
// for whoever tries Tandem without an account at Google, and for tests.
//
// Its invariants:
//
//   - What the real service refuses is refused here, with the same status and the same words as far as they are known.
//     Every request of an API is judged by the service's own description first.
//   - What the real service does not promise does not hold here either: entries of a field come in any order, and with
//     the options set, lists lag behind writes and reads show what was before.
//   - Accounts do not see each other. Whoever can reach the handler can sign in as anybody: it belongs on a loopback
//     address.
//   - Time passes by Options.Now alone.
//   - It shares no code with Tandem's own Google side, so that it cannot share its mistakes.
package google

import (
	"bytes"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tandem-sync/tandem/shared/sandbox/discovery"
	"github.com/tandem-sync/tandem/shared/sandbox/google/calendar"
)

// Options are the settings of a simulated Google. The zero value is a well-behaved one.
type Options struct {
	// Now is the clock; default time.Now.
	Now func() time.Time
	// Logger hears of every request, and of what no client may do; default silent.
	Logger *slog.Logger
	// IssuerURL is the base URL by which the server is reached, and the issuer of its tokens; default: what each
	// request says it was sent to.
	IssuerURL string
	// TokenLifetime is how long access tokens live; default one hour.
	TokenLifetime time.Duration
	// WriteVisibility is how long after a write the lists of contacts show it.
	WriteVisibility time.Duration
	// StaleReads is how long after a write a contact may still be read as it was before.
	StaleReads time.Duration
	// StaleGroups is how long after a write a group may still be read with the members of before.
	StaleGroups time.Duration
	// FullSyncPerMinute is how many full lists of contacts an account may begin in a minute; 0 for any number.
	FullSyncPerMinute int
	// EventVisibility is how long after a write the lists of events show it.
	EventVisibility time.Duration
	// StaleEvents is how long after a write an event may still be read as it was before.
	StaleEvents time.Duration
	// QuietReminders says that sync tokens of events do not tell of a change of reminders alone.
	QuietReminders bool
	// AllDayReminders says that events of whole days show the calendar's default reminders as their own.
	AllDayReminders bool
	// EventCallsPerMinute is how many requests a user has at the Calendar API in a minute, parts of a batch counted; 0 for
	// any number. The real one is 600.
	EventCallsPerMinute int
	// MaxContacts is how many contacts an account holds; default 25,000.
	MaxContacts int
	// Refused is a text of which a person may have nothing: one who has is refused, as the service refuses some for reasons that no
	// client knows. Default: none.
	Refused string
	// PageRows says how many contacts or events a page has for which that many were asked for: any number, as a page may be short,
	// or empty, while another one follows. Default: as many.
	PageRows func(asked int) int
}

// Request is one request that was made.
type Request struct {
	Method, Path string
	Query        url.Values
	// Status is that of the answer; 0 where the connection was closed without one.
	Status int
}

// Fault is what goes wrong with a request.
type Fault struct {
	// Status and Body are answered in place of the real answer; the status is 503 by default.
	Status int
	Body   string
	Header http.Header
	// Drop closes the connection without an answer.
	Drop bool
	// After lets the request take effect first.
	After bool
}

// Server is the simulated Google.
type Server struct {
	o Options

	mu    sync.Mutex
	state state
	// calendars are those of all accounts.
	calendars *calendar.Service
	// base is where the last request was sent to.
	base       string
	suggested  string
	fault      func(*http.Request) *Fault
	partFault  func(*http.Request) *Fault
	requests   []Request
	violations []string
	// writing counts the writes under way by account.
	writing map[string]int
	// spent are refresh and sync tokens that were refused already.
	spent map[string]bool
}

const (
	// maxBody is the largest request that is read.
	maxBody = 32 << 20
	// maxRequests is how many requests are remembered.
	maxRequests = 10_000
)

// New makes a simulated Google without clients and users.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.TokenLifetime <= 0 {
		o.TokenLifetime = time.Hour
	}
	if o.MaxContacts <= 0 {
		o.MaxContacts = 25_000
	}
	if o.PageRows == nil {
		o.PageRows = func(asked int) int { return asked }
	}
	o.IssuerURL = strings.TrimSuffix(o.IssuerURL, "/")
	s := &Server{o: o, state: newState(), writing: map[string]int{}, spent: map[string]bool{}}
	s.calendars = calendar.New(calendar.Options{
		// What is served is served with the lock held.
		Now: o.Now, Violate: s.violate, PageRows: o.PageRows, Visibility: o.EventVisibility, StaleReads: o.StaleEvents,
		QuietReminders: o.QuietReminders, AllDayReminders: o.AllDayReminders, PerMinute: o.EventCallsPerMinute,
	})
	return s
}

// ServeHTTP answers as Google does. A dropped connection is a panic with http.ErrAbortHandler, as net/http knows it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	content, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "the request could not be read", http.StatusRequestEntityTooLarge)
		return
	}
	r = r.WithContext(r.Context())
	rewind := func() { r.Body = io.NopCloser(bytes.NewReader(content)) }
	rewind()
	done := s.begin(r)
	defer done()

	out := &response{header: http.Header{}}
	f := s.failing(r)
	rewind()
	if f == nil || f.After {
		s.mu.Lock()
		s.dispatch(out, r, content)
		s.mu.Unlock()
	}
	if f != nil {
		out = f.answer()
	}
	s.record(r, out.status)
	if out.status == 0 {
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), out.header)
	w.Header().Set("Date", s.o.Now().UTC().Format(http.TimeFormat))
	if out.status != http.StatusNoContent && out.status != http.StatusNotModified {
		w.Header().Set("Content-Length", strconv.Itoa(out.body.Len()))
	}
	w.WriteHeader(out.status)
	_, _ = w.Write(out.body.Bytes())
}

// dispatch gives a request to whoever answers it.
func (s *Server) dispatch(w http.ResponseWriter, r *http.Request, body []byte) {
	s.base = s.issuer(r)
	if h, known := map[string]func(http.ResponseWriter, *http.Request){
		"/.well-known/openid-configuration": s.discovery,
		"/oauth2/v3/certs":                  s.certs,
		"/o/oauth2/v2/auth":                 s.authorize,
		"/token":                            s.token,
		"/revoke":                           s.revoke,
		"/oauth2/v3/userinfo":               s.userinfo,
	}[r.URL.Path]; known {
		h(w, r)
		return
	}
	if strings.HasPrefix(r.URL.Path, photoPath) {
		s.servePhoto(w, r)
		return
	}
	if a := batchOf(r.URL.Path); a != nil {
		s.serveBatch(w, r, a, body)
		return
	}
	m, path := discovery.Find(r)
	if m == nil {
		s.noMethod(w, r)
		return
	}
	s.serveMethod(w, r, m, path, body)
}

// noMethod refuses what no service has: neither a path that is not there nor another verb at one that is.
func (s *Server) noMethod(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "" {
		// Without credentials it is a browser that looks for an icon.
		s.violate("no service has %s %s", r.Method, r.URL.Path)
	}
	http.Error(w, "Error 404 (Not Found)!!1", http.StatusNotFound)
}

// begin counts a write, and gives what is to be done at its end.
func (s *Server) begin(r *http.Request) func() {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, _ := discovery.Find(r)
	if m == nil || m.Verb == http.MethodGet || !sequential(m) {
		return func() {}
	}
	t, err := s.bearer(r)
	if err != nil {
		return func() {}
	}
	if s.writing[t.Email]++; s.writing[t.Email] > 1 {
		s.violate("parallel writes for %s: %s %s began while another write was under way", t.Email, r.Method, r.URL.Path)
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.writing[t.Email]--
	}
}

func (s *Server) failing(r *http.Request) *Fault {
	s.mu.Lock()
	hook := s.fault
	s.mu.Unlock()
	if hook == nil {
		return nil
	}
	return hook(r)
}

func (f *Fault) answer() *response {
	out := &response{header: f.Header.Clone()}
	if f.Drop {
		return out
	}
	if out.header == nil {
		out.header = http.Header{}
	}
	if out.status = f.Status; out.status == 0 {
		out.status = http.StatusServiceUnavailable
	}
	body := f.Body
	if body == "" && out.status >= http.StatusBadRequest {
		body = newFailure(out.status, codeNames[out.status], http.StatusText(out.status)).json()
	}
	if out.header.Get("Content-Type") == "" {
		out.header.Set("Content-Type", "application/json; charset=UTF-8")
	}
	out.body.WriteString(body)
	return out
}

func (s *Server) record(r *http.Request, status int) {
	s.mu.Lock()
	if len(s.requests) >= maxRequests {
		s.requests = slices.Delete(s.requests, 0, maxRequests/10)
	}
	s.requests = append(s.requests, Request{Method: r.Method, Path: r.URL.Path, Query: r.URL.Query(), Status: status})
	s.mu.Unlock()
	s.o.Logger.DebugContext(r.Context(), "simulated google", "method", r.Method, "path", r.URL.Path, "status", status)
}

// Requests are the requests that were made, the oldest first. Of very many the oldest are forgotten.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// ResetRequests forgets the requests. Violations are never forgotten.
func (s *Server) ResetRequests() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = nil
}

// Violations tell what was done that nobody should do, though the real service lets much of it pass: writing in parallel
// for one user, deleting a contact, using a code twice, repeating a token that was refused, sending a field that only the
// service writes, or a request that its description does not have.
func (s *Server) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.violations)
}

// SetFault lets a function decide what goes wrong with each request; nil for a request, or for the function, is nothing.
// It may be called for several requests at a time, and may read the body.
func (s *Server) SetFault(fault func(*http.Request) *Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = fault
}

// response is an answer before it is sent.
type response struct {
	status int
	header http.Header
	body   bytes.Buffer
}

func (r *response) Header() http.Header { return r.header }

func (r *response) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *response) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(p)
}

// issuer is the base URL of the server.
func (s *Server) issuer(r *http.Request) string {
	if s.o.IssuerURL != "" {
		return s.o.IssuerURL
	}
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
