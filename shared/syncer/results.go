package syncer

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// record writes down what became of a chunk: links, history, problems. Where a side broke down, the run says so once and
// not for every record. waits are pairs of the chunk that were left alone. It returns pairs that are to be read and planned
// anew.
func (w *writer) record(ctx context.Context, chunk []*step, waits []*pair, broken bool) ([]*pair, error) {
	var again []*pair
	notes, released, links := w.writeNotes(chunk), w.released(chunk), w.waitingLinks(waits)
	changes := w.allChanges(chunk)
	for _, st := range chunk {
		w.report.countStep(&w.engine.Kind, st)
		w.recordResult(st)
		st.reason = ""
		switch {
		case st.outdated() && st.attempts < maxAttempts-1:
			st.attempts++
			again = append(again, st.pair)
		case !broken:
			w.report.readOnly(w.engine.Words, st)
			w.report.results(st)
			w.report.hidden(w.engine.Schema, st)
			if st.More && st.failure() == nil {
				again = append(again, st.pair)
			}
		}
		links = append(links, w.changedLinks(st)...)
	}
	if _, err := w.put(ctx, store.Batch{Notes: notes, Links: links, Released: released}); err != nil {
		return nil, err
	}
	return again, w.report.add(ctx, changes)
}

// recordResult brings the link to what is true now. Where everything was written, it is what was decided. Else it stays what
// it was, and where something may have been written the journal tells the next attempt what.
func (w *writer) recordResult(st *step) {
	l := &st.link
	l.Name = st.name
	w.recordLosses(st)
	if st.whole {
		l.Failed, l.RetryAt = 0, time.Time{}
		return
	}
	l.Sides = map[record.Side]store.LinkSide{record.Creatio: l.Sides[record.Creatio], record.Google: l.Sides[record.Google]}
	failure, uncertain := st.failure(), false
	var refused []record.Side
	for _, s := range record.Sides {
		op := st.Ops[s]
		if op == nil {
			continue
		}
		switch err := st.results[s].Err; {
		case err == nil:
			uncertain = true
			l.SetSideID(s, st.results[s].Record.ID)
			if op.Action.Removes() || op.Join {
				w.members[s].set(l.SideID(s), op.Join)
			}
			if l.Pending == s {
				l.Pending = ""
			}
		case fault.Ambiguous(err):
			uncertain = true
		default:
			refused = append(refused, s)
			if op.Action == record.Create {
				l.SetSideID(s, "")
				l.Pending = ""
			}
		}
	}
	if failure == nil {
		w.counts.activate(l, st.Active)
		w.rememberFormer(l, st.Base)
		l.Base, l.SplitSide, l.Pending, l.Failed, l.RetryAt, l.Intent = st.Base.Clone(), st.SplitSide, "", 0, time.Time{}, nil
	} else {
		w.recordFailure(l, failure)
		if !uncertain {
			l.Intent = nil
		}
		l.Intent = l.Intent.Without(refused)
	}
	defer w.noteCopies(l)
	for _, s := range record.Sides {
		before := l.Sides[s].AdapterState
		l.Sides[s] = w.sideAfter(st, s, failure != nil)
		if failure == nil && st.Active {
			w.tellOf(st, s, before)
		}
		if rec := st.records[s]; rec != nil && !rec.Gone {
			l.Parent, l.End = rec.Parent, rec.End
		}
	}
}

// recordLosses notes what waits. What was approved and was not carried out stays approved; what was not carried out does not
// count.
func (w *writer) recordLosses(st *step) {
	if !st.guarded {
		return
	}
	l := &st.link
	waits := maps.Clone(st.waits)
	for s, loss := range st.losses {
		err := st.results[s.Other()].Err
		if before, counted := st.lostAt[s]; counted && err != nil && !fault.Ambiguous(err) {
			w.guard.discount(l, s, before)
		}
		if err != nil && w.guard.approves(l, s, loss) {
			if waits == nil {
				waits = map[record.Side]store.Waiting{}
			}
			waits[s] = store.Waiting{Departure: loss.Departure, Fields: loss.Fields, Digest: loss.Digest, Approved: true}
		}
	}
	if l.Waits = waits; len(waits) == 0 {
		l.Waits = nil
	}
}

// recordFailure notes when a record that was not written may be tried again. What may get better by itself is tried again
// at once.
func (w *writer) recordFailure(l *store.Link, failure error) {
	l.Failed++
	l.RetryAt = w.start
	if k := fault.KindOf(failure); k == fault.BadRecord || k == fault.ReadOnly || k == fault.Bug {
		l.RetryAt = w.start.Add(max(retryDelay(l.Failed), fault.After(failure)))
	}
}

// sideAfter is what is known of one record now.
func (w *writer) sideAfter(st *step, s record.Side, failed bool) store.LinkSide {
	known, schema := st.link.Sides[s], w.engine.Schema
	rec := st.records[s]
	res, written := st.results[s]
	switch {
	case written && res.Err == nil:
		rec = &res.Record
		if !failed && st.After != nil {
			known.Projections = st.projections(schema, s, res.Projections)
		}
	case rec == nil:
		return known
	case !failed && !rec.Gone && st.After != nil:
		known.Projections = st.Decision.Projections[s]
	}
	if known.Modified = rec.Modified; !rec.Gone {
		// What is known of a record that is gone serves to make it anew, and tells what follows from that.
		known.AdapterState, known.Locked = rec.AdapterState, rec.Locked
	}
	if read := st.records[s]; read != nil {
		known.Hidden = read.Hidden
	}
	if op := st.Ops[s]; rec.Gone || known.Since.IsZero() || op != nil && op.Action == record.Create {
		known.Since = rec.Modified
	}
	known.Diverged = st.link.Active && (!st.inScope(s, rec) || !schema.Equal(rec.Fields, displayed(st.link.Base, known.Projections, schema)))
	return known
}

// inScope reports whether a record is in scope after the step. A change that did not bring it in left it where it was.
func (st *step) inScope(s record.Side, rec *record.Record) bool {
	if op := st.Ops[s]; op != nil && op.Action == record.Update && !op.Join && st.records[s] != nil {
		return st.records[s].Member
	}
	return rec.Member
}

// composed is what a side shows in the place of agreed values after it was told to show first, and showed second instead
// of some of that.
func composed(schema record.Schema, first, second []record.Projection) []record.Projection {
	out := slices.Clone(first)
	shown := map[string]int{}
	key := func(field string, e record.Entry) string {
		f, _ := schema.Field(field)
		return field + "\x00" + f.Exact(e)
	}
	for i := len(first) - 1; i >= 0; i-- {
		shown[key(first[i].Field, first[i].Displayed)] = i
	}
	for _, p := range second {
		f, _ := schema.Field(p.Field)
		if i, ok := shown[key(p.Field, p.Canonical)]; ok && f.Key != nil {
			out[i].Displayed = p.Displayed
		} else {
			out = append(out, p)
		}
	}
	return out
}

// changedLinks are the links to save: this one where it differs from the stored one, and those it took over.
func (w *writer) changedLinks(st *step) []store.Link {
	var out []store.Link
	for _, l := range st.replaces {
		out = append(out, store.Link{ID: l.ID})
		w.counts.update(l, store.Link{})
	}
	st.replaces = nil
	if st.doubt != nil {
		return w.afterSeparation(st)
	}
	if st.Drop || st.obsolete() {
		if st.stored.ID != "" {
			out = append(out, store.Link{ID: st.stored.ID})
		}
		w.counts.update(st.stored, store.Link{})
		st.stored = store.Link{}
		return out
	}
	l := st.link
	l.UpdatedAt = st.stored.UpdatedAt
	if st.stored.ID != "" && same(l, st.stored) {
		return out
	}
	if !onlyRevisited(l, st.stored) {
		l.UpdatedAt = w.engine.Now().UTC()
	}
	w.counts.update(st.stored, l)
	st.link, st.stored = l, l
	w.doubts.linked(l)
	return append(out, l)
}

// onlyRevisited reports whether two links differ in nothing but why and when they are to be looked at again, which is no
// change of them.
func onlyRevisited(l, stored store.Link) bool {
	l.RevisitAt, l.Waits, l.Name = stored.RevisitAt, stored.Waits, stored.Name
	return stored.ID != "" && same(l, stored)
}

// obsolete reports whether nothing is left that the link could tie: a half whose record is gone or out of scope.
func (st *step) obsolete() bool {
	return !st.writes() && !st.Active && (!st.linked() || st.stored.Pending != "")
}

func same(a, b store.Link) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

// linkCounts are the numbers of a user's links that a run keeps.
type linkCounts struct {
	// active counts the links in scope, split those that an undo split, failing those with something left to do that did not come about; left the pairs with
	// which an undo did not come to an end.
	active, split, failing, left int
}

// add counts a link that was read: whether it is failing. How many are in scope or split is known without reading them.
func (c *linkCounts) add(l store.Link) {
	if l.Failing() {
		c.failing++
	}
}

// update counts a link that becomes another one.
func (c *linkCounts) update(was, is store.Link) {
	switch {
	case is.Failing() && !was.Failing():
		c.failing++
	case was.Failing() && !is.Failing():
		c.failing--
	}
	switch {
	case is.SplitSide != "" && was.SplitSide == "":
		c.split++
	case was.SplitSide != "" && is.SplitSide == "":
		c.split--
	}
}

// activate takes a link into scope or out of it, and counts that.
func (c *linkCounts) activate(l *store.Link, active bool) {
	switch {
	case active && !l.Active:
		c.active++
	case l.Active && !active:
		c.active--
	}
	l.Active = active
}
