package firestore

import (
	"context"

	"cloud.google.com/go/firestore"

	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

// Erase removes the user's documents in pieces, in an order that lets an interrupted one be repeated: the sync
// documents first, which fences off a run that is under way, and the profile last, so that the user stays listed until
// nothing else is left. 1 read and 1 write for each document.
func (u *user) Erase(ctx context.Context) error {
	if err := document.ToWrite(u.id); err != nil {
		return wrap("erase user", err)
	}
	return wrap("erase user", u.erase(ctx))
}

func (u *user) erase(ctx context.Context) error {
	syncs, err := u.s.refs(ctx, u.ref().Collection("sync"))
	if err != nil {
		return err
	}
	if err := u.s.remove(ctx, syncs); err != nil {
		return err
	}
	for _, shared := range []string{"claims", "notes", "channels"} {
		if err := u.eraseShared(ctx, shared); err != nil {
			return err
		}
	}
	runs, err := u.s.refs(ctx, u.ref().Collection("runs"))
	if err != nil {
		return err
	}
	children := []*firestore.CollectionRef{u.ref().Collection("tokens"), u.accessTokens()}
	for _, ref := range syncs {
		blobs, err := u.s.refs(ctx, ref.Collection("blobs"))
		if err != nil {
			return err
		}
		for _, blob := range blobs {
			children = append(children, blob.Collection("pieces"))
		}
		children = append(children, ref.Collection("links"), ref.Collection("pairs"), ref.Collection("blobs"), ref.Collection("rosters"), ref.Collection("pieces"))
	}
	for _, ref := range runs {
		children = append(children, ref.Collection("changes"))
	}
	for _, c := range children {
		refs, err := u.s.refs(ctx, c)
		if err != nil {
			return err
		}
		if err := u.s.remove(ctx, refs); err != nil {
			return err
		}
	}
	return u.s.remove(ctx, append(runs, u.ref()))
}

// eraseShared removes the user's documents from a collection of everybody's.
func (u *user) eraseShared(ctx context.Context, collection string) error {
	for {
		snaps, err := u.s.query(ctx, u.shared(collection).Limit(pageSize).Select())
		if err != nil {
			return err
		}
		refs := make([]*firestore.DocumentRef, len(snaps))
		for n, snap := range snaps {
			refs[n] = snap.Ref
		}
		if err := u.s.remove(ctx, refs); err != nil || len(refs) < pageSize {
			return err
		}
	}
}

// shared are the user's documents in a collection of everybody's.
func (u *user) shared(collection string) firestore.Query {
	return u.s.client.Collection(collection).Where("user", "==", u.id)
}
