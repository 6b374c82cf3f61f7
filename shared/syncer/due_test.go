package syncer_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// intervals are those that users can choose, in minutes.
var intervals = []int{1, 5, 10, 15, 30, 60, 240, 1440}

var someUser = rapid.StringMatching(`[A-Za-z0-9_-]{1,30}`)

func TestA_sync_is_due_after_the_interval_or_up_to_a_quarter_before(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		user, minutes := someUser.Draw(t, "user"), rapid.SampledFrom(intervals).Draw(t, "minutes")
		kind := rapid.SampledFrom([]record.Type{record.Contacts, record.Activities}).Draw(t, "type")
		interval := time.Duration(minutes) * time.Minute
		start := time.UnixMicro(rapid.Int64Range(0, 1<<52).Draw(t, "start"))
		was := start.Add(time.Duration(rapid.Int64Range(-int64(2*interval), int64(2*interval)).Draw(t, "was")))
		if rapid.Bool().Draw(t, "asked for") {
			was = time.Time{}
		}
		due := syncer.DueAfter(user, kind, was, start, minutes)
		latest := start.Add(interval)
		if early := was.Sub(start); minutes > 1 && early > 0 && early <= interval/4 {
			latest = was.Add(interval)
		}
		if early := latest.Sub(due); early < 0 || early > interval/4 || (minutes == 1 && early != 0) {
			t.Fatalf("it is due %v early", early)
		}
		if again := syncer.DueAfter(user, kind, was.UTC(), start.UTC(), minutes); !again.Equal(due) {
			t.Fatalf("it is due at %s, and at %s", due, again)
		}
	})
}

func TestEvery_interval_is_kept_on_average_whenever_ticks_come(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		user, minutes := someUser.Draw(t, "user"), rapid.SampledFrom(intervals).Draw(t, "minutes")
		// Ticks come as often as the shortest interval in use, and take whoever is due nearest to them; or, where nobody
		// tells how often they come, who is due within half a minute.
		often := rapid.SampledFrom(intervals).Filter(func(often int) bool { return minutes%often == 0 }).Draw(t, "often")
		interval, period := time.Duration(minutes)*time.Minute, time.Duration(often)*time.Minute
		margin := rapid.SampledFrom([]time.Duration{30 * time.Second, period / 2}).Draw(t, "margin")
		first := time.Unix(rapid.Int64Range(0, 1<<32).Draw(t, "first"), 0)
		const syncs = 40
		tick, due, last := first, first, first
		for n := range syncs + 1 {
			for due.After(tick.Add(margin)) {
				tick = tick.Add(period)
			}
			// A queue takes its time.
			last = tick.Add(time.Duration(rapid.IntRange(0, 25).Draw(t, "seconds")) * time.Second)
			due = syncer.DueAfter(user, record.Contacts, due, last, minutes)
			if !due.After(tick.Add(margin)) {
				t.Fatalf("sync %d is due at the tick it began with", n+1)
			}
			if due.After(tick.Add(interval + margin)) {
				t.Fatalf("sync %d misses its tick", n+1)
			}
		}
		// The way to the user's own second is not made up for, nor that from the tick to it.
		if off := last.Sub(first) - syncs*interval; off > time.Minute || off < -interval-period {
			t.Fatalf("after %d syncs every %d minutes, with ticks every %d, the time is %v off", syncs, minutes, often, off)
		}
	})
}

func TestUsers_who_ran_together_do_not_for_ever(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)
	for _, minutes := range intervals[1:] {
		interval := time.Duration(minutes) * time.Minute
		tenths := map[int64]int{}
		for n := range 1000 {
			due := noon
			for range 4 {
				due = syncer.DueAfter(fmt.Sprint("user", n), record.Contacts, due, due, minutes)
			}
			tenths[int64(due.Sub(due.Truncate(interval))*10/interval)]++
		}
		for tenth := range int64(10) {
			if n := tenths[tenth]; n < 60 || n > 140 {
				t.Errorf("every %d minutes: %d of 1000 users come in tenth %d of the interval", minutes, n, tenth)
			}
		}
	}
}
