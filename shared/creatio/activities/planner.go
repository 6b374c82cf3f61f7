package activities

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/activity"
	"github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/odata"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/richtext"
)

// planned is what one operation comes to: the writes in their order, and the activity as it is after them.
type planned struct {
	writes []creatio.Write
	after  draft
	// fields are what the activity shows then, and untracked the participants who do not go to Google.
	fields, untracked record.Fields
	// rows are the ids of the rows that are made, by field.
	rows        map[string][]string
	projections []record.Projection
	notes       []record.Note
}

// planner turns one operation into writes.
type planner struct {
	side *Side
	op   record.Operation
	now  draft
	by   contactsBy
	// taken are ids that rows elsewhere have; at is the time by which what is over is told.
	taken map[string]bool
	at    time.Time

	columns map[string]any
	rows    []creatio.Write
	out     planned
}

// plan plans an operation on an activity as it is. It reads nothing.
func (s *Side) plan(op record.Operation, now draft, by contactsBy, taken map[string]bool, at time.Time) planned {
	p := &planner{side: s, op: op, now: now, by: by, taken: taken, at: at, columns: map[string]any{}}
	p.now.People = slices.Clone(now.People)
	p.out.rows = map[string][]string{}
	switch op.Action {
	case record.Delete:
		p.out.writes = []creatio.Write{{Method: "DELETE", Set: activitySet, ID: op.ID}}
	case record.Cancel:
		p.cancel()
	case record.Unlink:
		p.decline()
	case record.Create:
		p.create()
	default:
		p.update()
	}
	return p.finish()
}

const (
	activitySet    = "Activity"
	participantSet = "ActivityParticipant"
)

func (p *planner) finish() planned {
	p.out.after = p.now
	p.out.after.state = p.now.sorted()
	p.out.fields, p.out.untracked = p.side.fields(p.out.after)
	if p.op.Action == record.Create {
		p.out.writes = append(p.out.writes, creatio.Write{Method: "POST", Set: activitySet, Body: p.columns})
	} else if len(p.columns) > 0 {
		p.out.writes = append(p.out.writes, creatio.Write{Method: "PATCH", Set: activitySet, ID: p.op.ID, Body: p.columns})
	}
	p.out.writes = append(p.out.writes, p.rows...)
	if p.op.Action == record.Create || p.op.Action == record.Update {
		p.project()
	}
	return p.out
}

// project tells which values the activity shows in the place of others.
func (p *planner) project() {
	for _, name := range p.op.Changed {
		f, known := activity.Schema.Field(name)
		if !known {
			continue
		}
		if !f.Set {
			want, shows := p.op.After.One(name), p.out.fields.One(name)
			if !f.Same(want, shows) {
				p.out.projections = append(p.out.projections, record.Projection{Field: name, Canonical: want, Displayed: shows})
			}
			continue
		}
		for _, want := range p.op.After[name] {
			if !slices.ContainsFunc(p.out.fields[name], func(e record.Entry) bool { return f.Same(e, want) }) {
				p.out.projections = append(p.out.projections, p.projection(f, want))
			}
		}
	}
}

// projection is what stands for a participant who was named by another address, or who does not go to Google.
func (p *planner) projection(f record.Field, want record.Entry) record.Projection {
	out := record.Projection{Field: f.Name, Canonical: want}
	for _, who := range p.out.after.People {
		if !p.side.has(who, want.Text) || who.Contact == p.side.o.User.ContactID {
			continue
		}
		if e := p.side.entry(p.out.after.state, who); slices.ContainsFunc(p.out.fields[f.Name], e.Equal) {
			out.Displayed = e
		} else {
			out.Untracked = slices.ContainsFunc(p.out.untracked[f.Name], func(e record.Entry) bool { return f.Means(e, want) })
		}
	}
	return out
}

func (p *planner) note(field, code, message, action string) {
	p.out.notes = append(p.out.notes, record.Note{Field: field, Code: code, Message: message, Action: action})
}

// cancel marks the activity as one that does not take place, and remembers what it was.
func (p *planner) cancel() {
	if p.now.Status != statusCanceled {
		p.now.Former = p.now.Status
		p.setStatus(statusCanceled)
	}
}

// decline has the user decline. Where no other user of the site takes part, the activity does not take place.
func (p *planner) decline() {
	for i, who := range p.now.People {
		if who.Contact == p.side.o.User.ContactID {
			p.respond(&p.now.People[i], responseDeclined)
		}
	}
	if !p.side.othersTakePart(p.now.state, p.side.isColleague) {
		p.cancel()
	}
}

func (p *planner) setStatus(id string) {
	p.now.Status = id
	p.columns["StatusId"] = id
}

// reopen gives a cancelled activity its former status back.
func (p *planner) reopen() {
	if p.now.Status != statusCanceled {
		return
	}
	was := p.now.Former
	if p.now.Former = ""; was == "" || was == statusCanceled {
		was = p.fresh()
	}
	p.setStatus(was)
}

// fresh is the status of an activity that nobody has worked on.
func (p *planner) fresh() string {
	if p.now.Due.Before(p.at) {
		return statusCompleted
	}
	return statusNotStarted
}

// create makes an activity: the site's own default values are not those of a meeting.
func (p *planner) create() {
	me := p.side.o.User.ContactID
	p.now = draft{state: state{Owner: me, Organizer: me}}
	organizer, found := p.side.find(p.by, p.op.Once.Text(activity.Organizer))
	if found && p.side.isUser(organizer.Contact) {
		p.now.Owner, p.now.Organizer = organizer.Contact, organizer.Contact
	}
	p.fieldsOf(p.op.Changed)
	if found && !p.now.hasPart(organizer.Contact) {
		p.join(organizer)
	}
	if p.now.title == "" {
		p.now.title, p.columns["Title"] = activity.NoTitle, activity.NoTitle
	}
	p.now.Status = p.fresh()
	for column, value := range map[string]any{
		"Id": p.op.ID, "OwnerId": p.now.Owner, "OrganizerId": p.now.Organizer, "AuthorId": me, "ShowInScheduler": true, "TypeId": typeTask,
		"ActivityCategoryId": categoryMeeting, "PriorityId": priorityMedium, "StatusId": p.now.Status,
	} {
		p.columns[column] = value
	}
	for _, contact := range creatio.Unique([]string{p.now.Owner, me}) {
		if !p.now.hasPart(contact) {
			// The site makes the owner a participant who is in doubt. A row of ours takes the place of that one.
			p.join(person{Contact: contact})
		}
	}
}

func (p *planner) update() {
	p.fieldsOf(p.op.Changed)
	if !p.op.Join {
		return
	}
	p.reopen()
	if me := p.side.o.User.ContactID; p.now.Owner != me && !p.now.hasPart(me) {
		p.join(person{Contact: me})
	}
}

// fieldsOf writes the fields that change, the time before what depends on it.
func (p *planner) fieldsOf(changed []string) {
	for _, f := range activity.Schema {
		if slices.Contains(changed, f.Name) {
			p.field(f)
		}
	}
}

func (p *planner) field(f record.Field) {
	want := p.op.After.Text(f.Name)
	switch f.Name {
	case activity.Title:
		if p.now.title = p.fit(f, want); p.now.title == "" {
			p.now.title = activity.NoTitle
		}
		p.columns["Title"] = p.now.title
	case activity.Place:
		if p.side.hasNoLocation() {
			if want != "" {
				p.note(f.Name, "no-column", "This Creatio site has no place for locations, so the location is missing there.", "Leave it: it stays in Google.")
			}
			return
		}
		p.now.location = p.fit(f, want)
		p.columns["Location"] = p.now.location
	case activity.Notes:
		stored := richtext.Rewrite(want, p.now.notes, p.now.HTML)
		p.now.notes, p.now.HTML = richtext.Plain(stored), richtext.IsHTML(stored)
		p.columns["Notes"] = stored
	case activity.When:
		p.when(f)
	case activity.Reminder:
		p.reminder(f, want)
	case activity.Answer:
		p.answer(want)
	case activity.Attendees:
		p.attendees(f)
	}
}

// fit cuts a text to a column's length, between two characters, and says so.
func (p *planner) fit(f record.Field, text string) string {
	text = strings.TrimSpace(text)
	short := record.Cut(text, activity.MaxText)
	if short != text {
		p.note(f.Name, "cut", "Creatio has no room for all of “"+f.Label+"”; the end is missing there.",
			"Shorten the text, or leave it: the full text stays in Google.")
	}
	return short
}

// when writes the time. Days begin at their first instant in the activity's zone. The site moves the reminder with the start.
func (p *planner) when(f record.Field) {
	want, err := activity.ReadMoment(p.op.After.One(f.Name))
	start, end := want.In(p.side.location(p.now.state))
	if err != nil || end.Before(start) {
		p.note(f.Name, "ends-early", "The event ends before it begins, so its time was not written to Creatio.", "Correct the time in Google.")
		return
	}
	if by := start.Sub(p.now.Start); !p.now.Start.IsZero() && !p.now.Remind.IsZero() {
		p.now.Remind = p.now.Remind.Add(by)
	}
	if !start.Equal(p.now.Start) {
		p.columns["StartDate"] = start.UTC().Format(time.RFC3339)
	}
	if !end.Equal(p.now.Due) {
		p.columns["DueDate"] = end.UTC().Format(time.RFC3339)
	}
	p.now.Start, p.now.Due, p.now.Days = start.UTC(), end.UTC(), ""
	if want.AllDay {
		p.now.Days = want.Entry().Text
	}
}

// minutes are how many a reminder comes before the start.
func minutes(before time.Duration) string { return strconv.Itoa(int(before / time.Minute)) }

// reminder writes when the owner is reminded.
func (p *planner) reminder(f record.Field, want string) {
	n, err := strconv.Atoi(want)
	before := time.Duration(n) * time.Minute
	switch {
	case p.now.Owner != p.side.o.User.ContactID:
	case want == "":
		p.now.Remind = time.Time{}
		p.columns["RemindToOwner"], p.columns["RemindToOwnerDate"] = false, odata.Null
	case err != nil || before < 0:
		p.note(f.Name, "no-reminder", "The reminder is not one that Creatio can hold, so it was not written there.", "Choose another time for the reminder.")
	default:
		p.now.Remind = p.now.Start.Add(-before)
		p.columns["RemindToOwner"], p.columns["RemindToOwnerDate"] = true, p.now.Remind.UTC().Format(time.RFC3339)
	}
}

// answer writes what the user answered.
func (p *planner) answer(want string) {
	me := p.side.o.User.ContactID
	for i := range p.now.People {
		if p.now.People[i].Contact == me {
			p.respond(&p.now.People[i], responses[want])
			return
		}
	}
	p.join(person{Contact: me, Response: responses[want]})
}

// attendees writes who else takes part and what they answered. Addresses of nobody in Creatio stay in Google.
func (p *planner) attendees(f record.Field) {
	wanted := map[string]bool{}
	for _, e := range p.op.After[f.Name] {
		i := slices.IndexFunc(p.now.People, func(who person) bool { return p.side.has(who, e.Text) })
		if who, found := p.side.find(p.by, e.Text); i < 0 && found {
			if i = slices.IndexFunc(p.now.People, func(q person) bool { return q.Contact == who.Contact }); i < 0 && who.Contact != p.side.o.User.ContactID {
				who.Response = responses[e.Kind]
				p.join(who)
				wanted[who.Contact] = true
			}
		}
		if i >= 0 && p.now.People[i].Contact != p.side.o.User.ContactID {
			wanted[p.now.People[i].Contact] = true
			if who := &p.now.People[i]; p.now.answerOf(*who) != e.Kind {
				p.respond(who, responses[e.Kind])
			}
		}
	}
	for _, e := range p.op.Before[f.Name] {
		i := slices.IndexFunc(p.now.People, func(who person) bool { return p.side.has(who, e.Text) })
		if i < 0 || wanted[p.now.People[i].Contact] || p.now.People[i].Contact == p.now.Owner {
			continue
		}
		p.rows = append(p.rows, creatio.Write{Method: "DELETE", Set: participantSet, ID: p.now.People[i].Row})
		p.now.People = slices.Delete(p.now.People, i, i+1)
	}
}

// respond notes what a participant answered.
func (p *planner) respond(who *person, response string) {
	if who.Response == response || who.Row == "" {
		return
	}
	who.Response = response
	var value any = response
	if response == "" {
		value = odata.Null
	}
	p.rows = append(p.rows, creatio.Write{Method: "PATCH", Set: participantSet, ID: who.Row, Body: map[string]any{"InviteResponseId": value}})
}

// join adds a participant. Columns that are left out get the site's own values, so all of them are named.
func (p *planner) join(who person) {
	who.Row, who.Invited = p.rowID(who.Contact), true
	role := roleParticipant
	if who.Contact == p.now.Owner {
		role = roleResponsible
	}
	var response any = odata.Null
	if who.Response != "" {
		response = who.Response
	}
	p.now.People = append(p.now.People, who)
	p.out.rows[activity.Attendees] = append(p.out.rows[activity.Attendees], who.Row)
	p.rows = append(p.rows, creatio.Write{Method: "POST", Set: participantSet, Body: map[string]any{
		"Id": who.Row, "ActivityId": p.op.ID, "ParticipantId": who.Contact, "RoleId": role, "InviteParticipant": true, "InviteResponseId": response,
	}})
}

// rowID derives the id of a participant's row, so that a repeated insertion is a duplicate and not a second row.
func (p *planner) rowID(contact string) string {
	for n := 0; ; n++ {
		id := creatio.DeriveID("participant", p.op.ID, contact, strconv.Itoa(n))
		if !p.taken[id] && !slices.ContainsFunc(p.now.People, func(q person) bool { return q.Row == id }) {
			return id
		}
	}
}
