package oauth

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/store"
)

// guessing is a world with passwords, in which tries at the site are counted.
func guessing(t *testing.T) (w *world, tries *atomic.Int64) {
	w, tries = newWorld(t, AuthPassword), &atomic.Int64{}
	w.options.CreatioSignIn = func(_ context.Context, _ http.RoundTripper, _, password string) error {
		tries.Add(1)
		if password == "nobody answers" {
			return fault.New(fault.Retry, "creatio", "unreachable", errors.New("log in: no answer"))
		}
		return w.tryPassword(password)
	}
	w.linker = w.another()
	return w, tries
}

// newcomer is a user of Tandem who is linked with nothing.
func (w *world) newcomer(id string) string {
	w.t.Helper()
	err := w.store.User(id).UpdateProfile(w.t.Context(), func(p *store.Profile) error { p.CreatedAt = start; return nil })
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// guess tries a password, and returns the code of its refusal and the wait.
func (w *world) guess(user, login, password string) (code string, wait time.Duration) {
	err := w.linker.LinkPassword(w.t.Context(), user, login, password)
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Code, f.After
	}
	if err != nil {
		w.t.Errorf("LinkPassword = %v", err)
	}
	return "", 0
}

func TestTwoHundredGuessesAtOnceAreThree(t *testing.T) {
	t.Parallel()
	w, tries := guessing(t)
	w.newcomer("eve")
	// Two instances of Tandem, as the cloud has them.
	other := w.another()
	var wg sync.WaitGroup
	for n := range 200 {
		wg.Go(func() {
			if n%2 == 0 {
				w.guess("eve", "olena", "guess")
			} else {
				_ = other.LinkPassword(t.Context(), "eve", "OLENA ", "guess")
			}
		})
	}
	wg.Wait()
	if got := tries.Load(); got > freeGuesses {
		t.Errorf("the site was asked %d times", got)
	}
}

func TestTheWaitGrowsWithEachWrongPassword(t *testing.T) {
	t.Parallel()
	w, tries := guessing(t)
	w.newcomer("eve")
	for range freeGuesses {
		if code, _ := w.guess("eve", "olena", "guess"); code != "wrong-password" {
			t.Fatalf("code is %q", code)
		}
	}
	var waits []time.Duration
	for range 10 {
		code, wait := w.guess("eve", "olena", "guess")
		if code != "too-many-passwords" {
			t.Fatalf("code is %q", code)
		}
		waits = append(waits, wait)
		w.clock.pass(wait)
		if code, _ := w.guess("eve", "olena", "guess"); code != "wrong-password" {
			t.Fatalf("after the wait the code is %q", code)
		}
	}
	for n, wait := range waits {
		if want := min(firstWait<<n, longestWait); wait != want {
			t.Errorf("wait %d is %v, want %v", n+1, wait, want)
		}
	}
	if got := tries.Load(); got != freeGuesses+10 {
		t.Errorf("the site was asked %d times", got)
	}
	w.clock.pass(forgivenAfter)
	if code, _ := w.guess("eve", "olena", "guess"); code != "wrong-password" {
		t.Errorf("a day later the code is %q", code)
	}
	if code, _ := w.guess("eve", "olena", "right"); code != "" {
		t.Errorf("the right password is refused with %q", code)
	}
}

func TestGuessesAreCountedByNameAndByUser(t *testing.T) {
	t.Parallel()
	w, _ := guessing(t)
	for _, user := range []string{"eve", "mallory", "olga"} {
		w.newcomer(user)
		if code, _ := w.guess(user, "olena", "guess"); code != "wrong-password" {
			t.Errorf("%s: code is %q", user, code)
		}
	}
	// Another user changes nothing for the name, and another name nothing for the user.
	w.newcomer("fourth")
	if code, _ := w.guess("fourth", "Olena", "guess"); code != "too-many-passwords" {
		t.Errorf("the name: code is %q", code)
	}
	for _, login := range []string{"adam", "bert"} {
		w.guess("eve", login, "guess")
	}
	if code, _ := w.guess("eve", "carl", "right"); code != "too-many-passwords" {
		t.Errorf("the user: code is %q", code)
	}
	// What was refused unasked was not counted for those who asked.
	if code, _ := w.guess("fourth", "dora", "right"); code != "" {
		t.Errorf("a name that nobody guessed at: code is %q", code)
	}
}

func TestAnAccountOfOnesOwnDoesNotMakeUpForGuesses(t *testing.T) {
	t.Parallel()
	w, tries := guessing(t)
	w.newcomer("eve")
	for _, login := range []string{"adam", "bert", "carl", "dora", "emil"} {
		w.guess("eve", login, "guess")
		w.guess("eve", "eve", "right")
	}
	// Three wrong ones, and what is right in between.
	if got := tries.Load(); got > 2*freeGuesses {
		t.Errorf("the site was asked %d times", got)
	}
}

func TestAUserWhoErasesTheAccountDoesNotGuessAnew(t *testing.T) {
	t.Parallel()
	w, _ := guessing(t)
	for range freeGuesses {
		w.newcomer("eve")
		w.guess("eve", "olena", "guess")
		if err := w.store.User("eve").Erase(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w.newcomer("eve")
	if code, _ := w.guess("eve", "adam", "guess"); code != "too-many-passwords" {
		t.Errorf("code is %q", code)
	}
}

func TestNobodyIsKeptOutOfTheirOwnAccountByGuesses(t *testing.T) {
	t.Parallel()
	w, _ := guessing(t)
	w.newcomer("bob")
	if code, _ := w.guess("bob", "olena", "right"); code != "" {
		t.Fatalf("code is %q", code)
	}
	for _, user := range []string{"eve", "mallory", "olga", "adam"} {
		w.guess(w.newcomer(user), "olena", "guess")
	}
	w.password = "changed"
	if code, _ := w.guess("bob", "olena", "changed"); code != "" {
		t.Errorf("code is %q", code)
	}
	g, err := w.linker.GuessesOf(t.Context(), "Olena")
	if err != nil || len(g.By) != freeGuesses {
		t.Errorf("remembered are %+v, %v", g, err)
	}
}

func TestASiteThatDoesNotAnswerIsNobodysGuess(t *testing.T) {
	t.Parallel()
	w, _ := guessing(t)
	w.newcomer("bob")
	for range 10 {
		if code, _ := w.guess("bob", "olena", "nobody answers"); code != "unreachable" {
			t.Fatalf("code is %q", code)
		}
	}
	if code, _ := w.guess("bob", "olena", "right"); code != "" {
		t.Errorf("code is %q", code)
	}
}
