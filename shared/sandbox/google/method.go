package google

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tandem-sync/tandem/shared/sandbox/discovery"
)

// simulated is a method that is simulated. All others of the services that are described are refused with status 501.
type simulated struct {
	// rpc is what refusals call the method.
	rpc string
	do  func(*call) (any, *failure)
}

// methods are the simulated ones of all services, by their names in the discovery documents.
var methods = func() map[string]simulated {
	out := peopleMethods()
	maps.Copy(out, calendarMethods())
	return out
}()

// call is one call of a method.
type call struct {
	s       *Server
	account *account
	book    *book
	method  *discovery.Method
	query   url.Values
	header  http.Header
	body    []byte
	// path are the parts of the path that vary.
	path     map[string]string
	language string
}

// name is the resource name in the path, such as people/c1.
func (c *call) name() string { return c.path["resourceName"] }

// decode reads a body that was judged before.
func (c *call) decode(into any) *failure {
	if err := json.Unmarshal(c.body, into); err != nil {
		return invalid("Invalid JSON payload received. %v", err)
	}
	return nil
}

func (s *Server) serveMethod(w http.ResponseWriter, r *http.Request, m *discovery.Method, path map[string]string, body []byte) {
	answer, f := s.callMethod(r, m, path, body)
	if f != nil {
		f.write(w)
		return
	}
	if answer == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	writeJSON(w, http.StatusOK, partial(answer, r.URL.Query().Get("fields")))
}

func (s *Server) callMethod(r *http.Request, m *discovery.Method, path map[string]string, body []byte) (any, *failure) {
	t, f := s.bearer(r)
	if f != nil {
		return nil, f
	}
	known, found := methods[m.ID]
	if !slices.ContainsFunc(m.Scopes, func(scope string) bool { return slices.Contains(t.Scopes, scope) }) {
		f := newFailure(http.StatusForbidden, "PERMISSION_DENIED", "Request had insufficient authentication scopes.")
		f.reason = "insufficientPermissions"
		f.challenge = `Bearer realm="https://accounts.google.com/", error="insufficient_scope", scope="` + strings.Join(m.Scopes, " ") + `"`
		return nil, f.because("ACCESS_TOKEN_SCOPE_INSUFFICIENT", map[string]string{"service": m.API().Name + ".googleapis.com", "method": known.rpc})
	}
	if f := s.judge(m, r.URL.Query(), body); f != nil {
		return nil, f
	}
	if !found {
		return nil, newFailure(http.StatusNotImplemented, "UNIMPLEMENTED", "The simulated Google has no "+m.ID+".")
	}
	a := s.state.Accounts[t.Email]
	return known.do(&call{
		s: s, account: a, book: a.Book, method: m, query: r.URL.Query(), header: r.Header, body: body, path: path,
		language: r.Header.Get("Accept-Language"),
	})
}

// judge refuses what the service's description does not have. That is noted as well, whatever the client makes of the
// refusal, and so are fields that only the service itself writes.
func (s *Server) judge(m *discovery.Method, query url.Values, body []byte) *failure {
	j := m.Judge(query, body)
	for _, field := range j.ReadOnly {
		s.violate("%s was sent %s, which is read-only", m.ID, field)
	}
	for _, r := range j.Refusals {
		s.violate("%s was refused: %s", m.ID, r.Message)
	}
	return refusalOf(j.Refusals)
}
