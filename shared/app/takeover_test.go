package app_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/store"
)

// kept are the fields of which a run tells that each side keeps its own, in order.
func kept(run store.Run) string {
	var out []string
	for _, c := range run.Changes {
		for _, f := range c.Fields {
			if f.Rule == "both-kept" {
				out = append(out, f.Field)
			}
		}
	}
	return strings.Join(out, " ")
}

// taken are an activity that has more than its event, and the event, tied in some way.
func (a *agenda) taken(tie func(a *agenda, activity string, e *gcal.Event) (after func(event string))) (activity, made string) {
	a.t.Helper()
	activity = a.activity("Audit", 24)
	a.row("Ada", "ActivityParticipant", map[string]any{"ActivityId": activity, "ParticipantId": a.contactOf("Bo Example")})
	a.changeActivityByID(activity, map[string]any{
		"Location": "Hall", "Notes": "<p>Bring the books</p>", "RemindToOwner": true,
		"RemindToOwnerDate": a.startOf(activity).Add(-30 * time.Minute).Format(time.RFC3339),
	})
	e := event("Audit", 24)
	after := tie(a, activity, e)
	made = a.calendar.Add(e)
	if after != nil {
		after(made)
	}
	return activity, made
}

func TestWhatever_an_activity_has_besides_its_event_is_not_written_when_they_meet(t *testing.T) {
	t.Parallel()
	const all = "place notes reminder attendees"
	for name, c := range map[string]struct {
		tie      func(a *agenda, activity string, e *gcal.Event) func(event string)
		settings map[string]any
		want     string
	}{
		"one title and time": {func(*agenda, string, *gcal.Event) func(string) { return nil }, nil, all},
		"Creatio's own mark": {func(_ *agenda, activity string, e *gcal.Event) func(string) {
			e.ExtendedProperties = &gcal.EventExtendedProperties{Private: map[string]string{"ExtId": activity}}
			return nil
		}, nil, all},
		"Creatio's mark and another place": {func(a *agenda, activity string, e *gcal.Event) func(string) {
			e.ExtendedProperties, e.Location = &gcal.EventExtendedProperties{Shared: map[string]string{"ExtId": activity}}, "Room"
			return nil
		}, map[string]any{"conflicts": "creatio"}, all},
		"Creatio's tables, and another title": {func(a *agenda, activity string, e *gcal.Event) func(string) {
			e.Summary = "Check"
			return func(id string) {
				a.systemRow("ActivityCorrespondence", map[string]any{"ActivityId": activity, "SourceActivityId": id})
			}
		}, map[string]any{"conflicts": "creatio"}, "title " + all},
		"only Creatio may be written": {func(*agenda, string, *gcal.Event) func(string) { return nil }, map[string]any{"direction": "to-creatio"}, all},
		"only Google may be written":  {func(*agenda, string, *gcal.Event) func(string) { return nil }, map[string]any{"direction": "to-google"}, all},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAgenda(t)
			a.put(c.settings)
			activity, id := a.taken(c.tie)
			before, row := a.calendar.Event(id), fmt.Sprint(a.creatio.System().Get("Activity", activity))
			run := a.run("done")
			if got := kept(run); got != c.want || run.Counts.Google.Updated != 0 {
				t.Errorf("both keep %q, want %q; counts %+v", got, c.want, run.Counts)
			}
			if page := a.visit("/settings/runs/" + run.ID).body; !strings.Contains(page, "In Creatio: ") || !strings.Contains(page, "each side keeps its own until somebody edits one of them") {
				t.Errorf("the page does not tell what stays:\n%s", page)
			}
			a.quiet()
			if got := a.calendar.Event(id); got.Etag != before.Etag {
				t.Fatalf("the event was written: %+v", got)
			}
			if got := fmt.Sprint(a.creatio.System().Get("Activity", activity)); got != row {
				t.Errorf("the activity became\n%s, was\n%s", got, row)
			}
			// Once everything may go both ways, it still stays: nobody has edited anything.
			a.put(nil)
			a.quiet()
			a.changeActivityByID(activity, map[string]any{"Title": "Audit, moved"})
			a.run("done")
			if got := a.calendar.Event(id); got.Summary != "Audit, moved" || got.Location != before.Location || got.Description != "" || len(got.Attendees) > 0 || !got.Reminders.UseDefault {
				t.Errorf("with another title the event became %+v", got)
			}
			a.calendar.Edit(id, func(e *gcal.Event) { e.Summary = "Audit again" })
			a.run("done")
			if got := a.creatio.System().Get("Activity", activity); got["Title"] != "Audit again" || got["Location"] != "Hall" || got["RemindToOwner"] != true {
				t.Errorf("with another title the activity became %+v", got)
			}
			a.quiet()
			a.changeActivityByID(activity, map[string]any{"Location": "Hall 2"})
			a.calendar.Edit(id, func(e *gcal.Event) { e.Description = "Bring nothing" })
			a.run("done")
			if e, r := a.calendar.Event(id), a.creatio.System().Get("Activity", activity); e.Location != "Hall 2" || !strings.Contains(r["Notes"].(string), "Bring nothing") {
				t.Errorf("the event is at %q, the notes are %q", e.Location, r["Notes"])
			}
			if rows := a.creatio.System().Rows("ActivityParticipant", map[string]any{"ActivityId": activity}); len(rows) != 2 {
				t.Errorf("%d take part", len(rows))
			}
			a.quiet()
		})
	}
}

func TestWhat_only_the_event_has_or_the_settings_prefer_comes_to_Creatio_when_they_meet(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	a.put(map[string]any{"conflicts": "google"})
	activity, id := a.taken(func(_ *agenda, _ string, e *gcal.Event) func(string) {
		e.Location, e.Attendees = "Room", []*gcal.EventAttendee{{Email: cyAddress}}
		return nil
	})
	cy := a.row("Ada", "Contact", map[string]any{"Name": "Cy Client", "Email": cyAddress})
	before := a.calendar.Event(id)
	run := a.run("done")
	if got := kept(run); got != "notes reminder attendees" {
		t.Errorf("both keep %q", got)
	}
	a.quiet()
	if got := a.calendar.Event(id); got.Etag != before.Etag {
		t.Errorf("the event was written: %+v", got)
	}
	if got := a.creatio.System().Get("Activity", activity); got["Location"] != "Room" || !strings.Contains(got["Notes"].(string), "Bring the books") {
		t.Errorf("the activity became %+v", got)
	}
	rows := a.creatio.System().Rows("ActivityParticipant", map[string]any{"ActivityId": activity})
	if len(rows) != 3 || !slices.ContainsFunc(rows, func(r map[string]any) bool { return r["ParticipantId"] == cy }) {
		t.Errorf("%+v take part", rows)
	}
	// An undo gives Creatio its place back, and nothing follows from that.
	a.undo(run, nil)
	if got := a.creatio.System().Get("Activity", activity); got["Location"] != "Hall" {
		t.Errorf("after the undo the activity is at %v", got["Location"])
	}
	a.quiet()
	if got := a.calendar.Event(id); got.Etag != before.Etag {
		t.Errorf("after the undo the event was written: %+v", got)
	}
}

const cyAddress = "cy@client.example.com"
