// Package recurrence says when the instances of a recurring event are, where its rule is one that it surely reads as the
// calendar does. It is for the adapter of a calendar, which asks the service about every other series.
//
// Its invariants:
//
//   - Nothing is guessed: of a rule beyond the known ones, and of one that does not have the series' own start, Expand says
//     ErrAsk.
//   - Rules are expanded in wall-clock time, and every local time is turned into an instant by itself, so that an instance stays
//     at its hour when clocks change.
//   - An expansion ends: at the end of the range, whatever the rule.
//
// The package is pure: no I/O, no clock, no logger.
package recurrence

import (
	"errors"
	"time"

	"github.com/teambition/rrule-go"

	"github.com/tandem-sync/tandem/shared/zone"
)

// ErrAsk says that the service has to be asked for the instances of a series.
var ErrAsk = errors.New("only the service knows the instances")

// Series is a recurring event.
type Series struct {
	// Start is when its first instance starts: for an all-day series midnight UTC of that day, else the local time, whose own
	// location does not count.
	Start  time.Time
	AllDay bool
	// Zone is where the local times are.
	Zone *time.Location
	// Lines are those of its recurrence, as "RRULE:FREQ=DAILY" (RFC 5545, section 3.8.5).
	Lines []string
}

// Expand gives the original starts of a series' instances that start before the given time, in order: local times, as Start is
// one. ErrAsk where the service has to be asked.
func Expand(s Series, before time.Time) ([]time.Time, error) {
	rule, bounds, err := s.read()
	if err != nil {
		return nil, err
	}
	expansion, err := rrule.NewRRule(rule)
	if err != nil {
		return nil, ErrAsk
	}
	var out []time.Time
	next := expansion.Iterator()
	first, ok := next()
	if !ok || !first.Equal(rule.Dtstart) || s.ends(bounds, first) {
		// The start is outside of its own rule, and the service has a mind of its own about that.
		return nil, ErrAsk
	}
	for at := first; ok; at, ok = next() {
		// No clock is further from UTC than that, so that most starts need no zone.
		if near := at.After(before.Add(-36 * time.Hour)); near && !s.instant(at).Before(before) {
			break
		}
		if s.ends(bounds, at) {
			break
		}
		if len(bounds.excluded) == 0 || !bounds.excluded[s.place(at).Unix()] {
			out = append(out, at)
		}
	}
	return out, nil
}

// bounds are what a series leaves out of the starts that its rule has, by their place.
type bounds struct {
	// until is the last one at which an instance may start; zero for none.
	until    time.Time
	excluded map[int64]bool
}

// ends reports whether a start is beyond the last one.
func (s Series) ends(b bounds, at time.Time) bool {
	return !b.until.IsZero() && s.place(at).After(b.until)
}

// instant is when a local time of the series is.
func (s Series) instant(local time.Time) time.Time {
	if s.AllDay {
		return zone.DateOf(local, time.UTC).Start(s.Zone)
	}
	return zone.Instant(local, s.Zone)
}

// place is where an end or an exclusion finds a local time of the series: days by their date, times as instants, since a local
// time that comes twice, or that clocks skip, says too little.
func (s Series) place(local time.Time) time.Time {
	if s.AllDay {
		return wall(local)
	}
	return s.instant(local)
}

// wall is a local time as if it were UTC.
func wall(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}
