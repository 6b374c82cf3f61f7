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
		1: "* * * * *", 5: "*/5 * * * *", 10: "*/10 * * * *", 15: "*/15 * * * *", 30: "*/30 * * * *",
		60: "0 * * * *", 240: "0 */4 * * *", 1440: "0 3 * * *",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("cron texts (-want +got):\n%s", diff)
	}
}

func TestAn_interval_between_two_gets_the_cron_text_of_the_shorter_one(t *testing.T) {
	t.Parallel()
	for interval, want := range map[time.Duration]string{
		time.Second: "* * * * *", 4 * time.Minute: "* * * * *", 7 * time.Minute: "*/5 * * * *", 59 * time.Minute: "*/30 * * * *",
		23 * time.Hour: "0 */4 * * *", 72 * time.Hour: "0 3 * * *",
	} {
		if got := schedule.Cron(interval); got != want {
			t.Errorf("%v: got %q, want %q", interval, got, want)
		}
	}
}

func TestThe_period_of_a_job_matches_its_cron_text(t *testing.T) {
	t.Parallel()
	for interval, want := range map[time.Duration]time.Duration{
		0: time.Minute, time.Minute: time.Minute, 7 * time.Minute: 5 * time.Minute, time.Hour: time.Hour, 5 * time.Hour: 4 * time.Hour, 72 * time.Hour: 24 * time.Hour,
	} {
		if got := schedule.Period(interval); got != want {
			t.Errorf("%v: got %v, want %v", interval, got, want)
		}
	}
}
