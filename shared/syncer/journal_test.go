package syncer_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// mortal is a user whose run dies: from then on it writes nothing more to the store.
type mortal struct {
	store.User
	dead *bool
}

func (m mortal) PutBatch(ctx context.Context, t record.Type, l store.Lease, now time.Time, b store.Batch) ([]store.Claim, error) {
	if *m.dead {
		return nil, errStore
	}
	return m.User.PutBatch(ctx, t, l, now, b)
}

func (m mortal) AddChanges(ctx context.Context, run string, seq int, changes []store.Change) error {
	if *m.dead {
		return errStore
	}
	return m.User.AddChanges(ctx, run, seq, changes)
}

func (m mortal) Commit(ctx context.Context, t record.Type, l store.Lease, r store.Run, f func(*store.Sync) error) error {
	if *m.dead {
		return errStore
	}
	return m.User.Commit(ctx, t, l, r, f)
}

// dieAfterWrite makes a run that dies as soon as its next write to a side took effect. Its lease ends by itself.
func (w *world) dieAfterWrite(s record.Side) {
	w.t.Helper()
	w.dieAfterWriteAs(w.user, s)
}

func (w *world) dieAfterWriteAs(u store.User, s record.Side) {
	w.t.Helper()
	dead := false
	w.after = func(call string) error {
		if call == string(s)+" apply" {
			dead = true
		}
		if dead {
			return errDied
		}
		return nil
	}
	w.before = func(string) error {
		if dead {
			return errDied
		}
		return nil
	}
	w.pass(time.Minute)
	_, _ = w.runAs(mortal{u, &dead})
	w.before, w.after = nil, nil
	if !dead {
		w.t.Fatalf("nothing was written to %s", s)
	}
	w.pass(2 * time.Minute)
}

// breakAfterWrite makes a run whose connection breaks once its next write to a side took effect.
func (w *world) breakAfterWrite(s record.Side) {
	w.t.Helper()
	failAt(w, string(s)+" apply", 1)
	w.run(syncer.TriggerSchedule)
	w.after = nil
}

var endings = map[string]func(*world, record.Side){
	"the process dies": (*world).dieAfterWrite, "the connection breaks": (*world).breakAfterWrite,
}

const countess = "Countess of Lovelace"

func home(street, city string) record.Entry {
	return record.Entry{Kind: contact.KindHome, Parts: map[string]string{contact.Street: street, contact.City: city}}
}

// Every row ends after a write took effect and before anybody recorded that, and then people go on.
func TestAfter_a_write_that_nobody_recorded_the_next_run_knows_what_it_was(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		before, meanwhile func(w *world, c, g *half)
		written           record.Side
		check             func(t *testing.T, w *world, c, g *half)
	}{
		"a cut value is no edit: the whole one stays": {
			before: func(_ *world, c, g *half) {
				c.narrow = 8
				g.edit(g.id("Ada"), func(r *row) { r.fields.SetText(contact.JobTitle, countess) })
			},
			written: record.Creatio,
			check: func(t *testing.T, w *world, _, _ *half) {
				if got := w.text(record.Google, "Ada"); got != countess {
					t.Errorf("Google has %q", got)
				}
			},
		},
		"an address that shows in another form is that address": {
			before: func(_ *world, c, g *half) {
				c.narrow = 8
				g.edit(g.id("Ada"), func(r *row) { r.fields[contact.Addresses] = []record.Entry{home("High St", "Ockham")} })
			},
			written: record.Creatio,
			check: func(t *testing.T, _ *world, c, g *half) {
				if len(c.rows[c.id("Ada")].fields[contact.Addresses]) != 1 || len(g.rows[g.id("Ada")].fields[contact.Addresses]) != 1 {
					t.Errorf("creatio has %v, google %v", c.rows[c.id("Ada")].fields, g.rows[g.id("Ada")].fields)
				}
			},
		},
		"a new contact is whole, and has each value once": {
			before: func(_ *world, c, g *half) {
				c.narrow = 8
				g.add("Emmy", "emmy@example.com")
				g.edit(g.id("Emmy"), func(r *row) {
					r.fields.SetText(contact.JobTitle, countess)
					r.fields[contact.Addresses] = []record.Entry{home("High St", "Ockham")}
				})
			},
			written: record.Creatio,
			check: func(t *testing.T, _ *world, c, g *half) {
				is := g.rows[g.id("Emmy")].fields
				if is.Text(contact.JobTitle) != countess || len(is[contact.Addresses]) != 1 || len(c.rows[c.id("Emmy")].fields[contact.Addresses]) != 1 {
					t.Errorf("google has %v, creatio %v", is, c.rows[c.id("Emmy")].fields)
				}
			},
		},
		"a name that only stands in for a missing one is no edit": {
			before: func(_ *world, c, g *half) {
				c.named = true
				g.add("", "info@example.com")
			},
			written: record.Creatio,
			check: func(t *testing.T, _ *world, c, g *half) {
				if len(g.rows[g.id("")].fields[contact.Emails]) != 1 || len(c.rows) != 3 || len(g.rows) != 3 {
					t.Errorf("google has %q, creatio %q", g.scope(), c.scope())
				}
			},
		},
		"who goes back to the former value has the last word": {
			before:    func(w *world, _, _ *half) { w.setJob(record.Google, "Ada", "Baroness") },
			written:   record.Creatio,
			meanwhile: func(w *world, _, _ *half) { w.setJob(record.Google, "Ada", "Clerk") },
			check: func(t *testing.T, w *world, _, _ *half) {
				if got := w.text(record.Creatio, "Ada"); got != "Clerk" {
					t.Errorf("Creatio has %q", got)
				}
			},
		},
		"who goes back to the former value in Creatio has the last word": {
			before:    func(w *world, _, _ *half) { w.setJob(record.Creatio, "Ada", "Baroness") },
			written:   record.Google,
			meanwhile: func(w *world, _, _ *half) { w.setJob(record.Creatio, "Ada", "Clerk") },
			check: func(t *testing.T, w *world, _, _ *half) {
				if got := w.text(record.Google, "Ada"); got != "Clerk" {
					t.Errorf("Google has %q", got)
				}
			},
		},
		"who is put back into the group stays in it": {
			before:    func(_ *world, _, g *half) { g.edit(g.id("Ada"), func(r *row) { r.member = false }) },
			written:   record.Creatio,
			meanwhile: func(_ *world, _, g *half) { g.edit(g.id("Ada"), func(r *row) { r.member = true }) },
			check: func(t *testing.T, _ *world, c, g *half) {
				if len(c.scope()) != 2 || len(g.scope()) != 2 {
					t.Errorf("in scope are %q and %q", c.scope(), g.scope())
				}
			},
		},
		"who is tagged again stays tagged": {
			before:    func(_ *world, c, _ *half) { c.edit(c.id("Ada"), func(r *row) { r.member = false }) },
			written:   record.Google,
			meanwhile: func(_ *world, c, _ *half) { c.edit(c.id("Ada"), func(r *row) { r.member = true }) },
			check: func(t *testing.T, _ *world, c, g *half) {
				if len(c.scope()) != 2 || len(g.scope()) != 2 {
					t.Errorf("in scope are %q and %q", c.scope(), g.scope())
				}
			},
		},
		"a new contact that is untagged again leaves": {
			before:    func(_ *world, c, _ *half) { c.add("Emmy", "emmy@example.com") },
			written:   record.Google,
			meanwhile: func(_ *world, c, _ *half) { c.edit(c.id("Emmy"), func(r *row) { r.member = false }) },
			check: func(t *testing.T, _ *world, c, g *half) {
				if len(c.scope()) != 2 || len(g.scope()) != 2 {
					t.Errorf("in scope are %q and %q", c.scope(), g.scope())
				}
			},
		},
		"a new contact that is untagged and changed before the group has it leaves, and stays as it was changed": {
			before: func(w *world, c, g *half) {
				g.lags = 10 * time.Minute
				c.add("Emmy", "emmy@example.com")
				w.setJob(record.Creatio, "Emmy", "Clerk")
			},
			written: record.Google,
			meanwhile: func(w *world, c, g *half) {
				c.edit(c.id("Emmy"), func(r *row) {
					r.member = false
					r.fields.SetText(contact.JobTitle, "")
				})
				g.edit(g.id("Emmy"), func(r *row) { r.behind = true })
				w.run(syncer.TriggerSchedule)
				w.run(syncer.TriggerUser)
				g.edit(g.id("Emmy"), func(r *row) { r.behind = false })
			},
			check: emmyLeft,
		},
		"a new contact that is untagged and changed before any list shows it leaves, and stays as it was changed": {
			before: func(w *world, c, g *half) {
				g.lags = 10 * time.Minute
				c.add("Emmy", "emmy@example.com")
				w.setJob(record.Creatio, "Emmy", "Clerk")
			},
			written: record.Google,
			meanwhile: func(w *world, c, g *half) {
				c.edit(c.id("Emmy"), func(r *row) {
					r.member = false
					r.fields.SetText(contact.JobTitle, "")
				})
				g.edit(g.id("Emmy"), func(r *row) { r.unseen = true })
				w.run(syncer.TriggerSchedule)
				w.run(syncer.TriggerUser)
				g.edit(g.id("Emmy"), func(r *row) { r.unseen = false })
			},
			check: emmyLeft,
		},
		"a new contact that is deleted before any list shows it leaves": {
			before: func(_ *world, c, g *half) {
				g.lags = 10 * time.Minute
				c.add("Emmy", "emmy@example.com")
			},
			written: record.Google,
			meanwhile: func(w *world, c, g *half) {
				c.edit(c.id("Emmy"), func(r *row) { r.gone = true })
				g.edit(g.id("Emmy"), func(r *row) { r.unseen = true })
				w.run(syncer.TriggerSchedule)
				g.edit(g.id("Emmy"), func(r *row) { r.unseen = false })
			},
			check: func(t *testing.T, _ *world, c, g *half) {
				if len(c.scope()) != 2 || len(g.scope()) != 2 || len(c.rows) != 3 {
					t.Errorf("in scope are %q and %q, creatio has %d records", c.scope(), g.scope(), len(c.rows))
				}
			},
		},
		"a new contact that is taken out of the group leaves": {
			before:    func(_ *world, c, _ *half) { c.add("Emmy", "emmy@example.com") },
			written:   record.Google,
			meanwhile: func(_ *world, _, g *half) { g.edit(g.id("Emmy"), func(r *row) { r.member = false }) },
			check: func(t *testing.T, _ *world, c, g *half) {
				if len(c.scope()) != 2 || len(g.scope()) != 2 {
					t.Errorf("in scope are %q and %q", c.scope(), g.scope())
				}
			},
		},
		"a new contact that is untagged where it was made leaves": {
			before:    func(_ *world, _, g *half) { g.add("Emmy", "emmy@example.com") },
			written:   record.Creatio,
			meanwhile: func(_ *world, c, _ *half) { c.edit(c.id("Emmy"), func(r *row) { r.member = false }) },
			check: func(t *testing.T, _ *world, c, g *half) {
				if len(c.scope()) != 2 || len(g.scope()) != 2 {
					t.Errorf("in scope are %q and %q", c.scope(), g.scope())
				}
			},
		},
		"a number that was added and is taken away again is gone": {
			before: func(w *world, _, g *half) {
				w.setJob(record.Creatio, "Ada", "Baroness")
				g.edit(g.id("Ada"), func(r *row) {
					r.fields[contact.Phones] = []record.Entry{{Kind: contact.KindHome, Text: "+12025550123"}}
				})
				g.refuse = func(record.Operation) error { return fault.New(fault.Conflict, "google", "version", nil) }
			},
			written: record.Creatio,
			meanwhile: func(_ *world, _, g *half) {
				g.refuse = nil
				g.edit(g.id("Ada"), func(r *row) { delete(r.fields, contact.Phones) })
			},
			check: func(t *testing.T, _ *world, c, g *half) {
				if is := c.rows[c.id("Ada")].fields[contact.Phones]; len(is)+len(g.rows[g.id("Ada")].fields[contact.Phones]) > 0 {
					t.Errorf("creatio has %v, google %v", is, g.rows[g.id("Ada")].fields[contact.Phones])
				}
			},
		},
		"an edit of what was written is an edit": {
			before:    func(w *world, _, _ *half) { w.setJob(record.Google, "Ada", "Baroness") },
			written:   record.Creatio,
			meanwhile: func(w *world, _, _ *half) { w.setJob(record.Creatio, "Ada", "Duchess") },
			check: func(t *testing.T, w *world, _, _ *half) {
				if got := w.text(record.Google, "Ada"); got != "Duchess" {
					t.Errorf("Google has %q", got)
				}
			},
		},
	} {
		for how, end := range endings {
			t.Run(name+", "+how, func(t *testing.T) {
				t.Parallel()
				w := team(t, "Ada", "Bo")
				c, g := w.sides[record.Creatio], w.sides[record.Google]
				row.before(w, c, g)
				end(w, row.written)
				if row.meanwhile != nil {
					row.meanwhile(w, c, g)
				}
				w.pass(g.Lag())
				w.sync()
				row.check(t, w, c, g)
				w.silent()
				row.check(t, w, c, g)
			})
		}
	}
}

func emmyLeft(t *testing.T, w *world, c, g *half) {
	t.Helper()
	if len(c.scope()) != 2 || len(g.scope()) != 2 {
		t.Errorf("in scope are %q and %q", c.scope(), g.scope())
	}
	if is := w.text(record.Creatio, "Emmy"); is != "" {
		t.Errorf("creatio has the title %q", is)
	}
}

// Google goes on showing what was there before a write of which nobody heard.
func TestA_write_that_nobody_recorded_and_that_does_not_show_yet_is_no_edit_once_it_shows(t *testing.T) {
	t.Parallel()
	w := team(t, "Ada", "Bo")
	g := w.sides[record.Google]
	before := *g.rows[g.id("Ada")]
	before.fields = before.fields.Clone()
	w.setJob(record.Creatio, "Ada", "Baroness")
	w.breakAfterWrite(record.Google)
	written := *g.rows[g.id("Ada")]
	w.setJob(record.Creatio, "Ada", "Duchess")
	*g.rows[g.id("Ada")] = before
	if _, r := w.run(syncer.TriggerSchedule); len(r.Changes) > 0 {
		t.Errorf("while the write does not show, a run changed %+v", r.Changes)
	}
	*g.rows[g.id("Ada")] = written
	w.pass(lag)
	w.sync()
	if c, g := w.text(record.Creatio, "Ada"), w.text(record.Google, "Ada"); c != "Duchess" || g != "Duchess" {
		t.Errorf("Creatio has %q, Google %q", c, g)
	}
	w.silent()
}

func TestWhat_loses_against_an_edit_after_a_write_that_nobody_recorded_is_in_the_history(t *testing.T) {
	t.Parallel()
	w := team(t, "Ada", "Bo")
	w.setJob(record.Google, "Ada", "Baroness")
	w.dieAfterWrite(record.Creatio)
	w.setJob(record.Creatio, "Ada", "Duchess")
	w.pass(lag)
	r := w.sync()
	if r.Counts.Conflicts != 1 || len(r.Changes) != 1 || !strings.Contains(r.Changes[0].Fields[0].Before, "Baroness") {
		t.Errorf("the history tells %+v, counts %+v", r.Changes, r.Counts)
	}
}
