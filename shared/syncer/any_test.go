package syncer_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
	_ "github.com/tandem-sync/tandem/shared/sandbox/seed"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// Every call of a run fails once, before and after it took effect; the runs after it come to the same end as without.
func TestInterrupted_anywhere_the_next_runs_come_to_the_same_end(t *testing.T) {
	t.Parallel()
	for _, late := range []bool{false, true} {
		for n := 1; ; n++ {
			w := newWorld(t)
			scene(w)
			calls := failing(w, n, late)
			w.run(syncer.TriggerSchedule)
			if *calls < n {
				break
			}
			w.before, w.after = nil, nil
			t.Logf("call %d fails, late %v", n, late)
			settle(w)
		}
	}
}

// scene is a world in which a run has something of everything to do.
func scene(w *world) {
	c, g := w.sides[record.Creatio], w.sides[record.Google]
	for i := range 12 {
		c.add(fmt.Sprintf("C%d", i), fmt.Sprintf("c%d@example.com", i))
	}
	g.add("G0", "c0@example.com")
	g.edit(g.id("G0"), func(r *row) { r.fields.SetText(contact.GivenName, "C0") })
	w.sync()
	for i := range 4 {
		g.add(fmt.Sprintf("G%d", i), fmt.Sprintf("g%d@example.com", i))
		c.add(fmt.Sprintf("D%d", i), fmt.Sprintf("d%d@example.com", i))
	}
	c.edit(c.id("C1"), func(r *row) { r.fields.SetText(contact.JobTitle, "Pilot") })
	g.edit(g.id("C1"), func(r *row) { r.fields.SetText(contact.Department, "Air") })
	c.edit(c.id("C2"), func(r *row) { r.member = false })
	g.edit(g.id("C3"), func(r *row) { r.gone = true })
}

// settle lets the world come to rest and looks at it.
func settle(w *world) {
	w.t.Helper()
	for range 4 {
		w.pass(time.Hour)
		w.run(syncer.TriggerSchedule)
	}
	w.agree()
	for l, err := range w.user.Links(context.Background(), record.Contacts) {
		if err != nil || l.Unfinished() {
			w.t.Fatalf("left unfinished: %+v, %v", l, err)
		}
	}
	for _, h := range w.sides {
		seen := map[string]bool{}
		for _, text := range h.scope() {
			if seen[text] {
				w.t.Fatalf("%s has twice %s", h.side, text)
			}
			seen[text] = true
		}
		if len(seen) != 18 {
			w.t.Fatalf("%s has %d in scope: %q", h.side, len(seen), h.scope())
		}
	}
	w.silent()
}

// People edit on both sides, calls fail, and in the end both sides agree and nobody is there twice.
func TestAny_world_comes_to_rest_in_agreement(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		w.t = rt
		names := 0
		for range rapid.IntRange(1, 5).Draw(rt, "rounds") {
			for range rapid.IntRange(0, 6).Draw(rt, "edits") {
				names++
				act(rt, w, names)
			}
			if n := rapid.IntRange(0, 30).Draw(rt, "fails"); n > 0 {
				w.before = func(string) error {
					if n--; n == 0 {
						return errDied
					}
					return nil
				}
			}
			out, _ := w.run(syncer.TriggerApprove)
			rt.Logf("run ends %s", out.Status)
			w.before = nil
		}
		for range 3 {
			w.pass(time.Hour)
			w.run(syncer.TriggerApprove)
		}
		w.agree()
		w.silent()
	})
}
