package calendar

import (
	"regexp"
	"slices"
	"strings"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/recurrence"
	"github.com/tandem-sync/tandem/shared/zone"
)

// An instance of a recurring event is a record by the id that the service mostly gives it: that of the series before it was ever
// split, and the original start. It keeps that id whether it was listed or follows from the rule, and whatever the service calls
// it; the state remembers what that is. Two series that were one once may both have an instance at one time. Then the later
// one's is called after its own series.

// splitSeries is the form of ids of series that were split from another one.
var splitSeries = regexp.MustCompile(`^(.+)_R\d{8}(T\d{6}Z?)?$`)

// baseID is the id that a series had before it was first split.
func baseID(series string) string {
	if strings.Contains(series, "_R") {
		if found := splitSeries.FindStringSubmatch(series); found != nil {
			return found[1]
		}
	}
	return series
}

// instanceID is the form of the ids of instances.
var instanceID = regexp.MustCompile(`^(.+)_(\d{8}(?:T\d{6}Z)?)$`)

// startKey is an original start as ids of instances have it; empty where there is none.
func startKey(t *gcal.EventDateTime) string {
	if t == nil {
		return ""
	}
	if t.Date != "" {
		return strings.ReplaceAll(t.Date, "-", "")
	}
	at, err := time.Parse(time.RFC3339, t.DateTime)
	if err != nil {
		return ""
	}
	return at.UTC().Format(keyTime)
}

const (
	keyTime = "20060102T150405Z"
	keyDay  = "20060102"
)

// readKey is the instant of an original start.
func readKey(key string, loc *time.Location) time.Time {
	if at, err := time.Parse(keyTime, key); err == nil {
		return at
	}
	at, _ := time.Parse(keyDay, key)
	return zone.DateOf(at, time.UTC).Start(loc)
}

// recordID is the id of an event's record.
func recordID(e *gcal.Event) string {
	if key := startKey(e.OriginalStartTime); key != "" && e.RecurringEventId != "" {
		return baseID(e.RecurringEventId) + "_" + key
	}
	return e.Id
}

// starts are the original starts of a series' instances that start before the end of the range, in order; false where only the
// service knows them.
func (s *Side) starts(e *gcal.Event) ([]string, bool) {
	series, ok := s.seriesOf(e)
	if !ok {
		return nil, false
	}
	local, err := recurrence.Expand(series, s.o.To)
	if err != nil {
		return nil, false
	}
	out := make([]string, len(local))
	for i, at := range local {
		if series.AllDay {
			out[i] = at.Format(keyDay)
		} else {
			out[i] = zone.Instant(at, series.Zone).UTC().Format(keyTime)
		}
	}
	// A time on a day that a zone skips is that of the next day.
	return slices.Compact(out), true
}

// seriesOf is a recurring event as its rule is read; false in a zone that nobody knows.
func (s *Side) seriesOf(e *gcal.Event) (recurrence.Series, bool) {
	m, ok := momentOf(e)
	if !ok || len(e.Recurrence) == 0 {
		return recurrence.Series{}, false
	}
	out := recurrence.Series{AllDay: m.AllDay, Zone: s.o.Zone, Lines: e.Recurrence}
	if m.AllDay {
		out.Start, _ = time.Parse(time.DateOnly, m.First.String())
		return out, true
	}
	if out.Zone, ok = zone.Load(e.Start.TimeZone); !ok {
		return recurrence.Series{}, false
	}
	out.Start = m.Start.In(out.Zone)
	return out, true
}

// startsOf are the original starts of a series as they are kept: by its rule, or those that the service gave of the range.
func (s *Side) startsOf(k *kept, series string) []string {
	e := k.master(series)
	if e == nil {
		return nil
	}
	if out, ok := s.starts(e); ok {
		return out
	}
	return k.Starts[series]
}

// instance is one of a series as the series has it. It has no version: that has to be read before it is written.
func instance(series *gcal.Event, key string) *gcal.Event {
	e := *series
	e.Recurrence, e.RecurringEventId, e.Etag, e.Id = nil, series.Id, "", baseID(series.Id)+"_"+key
	if at, err := time.Parse(keyDay, key); err == nil {
		first, _ := zone.ParseDate(series.Start.Date)
		after, err := zone.ParseDate(series.End.Date)
		days := 1
		if err == nil && first.Before(after) {
			days = int(utc(after).Sub(utc(first)) / (24 * time.Hour))
		}
		e.Start = &gcal.EventDateTime{Date: at.Format(time.DateOnly)}
		e.End = &gcal.EventDateTime{Date: at.AddDate(0, 0, days).Format(time.DateOnly)}
	} else {
		at, _ := time.Parse(keyTime, key)
		m, _ := momentOf(series)
		e.Start = &gcal.EventDateTime{DateTime: at.Format(time.RFC3339), TimeZone: series.Start.TimeZone}
		e.End = &gcal.EventDateTime{DateTime: at.Add(m.End.Sub(m.Start)).Format(time.RFC3339), TimeZone: series.End.TimeZone}
	}
	e.OriginalStartTime = e.Start
	return &e
}

func utc(d zone.Date) time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }

// newest are the original starts of instances that lie in the range, at most so many, and whether older ones are left out.
func (s *Side) newest(series *gcal.Event, keys []string) (out []string, more bool) {
	m, _ := momentOf(series)
	start, end := m.In(s.o.Zone)
	lasts := end.Sub(start)
	for _, key := range slices.Backward(keys) {
		at := readKey(key, s.o.Zone)
		if !at.Before(s.o.To) {
			continue
		}
		// A day more than it may last where clocks change.
		if at.Add(lasts + 26*time.Hour).Before(s.o.From) {
			break
		}
		if !s.inRange(instance(series, key)) {
			continue
		}
		if len(out) == maxInstances {
			more = true
			break
		}
		out = append(out, key)
	}
	slices.Reverse(out)
	return out, more
}

// maxInstances is how many instances of a series are shown, the newest ones.
const maxInstances = 1000

// startOf is when an event starts.
func (s *Side) startOf(e *gcal.Event) time.Time {
	m, _ := momentOf(e)
	start, _ := m.In(s.o.Zone)
	return start
}

// endOf is when an event ends.
func (s *Side) endOf(e *gcal.Event) time.Time {
	m, _ := momentOf(e)
	_, end := m.In(s.o.Zone)
	return end
}
