package app_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
)

const (
	responseDeclined = "cc256758-4051-4021-9c51-216e37635c46"
	boElsewhere      = "bo.elsewhere@example.com"
)

// invitation is a meeting to which Bo is invited, and of which Bo answers one event or all.
type invitation struct {
	// organizer is in whose calendar it is, address under which Bo is invited.
	organizer, address string
	series             bool
	// prepare is what is so before the meeting is, and then what happens to it before Bo answers.
	prepare func(w *world)
	then    func(w *world, id string)
	// one says that Bo answers the second instance alone.
	one bool
}

// Each answers for themselves, whatever the address under which they are invited, and the answer goes both ways.
func TestAn_answer_goes_both_ways_whatever_it_is_an_answer_to(t *testing.T) {
	t.Parallel()
	knows := func(w *world) {
		w.google.Calendar(bo).AddAlias(boElsewhere)
		w.row("Ada", "ContactCommunication", map[string]any{"ContactId": w.contactOf("Bo Example"), "CommunicationTypeId": "ee1c85c3-cfcb-df11-9b2a-001d60e938c6", "Number": boElsewhere})
	}
	alias := func(w *world) { w.google.Calendar(bo).AddAlias(boElsewhere) }
	for name, row := range map[string]invitation{
		"the own address":                           {organizer: ada, address: bo},
		"an alias that Creatio does not know":       {organizer: ada, address: boElsewhere, prepare: alias},
		"a second address that Creatio knows":       {organizer: ada, address: boElsewhere, prepare: knows},
		"an outside organizer":                      {organizer: eve, address: bo},
		"an outside organizer and an alias":         {organizer: eve, address: boElsewhere, prepare: alias},
		"an outside organizer and a second address": {organizer: eve, address: boElsewhere, prepare: knows},
		"a series":                                     {organizer: ada, address: bo, series: true},
		"a series of an outside organizer":             {organizer: eve, address: bo, series: true},
		"an instance":                                  {organizer: ada, address: bo, series: true, one: true},
		"an instance, invited under an alias":          {organizer: ada, address: boElsewhere, series: true, one: true, prepare: alias},
		"an instance of an outside organizer's series": {organizer: eve, address: bo, series: true, one: true},
		"after the event was moved":                    {organizer: ada, address: bo, then: movedBy(ada)},
		"after the series was moved":                   {organizer: ada, address: bo, series: true, then: movedBy(ada)},
		"after an outside organizer moved the event":   {organizer: eve, address: bo, then: movedBy(eve)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, a, b := office(t)
			w.google.AddUser(googlebox.User{Email: eve, Name: "Eve", EmailVerified: true})
			if row.prepare != nil {
				row.prepare(w)
			}
			e := event("Review", 48)
			e.Attendees = []*gcal.EventAttendee{{Email: row.address}}
			if row.organizer == eve {
				e.Attendees = append(e.Attendees, &gcal.EventAttendee{Email: ada})
			}
			if row.series {
				e.Recurrence = []string{"RRULE:FREQ=WEEKLY;COUNT=3"}
			}
			id := w.google.Calendar(row.organizer).Add(e)
			w.rounds(2, a, b)
			if row.then != nil {
				row.then(w, id)
				w.rounds(2, a, b)
			}
			activities := w.sorted("Review")
			if want := map[bool]int{false: 1, true: 3}[row.series]; len(activities) != want {
				t.Fatalf("there are %d activities, want %d", len(activities), want)
			}
			of := func(i int) string {
				if row.one {
					return w.google.Calendar(bo).Instances(id)[i].Id
				}
				return id
			}
			adas := w.answersOf(activities, "Ada Example")
			orders := [][]*colleague{{a, b}, {b, a}}
			if row.series && !row.one {
				// From then on each instance has an answer of its own.
				orders = orders[1:]
			}
			for _, order := range orders {
				w.google.Calendar(bo).Answer(of(1%len(activities)), "accepted")
				w.rounds(2, order...)
				w.wantAnswers(row, activities, id, "accepted", "after bo accepted in Google")
				for i, one := range activities {
					if !row.one || i == 1 {
						w.respond(one, "Bo Example", responseDeclined)
					}
				}
				w.rounds(2, order...)
				w.wantAnswers(row, activities, id, "declined", "after bo declined in Creatio")
				if now := w.answersOf(activities, "Ada Example"); !slices.Equal(now, adas) {
					t.Errorf("ada's answers are %v, were %v", now, adas)
				}
				w.calm(order...)
			}
		})
	}
}

// movedBy has an organizer move an event by an hour.
func movedBy(organizer string) func(w *world, id string) {
	return func(w *world, id string) { w.google.Calendar(organizer).Edit(id, postponed(time.Hour)) }
}

// sorted are the ids of the activities of a title, in the order of their times.
func (w *world) sorted(title string) []string {
	w.t.Helper()
	var out []string
	for _, id := range (&agenda{world: w}).kept() {
		if w.creatio.System().Get("Activity", id)["Title"] == title {
			out = append(out, id)
		}
	}
	return out
}

// answersOf is what somebody answered to some activities.
func (w *world) answersOf(activities []string, name string) []string {
	w.t.Helper()
	var out []string
	for _, id := range activities {
		out = append(out, w.answers(id)[name])
	}
	return out
}

// wantAnswers compares what Bo answered in Creatio, in the own copy and in the organizer's.
func (w *world) wantAnswers(row invitation, activities []string, id, want, when string) {
	w.t.Helper()
	for i, one := range activities {
		if row.one && i != 1 {
			continue
		}
		answers := w.answers(one)
		if answers["Bo Example"] != want || len(answers) != 2 {
			w.t.Errorf("%s: in Creatio the answers to number %d are %v", when, i, answers)
		}
		for _, email := range []string{bo, row.organizer} {
			e := w.google.Calendar(email).Event(id)
			if row.series {
				e = w.google.Calendar(email).Instances(id)[i]
			}
			if got := guestsOf(e); !strings.Contains(got, row.address+" "+want) {
				w.t.Errorf("%s: in the calendar of %s the guests of number %d are %s", when, email, i, got)
			}
		}
	}
	if row.one {
		for _, i := range []int{0, 2} {
			if got := w.answers(activities[i])["Bo Example"]; got == want {
				w.t.Errorf("%s: the answer to number %d is %s, too", when, i, got)
			}
		}
	}
}

// Whom Google gives no copy answers in Creatio, where it stays until there is a copy.
func TestThe_answer_of_a_guest_without_a_copy_waits_for_the_copy(t *testing.T) {
	t.Parallel()
	for answer, response := range map[string]string{"accepted": "7098c892-34e3-4a3e-af08-c1a139f63220", "declined": responseDeclined} {
		t.Run(answer, func(t *testing.T) {
			t.Parallel()
			w, a, b := office(t)
			w.google.Calendar(bo).WaitForMail(true)
			id := w.meets("Kickoff")
			w.rounds(2, a, b)
			before := guestsOf(w.copyOf(ada, "Kickoff"))
			w.respond(id, "Bo Example", response)
			w.rounds(2, a, b)
			if w.copyOf(bo, "Kickoff") != nil || w.answers(id)["Bo Example"] != answer || guestsOf(w.copyOf(ada, "Kickoff")) != before {
				t.Errorf("in Creatio the answers are %v, in Google the guests %s", w.answers(id), guestsOf(w.copyOf(ada, "Kickoff")))
			}
			w.calm(b, a)
			// Ada invites Bo by mail.
			mine := w.copyOf(ada, "Kickoff")
			w.google.Calendar(ada).Edit(mine.Id, withoutBo)
			w.google.Calendar(ada).Edit(mine.Id, func(e *gcal.Event) { e.Attendees = append(e.Attendees, &gcal.EventAttendee{Email: bo}) })
			w.rounds(2, b, a)
			w.wantOneMeeting("Kickoff", "after the copy came")
			if got := guestsOf(w.copyOf(ada, "Kickoff")); w.answers(id)["Bo Example"] != answer || !strings.Contains(got, bo+" "+answer) {
				t.Errorf("in Creatio the answers are %v, in Google the guests %s", w.answers(id), got)
			}
			w.calm(a, b)
		})
	}
}
