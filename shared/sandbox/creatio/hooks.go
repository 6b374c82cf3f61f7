package creatio

import (
	"fmt"
	"net/http"
	"slices"
)

// denial is an operation that a user has no right to: on all rows of an entity, or on one.
type denial struct{ user, entity, op, id string }

// The operations that Deny knows.
const (
	Read   = "read"
	Insert = "insert"
	Update = "update"
	Delete = "delete"
)

// Deny takes the right to an operation on an entity from a user, named by login.
func (s *Server) Deny(user, entity, op string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denied[denial{user, entity, op, ""}] = true
}

// Allow gives a right back that Deny took.
func (s *Server) Allow(user, entity, op string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.denied, denial{user, entity, op, ""})
}

// DenyRecord takes the right to read or to update one row from a user, named by login, as the rights of a record do. The
// rows of a detail have the rights of their contact or activity.
func (s *Server) DenyRecord(user, entity, id, op string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denied[denial{user, entity, op, lower(id)}] = true
}

// AllowRecord gives a right back that DenyRecord took.
func (s *Server) AllowRecord(user, entity, id, op string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.denied, denial{user, entity, op, lower(id)})
}

// Requests are the requests that were made, the oldest first. Of very many the oldest are forgotten.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// ResetRequests forgets the requests. Violations are never forgotten.
func (s *Server) ResetRequests() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = nil
}

// Violations tell what a client did that a site lets pass but a synchronization must never do: deleting contacts,
// changing their owner or type, making accounts or rows of lookups, putting contacts under tags that are not private,
// changing tags, writing what the site itself keeps of a row, sending batches that are too large; giving an activity
// another owner, organizer, type, category, priority or an end before its start, and writing what Creatio's own
// synchronization keeps.
func (s *Server) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.violations)
}

func (s *Server) violate(format string, args ...any) {
	if len(s.violations) < maxRequests {
		s.violations = append(s.violations, fmt.Sprintf(format, args...))
	}
}

// kept are the columns that the site itself keeps: what a client writes to them is lost, or worse.
var kept = []string{
	"CreatedOn", "CreatedById", "ModifiedOn", "ModifiedById", "Age", "SearchNumber", "IsCreatedBySynchronization", "Completeness",
	"DurationInMinutes", "DurationInMnutesAndHours",
}

// watch notes what a client must never do. Old is the row before the write, nil for an insertion; values are what is
// written, nil for a deletion.
func (s *Server) watch(a actor, e *entity, old, values row) {
	for _, name := range kept {
		if _, written := values[name]; written {
			s.violate("%s of a row of %s was written", name, e.name)
		}
	}
	s.watchActivities(e, old, values)
	switch {
	case e.name == "Contact" && values == nil:
		s.violate("the contact %s was deleted", old["Id"])
	case e.name == "Contact" && old == nil:
		if owner, set := values["OwnerId"].(string); set && owner != a.contact {
			s.violate("a contact was made for another owner")
		}
	case e.name == "Contact":
		for _, name := range []string{"OwnerId", "TypeId"} {
			if v, set := values[name]; set && v != old[name] {
				s.violate("%s of the contact %s was changed", name, old["Id"])
			}
		}
	case e.name == "Account" && old == nil, e.list && old == nil:
		s.violate("a row of %s was made", e.name)
	case e.name == "Account", e.list, e.name == "ContactTag", e.name == "Tag":
		s.violate("a row of %s was written to", e.name)
	case e.name == "ContactInTag", e.name == "TagInRecord":
		of := values
		if of == nil {
			of = old
		}
		if s.owner(e, of) == "" {
			s.violate("%s: a tag that is not private was touched", e.name)
		}
	}
}

// SetFault lets a function decide what goes wrong with each request; nil for a request, or for the function, is nothing.
// It may be called for several requests at a time, and may read the body.
func (s *Server) SetFault(fault func(*http.Request) *Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = fault
}

// SetPartFault is SetFault for the parts of batches: for each one's method, and its URL as it was sent. The function is called
// while the server works, and must not call it.
func (s *Server) SetPartFault(fault func(method, url string) *Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.partFault = fault
}

// ExpireSessions ends all sessions that were begun with a name and a password.
func (s *Server) ExpireSessions() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.state.Sessions)
}

// ExpireTokens ends all access tokens. Refresh tokens stay good.
func (s *Server) ExpireTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.state.Access)
}

// RevokeGrant takes back everything that a user, named by login, has consented to.
func (s *Server) RevokeGrant(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, tokens := range []map[string]grant{s.state.Access, s.state.Refresh, s.state.Codes} {
		for token, g := range tokens {
			if g.User == user && g.Kind == KindUser {
				delete(tokens, token)
			}
		}
	}
}

// AutoConsent has the consent page answered by a user, named by login, at once; by nobody where the name is empty.
func (s *Server) AutoConsent(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.auto = user
}

// Suggest has the consent page preselect a user, named by login.
func (s *Server) Suggest(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.suggested = user
}

// RefuseConsent decides whether a user, named by login, refuses whatever consent is asked for.
func (s *Server) RefuseConsent(user string, refuse bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusing[user] = refuse
}
