package syncer

import (
	"testing"

	"github.com/tandem-sync/tandem/shared/reconcile"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// What waits may be known by its link alone, where the list that told of it is kept no more.
func TestWhat_only_a_link_tells_of_is_listed_as_what_would_become_of_it(t *testing.T) {
	t.Parallel()
	words := Words{Scope: map[record.Side]string{record.Creatio: "private tag", record.Google: "group"}}
	for departs, want := range map[reconcile.Departure]record.Action{
		reconcile.Unlink: record.Unlink, reconcile.Cancel: record.Cancel, reconcile.Delete: record.Delete,
	} {
		w := heldLoss{Waiting: store.Waiting{Departure: true}, name: "Kickoff"}
		c := w.outline(words, departs, lossKey{"l1", record.Google})
		if c.Action != string(want) || c.Side != record.Creatio || !c.Waits || c.Record != "Kickoff" {
			t.Errorf("%q: listed is %+v", departs, c)
		}
		if tells := len(c.Fields) > 0; tells != (want == record.Unlink) {
			t.Errorf("%q: it tells of %+v", departs, c.Fields)
		}
	}
	lost := heldLoss{Waiting: store.Waiting{Fields: []string{"title"}}}
	if c := lost.outline(words, reconcile.Cancel, lossKey{"l1", record.Creatio}); c.Action != string(record.Update) || c.Side != record.Google || len(c.Fields) != 1 {
		t.Errorf("a lost value is listed as %+v", c)
	}
}
