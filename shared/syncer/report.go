package syncer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// maxProblems bounds the problems and notes that a run lists one by one; what comes after them is counted with one of its code. A
// document may not grow beyond 1 MiB (https://firebase.google.com/docs/firestore/quotas).
const maxProblems = 500

// maxPieces is more than the chunks of any run.
const maxPieces = 1_000_000

// report is what the run tells of itself: its summary, its changes piece by piece, its problems.
type report struct {
	user store.User
	kind *Kind
	run  store.Run
	// before is what earlier attempts at the run counted.
	before store.Counts
	// promised says that the run was somebody's before it began, who waits for its end.
	promised bool
	// piece is the number of the next piece of changes; intended says that the store has it as it was intended.
	piece    int
	intended bool
	// listed says that the store has the run.
	listed bool
	// told is what was told last of how far the run is, and toldAt when.
	told   store.Progress
	toldAt time.Time
}

// begin marks a run that was queued as running, and takes over what an earlier attempt counted. One that died could not say what it
// had done: that is what it had recorded.
func (r *report) begin(ctx context.Context, start time.Time, lease store.Lease) error {
	recorded, err := r.recordedBy(ctx, lease.After, r.run.ID)
	if err != nil {
		return err
	}
	err = r.user.UpdateRun(ctx, r.run.ID, func(stored *store.Run) error {
		stored.Status, stored.FinishedAt, stored.Progress = "running", time.Time{}, nil
		if stored.StartedAt.IsZero() {
			stored.StartedAt = start
		}
		if recorded != nil {
			stored.Counts = *recorded
		}
		r.run.Counts, r.before, r.run.StartedAt = stored.Counts, stored.Counts, stored.StartedAt
		r.run.Undoes, r.run.Decides = stored.Undoes, stored.Decides
		return nil
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("begin run: %w", err)
	}
	r.listed = err == nil
	return nil
}

// intend writes into the history what a chunk is about to change, so that no value is written over whose only copy it
// would be if the run died right after. What became of it replaces that in the end.
func (r *report) intend(ctx context.Context, changes []store.Change) error {
	if len(changes) == 0 {
		return nil
	}
	if err := r.list(ctx); err != nil {
		return err
	}
	if err := r.user.AddChanges(ctx, r.run.ID, r.piece, changes); err != nil {
		return fmt.Errorf("save intended changes: %w", err)
	}
	r.intended = true
	return nil
}

// add writes a piece of changes, in the place of what was intended.
func (r *report) add(ctx context.Context, changes []store.Change) error {
	if len(changes) == 0 && !r.intended {
		return nil
	}
	if err := r.user.AddChanges(ctx, r.run.ID, r.piece, changes); err != nil {
		return fmt.Errorf("save changes: %w", err)
	}
	r.nextPiece()
	return nil
}

// nextPiece leaves what was intended as it is.
func (r *report) nextPiece() { r.piece, r.intended = r.piece+1, false }

// list has the run be found, which nobody promised, as soon as it has something to tell.
func (r *report) list(ctx context.Context) error {
	if r.listed {
		return nil
	}
	if err := r.user.PutRun(ctx, r.run); err != nil {
		return fmt.Errorf("list run: %w", err)
	}
	r.listed = true
	return nil
}

// count counts an action on a side.
func (r *report) count(s record.Side, a record.Action) {
	if s == record.Google {
		r.run.Counts.Google.Count(a)
	} else {
		r.run.Counts.Creatio.Count(a)
	}
}

// results tells the user what of a step could not be done, and what could not be done to the letter.
func (r *report) results(st *step) {
	for _, s := range record.Sides {
		res, written := st.results[s]
		if !written {
			continue
		}
		if res.Err != nil {
			r.run.Counts.Failed++
			says := fault.Explain(res.Err)
			r.problemOf(st, store.Problem{Side: s, Code: says.Code, Message: says.Message, Action: says.Action})
		}
		for _, n := range res.Notes {
			r.noteOf(st, s, n)
		}
	}
}

// notices tells the user what a side has to say of its records.
func (r *report) notices(s record.Side, list []record.Notice) {
	for _, n := range list {
		l := store.Link{Name: n.Name}
		l.SetSideID(s, n.ID)
		r.problem(l, noted(s, n.Note))
	}
}

// readOnly tells the user what stays where it was made, because nobody's account may write it on the other side.
func (r *report) readOnly(words Words, st *step) {
	if s := st.readOnly; s != "" && st.failure() == nil {
		r.problemOf(st, store.Problem{
			Side: s, Code: "read-only", Note: true,
			Message: fmt.Sprintf("What you changed in %s stays there: in %s you may not change this %s, because another person organizes it, or it is locked or private.",
				label(s.Other()), label(s), words.One),
			Action: "Ask the organizer to change it, or leave it as it is.",
		})
	}
}

// hidden tells the user what of a record they may not read, once.
func (r *report) hidden(schema record.Schema, st *step) {
	for _, s := range record.Sides {
		if st.records[s] == nil {
			continue
		}
		for _, name := range st.records[s].Hidden {
			if slices.Contains(st.stored.Sides[s].Hidden, name) {
				continue
			}
			field, part, _ := strings.Cut(name, ".")
			f, _ := schema.Field(field)
			what := f.Label
			if part != "" {
				what += " (" + part + ")"
			}
			r.problemOf(st, store.Problem{
				Side: s, Code: "not-readable", Note: true, Message: label(s) + " does not let you read “" + what + "” of this record, so it stays as it is on both sides.",
				Action: "Ask an administrator for the right to read it, if it is to be synchronized.",
			})
		}
	}
}

// noteOf tells the user what a side has to say of a record of a step.
func (r *report) noteOf(st *step, s record.Side, n record.Note) { r.problemOf(st, noted(s, n)) }

func noted(s record.Side, n record.Note) store.Problem {
	return store.Problem{Side: s, Code: n.Code, Message: n.Message, Action: n.Action, Note: true}
}

// problemOf tells the user something about the records of a step.
func (r *report) problemOf(st *step, p store.Problem) {
	p.Fields = r.kind.apart(st.shows(p.Side))
	r.problem(st.link, p)
}

// problem tells the user something about the records of a link.
func (r *report) problem(l store.Link, p store.Problem) {
	if len(r.run.Problems) >= maxProblems {
		for i := range slices.Backward(r.run.Problems) {
			if q := &r.run.Problems[i]; q.Code == p.Code && q.Side == p.Side && q.Note == p.Note {
				q.More++
				return
			}
		}
	}
	p.Record, p.CreatioID, p.GoogleID = shownName(l.Name), l.CreatioID, l.GoogleID
	if p.Fields == nil {
		p.Fields = r.kind.apart(l.Base)
	}
	r.run.Problems = append(r.run.Problems, p)
}

// last is the problem that ended the run.
func (r *report) last() *store.Problem {
	if len(r.run.Problems) == 0 {
		return nil
	}
	return &r.run.Problems[len(r.run.Problems)-1]
}

// closeInterrupted ends a run that was cut off without a word: it had the lease before, and did not give it up.
func (r *report) closeInterrupted(ctx context.Context, lease store.Lease, now time.Time) error {
	if lease.After == "" || lease.After == r.run.ID {
		return nil
	}
	recorded, err := r.recordedBy(ctx, lease.After, lease.After)
	if err != nil {
		return err
	}
	err = r.user.UpdateRun(ctx, lease.After, func(lost *store.Run) error {
		if lost.Status != "running" {
			return nil
		}
		if recorded != nil {
			lost.Counts = *recorded
		}
		lost.Status, lost.FinishedAt, lost.Progress = "failed", now, nil
		lost.Problems = append(lost.Problems, store.Problem{
			Code: "interrupted", Note: true, Message: "This run was cut off before it could tell how it ended.",
			Action: "Nothing to do: the next one went on from there.",
		})
		return nil
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("close a run that was cut off: %w", err)
	}
	return nil
}

// recordedBy is what a run had recorded that died, where it is the given one; nil for any other, and for one that has ended.
func (r *report) recordedBy(ctx context.Context, died, run string) (*store.Counts, error) {
	if died == "" || died != run {
		return nil, nil
	}
	lost, err := r.user.Run(ctx, run)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read a run that was cut off: %w", err)
	case lost.Status != "running":
		return nil, nil
	}
	counts := lost.Recorded()
	return &counts, nil
}
