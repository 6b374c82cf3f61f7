package syncer

import (
	"encoding/json"
	"maps"
	"time"

	"github.com/tandem-sync/tandem/shared/reconcile"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// photoPair is what a run knows of the photos of one pair.
type photoPair struct {
	// link is the pair's link as it becomes, stored as the store has it.
	link, stored store.Link
	// first says that the records met for the first time in this run.
	first bool
	sides map[record.Side]Photos
	// refs are the references by which the sides show photos, modified when their records last changed.
	refs     map[record.Side]string
	modified map[record.Side]time.Time
	// states are what the adapters keep of records that were read anew; of others the link has it.
	states map[record.Side]json.RawMessage
	// known is what the link knows of photos, as it becomes.
	known store.LinkPhoto
	// shows are the hashes of what both show; of a photo that nobody has looked at yet its reference.
	shows map[record.Side]string
	// moved says that a side shows something else than it was known to.
	moved bool
	// pictures are those at hand; at most one of each side.
	pictures map[record.Side][]byte
}

// photoPairOf reads what the records of a pair show, by what is known of their references. It asks nobody.
func photoPairOf(p *pair, sides map[record.Side]Photos) *photoPair {
	t := &photoPair{
		link: p.link, first: p.first, sides: sides, refs: map[record.Side]string{}, modified: map[record.Side]time.Time{},
		shows: map[record.Side]string{}, pictures: map[record.Side][]byte{},
	}
	if p.link.Photo != nil {
		t.known = *p.link.Photo
	}
	t.known.Sides = maps.Clone(t.known.Sides)
	for _, s := range record.Sides {
		if rec := p.records[s]; rec != nil {
			t.refs[s], t.modified[s] = rec.Photo, rec.Modified
		}
		ref, shown := t.refs[s], t.known.Sides[s]
		t.moved = t.moved || ref != shown.Ref
		switch {
		case ref == shown.Ref:
			t.setShown(s, shown)
		case ref == "":
			t.setShown(s, store.PhotoState{})
		default:
			t.setShown(s, store.PhotoState{Ref: ref, Is: ref, As: shown.As, Intended: shown.Intended})
		}
	}
	return t
}

// replaceRecords takes in the records of the pair as they were read anew. When they were changed, as far as that decides between two
// photos, is when they began to show what they show.
func (t *photoPair) replaceRecords(now map[record.Side]*record.Record) {
	was, known := *t, t.known
	link := t.link
	link.Photo = &known
	*t = *photoPairOf(&pair{content: &content{link: link, records: now}, first: was.first}, was.sides)
	t.stored, t.states = was.stored, map[record.Side]json.RawMessage{}
	for _, s := range record.Sides {
		t.states[s] = now[s].AdapterState
		if t.refs[s] == was.refs[s] {
			t.modified[s] = was.modified[s]
			if was.pictures[s] != nil {
				t.pictures[s] = was.pictures[s]
			}
		}
	}
}

// free lets go of what was needed to carry the photo.
func (t *photoPair) free() {
	clear(t.pictures)
	clear(t.states)
	t.link, t.stored = store.Link{}, store.Link{}
}

// setShown notes what a side shows.
func (t *photoPair) setShown(s record.Side, shown store.PhotoState) {
	if t.known.Sides == nil {
		t.known.Sides = map[record.Side]store.PhotoState{}
	}
	t.known.Sides[s] = shown
	t.shows[s] = shown.Is
}

// unknown reports whether nobody has looked yet at what a side shows.
func (t *photoPair) unknown(s record.Side) bool {
	shown := t.known.Sides[s]
	return shown.Ref != "" && shown.Is == shown.Ref
}

func photoState(l store.Link, s record.Side) store.PhotoState {
	if l.Photo == nil {
		return store.PhotoState{}
	}
	return l.Photo.Sides[s]
}

// merge decides about the photo as about any other single value.
func (t *photoPair) merge(p reconcile.Policy) reconcile.Merged {
	base := record.Fields{}
	base.SetText(record.Photo, t.known.Agreed)
	views := map[record.Side]reconcile.View{}
	for _, s := range record.Sides {
		v := reconcile.View{Fields: record.Fields{}, Modified: t.modified[s]}
		v.Fields.SetText(record.Photo, t.shows[s])
		views[s] = v
	}
	return reconcile.Merge(record.Schema{record.PhotoField}, base, t.first, views, p)
}

// compared reports whether it matters which photo an unknown reference stands for: where there is no other one and never
// was, it is simply new.
func (t *photoPair) compared() bool {
	unknown := t.unknown(record.Creatio) || t.unknown(record.Google)
	return unknown && (t.known.Agreed != "" || t.shows[record.Creatio] != "" && t.shows[record.Google] != "")
}

// needed reports whether there is anything to do, or to find out, or to note that what failed is done.
func (t *photoPair) needed(p reconcile.Policy) bool {
	m := t.merge(p)
	return t.moved || t.known.Failed > 0 || t.compared() || m.Base.Text(record.Photo) != t.known.Agreed || len(m.Changes[record.Creatio])+len(m.Changes[record.Google]) > 0
}

// record is a side's record as its adapter wants it.
func (t *photoPair) record(s record.Side) record.Record {
	state, anew := t.states[s]
	if !anew {
		state = t.link.Sides[s].AdapterState
	}
	return record.Record{ID: t.link.SideID(s), Photo: t.refs[s], AdapterState: state}
}
