package app_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
)

const statusInProgress = "394d4b84-58e6-df11-971b-001d60e938c6"

// status is that of an activity in a word; "gone" where it was deleted.
func (w *world) status(activity string) string {
	w.t.Helper()
	row := w.creatio.System().Get("Activity", activity)
	if row == nil {
		return "gone"
	}
	words := map[any]string{statusCanceled: "canceled", statusInProgress: "in progress", "384d4b84-58e6-df11-971b-001d60e938c6": "not started"}
	return words[row["StatusId"]]
}

func TestWhat_Creatio_deletes_or_cancels_is_deleted_in_Google_but_for_a_foreign_organizer_s(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(a *agenda, title string){
		"canceled": func(a *agenda, title string) { a.changeActivity(title, map[string]any{"StatusId": statusCanceled}) },
		"deleted": func(a *agenda, title string) {
			if err := a.creatio.As("Ada").Delete("Activity", a.foundActivity(title)["Id"].(string)); err != nil {
				a.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAgenda(t)
			a.google.AddUser(googlebox.User{Email: eve, Name: "Eve", EmailVerified: true})
			a.activity("Audit", 24)
			a.activity("Stays", 96)
			a.calendar.Add(event("Clinic", 48))
			e := event("Visit", 72)
			e.Attendees = []*gcal.EventAttendee{{Email: ada}}
			id := a.google.Calendar(eve).Add(e)
			a.run("done")
			for _, title := range []string{"Audit", "Clinic", "Visit"} {
				end(a, title)
			}
			run := a.run("done")
			creatio, google := a.shows()
			if !strings.HasPrefix(creatio, "Stays") || strings.Contains(creatio, "\n") || !strings.Contains(google, "Visit") || strings.Count(google, "\n") != 1 || run.Counts.Google.Deleted != 2 {
				t.Errorf("creatio shows\n%s\ngoogle\n%s\ncounts %+v", creatio, google, run.Counts)
			}
			if got := guestsOf(a.google.Calendar(eve).Event(id)); !strings.Contains(got, ada+" needsAction") {
				t.Errorf("the guests are %s", got)
			}
			a.quiet()
			// Whatever the organizer does, and however often all is read again, it is not taken over.
			a.google.Calendar(eve).Edit(id, func(e *gcal.Event) { e.Location = "Here" })
			a.run("done")
			a.google.Calendars().ExpireSyncTokens()
			a.run("done")
			a.put(map[string]any{"monthsAhead": 2})
			a.run("done")
			if now, _ := a.shows(); now != creatio {
				t.Errorf("creatio shows\n%s", now)
			}
			a.quiet()
		})
	}
}

// What a run has made is in no list that it has read, and in none of the next run where it went before that.
func TestWhat_a_run_made_and_somebody_deleted_before_the_next_one_is_missed_by_it(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	a.activity("Audit", 24)
	a.calendar.Add(event("Clinic", 48))
	a.activity("Stays", 72)
	a.calendar.Add(event("Stays, too", 96))
	a.run("done")
	a.calendar.Delete(a.foundEvent("Audit").Id)
	if err := a.creatio.As("Ada").Delete("Activity", a.foundActivity("Clinic")["Id"].(string)); err != nil {
		t.Fatal(err)
	}
	if run := a.run("done"); run.Counts.Creatio.Cancelled != 1 || run.Counts.Google.Deleted != 1 {
		t.Errorf("counts are %+v", run.Counts)
	}
	if got := a.same(); strings.Count(got, "Stays") != 2 || strings.Count(got, "\n") != 1 {
		t.Errorf("both show\n%s", got)
	}
	a.quiet()
}

func TestA_deleted_event_does_what_the_settings_say(t *testing.T) {
	t.Parallel()
	for setting, want := range map[string]string{"cancel": "canceled", "delete": "gone", "keep": "in progress"} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			a := newAgenda(t)
			a.put(map[string]any{"deletions": setting})
			id := a.activity("Audit", 24)
			a.changeActivity("Audit", map[string]any{"StatusId": statusInProgress})
			a.run("done")
			made := a.foundEvent("Audit").Id
			a.calendar.Delete(made)
			a.run("done")
			if got := a.status(id); got != want {
				t.Errorf("the activity is %s, want %s", got, want)
			}
			a.quiet()
			if setting == "keep" {
				a.changeActivity("Audit", map[string]any{"Title": "Audit, part two"})
				a.run("done")
				a.google.Calendars().ExpireSyncTokens()
				a.run("done")
				if _, google := a.shows(); google != "" {
					t.Errorf("google shows\n%s", google)
				}
				a.quiet()
			}
			// Out of the bin it comes back, in its former state.
			if !a.calendar.Restore(made) {
				t.Fatal("the event cannot be restored")
			}
			a.run("done")
			if creatio, google := a.shows(); strings.Count(creatio, "\n") > 0 || strings.Count(google, "\n") > 0 || !strings.HasPrefix(creatio, "Audit") || google == "" {
				t.Errorf("creatio shows\n%s\ngoogle\n%s", creatio, google)
			}
			if got := a.status(id); setting != "delete" && got != "in progress" {
				t.Errorf("the activity is %s", got)
			}
			a.quiet()
		})
	}
}

func TestAn_event_that_goes_to_another_calendar_and_comes_back_has_its_activity_again(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	id := a.calendar.Add(event("Clinic", 48))
	a.run("done")
	activity := a.foundActivity("Clinic")["Id"].(string)
	a.changeActivity("Clinic", map[string]any{"StatusId": statusInProgress})
	a.run("done")
	a.calendar.Delete(id)
	a.run("done")
	a.quiet()
	a.calendar.Restore(id)
	a.run("done")
	if got := a.status(activity); got != "in progress" {
		t.Errorf("the activity is %s", got)
	}
	a.quiet()
}

func TestOf_an_edit_and_a_deletion_the_settings_decide_and_else_the_edit_stays(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ conflicts, deletes, want string }{
		{"latest", "google", "edit"},
		{"latest", "creatio", "edit"},
		{"creatio", "google", "edit"},
		{"creatio", "creatio", "gone"},
		{"google", "google", "gone"},
		{"google", "creatio", "edit"},
	} {
		t.Run(fmt.Sprint(row), func(t *testing.T) {
			t.Parallel()
			a := newAgenda(t)
			a.put(map[string]any{"conflicts": row.conflicts})
			a.activity("Audit", 24)
			a.run("done")
			e := a.foundEvent("Audit")
			if row.deletes == "google" {
				a.calendar.Delete(e.Id)
				a.changeActivity("Audit", map[string]any{"Location": "Hall 3"})
			} else {
				a.calendar.Edit(e.Id, func(e *gcal.Event) { e.Location = "Hall 3" })
				if err := a.creatio.As("Ada").Delete("Activity", a.foundActivity("Audit")["Id"].(string)); err != nil {
					t.Fatal(err)
				}
			}
			a.run("done")
			a.run("done")
			creatio, google := a.shows()
			if row.want == "gone" && creatio+google != "" || row.want == "edit" && (creatio != google || creatio == "") {
				t.Errorf("creatio shows\n%s\ngoogle\n%s", creatio, google)
			}
			if row.want == "edit" && (a.foundEvent("Audit").Location != "Hall 3" || a.foundActivity("Audit")["Location"] != "Hall 3") {
				t.Error("the edit is lost")
			}
			a.quiet()
		})
	}
}

func TestWhat_an_outside_organizer_deletes_is_canceled_once_nobody_takes_part(t *testing.T) {
	t.Parallel()
	w, a, b := office(t)
	w.google.AddUser(googlebox.User{Email: eve, Name: "Eve", EmailVerified: true})
	e := event("Visit", 48)
	e.Attendees = []*gcal.EventAttendee{{Email: ada}, {Email: bo}}
	id := w.google.Calendar(eve).Add(e)
	w.rounds(3, a, b)
	activity := w.theActivity("Visit")["Id"].(string)
	// Bo's copy alone is gone: Bo declines, and the meeting goes on.
	w.google.Calendar(bo).Delete(id)
	w.rounds(2, b, a)
	if got := w.answers(activity); w.status(activity) == "canceled" || got["Bo Example"] != "declined" || got["Ada Example"] == "declined" {
		t.Errorf("the activity is %s, the answers %v", w.status(activity), got)
	}
	w.calm(a, b)
	w.google.Calendar(eve).Delete(id)
	w.rounds(2, b, a)
	if got := w.status(activity); got != "canceled" {
		t.Errorf("the activity is %s", got)
	}
	w.calm(a, b)
}

func TestWhat_an_outside_organizer_deletes_for_several_at_once_is_canceled(t *testing.T) {
	t.Parallel()
	w, a, b := office(t)
	w.google.AddUser(googlebox.User{Email: eve, Name: "Eve", EmailVerified: true})
	e := event("Visit", 48)
	e.Attendees = []*gcal.EventAttendee{{Email: ada}, {Email: bo}}
	id := w.google.Calendar(eve).Add(e)
	w.rounds(3, a, b)
	activity := w.theActivity("Visit")["Id"].(string)
	w.google.Calendar(eve).Delete(id)
	w.rounds(3, b, a)
	if got := w.status(activity); got != "canceled" {
		t.Errorf("the activity is %s, the answers %v", got, w.answers(activity))
	}
	w.calm(a, b)
	// Out of the bin it is as it was.
	w.google.Calendar(eve).Restore(id)
	w.rounds(3, b, a)
	if got := w.answers(activity); w.status(activity) == "canceled" || got["Bo Example"] == "declined" || got["Ada Example"] == "declined" {
		t.Errorf("the activity is %s, the answers %v", w.status(activity), got)
	}
	w.calm(a, b)
}

func TestA_guest_who_takes_a_copy_out_of_the_bin_takes_part_again(t *testing.T) {
	t.Parallel()
	w, a, b := office(t)
	id := w.meets("Kickoff")
	w.rounds(3, a, b)
	mine := w.copyOf(bo, "Kickoff").Id
	w.google.Calendar(bo).Delete(mine)
	w.rounds(2, b, a)
	if got := w.answers(id)["Bo Example"]; got != "declined" {
		t.Fatalf("bo's answer is %q", got)
	}
	w.google.Calendar(bo).Restore(mine)
	w.rounds(3, b, a)
	if got := w.answers(id)["Bo Example"]; got == "declined" {
		t.Errorf("bo's answer is %q", got)
	}
	w.wantOneMeeting("Kickoff", "after it came back")
	w.calm(a, b)
}

func TestA_reopened_activity_has_its_event_again(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	id := a.activity("Audit", 24)
	a.participate(id, "Bo Example")
	a.run("done")
	e := a.foundEvent("Audit")
	a.calendar.Edit(e.Id, func(e *gcal.Event) {
		e.Attachments = []*gcal.EventAttachment{{FileUrl: "https://drive.google.com/file/1", Title: "Plan"}}
	})
	a.run("done")
	a.changeActivity("Audit", map[string]any{"StatusId": statusCanceled})
	a.run("done")
	if _, google := a.shows(); google != "" {
		t.Fatalf("google shows\n%s", google)
	}
	reopen := func() {
		if err := a.creatio.As("Ada").Update("Activity", id, map[string]any{"StatusId": statusInProgress, "Title": "Audit, again"}); err != nil {
			t.Fatal(err)
		}
	}
	reopen()
	a.run("done")
	again := a.foundEvent("Audit, again")
	if again.Id != e.Id || len(again.Attachments) != 1 || !strings.Contains(guestsOf(again), bo) {
		t.Errorf("the event is %s with %s, was %s", again.Id, guestsOf(again), e.Id)
	}
	a.quiet()
	// One that Google does not know any more is another one.
	a.changeActivity("Audit, again", map[string]any{"StatusId": statusCanceled})
	a.run("done")
	a.pass(60 * 24 * time.Hour)
	a.clock.Store(began.Add(10 * time.Hour).UnixNano())
	a.calendar.Purge(e.Id)
	reopen()
	a.run("done")
	if again = a.foundEvent("Audit, again"); again.Id == e.Id || !strings.Contains(guestsOf(again), bo) {
		t.Errorf("the event is %s with %s", again.Id, guestsOf(again))
	}
	a.quiet()
}

func TestAn_undo_leaves_what_a_colleague_s_link_holds(t *testing.T) {
	t.Parallel()
	w, a, b := office(t)
	e := event("Kickoff", 48)
	e.Attendees = []*gcal.EventAttendee{{Email: bo}}
	w.google.Calendar(ada).Add(e)
	runs := w.rounds(1, a)
	w.rounds(2, b, a)
	activity := w.theActivity("Kickoff")["Id"].(string)
	w.as(a, func() { w.undo(runs[0], nil) })
	w.rounds(2, a, b)
	if got := w.status(activity); got == "canceled" || got == "gone" {
		t.Errorf("the activity is %s", got)
	}
	w.wantOneMeeting("Kickoff", "after the undo")
	w.calm(a, b)
}

func TestA_reopened_instance_of_a_series_is_that_instance_again(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	series := a.series("Standup", 24, "RRULE:FREQ=WEEKLY;COUNT=4")
	a.run("done")
	ids, before := a.kept(), a.calendar.Instances(series)
	// One as its series has it, and one that was edited before.
	a.calendar.Edit(before[2].Id, func(e *gcal.Event) { e.Summary, e.ColorId = "Retro", "5" })
	a.run("done")
	set := func(status string) {
		for _, id := range ids[1:3] {
			a.changeActivityByID(id, map[string]any{"StatusId": status})
		}
		a.run("done")
	}
	set(statusCanceled)
	if got := a.same(); strings.Count(got, "Standup") != 2 || strings.Contains(got, "Retro") {
		t.Fatalf("both show\n%s", got)
	}
	a.quiet()
	set(statusInProgress)
	if got := a.same(); strings.Count(got, "Standup") != 3 || strings.Count(got, "Retro") != 1 {
		t.Errorf("both show\n%s", got)
	}
	for i, e := range a.calendar.Instances(series) {
		if e.Id != before[i].Id || i == 2 && e.ColorId != "5" {
			t.Errorf("instance %d is %s in the color %q, was %s", i, e.Id, e.ColorId, before[i].Id)
		}
	}
	a.quiet()
	a.google.Calendars().ExpireSyncTokens()
	a.quiet()
	// They go with their series.
	a.calendar.Delete(series)
	a.run("held")
	if _, google := a.shows(); google != "" {
		t.Errorf("google shows\n%s", google)
	}
}
