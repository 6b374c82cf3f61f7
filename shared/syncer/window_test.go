package syncer

import (
	"testing"

	"github.com/tandem-sync/tandem/shared/record"
)

func TestOne_that_went_by_other_names_is_kept_until_everybody_was_looked_at(t *testing.T) {
	t.Parallel()
	w := newWindow(map[record.Side]record.Delta{record.Google: {Records: record.PackAll([]record.Record{
		{ID: "merged", Aliases: []string{"lost"}},
		{ID: "other"},
	})}})
	w.drop(record.Google, "merged")
	w.drop(record.Google, "other")
	if rec := w.record(record.Google, "lost"); rec == nil || rec.ID != "merged" {
		t.Errorf("got %+v for the contact that was merged into one with which there is nothing to do", rec)
	}
	if rec := w.record(record.Google, "other"); rec != nil {
		t.Errorf("got %+v, want it let go", rec)
	}
}
