package calendar

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/sandbox/google/calendar/rule"
)

// maxInstances is how many instances of a series without an end there are.
const maxInstances = 730

// far is later than any instance.
var far = time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC)

// target is an event that a request names: one that is stored, or an instance as its series has it.
type target struct {
	id string
	// stored is nil for an instance that does not differ from its series.
	stored *event
	series *event
	at     version
}

// instanceID is the form of ids of instances: that of the series, and the start by the rule.
var instanceID = regexp.MustCompile(`^(.+)_(\d{8}(T\d{6}Z)?)$`)

// splitID is the form of ids of series that were split from another one.
var splitID = regexp.MustCompile(`^(.+)_R\d{8}(T\d{6})?$`)

// baseOf is the id of the series from which a series was split, before the first split.
func baseOf(series string) string {
	if found := splitID.FindStringSubmatch(series); found != nil {
		return found[1]
	}
	return series
}

// find is the event of an id, a deleted one among them.
func (c *calendar) find(id string) *target {
	if e := c.Events[id]; e != nil {
		return &target{id: id, stored: e, at: e.now()}
	}
	found := instanceID.FindStringSubmatch(id)
	if found == nil {
		return nil
	}
	for _, series := range c.families[found[1]] {
		master := c.Events[series]
		at := master.now()
		if cancelled(at.Content) {
			continue
		}
		for _, wall := range c.starts(at.Content, far, maxInstances) {
			if c.key(at.Content, wall) == found[2] {
				return &target{id: id, series: master, at: c.instance(master, at, wall)}
			}
		}
	}
	return nil
}

// series is the recurrence of an event.
func (c *calendar) series(event content) rule.Series {
	start := object(event, "start")
	s := rule.Series{AllDay: allDay(start), Calendar: c.zone(), Zone: time.UTC, Start: day(start)}
	if !s.AllDay {
		// A zone was checked when it was stored.
		s.Zone, _ = load(text(start, "timeZone"))
		s.Start = rule.Wall(c.moment(start), s.Zone)
	}
	list, _ := event["recurrence"].([]any)
	var lines []string
	for _, line := range list {
		lines = append(lines, line.(string))
	}
	if len(lines) > 0 {
		s.Set, _ = rule.Parse(lines)
	}
	return s
}

// starts are the wall times at which the instances of a series begin by its rule, up to an instant.
func (c *calendar) starts(event content, end time.Time, most int) []time.Time {
	s := c.series(event)
	if s.Set == nil {
		return nil
	}
	if !s.Set.Endless() {
		most = 10 * maxInstances
	}
	return s.Starts(end.AddDate(0, 0, 2), most)
}

// original is a wall time as the original start of an instance.
func (c *calendar) original(event content, wall time.Time) content {
	start := object(event, "start")
	if allDay(start) {
		return content{"date": wall.Format(time.DateOnly)}
	}
	zone, _ := load(text(start, "timeZone"))
	return content{"dateTime": rule.Instant(wall, zone).Format(time.RFC3339), "timeZone": start["timeZone"]}
}

// key is a wall time of a series as ids of instances have it.
func (c *calendar) key(event content, wall time.Time) string {
	return startKey(c.original(event, wall))
}

func startKey(when content) string {
	if allDay(when) {
		return strings.ReplaceAll(text(when, "date"), "-", "")
	}
	at, _ := time.Parse(time.RFC3339, text(when, "dateTime"))
	return at.UTC().Format("20060102T150405Z")
}

// instance is one of a series, as the series has it.
func (c *calendar) instance(master *event, at version, wall time.Time) version {
	event := clone(at.Content)
	delete(event, "recurrence")
	start, end := object(at.Content, "start"), object(at.Content, "end")
	original := c.original(at.Content, wall)
	event["originalStartTime"], event["recurringEventId"] = original, master.ID
	event["start"] = clone(original)
	if allDay(start) {
		event["end"] = content{"date": wall.Add(day(end).Sub(day(start))).Format(time.DateOnly)}
	} else {
		lasts := c.moment(end).Sub(c.moment(start))
		event["end"] = content{"dateTime": c.moment(original).Add(lasts).Format(time.RFC3339), "timeZone": end["timeZone"]}
	}
	at.Content, at.Edited = event, nil
	return at
}

// listedInstance is an instance with its id.
type listedInstance struct {
	id string
	version
}

// instancesOf are the instances of a series as they were up to a change, those that differ in their place, deleted ones
// among them.
func (c *calendar) instancesOf(master *event, seq int64, from, to time.Time) []listedInstance {
	at, there := master.upTo(seq)
	if !there {
		return nil
	}
	stored := map[string]*event{}
	for _, e := range c.exceptions[master.ID] {
		if v, there := e.upTo(seq); there && text(v.Content, "recurringEventId") == master.ID {
			stored[startKey(object(v.Content, "originalStartTime"))] = e
		}
	}
	var out []listedInstance
	base := baseOf(master.ID)
	until := to
	if to.IsZero() {
		until = far
	}
	for _, wall := range c.starts(at.Content, until, maxInstances) {
		key := c.key(at.Content, wall)
		if stored[key] == nil {
			out = append(out, listedInstance{base + "_" + key, c.instance(master, at, wall)})
		}
	}
	for _, e := range stored {
		v, _ := e.upTo(seq)
		out = append(out, listedInstance{e.ID, v})
	}
	out = slices.DeleteFunc(out, func(i listedInstance) bool { return !c.within(i.Content, from, to) })
	slices.SortFunc(out, func(x, y listedInstance) int {
		a, _ := c.span(x.Content)
		b, _ := c.span(y.Content)
		if n := a.Compare(b); n != 0 {
			return n
		}
		return strings.Compare(x.id, y.id)
	})
	return out
}

// within reports whether an event that does not recur ends after from and begins before to; each may be zero.
func (c *calendar) within(event content, from, to time.Time) bool {
	start, end := c.span(event)
	if !from.IsZero() && !end.After(from) && !(start.Equal(end) && start.Equal(from)) {
		return false
	}
	return to.IsZero() || start.Before(to)
}

// inherit brings a change of a series to its instances that differ: in the fields in which they do not. Instances that
// the rule has no more are gone.
func (s *Service) inherit(c *calendar, master *event, before content) {
	now := master.now().Content
	diff := changed(before, now)
	if len(diff) == 0 || before["recurrence"] == nil {
		return
	}
	kept := map[string]time.Time{}
	for _, wall := range c.starts(now, far, maxInstances) {
		kept[c.key(now, wall)] = wall
	}
	for _, id := range sortedKeys(c.exceptions[master.ID]) {
		e := c.exceptions[master.ID][id]
		v := e.now()
		next := clone(v.Content)
		wall, there := kept[startKey(object(next, "originalStartTime"))]
		if !there && !cancelled(now) {
			next["status"] = "cancelled"
			s.put(c, e, next, v.Edited)
			continue
		}
		for _, name := range diff {
			switch {
			case name == "recurrence", name == "originalStartTime":
			case name == "attendees":
				inheritGuests(next, before, now, slices.Contains(v.Edited, name))
			case slices.Contains(v.Edited, name):
			case name == "start", name == "end":
				next[name] = c.instance(master, version{Content: now}, wall).Content[name]
			case now[name] == nil:
				delete(next, name)
			default:
				next[name] = deep(now[name])
			}
		}
		s.put(c, e, next, v.Edited)
	}
}

func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
