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
	// remember is how long a name stays taken after its task ended: longer than a tick is delivered twice.
	remember = 10 * time.Minute
	// attempts is how often a task is tried that fails with a fault of kind Retry.
	attempts = 6
	// firstWait is the distance after the first failure; each one after is twice as long, up to maxWait.
	firstWait = 5 * time.Second
	maxWait   = 5 * time.Minute
)

// Inline runs tasks in this process, a few at a time, and one at a time for a user and a sync type, in the order in
// which they were added or became due. It may be used from many goroutines.
type Inline struct {
	work   func(context.Context, Task) error
	logger *slog.Logger
	now    func() time.Time

	// base is the context of the work; cancel cuts it off.
	base   context.Context
	cancel context.CancelFunc

	mu sync.Mutex
	// running is how many tasks run now, workers how many may.
	running, workers int
	closed           bool
	// ready are the tasks that may run now, first one first.
	ready []try
	// later are the timers of tasks that wait for their time: for NotBefore, or to be tried again; by name.
	later map[string]*time.Timer
	// working are the users and types of tasks that began and did not end: those that wait to be tried again too.
	working map[lane]bool
	// taken are the names of tasks that wait or run, and of those that ended a short time ago.
	taken map[string]bool
	// ended are the names to forget, by time.
	ended []past
	// changed is closed, and made anew, when a task ends.
	changed chan struct{}
}

var _ Queue = (*Inline)(nil)

// try is an attempt at a task, from 1. From the second on the task holds its lane already.
type try struct {
	Task
	attempt int
	// trace is the trace of who added the task.
	trace string
}

// lane is what runs one task at a time.
type lane struct {
	user string
	kind record.Type
}

type past struct {
	name string
	at   time.Time
}

func laneOf(t Task) lane { return lane{t.User, t.Type} }

// NewInline makes a queue that runs at most so many tasks at once. work gets a context that carries the values of ctx
// and ends when ctx does, or when Close gives up waiting; it is tried again where its error is a fault of kind Retry,
// at growing distances and never before fault.After. When ctx ends the queue takes and starts no more tasks.
func NewInline(ctx context.Context, workers int, work func(context.Context, Task) error, logger *slog.Logger, now func() time.Time) *Inline {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	if now == nil {
		now = time.Now
	}
	q := &Inline{
		work: work, logger: logger, now: now, workers: max(workers, 1),
		later: map[string]*time.Timer{}, working: map[lane]bool{}, taken: map[string]bool{},
		changed: make(chan struct{}),
	}
	q.base, q.cancel = context.WithCancel(ctx)
	context.AfterFunc(q.base, q.stop)
	return q
}

// Add takes a task; it does not wait for it. Names are remembered for ten minutes after their task ended. Once the
// queue is closed, the error is of kind Retry.
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
	if q.taken[t.Name] {
		return false, nil
	}
	q.taken[t.Name] = true
	first := try{Task: t, attempt: 1, trace: observe.Traceparent(ctx)}
	if wait := t.NotBefore.Sub(now); wait > 0 {
		q.delay(wait, first)
		return true, nil
	}
	q.ready = append(q.ready, first)
	q.start()
	return true, nil
}

// stopping tells that no task may begin any more. q.mu is held.
func (q *Inline) stopping() bool { return q.closed || q.base.Err() != nil }

// forget drops the names of tasks that ended long ago. They stand in the order of their end.
func (q *Inline) forget(now time.Time) {
	n := 0
	for n < len(q.ended) && now.Sub(q.ended[n].at) >= remember {
		delete(q.taken, q.ended[n].name)
		n++
	}
	q.ended = slices.Delete(q.ended, 0, n)
}

// delay makes a task ready after some time; one that was tried before comes first then. q.mu is held.
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

// start begins every task that may run: the first ones whose user and type are free. q.mu is held.
func (q *Inline) start() {
	for q.running < q.workers && !q.stopping() {
		i := slices.IndexFunc(q.ready, func(t try) bool { return t.attempt > 1 || !q.working[laneOf(t.Task)] })
		if i < 0 {
			return
		}
		t := q.ready[i]
		q.ready = slices.Delete(q.ready, i, i+1)
		q.working[laneOf(t.Task)] = true
		q.running++
		go q.run(t)
	}
}

// run makes one attempt, in a goroutine of its own, and settles what follows from it.
func (q *Inline) run(t try) {
	ctx := observe.With(observe.Continue(q.base, t.trace), slog.String("type", string(t.Type)))
	if t.User != "" {
		ctx = observe.With(ctx, slog.String("user", observe.User(t.User)))
	}
	if t.Run != "" {
		ctx = observe.With(ctx, slog.String("run", t.Run))
	}
	err := q.attempt(ctx, t.Task)
	again := fault.Is(err, fault.Retry) && t.attempt < attempts && q.base.Err() == nil
	wait := max(distance(t.attempt), fault.After(err))
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

// attempt does the work once. A panic in it is a bug of the work, and no reason to stop everybody else's.
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

// distance is how long to wait after so many attempts. It varies by a fifth, so that users who failed together do not
// come again together.
func distance(attempt int) time.Duration {
	wait := min(firstWait<<(attempt-1), maxWait)
	return wait + rand.N(wait/5)
}

// end frees the task's user and type and begins to forget its name. q.mu is held.
func (q *Inline) end(t Task) {
	delete(q.working, laneOf(t))
	q.ended = append(q.ended, past{t.Name, q.now()})
	q.tell()
}

// tell wakes who waits. q.mu is held.
func (q *Inline) tell() {
	close(q.changed)
	q.changed = make(chan struct{})
}

func (q *Inline) log(ctx context.Context, level slog.Level, message string, t try, err error, more ...slog.Attr) {
	q.logger.LogAttrs(ctx, level, message, append(more, slog.String("task", t.Name), slog.String("trigger", t.Trigger),
		slog.Int("attempt", t.attempt), slog.String("kind", fault.KindOf(err).String()), slog.Any("error", err))...)
}

// Wait returns when no task runs, is ready to run or waits to be tried again. It does not wait for tasks whose
// NotBefore is to come. An error is of kind Retry: ctx ended before.
func (q *Inline) Wait(ctx context.Context) error {
	return q.until(ctx, "wait for tasks", func() bool { return q.running == 0 && len(q.working) == 0 && len(q.ready) == 0 })
}

// Close takes no more tasks, drops those that do not run yet, and waits for those that do. When ctx ends before, it
// cuts them off, by their context, and returns an error of kind Retry.
func (q *Inline) Close(ctx context.Context) error {
	q.stop()
	err := q.until(ctx, "close queue", func() bool { return q.running == 0 })
	q.cancel()
	return err
}

// until waits until done, which is asked with q.mu held.
func (q *Inline) until(ctx context.Context, op string, done func() bool) error {
	for {
		q.mu.Lock()
		settled, changed := done(), q.changed
		q.mu.Unlock()
		if settled {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fault.Errorf(fault.Retry, side, "cancelled", "%s: %w", op, context.Cause(ctx))
		}
	}
}

// stop drops every task that does not run.
func (q *Inline) stop() {
	if dropped := q.drop(); dropped > 0 {
		q.logger.LogAttrs(q.base, slog.LevelInfo, "queue closed before all tasks ran", slog.Int("dropped", dropped))
	}
}

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
	clear(q.working)
	q.tell()
	return dropped
}
