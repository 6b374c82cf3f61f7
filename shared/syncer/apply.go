package syncer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/observe"
	"github.com/tandem-sync/tandem/shared/reconcile"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// rounds is how often a record that changes while it is written is read and planned anew in one run.
const rounds = 3

// codeDeadline marks a run that ended at the border of a chunk because its time was over.
const codeDeadline = "deadline"

// step is a pair with what is to be done about it.
type step struct {
	*pair
	reconcile.Decision
	// Name is what history calls the records.
	Name    string
	results map[record.Side]record.Result
}

// writes reports whether the step changes anything on a side.
func (s *step) writes() bool { return len(s.Ops) > 0 }

// takesAway reports whether the step follows a record that left.
func (s *step) takesAway() bool {
	for _, op := range s.Ops {
		if op.Action == record.Unlink {
			return true
		}
	}
	return !s.Active && s.link.Active
}

// carryOut does what the window asks for: first with the pairs that are known, for which the guard is asked, then with
// the records that have no counterpart, group by group, so that a run whose time is over has done a part of it.
func (r *run) carryOut(ctx context.Context) error {
	slices.SortFunc(r.pairs.list, func(a, b *pair) int { return cmp.Compare(a.link.ID, b.link.ID) })
	_, planning := observe.Begin(ctx, "plan")
	known, lonely, leaving := r.sortOut()
	planning.End(nil)
	if r.preview() {
		return r.foretell(ctx, known, lonely)
	}
	unseen, err := r.unseen(ctx, leaving)
	if err != nil {
		return err
	}
	if reason := reconcile.Guard(unseen, r.active); reason != "" {
		return r.hold(ctx, known, lonely, reason)
	}
	if err := r.perform(ctx, known); err != nil {
		return err
	}
	for group, err := range r.meetings(ctx, lonely) {
		if err != nil {
			return err
		}
		if err := r.perform(ctx, group); err != nil {
			return err
		}
	}
	return r.carryPhotos(ctx)
}

// sortOut parts the pairs whose two records are known from those of which one is to be found or made. leaving are the
// decisions that take something away; nothing of that comes from records that meet.
func (r *run) sortOut() (known, lonely []*pair, leaving []*step) {
	for _, p := range r.pairs.list {
		st := r.decide(p)
		if r.creates(st) || p.link.CreatioID == "" || p.link.GoogleID == "" {
			lonely = append(lonely, p)
			continue
		}
		known = append(known, p)
		if st.takesAway() {
			leaving = append(leaving, st)
		}
	}
	return known, lonely, leaving
}

func (r *run) creates(st *step) bool {
	for _, op := range st.Ops {
		if op.Action == record.Create {
			return true
		}
	}
	return false
}

// unseen are the decisions that the user has not agreed to. An approval is for what the held run listed, and for no more
// than that.
func (r *run) unseen(ctx context.Context, steps []*step) ([]reconcile.Decision, error) {
	agreed := map[string]bool{}
	if r.record.Trigger == TriggerApprove && r.doc.HeldRun != "" {
		held, err := r.user.Run(ctx, r.doc.HeldRun)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, fmt.Errorf("read the held run: %w", err)
		}
		for _, c := range held.Changes {
			if c.Action == string(record.Unlink) {
				agreed[c.CreatioID+" "+c.GoogleID] = true
			}
		}
	}
	var out []reconcile.Decision
	for _, s := range steps {
		if !agreed[s.link.CreatioID+" "+s.link.GoogleID] {
			out = append(out, s.Decision)
		}
	}
	return out, nil
}

// perform does what is to be done about pairs, but for those that wait.
func (r *run) perform(ctx context.Context, list []*pair) error {
	list, paused := apart(list)
	if err := r.save(ctx, paused); err != nil {
		return err
	}
	return r.writeAll(ctx, list, r.plan)
}

// apart takes out the pairs that wait for something.
func apart(list []*pair) (rest, paused []*pair) {
	for _, p := range list {
		if p.waits() {
			paused = append(paused, p)
		} else {
			rest = append(rest, p)
		}
	}
	return rest, paused
}

// writeAll plans and writes chunk by chunk, and plans anew what changed meanwhile. A pair with which a chunk is done lets
// its records go.
func (r *run) writeAll(ctx context.Context, list []*pair, plan func([]*pair) []*step) error {
	for len(list) > 0 {
		var again []*pair
		for chunk := range r.chunks(list, plan) {
			var stale []*pair
			err := phase(ctx, "apply", func(ctx context.Context) (err error) {
				stale, err = r.write(ctx, chunk)
				return err
			})
			if err != nil {
				return err
			}
			again = append(again, stale...)
			for _, st := range chunk {
				if !slices.Contains(stale, st.pair) {
					r.notePhoto(st.pair)
					st.release()
				}
			}
		}
		if len(again) > 0 {
			if err := r.reread(ctx, again); err != nil {
				return err
			}
		}
		list = again
	}
	return nil
}

// chunks plans pairs one after the other. A chunk has as many steps that write as Google takes in one request, and with
// them a bounded number of such that do not.
func (r *run) chunks(list []*pair, plan func([]*pair) []*step) iter.Seq[[]*step] {
	const silent = 5
	return func(yield func([]*step) bool) {
		var chunk []*step
		writing := 0
		for i := range list {
			for _, st := range plan(list[i : i+1]) {
				chunk = append(chunk, st)
				if st.writes() {
					writing++
				}
			}
			if writing < r.engine.chunk() && len(chunk) < silent*r.engine.chunk() {
				continue
			}
			if !yield(chunk) {
				return
			}
			chunk, writing = nil, 0
		}
		if len(chunk) > 0 {
			yield(chunk)
		}
	}
}

func (e *Engine) chunk() int { return cmp.Or(e.Chunk, defaultChunk) }

// plan decides about pairs.
func (r *run) plan(list []*pair) []*step {
	steps := make([]*step, len(list))
	for i, p := range list {
		steps[i] = r.decide(p)
	}
	return steps
}

func (r *run) decide(p *pair) *step {
	in := r.pairOf(p)
	// Rejecting means that what left is to come back: then being in scope on one side is enough.
	if r.record.Trigger == TriggerReject || r.remade {
		in.Active = false
	}
	return r.newStep(p, reconcile.Decide(r.engine.Schema, in, r.policy()))
}

func (r *run) newStep(p *pair, d reconcile.Decision) *step {
	return &step{pair: p, Decision: d, Name: r.title(p), results: map[record.Side]record.Result{}}
}

// title is what a person calls the records of a pair.
func (r *run) title(p *pair) string {
	for _, s := range record.Sides {
		if rec := p.now[s]; rec != nil && !rec.Gone && len(rec.Fields) > 0 {
			return r.engine.Title(rec.Fields)
		}
	}
	return r.engine.Title(p.link.Base)
}

func (r *run) policy() reconcile.Policy {
	return reconcile.Policy{
		Direction: reconcile.Direction(r.doc.Settings.Direction), Conflicts: reconcile.Conflicts(r.doc.Settings.Conflicts),
	}
}

// pairOf is a pair as the planner takes it.
func (r *run) pairOf(p *pair) reconcile.Pair {
	in := reconcile.Pair{
		Link: p.link.ID, First: p.first || p.link.Base == nil, Active: p.link.Active, SplitSide: p.link.SplitSide, Base: p.link.Base,
		Sides: map[record.Side]reconcile.Now{}, NewID: createdID(r.user.ID(), p.link.GoogleID),
	}
	for _, s := range record.Sides {
		rec := p.now[s]
		if rec == nil {
			continue
		}
		in.Sides[s] = reconcile.Now{
			ID: rec.ID, Gone: rec.Gone, Member: rec.Member, AdapterState: rec.AdapterState,
			View: reconcile.View{Fields: rec.Fields, Untracked: rec.Untracked, Projections: p.link.Sides[s].Projections, Modified: rec.Modified},
		}
	}
	return in
}

// write carries out one chunk: intents, both sides at the same time, then what became of it. It returns pairs that changed
// meanwhile.
func (r *run) write(ctx context.Context, chunk []*step) ([]*pair, error) {
	if err := r.timeLeft(ctx); err != nil {
		return nil, err
	}
	r.wrote = true
	if err := r.regroup(ctx, chunk); err != nil {
		return nil, err
	}
	if err := r.noteDown(ctx, chunk); err != nil {
		return nil, err
	}
	if err := r.intend(ctx, chunk); err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var failures []error
	var g errgroup.Group
	for _, s := range record.Sides {
		var ops []record.Operation
		var owners []*step
		for _, st := range chunk {
			if op := st.Ops[s]; op != nil {
				ops, owners = append(ops, *op), append(owners, st)
			}
		}
		if len(ops) == 0 {
			continue
		}
		g.Go(func() error {
			results, err := r.sides[s].Apply(ctx, ops)
			mu.Lock()
			defer mu.Unlock()
			for i, st := range owners {
				if i < len(results) {
					st.results[s] = results[i]
				} else {
					st.results[s] = record.Result{Err: cmp.Or(err, error(fault.New(fault.Bug, string(s), "no-result", nil)))}
				}
			}
			if err != nil {
				failures = append(failures, fmt.Errorf("write to %s: %w", s, err))
			}
			return nil
		})
	}
	_ = g.Wait()
	// What took effect is saved whatever else went wrong, and even where the time is over.
	stale, err := r.settle(context.WithoutCancel(ctx), chunk, len(failures) > 0)
	if lost := lostLease(ctx); lost != nil {
		return nil, lost
	}
	return stale, errors.Join(append(failures, err)...)
}

// timeLeft stops the run at the border of a chunk before its time is over, or its lease. A process that stood still
// may come here before its timers.
func (r *run) timeLeft(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if r.tenure.ended(r.engine.Now()) {
		return ranOut()
	}
	deadline, ok := ctx.Deadline()
	if ok && deadline.Sub(r.engine.Now()) < cmp.Or(r.engine.Margin, defaultMargin) {
		return fault.New(fault.Retry, "", codeDeadline, errors.New("the run's time is over; the rest goes into the next one"))
	}
	return nil
}

// intend notes on its link, before it is sent, what could not be told from the records if the run died right after: a
// creation, and in what an undo makes the two records differ.
func (r *run) intend(ctx context.Context, chunk []*step) error {
	var links []store.Link
	for _, st := range chunk {
		if !st.announce(r) {
			continue
		}
		st.link.Name, st.link.UpdatedAt = st.Name, r.engine.Now().UTC()
		r.count(st.stored, st.link)
		st.stored = st.link
		links = append(links, st.link)
	}
	if len(links) == 0 {
		return nil
	}
	return r.putLinks(ctx, links)
}

// announce brings the link to what has to be known of the step beforehand, and reports whether that is anything.
func (st *step) announce(r *run) (changed bool) {
	l := &st.link
	for _, s := range record.Sides {
		if op := st.Ops[s]; op != nil && op.Action == record.Create {
			// A record that is made anew shows no photo, which nobody took away.
			l.Pending, l.Base, l.Photo = s, nil, nil
			r.activate(l, false)
			l.SetSideID(s, op.ID)
			changed = true
		}
	}
	if !r.undoes() {
		return changed
	}
	return st.announceUndo(r) || changed
}

// activate takes a link into scope or out of it, and counts that.
func (r *run) activate(l *store.Link, active bool) {
	switch {
	case active && !l.Active:
		r.active++
	case l.Active && !active:
		r.active--
	}
	l.Active = active
}

func (r *run) putLinks(ctx context.Context, links []store.Link) error {
	if _, err := r.user.PutBatch(ctx, r.engine.Type, r.lease, r.start, store.Batch{Links: links}); err != nil {
		return fmt.Errorf("save links: %w", err)
	}
	return nil
}

// reread fetches pairs anew that changed while they were written.
func (r *run) reread(ctx context.Context, list []*pair) error {
	ask := newAsk()
	for _, p := range list {
		for _, s := range record.Sides {
			p.now[s] = nil
			if id := p.link.SideID(s); id != "" {
				r.pairs.by[s][id] = p
				ask[s][id] = true
			}
		}
	}
	return r.fetch(ctx, ask)
}

// save notes on their links that pairs are left alone in this run, and until when, and reports them.
func (r *run) save(ctx context.Context, paused []*pair) error {
	var links []store.Link
	for _, p := range paused {
		l := p.link
		l.RetryAt, l.Failed = p.pause.until, l.Failed+1
		l.UpdatedAt = p.stored.UpdatedAt
		if l.Pending == "" {
			l.UpdatedAt = r.engine.Now().UTC()
		}
		for _, s := range record.Sides {
			if rec := p.now[s]; rec != nil {
				l.Name = r.engine.Title(rec.Fields)
			}
		}
		links = append(links, l)
		r.problem(l, p.pause.problem)
		r.count(p.stored, l)
	}
	if len(links) == 0 {
		return nil
	}
	return r.putLinks(ctx, links)
}
