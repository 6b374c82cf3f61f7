package app_test

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/scheduler/apiv1/schedulerpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tandem-sync/tandem/shared/app"
	cloudbox "github.com/tandem-sync/tandem/shared/sandbox/cloud"
	creatiobox "github.com/tandem-sync/tandem/shared/sandbox/creatio"
	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
)

// contactsJob is the job of the contacts, as Terraform makes it.
func contactsJob(state schedulerpb.Job_State, cron string) *schedulerpb.Job {
	return &schedulerpb.Job{
		Name: "projects/p/locations/l/jobs/sync-contacts", Schedule: cron, TimeZone: "Etc/UTC", State: state,
		Target: &schedulerpb.Job_HttpTarget{HttpTarget: &schedulerpb.HttpTarget{
			Uri: "https://tandem.example.com/sync-contacts", HttpMethod: schedulerpb.HttpMethod_POST, Body: []byte("{}"),
		}},
	}
}

// jobs is Cloud Scheduler with the job of the contacts.
type jobs struct{ *cloudbox.Server }

func newJobs(t *testing.T) *jobs { return &jobs{newCloud(t)} }

// want checks how the job is.
func (j *jobs) want(t *testing.T, when, want string) {
	t.Helper()
	job := j.Scheduler.Job(contactsJob(0, "").GetName())
	if got := job.GetState().String() + " " + job.GetSchedule(); got != want {
		t.Errorf("%s: the job is %s, want %s", when, got, want)
	}
}

// asked is how often the scheduler was asked for something since the last time.
func (j *jobs) asked() int { return len(j.Calls()) }

// refuse has Cloud Scheduler refuse everything, or no longer.
func (j *jobs) refuse(yes bool) {
	if !yes {
		j.SetFault(nil)
		return
	}
	j.SetFault(func(cloudbox.Call) *cloudbox.Fault {
		return &cloudbox.Fault{Err: status.Error(codes.PermissionDenied, "no cloudscheduler.jobs.get")}
	})
}

func onScheduler(j *jobs) change {
	return func(env map[string]string, _ *creatiobox.Options, o *app.Options) {
		env["SCHEDULER"] = "projects/p/locations/l"
		o.Google = j.Options()
	}
}

// every saves an interval; zero ends automatic synchronization.
func (w *world) every(tag string, minutes int) {
	w.t.Helper()
	w.call(http.MethodPut, "/contacts", map[string]any{
		"automatic": minutes > 0, "intervalMinutes": cmp.Or(minutes, 60), "tagId": tag, "direction": "both", "conflicts": "latest",
	}, 200, nil)
	w.settle()
}

// followed is a world that a job calls, in which Ada synchronizes automatically; zero minutes is by hand.
func followed(t *testing.T, minutes int) (w *world, j *jobs, tag string) {
	t.Helper()
	j = newJobs(t)
	w = newWorld(t, onScheduler(j))
	tag = w.tag("Ada", private)
	w.link()
	if minutes > 0 {
		w.every(tag, minutes)
	}
	return w, j, tag
}

// settle waits for what is queued.
func (w *world) settle() {
	w.t.Helper()
	if err := w.app.Wait(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// tickAfter calls the function as the job does, a while later.
func (w *world) tickAfter(d time.Duration) string {
	w.t.Helper()
	w.pass(d)
	return w.tick()
}

// finds checks how many users a tick finds due, and hands over.
func (w *world) finds(when string, d time.Duration, due int) {
	w.t.Helper()
	if got, want := w.tickAfter(d), fmt.Sprintf(`{"due":%d,"queued":%d}`, due, due); got != want {
		w.t.Errorf("%s: the tick finds %s, want %s", when, got, want)
	}
}

// tick calls the function as the job does.
func (w *world) tick() string {
	w.t.Helper()
	a := w.do(http.MethodPost, "/sync-contacts", "{}")
	if a.status != 200 {
		w.t.Fatalf("tick: got %d %s", a.status, a.body)
	}
	w.settle()
	return strings.TrimSpace(a.body)
}

func TestThe_job_follows_what_a_user_chooses(t *testing.T) {
	t.Parallel()
	for name, changes := range map[string][]change{"bolt": nil, "firestore": {onFirestore(t)}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := newJobs(t)
			w := newWorld(t, append(changes, onScheduler(j))...)
			tag := w.tag("Ada", private)
			w.link()
			j.want(t, "linked", "PAUSED * * * * *")
			w.every(tag, 240)
			j.want(t, "every 4 hours", "ENABLED */15 * * * *")
			w.every(tag, 60)
			j.want(t, "every hour", "ENABLED */5 * * * *")
			w.every(tag, 0)
			j.want(t, "by hand", "PAUSED */5 * * * *")
			w.every(tag, 1440)
			j.want(t, "once a day", "ENABLED */15 * * * *")
			j.asked()
			w.every(tag, 1440)
			if n := j.asked(); n != 0 {
				t.Errorf("saving the same again asked the scheduler %d times", n)
			}
			w.call(http.MethodDelete, "/creatio", nil, 204, nil)
			// What is kept for the case that the account is linked again has to go some day.
			j.want(t, "unlinked", "ENABLED */5 * * * *")
			w.link()
			j.want(t, "linked again", "PAUSED */5 * * * *")
			w.every(tag, 60)
			j.want(t, "every hour again", "ENABLED */5 * * * *")
			w.visit("/settings/sign-in")
			w.call(http.MethodDelete, "/account", nil, 204, nil)
			j.want(t, "erased", "PAUSED */5 * * * *")
		})
	}
}

func TestA_save_that_was_cut_off_before_the_job_followed_is_mended_by_saving_again(t *testing.T) {
	t.Parallel()
	w, j, tag := followed(t, 60)
	j.want(t, "every hour", "ENABLED */5 * * * *")
	j.Scheduler.Put(contactsJob(schedulerpb.Job_PAUSED, "* * * * *"))
	// The process is another one.
	w.stop()
	w.start()
	w.every(tag, 60)
	j.want(t, "saved again", "ENABLED */5 * * * *")
}

func TestWho_is_due_does_not_wait_for_a_job_that_comes_once_a_day(t *testing.T) {
	t.Parallel()
	w, _, tag := followed(t, 0)
	w.tagged(tag, w.contact("Grace Hopper", "grace@example.com"))
	w.every(tag, 1440)
	if last := w.account().Contacts.State.LastSync; last == nil || !last.Equal(w.now()) {
		t.Fatalf("the last synchronization is %v", last)
	}
	// At 9 o'clock; the job comes at 3. That of the next day is the nearest to the time at which it is due, which is
	// between 3 and 9 on that day.
	w.finds("more than half a day too early", 6*time.Hour-time.Minute, 0)
	w.finds("up to 6 hours too early", 12*time.Hour+time.Minute, 1)
	for day := range 3 {
		w.finds(fmt.Sprintf("day %d", day), 24*time.Hour, 1)
	}
}

func TestA_tick_notices_what_no_save_told(t *testing.T) {
	t.Parallel()
	w, j, _ := followed(t, 60)
	w.google.RevokeGrant(ada)
	// This tick still finds the user due, and the run finds the grant gone once the tick is over; the next tick finds that
	// nobody is due any more.
	over := make(chan struct{})
	w.google.SetFault(func(*http.Request) *googlebox.Fault {
		<-over
		return nil
	})
	w.pass(time.Hour)
	if a := w.do(http.MethodPost, "/sync-contacts", "{}"); a.status != 200 {
		t.Fatalf("tick: got %d %s", a.status, a.body)
	}
	close(over)
	w.settle()
	if s := w.account().Contacts.State.Status; s != "reconnect" {
		t.Fatalf("the status is %s", s)
	}
	j.want(t, "with the run", "ENABLED */5 * * * *")
	w.tickAfter(time.Hour)
	j.want(t, "after it", "PAUSED */5 * * * *")
	w.link()
	j.want(t, "linked again", "ENABLED */5 * * * *")
}

func TestA_run_that_a_user_asks_for_brings_the_job_back(t *testing.T) {
	t.Parallel()
	w, j, tag := followed(t, 60)
	retype := func(kind string) {
		t.Helper()
		if err := w.creatio.System().Update("ContactTag", tag, map[string]any{"TypeId": kind}); err != nil {
			t.Fatal(err)
		}
	}
	// The tag is not private for a while, and nothing is due after that was seen.
	retype(public)
	w.sync("skipped tag-missing")
	w.tick()
	j.want(t, "stopped", "PAUSED */5 * * * *")
	retype(private)
	w.call(http.MethodPost, "/contacts/sync", nil, 202, nil)
	w.settle()
	j.want(t, "synchronized by hand", "ENABLED */5 * * * *")
}

func TestA_grant_that_could_not_be_revoked_keeps_the_job_awake(t *testing.T) {
	t.Parallel()
	w, j, _ := followed(t, 15)
	w.google.SetFault(func(r *http.Request) *googlebox.Fault {
		if strings.Contains(r.URL.Path, "revoke") {
			return &googlebox.Fault{Status: 404, Drop: true}
		}
		return nil
	})
	w.call(http.MethodDelete, "/google", nil, 204, nil)
	j.want(t, "unlinked", "ENABLED */5 * * * *")
	w.google.SetFault(nil)
	w.finds("reached again", time.Hour, 1)
	w.tickAfter(time.Hour)
	w.link()
	j.want(t, "linked again", "PAUSED */5 * * * *")
}

func TestA_scheduler_that_refuses_fails_no_save_and_is_mended_by_the_next_tick(t *testing.T) {
	t.Parallel()
	w, j, tag := followed(t, 1)
	j.refuse(true)
	w.every(tag, 60)
	j.want(t, "refused", "ENABLED * * * * *")
	if got := w.log.String(); !strings.Contains(got, "the job does not follow the settings") {
		t.Errorf("nothing is logged:\n%s", got)
	}
	j.refuse(false)
	w.tick()
	j.want(t, "at the next tick", "ENABLED */5 * * * *")
	j.asked()
	w.tickAfter(time.Minute)
	if n := j.asked(); n != 0 {
		t.Errorf("a tick that finds nothing new asks the scheduler %d times", n)
	}
	j.Scheduler.Put(contactsJob(schedulerpb.Job_ENABLED, "*/5 * * * *"))
	w.tickAfter(10 * time.Minute)
	j.want(t, "changed by somebody else", "ENABLED */5 * * * *")
}

func TestWithout_a_scheduler_ticks_come_as_they_come(t *testing.T) {
	t.Parallel()
	w, tag, _ := twins(t, "Hopper")
	w.every(tag, 1440)
	w.finds("a minute too early", w.account().Contacts.State.NextSync.Sub(w.now())-time.Minute, 0)
	w.finds("half a minute too early", 30*time.Second, 1)
}
