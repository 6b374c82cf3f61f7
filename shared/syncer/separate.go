package syncer

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// separate takes the links away between records whose match is undone, and leaves each of these pairs as an open doubt. It
// comes before anything of a chunk is sent: whatever happens then, nothing goes from one record to the other.
func (w *writer) separate(ctx context.Context, chunk []*step) error {
	var batch store.Batch
	for _, st := range chunk {
		if !st.separates {
			continue
		}
		p := st.newDoubt(w)
		batch.Pairs, batch.Links = append(batch.Pairs, p), append(batch.Links, store.Link{ID: st.link.ID})
		w.counts.update(st.stored, store.Link{})
		w.counts.activate(&st.link, false)
		st.stored, st.doubt, st.Active = store.Link{}, &p, false
		w.doubts.add(p)
	}
	if len(batch.Pairs) == 0 {
		return nil
	}
	w.doubts.touched = true
	_, err := w.put(ctx, batch)
	return err
}

// newDoubt is the doubt that takes the place of a link, with all that it takes to link the two again.
func (st *step) newDoubt(w *writer) store.Pair {
	l := st.link
	l.Intent, l.Waits, l.LostAt, l.LostBefore, l.RevisitAt, l.RetryAt, l.Failed, l.Pending = nil, nil, nil, nil, time.Time{}, time.Time{}, 0, ""
	l.Sides = maps.Clone(l.Sides)
	return store.Pair{
		ID: store.PairID(l.CreatioID, l.GoogleID), CreatioID: l.CreatioID, GoogleID: l.GoogleID, State: store.StateDoubt, Reason: byUndo,
		Since: w.start, Names: st.names(w), Link: &l, FormerLink: l.ID,
	}
}

// names are what the records of a step are called once it is written.
func (st *step) names(w *writer) map[record.Side]string {
	out := map[record.Side]string{}
	for _, s := range record.Sides {
		out[s] = st.name
		if res, written := st.results[s]; written && res.Err == nil && len(res.Record.Fields) > 0 {
			out[s] = w.engine.title(res.Record.Fields)
		} else if rec := st.records[s]; rec != nil && len(rec.Fields) > 0 {
			out[s] = w.engine.title(rec.Fields)
		}
	}
	return out
}

// relinked reports whether a step linked two records again, all of whose values are written.
func (st *step) relinked() bool { return st.Relink && st.failure() == nil }

// afterSeparation is the link to save of two records whose match was undone: none, or the one by which they are linked
// again.
func (w *writer) afterSeparation(st *step) []store.Link {
	if !st.relinked() {
		w.nameDoubt(st)
		return nil
	}
	l := st.link
	l.UpdatedAt = w.engine.Now().UTC()
	w.counts.update(store.Link{}, l)
	w.doubts.add(*st.doubt)
	w.doubts.settle(st.doubt.ID)
	st.link, st.stored, st.doubt = l, l, nil
	return []store.Link{l}
}

// nameDoubt has a doubt call its records what they are called now.
func (w *writer) nameDoubt(st *step) {
	if names := st.names(w); st.doubt != nil && !maps.Equal(names, st.doubt.Names) {
		p := *st.doubt
		p.Names = names
		st.doubt = &p
		w.doubts.put(p)
	}
}

// doubtOf is the doubt that an undo left in the place of a link; nil where there is none. A link that is there is no doubt,
// whatever a run that died left beside it.
func (u undoer) doubtOf(link string, changes []store.Change) *store.Pair {
	for _, c := range changes {
		for s, id := range map[record.Side]string{record.Creatio: c.CreatioID, record.Google: c.GoogleID} {
			for _, p := range u.doubts.of(s, id) {
				if p.State == store.StateDoubt && p.Link != nil && p.Link.ID == link {
					return &p
				}
			}
		}
	}
	return nil
}

// addDoubt takes in two records whose match an undo took back.
func (u undoer) addDoubt(p store.Pair) *pair {
	link := *p.Link
	link.Active, link.SplitSide = false, ""
	n := u.pairs.addLink(link)
	n.stored, n.doubt = store.Link{}, &p
	return n
}

// isOf reports whether a link is of the records that changes tell of: another link may have got the id of one that is gone.
// A record that goes by a new id since is read by the old one.
func (u undoer) isOf(ctx context.Context, l store.Link, changes []store.Change) (bool, error) {
	last := map[record.Side]string{}
	for _, c := range changes {
		last[record.Creatio], last[record.Google] = cmp.Or(c.CreatioID, last[record.Creatio]), cmp.Or(c.GoogleID, last[record.Google])
	}
	ask := newAsked()
	for _, s := range record.Sides {
		if is := l.SideID(s); is != "" && last[s] != "" && !strings.EqualFold(is, last[s]) {
			ask[s][last[s]] = true
		}
	}
	if len(ask[record.Creatio])+len(ask[record.Google]) == 0 {
		return true, nil
	}
	found, err := u.read(ctx, ask)
	if err != nil {
		return false, fmt.Errorf("read records by former ids: %w", err)
	}
	for _, s := range record.Sides {
		if len(ask[s]) > 0 && !slices.ContainsFunc(found[s], func(p record.Packed) bool { rec := p.Head(); return !rec.Gone && rec.ID == l.SideID(s) }) {
			return false, nil
		}
	}
	return true, nil
}

const codeDoubt = "doubt"

// reportDoubt asks the user whether two records are one.
func (w *writer) reportDoubt(p store.Pair) {
	c, g := p.Names[record.Creatio], p.Names[record.Google]
	w.report.problem(store.Link{Name: c, CreatioID: p.CreatioID, GoogleID: p.GoogleID}, store.Problem{
		Code:    codeDoubt,
		Message: fmt.Sprintf("%s in Creatio and %s in Google may be one %s or two. Tandem synchronizes neither until you say which.", c, g, w.engine.Words.One),
		Action:  "Say it on the settings page.",
	})
}
