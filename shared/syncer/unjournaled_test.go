package syncer_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// former is a user of a version that keeps no intents.
type former struct{ store.User }

func (f former) PutBatch(ctx context.Context, t record.Type, l store.Lease, now time.Time, b store.Batch) ([]store.Claim, error) {
	b.Links = slices.Clone(b.Links)
	for i := range b.Links {
		b.Links[i].Intent = nil
	}
	return f.User.PutBatch(ctx, t, l, now, b)
}

func TestA_creation_that_a_version_without_the_journal_left_behind_is_whole(t *testing.T) {
	t.Parallel()
	for _, s := range record.Sides {
		t.Run(string(s), func(t *testing.T) {
			t.Parallel()
			w := team(t, "Ada", "Bo")
			made, from := w.sides[s], w.sides[s.Other()]
			made.narrow = 8
			from.add("Emmy", "emmy@example.com")
			from.edit(from.id("Emmy"), func(r *row) {
				r.fields.SetText(contact.JobTitle, countess)
				r.fields[contact.Addresses] = []record.Entry{home("High St", "Ockham")}
			})
			w.dieAfterWriteAs(former{w.user}, s)
			// Meanwhile somebody adds something to the record that was made.
			made.edit(made.id("Emmy"), func(r *row) {
				r.fields[contact.Phones] = []record.Entry{{Kind: contact.KindHome, Text: "+12025550123"}}
			})
			w.pass(lag)
			w.sync()
			is, of := made.rows[made.id("Emmy")].fields, from.rows[from.id("Emmy")].fields
			if len(is[contact.Addresses]) != 1 || len(of[contact.Addresses]) != 1 || of.Text(contact.JobTitle) != countess || len(of[contact.Phones]) != 1 {
				t.Errorf("%s has %v, %s %v", s, is, s.Other(), of)
			}
			w.silent()
		})
	}
}
