package firestore

import (
	"context"
	"errors"

	"cloud.google.com/go/firestore"

	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

func (s *Store) seatRef(seat string) *firestore.DocumentRef {
	return s.client.Collection("seats").Doc(seat)
}

// Seat costs 1 read.
func (s *Store) Seat(ctx context.Context, seat string) (string, error) {
	if err := document.ToRead(seat); err != nil {
		return "", wrap("read seat", err)
	}
	snap, err := s.get(ctx, s.seatRef(seat))
	if err != nil {
		return "", wrap("read seat", err)
	}
	d, err := content[store.Seat](snap)
	return d.User, wrap("read seat", err)
}

// TakeSeat costs 1 read, and 1 write where the seat was free.
func (s *Store) TakeSeat(ctx context.Context, seat, user string) (holder string, err error) {
	if err := document.ToWrite(seat, user); err != nil {
		return "", wrap("take seat", err)
	}
	err = s.change(ctx, s.seatRef(seat), func(snap *firestore.DocumentSnapshot) (fields, error) {
		d, err := content[store.Seat](snap)
		switch {
		case errors.Is(err, store.ErrNotFound):
			holder = user
			return plain(store.Seat{User: user})
		case err != nil:
			return nil, err
		}
		holder = d.User
		return nil, nil
	})
	if err != nil {
		return "", wrap("take seat", err)
	}
	return holder, nil
}

// LeaveSeat costs 1 read, and 1 write where the seat is the user's.
func (s *Store) LeaveSeat(ctx context.Context, seat, user string) error {
	if err := document.ToWrite(seat, user); err != nil {
		return wrap("leave seat", err)
	}
	return wrap("leave seat", s.transact(ctx, func(get reader, tx *firestore.Transaction) (int, error) {
		snaps, err := get(s.seatRef(seat))
		if err != nil {
			return 0, err
		}
		d, err := content[store.Seat](snaps[0])
		if errors.Is(err, store.ErrNotFound) || err == nil && d.User != user {
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
		return 1, tx.Delete(snaps[0].Ref)
	}))
}
