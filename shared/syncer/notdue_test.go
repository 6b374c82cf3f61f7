package syncer_test

import (
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// Where the queue is long, a user may have two tasks in it. The second one has nothing to do.
func TestA_task_of_the_schedule_whose_user_is_due_no_more_ends_at_once(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sync()
	for name, c := range map[string]struct {
		// promised is when the task says that the user was due, due when the user is; from now on. never is of no such time.
		promised, due time.Duration
		never         bool
		failing       int
		trigger       string
		want          syncer.Status
	}{
		"still due":                {promised: -time.Hour, due: -time.Hour, want: syncer.Done},
		"due a little later":       {promised: 30 * time.Second, due: 30 * time.Second, want: syncer.Done},
		"due again by now":         {promised: -2 * time.Hour, due: -time.Minute, want: syncer.Done},
		"synchronized meanwhile":   {promised: -time.Hour, due: 30 * time.Minute, want: syncer.Skipped},
		"switched off":             {promised: -time.Hour, never: true, want: syncer.Skipped},
		"failing":                  {promised: -time.Hour, due: 30 * time.Minute, failing: 1, want: syncer.Done},
		"asked for by the user":    {promised: -time.Hour, due: 30 * time.Minute, trigger: syncer.TriggerUser, want: syncer.Done},
		"nobody said when it was":  {due: 30 * time.Minute, want: syncer.Done},
		"switched off and failing": {promised: -time.Hour, never: true, failing: 3, want: syncer.Skipped},
	} {
		now := w.now()
		must(t, w.user.UpdateSync(t.Context(), record.Contacts, func(d *store.Sync) error {
			d.Due, d.Failing = now.Add(c.due), c.failing
			if c.never {
				d.Due = time.Time{}
			}
			return nil
		}))
		req := syncer.Request{Type: record.Contacts, Trigger: syncer.TriggerSchedule}
		if c.trigger != "" {
			req.Trigger = c.trigger
		}
		if c.promised != 0 {
			req.Due = now.Add(c.promised)
		}
		out, err := w.engine.Run(t.Context(), w.user, req)
		if err != nil || out.Status != c.want || out.Status == syncer.Skipped && out.Reason != syncer.ReasonNotDue {
			t.Errorf("%s: ended %s %s, %v", name, out.Status, out.Reason, err)
		}
		if d, err := w.user.Sync(t.Context(), record.Contacts); err != nil || d.Lease.Owner != "" {
			t.Errorf("%s: the lease is %+v, %v", name, d.Lease, err)
		}
	}
}
