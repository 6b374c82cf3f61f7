package recurrence

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/zone"
)

func series(t interface{ Fatalf(string, ...any) }, name, start string, lines ...string) Series {
	loc, ok := zone.Load(name)
	if !ok {
		t.Fatalf("there is no zone %q", name)
	}
	layout, day := "2006-01-02 15:04", !strings.Contains(start, " ")
	if day {
		layout = time.DateOnly
	}
	at, err := time.Parse(layout, start)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return Series{Start: at, AllDay: day, Zone: loc, Lines: lines}
}

// shows is an expansion up to a day, as instants; of an all-day series the days.
func shows(s Series, before string) string {
	end, err := time.Parse(time.DateOnly, before)
	if err != nil {
		return err.Error()
	}
	starts, err := Expand(s, end)
	if errors.Is(err, ErrAsk) {
		return "ask"
	}
	var out []string
	for _, at := range starts {
		if s.AllDay {
			out = append(out, at.Format("01-02"))
		} else {
			out = append(out, zone.Instant(at, s.Zone).Format("01-02T15:04Z"))
		}
	}
	return strings.Join(out, " ")
}

func TestInstances_are_where_the_calendar_has_them(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		zone, start string
		lines       []string
		want        string
	}{
		"the clock goes back": {"Europe/Brussels", "2018-10-27 08:00", []string{"RRULE:FREQ=DAILY;COUNT=3"}, "10-27T06:00Z 10-28T07:00Z 10-29T07:00Z"},
		"the clock skips it":  {"America/New_York", "2026-03-07 02:30", []string{"RRULE:FREQ=DAILY;COUNT=3"}, "03-07T07:30Z 03-08T07:30Z 03-09T06:30Z"},
		"it comes twice":      {"Europe/Kyiv", "2026-10-24 03:30", []string{"RRULE:FREQ=DAILY;COUNT=3"}, "10-24T00:30Z 10-25T00:30Z 10-26T01:30Z"},
		"an end late in the evening": {
			"America/Argentina/Buenos_Aires", "2023-10-12 10:00", []string{"RRULE:FREQ=WEEKLY;BYDAY=TH;UNTIL=20231026T025959Z"}, "10-12T13:00Z 10-19T13:00Z",
		},
		"an end at the last start": {
			"Asia/Jerusalem", "2023-08-05 12:30", []string{"RRULE:FREQ=WEEKLY;UNTIL=20230819T093000Z"}, "08-05T09:30Z 08-12T09:30Z 08-19T09:30Z",
		},
		"an end of the other kind":             {"Pacific/Auckland", "2021-12-09 08:00", []string{"RRULE:FREQ=DAILY;UNTIL=20211211"}, "ask"},
		"an all-day end of the other kind":     {"Europe/Berlin", "2020-12-29", []string{"RRULE:FREQ=MONTHLY;BYDAY=TU;BYSETPOS=-1;UNTIL=20211129T230000Z"}, "ask"},
		"an all-day end":                       {"Europe/Berlin", "2020-12-29", []string{"RRULE:FREQ=MONTHLY;BYDAY=TU;BYSETPOS=-1;UNTIL=20210223"}, "12-29 01-26 02-23"},
		"a start outside of the rule":          {"Europe/Berlin", "2024-05-30 20:00", []string{"RRULE:FREQ=WEEKLY;BYDAY=WE;COUNT=3"}, "ask"},
		"a semicolon at the end":               {"UTC", "2026-03-02 09:00", []string{"RRULE:FREQ=WEEKLY;COUNT=2;BYDAY=MO;"}, "03-02T09:00Z 03-09T09:00Z"},
		"numbered and plain days":              {"UTC", "2026-03-03 09:00", []string{"RRULE:FREQ=MONTHLY;BYDAY=TU,4SU"}, "ask"},
		"numbered days":                        {"UTC", "2026-03-08 09:00", []string{"RRULE:FREQ=MONTHLY;BYDAY=2SU,4SU;COUNT=3"}, "03-08T09:00Z 03-22T09:00Z 04-12T09:00Z"},
		"a number that the start has not":      {"UTC", "2026-03-15 09:00", []string{"RRULE:FREQ=MONTHLY;BYDAY=2SU;COUNT=3"}, "ask"},
		"weeks of the year":                    {"UTC", "2026-03-02 09:00", []string{"RRULE:FREQ=YEARLY;BYWEEKNO=10"}, "ask"},
		"a position in the week":               {"UTC", "2026-03-02 09:00", []string{"RRULE:FREQ=WEEKLY;BYDAY=MO,TU;BYSETPOS=1"}, "ask"},
		"a month day of every month of a year": {"UTC", "2026-03-02 09:00", []string{"RRULE:FREQ=YEARLY;BYMONTHDAY=2"}, "ask"},
		"hours":                                {"UTC", "2026-03-02 09:00", []string{"RRULE:FREQ=HOURLY;COUNT=3"}, "ask"},
		"both ends":                            {"UTC", "2026-03-02 09:00", []string{"RRULE:FREQ=DAILY;COUNT=3;UNTIL=20260304T090000Z"}, "ask"},
		"no rule":                              {"UTC", "2026-03-02 09:00", nil, "ask"},
		"two rules":                            {"UTC", "2026-03-02 09:00", []string{"RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY"}, "ask"},
		"further dates":                        {"UTC", "2026-03-02 09:00", []string{"RRULE:FREQ=DAILY;COUNT=2", "RDATE:20260310T090000Z"}, "ask"},
		"excluded ones": {
			"Europe/Berlin", "2026-03-02 09:00",
			[]string{"EXDATE;TZID=Europe/Berlin:20260303T090000,20260304T090000", "RRULE:FREQ=DAILY;COUNT=5", "EXDATE:20260306T080000Z"},
			"03-02T08:00Z 03-05T08:00Z",
		},
		"an excluded day":                {"UTC", "2026-03-02", []string{"RRULE:FREQ=DAILY;COUNT=3", "EXDATE;VALUE=DATE:20260303"}, "03-02 03-04"},
		"an exclusion of the other kind": {"UTC", "2026-03-02 09:00", []string{"RRULE:FREQ=DAILY;COUNT=3", "EXDATE;VALUE=DATE:20260303"}, "ask"},
		"an exclusion in another zone":   {"UTC", "2026-03-02 09:00", []string{"RRULE:FREQ=DAILY;COUNT=3", "EXDATE;TZID=Europe/Berlin:20260303T100000"}, "ask"},
		"an end in the hour that comes twice": {
			"Europe/Berlin", "2026-10-24 02:30", []string{"RRULE:FREQ=DAILY;UNTIL=20261025T011000Z"}, "10-24T00:30Z 10-25T00:30Z",
		},
		"an end before the hour that clocks skip": {
			"America/New_York", "2026-03-07 02:30", []string{"RRULE:FREQ=DAILY;UNTIL=20260308T072959Z"}, "03-07T07:30Z",
		},
		"an exclusion of the second of two such hours": {
			"Europe/Berlin", "2026-10-24 02:30", []string{"RRULE:FREQ=DAILY;COUNT=2", "EXDATE:20261025T013000Z"}, "10-24T00:30Z 10-25T00:30Z",
		},
		"an exclusion in the hour that clocks skip": {
			"America/New_York", "2026-03-07 02:30", []string{"RRULE:FREQ=DAILY;COUNT=2", "EXDATE:20260308T073000Z"}, "03-07T07:30Z",
		},
		"an exclusion in the zone by its former name": {
			"Asia/Kolkata", "2026-03-02 09:00", []string{"RRULE:FREQ=DAILY;COUNT=3", "EXDATE;TZID=Asia/Calcutta:20260303T090000"}, "03-02T03:30Z 03-04T03:30Z",
		},
		"a day that the zone skips": {"Pacific/Apia", "2011-12-29", []string{"RRULE:FREQ=DAILY;COUNT=3", "EXDATE;VALUE=DATE:20111230"}, "12-29 12-31"},
		"an end before the start":   {"UTC", "2026-03-02 09:00", []string{"RRULE:FREQ=DAILY;UNTIL=20260302T085959Z"}, "ask"},
		"a zone that is half an hour behind in winter": {
			"Australia/Lord_Howe", "2026-04-04 01:45", []string{"RRULE:FREQ=DAILY;COUNT=3"}, "04-03T14:45Z 04-04T14:45Z 04-05T15:15Z",
		},
		"a zone that is behind in Ramadan": {
			"Africa/Casablanca", "2026-02-14 09:00", []string{"RRULE:FREQ=DAILY;COUNT=3"}, "02-14T08:00Z 02-15T09:00Z 02-16T09:00Z",
		},
		"a zone whose winter is the exception": {
			"Europe/Dublin", "2026-10-24 01:30", []string{"RRULE:FREQ=DAILY;COUNT=3"}, "10-24T00:30Z 10-25T00:30Z 10-26T01:30Z",
		},
		"a zone of a quarter hour":     {"Asia/Kathmandu", "2026-03-02 09:00", []string{"RRULE:FREQ=DAILY;COUNT=2"}, "03-02T03:15Z 03-03T03:15Z"},
		"the last day of the month":    {"UTC", "2026-01-31 09:00", []string{"RRULE:FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3"}, "01-31T09:00Z 02-28T09:00Z 03-31T09:00Z"},
		"a leap day":                   {"UTC", "2024-02-29 09:00", []string{"RRULE:FREQ=YEARLY;COUNT=2"}, "02-29T09:00Z 02-29T09:00Z"},
		"a week that starts on Sunday": {"UTC", "2026-03-01 09:00", []string{"RRULE:FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=SU,MO;COUNT=4"}, "03-01T09:00Z 03-02T09:00Z 03-15T09:00Z 03-16T09:00Z"},
	} {
		s := series(t, c.zone, c.start, c.lines...)
		if got := shows(s, "2030-01-01"); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

func TestAn_expansion_ends_with_the_range(t *testing.T) {
	t.Parallel()
	if got := shows(series(t, "UTC", "2026-03-02 09:00", "RRULE:FREQ=DAILY"), "2026-03-04"); got != "03-02T09:00Z 03-03T09:00Z" {
		t.Errorf("got %s", got)
	}
}

func FuzzExpand(f *testing.F) {
	f.Add("RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20260303T090000Z", int64(1772442000), false)
	f.Add("RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "", int64(1772442000), true)
	f.Add("RRULE:FREQ=MONTHLY;BYDAY=TU;BYSETPOS=-1;WKST=SU;", "EXDATE;VALUE=DATE:20260303", int64(0), true)
	f.Add("RRULE:FREQ=MONTHLY;BYDAY=5FR;INTERVAL=12", "EXDATE;TZID=Europe/Berlin:20260303T090000", int64(1), false)
	berlin, _ := zone.Load("Europe/Berlin")
	f.Fuzz(func(t *testing.T, rule, excluded string, second int64, day bool) {
		start := time.Unix(second%4102444800, 0).UTC()
		if day {
			start = start.Truncate(24 * time.Hour)
		}
		s := Series{Start: start, AllDay: day, Zone: berlin, Lines: []string{rule, excluded}}
		before := start.AddDate(1, 0, 0)
		starts, err := Expand(s, before)
		if err != nil {
			return
		}
		if !slices.IsSortedFunc(starts, time.Time.Compare) {
			t.Errorf("%q: not in order: %v", rule, starts)
		}
		for _, at := range starts {
			if at.Before(start) || !s.instant(at).Before(before) {
				t.Errorf("%q: %s is out of the range", rule, at)
			}
		}
	})
}
