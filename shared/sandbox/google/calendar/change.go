package calendar

import (
	"reflect"
	"slices"
)

// change is one of an event, by whoever has the calendar.
type change struct {
	s *Service
	c *calendar
	t *target
	// next is the event afterwards, in the form in which it is stored.
	next content
	// mailed says that guests get a mail about it.
	mailed bool
}

// store makes the change in the calendar itself, and gives the event.
func (ch *change) store() *event {
	before, e := ch.t.at.Content, ch.t.stored
	edited := ch.t.at.Edited
	if before["recurringEventId"] != nil {
		edited = union(edited, changed(before, ch.next))
		if !cancelled(ch.next) {
			edited = slices.DeleteFunc(edited, func(name string) bool { return name == "status" })
		}
	}
	if e == nil {
		return ch.s.add(ch.c, ch.t.id, ch.next, edited)
	}
	ch.s.put(ch.c, e, ch.next, edited)
	ch.s.inherit(ch.c, e, before)
	return e
}

// byOrganizer changes the meeting, and with it the copies of the guests.
func (ch *change) byOrganizer() *event {
	before := ch.t.at.Content
	instances := map[string]content{}
	for id, e := range ch.c.exceptions[ch.t.id] {
		instances[id] = e.now().Content
	}
	e := ch.store()
	ch.s.spread(ch.c, e, before, e.now().Edited, ch.mailed)
	for _, id := range sortedKeys(instances) {
		one := ch.c.Events[id]
		ch.s.spread(ch.c, one, instances[id], one.now().Edited, ch.mailed)
	}
	return e
}

// byGuest changes a guest's copy: what is the guest's own there, and at the organizer what guests may change.
func (ch *change) byGuest() (*event, *Refusal) {
	before := ch.t.at.Content
	forward, f := ch.allowed()
	if f != nil {
		return nil, f
	}
	e := ch.store()
	if forward == nil {
		return e, nil
	}
	org := ch.s.organizer(before)
	if org == nil || before["privateCopy"] == true {
		return e, nil
	}
	t := org.find(ch.t.id)
	if t == nil || cancelled(t.at.Content) {
		return e, nil
	}
	next := clone(t.at.Content)
	forward(next)
	(&change{s: ch.s, c: org, t: t, next: next}).byOrganizer()
	return e, nil
}

// allowed refuses what a guest may not change, and gives what is to be done to the organizer's copy; nil where nothing is.
func (ch *change) allowed() (func(content), *Refusal) {
	before := ch.t.at.Content
	var forward []func(content)
	for _, name := range changed(before, ch.next) {
		switch {
		case slices.Contains(own, name):
		case name == "extendedProperties":
			if p := object(object(ch.next, name), "shared"); !reflect.DeepEqual(p, object(object(before, name), "shared")) {
				forward = append(forward, func(event content) { setShared(event, p) })
			}
		case name == "attendees":
			do, f := ch.guests()
			if f != nil {
				return nil, f
			}
			forward = append(forward, do)
		case before["guestsCanModify"] == true && name != "status":
			forward = append(forward, func(event content) {
				if event[name] = deep(ch.next[name]); ch.next[name] == nil {
					delete(event, name)
				}
			})
		default:
			return nil, notOrganizer()
		}
	}
	if len(forward) == 0 {
		return nil, nil
	}
	return func(event content) {
		for _, do := range forward {
			do(event)
		}
	}, nil
}

// guests refuses a list of guests that a guest may not write. The guest's own entry is the guest's; others may be added
// where the organizer allows it.
func (ch *change) guests() (func(content), *Refusal) {
	before := objects(ch.t.at.Content, "attendees")
	now := objects(ch.next, "attendees")
	modify := ch.t.at.Content["guestsCanModify"] == true
	entry := func(list []content, email string) content {
		at := slices.IndexFunc(list, func(a content) bool { return text(a, "email") == email })
		if at < 0 {
			return nil
		}
		return list[at]
	}
	for _, a := range before {
		if now := entry(now, text(a, "email")); !modify && !ch.c.is(text(a, "email")) && !reflect.DeepEqual(a, now) {
			return nil, notOrganizer()
		}
	}
	for _, a := range now {
		if entry(before, text(a, "email")) == nil && !modify && ch.t.at.Content["guestsCanInviteOthers"] == false {
			return nil, notOrganizer()
		}
	}
	return func(event content) {
		if modify {
			event["attendees"] = deep(ch.next["attendees"])
			return
		}
		var out []any
		for _, a := range objects(event, "attendees") {
			if mine := entry(now, text(a, "email")); mine != nil && ch.c.is(text(a, "email")) {
				a = clone(mine)
			}
			out = append(out, a)
		}
		for _, a := range now {
			if entry(objects(event, "attendees"), text(a, "email")) == nil {
				out = append(out, clone(a))
			}
		}
		event["attendees"] = out
	}, nil
}

func setShared(event, properties content) {
	p := content{}
	if have := object(event, "extendedProperties"); have != nil {
		p = clone(have)
	}
	if p["shared"] = deep(properties); len(properties) == 0 {
		delete(p, "shared")
	}
	if event["extendedProperties"] = p; len(p) == 0 {
		delete(event, "extendedProperties")
	}
}

// answer is a guest's answer to an invitation.
func (ch *change) answer(status string) {
	ch.next = clone(ch.t.at.Content)
	if mine, _ := ch.c.guest(ch.next); mine != nil {
		mine["responseStatus"] = status
	}
}

// remove deletes an event. The organizer's deletion cancels the meeting; a guest's declines it.
func (ch *change) remove() {
	if !ch.c.organizes(ch.t.at.Content) {
		ch.answer("declined")
		// A guest may always decline.
		e, _ := ch.byGuest()
		ch.t = ch.c.find(ch.t.id)
		ch.next = clone(ch.t.at.Content)
		ch.next["status"] = "cancelled"
		ch.store()
		if e != nil {
			e.Left = true
		}
		return
	}
	ch.next = clone(ch.t.at.Content)
	ch.next["status"] = "cancelled"
	ch.byOrganizer()
}
