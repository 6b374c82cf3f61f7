package contacts

import (
	"context"
	"slices"
	"time"

	"github.com/tandem-sync/tandem/shared/zone"
)

// days reads the instants that a site has for calendar days. A site stores a date as midnight in a zone: the user's, its own
// default, or UTC. An instant at another time of day is a day as the user sees it.
type days struct{ user, site *time.Location }

// of is the calendar day of an instant; empty for none.
func (d days) of(t time.Time) string {
	if t.Year() <= 1 {
		return ""
	}
	if day, ok := d.midnight(t); ok {
		return day
	}
	for _, loc := range []*time.Location{d.user, d.site} {
		if loc != nil {
			return t.In(loc).Format(time.DateOnly)
		}
	}
	return somewhere(t)
}

// midnight is the day that begins at an instant in one of the zones. Sites reckon with the offsets of today for days of long ago, so
// those count as well.
func (d days) midnight(t time.Time) (string, bool) {
	for _, loc := range []*time.Location{d.user, d.site, time.UTC} {
		if loc == nil {
			continue
		}
		_, then := t.In(loc).Zone()
		for _, offset := range append([]int{then}, offsetsToday(loc)...) {
			if local := t.UTC().Add(time.Duration(offset) * time.Second); local.Equal(local.Truncate(24 * time.Hour)) {
				return local.Format(time.DateOnly), true
			}
		}
	}
	return "", false
}

// offsetsToday are the offsets of a zone in winter and in summer, of a year with the rules of today.
func offsetsToday(loc *time.Location) []int {
	_, january := time.Date(2024, 1, 1, 0, 0, 0, 0, loc).Zone()
	_, july := time.Date(2024, 7, 1, 0, 0, 0, 0, loc).Zone()
	return []int{january, july}
}

// eastmost is the offset of the zones in which a day begins first where many people live: Tonga's, and New Zealand's
// in summer.
const eastmost = 13 * time.Hour

// somewhere is the day that begins at an instant where people live, from ten hours behind UTC to thirteen ahead of it. Noon in UTC is
// how programs write a day that is to be the same in most zones.
func somewhere(t time.Time) string {
	if t = t.UTC(); t.Equal(t.Truncate(24 * time.Hour).Add(12 * time.Hour)) {
		return t.Format(time.DateOnly)
	}
	return t.Add(eastmost).Format(time.DateOnly)
}

// readDays finds the zones by which the birthdays of people are read. The site is asked for its own only where it matters.
func (s *Side) readDays(ctx context.Context, people []*person) error {
	d := days{}
	if loc, ok := zone.Load(s.user.TimeZone); ok {
		d.user = loc
	}
	plain := func(t time.Time) bool {
		_, ok := d.midnight(t)
		return ok || t.Year() <= 1
	}
	if slices.ContainsFunc(people, func(p *person) bool { return !plain(p.birthDate()) }) {
		code, err := s.site.DefaultTimeZone(ctx)
		if err != nil {
			return err
		}
		if loc, ok := zone.Load(code); ok {
			d.site = loc
		}
	}
	for _, p := range people {
		p.days = d
	}
	return nil
}
