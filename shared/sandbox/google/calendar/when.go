package calendar

import (
	"errors"
	"sync"
	"time"

	"github.com/tandem-sync/tandem/shared/sandbox/google/calendar/rule"
)

// load is a time zone by its IANA name.
func load(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, errors.New("it is no time zone")
	}
	if known, ok := zones.Load(name); ok {
		return known.(*time.Location), nil
	}
	loc, err := time.LoadLocation(name)
	if err == nil {
		zones.Store(name, loc)
	}
	return loc, err
}

// zones are those that were loaded: reading one takes longer than most requests.
var zones sync.Map

// zone is the calendar's.
func (c *calendar) zone() *time.Location {
	z, err := load(c.TimeZone)
	if err != nil {
		return time.UTC
	}
	return z
}

// when reads a start or an end as clients write it: a date, or a time with its zone. A time is stored in UTC.
func (c *calendar) when(name string, raw content, recurring bool) (content, *Refusal) {
	date, at, zone := text(raw, "date"), text(raw, "dateTime"), text(raw, "timeZone")
	switch {
	case date == "" && at == "":
		return nil, refuse("global", "required", "Missing %s time.", name)
	case date != "" && at != "":
		return nil, refuse("global", "invalid", "Invalid %s time.", name)
	case date != "":
		return content{"date": date}, nil
	}
	if zone != "" {
		if _, err := load(zone); err != nil {
			return nil, refuse("global", "invalid", "Invalid time zone definition for %s time.", name)
		}
	}
	missing := refuse("global", "required", "Missing time zone definition for %s time.", name)
	if zone == "" && recurring {
		return nil, missing
	}
	moment, err := time.Parse(time.RFC3339, at)
	if err != nil {
		wall, wrong := time.Parse("2006-01-02T15:04:05", at)
		if wrong != nil {
			return nil, refuse("global", "invalid", "Invalid %s time.", name)
		}
		if zone == "" {
			return nil, missing
		}
		z, _ := load(zone)
		moment = rule.Instant(wall, z)
	}
	if zone == "" {
		zone = c.TimeZone
	}
	return content{"dateTime": moment.UTC().Truncate(time.Second).Format(time.RFC3339), "timeZone": zone}, nil
}

// moment is the instant of a stored start or end. A date begins in the calendar's zone.
func (c *calendar) moment(when content) time.Time {
	if at, err := time.Parse(time.RFC3339, text(when, "dateTime")); err == nil {
		return at.UTC()
	}
	return rule.Instant(day(when), c.zone())
}

// day is the date of a stored start or end, as a time in UTC.
func day(when content) time.Time {
	at, _ := time.Parse(time.DateOnly, text(when, "date"))
	return at
}

func allDay(when content) bool { return when["date"] != nil }

// span is when an event begins and ends. A date that ends where it begins is a day.
func (c *calendar) span(event content) (start, end time.Time) {
	first, last := object(event, "start"), object(event, "end")
	if allDay(first) && text(first, "date") == text(last, "date") {
		return c.moment(first), rule.Instant(day(first).AddDate(0, 0, 1), c.zone())
	}
	return c.moment(first), c.moment(last)
}

// check refuses a start and an end that do not go together.
func (c *calendar) check(event content) *Refusal {
	start, end := object(event, "start"), object(event, "end")
	if allDay(start) != allDay(end) {
		return refuse("global", "invalid", "Start and end times must either both be date or both be dateTime.")
	}
	if c.moment(end).Before(c.moment(start)) {
		return refuse("calendar", "timeRangeEmpty", "The specified time range is empty.")
	}
	return nil
}

// showWhen is a stored start or end as an answer shows it: with the offset of a zone.
func showWhen(when content, zone *time.Location) content {
	at, err := time.Parse(time.RFC3339, text(when, "dateTime"))
	if err != nil {
		return content{"date": when["date"]}
	}
	return content{"dateTime": at.In(zone).Format(time.RFC3339), "timeZone": when["timeZone"]}
}

// stampOf is a time as answers show it.
func stampOf(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }
