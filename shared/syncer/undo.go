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

// undo puts back what an earlier run changed, where it has not changed since. It reads the records of that run, and no
// window: what people did meanwhile waits for the next run, so that an undo of this one undoes nothing else.
//
// The guard is not asked. It is there for what nobody has looked at; here the user pressed a button under the list.
func (r *run) undo(ctx context.Context) error {
	r.counts.active, r.counts.split = r.doc.Members, r.doc.Split
	r.reading = &reading{scopes: maps.Clone(r.doc.Scopes)}
	if err := r.prepareScopes(ctx); err != nil {
		return err
	}
	members, err := r.compareMembers(ctx, nil)
	if err != nil {
		return err
	}
	l := &loader{session: r.session, window: newWindow(map[record.Side]record.Delta{}), members: members, pairs: newPairs(), counts: r.counts, doubts: newDoubts(r.doc)}
	r.writer = &writer{loader: l, reading: r.reading, report: r.report}
	byLink, err := r.changesToUndo(ctx)
	if err != nil {
		return err
	}
	u := undoer{writer: r.writer, what: r.report.run.Undoes}
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(byLink)), linkPage) {
		list, err := u.find(ctx, ids, byLink)
		if err != nil {
			return err
		}
		if err := u.reread(ctx, list); err != nil {
			return err
		}
		if err := u.writeAll(ctx, list, u.plan); err != nil {
			return err
		}
		if err := u.saveDoubts(ctx); err != nil {
			return err
		}
		for _, p := range list {
			u.explain(p.open())
			p.free()
		}
	}
	return u.countPairs(ctx)
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

// undoer carries an undo out.
type undoer struct {
	*writer
	what *store.Undo
}

// find finds pairs that the undone run touched, with what it did to each.
func (u undoer) find(ctx context.Context, ids []string, byLink map[string][]store.Change) ([]*pair, error) {
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
		links, err := u.user.LinksBy(ctx, u.engine.Type, s, ask)
		if err != nil {
			return nil, fmt.Errorf("read links by %s: %w", s, err)
		}
		for _, l := range links {
			found[l.ID] = l
		}
		if err := u.askPairs(ctx, s, ask); err != nil {
			return nil, err
		}
	}
	var list []*pair
	for _, id := range ids {
		changes := byLink[id]
		p, err := u.pairOf(ctx, id, changes, found)
		if err != nil {
			return nil, err
		}
		if p == nil {
			last := changes[len(changes)-1]
			u.report.problem(store.Link{Name: last.Record, CreatioID: last.CreatioID, GoogleID: last.GoogleID}, problemAway)
			continue
		}
		p.applied = u.applied(changes)
		list = append(list, p)
	}
	return list, u.findHolders(ctx, list)
}

// pairOf is the pair of a link's changes: with its link, or with the doubt that an undo left in its place; nil where there is
// neither.
func (u undoer) pairOf(ctx context.Context, link string, changes []store.Change, found map[string]store.Link) (*pair, error) {
	if l, ok := found[link]; ok {
		if is, err := u.isOf(ctx, l, changes); err != nil || !is {
			return nil, err
		}
		u.doubts.linked(l)
		return u.pairs.addLink(l), nil
	}
	if p := u.doubtOf(link, changes); p != nil {
		return u.addDoubt(*p), nil
	}
	return nil, nil
}

// changesToUndo are what the undone run changed, by link, in the order in which it did.
func (r *run) changesToUndo(ctx context.Context) (map[string][]store.Change, error) {
	what := r.report.run.Undoes
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
		r.staysDifferent(c)
		if c.Link != "" && wanted[c.Link] {
			byLink[c.Link] = append(byLink[c.Link], c)
		}
	}
	return byLink, nil
}

// photoStays tells the user that a photo is not put back: no copy of the old one is kept.
func (r *run) photoStays(c store.Change) {
	isPhoto := func(f store.FieldChange) bool { return f.Field == record.Photo }
	if r.report.run.Undoes.Covers(c) && slices.ContainsFunc(c.Fields, isPhoto) {
		r.report.problem(store.Link{Name: c.Record, CreatioID: c.CreatioID, GoogleID: c.GoogleID}, store.Problem{
			Side: c.Side, Code: "photo-stays", Note: true, Message: "The photo was left as it is: Tandem keeps no copy of the old one.",
			Action: "Set the photo that you want on either side.",
		})
	}
}

// staysDifferent tells the user that two records are not linked again which the user took for different ones.
func (r *run) staysDifferent(c store.Change) {
	if r.report.run.Undoes.Covers(c) && c.Link == "" && tieOf(c) == reconcile.Separated {
		r.report.problem(store.Link{Name: c.Record, CreatioID: c.CreatioID, GoogleID: c.GoogleID}, store.Problem{
			Code: "said-different", Note: true, Message: "You said that these are two different " + r.engine.Words.Many + ", so they were not linked again.",
			Action: "Nothing to do.",
		})
	}
}

// tieOf is what a change did to the link between two records.
func tieOf(c store.Change) reconcile.Tie {
	switch {
	case c.Action != actionMatch || len(c.Fields) == 0:
		return reconcile.Untouched
	case c.Fields[0].After == "":
		return reconcile.Separated
	default:
		return reconcile.Matched
	}
}

// applied reads changes as the planner takes them.
func (u undoer) applied(changes []store.Change) []reconcile.AppliedChange {
	var out []reconcile.AppliedChange
	for _, c := range changes {
		applied := reconcile.AppliedChange{Side: c.Side, First: c.First, Tie: tieOf(c)}
		switch record.Action(c.Action) {
		case record.Create:
			applied.Moved = reconcile.Entered
		case record.Unlink, record.Cancel, record.Delete:
			applied.Moved = reconcile.Left
		}
		for _, f := range c.Fields {
			if f.Field == fieldMembership && applied.Moved == reconcile.Stayed {
				applied.Moved = reconcile.Entered
			}
			if field, ok := u.engine.Schema.Field(f.Field); ok {
				applied.Fields = append(applied.Fields, reconcile.FieldChange{Field: field, Swaps: f.Swaps})
			}
		}
		out = append(out, applied)
	}
	return out
}

// plan decides about pairs to put back. One with nothing to put back gets no step.
func (u undoer) plan(list []*pair) []*step {
	var steps []*step
	for _, p := range list {
		if p.wait != nil {
			continue
		}
		if s := p.open().link.Pending; s != "" {
			// Whether the record is there nobody knows before the next run has looked for it.
			u.waitForCreation(p, s, u.start)
			continue
		}
		u.recoverIntent(p)
		d, left := reconcile.Undo(u.engine.Schema, u.planned(p), p.applied, u.policy())
		p.left = left
		st := u.newStep(p, d)
		if !u.leads(p, d) {
			// An undo that was cut off may have named the records by what they were called before it.
			u.nameDoubt(st)
			continue
		}
		if d.Relink {
			p.reason = byUndo
		}
		st.separates = d.Separate && p.doubt == nil
		steps = append(steps, st)
	}
	return steps
}

// leads reports whether a decision changes anything. What earlier runs could not write is not taken for done where this one
// has nothing to write.
func (u undoer) leads(p *pair, d reconcile.Decision) bool {
	if d.Separate && p.doubt == nil || d.Relink {
		return true
	}
	if len(d.Ops) > 0 || d.Active != p.stored.Active || d.SplitSide != p.stored.SplitSide || p.stored.Intent != nil {
		return true
	}
	return !u.engine.Schema.Equal(d.Base, p.link.Base) && (p.attempts > 0 || !p.link.Unfinished())
}

var problemAway = store.Problem{
	Code: "away-since", Note: true, Message: "It is no longer synchronized, so Tandem left it as it is.",
	Action: "Take it into the synchronization again on both sides, then undo once more.",
}

var problemHeld = store.Problem{
	Code: "held-by-colleague", Note: true, Message: "A colleague has it too, so Tandem left it as it is.",
	Action: "If nobody is to have it any more, cancel it in Creatio.",
}

// explain tells the user what of a pair was not put back.
func (u undoer) explain(p *pair) {
	if p.wait != nil {
		problem := store.Problem{
			Code: "not-yet", Message: "It changed a moment ago, and not everything of that shows yet, so it was left as it is.",
		}
		if p.attempts > 0 {
			problem.Message = "It changed while it was put back, and not everything of that shows yet, so only a part of it may be back."
		}
		if p.wait.problem != nil {
			problem = *p.wait.problem
		}
		problem.Action = "Synchronize once, then undo again."
		u.report.problem(p.link, problem)
		u.report.run.Counts.Failed++
		u.counts.left++
		return
	}
	for _, s := range p.left.Gone {
		u.report.problem(p.link, store.Problem{
			Side: s, Code: "deleted-since", Note: true, Message: "It was deleted in " + label(s) + ", so there is nothing to put back there.",
			Action: "Nothing to do.",
		})
	}
	if p.doubt != nil {
		u.reportDoubt(*p.doubt)
	}
	if p.left.Held {
		u.report.problem(p.link, problemHeld)
	}
	if p.left.Away {
		u.report.problem(p.link, problemAway)
	}
	const byHand = "If you want the old value, take it from the history and enter it yourself."
	if len(p.left.Hidden) > 0 {
		u.report.problem(p.link, store.Problem{
			Code: "hidden-since", Note: true, Message: labelsOf(p.left.Hidden) + ": you may not read what it is now, so it was left as it is.", Action: byHand,
		})
	}
	if len(p.left.Changed) > 0 {
		u.report.problem(p.link, store.Problem{
			Code: "changed-since", Note: true, Message: labelsOf(p.left.Changed) + ": was changed since, and was left as it is.", Action: byHand,
		})
	}
}

func labelsOf(fields []record.Field) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Label
	}
	return strings.Join(names, ", ")
}

// concludeUndo keeps account of what moved. An undo reads no window, so that everything else is as the last
// synchronization left it.
func (r *run) concludeUndo(d *store.Sync, out Outcome, digests map[record.Side]string) {
	if out.Status != Done && out.Status != Partial {
		return
	}
	d.Members, d.Split = r.counts.active, r.counts.split
	for s := range d.MemberDigests {
		d.MemberDigests[s] = digests[s]
	}
	for s, c := range d.Cursors {
		if side, ok := r.sides[s].(Relister); ok && r.writer.members[s].differs() {
			d.Cursors[s] = side.Relist(c, r.writer.members[s].net())
		}
	}
	if out.Status == Partial {
		d.Status, d.Problem = "partial", r.someFailed()
	}
}
