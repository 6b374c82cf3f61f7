package rule

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// starts are the first instances of a series: instants of one with times, dates of one with whole days.
func starts(t *testing.T, zoneName, start, lines string, most int) []string {
	t.Helper()
	set, err := Parse(strings.Split(lines, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	z := zone(t, zoneName)
	s := Series{Zone: z, Calendar: z, Set: set}
	if s.Start, err = time.Parse("2006-01-02T15:04", start); err != nil {
		s.AllDay = true
		if s.Start, err = time.Parse(time.DateOnly, start); err != nil {
			t.Fatal(err)
		}
	}
	var out []string
	for _, at := range s.Starts(s.Start.AddDate(30, 0, 0), most) {
		if s.AllDay {
			out = append(out, at.Format(time.DateOnly))
		} else {
			out = append(out, Instant(at, z).Format("2006-01-02T15:04Z"))
		}
	}
	return out
}

func TestInstancesBegin(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		zone, start, lines string
		want               string
	}{
		"at the same wall time when clocks change": {
			"Europe/Brussels", "2018-10-27T08:00", "RRULE:FREQ=DAILY;COUNT=3",
			"2018-10-27T06:00Z 2018-10-28T07:00Z 2018-10-29T07:00Z",
		},
		"with the offset before a gap": {
			"America/New_York", "2026-03-07T02:30", "RRULE:FREQ=DAILY;COUNT=3",
			"2026-03-07T07:30Z 2026-03-08T07:30Z 2026-03-09T06:30Z",
		},
		"at the first of two": {"Europe/Kyiv", "2026-10-25T03:30", "RRULE:FREQ=DAILY;COUNT=1", "2026-10-25T00:30Z"},
		"until a moment of an evening that is the next day by UTC": {
			"America/Argentina/Buenos_Aires", "2023-10-12T10:00", "RRULE:FREQ=WEEKLY;UNTIL=20231026T025959Z;BYDAY=TH",
			"2023-10-12T13:00Z 2023-10-19T13:00Z",
		},
		"until the moment of the last, which is included": {
			"Asia/Jerusalem", "2023-08-05T12:30", "RRULE:FREQ=WEEKLY;UNTIL=20230819T093000Z",
			"2023-08-05T09:30Z 2023-08-12T09:30Z 2023-08-19T09:30Z",
		},
		"until a day, to its end in the series' zone": {
			"Pacific/Auckland", "2021-12-09T08:00", "RRULE:FREQ=DAILY;UNTIL=20211211",
			"2021-12-08T19:00Z 2021-12-09T19:00Z 2021-12-10T19:00Z",
		},
		"until a moment, by the date it has in the calendar's zone": {
			"Europe/Berlin", "2020-12-29", "RRULE:FREQ=MONTHLY;UNTIL=20211129T230000Z;BYDAY=TU;BYSETPOS=-1",
			"2020-12-29 2021-01-26 2021-02-23 2021-03-30 2021-04-27 2021-05-25 2021-06-29 2021-07-27 2021-08-31 2021-09-28 2021-10-26 2021-11-30",
		},
		"with a start that the rule does not have and does not count": {
			"Europe/Berlin", "2024-05-30T20:00", "RRULE:FREQ=WEEKLY;BYDAY=WE;COUNT=3",
			"2024-05-30T18:00Z 2024-06-05T18:00Z 2024-06-12T18:00Z 2024-06-19T18:00Z",
		},
		"with a trailing semicolon": {"UTC", "2026-03-02T09:00", "RRULE:FREQ=WEEKLY;COUNT=2;BYDAY=MO;", "2026-03-02T09:00Z 2026-03-09T09:00Z"},
		"on plain and numbered weekdays": {
			"UTC", "2026-03-03", "RRULE:FREQ=MONTHLY;BYDAY=TU,4SU;COUNT=7",
			"2026-03-03 2026-03-10 2026-03-17 2026-03-22 2026-03-24 2026-03-31 2026-04-07",
		},
		"on the last Friday":              {"UTC", "2026-01-30", "RRULE:FREQ=MONTHLY;BYDAY=-1FR;COUNT=3", "2026-01-30 2026-02-27 2026-03-27"},
		"on the 31st, where there is one": {"UTC", "2026-01-31", "RRULE:FREQ=MONTHLY;COUNT=3", "2026-01-31 2026-03-31 2026-05-31"},
		"on leap days":                    {"UTC", "2024-02-29", "RRULE:FREQ=YEARLY;COUNT=3", "2024-02-29 2028-02-29 2032-02-29"},
		"every other week, by the week's first day": {
			"UTC", "1997-08-05", "RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
			"1997-08-05 1997-08-17 1997-08-19 1997-08-31",
		},
		"in a week of the year":             {"UTC", "1997-05-12", "RRULE:FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO;COUNT=3", "1997-05-12 1998-05-11 1999-05-17"},
		"on the twentieth Monday of a year": {"UTC", "1997-05-19", "RRULE:FREQ=YEARLY;BYDAY=20MO;COUNT=3", "1997-05-19 1998-05-18 1999-05-17"},
		"on a Saturday after a first Sunday": {
			"UTC", "1997-09-13", "RRULE:FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13;COUNT=3", "1997-09-13 1997-10-11 1997-11-08",
		},
		"on the third of some weekdays":  {"UTC", "1997-09-04", "RRULE:FREQ=MONTHLY;BYDAY=TU,WE,TH;BYSETPOS=3;COUNT=3", "1997-09-04 1997-10-07 1997-11-06"},
		"on Friday the thirteenth":       {"UTC", "1998-02-13", "RRULE:FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=3", "1998-02-13 1998-03-13 1998-11-13"},
		"on election days":               {"UTC", "1996-11-05", "RRULE:FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8;COUNT=3", "1996-11-05 2000-11-07 2004-11-02"},
		"on Thursdays of a month":        {"UTC", "1997-03-13", "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=TH;COUNT=4", "1997-03-13 1997-03-20 1997-03-27 1998-03-05"},
		"on days of a month, each month": {"UTC", "2026-01-13", "RRULE:FREQ=YEARLY;BYMONTHDAY=13;COUNT=3", "2026-01-13 2026-02-13 2026-03-13"},
		"each day of a month":            {"UTC", "1998-01-30", "RRULE:FREQ=DAILY;BYMONTH=1;COUNT=4", "1998-01-30 1998-01-31 1999-01-01 1999-01-02"},
		"on a day of the year":           {"UTC", "2027-12-31", "RRULE:FREQ=YEARLY;BYYEARDAY=-1,1;COUNT=3", "2027-12-31 2028-01-01 2028-12-31"},
		"with dates more and less": {
			"Europe/Berlin", "2026-03-02T09:00",
			"RRULE:FREQ=DAILY;COUNT=4\nRDATE:20260310T090000\nEXDATE;TZID=Europe/Berlin:20260303T090000\nEXDATE:20260304T080000Z",
			"2026-03-02T08:00Z 2026-03-05T08:00Z 2026-03-10T08:00Z",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, strings.Join(starts(t, c.zone, c.start, c.lines, 50), " ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAnExpansionEnds(t *testing.T) {
	t.Parallel()
	if got := starts(t, "UTC", "2026-03-02", "RRULE:FREQ=DAILY", 730); len(got) != 730 {
		t.Errorf("got %d", len(got))
	}
	if got := starts(t, "UTC", "2026-03-02", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", 730); len(got) != 1 {
		t.Errorf("of a day that never comes, got %q", got)
	}
}

func TestADayThatBeginsLate(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"America/Santiago": "2026-09-06T04:00:00Z", "America/Argentina/Buenos_Aires": "2026-09-06T03:00:00Z"} {
		if got := Instant(time.Date(2026, 9, 6, 0, 0, 0, 0, time.UTC), zone(t, name)).Format(time.RFC3339); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func TestLinesThatAreNoRecurrence(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"FREQ=DAILY", "RRULE:", "RRULE:FREQ=SECONDLY", "RRULE:FREQ=DAILY;COUNT=0", "RRULE:FREQ=DAILY;COUNT=2;UNTIL=20260301",
		"RRULE:FREQ=WEEKLY;BYDAY=XX", "RRULE:FREQ=MONTHLY;BYMONTHDAY=32", "RRULE:FREQ=DAILY;FREQ=DAILY", "DTSTART:20260301", "EXDATE:tomorrow",
		"RRULE:FREQ=MONTHLY;BYDAY=0MO", "EXDATE;TZID=Nowhere:20260301T090000",
	} {
		if _, err := Parse([]string{line}); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: got %v", line, err)
		}
	}
}

func FuzzStarts(f *testing.F) {
	for _, line := range []string{
		"RRULE:FREQ=WEEKLY;BYDAY=MO,-1TU;BYSETPOS=1,-1", "RRULE:FREQ=YEARLY;BYWEEKNO=53;BYMONTHDAY=-1;INTERVAL=3", "EXRULE:FREQ=DAILY;COUNT=9",
		"RRULE:FREQ=MONTHLY;BYMONTHDAY=31;BYHOUR=9,10;UNTIL=20280101T000000Z", "RDATE;TZID=Europe/Berlin:20260310T090000",
	} {
		f.Add(line, true)
		f.Add(line, false)
	}
	f.Fuzz(func(t *testing.T, line string, allDay bool) {
		set, err := Parse([]string{line})
		if err != nil {
			return
		}
		s := Series{Start: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), AllDay: allDay, Zone: time.UTC, Calendar: time.UTC, Set: set}
		end := s.Start.AddDate(2, 0, 0)
		last := s.Start.Add(-1)
		for _, at := range s.Starts(end, 50) {
			if !at.After(last) || !at.Before(end) {
				t.Errorf("%s: %s comes after %s", line, at, last)
			}
			last = at
		}
	})
}
