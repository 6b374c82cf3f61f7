package rule

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ErrInvalid is the error of lines that are no recurrence.
var ErrInvalid = errors.New("invalid recurrence rule")

// moment is a time in a line: a date, a time in UTC, or a wall time of some zone.
type moment struct {
	at   time.Time
	form form
	zone *time.Location
}

type form int

const (
	date form = iota
	utc
	local
)

// rule is one RRULE or EXRULE.
type rule struct {
	freq              string
	interval, count   int
	until             *moment
	weekStart         time.Weekday
	days              []weekday
	months, monthDays []int
	yearDays, weeks   []int
	setPos            []int
	hours, mins, secs []int
}

// weekday is a day of the week; nth counts from the beginning of the month or year, or from its end, and is 0 for every
// one.
type weekday struct {
	nth int
	day time.Weekday
}

// Set is the recurrence of a series.
type Set struct {
	rules, exrules []rule
	dates, exdates []moment
}

// Parse reads the lines of a recurrence (RFC 5545, section 3.8.5).
func Parse(lines []string) (*Set, error) {
	s := &Set{}
	for _, line := range lines {
		head, value, found := strings.Cut(strings.TrimSpace(line), ":")
		if !found {
			return nil, fmt.Errorf("%w: %q has no name", ErrInvalid, line)
		}
		name, params, _ := strings.Cut(head, ";")
		var err error
		switch strings.ToUpper(name) {
		case "RRULE":
			s.rules, err = readRule(s.rules, value)
		case "EXRULE":
			s.exrules, err = readRule(s.exrules, value)
		case "RDATE":
			s.dates, err = readDates(s.dates, params, value)
		case "EXDATE":
			s.exdates, err = readDates(s.exdates, params, value)
		default:
			err = fmt.Errorf("%w: %s is not allowed", ErrInvalid, name)
		}
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

func readDates(have []moment, params, value string) ([]moment, error) {
	zone := (*time.Location)(nil)
	for param := range strings.SplitSeq(params, ";") {
		if id, found := strings.CutPrefix(strings.ToUpper(param), "TZID="); found {
			// Names of zones are sensitive to case.
			loaded, err := time.LoadLocation(param[len(param)-len(id):])
			if err != nil {
				return nil, fmt.Errorf("%w: %s", ErrInvalid, param)
			}
			zone = loaded
		}
	}
	for text := range strings.SplitSeq(value, ",") {
		m, err := readMoment(text)
		if err != nil {
			return nil, err
		}
		m.zone = zone
		have = append(have, *m)
	}
	return have, nil
}

func readMoment(text string) (*moment, error) {
	for _, known := range []struct {
		layout string
		form   form
	}{{"20060102", date}, {"20060102T150405Z", utc}, {"20060102T150405", local}} {
		if at, err := time.Parse(known.layout, strings.TrimSpace(text)); err == nil {
			return &moment{at: at, form: known.form}, nil
		}
	}
	return nil, fmt.Errorf("%w: %q is no time", ErrInvalid, text)
}

var (
	frequencies = []string{"YEARLY", "MONTHLY", "WEEKLY", "DAILY"}
	weekdays    = []string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}
)

// readRule reads the parts of a rule. Empty parts, as a trailing semicolon leaves one, are nothing.
func readRule(have []rule, value string) ([]rule, error) {
	r := rule{interval: 1, weekStart: time.Monday}
	seen := map[string]bool{}
	for part := range strings.SplitSeq(strings.ToUpper(value), ";") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, text, _ := strings.Cut(part, "=")
		if seen[name] {
			return nil, fmt.Errorf("%w: %s is there twice", ErrInvalid, name)
		}
		seen[name] = true
		if err := r.read(name, text); err != nil {
			return nil, err
		}
	}
	if !slices.Contains(frequencies, r.freq) || r.count > 0 && r.until != nil {
		return nil, fmt.Errorf("%w: %s", ErrInvalid, value)
	}
	return append(have, r), nil
}

func (r *rule) read(name, text string) (err error) {
	switch name {
	case "FREQ":
		r.freq = text
	case "INTERVAL":
		r.interval, err = positive(text)
	case "COUNT":
		r.count, err = positive(text)
	case "UNTIL":
		r.until, err = readMoment(text)
	case "WKST":
		var day weekday
		day, err = readDay(text)
		r.weekStart = day.day
	case "BYDAY":
		for one := range strings.SplitSeq(text, ",") {
			day, wrong := readDay(one)
			if wrong != nil {
				return wrong
			}
			r.days = append(r.days, day)
		}
	default:
		return r.readNumbers(name, text)
	}
	return err
}

// readNumbers reads a part that is a list of numbers; bounds are those of RFC 5545, section 3.3.10.
func (r *rule) readNumbers(name, text string) (err error) {
	known := map[string]struct {
		into        *[]int
		least, most int
	}{
		"BYMONTH": {&r.months, 1, 12}, "BYMONTHDAY": {&r.monthDays, -31, 31}, "BYYEARDAY": {&r.yearDays, -366, 366},
		"BYWEEKNO": {&r.weeks, -53, 53}, "BYSETPOS": {&r.setPos, -366, 366},
		"BYHOUR": {&r.hours, 0, 23}, "BYMINUTE": {&r.mins, 0, 59}, "BYSECOND": {&r.secs, 0, 60},
	}
	part, found := known[name]
	if !found {
		return fmt.Errorf("%w: %s is not known", ErrInvalid, name)
	}
	for one := range strings.SplitSeq(text, ",") {
		n, wrong := strconv.Atoi(one)
		if wrong != nil || n < part.least || n > part.most || n == 0 && part.least != 0 {
			return fmt.Errorf("%w: %s=%s", ErrInvalid, name, text)
		}
		*part.into = append(*part.into, n)
	}
	return nil
}

// maxNumber is the largest INTERVAL and COUNT.
const maxNumber = 100_000

func positive(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxNumber {
		return 0, fmt.Errorf("%w: %q is no number from 1 to %d", ErrInvalid, text, maxNumber)
	}
	return n, nil
}

func readDay(text string) (weekday, error) {
	if len(text) >= 2 {
		at := slices.Index(weekdays, text[len(text)-2:])
		number := text[:len(text)-2]
		nth, err := strconv.Atoi(number)
		if number == "" {
			nth, err = 0, nil
		} else if nth == 0 {
			err = ErrInvalid
		}
		if at >= 0 && err == nil {
			return weekday{nth, time.Weekday(at)}, nil
		}
	}
	return weekday{}, fmt.Errorf("%w: %q is no weekday", ErrInvalid, text)
}
