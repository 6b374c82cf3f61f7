// Command simulate prints what a day of a fleet of users looks like; see scripts/bench.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

func main() {
	s := settings{}
	flag.IntVar(&s.users, "users", 100_000, "users who synchronize contacts")
	flag.DurationVar(&s.interval, "every", time.Hour, "their interval")
	flag.IntVar(&s.perSecond, "per-second", 100, "per_second of the queue")
	flag.IntVar(&s.concurrent, "concurrent", 600, "concurrent of the queue")
	flag.IntVar(&s.room, "room", 800, "max_instances × concurrency of the function")
	flag.DurationVar(&s.run, "run", 3*time.Second, "how long a run takes on average")
	flag.DurationVar(&s.day, "for", 24*time.Hour, "how long is simulated")
	flag.IntVar(&s.quota, "quota", 0, "requests to the People API that the project may make in a minute, as scripts/doctor tells; 0: unknown")
	outages := flag.Bool("outages", true, "one service answers nobody from 9:00 to 9:10, the other from 15:00 to 16:30")
	flag.Uint64Var(&s.seed, "seed", 1, "seed")
	flag.Parse()
	if s.users < 1 || s.interval < time.Minute || s.quota < 0 || s.perSecond < 1 || s.concurrent < 1 || s.room < 1 || s.run < time.Second || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "simulate: every number has to be at least 1, and -every at least a minute")
		os.Exit(2)
	}
	if *outages {
		s.outages = []outage{{9 * time.Hour, 9*time.Hour + 10*time.Minute}, {15 * time.Hour, 16*time.Hour + 30*time.Minute}}
	}
	simulate(s).print(os.Stdout)
}

// The figures of terraform/README.md, Costs and Ceilings. A test compares them.
const (
	readsRefreshed, writesRefreshed = 10, 6
	readsFresh, writesFresh         = 7, 3
	callsGoogle, callsCreatio       = 2, 1
	cpuSeconds                      = 0.75
	tokenLife                       = time.Hour
)

func (d day) print(w io.Writer) {
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	line("%d users every %v for %v; the queue passes on %d a second, %d at a time; room for %d", d.users, d.interval, d.day, d.perSecond, d.concurrent, d.room)
	for _, o := range d.outages {
		line("nobody is answered from %v to %v", o.from, o.to)
	}
	line("runs         %d, and %d that failed for an outage; %d tasks ended at once, because their user was due no more", d.runs, d.retries, d.idle)
	line("delay        50 %% %v, 90 %% %v, 99 %% %v, longest %v", d.delay(0.5), d.delay(0.9), d.delay(0.99), d.delay(1))
	line("queue        %d tasks at most; %d runs at a time at most", d.deepest, d.busiest)
	line("quotas       %d requests to Google and %d to Creatio in the busiest minute; %.1f M and %.1f M in all", d.perMinute*callsGoogle, d.perMinute*callsCreatio,
		float64((d.runs+d.retries)*callsGoogle)/1e6, float64((d.runs+d.retries)*callsCreatio)/1e6)
	line("             %s of the People API's requests a minute; %.0f %% of the %d tasks a second that a queue of Cloud Tasks passes on at most",
		share(d.perMinute*callsGoogle, d.quota), 100*float64(d.busiestSecond)/mostTasks, mostTasks)
	reads, writes, cost := d.cost()
	line("cost         %.1f M documents read, %.1f M written, %.1f M CPU seconds: about %.2f USD without free quotas", reads/1e6, writes/1e6, float64(d.runs+d.retries)*cpuSeconds/1e6, cost)
	if d.left > 0 {
		line("NOT ENOUGH   %d users have been due for more than an interval at the end: raise -per-second, -concurrent and -room", d.left)
	}
}

// mostTasks is how many tasks a queue passes on in a second at most (https://cloud.google.com/tasks/docs/quotas).
const mostTasks = 500

func share(used, quota int) string {
	if quota == 0 {
		return fmt.Sprintf("%d of an unknown number (-quota)", used)
	}
	return fmt.Sprintf("%.0f %% of %d", 100*float64(used)/float64(quota), quota)
}

// cost is what the day cost at list prices: Firestore, CPU and memory, calls, Tasks.
func (d day) cost() (reads, writes, dollars float64) {
	refreshed := min(float64(d.interval)/float64(tokenLife), 1)
	runs := float64(d.runs + d.retries)
	reads = runs * (refreshed*readsRefreshed + (1-refreshed)*readsFresh)
	writes = runs * (refreshed*writesRefreshed + (1-refreshed)*writesFresh)
	return reads, writes, (reads*0.30 + writes*0.90 + runs*cpuSeconds*(24+2.50) + runs*0.40 + runs*2*0.40) / 1e6
}
