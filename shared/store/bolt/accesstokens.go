package bolt

import (
	"context"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

func (u *user) accessTokens(tx *bbolt.Tx) *bbolt.Bucket { return find(tx, u.path("access")...) }

func (u *user) AccessTokens(ctx context.Context) (out []store.AccessToken, err error) {
	err = u.view(ctx, "list access tokens", nil, func(tx *bbolt.Tx) error {
		return eachOwn(u.accessTokens(tx), "", func(store.AccessToken) string { return "" }, func(_ []byte, t store.AccessToken) { out = append(out, t) })
	})
	return out, none(err)
}

func (u *user) AccessToken(ctx context.Context, id string) (t store.AccessToken, err error) {
	err = u.view(ctx, "read access token", []string{id}, func(tx *bbolt.Tx) error {
		t, err = get[store.AccessToken](u.accessTokens(tx), []byte(id))
		return err
	})
	return t, err
}

func (u *user) PutAccessToken(ctx context.Context, t store.AccessToken) error {
	return u.update(ctx, "put access token", []string{t.ID}, func(tx *bbolt.Tx) error {
		b, err := u.need(tx, "access")
		if err != nil {
			return err
		}
		if err := forgetAccessTokens(b, t.CreatedAt); err != nil {
			return err
		}
		return put(b, []byte(t.ID), t)
	})
}

// forgetAccessTokens removes those that have expired, as Firestore does by itself.
func forgetAccessTokens(b *bbolt.Bucket, now time.Time) error {
	var expired [][]byte
	err := b.ForEach(func(id, data []byte) error {
		t, err := document.Decode[store.AccessToken](data)
		if err == nil && !t.ExpiresAt.After(now) {
			expired = append(expired, id)
		}
		return err
	})
	for _, id := range expired {
		if err == nil {
			err = b.Delete(id)
		}
	}
	return err
}

func (u *user) UpdateAccessToken(ctx context.Context, id string, f func(*store.AccessToken) error) error {
	return u.update(ctx, "update access token", nil, func(tx *bbolt.Tx) error {
		b := u.accessTokens(tx)
		t, err := get[store.AccessToken](b, []byte(id))
		if err != nil {
			return err
		}
		if err := f(&t); err != nil {
			return callerError{err}
		}
		t.ID = id
		return rewrite(b, []byte(id), t)
	})
}

func (u *user) DeleteAccessToken(ctx context.Context, id string) error {
	return u.update(ctx, "delete access token", nil, func(tx *bbolt.Tx) error {
		b := u.accessTokens(tx)
		if _, err := get[store.AccessToken](b, []byte(id)); err != nil {
			return err
		}
		return b.Delete([]byte(id))
	})
}
