package syncer_test

import (
	"testing"

	"github.com/tandem-sync/tandem/shared/record"
)

func (w *visitWorld) want(when, creatio, google string) {
	w.t.Helper()
	if c, g := w.creatio.shows(), w.google.shows(); c != creatio || g != google {
		w.t.Fatalf("%s: creatio has %s, want %s; google has %s, want %s", when, c, creatio, g, google)
	}
	w.silent()
	if c, g := w.creatio.shows(), w.google.shows(); c != creatio || g != google {
		w.t.Fatalf("%s, a run later: creatio has %s, want %s; google has %s, want %s", when, c, creatio, g, google)
	}
}

func TestA_passive_record_begins_no_pair_and_takes_part_in_its_own(t *testing.T) {
	t.Parallel()
	w := newVisitWorld(t, cancelOrDelete)
	w.google.add("Audit", 1)
	w.google.add("Board", 2)
	w.google.edit("Board", func(v *visit) { v.passive = true })
	w.sync()
	w.want("at first", "Audit", "Audit, Board")
	// One that becomes passive goes on in its pair, both ways.
	w.google.edit("Audit", func(v *visit) { v.passive = true; v.fields.SetText("title", "Audit 1") })
	w.sync()
	w.want("after an edit of a passive one", "Audit 1", "Audit 1, Board")
	w.creatio.edit("Audit 1", func(v *visit) { v.fields.SetText("title", "Audit 2") })
	w.sync()
	w.want("after an edit of its counterpart", "Audit 2", "Audit 2, Board")
	w.google.edit("Board", func(v *visit) { v.passive = false })
	w.sync()
	w.want("when it is passive no more", "Audit 2, Board", "Audit 2, Board")
	w.google.edit("Audit 2", func(v *visit) { v.gone = true })
	w.sync()
	w.want("when a passive one is gone", "Audit 2 (cancelled), Board", "Board")
}

func TestWhat_a_person_made_stays_where_its_counterpart_is_withdrawn_and_is_not_taken_over_again(t *testing.T) {
	t.Parallel()
	w := newVisitWorld(t, cancelOrDelete)
	w.google.add("Made by a person", 1)
	w.google.edit("Made by a person", func(v *visit) { v.locked = []string{record.Withdrawal} })
	w.creatio.add("Made by a run", 2)
	w.sync()
	w.want("at first", "Made by a person, Made by a run", "Made by a person, Made by a run")
	hide := func(hidden bool) func(*visit) { return func(v *visit) { v.hidden = hidden } }
	w.creatio.edit("Made by a person", hide(true))
	w.creatio.edit("Made by a run", hide(true))
	w.sync()
	w.want("withdrawn", "Made by a person, Made by a run", "Made by a person")
	w.google.edit("Made by a person", func(v *visit) { v.fields.SetText("title", "Changed by a person") })
	w.sync()
	w.want("edited while withdrawn", "Made by a person, Made by a run", "Changed by a person")
	w.creatio.edit("Made by a person", func(v *visit) { v.hidden = false })
	w.sync()
	w.want("taken in again", "Changed by a person, Made by a run", "Changed by a person")
	w.creatio.edit("Changed by a person", func(v *visit) { v.gone = true })
	w.sync()
	w.want("deleted", "Made by a run", "")
}

func TestWho_removes_a_copy_of_a_meeting_with_others_declines_and_the_last_one_cancels(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		// others take part in Creatio, organizes says that the event is the user's own.
		others, organizes bool
		creatio, answer   string
	}{
		"a guest, others take part":         {true, false, "Board", "declined"},
		"a guest, nobody else takes part":   {false, false, "Board (cancelled)", ""},
		"the organizer, others take part":   {true, true, "Board (cancelled)", ""},
		"the organizer, and nobody besides": {false, true, "Board (cancelled)", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newVisitWorld(t, cancelOrDelete)
			id := w.creatio.add("Board", 1)
			w.google.add("Board", 1)
			w.google.edit("Board", func(v *visit) {
				if v.locked = []string{record.Withdrawal}; !c.organizes {
					v.locked = append(v.locked, record.Removal)
				}
			})
			w.creatio.edit("Board", func(v *visit) {
				if c.others {
					v.locked = []string{record.Others}
				}
			})
			if r := w.sync(); r.Counts.Matched != 1 {
				t.Fatalf("counts are %+v", r.Counts)
			}
			w.silent()
			w.google.edit("Board", func(v *visit) { v.gone = true })
			w.sync()
			w.want("the copy is gone", c.creatio, "")
			if got := w.creatio.visits[id].fields.Text("answer"); got != c.answer {
				t.Errorf("the answer is %q, want %q", got, c.answer)
			}
			w.google.restore()
			w.sync()
			w.want("the copy is back", "Board", "Board")
		})
	}
}

func TestWhat_a_run_made_for_another_user_is_carried_on_by_the_last_one_who_takes_part(t *testing.T) {
	t.Parallel()
	w := newVisitWorld(t, cancelOrDelete)
	w.creatio.add("Board", 1)
	w.google.add("Board", 1)
	// The copy of an event that another user's run made.
	w.google.edit("Board", func(v *visit) { v.locked = []string{record.Removal} })
	w.sync()
	w.silent()
	w.google.edit("Board", func(v *visit) { v.gone = true })
	w.sync()
	w.want("the one who carried it is gone", "Board", "Board")
}

// restore takes everything out of the bin.
func (d *diary) restore() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, v := range d.visits {
		v.gone = false
		d.touch(v)
	}
}
