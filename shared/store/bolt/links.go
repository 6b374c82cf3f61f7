package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

func (u *user) LinksBy(ctx context.Context, t record.Type, side record.Side, ids []string) ([]store.Link, error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	var out []store.Link
	err := u.view(ctx, "find links", []string{string(t)}, func(tx *bbolt.Tx) error {
		index, links := find(tx, u.path(string(side), string(t))...), find(tx, u.path("links", string(t))...)
		if index == nil {
			return nil
		}
		c := index.Cursor()
		for _, id := range ids {
			if id == "" {
				continue
			}
			start := sideKey(id, "")
			for k, _ := c.Seek(start); bytes.HasPrefix(k, start); k, _ = c.Next() {
				l, err := get[store.Link](links, k[len(start):])
				if err != nil {
					return missing(err)
				}
				out = append(out, l)
			}
		}
		return nil
	})
	return out, none(err)
}

func (u *user) Links(ctx context.Context, t record.Type) iter.Seq2[store.Link, error] {
	return scan(ctx, u.s, "list links", func(_ *bbolt.Bucket, _, v []byte) (store.Link, error) {
		return document.Decode[store.Link](v)
	}, u.path("links", string(t))...)
}

func (u *user) PendingLinks(ctx context.Context, t record.Type) ([]store.Link, error) {
	var out []store.Link
	err := u.view(ctx, "list pending links", []string{string(t)}, func(tx *bbolt.Tx) error {
		index, links := find(tx, u.path("pending", string(t))...), find(tx, u.path("links", string(t))...)
		if index == nil {
			return nil
		}
		return index.ForEach(func(id, _ []byte) error {
			l, err := get[store.Link](links, id)
			out = append(out, l)
			return missing(err)
		})
	})
	return out, none(err)
}

// LinksSince goes over all links: nobody has so many in a file of one's own that an index of times would pay.
func (u *user) LinksSince(ctx context.Context, t record.Type, since time.Time) ([]store.Link, error) {
	var out []store.Link
	for l, err := range u.Links(ctx, t) {
		if err != nil {
			return nil, err
		}
		if !l.UpdatedAt.Before(document.Time(since)) {
			out = append(out, l)
		}
	}
	return out, nil
}

// ActiveLinks goes over all links too.
func (u *user) ActiveLinks(ctx context.Context, t record.Type) (int, error) {
	n := 0
	for l, err := range u.Links(ctx, t) {
		if err != nil {
			return 0, err
		}
		if l.Active {
			n++
		}
	}
	return n, nil
}

// none makes an empty list of what a user cannot have under an invalid id.
func none(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// missing is the error of an index whose document is not there.
func missing(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return errors.New("an index names a link that is not there")
	}
	return err
}

// sideKey is a link's key in the index of a side's ids. No id of Creatio or Google has a NUL.
func sideKey(id, link string) []byte { return []byte(id + "\x00" + link) }

// PutLinks writes all links in one transaction.
func (u *user) PutLinks(ctx context.Context, t record.Type, l store.Lease, links []store.Link) error {
	for _, link := range links {
		if err := document.ToWrite(link.ID); err != nil {
			return fmt.Errorf("put links: %w", err)
		}
	}
	return u.update(ctx, "put links", []string{string(t)}, func(tx *bbolt.Tx) error {
		s, err := u.sync(tx, t)
		if err != nil {
			return err
		}
		if err := document.Holds(s, l); err != nil {
			return err
		}
		b, err := u.linkBuckets(tx, t)
		if err != nil {
			return err
		}
		for _, link := range links {
			if err := b.put(link); err != nil {
				return err
			}
		}
		return nil
	})
}

// linkBuckets is a type's links with their indexes.
type linkBuckets struct {
	links, pending *bbolt.Bucket
	sides          map[record.Side]*bbolt.Bucket
}

func (u *user) linkBuckets(tx *bbolt.Tx, t record.Type) (b linkBuckets, err error) {
	b.sides = map[record.Side]*bbolt.Bucket{}
	if b.links, err = need(tx, u.path("links", string(t))...); err != nil {
		return b, err
	}
	if b.pending, err = need(tx, u.path("pending", string(t))...); err != nil {
		return b, err
	}
	for _, side := range record.Sides {
		if b.sides[side], err = need(tx, u.path(string(side), string(t))...); err != nil {
			return b, err
		}
	}
	return b, nil
}

// put writes a link in place of the one of its id, or removes that.
func (b linkBuckets) put(l store.Link) error {
	key := []byte(l.ID)
	old, err := get[store.Link](b.links, key)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	for _, side := range record.Sides {
		if was := old.SideID(side); was != "" && was != l.SideID(side) {
			if err := b.sides[side].Delete(sideKey(was, l.ID)); err != nil {
				return err
			}
		}
	}
	if l.CreatioID == "" && l.GoogleID == "" {
		return errors.Join(b.pending.Delete(key), b.links.Delete(key))
	}
	for _, side := range record.Sides {
		if is := l.SideID(side); is != "" {
			if err := b.sides[side].Put(sideKey(is, l.ID), []byte{}); err != nil {
				return err
			}
		}
	}
	if l.Unfinished() {
		err = b.pending.Put(key, []byte{})
	} else {
		err = b.pending.Delete(key)
	}
	if err != nil {
		return err
	}
	return put(b.links, key, l)
}
