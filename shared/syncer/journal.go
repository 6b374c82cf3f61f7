package syncer

import (
	"context"
	"errors"
	"fmt"

	"github.com/tandem-sync/tandem/shared/store"
)

// noteDown writes into the history what a chunk is about to change, so that no value is written over whose only copy it
// would be if the run died right after. What became of it replaces that in the end.
func (r *run) noteDown(ctx context.Context, chunk []*step) error {
	// What is only intended counts nowhere.
	counts := r.record.Counts
	var changes []store.Change
	for _, st := range chunk {
		changes = append(changes, r.history(st)...)
	}
	r.record.Counts = counts
	if len(changes) == 0 {
		return nil
	}
	if err := r.list(ctx); err != nil {
		return err
	}
	if err := r.user.AddChanges(ctx, r.record.ID, r.pieces, changes); err != nil {
		return fmt.Errorf("save intended changes: %w", err)
	}
	r.told = true
	return nil
}

// list has the run be found, which nobody promised, as soon as it has something to tell.
func (r *run) list(ctx context.Context) error {
	if r.listed {
		return nil
	}
	if err := r.user.PutRun(ctx, r.record); err != nil {
		return fmt.Errorf("list run: %w", err)
	}
	r.listed = true
	return nil
}

// closeLost ends a run that was cut off without a word: it had the lease before, and did not give it up.
func (r *run) closeLost(ctx context.Context) error {
	if r.lease.After == "" || r.lease.After == r.record.ID {
		return nil
	}
	err := r.user.UpdateRun(ctx, r.lease.After, func(lost *store.Run) error {
		if lost.Status != "running" {
			return nil
		}
		lost.Status, lost.FinishedAt = "failed", r.start
		lost.Problems = append(lost.Problems, store.Problem{
			Code: "interrupted", Message: "This run was cut off before it could tell how it ended.",
			Action: "Nothing to do: the next one went on from there.",
		})
		return nil
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("close a run that was cut off: %w", err)
	}
	return nil
}
