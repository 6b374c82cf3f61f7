package firestore

import (
	"context"
	"errors"
	"maps"
	"strings"
	"time"

	"cloud.google.com/go/firestore"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

// user is the documents of one user. Every reference starts at the user's document.
type user struct {
	s  *Store
	id string
}

func (u *user) ID() string { return u.id }

func (u *user) ref() *firestore.DocumentRef { return u.s.client.Collection("users").Doc(u.id) }

func (u *user) tokenRef(side record.Side) *firestore.DocumentRef {
	return u.ref().Collection("tokens").Doc(string(side))
}

func (u *user) syncRef(t record.Type) *firestore.DocumentRef {
	return u.ref().Collection("sync").Doc(string(t))
}

// Profile costs 1 read.
func (u *user) Profile(ctx context.Context) (store.Profile, error) {
	p, err := read[store.Profile](ctx, u, u.ref, u.id)
	return p, wrap("read profile", err)
}

// read reads a document of the user; ids are those in its key.
func read[D document.Document](ctx context.Context, u *user, ref func() *firestore.DocumentRef, ids ...string) (D, error) {
	var none D
	if err := document.ToRead(ids...); err != nil {
		return none, err
	}
	snap, err := u.s.get(ctx, ref())
	if err != nil {
		return none, err
	}
	return content[D](snap)
}

// UpdateProfile costs 1 read and 1 write; both again where somebody else changed it at the same time.
func (u *user) UpdateProfile(ctx context.Context, f func(*store.Profile) error) error {
	if err := document.ToWrite(u.id); err != nil {
		return wrap("update profile", err)
	}
	return wrap("update profile", u.s.change(ctx, u.ref(), func(snap *firestore.DocumentSnapshot) (fields, error) {
		p, err := content[store.Profile](snap)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		p.ID = u.id
		if err := f(&p); err != nil {
			return nil, callerError{err}
		}
		p.ID = u.id
		next, err := over(snap, p)
		if err == nil {
			maps.Copy(next, queriedProfile(p))
		}
		return next, err
	}))
}

// queriedProfile are the fields of a profile beside its content.
func queriedProfile(p store.Profile) fields {
	f := fields{"linked": p.Google.Linked && p.Creatio.Linked, "contact": any(firestore.Delete), "email": any(firestore.Delete)}
	if contact := strings.ToLower(p.Creatio.ContactID); contact != "" {
		f["contact"] = contact
	}
	if email := strings.ToLower(p.Google.Email); email != "" {
		f["email"] = email
	}
	return f
}

// plain is a document of which nothing is queried, in place of whatever is kept.
func plain[D document.Document](d D) (fields, error) { return over(nil, d) }

// over is a document of which nothing is queried, as it was changed since it was read; see document.Over.
func over[D document.Document](snap *firestore.DocumentSnapshot, d D) (fields, error) {
	var kept []byte
	if snap != nil && snap.Exists() {
		kept, _ = snap.Data()["doc"].([]byte)
	}
	doc, err := document.Over(kept, d)
	if err != nil {
		return nil, err
	}
	if len(doc) > longestDoc {
		return nil, fault.Errorf(fault.Bug, document.Side, "too-large", "a %T of %d bytes is more than Firestore keeps", d, len(doc))
	}
	return fields{"doc": doc}, nil
}

// Token costs 1 read.
func (u *user) Token(ctx context.Context, side record.Side) (store.Token, error) {
	t, err := read[store.Token](ctx, u, func() *firestore.DocumentRef { return u.tokenRef(side) }, u.id, string(side))
	return t, wrap("read token", err)
}

// PutToken costs 1 read and 1 write.
func (u *user) PutToken(ctx context.Context, side record.Side, t store.Token) error {
	if err := document.ToWrite(u.id, string(side)); err != nil {
		return wrap("put token", err)
	}
	f, err := plain(t)
	if err == nil {
		err = u.begin(ctx, u.tokenRef(side), f)
	}
	return wrap("put token", err)
}

// SwapToken costs 1 read, and 1 write where it swaps.
func (u *user) SwapToken(ctx context.Context, side record.Side, old, new store.Token) (bool, error) {
	if err := document.ToWrite(u.id, string(side)); err != nil {
		return false, wrap("swap token", err)
	}
	swapped := false
	err := u.s.change(ctx, u.tokenRef(side), func(snap *firestore.DocumentSnapshot) (fields, error) {
		swapped = false
		kept, err := content[store.Token](snap)
		if errors.Is(err, store.ErrNotFound) || err == nil && kept.Version != old.Version {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		swapped = true
		return plain(new)
	})
	return swapped && err == nil, wrap("swap token", err)
}

// DeleteToken costs 1 write.
func (u *user) DeleteToken(ctx context.Context, side record.Side) error {
	if err := document.ToWrite(u.id, string(side)); err != nil {
		return wrap("delete token", err)
	}
	if _, err := u.tokenRef(side).Delete(ctx); err != nil {
		return wrap("delete token", classify(err, true))
	}
	u.s.observe(0, 1)
	return nil
}

// Sync costs 1 read.
func (u *user) Sync(ctx context.Context, t record.Type) (store.Sync, error) {
	if err := document.ToWrite(u.id, string(t)); err != nil {
		return store.Sync{}, wrap("read sync", err)
	}
	snap, err := u.s.get(ctx, u.syncRef(t))
	if err != nil {
		return store.Sync{}, wrap("read sync", err)
	}
	s, err := syncOf(snap, t)
	return s, wrap("read sync", err)
}

// syncOf reads the document of a sync type, or makes the one that stands for none.
func syncOf(snap *firestore.DocumentSnapshot, t record.Type) (store.Sync, error) {
	s, err := content[store.Sync](snap)
	if errors.Is(err, store.ErrNotFound) {
		return document.NewSync(t), nil
	}
	return s, err
}

// syncFields are the fields of a sync that was changed since it was read.
func (u *user) syncFields(snap *firestore.DocumentSnapshot, s store.Sync) (fields, error) {
	f, err := over(snap, s)
	if err != nil {
		return nil, err
	}
	maps.Copy(f, queried(u.id, s, shard(u.id, u.s.shards())))
	return f, nil
}

// queried are the fields of a sync beside its content.
func queried(user string, s store.Sync, shard int) fields {
	f := fields{"type": string(s.Type), "shard": shard, "due": any(firestore.Delete)}
	if !s.Due.IsZero() {
		f["due"] = document.Time(s.Due)
	}
	maps.Copy(f, statusFields(user, s))
	return f
}

// changeSync changes the document of a sync type. 1 read, where there is no document 3; 1 write unless f refuses.
//
// A document that is there has a profile: Erase removes it before, and what was read before that is not written any more. Only
// one that is not there has to be begun, with a look at the profile.
func (u *user) changeSync(ctx context.Context, op string, t record.Type, f func(*store.Sync) error) error {
	if err := document.ToWrite(u.id, string(t)); err != nil {
		return wrap(op, err)
	}
	next := func(snap *firestore.DocumentSnapshot) (fields, error) {
		s, err := syncOf(snap, t)
		if err != nil {
			return nil, err
		}
		if err := f(&s); err != nil {
			return nil, err
		}
		return u.syncFields(snap, s)
	}
	missing := false
	err := u.s.change(ctx, u.syncRef(t), func(snap *firestore.DocumentSnapshot) (fields, error) {
		if missing = !snap.Exists(); missing {
			return nil, nil
		}
		return next(snap)
	})
	if err == nil && missing {
		err = u.beginSync(ctx, t, next)
	}
	return wrap(op, err)
}

// beginSync writes a sync that was not there.
func (u *user) beginSync(ctx context.Context, t record.Type, next func(*firestore.DocumentSnapshot) (fields, error)) error {
	return u.s.transact(ctx, func(get reader, tx *firestore.Transaction) (int, error) {
		snaps, gone := u.there(get, u.syncRef(t))
		if gone != nil && !errors.Is(gone, store.ErrNotFound) {
			return 0, gone
		}
		// Who holds a lease of what was erased shall know that it is lost.
		f, err := next(snaps[0])
		if err == nil {
			err = gone
		}
		if err != nil {
			return 0, err
		}
		return 1, tx.Set(u.syncRef(t), f.present())
	})
}

// there makes sure in a transaction that the user has a profile and is not being erased, and reads other documents with it, also where
// that is ErrNotFound.
func (u *user) there(get reader, others ...*firestore.DocumentRef) ([]*firestore.DocumentSnapshot, error) {
	snaps, err := get(append([]*firestore.DocumentRef{u.ref()}, others...)...)
	if err != nil {
		return nil, err
	}
	p, err := content[store.Profile](snaps[0])
	if err == nil && !p.Erasing.IsZero() {
		err = store.ErrNotFound
	}
	return snaps[1:], err
}

// begin writes a document of the user in place of what there is, which may be nothing. 1 read and 1 write.
func (u *user) begin(ctx context.Context, ref *firestore.DocumentRef, f fields) error {
	return u.s.transact(ctx, func(get reader, tx *firestore.Transaction) (int, error) {
		if _, err := u.there(get); err != nil {
			return 0, err
		}
		return 1, tx.Set(ref, f.present())
	})
}

// UpdateSync costs 1 read and 1 write, both again where somebody else changed it at the same time; 2 reads more where there is none.
func (u *user) UpdateSync(ctx context.Context, t record.Type, f func(*store.Sync) error) error {
	return u.changeSync(ctx, "update sync", t, func(s *store.Sync) error {
		if err := document.Change(s, f); err != nil {
			return callerError{err}
		}
		return nil
	})
}

// Acquire costs 1 read, and 1 write where the lease is free; 2 reads more where there is no document.
func (u *user) Acquire(ctx context.Context, t record.Type, owner string, now time.Time, ttl time.Duration) (store.Sync, store.Lease, error) {
	var held store.Sync
	err := u.changeSync(ctx, "acquire lease", t, func(s *store.Sync) error {
		_, err := document.Grant(s, owner, now, ttl)
		held = *s
		return err
	})
	if err != nil {
		return store.Sync{}, store.Lease{}, err
	}
	return held, held.Lease, nil
}

// Renew costs 1 read, and 1 write where the lease is held.
func (u *user) Renew(ctx context.Context, t record.Type, l store.Lease, now time.Time, ttl time.Duration) error {
	return u.changeSync(ctx, "renew lease", t, func(s *store.Sync) error { return document.Extend(s, l, now, ttl) })
}

// Release costs 1 read, and 1 write where the lease is held.
func (u *user) Release(ctx context.Context, t record.Type, l store.Lease) error {
	err := u.changeSync(ctx, "release lease", t, func(s *store.Sync) error {
		if err := document.Holds(*s, l); err != nil {
			return err
		}
		document.GiveUp(s)
		return nil
	})
	if errors.Is(err, store.ErrFenced) {
		return nil
	}
	return err
}

// Commit costs 1 read and 2 writes.
func (u *user) Commit(ctx context.Context, t record.Type, l store.Lease, r store.Run, f func(*store.Sync) error) error {
	if err := document.ToWrite(u.id, string(t), r.ID); err != nil {
		return wrap("commit run", err)
	}
	run, err := u.runFields(nil, r)
	if err != nil {
		return wrap("commit run", err)
	}
	return wrap("commit run", u.s.transact(ctx, func(get reader, tx *firestore.Transaction) (int, error) {
		snap, s, err := u.held(get, t, l)
		if err != nil {
			return 0, err
		}
		if err := document.Change(&s, f); err != nil {
			return 0, callerError{err}
		}
		document.Free(&s)
		next, err := u.syncFields(snap, s)
		if err != nil {
			return 0, err
		}
		if err := tx.Set(u.syncRef(t), next.present()); err != nil {
			return 0, err
		}
		return 2, tx.Set(u.runRef(r.ID), run.present())
	}))
}

// fenced makes sure in a transaction that the lease is held, and reads other documents with the one that says so.
func (u *user) fenced(get reader, t record.Type, l store.Lease, others ...*firestore.DocumentRef) ([]*firestore.DocumentSnapshot, error) {
	snaps, err := get(append([]*firestore.DocumentRef{u.syncRef(t)}, others...)...)
	if err != nil {
		return nil, err
	}
	s, err := syncOf(snaps[0], t)
	if err != nil {
		return nil, err
	}
	return snaps[1:], document.Holds(s, l)
}

// held reads the document of a sync type in a transaction, to change it, and makes sure that the lease is held.
func (u *user) held(get reader, t record.Type, l store.Lease) (*firestore.DocumentSnapshot, store.Sync, error) {
	snaps, err := get(u.syncRef(t))
	if err != nil {
		return nil, store.Sync{}, err
	}
	s, err := syncOf(snaps[0], t)
	if err != nil {
		return nil, store.Sync{}, err
	}
	return snaps[0], s, document.Holds(s, l)
}
