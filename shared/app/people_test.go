package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	gcal "google.golang.org/api/calendar/v3"

	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
)

const eve = "eve@example.com"

// contactOf is the contact of a name.
func (w *world) contactOf(name string) string {
	w.t.Helper()
	rows := w.creatio.System().Rows("Contact", map[string]any{"Name": name})
	if len(rows) != 1 {
		w.t.Fatalf("creatio has %d contacts %q", len(rows), name)
	}
	return rows[0]["Id"].(string)
}

// the activity of a title, which is not canceled and the only one.
func (w *world) theActivity(title string) map[string]any {
	w.t.Helper()
	var found []map[string]any
	for _, r := range w.creatio.System().Rows("Activity", map[string]any{"Title": title}) {
		if r["StatusId"] != statusCanceled {
			found = append(found, r)
		}
	}
	if len(found) != 1 {
		w.t.Fatalf("creatio has %d activities %q", len(found), title)
	}
	return found[0]
}

// answers are the participants of an activity by their names, with what they answered.
func (w *world) answers(activity string) map[string]string {
	w.t.Helper()
	words := map[string]string{
		"": "", "7098c892-34e3-4a3e-af08-c1a139f63220": "accepted", "cc256758-4051-4021-9c51-216e37635c46": "declined",
		"50e89724-522d-446e-be91-12548b8c834d": "in doubt",
	}
	out := map[string]string{}
	for _, r := range w.creatio.System().Rows("ActivityParticipant", map[string]any{"ActivityId": activity}) {
		name := w.creatio.System().Get("Contact", r["ParticipantId"].(string))["Name"].(string)
		if _, twice := out[name]; twice {
			w.t.Fatalf("%s takes part twice", name)
		}
		response, _ := r["InviteResponseId"].(string)
		out[name] = words[response]
	}
	return out
}

func TestWhoever_organizes_a_meeting_in_Google_owns_the_activity(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		organizer creatiobox.User
		want      string
	}{
		"a colleague":                {creatiobox.User{Name: "Eve", Password: "x", ContactName: "Eve Example", Email: eve, Active: true}, "Eve Example"},
		"one who left":               {creatiobox.User{Name: "Eve", Password: "x", ContactName: "Eve Example", Email: eve}, "Ada Example"},
		"a user of the portal":       {creatiobox.User{Name: "Eve", Password: "x", ContactName: "Eve Example", Email: eve, Active: true, Portal: true}, "Ada Example"},
		"somebody unknown":           {creatiobox.User{}, "Ada Example"},
		"a customer in the contacts": {creatiobox.User{Email: "contact"}, "Ada Example"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAgenda(t)
			switch {
			case row.organizer.Name != "":
				a.creatio.AddUser(row.organizer)
			case row.organizer.Email != "":
				a.contact("Eve Example", eve)
			}
			a.google.AddUser(googlebox.User{Email: eve, Name: "Eve", EmailVerified: true})
			e := event("Kickoff", 48)
			e.Attendees = []*gcal.EventAttendee{{Email: ada, ResponseStatus: "needsAction"}}
			a.google.Calendar(eve).Add(e)
			run := a.run("done")
			got := a.theActivity("Kickoff")
			if who := a.creatio.System().Get("Contact", got["OwnerId"].(string))["Name"]; who != row.want || got["OrganizerId"] != got["OwnerId"] {
				t.Errorf("the owner is %s, the organizer %s", who, got["OrganizerId"])
			}
			if _, takesPart := a.answers(got["Id"].(string))["Ada Example"]; !takesPart {
				t.Errorf("the participants are %v, problems %+v", a.answers(got["Id"].(string)), run.Problems)
			}
			a.quiet()
		})
	}
}

func TestA_guest_who_synchronizes_first_makes_the_organizer_the_owner(t *testing.T) {
	t.Parallel()
	w, a, b := office(t)
	e := event("Kickoff", 48)
	e.Attendees = []*gcal.EventAttendee{{Email: bo}}
	e.Reminders = &gcal.EventReminders{Overrides: []*gcal.EventReminder{{Method: "popup", Minutes: 20}}, ForceSendFields: []string{"UseDefault"}}
	id := w.google.Calendar(ada).Add(e)
	w.google.Calendar(bo).Answer(id, "tentative")
	for _, c := range []*colleague{b, a, b, a} {
		w.as(c, func() { w.syncActivities("done") })
	}
	got := w.theActivity("Kickoff")
	if got["OwnerId"] != w.contactOf("Ada Example") || got["OrganizerId"] != w.contactOf("Ada Example") || got["AuthorId"] != w.contactOf("Bo Example") {
		t.Errorf("the activity is %+v", got)
	}
	if answers := w.answers(got["Id"].(string)); answers["Ada Example"] != "accepted" || answers["Bo Example"] != "in doubt" || len(answers) != 2 {
		t.Errorf("the participants are %v", answers)
	}
	if got["RemindToOwner"] != true {
		t.Error("the owner is not reminded as the owner's event does")
	}
}

func TestAn_event_is_made_in_the_activity_s_own_time_zone(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	zone := func(code string) any {
		return a.creatio.System().Rows("TimeZone", map[string]any{"Code": code})[0]["Id"]
	}
	odd, err := a.creatio.System().Insert("TimeZone", map[string]any{"Name": "Ours", "Code": "Customized Time Zone"})
	if err != nil {
		t.Fatal(err)
	}
	for title, id := range map[string]any{"Call to Auckland": zone("New Zealand Standard Time"), "Call around the corner": nil, "Call to nowhere": odd} {
		made := a.activity(title, 24)
		if err := a.creatio.As("Ada").Update("Activity", made, map[string]any{"TimeZoneId": id}); err != nil {
			t.Fatal(err)
		}
	}
	run := a.run("done")
	for title, want := range map[string]string{"Call to Auckland": "Pacific/Auckland", "Call around the corner": "Europe/London", "Call to nowhere": "Europe/London"} {
		if got := a.foundEvent(title).Start.TimeZone; got != want {
			t.Errorf("%s is in the zone %s, want %s", title, got, want)
		}
	}
	if len(run.Problems) != 1 || run.Problems[0].Code != "unknown-zone" || !strings.Contains(run.Problems[0].Message, "Customized Time Zone") {
		t.Errorf("the run tells %+v", run.Problems)
	}
	a.quiet()
	// Afterwards each side keeps its own.
	event := a.foundEvent("Call to Auckland")
	a.calendar.Edit(event.Id, func(e *gcal.Event) { e.Start.TimeZone, e.End.TimeZone = "Asia/Tokyo", "Asia/Tokyo" })
	a.changeActivity("Call to Auckland", map[string]any{"Location": "Phone"})
	a.run("done")
	if got := a.foundEvent("Call to Auckland"); got.Start.TimeZone != "Asia/Tokyo" || got.Location != "Phone" {
		t.Errorf("the event is %+v in %s", got.Start, got.Location)
	}
	if got := a.foundActivity("Call to Auckland")["TimeZoneId"]; got != zone("New Zealand Standard Time") {
		t.Errorf("the activity's zone became %v", got)
	}
	a.quiet()
}

// guestsOf are the guests of an event with their answers; rooms are marked as such.
func guestsOf(e *gcal.Event) string {
	var out []string
	for _, a := range e.Attendees {
		one := a.Email + " " + a.ResponseStatus
		if a.Resource {
			one += " room"
		}
		out = append(out, one)
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func TestA_colleague_is_invited_by_the_linked_account_and_known_by_it(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const private = "bo.private@example.com"
	a, b := w.newcomer("Ada", ada), w.newcomer("Bo", private)
	w.joins(a, nil)
	w.joins(b, nil)
	w.rounds(1, a, b)
	w.meets("Kickoff")
	// In Google Ada plans another meeting with Bo, whose account nobody has noted in Creatio.
	e := event("Review", 72)
	e.Attendees = []*gcal.EventAttendee{{Email: private}}
	w.google.Calendar(ada).Add(e)
	w.rounds(3, a, b)
	if got := guestsOf(w.copyOf(ada, "Kickoff")); got != ada+" accepted, "+private+" tentative" {
		t.Errorf("the guests are %s", got)
	}
	for _, title := range []string{"Kickoff", "Review"} {
		if w.copyOf(private, title) == nil {
			t.Errorf("bo has no event %s", title)
		}
		if _, is := w.answers(w.theActivity(title)["Id"].(string))["Bo Example"]; !is {
			t.Errorf("bo takes no part in %s", title)
		}
	}
	w.calm(a, b)
}

func TestParticipants_whom_nobody_can_invite_are_told_once(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	a.put(map[string]any{"guests": "invited"})
	a.creatio.AddUser(creatiobox.User{Name: "Cy", Password: "x", ContactName: "Cy Example", Active: true})
	a.contact("Customer Example", "customer@example.org")
	a.contact("Nobody Example", "")
	several := a.contact("Several Example", "one@example.org")
	a.row("Ada", "ContactCommunication", map[string]any{"ContactId": several, "CommunicationTypeId": "ee1c85c3-cfcb-df11-9b2a-001d60e938c6", "Number": "two@example.org"})
	id := a.activity("Fair", 48)
	for _, name := range []string{"Cy Example", "Customer Example", "Nobody Example", "Several Example"} {
		a.participate(id, name)
	}
	run := a.run("done")
	if got := guestsOf(a.foundEvent("Fair")); got != ada+" accepted, customer@example.org needsAction" {
		t.Errorf("the guests are %s", got)
	}
	var told []string
	for _, p := range run.Problems {
		told = append(told, p.Code+" "+p.Message[:strings.Index(p.Message, " ")]+" "+p.Record)
	}
	slices.Sort(told)
	if !slices.Equal(told, []string{"no-address Cy Fair", "no-address Nobody Fair", "no-address Several Fair"}) {
		t.Errorf("the run tells %q", told)
	}
	a.changeActivity("Fair", map[string]any{"Location": "Hall 1"})
	if run := a.run("done"); len(run.Problems) > 0 {
		t.Errorf("the next run tells %+v", run.Problems)
	}
	a.quiet()
}

func TestPortal_users_and_customers_find_no_task_in_their_calendars(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	a.creatio.AddUser(creatiobox.User{Name: "Gus", Password: "x", ContactName: "Gus Example", Email: "gus@example.org", Active: true, Portal: true})
	a.creatio.AddUser(creatiobox.User{Name: "Old", Password: "x", ContactName: "Old Example", Email: "old@example.com"})
	a.contact("Customer Example", "customer@example.org")
	id := a.activity("Internal", 48)
	for _, name := range []string{"Gus Example", "Old Example", "Customer Example", "Bo Example"} {
		a.participate(id, name)
	}
	run := a.run("done")
	if got := guestsOf(a.foundEvent("Internal")); got != ada+" accepted, bo@example.com needsAction" || len(run.Problems) > 0 {
		t.Errorf("the guests are %s, problems %+v", got, run.Problems)
	}
	a.quiet()
	// With the setting customers come, and portal users never do.
	a.put(map[string]any{"guests": "invited"})
	a.changeActivity("Internal", map[string]any{"Location": "Hall"})
	a.run("done")
	if got := guestsOf(a.foundEvent("Internal")); !strings.Contains(got, "customer@example.org") || strings.Contains(got, "gus@") {
		t.Errorf("with the setting the guests are %s", got)
	}
	a.quiet()
}

func TestGuests_of_Google_stay_until_they_leave_the_participants(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	a.contact("Customer Example", "customer@example.org")
	e := event("Demo", 48)
	e.Attendees = []*gcal.EventAttendee{
		{Email: "customer@example.org", ResponseStatus: "accepted"}, {Email: "stranger@example.net"}, {Email: bo}, {Email: "hall@resource.calendar.google.com", Resource: true},
	}
	id := a.calendar.Add(e)
	a.run("done")
	activity := a.foundActivity("Demo")["Id"].(string)
	if got := a.answers(activity); len(got) != 3 || got["Customer Example"] != "accepted" {
		t.Errorf("the participants are %v", got)
	}
	for _, r := range a.creatio.System().Rows("ActivityParticipant", map[string]any{"ActivityId": activity}) {
		if r["InviteParticipant"] != true {
			t.Errorf("a participant is not invited: %+v", r)
		}
	}
	if n := len(a.creatio.System().Rows("Contact", nil)); n != len(a.creatio.System().Rows("Contact", map[string]any{}))+0 || a.creatio.System().Rows("Contact", map[string]any{"Email": "stranger@example.net"}) != nil {
		t.Error("a contact was made of an unknown address")
	}
	a.quiet()
	before := guestsOf(a.calendar.Event(id))
	a.changeActivity("Demo", map[string]any{"Title": "Demo, part one"})
	a.run("done")
	if got := guestsOf(a.calendar.Event(id)); got != before {
		t.Errorf("the guests are %s, were %s", got, before)
	}
	// Somebody comes, and somebody goes: rooms and strangers stay.
	a.creatio.AddUser(creatiobox.User{Name: "Cy", Password: "x", ContactName: "Cy Example", Email: cy, Active: true})
	a.participate(activity, "Cy Example")
	a.leave(activity, "Customer Example")
	a.run("done")
	if got := guestsOf(a.calendar.Event(id)); got != ada+" accepted, bo@example.com needsAction, cy@example.com needsAction, hall@resource.calendar.google.com needsAction room, stranger@example.net needsAction" {
		t.Errorf("the guests are %s, were %s", got, before)
	}
	a.quiet()
}

// leave takes somebody out of the participants.
func (w *world) leave(activity, name string) {
	w.t.Helper()
	for _, r := range w.creatio.System().Rows("ActivityParticipant", map[string]any{"ActivityId": activity, "ParticipantId": w.contactOf(name)}) {
		if err := w.creatio.As("Ada").Delete("ActivityParticipant", r["Id"].(string)); err != nil {
			w.t.Fatal(err)
		}
	}
}

func TestA_hidden_list_of_guests_removes_nobody_and_is_written_only_for_the_own_answer(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	a.google.AddUser(googlebox.User{Email: eve, Name: "Eve", EmailVerified: true})
	hidden := false
	e := event("Secret", 48)
	e.Attendees = []*gcal.EventAttendee{{Email: ada}, {Email: bo}, {Email: cy}}
	id := a.google.Calendar(eve).Add(e)
	a.run("done")
	activity := a.foundActivity("Secret")["Id"].(string)
	if got := a.answers(activity); len(got) != 2 {
		t.Fatalf("the participants are %v", got)
	}
	a.google.Calendar(eve).Edit(id, func(e *gcal.Event) { e.GuestsCanSeeOtherGuests = &hidden })
	a.run("done")
	if got := a.answers(activity); len(got) != 2 {
		t.Errorf("after the list was hidden the participants are %v", got)
	}
	a.quiet()
	a.respond(activity, "Ada Example", "7098c892-34e3-4a3e-af08-c1a139f63220")
	a.leave(activity, "Bo Example")
	a.run("done")
	if got := guestsOf(a.google.Calendar(eve).Event(id)); got != ada+" accepted, bo@example.com needsAction, cy@example.com needsAction, "+eve+" accepted" {
		t.Errorf("the guests are %s", got)
	}
	a.quiet()
}

// respond has somebody respond in Creatio.
func (w *world) respond(activity, name, response string) {
	w.t.Helper()
	var value any = response
	if response == "" {
		value = nil
	}
	for _, r := range w.creatio.System().Rows("ActivityParticipant", map[string]any{"ActivityId": activity, "ParticipantId": w.contactOf(name)}) {
		if err := w.creatio.As("Ada").Update("ActivityParticipant", r["Id"].(string), map[string]any{"InviteResponseId": value}); err != nil {
			w.t.Fatal(err)
		}
	}
}

func TestA_list_of_more_guests_than_are_shown_removes_nobody(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	e := event("Townhall", 48)
	e.Attendees = []*gcal.EventAttendee{{Email: bo}}
	id := a.calendar.Add(e)
	a.run("done")
	a.calendar.Edit(id, func(e *gcal.Event) {
		for n := range 250 {
			e.Attendees = append(e.Attendees, &gcal.EventAttendee{Email: fmt.Sprintf("guest%d@example.net", n)})
		}
	})
	a.run("done")
	activity := a.foundActivity("Townhall")["Id"].(string)
	if got := a.answers(activity); len(got) != 2 {
		t.Errorf("the participants are %v", got)
	}
	a.leave(activity, "Bo Example")
	a.changeActivity("Townhall", map[string]any{"Title": "Townhall, all of us"})
	a.run("done")
	if got := a.calendar.Event(id); len(got.Attendees) != 252 || got.Summary != "Townhall, all of us" {
		t.Errorf("%s has %d guests", got.Summary, len(got.Attendees))
	}
	a.quiet()
}

func TestA_colleague_s_answer_is_the_colleague_s(t *testing.T) {
	t.Parallel()
	const confirmed, declined = "7098c892-34e3-4a3e-af08-c1a139f63220", "cc256758-4051-4021-9c51-216e37635c46"
	w, a, b := office(t)
	id := w.meets("Kickoff")
	w.rounds(3, a, b)
	mine := w.copyOf(ada, "Kickoff").Id
	// Bo answers in Google: whoever's run comes first takes it to Creatio.
	w.google.Calendar(bo).Answer(mine, "accepted")
	w.rounds(1, a)
	if got := w.answers(id)["Bo Example"]; got != "accepted" {
		t.Errorf("bo's answer is %q in Creatio", got)
	}
	w.rounds(1, b)
	w.calm(a, b)
	// Bo answers in Creatio: Ada's runs leave that alone, and put nothing back.
	w.respond(id, "Bo Example", declined)
	w.rounds(3, a)
	if got := w.answers(id)["Bo Example"]; got != "declined" {
		t.Errorf("ada's run made bo's answer %q", got)
	}
	if got := guestsOf(w.copyOf(ada, "Kickoff")); !strings.Contains(got, bo+" accepted") {
		t.Errorf("ada's run answered for bo: %s", got)
	}
	w.rounds(2, b, a)
	if got := guestsOf(w.copyOf(ada, "Kickoff")); !strings.Contains(got, bo+" declined") || w.answers(id)["Bo Example"] != "declined" {
		t.Errorf("bo's run left %s and %s", got, w.answers(id)["Bo Example"])
	}
	w.calm(a, b)
	// Ada's answer, in both ways, while Bo's stays.
	w.respond(id, "Ada Example", confirmed)
	w.rounds(2, b, a)
	w.google.Calendar(ada).Answer(mine, "tentative")
	w.rounds(2, b, a)
	if got := w.answers(id); got["Ada Example"] != "in doubt" || got["Bo Example"] != "declined" {
		t.Errorf("the answers are %v", got)
	}
	w.calm(a, b)
}

func TestWhat_belongs_to_an_outside_organizer_is_read_only_and_that_is_said_once(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	a.google.AddUser(googlebox.User{Email: eve, Name: "Eve", EmailVerified: true})
	e := event("Visit", 48)
	e.Attendees = []*gcal.EventAttendee{{Email: ada}}
	id := a.google.Calendar(eve).Add(e)
	locked := event("Holiday", 72)
	locked.Locked = true
	a.calendar.Add(locked)
	a.run("done")
	for _, title := range []string{"Visit", "Holiday"} {
		a.changeActivity(title, map[string]any{"Title": title + ", moved", "Location": "Here"})
	}
	run := a.run("done")
	if got := said(run); got != "read-only read-only" {
		t.Errorf("the run tells %q", got)
	}
	for _, p := range run.Problems {
		// Several meetings may have one title.
		if len(p.Fields) != 1 || p.Fields[0].Field != "when" || !strings.HasPrefix(p.Fields[0].Value, timeOf(a.foundActivity(p.Record), "StartDate")) {
			t.Errorf("of %s the run tells %+v", p.Record, p.Fields)
		}
	}
	a.changeActivity("Visit, moved", map[string]any{"Location": "There"})
	if got := said(a.run("done")); got != "" {
		t.Errorf("the next run tells %q", got)
	}
	a.quiet()
	// The own answer goes all the same.
	a.respond(a.foundActivity("Visit, moved")["Id"].(string), "Ada Example", "7098c892-34e3-4a3e-af08-c1a139f63220")
	a.run("done")
	if got := guestsOf(a.google.Calendar(eve).Event(id)); !strings.Contains(got, ada+" accepted") {
		t.Errorf("the guests are %s", got)
	}
}
