package calendar

import (
	"encoding/base64"
	"strconv"
)

// hides reports whether the user may not see who else is invited.
func (c *calendar) hides(event content) bool {
	return event["guestsCanSeeOtherGuests"] == false && !c.organizes(event)
}

// show is an event as an answer has it. Of a deleted one only what is promised is there.
func (k *call) show(id string, stored *event, at version) content {
	event := at.Content
	out := content{"kind": "calendar#event", "etag": at.etag(), "id": id, "status": event["status"]}
	if cancelled(event) {
		series := k.c.Events[text(event, "recurringEventId")]
		if series == nil || !cancelled(series.now().Content) {
			for _, name := range []string{"recurringEventId", "originalStartTime"} {
				if event[name] != nil {
					out[name] = event[name]
				}
			}
			k.showTimes(out)
		}
		return out
	}
	for name, v := range event {
		out[name] = deep(v)
	}
	k.showTimes(out)
	created := at.At
	if stored == nil {
		stored = k.c.Events[text(event, "recurringEventId")]
	}
	if stored != nil {
		created = stored.Created
	}
	out["created"], out["updated"], out["sequence"] = stampOf(created), stampOf(at.Updated), at.Sequence
	out["htmlLink"] = "https://www.google.com/calendar/event?eid=" + base64.RawURLEncoding.EncodeToString([]byte(id+" "+k.c.Email))
	for _, entry := range objects(object(out, "conferenceData"), "entryPoints") {
		if entry["entryPointType"] == "video" {
			out["hangoutLink"] = entry["uri"]
		}
	}
	for _, name := range []string{"creator", "organizer"} {
		if who := object(out, name); who != nil && k.c.is(text(who, "email")) {
			who["self"] = true
		}
	}
	if r := object(out, "reminders"); k.s.o.AllDayReminders && r["useDefault"] == true && allDay(object(event, "start")) {
		out["reminders"] = content{"useDefault": false, "overrides": k.c.Reminders}
	}
	k.showGuests(out)
	return out
}

func (k *call) showTimes(out content) {
	for _, name := range []string{"start", "end", "originalStartTime"} {
		if when := object(out, name); when != nil {
			out[name] = showWhen(when, k.zone)
		}
	}
}

// showGuests shows the guests whom the user may see, and of more than were asked for the user alone.
func (k *call) showGuests(out content) {
	list := objects(out, "attendees")
	if len(list) == 0 {
		return
	}
	organizer := text(object(out, "organizer"), "email")
	var all, mine []any
	for _, a := range list {
		if text(a, "email") == organizer {
			a["organizer"] = true
		}
		if k.c.is(text(a, "email")) {
			a["self"] = true
			mine = append(mine, a)
		}
		all = append(all, a)
	}
	most, err := strconv.Atoi(k.Query.Get("maxAttendees"))
	switch {
	case k.c.hides(out):
		all = mine
	case err == nil && len(all) > most:
		all = mine
		out["attendeesOmitted"] = true
	}
	if out["attendees"] = all; len(all) == 0 {
		delete(out, "attendees")
	}
}
