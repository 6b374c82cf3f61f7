package syncer

import (
	"context"
	"fmt"
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
			if note, noted := notes[st.records[s].ID]; noted && note.Left(st.records[s].Modified) {
				st.notes = map[record.Side]store.WriteNote{s: note}
				chunk[i] = w.guarded(st.pair)
			}
		}
	}
	return nil
}

// writeNotes are what others are to know of what a chunk wrote: that it was nobody's edit, and when the edit was that was
// carried. What the user decided, as to undo something or to have it stay, is an edit of the time at which it is done, and
// needs no note.
func (w *writer) writeNotes(chunk []*step) []store.WriteNote {
	var notes []store.WriteNote
	for _, st := range chunk {
		notes, st.unheard = append(notes, st.unheard...), nil
		for s, op := range st.Ops {
			res, from := st.results[s], st.records[s.Other()]
			if res.Err != nil || op.Action.Removes() || len(op.Changed) == 0 || from == nil || w.undoes() || len(w.guard.rejected(&st.link)) > 0 {
				continue
			}
			var before time.Time
			if rec := st.records[s]; rec != nil && !rec.Gone {
				before = rec.Modified
			}
			notes = append(notes, w.writeNote(s, res.Record, before, from.Modified)...)
		}
	}
	return notes
}

// writeNote is what others are to know of a write that left a record as it is; nothing where nobody shares it.
func (w *writer) writeNote(s record.Side, is record.Record, before, edited time.Time) []store.WriteNote {
	if site(w.sides[s]) == "" || is.ID == "" || is.Modified.IsZero() {
		return nil
	}
	return []store.WriteNote{{
		Site: site(w.sides[s]), Record: is.ID, Before: before, Modified: is.Modified, Edited: edited, Until: w.engine.Now().Add(noteTime).UTC(),
	}}
}

// noteUnheard notes a write that took effect although nobody heard the answer, where nothing came after it.
func (w *writer) noteUnheard(p *pair, intent *record.Intent) {
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
