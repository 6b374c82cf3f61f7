package storetest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/store"
)

var seatTests = map[string]func(*testing.T, store.Store){
	"a seat is whose it was first, until that one leaves it": func(t *testing.T, s store.Store) {
		ctx := t.Context()
		_, err := s.Seat(ctx, "seat")
		wantError(t, err, store.ErrNotFound)
		for _, user := range []string{"ada", "bob", "ada"} {
			signedIn(t, s, user)
			holder, err := s.TakeSeat(ctx, "seat", user)
			must(t, err)
			same(t, "holder", holder, "ada")
		}
		must(t, s.LeaveSeat(ctx, "seat", "bob"))
		holder, err := s.Seat(ctx, "seat")
		must(t, err)
		same(t, "holder", holder, "ada")
		must(t, s.LeaveSeat(ctx, "seat", "ada"))
		must(t, s.LeaveSeat(ctx, "seat", "ada"))
		_, err = s.Seat(ctx, "seat")
		wantError(t, err, store.ErrNotFound)
		holder, err = s.TakeSeat(ctx, "seat", "bob")
		must(t, err)
		same(t, "holder", holder, "bob")
	},
	"seats are apart": func(t *testing.T, s store.Store) {
		for _, user := range []string{"ada", "bob"} {
			signedIn(t, s, user)
			holder, err := s.TakeSeat(t.Context(), "seat-of-"+user, user)
			must(t, err)
			same(t, "holder", holder, user)
		}
	},
	"of many who take a seat at once one has it": func(t *testing.T, s store.Store) {
		var holders [8]string
		var errs [8]error
		var wg sync.WaitGroup
		for n := range holders {
			signedIn(t, s, fmt.Sprint("user", n))
			wg.Go(func() { holders[n], errs[n] = s.TakeSeat(t.Context(), "seat", fmt.Sprint("user", n)) })
		}
		wg.Wait()
		for n := range holders {
			must(t, errs[n])
			same(t, "holder", holders[n], holders[0])
		}
	},
	"a seat that cannot be a key is never found and never taken": func(t *testing.T, s store.Store) {
		_, err := s.Seat(t.Context(), "a/b")
		wantError(t, err, store.ErrNotFound)
		if _, err := s.TakeSeat(t.Context(), "a/b", "ada"); !fault.Is(err, fault.Bug) {
			t.Errorf("take: %v", err)
		}
		if err := s.LeaveSeat(t.Context(), "a/b", "ada"); !fault.Is(err, fault.Bug) {
			t.Errorf("leave: %v", err)
		}
	},
}
