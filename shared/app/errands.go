package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/observe"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

const (
	// unlinkedLook is how often a user with an unlinked account is looked at: the time for which links are kept may be set anew.
	unlinkedLook = 24 * time.Hour
	// forgetTime is how long one attempt to forget may take, and forgetLease is longer: no run begins before it has ended.
	forgetTime  = 5 * time.Minute
	forgetLease = 2 * forgetTime
)

// errands does what remains to be done for a user with an unlinked account: it revokes grants that could not be revoked yet, and
// forgets links and history once they have been kept for long enough. Until then the user stays due, although nothing is
// synchronized.
func (a *App) errands(ctx context.Context, t record.Type, user string) error {
	revoking := a.linker.RevokePending(ctx, user)
	if revoking != nil && !fault.Is(revoking, fault.Retry) {
		return revoking
	}
	if err := a.noteUnlinked(ctx, user); err != nil {
		return err
	}
	forgetting := a.forget(ctx, user)
	p, err := a.store.User(user).Profile(ctx)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look after an unlinked user: %w", err)
	}
	now := a.now().UTC()
	next := a.nextLook(p, now)
	if revoking != nil || forgetting != nil {
		next = now.Add(store.Errands)
	}
	if err := a.setErrand(ctx, user, record.Contacts, next); err != nil {
		return err
	}
	if t != record.Contacts {
		if err := a.setErrand(ctx, user, t, time.Time{}); err != nil {
			return err
		}
	}
	return forgetting
}

// noteUnlinked notes that an account is unlinked where a former version did not, which kept links and history for ever.
func (a *App) noteUnlinked(ctx context.Context, user string) error {
	u := a.store.User(user)
	p, err := u.Profile(ctx)
	if errors.Is(err, store.ErrNotFound) || err == nil && (!p.UnlinkedAt.IsZero() || p.Google.Linked && p.Creatio.Linked) {
		return nil
	}
	ran := false
	for t := range a.engines {
		d, failed := u.Sync(ctx, t)
		ran, err = ran || !d.LastSync.IsZero(), errors.Join(err, failed)
	}
	if err == nil && ran {
		err = u.UpdateProfile(ctx, func(p *store.Profile) error {
			if p.CreatedAt.IsZero() {
				return store.ErrNotFound
			}
			if p.UnlinkedAt.IsZero() && !(p.Google.Linked && p.Creatio.Linked) {
				p.UnlinkedAt = a.now().UTC()
			}
			return nil
		})
	}
	if err != nil {
		return fmt.Errorf("look after an unlinked user: %w", err)
	}
	return nil
}

// setErrand has a user be due for an errand. Nothing is written where that is so already.
func (a *App) setErrand(ctx context.Context, user string, t record.Type, at time.Time) error {
	same := errors.New("the same")
	err := a.store.User(user).UpdateSync(ctx, t, func(d *store.Sync) error {
		if d.Due.Equal(at) {
			return same
		}
		d.Due = at
		return nil
	})
	switch {
	case errors.Is(err, same), errors.Is(err, store.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("look after an unlinked user: %w", err)
	}
	a.follower.saved(ctx, t)
	return nil
}

// forgetAt is when the links and the history of a user with an unlinked account are forgotten; zero where they are kept.
func (a *App) forgetAt(p store.Profile) time.Time {
	if p.UnlinkedAt.IsZero() {
		return time.Time{}
	}
	return p.UnlinkedAt.Add(a.config.Unlinked)
}

// nextLook is when somebody has to look at a user with an unlinked account; zero where nobody has to.
func (a *App) nextLook(p store.Profile, now time.Time) time.Time {
	at := a.forgetAt(p)
	if soon := now.Add(unlinkedLook); at.After(soon) {
		return soon
	}
	return at
}

// forget removes the user's links and history if an account has been unlinked for long enough. It holds the leases of all types
// meanwhile: who links the account again at this moment begins anew when all is gone, and not with half of it. An interrupted
// one is repeated.
func (a *App) forget(ctx context.Context, user string) error {
	const op = "forget links and history"
	u := a.store.User(user)
	over := func() (time.Time, error) {
		p, err := u.Profile(ctx)
		if errors.Is(err, store.ErrNotFound) {
			return time.Time{}, nil
		}
		if at := a.forgetAt(p); err != nil || at.IsZero() || a.now().Before(at) {
			return time.Time{}, err
		}
		return p.UnlinkedAt, nil
	}
	if since, err := over(); err != nil || since.IsZero() {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, forgetTime)
	defer cancel()
	leases := map[record.Type]store.Lease{}
	defer func() {
		for t, l := range leases {
			if err := u.Release(context.WithoutCancel(ctx), t, l); err != nil {
				a.logger.WarnContext(ctx, "a lease could not be released and will expire", "error", err.Error())
			}
		}
	}()
	for t := range a.engines {
		_, lease, err := u.Acquire(ctx, t, "forget", a.now(), forgetLease)
		if errors.Is(err, store.ErrLeased) {
			err = fault.New(fault.Retry, "", "lease", err)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", op, err)
		}
		leases[t] = lease
	}
	// The account may have been linked again before the leases were taken.
	since, err := over()
	if err != nil || since.IsZero() {
		return err
	}
	if err := u.Forget(ctx, leases); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	err = u.UpdateProfile(ctx, func(p *store.Profile) error {
		if p.CreatedAt.IsZero() {
			return store.ErrNotFound
		}
		if p.UnlinkedAt.Equal(since) {
			p.UnlinkedAt = time.Time{}
		}
		return nil
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("%s: %w", op, err)
	}
	a.logger.InfoContext(ctx, "links and history of a user with an unlinked account are forgotten", "user", observe.User(user))
	return nil
}
