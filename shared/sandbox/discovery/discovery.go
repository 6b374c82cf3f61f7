// Package discovery judges requests by Google's own description of its services: the discovery documents of the People
// API and of the Calendar API. It is for the simulated services, and for tests that stand in for one.
//
// Its invariants:
//
//   - What it knows comes from the documents alone. The tables beside this file are generated from those inside the
//     module google.golang.org/api; a test compares them.
//   - It refuses what the description does not have: paths, methods, parameters, body fields, types, enum values, bounds,
//     and paths of a mask where the description lists them. A name that the service spells in two ways (proto and JSON)
//     counts in the spelling of the document only.
//   - A read-only field in a body is not refused, as the services ignore it. It is told of apart.
//   - What a description says in prose, and a value that only stored data can decide, is left to the simulated service:
//     "Required." of a field among it, since the services take many of those fields empty.
package discovery

import (
	"embed"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
)

// API is one service.
type API struct {
	Name     string `json:"name"`
	Version  string `json:"version"`
	Revision string `json:"revision"`
	// Path is what the paths of all methods begin with, and Batch the path to which a batch of requests goes.
	Path  string `json:"path"`
	Batch string `json:"batch"`
	// Parameters are those that every method takes in its query.
	Parameters map[string]*Value  `json:"parameters"`
	Methods    map[string]*Method `json:"methods"`
	// Schemas are the objects that bodies are made of.
	Schemas map[string]*Value `json:"schemas"`
}

// Method is one method of a service.
type Method struct {
	// ID is the name of the method in the document, such as people.contactGroups.create.
	ID   string `json:"-"`
	Verb string `json:"verb"`
	// Path is the path after that of the service, with the parameters {name} and {+name} in it.
	Path string `json:"path"`
	// Scopes are those of which one is needed.
	Scopes     []string          `json:"scopes"`
	Parameters map[string]*Value `json:"parameters,omitempty"`
	// Body is the schema of the request's body; empty where the method takes none.
	Body string `json:"body,omitempty"`

	api     *API
	pattern *regexp.Regexp
}

// Value describes a parameter or a field of a body, in the words of JSON Schema that the documents use.
type Value struct {
	Type   string `json:"type,omitempty"`
	Format string `json:"format,omitempty"`
	// Ref is the schema that the value is of, in place of a type.
	Ref string `json:"$ref,omitempty"`
	// Items are those of an array; Values those of an object of any names; Fields those of an object of known names.
	Items  *Value            `json:"items,omitempty"`
	Values *Value            `json:"additionalProperties,omitempty"`
	Fields map[string]*Value `json:"properties,omitempty"`

	Enum []string `json:"enum,omitempty"`
	// Mask are the valid paths of a field mask, where the description lists them.
	Mask    []string `json:"mask,omitempty"`
	Pattern string   `json:"pattern,omitempty"`
	Minimum *int64   `json:"minimum,omitempty"`
	Maximum *int64   `json:"maximum,omitempty"`
	// ZeroDefault says that 0 stands for the default, whatever the minimum.
	ZeroDefault bool `json:"zeroDefault,omitempty"`

	// Location is where a parameter is: path or query.
	Location string `json:"location,omitempty"`
	Repeated bool   `json:"repeated,omitempty"`
	Required bool   `json:"required,omitempty"`
	// RequiredBy are the methods whose bodies must have the field.
	RequiredBy []string `json:"requiredBy,omitempty"`
	ReadOnly   bool     `json:"readOnly,omitempty"`
}

//go:embed people.json calendar.json
var tables embed.FS

var (
	people   = sync.OnceValue(func() *API { return load("people.json") })
	calendar = sync.OnceValue(func() *API { return load("calendar.json") })
)

// People is the People API, version 1.
func People() *API { return people() }

// Calendar is the Calendar API, version 3.
func Calendar() *API { return calendar() }

func load(name string) *API {
	raw, err := tables.ReadFile(name)
	if err != nil {
		panic("read embedded table: " + err.Error())
	}
	a := &API{}
	if err := json.Unmarshal(raw, a); err != nil {
		panic("read embedded table " + name + ": " + err.Error())
	}
	for id, m := range a.Methods {
		m.ID, m.api, m.pattern = id, a, m.regexp(a.Path)
	}
	return a
}

// API is the service that has the method.
func (m *Method) API() *API { return m.api }

// Find is the method that a request calls, and the values of the path's parameters; nil where no service has it.
func Find(r *http.Request) (*Method, map[string]string) {
	verb := r.Method
	// https://cloud.google.com/apis/docs/http
	if other := r.Header.Get("X-HTTP-Method-Override"); verb == http.MethodPost && other != "" {
		verb = other
	}
	for _, a := range []*API{People(), Calendar()} {
		for _, m := range a.Methods {
			if args, found := m.match(verb, r.URL.EscapedPath()); found {
				return m, args
			}
		}
	}
	return nil, nil
}

// parameter is one of a path template; {+name} may span several segments.
var parameter = regexp.MustCompile(`\\\{(\\\+)?([A-Za-z]+)\\\}`)

// regexp is the method's path. A colon ends the last segment: it separates a verb of the method's own
// (https://github.com/googleapis/googleapis/blob/master/google/api/http.proto), unless the path ends in {name} and has
// no such verbs beside it, as in the Calendar API, whose ids may have one.
func (m *Method) regexp(base string) *regexp.Regexp {
	path := parameter.ReplaceAllStringFunc(regexp.QuoteMeta(base+m.Path), func(found string) string {
		parts := parameter.FindStringSubmatch(found)
		pattern := `[^/]+`
		if parts[1] != "" {
			pattern = strings.Trim(m.Parameters[parts[2]].Pattern, "^$")
			pattern = strings.ReplaceAll(pattern, `[^/]`, `[^/:]`)
		}
		return "(?P<" + parts[2] + ">" + pattern + ")"
	})
	return regexp.MustCompile("^" + path + "$")
}

func (m *Method) match(verb, path string) (map[string]string, bool) {
	if m.Verb != verb {
		return nil, false
	}
	found := m.pattern.FindStringSubmatch(path)
	if found == nil {
		return nil, false
	}
	args := map[string]string{}
	for i, name := range m.pattern.SubexpNames() {
		if name == "" {
			continue
		}
		value, err := url.PathUnescape(found[i])
		if err != nil {
			return nil, false
		}
		args[name] = value
	}
	return args, true
}

// Reference is the method's page in Google's reference, as its refusals name it: contactGroups/create.
func (m *Method) Reference() string {
	name := strings.TrimPrefix(m.ID, m.api.Name+".")
	at := strings.LastIndex(name, ".")
	return name[:at] + "/" + name[at+1:]
}
