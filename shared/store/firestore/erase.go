package firestore

import (
	"context"
	"errors"
	"maps"
	"time"

	"cloud.google.com/go/firestore"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

// Erase removes the user's documents in pieces, in an order that lets an interrupted one be repeated: first the profile says so, and
// no document is begun any more; then the sync documents go, which fences off a run that is under way, and the profile last, so that the user
// stays listed until nothing else is left. 1 read and 1 write for each document, and for the profile once more.
func (u *user) Erase(ctx context.Context) error {
	if err := document.ToWrite(u.id); err != nil {
		return wrap("erase user", err)
	}
	return wrap("erase user", u.erase(ctx))
}

// EraseRemains costs 1 read; where there is no profile 1 write more and as much as Erase.
func (u *user) EraseRemains(ctx context.Context) error {
	if err := document.ToWrite(u.id); err != nil {
		return wrap("erase remains of user", err)
	}
	remains := false
	// The profile that it makes keeps others from beginning anything, and goes in the end.
	err := u.s.change(ctx, u.ref(), func(snap *firestore.DocumentSnapshot) (fields, error) {
		if remains = !snap.Exists(); !remains {
			return nil, nil
		}
		return plain(store.Profile{ID: u.id, Erasing: time.Now()})
	})
	if err == nil && remains {
		err = u.erase(ctx)
	}
	return wrap("erase remains of user", err)
}

func (u *user) erase(ctx context.Context) error {
	if err := u.markErasing(ctx); err != nil {
		return err
	}
	syncs, err := u.s.refs(ctx, u.ref().Collection("sync"))
	if err != nil {
		return err
	}
	if err := u.s.remove(ctx, syncs); err != nil {
		return err
	}
	for _, shared := range []string{"claims", "notes", "channels", "seats"} {
		if err := u.eraseShared(ctx, shared); err != nil {
			return err
		}
	}
	if err := u.eraseSyncs(ctx, syncs); err != nil {
		return err
	}
	var last []*firestore.DocumentRef
	for _, c := range []*firestore.CollectionRef{u.ref().Collection("tokens"), u.accessTokens()} {
		refs, err := u.s.refs(ctx, c)
		if err != nil {
			return err
		}
		last = append(last, refs...)
	}
	return u.s.remove(ctx, append(last, u.ref()))
}

// Forget removes what Erase does, but for the profile, the tokens, the channels and the documents of the syncs, which it empties
// first: what an interrupted one leaves belongs to no cursor any more. 1 read and 1 write for each document.
func (u *user) Forget(ctx context.Context, leases map[record.Type]store.Lease) error {
	const op = "forget records"
	var syncs []*firestore.DocumentRef
	for t, l := range leases {
		err := u.changeSync(ctx, op, t, func(s *store.Sync) error {
			*s = document.Forgotten(*s)
			return document.Holds(*s, l)
		})
		if err != nil {
			return err
		}
		syncs = append(syncs, u.syncRef(t))
	}
	for _, shared := range []string{"claims", "notes"} {
		if err := u.eraseShared(ctx, shared); err != nil {
			return wrap(op, err)
		}
	}
	return wrap(op, u.eraseSyncs(ctx, syncs))
}

// eraseSyncs removes what is kept below the documents of syncs, and all runs.
func (u *user) eraseSyncs(ctx context.Context, syncs []*firestore.DocumentRef) error {
	runs, err := u.s.refs(ctx, u.ref().Collection("runs"))
	if err != nil {
		return err
	}
	var children []*firestore.CollectionRef
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
	return u.s.remove(ctx, runs)
}

// markErasing notes on the profile, where there is one, that it is going.
func (u *user) markErasing(ctx context.Context) error {
	return u.s.change(ctx, u.ref(), func(snap *firestore.DocumentSnapshot) (fields, error) {
		p, err := content[store.Profile](snap)
		if errors.Is(err, store.ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		p.Erasing = time.Now()
		next, err := over(snap, p)
		if err == nil {
			maps.Copy(next, queriedProfile(p))
		}
		return next, err
	})
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
