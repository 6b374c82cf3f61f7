package syncer

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/match"
	"github.com/tandem-sync/tandem/shared/reconcile"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// What history tells besides the actions on records and their fields.
const (
	actionMatch     = "match"
	fieldMembership = "membership"
)

// allChanges are those of all steps of a chunk.
func (w *writer) allChanges(chunk []*step) []store.Change {
	var out []store.Change
	for _, st := range chunk {
		out = append(out, st.changes(&w.engine.Kind, w.preview())...)
	}
	return out
}

// changes are what a step changed, or is about to change, with the rule that decided each value.
func (st *step) changes(k *Kind, preview bool) []store.Change {
	var out []store.Change
	if st.matched() {
		fields := []store.FieldChange{{Field: actionMatch, Before: "", After: nameOf(st.name), Rule: matchRule(st.reason)}}
		out = append(out, st.change(store.Change{Side: record.Google, Action: actionMatch, Fields: append(fields, st.bothKept()...)}))
	}
	if st.separates {
		out = append(out, st.change(store.Change{Side: record.Google, Action: actionMatch, Fields: []store.FieldChange{{
			Field: actionMatch, Before: nameOf(st.name), After: "", Rule: reconcile.RuleUndo,
		}}}))
	}
	for _, s := range record.Sides {
		if change, ok := st.sideChange(k, s, preview); ok {
			out = append(out, change)
		}
	}
	return out
}

// bothKept are the values that stay on a side although the other one has others.
func (st *step) bothKept() []store.FieldChange {
	var out []store.FieldChange
	for _, c := range st.BothKept {
		stays := c.Field.Show(c.Before)
		out = append(out, store.FieldChange{Field: c.Field.Name, Before: stays, After: stays, Other: c.Field.Show(c.After), Rule: c.Rule})
	}
	return out
}

// matched reports whether the step tells of a match, which it does once.
func (st *step) matched() bool { return st.reason != "" && !st.Drop && (!st.Relink || st.relinked()) }

// nameOf is the name of a match, which is never empty: an empty one says that there is no match.
func nameOf(name string) string { return cmp.Or(name, "(no name)") }

// change gives a change its records. Link and First are for an undo: of what was only planned nothing is undone. What was
// begun may have been written, whatever is known of it: an undo compares with what is there.
func (st *step) change(c store.Change) store.Change {
	c.Record, c.CreatioID, c.GoogleID = st.name, st.link.CreatioID, st.link.GoogleID
	if st.begun {
		c.Link, c.First = st.link.ID, st.First
	}
	for _, s := range record.Sides {
		if res, ok := st.results[s]; ok && res.Err == nil && res.Record.ID != "" {
			if s == record.Google {
				c.GoogleID = res.Record.ID
			} else {
				c.CreatioID = res.Record.ID
			}
		}
	}
	return c
}

// sideChange is what a step changed on one side; false where that is nothing.
func (st *step) sideChange(k *Kind, s record.Side, preview bool) (store.Change, bool) {
	schema, scope := k.Schema, k.Words.Scope
	op, err := st.Ops[s], st.results[s].Err
	if op == nil || err != nil && !st.unsure(s) && !preview {
		return store.Change{}, false
	}
	changed := st.taken(schema, s)
	if !st.begun {
		changed = withoutSwaps(changed)
	}
	if op.Action == record.Update && !op.Join && len(changed) == 0 && !preview {
		return store.Change{}, false
	}
	change := st.change(store.Change{Side: s, Action: string(op.Action), Fields: fieldChanges(changed)})
	if op.Join && op.Action == record.Update {
		change.Fields = append(change.Fields, store.FieldChange{Field: fieldMembership, Before: "", After: scope[s], Rule: st.Rules[s]})
	}
	if op.Action == record.Unlink {
		change.Fields = []store.FieldChange{{Field: fieldMembership, Before: scope[s], After: "", Rule: st.Rules[s]}}
	}
	if op.Action == record.Cancel || op.Action == record.Delete {
		change.Fields = append(change.Fields, st.apart(k, s)...)
	}
	return change, true
}

// apart is what tells a record that goes from others of its name. It has nothing that an undo would put back value by value.
func (st *step) apart(k *Kind, s record.Side) []store.FieldChange {
	var out []store.FieldChange
	for _, v := range k.apart(st.shows(s)) {
		out = append(out, store.FieldChange{Field: v.Field, Before: v.Value, Rule: st.Rules[s]})
	}
	return out
}

// shows is what the records of a pair show, on a side or else on the other one; what they showed last where neither is there.
func (p *pair) shows(s record.Side) record.Fields {
	for _, side := range []record.Side{s, s.Other()} {
		if rec := p.records[side]; rec != nil && len(rec.Fields) > 0 {
			return rec.Fields
		}
	}
	return p.link.Base
}

// apart are the values that tell a record of this content from others of its name.
func (k *Kind) apart(content record.Fields) []store.FieldValue {
	var out []store.FieldValue
	for _, name := range k.Distinct {
		if f, ok := k.Schema.Field(name); ok && len(content[name]) > 0 {
			out = append(out, store.FieldValue{Field: name, Value: f.Show(content[name])})
		}
	}
	return out
}

// unsure reports whether a side may have been written, although nobody said so. What may have been written over is told of,
// since nobody can see it any more.
func (st *step) unsure(s record.Side) bool {
	op := st.Ops[s]
	return op != nil && op.Action == record.Update && fault.Ambiguous(st.results[s].Err)
}

// countStep counts what a step changed.
func (r *report) countStep(k *Kind, st *step) {
	if st.matched() {
		r.run.Counts.Matched++
	}
	if st.attempts == 0 {
		r.run.Counts.Conflicts += len(st.Conflicts)
	}
	for _, s := range record.Sides {
		if change, ok := st.sideChange(k, s, r.run.Trigger == TriggerPreview); ok && !st.unsure(s) {
			r.count(s, record.Action(change.Action))
		}
	}
}

// taken are the values that a side took, as it took them. What it could not hold at all did not change.
func (st *step) taken(schema record.Schema, s record.Side) []reconcile.FieldChange {
	res, written := st.results[s]
	if !written || res.Record.Fields == nil {
		return st.Changes[s]
	}
	projections := st.projections(schema, s, res.Projections)
	var out []reconcile.FieldChange
	for _, c := range st.Changes[s] {
		c.After = res.Record.Fields[c.Field.Name]
		if c.Field.Equal(c.Before, c.After) {
			continue
		}
		c.Swaps = slices.DeleteFunc(slices.Clone(c.Swaps), func(swap record.Swap) bool { return !visible(c.Field, s, swap, projections) })
		out = append(out, c)
	}
	return append(out, st.restated(schema, s)...)
}

// restated are the values that stand in for a missing one on a side and became others, as a name that is the company's. They have
// nothing to put back by itself.
func (st *step) restated(schema record.Schema, s record.Side) []reconcile.FieldChange {
	var out []reconcile.FieldChange
	op, standIns := st.Ops[s], st.standIns(schema, s)
	for _, f := range schema {
		after := st.results[s].Record.Fields[f.Name]
		if len(standIns[f.Name]) > 0 && !slices.Contains(op.Changed, f.Name) && op.Action == record.Update && !f.Equal(op.Before[f.Name], after) {
			out = append(out, reconcile.FieldChange{Field: f, Before: op.Before[f.Name], After: after, Rule: st.Rules[s]})
		}
	}
	return out
}

func withoutSwaps(changes []reconcile.FieldChange) []reconcile.FieldChange {
	out := slices.Clone(changes)
	for i := range out {
		out[i].Swaps = nil
	}
	return out
}

// visible reports whether a side shows another value since a swap: what it cannot hold it does not.
func visible(f record.Field, s record.Side, swap record.Swap, projections []record.Projection) bool {
	before, after := swap.Before, swap.After
	if as, ok := swap.BeforeDisplayed[s]; ok {
		before = as
	}
	for _, p := range projections {
		if p.Field == f.Name && f.Same(p.Canonical, swap.After) {
			after = p.Displayed
		}
	}
	return !f.Same(before, after)
}

// matchRule names in history by what two records were found to be one.
func matchRule(reason match.Reason) string {
	switch reason {
	case match.ByOrigin:
		return "made-from-it"
	case match.ByUser, byUndo:
		return string(reason)
	}
	return "same-" + strings.ReplaceAll(string(reason), " ", "-")
}

func fieldChanges(changes []reconcile.FieldChange) []store.FieldChange {
	var out []store.FieldChange
	for _, c := range changes {
		out = append(out, store.FieldChange{Field: c.Field.Name, Before: c.Field.Show(c.Before), After: c.Field.Show(c.After), Rule: c.Rule, Swaps: c.Swaps})
	}
	return out
}

// tellPlan writes down everything that a run would do, and does nothing of it.
func (w *writer) tellPlan(ctx context.Context, known, unmatched []*pair) error {
	tell := func(list []*pair) error {
		list, waits := waiting(list)
		for _, p := range waits {
			w.tellWait(p.open().link, p.wait)
		}
		var changes []store.Change
		for chunk := range w.chunks(list, w.plan) {
			if err := w.tellTimes(ctx, chunk); err != nil {
				return err
			}
			if err := w.tellCarriers(ctx, chunk); err != nil {
				return err
			}
			for _, st := range chunk {
				w.report.countStep(&w.engine.Kind, st)
				changes = append(append(changes, st.changes(&w.engine.Kind, w.preview())...), w.planPhoto(st)...)
				st.free()
			}
		}
		return w.report.add(ctx, changes)
	}
	if err := tell(known); err != nil {
		return err
	}
	for group, err := range w.matcher().groups(ctx, unmatched) {
		if err != nil {
			return err
		}
		if err := w.rebuildIntents(ctx, group); err != nil {
			return err
		}
		if err := tell(group); err != nil {
			return err
		}
	}
	return w.guard.tell(ctx, w.report)
}
