package bolt

import (
	"context"

	"go.etcd.io/bbolt"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

func (u *user) MemberSet(ctx context.Context, t record.Type, side record.Side) (r store.MemberSet, err error) {
	err = u.view(ctx, "read member set", []string{string(t), string(side)}, func(tx *bbolt.Tx) error {
		b := find(tx, u.path("rosters", string(t))...)
		if b == nil || b.Get([]byte(side)) == nil {
			return store.ErrNotFound
		}
		r, err = document.DecodeMemberSet(b.Get([]byte(side)))
		return err
	})
	return r, err
}

func (u *user) PutMemberSet(ctx context.Context, t record.Type, l store.Lease, side record.Side, r store.MemberSet) error {
	return u.update(ctx, "put member set", []string{string(t), string(side)}, func(tx *bbolt.Tx) error {
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
		data, err := document.EncodeMemberSet(r)
		if err != nil {
			return err
		}
		return b.Put([]byte(side), data)
	})
}
