package schedule

import (
	"fmt"
	"time"

	"github.com/tandem-sync/tandem/shared/tick"
)

// Cron is the cron text of the job that serves an interval.
func Cron(interval time.Duration) string {
	if p := tick.Period(interval); p > time.Minute {
		return fmt.Sprintf("*/%d * * * *", p/time.Minute)
	}
	return "* * * * *"
}
