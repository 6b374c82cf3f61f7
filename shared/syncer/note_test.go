package syncer_test

import (
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// mutual is a world in which Ada and Bob have the same contact, with the job Clerk.
func mutual(t *testing.T) (ada, bob *world) {
	t.Helper()
	ada = newWorld(t)
	bob = ada.colleague()
	ada.sides[record.Creatio].add("Grace", "grace@example.com")
	ada.setJob(record.Creatio, "Grace", "Clerk")
	for range 2 {
		ada.sync()
		bob.sync()
	}
	ada.pass(time.Hour)
	return ada, bob
}

// A minute passes ahead of each run.
func TestThe_latest_edit_wins_whoever_synchronizes_first(t *testing.T) {
	t.Parallel()
	type person struct {
		w *world
		s record.Side
	}
	for name, row := range map[string]func(w *world, ada, bob, creatio person, edit func(person, string), run func(*world)){
		"the older edit is synchronized first": func(_ *world, ada, bob, _ person, edit func(person, string), run func(*world)) {
			edit(bob, "older")
			edit(ada, "latest")
			run(bob.w)
			run(ada.w)
		},
		"the later edit is synchronized first": func(_ *world, ada, bob, _ person, edit func(person, string), run func(*world)) {
			edit(bob, "older")
			edit(ada, "latest")
			run(ada.w)
			run(bob.w)
		},
		"a person edits in Creatio after the run": func(_ *world, ada, bob, creatio person, edit func(person, string), run func(*world)) {
			edit(bob, "oldest")
			edit(ada, "older")
			run(bob.w)
			edit(creatio, "latest")
			run(ada.w)
		},
		"a person edits in Creatio ahead of the run": func(_ *world, ada, bob, creatio person, edit func(person, string), run func(*world)) {
			edit(bob, "oldest")
			edit(creatio, "older")
			edit(ada, "latest")
			run(bob.w)
			run(ada.w)
		},
		"a number of the other one is synchronized between": func(w *world, ada, bob, _ person, edit func(person, string), run func(*world)) {
			edit(bob, "older")
			run(bob.w)
			w.pass(time.Minute)
			bob.w.sides[bob.s].edit(bob.w.sides[bob.s].id("Grace"), func(r *row) {
				r.fields[contact.Phones] = []record.Entry{{Kind: "work", Text: "+1 202 555 0143"}}
			})
			edit(ada, "latest")
			run(bob.w)
			run(ada.w)
		},
		"nobody heard that the older one was written": func(w *world, ada, bob, _ person, edit func(person, string), run func(*world)) {
			edit(bob, "older")
			edit(ada, "latest")
			failAt(w, "creatio apply", 1)
			bob.w.run(syncer.TriggerSchedule)
			w.after = nil
			run(bob.w)
			run(ada.w)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b := mutual(t)
			edit := func(p person, job string) {
				a.pass(5 * time.Minute)
				p.w.setJob(p.s, "Grace", job)
			}
			run := func(w *world) {
				a.pass(time.Minute)
				w.sync()
			}
			row(a, person{a, record.Google}, person{b, record.Google}, person{a, record.Creatio}, edit, run)
			for range 2 {
				run(a)
				run(b)
			}
			for _, w := range []*world{a, b} {
				wantJob(t, w, "Grace", "latest / latest")
				w.silent()
			}
		})
	}
}

func TestAn_undo_is_an_edit_of_the_time_at_which_it_is_done(t *testing.T) {
	t.Parallel()
	ada, bob := mutual(t)
	ada.setJob(record.Google, "Grace", "wrong")
	ada.pass(time.Minute)
	r := ada.sync()
	bob.sync()
	bob.setJob(record.Google, "Grace", "older")
	ada.pass(time.Hour)
	ada.undo(r)
	ada.pass(time.Minute)
	bob.sync()
	wantJob(t, bob, "Grace", "Clerk / Clerk")
}

// Nobody hears that the undo took effect. The next run of Ada's knows it by what the link notes.
func TestAn_undo_whose_answer_was_lost_is_an_edit_of_the_time_at_which_it_was_done(t *testing.T) {
	t.Parallel()
	for name, next := range map[string]func(ada *world, again func()){
		"a run comes next":           func(ada *world, _ func()) { ada.sync() },
		"the undo is asked for anew": func(_ *world, again func()) { again() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ada, bob := mutual(t)
			ada.setJob(record.Google, "Grace", "wrong")
			ada.pass(time.Minute)
			r := ada.sync()
			bob.sync()
			bob.setJob(record.Google, "Grace", "older")
			ada.pass(time.Hour)
			failAt(ada, "creatio apply", 1)
			request := ada.askUndo(store.Undo{Run: r.ID})
			ada.attempt(t.Context(), request)
			ada.after = nil
			ada.pass(10 * time.Minute)
			next(ada, func() { ada.attempt(t.Context(), request) })
			bob.sync()
			wantJob(t, bob, "Grace", "Clerk / Clerk")
		})
	}
}
