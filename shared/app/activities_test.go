package app_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/sandbox/google/calendar"
	"github.com/tandem-sync/tandem/shared/store"
)

// agenda is a world whose user synchronizes activities.
type agenda struct {
	*world
	calendar *calendar.Person
}

// The kinds and states of activities, as every site has them.
const (
	statusCanceled = "201cfba8-58e6-df11-971b-001d60e938c6"
	typeTask       = "fbe0acdc-cfc0-df11-b00f-001d60e938c6"
)

func newAgenda(t *testing.T, changes ...change) *agenda {
	t.Helper()
	w := newWorld(t, changes...)
	w.link()
	a := &agenda{world: w, calendar: w.google.Calendar(ada)}
	a.calendar.SetTimeZone("Europe/London")
	a.put(nil)
	return a
}

// put saves settings, with changes to the ones that suit most tests.
func (a *agenda) put(changes map[string]any) {
	a.t.Helper()
	settings := map[string]any{
		"automatic": true, "intervalMinutes": 15, "syncFrom": began.AddDate(0, 0, -7).Format(time.DateOnly), "direction": "both", "conflicts": "latest",
		"deletions": "cancel", "privateEvents": "busy", "monthsAhead": 3, "guests": "colleagues",
	}
	maps.Copy(settings, changes)
	a.call(http.MethodPut, "/activities", settings, 200, nil)
}

// run synchronizes activities as Cloud Tasks would.
func (a *agenda) run(want string) store.Run {
	a.t.Helper()
	a.pass(5 * time.Minute)
	got := a.do(http.MethodPost, "/sync-activities", map[string]string{"user": a.id})
	var out struct{ Run, Status, Reason string }
	if err := json.Unmarshal([]byte(got.body), &out); err != nil || got.status != 200 {
		a.t.Fatalf("sync: got %d %s", got.status, got.body)
	}
	var run store.Run
	a.call(http.MethodGet, "/runs/"+out.Run, nil, 200, &run)
	if is := strings.Trim(out.Status+" "+out.Reason, " "); is != want {
		a.t.Fatalf("sync: got %s, want %s; %+v", is, want, run.Problems)
	}
	return run
}

// quiet makes two runs that may do nothing.
func (a *agenda) quiet() {
	a.t.Helper()
	before := a.state()
	for range 2 {
		if run := a.run("done"); len(run.Changes) > 0 {
			a.t.Fatalf("a run with nothing to do changed %+v", run.Changes)
		}
	}
	if now := a.state(); now != before {
		a.t.Fatalf("a run with nothing to do wrote\n%s\nover\n%s", now, before)
	}
}

func (a *agenda) state() string {
	raw, err := json.Marshal([]any{a.creatio.System().Rows("Activity", nil), a.creatio.System().Rows("ActivityParticipant", nil), a.calendar.Events()})
	if err != nil {
		a.t.Fatal(err)
	}
	return string(raw)
}

// activity is an activity of Ada's, some hours after the world began.
func (a *agenda) activity(title string, hours int) string {
	a.t.Helper()
	at := began.Add(time.Duration(hours) * time.Hour).UTC().Truncate(time.Hour)
	return a.row("Ada", "Activity", map[string]any{
		"Title": title, "StartDate": at.Format(time.RFC3339), "DueDate": at.Add(time.Hour).Format(time.RFC3339), "ShowInScheduler": true, "TypeId": typeTask,
	})
}

// event is an event of an hour, some hours after the world began.
func event(title string, hours int) *gcal.Event {
	at := began.Add(time.Duration(hours) * time.Hour).UTC().Truncate(time.Hour)
	return &gcal.Event{
		Summary: title, Start: &gcal.EventDateTime{DateTime: at.Format(time.RFC3339), TimeZone: "Europe/London"},
		End: &gcal.EventDateTime{DateTime: at.Add(time.Hour).Format(time.RFC3339), TimeZone: "Europe/London"},
	}
}

// shows are the titles and starts on both sides; of a canceled activity nothing.
func (a *agenda) shows() (creatio, google string) {
	var rows, events []string
	for _, r := range a.creatio.System().Rows("Activity", nil) {
		if r["StatusId"] != statusCanceled {
			rows = append(rows, fmt.Sprintf("%s %.16s", r["Title"], r["StartDate"]))
		}
	}
	for _, e := range a.calendar.Agenda(began.AddDate(0, -1, 0), began.AddDate(0, 3, 0)) {
		at, err := time.Parse(time.RFC3339, e.Start.DateTime)
		if err != nil {
			at, _ = time.Parse(time.DateOnly, e.Start.Date)
		}
		events = append(events, fmt.Sprintf("%s %.16s", e.Summary, at.UTC().Format("2006-01-02 15:04")))
	}
	slices.Sort(rows)
	slices.Sort(events)
	return strings.Join(rows, "\n"), strings.Join(events, "\n")
}

// same reports what both sides show, which has to be the same.
func (a *agenda) same() string {
	a.t.Helper()
	creatio, google := a.shows()
	if creatio != google {
		a.t.Fatalf("creatio shows\n%s\ngoogle\n%s", creatio, google)
	}
	return creatio
}

func TestActivities_and_events_are_the_same_after_a_first_synchronization(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	a.activity("Audit", 24)
	a.activity("Both have it", 48)
	a.calendar.Add(event("Both have it", 48))
	a.calendar.Add(event("Clinic", 72))
	weekly := event("Standup", 96)
	weekly.Recurrence = []string{"RRULE:FREQ=WEEKLY;COUNT=3"}
	a.calendar.Add(weekly)
	run := a.run("done")
	c := run.Counts
	if c.Creatio.Created != 4 || c.Google.Created != 1 || c.Matched != 1 || c.Failed != 0 {
		t.Errorf("counts are %+v, problems %+v", c, run.Problems)
	}
	if lines := strings.Split(a.same(), "\n"); len(lines) != 6 {
		t.Errorf("both show %q", lines)
	}
	a.quiet()
}

func TestEdits_of_activities_go_both_ways(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	audit := a.activity("Audit", 24)
	clinic := a.calendar.Add(event("Clinic", 72))
	a.run("done")
	a.quiet()
	if err := a.creatio.As("Ada").Update("Activity", audit, map[string]any{"Title": "Audit, part one", "Notes": "Bring the books"}); err != nil {
		t.Fatal(err)
	}
	a.calendar.Edit(clinic, func(e *gcal.Event) { e.Summary, e.Location = "Clinic, second floor", "Ward 2" })
	a.run("done")
	if got := a.same(); !strings.Contains(got, "Audit, part one") || !strings.Contains(got, "Clinic, second floor") {
		t.Errorf("both show\n%s", got)
	}
	a.quiet()
}

func TestDeletions_of_activities_follow_the_settings(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	a.activity("Audit", 24)
	board := a.activity("Board", 48)
	clinic := a.calendar.Add(event("Clinic", 72))
	a.run("done")
	a.calendar.Delete(clinic)
	if err := a.creatio.As("Ada").Update("Activity", board, map[string]any{"StatusId": statusCanceled}); err != nil {
		t.Fatal(err)
	}
	run := a.run("done")
	if c := run.Counts; c.Creatio.Cancelled != 1 || c.Google.Deleted != 1 {
		t.Errorf("counts are %+v", c)
	}
	if got := a.same(); strings.Contains(got, "\n") || !strings.HasPrefix(got, "Audit") {
		t.Errorf("both show\n%s", got)
	}
	a.quiet()
}

func TestAn_undone_first_run_of_activities_stays_undone(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	a.activity("Audit", 24)
	a.calendar.Add(event("Clinic", 72))
	run := a.run("done")
	a.undo(run, nil)
	for range 2 {
		a.run("done")
		if creatio, google := a.shows(); !strings.HasPrefix(creatio, "Audit") || strings.Contains(creatio, "\n") || !strings.HasPrefix(google, "Clinic") || strings.Contains(google, "\n") {
			t.Errorf("creatio shows\n%s\ngoogle\n%s", creatio, google)
		}
	}
}

func TestAn_undo_of_deletions_brings_activities_and_events_back(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	a.activity("Audit", 24)
	a.activity("Both have it", 48)
	a.calendar.Add(event("Both have it", 48))
	clinic := a.calendar.Add(event("Clinic", 72))
	first := a.run("done")
	all := a.same()
	a.calendar.Delete(clinic)
	if err := a.creatio.As("Ada").Update("Activity", a.foundActivity("Audit")["Id"].(string), map[string]any{"StatusId": statusCanceled}); err != nil {
		t.Fatal(err)
	}
	run := a.run("done")
	a.undo(run, nil)
	for range 2 {
		a.run("done")
		if got := a.same(); got != all {
			t.Errorf("both show\n%s\nwant\n%s", got, all)
		}
	}
	// What was matched stays a pair when that is undone, and nothing is doubled.
	a.undo(first, nil)
	for range 2 {
		a.run("done")
		if creatio, google := a.shows(); strings.Count(creatio, "Both have it") != 1 || strings.Count(google, "Both have it") != 1 {
			t.Errorf("creatio shows\n%s\ngoogle\n%s", creatio, google)
		}
	}
}
