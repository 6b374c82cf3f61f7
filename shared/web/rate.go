package web

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// What a request costs, in units of which each user has as many as allowance, and allowancePerSecond more each second. A person
// comes nowhere near; a script that asks all the time is slowed down. Each process counts for itself, so that nothing is read
// or written to refuse a request.
const (
	allowance          = 600
	allowancePerSecond = 5

	// cheap is a request that reads or writes some documents; calling also calls a service or queues a run; heavy reads
	// everything of a user, or everything of a window from both services.
	cheap   = 1
	calling = 10
	heavy   = 40
)

// allowances count by user. Those who have all of theirs are forgotten.
type allowances struct {
	mu     sync.Mutex
	byUser map[string]*rate.Limiter
}

// maxAllowances is from how many users on those are looked for who can be forgotten.
const maxAllowances = 10_000

// spend takes the cost of a request from a user's allowance; where there is too little left, it takes nothing and returns the
// wait.
func (a *allowances) spend(user string, cost int, now time.Time) (wait time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.byUser[user]
	if l == nil {
		if len(a.byUser) >= maxAllowances {
			a.forget(now)
		}
		l = rate.NewLimiter(allowancePerSecond, allowance)
		if a.byUser == nil {
			a.byUser = map[string]*rate.Limiter{}
		}
		a.byUser[user] = l
	}
	if l.AllowN(now, cost) {
		return 0
	}
	missing := float64(cost) - l.TokensAt(now)
	return time.Duration(math.Ceil(missing/allowancePerSecond)) * time.Second
}

func (a *allowances) forget(now time.Time) {
	for user, l := range a.byUser {
		if l.TokensAt(now) >= allowance {
			delete(a.byUser, user)
		}
	}
}

const (
	// heavyAtOnce is how many heavy requests a process serves at the same time: each holds pages of contacts, which a hostile site makes as
	// large as a page may be. turnTime is how long a further one waits.
	heavyAtOnce = 3
	turnTime    = 20 * time.Second
)

// queue has as many places as heavy requests may be served at the same time.
type queue chan struct{}

func (q queue) enter(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, turnTime)
	defer cancel()
	select {
	case q <- struct{}{}:
		return nil
	case <-ctx.Done():
		r := refused(http.StatusServiceUnavailable, "busy")
		r.after, r.cause = time.Minute, fmt.Errorf("wait for a heavy request: %w", ctx.Err())
		return r
	}
}

func (q queue) leave() { <-q }

// tooMany refuses a request of a user who made too many.
func tooMany(wait time.Duration) *refusal {
	r := refused(http.StatusTooManyRequests, "too-many-requests", "wait", wait)
	r.after = wait
	return r
}
