package syncer

import (
	"hash/maphash"

	"github.com/tandem-sync/tandem/shared/match"
	"github.com/tandem-sync/tandem/shared/record"
)

// crowd is the pairs that have a record on one side only, in parts that have nothing in common: no key by which records
// are found to be the same, not even through others. Parts can meet apart from each other.
type crowd struct {
	pairs []*pair
	// parent is a forest: pairs with the same root are one part.
	parent []int
	parts  map[int][]int
	// owner is one pair of the part that has a key, by the key's hash. Two keys of one hash only make a part larger.
	owner map[uint64]int
	seed  maphash.Seed
	keys  func(match.Item) []string
	// item is a record as it is compared with others.
	item func(record.Side, *record.Record) match.Item
	// at is the next pair to be looked at; taken are parts that were handed out.
	at    int
	taken map[int]bool
}

func newCrowd(pairs []*pair, item func(record.Side, *record.Record) match.Item, keys func(match.Item) []string) *crowd {
	c := &crowd{
		item: item, keys: keys, pairs: pairs, parent: make([]int, len(pairs)), parts: map[int][]int{}, owner: map[uint64]int{}, seed: maphash.MakeSeed(), taken: map[int]bool{},
	}
	for i, p := range pairs {
		c.parent[i] = i
		for _, s := range record.Sides {
			rec := p.now[s]
			if rec == nil || rec.Gone {
				continue
			}
			for _, k := range c.keys(item(s, rec)) {
				h := maphash.String(c.seed, k)
				if other, known := c.owner[h]; known {
					c.parent[c.root(i)] = c.root(other)
				} else {
					c.owner[h] = i
				}
			}
		}
	}
	for i := range pairs {
		root := c.root(i)
		c.parts[root] = append(c.parts[root], i)
	}
	return c
}

func (c *crowd) root(i int) int {
	for c.parent[i] != i {
		c.parent[i] = c.parent[c.parent[i]]
		i = c.parent[i]
	}
	return i
}

// next hands out whole parts, in the order of the pairs, until there are n pairs or none is left.
func (c *crowd) next(n int) []*pair {
	var out []*pair
	for ; len(out) < n && c.at < len(c.pairs); c.at++ {
		out = append(out, c.take(c.at)...)
	}
	return out
}

// related hands out the parts that share a key with one of a side's records.
func (c *crowd) related(s record.Side, records []record.Record) []*pair {
	var out []*pair
	for i := range records {
		for _, k := range c.keys(c.item(s, &records[i])) {
			if i, known := c.owner[maphash.String(c.seed, k)]; known {
				out = append(out, c.take(i)...)
			}
		}
	}
	return out
}

// take hands out the part of a pair, once.
func (c *crowd) take(i int) []*pair {
	root := c.root(i)
	if c.taken[root] {
		return nil
	}
	c.taken[root] = true
	out := make([]*pair, len(c.parts[root]))
	for n, m := range c.parts[root] {
		out[n] = c.pairs[m]
	}
	return out
}
