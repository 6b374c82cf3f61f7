// Package bolt keeps Tandem's documents in one file, for a machine of one's own: no account, no daemon. It implements
// package store over bbolt.
//
// Layout, by bucket:
//
//	meta/schema                       Schema
//	meta/hashes                       the key of the hashes of claims and notes, and of the ids of channels
//	claims/{hash}                     Claim
//	notes/{hash}                      WriteNote
//	expiring/claims/{time}{hash}      nothing; the index of the times after which they may go, expiring/notes the same
//	channels/{channel}                Channel; expiring/channels/{time}{channel} is the index of the times when they are due
//	guesses/{key}                     Guesses; expiring/guesses/{time}{key} is the index of the times after which they may go
//	used/{time}{state}                UsedState
//	meta/{name}                       SharedSecret
//	seats/{seat}                      Seat
//	schedules/{type}                 Schedule
//	due/{type}/{time}{user}           nothing; the index of due users, time in 8 bytes big-endian
//	users/{user}/profile              Profile
//	users/{user}/tokens/{side}        Token
//	users/{user}/sync/{type}          Sync
//	users/{user}/links/{type}/{link}  Link
//	users/{user}/creatio/{type}/{id}NUL{link}, google/…, parents/…, pending/{type}/{link}: nothing; indexes of the links
//	users/{user}/pairs/{type}/{pair}  Pair
//	users/{user}/blobs/{type}/{name}  the bytes of a blob
//	users/{user}/rosters/{type}/{side} the bytes of a member set, from former versions
//	users/{user}/runs/{run}           Run
//	users/{user}/changes/{run}/{seq}  a piece of a run's changes
//
// Invariants: every write is one transaction, in which the indexes follow the documents; no transaction is open while
// code of a caller runs, except the function that an update is given: a bbolt read transaction in the goroutine of a
// writer is a deadlock.
package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

// Store is a database in a file.
type Store struct {
	db *bbolt.DB
	// history is how long runs and their changes are kept; zero for ever.
	history time.Duration
}

// lockTimeout is how long Open waits for another process to let the file go, as one does that is being restarted.
const lockTimeout = 5 * time.Second

// Open opens the file, and makes it and its directory where there is none. Only the owner may read them: the documents
// are people's address books.
func Open(path string) (*Store, error) { return open(path, lockTimeout) }

func open(path string, timeout time.Duration) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("open store: %w", classify(err))
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: timeout})
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return nil, fault.Errorf(fault.Misconfigured, document.Side, "locked", "open store %s: another process has it open", path)
	case err != nil:
		return nil, fmt.Errorf("open store %s: %w", path, classify(err))
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", path, classify(err)), db.Close())
	}
	return &Store{db: db}, nil
}

// WithHistory has the store keep runs and their changes for that long after their end. It is called before the store is used.
func (s *Store) WithHistory(d time.Duration) *Store {
	s.history = d
	return s
}

// Close waits for transactions that are under way and lets the file go.
func (s *Store) Close() error {
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close store: %w", classify(err))
	}
	return nil
}

// User opens the documents of one user.
func (s *Store) User(id string) store.User { return &user{s: s, id: id} }

// UseState notes that a state was used. Those that expired long before this one are swept away with it.
func (s *Store) UseState(ctx context.Context, id string, expires time.Time) error {
	if err := document.ToWrite(id); err != nil {
		return fmt.Errorf("use state: %w", err)
	}
	const kept = 24 * time.Hour
	return s.update(ctx, "use state", func(tx *bbolt.Tx) error {
		// Linkings in progress, as former versions kept them.
		if err := tx.DeleteBucket([]byte("states")); err != nil && !errors.Is(err, berrors.ErrBucketNotFound) {
			return err
		}
		b, err := need(tx, "used")
		if err != nil {
			return err
		}
		over := dueKey(expires.Add(-kept), "")
		c := b.Cursor()
		for k, _ := c.First(); k != nil && bytes.Compare(k, over) < 0; k, _ = c.First() {
			if err := c.Delete(); err != nil {
				return err
			}
		}
		key := dueKey(expires, id)
		if b.Get(key) != nil {
			return store.ErrUsed
		}
		return put(b, key, store.UsedState{Expires: expires})
	})
}

// Secret is bytes that everybody shares.
func (s *Store) Secret(ctx context.Context, name string, create func() ([]byte, error)) (secret []byte, err error) {
	if err := document.ToWrite(name); err != nil {
		return nil, fmt.Errorf("read secret: %w", err)
	}
	err = s.update(ctx, "read secret", func(tx *bbolt.Tx) error {
		b, err := need(tx, "meta")
		if err != nil {
			return err
		}
		kept, err := get[store.SharedSecret](b, []byte(name))
		if errors.Is(err, store.ErrNotFound) {
			if kept.Data, err = create(); err != nil {
				return callerError{err}
			}
			err = put(b, []byte(name), kept)
		}
		secret = kept.Data
		return err
	})
	return secret, err
}

// Due lists users whose sync is due.
func (s *Store) Due(ctx context.Context, t record.Type, now time.Time, after store.Due, limit int) ([]store.Due, error) {
	var out []store.Due
	err := s.view(ctx, "list due users", func(tx *bbolt.Tx) error {
		b := find(tx, "due", string(t))
		if b == nil {
			return nil
		}
		last := binary.BigEndian.Uint64(dueKey(now, ""))
		c := b.Cursor()
		k, _ := c.First()
		if after != (store.Due{}) {
			past := dueKey(after.At, after.User)
			if k, _ = c.Seek(past); bytes.Equal(k, past) {
				k, _ = c.Next()
			}
		}
		for ; k != nil && len(out) < limit; k, _ = c.Next() {
			at := binary.BigEndian.Uint64(k)
			if at > last {
				break
			}
			out = append(out, store.Due{User: string(k[8:]), At: time.UnixMicro(int64(at ^ signBit)).UTC()})
		}
		return nil
	})
	return out, err
}

// signBit makes the order of unsigned big-endian numbers that of signed ones.
const signBit = 1 << 63

func dueKey(at time.Time, user string) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(at.UnixMicro())^signBit), user...)
}

// Users goes over all profiles.
func (s *Store) Users(ctx context.Context) iter.Seq2[store.Profile, error] {
	return scan(ctx, s, "list users", func(parent *bbolt.Bucket, id, _ []byte) (store.Profile, error) {
		return get[store.Profile](parent.Bucket(id), []byte("profile"))
	}, "users")
}

// scan goes over the entries of a bucket in pieces, each in a read transaction of its own, so that none is open while
// the caller writes. An entry for which one returns ErrNotFound is left out.
func scan[D any](ctx context.Context, s *Store, op string, one func(parent *bbolt.Bucket, k, v []byte) (D, error), path ...string) iter.Seq2[D, error] {
	const piece = 200
	return func(yield func(D, error) bool) {
		var after []byte
		for {
			var out []D
			read := 0
			err := s.view(ctx, op, func(tx *bbolt.Tx) error {
				b := find(tx, path...)
				if b == nil {
					return nil
				}
				c := b.Cursor()
				k, v := c.Seek(after)
				if after != nil && string(k) == string(after) {
					k, v = c.Next()
				}
				for ; k != nil && read < piece; k, v = c.Next() {
					d, err := one(b, k, v)
					read++
					after = bytes.Clone(k)
					if errors.Is(err, store.ErrNotFound) {
						continue
					}
					if err != nil {
						return err
					}
					out = append(out, d)
				}
				return nil
			})
			if err != nil {
				var none D
				yield(none, err)
				return
			}
			for _, d := range out {
				if !yield(d, nil) {
					return
				}
			}
			if read < piece {
				return
			}
		}
	}
}

func (s *Store) view(ctx context.Context, op string, f func(*bbolt.Tx) error) error {
	return s.run(ctx, op, s.db.View, f)
}

func (s *Store) update(ctx context.Context, op string, f func(*bbolt.Tx) error) error {
	return s.run(ctx, op, s.db.Update, f)
}

// callerError carries the error of a caller's function through a transaction without being taken for bbolt's.
type callerError struct{ error }

func (s *Store) run(ctx context.Context, op string, transact func(func(*bbolt.Tx) error) error, f func(*bbolt.Tx) error) error {
	err := ctx.Err()
	if err == nil {
		err = transact(f)
	}
	if err == nil {
		return nil
	}
	if own, ok := errors.AsType[callerError](err); ok {
		return own.error
	}
	return fmt.Errorf("%s: %w", op, classify(err))
}

// classify decides the kind of an error of the file: what the owner of the machine must mend, what may pass (no room, a
// failed read), and everything else, which is a broken file or a mistake here.
func classify(err error) error {
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	for _, own := range []error{store.ErrNotFound, store.ErrUsed, store.ErrLeased, store.ErrFenced} {
		if errors.Is(err, own) {
			return err
		}
	}
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fault.New(fault.Retry, document.Side, "cancelled", err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.EROFS), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EISDIR):
		return fault.New(fault.Misconfigured, document.Side, "file", err)
	case noRoom(err):
		return fault.New(fault.Retry, document.Side, "full", err)
	}
	if _, ok := errors.AsType[syscall.Errno](err); ok {
		return fault.New(fault.Retry, document.Side, "io", err)
	}
	return fault.New(fault.Bug, document.Side, "database", err)
}

// noRoom reports whether the file could not grow. bbolt passes on the text alone where it could not lengthen the file.
func noRoom(err error) bool {
	for _, full := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		if errors.Is(err, full) || strings.HasSuffix(err.Error(), full.Error()) {
			return true
		}
	}
	return false
}

// find opens nested buckets; nil where one is missing.
func find(tx *bbolt.Tx, path ...string) *bbolt.Bucket {
	b := tx.Bucket([]byte(path[0]))
	for _, name := range path[1:] {
		if b == nil {
			return nil
		}
		b = b.Bucket([]byte(name))
	}
	return b
}

// need opens nested buckets and makes those that are missing.
func need(tx *bbolt.Tx, path ...string) (*bbolt.Bucket, error) {
	b, err := tx.CreateBucketIfNotExists([]byte(path[0]))
	for _, name := range path[1:] {
		if err != nil {
			break
		}
		b, err = b.CreateBucketIfNotExists([]byte(name))
	}
	return b, err
}

// get reads a document; ErrNotFound where it or its bucket is missing.
func get[D document.Document](b *bbolt.Bucket, key []byte) (D, error) {
	var data []byte
	if b != nil {
		data = b.Get(key)
	}
	if data == nil {
		var none D
		return none, store.ErrNotFound
	}
	return document.Decode[D](data)
}

// rewrite writes a document that was changed since it was read; see document.Over.
func rewrite[D document.Document](b *bbolt.Bucket, key []byte, d D) error {
	data, err := document.Over(b.Get(key), d)
	if err != nil {
		return err
	}
	return b.Put(key, data)
}

// put writes a document in place of whatever is kept.
func put[D document.Document](b *bbolt.Bucket, key []byte, d D) error {
	data, err := document.Encode(d)
	if err != nil {
		return err
	}
	return b.Put(key, data)
}
