package syncer_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/match"
	"github.com/tandem-sync/tandem/shared/reconcile"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/bolt"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// The kind of record of these tests is none that Tandem carries: it has a time, no scope to prepare, deletions that delete
// or cancel, parts of it are read whole, and some of its fields may not be written. What the engine does with it, it does
// with every kind.
func visits(departures map[record.Side]reconcile.Departure) syncer.Kind {
	text := func(e record.Entry) string { return e.Text }
	return syncer.Kind{
		Type: record.Activities, Scope: "calendar",
		Schema: record.Schema{
			{Name: "title", Label: "Title", Key: text},
			{Name: "when", Label: "When", Key: text},
			{Name: "guests", Label: "Guests", Set: true, Key: text},
			{Name: "answer", Label: "Answer", Key: text},
		},
		Title: func(f record.Fields) string { return f.Text("title") },
		Match: match.Rules{
			Levels: []match.Level{{Reason: "title and time", Keys: func(it match.Item) []string {
				return []string{it.Fields.Text("title") + " " + it.Fields.Text("when")}
			}}},
			SameName: func(a, b match.Item) bool { return a.Fields.Text("title") == b.Fields.Text("title") },
			Compare:  func(match.Item, match.Item) match.Verdict { return match.Same },
		},
		Policy: func(s store.Settings) reconcile.Policy {
			return reconcile.Policy{
				Direction: reconcile.Direction(s.Direction), Conflicts: reconcile.Conflicts(s.Conflicts), Departures: departures,
				Decline: record.Fields{"answer": {{Text: "declined"}}},
				Retract: map[record.Side]reconcile.Departure{record.Creatio: reconcile.Cancel, record.Google: reconcile.Delete},
			}
		},
		Words: syncer.Words{One: "visit", Many: "visits"},
	}
}

// cancelOrDelete is what an activity and its event do for each other by default.
var cancelOrDelete = map[record.Side]reconcile.Departure{record.Google: reconcile.Cancel, record.Creatio: reconcile.Delete}

// visit is a record of a diary.
type visit struct {
	fields          record.Fields
	gone, cancelled bool
	// hidden says that its own person took it out of the synchronization, passive that it begins no pair.
	hidden, passive bool
	parent          string
	locked          []string
	version         int
	modified        time.Time
}

// diary is a side that keeps visits. It reads whole what ends at from or later; where series is set it reads only that whole,
// and lists what else changed.
type diary struct {
	w       *visitWorld
	side    record.Side
	mu      sync.Mutex
	visits  map[string]*visit
	seq     int
	from    time.Time
	series  string
	written int
}

var _ syncer.Side = (*diary)(nil)

type visitWorld struct {
	t       *testing.T
	mu      sync.Mutex
	clock   time.Time
	user    store.User
	engine  *syncer.Engine
	creatio *diary
	google  *diary
	// before and after are asked about every call to a side.
	before, after func(call string) error
	asking        sync.Mutex
}

var firstDay = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func newVisitWorld(t *testing.T, departures map[record.Side]reconcile.Departure) *visitWorld {
	t.Helper()
	s, err := bolt.Open(t.TempDir() + "/visits.db")
	must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	w := &visitWorld{t: t, clock: firstDay, user: s.User("ada")}
	w.creatio = &diary{w: w, side: record.Creatio, visits: map[string]*visit{}}
	w.google = &diary{w: w, side: record.Google, visits: map[string]*visit{}}
	must(t, w.user.UpdateProfile(t.Context(), func(p *store.Profile) error {
		p.Google = store.GoogleAccount{Linked: true, Scopes: []string{"calendar"}}
		p.Creatio = store.CreatioAccount{Linked: true}
		return nil
	}))
	w.engine = &syncer.Engine{
		Kind: visits(departures), Chunk: 3, Now: w.now, Logger: slog.New(slog.DiscardHandler),
		Open: func(context.Context, store.Profile, store.Sync) (map[record.Side]syncer.Side, error) {
			return map[record.Side]syncer.Side{record.Creatio: w.creatio, record.Google: w.google}, nil
		},
	}
	return w
}

func (w *visitWorld) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = w.clock.Add(time.Millisecond)
	return w.clock
}

func (w *visitWorld) run(trigger string) (syncer.Outcome, store.Run) {
	w.t.Helper()
	w.mu.Lock()
	w.clock = w.clock.Add(2 * time.Minute)
	w.mu.Unlock()
	out, _ := w.engine.Run(context.Background(), w.user, syncer.Request{Type: record.Activities, Trigger: trigger})
	r, _ := w.user.Run(context.Background(), out.Run)
	return out, r
}

func (w *visitWorld) sync() store.Run {
	w.t.Helper()
	out, r := w.run(syncer.TriggerSchedule)
	if out.Status != syncer.Done {
		w.t.Fatalf("run ended %+v with problems %+v", out, r.Problems)
	}
	return r
}

func (w *visitWorld) silent() {
	w.t.Helper()
	written := w.creatio.written + w.google.written
	if r := w.sync(); len(r.Changes) > 0 || w.creatio.written+w.google.written != written {
		w.t.Fatalf("a run with nothing to do changed %+v", r.Changes)
	}
}

// undo puts a run back.
func (w *visitWorld) undo(r store.Run) store.Run {
	w.t.Helper()
	id := syncer.NewRunID(w.now())
	must(w.t, w.user.PutRun(w.t.Context(), store.Run{ID: id, Type: record.Activities, Trigger: syncer.TriggerUndo, Status: "queued", Undoes: &store.Undo{Run: r.ID}}))
	out, err := w.engine.Run(context.Background(), w.user, syncer.Request{Type: record.Activities, Run: id, Trigger: syncer.TriggerUndo})
	if err != nil || out.Status != syncer.Done {
		w.t.Fatalf("the undo ended %+v, %v", out, err)
	}
	undone, err := w.user.Run(w.t.Context(), id)
	must(w.t, err)
	return undone
}

func (w *visitWorld) ask(hook func(string) error, call string) error {
	w.asking.Lock()
	defer w.asking.Unlock()
	if hook == nil {
		return nil
	}
	return hook(call)
}

// add is a person who plans a visit some days ahead.
func (d *diary) add(title string, days int) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	id := fmt.Sprintf("%s-%d", d.side, len(d.visits))
	f := record.Fields{}
	f.SetText("title", title)
	f.SetText("when", firstDay.AddDate(0, 0, days).Format(time.RFC3339))
	d.visits[id] = &visit{fields: f}
	d.touch(d.visits[id])
	return id
}

func (d *diary) touch(v *visit) {
	d.seq++
	v.version, v.modified = d.seq, d.w.now()
}

// edit is a person who changes the visit of a title.
func (d *diary) edit(title string, f func(*visit)) {
	d.w.t.Helper()
	id := d.id(title)
	d.mu.Lock()
	defer d.mu.Unlock()
	f(d.visits[id])
	d.touch(d.visits[id])
}

func (d *diary) id(title string) string {
	d.w.t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(d.visits)) {
		if d.visits[id].fields.Text("title") == title {
			return id
		}
	}
	d.w.t.Fatalf("%s has no visit %q", d.side, title)
	return ""
}

// shows lists the visits that are there, with what became of them.
func (d *diary) shows() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []string
	for _, v := range d.visits {
		text := v.fields.Text("title")
		switch {
		case v.gone:
			continue
		case v.cancelled:
			text += " (cancelled)"
		}
		out = append(out, text)
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func (d *diary) when(v *visit) time.Time {
	at, _ := time.Parse(time.RFC3339, v.fields.Text("when"))
	return at
}

func (d *diary) record(id string) record.Record {
	v := d.visits[id]
	if v == nil || v.gone {
		return record.Record{ID: id, Gone: true}
	}
	return record.Record{
		ID: id, Modified: v.modified, Member: !v.cancelled && !v.hidden, Fields: v.fields.Clone(), Parent: v.parent, End: d.when(v), Locked: v.locked,
		Passive: v.passive, Withdrawn: v.hidden,
		AdapterState: json.RawMessage(strconv.Itoa(v.version)),
	}
}

func (d *diary) Scan(_ context.Context, cursor json.RawMessage) (record.Delta, error) {
	if err := d.w.ask(d.w.before, string(d.side)+" scan"); err != nil {
		return record.Delta{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	since, _ := strconv.Atoi(string(cursor))
	delta := record.Delta{Members: []string{}, Extents: []record.Extent{{Parent: d.series, From: d.from}}, Cursor: json.RawMessage(strconv.Itoa(d.seq))}
	for _, id := range slices.Sorted(maps.Keys(d.visits)) {
		v := d.visits[id]
		if d.when(v).Before(d.from) || v.gone {
			continue
		}
		if !v.cancelled && !v.hidden && (d.series == "" || d.series == v.parent) {
			delta.Members = append(delta.Members, id)
		}
		if v.version > since {
			delta.Records = append(delta.Records, record.Pack(d.record(id)))
		}
	}
	return delta, d.w.ask(d.w.after, string(d.side)+" scan")
}

func (d *diary) Fetch(_ context.Context, ids []string) ([]record.Record, error) {
	if err := d.w.ask(d.w.before, string(d.side)+" fetch"); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []record.Record
	for _, id := range ids {
		out = append(out, d.record(id))
	}
	return out, d.w.ask(d.w.after, string(d.side)+" fetch")
}

// NewID lets a creation be repeated on both sides.
func (d *diary) NewID(seed string) string { return "for " + strings.ReplaceAll(seed, "\x00", " ") }

func (d *diary) Plan(_ context.Context, ops []record.Operation) ([]record.Plan, error) {
	plans := make([]record.Plan, len(ops))
	for i, op := range ops {
		plans[i] = record.Plan{Operation: op, Displayed: op.After}
	}
	return plans, nil
}

func (d *diary) Apply(_ context.Context, plans []record.Plan) ([]record.Result, error) {
	results := make([]record.Result, len(plans))
	for i, p := range plans {
		err := d.w.ask(d.w.before, string(d.side)+" apply")
		if err == nil {
			results[i] = d.apply(p.Operation)
			if err = d.w.ask(d.w.after, string(d.side)+" apply"); err != nil {
				lost := *fault.New(fault.Retry, string(d.side), "lost", err)
				lost.Ambiguous = true
				results[i] = record.Result{Err: &lost}
				i++
			}
		}
		if err != nil {
			for j := i; j < len(plans); j++ {
				results[j].Err = err
			}
			return results, err
		}
	}
	return results, nil
}

func (d *diary) apply(op record.Operation) record.Result {
	d.mu.Lock()
	defer d.mu.Unlock()
	v := d.visits[op.ID]
	switch {
	case op.Action == record.Create:
		if v == nil {
			v = &visit{fields: record.Fields{}}
			d.visits[op.ID] = v
		}
		v.gone = false
	case v == nil || v.gone:
		return record.Result{Err: fault.New(fault.Gone, string(d.side), "gone", nil)}
	case len(op.AdapterState) > 0 && string(op.AdapterState) != strconv.Itoa(v.version):
		return record.Result{Err: fault.New(fault.Conflict, string(d.side), "version", nil)}
	}
	for _, name := range op.Changed {
		if slices.Contains(v.locked, name) {
			return record.Result{Err: fault.New(fault.ReadOnly, string(d.side), "locked", nil)}
		}
		if delete(v.fields, name); len(op.After[name]) > 0 {
			v.fields[name] = slices.Clone(op.After[name])
		}
	}
	switch {
	case op.Action == record.Cancel:
		v.cancelled = true
	case op.Action == record.Delete:
		v.gone = true
	case op.Join:
		v.cancelled = false
	}
	d.written++
	d.touch(v)
	return record.Result{Record: d.record(op.ID)}
}

// planned is a world in which some visits are on both sides.
func planned(t *testing.T, departures map[record.Side]reconcile.Departure) *visitWorld {
	t.Helper()
	w := newVisitWorld(t, departures)
	for i, title := range []string{"Audit", "Board"} {
		w.creatio.add(title, i+1)
	}
	for i, title := range []string{"Clinic", "Dinner"} {
		w.google.add(title, i+3)
	}
	w.sync()
	w.silent()
	if all := "Audit, Board, Clinic, Dinner"; w.creatio.shows() != all || w.google.shows() != all {
		t.Fatalf("creatio has %s, google %s", w.creatio.shows(), w.google.shows())
	}
	return w
}

func TestA_deletion_cancels_or_deletes_or_is_kept_as_the_policy_says(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		departures      map[record.Side]reconcile.Departure
		creatio, google string
		counts          store.Counts
	}{
		"cancelled in one, deleted in the other": {
			departures: cancelOrDelete, creatio: "Audit (cancelled), Clinic, Dinner", google: "Clinic, Dinner",
			counts: store.Counts{Creatio: store.SideCounts{Cancelled: 1}, Google: store.SideCounts{Deleted: 1}},
		},
		"deleted in both": {
			departures: map[record.Side]reconcile.Departure{record.Google: reconcile.Delete, record.Creatio: reconcile.Delete},
			creatio:    "Clinic, Dinner", google: "Clinic, Dinner",
			counts: store.Counts{Creatio: store.SideCounts{Deleted: 1}, Google: store.SideCounts{Deleted: 1}},
		},
		"kept in both": {
			departures: map[record.Side]reconcile.Departure{record.Google: reconcile.Keep, record.Creatio: reconcile.Keep},
			creatio:    "Audit, Clinic, Dinner", google: "Board, Clinic, Dinner",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := planned(t, row.departures)
			w.google.edit("Audit", func(v *visit) { v.gone = true })
			w.creatio.edit("Board", func(v *visit) { v.gone = true })
			r := w.sync()
			r.Counts.Calls = store.Calls{}
			if w.creatio.shows() != row.creatio || w.google.shows() != row.google || r.Counts != row.counts {
				t.Errorf("creatio has %s, google %s; counted are %+v", w.creatio.shows(), w.google.shows(), r.Counts)
			}
			w.silent()
			w.silent()
		})
	}
}

func TestOne_that_comes_back_from_the_bin_is_what_it_was(t *testing.T) {
	t.Parallel()
	w := planned(t, cancelOrDelete)
	w.google.edit("Audit", func(v *visit) { v.gone = true })
	w.sync()
	w.google.edit("Audit", func(v *visit) { v.gone = false })
	w.sync()
	if all := "Audit, Board, Clinic, Dinner"; w.creatio.shows() != all || w.google.shows() != all {
		t.Errorf("creatio has %s, google %s", w.creatio.shows(), w.google.shows())
	}
	w.silent()
}

func TestNothing_is_missing_from_what_was_not_read(t *testing.T) {
	t.Parallel()
	w := planned(t, cancelOrDelete)
	w.google.from = firstDay.AddDate(0, 0, 3)
	w.silent()
	// Of two that are gone one lies in what is read.
	w.google.edit("Board", func(v *visit) { v.gone = true })
	w.google.edit("Clinic", func(v *visit) { v.gone = true })
	w.sync()
	if got := w.creatio.shows(); got != "Audit, Board, Clinic (cancelled), Dinner" {
		t.Errorf("creatio has %s", got)
	}
	w.silent()
}

func TestWhat_is_missing_from_a_series_that_was_read_whole_left_and_nothing_else(t *testing.T) {
	t.Parallel()
	w := newVisitWorld(t, cancelOrDelete)
	for i, title := range []string{"Lesson 1", "Lesson 2", "Lesson 3", "Practice 1", "Practice 2", "Trip"} {
		w.google.add(title, i+1)
		if parent := strings.Fields(title)[0]; parent != title {
			w.google.edit(title, func(v *visit) { v.parent = parent })
		}
	}
	w.sync()
	w.silent()
	w.google.series = "Lesson"
	w.silent()
	for _, title := range []string{"Lesson 2", "Practice 2", "Trip"} {
		w.google.edit(title, func(v *visit) { v.gone = true })
	}
	w.google.add("Lesson 4", 9)
	w.google.edit("Lesson 4", func(v *visit) { v.parent = "Lesson" })
	w.sync()
	if got := w.creatio.shows(); got != "Lesson 1, Lesson 2 (cancelled), Lesson 3, Lesson 4, Practice 1, Practice 2, Trip" {
		t.Errorf("creatio has %s", got)
	}
	w.silent()
	// Who is in the rest of the scope is not forgotten: the next list of everything tells who left it.
	w.google.series = ""
	w.sync()
	if got := w.creatio.shows(); got != "Lesson 1, Lesson 2 (cancelled), Lesson 3, Lesson 4, Practice 1, Practice 2 (cancelled), Trip (cancelled)" {
		t.Errorf("creatio has %s", got)
	}
	w.silent()
}

func TestWhat_may_not_be_written_stays_where_it_was_made(t *testing.T) {
	t.Parallel()
	w := planned(t, cancelOrDelete)
	w.google.edit("Audit", func(v *visit) { v.locked = []string{"title", "when"} })
	w.silent()
	w.creatio.edit("Audit", func(v *visit) {
		v.fields.SetText("title", "Audit of ours")
		v.fields["guests"] = []record.Entry{{Text: "bo@example.com"}}
	})
	w.sync()
	if got := w.google.visits[w.google.id("Audit")]; len(got.fields["guests"]) != 1 {
		t.Errorf("google has %v", got.fields)
	}
	w.silent()
	w.google.edit("Audit", func(v *visit) { v.fields.SetText("title", "Audit of theirs") })
	w.sync()
	if got := w.creatio.shows(); got != "Audit of theirs, Board, Clinic, Dinner" {
		t.Errorf("creatio has %s", got)
	}
	w.silent()
}

func TestAn_undo_of_a_first_run_takes_back_what_it_made_and_stays_so(t *testing.T) {
	t.Parallel()
	w := newVisitWorld(t, cancelOrDelete)
	w.creatio.add("Audit", 1)
	w.google.add("Clinic", 2)
	w.undo(w.sync())
	for range 3 {
		if w.creatio.shows() != "Audit, Clinic (cancelled)" || w.google.shows() != "Clinic" {
			t.Errorf("creatio has %s, google %s", w.creatio.shows(), w.google.shows())
		}
		w.silent()
	}
}

func TestInterrupted_anywhere_every_visit_is_there_once(t *testing.T) {
	t.Parallel()
	for _, late := range []bool{false, true} {
		for n := 1; ; n++ {
			w := planned(t, cancelOrDelete)
			w.creatio.add("Exam", 5)
			w.google.add("Fair", 6)
			w.google.edit("Audit", func(v *visit) { v.gone = true })
			w.creatio.edit("Board", func(v *visit) { v.gone = true })
			w.creatio.edit("Dinner", func(v *visit) { v.fields.SetText("title", "Supper") })
			calls := 0
			fail := func(string) error {
				if calls++; calls == n {
					return errDied
				}
				return nil
			}
			if late {
				w.after = fail
			} else {
				w.before = fail
			}
			w.run(syncer.TriggerSchedule)
			if calls < n {
				break
			}
			w.before, w.after = nil, nil
			for range 3 {
				w.run(syncer.TriggerSchedule)
			}
			if w.creatio.shows() != "Audit (cancelled), Clinic, Exam, Fair, Supper" || w.google.shows() != "Clinic, Exam, Fair, Supper" {
				t.Errorf("call %d failed, late %v: creatio has %s, google %s", n, late, w.creatio.shows(), w.google.shows())
			}
			w.silent()
		}
	}
}

func TestWhere_nobody_is_asked_what_is_the_same_the_records_have_to_tell(t *testing.T) {
	t.Parallel()
	w := newVisitWorld(t, cancelOrDelete)
	policy := w.engine.Policy
	w.engine.Policy = func(s store.Settings) reconcile.Policy {
		p := policy(s)
		p.KeepsMatches = true
		return p
	}
	w.creatio.add("Audit", 1)
	w.google.add("Audit", 1)
	w.google.add("Audit", 1)
	out, r := w.run(syncer.TriggerSchedule)
	if out.Status != syncer.Partial || !strings.HasPrefix(codes(r), "Audit ambiguous") {
		t.Fatalf("the run is %+v and tells %q", out, codes(r))
	}
	for p, err := range w.user.Pairs(t.Context(), record.Activities) {
		t.Errorf("a user who is not asked has a doubt: %+v %v", p, err)
	}
	w.google.edit("Audit", func(v *visit) { v.fields.SetText("title", "Board") })
	w.run(syncer.TriggerUser)
	if got := w.creatio.shows(); got != "Audit, Board" || w.google.shows() != got {
		t.Errorf("creatio has %s, google %s", got, w.google.shows())
	}
	w.silent()
}
