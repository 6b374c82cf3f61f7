package main

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/syncer"
	"github.com/tandem-sync/tandem/shared/tick"
)

// settings are the numbers of a deployment and of a day.
type settings struct {
	users    int
	interval time.Duration
	// perSecond and concurrent are those of the queue; room is max_instances × concurrency of the function.
	perSecond, concurrent, room int
	// run is how long a run takes on average.
	run     time.Duration
	day     time.Duration
	outages []outage
	seed    uint64
	// quota is how many requests the project may make in a minute to the People API; 0 where nobody knows.
	quota int
}

// outage is a time in which a service answers no run.
type outage struct{ from, to time.Duration }

// day is what happened.
type day struct {
	settings
	// delays are how long after they were due runs began, seconds, sorted.
	delays []float64
	// runs did their work, retries failed for an outage, idle were tasks whose user was due no more.
	runs, retries, idle int
	ticks               int
	// deepest is the longest that the queue was; busiest the most runs at the same time; perMinute the most runs begun in a minute, and
	// busiestSecond the most tasks passed on in a second.
	deepest, busiest, perMinute, busiestSecond int
	// left are the users who were due for longer than an interval when the day ended.
	left int
}

// task is a user's in the queue.
type task struct {
	user    int
	due     time.Duration
	attempt int
}

// event is something at a time, in the order of times.
type event struct {
	at time.Duration
	// done is the task whose run ended; failed says that it is to be repeated.
	done   *task
	failed bool
	// again is a task whose backoff is over.
	again *task
}

type events []event

func (e events) Len() int           { return len(e) }
func (e events) Less(i, j int) bool { return e[i].at < e[j].at }
func (e events) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)        { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

const (
	// attempts, firstBackoff and longestBackoff are those of the queue in terraform.
	attempts       = 8
	firstBackoff   = 10 * time.Second
	longestBackoff = 10 * time.Minute
)

// simulate makes a day, second by second. The times at which users are due are those of the program itself.
func simulate(s settings) day {
	out := day{settings: s}
	random := rand.New(rand.NewPCG(s.seed, s.seed)) //nolint:gosec // a simulation
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	minutes := int(s.interval / time.Minute)
	due := make([]time.Duration, s.users)
	ids := make([]string, s.users)
	for i := range due {
		ids[i] = fmt.Sprint("user-", i)
		due[i] = syncer.DueAfter(ids[i], record.Contacts, time.Time{}, start.Add(-time.Duration(random.Int64N(int64(s.interval)))), minutes).Sub(start)
	}
	period := tick.Period(s.interval)
	names := map[[2]int64]bool{}
	var queue []*task
	var later events
	running, begun := 0, 0
	for now := time.Duration(0); now < s.day; now += time.Second {
		if now%time.Minute == 0 {
			out.perMinute, begun = max(out.perMinute, begun), 0
		}
		if now%period == 0 {
			out.ticks++
			for u, at := range due {
				if at > now+period/2 {
					continue
				}
				slot := tick.Slot(start.Add(at), start.Add(now))
				if name := [2]int64{int64(u), slot.UnixNano()}; !names[name] {
					names[name] = true
					queue = append(queue, &task{user: u, due: at})
				}
			}
		}
		for len(later) > 0 && later[0].at <= now {
			e := heap.Pop(&later).(event)
			switch {
			case e.again != nil:
				queue = append(queue, e.again)
			case e.failed:
				running--
				out.retries++
				if e.done.attempt++; e.done.attempt < attempts {
					wait := min(firstBackoff<<min(e.done.attempt-1, 5), longestBackoff)
					heap.Push(&later, event{at: now + wait, again: e.done})
				}
			default:
				running--
				out.runs++
			}
		}
		out.deepest = max(out.deepest, len(queue))
		passed := 0
		for range s.perSecond {
			if len(queue) == 0 || running >= min(s.concurrent, s.room) {
				break
			}
			next := queue[0]
			queue = queue[1:]
			passed++
			if due[next.user] > max(now, next.due) {
				out.idle++
				continue
			}
			running++
			begun++
			out.busiest = max(out.busiest, running)
			took := time.Duration((0.5 + random.Float64()) * float64(s.run)).Round(time.Second)
			failed := slices.ContainsFunc(s.outages, func(o outage) bool { return now >= o.from && now < o.to })
			if !failed {
				out.delays = append(out.delays, max(now-next.due, 0).Seconds())
				due[next.user] = syncer.DueAfter(ids[next.user], record.Contacts, start.Add(due[next.user]), start.Add(now), minutes).Sub(start)
			}
			heap.Push(&later, event{at: now + max(took, time.Second), done: next, failed: failed})
		}
		out.busiestSecond = max(out.busiestSecond, passed)
	}
	for _, at := range due {
		if s.day-at > s.interval {
			out.left++
		}
	}
	slices.Sort(out.delays)
	return out
}

// delay is how late the given part of all runs began at most.
func (d day) delay(part float64) time.Duration {
	if len(d.delays) == 0 {
		return 0
	}
	i := min(int(part*float64(len(d.delays))), len(d.delays)-1)
	return time.Duration(d.delays[i]) * time.Second
}
