package bolt

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

func (u *user) LinksBy(ctx context.Context, t record.Type, side record.Side, ids []string) ([]store.Link, error) {
	return u.indexed(ctx, t, string(side), ids)
}

func (u *user) LinksByParent(ctx context.Context, t record.Type, parents []string) ([]store.Link, error) {
	return u.indexed(ctx, t, "parents", parents)
}

// indexed finds links by what an index has of them.
func (u *user) indexed(ctx context.Context, t record.Type, name string, values []string) ([]store.Link, error) {
	values = slices.Compact(slices.Sorted(slices.Values(values)))
	var out []store.Link
	err := u.view(ctx, "find links", []string{string(t)}, func(tx *bbolt.Tx) error {
		index, links := find(tx, u.path(name, string(t))...), find(tx, u.path("links", string(t))...)
		if index == nil {
			return nil
		}
		c := index.Cursor()
		for _, value := range values {
			if value == "" {
				continue
			}
			start := indexKey(value, "")
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

func (u *user) PendingLinks(ctx context.Context, t record.Type) iter.Seq2[store.Link, error] {
	return scan(ctx, u.s, "list pending links", func(index *bbolt.Bucket, id, _ []byte) (store.Link, error) {
		l, err := get[store.Link](find(index.Tx(), u.path("links", string(t))...), id)
		return l, missing(err)
	}, u.path("pending", string(t))...)
}

// LinksSince goes over all links: nobody has so many in a file of one's own that an index of times would pay.
func (u *user) LinksSince(ctx context.Context, t record.Type, since time.Time) iter.Seq2[store.Link, error] {
	return func(yield func(store.Link, error) bool) {
		for l, err := range u.Links(ctx, t) {
			if (err != nil || !l.UpdatedAt.Before(document.Time(since))) && !yield(l, err) {
				return
			}
		}
	}
}

// CountLinks goes over all links too.
func (u *user) CountLinks(ctx context.Context, t record.Type) (n store.LinkCounts, err error) {
	for l, err := range u.Links(ctx, t) {
		if err != nil {
			return store.LinkCounts{}, err
		}
		if l.Active {
			n.Active++
		}
		if l.SplitSide != "" {
			n.Split++
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

// indexKey is a link's key in an index. No id of Creatio or Google has a NUL.
func indexKey(value, link string) []byte { return []byte(value + "\x00" + link) }

// indexes are those of the links, by the names of their buckets: what each has of a link.
var indexes = map[string]func(*store.Link) string{
	string(record.Creatio): func(l *store.Link) string { return l.CreatioID },
	string(record.Google):  func(l *store.Link) string { return l.GoogleID },
	"parents":              func(l *store.Link) string { return l.Parent },
	"shared":               func(l *store.Link) string { return l.Shared },
}

// linkBuckets is a type's links with their indexes.
type linkBuckets struct {
	links, pending *bbolt.Bucket
	indexes        map[string]*bbolt.Bucket
}

func (u *user) linkBuckets(tx *bbolt.Tx, t record.Type) (b linkBuckets, err error) {
	b.indexes = map[string]*bbolt.Bucket{}
	if b.links, err = need(tx, u.path("links", string(t))...); err != nil {
		return b, err
	}
	if b.pending, err = need(tx, u.path("pending", string(t))...); err != nil {
		return b, err
	}
	for name := range indexes {
		if b.indexes[name], err = need(tx, u.path(name, string(t))...); err != nil {
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
	gone := l.CreatioID == "" && l.GoogleID == ""
	for name, value := range indexes {
		was, is := value(&old), value(&l)
		if was != "" && (gone || was != is) {
			if err := b.indexes[name].Delete(indexKey(was, l.ID)); err != nil {
				return err
			}
		}
		if is != "" && !gone {
			if err := b.indexes[name].Put(indexKey(is, l.ID), []byte{}); err != nil {
				return err
			}
		}
	}
	if gone {
		return errors.Join(b.pending.Delete(key), b.links.Delete(key))
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
