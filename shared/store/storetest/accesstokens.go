package storetest

import (
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/store"
)

func newAccessToken(t *testing.T, u store.User, id string) store.AccessToken {
	t.Helper()
	token := store.AccessToken{ID: id, Name: "backup", Scope: "read", Hash: []byte{0, 1, 255}, CreatedAt: noon, ExpiresAt: noon.Add(time.Hour)}
	must(t, u.PutAccessToken(t.Context(), token))
	return token
}

func accessTokensOf(t *testing.T, u store.User) []store.AccessToken {
	t.Helper()
	out, err := u.AccessTokens(t.Context())
	must(t, err)
	return out
}

var accessTokenTests = map[string]func(*testing.T, store.Store){
	"an access token is found until it is deleted": func(t *testing.T, s store.Store) {
		ctx, u := t.Context(), signedIn(t, s, "ada")
		second, first := newAccessToken(t, u, "t2"), newAccessToken(t, u, "t1")
		same(t, "access tokens", accessTokensOf(t, u), []store.AccessToken{first, second})
		found, err := u.AccessToken(ctx, "t1")
		must(t, err)
		same(t, "access token", found, first)
		must(t, u.DeleteAccessToken(ctx, "t1"))
		wantError(t, u.DeleteAccessToken(ctx, "t1"), store.ErrNotFound)
		_, err = u.AccessToken(ctx, "t1")
		wantError(t, err, store.ErrNotFound)
		same(t, "access tokens", accessTokensOf(t, u), []store.AccessToken{second})
	},
	"a user's access tokens are the user's alone": func(t *testing.T, s store.Store) {
		ctx := t.Context()
		own := newAccessToken(t, signedIn(t, s, "ada"), "t1")
		for _, other := range []string{"bob", "", "a/b"} {
			u := s.User(other)
			same(t, "access tokens of another", accessTokensOf(t, u), []store.AccessToken(nil))
			_, err := u.AccessToken(ctx, own.ID)
			wantError(t, err, store.ErrNotFound)
			if other != "" && other != "a/b" {
				wantError(t, u.DeleteAccessToken(ctx, own.ID), store.ErrNotFound)
				wantError(t, u.UpdateAccessToken(ctx, own.ID, func(*store.AccessToken) error { return nil }), store.ErrNotFound)
			}
		}
		same(t, "access tokens", accessTokensOf(t, s.User("ada")), []store.AccessToken{own})
		if err := s.User("ada").PutAccessToken(ctx, store.AccessToken{ID: "a/b"}); !fault.Is(err, fault.Bug) {
			t.Errorf("put: %v", err)
		}
	},
	"an access token is changed only where it is there": func(t *testing.T, s store.Store) {
		ctx, u := t.Context(), signedIn(t, s, "ada")
		token := newAccessToken(t, u, "t1")
		wantError(t, u.UpdateAccessToken(ctx, "t1", func(*store.AccessToken) error { return errRefused }), errRefused)
		used := func(kept *store.AccessToken) error {
			kept.ID, kept.UsedAt = "other", noon.Add(time.Minute)
			return nil
		}
		must(t, u.UpdateAccessToken(ctx, "t1", used))
		token.UsedAt = noon.Add(time.Minute)
		same(t, "access tokens", accessTokensOf(t, u), []store.AccessToken{token})
		must(t, u.DeleteAccessToken(ctx, "t1"))
		wantError(t, u.UpdateAccessToken(ctx, "t1", used), store.ErrNotFound)
		same(t, "access tokens", accessTokensOf(t, u), []store.AccessToken(nil))
	},
	"an erased user has no access token, and the others have theirs": func(t *testing.T, s store.Store) {
		newAccessToken(t, signedIn(t, s, "ada"), "t1")
		stays := newAccessToken(t, signedIn(t, s, "bob"), "t1")
		must(t, s.User("ada").Erase(t.Context()))
		same(t, "access tokens", accessTokensOf(t, s.User("ada")), []store.AccessToken(nil))
		same(t, "access tokens", accessTokensOf(t, s.User("bob")), []store.AccessToken{stays})
	},
}
