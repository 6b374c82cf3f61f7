package reconcile

import (
	"slices"
	"testing"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
)

// fate is what becomes of a number of linked pairs.
type fate struct {
	count           int
	creatio, google Now
}

// balances counts what becomes of pairs, by side.
func balances(fates []fate, p Policy) map[record.Side]Balance {
	out := map[record.Side]Balance{}
	for _, f := range fates {
		d := Decide(contact.Schema, Pair{
			Link: "l", Active: true, Sides: map[record.Side]Now{record.Creatio: f.creatio, record.Google: f.google},
		}, p)
		losses := Losses(contact.Schema, d, never)
		for _, s := range record.Sides {
			b := out[s]
			if _, loses := losses[s]; loses {
				b.Planned += f.count
			}
			if d.Left(s) {
				b.Left += f.count
				b.LeftOnce += f.count
			}
			out[s] = b
		}
	}
	return out
}

func never(string, string) bool { return false }

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
		"nothing happens":                               {nil, Policy{}, 100, ""},
		"nothing leaves":                                {[]fate{{100, c, g}}, Policy{}, 100, ""},
		"ten of eleven":                                 {[]fate{{10, c, ungrouped}}, Policy{}, 11, ""},
		"eleven of twelve":                              {[]fate{{11, c, ungrouped}}, Policy{}, 12, HeldMany},
		"eleven of a thousand":                          {[]fate{{11, c, ungrouped}}, Policy{}, 1000, ""},
		"eleven of 54, just over a fifth":               {[]fate{{11, c, ungrouped}}, Policy{}, 54, HeldMany},
		"eleven of 55, a fifth":                         {[]fate{{11, c, ungrouped}}, Policy{}, 55, ""},
		"twenty of a hundred":                           {[]fate{{20, c, ungrouped}}, Policy{}, 100, ""},
		"twenty-one of a hundred":                       {[]fate{{21, c, ungrouped}}, Policy{}, 100, HeldMany},
		"500 of a hundred thousand":                     {[]fate{{500, c, ungrouped}}, Policy{}, 100_000, ""},
		"501 of a hundred thousand":                     {[]fate{{501, c, ungrouped}}, Policy{}, 100_000, HeldMany},
		"deleted counts as much as left":                {[]fate{{11, c, deletedG}, {10, c, ungrouped}}, Policy{}, 100, HeldMany},
		"each side counts by itself":                    {[]fate{{11, c, deletedG}, {10, deletedC, g}}, Policy{}, 100, ""},
		"the group is emptied":                          {[]fate{{5, c, ungrouped}}, Policy{}, 5, HeldEmptied},
		"every contact in Creatio is deleted":           {[]fate{{5, deletedC, g}}, Policy{}, 5, HeldEmptied},
		"three leave, and nobody is left":               {[]fate{{3, c, ungrouped}}, Policy{}, 3, HeldEmptied},
		"the last two leave":                            {[]fate{{2, c, ungrouped}}, Policy{}, 2, ""},
		"the only one leaves":                           {[]fate{{1, untagged, g}}, Policy{}, 1, ""},
		"all but one leave":                             {[]fate{{4, c, ungrouped}, {1, c, g}}, Policy{}, 5, ""},
		"half leaves there, half here":                  {[]fate{{3, c, ungrouped}, {3, untagged, g}}, Policy{}, 6, ""},
		"the group is emptied and somebody is untagged": {[]fate{{4, c, ungrouped}, {1, untagged, ungrouped}}, Policy{}, 5, HeldEmptied},
		"everything left on both sides":                 {[]fate{{5, untagged, ungrouped}}, Policy{}, 5, ""},
		"one way, the other side is emptied":            {[]fate{{5, c, ungrouped}}, toGoogle, 5, ""},
		"one way, the side that it follows is empty":    {[]fate{{5, untagged, g}}, toGoogle, 5, HeldEmptied},
		"many leave of links that are not counted in":   {[]fate{{11, c, ungrouped}}, Policy{}, 0, HeldEmptied},
	} {
		got := ""
		for _, b := range balances(tc.fates, tc.policy) {
			got += Guard(b, Total{tc.active, tc.active})
		}
		if got != tc.want {
			t.Errorf("%s: held for %q, want %q", name, got, tc.want)
		}
	}
}

func TestGuard_counts_what_was_done_within_the_day(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		balance Balance
		of      Total
		want    string
	}{
		{Balance{Done: 10, Planned: 1}, Total{40, 40}, HeldMany},
		{Balance{Done: 9, Planned: 1}, Total{40, 40}, ""},
		{Balance{Done: 11}, Total{40, 40}, ""},
		{Balance{Done: 499, Planned: 1}, Total{100_000, 100_000}, ""},
		{Balance{Done: 500, Planned: 1}, Total{100_000, 100_000}, HeldMany},
		{Balance{Planned: 20, Left: 20, LeftOnce: 20}, Total{290, 41}, HeldMany},
		{Balance{Planned: 1, Left: 250, LeftOnce: 1}, Total{250, 1}, ""},
		{Balance{Planned: 3, Left: 250, LeftOnce: 3}, Total{250, 3}, HeldEmptied},
		{Balance{Planned: 3, Left: 3, LeftOnce: 3}, Total{250, 3}, ""},
	} {
		if got := Guard(tc.balance, tc.of); got != tc.want {
			t.Errorf("%+v of %+v: held for %q, want %q", tc.balance, tc.of, got, tc.want)
		}
	}
}

func TestLosses_are_what_comes_away_from_a_record(t *testing.T) {
	t.Parallel()
	number := func(n string) record.Entry { return record.Entry{Kind: "work", Text: n} }
	base := record.Fields{
		contact.GivenName: {{Text: "Anna"}}, contact.MiddleName: {{Text: "Maria"}}, contact.JobTitle: {{Text: "Baroness"}},
		contact.Phones: {number("+1 212 555 0101"), number("+1 212 555 0102")},
	}
	former := func(field, hash string) bool {
		f, _ := contact.Schema.Field(contact.JobTitle)
		return field == contact.JobTitle && hash == ValueHash(f, record.Entry{Text: "Countess"})
	}
	for name, tc := range map[string]struct {
		edit func(record.Fields)
		want []string
	}{
		"a title emptied":              {func(f record.Fields) { f.SetText(contact.JobTitle, "") }, []string{contact.JobTitle}},
		"a title changed":              {func(f record.Fields) { f.SetText(contact.JobTitle, "Queen") }, nil},
		"a title set back":             {func(f record.Fields) { f.SetText(contact.JobTitle, "Countess") }, []string{contact.JobTitle}},
		"a title added":                {func(f record.Fields) { f.SetText(contact.Department, "Court") }, nil},
		"a number gone":                {func(f record.Fields) { f[contact.Phones] = f[contact.Phones][:1] }, []string{contact.Phones}},
		"all numbers gone":             {func(f record.Fields) { delete(f, contact.Phones) }, []string{contact.Phones}},
		"a number in another's place":  {func(f record.Fields) { f[contact.Phones][1] = number("+1 212 555 0199") }, nil},
		"a number added":               {func(f record.Fields) { f[contact.Phones] = append(f[contact.Phones], number("+1 212 555 0199")) }, nil},
		"one number in place of two":   {func(f record.Fields) { f[contact.Phones] = []record.Entry{number("+1 212 555 0199")} }, []string{contact.Phones}},
		"a middle name emptied":        {func(f record.Fields) { f.SetText(contact.MiddleName, "") }, []string{contact.MiddleName}},
		"a middle name to the first's": {func(f record.Fields) { f.SetText(contact.GivenName, "Anna Maria"); f.SetText(contact.MiddleName, "") }, nil},
		"a middle name gone, first new": {
			func(f record.Fields) { f.SetText(contact.GivenName, "Anne"); f.SetText(contact.MiddleName, "") },
			[]string{contact.GivenName, contact.MiddleName},
		},
	} {
		for _, s := range record.Sides {
			edited := base.Clone()
			tc.edit(edited)
			p := Pair{Active: true, Base: base, Sides: map[record.Side]Now{
				s: {ID: "a", Member: true, View: View{Fields: edited}}, s.Other(): {ID: "b", Member: true, View: View{Fields: base.Clone()}},
			}}
			losses := Losses(contact.Schema, Decide(contact.Schema, p, Policy{}), former)
			if got := losses[s].Fields; !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(tc.want))) || len(losses) > 1 {
				t.Errorf("%s in %s: loses %+v, want %q", name, s, losses, tc.want)
			}
			// What waits stays on both sides, and is the same loss next time; what else changed is carried.
			kept := Decide(contact.Schema, p.Keep(losses[s].Fields), Policy{})
			if again := Losses(contact.Schema, kept, former); len(again) > 0 {
				t.Errorf("%s in %s: what is kept loses %+v", name, s, again)
			}
			for _, f := range losses[s].Fields {
				field, _ := contact.Schema.Field(f)
				if !field.Equal(kept.Base[f], base[f]) {
					t.Errorf("%s in %s: %s waits, and yet the two agree on %v", name, s, f, kept.Base[f])
				}
			}
			// Rejected, the other side's values come back.
			p.Base = Restored(contact.Schema, p, map[record.Side][]string{s: losses[s].Fields})
			back := Decide(contact.Schema, p, Policy{})
			for _, f := range tc.want {
				field, _ := contact.Schema.Field(f)
				for _, e := range base[f] {
					after := back.Base[f]
					if back.Ops[s] == nil || !slices.ContainsFunc(after, func(is record.Entry) bool { return field.Same(is, e) }) {
						t.Errorf("%s in %s: rejected, %s is %v", name, s, f, after)
					}
				}
			}
		}
	}
}

func TestLosses_of_records_that_meet_for_the_first_time_are_none(t *testing.T) {
	t.Parallel()
	a, b := record.Fields{contact.JobTitle: {{Text: "Queen"}}}, record.Fields{contact.JobTitle: {{Text: "King"}}}
	d := Decide(contact.Schema, Pair{First: true, Sides: map[record.Side]Now{
		record.Creatio: {ID: "c", Member: true, View: View{Fields: a}}, record.Google: {ID: "g", Member: true, View: View{Fields: b}},
	}}, Policy{})
	if losses := Losses(contact.Schema, d, func(string, string) bool { return true }); len(losses) > 0 {
		t.Errorf("got %+v", losses)
	}
}

// Of two entries that each side lost one of, both come back.
func TestRestored_takes_both_sides_losses_back(t *testing.T) {
	t.Parallel()
	a, b := record.Entry{Kind: "work", Text: "a@example.com"}, record.Entry{Kind: "work", Text: "b@example.com"}
	p := Pair{Active: true, Base: record.Fields{contact.Emails: {a, b}}, Sides: map[record.Side]Now{
		record.Creatio: {ID: "c", Member: true, View: View{Fields: record.Fields{contact.Emails: {a}}}},
		record.Google:  {ID: "g", Member: true, View: View{Fields: record.Fields{contact.Emails: {b}}}},
	}}
	if losses := Losses(contact.Schema, Decide(contact.Schema, p, Policy{}), never); len(losses) != 2 {
		t.Fatalf("got %+v", losses)
	}
	p.Base = Restored(contact.Schema, p, map[record.Side][]string{record.Creatio: {contact.Emails}, record.Google: {contact.Emails}})
	if d := Decide(contact.Schema, p, Policy{}); len(d.Base[contact.Emails]) != 2 {
		t.Errorf("back are %v", d.Base[contact.Emails])
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
