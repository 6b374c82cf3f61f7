package schedule

import (
	"fmt"
	"time"
)

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

// Cron is the cron text of the job that serves an interval.
func Cron(interval time.Duration) string {
	if p := Period(interval); p > time.Minute {
		return fmt.Sprintf("*/%d * * * *", p/time.Minute)
	}
	return "* * * * *"
}
