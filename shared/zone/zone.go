// Package zone knows time zones as people and services name them, and when a local time is. It is for the kinds of record
// that have a time, and for their adapters.
//
// Its invariants:
//
//   - A day starts at its first instant, which is not midnight where clocks skip it.
//   - A local time that clocks skip counts with the offset before the gap; one that comes twice is the first of the two.
//     time.Date promises neither.
//   - The rules of the zones are those embedded in the program, whatever the machine has.
package zone

import (
	"strings"
	"time"
	_ "time/tzdata" // a function's image may have none
)

//go:generate go run ./internal/generate -windows $CLDR_CORE/supplemental/windowsZones.json -names $CLDR_BCP47/bcp47/timezone.json -to names.go

// Load finds a zone by the name that IANA gives it, now or formerly, or by the id that Windows gives it. It is false for any
// other name, and for the empty one.
func Load(name string) (*time.Location, bool) {
	name = strings.TrimSpace(name)
	if name == "" || name == "Local" {
		return nil, false
	}
	if iana, ok := windows[strings.ToLower(name)]; ok {
		name = iana
	}
	loc, err := time.LoadLocation(Canonical(name))
	return loc, err == nil
}

// Canonical is the name that IANA gives a zone today; a name that it does not know as a former one stays as it is.
func Canonical(name string) string {
	if now, ok := former[name]; ok {
		return now
	}
	return name
}

// FromWindows is the zone that has a Windows id in the whole world; false for ids that name no zone, as "Customized Time Zone".
func FromWindows(id string) (iana string, ok bool) {
	iana, ok = windows[strings.ToLower(strings.TrimSpace(id))]
	return iana, ok
}

// Date is a day of the calendar.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf is the day of an instant in a zone.
func DateOf(t time.Time, loc *time.Location) Date {
	y, m, d := t.In(loc).Date()
	return Date{y, m, d}
}

// ParseDate reads "2006-01-02".
func ParseDate(text string) (Date, error) {
	t, err := time.Parse(time.DateOnly, text)
	return DateOf(t, time.UTC), err
}

func (d Date) String() string { return d.utc().Format(time.DateOnly) }

// Add is the day some days later.
func (d Date) Add(days int) Date { return DateOf(d.utc().AddDate(0, 0, days), time.UTC) }

// AddMonths is the day some months later, or the last one of that month where it has no such day.
func (d Date) AddMonths(months int) Date {
	first := time.Date(d.Year, d.Month+time.Month(months), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1)
	return Date{first.Year(), first.Month(), min(d.Day, last.Day())}
}

// Before reports whether d is earlier.
func (d Date) Before(o Date) bool { return d.utc().Before(o.utc()) }

func (d Date) utc() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }

// Start is the first instant of a day in a zone. A day that a zone skips as a whole starts with the next one.
func (d Date) Start(loc *time.Location) time.Time {
	wall := d.utc()
	var first, later time.Time
	earliest := func(best *time.Time, t time.Time) {
		if best.IsZero() || t.Before(*best) {
			*best = t
		}
	}
	for p := range periods(wall, loc) {
		if t := wall.Add(-p.offset); p.holds(t) {
			earliest(&first, t)
		}
		if begins := DateOf(p.from, loc); begins == d {
			// The clock was set into this day.
			earliest(&first, p.from)
		} else if d.Before(begins) && !p.from.IsZero() {
			earliest(&later, p.from)
		}
	}
	switch {
	case !first.IsZero():
		return first.UTC()
	case !later.IsZero():
		return later.UTC()
	default:
		return Instant(wall, loc)
	}
}

// StartsDay reports whether an instant is the first one of its day in a zone.
func StartsDay(t time.Time, loc *time.Location) bool { return DateOf(t, loc).Start(loc).Equal(t) }

// Instant is when clocks in a zone show a local time, whose own location does not count.
func Instant(local time.Time, loc *time.Location) time.Time {
	y, m, d := local.Date()
	wall := time.Date(y, m, d, local.Hour(), local.Minute(), local.Second(), local.Nanosecond(), time.UTC)
	before := time.Duration(0)
	for p := range periods(wall, loc) {
		switch t := wall.Add(-p.offset); {
		case p.holds(t):
			return t
		case t.Before(p.from):
			// The clocks skipped it when this period began.
			return wall.Add(-before)
		}
		before = p.offset
	}
	return wall.Add(-before)
}

// period is a time in which a zone has one offset.
type period struct {
	from, to time.Time
	offset   time.Duration
}

func (p period) holds(t time.Time) bool {
	return (p.from.IsZero() || !t.Before(p.from)) && (p.to.IsZero() || t.Before(p.to))
}

// around is further than any clock is from UTC.
const around = 30 * time.Hour

// periods are those of a zone around a local time, in their order.
func periods(wall time.Time, loc *time.Location) func(yield func(period) bool) {
	return func(yield func(period) bool) {
		end := wall.Add(around)
		for t := wall.Add(-around); ; {
			in := t.In(loc)
			_, seconds := in.Zone()
			p := period{offset: time.Duration(seconds) * time.Second}
			p.from, p.to = in.ZoneBounds()
			if !yield(p) || p.to.IsZero() || !p.to.After(t) || p.to.After(end) {
				return
			}
			t = p.to
		}
	}
}
