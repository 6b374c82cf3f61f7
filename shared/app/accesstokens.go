package app

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/web"
)

const (
	// secretPrefix lets a search for lost secrets find Tandem's.
	secretPrefix = "tandem_"
	// mostAccessTokens is how many a user may have.
	mostAccessTokens = 50
	// usedEvery is how old the note of a token's last use may be.
	usedEvery = time.Hour
)

// A secret names its user and its token, so that it is found in the user's own documents; the rest of it is random, and of
// that only a hash is kept.
//
//	tandem_USER.TOKEN.RANDOM

func (s service) Bearer(ctx context.Context, secret string) (web.Bearer, error) {
	unknown := fmt.Errorf("access token: %w", store.ErrNotFound)
	rest, ok := strings.CutPrefix(secret, secretPrefix)
	parts := strings.Split(rest, ".")
	if !ok || len(parts) != 3 {
		return web.Bearer{}, unknown
	}
	u := s.app.store.User(parts[0])
	t, err := u.AccessToken(ctx, parts[1])
	if err != nil {
		return web.Bearer{}, err
	}
	hash, now := sha256.Sum256([]byte(secret)), s.app.now().UTC()
	if subtle.ConstantTimeCompare(hash[:], t.Hash) != 1 || !now.Before(t.ExpiresAt) {
		return web.Bearer{}, unknown
	}
	if _, err := s.Session(ctx, u.ID()); err != nil {
		return web.Bearer{}, err
	}
	if now.Sub(t.UsedAt) >= usedEvery {
		err := u.UpdateAccessToken(ctx, t.ID, func(t *store.AccessToken) error { t.UsedAt = now; return nil })
		if err != nil {
			return web.Bearer{}, err
		}
	}
	return web.Bearer{User: u.ID(), Scope: t.Scope}, nil
}

// accessTokens are the user's that have not expired.
func (s service) accessTokens(ctx context.Context, user string) ([]store.AccessToken, error) {
	all, err := s.app.store.User(user).AccessTokens(ctx)
	now := s.app.now()
	all = slices.DeleteFunc(all, func(t store.AccessToken) bool { return !now.Before(t.ExpiresAt) })
	slices.SortStableFunc(all, func(a, b store.AccessToken) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return all, err
}

func (s service) AccessTokens(ctx context.Context, user string) ([]web.AccessToken, error) {
	all, err := s.accessTokens(ctx, user)
	out := make([]web.AccessToken, len(all))
	for i, t := range all {
		out[i] = shownToken(t)
	}
	return out, err
}

func (s service) MakeAccessToken(ctx context.Context, user string, r web.TokenRequest) (web.AccessToken, string, error) {
	all, err := s.accessTokens(ctx, user)
	if err == nil && len(all) >= mostAccessTokens {
		err = web.ErrTooManyTokens
	}
	if err != nil {
		return web.AccessToken{}, "", err
	}
	var random [32]byte
	_, _ = rand.Read(random[:]) // it never fails
	t := store.AccessToken{ID: strings.ToLower(rand.Text()[:16]), Name: r.Name, Scope: r.Scope, CreatedAt: s.app.now().UTC(), ExpiresAt: r.ExpiresAt.UTC()}
	secret := secretPrefix + user + "." + t.ID + "." + base64.RawURLEncoding.EncodeToString(random[:])
	hash := sha256.Sum256([]byte(secret))
	t.Hash = hash[:]
	return shownToken(t), secret, s.app.store.User(user).PutAccessToken(ctx, t)
}

func (s service) RevokeAccessToken(ctx context.Context, user, id string) error {
	return s.app.store.User(user).DeleteAccessToken(ctx, id)
}

// exportedTokens are the user's tokens without their hashes.
func exportedTokens(ctx context.Context, u store.User) ([]store.AccessToken, error) {
	all, err := u.AccessTokens(ctx)
	for i := range all {
		all[i].Hash = nil
	}
	return all, err
}

func shownToken(t store.AccessToken) web.AccessToken {
	return web.AccessToken{ID: t.ID, Name: t.Name, Scope: t.Scope, CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt, UsedAt: t.UsedAt}
}
