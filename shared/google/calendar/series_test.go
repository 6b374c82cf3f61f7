package calendar

import (
	"slices"
	"testing"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/record"
)

// recurring is an event of an hour that recurs.
func recurring(title string, at time.Time, rules ...string) *gcal.Event {
	e := timed(title, 1, 9)
	e.Start.DateTime, e.End.DateTime = at.Format(time.RFC3339), at.Add(time.Hour).Format(time.RFC3339)
	e.Recurrence = rules
	return e
}

func TestOf_more_than_a_thousand_instances_the_oldest_are_left_out_and_missed_by_nobody(t *testing.T) {
	t.Parallel()
	long := func(o *Options) { o.From, o.To = firstDay.AddDate(-3, 0, 0), firstDay.AddDate(0, 1, 0) }
	first := firstDay.AddDate(0, 0, -1035).Add(9 * time.Hour)
	for name, rules := range map[string][]string{
		"a rule":        {"RRULE:FREQ=DAILY;COUNT=1040"},
		"a rule, asked": {"RRULE:FREQ=DAILY;COUNT=1039", "RDATE:" + first.AddDate(0, 0, 1039).Format(keyTime)},
	} {
		d := newDiary(t, long)
		series := d.Add(recurring("Standup", first, rules...))
		check := func(delta record.Delta, oldest int, told int) {
			t.Helper()
			at := first.AddDate(0, 0, oldest)
			if len(delta.Members) != 1000 || slices.Min(delta.Members) != series+"_"+at.Format(keyTime) {
				t.Errorf("%s: %d members, the first is %s, want %s", name, len(delta.Members), slices.Min(delta.Members), at)
			}
			covers := func(end time.Time) bool {
				return slices.ContainsFunc(delta.Extents, func(e record.Extent) bool { return e.Covers(series, end) })
			}
			if covers(at.Add(-time.Hour)) || !covers(at.Add(time.Hour)) {
				t.Errorf("%s: the extents are %+v", name, delta.Extents)
			}
			if len(delta.Notices) != told || told > 0 && (delta.Notices[0].Code != "many-instances" || delta.Notices[0].ID != series || delta.Notices[0].Name != "Standup") {
				t.Errorf("%s: told %+v", name, delta.Notices)
			}
		}
		delta := d.scan(nil)
		check(delta, 40, 1)
		d.open(long)
		delta = d.scan(nil)
		check(delta, 40, 0)
		d.Edit(series, func(e *gcal.Event) { e.Location = "Hall" })
		d.open(long)
		delta = d.scan(delta.Cursor)
		check(delta, 40, 0)
	}
}
