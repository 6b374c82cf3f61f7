package calendar

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/mail"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/activity"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/google"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/richtext"
	"github.com/tandem-sync/tandem/shared/zone"
)

const (
	// maxOverrides and maxReminder bound the reminders of an event.
	maxOverrides = 5
	maxReminder  = 40320
)

// planned is what Apply needs of a plan.
type planned struct {
	// method is how the event is written; empty where nothing is to be.
	method string
	// event is what is written of it.
	event *gcal.Event
	state state
	// former is the id of the user's own event that is to be there again in place of a new one, and again what is written of
	// it; empty where there was none.
	former string
	again  *gcal.Event
}

// Plan says what operations come to.
func (s *Side) Plan(ctx context.Context, ops []record.Operation) ([]record.Plan, error) {
	plans := make([]record.Plan, len(ops))
	for i, op := range ops {
		p := &planner{side: s, ctx: ctx, plan: record.Plan{Operation: op, Displayed: op.Before}, event: &gcal.Event{}}
		if err := p.operation(); err != nil {
			return nil, err
		}
		plans[i] = p.plan
	}
	return plans, nil
}

// planner turns one operation into what is to be written.
type planner struct {
	side  *Side
	ctx   context.Context
	plan  record.Plan
	have  state
	event *gcal.Event
	// list are the attendees as they will be.
	list []*gcal.EventAttendee
}

// operation plans one. The error is one of reading what planning needs.
func (p *planner) operation() error {
	op := p.plan.Operation
	var err error
	p.have, err = readState(op.AdapterState)
	switch {
	case op.Action != record.Create && op.ID == "":
		p.plan.Err = fault.New(fault.Bug, google.Side, "no-id", errors.New("plan event: no id"))
	case err != nil:
		p.plan.Err = fault.New(fault.Conflict, google.Side, "not-read", errors.New("plan event: its state is not one of this version"))
	case op.Action == record.Create:
		former := p.former()
		if err := p.fields(); err != nil {
			return err
		}
		p.attend()
		p.event.ExtendedProperties = &gcal.EventExtendedProperties{Private: map[string]string{mark: op.Link}}
		p.plan.Prepared = planned{method: http.MethodPost, event: p.event, state: p.have, former: former, again: p.again(former)}
	case op.Action == record.Update:
		if err := p.fields(); err != nil {
			return err
		}
		out := planned{method: http.MethodPatch, event: p.event, state: p.have}
		if reflect.ValueOf(*p.event).IsZero() {
			// Not even a patch of nothing: it would make an exception of an instance.
			out.method = ""
		}
		p.plan.Prepared = out
	case op.Action == record.Delete || op.Action == record.Cancel:
		p.plan.Prepared = planned{method: http.MethodDelete, state: p.have}
	default:
		p.plan.Err = fault.Errorf(fault.Bug, google.Side, "action", "plan event: no such action: %s", op.Action)
	}
	return nil
}

// former is the id of the event that is made anew, where it was the user's own. What is known of it stays: its guests and its
// reminders.
func (p *planner) former() string {
	have, err := readState(p.plan.Former.AdapterState)
	if p.plan.Former.ID == "" || len(p.plan.Former.AdapterState) == 0 || err != nil || have.Organizer != "" {
		return ""
	}
	p.have = have
	p.have.Etag, p.have.Instance, p.have.ID = "", false, ""
	return p.plan.Former.ID
}

// again is what is written of an event that was deleted, so that it is there again as it was, but for what changed meanwhile.
func (p *planner) again(former string) *gcal.Event {
	e := *p.event
	e.Status = statusConfirmed
	if !strings.HasPrefix(former, idPrefix) {
		// A person made it, which the mark would deny.
		e.ExtendedProperties = nil
	}
	e.ForceSendFields = append(slices.Clone(e.ForceSendFields), "Summary", "Location", "Description")
	if sameGuests(e.Attendees, p.have.Attendees) {
		// They should still be its guests, and may have answered since.
		e.Attendees = nil
		e.ForceSendFields = slices.DeleteFunc(e.ForceSendFields, func(field string) bool { return field == "Attendees" })
	}
	for _, t := range []**gcal.EventDateTime{&e.Start, &e.End} {
		if *t == nil {
			continue
		}
		when := **t
		if when.NullFields = []string{"DateTime", "TimeZone"}; when.Date == "" {
			// The event keeps its own time zone.
			when.TimeZone, when.NullFields = "", []string{"Date"}
		}
		*t = &when
	}
	return &e
}

// sameGuests reports whether a list names the guests of another one, as they answered there.
func sameGuests(list, guests []*gcal.EventAttendee) bool {
	return len(list) == len(guests) && !slices.ContainsFunc(list, func(a *gcal.EventAttendee) bool {
		return !slices.ContainsFunc(guests, func(g *gcal.EventAttendee) bool {
			return activity.AddressKey(a.Email) == activity.AddressKey(g.Email) && a.ResponseStatus == g.ResponseStatus
		})
	})
}

// fields plans the fields that change, and what will show of them.
func (p *planner) fields() error {
	op := p.plan.Operation
	p.plan.Displayed = op.Before.Clone()
	for _, name := range op.Changed {
		f, known := activity.Schema.Field(name)
		if !known {
			continue
		}
		shown, err := p.field(name)
		if err != nil {
			return err
		}
		if delete(p.plan.Displayed, name); len(shown) > 0 {
			p.plan.Displayed[name] = shown
		}
		p.project(f, shown)
	}
	return nil
}

// field plans one field, and returns what will show.
func (p *planner) field(name string) ([]record.Entry, error) {
	text := p.plan.After.Text(name)
	switch name {
	case activity.Title:
		p.event.Summary = text
		p.force("Summary")
		return one(text), nil
	case activity.Place:
		p.event.Location = text
		p.force("Location")
		return one(text), nil
	case activity.Notes:
		return one(p.notes(text)), nil
	case activity.When:
		return p.when()
	case activity.Reminder:
		return p.reminder(text)
	default:
		return p.attendees(name), nil
	}
}

func (p *planner) force(field string) {
	p.event.ForceSendFields = append(p.event.ForceSendFields, field)
}

func (p *planner) note(field, code, message, action string) {
	p.plan.Notes = append(p.plan.Notes, record.Note{Field: field, Code: code, Message: message, Action: action})
}

func one(text string) []record.Entry {
	if text == "" {
		return nil
	}
	return []record.Entry{{Text: text}}
}

// project notes what will show differently from what was asked.
func (p *planner) project(f record.Field, shown []record.Entry) {
	want := p.plan.After[f.Name]
	if !f.Set {
		canonical, displayed := p.plan.After.One(f.Name), record.Fields{f.Name: shown}.One(f.Name)
		if !f.Same(canonical, displayed) {
			p.plan.Projections = append(p.plan.Projections, record.Projection{Field: f.Name, Canonical: canonical, Displayed: displayed})
		}
		return
	}
	for _, e := range want {
		var displayed record.Entry
		if i := slices.IndexFunc(shown, func(have record.Entry) bool { return f.Key(have) == f.Key(e) }); i >= 0 {
			displayed = shown[i]
		}
		if !f.Same(e, displayed) {
			p.plan.Projections = append(p.plan.Projections, record.Projection{Field: f.Name, Canonical: e, Displayed: displayed})
		}
	}
}

// notes are written as text, cut between two characters to what an event holds.
func (p *planner) notes(text string) string {
	stored := activity.Description(text)
	if stored != richtext.Markup(text) {
		p.note(activity.Notes, "cut", "Google has no room for all of the notes; the end is missing there.",
			"Shorten the notes, or leave them: the full text stays in Creatio.")
	}
	p.event.Description = stored
	p.force("Description")
	return richtext.OfMarkup(stored)
}

// when writes the time. The other form of a time is taken away, else an event would have both.
func (p *planner) when() ([]record.Entry, error) {
	e := p.plan.After.One(activity.When)
	m, err := activity.ReadMoment(e)
	if err != nil {
		p.plan.Err = fault.New(fault.BadRecord, google.Side, "no-time", fmt.Errorf("plan event: %w", err))
		return nil, nil
	}
	if was := p.plan.Before.One(activity.When); !m.AllDay && m.End.Before(m.Start) && p.plan.Action == record.Update && was.Text != "" {
		p.note(activity.When, "ends-before-start", "The activity ends before it starts, which Google does not take, so the event stays at its time.",
			"Correct the time in Creatio.")
		return []record.Entry{was}, nil
	}
	if !m.AllDay && m.End.Before(m.Start) {
		p.plan.Err = fault.New(fault.BadRecord, google.Side, "ends-before-start", errors.New("plan event: it ends before it starts"))
		return nil, nil
	}
	if m.AllDay {
		p.event.Start = &gcal.EventDateTime{Date: m.First.String()}
		p.event.End = &gcal.EventDateTime{Date: m.After.String()}
	} else {
		p.event.Start = &gcal.EventDateTime{DateTime: m.Start.Format(time.RFC3339)}
		p.event.End = &gcal.EventDateTime{DateTime: m.End.Format(time.RFC3339)}
	}
	loc := p.zone(m)
	for _, t := range []*gcal.EventDateTime{p.event.Start, p.event.End} {
		switch {
		case p.plan.Action == record.Create && !m.AllDay:
			t.TimeZone = loc.String()
		case p.plan.Action == record.Create:
		case m.AllDay:
			t.NullFields = []string{"DateTime", "TimeZone"}
		default:
			t.NullFields = []string{"Date"}
		}
	}
	return []record.Entry{m.Entry()}, nil
}

// zone is the one in which a new event is made: the activity's own, else the user's.
func (p *planner) zone(m activity.Moment) *time.Location {
	code := p.plan.Once.Text(activity.Zone)
	loc, known := zone.Load(code)
	switch {
	case known:
		return loc
	case code == "":
	case m.AllDay:
		p.note(activity.When, "unknown-zone", "Tandem does not know the activity's time zone, “"+code+"”, so its days are those of its owner's.",
			"Choose another time zone in Creatio, or leave it.")
	default:
		p.note(activity.When, "unknown-zone", "Tandem does not know the activity's time zone, “"+code+"”, so the event has your own. It is at the same time all the same.",
			"Choose another time zone in Creatio, or leave it.")
	}
	return p.side.o.Zone
}

// reminder sets Creatio's popup and leaves the others. Where the calendar's own reminders hold, they become the event's first.
func (p *planner) reminder(text string) ([]record.Entry, error) {
	minutes, err := strconv.ParseInt(text, 10, 64)
	wanted := err == nil && text != ""
	if text != "" && (err != nil || minutes < 0 || minutes > maxReminder) {
		p.note(activity.Reminder, "out-of-range", "Google reminds at most four weeks before, so this reminder is only in Creatio.", "Set a later reminder, or leave it.")
		wanted = false
	}
	reminders := slices.Clone(p.have.Reminders)
	if p.have.Default && wanted {
		defaults, err := p.side.defaultReminders(p.ctx)
		if err != nil {
			return nil, err
		}
		reminders = nil
		for _, d := range defaults {
			reminders = append(reminders, reminder{d.Method, d.Minutes})
		}
	}
	if !p.have.Default && p.have.Ours != nil {
		if i := slices.Index(reminders, reminder{popup, *p.have.Ours}); i >= 0 {
			reminders = slices.Delete(reminders, i, i+1)
		}
	}
	p.have.Ours = nil
	var shown []record.Entry
	ours := reminder{popup, minutes}
	if there := slices.Contains(reminders, ours); wanted && !there && len(reminders) >= maxOverrides {
		p.note(activity.Reminder, "full", "The event has five reminders in Google, and no room for another one, so this reminder is only in Creatio.",
			"Remove one of them in Google, then choose another time for the reminder in Creatio.")
		wanted = false
	} else if wanted {
		if !there {
			reminders = append(reminders, ours)
		}
		p.have.Ours, shown = &minutes, one(strconv.FormatInt(minutes, 10))
	}
	switch {
	case !wanted && (p.have.Default || p.plan.Action == record.Create && len(reminders) == 0):
		// Nothing takes the place of the calendar's own reminders.
		return shown, nil
	case !p.have.Default && p.plan.Action != record.Create && slices.Equal(reminders, p.have.Reminders):
		// The event has it already, or still none.
		return shown, nil
	}
	p.have.Default, p.have.Reminders = false, reminders
	out := &gcal.EventReminders{ForceSendFields: []string{"UseDefault", "Overrides"}}
	for _, r := range reminders {
		out.Overrides = append(out.Overrides, &gcal.EventReminder{Method: r.Method, Minutes: r.Minutes, ForceSendFields: []string{"Minutes"}})
	}
	p.event.Reminders = out
	return shown, nil
}

// attendees writes who takes part, of whom an array is replaced as a whole: rooms and the user stay as they are. Nobody can
// answer for others.
func (p *planner) attendees(name string) []record.Entry {
	if p.list == nil {
		for _, a := range p.have.Attendees {
			copied := *a
			p.list = append(p.list, &copied)
		}
	}
	list := p.list
	if name == activity.Answer {
		text := p.plan.After.Text(activity.Answer)
		self := own(list)
		if self == nil {
			return nil
		}
		if self.ResponseStatus = text; text == "" {
			self.ResponseStatus = needsAction
		}
		p.setAttendees(list)
		return one(text)
	}
	var kept []*gcal.EventAttendee
	var shown []record.Entry
	want := p.plan.After[activity.Attendees]
	find := func(email string) int {
		return slices.IndexFunc(want, func(e record.Entry) bool { return activity.AddressKey(e.Text) == activity.AddressKey(email) })
	}
	there := map[string]bool{}
	for _, a := range list {
		switch {
		case a.Self || a.Resource || a.Email == "":
			kept = append(kept, a)
		case find(a.Email) >= 0:
			kept = append(kept, a)
			there[activity.AddressKey(a.Email)] = true
			shown = append(shown, record.Entry{Kind: answer(a.ResponseStatus), Text: a.Email})
		}
	}
	for _, e := range want {
		if there[activity.AddressKey(e.Text)] {
			continue
		}
		if address, err := mail.ParseAddress(e.Text); err != nil || address.Address != e.Text {
			p.note(activity.Attendees, "no-address", "“"+e.Text+"” is no e-mail address, so this participant is not invited in Google.", "Correct the address in Creatio.")
			continue
		}
		kept = append(kept, &gcal.EventAttendee{Email: e.Text, ResponseStatus: needsAction})
		shown = append(shown, record.Entry{Text: e.Text})
	}
	p.setAttendees(kept)
	return shown
}

// attend has the user be a guest of a new meeting that has others, as Google's own pages do. Whoever plans a meeting takes part,
// also where nothing says so.
func (p *planner) attend() {
	said := p.plan.After.Text(activity.Answer)
	self := own(p.list)
	if self == nil {
		self = own(p.have.Attendees)
	}
	if self == nil {
		if len(p.list) == 0 || p.side.o.Email == "" {
			return
		}
		self = &gcal.EventAttendee{Email: p.side.o.Email, Self: true, ResponseStatus: cmp.Or(said, activity.Accepted)}
		p.setAttendees(append([]*gcal.EventAttendee{self}, p.list...))
	}
	shows := answer(self.ResponseStatus)
	p.plan.Displayed.SetText(activity.Answer, shows)
	p.plan.Projections = slices.DeleteFunc(p.plan.Projections, func(r record.Projection) bool { return r.Field == activity.Answer })
	if shows != said {
		asked, displayed := record.Entry{Text: said}, record.Entry{Text: shows}
		p.plan.Projections = append(p.plan.Projections, record.Projection{Field: activity.Answer, Canonical: asked, Displayed: displayed})
	}
}

// setAttendees writes a list, without what the service says of attendees itself.
func (p *planner) setAttendees(list []*gcal.EventAttendee) {
	if p.event.Attendees == nil {
		p.force("Attendees")
	}
	p.list, p.event.Attendees = list, nil
	for _, a := range list {
		written := *a
		written.Self, written.Organizer, written.Id = false, false, ""
		p.event.Attendees = append(p.event.Attendees, &written)
	}
}
