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

// TakeSeat costs 1 read, and 2 reads more and 1 write where the seat was free.
func (s *Store) TakeSeat(ctx context.Context, seat, who string) (holder string, err error) {
	if err := document.ToWrite(seat, who); err != nil {
		return "", wrap("take seat", err)
	}
	holder, err = s.Seat(ctx, seat)
	if errors.Is(err, store.ErrNotFound) {
		holder, err = s.takeFree(ctx, seat, &user{s: s, id: who})
	}
	if err != nil {
		return "", wrap("take seat", err)
	}
	return holder, nil
}

// takeFree gives a user who is there a seat, if it is still free.
func (s *Store) takeFree(ctx context.Context, seat string, u *user) (holder string, err error) {
	err = s.transact(ctx, func(get reader, tx *firestore.Transaction) (int, error) {
		snaps, err := u.there(get, s.seatRef(seat))
		if err != nil {
			return 0, err
		}
		d, err := content[store.Seat](snaps[0])
		if holder = d.User; !errors.Is(err, store.ErrNotFound) {
			return 0, err
		}
		holder = u.id
		f, err := plain(store.Seat{User: u.id})
		if err != nil {
			return 0, err
		}
		f["user"] = u.id
		return 1, tx.Set(s.seatRef(seat), f.present())
	})
	return holder, err
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
