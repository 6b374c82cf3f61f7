package worldtest

import (
	"fmt"
	"slices"

	gcal "google.golang.org/api/calendar/v3"

	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
)

// eve organizes meetings of both users, and uses neither Creatio nor Tandem.
const eve = "eve@example.com"

// outside is a meeting that somebody outside organizes.
type outside struct {
	key, id string
	alive   bool
	// gone are the users who deleted their copy.
	gone [2]bool
	// answered says that a user answered in this round: which of two answers is the later one is told by when the records changed.
	answered bool
}

func (o *office) outsider() calendarOf { return calendarOf{o.google.Calendar(eve)} }

// invitesBoth has the outsider plan a meeting with both users.
func (o *office) invitesBoth() {
	if len(o.outsides) == 0 {
		o.google.AddUser(googlebox.User{Email: eve, Name: "Eve", EmailVerified: true})
	}
	x := &outside{key: fmt.Sprintf("X%04d", o.number()), alive: true}
	e := &gcal.Event{Summary: x.key + " " + o.value("title"), Attendees: []*gcal.EventAttendee{{Email: o.member.email}, {Email: o.second.email}}}
	o.when(0, e)
	x.id = o.outsider().Add(e)
	o.outsides = append(o.outsides, x)
	o.write("somebody outside plans %s %v", x.id, ofEvent(e))
}

// actOutside has somebody do something to a meeting of the outsider's, or plan one.
func (o *office) actOutside() {
	if len(o.outsides) == 0 || o.rng.IntN(3) == 0 {
		o.invitesBoth()
		return
	}
	x := o.outsides[o.rng.IntN(len(o.outsides))]
	if !x.alive {
		return
	}
	user := o.rng.IntN(2)
	who, calendar := o.users()[user].login, o.calendar(user)
	switch o.rng.IntN(6) {
	case 0, 1:
		o.outsider().Edit(x.id, func(e *gcal.Event) {
			switch o.rng.IntN(4) {
			case 0:
				e.Summary = x.key + " " + o.value("title")
			case 1:
				e.Location = o.value("Room")
			case 2:
				e.Description = o.value("Notes")
			default:
				o.when(0, e)
			}
		})
		o.write("somebody outside changes %s to %v", x.id, ofEvent(o.outsider().Event(x.id)))
	case 2:
		x.alive = !o.outsider().Delete(x.id)
		o.write("somebody outside deletes %s", x.key)
	case 3:
		if !x.gone[user] && calendar.Delete(x.id) {
			x.gone[user] = true
			o.write("%s deletes the copy of %s", who, x.key)
		}
	default:
		if answer := []string{"accepted", "tentative"}[o.rng.IntN(2)]; !x.answered && !x.gone[user] && calendar.Answer(x.id, answer) {
			x.answered = true
			o.write("%s answers %s to %s", who, answer, x.key)
		}
	}
}

// outsideOf is the meeting of the outsider's with a key; nil for none.
func (o *office) outsideOf(key string) *outside {
	i := slices.IndexFunc(o.outsides, func(x *outside) bool { return x.key == key })
	if i < 0 {
		return nil
	}
	return o.outsides[i]
}

// lookOutside finds what is wrong with a meeting of the outsider's: it is one activity as long as a user takes part.
func (o *office) lookOutside(x *outside) {
	x.answered = false
	want := 0
	for user, m := range o.users() {
		events := 0
		if x.alive && !x.gone[user] {
			events, want = 1, 1
		}
		found := o.events(user, x.key)
		if len(found) != events || events == 1 && found[0].Organizer.Email != eve {
			o.t.Errorf("%s has %d events of %s, want %d of the outsider's", m.login, len(found), x.key, events)
		}
	}
	rows := o.rows(x.key)
	if len(rows) != want {
		o.t.Errorf("creatio has %d activities of %s, want %d", len(rows), x.key, want)
	}
	for _, r := range rows {
		for user, m := range o.users() {
			if p := o.part(user, r["Id"]); p == nil || (p["InviteResponseId"] == responses["declined"]) != x.gone[user] {
				o.t.Errorf("%s in %s: %v, the copy was deleted: %t", m.login, x.key, p, x.gone[user])
			}
		}
	}
}
