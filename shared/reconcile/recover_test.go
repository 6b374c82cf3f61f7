package reconcile

import (
	"testing"

	"github.com/tandem-sync/tandem/shared/activity"
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

// The organizer took a guest out in Google. The run that was to take the guest out in Creatio was cut off, and then the guest declined:
// whether or not the run had written that, the guest is no participant any more.
func TestWho_was_to_be_taken_out_when_a_run_was_cut_off_is_not_invited_again(t *testing.T) {
	t.Parallel()
	guests := func(list ...record.Entry) record.Fields { return record.Fields{activity.Attendees: list} }
	invited, declined := record.Entry{Text: "bo@example.com"}, record.Entry{Kind: activity.Declined, Text: "bo@example.com"}
	intent := record.Intent{Fields: []string{activity.Attendees}, Base: record.Fields{}, Active: true, Sides: map[record.Side]record.IntentSide{
		record.Creatio: {Action: record.Update, Before: guests(invited), WasMember: true, Member: true}, record.Google: {WasMember: true, Member: true},
	}}
	for what, shows := range map[string]record.Fields{"was not written": guests(invited), "was not written, and declined": guests(declined), "was written": guests()} {
		now := map[record.Side]Now{
			record.Creatio: {ID: "c", Member: true, View: View{Fields: shows}}, record.Google: {ID: "g", Member: true, View: View{Fields: guests()}},
		}
		got := Recover(activity.Schema, Recovered{Base: guests(invited), Active: true}, intent, now, nil)
		d := Decide(activity.Schema, Pair{Link: "l", Active: got.Active, Base: got.Base, Sides: now}, Policy{Direction: Both, Conflicts: Latest})
		if op := d.Ops[record.Google]; op != nil || len(d.Base[activity.Attendees]) > 0 {
			t.Errorf("the removal %s: google gets %+v, agreed is %v", what, op, d.Base)
		}
	}
}
