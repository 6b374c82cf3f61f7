package syncer_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// cramped is a user whose store has no room for a long link.
type cramped struct {
	store.User
	room int
}

func (c cramped) PutBatch(ctx context.Context, t record.Type, l store.Lease, now time.Time, b store.Batch) ([]store.Claim, error) {
	for _, link := range b.Links {
		if raw, err := json.Marshal(link); err != nil || len(raw) > c.room {
			return nil, fault.New(fault.Bug, "store", "too-large", err)
		}
	}
	return c.User.PutBatch(ctx, t, l, now, b)
}

func (c cramped) Commit(ctx context.Context, t record.Type, l store.Lease, r store.Run, f func(*store.Sync) error) error {
	if raw, err := json.Marshal(r); err != nil || len(raw) > c.room {
		return fault.New(fault.Bug, "store", "too-large", err)
	}
	return c.User.Commit(ctx, t, l, r, f)
}

func TestRecords_with_endless_names_fail_alone(t *testing.T) {
	t.Parallel()
	for _, s := range record.Sides {
		w := team(t, "Ada", "Bo")
		side, other := w.sides[s], w.sides[s.Other()]
		for n := range 3 {
			side.add(strings.Repeat(string(rune('E'+n)), 50_000), "")
		}
		side.edit(side.id("Bo"), func(r *row) { r.fields.SetText(contact.JobTitle, countess) })
		for range 2 {
			w.pass(time.Hour)
			out, err := w.runAs(cramped{w.user, 30_000})
			if err != nil || out.Status != syncer.Partial {
				t.Fatalf("%s: ended %s: %v", s, out.Status, err)
			}
		}
		if got := other.rows[other.id("Bo")].fields.Text(contact.JobTitle); got != countess {
			t.Errorf("%s has %q", s.Other(), got)
		}
	}
}

func TestA_record_that_the_store_has_no_room_for_fails_alone(t *testing.T) {
	t.Parallel()
	for _, s := range record.Sides {
		t.Run(string(s), func(t *testing.T) {
			t.Parallel()
			w := team(t, "Ada", "Bo")
			side, other := w.sides[s], w.sides[s.Other()]
			side.edit(side.id("Ada"), func(r *row) { r.fields.SetText(contact.Notes, strings.Repeat("x", 50_000)) })
			side.edit(side.id("Bo"), func(r *row) { r.fields.SetText(contact.JobTitle, countess) })
			side.add("Emmy", "emmy@example.com")
			side.edit(side.id("Emmy"), func(r *row) { r.fields.SetText(contact.Notes, strings.Repeat("y", 50_000)) })
			for range 2 {
				w.pass(time.Hour)
				out, err := w.runAs(cramped{w.user, 30_000})
				if err != nil || out.Status != syncer.Partial {
					t.Fatalf("ended %s: %v", out.Status, err)
				}
			}
			if got := other.rows[other.id("Bo")].fields.Text(contact.JobTitle); got != countess {
				t.Errorf("%s has %q", s.Other(), got)
			}
			if n := len(other.scope()); n != 2 {
				t.Errorf("%s has %d in scope", s.Other(), n)
			}
			w.pass(48 * time.Hour)
			w.sync()
			w.agree()
			w.silent()
		})
	}
}
