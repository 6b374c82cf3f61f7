package reconcile

import (
	"testing"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
)

// An undo writes both sides. Where it is cut off and one of them is edited before the next run, that edit is the only change:
// what the other side shows nobody chose over it.
func TestAn_edit_after_an_interrupted_write_of_both_sides_conflicts_with_nothing(t *testing.T) {
	t.Parallel()
	text := func(notes string) record.Fields {
		out := record.Fields{}
		out.SetText(contact.Notes, notes)
		return out
	}
	intent := record.Intent{Fields: []string{contact.Notes}, Base: text("tea"), Active: true, Sides: map[record.Side]record.IntentSide{}}
	for _, s := range record.Sides {
		intent.Sides[s] = record.IntentSide{Action: record.Update, Before: text("coffee"), After: text("tea"), WasMember: true, Member: true}
	}
	for _, edited := range record.Sides {
		for other, what := range map[string]string{"coffee": "was not written", "tea": "was written"} {
			now := map[record.Side]Now{}
			for s, shows := range map[record.Side]string{edited: "water", edited.Other(): other} {
				now[s] = Now{ID: string(s), Member: true, View: View{Fields: text(shows)}}
			}
			got := Recover(schema, Recovered{Base: text("coffee"), Active: true}, intent, now, nil)
			d := Decide(schema, Pair{Link: "l", Active: got.Active, Base: got.Base, Sides: now}, Policy{Direction: Both, Conflicts: Latest})
			if len(d.Conflicts) > 0 || d.After[edited.Other()].Text(contact.Notes) != "water" {
				t.Errorf("edited in %s, while the other one %s: %d conflicts, it comes to show %q", edited, what, len(d.Conflicts), d.After[edited.Other()].Text(contact.Notes))
			}
		}
	}
}
