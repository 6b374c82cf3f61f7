package firestore

import (
	"context"
	"iter"
	"slices"

	"cloud.google.com/go/firestore"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

func (u *user) pairs(t record.Type) *firestore.CollectionRef {
	return u.syncRef(t).Collection("pairs")
}

// pairFields are the fields of a pair.
func pairFields(p store.Pair) (fields, error) {
	f, err := plain(p)
	if err != nil {
		return nil, err
	}
	for _, side := range record.Sides {
		if id := p.SideID(side); id != "" {
			f[idField(side)] = id
		}
	}
	return f, nil
}

// PairsBy costs 1 read for each pair, at least 1 for every 30 ids.
func (u *user) PairsBy(ctx context.Context, t record.Type, side record.Side, ids []string) ([]store.Pair, error) {
	if document.ToRead(u.id, string(t)) != nil {
		return nil, nil
	}
	pairs, err := anyOf[store.Pair](ctx, u.s, u.pairs(t), idField(side), ids)
	return pairs, wrap("find pairs", err)
}

// Pairs costs 1 read for each, at least 1.
func (u *user) Pairs(ctx context.Context, t record.Type) iter.Seq2[store.Pair, error] {
	if document.ToRead(u.id, string(t)) != nil {
		return func(func(store.Pair, error) bool) {}
	}
	return list[store.Pair](ctx, u.s, "list pairs", byID(u.pairs(t)))
}

// PutPairs costs 1 write for each, and 1 read for every 300.
func (u *user) PutPairs(ctx context.Context, t record.Type, pairs []store.Pair) error {
	if err := document.ToWrite(u.id, string(t)); err != nil {
		return wrap("put pairs", err)
	}
	if err := document.PairsToWrite(pairs); err != nil {
		return wrap("put pairs", err)
	}
	for piece := range slices.Chunk(pairs, pageSize) {
		err := u.s.transact(ctx, func(get reader, tx *firestore.Transaction) (int, error) {
			if _, err := u.there(get); err != nil {
				return 0, err
			}
			for _, p := range piece {
				f, err := pairFields(p)
				if err != nil {
					return 0, err
				}
				if err := tx.Set(u.pairs(t).Doc(p.ID), f.present()); err != nil {
					return 0, err
				}
			}
			return len(piece), nil
		})
		if err != nil {
			return wrap("put pairs", err)
		}
	}
	return nil
}

// DeletePairs costs 1 write for each.
func (u *user) DeletePairs(ctx context.Context, t record.Type, ids []string) error {
	if err := document.ToWrite(append([]string{u.id, string(t)}, ids...)...); err != nil {
		return wrap("delete pairs", err)
	}
	refs := make([]*firestore.DocumentRef, len(ids))
	for n, id := range ids {
		refs[n] = u.pairs(t).Doc(id)
	}
	return wrap("delete pairs", u.s.remove(ctx, refs))
}
