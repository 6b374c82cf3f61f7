package reconcile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
)

// TestNames_in_two_scripts_stay_until_one_is_edited says what both sides show of a name after a merge. A name is written
// "given|middle|last".
func TestNames_in_two_scripts_stay_until_one_is_edited(t *testing.T) {
	t.Parallel()
	type pair struct{ creatio, google string }
	for name, c := range map[string]struct {
		met, now, want pair
		policy         Policy
	}{
		"nobody edits":                  {pair{"Олена||Коваль", "Olena||Koval"}, pair{"Олена||Коваль", "Olena||Koval"}, pair{"Олена||Коваль", "Olena||Koval"}, Policy{}},
		"a part that only one has":      {pair{"Тарас|Іванович|Бойко", "Taras||Boyko"}, pair{"Тарас|Іванович|Бойко", "Taras||Bojko"}, pair{"Taras|Іванович|Bojko", "Taras||Bojko"}, Policy{}},
		"never split on one side":       {pair{"Олена||Коваль", "Olena Koval||"}, pair{"Олена||Коваль", "Olena Bojko||"}, pair{"Olena Bojko||", "Olena Bojko||"}, Policy{}},
		"edited to the other's script":  {pair{"Олена||Коваль", "Olena||Koval"}, pair{"Olena||Koval", "Olena||Koval"}, pair{"Olena||Koval", "Olena||Koval"}, Policy{}},
		"both edited, Creatio wins":     {pair{"Олена||Коваль", "Olena||Koval"}, pair{"Оля||Коваль", "Olena||Bojko"}, pair{"Оля||Коваль", "Оля||Коваль"}, Policy{Conflicts: CreatioWins}},
		"both edited, Google wins":      {pair{"Олена||Коваль", "Olena||Koval"}, pair{"Оля||Коваль", "Olena||Bojko"}, pair{"Olena||Bojko", "Olena||Bojko"}, Policy{Conflicts: GoogleWins}},
		"one way, edited on that side":  {pair{"Олена||Коваль", "Olena||Koval"}, pair{"Оля||Коваль", "Olena||Koval"}, pair{"Оля||Коваль", "Оля||Коваль"}, Policy{Direction: ToGoogle}},
		"one way, edited on the other":  {pair{"Олена||Коваль", "Olena||Koval"}, pair{"Оля||Коваль", "Olena||Koval"}, pair{"Оля||Коваль", "Olena||Koval"}, Policy{Direction: ToCreatio}},
		"first meeting, Creatio wins":   {pair{"Олена||Коваль", "Olena||Koval"}, pair{"Олена||Коваль", "Olena||Koval"}, pair{"Олена||Коваль", "Olena||Koval"}, Policy{Conflicts: CreatioWins}},
		"a script in common is no case": {pair{"Soren||Bo", "Søren||Bø"}, pair{"Soren||Bo", "Soren||Bo"}, pair{"Soren||Bo", "Soren||Bo"}, Policy{}},
		"emptied":                       {pair{"Олена||Коваль", "Olena||Koval"}, pair{"Олена||Коваль", "||"}, pair{"||", "||"}, Policy{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first := Merge(contact.Schema, nil, true, views(c.met.creatio, c.met.google, nil), c.policy)
			again := Merge(contact.Schema, first.Base, false, views(c.now.creatio, c.now.google, first.Projections), c.policy)
			got := pair{named(again.After[record.Creatio]), named(again.After[record.Google])}
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(pair{})); diff != "" {
				t.Errorf("what both sides show (-want +got):\n%s", diff)
			}
			last := Merge(contact.Schema, again.Base, false, views(got.creatio, got.google, again.Projections), c.policy)
			if c.policy.Direction != ToCreatio && len(last.Changes[record.Creatio])+len(last.Changes[record.Google]) > 0 {
				t.Errorf("the next run writes again: %+v", last.Changes)
			}
		})
	}
}

// views are two records that show a name each.
func views(creatio, google string, shown map[record.Side][]record.Projection) map[record.Side]View {
	return map[record.Side]View{
		record.Creatio: {Fields: fieldsNamed(creatio), Projections: shown[record.Creatio]},
		record.Google:  {Fields: fieldsNamed(google), Projections: shown[record.Google]},
	}
}

func fieldsNamed(name string) record.Fields {
	f := record.Fields{}
	for i, part := range strings.Split(name, "|") {
		f.SetText([]string{contact.GivenName, contact.MiddleName, contact.Surname}[i], part)
	}
	return f
}

func named(f record.Fields) string {
	return strings.Join([]string{f.Text(contact.GivenName), f.Text(contact.MiddleName), f.Text(contact.Surname)}, "|")
}
