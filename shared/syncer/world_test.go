package syncer_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/bolt"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// world is one user with both sides, where a test edits on each and makes calls fail.
type world struct {
	t     judge
	clock time.Time
	store store.Store
	user  store.User
	sides map[record.Side]*half
	// before is asked ahead of every call of a side, after behind it: an error of it is the call's.
	before, after func(call string) error
	engine        *syncer.Engine
	mu, hooks     sync.Mutex
}

// judge is a testing.T, or one of rapid.
type judge interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

func newWorld(t testing.TB) *world {
	t.Helper()
	s, err := bolt.Open(filepath.Join(t.TempDir(), "tandem.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	w := &world{t: t, clock: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), store: s, user: s.User("ada")}
	w.sides = map[record.Side]*half{
		record.Creatio: {w: w, side: record.Creatio, rows: map[string]*row{}},
		record.Google:  {w: w, side: record.Google, rows: map[string]*row{}},
	}
	w.move(s)
	w.engine = &syncer.Engine{
		Kind: contacts, Chunk: 3, Now: w.now, Logger: slog.New(slog.DiscardHandler),
		Open: func(context.Context, store.Profile, store.Sync) (map[record.Side]syncer.Side, error) {
			return map[record.Side]syncer.Side{
				record.Creatio: struct {
					*half
					naming
				}{half: w.sides[record.Creatio]}, record.Google: w.sides[record.Google],
			}, nil
		},
	}
	return w
}

// contacts are the kind of record of these tests.
var contacts = syncer.Kind{
	Type: record.Contacts, Schema: contact.Schema, Scope: "contacts", Title: contact.Title, Match: contact.Match,
	Words: syncer.Words{One: "contact", Many: "contacts", Scope: map[record.Side]string{record.Creatio: "private tag", record.Google: "group"}},
	Ready: func(s store.Settings) string {
		if s.TagID == "" {
			return syncer.ReasonNoTag
		}
		return ""
	},
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// move keeps everything about the user in another store.
func (w *world) move(s store.Store) {
	w.t.Helper()
	w.store = s
	w.signUp("ada")
}

// signUp makes a user whose accounts are linked the one of the world.
func (w *world) signUp(id string) {
	w.t.Helper()
	w.user = w.store.User(id)
	err := errors.Join(
		w.user.UpdateProfile(context.Background(), func(p *store.Profile) error {
			p.CreatedAt = w.clock
			p.Google = store.GoogleAccount{Subject: id, Email: id + "@example.com", Linked: true, Scopes: []string{"contacts"}}
			p.Creatio = store.CreatioAccount{UserID: "u", ContactID: "c", Linked: true}
			return nil
		}),
		w.user.UpdateSync(context.Background(), record.Contacts, func(d *store.Sync) error {
			d.Settings.TagID, d.Settings.TagKind = "tag", "classic"
			return nil
		}))
	if err != nil {
		w.t.Fatal(err)
	}
}

// now passes: no two moments are the same.
func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = w.clock.Add(time.Millisecond)
	return w.clock
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock = w.clock.Add(d)
}

// run makes one run and gives its outcome and its history.
func (w *world) run(trigger string) (syncer.Outcome, store.Run) {
	w.t.Helper()
	w.pass(time.Minute)
	out, _ := w.engine.Run(context.Background(), w.user, syncer.Request{Type: record.Contacts, Trigger: trigger})
	r, err := w.user.Run(context.Background(), out.Run)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		w.t.Fatal(err)
	}
	return out, r
}

// sync makes a run that must do its work.
func (w *world) sync() store.Run {
	w.t.Helper()
	out, r := w.run(syncer.TriggerSchedule)
	if out.Status != syncer.Done {
		w.t.Fatalf("run ended %+v with problems %+v", out, r.Problems)
	}
	return r
}

// silent makes a run that may find nothing to do.
func (w *world) silent() {
	w.t.Helper()
	writes := w.writes()
	r := w.sync()
	if len(r.Changes) > 0 || w.writes() != writes {
		w.t.Fatalf("a run with nothing to do changed %+v", r.Changes)
	}
}

func (w *world) writes() int { return w.sides[record.Creatio].written + w.sides[record.Google].written }

// agree compares what is in scope on both sides.
func (w *world) agree() {
	w.t.Helper()
	if c, g := w.sides[record.Creatio].scope(), w.sides[record.Google].scope(); !slices.Equal(c, g) {
		w.t.Fatalf("the sides differ\ncreatio: %q\ngoogle:  %q", c, g)
	}
}

// row is a record of a side.
type row struct {
	fields       record.Fields
	member, gone bool
	mark         string
	// unseen says that no list shows the record yet; behind that it reads as if it were not in scope.
	unseen, behind bool
	// former are the ids of records that were merged into this one.
	former         []string
	version, index int
	modified       time.Time
}

// half is a side in memory, as strict as the port says.
type half struct {
	w    *world
	side record.Side
	mu   sync.Mutex
	rows map[string]*row
	seq  int
	// written and fetched count records.
	written, fetched int
	// missing says that the scope is not there; forgetful that cursors are not good any more; unaware that nothing hints at
	// a change of the members.
	missing, forgetful, unaware bool
	// narrow says how many characters the side has room for in a job title, and that it knows no town: an address shows there
	// as its text.
	narrow int
	// named says that every record has a name there: one without shows its e-mail address in the name's place.
	named bool
	// stale is what reads by id show of records although a list told of something newer.
	stale map[string]record.Record
	// lags is how long lists and reads trail writes.
	lags   time.Duration
	refuse func(record.Operation) error
}

var _ syncer.Side = (*half)(nil)

// naming lets ids of new records be chosen, as Creatio does.
type naming struct{}

// Site is where several users share the records of the side.
func (naming) Site() string { return "https://crm.example.com" }

func (naming) NewID(seed string) string { return "made from " + strings.ReplaceAll(seed, "\x00", " ") }

// Lag is how long lists and reads trail writes: where a test says nothing, for a while in Google and not in Creatio.
func (h *half) Lag() time.Duration {
	if h.lags == 0 && h.side == record.Google {
		return lag
	}
	return h.lags
}

const lag = 2 * time.Minute

func (h *half) touch(r *row) {
	h.seq++
	r.version, r.index, r.modified = r.version+1, h.seq, h.w.now()
}

// add is a person who adds a record.
func (h *half) add(name, email string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	id := string(h.side) + strconv.Itoa(len(h.rows))
	f := record.Fields{}
	f.SetText(contact.GivenName, name)
	if email != "" {
		f[contact.Emails] = []record.Entry{{Kind: "work", Text: email}}
	}
	h.rows[id] = &row{fields: f, member: true}
	h.touch(h.rows[id])
	return id
}

// edit is a person who changes a record.
func (h *half) edit(id string, f func(*row)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f(h.rows[id])
	h.touch(h.rows[id])
}

// drop is a person who deletes the scope itself.
func (h *half) drop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.missing = true
	for _, r := range h.rows {
		r.member = false
	}
}

// id finds the record in scope by its first name.
func (h *half) id(name string) string {
	h.w.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	for id, r := range h.rows {
		if !r.gone && r.fields.Text(contact.GivenName) == name {
			return id
		}
	}
	h.w.t.Fatalf("%s has nobody called %s", h.side, name)
	return ""
}

// scope lists the content of what is in scope.
func (h *half) scope() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []string
	for _, r := range h.rows {
		if !r.gone && r.member {
			text := ""
			for _, f := range contact.Schema {
				if shown := f.Show(r.fields[f.Name]); shown != "" {
					text += f.Name + "=" + shown + ";"
				}
			}
			out = append(out, text)
		}
	}
	slices.Sort(out)
	return out
}

// ask lets one call at a time be decided about: both sides work at once.
func (w *world) ask(hook func(string) error, call string) error {
	w.hooks.Lock()
	defer w.hooks.Unlock()
	if hook == nil {
		return nil
	}
	return hook(call)
}

func (h *half) call(name string) error {
	return h.w.ask(h.w.before, string(h.side)+" "+name)
}

func (h *half) done(name string) error {
	return h.w.ask(h.w.after, string(h.side)+" "+name)
}

func (h *half) record(id string) record.Record {
	r := h.rows[id]
	if r == nil || r.gone {
		for into, other := range h.rows {
			if slices.Contains(other.former, id) {
				return h.record(into)
			}
		}
		return record.Record{ID: id, Gone: true}
	}
	return record.Record{
		ID: id, Aliases: slices.Clone(r.former), Mark: r.mark, Modified: r.modified, Member: r.member && !r.behind, Fields: r.fields.Clone(),
		AdapterState: json.RawMessage(strconv.Itoa(r.version)),
	}
}

func (h *half) Chosen() bool { return h.side == record.Creatio }

func (h *half) Prepare(context.Context) (string, error) {
	if err := h.call("prepare"); err != nil {
		return "", err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.missing = false
	return "scope", h.done("prepare")
}

func (h *half) Scan(_ context.Context, cursor json.RawMessage) (record.Delta, error) {
	if err := h.call("scan"); err != nil {
		return record.Delta{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.missing {
		return record.Delta{ScopeGone: true}, h.done("scan")
	}
	since := 0
	if len(cursor) > 0 {
		if h.forgetful {
			return record.Delta{}, fault.New(fault.FullSync, string(h.side), "expired", nil)
		}
		since, _ = strconv.Atoi(string(cursor))
	}
	d := record.Delta{Members: []string{}, Cursor: json.RawMessage(strconv.Itoa(h.seq))}
	for _, id := range slices.Sorted(maps.Keys(h.rows)) {
		r := h.rows[id]
		if r.unseen {
			continue
		}
		if !r.gone && r.member {
			d.Members = append(d.Members, id)
		}
		if r.index > since && (len(cursor) > 0 || r.member && !r.gone) {
			rec := h.record(id)
			rec.Tombstone = rec.Gone
			d.Records = append(d.Records, record.Pack(rec))
		}
	}
	if h.unaware {
		d.Members = nil
	}
	return d, h.done("scan")
}

func (h *half) Fetch(_ context.Context, ids []string) ([]record.Record, error) {
	if err := h.call("fetch"); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []record.Record
	for _, id := range ids {
		rec, behind := h.stale[id]
		if !behind {
			rec = h.record(id)
		}
		out = append(out, rec)
	}
	h.fetched += len(ids)
	return out, h.done("fetch")
}

func (h *half) Candidates(_ context.Context, like []record.Record) ([]record.Record, error) {
	if err := h.call("candidates"); err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, r := range like {
		known[r.Fields.Text(contact.GivenName)] = true
		for _, e := range r.Fields[contact.Emails] {
			known[e.Text] = true
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []record.Record
	for _, id := range slices.Sorted(maps.Keys(h.rows)) {
		f := h.rows[id].fields
		alike := known[f.Text(contact.GivenName)] || slices.ContainsFunc(f[contact.Emails], func(e record.Entry) bool { return known[e.Text] })
		if !h.rows[id].gone && !h.rows[id].unseen && alike {
			out = append(out, h.record(id))
		}
	}
	return out, h.done("candidates")
}

func (h *half) Plan(_ context.Context, ops []record.Operation) ([]record.Plan, error) {
	if err := h.call("plan"); err != nil {
		return nil, err
	}
	plans := make([]record.Plan, len(ops))
	for i, op := range ops {
		plans[i] = record.Plan{Operation: op}
		plans[i].Displayed, plans[i].Projections = h.display(op.After)
	}
	return plans, h.done("plan")
}

func (h *half) Apply(_ context.Context, ops []record.Plan) ([]record.Result, error) {
	results := make([]record.Result, len(ops))
	for i, plan := range ops {
		op := plan.Operation
		if err := h.call("apply"); err != nil {
			for j := i; j < len(ops); j++ {
				results[j].Err = err
			}
			return results, err
		}
		results[i] = h.apply(op)
		if err := h.done("apply"); err != nil {
			lost := *fault.New(fault.Retry, string(h.side), "lost", err)
			lost.Ambiguous = true
			results[i] = record.Result{Err: &lost}
			for j := i + 1; j < len(ops); j++ {
				results[j].Err = err
			}
			return results, err
		}
	}
	return results, nil
}

func (h *half) apply(op record.Operation) record.Result {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.refuse != nil {
		if err := h.refuse(op); err != nil {
			return record.Result{Err: err}
		}
	}
	if h.missing && op.Join {
		return record.Result{Err: fault.New(fault.Retry, string(h.side), "scope-gone", nil)}
	}
	id := op.ID
	r := h.rows[id]
	switch {
	case op.Action == record.Create:
		if id == "" {
			id = string(h.side) + "-made-" + strconv.Itoa(len(h.rows))
		}
		if r == nil || r.gone {
			r = &row{fields: record.Fields{}, mark: op.Link}
			h.rows[id] = r
		}
	case r == nil || r.gone:
		return record.Result{Err: fault.New(fault.Gone, string(h.side), "gone", nil)}
	case len(op.AdapterState) > 0 && string(op.AdapterState) != strconv.Itoa(r.version):
		return record.Result{Err: fault.New(fault.Conflict, string(h.side), "version", nil)}
	}
	after, projections := h.display(op.After)
	changed := op.Changed
	if h.named && !slices.Contains(changed, contact.GivenName) {
		changed = append(slices.Clone(changed), contact.GivenName)
	}
	for _, name := range changed {
		if len(after[name]) == 0 {
			delete(r.fields, name)
		} else {
			r.fields[name] = slices.Clone(after[name])
		}
	}
	if op.Join {
		r.member = true
	}
	if op.Action == record.Unlink {
		r.member = false
	}
	h.written++
	h.touch(r)
	return record.Result{Record: h.record(id), Projections: projections}
}

// display is what the side shows of content.
func (h *half) display(fields record.Fields) (record.Fields, []record.Projection) {
	out, projections := fields.Clone(), []record.Projection(nil)
	if h.named && out.Text(contact.GivenName) == "" {
		out.SetText(contact.GivenName, out.One(contact.Emails).Text)
		projections = append(projections, record.Projection{Field: contact.GivenName, Displayed: out.One(contact.GivenName)})
	}
	if h.narrow == 0 {
		return out, projections
	}
	if job := out.Text(contact.JobTitle); len(job) > h.narrow {
		out.SetText(contact.JobTitle, job[:h.narrow])
		projections = append(projections, record.Projection{
			Field: contact.JobTitle, Canonical: record.Entry{Text: job}, Displayed: out.One(contact.JobTitle),
		})
	}
	for i, e := range out[contact.Addresses] {
		if e.Parts[contact.City] == "" {
			continue
		}
		shown := record.Entry{Kind: e.Kind, Parts: map[string]string{contact.Street: e.Parts[contact.Street] + ", " + e.Parts[contact.City]}}
		out[contact.Addresses][i] = shown
		projections = append(projections, record.Projection{Field: contact.Addresses, Canonical: e, Displayed: shown})
	}
	return out, projections
}

var badRecord = fault.New(fault.BadRecord, "", "refused", nil)

var errDied = fmt.Errorf("the network is down: %w", fault.New(fault.Retry, "", "unreachable", nil))
