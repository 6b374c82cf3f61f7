package google

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	gcal "google.golang.org/api/calendar/v3"
)

// reload is another simulated Google with what this one saved.
func (w *world) reload() *Server {
	w.t.Helper()
	var saved bytes.Buffer
	if err := w.Save(&saved); err != nil {
		w.t.Fatal(err)
	}
	other := New(Options{Now: w.clock.Now})
	if err := other.Load(&saved); err != nil {
		w.t.Fatal(err)
	}
	return other
}

// daily is a series from 9 to half past 9 in Berlin.
func daily(title, rule string, guests ...string) *gcal.Event {
	e := meeting(title, "2026-03-02T09:00", "2026-03-02T09:30", guests...)
	e.Recurrence = []string{rule}
	return e
}

// begins are the starts of instances, as an answer shows them.
func begins(list []*gcal.Event) string {
	var out []string
	for _, e := range list {
		out = append(out, e.Start.DateTime+e.Start.Date)
	}
	return strings.Join(out, " ")
}

func TestInstancesOfASeries(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		zone, start, rule string
		want              string
	}{
		"across a change of clocks": {
			"Europe/Brussels", "2018-10-27T08:00", "RRULE:FREQ=DAILY;COUNT=3",
			"2018-10-27T08:00:00+02:00 2018-10-28T08:00:00+01:00 2018-10-29T08:00:00+01:00",
		},
		"at a time that clocks skip": {
			"America/New_York", "2026-03-07T02:30", "RRULE:FREQ=DAILY;COUNT=2", "2026-03-07T02:30:00-05:00 2026-03-08T03:30:00-04:00",
		},
		"at a time that comes twice": {"Europe/Kyiv", "2026-10-25T03:30", "RRULE:FREQ=DAILY;COUNT=1", "2026-10-25T03:30:00+03:00"},
		"until an evening by another zone": {
			"America/Argentina/Buenos_Aires", "2023-10-12T10:00", "RRULE:FREQ=WEEKLY;UNTIL=20231026T025959Z",
			"2023-10-12T10:00:00-03:00 2023-10-19T10:00:00-03:00",
		},
		"until the last one's moment": {
			"Asia/Jerusalem", "2023-08-05T12:30", "RRULE:FREQ=WEEKLY;UNTIL=20230819T093000Z",
			"2023-08-05T12:30:00+03:00 2023-08-12T12:30:00+03:00 2023-08-19T12:30:00+03:00",
		},
		"until a day": {
			"Pacific/Auckland", "2021-12-09T08:00", "RRULE:FREQ=DAILY;UNTIL=20211211",
			"2021-12-09T08:00:00+13:00 2021-12-10T08:00:00+13:00 2021-12-11T08:00:00+13:00",
		},
		"of whole days, until a moment": {
			"Europe/Berlin", "2020-12-29", "RRULE:FREQ=MONTHLY;UNTIL=20211129T230000Z;BYDAY=TU;BYSETPOS=-1",
			"2020-12-29 2021-01-26 2021-02-23 2021-03-30 2021-04-27 2021-05-25 2021-06-29 2021-07-27 2021-08-31 2021-09-28 2021-10-26 2021-11-30",
		},
		"that begins outside of its rule": {
			"Europe/Berlin", "2024-05-30T20:00", "RRULE:FREQ=WEEKLY;BYDAY=WE;COUNT=3",
			"2024-05-30T20:00:00+02:00 2024-06-05T20:00:00+02:00 2024-06-12T20:00:00+02:00 2024-06-19T20:00:00+02:00",
		},
		"whose rule ends with a semicolon": {
			"Europe/Berlin", "2026-03-02T09:00", "RRULE:FREQ=WEEKLY;COUNT=2;BYDAY=MO;", "2026-03-02T09:00:00+01:00 2026-03-09T09:00:00+01:00",
		},
		"on plain and numbered weekdays": {
			"Europe/Berlin", "2026-03-17", "RRULE:FREQ=MONTHLY;BYDAY=TU,4SU;COUNT=4", "2026-03-17 2026-03-22 2026-03-24 2026-03-31",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newCalendars(t, Options{})
			w.Calendar(ann).SetTimeZone(c.zone)
			api := w.events(ann)
			when := &gcal.EventDateTime{DateTime: c.start + ":00", TimeZone: c.zone}
			if len(c.start) == len(time.DateOnly) {
				when = on(c.start)
			}
			made := must(api.Events.Insert("primary", &gcal.Event{Summary: "Series", Start: when, End: when, Recurrence: []string{c.rule}}).Do())(t)
			got := must(api.Events.Instances("primary", made.Id).Do())(t)
			if diff := cmp.Diff(c.want, begins(got.Items)); diff != "" {
				t.Error(diff)
			}
			for _, one := range got.Items {
				read := must(api.Events.Get("primary", one.Id).Do())(t)
				if read.Etag != one.Etag || read.RecurringEventId != made.Id || read.Recurrence != nil || read.ICalUID != made.ICalUID {
					t.Errorf("read alone, an instance is %s", encode(read))
				}
			}
		})
	}
}

func TestAnInstanceLeavesItsSeries(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	api := w.events(ann)
	series := must(api.Events.Insert("primary", daily("Standup", "RRULE:FREQ=DAILY;COUNT=5")).Do())(t)
	second, third := series.Id+"_20260303T080000Z", series.Id+"_20260304T080000Z"
	token := w.sync(api).NextSyncToken
	moved := must(api.Events.Patch("primary", second, &gcal.Event{Summary: "Long", Start: at("2026-03-10T11:00"), End: at("2026-03-10T12:00")}).Do())(t)
	if moved.Id != second || moved.RecurringEventId != series.Id || moved.OriginalStartTime.DateTime != "2026-03-03T09:00:00+01:00" {
		t.Errorf("moved, it is %s", encode(moved))
	}
	if err := api.Events.Delete("primary", third).Do(); err != nil {
		t.Fatal(err)
	}
	wantReason(t, api.Events.Delete("primary", third).Do(), 410, "global", "deleted")
	delta := must(api.Events.List("primary").SyncToken(token).Do())(t)
	if diff := cmp.Diff([]string{"-" + third, "Long"}, titles(delta.Items)); diff != "" {
		t.Error(diff)
	}
	gone := delta.Items[slices.IndexFunc(delta.Items, func(e *gcal.Event) bool { return e.Id == third })]
	if gone.RecurringEventId != series.Id || gone.OriginalStartTime.DateTime != "2026-03-04T09:00:00+01:00" || gone.Start != nil || gone.Summary != "" {
		t.Errorf("of a deleted instance is told %s", encode(gone))
	}
	if full := w.sync(api); len(full.Items) != 3 {
		t.Errorf("a full list has %q", titles(full.Items))
	}
	// What was edited stays, what was not follows.
	if _, err := api.Events.Patch("primary", series.Id, &gcal.Event{Summary: "Daily", Location: "Room 4"}).Do(); err != nil {
		t.Fatal(err)
	}
	if got := must(api.Events.Get("primary", second).Do())(t); got.Summary != "Long" || got.Location != "Room 4" || got.Start.DateTime != "2026-03-10T11:00:00+01:00" {
		t.Errorf("after a change of the series, it is %s", encode(got))
	}
	list := must(api.Events.Instances("primary", series.Id).TimeMin("2026-03-05T00:00:00Z").Do())(t)
	if diff := cmp.Diff("2026-03-05T09:00:00+01:00 2026-03-06T09:00:00+01:00 2026-03-10T11:00:00+01:00", begins(list.Items)); diff != "" {
		t.Error(diff)
	}
	one := must(api.Events.Instances("primary", series.Id).OriginalStart("2026-03-03T08:00:00Z").Do())(t)
	if len(one.Items) != 1 || one.Items[0].Id != second {
		t.Errorf("by its original start, found %s", encode(one.Items))
	}
	if all := must(api.Events.Instances("primary", series.Id).ShowDeleted(true).Do())(t); len(all.Items) != 5 {
		t.Errorf("with the deleted one, there are %d", len(all.Items))
	}
	single := must(api.Events.List("primary").SingleEvents(true).OrderBy("startTime").Do())(t)
	if diff := cmp.Diff("2026-03-02T09:00:00+01:00 2026-03-05T09:00:00+01:00 2026-03-06T09:00:00+01:00 2026-03-10T11:00:00+01:00", begins(single.Items)); diff != "" {
		t.Error(diff)
	}
	if back := must(api.Events.Patch("primary", third, &gcal.Event{Status: "confirmed"}).Do())(t); back.Summary != "Daily" {
		t.Errorf("came back as %s", encode(back))
	}
	if err := api.Events.Delete("primary", series.Id).Do(); err != nil {
		t.Fatal(err)
	}
	if full := w.sync(api); len(full.Items) != 0 {
		t.Errorf("after the series is deleted, there are %q", titles(full.Items))
	}
	_, err := api.Events.Instances("primary", series.Id).Do()
	wantReason(t, err, 410, "global", "deleted")
	_, err = api.Events.Get("primary", series.Id+"_20260302T080000Z").Do()
	wantReason(t, err, 404, "global", "notFound")
	if got := must(api.Events.Get("primary", second).Do())(t); got.Status != "cancelled" {
		t.Errorf("an instance of it is %s", encode(got))
	}
}

func TestAnInstanceIsChangedInTheVersionThatWasRead(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	api := w.events(ann)
	series := must(api.Events.Insert("primary", daily("Standup", "RRULE:FREQ=DAILY;COUNT=5")).Do())(t)
	second := must(api.Events.Get("primary", series.Id+"_20260303T080000Z").Do())(t)
	w.Calendar(ann).Edit(series.Id, func(e *gcal.Event) { e.Summary = "Daily" })
	patch := api.Events.Patch("primary", second.Id, &gcal.Event{Location: "Room 4"})
	patch.Header().Set("If-Match", second.Etag)
	_, err := patch.Do()
	wantReason(t, err, 412, "global", "conditionNotMet")
	_, err = api.Events.Patch("primary", second.Id, &gcal.Event{Recurrence: []string{"RRULE:FREQ=DAILY"}}).Do()
	wantReason(t, err, 400, "calendar", "cannotChangeInstanceRecurrence")
	_, err = api.Events.Get("primary", series.Id+"_20260303T090000Z").Do()
	wantReason(t, err, 404, "global", "notFound")
}

func TestASeriesIsMovedAndItsInstancesWithIt(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	api, cal := w.events(ann), w.Calendar(ann)
	series := cal.Add(daily("Standup", "RRULE:FREQ=DAILY;COUNT=3"))
	cal.Edit(series+"_20260303T080000Z", func(e *gcal.Event) { e.Summary = "Long" })
	token := w.sync(api).NextSyncToken
	cal.Edit(series, func(e *gcal.Event) { e.Start, e.End = at("2026-03-02T10:00"), at("2026-03-02T10:30") })
	if diff := cmp.Diff("2026-03-02T10:00:00+01:00 2026-03-03T10:00:00+01:00 2026-03-04T10:00:00+01:00", begins(cal.Instances(series))); diff != "" {
		t.Error(diff)
	}
	delta := must(api.Events.List("primary").SyncToken(token).Do())(t)
	if diff := cmp.Diff([]string{"-" + series + "_20260303T080000Z", "Standup"}, titles(delta.Items)); diff != "" {
		t.Error(diff)
	}
}

func TestThisAndFollowing(t *testing.T) {
	t.Parallel()
	const from = "_20260304T080000Z"
	for name, c := range map[string]struct {
		fresh bool
		edit  func(*gcal.Event)
		// id is that of the new series, kept whether the instances that differ go to it.
		id   string
		kept bool
		want string
	}{
		"with another title": {
			false, func(e *gcal.Event) { e.Summary = "Daily" }, "_R20260304T080000", true,
			"2026-03-04T09:00:00+01:00 2026-03-05T11:00:00+01:00 2026-03-06T09:00:00+01:00",
		},
		"at another time": {
			false, func(e *gcal.Event) { e.Start, e.End = at("2026-03-04T09:30"), at("2026-03-04T10:00") }, "_R20260304T080000", false,
			"2026-03-04T09:30:00+01:00 2026-03-05T09:30:00+01:00 2026-03-06T09:30:00+01:00",
		},
		"at another time, with a fresh id": {
			true, func(e *gcal.Event) { e.Start, e.End = at("2026-03-04T09:30"), at("2026-03-04T10:00") }, "", false,
			"2026-03-04T09:30:00+01:00 2026-03-05T09:30:00+01:00 2026-03-06T09:30:00+01:00",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newCalendars(t, Options{})
			api, cal := w.events(ann), w.Calendar(ann)
			old := cal.Add(daily("Standup", "RRULE:FREQ=DAILY;COUNT=5", bob))
			fourth := old + "_20260305T080000Z"
			cal.Move(fourth, time.Date(2026, 3, 5, 10, 0, 0, 0, time.UTC), time.Date(2026, 3, 5, 10, 30, 0, 0, time.UTC))
			token := w.sync(api).NextSyncToken
			series := cal.Split(old+from, c.fresh, c.edit)
			if c.id != "" && series != old+c.id || series == "" {
				t.Fatalf("the new series is %q of %q", series, old)
			}
			for _, person := range []string{ann, bob} {
				if diff := cmp.Diff(c.want, begins(w.Calendar(person).Instances(series))); diff != "" {
					t.Errorf("%s: %s", person, diff)
				}
				if diff := cmp.Diff("2026-03-02T09:00:00+01:00 2026-03-03T09:00:00+01:00", begins(w.Calendar(person).Instances(old))); diff != "" {
					t.Errorf("%s: %s", person, diff)
				}
			}
			if diff := cmp.Diff([]string{"RRULE:FREQ=DAILY;UNTIL=20260303T225959Z"}, cal.Event(old).Recurrence); diff != "" {
				t.Error(diff)
			}
			delta := must(api.Events.List("primary").SyncToken(token).Do())(t)
			for _, e := range delta.Items {
				if e.Id == fourth && (e.Status == "confirmed") != c.kept {
					t.Errorf("the instance that differed is %s", encode(e))
				}
				if e.Id == fourth && c.kept && e.RecurringEventId != series {
					t.Errorf("it belongs to %s, not to %s", e.RecurringEventId, series)
				}
			}
			if len(delta.Items) != 3 {
				t.Errorf("told of %q", titles(delta.Items))
			}
			list := must(api.Events.Instances("primary", series).Do())(t)
			base := old
			if c.fresh {
				base = series
			}
			for _, one := range list.Items {
				if !strings.HasPrefix(one.Id, base+"_2026") || must(api.Events.Get("primary", one.Id).Do())(t).RecurringEventId != series {
					t.Errorf("an instance is %s", encode(one))
				}
			}
		})
	}
}

// The start counts beside the rule where it is none of the rule's, and what was taken out counts.
func TestASeriesThatIsSplitHasAllOfItsInstances(t *testing.T) {
	t.Parallel()
	for name, rules := range map[string][]string{
		"a start outside the rule": {"RRULE:FREQ=WEEKLY;BYDAY=TU;COUNT=4"},
		"one taken out":            {"EXDATE;TZID=Europe/Berlin:20260303T090000", "RRULE:FREQ=DAILY;COUNT=6"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cal := newCalendars(t, Options{}).Calendar(ann)
			e := daily("Standup", "")
			e.Recurrence = rules
			series := cal.Add(e)
			before := cal.Instances(series)
			next := cal.Split(before[2].Id, false, func(e *gcal.Event) { e.Summary = "Daily" })
			if diff := cmp.Diff(begins(before), begins(append(cal.Instances(series), cal.Instances(next)...))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTheRestOfASeriesIsDeleted(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	cal := w.Calendar(ann)
	series := cal.Add(&gcal.Event{Summary: "Trip", Start: on("2026-03-02"), End: on("2026-03-03"), Recurrence: []string{"RRULE:FREQ=WEEKLY"}})
	if !cal.Truncate(series + "_20260316") {
		t.Fatal("not done")
	}
	if diff := cmp.Diff([]string{"RRULE:FREQ=WEEKLY;UNTIL=20260315"}, cal.Event(series).Recurrence); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("2026-03-02 2026-03-09", begins(cal.Instances(series))); diff != "" {
		t.Error(diff)
	}
}

func TestASeriesWithoutAnEndHasAnEndInAList(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	api := w.events(ann)
	series := w.Calendar(ann).Add(daily("Standup", "RRULE:FREQ=DAILY"))
	n, page := 0, ""
	for {
		call := api.Events.Instances("primary", series)
		if page != "" {
			call.PageToken(page)
		}
		got := must(call.Do())(t)
		if n += len(got.Items); got.NextPageToken == "" {
			break
		}
		page = got.NextPageToken
	}
	if n != 730 {
		t.Errorf("got %d instances", n)
	}
}
