package recurrence

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	_ "github.com/tandem-sync/tandem/shared/sandbox/seed"
	"github.com/tandem-sync/tandem/shared/zone"
)

// naive is a rule that is expanded by asking of one day after the other whether it is in it.
type naive struct {
	freq              string
	interval, count   int
	weekStart         time.Weekday
	days              []nth
	months, monthDays []int
	positions         []int
	// until is the last start, and excluded are starts, as local times.
	until    time.Time
	excluded []time.Time
}

// nth is a weekday: the nth of its month, or every one where n is zero.
type nth struct {
	n   int
	day time.Weekday
}

var dayCodes = []string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}

// lines write a rule down.
func (r naive) lines(s Series) []string {
	parts := []string{"FREQ=" + r.freq, fmt.Sprintf("INTERVAL=%d", r.interval), "WKST=" + dayCodes[r.weekStart]}
	if r.count > 0 {
		parts = append(parts, fmt.Sprintf("COUNT=%d", r.count))
	}
	if !r.until.IsZero() {
		parts = append(parts, "UNTIL="+stamp(s, r.until))
	}
	var days []string
	for _, d := range r.days {
		n := ""
		if d.n != 0 {
			n = fmt.Sprint(d.n)
		}
		days = append(days, n+dayCodes[d.day])
	}
	if len(days) > 0 {
		parts = append(parts, "BYDAY="+strings.Join(days, ","))
	}
	for name, list := range map[string][]int{"BYMONTH": r.months, "BYMONTHDAY": r.monthDays, "BYSETPOS": r.positions} {
		if len(list) > 0 {
			parts = append(parts, name+"="+strings.Trim(strings.ReplaceAll(fmt.Sprint(list), " ", ","), "[]"))
		}
	}
	out := []string{"RRULE:" + strings.Join(parts, ";")}
	for _, at := range r.excluded {
		out = append(out, "EXDATE:"+stamp(s, at))
	}
	return out
}

func stamp(s Series, at time.Time) string {
	if s.AllDay {
		return at.Format("20060102")
	}
	return zone.Instant(at, s.Zone).UTC().Format("20060102T150405Z")
}

// period is a number that days of one week, month or year have in common.
func (r naive) period(day time.Time) int {
	switch r.freq {
	case "DAILY":
		return int(day.Unix() / 86400)
	case "WEEKLY":
		back := (int(day.Weekday()) - int(r.weekStart) + 7) % 7
		return int(day.AddDate(0, 0, -back).Unix()/86400+7) / 7
	case "MONTHLY":
		return day.Year()*12 + int(day.Month())
	default:
		return day.Year()
	}
}

// has reports whether a rule has a day, whatever its interval and its positions.
func (r naive) has(day, start time.Time) bool {
	last := time.Date(day.Year(), day.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
	if len(r.months) > 0 && !slices.Contains(r.months, int(day.Month())) {
		return false
	}
	if len(r.monthDays) > 0 && !slices.Contains(r.monthDays, day.Day()) && !slices.Contains(r.monthDays, day.Day()-last-1) {
		return false
	}
	if len(r.days) > 0 {
		return slices.ContainsFunc(r.days, func(d nth) bool {
			return d.day == day.Weekday() && (d.n == 0 || d.n == (day.Day()-1)/7+1 || d.n == -((last-day.Day())/7+1))
		})
	}
	switch {
	case len(r.monthDays) > 0, r.freq == "DAILY":
		return true
	case r.freq == "WEEKLY":
		return day.Weekday() == start.Weekday()
	case r.freq == "MONTHLY", len(r.months) > 0:
		return day.Day() == start.Day()
	default:
		return day.Day() == start.Day() && day.Month() == start.Month()
	}
}

// expand is what Expand is to give; false where the start is not the first of what the rule has.
func (r naive) expand(s Series, before time.Time) (out []time.Time, ok bool) {
	start := s.Start
	first := time.Date(start.Year()-1, 12, 1, start.Hour(), start.Minute(), 0, 0, time.UTC)
	var group []time.Time
	taken, over := 0, false
	end := func() {
		n := len(group)
		for i, at := range group {
			if len(r.positions) > 0 && !slices.Contains(r.positions, i+1) && !slices.Contains(r.positions, i-n) {
				continue
			}
			if at.Before(start) || over {
				continue
			}
			if taken == 0 && !at.Equal(start) {
				over = true
				continue
			}
			if taken++; r.count > 0 && taken > r.count || !r.until.IsZero() && at.After(r.until) || !s.instant(at).Before(before) {
				over = true
				continue
			}
			ok = true
			if !slices.ContainsFunc(r.excluded, at.Equal) {
				out = append(out, at)
			}
		}
		group = nil
	}
	for at := first; at.Before(before.AddDate(0, 2, 0)); at = at.AddDate(0, 0, 1) {
		if len(group) > 0 && r.period(group[0]) != r.period(at) {
			end()
		}
		if (r.period(at)-r.period(start))%r.interval == 0 && r.has(at, start) {
			group = append(group, at)
		}
	}
	end()
	return out, ok
}

// drawn is a rule of the kinds that Expand knows, most of which have their start.
func drawn(t *rapid.T, s Series) naive {
	r := naive{
		freq:     rapid.SampledFrom([]string{"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}).Draw(t, "frequency"),
		interval: rapid.IntRange(1, 4).Draw(t, "interval"), weekStart: time.Weekday(rapid.IntRange(0, 6).Draw(t, "week start")),
	}
	weekday, month := nth{day: s.Start.Weekday()}, int(s.Start.Month())
	more := rapid.SliceOfNDistinct(rapid.IntRange(0, 6), 0, 3, rapid.ID)
	if rapid.IntRange(0, 2).Draw(t, "months") == 0 {
		r.months = distinct(append(rapid.SliceOfN(rapid.IntRange(1, 12), 0, 3).Draw(t, "more months"), month))
	}
	switch rapid.IntRange(0, 4).Draw(t, "by") {
	case 0:
		if r.freq == "YEARLY" {
			// Plain weekdays of a year are all of them.
			r.months = distinct(append(r.months, month))
		}
		for _, d := range distinct(append(more.Draw(t, "days"), int(weekday.day))) {
			r.days = append(r.days, nth{day: time.Weekday(d)})
		}
	case 1:
		if r.freq == "MONTHLY" || r.freq == "YEARLY" {
			if r.freq == "YEARLY" {
				r.months = distinct(append(r.months, month))
			}
			weekday.n = (s.Start.Day()-1)/7 + 1
			r.days = []nth{weekday, {n: rapid.SampledFrom([]int{-2, -1, 1, 3}).Draw(t, "nth"), day: (weekday.day + 1) % 7}}
		}
	case 2:
		if r.freq == "MONTHLY" || r.freq == "YEARLY" {
			if r.freq == "YEARLY" {
				r.months = distinct(append(r.months, month))
			}
			r.monthDays = distinct(append(rapid.SliceOfN(rapid.SampledFrom([]int{-1, -31, 1, 15, 30, 31}), 0, 2).Draw(t, "month days"), s.Start.Day()))
		}
	case 3:
		if r.freq == "MONTHLY" {
			for d := range 7 {
				if d == int(weekday.day) || rapid.Bool().Draw(t, "set of "+dayCodes[d]) {
					r.days = append(r.days, nth{day: time.Weekday(d)})
				}
			}
			r.positions = distinct(rapid.SliceOfN(rapid.SampledFrom([]int{-2, -1, 1, 2, 3, 5}), 1, 3).Draw(t, "positions"))
		}
	}
	switch rapid.IntRange(0, 2).Draw(t, "end") {
	case 0:
		r.count = rapid.IntRange(1, 40).Draw(t, "count")
	case 1:
		r.until = s.Start.AddDate(0, 0, rapid.IntRange(0, 900).Draw(t, "days until"))
	}
	for _, days := range rapid.SliceOfN(rapid.IntRange(0, 60), 0, 5).Draw(t, "excluded") {
		r.excluded = append(r.excluded, s.Start.AddDate(0, 0, days))
	}
	return r
}

func distinct(list []int) []int {
	slices.Sort(list)
	return slices.Compact(list)
}

func TestAn_expansion_is_what_looking_at_every_day_gives(t *testing.T) {
	t.Parallel()
	zones := []string{"Europe/Kyiv", "America/New_York", "America/Santiago", "Australia/Lord_Howe", "Pacific/Apia", "UTC"}
	expanded, asked := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		s := series(t, rapid.SampledFrom(zones).Draw(t, "zone"), "2010-01-01 02:30")
		if s.AllDay = rapid.Bool().Draw(t, "all day"); s.AllDay {
			s.Start = s.Start.Truncate(24 * time.Hour)
		}
		s.Start = s.Start.AddDate(0, 0, rapid.IntRange(0, 7500).Draw(t, "day"))
		r := drawn(t, s)
		s.Lines = r.lines(s)
		before := s.Start.AddDate(0, 0, rapid.IntRange(1, 1500).Draw(t, "range"))
		want, ok := r.expand(s, before)
		got, err := Expand(s, before)
		switch {
		case errors.Is(err, ErrAsk) && !ok:
			asked++
		case err != nil || !ok:
			t.Fatalf("%q from %s: got %v, %v, want %v, %t", s.Lines, s.Start, got, err, want, ok)
		default:
			expanded++
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%q from %s (-want +got):\n%s", s.Lines, s.Start, diff)
			}
		}
	})
	if expanded < asked {
		t.Errorf("only %d rules of %d were expanded", expanded, expanded+asked)
	}
}
