package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/observe"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/tick"
	"github.com/tandem-sync/tandem/shared/web"
)

// usersOnPage is how many users a page for administrators shows.
const usersOnPage = 100

// jobTime is how long that page waits for Cloud Scheduler. The page is shown without a reply as well.
const jobTime = 5 * time.Second

// isAdmin reports whether a user is an administrator. Google has verified the address, but only that of a Workspace or of
// gmail.com belongs to its holder for good.
func (a *App) isAdmin(p store.Profile) bool {
	owned := p.Google.HostedDomain != "" || strings.HasSuffix(strings.ToLower(p.Google.Email), "@gmail.com")
	return p.Google.Linked && owned && slices.Contains(a.config.AdminEmails, strings.ToLower(p.Google.Email))
}

// authorizeAdmin returns store.ErrNotFound if the user is no administrator or the type does not exist.
func (s service) authorizeAdmin(ctx context.Context, user string, t record.Type) error {
	p, err := s.app.store.User(user).Profile(ctx)
	switch {
	case err != nil:
		return err
	case !s.app.isAdmin(p), s.app.engines[t] == nil:
		return store.ErrNotFound
	}
	return nil
}

// types are the sync types that have an engine.
func (a *App) types() []record.Type {
	return slices.DeleteFunc([]record.Type{record.Contacts, record.Activities}, func(t record.Type) bool { return a.engines[t] == nil })
}

func (s service) Overview(ctx context.Context, user string, t record.Type, after string) (web.Overview, error) {
	o := web.Overview{Type: t, Types: s.app.types()}
	if t == "" {
		o.Type = o.Types[0]
	}
	if err := s.authorizeAdmin(ctx, user, o.Type); err != nil {
		return web.Overview{}, err
	}
	interval, err := s.app.store.Shortest(ctx, o.Type)
	if err != nil {
		return web.Overview{}, err
	}
	late := s.app.now().UTC().Add(-s.app.follower.margin(interval) - tick.Overdue)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.userStatuses(ctx, &o, after, late) })
	g.Go(func() error {
		counts, err := s.app.store.CountStatuses(ctx, o.Type, late)
		o.Totals = web.Totals(counts)
		return err
	})
	g.Go(func() (err error) {
		o.WrongPasswords, err = s.app.allWrongPasswords(ctx)
		return err
	})
	g.Go(func() (err error) {
		o.Job, err = s.job(ctx, o.Type, interval)
		return err
	})
	return o, g.Wait()
}

// userStatuses fills in a page of users.
func (s service) userStatuses(ctx context.Context, o *web.Overview, after string, late time.Time) error {
	found, err := s.app.store.SyncStatuses(ctx, o.Type, after, usersOnPage+1)
	if err != nil {
		return err
	}
	if len(found) > usersOnPage {
		found = found[:usersOnPage]
		o.Next = found[usersOnPage-1].Place
	}
	for _, f := range found {
		state := s.sectionOf(f.Profile, f.Sync).state()
		if f.Sync.Problem != nil && f.Sync.Problem.Record != "" {
			state.Problem = nil // Only its user may read about a record.
		}
		o.Users = append(o.Users, web.UserStatus{
			ID: f.Profile.ID, Email: f.Profile.Google.Email, Google: f.Profile.Google.Linked, Creatio: f.Profile.Creatio.Linked,
			State: state, Late: state.Status != "running" && !state.NextSync.IsZero() && !state.NextSync.After(late),
		})
	}
	return nil
}

// job reads a type's job. If Cloud Scheduler does not answer, the job carries a problem and the rest of the page is shown.
func (s service) job(ctx context.Context, t record.Type, interval time.Duration) (web.Job, error) {
	jobs := s.app.follower.jobs
	if jobs == nil {
		return web.Job{}, nil
	}
	decided, err := s.app.store.Schedule(ctx, t)
	if err != nil {
		return web.Job{}, err
	}
	job := web.Job{Known: true, Decided: decided.Paused, Interval: interval}
	ctx, cancel := context.WithTimeout(ctx, jobTime)
	defer cancel()
	state, err := jobs.State(ctx, t)
	if err != nil {
		s.app.follower.note(ctx, t, err)
		problem := explainJob(err)
		job.Problem = &problem
		return job, nil
	}
	job.Schedule, job.TimeZone, job.Paused, job.Broken = state.Schedule, state.TimeZone, state.Paused, state.Broken
	job.Last, job.Next, job.Failure = state.Last, state.Next, state.Failure
	return job, nil
}

// explainJob explains an error to administrators: the general sentences tell users to ask an administrator.
func explainJob(err error) fault.Sentence {
	s := fault.Sentence{Code: fault.Explain(err).Code, Message: "Tandem could not reach Cloud Scheduler.", Action: "Try again in a few minutes."}
	if fault.Is(err, fault.Misconfigured) {
		s.Message, s.Action = "Cloud Scheduler refuses what Tandem asks for.", "Apply the Terraform configuration, and look into the log for what is missing."
	}
	return s
}

func (s service) Order(ctx context.Context, user string, t record.Type, o web.Order) error {
	if err := s.authorizeAdmin(ctx, user, t); err != nil {
		return err
	}
	f := s.app.follower
	if f.jobs == nil {
		return web.ErrNoJob
	}
	var err error
	switch o {
	case web.RunNow:
		err = f.jobs.Run(ctx, t)
	case web.Pause, web.Resume:
		decided := store.Schedule{Type: t}
		if o == web.Pause {
			decided.Paused = s.app.now().UTC()
		}
		// The decision is stored before the job is set, so that every later call of follow respects it.
		if err = s.app.store.PutSchedule(ctx, decided); err == nil {
			_, err = f.follow(context.WithoutCancel(ctx), t)
		}
	}
	if err != nil {
		return fmt.Errorf("%s the schedule: %w", o, err)
	}
	s.app.logger.InfoContext(ctx, "an administrator changed or ran the schedule", "order", string(o), "type", string(t), "user", observe.User(user))
	return nil
}
