// Package creatio simulates a Creatio site, for running Tandem on a machine of one's own and for its tests: signing in
// in all its ways, and the OData service over what contacts need, with the side effects that the real one has. It
// refuses what Creatio refuses, so that what works here works there. It is never part of what is deployed.
//
// A Server is an http.Handler. What a person does in the site's pages is done through As; what goes wrong in the world
// is done through the hooks SetFault, ExpireSessions and their like.
package creatio

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options are the settings of a Server. The zero value has sensible ones.
type Options struct {
	Now    func() time.Time
	Logger *slog.Logger
	// Layout is "core", with services at the root, or "framework", with services under /0.
	Layout string
	// TokenLifetime is that of access tokens; default one hour.
	TokenLifetime time.Duration
	// URL is the site's own address.
	URL string
}

// User is somebody who may sign in. Ids that are empty are made.
type User struct {
	ID, ContactID, Name, Password, ContactName, Email, TimeZone string
	Active                                                      bool
}

// OAuthClient is a registered application: Kind "user" asks each user's consent, Kind "client" acts for TechnicalUser.
type OAuthClient struct {
	ID, Secret, Kind string
	RedirectURIs     []string
	TechnicalUser    string
}

// Request is one request that was served.
type Request struct {
	Method, Path, Query string
	Status              int
}

// Fault is how a request goes wrong.
type Fault struct {
	Status int
	Body   string
	Header http.Header
	// Drop closes the connection without an answer. After lets the request take effect first.
	Drop, After bool
}

type denial struct{ login, set, method string }

// Server is the simulated site.
type Server struct {
	o Options

	mu         sync.Mutex
	t          *tables
	users      map[string]User
	clients    map[string]OAuthClient
	sessions   map[string]session
	codes      map[string]code
	tokens     map[string]token
	auto       string
	refusing   map[string]bool
	denied     map[denial]bool
	requests   []Request
	writes     []string
	violations []string
	fault      func(*http.Request) *Fault
}

// New makes a site with the lists that every site has, and nobody in it.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.TokenLifetime == 0 {
		o.TokenLifetime = time.Hour
	}
	return &Server{
		o: o, t: newTables(o.Now), users: map[string]User{}, clients: map[string]OAuthClient{}, sessions: map[string]session{},
		codes: map[string]code{}, tokens: map[string]token{}, refusing: map[string]bool{}, denied: map[denial]bool{},
	}
}

// prefix is where the services are.
func (s *Server) prefix() string {
	if s.o.Layout == "framework" {
		return "/0"
	}
	return ""
}

// ServeHTTP answers as the site does.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	fail := s.fault
	s.mu.Unlock()
	var f *Fault
	if fail != nil {
		f = fail(r)
	}
	if f != nil && !f.After {
		s.note(r, f.Status)
		f.answer(w)
		return
	}
	rec := httptest.NewRecorder()
	s.route(rec, r)
	if f != nil {
		s.note(r, f.Status)
		f.answer(w)
		return
	}
	s.note(r, rec.Code)
	maps.Copy(w.Header(), rec.Header())
	w.Header().Set("Date", s.o.Now().UTC().Format(http.TimeFormat))
	w.WriteHeader(rec.Code)
	_, _ = io.Copy(w, rec.Body)
}

func (f *Fault) answer(w http.ResponseWriter) {
	if f.Drop {
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), f.Header)
	w.WriteHeader(f.Status)
	_, _ = io.WriteString(w, f.Body)
}

func (s *Server) note(r *http.Request, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, Request{Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Status: status})
	s.o.Logger.Debug("simulated creatio", "method", r.Method, "path", r.URL.Path, "status", status)
}

func (s *Server) route(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	if path == "/ServiceModel/AuthService.svc/Login" {
		s.login(w, r)
		return
	}
	inner, ours := strings.CutPrefix(path, s.prefix()+"/")
	switch {
	case !ours:
		page(w, http.StatusNotFound, "The resource cannot be found.")
	case inner == ".well-known/openid-configuration":
		s.discovery(w)
	case inner == "connect/authorize":
		s.authorize(w, r)
	case inner == "connect/token":
		s.token(w, r)
	case inner == "connect/revocation":
		s.revoke(w, r)
	case strings.HasPrefix(inner, "odata/"), inner == "ServiceModel/UserInfoService.svc/GetCurrentUserInfo":
		a, ok := s.enter(w, r)
		if !ok {
			return
		}
		if service, is := strings.CutPrefix(inner, "odata/"); is {
			s.odata(w, r, a, service)
		} else {
			s.userInfo(w, a)
		}
	default:
		page(w, http.StatusNotFound, "The resource cannot be found.")
	}
}

// page is an answer for a browser, as sites give it to programs too.
func page(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<!DOCTYPE html><html><head><title>Creatio</title></head><body><h1>%s</h1></body></html>", text)
}

// wrote notes a change that a program made.
func (s *Server) wrote(what string) { s.writes = append(s.writes, what) }

// Requests are the requests so far, or since ResetRequests.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Writes are the changes that programs made since ResetRequests, as "PATCH Contact".
func (s *Server) Writes() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.writes)
}

// ResetRequests forgets requests and writes.
func (s *Server) ResetRequests() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests, s.writes = nil, nil
}

// Violations are what a client did that no client may do, though the site bears it.
func (s *Server) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.violations)
}

// SetFault has every request looked at; nil ends that.
func (s *Server) SetFault(f func(*http.Request) *Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// Deny takes a right from a user: to an entity, by an HTTP method, or by all where it is empty.
func (s *Server) Deny(login, set, method string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denied[denial{login, set, method}] = true
}

// Session is what one user, or the site itself, does in the site's pages.
type Session struct {
	s *Server
	a actor
}

// As is a user's session.
func (s *Server) As(login string) *Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &Session{s, actor{login: login, contact: s.users[login].ContactID}}
}

// System is the site's own.
func (s *Server) System() *Session { return &Session{s, actor{system: true}} }

// Insert makes a row and gives its id.
func (x *Session) Insert(set string, values map[string]any) (id string, err error) {
	err = x.do(func() error {
		id, err = x.s.t.insert(x.a, set, values)
		return err
	})
	return id, err
}

// Update changes a row.
func (x *Session) Update(set, id string, values map[string]any) error {
	return x.do(func() error { return x.s.t.update(x.a, set, strings.ToLower(id), values) })
}

// Delete deletes a row.
func (x *Session) Delete(set, id string) error {
	return x.do(func() error { return x.s.t.remove(set, strings.ToLower(id)) })
}

func (x *Session) do(f func() error) error {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	x.s.t.begin()
	err := f()
	if err != nil {
		x.s.t.rollback()
	}
	return err
}

// Get is a row; nil where there is none, or none that the user sees.
func (x *Session) Get(set, id string) map[string]any {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	r := x.s.t.rows[set][strings.ToLower(id)]
	if r == nil || !x.s.t.sees(x.a, set, r) {
		return nil
	}
	return maps.Clone(r)
}

// Rows are the rows whose columns have the values, in the order in which they were made.
func (x *Session) Rows(set string, having map[string]any) []map[string]any {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	var out []map[string]any
	for _, r := range x.s.t.all(set) {
		fits := x.s.t.sees(x.a, set, r)
		for name, v := range having {
			fits = fits && r[name] == v
		}
		if fits {
			out = append(out, maps.Clone(r))
		}
	}
	return out
}
