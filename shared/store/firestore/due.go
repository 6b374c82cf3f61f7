package firestore

import (
	"context"
	"hash/fnv"
	"time"

	"cloud.google.com/go/firestore"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

// The due index is spread over shards: an index over a rising time takes 500 writes a second
// (https://cloud.google.com/firestore/docs/solutions/shard-timestamp), which a hundred thousand users who sync every
// three minutes reach.
const (
	// manyShards is into how many parts users are written. It may be set to another number at any time: the versions
	// that serve at the same time find each other's users, since all of them ask for every shard there may be.
	manyShards = 8
	// everyShard is how many there may be: the most that a disjunction may have
	// (https://cloud.google.com/firestore/docs/query-data/queries#limits_on_or_queries).
	everyShard = 30
	// spread is the migration after which no version serves any more that asks for the first shard alone.
	spread = 1
)

// shards is into how many parts users are written now.
func (s *Store) shards() int {
	if s.version.Load() >= spread {
		return manyShards
	}
	return 1
}

// shard is the part of the due index that a user is in, where there are so many.
func shard(user string, of int) int {
	h := fnv.New32a()
	h.Write([]byte(user))
	return int(h.Sum32() % uint32(of))
}

// sharded are the syncs of a type in whatever shard they are.
func (s *Store) sharded(t record.Type) firestore.Query {
	every := make([]int, everyShard)
	for n := range every {
		every[n] = n
	}
	return s.syncs(t).Where("shard", "in", every)
}

// Due lists users whose sync is due. 1 read for each, at least 1: Firestore merges the shards, and sends no more than
// the limit.
func (s *Store) Due(ctx context.Context, t record.Type, now time.Time, after store.Due, limit int) ([]store.Due, error) {
	if limit <= 0 {
		return nil, nil
	}
	q := s.sharded(t).Where("due", "<=", document.Time(now)).
		OrderBy("due", firestore.Asc).OrderBy(firestore.DocumentID, firestore.Asc).Limit(limit).Select("due")
	if after != (store.Due{}) {
		if document.ToRead(after.User, string(t)) != nil {
			return nil, fault.Errorf(fault.Bug, document.Side, "invalid-id", "list due users: %q is no user", after.User)
		}
		last := &user{s: s, id: after.User}
		q = q.StartAfter(document.Time(after.At), last.syncRef(t))
	}
	snaps, err := s.query(ctx, q)
	if err != nil {
		return nil, wrap("list due users", err)
	}
	out := make([]store.Due, len(snaps))
	for i, snap := range snaps {
		at, ok := snap.Data()["due"].(time.Time)
		if !ok {
			return nil, fault.Errorf(fault.Bug, document.Side, "decode", "list due users: the due time of %s is not a time", snap.Ref.Path)
		}
		out[i] = store.Due{User: snap.Ref.Parent.Parent.ID, At: at.UTC()}
	}
	return out, nil
}
