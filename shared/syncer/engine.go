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
//   - A creation is noted on its link before it is sent, and looked for before it is sent again.
//   - A link's base moves only with writes that succeeded.
//   - One record's failure is that record's: it is noted, reported, and tried again later.
package syncer

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

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
	Held      Status = "held"      // waits for the user's approval
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
	ReasonNoTag        = "no-tag"
	ReasonTagMissing   = "tag-missing"
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
}

// Request asks for a run.
type Request struct {
	Type record.Type
	// Run is the run's id; empty makes one.
	Run     string
	Trigger string
}

// Kind describes one kind of record to the engine.
type Kind struct {
	Type   record.Type
	Schema record.Schema
	// Scope is the permission of the Google account that the kind needs: "contacts" or "calendar".
	Scope string
	// Title is what a person calls a record of this content.
	Title func(record.Fields) string
	// Match are the rules by which records that have no link yet are found to be the same.
	Match match.Rules
	// Ready reports why the settings do not let a run begin, as one of the reasons of Outcome; empty where they do.
	Ready func(store.Settings) (reason string)
}

// Engine makes the runs of one sync type.
type Engine struct {
	Kind
	// Open makes a user's sides from the profile and the settings. It is called under the lease.
	Open   func(ctx context.Context, p store.Profile, s store.Sync) (map[record.Side]Side, error)
	Now    func() time.Time
	Logger *slog.Logger
	// Rates are the users' rates of requests to each side; a side without one is not limited.
	Rates map[record.Side]Rate
	// Chunk is how many records are written between two savings of progress; default 200, the most that Google takes at once.
	Chunk int
	// Margin is how long before the context's deadline no further chunk is begun; default 20 s.
	Margin time.Duration
	// Grace is how long a creation in Google whose answer was lost is given to show up before it is made again;
	// default 2 minutes: lists lag behind writes (https://developers.google.com/people/v1/contacts#list_the_users_contacts_that_have_changed).
	Grace time.Duration
}

const (
	defaultChunk  = 200
	defaultMargin = 20 * time.Second
	defaultGrace  = 2 * time.Minute
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
	doc, lease, err := u.Acquire(ctx, e.Type, req.Run, now, leaseTTL)
	if errors.Is(err, store.ErrLeased) {
		return Outcome{Run: req.Run, Status: Skipped, Reason: ReasonLease}, nil
	}
	if err != nil {
		return retry(req.Run, err)
	}
	counter := &httpx.Counter{}
	r := &run{
		engine: e, user: u, profile: profile, doc: doc, lease: lease, start: now, counter: counter, loose: map[string][]string{},
		record: store.Run{ID: req.Run, Type: e.Type, Trigger: req.Trigger, Status: "running", StartedAt: now},
	}
	// Every attempt at a run adds to its history and replaces nothing of it.
	r.pieces = int(lease.Fence) * maxPieces
	r.promised = queued
	if queued {
		err = r.begun(ctx)
	}
	if err := errors.Join(err, r.closeLost(ctx)); err != nil {
		return retry(req.Run, errors.Join(err, u.Release(ctx, e.Type, lease)))
	}
	ctx, stop := r.heartbeat(r.openPace(httpx.WithCounter(ctx, counter)))
	defer stop()
	err = r.work(ctx)
	if lost := lostLease(ctx); err != nil && lost != nil {
		err = lost
	}
	out, err := r.end(ctx, err)
	out.Counts, out.LastSync = r.record.Counts.Minus(r.before), doc.LastSync
	if wanted := r.wanted(queued); !wanted.IsZero() {
		out.Waited = max(now.Sub(wanted), 0)
	}
	return out, err
}

func retry(id string, err error) (Outcome, error) {
	return Outcome{Run: id, Status: Retry, After: fault.After(err)}, err
}

// run is one execution.
type run struct {
	engine  *Engine
	user    store.User
	profile store.Profile
	doc     store.Sync
	lease   store.Lease
	tenure  tenure
	start   time.Time
	counter *httpx.Counter
	pace    pace
	record  store.Run
	// promised says that the run was somebody's before it began, who waits for its end.
	promised bool
	// before is what earlier attempts at the run counted.
	before store.Counts

	sides   map[record.Side]Side
	deltas  map[record.Side]record.Delta
	window  *window
	scopes  map[record.Side]string
	rosters map[record.Side]*roster
	pairs   *pairs
	// photos are the pairs whose photos are to be looked at in the end.
	photos []*portrait
	pieces int
	// listed says that the store has the run; told that its next piece of history is there as it was intended.
	listed, told bool
	// loose are links by a record's id whose other record was deleted.
	loose map[string][]string
	// remade says that the group was made again, so that whoever is in scope on the other side comes back into it.
	remade bool
	// wrote says that the run began to write to the sides.
	wrote bool
	// active counts the links in scope as the run leaves them; unfinished those with something left to do.
	active, unfinished int
}

// maxPieces is more than the chunks of any run.
const maxPieces = 1_000_000

// begun marks a run that was queued as running, and takes over what an earlier attempt counted.
func (r *run) begun(ctx context.Context) error {
	err := r.user.UpdateRun(ctx, r.record.ID, func(kept *store.Run) error {
		kept.Status, kept.FinishedAt = "running", time.Time{}
		if kept.StartedAt.IsZero() {
			kept.StartedAt = r.start
		}
		r.record.Counts, r.before, r.record.StartedAt = kept.Counts, kept.Counts, kept.StartedAt
		r.record.Undoes = kept.Undoes
		return nil
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("begin run: %w", err)
	}
	r.listed = err == nil
	return nil
}

// skip ends a run that has nothing to do, for a reason.
type skip struct{ reason string }

func (s skip) Error() string { return "skipped: " + s.reason }

// work does the run. Nothing of it is final before end commits it.
func (r *run) work(ctx context.Context) error {
	if err := r.ready(); err != nil {
		return err
	}
	if err := r.leftAlone(); err != nil {
		return err
	}
	if err := phase(ctx, "open", r.open); err != nil {
		return err
	}
	if r.undoes() {
		return phase(ctx, "undo", r.takeBack)
	}
	if err := phase(ctx, "scan", r.scan); err != nil {
		return err
	}
	if err := phase(ctx, "gather", r.gather); err != nil {
		return err
	}
	return r.carryOut(ctx)
}

// open makes the sides.
func (r *run) open(ctx context.Context) (err error) {
	if r.sides, err = r.engine.Open(ctx, r.profile, r.doc); err != nil {
		return fmt.Errorf("open sides: %w", err)
	}
	return nil
}

// ready checks what can be known without asking anybody.
func (r *run) ready() error {
	return r.engine.ready(r.profile, r.doc)
}

// Ready reports whether a run for the user could begin.
func (e *Engine) Ready(p store.Profile, d store.Sync) bool { return e.ready(p, d) == nil }

func (e *Engine) ready(p store.Profile, d store.Sync) error {
	switch {
	case !p.Google.Linked || !p.Creatio.Linked:
		return skip{ReasonNotLinked}
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

func (r *run) preview() bool { return r.record.Trigger == TriggerPreview }

func (r *run) undoes() bool { return r.record.Trigger == TriggerUndo }

// scan reads both sides' windows at the same time.
func (r *run) scan(ctx context.Context) error {
	r.deltas = map[record.Side]record.Delta{}
	r.scopes = map[record.Side]string{}
	var mu sync.Mutex
	g, gctx := errgroup.WithContext(ctx)
	for _, s := range record.Sides {
		g.Go(func() error {
			var scope string
			var delta record.Delta
			err := phase(gctx, "scan "+string(s), func(ctx context.Context) (err error) {
				scope, delta, err = r.readWindow(ctx, s)
				return err
			})
			mu.Lock()
			defer mu.Unlock()
			r.scopes[s], r.deltas[s] = scope, delta
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if r.deltas[record.Creatio].ScopeGone {
		return skip{ReasonTagMissing}
	}
	return nil
}

// readWindow reads one side's window. Where its cursor is no longer good, the window is everything.
func (r *run) readWindow(ctx context.Context, s record.Side) (string, record.Delta, error) {
	scope := r.doc.Scopes[s]
	cursor := r.doc.Cursors[s]
	if r.waited() {
		cursor = nil
	}
	if scope == "" {
		if r.preview() {
			return r.foreseen(ctx, s)
		}
		made, err := r.sides[s].Prepare(ctx)
		if err != nil {
			return "", record.Delta{}, fmt.Errorf("prepare %s: %w", s, err)
		}
		scope, cursor = made, nil
	}
	delta, err := r.scanSide(ctx, s, cursor)
	if err != nil || !delta.ScopeGone || s == record.Creatio {
		return scope, delta, err
	}
	// The group was deleted in Google. As long as nothing hangs on it, it is made again, and so where the settings let
	// nothing of that reach Creatio; else everything in it has left, and the guard asks what that means.
	follows := r.policy().Direction.Takes(record.Creatio)
	if r.doc.Members > 0 && r.record.Trigger != TriggerReject && follows {
		return "", record.Delta{Members: []string{}}, nil
	}
	r.remade = true
	if r.preview() {
		return "", record.Delta{Members: []string{}}, nil
	}
	if scope, err = r.sides[s].Prepare(ctx); err != nil {
		return "", record.Delta{}, fmt.Errorf("prepare %s again: %w", s, err)
	}
	delta, err = r.scanSide(ctx, s, nil)
	return scope, delta, err
}

// waited reports whether something may wait behind the cursors that the settings kept where it was, and now let go.
func (r *run) waited() bool {
	was := reconcile.Direction(r.doc.Direction)
	return was != "" && slices.ContainsFunc(record.Sides[:], func(s record.Side) bool { return r.policy().Direction.Takes(s) && !was.Takes(s) })
}

// regroup makes a group again that is gone, where something is to go into it. By now nobody has anything against what
// it took with it.
func (r *run) regroup(ctx context.Context, chunk []*step) error {
	joins := func(st *step) bool { return st.Ops[record.Google] != nil && st.Ops[record.Google].Join }
	if r.undoes() || r.scopes[record.Google] != "" || !slices.ContainsFunc(chunk, joins) {
		return nil
	}
	made, err := r.sides[record.Google].Prepare(ctx)
	if err != nil {
		return fmt.Errorf("prepare %s again: %w", record.Google, err)
	}
	r.scopes[record.Google] = made
	return nil
}

// foreseen reads a side whose scope may not be there yet, and makes none.
func (r *run) foreseen(ctx context.Context, s record.Side) (string, record.Delta, error) {
	delta, err := r.scanSide(ctx, s, nil)
	if delta.ScopeGone && s == record.Google {
		delta = record.Delta{Members: []string{}}
	}
	return "", delta, err
}

func (r *run) scanSide(ctx context.Context, s record.Side, cursor json.RawMessage) (record.Delta, error) {
	delta, err := r.sides[s].Scan(ctx, cursor)
	if fault.Is(err, fault.FullSync) && len(cursor) > 0 {
		r.engine.Logger.InfoContext(ctx, "reading everything again", "side", string(s))
		delta, err = r.sides[s].Scan(ctx, nil)
	}
	if err != nil {
		return delta, fmt.Errorf("scan %s: %w", s, err)
	}
	return delta, nil
}
