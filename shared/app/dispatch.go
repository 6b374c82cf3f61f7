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
	"github.com/tandem-sync/tandem/shared/web"
)

// overdue is when a user's task is queued anew.
const overdue = 30 * time.Minute

// What is put into a queue at once, and how many failures mean that the queue itself fails, and not some users' tasks.
const (
	handers   = 16
	tolerated = 20
)

// place is how far the work of a tick has come. Every request of a tick, and every delivery of one, reckons with the
// tick's time, whatever the clock of its own instance says: their tasks have the same names.
type place struct {
	// tick is when the tick came, and until who is due by then is its concern.
	tick, until time.Time
	// after is the last user who was handed over; zero at the beginning.
	after store.Due
}

// migrating is how long a tick may work on migrations.
const migrating = 20 * time.Second

// dispatch hands due users to the queue. A tick also goes on with migrations: nobody waits for it.
func (a *App) dispatch(ctx context.Context, t record.Type, from string) (web.Dispatched, error) {
	out, err := a.handOverPage(ctx, t, from)
	if from == "" {
		if err := a.migrator.Advance(ctx, a.now().Add(migrating)); err != nil {
			level := slog.LevelError
			if fault.Is(err, fault.Retry) {
				level = slog.LevelWarn
			}
			a.logger.Log(ctx, level, "a migration stopped and is repeated", "kind", fault.KindOf(err).String(), "error", err.Error())
		}
	}
	return out, err
}

// handOverPage hands one page of the due users to the queue, longest due first, and the place of the next one. Who could
// not be handed over is due still: the request fails, and is repeated by who made it.
func (a *App) handOverPage(ctx context.Context, t record.Type, from string) (web.Dispatched, error) {
	p, err := parsePlace(from)
	if err != nil {
		return web.Dispatched{}, err
	}
	if from == "" {
		early, follow := a.follower.tick(ctx, t)
		// Who is due comes first, whatever the job is like.
		defer follow()
		p.tick = a.now().UTC().Truncate(time.Microsecond)
		p.until = p.tick.Add(early)
	}
	users, err := a.store.Due(ctx, t, p.until, p.after, a.page)
	if err != nil {
		return web.Dispatched{}, fmt.Errorf("find who is due: %w", err)
	}
	if from == "" {
		a.telemetry.Overdue(ctx, string(t), longestDue(users, p.tick))
	}
	out := web.Dispatched{Due: len(users)}
	if out.Queued, err = a.handOver(ctx, t, p.tick, users); err != nil {
		err = fmt.Errorf("queue due users: %w", err)
	}
	if len(users) < a.page {
		return out, err
	}
	next := place{p.tick, p.until, users[len(users)-1]}
	if _, failed := a.queue.Add(ctx, next.task(t)); failed != nil {
		return out, errors.Join(err, fmt.Errorf("queue the next page: %w", failed))
	}
	out.Continued = true
	return out, err
}

// handOver queues users. One whose task fails stops no other, unless the queue takes none at all.
func (a *App) handOver(ctx context.Context, t record.Type, tick time.Time, users []store.Due) (queued int, err error) {
	var mu sync.Mutex
	failed := 0
	var g errgroup.Group
	g.SetLimit(handers)
	if a.inline != nil {
		// Adding takes no time there, and what is added first runs first.
		g.SetLimit(1)
	}
	for _, d := range users {
		mu.Lock()
		broken := failed >= tolerated
		mu.Unlock()
		if broken {
			break
		}
		g.Go(func() error {
			added, failure := a.queue.Add(ctx, queue.Task{
				Name: queue.Name(d.User, t, slot(d.At, tick)), Type: t, User: d.User, Trigger: syncer.TriggerSchedule,
			})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case added:
				queued++
			case failure != nil && fault.KindOf(failure) == fault.Bug:
				// Repeating the request would change nothing, and nobody else is concerned.
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

// longestDue is how long the user who waits longest has been due.
func longestDue(users []store.Due, now time.Time) (late time.Duration) {
	for _, d := range users {
		late = max(late, now.Sub(d.At))
	}
	return late
}

// slot names the task of a user who is due. A user who is due for long, because a run died, gets a new name from time to
// time: a queue remembers names longer than tasks.
func slot(at, now time.Time) time.Time {
	if now.Sub(at) > overdue {
		return now.Truncate(overdue)
	}
	return at
}

// comeBack queues a user whose scheduled window found the lease taken, for when that lease ends. The run that holds it may
// be dead, and the name of the user's task is used up: the next tick would not bring the user back.
func (a *App) comeBack(ctx context.Context, t record.Type, user string) error {
	d, err := a.store.User(user).Sync(ctx, t)
	if err != nil || d.Due.IsZero() || d.Due.After(a.now().Add(d.Interval()/2)) {
		// A run that ended meanwhile has made the user due much later.
		return err
	}
	lease := fmt.Sprintf("%s %d %s", user, d.Lease.Fence, d.Lease.Expires)
	_, err = a.queue.Add(ctx, queue.Task{
		Name: queue.Name(lease, t, d.Due), Type: t, User: user, Trigger: syncer.TriggerSchedule, NotBefore: d.Lease.Expires,
	})
	return err
}

// task is the request that goes on from here. Deliveries of one tick come within the minute, and stop at the same users.
func (p place) task(t record.Type) queue.Task {
	from := fmt.Sprintf("after %s %d", p.after.User, p.after.At.UnixMicro())
	return queue.Task{
		Name: queue.Name(from, t, p.tick.Truncate(time.Minute)), Type: t, After: p.String(), Trigger: syncer.TriggerSchedule,
	}
}

// written is a place as it travels: times in microseconds, as the store keeps them.
type written struct {
	Tick  int64  `json:"tick"`
	Until int64  `json:"until"`
	At    int64  `json:"at"`
	User  string `json:"user"`
}

func (p place) String() string {
	text, _ := json.Marshal(written{p.tick.UnixMicro(), p.until.UnixMicro(), p.after.At.UnixMicro(), p.after.User}) // numbers and a text never fail
	return base64.RawURLEncoding.EncodeToString(text)
}

// userID is the form of a user's id.
var userID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,512}$`)

// parsePlace reads what String wrote; nothing is the beginning.
func parsePlace(text string) (place, error) {
	if text == "" {
		return place{}, nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	var w written
	if err == nil {
		err = json.Unmarshal(raw, &w)
	}
	if err != nil || w.Tick <= 0 || w.Until <= 0 || w.At <= 0 || !userID.MatchString(w.User) || strings.HasPrefix(w.User, "__") {
		return place{}, web.ErrNoPlace
	}
	return place{time.UnixMicro(w.Tick).UTC(), time.UnixMicro(w.Until).UTC(), store.Due{User: w.User, At: time.UnixMicro(w.At).UTC()}}, nil
}
