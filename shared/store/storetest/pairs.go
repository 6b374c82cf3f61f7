package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

func pair(creatioID, googleID string, state store.PairState) store.Pair {
	return store.Pair{ID: store.PairID(creatioID, googleID), CreatioID: creatioID, GoogleID: googleID, State: state, Since: noon}
}

func byID(pairs []store.Pair) []store.Pair {
	slices.SortFunc(pairs, func(a, b store.Pair) int { return strings.Compare(a.ID, b.ID) })
	return pairs
}

func pairsOf(t *testing.T, u store.User) []store.Pair {
	t.Helper()
	var out []store.Pair
	for p, err := range u.Pairs(t.Context(), record.Contacts) {
		must(t, err)
		out = append(out, p)
	}
	return out
}

var pairTests = map[string]func(*testing.T, store.Store){
	"pairs are listed in order and found by the ids of both sides": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		want := pair("C1", "people/g1", store.StateDoubt)
		want.Reason, want.Names = "the same number, another name", map[record.Side]string{record.Creatio: "Ann 🙂", record.Google: "Anna"}
		given := want
		given.Since = want.Since.Add(1)
		pairs := []store.Pair{given, pair("C1", "people/g2", store.StateDifferent)}
		for n := range 60 {
			pairs = append(pairs, pair(fmt.Sprint("D", n), fmt.Sprint("people/h", n), store.StateDoubt))
		}
		must(t, u.PutPairs(t.Context(), record.Contacts, pairs))
		pairs[0] = want
		by := func(side record.Side, ids []string, want ...store.Pair) {
			t.Helper()
			got, err := u.PairsBy(t.Context(), record.Contacts, side, ids)
			must(t, err)
			same(t, "pairs", byID(got), byID(want))
		}
		by(record.Google, []string{"people/g1", "", "unknown", "people/g1"}, pairs[0])
		by(record.Creatio, []string{"C1"}, slices.Clone(pairs[:2])...)
		by(record.Creatio, nil)
		var ids []string
		for _, p := range pairs[2:] {
			ids = append(ids, p.CreatioID, p.CreatioID+"-unknown")
		}
		by(record.Creatio, ids, slices.Clone(pairs[2:])...)
		same(t, "all pairs", pairsOf(t, u), byID(slices.Clone(pairs)))
		same(t, "pairs of another", pairsOf(t, signedIn(t, s, "bob")), []store.Pair(nil))
	},

	"a pair is one, whoever writes it, until it is deleted": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		if store.PairID("ABC", "people/g") != store.PairID("abc", "people/g") || store.PairID("a", "bc") == store.PairID("ab", "c") {
			t.Fatal("two pairs share an id, or one has two")
		}
		doubt, different := pair("c1", "people/g1", store.StateDoubt), pair("c1", "people/g1", store.StateDifferent)
		must(t, u.PutPairs(t.Context(), record.Contacts, []store.Pair{doubt, pair("c2", "people/g2", store.StateDoubt)}))
		must(t, u.PutPairs(t.Context(), record.Contacts, []store.Pair{different}))
		must(t, u.DeletePairs(t.Context(), record.Contacts, []string{store.PairID("c2", "people/g2"), store.PairID("c3", "people/g3")}))
		must(t, u.DeletePairs(t.Context(), record.Contacts, nil))
		same(t, "pairs", pairsOf(t, u), []store.Pair{different})
		for _, bad := range []store.Pair{{ID: "p"}, {ID: "p", State: "perhaps"}, {State: store.StateDoubt}} {
			if err := u.PutPairs(t.Context(), record.Contacts, []store.Pair{bad}); err == nil || !fault.Is(err, fault.Bug) {
				t.Errorf("%+v: %v", bad, err)
			}
		}
	},

	"a run writes doubts and removes them, and leaves alone what a person decided": func(t *testing.T, s store.Store) {
		u := signedIn(t, s, "ada")
		lease := acquire(t, u, "run1")
		write := func(b store.Batch) {
			t.Helper()
			_, err := u.PutBatch(t.Context(), record.Contacts, lease, noon, b)
			must(t, err)
		}
		a, b := pair("c1", "people/g1", store.StateDoubt), pair("c2", "people/g2", store.StateDoubt)
		write(store.Batch{Pairs: []store.Pair{a, b}})
		same(t, "pairs", pairsOf(t, u), byID([]store.Pair{a, b}))
		for _, said := range []store.PairState{store.StateSame, store.StateDifferent} {
			a.State = said
			must(t, u.PutPairs(t.Context(), record.Contacts, []store.Pair{a}))
			write(store.Batch{Pairs: []store.Pair{pair("c1", "people/g1", store.StateDoubt)}})
			same(t, "pairs", pairsOf(t, u), byID([]store.Pair{a, b}))
		}
		late := pair("c1", "people/g1", store.StateDoubt)
		b.Link = &store.Link{ID: "l1", CreatioID: "c2", GoogleID: "people/g2", Name: "Ann"}
		b.Reason = "found again"
		write(store.Batch{Pairs: []store.Pair{late, b}})
		same(t, "pairs", pairsOf(t, u), byID([]store.Pair{a, b}))
		undone := a
		undone.State, undone.Link = store.StateDoubt, &store.Link{ID: "l0", CreatioID: "c1", GoogleID: "people/g1"}
		write(store.Batch{Pairs: []store.Pair{undone}})
		same(t, "pairs after an undo", pairsOf(t, u), byID([]store.Pair{undone, b}))
		write(store.Batch{Pairs: []store.Pair{a}})
		l := store.Link{ID: "l1", CreatioID: "c2", GoogleID: "people/g2"}
		write(store.Batch{Links: []store.Link{l}, SettledPairs: []string{b.ID, store.PairID("c9", "people/g9")}})
		same(t, "pairs", pairsOf(t, u), []store.Pair{a})
		same(t, "links", linksOf(t, u), []store.Link{l})
	},
}
