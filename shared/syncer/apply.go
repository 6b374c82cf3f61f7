package syncer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
)

// maxAttempts is how often a record that changes while it is written is read and planned anew in one run.
const maxAttempts = 3

// codeDeadline marks a run that ended at the border of a chunk because its time was over.
const codeDeadline = "deadline"

// writer carries decisions out, chunk by chunk: it asks the sides what they will make of them, notes that in the journal
// and in the history, applies it, and records what became of it.
type writer struct {
	*loader
	reading *reading
	report  *report
	// photos are the pairs whose photos are to be looked at in the end.
	photos []*photoPair
	// done and total are how many records were written, and are to be.
	done, total int
	// wrote says that the run began to write to the sides.
	wrote bool
}

// perform does what is to be done about pairs, but for those that wait.
func (w *writer) perform(ctx context.Context, list []*pair) error {
	list, waits := waiting(list)
	if err := w.saveWaiting(ctx, waits); err != nil {
		return err
	}
	return w.writeAll(ctx, list, w.plan)
}

// writeAll plans and writes chunk by chunk, and plans anew what changed meanwhile. A pair with which a chunk is done lets
// its records go.
func (w *writer) writeAll(ctx context.Context, list []*pair, plan func([]*pair) []*step) error {
	for len(list) > 0 {
		var again []*pair
		for chunk := range w.chunks(list, plan) {
			var outdated []*pair
			err := phase(ctx, "apply", func(ctx context.Context) (err error) {
				outdated, err = w.write(ctx, chunk)
				return err
			})
			if err != nil {
				return err
			}
			again = append(again, outdated...)
			w.done += len(chunk) - len(outdated)
			w.progress(ctx, phaseWrite)
			for _, st := range chunk {
				if slices.Contains(outdated, st.pair) {
					continue
				}
				if st.wait == nil {
					w.notePhoto(st.pair)
				}
				st.free()
			}
		}
		if len(again) > 0 {
			if err := w.reread(ctx, again); err != nil {
				return err
			}
			var waits []*pair
			if again, waits = waiting(again); len(waits) > 0 && !w.undoes() {
				if err := w.saveWaiting(ctx, waits); err != nil {
					return err
				}
			}
		}
		list = again
	}
	return nil
}

// write carries out one chunk. It returns pairs that changed meanwhile.
func (w *writer) write(ctx context.Context, chunk []*step) ([]*pair, error) {
	if err := w.timeLeft(ctx); err != nil {
		return nil, err
	}
	if err := w.tellTimes(ctx, chunk); err != nil {
		return nil, err
	}
	if err := w.tellCarriers(ctx, chunk); err != nil {
		return nil, err
	}
	w.wrote = true
	for _, st := range chunk {
		st.begun = true
	}
	if err := w.recreateScope(ctx, chunk); err != nil {
		return nil, err
	}
	if err := w.planWrites(ctx, chunk); err != nil {
		return nil, err
	}
	chunk, waits, err := w.journal(ctx, chunk)
	if err != nil {
		return nil, err
	}
	if err := w.report.intend(ctx, w.allChanges(chunk)); err != nil {
		return nil, err
	}
	if err := w.separate(ctx, chunk); err != nil {
		return nil, err
	}
	failure := w.apply(ctx, chunk)
	// What took effect is saved whatever else went wrong, and even where the time is over.
	outdated, err := w.record(context.WithoutCancel(ctx), chunk, waits, failure != nil)
	if lost := lostLease(ctx); lost != nil {
		return nil, lost
	}
	return outdated, errors.Join(failure, err)
}

// recreateScope makes a group again that is gone, where something is to go into it. By now nobody has anything against what
// it took with it.
func (w *writer) recreateScope(ctx context.Context, chunk []*step) error {
	for _, s := range record.Sides {
		joins := func(st *step) bool { return st.Ops[s] != nil && st.Ops[s].Join }
		if _, ok := w.sides[s].(Scoped); !ok || w.undoes() || w.reading.scopes[s] != "" || !slices.ContainsFunc(chunk, joins) {
			continue
		}
		scope, err := w.prepare(ctx, s)
		if err != nil {
			return err
		}
		w.reading.scopes[s] = scope
	}
	return nil
}

// bySide does something on both sides at the same time with the steps of a chunk that have an operation there.
func bySide(chunk []*step, do func(s record.Side, steps []*step) error) error {
	var mu sync.Mutex
	var failures []error
	var g errgroup.Group
	for _, s := range record.Sides {
		var steps []*step
		for _, st := range chunk {
			if st.Ops[s] != nil {
				steps = append(steps, st)
			}
		}
		if len(steps) == 0 {
			continue
		}
		g.Go(func() error {
			if err := do(s, steps); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failures = append(failures, err)
			}
			return nil
		})
	}
	_ = g.Wait()
	return errors.Join(failures...)
}

// planWrites asks both sides what they will make of a chunk. A step that one side cannot carry out still goes to the other.
func (w *writer) planWrites(ctx context.Context, chunk []*step) error {
	var mu sync.Mutex
	return bySide(chunk, func(s record.Side, steps []*step) error {
		ops := make([]record.Operation, len(steps))
		for i, st := range steps {
			ops[i] = *st.Ops[s]
			ops[i].StandIns = st.standIns(w.engine.Schema, s)
			if f, ok := w.sides[s.Other()].(Founding); ok && ops[i].Action == record.Create {
				ops[i].Once = f.Once(st.state(s.Other()))
			}
			if ops[i].Action == record.Create {
				ops[i].Former = record.Former{ID: st.link.SideID(s), AdapterState: st.link.Sides[s].AdapterState}
			}
		}
		plans, err := w.sides[s].Plan(ctx, ops)
		if err != nil {
			return fmt.Errorf("plan writes to %s: %w", s, err)
		}
		mu.Lock()
		defer mu.Unlock()
		for i, st := range steps {
			if i >= len(plans) {
				plans = append(plans, record.Plan{Operation: ops[i], Err: fault.New(fault.Bug, string(s), "no-plan", nil)})
			}
			if st.plans[s] = plans[i]; plans[i].Err != nil {
				st.results[s] = record.Result{Err: plans[i].Err}
			}
		}
		return nil
	})
}

// apply sends what was planned and journaled.
func (w *writer) apply(ctx context.Context, chunk []*step) error {
	var mu sync.Mutex
	return bySide(chunk, func(s record.Side, steps []*step) error {
		var plans []record.Plan
		steps = slices.DeleteFunc(steps, func(st *step) bool { return st.plans[s].Err != nil })
		for _, st := range steps {
			plans = append(plans, st.plans[s])
		}
		if len(plans) == 0 {
			return nil
		}
		results, err := w.sides[s].Apply(ctx, plans)
		mu.Lock()
		defer mu.Unlock()
		for i, st := range steps {
			if i < len(results) {
				st.results[s] = results[i]
			} else {
				st.results[s] = record.Result{Err: cmp.Or(err, error(fault.New(fault.Bug, string(s), "no-result", nil)))}
			}
		}
		if err != nil {
			return fmt.Errorf("write to %s: %w", s, err)
		}
		return nil
	})
}
