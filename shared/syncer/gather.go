package syncer

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tandem-sync/tandem/shared/match"
	"github.com/tandem-sync/tandem/shared/reconcile"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// pair is a link and what is known of its two records in this run.
type pair struct {
	link store.Link
	// stored is the link as the store has it; the zero Link where it has none.
	stored store.Link
	now    map[record.Side]*record.Record
	// first says that the records meet for the first time, found by reason.
	first  bool
	reason match.Reason
	// pause, where not nil, says why the pair is left alone in this run.
	pause *pause
	// quiet says that there is nothing to do with the pair, of which only the ids are kept.
	quiet bool
	// suspect says that a run which was cut off wrote the link.
	suspect bool
	// merged says that another pair took this one's record over; replaces are the stored links that this pair takes over.
	merged   bool
	replaces []string
	// again counts how often the pair was read and planned anew in this run.
	again int
	// deeds are what the run did to the pair that is to be undone, remains what an undo leaves as it is.
	deeds   []reconcile.AppliedChange
	remains reconcile.LeftAsIs
}

// release lets go of what was needed to write the pair. Its ids stay: nobody else may be paired with its records.
func (p *pair) release() {
	clear(p.now)
	p.link.Base, p.link.Sides, p.stored = nil, nil, store.Link{}
}

// pairs are the pairs a run deals with, found by either id.
type pairs struct {
	list []*pair
	by   map[record.Side]map[string]*pair
	ids  map[string]*pair
}

func newPairs() *pairs {
	return &pairs{by: map[record.Side]map[string]*pair{record.Creatio: {}, record.Google: {}}, ids: map[string]*pair{}}
}

// has reports whether a link was taken in.
func (p *pairs) has(link string) bool { return p.ids[link] != nil }

// add takes a link in; a link that is there already is not taken twice.
func (p *pairs) add(l store.Link) *pair {
	if known := p.ids[l.ID]; known != nil {
		return known
	}
	n := &pair{link: l, stored: l, now: map[record.Side]*record.Record{}}
	p.ids[l.ID] = n
	p.put(n)
	return n
}

// owns notes that two records are those of a link with which there is nothing to do.
func (p *pairs) owns(l store.Link) {
	n := &pair{quiet: true, link: store.Link{ID: l.ID, CreatioID: l.CreatioID, GoogleID: l.GoogleID, Active: true}}
	p.ids[l.ID] = n
	for _, s := range record.Sides {
		p.name(n, s)
	}
}

func (p *pairs) put(n *pair) {
	p.list = append(p.list, n)
	for _, s := range record.Sides {
		p.name(n, s)
	}
}

// name lets a pair be found by its id on a side. Of two links to one record, the one in scope is the record's.
func (p *pairs) name(n *pair, s record.Side) {
	id := n.link.SideID(s)
	if id == "" {
		return
	}
	if known := p.by[s][id]; known != nil && known != n && (known.link.Active || !n.link.Active) {
		return
	}
	p.by[s][id] = n
}

// fresh reports whether the pair is nothing but a record that was found just now.
func (p *pair) fresh() bool {
	return !p.quiet && p.stored.ID == "" && (p.link.CreatioID == "" || p.link.GoogleID == "")
}

// leave gives up a fresh pair, if there is one, whose record turned out to be another pair's.
func (p *pairs) leave(fresh *pair, s record.Side) {
	if fresh == nil {
		return
	}
	fresh.merged = true
	delete(p.by[s], fresh.link.SideID(s))
	p.drop(func(other *pair) bool { return other == fresh })
}

func (p *pairs) drop(f func(*pair) bool) { p.list = slices.DeleteFunc(p.list, f) }

// gather reads the links of what changed, and of every one of them both records: what did not change is as the link
// says, the rest is fetched. Links come and go by the page; those of which nothing changed are let go at once, so that a
// run holds what it has to do, and not what there is.
func (r *run) gather(ctx context.Context) error {
	r.pairs = newPairs()
	r.window = newWindow(r.deltas)
	if err := r.openRosters(ctx); err != nil {
		return err
	}
	for _, s := range record.Sides {
		r.believe(s, slices.Collect(maps.Values(r.window.records[s])))
	}
	if err := r.loadLinks(ctx); err != nil {
		return err
	}
	ask := newAsk()
	for _, s := range record.Sides {
		r.attach(s, r.window.take(s))
		r.askFor(s, ask[s])
	}
	if err := r.fetch(ctx, ask); err != nil {
		return err
	}
	if err := r.unify(ctx, ask); err != nil {
		return err
	}
	r.pairs.drop(func(p *pair) bool { return !r.concerned(p) })
	ask = newAsk()
	for _, p := range r.pairs.list {
		for _, s := range record.Sides {
			id := p.link.SideID(s)
			switch {
			case p.now[s] != nil || id == "":
			case p.link.Active && !p.link.Unfinished() && !p.link.Sides[s].Diverged:
				p.now[s] = remembered(p.link, s, r.engine.Schema)
			default:
				ask[s][id] = true
			}
		}
	}
	return r.fetch(ctx, ask)
}

// asked are ids of records to be fetched, by side.
type asked map[record.Side]map[string]bool

func newAsk() asked { return asked{record.Creatio: {}, record.Google: {}} }

// loadLinks reads the links that the run is about: of what changed, of who came and went, and what earlier runs left
// unfinished; all of them only where nobody knows who was there before.
func (r *run) loadLinks(ctx context.Context) error {
	r.active = r.doc.Members
	if !r.rosters[record.Creatio].known || !r.rosters[record.Google].known || r.doc.Interrupted && r.doc.LastFinished.IsZero() {
		return r.loadAll(ctx)
	}
	pending, err := r.user.PendingLinks(ctx, r.engine.Type)
	if err != nil {
		return fmt.Errorf("read unfinished links: %w", err)
	}
	r.unfinished = len(pending)
	for _, l := range pending {
		r.pairs.add(l)
	}
	if err := r.loadInterrupted(ctx); err != nil {
		return err
	}
	for _, s := range record.Sides {
		for ids := range slices.Chunk(slices.Concat(r.window.ids(s), r.rosters[s].came, r.rosters[s].left), page) {
			links, err := r.user.LinksBy(ctx, r.engine.Type, s, ids)
			if err == nil {
				err = r.sift(ctx, links)
			}
			if err != nil {
				return fmt.Errorf("read links by %s: %w", s, err)
			}
		}
	}
	return nil
}

// page is how many links are looked at together. So many contacts fill whole batches in Creatio.
const page = 600

func (r *run) loadAll(ctx context.Context) error {
	r.active = 0
	links := make([]store.Link, 0, page)
	for l, err := range r.user.Links(ctx, r.engine.Type) {
		if err != nil {
			return fmt.Errorf("read links: %w", err)
		}
		if l.Active {
			r.active++
		}
		if l.Unfinished() {
			r.unfinished++
		}
		if links = append(links, l); len(links) == page {
			if err := r.sift(ctx, links); err != nil {
				return err
			}
			links = links[:0]
		}
	}
	return r.sift(ctx, links)
}

// sift keeps those links of which something may have changed. Of the others only the ids stay, and their records are
// let go.
func (r *run) sift(ctx context.Context, links []store.Link) error {
	links = slices.DeleteFunc(links, func(l store.Link) bool { return r.pairs.has(l.ID) })
	ask := newAsk()
	for _, l := range links {
		for _, s := range record.Sides {
			if id := l.SideID(s); r.window.touched[s][id] && r.window.record(s, id) == nil {
				ask[s][id] = true
			}
		}
	}
	found, err := r.readRecords(ctx, ask)
	if err != nil {
		return err
	}
	for _, s := range record.Sides {
		r.window.add(s, found[s])
	}
	for _, l := range links {
		if r.quiet(l) {
			r.pairs.owns(l)
			for _, s := range record.Sides {
				r.window.drop(s, l.SideID(s))
			}
			continue
		}
		r.pairs.add(l)
	}
	return nil
}

// quiet reports whether both records of a link are as it says.
func (r *run) quiet(l store.Link) bool {
	if !l.Active || l.Unfinished() {
		return false
	}
	for _, s := range record.Sides {
		id := l.SideID(s)
		rec := r.window.record(s, id)
		switch {
		case id == "" || r.rosters[s].lacks(id):
			return false
		case rec == nil:
			// What was touched has been read, so it is not there under this id.
			if r.window.touched[s][id] {
				return false
			}
		case rec.Photo != photoShown(l, s).Ref, photoShown(l, s).Intended != "":
			return false
		case rec.ID != id || rec.Gone || !rec.Member || l.Sides[s].Diverged || !bytes.Equal(rec.AdapterState, l.Sides[s].AdapterState):
			return false
		case !r.engine.Schema.Equal(rec.Fields, spelled(l.Base, l.Sides[s].Projections, r.engine.Schema)):
			return false
		case !stillKeeps(r.engine.Schema, rec, l.Sides[s].Projections):
			return false
		}
	}
	return true
}

// stillKeeps reports whether a record has every value that it had under a label of its own.
func stillKeeps(schema record.Schema, rec *record.Record, shown []record.Projection) bool {
	for _, sh := range shown {
		f, known := schema.Field(sh.Field)
		if sh.Untracked && known && !slices.ContainsFunc(rec.Untracked[sh.Field], func(e record.Entry) bool { return f.Means(e, sh.Canonical) }) {
			return false
		}
	}
	return true
}

// skew is how far the clocks of two instances may be apart.
const skew = 5 * time.Minute

// loadInterrupted reads the links that runs wrote which were cut off. Those moved records in and out of scope, and a
// person who moved one back left a set of members that looks as if nothing had happened.
func (r *run) loadInterrupted(ctx context.Context) error {
	if !r.doc.Interrupted {
		return nil
	}
	links, err := r.user.LinksSince(ctx, r.engine.Type, r.doc.LastFinished.Add(-skew))
	if err != nil {
		return fmt.Errorf("read links of a run that was cut off: %w", err)
	}
	for _, l := range links {
		r.pairs.add(l).suspect = true
	}
	if r.active, err = r.user.ActiveLinks(ctx, r.engine.Type); err != nil {
		return fmt.Errorf("count the links in scope: %w", err)
	}
	return nil
}

// askFor notes the ids of a side whose records have to be read before anything can be decided.
func (r *run) askFor(s record.Side, ask map[string]bool) {
	for id := range r.window.touched[s] {
		if p := r.pairs.by[s][id]; p != nil && !p.quiet && p.now[s] == nil {
			ask[id] = true
		}
	}
	for _, p := range r.pairs.list {
		if id := p.link.SideID(s); id != "" && p.now[s] == nil && (r.due(p) || p.suspect) {
			ask[id] = true
		}
	}
	roster := r.rosters[s]
	for _, id := range roster.came {
		if p := r.pairs.by[s][id]; p == nil || (!p.link.Active && p.now[s] == nil) {
			ask[id] = true
		}
	}
	for _, p := range r.pairs.list {
		// One who changed and is not listed any more may have left, or go by another id, since the changes were read.
		id := p.link.SideID(s)
		if (p.link.Active || p.link.SplitSide != "") && id != "" && roster.lacks(id) && (p.now[s] == nil || p.now[s].Member) {
			ask[id] = true
		}
		if rec := p.now[s]; id != "" && rec != nil && r.behind(s, rec, p.stored.Sides[s].Modified) {
			ask[id] = true
		}
	}
}

// due reports whether an unfinished pair's time to be tried again has come. A person who asks does not wait.
func (r *run) due(p *pair) bool {
	return p.stored.Unfinished() && (r.record.Trigger != TriggerSchedule || !p.stored.Again().After(r.start))
}

// concerned reports whether a pair is this run's business.
func (r *run) concerned(p *pair) bool {
	if p.stored.Unfinished() {
		return r.due(p) || p.now[record.Creatio] != nil || p.now[record.Google] != nil
	}
	for _, s := range record.Sides {
		if rec := p.now[s]; rec != nil && (p.link.Active || p.link.SplitSide != "" || rec.Member) {
			return true
		}
	}
	return false
}

// remembered is an unchanged record as its link tells it: the agreed content, in the side's own spelling.
func remembered(l store.Link, s record.Side, schema record.Schema) *record.Record {
	known := l.Sides[s]
	return &record.Record{
		ID: l.SideID(s), Member: true, Modified: known.Modified, AdapterState: known.AdapterState, Fields: spelled(l.Base, known.Projections, schema),
		Photo: photoShown(l, s).Ref,
	}
}

// spelled is content as a side shows it.
func spelled(base record.Fields, shown []record.Projection, schema record.Schema) record.Fields {
	out := base.Clone()
	for _, sh := range shown {
		f, ok := schema.Field(sh.Field)
		if !ok {
			continue
		}
		if f.Empty(sh.Canonical) {
			if len(out[f.Name]) == 0 {
				out[f.Name] = []record.Entry{sh.Displayed}
			}
			continue
		}
		i := slices.IndexFunc(out[f.Name], func(e record.Entry) bool { return f.Same(e, sh.Canonical) })
		if i < 0 {
			continue
		}
		if f.Empty(sh.Displayed) {
			out[f.Name] = slices.Delete(out[f.Name], i, i+1)
		} else {
			out[f.Name][i] = sh.Displayed
		}
		if len(out[f.Name]) == 0 {
			delete(out, f.Name)
		}
	}
	return out
}
