package syncer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// maxUnreachable is how many photos in a row may fail because a service cannot be reached before the others are left for later.
const maxUnreachable = 3

// photoPage is how many links are read together to carry photos.
const photoPage = 50

// notePhoto remembers a pair whose photos are to be looked at once everything else is written. Of the pair only what tells
// its photos apart stays in memory.
func (w *writer) notePhoto(p *pair) {
	sides := w.photoSides()
	if sides == nil || !w.photoDue(p) {
		return
	}
	t := photoPairOf(p, sides)
	if !t.needed(w.policy()) {
		return
	}
	t.link = store.Link{ID: p.link.ID, CreatioID: p.link.CreatioID, GoogleID: p.link.GoogleID, Photo: p.link.Photo}
	w.photos = append(w.photos, t)
}

// carryPhotos brings the photos of pairs in step, one pair after the other, now that everything else is written. What is
// done is saved at once, so that a run whose time is over goes on where it stopped. A photo that fails is its record's
// business only.
func (w *writer) carryPhotos(ctx context.Context) error {
	unreachable := 0
	for page := range slices.Chunk(w.photos, photoPage) {
		if err := w.reloadPhotos(ctx, page); err != nil {
			return err
		}
		for _, t := range page {
			if t.stored.ID == "" {
				continue
			}
			if unreachable >= maxUnreachable {
				if err := w.postpone(ctx, t); err != nil {
					return err
				}
				continue
			}
			if err := w.timeLeft(ctx); err != nil {
				return err
			}
			w.progress(ctx, phasePhotos)
			w.done++
			w.wrote = true
			err := w.syncPhoto(ctx, t)
			if stop := w.photoFailure(ctx, t, err); stop != nil {
				return stop
			}
			if unreachable++; !fault.Is(err, fault.Retry) {
				unreachable = 0
			}
			t.free()
		}
	}
	return nil
}

// reloadPhotos reads the links of pairs again, as they were left by what was written since.
func (w *writer) reloadPhotos(ctx context.Context, list []*photoPair) error {
	ids, byID := make([]string, len(list)), map[string]*photoPair{}
	for i, t := range list {
		ids[i], byID[t.link.ID] = t.link.CreatioID, t
	}
	links, err := w.user.LinksBy(ctx, w.engine.Type, record.Creatio, ids)
	if err != nil {
		return fmt.Errorf("read links of photos: %w", err)
	}
	for _, l := range links {
		if t := byID[l.ID]; t != nil && l.Active && l.GoogleID == t.link.GoogleID {
			t.link, t.stored = l, l
		}
	}
	return nil
}

// photoSides are both sides, if both know photos.
func (w *writer) photoSides() map[record.Side]Photos {
	out := map[record.Side]Photos{}
	for _, s := range record.Sides {
		side, ok := w.sides[s].(Photos)
		if !ok {
			return nil
		}
		out[s] = side
	}
	return out
}

// photoDue reports whether the photos of a pair may be looked at: its records are in step, and if a photo of theirs failed
// its time has come.
func (w *writer) photoDue(p *pair) bool {
	l := &p.link
	if !l.Active || p.wait != nil || departureWaits(l) || l.Pending != "" || l.Failed > 0 || l.CreatioID == "" || l.GoogleID == "" {
		return false
	}
	return l.Photo == nil || l.Photo.Failed == 0 || w.retryDue(l.Photo.RetryAt)
}

// departureWaits reports whether it waits for the user's decision if the pair stays in scope.
func departureWaits(l *store.Link) bool {
	for _, w := range l.Waits {
		if w.Departure {
			return true
		}
	}
	return false
}

// syncPhoto brings the photos of one pair in step. Where a record shows another photo than it did, or nobody said what
// became of a write, both records are looked at anew, and what is to be done is decided anew.
func (w *writer) syncPhoto(ctx context.Context, t *photoPair) error {
	err := w.carryPhoto(ctx, t)
	for range maxAttempts - 1 {
		if ctx.Err() != nil || !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.Gone) && !fault.Ambiguous(err) {
			return err
		}
		found, lost := w.lookAgain(ctx, t)
		if lost != nil {
			return lost
		}
		if !found {
			return w.postpone(ctx, t)
		}
		err = w.carryPhoto(ctx, t)
	}
	return err
}

// lookAgain reads both records of a pair anew. A record that is not there any more, or not in scope, or under another id, is
// a later run's business, and so is its photo.
func (w *writer) lookAgain(ctx context.Context, t *photoPair) (found bool, err error) {
	ask := newAsked()
	for _, s := range record.Sides {
		ask[s][t.link.SideID(s)] = true
	}
	read, err := w.read(ctx, ask)
	if err != nil {
		return false, err
	}
	now := map[record.Side]*record.Record{}
	for _, s := range record.Sides {
		records := record.UnpackAll(read[s])
		if len(records) != 1 || records[0].Gone || !records[0].Member || records[0].ID != t.link.SideID(s) {
			return false, nil
		}
		now[s] = &records[0]
	}
	t.replaceRecords(now)
	return true, nil
}

// carryPhoto brings the photos of one pair in step, as they were read.
func (w *writer) carryPhoto(ctx context.Context, t *photoPair) error {
	if t.compared() {
		for _, s := range record.Sides {
			if t.unknown(s) {
				if err := w.identify(ctx, t, s); err != nil {
					return err
				}
			}
		}
	}
	m := t.merge(w.policy())
	wrote := false
	for _, s := range record.Sides {
		for _, c := range m.Changes[s] {
			if err := w.writePhoto(ctx, t, s, c.Rule); err != nil {
				return err
			}
			wrote = true
		}
	}
	if !wrote {
		t.known.Agreed = m.Base.Text(record.Photo)
	}
	w.report.run.Counts.Conflicts += len(m.Conflicts)
	t.known.Failed, t.known.RetryAt = 0, time.Time{}
	return w.keepPhoto(ctx, t)
}

// identify finds out which photo a side shows. One that Tandem does not carry is taken for what was agreed: it stays
// where it is, and nothing takes its place.
func (w *writer) identify(ctx context.Context, t *photoPair, s record.Side) error {
	picture, err := t.sides[s].Photo(ctx, t.record(s))
	code := ""
	switch {
	case fault.Is(err, fault.BadRecord):
		code = "photo-unreadable"
	case err != nil:
		return err
	case len(picture) > record.MaxPhoto:
		code = "photo-too-large"
	case record.PhotoType(picture) == "":
		code = "photo-format"
	}
	if code != "" {
		w.report.problem(t.link, store.Problem{
			Side: s, Code: code, Note: true, Message: "The photo in " + label(s) + " is not one that Tandem can carry, so it stays there alone.",
			Action: "Use a JPEG or a PNG of at most 5 MB, if you want it on both sides.",
		})
		t.setShown(s, store.PhotoState{Ref: t.refs[s], Is: t.known.Agreed})
		return nil
	}
	shown := store.PhotoState{Ref: t.refs[s], Is: record.PhotoHash(picture)}
	t.pictures[s] = picture
	switch was := t.known.Sides[s]; {
	case shown.Is == was.As:
		// The agreed photo at another place, as the side once made it of the one that it was given.
		shown.Is, shown.As = t.known.Agreed, was.As
	case was.Intended != "" && was.Ref == was.Is:
		// The answer to a write may have been lost, or somebody has been here since.
		ours, err := w.ours(ctx, t, s, was.Intended)
		if err != nil {
			return err
		}
		if ours {
			shown.Is, shown.As = was.Intended, shown.Is
		}
	}
	t.setShown(s, shown)
	return nil
}

// ours reports whether a side shows what it made of a photo whose writing was not confirmed. The other side, from which that
// came, has it still, or there is nothing left to compare with.
func (w *writer) ours(ctx context.Context, t *photoPair, s record.Side, writing string) (bool, error) {
	from := s.Other()
	if t.refs[from] == "" {
		return false, nil
	}
	if t.pictures[from] == nil {
		given, err := t.sides[from].Photo(ctx, t.record(from))
		if err != nil {
			return false, err
		}
		t.pictures[from] = given
	}
	given := t.pictures[from]
	return record.PhotoHash(given) == writing && t.sides[s].Made(given, t.pictures[s]), nil
}

// writePhoto gives one side the photo of the other, or takes its own away where the other has none.
func (w *writer) writePhoto(ctx context.Context, t *photoPair, s record.Side, rule string) error {
	from := s.Other()
	if t.shows[from] != "" && t.pictures[from] == nil {
		if err := w.identify(ctx, t, from); err != nil {
			return err
		}
	}
	picture := t.pictures[from]
	if t.shows[from] != "" && picture == nil {
		return nil
	}
	// What is written is what was read just now, whatever was known before.
	is := ""
	if picture != nil {
		is = record.PhotoHash(picture)
		t.setShown(from, store.PhotoState{Ref: t.refs[from], Is: is})
	}
	before := t.known.Sides[s]
	before.Ref, before.Is, before.Intended = t.refs[s], t.shows[s], is
	t.setShown(s, before)
	if err := w.keepPhoto(ctx, t); err != nil {
		return err
	}
	// No photo is written over of which nobody would know any more if the run died right after.
	if err := w.report.intend(ctx, []store.Change{w.photoChange(t, s, t.refs[s], is, rule)}); err != nil {
		return err
	}
	res := t.sides[s].PutPhoto(ctx, t.record(s), picture)
	if res.Err == nil || fault.Ambiguous(res.Err) {
		w.report.nextPiece()
	} else if err := w.report.add(context.WithoutCancel(ctx), nil); err != nil {
		return err
	}
	if fault.Is(res.Err, fault.BadRecord) {
		w.report.problem(t.link, store.Problem{
			Side: s, Code: "photo-refused", Note: true, Message: label(s) + " did not take the photo, so it is not there.", Action: "Use another photo, if you want it on both sides.",
		})
		t.known.Agreed = is
		t.setShown(s, store.PhotoState{Ref: t.refs[s], Is: is})
		return nil
	}
	if res.Err != nil {
		if !fault.Ambiguous(res.Err) {
			before.Intended = ""
			t.setShown(s, before)
		}
		return res.Err
	}
	return w.tookPhoto(ctx, t, s, is, res)
}

// tookPhoto writes down that a side took a photo.
func (w *writer) tookPhoto(ctx context.Context, t *photoPair, s record.Side, is string, res record.Result) error {
	shown := store.PhotoState{Ref: res.Record.Photo, Is: is}
	for _, sh := range res.Projections {
		if shown.As = sh.Displayed.Text; shown.As == "" {
			// What the side made of it is found out by likeness, when it shows at another address.
			shown.Intended = is
		}
	}
	t.known.Agreed = is
	t.setShown(s, shown)
	t.link.SetSideID(s, res.Record.ID)
	side := t.link.Sides[s]
	var notes []store.WriteNote
	if before := side.Modified; !before.IsZero() {
		// Values are as they were, and so is when they were edited.
		notes = w.writeNote(s, res.Record, before, time.Time{})
	}
	side.AdapterState, side.Modified = res.Record.AdapterState, res.Record.Modified
	t.link.Sides = maps.Clone(t.link.Sides)
	t.link.Sides[s] = side
	if err := w.keepPhoto(ctx, t, notes...); err != nil {
		return err
	}
	w.report.count(s, record.Update)
	return nil
}

// photoChange tells of a photo in words.
func (w *writer) photoChange(t *photoPair, s record.Side, was, is, rule string) store.Change {
	change := store.FieldChange{Field: record.Photo, Rule: rule, Ref: was}
	switch {
	case was != "" && is != "":
		change.Before, change.After = "photo", "another photo"
	case was != "":
		change.Before = "photo"
	default:
		change.After = "photo"
	}
	return store.Change{
		Side: s, Action: string(record.Update), Record: t.link.Name, CreatioID: t.link.CreatioID, GoogleID: t.link.GoogleID,
		Fields: []store.FieldChange{change},
	}
}

// keepPhoto saves what is known of a pair's photos, where that is news, with notes of what was written.
func (w *writer) keepPhoto(ctx context.Context, t *photoPair, notes ...store.WriteNote) error {
	known := t.known
	known.Sides = maps.Clone(known.Sides)
	t.link.Photo = &known
	if t.link.UpdatedAt = t.stored.UpdatedAt; same(t.link, t.stored) {
		return nil
	}
	t.link.UpdatedAt = w.engine.Now().UTC()
	if _, err := w.put(context.WithoutCancel(ctx), store.Batch{Notes: notes, Links: []store.Link{t.link}}); err != nil {
		return err
	}
	w.counts.update(t.stored, t.link)
	t.stored = t.link
	return nil
}

// photoFailure notes why a photo could not be carried, for it to be tried again. The error is for what ends the run.
func (w *writer) photoFailure(ctx context.Context, t *photoPair, err error) error {
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	t.fail(w.start)
	if kept := w.keepPhoto(ctx, t); kept != nil {
		return kept
	}
	if fault.Is(err, fault.Reconnect) {
		return err
	}
	w.report.run.Counts.Failed++
	says := fault.Explain(err)
	w.report.problem(t.link, store.Problem{Side: faultSide(err), Code: says.Code, Message: "The photo could not be carried. " + says.Message, Action: says.Action})
	return nil
}

func (t *photoPair) fail(now time.Time) {
	t.known.Failed++
	t.known.RetryAt = now.Add(retryDelay(t.known.Failed))
}

// postpone leaves a photo for a later run, since a service cannot be reached or wants to be left alone. Everything else is in
// step. The photo has not failed itself, and does not wait longer each time.
func (w *writer) postpone(ctx context.Context, t *photoPair) error {
	t.known.Failed = max(t.known.Failed, 1)
	t.known.RetryAt = w.start.Add(retryDelay(1))
	return w.keepPhoto(ctx, t)
}

// planPhoto is what a run would do to the photos of a pair. It fetches none, so that an unknown one counts as another
// one.
func (w *writer) planPhoto(st *step) []store.Change {
	sides := w.photoSides()
	if sides == nil || !st.Active || st.whole {
		return nil
	}
	t := photoPairOf(st.pair, sides)
	m := t.merge(w.policy())
	w.report.run.Counts.Conflicts += len(m.Conflicts)
	var changes []store.Change
	for _, s := range record.Sides {
		for _, c := range m.Changes[s] {
			change := w.photoChange(t, s, t.refs[s], t.shows[s.Other()], c.Rule)
			change.Record = st.name
			w.report.count(s, record.Update)
			changes = append(changes, change)
		}
	}
	return changes
}
