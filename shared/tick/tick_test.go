package tick_test

import (
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/tick"
)

func TestA_period_is_a_twelfth_of_the_interval_that_a_cron_text_can_say(t *testing.T) {
	t.Parallel()
	for interval, want := range map[time.Duration]time.Duration{
		0: time.Minute, time.Minute: time.Minute, 23 * time.Minute: time.Minute, 24 * time.Minute: 2 * time.Minute, 59 * time.Minute: 2 * time.Minute,
		time.Hour: 5 * time.Minute, 2 * time.Hour: 10 * time.Minute, 4 * time.Hour: 15 * time.Minute, 24 * time.Hour: 15 * time.Minute,
	} {
		if got := tick.Period(interval); got != want || time.Hour%got != 0 {
			t.Errorf("%v: %v, want %v", interval, got, want)
		}
	}
}

func TestA_slot_is_the_due_time_until_the_user_is_overdue(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, time.March, 2, 9, 10, 7, 0, time.UTC)
	for late, want := range map[time.Duration]time.Time{
		-time.Minute: at, 0: at, 30 * time.Minute: at,
		31 * time.Minute: at.Truncate(time.Hour).Add(30 * time.Minute), 70 * time.Minute: at.Truncate(time.Hour).Add(time.Hour),
	} {
		if got := tick.Slot(at, at.Add(late)); !got.Equal(want) {
			t.Errorf("%v late: %v, want %v", late, got, want)
		}
	}
}
