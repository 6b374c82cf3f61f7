package syncer

import (
	"maps"
	"slices"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// window is what both sides told of a run's window, found by id and packed. It is emptied as the run goes through it.
type window struct {
	records map[record.Side]map[string]record.Packed
	// names are the ids by which a record was known before.
	names map[record.Side]map[string]string
	// touched are ids of records that may have changed and that have to be read where they are linked.
	touched map[record.Side]map[string]bool
	// from is where the range of a side begins; zero where it has none.
	from map[record.Side]time.Time
}

// newWindow takes the records out of the deltas, so that nobody else keeps them.
func newWindow(deltas map[record.Side]record.Delta) *window {
	w := &window{
		records: map[record.Side]map[string]record.Packed{}, names: map[record.Side]map[string]string{}, touched: map[record.Side]map[string]bool{},
		from: map[record.Side]time.Time{},
	}
	for _, s := range record.Sides {
		d := deltas[s]
		w.records[s], w.names[s], w.touched[s] = make(map[string]record.Packed, len(d.Records)), map[string]string{}, make(map[string]bool, len(d.Touched))
		w.from[s] = d.From
		w.add(s, d.Records)
		for _, id := range d.Touched {
			w.touched[s][id] = true
		}
		d.Records, d.Touched = nil, nil
		deltas[s] = d
	}
	return w
}

func (w *window) add(s record.Side, records []record.Packed) {
	for _, p := range records {
		rec := p.Head()
		w.records[s][rec.ID] = p
		for _, alias := range rec.Aliases {
			w.names[s][alias] = rec.ID
		}
	}
}

// record is the record that goes or went by an id; nil where the window does not tell of it.
func (w *window) record(s record.Side, id string) *record.Record {
	p, ok := w.records[s][id]
	if !ok {
		if p, ok = w.records[s][w.names[s][id]]; !ok {
			return nil
		}
	}
	rec := p.Unpack()
	return &rec
}

// over reports whether a record of a link ended before the range of its side began, by what the link and the window say.
func (w *window) over(s record.Side, link store.Link, rec *record.Record) bool {
	before := func(end time.Time) bool { return !end.IsZero() && end.Before(w.from[s]) }
	return before(link.End) && (rec.Gone || before(rec.End))
}

// has reports whether the window tells of the record that goes or went by an id.
func (w *window) has(s record.Side, id string) bool {
	_, is := w.records[s][id]
	_, was := w.records[s][w.names[s][id]]
	return is || was
}

// ids are all ids of which the window tells, in order.
func (w *window) ids(s record.Side) []string {
	all := maps.Clone(w.touched[s])
	for id := range w.records[s] {
		all[id] = true
	}
	for alias := range w.names[s] {
		all[alias] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// drop lets a record go that nobody has to look at again. One that went by other names may be what became of another
// link's record.
func (w *window) drop(s record.Side, id string) {
	if len(w.records[s][id].Head().Aliases) > 0 {
		return
	}
	delete(w.records[s], id)
	delete(w.touched[s], id)
}

// drain hands the records out that are left, in the order of their ids.
func (w *window) drain(s record.Side) []record.Packed {
	out := make([]record.Packed, 0, len(w.records[s]))
	for _, id := range slices.Sorted(maps.Keys(w.records[s])) {
		out = append(out, w.records[s][id])
	}
	w.records[s] = map[string]record.Packed{}
	return out
}
