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

// pace spaces the requests of the run. What is left of a user's requests is kept with the sync's document, which a run
// reads and writes anyway, so that all instances share it and it costs nothing. The lease sees to it that one run at a
// time spends it.
type pace struct {
	limiters map[record.Side]*rate.Limiter
	until    map[record.Side]time.Time
}

// openPace fills each side's bucket as the last run left it.
func (r *run) openPace(ctx context.Context) context.Context {
	r.pace = pace{limiters: map[record.Side]*rate.Limiter{}, until: map[record.Side]time.Time{}}
	for _, s := range record.Sides {
		kept, known := r.doc.Rates[s]
		r.pace.until[s] = kept.Until
		limit, limited := r.engine.Rates[s]
		if !limited {
			continue
		}
		l := rate.NewLimiter(rate.Limit(limit.PerSecond), limit.Burst)
		if known {
			left := kept.Tokens + limit.PerSecond*r.start.Sub(kept.At).Seconds()
			if spent := limit.Burst - max(0, int(left)); spent > 0 {
				l.AllowN(r.start, spent)
			}
		}
		r.pace.limiters[s] = l
		ctx = httpx.WithLimiter(ctx, string(s), l)
	}
	return ctx
}

// leftAlone is the error of a run that begins while a side still wants to be left alone.
func (r *run) leftAlone() error {
	for _, s := range record.Sides {
		if wait := r.pace.until[s].Sub(r.start); wait > 0 {
			f := fault.New(fault.Retry, string(s), "asked-to-wait", errors.New("the service asked to be left alone until later"))
			f.After = wait
			return f
		}
	}
	return nil
}

// keepPace writes down what is left for the next run, and how long a side asked to be left alone.
func (r *run) keepPace(d *store.Sync, err error) {
	now := r.record.FinishedAt
	d.Rates = maps.Clone(d.Rates)
	if d.Rates == nil {
		d.Rates = map[record.Side]store.Rate{}
	}
	for _, s := range record.Sides {
		kept := store.Rate{Until: r.pace.until[s]}
		if l := r.pace.limiters[s]; l != nil {
			kept.Tokens, kept.At = l.TokensAt(now), now
		}
		if after := fault.After(err); after > 0 && faultSide(err) == s {
			kept.Until = now.Add(after)
		}
		if !kept.Until.After(now) {
			kept.Until = time.Time{}
		}
		if delete(d.Rates, s); kept != (store.Rate{}) {
			d.Rates[s] = kept
		}
	}
}
