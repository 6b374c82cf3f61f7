package record

import (
	"strings"
	"testing"
)

func TestCut_splits_no_character(t *testing.T) {
	t.Parallel()
	family := "\U0001F468\u200d\U0001F469\u200d\U0001F467"
	for name, c := range map[string]struct {
		text  string
		limit int
		want  string
	}{
		"a text that fits":             {"short", 5, "short"},
		"a longer one":                 {"longer", 5, "longe"},
		"a family at the end":          {strings.Repeat("a", 246) + family, 250, strings.Repeat("a", 246)},
		"a family that fits":           {strings.Repeat("a", 242) + family, 250, strings.Repeat("a", 242) + family},
		"an accent of its own":         {"Rene\u0301", 4, "Ren"},
		"a flag":                       {"ab\U0001F1E9\U0001F1EA", 4, "ab"},
		"an emoji that fits":           {"ab\U0001F600", 4, "ab\U0001F600"},
		"Devanagari":                   {"नि", 1, ""},
		"no space is left at the end":  {"one two", 4, "one"},
		"one character without a room": {family, 3, ""},
	} {
		if got := Cut(c.text, c.limit); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
	if got := CutBytes("a"+family, 8); got != "a" {
		t.Errorf("in bytes: got %q", got)
	}
}
