package app_test

import (
	"strings"
	"testing"

	gcal "google.golang.org/api/calendar/v3"

	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
)

// Ada's run takes a meeting of an outsider's to Creatio, in which Bo takes part as well. It is called off before a run of Bo's ever saw
// it: nobody's run makes an event in its place, and the activity is canceled.
func TestWhat_an_outsider_calls_off_before_a_colleague_synchronizes_comes_to_nobody_s_calendar(t *testing.T) {
	t.Parallel()
	for _, first := range []string{ada, bo} {
		t.Run(first+" first", func(t *testing.T) {
			t.Parallel()
			w, a, b := office(t)
			w.google.AddUser(googlebox.User{Email: eve, Name: "Eve", EmailVerified: true})
			e := event("Visit", 48)
			e.Attendees = []*gcal.EventAttendee{{Email: ada}, {Email: bo}}
			id := w.google.Calendar(eve).Add(e)
			w.rounds(1, a)
			activity := w.theActivity("Visit")["Id"].(string)
			w.google.Calendar(eve).Delete(id)
			order := []*colleague{a, b}
			if first == bo {
				order = []*colleague{b, a}
			}
			for _, run := range w.rounds(2, order...) {
				if len(run.Problems) > 0 {
					t.Errorf("a run tells %+v", run.Problems)
				}
			}
			for _, email := range []string{ada, bo} {
				if e := w.copyOf(email, "Visit"); e != nil {
					t.Errorf("%s has %s", email, e.Id)
				}
			}
			if canceled, _ := w.fate(activity); !canceled {
				t.Errorf("the activity takes place with %v", w.answers(activity))
			}
			w.calm(order...)
		})
	}
}

// Ada shows nothing of private events, and Bo that he is busy: the activity that Bo's run makes is that of Ada's event all the same.
func TestWho_shows_nothing_of_private_events_and_deletes_one_calls_off_what_a_colleague_s_run_made_of_it(t *testing.T) {
	t.Parallel()
	for _, first := range []string{ada, bo} {
		t.Run(first+" first", func(t *testing.T) {
			t.Parallel()
			w, a, b := office(t)
			w.as(a, func() { (&agenda{world: w}).put(map[string]any{"privateEvents": "skip"}) })
			w.rounds(1, a, b)
			id := privately(w)
			w.rounds(1, b, a)
			for range 2 {
				// Whatever has changed of the activity since it was taken over, nothing of that goes back.
				w.system(w.theActivity("Busy")["Id"].(string), map[string]any{"Location": "Here"})
				w.rounds(1, b, a)
			}
			if got := w.copyOf(ada, "Dentist"); got == nil || got.Location != "Main St" {
				t.Fatalf("ada has %+v", got)
			}
			w.google.Calendar(ada).Delete(id)
			order := []*colleague{a, b}
			if first == bo {
				order = []*colleague{b, a}
			}
			w.rounds(3, order...)
			if got := w.showsOf(); len(got) > 0 {
				t.Errorf("creatio shows %q", got)
			}
			for _, email := range []string{ada, bo} {
				if events := w.google.Calendar(email).Events(); len(events) > 0 {
					t.Errorf("%s has %+v", email, events[0])
				}
			}
			w.calm(order...)
		})
	}
}

// Creatio has the owner of every activity be in doubt, so that nobody knows whether that is an answer. A colleague's run takes it for none,
// and leaves it.
func TestThe_answer_of_who_owns_an_activity_stays_whoever_synchronizes_next(t *testing.T) {
	t.Parallel()
	w, a, b := office(t)
	w.google.AddUser(googlebox.User{Email: eve, Name: "Eve", EmailVerified: true})
	e := event("Visit", 48)
	e.Attendees = []*gcal.EventAttendee{{Email: ada}, {Email: bo}}
	id := w.google.Calendar(eve).Add(e)
	w.google.Calendar(bo).Answer(id, "tentative")
	w.rounds(2, b, a)
	activity := w.theActivity("Visit")["Id"].(string)
	if got := w.answers(activity)["Bo Example"]; got != "in doubt" {
		t.Errorf("bo's answer is %q in Creatio", got)
	}
	w.google.Calendar(ada).Answer(id, "accepted")
	w.rounds(2, b, a)
	if got := w.answers(activity); got["Bo Example"] != "in doubt" || got["Ada Example"] != "accepted" {
		t.Errorf("the answers are %v", got)
	}
	if got := w.google.Calendar(bo).Event(id); !strings.Contains(guestsOf(got), bo+" tentative") {
		t.Errorf("the guests are %s", guestsOf(got))
	}
	w.calm(a, b)
}
