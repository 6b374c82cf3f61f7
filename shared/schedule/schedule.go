// Package schedule adjusts the jobs of Cloud Scheduler to the settings of the users: the job of a sync type runs as often
// as the shortest interval in use, and is paused while no user synchronizes by schedule. It is for shared/app, which
// passes that interval, and for the administrators' page.
//
// Invariants: Terraform creates the jobs with their target and their identity. This package changes only the cron text
// and the state of "sync-contacts" and "sync-activities", and no other job. It reads before it writes and writes only what
// differs, so Follow is idempotent. Errors are of the kinds of package fault.
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

// side names the scheduler in faults, where the name of a service would be.
const side = "schedule"

// jobsAPI says what the errors of Cloud Scheduler mean.
var jobsAPI = cloud.API{
	Side: side, Codes: map[codes.Code]string{codes.NotFound: "job-missing", codes.FailedPrecondition: "job-state"},
	Hints: map[string]string{"job-missing": "there is no such job; apply the terraform configuration, which makes it, or correct SCHEDULER"},
}

// Options are the settings of the scheduler.
type Options struct {
	// Location is "projects/P/locations/L", the location of the jobs.
	Location string
	// Client are options for the Cloud Scheduler client, such as endpoint and credentials; default those of the
	// environment.
	Client []option.ClientOption
	// Logger logs every change of a job; default none.
	Logger *slog.Logger
}

// Jobs are the jobs of the two sync types. They are safe for concurrent use.
type Jobs struct {
	options Options
	client  *cloud.Client[*scheduler.CloudSchedulerClient]
}

var locationName = regexp.MustCompile(`^projects/[A-Za-z0-9.:-]+/locations/[a-z0-9-]+$`)

// New returns the jobs. Their client is created at the first call. Every error is of kind Misconfigured.
func New(o Options) (*Jobs, error) {
	if !locationName.MatchString(o.Location) {
		return nil, fault.Errorf(fault.Misconfigured, side, "bad-location", `open scheduler: %q is not "projects/P/locations/L"`, o.Location)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Jobs{options: o, client: cloud.NewClient(scheduler.NewCloudSchedulerClient, o.Client)}, nil
}

// Close closes the connections to Cloud Scheduler.
func (j *Jobs) Close() error { return j.client.Close() }

// api returns the client.
func (j *Jobs) api(ctx context.Context, op string) (*scheduler.CloudSchedulerClient, error) {
	client, err := j.client.Get(ctx)
	if err != nil {
		return nil, fault.Errorf(fault.Misconfigured, side, "scheduler-client", "%s: make the client of cloud scheduler: %w", op, err)
	}
	return client, nil
}

// Follow sets the job of a sync type to the shortest interval in use, or pauses it if that is zero. Pausing leaves the
// cron text as it is. The error is of kind Misconfigured if the job is missing, may not be changed or was disabled by
// Cloud Scheduler, and of kind Retry if the failure may be temporary: call Follow again.
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
		return j.pause(ctx, name, job)
	}
	return j.enable(ctx, name, job, Cron(shortest))
}

// pause pauses a job that is enabled.
func (j *Jobs) pause(ctx context.Context, name string, job *schedulerpb.Job) error {
	if job.GetState() != schedulerpb.Job_ENABLED {
		// A job whose last update failed does not run either, and only another update ends that state.
		return nil
	}
	return j.set(ctx, "follow", name, schedulerpb.Job_PAUSED)
}

// enable makes a job run by the given cron text. It resumes a paused job first, because Cloud Scheduler refuses an
// update of a paused job (https://github.com/hashicorp/terraform-provider-google/pull/11141).
func (j *Jobs) enable(ctx context.Context, name string, job *schedulerpb.Job, cron string) error {
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
		// The update ended the state UPDATE_FAILED and restored the state before it, which was PAUSED.
		err = j.set(ctx, "follow", name, schedulerpb.Job_ENABLED)
	}
	return err
}

// update writes only the cron text of a job and returns the job's state. It is idempotent.
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
		// The job may not run until an update succeeds
		// (https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs/patch).
		return unknown, fault.Errorf(fault.Retry, side, "update-failed", "%s %s: cloud scheduler did not carry it out", op, name)
	}
	j.options.Logger.LogAttrs(ctx, slog.LevelInfo, "job has another schedule", slog.String("job", name), slog.String("schedule", cron))
	return job.GetState(), nil
}

// set pauses or resumes a job. Cloud Scheduler refuses to pause a paused job and to resume an enabled one. In that case
// another caller, or an attempt whose reply was lost, has already made the change, so set may be retried.
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
		if job, getErr := j.get(ctx, op, name); getErr == nil && job.GetState() == state {
			return nil
		}
	}
	if err != nil {
		return jobsAPI.Classify(op+": "+what+" "+name, err)
	}
	j.options.Logger.LogAttrs(ctx, slog.LevelInfo, "job changed its state", slog.String("job", name), slog.String("state", state.String()))
	return nil
}

// Pause pauses the job of a sync type until Resume or the next Follow starts it again. It is idempotent. The kinds of
// error are those of Follow.
func (j *Jobs) Pause(ctx context.Context, t record.Type) error {
	return j.change(ctx, "pause", t, schedulerpb.Job_PAUSED)
}

// Resume resumes the job of a sync type. It is idempotent. The kinds of error are those of Follow.
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

// Run runs the job of a sync type once, now. The kinds of error are those of Follow. If the error is fault.Ambiguous,
// the job may have run.
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

// State is the state of a job in Cloud Scheduler.
type State struct {
	// Schedule is the cron text, in TimeZone.
	Schedule, TimeZone string
	// Paused reports that the job was paused.
	Paused bool
	// Broken reports that Cloud Scheduler stopped running the job after an error of its own. The job has to be updated or
	// created again.
	Broken bool
	// Last is when the last attempt began, Next when the next one is due; zero if there is none.
	Last, Next time.Time
	// Failure is the status of the last attempt, such as "Unavailable"; empty if it succeeded.
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

// name returns the full name of a sync type's job.
func (j *Jobs) name(op string, t record.Type) (string, error) {
	if t != record.Contacts && t != record.Activities {
		return "", fault.Errorf(fault.Bug, side, "unknown-type", "%s: no sync type %q", op, t)
	}
	return j.options.Location + "/jobs/sync-" + string(t), nil
}

// sameCron compares two cron texts and ignores differences in white space.
func sameCron(a, b string) bool {
	return strings.Join(strings.Fields(a), " ") == strings.Join(strings.Fields(b), " ")
}
