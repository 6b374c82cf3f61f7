package calendar

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	gcal "google.golang.org/api/calendar/v3"
)

// Person is what a user does, and sees, in the pages of Google Calendar. Events are named by id, those of instances among
// them; a change of an instance is one of this instance only.
//
// Where a method reports whether it did something, false is an event that is not there, or that the user may not change.
type Person struct {
	s   *Service
	key string
}

// Person is the user of that address; nil where there is none.
func (s *Service) Person(email string) *Person {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all[emailKey(email)] == nil {
		return nil
	}
	return &Person{s, emailKey(email)}
}

// with runs something with the calendar; that of a user whom a load took away is empty.
func (p *Person) with(do func(*calendar)) {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	c := p.s.all[p.key]
	if c == nil {
		c = &calendar{violate: p.s.o.Violate, Email: p.key, TimeZone: "UTC", Events: map[string]*event{}}
		c.index()
	}
	do(c)
}

// on does something to an event that is there.
func (p *Person) on(id string, do func(*calendar, *target) bool) (done bool) {
	p.with(func(c *calendar) {
		if t := c.find(id); t != nil && !cancelled(t.at.Content) {
			done = do(c, t)
		}
	})
	return done
}

// Add makes an event of any type and invites its guests; its own id, iCalUID and lock are kept. An event that cannot be is
// a mistake of the caller, and panics.
func (p *Person) Add(e *gcal.Event) (id string) {
	p.with(func(c *calendar) {
		event := written(e)
		id = e.Id
		if id == "" || c.Events[id] != nil {
			id = c.id()
		}
		c.found(event, id, e.ICalUID, nil)
		c.join(event)
		if e.Locked {
			event["locked"] = true
		}
		if f := c.normal(event); f != nil {
			panic(fmt.Sprintf("add an event to the calendar of %s: %s", p.key, f.Message))
		}
		made := p.s.add(c, id, event, nil)
		p.s.spread(c, made, nil, nil, true)
	})
	return id
}

// written is an event as a person gives it.
func written(e *gcal.Event) content {
	out := jsonOf(e)
	if r := object(out, "reminders"); r != nil && r["useDefault"] == nil {
		r["useDefault"] = false
	}
	return out
}

// join puts the organizer among the guests, as the pages do.
func (c *calendar) join(event content) {
	guests, _ := event["attendees"].([]any)
	if mine, _ := c.guest(event); mine == nil && len(guests) > 0 {
		event["attendees"] = append([]any{content{"email": c.Email, "responseStatus": "accepted"}}, guests...)
	}
}

// seen is an event as its user sees it.
func (p *Person) seen(c *calendar, id string, stored *event, at version) *gcal.Event {
	k := &call{s: p.s, c: c, zone: c.zone()}
	raw, err := json.Marshal(k.show(id, stored, at))
	if err != nil {
		panic(fmt.Sprintf("encode event: %v", err))
	}
	var out gcal.Event
	if err := json.Unmarshal(raw, &out); err != nil {
		panic(fmt.Sprintf("decode event: %v", err))
	}
	return &out
}

// Edit changes an event. The function may not call the service.
func (p *Person) Edit(id string, edit func(*gcal.Event)) bool {
	return p.on(id, func(c *calendar, t *target) bool {
		e := p.seen(c, t.id, t.stored, t.at)
		edit(e)
		next := p.edited(c, t.at.Content, e)
		if c.organizes(next) && t.at.Content["attendees"] == nil {
			c.join(next)
		}
		return p.change(c, t, next)
	})
}

// edited is an event after a person's edit, with what nobody edits.
func (p *Person) edited(c *calendar, before content, e *gcal.Event) content {
	sent := written(e)
	next := maps.Clone(sent)
	for _, name := range append([]string{"privateCopy", "eventType"}, made...) {
		delete(next, name)
		if v := before[name]; v != nil {
			next[name] = deep(v)
		}
	}
	if c.hides(before) {
		(&call{s: p.s, c: c}).answerOnly(sent, before, next, false)
	}
	return next
}

// change makes a change, where the user may make it.
func (p *Person) change(c *calendar, t *target, next content) bool {
	if f := c.normal(next); f != nil {
		return false
	}
	ch := &change{s: p.s, c: c, t: t, next: next, mailed: true}
	if c.organizes(t.at.Content) {
		ch.byOrganizer()
		return true
	}
	_, f := ch.byGuest()
	return f == nil
}

// Move gives an event another time; an event of whole days becomes one with times.
func (p *Person) Move(id string, start, end time.Time) bool {
	return p.Edit(id, func(e *gcal.Event) {
		e.Start = &gcal.EventDateTime{DateTime: start.Format(time.RFC3339), TimeZone: e.Start.TimeZone}
		e.End = &gcal.EventDateTime{DateTime: end.Format(time.RFC3339), TimeZone: e.End.TimeZone}
	})
}

// Answer answers an invitation: accepted, declined, tentative or needsAction.
func (p *Person) Answer(id, status string) bool {
	return p.on(id, func(c *calendar, t *target) bool {
		ch := &change{s: p.s, c: c, t: t, mailed: true}
		ch.answer(status)
		return p.change(c, t, ch.next)
	})
}

// Delete deletes an event. The organizer's deletion cancels the meeting, a guest's declines it.
func (p *Person) Delete(id string) bool {
	return p.on(id, func(c *calendar, t *target) bool {
		(&change{s: p.s, c: c, t: t, mailed: true}).remove()
		return true
	})
}

// Restore takes an event out of the bin. A guest's copy of a meeting that does not take place any more stays there.
func (p *Person) Restore(id string) (done bool) {
	p.with(func(c *calendar) {
		t := c.find(id)
		if t == nil || !cancelled(t.at.Content) || !c.organizes(t.at.Content) && !(t.stored.Left && p.s.takesPlace(t)) {
			return
		}
		ch := &change{s: p.s, c: c, t: t, next: clone(t.at.Content), mailed: true}
		ch.next["status"] = "confirmed"
		if done = true; c.organizes(t.at.Content) {
			ch.byOrganizer()
			return
		}
		t.stored.Left = false
		ch.store()
		again := &change{s: p.s, c: c, t: c.find(id), mailed: true}
		again.answer("needsAction")
		_, _ = again.byGuest()
	})
	return done
}

// Purge ends what is still known of an event, as happens some weeks after it was deleted. Its id stays taken.
func (p *Person) Purge(id string) (done bool) {
	p.with(func(c *calendar) {
		if done = c.Events[id] != nil; !done {
			return
		}
		for one := range c.exceptions[id] {
			delete(c.Events, one)
			c.Taken = append(c.Taken, one)
		}
		delete(c.Events, id)
		c.Taken = append(c.Taken, id)
		c.index()
	})
	return done
}

// Event is one event; nil where it is not there or was deleted.
func (p *Person) Event(id string) (e *gcal.Event) {
	p.on(id, func(c *calendar, t *target) bool {
		e = p.seen(c, t.id, t.stored, t.at)
		return true
	})
	return e
}

// Events are all events that are there, series and the instances that differ from theirs, by id.
func (p *Person) Events() []*gcal.Event {
	var out []*gcal.Event
	p.with(func(c *calendar) {
		for _, id := range sortedKeys(c.Events) {
			if e := c.Events[id]; !cancelled(e.now().Content) {
				out = append(out, p.seen(c, id, e, e.now()))
			}
		}
	})
	return out
}

// Agenda is what lies in a range, as the pages show it: single events, and instances in their series' place. Each time may
// be zero.
func (p *Person) Agenda(from, to time.Time) []*gcal.Event {
	var out []*gcal.Event
	p.with(func(c *calendar) {
		k := &call{s: p.s, c: c, zone: c.zone()}
		for _, l := range k.listed(filter{single: true, from: from, to: to, order: "startTime"}, cursor{UpTo: c.Seq}) {
			out = append(out, p.seen(c, l.id, l.stored, l.at))
		}
	})
	return out
}

// Instances are those of a series that are there.
func (p *Person) Instances(series string) []*gcal.Event {
	var out []*gcal.Event
	p.on(series, func(c *calendar, t *target) bool {
		if t.stored == nil || t.at.Content["recurrence"] == nil {
			return false
		}
		for _, i := range c.instancesOf(t.stored, c.Seq, time.Time{}, time.Time{}) {
			if !cancelled(i.Content) {
				out = append(out, p.seen(c, i.id, c.Events[i.id], i.version))
			}
		}
		return true
	})
	return out
}

// SetTimeZone gives the calendar a zone. A name that is no zone panics.
func (p *Person) SetTimeZone(name string) {
	if _, err := load(name); err != nil {
		panic(fmt.Sprintf("set the time zone %q: %v", name, err))
	}
	p.with(func(c *calendar) { c.TimeZone = name })
}

// SetDefaultReminders says what reminders events have that use the calendar's.
func (p *Person) SetDefaultReminders(reminders ...*gcal.EventReminder) {
	p.with(func(c *calendar) {
		c.Reminders = []any{}
		for _, r := range reminders {
			c.Reminders = append(c.Reminders, content{"method": r.Method, "minutes": float64(r.Minutes)})
		}
	})
}

// AddAlias gives the user another address, under which others invite.
func (p *Person) AddAlias(email string) {
	p.with(func(c *calendar) {
		if !slices.Contains(c.Aliases, emailKey(email)) {
			c.Aliases = append(c.Aliases, emailKey(email))
		}
	})
}

// WaitForMail says that an invitation comes into the calendar only where a mail was sent about it
// (https://support.google.com/calendar/answer/13159188).
func (p *Person) WaitForMail(wait bool) {
	p.with(func(c *calendar) { c.Reluctant = wait })
}
