package app_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/record"
)

// privately has Ada plan a private meeting with Bo, in Google.
func privately(w *world) (id string) {
	e := event("Dentist", 48)
	e.Location, e.Description, e.Visibility = "Main St", "Root canal", "private"
	e.Attendees = []*gcal.EventAttendee{{Email: bo}}
	return w.google.Calendar(ada).Add(e)
}

// showsOf is what Creatio shows of all activities that are not canceled.
func (w *world) showsOf() []string {
	var out []string
	for _, r := range w.creatio.System().Rows("Activity", nil) {
		if r["StatusId"] != statusCanceled {
			line := []string{}
			for _, column := range []string{"Title", "Location", "Notes"} {
				if text, _ := r[column].(string); text != "" {
					line = append(line, text)
				}
			}
			out = append(out, strings.Join(line, ", "))
		}
	}
	slices.Sort(out)
	return out
}

// A meeting is as private as the most careful of its users has it, whoever synchronizes first.
func TestA_private_meeting_shows_what_all_of_its_users_let_be_seen(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ ada, bo, want string }{
		{"full", "full", "Dentist, Main St, Root canal"},
		{"full", "busy", "Busy"},
		{"busy", "full", "Busy"},
		{"full", "skip", "Busy"},
		{"skip", "full", "Busy"},
		{"skip", "busy", "Busy"},
		{"skip", "skip", ""},
	} {
		for _, first := range []string{ada, bo} {
			t.Run("ada has "+row.ada+", bo "+row.bo+", first "+first, func(t *testing.T) {
				t.Parallel()
				w, a, b := office(t)
				w.as(a, func() { (&agenda{world: w}).put(map[string]any{"privateEvents": row.ada}) })
				w.as(b, func() { (&agenda{world: w}).put(map[string]any{"privateEvents": row.bo}) })
				w.rounds(1, a, b)
				id := privately(w)
				order := []*colleague{a, b}
				if first == bo {
					order = []*colleague{b, a}
				}
				for _, run := range w.rounds(3, order...) {
					if len(run.Problems) > 0 {
						t.Errorf("a run tells %+v", run.Problems)
					}
				}
				if got := strings.Join(w.showsOf(), "; "); got != row.want {
					t.Errorf("creatio shows %q, want %q", got, row.want)
				}
				w.calm(order...)
				for _, email := range []string{ada, bo} {
					if events := w.google.Calendar(email).Events(); len(events) != 1 || events[0].Id != id || events[0].Location != "Main St" {
						t.Errorf("%s has %+v", email, events)
					}
				}
			})
		}
	}
}

// The run of a guest who shows that they are busy makes the activity and ends before it notes that. The organizer's run, which shows
// nothing, takes it for no meeting of its own.
func TestA_private_meeting_of_which_a_run_that_died_made_the_activity_is_one(t *testing.T) {
	t.Parallel()
	w, a, b := office(t)
	w.as(a, func() { (&agenda{world: w}).put(map[string]any{"privateEvents": "skip"}) })
	w.as(b, func() { (&agenda{world: w}).put(map[string]any{"privateEvents": "busy"}) })
	w.rounds(1, a, b)
	id := privately(w)
	w.as(b, func() {
		user := w.account().ID
		if !w.cutOff(connectionBroken, record.Creatio, 1, func() { w.do(http.MethodPost, "/sync-activities", map[string]string{"user": user}) }) {
			t.Fatal("the run wrote nothing")
		}
	})
	w.rounds(1, a)
	w.rounds(2, b, a)
	if got := strings.Join(w.showsOf(), "; "); got != "Busy" {
		t.Errorf("creatio shows %q", got)
	}
	for _, email := range []string{ada, bo} {
		if events := w.google.Calendar(email).Events(); len(events) != 1 || events[0].Id != id {
			t.Errorf("%s has %d events", email, len(events))
		}
	}
	w.calm(a, b)
}

// Whoever of its users marks a copy as private, from then on nobody's run tells more of the meeting than when it is, as long as one of
// them keeps private events to themselves.
func TestA_meeting_that_a_guest_marks_as_private_tells_nothing_more_of_itself(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, ada, bo string
		series, told  bool
	}{
		{"ada shows all, bo busy", "full", "busy", false, false},
		{"ada shows busy, bo all", "busy", "full", false, false},
		{"ada shows all, bo nothing", "full", "skip", false, false},
		{"both show all", "full", "full", false, true},
		{"a series, ada shows all, bo busy", "full", "busy", true, false},
		{"a series, both show all", "full", "full", true, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w, a, b := office(t)
			w.as(a, func() { (&agenda{world: w}).put(map[string]any{"privateEvents": row.ada}) })
			w.as(b, func() { (&agenda{world: w}).put(map[string]any{"privateEvents": row.bo}) })
			w.rounds(1, a, b)
			e := event("Review", 48)
			e.Location, e.Attendees = "Main St", []*gcal.EventAttendee{{Email: bo}}
			if row.series {
				e.Recurrence = []string{"RRULE:FREQ=DAILY;COUNT=3"}
			}
			id := w.google.Calendar(ada).Add(e)
			w.rounds(2, a, b)
			marked := func(visibility string) {
				t.Helper()
				if !w.google.Calendar(bo).Edit(id, func(e *gcal.Event) { e.Visibility = visibility }) {
					t.Fatal("bo's copy cannot be marked")
				}
				w.rounds(1, b, a)
			}
			place := func(place string) {
				t.Helper()
				if !w.google.Calendar(ada).Edit(id, func(e *gcal.Event) { e.Location = place }) {
					t.Fatal("ada's event cannot be changed")
				}
				w.rounds(2, a, b)
			}
			shows := func(want, when string) {
				t.Helper()
				for _, got := range w.showsOf() {
					if got != "Review, "+want {
						t.Errorf("%s creatio shows %q, want the place %s", when, got, want)
					}
				}
			}
			marked("private")
			shows("Main St", "after it was marked")
			place("Elm St")
			if row.told {
				shows("Elm St", "after it moved")
			} else {
				shows("Main St", "after it moved")
			}
			w.calm(a, b)
			marked("default")
			place("Oak St")
			shows("Oak St", "when it was private no more")
			w.calm(a, b)
		})
	}
}

// Who has not synchronized yet may have a private copy, of which no link tells. What a colleague's run brought to Creatio by then stays;
// from the first run that sees the copy nothing more of the meeting goes there.
func TestA_private_copy_that_no_run_has_seen_yet_holds_back_what_is_written_from_its_first_run_on(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ first, want string }{{ada, "Review, Main St"}, {bo, "Busy"}} {
		t.Run(row.first+" first", func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			a, b := w.newcomer("Ada", ada), w.newcomer("Bo", bo)
			w.joins(a, map[string]any{"privateEvents": "full"})
			w.joins(b, nil)
			e := event("Review", 48)
			e.Location, e.Attendees = "Main St", []*gcal.EventAttendee{{Email: bo}}
			id := w.google.Calendar(ada).Add(e)
			if !w.google.Calendar(bo).Edit(id, func(e *gcal.Event) { e.Visibility = "private" }) {
				t.Fatal("bo's copy cannot be marked")
			}
			order := []*colleague{a, b}
			if row.first == bo {
				order = []*colleague{b, a}
			}
			w.rounds(2, order...)
			if got := strings.Join(w.showsOf(), "; "); got != row.want {
				t.Errorf("creatio shows %q, want %q", got, row.want)
			}
			w.google.Calendar(ada).Edit(id, func(e *gcal.Event) { e.Location, e.Description = "Elm St", "Bring the books" })
			w.rounds(2, order...)
			if got := strings.Join(w.showsOf(), "; "); got != row.want {
				t.Errorf("after an edit creatio shows %q, want %q", got, row.want)
			}
			if got := w.copyOf(ada, "Review"); got == nil || got.Location != "Elm St" {
				t.Errorf("ada has %+v", got)
			}
			w.calm(order...)
		})
	}
}
