package google

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/sandbox/google/calendar"
)

// replies are the answers of the guests whom somebody sees.
func replies(e *gcal.Event) map[string]string {
	out := map[string]string{}
	if e != nil {
		for _, a := range e.Attendees {
			out[a.Email] = a.ResponseStatus
		}
	}
	return out
}

func TestAMeetingHasACopyForEachGuest(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	anns, bobs := w.events(ann), w.events(bob)
	token := w.sync(bobs).NextSyncToken
	e := meeting("Review", "2026-03-02T09:00", "2026-03-02T10:00", bob, "guest@elsewhere.example.net")
	e.Attendees[0].ResponseStatus = "accepted"
	e.ColorId, e.Visibility = "5", "private"
	e.ExtendedProperties = &gcal.EventExtendedProperties{Private: map[string]string{"mine": "1"}, Shared: map[string]string{"ours": "2"}}
	made := must(anns.Events.Insert("primary", e).SendUpdates("none").Do())(t)
	delta := must(bobs.Events.List("primary").SyncToken(token).Do())(t)
	if len(delta.Items) != 1 {
		t.Fatalf("the guest is told of %q", titles(delta.Items))
	}
	got := delta.Items[0]
	if got.Id != made.Id || got.ICalUID != made.ICalUID || got.Etag == made.Etag || got.Organizer.Self || got.Creator.Self || got.Organizer.Email != ann ||
		!got.Attendees[0].Self || got.Attendees[1].Self || got.ColorId != "" || got.Visibility != "private" ||
		got.ExtendedProperties.Private != nil || got.ExtendedProperties.Shared["ours"] != "2" {
		t.Errorf("the guest's copy is %s", encode(got))
	}
	if diff := cmp.Diff(map[string]string{bob: "needsAction", "guest@elsewhere.example.net": "needsAction"}, replies(made)); diff != "" {
		t.Errorf("an answer that the organizer gave for a user is %s", diff)
	}
	if _, err := anns.Events.Patch("primary", made.Id, &gcal.Event{Summary: "Retro", Start: at("2026-03-02T11:00"), End: at("2026-03-02T12:00")}).Do(); err != nil {
		t.Fatal(err)
	}
	if got := w.Calendar(bob).Event(made.Id); got.Summary != "Retro" || got.Sequence != 1 || got.Start.DateTime != "2026-03-02T11:00:00+01:00" {
		t.Errorf("after a change, the guest's copy is %s", encode(got))
	}
	if w.Calendar(cleo).Event(made.Id) != nil || len(w.Calendars().Mails()) != 0 {
		t.Error("somebody else has a copy, or got a mail")
	}
}

func TestAGuestAnswers(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	anns, bobs := w.events(ann), w.events(bob)
	made := must(anns.Events.Insert("primary", meeting("Review", "2026-03-02T09:00", "2026-03-02T10:00", bob, cleo)).Do())(t)
	w.Calendar(cleo).Answer(made.Id, "tentative")
	token := w.sync(anns).NextSyncToken
	mine := &gcal.Event{AttendeesOmitted: true, Attendees: []*gcal.EventAttendee{{Email: bob, ResponseStatus: "accepted"}}}
	if _, err := bobs.Events.Patch("primary", made.Id, mine).Do(); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{bob: "accepted", cleo: "tentative"}
	for _, person := range []string{ann, bob, cleo} {
		if diff := cmp.Diff(want, replies(w.Calendar(person).Event(made.Id))); diff != "" {
			t.Errorf("%s: %s", person, diff)
		}
	}
	if delta := must(anns.Events.List("primary").SyncToken(token).Do())(t); len(delta.Items) != 1 {
		t.Error("the organizer is not told")
	}
	// The whole list may come as well, with nobody else's answer changed.
	whole := must(bobs.Events.Get("primary", made.Id).Do())(t)
	whole.Attendees[0].ResponseStatus = "declined"
	if _, err := bobs.Events.Patch("primary", made.Id, &gcal.Event{Attendees: whole.Attendees}).Do(); err != nil {
		t.Error(err)
	}
	whole.Attendees[1].ResponseStatus = "declined"
	_, err := bobs.Events.Patch("primary", made.Id, &gcal.Event{Attendees: whole.Attendees}).Do()
	wantReason(t, err, 403, "calendar", "forbiddenForNonOrganizer")
	if got := replies(w.Calendar(ann).Event(made.Id)); got[bob] != "declined" || got[cleo] != "tentative" {
		t.Errorf("the organizer sees %v", got)
	}
	// An organizer's list replaces the former one whole, with the answers that it does not name.
	if _, err := anns.Events.Patch("primary", made.Id, &gcal.Event{Attendees: []*gcal.EventAttendee{{Email: bob}, {Email: cleo}}}).Do(); err != nil {
		t.Fatal(err)
	}
	if got := replies(w.Calendar(ann).Event(made.Id)); got[cleo] != "needsAction" {
		t.Errorf("the organizer sees %v", got)
	}
}

func TestAGuestChangesOnlyWhatIsTheGuests(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	bobs := w.events(bob)
	closed := meeting("Review", "2026-03-02T09:00", "2026-03-02T10:00", bob)
	no := false
	closed.GuestsCanInviteOthers = &no
	id := w.Calendar(ann).Add(closed)
	patch := func(e *gcal.Event) error {
		_, err := bobs.Events.Patch("primary", id, e).Do()
		return err
	}
	for name, e := range map[string]*gcal.Event{
		"title": {Summary: "Mine"}, "time": {Start: at("2026-03-02T08:00")}, "status": {Status: "cancelled"},
		"guests": {Attendees: []*gcal.EventAttendee{{Email: ann, ResponseStatus: "accepted"}, {Email: bob}, {Email: cleo}}}, "recurrence": {Recurrence: []string{"RRULE:FREQ=DAILY"}},
	} {
		err := patch(e)
		t.Run(name, func(t *testing.T) { wantReason(t, err, 403, "calendar", "forbiddenForNonOrganizer") })
	}
	if err := patch(&gcal.Event{
		Summary: "Review", ColorId: "7", Transparency: "transparent",
		Reminders:          &gcal.EventReminders{Overrides: []*gcal.EventReminder{{Method: "popup", Minutes: 30}}, ForceSendFields: []string{"UseDefault"}},
		ExtendedProperties: &gcal.EventExtendedProperties{Private: map[string]string{"mine": "1"}, Shared: map[string]string{"ours": "2"}},
	}); err != nil {
		t.Fatal(err)
	}
	got := w.Calendar(ann).Event(id)
	if got.ColorId != "" || got.Transparency != "" || !got.Reminders.UseDefault || got.ExtendedProperties.Private != nil || got.ExtendedProperties.Shared["ours"] != "2" {
		t.Errorf("the organizer's copy is %s", encode(got))
	}
	w.Calendar(ann).Edit(id, func(e *gcal.Event) { e.Summary = "Retro" })
	if got := w.Calendar(bob).Event(id); got.ColorId != "7" || got.Summary != "Retro" || got.ExtendedProperties.Private["mine"] != "1" || len(got.Reminders.Overrides) != 1 {
		t.Errorf("after the organizer's change, the guest's copy is %s", encode(got))
	}
	open := w.Calendar(ann).Add(meeting("Open", "2026-03-02T09:00", "2026-03-02T10:00", bob))
	brought := &gcal.Event{Attendees: []*gcal.EventAttendee{{Email: ann, ResponseStatus: "accepted"}, {Email: bob}, {Email: cleo}}}
	if _, err := bobs.Events.Patch("primary", open, brought).Do(); err != nil || w.Calendar(cleo).Event(open) == nil {
		t.Errorf("a guest could not bring another one: %v", err)
	}
	w.Calendar(ann).Edit(id, func(e *gcal.Event) { e.GuestsCanModify, e.GuestsCanInviteOthers = true, nil })
	if err := patch(&gcal.Event{Summary: "Ours", Attendees: []*gcal.EventAttendee{{Email: bob}, {Email: cleo}}}); err != nil {
		t.Fatal(err)
	}
	for _, person := range []string{ann, bob, cleo} {
		if got := w.Calendar(person).Event(id); got == nil || got.Summary != "Ours" || len(got.Attendees) != 2 {
			t.Errorf("%s has %s", person, encode(got))
		}
	}
}

func TestWhoDeletesAMeeting(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	id := w.Calendar(ann).Add(meeting("Review", "2026-03-02T09:00", "2026-03-02T10:00", bob, cleo))
	bobs := w.events(bob)
	if err := bobs.Events.Delete("primary", id).Do(); err != nil {
		t.Fatal(err)
	}
	if got := replies(w.Calendar(ann).Event(id)); got[bob] != "declined" || got[cleo] != "needsAction" {
		t.Errorf("after a guest's deletion, the organizer sees %v", got)
	}
	w.Calendar(ann).Edit(id, func(e *gcal.Event) { e.Summary = "Retro" })
	if w.Calendar(bob).Event(id) != nil {
		t.Error("the guest's copy came back")
	}
	_, err := bobs.Events.Patch("primary", id, &gcal.Event{Status: "confirmed"}).Do()
	wantReason(t, err, 403, "calendar", "forbiddenForNonOrganizer")
	if !w.Calendar(bob).Restore(id) || replies(w.Calendar(ann).Event(id))[bob] != "needsAction" || w.Calendar(bob).Event(id).Summary != "Retro" {
		t.Errorf("out of the bin comes %s", encode(w.Calendar(bob).Event(id)))
	}
	w.Calendar(ann).Edit(id, func(e *gcal.Event) {
		e.Attendees = slices.DeleteFunc(e.Attendees, func(a *gcal.EventAttendee) bool { return a.Email == bob })
	})
	if w.Calendar(bob).Event(id) != nil || w.Calendar(cleo).Event(id) == nil {
		t.Error("not the one who was removed lost the event")
	}
	w.Calendar(ann).Edit(id, func(e *gcal.Event) { e.Attendees = append(e.Attendees, &gcal.EventAttendee{Email: bob}) })
	if w.Calendar(bob).Event(id) == nil {
		t.Error("who was invited again has no event")
	}
	w.Calendar(ann).Delete(id)
	if w.Calendar(bob).Event(id) != nil || w.Calendar(cleo).Event(id) != nil {
		t.Error("a guest still has the event")
	}
	if !w.Calendar(ann).Restore(id) || w.Calendar(cleo).Event(id) == nil {
		t.Error("the event did not come back to the guests")
	}
}

func TestAGuestsCopyOfAMeetingThatDoesNotTakePlaceStaysInTheBin(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	id := w.Calendar(bob).Add(meeting("Review", "2026-03-02T09:00", "2026-03-02T10:00", cleo))
	w.Calendar(cleo).Delete(id)
	w.Calendar(bob).Delete(id)
	if w.Calendar(cleo).Restore(id) || w.Calendar(cleo).Event(id) != nil {
		t.Error("the guest has a meeting that the organizer deleted")
	}
	if !w.Calendar(bob).Restore(id) || !w.Calendar(cleo).Restore(id) {
		t.Error("with the organizer's event there the guest's does not come back")
	}
}

func TestGuestsWhoMayNotSeeEachOther(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	e := meeting("Surprise", "2026-03-02T09:00", "2026-03-02T10:00", bob, cleo)
	no := false
	e.GuestsCanSeeOtherGuests = &no
	id := w.Calendar(ann).Add(e)
	bobs := w.events(bob)
	got := must(bobs.Events.Get("primary", id).Do())(t)
	if diff := cmp.Diff(map[string]string{bob: "needsAction"}, replies(got)); diff != "" || *got.GuestsCanSeeOtherGuests {
		t.Error(diff)
	}
	got.Attendees[0].ResponseStatus = "accepted"
	if _, err := bobs.Events.Patch("primary", id, &gcal.Event{Attendees: got.Attendees}).Do(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{ann: "accepted", bob: "accepted", cleo: "needsAction"}, replies(w.Calendar(ann).Event(id))); diff != "" {
		t.Errorf("the organizer sees %s", diff)
	}
	few := must(w.events(ann).Events.Get("primary", id).MaxAttendees(1).Do())(t)
	if !few.AttendeesOmitted || len(few.Attendees) != 1 || !few.Attendees[0].Self {
		t.Errorf("of more guests than asked for, got %s", encode(few))
	}
}

func TestGuestsOfASeries(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	series := w.Calendar(ann).Add(daily("Standup", "RRULE:FREQ=DAILY;COUNT=5", bob))
	second, third, fourth := series+"_20260303T080000Z", series+"_20260304T080000Z", series+"_20260305T080000Z"
	// One instance is moved, one declined by the guest, one has another guest.
	w.Calendar(ann).Move(second, time.Date(2026, 3, 3, 10, 0, 0, 0, time.UTC), time.Date(2026, 3, 3, 10, 30, 0, 0, time.UTC))
	if got := w.Calendar(bob).Event(second); got.Start.DateTime != "2026-03-03T11:00:00+01:00" {
		t.Errorf("the guest has %s", encode(got))
	}
	if !w.Calendar(bob).Answer(third, "declined") {
		t.Fatal("not answered")
	}
	if got := w.Calendar(ann); replies(got.Event(third))[bob] != "declined" || replies(got.Event(series))[bob] != "needsAction" || replies(got.Event(second))[bob] != "needsAction" {
		t.Error("the answer to one instance is not that to one instance")
	}
	w.Calendar(ann).Edit(fourth, func(e *gcal.Event) { e.Attendees = append(e.Attendees, &gcal.EventAttendee{Email: cleo}) })
	alone := must(w.events(cleo).Events.List("primary").Do())(t)
	if len(alone.Items) != 1 || alone.Items[0].Id != fourth || alone.Items[0].RecurringEventId != series {
		t.Errorf("a guest of one instance has %s", encode(alone.Items))
	}
	// Who comes to the series comes to every instance, whatever was answered there.
	w.Calendar(ann).Edit(series, func(e *gcal.Event) { e.Attendees = append(e.Attendees, &gcal.EventAttendee{Email: cleo}) })
	if got := w.Calendar(cleo).Instances(series); len(got) != 5 {
		t.Errorf("a guest who came later has %s", begins(got))
	}
	if diff := cmp.Diff(map[string]string{ann: "accepted", bob: "declined", cleo: "needsAction"}, replies(w.Calendar(ann).Event(third))); diff != "" {
		t.Error(diff)
	}
	if err := w.events(bob).Events.Delete("primary", second).Do(); err != nil {
		t.Fatal(err)
	}
	if got := w.Calendar(bob).Instances(series); len(got) != 4 || replies(w.Calendar(ann).Event(second))[bob] != "declined" {
		t.Errorf("the guest who deleted one instance has %s", begins(got))
	}
	w.Calendar(ann).Delete(series)
	for _, person := range []string{bob, cleo} {
		if got := w.Calendar(person).Events(); len(got) != 0 {
			t.Errorf("%s still has %q", person, titles(got))
		}
	}
}

func TestAGuestByAnotherAddress(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	w.Calendar(bob).AddAlias("Robert@example.com")
	id := w.Calendar(ann).Add(meeting("Review", "2026-03-02T09:00", "2026-03-02T10:00", "robert@example.com"))
	got := must(w.events(bob).Events.Get("primary", id).Do())(t)
	if mine := got.Attendees[1]; !mine.Self || mine.Email != "robert@example.com" {
		t.Errorf("got %s", encode(got))
	}
	w.Calendar(bob).Answer(id, "accepted")
	if got := replies(w.Calendar(ann).Event(id)); got["robert@example.com"] != "accepted" {
		t.Errorf("the organizer sees %v", got)
	}
}

func TestSomeGuestsGetNoCopyWithoutAMail(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	w.Calendar(bob).WaitForMail(true)
	anns := w.events(ann)
	insert := func(updates string) *gcal.Event {
		e := meeting("Review", "2026-03-02T09:00", "2026-03-02T10:00", bob, cleo, "guest@elsewhere.example.net")
		return must(anns.Events.Insert("primary", e).SendUpdates(updates).Do())(t)
	}
	quiet, outside, loud := insert("none"), insert("externalOnly"), insert("all")
	if w.Calendar(bob).Event(quiet.Id) != nil || w.Calendar(bob).Event(outside.Id) != nil || w.Calendar(bob).Event(loud.Id) == nil ||
		w.Calendar(cleo).Event(quiet.Id) == nil {
		t.Error("not the mail decides who has a copy")
	}
	want := []calendar.Mail{
		{From: ann, EventID: outside.Id, SendUpdates: "externalOnly", To: []string{"guest@elsewhere.example.net"}},
		{From: ann, EventID: loud.Id, SendUpdates: "all", To: []string{bob, cleo, "guest@elsewhere.example.net"}},
	}
	if diff := cmp.Diff(want, w.Calendars().Mails()); diff != "" {
		t.Error(diff)
	}
}

func TestTwoPeopleMakeOneMeetingWithOneID(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	e := meeting("Review", "2026-03-02T09:00", "2026-03-02T10:00", bob)
	e.Id = "abc123"
	if _, err := w.events(ann).Events.Insert("primary", e).Do(); err != nil {
		t.Fatal(err)
	}
	e.Attendees = []*gcal.EventAttendee{{Email: ann}}
	_, err := w.events(bob).Events.Insert("primary", e).Do()
	wantReason(t, err, 409, "global", "duplicate")
}

func TestAnImportedEventIsNobodyElses(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	bobs := w.events(bob)
	e := meeting("Fair", "2026-03-02T09:00", "2026-03-02T10:00", bob, cleo)
	e.ICalUID, e.Organizer = "fair@elsewhere.example.net", &gcal.EventOrganizer{Email: "host@elsewhere.example.net"}
	made := must(bobs.Events.Import("primary", e).Do())(t)
	if made.ICalUID != e.ICalUID || made.Organizer.Self || !made.PrivateCopy || w.Calendar(cleo).Event(made.Id) != nil {
		t.Errorf("imported %s", encode(made))
	}
	_, err := bobs.Events.Patch("primary", made.Id, &gcal.Event{Summary: "Mine"}).Do()
	wantReason(t, err, 403, "calendar", "forbiddenForNonOrganizer")
	if !w.Calendar(bob).Answer(made.Id, "accepted") || replies(w.Calendar(bob).Event(made.Id))[bob] != "accepted" {
		t.Error("the invitation could not be answered")
	}
}
