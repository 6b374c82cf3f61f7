package schedule

import "time"

// crons are the intervals that users can choose, longest first. The daily one avoids midnight, when many clients call
// Google's APIs (https://developers.google.com/workspace/calendar/api/guides/quota).
var crons = []struct {
	every time.Duration
	text  string
}{
	{24 * time.Hour, "0 3 * * *"},
	{4 * time.Hour, "0 */4 * * *"},
	{time.Hour, "0 * * * *"},
	{30 * time.Minute, "*/30 * * * *"},
	{15 * time.Minute, "*/15 * * * *"},
	{10 * time.Minute, "*/10 * * * *"},
	{5 * time.Minute, "*/5 * * * *"},
}

// everyMinute is the most frequent schedule of a job.
const everyMinute = "* * * * *"

// Cron is the cron text for an interval. An interval between two that users can choose gets the text of the shorter one,
// so that no user is synchronized less often than the settings say.
func Cron(interval time.Duration) string {
	for _, c := range crons {
		if interval >= c.every {
			return c.text
		}
	}
	return everyMinute
}

// Period is the time between two runs of the job that serves an interval.
func Period(interval time.Duration) time.Duration {
	for _, c := range crons {
		if interval >= c.every {
			return c.every
		}
	}
	return time.Minute
}
