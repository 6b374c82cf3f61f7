// Package migrate brings the documents of a store forward when a new version of Tandem keeps something in another way.
// It is for shared/app, which has every process look at the schema when it starts, and every tick go on with the work.
//
// Versions overlap: while one is rolled out, and again when somebody goes back, an older program reads what a newer one
// wrote, and writes after it. What a new version may therefore do:
//
//   - Read documents without its new fields, always: they are missing until the migration is done, and in whatever an older
//     program wrote last.
//   - Add fields. A change of a document keeps the fields that the program does not know, as old as they are: one that says
//     something about others (a digest, a count, until when) has to be harmless where it is out of date. What is written
//     as a whole (tokens, links, a run's summary at its end) loses them.
//   - Never give a field another meaning, nor take one away that the version before reads. That takes two releases: one
//     that gets along with both, and the one with the migration, which is Breaking.
//
// A migration begins an hour after the first process that knows it, so that what older ones wrote until their end is
// migrated too. Where one that does not know it starts again, the hour begins again, and what is done is done again.
//
// Invariants: of a number of processes one migrates, under a lease with a fence; pages are repeated where a process died,
// never left out; the number of a migration is its place in All, which only ever grows.
package migrate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/store"
)

// Migration brings documents forward, page by page of users.
type Migration struct {
	Name string
	// Page migrates some users after the one given, in the order of their ids, and returns the last of them; nothing when
	// there are no more. It may run again for the same users, and while others write.
	Page func(ctx context.Context, s store.Store, after string) (last string, err error)
	// Breaking says that programs which do not know the migration cannot work with its documents: they refuse to start
	// from its first page on.
	Breaking bool
}

// All are the migrations of this version.
var All = []Migration{
	{Name: "spread due users over the shards", Page: reindex},
	{Name: "keep member sets as blobs", Page: moveMemberSets},
}

// reindex is the page of every migration that changes what is queried and not what is kept.
func reindex(ctx context.Context, s store.Store, after string) (string, error) {
	const users = 200
	return s.Reindex(ctx, after, users)
}

// moveMemberSets is the page of the migration after which nobody has to look where former versions keep member sets. What a
// version before writes there, or no longer finds, is a set that does not fit its digest, or none: its next run reads all
// links once.
func moveMemberSets(ctx context.Context, s store.Store, after string) (string, error) {
	const users = 200
	return s.MoveMemberSets(ctx, after, users)
}

const (
	// settle is longer than a process of the version before lives on: a request takes at most an hour, and there are
	// none for it once the new one serves (https://cloud.google.com/run/docs/configuring/request-timeout).
	settle = time.Hour
	// leaseTTL is much longer than a page takes.
	leaseTTL = 2 * time.Minute
)

// Migrator is one process's part in it. It may be used from many goroutines.
type Migrator struct {
	store  store.Store
	all    []Migration
	owner  string
	now    func() time.Time
	logger *slog.Logger
	// done says that there is nothing left to do, and idle until when there is nothing to ask, as a Unix time in
	// microseconds, as far as this process knows.
	done atomic.Bool
	idle atomic.Int64
}

// New makes a process's migrator; owner names the process.
func New(s store.Store, all []Migration, owner string, now func() time.Time, logger *slog.Logger) *Migrator {
	return &Migrator{store: s, all: all, owner: owner, now: now, logger: logger}
}

// Open looks at the schema when a process starts. The error is of kind Misconfigured, with the code Newer, where the
// documents are those of a later version that this one cannot work with. It costs one read, and a write where this
// version serves again after a later one.
func (m *Migrator) Open(ctx context.Context) error {
	s, err := m.store.Schema(ctx)
	if err == nil {
		err = m.supports(s)
	}
	if err == nil && s.Known > len(m.all) {
		err = m.store.UpdateSchema(ctx, m.goBack)
	}
	if err != nil {
		return fmt.Errorf("check schema: %w", err)
	}
	m.done.Store(s.Version >= len(m.all))
	return nil
}

// Newer is the code of the fault of a program that is too old for its documents.
const Newer = "schema-newer"

func (m *Migrator) supports(s store.Schema) error {
	if s.Needs <= len(m.all) {
		return nil
	}
	return fault.Errorf(fault.Misconfigured, "store", Newer, "the database was written by a later version of Tandem "+
		"(its schema needs version %d, this program knows %d): deploy that version or a later one again", s.Needs, len(m.all))
}

// goBack makes the schema that of this older version again: what it writes from now on has to be migrated once more.
func (m *Migrator) goBack(s *store.Schema) error {
	if err := m.supports(*s); err != nil {
		return err
	}
	s.Known, s.Version, s.After = len(m.all), min(s.Version, len(m.all)), ""
	s.Lease = store.Lease{Fence: s.Lease.Fence}
	return nil
}

// Why a process has nothing to migrate now.
var (
	errDone    = errors.New("all migrations are done")
	errWaiting = errors.New("older programs may serve still")
	errTaken   = errors.New("another process migrates")
)

// Advance migrates page by page until all is done or the time is over, if it is this process's to do. It asks the store
// nothing once all is done, nor while there is nothing to do yet.
func (m *Migrator) Advance(ctx context.Context, until time.Time) error {
	if m.done.Load() || m.now().UnixMicro() < m.idle.Load() {
		return nil
	}
	at, err := m.take(ctx)
	switch {
	case errors.Is(err, errDone):
		m.done.Store(true)
		return nil
	case errors.Is(err, errWaiting):
		m.idle.Store(at.Since.Add(settle).UnixMicro())
		return nil
	case errors.Is(err, errTaken):
		m.idle.Store(at.Lease.Expires.UnixMicro())
		return nil
	case err != nil:
		return fmt.Errorf("begin to migrate: %w", err)
	}
	lease := at.Lease
	for at.Version < len(m.all) && m.now().Before(until) {
		migration := m.all[at.Version]
		last, err := migration.Page(ctx, m.store, at.After)
		if err != nil {
			return errors.Join(fmt.Errorf("%s, after user %q: %w", migration.Name, at.After, err), m.release(ctx, lease))
		}
		if at, err = m.turn(ctx, lease, last); err != nil {
			if errors.Is(err, errTaken) {
				return nil
			}
			return fmt.Errorf("%s: %w", migration.Name, err)
		}
		if last == "" {
			m.logger.InfoContext(ctx, "documents are migrated", "migration", migration.Name, "version", at.Version)
		}
	}
	m.done.Store(at.Version >= len(m.all))
	return m.release(ctx, lease)
}

// take makes this process the one that migrates. One that is the first to know of a migration says so, and waits.
func (m *Migrator) take(ctx context.Context) (seen store.Schema, err error) {
	waiting := false
	err = m.store.UpdateSchema(ctx, func(s *store.Schema) error {
		now := m.now()
		waiting = s.Known < len(m.all)
		defer func() { seen = *s }()
		switch err := m.supports(*s); {
		case err != nil:
			return err
		case s.Version >= len(m.all):
			return errDone
		case waiting:
			s.Known, s.Since = len(m.all), now
			return nil
		case now.Before(s.Since.Add(settle)):
			return errWaiting
		case s.Lease.Owner != "" && now.Before(s.Lease.Expires):
			return errTaken
		}
		m.begin(s)
		s.Lease = store.Lease{Owner: m.owner, Fence: s.Lease.Fence + 1, Expires: now.Add(leaseTTL)}
		return nil
	})
	if err == nil && waiting {
		err = errWaiting
	}
	return seen, err
}

// begin shuts out the programs that could not work with what the next migration makes.
func (m *Migrator) begin(s *store.Schema) {
	if s.Version < len(m.all) && m.all[s.Version].Breaking {
		s.Needs = max(s.Needs, s.Version+1)
	}
}

// turn writes down that a page is done, and keeps the lease.
func (m *Migrator) turn(ctx context.Context, l store.Lease, last string) (store.Schema, error) {
	var next store.Schema
	err := m.store.UpdateSchema(ctx, func(s *store.Schema) error {
		if s.Lease.Owner != l.Owner || s.Lease.Fence != l.Fence {
			return errTaken
		}
		s.After, s.Lease.Expires = last, m.now().Add(leaseTTL)
		if last == "" {
			s.Version++
			m.begin(s)
		}
		next = *s
		return nil
	})
	return next, err
}

// release lets another process go on.
func (m *Migrator) release(ctx context.Context, l store.Lease) error {
	err := m.store.UpdateSchema(context.WithoutCancel(ctx), func(s *store.Schema) error {
		if s.Lease.Owner != l.Owner || s.Lease.Fence != l.Fence {
			return errTaken
		}
		s.Lease = store.Lease{Fence: s.Lease.Fence}
		return nil
	})
	if errors.Is(err, errTaken) {
		return nil
	}
	return err
}
