package syncer

import (
	"hash/maphash"

	"github.com/tandem-sync/tandem/shared/match"
	"github.com/tandem-sync/tandem/shared/record"
)

// components are the unmatched pairs in connected components: pairs that share a key by which records are found to be the
// same, be it through others. Components have nothing in common, so that each can be matched apart from the others.
type components struct {
	pairs []*pair
	// parent is a union-find forest: pairs with the same root are one component.
	parent  []int
	members map[int][]int
	// owner is one pair of the component that has a key, by the key's hash. Two keys of one hash only make a component larger.
	owner map[uint64]int
	seed  maphash.Seed
	keys  func(record.Side, *record.Record) []string
	// at is the next pair to be looked at; handedOut are components that were handed out, by root.
	at        int
	handedOut map[int]bool
}

func newComponents(pairs []*pair, rules match.Rules, item func(record.Side, *record.Record) match.Item) *components {
	c := &components{
		pairs: pairs, parent: make([]int, len(pairs)), members: map[int][]int{}, owner: map[uint64]int{}, seed: maphash.MakeSeed(),
		handedOut: map[int]bool{}, keys: func(s record.Side, rec *record.Record) []string { return rules.Keys(item(s, rec)) },
	}
	for i, p := range pairs {
		c.parent[i] = i
		p.look(func() {
			for _, s := range record.Sides {
				if rec := p.records[s]; rec != nil && !rec.Gone {
					c.join(i, c.keys(s, rec))
				}
			}
		})
	}
	for i := range pairs {
		root := c.root(i)
		c.members[root] = append(c.members[root], i)
	}
	return c
}

// join puts a pair into the components that have one of its keys.
func (c *components) join(i int, keys []string) {
	for _, k := range keys {
		h := maphash.String(c.seed, k)
		if other, known := c.owner[h]; known {
			c.parent[c.root(i)] = c.root(other)
		} else {
			c.owner[h] = i
		}
	}
}

func (c *components) root(i int) int {
	for c.parent[i] != i {
		c.parent[i] = c.parent[c.parent[i]]
		i = c.parent[i]
	}
	return i
}

// next hands out whole components, in the order of the pairs, until there are n pairs or none is left.
func (c *components) next(n int) []*pair {
	var out []*pair
	for ; len(out) < n && c.at < len(c.pairs); c.at++ {
		out = append(out, c.handOut(c.at)...)
	}
	return out
}

// related hands out the components that share a key with one of a side's records.
func (c *components) related(s record.Side, records []record.Record) []*pair {
	var out []*pair
	for i := range records {
		for _, k := range c.keys(s, &records[i]) {
			if i, known := c.owner[maphash.String(c.seed, k)]; known {
				out = append(out, c.handOut(i)...)
			}
		}
	}
	return out
}

// handOut hands out the component of a pair, once.
func (c *components) handOut(i int) []*pair {
	root := c.root(i)
	if c.handedOut[root] {
		return nil
	}
	c.handedOut[root] = true
	out := make([]*pair, len(c.members[root]))
	for n, m := range c.members[root] {
		out[n] = c.pairs[m]
	}
	return out
}
