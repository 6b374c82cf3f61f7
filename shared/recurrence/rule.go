package recurrence

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/teambition/rrule-go"

	"github.com/tandem-sync/tandem/shared/zone"
)

// maxInterval is further apart than instances of any calendar.
const maxInterval = 1000

// read reads the lines of a series: one rule, and the instances that are excluded.
func (s Series) read() (rule rrule.ROption, b bounds, err error) {
	rules := 0
	b.excluded = map[int64]bool{}
	for _, line := range s.Lines {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		property, params, _ := strings.Cut(name, ";")
		switch property = strings.ToUpper(property); {
		case !ok:
			return rule, b, ErrAsk
		case property == "RRULE" && params == "":
			rules++
			rule, b.until, err = s.readRule(value)
		case property == "EXDATE":
			err = s.readDates(params, value, b.excluded)
		default:
			// RDATE and EXRULE are the service's.
			err = ErrAsk
		}
		if err != nil {
			return rule, b, err
		}
	}
	if rules != 1 || !s.matches(rule) {
		return rule, b, ErrAsk
	}
	return rule, b, nil
}

var frequencies = map[string]rrule.Frequency{"DAILY": rrule.DAILY, "WEEKLY": rrule.WEEKLY, "MONTHLY": rrule.MONTHLY, "YEARLY": rrule.YEARLY}

// readRule reads the value of an RRULE, with the place of its end.
func (s Series) readRule(value string) (rule rrule.ROption, until time.Time, err error) {
	rule = rrule.ROption{Freq: -1, Dtstart: wall(s.Start), Interval: 1, Wkst: rrule.MO}
	seen := map[string]bool{}
	for _, part := range strings.Split(strings.ToUpper(strings.TrimSpace(value)), ";") {
		if part == "" {
			continue
		}
		key, text, _ := strings.Cut(part, "=")
		known := false
		if key == "UNTIL" {
			until, known = s.readUntil(text)
		} else {
			known = readPart(&rule, key, text)
		}
		if seen[key] || !known {
			return rule, until, ErrAsk
		}
		seen[key] = true
	}
	if rule.Freq < 0 || seen["COUNT"] && seen["UNTIL"] || !sure(rule) {
		return rule, until, ErrAsk
	}
	return rule, until, nil
}

// readPart reads one part of a rule; false for what is not known.
func readPart(rule *rrule.ROption, key, text string) (ok bool) {
	switch key {
	case "FREQ":
		rule.Freq, ok = frequencies[text]
		return ok
	case "INTERVAL":
		rule.Interval, ok = number(text, 1, maxInterval)
	case "COUNT":
		rule.Count, ok = number(text, 1, 1<<20)
	case "WKST":
		var day rrule.Weekday
		var n int
		day, n, ok = weekday(text)
		rule.Wkst, ok = day, ok && n == 0
	case "BYDAY":
		rule.Byweekday, ok = weekdays(text)
	case "BYMONTH":
		rule.Bymonth, ok = numbers(text, 1, 12)
	case "BYMONTHDAY":
		rule.Bymonthday, ok = numbers(text, -31, 31)
	case "BYSETPOS":
		rule.Bysetpos, ok = numbers(text, -366, 366)
	}
	return ok
}

// sure reports whether the rule is one of those that every calendar reads in the same way.
func sure(rule rrule.ROption) bool {
	numbered := 0
	for _, day := range rule.Byweekday {
		if day.N() != 0 {
			numbered++
		}
	}
	switch {
	case numbered != 0 && numbered != len(rule.Byweekday):
		return false
	case numbered > 0 && (rule.Freq == rrule.DAILY || rule.Freq == rrule.WEEKLY):
		return false
	case numbered > 0 && len(rule.Bymonthday) > 0:
		return false
	case len(rule.Bymonthday) > 0 && (rule.Freq == rrule.WEEKLY || rule.Freq == rrule.YEARLY && len(rule.Bymonth) == 0):
		return false
	case len(rule.Bysetpos) > 0 && (rule.Freq != rrule.MONTHLY || len(rule.Byweekday)+len(rule.Bymonthday) == 0):
		return false
	}
	return true
}

// readUntil reads the end of a rule. One of another kind than the start is read by each calendar in its own way.
func (s Series) readUntil(text string) (time.Time, bool) {
	if s.AllDay {
		t, err := time.Parse("20060102", text)
		return s.place(t), err == nil
	}
	t, err := time.Parse("20060102T150405Z", text)
	return t, err == nil
}

// readDates reads the value of an EXDATE, of the kind of the start.
func (s Series) readDates(params, value string, into map[int64]bool) error {
	date := false
	for _, p := range strings.Split(params, ";") {
		switch key, text, _ := strings.Cut(p, "="); strings.ToUpper(key) {
		case "":
		case "VALUE":
			date = strings.EqualFold(text, "DATE")
			if !date && !strings.EqualFold(text, "DATE-TIME") {
				return ErrAsk
			}
		case "TZID":
			if loc, ok := zone.Load(text); !ok || loc.String() != zone.Canonical(s.Zone.String()) {
				return ErrAsk
			}
		default:
			return ErrAsk
		}
	}
	if date && !s.AllDay {
		return ErrAsk
	}
	for _, text := range strings.Split(strings.TrimSpace(value), ",") {
		at, ok := s.readDate(text)
		if !ok {
			return ErrAsk
		}
		into[at.Unix()] = true
	}
	return nil
}

// readDate reads a day of an all-day series, else an instant or a local time.
func (s Series) readDate(text string) (time.Time, bool) {
	if s.AllDay {
		t, err := time.Parse("20060102", text)
		return s.place(t), err == nil
	}
	if t, err := time.Parse("20060102T150405Z", text); err == nil {
		return t, true
	}
	t, err := time.Parse("20060102T150405", text)
	return s.place(t), err == nil
}

// matches reports whether the series' start satisfies its own rule, as far as that shows without its other instances. It keeps
// the expansion of a rule that has no instance from looking for one for ever.
func (s Series) matches(rule rrule.ROption) bool {
	at := wall(s.Start)
	if s.AllDay && !at.Equal(at.Truncate(24*time.Hour)) {
		return false
	}
	if len(rule.Bymonth) > 0 && !slices.Contains(rule.Bymonth, int(at.Month())) {
		return false
	}
	if len(rule.Bymonthday) > 0 {
		last := time.Date(at.Year(), at.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
		if !slices.Contains(rule.Bymonthday, at.Day()) && !slices.Contains(rule.Bymonthday, at.Day()-last-1) {
			return false
		}
	}
	if len(rule.Byweekday) == 0 {
		return true
	}
	return slices.ContainsFunc(rule.Byweekday, func(day rrule.Weekday) bool {
		return day.Day() == (int(at.Weekday())+6)%7
	})
}

var dayNames = map[string]rrule.Weekday{
	"MO": rrule.MO, "TU": rrule.TU, "WE": rrule.WE, "TH": rrule.TH, "FR": rrule.FR, "SA": rrule.SA, "SU": rrule.SU,
}

// weekday reads "MO", or "2MO" with its number.
func weekday(text string) (day rrule.Weekday, n int, ok bool) {
	if len(text) < 2 {
		return day, 0, false
	}
	day, ok = dayNames[text[len(text)-2:]]
	if prefix := text[:len(text)-2]; ok && prefix != "" {
		n, ok = number(strings.TrimPrefix(prefix, "+"), -53, 53)
		ok = ok && n != 0
		day = day.Nth(n)
	}
	return day, n, ok
}

func weekdays(text string) ([]rrule.Weekday, bool) {
	var out []rrule.Weekday
	for _, item := range strings.Split(text, ",") {
		day, _, ok := weekday(item)
		if !ok {
			return nil, false
		}
		out = append(out, day)
	}
	return out, true
}

func numbers(text string, least, most int) ([]int, bool) {
	var out []int
	for _, item := range strings.Split(text, ",") {
		n, ok := number(strings.TrimPrefix(item, "+"), least, most)
		if !ok || n == 0 {
			return nil, false
		}
		out = append(out, n)
	}
	return out, true
}

func number(text string, least, most int) (int, bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= least && n <= most
}
