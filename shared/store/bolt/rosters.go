package bolt

import (
	"context"

	"go.etcd.io/bbolt"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

func (u *user) Roster(ctx context.Context, t record.Type, side record.Side) (r store.Roster, err error) {
	err = u.view(ctx, "read roster", []string{string(t), string(side)}, func(tx *bbolt.Tx) error {
		b := find(tx, u.path("rosters", string(t))...)
		if b == nil || b.Get([]byte(side)) == nil {
			return store.ErrNotFound
		}
		r, err = document.DecodeRoster(b.Get([]byte(side)))
		return err
	})
	return r, err
}

func (u *user) PutRoster(ctx context.Context, t record.Type, l store.Lease, side record.Side, r store.Roster) error {
	return u.update(ctx, "put roster", []string{string(t), string(side)}, func(tx *bbolt.Tx) error {
		s, err := u.sync(tx, t)
		if err != nil {
			return err
		}
		if err := document.Holds(s, l); err != nil {
			return err
		}
		b, err := need(tx, u.path("rosters", string(t))...)
		if err != nil {
			return err
		}
		data, err := document.EncodeRoster(r)
		if err != nil {
			return err
		}
		return b.Put([]byte(side), data)
	})
}
