package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/observe"
	"github.com/tandem-sync/tandem/shared/queue"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// A run that a user starts is promised: the user knows its id before it begins. Its id is noted first, then the run is stored, and then
// its task is queued. A process may end between any two of these: whoever asks again, or looks at the run, does the rest.

const (
	// queuedFor is for how long a queued run is relied on, and promisedFor for how long a run may begin late that was not queued.
	queuedFor   = 2 * time.Minute
	promisedFor = 24 * time.Hour
)

var errAsked = errors.New("a run is queued already")

// asked queues a run that a user asks for, or gives the one that is queued already: it sees whatever this one would. begun is
// the run that had the lease when the user's words were kept: it does not. Of many who ask at once one queues a run.
func (a *App) asked(ctx context.Context, user string, t record.Type, begun string) (string, error) {
	u := a.store.User(user)
	doc, err := u.Sync(ctx, t)
	if err != nil {
		return "", fmt.Errorf("look for a queued run: %w", err)
	}
	before := doc.Asked
	// One that has been queued for long may be no task's any more.
	if before != "" && before != begun && a.since(before, queuedFor) {
		run, waits, err := a.waiting(ctx, u, before)
		if err != nil {
			return "", err
		}
		switch {
		case waits && run.ID == "":
			return a.enqueue(ctx, user, store.Run{ID: before, Type: t, Trigger: syncer.TriggerUser})
		case waits:
			// Many may ask at once: it is stored, and only its task may be missing.
			if err := a.addTask(ctx, user, run); err != nil {
				return "", fmt.Errorf("queue a run: %w", err)
			}
			return before, nil
		}
	}
	id := syncer.NewRunID(a.now())
	given := id
	err = u.UpdateSync(ctx, t, func(d *store.Sync) error {
		if given = id; d.Asked != before {
			given = d.Asked // somebody else was faster, just now
			return errAsked
		}
		d.Asked = id
		return nil
	})
	if err != nil && !errors.Is(err, errAsked) {
		return "", fmt.Errorf("queue a run: %w", err)
	}
	return a.enqueue(ctx, user, store.Run{ID: given, Type: t, Trigger: syncer.TriggerUser})
}

// since reports whether the id of a run is not older than that.
func (a *App) since(run string, age time.Duration) bool {
	return run > syncer.NewRunID(a.now().Add(-age))
}

// waiting is a run whose id was noted, and whether it has not begun: it is queued, or whoever noted it is about to store it, or ended
// before they could.
func (a *App) waiting(ctx context.Context, u store.User, id string) (run store.Run, waits bool, err error) {
	run, err = u.Run(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return store.Run{}, true, nil
	case err != nil:
		return store.Run{}, false, fmt.Errorf("look for a queued run: %w", err)
	}
	return run, run.Status == "queued", nil
}

// enqueue queues a run that a user started, under a new id where it has none. It stores the run first, so that the user sees it at once.
// Several who queue a run of one id queue one.
func (a *App) enqueue(ctx context.Context, user string, r store.Run) (string, error) {
	r.ID, r.Status = cmp.Or(r.ID, syncer.NewRunID(a.now())), "queued"
	_, err := a.store.User(user).AddRun(ctx, r)
	if err == nil {
		// Who stored it may have ended before it was a task.
		err = a.addTask(ctx, user, r)
	}
	if err != nil {
		return "", fmt.Errorf("queue a run: %w", err)
	}
	return r.ID, nil
}

func (a *App) addTask(ctx context.Context, user string, r store.Run) error {
	_, err := a.queue.Add(ctx, queue.Task{Name: "run-" + r.ID, Type: r.Type, User: user, Run: r.ID, Trigger: r.Trigger})
	return err
}

// carry has a run be some task's that waits for longer than it should. Its user is looking at it.
func (a *App) carry(ctx context.Context, user string, r store.Run) {
	if r.Status != "queued" || a.since(r.ID, queuedFor) || !a.since(r.ID, promisedFor) {
		return
	}
	if err := a.addTask(ctx, user, r); err != nil {
		a.logger.WarnContext(ctx, "a run that waits could not be queued again", "run", r.ID, "kind", fault.KindOf(err).String(), "error", err.Error())
	}
}

// resumeRuns is how many of a user's latest runs resume looks at.
const resumeRuns = 5

// resume queues the unfinished runs of an earlier process that users had started, and ends its erasures. The inline queue does not survive
// its process.
func (a *App) resume(ctx context.Context) error {
	for p, err := range a.store.Users(ctx) {
		if err != nil {
			return fmt.Errorf("look for interrupted runs: %w", err)
		}
		if !p.Erasing.IsZero() {
			if err := a.eraseRest(ctx, p.ID); err != nil {
				a.logger.WarnContext(ctx, "an erasure that was cut off has not ended", "user", observe.User(p.ID), "error", err.Error())
			}
			continue
		}
		runs, err := a.store.User(p.ID).Runs(ctx, "", resumeRuns, "")
		if err != nil {
			return fmt.Errorf("look for interrupted runs: %w", err)
		}
		for _, r := range runs {
			if r.Status != "queued" && r.Status != "running" {
				continue
			}
			if err := a.addTask(ctx, p.ID, r); err != nil {
				return fmt.Errorf("queue an interrupted run: %w", err)
			}
		}
	}
	return nil
}
