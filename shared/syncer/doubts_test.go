package syncer_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// met is a world in which a run has matched those of the given names, each of whom has a job title in Creatio, and undone
// that.
func met(t *testing.T, names ...string) (w *world, run, undo store.Run) {
	t.Helper()
	w = newWorld(t)
	for _, n := range names {
		w.sides[record.Creatio].add(n, n+"@example.com")
		w.sides[record.Google].add(n, n+"@example.com")
		w.setJob(record.Creatio, n, "Pilot")
	}
	run = w.sync()
	if run.Counts.Matched != len(names) {
		t.Fatalf("the first run counts %+v", run.Counts)
	}
	undo = w.undo(run)
	return w, run, undo
}

// say is the user who says of two records by name what they are.
func (w *world) say(name string, same bool) {
	w.t.Helper()
	w.sayOf(w.sides[record.Creatio].id(name), w.sides[record.Google].id(name), same)
}

func (w *world) sayOf(creatioID, googleID string, same bool) {
	w.t.Helper()
	v := store.Verdict{CreatioID: creatioID, GoogleID: googleID, Same: same, At: w.now()}
	err := w.user.UpdateSync(context.Background(), record.Contacts, func(d *store.Sync) error {
		d.Verdicts = append(d.Verdicts, v)
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// doubts are the open doubts by the names of the records.
func (w *world) doubts() string {
	w.t.Helper()
	var out []string
	for p, err := range w.user.Pairs(context.Background(), record.Contacts) {
		if err != nil {
			w.t.Fatal(err)
		}
		if p.State == store.StateDoubt && !p.Silent {
			out = append(out, p.Names[record.Creatio]+"="+p.Names[record.Google])
		}
	}
	slices.Sort(out)
	if n := w.kept().Pairs.Doubts; n != len(out) {
		w.t.Fatalf("%d doubts are counted, there are %q", n, out)
	}
	return fmt.Sprint(out)
}

func (w *world) links() (n int) {
	for l, err := range w.user.Links(context.Background(), record.Contacts) {
		if err != nil {
			w.t.Fatal(err)
		}
		if l.CreatioID != "" && l.GoogleID != "" {
			n++
		}
	}
	return n
}

// people counts the records of both sides that are there.
func (w *world) people() string {
	n := map[record.Side]int{}
	for s, h := range w.sides {
		for _, r := range h.rows {
			if !r.gone {
				n[s]++
			}
		}
	}
	return fmt.Sprintf("%d and %d", n[record.Creatio], n[record.Google])
}

func wantPeople(t *testing.T, w *world, want string) {
	t.Helper()
	if got := w.people(); got != want {
		t.Errorf("in Creatio and Google there are %s, want %s", got, want)
	}
}

func TestAn_undone_match_stays_an_open_doubt_whatever_happens_to_its_records(t *testing.T) {
	t.Parallel()
	w, _, undo := met(t, "Ada", "Bo")
	if codes(undo) != "Ada doubt, Bo doubt" || undo.Counts.Failed != 0 || w.links() != 0 {
		t.Errorf("the undo tells %q, counts %+v and leaves %d links", codes(undo), undo.Counts, w.links())
	}
	wantJob(t, w, "Ada", "Pilot / ")
	w.silent()
	for _, edit := range []func(){
		func() { w.setJob(record.Creatio, "Ada", "Captain") },
		func() { w.setJob(record.Google, "Ada", "Clerk") },
		func() { w.setJob(record.Google, "Bo", "Cook"); w.sides[record.Creatio].forgetful = true },
	} {
		edit()
		w.silent()
	}
	w.sides[record.Google].forgetful = true
	w.pass(48 * time.Hour)
	w.silent()
	wantJob(t, w, "Ada", "Captain / Clerk")
	wantPeople(t, w, "2 and 2")
	if d := w.kept(); w.doubts() != "[Ada=Ada Bo=Bo]" || d.Status != "ok" || d.Failing != 0 || d.Members != 0 || w.links() != 0 {
		t.Errorf("open are %s; the state is %+v", w.doubts(), d)
	}
}

func TestA_first_run_of_many_matches_undone_doubles_nobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.engine.Chunk = 200
	for _, h := range w.sides {
		h.many(500)
	}
	for i := range 500 {
		w.setJob(record.Google, fmt.Sprintf("N%d", i), "Pilot")
	}
	r := w.sync()
	w.undo(r)
	for range 3 {
		w.pass(25 * time.Hour)
		w.silent()
	}
	wantPeople(t, w, "500 and 500")
	if d := w.kept(); d.Pairs != (store.PairCounts{Known: 500, Doubts: 500}) {
		t.Errorf("the state is %+v", d)
	}
}

func TestThe_same_person_is_linked_and_synchronized_from_then_on(t *testing.T) {
	t.Parallel()
	for _, away := range []bool{false, true} {
		w, _, _ := met(t, "Ada")
		if away {
			// Nothing that they show tells any more that they are one, and only one of them is in scope.
			g := w.sides[record.Google]
			g.edit(g.id("Ada"), func(r *row) { delete(r.fields, contact.Emails); r.member = false })
			w.silent()
		}
		w.say("Ada", true)
		r := w.sync()
		if r.Counts.Matched != 1 || r.Changes[0].Fields[0].Rule != "user" || w.doubts() != "[]" || w.links() != 1 {
			t.Errorf("away %t: history says %+v, open are %s", away, r.Changes, w.doubts())
		}
		w.agree()
		wantPeople(t, w, "1 and 1")
		w.setJob(record.Google, "Ada", "Captain")
		w.sync()
		wantJob(t, w, "Ada", "Captain / Captain")
		w.silent()
		if d := w.kept(); d.Pairs.Known != 0 || len(d.Verdicts) > 0 {
			t.Errorf("away %t: kept is %+v", away, d)
		}
	}
}

func TestTwo_people_get_a_copy_each_and_are_never_matched_again(t *testing.T) {
	t.Parallel()
	w, run, undo := met(t, "Ada")
	w.say("Ada", false)
	r := w.sync()
	if r.Counts.Creatio.Created != 1 || r.Counts.Google.Created != 1 || r.Counts.Matched != 0 || w.doubts() != "[]" {
		t.Errorf("history says %+v, open are %s", r.Changes, w.doubts())
	}
	wantPeople(t, w, "2 and 2")
	w.agree()
	w.silent()
	for _, h := range w.sides {
		h.forgetful = true
	}
	w.pass(48 * time.Hour)
	w.silent()
	wantPeople(t, w, "2 and 2")
	// What was undone, or was done before, is not of the links that these have now.
	for _, was := range []store.Run{run, undo} {
		writes := w.writes()
		if u := w.undo(was); w.writes() != writes || codes(u) != "Ada away-since" {
			t.Errorf("an undo of what was before changed %+v and tells %q", u.Changes, codes(u))
		}
	}
	w.silent()
	if w.links() != 2 {
		t.Errorf("there are %d links", w.links())
	}
}

func TestTwo_people_find_their_right_counterparts(t *testing.T) {
	t.Parallel()
	w, _, _ := met(t, "Ada")
	g := w.sides[record.Google]
	second := g.add("Ada", "Ada@example.com")
	first := "google0"
	out, _ := w.run(syncer.TriggerSchedule)
	if out.Status != syncer.Done || w.links() != 0 || w.doubts() != "[Ada=Ada Ada=Ada]" {
		t.Fatalf("who fits a contact in doubt is not left alone: %+v, in doubt are %s", out, w.doubts())
	}
	w.sayOf(w.sides[record.Creatio].id("Ada"), first, false)
	w.pass(time.Hour)
	w.sync()
	w.silent()
	links := map[string]string{}
	for l, err := range w.user.Links(t.Context(), record.Contacts) {
		must(t, err)
		links[l.GoogleID] = l.CreatioID
	}
	if links[second] != "creatio0" || links[first] == "creatio0" || len(links) != 2 {
		t.Errorf("the links are %v", links)
	}
	wantPeople(t, w, "2 and 2")
}

// Both have a link, by which one was made from the other, or found to be the same.
func TestA_wrong_pair_is_separated_without_a_loss(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(*world){
		"matched": func(w *world) {
			w.sides[record.Creatio].add("Ada", "a@x.y")
			w.sides[record.Google].add("Ada", "a@x.y")
		},
		"made in Google":  func(w *world) { w.sides[record.Creatio].add("Ada", "a@x.y") },
		"made in Creatio": func(w *world) { w.sides[record.Google].add("Ada", "a@x.y") },
	} {
		w := newWorld(t)
		begin(w)
		first := w.sync()
		w.silent()
		w.say("Ada", false)
		_, preview := w.run(syncer.TriggerPreview)
		if w.links() != 1 || len(preview.Changes) != 3 {
			t.Errorf("%s: the preview tells %+v", name, preview.Changes)
		}
		r := w.sync()
		if r.Counts.Creatio.Created != 1 || r.Counts.Google.Created != 1 || w.links() != 2 {
			t.Errorf("%s: history says %+v", name, r.Changes)
		}
		if c := r.Changes[0]; c.Action != "match" || c.Fields[0].Before != "Ada" || c.Fields[0].After != "" || c.Fields[0].Rule != "user" {
			t.Errorf("%s: history begins with %+v", name, c)
		}
		w.agree()
		wantPeople(t, w, "2 and 2")
		if d := w.kept(); d.Members != 2 || d.Pairs != (store.PairCounts{Known: 1}) {
			t.Errorf("%s: the state is %+v", name, d)
		}
		for _, h := range w.sides {
			h.forgetful = true
		}
		w.silent()
		w.undo(first)
		if u := w.undo(r); codes(u) != "Ada said-different" {
			t.Errorf("%s: undoing that tells %q", name, codes(u))
		}
		w.silent()
	}
}

// The record that was separated carries the mark of the link that it was made for. It is not the creation whose answer was lost.
func TestA_separated_copy_is_not_taken_for_a_creation_whose_answer_was_lost(t *testing.T) {
	t.Parallel()
	w := team(t, "Ada")
	g := w.sides[record.Google]
	separated := g.id("Ada")
	g.edit(separated, func(r *row) { r.member = false })
	w.sayOf(w.sides[record.Creatio].id("Ada"), separated, false)
	w.after = func(call string) error {
		if call != "google apply" {
			return nil
		}
		for id, r := range g.rows {
			r.unseen = id != separated
		}
		return errDied
	}
	w.run(syncer.TriggerSchedule)
	w.after = nil
	w.run(syncer.TriggerSchedule)
	if g.rows[separated].member || w.links() != 0 {
		t.Errorf("google has %q, there are %d links", g.scope(), w.links())
	}
	for _, r := range g.rows {
		r.unseen = false
	}
	w.pass(time.Hour)
	w.sync()
	w.agree()
	wantPeople(t, w, "1 and 2")
	w.silent()
}

func TestPeople_who_were_matched_wrongly_are_never_merged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, g := w.sides[record.Creatio], w.sides[record.Google]
	anna, bert := c.add("Anna", "meyer@example.com"), g.add("Anna", "meyer@example.com")
	w.undo(w.sync())
	c.edit(anna, func(r *row) { r.member = false })
	w.sync()
	g.edit(bert, func(r *row) {
		r.fields.SetText(contact.GivenName, "Bert")
		r.fields[contact.Emails] = []record.Entry{{Kind: "work", Text: "bert@example.com"}}
	})
	w.silent()
	c.edit(anna, func(r *row) { r.member = true })
	w.silent()
	if w.doubts() != "[Anna=Bert]" {
		t.Errorf("open are %s", w.doubts())
	}
	w.sayOf(anna, bert, false)
	w.sync()
	w.agree()
	wantPeople(t, w, "2 and 2")
	w.silent()
}

func TestA_doubt_ends_with_one_of_its_records(t *testing.T) {
	t.Parallel()
	for _, side := range record.Sides {
		for _, quietly := range []bool{false, true} {
			w, _, _ := met(t, "Ada")
			h := w.sides[side]
			id := h.id("Ada")
			if quietly {
				// Outside of the scope nobody tells that it goes.
				h.edit(id, func(r *row) { r.member = false })
				w.silent()
				h.rows[id].gone = true
				w.silent()
				w.pass(25 * time.Hour)
			} else {
				h.edit(id, func(r *row) { r.gone = true })
			}
			r := w.sync()
			if w.doubts() != "[]" || w.people() != "1 and 1" || len(r.Changes) != 1 || r.Changes[0].Action != "create" {
				t.Errorf("gone in %s, quietly %t: open are %s, history says %+v", side, quietly, w.doubts(), r.Changes)
			}
			w.agree()
			w.silent()
		}
	}
}

// The link with the copy has the id that the link of the match had.
func TestWhat_was_matched_before_is_not_undone_with_another_counterpart(t *testing.T) {
	t.Parallel()
	w, run, _ := met(t, "Ada")
	g := w.sides[record.Google]
	g.edit(g.id("Ada"), func(r *row) { r.gone = true })
	w.sync()
	w.silent()
	if u := w.undo(run); codes(u) != "Ada away-since" || w.links() != 1 || w.doubts() != "[]" {
		t.Errorf("the undo tells %q, %d links are left, open are %s", codes(u), w.links(), w.doubts())
	}
	w.silent()
}

func TestA_doubt_of_two_that_are_out_of_scope_is_remembered_and_asks_nobody(t *testing.T) {
	t.Parallel()
	w, _, _ := met(t, "Ada")
	ids := map[record.Side]string{}
	for s, h := range w.sides {
		ids[s] = h.id("Ada")
		h.edit(ids[s], func(r *row) { r.member = false })
	}
	w.silent()
	if w.doubts() != "[]" || w.kept().Pairs.Known != 1 {
		t.Errorf("open are %s of %+v", w.doubts(), w.kept().Pairs)
	}
	w.silent()
	for s, h := range w.sides {
		h.edit(ids[s], func(r *row) { r.member = true })
		w.silent()
		if w.doubts() != "[Ada=Ada]" {
			t.Errorf("back in %s: open are %s", s, w.doubts())
		}
	}
	wantPeople(t, w, "1 and 1")
}

func TestA_doubt_outlives_another_id_of_its_record(t *testing.T) {
	t.Parallel()
	w, _, undo := met(t, "Ada")
	g := w.sides[record.Google]
	id := g.id("Ada")
	g.rows["google-new"] = g.rows[id]
	delete(g.rows, id)
	g.edit("google-new", func(r *row) { r.former = []string{id} })
	w.silent()
	w.setJob(record.Google, "Ada", "Clerk")
	w.silent()
	if w.doubts() != "[Ada=Ada]" {
		t.Errorf("open are %s", w.doubts())
	}
	w.undo(undo)
	if w.doubts() != "[]" || w.links() != 1 {
		t.Errorf("the undo was undone: open are %s", w.doubts())
	}
	w.sync()
	w.agree()
	w.silent()
}

func TestWhat_the_user_says_while_a_run_goes_is_followed_by_the_next(t *testing.T) {
	t.Parallel()
	for _, same := range []bool{false, true} {
		w, _, _ := met(t, "Ada", "Bo")
		w.say("Bo", same)
		w.before = func(call string) error {
			if call == "google plan" {
				w.before = nil
				w.say("Ada", same)
			}
			return nil
		}
		w.sync()
		if w.doubts() != "[Ada=Ada]" {
			t.Errorf("same %t: open are %s", same, w.doubts())
		}
		w.sync()
		want := map[bool]string{true: "2 and 2", false: "4 and 4"}[same]
		if w.doubts() != "[]" || w.people() != want || len(w.kept().Verdicts) > 0 {
			t.Errorf("same %t: open are %s, there are %s", same, w.doubts(), w.people())
		}
		w.agree()
		w.silent()
	}
}

func TestThe_later_word_counts(t *testing.T) {
	t.Parallel()
	w, _, _ := met(t, "Ada")
	w.say("Ada", false)
	w.say("Ada", true)
	w.sync()
	w.agree()
	wantPeople(t, w, "1 and 1")
	w.silent()
}

// The process of the run that follows the user's word is killed at every call.
func TestA_word_is_followed_although_the_run_is_killed_anywhere(t *testing.T) {
	t.Parallel()
	for name, scene := range map[string]func() (*world, string){
		"same":      func() (*world, string) { w, _, _ := met(t, "Ada", "Bo"); w.say("Ada", true); return w, "2 and 2" },
		"different": func() (*world, string) { w, _, _ := met(t, "Ada", "Bo"); w.say("Ada", false); return w, "3 and 3" },
		"separated": func() (*world, string) { w := team(t, "Ada", "Bo"); w.say("Ada", false); return w, "3 and 3" },
	} {
		for _, late := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, late %t", name, late), func(t *testing.T) {
				t.Parallel()
				for n := 1; ; n++ {
					w, want := scene()
					k := &killed{User: w.user, n: n, late: late}
					w.before, w.after = k.before, k.after
					_, _ = w.engine.Run(context.Background(), k, syncer.Request{Type: record.Contacts, Trigger: syncer.TriggerSchedule})
					w.before, w.after = nil, nil
					if !k.dead {
						break
					}
					w.pass(time.Hour)
					w.sync()
					w.silent()
					if got := w.people(); got != want {
						t.Errorf("killed at call %d: there are %s, want %s", n, got, want)
					}
					if open := w.doubts(); name != "separated" && open != "[Bo=Bo]" {
						t.Errorf("killed at call %d: open are %s", n, open)
					}
					if name == "separated" {
						w.agree()
					}
				}
			})
		}
	}
}

func TestOpen_doubts_cost_an_idle_run_nothing(t *testing.T) {
	t.Parallel()
	w, reads, writes := metered(t, 3)
	idle := spent(t, w, reads, writes)
	for _, h := range w.sides {
		for i := range 10 {
			h.add(fmt.Sprintf("M%d", i), fmt.Sprintf("m%d@example.com", i))
		}
	}
	w.undo(w.sync())
	w.silent()
	if got := spent(t, w, reads, writes); got != idle {
		t.Errorf("with open doubts an idle run costs %v reads and writes, without %v", got, idle)
	}
}

// Two halves that each waited for the user become one link: nothing of them is left to do.
func TestA_link_that_takes_another_over_leaves_nothing_that_failed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, g := w.sides[record.Creatio], w.sides[record.Google]
	c.add("Ada", "family@example.com")
	g.add("Ada", "family@example.com")
	second := g.add("Ada", "family@example.com")
	w.run(syncer.TriggerSchedule)
	g.edit(second, func(r *row) { r.gone = true })
	if out, r := w.run(syncer.TriggerUser); out.Status != syncer.Done || w.kept().Status != "ok" {
		t.Errorf("ended %+v with %+v", out, r.Problems)
	}
	w.agree()
	w.silent()
}
