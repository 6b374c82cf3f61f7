package match_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/match"
	"github.com/tandem-sync/tandem/shared/record"
)

// inOrder are rules of a kind of which two with one title are the same to everybody.
var inOrder = match.Rules{
	Levels:   []match.Level{{Reason: "title", Keys: func(it match.Item) []string { return []string{it.Fields.Text("title")} }}},
	SameName: func(a, b match.Item) bool { return a.Fields.Text("title") == b.Fields.Text("title") },
	Compare:  func(match.Item, match.Item) match.Verdict { return match.Same },
	InOrder:  true,
}

func TestOf_several_that_would_do_the_first_is_paired_with_the_first(t *testing.T) {
	t.Parallel()
	at := func(id, title string, minute int, origins ...string) match.Item {
		return match.Item{
			ID: id, Fields: record.Fields{"title": {{Text: title}}}, Member: true, Created: time.Date(2026, 3, 2, 9, minute, 0, 0, time.UTC), Origins: origins,
		}
	}
	apart := at("c1", "call", 1)
	apart.Different = []string{"g1"}
	candidate := at("c0", "call", 0)
	candidate.Member = false
	open := at("c1", "call", 1)
	open.Open = true
	for name, row := range map[string]struct {
		creatio, google []match.Item
		want            string
	}{
		"as many on both sides":     {[]match.Item{at("c2", "call", 5), at("c1", "call", 1)}, []match.Item{at("g2", "call", 4), at("g1", "call", 3)}, "c1-g1 c2-g2"},
		"more here":                 {[]match.Item{at("c1", "call", 1), at("c2", "call", 2)}, []match.Item{at("g1", "call", 9)}, "c1-g1"},
		"more there":                {[]match.Item{at("c1", "call", 1)}, []match.Item{at("g2", "call", 4), at("g1", "call", 3)}, "c1-g1"},
		"made at the same time":     {[]match.Item{at("c2", "call", 1), at("c1", "call", 1)}, []match.Item{at("g2", "call", 1), at("g1", "call", 1)}, "c1-g1 c2-g2"},
		"two who were parted":       {[]match.Item{apart, at("c2", "call", 2)}, []match.Item{at("g1", "call", 1), at("g2", "call", 2)}, "c1-g2 c2-g1"},
		"one that waits for a word": {[]match.Item{open, at("c2", "call", 2)}, []match.Item{at("g1", "call", 1)}, "c2-g1"},
		"one that is out of scope":  {[]match.Item{candidate}, []match.Item{at("g1", "call", 1), at("g2", "call", 2)}, "c0-g1"},
		"copies of one origin": {
			[]match.Item{at("c1", "call", 1, "origin")}, []match.Item{at("g1", "another", 1, "origin"), at("g2", "call", 3, "origin")}, "c1-g2",
		},
		"copies of one origin that look different": {
			[]match.Item{at("c1", "call", 1, "origin")}, []match.Item{at("g2", "others", 3, "origin"), at("g1", "another", 2, "origin")}, "c1-g1",
		},
	} {
		found := match.Find(inOrder, row.creatio, row.google)
		var pairs []string
		for _, p := range found.Pairs {
			pairs = append(pairs, fmt.Sprint(row.creatio[p.Creatio].ID, "-", row.google[p.Google].ID))
		}
		slices.Sort(pairs)
		if got := strings.Join(pairs, " "); got != row.want || len(found.Doubts) > 0 {
			t.Errorf("%s: paired %s, doubts %+v; want %s", name, got, found.Doubts, row.want)
		}
	}
}
