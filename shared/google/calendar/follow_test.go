package calendar

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	gcal "google.golang.org/api/calendar/v3"
	"pgregory.net/rapid"

	"github.com/tandem-sync/tandem/shared/activity"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	_ "github.com/tandem-sync/tandem/shared/sandbox/seed"
)

// follower keeps what windows tell, as the engine keeps links.
type follower struct {
	d      *diary
	t      *rapid.T
	days   int
	cursor []byte
	have   map[string]record.Record
	// deleted are instances that somebody deleted.
	deleted []string
}

func (f *follower) options(o *Options) { o.To = firstDay.AddDate(0, 0, f.days) }

// follow takes in the next window.
func (f *follower) follow() {
	f.d.open(f.options)
	delta, err := f.d.side.Scan(f.t.Context(), f.cursor)
	if fault.Is(err, fault.FullSync) {
		delta, err = f.d.side.Scan(f.t.Context(), nil)
	}
	if err != nil {
		f.t.Fatal(err)
	}
	if f.cursor = delta.Cursor; delta.Retained != nil {
		f.d.kept = delta.Retained
	}
	found := records(delta)
	for id, r := range found {
		for _, former := range r.Aliases {
			if old, there := f.have[former]; there && f.have[id].ID == "" && (found[former].ID == "" || found[former].Gone) {
				delete(f.have, former)
				f.have[id] = old
			}
		}
	}
	for id, r := range found {
		old, known := f.have[id]
		switch {
		case known && old.End.Before(delta.From) && (r.Gone || r.End.Before(delta.From)):
			// What was over before the range began is left as it is.
		case r.Gone, !r.Member:
			delete(f.have, id)
		case known || !r.Passive:
			f.have[id] = r
		}
	}
	for id, r := range f.have {
		missing := delta.Members != nil && !slices.Contains(delta.Members, id)
		if missing && (delta.Extents == nil || slices.ContainsFunc(delta.Extents, func(e record.Extent) bool { return e.Covers(r.Parent, r.End) })) {
			delete(f.have, id)
		}
	}
}

func shown(title string, start, end time.Time) string {
	return fmt.Sprintf("%s %s-%s", title, start.UTC().Format("01-02 15:04"), end.UTC().Format("01-02 15:04"))
}

// check compares what was followed with the calendar: all of the range, and beyond it nothing that is not there.
func (f *follower) check(when string) {
	var want, got []string
	there := map[string]int{}
	berlin := f.d.side.o.Zone
	for _, e := range f.d.Agenda(time.Time{}, firstDay.AddDate(2, 0, 0)) {
		m, _ := momentOf(e)
		start, end := m.In(berlin)
		one := shown(e.Summary, start, end)
		there[one]++
		if !end.Before(f.d.side.o.From) && (e.RecurringEventId == "" || start.Before(f.d.side.o.To)) {
			want = append(want, one)
		}
	}
	for id, r := range f.have {
		m, err := activity.ReadMoment(r.Fields.One(activity.When))
		if err != nil {
			f.t.Fatal(err)
		}
		start, end := m.In(berlin)
		one := shown(r.Fields.Text(activity.Title), start, end)
		if end.Before(f.d.side.o.From) {
			continue
		}
		if there[one]--; there[one] < 0 {
			f.t.Fatalf("%s: %s, %s, is not in the calendar, or not twice", when, id, one)
		}
		if r.Parent == "" || start.Before(f.d.side.o.To) {
			got = append(got, one)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		f.t.Fatalf("%s (-calendar +followed):\n%s", when, diff)
	}
}

// any is an event of the calendar, or an instance of one.
func (f *follower) any(series bool) string {
	var ids []string
	for _, e := range f.d.Events() {
		if len(e.Recurrence) == 0 || series {
			ids = append(ids, e.Id)
		}
		if len(e.Recurrence) > 0 {
			for _, i := range f.d.Instances(e.Id) {
				ids = append(ids, i.Id)
			}
		}
	}
	if len(ids) == 0 {
		return ""
	}
	return rapid.SampledFrom(ids).Draw(f.t, "event")
}

// step is something that a person does in the calendar.
func (f *follower) step(n int) {
	title := fmt.Sprintf("T%d", n)
	at := firstDay.AddDate(0, 0, rapid.IntRange(-10, 70).Draw(f.t, "day")).Add(time.Duration(rapid.IntRange(8, 16).Draw(f.t, "hour")) * time.Hour)
	rules := []string{
		"RRULE:FREQ=DAILY;COUNT=9", "RRULE:FREQ=WEEKLY;COUNT=6", "RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=5", "RRULE:FREQ=MONTHLY;BYDAY=TU,4SU;COUNT=4",
		"RRULE:FREQ=WEEKLY;BYDAY=WE;COUNT=3", "RRULE:FREQ=DAILY;UNTIL=20260325T120000Z",
	}
	move := func(e *gcal.Event) {
		by := time.Duration(rapid.IntRange(-3, 3).Draw(f.t, "by")) * 30 * time.Minute
		for _, t := range []*gcal.EventDateTime{e.Start, e.End} {
			if was, err := time.Parse(time.RFC3339, t.DateTime); err == nil {
				t.DateTime = was.Add(by).Format(time.RFC3339)
			}
		}
	}
	switch rapid.IntRange(0, 12).Draw(f.t, "what") {
	case 0:
		f.d.Add(recurring(title, at))
	case 1, 2:
		f.d.Add(recurring(title, at, rapid.SampledFrom(rules).Draw(f.t, "rule")))
	case 3:
		f.d.Add(&gcal.Event{
			Summary: title, Start: &gcal.EventDateTime{Date: at.Format(time.DateOnly)}, End: &gcal.EventDateTime{Date: at.AddDate(0, 0, 2).Format(time.DateOnly)},
			Recurrence: []string{"RRULE:FREQ=WEEKLY;COUNT=6"},
		})
	case 4:
		f.d.Edit(f.any(true), func(e *gcal.Event) { e.Summary += "'" })
	case 5:
		f.d.Edit(f.any(true), move)
	case 6:
		f.d.Move(f.any(false), at, at.Add(time.Hour))
	case 7, 8:
		id := f.any(true)
		if f.d.Delete(id); instanceID.MatchString(id) {
			f.deleted = append(f.deleted, id)
		}
	case 9:
		f.d.Split(f.any(false), rapid.Bool().Draw(f.t, "fresh"), func(e *gcal.Event) {
			if e.Summary += "+"; rapid.Bool().Draw(f.t, "moved") {
				move(e)
			}
		})
	case 10:
		f.d.Truncate(f.any(false))
	case 11:
		f.d.Edit(f.any(true), func(e *gcal.Event) {
			if e.RecurringEventId == "" {
				e.Recurrence = rapid.SampledFrom([][]string{nil, {rules[0]}, {rules[1]}, {rules[3]}}).Draw(f.t, "recurrence")
			}
		})
	default:
		if len(f.deleted) > 0 {
			f.d.Restore(rapid.SampledFrom(f.deleted).Draw(f.t, "restored"))
		}
	}
}

func TestWhoever_follows_the_windows_has_what_the_calendar_has(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		f := &follower{d: newDiary(t), t: rt, days: 40, have: map[string]record.Record{}}
		for n := range rapid.IntRange(1, 14).Draw(rt, "steps") {
			f.step(n)
			switch rapid.IntRange(0, 7).Draw(rt, "then") {
			case 0, 1, 2:
				f.follow()
				f.check(fmt.Sprintf("after step %d", n))
			case 3:
				f.d.google.Calendars().ExpireSyncTokens()
			case 4:
				f.days += rapid.IntRange(1, 9).Draw(rt, "days later")
			}
		}
		f.follow()
		f.check("in the end")
		f.follow()
		f.check("and a window later")
	})
}
