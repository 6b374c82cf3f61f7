package syncer

import (
	"slices"

	"github.com/tandem-sync/tandem/shared/reconcile"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// rejected are the losses of a pair that the user rejected, as the held run lists them, by the side that they come from.
func (g *guard) rejected(l *store.Link) map[record.Side]store.Change {
	if g.trigger != TriggerReject {
		return nil
	}
	var out map[record.Side]store.Change
	for _, s := range record.Sides {
		if listed, ok := g.listed[lossKey{l.ID, s}]; ok {
			if out == nil {
				out = map[record.Side]store.Change{}
			}
			out[s] = listed.change.unpack()
		}
	}
	return out
}

// putBack decides about a pair of which the user rejected losses: what went missing on a side comes back there. What a person
// put in its place after the list was made is an edit, and stays. Nothing that comes back counts as a loss itself.
func (w *writer) putBack(p *pair, in reconcile.Pair, rejected map[record.Side]store.Change) *step {
	asListed := reconcile.Decide(w.engine.Schema, in, w.policy())
	missing, back, left := map[record.Side][]string{}, []string{}, false
	for s, listed := range rejected {
		if record.Action(listed.Action).Removes() {
			// Then being in scope on one side is enough.
			in.Active = false
			continue
		}
		fields, changed := stillMissing(w.engine.Schema, asListed.Changes[s.Other()], listed)
		missing[s], back, left = fields, append(back, fields...), left || changed
	}
	if len(back) > 0 {
		in.Base = reconcile.Restored(w.engine.Schema, in, missing)
	}
	st := w.decideAs(p, in)
	agreed := w.agreedBefore(p.link)
	st.losses = reconcile.Losses(w.engine.Schema, st.Decision, func(field, hash string) bool {
		return !slices.Contains(back, field) && agreed(field, hash)
	})
	if left {
		w.guard.leaveOut(st)
	}
	return st
}

// stillMissing are the fields of a listed loss that can be put back: sets, whose values come beside those that are there now,
// and single values in whose place nothing else came since. changed says that there are others. The parts of one value, as of
// a name, come back together.
func stillMissing(schema record.Schema, now []reconcile.FieldChange, listed store.Change) (fields []string, changed bool) {
	edited := map[string]bool{}
	whole := func(f record.Field) string {
		if f.Of != "" {
			return f.Of
		}
		return f.Name
	}
	var known []record.Field
	for _, was := range listed.Fields {
		f, ok := schema.Field(was.Field)
		if !ok {
			continue
		}
		known = append(known, f)
		i := slices.IndexFunc(now, func(c reconcile.FieldChange) bool { return c.Field.Name == f.Name })
		if !f.Set && i >= 0 && f.Show(now[i].After) != was.After {
			edited[whole(f)], changed = true, true
		}
	}
	for _, f := range known {
		if !edited[whole(f)] {
			fields = append(fields, f.Name)
		}
	}
	return fields, changed
}
