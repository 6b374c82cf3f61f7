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
)

// follower has the jobs of Cloud Scheduler follow the settings: a type's job runs as often as the shortest interval in
// use, and rests while nobody's sync is due some time, or while an administrator wants it to.
//
// Who changed what the job follows reads it, sets the job, and reads it again until what was set is what is to be. So of
// several who do that at once, the last to set the job has seen every change that was made before, and nothing old
// stays. Had it died before the second reading, a job that runs too often or too seldom is mended by its next tick; one that
// rests has no tick, and is mended by the next who signs in, saves or synchronizes by hand.
type follower struct {
	// jobs is nil where no scheduler is configured; nothing is followed then.
	jobs   *schedule.Jobs
	store  store.Store
	now    func() time.Time
	logger *slog.Logger

	mu   sync.Mutex
	last map[record.Type]followed
}

// followed is what this process last saw a job follow, and when.
type followed struct {
	pace time.Duration
	at   time.Time
}

const (
	// saveTime is how long a user waits for the job at most; it is mended later.
	saveTime = 5 * time.Second
	// tickTime is how long a call of the job goes on for the job itself.
	tickTime = 30 * time.Second
	// settleRounds is how often a job is set anew while what it follows keeps changing.
	settleRounds = 5
	// trusted is how long a process takes the job to be as it left it, while the job calls: it may have been changed by
	// somebody else, but not paused.
	trusted = 10 * time.Minute
)

// pace is the interval that the job of a type has to serve; zero where it has to rest.
func (f *follower) pace(ctx context.Context, t record.Type) (time.Duration, error) {
	decided, err := f.store.Schedule(ctx, t)
	if err != nil || !decided.Paused.IsZero() {
		return 0, err
	}
	return f.store.Shortest(ctx, t)
}

// follow brings the job of a type to where it has to be, and tells its pace.
func (f *follower) follow(ctx context.Context, t record.Type) (time.Duration, error) {
	pace, err := f.pace(ctx, t)
	for range settleRounds {
		if err != nil {
			return 0, fmt.Errorf("find the pace of the job: %w", err)
		}
		if err := f.jobs.Follow(ctx, t, pace); err != nil {
			return 0, err
		}
		set := pace
		if pace, err = f.pace(ctx, t); err == nil && pace == set {
			f.remember(t, pace)
			return pace, nil
		}
	}
	return 0, errors.Join(err, fault.Errorf(fault.Retry, "schedule", "unsettled", "follow: the settings keep changing"))
}

func (f *follower) remember(t record.Type, pace time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last[t] = followed{pace, f.now()}
}

// saved follows what a user changed. The user's change stands whatever becomes of the job.
func (f *follower) saved(ctx context.Context, t record.Type) (pace time.Duration) {
	if f.jobs == nil {
		return 0
	}
	// A browser that goes away must not leave the job half set.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTime)
	defer cancel()
	pace, err := f.follow(ctx, t)
	f.note(ctx, t, err)
	return pace
}

// tick is for a call of the job. It tells how long before its time a window may begin, and gives what has the job follow
// what changed since its last call, as by runs that ended for good, and mends what a save could not.
func (f *follower) tick(ctx context.Context, t record.Type) (early time.Duration, follow func()) {
	if f.jobs == nil {
		return f.margin(0), func() {}
	}
	pace, err := f.pace(ctx, t)
	if err != nil {
		f.note(ctx, t, err)
		return f.margin(0), func() {}
	}
	return f.margin(pace), func() {
		f.mu.Lock()
		last, known := f.last[t]
		f.mu.Unlock()
		if known && last.pace == pace && f.now().Sub(last.at) < trusted {
			return
		}
		ctx, cancel := context.WithTimeout(ctx, tickTime)
		defer cancel()
		_, err := f.follow(ctx, t)
		f.note(ctx, t, err)
	}
}

// margin is half of the time between two calls of a job with that pace: a user is taken at the call that is nearest to
// when it is due, and a call that comes a second too soon does not put everybody off to the next. What calls where no
// scheduler is configured comes every minute.
func (f *follower) margin(pace time.Duration) time.Duration {
	if f.jobs == nil {
		pace = 0
	}
	return schedule.Period(pace) / 2
}

// note logs why a job does not follow.
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

// rescheduled does what follows from a user's other due time: the job follows, and who is due already does not wait for a
// job that may come once a day.
func (a *App) rescheduled(ctx context.Context, user string, t record.Type, due time.Time) {
	pace := a.follower.saved(ctx, t)
	now := a.now().UTC()
	if pace <= time.Minute || due.IsZero() || due.After(now) {
		return
	}
	_, err := a.queue.Add(ctx, queue.Task{
		Name: queue.Name(user, t, slot(due, now)), Type: t, User: user, Trigger: syncer.TriggerSchedule,
	})
	if err != nil {
		a.logger.WarnContext(ctx, "a user who is due waits for the next tick", "type", string(t), "error", err.Error())
	}
}
