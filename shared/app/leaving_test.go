package app_test

import (
	"net/http"
	"testing"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

const dee = "dee@example.com"

// stopped are the ways in which a user's Tandem stops writing to Google, while the user's events stand.
var stopped = map[string]func(w *world, a *colleague){
	"who unlinked Google": func(w *world, a *colleague) {
		w.as(a, func() { w.call(http.MethodDelete, "/google", nil, 204, nil) })
	},
	"who unlinked Google, and of whom Tandem has forgotten the links": func(w *world, a *colleague) {
		w.as(a, func() {
			w.id = w.account().ID
			w.call(http.MethodDelete, "/google", nil, 204, nil)
			w.documents(func(u store.User) error {
				return u.UpdateProfile(w.t.Context(), func(p *store.Profile) error {
					p.UnlinkedAt = w.now().Add(-91 * 24 * time.Hour)
					return nil
				})
			})
			w.do(http.MethodPost, "/sync-contacts", map[string]string{"user": w.id})
			w.documents(func(u store.User) error {
				if n, err := u.CountLinks(w.t.Context(), record.Activities); err != nil || n.Active > 0 {
					w.t.Errorf("%d links are left, %v", n.Active, err)
				}
				return nil
			})
		})
	},
	"whose user is not active any more": func(w *world, a *colleague) {
		w.deactivate("Ada")
		w.creatio.RevokeGrant("Ada")
		w.as(a, func() { w.do(http.MethodPost, "/sync-activities", map[string]string{"user": w.account().ID}) })
		w.pass(25 * time.Hour)
	},
	"who took all permissions away": func(w *world, a *colleague) {
		w.google.RevokeGrant(a.email)
		w.pass(2 * time.Hour)
		w.as(a, func() { w.do(http.MethodPost, "/sync-activities", map[string]string{"user": w.account().ID}) })
		w.pass(25 * time.Hour)
	},
	"who lets Tandem use contacts alone": func(w *world, a *colleague) {
		w.google.RevokeGrant(a.email)
		w.google.SetGrantedScopes(a.email, "https://www.googleapis.com/auth/contacts")
		w.google.AutoConsent(a.email)
		w.creatio.AutoConsent(a.login)
		w.as(a, func() { w.link() })
	},
	"whose changes go to Creatio alone": func(w *world, a *colleague) {
		w.as(a, func() { (&agenda{world: w}).put(map[string]any{"direction": "to-creatio"}) })
		w.rounds(1, a)
	},
}

// Ada's event stands, and Ada's Tandem does not change it any more. A second event beside it would be two in the calendars of all who
// are invited, so there is none until Ada's is gone. Then the next participant's account carries the meeting.
func TestA_meeting_stays_one_event_when_the_Tandem_of_whose_event_it_is_stops(t *testing.T) {
	t.Parallel()
	for name, stop := range stopped {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, a, b := office(t)
			c, d := w.newcomer("Cy", cy), w.newcomer("Dee", dee)
			w.joins(c, nil)
			w.joins(d, nil)
			w.rounds(1, c, d)
			id := w.meets("Kickoff")
			w.participate(id, "Cy Example")
			w.rounds(2, a, b, c)
			before := w.copyOf(bo, "Kickoff")
			stop(w, a)
			others := []*colleague{c, b, d}
			if name == "whose changes go to Creatio alone" {
				others = append(others, a)
			}
			stands := func(when, place string) {
				t.Helper()
				for _, email := range []string{ada, bo, cy} {
					if e := w.copyOf(email, "Kickoff"); e == nil || e.ICalUID != before.ICalUID || e.Location != place {
						t.Fatalf("%s: %s has %+v", when, email, e)
					}
				}
				if w.copyOf(dee, "Kickoff") != nil {
					t.Fatalf("%s: dee has an event of her own", when)
				}
				for who, answer := range w.answers(w.theActivity("Kickoff")["Id"].(string)) {
					if answer == "declined" {
						t.Errorf("%s: %s declined", when, who)
					}
				}
			}
			w.rounds(2, others...)
			stands("at first", "")
			w.calm(others...)

			w.google.Calendar(ada).Edit(before.Id, func(e *gcal.Event) { e.Location = "Hall" })
			w.rounds(2, others...)
			stands("after ada changed the event", "Hall")
			if got := w.theActivity("Kickoff")["Location"]; got != "Hall" {
				t.Errorf("in Creatio the place is %v", got)
			}
			w.calm(others...)

			w.participate(id, "Dee Example")
			w.system(id, map[string]any{"Location": "Garden"})
			told := map[string]int{}
			for range 3 {
				for i, run := range w.rounds(1, others...) {
					for _, p := range run.Problems {
						told[others[i].login+" "+p.Code]++
					}
				}
			}
			stands("after a change in Creatio", "Hall")
			for who, n := range told {
				if n > 1 {
					t.Errorf("%s: told %d times", who, n)
				}
			}
			for _, one := range []string{"Dee not-invited", "Bo read-only", "Cy read-only"} {
				if told[one] != 1 {
					t.Errorf("%s: told %v", one, told)
				}
			}
			w.calm(others...)

			w.google.Calendar(ada).Delete(before.Id)
			w.rounds(4, others...)
			if name == "whose changes go to Creatio alone" {
				// Ada's run says what the deletion of Ada's event means.
				if activities, adas, bos := w.meetings("Kickoff"); activities+adas+bos > 0 || w.copyOf(cy, "Kickoff") != nil {
					t.Errorf("%d activities, %d events of Ada's and %d of Bo's of a meeting that was called off", activities, adas, bos)
				}
				return
			}
			w.theActivity("Kickoff")
			now := w.copyOf(bo, "Kickoff")
			if now == nil || now.ICalUID == before.ICalUID || now.Location != "Garden" {
				t.Fatalf("bo has %+v", now)
			}
			for _, email := range []string{cy, dee} {
				if e := w.copyOf(email, "Kickoff"); e == nil || e.ICalUID != now.ICalUID {
					t.Errorf("%s has %+v", email, e)
				}
			}
			w.calm(others...)
		})
	}
}

// system changes columns of an activity as the site does.
func (w *world) system(activity string, values map[string]any) {
	w.t.Helper()
	if err := w.creatio.System().Update("Activity", activity, values); err != nil {
		w.t.Fatal(err)
	}
}

// Bo's account carries the meeting by then, so that the deletion of Ada's former event says nothing of it.
func TestWho_links_again_after_another_account_took_a_meeting_over_takes_part_in_it(t *testing.T) {
	t.Parallel()
	for _, first := range []string{ada, bo} {
		t.Run(first+" first", func(t *testing.T) {
			t.Parallel()
			w, a, b := office(t)
			w.meets("Kickoff")
			w.rounds(2, a, b)
			w.as(a, func() { w.call(http.MethodDelete, "/google", nil, 204, nil) })
			w.google.Calendar(ada).Delete(w.copyOf(ada, "Kickoff").Id)
			w.pass(time.Hour)
			w.rounds(2, b)
			now := w.copyOf(bo, "Kickoff")
			if now == nil || now.Organizer.Email != bo {
				t.Fatalf("bo has %+v", now)
			}
			w.google.AutoConsent(a.email)
			w.creatio.AutoConsent(a.login)
			w.as(a, func() { w.link() })
			order := []*colleague{a, b}
			if first == bo {
				order = []*colleague{b, a}
			}
			w.rounds(3, order...)
			w.wantOneMeeting("Kickoff", "after ada linked again")
			if e := w.copyOf(ada, "Kickoff"); e.ICalUID != now.ICalUID {
				t.Errorf("ada has %+v", e)
			}
			w.calm(order...)
		})
	}
}

// The edit stays in Creatio while nobody's account may write the event, and goes to Google with the first run that may.
func TestWhat_was_edited_in_Creatio_while_a_Tandem_stopped_comes_to_Google_when_it_goes_on(t *testing.T) {
	t.Parallel()
	again := func(w *world, a *colleague) {
		w.google.AutoConsent(a.email)
		w.creatio.AutoConsent(a.login)
		w.as(a, func() { w.link() })
	}
	for name, goOn := range map[string]func(w *world, a *colleague){
		"who unlinked Google": again,
		"who unlinked Google, and of whom Tandem has forgotten the links": again,
		"who took all permissions away":                                   again,
		"who lets Tandem use contacts alone": func(w *world, a *colleague) {
			w.google.SetGrantedScopes(a.email, "https://www.googleapis.com/auth/contacts", "https://www.googleapis.com/auth/calendar.events")
			again(w, a)
		},
		"whose changes go to Creatio alone": func(w *world, a *colleague) {
			w.as(a, func() { (&agenda{world: w}).put(nil) })
		},
	} {
		for _, first := range []string{ada, bo} {
			t.Run(name+", "+first+" first", func(t *testing.T) {
				t.Parallel()
				w, a, b := office(t)
				id := w.meets("Kickoff")
				w.rounds(2, a, b)
				before := w.copyOf(ada, "Kickoff")
				stopped[name](w, a)
				w.rounds(1, b)
				w.system(id, map[string]any{"Location": "Garden"})
				w.google.Calendar(ada).Edit(before.Id, func(e *gcal.Event) { e.Description = "Bring the books" })
				w.rounds(2, b)
				if got := w.copyOf(bo, "Kickoff"); got.Location != "" || w.theActivity("Kickoff")["Location"] != "Garden" {
					t.Errorf("meanwhile the place is %q in Google and %v in Creatio", got.Location, w.theActivity("Kickoff")["Location"])
				}
				goOn(w, a)
				order := []*colleague{a, b}
				if first == bo {
					order = []*colleague{b, a}
				}
				w.rounds(3, order...)
				w.wantOneMeeting("Kickoff", "after ada's Tandem goes on")
				now, row := w.copyOf(ada, "Kickoff"), w.theActivity("Kickoff")
				if now.Id != before.Id || now.Location != "Garden" || now.Description != "Bring the books" || row["Location"] != "Garden" || row["Notes"] != "Bring the books" {
					t.Errorf("ada has %s at %q with %q, creatio %v with %v", now.Id, now.Location, now.Description, row["Location"], row["Notes"])
				}
				w.calm(order...)
			})
		}
	}
}
