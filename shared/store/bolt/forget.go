package bolt

import (
	"bytes"
	"context"
	"errors"

	"go.etcd.io/bbolt"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

// Forget removes every bucket of the user but those of the tokens and of the syncs' documents.
func (u *user) Forget(ctx context.Context, leases map[record.Type]store.Lease) error {
	return u.update(ctx, "forget records", nil, func(tx *bbolt.Tx) error {
		b := find(tx, u.path()...)
		if b == nil {
			return store.ErrFenced
		}
		for t, l := range leases {
			s, err := u.sync(tx, t)
			if err == nil {
				err = document.Holds(s, l)
			}
			if err == nil {
				err = rewrite(find(tx, u.path("sync")...), []byte(t), document.Forgotten(s))
			}
			if err != nil {
				return err
			}
		}
		var gone [][]byte
		err := b.ForEachBucket(func(name []byte) error {
			if string(name) != "tokens" && string(name) != "sync" {
				gone = append(gone, bytes.Clone(name))
			}
			return nil
		})
		for _, name := range gone {
			err = errors.Join(err, b.DeleteBucket(name))
		}
		return errors.Join(err, u.eraseKeyed(tx))
	})
}
