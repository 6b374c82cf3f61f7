package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/observe"
	"github.com/tandem-sync/tandem/shared/queue"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

func (s service) Unlink(ctx context.Context, user string, side record.Side) error {
	// Only with the grant can channels be stopped.
	stopped := s.app.closeChannels(ctx, user)
	// Should this end before all is done, nothing is synchronized when the account is linked again, and somebody comes for the rest.
	if err := s.switchOff(ctx, user, s.app.now().UTC().Add(store.Errands)); err != nil {
		return err
	}
	if err := s.app.linker.Unlink(ctx, user, side); err != nil {
		return err
	}
	u := s.app.store.User(user)
	p, err := u.Profile(ctx)
	if err != nil {
		return fmt.Errorf("switch the sync off: %w", err)
	}
	for t := range s.app.engines {
		err := u.UpdateSync(ctx, t, func(d *store.Sync) error {
			d.Status, d.Problem, d.Due, d.HeldRun, d.HeldDigest = "off", nil, time.Time{}, "", ""
			if t == record.Contacts {
				d.Due = s.app.nextLook(p, s.app.now().UTC())
			}
			d.Settings.Automatic, d.Push = false, store.Push{}
			return nil
		})
		if err != nil {
			return fmt.Errorf("switch the sync off: %w", err)
		}
	}
	if stopped {
		// A run may have opened another one meanwhile. From here on none does.
		s.app.closeChannels(ctx, user)
	}
	err = s.app.errands(ctx, record.Contacts, user)
	s.follow(ctx)
	return err
}

// switchOff ends automatic synchronization, and has somebody look at the user at a time.
func (s service) switchOff(ctx context.Context, user string, look time.Time) error {
	for t := range s.app.engines {
		err := s.app.store.User(user).UpdateSync(ctx, t, func(d *store.Sync) error {
			d.Settings.Automatic, d.Due = false, time.Time{}
			if t == record.Contacts {
				d.Due = look
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("switch the sync off: %w", err)
		}
	}
	return nil
}

// follow has every job follow what a user ended.
func (s service) follow(ctx context.Context) {
	for t := range s.app.engines {
		s.app.follower.saved(ctx, t)
	}
}

const (
	// triggerErase is of a task that ends an erasure which was cut off, and runs nothing.
	triggerErase = "erase"
	// eraseAgain is how long after its beginning an erasure is looked at again.
	eraseAgain = 10 * time.Minute
)

// Erase removes everything of a user. It notes first that it does: one that is cut off is ended by the next start, or by a task.
func (s service) Erase(ctx context.Context, user string) error {
	now := s.app.now().UTC()
	_, err := s.app.queue.Add(ctx, queue.Task{
		Name: queue.Name("erase "+user, record.Contacts, now), Type: record.Contacts, User: user, Trigger: triggerErase, NotBefore: now.Add(eraseAgain),
	})
	if err != nil {
		s.app.logger.WarnContext(ctx, "should the erasure be cut off, nobody ends it", "user", observe.User(user), "kind", fault.KindOf(err).String(), "error", err.Error())
	}
	err = s.app.store.User(user).UpdateProfile(ctx, func(p *store.Profile) error {
		if p.CreatedAt.IsZero() {
			return store.ErrNotFound
		}
		if p.Erasing.IsZero() {
			p.Erasing = now
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("erase user: %w", err)
	}
	return s.erase(ctx, user)
}

func (s service) erase(ctx context.Context, user string) error {
	s.app.closeChannels(ctx, user)
	for _, side := range record.Sides {
		// What cannot be revoked now is forgotten all the same: nothing may be kept.
		if err := s.app.linker.Unlink(ctx, user, side); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	err := s.app.store.User(user).Erase(ctx)
	s.follow(ctx)
	return err
}

// eraseRest ends an erasure that was cut off. For any other user it does nothing.
func (a *App) eraseRest(ctx context.Context, user string) error {
	u := a.store.User(user)
	p, err := u.Profile(ctx)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return u.EraseRemains(ctx)
	case err != nil:
		return fmt.Errorf("erase user: %w", err)
	case p.Erasing.IsZero():
		return nil
	}
	return service{a}.erase(ctx, user)
}
