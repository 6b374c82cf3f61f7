package worldtest

import (
	"fmt"
	"strconv"
	"time"

	gcal "google.golang.org/api/calendar/v3"
)

// reminderOf is how many minutes before its start Creatio reminds the owner of an activity.
func reminderOf(r map[string]any) string {
	if on, _ := r["RemindToOwner"].(bool); !on {
		return "no"
	}
	return strconv.Itoa(int(timeOf(r, "StartDate").Sub(timeOf(r, "RemindToOwnerDate")) / time.Minute))
}

// popupOf is the only popup of an event. In offices calendars have no reminders of their own.
func popupOf(e *gcal.Event) string {
	if e.Reminders == nil || e.Reminders.UseDefault || len(e.Reminders.Overrides) == 0 {
		return "no"
	}
	return strconv.FormatInt(e.Reminders.Overrides[0].Minutes, 10)
}

// remindsInCreatio has the owner of an activity set or clear its reminder.
func (o *office) remindsInCreatio(m *meeting) string {
	r := o.row(m)
	if r == nil {
		return ""
	}
	owner := o.ownerOf(r)
	values := map[string]any{"RemindToOwner": false, "RemindToOwnerDate": nil}
	if o.rng.IntN(3) > 0 {
		before := time.Duration(5*(1+o.rng.IntN(12))) * time.Minute
		values = map[string]any{"RemindToOwner": true, "RemindToOwnerDate": timeOf(r, "StartDate").Add(-before).Format(time.RFC3339)}
	}
	o.must("", o.creatio.As(o.users()[owner].login).Update("Activity", r["Id"].(string), values))
	return fmt.Sprintf("%s has Creatio remind of %s: %v", o.users()[owner].login, r["Title"], values)
}

// remindsInCalendar has the owner of an activity set or clear the popup of its event.
func (o *office) remindsInCalendar(m *meeting) string {
	r := o.row(m)
	if r == nil {
		return ""
	}
	owner := o.ownerOf(r)
	events := o.events(owner, m.key)
	if len(events) == 0 {
		return ""
	}
	e := events[o.rng.IntN(len(events))]
	reminders := &gcal.EventReminders{}
	if o.rng.IntN(3) > 0 {
		reminders.Overrides = []*gcal.EventReminder{{Method: "popup", Minutes: int64(5 * (1 + o.rng.IntN(12)))}}
	}
	if !o.calendar(owner).Edit(e.Id, func(e *gcal.Event) { e.Reminders = reminders }) {
		return ""
	}
	return fmt.Sprintf("%s has the calendar remind of %s: %s", o.users()[owner].login, e.Id, popupOf(o.calendar(owner).Event(e.Id)))
}
