package syncer

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

const (
	// noteTime is how long it is noted that a write was Tandem's own.
	noteTime = 48 * time.Hour
	// answerTime is how long after it was noted on its link a write takes effect at most, where nobody heard the answer.
	answerTime = time.Minute
)

// tellTimes decides once more about what was decided by the times of two records, where the time of one is that of a write
// of Tandem, which is nobody's edit. A run knows its own writes by its links; only what is noted tells of another user's.
func (w *writer) tellTimes(ctx context.Context, chunk []*step) error {
	if w.undoes() {
		return nil
	}
	for _, s := range record.Sides {
		at := site(w.sides[s])
		if at == "" {
			continue
		}
		var ids []string
		for _, st := range chunk {
			if st.ByTime {
				ids = append(ids, st.records[s].ID)
			}
		}
		if len(ids) == 0 {
			continue
		}
		notes, err := w.user.WriteNotes(ctx, at, ids)
		if err != nil {
			return fmt.Errorf("read the notes of writes: %w", err)
		}
		for i, st := range chunk {
			if !st.ByTime {
				continue
			}
			note, noted := notes[st.records[s].ID]
			if at := st.records[s].Modified; noted && !w.others(note, st).EditedAt(at).Equal(at) {
				st.notes = map[record.Side]store.WriteNote{s: w.others(note, st)}
				chunk[i] = w.guarded(st.pair)
			}
		}
	}
	return nil
}

// others is what a note tells of other users' writes. What this user's own runs wrote the link tells, and it explains no
// difference from that.
func (w *writer) others(note store.WriteNote, st *step) store.WriteNote {
	if note.User == w.user.ID() && !st.First {
		note.Modified = time.Time{}
	}
	note.Sending = slices.DeleteFunc(slices.Clone(note.Sending), func(s store.Sending) bool { return s.By == w.sender(note.Record) })
	return note
}

// sender stands for the user beside others who write a record.
func (s *session) sender(id string) string {
	sum := sha256.Sum256([]byte(s.user.ID() + "\x00" + strings.ToLower(id)))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// sendNotes are what others are to know of what a chunk is about to write, until it is told what became of that.
func (w *writer) sendNotes(chunk []*step) []store.WriteNote {
	var notes []store.WriteNote
	for _, st := range chunk {
		for s, op := range st.Ops {
			if rec := st.records[s]; op.Action == record.Update && rec != nil && st.plans[s].Err == nil && w.carriesEdit(st, s) {
				notes = append(notes, w.note(s, rec.ID, store.WriteNote{Before: rec.Modified, Sent: w.engine.Now().UTC(), Edited: st.records[s.Other()].Modified})...)
			}
		}
	}
	return notes
}

// carriesEdit reports whether an operation carries an edit of the other side's record. What the user decided, as to undo
// something or to have it stay, is an edit of the time at which it is done, and needs no note.
func (w *writer) carriesEdit(st *step, s record.Side) bool {
	op := st.Ops[s]
	return !op.Action.Removes() && len(op.Changed) > 0 && st.records[s.Other()] != nil && !w.userDecided(st)
}

// userDecided reports whether the user decided what a step writes.
func (w *writer) userDecided(st *step) bool { return w.undoes() || len(w.guard.rejected(&st.link)) > 0 }

// writeNotes are what others are to know of what a chunk wrote: that it was nobody's edit, and when the edit was that was
// carried.
func (w *writer) writeNotes(chunk []*step) []store.WriteNote {
	var notes []store.WriteNote
	for _, st := range chunk {
		notes, st.unheard = append(notes, st.unheard...), nil
		for s := range st.Ops {
			res, rec := st.results[s], st.records[s]
			if res.Err != nil || !w.carriesEdit(st, s) {
				continue
			}
			var before time.Time
			if rec != nil && !rec.Gone {
				before = rec.Modified
			}
			notes = append(notes, w.writeNote(s, res.Record, before, st.records[s.Other()].Modified)...)
		}
	}
	return notes
}

// writeNote is what others are to know of a write that left a record as it is.
func (w *writer) writeNote(s record.Side, is record.Record, before, edited time.Time) []store.WriteNote {
	if is.Modified.IsZero() {
		return nil
	}
	return w.note(s, is.ID, store.WriteNote{Before: before, Modified: is.Modified, Edited: edited})
}

// note is a note of a record; none where nobody shares it.
func (w *writer) note(s record.Side, id string, n store.WriteNote) []store.WriteNote {
	n.Site, n.Record, n.Sender, n.Until = site(w.sides[s]), id, w.sender(id), w.engine.Now().Add(noteTime).UTC()
	if n.Site == "" || n.Record == "" {
		return nil
	}
	return []store.WriteNote{n}
}

// noteUnheard notes a write that took effect although nobody heard the answer, where nothing came after it.
func (w *writer) noteUnheard(p *pair, intent *record.Intent) {
	if intent.Decided {
		return
	}
	for _, s := range record.Sides {
		side, rec := intent.Sides[s], p.records[s]
		if side.Action == "" || side.Action.Removes() || side.Refused || len(intent.Fields) == 0 || rec == nil || rec.Gone {
			continue
		}
		soon := rec.Modified.After(side.Modified) && rec.Modified.Before(p.stored.UpdatedAt.Add(answerTime))
		if soon && w.engine.Schema.Equal(only(rec.Fields, intent.Fields), side.After) {
			p.unheard = append(p.unheard, w.writeNote(s, *rec, side.Modified, intent.Sides[s.Other()].Modified)...)
		}
	}
}
