package syncer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/reconcile"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// takeBack puts back what an earlier run changed, where it has not changed since. It reads the records of that run, and no
// window: what people did meanwhile waits for the next run, so that an undo of this one undoes nothing else.
//
// The guard is not asked. It is there for what nobody has looked at; here the user pressed a button under the list.
func (r *run) takeBack(ctx context.Context) error {
	r.active, r.pairs = r.doc.Members, newPairs()
	if err := r.prepareScopes(ctx); err != nil {
		return err
	}
	if err := r.openRosters(ctx); err != nil {
		return err
	}
	byLink, err := r.undone(ctx)
	if err != nil {
		return err
	}
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(byLink)), page) {
		list, err := r.findUndone(ctx, ids, byLink)
		if err != nil {
			return err
		}
		if err := r.reread(ctx, list); err != nil {
			return err
		}
		if err := r.writeAll(ctx, list, r.planBack); err != nil {
			return err
		}
		for _, p := range list {
			r.explainRemains(p)
			p.release()
		}
	}
	return nil
}

// prepareScopes makes sure that the sides know what they write to. A first run that was cut off left no note of it.
func (r *run) prepareScopes(ctx context.Context) error {
	for _, s := range record.Sides {
		if r.doc.Scopes[s] != "" {
			continue
		}
		if _, err := r.prepare(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// findUndone finds pairs that the undone run touched, with what it did to each.
func (r *run) findUndone(ctx context.Context, ids []string, byLink map[string][]store.Change) ([]*pair, error) {
	found := map[string]store.Link{}
	for _, s := range record.Sides {
		var ask []string
		for _, id := range ids {
			for _, c := range byLink[id] {
				if s == record.Creatio {
					ask = append(ask, c.CreatioID)
				} else {
					ask = append(ask, c.GoogleID)
				}
			}
		}
		links, err := r.user.LinksBy(ctx, r.engine.Type, s, ask)
		if err != nil {
			return nil, fmt.Errorf("read links by %s: %w", s, err)
		}
		for _, l := range links {
			found[l.ID] = l
		}
	}
	var list []*pair
	for _, id := range ids {
		changes := byLink[id]
		l, ok := found[id]
		if !ok {
			last := changes[len(changes)-1]
			r.problem(store.Link{Name: last.Record, CreatioID: last.CreatioID, GoogleID: last.GoogleID}, problemAway)
			continue
		}
		p := r.pairs.add(l)
		p.deeds = r.deeds(changes)
		list = append(list, p)
	}
	return list, nil
}

// undone is what the undone run changed, by link, in the order in which it did.
func (r *run) undone(ctx context.Context) (map[string][]store.Change, error) {
	what := r.record.Undoes
	if what == nil {
		return nil, fault.New(fault.Bug, "", "undoes-nothing", errors.New("undo: the run does not say what it undoes"))
	}
	run, err := r.user.Run(ctx, what.Run)
	if err != nil {
		return nil, fmt.Errorf("read the run to undo: %w", err)
	}
	// A change without a link was planned and not made.
	wanted := map[string]bool{}
	for _, c := range run.Changes {
		wanted[c.Link] = wanted[c.Link] || what.Covers(c)
	}
	byLink := map[string][]store.Change{}
	for _, c := range run.Changes {
		r.photoStays(c)
		if c.Link != "" && wanted[c.Link] && c.Action != actionMatch {
			byLink[c.Link] = append(byLink[c.Link], c)
		}
	}
	return byLink, nil
}

// photoStays tells the user that a photo is not put back: no copy of the old one is kept.
func (r *run) photoStays(c store.Change) {
	isPhoto := func(f store.FieldChange) bool { return f.Field == record.Photo }
	if r.record.Undoes.Covers(c) && slices.ContainsFunc(c.Fields, isPhoto) {
		r.problem(store.Link{Name: c.Record, CreatioID: c.CreatioID, GoogleID: c.GoogleID}, store.Problem{
			Side: c.Side, Code: "photo-stays", Message: "The photo was left as it is: Tandem keeps no copy of the old one.",
			Action: "Set the photo that you want on either side.",
		})
	}
}

// deeds reads changes as the planner takes them.
func (r *run) deeds(changes []store.Change) []reconcile.AppliedChange {
	var out []reconcile.AppliedChange
	for _, c := range changes {
		deed := reconcile.AppliedChange{Side: c.Side, First: c.First}
		switch record.Action(c.Action) {
		case record.Create:
			deed.Moved = reconcile.Entered
		case record.Unlink:
			deed.Moved = reconcile.Left
		}
		for _, f := range c.Fields {
			if f.Field == fieldMembership && deed.Moved == reconcile.Stayed {
				deed.Moved = reconcile.Entered
			}
			if field, ok := r.engine.Schema.Field(f.Field); ok {
				deed.Fields = append(deed.Fields, reconcile.FieldChange{Field: field, Swaps: f.Swaps})
			}
		}
		out = append(out, deed)
	}
	return out
}

// planBack decides about pairs to put back. One with nothing to put back gets no step.
func (r *run) planBack(list []*pair) []*step {
	var steps []*step
	for _, p := range list {
		if p.link.Pending != "" {
			// Whether the record is there nobody knows before the next run has looked for it.
			p.wait(r.start)
			continue
		}
		d, remains := reconcile.Undo(r.engine.Schema, r.pairOf(p), p.deeds, r.policy())
		p.remains = remains
		if r.leads(p, d) {
			steps = append(steps, r.newStep(p, d))
		}
	}
	return steps
}

// leads reports whether a decision changes anything. What earlier runs could not write is not taken for done where this one
// has nothing to write.
func (r *run) leads(p *pair, d reconcile.Decision) bool {
	if len(d.Ops) > 0 || d.Active != p.link.Active || d.SplitSide != p.link.SplitSide {
		return true
	}
	return !r.engine.Schema.Equal(d.Base, p.link.Base) && (p.again > 0 || !p.link.Unfinished())
}

// announceUndo notes which record is about to leave the other one alone, and what a side is about to show in the place of
// something else. A run that comes in between would take either for a person's doing, and carry it to the other side.
func (st *step) announceUndo(r *run) (changed bool) {
	l := &st.link
	if st.SplitSide != "" && (l.Active || l.SplitSide != st.SplitSide) {
		r.activate(l, false)
		l.SplitSide, changed = st.SplitSide, true
	}
	l.Sides = maps.Clone(l.Sides)
	for s, op := range st.Ops {
		if op.Action != record.Update {
			continue
		}
		known := l.Sides[s]
		known.Projections = slices.Clone(known.Projections)
		for _, sh := range st.Projections[s] {
			// What it shows still, in case that nothing is written, stays known too.
			if !slices.ContainsFunc(known.Projections, func(o record.Projection) bool {
				return o.Field == sh.Field && o.Canonical.Equal(sh.Canonical) && o.Displayed.Equal(sh.Displayed)
			}) {
				known.Projections, changed = append(known.Projections, sh), true
			}
		}
		if l.Sides == nil {
			l.Sides = map[record.Side]store.LinkSide{}
		}
		l.Sides[s] = known
	}
	return changed
}

var problemAway = store.Problem{
	Code: "away-since", Message: "It is no longer synchronized, so Tandem left it as it is.",
	Action: "Take it into the synchronization again on both sides, then undo once more.",
}

// explainRemains tells the user what of a pair was not put back.
func (r *run) explainRemains(p *pair) {
	if p.waits() {
		problem := p.pause.problem
		problem.Action = "Synchronize once, then undo again."
		r.problem(p.link, problem)
	}
	for _, s := range p.remains.Gone {
		r.problem(p.link, store.Problem{
			Side: s, Code: "deleted-since", Message: "It was deleted in " + label(s) + ", so there is nothing to put back there.",
			Action: "Nothing to do.",
		})
	}
	if p.remains.Away {
		r.problem(p.link, problemAway)
	}
	if len(p.remains.Changed) == 0 {
		return
	}
	names := make([]string, len(p.remains.Changed))
	for i, f := range p.remains.Changed {
		names[i] = f.Label
	}
	r.problem(p.link, store.Problem{
		Code: "changed-since", Message: strings.Join(names, ", ") + ": was changed since, and was left as it is.",
		Action: "If you want the old value, take it from the history and enter it yourself.",
	})
}

// concludeUndo keeps account of what moved. An undo reads no window, so that everything else is as the last
// synchronization left it.
func (r *run) concludeUndo(d *store.Sync, out Outcome) {
	if out.Status != Done && out.Status != Partial {
		return
	}
	d.Members = r.active
	for s := range d.MemberDigests {
		d.MemberDigests[s] = r.rosters[s].is.String()
	}
	for s, c := range d.Cursors {
		if side, ok := r.sides[s].(Relister); ok && len(r.rosters[s].moved) > 0 {
			d.Cursors[s] = side.Relist(c, r.rosters[s].net)
		}
	}
	if out.Status == Partial {
		d.Status, d.Problem = "partial", r.someFailed()
	}
}
