package syncer

import (
	"fmt"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

var monday = time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)

// ledgers are runs one after the other, an hour apart, each of which counts losses of links. A run that is cut off leaves what it
// wrote on the links and nothing else.
type ledgers struct {
	kept  store.Losses
	links map[string]*store.Link
	hour  int
}

func (k *ledgers) run(cutOff bool, links ...string) *ledger {
	k.hour++
	l := newLedger(k.kept, monday.Add(time.Duration(k.hour)*time.Hour))
	for _, link := range k.links {
		l.catchUp(*link)
	}
	for _, id := range links {
		l.count(k.links[id], record.Google)
	}
	if !cutOff {
		k.kept = l.kept()
	}
	return l
}

func TestWhat_was_counted_counts_once_however_runs_end(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		runs func(k *ledgers)
		want int
	}{
		"counted by a run that came to its end and again by one that was cut off": {func(k *ledgers) {
			k.run(false, "Ada", "Bo")
			k.run(true, "Ada")
		}, 2},
		"and again by the one after that, which was cut off too": {func(k *ledgers) {
			k.run(false, "Ada", "Bo")
			k.run(true, "Ada")
			k.run(true, "Ada")
		}, 2},
		"and by one that came to its end": {func(k *ledgers) {
			k.run(false, "Ada", "Bo")
			k.run(true, "Ada")
			k.run(false, "Ada", "Bo")
			k.run(true, "Bo")
		}, 2},
		"first counted by one that was cut off": {func(k *ledgers) {
			k.run(true, "Ada")
			k.run(false, "Ada", "Bo")
		}, 2},
		"lessons of one series in runs of one day": {func(k *ledgers) {
			k.run(false, "lesson 1", "lesson 2")
			k.run(false, "lesson 3", "Ada")
			k.run(true, "lesson 4")
		}, 2},
		"lessons of one series in runs that were cut off": {func(k *ledgers) {
			k.run(true, "lesson 1", "lesson 2")
			k.run(true, "lesson 3")
		}, 1},
		"one a day later": {func(k *ledgers) {
			k.run(false, "Ada", "lesson 1")
			k.hour += 24
			k.run(false, "Ada", "lesson 2", "Bo")
		}, 3},
		"what is counted in between is moved, and is there a day after the first time": {func(k *ledgers) {
			k.run(false, "Ada", "lesson 1")
			k.hour += 20
			k.run(false, "Ada", "lesson 2")
			k.hour += 10
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := &ledgers{links: map[string]*store.Link{"Ada": {ID: "Ada"}, "Bo": {ID: "Bo"}}}
			for n := range 4 {
				id := fmt.Sprint("lesson ", n+1)
				k.links[id] = &store.Link{ID: id, Parent: "lessons"}
			}
			row.runs(k)
			if got := k.run(false).done(record.Google); got != row.want {
				t.Errorf("counted are %d, want %d", got, row.want)
			}
		})
	}
}

func TestWhat_did_not_come_about_counts_nothing(t *testing.T) {
	t.Parallel()
	ada, first, second := &store.Link{ID: "Ada"}, &store.Link{ID: "lesson 1", Parent: "lessons"}, &store.Link{ID: "lesson 2", Parent: "lessons"}
	l := newLedger(store.Losses{}, monday)
	for _, link := range []*store.Link{ada, first, second} {
		l.count(link, record.Google)
	}
	l.discount(first, record.Google, time.Time{})
	l.discount(ada, record.Google, time.Time{})
	if got := l.done(record.Google); got != 1 || !l.counted(first, record.Google) || l.counted(ada, record.Google) {
		t.Errorf("of a series of which one record lost something, and nothing else, %d count", got)
	}
	l.discount(second, record.Google, time.Time{})
	if got := l.done(record.Google); got != 0 || l.counted(second, record.Google) {
		t.Errorf("of nothing %d count", got)
	}
}
