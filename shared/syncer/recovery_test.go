package syncer_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
)

func TestA_creation_whose_answer_was_lost_is_waited_for_as_long_as_lists_lag(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sides[record.Creatio].add("Ada", "ada@example.com")
	failAt(w, "google apply", 1)
	w.run(syncer.TriggerSchedule)
	g := w.sides[record.Google]
	g.lags = 10 * time.Minute
	g.edit(g.id("Ada"), func(r *row) { r.unseen = true })
	// Lists lag four minutes behind. A person who asks for a run does not make Tandem guess either.
	for minute, trigger := range []string{syncer.TriggerSchedule, syncer.TriggerUser, syncer.TriggerSchedule, syncer.TriggerUser} {
		if out, _ := w.run(trigger); out.Status == syncer.Retry || len(g.rows) != 1 {
			t.Fatalf("after %d minutes: got %+v, google has %d records", minute+1, out, len(g.rows))
		}
	}
	g.edit(g.id("Ada"), func(r *row) { r.unseen = false })
	w.sync()
	if len(g.rows) != 1 {
		t.Errorf("google has %d records", len(g.rows))
	}
	w.agree()
	w.silent()
}

func TestA_creation_that_never_came_is_made_once_lists_would_show_it(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sides[record.Creatio].add("Ada", "ada@example.com")
	g := w.sides[record.Google]
	g.lags = 10 * time.Minute
	failAt(w, "google apply", 1)
	w.run(syncer.TriggerSchedule)
	delete(g.rows, g.id("Ada"))
	w.pass(g.Lag() - 2*time.Minute)
	if w.run(syncer.TriggerUser); len(g.rows) != 0 {
		t.Fatal("made again before lists would show the first one")
	}
	w.pass(time.Minute)
	w.sync()
	if len(g.rows) != 1 {
		t.Errorf("google has %d records", len(g.rows))
	}
	w.agree()
	w.silent()
}

func TestA_value_that_may_have_been_written_over_is_in_the_history(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, g := w.sides[record.Creatio], w.sides[record.Google]
	c.add("Ada", "")
	w.sync()
	c.edit(c.id("Ada"), func(r *row) { r.fields.SetText(contact.JobTitle, "Countess") })
	g.edit(g.id("Ada"), func(r *row) { r.fields.SetText(contact.JobTitle, "Engineer") })
	failAt(w, "creatio apply", 1)
	_, run := w.run(syncer.TriggerSchedule)
	if len(run.Changes) != 1 || run.Changes[0].Fields[0].Before != "Countess" || run.Counts.Creatio.Updated != 0 {
		t.Errorf("the history tells %+v, counts %+v", run.Changes, run.Counts)
	}
	w.sync()
	w.agree()
	w.silent()
}

func TestNobody_leaves_by_a_look_that_is_older_than_what_is_known(t *testing.T) {
	t.Parallel()
	for name, unlisted := range map[string]bool{"with a list": false, "without one, since their number is the same": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c, g := w.sides[record.Creatio], w.sides[record.Google]
			c.add("Ada", "")
			w.sync()
			g.unaware = unlisted
			g.edit(g.id("Ada"), func(r *row) {
				r.behind = true
				r.fields.SetText(contact.JobTitle, "Countess")
			})
			// The look is older than what is known of the record, so it tells nothing.
			g.rows[g.id("Ada")].modified = w.now().Add(-time.Hour)
			w.silent()
			g.edit(g.id("Ada"), func(r *row) { r.behind = false })
			if r := w.sync(); r.Counts.Creatio.Unlinked != 0 || r.Counts.Creatio.Updated != 1 {
				t.Errorf("got %+v", r.Counts)
			}
			w.agree()
			w.silent()
		})
	}
}

func TestOne_who_got_another_id_and_leaves_without_a_trace_is_missed_in_the_list(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, g := w.sides[record.Creatio], w.sides[record.Google]
	c.add("Ada", "")
	c.add("Bo", "")
	w.sync()
	w.silent()
	g.unaware = true
	old := g.id("Ada")
	g.rows["google-new"] = g.rows[old]
	delete(g.rows, old)
	g.edit("google-new", func(r *row) { r.former = []string{old} })
	w.sync()
	g.unaware = false
	g.rows["google-new"].member = false
	w.pass(lag)
	if r := w.sync(); r.Counts.Creatio.Unlinked != 1 {
		t.Errorf("got %+v", r.Counts)
	}
	w.agree()
}

func TestA_run_that_was_cut_off_without_a_word_is_closed_by_the_next(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, _, err := w.user.Acquire(t.Context(), record.Contacts, "lost", w.now(), time.Minute)
	must(t, err)
	must(t, w.user.PutRun(t.Context(), store.Run{ID: "lost", Type: record.Contacts, Status: "running"}))
	w.pass(2 * time.Minute)
	w.sync()
	lost, err := w.user.Run(t.Context(), "lost")
	must(t, err)
	if lost.Status != "failed" || len(lost.Problems) != 1 {
		t.Errorf("got %+v", lost)
	}
}

// A tag that comes off leaves no trace in Creatio, and the set of those under it may be the one of before the run that put
// it on and was cut off.
func TestWhat_a_cut_off_run_moved_and_a_person_moved_back_is_noticed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.engine.Chunk = 1
	creatio, google := w.sides[record.Creatio], w.sides[record.Google]
	creatio.add("Ada", "ada@example.com")
	w.sync()
	google.add("Bo", "bo@example.com")
	google.add("Cy", "cy@example.com")
	failAt(w, "creatio apply", 2)
	if out, _ := w.run(syncer.TriggerSchedule); out.Status != syncer.Retry {
		t.Fatalf("the run ended %+v", out)
	}
	w.after = nil
	for _, r := range creatio.rows {
		if r.fields.Text(contact.GivenName) != "Ada" {
			r.member, r.index = false, 0
		}
	}
	creatio.unaware = true
	w.pass(time.Hour)
	w.sync()
	creatio.unaware = false
	w.silent()
	w.agree()
	// Cy is there, although the run never heard of that, and so came with the tag: somebody took it off.
	if got := len(google.scope()); got != 1 {
		t.Errorf("in Google's group are %q", google.scope())
	}
}

func TestA_bad_record_is_tried_at_growing_distances_of_a_day_at_most_and_others_do_not_wait_for_it(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var tried []time.Time
	w.sides[record.Google].refuse = func(op record.Operation) error {
		if op.After.Text(contact.GivenName) != "Bad" {
			return nil
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		tried = append(tried, w.clock)
		return fault.New(fault.BadRecord, "google", "too-long", nil)
	}
	w.sides[record.Creatio].add("Bad", "")
	const pause = 30 * time.Minute
	for i := range int(6 * 24 * time.Hour / pause) {
		if i%50 == 0 {
			w.sides[record.Creatio].add(fmt.Sprintf("N%d", i), "")
		}
		// The run itself lets a minute pass.
		w.pass(pause - time.Minute)
		if out, r := w.run(syncer.TriggerSchedule); out.Status != syncer.Partial || i%50 == 0 && r.Counts.Google.Created != 1 {
			t.Fatalf("run %d ended %+v with %+v", i, out, r.Counts)
		}
	}
	want := 15 * time.Minute
	for i := 1; i < len(tried); i++ {
		if gap := tried[i].Sub(tried[i-1]); gap < want-time.Minute || gap > want+2*pause {
			t.Errorf("attempt %d came after %v, want about %v", i+1, gap, want)
		}
		want = min(2*want, 24*time.Hour)
	}
	if len(tried) < 10 {
		t.Errorf("it was tried %d times in six days", len(tried))
	}

	// A person who asks does not wait, and the record that was mended goes through.
	before := len(tried)
	w.pass(time.Minute)
	w.run(syncer.TriggerUser)
	if len(tried) != before+1 {
		t.Errorf("a person who asked had it tried %d times", len(tried)-before)
	}
	w.sides[record.Google].refuse = nil
	if out, r := w.run(syncer.TriggerUser); out.Status != syncer.Done || r.Counts.Google.Created != 1 {
		t.Errorf("mended: got %+v with %+v", out, r.Counts)
	}
	w.agree()
	w.silent()
}

func TestWhat_took_effect_is_told_although_the_time_was_over_by_then(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sides[record.Creatio].add("Ada", "ada@example.com")
	ctx, over := context.WithCancel(t.Context())
	defer over()
	w.after = func(call string) error {
		if call == "google apply" {
			over()
		}
		return nil
	}
	out, _ := w.engine.Run(ctx, w.user, syncer.Request{Type: record.Contacts, Trigger: syncer.TriggerSchedule})
	w.after = nil
	r, err := w.user.Run(t.Context(), out.Run)
	must(t, err)
	id := w.sides[record.Google].id("Ada")
	if len(r.Changes) != 1 || r.Changes[0].GoogleID != id || r.Changes[0].Link == "" {
		t.Errorf("the run ended %+v and tells of %+v, want that it made %s", out, r.Changes, id)
	}
	links, err := w.user.LinksBy(t.Context(), record.Contacts, record.Google, []string{id})
	must(t, err)
	if len(links) != 1 || !links[0].Active || links[0].Pending != "" {
		t.Errorf("the links of %s are %+v", id, links)
	}
	w.sync()
	w.agree()
	w.silent()
}
