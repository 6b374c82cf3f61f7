package activities

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/activity"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	box "github.com/tandem-sync/tandem/shared/sandbox/creatio"
	"github.com/tandem-sync/tandem/shared/zone"
)

// newID is the id of an activity that tests make.
const newID = "aaaaaaaa-0000-4000-8000-000000000001"

// timed and days are values of the field for the time.
func timed(start, end string) []record.Entry {
	from, err := time.Parse(time.RFC3339, start)
	to, err2 := time.Parse(time.RFC3339, end)
	if err != nil || err2 != nil {
		panic(start + " or " + end + " is no time")
	}
	return []record.Entry{activity.Timed(from, to).Entry()}
}

func days(first, after string) []record.Entry {
	from, err := zone.ParseDate(first)
	to, err2 := zone.ParseDate(after)
	if err != nil || err2 != nil {
		panic(first + " or " + after + " is no day")
	}
	return []record.Entry{activity.Days(from, to).Entry()}
}

func text(s string) []record.Entry { return []record.Entry{{Text: s}} }

// create is the creation of an activity with fields.
func create(fields record.Fields) record.Operation {
	all := record.Fields{activity.Title: text("Kick-off"), activity.When: timed("2026-03-03T09:00:00Z", "2026-03-03T10:00:00Z")}
	maps.Copy(all, fields)
	return record.Operation{
		Action: record.Create, ID: newID, Join: true, Before: record.Fields{}, After: all, Changed: slices.Sorted(maps.Keys(all)),
	}
}

// update is the change of fields of an activity as it was read.
func update(r record.Record, fields record.Fields) record.Operation {
	after := r.Fields.Clone()
	maps.Copy(after, fields)
	return record.Operation{
		Action: record.Update, ID: r.ID, AdapterState: r.AdapterState, Before: r.Fields, After: after, Changed: slices.Sorted(maps.Keys(fields)),
	}
}

func act(r record.Record, action record.Action) record.Operation {
	return record.Operation{Action: action, ID: r.ID, AdapterState: r.AdapterState, Before: r.Fields, After: r.Fields}
}

func (s *site) plan(ops ...record.Operation) []record.Plan {
	s.t.Helper()
	plans, err := s.side.Plan(s.t.Context(), ops)
	s.must(err)
	return plans
}

// apply plans and applies operations, and holds what was said of each activity against what it shows then.
func (s *site) apply(ops ...record.Operation) []record.Result {
	s.t.Helper()
	plans := s.plan(ops...)
	results, err := s.side.Apply(s.t.Context(), plans)
	s.must(err)
	for i, r := range results {
		if r.Err != nil || plans[i].Action == record.Delete {
			continue
		}
		is := s.read(r.Record.ID)
		if !activity.Schema.Equal(is.Fields, plans[i].Displayed) || !activity.Schema.Equal(is.Fields, r.Record.Fields) || is.Member != r.Record.Member {
			s.t.Errorf("planned to show %v\nsaid to show %v\nshows %v", plans[i].Displayed, r.Record.Fields, is.Fields)
		}
	}
	if v := s.box.Violations(); len(v) > 0 {
		s.t.Errorf("violations: %v", v)
	}
	return results
}

func (s *site) applyOne(op record.Operation) record.Result {
	s.t.Helper()
	r := s.apply(op)[0]
	s.must(r.Err)
	return r
}

func (s *site) get(id string) map[string]any { return s.box.System().Get("Activity", id) }

func TestA_new_activity_is_a_meeting_of_the_user_that_shows_in_the_calendar(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.applyOne(create(record.Fields{activity.Place: text("Room 1"), activity.Notes: text("Bring the plan"), activity.Reminder: text("30")}))
	is := s.get(newID)
	for column, want := range map[string]any{
		"Title": "Kick-off", "Location": "Room 1", "Notes": "Bring the plan", "OwnerId": s.ada.ContactID, "OrganizerId": s.ada.ContactID, "TypeId": typeTask,
		"ActivityCategoryId": categoryMeeting, "PriorityId": priorityMedium, "StatusId": statusNotStarted, "ShowInScheduler": true, "RemindToOwner": true,
		"StartDate": time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC), "DueDate": time.Date(2026, 3, 3, 10, 0, 0, 0, time.UTC),
		"RemindToOwnerDate": time.Date(2026, 3, 3, 8, 30, 0, 0, time.UTC),
	} {
		if is[column] != want {
			t.Errorf("%s is %v, want %v", column, is[column], want)
		}
	}
	if p := s.participation(newID, "Ada"); p["InviteResponseId"] != "" || p["RoleId"] != roleResponsible {
		t.Errorf("she takes part as %v", p)
	}
}

func TestWhat_is_over_is_completed_and_what_has_no_title_gets_one(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := s.applyOne(create(record.Fields{activity.Title: nil, activity.When: timed("2026-03-01T09:00:00Z", "2026-03-01T10:00:00Z")}))
	if is := s.get(newID); is["StatusId"] != statusCompleted || is["Title"] != activity.NoTitle || len(r.Record.Fields[activity.Title]) > 0 {
		t.Errorf("status %v, title %v, told as %v", is["StatusId"], is["Title"], r.Record.Fields[activity.Title])
	}
}

func TestEvery_field_of_an_activity_changes(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		given  map[string]any
		change record.Fields
		want   map[string]any
		// projected are fields that show something else than they were to.
		projected []string
		note      string
	}{
		"title":          {nil, record.Fields{activity.Title: text("Retro")}, map[string]any{"Title": "Retro"}, nil, ""},
		"no title":       {nil, record.Fields{activity.Title: nil}, map[string]any{"Title": activity.NoTitle}, nil, ""},
		"long title":     {nil, record.Fields{activity.Title: text(strings.Repeat("ä", 499) + "😀")}, map[string]any{"Title": strings.Repeat("ä", 499)}, []string{activity.Title}, "cut"},
		"location":       {nil, record.Fields{activity.Place: text("Room 2")}, map[string]any{"Location": "Room 2"}, nil, ""},
		"no location":    {map[string]any{"Location": "Room 1"}, record.Fields{activity.Place: nil}, map[string]any{"Location": ""}, nil, ""},
		"long location":  {nil, record.Fields{activity.Place: text(strings.Repeat("x", 501))}, map[string]any{"Location": strings.Repeat("x", 500)}, []string{activity.Place}, "cut"},
		"notes":          {map[string]any{"Notes": "old"}, record.Fields{activity.Notes: text("a < b\nc")}, map[string]any{"Notes": "a < b\nc"}, nil, ""},
		"new notes":      {nil, record.Fields{activity.Notes: text("AT&T\n<ok>")}, map[string]any{"Notes": "<p>AT&amp;T<br>&lt;ok&gt;</p>"}, nil, ""},
		"new plain ones": {nil, record.Fields{activity.Notes: text("a\nb")}, map[string]any{"Notes": "a\nb"}, nil, ""},
		"notes in HTML":  {map[string]any{"Notes": "<p>old</p>"}, record.Fields{activity.Notes: text("a < b\nc")}, map[string]any{"Notes": "<p>a &lt; b<br>c</p>"}, nil, ""},
		"no notes":       {map[string]any{"Notes": "old"}, record.Fields{activity.Notes: nil}, map[string]any{"Notes": ""}, nil, ""},
		"very long ones": {nil, record.Fields{activity.Notes: text(strings.Repeat("x", 20000))}, map[string]any{"Notes": strings.Repeat("x", 20000)}, nil, ""},
		"later": {nil, record.Fields{activity.When: timed("2026-03-03T09:30:00Z", "2026-03-03T11:00:00Z")}, map[string]any{
			"StartDate": time.Date(2026, 3, 3, 9, 30, 0, 0, time.UTC), "DueDate": time.Date(2026, 3, 3, 11, 0, 0, 0, time.UTC),
		}, nil, ""},
		"whole days, in the zone of the owner": {nil, record.Fields{activity.When: days("2026-03-29", "2026-03-30")}, map[string]any{
			"StartDate": time.Date(2026, 3, 28, 22, 0, 0, 0, time.UTC), "DueDate": time.Date(2026, 3, 29, 21, 0, 0, 0, time.UTC),
		}, nil, ""},
		"one day that ends as it begins": {nil, record.Fields{activity.When: days("2026-03-05", "2026-03-05")}, map[string]any{
			"StartDate": time.Date(2026, 3, 4, 22, 0, 0, 0, time.UTC), "DueDate": time.Date(2026, 3, 5, 22, 0, 0, 0, time.UTC),
		}, nil, ""},
		"no time at all": {nil, record.Fields{activity.When: timed("2026-03-03T12:00:00Z", "2026-03-03T12:00:00Z")}, map[string]any{
			"StartDate": time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC), "DueDate": time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC),
		}, nil, ""},
		"an end before the start": {nil, record.Fields{activity.When: timed("2026-03-03T12:00:00Z", "2026-03-03T11:00:00Z")}, map[string]any{
			"StartDate": time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC),
		}, []string{activity.When}, "ends-early"},
		"reminder": {nil, record.Fields{activity.Reminder: text("45")}, map[string]any{
			"RemindToOwner": true, "RemindToOwnerDate": time.Date(2026, 3, 3, 8, 15, 0, 0, time.UTC),
		}, nil, ""},
		"no reminder": {
			map[string]any{"RemindToOwner": true, "RemindToOwnerDate": "2026-03-03T08:00:00Z"},
			record.Fields{activity.Reminder: nil},
			map[string]any{"RemindToOwner": false},
			nil, "",
		},
		"moved with its reminder": {
			map[string]any{"RemindToOwner": true, "RemindToOwnerDate": "2026-03-03T08:00:00Z"},
			record.Fields{activity.When: timed("2026-03-04T09:00:00Z", "2026-03-04T10:00:00Z")},
			map[string]any{"RemindToOwnerDate": time.Date(2026, 3, 4, 8, 0, 0, 0, time.UTC)},
			nil, "",
		},
		"moved with another reminder": {
			map[string]any{"RemindToOwner": true, "RemindToOwnerDate": "2026-03-03T08:00:00Z"},
			record.Fields{activity.When: timed("2026-03-04T09:00:00Z", "2026-03-04T10:00:00Z"), activity.Reminder: text("10")},
			map[string]any{"RemindToOwnerDate": time.Date(2026, 3, 4, 8, 50, 0, 0, time.UTC)},
			nil, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			id := s.meeting("Ada", row.given)
			before := s.get(id)
			r := s.applyOne(update(s.read(id), row.change))
			is := s.get(id)
			for column, want := range row.want {
				if is[column] != want {
					t.Errorf("%s is %.60v, want %.60v", column, is[column], want)
				}
			}
			for _, column := range []string{"OwnerId", "OrganizerId", "TypeId", "ActivityCategoryId", "PriorityId", "StatusId", "ShowInScheduler", "TimeZoneId"} {
				if is[column] != before[column] {
					t.Errorf("%s has become %v", column, is[column])
				}
			}
			var projected, notes []string
			for _, p := range r.Projections {
				projected = append(projected, p.Field)
			}
			for _, n := range r.Notes {
				notes = append(notes, n.Code)
			}
			if !slices.Equal(projected, row.projected) || strings.Join(notes, " ") != row.note {
				t.Errorf("projected %v, told %v", projected, notes)
			}
		})
	}
}

// people are the participants as the field shows them, sorted.
func people(r record.Record) string {
	var out []string
	for _, e := range r.Fields[activity.Attendees] {
		out = append(out, strings.TrimSpace(e.Text+" "+e.Kind))
	}
	return strings.Join(sorted(out), ", ")
}

func guests(list ...string) record.Fields {
	f := record.Fields{activity.Attendees: nil}
	for _, one := range list {
		address, kind, _ := strings.Cut(one, " ")
		f[activity.Attendees] = append(f[activity.Attendees], record.Entry{Kind: kind, Text: address})
	}
	return f
}

func TestParticipants_come_go_and_answer(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.meeting("Ada", nil)
	step := func(name string, change record.Fields, bob, cleo any) record.Result {
		t.Helper()
		r := s.applyOne(update(s.read(id), change))
		for who, want := range map[string]any{"Bob": bob, "Cleo": cleo} {
			p := s.participation(id, who)
			if (p == nil) != (want == nil) || p != nil && (p["InviteResponseId"] != want || p["InviteParticipant"] != true) {
				t.Errorf("%s: %s takes part as %v, want %v", name, who, p, want)
			}
		}
		return r
	}
	r := step("a colleague is invited", guests("BOB@example.com "), "", nil)
	if people(r.Record) != "bob@example.com" {
		t.Errorf("shows %q", people(r.Record))
	}
	step("he accepts", guests("bob@example.com accepted"), responseConfirmed, nil)
	step("and a customer, and somebody whom Creatio does not know", guests("bob@example.com accepted", "cleo@example.com declined", "nobody@example.com accepted"), responseConfirmed, responseDeclined)
	if got := len(s.box.System().Rows("Contact", map[string]any{"Email": "nobody@example.com"})); got != 0 {
		t.Error("a contact was made")
	}
	step("he may come", guests("bob@example.com tentative"), responseInDoubt, responseDeclined)
	step("he is taken out", guests(), nil, responseDeclined)
	if p := s.participation(id, "Ada"); p == nil || p["InviteResponseId"] != responseInDoubt {
		t.Errorf("the owner takes part as %v", p)
	}
}

func TestAddresses_lead_to_users_first_and_to_nobody_where_several_have_them(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.row("Contact", map[string]any{"Name": "Bob's sister", "Email": "bob@example.com"})
	s.row("Contact", map[string]any{"Name": "Cleo's sister", "Email": "cleo@example.com"})
	for name, row := range map[string]string{"bob@example.com": "Bob", "cleo@example.com": "", "bob.private@example.com": "Bob"} {
		s.begin()
		s.side.o.Accounts = linked(Account{s.contacts["Bob"], "bob.private@example.com"})
		id := s.meeting("Ada", nil)
		s.applyOne(update(s.read(id), guests(name+" accepted")))
		for _, who := range []string{"Bob", "Cleo"} {
			if got := s.participation(id, who) != nil; got != (who == row) {
				t.Errorf("%s: %s takes part %v", name, who, got)
			}
		}
	}
}

func TestColleagues_go_to_Google_and_others_only_where_the_settings_say_so(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.meeting("Ada", nil)
	for _, who := range []string{"Bob", "Gus", "Cleo"} {
		s.invite(id, who, nil)
	}
	left := s.rowBy("Ada", "Contact", map[string]any{"Name": "Nobody's guest", "Email": "not.invited@example.com"})
	s.row("ActivityParticipant", map[string]any{"ActivityId": id, "ParticipantId": left, "InviteParticipant": false})
	if got := people(s.read(id)); got != "bob@example.com tentative" {
		t.Errorf("colleagues: %s", got)
	}
	if got := len(s.read(id).Untracked[activity.Attendees]); got != 3 {
		t.Errorf("%d others are told of", got)
	}
	s.side.o.Guests = GuestsInvited
	if got := people(s.read(id)); got != "bob@example.com tentative, cleo@example.com tentative" {
		t.Errorf("invited: %s", got)
	}
	s.box.AddUser(box.User{Name: "Bob", ContactName: "Bob Example", Email: "bob@example.com", ContactID: s.contacts["Bob"]})
	s.begin()
	if got := people(s.read(id)); got != "" {
		t.Errorf("a user who is not active any more: %s", got)
	}
}

func TestCancelled_deleted_and_reopened(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.meeting("Ada", map[string]any{"StatusId": "394d4b84-58e6-df11-971b-001d60e938c6"})
	r := s.applyOne(act(s.read(id), record.Cancel))
	if s.get(id)["StatusId"] != statusCanceled || r.Record.Member {
		t.Errorf("cancelled: %v, %+v", s.get(id)["StatusId"], r.Record)
	}
	op := update(r.Record, nil)
	op.Join = true
	if r = s.applyOne(op); s.get(id)["StatusId"] != "394d4b84-58e6-df11-971b-001d60e938c6" || !r.Record.Member {
		t.Errorf("reopened: %v, %+v", s.get(id)["StatusId"], r.Record)
	}
	if r = s.applyOne(act(r.Record, record.Delete)); s.get(id) != nil || !r.Record.Gone {
		t.Errorf("deleted: %v, %+v", s.get(id), r.Record)
	}
	other := s.meeting("Ada", map[string]any{"StatusId": statusCanceled})
	op = update(s.read(other), nil)
	op.Join = true
	if s.applyOne(op); s.get(other)["StatusId"] != statusNotStarted {
		t.Errorf("one that a person cancelled: %v", s.get(other)["StatusId"])
	}
}

func TestWho_is_a_guest_declines_and_the_activity_goes_on_as_long_as_a_colleague_takes_part(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	with := s.meeting("Bob", nil)
	s.invite(with, "Ada", nil)
	s.applyOne(act(s.read(with), record.Unlink))
	if s.participation(with, "Ada")["InviteResponseId"] != responseDeclined || s.get(with)["StatusId"] != statusNotStarted {
		t.Errorf("she takes part as %v in one that is %v", s.participation(with, "Ada"), s.get(with)["StatusId"])
	}
	alone := s.meeting("Ada", nil)
	s.invite(alone, "Cleo", nil)
	s.applyOne(act(s.read(alone), record.Unlink))
	if s.get(alone)["StatusId"] != statusCanceled {
		t.Errorf("nobody else takes part, and it is %v", s.get(alone)["StatusId"])
	}
}

func TestChanges_cost_a_request_for_reading_and_one_for_writing(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 10, 60} {
		s := newSite(t)
		var ops []record.Operation
		for i := range n {
			id := s.meeting("Ada", map[string]any{"Title": fmt.Sprint("meeting ", i)})
			ops = append(ops, update(s.read(id), record.Fields{activity.Title: text("Retro")}))
		}
		s.begin()
		s.box.ResetRequests()
		results, err := s.side.Apply(t.Context(), s.plan(ops...))
		s.must(err)
		if got := len(s.box.Requests()); got != 2 {
			t.Errorf("%d changes took %d requests", n, got)
		}
		for _, r := range results {
			s.must(r.Err)
		}
	}
	s := newSite(t)
	s.box.ResetRequests()
	plans := s.plan(create(guests("bob@example.com accepted", "cleo@example.com accepted")))
	if _, err := s.side.Apply(t.Context(), plans); err != nil || len(s.box.Requests()) != 2 {
		t.Errorf("a creation took %d requests: %v", len(s.box.Requests()), err)
	}
}

func TestWhat_somebody_changed_since_it_was_read_is_not_written_over(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.meeting("Ada", nil)
	change := record.Fields{activity.Title: text("Retro")}
	op := update(s.read(id), change)
	s.change("Activity", id, map[string]any{"Title": "Kick-off of ours"})
	if r := s.apply(op)[0]; !fault.Is(r.Err, fault.Conflict) {
		t.Errorf("changed before the plan: %v", r.Err)
	}
	plans := s.plan(update(s.read(id), change))
	s.change("Activity", id, map[string]any{"Title": "Kick-off of theirs"})
	s.pass(time.Minute)
	results, err := s.side.Apply(t.Context(), plans)
	if s.must(err); !fault.Is(results[0].Err, fault.Conflict) || s.get(id)["Title"] != "Kick-off of theirs" {
		t.Errorf("changed after the plan: %v, %v", results[0].Err, s.get(id)["Title"])
	}
	// What somebody changed besides is left as it is, and is told of.
	plans = s.plan(update(s.read(id), change))
	s.change("Activity", id, map[string]any{"Location": "Room 3"})
	s.pass(time.Minute)
	results, err = s.side.Apply(t.Context(), plans)
	if s.must(err); results[0].Err != nil || s.get(id)["Title"] != "Retro" || results[0].Record.Fields.Text(activity.Place) != "Room 3" {
		t.Errorf("changed besides: %v, %v", results[0].Err, results[0].Record.Fields)
	}
}

func TestRights_that_are_missing_are_told_and_stop_nobody_else(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	barred, free := s.meeting("Ada", nil), s.meeting("Ada", nil)
	change := record.Fields{activity.Title: text("Retro"), activity.Attendees: guests("bob@example.com accepted")[activity.Attendees]}
	ops := []record.Operation{update(s.read(barred), change), update(s.read(free), change)}
	s.box.DenyRecord("Ada", "Activity", barred, box.Update)
	results := s.apply(ops...)
	if !fault.Is(results[0].Err, fault.ReadOnly) || results[1].Err != nil {
		t.Errorf("got %v and %v", results[0].Err, results[1].Err)
	}
	if s.get(barred)["Title"] != "Kick-off" || s.participation(barred, "Bob") != nil || s.get(free)["Title"] != "Retro" {
		t.Error("what was barred was written in part, or what was free was not")
	}
}

func TestAn_activity_that_a_colleagues_run_has_made_is_taken_over_as_it_is(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.meeting("Bob", map[string]any{"Id": newID, "Title": "Bob's own words"})
	r := s.applyOne(create(nil))
	if s.get(newID)["Title"] != "Bob's own words" || s.participation(newID, "Ada") == nil || s.participation(newID, "Bob") == nil || !r.Record.Member {
		t.Errorf("it is %v, %+v", s.get(newID)["Title"], r.Record)
	}
}
