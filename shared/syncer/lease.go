package syncer

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/store"
)

const (
	leaseTTL = 60 * time.Second
	// leaseSkew is how much sooner than by its own clock a run takes its lease to have ended: the clock of the instance
	// that takes it over may be ahead by that.
	leaseSkew = 5 * time.Second
	// A lease is renewed every renewEvery. A renewal takes renewTime at most, and one that failed is repeated after
	// renewAgain, so that there are three of them before the lease ends.
	renewEvery = leaseTTL / 3
	renewTime  = 10 * time.Second
	renewAgain = 5 * time.Second
)

// Codes of a run whose lease is not its own any more.
const (
	codeLeaseLost   = "lease-lost"
	codeLeaseRanOut = "lease-ran-out"
)

// leaseDeadline is until when a run may take its lease to be its own, without asking anybody.
type leaseDeadline struct {
	until atomic.Int64 // Unix nanoseconds
	over  *time.Timer
}

// renewed counts the deadline from when the renewal that succeeded was begun.
func (d *leaseDeadline) renewed(at, now time.Time) {
	until := at.Add(leaseTTL - leaseSkew)
	d.until.Store(until.UnixNano())
	d.over.Reset(until.Sub(now))
}

func (d *leaseDeadline) passed(now time.Time) bool { return now.UnixNano() >= d.until.Load() }

// heartbeat renews the lease until stopped. The context ends when the lease is lost to another run, and when it ran out
// because the store took no renewal: another run may have it by then.
func (r *session) heartbeat(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	r.deadline.over = time.AfterFunc(leaseTTL, func() { cancel(leaseRanOut()) })
	r.deadline.renewed(r.start, r.engine.Now())
	var beating sync.WaitGroup
	beating.Go(func() { cancel(r.beat(ctx)) })
	return ctx, func() {
		r.deadline.over.Stop()
		cancel(nil)
		beating.Wait()
	}
}

// beat renews the lease until the context ends, or the lease is lost.
func (r *session) beat(ctx context.Context) error {
	next := time.NewTimer(renewEvery)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-next.C:
		}
		began := r.engine.Now()
		err := r.renew(ctx, began)
		switch {
		case err == nil:
			r.deadline.renewed(began, r.engine.Now())
			next.Reset(renewEvery)
		case errors.Is(err, store.ErrFenced):
			return store.ErrFenced
		default:
			r.engine.Logger.WarnContext(ctx, "the lease could not be renewed", "error", err.Error())
			next.Reset(renewAgain)
		}
	}
}

func (r *session) renew(ctx context.Context, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, renewTime)
	defer cancel()
	return r.user.Renew(ctx, r.engine.Type, r.lease, now.UTC(), leaseTTL)
}

func leaseRanOut() error {
	return fault.New(fault.Retry, "", codeLeaseRanOut, errors.New("the store took no renewal of the lease until it ended"))
}

// lostLease is why a run may write nothing more to the sides, where that is why its context ended.
func lostLease(ctx context.Context) error {
	cause := context.Cause(ctx)
	if f, ok := errors.AsType[*fault.Error](cause); ok && f.Code == codeLeaseRanOut || errors.Is(cause, store.ErrFenced) {
		return cause
	}
	return nil
}
