package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/observe"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// Whoever may sign in to Tandem can try passwords of colleagues at the Creatio site, for which all tries come from one address. So
// wrong ones are counted, by the user who tries and by the name for which, and each has to wait longer than the one before. A try is
// counted before it is made: many at once are no way around the wait.
const (
	// freeGuesses are wrong passwords without a wait, as typing errors are.
	freeGuesses = 3
	// firstWait is the wait after the next one; it doubles with each, up to longestWait.
	firstWait   = 30 * time.Second
	longestWait = time.Hour
	// forgivenAfter is how long after the last one the wait begins anew.
	forgivenAfter = 24 * time.Hour
	// guessMemory is how long after the last one wrong passwords are remembered.
	guessMemory = 30 * 24 * time.Hour
	// mostGuessers is how many of the users are remembered who entered them.
	mostGuessers = 10
)

// GuessesOf are the wrong passwords that were entered for a Creatio user's name.
func (l *Linker) GuessesOf(ctx context.Context, login string) (store.Guesses, error) {
	return l.o.Store.Guesses(ctx, l.loginKey(login))
}

func (l *Linker) loginKey(login string) string {
	return guessKey("login", l.o.Creatio.URL, strings.ToLower(strings.TrimSpace(login)))
}

func guessKey(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\n")))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:15]))
}

// guarded tries a password of a name. If too many were wrong lately, the error is of kind Retry, with code "too-many-passwords"
// and the wait.
func (l *Linker) guarded(ctx context.Context, user, login string, try func() error) error {
	p, err := l.o.Store.User(user).Profile(ctx)
	if err != nil {
		return fmt.Errorf("link account: %w", err)
	}
	keys := []string{guessKey("user", user)}
	// Nobody else keeps those out of their own account who have proved that it is theirs.
	if proved := seatOf(p) != "" && p.Creatio.URL == l.o.Creatio.URL && strings.EqualFold(p.Creatio.User, login); !proved {
		keys = append(keys, l.loginKey(login))
	}
	for i, key := range keys {
		if err := l.reserve(ctx, key, user, login, i > 0); err != nil {
			return errors.Join(err, l.settle(ctx, keys[:i], user, notTried))
		}
	}
	err = try()
	// What was counted is settled also if the browser has disconnected: else it would be a way not to be counted.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), persistFor)
	defer cancel()
	switch {
	case err == nil:
		// A right password of one's own does not make up for wrong ones of others.
		return errors.Join(l.settle(ctx, keys[:1], user, notTried), l.settle(ctx, keys[1:], user, right))
	case fault.Is(err, fault.Reconnect):
		return errors.Join(err, l.settle(ctx, keys, user, wrong))
	default:
		return errors.Join(err, l.settle(ctx, keys, user, notTried))
	}
}

// reserve counts a try that is about to be made. named says that the key is of the name.
func (l *Linker) reserve(ctx context.Context, key, user, login string, named bool) error {
	now := l.o.Now().UTC()
	failed := 0
	err := l.o.Store.UpdateGuesses(ctx, key, func(g *store.Guesses) error {
		if wait := g.Until.Sub(now); wait > 0 {
			return &fault.Error{
				Kind: fault.Retry, Side: string(record.Creatio), Code: "too-many-passwords", After: wait, Err: errors.New("link account: too many wrong passwords"),
			}
		}
		switch {
		case !now.Before(g.Expires):
			*g = store.Guesses{}
		case now.Sub(g.Last) >= forgivenAfter:
			g.Failed = 0
		}
		g.Failed++
		failed = g.Failed
		if named {
			g.Login = login
		}
		g.Last, g.Until, g.Expires = now, now.Add(waitAfter(g.Failed)), now.Add(guessMemory)
		return nil
	})
	if err == nil && named && failed >= freeGuesses {
		l.o.Logger.WarnContext(ctx, "passwords of a Creatio user are being tried", "user", observe.User(user), "failed", failed)
	}
	return err
}

// waitAfter is how long nobody may try again after so many wrong passwords in a row.
func waitAfter(failed int) time.Duration {
	if failed < freeGuesses {
		return 0
	}
	return min(firstWait<<min(failed-freeGuesses, 16), longestWait)
}

// The ends of a try.
type ended int

const (
	// notTried is of a try that is not counted.
	notTried ended = iota
	wrong
	right
)

// settle notes what became of a try that was counted.
func (l *Linker) settle(ctx context.Context, keys []string, user string, how ended) error {
	var all error
	for _, key := range keys {
		err := l.o.Store.UpdateGuesses(ctx, key, func(g *store.Guesses) error {
			switch how {
			case right:
				g.Failed, g.Until = 0, time.Time{}
			case wrong:
				who := store.Guesser{User: user}
				g.By = slices.DeleteFunc(g.By, func(other store.Guesser) bool {
					if other.User == user {
						who = other
					}
					return other.User == user
				})
				who.Wrong, who.Last = who.Wrong+1, g.Last
				g.By = append(g.By, who)
				g.By = g.By[max(0, len(g.By)-mostGuessers):]
			case notTried:
				g.Failed = max(0, g.Failed-1)
				if waitAfter(g.Failed) == 0 {
					g.Until = time.Time{}
				}
			}
			return nil
		})
		all = errors.Join(all, err)
	}
	if all != nil {
		return fmt.Errorf("count wrong passwords: %w", all)
	}
	return nil
}
