package app

import (
	"context"
	"errors"
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
	if chore := r.app.chore(trigger); chore != nil {
		if err := chore(ctx, user); fault.Is(err, fault.Retry) {
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

// chore is what a task does that runs nothing; nil for every other trigger.
func (a *App) chore(trigger string) func(ctx context.Context, user string) error {
	switch trigger {
	case triggerChannels:
		return a.tend
	case triggerErase:
		return a.eraseRest
	}
	return nil
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
		// What a former version wrote after an erasure would be due for ever, and so would what an erasure left that was cut off.
		err = errors.Join(err, a.eraseRest(ctx, user))
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
	if chore := a.chore(t.Trigger); chore != nil {
		err := chore(ctx, t.User)
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
