// Package match finds which records of the two sides are the same, so that a first
// synchronization joins what is already on both sides instead of copying it. Every
// pair has its reason; where more than one record would do, none is taken and
// the caller reports it: a wrong pair mixes two people, which nobody can undo by looking.
//
// The package is pure: no I/O, no clock, no logger. The same input gives the same pairs.
package match

import (
	"cmp"
	"slices"
	"sort"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
)

// Reason says by what two records were found to be the same.
type Reason string

const (
	// ByUser is the reason of two records that the user took for the same. It comes before everything that they show.
	ByUser Reason = "user"
	// ByOrigin is the reason of two records of which one was made from the other. It comes before those of every kind.
	ByOrigin Reason = "origin"
)

// Rules are how records of one kind are found to be the same.
type Rules struct {
	// Levels are tried in their order, the strongest first.
	Levels []Level
	// SameName reports whether two records have one name. It decides between several that share a key.
	SameName func(a, b Item) bool
	// Compare tells how likely two records that share a key are the same.
	Compare func(a, b Item) Verdict
	// InOrder says that of several records which may be the same nobody is asked: those that look the same come before others,
	// and those that were made first come first. Whoever is left over has no counterpart.
	InOrder bool
}

// Verdict is how likely two records that share a key are the same.
type Verdict int

// The verdicts, from the least likely to the most.
const (
	// Other is for two that are plainly not the same.
	Other Verdict = iota
	// Doubtful is for two of which nobody can tell who knows no more than what they show.
	Doubtful
	// Same is for two of which everything agrees that both show.
	Same
)

// Level is one way to find records that may be the same: those that share a key.
type Level struct {
	Reason Reason
	Keys   func(Item) []string
	// Least is what the verdict on two must be at least so that they are a pair. Two of whom it is less are left as a doubt.
	Least Verdict
	// Shared says that many have the key who have nothing else in common: two that are plainly others are no candidates.
	Shared bool
	// Possible, where not nil, excludes two for whom a key of this level says nothing.
	Possible func(a, b Item) bool
}

// levels are those of the kind, and before them the two that every kind has.
func (r Rules) levels() []Level {
	return append([]Level{
		{Reason: ByUser, Keys: func(it Item) []string { return unique(slices.Clone(it.Same)) }, Least: Other},
		{Reason: ByOrigin, Keys: func(it Item) []string { return unique(slices.Clone(it.Origins)) }, Least: Doubtful},
	}, r.Levels...)
}

// Item is a record that has no link yet.
type Item struct {
	ID     string
	Fields record.Fields
	// Untracked are values that the record has besides, under labels that Tandem does not carry.
	Untracked record.Fields
	// Member says that the record is in scope and so must find its place; others are only candidates.
	Member bool
	// Created is when the record was made; zero where that is not known.
	Created time.Time
	// Different are ids of the other side's records that the user took for another than this one. Same are names of pairs
	// that the user took for the same: the other record has the name too.
	Different, Same []string
	// Open says that nobody knows whose counterpart it is before the user has said it: it is paired with nobody, and whoever it
	// fits is left as a doubt.
	Open bool
	// Origins tell which record it was made from, or was the model for: what only it and its counterpart know. A copy
	// that somebody made of it may know it too.
	Origins []string
}

// differs reports whether the user took the two for different ones.
func (it Item) differs(other Item) bool {
	return slices.Contains(it.Different, other.ID) || slices.Contains(other.Different, it.ID)
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
func Find(rules Rules, creatio, google []Item) Result {
	f := finder{
		rules:  rules,
		items:  map[record.Side][]Item{record.Creatio: creatio, record.Google: google},
		taken:  map[record.Side]map[int]bool{record.Creatio: {}, record.Google: {}},
		doubts: map[record.Side]map[int]Doubt{record.Creatio: {}, record.Google: {}},
	}
	for _, l := range rules.levels() {
		f.level(l)
	}
	return f.result()
}

// Keys are all by which a record may be found to be the same as another one. Records that share none of them, not even
// through others, may be compared apart from each other.
func (r Rules) Keys(it Item) []string {
	var keys []string
	for _, l := range r.levels() {
		for _, k := range l.Keys(it) {
			keys = append(keys, string(l.Reason)+"\x00"+k)
		}
	}
	return keys
}

type finder struct {
	rules  Rules
	items  map[record.Side][]Item
	taken  map[record.Side]map[int]bool
	doubts map[record.Side]map[int]Doubt
	pairs  []Pair
}

// level pairs what shares a key of one kind and has nobody else who shares it.
func (f *finder) level(l Level) {
	index := map[string][]int{}
	for j, it := range f.items[record.Google] {
		if f.taken[record.Google][j] {
			continue
		}
		for _, k := range l.Keys(it) {
			index[k] = append(index[k], j)
		}
	}
	forth := map[int][]int{}
	back := map[int][]int{}
	for i, it := range f.items[record.Creatio] {
		if f.taken[record.Creatio][i] {
			continue
		}
		for _, k := range l.Keys(it) {
			for _, j := range index[k] {
				if !slices.Contains(forth[i], j) && f.candidates(l, it, f.items[record.Google][j]) {
					forth[i] = append(forth[i], j)
					back[j] = append(back[j], i)
				}
			}
		}
	}
	f.decide(l, forth, back)
}

// candidates tells whether two items that share a key of a level may be a pair.
func (f *finder) candidates(l Level, creatio, google Item) bool {
	return (creatio.Member || google.Member) && !creatio.differs(google) && (l.Possible == nil || l.Possible(creatio, google)) &&
		(!l.Shared || f.rules.Compare(creatio, google) != Other)
}

// decide takes the pairs that are the only choice of both, and notes the others as doubts.
func (f *finder) decide(l Level, forth, back map[int][]int) {
	chosen := map[int]int{}
	for i, js := range forth {
		if j, ok := f.only(l, i, js, back); ok {
			chosen[i] = j
		}
	}
	for _, i := range sortedKeys(chosen) {
		f.take(i, chosen[i], l.Reason)
	}
	if f.rules.InOrder {
		f.inOrder(l, forth)
		return
	}
	f.doubt(record.Creatio, l.Reason, forth)
	f.doubt(record.Google, l.Reason, back)
}

// inOrder pairs those that still have several choices: the first with the first.
func (f *finder) inOrder(l Level, forth map[int][]int) {
	type choice struct {
		creatio, google int
		alike           bool
	}
	var choices []choice
	creatio, google := f.items[record.Creatio], f.items[record.Google]
	for i, js := range forth {
		for _, j := range js {
			if !creatio[i].Open && !google[j].Open {
				choices = append(choices, choice{i, j, f.alike(creatio[i], google[j])})
			}
		}
	}
	slices.SortFunc(choices, func(a, b choice) int {
		if a.alike != b.alike {
			if a.alike {
				return -1
			}
			return 1
		}
		return cmp.Or(byAge(creatio[a.creatio], creatio[b.creatio]), byAge(google[a.google], google[b.google]))
	})
	for _, c := range choices {
		if !f.taken[record.Creatio][c.creatio] && !f.taken[record.Google][c.google] {
			f.take(c.creatio, c.google, l.Reason)
		}
	}
}

func byAge(a, b Item) int { return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID)) }

// alike reports whether two show what the kind calls the same.
func (f *finder) alike(a, b Item) bool {
	return slices.ContainsFunc(f.rules.Levels, func(l Level) bool {
		keys := l.Keys(b)
		return slices.ContainsFunc(l.Keys(a), func(k string) bool { return slices.Contains(keys, k) })
	})
}

func (f *finder) take(i, j int, reason Reason) {
	f.taken[record.Creatio][i], f.taken[record.Google][j] = true, true
	f.pairs = append(f.pairs, Pair{Creatio: i, Google: j, Reason: reason})
}

// only tells whether i has one candidate that has no other choice itself, first by the key alone, then by key and name.
func (f *finder) only(l Level, i int, js []int, back map[int][]int) (int, bool) {
	if f.items[record.Creatio][i].Open {
		return 0, false
	}
	if len(js) == 1 && len(back[js[0]]) == 1 && !f.items[record.Google][js[0]].Open {
		return js[0], f.rules.Compare(f.items[record.Creatio][i], f.items[record.Google][js[0]]) >= l.Least
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
	if found < 0 || f.items[record.Google][found].Open {
		return 0, false
	}
	for _, other := range back[found] {
		if other != i && f.sameName(other, found) {
			return 0, false
		}
	}
	return found, f.rules.Compare(f.items[record.Creatio][i], f.items[record.Google][found]) >= l.Least
}

func (f *finder) sameName(i, j int) bool {
	return f.rules.SameName(f.items[record.Creatio][i], f.items[record.Google][j])
}

func (f *finder) doubt(side record.Side, reason Reason, choices map[int][]int) {
	for item, candidates := range choices {
		if it := f.items[side][item]; f.taken[side][item] || !it.Member || it.Open {
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

// unique are keys without repetition, in order.
func unique(keys []string) []string {
	slices.Sort(keys)
	return slices.Compact(keys)
}
