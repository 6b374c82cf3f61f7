package google

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	gcal "google.golang.org/api/calendar/v3"
)

func popup(minutes int64) *gcal.EventReminder {
	return &gcal.EventReminder{Method: "popup", Minutes: minutes, ForceSendFields: []string{"Minutes"}}
}

// only are reminders in place of the calendar's.
func only(list ...*gcal.EventReminder) *gcal.EventReminders {
	return &gcal.EventReminders{Overrides: list, ForceSendFields: []string{"UseDefault"}}
}

func minutes(e *gcal.Event) []int64 {
	var out []int64
	for _, r := range e.Reminders.Overrides {
		out = append(out, r.Minutes)
	}
	return out
}

func TestRemindersOfAnEvent(t *testing.T) {
	t.Parallel()
	w := newCalendars(t, Options{})
	api := w.events(ann)
	made := must(api.Events.Insert("primary", meeting("Review", "2026-03-02T09:00", "2026-03-02T10:00")).Do())(t)
	patch := func(r *gcal.EventReminders) (*gcal.Event, error) {
		return api.Events.Patch("primary", made.Id, &gcal.Event{Reminders: r}).Do()
	}
	_, err := patch(&gcal.EventReminders{Overrides: []*gcal.EventReminder{popup(30)}})
	wantReason(t, err, 400, "calendar", "cannotUseDefaultRemindersAndSpecifyOverride")
	_, err = patch(only(slices.Repeat([]*gcal.EventReminder{popup(30)}, 6)...))
	wantReason(t, err, 400, "calendar", "eventRemindersCountExceedsLimit")
	if got := must(patch(only(popup(0), popup(40320), popup(0))))(t); !slices.Equal(minutes(got), []int64{40320, 0}) || got.Reminders.UseDefault {
		t.Errorf("got %s", encode(got.Reminders))
	}
	if got := w.Violations(); len(got) != 0 {
		t.Error(got)
	}
	got := must(patch(only(popup(40321), &gcal.EventReminder{Method: "sms", Minutes: 5})))(t)
	if !slices.Equal(minutes(got), []int64{40320}) || len(w.Violations()) != 2 {
		t.Errorf("of what cannot be, it keeps %s; noted %q", encode(got.Reminders), w.Violations())
	}
	_, err = patch(&gcal.EventReminders{UseDefault: true})
	wantReason(t, err, 400, "calendar", "cannotUseDefaultRemindersAndSpecifyOverride")
	if got := must(patch(&gcal.EventReminders{UseDefault: true, NullFields: []string{"Overrides"}}))(t); !got.Reminders.UseDefault {
		t.Errorf("got %s", encode(got.Reminders))
	}
	if list := w.sync(api); len(list.DefaultReminders) != 1 || list.DefaultReminders[0].Minutes != 10 {
		t.Errorf("the calendar's own are %s", encode(list.DefaultReminders))
	}
}

func TestRemindersDoNotUpdateAnEvent(t *testing.T) {
	t.Parallel()
	for _, quiet := range []bool{false, true} {
		w := newCalendars(t, Options{QuietReminders: quiet})
		api := w.events(ann)
		id := w.Calendar(ann).Add(meeting("Review", "2026-03-02T09:00", "2026-03-02T10:00"))
		before := w.sync(api)
		w.clock.pass(time.Minute)
		w.Calendar(ann).Edit(id, func(e *gcal.Event) { e.Reminders = only(popup(45)) })
		delta := must(api.Events.List("primary").SyncToken(before.NextSyncToken).Do())(t)
		if told := len(delta.Items) == 1; told == quiet {
			t.Errorf("quiet %t: told of %s", quiet, encode(delta.Items))
		}
		now := must(api.Events.Get("primary", id).Do())(t)
		if was := before.Items[0]; now.Updated != was.Updated || now.Etag == was.Etag || !slices.Equal(minutes(now), []int64{45}) {
			t.Errorf("quiet %t: got %s", quiet, encode(now))
		}
	}
}

func TestEventsOfWholeDaysMayShowTheCalendarsReminders(t *testing.T) {
	t.Parallel()
	for _, shown := range []bool{false, true} {
		w := newCalendars(t, Options{AllDayReminders: shown})
		w.Calendar(ann).SetDefaultReminders(popup(20))
		got := must(w.events(ann).Events.Insert("primary", &gcal.Event{Summary: "Trip", Start: on("2026-03-02"), End: on("2026-03-03")}).Do())(t)
		want := []int64(nil)
		if shown {
			want = []int64{20}
		}
		if diff := cmp.Diff(want, minutes(got)); diff != "" || got.Reminders.UseDefault == shown {
			t.Errorf("shown %t: got %s", shown, encode(got.Reminders))
		}
	}
}
