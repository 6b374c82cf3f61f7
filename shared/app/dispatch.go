package app

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/observe"
	"github.com/tandem-sync/tandem/shared/queue"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
	"github.com/tandem-sync/tandem/shared/tick"
	"github.com/tandem-sync/tandem/shared/web"
)

const (
	// parallelAdds is how many tasks are added to the queue at the same time.
	parallelAdds = 16
	// maxFailures is the number of failures after which the queue itself counts as failing.
	maxFailures = 20
)

// cursor is how far a tick has queued its due users. Every request of a tick, and every delivery of a request, uses the
// time in the cursor and not the clock of its own instance, so that the names of their tasks are the same.
type cursor struct {
	// tick is the time of the tick. The tick queues the users who are due by until.
	tick, until time.Time
	// after is the last user who was queued; zero at the beginning.
	after store.Due
}

// migrationTime is how long a tick may work on migrations.
const migrationTime = 20 * time.Second

// dispatch queues due users. A tick also continues migrations, because no user waits for a tick.
func (a *App) dispatch(ctx context.Context, t record.Type, from string) (web.Dispatched, error) {
	out, err := a.queuePage(ctx, t, from)
	if from == "" {
		a.remind(ctx, t)
		if err := a.sweepBarred(ctx); err != nil {
			a.logger.WarnContext(ctx, "users who may not use Tandem any more could not be looked for", "error", err.Error())
		}
		if err := a.migrator.Advance(ctx, a.now().Add(migrationTime)); err != nil {
			level := slog.LevelError
			if fault.Is(err, fault.Retry) {
				level = slog.LevelWarn
			}
			a.logger.Log(ctx, level, "a migration stopped and will be retried", "kind", fault.KindOf(err).String(), "error", err.Error())
		}
	}
	return out, err
}

// queuePage queues one page of the due users, those who have been due longest first, and a task for the next page. If a
// user cannot be queued, the request fails and its caller retries it; the user is still due.
func (a *App) queuePage(ctx context.Context, t record.Type, from string) (web.Dispatched, error) {
	p, err := parseCursor(from)
	if err != nil {
		return web.Dispatched{}, err
	}
	if from == "" {
		early, follow := a.follower.tick(ctx, t)
		// Due users are queued before the job is adjusted.
		defer follow()
		if t == a.channels.Type {
			defer func() { a.queueChannels(ctx, p.tick) }()
		}
		p.tick = a.now().UTC().Truncate(time.Microsecond)
		p.until = p.tick.Add(early)
	}
	users, err := a.store.Due(ctx, t, p.until, p.after, a.page)
	if err != nil {
		return web.Dispatched{}, fmt.Errorf("find due users: %w", err)
	}
	if from == "" {
		a.telemetry.Overdue(ctx, string(t), longestDue(users, p.tick))
	}
	out := web.Dispatched{Due: len(users)}
	if out.Queued, err = a.queueUsers(ctx, t, p.tick, users); err != nil {
		err = fmt.Errorf("queue due users: %w", err)
	}
	if len(users) < a.page {
		if from != "" && err == nil {
			a.remember(ctx, t, p, users)
		}
		return out, err
	}
	next := cursor{p.tick, p.until, users[len(users)-1]}
	if err == nil && out.Queued == 0 {
		next.after = a.remembered(ctx, t, next.after)
	}
	if _, failed := a.queue.Add(ctx, next.task(t)); failed != nil {
		return out, errors.Join(err, fmt.Errorf("queue the next page: %w", failed))
	}
	out.Continued = true
	return out, err
}

// behind is how far before a tick a remembered place is at least: users may become due with a time that is a little past, by the
// clock of another instance.
const behind = time.Minute

// remember keeps the place up to which a tick has queued a list of several pages. Most of the next tick's list is the same, as
// long as runs are slower than ticks. A failure costs the next tick some reads.
func (a *App) remember(ctx context.Context, t record.Type, p cursor, users []store.Due) {
	place := p.after
	for _, d := range users {
		if d.At.After(p.tick.Add(-behind)) {
			break
		}
		place = d
	}
	if place.At.After(p.tick.Add(-behind)) {
		return
	}
	err := a.store.PutSchedule(ctx, store.Schedule{Type: store.PlaceOf(t), Place: store.Place(place)})
	if err != nil {
		a.logger.WarnContext(ctx, "the place of a tick could not be kept", "error", err.Error())
	}
}

// remembered is where a tick goes on after a page of whom nobody was new in the queue: at the place that an earlier tick reached,
// if that is further. Who was due in between is in the queue. A task that was lost there is added again when its user is among
// those who have been due longest, or under another name, at which the page has somebody new.
func (a *App) remembered(ctx context.Context, t record.Type, after store.Due) store.Due {
	d, err := a.store.Schedule(ctx, store.PlaceOf(t))
	if err != nil || d.Place.At.Before(after.At) || d.Place.At.Equal(after.At) && d.Place.User <= after.User {
		return after
	}
	return store.Due(d.Place)
}

// queueUsers queues users. A task that cannot be added does not stop the others, unless the queue itself fails.
func (a *App) queueUsers(ctx context.Context, t record.Type, now time.Time, users []store.Due) (queued int, err error) {
	var mu sync.Mutex
	failed := 0
	var g errgroup.Group
	g.SetLimit(parallelAdds)
	if a.inline != nil {
		// The inline queue adds at once, and runs tasks in the order in which they are added.
		g.SetLimit(1)
	}
	for _, d := range users {
		mu.Lock()
		broken := failed >= maxFailures
		mu.Unlock()
		if broken {
			break
		}
		g.Go(func() error {
			added, failure := a.queue.Add(ctx, queue.Task{
				Name: queue.Name(d.User, t, tick.Slot(d.At, now)), Type: t, User: d.User, Trigger: syncer.TriggerSchedule, Due: d.At,
			})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case added:
				queued++
			case failure != nil && fault.KindOf(failure) == fault.Bug:
				// A retry of the request would not help, and no other user is affected.
				a.logger.ErrorContext(ctx, "a due user cannot be queued", "user", observe.User(d.User), "error", failure.Error())
			case failure != nil:
				failed++
				err = failure
			}
			return nil
		})
	}
	_ = g.Wait()
	if err != nil {
		err = fmt.Errorf("%d of %d failed: %w", failed, len(users), err)
	}
	return queued, err
}

// longestDue is how long the user with the earliest due time has been due.
func longestDue(users []store.Due, now time.Time) (late time.Duration) {
	for _, d := range users {
		late = max(late, now.Sub(d.At))
	}
	return late
}

// queueAfterLease queues a user whose window found the lease held by another run, for the time at which the lease expires.
// The other run may be dead, and the next tick cannot queue the user because the name of the user's task is still in use.
// Or it may have read the calendar before the change that the window is for.
func (a *App) queueAfterLease(ctx context.Context, t record.Type, user, trigger string) error {
	d, err := a.store.User(user).Sync(ctx, t)
	ended := d.Due.IsZero() || d.Due.After(a.now().Add(d.Interval()/2))
	if err != nil || trigger == syncer.TriggerSchedule && ended {
		// The other run has ended meanwhile and set the next due time.
		return err
	}
	due, lease, at := d.Due, fmt.Sprintf("%s %d %s", user, d.Lease.Fence, d.Lease.Expires), d.Due
	if trigger == syncer.TriggerPush {
		due, lease, at = time.Time{}, "push "+lease, time.Time{}
	}
	_, err = a.queue.Add(ctx, queue.Task{
		Name: queue.Name(lease, t, at), Type: t, User: user, Trigger: trigger, Due: due, NotBefore: d.Lease.Expires,
	})
	return err
}

// task is the request for the next page. All deliveries of a tick arrive within a minute and read the same pages, so
// they make the same name.
func (c cursor) task(t record.Type) queue.Task {
	from := fmt.Sprintf("after %s %d", c.after.User, c.after.At.UnixMicro())
	return queue.Task{
		Name: queue.Name(from, t, c.tick.Truncate(time.Minute)), Type: t, After: c.String(), Trigger: syncer.TriggerSchedule,
	}
}

// cursorJSON is the encoded form of a cursor. Its times are in microseconds, the precision of the store.
type cursorJSON struct {
	Tick  int64  `json:"tick"`
	Until int64  `json:"until"`
	At    int64  `json:"at"`
	User  string `json:"user"`
}

func (c cursor) String() string {
	text, _ := json.Marshal(cursorJSON{c.tick.UnixMicro(), c.until.UnixMicro(), c.after.At.UnixMicro(), c.after.User}) // numbers and a text never fail
	return base64.RawURLEncoding.EncodeToString(text)
}

// userID is the form of a user's id.
var userID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,512}$`)

// parseCursor decodes a cursor; the empty text is the beginning.
func parseCursor(text string) (cursor, error) {
	if text == "" {
		return cursor{}, nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	var w cursorJSON
	if err == nil {
		err = json.Unmarshal(raw, &w)
	}
	if err != nil || w.Tick <= 0 || w.Until <= 0 || w.At <= 0 || !userID.MatchString(w.User) || strings.HasPrefix(w.User, "__") {
		return cursor{}, web.ErrNoPlace
	}
	return cursor{time.UnixMicro(w.Tick).UTC(), time.UnixMicro(w.Until).UTC(), store.Due{User: w.User, At: time.UnixMicro(w.At).UTC()}}, nil
}
