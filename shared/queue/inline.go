package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/observe"
	"github.com/tandem-sync/tandem/shared/record"
)

const (
	// nameRetention is how long a name stays in use after its task ended: longer than the time between two deliveries of
	// one tick.
	nameRetention = 10 * time.Minute
	// maxAttempts is how often a task runs that fails with a fault of kind Retry.
	maxAttempts = 6
	// firstBackoff is the delay after the first failure; each next one is twice as long, up to maxBackoff.
	firstBackoff = 5 * time.Second
	maxBackoff   = 5 * time.Minute
	// abortTime is how long a task whose context was cancelled may take to end.
	abortTime = 1500 * time.Millisecond
)

// Inline runs tasks in this process, in the order in which they were added or became due: several at a time, but only one
// at a time per user and sync type. It is safe for concurrent use.
type Inline struct {
	work   func(context.Context, Task) error
	logger *slog.Logger
	now    func() time.Time

	// base is the context of running tasks; cancel ends it.
	base   context.Context
	cancel context.CancelFunc

	mu sync.Mutex
	// running is how many tasks run now, workers how many may run at once.
	running, workers int
	closed           bool
	// ready are the tasks that may run now, in their order.
	ready []try
	// later holds by task name the timers of tasks that wait for NotBefore or for their next attempt.
	later map[string]*time.Timer
	// busy are the lanes whose task began and has not ended; a task that waits for its next attempt has not ended.
	busy map[lane]bool
	// names are the names in use: of tasks that wait or run, and of tasks that ended a short time ago.
	names map[string]bool
	// ended are the tasks that ended a short time ago, in the order of their end.
	ended []endedTask
	// changed is closed and replaced whenever a task ends.
	changed chan struct{}
}

var _ Queue = (*Inline)(nil)

// try is an attempt at a task, counted from 1. From the second attempt on the task occupies its lane already.
type try struct {
	Task
	attempt int
	// trace is the trace of the caller of Add.
	trace string
}

// lane is a user and a sync type. One task of a lane runs at a time.
type lane struct {
	user string
	kind record.Type
}

type endedTask struct {
	name string
	at   time.Time
}

func laneOf(t Task) lane { return lane{t.User, t.Type} }

// NewInline returns a queue that runs up to the given number of tasks at once. The context of work carries the values of
// ctx; it ends when ctx ends, or when Close stops waiting. If work returns a fault of kind Retry, it is retried with
// exponential backoff, never before fault.After. After ctx has ended the queue accepts and starts no more tasks.
func NewInline(ctx context.Context, workers int, work func(context.Context, Task) error, logger *slog.Logger, now func() time.Time) *Inline {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	if now == nil {
		now = time.Now
	}
	q := &Inline{
		work: work, logger: logger, now: now, workers: max(workers, 1),
		later: map[string]*time.Timer{}, busy: map[lane]bool{}, names: map[string]bool{},
		changed: make(chan struct{}),
	}
	q.base, q.cancel = context.WithCancel(ctx)
	context.AfterFunc(q.base, q.stop)
	return q
}

// Add adds a task and does not wait for it. A name stays in use for ten minutes after its task ended. If the queue is
// closed, the error is of kind Retry.
func (q *Inline) Add(ctx context.Context, t Task) (bool, error) {
	if err := t.check(); err != nil {
		return false, err
	}
	if err := ctx.Err(); err != nil {
		return false, fault.Errorf(fault.Retry, side, "cancelled", "add task: %w", err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stopping() {
		return false, fault.New(fault.Retry, side, "closed", errors.New("add task: the queue is closed"))
	}
	now := q.now()
	q.forget(now)
	if q.names[t.Name] {
		return false, nil
	}
	q.names[t.Name] = true
	first := try{Task: t, attempt: 1, trace: observe.Traceparent(ctx)}
	if wait := t.NotBefore.Sub(now); wait > 0 {
		q.delay(wait, first)
		return true, nil
	}
	q.ready = append(q.ready, first)
	q.start()
	return true, nil
}

// stopping reports whether no further task may begin. q.mu is held.
func (q *Inline) stopping() bool { return q.closed || q.base.Err() != nil }

// forget releases the names of tasks that ended more than nameRetention ago.
func (q *Inline) forget(now time.Time) {
	n := 0
	for n < len(q.ended) && now.Sub(q.ended[n].at) >= nameRetention {
		delete(q.names, q.ended[n].name)
		n++
	}
	q.ended = slices.Delete(q.ended, 0, n)
}

// delay makes a task ready after the given time. A retry goes to the front of the ready tasks. q.mu is held.
func (q *Inline) delay(wait time.Duration, t try) {
	q.later[t.Name] = time.AfterFunc(wait, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.closed {
			return
		}
		delete(q.later, t.Name)
		if t.attempt > 1 {
			q.ready = slices.Insert(q.ready, 0, t)
		} else {
			q.ready = append(q.ready, t)
		}
		q.start()
	})
}

// start starts the first ready tasks whose lane is free, as long as there are free workers. q.mu is held.
func (q *Inline) start() {
	for q.running < q.workers && !q.stopping() {
		i := slices.IndexFunc(q.ready, func(t try) bool { return t.attempt > 1 || !q.busy[laneOf(t.Task)] })
		if i < 0 {
			return
		}
		t := q.ready[i]
		q.ready = slices.Delete(q.ready, i, i+1)
		q.busy[laneOf(t.Task)] = true
		q.running++
		go q.run(t)
	}
}

// run makes one attempt, in a goroutine of its own, then ends the task or schedules its next attempt.
func (q *Inline) run(t try) {
	ctx := observe.With(observe.Continue(q.base, t.trace), slog.String("type", string(t.Type)))
	if t.User != "" {
		ctx = observe.With(ctx, slog.String("user", observe.User(t.User)))
	}
	if t.Run != "" {
		ctx = observe.With(ctx, slog.String("run", t.Run))
	}
	err := q.attempt(ctx, t.Task)
	again := fault.Is(err, fault.Retry) && t.attempt < maxAttempts && q.base.Err() == nil
	wait := max(backoff(t.attempt), fault.After(err))
	switch {
	case again:
		q.log(ctx, slog.LevelWarn, "task failed and is tried again", t, err, slog.Duration("wait", wait))
	case err != nil:
		q.log(ctx, slog.LevelError, "task failed", t, err)
	}

	q.mu.Lock()
	defer q.mu.Unlock()
	q.running--
	if again && !q.stopping() {
		t.attempt++
		q.delay(wait, t)
	} else {
		q.end(t.Task)
	}
	q.start()
}

// attempt does the work once. A panic is a bug of this task and does not stop the tasks of other users.
func (q *Inline) attempt(ctx context.Context, t Task) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			q.logger.LogAttrs(ctx, observe.LevelCritical, "panic in a task",
				slog.String("panic", fmt.Sprint(cause)), slog.String("stack_trace", fmt.Sprintf("panic: %v\n\n%s", cause, debug.Stack())))
			err = fault.Errorf(fault.Bug, side, "panic", "run task: panic: %v", cause)
		}
	}()
	return q.work(ctx, t)
}

// backoff is the delay after the given number of attempts. It varies by a fifth, so that tasks that failed together are
// not retried together.
func backoff(attempt int) time.Duration {
	wait := min(firstBackoff<<(attempt-1), maxBackoff)
	return wait + rand.N(wait/5)
}

// end frees the task's lane and starts the retention of its name. q.mu is held.
func (q *Inline) end(t Task) {
	delete(q.busy, laneOf(t))
	q.ended = append(q.ended, endedTask{t.Name, q.now()})
	q.wake()
}

// wake wakes the goroutines that wait in until. q.mu is held.
func (q *Inline) wake() {
	close(q.changed)
	q.changed = make(chan struct{})
}

func (q *Inline) log(ctx context.Context, level slog.Level, message string, t try, err error, more ...slog.Attr) {
	q.logger.LogAttrs(ctx, level, message, append(more, slog.String("task", t.Name), slog.String("trigger", t.Trigger),
		slog.Int("attempt", t.attempt), slog.String("kind", fault.KindOf(err).String()), slog.Any("error", err))...)
}

// Wait returns when no task runs, is ready to run or waits for its next attempt. It does not wait for tasks whose
// NotBefore is in the future. If ctx ends before, the error is of kind Retry.
func (q *Inline) Wait(ctx context.Context) error {
	return q.until(ctx, "wait for tasks", func() bool { return q.running == 0 && len(q.busy) == 0 && len(q.ready) == 0 })
}

// Close stops accepting tasks, drops those that do not run, and waits for those that run. If ctx ends before, Close
// cancels their context, gives them abortTime to write down how far they came, and returns an error of kind Retry if they are
// not done by then.
func (q *Inline) Close(ctx context.Context) error {
	q.stop()
	idle := func() bool { return q.running == 0 }
	err := q.until(ctx, "close queue", idle)
	q.cancel()
	if err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTime)
		defer cancel()
		err = q.until(ctx, "close queue", idle)
	}
	return err
}

// until waits until done returns true. It calls done with q.mu held.
func (q *Inline) until(ctx context.Context, op string, done func() bool) error {
	for {
		q.mu.Lock()
		finished, changed := done(), q.changed
		q.mu.Unlock()
		if finished {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fault.Errorf(fault.Retry, side, "cancelled", "%s: %w", op, context.Cause(ctx))
		}
	}
}

// stop closes the queue and logs how many tasks it dropped.
func (q *Inline) stop() {
	if dropped := q.drop(); dropped > 0 {
		q.logger.LogAttrs(q.base, slog.LevelInfo, "queue closed before all tasks ran", slog.Int("dropped", dropped))
	}
}

// drop closes the queue, drops every task that does not run and returns their number.
func (q *Inline) drop() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return 0
	}
	q.closed = true
	dropped := len(q.ready) + len(q.later)
	for _, timer := range q.later {
		timer.Stop()
	}
	q.ready, q.later = nil, nil
	clear(q.busy)
	q.wake()
	return dropped
}
