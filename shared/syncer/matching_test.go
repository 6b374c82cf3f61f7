package syncer_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/bolt"
	"github.com/tandem-sync/tandem/shared/syncer"
)

func TestA_first_run_pairs_what_is_on_both_sides_and_creates_the_rest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, g := w.sides[record.Creatio], w.sides[record.Google]
	c.add("Ada", "ada@example.com")
	c.add("Bo", "bo@example.com")
	g.add("Ada", "ADA@example.com")
	g.add("Cy", "cy@example.com")
	r := w.sync()
	if r.Counts.Matched != 1 || r.Counts.Google.Created != 1 || r.Counts.Creatio.Created != 1 {
		t.Errorf("got counts %+v", r.Counts)
	}
	if n := len(c.scope()); n != 3 || len(g.scope()) != 3 {
		t.Errorf("got %q and %q", c.scope(), g.scope())
	}
	w.silent()
}

func TestWho_fits_two_records_is_linked_to_none_and_reported(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c, g := w.sides[record.Creatio], w.sides[record.Google]
	c.add("Ada", "family@example.com")
	g.add("Ada", "family@example.com")
	second := g.add("Ada", "family@example.com")
	out, r := w.run(syncer.TriggerSchedule)
	if out.Status != syncer.Done || w.writes() != 0 || codes(r) != "Ada doubt, Ada doubt" || w.doubts() != "[Ada=Ada Ada=Ada]" {
		t.Fatalf("got %+v, %d writes, problems %+v", out, w.writes(), r.Problems)
	}
	g.edit(second, func(r *row) {
		r.fields[contact.Emails] = []record.Entry{{Kind: "work", Text: "other@example.com"}}
		r.fields.SetText(contact.GivenName, "Bo")
	})
	w.run(syncer.TriggerUser)
	w.agree()
	if len(c.rows) != 2 || len(g.rows) != 2 {
		t.Errorf("creatio has %d records, google %d", len(c.rows), len(g.rows))
	}
	w.silent()
}

func TestA_record_that_is_tied_to_another_is_nobody_elses_counterpart(t *testing.T) {
	t.Parallel()
	for _, side := range record.Sides {
		w := newWorld(t)
		w.sides[record.Creatio].add("Ada", "family@example.com")
		w.sync()
		w.silent()
		first := w.sides[side.Other()].id("Ada")
		// The same person once more, as somebody might enter them; the first pair has no part in the run.
		w.sides[side].add("Ada", "family@example.com")
		w.sync()
		if n := len(w.sides[side.Other()].scope()); n != 2 {
			t.Errorf("after a second one in %s the other side has %d in scope, want one for each", side, n)
		}
		links, err := w.user.LinksBy(t.Context(), record.Contacts, side.Other(), []string{first})
		must(t, err)
		if len(links) != 1 {
			t.Errorf("after a second one in %s the first one's counterpart has %d links", side, len(links))
		}
		w.agree()
		w.silent()
	}
}

func TestRecords_that_were_made_from_each_other_find_each_other_again_when_all_links_are_lost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sides[record.Creatio].add("Ada", "")
	w.sides[record.Google].add("Grace", "")
	w.sync()
	w.agree()
	other, err := bolt.Open(filepath.Join(t.TempDir(), "empty.db"))
	must(t, err)
	t.Cleanup(func() { _ = other.Close() })
	w.move(other)
	r := w.sync()
	if r.Counts.Matched != 2 || r.Counts.Creatio.Created+r.Counts.Google.Created != 0 {
		t.Errorf("after the loss: got %+v", r.Counts)
	}
	w.agree()
	w.silent()
}

func TestOf_two_records_that_were_merged_only_one_stays_in_scope(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sides[record.Creatio].add("Ada", "ada@example.com")
	w.sides[record.Creatio].add("Augusta", "augusta@example.com")
	w.sync()
	google := w.sides[record.Google]
	into, from := google.id("Ada"), google.id("Augusta")
	google.edit(from, func(r *row) { r.gone = true })
	google.edit(into, func(r *row) { r.former = append(r.former, from) })
	r := w.sync()
	if r.Counts.Creatio.Unlinked != 1 || r.Counts.Creatio.Created+r.Counts.Google.Created != 0 {
		t.Errorf("got %+v", r.Counts)
	}
	w.agree()
	w.silent()
	w.sides[record.Creatio].edit(w.sides[record.Creatio].id("Augusta"), func(r *row) { r.member = true })
	if r := w.sync(); r.Counts.Google.Created != 1 {
		t.Errorf("in scope again: got %+v", r.Counts)
	}
	w.agree()
	w.silent()
}

func TestOf_a_record_that_fits_many_a_few_are_asked_about_at_a_time(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sides[record.Creatio].add("Ada", "office@example.com")
	g := w.sides[record.Google]
	for i := range 30 {
		g.add(fmt.Sprintf("Bo%02d", i), "office@example.com")
	}
	w.sync()
	asked := func() (out []store.Pair) {
		for p, err := range w.user.Pairs(t.Context(), record.Contacts) {
			must(t, err)
			if p.State == store.StateDoubt {
				out = append(out, p)
			}
		}
		return out
	}
	first := asked()
	if len(first) == 0 || len(first) > 30*5 {
		t.Fatalf("the user is asked about %d pairs", len(first))
	}
	// What is asked stays what it is until the user has said something.
	w.pass(48 * time.Hour)
	w.silent()
	if got := asked(); !slices.Equal(ids(got), ids(first)) {
		t.Errorf("later the user is asked about %q, and not %q", ids(got), ids(first))
	}
	for len(asked()) > 0 {
		w.sayOf(asked()[0].CreatioID, asked()[0].GoogleID, false)
		w.sync()
	}
	w.agree()
	if len(w.sides[record.Creatio].rows) != 31 || len(g.rows) != 31 {
		t.Errorf("after everything was said creatio has %d records and google %d", len(w.sides[record.Creatio].rows), len(g.rows))
	}
}

func ids(pairs []store.Pair) (out []string) {
	for _, p := range pairs {
		out = append(out, p.ID)
	}
	return out
}
