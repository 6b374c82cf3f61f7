package app

import (
	"context"
	"errors"
	"time"

	"github.com/tandem-sync/tandem/shared/config"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/web"
)

const (
	// guessesTold is for how long wrong passwords are told; guessesListed, for how many Creatio users; guessesDoubted, from how many on
	// administrators are told: anybody mistypes.
	guessesTold    = 7 * 24 * time.Hour
	guessesListed  = 20
	guessesDoubted = 3
)

// wrongPasswords are those that others entered lately for the name of a user's Creatio user; nil where nobody did.
func (a *App) wrongPasswords(ctx context.Context, p store.Profile) (*web.WrongPasswords, error) {
	if a.config.Creatio.Auth != config.AuthPassword || !p.Creatio.Linked || p.Creatio.User == "" {
		return nil, nil
	}
	g, err := a.linker.GuessesOf(ctx, p.Creatio.User)
	if err != nil {
		return nil, err
	}
	out := &web.WrongPasswords{Login: p.Creatio.User}
	for _, who := range g.By {
		if who.User != p.ID && a.now().Sub(who.Last) < guessesTold {
			out.Count += who.Wrong
			out.Last = latest(out.Last, who.Last)
		}
	}
	if out.Count == 0 {
		return nil, nil
	}
	return out, nil
}

// allWrongPasswords are those that administrators are told.
func (a *App) allWrongPasswords(ctx context.Context) ([]web.WrongPasswords, error) {
	if a.config.Creatio.Auth != config.AuthPassword {
		return nil, nil
	}
	recent, err := a.store.RecentGuesses(ctx, a.now().Add(-guessesTold), guessesListed)
	if err != nil {
		return nil, err
	}
	var out []web.WrongPasswords
	for _, g := range recent {
		told := web.WrongPasswords{Login: g.Login}
		for _, who := range g.By {
			told.Count += who.Wrong
			told.Last = latest(told.Last, who.Last)
			p, err := a.store.User(who.User).Profile(ctx)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return nil, err
			}
			if p.Google.Email != "" {
				told.By = append(told.By, p.Google.Email)
			}
		}
		if told.Count >= guessesDoubted {
			out = append(out, told)
		}
	}
	return out, nil
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
