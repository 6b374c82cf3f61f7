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
	// claimFor is how long a refresh is claimed: longer than the call and the write take together.
	claimFor = callTimeout + persistFor + 10*time.Second
	// claimPause is the interval at which a waiting refresh checks whether the other one has ended.
	claimPause = 300 * time.Millisecond
	// persistFor is how long storing a refreshed token may take.
	persistFor = 20 * time.Second
	// refreshFor is how long a refresh may take, including the wait for the claim of another one.
	refreshFor = 2 * claimFor
	// justRead is how long credentials are refreshed as they were read. The user may unlink the account meanwhile.
	justRead = 5 * time.Second
	// retryPause is how long a failed refresh is not retried while the access token is still valid.
	retryPause = 15 * time.Second
)

// source provides one user's access token for one side, and refreshes it.
type source struct {
	l    *Linker
	user string
	side record.Side
	// who is whom the token acts for.
	who holder

	// learns says that the account's Workspace is not known yet.
	learns bool

	mu  sync.Mutex
	now stored
	// next is the earliest time to retry a failed refresh that is not urgent.
	next time.Time
}

// token returns an access token for a request.
func (s *source) token(ctx context.Context) (string, error) {
	s.mu.Lock()
	k, next := s.now, s.next
	s.mu.Unlock()
	now := s.l.o.Now()
	if k.upToDate(now) || k.usable(now) && now.Before(next) {
		return k.Access, nil
	}
	access, err := s.refresh(ctx, k, !k.usable(now))
	if fault.Is(err, fault.Retry) && k.usable(now) && ctx.Err() == nil {
		s.mu.Lock()
		s.next = now.Add(retryPause)
		s.mu.Unlock()
		return k.Access, nil
	}
	return access, err
}

// replace returns another access token than the one that was refused.
func (s *source) replace(ctx context.Context, refused string) (string, error) {
	s.mu.Lock()
	k := s.now
	s.mu.Unlock()
	if k.Access != refused {
		return k.Access, nil
	}
	s.l.held.drop(s.user, s.side)
	// Another one may have been stored meanwhile.
	k.read = time.Time{}
	return s.refresh(ctx, k, true)
}

// refresh refreshes a token, or waits for a refresh that is running. The refresh continues if its caller disconnects,
// because a refresh token may be valid only once.
func (s *source) refresh(ctx context.Context, old stored, urgent bool) (string, error) {
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
		k := r.Val.(stored)
		s.l.held.keep(s.who, k, s.l.o.Now())
		s.mu.Lock()
		s.now, s.next = k, time.Time{}
		learns := s.learns && k.idToken != ""
		s.learns = s.learns && !learns
		s.mu.Unlock()
		if learns {
			s.l.learn(ctx, s.user, k.credentials)
		}
		return k.Access, nil
	case <-ctx.Done():
		return "", fault.New(fault.Retry, string(s.side), "canceled", ctx.Err())
	}
}

// refresh returns credentials with another access token than old's: those that another caller has stored meanwhile, or
// those of a refresh. If it is not urgent, it does not wait for the refresh of another instance.
func (l *Linker) refresh(ctx context.Context, user string, side record.Side, old stored, urgent bool) (stored, error) {
	// What was read a moment ago is not read again: where it is not the stored one any more, it replaces nothing.
	for k, known := old, l.o.Now().Sub(old.read) < justRead && !l.hasUnsaved(user, side); ; known = false {
		if !known {
			var err error
			if k, err = l.load(ctx, user, side); err != nil {
				return stored{}, err
			}
		}
		now := l.o.Now()
		if k.Access != old.Access && k.usable(now) {
			return k, nil
		}
		if next, found := l.recover(user, side, k); found {
			return l.save(ctx, user, side, k, next)
		}
		if k.Refresh == "" {
			return stored{}, fault.New(fault.Reconnect, string(side), "no-refresh-token", errors.New("refresh token: there is none"))
		}
		if side == record.Google {
			// Google's refresh tokens may be used concurrently, so no claim is needed.
			return l.renew(ctx, user, side, k)
		}
		if claimed(k.doc).After(now) {
			if !urgent {
				return stored{}, fault.New(fault.Retry, string(side), "refresh-busy", errors.New("refresh token: another refresh is under way"))
			}
			if err := l.o.Sleep(ctx, claimPause); err != nil {
				return stored{}, fault.New(fault.Retry, string(side), "refresh-busy", fmt.Errorf("wait for another refresh: %w", err))
			}
			continue
		}
		mine := store.Token{Sealed: k.doc.Sealed, Version: claim(now.Add(claimFor))}
		swapped, err := l.o.Store.User(user).SwapToken(ctx, side, k.doc, mine)
		if err != nil {
			return stored{}, fmt.Errorf("claim refresh: %w", err)
		}
		if swapped {
			return l.renew(ctx, user, side, stored{credentials: k.credentials, doc: mine})
		}
	}
}

// renew calls the identity service with the refresh token and stores the new tokens.
func (l *Linker) renew(ctx context.Context, user string, side record.Side, k stored) (stored, error) {
	next, err := l.call(ctx, side, k.Refresh)
	if err == nil {
		next.Site, next.Owner = k.Site, k.Owner
		return l.save(ctx, user, side, k, next)
	}
	if fault.Is(err, fault.Reconnect) {
		return l.rejected(ctx, user, side, k, err)
	}
	l.release(ctx, user, side, k)
	return stored{}, err
}

// call makes one refresh call. If the reply has no refresh token, the old one remains valid.
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
		return credentials{}, p.tokenError("refresh token", err)
	}
	return granted(t, before), nil
}

// unsaved are credentials that could not be stored, and the version of the document that they replace.
type unsaved struct {
	version string
	credentials
}

// save replaces k with refreshed credentials. If the store fails, it holds them in memory for the next refresh: the old
// refresh token may be used up.
func (l *Linker) save(ctx context.Context, user string, side record.Side, k stored, next credentials) (stored, error) {
	key := user + "/" + string(side)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), persistFor)
	defer cancel()
	doc, swapped, err := l.swap(ctx, user, side, k, next)
	if err != nil {
		l.mu.Lock()
		l.unsaved[key] = unsaved{version: k.doc.Version, credentials: next}
		l.mu.Unlock()
		return stored{}, fault.New(fault.Retry, string(side), "token-not-kept", fmt.Errorf("store refreshed token: %w", err))
	}
	l.mu.Lock()
	delete(l.unsaved, key)
	l.mu.Unlock()
	if swapped {
		return stored{credentials: next, doc: doc}, nil
	}
	// The document has changed meanwhile, by another refresh, a linking or an unlinking.
	other, err := l.load(ctx, user, side)
	switch {
	case err != nil:
		if fault.Is(err, fault.Reconnect) && next.Refresh != k.Refresh {
			l.discard(ctx, side, next)
		}
		return stored{}, err
	case !other.usable(l.o.Now()):
		return stored{}, fault.New(fault.Retry, string(side), "token-changed", errors.New("store refreshed token: another one was stored meanwhile"))
	}
	return other, nil
}

// swap tries to store the credentials several times, because they cannot be obtained again.
func (l *Linker) swap(ctx context.Context, user string, side record.Side, k stored, next credentials) (doc store.Token, swapped bool, err error) {
	for _, pause := range []time.Duration{0, 200 * time.Millisecond, time.Second, 3 * time.Second} {
		if pause > 0 && l.o.Sleep(ctx, pause) != nil {
			break
		}
		if doc, err = l.seal(user, side, next); err != nil {
			continue
		}
		if swapped, err = l.o.Store.User(user).SwapToken(ctx, side, k.doc, doc); err == nil && !swapped {
			// If the reply to an earlier attempt was lost, its write looks like one of another caller.
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

// hasUnsaved reports whether there are refreshed credentials that could not be stored.
func (l *Linker) hasUnsaved(user string, side record.Side) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, found := l.unsaved[user+"/"+string(side)]
	return found
}

// recover finds refreshed credentials that could not be stored as the successor of k.
func (l *Linker) recover(user string, side record.Side, k stored) (credentials, bool) {
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

// rejected handles the service's refusal of a refresh token. The user is disconnected only if that token is still the
// stored one.
func (l *Linker) rejected(ctx context.Context, user string, side record.Side, k stored, cause error) (stored, error) {
	now, err := l.load(ctx, user, side)
	switch {
	case err != nil:
		return stored{}, err
	case now.doc.Version == k.doc.Version:
		l.release(ctx, user, side, k)
		l.disconnect(ctx, user, side, k.Refresh)
		return stored{}, cause
	case now.Access != k.Access && now.usable(l.o.Now()):
		return now, nil
	}
	return stored{}, fault.New(fault.Retry, string(side), "token-changed", fmt.Errorf("another token was stored meanwhile: %v", cause))
}

// release removes the claim of a refresh that failed.
func (l *Linker) release(ctx context.Context, user string, side record.Side, k stored) {
	if claimed(k.doc).IsZero() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), persistFor)
	defer cancel()
	free := store.Token{Sealed: k.doc.Sealed, Version: secret()}
	if _, err := l.o.Store.User(user).SwapToken(ctx, side, k.doc, free); err != nil {
		// The claim expires by itself.
		l.o.Logger.WarnContext(ctx, "the claim of a token refresh could not be removed", "side", string(side), "error", err.Error())
	}
}

// disconnect marks a side to be linked again, unless the stored credentials are no longer the failed ones. If a linking
// happened between the check and the mark, it removes the mark.
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

// technical provides the token of Creatio's technical user, one for the whole process.
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
	if held.upToDate(now) {
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

// renew requests a token to replace old. Concurrent callers wait for one request. Client credentials have no refresh token.
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
			err = p.tokenError("ask for technical token", err)
			if fault.Is(err, fault.Reconnect) {
				// The grant belongs to the operator; no user can fix it.
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

// fixedToken is an access token that was just issued and is not stored yet.
type fixedToken string

func (f fixedToken) token(context.Context) (string, error) { return string(f), nil }

func (f fixedToken) replace(_ context.Context, refused string) (string, error) { return refused, nil }
