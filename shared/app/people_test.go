package app_test

import (
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
