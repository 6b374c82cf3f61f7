package app_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/store"
)

// remind has Creatio remind the owner of an activity so many minutes before.
func (a *agenda) remind(id string, minutes int) {
	a.t.Helper()
	at := a.startOf(id).Add(-time.Duration(minutes) * time.Minute)
	a.changeActivityByID(id, map[string]any{"RemindToOwner": true, "RemindToOwnerDate": at.Format(time.RFC3339)})
}

// reminds is how many minutes before an activity its owner is reminded.
func (a *agenda) reminds(id string) string {
	row := a.creatio.System().Get("Activity", id)
	if at, set := row["RemindToOwnerDate"].(time.Time); set && row["RemindToOwner"] == true {
		return fmt.Sprint(a.startOf(id).Sub(at).Minutes())
	}
	return "none"
}

// reminded are reminders of an event.
func reminded(method string, minutes ...int64) (out []*gcal.EventReminder) {
	for _, m := range minutes {
		out = append(out, &gcal.EventReminder{Method: method, Minutes: m})
	}
	return out
}

func tells(run store.Run, code string) bool {
	return slices.ContainsFunc(run.Problems, func(p store.Problem) bool { return p.Code == code })
}

func TestA_reminder_for_which_Google_has_no_room_takes_no_other_one_away(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	a.calendar.SetDefaultReminders(append(reminded("popup", 10, 20, 30), reminded("email", 10, 20)...)...)
	five := event("Five of its own", 24)
	five.Reminders = &gcal.EventReminders{Overrides: reminded("email", 1, 2, 3, 4, 5)}
	a.calendar.Add(five)
	a.calendar.Add(event("Those of the calendar", 48))
	a.run("done")
	for _, title := range []string{"Five of its own", "Those of the calendar"} {
		a.remind(a.foundActivity(title)["Id"].(string), 45)
	}
	run := a.run("done")
	if len(run.Problems) != 2 || !tells(run, "full") {
		t.Errorf("the run says %+v", run.Problems)
	}
	if got := a.foundEvent("Five of its own").Reminders.Overrides; len(got) != 5 {
		t.Errorf("the event has %d reminders", len(got))
	}
	if got := a.foundEvent("Those of the calendar").Reminders; !got.UseDefault {
		t.Errorf("the event no longer follows the calendar's own reminders: %+v", got)
	}
	a.quiet()
	a.google.Calendars().ExpireSyncTokens()
	a.quiet()
	// There is room again.
	a.calendar.Edit(a.foundEvent("Five of its own").Id, func(e *gcal.Event) { e.Reminders.Overrides = reminded("email", 1, 2) })
	id := a.foundActivity("Five of its own")["Id"].(string)
	a.remind(id, 50)
	a.run("done")
	if got := popupsOf(a.foundEvent("Five of its own")); !slices.Equal(got, []int64{50}) || a.reminds(id) != "50" {
		t.Errorf("google reminds %v minutes before, Creatio %s", got, a.reminds(id))
	}
	a.quiet()
}

// popupsOf are the popups of an event, in minutes.
func popupsOf(e *gcal.Event) (out []int64) {
	for _, r := range e.Reminders.Overrides {
		if r.Method == "popup" {
			out = append(out, r.Minutes)
		}
	}
	slices.Sort(out)
	return out
}

func TestThe_smallest_popup_is_Creatio_s_whenever_the_first_ones_come(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	id := a.calendar.Add(event("Audit", 24))
	a.run("done")
	activity := a.foundActivity("Audit")["Id"].(string)
	for _, step := range []struct {
		popups []int64
		want   string
	}{
		{[]int64{60, 15, 30}, "15"},
		// It stays Creatio's where others come that are smaller, and is gone where it alone goes.
		{[]int64{60, 15, 5}, "15"},
		{[]int64{60, 5}, "none"},
		{[]int64{60, 5, 0}, "0"},
		{[]int64{40320}, "40320"},
		{nil, "none"},
	} {
		a.calendar.Edit(id, func(e *gcal.Event) {
			e.Reminders, e.Location = &gcal.EventReminders{Overrides: reminded("popup", step.popups...)}, fmt.Sprint(step.popups)
		})
		a.run("done")
		if got := a.reminds(activity); got != step.want {
			t.Errorf("with popups at %v Creatio reminds %s minutes before, want %s", step.popups, got, step.want)
		}
		a.quiet()
	}
}

// What Google cannot have is told, and nothing is written for it: a patch of nothing would part an instance from its series.
func TestAn_instance_stays_as_its_series_where_there_is_nothing_to_write(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	a.calendar.SetDefaultReminders(reminded("popup", 10)...)
	series := a.series("Standup", 24, "RRULE:FREQ=WEEKLY;COUNT=3")
	own := event("Own popup", 48)
	own.Reminders = &gcal.EventReminders{Overrides: reminded("popup", 10, 30)}
	id := a.calendar.Add(own)
	a.run("done")
	before := a.calendar.Event(id)
	ids := a.kept()
	a.remind(ids[2], 40321)
	if run := a.run("done"); !tells(run, "out-of-range") || a.reminds(ids[2]) != "40321" {
		t.Errorf("Creatio reminds %s minutes before, the run says %+v", a.reminds(ids[2]), run.Problems)
	}
	for _, e := range a.calendar.Events() {
		if e.RecurringEventId == series {
			t.Errorf("%s is an exception", e.Id)
		}
	}
	a.quiet()
	// A reminder that the event has as another popup already is that one.
	activity := a.foundActivity("Own popup")["Id"].(string)
	a.changeActivityByID(activity, map[string]any{"RemindToOwner": false})
	a.run("done")
	a.remind(activity, 30)
	a.run("done")
	if got := popupsOf(a.calendar.Event(id)); !slices.Equal(got, []int64{30}) || a.reminds(activity) != "30" {
		t.Errorf("google reminds %v minutes before, Creatio %s, was %+v", got, a.reminds(activity), before.Reminders)
	}
	a.quiet()
	a.remind(activity, 45)
	a.run("done")
	if got := popupsOf(a.calendar.Event(id)); !slices.Equal(got, []int64{45}) {
		t.Errorf("google reminds %v minutes before", got)
	}
	a.quiet()
	a.google.Calendars().ExpireSyncTokens()
	a.quiet()
}
