package syncer_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/syncer"
)

// heard is a user whose renewals a test answers.
type heard struct {
	store.User
	renew func(ctx context.Context) error
}

func (h heard) Renew(ctx context.Context, t record.Type, l store.Lease, now time.Time, ttl time.Duration) error {
	if err := h.renew(ctx); err != nil {
		return err
	}
	return h.User.Renew(ctx, t, l, now, ttl)
}

var errStore = fault.New(fault.Retry, "store", "unreachable", errors.New("no route"))

// slowWorld has n contacts in Creatio that go to Google one by one, each after a while, as real time passes.
func slowWorld(t *testing.T, n int, each time.Duration) (w *world, wrote *[]time.Time) {
	w = newWorld(t)
	w.engine.Now, w.engine.Chunk = time.Now, 1
	w.sides[record.Creatio].many(n)
	wrote = &[]time.Time{}
	w.before = func(call string) error {
		if call == "google apply" {
			*wrote = append(*wrote, time.Now())
			time.Sleep(each)
		}
		return nil
	}
	return w, wrote
}

func (w *world) runAs(u store.User) (syncer.Outcome, error) {
	return w.engine.Run(context.Background(), u, syncer.Request{Type: record.Contacts, Trigger: syncer.TriggerSchedule})
}

func TestA_run_whose_lease_cannot_be_renewed_begins_no_write_after_it_ended(t *testing.T) {
	t.Parallel()
	for name, renew := range map[string]func(context.Context) error{
		"the store cannot be reached": func(context.Context) error { return errStore },
		"the store never answers":     func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, wrote := slowWorld(t, 12, 15*time.Second)
				began := time.Now()
				out, err := w.runAs(heard{w.user, renew})
				if last := (*wrote)[len(*wrote)-1].Sub(began); last >= time.Minute || time.Since(began) > 90*time.Second {
					t.Errorf("the last write began after %s, the run ended after %s", last, time.Since(began))
				}
				if out.Status != syncer.Retry || fault.KindOf(err) != fault.Retry || !strings.Contains(err.Error(), "lease-ran-out") {
					t.Errorf("ended %+v: %v", out, err)
				}
				r, err := w.user.Run(t.Context(), out.Run)
				must(t, err)
				if r.Status != "failed" || r.Counts.Google.Created != len(*wrote) || len(r.Changes) != len(*wrote) {
					t.Errorf("of %d writes the history tells %+v", len(*wrote), r)
				}
				time.Sleep(10 * time.Minute)
				w.sync()
				if n := len(w.sides[record.Google].rows); n != 12 {
					t.Errorf("google has %d records", n)
				}
				w.agree()
				w.silent()
			})
		})
	}
}

func TestA_renewal_that_failed_is_repeated_well_before_the_lease_ends(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(context.Context) error{
		"the store cannot be reached": func(context.Context) error { return errStore },
		"the store never answers":     func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, _ := slowWorld(t, 12, 15*time.Second)
				began, asked := time.Now(), []time.Duration{}
				out, err := w.runAs(heard{w.user, func(ctx context.Context) error {
					asked = append(asked, time.Since(began))
					if len(asked)%2 == 1 {
						return fail(ctx)
					}
					return nil
				}})
				if out.Status != syncer.Done {
					t.Errorf("ended %+v: %v", out, err)
				}
				if again := asked[1]; again > 40*time.Second {
					t.Errorf("asked again after %s", again)
				}
			})
		})
	}
}

func TestA_process_that_stood_still_for_longer_than_its_lease_writes_nothing_more(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.engine.Chunk = 1
	c, g := w.sides[record.Creatio], w.sides[record.Google]
	for _, name := range []string{"Ada", "Grace", "Mary"} {
		c.add(name, "")
	}
	w.after = func(call string) error {
		if call == "google apply" && g.written == 1 {
			w.pass(5 * time.Minute)
		}
		return nil
	}
	out, err := w.runAs(w.user)
	if out.Status != syncer.Retry || g.written != 1 || !strings.Contains(fmt.Sprint(err), "lease-ran-out") {
		t.Errorf("after %d writes the run ended %+v: %v", g.written, out, err)
	}
	w.after = nil
	w.sync()
	w.agree()
	w.silent()
}
