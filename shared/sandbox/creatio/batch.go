package creatio

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// maxParts is how many requests a batch may have.
const maxParts = 100

// part is a request of a JSON batch (OData JSON Format 4.01, section 19.1).
type part struct {
	ID        string            `json:"id"`
	Group     string            `json:"atomicityGroup"`
	DependsOn []string          `json:"dependsOn"`
	Method    string            `json:"method"`
	URL       string            `json:"url"`
	Headers   map[string]string `json:"headers"`
	Body      json.RawMessage   `json:"body"`
}

func (p part) header(name string) string {
	for k, v := range p.Headers {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return ""
}

// reply is the answer to a part.
type reply struct {
	ID      string            `json:"id"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    any               `json:"body,omitempty"`
}

func (a reply) failed() bool { return a.Status >= http.StatusBadRequest }

// batch answers the parts in their order. It stops at the first one that fails, unless the client prefers to go on.
func (s *Server) batch(w *response, r *http.Request, by actor, body []byte) {
	switch {
	case !s.atLeast(7, 16, 1):
		s.unknownSet(w, "$batch")
		return
	case r.Method != http.MethodPost:
		s.refuse(w, &refusal{http.StatusMethodNotAllowed, "The requested resource does not support http method '" + r.Method + "'.", "", ""})
		return
	case !isJSON(r.Header.Get("Content-Type")):
		s.refuse(w, unsupported(r.Header.Get("Content-Type")))
		return
	}
	var in struct {
		Requests []part `json:"requests"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		s.refuse(w, badBody("The batch cannot be read."))
		return
	}
	if err := s.checkParts(in.Requests); err != nil {
		s.refuse(w, err)
		return
	}
	goOn := strings.Contains(r.Header.Get("Prefer"), "continue-on-error")
	writeJSON(w, http.StatusOK, odataMedia, map[string]any{"responses": s.runParts(by, in.Requests, goOn)})
}

func (s *Server) checkParts(parts []part) error {
	if len(parts) > maxParts {
		s.violate("a batch of %d parts was sent", len(parts))
		return badBody("The current batch message contains too many parts. Only batch messages with a maximum number of '%d' parts are allowed.", maxParts)
	}
	ids, groups := map[string]bool{}, map[string]bool{}
	for i, p := range parts {
		switch {
		case p.ID == "" || ids[p.ID] || groups[p.ID]:
			return badBody("The id '%s' of a request is empty or not the only one of its kind.", p.ID)
		case p.Method == "" || p.URL == "":
			return badBody("The request '%s' lacks its method or its url.", p.ID)
		case p.Group != "" && groups[p.Group] && parts[i-1].Group != p.Group:
			return badBody("The requests of the atomicity group '%s' do not stand together.", p.Group)
		}
		for _, d := range p.DependsOn {
			if !ids[d] && !groups[d] {
				return badBody("The request '%s' depends on '%s', which does not come before it.", p.ID, d)
			}
		}
		ids[p.ID] = true
		if p.Group != "" {
			groups[p.Group] = true
		}
	}
	return nil
}

// runner runs the parts of one batch.
type runner struct {
	s  *Server
	by actor
	// failed are the ids of parts and groups that failed, made the addresses of what others inserted.
	failed map[string]bool
	made   map[string]string
}

func (s *Server) runParts(by actor, parts []part, goOn bool) []reply {
	run := runner{s, by, map[string]bool{}, map[string]string{}}
	out := []reply{}
	for len(parts) > 0 {
		n := 1
		for parts[0].Group != "" && n < len(parts) && parts[n].Group == parts[0].Group {
			n++
		}
		answers := run.unit(parts[:n])
		parts = parts[n:]
		out = append(out, answers...)
		if !goOn && slices.ContainsFunc(answers, reply.failed) {
			break
		}
	}
	return out
}

// unit runs one part, or a group. Of a group that fails only the part that did is answered. The library that Creatio uses
// opens no transaction for a group (Microsoft.AspNet.OData, DefaultODataBatchHandler): what came before the failure has
// happened, unless the site undoes it.
func (run *runner) unit(parts []part) []reply {
	t := run.s.begin(run.by)
	violations := len(run.s.violations)
	var out []reply
	for _, p := range parts {
		a := run.one(t, p)
		if a.Status == 0 {
			continue
		}
		if !a.failed() {
			out = append(out, a)
			continue
		}
		run.failed[p.ID] = true
		if p.Group != "" {
			run.failed[p.Group] = true
			for _, other := range parts {
				run.failed[other.ID] = true
			}
		}
		if run.s.o.Transactions {
			run.s.violations = run.s.violations[:violations]
			t.rollback(0)
		}
		return []reply{a}
	}
	return out
}

func (run *runner) one(t *tx, p part) reply {
	a := reply{ID: p.ID, Headers: map[string]string{"content-type": odataMedia, "odata-version": "4.0"}}
	w := newResponse()
	if slices.ContainsFunc(p.DependsOn, func(id string) bool { return run.failed[id] }) {
		run.s.refuse(w, &refusal{http.StatusFailedDependency, "A request that this one depends on has failed.", "", ""})
	} else {
		w = run.answer(t, p)
	}
	if w.status == 0 {
		return reply{}
	}
	a.Status = w.status
	if location := w.header.Get("Location"); location != "" {
		a.Headers["location"] = location
		run.made[p.ID] = strings.TrimPrefix(location, run.s.root()+"/")
	}
	if w.status == http.StatusNoContent {
		delete(a.Headers, "content-type")
		return a
	}
	if w.body.Len() == 0 {
		delete(a.Headers, "content-type")
		return a
	}
	a.Headers["content-type"] = w.header.Get("Content-Type")
	a.Body = w.body.String()
	if isJSON(a.Headers["content-type"]) {
		a.Body = json.RawMessage(w.body.Bytes())
	}
	return a
}

// answer answers a part, or fails to.
func (run *runner) answer(t *tx, p part) *response {
	var f *Fault
	if run.s.partFault != nil {
		f = run.s.partFault(strings.ToUpper(p.Method), p.URL)
	}
	w := newResponse()
	if f == nil || f.After {
		run.serve(w, t, p)
	}
	if f != nil {
		return f.answer()
	}
	return w
}

// serve answers a part. Its address is relative to the service root, or begins with it, or with the id of a part that
// inserted something.
func (run *runner) serve(w *response, t *tx, p part) {
	address := strings.TrimPrefix(strings.TrimPrefix(p.URL, run.s.base), run.s.prefix()+"/odata/")
	path, raw, _ := strings.Cut(strings.TrimPrefix(address, "/"), "?")
	if ref, ok := strings.CutPrefix(path, "$"); ok {
		id, rest, _ := strings.Cut(ref, "/")
		if path = run.made[id]; path != "" && rest != "" {
			path += "/" + rest
		}
	}
	options, err := parseOptions(raw)
	if unescaped, err2 := url.PathUnescape(path); err == nil && err2 == nil {
		path = unescaped
	} else {
		run.s.refuse(w, badRequest("The address of the request cannot be read."))
		return
	}
	body := []byte(p.Body)
	var written string
	if json.Unmarshal(p.Body, &written) == nil {
		body = []byte(written)
	}
	run.s.serve(w, request{
		by: run.by, method: strings.ToUpper(p.Method), path: path, options: options, contentType: p.header("Content-Type"), body: body, tx: t,
	})
}
