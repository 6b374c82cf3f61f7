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

// colleague is another user of the same Creatio, with a Google account of their own. What is in scope in Creatio is so for
// both. Calls fail, and time passes, as in w.
func (w *world) colleague() *world {
	w.t.Helper()
	c := &world{t: w.t, store: w.store, engine: &syncer.Engine{Kind: w.engine.Kind, Chunk: w.engine.Chunk, Now: w.now, Logger: w.engine.Logger}}
	c.sides = map[record.Side]*half{record.Creatio: w.sides[record.Creatio], record.Google: {w: w, side: record.Google, rows: map[string]*row{}}}
	c.engine.Open = func(context.Context, store.Profile, store.Sync) (map[record.Side]syncer.Side, error) {
		return map[record.Side]syncer.Side{
			record.Creatio: struct {
				*half
				naming
			}{half: c.sides[record.Creatio]}, record.Google: c.sides[record.Google],
		}, nil
	}
	c.signUp("bob")
	return c
}

// beside is a user at whose n-th call of the store something else happens, ahead of it or behind it.
type beside struct {
	store.User
	n    int
	late bool
	do   func()
}

func (b *beside) call(do func() error) error {
	b.n--
	if b.n == 0 && !b.late {
		b.do()
	}
	err := do()
	if b.n == 0 && b.late {
		b.do()
	}
	return err
}

func (b *beside) LinksBy(ctx context.Context, t record.Type, s record.Side, ids []string) (links []store.Link, err error) {
	err = b.call(func() error {
		links, err = b.User.LinksBy(ctx, t, s, ids)
		return err
	})
	return links, err
}

func (b *beside) PutBatch(ctx context.Context, t record.Type, l store.Lease, now time.Time, batch store.Batch) (refused []store.Claim, err error) {
	err = b.call(func() error {
		refused, err = b.User.PutBatch(ctx, t, l, now, batch)
		return err
	})
	return refused, err
}

func (b *beside) AddChanges(ctx context.Context, run string, seq int, changes []store.Change) error {
	return b.call(func() error { return b.User.AddChanges(ctx, run, seq, changes) })
}

func (b *beside) Commit(ctx context.Context, t record.Type, l store.Lease, r store.Run, f func(*store.Sync) error) error {
	return b.call(func() error { return b.User.Commit(ctx, t, l, r, f) })
}

// once checks that a person is there once on all three sides, and that both users have a link of it.
func once(t *testing.T, ada, bob *world, name string) {
	t.Helper()
	for where, h := range map[string]*half{"Creatio": ada.sides[record.Creatio], "Ada's Google": ada.sides[record.Google], "Bob's Google": bob.sides[record.Google]} {
		n := 0
		for _, r := range h.rows {
			if r.fields.Text(contact.GivenName) == name && !r.gone {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s has %s %d times", where, name, n)
		}
	}
	for _, w := range []*world{ada, bob} {
		links, err := w.user.LinksBy(t.Context(), record.Contacts, record.Creatio, []string{w.sides[record.Creatio].id(name)})
		if err != nil || len(links) != 1 || !links[0].Active || links[0].Unfinished() {
			t.Errorf("%s has the links %+v of %s, %v", w.user.ID(), links, name, err)
		}
	}
}

// Bob's run is in the midst of Ada's, at any of her calls of the store: whoever comes first makes the contact, the other one
// waits and finds it.
func TestTwo_users_whose_runs_overlap_make_one_contact_of_one_person(t *testing.T) {
	t.Parallel()
	matched := 0
	for _, late := range []bool{false, true} {
		for n := 1; ; n++ {
			ada := newWorld(t)
			bob := ada.colleague()
			ada.sides[record.Google].add("Grace", "grace@example.com")
			bob.sides[record.Google].add("Grace", "grace@example.com")
			at := fmt.Sprintf("Bob's run is beside Ada's call %d, late %v:", n, late)
			b := &beside{User: ada.user, n: n, late: late, do: func() {
				out, r := bob.run(syncer.TriggerSchedule)
				if out.Status != syncer.Done || len(r.Problems) > 0 {
					t.Errorf("%s it ended %+v with %+v", at, out, r.Problems)
				}
			}}
			if out, err := ada.runAs(b); out.Status != syncer.Done {
				t.Fatalf("%s hers ended %+v, %v", at, out, err)
			}
			for range 2 {
				for _, w := range []*world{ada, bob} {
					matched += w.sync().Counts.Matched
				}
			}
			if once(t, ada, bob, "Grace"); t.Failed() {
				t.Fatal(at)
			}
			ada.silent()
			bob.silent()
			if b.n > 0 {
				break
			}
		}
	}
	if matched == 0 {
		t.Error("no run ever came between the other one's search and its creation")
	}
}

// Ada's run dies at any call, and Bob's comes at once.
func TestA_creation_that_was_cut_off_anywhere_is_made_once_by_whoever_comes_next(t *testing.T) {
	t.Parallel()
	for _, after := range []time.Duration{0, 31 * time.Minute} {
		for _, late := range []bool{false, true} {
			for n, dead := 1, true; dead; n++ {
				ada := newWorld(t)
				bob := ada.colleague()
				ada.sides[record.Google].add("Grace", "grace@example.com")
				bob.sides[record.Google].add("Grace", "grace@example.com")
				k := &killed{User: ada.user, n: n, late: late}
				ada.before, ada.after = k.before, k.after
				_, _ = ada.engine.Run(t.Context(), k, syncer.Request{Type: record.Contacts, Trigger: syncer.TriggerSchedule})
				ada.before, ada.after = nil, nil
				dead = k.dead
				ada.pass(after)
				bob.sync()
				ada.pass(2 * time.Minute)
				for range 3 {
					ada.sync()
					bob.sync()
				}
				if once(t, ada, bob, "Grace"); t.Failed() {
					t.Fatalf("Ada's run died at call %d, late %v; Bob's began %s later", n, late, after)
				}
			}
		}
	}
}

// diedAhead is a world in which Ada's run has noted that it is about to make a contact, and died.
func diedAhead(t *testing.T) (ada, bob *world) {
	t.Helper()
	ada = newWorld(t)
	bob = ada.colleague()
	ada.sides[record.Google].add("Grace", "grace@example.com")
	bob.sides[record.Google].add("Grace", "grace@example.com")
	dead := false
	ada.before = func(call string) error {
		if dead = dead || call == "creatio apply"; dead {
			return errDied
		}
		return nil
	}
	_, _ = ada.runAs(mortal{ada.user, &dead})
	ada.before = nil
	return ada, bob
}

func TestWho_finds_a_claim_taken_waits_without_a_word_until_its_time_is_over(t *testing.T) {
	t.Parallel()
	ada, bob := diedAhead(t)
	for range 3 {
		out, r := bob.run(syncer.TriggerSchedule)
		if out.Status != syncer.Done || len(r.Changes)+len(r.Problems) > 0 || r.Counts.Failed > 0 {
			t.Errorf("Bob's run ended %+v with %+v", out, r)
		}
	}
	if d, err := bob.user.Sync(t.Context(), record.Contacts); err != nil || d.Problem != nil || d.Status != "ok" {
		t.Errorf("Bob's sync is %+v, %v", d, err)
	}
	ada.pass(31 * time.Minute)
	if r := bob.sync(); r.Counts.Creatio.Created != 1 {
		t.Errorf("after the time of the claim Bob's run did %+v", r.Changes)
	}
	// Ada's run does not go on with what it once began: the contact is there.
	ada.sync()
	once(t, ada, bob, "Grace")
}

// A refusal is tried again and again, and each time claims the person anew.
func TestWho_may_not_make_a_person_does_not_keep_another_user_from_it(t *testing.T) {
	t.Parallel()
	ada := newWorld(t)
	bob := ada.colleague()
	for _, w := range []*world{ada, bob} {
		w.sides[record.Google].add("Grace", "grace@example.com")
	}
	ada.sides[record.Creatio].refuse = func(record.Operation) error { return badRecord }
	if out, r := ada.run(syncer.TriggerSchedule); out.Status != syncer.Partial || r.Counts.Failed != 1 {
		t.Fatalf("Ada's run ended %+v with %+v", out, r.Counts)
	}
	ada.sides[record.Creatio].refuse = nil
	if r := bob.sync(); r.Counts.Creatio.Created != 1 {
		t.Errorf("Bob's run did %+v", r.Changes)
	}
	ada.pass(time.Hour)
	ada.sync()
	once(t, ada, bob, "Grace")
}

// Of two people with one number the one is refused and the other one's answer is lost: that one may yet come.
func TestA_refusal_does_not_release_what_another_creation_claims(t *testing.T) {
	t.Parallel()
	ada := newWorld(t)
	bob := ada.colleague()
	number := func(w *world, name string) {
		w.sides[record.Google].add(name, "")
		w.sides[record.Google].edit(w.sides[record.Google].id(name), func(r *row) {
			r.fields[contact.Phones] = []record.Entry{{Kind: "home", Text: "+1 202 555 0143"}}
		})
	}
	number(ada, "Grace")
	number(ada, "Howard")
	number(bob, "Howard")
	c := ada.sides[record.Creatio]
	c.refuse = func(op record.Operation) error {
		if op.After.Text(contact.GivenName) == "Grace" {
			return badRecord
		}
		lost := *fault.New(fault.Retry, "creatio", "lost", nil)
		lost.Ambiguous = true
		return &lost
	}
	ada.run(syncer.TriggerSchedule)
	c.refuse = nil
	if r := bob.sync(); r.Counts.Creatio.Created != 0 {
		t.Errorf("Bob's run did %+v", r.Changes)
	}
}

func TestA_claim_goes_with_its_user(t *testing.T) {
	t.Parallel()
	ada, bob := diedAhead(t)
	must(t, ada.user.Erase(t.Context()))
	if r := bob.sync(); r.Counts.Creatio.Created != 1 {
		t.Errorf("Bob's run did %+v", r.Changes)
	}
}

func TestA_family_of_one_users_contacts_with_one_number_is_made_at_once(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"Ada", "Bert"} {
		w.sides[record.Google].add(name, "")
		w.sides[record.Google].edit(w.sides[record.Google].id(name), func(r *row) {
			r.fields.SetText(contact.Surname, "Meyer")
			r.fields[contact.Phones] = []record.Entry{{Kind: "home", Text: "+1 202 555 0143"}}
		})
	}
	if r := w.sync(); r.Counts.Creatio.Created != 2 {
		t.Errorf("the first run did %+v", r.Changes)
	}
	w.silent()
	w.sides[record.Google].add("Carl", "")
	w.sides[record.Google].edit(w.sides[record.Google].id("Carl"), func(r *row) {
		r.fields.SetText(contact.Surname, "Meyer")
		r.fields[contact.Phones] = []record.Entry{{Kind: "home", Text: "+1 202 555 0143"}}
	})
	if r := w.sync(); r.Counts.Creatio.Created != 1 {
		t.Errorf("the third one of the family: %+v", r.Changes)
	}
	w.silent()
}
