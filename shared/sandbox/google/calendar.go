package google

import (
	"net/http"

	"github.com/tandem-sync/tandem/shared/sandbox/discovery"
	"github.com/tandem-sync/tandem/shared/sandbox/google/calendar"
)

// calendarMethods are those of https://developers.google.com/workspace/calendar/api/v3/reference that are simulated.
func calendarMethods() map[string]simulated {
	out := map[string]simulated{}
	for _, id := range calendar.Methods() {
		m := discovery.Calendar().Methods[id]
		out[id] = simulated{"calendar.v3." + m.Reference(), (*call).calendar}
	}
	return out
}

// calendar gives a call to the calendars.
func (c *call) calendar() (any, *failure) {
	answer, refusal := c.s.calendars.Serve(calendar.Request{
		Method: c.method.ID, User: c.account.Email, Path: c.path, Query: c.query, Header: c.header, Body: c.body, Base: c.s.base,
	})
	if refusal != nil {
		return nil, &failure{code: refusal.Code, form: refusal.JSON()}
	}
	return answer, nil
}

// Calendar is what the user of that address does in the pages of Google Calendar; nil where there is none.
func (s *Server) Calendar(email string) *calendar.Person { return s.calendars.Person(email) }

// Calendars are the calendars of all users: the mails that clients asked for, channels and their messages, the quota.
func (s *Server) Calendars() *calendar.Service { return s.calendars }

// Refuse is the fault of a request that the Calendar API refuses, with nothing done.
func Refuse(r *calendar.Refusal) *Fault { return &Fault{Status: r.Code, Body: string(r.JSON())} }

// SetPartFault lets a function decide what goes wrong with each request inside a batch, as SetFault does for requests that
// come alone. A part cannot be dropped: in place of that it is answered 503.
func (s *Server) SetPartFault(fault func(*http.Request) *Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.partFault = fault
}

// partFailing asks what goes wrong with a part. It is called with the lock held, which the function may want to take.
func (s *Server) partFailing(r *http.Request) *Fault {
	hook := s.partFault
	if hook == nil {
		return nil
	}
	s.mu.Unlock()
	defer s.mu.Lock()
	f := hook(r)
	if f != nil && f.Drop {
		f = &Fault{Status: http.StatusServiceUnavailable, Body: string(calendar.BackendError().JSON()), After: f.After}
	}
	return f
}

// sequential reports whether writes of a service for one user have to wait for each other
// (https://developers.google.com/people/v1/contacts).
func sequential(m *discovery.Method) bool { return m.API() == discovery.People() }
