package record

import (
	"slices"
	"strings"
	"testing"
)

func TestKeys_of_entries_that_are_alike_are_one_whatever_their_order(t *testing.T) {
	t.Parallel()
	f := Field{
		Name: "numbers", Set: true, Key: func(e Entry) string { return e.Text },
		Alike: func(a, b Entry) bool { return strings.TrimPrefix(a.Text, "+") == strings.TrimPrefix(b.Text, "+") },
	}
	s := Schema{f}
	for _, order := range [][]string{{"+1", "1", "2"}, {"1", "2", "+1"}} {
		in := Fields{}
		for _, text := range order {
			in["numbers"] = append(in["numbers"], Entry{Text: text})
		}
		for i, key := range f.Keys(in["numbers"]) {
			if want := strings.ReplaceAll("+"+strings.TrimPrefix(order[i], "+"), "+2", "2"); key != want {
				t.Errorf("%s is known by %s, want %s", order[i], key, want)
			}
		}
		clean, repeats := s.Clean(in)["numbers"], s.Repeats(in)["numbers"]
		if len(clean) != 2 || len(repeats) != 1 || slices.ContainsFunc(clean, repeats[0].Equal) {
			t.Errorf("of %v %v show and %v repeat them", order, clean, repeats)
		}
	}
}
