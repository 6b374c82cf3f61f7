package calendar

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/fault"
)

func TestExceptions_may_come_on_any_page_before_their_series_or_without_one(t *testing.T) {
	t.Parallel()
	d := newDiary(t)
	n := 0
	d.rows = func(int) int { n++; return n % 2 }
	add := func(title string) {
		series := d.Add(recurring(title, firstDay.Add(9*time.Hour), "RRULE:FREQ=WEEKLY;COUNT=4"))
		d.Edit(d.Instances(series)[1].Id, func(e *gcal.Event) { e.Summary = title + ", once" })
		d.Delete(d.Instances(series)[2].Id)
	}
	theirs := d.google.Calendar(bob)
	series := theirs.Add(recurring("Bob's", firstDay.Add(12*time.Hour), "RRULE:FREQ=WEEKLY;COUNT=4"))
	only := theirs.Instances(series)[2].Id
	theirs.Edit(only, func(e *gcal.Event) { e.Attendees = []*gcal.EventAttendee{{Email: ada}} })
	for _, title := range []string{"One", "Two", "Three", "Four"} {
		add(title)
	}
	want := map[string]int{"Bob's": 1, "One": 2, "Two": 2, "Three": 2, "Four": 2, "One, once": 1, "Two, once": 1, "Three, once": 1, "Four, once": 1}
	delta := d.scan(nil)
	if diff := cmp.Diff(want, d.count(delta.Members, records(delta))); diff != "" {
		t.Errorf("of everything (-want +got):\n%s", diff)
	}
	if r := records(delta)[only]; r.Parent != series || r.Passive {
		t.Errorf("an instance without its series is %+v", r)
	}
	for _, title := range []string{"Five", "Six", "Seven", "Eight"} {
		add(title)
	}
	d.open()
	delta = d.scan(delta.Cursor)
	want = map[string]int{"Five": 2, "Six": 2, "Seven": 2, "Eight": 2, "Five, once": 1, "Six, once": 1, "Seven, once": 1, "Eight, once": 1}
	if diff := cmp.Diff(want, d.count(delta.Members, records(delta))); diff != "" {
		t.Errorf("of what changed (-want +got):\n%s", diff)
	}
	theirs.Delete(only)
	d.open()
	if r := records(d.scan(delta.Cursor))[only]; !r.Gone {
		t.Errorf("the instance without its series is %+v after its deletion", r)
	}
}

// A change of a series leaves alone what differs from it, which the list does not tell of again.
func TestWhat_differs_from_a_series_is_known_when_only_the_series_changes(t *testing.T) {
	t.Parallel()
	d := newDiary(t)
	series := d.Add(recurring("Standup", firstDay.Add(9*time.Hour), "RRULE:FREQ=WEEKLY;COUNT=20"))
	instances := d.Instances(series)
	d.Delete(instances[2].Id)
	// Beyond the range, and moved out of it, and into it.
	d.Delete(instances[16].Id)
	start, err := time.Parse(time.RFC3339, instances[3].Start.DateTime)
	must(t, err)
	d.Move(instances[3].Id, start.AddDate(1, 0, 0), start.AddDate(1, 0, 0).Add(time.Hour))
	d.Move(instances[18].Id, start, start.Add(time.Hour))
	delta := d.scan(nil)
	before := records(delta)
	d.Edit(series, func(e *gcal.Event) { e.Location = "Hall" })
	d.open()
	delta = d.scan(delta.Cursor)
	after := records(delta)
	if diff := cmp.Diff(ids(before), ids(after)); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
	for _, i := range []int{2, 16} {
		if r, there := after[instances[i].Id]; there && !r.Gone || slices.Contains(delta.Members, instances[i].Id) {
			t.Errorf("the cancelled instance %d is %+v", i, r)
		}
	}
	for i, passive := range map[int]bool{3: true, 18: false} {
		if r := after[instances[i].Id]; r.Gone || r.Passive != passive || !slices.Contains(delta.Members, r.ID) {
			t.Errorf("the instance %d, which was moved, is %+v", i, r)
		}
	}
}

func TestWhat_is_kept_belongs_to_its_cursor(t *testing.T) {
	t.Parallel()
	d := newDiary(t)
	series := d.Add(recurring("Standup", firstDay.Add(9*time.Hour), "RRULE:FREQ=WEEKLY;COUNT=4"))
	first := d.scan(nil)
	of := d.kept
	d.Edit(series, func(e *gcal.Event) { e.Location = "Hall" })
	d.open()
	d.scan(first.Cursor)
	for name, kept := range map[string][]byte{"nothing": nil, "what a later run kept": d.kept, "something else": []byte("x")} {
		d.kept = kept
		d.open()
		if _, err := d.side.Scan(t.Context(), first.Cursor); !fault.Is(err, fault.FullSync) {
			t.Errorf("with %s: %v", name, err)
		}
		if all := d.scan(nil); len(all.Members) != 4 {
			t.Errorf("with %s everything is %v", name, all.Members)
		}
	}
	d.kept = of
	d.open()
	if again := d.scan(first.Cursor); len(again.Members) != 4 {
		t.Errorf("with its own it is %v", again.Members)
	}
}

func TestNothing_of_a_private_series_is_kept_but_when_it_is(t *testing.T) {
	t.Parallel()
	d := newDiary(t)
	e := recurring("Therapy", firstDay.Add(9*time.Hour), "RRULE:FREQ=WEEKLY;COUNT=4")
	e.Visibility, e.Location, e.Description, e.Attendees = "private", "Clinic", "Bring the diary", []*gcal.EventAttendee{{Email: bob}}
	series := d.Add(e)
	d.Edit(d.Instances(series)[1].Id, func(e *gcal.Event) { e.Summary = "Therapy, longer" })
	delta := d.scan(nil)
	k, err := decodeKept(d.kept)
	must(t, err)
	raw, err := json.Marshal(k)
	must(t, err)
	for _, secret := range []string{"Therapy", "Clinic", "diary", bob} {
		if strings.Contains(string(raw), secret) {
			t.Errorf("%q is kept", secret)
		}
		for _, r := range records(delta) {
			if strings.Contains(string(r.AdapterState), secret) {
				t.Errorf("%q is in the state of %s", secret, r.ID)
			}
		}
	}
	// Its rest is still found.
	d.Split(d.Instances(series)[2].Id, true, func(e *gcal.Event) { e.Start.DateTime, e.End.DateTime = "2026-03-16T11:00:00Z", "2026-03-16T12:00:00Z" })
	d.open()
	goOn := 0
	for _, r := range records(d.scan(delta.Cursor)) {
		goOn += len(r.Aliases)
	}
	if goOn != 2 {
		t.Errorf("%d instances go on in the new series", goOn)
	}
}

func TestTwo_parts_of_one_series_at_the_same_time_are_both_there(t *testing.T) {
	t.Parallel()
	d := newDiary(t)
	series := d.Add(recurring("Standup", firstDay.Add(9*time.Hour), "RRULE:FREQ=WEEKLY;COUNT=4"))
	next := recurring("Standup again", firstDay.AddDate(0, 0, 7).Add(9*time.Hour), "RRULE:FREQ=WEEKLY;COUNT=3")
	next.Id = series + "_R20260309T090000"
	d.Add(next)
	delta := d.scan(nil)
	if diff := cmp.Diff(map[string]int{"Standup": 4, "Standup again": 3}, d.count(delta.Members, records(delta))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhat_is_kept_of_an_event_makes_the_same_record(t *testing.T) {
	t.Parallel()
	d := newDiary(t)
	yes := false
	e := recurring("Fair", firstDay.Add(9*time.Hour), "RRULE:FREQ=WEEKLY;COUNT=3")
	e.Description, e.Location, e.GuestsCanSeeOtherGuests, e.GuestsCanModify = "<b>Bring</b> pens", "Hall", &yes, true
	e.Attendees = []*gcal.EventAttendee{{Email: bob, Optional: true, Comment: "late"}, {Email: "room@resource.calendar.google.com", Resource: true}}
	e.Reminders = &gcal.EventReminders{Overrides: []*gcal.EventReminder{{Method: "popup", Minutes: 0, ForceSendFields: []string{"Minutes"}}, {Method: "email", Minutes: 60}}}
	e.ExtendedProperties = &gcal.EventExtendedProperties{Private: map[string]string{mark: "L1", "theirs": "1"}, Shared: map[string]string{creatioMark: "A1"}}
	series := d.Add(e)
	first := d.Instances(series)[0].Id
	d.Edit(first, func(e *gcal.Event) { e.Summary = "Market" })
	d.scan(nil)
	k, err := decodeKept(d.kept)
	must(t, err)
	for _, id := range []string{series, first} {
		e := d.Event(id)
		if diff := cmp.Diff(d.side.record(e), d.side.record(k.Events[id])); diff != "" {
			t.Errorf("%s (-read +kept):\n%s", id, diff)
		}
	}
}
