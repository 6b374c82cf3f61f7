package calendar

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/sandbox/google/calendar/rule"
)

// Split is what a person does who changes an instance and all that follow: the series ends before it, and a new one goes
// on, whose id it gives: that of the old one with the start, or a fresh one where that is asked for, as the real service
// does sometimes. Instances that differed keep their ids and go to the new series, unless it has another time.
func (p *Person) Split(instance string, fresh bool, edit func(*gcal.Event)) (series string) {
	p.on(instance, func(c *calendar, t *target) bool {
		cut, found := c.cut(t)
		if !found || !c.organizes(t.at.Content) {
			return false
		}
		series = cut.base + "_R" + strings.TrimSuffix(startKey(cut.original), "Z")
		if fresh {
			series = c.id()
		}
		next, ok := p.rest(c, cut, series, edit)
		if !ok {
			series = ""
			return false
		}
		if !fresh && startKey(object(next, "start")) == startKey(cut.original) {
			p.rehome(c, cut, series, text(next, "iCalUID"))
		}
		made := p.s.add(c, series, next, nil)
		p.s.spread(c, made, nil, nil, true)
		p.truncate(c, cut)
		return true
	})
	return series
}

// Truncate is what a person does who deletes an instance and all that follow.
func (p *Person) Truncate(instance string) bool {
	return p.on(instance, func(c *calendar, t *target) bool {
		cut, found := c.cut(t)
		if !found || !c.organizes(t.at.Content) {
			return false
		}
		p.truncate(c, cut)
		return true
	})
}

// cut is where a series is split: before the instance of an original start.
type cut struct {
	series   *event
	base     string
	original content
	wall     time.Time
	// before is how many instances there are before it.
	before int
	// left is how many the rule has from it on, those among them that were taken out.
	left int
}

func (c *calendar) cut(t *target) (cut, bool) {
	series := c.Events[text(t.at.Content, "recurringEventId")]
	if series == nil {
		return cut{}, false
	}
	at := cut{series: series, base: baseOf(series.ID), original: object(t.at.Content, "originalStartTime")}
	event := series.now().Content
	for n, wall := range c.starts(event, far, maxInstances) {
		if c.key(event, wall) == startKey(at.original) {
			at.wall, at.before = wall, n
			for _, wall := range c.starts(ruled(event), far, maxInstances) {
				if !wall.Before(at.wall) {
					at.left++
				}
			}
			return at, true
		}
	}
	return cut{}, false
}

// ruled is a recurring event with its rules alone.
func ruled(event content) content {
	out := clone(event)
	lines, _ := out["recurrence"].([]any)
	out["recurrence"] = slices.DeleteFunc(slices.Clone(lines), func(line any) bool {
		text, _ := line.(string)
		return !strings.HasPrefix(text, "RRULE:")
	})
	return out
}

// rest is the series that goes on.
func (p *Person) rest(c *calendar, at cut, id string, edit func(*gcal.Event)) (content, bool) {
	former := at.series.now()
	next := c.instance(at.series, former, at.wall).Content
	delete(next, "recurringEventId")
	delete(next, "originalStartTime")
	next["iCalUID"] = id + "@google.com"
	next["recurrence"] = reruled(former.Content, func(parts []string) []string {
		for i, part := range parts {
			var count int
			if _, err := fmt.Sscanf(part, "COUNT=%d", &count); err == nil {
				parts[i] = fmt.Sprintf("COUNT=%d", max(at.left, 1))
			}
		}
		return parts
	})
	if edit != nil {
		e := p.seen(c, id, nil, version{Content: next, At: p.s.o.Now(), Updated: p.s.o.Now()})
		edit(e)
		next = p.edited(c, next, e)
	}
	return next, c.normal(next) == nil
}

// rehome gives the instances that differ, from the cut on, to the series that goes on.
func (p *Person) rehome(c *calendar, at cut, series, uid string) {
	for _, id := range sortedKeys(maps.Clone(c.exceptions[at.series.ID])) {
		e := c.Events[id]
		before := e.now()
		if c.moment(object(before.Content, "originalStartTime")).Before(c.moment(at.original)) {
			continue
		}
		next := clone(before.Content)
		next["recurringEventId"], next["iCalUID"] = series, uid
		p.s.put(c, e, next, before.Edited)
		p.s.spread(c, e, before.Content, before.Edited, true)
	}
	for _, key := range sortedKeys(p.s.all) {
		p.rehomeCopies(p.s.all[key], at, series, uid)
	}
}

// rehomeCopies does the same with instances that differ for a guest alone, as one to which the guest is not invited.
func (p *Person) rehomeCopies(c *calendar, at cut, series, uid string) {
	for _, id := range sortedKeys(maps.Clone(c.exceptions[at.series.ID])) {
		e := c.Events[id]
		before := e.now()
		if object(before.Content, "originalStartTime") == nil || c.moment(object(before.Content, "originalStartTime")).Before(c.moment(at.original)) {
			continue
		}
		next := clone(before.Content)
		next["recurringEventId"], next["iCalUID"] = series, uid
		p.s.put(c, e, next, before.Edited)
	}
}

// truncate ends the series before the cut: at the last second of the day before, as the pages do.
func (p *Person) truncate(c *calendar, at cut) {
	now := at.series.now()
	last := rule.Date(at.wall)
	until := last.AddDate(0, 0, -1).Format("20060102")
	if start := object(now.Content, "start"); !allDay(start) {
		zone, _ := load(text(start, "timeZone"))
		until = rule.Instant(last, zone).Add(-time.Second).Format("20060102T150405Z")
	}
	t := &target{id: at.series.ID, stored: at.series, at: now}
	ch := &change{s: p.s, c: c, t: t, next: clone(now.Content), mailed: true}
	if at.before == 0 {
		ch.remove()
		return
	}
	ch.next["recurrence"] = reruled(now.Content, func(parts []string) []string {
		parts = slices.DeleteFunc(parts, func(part string) bool {
			return strings.HasPrefix(part, "COUNT=") || strings.HasPrefix(part, "UNTIL=")
		})
		return append(parts, "UNTIL="+until)
	})
	ch.byOrganizer()
}

// reruled are the lines of a recurrence with the parts of its rules changed.
func reruled(event content, do func(parts []string) []string) []any {
	var out []any
	list, _ := event["recurrence"].([]any)
	for _, line := range list {
		text, _ := line.(string)
		if value, is := strings.CutPrefix(text, "RRULE:"); is {
			parts := slices.DeleteFunc(strings.Split(value, ";"), func(part string) bool { return part == "" })
			text = "RRULE:" + strings.Join(do(parts), ";")
		}
		out = append(out, text)
	}
	return out
}
