package syncer

import (
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"slices"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// ledger counts the records that lost something within the last day, by the side that it came from. A record counts once:
// its link says when it was counted. So does a series, however many of its records lose something: the sync's document names
// those that count. What a run that was cut off did not write into that document is taken from the links that it wrote.
type ledger struct {
	now   time.Time
	since time.Time
	sides map[record.Side]map[time.Time]int
	// series are those that count, by their digests; caughtUp are the links that were counted later.
	series   map[record.Side]map[string]seriesCount
	caughtUp map[string]bool
}

// seriesCount is the hour to which a series counts, links how many links of it this run counted, and before the hour to which it
// counted until then.
type seriesCount struct {
	hour, before time.Time
	links        int
}

// lossMemory is how long a loss counts. The hour in which it happened counts as a whole.
const lossMemory = 24 * time.Hour

func newLedger(kept store.Losses, now time.Time) *ledger {
	l := &ledger{now: now, since: kept.At, sides: map[record.Side]map[time.Time]int{}, caughtUp: map[string]bool{}, series: map[record.Side]map[string]seriesCount{}}
	for _, s := range record.Sides {
		l.sides[s], l.series[s] = map[time.Time]int{}, map[string]seriesCount{}
		for _, c := range kept.Sides[s] {
			l.sides[s][c.Hour] += c.Count
			for _, id := range c.Series {
				l.series[s][id] = seriesCount{hour: c.Hour}
			}
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
	if at, ok := link.LostAt[s]; ok && l.recent(at) {
		return true
	}
	c, ok := l.series[s][seriesID(link.Parent)]
	return ok && l.recent(c.hour)
}

// count counts a loss. What is counted already is moved to now.
func (l *ledger) count(link *store.Link, s record.Side) {
	at := link.LostAt[s]
	id := seriesID(link.Parent)
	c, known := l.series[s][id]
	if known {
		at = c.hour
	}
	l.take(s, at)
	l.sides[s][hourOf(l.now)]++
	if id != "" {
		if c.links == 0 {
			c.before = c.hour
		}
		c.links++
		c.hour = hourOf(l.now)
		l.series[s][id] = c
	}
	if was, ok := link.LostAt[s]; ok && !was.After(l.since) {
		link.LostBefore = l.noted(link.LostBefore, s, was)
	}
	link.LostAt = l.noted(link.LostAt, s, l.now)
}

// take takes back what was counted at a time, if anything was.
func (l *ledger) take(s record.Side, at time.Time) {
	if !at.IsZero() && l.sides[s][hourOf(at)] > 0 {
		l.sides[s][hourOf(at)]--
	}
}

// discount takes a loss back that did not come about. Its link was counted at before, if at all.
func (l *ledger) discount(link *store.Link, s record.Side, before time.Time) {
	if at, ok := link.LostAt[s]; !ok || !at.Equal(l.now) || before.Equal(l.now) {
		return
	}
	if id := seriesID(link.Parent); id != "" {
		l.discountSeries(id, s)
	} else {
		l.take(s, l.now)
		if !before.IsZero() {
			l.sides[s][hourOf(before)]++
		}
	}
	link.LostAt = l.noted(link.LostAt, s, before)
}

// discountSeries takes back that a link counted its series; others of the run may have done so too.
func (l *ledger) discountSeries(id string, s record.Side) {
	c := l.series[s][id]
	if c.links--; c.links > 0 {
		l.series[s][id] = c
		return
	}
	l.take(s, l.now)
	if c.before.IsZero() {
		delete(l.series[s], id)
		return
	}
	l.sides[s][c.before]++
	l.series[s][id] = seriesCount{hour: c.before}
}

// noted is when a link was counted, with one more time, and without those that count no more. The map is another one: the
// link as it is stored has the old one.
func (l *ledger) noted(times map[record.Side]time.Time, s record.Side, at time.Time) map[record.Side]time.Time {
	out := map[record.Side]time.Time{}
	for side, t := range times {
		if l.recent(t) {
			out[side] = t
		}
	}
	if out[s] = at; at.IsZero() {
		delete(out, s)
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// catchUp counts what a run wrote on a link without coming to its end. What a run that did come to its end had counted is moved.
func (l *ledger) catchUp(link store.Link) {
	if len(link.LostAt) == 0 || l.caughtUp[link.ID] {
		return
	}
	l.caughtUp[link.ID] = true
	for s, at := range link.LostAt {
		if !at.After(l.since) {
			continue
		}
		id, hour := seriesID(link.Parent), hourOf(at)
		if c, known := l.series[s][id]; known {
			l.take(s, c.hour)
			if c.hour.After(hour) {
				hour = c.hour
			}
		} else {
			l.take(s, link.LostBefore[s])
		}
		if id != "" {
			l.series[s][id] = seriesCount{hour: hour}
		}
		l.sides[s][hour]++
	}
}

// kept is the ledger as the sync's document has it.
func (l *ledger) kept() store.Losses {
	out := store.Losses{At: l.now}
	for _, s := range record.Sides {
		series := map[time.Time][]string{}
		for id, c := range l.series[s] {
			series[c.hour] = append(series[c.hour], id)
		}
		for _, hour := range slices.SortedFunc(maps.Keys(l.sides[s]), time.Time.Compare) {
			if n := l.sides[s][hour]; n > 0 && l.recent(hour) {
				if out.Sides == nil {
					out.Sides = map[record.Side][]store.HourCount{}
				}
				out.Sides[s] = append(out.Sides[s], store.HourCount{Hour: hour, Count: n, Series: slices.Sorted(slices.Values(series[hour]))})
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

// seriesID stands for a series in the sync's document; empty where there is none.
func seriesID(parent string) string {
	if parent == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(parent))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}
