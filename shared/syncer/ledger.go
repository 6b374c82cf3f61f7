package syncer

import (
	"maps"
	"slices"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// ledger counts the records that lost something within the last day, by the side that it came from. A record counts once:
// its link says when it was counted. What a run that was cut off did not write into the sync's document is taken from
// the links that it wrote.
type ledger struct {
	now   time.Time
	since time.Time
	sides map[record.Side]map[time.Time]int
	// units are the series of which a record was counted in this run, caughtUp the links that were counted later.
	units    map[record.Side]map[string]bool
	caughtUp map[string]bool
}

// lossMemory is how long a loss counts. The hour in which it happened counts as a whole.
const lossMemory = 24 * time.Hour

func newLedger(kept store.Losses, now time.Time) *ledger {
	l := &ledger{now: now, since: kept.At, sides: map[record.Side]map[time.Time]int{}, caughtUp: map[string]bool{}, units: map[record.Side]map[string]bool{}}
	for _, s := range record.Sides {
		l.sides[s], l.units[s] = map[time.Time]int{}, map[string]bool{}
		for _, c := range kept.Sides[s] {
			l.sides[s][c.Hour] += c.Count
		}
	}
	return l
}

func hourOf(at time.Time) time.Time { return at.UTC().Truncate(time.Hour) }

func (l *ledger) recent(at time.Time) bool {
	return hourOf(at).Add(lossMemory + time.Hour).After(l.now)
}

// done is how many records lost something because of a side.
func (l *ledger) done(s record.Side) (n int) {
	for hour, count := range l.sides[s] {
		if l.recent(hour) {
			n += count
		}
	}
	return n
}

// counted reports whether a loss that a side causes to a link would count nothing more.
func (l *ledger) counted(link *store.Link, s record.Side) bool {
	at, ok := link.LostAt[s]
	return ok && l.recent(at) || link.Parent != "" && l.units[s][link.Parent]
}

// count counts a loss. A link that is counted already is moved to now.
func (l *ledger) count(link *store.Link, s record.Side) {
	at, before := link.LostAt[s]
	if !before && link.Parent != "" && l.units[s][link.Parent] {
		return
	}
	if before && l.sides[s][hourOf(at)] > 0 {
		l.sides[s][hourOf(at)]--
	}
	l.sides[s][hourOf(l.now)]++
	l.units[s][unitOf(link)] = true
	l.note(link, s, l.now)
}

// discount takes a loss back that did not come about.
func (l *ledger) discount(link *store.Link, s record.Side, before time.Time) {
	if at, ok := link.LostAt[s]; !ok || !at.Equal(l.now) || before.Equal(l.now) {
		return
	}
	l.sides[s][hourOf(l.now)]--
	if !before.IsZero() {
		l.sides[s][hourOf(before)]++
	}
	l.note(link, s, before)
}

// note writes on the link when it was counted. The map is another one: the link as it is stored has the old one.
func (l *ledger) note(link *store.Link, s record.Side, at time.Time) {
	lost := map[record.Side]time.Time{}
	for side, t := range link.LostAt {
		if l.recent(t) {
			lost[side] = t
		}
	}
	lost[s] = at
	if at.IsZero() {
		delete(lost, s)
	}
	link.LostAt = lost
	if len(lost) == 0 {
		link.LostAt = nil
	}
}

// catchUp counts what a run wrote on a link without coming to its end.
func (l *ledger) catchUp(link store.Link) {
	for s, at := range link.LostAt {
		if at.After(l.since) && !l.caughtUp[link.ID] {
			l.sides[s][hourOf(at)]++
		}
	}
	if len(link.LostAt) > 0 {
		l.caughtUp[link.ID] = true
	}
}

// kept is the ledger as the sync's document has it.
func (l *ledger) kept() store.Losses {
	out := store.Losses{At: l.now}
	for _, s := range record.Sides {
		for _, hour := range slices.SortedFunc(maps.Keys(l.sides[s]), time.Time.Compare) {
			if n := l.sides[s][hour]; n > 0 && l.recent(hour) {
				if out.Sides == nil {
					out.Sides = map[record.Side][]store.HourCount{}
				}
				out.Sides[s] = append(out.Sides[s], store.HourCount{Hour: hour, Count: n})
			}
		}
	}
	return out
}

// unitOf is what counts once: a record, or the series that it belongs to.
func unitOf(link *store.Link) string {
	if link.Parent != "" {
		return link.Parent
	}
	return link.ID
}
