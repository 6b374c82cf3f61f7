package app_test

import (
	"testing"

	gcal "google.golang.org/api/calendar/v3"
)

// Whoever sees but "Busy" in Creatio takes nothing away that is private: not by an edit, and not by a cancellation.
func TestA_private_event_stays_whatever_becomes_of_its_activity(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(a *agenda, id string){
		"canceled": func(a *agenda, id string) { a.changeActivityByID(id, map[string]any{"StatusId": statusCanceled}) },
		"deleted": func(a *agenda, id string) {
			if err := a.creatio.As("Ada").Delete("Activity", id); err != nil {
				a.t.Fatal(err)
			}
		},
		"taken out of the calendar": func(a *agenda, id string) { a.changeActivityByID(id, map[string]any{"ShowInScheduler": false}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAgenda(t)
			dentist := event("Dentist", 24)
			dentist.Visibility = "private"
			id := a.calendar.Add(dentist)
			a.calendar.Add(event("Stays", 48))
			// One that Tandem made is the activity's, private or not.
			a.activity("Audit", 72)
			a.run("done")
			made := a.foundEvent("Audit").Id
			a.calendar.Edit(made, func(e *gcal.Event) { e.Visibility = "private" })
			a.run("done")
			end(a, a.foundActivity("Busy")["Id"].(string))
			end(a, a.foundActivity("Audit")["Id"].(string))
			a.run("done")
			if a.calendar.Event(id) == nil || a.calendar.Event(made) != nil {
				t.Errorf("the dentist is there: %t, the audit: %t", a.calendar.Event(id) != nil, a.calendar.Event(made) != nil)
			}
			a.quiet()
			// It is not taken over again either.
			before, _ := a.shows()
			a.calendar.Edit(id, func(e *gcal.Event) { e.Location = "Main St" })
			a.run("done")
			a.google.Calendars().ExpireSyncTokens()
			a.run("done")
			if after, _ := a.shows(); after != before {
				t.Errorf("creatio shows\n%s\nand did\n%s", after, before)
			}
			a.quiet()
		})
	}
}
