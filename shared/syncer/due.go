package syncer

import (
	"hash/fnv"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
)

// DueAfter is when a user's next automatic sync is due after one that began at start. was is when that one had been due;
// zero where it was not the schedule that began it.
//
// Users whose syncs once coincided would coincide for ever, and Google asks for the contrary, varied by a quarter
// (https://developers.google.com/workspace/calendar/api/guides/quota). So each user has a second of the interval of one's
// own, and a sync is due up to a quarter of the interval early until it falls on that. From then on it comes every
// interval exactly, however early or late a tick or a queue makes it. It is never put off: ticks may come no more often
// than the interval, and the next one would be twice as far.
func DueAfter(user string, t record.Type, was, start time.Time, minutes int) time.Time {
	interval := time.Duration(minutes) * time.Minute
	if minutes <= 1 {
		return start.Add(interval)
	}
	if early := was.Sub(start); early > 0 && early <= interval/4 {
		// The tick before was the nearest.
		start = was
	}
	h := fnv.New32a()
	h.Write([]byte(string(t) + " " + user))
	own := time.Duration(h.Sum32()%uint32(minutes*60)) * time.Second
	next := start.Add(interval)
	past := next.Add(-own).Sub(next.Add(-own).Truncate(interval))
	return next.Add(-min(past, interval/4))
}
