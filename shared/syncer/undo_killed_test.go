package syncer_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// killed is a user whose run dies at its n-th call of all, of a side or of a write to the store: before that takes effect, or
// after it. From then on nothing takes effect any more.
type killed struct {
	store.User
	n    int
	late bool

	mu    sync.Mutex
	calls int
	dead  bool
}

func (k *killed) before(string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.calls++
	k.dead = k.dead || k.calls == k.n && !k.late
	return k.died()
}

func (k *killed) after(string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.dead = k.dead || k.calls >= k.n
	return k.died()
}

func (k *killed) died() error {
	if k.dead {
		return errDied
	}
	return nil
}

func (k *killed) call(do func() error) error {
	if err := k.before(""); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	return k.after("")
}

func (k *killed) PutBatch(ctx context.Context, t record.Type, l store.Lease, now time.Time, b store.Batch) (refused []store.Claim, err error) {
	err = k.call(func() (err error) {
		refused, err = k.User.PutBatch(ctx, t, l, now, b)
		return err
	})
	return refused, err
}

func (k *killed) AddChanges(ctx context.Context, run string, seq int, changes []store.Change) error {
	return k.call(func() error { return k.User.AddChanges(ctx, run, seq, changes) })
}

func (k *killed) UpdateRun(ctx context.Context, id string, f func(*store.Run) error) error {
	return k.call(func() error { return k.User.UpdateRun(ctx, id, f) })
}

func (k *killed) UpdateSync(ctx context.Context, t record.Type, f func(*store.Sync) error) error {
	return k.call(func() error { return k.User.UpdateSync(ctx, t, f) })
}

func (k *killed) PutBlob(ctx context.Context, t record.Type, l store.Lease, name string, data []byte) error {
	return k.call(func() error { return k.User.PutBlob(ctx, t, l, name, data) })
}

func (k *killed) Commit(ctx context.Context, t record.Type, l store.Lease, r store.Run, f func(*store.Sync) error) error {
	return k.call(func() error { return k.User.Commit(ctx, t, l, r, f) })
}

func (k *killed) Release(ctx context.Context, t record.Type, l store.Lease) error {
	if k.dead {
		return errDied
	}
	return k.User.Release(ctx, t, l)
}

// kill makes an attempt at a promised undo that dies at its n-th call; false where it has fewer.
func (w *world) kill(id string, n int, late bool) bool {
	k := &killed{User: w.user, n: n, late: late}
	w.before, w.after = k.before, k.after
	_, _ = w.engine.Run(context.Background(), k, syncer.Request{Type: record.Contacts, Run: id, Trigger: syncer.TriggerUndo})
	w.before, w.after = nil, nil
	w.pass(2 * time.Minute)
	return k.dead
}

// The process of an undo is killed at every call, and the undo is asked for again: as the same run or as another one, at once
// or after a scheduled run.
func TestAn_undo_that_was_killed_anywhere_comes_to_the_same_end(t *testing.T) {
	t.Parallel()
	open := map[string]string{"a run": "[Both=Both Met=Met]", "an undo": "[]"}
	for name, scene := range map[string]func(*world) (run store.Run, want string){
		"a run": undoScene,
		"an undo": func(w *world) (store.Run, string) {
			r, _ := undoScene(w)
			want := w.contents()
			return w.undo(r), want
		},
	} {
		for _, late := range []bool{false, true} {
			for _, between := range []bool{false, true} {
				for _, another := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s, late %t, a run between %t, another undo %t", name, late, between, another), func(t *testing.T) {
						t.Parallel()
						for n := 1; ; n++ {
							w := newWorld(t)
							r, want := scene(w)
							people := len(w.sides[record.Creatio].rows) + len(w.sides[record.Google].rows)
							id := w.askUndo(store.Undo{Run: r.ID})
							if !w.kill(id, n, late) {
								break
							}
							if between {
								w.pass(time.Hour)
								w.run(syncer.TriggerSchedule)
							}
							if another {
								id = w.askUndo(store.Undo{Run: r.ID})
							}
							w.pass(time.Hour)
							if out, u := w.attempt(t.Context(), id); out.Status != syncer.Done || len(u.Problems) > 0 && codes(u) != openDoubts {
								t.Errorf("killed at call %d: ended %+v %+v", n, out, u.Problems)
							}
							if got := w.contents(); got != want {
								t.Errorf("killed at call %d:\ngot  %s\nwant %s", n, got, want)
							}
							w.pass(time.Hour)
							w.sync()
							w.silent()
							if got := w.contents(); got != want {
								t.Errorf("killed at call %d, and the next run:\ngot  %s\nwant %s", n, got, want)
							}
							if got := w.doubts(); got != open[name] {
								t.Errorf("killed at call %d: open are %s, want %s", n, got, open[name])
							}
							if is := len(w.sides[record.Creatio].rows) + len(w.sides[record.Google].rows); is != people {
								t.Errorf("killed at call %d: there are %d records, not %d", n, is, people)
							}
						}
					})
				}
			}
		}
	}
}

// openDoubts are what the undo of undoScene says of those who were matched.
const openDoubts = "Both doubt, Met doubt"

func TestWhat_a_killed_run_wrote_can_be_undone(t *testing.T) {
	t.Parallel()
	for _, between := range []bool{false, true} {
		w := team(t, "Ada", "Bo")
		w.setJob(record.Google, "Ada", "Pilot")
		w.dieAfterWrite(record.Creatio)
		runs, err := w.user.Runs(t.Context(), record.Contacts, 1, "")
		must(t, err)
		w.pass(lag)
		if between {
			w.sync()
		}
		w.undo(runs[0])
		wantJob(t, w, "Ada", "Clerk / Clerk")
		w.sync()
		wantJob(t, w, "Ada", "Clerk / Clerk")
		w.silent()
	}
}

func TestA_match_is_told_once_although_a_record_changes_while_it_is_written(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, g := w.sides[record.Creatio], w.sides[record.Google]
	c.add("Ada", "ada@example.com")
	g.add("Ada", "ada@example.com")
	w.setJob(record.Google, "Ada", "Pilot")
	w.before = func(call string) error {
		if call == "creatio apply" {
			w.before = nil
			w.setJob(record.Creatio, "Ada", "Captain")
		}
		return nil
	}
	r := w.sync()
	matches := 0
	for _, change := range r.Changes {
		if change.Action == "match" && change.Link != "" {
			matches++
		}
	}
	if matches != 1 || r.Counts.Matched != 1 {
		t.Errorf("the history tells %+v", r.Changes)
	}
}

func TestA_doubt_names_its_records_as_they_are_wherever_the_undo_was_killed(t *testing.T) {
	t.Parallel()
	for n := 1; ; n++ {
		w := newWorld(t)
		w.sides[record.Creatio].add("Anna Meyer", "meyer@example.com")
		w.sides[record.Google].add("Bert Meyer", "meyer@example.com")
		r := w.sync()
		id := w.askUndo(store.Undo{Run: r.ID})
		if !w.kill(id, n, true) {
			break
		}
		w.pass(time.Hour)
		w.attempt(t.Context(), id)
		if got := w.doubts(); got != "[Anna Meyer=Bert Meyer]" {
			t.Errorf("killed at call %d: open are %s", n, got)
		}
	}
}
