package record

import (
	"testing"
	"time"
)

func TestExtent_covers_what_ends_in_it(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return time.Date(2026, 3, n, 0, 0, 0, 0, time.UTC) }
	for name, row := range map[string]struct {
		extent Extent
		parent string
		end    time.Time
		covers bool
	}{
		"everything":                      {Extent{}, "weekly", day(1), true},
		"at its beginning":                {Extent{From: day(2), To: day(4)}, "", day(2), true},
		"before it":                       {Extent{From: day(2), To: day(4)}, "", day(1), false},
		"at its end, which is not in it":  {Extent{From: day(2), To: day(4)}, "", day(4), false},
		"without an end on either side":   {Extent{From: day(2)}, "", time.Time{}, true},
		"one of the series":               {Extent{Parent: "weekly"}, "weekly", day(9), true},
		"one of another series":           {Extent{Parent: "weekly"}, "daily", day(9), false},
		"one of the series, out of range": {Extent{Parent: "weekly", To: day(4)}, "weekly", day(9), false},
		"a single one is of no series":    {Extent{Parent: "weekly"}, "", day(9), false},
		"one of a series of which only later ones were read": {
			Extent{From: day(2), Later: map[string]time.Time{"weekly": day(5)}}, "weekly", day(4), false,
		},
		"a later one of it":                {Extent{From: day(2), Later: map[string]time.Time{"weekly": day(5)}}, "weekly", day(5), true},
		"an extent without a last instant": {Extent{From: day(2)}, "", day(30), true},
	} {
		if got := row.extent.Covers(row.parent, row.end); got != row.covers {
			t.Errorf("%s: got %t", name, got)
		}
	}
}
