package app_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	gcal "google.golang.org/api/calendar/v3"
)

// onClock is an event of an hour at a local time of a zone, or of a day where there is no hour.
func onClock(title, zone, local string, rules ...string) *gcal.Event {
	e := &gcal.Event{Summary: title, Recurrence: rules}
	start, err := time.Parse("2006-01-02 15:04", local)
	if err != nil {
		day, _ := time.Parse(time.DateOnly, local)
		e.Start, e.End = &gcal.EventDateTime{Date: local}, &gcal.EventDateTime{Date: day.AddDate(0, 0, 1).Format(time.DateOnly)}
		return e
	}
	const form = "2006-01-02T15:04:05"
	e.Start = &gcal.EventDateTime{DateTime: start.Format(form), TimeZone: zone}
	e.End = &gcal.EventDateTime{DateTime: start.Add(time.Hour).Format(form), TimeZone: zone}
	return e
}

// starts are those of the activities of a title, in order.
func (a *agenda) starts(title string) string {
	var out []string
	for _, r := range a.creatio.System().Rows("Activity", map[string]any{"Title": title}) {
		if r["StatusId"] != statusCanceled {
			out = append(out, strings.TrimSuffix(strings.ReplaceAll(timeOf(r, "StartDate"), ":00Z", "Z"), "Z"))
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func TestActivities_are_when_their_instances_are_whatever_clocks_do(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	a.put(map[string]any{"syncFrom": "2011-01-01", "monthsAhead": 12})
	a.calendar.SetTimeZone("Europe/Berlin")
	want := map[string]string{}
	add := func(title, zone, local, starts string, rules ...string) {
		a.calendar.Add(onClock(title, zone, local, rules...))
		want[title] = starts
	}
	add("Clocks go back", "Europe/Brussels", "2018-10-27 08:00", "2018-10-27T06:00 2018-10-28T07:00 2018-10-29T07:00", "RRULE:FREQ=DAILY;COUNT=3")
	add("Clocks skip it", "America/New_York", "2026-03-07 02:30", "2026-03-07T07:30 2026-03-08T07:30 2026-03-09T06:30", "RRULE:FREQ=DAILY;COUNT=3")
	add("It comes twice", "Europe/Kyiv", "2026-10-24 03:30", "2026-10-24T00:30 2026-10-25T00:30 2026-10-26T01:30", "RRULE:FREQ=DAILY;COUNT=3")
	add("Ends late in the evening", "America/Argentina/Buenos_Aires", "2023-10-12 10:00", "2023-10-12T13:00 2023-10-19T13:00", "RRULE:FREQ=WEEKLY;BYDAY=TH;UNTIL=20231026T025959Z")
	add("Ends at its last start", "Asia/Jerusalem", "2023-08-05 12:30", "2023-08-05T09:30 2023-08-12T09:30 2023-08-19T09:30", "RRULE:FREQ=WEEKLY;UNTIL=20230819T093000Z")
	add("Ends on a day", "Pacific/Auckland", "2021-12-09 08:00", "2021-12-08T19:00 2021-12-09T19:00 2021-12-10T19:00", "RRULE:FREQ=DAILY;UNTIL=20211211")
	add("Starts outside of its rule", "Europe/Berlin", "2024-05-30 20:00", "2024-05-30T18:00 2024-06-05T18:00 2024-06-12T18:00 2024-06-19T18:00", "RRULE:FREQ=WEEKLY;BYDAY=WE;COUNT=3")
	add("A semicolon", "Europe/Berlin", "2024-06-03 09:00", "2024-06-03T07:00 2024-06-10T07:00", "RRULE:FREQ=WEEKLY;COUNT=2;BYDAY=MO;")
	add("Half an hour", "Australia/Lord_Howe", "2026-04-04 01:45", "2026-04-03T14:45 2026-04-04T14:45 2026-04-05T15:15", "RRULE:FREQ=DAILY;COUNT=3")
	add("Ramadan", "Africa/Casablanca", "2026-02-14 09:00", "2026-02-14T08:00 2026-02-15T09:00 2026-02-16T09:00", "RRULE:FREQ=DAILY;COUNT=3")
	add("Irish winter", "Europe/Dublin", "2026-10-24 01:30", "2026-10-24T00:30 2026-10-25T00:30 2026-10-26T01:30", "RRULE:FREQ=DAILY;COUNT=3")
	add("A quarter of an hour", "Asia/Kathmandu", "2026-03-02 09:00", "2026-03-02T03:15 2026-03-03T03:15", "RRULE:FREQ=DAILY;COUNT=2")
	add("Midnight is skipped", "America/Santiago", "2026-09-05 00:00", "2026-09-05T04:00 2026-09-06T04:00 2026-09-07T03:00", "RRULE:FREQ=DAILY;COUNT=3")
	// Nine o'clock on the day that was skipped is nine o'clock on the next.
	add("A day is skipped", "Pacific/Apia", "2011-12-29 09:00", "2011-12-29T19:00 2011-12-30T19:00", "RRULE:FREQ=DAILY;COUNT=3")
	add("A former name", "Asia/Calcutta", "2026-03-02 09:00", "2026-03-02T03:30 2026-03-04T03:30", "RRULE:FREQ=DAILY;COUNT=3", "EXDATE;TZID=Asia/Calcutta:20260303T090000")
	a.calendar.Add(onClock("A Sunday among Tuesdays", "Europe/Berlin", "2024-06-04 09:00", "RRULE:FREQ=MONTHLY;BYDAY=TU,4SU;COUNT=6"))
	a.calendar.Add(onClock("Whole days", "", "2020-12-29", "RRULE:FREQ=MONTHLY;BYDAY=TU;BYSETPOS=-1;UNTIL=20211129T230000Z"))
	day := &gcal.EventDateTime{Date: "2022-05-17"}
	a.calendar.Add(&gcal.Event{Summary: "One day", Start: day, End: day})
	a.calendar.Add(&gcal.Event{Summary: "One day a year", Start: day, End: day, Recurrence: []string{"RRULE:FREQ=YEARLY;COUNT=2"}})
	a.run("done")
	for title, ends := range map[string]string{"One day": "2022-05-16T23/2022-05-17T23", "One day a year": "2022-05-16T23/2022-05-17T23 2023-05-16T23/2023-05-17T23"} {
		var got []string
		for _, r := range a.creatio.System().Rows("Activity", map[string]any{"Title": title}) {
			got = append(got, timeOf(r, "StartDate")[:13]+"/"+timeOf(r, "DueDate")[:13])
		}
		if slices.Sort(got); strings.Join(got, " ") != ends {
			t.Errorf("%s: got %v, want %s", title, got, ends)
		}
	}
	for title, starts := range want {
		if got := a.starts(title); got != starts {
			t.Errorf("%s: got %s, want %s", title, got, starts)
		}
	}
	if got := strings.Fields(a.starts("A Sunday among Tuesdays")); len(got) != 6 {
		t.Errorf("of the rule with plain and numbered days there are %v", got)
	}
	if got := strings.Fields(a.starts("Whole days")); len(got) != 12 || got[0] != "2020-12-29T00:00" || got[11] != "2021-11-30T00:00" {
		t.Errorf("of the whole days there are %v", got)
	}
	a.quiet()
	a.google.Calendars().ExpireSyncTokens()
	a.quiet()
}

// sees moves Ada's own clock in Creatio to another zone, and signs her in again so that it is known.
func (a *agenda) sees(zone string) {
	a.t.Helper()
	a.setUnit("Ada", map[string]any{"TimeZoneId": zone})
	a.link()
}

func TestAnother_zone_of_the_user_is_nobodys_edit(t *testing.T) {
	t.Parallel()
	a := newAgenda(t)
	a.sees("America/Buenos_Aires")
	a.calendar.SetTimeZone("America/Argentina/Buenos_Aires")
	a.calendar.Add(onClock("Trip", "", "2026-05-04"))
	a.calendar.Add(onClock("Rounds", "", "2026-05-05", "RRULE:FREQ=WEEKLY;COUNT=3"))
	a.calendar.Add(onClock("Standup", "America/Argentina/Buenos_Aires", "2026-05-04 09:00", "RRULE:FREQ=DAILY;COUNT=3"))
	a.run("done")
	if r := a.foundActivity("Trip"); timeOf(r, "StartDate") != "2026-05-04T03:00:00Z" || timeOf(r, "DueDate") != "2026-05-05T03:00:00Z" {
		t.Errorf("creatio has the trip from %s to %s", r["StartDate"], r["DueDate"])
	}
	a.quiet()
	before, _ := a.shows()
	a.sees("Europe/Kiev")
	a.quiet()
	a.calendar.SetTimeZone("Europe/Kyiv")
	a.google.Calendars().ExpireSyncTokens()
	a.quiet()
	if after, _ := a.shows(); after != before {
		t.Errorf("they became\n%s\nwere\n%s", after, before)
	}
	// What is made from here on is in the new zone, and what is moved keeps its days.
	a.calendar.Add(onClock("Fair", "", "2026-05-06"))
	a.calendar.Edit(a.calendar.Agenda(began.AddDate(0, 2, 0), began.AddDate(0, 3, 0))[0].Id, func(e *gcal.Event) { e.Location = "Hall" })
	a.run("done")
	if r := a.foundActivity("Fair"); timeOf(r, "StartDate") != "2026-05-05T21:00:00Z" {
		t.Errorf("creatio has the fair from %s", r["StartDate"])
	}
	a.quiet()
}

func TestColleagues_in_other_zones_see_one_meeting_at_one_time_and_whole_days_on_one_date(t *testing.T) {
	t.Parallel()
	for _, first := range []string{ada, bo} {
		t.Run(first+" first", func(t *testing.T) {
			t.Parallel()
			w, a, b := office(t)
			order := []*colleague{a, b}
			if first == bo {
				order = []*colleague{b, a}
			}
			for c, zone := range map[*colleague]string{a: "Europe/Kiev", b: "America/New_York"} {
				w.setUnit(c.login, map[string]any{"TimeZoneId": zone})
				w.google.Calendar(c.email).SetTimeZone("Europe/Berlin")
				w.as(c, func() {
					w.google.AutoConsent(c.email)
					w.creatio.AutoConsent(c.login)
					w.link()
				})
			}
			e := onClock("Kickoff", "Europe/Berlin", "2026-03-27 10:00", "RRULE:FREQ=WEEKLY;COUNT=2")
			trip := onClock("Trip", "", "2026-03-28")
			trip.End.Date = "2026-03-30"
			for _, e := range []*gcal.Event{e, trip} {
				e.Attendees = []*gcal.EventAttendee{{Email: bo}}
				w.google.Calendar(ada).Add(e)
			}
			// A whole day in Kyiv.
			id := w.row("Ada", "Activity", map[string]any{
				"Title": "Fair", "StartDate": "2026-03-28T22:00:00Z", "DueDate": "2026-03-29T21:00:00Z", "ShowInScheduler": true, "TypeId": typeTask,
			})
			contact := w.creatio.System().Rows("Contact", map[string]any{"Name": "Bo Example"})[0]["Id"]
			w.row("Ada", "ActivityParticipant", map[string]any{"ActivityId": id, "ParticipantId": contact})
			ag := &agenda{world: w}
			for range 3 {
				for _, c := range order {
					w.as(c, func() { w.syncActivities("done") })
				}
			}
			if got := ag.starts("Kickoff"); got != "2026-03-27T09:00 2026-04-03T08:00" {
				t.Errorf("the meetings are at %s", got)
			}
			if got := ag.starts("Trip"); got != "2026-03-27T22:00" {
				t.Errorf("the trip begins at %s, which is no day of its owner's", got)
			}
			if got := ag.starts("Fair"); got != "2026-03-28T22:00" {
				t.Errorf("the fair begins at %s", got)
			}
			for _, email := range []string{ada, bo} {
				for title, days := range map[string]string{"Trip": "2026-03-28/2026-03-30", "Fair": "2026-03-29/2026-03-30"} {
					found := ""
					for _, e := range w.google.Calendar(email).Events() {
						if e.Summary == title {
							found += e.Start.Date + "/" + e.End.Date
						}
					}
					if found != days {
						t.Errorf("%s has the %s on %q, want %s", email, title, found, days)
					}
				}
			}
		})
	}
}
