// Package migrate migrates the documents of a store when a new version of Tandem stores them in another form. It is for
// shared/app: every process checks the schema when it starts, and every tick continues the migrations.
//
// Versions overlap: during a rollout and after a rollback an older version reads and overwrites documents of a newer one.
// So these are the rules for a new version:
//
//   - It always reads documents without its new fields: they are missing until the migration is done, and in documents that
//     an older version wrote last.
//   - It may add fields. An older version that changes a document leaves fields that it does not know at their old values.
//     So a field that describes others (a digest, a count, a time limit) has to be harmless if it is out of date. Documents
//     that are written as a whole (tokens, links, the summary at a run's end) lose such fields.
//   - It never changes the meaning of a field, nor removes a field that the previous version reads. That takes two releases:
//     one that supports both forms, then one with the migration, which is Breaking.
//
// A migration begins an hour after the start of the first process that knows it, so that it also covers what older
// processes write until they end. If a process that does not know it starts again, the hour and the migration begin again.
//
// Invariants: only one process migrates at a time, under a lease with a fence; after a crash pages are repeated and never
// skipped; the number of a migration is its index in All, to which migrations are only appended.
package migrate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// Migration migrates documents, in pages of users.
type Migration struct {
	Name string
	// Page migrates the next users after the given one, in the order of their ids, and returns the last of them; empty if
	// there are no more. It may run again for the same users, and during writes of other processes.
	Page func(ctx context.Context, s store.Store, after string) (last string, err error)
	// Breaking says that versions without the migration cannot read its documents: they refuse to start once it has begun.
	Breaking bool
}

// All are the migrations of this version.
var All = []Migration{
	{Name: "spread due users over the shards", Page: reindex},
	{Name: "keep member sets as blobs", Page: moveMemberSets},
	{Name: "find users by their contacts and addresses", Page: reindex},
	{Name: "forget links and history some time after an account was unlinked", Page: lookAfterUnlinked},
}

// reindex is the page of a migration that changes only fields for queries.
func reindex(ctx context.Context, s store.Store, after string) (string, error) {
	const users = 200
	return s.Reindex(ctx, after, users)
}

// moveMemberSets is the page of the migration that moves member sets from where former versions store them. If such a
// version runs again, the set that it finds is missing or does not match its digest; its next run reads all links once.
func moveMemberSets(ctx context.Context, s store.Store, after string) (string, error) {
	const users = 200
	return s.MoveMemberSets(ctx, after, users)
}

// lookAfterUnlinked is the page of the migration that makes users due who unlinked an account under a version that kept their links
// and their history for ever. Whoever looks after them notes since when that is so. It goes over the syncs of contacts, of which
// each user has one that linked an account.
func lookAfterUnlinked(ctx context.Context, s store.Store, after string) (string, error) {
	const users = 200
	page, err := s.SyncStatuses(ctx, record.Contacts, after, users)
	if err != nil {
		return "", err
	}
	for _, status := range page {
		after = status.Place
		p := status.Profile
		if p.CreatedAt.IsZero() || !p.UnlinkedAt.IsZero() || p.Google.Linked && p.Creatio.Linked || p.Creatio.UserID == "" {
			continue
		}
		err := s.User(p.ID).UpdateSync(ctx, record.Contacts, func(d *store.Sync) error {
			if d.Due.IsZero() && !d.Settings.Automatic {
				d.Due = p.CreatedAt
			}
			return nil
		})
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return "", err
		}
	}
	if len(page) < users {
		return "", nil
	}
	return after, nil
}

const (
	// overlap is longer than a process of the previous version still runs: it gets no new requests once the new version
	// serves, and a request takes at most an hour (https://cloud.google.com/run/docs/configuring/request-timeout).
	overlap = time.Hour
	// leaseTTL is much longer than a page takes.
	leaseTTL = 2 * time.Minute
)

// Migrator runs the migrations of one process. It is safe for concurrent use.
type Migrator struct {
	store  store.Store
	all    []Migration
	owner  string
	now    func() time.Time
	logger *slog.Logger
	// done says that this process knows that all migrations are done. nextCheck is when it next reads the schema, as a Unix
	// time in microseconds.
	done      atomic.Bool
	nextCheck atomic.Int64
}

// New makes a process's migrator; owner names the process.
func New(s store.Store, all []Migration, owner string, now func() time.Time, logger *slog.Logger) *Migrator {
	return &Migrator{store: s, all: all, owner: owner, now: now, logger: logger}
}

// Open checks the schema when a process starts. If a later version has written documents that this version cannot read,
// the error is of kind Misconfigured with the code Newer. It costs one read, and a write after a rollback.
func (m *Migrator) Open(ctx context.Context) error {
	s, err := m.store.Schema(ctx)
	if err == nil {
		err = m.supports(s)
	}
	if err == nil && s.Known > len(m.all) {
		err = m.store.UpdateSchema(ctx, m.rollBack)
	}
	if err != nil {
		return fmt.Errorf("check schema: %w", err)
	}
	m.done.Store(s.Version >= len(m.all))
	return nil
}

// Newer is the code of the fault of a version that is too old for the documents.
const Newer = "schema-newer"

func (m *Migrator) supports(s store.Schema) error {
	if s.Needs <= len(m.all) {
		return nil
	}
	return fault.Errorf(fault.Misconfigured, "store", Newer, "the database was written by a later version of Tandem "+
		"(its schema needs version %d, this program knows %d): deploy that version or a later one again", s.Needs, len(m.all))
}

// rollBack sets the schema back to this older version: what it writes from now on has to be migrated again.
func (m *Migrator) rollBack(s *store.Schema) error {
	if err := m.supports(*s); err != nil {
		return err
	}
	s.Known, s.Version, s.After = len(m.all), min(s.Version, len(m.all)), ""
	s.Lease = store.Lease{Fence: s.Lease.Fence}
	return nil
}

// The reasons why a process has nothing to migrate now.
var (
	errDone    = errors.New("all migrations are done")
	errWaiting = errors.New("processes of an older version may still run")
	errLeased  = errors.New("another process migrates")
)

// Advance migrates page by page until all is done or the time is over, unless another process does. Once all is done, and
// while there is nothing to do yet, it makes no requests to the store.
func (m *Migrator) Advance(ctx context.Context, until time.Time) error {
	if m.done.Load() || m.now().UnixMicro() < m.nextCheck.Load() {
		return nil
	}
	at, err := m.acquire(ctx)
	switch {
	case errors.Is(err, errDone):
		m.done.Store(true)
		return nil
	case errors.Is(err, errWaiting):
		m.nextCheck.Store(at.Since.Add(overlap).UnixMicro())
		return nil
	case errors.Is(err, errLeased):
		m.nextCheck.Store(at.Lease.Expires.UnixMicro())
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
		if at, err = m.pageDone(ctx, lease, last); err != nil {
			if errors.Is(err, errLeased) {
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

// acquire acquires the lease to migrate. The first process that knows a migration records that, and waits.
func (m *Migrator) acquire(ctx context.Context) (seen store.Schema, err error) {
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
		case now.Before(s.Since.Add(overlap)):
			return errWaiting
		case s.Lease.Owner != "" && now.Before(s.Lease.Expires):
			return errLeased
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

// begin excludes versions that cannot read the documents of the next migration.
func (m *Migrator) begin(s *store.Schema) {
	if s.Version < len(m.all) && m.all[s.Version].Breaking {
		s.Needs = max(s.Needs, s.Version+1)
	}
}

// pageDone records that a page is done, and extends the lease.
func (m *Migrator) pageDone(ctx context.Context, l store.Lease, last string) (store.Schema, error) {
	var next store.Schema
	err := m.store.UpdateSchema(ctx, func(s *store.Schema) error {
		if s.Lease.Owner != l.Owner || s.Lease.Fence != l.Fence {
			return errLeased
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

// release releases the lease.
func (m *Migrator) release(ctx context.Context, l store.Lease) error {
	err := m.store.UpdateSchema(context.WithoutCancel(ctx), func(s *store.Schema) error {
		if s.Lease.Owner != l.Owner || s.Lease.Fence != l.Fence {
			return errLeased
		}
		s.Lease = store.Lease{Fence: s.Lease.Fence}
		return nil
	})
	if errors.Is(err, errLeased) {
		return nil
	}
	return err
}
