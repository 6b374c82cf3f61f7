package calendar

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/activity"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
)

func text(s string) []record.Entry { return one(s) }

const (
	morning = "2026-03-04T09:00:00Z/2026-03-04T10:00:00Z"
	evening = "2026-03-04T19:00:00Z/2026-03-04T20:30:00Z"
)

var days = []record.Entry{{Kind: "all day", Text: "2026-03-04/2026-03-06"}}

func TestEvery_field_is_read_and_written(t *testing.T) {
	t.Parallel()
	d := newDiary(t)
	want := record.Fields{
		activity.Title: text("Kickoff"), activity.When: text(morning), activity.Place: text("Room 1"), activity.Notes: text("Bring < 3 copies\nand pens"),
		activity.Reminder: text("20"), activity.Attendees: {{Text: bob}},
	}
	plan, made := d.write(creation(want))
	if made.Err != nil {
		t.Fatal(made.Err)
	}
	got := d.only("Kickoff")
	if diff := cmp.Diff(want, got.Fields); diff != "" {
		t.Errorf("created (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(plan.Displayed, got.Fields); diff != "" {
		t.Errorf("what was planned to show (-planned +shows):\n%s", diff)
	}
	if got.Mark != "L1" || !got.Member || got.ID != made.Record.ID {
		t.Errorf("it is %+v", got)
	}
	if e := d.google.Calendar(bob).Event(got.ID); e == nil || e.Summary != "Kickoff" {
		t.Errorf("bob has %+v", e)
	}
	set := record.Fields{
		activity.Title: text("Kickoff 2"), activity.When: days, activity.Place: nil, activity.Notes: nil, activity.Reminder: nil, activity.Attendees: nil,
	}
	plan, changed := d.write(change(got, set))
	if changed.Err != nil {
		t.Fatal(changed.Err)
	}
	got = d.only("Kickoff 2")
	if diff := cmp.Diff(record.Fields{activity.Title: text("Kickoff 2"), activity.When: days}, got.Fields); diff != "" {
		t.Errorf("changed (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(plan.Displayed, got.Fields); diff != "" {
		t.Errorf("what was planned to show (-planned +shows):\n%s", diff)
	}
	plan, changed = d.write(change(got, record.Fields{activity.When: text(evening)}))
	if changed.Err != nil {
		t.Fatal(changed.Err)
	}
	if diff := cmp.Diff(plan.Displayed, d.only("Kickoff 2").Fields); diff != "" {
		t.Errorf("timed again (-planned +shows):\n%s", diff)
	}
}

func TestA_patch_leaves_everything_else_as_it_is(t *testing.T) {
	t.Parallel()
	d := newDiary(t)
	e := timed("Fair", 4, 9)
	e.ColorId, e.Visibility, e.Transparency = "7", "public", "transparent"
	e.Description = "<b>Bring</b> pens"
	e.Attendees = []*gcal.EventAttendee{{Email: bob, Comment: "late", Optional: true}, {Email: "room@resource.calendar.google.com", Resource: true}}
	e.Reminders = &gcal.EventReminders{Overrides: []*gcal.EventReminder{{Method: "email", Minutes: 60}, {Method: "popup", Minutes: 10}}}
	e.ExtendedProperties = &gcal.EventExtendedProperties{Private: map[string]string{"theirs": "1"}, Shared: map[string]string{"ours": "2"}}
	id := d.Add(e)
	before := d.Event(id)
	r := d.only("Fair")
	if r.Fields.Text(activity.Notes) != "Bring pens" {
		t.Errorf("the notes are %q", r.Fields.Text(activity.Notes))
	}
	if _, done := d.write(change(r, record.Fields{activity.Title: text("Market")})); done.Err != nil {
		t.Fatal(done.Err)
	}
	after := d.Event(id)
	before.Summary = "Market"
	for _, e := range []*gcal.Event{before, after} {
		e.Etag, e.Updated, e.Sequence = "", "", 0
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
}

func TestWhat_somebody_changed_meanwhile_is_a_conflict(t *testing.T) {
	t.Parallel()
	d := newDiary(t)
	id := d.Add(timed("Fair", 4, 9))
	r := d.only("Fair")
	d.Edit(id, func(e *gcal.Event) { e.Location = "Hall" })
	if _, done := d.write(change(r, record.Fields{activity.Title: text("Market")})); !fault.Is(done.Err, fault.Conflict) {
		t.Errorf("the change: %v", done.Err)
	}
	if _, done := d.write(record.Operation{Action: record.Delete, Link: "L1", ID: id, AdapterState: r.AdapterState}); !fault.Is(done.Err, fault.Conflict) {
		t.Errorf("the deletion: %v", done.Err)
	}
	r = d.only("Fair")
	if _, done := d.write(record.Operation{Action: record.Delete, Link: "L1", ID: id, AdapterState: r.AdapterState}); done.Err != nil || !done.Record.Gone {
		t.Errorf("the deletion of what is known: %+v", done)
	}
	if _, done := d.write(record.Operation{Action: record.Delete, Link: "L1", ID: id}); done.Err != nil {
		t.Errorf("the deletion of what is deleted: %v", done.Err)
	}
}

func TestMaking_an_event_again_makes_no_second_one(t *testing.T) {
	t.Parallel()
	d := newDiary(t)
	fields := record.Fields{activity.Title: text("Fair"), activity.When: text(morning)}
	_, first := d.write(creation(fields))
	_, second := d.write(creation(fields))
	if first.Err != nil || second.Err != nil || first.Record.ID != second.Record.ID || len(d.Events()) != 1 {
		t.Fatalf("made %q and %q, %d events", first.Record.ID, second.Record.ID, len(d.Events()))
	}
	// The id of one that was deleted stays taken.
	d.Delete(first.Record.ID)
	_, third := d.write(creation(fields))
	if third.Err != nil || third.Record.ID == first.Record.ID {
		t.Errorf("after the deletion: %+v", third)
	}
}

func TestNothing_changed_is_one_request(t *testing.T) {
	t.Parallel()
	d := newDiary(t)
	d.Add(timed("Fair", 4, 9))
	weekly := timed("Standup", 3, 9)
	weekly.Recurrence = []string{"RRULE:FREQ=WEEKLY"}
	d.Add(weekly)
	_, delta := d.scanned(nil)
	d.open()
	d.google.ResetRequests()
	found, _ := d.scanned(delta.Cursor)
	if n := len(d.google.Requests()); len(found) != 0 || n != 1 {
		t.Errorf("found %v by %d requests", found, n)
	}
}

func TestOnly_events_of_the_range_and_of_the_calendar_itself_take_part(t *testing.T) {
	t.Parallel()
	d := newDiary(t)
	d.Add(timed("Before", 1, 9))
	d.Add(timed("Fair", 4, 9))
	late := timed("Late", 4, 9)
	late.Recurrence = []string{"RRULE:FREQ=MONTHLY;COUNT=6"}
	d.Add(late)
	for _, kind := range []string{"birthday", "fromGmail", "outOfOffice", "focusTime"} {
		e := timed(kind, 5, 9)
		e.EventType = kind
		if kind == "birthday" {
			e.Start, e.End = &gcal.EventDateTime{Date: "2026-03-05"}, &gcal.EventDateTime{Date: "2026-03-06"}
			e.Recurrence, e.Visibility, e.Transparency = []string{"RRULE:FREQ=YEARLY"}, "private", "transparent"
		}
		d.Add(e)
	}
	found, delta := d.scanned(nil)
	var members []string
	for name, r := range found {
		if r.Member && !r.Passive {
			members = append(members, name)
		}
		if r.Member != slices.Contains(delta.Members, r.ID) {
			t.Errorf("%s: member %t, listed %t", name, r.Member, !r.Member)
		}
	}
	slices.Sort(members)
	if diff := cmp.Diff([]string{"Fair", "Late", "Late'", "Late''"}, members); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestInstances_follow_their_series(t *testing.T) {
	t.Parallel()
	d := newDiary(t)
	weekly := timed("Standup", 3, 9)
	weekly.Recurrence = []string{"RRULE:FREQ=WEEKLY;COUNT=4"}
	series := d.Add(weekly)
	found, delta := d.scanned(nil)
	if len(found) != 4 || found["Standup"].Parent != series {
		t.Fatalf("found %v", found)
	}
	second := d.Instances(series)[1]
	d.Edit(second.Id, func(e *gcal.Event) { e.Summary = "Retro" })
	d.open()
	found, delta = d.scanned(delta.Cursor)
	if r := found["Retro"]; len(found) != 1 || r.ID != second.Id || r.Parent != series || !r.Member {
		t.Fatalf("after a change of one: %v", found)
	}
	d.Delete(d.Instances(series)[2].Id)
	d.open()
	found, delta = d.scanned(delta.Cursor)
	if len(found) != 1 || delta.Members != nil {
		t.Fatalf("after a deletion of one: %v, %v", found, delta.Members)
	}
	d.Edit(series, func(e *gcal.Event) { e.Location = "Hall" })
	d.open()
	found, delta = d.scanned(delta.Cursor)
	if len(delta.Members) != 3 || len(delta.Extents) != 1 || delta.Extents[0].Parent != series || found["Standup"].Fields.Text(activity.Place) != "Hall" {
		t.Fatalf("after a change of all: %v, %v", found, delta.Members)
	}
	d.Delete(series)
	d.open()
	_, delta = d.scanned(delta.Cursor)
	if delta.Members == nil || len(delta.Members) != 0 || !slices.ContainsFunc(delta.Extents, func(e record.Extent) bool { return e.Parent == series }) {
		t.Fatalf("after a deletion of all: %v, %v", delta.Members, delta.Extents)
	}
}

func TestAn_instance_is_written_by_itself(t *testing.T) {
	t.Parallel()
	d := newDiary(t)
	weekly := timed("Standup", 3, 9)
	weekly.Recurrence = []string{"RRULE:FREQ=WEEKLY;COUNT=4"}
	series := d.Add(weekly)
	found, _ := d.scanned(nil)
	r := found["Standup'"]
	if _, done := d.write(change(r, record.Fields{activity.Title: text("Retro"), activity.When: text(evening)})); done.Err != nil || done.Record.Fields.Text(activity.Title) != "Retro" {
		t.Fatalf("changed: %+v", done)
	}
	var titles []string
	for _, e := range d.Instances(series) {
		titles = append(titles, e.Summary)
	}
	slices.Sort(titles)
	if got := strings.Join(titles, " "); got != "Retro Standup Standup Standup" {
		t.Errorf("the series has %s", got)
	}
	// Somebody changes the one after it before it is written.
	other := found["Standup''"]
	d.Edit(other.ID, func(e *gcal.Event) { e.Location = "Hall" })
	if _, done := d.write(change(other, record.Fields{activity.Title: text("Demo")})); !fault.Is(done.Err, fault.Conflict) {
		t.Errorf("a change of what changed: %v", done.Err)
	}
	last := found["Standup'''"]
	if _, done := d.write(record.Operation{Action: record.Delete, Link: "L2", ID: last.ID, AdapterState: last.AdapterState, Before: last.Fields}); done.Err != nil || len(d.Instances(series)) != 3 {
		t.Errorf("deleted: %+v, %d are left", done, len(d.Instances(series)))
	}
}

// Google may give an empty page although another one follows: an instance that is not on it is not gone.
func TestAn_instance_behind_an_empty_page_is_deleted(t *testing.T) {
	t.Parallel()
	d := newDiary(t)
	weekly := timed("Standup", 3, 9)
	weekly.Recurrence = []string{"RRULE:FREQ=WEEKLY;COUNT=4"}
	series := d.Add(weekly)
	found, _ := d.scanned(nil)
	last := found["Standup'''"]
	empty := 2
	d.rows = func(asked int) int {
		if empty--; empty >= 0 {
			return 0
		}
		return asked
	}
	if _, done := d.write(record.Operation{Action: record.Delete, Link: "L2", ID: last.ID, AdapterState: last.AdapterState, Before: last.Fields}); done.Err != nil || len(d.Instances(series)) != 3 {
		t.Errorf("deleted: %+v, %d are left", done, len(d.Instances(series)))
	}
}

func TestThe_popup_of_Creatio_stays_its_own(t *testing.T) {
	t.Parallel()
	d := newDiary(t)
	d.SetDefaultReminders(&gcal.EventReminder{Method: "popup", Minutes: 10})
	id := d.Add(timed("Fair", 4, 9))
	r := d.only("Fair")
	if r.Fields.Text(activity.Reminder) != "" {
		t.Fatalf("the calendar's own reminder is taken for %s", r.Fields.Text(activity.Reminder))
	}
	for _, minutes := range []string{"30", "45"} {
		_, done := d.write(change(r, record.Fields{activity.Reminder: text(minutes)}))
		if done.Err != nil {
			t.Fatal(done.Err)
		}
		for range 3 {
			d.open()
			if r = d.side.Remember(done.Record, d.only("Fair")); r.Fields.Text(activity.Reminder) != minutes {
				t.Fatalf("%s minutes became %s", minutes, r.Fields.Text(activity.Reminder))
			}
		}
	}
	var popups []int64
	for _, o := range d.Event(id).Reminders.Overrides {
		popups = append(popups, o.Minutes)
	}
	slices.Sort(popups)
	if !slices.Equal(popups, []int64{10, 45}) {
		t.Errorf("the popups are %v", popups)
	}
}

func TestA_private_event_shows_when_it_is_and_nothing_else(t *testing.T) {
	t.Parallel()
	d := newDiary(t)
	id := d.Add(timed("Fair", 4, 9))
	known := d.only("Fair")
	d.Edit(id, func(e *gcal.Event) {
		e.Visibility, e.Summary, e.Location = "private", "Secret fair", "Home"
		e.Start.DateTime, e.End.DateTime = "2026-03-04T19:00:00Z", "2026-03-04T20:30:00Z"
	})
	r := d.only("Busy")
	if diff := cmp.Diff(record.Fields{activity.Title: text("Busy"), activity.When: text(evening)}, r.Fields); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, name := range activity.Schema.Names() {
		if !slices.Contains(r.Locked, name) {
			t.Errorf("%s may be written", name)
		}
	}
	// What was known before it became private stays.
	if got := d.side.Remember(known, r).Fields; got.Text(activity.Title) != "Fair" || got.Text(activity.When) != evening {
		t.Errorf("in the light of before: %v", got)
	}
	d.open(func(o *Options) { o.Private = Skip })
	if r := d.only("Busy"); !r.Passive {
		t.Error("a private event that is to be left out begins a pair")
	}
	d.open(func(o *Options) { o.Private = Full })
	d.only("Secret fair")
}

func TestA_guest_writes_the_own_answer_and_nothing_else(t *testing.T) {
	t.Parallel()
	d := newDiary(t)
	e := timed("Fair", 4, 9)
	e.Attendees = []*gcal.EventAttendee{{Email: ada}}
	id := d.google.Calendar(bob).Add(e)
	r := d.only("Fair")
	if r.Fields.Text(activity.Answer) != "" || !slices.Contains(r.Locked, activity.Title) || slices.Contains(r.Locked, activity.Answer) || !slices.Contains(r.Locked, record.Removal) {
		t.Fatalf("the invitation is %+v, locked %v", r.Fields, r.Locked)
	}
	if _, done := d.write(change(r, record.Fields{activity.Answer: text(activity.Tentative)})); done.Err != nil || done.Record.Fields.Text(activity.Answer) != activity.Tentative {
		t.Fatalf("answered: %+v", done)
	}
	i := slices.IndexFunc(d.google.Calendar(bob).Event(id).Attendees, func(a *gcal.EventAttendee) bool { return a.Email == ada })
	if got := d.google.Calendar(bob).Event(id).Attendees[i].ResponseStatus; got != activity.Tentative {
		t.Errorf("bob sees %s", got)
	}
}

func TestNotes_are_cut_at_a_whole_character(t *testing.T) {
	t.Parallel()
	const family = "\U0001F468\u200d\U0001F469\u200d\U0001F467"
	d := newDiary(t)
	for title, row := range map[string]struct{ long, want string }{
		"words":           {long: strings.TrimSpace(strings.Repeat("notes of many words 🚤 & more ", 700))},
		"a family":        {strings.Repeat("x", activity.MaxNotes-3) + family, strings.Repeat("x", activity.MaxNotes-3)},
		"a combined sign": {strings.Repeat("x", activity.MaxNotes-1) + "e\u0301", strings.Repeat("x", activity.MaxNotes-1)},
		"one too many":    {strings.Repeat("x", activity.MaxNotes+1), strings.Repeat("x", activity.MaxNotes)},
	} {
		op := creation(record.Fields{activity.Title: text(title), activity.When: text(morning), activity.Notes: text(row.long)})
		op.Link = title
		plan, done := d.write(op)
		if done.Err != nil || len(plan.Notes) != 1 || len(plan.Projections) != 1 {
			t.Fatalf("%s: created: %v, notes %+v", title, done.Err, plan.Notes)
		}
		got := d.only(title).Fields.Text(activity.Notes)
		if !strings.HasPrefix(row.long, got) || len(got) < 8000 || got != plan.Displayed.Text(activity.Notes) || row.want != "" && got != row.want {
			t.Errorf("%s: %d bytes are left", title, len(got))
		}
	}
}

func TestA_cursor_of_another_range_reads_everything(t *testing.T) {
	t.Parallel()
	d := newDiary(t)
	d.Add(timed("Fair", 4, 9))
	_, delta := d.scanned(nil)
	d.open(func(o *Options) { o.To = o.To.Add(24 * time.Hour) })
	if _, err := d.side.Scan(t.Context(), delta.Cursor); !fault.Is(err, fault.FullSync) {
		t.Errorf("got %v", err)
	}
	d.open()
	d.google.Calendars().ExpireSyncTokens()
	if _, err := d.side.Scan(t.Context(), delta.Cursor); !fault.Is(err, fault.FullSync) {
		t.Errorf("of an expired token got %v", err)
	}
}
