package worldtest

import (
	"context"
	"fmt"
	"slices"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/zone"
)

// action is something that people do to a meeting, or to make one. Actions of one class go together in a round; of the others a
// meeting sees one in a round, so that what has to come of it is clear.
type action struct {
	name   string
	class  string
	weight int
	// do gives what was done; empty where nothing could be.
	do func(*office, *meeting) string
}

// The classes of actions. Which of two edits is the later one is told by when the records changed, also for an answer: answers have
// rounds of their own, and so have reminders, which move no time of an event.
const (
	making    = "making"
	editing   = "editing"
	answering = "answering"
	reminding = "reminding"
	living    = "living"
)

// makes are the actions that make meetings.
var makes = []action{
	{"plans in Creatio", making, 3, (*office).plans},
	{"adds to the calendar", making, 3, (*office).adds},
	{"adds a series", making, 2, (*office).addsSeries},
}

// acts are all actions.
var acts = slices.Concat(makes, []action{
	{"edits in Creatio", editing, 12, (*office).editsInCreatio},
	{"edits in the calendar", editing, 12, (*office).editsInCalendar},
	{"answers", answering, 4, (*office).answers},
	{"answers in Creatio", answering, 3, (*office).answersInCreatio},
	{"is reminded in Creatio", reminding, 2, (*office).remindsInCreatio},
	{"is reminded in the calendar", reminding, 2, (*office).remindsInCalendar},
	{"leaves", living, 2, (*office).leaves},
	{"cancels in Creatio", living, 2, (*office).cancels},
	{"deletes in Creatio", living, 2, (*office).deletesInCreatio},
	{"deletes in the calendar", living, 3, (*office).deletesInCalendar},
	{"removes an invitation", living, 2, (*office).removesInvitation},
	{"restores", living, 3, (*office).restores},
	{"invites in Creatio", living, 2, (*office).invitesInCreatio},
	{"invites in the calendar", living, 2, (*office).invitesInCalendar},
	{"edits all of a series", living, 3, (*office).editsAll},
	{"edits this and the following", living, 4, (*office).editsFollowing},
	{"deletes this and the following", living, 1, (*office).deletesFollowing},
	{"deletes a series", living, 1, (*office).deletesSeries},
	{"reopens", living, 3, (*office).reopens},
	{"takes out in Creatio", living, 1, (*office).takesOutInCreatio},
	{"takes out in the calendar", living, 1, (*office).takesOutInCalendar},
})

// act has somebody do something.
func (o *office) act(of []action) { o.actWithin(of) }

// actWithin has somebody do something of some classes, or of any.
func (o *office) actWithin(of []action, classes ...string) {
	total := 0
	for _, d := range of {
		total += d.weight
	}
	n := o.rng.IntN(total)
	var chosen action
	for _, d := range of {
		if chosen = d; n < d.weight {
			break
		}
		n -= d.weight
	}
	if chosen.class == making && len(classes) == 0 {
		o.write("somebody %s: %s", chosen.name, chosen.do(o, o.add()))
		return
	}
	if len(classes) > 0 && !slices.Contains(classes, chosen.class) {
		return
	}
	m := o.meetings[o.rng.IntN(len(o.meetings))]
	if m.class != "" && (m.class != chosen.class || chosen.class == living) {
		return
	}
	o.carried(m)
	if what := chosen.do(o, m); what != "" {
		o.write("somebody %s: %s", chosen.name, what)
		m.class = chosen.class
	}
}

func (o *office) number() int {
	o.made++
	return o.made
}

func (o *office) value(of string) string { return fmt.Sprintf("%s %04d", of, o.number()) }

// add is a new meeting.
func (o *office) add() *meeting {
	m := &meeting{
		key: fmt.Sprintf("M%04d", o.number()), alive: true, class: living, organizer: o.rng.IntN(2), guest: o.rng.IntN(2) == 0, instances: map[string]bool{},
	}
	o.meetings = append(o.meetings, m)
	return m
}

// time is a new one: some hours of a day in the next weeks, in which it is the same day everywhere.
func (o *office) time() (start, end time.Time) {
	day := zone.DateOf(time.Now().AddDate(0, 0, 1+o.rng.IntN(60)), time.UTC).Start(time.UTC)
	start = day.Add(time.Duration(8+o.rng.IntN(9))*time.Hour + time.Duration(o.number()%60)*time.Minute)
	return start, start.Add(time.Duration(30*(1+o.rng.IntN(4))) * time.Minute)
}

// days are some of the next weeks.
func (o *office) days() (first, after zone.Date) {
	first = zone.DateOf(time.Now().AddDate(0, 0, 1+o.rng.IntN(60)), time.UTC)
	return first, first.Add(1 + o.rng.IntN(3))
}

// columns are a time as Creatio holds it: days of the owner.
func (o *office) columns(owner int) map[string]any {
	start, end := o.time()
	if o.rng.IntN(4) == 0 {
		first, after := o.days()
		start, end = first.Start(o.place(owner)), after.Start(o.place(owner))
	}
	return map[string]any{"StartDate": start.UTC().Format(time.RFC3339), "DueDate": end.UTC().Format(time.RFC3339)}
}

// when gives an event a time.
func (o *office) when(user int, e *gcal.Event) {
	if o.rng.IntN(4) == 0 {
		first, after := o.days()
		e.Start, e.End = &gcal.EventDateTime{Date: first.String()}, &gcal.EventDateTime{Date: after.String()}
		return
	}
	start, end := o.time()
	e.Start = &gcal.EventDateTime{DateTime: start.Format(time.RFC3339), TimeZone: o.place(user).String()}
	e.End = &gcal.EventDateTime{DateTime: end.Format(time.RFC3339), TimeZone: o.place(user).String()}
}

func (o *office) must(id string, err error) string { return o.folk.must(id, err) }

func (o *office) plans(m *meeting) string {
	me := o.users()[m.organizer]
	values := o.columns(m.organizer)
	values["Title"], values["ShowInScheduler"], values["TypeId"] = m.key+" "+o.value("title"), true, typeTask
	id := o.must(o.creatio.As(me.login).Insert("Activity", values))
	if m.guest {
		o.must(o.creatio.As(me.login).Insert("ActivityParticipant", map[string]any{"ActivityId": id, "ParticipantId": o.users()[1-m.organizer].contact}))
	}
	return fmt.Sprintf("%s plans %v with a colleague: %t", me.login, values, m.guest)
}

func (o *office) event(m *meeting) *gcal.Event {
	e := &gcal.Event{Summary: m.key + " " + o.value("title")}
	o.when(m.organizer, e)
	if m.guest {
		e.Attendees = []*gcal.EventAttendee{{Email: o.users()[1-m.organizer].email}}
	}
	return e
}

func (o *office) adds(m *meeting) string {
	e := o.event(m)
	id := o.calendar(m.organizer).Add(e)
	return fmt.Sprintf("%s adds %s %v with a colleague: %t", o.users()[m.organizer].login, id, ofEvent(e), m.guest)
}

// sameOnBothSides has one meeting planned in Creatio and in the calendar before any run.
func (o *office) sameOnBothSides() {
	m := o.add()
	m.guest = false
	me := o.users()[m.organizer]
	title := m.key + " " + o.value("title")
	start, end := o.time()
	o.must(o.creatio.As(me.login).Insert("Activity", map[string]any{
		"Title": title, "StartDate": start.Format(time.RFC3339), "DueDate": end.Format(time.RFC3339), "ShowInScheduler": true, "TypeId": typeTask,
	}))
	o.calendar(m.organizer).Add(&gcal.Event{
		Summary: title, Start: &gcal.EventDateTime{DateTime: start.Format(time.RFC3339)}, End: &gcal.EventDateTime{DateTime: end.Format(time.RFC3339)},
	})
	o.write("%s has %s on both sides", me.login, title)
}

func (o *office) addsSeries(m *meeting) string {
	m.series = true
	e := o.event(m)
	rules := []string{"FREQ=WEEKLY;COUNT=6", "FREQ=WEEKLY;COUNT=20", "FREQ=DAILY;COUNT=9", "FREQ=DAILY;INTERVAL=3;COUNT=8", "FREQ=MONTHLY;COUNT=6", "FREQ=WEEKLY;BYDAY=MO,WE,FR;COUNT=9"}
	e.Recurrence = []string{"RRULE:" + rules[o.rng.IntN(len(rules))]}
	id := o.calendar(m.organizer).Add(e)
	o.count(m)
	return fmt.Sprintf("%s adds %s %v %v with a colleague: %t", o.users()[m.organizer].login, id, ofEvent(e), e.Recurrence, m.guest)
}

// count notes which instances of a series are there. It is for when both sides agree on what was deleted.
func (o *office) count(m *meeting) {
	clear(m.instances)
	for _, e := range o.events(m.organizer, m.key) {
		m.instances[e.Id] = true
	}
	m.alive = len(m.instances) > 0
}

// says notes what somebody changed: what shows of a record before and after.
func (o *office) says(record string, before, after shown) {
	for field, text := range after {
		if before[field] != text {
			o.edits = append(o.edits, edit{record, field, text, time.Now()})
		}
	}
}

// row is one of the activities of a meeting.
func (o *office) row(m *meeting) map[string]any {
	rows := o.rows(m.key)
	if len(rows) == 0 {
		return nil
	}
	return rows[o.rng.IntN(len(rows))]
}

// one is one of the events of a meeting in the organizer's calendar.
func (o *office) one(m *meeting) *gcal.Event {
	events := o.events(m.organizer, m.key)
	if len(events) == 0 {
		return nil
	}
	return events[o.rng.IntN(min(len(events), 8))]
}

func (o *office) editsInCreatio(m *meeting) string {
	r := o.row(m)
	if r == nil {
		return ""
	}
	owner := o.ownerOf(r)
	values := map[string]any{}
	switch o.rng.IntN(5) {
	case 0, 1:
		values["Title"] = m.key + " " + o.value("title")
	case 2:
		values["Location"] = o.value("Room")
	case 3:
		values["Notes"] = o.value("Notes")
	default:
		values = o.columns(owner)
	}
	id := r["Id"].(string)
	who := o.users()[o.rng.IntN(2)]
	o.must("", o.creatio.As(who.login).Update("Activity", id, values))
	o.says(inCreatioID(id), ofRow(r), ofRow(o.creatio.System().Get("Activity", id)))
	return fmt.Sprintf("%s changes %q %s to %v", who.login, r["Title"], id, values)
}

func (o *office) editsInCalendar(m *meeting) string {
	e := o.one(m)
	if e == nil {
		return ""
	}
	before := ofEvent(e)
	c := o.calendar(m.organizer)
	done := c.Edit(e.Id, func(e *gcal.Event) {
		switch o.rng.IntN(5) {
		case 0, 1:
			e.Summary = m.key + " " + o.value("title")
		case 2:
			e.Location = o.value("Room")
		case 3:
			e.Description = o.value("Notes")
		default:
			o.when(m.organizer, e)
		}
	})
	if !done {
		return ""
	}
	after := ofEvent(c.Event(e.Id))
	o.says(inGoogleID(m.organizer, e.Id), before, after)
	return fmt.Sprintf("%s changes %s %v to %v", o.users()[m.organizer].login, e.Id, before, after)
}

func (o *office) answers(m *meeting) string {
	if !m.guest || m.declined {
		return ""
	}
	events := o.events(1-m.organizer, m.key)
	if len(events) == 0 {
		return ""
	}
	e := events[o.rng.IntN(len(events))]
	answer := []string{"accepted", "tentative"}[o.rng.IntN(2)]
	o.calendar(1-m.organizer).Answer(e.Id, answer)
	return fmt.Sprintf("%s to %s of %s", answer, e.Id, e.Summary)
}

func (o *office) answersInCreatio(m *meeting) string {
	r := o.row(m)
	if r == nil || !m.guest || m.declined {
		return ""
	}
	p := o.part(1-m.organizer, r["Id"])
	if p == nil {
		return ""
	}
	answer := []string{"accepted", "tentative"}[o.rng.IntN(2)]
	o.must("", o.creatio.As(o.users()[1-m.organizer].login).Update("ActivityParticipant", p["Id"].(string), map[string]any{"InviteResponseId": responses[answer]}))
	return fmt.Sprintf("%s to %s of %s", answer, r["Id"], r["Title"])
}

// goes notes that an activity and its event are to be there no more.
func (o *office) goes(m *meeting, row map[string]any) bool {
	if !m.series {
		m.alive = false
		return true
	}
	// Runs may have left something unfinished by now.
	links, err := o.store.User(o.users()[m.organizer].user).LinksBy(context.Background(), record.Activities, record.Creatio, []string{row["Id"].(string)})
	if err != nil {
		o.t.Fatal(err)
	}
	links = slices.DeleteFunc(links, func(l store.Link) bool { return !l.Active })
	if len(links) == 0 {
		return false
	}
	delete(m.instances, links[0].GoogleID)
	m.alive = len(m.instances) > 0
	return true
}

func (o *office) cancels(m *meeting) string {
	r := o.row(m)
	if r == nil || !o.goes(m, r) {
		return ""
	}
	o.must("", o.creatio.As(o.users()[o.rng.IntN(2)].login).Update("Activity", r["Id"].(string), map[string]any{"StatusId": statusCanceled}))
	return fmt.Sprintf("%s %s", r["Title"], r["Id"])
}

func (o *office) deletesInCreatio(m *meeting) string {
	r := o.row(m)
	if r == nil || !o.goes(m, r) {
		return ""
	}
	o.must("", o.creatio.As(o.users()[o.rng.IntN(2)].login).Delete("Activity", r["Id"].(string)))
	return fmt.Sprintf("%s %s", r["Title"], r["Id"])
}

func (o *office) deletesInCalendar(m *meeting) string {
	e := o.one(m)
	if e == nil || !o.calendar(m.organizer).Delete(e.Id) {
		return ""
	}
	delete(m.instances, e.Id)
	m.alive = len(m.instances) > 0
	return fmt.Sprintf("%s %s", e.Summary, e.Id)
}

// removesInvitation has the guest delete the own copy.
func (o *office) removesInvitation(m *meeting) string {
	if !m.guest || m.declined || m.again || m.series {
		return ""
	}
	events := o.events(1-m.organizer, m.key)
	if len(events) != 1 || !o.calendar(1-m.organizer).Delete(events[0].Id) {
		return ""
	}
	m.declined = true
	return fmt.Sprintf("%s %s", events[0].Summary, events[0].Id)
}

// reopens has somebody take back in Creatio that a meeting does not take place.
func (o *office) reopens(m *meeting) string {
	if m.alive || m.series {
		return ""
	}
	for _, r := range o.creatio.System().Rows("Activity", nil) {
		if keyOf(fmt.Sprint(r["Title"])) == m.key {
			o.must("", o.creatio.As("Ada").Update("Activity", r["Id"].(string), map[string]any{"StatusId": statusNotStarted}))
			m.alive, m.again = true, true
			return fmt.Sprintf("%s %s", r["Title"], r["Id"])
		}
	}
	return ""
}

// restores has the organizer take an event out of the bin.
func (o *office) restores(m *meeting) string {
	if m.alive || m.series {
		return ""
	}
	links := func(yield func(store.Link) bool) {
		for l, err := range o.store.User(o.users()[m.organizer].user).Links(o.t.Context(), record.Activities) {
			if err != nil || !yield(l) {
				return
			}
		}
	}
	for l := range links {
		if keyOf(l.Name) == m.key && l.GoogleID != "" && o.calendar(m.organizer).Restore(l.GoogleID) {
			m.alive, m.again = true, true
			return fmt.Sprintf("%s %s", l.Name, l.GoogleID)
		}
	}
	return ""
}

func (o *office) invitesInCreatio(m *meeting) string {
	r := o.row(m)
	if r == nil || m.guest || m.series {
		return ""
	}
	m.guest, m.declined, m.again = true, false, false
	o.must(o.creatio.As(o.users()[m.organizer].login).Insert("ActivityParticipant", map[string]any{"ActivityId": r["Id"], "ParticipantId": o.users()[1-m.organizer].contact}))
	return fmt.Sprintf("%s %s", r["Title"], r["Id"])
}

func (o *office) takesOutInCreatio(m *meeting) string {
	r := o.row(m)
	if r == nil || !m.guest || m.series || o.ownerOf(r) != m.organizer {
		return ""
	}
	p := o.part(1-m.organizer, r["Id"])
	if p == nil {
		return ""
	}
	m.guest, m.declined = false, false
	o.must("", o.creatio.As(o.users()[m.organizer].login).Delete("ActivityParticipant", p["Id"].(string)))
	return fmt.Sprintf("%s %s", r["Title"], r["Id"])
}

func (o *office) invitesInCalendar(m *meeting) string {
	e := o.one(m)
	if e == nil || m.guest || m.series {
		return ""
	}
	m.guest, m.declined, m.again = true, false, false
	o.calendar(m.organizer).Edit(e.Id, func(e *gcal.Event) {
		e.Attendees = append(e.Attendees, &gcal.EventAttendee{Email: o.users()[1-m.organizer].email})
	})
	return fmt.Sprintf("%s %s", e.Summary, e.Id)
}

func (o *office) takesOutInCalendar(m *meeting) string {
	e := o.one(m)
	if e == nil || !m.guest || m.series {
		return ""
	}
	if r := o.row(m); r != nil && o.ownerOf(r) != m.organizer {
		// Who owns an activity takes part.
		return ""
	}
	m.guest, m.declined = false, false
	o.calendar(m.organizer).Edit(e.Id, func(e *gcal.Event) {
		e.Attendees = slices.DeleteFunc(e.Attendees, func(a *gcal.EventAttendee) bool { return a.Email == o.users()[1-m.organizer].email })
	})
	return fmt.Sprintf("%s %s", e.Summary, e.Id)
}

// master is the series of an instance.
func (o *office) master(m *meeting, e *gcal.Event) *gcal.Event {
	if e == nil || !m.series || e.RecurringEventId == "" {
		return nil
	}
	return o.calendar(m.organizer).Event(e.RecurringEventId)
}

func (o *office) editsAll(m *meeting) string {
	series := o.master(m, o.one(m))
	if series == nil {
		return ""
	}
	before := o.shown(m)
	what := ""
	o.calendar(m.organizer).Edit(series.Id, func(e *gcal.Event) {
		switch o.rng.IntN(3) {
		case 0:
			e.Summary = m.key + " " + o.value("title")
			what = e.Summary
		default:
			e.Location = o.value("Room")
			what = e.Location
		}
	})
	o.saysAll(m, before)
	return fmt.Sprintf("%s: %s", series.Id, what)
}

// shown is what the organizer's calendar shows of a meeting, by event.
func (o *office) shown(m *meeting) map[string]shown {
	out := map[string]shown{}
	for _, e := range o.events(m.organizer, m.key) {
		out[e.Id] = ofEvent(e)
	}
	return out
}

func (o *office) saysAll(m *meeting, before map[string]shown) {
	for id, is := range o.shown(m) {
		if was := before[id]; was != nil {
			o.says(inGoogleID(m.organizer, id), was, is)
		}
	}
	o.count(m)
}

func (o *office) editsFollowing(m *meeting) string { return o.editsFollowingAs(m, false) }

// editsFollowingAs has the new series come under an id of its own, or under one of the old series.
func (o *office) editsFollowingAs(m *meeting, fresh bool) string {
	e := o.one(m)
	series := o.master(m, e)
	if series == nil || e.Start.Date != series.Start.Date && (e.Start.Date == "" || series.Start.Date == "") {
		return ""
	}
	before := o.shown(m)
	what := ""
	id := o.calendar(m.organizer).Split(e.Id, fresh, func(e *gcal.Event) {
		switch o.rng.IntN(3) {
		case 0:
			e.Summary = m.key + " " + o.value("title")
			what = e.Summary
		case 1:
			e.Location = o.value("Room")
			what = e.Location
		default:
			if e.Start.DateTime == "" {
				return
			}
			for _, t := range []*gcal.EventDateTime{e.Start, e.End} {
				at, _ := time.Parse(time.RFC3339, t.DateTime)
				t.DateTime = at.Add(30 * time.Minute).Format(time.RFC3339)
			}
			what = e.Start.DateTime
		}
	})
	if id == "" {
		return ""
	}
	o.saysAll(m, before)
	return fmt.Sprintf("from %s on, %s: %s, now %d", e.Id, id, what, len(m.instances))
}

func (o *office) deletesFollowing(m *meeting) string {
	e := o.one(m)
	if o.master(m, e) == nil || !o.calendar(m.organizer).Truncate(e.Id) {
		return ""
	}
	o.count(m)
	return fmt.Sprintf("from %s on, now %d", e.Id, len(m.instances))
}

func (o *office) deletesSeries(m *meeting) string {
	series := o.master(m, o.one(m))
	if series == nil || !o.calendar(m.organizer).Delete(series.Id) {
		return ""
	}
	o.count(m)
	return series.Id
}
