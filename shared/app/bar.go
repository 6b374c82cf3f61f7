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
