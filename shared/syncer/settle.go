package syncer

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// settle writes down what became of a chunk: links, history, problems. Where a side broke down, the run says so once and
// not for every record.
func (r *run) settle(ctx context.Context, chunk []*step, broken bool) ([]*pair, error) {
	var stale []*pair
	var links []store.Link
	var changes []store.Change
	for _, st := range chunk {
		changes = append(changes, r.history(st)...)
		st.after(r)
		switch {
		case st.stale() && st.again < rounds-1:
			st.again++
			stale = append(stale, st.pair)
		case !broken:
			r.report(st)
			if st.More && !st.failed() {
				stale = append(stale, st.pair)
			}
		}
		links = append(links, st.changed(r)...)
	}
	if len(links) > 0 {
		if err := r.putLinks(ctx, links); err != nil {
			return nil, err
		}
	}
	return stale, r.addChanges(ctx, changes)
}

func (r *run) addChanges(ctx context.Context, changes []store.Change) error {
	if len(changes) == 0 && !r.told {
		return nil
	}
	if err := r.user.AddChanges(ctx, r.record.ID, r.pieces, changes); err != nil {
		return fmt.Errorf("save changes: %w", err)
	}
	r.pieces++
	r.told = false
	return nil
}

// stale reports whether a record changed since it was read.
func (st *step) stale() bool {
	for _, res := range st.results {
		if fault.Is(res.Err, fault.Conflict) || fault.Is(res.Err, fault.Gone) {
			return true
		}
	}
	return false
}

// failed reports whether anything of the step was not written.
func (st *step) failed() bool {
	for _, res := range st.results {
		if res.Err != nil {
			return true
		}
	}
	return false
}

// after brings the link to what is true now: the base moves for what was written, and for nothing else.
func (st *step) after(r *run) {
	l := &st.link
	old := l.Base
	l.Name = st.Name
	l.Sides = map[record.Side]store.LinkSide{record.Creatio: l.Sides[record.Creatio], record.Google: l.Sides[record.Google]}
	base := st.Base.Clone()
	var failure error
	for _, s := range record.Sides {
		op := st.Ops[s]
		if op == nil {
			continue
		}
		err := st.results[s].Err
		if err == nil {
			l.SetSideID(s, st.results[s].Record.ID)
			if op.Action == record.Unlink || op.Join {
				r.rosters[s].move(l.SideID(s), op.Join)
			}
			if l.Pending == s {
				l.Pending = ""
			}
			continue
		}
		failure = err
		if op.Action == record.Create && !fault.Ambiguous(err) {
			l.SetSideID(s, "")
			l.Pending = ""
		}
		for _, name := range op.Changed {
			if old[name] == nil {
				delete(base, name)
			} else {
				base[name] = old[name]
			}
		}
	}
	switch {
	case failure == nil:
		r.activate(l, st.Active)
		l.Base, l.SplitSide, l.Pending, l.Failed, l.RetryAt = base, st.SplitSide, "", 0, time.Time{}
	default:
		if old != nil {
			l.Base = base
		}
		l.Failed++
		l.RetryAt = r.start
		if k := fault.KindOf(failure); k == fault.BadRecord || k == fault.ReadOnly || k == fault.Bug {
			l.RetryAt = r.start.Add(distance(l.Failed))
		}
	}
	for _, s := range record.Sides {
		l.Sides[s] = st.sideAfter(s, r)
	}
}

// sideAfter is what is known of one record now.
func (st *step) sideAfter(s record.Side, r *run) store.LinkSide {
	known := st.link.Sides[s]
	rec := st.now[s]
	res, written := st.results[s]
	if written && res.Err == nil {
		rec = &res.Record
		if st.Merged.After != nil {
			known.Projections = composed(r.engine.Schema, st.Projections[s], res.Projections)
		}
	} else if rec == nil {
		return known
	} else if !written && !rec.Gone && st.Merged.After != nil {
		known.Projections = st.Projections[s]
	}
	known.AdapterState, known.Modified = rec.AdapterState, rec.Modified
	known.Diverged = st.link.Active && (!st.inScope(s, rec) || !r.engine.Schema.Equal(rec.Fields, spelled(st.link.Base, known.Projections, r.engine.Schema)))
	return known
}

// inScope reports whether a record is in scope after the step. A change that did not bring it in left it where it was.
func (st *step) inScope(s record.Side, rec *record.Record) bool {
	if op := st.Ops[s]; op != nil && op.Action == record.Update && !op.Join && st.now[s] != nil {
		return st.now[s].Member
	}
	return rec.Member
}

// composed is what a side shows in the place of agreed values after it was told to show first, and showed second instead
// of some of that.
func composed(schema record.Schema, first, second []record.Projection) []record.Projection {
	out := slices.Clone(first)
	for _, sh := range second {
		f, _ := schema.Field(sh.Field)
		i := slices.IndexFunc(out, func(o record.Projection) bool {
			return o.Field == sh.Field && f.Key != nil && f.Same(o.Displayed, sh.Canonical)
		})
		if i >= 0 {
			out[i].Displayed = sh.Displayed
		} else {
			out = append(out, sh)
		}
	}
	return out
}

// changed are the links to save: this one where it differs from the stored one, and those it took over.
func (st *step) changed(r *run) []store.Link {
	var out []store.Link
	for _, id := range st.replaces {
		out = append(out, store.Link{ID: id})
	}
	st.replaces = nil
	if st.Drop || st.ends() {
		if st.stored.ID != "" {
			out = append(out, store.Link{ID: st.stored.ID})
		}
		r.count(st.stored, store.Link{})
		st.stored = store.Link{}
		return out
	}
	l := st.link
	l.UpdatedAt = st.stored.UpdatedAt
	if st.stored.ID != "" && same(l, st.stored) {
		return out
	}
	l.UpdatedAt = r.engine.Now().UTC()
	r.count(st.stored, l)
	st.link, st.stored = l, l
	return append(out, l)
}

// count keeps the number of links that have something left to do.
func (r *run) count(was, is store.Link) {
	switch {
	case is.Unfinished() && !was.Unfinished():
		r.unfinished++
	case was.Unfinished() && !is.Unfinished():
		r.unfinished--
	}
}

// ends reports whether nothing is left that the link could tie: a half whose record is gone or out of scope.
func (st *step) ends() bool {
	return !st.writes() && !st.Active && (st.link.CreatioID == "" || st.link.GoogleID == "" || st.stored.Pending != "")
}

func same(a, b store.Link) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}
