package app

import (
	"context"
	"fmt"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

const (
	// barredTime is how long the tokens of an account are kept that may not use Tandem any more: the administrators may have
	// taken its domain off the list by mistake.
	barredTime = 30 * 24 * time.Hour
	// barredLook is how often such an account is looked at; barredGap is how long nobody looks at one that may again.
	barredLook = 24 * time.Hour
	barredGap  = 3 * barredLook
)

// allowed reports whether a user may use Tandem.
func (a *App) allowed(p store.Profile) bool { return a.linker.Allowed(p.Google) }

// bar notes that a user may not use Tandem any more, and forgets both accounts once that has been so for long. Until then the
// user stays due, once a day.
func (a *App) bar(ctx context.Context, user string) error {
	u, now := a.store.User(user), a.now().UTC()
	p, err := u.Profile(ctx)
	if err != nil {
		return fmt.Errorf("bar user: %w", err)
	}
	b := p.Google.Barred
	switch {
	case b != nil && now.Sub(b.Seen) < barredLook/2:
		return nil
	case b == nil || now.Sub(b.Seen) > barredGap:
		b = &store.Barred{Since: now}
	}
	b = &store.Barred{Since: b.Since, Seen: now}
	if now.Sub(b.Since) >= barredTime {
		for _, side := range record.Sides {
			if err := (service{a}).Unlink(ctx, user, side); err != nil {
				return fmt.Errorf("forget the accounts of a barred user: %w", err)
			}
		}
		return nil
	}
	err = u.UpdateProfile(ctx, func(p *store.Profile) error {
		if p.CreatedAt.IsZero() {
			return store.ErrNotFound
		}
		p.Google.Barred = b
		return nil
	})
	if err == nil {
		err = u.UpdateSync(ctx, record.Contacts, func(d *store.Sync) error {
			d.Due = now.Add(barredLook)
			return nil
		})
	}
	if err != nil {
		return fmt.Errorf("bar user: %w", err)
	}
	a.follower.saved(ctx, record.Contacts)
	return nil
}

const (
	// sweepPage is how many users a tick looks at in one go, and sweepPages how often.
	sweepPage  = 100
	sweepPages = 5
)

// sweepBarred has users be due who may not use Tandem any more and whom no schedule runs, so that their accounts are forgotten
// as well. Once a day all users are looked at, some of them in each hour.
func (a *App) sweepBarred(ctx context.Context) error {
	const t = record.Contacts // every linked user has one
	now := a.now().UTC()
	if len(a.config.AllowedDomains) == 0 || !a.swept.due(store.SweepOf(t), now) {
		return nil
	}
	d, err := a.store.Schedule(ctx, store.SweepOf(t))
	if err != nil {
		return fmt.Errorf("look for barred users: %w", err)
	}
	if d.Sweep.After == "" {
		if now.Sub(d.Sweep.Began) < barredLook {
			return nil
		}
		d.Sweep.Began = now
	}
	for range sweepPages {
		users, err := a.store.SyncStatuses(ctx, t, d.Sweep.After, sweepPage)
		if err != nil {
			return fmt.Errorf("look for barred users: %w", err)
		}
		d.Sweep.After = ""
		for _, s := range users {
			if s.Profile.Google.Linked && s.Sync.Due.IsZero() && !a.allowed(s.Profile) {
				if err := a.bar(ctx, s.Profile.ID); err != nil {
					return err
				}
			}
		}
		if len(users) < sweepPage {
			break
		}
		d.Sweep.After = users[len(users)-1].Place
	}
	if err := a.store.PutSchedule(ctx, d); err != nil {
		return fmt.Errorf("look for barred users: %w", err)
	}
	return nil
}
