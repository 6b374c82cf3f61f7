package syncer

import (
	"context"
	"fmt"
	"slices"

	"github.com/tandem-sync/tandem/shared/match"
	"github.com/tandem-sync/tandem/shared/reconcile"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// A record may be deleted, made anew by an undo, and then taken out of the bin, as an instance is with its whole series. Its link ties
// the new one by then, and the record itself begins a link of the same id.

// followReturned gives links the records back with which they began, and that are there again.
func (l *loader) followReturned(ctx context.Context) error {
	side, ok := l.copiedSide()
	if !ok || l.doc.Members == 0 {
		return nil
	}
	other, begun := side.Other(), map[string]*pair{}
	l.pairs.each(l.pairs.list, func(p *pair) {
		if rec := p.records[side]; p.newlySeen() && rec != nil && !rec.Gone && rec.Member {
			begun[l.newID(other, rec.ID, rec.AdapterState)] = p
		}
	})
	delete(begun, "")
	for ids := range slices.Chunk(sortedKeys(begun), linkPage) {
		links, err := l.user.LinksBy(ctx, l.engine.Type, other, ids)
		if err != nil {
			return fmt.Errorf("read links of records that may be there again: %w", err)
		}
		for _, link := range links {
			if p := begun[link.SideID(other)]; p.id == link.ID && link.Active && link.SideID(side) != "" {
				l.giveBack(side, link, p)
			}
		}
		l.pairs.close()
	}
	return nil
}

// giveBack ties a link to the record of a newly seen pair. What it tied goes, unless something tells of an edit.
func (l *loader) giveBack(side record.Side, link store.Link, returned *pair) {
	rec := returned.open().records[side]
	if known := l.pairs.byLink[link.ID]; known != nil && known.unchanged {
		l.pairs.forget(known)
	}
	p := l.pairs.addLink(link)
	former, other := p.records[side], side.Other()
	if p.records[other] == nil && whole(link, other) {
		p.records[other] = remembered(link, other, l.engine.Schema)
	}
	// What was agreed on with the one in its place was not agreed on with it.
	p.link.Base, p.link.Intent = nil, nil
	p.link.Sides = map[record.Side]store.LinkSide{other: link.Sides[other]}
	l.pairs.discard(returned, side)
	delete(l.pairs.bySide[side], link.SideID(side))
	l.members[side].set(link.SideID(side), false)
	l.members[side].set(rec.ID, true)
	p.link.SetSideID(side, rec.ID)
	p.records[side], p.first, p.reason = rec, true, match.ByOrigin
	l.pairs.index(p, side)
	if former == nil && !slices.Contains(link.Sides[side].Locked, record.Withdrawal) && !slices.Contains(link.Sides[side].Locked, record.Removal) {
		spare := l.pairs.addRecord(side, link.SideID(side))
		spare.records[side], spare.spare = remembered(link, side, l.engine.Schema), side
	}
}

// removeSpare plans that a record goes which a run made in the place of one that is there again. Where it is not as it was known any
// more, it stays.
func (w *writer) removeSpare(p *pair) *step {
	rec := p.records[p.spare]
	d := reconcile.Decision{Link: p.link.ID, Ops: map[record.Side]*record.Operation{}, Rules: map[record.Side]string{}, Drop: true}
	if p.attempts == 0 {
		d.Rules[p.spare] = reconcile.RuleReturned
		d.Ops[p.spare] = &record.Operation{
			Action: record.Delete, Link: p.link.ID, ID: rec.ID, AdapterState: rec.AdapterState, Before: rec.Fields, After: rec.Fields,
		}
	}
	return w.newStep(p, d)
}
