package bolt

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

func (u *user) AddRun(ctx context.Context, r store.Run) (added bool, err error) {
	err = u.update(ctx, "add run", []string{r.ID}, func(tx *bbolt.Tx) error {
		b := find(tx, u.path("runs")...)
		if added = b == nil || b.Get([]byte(r.ID)) == nil; !added {
			return nil
		}
		return u.putRun(tx, r)
	})
	return added && err == nil, err
}

func (u *user) PutRun(ctx context.Context, r store.Run) error {
	return u.update(ctx, "put run", []string{r.ID}, func(tx *bbolt.Tx) error { return u.putRun(tx, r) })
}

func (u *user) putRun(tx *bbolt.Tx, r store.Run) error {
	b, err := u.need(tx, "runs")
	if err != nil {
		return err
	}
	if err := put(b, []byte(r.ID), r); err != nil {
		return err
	}
	return u.forget(tx, b, r.FinishedAt)
}

// oldest is how many of the oldest runs are looked at when one is written: more than one goes for one that comes, and some that
// stay, as one that waits for the user's decision, keep no others.
const oldest = 20

// forget removes runs, and their changes, that were to be kept until now.
func (u *user) forget(tx *bbolt.Tx, runs *bbolt.Bucket, now time.Time) error {
	if u.s.history == 0 {
		return nil
	}
	var gone []string
	c, looked := runs.Cursor(), 0
	for k, v := c.First(); k != nil && looked < oldest; k, v = c.Next() {
		looked++
		r, err := document.Decode[store.Run](v)
		if err != nil {
			return err
		}
		if until := r.Expires(u.s.history); !until.IsZero() && !until.After(now) {
			gone = append(gone, string(k))
		}
	}
	changes := find(tx, u.path("changes")...)
	for _, id := range gone {
		if err := runs.Delete([]byte(id)); err != nil {
			return err
		}
		if changes != nil && changes.Bucket([]byte(id)) != nil {
			if err := changes.DeleteBucket([]byte(id)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (u *user) UpdateRun(ctx context.Context, id string, f func(*store.Run) error) error {
	if err := document.ToRead(id); err != nil {
		return fmt.Errorf("update run: %w", err)
	}
	return u.update(ctx, "update run", nil, func(tx *bbolt.Tx) error {
		b := find(tx, u.path("runs")...)
		r, err := get[store.Run](b, []byte(id))
		if err != nil {
			return err
		}
		if err := f(&r); err != nil {
			return callerError{err}
		}
		r.ID = id
		return rewrite(b, []byte(id), r)
	})
}

func (u *user) AddChanges(ctx context.Context, run string, seq int, changes []store.Change) error {
	if seq < 0 {
		return fault.Errorf(fault.Bug, document.Side, "invalid-seq", "add changes: seq %d is below zero", seq)
	}
	return u.update(ctx, "add changes", []string{run}, func(tx *bbolt.Tx) error {
		b, err := u.need(tx, "changes", run)
		if err != nil {
			return err
		}
		return put(b, binary.BigEndian.AppendUint64(nil, uint64(seq)), changes)
	})
}

func (u *user) Run(ctx context.Context, id string) (r store.Run, err error) {
	err = u.view(ctx, "read run", []string{id}, func(tx *bbolt.Tx) error {
		if r, err = get[store.Run](find(tx, u.path("runs")...), []byte(id)); err != nil {
			return err
		}
		pieces := find(tx, u.path("changes", id)...)
		if pieces == nil {
			return nil
		}
		return pieces.ForEach(func(_, v []byte) error {
			piece, err := document.Decode[[]store.Change](v)
			r.Changes = append(r.Changes, piece...)
			return err
		})
	})
	r.MarkWaiting()
	return r, err
}

func (u *user) Runs(ctx context.Context, t record.Type, limit int, before string) ([]store.Run, error) {
	var out []store.Run
	err := u.view(ctx, "list runs", nil, func(tx *bbolt.Tx) error {
		b := find(tx, u.path("runs")...)
		if b == nil {
			return nil
		}
		c := b.Cursor()
		var k, v []byte
		if before == "" {
			k, v = c.Last()
		} else if k, _ = c.Seek([]byte(before)); k == nil {
			k, v = c.Last()
		} else {
			k, v = c.Prev()
		}
		for ; k != nil && len(out) < limit; k, v = c.Prev() {
			r, err := document.Decode[store.Run](v)
			if err != nil {
				return err
			}
			if t == "" || r.Type == t {
				out = append(out, r)
			}
		}
		return nil
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return out, err
}
