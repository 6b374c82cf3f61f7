package bolt

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

// What looks at everybody goes over everybody: on a machine of one's own they are few, and the file is in memory.

// everybody calls f with the sync of each user who has one.
func everybody(tx *bbolt.Tx, t record.Type, f func(user string, s store.Sync) error) error {
	users := find(tx, "users")
	if users == nil {
		return nil
	}
	return users.ForEachBucket(func(id []byte) error {
		s, err := get[store.Sync](find(tx, "users", string(id), "sync"), []byte(t))
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return f(string(id), s)
	})
}

// Shortest is the shortest interval in use.
func (s *Store) Shortest(ctx context.Context, t record.Type) (shortest time.Duration, err error) {
	err = s.view(ctx, "find the shortest interval", func(tx *bbolt.Tx) error {
		return everybody(tx, t, func(_ string, s store.Sync) error {
			if every := s.Interval(); every > 0 && (shortest == 0 || every < shortest) {
				shortest = every
			}
			return nil
		})
	})
	return shortest, err
}

// SyncStatuses lists how everybody's syncs go.
func (s *Store) SyncStatuses(ctx context.Context, t record.Type, after string, limit int) ([]store.SyncStatus, error) {
	var out []store.SyncStatus
	err := s.view(ctx, "list statuses", func(tx *bbolt.Tx) error {
		at := map[string]string{}
		var places []string
		err := everybody(tx, t, func(user string, s store.Sync) error {
			if place := document.Place(user, s); place > after {
				at[place] = user
				places = append(places, place)
			}
			return nil
		})
		slices.Sort(places)
		for _, place := range places[:min(max(limit, 0), len(places))] {
			if err != nil {
				break
			}
			var status store.SyncStatus
			status, err = statusOf(tx, t, at[place], place)
			out = append(out, status)
		}
		return err
	})
	return out, err
}

func statusOf(tx *bbolt.Tx, t record.Type, user, place string) (store.SyncStatus, error) {
	sync, err := get[store.Sync](find(tx, "users", user, "sync"), []byte(t))
	if err != nil {
		return store.SyncStatus{}, err
	}
	p, err := get[store.Profile](find(tx, "users", user), []byte("profile"))
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	p.ID = user
	return store.SyncStatus{Place: place, Profile: p, Sync: sync}, err
}

// CountStatuses counts users and syncs.
func (s *Store) CountStatuses(ctx context.Context, t record.Type, late time.Time) (counts store.StatusCounts, err error) {
	err = s.view(ctx, "count statuses", func(tx *bbolt.Tx) error {
		if err := countUsers(tx, &counts); err != nil {
			return err
		}
		byStatus := map[string]*int{
			document.Failing: &counts.Failing, document.Held: &counts.Held, document.Reconnect: &counts.Reconnect,
			document.Partial: &counts.Partial, document.Running: &counts.Running,
		}
		return everybody(tx, t, func(user string, s store.Sync) error {
			place := document.Place(user, s)
			if n := byStatus[place[:1]]; n != nil {
				*n++
			} else if place[:1] == document.Waiting && place < document.Late(late) {
				counts.Late++
			}
			if s.LastSync.After(counts.LastSync) {
				counts.LastSync = s.LastSync
			}
			return nil
		})
	})
	return counts, err
}

func countUsers(tx *bbolt.Tx, counts *store.StatusCounts) error {
	users := find(tx, "users")
	if users == nil {
		return nil
	}
	return users.ForEachBucket(func(id []byte) error {
		p, err := get[store.Profile](users.Bucket(id), []byte("profile"))
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		counts.Users++
		if p.Google.Linked && p.Creatio.Linked {
			counts.Linked++
		}
		return err
	})
}

// Schedule is what administrators decided.
func (s *Store) Schedule(ctx context.Context, t record.Type) (d store.Schedule, err error) {
	err = s.view(ctx, "read schedule", func(tx *bbolt.Tx) error {
		if d, err = get[store.Schedule](find(tx, "schedules"), []byte(t)); errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err
	})
	d.Type = t
	return d, err
}

// PutSchedule replaces it.
func (s *Store) PutSchedule(ctx context.Context, d store.Schedule) error {
	return s.update(ctx, "put schedule", func(tx *bbolt.Tx) error {
		if err := document.ToWrite(string(d.Type)); err != nil {
			return err
		}
		b, err := need(tx, "schedules")
		if err != nil {
			return err
		}
		return put(b, []byte(d.Type), d)
	})
}
