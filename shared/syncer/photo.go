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

// maxLost is how many photos in a row may fail because a service cannot be reached before the others are left for later.
const maxLost = 3

// photoPage is how many links are read together to carry photos.
const photoPage = 50

// notePhoto remembers a pair whose photos are to be looked at once everything else is written. Of the pair only what tells
// its photos apart stays in memory.
func (r *run) notePhoto(p *pair) {
	sides := r.photoSides()
	if sides == nil || !r.photoDue(p) {
		return
	}
	t := portraitOf(p, sides)
	if !t.open(r.policy()) {
		return
	}
	t.link = store.Link{ID: p.link.ID, CreatioID: p.link.CreatioID, GoogleID: p.link.GoogleID, Photo: p.link.Photo}
	r.photos = append(r.photos, t)
}

// carryPhotos brings the photos of pairs in step, one pair after the other, now that everything else is written. What is
// done is saved at once, so that a run whose time is over goes on where it stopped. A photo that fails is its record's
// business only.
func (r *run) carryPhotos(ctx context.Context) error {
	lost := 0
	for page := range slices.Chunk(r.photos, photoPage) {
		if err := r.reload(ctx, page); err != nil {
			return err
		}
		for _, t := range page {
			if t.stored.ID == "" {
				continue
			}
			if lost >= maxLost {
				if err := r.postpone(ctx, t); err != nil {
					return err
				}
				continue
			}
			if err := r.timeLeft(ctx); err != nil {
				return err
			}
			r.wrote = true
			err := r.settlePhoto(ctx, t)
			if stop := r.photoFailure(ctx, t, err); stop != nil {
				return stop
			}
			if lost++; !fault.Is(err, fault.Retry) {
				lost = 0
			}
			t.release()
		}
	}
	return nil
}

// reload reads the links of pairs again, as they were left by what was written since.
func (r *run) reload(ctx context.Context, list []*portrait) error {
	ids, byID := make([]string, len(list)), map[string]*portrait{}
	for i, t := range list {
		ids[i], byID[t.link.ID] = t.link.CreatioID, t
	}
	links, err := r.user.LinksBy(ctx, r.engine.Type, record.Creatio, ids)
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
func (r *run) photoSides() map[record.Side]Photos {
	out := map[record.Side]Photos{}
	for _, s := range record.Sides {
		side, ok := r.sides[s].(Photos)
		if !ok {
			return nil
		}
		out[s] = side
	}
	return out
}

// photoDue reports whether the photos of a pair may be looked at: its records are in step, and if a photo of theirs failed
// its time has come.
func (r *run) photoDue(p *pair) bool {
	l := &p.link
	if !l.Active || p.waits() || l.Pending != "" || l.Failed > 0 || l.CreatioID == "" || l.GoogleID == "" {
		return false
	}
	return l.Photo == nil || l.Photo.Failed == 0 || r.record.Trigger != TriggerSchedule || !l.Photo.RetryAt.After(r.start)
}

// settlePhoto brings the photos of one pair in step. Where a record shows another photo than it did, or nobody said what
// became of a write, both records are looked at anew, and what is to be done is decided anew.
func (r *run) settlePhoto(ctx context.Context, t *portrait) error {
	err := r.carryPhoto(ctx, t)
	for range rounds - 1 {
		if ctx.Err() != nil || !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.Gone) && !fault.Ambiguous(err) {
			return err
		}
		found, lost := r.lookAgain(ctx, t)
		if lost != nil {
			return lost
		}
		if !found {
			return r.postpone(ctx, t)
		}
		err = r.carryPhoto(ctx, t)
	}
	return err
}

// lookAgain reads both records of a pair anew. A record that is not there any more, or not in scope, or under another id, is
// a later run's business, and so is its photo.
func (r *run) lookAgain(ctx context.Context, t *portrait) (found bool, err error) {
	ask := newAsk()
	for _, s := range record.Sides {
		ask[s][t.link.SideID(s)] = true
	}
	records, err := r.readRecords(ctx, ask)
	if err != nil {
		return false, err
	}
	now := map[record.Side]*record.Record{}
	for _, s := range record.Sides {
		if len(records[s]) != 1 || records[s][0].Gone || !records[s][0].Member || records[s][0].ID != t.link.SideID(s) {
			return false, nil
		}
		now[s] = records[s][0]
	}
	t.turn(now)
	return true, nil
}

// carryPhoto brings the photos of one pair in step, as they were read.
func (r *run) carryPhoto(ctx context.Context, t *portrait) error {
	if t.compared() {
		for _, s := range record.Sides {
			if t.unknown(s) {
				if err := r.identify(ctx, t, s); err != nil {
					return err
				}
			}
		}
	}
	m := t.merge(r.policy())
	wrote := false
	for _, s := range record.Sides {
		for _, c := range m.Changes[s] {
			if err := r.writePhoto(ctx, t, s, c.Rule); err != nil {
				return err
			}
			wrote = true
		}
	}
	if !wrote {
		t.known.Agreed = m.Base.Text(record.Photo)
	}
	r.record.Counts.Conflicts += len(m.Conflicts)
	t.known.Failed, t.known.RetryAt = 0, time.Time{}
	return r.keepPhoto(ctx, t)
}

// identify finds out which photo a side shows. One that Tandem does not carry is taken for what was agreed: it stays
// where it is, and nothing takes its place.
func (r *run) identify(ctx context.Context, t *portrait, s record.Side) error {
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
		r.problem(t.link, store.Problem{
			Side: s, Code: code, Message: "The photo in " + label(s) + " is not one that Tandem can carry, so it stays there alone.",
			Action: "Use a JPEG or a PNG of at most 5 MB, if you want it on both sides.",
		})
		t.see(s, store.PhotoState{Ref: t.refs[s], Is: t.known.Agreed})
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
		ours, err := r.ours(ctx, t, s, was.Intended)
		if err != nil {
			return err
		}
		if ours {
			shown.Is, shown.As = was.Intended, shown.Is
		}
	}
	t.see(s, shown)
	return nil
}

// ours reports whether a side shows what it made of a photo whose writing was not confirmed. The other side, from which that
// came, has it still, or there is nothing left to compare with.
func (r *run) ours(ctx context.Context, t *portrait, s record.Side, writing string) (bool, error) {
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
func (r *run) writePhoto(ctx context.Context, t *portrait, s record.Side, rule string) error {
	from := s.Other()
	if t.shows[from] != "" && t.pictures[from] == nil {
		if err := r.identify(ctx, t, from); err != nil {
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
		t.see(from, store.PhotoState{Ref: t.refs[from], Is: is})
	}
	before := t.known.Sides[s]
	before.Ref, before.Is, before.Intended = t.refs[s], t.shows[s], is
	t.see(s, before)
	if err := r.keepPhoto(ctx, t); err != nil {
		return err
	}
	if err := r.announcePhoto(ctx, r.photoChange(t, s, t.refs[s], is, rule)); err != nil {
		return err
	}
	res := t.sides[s].PutPhoto(ctx, t.record(s), picture)
	if err := r.announced(ctx, res.Err == nil || fault.Ambiguous(res.Err)); err != nil {
		return err
	}
	if fault.Is(res.Err, fault.BadRecord) {
		r.problem(t.link, store.Problem{
			Side: s, Code: "photo-refused", Message: label(s) + " did not take the photo, so it is not there.", Action: "Use another photo, if you want it on both sides.",
		})
		t.known.Agreed = is
		t.see(s, store.PhotoState{Ref: t.refs[s], Is: is})
		return nil
	}
	if res.Err != nil {
		if !fault.Ambiguous(res.Err) {
			before.Intended = ""
			t.see(s, before)
		}
		return res.Err
	}
	return r.tookPhoto(ctx, t, s, is, res)
}

// announcePhoto writes into the history what is about to be written, so that no photo is written over of which nobody would
// know any more if the run died right after.
func (r *run) announcePhoto(ctx context.Context, change store.Change) error {
	if err := r.list(ctx); err != nil {
		return err
	}
	if err := r.user.AddChanges(ctx, r.record.ID, r.pieces, []store.Change{change}); err != nil {
		return fmt.Errorf("save intended change of a photo: %w", err)
	}
	r.told = true
	return nil
}

// announced leaves what was announced in the history, where it came or may have come to that.
func (r *run) announced(ctx context.Context, came bool) error {
	if !came {
		return r.addChanges(context.WithoutCancel(ctx), nil)
	}
	r.pieces++
	r.told = false
	return nil
}

// tookPhoto writes down that a side took a photo.
func (r *run) tookPhoto(ctx context.Context, t *portrait, s record.Side, is string, res record.Result) error {
	shown := store.PhotoState{Ref: res.Record.Photo, Is: is}
	for _, sh := range res.Projections {
		if shown.As = sh.Displayed.Text; shown.As == "" {
			// What the side made of it is found out by likeness, when it shows at another address.
			shown.Intended = is
		}
	}
	t.known.Agreed = is
	t.see(s, shown)
	t.link.SetSideID(s, res.Record.ID)
	side := t.link.Sides[s]
	side.AdapterState, side.Modified = res.Record.AdapterState, res.Record.Modified
	t.link.Sides = maps.Clone(t.link.Sides)
	t.link.Sides[s] = side
	if err := r.keepPhoto(ctx, t); err != nil {
		return err
	}
	r.tally(s, record.Update)
	return nil
}

// photoChange tells of a photo in words.
func (r *run) photoChange(t *portrait, s record.Side, was, is, rule string) store.Change {
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

// keepPhoto saves what is known of a pair's photos, where that is news.
func (r *run) keepPhoto(ctx context.Context, t *portrait) error {
	known := t.known
	known.Sides = maps.Clone(known.Sides)
	t.link.Photo = &known
	if t.link.UpdatedAt = t.stored.UpdatedAt; same(t.link, t.stored) {
		return nil
	}
	t.link.UpdatedAt = r.engine.Now().UTC()
	if err := r.putLinks(context.WithoutCancel(ctx), []store.Link{t.link}); err != nil {
		return err
	}
	r.count(t.stored, t.link)
	t.stored = t.link
	return nil
}

// photoFailure notes why a photo could not be carried, for it to be tried again. The error is for what ends the run.
func (r *run) photoFailure(ctx context.Context, t *portrait, err error) error {
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	t.fail(r)
	if kept := r.keepPhoto(ctx, t); kept != nil {
		return kept
	}
	if fault.Is(err, fault.Reconnect) {
		return err
	}
	r.record.Counts.Failed++
	says := fault.Explain(err)
	r.problem(t.link, store.Problem{Side: faultSide(err), Code: says.Code, Message: "The photo could not be carried. " + says.Message, Action: says.Action})
	return nil
}

func (t *portrait) fail(r *run) {
	t.known.Failed++
	t.known.RetryAt = r.start.Add(distance(t.known.Failed))
}

// postpone leaves a photo for a later run, since a service cannot be reached or wants to be left alone. Everything else is in
// step. The photo has not failed itself, and does not wait longer each time.
func (r *run) postpone(ctx context.Context, t *portrait) error {
	t.known.Failed = max(t.known.Failed, 1)
	t.known.RetryAt = r.start.Add(distance(1))
	return r.keepPhoto(ctx, t)
}

// foreseePhoto is what a run would do to the photos of a pair. It fetches none, so that an unknown one counts as another
// one.
func (r *run) foreseePhoto(st *step) []store.Change {
	sides := r.photoSides()
	if sides == nil || !st.Active {
		return nil
	}
	t := portraitOf(st.pair, sides)
	m := t.merge(r.policy())
	r.record.Counts.Conflicts += len(m.Conflicts)
	var changes []store.Change
	for _, s := range record.Sides {
		for _, c := range m.Changes[s] {
			change := r.photoChange(t, s, t.refs[s], t.shows[s.Other()], c.Rule)
			change.Record = st.Name
			r.tally(s, record.Update)
			changes = append(changes, change)
		}
	}
	return changes
}
