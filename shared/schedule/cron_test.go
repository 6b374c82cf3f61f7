package schedule_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-sync/tandem/shared/schedule"
)

func TestEvery_interval_that_users_can_choose_has_its_cron_text(t *testing.T) {
	t.Parallel()
	got := map[int]string{}
	for _, minutes := range []int{1, 5, 10, 15, 30, 60, 240, 1440} {
		got[minutes] = schedule.Cron(time.Duration(minutes) * time.Minute)
	}
	want := map[int]string{
		1: "* * * * *", 5: "* * * * *", 10: "* * * * *", 15: "* * * * *", 30: "*/2 * * * *",
		60: "*/5 * * * *", 240: "*/15 * * * *", 1440: "*/15 * * * *",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("cron texts (-want +got):\n%s", diff)
	}
}

func TestA_job_ticks_every_twelfth_of_its_interval_each_minute_at_most_and_each_quarter_of_an_hour_at_least(t *testing.T) {
	t.Parallel()
	for interval, want := range map[time.Duration]string{
		time.Second: "* * * * *", 7 * time.Minute: "* * * * *", 23 * time.Minute: "* * * * *", 24 * time.Minute: "*/2 * * * *", 59 * time.Minute: "*/2 * * * *",
		2 * time.Hour: "*/10 * * * *", 23 * time.Hour: "*/15 * * * *", 72 * time.Hour: "*/15 * * * *",
	} {
		if got := schedule.Cron(interval); got != want {
			t.Errorf("%v: got %q, want %q", interval, got, want)
		}
	}
}
