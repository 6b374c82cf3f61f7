package syncer

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tandem-sync/tandem/shared/match"
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
	sought := map[string]*pair{}
	for id, p := range list {
		of := slices.DeleteFunc(slices.Clone(copies), func(c store.Copy) bool { return c.CreatioID != id || c.User == m.user.ID() })
		p.wait = m.leftTo(p, side, of, working)
		if p.wait != nil && p.wait.problem != nil && p.stored.Left == "" {
			sought[of[0].Shared] = p
		}
	}
	return m.seek(ctx, side, sought)
}

// seek looks for the user's own copies of records that are left to others, by the names of the records: such that begin no pair by
// themselves, and such that are gone.
func (m *matcher) seek(ctx context.Context, side record.Side, sought map[string]*pair) error {
	seeking, ok := m.sides[side].(Seeking)
	if !ok || len(sought) == 0 {
		return nil
	}
	names := sortedKeys(sought)
	found, err := seeking.Seek(ctx, names)
	if err != nil {
		return fmt.Errorf("seek copies: %w", err)
	}
	for i, name := range names {
		p, rec := sought[name].open(), found[i]
		switch {
		case rec == nil || m.pairs.bySide[side][rec.ID] != nil:
		case !rec.Gone:
			packed := []record.Packed{record.Pack(*rec)}
			if err := m.conceal(ctx, side, packed); err != nil {
				return err
			}
			*rec = packed[0].Unpack()
			p.wait = nil
			m.members[side].set(rec.ID, true)
			if side == record.Google {
				m.pair(p, nil, p.records[record.Creatio], rec, match.ByOrigin)
			} else {
				m.pair(nil, p, rec, p.records[record.Google], match.ByOrigin)
			}
		default:
			// It is as if the user had had it until just now, as a guest: whose event it was is not told of one that is gone.
			p.wait, p.link.Active = nil, true
			p.link.Base = p.records[side.Other()].Fields.Clone()
			p.link.SetSideID(side, rec.ID)
			p.link.Sides = map[record.Side]store.LinkSide{side: {Locked: []string{record.Removal, record.Withdrawal}}}
			p.records[side] = rec
			m.pairs.index(p, side)
		}
	}
	return nil
}

// mayBeLeft reports whether another user's account may have the record that is missing on a side, or be about to have it.
func (m *matcher) mayBeLeft(p *pair, side record.Side) bool {
	rec, gone := p.records[side.Other()], p.records[side]
	if p.absorbed || p.wait != nil || p.link.Pending != "" || p.link.Active || rec == nil || rec.Gone || !rec.Member || !m.colleagues(rec) {
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
	var stands, returns, foreign bool
	for _, c := range copies {
		w := worker(func(w Worker) bool { return w.User == c.User })
		switch {
		case c.Foreign && (w == nil || !c.Active):
			foreign = true
		case w == nil:
		case c.Begun:
			// The record is there, so that it was made: from a copy of an event that is in some calendar.
			stands = true
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
	case (stands || foreign && p.link.SideID(side) == "") && m.declines(rec):
		// Who declined misses nothing.
		return &wait{left: true}
	case stands:
		return &wait{left: true, problem: m.notInvited(side)}
	case foreign && p.link.SideID(side) == "":
		return &wait{left: true, problem: m.noneLeft(side)}
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

// colleagues reports whether other users have part in a record, whatever they answered.
func (s *session) colleagues(rec *record.Record) bool {
	return slices.ContainsFunc(record.Sides[:], func(side record.Side) bool {
		o, is := s.sides[side].(Organized)
		return is && o.HasColleagues(rec.AdapterState)
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

// noneLeft tells that a record was made from somebody else's that is in nobody's account any more.
func (m *matcher) noneLeft(side record.Side) *store.Problem {
	return &store.Problem{
		Side: side, Code: "none-left",
		Message: "This " + m.engine.Words.One + " came from an event of somebody else's, which is in none of your colleagues' " + label(side) + " calendars any more, and not in yours.",
		Action:  "Cancel the " + m.engine.Words.One + " if it does not take place. Tandem makes no event in the place of somebody else's.",
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
	told := p.wait.problem == nil || p.stored.Left == p.wait.problem.Code
	if told && p.stored.Failed == 0 && p.stored.RevisitAt.IsZero() {
		return nil
	}
	l := p.link
	// What could not be done before is nobody's to do here any more.
	l.Failed, l.RetryAt, l.RevisitAt = 0, time.Time{}, time.Time{}
	l.Name, l.UpdatedAt = w.engine.title(rec.Fields), w.engine.Now().UTC()
	if !told {
		l.Left = p.wait.problem.Code
		problem := *p.wait.problem
		problem.Fields, problem.Note = w.engine.apart(rec.Fields), true
		w.report.problem(l, problem)
	}
	w.counts.update(p.stored, l)
	return []store.Link{l}
}
