package app_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	gcal "google.golang.org/api/calendar/v3"
)

// However many links there are, a window in which nothing happened costs the store the same: the whole of it, with the
// tokens of both sides, from the request to its answer.
func TestA_window_without_a_change_costs_the_store_the_same_however_many_links_there_are(t *testing.T) {
	t.Parallel()
	for _, contacts := range []int{1, 200} {
		m := &meter{}
		w := newWorld(t, onFirestore(t), m.on())
		tag := w.tag("Ada", private)
		for i := range contacts {
			w.tagged(tag, w.contact(fmt.Sprintf("Grace Hopper %d", i), fmt.Sprintf("grace%d@example.com", i)))
		}
		w.link()
		w.choose(tag)
		w.sync("done")
		w.sync("done")
		id := w.account().ID
		w.pass(5 * time.Minute)
		m.take()
		if a := w.do(http.MethodPost, "/sync-contacts", map[string]string{"user": id}); a.status != http.StatusOK {
			t.Fatalf("got %d %s", a.status, a.body)
		}
		if got, want := m.take(), "4 reads, 3 writes"; got != want {
			t.Errorf("with %d links a window without a change costs %s, want %s", contacts, got, want)
		}
		// An instance that has not seen the user yet reads the tokens.
		w.stop()
		w.start()
		w.pass(5 * time.Minute)
		m.take()
		if a := w.do(http.MethodPost, "/sync-contacts", map[string]string{"user": id}); a.status != http.StatusOK {
			t.Fatalf("got %d %s", a.status, a.body)
		}
		if got, want := m.take(), "6 reads, 3 writes"; got != want {
			t.Errorf("with %d links a window without a change in a new process costs %s, want %s", contacts, got, want)
		}
		// An hour later both tokens are refreshed. terraform/README.md has both sums, with the read of the tick.
		w.pass(time.Hour)
		m.take()
		if a := w.do(http.MethodPost, "/sync-contacts", map[string]string{"user": id}); a.status != http.StatusOK {
			t.Fatalf("got %d %s", a.status, a.body)
		}
		if got, want := m.take(), "9 reads, 6 writes"; got != want {
			t.Errorf("with %d links a window with two refreshed tokens costs %s, want %s", contacts, got, want)
		}
	}
}

// The same holds for activities, and each service is called once, whatever recurs and whatever differs from its series.
func TestA_window_without_a_change_of_activities_is_one_request_to_each_service(t *testing.T) {
	t.Parallel()
	for _, events := range []int{1, 60} {
		m := &meter{}
		a := newAgenda(t, onFirestore(t), m.on())
		for i := range events {
			a.calendar.Add(event(fmt.Sprintf("Visit %02d", i), 24+i))
			a.activity(fmt.Sprintf("Audit %02d", i), 24+i)
		}
		daily := a.series("Standup", 24, fmt.Sprintf("RRULE:FREQ=DAILY;COUNT=%d", events))
		a.series("Dates", 24, "RRULE:FREQ=WEEKLY;BYDAY=MO,TU;BYSETPOS=1;COUNT=3")
		a.run("done")
		a.calendar.Edit(a.calendar.Instances(daily)[0].Id, func(e *gcal.Event) { e.Location = "Hall" })
		a.run("done")
		a.run("done")
		a.pass(5 * time.Minute)
		a.google.ResetRequests()
		a.creatio.ResetRequests()
		m.take()
		if got := a.do(http.MethodPost, "/sync-activities", map[string]string{"user": a.id}); got.status != http.StatusOK {
			t.Fatalf("got %d %s", got.status, got.body)
		}
		if got, want := m.take(), "4 reads, 3 writes"; got != want {
			t.Errorf("with %d events a window without a change costs %s, want %s", events, got, want)
		}
		if g, c := len(a.google.Requests()), len(a.creatio.Requests()); g != 1 || c != 1 {
			t.Errorf("with %d events it is %d requests to google, %d to creatio", events, g, c)
		}
	}
}
