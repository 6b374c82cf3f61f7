package syncer

import (
	"encoding/json"
	"maps"
	"reflect"

	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// outline is what a closed pair tells of itself.
type outline struct {
	// id is the link's id, ids are those of the records by side, active says that they are in scope.
	id, name string
	ids      [2]string
	active   bool
	// inStore says that the store has the link, revisits that it is to be looked at again, known on which sides there is a
	// record.
	inStore, revisits bool
	known             [2]bool
}

// current is the outline of a pair, open or closed.
func (p *pair) current() outline {
	if p.content == nil {
		return p.outline
	}
	o := outline{
		id: p.id, name: p.link.Name, ids: [2]string{p.link.CreatioID, p.link.GoogleID}, active: p.link.Active,
		inStore: p.stored.ID != "", revisits: !p.link.RevisitAt.IsZero(),
	}
	for i, s := range record.Sides {
		o.known[i] = p.records[s] != nil
	}
	return o
}

// sideID is the id of the pair's record on a side.
func (p *pair) sideID(s record.Side) string { return p.current().ids[place(s)] }

// has reports whether the record of a side is known.
func (p *pair) has(s record.Side) bool { return p.current().known[place(s)] }

func place(s record.Side) int {
	if s == record.Creatio {
		return 0
	}
	return 1
}

// open unpacks the content of a pair, which stays open until pairs are closed. Of one that was freed only the ids are left.
func (p *pair) open() *pair {
	if p.content != nil {
		return p
	}
	p.content = p.unpacked()
	if p.among != nil {
		p.among.opened = append(p.among.opened, p)
	}
	return p
}

func (p *pair) unpacked() *content {
	if p.packed != nil {
		return p.packed.unpack()
	}
	return &content{
		link:    store.Link{ID: p.id, Name: p.name, CreatioID: p.ids[0], GoogleID: p.ids[1], Active: p.active},
		records: map[record.Side]*record.Record{},
	}
}

// look gives a pair in full for as long as do runs, which changes nothing of it.
func (p *pair) look(do func()) {
	if p.content == nil {
		p.content = p.unpacked()
		defer func() { p.content = nil }()
	}
	do()
}

// close packs the pairs that were opened. Nobody may hold on to anything of their content.
func (p *pairs) close() {
	for _, n := range p.opened {
		if n.content == nil {
			continue
		}
		if packed, err := n.content.pack(); err == nil {
			n.outline, n.packed = n.current(), packed
			n.content = nil
		}
	}
	p.opened = p.opened[:0]
}

// closeMany does so once there are many.
func (p *pairs) closeMany() {
	if len(p.opened) >= linkPage {
		p.close()
	}
}

// each opens the pairs of a list one after the other, and closes them again.
func (p *pairs) each(list []*pair, do func(*pair)) {
	for _, n := range list {
		do(n.open())
		p.closeMany()
	}
	p.close()
}

// packedContent is the content of a pair in few bytes. Both links are as the store writes them, but for what makes up most
// of them: what was agreed on, and the adapters' states, which are packed like records.
type packedContent struct {
	link, stored packedLink
	// same says that the stored link is the link; stored is empty then.
	same    bool
	records [2]record.Packed
}

type packedLink struct {
	rest   record.PackedJSON
	base   record.Packed
	states [2]record.PackedJSON
}

func (c *content) pack() (*packedContent, error) {
	p := &packedContent{}
	var err error
	if p.link, err = packLink(c.link); err != nil {
		return nil, err
	}
	if p.same = reflect.DeepEqual(c.link, c.stored); !p.same && c.stored.ID != "" {
		if p.stored, err = packLink(c.stored); err != nil {
			return nil, err
		}
	}
	for i, s := range record.Sides {
		if rec := c.records[s]; rec != nil {
			p.records[i] = record.PackLike(*rec, likeness(c.link, s))
		}
	}
	return p, nil
}

func (p *packedContent) unpack() *content {
	c := &content{link: p.link.unpack(), records: map[record.Side]*record.Record{}}
	switch {
	case p.same:
		c.stored = c.link
	case p.stored != (packedLink{}):
		c.stored = p.stored.unpack()
	}
	for i, s := range record.Sides {
		if !p.records[i].IsZero() {
			rec := p.records[i].UnpackLike(likeness(c.link, s))
			c.records[s] = &rec
		}
	}
	return c
}

// likeness is a record as its link tells it, which it mostly is.
func likeness(l store.Link, s record.Side) record.Record {
	return record.Record{ID: l.SideID(s), Photo: photoState(l, s).Ref, Fields: l.Base, AdapterState: l.Sides[s].AdapterState}
}

func packLink(l store.Link) (packedLink, error) {
	var p packedLink
	p.base = record.Pack(record.Record{Fields: l.Base})
	l.Base, l.Sides = nil, maps.Clone(l.Sides)
	for i, s := range record.Sides {
		if side, ok := l.Sides[s]; ok {
			p.states[i], side.AdapterState = record.PackJSON(side.AdapterState), nil
			l.Sides[s] = side
		}
	}
	rest, err := json.Marshal(l)
	p.rest = record.PackJSON(rest)
	return p, err
}

func (p packedLink) unpack() store.Link {
	var l store.Link
	// What was written as JSON is read as JSON.
	_ = json.Unmarshal(p.rest.Unpack(), &l)
	l.Base = p.base.Unpack().Fields
	for i, s := range record.Sides {
		if side, ok := l.Sides[s]; ok {
			side.AdapterState = p.states[i].Unpack()
			l.Sides[s] = side
		}
	}
	return l
}

// packedChange is a change as a few bytes.
type packedChange struct{ record.PackedJSON }

func packChange(c store.Change) packedChange {
	// The store writes it as JSON as well, so it always can be.
	raw, _ := json.Marshal(c)
	return packedChange{record.PackJSON(raw)}
}

func (p packedChange) unpack() (c store.Change) {
	_ = json.Unmarshal(p.Unpack(), &c)
	return c
}
