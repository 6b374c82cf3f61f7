package calendar

import (
	"encoding/json"
	"slices"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/activity"
	"github.com/tandem-sync/tandem/shared/record"
)

// state is what is kept of an event to write it without reading it again.
type state struct {
	Etag string `json:"etag,omitempty"`
	// Instance says that it is an instance of a recurring event that was not seen to differ from it: it has to be read before it
	// is written.
	Instance bool `json:"instance,omitempty"`
	// ID is the service's id of an instance, where it is not that of the record.
	ID string `json:"id,omitempty"`
	// ICal and Start are what the copies of the event in all calendars have in common.
	ICal  string `json:"ical,omitempty"`
	Start string `json:"start,omitempty"`
	// Organizer is the address of who organizes the event; empty for the user.
	Organizer string `json:"organizer,omitempty"`
	// Default says that the calendar's own reminders hold; else Reminders are the event's.
	Default   bool       `json:"default,omitempty"`
	Reminders []reminder `json:"reminders,omitempty"`
	// Ours is the popup that is Creatio's reminder; nil where none is.
	Ours *int64 `json:"ours,omitempty"`
	// Attendees are those of the event as the service gave them, to be written whole.
	Attendees []*gcal.EventAttendee `json:"attendees,omitempty"`
	// Private says that it was private when it was read, and Hidden that nothing of it is to be seen but when it is.
	Private bool `json:"private,omitempty"`
	Hidden  bool `json:"hidden,omitempty"`
	// Partial says that there may be more attendees.
	Partial bool `json:"partial,omitempty"`
}

// reminder is one reminder of an event.
type reminder struct {
	Method  string `json:"method"`
	Minutes int64  `json:"minutes"`
}

func stateOf(e *gcal.Event) state {
	s := state{
		Etag: e.Etag, Instance: e.RecurringEventId != "" && e.Etag == "", ICal: e.ICalUID, Attendees: e.Attendees, Private: private(e), Partial: incomplete(e),
	}
	if e.Id != recordID(e) {
		s.ID = e.Id
	}
	if e.Organizer != nil && !e.Organizer.Self {
		s.Organizer = e.Organizer.Email
	}
	if t := e.OriginalStartTime; t != nil {
		// Each copy may show it in a zone of its own.
		if s.Start = t.Date; t.Date == "" {
			at, _ := time.Parse(time.RFC3339, t.DateTime)
			s.Start = at.UTC().Format(time.RFC3339)
		}
	}
	if e.Reminders != nil {
		s.Default = e.Reminders.UseDefault
		for _, r := range e.Reminders.Overrides {
			s.Reminders = append(s.Reminders, reminder{r.Method, r.Minutes})
		}
	}
	s.Ours = firstPopup(s)
	return s
}

// firstPopup is the smallest popup of an event: the one that is taken for Creatio's as long as nothing else is known.
func firstPopup(s state) *int64 {
	var out *int64
	for _, r := range s.Reminders {
		if r.Method == popup && (out == nil || r.Minutes < *out) {
			out = &r.Minutes
		}
	}
	return out
}

// reminderOf is Creatio's reminder of an event; false where it has none.
func reminderOf(s state) (minutes int64, ok bool) {
	if s.Default || s.Ours == nil {
		return 0, false
	}
	return *s.Ours, true
}

// hasPopup reports whether an event has a popup of so many minutes.
func (s state) hasPopup(minutes int64) bool {
	return slices.Contains(s.Reminders, reminder{popup, minutes})
}

func readState(raw json.RawMessage) (state, error) {
	var s state
	if len(raw) == 0 {
		return s, nil
	}
	err := json.Unmarshal(raw, &s)
	return s, err
}

func (s state) encode() json.RawMessage {
	// Strings, numbers and attendees that were decoded always encode.
	raw, _ := json.Marshal(s)
	return raw
}

// Once tells a new activity who organizes the event.
func (s *Side) Once(adapterState json.RawMessage) record.Fields {
	out := record.Fields{}
	if n, err := readState(adapterState); err == nil {
		out.SetText(activity.Organizer, n.Organizer)
	}
	return out
}

// Copied reports whether other users may have a copy of an event: it has guests, or is one itself.
func (s *Side) Copied(adapterState json.RawMessage) bool {
	n, err := readState(adapterState)
	return err == nil && (n.Organizer != "" || slices.ContainsFunc(n.Attendees, func(a *gcal.EventAttendee) bool { return !a.Self && !a.Resource }))
}

// Identity is what the copies of an event in all calendars have in common: the id that iCalendar gives it, and for an instance its
// original start.
func (s *Side) Identity(adapterState json.RawMessage) string {
	n, err := readState(adapterState)
	if err != nil || n.ICal == "" {
		return ""
	}
	return n.ICal + "\x00" + n.Start
}
