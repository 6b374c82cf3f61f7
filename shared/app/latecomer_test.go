package app_test

import (
	"slices"
	"testing"
	"time"

	gcal "google.golang.org/api/calendar/v3"
)

// A guest whose runs never saw an instance where it was before takes its new place for another meeting, and makes an activity of it.
func TestWho_sees_a_series_only_after_it_was_split_shares_its_activities_with_the_organizer(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]func(w *world, a, b *colleague, instances []*gcal.Event){
		"the first run comes after it": func(*world, *colleague, *colleague, []*gcal.Event) {},
		"an instance was away until then": func(w *world, _, b *colleague, instances []*gcal.Event) {
			w.google.Calendar(ada).Delete(instances[2].Id)
			w.rounds(1, b)
		},
	} {
		for how, fresh := range map[string]bool{"fresh": true, "split": false} {
			t.Run(name+", "+how, func(t *testing.T) {
				t.Parallel()
				w, a, b := office(t)
				e := event("Jour fixe", 48)
				e.Recurrence = []string{"RRULE:FREQ=WEEKLY;COUNT=4"}
				e.Attendees = []*gcal.EventAttendee{{Email: bo}}
				calendar := w.google.Calendar(ada)
				id := calendar.Add(e)
				w.rounds(1, a)
				instances := calendar.Instances(id)
				before(w, a, b, instances)
				calendar.Split(instances[1].Id, fresh, postponed(30*time.Minute))
				w.rounds(3, b, a)
				var starts []string
				for _, r := range w.creatio.System().Rows("Activity", map[string]any{"Title": "Jour fixe"}) {
					if r["StatusId"] != statusCanceled {
						starts = append(starts, r["StartDate"].(time.Time).UTC().Format("01-02 15:04"))
					}
				}
				slices.Sort(starts)
				if len(starts) != len(slices.Compact(slices.Clone(starts))) || len(starts) < 3 {
					t.Errorf("the activities are at %v", starts)
				}
				w.calm(b, a)
			})
		}
	}
}
