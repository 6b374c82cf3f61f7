package discovery

import (
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// judged is what is said of a request.
func judged(t *testing.T, verb, target, body string) Judgement {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), verb, target, nil)
	m, _ := Find(r)
	if m == nil {
		t.Fatalf("no method is at %s %s", verb, target)
	}
	return m.Judge(r.URL.Query(), []byte(body))
}

func TestWhatTheDescriptionHasIsTaken(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]struct{ verb, target, body string }{
		"a list":                    {"GET", "/v1/people/me/connections?personFields=names,metadata&sources=READ_SOURCE_TYPE_CONTACT&pageSize=1000&requestSyncToken=true&alt=json&prettyPrint=false", ""},
		"sources with a comma":      {"GET", "/v1/people/me?personFields=names&sources=READ_SOURCE_TYPE_CONTACT,READ_SOURCE_TYPE_PROFILE", ""},
		"a page of the usual size":  {"GET", "/v1/contactGroups?pageSize=0", ""},
		"the older mask":            {"GET", "/v1/people/me?requestMask.includeField=person.names,person.photos", ""},
		"many names":                {"GET", "/v1/people:batchGet?personFields=names&resourceNames=people/c1&resourceNames=people/c2", ""},
		"an empty body":             {"POST", "/v1/contactGroups/g/members:modify", "{}"},
		"no body where none is":     {"POST", "/calendar/v3/calendars/primary/events/quickAdd?text=Tea", ""},
		"a group":                   {"POST", "/v1/contactGroups", `{"contactGroup":{"name":"A"},"readGroupFields":"clientData,groupType,metadata,name"}`},
		"a group's count":           {"PUT", "/v1/contactGroups/g", `{"contactGroup":{"name":"A"},"readGroupFields":"memberCount"}`},
		"null for the default":      {"POST", "/v1/contactGroups", `{"contactGroup":{"name":null,"memberCount":null}}`},
		"a number as text":          {"POST", "/v1/people:createContact", `{"birthdays":[{"date":{"year":"1980","month":2,"day":3.0}}]}`},
		"a contact by its etag":     {"PATCH", "/v1/people/c1:updateContact?updatePersonFields=names", `{"metadata":{"sources":[{"type":"CONTACT","id":"1","etag":"x"}]}}`},
		"a map":                     {"POST", "/v1/people:batchUpdateContacts", `{"contacts":{"people/c1":{"etag":"x","urls":[{"value":"https://example.com"}]}},"updateMask":"urls"}`},
		"bytes":                     {"PATCH", "/v1/people/c1:updateContactPhoto", `{"photoBytes":"_-8"}`},
		"an event":                  {"POST", "/calendar/v3/calendars/primary/events?sendUpdates=all", `{"start":{"dateTime":"2026-03-01T09:00:00+01:00"},"end":{"dateTime":"2026-03-01T10:00:00","timeZone":"Europe/Berlin"},"extendedProperties":{"private":{"a":"b"}}}`},
		"a part of an event":        {"PATCH", "/calendar/v3/calendars/a%40example.com/events/x_20260301T090000Z", `{"summary":"A","attendees":[{"email":"ann@example.com","optional":true}]}`},
		"events":                    {"GET", "/calendar/v3/calendars/primary/events?eventTypes=default&eventTypes=focusTime&timeMin=2026-03-01T00:00:00Z&maxResults=2500&singleEvents=false", ""},
		"a channel":                 {"POST", "/calendar/v3/calendars/primary/events/watch", `{"id":"1","type":"web_hook","address":"https://example.com/","expiration":"1772355600000"}`},
		"a channel's end as number": {"POST", "/calendar/v3/channels/stop", `{"id":"1","resourceId":"2","expiration":1772355600000}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(Judgement{}, judged(t, r.verb, r.target, r.body)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatTheDescriptionHasNotIsRefused(t *testing.T) {
	t.Parallel()
	const unknown = "Invalid JSON payload received. Unknown name "
	for name, r := range map[string]struct {
		verb, target, body string
		want               Refusal
	}{
		"an unknown parameter": {
			"GET", "/v1/people/me?personFields=names&foo=1", "",
			Refusal{"invalid", "", unknown + `"foo": Cannot bind query parameter. Field 'foo' could not be found in request message.`},
		},
		"another method's parameter": {
			"POST", "/v1/people:batchCreateContacts?personFields=names", `{}`,
			Refusal{"invalid", "", unknown + `"personFields": Cannot bind query parameter. Field 'personFields' could not be found in request message.`},
		},
		"a parameter of the path in the query": {
			"GET", "/v1/people/me?resourceName=people/me", "",
			Refusal{"invalid", "", unknown + `"resourceName": Cannot bind query parameter. Field 'resourceName' could not be found in request message.`},
		},
		"a parameter twice": {
			"GET", "/v1/contactGroups?pageSize=1&pageSize=2", "",
			Refusal{"invalid", "", unknown + `"pageSize": Proto field is not repeating, cannot start list.`},
		},
		"a number that is none": {
			"GET", "/v1/contactGroups?pageSize=many", "",
			Refusal{"invalid", "page_size", `Invalid value at 'page_size' (TYPE_INT32), "many"`},
		},
		"a bool that is none": {
			"DELETE", "/v1/contactGroups/g?deleteContacts=no", "",
			Refusal{"invalid", "delete_contacts", `Invalid value at 'delete_contacts' (TYPE_BOOL), "no"`},
		},
		"an unknown value": {
			"GET", "/v1/people/me/connections?sortOrder=NAME", "",
			Refusal{"invalid", "sort_order", `Invalid value at 'sort_order' (TYPE_ENUM), "NAME"`},
		},
		"an unknown value in a list": {
			"GET", "/v1/people/me?sources=READ_SOURCE_TYPE_CONTACT&sources=CONTACT", "",
			Refusal{"invalid", "sources[1]", `Invalid value at 'sources[1]' (TYPE_ENUM), "CONTACT"`},
		},
		"an unknown form of answer": {
			"GET", "/v1/people/me?alt=xml", "", Refusal{"invalid", "alt", `Invalid value at 'alt' (TYPE_ENUM), "xml"`},
		},
		"too large a page": {
			"GET", "/v1/people/me/connections?pageSize=1001", "",
			Refusal{"invalidParameter", "page_size", "Invalid value '1001'. Values must be within the range: [1, 1000]"},
		},
		"too small a page": {
			"GET", "/calendar/v3/calendars/primary/events?maxResults=0", "",
			Refusal{"invalidParameter", "max_results", "Invalid value '0'. Values must be within the range: [1, 2147483647]"},
		},
		"a mask path that a method does not show": {
			"POST", "/v1/contactGroups", `{"contactGroup":{"name":"A"},"readGroupFields":"groupType,memberCount"}`,
			Refusal{"badRequest", "", `Invalid readGroupFields mask path: "member_count". Valid paths are documented at ` +
				"https://developers.google.com/people/api/rest/v1/contactGroups/create."},
		},
		"a mask path that cannot be written": {
			"PATCH", "/v1/people/c1:updateContact?updatePersonFields=photos", "{}",
			Refusal{"badRequest", "", `Invalid updatePersonFields mask path: "photos". Valid paths are documented at ` +
				"https://developers.google.com/people/api/rest/v1/people/updateContact."},
		},
		"an older mask without its beginning": {
			"GET", "/v1/people/me?requestMask.includeField=names", "",
			Refusal{"badRequest", "", `Invalid requestMask.includeField mask path: "names". Valid paths are documented at ` +
				"https://developers.google.com/people/api/rest/v1/people/get."},
		},
		"an unknown field": {
			"POST", "/v1/contactGroups", `{"group":{}}`, Refusal{"invalid", "", unknown + `"group": Cannot find field.`},
		},
		"an unknown field deep inside": {
			"POST", "/v1/people:batchUpdateContacts", `{"contacts":{"people/c1":{"phoneNumbers":[{"number":"1"}]}}}`,
			Refusal{"invalid", "contacts[0].value.phone_numbers[0]", unknown + `"number" at 'contacts[0].value.phone_numbers[0]': Cannot find field.`},
		},
		"a field where no body is taken": {
			"DELETE", "/v1/people/c1:deleteContact", `{"etag":"x"}`, Refusal{"invalid", "", unknown + `"etag": Cannot find field.`},
		},
		"a number for a text": {
			"POST", "/v1/contactGroups", `{"contactGroup":{"name":5}}`,
			Refusal{"invalid", "contact_group.name", "Invalid value at 'contact_group.name' (TYPE_STRING), 5"},
		},
		"a text for an object": {
			"POST", "/v1/contactGroups", `{"contactGroup":"A"}`,
			Refusal{"invalid", "contact_group", `Invalid value at 'contact_group' (TYPE_MESSAGE), "A"`},
		},
		"an object for a text": {
			"POST", "/v1/contactGroups", `{"contactGroup":{"name":{}}}`,
			Refusal{"invalid", "contact_group.name", "Invalid value at 'contact_group.name' (TYPE_STRING), Starting an object on a scalar field"},
		},
		"a list for one": {
			"POST", "/v1/contactGroups", `{"contactGroup":[]}`,
			Refusal{"invalid", "", unknown + `"contactGroup": Proto field is not repeating, cannot start list.`},
		},
		"one for a list": {
			"POST", "/v1/contactGroups/g/members:modify", `{"resourceNamesToAdd":"people/c1"}`,
			Refusal{"invalid", "resource_names_to_add", `Invalid value at 'resource_names_to_add' (TYPE_MESSAGE), "people/c1"`},
		},
		"a fraction for a number": {
			"POST", "/v1/people:createContact", `{"birthdays":[{"date":{"year":1.5}}]}`,
			Refusal{"invalid", "birthdays[0].date.year", "Invalid value at 'birthdays[0].date.year' (TYPE_INT32), 1.5"},
		},
		"a text for a bool": {
			"POST", "/v1/people:createContact", `{"organizations":[{"current":"true"}]}`,
			Refusal{"invalid", "organizations[0].current", `Invalid value at 'organizations[0].current' (TYPE_BOOL), "true"`},
		},
		"an unknown value in a body": {
			"POST", "/v1/people:createContact", `{"biographies":[{"contentType":"MARKDOWN"}]}`,
			Refusal{"invalid", "biographies[0].content_type", `Invalid value at 'biographies[0].content_type' (TYPE_ENUM), "MARKDOWN"`},
		},
		"bytes that are none": {
			"PATCH", "/v1/people/c1:updateContactPhoto", `{"photoBytes":"?"}`,
			Refusal{"invalid", "photo_bytes", `Invalid value at 'photo_bytes' (TYPE_BYTES), Base64 decoding failed for "?"`},
		},
		"a body that breaks off": {
			"POST", "/v1/contactGroups", `{"contactGroup":`, Refusal{"parseError", "", "Invalid JSON payload received. Unexpected end of string."},
		},
		"no body": {
			"POST", "/v1/contactGroups", "", Refusal{"parseError", "", "Invalid JSON payload received. Unexpected end of string."},
		},
		"a body that is no JSON": {
			"POST", "/v1/contactGroups", `contactGroup`, Refusal{"parseError", "", "Invalid JSON payload received. Unexpected token."},
		},
		"two bodies": {
			"POST", "/v1/contactGroups", `{} {}`, Refusal{"parseError", "", "Invalid JSON payload received. Unexpected token."},
		},
		"an event without an end": {
			"POST", "/calendar/v3/calendars/primary/events", `{"start":{"date":"2026-03-01"}}`,
			Refusal{"required", "end", "Required field: end"},
		},
		"a day that is none": {
			"PATCH", "/calendar/v3/calendars/primary/events/x", `{"start":{"date":"1 March"}}`,
			Refusal{"invalid", "start.date", `Invalid value at 'start.date' (date), "1 March"`},
		},
		"a time that is none": {
			"GET", "/calendar/v3/calendars/primary/events?timeMin=2026-03-01", "",
			Refusal{"invalid", "time_min", `Invalid value at 'time_min' (date-time), "2026-03-01"`},
		},
		"a time that leaves its offset open": {
			"GET", "/calendar/v3/calendars/primary/events?timeMax=2026-03-01T09:00:00", "",
			Refusal{"invalid", "time_max", `Invalid value at 'time_max' (date-time), "2026-03-01T09:00:00"`},
		},
		"a required parameter that is not there": {
			"POST", "/calendar/v3/calendars/primary/events/x/move", "", Refusal{"required", "destination", "Required parameter: destination"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(Judgement{Refusals: []Refusal{r.want}}, judged(t, r.verb, r.target, r.body)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEverythingWrongIsToldOfAtOnce(t *testing.T) {
	t.Parallel()
	got := judged(t, "POST", "/v1/contactGroups?foo=1", `{"contactGroup":{"colour":1,"name":2},"readGroupFields":"memberCount"}`)
	var fields []string
	for _, r := range got.Refusals {
		fields = append(fields, r.Field)
	}
	if diff := cmp.Diff([]string{"", "contact_group", "contact_group.name"}, fields); diff != "" {
		t.Errorf("what can be read is judged only where all can be read: %s", diff)
	}
}

func TestReadOnlyFieldsAreToldOfAndNotRefused(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]struct {
		verb, target, body string
		want               []string
	}{
		"a group's count": {
			"PUT", "/v1/contactGroups/g", `{"contactGroup":{"name":"A","memberCount":5}}`, []string{"contact_group.member_count"},
		},
		"what Google makes of an entry": {
			"POST", "/v1/people:createContact", `{"phoneNumbers":[{"value":"1","canonicalForm":"+1","metadata":{"primary":true,"sourcePrimary":true}}]}`,
			[]string{"phone_numbers[0].canonical_form", "phone_numbers[0].metadata.primary"},
		},
		"metadata but for the source": {
			"PATCH", "/v1/people/c1:updateContact", `{"metadata":{"objectType":"PERSON","sources":[{"etag":"x","updateTime":"2026-03-01T09:00:00Z"}]}}`,
			[]string{"metadata.object_type", "metadata.sources[0].update_time"},
		},
		"an event as it was read": {
			"PATCH", "/calendar/v3/calendars/primary/events/x", `{"summary":"A","created":"2026-03-01T09:00:00Z","creator":{"self":true},"attendees":[{"email":"a@example.com","self":true}]}`,
			[]string{"attendees[0].self", "created", "creator", "creator.self"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(Judgement{ReadOnly: r.want}, judged(t, r.verb, r.target, r.body)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAPathLeadsToItsMethodAlone(t *testing.T) {
	t.Parallel()
	for _, a := range []*API{People(), Calendar()} {
		for id, m := range a.Methods {
			path := a.Path + m.Path
			for name, p := range m.Parameters {
				value := "x"
				if p.Pattern != "" {
					value = strings.Replace(strings.Trim(p.Pattern, "^$"), "[^/]+", "x", 1)
				}
				path = strings.NewReplacer("{"+name+"}", value, "{+"+name+"}", value).Replace(path)
			}
			var found []string
			for _, other := range []*API{People(), Calendar()} {
				for id, o := range other.Methods {
					if _, leads := o.match(m.Verb, path); leads {
						found = append(found, id)
					}
				}
			}
			if !slices.Equal(found, []string{id}) {
				t.Errorf("%s %s leads to %q, want %s alone", m.Verb, path, found, id)
			}
		}
	}
}

func TestWhereNoMethodIsNothingIsFound(t *testing.T) {
	t.Parallel()
	for _, r := range []string{
		"GET /v1/persons/me", "GET /v1/people", "GET /v1/people/a/b", "GET /v1/people/c1:unknown", "POST /v1/people/c1", "PUT /v1/people/c1:updateContact",
		"GET /v2/people/me", "GET /v1/contactGroups/", "DELETE /v1/contactGroups", "GET /calendar/v2/calendars/primary", "PATCH /calendar/v3/calendars/primary/events",
	} {
		verb, path, _ := strings.Cut(r, " ")
		if m, _ := Find(httptest.NewRequestWithContext(t.Context(), verb, path, nil)); m != nil {
			t.Errorf("%s leads to %s", r, m.ID)
		}
	}
}

func TestAMethodIsFoundWithWhatItsPathSays(t *testing.T) {
	t.Parallel()
	for request, want := range map[string]string{
		"GET /v1/people/me/connections":                                 "people.people.connections.list resourceName=people/me",
		"PATCH /v1/people/c1:updateContact":                             "people.people.updateContact resourceName=people/c1",
		"POST /v1/contactGroups/5f/members:modify":                      "people.contactGroups.members.modify resourceName=contactGroups/5f",
		"GET /calendar/v3/calendars/a%2Fb%40example.com/events/x%3A1":   "calendar.events.get calendarId=a/b@example.com eventId=x:1",
		"POST /calendar/v3/calendars/primary/events/import":             "calendar.events.import calendarId=primary",
		"GET /calendar/v3/calendars/ann@example.com/events/x/instances": "calendar.events.instances calendarId=ann@example.com eventId=x",
		"POST+PATCH /calendar/v3/calendars/primary/events/x":            "calendar.events.patch calendarId=primary eventId=x",
	} {
		verb, path, _ := strings.Cut(request, " ")
		verb, override, _ := strings.Cut(verb, "+")
		r := httptest.NewRequestWithContext(t.Context(), verb, path, nil)
		r.Header.Set("X-HTTP-Method-Override", override)
		m, args := Find(r)
		if m == nil {
			t.Errorf("%s leads nowhere", request)
			continue
		}
		got := m.ID
		for _, name := range slices.Sorted(maps.Keys(args)) {
			got += " " + name + "=" + args[name]
		}
		if got != want {
			t.Errorf("%s leads to %s, want %s", request, got, want)
		}
	}
}
