package firestore

import (
	"context"
	"errors"
	"time"

	"cloud.google.com/go/firestore"

	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

func (s *Store) guessesRef(key string) *firestore.DocumentRef {
	return s.client.Collection("guesses").Doc(key)
}

// Guesses costs 1 read.
func (s *Store) Guesses(ctx context.Context, key string) (store.Guesses, error) {
	if document.ToRead(key) != nil {
		return store.Guesses{}, nil
	}
	snap, err := s.get(ctx, s.guessesRef(key))
	if err != nil {
		return store.Guesses{}, wrap("read guesses", err)
	}
	g, err := content[store.Guesses](snap)
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return g, wrap("read guesses", err)
}

// UpdateGuesses costs 1 read and 1 write; both again where somebody else changed them at the same time.
func (s *Store) UpdateGuesses(ctx context.Context, key string, f func(*store.Guesses) error) error {
	if err := document.ToWrite(key); err != nil {
		return wrap("update guesses", err)
	}
	return wrap("update guesses", s.change(ctx, s.guessesRef(key), func(snap *firestore.DocumentSnapshot) (fields, error) {
		g, err := content[store.Guesses](snap)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		if err := f(&g); err != nil {
			return nil, callerError{err}
		}
		next, err := over(snap, g)
		if err != nil {
			return nil, err
		}
		next["expires"], next["last"] = document.Time(g.Expires), any(firestore.Delete)
		if g.Login != "" {
			next["last"] = document.Time(g.Last)
		}
		return next, nil
	}))
}

// RecentGuesses costs 1 read for each, at least 1.
func (s *Store) RecentGuesses(ctx context.Context, since time.Time, limit int) ([]store.Guesses, error) {
	if limit <= 0 {
		return nil, nil
	}
	q := s.client.Collection("guesses").Where("last", ">=", document.Time(since)).OrderBy("last", firestore.Desc).Limit(limit)
	list, err := contents[store.Guesses](ctx, s, q)
	return list, wrap("list guesses", err)
}
