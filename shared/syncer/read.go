package syncer

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/tandem-sync/tandem/shared/match"
	"github.com/tandem-sync/tandem/shared/record"
)

// fetch reads records of both sides, and gives them to their pairs by the page. Records that tell of other ids come last, and
// those that are gone with them: one that is gone by its old id may be there by a new one.
func (l *loader) fetch(ctx context.Context, ask asked) error {
	last := map[record.Side][]record.Packed{}
	for page := range ask.pages() {
		found, err := l.read(ctx, page)
		if err != nil {
			return err
		}
		for _, s := range record.Sides {
			var plain []record.Packed
			for _, p := range found[s] {
				if head := p.Head(); head.Gone || len(head.Aliases) > 0 {
					last[s] = append(last[s], p)
				} else {
					plain = append(plain, p)
				}
			}
			if err := l.conceal(ctx, s, plain); err != nil {
				return err
			}
			l.attach(s, plain, nil)
		}
	}
	for _, s := range record.Sides {
		records, err := l.withoutMerged(ctx, s, last[s])
		if err == nil {
			records, err = l.withoutTaken(ctx, s, records)
		}
		if err == nil {
			err = l.conceal(ctx, s, records)
		}
		if err != nil {
			return err
		}
		l.attach(s, records, nil)
	}
	return nil
}

// withoutMerged says of records that were read by the id of one which was merged into them that this one is gone, where they
// have a link of their own. The surviving record is none of this run's business.
func (l *loader) withoutMerged(ctx context.Context, s record.Side, records []record.Packed) ([]record.Packed, error) {
	var ids []string
	for _, p := range records {
		if rec := p.Head(); len(rec.Aliases) > 0 && l.pairs.bySide[s][rec.ID] == nil {
			ids = append(ids, rec.ID)
		}
	}
	if len(ids) == 0 {
		return records, nil
	}
	links, err := l.user.LinksBy(ctx, l.engine.Type, s, ids)
	if err != nil {
		return nil, fmt.Errorf("read links of merged records: %w", err)
	}
	owned := map[string]bool{}
	for _, link := range links {
		owned[link.SideID(s)] = true
	}
	var out []record.Packed
	for _, p := range records {
		rec := p.Head()
		if !owned[rec.ID] {
			out = append(out, p)
			continue
		}
		for _, alias := range rec.Aliases {
			out = append(out, record.Pack(record.Record{ID: alias, Gone: true, Tombstone: true}))
		}
	}
	return out, nil
}

// read reads a page of records from both sides at the same time, and packs them.
func (s *session) read(ctx context.Context, ask asked) (map[record.Side][]record.Packed, error) {
	var mu sync.Mutex
	found := map[record.Side][]record.Packed{}
	g, gctx := errgroup.WithContext(ctx)
	for _, side := range record.Sides {
		ids := ask.ids(side)
		if len(ids) == 0 {
			continue
		}
		g.Go(func() error {
			records, err := s.sides[side].Fetch(gctx, ids)
			if err != nil {
				return fmt.Errorf("fetch from %s: %w", side, err)
			}
			packed := record.PackAll(records)
			mu.Lock()
			defer mu.Unlock()
			found[side] = packed
			return nil
		})
	}
	return found, g.Wait()
}

// attach gives records to their pairs. A record that goes by a new id is known by the old one; the id of a record that
// was merged into one with a pair of its own is gone; one without a link starts a pair if it is in scope. A record of a
// list that decides nothing is added to again, to be read by itself; one that was read by itself, where again is nil, leaves
// its pair undecided.
func (l *loader) attach(s record.Side, records []record.Packed, again asked) {
	for _, p := range records {
		if len(p.Head().Aliases) > 0 {
			rec := p.Unpack()
			l.doubts.note(s, &rec)
			l.followRename(s, &rec)
		}
	}
	for i, p := range records {
		rec := p.Unpack()
		l.assign(s, &rec, again)
		// The pair has it now.
		records[i] = record.Packed{}
		l.pairs.closeMany()
	}
	l.pairs.close()
}

// followRename finds the pair of a record that went by other ids before: its own one, or else its heir among those that
// knew it by a former id. What the others knew was merged into it.
func (l *loader) followRename(s record.Side, rec *record.Record) {
	own := l.pairs.find(s, rec.ID)
	var former []*pair
	for _, alias := range rec.Aliases {
		p := l.pairs.find(s, alias)
		if p != nil && p != own && !p.unchanged && p.link.SideID(s) == alias && (p.records[s] == nil || !p.records[s].Gone) {
			former = append(former, p)
		}
	}
	if lost := l.lostCreation(s, rec); lost != nil && len(former) > 0 && (own == nil || own.newlySeen()) {
		// What was being created went on in this one; the others were merged into it.
		l.pairs.discard(own, s)
		l.confirm(lost, s, rec.ID)
		own = lost
	}
	if len(former) > 0 && (own == nil || own.newlySeen()) {
		// A full list tells of nobody's former ids, so the new one may have begun a pair.
		l.pairs.discard(own, s)
		own = slices.MinFunc(former, func(a, b *pair) int { return l.heirRank(s, b, rec) - l.heirRank(s, a, rec) })
		if own.link.Active {
			l.members[s].set(own.link.SideID(s), false)
			l.members[s].set(rec.ID, true)
		}
		own.link.SetSideID(s, rec.ID)
		l.pairs.index(own, s)
	}
	for _, p := range former {
		if p != own {
			p.records[s] = &record.Record{ID: p.link.SideID(s), Gone: true}
		}
	}
}

// lostCreation is the pair whose creation on a side nobody confirmed, and whose mark a record carries; nil where there is
// none, or where the side knows the record as one that another pair had.
func (l *loader) lostCreation(s record.Side, rec *record.Record) *pair {
	p := l.pairs.byLink[rec.Mark]
	if p == nil || p.unchanged || p.open().link.Pending != s || p.link.SideID(s) != "" {
		return nil
	}
	for _, alias := range rec.Aliases {
		if q := l.pairs.find(s, alias); q != nil && l.heirRank(s, q, rec) == sameRecord {
			return nil
		}
	}
	return p
}

// confirm gives a pair the record that it was creating.
func (l *loader) confirm(p *pair, s record.Side, id string) {
	p.link.Pending, p.first, p.reason = "", true, match.ByOrigin
	p.link.SetSideID(s, id)
	l.pairs.index(p, s)
}

// sameRecord is the rank of the pair that the side knows as a record's.
const sameRecord = 2

// heirRank orders pairs by their right to a record with a new id: the one first that the side knows as the same record,
// then one that is in scope, before one that left, as one does that was merged into another before that got its new id.
func (l *loader) heirRank(s record.Side, p *pair, rec *record.Record) int {
	if is := stable(l.sides[s], rec.AdapterState); is != "" && is == stable(l.sides[s], p.link.Sides[s].AdapterState) {
		return sameRecord
	}
	if p.link.Active {
		return 1
	}
	return 0
}

func (l *loader) assign(s record.Side, rec *record.Record, again asked) {
	p := l.pairs.find(s, rec.ID)
	if p != nil && p.unchanged {
		return
	}
	if p == nil && !rec.Gone {
		if p = l.lostCreation(s, rec); p != nil {
			l.confirm(p, s, rec.ID)
		} else if rec.Member && !rec.Passive {
			p = l.pairs.addRecord(s, rec.ID)
		}
	}
	if p == nil {
		l.members[s].read(rec.ID, false)
		l.doubts.note(s, rec)
		return
	}
	if p.link.SideID(s) != rec.ID || l.window.over(s, p.stored, rec) {
		return
	}
	l.remember(s, p.stored, rec)
	if was := p.records[s]; was != nil && !was.Gone && !rec.Gone && l.lag(s) > 0 && rec.Modified.Before(was.Modified) {
		// The newer of two looks holds.
		return
	}
	switch {
	case l.decides(s, p, rec):
		delete(p.undecided, s)
		p.records[s] = rec
		l.members[s].read(rec.ID, rec.Member && !rec.Gone)
	case again != nil:
		again[s][rec.ID] = true
	default:
		if p.undecided == nil {
			p.undecided = map[record.Side]bool{}
		}
		p.undecided[s] = true
	}
}

// unify finds records without a link that are there twice: a list told of them by an id that was not theirs any more when
// they were read by the new one. Read by both ids they are one.
func (l *loader) unify(ctx context.Context, fetched asked) error {
	again := newAsked()
	for _, s := range record.Sides {
		if _, ok := l.sides[s].(Stable); !ok || !slices.ContainsFunc(l.pairs.list, func(p *pair) bool { return p.newlySeen() && fetched[s][p.sideID(s)] }) {
			continue
		}
		ids := map[string]string{}
		for _, p := range l.pairs.list {
			if !p.has(s) || !p.newlySeen() {
				continue
			}
			p.look(func() {
				rec := p.records[s]
				if rec.Gone {
					return
				}
				is := stable(l.sides[s], rec.AdapterState)
				if other := ids[is]; other != "" && is != "" {
					again[s][other], again[s][rec.ID] = true, true
				}
				ids[is] = rec.ID
			})
		}
	}
	return l.fetch(ctx, again)
}
