package oauth

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

const (
	// claimFor is how long a refresh is claimed: longer than the call and the writing take together.
	claimFor = callTimeout + persistFor + 10*time.Second
	// claimPause is how often one looks whether another's refresh has come to its end.
	claimPause = 300 * time.Millisecond
	// persistFor is how long writing a refreshed token may take.
	persistFor = 20 * time.Second
	// refreshFor is how long a refresh may take, waiting for another one's claim included.
	refreshFor = 2 * claimFor
	// patience is how long a failed refresh is not repeated while the access token is still good.
	patience = 15 * time.Second
)

// source gives one user's access token of one side, and refreshes it.
type source struct {
	l    *Linker
	user string
	side record.Side

	mu  sync.Mutex
	now kept
	// next is when a refresh that failed, and is not urgent, may be tried again.
	next time.Time
}

// token is an access token to send a request with.
func (s *source) token(ctx context.Context) (string, error) {
	s.mu.Lock()
	k, next := s.now, s.next
	s.mu.Unlock()
	now := s.l.o.Now()
	if k.fresh(now) || k.usable(now) && now.Before(next) {
		return k.Access, nil
	}
	access, err := s.refresh(ctx, k, !k.usable(now))
	if fault.Is(err, fault.Retry) && k.usable(now) && ctx.Err() == nil {
		s.mu.Lock()
		s.next = now.Add(patience)
		s.mu.Unlock()
		return k.Access, nil
	}
	return access, err
}

// replace is another access token than the one that was refused.
func (s *source) replace(ctx context.Context, refused string) (string, error) {
	s.mu.Lock()
	k := s.now
	s.mu.Unlock()
	if k.Access != refused {
		return k.Access, nil
	}
	return s.refresh(ctx, k, true)
}

// refresh joins or begins the refresh of a token. Who leaves does not end it: a refresh token may be good once.
func (s *source) refresh(ctx context.Context, old kept, urgent bool) (string, error) {
	key := strings.Join([]string{s.user, string(s.side), old.doc.Version, strconv.FormatBool(urgent)}, "/")
	done := s.l.refreshes.DoChan(key, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), refreshFor)
		defer cancel()
		return s.l.refresh(ctx, s.user, s.side, old, urgent)
	})
	select {
	case r := <-done:
		if r.Err != nil {
			return "", r.Err
		}
		k := r.Val.(kept)
		s.mu.Lock()
		s.now, s.next = k, time.Time{}
		s.mu.Unlock()
		return k.Access, nil
	case <-ctx.Done():
		return "", fault.New(fault.Retry, string(s.side), "canceled", ctx.Err())
	}
}

// refresh gives credentials with another access token than old's: those that somebody else has kept meanwhile, or those
// of a refresh. Where it is not urgent, it does not wait for another copy's refresh.
func (l *Linker) refresh(ctx context.Context, user string, side record.Side, old kept, urgent bool) (kept, error) {
	for {
		k, err := l.load(ctx, user, side)
		if err != nil {
			return kept{}, err
		}
		now := l.o.Now()
		if k.Access != old.Access && k.usable(now) {
			return k, nil
		}
		if next, found := l.recover(user, side, k); found {
			return l.keep(ctx, user, side, k, next)
		}
		if k.Refresh == "" {
			return kept{}, fault.New(fault.Reconnect, string(side), "no-refresh-token", errors.New("refresh token: there is none"))
		}
		if side == record.Google {
			// Google's refresh tokens may be used by two at once: no claim is needed.
			return l.renew(ctx, user, side, k)
		}
		if claimed(k.doc).After(now) {
			if !urgent {
				return kept{}, fault.New(fault.Retry, string(side), "refresh-busy", errors.New("refresh token: another refresh is under way"))
			}
			if err := l.o.Sleep(ctx, claimPause); err != nil {
				return kept{}, fault.New(fault.Retry, string(side), "refresh-busy", fmt.Errorf("wait for another refresh: %w", err))
			}
			continue
		}
		mine := store.Token{Sealed: k.doc.Sealed, Version: claim(now.Add(claimFor))}
		swapped, err := l.o.Store.User(user).SwapToken(ctx, side, k.doc, mine)
		if err != nil {
			return kept{}, fmt.Errorf("claim refresh: %w", err)
		}
		if swapped {
			return l.renew(ctx, user, side, kept{credentials: k.credentials, doc: mine})
		}
	}
}

// renew calls the identity service with the refresh token, and keeps what it gives.
func (l *Linker) renew(ctx context.Context, user string, side record.Side, k kept) (kept, error) {
	next, err := l.call(ctx, side, k.Refresh)
	if err == nil {
		next.Site = k.Site
		return l.keep(ctx, user, side, k, next)
	}
	if fault.Is(err, fault.Reconnect) {
		return l.rejected(ctx, user, side, k, err)
	}
	l.release(ctx, user, side, k)
	return kept{}, err
}

// call makes one refresh. A reply without a refresh token leaves the old one good.
func (l *Linker) call(ctx context.Context, side record.Side, refresh string) (credentials, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	p := l.provider(side)
	m, err := p.metadata(ctx)
	if err != nil {
		return credentials{}, err
	}
	before := l.o.Now()
	t, err := p.config(m).TokenSource(p.withClient(ctx), &oauth2.Token{RefreshToken: refresh}).Token()
	if err != nil {
		return credentials{}, p.refused("refresh token", err)
	}
	return granted(t, before), nil
}

// unsaved are credentials that could not be written, and the version of the document that they are to replace.
type unsaved struct {
	version string
	credentials
}

// keep writes refreshed credentials in place of k. Where the store does not take them, they are held in memory for the
// next refresh: the old refresh token may be used up.
func (l *Linker) keep(ctx context.Context, user string, side record.Side, k kept, next credentials) (kept, error) {
	key := user + "/" + string(side)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), persistFor)
	defer cancel()
	doc, swapped, err := l.swap(ctx, user, side, k, next)
	if err != nil {
		l.mu.Lock()
		l.unsaved[key] = unsaved{version: k.doc.Version, credentials: next}
		l.mu.Unlock()
		return kept{}, fault.New(fault.Retry, string(side), "token-not-kept", fmt.Errorf("keep refreshed token: %w", err))
	}
	l.mu.Lock()
	delete(l.unsaved, key)
	l.mu.Unlock()
	if swapped {
		return kept{credentials: next, doc: doc}, nil
	}
	// Somebody else wrote meanwhile: another refresh, a linking or an unlinking.
	other, err := l.load(ctx, user, side)
	switch {
	case err != nil:
		if fault.Is(err, fault.Reconnect) && next.Refresh != k.Refresh {
			l.forget(ctx, side, next)
		}
		return kept{}, err
	case !other.usable(l.o.Now()):
		return kept{}, fault.New(fault.Retry, string(side), "token-changed", errors.New("keep refreshed token: another one was kept meanwhile"))
	}
	return other, nil
}

// swap tries to write a few times, as what is to be written cannot be had again.
func (l *Linker) swap(ctx context.Context, user string, side record.Side, k kept, next credentials) (doc store.Token, swapped bool, err error) {
	for _, pause := range []time.Duration{0, 200 * time.Millisecond, time.Second, 3 * time.Second} {
		if pause > 0 && l.o.Sleep(ctx, pause) != nil {
			break
		}
		if doc, err = l.seal(user, side, next); err != nil {
			continue
		}
		if swapped, err = l.o.Store.User(user).SwapToken(ctx, side, k.doc, doc); err == nil && !swapped {
			// A write whose answer was lost looks like somebody else's.
			if now, loadErr := l.load(ctx, user, side); loadErr == nil && now.Access == next.Access {
				return now.doc, true, nil
			}
		}
		if err == nil {
			return doc, swapped, nil
		}
	}
	return doc, false, err
}

// recover finds refreshed credentials that could not be written in place of k.
func (l *Linker) recover(user string, side record.Side, k kept) (credentials, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := user + "/" + string(side)
	u, found := l.unsaved[key]
	if found && u.version != k.doc.Version {
		delete(l.unsaved, key)
		return credentials{}, false
	}
	return u.credentials, found
}

// rejected takes in the service's word that the refresh token is no longer good. It counts only where that token is
// still the one that is kept.
func (l *Linker) rejected(ctx context.Context, user string, side record.Side, k kept, cause error) (kept, error) {
	now, err := l.load(ctx, user, side)
	switch {
	case err != nil:
		return kept{}, err
	case now.doc.Version == k.doc.Version:
		l.release(ctx, user, side, k)
		l.disconnect(ctx, user, side, k.Refresh)
		return kept{}, cause
	case now.Access != k.Access && now.usable(l.o.Now()):
		return now, nil
	}
	return kept{}, fault.New(fault.Retry, string(side), "token-changed", fmt.Errorf("another token was kept meanwhile: %v", cause))
}

// release gives up the claim of a refresh that came to nothing.
func (l *Linker) release(ctx context.Context, user string, side record.Side, k kept) {
	if claimed(k.doc).IsZero() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), persistFor)
	defer cancel()
	free := store.Token{Sealed: k.doc.Sealed, Version: secret()}
	if _, err := l.o.Store.User(user).SwapToken(ctx, side, k.doc, free); err != nil {
		// The claim ends by itself.
		l.o.Logger.WarnContext(ctx, "the claim of a token refresh could not be given up", "side", string(side), "error", err.Error())
	}
}

// disconnect marks a side to be linked again, unless other credentials than the failed ones are kept by now. The mark is
// taken back where a linking came between the look and the mark.
func (l *Linker) disconnect(ctx context.Context, user string, side record.Side, failed string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), persistFor)
	defer cancel()
	for _, mark := range []bool{true, false} {
		k, err := l.load(ctx, user, side)
		if fault.Is(err, fault.Reconnect) || err == nil && (k.Refresh+k.Password == failed) != mark {
			return
		}
		if err == nil {
			err = l.changeProfile(ctx, user, func(p *store.Profile) {
				if side == record.Google {
					p.Google.Reconnect = mark
				} else {
					p.Creatio.Reconnect = mark
				}
			})
		}
		if err != nil {
			l.o.Logger.WarnContext(ctx, "an account could not be marked to be linked again", "side", string(side), "error", err.Error())
			return
		}
	}
}

// technical is the token of Creatio's technical user, one for the whole process.
type technical struct {
	l    *Linker
	mu   sync.Mutex
	held credentials
}

func (t *technical) token(ctx context.Context) (string, error) {
	t.mu.Lock()
	held := t.held
	t.mu.Unlock()
	now := t.l.o.Now()
	if held.fresh(now) {
		return held.Access, nil
	}
	access, err := t.renew(ctx, held.Access)
	if fault.Is(err, fault.Retry) && held.usable(now) && ctx.Err() == nil {
		return held.Access, nil
	}
	return access, err
}

func (t *technical) replace(ctx context.Context, refused string) (string, error) {
	t.mu.Lock()
	held := t.held
	t.mu.Unlock()
	if held.Access != refused {
		return held.Access, nil
	}
	return t.renew(ctx, refused)
}

// renew asks for a token in place of old; one asks, the others wait. Client credentials have no refresh token.
func (t *technical) renew(ctx context.Context, old string) (string, error) {
	done := t.l.refreshes.DoChan("technical/"+old, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
		defer cancel()
		p := t.l.creatio
		m, err := p.metadata(ctx)
		if err != nil {
			return "", err
		}
		config := clientcredentials.Config{ClientID: p.id, ClientSecret: p.secret, TokenURL: m.Token, AuthStyle: oauth2.AuthStyleInParams}
		before := t.l.o.Now()
		got, err := config.Token(p.withClient(ctx))
		if err != nil {
			err = p.refused("ask for technical token", err)
			if fault.Is(err, fault.Reconnect) {
				// The grant is the operator's; no user can mend it.
				err = fault.New(fault.Misconfigured, string(record.Creatio), "client-refused", err)
			}
			return "", err
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.held = granted(got, before)
		return t.held.Access, nil
	})
	select {
	case r := <-done:
		access, _ := r.Val.(string)
		return access, r.Err
	case <-ctx.Done():
		return "", fault.New(fault.Retry, string(record.Creatio), "canceled", ctx.Err())
	}
}

// fixed is an access token that was just given and is not kept yet.
type fixed string

func (f fixed) token(context.Context) (string, error) { return string(f), nil }

func (f fixed) replace(_ context.Context, refused string) (string, error) { return refused, nil }
