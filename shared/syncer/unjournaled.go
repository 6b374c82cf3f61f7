package syncer

import (
	"context"

	"github.com/tandem-sync/tandem/shared/reconcile"
	"github.com/tandem-sync/tandem/shared/record"
)

// unjournaled is the side on which a record was being created without an intent in the journal, as versions before the journal
// did, and on which it was found.
func (p *pair) unjournaled() (record.Side, bool) {
	s := p.stored.Pending
	if s == "" || p.wait != nil || p.link.Intent != nil || p.link.Base != nil || !p.linked() {
		return "", false
	}
	made, from := p.records[s], p.records[s.Other()]
	return s, made != nil && !made.Gone && from != nil && !from.Gone
}

// rebuildIntents gives such pairs the intent that the creation would have now. Without it the values that the side cut or spells
// in another way would pass for edits of the record that was just made.
func (w *writer) rebuildIntents(ctx context.Context, list []*pair) error {
	var pairs []*pair
	var steps []*step
	for _, p := range list {
		if !p.current().inStore {
			continue
		}
		s, found := p.open().unjournaled()
		if !found {
			continue
		}
		if st := w.creation(p, s); st.Ops[s] != nil && st.Ops[s].Action == record.Create {
			pairs, steps = append(pairs, p), append(steps, st)
		}
	}
	if err := w.planWrites(ctx, steps); err != nil {
		return err
	}
	for i, st := range steps {
		if st.sends() {
			pairs[i].open().link.Intent = w.intent(st)
		}
	}
	return nil
}

// creation is the step that makes the record of a side from the other one.
func (w *writer) creation(p *pair, s record.Side) *step {
	alone := &pair{outline: p.outline, first: true, content: &content{
		link: p.link, stored: p.stored, records: map[record.Side]*record.Record{s.Other(): p.records[s.Other()]},
	}}
	alone.link.SetSideID(s, "")
	return w.newStep(alone, reconcile.Decide(w.engine.Schema, w.planned(alone), w.policy()))
}
