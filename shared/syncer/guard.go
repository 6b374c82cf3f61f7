package syncer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/tandem-sync/tandem/shared/reconcile"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// guard decides which losses wait for the user's decision. It sees everything that a run plans before anything is
// written, and again whatever is planned anew. What waits once goes on waiting until the user decides, or until it would
// be no loss any more.
type guard struct {
	*session
	*ledger
	active *linkCounts
	// once are the links in scope, those of one series counted once; negative where nobody counted them.
	once int
	// listed are the losses of the held run that the user decided about; nil where this run follows from no decision.
	listed map[lossKey]listedLoss
	// planned are the records that would lose something, as far as they count; left those that departed, agreed those of them
	// about which the user decided; reasons say by side why planned losses wait.
	planned map[record.Side]map[string]bool
	left    map[record.Side]departures
	agreed  map[record.Side]departures
	reasons map[record.Side]string
	// waits is what waits now.
	waits map[lossKey]*heldLoss
	// problem tells the user of what waits, changes are those of a list that is another than the last one.
	problem *store.Problem
	digest  string
	another bool
	// left out are the listed losses that changed since.
	leftOut []store.Link
}

// departures counts the links that departed, by the record or series that they belong to.
type departures map[string]int

func (d departures) links() (n int) {
	for _, count := range d {
		n += count
	}
	return n
}

// lossKey is a link and the side that takes something away from it.
type lossKey struct {
	link string
	side record.Side
}

// listedLoss is a loss as a held run lists it.
type listedLoss struct {
	digest string
	change packedChange
}

// heldLoss is a loss that waits. There may be as many as links, so it has only what names their records. change is what would
// be done, packed; nothing where only the list of the last held run tells.
type heldLoss struct {
	store.Waiting
	creatioID, googleID, name, parent string
	change                            packedChange
}

func (r *run) newGuard(ctx context.Context) (*guard, error) {
	g := &guard{
		session: r.session, ledger: newLedger(r.doc.Losses, r.start), active: r.counts,
		planned: map[record.Side]map[string]bool{record.Creatio: {}, record.Google: {}}, once: -1,
		left:   map[record.Side]departures{record.Creatio: {}, record.Google: {}},
		agreed: map[record.Side]departures{record.Creatio: {}, record.Google: {}}, reasons: map[record.Side]string{}, waits: map[lossKey]*heldLoss{},
	}
	if r.trigger != TriggerApprove && r.trigger != TriggerReject {
		return g, nil
	}
	var err error
	g.listed, err = r.listedBy(ctx, cmp.Or(r.report.run.Decides, r.doc.HeldRun))
	return g, err
}

// listedBy are the losses that a held run lists.
func (s *session) listedBy(ctx context.Context, run string) (map[lossKey]listedLoss, error) {
	out := map[lossKey]listedLoss{}
	changes, err := s.waitingBy(ctx, run)
	if err != nil {
		return nil, err
	}
	for key, c := range changes {
		out[key] = listedLoss{digest: c.Loss.Digest, change: packChange(*c)}
	}
	return out, nil
}

// waitingBy are the changes of a held run that wait.
func (s *session) waitingBy(ctx context.Context, run string) (iter.Seq2[lossKey, *store.Change], error) {
	var held store.Run
	if run != "" {
		var err error
		if held, err = s.user.Run(ctx, run); err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, fmt.Errorf("read the held run: %w", err)
		}
	}
	return func(yield func(lossKey, *store.Change) bool) {
		for i := range held.Changes {
			if c := &held.Changes[i]; c.Waits && c.Loss != nil && !yield(lossKey{c.Loss.Link, c.Side.Other()}, c) {
				return
			}
		}
	}, nil
}

// remember takes in what a link says of losses.
func (g *guard) remember(l store.Link) {
	g.catchUp(l)
	for s, w := range l.Waits {
		if !w.Approved {
			g.waits[lossKey{l.ID, s}] = newHeldLoss(&l, w)
		}
	}
}

func newHeldLoss(l *store.Link, w store.Waiting) *heldLoss {
	return &heldLoss{Waiting: w, creatioID: l.CreatioID, googleID: l.GoogleID, name: l.Name, parent: l.Parent}
}

// forget takes back that anything of a link waits.
func (g *guard) forget(link string) {
	for _, s := range record.Sides {
		delete(g.waits, lossKey{link, s})
	}
}

// consider takes a plan in, before anything is decided about it.
func (g *guard) consider(st *step) {
	g.forget(st.link.ID)
	for _, s := range record.Sides {
		loss, loses := st.losses[s]
		agreed := loses && g.approves(&st.link, s, loss)
		switch {
		case st.Left(s) && agreed:
			g.agreed[s][unitOf(&st.link)]++
		case st.Left(s):
			g.left[s][unitOf(&st.link)]++
		}
		if loses && !agreed {
			g.plan(&st.link, s)
		}
	}
}

func (g *guard) plan(l *store.Link, s record.Side) {
	if !g.counted(l, s) {
		g.planned[s][unitOf(l)] = true
	}
}

// judge decides, side by side, whether what is planned waits. What waited before and was not planned anew counts with it.
func (g *guard) judge(ctx context.Context) error {
	for key, w := range g.waits {
		l := store.Link{ID: key.link, Parent: w.parent}
		g.plan(&l, key.side)
		if w.Departure {
			g.left[key.side][unitOf(&l)]++
		}
	}
	for _, s := range record.Sides {
		b := g.balance(s)
		if b.Many() {
			if err := g.countOnce(ctx); err != nil {
				return err
			}
		}
		g.reasons[s] = reconcile.Guard(b, g.total(s))
	}
	return nil
}

func (g *guard) balance(s record.Side) reconcile.Balance {
	return reconcile.Balance{Done: g.done(s), Planned: len(g.planned[s]), Left: g.left[s].links(), LeftOnce: len(g.left[s])}
}

// total is what is in scope, but for what the user decided about.
func (g *guard) total(s record.Side) reconcile.Total {
	t := reconcile.Total{Links: g.active.active - g.agreed[s].links()}
	if t.Once = t.Links; g.once >= 0 {
		t.Once = min(t.Links, g.once-len(g.agreed[s]))
	}
	return t
}

// countOnce counts the links in scope, those of one series once. It reads all links, so it is for when the number decides.
func (g *guard) countOnce(ctx context.Context) error {
	if !g.engine.Series || g.once >= 0 {
		return nil
	}
	units := map[string]bool{}
	for l, err := range g.user.Links(ctx, g.engine.Type) {
		if err != nil {
			return fmt.Errorf("count the links in scope: %w", err)
		}
		if l.Active {
			units[unitOf(&l)] = true
		}
	}
	g.once = len(units)
	return nil
}

// doubts are the losses of a step that wait.
func (g *guard) doubts(st *step) map[record.Side]reconcile.Loss {
	out := map[record.Side]reconcile.Loss{}
	for s, loss := range st.losses {
		if !g.approves(&st.link, s, loss) && !g.admits(&st.link, s) {
			out[s] = loss
		}
	}
	return out
}

// approves reports whether the user agreed to a loss.
func (g *guard) approves(l *store.Link, s record.Side, loss reconcile.Loss) bool {
	if w := l.Waits[s]; w.Approved && w.Digest == loss.Digest {
		return true
	}
	listed, ok := g.listed[lossKey{l.ID, s}]
	return ok && g.trigger == TriggerApprove && listed.digest == loss.Digest
}

// admits reports whether a loss that nobody approved may be carried out.
func (g *guard) admits(l *store.Link, s record.Side) bool {
	if _, waits := l.Waits[s]; waits || g.reasons[s] != "" {
		return false
	}
	if g.counted(l, s) || g.planned[s][unitOf(l)] {
		return true
	}
	// It came up after everything else was judged.
	b := reconcile.Balance{Done: g.done(s), Planned: len(g.planned[s]) + 1}
	if reconcile.Guard(b, g.total(s)) != "" {
		return false
	}
	g.planned[s][unitOf(l)] = true
	return true
}

// wait notes that losses of a step wait, with what would be done.
func (g *guard) wait(st *step, losses map[record.Side]reconcile.Loss) map[record.Side]store.Waiting {
	out := map[record.Side]store.Waiting{}
	for s, loss := range losses {
		w := store.Waiting{Departure: loss.Departure, Fields: loss.Fields, Digest: loss.Digest}
		out[s] = w
		held := newHeldLoss(&st.link, w)
		held.change = st.waitingChange(&g.engine.Kind, s, loss)
		g.waits[lossKey{st.link.ID, s}] = held
	}
	return out
}

// waitingChange is the change by which a loss would come about.
func (st *step) waitingChange(k *Kind, from record.Side, loss reconcile.Loss) packedChange {
	c, ok := st.sideChange(k, from.Other(), true)
	if !ok {
		return packedChange{}
	}
	c.Link, c.Waits, c.Loss = "", true, &store.Loss{Link: st.link.ID, Digest: loss.Digest}
	if !loss.Departure {
		c.Fields = slices.DeleteFunc(slices.Clone(c.Fields), func(f store.FieldChange) bool { return !slices.Contains(loss.Fields, f.Field) })
	}
	return packChange(c)
}

// noteLeftOut notes which of the listed losses a step does not carry out although the user approved them.
func (g *guard) noteLeftOut(st *step) {
	if g.trigger != TriggerApprove {
		return
	}
	for _, s := range record.Sides {
		listed, ok := g.listed[lossKey{st.link.ID, s}]
		loss, loses := st.losses[s]
		_, waited := st.stored.Waits[s]
		if ok && (loses && loss.Digest != listed.digest || !loses && waited) {
			g.leaveOut(st)
		}
	}
}

// leaveOut notes that something of a step's pair is not done as the list says.
func (g *guard) leaveOut(st *step) {
	left := store.Link{ID: st.link.ID, Name: st.name, CreatioID: st.link.CreatioID, GoogleID: st.link.GoogleID}
	if !slices.ContainsFunc(g.leftOut, func(l store.Link) bool { return l.ID == left.ID }) {
		g.leftOut = append(g.leftOut, left)
	}
}

// changedSince tells the user that a listed record is another one by now.
func (g *guard) changedSince() store.Problem {
	if g.trigger == TriggerReject {
		return store.Problem{
			Code: "changed-since", Note: true, Message: "It changed after the list was made that you rejected, so Tandem kept the change and did not put that value back.",
			Action: "If you want the former value, take it from the list and enter it yourself.",
		}
	}
	return store.Problem{
		Code: "changed-since", Note: true, Message: "It changed after the list was made that you approved, so Tandem did not do with it what is listed there.",
		Action: "If something of it still waits, the latest list has it.",
	}
}

// tell writes down what waits, where that is another list than the last held run has, and what the user is told of it.
func (g *guard) tell(ctx context.Context, r *report) error {
	for _, l := range g.leftOut {
		r.problem(l, g.changedSince())
	}
	if len(g.waits) == 0 {
		return nil
	}
	g.problem = g.explain()
	g.digest = g.listDigest()
	if g.another = g.digest != g.doc.HeldDigest; !g.another && !g.preview() {
		return nil
	}
	last, err := g.lastList(ctx)
	if err != nil {
		return err
	}
	for keys := range slices.Chunk(g.keys(), g.engine.chunk()) {
		piece := make([]store.Change, len(keys))
		for i, key := range keys {
			piece[i] = g.change(key, last)
		}
		if err := r.add(ctx, piece); err != nil {
			return err
		}
	}
	r.run.Problems = append(r.run.Problems, *g.problem)
	return nil
}

// keys are those of what waits, in order.
func (g *guard) keys() []lossKey {
	return slices.SortedFunc(maps.Keys(g.waits), func(a, b lossKey) int {
		return cmp.Or(cmp.Compare(a.link, b.link), cmp.Compare(a.side, b.side))
	})
}

// listDigest stands for the list of what waits.
func (g *guard) listDigest() string {
	var b strings.Builder
	for _, key := range g.keys() {
		fmt.Fprintf(&b, "%s\x00%s\x00%s\n", key.link, key.side, g.waits[key].Digest)
	}
	return digestOf(func(yield func(string) bool) { yield(b.String()) }).String()
}

// lastList is the list of the last held run, where this run needs it: of what it did not look at nothing else tells more than the
// names.
func (g *guard) lastList(ctx context.Context) (map[lossKey]*store.Change, error) {
	needed := false
	for _, w := range g.waits {
		needed = needed || w.change == packedChange{}
	}
	if !needed {
		return nil, nil
	}
	changes, err := g.waitingBy(ctx, g.doc.HeldRun)
	if err != nil {
		return nil, err
	}
	return maps.Collect(changes), nil
}

// change is what would be done about a loss that waits.
func (g *guard) change(key lossKey, last map[lossKey]*store.Change) store.Change {
	w, listed := g.waits[key], last[key]
	switch {
	case w.change != packedChange{}:
		return w.change.unpack()
	case listed != nil && listed.Loss.Digest == w.Digest:
		return *listed
	default:
		return w.outline(g.engine.Words, g.policy().Departures[key.side], key)
	}
}

// outline is a change of which only the link tells.
func (w *heldLoss) outline(words Words, departs reconcile.Departure, key lossKey) store.Change {
	c := store.Change{
		Side: key.side.Other(), Action: string(record.Update), Record: w.name, CreatioID: w.creatioID, GoogleID: w.googleID,
		Waits: true, Loss: &store.Loss{Link: key.link, Digest: w.Digest},
	}
	switch {
	case w.Departure && departs == reconcile.Cancel:
		c.Action = string(record.Cancel)
	case w.Departure && departs == reconcile.Delete:
		c.Action = string(record.Delete)
	case w.Departure:
		c.Action = string(record.Unlink)
		c.Fields = []store.FieldChange{{Field: fieldMembership, Before: words.Scope[c.Side], Rule: reconcile.RuleLeft}}
	}
	for _, name := range w.Fields {
		c.Fields = append(c.Fields, store.FieldChange{Field: name, Rule: reconcile.RuleChanged})
	}
	return c
}

// explain tells the user what waits, and why.
func (g *guard) explain() *store.Problem {
	leave, lose := map[string]bool{}, map[string]bool{}
	for key, w := range g.waits {
		if w.Departure {
			leave[key.link] = true
		} else {
			lose[key.link] = true
		}
	}
	var parts []string
	if n := len(leave); n > 0 {
		parts = append(parts, g.engine.Words.number(n)+" "+cmp.Or(g.engine.Words.Leave, "would leave the synchronization"))
	}
	if n := len(lose); n > 0 {
		parts = append(parts, g.engine.Words.number(n)+" would lose values")
	}
	reason := reconcile.HeldMany
	for _, s := range record.Sides {
		if g.reasons[s] == reconcile.HeldEmptied {
			reason = reconcile.HeldEmptied
		}
	}
	p := &store.Problem{
		Code: "held-" + reason, Message: strings.Join(parts, ", and ") + ", so Tandem asks you first. All other changes went ahead.",
		Action: "Review the changes: carry them out if that is what you want, or get back what went missing.",
	}
	if g.preview() {
		p.Message = strings.Join(parts, ", and ") + ", so Tandem would ask you first. All other changes would go ahead."
		p.Action = "Nothing to do: this is only a preview."
	}
	return p
}

// number is a number of records, in words.
func (w Words) number(n int) string {
	if n == 1 {
		return "1 " + cmp.Or(w.One, "record")
	}
	return fmt.Sprintf("%d %s", n, cmp.Or(w.Many, "records"))
}

// holds reports whether a departure from a side waits.
func (g *guard) holds(s record.Side) bool {
	for key, w := range g.waits {
		if key.side == s && w.Departure {
			return true
		}
	}
	return false
}
