package syncer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/reconcile"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// session is whose run it is, and with what it was begun. Every phase may read it, and none changes it.
type session struct {
	engine  *Engine
	user    store.User
	profile store.Profile
	// doc is the sync's document as the lease found it.
	doc      store.Sync
	lease    store.Lease
	deadline *leaseDeadline
	start    time.Time
	trigger  string
	sides    map[record.Side]Side
}

func (s *session) preview() bool { return s.trigger == TriggerPreview }

func (s *session) undoes() bool { return s.trigger == TriggerUndo }

func (s *session) policy() reconcile.Policy {
	p := reconcile.Policy{
		Direction: reconcile.Direction(s.doc.Settings.Direction), Conflicts: reconcile.Conflicts(s.doc.Settings.Conflicts),
	}
	if s.engine.Policy != nil {
		p = s.engine.Policy(s.doc.Settings)
	}
	for _, side := range record.Sides {
		if l, ok := s.sides[side].(Located); ok && p.Home == "" {
			p.Home = l.Home()
		}
	}
	return p
}

// lag is by how long a side's lists and reads may trail its writes.
func (s *session) lag(side record.Side) time.Duration {
	if l, ok := s.sides[side].(Lagging); ok {
		return l.Lag()
	}
	return 0
}

// newID is the id that a record gets which is created for another one, of that id and state; empty where its side chooses it.
// It is the same whichever user's copy the other one is. A salt makes it another one.
func (s *session) newID(side record.Side, from string, state json.RawMessage, salt string) string {
	n, ok := s.sides[side].(Naming)
	if !ok {
		return ""
	}
	if i, ok := s.sides[side.Other()].(Identified); ok {
		if identity := i.Identity(state); identity != "" {
			return n.NewID("\x00" + identity + salt)
		}
	}
	return n.NewID(s.user.ID() + "\x00" + from + salt)
}

// newScope reports whether the user chose another scope on a side since the last run that came to its end.
func (s *session) newScope(side record.Side) bool {
	return s.chosen(side) && s.doc.Scopes[side] == "" && !s.doc.LastFinished.IsZero()
}

// chosen reports whether the user chose a side's scope.
func (s *session) chosen(side record.Side) bool {
	scoped, ok := s.sides[side].(Scoped)
	return ok && scoped.Chosen()
}

// prepare makes sure that a side's scope exists.
func (s *session) prepare(ctx context.Context, side record.Side) (scope string, err error) {
	scoped, ok := s.sides[side].(Scoped)
	if !ok {
		return "", nil
	}
	if scope, err = scoped.Prepare(ctx); err != nil {
		return "", fmt.Errorf("prepare %s: %w", side, err)
	}
	return scope, nil
}

// retryDue reports whether the time of something that failed has come. A person who asks does not wait.
func (s *session) retryDue(at time.Time) bool {
	return s.trigger != TriggerSchedule || !at.After(s.start)
}

func (s *session) putLinks(ctx context.Context, links []store.Link) error {
	_, err := s.put(ctx, store.Batch{Links: links})
	return err
}

// put writes a batch, if there is something in it. A claim that was another user's at any time since the run began is
// refused: what that user made is not among the candidates that the run has seen.
func (s *session) put(ctx context.Context, b store.Batch) (refused []store.Claim, err error) {
	if len(b.Links)+len(b.Notes)+len(b.Pairs)+len(b.Released)+len(b.SettledPairs) == 0 {
		return nil, nil
	}
	if refused, err = s.user.PutBatch(ctx, s.engine.Type, s.lease, s.start, b); err != nil {
		return nil, fmt.Errorf("save links: %w", err)
	}
	return refused, nil
}

// timeLeft stops the run at the border of a chunk before its time is over, or its lease, and when its process is about to end. A process that stood still
// may come here before its timers.
func (s *session) timeLeft(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if s.deadline.passed(s.engine.Now()) {
		return leaseRanOut()
	}
	if s.engine.Ending != nil && s.engine.Ending() {
		return fault.New(fault.Retry, "", codeDeadline, errors.New("the process ends; the rest goes into the next run"))
	}
	deadline, ok := ctx.Deadline()
	if ok && deadline.Sub(s.engine.Now()) < s.engine.margin() {
		return fault.New(fault.Retry, "", codeDeadline, errors.New("the run's time is over; the rest goes into the next one"))
	}
	return nil
}
