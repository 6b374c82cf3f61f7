package google_test

import (
	"strconv"
	"testing"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/google"
)

func TestPages_that_come_to_no_end_are_an_error(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		token   func(page int) string
		entries func(page int) int
		read    int
	}{
		"the same page again and again":    {func(int) string { return "a" }, func(int) int { return 1 }, 2},
		"two pages by turns":               {func(n int) string { return strconv.Itoa(n % 2) }, func(int) int { return 1 }, 3},
		"empty pages, each with another":   {strconv.Itoa, func(int) int { return 0 }, 100},
		"full pages, each with another":    {strconv.Itoa, func(int) int { return 1 }, 10_001},
		"now and then a page with nothing": {strconv.Itoa, func(n int) int { return n % 50 }, 10_001},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var p google.Pages
			for n := 1; ; n++ {
				next, err := p.Next("list things", c.token(n), c.entries(n))
				if err == nil && next == c.token(n) && n < c.read {
					continue
				}
				if n != c.read || !fault.Is(err, fault.Retry) {
					t.Errorf("after %d pages, and not %d: %q, %v", n, c.read, next, err)
				}
				return
			}
		})
	}
	var p google.Pages
	if next, err := p.Next("list things", "", 0); next != "" || err != nil {
		t.Errorf("the last page: %q, %v", next, err)
	}
}
