package syncer

import (
	"context"
	"fmt"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// loadDoubts takes in the pairs that are this run's business, and reads the records that these are about. Records of open
// doubts are left out of the run; those of which the user has said something come into it.
func (l *loader) loadDoubts(ctx context.Context) error {
	if !l.doubts.may {
		return nil
	}
	if err := l.knowPairs(ctx); err != nil {
		return err
	}
	l.hearVerdicts()
	read := newAsked()
	for want := l.wanted(read); len(want[record.Creatio])+len(want[record.Google]) > 0; want = l.wanted(read) {
		if err := l.readDoubtful(ctx, want); err != nil {
			return err
		}
	}
	for _, s := range record.Sides {
		for _, rec := range l.doubts.told[s] {
			if !rec.Gone {
				l.nameDoubts(s, &rec)
			}
		}
	}
	l.noteSilent()
	l.leaveOut()
	return nil
}

// knowPairs reads the pairs of records that have no counterpart, of those that the window tells something of, and now and
// then all.
func (l *loader) knowPairs(ctx context.Context) error {
	ask := newAsked()
	for _, v := range l.doc.Verdicts {
		ask[record.Creatio][v.CreatioID], ask[record.Google][v.GoogleID] = true, true
	}
	for _, s := range record.Sides {
		for _, p := range l.pairs.list {
			if !p.linked() {
				ask[s][p.sideID(s)] = true
			}
		}
		for id, rec := range l.doubts.told[s] {
			ask[s][id] = true
			for _, alias := range rec.Aliases {
				ask[s][alias] = true
			}
		}
		for _, id := range l.members[s].removed {
			if l.pairs.bySide[s][id] == nil {
				ask[s][id] = true
			}
		}
	}
	if l.doc.Interrupted || l.doc.Pairs.Doubts > 0 && l.retryDue(l.doc.DoubtsAt) {
		for p, err := range l.user.Pairs(ctx, l.engine.Type) {
			if err != nil {
				return fmt.Errorf("read pairs: %w", err)
			}
			l.doubts.know(p)
		}
		l.doubts.looked = true
		return nil
	}
	for _, s := range record.Sides {
		if err := l.askPairs(ctx, s, ask.ids(s)); err != nil {
			return err
		}
	}
	return nil
}

// hearVerdicts brings pairs to what the user said of them.
func (l *loader) hearVerdicts() {
	for _, v := range l.doc.Verdicts {
		id := store.PairID(v.CreatioID, v.GoogleID)
		p, known := l.doubts.byID[id]
		state := store.StateDifferent
		if v.Same {
			state = store.StateSame
		}
		if known && p.State == state {
			continue
		}
		if !known {
			p = store.Pair{ID: id, CreatioID: v.CreatioID, GoogleID: v.GoogleID}
		}
		p.State, p.Reason, p.Since, p.Link, p.Silent = state, byUser, v.At, nil, false
		l.doubts.put(p)
		if v.Same {
			l.takeBackSame(p)
		}
	}
}

// takeBackSame takes back what the user said before of either record of a pair that is the same: it cannot be the same as two.
func (l *loader) takeBackSame(p store.Pair) {
	for _, s := range record.Sides {
		for _, other := range l.doubts.of(s, p.SideID(s)) {
			if other.ID != p.ID && other.State == store.StateSame {
				l.doubts.settle(other.ID)
			}
		}
	}
}

// wanted are the records of pairs that have to be read and were not: where the user has said something that may be followed,
// where something happened to one of the two, and now and then all.
func (l *loader) wanted(read asked) asked {
	want, d := newAsked(), l.doubts
	verdicts := map[string]bool{}
	for _, v := range l.doc.Verdicts {
		verdicts[store.PairID(v.CreatioID, v.GoogleID)] = true
	}
	look := func(p store.Pair) {
		for _, s := range record.Sides {
			if id := p.SideID(s); !read[s][id] {
				read[s][id], want[s][id] = true, true
			}
		}
	}
	for _, p := range d.byID {
		if verdicts[p.ID] || p.State == store.StateSame || d.looked && p.State == store.StateDoubt && !p.Silent {
			look(p)
		}
	}
	for _, s := range record.Sides {
		for _, id := range l.members[s].removed {
			for _, p := range d.of(s, id) {
				look(p)
			}
		}
		for id, rec := range d.told[s] {
			for _, former := range append([]string{id}, rec.Aliases...) {
				for _, p := range d.of(s, former) {
					if rec.Gone || former != id || p.Silent {
						look(p)
					}
				}
			}
		}
	}
	return want
}

// readDoubtful reads records of pairs, and follows what became of them. Two that are linked with each other are no doubt;
// those that the user took for different ones are separated. One that is linked with a third is left to that link.
func (l *loader) readDoubtful(ctx context.Context, want asked) error {
	for _, s := range record.Sides {
		links, err := l.user.LinksBy(ctx, l.engine.Type, s, want.ids(s))
		if err != nil {
			return fmt.Errorf("read links of pairs: %w", err)
		}
		for _, link := range links {
			p, paired := l.doubts.byID[store.PairID(link.CreatioID, link.GoogleID)]
			switch {
			case l.doubts.isSeparated(link.ID):
			case link.SideID(s.Other()) == "":
				l.pairs.addLink(link)
			case paired && p.State == store.StateDifferent:
				l.separateForGood(link, p)
			case paired:
				l.doubts.linked(link)
				delete(want[s], link.SideID(s))
			default:
				delete(want[s], link.SideID(s))
			}
		}
	}
	found, err := l.read(ctx, want)
	if err != nil {
		return err
	}
	for _, s := range record.Sides {
		records, err := l.withoutMerged(ctx, s, found[s])
		if err != nil {
			return err
		}
		for _, packed := range records {
			rec := packed.Unpack()
			l.followDoubt(s, &rec)
			if !rec.Gone && l.pairs.bySide[s][rec.ID] == nil {
				l.doubts.records[s][rec.ID] = &rec
			}
		}
		l.attach(s, records, nil)
	}
	return nil
}

// separateForGood takes the link away between two records that the user took for different ones. Nothing is written to either.
func (l *loader) separateForGood(link store.Link, p store.Pair) {
	if n := l.pairs.byLink[link.ID]; n != nil {
		l.pairs.drop(func(other *pair) bool { return other == n })
		delete(l.pairs.byLink, link.ID)
		for _, s := range record.Sides {
			if l.pairs.bySide[s][n.sideID(s)] == n {
				delete(l.pairs.bySide[s], n.sideID(s))
			}
		}
		n.absorbed = true
	}
	l.guard.forget(link.ID)
	l.counts.update(link, store.Link{})
	was := link
	l.counts.activate(&was, false)
	p.FormerLink = link.ID
	l.doubts.put(p)
	l.doubts.separated, l.doubts.gone[link.ID] = append(l.doubts.separated, link), true
}

// followDoubt keeps pairs of a record true that is gone, goes by another id or is called otherwise.
func (l *loader) followDoubt(s record.Side, rec *record.Record) {
	if rec.Gone {
		for _, p := range l.doubts.of(s, rec.ID) {
			l.doubts.settle(p.ID)
		}
		return
	}
	for _, alias := range rec.Aliases {
		for _, p := range l.doubts.of(s, alias) {
			l.doubts.settle(p.ID)
			l.doubts.put(renamed(p, s, rec.ID))
		}
	}
	l.nameDoubts(s, rec)
}

// nameDoubts has pairs tell what a record is called now.
func (l *loader) nameDoubts(s record.Side, rec *record.Record) {
	name := l.engine.title(rec.Fields)
	for _, p := range l.doubts.of(s, rec.ID) {
		if p.Names[s] != name {
			p.Names = map[record.Side]string{s: name, s.Other(): p.Names[s.Other()]}
			l.doubts.put(p)
		}
	}
}

// renamed is a pair one of whose records goes by another id.
func renamed(p store.Pair, s record.Side, id string) store.Pair {
	if s == record.Creatio {
		p.CreatioID = id
	} else {
		p.GoogleID = id
	}
	p.ID = store.PairID(p.CreatioID, p.GoogleID)
	if p.Link != nil {
		link := *p.Link
		link.SetSideID(s, id)
		p.Link = &link
	}
	return p
}

// noteSilent notes of which open doubts neither record is in scope any more: nobody is asked about those.
func (l *loader) noteSilent() {
	for _, p := range l.doubts.byID {
		if p.State != store.StateDoubt {
			continue
		}
		known, in := true, false
		for _, s := range record.Sides {
			rec := l.doubts.records[s][p.SideID(s)]
			n := l.pairs.bySide[s][p.SideID(s)]
			if n != nil && !n.unchanged && !n.linked() && n.open().records[s] != nil {
				rec, n = n.records[s], nil
			}
			known = known && (rec != nil || n != nil)
			in = in || rec != nil && rec.Member && !rec.Gone || n != nil
		}
		switch silent := !in; {
		case silent && known && p.Reason == byMatch:
			l.doubts.settle(p.ID)
		case silent != p.Silent && (known || in):
			p.Silent = silent
			l.doubts.put(p)
		}
	}
}

// leaveOut takes the records of open doubts out of the run, and gives the links that others start ids of their own.
func (l *loader) leaveOut() {
	waits := func(p *pair) bool {
		if p.linked() || p.unchanged {
			return false
		}
		for _, s := range record.Sides {
			id := p.sideID(s)
			if id == "" {
				continue
			}
			if l.doubts.open(s, id) {
				if rec := p.open().records[s]; rec != nil && !rec.Gone {
					l.nameDoubts(s, rec)
				}
				delete(l.pairs.bySide[s], id)
				return true
			}
			if is := l.linkID(s, id); p.newlySeen() && p.current().id == linkID(s, id) && is != p.current().id {
				p.open().link.ID, p.id = is, is
			}
		}
		return false
	}
	l.pairs.drop(waits)
	l.pairs.close()
}
