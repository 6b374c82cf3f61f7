package syncer

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/reconcile"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// journal notes on its link what every step of a chunk is about to write, before it is sent. A run that dies right after
// leaves with it all that the next one needs to tell what was written. It is cleared in the write that records the result.
//
// Creations whose keys another user holds are given back apart: nothing is noted of them, and nothing sent.
func (w *writer) journal(ctx context.Context, chunk []*step) (rest []*step, waits []*pair, err error) {
	var batch store.Batch
	links := map[*step]store.Link{}
	for _, st := range chunk {
		if !st.sends() || st.doubt != nil || st.separates {
			continue
		}
		w.countLosses(st)
		l := st.link
		l.Intent = w.intent(st)
		for _, s := range record.Sides {
			if op := st.Ops[s]; op != nil && op.Action == record.Create {
				// A record that is made anew shows no photo, which nobody took away.
				l.Pending, l.Base, l.Photo, l.Active = s, nil, nil, false
				l.SetSideID(s, op.ID)
				w.nameCopy(&l, st)
			}
		}
		l.Name, l.UpdatedAt = st.name, w.engine.Now().UTC()
		links[st] = l
		batch.Links = append(batch.Links, l)
		batch.Claims = append(batch.Claims, w.claims(st)...)
	}
	batch.Notes = w.sendNotes(chunk)
	refused, err := w.put(ctx, batch)
	if isTooLarge(err) {
		refused, err = w.putOneByOne(ctx, batch, links)
	}
	if err != nil {
		return nil, nil, err
	}
	taken := map[string]bool{}
	for _, c := range refused {
		taken[c.Link] = true
	}
	for _, st := range chunk {
		if taken[st.link.ID] {
			w.waitForOther(st)
			waits = append(waits, st.pair)
			continue
		}
		if l, sends := links[st]; sends {
			w.counts.activate(&st.link, l.Active)
			w.counts.update(st.stored, l)
			st.link, st.stored = l, l
		}
		rest = append(rest, st)
	}
	return rest, waits, nil
}

// isTooLarge reports whether the store has no room for something of a batch, and wrote nothing of it.
func isTooLarge(err error) bool {
	e, ok := errors.AsType[*fault.Error](err)
	return ok && e.Code == codeTooLarge
}

const codeTooLarge = "too-large"

// putOneByOne writes the links of a batch each by itself. Of a link for which the store has no room nothing is sent: that record
// fails, and no other.
func (w *writer) putOneByOne(ctx context.Context, batch store.Batch, links map[*step]store.Link) (refused []store.Claim, err error) {
	if _, err := w.put(ctx, store.Batch{Notes: batch.Notes}); err != nil {
		return nil, err
	}
	for st, l := range links {
		one := store.Batch{Links: []store.Link{l}, Claims: slices.DeleteFunc(slices.Clone(batch.Claims), func(c store.Claim) bool { return c.Link != l.ID })}
		found, err := w.put(ctx, one)
		if isTooLarge(err) {
			delete(links, st)
			for s := range st.Ops {
				plan := st.plans[s]
				plan.Err = fault.New(fault.BadRecord, string(s), codeTooLarge, err)
				st.plans[s], st.results[s] = plan, record.Result{Err: plan.Err}
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		refused = append(refused, found...)
	}
	return refused, nil
}

// countLosses counts what a step takes away and nobody approved, on the link and in the ledger. That comes before it is sent,
// so that it is not forgotten if the run dies right after.
func (w *writer) countLosses(st *step) {
	for _, s := range record.Sides {
		loss, loses := st.losses[s]
		if !loses || !st.guarded || st.plans[s.Other()].Err != nil || w.guard.approves(&st.link, s, loss) {
			continue
		}
		if st.lostAt == nil {
			st.lostAt = map[record.Side]time.Time{}
		}
		st.lostAt[s] = st.link.LostAt[s]
		w.guard.count(&st.link, s)
	}
}

// sends reports whether anything of a step is going to be sent.
func (st *step) sends() bool {
	for s := range st.Ops {
		if st.plans[s].Err == nil {
			return true
		}
	}
	return false
}

// intent is what a step is about to write.
func (w *writer) intent(st *step) *record.Intent {
	in := &record.Intent{
		Active: st.Active, SplitSide: st.SplitSide, Base: record.Fields{}, Scopes: w.reading.scopes, Sides: map[record.Side]record.IntentSide{},
		Decided: w.userDecided(st),
	}
	for _, f := range w.engine.Schema {
		if st.touches(f) {
			in.Fields = append(in.Fields, f.Name)
		}
	}
	maps.Copy(in.Base, only(st.Base, in.Fields))
	for _, s := range record.Sides {
		side := record.IntentSide{}
		if rec := st.records[s]; rec != nil && !rec.Gone {
			side.Before, side.WasMember, side.Modified = only(rec.Fields, in.Fields), rec.Member, rec.Modified
		}
		side.After, side.Member = side.Before, side.WasMember
		projections := st.Decision.Projections[s]
		if op := st.Ops[s]; op != nil {
			plan := st.plans[s]
			side.Action, side.Rows, side.After = op.Action, plan.Rows, only(plan.Displayed, in.Fields)
			side.Member = !op.Action.Removes() && (op.Join || side.WasMember)
			projections = st.projections(w.engine.Schema, s, plan.Projections)
		}
		for _, p := range projections {
			if slices.Contains(in.Fields, p.Field) {
				side.Projections = append(side.Projections, p)
			}
		}
		in.Sides[s] = side
	}
	return in
}

// touches reports whether a field changes on a side, or comes to show something else there: a side may put one value in the place
// of another that nobody asked it to change, as a name where a contact has none. So does one in which both keep what they have, which
// the next run could not tell from a change.
func (st *step) touches(f record.Field) bool {
	if slices.ContainsFunc(st.BothKept, func(c reconcile.FieldChange) bool { return c.Field.Name == f.Name }) {
		return true
	}
	for s, op := range st.Ops {
		plan := st.plans[s]
		if slices.Contains(op.Changed, f.Name) || plan.Err == nil && !f.Equal(op.Before[f.Name], plan.Displayed[f.Name]) {
			return true
		}
	}
	return false
}

func only(fields record.Fields, names []string) record.Fields {
	out := record.Fields{}
	for _, name := range names {
		if v := fields[name]; len(v) > 0 {
			out[name] = v
		}
	}
	return out
}

// recoverIntent brings a link to what its records show of an intent whose outcome nobody heard. A record that was being
// created is looked for first, where its id is not known.
func (w *writer) recoverIntent(p *pair) {
	intent := p.link.Intent
	if intent == nil || p.wait != nil || p.link.Pending != "" && p.link.SideID(p.link.Pending) == "" {
		return
	}
	p.link.Intent = nil
	w.noteUnheard(p, intent)
	in := w.planned(p)
	is := *intent
	is.Sides = maps.Clone(is.Sides)
	for s, side := range is.Sides {
		if w.reading.scopes[s] == intent.Scopes[s] {
			continue
		}
		// Whether a record is in a former scope is nobody's concern any more. One that was to leave it has left: what takes it out
		// of the former scope must not take it out of the new one. One that was to come into it has yet to come into the new one.
		if side.Member && !side.WasMember {
			is.Active, is.SplitSide = p.link.Active, p.link.SplitSide
		}
		side.WasMember, side.Member = false, false
		is.Sides[s] = side
	}
	out := reconcile.Recover(w.engine.Schema, reconcile.Recovered{
		Base: p.link.Base, Active: p.link.Active, SplitSide: p.link.SplitSide, Projections: map[record.Side][]record.Projection{
			record.Creatio: p.link.Sides[record.Creatio].Projections, record.Google: p.link.Sides[record.Google].Projections,
		},
	}, is, in.Sides, func(s record.Side, id string) bool { return hasRow(w.sides[s], in.Sides[s].AdapterState, id) })
	if p.link.Base != nil || len(out.Base) > 0 {
		w.rememberFormer(&p.link, out.Base)
		p.link.Base, p.first = out.Base, p.first && p.link.Base != nil
	}
	p.link.Sides = maps.Clone(p.link.Sides)
	if p.link.Sides == nil {
		p.link.Sides = map[record.Side]store.LinkSide{}
	}
	for _, s := range record.Sides {
		side := p.link.Sides[s]
		side.Projections = out.Projections[s]
		p.link.Sides[s] = side
	}
	p.link.SplitSide = out.SplitSide
	if p.linked() {
		w.counts.activate(&p.link, out.Active)
	}
}
