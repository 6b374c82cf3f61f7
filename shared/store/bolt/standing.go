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

// Standings lists how everybody's syncs go.
func (s *Store) Standings(ctx context.Context, t record.Type, after string, limit int) ([]store.Standing, error) {
	var out []store.Standing
	err := s.view(ctx, "list standings", func(tx *bbolt.Tx) error {
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
			var standing store.Standing
			standing, err = standingOf(tx, t, at[place], place)
			out = append(out, standing)
		}
		return err
	})
	return out, err
}

func standingOf(tx *bbolt.Tx, t record.Type, user, place string) (store.Standing, error) {
	sync, err := get[store.Sync](find(tx, "users", user, "sync"), []byte(t))
	if err != nil {
		return store.Standing{}, err
	}
	p, err := get[store.Profile](find(tx, "users", user), []byte("profile"))
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	p.ID = user
	return store.Standing{Place: place, Profile: p, Sync: sync}, err
}

// Tally counts users and syncs.
func (s *Store) Tally(ctx context.Context, t record.Type, late time.Time) (tally store.Tally, err error) {
	err = s.view(ctx, "count standings", func(tx *bbolt.Tx) error {
		if err := tallyUsers(tx, &tally); err != nil {
			return err
		}
		counts := map[string]*int{
			document.Failing: &tally.Failing, document.Held: &tally.Held, document.Reconnect: &tally.Reconnect,
			document.Partial: &tally.Partial, document.Running: &tally.Running,
		}
		return everybody(tx, t, func(user string, s store.Sync) error {
			place := document.Place(user, s)
			if n := counts[place[:1]]; n != nil {
				*n++
			} else if place[:1] == document.Waiting && place < document.Late(late) {
				tally.Late++
			}
			if s.LastSync.After(tally.LastSync) {
				tally.LastSync = s.LastSync
			}
			return nil
		})
	})
	return tally, err
}

func tallyUsers(tx *bbolt.Tx, tally *store.Tally) error {
	users := find(tx, "users")
	if users == nil {
		return nil
	}
	return users.ForEachBucket(func(id []byte) error {
		p, err := get[store.Profile](users.Bucket(id), []byte("profile"))
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		tally.Users++
		if p.Google.Linked && p.Creatio.Linked {
			tally.Linked++
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
