package firestore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"cloud.google.com/go/firestore"
	"golang.org/x/sync/errgroup"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// Former versions keep a member set in a collection of its own, in parts as a piece of a run's changes: a head, whose key is
// the side, and its tail, whose keys are the side and the part's number.

// moved is the migration after which no member set is where former versions keep them.
const moved = 2

// formerMemberSetRef is the document of a member set of former versions, or of a part of its tail.
func (u *user) formerMemberSetRef(t record.Type, side string, n int) *firestore.DocumentRef {
	key := side
	if n > 0 {
		key = fmt.Sprintf("%s-%06d", side, n)
	}
	return u.syncRef(t).Collection("rosters").Doc(key)
}

// isHead tells the head of a former member set from its tail.
func isHead(key string) bool { return !strings.Contains(key, "-") }

// formerMemberSets are the documents of former member sets.
func (u *user) formerMemberSets(ctx context.Context, t record.Type) ([]*firestore.DocumentRef, error) {
	snaps, err := u.s.query(ctx, u.syncRef(t).Collection("rosters").Select())
	if err != nil {
		return nil, err
	}
	refs := make([]*firestore.DocumentRef, len(snaps))
	for n, snap := range snaps {
		refs[n] = snap.Ref
	}
	return refs, nil
}

// formerMemberSet is a member set as former versions keep it, in the form that a blob has.
func (u *user) formerMemberSet(ctx context.Context, t record.Type, side string) ([]byte, error) {
	snap, err := u.s.get(ctx, u.formerMemberSetRef(t, side, 0))
	if err != nil {
		return nil, err
	}
	head, err := headOf(snap)
	if err != nil {
		return nil, err
	}
	data := head.Doc
	for n := 1; n < head.Parts; n++ {
		snap, err := u.s.get(ctx, u.formerMemberSetRef(t, side, n))
		if err != nil {
			return nil, err
		}
		p, err := headOf(snap)
		if err == nil && p.Version != head.Version {
			// Read while it was being replaced.
			err = store.ErrNotFound
		}
		if err != nil {
			return nil, err
		}
		data = append(data, p.Doc...)
	}
	return data, nil
}

// MoveMemberSets costs 1 read for each user and 2 more, at least 1; where there is something to move, 4 reads for each 900 kB
// and 2 writes.
func (s *Store) MoveMemberSets(ctx context.Context, after string, limit int) (string, error) {
	const atOnce = 16
	q := s.client.Collection("users").OrderBy(firestore.DocumentID, firestore.Asc).Limit(limit).Select()
	if after != "" {
		q = q.StartAfter(after)
	}
	snaps, err := s.query(ctx, q)
	if err != nil || len(snaps) == 0 {
		return "", wrap("move member sets", err)
	}
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for _, snap := range snaps {
		u := &user{s: s, id: snap.Ref.ID}
		for _, t := range []record.Type{record.Contacts, record.Activities} {
			g.Go(func() error { return u.moveMemberSets(inner, t) })
		}
	}
	if err := g.Wait(); err != nil {
		return "", wrap("move member sets", err)
	}
	return snaps[len(snaps)-1].Ref.ID, nil
}

// moveMemberSets removes them from where they were when they are blobs, so that it can be cut off anywhere.
func (u *user) moveMemberSets(ctx context.Context, t record.Type) error {
	refs, err := u.formerMemberSets(ctx, t)
	if err != nil || len(refs) == 0 {
		return err
	}
	for _, ref := range refs {
		if !isHead(ref.ID) {
			continue
		}
		data, err := u.formerMemberSet(ctx, t, ref.ID)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		w := blobWrite{
			ref: u.blobs(t).Doc(blobKey(store.MembersBlob(record.Side(ref.ID)))), parts: split(data), once: true,
			slot: func(blobHead) string { return movedSlot },
		}
		err = w.put(ctx, u.s, func(get reader, others ...*firestore.DocumentRef) ([]*firestore.DocumentSnapshot, error) {
			return u.there(get, others...)
		})
		if err != nil && !errors.Is(err, errThere) && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return u.s.remove(ctx, refs)
}
