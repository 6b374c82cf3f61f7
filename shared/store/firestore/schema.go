package firestore

import (
	"context"
	"errors"

	"cloud.google.com/go/firestore"
	"golang.org/x/sync/errgroup"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

func (s *Store) schemaRef() *firestore.DocumentRef { return s.client.Collection("meta").Doc("schema") }

// Schema costs 1 read.
func (s *Store) Schema(ctx context.Context) (store.Schema, error) {
	snap, err := s.get(ctx, s.schemaRef())
	if err != nil {
		return store.Schema{}, wrap("read schema", err)
	}
	kept, err := s.schemaOf(snap)
	return kept, wrap("read schema", err)
}

// schemaOf reads the schema, and what follows from it for what is written from now on.
func (s *Store) schemaOf(snap *firestore.DocumentSnapshot) (store.Schema, error) {
	kept, err := content[store.Schema](snap)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return store.Schema{}, err
	}
	s.version.Store(int64(kept.Version))
	return kept, nil
}

// UpdateSchema costs 1 read and 1 write; both again where somebody else changed it at the same time.
func (s *Store) UpdateSchema(ctx context.Context, f func(*store.Schema) error) error {
	var next store.Schema
	err := s.change(ctx, s.schemaRef(), func(snap *firestore.DocumentSnapshot) (fields, error) {
		var err error
		if next, err = s.schemaOf(snap); err != nil {
			return nil, err
		}
		if err := f(&next); err != nil {
			return nil, callerError{err}
		}
		return over(snap, next)
	})
	if err == nil {
		s.version.Store(int64(next.Version))
	}
	return wrap("update schema", err)
}

// Reindex costs 3 reads for each user, at least 1, and 1 write for each sync whose fields differ from its content; for each
// user whose fields do, 1 read more and 1 write.
func (s *Store) Reindex(ctx context.Context, after string, limit int) (string, error) {
	const atOnce = 16
	q := s.client.Collection("users").OrderBy(firestore.DocumentID, firestore.Asc).Limit(limit)
	if after != "" {
		q = q.StartAfter(after)
	}
	snaps, err := s.query(ctx, q)
	if err != nil || len(snaps) == 0 {
		return "", wrap("reindex", err)
	}
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for _, snap := range snaps {
		u := &user{s: s, id: snap.Ref.ID}
		g.Go(func() error {
			if next, err := reindexedProfile(snap); next == nil {
				return err
			}
			return s.change(inner, u.ref(), reindexedProfile)
		})
		for _, t := range []record.Type{record.Contacts, record.Activities} {
			g.Go(func() error { return s.change(inner, u.syncRef(t), u.reindexed) })
		}
	}
	if err := g.Wait(); err != nil {
		return "", wrap("reindex", err)
	}
	return snaps[len(snaps)-1].Ref.ID, nil
}

// reindexed are the fields beside a sync's content; nil where there is no sync, or where they are there already.
func (u *user) reindexed(snap *firestore.DocumentSnapshot) (fields, error) {
	s, err := content[store.Sync](snap)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	s.Type = record.Type(snap.Ref.ID)
	return differing(snap, queried(u.id, s, shard(u.id, manyShards))), nil
}

// reindexedProfile is the same for a profile.
func reindexedProfile(snap *firestore.DocumentSnapshot) (fields, error) {
	p, err := content[store.Profile](snap)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return differing(snap, queriedProfile(p)), nil
}

// differing is what shall stand beside a document's content; nil where it does.
func differing(snap *firestore.DocumentSnapshot, want fields) fields {
	for name, value := range stored(want) {
		if have, err := snap.DataAt(name); err != nil || have != value {
			return want
		}
	}
	for name := range snap.Data() {
		if want[name] == firestore.Delete {
			return want
		}
	}
	return nil
}

// stored are fields as they are read: Firestore knows one kind of whole numbers.
func stored(f fields) map[string]any {
	out := f.present()
	for name, value := range out {
		if n, ok := value.(int); ok {
			out[name] = int64(n)
		}
	}
	return out
}
