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
	"net/http"
	"regexp"
	"strings"
	"time"

	"google.golang.org/api/cloudscheduler/v1"
	"google.golang.org/api/option"
	transport "google.golang.org/api/transport/http"
	"google.golang.org/grpc/codes"

	"github.com/tandem-sync/tandem/shared/cloud"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/httpx"
	"github.com/tandem-sync/tandem/shared/record"
)

// side is what faults of the scheduler name: neither of the two services.
const side = "schedule"

// A job is set while a user saves settings; what does not work within these is for the next time.
const (
	attemptTimeout = 10 * time.Second
	callAttempts   = 3
	longestWait    = 5 * time.Second
	callTimeout    = 30 * time.Second
)

// jobsAPI says what errors of Cloud Scheduler mean.
var jobsAPI = cloud.API{
	Side: side, Codes: map[string]string{"NOT_FOUND": "job-missing", "FAILED_PRECONDITION": "job-state"},
	Hints: map[string]string{"job-missing": "there is no such job; apply the terraform configuration, which makes it, or correct SCHEDULER"},
}

// Options are the settings of the scheduler.
type Options struct {
	// Location is "projects/P/locations/L", where the jobs are.
	Location string
	// Base carries the calls to Cloud Scheduler, below their credentials; default httpx.NewBase.
	Base http.RoundTripper
	// Client are options of the client of Cloud Scheduler, as an endpoint or credentials; default the environment's.
	Client []option.ClientOption
	// Now is the clock; default time.Now.
	Now func() time.Time
	// Logger hears of every change of a job; default silent.
	Logger *slog.Logger
}

// Jobs are the jobs of the two sync types. They may be used from many goroutines.
type Jobs struct {
	options Options
	api     *cloudscheduler.ProjectsLocationsJobsService
}

var locationName = regexp.MustCompile(`^projects/[A-Za-z0-9.:-]+/locations/[a-z0-9-]+$`)

// New makes the client of the jobs; it does not call it. Every error is of kind Misconfigured.
func New(ctx context.Context, o Options) (*Jobs, error) {
	if !locationName.MatchString(o.Location) {
		return nil, fault.Errorf(fault.Misconfigured, side, "bad-location", `open scheduler: %q is not "projects/P/locations/L"`, o.Location)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	// The client outlives the context it is made with, which may be that of a first request.
	api, err := newClient(context.WithoutCancel(ctx), o)
	if err != nil {
		return nil, fault.Errorf(fault.Misconfigured, side, "scheduler-client", "open scheduler: make the client of cloud scheduler: %w", err)
	}
	return &Jobs{options: o, api: api.Projects.Locations.Jobs}, nil
}

// newClient makes a client whose calls pass through httpx: the generated one would neither bound nor repeat them.
func newClient(ctx context.Context, o Options) (*cloudscheduler.Service, error) {
	// The generated client would log whole requests where the environment asks for it.
	options := append([]option.ClientOption{
		option.WithScopes(cloudscheduler.CloudPlatformScope), option.WithLogger(slog.New(slog.DiscardHandler)),
	}, o.Client...)
	signed, err := transport.NewTransport(ctx, httpx.NewTransport(httpx.Options{
		Side: side, Base: o.Base, Logger: o.Logger, Now: o.Now,
		AttemptTimeout: attemptTimeout, Attempts: callAttempts, MaxWait: longestWait,
	}), options...)
	if err != nil {
		return nil, err
	}
	return cloudscheduler.NewService(ctx, append(options, option.WithHTTPClient(&http.Client{
		Transport: signed, CheckRedirect: httpx.NoRedirect,
	}))...)
}

// The states of a job (https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs#State).
const (
	enabled      = "ENABLED"
	paused       = "PAUSED"
	disabled     = "DISABLED"
	updateFailed = "UPDATE_FAILED"
)

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
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
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
func (j *Jobs) rest(ctx context.Context, name string, job *cloudscheduler.Job) error {
	if job.State != enabled {
		// One whose last update failed does not run either, and only another update takes it out of that state.
		return nil
	}
	return j.set(ctx, "follow", name, paused)
}

// tick brings a job to where it runs by a cron text. It is resumed first: an update of a paused job is refused
// (https://github.com/hashicorp/terraform-provider-google/pull/11141).
func (j *Jobs) tick(ctx context.Context, name string, job *cloudscheduler.Job, cron string) error {
	switch job.State {
	case paused:
		if err := j.set(ctx, "follow", name, enabled); err != nil {
			return err
		}
	case disabled:
		return fault.Errorf(fault.Misconfigured, side, "job-disabled",
			"follow: cloud scheduler switched the job %s off after an error; delete it and apply the terraform configuration again", name)
	}
	if job.State != updateFailed && sameCron(job.Schedule, cron) {
		return nil
	}
	state, err := j.update(ctx, name, cron)
	if err == nil && state == paused {
		// The update took the job out of the state of one that failed, and back to the state before that.
		err = j.set(ctx, "follow", name, enabled)
	}
	return err
}

// update writes a cron text, and nothing else of the job, and tells the job's state.
func (j *Jobs) update(ctx context.Context, name, cron string) (string, error) {
	const op = "follow: update"
	job, err := j.api.Patch(name, &cloudscheduler.Job{Name: name, Schedule: cron}).
		UpdateMask("schedule").Fields("state").Context(httpx.Idempotent(ctx)).Do()
	switch {
	case cloud.StatusOf(err) == "FAILED_PRECONDITION":
		return "", fault.Errorf(fault.Retry, side, "changed-meanwhile", "%s %s: somebody else changed the job", op, name)
	case err != nil:
		return "", jobsAPI.Classify(op+" "+name, err, j.options.Now())
	case job.State == updateFailed:
		// It may not run until an update succeeds
		// (https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs/patch).
		return "", fault.Errorf(fault.Retry, side, "update-failed", "%s %s: cloud scheduler did not carry it out", op, name)
	}
	j.options.Logger.LogAttrs(ctx, slog.LevelInfo, "job has another schedule", slog.String("job", name), slog.String("schedule", cron))
	return job.State, nil
}

// set pauses or resumes a job. Cloud Scheduler refuses to pause what is paused, and to resume what runs; who asked for
// the same a moment before, or an attempt whose answer was lost, has then done it.
func (j *Jobs) set(ctx context.Context, op, name, state string) error {
	var err error
	call, what := httpx.Idempotent(ctx), "resume"
	if state == paused {
		what = "pause"
		_, err = j.api.Pause(name, &cloudscheduler.PauseJobRequest{}).Fields("state").Context(call).Do()
	} else {
		_, err = j.api.Resume(name, &cloudscheduler.ResumeJobRequest{}).Fields("state").Context(call).Do()
	}
	if cloud.StatusOf(err) == "FAILED_PRECONDITION" {
		if job, seen := j.get(ctx, op, name); seen == nil && job.State == state {
			return nil
		}
	}
	if err != nil {
		return jobsAPI.Classify(op+": "+what+" "+name, err, j.options.Now())
	}
	j.options.Logger.LogAttrs(ctx, slog.LevelInfo, "job changed its state", slog.String("job", name), slog.String("state", state))
	return nil
}

// Pause stops the job of a sync type until it is resumed, or until Follow next says otherwise. Pausing twice is no
// error. The kinds of error are those of Follow.
func (j *Jobs) Pause(ctx context.Context, t record.Type) error {
	return j.change(ctx, "pause", t, paused)
}

// Resume starts the job of a sync type again. Resuming twice is no error. The kinds of error are those of Follow.
func (j *Jobs) Resume(ctx context.Context, t record.Type) error {
	return j.change(ctx, "resume", t, enabled)
}

func (j *Jobs) change(ctx context.Context, op string, t record.Type, state string) error {
	name, err := j.name(op, t)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
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
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if _, err := j.api.Run(name, &cloudscheduler.RunJobRequest{}).Fields("state").Context(ctx).Do(); err != nil {
		return jobsAPI.Classify("run: run "+name, err, j.options.Now())
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
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	job, err := j.get(ctx, "state", name)
	if err != nil {
		return State{}, err
	}
	s := State{
		Schedule: job.Schedule, TimeZone: job.TimeZone, Paused: job.State == paused,
		Broken: job.State == disabled || job.State == updateFailed,
	}
	last, lastErr := instant(job.LastAttemptTime)
	next, nextErr := instant(job.ScheduleTime)
	if err := errors.Join(lastErr, nextErr); err != nil {
		return State{}, fault.Errorf(fault.Retry, side, "malformed-reply", "state: get %s: %w", name, err)
	}
	s.Last, s.Next = last, next
	if s.Paused || s.Broken {
		s.Next = time.Time{}
	}
	if job.Status != nil && job.Status.Code != int64(codes.OK) {
		s.Failure = codes.Code(job.Status.Code).String()
	}
	return s, nil
}

func instant(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	return at.UTC(), err
}

func (j *Jobs) get(ctx context.Context, op, name string) (*cloudscheduler.Job, error) {
	job, err := j.api.Get(name).Fields("schedule", "timeZone", "state", "lastAttemptTime", "scheduleTime", "status").Context(ctx).Do()
	if err != nil {
		return nil, jobsAPI.Classify(op+": get "+name, err, j.options.Now())
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
