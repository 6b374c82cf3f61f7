package calendar

import (
	"cmp"
	"slices"
)

// mailed reports whether a request asks for mails to the users here.
func (k *call) mailed() bool {
	return k.Query.Get("sendUpdates") == "all" || k.Query.Get("sendNotifications") == "true"
}

// mail notes the mails that a request asks for.
func (k *call) mail(id string, before, now content) {
	kind := cmp.Or(k.Query.Get("sendUpdates"), "none")
	if kind == "none" && k.mailed() {
		kind = "all"
	}
	if kind == "none" {
		return
	}
	m := Mail{From: k.c.Email, EventID: id, SendUpdates: kind}
	for _, a := range slices.Concat(objects(now, "attendees"), objects(before, "attendees")) {
		email := text(a, "email")
		if k.c.is(email) || slices.Contains(m.To, email) || kind == "externalOnly" && k.s.user(email) != nil {
			continue
		}
		m.To = append(m.To, email)
	}
	if len(m.To) > 0 {
		k.s.mails = append(k.s.mails, m)
	}
}

// insert is events.insert.
func (k *call) insert() (any, *Refusal) {
	event, f := k.body()
	if f != nil {
		return nil, f
	}
	id, uid := text(event, "id"), text(event, "iCalUID")
	if id != "" && uid != "" {
		k.s.o.Violate("an event was made with both an id and an iCalUID")
	}
	return k.create(event, id, uid, nil)
}

// importEvent is events.import: a copy of an event that has its life elsewhere.
func (k *call) importEvent() (any, *Refusal) {
	event, f := k.body()
	if f != nil {
		return nil, f
	}
	event["eventType"], event["privateCopy"] = "default", true
	return k.create(event, "", text(event, "iCalUID"), object(event, "organizer"))
}

// create makes an event of what a client sent; the organizer is nil for the user.
func (k *call) create(sent content, id, uid string, organizer content) (any, *Refusal) {
	event := merged(nil, sent)
	switch {
	case id != "" && !validID(id):
		return nil, invalid("id", "Invalid resource id value.")
	case id != "" && (k.c.Events[id] != nil || slices.Contains(k.c.Taken, id)), uid != "" && k.c.byUID(uid) != nil:
		return nil, &Refusal{Code: 409, Domain: "global", Reason: "duplicate", Message: "The requested identifier already exists."}
	case text(event, "eventType") == "fromGmail":
		return nil, refuse("calendar", "eventTypeRestriction", "Events of type 'fromGmail' cannot be created.")
	case event["status"] == "cancelled":
		return nil, invalid("status", "Invalid value for: cancelled is not a valid value")
	}
	if id == "" {
		id = k.c.id()
	}
	k.c.found(event, id, uid, organizer)
	if f := k.c.normal(event); f != nil {
		return nil, f
	}
	k.unanswered(nil, event)
	e := k.s.add(k.c, id, event, nil)
	k.s.spread(k.c, e, nil, nil, k.mailed())
	k.mail(id, nil, event)
	return k.show(e.ID, e, e.now()), nil
}

// found fills in what every event has from its beginning.
func (c *calendar) found(event content, id, uid string, organizer content) {
	for _, name := range made {
		delete(event, name)
	}
	self := content{"email": c.Email}
	if c.Name != "" {
		self["displayName"] = c.Name
	}
	if organizer == nil {
		organizer = self
	}
	event["creator"], event["organizer"] = self, organizer
	event["iCalUID"] = cmp.Or(uid, id+"@google.com")
	event["status"] = cmp.Or(text(event, "status"), "confirmed")
	event["eventType"] = cmp.Or(text(event, "eventType"), "default")
}

// byUID is an event that is there and has an iCalUID.
func (c *calendar) byUID(uid string) *event {
	for _, e := range c.Events {
		if now := e.now().Content; text(now, "iCalUID") == uid && !cancelled(now) && now["recurringEventId"] == nil {
			return e
		}
	}
	return nil
}

// unanswered takes back answers that a client gave for others whom it invites: whoever decides about invitations alone
// is asked (https://developers.google.com/workspace/calendar/api/v3/reference/events#attendees.responseStatus).
func (k *call) unanswered(before, event content) {
	for _, a := range objects(event, "attendees") {
		email := text(a, "email")
		known := slices.ContainsFunc(objects(before, "attendees"), func(b content) bool { return text(b, "email") == email })
		if !known && !k.c.is(email) && k.s.user(email) != nil {
			a["responseStatus"] = "needsAction"
		}
	}
}

// get is events.get.
func (k *call) get() (any, *Refusal) {
	t := k.c.find(k.Path["eventId"])
	if t == nil {
		return nil, notFound()
	}
	at := t.at
	if stale := k.s.o.StaleReads; stale > 0 && t.stored != nil {
		at, _ = t.stored.upTo(max(k.c.shown(k.s.o.Now().Add(-stale)), t.stored.Born))
	}
	if tag := k.Header.Get("If-None-Match"); tag != "" && (tag == at.etag() || tag == "*") {
		return nil, &Refusal{Code: 304}
	}
	return k.show(t.id, t.stored, at), nil
}

// target is the event that a write names, in the version that the client means.
func (k *call) target() (*target, *Refusal) {
	t := k.c.find(k.Path["eventId"])
	if t == nil {
		return nil, notFound()
	}
	return t, precondition(t.at.etag(), k.Header.Get("If-Match"))
}

// patch is events.patch.
func (k *call) patch() (any, *Refusal) {
	t, f := k.target()
	if f != nil {
		return nil, f
	}
	sent, f := k.body()
	if f != nil {
		return nil, f
	}
	if f := outdated(sent, t.at); f != nil {
		return nil, f
	}
	answer := sent["attendeesOmitted"] == true
	for _, name := range made {
		delete(sent, name)
	}
	next := merged(t.at.Content, sent)
	if answer || k.c.hides(t.at.Content) {
		k.answerOnly(sent, t.at.Content, next, answer)
	}
	return k.write(t, next)
}

// answerOnly takes from a list of guests that is not whole the user's own entry alone; of this only the answer, where a
// client says that it left others out.
func (k *call) answerOnly(sent, before, next content, status bool) {
	if sent["attendees"] == nil {
		return
	}
	mine, _ := k.c.guest(sent)
	list := deep(before["attendees"])
	if mine != nil {
		if was, at := k.c.guest(before); was != nil {
			if status {
				mine = content{"responseStatus": mine["responseStatus"]}
			}
			list.([]any)[at] = merged(was, mine)
		}
	}
	if next["attendees"] = list; list == nil {
		delete(next, "attendees")
	}
}

// update is events.update: what is not sent is gone.
func (k *call) update() (any, *Refusal) {
	t, f := k.target()
	if f != nil {
		return nil, f
	}
	sent, f := k.body()
	if f != nil {
		return nil, f
	}
	if f := outdated(sent, t.at); f != nil {
		return nil, f
	}
	answer := sent["attendeesOmitted"] == true
	next := merged(nil, sent)
	for _, name := range append([]string{"privateCopy", "eventType"}, made...) {
		delete(next, name)
		if v := t.at.Content[name]; v != nil {
			next[name] = deep(v)
		}
	}
	for name, asked := range map[string]bool{
		"attachments": k.Query.Get("supportsAttachments") == "true", "conferenceData": k.Query.Get("conferenceDataVersion") == "1",
	} {
		if v := t.at.Content[name]; v != nil && !asked {
			next[name] = deep(v)
		}
	}
	next["status"] = cmp.Or(text(next, "status"), "confirmed")
	if kind := text(sent, "eventType"); kind != "" {
		next["eventType"] = kind
	}
	if answer || k.c.hides(t.at.Content) {
		k.answerOnly(sent, t.at.Content, next, answer)
	}
	return k.write(t, next)
}

// outdated refuses a sequence below the one that the event has.
func outdated(sent content, at version) *Refusal {
	if n, is := sent["sequence"].(float64); is && int(n) < at.Sequence {
		return invalid("sequence", "Invalid sequence value. The specified sequence number is below the current sequence number of the "+
			"resource. Re-fetch the resource and use its sequence number on the following request.")
	}
	return nil
}

// write makes a change, where the user may make it.
func (k *call) write(t *target, next content) (any, *Refusal) {
	before := t.at.Content
	if cancelled(before) && k.c.organizes(before) && cancelled(next) {
		// What was deleted can be brought back, but not changed.
		return nil, Forbidden()
	}
	if f := k.c.normal(next); f != nil {
		return nil, f
	}
	diff := changed(before, next)
	if f := typed(before, diff); f != nil {
		return nil, f
	}
	if f := unlocked(before, diff); f != nil {
		return nil, f
	}
	k.unanswered(before, next)
	ch := &change{s: k.s, c: k.c, t: t, next: next, mailed: k.mailed()}
	var e *event
	if k.c.organizes(before) {
		e = ch.byOrganizer()
	} else {
		var f *Refusal
		if e, f = ch.byGuest(); f != nil {
			return nil, f
		}
	}
	k.mail(t.id, before, next)
	return k.show(e.ID, e, e.now()), nil
}

// delete is events.delete.
func (k *call) delete() (any, *Refusal) {
	t := k.c.find(k.Path["eventId"])
	switch {
	case t == nil:
		return nil, notFound()
	case cancelled(t.at.Content):
		return nil, deleted()
	}
	if f := precondition(t.at.etag(), k.Header.Get("If-Match")); f != nil {
		return nil, f
	}
	if t.at.Content["eventType"] == "birthday" {
		return nil, typed(t.at.Content, []string{"status"})
	}
	before := t.at.Content
	(&change{s: k.s, c: k.c, t: t, mailed: k.mailed()}).remove()
	k.mail(t.id, before, nil)
	return nil, nil
}
