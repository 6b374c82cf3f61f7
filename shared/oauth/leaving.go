package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// LeavingGoogle makes a client that ends what a grant began, with the credentials of a Google account that was unlinked while
// its grant could not be revoked. If there are none, or none any more, the error is of kind Reconnect, with code "not-linked".
func (l *Linker) LeavingGoogle(ctx context.Context, user string, base http.RoundTripper) (*http.Client, error) {
	const side = record.Google
	doc, err := l.o.Store.User(user).Token(ctx, side)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && doc.Revoke.IsZero():
		return nil, notLinked(side)
	case err != nil:
		return nil, fmt.Errorf("read token: %w", err)
	}
	c, err := l.open(user, side, doc)
	if err != nil {
		return nil, err
	}
	if base == nil {
		base = l.base(side)
	}
	return l.client(side, base, &leaving{l: l, held: c}), nil
}

// leaving provides access tokens of a Google account that was unlinked. What it refreshes is not stored: Google's refresh token
// stays the same.
type leaving struct {
	l    *Linker
	mu   sync.Mutex
	held credentials
}

func (s *leaving) token(ctx context.Context) (string, error) {
	s.mu.Lock()
	held := s.held
	s.mu.Unlock()
	if held.usable(s.l.o.Now()) {
		return held.Access, nil
	}
	return s.replace(ctx, held.Access)
}

func (s *leaving) replace(ctx context.Context, refused string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held.Access != refused {
		return s.held.Access, nil
	}
	if s.held.Refresh == "" {
		return "", fault.New(fault.Reconnect, string(record.Google), "no-refresh-token", errors.New("refresh token: there is none"))
	}
	next, err := s.l.call(ctx, record.Google, s.held.Refresh)
	if err != nil {
		return "", err
	}
	s.held = next
	return next.Access, nil
}
