package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/queue"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/schedule"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
	"github.com/tandem-sync/tandem/shared/tick"
)

// follower adjusts the jobs of Cloud Scheduler to the settings: a type's job runs as often as the shortest interval in
// use. It is paused while no sync is scheduled, or while an administrator has paused it.
//
// After a change of settings, follow reads the shortest interval, sets the job and reads the interval again, until it has
// set the interval that it reads. So if several calls run at once, the last one to set the job has seen every earlier
// change. If a process dies before the second read, the job may be wrong for a while. A job that runs too often or too
// seldom is corrected at its next tick. A paused job has no tick; the next user who signs in, saves or synchronizes
// manually corrects it.
type follower struct {
	// jobs is nil if no scheduler is configured; then the follower does nothing.
	jobs   *schedule.Jobs
	store  store.Store
	now    func() time.Time
	logger *slog.Logger

	mu   sync.Mutex
	last map[record.Type]followed
}

// followed is the interval that this process last set for a job, and when.
type followed struct {
	interval time.Duration
	at       time.Time
}

const (
	// saveTime is how long a user waits for the job at most. A job that could not be set is corrected later.
	saveTime = 5 * time.Second
	// tickTime is how long a tick may spend on setting the job.
	tickTime = 30 * time.Second
	// maxRounds is how often a job is set again because the interval changed meanwhile.
	maxRounds = 5
	// recheckAfter is how long a tick assumes that the job is as this process set it. Meanwhile another instance may
	// have changed it, but not paused it, because a paused job has no ticks.
	recheckAfter = 10 * time.Minute
)

// interval is the interval that the job of a type has to serve; zero if the job has to be paused.
func (f *follower) interval(ctx context.Context, t record.Type) (time.Duration, error) {
	decided, err := f.store.Schedule(ctx, t)
	if err != nil || !decided.Paused.IsZero() {
		return 0, err
	}
	return f.store.Shortest(ctx, t)
}

// follow sets the job of a type to its interval, or pauses it, and returns the interval.
func (f *follower) follow(ctx context.Context, t record.Type) (time.Duration, error) {
	interval, err := f.interval(ctx, t)
	for range maxRounds {
		if err != nil {
			return 0, fmt.Errorf("read the interval of the job: %w", err)
		}
		if err := f.jobs.Follow(ctx, t, interval); err != nil {
			return 0, err
		}
		set := interval
		if interval, err = f.interval(ctx, t); err == nil && interval == set {
			f.record(t, interval)
			return interval, nil
		}
	}
	return 0, errors.Join(err, fault.Errorf(fault.Retry, "schedule", "unsettled", "follow: the settings keep changing"))
}

func (f *follower) record(t record.Type, interval time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last[t] = followed{interval, f.now()}
}

// setLately reports whether this process has set a job not long ago.
func (f *follower) setLately(t record.Type) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	last, known := f.last[t]
	return known && f.now().Sub(last.at) < recheckAfter
}

// saved adjusts the job after a user's change was stored, and returns its interval. A failure is logged only: the change
// itself is valid.
func (f *follower) saved(ctx context.Context, t record.Type) (interval time.Duration) {
	if f.jobs == nil {
		return 0
	}
	// A browser that disconnects must not leave the job half set.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTime)
	defer cancel()
	interval, err := f.follow(ctx, t)
	f.note(ctx, t, err)
	return interval
}

// tick is called at every tick of the job. It returns how long before its due time a window may begin, and a function
// that adjusts the job to what changed since the last tick: runs that failed permanently, and changes after which saved
// could not set the job.
func (f *follower) tick(ctx context.Context, t record.Type) (early time.Duration, follow func()) {
	if f.jobs == nil {
		return f.margin(0), func() {}
	}
	interval, err := f.interval(ctx, t)
	if err != nil {
		f.note(ctx, t, err)
		return f.margin(0), func() {}
	}
	return f.margin(interval), func() {
		f.mu.Lock()
		last, known := f.last[t]
		f.mu.Unlock()
		if known && last.interval == interval && f.now().Sub(last.at) < recheckAfter {
			return
		}
		ctx, cancel := context.WithTimeout(ctx, tickTime)
		defer cancel()
		_, err := f.follow(ctx, t)
		f.note(ctx, t, err)
	}
}

// margin is half of the time between two ticks of a job with that interval. So a user is synchronized at the tick nearest
// to the due time, and a tick that arrives a second early does not delay every user until the next one. Without a
// configured scheduler there is a tick every minute.
func (f *follower) margin(interval time.Duration) time.Duration {
	if f.jobs == nil {
		interval = 0
	}
	return tick.Period(interval) / 2
}

// note logs why a job could not be set.
func (f *follower) note(ctx context.Context, t record.Type, err error) {
	if err == nil {
		return
	}
	level, kind := slog.LevelWarn, fault.KindOf(err)
	if kind == fault.Misconfigured || kind == fault.Bug {
		level = slog.LevelError
	}
	f.logger.Log(ctx, level, "the job does not follow the settings", "type", string(t), "kind", kind.String(), "error", err.Error())
}

// afterSave has the job follow what a user saved. Whoever saves the same again may do so because the first attempt was cut off before that.
func (a *App) afterSave(ctx context.Context, user string, before, after store.Sync) {
	switch {
	case before.Interval() != after.Interval(), !before.Due.Equal(after.Due):
		a.rescheduled(ctx, user, after.Type, after.Due)
	case after.Settings.Automatic && !a.follower.setLately(after.Type):
		a.follower.saved(ctx, after.Type)
	}
}

// rescheduled is called when a user's due time has changed. It adjusts the job, and queues a user who is already due: the
// job may run only once a day.
func (a *App) rescheduled(ctx context.Context, user string, t record.Type, due time.Time) {
	interval := a.follower.saved(ctx, t)
	now := a.now().UTC()
	if interval <= time.Minute || due.IsZero() || due.After(now) {
		return
	}
	_, err := a.queue.Add(ctx, queue.Task{
		Name: queue.Name(user, t, tick.Slot(due, now)), Type: t, User: user, Trigger: syncer.TriggerSchedule,
	})
	if err != nil {
		a.logger.WarnContext(ctx, "a user who is due waits for the next tick", "type", string(t), "error", err.Error())
	}
}
