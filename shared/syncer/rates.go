package syncer

import (
	"context"
	"errors"
	"maps"
	"time"

	"golang.org/x/time/rate"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/httpx"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// Rate is how many requests a user's runs may make to a side: PerSecond in the long run, Burst at once.
type Rate struct {
	PerSecond float64
	Burst     int
}

// rateBudget is what a run may still spend on a side.
type rateBudget struct {
	// limiter is nil where the side is not limited.
	limiter *rate.Limiter
	// until is how long the service asked to be left alone.
	until time.Time
}

// openRates fills each side's budget as the last run left it. What is left of a user's requests is kept with the sync's
// document, which a run reads and writes anyway, so that all instances share it and it costs nothing. The lease sees to it
// that one run at a time spends it.
func (r *run) openRates(ctx context.Context) context.Context {
	r.budgets = map[record.Side]*rateBudget{}
	for _, s := range record.Sides {
		left, known := r.doc.Rates[s]
		b := &rateBudget{until: left.Until}
		r.budgets[s] = b
		limit, limited := r.engine.Rates[s]
		if !limited {
			continue
		}
		b.limiter = rate.NewLimiter(rate.Limit(limit.PerSecond), limit.Burst)
		if known {
			tokens := left.Tokens + limit.PerSecond*r.start.Sub(left.At).Seconds()
			if spent := limit.Burst - max(0, int(tokens)); spent > 0 {
				b.limiter.AllowN(r.start, spent)
			}
		}
		ctx = httpx.WithLimiter(ctx, string(s), b.limiter)
	}
	return ctx
}

// maxLeftAlone is how long a side may ask to be left alone. A note of more is one of an earlier version.
const maxLeftAlone = time.Hour

// askedToWait is the error of a run that begins by itself while a side still wants to be left alone. One that a person asked for
// finds out whether that is still so.
func (r *run) askedToWait() error {
	if r.trigger != TriggerSchedule && r.trigger != TriggerPush {
		return nil
	}
	for _, s := range record.Sides {
		if wait := r.budgets[s].until.Sub(r.start); wait > 0 && wait <= maxLeftAlone {
			f := fault.New(fault.Retry, string(s), "asked-to-wait", errors.New("the service asked to be left alone until later"))
			f.After = wait
			return f
		}
	}
	return nil
}

// saveRates writes down what is left for the next run, and how long a side asked to be left alone.
func (r *run) saveRates(d *store.Sync, err error) {
	now := r.report.run.FinishedAt
	d.Rates = maps.Clone(d.Rates)
	if d.Rates == nil {
		d.Rates = map[record.Side]store.Rate{}
	}
	for _, s := range record.Sides {
		left := store.Rate{Until: r.budgets[s].until}
		if l := r.budgets[s].limiter; l != nil {
			left.Tokens, left.At = l.TokensAt(now), now
		}
		if after := fault.After(err); after > 0 && faultSide(err) == s {
			left.Until = now.Add(after)
		}
		if !left.Until.After(now) {
			left.Until = time.Time{}
		}
		if delete(d.Rates, s); left != (store.Rate{}) {
			d.Rates[s] = left
		}
	}
}
