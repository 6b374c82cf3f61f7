package syncer_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// inTime makes an attempt at a run for which there is so much time, by the world's clock, before the margin.
func (w *world) inTime(id string, left time.Duration) (syncer.Outcome, error) {
	w.t.Helper()
	deadline := time.Now().Add(24 * time.Hour)
	w.engine.Margin = time.Hour
	w.mu.Lock()
	w.clock = deadline.Add(-w.engine.Margin - left)
	w.mu.Unlock()
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	return w.engine.Run(ctx, w.user, syncer.Request{Type: record.Contacts, Run: id, Trigger: syncer.TriggerUser})
}

// promise writes down a run that somebody asked for.
func (w *world) promise(t *testing.T) string {
	t.Helper()
	id := syncer.NewRunID(w.now())
	must(t, w.user.PutRun(t.Context(), store.Run{ID: id, Type: record.Contacts, Trigger: syncer.TriggerUser, Status: "queued"}))
	return id
}

// begunInPieces is a world in which a run that was promised has done a part.
func begunInPieces(t *testing.T) (w *world, id string) {
	t.Helper()
	w = newWorld(t)
	w.engine.Chunk = 1
	w.sides[record.Creatio].many(4)
	id = w.promise(t)
	w.after = func(call string) error {
		if call == "google apply" {
			w.pass(time.Second)
		}
		return nil
	}
	out, err := w.inTime(id, 1500*time.Millisecond)
	w.after = nil
	if out.Status != syncer.Continued || err != nil || w.sides[record.Google].written == 4 {
		t.Fatalf("got %+v, %v", out, err)
	}
	return w, id
}

// told is what the history tells of a run.
func (w *world) told(id string) store.Run {
	w.t.Helper()
	run, err := w.user.Run(context.Background(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return run
}

func TestA_run_stops_before_its_time_is_over_and_the_next_one_goes_on(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sides[record.Creatio].many(4)
	out, err := w.inTime("", 10*time.Millisecond)
	if out.Status != syncer.Continued || err != nil {
		t.Fatalf("got %+v, %v", out, err)
	}
	w.sync()
	w.agree()
	w.silent()
}

func TestA_run_whose_process_ends_stops_at_its_next_step_and_gives_its_lease_up(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.engine.Chunk = 1
	w.sides[record.Creatio].many(4)
	ending := false
	w.engine.Ending = func() bool { return ending }
	id := w.promise(t)
	w.after = func(call string) error {
		ending = ending || call == "google apply"
		return nil
	}
	out, err := w.engine.Run(t.Context(), w.user, syncer.Request{Type: record.Contacts, Run: id, Trigger: syncer.TriggerUser})
	if out.Status != syncer.Continued || err != nil || w.sides[record.Google].written != 1 {
		t.Fatalf("got %+v, %v after %d writes", out, err, w.sides[record.Google].written)
	}
	doc, err := w.user.Sync(t.Context(), record.Contacts)
	if err != nil || doc.Lease.Owner != "" {
		t.Errorf("the lease is %+v, %v", doc.Lease, err)
	}
	ending, w.after = false, nil
	w.sync()
	w.agree()
	w.silent()
}

func TestA_first_run_finishes_in_pieces_and_writes_nothing_twice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.engine.Chunk = 50
	const many = 400
	w.sides[record.Creatio].many(many)
	w.after = func(call string) error {
		if call == "google apply" {
			w.pass(100 * time.Millisecond)
		}
		return nil
	}
	pieces := 0
	for status := syncer.Continued; status == syncer.Continued; pieces++ {
		was := w.sides[record.Google].written
		out, _ := w.inTime("", 12*time.Second)
		status = out.Status
		done := w.sides[record.Google].written - was
		if pieces > many/50 || status == syncer.Continued && (done < 50 || done%50 != 0) {
			t.Fatalf("piece %d wrote %d and ended %s", pieces, done, status)
		}
	}
	if got := w.sides[record.Google].written; pieces < 3 || got != many {
		t.Errorf("%d contacts came in %d pieces with %d writes", many, pieces, got)
	}
	w.after = nil
	w.agree()
	w.silent()
}

func TestA_promised_run_that_goes_on_has_not_ended(t *testing.T) {
	t.Parallel()
	w, id := begunInPieces(t)
	run, doc := w.told(id), w.kept()
	if run.Status != "running" || !run.FinishedAt.IsZero() || run.Undoable() || !run.Unfinished() {
		t.Errorf("between its pieces the run is %+v", run)
	}
	if doc.Status != "running" || doc.Failing != 0 || doc.Problem == nil || !doc.LastSync.IsZero() {
		t.Errorf("between its pieces the sync is %+v", doc)
	}
	if out, err := w.inTime(id, time.Hour); out.Status != syncer.Done || err != nil {
		t.Fatalf("the rest ended %+v, %v", out, err)
	}
	run, doc = w.told(id), w.kept()
	if run.Status != "done" || run.Counts.Google.Created != 4 || len(run.Changes) != 4 || doc.Status != "ok" || doc.Problem != nil || doc.Continued != "" {
		t.Errorf("in the end the run is %+v, the sync %+v", run, doc)
	}
	w.agree()
	w.silent()
}

// committed is a user whose process ends right after a commit.
type committed struct {
	store.User
	dead bool
}

func (c *committed) Commit(ctx context.Context, t record.Type, l store.Lease, r store.Run, f func(*store.Sync) error) error {
	err := c.User.Commit(ctx, t, l, r, f)
	c.dead = err == nil
	return err
}

func (c *committed) UpdateRun(ctx context.Context, id string, f func(*store.Run) error) error {
	if c.dead {
		return errDied
	}
	return c.User.UpdateRun(ctx, id, f)
}

func TestA_run_that_was_to_go_on_is_closed_by_another_that_dies_right_after_its_commit(t *testing.T) {
	t.Parallel()
	w, id := begunInPieces(t)
	w.pass(time.Hour)
	if out, err := w.runAs(&committed{User: w.user}); out.Status != syncer.Done {
		t.Fatalf("ended %s: %v", out.Status, err)
	}
	if run := w.told(id); run.Status != "partial" {
		t.Errorf("the run that was to go on is %s", run.Status)
	}
}

func TestA_run_that_was_to_go_on_is_closed_by_another_that_did_the_rest(t *testing.T) {
	t.Parallel()
	w, id := begunInPieces(t)
	w.before = func(call string) error {
		if call == "google scan" {
			return errDied
		}
		return nil
	}
	w.run(syncer.TriggerSchedule)
	if run := w.told(id); run.Status != "running" {
		t.Errorf("after another run that did nothing the run is %s", run.Status)
	}
	w.before = nil
	w.sync()
	run, doc := w.told(id), w.kept()
	if run.Status != "partial" || run.FinishedAt.IsZero() || run.Unfinished() || len(run.Problems) != 1 || run.Problems[0].Code != "overtaken" || doc.Continued != "" {
		t.Errorf("after another run that did the rest it is %+v", run)
	}
	w.agree()
	w.silent()
}

func TestA_run_that_has_no_time_for_anything_failed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sides[record.Creatio].add("Ada", "")
	id := w.promise(t)
	out, err := w.inTime(id, 0)
	if out.Status != syncer.Retry || !fault.Is(err, fault.Retry) {
		t.Errorf("ended %+v, %v", out, err)
	}
	if run, doc := w.told(id), w.kept(); run.Status != "failed" || doc.Status != "failing" || doc.Failing != 1 {
		t.Errorf("the run is %s, the sync %s", run.Status, doc.Status)
	}
}

func TestAn_outcome_tells_what_this_attempt_did_and_how_long_it_was_waited_for(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.engine.Chunk = 1
	w.sides[record.Creatio].many(3)
	promised := w.promise(t)
	failAt(w, "google apply", 2)
	attempt := func() syncer.Outcome {
		w.pass(time.Minute)
		out, _ := w.engine.Run(t.Context(), w.user, syncer.Request{Type: record.Contacts, Run: promised, Trigger: syncer.TriggerUser})
		return out
	}
	first, second := attempt(), attempt()
	kept := w.told(promised)
	if first.Status != syncer.Retry || second.Status != syncer.Done || kept.Counts.Google.Created != 2 {
		t.Fatalf("got %+v, then %+v, which is kept as %+v", first, second, kept.Counts)
	}
	// The one whose answer was lost is found by the second attempt, and not made again.
	if a, b := first.Counts.Google.Created, second.Counts.Google.Created; a != 1 || b != 1 || second.Counts.Matched != 1 {
		t.Errorf("the attempts created %d and %d, want one each", a, b)
	}
	if first.Waited.Truncate(time.Second) != time.Minute || second.Waited.Truncate(time.Second) != 2*time.Minute || !second.LastSync.IsZero() {
		t.Errorf("got %+v, then %+v", first, second)
	}
	if next, _ := w.run(syncer.TriggerSchedule); next.LastSync.IsZero() || next.Counts.Google.Created != 0 {
		t.Errorf("the run after it says %+v", next)
	}
}

// A run that dies cannot say what it did. Its counts are what it had recorded, whether another run takes its place or it goes on itself.
func TestA_run_that_died_counts_what_it_had_recorded(t *testing.T) {
	t.Parallel()
	for _, again := range []bool{false, true} {
		w := newWorld(t)
		w.engine.Chunk = 2
		w.sides[record.Creatio].many(6)
		id, dead, applied := w.promise(t), false, 0
		w.before = func(call string) error {
			if call == "google apply" {
				applied++
				dead = dead || applied > 2
			}
			if dead {
				return errDied
			}
			return nil
		}
		_, _ = w.engine.Run(t.Context(), mortal{w.user, &dead}, syncer.Request{Type: record.Contacts, Run: id, Trigger: syncer.TriggerUser})
		if !dead {
			t.Fatal("the run did not die")
		}
		w.before = nil
		w.pass(2 * time.Minute)
		recorded := len(w.told(id).Changes)
		if recorded < 4 {
			t.Fatalf("%d changes are recorded", recorded)
		}
		if again {
			out, err := w.engine.Run(t.Context(), w.user, syncer.Request{Type: record.Contacts, Run: id, Trigger: syncer.TriggerUser})
			if err != nil || out.Status != syncer.Done {
				t.Fatalf("got %+v, %v", out, err)
			}
		} else {
			w.sync()
		}
		run := w.told(id)
		if got := run.Counts.Google.Created; got != len(run.Changes) || got < recorded {
			t.Errorf("again %t: the run counts %d created, and lists %d", again, got, len(run.Changes))
		}
	}
}

func TestWho_waits_for_a_run_sees_how_far_it_is(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.engine.Chunk = 2
	w.sides[record.Creatio].many(6)
	id := w.promise(t)
	var seen []store.Progress
	w.after = func(call string) error {
		w.pass(2 * time.Second)
		if p := w.told(id).Progress; p != nil && (len(seen) == 0 || seen[len(seen)-1] != *p) {
			seen = append(seen, *p)
		}
		return nil
	}
	out, err := w.engine.Run(t.Context(), w.user, syncer.Request{Type: record.Contacts, Run: id, Trigger: syncer.TriggerUser})
	w.after = nil
	if err != nil || out.Status != syncer.Done {
		t.Fatalf("got %+v, %v", out, err)
	}
	want := []store.Progress{{Phase: "read"}, {Phase: "write", Total: 6}, {Phase: "write", Done: 2, Total: 6}, {Phase: "write", Done: 4, Total: 6}}
	if !slices.Equal(seen, want) {
		t.Errorf("seen was %+v, want %+v", seen, want)
	}
	if p := w.told(id).Progress; p != nil {
		t.Errorf("the run has ended, and is at %+v", p)
	}
}

// Nothing is left out silently: what is too much for a list is counted.
func TestProblems_beyond_the_list_are_counted_with_their_like(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const many = 510
	for i := range many {
		w.sides[record.Creatio].add(fmt.Sprintf("N%d", i), fmt.Sprintf("n%d@example.com", i))
	}
	w.sides[record.Google].refuse = func(record.Operation) error { return fault.New(fault.BadRecord, "google", "bad-record", nil) }
	_, run := w.run(syncer.TriggerSchedule)
	told := 0
	for _, p := range run.Problems {
		told += 1 + p.More
	}
	if len(run.Problems) > 500 || told != many || run.Counts.Failed != many {
		t.Errorf("the run lists %d problems that stand for %d, of %d", len(run.Problems), told, run.Counts.Failed)
	}
}
