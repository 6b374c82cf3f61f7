package activity

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tandem-sync/tandem/shared/match"
	"github.com/tandem-sync/tandem/shared/record"
	_ "github.com/tandem-sync/tandem/shared/sandbox/seed"
	"github.com/tandem-sync/tandem/shared/zone"
)

func at(t *testing.T, text string) time.Time {
	t.Helper()
	out, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func place(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, ok := zone.Load(name)
	if !ok {
		t.Fatalf("there is no zone %q", name)
	}
	return loc
}

func TestInstants_stand_for_days_where_both_start_a_day(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ zone, start, end, want string }{
		"a day":                           {"America/Argentina/Buenos_Aires", "2026-05-04T03:00:00Z", "2026-05-05T03:00:00Z", "2026-05-04/2026-05-05"},
		"three days over a short one":     {"Europe/Berlin", "2026-03-27T23:00:00Z", "2026-03-30T22:00:00Z", "2026-03-28/2026-03-31"},
		"a day whose midnight is skipped": {"America/Santiago", "2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z", "2026-09-06/2026-09-07"},
		"another zone's day":              {"Europe/Kyiv", "2026-05-04T03:00:00Z", "2026-05-05T03:00:00Z", ""},
		"an end in the day":               {"UTC", "2026-05-04T00:00:00Z", "2026-05-04T12:00:00Z", ""},
		"equal instants":                  {"UTC", "2026-05-04T00:00:00Z", "2026-05-04T00:00:00Z", ""},
		"an end before the start":         {"UTC", "2026-05-04T00:00:00Z", "2026-05-03T00:00:00Z", ""},
	} {
		loc := place(t, c.zone)
		m, ok := DaysOf(at(t, c.start), at(t, c.end), loc)
		got := ""
		if ok {
			got = m.Entry().Text
			if start, end := m.In(loc); !start.Equal(at(t, c.start)) || !end.Equal(at(t, c.end)) {
				t.Errorf("%s: goes from %s to %s", name, start, end)
			}
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestAll_day_with_its_end_at_its_start_is_one_day(t *testing.T) {
	t.Parallel()
	day, err := zone.ParseDate("2022-05-17")
	if err != nil {
		t.Fatal(err)
	}
	if got := Days(day, day).Entry().Text; got != "2022-05-17/2022-05-18" {
		t.Errorf("got %s", got)
	}
}

func TestA_moment_is_read_as_it_was_written(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		from := time.Unix(rapid.Int64Range(0, 4102444800).Draw(t, "start"), 0).UTC()
		to := from.Add(time.Duration(rapid.IntRange(0, 1000000).Draw(t, "seconds")) * time.Second)
		m := Timed(from, to)
		if rapid.Bool().Draw(t, "all day") {
			m = Days(zone.DateOf(from, time.UTC), zone.DateOf(to, time.UTC))
		}
		got, err := ReadMoment(m.Entry())
		if err != nil || got != m {
			t.Fatalf("%+v was read as %+v, %v", m, got, err)
		}
		when, _ := Schema.Field(When)
		if got, err := MomentShown(when.Show([]record.Entry{m.Entry()})); err != nil || got != m {
			t.Fatalf("%+v is shown as %+v, %v", m, got, err)
		}
	})
}

func TestWhat_is_no_moment_is_an_error(t *testing.T) {
	t.Parallel()
	for _, e := range []record.Entry{{}, {Text: "2026-05-04"}, {Text: "2026-05-04/2026-05-05"}, {Kind: allDay, Text: "2026-05-04"}, {Kind: allDay, Text: "2026-02-30/2026-03-01"}} {
		if m, err := ReadMoment(e); err == nil {
			t.Errorf("%+v was read as %+v", e, m)
		}
	}
}

func TestActivities_and_events_of_one_title_and_time_share_a_key(t *testing.T) {
	t.Parallel()
	event := func(title, when string) record.Fields {
		return record.Fields{Title: {{Text: title}}, When: {{Text: when}}}
	}
	key := func(f record.Fields) string {
		keys := titleAndTime(match.Item{Fields: f})
		if len(keys) == 0 {
			return ""
		}
		return keys[0]
	}
	one := event("Call: Ms. Example", "2026-05-04T03:00:00Z/2026-05-04T04:00:00Z")
	if key(one) != key(event("call  ms example", "2026-05-04T03:00:00Z/2026-05-04T04:00:00Z")) {
		t.Error("another spelling is another title")
	}
	if key(one) == key(event("Call: Ms. Example", "2026-05-04T03:00:00Z/2026-05-04T05:00:00Z")) {
		t.Error("another end is the same time")
	}
	if key(record.Fields{Title: {{Text: "Call"}}}) != "" {
		t.Error("one without a time has a key")
	}
}
