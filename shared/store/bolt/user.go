package bolt

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

// user is the documents of one user. Every path starts with the user's bucket.
type user struct {
	s  *Store
	id string
}

func (u *user) ID() string { return u.id }

// path names a bucket of the user.
func (u *user) path(names ...string) []string { return append([]string{"users", u.id}, names...) }

// view reads; ids are those of the wanted document.
func (u *user) view(ctx context.Context, op string, ids []string, f func(*bbolt.Tx) error) error {
	if err := document.ToRead(append(ids, u.id)...); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return u.s.view(ctx, op, f)
}

// need opens nested buckets of a user who has a profile, and makes those that are missing.
func (u *user) need(tx *bbolt.Tx, names ...string) (*bbolt.Bucket, error) {
	if err := there(tx, u.id); err != nil {
		return nil, err
	}
	return need(tx, u.path(names...)...)
}

// there is ErrNotFound for a user who has no profile: nobody's documents are written then.
func there(tx *bbolt.Tx, user string) error {
	if b := find(tx, "users", user); b == nil || b.Get([]byte("profile")) == nil {
		return store.ErrNotFound
	}
	return nil
}

// update writes; ids are those of the written documents.
func (u *user) update(ctx context.Context, op string, ids []string, f func(*bbolt.Tx) error) error {
	if err := document.ToWrite(append(ids, u.id)...); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return u.s.update(ctx, op, f)
}

func (u *user) Profile(ctx context.Context) (p store.Profile, err error) {
	err = u.view(ctx, "read profile", nil, func(tx *bbolt.Tx) error {
		p, err = get[store.Profile](find(tx, u.path()...), []byte("profile"))
		return err
	})
	return p, err
}

func (u *user) UpdateProfile(ctx context.Context, f func(*store.Profile) error) error {
	return u.update(ctx, "update profile", nil, func(tx *bbolt.Tx) error {
		p, err := get[store.Profile](find(tx, u.path()...), []byte("profile"))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		p.ID = u.id
		if err := f(&p); err != nil {
			return callerError{err}
		}
		p.ID = u.id
		b, err := need(tx, u.path()...)
		if err != nil {
			return err
		}
		return rewrite(b, []byte("profile"), p)
	})
}

func (u *user) Token(ctx context.Context, side record.Side) (t store.Token, err error) {
	err = u.view(ctx, "read token", []string{string(side)}, func(tx *bbolt.Tx) error {
		t, err = get[store.Token](find(tx, u.path("tokens")...), []byte(side))
		return err
	})
	return t, err
}

func (u *user) PutToken(ctx context.Context, side record.Side, t store.Token) error {
	return u.update(ctx, "put token", []string{string(side)}, func(tx *bbolt.Tx) error {
		b, err := u.need(tx, "tokens")
		if err != nil {
			return err
		}
		return put(b, []byte(side), t)
	})
}

func (u *user) SwapToken(ctx context.Context, side record.Side, old, new store.Token) (swapped bool, err error) {
	err = u.update(ctx, "swap token", []string{string(side)}, func(tx *bbolt.Tx) error {
		b := find(tx, u.path("tokens")...)
		kept, err := get[store.Token](b, []byte(side))
		if errors.Is(err, store.ErrNotFound) || err == nil && kept.Version != old.Version {
			return nil
		}
		if err != nil {
			return err
		}
		swapped = true
		return put(b, []byte(side), new)
	})
	return swapped && err == nil, err
}

func (u *user) DeleteToken(ctx context.Context, side record.Side) error {
	return u.update(ctx, "delete token", []string{string(side)}, func(tx *bbolt.Tx) error {
		if b := find(tx, u.path("tokens")...); b != nil {
			return b.Delete([]byte(side))
		}
		return nil
	})
}

func (u *user) Sync(ctx context.Context, t record.Type) (s store.Sync, err error) {
	if err := document.ToWrite(u.id, string(t)); err != nil {
		return s, fmt.Errorf("read sync: %w", err)
	}
	err = u.view(ctx, "read sync", nil, func(tx *bbolt.Tx) error {
		s, err = u.sync(tx, t)
		return err
	})
	return s, err
}

func (u *user) UpdateSync(ctx context.Context, t record.Type, f func(*store.Sync) error) error {
	return u.changeSync(ctx, "update sync", t, func(_ *bbolt.Tx, s *store.Sync) error {
		if err := document.Change(s, f); err != nil {
			return callerError{err}
		}
		return nil
	})
}

func (u *user) Acquire(ctx context.Context, t record.Type, owner string, now time.Time, ttl time.Duration) (store.Sync, store.Lease, error) {
	var held store.Sync
	err := u.changeSync(ctx, "acquire lease", t, func(_ *bbolt.Tx, s *store.Sync) error {
		_, err := document.Grant(s, owner, now, ttl)
		held = *s
		return err
	})
	if err != nil {
		return store.Sync{}, store.Lease{}, err
	}
	return held, held.Lease, nil
}

func (u *user) Renew(ctx context.Context, t record.Type, l store.Lease, now time.Time, ttl time.Duration) error {
	return u.changeSync(ctx, "renew lease", t, func(_ *bbolt.Tx, s *store.Sync) error {
		return document.Extend(s, l, now, ttl)
	})
}

func (u *user) Release(ctx context.Context, t record.Type, l store.Lease) error {
	err := u.changeSync(ctx, "release lease", t, func(_ *bbolt.Tx, s *store.Sync) error {
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

func (u *user) Commit(ctx context.Context, t record.Type, l store.Lease, r store.Run, f func(*store.Sync) error) error {
	if err := document.ToWrite(r.ID); err != nil {
		return fmt.Errorf("commit run: %w", err)
	}
	return u.changeSync(ctx, "commit run", t, func(tx *bbolt.Tx, s *store.Sync) error {
		if err := document.Holds(*s, l); err != nil {
			return err
		}
		if err := document.Change(s, f); err != nil {
			return callerError{err}
		}
		document.Free(s)
		return u.putRun(tx, r)
	})
}

// sync reads the document of a sync type, or makes the one that stands for none.
func (u *user) sync(tx *bbolt.Tx, t record.Type) (store.Sync, error) {
	s, err := get[store.Sync](find(tx, u.path("sync")...), []byte(t))
	if errors.Is(err, store.ErrNotFound) {
		return document.NewSync(t), nil
	}
	return s, err
}

// changeSync changes the document of a sync type and the due index with it.
func (u *user) changeSync(ctx context.Context, op string, t record.Type, f func(*bbolt.Tx, *store.Sync) error) error {
	return u.update(ctx, op, []string{string(t)}, func(tx *bbolt.Tx) error {
		s, err := u.sync(tx, t)
		if err != nil {
			return err
		}
		before := s.Due
		if err := f(tx, &s); err != nil {
			return err
		}
		due, err := need(tx, "due", string(t))
		if err != nil {
			return err
		}
		if !before.IsZero() {
			if err := due.Delete(dueKey(before, u.id)); err != nil {
				return err
			}
		}
		if !s.Due.IsZero() {
			if err := due.Put(dueKey(s.Due, u.id), []byte{}); err != nil {
				return err
			}
		}
		b, err := u.need(tx, "sync")
		if err != nil {
			return err
		}
		return rewrite(b, []byte(t), s)
	})
}

// Erase removes the user's bucket, and the user from the due index, the claims, the notes, the channels and the seats.
func (u *user) Erase(ctx context.Context) error {
	return u.update(ctx, "erase user", nil, u.erase)
}

func (u *user) EraseRemains(ctx context.Context) error {
	return u.update(ctx, "erase remains of user", nil, func(tx *bbolt.Tx) error {
		if err := there(tx, u.id); !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return u.erase(tx)
	})
}

func (u *user) erase(tx *bbolt.Tx) error {
	if err := u.eraseShared(tx); err != nil {
		return err
	}
	users := find(tx, "users")
	if users == nil || users.Bucket([]byte(u.id)) == nil {
		return nil
	}
	if syncs := find(tx, u.path("sync")...); syncs != nil {
		err := syncs.ForEach(func(t, data []byte) error {
			s, err := document.Decode[store.Sync](data)
			if err != nil || s.Due.IsZero() {
				return err
			}
			return find(tx, "due", string(t)).Delete(dueKey(s.Due, u.id))
		})
		if err != nil {
			return err
		}
	}
	return users.DeleteBucket([]byte(u.id))
}
