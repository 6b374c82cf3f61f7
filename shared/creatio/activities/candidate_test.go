package activities

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/activity"
	"github.com/tandem-sync/tandem/shared/record"
	box "github.com/tandem-sync/tandem/shared/sandbox/creatio"
)

// event is an event of Google as it is compared with activities.
func event(id, start, end string) record.Record {
	return record.Record{ID: id, Fields: record.Fields{activity.Title: text("Kick-off"), activity.When: timed(start, end)}}
}

func (s *site) candidates(like ...record.Record) []record.Record {
	s.t.Helper()
	found, err := s.side.Candidates(s.t.Context(), like)
	s.must(err)
	return found
}

func TestActivities_are_found_by_the_time_and_by_what_Creatios_own_sync_left(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	byTime := s.meeting("Ada", nil)
	tied := s.meeting("Ada", map[string]any{"StartDate": "2026-03-09T09:00:00Z", "DueDate": "2026-03-09T10:00:00Z"})
	s.row("ActivityCorrespondence", map[string]any{"ActivityId": tied, "SourceActivityId": "event1"})
	synced := s.meeting("Ada", map[string]any{"StartDate": "2026-03-10T09:00:00Z", "DueDate": "2026-03-10T10:00:00Z"})
	s.row("SysSyncMetaData", map[string]any{"LocalId": synced, "RemoteId": "event2@google.com"})
	marked := s.meeting("Ada", map[string]any{"StartDate": "2026-03-11T09:00:00Z", "DueDate": "2026-03-11T10:00:00Z"})
	s.meeting("Bob", nil)
	s.meeting("Ada", map[string]any{"StatusId": statusCanceled})
	s.meeting("Ada", map[string]any{"ShowInScheduler": false})

	for name, row := range map[string]struct {
		like record.Record
		want string
		tie  string
	}{
		"time":                   {event("event9", "2026-03-03T09:00:00Z", "2026-03-03T10:00:00Z"), byTime, ""},
		"another time":           {event("event9", "2026-03-03T09:00:00Z", "2026-03-03T10:30:00Z"), "", ""},
		"ActivityCorrespondence": {event("event1", "2026-05-03T09:00:00Z", "2026-05-03T10:00:00Z"), tied, "event1"},
		"SysSyncMetaData":        {tiedTo(event("event2", "2026-05-03T09:00:00Z", "2026-05-03T10:00:00Z"), "event2@google.com"), synced, "event2@google.com"},
		"a mark on the event":    {tiedTo(record.Record{ID: "event8", Fields: record.Fields{}}, marked), marked, ""},
	} {
		found := s.candidates(row.like)
		switch {
		case row.want == "" && len(found) > 0, row.want != "" && (len(found) != 1 || found[0].ID != row.want || strings.Join(found[0].Ties, " ") != row.tie):
			t.Errorf("%s: found %+v, want %s tied to %q", name, found, row.want, row.tie)
		}
	}
	delta, _ := s.scan(nil)
	ties := map[string]string{}
	for _, r := range record.UnpackAll(delta.Records) {
		ties[r.ID] = strings.Join(r.Ties, " ")
	}
	if ties[tied] != "event1" || ties[synced] != "event2@google.com" || ties[byTime] != "" {
		t.Errorf("a first reading tells of the ties %v", ties)
	}
}

func TestAn_activity_that_several_users_synchronized_before_is_tied_to_the_event_of_each(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.meeting("Ada", nil)
	for _, event := range []string{"event1", "event2", "event1"} {
		s.row("ActivityCorrespondence", map[string]any{"ActivityId": id, "SourceActivityId": event})
	}
	delta, _ := s.scan(nil)
	ties := slices.Sorted(slices.Values(record.UnpackAll(delta.Records)[0].Ties))
	if !slices.Equal(ties, []string{"event1", "event2"}) {
		t.Errorf("it is tied to %q", ties)
	}
}

func tiedTo(r record.Record, names ...string) record.Record {
	r.Ties = names
	return r
}

func TestWithout_the_tables_of_Creatios_own_sync_activities_are_found_by_the_time(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]box.Options{"denied": {}, "missing": {Without: []string{"ActivityCorrespondence", "SysSyncMetaData"}}} {
		s := newSiteOf(t, o)
		s.box.Deny("Ada", "ActivityCorrespondence", box.Read)
		s.box.Deny("Ada", "SysSyncMetaData", box.Read)
		id := s.meeting("Ada", nil)
		if found := s.candidates(event("event1", "2026-03-03T09:00:00Z", "2026-03-03T10:00:00Z")); len(found) != 1 || found[0].ID != id {
			t.Errorf("%s: found %+v", name, found)
		}
	}
}

func TestTimes_are_found_within_the_second_and_days_in_whatever_zone(t *testing.T) {
	t.Parallel()
	day := record.Record{ID: "event1", Fields: record.Fields{activity.When: days("2026-03-03", "2026-03-04")}}
	for name, row := range map[string]struct {
		values map[string]any
		like   record.Record
	}{
		"a day in the east": {allDay("Pacific/Kiritimati"), day},
		"a day in the west": {allDay("Pacific/Pago_Pago"), day},
		"a part of a second": {
			map[string]any{"StartDate": "2026-03-03T09:00:00.123Z", "DueDate": "2026-03-03T10:00:00.9Z"}, event("event1", "2026-03-03T09:00:00Z", "2026-03-03T10:00:00Z"),
		},
	} {
		s := newSite(t)
		id := s.meeting("Ada", row.values)
		if found := s.candidates(row.like); len(found) != 1 || found[0].ID != id {
			t.Errorf("%s: found %+v", name, found)
		}
	}
}

func TestOne_that_the_user_owns_without_taking_part_is_found(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.meeting("Ada", nil)
	s.must(s.box.System().Delete("ActivityParticipant", s.participation(id, "Ada")["Id"].(string)))
	if found := s.candidates(event("event1", "2026-03-03T09:00:00Z", "2026-03-03T10:00:00Z")); len(found) != 1 || found[0].ID != id {
		t.Errorf("found %+v", found)
	}
}

func TestMany_are_looked_for_at_once(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var like []record.Record
	for i := range 50 {
		at := from.Add(time.Duration(i) * time.Hour)
		s.meeting("Ada", map[string]any{"StartDate": at, "DueDate": at.Add(time.Hour)})
		like = append(like, event(fmt.Sprint("event", i), at.Format(time.RFC3339), at.Add(time.Hour).Format(time.RFC3339)))
	}
	if found := s.candidates(like...); len(found) != 50 {
		t.Errorf("found %d of 50", len(found))
	}
}

func TestIds_of_new_activities_follow_from_the_site_and_the_seed_alone(t *testing.T) {
	t.Parallel()
	one, other := newSite(t), newSite(t)
	id := one.side.NewID("uid@example.com 2026-03-03T09:00:00Z")
	bob := New(one.open, Options{From: from})
	if bob.NewID("uid@example.com 2026-03-03T09:00:00Z") != id || one.side.NewID("uid@example.com") == id || other.side.NewID("uid@example.com 2026-03-03T09:00:00Z") == id {
		t.Error("the id follows from something else")
	}
}
