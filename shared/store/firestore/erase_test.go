package firestore_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/storetest"
)

// nth calls f after the n-th request, and counts them.
func nth(n int, f func()) (observe func(int, int), requests *atomic.Int64) {
	requests = new(atomic.Int64)
	return func(int, int) {
		if requests.Add(1) == int64(n) {
			f()
		}
	}, requests
}

func TestWhateverIsWrittenBetweenTwoStepsOfAnErasureIsErasedOrRefused(t *testing.T) {
	t.Parallel()
	s := open(t)
	lease, channel := storetest.Furnish(t, s, "ada")
	steps := 0
	observe := func(int, int) {
		steps++
		for name, write := range storetest.Writes {
			if err := write(t.Context(), s, "ada", lease, channel); !storetest.Late(err) && !errors.Is(err, store.ErrLeased) {
				t.Errorf("%s after step %d: %v", name, steps, err)
			}
		}
	}
	must(t, s.WithObserver(observe).User("ada").Erase(t.Context()))
	storetest.WantErased(t, s, "ada")
}

func TestAnErasureBetweenTwoStepsOfAWriteLeavesNothing(t *testing.T) {
	t.Parallel()
	s := open(t)
	for name, write := range storetest.Writes {
		user := fmt.Sprintf("user-%x", name)
		lease, channel := storetest.Furnish(t, s, user)
		erased := make(chan error, 1)
		// What a transaction has read is locked until its end, so that it cannot wait for the erasure.
		observe, _ := nth(1, func() { go func() { erased <- s.User(user).Erase(t.Context()) }() })
		if err := write(t.Context(), s.WithObserver(observe), user, lease, channel); !storetest.Late(err) {
			t.Errorf("%s: %v", name, err)
		}
		if err := <-erased; err != nil {
			must(t, s.User(user).Erase(t.Context())) // it met the write, and is repeated
		}
		storetest.WantErased(t, s, user)
	}
}

func TestAnErasureThatWasCutOffSaysSoAndIsRepeated(t *testing.T) {
	t.Parallel()
	s := open(t)
	storetest.Furnish(t, s, "ada")
	for n := 1; ; n++ {
		ctx, cancel := context.WithCancel(t.Context())
		observe, requests := nth(n, cancel)
		err := s.WithObserver(observe).User("ada").Erase(ctx)
		if err == nil && requests.Load() < int64(n) {
			break
		}
		if p, err := s.User("ada").Profile(t.Context()); err == nil && n > 2 && p.Erasing.IsZero() {
			t.Errorf("cut off after request %d the profile does not say so", n)
		}
	}
	storetest.WantErased(t, s, "ada")
}

func TestWhatAFormerVersionWroteAfterAnErasureIsRemoved(t *testing.T) {
	t.Parallel()
	s, client := openBoth(t)
	storetest.Furnish(t, s, "ada")
	_, err := client.Collection("users").Doc("ada").Delete(t.Context())
	must(t, err)
	must(t, s.User("ada").EraseRemains(t.Context()))
	storetest.WantErased(t, s, "ada")
}
