package firestore

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"
	"unicode/utf8"

	"cloud.google.com/go/firestore"
	"cloud.google.com/go/firestore/apiv1/firestorepb"
	"golang.org/x/sync/errgroup"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

// What one transaction of PutLinks writes at most. Firestore takes requests of 10 MiB
// (https://cloud.google.com/firestore/quotas#writes_and_transactions), but its emulator those of 4 MiB only, and the
// client repeats one that is refused for its size for a whole minute. 300 ordinary links stay well below either.
const (
	batchLinks = 300
	batchBytes = 3 << 20
	// linkOverhead is more than a link's key and queried fields take.
	linkOverhead = 4 << 10
)

func (u *user) links(t record.Type) *firestore.CollectionRef {
	return u.syncRef(t).Collection("links")
}

// idField is the field of a side's id.
func idField(side record.Side) string { return string(side) + "Id" }

// LinksBy costs 1 read for each link, at least 1 for every 30 ids.
func (u *user) LinksBy(ctx context.Context, t record.Type, side record.Side, ids []string) ([]store.Link, error) {
	// The most that a disjunction may have.
	const perQuery = 30
	const atOnce = 4
	if document.ToRead(u.id, string(t)) != nil {
		return nil, nil
	}
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	ids = slices.DeleteFunc(ids, func(id string) bool { return id == "" || !utf8.ValidString(id) })
	pieces := slices.Collect(slices.Chunk(ids, perQuery))
	found := make([][]store.Link, len(pieces))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for n, piece := range pieces {
		g.Go(func() (err error) {
			found[n], err = u.queryLinks(ctx, u.links(t).Where(idField(side), "in", piece))
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, wrap("find links", err)
	}
	return slices.Concat(found...), nil
}

// PendingLinks costs 1 read for each, at least 1.
func (u *user) PendingLinks(ctx context.Context, t record.Type) ([]store.Link, error) {
	if document.ToRead(u.id, string(t)) != nil {
		return nil, nil
	}
	links, err := u.queryLinks(ctx, u.links(t).Where("unfinished", "==", true))
	return links, wrap("list pending links", err)
}

// LinksSince costs 1 read for each, at least 1.
func (u *user) LinksSince(ctx context.Context, t record.Type, since time.Time) ([]store.Link, error) {
	if document.ToRead(u.id, string(t)) != nil {
		return nil, nil
	}
	links, err := u.queryLinks(ctx, u.links(t).Where("updated", ">=", document.Time(since)))
	return links, wrap("list links written lately", err)
}

// ActiveLinks costs 1 read for every 1,000 links, at least 1 (https://firebase.google.com/docs/firestore/pricing#aggregation_queries).
func (u *user) ActiveLinks(ctx context.Context, t record.Type) (int, error) {
	if document.ToRead(u.id, string(t)) != nil {
		return 0, nil
	}
	const name = "n"
	active := u.links(t).Where("active", "==", true)
	result, err := active.NewAggregationQuery().WithCount(name).Get(ctx)
	if err != nil {
		return 0, wrap("count links", classify(err, false))
	}
	count, ok := result[name].(*firestorepb.Value)
	if !ok {
		return 0, fault.Errorf(fault.Bug, document.Side, "decode", "count links: the count is a %T", result[name])
	}
	n := int(count.GetIntegerValue())
	u.s.observe(max(1, (n+999)/1000), 0)
	return n, nil
}

func (u *user) queryLinks(ctx context.Context, q firestore.Query) ([]store.Link, error) {
	snaps, err := u.s.query(ctx, q)
	if err != nil {
		return nil, err
	}
	links := make([]store.Link, len(snaps))
	for i, snap := range snaps {
		if links[i], err = content[store.Link](snap); err != nil {
			return nil, err
		}
	}
	return links, nil
}

// Links costs 1 read for each, at least 1.
func (u *user) Links(ctx context.Context, t record.Type) iter.Seq2[store.Link, error] {
	if document.ToRead(u.id, string(t)) != nil {
		return func(func(store.Link, error) bool) {}
	}
	return list[store.Link](ctx, u.s, "list links", u.links(t))
}

// PutLinks costs 1 read for every 300 links or 3 MiB, and 1 write for each link.
func (u *user) PutLinks(ctx context.Context, t record.Type, l store.Lease, links []store.Link) error {
	if err := document.ToWrite(u.id, string(t)); err != nil {
		return wrap("put links", err)
	}
	writes := make([]linkWrite, len(links))
	for i, link := range links {
		var err error
		if writes[i], err = u.linkWrite(t, link); err != nil {
			return wrap("put links", err)
		}
	}
	// Without links the fence is checked all the same.
	for first := true; first || len(writes) > 0; first = false {
		n := batch(writes)
		err := u.s.transact(ctx, func(get reader, tx *firestore.Transaction) (int, error) {
			if _, err := u.fenced(get, t, l); err != nil {
				return 0, err
			}
			for _, w := range writes[:n] {
				if err := w.add(tx); err != nil {
					return 0, err
				}
			}
			return n, nil
		})
		if err != nil {
			return wrap("put links", err)
		}
		writes = writes[n:]
	}
	return nil
}

// linkWrite is a link to be written, or to be deleted where fields is nil.
type linkWrite struct {
	ref    *firestore.DocumentRef
	fields fields
	size   int
}

func (u *user) linkWrite(t record.Type, l store.Link) (linkWrite, error) {
	if err := document.ToWrite(l.ID); err != nil {
		return linkWrite{}, err
	}
	w := linkWrite{ref: u.links(t).Doc(l.ID), size: linkOverhead}
	if l.CreatioID == "" && l.GoogleID == "" {
		return w, nil
	}
	var err error
	if w.fields, err = plain(l); err != nil {
		return linkWrite{}, fmt.Errorf("link %s: %w", l.ID, err)
	}
	w.size += len(w.fields["doc"].([]byte))
	for _, side := range record.Sides {
		if id := l.SideID(side); id != "" {
			w.fields[idField(side)] = id
		}
	}
	w.fields["updated"] = document.Time(l.UpdatedAt)
	if l.Active {
		w.fields["active"] = true
	}
	if l.Unfinished() {
		w.fields["unfinished"] = true
	}
	return w, nil
}

func (w linkWrite) add(tx *firestore.Transaction) error {
	if w.fields == nil {
		return tx.Delete(w.ref)
	}
	return tx.Set(w.ref, w.fields.present())
}

// batch is how many of the writes go into one transaction.
func batch(writes []linkWrite) int {
	size := 0
	for n, w := range writes {
		if size += w.size; n == batchLinks || n > 0 && size > batchBytes {
			return n
		}
	}
	return len(writes)
}
