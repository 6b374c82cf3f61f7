package google

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// method is one method of an API.
type method struct {
	verb string
	path *regexp.Regexp
	// service and name are what refusals call it.
	service, name string
	// scopes are those of which one is needed.
	scopes []string
	write  bool
	params []string
	do     func(*call) (any, *failure)
}

// call is one call of a method.
type call struct {
	s       *Server
	account *account
	book    *book
	query   url.Values
	body    []byte
	// args are the parts of the path that vary.
	args     []string
	language string
}

// systemParams are query parameters that every method takes (https://cloud.google.com/apis/docs/system-parameters).
var systemParams = []string{"alt", "prettyPrint", "key", "quotaUser", "$.xgafv", "$alt", "$prettyPrint", "$key", "uploadType", "upload_protocol"}

// at makes the pattern of a path: {} is a part of a resource name.
func at(path string) *regexp.Regexp {
	return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(path), `\{\}`, `([^/:]+)`) + "$")
}

// methods are those of all simulated APIs.
var methods = peopleMethods()

// methodOf is the method that a request calls; nil where there is none.
func methodOf(r *http.Request) (*method, []string) {
	verb := r.Method
	if verb == http.MethodPost {
		if other := r.Header.Get("X-HTTP-Method-Override"); other != "" {
			verb = other
		}
	}
	for i := range methods {
		if m := &methods[i]; m.verb == verb {
			if found := m.path.FindStringSubmatch(r.URL.Path); found != nil {
				return m, found[1:]
			}
		}
	}
	return nil, nil
}

func (s *Server) serveMethod(w http.ResponseWriter, r *http.Request, m *method, args []string, body []byte) {
	answer, f := s.callMethod(r, m, args, body)
	if f != nil {
		f.write(w)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

func (s *Server) callMethod(r *http.Request, m *method, args []string, body []byte) (any, *failure) {
	t, f := s.bearer(r)
	if f != nil {
		return nil, f
	}
	if !slices.ContainsFunc(m.scopes, func(scope string) bool { return slices.Contains(t.Scopes, scope) }) {
		f := newFailure(http.StatusForbidden, "PERMISSION_DENIED", "Request had insufficient authentication scopes.")
		f.challenge = `Bearer realm="https://accounts.google.com/", error="insufficient_scope", scope="` + strings.Join(m.scopes, " ") + `"`
		return nil, f.because("ACCESS_TOKEN_SCOPE_INSUFFICIENT", map[string]string{"service": m.service, "method": m.name})
	}
	query := r.URL.Query()
	for name := range query {
		if !slices.Contains(m.params, name) && !slices.Contains(systemParams, name) {
			return nil, invalid("Invalid JSON payload received. Unknown name %q: Cannot bind query parameter. "+
				"Field '%s' could not be found in request message.", name, name)
		}
	}
	a := s.state.Accounts[t.Email]
	return m.do(&call{
		s: s, account: a, book: a.Book, query: query, body: body, args: args, language: r.Header.Get("Accept-Language"),
	})
}
