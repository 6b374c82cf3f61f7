package bolt

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

const channels = "channels"

// NewChannelID makes the id of a channel.
func (s *Store) NewChannelID(ctx context.Context) (id string, err error) {
	seed := make([]byte, document.ChannelSeedSize)
	_, _ = rand.Read(seed) // it never fails
	err = s.update(ctx, "make channel", func(tx *bbolt.Tx) error {
		key, err := hashKey(tx)
		id = key.ChannelID(seed)
		return err
	})
	return id, err
}

// Channel is the channel of that id.
func (s *Store) Channel(ctx context.Context, id string) (c store.Channel, err error) {
	if !document.LikeChannel(id) {
		return c, fmt.Errorf("read channel: %w", store.ErrNotFound)
	}
	err = s.view(ctx, "read channel", func(tx *bbolt.Tx) error {
		key, err := get[document.HashKey](find(tx, "meta"), []byte("hashes"))
		if err != nil {
			return err
		}
		if !key.MadeChannel(id) {
			return store.ErrNotFound
		}
		c, err = get[store.Channel](find(tx, channels), []byte(id))
		return err
	})
	return c, err
}

// DueChannels lists channels that are due.
func (s *Store) DueChannels(ctx context.Context, now time.Time, limit int) (out []store.Channel, err error) {
	err = s.view(ctx, "list due channels", func(tx *bbolt.Tx) error {
		times, docs := find(tx, "expiring", channels), find(tx, channels)
		if times == nil {
			return nil
		}
		last := binary.BigEndian.Uint64(dueKey(now, ""))
		c := times.Cursor()
		for k, _ := c.First(); k != nil && len(out) < limit && binary.BigEndian.Uint64(k) <= last; k, _ = c.Next() {
			d, err := get[store.Channel](docs, k[8:])
			if err != nil {
				return err
			}
			out = append(out, d)
		}
		return nil
	})
	return out, err
}

func (u *user) Channels(ctx context.Context) ([]store.Channel, error) {
	return own(ctx, u, channels, func(c store.Channel) string { return c.User })
}

func (u *user) PutChannel(ctx context.Context, c store.Channel) error {
	c, err := document.OwnChannel(u.id, c)
	if err != nil {
		return fmt.Errorf("put channel: %w", err)
	}
	return u.update(ctx, "put channel", nil, func(tx *bbolt.Tx) error {
		if err := there(tx, u.id); err != nil {
			return err
		}
		e, err := needExpiring(tx, channels)
		if err != nil {
			return err
		}
		was, err := get[store.Channel](e.docs, []byte(c.ID))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return putExpiring(e, c.ID, was.Due, c, c.Due)
	})
}

func (u *user) UpdateChannel(ctx context.Context, id string, f func(*store.Channel) error) error {
	return u.update(ctx, "update channel", nil, func(tx *bbolt.Tx) error {
		e, c, err := u.channel(tx, id)
		if err != nil {
			return err
		}
		was := c.Due
		if err := f(&c); err != nil {
			return callerError{err}
		}
		c.ID, c.User = id, u.id
		if err := e.times.Delete(dueKey(was, id)); err != nil {
			return err
		}
		if err := e.times.Put(dueKey(c.Due, id), []byte{}); err != nil {
			return err
		}
		return rewrite(e.docs, []byte(id), c)
	})
}

// channel is one of the user's.
func (u *user) channel(tx *bbolt.Tx, id string) (e expiring, c store.Channel, err error) {
	if err := document.ToRead(id); err != nil {
		return e, c, err
	}
	if e, err = needExpiring(tx, channels); err != nil {
		return e, c, err
	}
	c, err = get[store.Channel](e.docs, []byte(id))
	if err == nil && c.User != u.id {
		err = store.ErrNotFound
	}
	return e, c, err
}

func (u *user) DeleteChannel(ctx context.Context, id string) error {
	return u.update(ctx, "delete channel", nil, func(tx *bbolt.Tx) error {
		e, c, err := u.channel(tx, id)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return errors.Join(e.docs.Delete([]byte(id)), e.times.Delete(dueKey(c.Due, id)))
	})
}
