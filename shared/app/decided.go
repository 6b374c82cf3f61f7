package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
	"github.com/tandem-sync/tandem/shared/web"
)

func (s service) Decide(ctx context.Context, user, held string, approve bool) (string, error) {
	trigger, status := syncer.TriggerReject, "rejected"
	if approve {
		trigger, status = syncer.TriggerApprove, "approved"
	}
	u := s.app.store.User(user)
	run, err := u.Run(ctx, held)
	if err != nil {
		return "", err
	}
	doc, err := u.Sync(ctx, run.Type)
	if err != nil {
		return "", err
	}
	id, again := run.Decided, false
	if run.Status == status && doc.HeldRun == held && id != "" && s.app.since(id, promisedFor) {
		// Whoever decided may have ended before anything came of it.
		if _, again, err = s.app.waiting(ctx, u, id); err != nil {
			return "", err
		}
	}
	if !again {
		if run, err = s.app.standing(ctx, u, run, doc); err != nil {
			return "", err
		}
		if id, err = s.note(ctx, u, run, status); err != nil {
			return "", err
		}
	}
	return s.app.enqueue(ctx, user, store.Run{ID: id, Type: run.Type, Trigger: trigger, Decides: held})
}

// note notes what a user decided about a held run, and the id of the run that follows from that.
func (s service) note(ctx context.Context, u store.User, run store.Run, status string) (id string, err error) {
	switch run.Status {
	case "held":
	case "replaced":
		return "", web.ErrReplaced
	default:
		return "", web.ErrNotHeld
	}
	// From here on what waits is another list: should nothing come of the decision, it is asked for again.
	err = u.UpdateSync(ctx, run.Type, func(d *store.Sync) error {
		if d.HeldRun != run.ID {
			return web.ErrReplaced
		}
		d.HeldDigest = ""
		return nil
	})
	if err != nil {
		return "", err
	}
	id = syncer.NewRunID(s.app.now())
	return id, u.UpdateRun(ctx, run.ID, func(r *store.Run) error {
		switch {
		case r.Status == "replaced":
			return web.ErrReplaced
		case r.Status != "held" && r.Decided != run.Decided, r.Status != "held" && run.Decided == "":
			return web.ErrNotHeld
		}
		r.Status, r.Decided = status, id
		return nil
	})
}

// decidedFor is how long whoever decides may take to store the run that follows.
const decidedFor = time.Minute

// standing is a run as it stands: a held one whose list is not the one that waits was replaced, whether or not that could be
// written down; and one that was decided about is still held where nothing came of that.
func (a *App) standing(ctx context.Context, u store.User, run store.Run, doc store.Sync) (store.Run, error) {
	switch {
	case run.Status == "held" && doc.HeldRun != run.ID:
		run.Status = "replaced"
	case run.Decided != "" && doc.HeldRun == run.ID && doc.HeldDigest == "" && !a.since(run.Decided, decidedFor):
		_, err := u.Run(ctx, run.Decided)
		if errors.Is(err, store.ErrNotFound) {
			run.Status, err = "held", nil
		}
		return run, err
	}
	return run, nil
}

func (s service) Undo(ctx context.Context, user string, what store.Undo) (string, error) {
	run, err := s.app.store.User(user).Run(ctx, what.Run)
	switch {
	case err != nil:
		return "", err
	case !run.Undoable(), slices.ContainsFunc(run.Changes, waits) && !run.Wrote():
		return "", web.ErrNotUndoable
	case !what.Whole() && !slices.ContainsFunc(run.Changes, what.Covers):
		return "", fmt.Errorf("find the record to undo: %w", store.ErrNotFound)
	}
	u, err := s.ready(ctx, user, run.Type)
	if err != nil {
		return "", err
	}
	undo := store.Run{Type: run.Type, Trigger: syncer.TriggerUndo, Undoes: &what}
	if !what.Whole() {
		return s.app.enqueue(ctx, user, undo)
	}
	undo.ID = run.Undone
	again := false
	if undo.ID != "" && s.app.since(undo.ID, promisedFor) {
		asked, waits, err := s.app.waiting(ctx, u, undo.ID)
		if err != nil {
			return "", err
		}
		if asked.Status == "running" {
			return asked.ID, nil
		}
		again = waits
	}
	if !again {
		id := syncer.NewRunID(s.app.now())
		err := u.UpdateRun(ctx, run.ID, func(r *store.Run) error {
			if r.Undone == run.Undone {
				r.Undone = id
			}
			undo.ID = r.Undone // where somebody else was faster, it is theirs
			return closed(r)
		})
		if err != nil {
			return "", err
		}
	}
	return s.app.enqueue(ctx, user, undo)
}

func waits(c store.Change) bool { return c.Waits }

// closed keeps a run that failed from going on, when its queue would try it again: it is to be undone.
func closed(r *store.Run) error {
	if !r.Undoable() {
		return web.ErrNotUndoable
	}
	r.Closed = r.Status == "failed"
	return nil
}

func (s service) Runs(ctx context.Context, user string, t record.Type, limit int, before string) ([]store.Run, error) {
	if before != "" && !syncer.IsRunID(before) {
		return nil, &web.InvalidError{Errors: []web.FieldError{{Field: "before", Message: "Give the id of a run, or leave it out."}}}
	}
	u := s.app.store.User(user)
	runs, err := u.Runs(ctx, t, limit, before)
	if err != nil {
		return nil, err
	}
	docs := map[record.Type]store.Sync{}
	for i, run := range runs {
		if run.Status != "held" && run.Decided == "" {
			continue
		}
		doc, known := docs[run.Type]
		if !known {
			if doc, err = u.Sync(ctx, run.Type); err != nil {
				return nil, err
			}
			docs[run.Type] = doc
		}
		if runs[i], err = s.app.standing(ctx, u, run, doc); err != nil {
			return nil, err
		}
	}
	return runs, nil
}

func (s service) Run(ctx context.Context, user, run string) (store.Run, error) {
	u := s.app.store.User(user)
	found, err := u.Run(ctx, run)
	if err == nil && found.Status == "running" {
		// What it counted is as old as its last word about that.
		found.Counts = found.Recorded()
	}
	if err != nil {
		return found, err
	}
	s.app.carry(ctx, user, found)
	if found.Status != "held" && found.Decided == "" {
		return found, nil
	}
	doc, err := u.Sync(ctx, found.Type)
	if err != nil {
		return found, err
	}
	return s.app.standing(ctx, u, found, doc)
}
