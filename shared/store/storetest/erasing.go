package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// Write is one way in which something of a user is written. Lease is one that the user had before, Channel an id for a channel.
type Write func(ctx context.Context, s store.Store, user string, l store.Lease, channel string) error

// Writes are all of them, but for UpdateProfile, which makes a user.
var Writes = map[string]Write{
	"token": func(ctx context.Context, s store.Store, user string, _ store.Lease, _ string) error {
		return s.User(user).PutToken(ctx, record.Google, store.Token{Version: "late"})
	},
	"access token": func(ctx context.Context, s store.Store, user string, _ store.Lease, _ string) error {
		return s.User(user).PutAccessToken(ctx, store.AccessToken{ID: "late", ExpiresAt: noon.Add(time.Hour)})
	},
	"refreshed token": func(ctx context.Context, s store.Store, user string, _ store.Lease, _ string) error {
		swapped, err := s.User(user).SwapToken(ctx, record.Google, store.Token{Version: "v1"}, store.Token{Version: "late"})
		return refusedUnless(swapped, err)
	},
	"settings": func(ctx context.Context, s store.Store, user string, _ store.Lease, _ string) error {
		return s.User(user).UpdateSync(ctx, record.Contacts, func(d *store.Sync) error { d.Due = noon; return nil })
	},
	"lease": func(ctx context.Context, s store.Store, user string, _ store.Lease, _ string) error {
		_, _, err := s.User(user).Acquire(ctx, record.Contacts, "late", noon.Add(time.Hour), time.Minute)
		return err
	},
	"renewed lease": func(ctx context.Context, s store.Store, user string, l store.Lease, _ string) error {
		return s.User(user).Renew(ctx, record.Contacts, l, noon, time.Minute)
	},
	"released lease": func(ctx context.Context, s store.Store, user string, l store.Lease, _ string) error {
		return s.User(user).Release(ctx, record.Contacts, l)
	},
	"links, claims, notes and pairs of a run": func(ctx context.Context, s store.Store, user string, l store.Lease, _ string) error {
		b := creation("late", "late", "late")
		b.Notes = []store.WriteNote{{Site: site, Record: "late", Modified: noon, Edited: noon, Until: noon.Add(time.Hour)}}
		b.Pairs = []store.Pair{pair("late", "people/late", store.StateDoubt)}
		_, err := s.User(user).PutBatch(ctx, record.Contacts, l, noon, b)
		return err
	},
	"blob": func(ctx context.Context, s store.Store, user string, l store.Lease, _ string) error {
		return s.User(user).PutBlob(ctx, record.Contacts, l, "late", noise(1, 2_000_000))
	},
	"end of a run": func(ctx context.Context, s store.Store, user string, l store.Lease, _ string) error {
		return s.User(user).Commit(ctx, record.Contacts, l, store.Run{ID: "late"}, func(d *store.Sync) error { d.Due = noon; return nil })
	},
	"run": func(ctx context.Context, s store.Store, user string, _ store.Lease, _ string) error {
		return s.User(user).PutRun(ctx, store.Run{ID: "late", Type: record.Contacts})
	},
	"added run": func(ctx context.Context, s store.Store, user string, _ store.Lease, _ string) error {
		_, err := s.User(user).AddRun(ctx, store.Run{ID: "late", Type: record.Contacts})
		return err
	},
	"changed run": func(ctx context.Context, s store.Store, user string, _ store.Lease, _ string) error {
		return s.User(user).UpdateRun(ctx, "run1", func(r *store.Run) error { r.Status = "late"; return nil })
	},
	"changes of a run": func(ctx context.Context, s store.Store, user string, _ store.Lease, _ string) error {
		return s.User(user).AddChanges(ctx, "run1", 7, []store.Change{{Record: "late"}})
	},
	"channel": func(ctx context.Context, s store.Store, user string, _ store.Lease, channel string) error {
		return s.User(user).PutChannel(ctx, store.Channel{ID: channel, Due: noon, Expires: noon.Add(time.Hour)})
	},
	"changed channel": func(ctx context.Context, s store.Store, user string, _ store.Lease, channel string) error {
		return s.User(user).UpdateChannel(ctx, channel, func(c *store.Channel) error { c.Due = noon; return nil })
	},
	"decided pairs": func(ctx context.Context, s store.Store, user string, _ store.Lease, _ string) error {
		return s.User(user).PutPairs(ctx, record.Contacts, []store.Pair{pair("late", "people/late", store.StateDifferent)})
	},
	"seat": func(ctx context.Context, s store.Store, user string, _ store.Lease, _ string) error {
		_, err := s.TakeSeat(ctx, "late-of-"+user, user)
		return err
	},
}

func refusedUnless(done bool, err error) error {
	if err == nil && !done {
		return store.ErrNotFound
	}
	return err
}

// Furnish gives a user one of everything, and a lease and a channel that are still in use.
func Furnish(t *testing.T, s store.Store, user string) (store.Lease, string) {
	t.Helper()
	u := s.User(user)
	furnish(t, u)
	_, l, err := u.Acquire(t.Context(), record.Contacts, "run2", noon.Add(10*time.Minute), time.Minute)
	must(t, err)
	channel, err := s.NewChannelID(t.Context())
	must(t, err)
	must(t, u.PutChannel(t.Context(), store.Channel{ID: channel, Due: noon, Expires: noon.Add(time.Hour)}))
	_, err = s.TakeSeat(t.Context(), "seat-of-"+user, user)
	must(t, err)
	return l, channel
}

// WantErased fails where anything of the user is left.
func WantErased(t *testing.T, s store.Store, user string) {
	t.Helper()
	ctx := t.Context()
	wantNothing(t, s.User(user))
	_, err := s.User(user).Run(ctx, "late")
	wantError(t, err, store.ErrNotFound)
	channels, err := s.User(user).Channels(ctx)
	must(t, err)
	same(t, "channels", channels, []store.Channel(nil))
	for _, seat := range []string{"seat-of-", "late-of-"} {
		_, err = s.Seat(ctx, seat+user)
		wantError(t, err, store.ErrNotFound)
	}
	for _, typ := range []record.Type{record.Contacts, record.Activities} {
		due, err := s.Due(ctx, typ, noon.Add(time.Hour), store.Due{}, 10)
		must(t, err)
		same(t, "due users", due, []store.Due(nil))
		listed, err := s.SyncStatuses(ctx, typ, "", 10)
		must(t, err)
		same(t, "statuses", listed, []store.SyncStatus(nil))
	}
	// What was begun without a run's summary is seen only by whoever is of that id again.
	must(t, profile(ctx, s.User(user)))
	must(t, s.User(user).PutRun(ctx, store.Run{ID: "run1"}))
	r, err := s.User(user).Run(ctx, "run1")
	must(t, err)
	same(t, "changes", r.Changes, []store.Change(nil))
	must(t, s.User(user).Erase(ctx))
}

// Late reports whether a write that came too late was refused, as it has to be.
func Late(err error) bool {
	return err == nil || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrFenced) || fault.Is(err, fault.Retry)
}

var erasingTests = map[string]func(*testing.T, store.Store){
	"nothing is written of a user who was erased": func(t *testing.T, s store.Store) {
		l, channel := Furnish(t, s, "ada")
		must(t, s.User("ada").Erase(t.Context()))
		for name, write := range Writes {
			err := write(t.Context(), s, "ada", l, channel)
			if !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrFenced) && name != "released lease" {
				t.Errorf("%s: %v", name, err)
			}
		}
		WantErased(t, s, "ada")
	},
	"nothing is written of somebody who never signed in": func(t *testing.T, s store.Store) {
		for name, write := range Writes {
			if err := write(t.Context(), s, "nobody", store.Lease{Owner: "run1", Fence: 1}, "c1"); err == nil && name != "released lease" {
				t.Errorf("%s was written", name)
			}
		}
		WantErased(t, s, "nobody")
	},
	"whoever holds a lease of an erased user learns that it is lost": func(t *testing.T, s store.Store) {
		l, _ := Furnish(t, s, "ada")
		must(t, s.User("ada").Erase(t.Context()))
		wantError(t, s.User("ada").Renew(t.Context(), record.Contacts, l, noon, time.Minute), store.ErrFenced)
		must(t, s.User("ada").Release(t.Context(), record.Contacts, l))
	},
	"remains are of those who have no profile": func(t *testing.T, s store.Store) {
		furnish(t, s.User("ada"))
		must(t, s.User("ada").EraseRemains(t.Context()))
		wantFurnished(t, s.User("ada"))
		must(t, s.User("bob").EraseRemains(t.Context()))
		same(t, "users", usersOf(t, s), []string{"ada"})
		if err := s.User("a/b").EraseRemains(t.Context()); !fault.Is(err, fault.Bug) {
			t.Errorf("error is %v", err)
		}
	},
	"a write at the time of an erasure is before it, or is refused": func(t *testing.T, s store.Store) {
		for name, write := range Writes {
			user := fmt.Sprintf("user-%x", name)
			l, channel := Furnish(t, s, user)
			var wg sync.WaitGroup
			var late, failed error
			wg.Go(func() { late = write(t.Context(), s, user, l, channel) })
			wg.Go(func() { failed = s.User(user).Erase(t.Context()) })
			wg.Wait()
			if failed != nil {
				// It met a write of the same document, and is repeated.
				failed = s.User(user).Erase(t.Context())
			}
			must(t, failed)
			if !Late(late) {
				t.Errorf("%s: %v", name, late)
			}
			WantErased(t, s, user)
		}
	},
}
