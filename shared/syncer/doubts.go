package syncer

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/tandem-sync/tandem/shared/match"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

const (
	// byUndo is the reason of a doubt that an undo left, and of two records that the undo of that links again.
	byUndo = "undo"
	// byMatch is the reason of a doubt that matching left: a record may be any of several, or contradicts the only one that it
	// may be. Whether that is so is found out anew whenever the record is matched.
	byMatch = "match"
	// byUser is the rule by which the user took two records for different ones.
	byUser = string(match.ByUser)
	// doubtsEvery is how often the records of open doubts are read when nothing tells of a change: one that is not in scope
	// may be deleted without a word.
	doubtsEvery = 24 * time.Hour
)

// doubts are the pairs of records whose match is no matter of course, as far as a run has to know them: open doubts, and
// what the user said of two records. An open doubt is settled by the user, or when one of its records is gone. Until then
// neither record is matched, and neither is copied.
type doubts struct {
	// may says that the store may have pairs. Where it has none, which is nearly always, nobody asks it.
	may    bool
	byID   map[string]store.Pair
	bySide map[record.Side]map[string][]string
	// asked are the ids whose pairs were read, told those of which the window tells something, and what.
	asked asked
	told  map[record.Side]map[string]record.Record
	// records are those that were read because of a pair.
	records map[record.Side]map[string]*record.Record
	// found are pairs that are to be written, settled the ids of those that are to be removed, separated the links of two records
	// that the user took for different ones.
	found     map[string]bool
	settled   map[string]bool
	separated []store.Link
	gone      map[string]bool
	// touched says that the run changed what is kept of pairs, looked that it looked at all of them.
	touched, looked bool
	// counted are the pairs that are kept when the run ends; nil where nobody had to count.
	counted *store.PairCounts
}

func newDoubts(doc store.Sync) *doubts {
	return &doubts{
		// A run that was cut off may have written pairs that nobody counted.
		may:   doc.Pairs.Known > 0 || len(doc.Verdicts) > 0 || doc.Interrupted,
		byID:  map[string]store.Pair{},
		asked: newAsked(), found: map[string]bool{}, settled: map[string]bool{}, gone: map[string]bool{},
		bySide:  map[record.Side]map[string][]string{record.Creatio: {}, record.Google: {}},
		told:    map[record.Side]map[string]record.Record{record.Creatio: {}, record.Google: {}},
		records: map[record.Side]map[string]*record.Record{record.Creatio: {}, record.Google: {}},
	}
}

// add takes a pair in as it is kept, or as it is to be.
func (d *doubts) add(p store.Pair) {
	if _, known := d.byID[p.ID]; !known {
		for _, s := range record.Sides {
			d.bySide[s][p.SideID(s)] = append(d.bySide[s][p.SideID(s)], p.ID)
		}
	}
	d.byID[p.ID] = p
}

// put has a pair be written.
func (d *doubts) put(p store.Pair) {
	d.add(p)
	d.found[p.ID] = true
	delete(d.settled, p.ID)
}

// settle has a pair be removed.
func (d *doubts) settle(id string) {
	if _, known := d.byID[id]; known {
		delete(d.byID, id)
		delete(d.found, id)
		d.settled[id] = true
	}
}

// linked settles what was kept of two records that have a link now, and what others they might have been.
func (d *doubts) linked(l store.Link) {
	if l.CreatioID == "" || l.GoogleID == "" {
		return
	}
	d.settle(store.PairID(l.CreatioID, l.GoogleID))
	for _, s := range record.Sides {
		d.settleMatches(s, l.SideID(s), nil)
	}
}

// settleMatches settles the doubts that matching left of a record, but for those that are open.
func (d *doubts) settleMatches(s record.Side, id string, open map[string]bool) {
	for _, p := range d.of(s, id) {
		if p.State == store.StateDoubt && p.Reason == byMatch && !open[p.ID] {
			d.settle(p.ID)
		}
	}
}

// of are the pairs of a record.
func (d *doubts) of(s record.Side, id string) []store.Pair {
	var out []store.Pair
	for _, pair := range d.bySide[s][id] {
		if p, ok := d.byID[pair]; ok {
			out = append(out, p)
		}
	}
	return out
}

// ids are a record's counterparts in pairs of a state.
func (d *doubts) ids(s record.Side, id string, state store.PairState) []string {
	var out []string
	for _, p := range d.of(s, id) {
		if p.State == state {
			out = append(out, p.SideID(s.Other()))
		}
	}
	return out
}

// open reports whether a record waits for the user to say whose counterpart it is.
func (d *doubts) open(s record.Side, id string) bool {
	return slices.ContainsFunc(d.of(s, id), func(p store.Pair) bool { return p.State == store.StateDoubt && p.Reason == byUndo })
}

// note remembers what a read tells of a record that has no link.
func (d *doubts) note(s record.Side, rec *record.Record) {
	if d.may {
		d.told[s][rec.ID] = *rec
	}
}

// linkID is the id of the link that a record starts. That of a former link with a record that the user took for another one
// is not used again: the other record may carry it as its mark.
func (l *loader) linkID(s record.Side, id string) string {
	pairs := l.doubts.of(s, id)
	for seed := id; ; seed += "\x00again" {
		is := linkID(s, seed)
		if !slices.ContainsFunc(pairs, func(p store.Pair) bool { return p.State == store.StateDifferent && p.FormerLink == is }) {
			return is
		}
	}
}

// isSeparated reports whether the run took a link away between two records that the user took for different ones.
func (d *doubts) isSeparated(link string) bool { return d.gone[link] }

// newID is the id that a record gets which is created for the one of another id; empty where its side chooses it. The id
// of a record that the user took for another one is not used again.
func (l *loader) newID(side record.Side, from string, state json.RawMessage) string {
	if _, chosen := l.sides[side].(Naming); !chosen {
		return ""
	}
	different := l.doubts.ids(side.Other(), from, store.StateDifferent)
	for salt := ""; ; salt += "\x00again" {
		if id := l.session.newID(side, from, state, salt); from == "" || !slices.Contains(different, id) {
			return id
		}
	}
}

// askPairs reads the pairs of records that were not asked for yet.
func (l *loader) askPairs(ctx context.Context, s record.Side, ids []string) error {
	if !l.doubts.may {
		return nil
	}
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == "" || l.doubts.asked[s][id] })
	if len(ids) == 0 {
		return nil
	}
	pairs, err := l.user.PairsBy(ctx, l.engine.Type, s, ids)
	if err != nil {
		return fmt.Errorf("read pairs by %s: %w", s, err)
	}
	for _, id := range ids {
		l.doubts.asked[s][id] = true
	}
	for _, p := range pairs {
		l.doubts.know(p)
	}
	return nil
}

// know takes in what the store has, where the run does not know better.
func (d *doubts) know(p store.Pair) {
	if _, known := d.byID[p.ID]; !known && !d.settled[p.ID] {
		d.add(p)
	}
}

// saveDoubts writes down what became of pairs, and takes the links away of those that the user took for different ones. The
// history tells of that before it is done.
func (w *writer) saveDoubts(ctx context.Context) error {
	d := w.doubts
	var changes []store.Change
	batch := store.Batch{}
	for _, l := range d.separated {
		changes = append(changes, store.Change{
			Side: record.Google, Action: actionMatch, Record: l.Name, CreatioID: l.CreatioID, GoogleID: l.GoogleID,
			Fields: []store.FieldChange{{Field: actionMatch, Before: nameOf(l.Name), Rule: byUser}},
		})
		batch.Links = append(batch.Links, store.Link{ID: l.ID})
	}
	for id := range d.found {
		batch.Pairs = append(batch.Pairs, d.byID[id])
	}
	for id := range d.settled {
		batch.SettledPairs = append(batch.SettledPairs, id)
	}
	slices.SortFunc(batch.Pairs, func(a, b store.Pair) int { return cmp.Compare(a.ID, b.ID) })
	slices.Sort(batch.SettledPairs)
	d.separated, d.found, d.settled = nil, map[string]bool{}, map[string]bool{}
	if w.preview() {
		return w.report.add(ctx, changes)
	}
	if len(batch.Pairs)+len(batch.SettledPairs)+len(batch.Links) == 0 {
		return nil
	}
	d.touched, w.wrote = true, true
	if err := w.report.intend(ctx, changes); err != nil {
		return err
	}
	if _, err := w.put(ctx, batch); err != nil {
		return err
	}
	return w.report.add(ctx, changes)
}

// countPairs counts what is kept of pairs, where the run may have changed that.
func (w *writer) countPairs(ctx context.Context) error {
	if w.preview() || !w.doubts.touched && !w.doc.Interrupted {
		return nil
	}
	var c store.PairCounts
	for p, err := range w.user.Pairs(ctx, w.engine.Type) {
		if err != nil {
			return fmt.Errorf("count pairs: %w", err)
		}
		c.Known++
		if p.State == store.StateDoubt && !p.Silent {
			c.Doubts++
		}
	}
	w.doubts.counted = &c
	return nil
}

// concludeDoubts notes what is kept of pairs after the run, and takes the verdicts away that it followed.
func (r *run) concludeDoubts(d *store.Sync, out Outcome) {
	if r.writer == nil || r.preview() {
		return
	}
	known := r.writer.doubts
	switch {
	case known.counted != nil:
		d.Pairs = *known.counted
	case known.touched:
		// Nobody knows how many there are: the next run counts them.
		d.Pairs.Known, d.Interrupted = max(d.Pairs.Known, 1), true
	}
	switch {
	case d.Pairs.Doubts == 0:
		d.DoubtsAt = time.Time{}
	case known.looked && out.did() && !r.undoes(), d.DoubtsAt.IsZero():
		d.DoubtsAt = r.start.Add(doubtsEvery)
	}
	if out.did() && !r.undoes() {
		d.Verdicts = slices.DeleteFunc(slices.Clone(d.Verdicts), func(v store.Verdict) bool {
			return slices.ContainsFunc(r.doc.Verdicts, func(heard store.Verdict) bool { return v.At.Equal(heard.At) && v == heard })
		})
	}
}
