package firestore

import (
	"context"
	"fmt"

	"cloud.google.com/go/firestore"

	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

func (u *user) accessTokens() *firestore.CollectionRef { return u.ref().Collection("access") }

// accessTokenFields are the fields of an access token beside its content.
func accessTokenFields(f fields, t store.AccessToken) fields {
	f["expires"] = document.Time(t.ExpiresAt)
	return f
}

// AccessTokens costs 1 read for each, at least 1.
func (u *user) AccessTokens(ctx context.Context) ([]store.AccessToken, error) {
	if document.ToRead(u.id) != nil {
		return nil, nil
	}
	list, err := contents[store.AccessToken](ctx, u.s, u.accessTokens().OrderBy(firestore.DocumentID, firestore.Asc))
	return list, wrap("list access tokens", err)
}

// AccessToken costs 1 read.
func (u *user) AccessToken(ctx context.Context, id string) (store.AccessToken, error) {
	t, err := read[store.AccessToken](ctx, u, func() *firestore.DocumentRef { return u.accessTokens().Doc(id) }, u.id, id)
	return t, wrap("read access token", err)
}

// PutAccessToken costs 1 read and 1 write.
func (u *user) PutAccessToken(ctx context.Context, t store.AccessToken) error {
	if err := document.ToWrite(u.id, t.ID); err != nil {
		return wrap("put access token", err)
	}
	f, err := plain(t)
	if err == nil {
		err = u.begin(ctx, u.accessTokens().Doc(t.ID), accessTokenFields(f, t))
	}
	return wrap("put access token", err)
}

// UpdateAccessToken costs 1 read and 1 write; both again where somebody else changed it at the same time.
func (u *user) UpdateAccessToken(ctx context.Context, id string, f func(*store.AccessToken) error) error {
	if err := document.ToRead(u.id, id); err != nil {
		return wrap("update access token", err)
	}
	return wrap("update access token", u.s.change(ctx, u.accessTokens().Doc(id), func(snap *firestore.DocumentSnapshot) (fields, error) {
		t, err := content[store.AccessToken](snap)
		if err != nil {
			return nil, err
		}
		if err := f(&t); err != nil {
			return nil, callerError{err}
		}
		t.ID = id
		next, err := over(snap, t)
		if err != nil {
			return nil, err
		}
		return accessTokenFields(next, t), nil
	}))
}

// DeleteAccessToken costs 1 read, and 1 write where there is such a token.
func (u *user) DeleteAccessToken(ctx context.Context, id string) error {
	if err := document.ToRead(u.id, id); err != nil {
		return wrap("delete access token", err)
	}
	snap, err := u.s.get(ctx, u.accessTokens().Doc(id))
	if err == nil && !snap.Exists() {
		err = fmt.Errorf("access token: %w", store.ErrNotFound)
	}
	if err == nil {
		err = u.s.remove(ctx, []*firestore.DocumentRef{snap.Ref})
	}
	return wrap("delete access token", err)
}
