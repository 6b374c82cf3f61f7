package calendar

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/activity"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/richtext"
	"github.com/tandem-sync/tandem/shared/zone"
)

const (
	statusCancelled = "cancelled"
	statusConfirmed = "confirmed"
	statusDeclined  = "declined"
	typeDefault     = "default"
	popup           = "popup"
	needsAction     = "needsAction"
	// busyTitle is what a private event is called where only that is to be seen of it.
	busyTitle = "Busy"
)

// shared are the fields that only the organizer may change.
var shared = []string{activity.Title, activity.When, activity.Place, activity.Notes, activity.Attendees}

// record is an event in Tandem's vocabulary.
func (s *Side) record(e *gcal.Event) record.Record {
	id := recordID(e)
	if e.Status == statusCancelled {
		return record.Record{ID: id, Gone: true, Tombstone: true, Parent: e.RecurringEventId}
	}
	moment, ok := momentOf(e)
	if !ok {
		return record.Record{ID: id, Parent: e.RecurringEventId}
	}
	_, end := moment.In(s.o.Zone)
	r := record.Record{
		ID: id, Parent: e.RecurringEventId, Created: instantOf(e.Created), Modified: instantOf(e.Updated), End: end, Mark: markOf(e), Ties: s.ties(e),
		Fields: s.fields(e, moment), Locked: s.locked(e),
		AdapterState: stateOf(e).encode(),
	}
	r.Member = cmp.Or(e.EventType, typeDefault) == typeDefault && len(e.Recurrence) == 0
	// One that was declined, or that the settings leave out, is none of ours before it is known.
	r.Passive = answerOf(e) == statusDeclined || s.o.Private == Skip && private(e) || !s.inRange(e)
	if s.hidden(e) {
		r = s.Conceal(r)
	}
	return r
}

func private(e *gcal.Event) bool {
	return e.Visibility == "private" || e.Visibility == "confidential" || e.PrivateCopy
}

// hidden reports whether nothing of an event is to be seen but when it is.
func (s *Side) hidden(e *gcal.Event) bool { return private(e) && s.o.Private != Full }

// fields is the content of an event.
func (s *Side) fields(e *gcal.Event, moment activity.Moment) record.Fields {
	f := record.Fields{activity.When: {moment.Entry()}}
	f.SetText(activity.Title, strings.TrimSpace(e.Summary))
	f.SetText(activity.Place, strings.TrimSpace(e.Location))
	f.SetText(activity.Notes, richtext.OfMarkup(e.Description))
	f.SetText(activity.Answer, answerOf(e))
	if minutes, ok := reminderOf(stateOf(e)); ok {
		f.SetText(activity.Reminder, strconv.FormatInt(minutes, 10))
	}
	for _, a := range e.Attendees {
		if a.Self || a.Resource || a.Email == "" {
			continue
		}
		f[activity.Attendees] = append(f[activity.Attendees], record.Entry{Kind: answer(a.ResponseStatus), Text: a.Email})
	}
	return activity.Schema.Clean(f)
}

// answer is a response in Tandem's vocabulary: an open one is empty.
func answer(response string) string {
	if response == needsAction {
		return ""
	}
	return response
}

// answerOf is the user's own answer.
func answerOf(e *gcal.Event) string {
	if a := own(e.Attendees); a != nil {
		return answer(a.ResponseStatus)
	}
	return ""
}

func own(attendees []*gcal.EventAttendee) *gcal.EventAttendee {
	if i := slices.IndexFunc(attendees, func(a *gcal.EventAttendee) bool { return a.Self }); i >= 0 {
		return attendees[i]
	}
	return nil
}

// locked are the fields that the user may not change, and whether they may not remove the event.
func (s *Side) locked(e *gcal.Event) []string {
	var out []string
	organizes := e.Organizer == nil || e.Organizer.Self
	switch {
	case !organizes && !e.GuestsCanModify:
		out = append(out, shared...)
	case e.Locked:
		out = append(out, activity.Title, activity.When, activity.Place, activity.Notes)
	}
	if !slices.Contains(out, activity.Attendees) && incomplete(e) {
		out = append(out, activity.Attendees)
	}
	if own(e.Attendees) == nil {
		// Who is no guest has no answer to give.
		out = append(out, activity.Answer)
	}
	if !organizes {
		out = append(out, record.Removal)
	}
	if madeByPerson(e) {
		out = append(out, record.Withdrawal)
	}
	return out
}

// madeByPerson reports whether an event is none that Tandem made for somebody.
func madeByPerson(e *gcal.Event) bool { return markOf(e) == "" && !strings.HasPrefix(e.Id, idPrefix) }

// incomplete reports whether an event may have attendees that are not listed.
func incomplete(e *gcal.Event) bool {
	hides := e.GuestsCanSeeOtherGuests != nil && !*e.GuestsCanSeeOtherGuests && (e.Organizer == nil || !e.Organizer.Self)
	return e.AttendeesOmitted || hides
}

func instantOf(text string) time.Time {
	t, _ := time.Parse(time.RFC3339, text)
	return t.UTC()
}

// markOf is the link for which an event was made.
func markOf(e *gcal.Event) string {
	if e.ExtendedProperties == nil {
		return ""
	}
	return e.ExtendedProperties.Private[mark]
}

// ties are the names by which Creatio's own synchronizations know an event: the activity that one of them left on it, and the
// iCalendar id that another one keeps, for an instance with the day on which it started originally. In whose time zone that
// day is nobody says.
func (s *Side) ties(e *gcal.Event) []string {
	var out []string
	if p := e.ExtendedProperties; p != nil {
		for _, id := range []string{p.Private[creatioMark], p.Shared[creatioMark]} {
			if id = strings.ToLower(strings.TrimSpace(id)); id != "" && !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
	}
	switch t := e.OriginalStartTime; {
	case e.ICalUID == "":
	case t == nil:
		out = append(out, e.ICalUID)
	default:
		moment, _ := momentOf(&gcal.Event{Start: t, End: t})
		start, _ := moment.In(time.UTC)
		for _, loc := range []*time.Location{time.UTC, s.o.Zone} {
			day := e.ICalUID + "_" + start.In(loc).Format("2006_01_02")
			if !slices.Contains(out, day) && (t.Date == "" || loc == time.UTC) {
				out = append(out, day)
			}
		}
	}
	return out
}

// momentOf is when an event is; false where it does not say, as one that was cancelled.
func momentOf(e *gcal.Event) (activity.Moment, bool) {
	if e.Start == nil || e.End == nil {
		return activity.Moment{}, false
	}
	if e.Start.Date != "" {
		first, err := zone.ParseDate(e.Start.Date)
		after, errEnd := zone.ParseDate(e.End.Date)
		return activity.Days(first, after), err == nil && errEnd == nil
	}
	start, err := time.Parse(time.RFC3339, e.Start.DateTime)
	end, errEnd := time.Parse(time.RFC3339, e.End.DateTime)
	return activity.Timed(start, end), err == nil && errEnd == nil
}
