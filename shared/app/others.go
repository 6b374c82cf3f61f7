package app

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/creatio/activities"
	"github.com/tandem-sync/tandem/shared/reconcile"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// others tells runs of the other users of Tandem.
type others struct{ app *App }

func (o others) Copies(ctx context.Context, t record.Type, shared, creatioIDs []string) ([]store.Copy, error) {
	return o.app.store.Copies(ctx, t, shared, creatioIDs)
}

func (o others) Working(ctx context.Context, t record.Type, users, contacts []string) ([]syncer.Worker, error) {
	profiles, err := o.app.store.FindUsers(ctx, contacts, nil)
	if err != nil {
		return nil, err
	}
	for _, id := range users {
		p, err := o.app.store.User(id).Profile(ctx)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		profiles = append(profiles, p)
	}
	var out []syncer.Worker
	for _, p := range profiles {
		doc, err := o.app.store.User(p.ID).Sync(ctx, t)
		if err != nil {
			return nil, err
		}
		if from, works := o.app.works(p, doc); works {
			out = append(out, syncer.Worker{
				User: p.ID, Contact: strings.ToLower(p.Creatio.ContactID), ReadsOnly: doc.Settings.Direction == string(reconcile.ToCreatio), From: from,
			})
		}
	}
	return out, nil
}

// accounts finds the Google accounts that users of the site have linked.
func (o others) accounts(ctx context.Context, contacts, addresses []string) ([]activities.Account, error) {
	profiles, err := o.app.store.FindUsers(ctx, contacts, addresses)
	if err != nil {
		return nil, err
	}
	var out []activities.Account
	for _, p := range profiles {
		if p.Google.Linked && p.Creatio.Linked && p.Creatio.URL == o.app.config.Creatio.URL {
			out = append(out, activities.Account{Contact: p.Creatio.ContactID, Email: p.Google.Email})
		}
	}
	return out, nil
}

// reconnectTime is how long a user whose account waits to be linked again is still counted on.
const reconnectTime = 24 * time.Hour

// works reports whether a user synchronizes, so that runs come before long, and from when on.
func (a *App) works(p store.Profile, d store.Sync) (from time.Time, works bool) {
	waits := p.Google.Reconnect || p.Creatio.Reconnect || d.Status == string(syncer.Reconnect)
	switch {
	case !p.Google.Linked || !p.Creatio.Linked, p.Creatio.URL != a.config.Creatio.URL, !slices.Contains(p.Google.Scopes, a.engines[d.Type].Scope),
		d.LastSync.IsZero(), waits && a.now().Sub(d.LastSync) > reconnectTime:
		return time.Time{}, false
	}
	from, err := firstInstant(p, d.Settings, knownZone(p, d))
	return from, err == nil
}
