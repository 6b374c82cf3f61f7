package app_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/record"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
)

// withoutBo takes Bo off the list of guests of an event, as its organizer does.
func withoutBo(e *gcal.Event) {
	e.Attendees = slices.DeleteFunc(e.Attendees, func(a *gcal.EventAttendee) bool { return a.Email == bo })
}

// Bo's run sees that the copy is gone, and has Bo decline, before Ada's run sees that Bo was taken out. Or Bo answers at the same time.
func TestWho_is_taken_out_of_a_meeting_stays_out_whatever_they_answered(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		out   func(w *world, activity, event string)
		order func(a, b *colleague) []*colleague
	}{
		"in Google, and the guest's run comes first": {
			func(w *world, _, event string) { w.google.Calendar(ada).Edit(event, withoutBo) },
			func(a, b *colleague) []*colleague { return []*colleague{b, a} },
		},
		"in Google, and the organizer's run comes first": {
			func(w *world, _, event string) { w.google.Calendar(ada).Edit(event, withoutBo) },
			func(a, b *colleague) []*colleague { return []*colleague{a, b} },
		},
		"in Google, after they answered in Creatio": {
			func(w *world, activity, event string) {
				w.respond(activity, "Bo Example", "7098c892-34e3-4a3e-af08-c1a139f63220")
				w.google.Calendar(ada).Edit(event, withoutBo)
			},
			func(a, b *colleague) []*colleague { return []*colleague{a, b} },
		},
		"in Creatio, after they answered in Google": {
			func(w *world, activity, event string) {
				w.google.Calendar(bo).Answer(event, "accepted")
				w.leave(activity, "Bo Example")
			},
			func(a, b *colleague) []*colleague { return []*colleague{a, b} },
		},
		"in Creatio, after they answered in Google, and the guest's run comes first": {
			func(w *world, activity, event string) {
				w.google.Calendar(bo).Answer(event, "accepted")
				w.leave(activity, "Bo Example")
			},
			func(a, b *colleague) []*colleague { return []*colleague{b, a} },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, a, b := office(t)
			id := w.meets("Kickoff")
			w.rounds(2, a, b)
			w.wantOneMeeting("Kickoff", "at first")
			row.out(w, id, w.copyOf(ada, "Kickoff").Id)
			w.rounds(3, row.order(a, b)...)
			if _, takesPart := w.answers(id)["Bo Example"]; takesPart {
				t.Errorf("the participants are %v", w.answers(id))
			}
			if activities, adas, bos := w.meetings("Kickoff"); activities != 1 || adas != 1 || bos != 0 {
				t.Errorf("%d activities, %d events of Ada's and %d of Bo's", activities, adas, bos)
			}
			if got := guestsOf(w.copyOf(ada, "Kickoff")); got != ada+" accepted" {
				t.Errorf("the guests are %s", got)
			}
			w.calm(a, b)
		})
	}
}

// Bo's run comes between Cy's answer, which all copies show, and the run of Ada, who may write the list of guests.
func TestA_guest_s_run_brings_nobody_back_who_was_taken_out(t *testing.T) {
	t.Parallel()
	w, a, b := office(t)
	c := w.newcomer("Cy", cy)
	w.joins(c, nil)
	id := w.meets("Kickoff")
	w.participate(id, "Cy Example")
	w.rounds(2, a, b, c)
	w.google.Calendar(cy).Answer(w.copyOf(cy, "Kickoff").Id, "accepted")
	w.leave(id, "Cy Example")
	w.rounds(1, b)
	if _, takesPart := w.answers(id)["Cy Example"]; takesPart {
		t.Fatalf("after bo's run the participants are %v", w.answers(id))
	}
	w.rounds(2, a, b, c)
	w.wantOneMeeting("Kickoff", "in the end")
	if got := guestsOf(w.copyOf(ada, "Kickoff")); got != ada+" accepted, "+bo+" tentative" || w.copyOf(cy, "Kickoff") != nil {
		t.Errorf("the guests are %s", got)
	}
	w.calm(b, a, c)
}

// A meeting that was called off comes back where it was, whoever's run sees that first.
func TestA_meeting_that_is_reopened_is_one_event_in_each_calendar_whoever_comes_first(t *testing.T) {
	t.Parallel()
	off := map[string]func(w *world, activity string){
		"deleted in Google": func(w *world, _ string) { w.google.Calendar(ada).Delete(w.copyOf(ada, "Kickoff").Id) },
		"canceled in Creatio": func(w *world, activity string) {
			w.change(activity, map[string]any{"StatusId": statusCanceled})
		},
	}
	made := map[string]func(w *world){
		"planned in Creatio": func(w *world) { w.meets("Kickoff") },
		"planned in Google": func(w *world) {
			e := event("Kickoff", 48)
			e.Attendees = []*gcal.EventAttendee{{Email: bo}}
			w.google.Calendar(ada).Add(e)
		},
	}
	for how, plan := range made {
		for name, cancel := range off {
			t.Run(how+", "+name, func(t *testing.T) {
				t.Parallel()
				w, a, b := office(t)
				plan(w)
				w.rounds(2, a, b)
				id := w.theActivity("Kickoff")["Id"].(string)
				event := w.copyOf(ada, "Kickoff").Id
				cancel(w, id)
				w.rounds(2, a, b)
				if activities, adas, bos := w.meetings("Kickoff"); activities+adas+bos > 0 {
					t.Fatalf("%d activities, %d events of Ada's and %d of Bo's of a meeting that was called off", activities, adas, bos)
				}
				w.change(id, map[string]any{"StatusId": "384d4b84-58e6-df11-971b-001d60e938c6"})
				w.rounds(3, b, a)
				w.wantOneMeeting("Kickoff", "after it was reopened")
				if got := w.copyOf(ada, "Kickoff"); got.Id != event || got.Organizer.Email != ada {
					t.Errorf("the event is %s of %s, was %s", got.Id, got.Organizer.Email, event)
				}
				w.calm(b, a)
			})
		}
	}
}

// change changes columns of an activity as Ada.
func (w *world) change(activity string, values map[string]any) {
	w.t.Helper()
	if err := w.creatio.As("Ada").Update("Activity", activity, values); err != nil {
		w.t.Fatal(err)
	}
}

// Where changes go to Google alone, what a person deletes there comes back. What is somebody else's does not.
func TestWho_deletes_a_copy_of_somebody_else_s_event_gets_no_event_of_their_own(t *testing.T) {
	t.Parallel()
	for _, settings := range []map[string]any{
		{"direction": "to-google"}, {"direction": "to-creatio"}, {"direction": "both"}, {"direction": "to-google", "deletions": "keep"}, {"deletions": "delete"},
	} {
		for organizer, plan := range map[string]func(w *world) (email string){
			"a colleague's activity": func(w *world) string { w.meets("Kickoff"); return ada },
			"a colleague's event": func(w *world) string {
				e := event("Kickoff", 48)
				e.Attendees = []*gcal.EventAttendee{{Email: bo}}
				w.google.Calendar(ada).Add(e)
				return ada
			},
			"an outsider's event": func(w *world) string {
				w.google.AddUser(googlebox.User{Email: eve, Name: "Eve", EmailVerified: true})
				e := event("Kickoff", 48)
				e.Attendees = []*gcal.EventAttendee{{Email: bo}}
				w.google.Calendar(eve).Add(e)
				return eve
			},
			"an outsider's event with two of us": func(w *world) string {
				w.google.AddUser(googlebox.User{Email: eve, Name: "Eve", EmailVerified: true})
				e := event("Kickoff", 48)
				e.Attendees = []*gcal.EventAttendee{{Email: ada}, {Email: bo}}
				w.google.Calendar(eve).Add(e)
				return eve
			},
		} {
			t.Run(fmt.Sprint(organizer, settings), func(t *testing.T) {
				t.Parallel()
				w, a, b := office(t)
				email := plan(w)
				w.rounds(3, b, a)
				if w.copyOf(bo, "Kickoff") == nil {
					t.Fatal("bo has no copy")
				}
				w.as(b, func() { (&agenda{world: w}).put(settings) })
				w.rounds(1, b, a)
				w.google.Calendar(bo).Delete(w.copyOf(bo, "Kickoff").Id)
				w.rounds(3, b, a)
				if got := w.copyOf(bo, "Kickoff"); got != nil {
					t.Errorf("bo has %s of %s", got.Id, got.Organizer.Email)
				}
				if w.copyOf(email, "Kickoff") == nil {
					t.Errorf("%s has no event any more", email)
				}
				if rows := w.creatio.System().Rows("Activity", map[string]any{"Title": "Kickoff"}); len(rows) > 1 {
					t.Errorf("creatio has %d activities", len(rows))
				}
				w.calm(b, a)
			})
		}
	}
}

// A guest's run carries what the organizer edited, and leaves to the organizer's run what both edited: that it wrote then makes the
// guest's own edit no later.
func TestThe_latest_edit_of_a_meeting_wins_although_a_guest_s_run_wrote_in_between(t *testing.T) {
	t.Parallel()
	w, a, b := office(t)
	e := event("Kickoff", 48)
	e.Attendees = []*gcal.EventAttendee{{Email: ada}}
	id := w.google.Calendar(bo).Add(e)
	w.rounds(2, b, a)
	w.calm(a, b)
	activity := w.theActivity("Kickoff")["Id"].(string)
	w.change(activity, map[string]any{"Title": "Kick-off"})
	w.pass(5 * time.Minute)
	w.google.Calendar(bo).Edit(id, func(e *gcal.Event) { e.Summary, e.Description = "Kickoff, moved", "Bring the plan" })
	w.rounds(1, a)
	if got := w.creatio.System().Get("Activity", activity); got["Title"] != "Kick-off" || got["Notes"] == "" {
		t.Fatalf("after the guest's run the activity is %+v", got)
	}
	w.rounds(2, b, a)
	if got := w.creatio.System().Get("Activity", activity)["Title"]; got != "Kickoff, moved" || w.google.Calendar(bo).Event(id).Summary != "Kickoff, moved" {
		t.Errorf("it is %q in Creatio and %q in Google", got, w.google.Calendar(bo).Event(id).Summary)
	}
	w.calm(a, b)
}

// The site has owners be in doubt, which is no answer. Where they do answer so and the answer is not heard of, it is written again.
func TestAn_owner_s_answer_arrives_although_its_first_write_is_lost(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	a.google.AddUser(googlebox.User{Email: eve, Name: "Eve", EmailVerified: true})
	e := event("Visit", 48)
	e.Attendees = []*gcal.EventAttendee{{Email: ada}}
	id := a.google.Calendar(eve).Add(e)
	a.run("done")
	activity := a.foundActivity("Visit")["Id"].(string)
	a.calendar.Answer(id, "tentative")
	a.pass(5 * time.Minute)
	a.breakAt(&breakage{world: a.world, how: connectionBroken, side: record.Creatio, n: 1, without: true}, func() {
		a.do(http.MethodPost, "/sync-activities", map[string]string{"user": a.id})
	})
	if got := a.answers(activity)["Ada Example"]; got != "" {
		t.Fatalf("the answer is %q although it was lost", got)
	}
	a.run("done")
	if got := a.answers(activity)["Ada Example"]; got != "in doubt" {
		t.Errorf("the answer is %q", got)
	}
	a.quiet()
}

// Both sides changed, and both users' settings say who wins. Bo's run comes first, and leaves that to Ada's, whose account has the event.
func TestOf_two_changes_of_a_meeting_the_settings_of_whose_event_it_is_decide(t *testing.T) {
	t.Parallel()
	w, a, b := office(t)
	w.as(a, func() { (&agenda{world: w}).put(map[string]any{"conflicts": "creatio"}) })
	w.as(b, func() { (&agenda{world: w}).put(map[string]any{"conflicts": "google"}) })
	id := w.meets("Kickoff")
	w.rounds(2, a, b)
	w.change(id, map[string]any{"Location": "Garden"})
	w.google.Calendar(ada).Edit(w.copyOf(ada, "Kickoff").Id, func(e *gcal.Event) { e.Location = "Hall" })
	w.rounds(1, b)
	if got := w.theActivity("Kickoff")["Location"]; got != "Garden" {
		t.Errorf("bo's run made the place %v", got)
	}
	w.rounds(2, a, b)
	if creatio, google := w.theActivity("Kickoff")["Location"], w.copyOf(bo, "Kickoff").Location; creatio != "Garden" || google != "Garden" {
		t.Errorf("the place is %v in Creatio and %q in Google", creatio, google)
	}
	w.calm(b, a)
}
