package activities

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/activity"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/richtext"
	"github.com/tandem-sync/tandem/shared/zone"
)

// draft is an activity in terms of its columns: as it was read, or as it is to be.
type draft struct {
	state
	title, location, notes string
}

// draft is the activity as it was read.
func (s *Side) draft(a *activityRow) draft {
	d := draft{
		title: strings.TrimSpace(a.title), location: strings.TrimSpace(a.location), notes: richtext.Plain(a.notes),
		state: state{
			Start: a.start, Due: a.due, Owner: a.owner, Organizer: a.organizer, Status: a.status, Zone: a.zone, HTML: richtext.IsHTML(a.notes),
			Hidden: !a.show || a.typeID == typeEmail,
		},
	}
	if a.remind {
		d.Remind = a.remindAt
	}
	for _, p := range a.participants {
		if p.contact != "" {
			d.People = append(d.People, person{Row: p.row, Contact: p.contact, Name: p.name, Response: p.response, Invited: p.invited, Emails: p.emails})
		}
	}
	d.state = d.sorted()
	if m, ok := activity.DaysOf(d.Start, d.Due, s.location(d.state)); ok {
		d.Days = m.Entry().Text
	}
	return d
}

// location is the zone in which the days of an activity begin: its own, else its owner's, else the user's.
func (s *Side) location(d state) *time.Location {
	people := s.directory()
	for _, code := range []string{d.Zone, people.zoneOf(d.Owner), people.zoneOf(s.o.User.ContactID)} {
		if loc, known := zone.Load(code); known {
			return loc
		}
	}
	return cmp.Or(s.o.Zone, time.UTC)
}

// record is the activity in Tandem's vocabulary.
func (s *Side) record(a *activityRow) record.Record {
	r := s.recordOf(a.id, a.latest(), s.draft(a))
	r.Created = a.created
	return r
}

func (s *Side) recordOf(id string, modified time.Time, d draft) record.Record {
	fields, untracked := s.fields(d)
	r := record.Record{
		ID: id, Modified: modified, Member: s.member(d.state), End: d.Due, Fields: fields, Untracked: untracked, AdapterState: d.encode(),
	}
	// It lives on where only its mark, or the user's part in it, was taken away.
	r.Withdrawn = !r.Member && d.Status != statusCanceled
	switch {
	case s.othersTakePart(d.state, s.isColleague):
		r.Locked = append(r.Locked, record.Others)
	case s.othersTakePart(d.state, s.wasColleague):
		r.Locked = append(r.Locked, record.Absent)
	}
	if d.Owner != s.o.User.ContactID {
		// The reminder is the owner's.
		r.Locked = append(r.Locked, activity.Reminder)
	}
	if s.hasNoLocation() {
		r.Locked = append(r.Locked, activity.Place)
	}
	return r
}

// othersTakePart reports whether others of a sort own an activity or take part in it, and have not declined.
func (s *Side) othersTakePart(d state, of func(string) bool) bool {
	return of(d.Owner) && !d.hasPart(d.Owner) ||
		slices.ContainsFunc(d.People, func(p person) bool { return of(p.Contact) && p.Response != responseDeclined })
}

// HasColleagues reports whether others who are users, or were, own an activity or take part in it, whatever they answered.
func (s *Side) HasColleagues(adapterState json.RawMessage) bool {
	n, err := readState(adapterState)
	of := func(contact string) bool { return s.isColleague(contact) || s.wasColleague(contact) }
	return err == nil && (of(n.Owner) || slices.ContainsFunc(n.People, func(p person) bool { return of(p.Contact) }))
}

// isColleague reports whether a contact is another user. Where users cannot be read, anybody may be one.
func (s *Side) isColleague(contact string) bool {
	people := s.directory()
	return contact != "" && contact != s.o.User.ContactID && (people == nil || people.closed || people.users[contact].works())
}

// wasColleague reports whether a contact is another user who is not active.
func (s *Side) wasColleague(contact string) bool {
	people := s.directory()
	if contact == "" || contact == s.o.User.ContactID || people == nil {
		return false
	}
	user, known := people.users[contact]
	return known && !user.Active && !user.Portal
}

// Remember has an activity be what it was taken for, as long as its instants stand: the zone of its owner, by which instants
// are days, may have become another one. It also keeps what an activity was before it was cancelled.
func (s *Side) Remember(known, r record.Record) record.Record {
	was, err := readState(known.AdapterState)
	is, err2 := readState(r.AdapterState)
	if err != nil || err2 != nil || len(known.AdapterState) == 0 || r.Gone {
		return r
	}
	now := is.remember(was)
	if now.Days == is.Days && now.Former == is.Former {
		return r
	}
	r.Fields = r.Fields.Clone()
	r.Fields[activity.When] = []record.Entry{now.moment().Entry()}
	r.AdapterState = now.encode()
	return r
}

// remember is the state with what is known of it from before.
func (n state) remember(was state) state {
	if n.Start.Equal(was.Start) && n.Due.Equal(was.Due) {
		n.Days = was.Days
	}
	if n.Status == statusCanceled {
		n.Former = was.Former
	}
	return n
}

// moment is when an activity is.
func (n state) moment() activity.Moment {
	if first, after, isDays := strings.Cut(n.Days, "/"); isDays {
		from, err := zone.ParseDate(first)
		to, err2 := zone.ParseDate(after)
		if err == nil && err2 == nil {
			return activity.Days(from, to)
		}
	}
	return activity.Timed(n.Start, n.Due)
}

// fields are what an activity shows, and the participants who do not go to Google.
func (s *Side) fields(d draft) (fields, untracked record.Fields) {
	me := s.o.User.ContactID
	fields, untracked = record.Fields{}, record.Fields{}
	if d.title != activity.NoTitle {
		fields.SetText(activity.Title, d.title)
	}
	fields.SetText(activity.Place, d.location)
	fields.SetText(activity.Notes, d.notes)
	fields[activity.When] = []record.Entry{d.moment().Entry()}
	if before := d.Start.Sub(d.Remind); d.Owner == me && !d.Remind.IsZero() && before >= 0 {
		fields.SetText(activity.Reminder, minutes(before))
	}
	for _, p := range d.People {
		e := s.entry(d.state, p)
		switch {
		case p.Contact == me:
			fields.SetText(activity.Answer, d.answerOf(p))
		case e.Text == "":
		case s.goes(p):
			fields[activity.Attendees] = append(fields[activity.Attendees], e)
		default:
			untracked[activity.Attendees] = append(untracked[activity.Attendees], e)
		}
	}
	return activity.Schema.Clean(fields), untracked
}
