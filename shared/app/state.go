package app

import (
	"context"
	"slices"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
	"github.com/tandem-sync/tandem/shared/tick"
	"github.com/tandem-sync/tandem/shared/web"
)

// section is everything that the state of one sync type of a user is computed from.
type section struct {
	profile store.Profile
	sync    store.Sync
	// scope is the permission of Google that the type needs, and tagged says that it needs a private tag.
	scope  string
	tagged bool
	// latest are the user's latest runs of the type, the newest first.
	latest []store.Run
	now    time.Time
	// late is the time before which whatever is still due is late.
	late time.Time
}

// state tells how the sync type goes: of all that is true the worst comes first. Pages, API and administrators see this and nothing
// else.
func (s section) state() web.State {
	d := s.sync
	out := web.State{
		LastSync: d.LastSync, HeldRun: d.HeldRun, Failing: d.Failing, Doubts: openDoubts(d), Split: d.Split, Members: d.Members, Latest: s.worked(), Problem: sentenceOf(d.Problem),
	}
	if d.Settings.Automatic {
		out.NextSync = d.Due
	}
	queued := s.queued()
	out.Status = s.status(queued)
	if blocked := s.blocked(); blocked != nil && out.Status != "reconnect" {
		out.Problem = blocked
	}
	if out.Status == "running" || out.Status == "queued" {
		out.Run = queued
	}
	return out
}

func (s section) status(queued string) string {
	d, p := s.sync, s.profile
	switch {
	case p.Google.Reconnect, p.Creatio.Reconnect, d.Status == "reconnect":
		return "reconnect"
	case !p.Google.Linked, !p.Creatio.Linked, s.blocked() != nil, d.Status == "off" && d.Problem != nil:
		if d.LastSync.IsZero() && d.Problem == nil && d.Status != "off" && p.Paused.IsZero() {
			return "never"
		}
		return "off"
	case s.held():
		return "held"
	case d.Status == "failing", d.Status == "partial":
		return d.Status
	case d.Status == "running", d.Lease.Owner != "" && d.Lease.Expires.After(s.now):
		return "running"
	case queued != "":
		return "queued"
	case !d.Due.IsZero() && d.Due.Before(s.late):
		return "late"
	case d.LastSync.IsZero() && d.Status != "off":
		return "never"
	case d.Status == "held", d.Status == "never":
		return "ok"
	}
	return d.Status
}

// blocked says what has to be done before the type can be synchronized, once both accounts are linked; nil where nothing has.
func (s section) blocked() *fault.Sentence {
	p := s.profile
	switch {
	case !p.Paused.IsZero():
		return pausedByAdmin()
	case !p.Google.Linked || p.Google.Reconnect:
		return nil
	case !slices.Contains(p.Google.Scopes, s.scope):
		return missingScope(s.sync.Type)
	case s.tagged && s.sync.Settings.TagID == "" && !s.sync.LastSync.IsZero():
		return &fault.Sentence{
			Code: syncer.ReasonNoTag, Message: "No private tag is chosen, so no contact is synchronized.", Action: "Choose a private tag.",
		}
	}
	return nil
}

// held reports whether a list of changes needs the user's decision. One that the user decided about waits no more.
func (s section) held() bool {
	if s.sync.HeldRun == "" {
		return false
	}
	return s.sync.HeldDigest != "" || s.sync.Status == "held" && !slices.ContainsFunc(s.latest, func(r store.Run) bool {
		return r.Decides == s.sync.HeldRun && r.Unfinished()
	})
}

// queued is the run that waits in the queue; empty where none does. One that has waited for long may be no task's any more.
func (s section) queued() string {
	since := syncer.NewRunID(s.now.Add(-tick.Overdue))
	for _, r := range s.latest {
		if r.Status == "queued" && r.ID > since {
			return r.ID
		}
	}
	return ""
}

// worked is the latest run that did its work.
func (s section) worked() *store.Run {
	for _, r := range s.latest {
		if r.Trigger == syncer.TriggerPreview || r.Undoes != nil {
			continue
		}
		switch syncer.Status(r.Status) {
		case syncer.Done, syncer.Partial, syncer.Held, "approved", "rejected", "replaced":
			return &r
		}
	}
	return nil
}

func sentenceOf(p *store.Problem) *fault.Sentence {
	if p == nil {
		return nil
	}
	return &fault.Sentence{Code: p.Code, Message: p.Message, Action: p.Action}
}

// pausedByAdmin says why nothing is synchronized for a user whom an administrator paused.
func pausedByAdmin() *fault.Sentence {
	return &fault.Sentence{
		Code: syncer.ReasonPaused, Message: "An administrator has paused your synchronization, so nothing is synchronized.",
		Action: "Ask your administrator when it continues. It then continues where it left off.",
	}
}

// missingScope names the permission of Google that a type lacks.
func missingScope(t record.Type) *fault.Sentence {
	what, box := "contacts", "contacts"
	if t == record.Activities {
		what, box = "calendar", "events"
	}
	return &fault.Sentence{
		Code: syncer.ReasonScopeMissing, Message: "Tandem may not use your " + what + " yet.", Action: "Connect Google again and tick the box for " + box + ".",
	}
}

// section reads what a user's own page needs besides the documents: the latest runs.
func (s service) section(ctx context.Context, p store.Profile, d store.Sync) (section, error) {
	out := s.sectionOf(p, d)
	var err error
	out.latest, err = s.app.store.User(p.ID).Runs(ctx, d.Type, latestRuns, "")
	for _, r := range out.latest {
		s.app.carry(ctx, p.ID, r)
	}
	return out, err
}

// latestRuns is among how many runs a queued one is looked for: little else begins while it waits.
const latestRuns = 3

func (s service) sectionOf(p store.Profile, d store.Sync) section {
	now := s.app.now().UTC()
	return section{
		profile: p, sync: d, scope: s.app.engines[d.Type].Scope, tagged: d.Type == record.Contacts, now: now,
		late: now.Add(-s.app.follower.margin(d.Interval()) - tick.Overdue),
	}
}
