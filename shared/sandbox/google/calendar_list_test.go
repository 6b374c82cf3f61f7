package google

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	gcal "google.golang.org/api/calendar/v3"
)

// sync reads a whole calendar as a client does that keeps the token.
func (w *world) sync(api *gcal.Service) *gcal.Events {
	w.t.Helper()
	return must(api.Events.List("primary").Do())(w.t)
}

// titles are the titles of events, sorted; of deleted ones the ids.
func titles(list []*gcal.Event) []string {
	out := []string{}
	for _, e := range list {
		if e.Status == "cancelled" {
			out = append(out, "-"+e.Id)
		} else {
			out = append(out, e.Summary)
		}
	}
	slices.Sort(out)
	return out
}

func TestAListComesInPagesAndGivesItsTokenOnTheLast(t *testing.T) {
	t.Parallel()
	n := 0
	// Each second page is empty.
	w := newCalendars(t, Options{PageRows: func(asked int) int { n++; return asked * (n % 2) }})
	api := w.events(ann)
	for i := range 7 {
		w.Calendar(ann).Add(meeting(fmt.Sprint(i), "2026-03-02T09:00", "2026-03-02T10:00"))
	}
	seen, empty, token := map[string]bool{}, 0, ""
	for page := ""; ; {
		call := api.Events.List("primary").MaxResults(3)
		if page != "" {
			call.PageToken(page)
		}
		got := must(call.Do())(t)
		for _, e := range got.Items {
			seen[e.Id] = true
		}
		if len(got.Items) == 0 {
			empty++
		}
		if (got.NextPageToken == "") == (got.NextSyncToken == "") {
			t.Fatalf("a page has the tokens %q and %q", got.NextPageToken, got.NextSyncToken)
		}
		if page = got.NextPageToken; page == "" {
			token = got.NextSyncToken
			break
		}
		// What comes between two pages is in the next list.
		if empty == 1 {
			w.Calendar(ann).Add(meeting("later", "2026-03-02T09:00", "2026-03-02T10:00"))
		}
	}
	if len(seen) != 7 || empty == 0 {
		t.Errorf("seen %d events and %d empty pages", len(seen), empty)
	}
	n = 0
	if got := must(api.Events.List("primary").MaxResults(3).SyncToken(token).Do())(t); len(got.Items) == 0 || titles(got.Items)[0] != "later" {
		t.Errorf("then, got %s", encode(got))
	}
}

func TestASyncTokenTellsWhatChanged(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	api, cal := w.events(ann), w.Calendar(ann)
	stays := cal.Add(meeting("stays", "2026-03-02T09:00", "2026-03-02T10:00"))
	moves := cal.Add(meeting("moves", "2026-03-02T09:00", "2026-03-02T10:00"))
	goes := cal.Add(meeting("goes", "2026-03-02T09:00", "2026-03-02T10:00"))
	// A list that begins in a range gives a token for everything.
	first := must(api.Events.List("primary").TimeMin("2026-03-01T00:00:00Z").Do())(t)
	if diff := cmp.Diff([]string{"goes", "moves", "stays"}, titles(first.Items)); diff != "" {
		t.Error(diff)
	}
	cal.Edit(moves, func(e *gcal.Event) { e.Summary = "moved"; e.Start, e.End = on("2020-01-01"), on("2020-01-02") })
	cal.Delete(goes)
	brief := cal.Add(meeting("brief", "2026-03-02T09:00", "2026-03-02T10:00"))
	cal.Delete(brief)
	next := must(api.Events.List("primary").SyncToken(first.NextSyncToken).Do())(t)
	if diff := cmp.Diff(slices.Sorted(slices.Values([]string{"-" + goes, "-" + brief, "moved"})), titles(next.Items)); diff != "" {
		t.Error(diff)
	}
	if again := must(api.Events.List("primary").SyncToken(next.NextSyncToken).Do())(t); len(again.Items) != 0 || again.NextSyncToken == "" {
		t.Errorf("unchanged, got %s", encode(again))
	}
	if full := w.sync(api); len(full.Items) != 2 {
		t.Errorf("a full list has %q, %s among them", titles(full.Items), stays)
	}
	if full := must(api.Events.List("primary").ShowDeleted(true).Do())(t); len(full.Items) != 4 {
		t.Errorf("with deleted ones, it has %q", titles(full.Items))
	}
}

func TestWhatMayNotComeWithASyncToken(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	api := w.events(ann)
	token := w.sync(api).NextSyncToken
	list := func() *gcal.EventsListCall { return api.Events.List("primary").SyncToken(token) }
	for name, call := range map[string]*gcal.EventsListCall{
		"timeMin": list().TimeMin("2026-03-01T00:00:00Z"), "timeMax": list().TimeMax("2026-03-01T00:00:00Z"), "q": list().Q("a"),
		"updatedMin": list().UpdatedMin("2026-03-01T00:00:00Z"), "orderBy": list().OrderBy("updated"), "iCalUID": list().ICalUID("a"),
		"private": list().PrivateExtendedProperty("a=b"), "shared": list().SharedExtendedProperty("a=b"),
		"hidden": list().ShowDeleted(false), "types": list().EventTypes("default"), "single": list().SingleEvents(true), "size": list().MaxResults(7),
	} {
		_, err := call.Do()
		t.Run(name, func(t *testing.T) { wantReason(t, err, 400, "global", "invalid") })
	}
	_, err := api.Events.List("primary").SyncToken("guess").Do()
	wantReason(t, err, 400, "global", "invalid")
	_, err = w.events(bob).Events.List("primary").SyncToken(token).Do()
	wantReason(t, err, 400, "global", "invalid")
	if _, err := list().ShowDeleted(true).Do(); err != nil {
		t.Error(err)
	}
	if got := must(api.Events.List("primary").OrderBy("updated").Do())(t); got.NextSyncToken != "" {
		t.Error("an ordered list gives a token")
	}
}

func TestGoneHasThreeMeanings(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	api := w.events(ann)
	id := w.Calendar(ann).Add(meeting("Review", "2026-03-02T09:00", "2026-03-02T10:00"))
	token := w.sync(api).NextSyncToken
	w.ExpireSyncTokens()
	_, err := api.Events.List("primary").SyncToken(token).Do()
	wantReason(t, err, 410, "calendar", "fullSyncRequired")
	if got := w.Violations(); len(got) != 0 {
		t.Error(got)
	}
	_, _ = api.Events.List("primary").SyncToken(token).Do()
	if got := w.Violations(); len(got) != 1 {
		t.Errorf("an expired token came twice: %q", got)
	}
	_, err = api.Events.List("primary").UpdatedMin("2025-12-01T00:00:00Z").Do()
	wantReason(t, err, 410, "calendar", "updatedMinTooLongAgo")
	if err := api.Events.Delete("primary", id).Do(); err != nil {
		t.Fatal(err)
	}
	wantReason(t, api.Events.Delete("primary", id).Do(), 410, "global", "deleted")
	token = w.sync(api).NextSyncToken
	w.clock.pass(29 * 24 * time.Hour)
	_, err = w.events(ann).Events.List("primary").SyncToken(token).Do()
	wantReason(t, err, 410, "calendar", "fullSyncRequired")
	if list := must(w.events(ann).Events.List("primary").ShowDeleted(true).Do())(t); len(list.Items) != 0 {
		t.Errorf("after weeks, a deleted event is told of: %q", titles(list.Items))
	}
}

func TestFiltersOfAList(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	api, cal := w.events(ann), w.Calendar(ann)
	marked := meeting("marked", "2026-03-02T09:00", "2026-03-02T10:00", bob)
	marked.ExtendedProperties = &gcal.EventExtendedProperties{Private: map[string]string{"a": "1"}, Shared: map[string]string{"b": "2"}}
	id := cal.Add(marked)
	cal.Add(&gcal.Event{Summary: "day", Start: on("2026-03-03"), End: on("2026-03-04")})
	w.clock.pass(20 * time.Minute)
	cal.Add(meeting("late", "2026-03-04T23:30", "2026-03-05T00:30"))
	list := func() *gcal.EventsListCall { return api.Events.List("primary") }
	for name, c := range map[string]struct {
		call *gcal.EventsListCall
		want []string
	}{
		"private property":   {list().PrivateExtendedProperty("a=1"), []string{"marked"}},
		"both properties":    {list().PrivateExtendedProperty("a=1").SharedExtendedProperty("b=3"), []string{}},
		"shared property":    {list().SharedExtendedProperty("b=2"), []string{"marked"}},
		"iCalUID":            {list().ICalUID(id + "@google.com"), []string{"marked"}},
		"words":              {list().Q("BOB@"), []string{"marked"}},
		"updated":            {list().UpdatedMin("2026-03-01T09:10:00Z"), []string{"late"}},
		"what still goes on": {list().TimeMin("2026-03-04T23:00:00Z"), []string{"late"}},
		"what ended":         {list().TimeMin("2026-03-02T09:00:00Z"), []string{"day", "late"}},
		"a day that begins by the calendar's zone": {list().TimeMax("2026-03-02T23:00:01Z"), []string{"day", "marked"}},
		"a day that does not":                      {list().TimeMax("2026-03-02T23:00:00Z"), []string{"marked"}},
	} {
		got := must(c.call.Do())(t)
		if diff := cmp.Diff(c.want, titles(got.Items)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	_, err := list().OrderBy("startTime").Do()
	wantReason(t, err, 400, "global", "badRequest")
	_, err = list().TimeMin("2026-03-02T09:00:00Z").TimeMax("2026-03-02T09:00:00Z").Do()
	wantReason(t, err, 400, "calendar", "timeRangeEmpty")
	ordered := must(list().OrderBy("startTime").SingleEvents(true).Do())(t)
	if ordered.Items[0].Summary != "marked" || ordered.Items[2].Summary != "late" || ordered.TimeZone != "Europe/Berlin" || ordered.AccessRole != "owner" {
		t.Errorf("ordered, got %s", encode(ordered))
	}
}

func TestListsAndReadsMayLag(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{EventVisibility: time.Minute, StaleEvents: time.Minute})
	api := w.events(ann)
	token := w.sync(api).NextSyncToken
	made := must(api.Events.Insert("primary", meeting("Review", "2026-03-02T09:00", "2026-03-02T10:00")).Do())(t)
	w.clock.pass(2 * time.Minute)
	patched := must(api.Events.Patch("primary", made.Id, &gcal.Event{Summary: "Retro"}).Do())(t)
	if got := must(api.Events.Get("primary", made.Id).Do())(t); got.Summary != "Review" || patched.Summary != "Retro" {
		t.Errorf("read %q after it was made %q", got.Summary, patched.Summary)
	}
	delta := must(api.Events.List("primary").SyncToken(token).Do())(t)
	if diff := cmp.Diff([]string{"Review"}, titles(delta.Items)); diff != "" {
		t.Error(diff)
	}
	w.clock.pass(2 * time.Minute)
	delta = must(api.Events.List("primary").SyncToken(delta.NextSyncToken).Do())(t)
	if diff := cmp.Diff([]string{"Retro"}, titles(delta.Items)); diff != "" {
		t.Error(diff)
	}
}

func TestWritesOfEventsMayGoSideBySide(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	api := w.events(ann)
	began, done := make(chan struct{}), make(chan error)
	w.SetFault(func(r *http.Request) *Fault {
		if r.Method == http.MethodPost && r.URL.Query().Get("sendUpdates") == "all" {
			close(began)
			<-done
		}
		return nil
	})
	ended := make(chan error)
	go func() {
		_, err := api.Events.Insert("primary", meeting("one", "2026-03-02T09:00", "2026-03-02T10:00")).SendUpdates("all").Do()
		ended <- err
	}()
	<-began
	if _, err := api.Events.Insert("primary", meeting("two", "2026-03-02T09:00", "2026-03-02T10:00")).Do(); err != nil {
		t.Error(err)
	}
	close(done)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if got := w.Violations(); len(got) != 0 {
		t.Error(got)
	}
}

func TestCalendarsAreSavedAndLoaded(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	cal := w.Calendar(ann)
	series := cal.Add(daily("Standup", "RRULE:FREQ=DAILY;COUNT=3"))
	cal.Delete(series + "_20260303T080000Z")
	other := w.reload()
	if diff := cmp.Diff(encode(w.Calendar(ann).Agenda(time.Time{}, time.Time{})), encode(other.Calendar(ann).Agenda(time.Time{}, time.Time{}))); diff != "" {
		t.Error(diff)
	}
}
