package syncer

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/match"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

func TestComponents_have_nothing_in_common(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		addresses := rapid.SliceOfN(rapid.SliceOfN(rapid.IntRange(0, 30), 0, 3), 0, 40).Draw(t, "addresses")
		fields := func(addresses []int) record.Fields {
			f := record.Fields{}
			for _, a := range addresses {
				f[contact.Emails] = append(f[contact.Emails], record.Entry{Text: fmt.Sprintf("a%d@example.com", a)})
			}
			return f
		}
		var pairs []*pair
		for i, a := range addresses {
			side := record.Sides[i%2]
			pairs = append(pairs, &pair{content: &content{
				link: store.Link{ID: fmt.Sprint(i)}, records: map[record.Side]*record.Record{side: {Fields: fields(a)}},
			}})
		}
		item := func(_ record.Side, rec *record.Record) match.Item { return match.Item{Fields: rec.Fields} }
		c := newComponents(pairs, contact.Match, item)
		found := []record.Record{{Fields: fields(rapid.SliceOfN(rapid.IntRange(0, 30), 0, 3).Draw(t, "candidate"))}}
		group := map[string]int{}
		handed := map[*pair]bool{}
		for n, list := 0, append(c.related(record.Google, found), c.next(3)...); len(list) > 0; n, list = n+1, c.next(3) {
			for _, p := range list {
				if handed[p] {
					t.Fatalf("pair %s was handed out twice", p.link.ID)
				}
				handed[p] = true
				for side, rec := range p.records {
					for _, k := range contact.Match.Keys(item(side, rec)) {
						if other, known := group[k]; known && other != n {
							t.Fatalf("groups %d and %d share %q", other, n, k)
						}
						group[k] = n
					}
				}
			}
		}
		if len(handed) != len(pairs) {
			t.Fatalf("%d of %d pairs were handed out", len(handed), len(pairs))
		}
	})
}
