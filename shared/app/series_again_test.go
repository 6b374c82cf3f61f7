package app_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
)

// What Google cannot find for a moment it has all the same.
func TestAn_instance_that_Google_does_not_find_for_a_moment_is_not_copied(t *testing.T) {
	t.Parallel()
	for name, values := range map[string]map[string]any{
		"edited":   {"Location": "Hall 3"},
		"canceled": {"StatusId": statusCanceled},
	} {
		for n := 1; n <= 4; n++ {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				a := newAgenda(t)
				a.series("Standup", 24, "RRULE:FREQ=WEEKLY;COUNT=4")
				a.run("done")
				ids := a.kept()
				a.changeActivityByID(ids[2], values)
				asked := 0
				a.google.SetPartFault(func(r *http.Request) *googlebox.Fault {
					if !strings.Contains(r.URL.Path, "/instances") {
						return nil
					}
					if asked++; asked > n {
						return nil
					}
					return &googlebox.Fault{Status: 404, Body: `{"error":{"code":404,"message":"Not Found","errors":[{"domain":"global","reason":"notFound","message":"Not Found"}]}}`}
				})
				a.pass(5 * time.Minute)
				a.do(http.MethodPost, "/sync-activities", map[string]string{"user": a.id})
				a.google.SetPartFault(nil)
				if asked == 0 {
					t.Fatal("nobody asked for instances")
				}
				a.run("done")
				a.run("done")
				want := 4
				if name == "canceled" {
					want = 3
				}
				if got := a.same(); strings.Count(got, "Standup") != want {
					t.Errorf("both show\n%s", got)
				}
				for _, e := range a.calendar.Agenda(began, began.AddDate(0, 3, 0)) {
					if e.RecurringEventId == "" {
						t.Errorf("%s is an event of its own", e.Id)
					}
				}
				if name == "edited" && (a.creatio.System().Get("Activity", ids[2])["Location"] != "Hall 3" || len(a.kept()) != 4) {
					t.Errorf("the activities are %v, were %v", a.kept(), ids)
				}
				a.quiet()
			})
		}
	}
}

func TestA_series_that_is_split_twice_before_the_next_run_keeps_its_activities(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		fresh [2]bool
		by    [2]time.Duration
		late  bool
	}{
		"both under fresh ids":                 {fresh: [2]bool{true, true}},
		"both under fresh ids, to other times": {fresh: [2]bool{true, true}, by: [2]time.Duration{30 * time.Minute, time.Hour}},
		"the second to another time":           {fresh: [2]bool{true, true}, by: [2]time.Duration{0, time.Hour}},
		"the first to another time":            {fresh: [2]bool{true, true}, by: [2]time.Duration{time.Hour, 0}},
		"first under an id of the old one":     {fresh: [2]bool{false, true}, by: [2]time.Duration{0, 30 * time.Minute}},
		"then under an id of the former":       {fresh: [2]bool{true, false}, by: [2]time.Duration{0, 30 * time.Minute}},
		"both under ids of the old one":        {by: [2]time.Duration{30 * time.Minute, time.Hour}},
		"both under fresh ids, and read anew":  {fresh: [2]bool{true, true}, by: [2]time.Duration{30 * time.Minute, 30 * time.Minute}, late: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAgenda(t)
			series := a.series("Standup", 24, "RRULE:FREQ=WEEKLY;COUNT=9")
			a.run("done")
			before := a.kept()
			first := a.calendar.Split(a.calendar.Instances(series)[3].Id, row.fresh[0], shifted(row.by[0]))
			second := a.calendar.Split(a.calendar.Instances(first)[3].Id, row.fresh[1], shifted(row.by[1]))
			if first == "" || second == "" {
				t.Fatalf("the new series are %q and %q", first, second)
			}
			if row.late {
				a.google.Calendars().ExpireSyncTokens()
			}
			run := a.run("done")
			if got := a.same(); strings.Count(got, "Standup") != 9 {
				t.Errorf("both show\n%s", got)
			}
			if after := a.kept(); !slices.Equal(before, after) || run.Counts.Creatio.Created+run.Counts.Creatio.Cancelled > 0 {
				t.Errorf("the activities are %v, were %v: %+v", after, before, run.Counts)
			}
			a.quiet()
		})
	}
}

// shifted edits a series: the time, or else the place.
func shifted(by time.Duration) func(*gcal.Event) {
	if by == 0 {
		return func(e *gcal.Event) { e.Location = "Hall" }
	}
	return postponed(by)
}
