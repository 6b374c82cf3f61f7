package calendar

import (
	"slices"
	"strings"
)

// wanted reports whether a list has an event.
func (k *call) wanted(f filter, l listed) bool {
	event := l.at.Content
	if len(f.types) > 0 && !slices.Contains(f.types, text(event, "eventType")) {
		return false
	}
	if !f.updated.IsZero() && l.at.Updated.Before(f.updated) {
		return false
	}
	if cancelled(event) && !k.wantsCancelled(f, event) {
		return false
	}
	if uid := k.Query.Get("iCalUID"); uid != "" && text(event, "iCalUID") != uid {
		return false
	}
	for name, kind := range map[string]string{"privateExtendedProperty": "private", "sharedExtendedProperty": "shared"} {
		have := object(object(event, "extendedProperties"), kind)
		for _, one := range k.Query[name] {
			key, value, _ := strings.Cut(one, "=")
			if text(have, key) != value || have[key] == nil {
				return false
			}
		}
	}
	if q := strings.ToLower(k.Query.Get("q")); q != "" && !strings.Contains(searched(event), q) {
		return false
	}
	return f.from.IsZero() && f.to.IsZero() || k.inRange(f, l)
}

// wantsCancelled reports whether a list has deleted events of that kind: those of a series that is there belong to every
// list of series.
func (k *call) wantsCancelled(f filter, event content) bool {
	if f.deleted || !f.updated.IsZero() {
		return true
	}
	series := k.c.Events[text(event, "recurringEventId")]
	return !f.single && event["recurringEventId"] != nil && (series == nil || !cancelled(series.now().Content))
}

// inRange reports whether an event, or an instance of a series, lies in the range.
func (k *call) inRange(f filter, l listed) bool {
	if l.at.Content["recurrence"] == nil {
		return k.c.within(l.at.Content, f.from, f.to)
	}
	end := f.to
	if end.IsZero() {
		end = far
	}
	for _, wall := range k.c.starts(l.at.Content, end, maxInstances) {
		if k.c.within(k.c.instance(l.stored, l.at, wall).Content, f.from, f.to) {
			return true
		}
	}
	return false
}

// searched is what a search looks at.
func searched(event content) string {
	parts := []string{text(event, "summary"), text(event, "description"), text(event, "location")}
	for _, a := range append(objects(event, "attendees"), object(event, "organizer")) {
		parts = append(parts, text(a, "email"), text(a, "displayName"))
	}
	return strings.ToLower(strings.Join(parts, "\n"))
}
