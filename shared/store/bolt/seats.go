package bolt

import (
	"context"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

// Seat is who has a seat.
func (s *Store) Seat(ctx context.Context, seat string) (user string, err error) {
	if err := document.ToRead(seat); err != nil {
		return "", fmt.Errorf("read seat: %w", err)
	}
	err = s.view(ctx, "read seat", func(tx *bbolt.Tx) error {
		d, err := get[store.Seat](find(tx, "seats"), []byte(seat))
		user = d.User
		return err
	})
	return user, err
}

// TakeSeat gives a free seat to a user.
func (s *Store) TakeSeat(ctx context.Context, seat, user string) (holder string, err error) {
	if err := document.ToWrite(seat, user); err != nil {
		return "", fmt.Errorf("take seat: %w", err)
	}
	err = s.update(ctx, "take seat", func(tx *bbolt.Tx) error {
		b, err := need(tx, "seats")
		if err != nil {
			return err
		}
		d, err := get[store.Seat](b, []byte(seat))
		if errors.Is(err, store.ErrNotFound) {
			if err := there(tx, user); err != nil {
				return err
			}
			d = store.Seat{User: user}
			err = put(b, []byte(seat), d)
		}
		holder = d.User
		return err
	})
	return holder, err
}

// LeaveSeat frees a seat that the user has.
func (s *Store) LeaveSeat(ctx context.Context, seat, user string) error {
	if err := document.ToWrite(seat, user); err != nil {
		return fmt.Errorf("leave seat: %w", err)
	}
	return s.update(ctx, "leave seat", func(tx *bbolt.Tx) error {
		b := find(tx, "seats")
		d, err := get[store.Seat](b, []byte(seat))
		if errors.Is(err, store.ErrNotFound) || err == nil && d.User != user {
			return nil
		}
		if err != nil {
			return err
		}
		return b.Delete([]byte(seat))
	})
}

// leaveSeats frees all seats that the user has.
func (u *user) leaveSeats(tx *bbolt.Tx) error {
	b := find(tx, "seats")
	var mine []string
	err := eachOwn(b, u.id, func(d store.Seat) string { return d.User }, func(id []byte, _ store.Seat) { mine = append(mine, string(id)) })
	for _, id := range mine {
		err = errors.Join(err, b.Delete([]byte(id)))
	}
	return err
}
