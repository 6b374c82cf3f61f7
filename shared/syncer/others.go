package syncer

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/tandem-sync/tandem/shared/reconcile"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// A record that several users share on one side may have a copy in each of their accounts on the other one, of which one user's
// carries it: the other copies follow that one. Who carries it stands on the users' links.

// copiedSide is the side on which each user has a copy; false where users share nothing.
func (s *session) copiedSide() (copied record.Side, ok bool) {
	if !s.engine.OneCopy || s.engine.Others == nil {
		return "", false
	}
	for _, side := range record.Sides {
		if _, is := s.sides[side].(Identified); is && site(s.sides[side.Other()]) != "" {
			return side, true
		}
	}
	return "", false
}

// sharedName is what a record's copies have in common; empty where nobody else can have one.
func (s *session) sharedName(side record.Side, state json.RawMessage) string {
	i, ok := s.sides[side].(Identified)
	if !ok || !i.Copied(state) {
		return ""
	}
	return i.Identity(state)
}

// noteCopies notes on a link what other users may find it by, and whether this user's account carries the record.
func (s *session) noteCopies(l *store.Link) {
	side, ok := s.copiedSide()
	if !ok {
		return
	}
	if l.SideID(side) != "" {
		l.Left = ""
	}
	known := l.Sides[side]
	if i, is := s.sides[side].(Identified); is {
		// Also of one that nobody else has yet: a guest's run may see the copy before this user's run hears of the guest.
		l.Shared = i.Identity(known.AdapterState)
	}
	if d, is := s.sides[side].(Discreet); is {
		l.Private = d.Private(known.AdapterState)
	}
	l.Carries = l.Shared != "" && !slices.Contains(known.Locked, record.Removal)
}

// nameCopy notes on a link what other users may find it by whose run sees what is made from this user's copy before this run, or the
// next one, has noted that it is there.
func (s *session) nameCopy(l *store.Link, st *step) {
	side, ok := s.copiedSide()
	if !ok || l.Pending == side || st.records[side] == nil {
		return
	}
	if name := s.sharedName(side, st.records[side].AdapterState); name != "" {
		l.Shared = name
	}
}

// tieCopies ties records without a link to those that other users have linked with their copies of them.
func (m *matcher) tieCopies(ctx context.Context, list []*pair) error {
	side, ok := m.copiedSide()
	if !ok {
		return nil
	}
	named := map[string][]*record.Record{}
	for _, p := range oneSided(list)[side] {
		rec := p.records[side]
		if name := m.sharedName(side, rec.AdapterState); name != "" {
			named[name] = append(named[name], rec)
		}
	}
	copies, err := m.copies(ctx, sortedKeys(named), nil)
	for _, c := range copies {
		for _, rec := range named[c.Shared] {
			if c.Active && c.User != m.user.ID() && !slices.Contains(rec.Ties, c.CreatioID) {
				rec.Ties = append(rec.Ties, c.CreatioID)
			}
		}
	}
	return err
}

// withoutTaken says of records that go by new ids, and that other users have linked by those with other records, that they are new
// and the former ones gone: whoever never saw the former one took the new one for another. Two would be one meeting twice.
func (l *loader) withoutTaken(ctx context.Context, s record.Side, records []record.Packed) ([]record.Packed, error) {
	if side, ok := l.copiedSide(); !ok || s != side {
		return records, nil
	}
	named := map[string][]int{}
	for i, p := range records {
		if len(p.Head().Aliases) == 0 {
			continue
		}
		rec := p.Unpack()
		if name := l.sharedName(s, rec.AdapterState); name != "" && !rec.Gone {
			named[name] = append(named[name], i)
		}
	}
	copies, err := l.copies(ctx, sortedKeys(named), nil)
	if err != nil {
		return nil, err
	}
	taken, ours := map[int]bool{}, map[int]bool{}
	for _, c := range copies {
		for _, i := range named[c.Shared] {
			if c.Active && c.User != l.user.ID() {
				ours[i] = ours[i] || l.knownBy(s, records[i].Head().Aliases, c.CreatioID)
				taken[i] = true
			}
		}
	}
	for i := range taken {
		if ours[i] {
			continue
		}
		rec := records[i].Unpack()
		for _, alias := range rec.Aliases {
			records = append(records, record.Pack(record.Record{ID: alias, Gone: true, Tombstone: true}))
		}
		rec.Aliases = nil
		records[i] = record.Pack(rec)
	}
	return records, nil
}

// knownBy reports whether a record of the other side is the counterpart of one that had one of the ids.
func (l *loader) knownBy(s record.Side, ids []string, counterpart string) bool {
	return slices.ContainsFunc(ids, func(id string) bool {
		p := l.pairs.find(s, id)
		return p != nil && p.sideID(s.Other()) == counterpart
	})
}

// findHolders finds the pairs whose records other users' links hold too.
func (l *loader) findHolders(ctx context.Context, list []*pair) error {
	side, ok := l.copiedSide()
	if !ok {
		return nil
	}
	byID := map[string]*pair{}
	for _, p := range list {
		byID[p.sideID(side.Other())] = p
	}
	copies, err := l.copies(ctx, nil, sortedKeys(byID))
	for _, c := range copies {
		if p := byID[c.CreatioID]; p != nil && c.Active && c.User != l.user.ID() {
			p.held = true
		}
	}
	return err
}

// followCarriers finds out, of shared records that are gone from the user's account, what became of them: a record that another user's
// account has now in their place, of which this user has a new copy, or, where it was a copy of another user's, nothing that anybody's
// account has.
func (l *loader) followCarriers(ctx context.Context) error {
	side, ok := l.copiedSide()
	if !ok {
		return nil
	}
	gone, copied := map[string]*pair{}, map[string]*pair{}
	l.pairs.each(l.pairs.list, func(p *pair) {
		rec, is := p.records[side], p.records[side.Other()]
		if !p.link.Active || rec == nil || !rec.Gone || is == nil || !is.Member || is.Gone {
			return
		}
		switch was := p.link.Sides[side].Locked; {
		case !slices.Contains(was, record.Removal):
			if slices.Contains(is.Locked, record.Others) {
				gone[is.ID] = p
			}
		case !slices.Contains(was, record.Withdrawal):
			gone[is.ID], copied[is.ID] = p, p
		}
	})
	if len(gone) == 0 {
		return nil
	}
	followed, err := l.followCopies(ctx, side, gone)
	if err != nil {
		return err
	}
	for _, id := range followed {
		delete(copied, id)
	}
	if len(copied) == 0 {
		return nil
	}
	carriers, err := l.carriers(ctx, sortedKeys(copied), false)
	if err != nil {
		return err
	}
	kept, err := l.keptAlone(ctx, sortedKeys(copied))
	for id, p := range copied {
		p.orphaned = carriers[id] == nil && !kept[id]
	}
	return err
}

// takeOver gives pairs whose record is gone the one that another user's run has made anew in its place. It has the id that this
// run would give it.
func (l *loader) takeOver() {
	made := map[*pair]*pair{}
	for _, s := range record.Sides {
		l.pairs.each(l.pairs.list, func(p *pair) {
			is, other := p.records[s], p.records[s.Other()]
			if p.link.SideID(s) == "" || is == nil || !is.Gone || other == nil || other.Gone || !other.Member {
				return
			}
			if q := l.pairs.bySide[s][l.newID(s, other.ID, other.AdapterState)]; q != nil && q.newlySeen() {
				made[p] = q
			}
		})
		for p, q := range made {
			rec := q.open().records[s]
			if rec == nil || rec.Gone {
				continue
			}
			l.pairs.discard(q, s)
			p.open().link.SetSideID(s, rec.ID)
			p.records[s] = rec
			l.pairs.index(p, s)
		}
		clear(made)
	}
}

// followCopies gives pairs whose copies are gone the new copies that stand for the same records, which it returns.
func (l *loader) followCopies(ctx context.Context, side record.Side, gone map[string]*pair) (followed []string, err error) {
	named := map[string]*pair{}
	l.pairs.each(l.pairs.list, func(p *pair) {
		if rec := p.records[side]; p.newlySeen() && rec != nil && !rec.Gone {
			if name := l.sharedName(side, rec.AdapterState); name != "" {
				named[name] = p
			}
		}
	})
	copies, err := l.copies(ctx, sortedKeys(named), nil)
	if err != nil {
		return nil, err
	}
	for _, c := range copies {
		p, heir := gone[c.CreatioID], named[c.Shared]
		if p == nil || heir == nil || !c.Active || c.User == l.user.ID() {
			continue
		}
		followed = append(followed, c.CreatioID)
		delete(gone, c.CreatioID)
		delete(named, c.Shared)
		rec := heir.open().records[side]
		l.pairs.discard(heir, side)
		l.members[side].set(p.open().link.SideID(side), false)
		l.members[side].set(rec.ID, true)
		p.link.SetSideID(side, rec.ID)
		p.records[side] = rec
		l.pairs.index(p, side)
		l.remember(side, p.stored, rec)
	}
	l.pairs.close()
	return followed, nil
}

// tellCarriers decides once more about conflicts in which a copy won that this user may not write: where another user's
// runs write the record that it follows, they decide. Where nobody's do, the user is told what stays on one side.
func (w *writer) tellCarriers(ctx context.Context, chunk []*step) error {
	side, ok := w.copiedSide()
	if !ok || w.undoes() {
		return nil
	}
	list := map[string]int{}
	for i, st := range chunk {
		lost := slices.ContainsFunc(st.Conflicts, func(c reconcile.Conflict) bool {
			return c.Winner == side && slices.Contains(st.records[side].Locked, c.Field)
		})
		withheld := w.withheld(st, side)
		if withheld {
			st.readOnly = side
		}
		if lost || withheld {
			list[st.records[side.Other()].ID] = i
		}
	}
	carriers, err := w.carriers(ctx, sortedKeys(list), true)
	for id := range carriers {
		i := list[id]
		chunk[i].followed = true
		chunk[i] = w.guarded(chunk[i].pair)
	}
	return err
}

// tellOf tells the user what of a record cannot go to the other side, and was not so when the record was seen last.
func (w *writer) tellOf(st *step, s record.Side, before json.RawMessage) {
	side, ok := w.sides[s].(Telling)
	if !ok || !w.policy().Direction.Takes(s.Other()) {
		return
	}
	var known []record.Note
	if st.Base != nil && len(before) > 0 {
		known = side.Tells(before)
	}
	for _, n := range side.Tells(st.link.Sides[s].AdapterState) {
		if !slices.Contains(known, n) {
			w.report.noteOf(st, s, n)
		}
	}
}

// withheld reports whether the user changed something that may not be written into the copy, and of which that was not so when it was
// seen last. It notes on the link what that is.
func (w *writer) withheld(st *step, side record.Side) bool {
	rec, from := st.records[side], st.records[side.Other()]
	if st.After == nil || !st.link.Active || !w.policy().Direction.Takes(side) || rec == nil || from == nil || rec.Gone || from.Gone {
		return false
	}
	agreed := displayed(st.Base, st.Decision.Projections[side.Other()], w.engine.Schema)
	var fields []string
	for _, f := range w.engine.Schema {
		if slices.Contains(rec.Locked, f.Name) && w.policy().Decline[f.Name] == nil && !f.Equal(from.Fields[f.Name], agreed[f.Name]) {
			fields = append(fields, f.Name)
		}
	}
	known := st.link.Withheld
	st.link.Withheld = fields
	return !st.First && slices.ContainsFunc(fields, func(name string) bool { return !slices.Contains(known, name) })
}

// carriers are the other users' copies that carry shared records, by the records' ids: of users who synchronize, and whose runs may
// write there where only those count.
func (s *session) carriers(ctx context.Context, ids []string, writing bool) (map[string]*store.Copy, error) {
	copies, err := s.copies(ctx, nil, ids)
	if err != nil {
		return nil, err
	}
	copies = slices.DeleteFunc(copies, func(c store.Copy) bool { return !c.Active || !c.Carries || c.User == s.user.ID() })
	users := map[string]bool{}
	for _, c := range copies {
		users[c.User] = true
	}
	working, err := s.working(ctx, sortedKeys(users), nil)
	if err != nil {
		return nil, err
	}
	out := map[string]*store.Copy{}
	for _, c := range copies {
		if slices.ContainsFunc(working, func(w Worker) bool { return w.User == c.User && !(writing && w.ReadsOnly) }) {
			out[c.CreatioID] = &c
		}
	}
	return out, nil
}

// keptAlone are the records that another user's settings keep although the event is gone that carried them.
func (s *session) keptAlone(ctx context.Context, ids []string) (map[string]bool, error) {
	copies, err := s.copies(ctx, nil, ids)
	out := map[string]bool{}
	for _, c := range copies {
		if c.Retained && c.Carries && c.User != s.user.ID() {
			out[c.CreatioID] = true
		}
	}
	return out, err
}

func (s *session) copies(ctx context.Context, shared, ids []string) ([]store.Copy, error) {
	if len(shared)+len(ids) == 0 {
		return nil, nil
	}
	copies, err := s.engine.Others.Copies(ctx, s.engine.Type, shared, ids)
	if err != nil {
		return nil, fmt.Errorf("find other users' copies: %w", err)
	}
	return copies, nil
}

func (s *session) working(ctx context.Context, users, contacts []string) ([]Worker, error) {
	if len(users)+len(contacts) == 0 {
		return nil, nil
	}
	found, err := s.engine.Others.Working(ctx, s.engine.Type, users, contacts)
	if err != nil {
		return nil, fmt.Errorf("find who synchronizes: %w", err)
	}
	return found, nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
