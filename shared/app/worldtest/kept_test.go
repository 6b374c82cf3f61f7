package worldtest

import (
	"context"
	"iter"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// kept are the user's documents as one process reaches them. Its calls fail by the script; those that refresh a token
// are not counted, since both sides make them at the same time.
type kept struct {
	store.User
	p *process
}

// call makes one call to the store.
func (k kept) call(ctx context.Context, do func() error) error {
	at := k.p.place("store")
	if err := k.p.gate("store"); err != nil {
		return err
	}
	m := k.p.happens(at)
	if err := k.p.before(ctx, at, m); err != nil {
		return broke(err)
	}
	if err := do(); err != nil {
		return err
	}
	if err := k.p.after(ctx, at, m); err != nil {
		return broke(err)
	}
	return nil
}

func broke(err error) error {
	if err == errLost { //nolint:errorlint // it is never wrapped
		return errStore()
	}
	return err
}

// one is a call that gives something.
func one[T any](ctx context.Context, k kept, do func() (T, error)) (out T, err error) {
	err = k.call(ctx, func() error {
		out, err = do()
		return err
	})
	return out, err
}

func (k kept) Profile(ctx context.Context) (store.Profile, error) {
	return one(ctx, k, func() (store.Profile, error) { return k.User.Profile(ctx) })
}

func (k kept) Acquire(ctx context.Context, t record.Type, owner string, now time.Time, ttl time.Duration) (d store.Sync, l store.Lease, err error) {
	err = k.call(ctx, func() error {
		d, l, err = k.User.Acquire(ctx, t, owner, now, ttl)
		k.p.leased = err == nil
		if err == nil {
			k.p.holds(now.Add(ttl))
		}
		return err
	})
	return d, l, err
}

// Renew is not counted: it is made by the clock.
func (k kept) Renew(ctx context.Context, t record.Type, l store.Lease, now time.Time, ttl time.Duration) error {
	if err := k.p.gate("heart"); err != nil {
		return err
	}
	k.p.w.mu.Lock()
	mute := k.p.mute
	k.p.w.mu.Unlock()
	if mute {
		return errStore()
	}
	err := k.User.Renew(ctx, t, l, now, ttl)
	if err == nil {
		k.p.holds(now.Add(ttl))
	}
	return err
}

func (k kept) Release(ctx context.Context, t record.Type, l store.Lease) error {
	return k.call(ctx, func() error { return k.User.Release(ctx, t, l) })
}

func (k kept) LinksBy(ctx context.Context, t record.Type, side record.Side, ids []string) ([]store.Link, error) {
	return one(ctx, k, func() ([]store.Link, error) { return k.User.LinksBy(ctx, t, side, ids) })
}

func (k kept) Links(ctx context.Context, t record.Type) iter.Seq2[store.Link, error] {
	return links(ctx, k, k.User.Links(ctx, t))
}

func (k kept) PendingLinks(ctx context.Context, t record.Type) iter.Seq2[store.Link, error] {
	return links(ctx, k, k.User.PendingLinks(ctx, t))
}

func (k kept) LinksSince(ctx context.Context, t record.Type, since time.Time) iter.Seq2[store.Link, error] {
	return links(ctx, k, k.User.LinksSince(ctx, t, since))
}

func links(ctx context.Context, k kept, all iter.Seq2[store.Link, error]) iter.Seq2[store.Link, error] {
	return func(yield func(store.Link, error) bool) {
		if err := k.call(ctx, func() error { return nil }); err != nil {
			yield(store.Link{}, err)
			return
		}
		all(yield)
	}
}

func (k kept) CountLinks(ctx context.Context, t record.Type) (store.LinkCounts, error) {
	return one(ctx, k, func() (store.LinkCounts, error) { return k.User.CountLinks(ctx, t) })
}

func (k kept) LinksByParent(ctx context.Context, t record.Type, parents []string) ([]store.Link, error) {
	return one(ctx, k, func() ([]store.Link, error) { return k.User.LinksByParent(ctx, t, parents) })
}

func (k kept) Blob(ctx context.Context, t record.Type, name string) ([]byte, error) {
	return one(ctx, k, func() ([]byte, error) { return k.User.Blob(ctx, t, name) })
}

func (k kept) PutBlob(ctx context.Context, t record.Type, l store.Lease, name string, data []byte) error {
	return k.call(ctx, func() error { return k.User.PutBlob(ctx, t, l, name, data) })
}

func (k kept) PutBatch(ctx context.Context, t record.Type, l store.Lease, now time.Time, b store.Batch) ([]store.Claim, error) {
	return one(ctx, k, func() ([]store.Claim, error) { return k.User.PutBatch(ctx, t, l, now, b) })
}

func (k kept) WriteNotes(ctx context.Context, site string, records []string) (map[string]store.WriteNote, error) {
	return one(ctx, k, func() (map[string]store.WriteNote, error) { return k.User.WriteNotes(ctx, site, records) })
}

func (k kept) PairsBy(ctx context.Context, t record.Type, side record.Side, ids []string) ([]store.Pair, error) {
	return one(ctx, k, func() ([]store.Pair, error) { return k.User.PairsBy(ctx, t, side, ids) })
}

func (k kept) UpdateRun(ctx context.Context, id string, f func(*store.Run) error) error {
	return k.call(ctx, func() error { return k.User.UpdateRun(ctx, id, f) })
}

func (k kept) PutRun(ctx context.Context, r store.Run) error {
	return k.call(ctx, func() error { return k.User.PutRun(ctx, r) })
}

func (k kept) AddChanges(ctx context.Context, run string, seq int, changes []store.Change) error {
	return k.call(ctx, func() error { return k.User.AddChanges(ctx, run, seq, changes) })
}

func (k kept) Run(ctx context.Context, id string) (store.Run, error) {
	return one(ctx, k, func() (store.Run, error) { return k.User.Run(ctx, id) })
}

func (k kept) Commit(ctx context.Context, t record.Type, l store.Lease, r store.Run, f func(*store.Sync) error) error {
	return k.call(ctx, func() error { return k.User.Commit(ctx, t, l, r, f) })
}
