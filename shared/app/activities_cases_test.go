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

// found is the activity of a title that is not canceled.
func (a *agenda) foundActivity(title string) map[string]any {
	a.t.Helper()
	for _, r := range a.creatio.System().Rows("Activity", map[string]any{"Title": title}) {
		if r["StatusId"] != statusCanceled {
			return r
		}
	}
	a.t.Fatalf("creatio has no activity %q", title)
	return nil
}

// timeOf is a time of a row.
func timeOf(row map[string]any, column string) string {
	t, _ := row[column].(time.Time)
	return t.UTC().Format(time.RFC3339)
}

func (a *agenda) changeActivity(title string, values map[string]any) {
	a.t.Helper()
	if err := a.creatio.As("Ada").Update("Activity", a.foundActivity(title)["Id"].(string), values); err != nil {
		a.t.Fatal(err)
	}
}

// foundEvent is the event of a title.
func (a *agenda) foundEvent(title string) *gcal.Event {
	a.t.Helper()
	for _, e := range a.calendar.Agenda(began.AddDate(0, -1, 0), began.AddDate(0, 3, 0)) {
		if e.Summary == title {
			return e
		}
	}
	a.t.Fatalf("google has no event %q", title)
	return nil
}

func TestAll_day_stays_all_day(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	trip := &gcal.Event{Summary: "Trip", Start: &gcal.EventDateTime{Date: "2026-03-10"}, End: &gcal.EventDateTime{Date: "2026-03-12"}}
	id := a.calendar.Add(trip)
	a.row("Ada", "Activity", map[string]any{"Title": "Fair", "StartDate": "2026-03-11T00:00:00Z", "DueDate": "2026-03-12T00:00:00Z", "ShowInScheduler": true, "TypeId": typeTask})
	night := event("Night shift", 0)
	night.Start.DateTime, night.End.DateTime = "2026-03-13T00:00:00Z", "2026-03-14T00:00:00Z"
	a.calendar.Add(night)
	a.run("done")
	if r := a.foundActivity("Trip"); timeOf(r, "StartDate") != "2026-03-10T00:00:00Z" || timeOf(r, "DueDate") != "2026-03-12T00:00:00Z" {
		t.Errorf("creatio has the trip from %s to %s", r["StartDate"], r["DueDate"])
	}
	if e := a.foundEvent("Fair"); e.Start.Date != "2026-03-11" || e.End.Date != "2026-03-12" {
		t.Errorf("google has the fair from %+v", e.Start)
	}
	a.quiet()
	a.changeActivity("Trip", map[string]any{"StartDate": "2026-03-10T09:00:00Z", "DueDate": "2026-03-10T10:00:00Z"})
	a.run("done")
	if e := a.calendar.Event(id); e.Start.Date != "" || !strings.HasPrefix(e.Start.DateTime, "2026-03-10T09:00:00") {
		t.Errorf("google has the trip from %+v", e.Start)
	}
	a.changeActivity("Trip", map[string]any{"StartDate": "2026-03-10T00:00:00Z", "DueDate": "2026-03-11T00:00:00Z"})
	a.run("done")
	if e := a.calendar.Event(id); e.Start.Date != "2026-03-10" || e.End.Date != "2026-03-11" {
		t.Errorf("google has the trip from %+v", e.Start)
	}
	if e := a.foundEvent("Night shift"); e.Start.Date != "" {
		t.Error("a timed event became an all-day one")
	}
	a.quiet()
}

func TestAn_instance_that_is_deleted_stays_away_and_an_edited_one_is_edited_alone(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	weekly := event("Standup", 24)
	weekly.Recurrence = []string{"RRULE:FREQ=WEEKLY;COUNT=5"}
	series := a.calendar.Add(weekly)
	a.run("done")
	a.quiet()
	instances := a.calendar.Instances(series)
	a.calendar.Delete(instances[1].Id)
	a.calendar.Edit(instances[2].Id, func(e *gcal.Event) { e.Summary = "Retro" })
	a.run("done")
	if got := a.same(); strings.Count(got, "Standup") != 3 || strings.Count(got, "Retro") != 1 {
		t.Errorf("both show\n%s", got)
	}
	a.quiet()
	// A change in Creatio is one of its instance.
	a.changeActivity("Retro", map[string]any{"Title": "Retrospective"})
	rows := a.creatio.System().Rows("Activity", map[string]any{"Title": "Standup"})
	last := slices.MaxFunc(rows, func(x, y map[string]any) int { return strings.Compare(timeOf(x, "StartDate"), timeOf(y, "StartDate")) })
	if err := a.creatio.As("Ada").Update("Activity", last["Id"].(string), map[string]any{"StatusId": statusCanceled}); err != nil {
		t.Fatal(err)
	}
	a.run("done")
	if got := a.same(); strings.Count(got, "Standup") != 2 || strings.Count(got, "Retrospective") != 1 {
		t.Errorf("both show\n%s", got)
	}
	a.calendar.Edit(series, func(e *gcal.Event) { e.Location = "Hall" })
	a.run("done")
	if got := a.same(); strings.Count(got, "Standup") != 2 || strings.Count(got, "Retrospective") != 1 {
		t.Errorf("after a change of all both show\n%s", got)
	}
	if r := a.foundActivity("Standup"); r["Location"] != "Hall" {
		t.Errorf("the place is %v", r["Location"])
	}
	a.quiet()
}

func TestThis_and_following_keeps_the_activities(t *testing.T) {
	t.Parallel()
	for _, fresh := range []bool{false, true} {
		a := newAgenda(t)
		weekly := event("Standup", 24)
		weekly.Recurrence = []string{"RRULE:FREQ=WEEKLY;COUNT=6"}
		series := a.calendar.Add(weekly)
		a.run("done")
		ids := func() []string {
			var out []string
			for _, r := range a.creatio.System().Rows("Activity", nil) {
				if r["StatusId"] != statusCanceled {
					out = append(out, r["Id"].(string))
				}
			}
			slices.Sort(out)
			return out
		}
		before := ids()
		third := a.calendar.Instances(series)[2]
		a.calendar.Split(third.Id, fresh, func(e *gcal.Event) {
			at, _ := time.Parse(time.RFC3339, e.Start.DateTime)
			e.Start.DateTime, e.End.DateTime = at.Add(30*time.Minute).Format(time.RFC3339), at.Add(90*time.Minute).Format(time.RFC3339)
		})
		a.run("done")
		if got := a.same(); strings.Count(got, ":30") != 4 || strings.Count(got, "\n") != 5 {
			t.Errorf("fresh %t: both show\n%s", fresh, got)
		}
		if after := ids(); !slices.Equal(before, after) {
			t.Errorf("fresh %t: the activities are %v, were %v", fresh, after, before)
		}
		a.quiet()
	}
}

func TestTaking_over_an_event_changes_nothing_of_it(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	e := event("Kickoff", 48)
	e.Attendees = []*gcal.EventAttendee{{Email: "guest@example.com"}, {Email: "room@resource.calendar.google.com", Resource: true}}
	e.ColorId, e.Description, e.Visibility = "5", "<b>Agenda</b>", "public"
	e.Attachments = []*gcal.EventAttachment{{FileUrl: "https://drive.google.com/file/1", Title: "Plan"}}
	id := a.calendar.Add(e)
	before := a.calendar.Event(id)
	a.run("done")
	a.quiet()
	if after := a.calendar.Event(id); after.Etag != before.Etag {
		t.Errorf("it was written: %+v", after)
	}
	a.changeActivity("Kickoff", map[string]any{"Title": "Kick-off"})
	a.run("done")
	after := a.calendar.Event(id)
	if after.Summary != "Kick-off" || after.ColorId != "5" || after.Description != "<b>Agenda</b>" || len(after.Attachments) != 1 || len(after.Attendees) != len(before.Attendees) {
		t.Errorf("it became %+v", after)
	}
	a.quiet()
}

func TestLong_notes_stay_whole_in_Creatio(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	notes := strings.TrimSpace(strings.Repeat("word ", 4000))
	a.activity("Audit", 24)
	a.changeActivity("Audit", map[string]any{"Notes": notes})
	a.run("done")
	a.calendar.Edit(a.foundEvent("Audit").Id, func(e *gcal.Event) { e.Location = "Hall" })
	a.run("done")
	if r := a.foundActivity("Audit"); r["Notes"] != notes || r["Location"] != "Hall" {
		t.Errorf("the notes have %d characters, the place is %v", len(r["Notes"].(string)), r["Location"])
	}
	a.quiet()
}

func TestReminders_of_Creatio_replace_their_own_popup(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	a.calendar.SetDefaultReminders(&gcal.EventReminder{Method: "popup", Minutes: 10})
	a.calendar.Add(event("Audit", 24))
	a.run("done")
	for _, minutes := range []int{30, 45} {
		start := a.foundActivity("Audit")["StartDate"].(time.Time)
		a.changeActivity("Audit", map[string]any{"RemindToOwner": true, "RemindToOwnerDate": start.Add(-time.Duration(minutes) * time.Minute).Format(time.RFC3339)})
		a.run("done")
		a.quiet()
	}
	var popups []int64
	for _, o := range a.foundEvent("Audit").Reminders.Overrides {
		popups = append(popups, o.Minutes)
	}
	slices.Sort(popups)
	if !slices.Equal(popups, []int64{10, 45}) {
		t.Errorf("the popups are %v", popups)
	}
}

func TestWhat_was_deleted_while_the_token_expired_is_gone_and_nothing_else(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	var ids []string
	for i := range 12 {
		ids = append(ids, a.calendar.Add(event(fmt.Sprintf("Visit %02d", i), 24+i)))
	}
	a.run("done")
	a.calendar.Delete(ids[3])
	a.calendar.Delete(ids[7])
	a.google.Calendars().ExpireSyncTokens()
	run := a.run("done")
	if got := a.same(); strings.Count(got, "\n") != 9 || run.Counts.Creatio.Cancelled != 2 {
		t.Errorf("both show\n%s", got)
	}
	a.quiet()
}

func TestA_series_counts_once_for_the_guard_and_single_events_each(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	a.put(map[string]any{"monthsAhead": 10})
	series := a.series("Standup", 24, "RRULE:FREQ=DAILY;COUNT=250")
	var ids []string
	for i := range 100 {
		ids = append(ids, a.calendar.Add(event(fmt.Sprintf("Visit %02d", i), 24+i)))
	}
	a.run("done")
	a.calendar.Truncate(a.calendar.Instances(series)[10].Id)
	run := a.run("done")
	if run.Counts.Creatio.Cancelled != 240 || run.Counts.Calls.Google != 1 {
		t.Errorf("counts are %+v", run.Counts)
	}
	for _, id := range ids[:40] {
		a.calendar.Delete(id)
	}
	if run = a.run("held"); waits(run) != 40 || run.Counts.Creatio.Cancelled != 0 {
		t.Errorf("%d wait, counts are %+v", waits(run), run.Counts)
	}
}

func TestA_series_counts_once_among_the_links_too(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	a.put(map[string]any{"monthsAhead": 10})
	a.series("Standup", 24, "RRULE:FREQ=DAILY;COUNT=250")
	var ids []string
	for i := range 40 {
		ids = append(ids, a.calendar.Add(event(fmt.Sprintf("Visit %02d", i), 24+i)))
	}
	a.run("done")
	for _, id := range ids[:20] {
		a.calendar.Delete(id)
	}
	run := a.run("held")
	if waits(run) != 20 || run.Counts.Creatio.Cancelled != 0 {
		t.Errorf("20 of 40 events and a series: %d wait, counts are %+v", waits(run), run.Counts)
	}
}

func TestThe_only_series_of_a_calendar_is_one_step(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	a.put(map[string]any{"monthsAhead": 10})
	series := a.series("Standup", 24, "RRULE:FREQ=DAILY;COUNT=250")
	a.run("done")
	a.calendar.Delete(series)
	if run := a.run("done"); run.Counts.Creatio.Cancelled != 250 {
		t.Errorf("counts are %+v", run.Counts)
	}
	a.quiet()
}

func waits(run store.Run) (n int) {
	for _, c := range run.Changes {
		if c.Waits {
			n++
		}
	}
	return n
}

func TestA_person_s_event_stays_where_its_activity_is_taken_out_of_the_calendar(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	a.activity("Audit", 24)
	a.calendar.Add(event("Clinic", 72))
	a.run("done")
	for _, title := range []string{"Audit", "Clinic"} {
		a.changeActivity(title, map[string]any{"ShowInScheduler": false})
	}
	a.run("done")
	if _, google := a.shows(); !strings.HasPrefix(google, "Clinic") || strings.Contains(google, "\n") {
		t.Errorf("google shows\n%s", google)
	}
	a.quiet()
	a.changeActivity("Clinic", map[string]any{"ShowInScheduler": true, "Title": "Clinic again"})
	a.run("done")
	if _, google := a.shows(); !strings.HasPrefix(google, "Clinic again") || strings.Contains(google, "\n") {
		t.Errorf("after it was ticked again google shows\n%s", google)
	}
	a.quiet()
}

func TestPrivate_events_are_busy(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	e := event("Dentist", 24)
	e.Visibility, e.Location, e.Description = "private", "Main St", "Root canal"
	a.calendar.Add(e)
	a.run("done")
	if r := a.foundActivity("Busy"); r["Location"] != "" || r["Notes"] != "" {
		t.Errorf("creatio shows %+v", r)
	}
	a.quiet()
	a.changeActivity("Busy", map[string]any{"Title": "Not yours", "StartDate": "2026-03-20T09:00:00Z", "DueDate": "2026-03-20T10:00:00Z"})
	a.run("done")
	if got := a.foundEvent("Dentist"); got.Location != "Main St" || strings.HasPrefix(got.Start.DateTime, "2026-03-20") {
		t.Errorf("google has %+v", got)
	}
}

func TestA_shorter_range_takes_nothing_away(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	weekly := event("Standup", 24)
	weekly.Recurrence = []string{"RRULE:FREQ=WEEKLY;COUNT=12"}
	a.calendar.Add(weekly)
	far := a.calendar.Add(event("Far away", 24*70))
	a.run("done")
	before := a.same()
	a.put(map[string]any{"monthsAhead": 1, "syncFrom": began.AddDate(0, 0, 3).Format(time.DateOnly)})
	a.quiet()
	if got := a.same(); got != before {
		t.Errorf("both show\n%s\nwant\n%s", got, before)
	}
	// What is deleted beyond the range of recurring events is still missed, also when everything is read.
	a.calendar.Delete(far)
	a.google.Calendars().ExpireSyncTokens()
	a.run("done")
	if got := a.same(); strings.Contains(got, "Far away") || strings.Count(got, "Standup") != 12 {
		t.Errorf("both show\n%s", got)
	}
	a.put(nil)
	a.quiet()
}

// A reminder that Google cannot have stays in Creatio, and takes nothing else of the activity with it.
func TestA_reminder_earlier_than_Google_reminds_stays_in_Creatio_and_is_told_of(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	id := a.activity("Audit", 24)
	a.run("done")
	start := a.startOf(id)
	remind := start.Add(-35 * 24 * time.Hour).Format(time.RFC3339)
	a.changeActivityByID(id, map[string]any{"Title": "Yearly audit", "RemindToOwner": true, "RemindToOwnerDate": remind})
	run := a.run("done")
	if !slices.ContainsFunc(run.Problems, func(p store.Problem) bool { return p.Code == "out-of-range" }) {
		t.Errorf("the run says %+v", run.Problems)
	}
	a.calendar.Edit(a.foundEvent("Yearly audit").Id, func(e *gcal.Event) { e.Location = "Harbor" })
	for range 2 {
		a.run("done")
	}
	a.quiet()
	is := a.creatio.System().Get("Activity", id)
	if at, _ := is["RemindToOwnerDate"].(time.Time); is["RemindToOwner"] != true || at.UTC().Format(time.RFC3339) != remind || is["Location"] != "Harbor" {
		t.Errorf("Creatio has %v", is)
	}
}

// An end before the start is reported and not written. The rest of the activity is.
func TestAn_activity_that_ends_before_it_starts_keeps_its_event_where_it_is(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	id := a.activity("Audit", 24)
	a.run("done")
	was := a.foundEvent("Audit")
	a.changeActivityByID(id, map[string]any{"Title": "Review", "DueDate": a.startOf(id).Add(-time.Hour).Format(time.RFC3339)})
	run := a.run("done")
	if !slices.ContainsFunc(run.Problems, func(p store.Problem) bool { return p.Code == "ends-before-start" }) {
		t.Errorf("the run says %+v", run.Problems)
	}
	if is := a.foundEvent("Review"); is.Start.DateTime != was.Start.DateTime || is.End.DateTime != was.End.DateTime {
		t.Errorf("the event is from %s to %s", is.Start.DateTime, is.End.DateTime)
	}
	a.run("done")
	a.quiet()
	start := a.startOf(id)
	a.changeActivityByID(id, map[string]any{"DueDate": start.Add(2 * time.Hour).Format(time.RFC3339)})
	a.run("done")
	if is := a.foundEvent("Review"); is.End.DateTime == was.End.DateTime {
		t.Errorf("the event still ends at %s", is.End.DateTime)
	}
	a.quiet()
}
