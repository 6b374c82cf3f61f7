package syncer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// end commits the run, last of all, or says why there is nothing to commit.
func (r *run) end(ctx context.Context, err error) (Outcome, error) {
	// What ends the run must be written down although its time may be over.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancel()
	out := Outcome{Run: r.report.run.ID, Status: Done}
	err = fault.Lasting(ofNoRecord(err), r.failingFor(err))
	var skipped skip
	switch {
	case errors.Is(err, store.ErrFenced):
		return retry(r.report.run.ID, fault.New(fault.Retry, "", codeLeaseLost, err))
	case errors.As(err, &skipped):
		out.Status, out.Reason, err = Skipped, skipped.reason, nil
	case fault.Is(err, fault.Reconnect):
		out.Status = Reconnect
	case r.wrote() && timeIsOver(err):
		out.Status = Continued
	case fault.Is(err, fault.Misconfigured):
		out.Status, out.Reason = Skipped, ReasonMisconfigured
	case fault.Is(err, fault.Bug):
		out.Status, out.Reason = Skipped, ReasonBug
	case err != nil:
		out.Status, out.After = Retry, fault.After(err)
	case r.preview():
		out.Status = Preview
	case r.writer != nil && r.writer.guard != nil && r.writer.guard.another:
		out.Status = Held
	case r.failed():
		out.Status = Partial
	}
	var digests map[record.Side]string
	if out.did() {
		var failure error
		if digests, failure = r.saveMembers(ctx, r.writer.members); failure == nil {
			failure = r.saveKept(ctx)
		}
		if failure != nil {
			out.Status, out.After, err = Retry, fault.After(failure), failure
		}
	}
	r.close(out, err)
	summary, idle := r.summary(), r.idle(out)
	if idle.Run != "" {
		// It may be the run of an earlier one, whose document tells of both.
		out.Run, summary.ID, summary.StartedAt, summary.Repeats = idle.Run, idle.Run, idle.StartedAt, idle.Repeats
	}
	out.Known = err != nil && r.doc.Problem != nil && r.doc.Problem.Code == r.report.last().Code && r.doc.Problem.Side == r.report.last().Side
	commit := func(d *store.Sync) error {
		r.conclude(d, out, digests, err)
		r.concludeDoubts(d, out)
		if !r.preview() {
			d.Idle = idle
		}
		return nil
	}
	r.overtake(ctx, out)
	cerr := phase(ctx, "commit", func(ctx context.Context) error {
		return r.user.Commit(ctx, r.engine.Type, r.lease, summary, commit)
	})
	switch {
	case errors.Is(cerr, store.ErrFenced):
		return retry(r.report.run.ID, fault.New(fault.Retry, "", codeLeaseLost, cerr))
	case cerr != nil:
		return retry(r.report.run.ID, fmt.Errorf("commit run: %w", cerr))
	}
	r.supersede(ctx, out)
	if out.Status == Continued {
		return out, nil
	}
	return out, err
}

// saveKept writes down what sides want to have again beside their cursors, before those move.
func (r *run) saveKept(ctx context.Context) error {
	if r.reading == nil {
		return nil
	}
	for _, side := range record.Sides {
		data := r.reading.deltas[side].Retained
		if data == nil {
			continue
		}
		if err := r.user.PutBlob(ctx, r.engine.Type, r.lease, store.RetainedBlob(side), data); err != nil {
			return fmt.Errorf("save what %s keeps: %w", side, err)
		}
	}
	return nil
}

// ofNoRecord is the error of a run as a whole. What a service refuses for good, and what was said of a record where none
// was asked for, no repetition mends: a right that is missing is the administrator's to give, anything else a mistake here.
func ofNoRecord(err error) error {
	switch fault.KindOf(err) {
	case fault.ReadOnly:
		return fault.New(fault.Misconfigured, string(faultSide(err)), "no-access", err)
	case fault.BadRecord, fault.Conflict, fault.Gone, fault.FullSync:
		return fault.New(fault.Bug, string(faultSide(err)), "request-refused", err)
	}
	return err
}

// failingFor is for how long runs have failed for the cause of an error.
func (r *run) failingFor(err error) time.Duration {
	if d := r.doc; err != nil && d.Problem != nil && !d.FailingSince.IsZero() && fault.SameCause(d.Problem.Code, fault.Explain(err).Code) {
		return r.start.Sub(d.FailingSince)
	}
	return 0
}

// supersede ends a held run of whose list nothing waits any more, or whose place another list takes.
func (r *run) supersede(ctx context.Context, out Outcome) {
	if r.undoes() || !out.did() {
		return
	}
	if out.Status == Held || len(r.writer.guard.waits) == 0 {
		r.closeOther(ctx, r.doc.HeldRun, func(h *store.Run) {
			if h.Status == "held" {
				h.Status = "replaced"
			}
		})
	}
}

// overtake ends a run that was to go on, once everything was done by this one. The commit forgets which run that was, so that it comes
// before that.
func (r *run) overtake(ctx context.Context, out Outcome) {
	if r.undoes() || !out.did() {
		return
	}
	r.closeOther(ctx, r.doc.Continued, func(c *store.Run) {
		if c.Status == "running" {
			c.Status, c.FinishedAt = string(Partial), r.report.run.FinishedAt
			c.Problems = append(c.Problems, store.Problem{
				Code: "overtaken", Note: true, Message: "Another run came before this one went on, and did the rest.", Action: "Nothing to do.",
			})
		}
	})
}

// did reports whether a run did its work, but maybe for what failed or waits.
func (o Outcome) did() bool { return o.Status == Done || o.Status == Partial || o.Status == Held }

func (r *run) closeOther(ctx context.Context, id string, end func(*store.Run)) {
	if id == "" || id == r.report.run.ID {
		return
	}
	err := r.user.UpdateRun(ctx, id, func(other *store.Run) error {
		end(other)
		return nil
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		r.engine.Logger.WarnContext(ctx, "a run that is over could not be closed", "run", id, "error", err)
	}
}

// close completes the run's summary.
func (r *run) close(out Outcome, err error) {
	rec := &r.report.run
	rec.FinishedAt = r.engine.Now().UTC()
	rec.Counts.Calls.Creatio += r.counter.CallsTo(string(record.Creatio))
	rec.Counts.Calls.Google += r.counter.CallsTo(string(record.Google))
	switch {
	case out.Status == Continued && r.report.promised:
		rec.Status = "running"
	case err != nil:
		rec.Status = "failed"
		if out.Status == Continued {
			rec.Status = string(Partial)
		}
		rec.Problems = append(rec.Problems, explained(err))
	case out.Status == Skipped:
		rec.Status = "failed"
		rec.Problems = append(rec.Problems, explainSkip(out.Reason))
	default:
		rec.Status = string(out.Status)
	}
}

// summary is the run as it is listed. One that goes on has not ended.
func (r *run) summary() store.Run {
	rec := r.report.run
	if rec.Status == "running" {
		rec.FinishedAt = time.Time{}
	}
	return rec
}

// idle is the stretch of idle runs that this run belongs to; zero where it was not the schedule's, or had something to tell.
func (r *run) idle(out Outcome) store.Idle {
	rec := r.report.run
	rec.Counts.Calls = store.Calls{}
	if out.Status != Done || r.trigger != TriggerSchedule || r.report.promised || r.report.listed || rec.Counts != (store.Counts{}) || len(rec.Problems) > 0 {
		return store.Idle{}
	}
	if was := r.doc.Idle; was.Run != "" {
		return store.Idle{Run: was.Run, StartedAt: was.StartedAt, Repeats: was.Repeats + 1}
	}
	return store.Idle{Run: rec.ID, StartedAt: rec.StartedAt}
}

func explained(err error) store.Problem {
	says := fault.Explain(err)
	return store.Problem{Side: faultSide(err), Code: says.Code, Message: says.Message, Action: says.Action}
}

func faultSide(err error) record.Side {
	var f *fault.Error
	if errors.As(err, &f) {
		return record.Side(f.Side)
	}
	return ""
}

// conclude brings the type's document to the end of the run.
func (r *run) conclude(d *store.Sync, out Outcome, digests map[record.Side]string, err error) {
	r.saveRates(d, err)
	if err != nil {
		d.Interrupted = d.Interrupted || r.wrote()
	}
	switch {
	case out.Status == Preview:
		return
	case r.undoes():
		r.concludeUndo(d, out, digests)
		return
	}
	if r.writer != nil {
		d.Losses = r.writer.guard.kept()
	}
	// Another tag that was chosen meanwhile is due already, and whatever became of the former one says nothing of it.
	tagChosen := d.Settings.TagID != r.doc.Settings.TagID
	next := func() {
		if tagChosen {
			return
		}
		var was time.Time
		if r.trigger == TriggerSchedule {
			was = d.Due
		}
		d.Due = time.Time{}
		if d.Settings.Automatic {
			d.Due = DueAfter(r.user.ID(), d.Type, was, r.start, d.Settings.IntervalMinutes)
		}
	}
	switch out.Status {
	case Done, Partial, Held:
		d.Status, d.Problem = "ok", nil
		if r.failed() {
			d.Status, d.Problem = "partial", r.someFailed()
		}
		d.LastSync, d.Failing, d.FailingSince, d.Continued = r.start, 0, time.Time{}, ""
		r.concludeWaits(d, out)
		r.moveCursors(d, digests)
		next()
	case Skipped:
		if err != nil {
			r.concludeFailure(d, min(retryDelay(d.Failing+1), maxRunDelay), next)
			break
		}
		if tagChosen {
			break
		}
		// Nothing gets better before the user does something, and that makes the sync due again.
		d.Status, d.Problem = "off", r.report.last()
		if out.Reason != ReasonNotLinked || d.Settings.Automatic {
			d.Due = time.Time{}
		}
	case Continued:
		// It is due still, so that it goes on whatever becomes of who was told to call it again.
		goesOn := explained(err)
		d.Status, d.Problem = "running", &goesOn
		if r.report.promised {
			d.Continued = r.report.run.ID
		}
	case Retry:
		r.concludeFailure(d, out.After, next)
	case Reconnect:
		d.Status, d.Problem, d.Due = "reconnect", r.report.last(), time.Time{}
		d.Failing++
	}
}

// failed reports whether something of what the run was to write is not known to be written.
func (r *run) failed() bool { return r.report.run.Counts.Failed > 0 || r.counts.failing > 0 }

// concludeWaits notes what waits for the user's decision, and the run that lists it.
func (r *run) concludeWaits(d *store.Sync, out Outcome) {
	g := r.writer.guard
	switch {
	case out.Status == Held:
		d.HeldRun, d.HeldDigest = r.report.run.ID, g.digest
	case len(g.waits) == 0:
		d.HeldRun, d.HeldDigest = "", ""
	}
	if len(g.waits) > 0 {
		d.Status, d.Problem = "held", g.problem
	}
}

// moveCursors has the next window start where this one ended. Where the settings became others while the run went, they
// count from the next run on: what belongs to a former tag is not kept.
func (r *run) moveCursors(d *store.Sync, digests map[record.Side]string) {
	d.Members, d.Split = r.counts.active, r.counts.split
	d.MemberDigests, d.Direction = digests, r.doc.Settings.Direction
	d.LastFinished, d.Interrupted = r.report.run.FinishedAt, false
	d.Cursors, d.Scopes = map[record.Side]json.RawMessage{}, map[record.Side]string{}
	for _, s := range record.Sides {
		if r.chosen(s) && d.Settings.TagID != r.doc.Settings.TagID {
			continue
		}
		if r.reading.scopes[s] == "" && r.reading.ended[s] && r.writer.guard.holds(s) {
			// The next run is to find the scope gone as well: what follows from that waits.
			if d.Scopes[s] = r.doc.Scopes[s]; len(r.doc.Cursors[s]) > 0 {
				d.Cursors[s] = r.doc.Cursors[s]
			}
			continue
		}
		if scope := r.reading.scopes[s]; scope != "" {
			d.Scopes[s] = scope
		}
		c := r.reading.deltas[s].Cursor
		_, scoped := r.sides[s].(Scoped)
		if len(c) == 0 || scoped && r.reading.scopes[s] == "" {
			continue
		}
		if side, ok := r.sides[s].(Relister); ok && r.writer.members[s].differs() {
			c = side.Relist(c, r.writer.members[s].net())
		}
		d.Cursors[s] = c
	}
}

// maxRunDelay bounds how far apart runs are while something waits for an administrator, or for another version: nobody
// tells Tandem when it is mended.
const maxRunDelay = time.Hour

// concludeFailure has the sync be due as always, but not before a wait is over.
func (r *run) concludeFailure(d *store.Sync, wait time.Duration, next func()) {
	last := r.report.last()
	if d.FailingSince.IsZero() || d.Problem == nil || last == nil || !fault.SameCause(d.Problem.Code, last.Code) {
		d.FailingSince = r.start
	}
	d.Status, d.Problem = "failing", last
	d.Failing++
	next()
	if after := r.start.Add(wait); !d.Due.IsZero() && d.Due.Before(after) {
		d.Due = after
	}
}

// timeIsOver reports whether a run ended only because its time was over.
func timeIsOver(err error) bool {
	var f *fault.Error
	return errors.As(err, &f) && f.Code == codeDeadline
}

// explainSkip says why nothing was done, and what to do.
func explainSkip(reason string) store.Problem {
	p := store.Problem{Code: reason}
	switch reason {
	case ReasonNotLinked:
		p.Message, p.Action = "Both accounts have to be connected before anything can be synchronized.", "Connect the missing account on the settings page."
	case ReasonNotAllowed:
		p.Side = record.Google
		p.Message, p.Action = "Your Google account may not use Tandem any more, so nothing is synchronized.", "Ask your administrator. If nothing changes, Tandem forgets its access to both accounts after 30 days."
	case ReasonPaused:
		p.Message, p.Action = "An administrator has paused your synchronization, so nothing is synchronized.", "Ask your administrator when it continues. It then continues where it left off."
	case ReasonScopeMissing:
		p.Side = record.Google
		p.Message, p.Action = "Google was not asked, or not allowed, to share what this synchronization needs.", "Connect Google again and leave every box checked."
	case ReasonNoTag:
		p.Side = record.Creatio
		p.Message, p.Action = "No private tag is chosen, so there is nothing to synchronize.", "Choose a private tag on the settings page."
	case ReasonTagMissing:
		p.Side = record.Creatio
		p.Message, p.Action = "The private tag you chose is no longer there, or no longer your own private one. Nothing was changed.", "Choose another private tag on the settings page."
	}
	return p
}

// someFailed is the problem that stands for a run in which some records failed.
func (r *run) someFailed() *store.Problem {
	return &store.Problem{
		Code:    "some-failed",
		Message: fmt.Sprintf("%s could not be synchronized; all the others are in sync.", number(max(r.counts.failing+r.counts.left, 1))),
		Action:  "Open the latest synchronizations to see which, why, and what to do.",
	}
}

func number(n int) string {
	if n == 1 {
		return "1 record"
	}
	return fmt.Sprintf("%d records", n)
}
