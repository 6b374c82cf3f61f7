package cloud_test

import (
	"strings"
	"testing"
	"time"

	cloudtasks "cloud.google.com/go/cloudtasks/apiv2"
	"cloud.google.com/go/cloudtasks/apiv2/cloudtaskspb"
	scheduler "cloud.google.com/go/scheduler/apiv1"
	"cloud.google.com/go/scheduler/apiv1/schedulerpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tandem-sync/tandem/shared/sandbox/cloud"
)

const (
	queue = "projects/p/locations/l/queues/contacts"
	name  = "projects/p/locations/l/jobs/sync-contacts"
)

func jobs(t *testing.T) (*cloud.Server, *scheduler.CloudSchedulerClient) {
	t.Helper()
	s := cloud.Start()
	t.Cleanup(s.Stop)
	client, err := scheduler.NewCloudSchedulerClient(t.Context(), s.Options()...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return s, client
}

func job(state schedulerpb.Job_State) *schedulerpb.Job {
	return &schedulerpb.Job{
		Name: name, Description: "a tick", Schedule: "* * * * *", TimeZone: "Etc/UTC", State: state,
		Target: &schedulerpb.Job_HttpTarget{HttpTarget: &schedulerpb.HttpTarget{Uri: "https://tandem.example.com/sync-contacts"}},
	}
}

func TestA_job_moves_between_its_states_only_as_the_service_lets_it(t *testing.T) {
	t.Parallel()
	const ok, refused = codes.OK, codes.FailedPrecondition
	for state, want := range map[schedulerpb.Job_State][4]codes.Code{
		// Pause, resume, update, run.
		schedulerpb.Job_ENABLED:       {ok, refused, ok, ok},
		schedulerpb.Job_PAUSED:        {refused, ok, refused, ok},
		schedulerpb.Job_DISABLED:      {refused, refused, refused, ok},
		schedulerpb.Job_UPDATE_FAILED: {refused, refused, ok, ok},
	} {
		s, client := jobs(t)
		var got [4]codes.Code
		for n, call := range []func() error{
			func() error {
				_, err := client.PauseJob(t.Context(), &schedulerpb.PauseJobRequest{Name: name})
				return err
			},
			func() error {
				_, err := client.ResumeJob(t.Context(), &schedulerpb.ResumeJobRequest{Name: name})
				return err
			},
			func() error {
				_, err := client.UpdateJob(t.Context(), &schedulerpb.UpdateJobRequest{Job: job(0), UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"schedule"}}})
				return err
			},
			func() error { _, err := client.RunJob(t.Context(), &schedulerpb.RunJobRequest{Name: name}); return err },
		} {
			s.Scheduler.Put(job(state))
			got[n] = status.Code(call())
		}
		if got != want {
			t.Errorf("%v: got %v, want %v", state, got, want)
		}
	}
}

func TestAn_update_writes_what_its_mask_names_and_nothing_else(t *testing.T) {
	t.Parallel()
	for what, tc := range map[string]struct {
		mask   []string
		change func(*schedulerpb.Job)
		want   codes.Code
		then   func(*schedulerpb.Job)
	}{
		"the schedule": {[]string{"schedule"}, func(j *schedulerpb.Job) { j.Target, j.Description = nil, "" }, codes.OK, func(j *schedulerpb.Job) { j.Schedule = "0 * * * *" }},
		"two fields":   {[]string{"schedule", "description"}, func(j *schedulerpb.Job) { j.Description = "another" }, codes.OK, func(j *schedulerpb.Job) { j.Schedule, j.Description = "0 * * * *", "another" }},
		"no mask":      {nil, func(j *schedulerpb.Job) { j.Description = "" }, codes.OK, func(j *schedulerpb.Job) { j.Schedule, j.Description = "0 * * * *", "" }},
		"no target":    {nil, func(j *schedulerpb.Job) { j.Target = nil }, codes.InvalidArgument, nil},
		"its state":    {[]string{"state"}, func(*schedulerpb.Job) {}, codes.InvalidArgument, nil},
		"no such path": {[]string{"cron"}, func(*schedulerpb.Job) {}, codes.InvalidArgument, nil},
		"no crontab":   {[]string{"schedule"}, func(j *schedulerpb.Job) { j.Schedule = "hourly" }, codes.InvalidArgument, nil},
		"another job":  {[]string{"schedule"}, func(j *schedulerpb.Job) { j.Name += "-2" }, codes.NotFound, nil},
		"no job":       {[]string{"schedule"}, func(j *schedulerpb.Job) { j.Name = "sync-contacts" }, codes.InvalidArgument, nil},
	} {
		s, client := jobs(t)
		s.Scheduler.Put(job(schedulerpb.Job_ENABLED))
		sent, want := job(0), job(schedulerpb.Job_ENABLED)
		sent.Schedule = "0 * * * *"
		tc.change(sent)
		if tc.then != nil {
			tc.then(want)
		}
		_, err := client.UpdateJob(t.Context(), &schedulerpb.UpdateJobRequest{Job: sent, UpdateMask: &fieldmaskpb.FieldMask{Paths: tc.mask}})
		if got := s.Scheduler.Job(name); status.Code(err) != tc.want || !proto.Equal(got, want) {
			t.Errorf("%s: got %v and the job %v, want %v and %v", what, err, got, tc.want, want)
		}
	}
}

func TestA_task_that_cloud_tasks_refuses_is_not_taken(t *testing.T) {
	t.Parallel()
	s := cloud.Start()
	t.Cleanup(s.Stop)
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	s.Tasks.AddQueue(queue)
	s.Tasks.SetNow(func() time.Time { return now })
	client, err := cloudtasks.NewClient(t.Context(), s.Options()...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	for _, tc := range []struct {
		what   string
		change func(*cloudtaskspb.CreateTaskRequest, *cloudtaskspb.HttpRequest)
		want   codes.Code
	}{
		{"a task", func(*cloudtaskspb.CreateTaskRequest, *cloudtaskspb.HttpRequest) {}, codes.OK},
		{"the same name", func(*cloudtaskspb.CreateTaskRequest, *cloudtaskspb.HttpRequest) {}, codes.AlreadyExists},
		{"another queue", func(r *cloudtaskspb.CreateTaskRequest, _ *cloudtaskspb.HttpRequest) { r.Parent += "-2" }, codes.NotFound},
		{"no queue", func(r *cloudtaskspb.CreateTaskRequest, _ *cloudtaskspb.HttpRequest) { r.Parent = "contacts" }, codes.InvalidArgument},
		{"a name of another queue", func(r *cloudtaskspb.CreateTaskRequest, _ *cloudtaskspb.HttpRequest) {
			r.Task.Name = queue + "-2/tasks/a"
		}, codes.InvalidArgument},
		{"a name with a dot", func(r *cloudtaskspb.CreateTaskRequest, _ *cloudtaskspb.HttpRequest) { r.Task.Name += ".1" }, codes.InvalidArgument},
		{"a long name", func(r *cloudtaskspb.CreateTaskRequest, _ *cloudtaskspb.HttpRequest) {
			r.Task.Name += strings.Repeat("x", 500)
		}, codes.InvalidArgument},
		{"no address", func(_ *cloudtaskspb.CreateTaskRequest, h *cloudtaskspb.HttpRequest) { h.Url = "/sync-contacts" }, codes.InvalidArgument},
		{"a token in the clear", func(_ *cloudtaskspb.CreateTaskRequest, h *cloudtaskspb.HttpRequest) {
			h.Url = "http://tandem.example.com/"
		}, codes.InvalidArgument},
		{"a body to get", func(_ *cloudtaskspb.CreateTaskRequest, h *cloudtaskspb.HttpRequest) {
			h.HttpMethod = cloudtaskspb.HttpMethod_GET
		}, codes.InvalidArgument},
		{"another project's account", func(_ *cloudtaskspb.CreateTaskRequest, h *cloudtaskspb.HttpRequest) {
			h.GetOidcToken().ServiceAccountEmail = "invoker@other.iam.gserviceaccount.com"
		}, codes.InvalidArgument},
		{"a long run", func(r *cloudtaskspb.CreateTaskRequest, _ *cloudtaskspb.HttpRequest) {
			r.Task.DispatchDeadline = durationpb.New(time.Hour)
		}, codes.InvalidArgument},
		{"a far day", func(r *cloudtaskspb.CreateTaskRequest, _ *cloudtaskspb.HttpRequest) {
			r.Task.ScheduleTime = timestamppb.New(now.AddDate(0, 0, 31))
		}, codes.InvalidArgument},
		{"much to carry", func(_ *cloudtaskspb.CreateTaskRequest, h *cloudtaskspb.HttpRequest) { h.Body = make([]byte, 1<<20) }, codes.InvalidArgument},
	} {
		request := &cloudtaskspb.HttpRequest{
			Url: "https://tandem.example.com/sync-contacts", HttpMethod: cloudtaskspb.HttpMethod_POST, Body: []byte("{}"),
			AuthorizationHeader: &cloudtaskspb.HttpRequest_OidcToken{OidcToken: &cloudtaskspb.OidcToken{ServiceAccountEmail: "invoker@p.iam.gserviceaccount.com"}},
		}
		r := &cloudtaskspb.CreateTaskRequest{Parent: queue, Task: &cloudtaskspb.Task{
			Name: queue + "/tasks/a", MessageType: &cloudtaskspb.Task_HttpRequest{HttpRequest: request},
		}}
		tc.change(r, request)
		if _, err := client.CreateTask(t.Context(), r); status.Code(err) != tc.want {
			t.Errorf("%s: got %v, want %v", tc.what, err, tc.want)
		}
	}
	if taken := s.Tasks.Taken(); len(taken) != 1 {
		t.Errorf("%d tasks were taken", len(taken))
	}
}
