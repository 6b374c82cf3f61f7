package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	gcal "google.golang.org/api/calendar/v3"
)

// wants reports where the two sides do not show these titles, in order.
func (a *agenda) wants(when string, titles ...string) {
	a.t.Helper()
	var got []string
	for _, line := range strings.Split(a.same(), "\n") {
		got = append(got, strings.TrimSpace(line[:max(0, len(line)-len(" 2006-01-02 15:04"))]))
	}
	if strings.Join(got, "|") != strings.Join(titles, "|") {
		a.t.Errorf("%s: both show %q, want %q", when, got, titles)
	}
}

func TestEqual_activities_and_events_are_paired_in_the_order_in_which_they_were_made(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	var activities, events []string
	for n := range 3 {
		a.pass(time.Minute)
		activities = append(activities, a.activity("Call", 24))
		a.pass(time.Minute)
		events = append(events, a.calendar.Add(event("Call", 24)))
		a.calendar.Edit(events[n], func(e *gcal.Event) { e.Location = fmt.Sprint("Room ", n) })
	}
	a.pass(time.Minute)
	a.calendar.Edit(events[0], func(e *gcal.Event) { e.ColorId = "5" })
	run := a.run("done")
	if len(run.Problems) > 0 || run.Counts.Matched != 3 {
		t.Errorf("matched %d, problems %+v", run.Counts.Matched, run.Problems)
	}
	a.wants("equal ones", "Call", "Call", "Call")
	for n, id := range activities {
		if got := a.creatio.System().Get("Activity", id)["Location"]; got != fmt.Sprint("Room ", n) {
			t.Errorf("the activity number %d is at %v", n, got)
		}
	}
	a.quiet()
}

func TestOf_equal_ones_the_surplus_is_copied(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	a.activity("Call", 24)
	for range 3 {
		a.calendar.Add(event("Call", 24))
	}
	run := a.run("done")
	if len(run.Problems) > 0 || run.Counts.Matched != 1 || run.Counts.Creatio.Created != 2 {
		t.Errorf("counts %+v, problems %+v", run.Counts, run.Problems)
	}
	a.wants("equal ones", "Call", "Call", "Call")
	a.quiet()
}

// Creatio's own synchronization has tied an activity and an event that look like nothing in common.
func TestComing_from_Creatio_s_own_synchronization_doubles_nothing(t *testing.T) {
	t.Parallel()
	for name, tie := range map[string]func(a *agenda, activity string) (event *gcal.Event, after func(id string)){
		"a private mark": func(_ *agenda, activity string) (*gcal.Event, func(string)) {
			e := event("Visit of ACME", 30)
			e.ExtendedProperties = &gcal.EventExtendedProperties{Private: map[string]string{"ExtId": strings.ToUpper(activity)}}
			return e, nil
		},
		"a shared mark": func(_ *agenda, activity string) (*gcal.Event, func(string)) {
			e := event("Visit of ACME", 30)
			e.ExtendedProperties = &gcal.EventExtendedProperties{Shared: map[string]string{"ExtId": activity}}
			return e, nil
		},
		"a row of ActivityCorrespondence": func(a *agenda, activity string) (*gcal.Event, func(string)) {
			return event("Visit of ACME", 30), func(id string) {
				a.systemRow("ActivityCorrespondence", map[string]any{"ActivityId": activity, "SourceActivityId": id})
			}
		},
		"a row of SysSyncMetaData": func(a *agenda, activity string) (*gcal.Event, func(string)) {
			return event("Visit of ACME", 30), func(id string) {
				a.systemRow("SysSyncMetaData", map[string]any{"LocalId": activity, "RemoteId": id + "@google.com", "SyncSchemaName": "Activity"})
			}
		},
		"a row of SysSyncMetaData for an event made elsewhere": func(a *agenda, activity string) (*gcal.Event, func(string)) {
			e := event("Visit of ACME", 30)
			e.ICalUID = "040000008200E00074C5B7101A82E008"
			return e, func(string) {
				a.systemRow("SysSyncMetaData", map[string]any{"LocalId": activity, "RemoteId": e.ICalUID, "SyncSchemaName": "Activity"})
			}
		},
		"a row of a colleague's among several": func(a *agenda, activity string) (*gcal.Event, func(string)) {
			return event("Visit of ACME", 30), func(id string) {
				a.systemRow("ActivityCorrespondence", map[string]any{"ActivityId": activity, "SourceActivityId": id})
				a.systemRow("ActivityCorrespondence", map[string]any{"ActivityId": activity, "SourceActivityId": "another0event"})
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAgenda(t)
			made := a.activity("ACME", 24)
			e, after := tie(a, made)
			id := a.calendar.Add(e)
			if after != nil {
				after(id)
			}
			run := a.run("done")
			if run.Counts.Matched != 1 || len(run.Problems) > 0 {
				t.Errorf("counts are %+v, problems %+v", run.Counts, run.Problems)
			}
			if creatio, google := a.shows(); strings.Contains(creatio, "\n") || strings.Contains(google, "\n") {
				t.Errorf("creatio shows\n%s\ngoogle\n%s", creatio, google)
			}
			a.quiet()
			a.changeActivityByID(made, map[string]any{"Title": "ACME again", "StartDate": "2026-03-05T10:00:00Z", "DueDate": "2026-03-05T11:00:00Z"})
			a.run("done")
			a.wants("after an edit", "ACME again")
		})
	}
}

func TestCreatio_s_tables_tie_instances_of_a_series(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	weekly := event("Standup", 24)
	weekly.Recurrence = []string{"RRULE:FREQ=WEEKLY;COUNT=2"}
	series := a.calendar.Add(weekly)
	for n, title := range []string{"One", "Two"} {
		made := a.activity(title, 24+n*7*24)
		at := began.Add(time.Duration(24+n*7*24) * time.Hour)
		a.systemRow("SysSyncMetaData", map[string]any{
			"LocalId": made, "RemoteId": series + "@google.com_" + at.Format("2006_01_02"), "SyncSchemaName": "Activity",
		})
	}
	if run := a.run("done"); run.Counts.Matched != 2 {
		t.Errorf("counts are %+v, problems %+v", run.Counts, run.Problems)
	}
	if creatio, google := a.shows(); strings.Count(creatio, "\n") != 1 || strings.Count(google, "Standup") != 2 || strings.Count(google, "\n") != 1 {
		t.Errorf("creatio shows\n%s\ngoogle\n%s", creatio, google)
	}
	a.quiet()
	for _, title := range []string{"One", "Two"} {
		a.changeActivity(title, map[string]any{"Title": title + " again"})
	}
	a.run("done")
	a.wants("after an edit", "One again", "Two again")
}

// systemRow is a row that the site itself has made.
func (w *world) systemRow(entity string, values map[string]any) {
	w.t.Helper()
	if _, err := w.creatio.System().Insert(entity, values); err != nil {
		w.t.Fatal(err)
	}
}

func TestLinking_again_doubles_nothing(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(*agenda){
		"the Google account":  func(a *agenda) { a.call(http.MethodDelete, "/google", nil, 204, nil) },
		"the Creatio account": func(a *agenda) { a.call(http.MethodDelete, "/creatio", nil, 204, nil) },
		"everything, erased":  func(a *agenda) { a.visit("/settings/sign-in"); a.call(http.MethodDelete, "/account", nil, 204, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAgenda(t)
			a.activity("Audit", 24)
			a.activity("Both have it", 48)
			a.calendar.Add(event("Both have it", 48))
			clinic := a.calendar.Add(event("Clinic", 72))
			weekly := event("Standup", 96)
			weekly.Recurrence = []string{"RRULE:FREQ=WEEKLY;COUNT=3"}
			a.calendar.Add(weekly)
			a.run("done")
			a.quiet()
			leave(a)
			// Meanwhile people go on working.
			a.changeActivity("Audit", map[string]any{"Title": "Audit, part two"})
			a.calendar.Edit(clinic, func(e *gcal.Event) { e.Summary = "Clinic, moved" })
			a.browser = newBrowser(t)
			a.link()
			a.put(nil)
			run := a.run("done")
			if len(run.Problems) > 0 {
				t.Errorf("problems are %+v", run.Problems)
			}
			creatio, google := a.shows()
			if strings.Count(creatio, "\n") != 5 || strings.Count(google, "\n") != 5 {
				t.Errorf("creatio shows\n%s\ngoogle\n%s", creatio, google)
			}
			a.same()
			a.quiet()
		})
	}
}

// Who connects again has what Google has no room for, and the other way round: neither is an edit of the other.
func TestWhat_was_cut_for_a_limit_stays_whole_when_accounts_are_connected_again(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	notes := "<p>" + strings.TrimSpace(strings.Repeat("R&amp;D ", 4000)) + "</p>"
	audit := a.activity("Audit", 24)
	a.changeActivityByID(audit, map[string]any{"Notes": notes})
	long := event(strings.Repeat("Visit 🎉 ", 100), 48)
	long.Location = strings.Repeat("Hall ", 150)
	visit := a.calendar.Add(long)
	a.run("done")
	a.visit("/settings/sign-in")
	a.call(http.MethodDelete, "/account", nil, 204, nil)
	// The side that has less is edited last.
	a.calendar.Edit(a.foundEvent("Audit").Id, func(e *gcal.Event) { e.ColorId = "5" })
	for _, r := range a.creatio.System().Rows("Activity", nil) {
		if r["Id"] != audit {
			a.changeActivityByID(r["Id"].(string), map[string]any{"PriorityId": "d625a9fc-7ee6-df11-971b-001d60e938c6"})
		}
	}
	a.browser = newBrowser(t)
	a.link()
	a.put(nil)
	if run := a.run("done"); run.Counts.Conflicts > 0 || run.Counts.Matched != 2 {
		t.Errorf("counts are %+v", run.Counts)
	}
	if got := a.creatio.System().Get("Activity", audit)["Notes"]; got != notes {
		t.Errorf("the notes have %d characters, want %d", len(got.(string)), len(notes))
	}
	if got := a.calendar.Event(visit); got.Summary != long.Summary || got.Location != long.Location {
		t.Errorf("the event is %d long, its place %d", len(got.Summary), len(got.Location))
	}
	a.quiet()
	a.calendar.Edit(a.foundEvent("Audit").Id, func(e *gcal.Event) { e.Description = "Short" })
	a.run("done")
	if got := a.creatio.System().Get("Activity", audit)["Notes"]; got != "<p>Short</p>" {
		t.Errorf("the notes became %v", got)
	}
	a.quiet()
}
