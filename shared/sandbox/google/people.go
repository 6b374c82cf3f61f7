package google

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// peopleMethods are those of https://developers.google.com/people/api/rest that are simulated.
func peopleMethods() []method {
	const service, contacts = "people.googleapis.com", scopePrefix + "contacts"
	read, write := []string{contacts, contacts + ".readonly"}, []string{contacts}
	anybody := append(slices.Clone(read), profileScope, emailScope)
	m := func(verb, path, name string, scopes []string, do func(*call) (any, *failure), params ...string) method {
		service2 := "google.people.v1.PeopleService."
		if strings.Contains(path, "contactGroups") {
			service2 = "google.people.v1.ContactGroupService."
		}
		return method{
			verb: verb, path: at(path), service: service, name: service2 + name, scopes: scopes, params: params, do: do,
			write: verb != http.MethodGet,
		}
	}
	fields := []string{"personFields", "requestMask.includeField", "sources"}
	with := func(more ...string) []string { return append(slices.Clone(fields), more...) }
	return []method{
		m("GET", "/v1/people/{}/connections", "ListConnections", read, (*call).connections,
			with("pageSize", "pageToken", "requestSyncToken", "syncToken", "sortOrder")...),
		m("GET", "/v1/people:batchGet", "GetPeople", anybody, (*call).getPeople, with("resourceNames")...),
		m("GET", "/v1/people:searchContacts", "SearchContacts", read, (*call).searchContacts, "query", "pageSize", "readMask", "sources"),
		m("POST", "/v1/people:createContact", "CreateContact", write, (*call).createContact, fields...),
		m("POST", "/v1/people:batchCreateContacts", "BatchCreateContacts", write, (*call).batchCreate),
		m("POST", "/v1/people:batchUpdateContacts", "BatchUpdateContacts", write, (*call).batchUpdate),
		m("POST", "/v1/people:batchDeleteContacts", "BatchDeleteContacts", write, (*call).batchDelete),
		m("PATCH", "/v1/people/{}:updateContact", "UpdateContact", write, (*call).updateContact, with("updatePersonFields")...),
		m("PATCH", "/v1/people/{}:updateContactPhoto", "UpdateContactPhoto", write, (*call).updateContactPhoto),
		m("DELETE", "/v1/people/{}:deleteContactPhoto", "DeleteContactPhoto", write, (*call).deleteContactPhoto, "personFields", "sources"),
		m("DELETE", "/v1/people/{}:deleteContact", "DeleteContact", write, (*call).deleteContact),
		m("GET", "/v1/people/{}", "GetPerson", anybody, (*call).getPerson, fields...),
		m("GET", "/v1/contactGroups", "ListContactGroups", read, (*call).listGroups, "groupFields", "pageSize", "pageToken", "syncToken"),
		m("GET", "/v1/contactGroups:batchGet", "BatchGetContactGroups", read, (*call).batchGetGroups, "groupFields", "maxMembers", "resourceNames"),
		m("POST", "/v1/contactGroups", "CreateContactGroup", write, (*call).createGroup),
		m("POST", "/v1/contactGroups/{}/members:modify", "ModifyContactGroupMembers", write, (*call).modifyMembers),
		m("GET", "/v1/contactGroups/{}", "GetContactGroup", read, (*call).getGroup, "groupFields", "maxMembers"),
		m("PUT", "/v1/contactGroups/{}", "UpdateContactGroup", write, (*call).updateGroup),
		m("DELETE", "/v1/contactGroups/{}", "DeleteContactGroup", write, (*call).deleteGroup, "deleteContacts"),
	}
}

// mask reads a field mask. An empty one is refused, unless there is a default.
func mask(param, value string, known, otherwise []string, see string) ([]string, *failure) {
	documented := "Valid paths are documented at https://developers.google.com/people/api/rest/v1/" + see + "."
	var out []string
	for path := range strings.SplitSeq(value, ",") {
		path = strings.TrimSpace(path)
		if path == "" {
			continue
		}
		if !slices.Contains(known, path) {
			return nil, invalid("Invalid %s mask path: \"%s\". %s", param, snake(path), documented)
		}
		if !slices.Contains(out, path) {
			out = append(out, path)
		}
	}
	if len(out) > 0 {
		return out, nil
	}
	if otherwise == nil {
		return nil, invalid("%s mask is required. Please specify one or more valid paths. %s", param, documented)
	}
	return otherwise, nil
}

// personMask is the mask of what to show; the older spelling of it is understood too.
func (c *call) personMask(otherwise []string, see string) ([]string, *failure) {
	value := c.query.Get("personFields")
	if old := c.query.Get("requestMask.includeField"); value == "" && old != "" {
		value = strings.ReplaceAll(old, "person.", "")
	}
	return mask("personFields", value, readable, otherwise, see)
}

var sourceTypes = []string{"READ_SOURCE_TYPE_PROFILE", "READ_SOURCE_TYPE_CONTACT", "READ_SOURCE_TYPE_DOMAIN_CONTACT", "READ_SOURCE_TYPE_OTHER_CONTACT"}

// sources are those whose data is to be shown; none is the contact's and the profile's.
func readSources(list []string) ([]string, *failure) {
	var out []string
	for _, s := range list {
		for name := range strings.SplitSeq(s, ",") {
			if !slices.Contains(sourceTypes, name) {
				return nil, invalid("Invalid value at 'sources' (type.googleapis.com/google.people.v1.ReadSourceType), %q", name)
			}
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// view reads how to show people.
func (c *call) view(otherwise []string, see string) (view, *failure) {
	m, f := c.personMask(otherwise, see)
	if f != nil {
		return view{}, f
	}
	sources, f := readSources(c.query["sources"])
	return view{mask: m, sources: sources, language: c.language, base: c.s.base}, f
}

// number reads a number from the query, within bounds; nothing and zero are the default.
func (c *call) number(name string, otherwise, most int) (int, *failure) {
	text := c.query.Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, invalid("Invalid value at '%s' (TYPE_INT32), %q", snake(name), text)
	}
	if n < 0 || n > most {
		return 0, invalidField(snake(name), "It must be between 0 and "+strconv.Itoa(most)+".")
	}
	if n == 0 {
		return otherwise, nil
	}
	return n, nil
}

func (c *call) flag(name string) (bool, *failure) {
	text := c.query.Get(name)
	if text == "" {
		return false, nil
	}
	b, err := strconv.ParseBool(text)
	if err != nil {
		return false, invalid("Invalid value at '%s' (TYPE_BOOL), %q", snake(name), text)
	}
	return b, nil
}

func isPerson(name string) bool {
	id, found := strings.CutPrefix(name, "people/")
	return found && id != "" && !strings.ContainsAny(id, "/:")
}

// me is the user, as far as the granted scopes tell.
func (c *call) me(v view) map[string]any {
	a := c.account
	source := map[string]any{"source": map[string]any{"type": "PROFILE", "id": a.Subject}, "primary": true}
	out := map[string]any{"resourceName": "people/" + a.Subject, "etag": tag('%', 0, 0)}
	for _, name := range v.mask {
		switch name {
		case "names":
			given, family, _ := strings.Cut(a.Name, " ")
			out[name] = []any{derived("names", item{"givenName": given, "familyName": family, "metadata": source}, "")}
		case "emailAddresses":
			out[name] = []any{item{"value": a.Email, "metadata": source}}
		case "metadata":
			out[name] = map[string]any{"objectType": "PERSON", "sources": []any{map[string]any{"type": "PROFILE", "id": a.Subject}}}
		}
	}
	return out
}

// read shows one person as a read may see it: for a while as it was before the last write.
func (c *call) read(name string, v view) map[string]any {
	if name == "people/me" || name == "people/"+c.account.Subject {
		return c.me(v)
	}
	found := c.book.find(name)
	if found == nil {
		return nil
	}
	at := found.now()
	if stale := c.s.o.StaleReads; stale > 0 {
		at, _ = found.upTo(max(c.book.shown(c.s.o.Now().Add(-stale)), found.Born))
	}
	return found.render(at, v)
}

func (c *call) getPerson() (any, *failure) {
	v, f := c.view(nil, "people/get")
	if f != nil {
		return nil, f
	}
	if p := c.read("people/"+c.args[0], v); p != nil {
		return p, nil
	}
	return nil, notFound()
}

func (c *call) getPeople() (any, *failure) {
	v, f := c.view(nil, "people/getBatchGet")
	if f != nil {
		return nil, f
	}
	names := c.query["resourceNames"]
	switch {
	case len(names) == 0:
		return nil, invalidField("resource_names", "At least one is required.")
	case len(names) > maxBatch:
		return nil, invalidField("resource_names", "There are more than 200.")
	}
	var out []any
	for _, name := range names {
		if !isPerson(name) {
			return nil, invalidField("resource_names", "It is not the name of a person.")
		}
		out = append(out, outcome(name, c.read(name, v)))
	}
	return map[string]any{"responses": out}, nil
}

// outcome is one person inside an answer; nil is one who is not there.
func outcome(asked string, person map[string]any) map[string]any {
	if person == nil {
		return map[string]any{
			"requestedResourceName": asked, "httpStatusCode": http.StatusNotFound,
			"status": map[string]any{"code": codeNumbers["NOT_FOUND"], "message": notFound().message},
		}
	}
	return map[string]any{"requestedResourceName": asked, "httpStatusCode": http.StatusOK, "person": person, "status": struct{}{}}
}

// searchContacts finds contacts as they were at the last search with an empty query: the real service's search is a cache
// that such a query fills (https://developers.google.com/people/v1/contacts#search_the_users_contacts).
func (c *call) searchContacts() (any, *failure) {
	m, f := mask("readMask", c.query.Get("readMask"), readable, nil, "people/searchContacts")
	if f != nil {
		return nil, f
	}
	sources, f := readSources(c.query["sources"])
	if f != nil {
		return nil, f
	}
	if len(sources) == 0 {
		sources = []string{"READ_SOURCE_TYPE_CONTACT"}
	}
	size, f := c.number("pageSize", 10, 1<<30)
	if f != nil {
		return nil, f
	}
	query := strings.ToLower(strings.TrimSpace(c.query.Get("query")))
	if query == "" {
		c.book.Searched = c.book.Seq
		return struct{}{}, nil
	}
	var out []any
	for _, found := range c.book.live() {
		at, there := found.upTo(c.book.Searched)
		if there && at.matches(query) && len(out) < min(size, 30) {
			out = append(out, map[string]any{"person": found.render(at, view{mask: m, sources: sources, language: c.language, base: c.s.base})})
		}
	}
	return map[string]any{"results": out}, nil
}

// matches reports whether a field has a word that begins with the query.
func (v version) matches(query string) bool {
	for _, field := range []string{"names", "nicknames", "emailAddresses", "phoneNumbers", "organizations"} {
		for _, it := range v.Content[field] {
			text := joined(it, slices.Concat(nameParts, []string{"value", "name", "title"})...)
			if strings.Contains(" "+strings.ToLower(text), " "+query) {
				return true
			}
		}
	}
	return false
}
