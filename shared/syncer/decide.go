package syncer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/tandem-sync/tandem/shared/observe"
	"github.com/tandem-sync/tandem/shared/reconcile"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// carryOut does what the windows ask for: first with the pairs that are known, for which the guard is asked, then with
// the records that have no counterpart, group by group, so that a run whose time is over has done a part of it.
func (w *writer) carryOut(ctx context.Context) error {
	slices.SortFunc(w.pairs.list, func(a, b *pair) int { return cmp.Compare(a.link.ID, b.link.ID) })
	_, planning := observe.Begin(ctx, "plan")
	known, unmatched, leaving := w.sortOut()
	planning.End(nil)
	if w.preview() {
		return w.tellPlan(ctx, known, unmatched)
	}
	unapproved, err := w.unapproved(ctx, leaving)
	if err != nil {
		return err
	}
	if reason := reconcile.Guard(unapproved, w.counts.active); reason != "" {
		return w.hold(ctx, known, unmatched, reason)
	}
	if err := w.perform(ctx, known); err != nil {
		return err
	}
	for group, err := range w.matcher().groups(ctx, unmatched) {
		if err != nil {
			return err
		}
		if err := w.perform(ctx, group); err != nil {
			return err
		}
	}
	return w.carryPhotos(ctx)
}

// sortOut parts the pairs whose two records are known from those of which one is to be found or made. leaving are the
// decisions that take something away; nothing of that comes from records that are matched.
func (w *writer) sortOut() (known, unmatched []*pair, leaving []*step) {
	for _, p := range w.pairs.list {
		st := w.decide(p)
		if st.creates() || !p.linked() {
			unmatched = append(unmatched, p)
			continue
		}
		known = append(known, p)
		if st.takesAway() {
			leaving = append(leaving, st)
		}
	}
	return known, unmatched, leaving
}

// unapproved are the decisions that the user has not agreed to. An approval is for what the held run listed, and for no more
// than that.
func (w *writer) unapproved(ctx context.Context, steps []*step) ([]reconcile.Decision, error) {
	agreed := map[string]bool{}
	if w.trigger == TriggerApprove && w.doc.HeldRun != "" {
		held, err := w.user.Run(ctx, w.doc.HeldRun)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, fmt.Errorf("read the held run: %w", err)
		}
		for _, c := range held.Changes {
			if record.Action(c.Action).Removes() {
				agreed[c.CreatioID+" "+c.GoogleID] = true
			}
		}
	}
	var out []reconcile.Decision
	for _, st := range steps {
		if !agreed[st.link.CreatioID+" "+st.link.GoogleID] {
			out = append(out, st.Decision)
		}
	}
	return out, nil
}

// decide plans one pair.
func (w *writer) decide(p *pair) *step {
	w.recoverIntent(p)
	in := w.planned(p)
	// Rejecting means that what left is to come back: then being in scope on one side is enough.
	if w.trigger == TriggerReject || w.reading.recreate {
		in.Active = false
	}
	return w.newStep(p, reconcile.Decide(w.engine.Schema, in, w.policy()))
}

func (w *writer) newStep(p *pair, d reconcile.Decision) *step {
	return &step{pair: p, Decision: d, name: w.title(p), plans: map[record.Side]record.Plan{}, results: map[record.Side]record.Result{}}
}

// title is what a person calls the records of a pair.
func (w *writer) title(p *pair) string {
	for _, s := range record.Sides {
		if rec := p.records[s]; rec != nil && !rec.Gone && len(rec.Fields) > 0 {
			return w.engine.Title(rec.Fields)
		}
	}
	return w.engine.Title(p.link.Base)
}

// planned is a pair as the planner takes it.
func (w *writer) planned(p *pair) reconcile.Pair {
	in := reconcile.Pair{
		Link: p.link.ID, First: p.first || p.link.Base == nil, Active: p.link.Active, SplitSide: p.link.SplitSide, Base: p.link.Base,
		Sides: map[record.Side]reconcile.Now{}, NewIDs: map[record.Side]string{},
	}
	for _, s := range record.Sides {
		in.NewIDs[s] = w.newID(s, p.link.SideID(s.Other()))
		if rec := p.records[s]; rec != nil {
			in.Sides[s] = reconcile.Now{
				ID: rec.ID, Gone: rec.Gone, Member: rec.Member, AdapterState: rec.AdapterState,
				View: reconcile.View{Fields: rec.Fields, Untracked: rec.Untracked, Projections: p.link.Sides[s].Projections, Locked: rec.Locked, Modified: rec.Modified},
			}
		}
	}
	return in
}

// plan decides about pairs.
func (w *writer) plan(list []*pair) []*step {
	steps := make([]*step, len(list))
	for i, p := range list {
		steps[i] = w.decide(p)
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
	var links []store.Link
	for _, p := range list {
		l := p.link
		l.Intent, l.UpdatedAt = p.stored.Intent, p.stored.UpdatedAt
		l.Base, l.Active, l.SplitSide, l.Sides = p.stored.Base, p.stored.Active, p.stored.SplitSide, maps.Clone(p.stored.Sides)
		if p.wait.problem == nil {
			l.RevisitAt = p.wait.until
		} else {
			l.RetryAt, l.Failed = p.wait.until, l.Failed+1
			if l.Pending == "" {
				l.UpdatedAt = w.engine.Now().UTC()
			}
		}
		for _, s := range record.Sides {
			if rec := p.records[s]; rec != nil && !rec.Gone && len(rec.Fields) > 0 {
				l.Name = w.engine.Title(rec.Fields)
			}
		}
		if p.wait.problem != nil {
			w.report.problem(l, *p.wait.problem)
		}
		if same(l, p.stored) {
			continue
		}
		links = append(links, l)
		w.counts.update(p.stored, l)
	}
	return w.putLinks(ctx, links)
}
