package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

func (u *user) Blob(ctx context.Context, t record.Type, name string) (data []byte, err error) {
	if err := document.BlobToRead(name); err != nil {
		return nil, fmt.Errorf("read blob: %w", err)
	}
	err = u.view(ctx, "read blob", []string{string(t)}, func(tx *bbolt.Tx) error {
		if data = u.blob(tx, t, name); data == nil {
			return store.ErrNotFound
		}
		return nil
	})
	return data, err
}

// blob is a copy of the bytes under a name, those of a former version too; nil where there are none.
func (u *user) blob(tx *bbolt.Tx, t record.Type, name string) []byte {
	if b := find(tx, u.path("blobs", string(t))...); b != nil {
		if data := b.Get([]byte(name)); data != nil {
			return bytes.Clone(data)
		}
	}
	if side, is := store.IsMembersBlob(name); is {
		if former := find(tx, u.path("rosters", string(t))...); former != nil {
			return bytes.Clone(former.Get([]byte(side)))
		}
	}
	return nil
}

func (u *user) Blobs(ctx context.Context, t record.Type) iter.Seq2[store.Blob, error] {
	return func(yield func(store.Blob, error) bool) {
		names := map[string]bool{}
		err := u.view(ctx, "list blobs", []string{string(t)}, func(tx *bbolt.Tx) error {
			if b := find(tx, u.path("blobs", string(t))...); b != nil {
				for k := range keys(b) {
					names[k] = true
				}
			}
			if b := find(tx, u.path("rosters", string(t))...); b != nil {
				for k := range keys(b) {
					names[store.MembersBlob(record.Side(k))] = true
				}
			}
			return nil
		})
		if err := none(err); err != nil {
			yield(store.Blob{}, err)
			return
		}
		for name := range names {
			data, err := u.Blob(ctx, t, name)
			if errors.Is(err, store.ErrNotFound) {
				// It was removed meanwhile.
				continue
			}
			if !yield(store.Blob{Name: name, Data: data}, err) || err != nil {
				return
			}
		}
	}
}

// keys are the keys of a bucket.
func keys(b *bbolt.Bucket) iter.Seq[string] {
	return func(yield func(string) bool) {
		c := b.Cursor()
		for k, _ := c.First(); k != nil && yield(string(k)); k, _ = c.Next() {
		}
	}
}

func (u *user) PutBlob(ctx context.Context, t record.Type, l store.Lease, name string, data []byte) error {
	if err := document.BlobToWrite(name); err != nil {
		return fmt.Errorf("put blob: %w", err)
	}
	return u.update(ctx, "put blob", []string{string(t)}, func(tx *bbolt.Tx) error {
		s, err := u.sync(tx, t)
		if err != nil {
			return err
		}
		if err := document.Holds(s, l); err != nil {
			return err
		}
		if side, is := store.IsMembersBlob(name); is {
			if former := find(tx, u.path("rosters", string(t))...); former != nil {
				if err := former.Delete([]byte(side)); err != nil {
					return err
				}
			}
		}
		b, err := need(tx, u.path("blobs", string(t))...)
		if err != nil {
			return err
		}
		if len(data) == 0 {
			return b.Delete([]byte(name))
		}
		return b.Put([]byte(name), data)
	})
}

// MoveMemberSets moves those of all users at once.
func (s *Store) MoveMemberSets(ctx context.Context, _ string, _ int) (string, error) {
	return "", s.update(ctx, "move member sets", func(tx *bbolt.Tx) error {
		users := find(tx, "users")
		if users == nil {
			return nil
		}
		for _, id := range slices.Collect(keys(users)) {
			if err := (&user{s, id}).moveMemberSets(tx); err != nil {
				return err
			}
		}
		return nil
	})
}

func (u *user) moveMemberSets(tx *bbolt.Tx) error {
	former := find(tx, u.path("rosters")...)
	if former == nil {
		return nil
	}
	err := former.ForEachBucket(func(t []byte) error {
		b, err := need(tx, u.path("blobs", string(t))...)
		if err != nil {
			return err
		}
		return former.Bucket(t).ForEach(func(side, data []byte) error {
			name := []byte(store.MembersBlob(record.Side(side)))
			if b.Get(name) != nil {
				return nil
			}
			return b.Put(name, bytes.Clone(data))
		})
	})
	if err != nil {
		return err
	}
	return find(tx, u.path()...).DeleteBucket([]byte("rosters"))
}
