package syncer_test

import (
	"testing"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
)

func TestA_change_that_a_service_told_of_is_carried_only_while_the_user_wants_it(t *testing.T) {
	t.Parallel()
	w := newVisitWorld(t, nil)
	automatic := func(on bool) {
		must(t, w.user.UpdateSync(t.Context(), record.Activities, func(d *store.Sync) error {
			d.Settings.Automatic = on
			return nil
		}))
	}
	w.sync()
	before, err := w.user.Sync(t.Context(), record.Activities)
	must(t, err)
	out, r := w.run(syncer.TriggerPush)
	if out.Status != syncer.Skipped || out.Reason != syncer.ReasonNotDue || r.ID != "" {
		t.Errorf("got %s %s, and in the history %+v", out.Status, out.Reason, r)
	}
	after, err := w.user.Sync(t.Context(), record.Activities)
	must(t, err)
	if after.Status != before.Status || after.Lease.Owner != "" {
		t.Errorf("the sync was %+v, and is %+v", before, after)
	}
	automatic(true)
	if out, r := w.run(syncer.TriggerPush); out.Status != syncer.Done || r.Trigger != "push" {
		t.Errorf("got %s %s, and in the history %+v", out.Status, out.Reason, r)
	}
	if after, err = w.user.Sync(t.Context(), record.Activities); err != nil || after.Due.IsZero() {
		t.Errorf("the next one is due at %s, %v", after.Due, err)
	}
}
