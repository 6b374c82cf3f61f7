package syncer

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// loader makes pairs of what the windows tell: it reads the links of what changed, and of every one of them both records.
// What did not change is as the link says, the rest is fetched.
//
// A list nominates a record, and a read decides what it is now, by the rule of decides; where none does, the pair is looked
// at again later.
type loader struct {
	*session
	window *window
	// ended are the sides whose scope is gone.
	ended   map[record.Side]bool
	members map[record.Side]*memberSet
	pairs   *pairs
	counts  *linkCounts
	// guard remembers what links say of losses.
	guard  *guard
	doubts *doubts
}

// load reads what the run has to look at. Links come and go by the page; those of which nothing changed are let go at once,
// so that a run holds what it has to do, and not what there is.
func (s *session) load(ctx context.Context, rd *reading, counts *linkCounts, g *guard) (*loader, error) {
	members, err := s.compareMembers(ctx, rd.deltas)
	if err != nil {
		return nil, err
	}
	l := &loader{session: s, window: newWindow(rd.deltas), ended: rd.ended, members: members, pairs: newPairs(), counts: counts, guard: g, doubts: newDoubts(s.doc)}
	if err := l.loadLinks(ctx); err != nil {
		return nil, err
	}
	ask := newAsked()
	for _, side := range record.Sides {
		records := l.window.drain(side)
		if err := l.conceal(ctx, side, records); err != nil {
			return nil, err
		}
		l.attach(side, records, ask)
	}
	l.nominate(ask)
	if err := l.fetch(ctx, ask); err != nil {
		return nil, err
	}
	if err := l.unify(ctx, ask); err != nil {
		return nil, err
	}
	if err := l.followReturned(ctx); err != nil {
		return nil, err
	}
	if err := l.complete(ctx); err != nil {
		return nil, err
	}
	if err := l.followCarriers(ctx); err != nil {
		return nil, err
	}
	if err := l.loadDoubts(ctx); err != nil {
		return nil, err
	}
	l.takeOver()
	l.waitUndecided(l.pairs.list)
	return l, nil
}

// linkPage is how many links are looked at together. So many contacts fill whole batches in Creatio.
const linkPage = 600

// loadLinks reads the links that the run is about: of what changed, of whose membership changed, and what earlier runs left
// unfinished; all of them only where nobody knows who was there before.
func (l *loader) loadLinks(ctx context.Context) error {
	l.counts.active, l.counts.split = l.doc.Members, l.doc.Split
	if !l.members[record.Creatio].known || !l.members[record.Google].known || l.doc.Interrupted && l.doc.LastFinished.IsZero() {
		return l.loadAllLinks(ctx)
	}
	for link, err := range l.user.PendingLinks(ctx, l.engine.Type) {
		if err != nil {
			return fmt.Errorf("read unfinished links: %w", err)
		}
		l.counts.add(link)
		l.guard.remember(link)
		if l.waitsOn(link) {
			l.pairs.addUnchanged(link)
		} else {
			l.pairs.addLink(link)
		}
		l.pairs.closeMany()
	}
	if err := l.loadWritten(ctx); err != nil {
		return err
	}
	l.pairs.close()
	for _, s := range record.Sides {
		for ids := range slices.Chunk(slices.Concat(l.window.ids(s), l.members[s].added, l.members[s].removed), linkPage) {
			links, err := l.user.LinksBy(ctx, l.engine.Type, s, ids)
			if err == nil {
				err = l.keepChanged(ctx, links)
			}
			if err != nil {
				return fmt.Errorf("read links by %s: %w", s, err)
			}
		}
	}
	return nil
}

func (l *loader) loadAllLinks(ctx context.Context) error {
	l.counts.active, l.counts.split = 0, 0
	links := make([]store.Link, 0, linkPage)
	for link, err := range l.user.Links(ctx, l.engine.Type) {
		if err != nil {
			return fmt.Errorf("read links: %w", err)
		}
		if link.Active {
			l.counts.active++
		}
		if link.SplitSide != "" {
			l.counts.split++
		}
		l.counts.add(link)
		l.guard.remember(link)
		if links = append(links, link); len(links) == linkPage {
			if err := l.keepChanged(ctx, links); err != nil {
				return err
			}
			links = links[:0]
		}
	}
	return l.keepChanged(ctx, links)
}

// waitsOn reports whether nothing is open with a link but a loss that waits for the user's decision, and nothing tells that
// one of its records changed since. Then it is not looked at, however often runs come by. A person who asks has it looked at.
func (l *loader) waitsOn(link store.Link) bool {
	if l.trigger != TriggerSchedule || l.doc.Interrupted || l.doc.Direction != l.doc.Settings.Direction || !link.Active || len(link.Waits) == 0 {
		return false
	}
	other := link
	other.Waits = nil
	if other.Unfinished() {
		return false
	}
	for _, s := range record.Sides {
		id, m, waits := link.SideID(s), l.members[s], link.Waits[s]
		if waits.Approved || l.window.has(s, id) || l.window.touched[s][id] || m.moved(id) {
			return false
		}
		if m.listed != nil && m.lacks(s, link) != waits.Departure {
			return false
		}
	}
	return true
}

// clockSkew is how far the clocks of two instances may be apart.
const clockSkew = 5 * time.Minute

// loadWritten nominates the links that runs wrote which were cut off: the members that the last whole run wrote down
// tell nothing of what those moved.
func (l *loader) loadWritten(ctx context.Context) error {
	if !l.doc.Interrupted {
		return nil
	}
	for link, err := range l.user.LinksSince(ctx, l.engine.Type, l.doc.LastFinished.Add(-clockSkew)) {
		if err != nil {
			return fmt.Errorf("read links of a run that was cut off: %w", err)
		}
		l.guard.catchUp(link)
		l.pairs.addLink(link).nominated = true
		l.pairs.closeMany()
	}
	n, err := l.user.CountLinks(ctx, l.engine.Type)
	if err != nil {
		return fmt.Errorf("count the links: %w", err)
	}
	l.counts.active, l.counts.split = n.Active, n.Split
	return nil
}

// keepChanged takes those links in of which something may have changed. Of the others only the ids stay, and their records
// are let go.
func (l *loader) keepChanged(ctx context.Context, links []store.Link) error {
	links = slices.DeleteFunc(links, func(link store.Link) bool { return l.pairs.has(link.ID) })
	ask := newAsked()
	for _, link := range links {
		for _, s := range record.Sides {
			if id := link.SideID(s); l.window.touched[s][id] && !l.window.has(s, id) {
				ask[s][id] = true
			}
		}
	}
	found, err := l.read(ctx, ask)
	if err != nil {
		return err
	}
	for _, s := range record.Sides {
		l.window.add(s, found[s])
	}
	for _, link := range links {
		if !l.unchanged(link) {
			l.pairs.addLink(link)
			continue
		}
		l.pairs.addUnchanged(link)
		for _, s := range record.Sides {
			l.window.drop(s, link.SideID(s))
		}
	}
	l.pairs.close()
	return nil
}

// unchanged reports whether both records of a link are as it says.
func (l *loader) unchanged(link store.Link) bool {
	if !link.Active || link.Unfinished() {
		return false
	}
	for _, s := range record.Sides {
		id, known := link.SideID(s), link.Sides[s]
		rec := l.window.record(s, id)
		l.remember(s, link, rec)
		switch {
		case id == "" || l.members[s].lacks(s, link):
			return false
		case rec == nil:
			// What was touched has been read, so it is not there under this id.
			if l.window.touched[s][id] {
				return false
			}
		case rec.Photo != photoState(link, s).Ref, photoState(link, s).Intended != "":
			return false
		case rec.ID != id || rec.Gone || !rec.Member || known.Diverged || !bytes.Equal(rec.AdapterState, known.AdapterState):
			return false
		case !l.engine.Schema.Equal(rec.Fields, displayed(link.Base, known.Projections, l.engine.Schema)):
			return false
		case !hasUntracked(l.engine.Schema, rec, known.Projections):
			return false
		}
	}
	return true
}

// hasUntracked reports whether a record still has every value that it had under a label of its own.
func hasUntracked(schema record.Schema, rec *record.Record, projections []record.Projection) bool {
	for _, p := range projections {
		f, known := schema.Field(p.Field)
		if p.Untracked && known && !slices.ContainsFunc(rec.Untracked[p.Field], func(e record.Entry) bool { return f.Means(e, p.Canonical) }) {
			return false
		}
	}
	return true
}

// nominate adds the ids whose records have to be read before anything can be decided.
func (l *loader) nominate(ask asked) {
	for _, s := range record.Sides {
		for id := range l.window.touched[s] {
			if p := l.pairs.bySide[s][id]; p != nil && !p.unchanged && !p.has(s) {
				ask[s][id] = true
			}
		}
		for _, id := range l.members[s].added {
			if p := l.pairs.bySide[s][id]; p == nil || !p.current().active && !p.has(s) {
				ask[s][id] = true
			}
		}
	}
	for _, p := range l.pairs.list {
		p.look(func() {
			for _, s := range record.Sides {
				l.nominatePair(p, s, ask[s])
			}
		})
	}
}

func (l *loader) nominatePair(p *pair, s record.Side, ask map[string]bool) {
	if id, rec := p.link.SideID(s), p.records[s]; id != "" {
		inScope := p.link.Active || p.link.SplitSide != ""
		switch {
		case rec == nil && (p.nominated || l.due(p)):
			ask[id] = true
		case inScope && l.members[s].lacks(s, p.link) && (rec == nil || rec.Member):
			// The list of members and the record, or what is known of it, say different things.
			ask[id] = true
		case p.link.Active && rec != nil && !rec.Gone && !rec.Member && l.members[s].listed[id]:
			ask[id] = true
		}
	}
}

// due reports whether an unfinished pair's time to be tried again has come.
func (l *loader) due(p *pair) bool {
	return p.stored.Unfinished() && (l.retryDue(p.stored.Again()) || l.heard(p))
}

// heard reports whether the user said something of a record of the pair that no run has followed yet.
func (l *loader) heard(p *pair) bool {
	return slices.ContainsFunc(l.doc.Verdicts, func(v store.Verdict) bool {
		return p.sideID(record.Creatio) == v.CreatioID || p.sideID(record.Google) == v.GoogleID
	})
}

// concerned reports whether a pair is this run's business.
func (l *loader) concerned(p *pair) bool {
	if p.stored.Unfinished() {
		return l.due(p) || p.records[record.Creatio] != nil || p.records[record.Google] != nil || len(p.undecided) > 0
	}
	if len(p.undecided) > 0 {
		return true
	}
	for _, s := range record.Sides {
		if rec := p.records[s]; rec != nil && (p.link.Active || p.link.SplitSide != "" || rec.Member) {
			return true
		}
	}
	return false
}

// complete gives every pair that is this run's business its two records: what nobody hinted at is as the link says, the rest
// is fetched.
func (l *loader) complete(ctx context.Context) error {
	ask := newAsked()
	var list []*pair
	l.pairs.each(l.pairs.list, func(p *pair) {
		if !l.concerned(p) {
			return
		}
		list = append(list, p)
		for _, s := range record.Sides {
			id := p.link.SideID(s)
			switch {
			case p.records[s] != nil || id == "" || p.undecided[s]:
			case whole(p.link, s) && !l.asksLabels(p, s):
				p.records[s] = remembered(p.link, s, l.engine.Schema)
			default:
				ask[s][id] = true
			}
		}
	})
	l.pairs.list = list
	return l.fetch(ctx, ask)
}

// asksLabels reports whether the other side changed a set of which this side has values under labels of its own. The link does not
// tell how those are written, so that nobody knows which of the changed values they are.
func (l *loader) asksLabels(p *pair, s record.Side) bool {
	other := p.records[s.Other()]
	if other == nil {
		return false
	}
	agreed := displayed(p.link.Base, p.link.Sides[s.Other()].Projections, l.engine.Schema)
	return slices.ContainsFunc(p.link.Sides[s].Projections, func(own record.Projection) bool {
		f, known := l.engine.Schema.Field(own.Field)
		return own.Untracked && known && !f.Equal(other.Fields[own.Field], agreed[own.Field])
	})
}

// whole reports whether a link tells all of a record that did not change.
func whole(link store.Link, s record.Side) bool {
	return link.Active && !link.Unfinished() && !link.Sides[s].Diverged
}

// waitUndecided deals with pairs of which a read decides nothing yet. Where the link tells what the record was when it was
// seen last, the pair goes on with that, and is looked at again later; else it waits.
func (l *loader) waitUndecided(list []*pair) {
	open := slices.DeleteFunc(slices.Clone(list), func(p *pair) bool { return len(p.undecided) == 0 && !p.current().revisits })
	l.pairs.each(open, func(p *pair) {
		if len(p.undecided) > 0 {
			l.waitUndecidedPair(p)
		} else {
			p.link.RevisitAt = time.Time{}
		}
	})
}

func (l *loader) waitUndecidedPair(p *pair) {
	for _, s := range record.Sides {
		if !p.undecided[s] {
			continue
		}
		if by := l.decidedBy(s, p); by.After(p.link.RevisitAt) {
			p.link.RevisitAt = by
		}
		if l.members[s].lacks(s, p.link) && p.link.Active {
			l.members[s].set(p.link.SideID(s), true)
		}
		if stored := p.stored; whole(stored, s) && !l.undoes() {
			p.records[s] = remembered(stored, s, l.engine.Schema)
		} else {
			p.wait = &wait{until: p.link.RevisitAt}
		}
	}
}

// remembered is an unchanged record as its link tells it: the agreed content, in the form in which the side shows it.
func remembered(l store.Link, s record.Side, schema record.Schema) *record.Record {
	known := l.Sides[s]
	return &record.Record{
		ID: l.SideID(s), Member: true, Modified: known.Modified, AdapterState: known.AdapterState,
		Fields: displayed(l.Base, known.Projections, schema), Photo: photoState(l, s).Ref, Locked: known.Locked, Hidden: known.Hidden,
	}
}

// displayed is agreed content in the form in which a side shows it.
func displayed(base record.Fields, projections []record.Projection, schema record.Schema) record.Fields {
	out := base.Clone()
	for _, p := range projections {
		f, ok := schema.Field(p.Field)
		if !ok {
			continue
		}
		if f.Empty(p.Canonical) {
			if len(out[f.Name]) == 0 {
				out[f.Name] = []record.Entry{p.Displayed}
			}
			continue
		}
		i := slices.IndexFunc(out[f.Name], func(e record.Entry) bool { return f.Same(e, p.Canonical) })
		if i < 0 {
			continue
		}
		if f.Empty(p.Displayed) {
			out[f.Name] = slices.Delete(out[f.Name], i, i+1)
		} else {
			out[f.Name][i] = p.Displayed
		}
		if len(out[f.Name]) == 0 {
			delete(out, f.Name)
		}
	}
	return out
}

// reread fetches pairs anew that changed while they were written.
func (l *loader) reread(ctx context.Context, list []*pair) error {
	ask := newAsked()
	for _, p := range list {
		p.open().undecided = nil
		for _, s := range record.Sides {
			p.records[s] = nil
			if id := p.link.SideID(s); id != "" {
				l.pairs.bySide[s][id] = p
				ask[s][id] = true
			}
		}
	}
	if err := l.fetch(ctx, ask); err != nil {
		return err
	}
	l.waitUndecided(list)
	return nil
}

// asked are ids of records to be fetched, by side.
type asked map[record.Side]map[string]bool

func newAsked() asked { return asked{record.Creatio: {}, record.Google: {}} }

// pages are the ids in order, as many of each side at a time as are looked at together.
func (a asked) pages() iter.Seq[asked] {
	return func(yield func(asked) bool) {
		creatio, google := a.ids(record.Creatio), a.ids(record.Google)
		for start := 0; start < max(len(creatio), len(google)); start += linkPage {
			page := newAsked()
			for s, ids := range map[record.Side][]string{record.Creatio: creatio, record.Google: google} {
				for _, id := range ids[min(start, len(ids)):min(start+linkPage, len(ids))] {
					page[s][id] = true
				}
			}
			if !yield(page) {
				return
			}
		}
	}
}

// ids are a side's, in order.
func (a asked) ids(s record.Side) []string { return slices.Sorted(maps.Keys(a[s])) }
