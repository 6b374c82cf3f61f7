package syncer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/match"
	"github.com/tandem-sync/tandem/shared/reconcile"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// maxProblems bounds the problems a run lists; Counts.Failed says how many there were. A document may not grow beyond
// 1 MiB (https://firebase.google.com/docs/firestore/quotas).
const maxProblems = 500

// What history tells besides the actions on records and their fields.
const (
	actionMatch     = "match"
	fieldMembership = "membership"
)

// history is what a step changed, with the rule that decided each value, and counts it.
func (r *run) history(st *step) []store.Change {
	var out []store.Change
	ids := func(c store.Change) store.Change {
		c.Record, c.CreatioID, c.GoogleID = st.Name, st.link.CreatioID, st.link.GoogleID
		if st.written() {
			c.Link, c.First = st.link.ID, st.First
		}
		for s, res := range st.results {
			if res.Err == nil && s == record.Google {
				c.GoogleID = res.Record.ID
			}
		}
		return c
	}
	if st.reason != "" && !st.Drop && st.again == 0 && !slices.ContainsFunc(record.Sides[:], func(s record.Side) bool { return st.results[s].Err != nil }) {
		r.record.Counts.Matched++
		out = append(out, ids(store.Change{Side: record.Google, Action: actionMatch, Fields: []store.FieldChange{{
			Field: actionMatch, Before: "", After: st.Name, Rule: rule(st.reason),
		}}}))
	}
	if st.again == 0 {
		r.record.Counts.Conflicts += len(st.Conflicts)
	}
	for _, s := range record.Sides {
		op := st.Ops[s]
		err := st.results[s].Err
		// What may have been written over is told of, since nobody can see it any more.
		unsure := op != nil && op.Action == record.Update && fault.Ambiguous(err)
		if op == nil || (err != nil && !unsure && !r.preview()) {
			continue
		}
		changed := st.took(r.engine.Schema, s)
		if !st.written() {
			changed = unswapped(changed)
		}
		if op.Action == record.Update && !op.Join && len(changed) == 0 && !r.preview() {
			continue
		}
		change := ids(store.Change{Side: s, Action: string(op.Action), Fields: fieldChanges(changed)})
		if op.Join && op.Action == record.Update {
			change.Fields = append(change.Fields, store.FieldChange{Field: fieldMembership, Before: "", After: membership(s), Rule: st.Rules[s]})
		}
		if op.Action == record.Unlink {
			change.Fields = []store.FieldChange{{Field: fieldMembership, Before: membership(s), After: "", Rule: st.Rules[s]}}
		}
		if !unsure {
			r.tally(s, op.Action)
		}
		out = append(out, change)
	}
	return out
}

// took are the values that a side took, as it took them. What it could not hold at all did not change.
func (st *step) took(schema record.Schema, s record.Side) []reconcile.FieldChange {
	res, written := st.results[s]
	if !written || res.Record.Fields == nil {
		return st.Changes[s]
	}
	shown := composed(schema, st.Projections[s], res.Projections)
	var out []reconcile.FieldChange
	for _, c := range st.Changes[s] {
		c.After = res.Record.Fields[c.Field.Name]
		if c.Field.Equal(c.Before, c.After) {
			continue
		}
		c.Swaps = slices.DeleteFunc(slices.Clone(c.Swaps), func(swap record.Swap) bool { return !visible(c.Field, s, swap, shown) })
		out = append(out, c)
	}
	return out
}

// written reports whether the step was carried out, and not only planned. What was only planned tells nothing that an
// undo could go by.
func (st *step) written() bool { return len(st.results) > 0 }

func unswapped(changes []reconcile.FieldChange) []reconcile.FieldChange {
	out := slices.Clone(changes)
	for i := range out {
		out[i].Swaps = nil
	}
	return out
}

// visible reports whether a side shows another value since a swap: what it cannot hold it does not.
func visible(f record.Field, s record.Side, swap record.Swap, shown []record.Projection) bool {
	before, after := swap.Before, swap.After
	if as, ok := swap.BeforeDisplayed[s]; ok {
		before = as
	}
	for _, sh := range shown {
		if sh.Field == f.Name && f.Same(sh.Canonical, swap.After) {
			after = sh.Displayed
		}
	}
	return !f.Same(before, after)
}

// rule names in history by what two records were found to be one.
func rule(reason match.Reason) string {
	if reason == match.ByOrigin {
		return "made-from-it"
	}
	return "same-" + strings.ReplaceAll(string(reason), " ", "-")
}

func membership(s record.Side) string {
	if s == record.Creatio {
		return "private tag"
	}
	return "group"
}

func fieldChanges(changes []reconcile.FieldChange) []store.FieldChange {
	var out []store.FieldChange
	for _, c := range changes {
		out = append(out, store.FieldChange{Field: c.Field.Name, Before: c.Field.Show(c.Before), After: c.Field.Show(c.After), Rule: c.Rule, Swaps: c.Swaps})
	}
	return out
}

func (r *run) tally(s record.Side, a record.Action) {
	c := &r.record.Counts.Creatio
	if s == record.Google {
		c = &r.record.Counts.Google
	}
	switch a {
	case record.Create:
		c.Created++
	case record.Update:
		c.Updated++
	case record.Unlink:
		c.Unlinked++
	}
}

// report tells the user what of a step could not be done, and what could not be done to the letter.
func (r *run) report(st *step) {
	for _, s := range record.Sides {
		res, written := st.results[s]
		if !written {
			continue
		}
		if res.Err != nil {
			r.record.Counts.Failed++
			says := fault.Explain(res.Err)
			r.problem(st.link, store.Problem{Side: s, Code: says.Code, Message: says.Message, Action: says.Action})
		}
		for _, n := range res.Notes {
			r.problem(st.link, store.Problem{Side: s, Code: n.Code, Message: n.Message, Action: n.Action})
		}
	}
}

func (r *run) problem(l store.Link, p store.Problem) {
	if len(r.record.Problems) >= maxProblems {
		return
	}
	p.Record, p.CreatioID, p.GoogleID = l.Name, l.CreatioID, l.GoogleID
	r.record.Problems = append(r.record.Problems, p)
}

// foretell writes down everything that a run would do, and does nothing of it.
func (r *run) foretell(ctx context.Context, known, lonely []*pair) error {
	tell := func(list []*pair) error {
		list, paused := apart(list)
		for _, p := range paused {
			r.problem(p.link, p.pause.problem)
		}
		var changes []store.Change
		for chunk := range r.chunks(list, r.plan) {
			for _, st := range chunk {
				changes = append(append(changes, r.history(st)...), r.foreseePhoto(st)...)
				st.release()
			}
		}
		return r.addChanges(ctx, changes)
	}
	if err := tell(known); err != nil {
		return err
	}
	for group, err := range r.meetings(ctx, lonely) {
		if err != nil {
			return err
		}
		if err := tell(group); err != nil {
			return err
		}
	}
	return nil
}

// waiting ends a run that waits for the user's approval.
type waiting struct{ problem store.Problem }

func (w waiting) Error() string { return "held: " + w.problem.Code }

// hold keeps a plan that takes away too much, with its changes, for the user to decide about.
func (r *run) hold(ctx context.Context, known, lonely []*pair, reason string) error {
	// What waits already goes on waiting under the same name; a person who asks again gets a new answer.
	if held := r.doc.HeldRun; held != "" && r.record.Trigger == TriggerSchedule {
		r.record.ID = held
	}
	r.pieces = 0
	if err := r.foretell(ctx, known, lonely); err != nil {
		return err
	}
	unlinked := r.record.Counts.Creatio.Unlinked + r.record.Counts.Google.Unlinked
	p := store.Problem{
		Code:    "held-" + reason,
		Message: fmt.Sprintf("This run would take %d contacts out of the synchronization, so Tandem has not started it.", unlinked),
		Action:  "Look at the list: approve it if that is what you want, or reject it to keep the contacts.",
	}
	r.record.Problems = append(r.record.Problems, p)
	return waiting{p}
}
