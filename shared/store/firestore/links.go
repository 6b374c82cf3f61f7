package firestore

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"
	"unicode/utf8"

	"cloud.google.com/go/firestore"
	"golang.org/x/sync/errgroup"

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

// CountLinks costs 2 reads, and 1 more for every 1,000 links that are counted
// (https://firebase.google.com/docs/firestore/pricing#aggregation_queries).
func (u *user) CountLinks(ctx context.Context, t record.Type) (n store.LinkCounts, err error) {
	if document.ToRead(u.id, string(t)) != nil {
		return n, nil
	}
	if n.Active, err = u.s.count(ctx, u.links(t).Where("active", "==", true)); err != nil {
		return n, wrap("count links in scope", err)
	}
	if n.Split, err = u.s.count(ctx, u.links(t).Where("split", "==", true)); err != nil {
		return n, wrap("count split links", err)
	}
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
	if l.SplitSide != "" {
		w.fields["split"] = true
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
