package syncer

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// attach gives records to their pairs. A record that goes by a new id is known by the old one; the id of a record that
// was merged into one with a pair of its own is gone; one without a link starts a pair if it is in scope.
func (r *run) attach(s record.Side, records []*record.Record) {
	for _, rec := range records {
		r.follow(s, rec)
	}
	for _, rec := range records {
		r.take(s, rec)
	}
}

// follow finds the pair of a record that went by other ids before: its own one, or else its heir among those that knew it
// by a former id. What the others knew was merged into it.
func (r *run) follow(s record.Side, rec *record.Record) {
	own := r.pairs.by[s][rec.ID]
	var former []*pair
	for _, alias := range rec.Aliases {
		p := r.pairs.by[s][alias]
		if p != nil && p != own && !p.quiet && p.link.SideID(s) == alias && (p.now[s] == nil || !p.now[s].Gone) {
			former = append(former, p)
		}
	}
	if len(former) > 0 && (own == nil || own.fresh()) {
		// A full list tells of nobody's former ids, so the new one may have begun a pair.
		r.pairs.leave(own, s)
		own = slices.MinFunc(former, func(a, b *pair) int { return r.claim(s, b, rec) - r.claim(s, a, rec) })
		if own.link.Active {
			r.rosters[s].rename(own.link.SideID(s), rec.ID)
		}
		own.link.SetSideID(s, rec.ID)
		r.pairs.name(own, s)
	}
	for _, p := range former {
		if p != own {
			p.now[s] = &record.Record{ID: p.link.SideID(s), Gone: true}
		}
	}
}

// claim is how much a record with a new id is a pair's: most where the side knows it as the same one, and more where the
// pair is in scope than where it left, as one does that was merged into another before that got its new id.
func (r *run) claim(s record.Side, p *pair, rec *record.Record) int {
	if side, ok := r.sides[s].(Stable); ok {
		if is := side.StableID(rec.AdapterState); is != "" && is == side.StableID(p.link.Sides[s].AdapterState) {
			return 2
		}
	}
	if p.link.Active {
		return 1
	}
	return 0
}

func (r *run) take(s record.Side, rec *record.Record) {
	p := r.pairs.by[s][rec.ID]
	if p != nil && p.quiet {
		return
	}
	if p == nil && rec.Member && !rec.Gone {
		p = r.begin(s, rec.ID)
	}
	if p == nil || p.link.SideID(s) != rec.ID {
		return
	}
	if was := p.now[s]; was != nil && !was.Gone && r.behind(s, rec, was.Modified) {
		return
	}
	if ros := r.rosters[s]; p.link.Active && !rec.Member && ros.members == nil && r.doubtful(s, p, rec) {
		rec.Member, ros.doubted = true, true
	}
	p.now[s] = rec
}

// doubtful reports whether a record that says it left may be one of before it joined: a look that is behind, or right after
// a write. Where no list of members says the same, since their number is what it was, the next run asks for one.
func (r *run) doubtful(s record.Side, p *pair, rec *record.Record) bool {
	fresh := r.start.Sub(p.stored.UpdatedAt) < r.lag(s)
	return r.lag(s) > 0 && !rec.Gone && !r.undoes() && (fresh || r.behind(s, rec, p.stored.Sides[s].Modified))
}

// behind reports whether a look at a record shows less of what was done to it than is known. On a side that does not lag
// every look shows all, and the time of a record may fall with a row that is taken away.
func (r *run) behind(s record.Side, rec *record.Record, known time.Time) bool {
	return r.lag(s) > 0 && !rec.Gone && rec.Modified.Before(known)
}

// lag is how long a side's lists and readings may trail what was written.
func (r *run) lag(s record.Side) time.Duration {
	if side, ok := r.sides[s].(Lagging); ok {
		return side.Lag()
	}
	return 0
}

// begin starts a pair for a record without a link.
func (r *run) begin(s record.Side, id string) *pair {
	p := &pair{first: true, now: map[record.Side]*record.Record{}, link: store.Link{ID: linkID(s, id)}}
	p.link.SetSideID(s, id)
	r.pairs.put(p)
	return p
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

// unify finds records without a link that are there twice: a list told of them by an id that was not theirs any more when
// they were read by the new one. Read by both ids they are one.
func (r *run) unify(ctx context.Context, read asked) error {
	again := newAsk()
	for _, s := range record.Sides {
		side, ok := r.sides[s].(Stable)
		if !ok || !slices.ContainsFunc(r.pairs.list, func(p *pair) bool { return p.fresh() && read[s][p.link.SideID(s)] }) {
			continue
		}
		ids := map[string]string{}
		for _, p := range r.pairs.list {
			rec := p.now[s]
			if rec == nil || rec.Gone || !p.fresh() {
				continue
			}
			is := side.StableID(rec.AdapterState)
			if other := ids[is]; other != "" && is != "" {
				again[s][other], again[s][rec.ID] = true, true
			}
			ids[is] = rec.ID
		}
	}
	return r.fetch(ctx, again)
}
