package storetest

import (
	"sync"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

func keep(*store.Sync) error { return nil }

var leaseTests = map[string]func(*testing.T, store.Store){
	"a lease keeps everybody else away until it ends": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		held, first, err := u.Acquire(t.Context(), record.Contacts, "run1", noon.Add(time.Nanosecond), time.Minute)
		must(t, err)
		same(t, "lease", first, store.Lease{Owner: "run1", Fence: 1, Expires: noon.Add(time.Minute)})
		same(t, "lease in the document", held.Lease, first)
		same(t, "document", held.Settings, store.DefaultSettings(record.Contacts))
		kept, err := u.Sync(t.Context(), record.Contacts)
		must(t, err)
		same(t, "kept document", kept, held)

		for _, owner := range []string{"run2", "run1"} {
			_, _, err = u.Acquire(t.Context(), record.Contacts, owner, noon.Add(59*time.Second), time.Minute)
			wantError(t, err, store.ErrLeased)
		}
		_, _, err = u.Acquire(t.Context(), record.Activities, "run2", noon, time.Minute)
		must(t, err)
		_, _, err = signedIn(t, s, "bob").Acquire(t.Context(), record.Contacts, "run2", noon, time.Minute)
		must(t, err)

		_, second, err := u.Acquire(t.Context(), record.Contacts, "run2", noon.Add(time.Minute), time.Minute)
		must(t, err)
		same(t, "second lease", second, store.Lease{Owner: "run2", Fence: 2, Expires: noon.Add(2 * time.Minute), After: "run1"})
	},

	"a run that died leaves a sign": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		first, lease, err := u.Acquire(t.Context(), record.Contacts, "run1", noon, time.Minute)
		must(t, err)
		same(t, "sign before anybody died", first.Interrupted, false)
		must(t, u.Commit(t.Context(), record.Contacts, lease, store.Run{ID: "run1"}, keep))
		second, _, err := u.Acquire(t.Context(), record.Contacts, "run2", noon, time.Minute)
		must(t, err)
		same(t, "sign after a run that ended", second.Interrupted, false)
		third, lease, err := u.Acquire(t.Context(), record.Contacts, "run3", noon.Add(time.Minute), time.Minute)
		must(t, err)
		same(t, "sign after a run that died", third.Interrupted, true)
		must(t, u.Release(t.Context(), record.Contacts, lease))
		kept, err := u.Sync(t.Context(), record.Contacts)
		must(t, err)
		same(t, "sign that nobody took down", kept.Interrupted, true)
		_, lease, err = u.Acquire(t.Context(), record.Contacts, "run4", noon.Add(2*time.Minute), time.Minute)
		must(t, err)
		same(t, "who died, after one that gave up", lease.After, "run2")
		must(t, u.Commit(t.Context(), record.Contacts, lease, store.Run{ID: "run4"}, keep))
		_, lease, err = u.Acquire(t.Context(), record.Contacts, "run5", noon.Add(2*time.Minute), time.Minute)
		must(t, err)
		same(t, "who died, after one that ended", lease.After, "")
	},

	"of runs that start at the same time one gets the lease": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		var errs [3]error
		var leases [3]store.Lease
		var wg sync.WaitGroup
		for n, owner := range []string{"run1", "run2", "run3"} {
			wg.Go(func() { _, leases[n], errs[n] = u.Acquire(t.Context(), record.Contacts, owner, noon, time.Minute) })
		}
		wg.Wait()
		winners := 0
		for n, err := range errs {
			if err != nil {
				wantError(t, err, store.ErrLeased)
				continue
			}
			winners++
			must(t, u.Renew(t.Context(), record.Contacts, leases[n], noon, time.Minute))
		}
		if winners != 1 {
			t.Fatalf("%d runs got the lease", winners)
		}
	},

	"the fence rises from lease to lease": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		for n := range int64(3) {
			l := acquire(t, u, "run")
			if l.Fence != n+1 {
				t.Fatalf("fence is %d, want %d", l.Fence, n+1)
			}
			if n == 0 {
				must(t, u.Commit(t.Context(), record.Contacts, l, store.Run{ID: "run1"}, keep))
			} else {
				must(t, u.Release(t.Context(), record.Contacts, l))
			}
		}
	},

	"renewing moves the end": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		l := acquire(t, u, "run1")
		must(t, u.Renew(t.Context(), record.Contacts, l, noon.Add(50*time.Second), time.Minute))
		_, _, err := u.Acquire(t.Context(), record.Contacts, "run2", noon.Add(100*time.Second), time.Minute)
		wantError(t, err, store.ErrLeased)
		got, err := u.Sync(t.Context(), record.Contacts)
		must(t, err)
		same(t, "lease", got.Lease, store.Lease{Owner: "run1", Fence: 1, Expires: noon.Add(110 * time.Second)})
		must(t, putLinks(t.Context(), u, record.Contacts, l, []store.Link{{ID: "l1", GoogleID: "g1"}}))
	},

	"an expired lease that nobody took is good still": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		l := acquire(t, u, "run1")
		must(t, u.Renew(t.Context(), record.Contacts, l, noon.Add(time.Hour), time.Minute))
	},

	"a lost lease writes nothing": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		old := acquire(t, u, "run1")
		must(t, putLinks(t.Context(), u, record.Contacts, old, []store.Link{{ID: "l1", GoogleID: "g1", Name: "before"}}))
		_, fresh, err := u.Acquire(t.Context(), record.Contacts, "run2", noon.Add(time.Hour), time.Minute)
		must(t, err)

		wantError(t, u.Renew(t.Context(), record.Contacts, old, noon.Add(time.Hour), time.Hour), store.ErrFenced)
		wantError(t, putLinks(t.Context(), u, record.Contacts, old, []store.Link{
			{ID: "l1", GoogleID: "g9", Name: "after"}, {ID: "l2", GoogleID: "g2"},
		}), store.ErrFenced)
		wantError(t, putLinks(t.Context(), u, record.Contacts, old, nil), store.ErrFenced)
		wantError(t, u.Commit(t.Context(), record.Contacts, old, store.Run{ID: "run1"}, func(s *store.Sync) error {
			s.Status = "ok"
			return nil
		}), store.ErrFenced)
		must(t, u.Release(t.Context(), record.Contacts, old))

		same(t, "links", linksOf(t, u), []store.Link{{ID: "l1", GoogleID: "g1", Name: "before"}})
		_, err = u.Run(t.Context(), "run1")
		wantError(t, err, store.ErrNotFound)
		got, err := u.Sync(t.Context(), record.Contacts)
		must(t, err)
		same(t, "lease", got.Lease, fresh)
		same(t, "status", got.Status, "never")
	},

	"a lease that was never held is none": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		l := acquire(t, u, "run1")
		for _, other := range []store.Lease{{}, {Owner: "run1"}, {Fence: 1}, {Owner: "run2", Fence: l.Fence}, {Owner: "run1", Fence: l.Fence + 1}} {
			wantError(t, u.Renew(t.Context(), record.Contacts, other, noon, time.Minute), store.ErrFenced)
		}
		wantError(t, putLinks(t.Context(), signedIn(t, s, "bob"), record.Contacts, store.Lease{}, nil), store.ErrFenced)
		wantError(t, putLinks(t.Context(), u, record.Activities, l, nil), store.ErrFenced)
		must(t, signedIn(t, s, "bob").Release(t.Context(), record.Contacts, l))
		must(t, u.Release(t.Context(), record.Contacts, l))
		wantError(t, u.Renew(t.Context(), record.Contacts, l, noon, time.Minute), store.ErrFenced)
		wantError(t, u.Renew(t.Context(), record.Contacts, store.Lease{Fence: 1}, noon, time.Minute), store.ErrFenced)
	},

	"a settings change during a run keeps the lease and survives the commit": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		l := acquire(t, u, "run1")
		must(t, u.UpdateSync(t.Context(), record.Contacts, func(s *store.Sync) error {
			s.Settings.TagID = "new-tag"
			s.Lease = store.Lease{}
			return nil
		}))
		run := store.Run{
			ID: "run1", Type: record.Contacts, Trigger: "user", Status: "done", StartedAt: noon, FinishedAt: noon.Add(time.Second),
			Counts: store.Counts{Matched: 3, Calls: store.Calls{Google: 7}}, Problems: []store.Problem{{Code: "c"}},
		}
		must(t, u.Commit(t.Context(), record.Contacts, l, run, func(s *store.Sync) error {
			s.Status, s.LastSync, s.Lease = "ok", noon, l
			return nil
		}))
		got, err := u.Sync(t.Context(), record.Contacts)
		must(t, err)
		same(t, "tag", got.Settings.TagID, "new-tag")
		same(t, "status", got.Status, "ok")
		same(t, "lease", got.Lease, store.Lease{Fence: 1})
		kept, err := u.Run(t.Context(), "run1")
		must(t, err)
		same(t, "run", kept, run)
	},

	"a refused commit leaves everything as it was": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		l := acquire(t, u, "run1")
		wantError(t, u.Commit(t.Context(), record.Contacts, l, store.Run{ID: "run1"}, func(s *store.Sync) error {
			s.Status = "ok"
			return errRefused
		}), errRefused)
		got, err := u.Sync(t.Context(), record.Contacts)
		must(t, err)
		same(t, "status", got.Status, "never")
		same(t, "lease", got.Lease, l)
		_, err = u.Run(t.Context(), "run1")
		wantError(t, err, store.ErrNotFound)
	},
}
