package syncer

import (
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/reconcile"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// step is a pair with what is to be done about it, and in the end what became of that.
type step struct {
	*pair
	reconcile.Decision
	// name is what history calls the records.
	name    string
	plans   map[record.Side]record.Plan
	results map[record.Side]record.Result
	// readOnly is the side on which nobody's account may write a change of the user's, which stays where it was made.
	readOnly record.Side
	// separates says that the step takes the link away between two records that a run matched.
	separates bool
	// begun says that the step is being carried out, and is not only planned.
	begun bool
	// in is what was decided about, losses what the decision takes away, by the side that it comes from.
	in     reconcile.Pair
	losses map[record.Side]reconcile.Loss
	// guarded says that the guard was asked; waits is what it did not let pass; whole that the pair is left as it is.
	guarded bool
	waits   map[record.Side]store.Waiting
	whole   bool
	// lostAt is when the link was counted before this step, by the sides for which it is counted with it.
	lostAt map[record.Side]time.Time
}

// writes reports whether the step changes anything on a side.
func (st *step) writes() bool { return len(st.Ops) > 0 }

// creates reports whether the step makes a new record.
func (st *step) creates() bool {
	for _, op := range st.Ops {
		if op.Action == record.Create {
			return true
		}
	}
	return false
}

// failure is why something of the step was not written; nil where everything was.
func (st *step) failure() error {
	for _, s := range record.Sides {
		if err := st.results[s].Err; err != nil {
			return err
		}
	}
	return nil
}

// outdated reports whether a record changed since it was read, so that the step has to be planned anew.
func (st *step) outdated() bool {
	for _, res := range st.results {
		if fault.Is(res.Err, fault.Conflict) || fault.Is(res.Err, fault.Gone) {
			return true
		}
	}
	return false
}

// standIns are what a side shows where nothing is agreed on.
func (st *step) standIns(schema record.Schema, s record.Side) record.Fields {
	out := record.Fields{}
	for _, p := range st.Projections[s] {
		if f, ok := schema.Field(p.Field); ok && !f.Set && f.Empty(p.Canonical) && !f.Empty(p.Displayed) {
			out[p.Field] = []record.Entry{p.Displayed}
		}
	}
	return out
}

// projections are the values that a side shows in another form than the agreed one, once the step is written.
func (st *step) projections(schema record.Schema, s record.Side, predicted []record.Projection) []record.Projection {
	return composed(schema, st.Projections[s], predicted)
}
