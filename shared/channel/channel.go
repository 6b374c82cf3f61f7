// Package channel keeps, for every user whose activities are synchronized automatically, one channel open by which Google tells
// of changes of the user's calendar, and says whose a message is. It is for shared/app.
//
// A message only makes a synchronization come sooner. Without a channel, and where a message is lost, the schedule synchronizes.
//
// Its invariants:
//
//   - A channel is stored before the service is asked for it, and its record is removed only once the service has stopped it or
//     never had it, or when it has expired. So every channel can be found and stopped, wherever the process died.
//   - A channel is replaced by another one under a new id before it is stopped.
//   - Of a channel's secret only the hash is kept.
//   - What the service refuses for good is logged once, and tried again after a day and then ever more seldom.
package channel

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// Calendar opens and stops the channels of one user's calendar.
type Calendar interface {
	// Watch opens a channel. It returns the service's id of what is watched and when the channel ends, which may be sooner than
	// asked for. Where the service has a channel of the id already, the error is of kind Conflict.
	Watch(ctx context.Context, id, token, address string, lifetime time.Duration) (resourceID string, expires time.Time, err error)
	// Stop stops a channel. Where there is no such channel, the error is of kind Gone.
	Stop(ctx context.Context, id, resourceID string) error
}

// Keeper keeps the channels of all users.
type Keeper struct {
	Store store.Store
	// Open opens the calendar of a user. Without a grant of the user the error is of kind Reconnect.
	Open func(ctx context.Context, user string) (Calendar, error)
	// Type is what a message has synchronized, and Scope the permission of the Google account that it needs.
	Type  record.Type
	Scope string
	// Address is where messages go; empty where no channel is to be opened.
	Address string
	Now     func() time.Time
	Logger  *slog.Logger
}

const (
	// lifetime is how long a channel is asked for, which is the service's default
	// (https://developers.google.com/workspace/calendar/api/v3/reference/events/watch).
	lifetime = 7 * 24 * time.Hour
	// callTime is how long a call of the service may take.
	callTime = 30 * time.Second
	// busyTime is how long somebody who opens a channel keeps others from it: longer than that takes.
	busyTime = 2 * time.Minute
)

// Due reports whether a user's channels have to be looked at. It reads nothing, so that a run can ask at no cost.
func (k *Keeper) Due(p store.Profile, d store.Sync) bool {
	now := k.Now()
	switch {
	case !k.wanted(p, d):
		return d.Push.Channel != ""
	case now.Before(d.Push.Busy):
		return false
	default:
		return d.Push.Address != k.Address || !now.Before(d.Push.Next)
	}
}

// wanted reports whether a user is to have a channel.
func (k *Keeper) wanted(p store.Profile, d store.Sync) bool {
	return k.Address != "" && d.Settings.Automatic &&
		p.Google.Linked && !p.Google.Reconnect && slices.Contains(p.Google.Scopes, k.Scope) && p.Creatio.Linked && !p.Creatio.Reconnect
}

// errUnchanged leaves a document as it is: somebody else opens a channel, or there is nothing to note. errClosed says that a
// channel was closed while it was opened.
var (
	errUnchanged       = errors.New("nothing to note")
	errClosed    error = fault.New(fault.Retry, "", "channel-closed", errors.New("the channel was closed while it was opened"))
)

// Tend brings a user's channels to what they shall be: one that is good for a while, or none. A failure to open or to stop one
// is noted, to be tried again; the error is then of the kind of that failure.
func (k *Keeper) Tend(ctx context.Context, user string) error {
	u := k.Store.User(user)
	p, err := u.Profile(ctx)
	if errors.Is(err, store.ErrNotFound) {
		return k.forget(ctx, u)
	}
	if err != nil {
		return fmt.Errorf("tend channels: %w", err)
	}
	d, err := u.Sync(ctx, k.Type)
	if err != nil {
		return fmt.Errorf("tend channels: %w", err)
	}
	if !k.wanted(p, d) {
		return k.end(ctx, u)
	}
	now := k.Now().UTC()
	var was store.Push
	err = u.UpdateSync(ctx, k.Type, func(d *store.Sync) error {
		if now.Before(d.Push.Busy) || !k.wanted(p, *d) {
			return errUnchanged
		}
		was, d.Push.Busy = d.Push, now.Add(busyTime)
		return nil
	})
	if errors.Is(err, errUnchanged) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("tend channels: %w", err)
	}
	all, err := u.Channels(ctx)
	if err != nil {
		return fmt.Errorf("tend channels: %w", err)
	}
	return k.replace(ctx, u, was, decide(all, k.Address, now))
}

// end closes the channels of a user who shall have none, and notes so.
func (k *Keeper) end(ctx context.Context, u store.User) error {
	err := k.Close(ctx, u.ID())
	if err == nil {
		err = u.UpdateSync(ctx, k.Type, func(d *store.Sync) error {
			if d.Push == (store.Push{}) {
				// Nor is a document to be made of a user who was erased.
				return errUnchanged
			}
			d.Push = store.Push{}
			return nil
		})
	}
	if err != nil && !errors.Is(err, errUnchanged) {
		return fmt.Errorf("tend channels: %w", err)
	}
	return nil
}

// forget removes what is left of the channels of a user who was erased: nobody can stop them any more.
func (k *Keeper) forget(ctx context.Context, u store.User) error {
	all, err := u.Channels(ctx)
	for _, c := range all {
		err = errors.Join(err, u.DeleteChannel(ctx, c.ID))
	}
	if err != nil {
		return fmt.Errorf("forget channels: %w", err)
	}
	return nil
}

// replace does what was decided, and notes what came of it.
func (k *Keeper) replace(ctx context.Context, u store.User, was store.Push, w work) error {
	now := k.Now().UTC()
	next := store.Push{Channel: w.current.ID, Address: k.Address, Next: renewal(w.current.Expires, now)}
	var failure error
	switch {
	case !w.open:
	case was.Failed > 0 && was.Address == k.Address && now.Before(was.Next):
		// It was tried not long ago.
		next.Next, next.Failed, next.Refused = was.Next, was.Failed, was.Refused
	default:
		opened, err := k.open(ctx, u)
		if err != nil {
			failure = err
			k.noteFailure(ctx, &next, was, err, now)
			break
		}
		w.stop = append(w.stop, w.stale()...)
		w.current = opened
		next.Channel, next.Next = opened.ID, renewal(opened.Expires, now)
	}
	failure = errors.Join(failure, k.stopAll(ctx, u, w.stop, w.current.ResourceID))
	for _, c := range w.expired {
		failure = errors.Join(failure, u.DeleteChannel(ctx, c.ID))
	}
	err := u.UpdateSync(ctx, k.Type, func(d *store.Sync) error {
		if !d.Settings.Automatic {
			return errClosed
		}
		d.Push = next
		return nil
	})
	if errors.Is(err, errClosed) {
		return errors.Join(failure, k.end(ctx, u))
	}
	if err := errors.Join(failure, err); err != nil {
		return fmt.Errorf("tend channels: %w", err)
	}
	return nil
}

// open opens a channel.
func (k *Keeper) open(ctx context.Context, u store.User) (store.Channel, error) {
	id, err := k.Store.NewChannelID(ctx)
	if err != nil {
		return store.Channel{}, err
	}
	calendar, err := k.Open(ctx, u.ID())
	if err != nil {
		return store.Channel{}, err
	}
	now, token := k.Now().UTC(), rand.Text()
	c := store.Channel{ID: id, State: store.ChannelOpening, Token: hash(token), Address: k.Address, Due: now.Add(busyTime), Expires: now.Add(lifetime)}
	if err := u.PutChannel(ctx, c); err != nil {
		return store.Channel{}, err
	}
	calling, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	resource, expires, err := calendar.Watch(calling, id, token, k.Address, lifetime)
	if err != nil {
		if !fault.Ambiguous(err) && !fault.Is(err, fault.Conflict) {
			// There is no such channel. Where this record cannot be removed, it is found again.
			err = errors.Join(err, u.DeleteChannel(ctx, id))
		}
		return store.Channel{}, err
	}
	if expires.IsZero() {
		expires = c.Expires
	}
	err = u.UpdateChannel(ctx, id, func(kept *store.Channel) error {
		if kept.State == store.ChannelClosing {
			kept.ResourceID = resource
			c = *kept
			return nil
		}
		kept.State, kept.ResourceID, kept.Expires, kept.Due, kept.Failed = store.ChannelOpen, resource, expires, lookAgain(expires, now), 0
		c = *kept
		return nil
	})
	if errors.Is(err, store.ErrNotFound) {
		// The user was erased meanwhile. Nobody will know of this channel.
		c.State, c.ResourceID = store.ChannelClosing, resource
		err = nil
	}
	if err != nil {
		return store.Channel{}, err
	}
	if c.State == store.ChannelClosing {
		return store.Channel{}, errors.Join(errClosed, k.stop(ctx, u, calendar, c))
	}
	return c, nil
}

// Close stops all channels of a user. From its beginning on no message of theirs counts any more. A channel that cannot be
// stopped is noted, to be tried again; the error is then of the kind of that failure.
func (k *Keeper) Close(ctx context.Context, user string) error {
	u := k.Store.User(user)
	all, err := u.Channels(ctx)
	if err == nil {
		err = k.stopAll(ctx, u, all, "")
	}
	if err != nil {
		return fmt.Errorf("close channels: %w", err)
	}
	return nil
}

// stopAll stops channels, of which some may not know what they watch: all of a user watch the same, and resource is its id.
func (k *Keeper) stopAll(ctx context.Context, u store.User, list []store.Channel, resource string) error {
	if len(list) == 0 {
		return nil
	}
	for _, c := range list {
		if resource == "" {
			resource = c.ResourceID
		}
	}
	for i := range list {
		err := u.UpdateChannel(ctx, list[i].ID, func(c *store.Channel) error {
			if c.State != store.ChannelClosing {
				c.State, c.Failed, c.Due = store.ChannelClosing, 0, k.Now().UTC()
			}
			if c.ResourceID == "" {
				c.ResourceID = resource
			}
			list[i] = *c
			return nil
		})
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	calendar, err := k.Open(ctx, u.ID())
	if fault.Is(err, fault.Reconnect) {
		// Nobody may stop them before the account is linked again. Till then they wait.
		return k.postpone(ctx, u, list)
	}
	if err != nil {
		return err
	}
	var failures []error
	for _, c := range list {
		failures = append(failures, k.stop(ctx, u, calendar, c))
	}
	return errors.Join(failures...)
}

// stop stops a channel that is noted to be stopped, and removes its record.
func (k *Keeper) stop(ctx context.Context, u store.User, calendar Calendar, c store.Channel) error {
	now := k.Now().UTC()
	if !now.Before(c.Expires) {
		return u.DeleteChannel(ctx, c.ID)
	}
	if c.ResourceID == "" {
		// The answer was lost, and so far nothing has told what is watched. The next channel of the user, or a message, will.
		return k.postpone(ctx, u, []store.Channel{c})
	}
	calling, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	err := calendar.Stop(calling, c.ID, c.ResourceID)
	if err == nil || fault.Is(err, fault.Gone) {
		return u.DeleteChannel(ctx, c.ID)
	}
	noted := u.UpdateChannel(ctx, c.ID, func(kept *store.Channel) error {
		kept.Failed++
		kept.Due = now.Add(wait(err, kept.Failed))
		return nil
	})
	return errors.Join(err, unlessGone(noted))
}

// postpone leaves channels until they expire, unless somebody comes to stop them before.
func (k *Keeper) postpone(ctx context.Context, u store.User, list []store.Channel) error {
	var failures []error
	for _, c := range list {
		failures = append(failures, unlessGone(u.UpdateChannel(ctx, c.ID, func(kept *store.Channel) error {
			kept.Due = kept.Expires
			return nil
		})))
	}
	return errors.Join(failures...)
}

// noteFailure notes a failure to open a channel. What the service refuses is logged when it does so first.
func (k *Keeper) noteFailure(ctx context.Context, next *store.Push, was store.Push, err error, now time.Time) {
	if was.Address == k.Address {
		next.Failed, next.Refused = was.Failed, was.Refused
	}
	next.Failed++
	next.Next = now.Add(wait(err, next.Failed))
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Kind == fault.Retry || f.Kind == fault.Reconnect || f.Kind == fault.Conflict {
		return
	}
	if f.Code != next.Refused {
		k.Logger.WarnContext(ctx, "Google will not tell of changes of the calendar; the schedule synchronizes it", "kind", f.Kind.String(), "error", err.Error())
	}
	next.Refused = f.Code
}

func unlessGone(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

func hash(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}
