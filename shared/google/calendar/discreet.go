package calendar

import (
	"encoding/json"
	"slices"

	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/activity"
	"github.com/tandem-sync/tandem/shared/record"
)

// Private reports whether the user's copy of an event says that it is private.
func (s *Side) Private(adapterState json.RawMessage) bool {
	n, err := readState(adapterState)
	return err == nil && n.Private
}

// Addresses are those of the others who take part in an event.
func (s *Side) Addresses(adapterState json.RawMessage) []string {
	n, err := readState(adapterState)
	if err != nil {
		return nil
	}
	var out []string
	if n.Organizer != "" {
		out = append(out, n.Organizer)
	}
	for _, a := range n.Attendees {
		if !a.Self && !a.Resource && a.Email != "" && !slices.Contains(out, a.Email) {
			out = append(out, a.Email)
		}
	}
	return out
}

// Conceal leaves nothing of an event to be seen but when it is, and nothing to be written. One that a person made stays, too,
// whatever becomes of its activity.
func (s *Side) Conceal(r record.Record) record.Record {
	n, err := readState(r.AdapterState)
	if err != nil || r.Gone || n.Hidden || len(r.Fields) == 0 {
		return r
	}
	n.Hidden = true
	n.Attendees = slices.DeleteFunc(slices.Clone(n.Attendees), func(a *gcal.EventAttendee) bool { return !a.Self })
	r.Fields = record.Fields{activity.Title: {{Text: busyTitle}}, activity.When: r.Fields[activity.When]}
	r.Locked = append(activity.Schema.Names(), r.Locked...)
	if slices.Contains(r.Locked, record.Withdrawal) {
		r.Locked = append(r.Locked, record.Loss)
	}
	r.AdapterState = n.encode()
	return r
}
