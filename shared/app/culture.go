package app

import (
	"context"
	"errors"

	"github.com/tandem-sync/tandem/shared/config"
	"github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/store"
)

// learnCulture asks the site for the culture of a user who was linked when it was not kept, or whom another account acts for, and keeps it. A
// site that does not tell keeps no run back.
func (a *App) learnCulture(ctx context.Context, p store.Profile, site *creatio.Site) (string, error) {
	ask := site.Culture
	if a.config.Creatio.Auth == config.AuthClient {
		ask = func(ctx context.Context) (string, error) { return site.CultureOf(ctx, p.Creatio.ContactID) }
	}
	culture, err := ask(ctx)
	if fault.Is(err, fault.Misconfigured) {
		a.logger.InfoContext(ctx, "the site does not tell a user's culture", "user", p.ID, "error", err.Error())
		return "", nil
	}
	if err != nil {
		return "", err
	}
	err = a.store.User(p.ID).UpdateProfile(ctx, func(now *store.Profile) error {
		switch {
		case now.CreatedAt.IsZero():
			return store.ErrNotFound
		case now.Creatio.UserID == p.Creatio.UserID:
			now.Creatio.Culture, now.Creatio.CultureKnown = culture, true
		}
		return nil
	})
	if errors.Is(err, store.ErrNotFound) {
		return culture, nil
	}
	return culture, err
}
