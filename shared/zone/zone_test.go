package zone

import (
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	_ "github.com/tandem-sync/tandem/shared/sandbox/seed"
)

func load(t interface{ Fatalf(string, ...any) }, name string) *time.Location {
	loc, ok := Load(name)
	if !ok {
		t.Fatalf("there is no zone %q", name)
	}
	return loc
}

func TestZones_are_known_by_the_names_of_Windows_and_by_former_ones(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"FLE Standard Time": "Europe/Kyiv", "fle standard time ": "Europe/Kyiv", "India Standard Time": "Asia/Kolkata",
		"Asia/Calcutta": "Asia/Kolkata", "Europe/Kiev": "Europe/Kyiv", "America/Buenos_Aires": "America/Argentina/Buenos_Aires",
		"Europe/Berlin": "Europe/Berlin", "UTC": "Etc/UTC", "Eastern Standard Time": "America/New_York",
		"Customized Time Zone": "", "": "", "Local": "", "Mars/Olympus": "", "../../etc/passwd": "",
	} {
		loc, ok := Load(name)
		if got := ""; ok {
			got = loc.String()
			if got != want {
				t.Errorf("%q is %q, want %q", name, got, want)
			}
		} else if want != got {
			t.Errorf("%q is unknown, want %q", name, want)
		}
	}
}

func TestEvery_zone_of_the_tables_is_there(t *testing.T) {
	t.Parallel()
	if len(windows) < 130 {
		t.Errorf("only %d ids of Windows", len(windows))
	}
	for _, table := range []map[string]string{windows, former} {
		for name, is := range table {
			if is == "Etc/Unknown" {
				continue
			}
			if _, err := time.LoadLocation(is); err != nil {
				t.Errorf("%q is %q: %v", name, is, err)
			}
		}
	}
}

func TestA_local_time_is_one_instant(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ zone, local, want string }{
		{"Europe/Berlin", "2026-06-01 09:00", "2026-06-01T07:00:00Z"},
		// Skipped, so with the offset before the gap.
		{"America/New_York", "2026-03-08 02:30", "2026-03-08T07:30:00Z"},
		{"Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03T15:45:00Z"},
		// Twice, so the first of them.
		{"Europe/Kyiv", "2026-10-25 03:30", "2026-10-25T00:30:00Z"},
		{"America/New_York", "2026-11-01 01:30", "2026-11-01T05:30:00Z"},
		// A day that was skipped as a whole.
		{"Pacific/Apia", "2011-12-30 12:00", "2011-12-30T22:00:00Z"},
		{"UTC", "2026-03-08 02:30", "2026-03-08T02:30:00Z"},
	} {
		local, err := time.Parse("2006-01-02 15:04", c.local)
		if err != nil {
			t.Fatal(err)
		}
		if got := Instant(local, load(t, c.zone)).Format(time.RFC3339); got != c.want {
			t.Errorf("%s in %s is %s, want %s", c.local, c.zone, got, c.want)
		}
	}
}

func TestA_day_starts_at_its_first_instant(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ zone, day, want string }{
		{"America/Argentina/Buenos_Aires", "2026-05-04", "2026-05-04T03:00:00Z"},
		{"Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z"},
		// Midnight is skipped.
		{"America/Santiago", "2026-09-06", "2026-09-06T04:00:00Z"},
		{"Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00Z"},
		// Midnight comes twice.
		{"America/Havana", "2026-11-01", "2026-11-01T04:00:00Z"},
		{"America/Santiago", "2026-04-05", "2026-04-05T04:00:00Z"},
		// The day is skipped.
		{"Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"},
		{"Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"},
	} {
		day, err := ParseDate(c.day)
		if err != nil {
			t.Fatal(err)
		}
		if got := day.Start(load(t, c.zone)).Format(time.RFC3339); got != c.want {
			t.Errorf("%s in %s starts at %s, want %s", c.day, c.zone, got, c.want)
		}
	}
}

// In every zone and at every time, days follow each other without a gap, and a local time comes back as it was where clocks
// show it at all.
func TestDays_and_local_times_hold_in_every_zone(t *testing.T) {
	t.Parallel()
	names := slices.Sorted(maps.Values(windows))
	rapid.Check(t, func(t *rapid.T) {
		loc := load(t, rapid.SampledFrom(names).Draw(t, "zone"))
		at := time.Unix(rapid.Int64Range(0, 4102444800).Draw(t, "second"), 0).UTC()
		day := DateOf(at, loc)
		start, next := day.Start(loc), day.Add(1).Start(loc)
		if at.Before(start) {
			t.Fatalf("%s is of %s, which starts later, at %s", at, day, start)
		}
		if DateOf(start, loc) != day || DateOf(start.Add(-time.Second), loc) == day {
			t.Fatalf("%s starts at %s, which is no first instant of it", day, start)
		}
		if !StartsDay(start, loc) || !next.After(start) || next.Sub(start) > 50*time.Hour {
			t.Fatalf("%s goes from %s to %s", day, start, next)
		}
		back := Instant(at.In(loc), loc)
		if wall, again := at.In(loc).Format(time.DateTime), back.In(loc).Format(time.DateTime); wall != again || back.After(at) {
			t.Fatalf("%s shows as %s, which is %s", at, wall, back)
		}
	})
}

func TestA_day_some_months_later_is_no_day_of_the_month_after(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		day    string
		months int
		want   string
	}{
		{"2026-11-29", 3, "2027-02-28"},
		{"2026-11-30", 3, "2027-02-28"},
		{"2026-12-01", 3, "2027-03-01"},
		{"2027-11-30", 3, "2028-02-29"},
		{"2026-01-31", 1, "2026-02-28"},
		{"2026-12-31", 1, "2027-01-31"},
		{"2028-02-29", 12, "2029-02-28"},
		{"2026-03-15", 12, "2027-03-15"},
	} {
		day, err := ParseDate(row.day)
		if got := day.AddMonths(row.months).String(); err != nil || got != row.want {
			t.Errorf("%d months after %s: got %s, want %s", row.months, row.day, got, row.want)
		}
	}
}
