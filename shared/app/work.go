package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/observe"
	"github.com/tandem-sync/tandem/shared/queue"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
	"github.com/tandem-sync/tandem/shared/web"
)

// leasePause is how long a run that a user started waits while another run holds the lease.
const leasePause = 5 * time.Second

// runner serves the sync functions.
type runner struct{ app *App }

func (r runner) Authorize(req *http.Request, function string) error {
	return r.app.invoker.check(req, function)
}

func (r runner) Dispatch(ctx context.Context, t record.Type, after string) (web.Dispatched, error) {
	return r.app.dispatch(ctx, t, after)
}

func (r runner) Window(ctx context.Context, t record.Type, user string, due time.Time, promised, trigger string) (web.Window, error) {
	if trigger == triggerChannels {
		if err := r.app.tend(ctx, user); fault.Is(err, fault.Retry) {
			return web.Window{Status: string(syncer.Retry), Retry: true, After: fault.After(err)}, nil
		}
		return web.Window{Status: string(syncer.Done)}, nil
	}
	req, ended, err := r.app.request(ctx, t, user, due, promised, trigger)
	switch {
	case err != nil:
		return web.Window{Run: promised, Status: string(syncer.Retry), Retry: true}, err
	case ended != "":
		return web.Window{Run: promised, Status: string(ended)}, nil
	}
	out, _ := r.app.run(ctx, t, user, req)
	if out.Status == syncer.Continued {
		// The caller does the same in both cases: it calls again.
		out.Status = syncer.Retry
	}
	again := out.Status == syncer.Retry || req.Run != "" && out.Reason == syncer.ReasonLease
	return web.Window{Run: out.Run, Status: string(out.Status), Reason: out.Reason, Retry: again, After: out.After}, nil
}

// request builds the request of a task: for a run that the user already knows by its id (promised), or for a new run, which is
// of the schedule unless a service told of a change. If the promised run has ended already, ended is its status.
func (a *App) request(ctx context.Context, t record.Type, user string, due time.Time, promised, trigger string) (req syncer.Request, ended syncer.Status, err error) {
	req = syncer.Request{Type: t, Trigger: syncer.TriggerSchedule, Due: due}
	if trigger == syncer.TriggerPush {
		req.Trigger, req.Due = trigger, time.Time{}
	}
	if promised == "" {
		return req, "", nil
	}
	run, err := a.store.User(user).Run(ctx, promised)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return req, "", nil
	case err != nil:
		return req, "", err
	case run.Type == t && run.Unfinished():
		// The trigger is the stored one, not what the caller says.
		req.Run, req.Trigger = run.ID, run.Trigger
		return req, "", nil
	}
	// The run has ended: the task was delivered twice, or the run was undone meanwhile. A decision about a held run is a run
	// of its own.
	switch status := syncer.Status(run.Status); {
	case status == syncer.Done:
		return req, status, nil
	case status == syncer.Partial, run.Closed:
		return req, syncer.Partial, nil
	}
	return req, syncer.Held, nil
}

// run makes one run, and logs how it ended.
func (a *App) run(ctx context.Context, t record.Type, user string, req syncer.Request) (syncer.Outcome, error) {
	engine := a.engines[t]
	if engine == nil {
		return syncer.Outcome{}, fault.Errorf(fault.Bug, "", "unknown-type", "run: no sync type %q", t)
	}
	ctx, span := observe.Begin(ctx, "run", slog.String("user", observe.User(user)), slog.String("type", string(t)), slog.String("trigger", req.Trigger))
	ctx = observe.With(ctx, "user", observe.User(user), "type", string(t))
	start := a.now()
	out, err := engine.Run(ctx, a.store.User(user), req)
	a.layout.doubt(err)
	span.Set(slog.String("status", string(out.Status)), slog.String("reason", out.Reason))
	span.End(err)
	a.measureRun(ctx, t, req.Trigger, a.now().Sub(start), out, err)
	ctx = observe.With(ctx, "run", out.Run)
	switch {
	case out.Reason == syncer.ReasonUnknownUser:
		// What a former version wrote after an erasure would be due for ever.
		err = errors.Join(err, a.store.User(user).EraseRemains(ctx))
	case out.Reason == syncer.ReasonNotLinked:
		// Once the grant is revoked, nobody may stop what it opened.
		a.closeChannels(ctx, user)
		err = errors.Join(err, a.errands(ctx, t, user))
	case out.Reason == syncer.ReasonNotAllowed:
		err = errors.Join(err, a.bar(ctx, user))
	case out.Reason == syncer.ReasonLease && req.Run == "" && req.Trigger != syncer.TriggerPreview:
		if err = a.queueAfterLease(ctx, t, user, req.Trigger); err != nil {
			out.Status = syncer.Retry
		}
	}
	if req.Trigger != syncer.TriggerSchedule && req.Trigger != syncer.TriggerPush && req.Trigger != syncer.TriggerPreview {
		// The run may have set a due time where there was none.
		a.follower.saved(ctx, t)
	}
	switch kind := fault.KindOf(err); {
	case err == nil:
		a.logger.InfoContext(ctx, "run ended", "status", string(out.Status), "reason", out.Reason)
	case (kind == fault.Misconfigured || kind == fault.Bug) && !out.Known:
		a.logger.ErrorContext(ctx, "run failed", "status", string(out.Status), "kind", kind.String(), "error", err.Error())
	default:
		a.logger.WarnContext(ctx, "run ended early", "status", string(out.Status), "kind", kind.String(), "error", err.Error())
	}
	a.tendAfter(ctx, t, user, req.Trigger, out)
	a.notifyAfter(ctx, t, user, out)
	return out, err
}

// work runs one queued task. The queue retries it after an error of kind Retry.
func (a *App) work(ctx context.Context, t queue.Task) error {
	ctx, end := a.telemetry.Task(ctx, "task")
	if t.Trigger == triggerChannels {
		err := a.tend(ctx, t.User)
		end(err)
		return err
	}
	if t.After != "" {
		_, err := a.dispatch(ctx, t.Type, t.After)
		end(err)
		return err
	}
	req, ended, err := a.request(ctx, t.Type, t.User, t.Due, t.Run, t.Trigger)
	if err != nil || ended != "" {
		end(err)
		return err
	}
	out, err := a.run(ctx, t.Type, t.User, req)
	end(err)
	switch {
	case out.Status == syncer.Continued:
		return fault.New(fault.Retry, "", "run", errors.New("the run continues in another attempt"))
	case out.Status == syncer.Skipped && out.Reason == syncer.ReasonLease && t.Run != "":
		return &fault.Error{Kind: fault.Retry, Code: "lease", After: leasePause, Err: errors.New("another run is under way")}
	case out.Status == syncer.Retry:
		return &fault.Error{Kind: fault.Retry, Code: "run", After: out.After, Err: err}
	}
	return nil
}

// resumeRuns is how many of a user's latest runs resume looks at.
const resumeRuns = 5

// resume queues the unfinished runs of an earlier process that users had started. The inline queue does not survive its
// process.
func (a *App) resume(ctx context.Context) error {
	for p, err := range a.store.Users(ctx) {
		if err != nil {
			return fmt.Errorf("look for interrupted runs: %w", err)
		}
		runs, err := a.store.User(p.ID).Runs(ctx, "", resumeRuns, "")
		if err != nil {
			return fmt.Errorf("look for interrupted runs: %w", err)
		}
		for _, r := range runs {
			if r.Status != "queued" && r.Status != "running" {
				continue
			}
			if _, err := a.queue.Add(ctx, queue.Task{Name: "run-" + r.ID, Type: r.Type, User: p.ID, Run: r.ID, Trigger: r.Trigger}); err != nil {
				return fmt.Errorf("queue an interrupted run: %w", err)
			}
		}
	}
	return nil
}

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
	if before != "" && before != begun && before > syncer.NewRunID(a.now().Add(-queuedFor)) {
		run, err := u.Run(ctx, before)
		switch {
		case err == nil && run.Status == "queued":
			return before, nil
		case errors.Is(err, store.ErrNotFound):
			// Whoever asked for it is about to store it, or ended before they could.
			return a.enqueue(ctx, user, store.Run{ID: before, Type: t, Trigger: syncer.TriggerUser})
		case err != nil:
			return "", fmt.Errorf("look for a queued run: %w", err)
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

var errAsked = errors.New("a run is queued already")

// queuedFor is for how long a queued run is relied on.
const queuedFor = 2 * time.Minute

// enqueue queues a run that a user started, under a new id where it has none. It stores the run first, so that the user sees it at once.
// Of several who queue a run of one id, the one who stored it queues it.
func (a *App) enqueue(ctx context.Context, user string, r store.Run) (string, error) {
	r.ID, r.Status = cmp.Or(r.ID, syncer.NewRunID(a.now())), "queued"
	added, err := a.store.User(user).AddRun(ctx, r)
	if err == nil && added {
		_, err = a.queue.Add(ctx, queue.Task{Name: "run-" + r.ID, Type: r.Type, User: user, Run: r.ID, Trigger: r.Trigger})
	}
	if err != nil {
		return "", fmt.Errorf("queue a run: %w", err)
	}
	return r.ID, nil
}
