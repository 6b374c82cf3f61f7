package channel

import (
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/store"
)

// work is what is to be done for a user who shall have a channel.
type work struct {
	// open says that another channel is to be opened.
	open bool
	// current is the channel that is in use until then; none where its ID is empty.
	current store.Channel
	// stop are channels to be stopped, and expired those that ended by themselves.
	stop, expired []store.Channel
}

// stale is the channel that another one replaces.
func (w work) stale() []store.Channel {
	if w.current.ID == "" {
		return nil
	}
	return []store.Channel{w.current}
}

// decide says what is to be done, while nobody else opens a channel of the user: one that is stored as opening was left by
// somebody who died, or whose answer was lost.
func decide(all []store.Channel, address string, now time.Time) (w work) {
	for _, c := range all {
		switch {
		case !now.Before(c.Expires):
			w.expired = append(w.expired, c)
		case c.State != store.ChannelOpen || c.Address != address:
			w.stop = append(w.stop, c)
		case c.Expires.After(w.current.Expires):
			w.stop = append(w.stop, w.stale()...)
			w.current = c
		default:
			w.stop = append(w.stop, c)
		}
	}
	w.open = w.current.ID == "" || !now.Before(renewAt(w.current.Expires))
	return w
}

// A channel is replaced well before it ends: by a run of the user, which comes once a day at least, and where none came by
// whoever finds the channel due.
const (
	renewBefore = lifetime / 4
	lookBefore  = lifetime / 8
)

func renewAt(expires time.Time) time.Time { return expires.Add(-renewBefore) }

// renewal is when a channel is to be replaced, where it is opened or kept at now. The service may give one that ends sooner.
func renewal(expires, now time.Time) time.Time { return before(expires, now, renewBefore) }

// lookAgain is when somebody has to look at a channel whose user had no run.
func lookAgain(expires, now time.Time) time.Time { return before(expires, now, lookBefore) }

// before is a time that lies so long before a channel ends, or before its last half where that is later.
func before(expires, now time.Time, by time.Duration) time.Time {
	return expires.Add(-min(by, max(0, expires.Sub(now)/2)))
}

// How long to wait after failures in a row: those that may pass by themselves, and those that somebody has to mend.
const (
	firstWait   = time.Minute
	longestWait = 6 * time.Hour

	firstRefusedWait   = 24 * time.Hour
	longestRefusedWait = 7 * 24 * time.Hour
)

func wait(err error, failed int) time.Duration {
	doublings := min(max(failed-1, 0), 10)
	if fault.Is(err, fault.Retry) || fault.Is(err, fault.Conflict) {
		return max(fault.After(err), min(firstWait<<doublings, longestWait))
	}
	return min(firstRefusedWait<<min(doublings, 3), longestRefusedWait)
}
