package app_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
)

// kept are the ids of the activities that are not canceled, in the order of their times.
func (a *agenda) kept() []string {
	a.t.Helper()
	rows := slices.DeleteFunc(a.creatio.System().Rows("Activity", nil), func(r map[string]any) bool { return r["StatusId"] == statusCanceled })
	slices.SortFunc(rows, func(x, y map[string]any) int { return strings.Compare(timeOf(x, "StartDate"), timeOf(y, "StartDate")) })
	var out []string
	for _, r := range rows {
		out = append(out, r["Id"].(string))
	}
	return out
}

// series adds a recurring event that begins some hours after the world began.
func (a *agenda) series(title string, hours int, rule string) string {
	e := event(title, hours)
	e.Recurrence = []string{rule}
	return a.calendar.Add(e)
}

// postponed moves an event.
func postponed(by time.Duration) func(*gcal.Event) {
	return func(e *gcal.Event) {
		for _, t := range []*gcal.EventDateTime{e.Start, e.End} {
			at, _ := time.Parse(time.RFC3339, t.DateTime)
			t.DateTime = at.Add(by).Format(time.RFC3339)
		}
	}
}

func TestThis_and_following_may_come_in_parts_and_under_any_id(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fresh bool
		by    time.Duration
		// parts are how many new series there are, and wait how long they take.
		parts int
		wait  time.Duration
		same  bool
	}{
		"a fresh id":                          {fresh: true, by: 30 * time.Minute, parts: 1, same: true},
		"a fresh id, at the same time":        {fresh: true, parts: 1, same: true},
		"an earlier time":                     {fresh: true, by: -30 * time.Minute, parts: 1, same: true},
		"an id of the old one":                {by: 30 * time.Minute, parts: 1, same: true},
		"an id of the old one, the same time": {parts: 1, same: true},
		"a fresh id, late":                    {fresh: true, by: 30 * time.Minute, parts: 1, wait: 3 * time.Hour, same: true},
		"an id of the old one, late":          {by: 30 * time.Minute, parts: 1, wait: 3 * time.Hour, same: true},
		"the same time, late":                 {parts: 1, wait: 3 * time.Hour, same: true},
		"two that it may be":                  {fresh: true, by: 30 * time.Minute, parts: 2},
		"after a day":                         {fresh: true, by: 30 * time.Minute, parts: 1, wait: 26 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAgenda(t)
			series := a.series("Standup", 24, "RRULE:FREQ=WEEKLY;COUNT=6")
			a.run("done")
			before := a.kept()
			third := a.calendar.Instances(series)[2]
			a.calendar.Truncate(third.Id)
			if c.wait > 0 {
				a.run("done")
				if got := a.same(); strings.Count(got, "Standup") != 2 {
					t.Fatalf("after the end both show\n%s", got)
				}
				a.pass(c.wait)
			}
			for range c.parts {
				next := event("Standup", 24+14*24)
				postponed(c.by)(next)
				next.Recurrence = []string{"RRULE:FREQ=WEEKLY;COUNT=4"}
				if !c.fresh {
					next.Id = series + "_R" + strings.TrimSuffix(strings.NewReplacer("-", "", ":", "").Replace(next.Start.DateTime), "Z")
				}
				a.calendar.Add(next)
			}
			a.run("done")
			if got := a.same(); strings.Count(got, "Standup") != 2+4*c.parts {
				t.Errorf("both show\n%s", got)
			}
			if after := a.kept(); c.same != slices.Equal(before, after) {
				t.Errorf("the activities are %v, were %v", after, before)
			}
			a.quiet()
			a.google.Calendars().ExpireSyncTokens()
			a.quiet()
			// What is changed in Creatio changes that instance alone, in whatever series it is now.
			ids := a.kept()
			for i, values := range map[int]map[string]any{len(ids) - 1: {"Title": "Retro"}, len(ids) - 2: {"StatusId": statusCanceled}} {
				if err := a.creatio.As("Ada").Update("Activity", ids[i], values); err != nil {
					t.Fatal(err)
				}
			}
			a.run("done")
			if got := a.same(); strings.Count(got, "Standup") != 4*c.parts || strings.Count(got, "Retro") != 1 {
				t.Errorf("both show\n%s", got)
			}
			a.quiet()
		})
	}
}

func TestA_series_that_moves_keeps_its_activities(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	series := a.series("Standup", 24, "RRULE:FREQ=WEEKLY;COUNT=6")
	a.run("done")
	before := a.kept()
	a.calendar.Edit(series, postponed(90*time.Minute))
	run := a.run("done")
	if got := a.same(); strings.Count(got, ":30") != 6 {
		t.Errorf("both show\n%s", got)
	}
	if after := a.kept(); !slices.Equal(before, after) || run.Counts.Creatio.Created+run.Counts.Creatio.Cancelled > 0 {
		t.Errorf("the activities are %v, were %v: %+v", after, before, run.Counts)
	}
	a.quiet()
}

func TestAn_event_that_begins_to_recur_or_ends_to_keeps_its_activity(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	id := a.calendar.Add(event("Standup", 24))
	a.run("done")
	before := a.kept()
	a.calendar.Edit(id, func(e *gcal.Event) { e.Recurrence = []string{"RRULE:FREQ=WEEKLY;COUNT=3"} })
	a.run("done")
	if got := a.same(); strings.Count(got, "Standup") != 3 {
		t.Errorf("both show\n%s", got)
	}
	if after := a.kept(); after[0] != before[0] || len(after) != 3 {
		t.Errorf("the activities are %v, were %v", after, before)
	}
	a.quiet()
	a.calendar.Edit(id, func(e *gcal.Event) { e.Recurrence = nil })
	a.run("done")
	if after := a.kept(); !slices.Equal(before, after) {
		t.Errorf("the activities are %v, were %v", after, before)
	}
	a.same()
	a.quiet()
}

func TestAn_instance_follows_wherever_it_is_moved(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	series := a.series("Standup", 24, "RRULE:FREQ=WEEKLY;COUNT=20")
	a.run("done")
	n := len(a.kept())
	instances := a.calendar.Instances(series)
	to := func(i int, d time.Duration) {
		at := began.Add(d).Truncate(time.Hour)
		a.calendar.Move(instances[i].Id, at, at.Add(time.Hour))
	}
	const day = 24 * time.Hour
	for _, step := range []struct {
		where string
		move  func()
	}{
		{"past the end of its series", func() { to(1, 80*day) }},
		{"out of the range", func() { to(2, 200*day) }},
		{"before the range", func() { to(3, -30*day) }},
		{"a second time", func() { to(1, 3*day); a.run("done"); to(1, 4*day) }},
		{"from beyond the range", func() { to(18, 5*day); n++ }},
		{"back", func() { to(2, 6*day) }},
	} {
		step.move()
		run := a.run("done")
		if len(a.kept()) != n || run.Counts.Creatio.Cancelled > 0 {
			t.Fatalf("%s: %d activities, want %d; %+v", step.where, len(a.kept()), n, run.Changes)
		}
		a.quiet()
		a.google.Calendars().ExpireSyncTokens()
		a.quiet()
	}
	at := began.Add(6 * day).Truncate(time.Hour).UTC().Format("2006-01-02 15:04")
	if creatio, _ := a.shows(); !strings.Contains(creatio, "Standup "+at) {
		t.Errorf("creatio shows\n%s\nwant one at %s", creatio, at)
	}
}

func TestWhat_was_cancelled_beyond_the_range_stays_away_when_the_range_comes_to_it(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	a.put(map[string]any{"monthsAhead": 1})
	series := a.series("Standup", 24, "RRULE:FREQ=WEEKLY;COUNT=12")
	a.run("done")
	seen := len(a.kept())
	instances := a.calendar.Instances(series)
	a.calendar.Delete(instances[6].Id)
	at, _ := time.Parse(time.RFC3339, instances[8].Start.DateTime)
	a.calendar.Move(instances[8].Id, at.Add(time.Hour), at.Add(2*time.Hour))
	a.calendar.Edit(instances[9].Id, func(e *gcal.Event) { e.Summary = "Retro" })
	a.run("done")
	if got := len(a.kept()); got != seen {
		t.Fatalf("%d activities, want %d", got, seen)
	}
	a.quiet()
	for range 9 {
		a.pass(7 * 24 * time.Hour)
		a.link()
		a.run("done")
		a.quiet()
	}
	if got := a.same(); strings.Count(got, "Standup") != 10 || strings.Count(got, "Retro") != 1 {
		t.Errorf("both show\n%s", got)
	}
}

func TestWhat_is_over_before_a_later_beginning_stays_as_it_is_on_both_sides(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	edited, deleted := a.calendar.Add(event("Edited in Google", -100)), a.calendar.Add(event("Deleted in Google", -101))
	series := a.series("Standup", -24*5, "RRULE:FREQ=WEEKLY;COUNT=4")
	a.activity("Edited in Creatio", -102)
	a.calendar.Add(event("Next week", 24*7))
	a.run("done")
	a.quiet()
	before := a.same()
	a.put(map[string]any{"syncFrom": began.Format(time.DateOnly)})
	a.quiet()
	a.calendar.Edit(edited, func(e *gcal.Event) { e.Summary = "Edited in Google, again" })
	a.calendar.Edit(a.calendar.Instances(series)[0].Id, func(e *gcal.Event) { e.Summary = "First standup" })
	a.calendar.Delete(deleted)
	a.changeActivity("Edited in Creatio", map[string]any{"Title": "Edited in Creatio, again"})
	for range 3 {
		if run := a.run("done"); len(run.Changes) > 0 {
			t.Errorf("the run changed %+v", run.Changes)
		}
		a.google.Calendars().ExpireSyncTokens()
	}
	if creatio, _ := a.shows(); strings.ReplaceAll(creatio, "Edited in Creatio, again", "Edited in Creatio") != before {
		t.Errorf("creatio shows\n%s\nwant\n%s", creatio, before)
	}
	// With the earlier beginning all of that counts.
	a.put(nil)
	a.run("done")
	if got := a.same(); !strings.Contains(got, "Edited in Google, again") || !strings.Contains(got, "Edited in Creatio, again") || strings.Contains(got, "Deleted") || !strings.Contains(got, "First standup") {
		t.Errorf("both show\n%s", got)
	}
	a.quiet()
}

func TestMore_and_fewer_months_double_and_lose_nothing(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	series := a.series("Standup", 24, "RRULE:FREQ=WEEKLY;COUNT=30")
	a.calendar.Add(event("Clinic", 48))
	a.run("done")
	seen := len(a.kept())
	for _, months := range []int{1, 6, 2, 4} {
		a.put(map[string]any{"monthsAhead": months})
		a.run("done")
		if n := len(a.kept()); n < seen {
			t.Fatalf("with %d months %d activities of %d are left", months, n, seen)
		}
		seen = len(a.kept())
		a.quiet()
	}
	if seen < 25 || seen > 29 {
		t.Errorf("there are %d activities", seen)
	}
	// What lies beyond the range is still followed: an edit, a deletion, and the end of the series.
	a.put(map[string]any{"monthsAhead": 1})
	a.run("done")
	instances := a.calendar.Instances(series)
	a.calendar.Edit(instances[20].Id, func(e *gcal.Event) { e.Summary = "Retro" })
	a.calendar.Delete(instances[19].Id)
	a.run("done")
	if creatio, _ := a.shows(); len(a.kept()) != seen-1 || strings.Count(creatio, "Retro") != 1 {
		t.Errorf("creatio shows\n%s", creatio)
	}
	a.quiet()
	a.calendar.Delete(series)
	a.run("done")
	if got := a.same(); strings.Contains(got, "\n") {
		t.Errorf("both show\n%s", got)
	}
	a.quiet()
}

// Who plans one of the same name in the place of what ended goes on with nothing of somebody else's.
func TestA_new_series_of_another_organizer_takes_no_activities_over(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	a.google.AddUser(googlebox.User{Email: eve, Name: "Eve", EmailVerified: true})
	series := a.series("Standup", 24, "RRULE:FREQ=WEEKLY;COUNT=6")
	a.run("done")
	before := a.kept()
	a.calendar.Truncate(a.calendar.Instances(series)[2].Id)
	next := event("Standup", 24+14*24)
	next.Recurrence, next.Attendees = []string{"RRULE:FREQ=WEEKLY;COUNT=4"}, []*gcal.EventAttendee{{Email: ada}}
	postponed(30 * time.Minute)(next)
	a.google.Calendar(eve).Add(next)
	run := a.run("done")
	if got := a.same(); strings.Count(got, "Standup") != 6 {
		t.Errorf("both show\n%s", got)
	}
	if after := a.kept(); !slices.Equal(before[:2], after[:2]) || slices.ContainsFunc(after[2:], func(id string) bool { return slices.Contains(before, id) }) {
		t.Errorf("the activities are %v, were %v: %+v", after, before, run.Counts)
	}
	a.quiet()
}
