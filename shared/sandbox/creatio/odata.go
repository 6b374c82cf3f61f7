package creatio

import (
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// maxFile is the system setting MaxFileSize, as a site is delivered.
const maxFile = 10 << 20

const odataMedia = "application/json; odata.metadata=minimal"

// request is a request to the OData service, alone or as a part of a batch.
type request struct {
	by           actor
	method, path string
	options      url.Values
	contentType  string
	body         []byte
	// tx is the write that the request belongs to.
	tx *tx
}

// odata answers a request to the OData service.
func (s *Server) odata(w *response, r *http.Request, path string, body []byte) {
	by, ok := s.authenticate(w, r)
	if !ok {
		return
	}
	options, err := parseOptions(r.URL.RawQuery)
	if err != nil {
		s.refuse(w, badRequest("The query string cannot be read."))
		return
	}
	w.header.Set("OData-Version", "4.0")
	switch path {
	case "":
		s.serviceDocument(w)
	case "$metadata":
		s.metadata(w, r.Method)
	case "$batch":
		s.batch(w, r, by, body)
	default:
		s.serve(w, request{by: by, method: r.Method, path: path, options: options, contentType: r.Header.Get("Content-Type"), body: body, tx: s.begin(by)})
	}
}

// parseOptions reads a query string, in which OData has semicolons stand for themselves.
func parseOptions(raw string) (url.Values, error) {
	return url.ParseQuery(strings.ReplaceAll(raw, ";", "%3B"))
}

// targetForm is what a path under the service root names: a set, a key, a property, $value.
var targetForm = regexp.MustCompile(`^([A-Za-z_]\w*)(?:\(([^()]*)\))?(?:/([$A-Za-z_]\w*))?(?:/(\$value))?$`)

// serve answers a request of one entity set.
func (s *Server) serve(w *response, q request) {
	m := targetForm.FindStringSubmatch(q.path)
	if m == nil || s.schema[m[1]] == nil {
		s.unknownSet(w, q.path)
		return
	}
	e, key, property := s.schema[m[1]], strings.TrimPrefix(m[2], "Id="), m[3]
	keyed := strings.Contains(q.path, "(")
	if keyed && !guidForm.MatchString(lower(key)) {
		s.refuse(w, badRequest("The key '%s' is not of the type 'Edm.Guid'.", key))
		return
	}
	var err error
	switch {
	case !keyed && property == "$count" && m[4] == "" && q.method == http.MethodGet:
		err = s.countAll(w, q, e)
	case !keyed && property != "":
		s.unknownSet(w, q.path)
	case !keyed && q.method == http.MethodGet:
		err = s.list(w, q, e)
	case !keyed && q.method == http.MethodPost:
		err = s.insert(w, q, e)
	case keyed && property != "":
		err = s.property(w, q, e, lower(key), property, m[4] != "")
	case keyed && q.method == http.MethodGet:
		err = s.single(w, q, e, lower(key))
	case keyed && q.method == http.MethodPatch:
		err = s.update(w, q, e, lower(key))
	case keyed && q.method == http.MethodDelete:
		err = s.remove(w, q, e, lower(key))
	default:
		writeJSON(w, http.StatusMethodNotAllowed, jsonMedia, map[string]string{
			"Message": "The requested resource does not support http method '" + q.method + "'.",
		})
	}
	if err != nil {
		s.refuse(w, err)
	}
}

// refuse answers with OData's error.
func (s *Server) refuse(w *response, err error) {
	r := refusalOf(err)
	writeJSON(w, r.status, odataMedia, map[string]any{"error": map[string]any{
		"code": "", "message": r.message,
		"innererror": map[string]any{"message": r.inner, "type": r.typeName, "stacktrace": ""},
	}})
}

// unknownSet answers with ASP.NET's routing error, which older sites send with status 200.
func (s *Server) unknownSet(w *response, path string) {
	status := http.StatusNotFound
	if !s.atLeast(8) {
		status = http.StatusOK
	}
	name, _, _ := strings.Cut(path, "(")
	writeJSON(w, status, jsonMedia, map[string]string{
		"Message":       fmt.Sprintf("No HTTP resource was found that matches the request URI '%s'.", s.root()+"/"+path),
		"MessageDetail": fmt.Sprintf("No route providing a controller name with name '%s' was found to match request URI.", name),
	})
}

// root is the service root.
func (s *Server) root() string { return s.base + s.prefix() + "/odata" }

// open reads the options of a request for an entity that may be read.
func (s *Server) open(q request, e *entity) (*query, error) {
	if !s.may(q.by, e, Read) {
		return nil, forbidden("read", e)
	}
	return s.parseQuery(q.by, e, q.options)
}

func (s *Server) list(w *response, r request, e *entity) error {
	q, err := s.open(r, e)
	if err != nil {
		return err
	}
	rows, total := q.run()
	rows = rows[min(q.token, len(rows)):]
	more := s.o.PageRows > 0 && len(rows) > s.o.PageRows
	if more {
		rows = rows[:s.o.PageRows]
	}
	value := make([]any, len(rows))
	for i, found := range rows {
		value[i] = q.write(found)
	}
	out := map[string]any{"@odata.context": s.context(e, q), "value": value}
	if more {
		out["@odata.nextLink"] = s.nextLink(r, q.token+len(rows))
	}
	if q.count {
		out["@odata.count"] = total
	}
	writeJSON(w, http.StatusOK, odataMedia, out)
	return nil
}

// nextLink is where a reply goes on after that many rows.
func (s *Server) nextLink(r request, after int) string {
	options := url.Values{}
	maps.Copy(options, r.options)
	options.Set("$skiptoken", strconv.Itoa(after))
	return s.root() + "/" + r.path + "?" + options.Encode()
}

func (s *Server) context(e *entity, q *query) string {
	context := s.root() + "/$metadata#" + e.name
	if q != nil && len(q.selected) > 0 {
		context += "(" + strings.Join(q.selected, ",") + ")"
	}
	return context
}

func (s *Server) countAll(w *response, r request, e *entity) error {
	q, err := s.open(r, e)
	if err != nil {
		return err
	}
	_, total := q.run()
	w.header.Set("Content-Type", "text/plain")
	w.WriteHeader(http.StatusOK)
	fmt.Fprint(w, total)
	return nil
}

func (s *Server) single(w *response, r request, e *entity, id string) error {
	q, err := s.open(r, e)
	if err != nil {
		return err
	}
	found := s.visible(r.by, e, id)
	if found == nil {
		return notFound()
	}
	out := q.write(found)
	out["@odata.context"] = s.context(e, q) + "/$entity"
	writeJSON(w, http.StatusOK, odataMedia, out)
	return nil
}

func isJSON(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && media == "application/json"
}

func (s *Server) insert(w *response, r request, e *entity) error {
	if !isJSON(r.contentType) {
		return unsupported(r.contentType)
	}
	values, err := s.payload(e, r.body, true)
	if err != nil {
		return err
	}
	made, err := r.tx.create(e, values)
	if err != nil {
		return err
	}
	s.watch(r.by, e, nil, values)
	q := &query{s: s, by: r.by, e: e}
	out := q.write(made)
	out["@odata.context"] = s.context(e, nil) + "/$entity"
	// The reply still has the digits that the database does not keep.
	for _, name := range []string{"CreatedOn", "ModifiedOn"} {
		out[name] = r.tx.at.Format(timeLayout)
	}
	w.header.Set("Location", s.root()+"/"+e.name+"("+made.text("Id")+")")
	writeJSON(w, http.StatusCreated, odataMedia, out)
	return nil
}

func unsupported(contentType string) error {
	message := "The media type '" + contentType + "' is not supported."
	return &refusal{http.StatusUnsupportedMediaType, message, message, "System.Web.Http.HttpResponseException"}
}

func (s *Server) update(w *response, r request, e *entity, id string) error {
	if !isJSON(r.contentType) {
		return unsupported(r.contentType)
	}
	values, err := s.payload(e, r.body, false)
	if err != nil {
		return err
	}
	old := s.visible(r.by, e, id)
	if err := r.tx.change(e, id, values); err != nil {
		return err
	}
	s.watch(r.by, e, old, values)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) remove(w *response, r request, e *entity, id string) error {
	old := s.visible(r.by, e, id)
	if err := r.tx.drop(e, id); err != nil {
		return err
	}
	s.watch(r.by, e, old, nil)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// property reads one property, or writes a binary one.
func (s *Server) property(w *response, r request, e *entity, id, name string, plain bool) error {
	found, c := s.visible(r.by, e, id), e.find(name)
	switch {
	case !s.may(r.by, e, Read):
		return forbidden("read", e)
	case found == nil:
		return notFound()
	case c == nil:
		s.unknownSet(w, r.path)
		return nil
	}
	switch {
	case r.method == http.MethodPut && c.kind == binary:
		if media, _, err := mime.ParseMediaType(r.contentType); err != nil || media != "application/octet-stream" {
			return unsupported(r.contentType)
		}
		if len(r.body) > maxFile {
			return badBody("The file is larger than %d bytes.", maxFile)
		}
		if err := r.tx.change(e, id, row{name: r.body}); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
	case r.method != http.MethodGet:
		return &refusal{http.StatusMethodNotAllowed, "The requested resource does not support http method '" + r.method + "'.", "", ""}
	case c.kind == binary:
		content, _ := found[name].([]byte)
		if len(content) == 0 {
			w.WriteHeader(http.StatusNoContent)
			return nil
		}
		w.header.Set("Content-Type", "application/octet-stream")
		w.WriteHeader(http.StatusOK)
		w.body.Write(content)
	case plain:
		w.header.Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusOK)
		fmt.Fprint(w, encode(c, found[name]))
	default:
		writeJSON(w, http.StatusOK, odataMedia, map[string]any{
			"@odata.context": s.context(e, nil) + "(" + id + ")/" + name, "value": encode(c, found[name]),
		})
	}
	return nil
}

func (s *Server) serviceDocument(w *response) {
	var sets []map[string]string
	for _, name := range s.names() {
		sets = append(sets, map[string]string{"name": name, "kind": "EntitySet", "url": name})
	}
	writeJSON(w, http.StatusOK, odataMedia, map[string]any{"@odata.context": s.root() + "/$metadata", "value": sets})
}

// metadata writes the model as OData CSDL 4.0 has it.
func (s *Server) metadata(w *response, method string) {
	if method != http.MethodGet {
		s.refuse(w, &refusal{http.StatusMethodNotAllowed, "Only GET is supported here.", "", ""})
		return
	}
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="utf-8"?><edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>` +
		`<Schema Namespace="` + strings.TrimSuffix(namespace, ".") + `" xmlns="http://docs.oasis-open.org/odata/ns/edm">`)
	back := map[string][]string{}
	for _, name := range s.names() {
		for _, c := range s.schema[name].columns {
			if c.kind == lookup {
				back[c.to] = append(back[c.to], fmt.Sprintf(`<NavigationProperty Name="%sCollectionBy%s" Type="Collection(%s%s)"/>`,
					name, c.navigation(), namespace, name))
			}
		}
	}
	for _, name := range s.names() {
		fmt.Fprintf(&b, `<EntityType Name="%s"><Key><PropertyRef Name="Id"/></Key>`, name)
		for _, c := range s.schema[name].columns {
			nullable := ""
			if c.kind == text {
				nullable = ` Nullable="false"`
			}
			fmt.Fprintf(&b, `<Property Name="%s" Type="%s"%s/>`, c.name, edm[c.kind], nullable)
			if c.kind == lookup {
				fmt.Fprintf(&b, `<NavigationProperty Name="%s" Type="%s%s"/>`, c.navigation(), namespace, c.to)
			}
		}
		b.WriteString(strings.Join(back[name], "") + `</EntityType>`)
	}
	b.WriteString(`</Schema><Schema Namespace="Default" xmlns="http://docs.oasis-open.org/odata/ns/edm"><EntityContainer Name="Container">`)
	for _, name := range s.names() {
		fmt.Fprintf(&b, `<EntitySet Name="%s" EntityType="%s%s"/>`, name, namespace, name)
	}
	b.WriteString(`</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>`)
	w.header.Set("Content-Type", "application/xml")
	w.WriteHeader(http.StatusOK)
	w.body.WriteString(b.String())
}

// userInfo answers who the user is. The form of the answer differs from version to version.
func (s *Server) userInfo(w *response, r *http.Request) {
	by, ok := s.authenticate(w, r)
	if !ok {
		return
	}
	if r.Method != http.MethodPost {
		page(w, http.StatusMethodNotAllowed, "Method not allowed.", "")
		return
	}
	u := s.state.Users[by.login]
	info := map[string]any{
		"contactId": u.ContactID, "contactName": u.ContactName, "userId": u.UnitID,
		"cultureInfo": map[string]any{"sysCultureName": u.Culture},
	}
	if s.atLeast(8) {
		writeJSON(w, http.StatusOK, jsonMedia, map[string]any{"userInfo": info, "success": true})
		return
	}
	inner, _ := json.Marshal(map[string]any{"userInfo": info}) // strings and maps always encode
	writeJSON(w, http.StatusOK, jsonMedia, map[string]any{"GetCurrentUserInfoResult": string(inner)})
}

// idle is how long a session lasts without a request.
const idle = 20 * time.Minute
