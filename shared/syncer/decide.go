package syncer

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/tandem-sync/tandem/shared/observe"
	"github.com/tandem-sync/tandem/shared/reconcile"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// carryOut does what the windows ask for: first with the pairs that are known, as far as the guard lets it, then with the
// records that have no counterpart, group by group, so that a run whose time is over has done a part of it.
func (w *writer) carryOut(ctx context.Context) error {
	slices.SortFunc(w.pairs.list, func(a, b *pair) int { return cmp.Compare(a.id, b.id) })
	_, planning := observe.Begin(ctx, "plan")
	known, unmatched, unjournaled := w.sortOut()
	err := w.guard.judge(ctx)
	if err == nil {
		err = w.rebuildIntents(ctx, unjournaled)
	}
	planning.End(err)
	if err != nil {
		return err
	}
	if err := w.saveDoubts(ctx); err != nil {
		return err
	}
	if w.preview() {
		return w.tellPlan(ctx, known, unmatched)
	}
	w.progress(ctx, phaseWrite)
	if err := w.perform(ctx, known); err != nil {
		return err
	}
	for group, err := range w.matcher().groups(ctx, unmatched) {
		if err != nil {
			return err
		}
		if err := w.rebuildIntents(ctx, group); err != nil {
			return err
		}
		if err := w.perform(ctx, group); err != nil {
			return err
		}
	}
	w.done, w.total = 0, len(w.photos)
	if err := w.carryPhotos(ctx); err != nil {
		return err
	}
	if err := w.saveDoubts(ctx); err != nil {
		return err
	}
	if err := w.countPairs(ctx); err != nil {
		return err
	}
	return w.guard.tell(ctx, w.report)
}

// sortOut parts the pairs whose two records are known from those of which one is to be found or made, and shows the guard
// what is planned with them. Nothing is lost by records that are matched. Some of both were begun without the journal.
func (w *writer) sortOut() (known, unmatched, unjournaled []*pair) {
	w.pairs.each(w.pairs.list, func(p *pair) {
		if _, found := p.unjournaled(); found {
			unjournaled = append(unjournaled, p)
		}
		st := w.decide(p)
		if p.wait == nil {
			w.guard.consider(st)
		}
		if w.beginAnew(st); st.creates() || !p.linked() && p.spare == "" {
			unmatched = append(unmatched, p)
			w.total++
		} else {
			if st.writes() {
				w.total++
			}
			known = append(known, p)
		}
	})
	return known, unmatched, unjournaled
}

// decide plans one pair, whatever that takes away.
func (w *writer) decide(p *pair) *step {
	if p.spare != "" {
		return w.removeSpare(p.open())
	}
	w.recoverIntent(p.open())
	in := w.planned(p)
	if w.reading.recreate || w.comesWithScope(in) {
		in.Active = false
	}
	if rejected := w.guard.rejected(&p.link); len(rejected) > 0 {
		return w.putBack(p, in, rejected)
	}
	return w.decideAs(p, in)
}

// comesWithScope reports whether a record is in a scope that the user chose after its counterpart left: the choice is the later
// word.
func (w *writer) comesWithScope(in reconcile.Pair) bool {
	for _, s := range record.Sides {
		is, other := in.Sides[s], in.Sides[s.Other()]
		if w.newScope(s) && is.Member && !is.Gone && (other.Gone || !other.Member) {
			return true
		}
	}
	return false
}

func (w *writer) decideAs(p *pair, in reconcile.Pair) *step {
	st := w.newStep(p, reconcile.Decide(w.engine.Schema, in, w.policy()))
	st.in, st.losses = in, reconcile.Losses(w.engine.Schema, st.Decision, w.agreedBefore(p.link))
	return st
}

// guarded plans one pair, but for what waits for the user's decision. A departure leaves the whole pair as it is, a loss of
// values their fields.
func (w *writer) guarded(p *pair) *step {
	st := w.decide(p)
	st.guarded = true
	w.guard.forget(p.link.ID)
	w.guard.noteLeftOut(st)
	doubts := w.guard.doubts(st)
	if len(doubts) == 0 {
		return st
	}
	waits, whole := w.guard.wait(st, doubts), false
	var fields []string
	for _, loss := range doubts {
		whole = whole || loss.Departure
		fields = append(fields, loss.Fields...)
	}
	rest := w.decideAs(p, st.in.Keep(fields))
	if whole || len(w.guard.doubts(rest)) > 0 {
		rest, whole = w.newStep(p, reconcile.Wait(st.in)), true
	}
	rest.guarded, rest.waits, rest.whole = true, waits, whole
	return rest
}

func (w *writer) newStep(p *pair, d reconcile.Decision) *step {
	return &step{pair: p, Decision: d, name: w.title(p), plans: map[record.Side]record.Plan{}, results: map[record.Side]record.Result{}}
}

// title is what a person calls the records of a pair.
func (w *writer) title(p *pair) string {
	for _, s := range record.Sides {
		if rec := p.records[s]; rec != nil && !rec.Gone && len(rec.Fields) > 0 {
			return w.engine.title(rec.Fields)
		}
	}
	return w.engine.title(p.link.Base)
}

// planned is a pair as the planner takes it.
func (w *writer) planned(p *pair) reconcile.Pair {
	in := reconcile.Pair{
		Link: p.link.ID, First: p.first || p.link.Base == nil, Active: p.link.Active, SplitSide: p.link.SplitSide, Base: p.link.Base,
		Separate: p.doubt != nil, Orphaned: p.orphaned, Held: p.held, Sides: map[record.Side]reconcile.Now{}, NewIDs: map[record.Side]string{},
	}
	if in.TakenOver = w.takenOver(p, in.First); in.TakenOver != "" {
		// Whatever one of them had agreed on with another record says nothing of these two.
		in.Base = nil
	}
	for _, s := range record.Sides {
		in.NewIDs[s] = w.newID(s, p.link.SideID(s.Other()), p.state(s.Other()))
		if rec := p.records[s]; rec != nil {
			in.Sides[s] = reconcile.Now{
				ID: rec.ID, Gone: rec.Gone, Member: rec.Member, Withdrawn: rec.Withdrawn, WasLocked: p.link.Sides[s].Locked, AdapterState: rec.AdapterState,
				View: reconcile.View{
					Fields: rec.Fields, Untracked: rec.Untracked, Projections: p.link.Sides[s].Projections, Locked: rec.Locked, Followed: p.followed,
					Hidden: rec.Hidden, Modified: w.edited(p, s, rec),
				},
			}
		}
	}
	return in
}

// takenOver is the side whose record a first match leaves as it is; empty where the match is Tandem's own.
func (w *writer) takenOver(p *pair, first bool) record.Side {
	side := w.policy().TakesOver
	for _, s := range record.Sides {
		rec, other := p.records[s], p.records[s.Other()]
		if !first || side == "" || rec == nil || rec.Gone || other == nil || w.madeFrom(p, s) {
			return ""
		}
	}
	return side
}

// madeFrom reports whether a pair's record on a side was made from the other one, by this user's runs or another's.
func (w *writer) madeFrom(p *pair, s record.Side) bool {
	rec, other := p.records[s], p.records[s.Other()]
	switch {
	case rec.Mark != "" && (rec.Mark == p.link.ID || rec.Mark == linkID(s.Other(), other.ID)):
		return true
	case rec.ID == w.newID(s, other.ID, other.AdapterState):
		return true
	default:
		return slices.Contains(rec.Ties, other.ID) && w.copied(s) && !slices.Contains(rec.Locked, record.Withdrawal)
	}
}

// copied reports whether a side is the one on which each user has a copy of what users share.
func (s *session) copied(side record.Side) bool {
	is, ok := s.copiedSide()
	return ok && is == side
}

// edited is when a person changed a record last, on one clock for both sides. What another user's run wrote was an edit of the other
// side.
func (w *writer) edited(p *pair, s record.Side, rec *record.Record) time.Time {
	at := p.notes[s].EditedAt(rec.Modified)
	if !at.Equal(rec.Modified) {
		s = s.Other()
		if from := p.records[s]; from != nil && at.Equal(from.Modified) {
			// The write carried that record's own edit, which came after whatever was edited here.
			at = at.Add(-time.Nanosecond)
		}
	}
	return w.onOneClock(s, at)
}

// plan decides about pairs.
func (w *writer) plan(list []*pair) []*step {
	steps := make([]*step, len(list))
	for i, p := range list {
		steps[i] = w.guarded(p)
	}
	return steps
}

// chunks plans pairs one after the other. A chunk has as many steps that write as Google takes in one request, and with
// them a bounded number of such that do not.
func (w *writer) chunks(list []*pair, plan func([]*pair) []*step) iter.Seq[[]*step] {
	const silent = 5
	return func(yield func([]*step) bool) {
		var chunk []*step
		writing, size := 0, w.engine.chunk()
		for i := range list {
			for _, st := range plan(list[i : i+1]) {
				chunk = append(chunk, st)
				if st.writes() {
					writing++
				}
			}
			if writing < size && len(chunk) < silent*size {
				continue
			}
			if !yield(chunk) {
				return
			}
			chunk, writing = nil, 0
		}
		if len(chunk) > 0 {
			yield(chunk)
		}
	}
}

// waiting takes out the pairs that are left alone in this run.
func waiting(list []*pair) (rest, waiting []*pair) {
	for _, p := range list {
		if p.wait != nil {
			waiting = append(waiting, p)
		} else {
			rest = append(rest, p)
		}
	}
	return rest, waiting
}

// saveWaiting notes on their links that pairs are left alone, and until when, and reports those of which the user is to know.
func (w *writer) saveWaiting(ctx context.Context, list []*pair) error {
	for page := range slices.Chunk(list, linkPage) {
		if err := w.putLinks(ctx, w.waitingLinks(page)); err != nil {
			return err
		}
		w.pairs.close()
	}
	return nil
}

// tellWait tells the user why a pair is left alone, where that is to be known.
func (w *writer) tellWait(l store.Link, why *wait) {
	if why.problem != nil {
		w.report.problem(l, *why.problem)
	}
	for _, d := range why.found {
		w.reportDoubt(d)
	}
}

// waitingLinks are the links of pairs that are left alone, where they change by that.
func (w *writer) waitingLinks(list []*pair) []store.Link {
	var links []store.Link
	for _, p := range list {
		if p.open(); p.wait.left {
			links = append(links, w.leftLinks(p)...)
			continue
		}
		l := p.link
		l.Intent, l.UpdatedAt = p.stored.Intent, p.stored.UpdatedAt
		l.Base, l.Active, l.SplitSide, l.Sides = p.stored.Base, p.stored.Active, p.stored.SplitSide, maps.Clone(p.stored.Sides)
		switch {
		case p.wait.inDoubt:
			l.RevisitAt, l.Failed, l.RetryAt = p.wait.until, 0, time.Time{}
			if l.Pending != "" {
				l.RetryAt = p.wait.until
			}
		case p.wait.problem == nil:
			l.RevisitAt = p.wait.until
		default:
			l.RetryAt, l.Failed = p.wait.until, l.Failed+1
			if l.Pending == "" {
				l.UpdatedAt = w.engine.Now().UTC()
			}
		}
		for _, s := range record.Sides {
			if rec := p.records[s]; rec != nil && !rec.Gone && len(rec.Fields) > 0 {
				l.Name = w.engine.title(rec.Fields)
			}
		}
		w.tellWait(l, p.wait)
		if same(l, p.stored) {
			continue
		}
		links = append(links, l)
		w.counts.update(p.stored, l)
	}
	return links
}
