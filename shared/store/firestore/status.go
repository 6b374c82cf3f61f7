package firestore

import (
	"context"
	"fmt"
	"time"

	"cloud.google.com/go/firestore"
	"cloud.google.com/go/firestore/apiv1/firestorepb"
	"golang.org/x/sync/errgroup"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/store/internal/document"
)

// statusFields is what is queried of all syncs: how often it is to be looked at, where it stands, when it was last
// synchronized. A document of an older version lacks them until it is migrated or written.
func statusFields(user string, s store.Sync) fields {
	f := fields{"place": document.Place(user, s), "every": any(firestore.Delete), "lastSync": any(firestore.Delete)}
	if every := s.Interval(); every > 0 {
		f["every"] = int(every / time.Minute)
	}
	if !s.LastSync.IsZero() {
		f["lastSync"] = document.Time(s.LastSync)
	}
	return f
}

// syncs are the syncs of a type, of all users.
func (s *Store) syncs(t record.Type) firestore.Query {
	return s.client.CollectionGroup("sync").Where("type", "==", string(t))
}

// farthest is after everything that is ever due.
var farthest = time.Date(9999, time.January, 1, 0, 0, 0, 0, time.UTC)

// Shortest is the shortest interval in use. 1 read; where nobody is due, 1 more.
func (s *Store) Shortest(ctx context.Context, t record.Type) (time.Duration, error) {
	const op = "find the shortest interval"
	snaps, err := s.query(ctx, s.syncs(t).OrderBy("every", firestore.Asc).Limit(1).Select("every"))
	if err != nil {
		return 0, wrap(op, err)
	}
	if len(snaps) == 0 {
		// Somebody whose document is of an older version may be due all the same, and must not be left waiting.
		due, err := s.Due(ctx, t, farthest, store.Due{}, 1)
		if err != nil || len(due) == 0 {
			return 0, wrap(op, err)
		}
		return time.Minute, nil
	}
	minutes, ok := snaps[0].Data()["every"].(int64)
	if !ok {
		return 0, wrap(op, fault.Errorf(fault.Bug, document.Side, "decode", "the interval of %s is not a number", snaps[0].Ref.Path))
	}
	return time.Duration(minutes) * time.Minute, nil
}

// SyncStatuses lists how everybody's syncs go. 2 reads for each, at least 1.
func (s *Store) SyncStatuses(ctx context.Context, t record.Type, after string, limit int) ([]store.SyncStatus, error) {
	if limit <= 0 {
		return nil, nil
	}
	snaps, err := s.query(ctx, s.sharded(t).Where("place", ">", valid(after)).OrderBy("place", firestore.Asc).Limit(limit))
	if err != nil {
		return nil, wrap("list statuses", err)
	}
	all := make([]store.SyncStatus, len(snaps))
	for i, snap := range snaps {
		sync, err := content[store.Sync](snap)
		if err != nil {
			return nil, wrap("list statuses", err)
		}
		user := snap.Ref.Parent.Parent.ID
		all[i] = store.SyncStatus{Place: document.Place(user, sync), Profile: store.Profile{ID: user}, Sync: sync}
	}
	return all, wrap("list statuses", s.addProfiles(ctx, all))
}

// addProfiles reads whose the statuses are, in one request.
func (s *Store) addProfiles(ctx context.Context, all []store.SyncStatus) error {
	refs := make([]*firestore.DocumentRef, len(all))
	for i, status := range all {
		refs[i] = s.client.Collection("users").Doc(status.Profile.ID)
	}
	if len(refs) == 0 {
		return nil
	}
	snaps, err := s.client.GetAll(ctx, refs)
	if err != nil {
		return classify(err, false)
	}
	s.observe(len(snaps), 0)
	for i, snap := range snaps {
		if !snap.Exists() {
			continue
		}
		if all[i].Profile, err = content[store.Profile](snap); err != nil {
			return err
		}
	}
	return nil
}

// CountStatuses counts users and syncs. Each of its 7 counts and a look for the last sync is 1 read, and 1 more for every
// thousand counted.
func (s *Store) CountStatuses(ctx context.Context, t record.Type, late time.Time) (store.StatusCounts, error) {
	var counts store.StatusCounts
	users := s.client.Collection("users")
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { counts.Users, err = s.count(gctx, users.Query); return err })
	g.Go(func() (err error) { counts.Linked, err = s.count(gctx, users.Where("linked", "==", true)); return err })
	for band, n := range map[string]*int{
		document.Failing: &counts.Failing, document.Held: &counts.Held, document.Reconnect: &counts.Reconnect,
		document.Partial: &counts.Partial, document.Running: &counts.Running, document.Waiting: &counts.Late,
	} {
		end := document.After(band)
		if band == document.Waiting {
			end = document.Late(late)
		}
		g.Go(func() (err error) {
			*n, err = s.count(gctx, s.sharded(t).Where("place", ">=", band).Where("place", "<", end))
			return err
		})
	}
	g.Go(func() (err error) { counts.LastSync, err = s.lastSync(gctx, s.sharded(t)); return err })
	if err := g.Wait(); err != nil {
		return store.StatusCounts{}, wrap("count statuses", err)
	}
	return counts, nil
}

// count counts what a query finds, without reading it.
func (s *Store) count(ctx context.Context, q firestore.Query) (int, error) {
	const perRead = 1000 // https://cloud.google.com/firestore/pricing#aggregation_queries
	result, err := q.NewAggregationQuery().WithCount("n").Get(ctx)
	if err != nil {
		return 0, classify(err, false)
	}
	v, ok := result["n"].(*firestorepb.Value)
	if !ok {
		return 0, fault.Errorf(fault.Bug, document.Side, "decode", "a count is a %T", result["n"])
	}
	n := int(v.GetIntegerValue())
	s.observe(max(1, (n+perRead-1)/perRead), 0)
	return n, nil
}

// lastSync is the latest time of a last sync.
func (s *Store) lastSync(ctx context.Context, syncs firestore.Query) (time.Time, error) {
	snaps, err := s.query(ctx, syncs.OrderBy("lastSync", firestore.Desc).Limit(1).Select("lastSync"))
	if err != nil || len(snaps) == 0 {
		return time.Time{}, err
	}
	at, ok := snaps[0].Data()["lastSync"].(time.Time)
	if !ok {
		return time.Time{}, fault.Errorf(fault.Bug, document.Side, "decode", "the last sync of %s is not a time", snaps[0].Ref.Path)
	}
	return at.UTC(), nil
}

func (s *Store) scheduleRef(t record.Type) *firestore.DocumentRef {
	return s.client.Collection("schedules").Doc(string(t))
}

// Schedule costs 1 read.
func (s *Store) Schedule(ctx context.Context, t record.Type) (store.Schedule, error) {
	none := store.Schedule{Type: t}
	if document.ToRead(string(t)) != nil {
		return none, nil
	}
	snap, err := s.get(ctx, s.scheduleRef(t))
	if err != nil || !snap.Exists() {
		return none, wrap("read schedule", err)
	}
	d, err := content[store.Schedule](snap)
	return d, wrap("read schedule", err)
}

// PutSchedule costs 1 write.
func (s *Store) PutSchedule(ctx context.Context, d store.Schedule) error {
	if err := document.ToWrite(string(d.Type)); err != nil {
		return wrap("put schedule", err)
	}
	f, err := plain(d)
	if err == nil {
		err = s.set(ctx, s.scheduleRef(d.Type), f)
	}
	if err != nil {
		return fmt.Errorf("put schedule: %w", err)
	}
	return nil
}
