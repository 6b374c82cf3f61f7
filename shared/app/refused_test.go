package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
	"github.com/tandem-sync/tandem/shared/sandbox/google/calendar"
)

// What is refused of one event is said of that event, and not of the account.
func TestAn_event_that_Google_does_not_let_be_changed_is_told_by_itself(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	refused, other := a.activity("Refused", 24), a.activity("Other", 48)
	a.run("done")
	is := a.foundEvent("Refused").Id
	asked := 0
	a.google.SetPartFault(func(r *http.Request) *googlebox.Fault {
		if r.Method == http.MethodPatch && strings.Contains(r.URL.Path, is) {
			asked++
			return googlebox.Refuse(calendar.Forbidden())
		}
		return nil
	})
	for _, id := range []string{refused, other} {
		a.changeActivityByID(id, map[string]any{"Location": "Hall"})
	}
	run := a.run("partial")
	if len(run.Problems) != 1 || run.Problems[0].Record != "Refused" || run.Problems[0].Message != "Google does not let you change this record." {
		t.Errorf("the run says %+v", run.Problems)
	}
	if got := a.foundEvent("Other").Location; got != "Hall" {
		t.Errorf("the other event is at %q", got)
	}
	// What does not get better is not asked for again with every run.
	if run := a.run("partial"); len(run.Problems) > 0 {
		t.Errorf("the next run says %+v", run.Problems)
	}
	if asked != 1 {
		t.Errorf("Google was asked %d times", asked)
	}
	// The next edit is another try.
	a.google.SetPartFault(nil)
	a.changeActivityByID(refused, map[string]any{"Location": "Hall 2"})
	a.run("done")
	if got := a.foundEvent("Refused").Location; got != "Hall 2" {
		t.Errorf("the event is at %q", got)
	}
	a.quiet()
}

func TestAn_activity_that_ends_before_it_starts_gets_its_event_once_that_is_mended(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	id := a.activity("Audit", 24)
	a.changeActivityByID(id, map[string]any{"DueDate": a.startOf(id).Add(-time.Hour).Format(time.RFC3339)})
	a.activity("Other", 48)
	run := a.run("partial")
	if len(run.Problems) != 1 || !strings.Contains(run.Problems[0].Message, "ends before it starts") || run.Problems[0].Action != "Correct the time in Creatio." {
		t.Errorf("the run says %+v", run.Problems)
	}
	if _, google := a.shows(); strings.Contains(google, "Audit") || !strings.Contains(google, "Other") {
		t.Errorf("google shows\n%s", google)
	}
	a.changeActivityByID(id, map[string]any{"DueDate": a.startOf(id).Add(time.Hour).Format(time.RFC3339)})
	a.run("done")
	if got := a.same(); strings.Count(got, "\n") != 1 {
		t.Errorf("both show\n%s", got)
	}
	a.quiet()
}

func TestWhere_Google_takes_no_batches_events_are_written_one_by_one(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	a.google.SetFault(func(r *http.Request) *googlebox.Fault {
		if strings.HasPrefix(r.URL.Path, "/batch") {
			return &googlebox.Fault{Status: http.StatusNotFound, Body: "Not Found"}
		}
		return nil
	})
	for i := range 6 {
		a.activity(fmt.Sprintf("Visit %d", i), 24+i)
	}
	a.series("Odd hours", 24, "RRULE:FREQ=WEEKLY;BYDAY=TU,4SU;COUNT=3") // what Google is asked for
	a.run("done")
	a.changeActivity("Visit 3", map[string]any{"Title": "Visit put off"})
	if run := a.run("done"); run.Counts.Google.Updated != 1 {
		t.Errorf("counts are %+v", run.Counts)
	}
	if got := a.same(); strings.Count(got, "Visit") != 6 {
		t.Errorf("both show\n%s", got)
	}
	a.quiet()
}
