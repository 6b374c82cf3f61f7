package schedule_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cloud.google.com/go/scheduler/apiv1/schedulerpb"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"
	"google.golang.org/api/option"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	cloudbox "github.com/tandem-sync/tandem/shared/sandbox/cloud"
	"github.com/tandem-sync/tandem/shared/schedule"
)

const (
	location      = "projects/acme-crm/locations/europe-west3"
	contactsJob   = location + "/jobs/sync-contacts"
	activitiesJob = location + "/jobs/sync-activities"
)

// noon is the time at which a synctest bubble begins.
var noon = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// The states of a job.
const (
	enabled      = schedulerpb.Job_ENABLED
	paused       = schedulerpb.Job_PAUSED
	disabled     = schedulerpb.Job_DISABLED
	updateFailed = schedulerpb.Job_UPDATE_FAILED
)

// job is a job as Terraform makes it.
func job(name string, state schedulerpb.Job_State, cron string) *schedulerpb.Job {
	return &schedulerpb.Job{
		Name: name, Schedule: cron, TimeZone: "Etc/UTC", State: state, AttemptDeadline: durationpb.New(15 * time.Minute),
		Target: &schedulerpb.Job_HttpTarget{HttpTarget: &schedulerpb.HttpTarget{
			Uri: "https://tandem.example.com/" + name[strings.LastIndex(name, "/")+1:], HttpMethod: schedulerpb.HttpMethod_POST, Body: []byte("{}"),
		}},
	}
}

// scheduler is a server with both jobs, as Terraform makes them.
func scheduler(t *testing.T, state schedulerpb.Job_State, cron string) *cloudbox.Server {
	t.Helper()
	c := cloudbox.Start()
	t.Cleanup(c.Stop)
	for _, name := range []string{contactsJob, activitiesJob} {
		c.Scheduler.Put(job(name, state, cron))
	}
	return c
}

// wantJob checks the calls and the contacts job, of which only state and cron text may change.
func wantJob(t *testing.T, c *cloudbox.Server, state schedulerpb.Job_State, cron string, calls ...string) {
	t.Helper()
	var want []string
	for _, method := range calls {
		want = append(want, method+" sync-contacts")
	}
	if diff := cmp.Diff(want, c.Calls()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(job(contactsJob, state, cron), c.Scheduler.Job(contactsJob), protocmp.Transform()); diff != "" {
		t.Errorf("job (-want +got):\n%s", diff)
	}
}

func jobsOn(t *testing.T, c *cloudbox.Server, credentials ...option.ClientOption) *schedule.Jobs {
	t.Helper()
	options := c.Options()
	if len(credentials) > 0 {
		options = append(c.Address(), credentials...)
	}
	j, err := schedule.New(schedule.Options{Location: location, Client: options})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

// refusal is an error of the service, with its details.
func refusal(code codes.Code, message string, details ...protoadapt.MessageV1) error {
	s, err := status.New(code, message).WithDetails(details...)
	if err != nil {
		panic(err)
	}
	return s.Err()
}

// failFirst makes the first calls of a method fail.
func failFirst(method string, times int, f cloudbox.Fault) func(cloudbox.Call) *cloudbox.Fault {
	return func(c cloudbox.Call) *cloudbox.Fault {
		if c.Method != method || times == 0 {
			return nil
		}
		times--
		return &f
	}
}

const hourly = "*/5 * * * *"

func TestFollow_writes_only_what_differs(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		state     schedulerpb.Job_State
		cron      string
		shortest  time.Duration
		calls     []string
		wantState schedulerpb.Job_State
		wantCron  string
	}{
		"runs as it should":         {enabled, hourly, time.Hour, []string{"GetJob"}, enabled, hourly},
		"with other blanks":         {enabled, " */5  * * * * ", time.Hour, []string{"GetJob"}, enabled, " */5  * * * * "},
		"another interval":          {enabled, hourly, 2 * time.Hour, []string{"GetJob", "UpdateJob"}, enabled, "*/10 * * * *"},
		"nobody any more":           {enabled, hourly, 0, []string{"GetJob", "PauseJob"}, paused, hourly},
		"still nobody":              {paused, hourly, 0, []string{"GetJob"}, paused, hourly},
		"somebody again":            {paused, hourly, time.Hour, []string{"GetJob", "ResumeJob"}, enabled, hourly},
		"somebody, otherwise":       {paused, hourly, time.Minute, []string{"GetJob", "ResumeJob", "UpdateJob"}, enabled, "* * * * *"},
		"failed update is mended":   {updateFailed, hourly, time.Hour, []string{"GetJob", "UpdateJob"}, enabled, hourly},
		"failed update, and nobody": {updateFailed, hourly, 0, []string{"GetJob"}, updateFailed, hourly},
		"switched off, and nobody":  {disabled, hourly, 0, []string{"GetJob"}, disabled, hourly},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := scheduler(t, tc.state, tc.cron)
			if err := jobsOn(t, c).Follow(t.Context(), record.Contacts, tc.shortest); err != nil {
				t.Error(err)
			}
			wantJob(t, c, tc.wantState, tc.wantCron, tc.calls...)
			if other := c.Scheduler.Job(activitiesJob); !proto.Equal(other, job(activitiesJob, tc.state, tc.cron)) {
				t.Errorf("the other job became %v", other)
			}
		})
	}
}

func TestFollow_is_idempotent(t *testing.T) {
	t.Parallel()
	c := scheduler(t, paused, hourly)
	j := jobsOn(t, c)
	for range 2 {
		if err := j.Follow(t.Context(), record.Contacts, 15*time.Minute); err != nil {
			t.Error(err)
		}
	}
	wantJob(t, c, enabled, "* * * * *", "GetJob", "ResumeJob", "UpdateJob", "GetJob")
}

func TestEach_sync_type_has_its_job(t *testing.T) {
	t.Parallel()
	c := scheduler(t, enabled, hourly)
	if err := jobsOn(t, c).Follow(t.Context(), record.Activities, 0); err != nil {
		t.Error(err)
	}
	if got := c.Scheduler.Job(activitiesJob).GetState(); got != paused {
		t.Errorf("the job of the activities is %v", got)
	}
	c.Calls()
	wantJob(t, c, enabled, hourly)
}

func TestA_change_that_another_instance_just_made_is_no_error(t *testing.T) {
	t.Parallel()
	for method, tc := range map[string]struct {
		from, to schedulerpb.Job_State
		shortest time.Duration
	}{
		"PauseJob":  {enabled, paused, 0},
		"ResumeJob": {paused, enabled, time.Hour},
	} {
		c := scheduler(t, tc.from, hourly)
		c.SetFault(before(method, func() { c.Scheduler.Put(job(contactsJob, tc.to, hourly)) }))
		if err := jobsOn(t, c).Follow(t.Context(), record.Contacts, tc.shortest); err != nil {
			t.Errorf("%s: %v", method, err)
		}
		wantJob(t, c, tc.to, hourly, "GetJob", method, "GetJob")
	}
}

// before calls do before a method takes effect.
func before(method string, do func()) func(cloudbox.Call) *cloudbox.Fault {
	return func(c cloudbox.Call) *cloudbox.Fault {
		if c.Method == method {
			do()
		}
		return nil
	}
}

func TestA_job_that_is_paused_just_before_its_update_is_retried_later(t *testing.T) {
	t.Parallel()
	c := scheduler(t, enabled, hourly)
	c.SetFault(before("UpdateJob", func() { c.Scheduler.Put(job(contactsJob, paused, hourly)) }))
	if err := jobsOn(t, c).Follow(t.Context(), record.Contacts, time.Minute); !fault.Is(err, fault.Retry) {
		t.Errorf("got %v", err)
	}
	wantJob(t, c, paused, hourly, "GetJob", "UpdateJob")
}

func TestA_job_that_an_update_returns_to_paused_is_resumed(t *testing.T) {
	t.Parallel()
	c := scheduler(t, updateFailed, hourly)
	c.Scheduler.AfterUpdate(paused)
	if err := jobsOn(t, c).Follow(t.Context(), record.Contacts, time.Hour); err != nil {
		t.Error(err)
	}
	wantJob(t, c, enabled, hourly, "GetJob", "UpdateJob", "ResumeJob")
}

func TestAn_update_that_cloud_scheduler_does_not_carry_out_is_retried_later(t *testing.T) {
	t.Parallel()
	c := scheduler(t, enabled, hourly)
	c.Scheduler.AfterUpdate(updateFailed)
	if err := jobsOn(t, c).Follow(t.Context(), record.Contacts, time.Minute); !fault.Is(err, fault.Retry) {
		t.Errorf("got %v", err)
	}
}

func TestThe_error_for_a_missing_or_disabled_job_says_what_to_do(t *testing.T) {
	t.Parallel()
	missing := scheduler(t, enabled, hourly)
	missing.Scheduler.Remove(contactsJob)
	for code, c := range map[string]*cloudbox.Server{"job-missing": missing, "job-disabled": scheduler(t, disabled, hourly)} {
		err := jobsOn(t, c).Follow(t.Context(), record.Contacts, time.Hour)
		f, ok := err.(*fault.Error)
		if !ok || f.Kind != fault.Misconfigured || f.Code != code || f.Side != "schedule" || !strings.Contains(err.Error(), contactsJob) || !strings.Contains(err.Error(), "terraform") {
			t.Errorf("%s: got %v", code, err)
		}
		if calls := c.Calls(); len(calls) != 1 {
			t.Errorf("%s: got calls %v", code, calls)
		}
	}
}

func TestAn_administrator_pauses_resumes_and_runs_a_job(t *testing.T) {
	t.Parallel()
	c := scheduler(t, enabled, hourly)
	c.WantToken("process-token")
	j := jobsOn(t, c, option.WithTokenSource(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "process-token"})))
	for _, step := range []error{
		j.Pause(t.Context(), record.Contacts), j.Pause(t.Context(), record.Contacts), j.Resume(t.Context(), record.Contacts),
		j.Resume(t.Context(), record.Contacts), j.Run(t.Context(), record.Contacts),
	} {
		if step != nil {
			t.Error(step)
		}
	}
	wantJob(t, c, enabled, hourly, "PauseJob", "PauseJob", "GetJob", "ResumeJob", "ResumeJob", "GetJob", "RunJob")
	if runs := c.Scheduler.Runs(); runs != 1 {
		t.Errorf("ran %d times", runs)
	}
}

func TestA_job_that_cloud_scheduler_disabled_cannot_be_resumed(t *testing.T) {
	t.Parallel()
	c := scheduler(t, disabled, hourly)
	if err := jobsOn(t, c).Resume(t.Context(), record.Contacts); !fault.Is(err, fault.Misconfigured) {
		t.Errorf("got %v", err)
	}
	wantJob(t, c, disabled, hourly, "ResumeJob", "GetJob")
}

func TestState_shows_schedule_pause_and_attempts(t *testing.T) {
	t.Parallel()
	last, next := noon.Add(time.Hour), noon.Add(2*time.Hour)
	for name, tc := range map[string]struct {
		state      schedulerpb.Job_State
		last, next time.Time
		failure    codes.Code
		want       schedule.State
	}{
		"runs":        {state: enabled, last: last, next: next, want: schedule.State{Last: last, Next: next}},
		"never ran":   {state: enabled, next: next, want: schedule.State{Next: next}},
		"failed":      {state: enabled, last: last, failure: codes.Unavailable, want: schedule.State{Last: last, Failure: "Unavailable"}},
		"paused":      {state: paused, next: next, want: schedule.State{Paused: true}},
		"disabled":    {state: disabled, want: schedule.State{Broken: true}},
		"not updated": {state: updateFailed, want: schedule.State{Broken: true}},
	} {
		c := scheduler(t, enabled, hourly)
		j := job(contactsJob, tc.state, hourly)
		if !tc.last.IsZero() {
			j.LastAttemptTime, j.Status = timestamppb.New(tc.last), &rpcstatus.Status{Code: int32(tc.failure)}
		}
		if !tc.next.IsZero() {
			j.ScheduleTime = timestamppb.New(tc.next)
		}
		c.Scheduler.Put(j)
		tc.want.Schedule, tc.want.TimeZone = hourly, "Etc/UTC"
		got, err := jobsOn(t, c).State(t.Context(), record.Contacts)
		if diff := cmp.Diff(tc.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
		if diff := cmp.Diff([]string{"GetJob sync-contacts"}, c.Calls()); diff != "" {
			t.Errorf("%s: calls (-want +got):\n%s", name, diff)
		}
	}
}

func TestA_state_that_cannot_be_read_is_no_state(t *testing.T) {
	t.Parallel()
	c := scheduler(t, enabled, hourly)
	j := job(contactsJob, enabled, hourly)
	j.LastAttemptTime = &timestamppb.Timestamp{Nanos: -1}
	c.Scheduler.Put(j)
	if s, err := jobsOn(t, c).State(t.Context(), record.Contacts); s != (schedule.State{}) || !fault.Is(err, fault.Retry) {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestAn_error_of_cloud_scheduler_is_misconfigured_or_temporary(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		err   error
		kind  fault.Kind
		code  string
		calls int
		after time.Duration
	}{
		"no permission":  {refusal(codes.PermissionDenied, "no cloudscheduler.jobs.get"), fault.Misconfigured, "denied", 1, 0},
		"api is off":     {refusal(codes.PermissionDenied, "off", &errdetails.ErrorInfo{Reason: "SERVICE_DISABLED"}), fault.Misconfigured, "api-disabled", 1, 0},
		"no credentials": {refusal(codes.Unauthenticated, "who"), fault.Misconfigured, "credentials", 1, 0},
		"bad location":   {refusal(codes.InvalidArgument, "location"), fault.Misconfigured, "refused", 1, 0},
		"quota":          {refusal(codes.ResourceExhausted, "quota"), fault.Retry, "quota", 3, 0},
		"long wait": {
			refusal(codes.ResourceExhausted, "quota", &errdetails.RetryInfo{RetryDelay: durationpb.New(40 * time.Second)}),
			fault.Retry, "quota", 1, 40 * time.Second,
		},
		"out of reach": {refusal(codes.Unavailable, strings.Repeat("bad gateway ", 1000)), fault.Retry, "unavailable", 3, 0},
		"an accident":  {refusal(codes.Internal, "internal"), fault.Retry, "unavailable", 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := scheduler(t, enabled, hourly)
				c.SetFault(failFirst("GetJob", -1, cloudbox.Fault{Err: tc.err}))
				err := jobsOn(t, c).Follow(t.Context(), record.Contacts, time.Minute)
				f, ok := err.(*fault.Error)
				if !ok || f.Kind != tc.kind || f.Code != tc.code || f.After != tc.after || len(err.Error()) > 500 {
					t.Errorf("got %v after %v, want kind %v, code %s", err, fault.After(err), tc.kind, tc.code)
				}
				if calls := c.Calls(); len(calls) != tc.calls {
					t.Errorf("got %v, want %d calls", calls, tc.calls)
				}
			})
		})
	}
}

func TestA_change_whose_reply_was_lost_is_made_once(t *testing.T) {
	t.Parallel()
	for method, tc := range map[string]struct {
		from, to schedulerpb.Job_State
		cron     string
		shortest time.Duration
		calls    []string
	}{
		"PauseJob":  {enabled, paused, hourly, 0, []string{"GetJob", "PauseJob", "PauseJob", "GetJob"}},
		"ResumeJob": {paused, enabled, hourly, time.Hour, []string{"GetJob", "ResumeJob", "ResumeJob", "GetJob"}},
		"UpdateJob": {enabled, enabled, "*/10 * * * *", 2 * time.Hour, []string{"GetJob", "UpdateJob", "UpdateJob"}},
	} {
		for how, lost := range map[string]error{"unavailable": status.Error(codes.Unavailable, "lost"), "no answer": nil} {
			t.Run(method+" "+how, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					c := scheduler(t, tc.from, hourly)
					c.SetFault(failFirst(method, 1, cloudbox.Fault{After: true, Err: lost}))
					if err := jobsOn(t, c).Follow(t.Context(), record.Contacts, tc.shortest); err != nil {
						t.Error(err)
					}
					wantJob(t, c, tc.to, tc.cron, tc.calls...)
				})
			})
		}
	}
}

func TestA_change_that_did_not_arrive_is_made_by_the_next_attempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := scheduler(t, enabled, hourly)
		c.SetFault(failFirst("PauseJob", 2, cloudbox.Fault{Err: status.Error(codes.Unavailable, "busy")}))
		if err := jobsOn(t, c).Follow(t.Context(), record.Contacts, 0); err != nil {
			t.Error(err)
		}
		wantJob(t, c, paused, hourly, "GetJob", "PauseJob", "PauseJob", "PauseJob")
	})
}

func TestA_job_is_not_run_again_if_the_first_run_may_have_begun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := scheduler(t, enabled, hourly)
		c.SetFault(failFirst("RunJob", -1, cloudbox.Fault{After: true, Err: status.Error(codes.Unavailable, "lost")}))
		err := jobsOn(t, c).Run(t.Context(), record.Contacts)
		if runs := c.Scheduler.Runs(); !fault.Is(err, fault.Retry) || !fault.Ambiguous(err) || runs != 1 {
			t.Errorf("got %v and %d runs", err, runs)
		}
	})
}

func TestFollow_gives_up_on_a_scheduler_that_never_answers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := scheduler(t, enabled, hourly)
		c.SetFault(failFirst("GetJob", -1, cloudbox.Fault{}))
		start := time.Now()
		err := jobsOn(t, c).Follow(t.Context(), record.Contacts, time.Hour)
		if took := time.Since(start); !fault.Is(err, fault.Retry) || took > 30*time.Second {
			t.Errorf("got %v after %v", err, took)
		}
		if calls := c.Calls(); len(calls) < 2 {
			t.Errorf("got %v: one attempt took all of the time", calls)
		}
	})
}

func TestAn_unknown_type_or_interval_is_a_bug_and_no_call(t *testing.T) {
	t.Parallel()
	c := scheduler(t, enabled, hourly)
	j := jobsOn(t, c)
	_, state := j.State(t.Context(), "../other")
	for what, err := range map[string]error{
		"interval": j.Follow(t.Context(), record.Contacts, -time.Minute), "follow": j.Follow(t.Context(), "tasks", time.Hour),
		"pause": j.Pause(t.Context(), ""), "resume": j.Resume(t.Context(), "x"), "run": j.Run(t.Context(), "x"), "state": state,
	} {
		if !fault.Is(err, fault.Bug) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	if calls := c.Calls(); len(calls) != 0 {
		t.Errorf("got calls %v", calls)
	}
}

func TestAn_unusable_scheduler_is_rejected_at_the_start_or_at_the_first_call(t *testing.T) {
	t.Parallel()
	for name, location := range map[string]string{"no location": "", "a job": contactsJob} {
		if j, err := schedule.New(schedule.Options{Location: location}); j != nil || !fault.Is(err, fault.Misconfigured) || !strings.Contains(err.Error(), "open scheduler: ") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	j, err := schedule.New(schedule.Options{Location: location, Client: []option.ClientOption{option.WithAPIKey("key"), option.WithoutAuthentication()}})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Pause(t.Context(), record.Contacts); !fault.Is(err, fault.Misconfigured) || !strings.Contains(err.Error(), "make the client") {
		t.Errorf("with options that clash: got %v", err)
	}
	if err := j.Close(); err != nil {
		t.Errorf("close a client that was never made: %v", err)
	}
}
