package rule

import (
	"slices"
	"time"
)

// wants reports whether a rule has a day. What the rule leaves open, the start says
// (the table of RFC 5545, section 3.3.10).
func (r *rule) wants(day, start time.Time) bool {
	if len(r.months) > 0 && !slices.Contains(r.months, int(day.Month())) {
		return false
	}
	if len(r.weeks) > 0 && !r.inWeeks(day) {
		return false
	}
	if len(r.yearDays) > 0 && !either(r.yearDays, day.YearDay(), yearLength(day.Year())) {
		return false
	}
	if len(r.monthDays) > 0 && !either(r.monthDays, day.Day(), monthLength(day)) {
		return false
	}
	if len(r.days) > 0 {
		return slices.ContainsFunc(r.days, func(w weekday) bool { return r.isDay(w, day) })
	}
	if len(r.monthDays) > 0 || len(r.yearDays) > 0 {
		return true
	}
	switch {
	case r.freq == "DAILY":
		return true
	case r.freq == "WEEKLY", len(r.weeks) > 0:
		return day.Weekday() == start.Weekday()
	case r.freq == "MONTHLY", len(r.months) > 0:
		return day.Day() == start.Day()
	default:
		return day.Month() == start.Month() && day.Day() == start.Day()
	}
}

// isDay reports whether a day is the weekday, and the nth of its month or year where that is asked for.
func (r *rule) isDay(w weekday, day time.Time) bool {
	if day.Weekday() != w.day {
		return false
	}
	if w.nth == 0 || r.freq == "DAILY" || r.freq == "WEEKLY" {
		return true
	}
	of, length := day.Day(), monthLength(day)
	if r.freq == "YEARLY" && len(r.months) == 0 {
		of, length = day.YearDay(), yearLength(day.Year())
	}
	if w.nth > 0 {
		return (of-1)/7+1 == w.nth
	}
	return (length-of)/7+1 == -w.nth
}

// inWeeks reports whether a day lies in one of the weeks of its year. The first week is the first with four days or more
// in the year.
func (r *rule) inWeeks(day time.Time) bool {
	first, next := r.firstWeek(day.Year()), r.firstWeek(day.Year()+1)
	switch {
	case day.Before(first):
		first, next = r.firstWeek(day.Year()-1), first
	case !day.Before(next):
		first, next = next, r.firstWeek(day.Year()+2)
	}
	days := func(from, to time.Time) int { return int(to.Sub(from).Hours()) / 24 }
	return either(r.weeks, days(first, day)/7+1, days(first, next)/7)
}

// firstWeek is the first day of the first week of a year.
func (r *rule) firstWeek(year int) time.Time {
	// The week that has January 4 has four days or more in the year.
	fourth := time.Date(year, 1, 4, 0, 0, 0, 0, time.UTC)
	back := (int(fourth.Weekday()) - int(r.weekStart) + 7) % 7
	return fourth.AddDate(0, 0, -back)
}

// either reports whether a list has a number, counted from the beginning or, below zero, from the end.
func either(list []int, n, length int) bool {
	return slices.Contains(list, n) || slices.Contains(list, n-length-1)
}

func yearLength(year int) int { return time.Date(year, 12, 31, 0, 0, 0, 0, time.UTC).YearDay() }

func monthLength(day time.Time) int {
	return time.Date(day.Year(), day.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
}
