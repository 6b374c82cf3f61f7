package bolt

import (
	"context"
	"errors"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

// Schema says how far the documents have been brought.
func (s *Store) Schema(ctx context.Context) (kept store.Schema, err error) {
	err = s.view(ctx, "read schema", func(tx *bbolt.Tx) error {
		kept, err = schemaOf(tx)
		return err
	})
	return kept, err
}

func schemaOf(tx *bbolt.Tx) (store.Schema, error) {
	kept, err := get[store.Schema](find(tx, "meta"), []byte("schema"))
	if errors.Is(err, store.ErrNotFound) {
		return store.Schema{}, nil
	}
	return kept, err
}

// UpdateSchema changes it.
func (s *Store) UpdateSchema(ctx context.Context, f func(*store.Schema) error) error {
	return s.update(ctx, "update schema", func(tx *bbolt.Tx) error {
		next, err := schemaOf(tx)
		if err != nil {
			return err
		}
		if err := f(&next); err != nil {
			return callerError{err}
		}
		b, err := need(tx, "meta")
		if err != nil {
			return err
		}
		return rewrite(b, []byte("schema"), next)
	})
}

// Reindex builds the due index anew, of all users at once: in pieces, those of the later ones would be missing meanwhile.
func (s *Store) Reindex(ctx context.Context, _ string, _ int) (string, error) {
	return "", s.update(ctx, "reindex", func(tx *bbolt.Tx) error {
		if err := tx.DeleteBucket([]byte("due")); err != nil && !errors.Is(err, berrors.ErrBucketNotFound) {
			return err
		}
		users := find(tx, "users")
		if users == nil {
			return nil
		}
		return users.ForEachBucket(func(id []byte) error {
			syncs := users.Bucket(id).Bucket([]byte("sync"))
			if syncs == nil {
				return nil
			}
			return syncs.ForEach(func(t, data []byte) error {
				d, err := document.Decode[store.Sync](data)
				if err != nil || d.Due.IsZero() {
					return err
				}
				due, err := need(tx, "due", string(t))
				if err != nil {
					return err
				}
				return due.Put(dueKey(d.Due, string(id)), []byte{})
			})
		})
	})
}
