package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/tandem-sync/tandem/shared/channel"
	"github.com/tandem-sync/tandem/shared/config"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/google"
	"github.com/tandem-sync/tandem/shared/google/calendar"
	"github.com/tandem-sync/tandem/shared/observe"
	"github.com/tandem-sync/tandem/shared/queue"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
	"github.com/tandem-sync/tandem/shared/tick"
	"github.com/tandem-sync/tandem/shared/web"
)

const (
	// defaultPushDelay is how long a run waits after Google told of a change: a person who edits seldom makes one change only, and
	// Google tells of each. pushPause is how many times as long after the start of the last run it begins at the earliest, since
	// somebody who goes on editing must not use up what Creatio allows.
	defaultPushDelay = 5 * time.Second
	pushPause        = 3
	// tendTime is how long a run, a user or a task may wait for channels to be opened or stopped.
	tendTime = 20 * time.Second
	// triggerChannels is of a task that tends the channels of a user, and runs nothing.
	triggerChannels = "channels"
)

// newKeeper makes what keeps the channels by which Google tells of changes.
func (a *App) newKeeper() *channel.Keeper {
	return &channel.Keeper{
		Store: a.store, Open: a.openChannels, Type: record.Activities, Scope: Activities.Scope, Address: a.config.PushAddress(),
		Now: a.now, Logger: a.logger,
	}
}

// openChannels opens the channels of a user, also of one who was unlinked and whose grant could not be revoked yet.
func (a *App) openChannels(ctx context.Context, user string) (channel.Calendar, error) {
	base := a.base[record.Google]
	client, err := a.linker.Client(ctx, user, record.Google, base)
	if fault.Is(err, fault.Reconnect) && google.Code(err) == "not-linked" {
		client, err = a.linker.LeavingGoogle(ctx, user, base)
	}
	if err != nil {
		return nil, err
	}
	api, err := google.NewClient(google.Options{HTTP: client, Endpoint: a.config.Google.Endpoint, Now: a.now, Logger: a.logger})
	if err != nil {
		return nil, err
	}
	return calendar.NewChannels(api)
}

// CalendarPush takes the messages by which Google tells of changes.
func (a *App) CalendarPush() http.Handler {
	return a.observed(config.PushFunction, a.site.Push(config.PushFunction, notified{a}))
}

// notified hands the users of whom a message tells to the queue.
type notified struct{ app *App }

// Notify queues a run of the user whose calendar changed, some seconds later.
//
// However many messages come until that run begins, it is one: the name of its task is made of the latest lease, and each run
// takes another one. A message that comes while a run is under way queues one more, since that run may have read the calendar
// before the change. The messages of the run's own writes do the same, so they cost one run that finds nothing to do.
func (n notified) Notify(ctx context.Context, m web.Notification) error {
	a, t := n.app, record.Activities
	now := a.now().UTC()
	user, err := channel.User(ctx, a.store, channel.Message{Channel: m.Channel, Token: m.Token, Resource: m.Resource, State: m.State}, now)
	if err != nil || m.State == channel.Opened {
		return err
	}
	d, err := a.store.User(user).Sync(ctx, t)
	if err != nil {
		return err
	}
	if !d.Settings.Automatic {
		return fmt.Errorf("receive message: the user ended it: %w", store.ErrNotFound)
	}
	decided, err := a.store.Schedule(ctx, t)
	if err != nil || !decided.Paused.IsZero() {
		return err
	}
	begin := now.Add(a.pushDelay)
	if earliest := d.LastSync.Add(pushPause * a.pushDelay); earliest.After(begin) {
		begin = earliest
	}
	name := queue.Name(fmt.Sprintf("push %s %d", m.Channel, d.Lease.Fence), t, time.Time{})
	added, err := a.queue.Add(ctx, queue.Task{Name: name, Type: t, User: user, Trigger: syncer.TriggerPush, NotBefore: begin})
	a.logger.InfoContext(ctx, "Google told of a change", "user", observe.User(user), "type", string(t), "queued", added)
	return err
}

// tendAfter tends the channels of a user after a run, if the documents that the run read tell that it is time.
func (a *App) tendAfter(ctx context.Context, t record.Type, user, trigger string, out syncer.Outcome) {
	if t != a.channels.Type || trigger == syncer.TriggerPreview || out.Profile.ID == "" {
		return
	}
	// The grant may have ended during the run.
	lost := out.Status == syncer.Reconnect && out.Sync.Push.Channel != ""
	if !lost && !a.channels.Due(out.Profile, out.Sync) {
		return
	}
	_ = a.tend(ctx, user)
}

// tend tends the channels of a user. Where something is left to do, a run or a tick comes back to it.
func (a *App) tend(ctx context.Context, user string) error {
	ctx, cancel := context.WithTimeout(ctx, tendTime)
	defer cancel()
	err := a.channels.Tend(ctx, user)
	a.noteChannels(ctx, user, err)
	return err
}

// closeChannels stops the channels of a user who does not want them any more. What could not be stopped is tried again by the
// queue, and after that by ticks, until the channel ends by itself; stopped reports whether there is nothing of that.
func (a *App) closeChannels(ctx context.Context, user string) (stopped bool) {
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTime)
	defer cancel()
	err := a.channels.Close(stopping, user)
	if err == nil {
		return true
	}
	a.noteChannels(ctx, user, err)
	now := a.now().UTC()
	_, err = a.queue.Add(ctx, queue.Task{
		Name: queue.Name("channels "+user, record.Activities, now), Type: record.Activities, User: user, Trigger: triggerChannels, NotBefore: now.Add(time.Minute),
	})
	a.noteChannels(ctx, user, err)
	return false
}

// noteChannels logs why channels are not as they shall be. What the service refuses is logged by the keeper, once.
func (a *App) noteChannels(ctx context.Context, user string, err error) {
	if err == nil {
		return
	}
	level := slog.LevelInfo
	if fault.Is(err, fault.Bug) {
		level = slog.LevelError
	}
	a.logger.Log(ctx, level, "the channels of a user will be looked at again", "user", observe.User(user), "kind", fault.KindOf(err).String(), "error", err.Error())
}

// queueChannels queues a task for every user with a channel that is due, and that no run of the user has tended. A failure
// delays nobody's synchronization: the next tick finds them again.
func (a *App) queueChannels(ctx context.Context, now time.Time) {
	due, err := a.store.DueChannels(ctx, now, a.page)
	queued := map[string]bool{}
	for _, c := range due {
		if queued[c.User] {
			continue
		}
		queued[c.User] = true
		_, failure := a.queue.Add(ctx, queue.Task{
			Name: queue.Name("channels "+c.User, record.Activities, tick.Slot(c.Due, now)), Type: record.Activities, User: c.User, Trigger: triggerChannels,
		})
		err = errors.Join(err, failure)
	}
	if err != nil {
		a.logger.WarnContext(ctx, "channels that are due wait for the next tick", "kind", fault.KindOf(err).String(), "error", err.Error())
	}
}
