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

func (u *user) links(t record.Type) *firestore.CollectionRef {
	return u.syncRef(t).Collection("links")
}

// idField is the field of a side's id.
func idField(side record.Side) string { return string(side) + "Id" }

// LinksBy costs 1 read for each link, at least 1 for every 30 ids; of a link of more than 1 MB 1 more for every 900 kB.
func (u *user) LinksBy(ctx context.Context, t record.Type, side record.Side, ids []string) ([]store.Link, error) {
	return u.linksBy(ctx, t, idField(side), ids)
}

// LinksByParent costs 1 read for each link, at least 1 for every 30 parents.
func (u *user) LinksByParent(ctx context.Context, t record.Type, parents []string) ([]store.Link, error) {
	return u.linksBy(ctx, t, "parent", parents)
}

func (u *user) linksBy(ctx context.Context, t record.Type, field string, values []string) ([]store.Link, error) {
	if document.ToRead(u.id, string(t)) != nil {
		return nil, nil
	}
	links, err := anyOf[store.Link](ctx, u.s, u.links(t), field, values)
	return links, wrap("find links", err)
}

// perQuery is the most that a disjunction may have.
const perQuery = 30

// anyOf finds the documents of a collection whose field has one of the values.
func anyOf[D document.Document](ctx context.Context, s *Store, c *firestore.CollectionRef, field string, values []string) ([]D, error) {
	const atOnce = 4
	values = slices.Compact(slices.Sorted(slices.Values(values)))
	values = slices.DeleteFunc(values, func(v string) bool { return v == "" || !utf8.ValidString(v) })
	pieces := slices.Collect(slices.Chunk(values, perQuery))
	found := make([][]D, len(pieces))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for n, piece := range pieces {
		g.Go(func() (err error) {
			found[n], err = contents[D](ctx, s, c.Where(field, "in", piece))
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return slices.Concat(found...), nil
}

// PendingLinks costs 1 read for each, at least 1.
func (u *user) PendingLinks(ctx context.Context, t record.Type) iter.Seq2[store.Link, error] {
	return u.listLinks(ctx, "list pending links", t, func(c *firestore.CollectionRef) firestore.Query {
		return c.Where("unfinished", "==", true).OrderBy(firestore.DocumentID, firestore.Asc)
	})
}

// LinksSince costs 1 read for each, at least 1.
func (u *user) LinksSince(ctx context.Context, t record.Type, since time.Time) iter.Seq2[store.Link, error] {
	return u.listLinks(ctx, "list links written lately", t, func(c *firestore.CollectionRef) firestore.Query {
		return c.Where("updated", ">=", document.Time(since)).OrderBy("updated", firestore.Asc).OrderBy(firestore.DocumentID, firestore.Asc)
	})
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

// contents are the documents that a query finds.
func contents[D document.Document](ctx context.Context, s *Store, q firestore.Query) ([]D, error) {
	snaps, err := s.query(ctx, q)
	if err != nil {
		return nil, err
	}
	out := make([]D, len(snaps))
	for i, snap := range snaps {
		if out[i], err = whole[D](ctx, s, snap); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Links costs 1 read for each, at least 1.
func (u *user) Links(ctx context.Context, t record.Type) iter.Seq2[store.Link, error] {
	return u.listLinks(ctx, "list links", t, byID)
}

func (u *user) listLinks(
	ctx context.Context, op string, t record.Type, query func(*firestore.CollectionRef) firestore.Query,
) iter.Seq2[store.Link, error] {
	if document.ToRead(u.id, string(t)) != nil {
		return func(func(store.Link, error) bool) {}
	}
	return list[store.Link](ctx, u.s, op, query(u.links(t)))
}

// linkWrite is a link to be written, or to be deleted where fields is nil.
type linkWrite struct {
	ref    *firestore.DocumentRef
	fields fields
	size   int
	// pieces are the documents of a link that is too long for one, its own first; former is how many there are already.
	pieces []fields
	former int
}

// writes is how many documents are written.
func (w linkWrite) writes() int { return 1 + max(0, len(w.pieces)-1, w.former-1) }

func (u *user) linkWrite(t record.Type, l store.Link) (linkWrite, error) {
	if err := document.ToWrite(l.ID); err != nil {
		return linkWrite{}, err
	}
	w := linkWrite{ref: u.links(t).Doc(l.ID), size: overhead}
	if n, known := u.s.pieces.Load(w.ref.Path); known {
		w.former = n.(int)
	}
	if l.CreatioID == "" && l.GoogleID == "" {
		return w, nil
	}
	doc, err := document.Over(nil, l)
	if err != nil {
		return linkWrite{}, fmt.Errorf("link %s: %w", l.ID, err)
	}
	w.fields = fields{"doc": doc}
	if w.pieces, err = inPieces(doc); err != nil {
		return linkWrite{}, fmt.Errorf("link %s: %w", l.ID, err)
	}
	if len(w.pieces) > 0 {
		w.fields = w.pieces[0]
	}
	w.size += len(w.fields["doc"].([]byte))
	for n := 1; n < len(w.pieces); n++ {
		w.size += overhead + len(w.pieces[n]["doc"].([]byte))
	}
	for _, side := range record.Sides {
		if id := l.SideID(side); id != "" {
			w.fields[idField(side)] = id
		}
	}
	if l.Parent != "" {
		w.fields["parent"] = l.Parent
	}
	if l.Shared != "" {
		w.fields["shared"], w.fields["type"] = l.Shared, string(t)
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
	if err := w.addPieces(tx); err != nil {
		return err
	}
	if w.fields == nil {
		return tx.Delete(w.ref)
	}
	return tx.Set(w.ref, w.fields.present())
}
