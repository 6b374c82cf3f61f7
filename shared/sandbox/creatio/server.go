// Package creatio is a simulated Creatio site as one http.Handler: sign-in, OAuth 2.0 and OData 4, with the data model and
// the side effects of contacts and activities. It is for whoever tries Tandem without a site of their own, and for tests.
//
// Its invariants:
//
//   - What a real site refuses is refused here, with the same status and the same kind of body as far as they are known:
//     OData errors, ASP.NET errors or pages. Older versions are as lenient as they are.
//   - What a real site changes on its own is changed here: names are put together and taken apart, columns mirror rows, an
//     activity's owner and contact become its participants.
//   - Private tags and what is under them show to their maker and to the system alone.
//   - Whoever can reach the handler can consent as anybody: it belongs on a loopback address.
//   - Time passes by Options.Now alone.
//   - It shares no code with Tandem's own Creatio side, so that it cannot share its mistakes.
package creatio

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
)

// The layouts of a site: those on the .NET Framework keep their services under /0, those on .NET at the root.
const (
	Framework = "framework"
	Core      = "core"
)

// Options are the settings of a simulated site. The zero value is a site of version 8.3.1 on the .NET Framework.
type Options struct {
	// Now is the clock; default time.Now.
	Now func() time.Time
	// Logger hears of every request; default silent.
	Logger *slog.Logger
	// Layout is Framework or Core; default Framework.
	Layout string
	// Version is the site's version; default "8.3.1". Consent of each user begins with 8.3, batches with 7.16.1, tags of
	// the Freedom UI with 8.0.
	Version string
	// TokenLifetime is how long access tokens live; default one hour.
	TokenLifetime time.Duration
	// URL is the base URL by which the site is reached; default: what each request says it was sent to.
	URL string
	// Zone is the server's time zone, in which a date without a time is read; default two hours east of Greenwich.
	Zone *time.Location
	// NameOrder is how names are put together: "GMS", given name first, the default, or "SGM".
	NameOrder string
	// MaxNodes is how many nodes a filter may have; default 100, as in Microsoft's OData library; negative for any number.
	MaxNodes int
	// NoLambda refuses any in filters, NoIDOrder an order between ids in filters, as sites on .NET before 7 do.
	NoLambda, NoIDOrder bool
	// Transactions has a group of a batch that fails leave nothing behind.
	Transactions bool
	// PageRows is how many rows a reply has at most; a longer one says where it goes on (OData Protocol, section 11.2.5.7).
	// 0, as a site is delivered, is any number.
	PageRows int
	// MaxRows is MaxEntityRowCount: a longer reply is cut there without a word; default 20,000, as a site is delivered.
	MaxRows int
	// Without names entities and columns that the site does not have, as "ActivityCorrespondence" and "Activity.Location".
	Without []string
	// DefaultTimeZone is the code of the zone in the system setting of that name; empty where nobody has filled it in.
	DefaultTimeZone string
	// StillParticipants says that participants who come or go leave the time of change of their activity as it is: versions
	// differ in that.
	StillParticipants bool
	// NewID makes the ids of rows that come without one; default random ones.
	NewID func() string
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
	// Bare is an answer without a body.
	Bare bool
	// Drop closes the connection without an answer; of a part of a batch there is none.
	Drop bool
	// After lets the request take effect first.
	After bool
}

// Server is the simulated site.
type Server struct {
	o       Options
	version []int
	schema  map[string]*entity

	mu    sync.Mutex
	state state
	// base is where the request that is answered was sent to.
	base       string
	auto       string
	suggested  string
	refusing   map[string]bool
	denied     map[denial]bool
	fault      func(*http.Request) *Fault
	partFault  func(method, url string) *Fault
	requests   []Request
	violations []string
}

const (
	// maxBody is the largest request that is read.
	maxBody = 32 << 20
	// maxRequests is how many requests and violations are remembered.
	maxRequests = 10_000
)

// New makes a site with its lookups and without users.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Layout == "" {
		o.Layout = Framework
	}
	if o.Version == "" {
		o.Version = "8.3.1"
	}
	if o.TokenLifetime <= 0 {
		o.TokenLifetime = time.Hour
	}
	if o.Zone == nil {
		o.Zone = time.FixedZone("UTC+2", 2*60*60)
	}
	if o.MaxNodes == 0 {
		o.MaxNodes = 100
	}
	if o.MaxRows <= 0 {
		o.MaxRows = 20_000
	}
	if o.NewID == nil {
		o.NewID = newID
	}
	o.URL = strings.TrimSuffix(o.URL, "/")
	s := &Server{o: o, refusing: map[string]bool{}, denied: map[denial]bool{}}
	for part := range strings.SplitSeq(o.Version, ".") {
		n, _ := strconv.Atoi(part) // what is no number counts as the first of its kind
		s.version = append(s.version, n)
	}
	s.schema = s.entities()
	s.state = s.newState()
	s.preset(func(string) bool { return false })
	return s
}

// atLeast reports whether the site is of a version or a later one.
func (s *Server) atLeast(version ...int) bool { return slices.Compare(s.version, version) >= 0 }

// prefix is where the site's services are.
func (s *Server) prefix() string {
	if s.o.Layout == Framework {
		return "/0"
	}
	return ""
}

// SetLayout moves the site, as an upgrade from the .NET Framework to .NET does.
func (s *Server) SetLayout(layout string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.o.Layout = layout
}

func (s *Server) now() time.Time { return s.o.Now().UTC() }

// ServeHTTP answers as the site does. A dropped connection is a panic with http.ErrAbortHandler, as net/http knows it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	content, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "the request could not be read", http.StatusRequestEntityTooLarge)
		return
	}
	r = r.WithContext(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(content))
	out := newResponse()
	f := s.failing(r)
	r.Body = io.NopCloser(bytes.NewReader(content))
	if f == nil || f.After {
		s.dispatch(out, r, content)
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
	if out.status != http.StatusNoContent {
		w.Header().Set("Content-Length", strconv.Itoa(out.body.Len()))
	}
	w.WriteHeader(out.status)
	_, _ = w.Write(out.body.Bytes())
}

// dispatch gives a request to whoever answers it.
func (s *Server) dispatch(w *response, r *http.Request, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.base = s.o.URL
	if s.base == "" {
		scheme := "http"
		if r.TLS != nil {
			scheme = "https"
		}
		s.base = scheme + "://" + r.Host
	}
	p := s.prefix()
	switch path := r.URL.Path; {
	case path == "/ServiceModel/AuthService.svc/Login":
		s.login(w, r, body)
	case path == "/0/ServiceModel/AuthService.svc/Login":
		page(w, http.StatusUnauthorized, "401 - Unauthorized: Access is denied due to invalid credentials.", "")
	case path == p+"/ServiceModel/UserInfoService.svc/GetCurrentUserInfo":
		s.userInfo(w, r)
	case path == p+"/odata" || strings.HasPrefix(path, p+"/odata/"):
		s.odata(w, r, strings.TrimPrefix(strings.TrimPrefix(path, p+"/odata"), "/"), body)
	case path == p+"/.well-known/openid-configuration" || path == "/.well-known/openid-configuration":
		s.discovery(w)
	case path == "/connect/authorize":
		s.authorize(w, r)
	case path == "/connect/token":
		s.token(w, r)
	case path == "/connect/revocation":
		s.revocation(w, r)
	case path == s.loginPage():
		page(w, http.StatusOK, "Log in to Creatio (sandbox)", "<p>Log in with your name and password.</p>")
	case path == "/":
		page(w, http.StatusOK, "Creatio sandbox", "<p>This is a simulated Creatio site of version "+escape(s.o.Version)+". It has no pages of its own.</p>")
	default:
		page(w, http.StatusNotFound, "404 - File or directory not found.", "")
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
	out := newResponse()
	if f.Drop {
		return out
	}
	maps.Copy(out.header, f.Header)
	if out.status = f.Status; out.status == 0 {
		out.status = http.StatusServiceUnavailable
	}
	body := f.Body
	if body == "" && !f.Bare && out.status >= http.StatusBadRequest {
		body = "<!DOCTYPE html><html><head><title>" + http.StatusText(out.status) + "</title></head><body></body></html>"
	}
	if out.header.Get("Content-Type") == "" && body != "" {
		out.header.Set("Content-Type", jsonMedia)
		if strings.HasPrefix(body, "<") {
			out.header.Set("Content-Type", htmlMedia)
		}
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
	s.o.Logger.DebugContext(r.Context(), "simulated creatio", "method", r.Method, "path", r.URL.Path, "status", status)
}

const (
	jsonMedia = "application/json; charset=utf-8"
	htmlMedia = "text/html; charset=utf-8"
)

// response is an answer before it is sent.
type response struct {
	status int
	header http.Header
	body   bytes.Buffer
}

func newResponse() *response { return &response{header: http.Header{}} }

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
