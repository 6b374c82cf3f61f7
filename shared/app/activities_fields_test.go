package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/activity"
	"github.com/tandem-sync/tandem/shared/richtext"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
)

// answers of a participant, as every site has them.
const (
	answerConfirmed = "7098c892-34e3-4a3e-af08-c1a139f63220"
	answerDeclined  = "cc256758-4051-4021-9c51-216e37635c46"
)

// fieldStory is what happens to a field of an activity of the field's name: a change in Creatio, then one in Google, and what the
// other side shows then.
type fieldStory struct {
	inCreatio func(a *agenda, id string)
	google    func(*gcal.Event) string
	inGoogle  func(a *agenda, e *gcal.Event)
	creatio   func(a *agenda, id string) string
	// want is what Google shows after the first change, and Creatio after the second.
	want [2]string
}

func fieldStories() map[string]fieldStory {
	columns := func(values map[string]any) func(*agenda, string) {
		return func(a *agenda, id string) { a.changeActivityByID(id, values) }
	}
	edit := func(change func(*gcal.Event)) func(*agenda, *gcal.Event) {
		return func(a *agenda, e *gcal.Event) { a.calendar.Edit(e.Id, change) }
	}
	column := func(name string) func(*agenda, string) string {
		return func(a *agenda, id string) string {
			return fmt.Sprint(a.creatio.System().Get("Activity", id)[name])
		}
	}
	return map[string]fieldStory{
		"Title": {
			columns(map[string]any{"Title": "Title, changed"}), func(e *gcal.Event) string { return e.Summary },
			edit(func(e *gcal.Event) { e.Summary = "Title again" }), column("Title"),
			[2]string{"Title, changed", "Title again"},
		},
		"Time": {
			columns(map[string]any{"StartDate": "2026-03-05T08:00:00Z", "DueDate": "2026-03-05T09:30:00Z"}),
			func(e *gcal.Event) string { return e.Start.DateTime + " " + e.End.DateTime },
			edit(func(e *gcal.Event) {
				e.Start, e.End = &gcal.EventDateTime{Date: "2026-03-06"}, &gcal.EventDateTime{Date: "2026-03-07"}
			}),
			func(a *agenda, id string) string {
				row := a.creatio.System().Get("Activity", id)
				return timeOf(row, "StartDate") + " " + timeOf(row, "DueDate")
			},
			[2]string{"2026-03-05T08:00:00Z 2026-03-05T09:30:00Z", "2026-03-06T00:00:00Z 2026-03-07T00:00:00Z"},
		},
		"Place": {
			columns(map[string]any{"Location": "Hall 1"}), func(e *gcal.Event) string { return e.Location },
			edit(func(e *gcal.Event) { e.Location = "Hall 2" }), column("Location"),
			[2]string{"Hall 1", "Hall 2"},
		},
		"Notes": {
			columns(map[string]any{"Notes": "<p>One &amp; <b>two</b></p>"}), func(e *gcal.Event) string { return e.Description },
			edit(func(e *gcal.Event) { e.Description = "One < two" }), column("Notes"),
			[2]string{"One & two", "<p>One &lt; two</p>"},
		},
		"Reminder": {
			func(a *agenda, id string) {
				a.changeActivityByID(id, map[string]any{"RemindToOwner": true, "RemindToOwnerDate": a.startOf(id).Add(-30 * time.Minute).Format(time.RFC3339)})
			},
			func(e *gcal.Event) string { return fmt.Sprint(popups(e)) },
			edit(func(e *gcal.Event) {
				// The other one is the calendar's own.
				for _, o := range e.Reminders.Overrides {
					if o.Minutes == 30 {
						o.Minutes = 45
					}
				}
			}),
			func(a *agenda, id string) string {
				at, _ := a.creatio.System().Get("Activity", id)["RemindToOwnerDate"].(time.Time)
				return fmt.Sprint(a.startOf(id).Sub(at).Minutes())
			},
			[2]string{"[10 30]", "45"},
		},
		"Your answer": {
			func(a *agenda, id string) { a.answerAs(id, answerConfirmed) }, func(e *gcal.Event) string {
				i := slices.IndexFunc(e.Attendees, func(a *gcal.EventAttendee) bool { return a.Self })
				return e.Attendees[i].ResponseStatus
			},
			func(a *agenda, e *gcal.Event) { a.calendar.Answer(e.Id, "declined") },
			func(a *agenda, id string) string { return fmt.Sprint(a.part(id)["InviteResponseId"]) },
			[2]string{"accepted", answerDeclined},
		},
		"Participant": {
			func(a *agenda, id string) {
				a.row("Ada", "ActivityParticipant", map[string]any{"ActivityId": id, "ParticipantId": a.contactOf("Bo Example")})
			},
			func(e *gcal.Event) string { return strings.Join(others(e), " ") },
			edit(func(e *gcal.Event) {
				e.Attendees = slices.DeleteFunc(e.Attendees, func(a *gcal.EventAttendee) bool { return !a.Self })
			}),
			func(a *agenda, id string) string {
				return fmt.Sprint(len(a.creatio.System().Rows("ActivityParticipant", map[string]any{"ActivityId": id, "ParticipantId": a.contactOf("Bo Example")})))
			},
			[2]string{bo, "0"},
		},
	}
}

func popups(e *gcal.Event) (out []int64) {
	if e.Reminders == nil {
		return nil
	}
	for _, o := range e.Reminders.Overrides {
		out = append(out, o.Minutes)
	}
	slices.Sort(out)
	return out
}

func others(e *gcal.Event) (out []string) {
	for _, g := range e.Attendees {
		if !g.Self {
			out = append(out, g.Email)
		}
	}
	return out
}

func (a *agenda) startOf(id string) time.Time {
	start, _ := a.creatio.System().Get("Activity", id)["StartDate"].(time.Time)
	return start
}

func (a *agenda) contactOf(name string) string {
	return a.creatio.System().Rows("Contact", map[string]any{"Name": name})[0]["Id"].(string)
}

// part is Ada's row among the participants of an activity.
func (a *agenda) part(id string) map[string]any {
	a.t.Helper()
	rows := a.creatio.System().Rows("ActivityParticipant", map[string]any{"ActivityId": id, "ParticipantId": a.contactOf("Ada Example")})
	if len(rows) != 1 {
		a.t.Fatalf("Ada has %d parts in %s", len(rows), id)
	}
	return rows[0]
}

func (a *agenda) answerAs(id, response string) {
	a.t.Helper()
	if err := a.creatio.As("Ada").Update("ActivityParticipant", a.part(id)["Id"].(string), map[string]any{"InviteResponseId": response}); err != nil {
		a.t.Fatal(err)
	}
}

func TestEvery_field_of_an_activity_goes_both_ways(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	a.google.AddUser(googlebox.User{Email: bo, Name: "Bo", EmailVerified: true, HostedDomain: "example.com"})
	stories := fieldStories()
	ids, events := map[string]string{}, map[string]string{}
	for i, f := range activity.Schema {
		if _, told := stories[f.Label]; !told {
			t.Fatalf("%s has no story", f.Label)
		}
		if f.Name != activity.Answer {
			ids[f.Label] = a.activity(f.Label, 30+2*i)
			continue
		}
		// Who is invited has something to answer.
		invitation := event(f.Label, 30+2*i)
		invitation.Attendees = []*gcal.EventAttendee{{Email: ada}}
		a.google.Calendar(bo).Add(invitation)
	}
	a.run("done")
	for label := range stories {
		ids[label] = a.foundActivity(label)["Id"].(string)
		events[label] = a.foundEvent(label).Id
		stories[label].inCreatio(a, ids[label])
	}
	a.run("done")
	for label, s := range stories {
		if got := s.google(a.calendar.Event(events[label])); got != s.want[0] {
			t.Errorf("%s: Google shows %q, want %q", label, got, s.want[0])
		}
		s.inGoogle(a, a.calendar.Event(events[label]))
	}
	if t.Failed() {
		return
	}
	a.run("done")
	for label, s := range stories {
		if got := s.creatio(a, ids[label]); got != s.want[1] {
			t.Errorf("%s: Creatio shows %q, want %q", label, got, s.want[1])
		}
	}
	a.quiet()
}

// What Google shows as "AT&T" it holds as "AT&amp;T", with an element in the text and without one.
func TestNotes_read_in_Creatio_as_Google_shows_them_and_keep_their_form(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	e := event("Call", 24)
	e.Description = "AT&amp;T &lt;sales&gt;\nhttps://example.com/?a=1&copy=2"
	id := a.calendar.Add(e)
	a.run("done")
	notes := func() string { return richtext.Plain(a.foundActivity("Call")["Notes"].(string)) }
	if got := notes(); got != "AT&T <sales>\nhttps://example.com/?a=1&copy=2" {
		t.Errorf("Creatio shows %q", got)
	}
	a.changeActivity("Call", map[string]any{"Location": "Hall"})
	a.run("done")
	if got := a.calendar.Event(id).Description; got != e.Description {
		t.Errorf("Google has %q", got)
	}
	a.quiet()
	a.changeActivity("Call", map[string]any{"Notes": "<p>R&amp;D writes &amp;amp; for an ampersand</p>"})
	a.run("done")
	if got := a.calendar.Event(id).Description; got != "R&D writes &amp;amp; for an ampersand" {
		t.Errorf("Google has %q", got)
	}
	a.quiet()
	a.google.Calendars().ExpireSyncTokens()
	a.quiet()
}
