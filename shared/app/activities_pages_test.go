package app_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/store"
)

func TestAn_activity_and_an_event_that_are_two_meetings_are_parted_for_good(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	audit := a.activity("Audit", 24)
	event := a.calendar.Add(event("Audit", 24))
	run := a.run("done")
	if run.Counts.Matched != 1 {
		t.Fatalf("counts are %+v", run.Counts)
	}
	if page := a.visit("/settings/runs/" + run.ID); !strings.Contains(page.body, "/settings/activities/pairs") || strings.Contains(page.body, "/settings/contacts/pairs") {
		t.Errorf("the page of the run leads to\n%s", page.body)
	}
	verdict := map[string]any{"creatioId": audit, "googleId": event, "same": false}
	a.call(http.MethodPost, "/activities/pairs", verdict, 204, nil)
	a.settle()
	for range 3 {
		a.run("done")
		if got := a.same(); strings.Count(got, "Audit") != 2 || strings.Count(got, "\n") != 1 {
			t.Fatalf("both show\n%s", got)
		}
	}
	a.quiet()
	// Each goes on by itself.
	a.changeActivityByID(audit, map[string]any{"Title": "Audit of the books"})
	a.run("done")
	if e := a.calendar.Event(event); e == nil || e.Summary != "Audit" {
		t.Errorf("the event is %+v", e)
	}
	if got := a.same(); strings.Count(got, "Audit of the books") != 1 || strings.Count(got, "\n") != 1 {
		t.Errorf("both show\n%s", got)
	}
	// A word about what is no pair, or nobody's, does nothing.
	a.call(http.MethodPost, "/activities/pairs", map[string]any{"creatioId": audit, "googleId": "unknown", "same": true}, 404, nil)
	var doubts []map[string]any
	if a.call(http.MethodGet, "/activities/pairs", nil, 200, &doubts); len(doubts) != 0 {
		t.Errorf("doubts are %v", doubts)
	}
}

func (a *agenda) changeActivityByID(id string, values map[string]any) {
	a.t.Helper()
	if err := a.creatio.As("Ada").Update("Activity", id, values); err != nil {
		a.t.Fatal(err)
	}
}

func TestAn_undo_of_an_undo_has_activities_and_events_back(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	a.activity("Audit", 24)
	a.calendar.Add(event("Clinic", 72))
	first := a.run("done")
	all := a.same()
	undo := a.undo(first, nil)
	if page := a.visit("/settings/runs/" + first.ID); !strings.Contains(page.body, "Not synced: removed from the calendar in Google by an undo") || !strings.Contains(page.body, "To have it back, undo that undo") {
		t.Errorf("the page of the run says\n%s", page.body)
	}
	a.undo(undo, nil)
	for range 2 {
		a.run("done")
		if got := a.same(); got != all {
			t.Errorf("both show\n%s\nwant\n%s", got, all)
		}
	}
	a.quiet()
}

func TestWho_linked_before_calendars_could_be_used_sees_one_button_while_contacts_go_on(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.google.SetGrantedScopes(ada, "https://www.googleapis.com/auth/contacts")
	w.link()
	w.choose(w.tag("Ada", private))
	w.sync("done")
	account := w.account()
	if p := account.Activities.State.Problem; p == nil || p.Code != "scope-missing" || !strings.Contains(p.Message, "calendar") {
		t.Errorf("the state of activities is %+v", account.Activities.State)
	}
	if p := account.Contacts.State.Problem; p != nil {
		t.Errorf("contacts have the problem %+v", p)
	}
	page := w.visit("/settings").body
	if strings.Count(page, "Connect Google again</a>") != 1 || !strings.Contains(page, "contacts are synchronized meanwhile") || strings.Contains(page, "Synchronize activities now") {
		t.Errorf("the page says\n%s", page)
	}
	for _, what := range []string{"preview", "sync"} {
		w.call(http.MethodPost, "/activities/"+what, nil, 409, nil)
		w.call(http.MethodPost, "/contacts/"+what, nil, map[string]int{"sync": 202, "preview": 200}[what], nil)
	}
	w.settle()
	w.google.SetGrantedScopes(ada, "https://www.googleapis.com/auth/contacts", "https://www.googleapis.com/auth/calendar.events")
	w.visit("/settings/sign-in")
	if account = w.account(); account.Activities.State.Problem != nil {
		t.Errorf("after the second consent the state is %+v", account.Activities.State)
	}
	page = w.visit("/settings").body
	if strings.Contains(page, "Connect Google again") || !strings.Contains(page, "Synchronize activities now") {
		t.Errorf("after the second consent the page says\n%s", page)
	}
	w.call(http.MethodPost, "/activities/sync", nil, 202, nil)
	w.settle()
}

// TestThe_history_tells_which_of_several_meetings_of_one_name_went is of what people read of a run in which nothing else tells
// them apart.
func TestThe_history_tells_which_of_several_meetings_of_one_name_went(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	var events []string
	for i := range 3 {
		events = append(events, a.calendar.Add(event("Stand-up", 24+24*i)))
	}
	audit := a.activity("Audit", 24)
	a.run("done")
	a.calendar.Delete(events[1])
	a.changeActivityByID(audit, map[string]any{"StatusId": statusCanceled})
	run := a.run("done")
	want := map[string]string{
		"cancel": span(a.at(48)), "delete": span(a.at(24)),
	}
	for _, c := range run.Changes {
		i := fieldOf(c, "when")
		if i < 0 || c.Fields[i].Before != want[c.Action] || c.Fields[i].After != "" {
			t.Errorf("%s of %s tells %+v, want its time %s", c.Action, c.Record, c.Fields, want[c.Action])
		}
		delete(want, c.Action)
	}
	if len(want) > 0 {
		t.Errorf("the run does not tell of %v", want)
	}
	// That is no value to put back: the records are.
	a.undo(run, nil)
	if a.run("done"); strings.Count(a.same(), "Stand-up") != 3 || !strings.Contains(a.same(), "Audit") {
		t.Errorf("after the undo both show\n%s", a.same())
	}
	a.quiet()
}

func TestA_held_run_of_activities_says_what_would_become_of_which(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	var events []string
	for i := range 20 {
		events = append(events, a.calendar.Add(event("Visit", 24+24*i)))
	}
	a.run("done")
	for _, id := range events[:11] {
		a.calendar.Delete(id)
	}
	run := a.run("held")
	if p := run.Problems[len(run.Problems)-1]; !strings.Contains(p.Message, "11 activities would be canceled or deleted") {
		t.Errorf("the run says %q", p.Message)
	}
	page := a.visit("/settings/runs/" + run.ID).body
	if n := strings.Count(page, "Would be canceled in Creatio"); n != 11 {
		t.Errorf("%d are listed, want 11", n)
	}
	for _, want := range []string{spanWords(t, a.at(24)), spanWords(t, a.at(24*11)), "removed from the calendar in Google"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if strings.Contains(page, "00Z/2026") || strings.Contains(page, spanWords(t, a.at(24*12))) {
		t.Errorf("the page says\n%s", page)
	}
}

// spanWords is an hour as the pages have it.
// spanWords is an hour as a page has it: in the time zone that Creatio has of the user.
func spanWords(t *testing.T, from time.Time) string {
	t.Helper()
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	from = from.In(zone)
	return from.Format("Mon 2 January 2006, 15:04") + " to " + from.Add(time.Hour).Format("15:04 MST")
}

func (a *agenda) at(hours int) time.Time {
	return began.Add(time.Duration(hours) * time.Hour).UTC().Truncate(time.Hour)
}

// span is an hour as the history has it.
func span(from time.Time) string {
	return from.Format(time.RFC3339) + "/" + from.Add(time.Hour).Format(time.RFC3339)
}

func fieldOf(c store.Change, name string) int {
	for i, f := range c.Fields {
		if f.Field == name {
			return i
		}
	}
	return -1
}
