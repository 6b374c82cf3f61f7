package app_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/store"
)

// A calendar of ten thousand events, and activities that are not in it yet.
const (
	singleEvents = 9_800
	seriesEvents = 200
	eachSeries   = 10
	newToGoogle  = 500
)

func TestTen_thousand_events_with_two_hundred_series_fit_into_a_small_function(t *testing.T) {
	needLong(t)
	t.Parallel()
	w := newWorld(t, with(workerMark, "127.0.0.1:0"), with("GOMEMLIMIT", heapLimit), with("GOMAXPROCS", "1"))
	calendar := w.google.Calendar(ada)
	calendar.SetTimeZone("Europe/London")
	start := w.now().UTC().Truncate(time.Hour)
	at := func(hours int) (from, to string) {
		begin := start.Add(time.Duration(hours) * time.Hour)
		return begin.Format(time.RFC3339), begin.Add(time.Hour).Format(time.RFC3339)
	}
	add := func(title string, hours int, rule ...string) {
		from, to := at(hours)
		calendar.Add(&gcal.Event{
			Summary: title, Location: "Room 17", Description: strings.Repeat("A note about this meeting. ", 5), Recurrence: rule,
			Start: &gcal.EventDateTime{DateTime: from, TimeZone: "Europe/London"}, End: &gcal.EventDateTime{DateTime: to, TimeZone: "Europe/London"},
		})
	}
	for i := range singleEvents {
		add(fmt.Sprintf("Visit %d", i), i/4)
	}
	for i := range seriesEvents {
		add(fmt.Sprintf("Standup %d", i), i, fmt.Sprintf("RRULE:FREQ=DAILY;INTERVAL=3;COUNT=%d", eachSeries))
	}
	for i := range newToGoogle {
		from, to := at(i)
		w.row("Ada", "Activity", map[string]any{"Title": fmt.Sprintf("Call %d", i), "StartDate": from, "DueDate": to, "ShowInScheduler": true, "TypeId": typeTask})
	}
	w.link()
	(&agenda{world: w}).put(map[string]any{"syncFrom": start.AddDate(0, 0, -1).Format(time.DateOnly)})
	w.fromWorker("/worker/usage", nil)

	const pairs = singleEvents + seriesEvents*eachSeries
	run := w.windowOf("/sync-activities", "done", most, mostGC, "a first run")
	if c := run.Counts; c.Creatio.Created != pairs || c.Google.Created != newToGoogle || c.Failed != 0 {
		t.Fatalf("the first run did %s", summary(run))
	}
	// Four pages of events, and ten batches of new ones. In Creatio nothing is looked for by its time that was read before.
	if calls := run.Counts.Calls; calls.Google != 14 || calls.Creatio > 400 {
		t.Errorf("a first run made %+v requests", calls)
	}
	once := func(when string) {
		t.Helper()
		rows, events := w.creatio.System().Rows("Activity", nil), calendar.Agenda(time.Time{}, time.Time{})
		if len(rows) != pairs+newToGoogle || len(events) != pairs+newToGoogle {
			t.Fatalf("%s creatio has %d activities and google %d events, want %d", when, len(rows), len(events), pairs+newToGoogle)
		}
	}
	once("after the first run")

	// What the first run wrote comes back once.
	if run = w.windowOf("/sync-activities", "done", most, mostGC, "a run that sees everything as the first one wrote it"); changed(run) {
		t.Fatalf("the second run did %s", summary(run))
	}
	if calls := run.Counts.Calls; calls.Google != 1 || calls.Creatio > 60 {
		t.Errorf("a second run made %+v requests", calls)
	}
	once("after the second run")
	run = w.windowOf("/sync-activities", "done", most, decisionGC, "an idle run")
	if changed(run) || run.Counts.Calls != (store.Calls{Google: 1, Creatio: 1}) {
		t.Fatalf("an idle run did %s with %+v", summary(run), run.Counts.Calls)
	}
	once("in the end")
}
