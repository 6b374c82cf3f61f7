package app

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/creatio/activities"
	"github.com/tandem-sync/tandem/shared/google/calendar"
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
	profiles, err := o.profiles(ctx, users, contacts, nil)
	if err != nil {
		return nil, err
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

// Careful finds users whose settings do not show private events whole. They count also after they unlinked, for as long as they are
// known: it is their event that would show.
func (o others) Careful(ctx context.Context, t record.Type, users, addresses []string) ([]syncer.Careful, error) {
	profiles, err := o.profiles(ctx, users, nil, addresses)
	if err != nil {
		return nil, err
	}
	var out []syncer.Careful
	for _, p := range profiles {
		doc, err := o.app.store.User(p.ID).Sync(ctx, t)
		if err != nil {
			return nil, err
		}
		if !o.app.linkedFor(p, t) && (doc.LastSync.IsZero() || p.Creatio.URL != o.app.config.Creatio.URL) {
			continue
		}
		if calendar.Private(doc.Settings.PrivateEvents) != calendar.Full {
			out = append(out, syncer.Careful{User: p.ID, Address: p.Google.Email})
		}
	}
	return out, nil
}

// profiles are those of the users with the ids, the contacts and the addresses.
func (o others) profiles(ctx context.Context, users, contacts, addresses []string) ([]store.Profile, error) {
	profiles, err := o.app.store.FindUsers(ctx, contacts, addresses)
	if err != nil {
		return nil, err
	}
	for _, id := range users {
		if slices.ContainsFunc(profiles, func(p store.Profile) bool { return p.ID == id }) {
			continue
		}
		p, err := o.app.store.User(id).Profile(ctx)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		profiles = append(profiles, p)
	}
	return profiles, nil
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
	case !a.linkedFor(p, d.Type), d.LastSync.IsZero(), waits && a.now().Sub(d.LastSync) > reconnectTime:
		return time.Time{}, false
	}
	from, err := firstInstant(p, d.Settings, knownZone(p, d))
	return from, err == nil
}

// linkedFor reports whether a user of the site has linked what a type needs.
func (a *App) linkedFor(p store.Profile, t record.Type) bool {
	return p.Google.Linked && p.Creatio.Linked && p.Creatio.URL == a.config.Creatio.URL && slices.Contains(p.Google.Scopes, a.engines[t].Scope)
}
