package activities

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/activity"
	"github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	box "github.com/tandem-sync/tandem/shared/sandbox/creatio"
)

// pause is longer than windows overlap, and shorter than sessions last.
const pause = 10 * time.Minute

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

func recordIDs(delta record.Delta) []string {
	var ids []string
	for _, r := range delta.Records {
		ids = append(ids, r.Head().ID)
	}
	return sorted(ids)
}

func TestActivities_of_the_user_that_show_in_the_calendar_are_in_scope(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.meeting("Ada", map[string]any{"Title": "own"})
	s.invite(s.meeting("Bob", map[string]any{"Title": "invited"}), "Ada", nil)
	s.meeting("Bob", map[string]any{"Title": "about her", "ContactId": s.contacts["Ada"]})
	left := s.meeting("Ada", map[string]any{"Title": "owned, without taking part"})
	s.must(s.box.System().Delete("ActivityParticipant", s.participation(left, "Ada")["Id"].(string)))
	s.meeting("Ada", map[string]any{"Title": "completed", "StatusId": statusCompleted})
	s.meeting("Ada", map[string]any{"Title": "ends as the range begins", "StartDate": from.Add(-time.Hour), "DueDate": from})
	want := "about her, completed, ends as the range begins, invited, own, owned, without taking part"

	s.meeting("Bob", map[string]any{"Title": "Bob's"})
	s.meeting("Ada", map[string]any{"Title": "not shown", "ShowInScheduler": false})
	s.meeting("Ada", map[string]any{"Title": "e-mail", "TypeId": typeEmail})
	s.meeting("Ada", map[string]any{"Title": "canceled", "StatusId": statusCanceled})
	s.meeting("Ada", map[string]any{"Title": "too early", "StartDate": from.Add(-time.Hour), "DueDate": from.Add(-time.Second)})

	delta, requests := s.scan(nil)
	if got := s.titles(delta.Members); got != want || s.titles(recordIDs(delta)) != want {
		t.Errorf("members: %s\nrecords: %s", got, s.titles(recordIDs(delta)))
	}
	if requests != 2 {
		t.Errorf("a first reading took %d requests, want a list and the content", requests)
	}
	for _, r := range record.UnpackAll(delta.Records) {
		if !r.Member {
			t.Errorf("%s is told not to be in scope", s.titles([]string{r.ID}))
		}
	}
	if len(delta.Extents) != 1 || delta.Extents[0].Covers("", from.Add(-time.Hour)) || !delta.Extents[0].Covers("", from.AddDate(0, 0, 2)) {
		t.Errorf("read whole: %+v", delta.Extents)
	}
}

func TestA_window_in_which_nothing_changed_is_one_request_however_many_there_are(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 3, 150} {
		s := newSite(t)
		for i := range n {
			s.meeting("Ada", map[string]any{"Title": fmt.Sprint("meeting ", i)})
		}
		s.pass(pause)
		delta, _ := s.scan(nil)
		s.pass(pause)
		for range 2 {
			next, requests := s.scan(delta.Cursor)
			if requests != 1 || next.Members != nil || len(next.Records)+len(next.Touched) > 0 {
				t.Errorf("%d activities: %d requests, %+v", n, requests, next)
			}
			delta = next
			s.pass(pause)
		}
	}
}

func TestA_window_tells_of_what_changed_with_one_request_more(t *testing.T) {
	t.Parallel()
	for _, still := range []bool{false, true} {
		for name, row := range map[string]struct {
			do func(s *site, own, invited string)
			// members, records and touched are titles; requests are those of the window.
			members, records, touched string
			requests                  int
		}{
			"an edit":         {func(s *site, own, _ string) { s.change("Activity", own, map[string]any{"Notes": "x"}) }, "invited, own", "own", "own", 2},
			"a colleague's":   {func(s *site, _, invited string) { s.change("Activity", invited, map[string]any{"Notes": "x"}) }, "invited, own", "invited", "invited", 2},
			"a new one":       {func(s *site, _, _ string) { s.meeting("Ada", map[string]any{"Title": "new"}) }, "invited, new, own", "new", "new", 2},
			"cancelled":       {func(s *site, own, _ string) { s.change("Activity", own, map[string]any{"StatusId": statusCanceled}) }, "invited", "own", "own", 2},
			"no longer shown": {func(s *site, own, _ string) { s.change("Activity", own, map[string]any{"ShowInScheduler": false}) }, "invited", "own", "own", 2},
			"deleted":         {func(s *site, own, _ string) { s.must(s.box.As("Ada").Delete("Activity", own)) }, "invited", "", "", 2},
			"left": {func(s *site, _, invited string) {
				s.must(s.box.As("Ada").Delete("ActivityParticipant", s.participation(invited, "Ada")["Id"].(string)))
			}, "own", "", "", 2},
			"moved before the range": {func(s *site, own, _ string) {
				s.change("Activity", own, map[string]any{"StartDate": from.Add(-48 * time.Hour), "DueDate": from.Add(-47 * time.Hour)})
			}, "invited", "", "", 2},
			"her own answer": {func(s *site, _, invited string) {
				s.change("ActivityParticipant", s.participation(invited, "Ada")["Id"].(string), map[string]any{"InviteResponseId": responseConfirmed})
			}, "invited, own", "invited", "invited", 2},
			"a colleague's answer": {func(s *site, own, _ string) {
				s.change("ActivityParticipant", s.participation(own, "Bob")["Id"].(string), map[string]any{"InviteResponseId": responseConfirmed})
			}, "", "", "own", 1},
			"somebody else's activity": {func(s *site, _, _ string) { s.meeting("Bob", map[string]any{"Title": "Bob's"}) }, "", "", "Bob's", 1},
		} {
			t.Run(fmt.Sprint(name, ", participants still ", still), func(t *testing.T) {
				t.Parallel()
				s := newSiteOf(t, box.Options{StillParticipants: still})
				own := s.meeting("Ada", map[string]any{"Title": "own"})
				s.invite(own, "Bob", nil)
				invited := s.meeting("Bob", map[string]any{"Title": "invited"})
				s.invite(invited, "Ada", nil)
				s.pass(pause)
				delta, _ := s.scan(nil)
				s.pass(pause)
				row.do(s, own, invited)
				s.pass(pause)
				delta, requests := s.scan(delta.Cursor)
				if m, r, n := s.titles(delta.Members), s.titles(recordIDs(delta)), s.titles(delta.Touched); m != row.members || r != row.records || n != row.touched || requests != row.requests {
					t.Errorf("members %q, records %q, touched %q in %d requests, want %q, %q, %q, %d", m, r, n, requests, row.members, row.records, row.touched, row.requests)
				}
				s.pass(pause)
				if next, requests := s.scan(delta.Cursor); requests != 1 || next.Members != nil || len(next.Touched) > 0 {
					t.Errorf("the next window takes %d requests and tells of %+v", requests, next)
				}
			})
		}
	}
}

func TestAn_edit_costs_one_request_more_however_many_activities_there_are(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var id string
	for i := range 1500 {
		id = s.meeting("Ada", map[string]any{"Title": fmt.Sprint("meeting ", i)})
	}
	s.pass(pause)
	delta, _ := s.scan(nil)
	s.change("Activity", id, map[string]any{"Notes": "x"})
	delta, requests := s.scan(delta.Cursor)
	if len(delta.Members) != 1500 || len(delta.Records) != 1 || requests != 2 {
		t.Errorf("listed %d, told of %d in %d requests", len(delta.Members), len(delta.Records), requests)
	}
}

func TestOne_that_goes_as_another_comes_is_noticed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.meeting("Ada", map[string]any{"Title": "stays"})
	goes := s.meeting("Ada", map[string]any{"Title": "goes"})
	s.pass(pause)
	delta, _ := s.scan(nil)
	s.pass(pause)
	s.must(s.box.As("Ada").Delete("Activity", goes))
	s.meeting("Ada", map[string]any{"Title": "comes"})
	if delta, _ = s.scan(delta.Cursor); s.titles(delta.Members) != "comes, stays" {
		t.Errorf("members: %s", s.titles(delta.Members))
	}
}

// A row carries the time at which its saving began, and shows when that has ended: behind a window that was read meanwhile.
func TestWhat_was_being_saved_while_a_window_was_read_is_told_by_the_next_one(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	edited, answered := s.meeting("Ada", map[string]any{"Title": "edited"}), s.meeting("Ada", map[string]any{"Title": "answered"})
	row := s.invite(answered, "Bob", nil)
	s.pass(pause)
	s.pass(pause)
	delta, _ := s.scan(nil)
	s.pass(-time.Minute)
	s.change("Activity", edited, map[string]any{"Notes": "x"})
	s.change("ActivityParticipant", row, map[string]any{"InviteResponseId": responseDeclined})
	s.pass(time.Minute)
	if delta, _ = s.scan(delta.Cursor); s.titles(delta.Touched) != "answered, edited" {
		t.Errorf("told of %s", s.titles(delta.Touched))
	}
}

func TestA_cursor_of_another_range_or_user_is_no_good(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.pass(pause)
	delta, _ := s.scan(nil)
	bob := s.ada
	bob.ContactID = s.contacts["Bob"]
	for name, o := range map[string]Options{
		"range": {User: s.ada, From: from.AddDate(0, 0, -1)}, "user": {User: bob, From: from},
	} {
		if _, err := New(s.open, o).Scan(t.Context(), delta.Cursor); !fault.Is(err, fault.FullSync) {
			t.Errorf("another %s: got %v, want that everything is to be read", name, err)
		}
	}
}

func TestA_list_that_may_not_be_read_is_an_error_and_not_empty(t *testing.T) {
	t.Parallel()
	for _, entity := range []string{"Activity", "ActivityParticipant"} {
		s := newSite(t)
		s.meeting("Ada", nil)
		s.pass(pause)
		delta, _ := s.scan(nil)
		s.box.Deny("Ada", entity, box.Read)
		for _, cursor := range [][]byte{nil, delta.Cursor} {
			if delta, err := s.side.Scan(t.Context(), cursor); !fault.Is(err, fault.Misconfigured) {
				t.Errorf("%s: got %+v, %v", entity, delta, err)
			}
		}
	}
}

func TestTables_that_many_sites_keep_closed_are_done_without(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]box.Options{
		"denied": {}, "missing": {Without: []string{"SysSettings", "SysSettingsValue", "ActivityCorrespondence", "SysSyncMetaData"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSiteOf(t, o)
			for _, entity := range []string{"SysAdminUnit", "SysSettingsValue", "TimeZone", "ActivityCorrespondence", "SysSyncMetaData"} {
				s.box.Deny("Ada", entity, box.Read)
			}
			id := s.meeting("Ada", nil)
			delta, requests := s.scan(nil)
			if s.titles(recordIDs(delta)) != "Kick-off" || requests != 2 {
				t.Errorf("%d requests, records %s", requests, s.titles(recordIDs(delta)))
			}
			if r := s.read(id); !r.Member || r.Gone {
				t.Errorf("read %+v", r)
			}
		})
	}
}

func TestA_site_without_locations_is_asked_for_them_once(t *testing.T) {
	t.Parallel()
	s := newSiteOf(t, box.Options{Without: []string{"Activity.Location"}})
	id := s.meeting("Ada", nil)
	delta, requests := s.scan(nil)
	if s.titles(recordIDs(delta)) != "Kick-off" || requests != 3 {
		t.Errorf("%d requests, records %s", requests, s.titles(recordIDs(delta)))
	}
	s.pass(pause)
	s.change("Activity", id, map[string]any{"Title": "Kick-off, again"})
	s.pass(pause)
	if delta, requests = s.scan(delta.Cursor); s.titles(recordIDs(delta)) != "Kick-off, again" || requests != 2 {
		t.Errorf("later: %d requests, records %s", requests, s.titles(recordIDs(delta)))
	}
}

func TestMany_activities_are_read_to_the_end(t *testing.T) {
	t.Parallel()
	s := newSiteOf(t, box.Options{MaxRows: 7})
	for i := range 40 {
		id := s.meeting("Ada", map[string]any{"Title": fmt.Sprint("meeting ", i)})
		for _, name := range []string{"Bob", "Gus", "Cleo"} {
			s.invite(id, name, nil)
		}
	}
	s.pass(pause)
	delta, _ := s.scan(nil)
	if len(delta.Members) != 40 || len(delta.Records) != 40 {
		t.Errorf("listed %d, read %d of 40", len(delta.Members), len(delta.Records))
	}
}

func TestWhat_is_gone_or_hidden_is_told_to_be_gone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id, hidden := s.meeting("Ada", nil), s.meeting("Ada", nil)
	s.must(s.box.As("Ada").Delete("Activity", id))
	s.box.DenyRecord("Ada", "Activity", hidden, box.Read)
	for _, id := range []string{id, hidden} {
		if r := s.read(id); !r.Gone {
			t.Errorf("read %+v", r)
		}
	}
}

func TestAll_participants_are_read_again_within_a_day(t *testing.T) {
	t.Parallel()
	s := newSiteOf(t, box.Options{StillParticipants: true})
	id := s.meeting("Ada", nil)
	row := s.invite(id, "Bob", nil)
	s.pass(pause)
	delta, _ := s.scan(nil)
	// A site that does not move the activity leaves no trace of who was taken out.
	s.must(s.box.As("Ada").Delete("ActivityParticipant", row))
	s.pass(pause)
	if delta, _ = s.scan(delta.Cursor); len(delta.Touched) > 0 {
		t.Fatalf("told of %v", delta.Touched)
	}
	s.pass(24 * time.Hour)
	if delta, _ = s.scan(delta.Cursor); s.titles(delta.Touched) != "Kick-off" {
		t.Errorf("a day later: told of %s", s.titles(delta.Touched))
	}
	s.pass(pause)
	if delta, requests := s.scan(delta.Cursor); len(delta.Touched) > 0 || requests != 1 {
		t.Errorf("after that: told of %s in %d requests", s.titles(delta.Touched), requests)
	}
}

func TestWhere_addresses_cannot_be_read_with_the_participants_they_are_read_by_themselves_or_done_without(t *testing.T) {
	t.Parallel()
	for name, deny := range map[string]func(s *site){
		"denied":  func(s *site) { s.box.Deny("Ada", "ContactCommunication", box.Read) },
		"refused": func(s *site) { s.refuse("ContactCommunicationCollectionByContact") },
	} {
		s := newSite(t)
		id := s.meeting("Ada", nil)
		s.invite(id, "Cleo", nil)
		s.row("ContactCommunication", map[string]any{"ContactId": s.contacts["Cleo"], "CommunicationTypeId": creatio.TypeEmail, "Number": "cleo.private@example.com"})
		deny(s)
		s.side.o.Guests = GuestsInvited
		r := s.read(id)
		want := map[string]string{"denied": "cleo@example.com tentative", "refused": ""}[name]
		if people(r) != want {
			t.Errorf("%s: %q, want %q", name, people(r), want)
		}
		s.applyOne(update(r, record.Fields{activity.Title: text("Retro")}))
	}
}
