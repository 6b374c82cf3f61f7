package worldtest

import (
	"context"
	"fmt"
	"slices"

	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/activity"
	"github.com/tandem-sync/tandem/shared/google/calendar"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// secretly is a private event of the organizer's calendar, with the colleague or without.
type secretly struct {
	key, id   string
	organizer int
	guest     bool
	alive     bool
}

// choosesPrivacy has each user say what becomes of private events.
func (o *office) choosesPrivacy() {
	all := []calendar.Private{calendar.ShowBusy, calendar.Skip, calendar.Full}
	for i, m := range o.users() {
		o.private[i] = all[o.rng.IntN(len(all))]
		err := o.store.User(m.user).UpdateSync(context.Background(), record.Activities, func(d *store.Sync) error {
			d.Settings.PrivateEvents = string(o.private[i])
			return nil
		})
		if err != nil {
			o.t.Fatal(err)
		}
		o.write("%s shows of private events: %s", m.login, o.private[i])
	}
}

// actSecretly has somebody do something with a private event, or make one.
func (o *office) actSecretly() {
	if len(o.secrets) == 0 || o.rng.IntN(3) == 0 {
		s := &secretly{key: fmt.Sprintf("S%04d", o.number()), organizer: o.rng.IntN(2), guest: o.rng.IntN(2) == 0, alive: true}
		e := &gcal.Event{Summary: s.key + " " + o.value("title"), Location: o.value("Room"), Description: o.value("Notes"), Visibility: "private"}
		o.when(s.organizer, e)
		if s.guest {
			e.Attendees = []*gcal.EventAttendee{{Email: o.users()[1-s.organizer].email}}
		}
		s.id = o.calendar(s.organizer).Add(e)
		o.secrets = append(o.secrets, s)
		o.write("%s adds the private event %s with a colleague: %t", o.users()[s.organizer].login, s.key, s.guest)
		return
	}
	s := o.secrets[o.rng.IntN(len(o.secrets))]
	if !s.alive {
		return
	}
	if o.rng.IntN(4) == 0 {
		s.alive = !o.calendar(s.organizer).Delete(s.id)
		o.write("%s deletes the private event %s", o.users()[s.organizer].login, s.key)
		return
	}
	o.calendar(s.organizer).Edit(s.id, func(e *gcal.Event) {
		switch o.rng.IntN(3) {
		case 0:
			e.Summary = s.key + " " + o.value("title")
		case 1:
			e.Location = o.value("Room")
		default:
			o.when(s.organizer, e)
		}
	})
	o.write("%s changes the private event %s to %v", o.users()[s.organizer].login, s.key, ofEvent(o.calendar(s.organizer).Event(s.id)))
}

func (o *office) secretOf(key string) *secretly {
	i := slices.IndexFunc(o.secrets, func(s *secretly) bool { return s.key == key })
	if i < 0 {
		return nil
	}
	return o.secrets[i]
}

// shows reports what of a private event Creatio is to show: nothing, that it is, or all.
func (o *office) shows(s *secretly) calendar.Private {
	all := []calendar.Private{o.private[s.organizer]}
	if s.guest {
		all = append(all, o.private[1-s.organizer])
	}
	switch {
	case !slices.ContainsFunc(all, func(p calendar.Private) bool { return p != calendar.Skip }):
		return calendar.Skip
	case slices.ContainsFunc(all, func(p calendar.Private) bool { return p != calendar.Full }):
		return calendar.ShowBusy
	default:
		return calendar.Full
	}
}

// lookSecretly finds private events that are there twice or not at all, and what of them shows that nobody is to see.
func (o *office) lookSecretly() {
	busy := 0
	for _, s := range o.secrets {
		shows := o.shows(s)
		want := 0
		if s.alive && shows == calendar.ShowBusy {
			busy++
		}
		if s.alive && shows == calendar.Full {
			want = 1
		}
		if rows := o.rows(s.key); len(rows) != want {
			o.t.Errorf("creatio has %d activities with the title of %s, want %d", len(rows), s.key, want)
		}
		for user, m := range o.users() {
			want := 0
			if s.alive && (user == s.organizer || s.guest) {
				want = 1
			}
			if n := len(o.events(user, s.key)); n != want {
				o.t.Errorf("%s has %d events of %s, want %d", m.login, n, s.key, want)
			}
		}
	}
	if rows := o.rows("Busy"); len(rows) != busy {
		o.t.Errorf("creatio shows that people are busy %d times, want %d", len(rows), busy)
	}
	for _, r := range o.rows("Busy") {
		if shown := ofRow(r); shown[activity.Place] != "" || shown[activity.Notes] != "" {
			o.t.Errorf("of a private event creatio shows %v", shown)
		}
	}
}

// sameTime compares when a private event is with its activity.
func (o *office) sameTime(user int, row map[string]any, e *gcal.Event) {
	place := o.place(o.ownerOf(row))
	if a, g := instants(ofRow(row)[activity.When], place), instants(ofEvent(e)[activity.When], place); a != g {
		o.t.Errorf("%s: %q is at %s in Creatio and at %s in the calendar", o.users()[user].login, e.Summary, a, g)
	}
}
