package reconcile

import (
	"testing"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
)

// Which of two rows of one number shows is chance. As long as one has the label that was agreed on, no label changes.
func TestMerging_a_number_that_is_there_under_two_labels_changes_no_label(t *testing.T) {
	t.Parallel()
	phone := func(kind, text string) []record.Entry { return []record.Entry{{Kind: kind, Text: text}} }
	work, mobile := phone("work", "+44 20 7946 0001"), phone("mobile", "+44 (20) 7946-0001")
	for _, side := range record.Sides {
		for _, first := range []bool{true, false} {
			base := record.Fields{}
			if !first {
				base = record.Fields{contact.Phones: work}
			}
			views := map[record.Side]View{
				side:         {Fields: record.Fields{contact.Phones: mobile}, Untracked: record.Fields{contact.Phones: work}},
				side.Other(): {Fields: record.Fields{contact.Phones: work}, Untracked: record.Fields{}},
			}
			if m := Merge(schema, base, first, views, Policy{}); len(m.Changes[record.Creatio])+len(m.Changes[record.Google]) > 0 {
				t.Errorf("twice in %s, at the first meeting: %t: %v", side, first, m.Changes)
			}
			views[side] = View{Fields: record.Fields{contact.Phones: mobile}, Untracked: record.Fields{}}
			if m := Merge(schema, base, first, views, Policy{}); len(m.Changes[record.Creatio])+len(m.Changes[record.Google]) == 0 {
				t.Errorf("once in %s under another label: nothing changes", side)
			}
		}
	}
}
