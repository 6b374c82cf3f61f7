package app

import (
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cloud.google.com/go/scheduler/apiv1/schedulerpb"

	"github.com/tandem-sync/tandem/shared/record"
	cloudbox "github.com/tandem-sync/tandem/shared/sandbox/cloud"
	"github.com/tandem-sync/tandem/shared/schedule"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/bolt"
)

// following is a follower over a store of its own, whose job is in the cloud.
func following(t *testing.T) (*follower, store.Store, *cloudbox.Server) {
	t.Helper()
	s, err := bolt.Open(filepath.Join(t.TempDir(), "tandem.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	c := cloudbox.Start()
	t.Cleanup(c.Stop)
	c.Scheduler.Put(&schedulerpb.Job{
		Name: jobName, Schedule: "0 * * * *", State: schedulerpb.Job_ENABLED,
		Target: &schedulerpb.Job_HttpTarget{HttpTarget: &schedulerpb.HttpTarget{Uri: "https://tandem.example.com/sync-contacts"}},
	})
	jobs, err := schedule.New(schedule.Options{Location: "projects/p/locations/l", Client: c.Options()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = jobs.Close() })
	return &follower{jobs: jobs, store: s, now: time.Now, logger: slog.New(slog.DiscardHandler), last: map[record.Type]followed{}}, s, c
}

const jobName = "projects/p/locations/l/jobs/sync-contacts"

// automatic has a user synchronize every so many minutes; never with zero.
func automatic(t *testing.T, s store.Store, user string, minutes int) {
	t.Helper()
	if err := s.User(user).UpdateProfile(t.Context(), func(*store.Profile) error { return nil }); err != nil {
		t.Fatal(err)
	}
	err := s.User(user).UpdateSync(t.Context(), record.Contacts, func(d *store.Sync) error {
		d.Settings.Automatic, d.Settings.IntervalMinutes, d.Due = minutes > 0, minutes, time.Time{}
		if minutes > 0 {
			d.Due = time.Now()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestOf_two_who_save_at_once_the_job_follows_both(t *testing.T) {
	t.Parallel()
	f, s, c := following(t)
	// The last who synchronizes automatically stops. Between what that user reads and the pause, another one begins and
	// finds the job running.
	automatic(t, s, "ada", 0)
	var once sync.Once
	c.SetFault(func(call cloudbox.Call) *cloudbox.Fault {
		if call.Method == "PauseJob" {
			once.Do(func() {
				automatic(t, s, "bob", 60)
				if pace := f.saved(t.Context(), record.Contacts); pace != time.Hour {
					t.Errorf("the other one finds a pace of %v", pace)
				}
			})
		}
		return nil
	})
	if pace := f.saved(t.Context(), record.Contacts); pace != time.Hour || c.Scheduler.Job(jobName).GetState() != schedulerpb.Job_ENABLED {
		t.Errorf("in the end the pace is %v and the job %v", pace, c.Scheduler.Job(jobName).GetState())
	}
}

func TestA_scheduler_that_does_not_answer_holds_up_a_save_for_a_moment_only(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, _, c := following(t)
		c.SetFault(func(cloudbox.Call) *cloudbox.Fault { return &cloudbox.Fault{} })
		began := time.Now()
		f.saved(t.Context(), record.Contacts)
		if took := time.Since(began); took > saveTime {
			t.Errorf("the save took %v", took)
		}
	})
}

func TestSettings_that_keep_changing_are_left_to_the_next_tick(t *testing.T) {
	t.Parallel()
	f, s, c := following(t)
	minutes := 0
	c.SetFault(func(cloudbox.Call) *cloudbox.Fault {
		minutes++
		automatic(t, s, "ada", minutes)
		return nil
	})
	if _, err := f.follow(t.Context(), record.Contacts); err == nil || !strings.Contains(err.Error(), "keep changing") {
		t.Errorf("error is %v", err)
	}
}
