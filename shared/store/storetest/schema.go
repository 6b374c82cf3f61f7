package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

var schemaTests = map[string]func(*testing.T, store.Store){
	"a new store has been through nothing": func(t *testing.T, s store.Store) {
		got, err := s.Schema(t.Context())
		must(t, err)
		same(t, "schema", got, store.Schema{})
		last, err := s.Reindex(t.Context(), "", 10)
		must(t, err)
		same(t, "last user", last, "")
	},

	"the schema comes back as it was written": func(t *testing.T, s store.Store) {
		want := store.Schema{
			Version: 3, Needs: 2, Known: 4, Since: noon.Add(time.Microsecond), After: "ada",
			Lease: store.Lease{Owner: "p1", Fence: 7, Expires: noon.Add(time.Minute)},
		}
		must(t, s.UpdateSchema(t.Context(), func(kept *store.Schema) error {
			same(t, "schema to change", *kept, store.Schema{})
			*kept = want
			kept.Since = want.Since.Add(999 * time.Nanosecond)
			return nil
		}))
		got, err := s.Schema(t.Context())
		must(t, err)
		same(t, "schema", got, want)
		wantError(t, s.UpdateSchema(t.Context(), func(kept *store.Schema) error {
			kept.Version = 9
			return errRefused
		}), errRefused)
		got, err = s.Schema(t.Context())
		must(t, err)
		same(t, "schema after a refused change", got, want)
	},

	"changes of the schema at the same time all count": func(t *testing.T, s store.Store) {
		const writers = 4
		var wg sync.WaitGroup
		errs := make([]error, writers)
		for n := range errs {
			wg.Go(func() {
				errs[n] = s.UpdateSchema(t.Context(), func(kept *store.Schema) error {
					kept.Version++
					return nil
				})
			})
		}
		wg.Wait()
		for _, err := range errs {
			must(t, err)
		}
		got, err := s.Schema(t.Context())
		must(t, err)
		same(t, "version", got.Version, writers)
	},

	"indexing again changes nothing where all is well, and comes to an end": func(t *testing.T, s store.Store) {
		var want []store.Due
		for n := range 5 {
			u := s.User(fmt.Sprint("user", n))
			must(t, profile(t.Context(), u))
			want = append(want, store.Due{User: u.ID(), At: noon.Add(time.Duration(n) * time.Minute)})
			setDue(t, u, record.Contacts, want[n].At)
			setDue(t, u, record.Activities, time.Time{})
		}
		must(t, profile(t.Context(), s.User("without-sync")))
		l := acquire(t, s.User("user1"), "run1")
		before, err := s.User("user1").Sync(t.Context(), record.Contacts)
		must(t, err)
		for pages, after := 0, ""; ; pages++ {
			last, err := s.Reindex(t.Context(), after, 2)
			must(t, err)
			if last == "" {
				break
			}
			if last <= after || pages > 5 {
				t.Fatalf("page %d goes from %q to %q", pages, after, last)
			}
			after = last
		}
		wantDue(t, s, record.Contacts, noon.Add(time.Hour), 10, want...)
		wantDue(t, s, record.Activities, noon.Add(time.Hour), 10)
		after, err := s.User("user1").Sync(t.Context(), record.Contacts)
		must(t, err)
		same(t, "sync", after, before)
		must(t, s.User("user1").Renew(t.Context(), record.Contacts, l, noon, time.Minute))
	},
}
