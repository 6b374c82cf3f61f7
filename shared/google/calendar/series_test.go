package calendar

import (
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/activity"
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

func TestRequests_are_as_few_as_the_service_lets_them_be(t *testing.T) {
	t.Parallel()
	d := newDiary(t)
	at := firstDay.Add(9 * time.Hour)
	var simple, asked []string
	for i := range 60 {
		simple = append(simple, d.Add(recurring("Rule", at.Add(time.Duration(i)*time.Hour), "RRULE:FREQ=WEEKLY;COUNT=6")))
	}
	for range 3 {
		asked = append(asked, d.Add(recurring("Dates", at, "RRULE:FREQ=DAILY;COUNT=2", "RDATE:20260320T090000Z")))
	}
	long := d.Add(recurring("Long", at, "RRULE:FREQ=DAILY;COUNT=250"))
	var sent atomic.Int64
	through := d.client.HTTP.Transport
	d.client.HTTP.Transport = transport(func(r *http.Request) (*http.Response, error) {
		sent.Add(1)
		return through.RoundTrip(r)
	})
	var delta record.Delta
	count := func(what string, want int, do func()) {
		t.Helper()
		d.open()
		sent.Store(0)
		do()
		if got := int(sent.Load()); got != want {
			t.Errorf("%s: %d requests, want %d", what, got, want)
		}
	}
	window := func(what string, want int) {
		t.Helper()
		count(what, want, func() { delta = d.scan(delta.Cursor) })
	}
	count("everything", 2, func() { delta = d.scan(nil) })
	first := records(delta)
	window("nothing changed", 1)
	for _, id := range simple[:20] {
		d.Edit(id, func(e *gcal.Event) { e.Location = "Hall" })
	}
	window("series with rules", 1)
	d.Delete(d.Instances(simple[0])[2].Id)
	d.Edit(d.Instances(simple[0])[3].Id, func(e *gcal.Event) { e.Summary = "Retro" })
	window("instances", 1)
	for _, id := range asked {
		d.Edit(id, func(e *gcal.Event) { e.Location = "Hall" })
	}
	window("series that are asked for", 2)
	d.Truncate(d.Instances(long)[10].Id)
	window("a long series that ended", 1)
	d.Split(d.Instances(simple[30])[3].Id, true, func(e *gcal.Event) { e.Location = "Hall" })
	window("this and following", 1)
	d.Delete(long)
	window("a series that is gone", 1)

	write := func(what string, want int, ids []string, set record.Fields) {
		t.Helper()
		d.open()
		var ops []record.Operation
		for _, id := range ids {
			r, ok := first[id]
			if !ok {
				t.Fatalf("%s: no record %s", what, id)
			}
			ops = append(ops, change(r, set))
		}
		count(what, want, func() {
			plans, err := d.side.Plan(t.Context(), ops)
			must(t, err)
			results, err := d.side.Apply(t.Context(), plans)
			must(t, err)
			for i, r := range results {
				if must(t, r.Err); r.Record.ID != ids[i] {
					t.Errorf("%s: %s became %s", what, ids[i], r.Record.ID)
				}
				first[ids[i]] = r.Record
			}
		})
	}
	var instances []string
	for _, series := range simple[31:41] {
		for _, e := range d.Instances(series) {
			instances = append(instances, e.Id)
		}
	}
	write("60 instances as their series has them", 2+2, instances, record.Fields{activity.Title: text("Demo")})
	write("60 instances that differ", 2, instances, record.Fields{activity.Title: text("Retro")})
}

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// records are those of a window, by id.
func records(delta record.Delta) map[string]record.Record {
	out := map[string]record.Record{}
	for _, p := range delta.Records {
		r := p.Unpack()
		out[r.ID] = r
	}
	return out
}

func TestAn_instance_is_addressed_by_its_listed_id_or_by_series_and_start(t *testing.T) {
	t.Parallel()
	d := newDiary(t)
	day := &gcal.EventDateTime{Date: "2026-03-04"}
	weekly := recurring("Standup", firstDay.Add(9*time.Hour), "RRULE:FREQ=WEEKLY;COUNT=2")
	rest := recurring("Standup", firstDay.AddDate(0, 0, 14).Add(9*time.Hour), "RRULE:FREQ=WEEKLY;COUNT=2")
	fair := &gcal.Event{Start: day, End: day, Recurrence: []string{"RRULE:FREQ=YEARLY;COUNT=1"}}
	asked := recurring("Dates", firstDay.Add(9*time.Hour), "RDATE:20260320T090000Z")
	k := newKept()
	for id, e := range map[string]*gcal.Event{"a": weekly, "a_R20260316T090000": rest, "f": fair, "d": asked} {
		e.Id, k.Events[id] = id, e
	}
	k.Starts["d"] = []string{"20260302T090000Z", "20260320T090000Z"}
	k.Events["odd"] = &gcal.Event{Id: "odd", RecurringEventId: "a", OriginalStartTime: &gcal.EventDateTime{DateTime: "2026-03-09T10:00:00+01:00"}}
	d.kept = k.encode()
	d.open()
	for id, want := range map[string]address{
		"single":                              {id: "single"},
		"a_20260302T090000Z":                  {series: "a", start: "2026-03-02T09:00:00Z"},
		"a_20260309T090000Z":                  {id: "odd"},
		"a_20260316T090000Z":                  {series: "a_R20260316T090000", start: "2026-03-16T09:00:00Z"},
		"a_R20260316T090000_20260323T090000Z": {series: "a_R20260316T090000", start: "2026-03-23T09:00:00Z"},
		"f_20260304":                          {series: "f", start: "2026-03-04"},
		"d_20260320T090000Z":                  {series: "d", start: "2026-03-20T09:00:00Z"},
		"a_20270101T090000Z":                  {id: "a_20270101T090000Z"},
		"x_20260302T090000Z":                  {id: "x_20260302T090000Z"},
	} {
		got, err := d.side.locate(t.Context(), id)
		must(t, err)
		if *got != want {
			t.Errorf("%s is at %+v, want %+v", id, *got, want)
		}
	}
}

func TestA_series_whose_clock_becomes_another_one_keeps_its_instances(t *testing.T) {
	t.Parallel()
	d := newDiary(t)
	// Lagos has no summer time, so that only the instances of the summer move.
	series := d.Add(recurring("Standup", firstDay.Add(9*time.Hour), "RRULE:FREQ=WEEKLY;COUNT=8"))
	delta := d.scan(nil)
	d.Edit(series, func(e *gcal.Event) { e.Start.TimeZone, e.End.TimeZone = "Africa/Lagos", "Africa/Lagos" })
	d.open()
	delta = d.scan(delta.Cursor)
	stay, goOn := 0, 0
	for _, r := range records(delta) {
		switch {
		case r.Gone:
			t.Errorf("%s is gone", r.ID)
		case len(r.Aliases) == 1:
			goOn++
		default:
			stay++
		}
	}
	if stay != 4 || goOn != 4 {
		t.Errorf("%d instances stay, %d go on", stay, goOn)
	}
}
