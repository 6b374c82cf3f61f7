// Package tick computes when the jobs that find due users come, and by which time the task of a due user is named. It is for
// shared/schedule, which sets the jobs, for shared/app, which serves them, and for the simulation of a fleet.
//
// The package is pure: no I/O and no clock.
package tick

import "time"

// perInterval is how many ticks of a job come in the shortest interval in use. Each user is due at a second of one's own; with
// one tick in an interval all who are due within it would begin at once.
const perInterval = 12

// periods are the times between two ticks, longest first. Each divides an hour, as a step of a cron text has to. The longest keeps
// users waiting no longer than that after their due time, or after a failure.
var periods = []time.Duration{15 * time.Minute, 10 * time.Minute, 5 * time.Minute, 2 * time.Minute, time.Minute}

// Period is the time between two ticks of the job that serves an interval: a twelfth of it, or the next shorter of periods.
func Period(interval time.Duration) time.Duration {
	for _, p := range periods {
		if interval/perInterval >= p {
			return p
		}
	}
	return time.Minute
}

// Overdue is how long a user may be due before the task is queued under another name.
const Overdue = 30 * time.Minute

// Slot is the time in the name of a due user's task. If a run died, its user stays due, but the name of the task stays in
// use in the queue. So a user who is overdue gets another slot every half hour.
func Slot(at, now time.Time) time.Time {
	if now.Sub(at) > Overdue {
		return now.Truncate(Overdue)
	}
	return at
}
