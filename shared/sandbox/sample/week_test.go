package sample_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/sandbox/sample"
)

// saturday is in a week in which clocks are about to change.
var saturday = time.Date(2026, 3, 28, 22, 30, 0, 0, time.UTC)

func TestA_week_is_the_same_whenever_in_it_one_looks(t *testing.T) {
	t.Parallel()
	monday := time.Date(2026, 3, 23, 0, 0, 0, 0, time.UTC)
	// The last hour of Sunday is one of summer time.
	for _, now := range []time.Time{monday, monday.Add(50 * time.Hour), time.Date(2026, 3, 29, 22, 59, 0, 0, time.UTC)} {
		if diff := cmp.Diff(sample.Activities(saturday), sample.Activities(now)); diff != "" {
			t.Errorf("at %s the activities are others:\n%s", now, diff)
		}
		if diff := cmp.Diff(sample.Events(saturday), sample.Events(now)); diff != "" {
			t.Errorf("at %s the events are others:\n%s", now, diff)
		}
	}
	if next := time.Date(2026, 3, 29, 23, 0, 0, 0, time.UTC); cmp.Equal(sample.Activities(saturday), sample.Activities(next)) {
		t.Error("the next week is the same one")
	}
}

func TestActivities_end_after_they_begin_and_have_ids_of_their_own(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for now := saturday; now.Before(saturday.AddDate(1, 0, 0)); now = now.AddDate(0, 0, 7) {
		for _, r := range sample.Activities(now) {
			id := text(r, "Id")
			if !guid.MatchString(id) || seen[id] {
				t.Errorf("%s %q: not an id, or not the only one", r.Entity, id)
			}
			seen[id] = true
			if from, to := text(r, "StartDate"), text(r, "DueDate"); r.Entity == "Activity" && from >= to {
				t.Errorf("%s is from %s to %s", text(r, "Title"), from, to)
			}
			if r.Entity == "ActivityParticipant" && !seen[text(r, "ActivityId")] {
				t.Errorf("somebody takes part in %s, which is not there yet", text(r, "ActivityId"))
			}
		}
	}
}

func TestWhat_makes_calendars_difficult_is_there(t *testing.T) {
	t.Parallel()
	has := map[string]bool{"deleted instance": false, "moved instance": false, "renamed instance": false}
	zones := map[string]bool{}
	for _, e := range sample.Events(saturday) {
		for what, found := range map[string]bool{
			"series": len(e.Recurrence) > 0, "all day": e.Start.Date != "", "private": e.Visibility == "private", "no title": e.Summary == "",
			"room":               slices.ContainsFunc(e.Attendees, func(a *calendar.EventAttendee) bool { return a.Resource }),
			"invitation":         e.Of != sample.UserEmail && len(e.Attendees) > 0,
			"answered by others": e.Of == sample.UserEmail && len(e.Answers) > 0,
			"open invitation":    e.Of != sample.UserEmail && e.Answers[sample.UserEmail] == "",
			"answered":           e.Answers[sample.UserEmail] != "",
			"left out":           e.EventType != "",
		} {
			has[what] = has[what] || found
		}
		for _, x := range e.Exceptions {
			has["deleted instance"] = has["deleted instance"] || x.Deleted
			has["moved instance"] = has["moved instance"] || x.Later != 0
			has["renamed instance"] = has["renamed instance"] || x.Title != ""
		}
		if e.Start.TimeZone != "" {
			zones[e.Start.TimeZone] = true
		}
		for _, a := range e.Attendees {
			if !a.Resource {
				checkMail(t, a.Email)
			}
		}
	}
	for _, r := range sample.Activities(saturday) {
		for what, found := range map[string]bool{
			"reminder": r.Values["RemindToOwner"] == true, "formatted notes": strings.HasPrefix(text(r, "Notes"), "<p>"), "hidden": r.Values["ShowInScheduler"] == false,
			"a colleague's": r.Entity == "Activity" && r.By == sample.ColleagueLogin, "ended or canceled": text(r, "StatusId") != "",
		} {
			has[what] = has[what] || found
		}
	}
	for what, found := range has {
		if !found {
			t.Errorf("nothing with: %s", what)
		}
	}
	if len(zones) < 2 {
		t.Errorf("all events are in %v", zones)
	}
}
