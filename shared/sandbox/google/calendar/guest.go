package calendar

import (
	"reflect"
	"slices"
)

// own are the fields that each copy of a meeting has for itself.
var own = []string{"reminders", "colorId", "transparency", "visibility"}

// organizes reports whether the calendar's user is the organizer.
func (c *calendar) organizes(event content) bool {
	email := text(object(event, "organizer"), "email")
	return email == "" || c.is(email)
}

// organizer is the calendar of an event's organizer; nil where that is no user here.
func (s *Service) organizer(event content) *calendar {
	return s.user(text(object(event, "organizer"), "email"))
}

// takesPlace reports whether the organizer still has the event. Of an organizer who is no user here nothing is known against it.
func (s *Service) takesPlace(t *target) bool {
	c := s.organizer(t.at.Content)
	if c == nil {
		return true
	}
	theirs := c.find(t.id)
	return theirs != nil && !cancelled(theirs.at.Content)
}

// user is the calendar of an address.
func (s *Service) user(email string) *calendar {
	if c := s.all[emailKey(email)]; c != nil {
		return c
	}
	for _, key := range sortedKeys(s.all) {
		if s.all[key].is(email) {
			return s.all[key]
		}
	}
	return nil
}

// guest is the entry of a user among the guests, and its place.
func (c *calendar) guest(event content) (content, int) {
	for i, a := range objects(event, "attendees") {
		if c.is(text(a, "email")) {
			return a, i
		}
	}
	return nil, -1
}

// shared is what the copies of a meeting have in common.
func shared(event content) content {
	out := clone(event)
	for _, name := range own {
		delete(out, name)
	}
	if p := object(out, "extendedProperties"); p != nil {
		if delete(p, "private"); len(p) == 0 {
			delete(out, "extendedProperties")
		}
	}
	return out
}

// copyOf is a guest's copy with what the organizer's has. An own choice that is still the organizer's former one follows.
func copyOf(have, before, now content) content {
	out := shared(now)
	for _, name := range own {
		v := have[name]
		if name == "visibility" || name == "transparency" {
			if have == nil || reflect.DeepEqual(v, before[name]) {
				v = now[name]
			}
		}
		if v != nil {
			out[name] = deep(v)
		}
	}
	if have == nil {
		out["reminders"] = content{"useDefault": true}
	}
	if private := object(object(have, "extendedProperties"), "private"); len(private) > 0 {
		p := object(out, "extendedProperties")
		if p == nil {
			p = content{}
			out["extendedProperties"] = p
		}
		p["private"] = deep(private)
	}
	return out
}

// spread brings a change of the organizer's copy to those of the guests who are users here. mailed says that they get a
// mail about it.
func (s *Service) spread(from *calendar, e *event, before content, edited []string, mailed bool) {
	now := e.now().Content
	if now["privateCopy"] == true {
		return
	}
	for _, key := range sortedKeys(s.all) {
		c := s.all[key]
		if c == from {
			continue
		}
		_, was := c.guest(before)
		_, is := c.guest(now)
		if was < 0 && is < 0 {
			continue
		}
		s.deliver(c, e, before, edited, is >= 0, was < 0, mailed)
	}
}

// deliver brings a change of the organizer's copy to one guest.
func (s *Service) deliver(c *calendar, e *event, before content, edited []string, invited, anew, mailed bool) {
	now := e.now().Content
	have := c.Events[e.ID]
	switch {
	case have != nil && !slices.Contains([]string{text(now, "iCalUID"), text(before, "iCalUID")}, text(have.now().Content, "iCalUID")):
		// The user has an event of that id, which has nothing to do with this one.
	case !invited:
		s.withdraw(c, e, now, have)
	case have == nil:
		series := c.Events[text(now, "recurringEventId")]
		if series == nil && (cancelled(now) || c.Reluctant && !mailed) || series != nil && series.Left {
			return
		}
		var base content
		if series != nil {
			base = series.now().Content
		}
		s.add(c, e.ID, copyOf(base, before, now), edited)
	case have.Left && !anew:
		// The guest removed it.
	default:
		have.Left = false
		last := have.now()
		s.put(c, have, copyOf(last.Content, before, now), union(last.Edited, edited))
		s.inherit(c, have, last.Content)
	}
}

// withdraw takes an event from somebody who is not invited any more.
func (s *Service) withdraw(c *calendar, e *event, now content, have *event) {
	series := c.Events[text(now, "recurringEventId")]
	switch {
	case have != nil:
		last := have.now()
		next := clone(last.Content)
		next["status"] = "cancelled"
		s.put(c, have, next, union(last.Edited, []string{"status"}))
		s.inherit(c, have, last.Content)
	case series != nil:
		gone := copyOf(series.now().Content, now, now)
		gone["status"] = "cancelled"
		s.add(c, e.ID, gone, []string{"status"})
	}
}

// inheritGuests brings a change of the guests of a series to an instance. Where the instance has guests or answers of its
// own, those who were added to the series come, and those who were removed go.
func inheritGuests(instance, before, now content, edited bool) {
	if !edited {
		if instance["attendees"] = deep(now["attendees"]); now["attendees"] == nil {
			delete(instance, "attendees")
		}
		return
	}
	in := func(event content, email string) bool {
		return slices.ContainsFunc(objects(event, "attendees"), func(a content) bool { return text(a, "email") == email })
	}
	var out []any
	for _, a := range objects(instance, "attendees") {
		if email := text(a, "email"); in(now, email) || !in(before, email) {
			out = append(out, a)
		}
	}
	for _, a := range objects(now, "attendees") {
		if email := text(a, "email"); !in(before, email) && !in(instance, email) {
			out = append(out, clone(a))
		}
	}
	if instance["attendees"] = out; len(out) == 0 {
		delete(instance, "attendees")
	}
}

func union(a, b []string) []string {
	out := slices.Concat(a, b)
	slices.Sort(out)
	return slices.Compact(out)
}
