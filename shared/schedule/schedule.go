// Package schedule has the jobs of Cloud Scheduler follow what users choose: a sync type's job runs as often as the
// shortest interval in use, and rests while nobody synchronizes by schedule. It is for shared/app, which tells it that
// interval, and for the page of the administrators.
//
// Invariants: the jobs themselves are Terraform's, which makes them with their target and their identity; this package
// changes the cron text and the state of "sync-contacts" and "sync-activities", nothing else of them and no other job;
// it reads before it writes and writes only what differs, so that following twice is the same as following once. Errors
// are of the kinds of package fault.
package schedule

import (
	"context"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"time"

	scheduler "cloud.google.com/go/scheduler/apiv1"
	"cloud.google.com/go/scheduler/apiv1/schedulerpb"
	"google.golang.org/api/option"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tandem-sync/tandem/shared/cloud"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
)

// side is what faults of the scheduler name: neither of the two services.
const side = "schedule"

// jobsAPI says what errors of Cloud Scheduler mean.
var jobsAPI = cloud.API{
	Side: side, Codes: map[codes.Code]string{codes.NotFound: "job-missing", codes.FailedPrecondition: "job-state"},
	Hints: map[string]string{"job-missing": "there is no such job; apply the terraform configuration, which makes it, or correct SCHEDULER"},
}

// Options are the settings of the scheduler.
type Options struct {
	// Location is "projects/P/locations/L", where the jobs are.
	Location string
	// Client are options of the client of Cloud Scheduler, as an endpoint and credentials; default the environment's.
	Client []option.ClientOption
	// Logger hears of every change of a job; default silent.
	Logger *slog.Logger
}

// Jobs are the jobs of the two sync types. They may be used from many goroutines.
type Jobs struct {
	options Options
	client  *cloud.Client[*scheduler.CloudSchedulerClient]
}

var locationName = regexp.MustCompile(`^projects/[A-Za-z0-9.:-]+/locations/[a-z0-9-]+$`)

// New prepares the client of the jobs, which is made with its first call. Every error is of kind Misconfigured.
func New(o Options) (*Jobs, error) {
	if !locationName.MatchString(o.Location) {
		return nil, fault.Errorf(fault.Misconfigured, side, "bad-location", `open scheduler: %q is not "projects/P/locations/L"`, o.Location)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Jobs{options: o, client: cloud.NewClient(scheduler.NewCloudSchedulerClient, o.Client)}, nil
}

// Close ends the connections to Cloud Scheduler.
func (j *Jobs) Close() error { return j.client.Close() }

// api is the client.
func (j *Jobs) api(ctx context.Context, op string) (*scheduler.CloudSchedulerClient, error) {
	client, err := j.client.Get(ctx)
	if err != nil {
		return nil, fault.Errorf(fault.Misconfigured, side, "scheduler-client", "%s: make the client of cloud scheduler: %w", op, err)
	}
	return client, nil
}

// Follow has the job of a sync type run as often as the shortest interval in use, or pauses it where that is zero. A
// paused job keeps its cron text. The error is of kind Misconfigured where the job is missing, may not be changed or
// was switched off by Cloud Scheduler; of kind Retry where that may pass by itself: follow again.
func (j *Jobs) Follow(ctx context.Context, t record.Type, shortest time.Duration) error {
	if shortest < 0 {
		return fault.Errorf(fault.Bug, side, "bad-interval", "follow: an interval of %v", shortest)
	}
	name, err := j.name("follow", t)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, cloud.CallTimeout)
	defer cancel()
	job, err := j.get(ctx, "follow", name)
	if err != nil {
		return err
	}
	if shortest == 0 {
		return j.rest(ctx, name, job)
	}
	return j.tick(ctx, name, job, Cron(shortest))
}

// rest brings a job to where it does not run.
func (j *Jobs) rest(ctx context.Context, name string, job *schedulerpb.Job) error {
	if job.GetState() != schedulerpb.Job_ENABLED {
		// One whose last update failed does not run either, and only another update takes it out of that state.
		return nil
	}
	return j.set(ctx, "follow", name, schedulerpb.Job_PAUSED)
}

// tick brings a job to where it runs by a cron text. It is resumed first: an update of a paused job is refused
// (https://github.com/hashicorp/terraform-provider-google/pull/11141).
func (j *Jobs) tick(ctx context.Context, name string, job *schedulerpb.Job, cron string) error {
	switch job.GetState() {
	case schedulerpb.Job_PAUSED:
		if err := j.set(ctx, "follow", name, schedulerpb.Job_ENABLED); err != nil {
			return err
		}
	case schedulerpb.Job_DISABLED:
		return fault.Errorf(fault.Misconfigured, side, "job-disabled",
			"follow: cloud scheduler switched the job %s off after an error; delete it and apply the terraform configuration again", name)
	}
	if job.GetState() != schedulerpb.Job_UPDATE_FAILED && sameCron(job.GetSchedule(), cron) {
		return nil
	}
	state, err := j.update(ctx, name, cron)
	if err == nil && state == schedulerpb.Job_PAUSED {
		// The update took the job out of the state of one that failed, and back to the state before that.
		err = j.set(ctx, "follow", name, schedulerpb.Job_ENABLED)
	}
	return err
}

// update writes a cron text, and nothing else of the job, and tells the job's state. To write the same twice is to write
// it once.
func (j *Jobs) update(ctx context.Context, name, cron string) (schedulerpb.Job_State, error) {
	const op, unknown = "follow: update", schedulerpb.Job_STATE_UNSPECIFIED
	api, err := j.api(ctx, op)
	if err != nil {
		return unknown, err
	}
	job, err := api.UpdateJob(ctx, &schedulerpb.UpdateJobRequest{
		Job: &schedulerpb.Job{Name: name, Schedule: cron}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"schedule"}},
	}, cloud.Repeat())
	switch {
	case status.Code(err) == codes.FailedPrecondition:
		return unknown, fault.Errorf(fault.Retry, side, "changed-meanwhile", "%s %s: somebody else changed the job", op, name)
	case err != nil:
		return unknown, jobsAPI.Classify(op+" "+name, err)
	case job.GetState() == schedulerpb.Job_UPDATE_FAILED:
		// It may not run until an update succeeds
		// (https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs/patch).
		return unknown, fault.Errorf(fault.Retry, side, "update-failed", "%s %s: cloud scheduler did not carry it out", op, name)
	}
	j.options.Logger.LogAttrs(ctx, slog.LevelInfo, "job has another schedule", slog.String("job", name), slog.String("schedule", cron))
	return job.GetState(), nil
}

// set pauses or resumes a job. Cloud Scheduler refuses to pause what is paused, and to resume what runs; who asked for
// the same a moment before, or an attempt whose answer was lost, has then done it. So the call may be repeated.
func (j *Jobs) set(ctx context.Context, op, name string, state schedulerpb.Job_State) error {
	api, err := j.api(ctx, op)
	if err != nil {
		return err
	}
	what := "resume"
	if state == schedulerpb.Job_PAUSED {
		what = "pause"
		_, err = api.PauseJob(ctx, &schedulerpb.PauseJobRequest{Name: name}, cloud.Repeat())
	} else {
		_, err = api.ResumeJob(ctx, &schedulerpb.ResumeJobRequest{Name: name}, cloud.Repeat())
	}
	if status.Code(err) == codes.FailedPrecondition {
		if job, seen := j.get(ctx, op, name); seen == nil && job.GetState() == state {
			return nil
		}
	}
	if err != nil {
		return jobsAPI.Classify(op+": "+what+" "+name, err)
	}
	j.options.Logger.LogAttrs(ctx, slog.LevelInfo, "job changed its state", slog.String("job", name), slog.String("state", state.String()))
	return nil
}

// Pause stops the job of a sync type until it is resumed, or until Follow next says otherwise. Pausing twice is no
// error. The kinds of error are those of Follow.
func (j *Jobs) Pause(ctx context.Context, t record.Type) error {
	return j.change(ctx, "pause", t, schedulerpb.Job_PAUSED)
}

// Resume starts the job of a sync type again. Resuming twice is no error. The kinds of error are those of Follow.
func (j *Jobs) Resume(ctx context.Context, t record.Type) error {
	return j.change(ctx, "resume", t, schedulerpb.Job_ENABLED)
}

func (j *Jobs) change(ctx context.Context, op string, t record.Type, state schedulerpb.Job_State) error {
	name, err := j.name(op, t)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, cloud.CallTimeout)
	defer cancel()
	return j.set(ctx, op, name, state)
}

// Run has the job of a sync type run once, now. The kinds of error are those of Follow; one that is
// fault.Ambiguous may have run it.
func (j *Jobs) Run(ctx context.Context, t record.Type) error {
	name, err := j.name("run", t)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, cloud.CallTimeout)
	defer cancel()
	api, err := j.api(ctx, "run")
	if err != nil {
		return err
	}
	if _, err := api.RunJob(ctx, &schedulerpb.RunJobRequest{Name: name}, cloud.Once()); err != nil {
		return jobsAPI.Classify("run: run "+name, err)
	}
	j.options.Logger.LogAttrs(ctx, slog.LevelInfo, "job is run", slog.String("job", name))
	return nil
}

// State is what Cloud Scheduler says of a job.
type State struct {
	// Schedule is the cron text, in TimeZone.
	Schedule, TimeZone string
	// Paused says that the job rests because it was told to.
	Paused bool
	// Broken says that Cloud Scheduler does not run the job after an error of its own; the job has to be updated or
	// made again.
	Broken bool
	// Last is when the last attempt began, Next when the next one is due; zero where there is none.
	Last, Next time.Time
	// Failure is how the last attempt failed, as "Unavailable"; empty where it did not.
	Failure string
}

// State reads the job of a sync type. The kinds of error are those of Follow.
func (j *Jobs) State(ctx context.Context, t record.Type) (State, error) {
	name, err := j.name("state", t)
	if err != nil {
		return State{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, cloud.CallTimeout)
	defer cancel()
	job, err := j.get(ctx, "state", name)
	if err != nil {
		return State{}, err
	}
	s := State{
		Schedule: job.GetSchedule(), TimeZone: job.GetTimeZone(), Paused: job.GetState() == schedulerpb.Job_PAUSED,
		Broken: job.GetState() == schedulerpb.Job_DISABLED || job.GetState() == schedulerpb.Job_UPDATE_FAILED,
	}
	last, lastErr := instant(job.GetLastAttemptTime())
	next, nextErr := instant(job.GetScheduleTime())
	if err := errors.Join(lastErr, nextErr); err != nil {
		return State{}, fault.Errorf(fault.Retry, side, "malformed-reply", "state: get %s: %w", name, err)
	}
	s.Last, s.Next = last, next
	if s.Paused || s.Broken {
		s.Next = time.Time{}
	}
	if code := codes.Code(job.GetStatus().GetCode()); code != codes.OK {
		s.Failure = code.String()
	}
	return s, nil
}

func instant(at *timestamppb.Timestamp) (time.Time, error) {
	if at == nil {
		return time.Time{}, nil
	}
	return at.AsTime(), at.CheckValid()
}

func (j *Jobs) get(ctx context.Context, op, name string) (*schedulerpb.Job, error) {
	api, err := j.api(ctx, op)
	if err != nil {
		return nil, err
	}
	job, err := api.GetJob(ctx, &schedulerpb.GetJobRequest{Name: name}, cloud.Repeat())
	if err != nil {
		return nil, jobsAPI.Classify(op+": get "+name, err)
	}
	return job, nil
}

// name is the whole name of a sync type's job.
func (j *Jobs) name(op string, t record.Type) (string, error) {
	if t != record.Contacts && t != record.Activities {
		return "", fault.Errorf(fault.Bug, side, "unknown-type", "%s: no sync type %q", op, t)
	}
	return j.options.Location + "/jobs/sync-" + string(t), nil
}

// sameCron compares cron texts but for their blanks.
func sameCron(a, b string) bool {
	return strings.Join(strings.Fields(a), " ") == strings.Join(strings.Fields(b), " ")
}
