package syncer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/tandem-sync/tandem/shared/record"
)

// fetch reads records of both sides at the same time, and gives them to their pairs.
func (r *run) fetch(ctx context.Context, ask asked) error {
	found, err := r.readRecords(ctx, ask)
	if err != nil {
		return err
	}
	for _, s := range record.Sides {
		records, err := r.unmerged(ctx, s, found[s])
		if err != nil {
			return err
		}
		r.attach(s, records)
	}
	return nil
}

// unmerged puts in the place of records that were read by the id of one that was merged into them, and that have a link of
// their own, that the one which was asked for is gone. The other one is none of this run's business.
func (r *run) unmerged(ctx context.Context, s record.Side, records []*record.Record) ([]*record.Record, error) {
	var ids []string
	for _, rec := range records {
		if len(rec.Aliases) > 0 && r.pairs.by[s][rec.ID] == nil {
			ids = append(ids, rec.ID)
		}
	}
	if len(ids) == 0 {
		return records, nil
	}
	links, err := r.user.LinksBy(ctx, r.engine.Type, s, ids)
	if err != nil {
		return nil, fmt.Errorf("read links of merged records: %w", err)
	}
	owned := map[string]bool{}
	for _, l := range links {
		owned[l.SideID(s)] = true
	}
	var out []*record.Record
	for _, rec := range records {
		if !owned[rec.ID] {
			out = append(out, rec)
			continue
		}
		for _, alias := range rec.Aliases {
			out = append(out, &record.Record{ID: alias, Gone: true})
		}
	}
	return out, nil
}

// readRecords reads records of both sides at the same time.
func (r *run) readRecords(ctx context.Context, ask asked) (map[record.Side][]*record.Record, error) {
	var mu sync.Mutex
	found := map[record.Side][]*record.Record{}
	g, gctx := errgroup.WithContext(ctx)
	for _, s := range record.Sides {
		if len(ask[s]) == 0 {
			continue
		}
		ids := slices.Sorted(maps.Keys(ask[s]))
		g.Go(func() error {
			records, err := r.sides[s].Fetch(gctx, ids)
			if err != nil {
				return fmt.Errorf("fetch from %s: %w", s, err)
			}
			mu.Lock()
			defer mu.Unlock()
			for i := range records {
				found[s] = append(found[s], &records[i])
			}
			return nil
		})
	}
	err := g.Wait()
	for _, s := range record.Sides {
		r.believe(s, found[s])
	}
	return found, err
}
