package oauth

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// mostHeld bounds the access tokens in memory.
const mostHeld = 10_000

// held are access tokens that this process keeps in memory, so that a run need not read them. Each is kept until it expires, for
// the account that it was issued for. One that was revoked meanwhile is refused by the service, and then the stored one counts.
type held struct {
	mu     sync.Mutex
	tokens map[holder]stored
}

// holder is whom a token acts for: a user, with the account and what was granted.
type holder struct {
	user    string
	side    record.Side
	account string
}

// holderOf is whom the token of a side acts for.
func holderOf(p store.Profile, side record.Side) holder {
	account := []string{p.Creatio.URL, p.Creatio.UserID}
	if side == record.Google {
		account = append([]string{p.Google.Subject}, slices.Sorted(slices.Values(p.Google.Scopes))...)
	}
	return holder{p.ID, side, strings.Join(account, " ")}
}

// of is the token of a holder; false where none is held that is valid long enough.
func (h *held) of(who holder, now time.Time) (stored, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	k, found := h.tokens[who]
	if found && !k.usable(now) {
		delete(h.tokens, who)
		return stored{}, false
	}
	return k, found
}

// keep holds a token. Of Creatio only one is held that names its user: while somebody links another one, the stored token and the
// profile may be of two.
func (h *held) keep(who holder, k stored, now time.Time) {
	if who.side == record.Creatio && k.Owner == "" {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.tokens == nil {
		h.tokens = map[holder]stored{}
	}
	if len(h.tokens) >= mostHeld {
		for other, old := range h.tokens {
			if !old.usable(now) {
				delete(h.tokens, other)
			}
		}
	}
	if _, again := h.tokens[who]; again || len(h.tokens) < mostHeld {
		h.tokens[who] = k
	}
}

// drop forgets a user's tokens of a side.
func (h *held) drop(user string, side record.Side) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for who := range h.tokens {
		if who.user == user && who.side == side {
			delete(h.tokens, who)
		}
	}
}
