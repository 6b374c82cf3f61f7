package syncer

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/tandem-sync/tandem/shared/match"
	"github.com/tandem-sync/tandem/shared/reconcile"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// pair is a link and what is known of its two records in this run. Its content is packed while the pair waits for its turn,
// so that a run with many pairs holds few of them in full: whoever looks into a pair opens it first.
type pair struct {
	// content is nil while the pair is closed.
	*content
	// outline is what a closed pair tells of itself, packed its content.
	outline
	packed *packedContent
	// among are the pairs of which it is one.
	among *pairs
	// first says that the records were matched in this run, for a reason.
	first  bool
	reason match.Reason
	// wait, where not nil, says why the pair is left alone in this run.
	wait *wait
	// unchanged says that there is nothing to do with the pair, of which only the ids are kept.
	unchanged bool
	// nominated says that both records have to be read: something may have happened that no list tells.
	nominated bool
	// orphaned says that a copy of another user's record is gone, and that nobody's account has that record any more.
	orphaned bool
	// held says that another user's link holds the records too.
	held bool
	// spare is the side on which the pair is nothing but a record that a run made in the place of one that is there again.
	spare record.Side
	// followed says that the copy follows the record of another user, who synchronizes.
	followed bool
	// undecided are the sides on which the only read is one that decides nothing.
	undecided map[record.Side]bool
	// absorbed says that another pair took this one's record over; replaces are the stored links that this pair takes over.
	absorbed bool
	replaces []store.Link
	// notes are what is noted of Tandem's own writes of the records, where that decides something.
	notes map[record.Side]store.WriteNote
	// unheard is what is to be noted of a write whose answer nobody heard, and which took effect.
	unheard []store.WriteNote
	// doubt is what an undo left in the place of the pair's link; nil where there is none.
	doubt *store.Pair
	// attempts counts how often the pair was read and planned anew in this run.
	attempts int
	// applied is what the run did to the pair that is to be undone, left what the undo leaves as it is.
	applied []reconcile.AppliedChange
	left    reconcile.LeftAsIs
}

// content is a link, with what is known of its two records.
type content struct {
	link store.Link
	// stored is the link as the store has it; the zero Link where it has none.
	stored  store.Link
	records map[record.Side]*record.Record
}

// wait is why a pair is left alone, and until when. A wait without a problem is nothing that a user has to know.
type wait struct {
	until   time.Time
	problem *store.Problem
	// inDoubt says that the record may be one of several, found those of its doubts that this run found.
	inDoubt bool
	found   []store.Pair
	// left says that the record is left to another user's account, for as long as that user synchronizes.
	left bool
}

// linked reports whether the pair has an id on both sides.
func (p *pair) linked() bool { return p.sideID(record.Creatio) != "" && p.sideID(record.Google) != "" }

// newlySeen reports whether the pair is nothing but a record that was found just now.
func (p *pair) newlySeen() bool {
	return !p.unchanged && p.spare == "" && !p.current().inStore && !p.linked()
}

// free lets go of what was needed to write the pair. Its ids stay: nobody else may be paired with its records.
func (p *pair) free() {
	p.outline = p.current()
	p.outline.inStore, p.outline.revisits, p.outline.known = false, false, [2]bool{}
	p.content, p.packed = nil, nil
}

// pairs are the pairs that a run deals with, found by either id.
type pairs struct {
	list   []*pair
	bySide map[record.Side]map[string]*pair
	byLink map[string]*pair
	// opened are the pairs that were opened since pairs were closed last.
	opened []*pair
}

func newPairs() *pairs {
	return &pairs{bySide: map[record.Side]map[string]*pair{record.Creatio: {}, record.Google: {}}, byLink: map[string]*pair{}}
}

// find is the pair of a record by its id on a side, opened; nil where there is none.
func (p *pairs) find(s record.Side, id string) *pair {
	n := p.bySide[s][id]
	if n == nil {
		return nil
	}
	return n.open()
}

// has reports whether a link was taken in.
func (p *pairs) has(link string) bool { return p.byLink[link] != nil }

// addLink takes a link in; a link that is there already is not taken twice.
func (p *pairs) addLink(l store.Link) *pair {
	if known := p.byLink[l.ID]; known != nil {
		return known.open()
	}
	n := p.newPair(&content{link: l, stored: l, records: map[record.Side]*record.Record{}})
	p.byLink[l.ID] = n
	p.add(n)
	return n
}

// addUnchanged notes that two records are those of a link with which there is nothing to do.
func (p *pairs) addUnchanged(l store.Link) {
	n := &pair{unchanged: true, among: p, outline: outline{id: l.ID, ids: [2]string{l.CreatioID, l.GoogleID}, active: true}}
	p.byLink[l.ID] = n
	for _, s := range record.Sides {
		p.index(n, s)
	}
}

// addRecord starts a pair for a record without a link.
func (p *pairs) addRecord(s record.Side, id string) *pair {
	n := p.newPair(&content{link: store.Link{ID: linkID(s, id)}, records: map[record.Side]*record.Record{}})
	n.first = true
	n.link.SetSideID(s, id)
	p.add(n)
	return n
}

func (p *pairs) newPair(c *content) *pair {
	n := &pair{content: c, among: p, outline: outline{id: c.link.ID}}
	p.opened = append(p.opened, n)
	return n
}

func (p *pairs) add(n *pair) {
	p.list = append(p.list, n)
	for _, s := range record.Sides {
		p.index(n, s)
	}
}

// index lets a pair be found by its id on a side. Where two links have one record, the link in scope is found.
func (p *pairs) index(n *pair, s record.Side) {
	id := n.sideID(s)
	if id == "" {
		return
	}
	if known := p.bySide[s][id]; known != nil && known != n && (known.current().active || !n.current().active) {
		return
	}
	p.bySide[s][id] = n
}

// discard gives up a newly seen pair, if there is one, whose record turned out to be another pair's.
func (p *pairs) discard(n *pair, s record.Side) {
	if n == nil {
		return
	}
	n.absorbed = true
	delete(p.bySide[s], n.sideID(s))
	p.drop(func(other *pair) bool { return other == n })
}

// forget lets go of an unchanged pair, whose link is to be looked at all the same.
func (p *pairs) forget(n *pair) {
	delete(p.byLink, n.id)
	for _, s := range record.Sides {
		if id := n.sideID(s); p.bySide[s][id] == n {
			delete(p.bySide[s], id)
		}
	}
}

func (p *pairs) drop(f func(*pair) bool) { p.list = slices.DeleteFunc(p.list, f) }

// state is the adapter's state of a record of the pair: as it was read, else as it is known.
func (p *pair) state(s record.Side) json.RawMessage {
	if rec := p.records[s]; rec != nil && !rec.Gone {
		return rec.AdapterState
	}
	return p.link.Sides[s].AdapterState
}
