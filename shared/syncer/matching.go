package syncer

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
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

// matcher finds for records that have no counterpart the one that is already on the other side, so that nothing is created
// that is there. What fits several records is left alone and reported.
type matcher struct {
	*loader
	// orphans are links by a record's id whose other record was deleted, or never came: whoever is matched with the record takes
	// them over.
	orphans map[string][]store.Link
}

func (l *loader) matcher() *matcher { return &matcher{loader: l, orphans: map[string][]store.Link{}} }

// matchSize is how many records are matched at a time: a few chunks' worth.
const matchSize = 1000

// groups goes through the unmatched pairs, some components at a time, and gives each group once it is matched.
func (m *matcher) groups(ctx context.Context, unmatched []*pair) iter.Seq2[[]*pair, error] {
	return func(yield func([]*pair, error) bool) {
		c := newComponents(unmatched, m.engine.Match, m.item)
		for group := c.next(matchSize); len(group) > 0; group = c.next(matchSize) {
			err := phase(ctx, "match", func(ctx context.Context) (err error) {
				group, err = m.match(ctx, c, group)
				return err
			})
			if !yield(group, err) || err != nil {
				return
			}
			m.pairs.close()
		}
	}
}

// match pairs one group.
func (m *matcher) match(ctx context.Context, c *components, group []*pair) ([]*pair, error) {
	candidates := map[record.Side][]record.Record{}
	for more := group; len(more) > 0; {
		if err := m.tieCopies(ctx, more); err != nil {
			return nil, err
		}
		found, err := m.candidates(ctx, m.sought(more))
		if err != nil {
			return nil, err
		}
		if err := m.addSame(ctx, oneSided(more), found); err != nil {
			return nil, err
		}
		// Who shares something with a candidate has a say in whose it is.
		more = nil
		for _, s := range record.Sides {
			candidates[s] = append(candidates[s], found[s]...)
			more = append(more, c.related(s, found[s])...)
		}
		group = append(group, more...)
	}
	alone := oneSided(group)
	m.findLostCreations(group, alone, candidates)
	free, err := m.untied(ctx, candidates)
	if err != nil {
		return nil, err
	}
	m.pairUp(alone, free)
	if err := m.leaveToOthers(ctx, group); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(group, func(p *pair) bool { return p.absorbed }), nil
}

// pairUp makes pairs of what belongs together.
func (m *matcher) pairUp(alone map[record.Side][]*pair, free map[record.Side][]*record.Record) {
	items := map[record.Side][]match.Item{}
	owners := map[record.Side][]*pair{}
	records := map[record.Side][]*record.Record{}
	for _, s := range record.Sides {
		seen := map[string]bool{}
		add := func(p *pair, rec *record.Record, member bool) {
			if !seen[rec.ID] {
				seen[rec.ID] = true
				it := m.item(s, rec)
				it.Member = member
				items[s] = append(items[s], it)
				owners[s], records[s] = append(owners[s], p), append(records[s], rec)
			}
		}
		for _, p := range alone[s] {
			if p.link.SideID(s.Other()) == "" && p.wait == nil {
				add(p, p.records[s], true)
			}
		}
		for _, rec := range free[s] {
			add(nil, rec, false)
		}
	}
	found := match.Find(m.engine.Match, items[record.Creatio], items[record.Google])
	for _, f := range found.Pairs {
		m.pair(owners[record.Creatio][f.Creatio], owners[record.Google][f.Google],
			records[record.Creatio][f.Creatio], records[record.Google][f.Google], f.Reason)
	}
	open := map[string]bool{}
	for _, d := range found.Doubts {
		var candidates []*record.Record
		for _, c := range d.Candidates[:min(len(d.Candidates), maxCandidates)] {
			candidates = append(candidates, records[d.Side.Other()][c])
		}
		m.waitDoubtful(owners[d.Side][d.Item], d.Side, records[d.Side][d.Item], candidates, open)
	}
	for _, s := range record.Sides {
		for i, p := range owners[s] {
			if p != nil && !p.linked() {
				m.doubts.settleMatches(s, records[s][i].ID, open)
			}
		}
	}
}

// creating is the pair for which a run began to create made, out of a record that has left the scope since; nil where there
// is none. What that run meant to do stands on its link.
func (m *matcher) creating(s record.Side, from, made *record.Record) *pair {
	p := m.pairs.find(s, from.ID)
	if p == nil || p.records[s] == nil || p.wait != nil || p.stored.Pending != s.Other() || p.link.SideID(s.Other()) != "" {
		return nil
	}
	if _, chosen := m.sides[s.Other()].(Naming); !chosen && made.Mark != p.link.ID {
		return nil
	}
	return p
}

// item is a record as it is compared with others. Its origins tell which record of the other side it was made from, or which
// one was made from it, although the link between them was lost: a record carries the id of the link it was made for as its
// mark, or has an id that is derived from the one it was made for.
func (m *matcher) item(s record.Side, rec *record.Record) match.Item {
	it := match.Item{ID: rec.ID, Fields: rec.Fields, Untracked: rec.Untracked, Created: rec.Created, Origins: []string{m.linkID(s, rec.ID), rec.ID}}
	it.Open, it.Different = m.doubts.open(s, rec.ID), m.doubts.ids(s, rec.ID, store.StateDifferent)
	for _, p := range m.doubts.of(s, rec.ID) {
		if p.State == store.StateSame {
			it.Same = append(it.Same, p.ID)
		}
	}
	if derived := m.newID(s.Other(), rec.ID, rec.AdapterState); derived != "" {
		it.Origins = append(it.Origins, derived)
	}
	if rec.Mark != "" {
		it.Origins = append(it.Origins, rec.Mark)
	}
	it.Origins = append(it.Origins, rec.Ties...)
	return it
}

// oneSided are the pairs with a record in scope on one side and none on the other.
func oneSided(list []*pair) map[record.Side][]*pair {
	out := map[record.Side][]*pair{}
	for _, p := range list {
		for _, s := range record.Sides {
			if rec := p.open().records[s]; rec != nil && !rec.Gone && rec.Member && p.link.SideID(s.Other()) == "" {
				out[s] = append(out[s], p)
			}
		}
	}
	return out
}

// creates is the side on which nobody confirmed a pair's creation, which is to be found by its mark; empty where there is none.
func (m *matcher) creates(p *pair) record.Side {
	s := p.stored.Pending
	if s == "" || p.wait != nil || p.link.SideID(s) != "" {
		return ""
	}
	if _, chosen := m.sides[s].(Naming); chosen {
		return ""
	}
	return s
}

// sought are the one-sided pairs, and those whose record left the scope after a creation that nobody confirmed, and that must
// have shown up by now.
func (m *matcher) sought(list []*pair) map[record.Side][]*pair {
	out := oneSided(list)
	for _, p := range list {
		s := m.creates(p)
		if s == "" || slices.Contains(out[s.Other()], p) || m.start.Before(p.stored.UpdatedAt.Add(m.lag(s))) {
			continue
		}
		out[s.Other()] = append(out[s.Other()], p)
	}
	return out
}

// candidates asks each side for what may be the counterpart of the other side's one-sided pairs.
func (m *matcher) candidates(ctx context.Context, alone map[record.Side][]*pair) (map[record.Side][]record.Record, error) {
	var mu sync.Mutex
	out := map[record.Side][]record.Record{}
	g, gctx := errgroup.WithContext(ctx)
	for _, s := range record.Sides {
		finder, ok := m.sides[s].(Finder)
		if !ok || len(alone[s.Other()]) == 0 {
			continue
		}
		like := make([]record.Record, 0, len(alone[s.Other()]))
		for _, p := range alone[s.Other()] {
			rec := record.Record{ID: p.link.SideID(s.Other())}
			if is := p.records[s.Other()]; is != nil {
				rec = *is
			}
			if rec.Mark == "" {
				rec.Mark = m.linkID(s.Other(), rec.ID)
			}
			like = append(like, rec)
		}
		g.Go(func() error {
			found, err := finder.Candidates(gctx, like)
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

// addSame adds to candidates those that the user said are the same as one of a group, and reads what is known of pairs of all.
func (m *matcher) addSame(ctx context.Context, alone map[record.Side][]*pair, candidates map[record.Side][]record.Record) error {
	for _, s := range record.Sides {
		for _, p := range alone[s] {
			for _, other := range m.doubts.ids(s, p.sideID(s), store.StateSame) {
				if rec := m.doubts.records[s.Other()][other]; rec != nil {
					candidates[s.Other()] = append(candidates[s.Other()], *rec)
				}
			}
		}
	}
	for _, s := range record.Sides {
		ids := make([]string, 0, len(candidates[s]))
		for _, c := range candidates[s] {
			ids = append(ids, c.ID)
		}
		if err := m.askPairs(ctx, s, ids); err != nil {
			return err
		}
	}
	return nil
}

// findLostCreations finds creations whose answer was lost, by the mark they carry, also where the record that they were made for
// left the scope since. One that does not show yet, or not as it was made, is waited for, as long as its side may lag.
func (m *matcher) findLostCreations(group []*pair, alone map[record.Side][]*pair, candidates map[record.Side][]record.Record) {
	for _, s := range record.Sides {
		if _, chosen := m.sides[s].(Naming); chosen {
			continue
		}
		marked := map[string]*record.Record{}
		for i := range candidates[s] {
			if c := &candidates[s][i]; c.Mark != "" && m.pairs.bySide[s][c.ID] == nil {
				marked[c.Mark] = c
			}
		}
		// One that is in scope has begun a pair, and will be matched with the one it was made for.
		inScope := map[string]bool{}
		for _, p := range alone[s] {
			inScope[p.records[s].Mark] = true
		}
		for _, p := range group {
			if m.creates(p) != s || inScope[p.link.ID] {
				continue
			}
			rec := marked[p.link.ID]
			switch by := p.stored.UpdatedAt.Add(m.lag(s)); {
			case rec != nil:
				p.link.SetSideID(s, rec.ID)
				p.records[s], p.link.Pending, p.first = rec, "", true
				m.pairs.index(p, s)
				if m.outOfScopeYet(s, p.stored, rec) {
					p.wait = &wait{until: by}
				}
			case m.start.Before(by):
				m.waitForCreation(p, s, by)
			}
		}
	}
}

// untied are the candidates that nobody else is tied to. A link whose other record was deleted, or goes by another id by
// which it looks for its counterpart itself, ties nothing.
func (m *matcher) untied(ctx context.Context, candidates map[record.Side][]record.Record) (map[record.Side][]*record.Record, error) {
	out := map[record.Side][]*record.Record{}
	for _, s := range record.Sides {
		ids := make([]string, 0, len(candidates[s]))
		for _, c := range candidates[s] {
			ids = append(ids, c.ID)
		}
		links, err := m.user.LinksBy(ctx, m.engine.Type, s, ids)
		if err != nil {
			return nil, fmt.Errorf("read links of candidates: %w", err)
		}
		tied, err := m.tied(ctx, s, links)
		if err != nil {
			return nil, err
		}
		for i := range candidates[s] {
			c := &candidates[s][i]
			if p := m.pairs.bySide[s][c.ID]; !tied[c.ID] && !c.Gone && (p == nil || p.sideID(s.Other()) == "") {
				out[s] = append(out[s], c)
			}
		}
	}
	return out, nil
}

func (m *matcher) tied(ctx context.Context, s record.Side, links []store.Link) (map[string]bool, error) {
	tied := map[string]bool{}
	ask, owner := map[string]string{}, map[string]store.Link{}
	var ids []string
	for _, l := range links {
		other := l.SideID(s.Other())
		if id := l.SideID(s); other == "" && l.Left != "" && m.pairs.bySide[s][id] == nil {
			m.orphans[id] = append(m.orphans[id], l)
		}
		if other == "" || m.doubts.isSeparated(l.ID) {
			continue
		}
		tied[l.SideID(s)] = true
		if !l.Active && !l.Unfinished() {
			ask[other], owner[other] = l.SideID(s), l
			ids = append(ids, other)
		}
	}
	if len(ids) == 0 {
		return tied, nil
	}
	records, err := m.sides[s.Other()].Fetch(ctx, ids)
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
			m.orphans[id] = append(m.orphans[id], owner[other])
			if p := m.pairs.bySide[s][id]; p != nil {
				p.absorbed = true
				delete(m.pairs.bySide[s], id)
			}
		}
	}
	return tied, nil
}

// pair makes one pair of two records. Where each had begun a link, one of them stays.
func (m *matcher) pair(c, g *pair, creatio, google *record.Record, reason match.Reason) {
	if reason == match.ByOrigin && c == nil {
		c = m.creating(record.Creatio, creatio, google)
	}
	if reason == match.ByOrigin && g == nil {
		g = m.creating(record.Google, google, creatio)
	}
	p := c
	if p == nil {
		p = g
	} else if g != nil {
		g.absorbed = true
		if g.stored.ID != "" {
			p.replaces = append(p.replaces, g.stored)
			m.counts.update(g.stored, store.Link{})
		}
	}
	p.link.CreatioID, p.records[record.Creatio] = creatio.ID, creatio
	p.link.GoogleID, p.records[record.Google] = google.ID, google
	p.link.Pending = ""
	p.first, p.reason = true, reason
	p.replaces = append(append(p.replaces, m.orphans[creatio.ID]...), m.orphans[google.ID]...)
	m.pairs.index(p, record.Creatio)
	m.pairs.index(p, record.Google)
}

// waitForCreation leaves a pair alone until a creation that may have taken effect must have shown up.
func (s *session) waitForCreation(p *pair, side record.Side, until time.Time) {
	p.wait = &wait{until: until, problem: &store.Problem{
		Side: side, Code: "awaiting-answer", Note: true,
		Message: label(side) + " did not say whether it added this " + s.engine.Words.One + ".",
		Action:  "Nothing to do: Tandem looks for it in a few minutes and adds it only if it is not there.",
	}}
}

const (
	// maxCandidates is about how many candidates of one record the user is asked at a time: a hundred contacts may share a
	// telephone number.
	maxCandidates = 5
	// firstRevisit and lastRevisit bound how long a record in doubt is left alone when nothing tells of a change. In between it is
	// left alone for as long as the doubt is old.
	firstRevisit, lastRevisit = 15 * time.Minute, 24 * time.Hour
)

// waitDoubtful leaves a record alone that may be any of several candidates, or contradicts the only one, and asks the user about
// each. It adds these doubts to open.
func (m *matcher) waitDoubtful(p *pair, s record.Side, rec *record.Record, candidates []*record.Record, open map[string]bool) {
	if m.policy().KeepsMatches {
		m.waitAmbiguous(p, s, candidates)
		return
	}
	since := m.start
	p.wait = &wait{inDoubt: true}
	for _, c := range candidates {
		d := store.Pair{State: store.StateDoubt, Reason: byMatch, Since: m.start, Names: map[record.Side]string{
			s: m.engine.title(rec.Fields), s.Other(): m.engine.title(c.Fields),
		}}
		d.CreatioID, d.GoogleID = rec.ID, c.ID
		if s == record.Google {
			d.CreatioID, d.GoogleID = c.ID, rec.ID
		}
		d.ID = store.PairID(d.CreatioID, d.GoogleID)
		open[d.ID] = true
		known, is := m.doubts.byID[d.ID]
		if is && known.Since.Before(since) {
			since = known.Since
		}
		if !is {
			m.doubts.put(d)
			p.wait.found = append(p.wait.found, d)
		}
	}
	p.wait.until = m.start.Add(min(max(m.start.Sub(since), firstRevisit), lastRevisit))
}

// waitAmbiguous leaves a record alone in the same way where the user is not asked what is the same: the records have to tell.
func (m *matcher) waitAmbiguous(p *pair, s record.Side, candidates []*record.Record) {
	var names []string
	for _, c := range candidates {
		names = append(names, m.engine.title(c.Fields))
	}
	p.wait = &wait{until: m.start.Add(retryDelay(p.stored.Failed + 1)), problem: &store.Problem{
		Side: s, Code: "ambiguous",
		Message: fmt.Sprintf("In %s, more than one %s may be this one: %s.", label(s.Other()), m.engine.Words.One, strings.Join(names, "; ")),
		Action:  "If some of them are the same, delete all but one; if not, change what they share. Tandem links nothing that it is not sure of.",
	}}
}

func label(s record.Side) string {
	if s == record.Creatio {
		return "Creatio"
	}
	return "Google"
}

// linkID is the id of the link that a record starts: the same whenever it is started.
func linkID(s record.Side, id string) string {
	sum := sha256.Sum256([]byte(string(s) + ":" + id))
	return base64.RawURLEncoding.EncodeToString(append([]byte{sideByte(s)}, sum[:17]...))
}

// sideByte keeps ids from beginning with an underscore.
func sideByte(s record.Side) byte {
	if s == record.Creatio {
		return 0x31
	}
	return 0x62
}

// retryDelay is how long a record that failed n times in a row is left alone.
func retryDelay(n int) time.Duration {
	d := 15 * time.Minute
	for ; n > 1 && d < 24*time.Hour; n-- {
		d *= 2
	}
	return min(d, 24*time.Hour)
}
