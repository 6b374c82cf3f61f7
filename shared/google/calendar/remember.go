package calendar

import (
	"slices"
	"strconv"

	"github.com/tandem-sync/tandem/shared/activity"
	"github.com/tandem-sync/tandem/shared/record"
)

// Remember reads an event in the light of what was last seen of it: which of its popups is Creatio's, who takes part beyond an
// incomplete list, and what it was before it became private.
func (s *Side) Remember(known, r record.Record) record.Record {
	now, err := readState(r.AdapterState)
	was, errKnown := readState(known.AdapterState)
	if err != nil || errKnown != nil || r.Gone || len(r.Fields) == 0 {
		return r
	}
	r.Fields = r.Fields.Clone()
	if now.Hidden {
		// Only what was written since is held back. When it is may be seen.
		when := r.Fields[activity.When]
		r.Fields = known.Fields.Clone()
		r.Fields[activity.When] = when
		return r
	}
	now.Ours = ours(now, was)
	if delete(r.Fields, activity.Reminder); !now.Default && now.Ours != nil {
		r.Fields.SetText(activity.Reminder, strconv.FormatInt(*now.Ours, 10))
	}
	if now.Partial || now.Organizer != "" {
		for _, e := range known.Fields[activity.Attendees] {
			if !now.Partial && activity.AddressKey(e.Text) != activity.AddressKey(now.Organizer) {
				continue
			}
			// Who organizes an event takes part, and need not be among the guests.
			if !slices.ContainsFunc(r.Fields[activity.Attendees], func(have record.Entry) bool {
				return activity.AddressKey(have.Text) == activity.AddressKey(e.Text)
			}) {
				r.Fields[activity.Attendees] = append(r.Fields[activity.Attendees], e)
			}
		}
	}
	r.AdapterState = now.encode()
	return r
}

// ours finds Creatio's popup: the one that it was, or else the smallest of those that are new in its place.
func ours(now, was state) *int64 {
	switch {
	case now.Default:
		return nil
	case was.Ours != nil && now.hasPopup(*was.Ours):
		return was.Ours
	}
	now.Reminders = slices.DeleteFunc(slices.Clone(now.Reminders), func(r reminder) bool { return was.hasPopup(r.Minutes) && !was.Default })
	return firstPopup(now)
}
