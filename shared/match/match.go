// Package match pairs records that meet for the first time, so that a first
// synchronization joins what is already on both sides instead of copying it. Every
// pair has its reason; where more than one record would do, none is taken and
// the caller reports it: a wrong pair mixes two people, which nobody can undo by looking.
//
// The package is pure: no I/O, no clock, no logger. The same input gives the same pairs.
package match

import (
	"slices"
	"sort"
	"strings"

	"github.com/tandem-sync/tandem/shared/record"
)

// Reason says by what two records were found to be the same.
type Reason string

// The reasons, strongest first; they are tried in this order.
const (
	ByOrigin Reason = "origin"
	ByEmail  Reason = "e-mail"
	ByPhone  Reason = "phone"
	ByName   Reason = "name and company"
)

// Item is a record that has no link yet.
type Item struct {
	ID     string
	Fields record.Fields
	// Kept are values that the record has besides, under labels that Tandem does not carry.
	Kept record.Fields
	// Member says that the record is in scope and so must find its place; others are only candidates.
	Member bool
	// Origins tell which record it was made from, or was the model for: what only it and its counterpart know. A copy
	// that somebody made of it may know it too.
	Origins []string
}

// Pair is two items that are the same.
type Pair struct {
	Creatio, Google int
	Reason          Reason
}

// Doubt is an item in scope with several candidates, or one that contradicts.
type Doubt struct {
	Side       record.Side
	Item       int
	Candidates []int
	Reason     Reason
}

// Result is what was found. An item in scope that is in neither list is new to the other side.
type Result struct {
	Pairs  []Pair
	Doubts []Doubt
}

// Find pairs items of both sides. Two items of which none is in scope are never paired.
func Find(creatio, google []Item) Result {
	f := finder{
		items:  map[record.Side][]Item{record.Creatio: creatio, record.Google: google},
		taken:  map[record.Side]map[int]bool{record.Creatio: {}, record.Google: {}},
		doubts: map[record.Side]map[int]Doubt{record.Creatio: {}, record.Google: {}},
	}
	for _, l := range levels {
		f.level(l.reason, l.keys)
	}
	return f.result()
}

// levels are what records are compared by, the strongest first.
var levels = []struct {
	reason Reason
	keys   func(Item) []string
}{{ByOrigin, originKeys}, {ByEmail, emailKeys}, {ByPhone, phoneKeys}, {ByPhone, namedNumberKeys}, {ByName, nameKeys}}

// Keys are all by which a record may be found to be the same as another one. Records that share none of them, not even
// through others, may be compared apart from each other.
func Keys(it Item) []string {
	var keys []string
	for _, l := range levels {
		for _, k := range l.keys(it) {
			keys = append(keys, string(l.reason)+"\x00"+k)
		}
	}
	return keys
}

type finder struct {
	items  map[record.Side][]Item
	taken  map[record.Side]map[int]bool
	doubts map[record.Side]map[int]Doubt
	pairs  []Pair
}

// level pairs what shares a key of one kind and has nobody else who shares it.
func (f *finder) level(reason Reason, keys func(Item) []string) {
	index := map[string][]int{}
	for j, it := range f.items[record.Google] {
		if f.taken[record.Google][j] {
			continue
		}
		for _, k := range keys(it) {
			index[k] = append(index[k], j)
		}
	}
	forth := map[int][]int{}
	back := map[int][]int{}
	for i, it := range f.items[record.Creatio] {
		if f.taken[record.Creatio][i] {
			continue
		}
		for _, k := range keys(it) {
			for _, j := range index[k] {
				g := f.items[record.Google][j]
				if (it.Member || g.Member) && !slices.Contains(forth[i], j) && f.possible(reason, it, g) {
					forth[i] = append(forth[i], j)
					back[j] = append(back[j], i)
				}
			}
		}
	}
	f.settle(reason, forth, back)
}

// possible excludes what shares a key but is plainly somebody else: a switchboard's number, the family's telephone.
func (f *finder) possible(reason Reason, c, g Item) bool {
	return reason != ByPhone || !contradict(c.Fields, g.Fields)
}

// settle takes the pairs that are the only choice of both, and notes the others as doubts.
func (f *finder) settle(reason Reason, forth, back map[int][]int) {
	chosen := map[int]int{}
	for i, js := range forth {
		if j, ok := f.only(reason, i, js, back); ok {
			chosen[i] = j
		}
	}
	for _, i := range sortedKeys(chosen) {
		j := chosen[i]
		f.taken[record.Creatio][i], f.taken[record.Google][j] = true, true
		f.pairs = append(f.pairs, Pair{Creatio: i, Google: j, Reason: reason})
	}
	f.doubt(record.Creatio, reason, forth)
	f.doubt(record.Google, reason, back)
}

// only tells whether i has one candidate that has no other choice itself, first by the key alone, then by key and name.
func (f *finder) only(reason Reason, i int, js []int, back map[int][]int) (int, bool) {
	if len(js) == 1 && len(back[js[0]]) == 1 {
		c, g := f.items[record.Creatio][i].Fields, f.items[record.Google][js[0]].Fields
		if reason == ByPhone {
			// A family has one telephone and one surname.
			return js[0], !diverge(c, g)
		}
		return js[0], !contradict(c, g)
	}
	found := -1
	for _, j := range js {
		if !f.sameName(i, j) {
			continue
		}
		if found >= 0 {
			return 0, false
		}
		found = j
	}
	if found < 0 {
		return 0, false
	}
	for _, other := range back[found] {
		if other != i && f.sameName(other, found) {
			return 0, false
		}
	}
	return found, true
}

func (f *finder) sameName(i, j int) bool {
	a, b := nameTokens(f.items[record.Creatio][i].Fields), nameTokens(f.items[record.Google][j].Fields)
	return len(a) > 0 && slices.Equal(a, b)
}

func (f *finder) doubt(side record.Side, reason Reason, choices map[int][]int) {
	for item, candidates := range choices {
		if f.taken[side][item] || !f.items[side][item].Member {
			continue
		}
		free := slices.DeleteFunc(slices.Clone(candidates), func(c int) bool { return f.taken[side.Other()][c] })
		if len(free) == 0 {
			continue
		}
		if _, known := f.doubts[side][item]; !known {
			f.doubts[side][item] = Doubt{Side: side, Item: item, Candidates: free, Reason: reason}
		}
	}
}

func (f *finder) result() Result {
	r := Result{Pairs: f.pairs}
	for _, side := range record.Sides {
		for _, item := range sortedKeys(f.doubts[side]) {
			if !f.taken[side][item] {
				r.Doubts = append(r.Doubts, f.doubts[side][item])
			}
		}
	}
	return r
}

func sortedKeys[V any](m map[int]V) []int {
	keys := make([]int, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Ints(keys)
	return keys
}

func originKeys(it Item) []string { return unique(slices.Clone(it.Origins)) }

func emailKeys(it Item) []string {
	var keys []string
	for _, e := range it.Fields[record.Emails] {
		keys = append(keys, record.EmailKey(e.Text))
	}
	return unique(keys)
}

func phoneKeys(it Item) []string {
	var keys []string
	for _, e := range it.Fields[record.Phones] {
		if key := record.SubscriberKey(e.Text); key != "" {
			keys = append(keys, key)
		}
	}
	return unique(keys)
}

// namedNumberKeys are the numbers under any label, each with the name: a fax or a switchboard is shared by many, of whom
// hardly two have one name.
func namedNumberKeys(it Item) []string {
	name := nameTokens(it.Fields)
	if len(name) < 2 {
		return nil
	}
	numbers := phoneKeys(Item{Fields: record.Fields{record.Phones: slices.Concat(it.Fields[record.Phones], it.Kept[record.Phones])}})
	for i := range numbers {
		numbers[i] = strings.Join(name, " ") + "|" + numbers[i]
	}
	return numbers
}

func nameKeys(it Item) []string {
	name, company := nameTokens(it.Fields), record.Fold(it.Fields.Text(record.Company))
	if len(name) < 2 || company == "" {
		return nil
	}
	return []string{strings.Join(name, " ") + "|" + company}
}

// nameTokens are the words of a name in alphabetical order, since people disagree which comes first.
func nameTokens(f record.Fields) []string {
	tokens := strings.Fields(record.Fold(f.Text(record.GivenName) + " " + f.Text(record.MiddleName) + " " + f.Text(record.Surname)))
	slices.Sort(tokens)
	return tokens
}

func unique(keys []string) []string {
	slices.Sort(keys)
	return slices.Compact(keys)
}
