// Package calendar is Google's side of the synchronization of activities: the events of a user's primary calendar, over the
// Calendar API. It speaks Tandem's records to the engine above and Google's events to the service, and knows nothing of the
// other side.
//
// Its invariants:
//
//   - Events are changed by patches of the changed fields alone, and only in the version that was planned for. Whatever else an
//     event has stays as it is.
//   - Nobody is mailed.
//   - Rules of recurring events are never written. Their instances are records, which follow from the rule where package
//     recurrence surely reads it, else from what the service says. Whatever differs from a series or was cancelled of it is kept
//     beside the cursor. An instance is read by its series and its original start before it is first written.
//   - A new event has an id that follows from its link, so that making it again is noticed.
//   - A list that did not come to its end is an error, never a shorter list.
package calendar

import (
	"context"
	"sync"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/google"
)

// Private says what becomes of private events.
type Private string

// What may become of them.
const (
	// ShowBusy shows them as busy, without anything else of them.
	ShowBusy Private = "busy"
	// Skip leaves them out.
	Skip Private = "skip"
	// Full treats them like all others.
	Full Private = "full"
)

// Options are the settings of one user's events.
type Options struct {
	// From and To bound what is read: events that end at From or later, and instances of recurring events that start before To.
	From, To time.Time
	// Zone is the user's time zone, for events that are made; default UTC.
	Zone *time.Location
	// Email is the address of the user's account, with which the user is a guest of a new meeting.
	Email string
	// Private says what becomes of private events; default ShowBusy.
	Private Private
	// Retained reads what the last run gave to be kept, as record.Delta.Retained; nil bytes for nothing. Where it is nil, nothing is kept.
	Retained func(ctx context.Context) ([]byte, error)
	// PageSize is the number of events in a page of a list; default 2500, the most the service gives.
	PageSize int
}

// Side are the events of one user. It is made for one run.
type Side struct {
	api     *google.Client
	service *gcal.Service
	o       Options

	mu sync.Mutex
	// defaults are the calendar's own reminders; known says that a list told them.
	defaults []*gcal.EventReminder
	known    bool
	// kept is what is kept of recurring events, once it was read, with its digest.
	kept       *kept
	keptDigest string
	// zone is the calendar's time zone, as a list told it.
	zone string
}

const (
	primary = "primary"
	// api is the path of the API on Google's host.
	api = "calendar/v3"
	// maxPage is what the service takes at once (https://developers.google.com/workspace/calendar/api/v3/reference/events/list).
	maxPage = 2500
	// maxAttendees is how many attendees are read of an event; the list of one with more is incomplete.
	maxAttendees = 200
	// mark is the private property in which a created event carries its link; creatioMark the private or shared one of Creatio's
	// own synchronization, which holds the id of the activity.
	mark        = "tandem"
	creatioMark = "ExtId"
)

// New opens the calendar of the user for whom the client calls.
func New(client *google.Client, o Options) (*Side, error) {
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Private == "" {
		o.Private = ShowBusy
	}
	if o.PageSize <= 0 || o.PageSize > maxPage {
		o.PageSize = maxPage
	}
	service, err := newService(client)
	if err != nil {
		return nil, err
	}
	return &Side{api: client, service: service, o: o}, nil
}

func (s *Side) learn(reply *gcal.Events) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.defaults, s.known, s.zone = reply.DefaultReminders, true, reply.TimeZone
}

func (s *Side) zoneTold() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.zone
}

// Zone is the calendar's time zone.
func (s *Side) Zone(ctx context.Context) (string, error) {
	if _, err := s.defaultReminders(ctx); err != nil {
		return "", err
	}
	return s.zoneTold(), nil
}

// defaultReminders are the calendar's own reminders.
func (s *Side) defaultReminders(ctx context.Context) ([]*gcal.EventReminder, error) {
	s.mu.Lock()
	defaults, known := s.defaults, s.known
	s.mu.Unlock()
	if known {
		return defaults, nil
	}
	reply, err := s.service.Events.List(primary).MaxResults(1).Context(ctx).Do()
	if err != nil {
		return nil, google.OfList(s.api.Classify("read the calendar's reminders", err, false))
	}
	s.learn(reply)
	return reply.DefaultReminders, nil
}
