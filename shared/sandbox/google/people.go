package google

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/tandem-sync/tandem/shared/sandbox/discovery"
)

// peopleMethods are those of https://developers.google.com/people/api/rest that are simulated.
func peopleMethods() map[string]simulated {
	const person, group = "google.people.v1.PeopleService.", "google.people.v1.ContactGroupService."
	return map[string]simulated{
		"people.people.connections.list":      {person + "ListConnections", (*call).connections},
		"people.people.getBatchGet":           {person + "GetPeople", (*call).getPeople},
		"people.people.searchContacts":        {person + "SearchContacts", (*call).searchContacts},
		"people.people.createContact":         {person + "CreateContact", (*call).createContact},
		"people.people.batchCreateContacts":   {person + "BatchCreateContacts", (*call).batchCreate},
		"people.people.batchUpdateContacts":   {person + "BatchUpdateContacts", (*call).batchUpdate},
		"people.people.batchDeleteContacts":   {person + "BatchDeleteContacts", (*call).batchDelete},
		"people.people.updateContact":         {person + "UpdateContact", (*call).updateContact},
		"people.people.updateContactPhoto":    {person + "UpdateContactPhoto", (*call).updateContactPhoto},
		"people.people.deleteContactPhoto":    {person + "DeleteContactPhoto", (*call).deleteContactPhoto},
		"people.people.deleteContact":         {person + "DeleteContact", (*call).deleteContact},
		"people.people.get":                   {person + "GetPerson", (*call).getPerson},
		"people.contactGroups.list":           {group + "ListContactGroups", (*call).listGroups},
		"people.contactGroups.batchGet":       {group + "BatchGetContactGroups", (*call).batchGetGroups},
		"people.contactGroups.create":         {group + "CreateContactGroup", (*call).createGroup},
		"people.contactGroups.members.modify": {group + "ModifyContactGroupMembers", (*call).modifyMembers},
		"people.contactGroups.get":            {group + "GetContactGroup", (*call).getGroup},
		"people.contactGroups.update":         {group + "UpdateContactGroup", (*call).updateGroup},
		"people.contactGroups.delete":         {group + "DeleteContactGroup", (*call).deleteGroup},
	}
}

// mask reads a field mask that was judged before. An empty one is refused, unless there is a default.
func (c *call) mask(param, value string, otherwise []string) ([]string, *failure) {
	var out []string
	for path := range strings.SplitSeq(value, ",") {
		if path = strings.TrimSpace(path); path != "" && !slices.Contains(out, path) {
			out = append(out, path)
		}
	}
	if len(out) > 0 {
		return out, nil
	}
	if otherwise == nil {
		return nil, invalid("%s mask is required. Please specify one or more valid paths. "+
			"Valid paths are documented at https://developers.google.com/people/api/rest/v1/%s.", param, c.method.Reference())
	}
	return otherwise, nil
}

// personMask is the mask of what to show; the older spelling of it is understood too.
func (c *call) personMask(otherwise []string) ([]string, *failure) {
	value := c.query.Get("personFields")
	if old := c.query.Get("requestMask.includeField"); value == "" && old != "" {
		value = strings.ReplaceAll(old, "person.", "")
	}
	return c.mask("personFields", value, otherwise)
}

// readSources are those whose data is to be shown; none is the contact's and the profile's.
func readSources(list []string) []string {
	var out []string
	for _, s := range list {
		out = append(out, strings.Split(s, ",")...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// view reads how to show people.
func (c *call) view(otherwise []string) (view, *failure) {
	m, f := c.personMask(otherwise)
	return c.showing(m, c.query["sources"]), f
}

func (c *call) showing(mask, sources []string) view {
	return view{mask: mask, sources: readSources(sources), language: c.language, base: c.s.base}
}

// number reads a number from the query; nothing and zero are the default.
func (c *call) number(name string, otherwise int) (int, *failure) {
	// What was judged before is a number.
	n, _ := strconv.Atoi(c.query.Get(name))
	if n < 0 {
		return 0, invalidField(discovery.Snake(name), "It must not be negative.")
	}
	return cmp.Or(n, otherwise), nil
}

// flag reads a boolean from the query.
func (c *call) flag(name string) bool { return c.query.Get(name) == "true" }

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
	v, f := c.view(nil)
	if f != nil {
		return nil, f
	}
	if p := c.read(c.name(), v); p != nil {
		return p, nil
	}
	return nil, notFound()
}

func (c *call) getPeople() (any, *failure) {
	v, f := c.view(nil)
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
	m, f := c.mask("readMask", c.query.Get("readMask"), nil)
	if f != nil {
		return nil, f
	}
	sources := c.query["sources"]
	if len(sources) == 0 {
		sources = []string{"READ_SOURCE_TYPE_CONTACT"}
	}
	v := c.showing(m, sources)
	size, f := c.number("pageSize", 10)
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
			out = append(out, map[string]any{"person": found.render(at, v)})
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
