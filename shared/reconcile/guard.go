package reconcile

import "github.com/tandem-sync/tandem/shared/record"

// The guard's bounds: a plan is held when it takes away more than both.
const (
	guardCount = 10
	guardShare = 0.20
)

// The reasons for which a plan is held.
const (
	HeldMany    = "many"    // it takes away too many records at once
	HeldEmptied = "emptied" // it follows a side that suddenly shows nothing
)

// Guard tells whether a plan has to wait for the user's approval, and why; active is the number of links in scope
// before the run. A mistake that takes everything away at once is the one that users of a sync fear most.
func Guard(decisions []Decision, active int) (reason string) {
	away, left := map[record.Side]int{}, map[record.Side]int{}
	total := 0
	for _, d := range decisions {
		for side := range d.left {
			left[side]++
		}
		for side, op := range d.Ops {
			if op.Action.Removes() {
				away[side]++
				total++
			}
		}
	}
	for _, side := range record.Sides {
		if away[side] > 0 && left[side.Other()] >= active {
			return HeldEmptied
		}
	}
	if total > guardCount && float64(total) > guardShare*float64(active) {
		return HeldMany
	}
	return ""
}
