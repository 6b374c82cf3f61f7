package syncer

import (
	"context"
	"time"

	"github.com/tandem-sync/tandem/shared/store"
)

// The phases that a user is told of who waits for a run.
const (
	phaseRead    = "read"
	phaseCompare = "compare"
	phaseWrite   = "write"
	phasePhotos  = "photos"
)

// progressEvery is how long at least a phase goes on before it is told again how far it is.
const progressEvery = time.Second

// progress tells how far a run is that somebody waits for, with what it has done so far. Nothing hangs on it, so that a run goes on
// where it cannot be written.
func (r *report) progress(ctx context.Context, now time.Time, p store.Progress) {
	if !r.promised || !r.listed || r.told.Phase == p.Phase && now.Before(r.toldAt.Add(progressEvery)) {
		return
	}
	r.told, r.toldAt = p, now
	counts := r.run.Counts
	_ = r.user.UpdateRun(ctx, r.run.ID, func(stored *store.Run) error {
		if stored.Status == "running" {
			stored.Progress, stored.Counts = &p, counts
		}
		return nil
	})
}

// progress tells how far the writing is.
func (w *writer) progress(ctx context.Context, phase string) {
	w.report.progress(ctx, w.engine.Now(), store.Progress{Phase: phase, Done: min(w.done, w.total), Total: w.total})
}
