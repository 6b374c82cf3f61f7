package app_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/app"
	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
)

// defaultZone gives the site a default time zone.
func defaultZone(code string) change {
	return func(_ map[string]string, o *creatiobox.Options, _ *app.Options) { o.DefaultTimeZone = code }
}

// zoneOf gives a user a zone in Creatio.
func (a *agenda) zoneOf(login, code string) {
	a.t.Helper()
	for _, r := range a.creatio.System().Rows("SysAdminUnit", map[string]any{"Name": login}) {
		if err := a.creatio.System().Update("SysAdminUnit", r["Id"].(string), map[string]any{"TimeZoneId": code}); err != nil {
			a.t.Fatal(err)
		}
	}
}

func TestA_new_event_is_in_the_user_s_zone(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		own, site, calendar, want string
	}{
		"the user's own":               {"Eastern Standard Time", "Israel Standard Time", "Europe/Berlin", "America/New_York"},
		"the site's default":           {"", "Israel Standard Time", "Europe/Berlin", "Asia/Jerusalem"},
		"the calendar's":               {"", "", "Europe/Berlin", "Europe/Berlin"},
		"one that nobody knows":        {"Customized Time Zone", "Israel Standard Time", "Europe/Berlin", "Asia/Jerusalem"},
		"none that anybody knows":      {"Customized Time Zone", "", "Asia/Calcutta", "Asia/Kolkata"},
		"an old name":                  {"Asia/Calcutta", "", "Europe/Berlin", "Asia/Kolkata"},
		"a former name of a zone, too": {"FLE Standard Time", "", "Europe/Berlin", "Europe/Kyiv"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAgenda(t, defaultZone(row.site))
			a.zoneOf("Ada", row.own)
			a.calendar.SetTimeZone(row.calendar)
			a.activity("Call", 24)
			told := ""
			if row.own == "Customized Time Zone" {
				told = "unknown-zone"
			}
			// The days on which the user's zone begins are whole days.
			loc, err := time.LoadLocation(row.want)
			if err != nil {
				t.Fatal(err)
			}
			from, to := time.Date(2026, 3, 10, 0, 0, 0, 0, loc), time.Date(2026, 3, 11, 0, 0, 0, 0, loc)
			a.row("Ada", "Activity", map[string]any{
				"Title": "Fair", "StartDate": from.UTC().Format(time.RFC3339), "DueDate": to.UTC().Format(time.RFC3339), "ShowInScheduler": true, "TypeId": typeTask,
			})
			run := a.run("done")
			if said(run) != told || told != "" && !strings.Contains(run.Problems[0].Message, "“Customized Time Zone”") {
				t.Errorf("the run tells %+v", run.Problems)
			}
			if got := a.foundEvent("Call").Start.TimeZone; got != row.want {
				t.Errorf("the event is in the zone %s, want %s", got, row.want)
			}
			if got := a.foundEvent("Fair").Start; got.Date != "2026-03-10" {
				t.Errorf("the fair begins %+v", got)
			}
			a.quiet()
			a.pass(25 * time.Hour)
			if run := a.run("done"); said(run) != "" {
				t.Errorf("another run tells %+v", run.Problems)
			}
		})
	}
}

func TestA_user_who_moves_to_another_zone_changes_nothing_that_is_there(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	a.activity("Call", 24)
	a.row("Ada", "Activity", map[string]any{
		"Title": "Fair", "StartDate": "2026-03-10T00:00:00Z", "DueDate": "2026-03-11T00:00:00Z", "ShowInScheduler": true, "TypeId": typeTask,
	})
	a.calendar.Add(&gcal.Event{Summary: "Trip", Start: &gcal.EventDateTime{Date: "2026-03-12"}, End: &gcal.EventDateTime{Date: "2026-03-13"}})
	a.run("done")
	a.zoneOf("Ada", "New Zealand Standard Time")
	a.pass(25 * time.Hour)
	before := a.state()
	for range 3 {
		a.pass(9 * time.Hour)
		if run := a.run("done"); len(run.Changes) > 0 {
			t.Errorf("a run changed %+v", run.Changes)
		}
	}
	if a.state() != before {
		t.Error("something is not as it was")
	}
	// What comes now is in the new zone.
	a.activity("Another call", 96)
	a.run("done")
	if got := a.foundEvent("Another call").Start.TimeZone; got != "Pacific/Auckland" {
		t.Errorf("the new event is in %s", got)
	}
	a.quiet()
}

func TestA_zone_that_nobody_knows_any_more_is_told_once(t *testing.T) {
	t.Parallel()
	a := newAgenda(t, defaultZone("FLE Standard Time"))
	a.zoneOf("Ada", "Eastern Standard Time")
	a.activity("Call", 24)
	if run := a.run("done"); said(run) != "" {
		t.Errorf("the run tells %+v", run.Problems)
	}
	a.zoneOf("Ada", "Customized Time Zone")
	told := ""
	for range 4 {
		a.pass(9 * time.Hour)
		for _, p := range a.run("done").Problems {
			told += p.Message
		}
	}
	if strings.Count(told, "“Customized Time Zone”") != 1 || !strings.Contains(told, "“FLE Standard Time”") {
		t.Errorf("the runs tell %q", told)
	}
	a.activity("Another call", 24*7)
	a.run("done")
	if got := a.foundEvent("Another call").Start.TimeZone; got != "Europe/Kyiv" {
		t.Errorf("the event is in %s", got)
	}
}

func TestSync_from_is_a_day_of_the_user_s_up_to_a_year_ahead(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	a.zoneOf("Ada", "New Zealand Standard Time")
	a.run("done")
	a.pass(25 * time.Hour)
	a.run("done")
	// It is the evening of March 3 in London, and the next morning in Auckland.
	a.clock.Store(time.Date(2026, 3, 4, 20, 0, 0, 0, time.UTC).UnixNano())
	settings := func(from string) map[string]any {
		return map[string]any{
			"automatic": true, "intervalMinutes": 15, "syncFrom": from, "direction": "both", "conflicts": "latest", "deletions": "cancel",
			"privateEvents": "busy", "monthsAhead": 3, "guests": "colleagues",
		}
	}
	for from, want := range map[string]int{
		"1969-12-31": 422, "1970-01-01": 200, "2027-03-05": 200, "2027-03-06": 422, "2026-02-29": 422, "": 422, "tomorrow": 422, "2026-3-1": 422, "9999-01-01": 422,
	} {
		if got := a.do(http.MethodPut, "/settings/api/v1/activities", settings(from)); got.status != want || want == 422 && !strings.Contains(got.body, "syncFrom") {
			t.Errorf("%q: got %d %s, want %d", from, got.status, got.body, want)
		}
	}
	// What ends before the day begins in Auckland is left alone, and what ends then is taken.
	a.put(map[string]any{"syncFrom": "2026-03-10"})
	for title, due := range map[string]string{"Before": "2026-03-09T10:30:00Z", "After": "2026-03-09T11:30:00Z"} {
		at, _ := time.Parse(time.RFC3339, due)
		a.row("Ada", "Activity", map[string]any{
			"Title": title, "StartDate": at.Add(-time.Hour).Format(time.RFC3339), "DueDate": due, "ShowInScheduler": true, "TypeId": typeTask,
		})
	}
	a.run("done")
	if _, google := a.shows(); !strings.HasPrefix(google, "After") || strings.Contains(google, "Before") {
		t.Errorf("google shows\n%s", google)
	}
	a.quiet()
}

func TestThe_first_day_is_a_week_before_the_user_came(t *testing.T) {
	t.Parallel()
	var settings struct{ Activities struct{ SyncFrom string } }
	w := newWorld(t)
	w.clock.Store(time.Date(2026, 3, 2, 23, 0, 0, 0, time.UTC).UnixNano())
	(&agenda{world: w}).zoneOf("Ada", "New Zealand Standard Time")
	w.link()
	w.call(http.MethodGet, "/account", nil, 200, &settings)
	if got := settings.Activities.SyncFrom; got != "2026-02-24" {
		t.Errorf("the first day is %s", got)
	}
}

// A day starts at its first instant, which is not midnight where clocks skip that, and is not as long as others where they change.
// One that a zone skipped as a whole starts with the next one.
func TestWhole_days_start_at_their_first_instant_wherever_the_user_is(t *testing.T) {
	t.Parallel()
	for zone, days := range map[string]map[string]string{
		"Pacific SA Standard Time":      {"2026-09-06": "2026-09-06T04:00:00Z 2026-09-07T03:00:00Z"},
		"Cuba Standard Time":            {"2026-03-08": "2026-03-08T05:00:00Z 2026-03-09T04:00:00Z", "2026-11-01": "2026-11-01T04:00:00Z 2026-11-02T05:00:00Z"},
		"Egypt Standard Time":           {"2026-04-24": "2026-04-23T22:00:00Z 2026-04-24T21:00:00Z"},
		"Lord Howe Standard Time":       {"2026-04-05": "2026-04-04T13:00:00Z 2026-04-05T13:30:00Z"},
		"Newfoundland Standard Time":    {"2026-03-08": "2026-03-08T03:30:00Z 2026-03-09T02:30:00Z"},
		"Chatham Islands Standard Time": {"2026-04-05": "2026-04-04T10:15:00Z 2026-04-05T11:15:00Z"},
		"Samoa Standard Time": {
			"2011-12-29": "2011-12-29T10:00:00Z 2011-12-30T10:00:00Z", "2011-12-30": "2011-12-30T10:00:00Z 2011-12-30T10:00:00Z",
			"2011-12-31": "2011-12-30T10:00:00Z 2011-12-31T10:00:00Z",
		},
		"Asia/Calcutta":                  {"2026-03-10": "2026-03-09T18:30:00Z 2026-03-10T18:30:00Z"},
		"Line Islands Standard Time":     {"2026-03-10": "2026-03-09T10:00:00Z 2026-03-10T10:00:00Z"},
		"America/Argentina/Buenos_Aires": {"2026-05-04": "2026-05-04T03:00:00Z 2026-05-05T03:00:00Z"},
	} {
		t.Run(zone, func(t *testing.T) {
			t.Parallel()
			a := newAgenda(t)
			a.zoneOf("Ada", zone)
			a.put(map[string]any{"syncFrom": "2011-01-01", "monthsAhead": 12})
			events := map[string]string{}
			for first := range days {
				at, _ := time.Parse(time.DateOnly, first)
				events[first] = a.calendar.Add(&gcal.Event{
					Summary: first, Start: &gcal.EventDateTime{Date: first}, End: &gcal.EventDateTime{Date: at.AddDate(0, 0, 1).Format(time.DateOnly)},
				})
			}
			a.run("done")
			for first, want := range days {
				row := a.foundActivity(first)
				if got := timeOf(row, "StartDate") + " " + timeOf(row, "DueDate"); got != want {
					t.Errorf("Creatio has %s from %s, want %s", first, got, want)
				}
				a.changeActivityByID(row["Id"].(string), map[string]any{"Location": "Hall"})
			}
			a.run("done")
			for first, id := range events {
				if e := a.calendar.Event(id); e.Start.Date != first || e.Location != "Hall" {
					t.Errorf("google has %s from %+v in %q", first, e.Start, e.Location)
				}
			}
			a.quiet()
			// The same instants, given by a person, are the same days.
			for first, want := range days {
				from, to, _ := strings.Cut(want, " ")
				if from == to {
					continue
				}
				a.row("Ada", "Activity", map[string]any{"Title": "By hand " + first, "StartDate": from, "DueDate": to, "ShowInScheduler": true, "TypeId": typeTask})
			}
			a.run("done")
			for _, e := range a.calendar.Events() {
				if first, byHand := strings.CutPrefix(e.Summary, "By hand "); byHand && e.Start.Date != first {
					t.Errorf("google has what was given by hand for %s from %+v", first, e.Start)
				}
			}
			a.quiet()
		})
	}
}

func TestWhole_days_are_those_of_the_activity_s_own_zone_before_all_others(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	newYork := a.creatio.System().Rows("TimeZone", map[string]any{"Code": "Eastern Standard Time"})[0]["Id"]
	fair := map[string]any{"Title": "Fair", "StartDate": "2026-03-10T04:00:00Z", "DueDate": "2026-03-11T04:00:00Z", "ShowInScheduler": true, "TypeId": typeTask, "TimeZoneId": newYork}
	id := a.row("Ada", "Activity", fair)
	// A day in London is none in New York.
	night := map[string]any{"Title": "Night shift", "StartDate": "2026-03-10T00:00:00Z", "DueDate": "2026-03-11T00:00:00Z", "ShowInScheduler": true, "TypeId": typeTask, "TimeZoneId": newYork}
	a.row("Ada", "Activity", night)
	a.run("done")
	if e := a.foundEvent("Fair"); e.Start.Date != "2026-03-10" || e.End.Date != "2026-03-11" {
		t.Errorf("google has the fair from %+v to %+v", e.Start, e.End)
	}
	if e := a.foundEvent("Night shift"); !strings.HasPrefix(e.Start.DateTime, "2026-03-09T20:00:00") && !strings.HasPrefix(e.Start.DateTime, "2026-03-10T00:00:00") {
		t.Errorf("google has the night shift from %+v", e.Start)
	}
	a.quiet()
	a.calendar.Edit(a.foundEvent("Fair").Id, func(e *gcal.Event) { e.Start.Date, e.End.Date = "2026-03-11", "2026-03-13" })
	a.run("done")
	if row := a.creatio.System().Get("Activity", id); timeOf(row, "StartDate") != "2026-03-11T04:00:00Z" || timeOf(row, "DueDate") != "2026-03-13T04:00:00Z" {
		t.Errorf("Creatio has the fair from %s to %s", timeOf(row, "StartDate"), timeOf(row, "DueDate"))
	}
	a.quiet()
}
