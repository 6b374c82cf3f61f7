package firestore

import (
	"context"
	"crypto/rand"
	"maps"
	"time"

	"cloud.google.com/go/firestore"

	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

func (s *Store) channelRef(id string) *firestore.DocumentRef {
	return s.client.Collection("channels").Doc(id)
}

// NewChannelID costs 1 read for each process.
func (s *Store) NewChannelID(ctx context.Context) (string, error) {
	key, err := s.hashKey(ctx)
	if err != nil {
		return "", wrap("make channel", err)
	}
	seed := make([]byte, document.ChannelSeedSize)
	_, _ = rand.Read(seed) // it never fails
	return key.ChannelID(seed), nil
}

// Channel costs 1 read, and none for an invented id; 1 more for each process.
func (s *Store) Channel(ctx context.Context, id string) (store.Channel, error) {
	c, err := s.channel(ctx, id)
	return c, wrap("read channel", err)
}

func (s *Store) channel(ctx context.Context, id string) (store.Channel, error) {
	if !document.LikeChannel(id) {
		return store.Channel{}, store.ErrNotFound
	}
	key, err := s.hashKey(ctx)
	if err != nil {
		return store.Channel{}, err
	}
	if !key.MadeChannel(id) {
		return store.Channel{}, store.ErrNotFound
	}
	snap, err := s.get(ctx, s.channelRef(id))
	if err != nil {
		return store.Channel{}, err
	}
	return content[store.Channel](snap)
}

// DueChannels costs 1 read for each, at least 1.
func (s *Store) DueChannels(ctx context.Context, now time.Time, limit int) ([]store.Channel, error) {
	if limit <= 0 {
		return nil, nil
	}
	list, err := contents[store.Channel](ctx, s, s.client.Collection("channels").Where("due", "<=", document.Time(now)).OrderBy("due", firestore.Asc).Limit(limit))
	return list, wrap("list due channels", err)
}

// Channels costs 1 read for each, at least 1.
func (u *user) Channels(ctx context.Context) ([]store.Channel, error) {
	list, err := sharedDocs[store.Channel](ctx, u, "channels")
	return list, wrap("list channels", err)
}

// channelFields are the fields of a channel beside its content.
func channelFields(c store.Channel) fields {
	return fields{"user": c.User, "due": document.Time(c.Due), "expires": document.Time(c.Expires)}
}

// PutChannel costs 1 read and 1 write.
func (u *user) PutChannel(ctx context.Context, c store.Channel) error {
	c, err := document.OwnChannel(u.id, c)
	if err == nil {
		err = document.ToWrite(u.id)
	}
	if err != nil {
		return wrap("put channel", err)
	}
	f, err := plain(c)
	if err == nil {
		maps.Copy(f, channelFields(c))
		err = u.begin(ctx, u.s.channelRef(c.ID), f)
	}
	return wrap("put channel", err)
}

// UpdateChannel costs 1 read and 1 write; both again where somebody else changed it at the same time.
func (u *user) UpdateChannel(ctx context.Context, id string, f func(*store.Channel) error) error {
	if err := document.ToRead(id, u.id); err != nil {
		return wrap("update channel", err)
	}
	return wrap("update channel", u.s.change(ctx, u.s.channelRef(id), func(snap *firestore.DocumentSnapshot) (fields, error) {
		c, err := content[store.Channel](snap)
		if err == nil && c.User != u.id {
			err = store.ErrNotFound
		}
		if err != nil {
			return nil, err
		}
		if err := f(&c); err != nil {
			return nil, callerError{err}
		}
		c.ID, c.User = id, u.id
		next, err := over(snap, c)
		if err == nil {
			maps.Copy(next, channelFields(c))
		}
		return next, err
	}))
}

// DeleteChannel costs 1 read, and 1 write where there is such a channel.
func (u *user) DeleteChannel(ctx context.Context, id string) error {
	if document.ToRead(id, u.id) != nil {
		return nil
	}
	snap, err := u.s.get(ctx, u.s.channelRef(id))
	if err != nil {
		return wrap("delete channel", err)
	}
	if !snap.Exists() || snap.Data()["user"] != u.id {
		return nil
	}
	return wrap("delete channel", u.s.remove(ctx, []*firestore.DocumentRef{snap.Ref}))
}
