package app_test

import (
	"slices"
	"strings"
	"testing"
)

// The undo brings the activities back, and events in the place of a series that is gone. Then there is the series again.
func TestA_series_that_comes_out_of_the_bin_after_its_deletion_was_undone_is_there_once(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		// between are the runs between the undo and the bin.
		between int
		edited  bool
		// full has everything read again.
		full bool
	}{
		"at once":                     {},
		"after a run":                 {between: 1},
		"after an edit in Creatio":    {between: 1, edited: true},
		"and everything is read anew": {between: 1, full: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAgenda(t)
			series := a.series("Standup", 24, "RRULE:FREQ=WEEKLY;COUNT=4")
			a.calendar.Add(event("Clinic", 30))
			a.calendar.Add(event("Audit", 31))
			a.run("done")
			before := a.kept()
			a.calendar.Delete(series)
			gone := a.run("done")
			if got, _ := a.shows(); strings.Contains(got, "Standup") {
				t.Fatalf("after the deletion creatio shows\n%s", got)
			}
			a.undo(gone, nil)
			for range row.between {
				a.run("done")
			}
			if got, _ := a.shows(); strings.Count(got, "Standup") != 4 {
				t.Fatalf("after the undo creatio shows\n%s", got)
			}
			if row.edited {
				a.changeActivityByID(before[len(before)-1], map[string]any{"Location": "Hall 3"})
				a.run("done")
			}
			if !a.calendar.Restore(series) {
				t.Fatal("the series cannot be restored")
			}
			if row.full {
				a.google.Calendars().ExpireSyncTokens()
			}
			back := a.run("done")
			a.run("done")
			creatio, google := a.shows()
			if strings.Count(creatio, "Standup") != 4 || strings.Count(google, "Standup") != 4 {
				t.Errorf("creatio shows\n%s\ngoogle\n%s", creatio, google)
			}
			if back.Counts.Creatio.Created > 0 {
				t.Errorf("the run tells of %+v", back.Counts)
			}
			if after := a.kept(); !slices.Equal(before, after) {
				t.Errorf("the activities are %v, were %v", after, before)
			}
			if row.edited && a.creatio.System().Get("Activity", before[len(before)-1])["Location"] != "Hall 3" {
				t.Error("the edit is lost")
			}
			a.quiet()
		})
	}
}
