package sample

import (
	"maps"
	"time"
	_ "time/tzdata" // the machine may have none

	gcal "google.golang.org/api/calendar/v3"
)

// Somebody of another organization, who plans meetings in Google and has no Creatio.
const (
	PartnerEmail    = "priya.nolan@example.org"
	PartnerName     = "Priya Nolan"
	PartnerTimeZone = "America/New_York"
)

// Rows of lookups that every Creatio is delivered with.
const (
	activityTask      = "fbe0acdc-cfc0-df11-b00f-001d60e938c6"
	categoryMeeting   = "42c74c49-58e6-df11-971b-001d60e938c6"
	categoryToDo      = "f51c4643-58e6-df11-971b-001d60e938c6"
	statusCompleted   = "4bdbb88f-58e6-df11-971b-001d60e938c6"
	statusCanceled    = "201cfba8-58e6-df11-971b-001d60e938c6"
	responseConfirmed = "7098c892-34e3-4a3e-af08-c1a139f63220"
	responseInDoubt   = "50e89724-522d-446e-be91-12548b8c834d"
)

// Both is the title of the one meeting that Creatio and Google have before the first synchronization.
const Both = "Pipeline review"

// week is a working week, as seen from the office of the sample user. Its Monday is a day without a place.
type week struct{ monday time.Time }

// weekOf is the week that a moment is in.
func weekOf(now time.Time) week {
	y, m, d := now.In(office(UserTimeZone)).Date()
	day := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	return week{day.AddDate(0, 0, -(int(day.Weekday())+6)%7)}
}

// office is where somebody works.
func office(name string) *time.Location {
	loc, err := time.LoadLocation(name)
	if err != nil {
		panic("sample: " + err.Error())
	}
	return loc
}

// day is one some days after Monday, as "2006-01-02".
func (w week) day(days int) string { return w.monday.AddDate(0, 0, days).Format(time.DateOnly) }

// at is a local time, as "15:04", some days after Monday.
func (w week) at(days int, clock, place string) time.Time {
	t, err := time.ParseInLocation(time.DateOnly+" 15:04", w.day(days)+" "+clock, office(place))
	if err != nil {
		panic("sample: " + err.Error())
	}
	return t
}

// Activities is what the site has of the week that a moment is in, and of the weeks beside it. The rows follow those of
// Creatio.
func Activities(now time.Time) []Row {
	b, w := builder{}, weekOf(now)
	meeting := map[string]any{"ActivityCategoryId": categoryMeeting}
	w.activity(&b, UserLogin, Both, 1, "14:00", "15:00", meeting)
	w.activity(&b, UserLogin, "Sales meeting", 0, "11:00", "12:00", map[string]any{
		"ActivityCategoryId": categoryMeeting, "Location": "Room Humber", "Notes": "1. Forecast\n2. Open offers\n3. Any other business",
	})
	w.joins(&b, UserLogin, "Sales meeting", 0, ColleagueContactID, "")
	w.activity(&b, UserLogin, "Call about the renewal", 1, "09:30", "10:00", map[string]any{
		"ActivityCategoryId": categoryToDo, "ContactId": derive("contact", "george.halloran"), "RemindToOwner": true,
		"RemindToOwnerDate": w.at(1, "09:15", UserTimeZone).UTC().Format(time.RFC3339),
	})
	w.activity(&b, UserLogin, "Write the offer", 2, "14:00", "16:30", map[string]any{
		"ActivityCategoryId": categoryToDo, "Notes": "<p>Two variants:</p><ul><li>with <b>mooring</b></li><li>without</li></ul>",
	})
	w.activity(&b, UserLogin, "Signed contract filed", -3, "16:00", "16:30", map[string]any{"ActivityCategoryId": categoryToDo, "StatusId": statusCompleted})
	w.activity(&b, UserLogin, "Demonstration", 4, "10:00", "11:00", map[string]any{"ActivityCategoryId": categoryMeeting, "StatusId": statusCanceled})
	w.activity(&b, UserLogin, "Think about the bonus", 4, "17:00", "17:30", map[string]any{"ShowInScheduler": false})
	w.days(&b, UserLogin, "Visit to Harwich", 3, 4, map[string]any{"Location": "Harwich"})
	// Two meetings of the colleague in Warsaw, one of them of whole days there.
	w.days(&b, ColleagueLogin, "Trade fair in Poznań", 8, 11, map[string]any{"ActivityCategoryId": categoryMeeting, "Location": "Poznań, hall 5"})
	w.joins(&b, ColleagueLogin, "Trade fair in Poznań", 8, UserContactID, responseConfirmed)
	w.activity(&b, ColleagueLogin, "Handover of the Baltic accounts", 4, "15:00", "16:00", meeting)
	w.joins(&b, ColleagueLogin, "Handover of the Baltic accounts", 4, UserContactID, responseInDoubt)
	return b.rows
}

// zoneOf is where a user works.
func zoneOf(login string) string {
	if login == ColleagueLogin {
		return ColleagueTimeZone
	}
	return UserTimeZone
}

func (w week) activity(b *builder, by, title string, day int, from, to string, more map[string]any) {
	w.between(b, by, title, day, w.at(day, from, zoneOf(by)), w.at(day, to, zoneOf(by)), more)
}

// days makes an activity of whole days where its owner works, up to the one before the last.
func (w week) days(b *builder, by, title string, from, to int, more map[string]any) {
	w.between(b, by, title, from, w.at(from, "00:00", zoneOf(by)), w.at(to, "00:00", zoneOf(by)), more)
}

func (w week) between(b *builder, by, title string, day int, from, to time.Time, more map[string]any) {
	values := map[string]any{
		"Id": w.id(title, day), "Title": title, "TypeId": activityTask, "ShowInScheduler": true,
		"StartDate": from.UTC().Format(time.RFC3339), "DueDate": to.UTC().Format(time.RFC3339),
	}
	maps.Copy(values, more)
	b.add("Activity", by, values)
}

// joins has somebody take part in an activity.
func (w week) joins(b *builder, by, title string, day int, contact, response string) {
	values := map[string]any{"Id": derive("participant", w.id(title, day), contact), "ActivityId": w.id(title, day), "ParticipantId": contact}
	if response != "" {
		values["InviteResponseId"] = response
	}
	b.add("ActivityParticipant", by, values)
}

func (w week) id(title string, day int) string { return derive("activity", title, w.day(day)) }

// Event is one event, or one series, as a person makes it in a calendar.
type Event struct {
	// Of is the address of the person in whose calendar it is made. Guests who have a calendar get a copy.
	Of string
	*gcal.Event
	// Answers are given by guests, by their addresses.
	Answers map[string]string
	// Exceptions are instances that the person changes alone, by their number in the series, from 0 on.
	Exceptions map[int]Exception
}

// Exception is what becomes of one instance of a series.
type Exception struct {
	Deleted bool
	// Title, where not empty, is its own; Later is how much later than its series it is.
	Title string
	Later time.Duration
}

// Events is what the calendars have of the week that a moment is in, and of the weeks beside it.
func Events(now time.Time) []Event {
	w := weekOf(now)
	event := func(of, title string, day int, from, to, place string) Event {
		return Event{Of: of, Event: &gcal.Event{
			Summary: title, Start: &gcal.EventDateTime{DateTime: w.at(day, from, place).Format(time.RFC3339), TimeZone: place},
			End: &gcal.EventDateTime{DateTime: w.at(day, to, place).Format(time.RFC3339), TimeZone: place},
		}}
	}
	whole := func(title string, from, to int) Event {
		return Event{Of: UserEmail, Event: &gcal.Event{
			Summary: title, Start: &gcal.EventDateTime{Date: w.day(from)}, End: &gcal.EventDateTime{Date: w.day(to)},
		}}
	}
	guests := func(addresses ...string) (out []*gcal.EventAttendee) {
		for _, a := range addresses {
			out = append(out, &gcal.EventAttendee{Email: a})
		}
		return out
	}
	both := event(UserEmail, Both, 1, "14:00", "15:00", UserTimeZone)

	daily := event(UserEmail, "Stand-up", -7, "09:15", "09:30", UserTimeZone)
	daily.Recurrence = []string{"RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"}
	daily.Exceptions = map[int]Exception{7: {Deleted: true}, 9: {Title: "Stand-up with the whole office", Later: 45 * time.Minute}}

	pair := event(UserEmail, "Sophia and Marek", -5, "15:00", "15:30", UserTimeZone)
	pair.Recurrence, pair.Attendees = []string{"RRULE:FREQ=WEEKLY;COUNT=8"}, guests(ColleagueEmail)
	pair.Answers = map[string]string{ColleagueEmail: "accepted"}
	pair.Exceptions = map[int]Exception{2: {Later: 24 * time.Hour}}

	yoga := event(UserEmail, "Yoga", -4, "18:00", "19:00", UserTimeZone)
	yoga.Recurrence, yoga.Visibility, yoga.Location = []string{"RRULE:FREQ=WEEKLY;COUNT=6"}, "private", "Quay Street"
	dentist := event(UserEmail, "Dentist", 4, "08:30", "09:15", UserTimeZone)
	dentist.Visibility, dentist.Description = "private", "Bring the X-ray"

	kickoff := event(UserEmail, "Kick-off with Alder & Finch", 2, "10:00", "11:30", UserTimeZone)
	kickoff.Description, kickoff.Location, kickoff.ColorId = "<b>Agenda</b><br>Who is who<br>Dates", "Room Humber", "5"
	kickoff.Attendees = append(guests(ColleagueEmail, PartnerEmail, "nora.finch@example.com"), &gcal.EventAttendee{Email: "humber@resource.calendar.google.com", Resource: true})
	kickoff.Answers = map[string]string{ColleagueEmail: "tentative", PartnerEmail: "accepted"}

	// The partner's invitations: one is answered, one is open.
	call := event(PartnerEmail, "New York call", 3, "10:00", "10:45", PartnerTimeZone)
	call.Attendees, call.Answers = guests(UserEmail), map[string]string{UserEmail: "accepted"}
	lunch := event(PartnerEmail, "Lunch at the harbour?", 9, "07:30", "08:30", PartnerTimeZone)
	lunch.Attendees = guests(UserEmail, ColleagueEmail)

	birthday := whole("Vera's birthday", 2, 3)
	birthday.EventType, birthday.Visibility, birthday.Transparency = "birthday", "private", "transparent"
	birthday.BirthdayProperties = &gcal.EventBirthdayProperties{Type: "birthday"}
	birthday.Recurrence = []string{"RRULE:FREQ=YEARLY"}
	return []Event{
		both, daily, pair, yoga, dentist, kickoff, call, lunch, birthday,
		whole("Holiday in Norfolk", 14, 19), whole("Office moves", 5, 7), event(UserEmail, "", 0, "16:00", "16:30", UserTimeZone),
	}
}
