package bolt

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

// PutBatch writes everything in one transaction. Claims and notes whose time was over are swept away with it.
func (u *user) PutBatch(ctx context.Context, t record.Type, l store.Lease, now time.Time, b store.Batch) (refused []store.Claim, err error) {
	if err := document.ToPut(b); err != nil {
		return nil, fmt.Errorf("put batch: %w", err)
	}
	err = u.update(ctx, "put batch", []string{string(t)}, func(tx *bbolt.Tx) error {
		s, err := u.sync(tx, t)
		if err != nil {
			return err
		}
		if err := document.Holds(s, l); err != nil {
			return err
		}
		refused, err = u.putBatch(tx, t, now, b)
		return err
	})
	if err != nil {
		return nil, err
	}
	return refused, nil
}

func (u *user) putBatch(tx *bbolt.Tx, t record.Type, now time.Time, b store.Batch) ([]store.Claim, error) {
	if err := u.putNotes(tx, now, b.Notes); err != nil {
		return nil, err
	}
	if err := u.putPairs(tx, t, b.Pairs, document.Stands); err != nil {
		return nil, err
	}
	away, err := u.takeClaims(tx, t, now, b)
	if err != nil {
		return nil, err
	}
	links, err := u.linkBuckets(tx, t)
	if err != nil {
		return nil, err
	}
	for _, link := range b.Links {
		if away[link.ID] {
			continue
		}
		if err := links.put(link); err != nil {
			return nil, err
		}
	}
	if err := u.releaseClaims(tx, t, b.Released); err != nil {
		return nil, err
	}
	return document.Refused(b, away), u.deletePairs(tx, t, b.SettledPairs)
}

func (u *user) releaseClaims(tx *bbolt.Tx, t record.Type, list []store.Claim) error {
	if len(list) == 0 {
		return nil
	}
	key, err := hashKey(tx)
	if err != nil {
		return err
	}
	claims, err := needExpiring(tx, "claims")
	if err != nil {
		return err
	}
	for _, c := range list {
		c.User, c.Type = u.id, t
		id := key.ClaimID(c)
		kept, err := get[store.Claim](claims.docs, []byte(id))
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if next, ends := document.Release(kept, c); ends {
			if err := putExpiring(claims, id, kept.Until, next, next.Until); err != nil {
				return err
			}
		}
	}
	return nil
}

// takeClaims returns the links whose claims others hold.
func (u *user) takeClaims(tx *bbolt.Tx, t record.Type, now time.Time, b store.Batch) (away map[string]bool, err error) {
	if len(b.Claims) == 0 {
		return nil, nil
	}
	key, err := hashKey(tx)
	if err != nil {
		return nil, err
	}
	claims, err := needExpiring(tx, "claims")
	if err != nil {
		return nil, err
	}
	if err := claims.sweep(now); err != nil {
		return nil, err
	}
	away = map[string]bool{}
	wanted := key.ClaimsByLink(u.id, t, b)
	for _, link := range slices.Sorted(maps.Keys(wanted)) {
		kept := map[string]store.Claim{}
		for id := range wanted[link] {
			c, err := get[store.Claim](claims.docs, []byte(id))
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return nil, err
			}
			kept[id] = c
		}
		until := map[string]time.Time{}
		for id, c := range kept {
			until[id] = c.Until
		}
		if !document.Take(kept, wanted[link], now) {
			away[link] = true
			continue
		}
		for id, c := range kept {
			if err := putExpiring(claims, id, until[id], c, c.Until); err != nil {
				return nil, err
			}
		}
	}
	return away, nil
}

func (u *user) putNotes(tx *bbolt.Tx, now time.Time, list []store.WriteNote) error {
	if len(list) == 0 {
		return nil
	}
	key, err := hashKey(tx)
	if err != nil {
		return err
	}
	notes, err := needExpiring(tx, "notes")
	if err != nil {
		return err
	}
	if err := notes.sweep(now); err != nil {
		return err
	}
	for _, n := range list {
		n.User = u.id
		id := key.NoteID(n.Site, n.Record)
		kept, err := get[store.WriteNote](notes.docs, []byte(id))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		next := document.Noted(kept, n)
		if err := putExpiring(notes, id, kept.Until, next, next.Until); err != nil {
			return err
		}
	}
	return nil
}

func (u *user) WriteNotes(ctx context.Context, site string, records []string) (map[string]store.WriteNote, error) {
	out := map[string]store.WriteNote{}
	err := u.view(ctx, "read write notes", nil, func(tx *bbolt.Tx) error {
		notes := find(tx, "notes")
		if notes == nil {
			return nil
		}
		key, err := get[document.HashKey](find(tx, "meta"), []byte("hashes"))
		if err != nil {
			return err
		}
		for _, id := range records {
			n, err := get[store.WriteNote](notes, []byte(key.NoteID(site, id)))
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			n.Site, n.Record = site, id
			out[id] = n
		}
		return nil
	})
	return out, none(err)
}

func (u *user) Claims(ctx context.Context) ([]store.Claim, error) {
	return own(ctx, u, "claims", func(c store.Claim) string { return c.User })
}

func (u *user) OwnWriteNotes(ctx context.Context) ([]store.WriteNote, error) {
	return own(ctx, u, "notes", func(n store.WriteNote) string { return n.User })
}

// own are the user's documents in a bucket of everybody's.
func own[D document.Document](ctx context.Context, u *user, bucket string, owner func(D) string) ([]D, error) {
	var out []D
	err := u.view(ctx, "list "+bucket, nil, func(tx *bbolt.Tx) error {
		return eachOwn(find(tx, bucket), u.id, owner, func(_ []byte, d D) { out = append(out, d) })
	})
	return out, none(err)
}

func eachOwn[D document.Document](b *bbolt.Bucket, user string, owner func(D) string, f func(id []byte, d D)) error {
	if b == nil {
		return nil
	}
	return b.ForEach(func(id, data []byte) error {
		d, err := document.Decode[D](data)
		if err == nil && owner(d) == user {
			f(id, d)
		}
		return err
	})
}

// eraseShared removes the user's claims, notes and channels, and frees the user's seats.
func (u *user) eraseShared(tx *bbolt.Tx) error {
	if err := u.leaveSeats(tx); err != nil {
		return err
	}
	err := eraseOwn(tx, channels, u.id, func(c store.Channel) (string, time.Time) { return c.User, c.Due })
	return errors.Join(err, u.eraseKeyed(tx))
}

// eraseKeyed removes the user's claims and notes.
func (u *user) eraseKeyed(tx *bbolt.Tx) error {
	err := eraseOwn(tx, "claims", u.id, func(c store.Claim) (string, time.Time) { return c.User, c.Until })
	return errors.Join(err, eraseOwn(tx, "notes", u.id, func(n store.WriteNote) (string, time.Time) { return n.User, n.Until }))
}

func eraseOwn[D document.Document](tx *bbolt.Tx, bucket, user string, of func(D) (user string, until time.Time)) error {
	if find(tx, bucket) == nil {
		return nil
	}
	e, err := needExpiring(tx, bucket)
	if err != nil {
		return err
	}
	until := map[string]time.Time{}
	owner := func(d D) string { user, _ := of(d); return user }
	err = eachOwn(e.docs, user, owner, func(id []byte, d D) { _, until[string(id)] = of(d) })
	for id, at := range until {
		err = errors.Join(err, e.docs.Delete([]byte(id)), e.times.Delete(dueKey(at, id)))
	}
	return err
}

// hashKey is the key of the hashes, made where there is none.
func hashKey(tx *bbolt.Tx) (document.HashKey, error) {
	name := []byte("hashes")
	meta, err := need(tx, "meta")
	if err != nil {
		return document.HashKey{}, err
	}
	kept, err := get[document.HashKey](meta, name)
	if !errors.Is(err, store.ErrNotFound) {
		return kept, err
	}
	kept.Key = make([]byte, document.HashKeySize)
	// It never fails.
	_, _ = rand.Read(kept.Key)
	return kept, put(meta, name, kept)
}

// expiring is documents that may go after a time, with an index of those times.
type expiring struct{ docs, times *bbolt.Bucket }

func needExpiring(tx *bbolt.Tx, name string) (e expiring, err error) {
	if e.docs, err = need(tx, name); err != nil {
		return e, err
	}
	e.times, err = need(tx, "expiring", name)
	return e, err
}

// putExpiring writes a document in place of the one that would have gone after was.
func putExpiring[D document.Document](e expiring, id string, was time.Time, d D, until time.Time) error {
	if !was.IsZero() {
		if err := e.times.Delete(dueKey(was, id)); err != nil {
			return err
		}
	}
	if err := e.times.Put(dueKey(until, id), []byte{}); err != nil {
		return err
	}
	return put(e.docs, []byte(id), d)
}

// sweep removes what is over.
func (e expiring) sweep(now time.Time) error {
	last := binary.BigEndian.Uint64(dueKey(now, ""))
	var over [][]byte
	c := e.times.Cursor()
	for k, _ := c.First(); k != nil && binary.BigEndian.Uint64(k) <= last; k, _ = c.Next() {
		over = append(over, bytes.Clone(k))
	}
	for _, k := range over {
		if err := errors.Join(e.docs.Delete(k[8:]), e.times.Delete(k)); err != nil {
			return err
		}
	}
	return nil
}
