package worldtest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/activity"
	"github.com/tandem-sync/tandem/shared/google/calendar"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/richtext"
	calendarbox "github.com/tandem-sync/tandem/shared/sandbox/google/calendar"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/zone"
)

const (
	statusCanceled   = "201cfba8-58e6-df11-971b-001d60e938c6"
	statusNotStarted = "384d4b84-58e6-df11-971b-001d60e938c6"
	typeTask         = "fbe0acdc-cfc0-df11-b00f-001d60e938c6"
)

// responses are those of Creatio by what Google calls them.
var responses = map[string]string{
	"accepted": "7098c892-34e3-4a3e-af08-c1a139f63220", "declined": "cc256758-4051-4021-9c51-216e37635c46", "tentative": "50e89724-522d-446e-be91-12548b8c834d",
}

// calendarOf is a user's calendar as the pages show it.
type calendarOf struct{ *calendarbox.Person }

// shown is what a record shows of itself, by field.
type shown map[string]string

// edit is what somebody wrote into a field of a record, named by the side, and by the user for events.
type edit struct {
	record, field, text string
	at                  time.Time
}

func inCreatioID(id any) string             { return "creatio " + fmt.Sprint(id) }
func inGoogleID(user int, id string) string { return fmt.Sprintf("google %d %s", user, id) }

// ofEvent is what an event shows.
func ofEvent(e *gcal.Event) shown {
	out := shown{activity.Title: e.Summary, activity.Place: e.Location, activity.Notes: richtext.Plain(e.Description)}
	if e.Start.Date != "" {
		out[activity.When] = e.Start.Date + "/" + e.End.Date
		return out
	}
	out[activity.When] = utc(e.Start.DateTime) + "/" + utc(e.End.DateTime)
	return out
}

func utc(text string) string {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return text
	}
	return at.UTC().Format(time.RFC3339)
}

// ofRow is what an activity shows.
func ofRow(r map[string]any) shown {
	return shown{
		activity.Title: fmt.Sprint(r["Title"]), activity.Place: fmt.Sprint(r["Location"]), activity.Notes: richtext.Plain(fmt.Sprint(r["Notes"])),
		activity.When: timeOf(r, "StartDate").Format(time.RFC3339) + "/" + timeOf(r, "DueDate").Format(time.RFC3339),
	}
}

func timeOf(r map[string]any, column string) time.Time {
	at, _ := r[column].(time.Time)
	return at.UTC()
}

// instants are a time of a field as the instants that it is in a zone.
func instants(when string, loc *time.Location) string {
	from, to, _ := strings.Cut(when, "/")
	first, err := zone.ParseDate(from)
	after, err2 := zone.ParseDate(to)
	if err != nil || err2 != nil {
		return when
	}
	m := activity.Days(first, after)
	return m.First.Start(loc).UTC().Format(time.RFC3339) + "/" + m.After.Start(loc).UTC().Format(time.RFC3339)
}

// look finds what is wrong with an office at rest.
func (o *office) look() {
	for user := range o.users() {
		o.paired(user)
	}
	for _, m := range o.meetings {
		o.once(m)
	}
	for _, x := range o.outsides {
		o.lookOutside(x)
	}
	o.lookSecretly()
	o.lastWords()
	o.tame()
	if o.t.Failed() {
		o.t.FailNow()
	}
}

// links are a user's links that are active.
func (o *office) links(user int) map[record.Side]map[string]store.Link {
	out := map[record.Side]map[string]store.Link{record.Creatio: {}, record.Google: {}}
	for l, err := range o.store.User(o.users()[user].user).Links(context.Background(), record.Activities) {
		if err != nil {
			o.t.Fatal(err)
		}
		if l.Unfinished() {
			o.t.Errorf("%s: the link of %q is not finished: %s with %s, intent %+v, waits %v", o.users()[user].login, l.Name, l.CreatioID, l.GoogleID, l.Intent, l.Waits)
		}
		if !l.Active {
			continue
		}
		for side, id := range map[record.Side]string{record.Creatio: l.CreatioID, record.Google: l.GoogleID} {
			if _, twice := out[side][id]; twice {
				o.t.Errorf("%s: %s %s is tied twice", o.users()[user].login, side, id)
			}
			out[side][id] = l
		}
	}
	return out
}

// part is a user's row among the participants of an activity; nil for none.
func (o *office) part(user int, activityID any) map[string]any {
	rows := o.creatio.System().Rows("ActivityParticipant", map[string]any{"ActivityId": activityID, "ParticipantId": o.users()[user].contact})
	if len(rows) == 0 {
		return nil
	}
	return rows[0]
}

// paired finds what a user's calendar shows and Creatio does not, or the other way round, and what differs.
func (o *office) paired(user int) {
	who, links := o.users()[user].login, o.links(user)
	now := zone.DateOf(time.Now().In(o.place(user)).AddDate(0, 3, 0), o.place(user)).Start(o.place(user))
	seen := map[string]bool{}
	for _, e := range o.agenda(user) {
		if end := endOf(e, o.place(user)); end.Before(o.from) {
			continue
		}
		l, linked := links[record.Google][e.Id]
		secret := o.secretOf(keyOf(e.Summary))
		if !linked && secret != nil && o.private[user] == calendar.Skip {
			continue
		}
		if !linked {
			if e.RecurringEventId == "" || startOf(e, o.place(user)).Before(now) {
				o.t.Errorf("%s: %q of %s is only in the calendar: %s", who, e.Summary, ofEvent(e)[activity.When], e.Id)
			}
			continue
		}
		seen[l.CreatioID] = true
		row := o.creatio.System().Get("Activity", l.CreatioID)
		if row == nil || row["StatusId"] == statusCanceled {
			o.t.Errorf("%s: %q is in the calendar, and its activity is not there", who, e.Summary)
			continue
		}
		if secret != nil && o.shows(secret) != calendar.Full {
			o.sameTime(user, row, e)
			continue
		}
		o.same(user, row, e)
	}
	for _, r := range o.creatio.System().Rows("Activity", nil) {
		id, _ := r["Id"].(string)
		p := o.part(user, id)
		m := o.meeting(keyOf(fmt.Sprint(r["Title"])))
		if r["StatusId"] == statusCanceled || p == nil || seen[id] || timeOf(r, "DueDate").Before(o.from) {
			continue
		}
		if m != nil && m.declined && user != m.organizer && p["InviteResponseId"] == responses["declined"] {
			continue
		}
		if x := o.outsideOf(keyOf(fmt.Sprint(r["Title"]))); x != nil && x.gone[user] {
			continue
		}
		if keyOf(fmt.Sprint(r["Title"])) == "Busy" && o.private[user] == calendar.Skip {
			continue
		}
		o.t.Errorf("%s: %q of %s is only in Creatio: %s", who, r["Title"], timeOf(r, "StartDate"), id)
	}
}

func startOf(e *gcal.Event, loc *time.Location) time.Time {
	from, _, _ := strings.Cut(instants(ofEvent(e)[activity.When], loc), "/")
	at, _ := time.Parse(time.RFC3339, from)
	return at
}

func endOf(e *gcal.Event, loc *time.Location) time.Time {
	_, to, _ := strings.Cut(instants(ofEvent(e)[activity.When], loc), "/")
	at, _ := time.Parse(time.RFC3339, to)
	return at
}

// same compares an activity with its event.
func (o *office) same(user int, row map[string]any, e *gcal.Event) {
	a, g := ofRow(row), ofEvent(e)
	owner := 0
	if row["OwnerId"] == o.second.contact {
		owner = 1
	}
	days := g[activity.When]
	if g[activity.When] = instants(days, o.place(owner)); g[activity.When] != a[activity.When] {
		// Another owner's days stay the days that they were.
		g[activity.When] = instants(days, o.place(1-owner))
	}
	for field, is := range a {
		if g[field] != is {
			o.t.Errorf("%s: %s of %q is %q in Creatio and %q in the calendar", o.users()[user].login, field, e.Summary, is, g[field])
		}
	}
	if user == owner {
		if in, at := reminderOf(row), popupOf(e); in != at {
			o.t.Errorf("%s: creatio reminds of %q %s minutes before, the calendar %s", o.users()[user].login, e.Summary, in, at)
		}
	}
	mine := slices.IndexFunc(e.Attendees, func(x *gcal.EventAttendee) bool { return x.Self })
	if mine < 0 || e.Organizer.Self {
		return
	}
	if p := o.part(user, row["Id"]); p == nil || p["InviteResponseId"] != responseOf(e.Attendees[mine].ResponseStatus) && !open(p, e.Attendees[mine]) {
		o.t.Errorf("%s: the answer to %q is %v in Creatio and %s in the calendar", o.users()[user].login, e.Summary, p, e.Attendees[mine].ResponseStatus)
	}
}

func responseOf(status string) any {
	if id := responses[status]; id != "" {
		return id
	}
	return ""
}

// open reports whether nobody has answered: rows that the site makes itself are in doubt.
func open(p map[string]any, a *gcal.EventAttendee) bool {
	return a.ResponseStatus == "needsAction" && p["InviteResponseId"] == responses["tentative"]
}

func (o *office) meeting(key string) *meeting {
	i := slices.IndexFunc(o.meetings, func(m *meeting) bool { return m.key == key })
	if i < 0 {
		return nil
	}
	return o.meetings[i]
}

// once finds what there is twice of a meeting, or not at all.
func (o *office) once(m *meeting) {
	for user := range o.users() {
		starts := map[string]string{}
		for _, e := range o.events(user, m.key) {
			at := ofEvent(e)[activity.When]
			if e.OriginalStartTime != nil {
				at = e.OriginalStartTime.Date + utc(e.OriginalStartTime.DateTime)
			}
			if !m.series {
				at = ""
			} else if e.RecurringEventId == "" {
				o.t.Errorf("%s: %q became an event of its own: %s", o.users()[user].login, e.Summary, e.Id)
			}
			if starts[at] != "" {
				o.t.Errorf("%s has %q twice: %s and %s", o.users()[user].login, e.Summary, starts[at], e.Id)
			}
			starts[at] = e.Id
		}
	}
	events, rows := o.events(m.organizer, m.key), o.rows(m.key)
	want := 1
	if m.series {
		want = len(m.instances)
		for _, e := range events {
			if !m.instances[e.Id] {
				o.t.Errorf("%q of %s came back: %s", e.Summary, ofEvent(e)[activity.When], e.Id)
			}
		}
	}
	if !m.alive {
		want = 0
	}
	if len(events) != want {
		o.t.Errorf("%s has %d events of %s, want %d", o.users()[m.organizer].login, len(events), m.key, want)
	}
	if !m.series && len(rows) != want {
		o.t.Errorf("creatio has %d activities of %s, want %d", len(rows), m.key, want)
	}
	for _, r := range rows {
		if got := o.part(1-m.organizer, r["Id"]) != nil; got != m.guest {
			o.t.Errorf("%q: the colleague takes part in Creatio: %t, want %t", r["Title"], got, m.guest)
		}
	}
	if m.again && m.declined {
		return
	}
	others := len(o.events(1-m.organizer, m.key))
	if wantOthers := m.guest && !m.declined; wantOthers && others != want || !wantOthers && others != 0 {
		o.t.Errorf("%s has %d events of %s, want %d: %t", o.users()[1-m.organizer].login, others, m.key, want, wantOthers)
	}
}

// lastWords finds edits that were lost: a value that one side alone wrote has to be there, and of two sides' values the one of
// the side that was edited last.
func (o *office) lastWords() {
	for _, m := range o.meetings {
		if !m.alive {
			continue
		}
		for _, l := range o.links(m.organizer)[record.Creatio] {
			row, e := o.creatio.System().Get("Activity", l.CreatioID), o.calendar(m.organizer).Event(l.GoogleID)
			if row == nil || e == nil || keyOf(e.Summary) != m.key {
				continue
			}
			g := ofEvent(e)
			last, touched := map[string][2]edit{}, [2]time.Time{}
			for _, w := range o.edits {
				for side, id := range []string{inCreatioID(l.CreatioID), inGoogleID(m.organizer, l.GoogleID)} {
					if w.record == id {
						both := last[w.field]
						both[side], touched[side] = w, w.at
						last[w.field] = both
					}
				}
			}
			for field, both := range last {
				var good []string
				switch {
				case both[0].record == "":
					good = []string{both[1].text}
				case both[1].record == "":
					good = []string{both[0].text}
				default:
					later := 0
					if both[1].at.After(both[0].at) {
						later = 1
					}
					good = []string{both[later].text}
					if touched[1-later].After(touched[later]) {
						good = append(good, both[1-later].text)
					}
				}
				if !slices.ContainsFunc(good, func(text string) bool {
					return instants(text, o.place(o.ownerOf(row))) == instants(g[field], o.place(o.ownerOf(row)))
				}) {
					o.t.Errorf("%s of %q is %q; somebody wrote %q last", field, e.Summary, g[field], good)
				}
			}
		}
	}
}

func (o *office) ownerOf(row map[string]any) int {
	if row["OwnerId"] == o.second.contact {
		return 1
	}
	return 0
}
