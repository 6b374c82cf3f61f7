package oauth

import (
	"context"
	"errors"
	"testing"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// mortal is a database of which a process makes so many writes before it ends.
type mortal struct {
	store.Store
	left int
}

var errKilled = errors.New("the process ended")

// writes makes one more write, unless the process has ended.
func (m *mortal) writes(do func() error) error {
	if m.left == 0 {
		return errKilled
	}
	m.left--
	return do()
}

func (m *mortal) User(id string) store.User { return mortalUser{m.Store.User(id), m} }

func (m *mortal) LeaveSeat(ctx context.Context, seat, user string) error {
	return m.writes(func() error { return m.Store.LeaveSeat(ctx, seat, user) })
}

func (m *mortal) TakeSeat(ctx context.Context, seat, user string) (holder string, err error) {
	err = m.writes(func() error { holder, err = m.Store.TakeSeat(ctx, seat, user); return err })
	return holder, err
}

type mortalUser struct {
	store.User
	m *mortal
}

func (u mortalUser) UpdateProfile(ctx context.Context, f func(*store.Profile) error) error {
	return u.m.writes(func() error { return u.User.UpdateProfile(ctx, f) })
}

func (u mortalUser) PutToken(ctx context.Context, side record.Side, t store.Token) error {
	return u.m.writes(func() error { return u.User.PutToken(ctx, side, t) })
}

func (u mortalUser) SwapToken(ctx context.Context, side record.Side, old, new store.Token) (swapped bool, err error) {
	err = u.m.writes(func() error { swapped, err = u.User.SwapToken(ctx, side, old, new); return err })
	return swapped, err
}

func (u mortalUser) DeleteToken(ctx context.Context, side record.Side) error {
	return u.m.writes(func() error { return u.User.DeleteToken(ctx, side) })
}

// killed does something in a process that ends after so many writes, and reports whether it did end.
func (w *world) killed(after int, do func(*Linker) error) bool {
	w.t.Helper()
	o := w.linker.o
	o.Store = &mortal{w.store, after}
	l, err := New(o)
	if err != nil {
		w.t.Fatal(err)
	}
	err = do(l)
	if err != nil && !errors.Is(err, errKilled) {
		w.t.Fatal(err)
	}
	return err != nil
}

func TestAnUnlinkingThatWasKilledAnywhereLeavesNoCredentials(t *testing.T) {
	t.Parallel()
	for _, side := range record.Sides {
		for n, died := 0, true; died; n++ {
			w := newWorld(t, AuthUser)
			user := w.linked()
			died = w.killed(n, func(l *Linker) error { return l.Unlink(t.Context(), user, side) })
			p := w.profile(user)
			if side == record.Google && p.Google.Linked || side == record.Creatio && p.Creatio.Linked {
				// The user sees an account that is linked.
				if err := w.linker.Unlink(t.Context(), user, side); err != nil {
					t.Fatal(err)
				}
			}
			// Whoever has an unlinked account is looked after.
			if err := w.linker.RevokePending(t.Context(), user); err != nil {
				t.Fatal(err)
			}
			w.noToken(user, side)
			s := map[record.Side]*identityServer{record.Google: w.google, record.Creatio: w.creatio}[side]
			if len(s.revocations()) == 0 {
				t.Errorf("%s, killed after %d writes: the grant is not revoked", side, n)
			}
		}
	}
}

func TestAChangeOfTheCreatioUserThatWasKilledAnywhereKeepsNobodyElseOut(t *testing.T) {
	t.Parallel()
	other := CreatioUser{ID: "4242", Login: "other", ContactID: "c-4242"}
	for n, died := 0, true; died; n++ {
		w := newWorld(t, AuthClient)
		user := w.olena()
		w.found = func(string) (CreatioUser, error) { return olena, nil }
		if err := w.linker.LinkClient(t.Context(), user); err != nil {
			t.Fatal(err)
		}
		w.found = func(string) (CreatioUser, error) { return other, nil }
		died = w.killed(n, func(l *Linker) error { return l.LinkClient(t.Context(), user) })
		// The user signs in again.
		if err := w.linker.LinkClient(t.Context(), user); err != nil {
			t.Fatal(err)
		}
		if got := w.profile(user).Creatio.UserID; got != other.ID {
			t.Errorf("killed after %d writes: linked as %q", n, got)
		}
		w.found = func(string) (CreatioUser, error) { return olena, nil }
		if err := w.linker.LinkClient(t.Context(), w.guest("2002", "new@example.com", nil)); err != nil {
			t.Errorf("killed after %d writes: nobody else may be who the user was: %v", n, err)
		}
	}
}
