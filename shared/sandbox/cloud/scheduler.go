package cloud

import (
	"context"
	"regexp"
	"strings"
	"sync"

	"cloud.google.com/go/scheduler/apiv1/schedulerpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// Scheduler is Cloud Scheduler as far as jobs that exist are concerned; Terraform makes them.
type Scheduler struct {
	schedulerpb.UnimplementedCloudSchedulerServer

	mu   sync.Mutex
	jobs map[string]*schedulerpb.Job
	runs int
	// updated is the state that an update leaves a job in.
	updated schedulerpb.Job_State
}

// AfterUpdate has updates leave a job in that state: one whose update failed, or which goes back to its pause.
func (s *Scheduler) AfterUpdate(state schedulerpb.Job_State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.updated = state
}

// Put makes a job, or puts another one in its place, whatever its state is.
func (s *Scheduler) Put(job *schedulerpb.Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.jobs[job.GetName()] = proto.CloneOf(job)
}

// Remove takes a job away.
func (s *Scheduler) Remove(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.jobs, name)
}

// Job is a job as it is; nil where there is none.
func (s *Scheduler) Job(name string) *schedulerpb.Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	return proto.CloneOf(s.jobs[name])
}

// Runs is how often a job was run on demand.
func (s *Scheduler) Runs() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.runs
}

// GetJob is https://cloud.google.com/scheduler/docs/reference/rpc/google.cloud.scheduler.v1#getjobrequest.
func (s *Scheduler) GetJob(_ context.Context, r *schedulerpb.GetJobRequest) (*schedulerpb.Job, error) {
	return s.change(r.GetName(), func(*schedulerpb.Job) error { return nil })
}

// PauseJob refuses a job that does not run.
func (s *Scheduler) PauseJob(_ context.Context, r *schedulerpb.PauseJobRequest) (*schedulerpb.Job, error) {
	return s.change(r.GetName(), func(job *schedulerpb.Job) error {
		return move(job, schedulerpb.Job_ENABLED, schedulerpb.Job_PAUSED)
	})
}

// ResumeJob refuses a job that is not paused.
func (s *Scheduler) ResumeJob(_ context.Context, r *schedulerpb.ResumeJobRequest) (*schedulerpb.Job, error) {
	return s.change(r.GetName(), func(job *schedulerpb.Job) error {
		return move(job, schedulerpb.Job_PAUSED, schedulerpb.Job_ENABLED)
	})
}

func move(job *schedulerpb.Job, from, to schedulerpb.Job_State) error {
	if job.GetState() != from {
		return status.Errorf(codes.FailedPrecondition, "Job.state must be %v.", from)
	}
	job.State = to
	return nil
}

// RunJob runs a job whatever its state is.
func (s *Scheduler) RunJob(_ context.Context, r *schedulerpb.RunJobRequest) (*schedulerpb.Job, error) {
	return s.change(r.GetName(), func(*schedulerpb.Job) error {
		s.runs++
		return nil
	})
}

// crontab is the form of a cron text (https://cloud.google.com/scheduler/docs/configuring/cron-job-schedules).
var crontab = regexp.MustCompile(`^\s*([0-9*/,-]+\s+){4}[0-9*/,-]+\s*$`)

// settable are the fields that an update may set, each with how it is copied. Without a mask all of them are.
var settable = map[string]func(to, from *schedulerpb.Job){
	"description":      func(to, from *schedulerpb.Job) { to.Description = from.GetDescription() },
	"schedule":         func(to, from *schedulerpb.Job) { to.Schedule = from.GetSchedule() },
	"time_zone":        func(to, from *schedulerpb.Job) { to.TimeZone = from.GetTimeZone() },
	"retry_config":     func(to, from *schedulerpb.Job) { to.RetryConfig = from.GetRetryConfig() },
	"attempt_deadline": func(to, from *schedulerpb.Job) { to.AttemptDeadline = from.GetAttemptDeadline() },
	"http_target":      func(to, from *schedulerpb.Job) { to.Target = from.GetTarget() },
}

// UpdateJob writes the fields that the mask names. It refuses a job that is paused or was switched off
// (https://github.com/hashicorp/terraform-provider-google/pull/11141), and takes one whose last update failed back to work.
func (s *Scheduler) UpdateJob(_ context.Context, r *schedulerpb.UpdateJobRequest) (*schedulerpb.Job, error) {
	return s.change(r.GetJob().GetName(), func(job *schedulerpb.Job) error {
		next := proto.CloneOf(job)
		paths := r.GetUpdateMask().GetPaths()
		for _, path := range paths {
			set := settable[path]
			if set == nil {
				return status.Errorf(codes.InvalidArgument, "Invalid field path %q in update_mask.", path)
			}
			set(next, r.GetJob())
		}
		for _, set := range settable {
			if len(paths) == 0 {
				set(next, r.GetJob())
			}
		}
		switch {
		case !crontab.MatchString(next.GetSchedule()):
			return status.Error(codes.InvalidArgument, "Schedule or time zone is invalid.")
		case next.GetTarget() == nil:
			return status.Error(codes.InvalidArgument, "Job.target must be set.")
		case job.GetState() == schedulerpb.Job_PAUSED, job.GetState() == schedulerpb.Job_DISABLED:
			return status.Error(codes.FailedPrecondition, "Job.state must be ENABLED.")
		}
		next.State = s.updated
		proto.Reset(job)
		proto.Merge(job, next)
		return nil
	})
}

// change does something to a job, and answers with it.
func (s *Scheduler) change(name string, do func(*schedulerpb.Job) error) (*schedulerpb.Job, error) {
	if !strings.Contains(name, "/jobs/") {
		return nil, status.Errorf(codes.InvalidArgument, "Job name %q must be projects/P/locations/L/jobs/J.", name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	job := s.jobs[name]
	if job == nil {
		return nil, status.Error(codes.NotFound, "Job not found.")
	}
	if err := do(job); err != nil {
		return nil, err
	}
	return proto.CloneOf(job), nil
}
