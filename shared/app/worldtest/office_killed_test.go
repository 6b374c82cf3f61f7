package worldtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
)

// Two users' runs meet one new meeting at the same moment, and each is killed at any of its calls: there is one activity, and one
// event in each calendar.
func TestTwo_runs_on_one_new_meeting_that_are_killed_at_any_call_make_it_once(t *testing.T) {
	t.Parallel()
	sides := []string{string(record.Creatio), string(record.Google), "store"}
	for _, made := range []string{"planned in Creatio", "added to a calendar", "a series in a calendar"} {
		for _, side := range sides {
			for _, dies := range []mishap{diesBefore, diesAfter} {
				t.Run(fmt.Sprintf("%s, %s %s", made, side, dies), func(t *testing.T) {
					t.Parallel()
					for n, reached := 1, true; reached; n++ {
						reached = killed(t, made, place{side, n}, dies)
					}
				})
			}
		}
	}
}

// killed has both runs die at a call, or the other one go on, and reports whether there is such a call.
func killed(t *testing.T, made string, at place, dies mishap) (reached bool) {
	for who := range 3 {
		inWorld(t, uint64(at.n), setup{chunk: 1 + at.n%3}, func(w *world) {
			o := &office{world: w}
			o.open(time.Date(2000, 3, 20, 12, 0, 0, 0, time.UTC))
			o.rest()
			m := o.add()
			m.guest = true
			what := map[string]func(*meeting) string{
				"planned in Creatio": o.plans, "added to a calendar": o.adds, "a series in a calendar": o.addsSeries,
			}[made](m)
			o.write("%s: %s", made, what)
			scripts := [2]map[place]mishap{{at: dies}, {at: dies}}
			if who < 2 {
				scripts[who] = nil
			}
			o.aside.Go(func() { o.run(0, scripts[0]) })
			time.Sleep(time.Duration(at.n) * 40 * time.Millisecond)
			o.run(1, scripts[1])
			o.aside.Wait()
			reached = reached || o.died
			o.rest()
		})
	}
	return reached && !t.Failed()
}
