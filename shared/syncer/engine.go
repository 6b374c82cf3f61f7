// Package syncer executes one run of one user's sync type: it takes the lease, reads
// both sides' windows, plans, guards, applies and commits. It knows fields and sides;
// what a contact is, and which services the sides are, others tell it.
//
// Its invariants:
//
//   - What a run writes is fenced by its lease. A run that lost it writes nothing more, and one that could not renew it
//     begins no write to a side after it ended.
//   - The cursor moves last, after everything the window told has been dealt with or noted on a link. A run that
//     ends early is repeated over the same window and finds its own work done.
//   - Every write is noted on its link before it is sent; a creation is looked for before it is sent again.
//   - A link's base moves only with writes that succeeded.
//   - What the user chooses counts from the next run on. Another scope, as a tag, decides by itself who is in it: a record that is
//     under the new tag comes in, even if its counterpart left before the choice, and what is only in the former scope leaves.
//   - One record's failure is that record's: it is noted, reported, and tried again later.
package syncer

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/httpx"
	"github.com/tandem-sync/tandem/shared/match"
	"github.com/tandem-sync/tandem/shared/reconcile"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// Why a run was started.
const (
	TriggerSchedule = "schedule"
	TriggerUser     = "user"
	TriggerPush     = "push" // a service told of a change
	TriggerApprove  = "approve"
	TriggerReject   = "reject"
	TriggerUndo     = "undo"
	TriggerPreview  = "preview"
)

// Status is how a run ended.
type Status string

// The ends of a run.
const (
	Done      Status = "done"
	Partial   Status = "partial"   // some records failed and are reported
	Held      Status = "held"      // done, but for what waits for the user's decision
	Skipped   Status = "skipped"   // not done, or not to its end, for a reason that no repetition mends
	Reconnect Status = "reconnect" // a token is gone
	Retry     Status = "retry"     // may get better by itself
	Continued Status = "continued" // did a part, for which its time was enough, and is to be called again for the rest
	Preview   Status = "preview"   // what a run would do
)

// Why a run was skipped.
const (
	ReasonLease        = "lease"
	ReasonUnknownUser  = "unknown-user"
	ReasonNotLinked    = "not-linked"
	ReasonScopeMissing = "scope-missing"
	// ReasonNotAllowed is of a user who may not use Tandem any more.
	ReasonNotAllowed = "not-allowed"
	// ReasonPaused is of a user whose synchronization an administrator has paused.
	ReasonPaused     = "paused"
	ReasonNoTag      = "no-tag"
	ReasonTagMissing = "tag-missing"
	// ReasonNotDue is of a run that a service asked for by telling of a change, and that the user does not want any more; and of
	// one that the schedule queued, whose user another run has synchronized meanwhile.
	ReasonNotDue = "not-due"
	// ReasonMisconfigured is of a run that ended, maybe halfway, at what an administrator has to mend.
	ReasonMisconfigured = "misconfigured"
	// ReasonBug is the same of what should not have happened, and would again.
	ReasonBug = "bug"
)

// Outcome is what became of a run.
type Outcome struct {
	Run    string
	Status Status
	// Reason is set where Status is Skipped.
	Reason string
	// Known says that the run before ended with the same problem.
	Known bool
	// After is the least time to wait before a repetition, where Status is Retry.
	After time.Duration
	// Counts is what this attempt at the run did; zero where it did not begin.
	Counts store.Counts
	// Waited is how long after it was due, or asked for, the run began; LastSync is when the run before it had succeeded.
	Waited   time.Duration
	LastSync time.Time
	// Profile and Sync are the user's documents as the run found them; zero where it did not begin.
	Profile store.Profile
	Sync    store.Sync
}

// Request asks for a run.
type Request struct {
	Type record.Type
	// Run is the run's id; empty makes one.
	Run     string
	Trigger string
	// Due is when the user was due for whom the schedule queued the run; zero where nobody promised that the user still is.
	Due time.Time
}

// Kind describes one kind of record to the engine.
type Kind struct {
	Type   record.Type
	Schema record.Schema
	// Scope is the permission of the Google account that the kind needs: "contacts" or "calendar".
	Scope string
	// Title is what a person calls a record of this content.
	Title func(record.Fields) string
	// Distinct are fields that tell records of one title apart, as the time of a meeting: of a record that is canceled or deleted the
	// history tells them, and so does every problem of a record.
	Distinct []string
	// Match are the rules by which records that have no link yet are found to be the same.
	Match match.Rules
	// Policy is what the settings say about merges and departures; nil for direction and conflicts alone.
	Policy func(store.Settings) reconcile.Policy
	Words  Words
	// OneCopy says that a record which is created for a shared one reaches all users who take part in it, so that one user's run
	// creates it and the others find it.
	OneCopy bool
	// Series says that records may belong to a series, which counts once for the guard.
	Series bool
	// Ready reports why the settings do not let a run begin, as one of the reasons of Outcome; empty where they do.
	Ready func(store.Settings) (reason string)
}

// longestName is how many bytes of a record's name are shown: a run lists hundreds of them in one document, and a person may have pasted
// a whole text where the name goes.
const longestName = 300

// title is what a person calls a record of this content, as far as it is shown.
func (k *Kind) title(f record.Fields) string { return shownName(k.Title(f)) }

func shownName(name string) string {
	if len(name) <= longestName {
		return name
	}
	return record.CutBytes(name, longestName) + "…"
}

// Words are what users call the records of a kind.
type Words struct {
	One, Many string
	// Scope says by side what has a record in scope, as a tag.
	Scope map[record.Side]string
	// Leave says what becomes of records whose counterparts are gone, as "would be canceled"; default "would leave the
	// synchronization".
	Leave string
}

// Engine makes the runs of one sync type.
type Engine struct {
	Kind
	// Others tells of the other users; nil where no record is shared.
	Others Others
	// Open makes a user's sides from the profile and the settings. It is called under the lease.
	Open func(ctx context.Context, p store.Profile, s store.Sync) (map[record.Side]Side, error)
	// Allowed reports whether a user may use Tandem; nil: everybody may.
	Allowed func(p store.Profile) bool
	Now     func() time.Time
	Logger  *slog.Logger
	// Rates are the users' rates of requests to each side; a side without one is not limited.
	Rates map[record.Side]Rate
	// Chunk is how many records are written between two savings of progress; default 200, the most that Google takes at once.
	Chunk int
	// Margin is how long before the context's deadline no further chunk is begun; default 20 s.
	Margin time.Duration
	// Ending reports whether the process is about to end: a run then stops at the border of a chunk. nil: it never is.
	Ending func() bool
}

const (
	defaultChunk  = 200
	defaultMargin = 20 * time.Second
)

// NewRunID makes the id of a run. Ids sort by time.
func NewRunID(now time.Time) string {
	return strings.Replace(now.UTC().Format(runTimes), ".", "-", 1) + "-" + strings.ToLower(rand.Text()[:8])
}

// Run makes one run for a user. The error is the cause of a Retry or a Reconnect, or what is misconfigured or a bug, for the log.
func (e *Engine) Run(ctx context.Context, u store.User, req Request) (Outcome, error) {
	now := e.Now().UTC()
	queued := req.Run != ""
	if !queued {
		req.Run = NewRunID(now)
	}
	profile, err := u.Profile(ctx)
	if errors.Is(err, store.ErrNotFound) {
		return Outcome{Run: req.Run, Status: Skipped, Reason: ReasonUnknownUser}, nil
	}
	if err != nil {
		return retry(req.Run, err)
	}
	if !req.Due.IsZero() && !queued && !linked(profile) {
		// The user is due for something else than a run, which the history need not tell.
		return Outcome{Run: req.Run, Status: Skipped, Reason: ReasonNotLinked, Profile: profile}, nil
	}
	doc, lease, err := u.Acquire(ctx, e.Type, req.Run, now, leaseTTL)
	if errors.Is(err, store.ErrLeased) {
		return Outcome{Run: req.Run, Status: Skipped, Reason: ReasonLease}, nil
	}
	if errors.Is(err, store.ErrNotFound) {
		// The user was erased since the profile was read.
		return Outcome{Run: req.Run, Status: Skipped, Reason: ReasonUnknownUser}, nil
	}
	if err != nil {
		return retry(req.Run, err)
	}
	if req.Trigger == TriggerPush && !doc.Settings.Automatic || req.Trigger == TriggerSchedule && !dueStill(doc, req.Due, now) {
		if err := u.Release(ctx, e.Type, lease); err != nil {
			return retry(req.Run, err)
		}
		return Outcome{Run: req.Run, Status: Skipped, Reason: ReasonNotDue}, nil
	}
	counter := &httpx.Counter{}
	r := &run{
		session: &session{engine: e, user: u, profile: profile, doc: doc, lease: lease, start: now, trigger: req.Trigger, deadline: &leaseDeadline{}},
		// Every attempt at a run adds to its history and replaces nothing of it.
		report: &report{
			user: u, kind: &e.Kind, promised: queued, piece: int(lease.Fence) * maxPieces,
			run: store.Run{ID: req.Run, Type: e.Type, Trigger: req.Trigger, Status: "running", StartedAt: now},
		},
		counter: counter, counts: &linkCounts{},
	}
	if queued {
		err = r.report.begin(ctx, now, lease)
	}
	if err := errors.Join(err, r.report.closeInterrupted(ctx, lease, now)); err != nil {
		return retry(req.Run, errors.Join(err, u.Release(ctx, e.Type, lease)))
	}
	ctx = r.openRates(httpx.WithCounter(ctx, counter))
	ctx, stop := r.heartbeat(ctx)
	defer stop()
	err = r.work(ctx)
	if lost := lostLease(ctx); err != nil && lost != nil {
		err = lost
	}
	out, err := r.end(ctx, err)
	out.Counts, out.LastSync = r.report.run.Counts.Minus(r.report.before), doc.LastSync
	out.Profile, out.Sync = profile, doc
	if wanted := r.wanted(queued); !wanted.IsZero() {
		out.Waited = max(now.Sub(wanted), 0)
	}
	return out, err
}

// dueStill reports whether a user for whom the schedule queued a run is due when it begins. A run that waited for long may be the
// second of its user, and whoever is overloaded makes no second one for nothing. A sync that fails is due later than its
// task, which goes on trying.
func dueStill(d store.Sync, promised, now time.Time) bool {
	if promised.IsZero() {
		return true
	}
	if d.Due.IsZero() {
		return false
	}
	return d.Failing > 0 || !d.Due.After(now) || !d.Due.After(promised)
}

func retry(id string, err error) (Outcome, error) {
	return Outcome{Run: id, Status: Retry, After: fault.After(err)}, err
}

func (e *Engine) chunk() int { return cmp.Or(e.Chunk, defaultChunk) }

func (e *Engine) margin() time.Duration { return cmp.Or(e.Margin, defaultMargin) }

// run is one execution, from the lease to the commit. What each phase gave the next one is kept for the commit.
type run struct {
	*session
	report  *report
	counter *httpx.Counter
	counts  *linkCounts
	budgets map[record.Side]*rateBudget
	reading *reading
	writer  *writer
}

// skip ends a run that has nothing to do, for a reason.
type skip struct{ reason string }

func (s skip) Error() string { return "skipped: " + s.reason }

// work does the run, phase by phase. Nothing of it is final before end commits it.
func (r *run) work(ctx context.Context) error {
	if err := r.engine.ready(r.profile, r.doc); err != nil {
		return err
	}
	if err := r.askedToWait(); err != nil {
		return err
	}
	err := phase(ctx, "open", func(ctx context.Context) (err error) {
		r.sides, err = r.engine.Open(ctx, r.profile, r.doc)
		return err
	})
	if err != nil {
		return fmt.Errorf("open sides: %w", err)
	}
	if r.undoes() {
		return phase(ctx, "undo", r.undo)
	}
	r.report.progress(ctx, r.engine.Now(), store.Progress{Phase: phaseRead})
	err = phase(ctx, "scan", func(ctx context.Context) (err error) {
		r.reading, err = r.readWindows(ctx)
		return err
	})
	if err != nil {
		return err
	}
	g, err := r.newGuard(ctx)
	if err != nil {
		return err
	}
	r.report.progress(ctx, r.engine.Now(), store.Progress{Phase: phaseCompare})
	var l *loader
	err = phase(ctx, "load", func(ctx context.Context) (err error) {
		l, err = r.load(ctx, r.reading, r.counts, g)
		return err
	})
	if err != nil {
		return err
	}
	for _, side := range record.Sides {
		r.report.notices(side, r.reading.deltas[side].Notices)
	}
	r.writer = &writer{loader: l, reading: r.reading, report: r.report}
	return r.writer.carryOut(ctx)
}

// wrote reports whether the run began to write to the sides.
func (r *run) wrote() bool { return r.writer != nil && r.writer.wrote }

// Ready reports whether a run for the user could begin.
func (e *Engine) Ready(p store.Profile, d store.Sync) bool { return e.ready(p, d) == nil }

// linked reports whether both accounts are.
func linked(p store.Profile) bool { return p.Google.Linked && p.Creatio.Linked }

// ready checks what can be known without asking anybody.
func (e *Engine) ready(p store.Profile, d store.Sync) error {
	switch {
	case !linked(p):
		return skip{ReasonNotLinked}
	case e.Allowed != nil && !e.Allowed(p):
		return skip{ReasonNotAllowed}
	case !p.Paused.IsZero():
		return skip{ReasonPaused}
	case p.Google.Reconnect:
		return fault.New(fault.Reconnect, string(record.Google), "reconnect", errors.New("the account waits to be linked again"))
	case p.Creatio.Reconnect:
		return fault.New(fault.Reconnect, string(record.Creatio), "reconnect", errors.New("the account waits to be linked again"))
	}
	granted := false
	for _, s := range p.Google.Scopes {
		granted = granted || s == e.Scope
	}
	if !granted {
		return skip{ReasonScopeMissing}
	}
	if e.Kind.Ready != nil {
		if reason := e.Kind.Ready(d.Settings); reason != "" {
			return skip{reason}
		}
	}
	return nil
}
