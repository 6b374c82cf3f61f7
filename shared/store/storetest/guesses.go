package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/store"
)

var guessTests = map[string]func(*testing.T, store.Store){
	"guesses come back as they were written, and none where there are none": func(t *testing.T, s store.Store) {
		got, err := s.Guesses(t.Context(), "k")
		must(t, err)
		same(t, "guesses", got, store.Guesses{})
		want := store.Guesses{Login: "bob <&>", Failed: 3, Until: noon.Add(time.Minute), Last: noon, By: []store.Guesser{{User: "ada", Wrong: 5, Last: noon}}, Expires: noon.Add(time.Hour)}
		must(t, s.UpdateGuesses(t.Context(), "k", func(g *store.Guesses) error { *g = want; return nil }))
		wantError(t, s.UpdateGuesses(t.Context(), "k", func(g *store.Guesses) error { g.Failed = 9; return errRefused }), errRefused)
		got, err = s.Guesses(t.Context(), "k")
		must(t, err)
		same(t, "guesses", got, want)
	},
	"guesses at the same time are all counted": func(t *testing.T, s store.Store) {
		const many = 8
		var wg sync.WaitGroup
		var errs [many]error
		for n := range many {
			wg.Go(func() {
				errs[n] = s.UpdateGuesses(t.Context(), "k", func(g *store.Guesses) error { g.Failed++; g.Expires = noon; return nil })
			})
		}
		wg.Wait()
		for _, err := range errs {
			must(t, err)
		}
		got, err := s.Guesses(t.Context(), "k")
		must(t, err)
		same(t, "failed", got.Failed, many)
	},
	"recent are those of names, the latest first": func(t *testing.T, s store.Store) {
		for n, g := range []store.Guesses{{Login: "old"}, {Login: "first"}, {}, {Login: "second"}} {
			g.Last, g.Expires = noon.Add(time.Duration(n)*time.Hour), noon.Add(24*time.Hour)
			must(t, s.UpdateGuesses(t.Context(), fmt.Sprint("k", n), func(d *store.Guesses) error { *d = g; return nil }))
		}
		for limit, want := range map[int]string{0: "[]", 1: "[second]", 9: "[second first]"} {
			found, err := s.RecentGuesses(t.Context(), noon.Add(time.Hour), limit)
			must(t, err)
			names := []string{}
			for _, g := range found {
				names = append(names, g.Login)
			}
			same(t, "names", fmt.Sprint(names), want)
		}
	},
	"a key that cannot be one has no guesses": func(t *testing.T, s store.Store) {
		got, err := s.Guesses(t.Context(), "a/b")
		must(t, err)
		same(t, "guesses", got, store.Guesses{})
		if err := s.UpdateGuesses(t.Context(), "a/b", func(*store.Guesses) error { return nil }); !fault.Is(err, fault.Bug) {
			t.Errorf("update: %v", err)
		}
	},
}
