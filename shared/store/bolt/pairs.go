package bolt

import (
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

// PairsBy goes over all pairs: nobody has so many in a file of one's own that an index of ids would pay.
func (u *user) PairsBy(ctx context.Context, t record.Type, side record.Side, ids []string) ([]store.Pair, error) {
	var out []store.Pair
	if len(ids) == 0 {
		return nil, nil
	}
	for p, err := range u.Pairs(ctx, t) {
		if err != nil {
			return nil, err
		}
		if id := p.SideID(side); id != "" && slices.Contains(ids, id) {
			out = append(out, p)
		}
	}
	return out, nil
}

func (u *user) Pairs(ctx context.Context, t record.Type) iter.Seq2[store.Pair, error] {
	return scan(ctx, u.s, "list pairs", func(_ *bbolt.Bucket, _, v []byte) (store.Pair, error) {
		return document.Decode[store.Pair](v)
	}, u.path("pairs", string(t))...)
}

func (u *user) PutPairs(ctx context.Context, t record.Type, pairs []store.Pair) error {
	if err := document.PairsToWrite(pairs); err != nil {
		return fmt.Errorf("put pairs: %w", err)
	}
	return u.update(ctx, "put pairs", []string{string(t)}, func(tx *bbolt.Tx) error {
		return u.putPairs(tx, t, pairs, func(store.Pair, store.Pair) bool { return false })
	})
}

// putPairs writes pairs, but where the kept one stands.
func (u *user) putPairs(tx *bbolt.Tx, t record.Type, pairs []store.Pair, stands func(kept, next store.Pair) bool) error {
	if len(pairs) == 0 {
		return nil
	}
	b, err := u.need(tx, "pairs", string(t))
	if err != nil {
		return err
	}
	for _, p := range pairs {
		kept, err := get[store.Pair](b, []byte(p.ID))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if stands(kept, p) {
			continue
		}
		if err := put(b, []byte(p.ID), p); err != nil {
			return err
		}
	}
	return nil
}

func (u *user) DeletePairs(ctx context.Context, t record.Type, ids []string) error {
	return u.update(ctx, "delete pairs", append([]string{string(t)}, ids...), func(tx *bbolt.Tx) error {
		return u.deletePairs(tx, t, ids)
	})
}

func (u *user) deletePairs(tx *bbolt.Tx, t record.Type, ids []string) error {
	b := find(tx, u.path("pairs", string(t))...)
	if b == nil {
		return nil
	}
	for _, id := range ids {
		if err := b.Delete([]byte(id)); err != nil {
			return err
		}
	}
	return nil
}
