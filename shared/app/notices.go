package app

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/tandem-sync/tandem/shared/config"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/notice"
	"github.com/tandem-sync/tandem/shared/observe"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
)

const (
	// noticeEvery is how often somebody is told of one cause.
	noticeEvery = 24 * time.Hour
	// noticeTime is how long whoever sends a notice keeps others from it. It is longer than that takes; who ends meanwhile has told nobody.
	noticeTime = 10 * time.Minute
	// failingFor is how long a sync fails before somebody is told: most services are back before that.
	failingFor = 24 * time.Hour
	// remindEvery is how often a process looks for users who need somebody and are not run: whose notice could not be sent, or is
	// a day old.
	remindEvery = time.Hour
	// remindTime is how long a tick may spend on that, and mostReminded how many users it looks at.
	remindTime   = 30 * time.Second
	mostReminded = 500
)

// sweeps are when a process last looked for users who need somebody.
type sweeps struct {
	mu sync.Mutex
	at map[record.Type]time.Time
}

// due reports whether it is time to look again, and notes that somebody does.
func (s *sweeps) due(t record.Type, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, done := s.at[t]; done && now.Sub(at) < remindEvery {
		return false
	}
	if s.at == nil {
		s.at = map[record.Type]time.Time{}
	}
	s.at[t] = now
	return true
}

func newNotices(c config.Notices, now func() time.Time) *notice.Sender {
	m := c.Mail
	return notice.New(notice.Options{
		SMTP: notice.SMTP{
			Host: m.Host, Port: m.Port, Implicit: m.Implicit, Local: m.Local, User: m.User, Password: m.Password.Reveal(), From: m.From,
		},
		Webhook: c.Webhook.Reveal(), Now: now,
	})
}

// causesOf are the causes for which a sync needs somebody.
func causesOf(p store.Profile, d store.Sync, now time.Time) []notice.Cause {
	if !p.Google.Linked || !p.Creatio.Linked {
		return nil
	}
	var out []notice.Cause
	if p.Google.Reconnect || waitsFor(d, record.Google) {
		out = append(out, notice.ReconnectGoogle)
	}
	if p.Creatio.Reconnect || waitsFor(d, record.Creatio) {
		out = append(out, notice.ReconnectCreatio)
	}
	if d.HeldRun != "" && d.HeldDigest != "" {
		out = append(out, notice.Held)
	}
	if d.Settings.Automatic && d.Status == "off" && d.Problem != nil {
		out = append(out, notice.Stopped)
	}
	if d.Status == "failing" && !d.Notices.FailingSince.IsZero() && now.Sub(d.Notices.FailingSince) >= failingFor {
		out = append(out, notice.Failing)
	}
	return out
}

// notifyAfter tells people what a run ended with, if somebody is needed.
func (a *App) notifyAfter(ctx context.Context, t record.Type, user string, out syncer.Outcome) {
	if a.notices == nil || out.Status == syncer.Preview || out.Status == syncer.Continued || out.Status == syncer.Skipped && out.Reason == syncer.ReasonLease {
		return
	}
	u := a.store.User(user)
	p, err := u.Profile(ctx)
	if err != nil {
		return // nobody is there to be told
	}
	d, err := u.Sync(ctx, t)
	if failing := d.Status == "failing"; err == nil && failing == d.Notices.FailingSince.IsZero() {
		err = u.UpdateSync(ctx, t, func(kept *store.Sync) error {
			kept.Notices.FailingSince = time.Time{}
			if kept.Status == "failing" {
				kept.Notices.FailingSince = a.now().UTC()
			}
			d = *kept
			return nil
		})
	}
	if err != nil {
		a.logger.WarnContext(ctx, "nobody could be told", "user", observe.User(user), "error", err.Error())
		return
	}
	a.notify(ctx, p, d)
}

var errTold = errors.New("told already")

// notify tells people of each cause, unless somebody was told within a day.
func (a *App) notify(ctx context.Context, p store.Profile, d store.Sync) {
	if !a.allowed(p) {
		return
	}
	u := a.store.User(p.ID)
	for _, cause := range causesOf(p, d, a.now()) {
		var before time.Time
		now := a.now().UTC().Truncate(time.Microsecond)
		claim := now.Add(noticeTime - noticeEvery)
		// It is noted before it is sent: of two who are about to send it, one does.
		err := u.UpdateSync(ctx, d.Type, func(kept *store.Sync) error {
			before = kept.Notices.Sent[string(cause)]
			if now.Sub(before) < noticeEvery || !slices.Contains(causesOf(p, *kept, now), cause) {
				return errTold
			}
			sent := map[string]time.Time{string(cause): claim}
			for other, at := range kept.Notices.Sent {
				if other != string(cause) && now.Sub(at) < noticeEvery {
					sent[other] = at
				}
			}
			kept.Notices.Sent = sent
			return nil
		})
		if errors.Is(err, errTold) {
			continue
		}
		told := false
		if err == nil {
			told, err = a.notices.Send(ctx, a.noticeOf(p, d, cause))
		}
		if err != nil {
			level := slog.LevelWarn
			if fault.Is(err, fault.Misconfigured) {
				level = slog.LevelError
			}
			a.logger.Log(ctx, level, "a notice could not be sent", "user", observe.User(p.ID), "type", string(d.Type), "cause", string(cause), "error", err.Error())
		}
		if told = told || err == nil; told {
			a.logger.InfoContext(ctx, "a notice was sent", "user", observe.User(p.ID), "type", string(d.Type), "cause", string(cause))
		}
		// One that was not sent is tried again with the next run or tick.
		err = u.UpdateSync(context.WithoutCancel(ctx), d.Type, func(kept *store.Sync) error {
			if !kept.Notices.Sent[string(cause)].Equal(claim) {
				return errTold
			}
			if delete(kept.Notices.Sent, string(cause)); told {
				kept.Notices.Sent[string(cause)] = now
			}
			return nil
		})
		if told && err != nil && !errors.Is(err, errTold) {
			a.logger.WarnContext(ctx, "a notice was sent, and may be sent again", "user", observe.User(p.ID), "error", err.Error())
		}
	}
}

// noticeOf is what people are told. A sync that keeps failing may need an administrator as well.
func (a *App) noticeOf(p store.Profile, d store.Sync, cause notice.Cause) notice.Notice {
	n := notice.Notice{Cause: cause, Type: d.Type, User: p.Google.Email, Page: a.config.PublicURL + "/settings"}
	switch cause {
	case notice.Held:
		n.Page += "/runs/" + d.HeldRun
	case notice.Failing:
		n.To = a.config.AdminEmails
	}
	return n
}

// remind tells of users who need somebody and are not run meanwhile: once an hour it goes over those who stand first in the
// administrators' list.
func (a *App) remind(ctx context.Context, t record.Type) {
	if a.notices == nil || !a.swept.due(t, a.now()) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, remindTime)
	defer cancel()
	const page = 100
	for after, seen := "", 0; seen < mostReminded; {
		list, err := a.store.SyncStatuses(ctx, t, after, page)
		if err != nil {
			a.logger.WarnContext(ctx, "nobody could be reminded", "error", err.Error())
			return
		}
		for _, s := range list {
			switch s.Sync.Status {
			case "failing", "held", "reconnect":
			default:
				return // those who need somebody come first
			}
			a.notify(ctx, s.Profile, s.Sync)
			after, seen = s.Place, seen+1
		}
		if len(list) < page || ctx.Err() != nil {
			return
		}
	}
}
