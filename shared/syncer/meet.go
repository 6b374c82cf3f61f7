package syncer

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tandem-sync/tandem/shared/match"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// meetings go through the records that have no counterpart, a group at a time, and find for each the one that is already
// on the other side, so that nothing is created that is there. What fits several records is left alone and reported.
func (r *run) meetings(ctx context.Context, lonely []*pair) iter.Seq2[[]*pair, error] {
	return func(yield func([]*pair, error) bool) {
		c := newCrowd(lonely, r.item, r.engine.Match.Keys)
		for group := c.next(groupSize); len(group) > 0; group = c.next(groupSize) {
			err := phase(ctx, "meet", func(ctx context.Context) (err error) {
				group, err = r.meet(ctx, c, group)
				return err
			})
			if !yield(group, err) || err != nil {
				return
			}
		}
	}
}

// groupSize is how many records meet at a time: a few chunks' worth.
const groupSize = 1000

// meet pairs one group.
func (r *run) meet(ctx context.Context, c *crowd, group []*pair) ([]*pair, error) {
	candidates := map[record.Side][]record.Record{}
	for fresh := group; len(fresh) > 0; {
		found, err := r.candidates(ctx, singles(fresh))
		if err != nil {
			return nil, err
		}
		// Who shares something with a candidate has a say in whose it is.
		fresh = nil
		for _, s := range record.Sides {
			candidates[s] = append(candidates[s], found[s]...)
			fresh = append(fresh, c.related(s, found[s])...)
		}
		group = append(group, fresh...)
	}
	alone := singles(group)
	r.adopt(alone, candidates)
	free, err := r.free(ctx, candidates)
	if err != nil {
		return nil, err
	}
	r.pairUp(alone, free)
	return slices.DeleteFunc(group, func(p *pair) bool { return p.merged }), nil
}

// pairUp joins what belongs together.
func (r *run) pairUp(alone map[record.Side][]*pair, free map[record.Side][]*record.Record) {
	items := map[record.Side][]match.Item{}
	owners := map[record.Side][]*pair{}
	records := map[record.Side][]*record.Record{}
	for _, s := range record.Sides {
		seen := map[string]bool{}
		add := func(p *pair, rec *record.Record, member bool) {
			if !seen[rec.ID] {
				seen[rec.ID] = true
				it := r.item(s, rec)
				it.Member = member
				items[s] = append(items[s], it)
				owners[s], records[s] = append(owners[s], p), append(records[s], rec)
			}
		}
		for _, p := range alone[s] {
			if p.link.SideID(s.Other()) == "" && !p.waits() {
				add(p, p.now[s], true)
			}
		}
		for _, rec := range free[s] {
			add(nil, rec, false)
		}
	}
	found := match.Find(r.engine.Match, items[record.Creatio], items[record.Google])
	for _, m := range found.Pairs {
		r.join(owners[record.Creatio][m.Creatio], owners[record.Google][m.Google],
			records[record.Creatio][m.Creatio], records[record.Google][m.Google], m.Reason)
	}
	for _, d := range found.Doubts {
		var names []string
		for _, c := range d.Candidates {
			names = append(names, r.engine.Title(records[d.Side.Other()][c].Fields))
		}
		owners[d.Side][d.Item].doubt(r, d.Side, names)
	}
}

// item is a record as it is compared with others. Its origins tell which record of the other side it was made from, or which
// one was made from it, although the link between them was lost: a record may carry the id of the link it was made for, or
// have an id that is derived from the one it was made for.
func (r *run) item(s record.Side, rec *record.Record) match.Item {
	it := match.Item{ID: rec.ID, Fields: rec.Fields, Untracked: rec.Untracked, Origins: []string{linkID(s, rec.ID), rec.ID}}
	for _, origin := range []string{r.newID(s.Other(), rec.ID), rec.Mark} {
		if origin != "" {
			it.Origins = append(it.Origins, origin)
		}
	}
	return it
}

// singles are the pairs with a record in scope on one side and none on the other.
func singles(list []*pair) map[record.Side][]*pair {
	out := map[record.Side][]*pair{}
	for _, p := range list {
		for _, s := range record.Sides {
			if rec := p.now[s]; rec != nil && !rec.Gone && rec.Member && p.link.SideID(s.Other()) == "" {
				out[s] = append(out[s], p)
			}
		}
	}
	return out
}

// candidates asks each side for what may be the counterpart of the other side's singles.
func (r *run) candidates(ctx context.Context, singles map[record.Side][]*pair) (map[record.Side][]record.Record, error) {
	var mu sync.Mutex
	out := map[record.Side][]record.Record{}
	g, gctx := errgroup.WithContext(ctx)
	for _, s := range record.Sides {
		side, ok := r.sides[s].(Finder)
		if !ok || len(singles[s.Other()]) == 0 {
			continue
		}
		like := make([]record.Record, 0, len(singles[s.Other()]))
		for _, p := range singles[s.Other()] {
			rec := *p.now[s.Other()]
			if rec.Mark == "" {
				rec.Mark = linkID(s.Other(), rec.ID)
			}
			like = append(like, rec)
		}
		g.Go(func() error {
			found, err := side.Candidates(gctx, like)
			if err != nil {
				return fmt.Errorf("find candidates in %s: %w", s, err)
			}
			mu.Lock()
			defer mu.Unlock()
			out[s] = found
			return nil
		})
	}
	return out, g.Wait()
}

// adopt finds creations in Google whose answer was lost, by the mark they carry. One that does not show yet is waited for.
func (r *run) adopt(singles map[record.Side][]*pair, candidates map[record.Side][]record.Record) {
	marked := map[string]*record.Record{}
	for i := range candidates[record.Google] {
		if c := &candidates[record.Google][i]; c.Mark != "" && r.pairs.by[record.Google][c.ID] == nil {
			marked[c.Mark] = c
		}
	}
	// One that is in scope has begun a pair, and will meet the one it was made for.
	shows := map[string]bool{}
	for _, p := range singles[record.Google] {
		shows[p.now[record.Google].Mark] = true
	}
	for _, p := range singles[record.Creatio] {
		if p.stored.Pending != record.Google || shows[p.link.ID] {
			continue
		}
		rec := marked[p.link.ID]
		switch {
		case rec != nil:
			p.link.GoogleID, p.now[record.Google] = rec.ID, rec
			p.link.Pending = ""
			p.first = true
			r.pairs.name(p, record.Google)
		case r.start.Sub(p.stored.UpdatedAt) < r.lag(record.Google):
			p.wait(p.stored.UpdatedAt.Add(r.lag(record.Google)))
		}
	}
}

// free are the candidates that nobody else is tied to. A link whose other record was deleted, or goes by another id by which
// it looks for its counterpart itself, ties nothing.
func (r *run) free(ctx context.Context, candidates map[record.Side][]record.Record) (map[record.Side][]*record.Record, error) {
	out := map[record.Side][]*record.Record{}
	for _, s := range record.Sides {
		ids := make([]string, 0, len(candidates[s]))
		for _, c := range candidates[s] {
			ids = append(ids, c.ID)
		}
		links, err := r.user.LinksBy(ctx, r.engine.Type, s, ids)
		if err != nil {
			return nil, fmt.Errorf("read links of candidates: %w", err)
		}
		tied, err := r.tied(ctx, s, links)
		if err != nil {
			return nil, err
		}
		for i := range candidates[s] {
			c := &candidates[s][i]
			if p := r.pairs.by[s][c.ID]; !tied[c.ID] && !c.Gone && (p == nil || p.link.SideID(s.Other()) == "") {
				out[s] = append(out[s], c)
			}
		}
	}
	return out, nil
}

func (r *run) tied(ctx context.Context, s record.Side, links []store.Link) (map[string]bool, error) {
	tied := map[string]bool{}
	ask, owner := map[string]string{}, map[string]string{}
	var ids []string
	for _, l := range links {
		other := l.SideID(s.Other())
		if other == "" {
			continue
		}
		tied[l.SideID(s)] = true
		if !l.Active && !l.Unfinished() {
			ask[other], owner[other] = l.SideID(s), l.ID
			ids = append(ids, other)
		}
	}
	if len(ids) == 0 {
		return tied, nil
	}
	records, err := r.sides[s.Other()].Fetch(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("fetch counterparts of candidates: %w", err)
	}
	for _, rec := range records {
		lost := slices.Clone(rec.Aliases)
		if rec.Gone {
			lost = append(lost, rec.ID)
		}
		for _, other := range lost {
			id := ask[other]
			if id == "" {
				continue
			}
			delete(tied, id)
			r.loose[id] = append(r.loose[id], owner[other])
			if p := r.pairs.by[s][id]; p != nil {
				p.merged = true
				delete(r.pairs.by[s], id)
			}
		}
	}
	return tied, nil
}

// join makes one pair of two records. Where each had begun a link, one of them stays.
func (r *run) join(c, g *pair, creatio, google *record.Record, reason match.Reason) {
	p := c
	if p == nil {
		p = g
	} else if g != nil {
		g.merged = true
		if g.stored.ID != "" {
			p.replaces = append(p.replaces, g.stored.ID)
		}
	}
	p.link.CreatioID, p.now[record.Creatio] = creatio.ID, creatio
	p.link.GoogleID, p.now[record.Google] = google.ID, google
	p.link.Pending = ""
	p.first, p.reason = true, reason
	p.replaces = append(append(p.replaces, r.loose[creatio.ID]...), r.loose[google.ID]...)
	r.pairs.name(p, record.Creatio)
	r.pairs.name(p, record.Google)
}

// How a pair is kept from being planned in this run.
type pause struct {
	until   time.Time
	problem store.Problem
}

func (p *pair) waits() bool { return p.pause != nil }

// wait leaves a pair alone until a creation that may have taken effect must have shown up.
func (p *pair) wait(until time.Time) {
	p.pause = &pause{until: until, problem: store.Problem{
		Side: record.Google, Code: "awaiting-answer",
		Message: "Google did not say whether it added this contact.",
		Action:  "Nothing to do: Tandem looks for it in a few minutes and adds it only if it is not there.",
	}}
}

// doubt leaves a record alone that may be one of several.
func (p *pair) doubt(r *run, s record.Side, names []string) {
	p.pause = &pause{until: r.start.Add(distance(p.stored.Failed + 1)), problem: store.Problem{
		Side: s, Code: "ambiguous",
		Message: fmt.Sprintf("In %s, more than one contact may be this one, or one that contradicts it: %s.", label(s.Other()), strings.Join(names, "; ")),
		Action: "If they are one person, merge them or give both the same name and e-mail address; if they are not, take from one what they share. " +
			"Tandem links nothing that it is not sure of.",
	}}
}

func label(s record.Side) string {
	if s == record.Creatio {
		return "Creatio"
	}
	return "Google"
}

// newID is the id of the record that is made on a side from one of the other side; empty where the side chooses it.
func (r *run) newID(s record.Side, from string) string {
	if side, ok := r.sides[s].(Naming); ok {
		return side.NewID(r.user.ID() + "\x00" + from)
	}
	return ""
}

// distance is how long a record that failed n times in a row is left alone.
func distance(n int) time.Duration {
	d := 15 * time.Minute
	for ; n > 1 && d < 24*time.Hour; n-- {
		d *= 2
	}
	return min(d, 24*time.Hour)
}
