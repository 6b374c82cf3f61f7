package reconcile

import (
	"testing"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
)

// fate is what becomes of a number of linked pairs.
type fate struct {
	count           int
	creatio, google Now
}

func decisions(fates []fate, p Policy) []Decision {
	var out []Decision
	for _, f := range fates {
		for range f.count {
			out = append(out, Decide(contact.Schema, Pair{
				Link: "l", Active: true, Sides: map[record.Side]Now{record.Creatio: f.creatio, record.Google: f.google},
			}, p))
		}
	}
	return out
}

func TestGuard_holds_what_takes_away_too_much(t *testing.T) {
	t.Parallel()
	c, g := Now{ID: "c", Member: true}, Now{ID: "g", Member: true}
	untagged, ungrouped := Now{ID: "c"}, Now{ID: "g"}
	deletedC, deletedG := Now{ID: "c", Gone: true}, Now{ID: "g", Gone: true}
	toGoogle := Policy{Direction: ToGoogle}
	for name, tc := range map[string]struct {
		fates  []fate
		policy Policy
		active int
		want   string
	}{
		"nothing happens":                             {nil, Policy{}, 100, ""},
		"nothing leaves":                              {[]fate{{100, c, g}}, Policy{}, 100, ""},
		"ten of eleven":                               {[]fate{{10, c, ungrouped}}, Policy{}, 11, ""},
		"eleven of twelve":                            {[]fate{{11, c, ungrouped}}, Policy{}, 12, HeldMany},
		"eleven of a thousand":                        {[]fate{{11, c, ungrouped}}, Policy{}, 1000, ""},
		"eleven of 54, just over a fifth":             {[]fate{{11, c, ungrouped}}, Policy{}, 54, HeldMany},
		"eleven of 55, a fifth":                       {[]fate{{11, c, ungrouped}}, Policy{}, 55, ""},
		"twenty of a hundred":                         {[]fate{{20, c, ungrouped}}, Policy{}, 100, ""},
		"twenty-one of a hundred":                     {[]fate{{21, c, ungrouped}}, Policy{}, 100, HeldMany},
		"deleted counts as much as left":              {[]fate{{11, c, deletedG}, {10, c, ungrouped}}, Policy{}, 100, HeldMany},
		"both sides count together":                   {[]fate{{11, c, deletedG}, {10, deletedC, g}}, Policy{}, 100, HeldMany},
		"the group is emptied":                        {[]fate{{5, c, ungrouped}}, Policy{}, 5, HeldEmptied},
		"every contact in Creatio is deleted":         {[]fate{{5, deletedC, g}}, Policy{}, 5, HeldEmptied},
		"the only one leaves":                         {[]fate{{1, c, ungrouped}}, Policy{}, 1, HeldEmptied},
		"all but one leave":                           {[]fate{{4, c, ungrouped}, {1, c, g}}, Policy{}, 5, ""},
		"half leaves there, half here":                {[]fate{{3, c, ungrouped}, {3, untagged, g}}, Policy{}, 6, ""},
		"the group is emptied and somebody untagged":  {[]fate{{4, c, ungrouped}, {1, untagged, ungrouped}}, Policy{}, 5, HeldEmptied},
		"everything left on both sides":               {[]fate{{5, untagged, ungrouped}}, Policy{}, 5, ""},
		"one way, the other side is emptied":          {[]fate{{5, c, ungrouped}}, toGoogle, 5, ""},
		"one way, the side that it follows is empty":  {[]fate{{5, untagged, g}}, toGoogle, 5, HeldEmptied},
		"many leave of links that are not counted in": {[]fate{{11, c, ungrouped}}, Policy{}, 0, HeldEmptied},
	} {
		if got := Guard(decisions(tc.fates, tc.policy), tc.active); got != tc.want {
			t.Errorf("%s: held for %q, want %q", name, got, tc.want)
		}
	}
}

func TestGuard_does_not_mind_creations_and_updates(t *testing.T) {
	t.Parallel()
	var all []Decision
	for range 100 {
		fields := record.Fields{contact.Surname: {{Text: "Meyer"}}}
		all = append(all,
			Decide(contact.Schema, Pair{First: true, Sides: map[record.Side]Now{
				record.Creatio: {ID: "c", Member: true, View: View{Fields: fields}},
			}}, Policy{}),
			Decide(contact.Schema, Pair{Active: true, Sides: map[record.Side]Now{
				record.Creatio: {ID: "c", Member: true, View: View{Fields: fields}}, record.Google: {ID: "g", Member: true},
			}}, Policy{}))
	}
	for _, d := range all {
		if d.Ops[record.Google] == nil {
			t.Fatalf("nothing is written to Google: %+v", d)
		}
	}
	if got := Guard(all, 0); got != "" {
		t.Errorf("held for %q", got)
	}
}

func TestDirection_says_which_side_is_written_to(t *testing.T) {
	t.Parallel()
	for direction, want := range map[Direction][2]bool{
		Both: {true, true}, "": {true, true}, ToGoogle: {false, true}, ToCreatio: {true, false},
	} {
		if got := [2]bool{direction.Takes(record.Creatio), direction.Takes(record.Google)}; got != want {
			t.Errorf("%q takes Creatio and Google: %v, want %v", direction, got, want)
		}
	}
}

// Plans never share a record's own content with what is to be written, so that writing changes no reading.
func TestDecide_leaves_its_input_alone(t *testing.T) {
	t.Parallel()
	read := record.Fields{contact.Surname: {{Text: "Meyer"}}, contact.Emails: {{Text: "a@example.com"}}}
	d := Decide(contact.Schema, Pair{First: true, NewIDs: map[record.Side]string{record.Creatio: "n"}, Sides: map[record.Side]Now{
		record.Google: {ID: "g", Member: true, View: View{Fields: read}},
	}}, Policy{})
	op := d.Ops[record.Creatio]
	op.After[contact.Surname][0].Text = "Changed"
	op.After.SetText(contact.Notes, "new")
	if read.Text(contact.Surname) != "Meyer" || read.Text(contact.Notes) != "" {
		t.Errorf("the record that was read changed: %v", read)
	}
}
