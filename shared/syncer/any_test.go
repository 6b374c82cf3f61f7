package syncer_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// Every call of a run fails once, before and after it took effect; the runs after it come to the same end as without.
func TestInterrupted_anywhere_the_next_runs_come_to_the_same_end(t *testing.T) {
	t.Parallel()
	for _, late := range []bool{false, true} {
		for n := 1; ; n++ {
			w := newWorld(t)
			scene(w)
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
	g.edit(g.id("G0"), func(r *row) { r.fields.SetText(record.GivenName, "C0") })
	w.sync()
	for i := range 4 {
		g.add(fmt.Sprintf("G%d", i), fmt.Sprintf("g%d@example.com", i))
		c.add(fmt.Sprintf("D%d", i), fmt.Sprintf("d%d@example.com", i))
	}
	c.edit(c.id("C1"), func(r *row) { r.fields.SetText(record.JobTitle, "Pilot") })
	g.edit(g.id("C1"), func(r *row) { r.fields.SetText(record.Department, "Air") })
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
		log := func(f string, a ...any) { rt.Logf(f, a...) }
		names := 0
		for range rapid.IntRange(1, 5).Draw(rt, "rounds") {
			for range rapid.IntRange(0, 6).Draw(rt, "edits") {
				h := w.sides[rapid.SampledFrom(record.Sides[:]).Draw(rt, "side")]
				var ids []string
				for _, id := range slices.Sorted(maps.Keys(h.rows)) {
					if !h.rows[id].gone {
						ids = append(ids, id)
					}
				}
				kind := rapid.IntRange(0, 5).Draw(rt, "kind")
				if len(ids) == 0 || kind == 0 {
					names++
					log("%s adds P%d", h.side, names)
					h.add(fmt.Sprintf("P%d", names), fmt.Sprintf("p%d@example.com", names))
					continue
				}
				id := ids[rapid.IntRange(0, len(ids)-1).Draw(rt, "id")]
				names++
				log("%s edits %s, kind %d", h.side, id, kind)
				h.edit(id, func(r *row) {
					switch kind {
					case 1:
						r.member = !r.member
					case 2:
						r.fields[record.Phones] = append(r.fields[record.Phones], record.Entry{Kind: "work", Text: fmt.Sprintf("+1 202 555 %04d", names)})
					case 3:
						r.fields[record.Phones] = nil
					default:
						r.fields.SetText(record.JobTitle, fmt.Sprint("job", names))
					}
				})
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
			log("run ends %s", out.Status)
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
