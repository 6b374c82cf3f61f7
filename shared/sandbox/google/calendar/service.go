// Package calendar is a simulated Google Calendar: the Calendar API v3 and the primary calendars of several users, with
// what people do in them. It is for the simulated Google, which serves it.
//
// Its invariants:
//
//   - What the real service refuses is refused here, with the same status and reason as far as they are known. A request
//     was judged by the discovery document, and its token and scope were checked, before it comes here.
//   - A meeting has a copy in the calendar of each guest who is a user here, under the same id and iCalUID. What all
//     share is the organizer's to change, and follows in every copy; an answer is the guest's, and follows too.
//   - Every change of a calendar has a number, and sync tokens are such numbers. A change of reminders alone does not
//     change when an event was updated, only its etag.
//   - Rules are expanded by this package's own code.
//   - Time passes by Options.Now alone.
package calendar

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options are the settings of a simulated calendar service. Each has a default but Now.
type Options struct {
	// Now is the clock.
	Now func() time.Time
	// Violate hears of what no client may do.
	Violate func(format string, args ...any)
	// PageRows says how many events a page has for which that many were asked for.
	PageRows func(asked int) int
	// Visibility is how long after a write lists show it.
	Visibility time.Duration
	// StaleReads is how long after a write an event may still be read as it was before.
	StaleReads time.Duration
	// QuietReminders says that sync tokens do not tell of a change of reminders alone.
	QuietReminders bool
	// AllDayReminders says that an event of whole days shows the calendar's reminders as its own in place of using them, as
	// users of the service report.
	AllDayReminders bool
	// PerMinute is how many requests a user has in a minute, parts of a batch counted; 0 for any number.
	PerMinute int
}

// Service is the calendars of all users.
type Service struct {
	o Options

	mu    sync.Mutex
	all   map[string]*calendar // by e-mail address
	mails []Mail
	// spent are sync tokens that were refused already.
	spent map[string]bool
	// announced wakes who delivers messages.
	announced chan struct{}
}

// Mail is one that the service was asked to send about an event.
type Mail struct {
	From, EventID, SendUpdates string
	To                         []string
}

// New makes a service without users.
func New(o Options) *Service {
	if o.Violate == nil {
		o.Violate = func(string, ...any) {}
	}
	if o.PageRows == nil {
		o.PageRows = func(asked int) int { return asked }
	}
	return &Service{o: o, all: map[string]*calendar{}, spent: map[string]bool{}, announced: make(chan struct{}, 1)}
}

// AddUser gives a user an empty calendar, whose time zone is UTC. One that is there already is kept.
func (s *Service) AddUser(email, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := emailKey(email)
	if c := s.all[key]; c != nil {
		c.Name = name
		return
	}
	c := &calendar{
		violate: s.o.Violate, Email: key, Name: name, TimeZone: "UTC", Reminders: []any{content{"method": "popup", "minutes": 10.0}}, Changed: s.o.Now(),
		Events: map[string]*event{},
	}
	c.index()
	s.all[key] = c
}

func emailKey(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// MarshalJSON writes down all calendars.
func (s *Service) MarshalJSON() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return json.Marshal(s.all)
}

// UnmarshalJSON replaces all calendars by those that MarshalJSON wrote.
func (s *Service) UnmarshalJSON(raw []byte) error {
	next := map[string]*calendar{}
	if err := json.Unmarshal(raw, &next); err != nil {
		return err
	}
	for key, c := range next {
		if c == nil {
			return fmt.Errorf("there is no calendar of %s", key)
		}
		if c.Events == nil {
			c.Events = map[string]*event{}
		}
		c.violate = s.o.Violate
		c.index()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = next
	return nil
}

// Mails are those that clients asked for, the oldest first.
func (s *Service) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

// ExpireSyncTokens ends every sync token that was given so far.
func (s *Service) ExpireSyncTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.all {
		c.Epoch++
	}
}

// SetPerMinute changes Options.PerMinute.
func (s *Service) SetPerMinute(requests int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.o.PerMinute = requests
}

// Request is one call of a method.
type Request struct {
	// Method is its name in the discovery document.
	Method string
	// User is the e-mail address of whoever the token belongs to.
	User   string
	Path   map[string]string
	Query  url.Values
	Header http.Header
	Body   []byte
	// Base is the URL by which the server is reached.
	Base string
}

// methods are the simulated ones.
var methods = map[string]func(*call) (any, *Refusal){
	"calendar.events.list":      (*call).list,
	"calendar.events.instances": (*call).instances,
	"calendar.events.get":       (*call).get,
	"calendar.events.insert":    (*call).insert,
	"calendar.events.import":    (*call).importEvent,
	"calendar.events.patch":     (*call).patch,
	"calendar.events.update":    (*call).update,
	"calendar.events.delete":    (*call).delete,
	"calendar.events.watch":     (*call).watch,
	"calendar.channels.stop":    (*call).stop,
	"calendar.calendars.get":    (*call).calendar,
	"calendar.calendarList.get": (*call).entry,
	"calendar.settings.get":     (*call).setting,
}

// Methods are the names of the simulated methods.
func Methods() []string {
	var out []string
	for name := range methods {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// call is a request under way.
type call struct {
	Request
	s *Service
	c *calendar
	// zone is the one that times are shown in.
	zone *time.Location
}

// Serve answers a request: with what is to be encoded, or with nil where there is nothing to say.
func (s *Service) Serve(r Request) (any, *Refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.all[emailKey(r.User)]
	if c == nil {
		return nil, notFound()
	}
	if f := s.charge(c); f != nil {
		return nil, f
	}
	k := &call{Request: r, s: s, c: c}
	if id, has := r.Path["calendarId"]; has && id != "primary" && !c.is(id) {
		return nil, notFound()
	}
	zone, err := load(cmp.Or(r.Query.Get("timeZone"), c.TimeZone))
	if err != nil {
		return nil, invalid("timeZone", "Invalid time zone.")
	}
	k.zone = zone
	return methods[r.Method](k)
}

// charge counts a request against the user's quota.
func (s *Service) charge(c *calendar) *Refusal {
	now := s.o.Now()
	c.calls = slices.DeleteFunc(c.calls, func(at time.Time) bool { return !now.Before(at.Add(time.Minute)) })
	if s.o.PerMinute > 0 && len(c.calls) >= s.o.PerMinute {
		return RateLimited()
	}
	c.calls = append(c.calls, now)
	return nil
}

// calendar is calendars.get.
func (k *call) calendar() (any, *Refusal) {
	return content{
		"kind": "calendar#calendar", "etag": k.c.etag(), "id": k.c.Email, "summary": cmp.Or(k.c.Name, k.c.Email), "timeZone": k.c.TimeZone,
		"conferenceProperties": content{"allowedConferenceSolutionTypes": []any{"hangoutsMeet"}},
	}, nil
}

// entry is calendarList.get.
func (k *call) entry() (any, *Refusal) {
	return content{
		"kind": "calendar#calendarListEntry", "etag": k.c.etag(), "id": k.c.Email, "summary": cmp.Or(k.c.Name, k.c.Email),
		"timeZone": k.c.TimeZone, "accessRole": "owner", "primary": true, "selected": true, "defaultReminders": k.c.Reminders,
	}, nil
}

// setting is settings.get, of the few that are simulated.
func (k *call) setting() (any, *Refusal) {
	value, known := map[string]string{"timezone": k.c.TimeZone, "locale": "en", "weekStart": "1"}[k.Path["setting"]]
	if !known {
		return nil, notFound()
	}
	return content{"kind": "calendar#setting", "etag": k.c.etag(), "id": k.Path["setting"], "value": value}, nil
}
