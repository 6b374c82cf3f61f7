package creatio

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// The site's limits.
const (
	maxRows  = 20000
	maxParts = 100
	maxQuery = 2048
)

// reply is the answer to one request or one part of a batch.
type reply struct {
	status int
	body   any
	header map[string]string
}

func failed(err error) reply {
	e, ok := err.(*refusal)
	if !ok {
		e = refuse(http.StatusInternalServerError, "%v", err)
	}
	body := map[string]any{"code": "", "message": e.message}
	if e.inner != "" {
		body["innererror"] = map[string]string{"message": e.inner, "type": "Npgsql.PostgresException", "stacktrace": "   at Terrasoft.Core.DB.DBExecutor.Execute()"}
	}
	return reply{status: e.status, body: map[string]any{"error": body}}
}

// odata serves the service below its root.
func (s *Server) odata(w http.ResponseWriter, r *http.Request, a actor, path string) {
	w.Header().Set("OData-Version", "4.0")
	if path == "$batch" {
		s.batch(w, r, a)
		return
	}
	if len(r.URL.RawQuery) > maxQuery {
		page(w, http.StatusNotFound, "404.15 - Not Found: the query string is too long.")
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 32<<20))
	if err != nil {
		return
	}
	s.mu.Lock()
	s.t.begin()
	answered := s.single(a, r.Method, path+"?"+r.URL.RawQuery, body)
	if answered.status >= http.StatusBadRequest {
		s.t.rollback()
	}
	s.mu.Unlock()
	writeReply(w, answered)
}

func writeReply(w http.ResponseWriter, r reply) {
	for name, v := range r.header {
		w.Header().Set(name, v)
	}
	if r.body == nil {
		w.WriteHeader(r.status)
		return
	}
	w.Header().Set("Content-Type", "application/json; odata.metadata=minimal; charset=utf-8")
	w.WriteHeader(r.status)
	_ = json.NewEncoder(w).Encode(r.body)
}

// single carries out one request. The server is locked.
func (s *Server) single(a actor, method, target string, body []byte) reply {
	name, rawQuery, _ := strings.Cut(target, "?")
	set, key, counting := name, "", false
	if before, rest, ok := strings.Cut(name, "("); ok {
		set, key = before, strings.ToLower(strings.TrimSuffix(rest, ")"))
	}
	if before, ok := strings.CutSuffix(name, "/$count"); ok {
		set, counting = before, true
	}
	if schemas[set] == nil {
		return reply{status: http.StatusNotFound, body: map[string]string{
			"Message": "No HTTP resource was found that matches the request URI.", "MessageDetail": "No route data was found for this request: " + set,
		}}
	}
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return failed(refuse(http.StatusBadRequest, "The query is not valid."))
	}
	if s.denied[denial{a.login, set, method}] || s.denied[denial{a.login, set, ""}] {
		return failed(refuse(http.StatusForbidden, "Current user does not have permissions for the object \"%s\".", set))
	}
	var values map[string]any
	if method == http.MethodPost || method == http.MethodPatch {
		d := json.NewDecoder(bytes.NewReader(body))
		if err := d.Decode(&values); err != nil || values == nil {
			return failed(refuse(http.StatusBadRequest, "The request body is not valid JSON."))
		}
		s.watch(method, set, key, values)
	}
	switch {
	case method == http.MethodGet && key != "":
		r := s.t.rows[set][key]
		if r == nil || !s.t.sees(a, set, r) {
			return failed(refuse(http.StatusNotFound, "%s with key %s not found.", set, key))
		}
		return s.shown(set, query, []row{r}, true)
	case method == http.MethodGet:
		return s.list(a, set, query, counting)
	case method == http.MethodPost && key == "":
		id, err := s.t.insert(a, set, values)
		if err != nil {
			return failed(err)
		}
		out := s.shown(set, url.Values{}, []row{s.t.rows[set][id]}, true)
		out.status = http.StatusCreated
		out.header = map[string]string{"Location": set + "(" + id + ")"}
		s.wrote("POST " + set)
		return out
	case method == http.MethodPatch && key != "":
		if r := s.t.rows[set][key]; r != nil && !s.t.sees(a, set, r) {
			return failed(refuse(http.StatusNotFound, "%s with key %s not found.", set, key))
		}
		if err := s.t.update(a, set, key, values); err != nil {
			return failed(err)
		}
		s.wrote("PATCH " + set)
		return reply{status: http.StatusNoContent}
	case method == http.MethodDelete && key != "":
		if set == "Contact" {
			s.violations = append(s.violations, "deleted a contact")
		}
		if r := s.t.rows[set][key]; r != nil && !s.t.sees(a, set, r) {
			return failed(refuse(http.StatusNotFound, "%s with key %s not found.", set, key))
		}
		if err := s.t.remove(set, key); err != nil {
			return failed(err)
		}
		s.wrote("DELETE " + set)
		return reply{status: http.StatusNoContent}
	default:
		return failed(refuse(http.StatusMethodNotAllowed, "The requested resource does not support http method '%s'.", method))
	}
}

// watch notes what no client may do.
func (s *Server) watch(method, set, key string, values map[string]any) {
	switch {
	case method == http.MethodPost && set == "Account":
		s.violations = append(s.violations, "made a company")
	case method == http.MethodPatch && set == "Contact" && values["OwnerId"] != nil && values["OwnerId"] != s.t.rows[set][key].text("OwnerId"):
		s.violations = append(s.violations, "changed the owner of a contact")
	case set == "Contact" && method == http.MethodPatch && len(values) == 0:
		s.violations = append(s.violations, "changed nothing of a contact")
	}
}

// list answers a query of a set.
func (s *Server) list(a actor, set string, q url.Values, counting bool) reply {
	accept, err := s.t.parseFilter(set, q.Get("$filter"))
	if err != nil {
		return failed(err)
	}
	var rows []row
	for _, r := range s.t.all(set) {
		if s.t.sees(a, set, r) && accept(r) {
			rows = append(rows, r)
		}
	}
	if counting {
		return reply{status: http.StatusOK, body: len(rows)}
	}
	total := len(rows)
	if err := s.sort(set, q.Get("$orderby"), rows); err != nil {
		return failed(err)
	}
	for name, cut := range map[string]func(int){
		"$skip": func(n int) { rows = rows[min(n, len(rows)):] },
	} {
		if n, err := strconv.Atoi(q.Get(name)); err == nil {
			cut(n)
		}
	}
	top := maxRows
	if n, err := strconv.Atoi(q.Get("$top")); err == nil {
		top = min(top, n)
	}
	rows = rows[:min(top, len(rows))]
	out := s.shown(set, q, rows, false)
	if body, ok := out.body.(map[string]any); ok && q.Get("$count") == "true" && out.status == http.StatusOK {
		body["@odata.count"] = total
	}
	return out
}

func (s *Server) sort(set, order string, rows []row) error {
	if order == "" {
		return nil
	}
	type key struct {
		read func(row) any
		c    column
		desc bool
	}
	var keys []key
	for _, part := range strings.Split(order, ",") {
		name, direction, _ := strings.Cut(strings.TrimSpace(part), " ")
		p := &parser{t: s.t, set: set}
		read, c, err := p.path(name)
		if err != nil {
			return err
		}
		keys = append(keys, key{read, c, direction == "desc"})
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		for _, k := range keys {
			x, y := k.read(a), k.read(b)
			n, ok := compare(k.c, x, y)
			if !ok {
				n = 1
				if x == nil {
					n = -1
				}
			}
			if k.desc {
				n = -n
			}
			if n != 0 {
				return n
			}
		}
		return 0
	})
	return nil
}

// shown is rows as the service writes them, with the properties that were asked for.
func (s *Server) shown(set string, q url.Values, rows []row, single bool) reply {
	var names []string
	if text := q.Get("$select"); text != "" {
		names = strings.Split(text, ",")
	} else {
		for name := range schemas[set] {
			names = append(names, name)
		}
		slices.Sort(names)
	}
	for _, name := range names {
		if _, ok := schemas[set][name]; !ok {
			return failed(refuse(http.StatusBadRequest, "Could not find a property named '%s' on type 'Terrasoft.Configuration.OData.%s'.", name, set))
		}
	}
	expands, err := parseExpand(q.Get("$expand"))
	if err != nil {
		return failed(err)
	}
	list := []map[string]any{}
	for _, r := range rows {
		out := map[string]any{}
		for _, name := range names {
			out[name] = written(schemas[set][name], r[name])
		}
		for nav, inner := range expands {
			c, ok := schemas[set][nav+"Id"]
			if !ok || c.kind != lookup {
				return failed(refuse(http.StatusBadRequest, "Could not find a property named '%s' on type 'Terrasoft.Configuration.OData.%s'.", nav, set))
			}
			out[nav] = nil
			if target := s.t.rows[c.target][r.text(nav+"Id")]; target != nil {
				object := map[string]any{}
				for _, name := range inner {
					object[name] = written(schemas[c.target][name], target[name])
				}
				out[nav] = object
			}
		}
		list = append(list, out)
	}
	if single {
		list[0]["@odata.context"] = s.o.URL + s.prefix() + "/odata/$metadata#" + set + "/$entity"
		return reply{status: http.StatusOK, body: list[0]}
	}
	return reply{status: http.StatusOK, body: map[string]any{"@odata.context": s.o.URL + s.prefix() + "/odata/$metadata#" + set, "value": list}}
}

// written is a value in a reply, where nothing is null.
func written(c column, v any) any {
	if v != nil {
		return v
	}
	switch c.kind {
	case text:
		return ""
	case lookup, guid:
		return noGUID
	case moment:
		return noMoment
	case flag:
		return false
	default:
		return 0
	}
}

// parseExpand reads "A($select=X,Y),B".
func parseExpand(text string) (map[string][]string, error) {
	out := map[string][]string{}
	for text != "" {
		end := strings.IndexAny(text, ",(")
		if end < 0 {
			out[text] = []string{"Id", "Name"}
			return out, nil
		}
		name := text[:end]
		if text[end] == ',' {
			out[name], text = []string{"Id", "Name"}, text[end+1:]
			continue
		}
		inner, rest, ok := strings.Cut(text[end+1:], ")")
		fields, isSelect := strings.CutPrefix(inner, "$select=")
		if !ok || !isSelect {
			return nil, syntax(text)
		}
		out[name], text = strings.Split(fields, ","), strings.TrimPrefix(rest, ",")
	}
	return out, nil
}

// part is one request of a JSON batch.
type part struct {
	ID     string          `json:"id"`
	Group  string          `json:"atomicityGroup"`
	Method string          `json:"method"`
	URL    string          `json:"url"`
	Body   json.RawMessage `json:"body"`
}

// batch answers a JSON batch. A group takes effect as a whole; of one that fails only the failing part is answered.
func (s *Server) batch(w http.ResponseWriter, r *http.Request, a actor) {
	var req struct {
		Requests []part `json:"requests"`
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, 32<<20)).Decode(&req); err != nil {
		writeReply(w, failed(refuse(http.StatusBadRequest, "The batch is not valid JSON.")))
		return
	}
	if len(req.Requests) > maxParts {
		writeReply(w, failed(refuse(http.StatusBadRequest, "The current change set contains too many operations. Only %d are allowed.", maxParts)))
		return
	}
	goOn := strings.Contains(r.Header.Get("Prefer"), "continue-on-error")
	s.mu.Lock()
	defer s.mu.Unlock()
	responses := []map[string]any{}
	for i := 0; i < len(req.Requests); {
		end := i + 1
		for g := req.Requests[i].Group; g != "" && end < len(req.Requests) && req.Requests[end].Group == g; {
			end++
		}
		s.t.begin()
		var answers []map[string]any
		ok := true
		for _, p := range req.Requests[i:end] {
			out := s.single(a, p.Method, unescape(p.URL), p.Body)
			one := map[string]any{"id": p.ID, "status": out.status, "headers": map[string]string{"content-type": "application/json; odata.metadata=minimal"}}
			if out.body != nil {
				one["body"] = out.body
			}
			if out.status >= http.StatusBadRequest {
				ok = false
				answers = []map[string]any{one}
				break
			}
			answers = append(answers, one)
		}
		if !ok {
			s.t.rollback()
		}
		responses = append(responses, answers...)
		i = end
		if !ok && !goOn {
			break
		}
	}
	writeReply(w, reply{status: http.StatusOK, body: map[string]any{"responses": responses}})
}

// unescape takes the path of a part as it stands; its query is parsed later.
func unescape(target string) string {
	name, query, _ := strings.Cut(strings.TrimPrefix(target, "/"), "?")
	if plain, err := url.PathUnescape(name); err == nil {
		name = plain
	}
	return name + "?" + query
}
