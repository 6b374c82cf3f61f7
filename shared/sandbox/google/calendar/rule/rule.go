// Package rule says when the instances of a recurring event begin. It is for the simulated calendar, which answers with
// them as the real service does.
//
// It is deliberately plain: it goes through the days of each period, one by one, and asks of each whether the rule wants
// it. It shares nothing with Tandem's own expansion, which is held against it.
//
// Its invariants:
//
//   - Times are wall times of the series' own zone, given as times in UTC.
//   - The start of a series is its first instance, whether or not its rule has it; only what the rule has is counted by
//     COUNT.
//   - An UNTIL of the other kind than the start means a whole day: for a series with times, that day in its zone; for one
//     of whole days, the day that the moment lies in by the calendar's zone.
package rule

import (
	"slices"
	"time"
)

// Series is a recurring event, as far as its times go.
type Series struct {
	// Start is the wall time of the first instance.
	Start  time.Time
	AllDay bool
	// Zone is that of a series with times; Calendar that of the calendar the series is in.
	Zone, Calendar *time.Location
	Set            *Set
}

// horizon ends every expansion.
const horizon = 80

// Starts are the wall times at which instances begin, from the first one to an end (exclusive), and no more than most of
// them.
func (s Series) Starts(end time.Time, most int) []time.Time {
	if last := s.Start.AddDate(horizon, 0, 0); end.After(last) {
		end = last
	}
	out := []time.Time{s.Start}
	for _, r := range s.Set.rules {
		out = append(out, s.matches(r, end, most)...)
	}
	for _, m := range s.Set.dates {
		if at := s.wall(m); !at.Before(s.Start) {
			out = append(out, at)
		}
	}
	gone := map[time.Time]bool{}
	for _, m := range s.Set.exdates {
		gone[s.wall(m)] = true
	}
	for _, r := range s.Set.exrules {
		for _, at := range s.matches(r, end, most*2) {
			gone[at] = true
		}
	}
	out = slices.DeleteFunc(out, func(at time.Time) bool { return gone[at] || !at.Before(end) })
	slices.SortFunc(out, time.Time.Compare)
	out = slices.Compact(out)
	return out[:min(len(out), most)]
}

// Endless reports whether a rule has neither COUNT nor UNTIL.
func (s *Set) Endless() bool {
	return slices.ContainsFunc(s.rules, func(r rule) bool { return r.count == 0 && r.until == nil })
}

// wall is a moment as a wall time of the series; of a series of whole days, the day.
func (s Series) wall(m moment) time.Time {
	switch {
	case s.AllDay && m.form == utc:
		return Date(Wall(m.at, s.Calendar))
	case s.AllDay:
		return Date(m.at)
	case m.form == utc:
		return Wall(m.at, s.Zone)
	case m.form == local && m.zone != nil:
		return Wall(Instant(m.at, m.zone), s.Zone)
	case m.form == date:
		// A day without a time is that day's instance.
		return m.at.Add(s.Start.Sub(Date(s.Start)))
	}
	return m.at
}

// over reports whether a wall time lies after the end of a rule.
func (s Series) over(r rule, at time.Time) bool {
	switch until := r.until; {
	case until == nil:
		return false
	case s.AllDay:
		return Date(at).After(s.wall(*until))
	case until.form == date:
		return Date(at).After(until.at)
	case until.form == utc:
		return Instant(at, s.Zone).After(until.at)
	default:
		return at.After(until.at)
	}
}

// matches are the wall times that a rule has, from the start of the series to an end.
func (s Series) matches(r rule, end time.Time, most int) []time.Time {
	var out []time.Time
	for n := 0; len(out) < most; n++ {
		first := r.period(s.Start, n*r.interval)
		if !first.Before(end) && first.After(s.Start) {
			break
		}
		for _, at := range s.inPeriod(r, first) {
			if at.Before(s.Start) {
				continue
			}
			if s.over(r, at) || r.count > 0 && len(out) == r.count || !at.Before(end) {
				return out
			}
			out = append(out, at)
		}
	}
	return out
}

// period is the first day of the nth period after that of the start.
func (r *rule) period(start time.Time, n int) time.Time {
	day := Date(start)
	switch r.freq {
	case "DAILY":
		return day.AddDate(0, 0, n)
	case "WEEKLY":
		back := (int(day.Weekday()) - int(r.weekStart) + 7) % 7
		return day.AddDate(0, 0, 7*n-back)
	case "MONTHLY":
		return time.Date(day.Year(), day.Month()+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	default:
		return time.Date(day.Year()+n, 1, 1, 0, 0, 0, 0, time.UTC)
	}
}

// inPeriod are the wall times of one period, those before the start of the series among them.
func (s Series) inPeriod(r rule, first time.Time) []time.Time {
	var end time.Time
	switch r.freq {
	case "DAILY":
		end = first.AddDate(0, 0, 1)
	case "WEEKLY":
		end = first.AddDate(0, 0, 7)
	case "MONTHLY":
		end = first.AddDate(0, 1, 0)
	default:
		end = first.AddDate(1, 0, 0)
	}
	var out []time.Time
	for day := first; day.Before(end); day = day.AddDate(0, 0, 1) {
		if r.wants(day, s.Start) {
			out = append(out, s.times(r, day)...)
		}
	}
	if len(r.setPos) == 0 {
		return out
	}
	var picked []time.Time
	for _, pos := range r.setPos {
		if pos < 0 {
			pos += len(out) + 1
		}
		if pos >= 1 && pos <= len(out) {
			picked = append(picked, out[pos-1])
		}
	}
	slices.SortFunc(picked, time.Time.Compare)
	return slices.Compact(picked)
}

// times are the wall times of one day.
func (s Series) times(r rule, day time.Time) []time.Time {
	if s.AllDay {
		return []time.Time{day}
	}
	or := func(list []int, otherwise int) []int {
		if len(list) == 0 {
			return []int{otherwise}
		}
		return list
	}
	var out []time.Time
	for _, h := range or(r.hours, s.Start.Hour()) {
		for _, m := range or(r.mins, s.Start.Minute()) {
			for _, sec := range or(r.secs, s.Start.Second()) {
				out = append(out, day.Add(time.Duration(h)*time.Hour+time.Duration(m)*time.Minute+time.Duration(sec)*time.Second))
			}
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return slices.Compact(out)
}
