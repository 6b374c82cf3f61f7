package syncer

import (
	"slices"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/match"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// claimTime is how long a claim is held: as long as the longest run, so that whatever the run that took it still writes
// shows when the claim is over.
const claimTime = 30 * time.Minute

// claims are those that a step takes for the record it is about to create where other users may create it too: one for each
// key by which another user's run, which does not find the record yet, would find it.
//
// The search for candidates comes before the claim, and is not repeated after it. A claim that another user held at any
// time since this run began is refused, and one that was over by then had its record made before this run's search.
func (w *writer) claims(st *step) []store.Claim {
	var out []store.Claim
	for _, s := range record.Sides {
		out = append(out, w.claimsOn(s, st, w.engine.Now().Add(claimTime))...)
	}
	return out
}

// claimsOn are those of a step's creation on one side, until a time.
func (w *writer) claimsOn(s record.Side, st *step, until time.Time) (out []store.Claim) {
	op, from := st.Ops[s], st.records[s.Other()]
	if op == nil || op.Action != record.Create || from == nil || st.plans[s].Err != nil {
		return nil
	}
	if w.engine.OneCopy && site(w.sides[s.Other()]) != "" {
		// Every user's link of a shared record has the same id.
		out = append(out, store.Claim{
			Site: site(w.sides[s.Other()]), Key: "copy\x00" + from.ID, RecordID: w.user.ID() + ":" + from.ID, Link: st.link.ID, Until: until.UTC(),
		})
	}
	if op.ID == "" || site(w.sides[s]) == "" {
		return out
	}
	// Where a record comes from only its own user's run knows, so its origins are no keys here.
	keys := w.engine.Match.Keys(match.Item{Fields: from.Fields, Untracked: from.Untracked})
	slices.Sort(keys)
	for _, key := range slices.Compact(keys) {
		out = append(out, store.Claim{Site: site(w.sides[s]), Key: key, RecordID: op.ID, Link: st.link.ID, Until: until.UTC()})
	}
	return out
}

// released are the claims of creations that were refused: another user, whose record may not be, need not wait for them. A claim
// by a key that another creation of the chunk has too stays.
func (w *writer) released(chunk []*step) (out []store.Claim) {
	type key struct{ site, key string }
	needed := map[key]bool{}
	for _, st := range chunk {
		for _, s := range record.Sides {
			claims := w.claimsOn(s, st, w.engine.Now())
			if res, sent := st.results[s]; sent && res.Err != nil && !fault.Ambiguous(res.Err) {
				out = append(out, claims...)
				continue
			}
			for _, c := range claims {
				needed[key{c.Site, c.Key}] = true
			}
		}
	}
	return slices.DeleteFunc(out, func(c store.Claim) bool { return needed[key{c.Site, c.Key}] })
}

// waitForOther leaves a creation alone that another user may be about to make. The next run looks for what that user made.
func (w *writer) waitForOther(st *step) {
	for s, before := range st.lostAt {
		w.guard.discount(&st.link, s, before)
	}
	st.wait = &wait{until: w.start}
}

// beginAnew has a creation that did not take effect begin from the start: since it was claimed, somebody else may have made
// the record. Where the id is not chosen here, the creation is looked for by its mark.
func (w *writer) beginAnew(st *step) {
	for s, op := range st.Ops {
		if _, chosen := w.sides[s].(Naming); !chosen || op.Action != record.Create || st.link.Pending != s {
			continue
		}
		st.link.SetSideID(s, "")
		st.link.Pending = ""
		delete(st.records, s)
	}
}
