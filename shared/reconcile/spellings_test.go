package reconcile

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
)

// Google gives the entries of a contact in no order. Which of a number's forms becomes its row in Creatio does not hang on it, and
// two that nothing says to be one number are two rows.
func TestForms_of_a_number_come_to_the_same_in_any_order(t *testing.T) {
	t.Parallel()
	const abroad, there, russian = "011 44 20 7946 0107", "020 7946 0107", "8~10 44 20 7946 0107"
	number := func(kind, text string) record.Entry { return record.Entry{Kind: kind, Text: text} }
	for _, c := range []struct {
		home    string
		numbers []record.Entry
		want    []string
	}{
		{"US", []record.Entry{number("work", abroad), number("home", there)}, []string{abroad}},
		{"US", []record.Entry{number("home", abroad), number("work", there), number("mobile", abroad+" x5")}, []string{abroad, abroad + " x5"}},
		{"US", []record.Entry{number("work", abroad), number("home", russian)}, []string{abroad}},
		{"RU", []record.Entry{number("work", there), number("home", russian)}, []string{there}},
		{"IT", []record.Entry{number("work", abroad), number("home", there)}, []string{abroad, there}},
		{"", []record.Entry{number("work", abroad), number("home", there)}, []string{abroad, there}},
		{"", []record.Entry{number("work", abroad), number("home", there), number("other", "+44 20 7946 0107")}, []string{"+44 20 7946 0107"}},
	} {
		var turned [][]record.Entry
		for range c.numbers {
			c.numbers = append(c.numbers[1:], c.numbers[0])
			turned = append(turned, slices.Clone(c.numbers))
		}
		for _, numbers := range turned {
			m := Merge(contact.Schema, nil, true, inGoogle(numbers), Policy{Home: c.home})
			if diff := cmp.Diff(c.want, texts(m.After[record.Creatio][contact.Phones])); diff != "" {
				t.Errorf("%v with the user in %q, in Creatio (-want +got):\n%s", numbers, c.home, diff)
			}
			for _, later := range turned {
				views := inGoogle(later)
				views[record.Creatio] = View{Fields: m.After[record.Creatio], Projections: m.Projections[record.Creatio]}
				g := views[record.Google]
				g.Projections = m.Projections[record.Google]
				views[record.Google] = g
				if again := Merge(contact.Schema, m.Base, false, views, Policy{Home: c.home}); len(again.Changes) > 0 {
					t.Errorf("%v and then %v is a change: %+v", numbers, later, again.Changes)
				}
			}
		}
	}
}

// inGoogle is a contact that has but numbers, and nobody in Creatio.
func inGoogle(numbers []record.Entry) map[record.Side]View {
	f := record.Fields{contact.Phones: numbers}
	return map[record.Side]View{
		record.Creatio: {Fields: record.Fields{}},
		record.Google:  {Fields: contact.Schema.Clean(f), Untracked: contact.Schema.Repeats(f)},
	}
}

// texts are what entries say, in order.
func texts(entries []record.Entry) []string {
	var out []string
	for _, e := range entries {
		out = append(out, e.Text)
	}
	slices.Sort(out)
	return out
}
