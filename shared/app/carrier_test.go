package app_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
	"github.com/tandem-sync/tandem/shared/store"
)

const cy = "cy@example.com"

// newcomer is a user of both services who has not signed in to Tandem yet.
func (w *world) newcomer(login, email string) *colleague {
	w.t.Helper()
	if email != ada {
		w.google.AddUser(googlebox.User{Email: email, Name: login, EmailVerified: true, HostedDomain: "example.com"})
	}
	if login != "Ada" && login != "Bo" {
		w.creatio.AddUser(creatiobox.User{Name: login, Password: "right", ContactName: login + " Example", Email: email, Active: true})
	}
	w.google.Calendar(email).SetTimeZone("Europe/London")
	return &colleague{email: email, login: login, browser: newBrowser(w.t)}
}

// joins links a newcomer, with changes to the settings.
func (w *world) joins(c *colleague, settings map[string]any) {
	w.t.Helper()
	w.as(c, func() {
		w.google.AutoConsent(c.email)
		w.creatio.AutoConsent(c.login)
		w.link()
		(&agenda{world: w}).put(settings)
	})
}

// rounds are runs of several users, one after the other.
func (w *world) rounds(n int, list ...*colleague) (last []store.Run) {
	w.t.Helper()
	for range n {
		last = nil
		for _, c := range list {
			w.as(c, func() { last = append(last, w.syncActivities("done")) })
		}
	}
	return last
}

// calm has several users run twice, who may do nothing.
func (w *world) calm(list ...*colleague) {
	w.t.Helper()
	for _, run := range append(w.rounds(1, list...), w.rounds(1, list...)...) {
		if len(run.Changes) > 0 || len(run.Problems) > 0 {
			w.t.Fatalf("a run with nothing to do changed %+v and told %+v", run.Changes, run.Problems)
		}
	}
}

// copyOf is the only event of a title in somebody's calendar; nil where there is none.
func (w *world) copyOf(email, title string) (found *gcal.Event) {
	w.t.Helper()
	for _, e := range w.google.Calendar(email).Events() {
		if e.Summary == title {
			if found != nil {
				w.t.Fatalf("%s has the event %q twice", email, title)
			}
			found = e
		}
	}
	return found
}

// participate has somebody take part in an activity.
func (w *world) participate(activity, name string) {
	w.t.Helper()
	w.row("Ada", "ActivityParticipant", map[string]any{"ActivityId": activity, "ParticipantId": w.contactOf(name)})
}

func TestThe_organizer_s_account_carries_a_meeting_although_a_participant_synchronizes_first(t *testing.T) {
	t.Parallel()
	w, a, b := office(t)
	w.meets("Kickoff")
	if runs := w.rounds(2, b); len(runs[0].Changes) > 0 || w.copyOf(bo, "Kickoff") != nil {
		t.Fatalf("bo's run did %+v", runs[0].Changes)
	}
	w.rounds(2, a, b)
	w.wantOneMeeting("Kickoff", "after all synchronized")
	for _, email := range []string{ada, bo} {
		if who := w.copyOf(email, "Kickoff").Organizer.Email; who != ada {
			t.Errorf("in the calendar of %s the organizer is %s", email, who)
		}
	}
	w.calm(b, a)
}

func TestWhere_the_organizer_s_Tandem_does_not_work_the_first_participant_carries(t *testing.T) {
	t.Parallel()
	for name, ada := range map[string]func(w *world, a *colleague){
		"who never signed in":         func(*world, *colleague) {},
		"who never synchronized":      func(w *world, a *colleague) { w.joins(a, nil) },
		"whose changes go to Creatio": func(w *world, a *colleague) { w.joins(a, map[string]any{"direction": "to-creatio"}); w.rounds(1, a) },
		"who unlinked Google": func(w *world, a *colleague) {
			w.joins(a, nil)
			w.rounds(1, a)
			w.as(a, func() { w.call(http.MethodDelete, "/google", nil, 204, nil) })
		},
		"who starts after the meeting": func(w *world, a *colleague) {
			w.joins(a, map[string]any{"syncFrom": began.AddDate(0, 1, 0).Format(time.DateOnly)})
			w.rounds(1, a)
		},
		"whose user is not active": func(w *world, a *colleague) { w.joins(a, nil); w.rounds(1, a); w.deactivate("Ada") },
		"whose account waits for a day": func(w *world, a *colleague) {
			w.joins(a, nil)
			w.rounds(1, a)
			w.google.RevokeGrant(a.email)
			w.pass(2 * time.Hour)
			w.as(a, func() { w.do(http.MethodPost, "/sync-activities", map[string]string{"user": w.account().ID}) })
			w.pass(25 * time.Hour)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			a, b := w.newcomer("Ada", "ada@example.com"), w.newcomer("Bo", bo)
			ada(w, a)
			w.joins(b, nil)
			w.meets("Kickoff")
			w.rounds(2, b)
			e := w.copyOf(bo, "Kickoff")
			if e == nil || e.Organizer.Email != bo {
				t.Fatalf("bo has %+v", e)
			}
		})
	}
}

// deactivate ends a user of Creatio.
func (w *world) deactivate(login string) {
	w.t.Helper()
	for _, r := range w.creatio.System().Rows("SysAdminUnit", map[string]any{"Name": login}) {
		if err := w.creatio.System().Update("SysAdminUnit", r["Id"].(string), map[string]any{"Active": false}); err != nil {
			w.t.Fatal(err)
		}
	}
}

func TestA_user_to_whom_Google_gave_no_copy_is_told_once(t *testing.T) {
	t.Parallel()
	w, a, b := office(t)
	w.google.Calendar(bo).WaitForMail(true)
	w.meets("Kickoff")
	told := 0
	tell := func() {
		for _, run := range w.rounds(1, a, b) {
			for _, p := range run.Problems {
				if p.Code != "no-copy" || p.Record != "Kickoff" {
					t.Errorf("a run tells %+v", p)
				}
				told++
			}
		}
	}
	tell()
	tell()
	if told > 0 {
		t.Error("bo was told although the copy may still come")
	}
	for range 3 {
		w.pass(25 * time.Hour)
		tell()
		tell()
	}
	if told != 1 {
		t.Errorf("bo was told %d times", told)
	}
	if w.copyOf(bo, "Kickoff") != nil {
		t.Error("a second meeting was made in bo's calendar")
	}
	// Ada invites Bo from Google, by mail.
	mine := w.copyOf(ada, "Kickoff")
	w.google.Calendar(ada).Edit(mine.Id, func(e *gcal.Event) { e.Attendees = e.Attendees[:1] })
	w.google.Calendar(ada).Edit(mine.Id, func(e *gcal.Event) { e.Attendees = append(e.Attendees, &gcal.EventAttendee{Email: bo}) })
	w.rounds(2, b, a)
	w.wantOneMeeting("Kickoff", "after the copy came")
	w.calm(a, b)
}

func TestA_colleague_s_link_tells_which_activity_a_copy_is(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a, b := w.newcomer("Ada", ada), w.newcomer("Bo", bo)
	w.joins(a, nil)
	// Ada has the meeting on both sides, so that nothing in the ids tells that they are one.
	id := w.meets("Kickoff")
	e := event("Kickoff", 48)
	e.Attendees = []*gcal.EventAttendee{{Email: bo}}
	w.google.Calendar(ada).Add(e)
	w.rounds(2, a)
	// Bo's first synchronization comes between two of Ada's: the two sides show different things.
	if err := w.creatio.As("Ada").Update("Activity", id, map[string]any{"Title": "Start"}); err != nil {
		t.Fatal(err)
	}
	w.joins(b, nil)
	w.rounds(1, b)
	w.rounds(2, a, b)
	w.wantOneMeeting("Start", "after all synchronized")
	if activities, adas, bos := w.meetings("Kickoff"); activities+adas+bos > 0 {
		t.Errorf("there are %d activities, %d events of Ada's and %d of Bo's of the former title", activities, adas, bos)
	}
	w.calm(a, b)
}

func TestA_meeting_of_three_lives_on_when_the_carrier_leaves(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		order func(a, b, c *colleague) []*colleague
		leave func(w *world, a *colleague, activity string)
		alone bool
	}{
		"the participants":                    {func(a, b, c *colleague) []*colleague { return []*colleague{a, b, c} }, leaves, true},
		"the participants, another run first": {func(a, b, c *colleague) []*colleague { return []*colleague{c, b, a} }, leaves, true},
		"Tandem, and deletes the event": {func(_, b, c *colleague) []*colleague { return []*colleague{b, c} }, func(w *world, a *colleague, _ string) {
			w.as(a, func() { w.call(http.MethodDelete, "/google", nil, 204, nil) })
			w.google.Calendar(ada).Delete(w.copyOf(ada, "Kickoff").Id)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, a, b := office(t)
			c := w.newcomer("Cy", cy)
			w.joins(c, nil)
			id := w.meets("Kickoff")
			w.participate(id, "Cy Example")
			w.rounds(3, a, b, c)
			w.wantOneMeeting("Kickoff", "at first")
			row.leave(w, a, id)
			w.rounds(3, row.order(a, b, c)...)
			got := w.theActivity("Kickoff")
			for who, answer := range w.answers(got["Id"].(string)) {
				if answer == "declined" {
					t.Errorf("%s declined", who)
				}
			}
			one, other := w.copyOf(bo, "Kickoff"), w.copyOf(cy, "Kickoff")
			if one == nil || other == nil || one.ICalUID != other.ICalUID || one.Organizer.Email == ada {
				t.Fatalf("bo has %+v, cy %+v", one, other)
			}
			if row.alone && w.copyOf(ada, "Kickoff") != nil {
				t.Error("ada still has the meeting")
			}
			w.calm(row.order(a, b, c)...)
		})
	}
}

// leaves has Ada, who organizes an activity, hand it over to Bo and take no part in it.
func leaves(w *world, _ *colleague, activity string) {
	w.t.Helper()
	if err := w.creatio.System().Update("Activity", activity, map[string]any{"OwnerId": w.contactOf("Bo Example")}); err != nil {
		w.t.Fatal(err)
	}
	for _, r := range w.creatio.System().Rows("ActivityParticipant", map[string]any{"ActivityId": activity, "ParticipantId": w.contactOf("Ada Example")}) {
		if err := w.creatio.System().Delete("ActivityParticipant", r["Id"].(string)); err != nil {
			w.t.Fatal(err)
		}
	}
}

// said are the sentences of a run, by their codes.
func said(run store.Run) string {
	var out []string
	for _, p := range run.Problems {
		out = append(out, p.Code)
	}
	return strings.Join(out, " ")
}

// Ada's Tandem works by the time the meeting is reopened, and Ada organizes it in Creatio. Bo's account has it again all the same.
func TestWho_carried_a_meeting_before_carries_it_again_although_its_organizer_s_Tandem_works_by_now(t *testing.T) {
	t.Parallel()
	for _, first := range []string{ada, bo} {
		t.Run(first+" first", func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			a, b := w.newcomer("Ada", ada), w.newcomer("Bo", bo)
			w.joins(b, nil)
			w.rounds(1, b)
			id := w.meets("Kickoff")
			w.rounds(2, b)
			before := w.copyOf(bo, "Kickoff")
			if before == nil || before.Organizer.Email != bo {
				t.Fatalf("bo has %+v", before)
			}
			w.joins(a, nil)
			order := []*colleague{a, b}
			if first == bo {
				order = []*colleague{b, a}
			}
			w.rounds(2, order...)
			w.system(id, map[string]any{"StatusId": statusCanceled})
			w.rounds(2, order...)
			if activities, adas, bos := w.meetings("Kickoff"); activities+adas+bos > 0 {
				t.Fatalf("%d activities, %d events of Ada's and %d of Bo's of a meeting that was called off", activities, adas, bos)
			}
			w.system(id, map[string]any{"StatusId": statusInProgress})
			w.rounds(3, order...)
			w.wantOneMeeting("Kickoff", "after it was reopened")
			if now := w.copyOf(ada, "Kickoff"); now.ICalUID != before.ICalUID || now.Organizer.Email != bo {
				t.Errorf("ada has %+v", now)
			}
			w.calm(order...)
		})
	}
}

func TestWho_declined_a_meeting_of_somebody_whose_Tandem_does_not_work_carries_nothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, c := w.newcomer("Bo", bo), w.newcomer("Cy", cy)
	w.joins(b, nil)
	w.joins(c, nil)
	w.rounds(1, b, c)
	id := w.meets("Kickoff")
	w.respond(id, "Bo Example", responseDeclined)
	for _, run := range w.rounds(2, b) {
		if len(run.Problems) > 0 || len(run.Changes) > 0 {
			t.Errorf("bo's run changed %+v and told %+v", run.Changes, run.Problems)
		}
	}
	if e := w.copyOf(bo, "Kickoff"); e != nil {
		t.Fatalf("bo has %+v", e)
	}
	// Cy takes part, and carries it.
	w.participate(id, "Cy Example")
	w.rounds(2, b, c)
	if e := w.copyOf(cy, "Kickoff"); e == nil || e.Organizer.Email != cy || w.answers(id)["Bo Example"] != "declined" {
		t.Errorf("cy has %+v, the answers are %v", e, w.answers(id))
	}
	w.calm(b, c)
}
