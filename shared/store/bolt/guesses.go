package bolt

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

const guesses = "guesses"

// Guesses are the wrong passwords under a key.
func (s *Store) Guesses(ctx context.Context, key string) (g store.Guesses, err error) {
	if err := document.ToRead(key); err != nil {
		return g, nil
	}
	err = s.view(ctx, "read guesses", func(tx *bbolt.Tx) error {
		g, err = get[store.Guesses](find(tx, guesses), []byte(key))
		return err
	})
	return g, none(err)
}

// UpdateGuesses changes them. Those whose time was over are swept away with it.
func (s *Store) UpdateGuesses(ctx context.Context, key string, f func(*store.Guesses) error) error {
	if err := document.ToWrite(key); err != nil {
		return fmt.Errorf("update guesses: %w", err)
	}
	return s.update(ctx, "update guesses", func(tx *bbolt.Tx) error {
		e, err := needExpiring(tx, guesses)
		if err != nil {
			return err
		}
		g, err := get[store.Guesses](e.docs, []byte(key))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		was := g.Expires
		if err := f(&g); err != nil {
			return callerError{err}
		}
		if err := e.sweep(g.Last); err != nil {
			return err
		}
		return putExpiring(e, key, was, g, g.Expires)
	})
}

// RecentGuesses lists those of names.
func (s *Store) RecentGuesses(ctx context.Context, since time.Time, limit int) ([]store.Guesses, error) {
	var out []store.Guesses
	err := s.view(ctx, "list guesses", func(tx *bbolt.Tx) error {
		b := find(tx, guesses)
		if b == nil {
			return nil
		}
		return b.ForEach(func(_, data []byte) error {
			g, err := document.Decode[store.Guesses](data)
			if err == nil && g.Login != "" && !g.Last.Before(since) {
				out = append(out, g)
			}
			return err
		})
	})
	slices.SortStableFunc(out, func(a, b store.Guesses) int { return b.Last.Compare(a.Last) })
	return out[:min(len(out), max(limit, 0))], err
}
