// Package activity says what an activity is while Tandem carries it between Creatio and a calendar: its fields, when two values
// of a field are the same to a person, what a person calls it, and by what an activity and an event are found to be one.
//
// It is for the two adapters and for the value that describes the kind to the engine. The package is pure: no I/O, no clock,
// no logger.
//
// How the fields are written down:
//
//   - When is one value, see Moment: the start and the end of a timed activity as instants, or the days of an all-day one.
//     Creatio holds instants only. Instants that stand for days there are days as long as they stand, whatever becomes of
//     anybody's time zone: the adapter reads them as what it last took them for.
//   - Title, Place and Notes are text. Notes are compared as text; the form in which a side holds them, as HTML, is the
//     adapter's.
//   - Reminder is the number of minutes before the start at which Creatio's owner is reminded; empty for none.
//   - Answer is whether the user of this run takes part: one of the answers; empty where it is open.
//   - Attendees are the others who take part, each with the address as its text and the answer as its kind. What an attendee
//     is called, and which contact it is, are the adapters' to find out.
package activity

import (
	"fmt"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/richtext"
	"github.com/tandem-sync/tandem/shared/zone"
)

// The fields of an activity.
const (
	Title     = "title"
	When      = "when"
	Place     = "place"
	Notes     = "notes"
	Reminder  = "reminder"
	Answer    = "answer"
	Attendees = "attendees"
)

// What a record tells its counterpart once, when that is made: the time zone that it has of its own, by whatever name, and the
// address of who organizes it, where that is somebody else than the user.
const (
	Zone      = "zone"
	Organizer = "organizer"
)

// The answers to an invitation. An open one is empty.
const (
	Accepted  = "accepted"
	Declined  = "declined"
	Tentative = "tentative"
)

// Schema is what Tandem carries of an activity.
var Schema = record.Schema{
	{Name: Title, Label: "Title", Key: textKey, Shortened: cutInCreatio},
	{Name: When, Label: "Time", Key: textKey},
	{Name: Place, Label: "Place", Key: textKey, Shortened: cutInCreatio},
	{Name: Notes, Label: "Notes", Lines: true, Key: textKey, Shortened: cutInCalendar},
	{Name: Reminder, Label: "Reminder", Key: textKey},
	{Name: Answer, Label: "Your answer", Key: textKey},
	{Name: Attendees, Label: "Participant", Set: true, KindYields: true, Key: func(e record.Entry) string { return AddressKey(e.Text) }},
}

const (
	// MaxText is the length of Creatio's columns for titles and places. A longer value is cut, since the site would refuse the whole
	// record.
	MaxText = 500
	// MaxNotes is how many characters an event's description holds
	// (https://developers.google.com/workspace/calendar/api/v3/reference/events).
	MaxNotes = 8192
)

func cutInCreatio(whole, short record.Entry) bool {
	return short.Text != whole.Text && short.Text == record.Cut(whole.Text, MaxText)
}

func cutInCalendar(whole, short record.Entry) bool {
	return short.Text != whole.Text && short.Text == richtext.OfMarkup(Description(whole.Text))
}

// Description is what an event holds of notes: they are cut between two characters to what there is room for.
func Description(notes string) string {
	stored := richtext.Markup(notes)
	for cut := record.Cut(notes, MaxNotes); record.Length(stored) > MaxNotes; {
		stored = richtext.Markup(cut)
		cut = record.Cut(cut, record.Length(cut)-(record.Length(stored)-MaxNotes))
	}
	return stored
}

func textKey(e record.Entry) string { return e.Text }

// AddressKey is the identity of an attendee: the e-mail address without the case.
func AddressKey(address string) string { return strings.ToLower(strings.TrimSpace(address)) }

// NoTitle is what a record without a title is called where there must be one.
const NoTitle = "(No title)"

// Name is what a person calls the activity.
func Name(f record.Fields) string {
	if t := strings.TrimSpace(f.Text(Title)); t != "" {
		return t
	}
	return NoTitle
}

// Moment is when an activity is.
type Moment struct {
	// Start and End are the instants of a timed activity, to the second.
	Start, End time.Time
	// First is the first day of an all-day activity and After the day after its last.
	First, After zone.Date
	AllDay       bool
}

// allDay is the kind of an entry of When that names days.
const allDay = "all day"

// Entry writes the moment down.
func (m Moment) Entry() record.Entry {
	if m.AllDay {
		return record.Entry{Kind: allDay, Text: m.First.String() + "/" + m.After.String()}
	}
	return record.Entry{Text: instant(m.Start) + "/" + instant(m.End)}
}

func instant(t time.Time) string { return t.UTC().Truncate(time.Second).Format(time.RFC3339) }

// ReadMoment reads what Entry wrote.
func ReadMoment(e record.Entry) (Moment, error) {
	from, to, _ := strings.Cut(e.Text, "/")
	m := Moment{AllDay: e.Kind == allDay}
	var errs [2]error
	if m.AllDay {
		m.First, errs[0] = zone.ParseDate(from)
		m.After, errs[1] = zone.ParseDate(to)
	} else {
		m.Start, errs[0] = time.Parse(time.RFC3339, from)
		m.End, errs[1] = time.Parse(time.RFC3339, to)
	}
	for _, err := range errs {
		if err != nil {
			return Moment{}, fmt.Errorf("read the time of an activity: %w", err)
		}
	}
	return m, nil
}

// MomentShown reads what Field.Show wrote of an entry of When.
func MomentShown(text string) (Moment, error) {
	days, is := strings.CutSuffix(text, " ("+allDay+")")
	if is {
		return ReadMoment(record.Entry{Kind: allDay, Text: days})
	}
	return ReadMoment(record.Entry{Text: text})
}

// Timed is a moment between two instants.
func Timed(start, end time.Time) Moment {
	return Moment{Start: start.UTC().Truncate(time.Second), End: end.UTC().Truncate(time.Second)}
}

// Days is a moment of whole days, from the first to the day before after. One that ends where it starts, or before, is one day:
// that is how Google reads it.
func Days(first, after zone.Date) Moment {
	if !first.Before(after) {
		after = first.Add(1)
	}
	return Moment{First: first, After: after, AllDay: true}
}

// DaysOf are the days that two instants stand for in a zone: those that start with the first, up to the one that starts with
// the second. It is false where one of them starts no day, and for equal instants, which are timed also at a day's start.
func DaysOf(start, end time.Time, loc *time.Location) (Moment, bool) {
	if !start.Before(end) || !zone.StartsDay(start, loc) || !zone.StartsDay(end, loc) {
		return Moment{}, false
	}
	return Days(zone.DateOf(start, loc), zone.DateOf(end, loc)), true
}

// In are the instants of a moment, those of days in a zone.
func (m Moment) In(loc *time.Location) (start, end time.Time) {
	if m.AllDay {
		return m.First.Start(loc), m.After.Start(loc)
	}
	return m.Start, m.End
}
