package people

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/api/people/v1"

	"github.com/tandem-sync/tandem/shared/google"
	"github.com/tandem-sync/tandem/shared/httpx"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/sandbox/discovery"
)

// service is as much of the People API as these tests need: people with versions, groups, changes by token, and batches
// that take effect as a whole or not at all.
type service struct {
	t      *testing.T
	mu     sync.Mutex
	people map[string]*people.Person
	order  []string
	groups map[string]*people.ContactGroup
	// changed says after how many writes a person last changed; deleted people stay in it.
	changed map[string]int
	writes  int
	calls   []string
	// before, where not nil, may answer a call itself; after may take the answer away once the call took effect.
	before func(call string, w http.ResponseWriter, body []byte) bool
	after  func(call string) bool
	// now, where not nil, is the clock of who reads the service.
	now func() time.Time
	// query, where not nil, may refuse a list of people with a status.
	query func(url.Values) int
}

func newService(t *testing.T) *service {
	return &service{
		t: t, people: map[string]*people.Person{}, changed: map[string]int{},
		groups: map[string]*people.ContactGroup{
			myContacts: {ResourceName: myContacts, Name: "myContacts", GroupType: "SYSTEM_CONTACT_GROUP"},
			testGroup:  {ResourceName: testGroup, Name: "Creatio", GroupType: userGroup},
		},
	}
}

// open opens the contacts at the service.
func (s *service) open(o Options) *Side {
	server := httptest.NewServer(s)
	s.t.Cleanup(server.Close)
	return open(s.t, google.Options{HTTP: httpx.NewClient(httpx.Options{Side: google.Side, Attempts: 1}), Endpoint: server.URL, Now: s.now}, o)
}

// open opens contacts.
func open(t *testing.T, api google.Options, o Options) *Side {
	t.Helper()
	client, err := google.NewClient(api)
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(client, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// apply plans operations and carries them out.
func apply(t *testing.T, c *Side, ops ...record.Operation) ([]record.Result, error) {
	t.Helper()
	plans, err := c.Plan(t.Context(), ops)
	if err != nil {
		t.Fatal(err)
	}
	return c.Apply(t.Context(), plans)
}

// put stores a person as one that somebody made or changed.
func (s *service) put(name string, p people.Person, groups ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range groups {
		p.Memberships = append(p.Memberships, &people.Membership{ContactGroupMembership: &people.ContactGroupMembership{ContactGroupResourceName: g}})
	}
	s.store(name, &p)
}

func (s *service) store(name string, p *people.Person) {
	s.writes++
	if _, known := s.people[name]; !known {
		s.order = append(s.order, name)
	}
	p.ResourceName, p.ForceSendFields = name, nil
	previous := []string(nil)
	if p.Metadata != nil {
		previous = p.Metadata.PreviousResourceNames
	}
	p.Metadata = &people.PersonMetadata{PreviousResourceNames: previous, Sources: []*people.Source{{
		Type: contactType, Id: name, Etag: fmt.Sprintf("#%d", s.writes),
		UpdateTime: time.Date(2026, 3, 1, 0, 0, s.writes, 0, time.UTC).Format(time.RFC3339),
	}}}
	s.people[name], s.changed[name] = p, s.writes
}

func (s *service) remove(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	delete(s.people, name)
	s.changed[name] = s.writes
}

// called are the calls since the last time it was asked.
func (s *service) called() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.calls
	s.calls = nil
	return out
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	call := r.Method + " " + strings.TrimPrefix(r.URL.Path, "/v1/")
	s.calls = append(s.calls, call)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Errorf("read %s: %v", call, err)
	}
	s.judge(r, body)
	if s.query != nil && strings.HasSuffix(call, "/connections") {
		if status := s.query(r.URL.Query()); status != 0 {
			w.WriteHeader(status)
			return
		}
	}
	if s.before != nil && s.before(call, w, body) {
		return
	}
	answer := s.answer(call, r, body)
	if s.after != nil && s.after(call) {
		panic(http.ErrAbortHandler)
	}
	if e, failed := answer.(apiError); failed {
		e.write(w)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

// judge fails the test where the request is not one that the service's own description has, or writes what only the
// service itself does.
func (s *service) judge(r *http.Request, body []byte) {
	m, _ := discovery.Find(r)
	if m == nil {
		s.t.Errorf("the People API has no %s %s", r.Method, r.URL.Path)
		return
	}
	if j := m.Judge(r.URL.Query(), body); len(j.Refusals) > 0 || len(j.ReadOnly) > 0 {
		s.t.Errorf("%s is refused: %+v, or writes read-only fields: %q", m.ID, j.Refusals, j.ReadOnly)
	}
}

// apiError is a refusal as Google words it.
type apiError struct {
	code            int
	status, message string
	reason          string
}

func (e apiError) write(w http.ResponseWriter) {
	body := map[string]any{"code": e.code, "message": e.message, "status": e.status}
	if e.reason != "" {
		body["details"] = []any{map[string]any{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": e.reason, "domain": "googleapis.com"}}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.code)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": body})
}

var (
	notFound = apiError{404, "NOT_FOUND", "Requested entity was not found.", ""}
	stale    = apiError{400, "FAILED_PRECONDITION", "Request person.metadata.sources.etag is different than the current one.", ""}
	invalid  = apiError{400, "INVALID_ARGUMENT", "A value is not valid.", ""}

	forbidden = apiError{403, "PERMISSION_DENIED", "The caller does not have permission", ""}
)

func (s *service) answer(call string, r *http.Request, body []byte) any {
	q := r.URL.Query()
	switch {
	case call == "GET people/me/connections":
		return s.connections(q.Get("syncToken"), q.Get("pageToken"), q.Get("pageSize"))
	case call == "GET people:batchGet":
		if len(q["resourceNames"]) > 200 {
			return invalid
		}
		out := &people.GetPeopleResponse{}
		for _, name := range q["resourceNames"] {
			p := &people.PersonResponse{RequestedResourceName: name, Person: s.people[name], HttpStatusCode: 200}
			if p.Person == nil {
				p.HttpStatusCode, p.Status = 404, &people.Status{Code: 5}
			}
			out.Responses = append(out.Responses, p)
		}
		return out
	case call == "POST people:batchCreateContacts":
		return s.create(body)
	case call == "POST people:batchUpdateContacts":
		return s.update(body)
	case call == "GET contactGroups":
		out := &people.ListContactGroupsResponse{}
		for _, g := range s.groups {
			out.ContactGroups = append(out.ContactGroups, g)
		}
		return out
	case call == "POST contactGroups":
		var in people.CreateContactGroupRequest
		_ = json.Unmarshal(body, &in)
		for _, g := range s.groups {
			if g.GroupType == userGroup && strings.EqualFold(g.Name, in.ContactGroup.Name) {
				return apiError{409, "ALREADY_EXISTS", "Contact group name already exists.", ""}
			}
		}
		g := &people.ContactGroup{ResourceName: "contactGroups/new", Name: in.ContactGroup.Name, GroupType: userGroup}
		s.groups[g.ResourceName] = g
		return g
	case strings.HasSuffix(call, "/members:modify"):
		return s.modify(strings.TrimSuffix(strings.TrimPrefix(call, "POST "), "/members:modify"), body)
	case strings.HasPrefix(call, "GET contactGroups/"):
		g := s.groups[strings.TrimPrefix(call, "GET ")]
		if g == nil {
			return notFound
		}
		out := *g
		for _, name := range s.order {
			if p := s.people[name]; p != nil && memberOf(p, g.ResourceName) {
				out.MemberResourceNames = append(out.MemberResourceNames, name)
			}
		}
		out.MemberCount = int64(len(out.MemberResourceNames))
		if most, _ := strconv.Atoi(q.Get("maxMembers")); most < len(out.MemberResourceNames) {
			out.MemberResourceNames = out.MemberResourceNames[:most]
		}
		return &out
	}
	s.t.Errorf("unexpected call %s", call)
	return notFound
}

func (s *service) connections(token, page, size string) any {
	since, _ := strconv.Atoi(token)
	var names []string
	for _, name := range s.order {
		if s.changed[name] > since && (s.people[name] != nil || token != "") {
			names = append(names, name)
		}
	}
	from, _ := strconv.Atoi(page)
	most, _ := strconv.Atoi(size)
	if most > 1000 {
		return invalid
	}
	to := min(from+most, len(names))
	out := &people.ListConnectionsResponse{TotalItems: int64(len(names))}
	for _, name := range names[from:to] {
		p := s.people[name]
		if p == nil {
			p = &people.Person{ResourceName: name, Metadata: &people.PersonMetadata{Deleted: true}}
		}
		out.Connections = append(out.Connections, p)
	}
	if to < len(names) {
		out.NextPageToken = strconv.Itoa(to)
	} else {
		out.NextSyncToken = strconv.Itoa(s.writes)
	}
	return out
}

// bad is a value that this service refuses.
const bad = "refuse me"

// locked is the name of a contact that this service lets nobody change.
const locked = "Locked"

func refuses(p *people.Person) bool {
	return slices.ContainsFunc(p.Names, func(n *people.Name) bool { return n.GivenName == bad })
}

func (s *service) create(body []byte) any {
	var in people.BatchCreateContactsRequest
	_ = json.Unmarshal(body, &in)
	if len(in.Contacts) > 200 {
		return invalid
	}
	for _, c := range in.Contacts {
		if refuses(c.ContactPerson) {
			return invalid
		}
		for _, m := range c.ContactPerson.Memberships {
			if s.groups[m.ContactGroupMembership.ContactGroupResourceName] == nil {
				return invalid
			}
		}
	}
	out := &people.BatchCreateContactsResponse{}
	for _, c := range in.Contacts {
		name := fmt.Sprintf("people/c%d", 1000+len(s.order))
		s.store(name, c.ContactPerson)
		out.CreatedPeople = append(out.CreatedPeople, &people.PersonResponse{RequestedResourceName: name, Person: s.people[name], HttpStatusCode: 200})
	}
	slices.Reverse(out.CreatedPeople)
	return out
}

func (s *service) update(body []byte) any {
	var in people.BatchUpdateContactsRequest
	_ = json.Unmarshal(body, &in)
	if len(in.Contacts) > 200 {
		return invalid
	}
	for name, p := range in.Contacts {
		switch have := s.people[name]; {
		case have == nil:
			return notFound
		case have.Metadata.Sources[0].Etag != p.Metadata.Sources[0].Etag:
			return stale
		case refuses(&p):
			return invalid
		case p.Names != nil && p.Names[0].GivenName == locked:
			return forbidden
		}
	}
	out := &people.BatchUpdateContactsResponse{UpdateResult: map[string]people.PersonResponse{}}
	for name, p := range in.Contacts {
		next := *s.people[name]
		for _, field := range strings.Split(in.UpdateMask, ",") {
			switch field {
			case "names":
				next.Names = p.Names
			case "phoneNumbers":
				next.PhoneNumbers = p.PhoneNumbers
			case "emailAddresses":
				next.EmailAddresses = p.EmailAddresses
			default:
				s.t.Errorf("unexpected field %s", field)
			}
		}
		s.store(name, &next)
		out.UpdateResult[name] = people.PersonResponse{RequestedResourceName: name, Person: s.people[name]}
	}
	return out
}

func (s *service) modify(group string, body []byte) any {
	var in people.ModifyContactGroupMembersRequest
	_ = json.Unmarshal(body, &in)
	if s.groups[group] == nil {
		return notFound
	}
	if len(in.ResourceNamesToAdd)+len(in.ResourceNamesToRemove) > 1000 {
		return invalid
	}
	out := &people.ModifyContactGroupMembersResponse{}
	for _, name := range append(slices.Clone(in.ResourceNamesToAdd), in.ResourceNamesToRemove...) {
		p := s.people[name]
		if p == nil {
			out.NotFoundResourceNames = append(out.NotFoundResourceNames, name)
			continue
		}
		next := *p
		next.Memberships = slices.DeleteFunc(slices.Clone(p.Memberships), func(m *people.Membership) bool {
			return m.ContactGroupMembership.ContactGroupResourceName == group
		})
		if slices.Contains(in.ResourceNamesToAdd, name) {
			next.Memberships = append(next.Memberships, &people.Membership{ContactGroupMembership: &people.ContactGroupMembership{ContactGroupResourceName: group}})
		} else if len(next.Memberships) == 0 {
			out.CanNotRemoveLastContactGroupResourceNames = append(out.CanNotRemoveLastContactGroupResourceNames, name)
			continue
		}
		s.store(name, &next)
	}
	return out
}
