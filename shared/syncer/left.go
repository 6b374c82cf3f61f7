package syncer

import (
	"context"
	"slices"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// Of records that several users share, one user's account carries each to the other side. The others' runs leave it alone, also
// where it comes back.

// copyTime is how long it takes until a copy must have come into the accounts of all who take part.
const copyTime = time.Hour

// leaveToOthers leaves records alone that are to come into this user's account as copies of what another user's account has,
// or is about to have: also such that were there before. Of one that does not come the user is told.
func (m *matcher) leaveToOthers(ctx context.Context, group []*pair) error {
	side, ok := m.copiedSide()
	if !ok {
		return nil
	}
	list := map[string]*pair{}
	for _, p := range group {
		if m.mayBeLeft(p.open(), side) {
			list[p.records[side.Other()].ID] = p
		}
	}
	if len(list) == 0 {
		return nil
	}
	copies, err := m.copies(ctx, nil, sortedKeys(list))
	if err != nil {
		return err
	}
	users, contacts := map[string]bool{}, map[string]bool{}
	for _, c := range copies {
		users[c.User] = true
	}
	for _, p := range list {
		contacts[m.organizer(p.records[side.Other()])] = true
	}
	delete(contacts, "")
	working, err := m.working(ctx, sortedKeys(users), sortedKeys(contacts))
	if err != nil {
		return err
	}
	for id, p := range list {
		p.wait = m.leftTo(p, side, slices.DeleteFunc(slices.Clone(copies), func(c store.Copy) bool { return c.CreatioID != id || c.User == m.user.ID() }), working)
	}
	return nil
}

// mayBeLeft reports whether another user's account may have the record that is missing on a side, or be about to have it.
func (m *matcher) mayBeLeft(p *pair, side record.Side) bool {
	rec, gone := p.records[side.Other()], p.records[side]
	if p.absorbed || p.wait != nil || p.link.Pending != "" || p.link.Active || rec == nil || rec.Gone || !rec.Member || !slices.Contains(rec.Locked, record.Others) {
		return false
	}
	return p.link.SideID(side) == "" || gone == nil || gone.Gone
}

// organizer is who is to carry a record before all others, where that is another user.
func (s *session) organizer(rec *record.Record) string {
	for _, side := range record.Sides {
		if o, is := s.sides[side].(Organized); is {
			return o.Organizer(rec.AdapterState)
		}
	}
	return ""
}

// leftTo is why a record is left to others' accounts; nil where this user's account is to carry it. copies are those
// of other users, working those of them who synchronize, and the organizer.
func (m *matcher) leftTo(p *pair, side record.Side, copies []store.Copy, working []Worker) *wait {
	rec := p.records[side.Other()]
	worker := func(fits func(Worker) bool) *Worker {
		if i := slices.IndexFunc(working, fits); i >= 0 {
			return &working[i]
		}
		return nil
	}
	carries := func(w *Worker) bool { return !w.ReadsOnly && !rec.End.Before(w.From) }
	organizer := m.organizer(rec)
	if organizer != "" && m.declines(rec) {
		// Who does not take part carries nothing.
		return &wait{left: true}
	}
	var stands, returns bool
	for _, c := range copies {
		w := worker(func(w Worker) bool { return w.User == c.User })
		switch {
		case w == nil:
		case c.Active && c.Carries && carries(w) && m.start.Sub(c.Since) < copyTime:
			return &wait{left: true}
		case c.Active && c.Carries && carries(w):
			return &wait{left: true, problem: m.noCopy(side)}
		case c.Active:
			stands = true
		case !c.Retained && carries(w) && m.takesPart(rec, w.Contact):
			// Whose event it was has it again.
			returns = true
		}
	}
	byOrganizer := worker(func(w Worker) bool { return organizer != "" && w.Contact == organizer })
	switch {
	case stands:
		return &wait{left: true, problem: m.notInvited(side)}
	case !p.link.Carries && (returns || byOrganizer != nil && carries(byOrganizer)):
		return &wait{left: true}
	}
	return nil
}

// takesPart reports whether a user takes part in a record, by the contact.
func (s *session) takesPart(rec *record.Record, contact string) bool {
	return slices.ContainsFunc(record.Sides[:], func(side record.Side) bool {
		o, is := s.sides[side].(Organized)
		return is && o.TakesPart(rec.AdapterState, contact)
	})
}

// declines reports whether a record says that the user does not take part.
func (s *session) declines(rec *record.Record) bool {
	decline := s.policy().Decline
	return len(decline) > 0 && !slices.ContainsFunc(s.engine.Schema, func(f record.Field) bool {
		return decline[f.Name] != nil && !f.Equal(rec.Fields[f.Name], decline[f.Name])
	})
}

// notInvited tells that a record is in an account that nobody's runs write, to which they cannot add this user.
func (m *matcher) notInvited(side record.Side) *store.Problem {
	return &store.Problem{
		Side: side, Code: "not-invited",
		Message: "This " + m.engine.Words.One + " is in colleagues' " + label(side) + " calendars, but Tandem may not change that event, so it cannot invite you.",
		Action:  "Ask whoever organizes the event in " + label(side) + " to invite you there.",
	}
}

func (m *matcher) noCopy(side record.Side) *store.Problem {
	return &store.Problem{
		Side: side, Code: "no-copy",
		Message: "A colleague's " + label(side) + " account has this " + m.engine.Words.One + " and invites you, but " + label(side) + " did not put it into your calendar.",
		Action: "In the settings of Google Calendar have all invitations added to your calendar, and ask your colleague to invite you again from there. " +
			"Tandem sends no invitation mails.",
	}
}

// leftLinks are the links to save of a record that is left to another user's account: one that says what the user was told.
// Whoever lists the members next looks at the record again.
func (w *writer) leftLinks(p *pair) []store.Link {
	side, _ := w.copiedSide()
	rec := p.records[side.Other()]
	w.members[side.Other()].set(rec.ID, false)
	if p.wait.problem == nil || p.stored.Left == p.wait.problem.Code {
		return nil
	}
	l := p.link
	l.Left, l.Name, l.UpdatedAt = p.wait.problem.Code, w.engine.Title(rec.Fields), w.engine.Now().UTC()
	problem := *p.wait.problem
	problem.Fields, problem.Note = w.engine.apart(rec.Fields), true
	w.report.problem(l, problem)
	w.counts.update(p.stored, l)
	return []store.Link{l}
}
