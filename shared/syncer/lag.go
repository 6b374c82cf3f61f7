package syncer

import (
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// decides reports whether a read tells what a record of a pair is now. Where a side's reads trail its writes, one that is
// older than the version last seen decides nothing as long as that version may be too young to show. One that is as old or
// newer decides, and so does everything where a side does not lag.
//
// Neither does one that shows nothing of a write of which nobody heard the answer, as long as that may be too young to show.
//
// Whether a record is there and in scope is told apart from its version, which need not move with it: a read that says so
// of no newer version decides where the list of members says the same, or once the link is old enough.
func (l *loader) decides(side record.Side, p *pair, rec *record.Record) bool {
	lag, known := l.lag(side), p.stored.Sides[side]
	if l.outOfScopeYet(side, p.stored, rec) {
		return false
	}
	if lag == 0 || p.stored.SideID(side) == "" || known.Modified.IsZero() {
		return true
	}
	if is, was := stable(l.sides[side], rec.AdapterState), stable(l.sides[side], known.AdapterState); !rec.Gone && is != was {
		return true
	}
	// Young is what may not show yet. Only a record that was made a moment ago may not show at all.
	young := func(at time.Time) bool { return l.start.Before(at.Add(lag)) }
	if in := p.stored.Intent; in != nil && !rec.Gone && !rec.Modified.After(known.Modified) && young(p.stored.UpdatedAt) {
		if side := in.Sides[side]; side.Action != "" && !side.Refused {
			// The write of which nobody heard may have taken effect, and not show yet.
			return false
		}
	}
	switch {
	case p.stored.Waits[side].Departure && (rec.Gone || !rec.Member):
		// That it departed was decided before, and waits.
		return true
	case rec.Gone:
		return rec.Tombstone || l.members[side].lacks(side, p.link) || !young(known.Since)
	case rec.Modified.Before(known.Modified):
		return !young(known.Modified) || l.leftAsKnown(side, p.stored, rec)
	case rec.Modified.Equal(known.Modified) && rec.Member != p.stored.Active && p.stored.SplitSide == "" && !l.ended[side]:
		m := l.members[side]
		agrees := rec.Member && m.listed[rec.ID] || !rec.Member && m.lacks(side, p.link)
		return agrees || !young(p.stored.UpdatedAt)
	default:
		return true
	}
}

// leftAsKnown reports whether a record that left the scope shows what the link says of it and nothing else. No service says when the
// departure that a run carried out took effect: that is noted by our own clock, once it is answered.
func (l *loader) leftAsKnown(side record.Side, stored store.Link, rec *record.Record) bool {
	schema, known := l.engine.Schema, stored.Sides[side]
	return !stored.Active && stored.SplitSide == "" && stored.Intent == nil && !rec.Member && !rec.Gone &&
		schema.Equal(rec.Fields, displayed(stored.Base, known.Projections, schema))
}

// outOfScopeYet reports whether a record was created without an answer and shows before its group has it. Nothing tells whether
// somebody took it out, as long as that may not show yet.
func (s *session) outOfScopeYet(side record.Side, stored store.Link, rec *record.Record) bool {
	in := stored.Intent
	if in == nil || in.Sides[side].Action != record.Create || in.Sides[side].Refused || !in.Sides[side].Member {
		return false
	}
	lag, shows := s.lag(side), rec.Tombstone || rec.Member && !rec.Gone
	return lag > 0 && !shows && s.start.Before(stored.UpdatedAt.Add(lag))
}

// decidedBy is when whatever is read of a record of a pair decides.
func (l *loader) decidedBy(side record.Side, p *pair) time.Time {
	at := p.stored.Sides[side].Modified
	if p.stored.UpdatedAt.After(at) {
		at = p.stored.UpdatedAt
	}
	if by := at.Add(l.lag(side)); by.After(l.start) {
		return by
	}
	return l.start.Add(time.Minute)
}
