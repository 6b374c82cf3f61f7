package activities

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/activity"
	"github.com/tandem-sync/tandem/shared/record"
	box "github.com/tandem-sync/tandem/shared/sandbox/creatio"
)

func TestEvery_column_shows_in_its_field(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		owner  string
		values map[string]any
		field  string
		want   string
	}{
		"title":                  {"Ada", map[string]any{"Title": " Kick-off  "}, activity.Title, "Kick-off"},
		"no title":               {"Ada", map[string]any{"Title": activity.NoTitle}, activity.Title, ""},
		"place":                  {"Ada", map[string]any{"Location": "Room 1"}, activity.Place, "Room 1"},
		"notes":                  {"Ada", map[string]any{"Notes": "a < b\r\nc"}, activity.Notes, "a < b\nc"},
		"notes in HTML":          {"Ada", map[string]any{"Notes": "<p>a &lt; b</p><p>c</p>"}, activity.Notes, "a < b\nc"},
		"time":                   {"Ada", nil, activity.When, "2026-03-03T09:00:00Z/2026-03-03T10:00:00Z"},
		"days":                   {"Ada", allDay("Europe/Kyiv"), activity.When, "2026-03-03/2026-03-04 (all day)"},
		"reminder":               {"Ada", map[string]any{"RemindToOwner": true, "RemindToOwnerDate": "2026-03-03T08:15:00Z"}, activity.Reminder, "45"},
		"reminder at the start":  {"Ada", map[string]any{"RemindToOwner": true, "RemindToOwnerDate": "2026-03-03T09:00:00Z"}, activity.Reminder, "0"},
		"reminder switched off":  {"Ada", map[string]any{"RemindToOwnerDate": "2026-03-03T08:15:00Z"}, activity.Reminder, ""},
		"reminder in it":         {"Ada", map[string]any{"RemindToOwner": true, "RemindToOwnerDate": "2026-03-03T09:30:00Z"}, activity.Reminder, ""},
		"reminder a month early": {"Ada", map[string]any{"RemindToOwner": true, "RemindToOwnerDate": "2026-02-01T09:00:00Z"}, activity.Reminder, "43200"},
		"a colleague's reminder": {"Bob", map[string]any{"RemindToOwner": true, "RemindToOwnerDate": "2026-03-03T08:15:00Z"}, activity.Reminder, ""},
		"the owner's answer":     {"Ada", nil, activity.Answer, ""},
		"the owner among others": {"Bob", nil, activity.Attendees, "bob@example.com"},
	} {
		s := newSite(t)
		r := s.read(s.meeting(row.owner, row.values))
		f, _ := activity.Schema.Field(row.field)
		if got := f.Show(r.Fields[row.field]); got != row.want {
			t.Errorf("%s: shows %q, want %q", name, got, row.want)
		}
	}
}

func TestAnswers_are_those_of_the_site(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.meeting("Bob", nil)
	for response, want := range map[string]string{responseConfirmed: activity.Accepted, responseDeclined: activity.Declined, responseInDoubt: activity.Tentative, "": ""} {
		values := map[string]any{"InviteResponseId": any(response)}
		if response == "" {
			values["InviteResponseId"] = nil
		}
		s.invite(id, "Ada", maps.Clone(values))
		if got := s.read(id).Fields.Text(activity.Answer); got != want {
			t.Errorf("%q is read as %q, want %q", response, got, want)
		}
		s.applyOne(update(s.read(id), record.Fields{activity.Answer: text(activity.Accepted)}))
		r := s.applyOne(update(s.read(id), record.Fields{activity.Answer: text(want)}))
		if got := s.participation(id, "Ada")["InviteResponseId"]; got != response {
			t.Errorf("%q is written as %q: %v", want, got, r)
		}
	}
}

func TestAn_activity_changed_when_a_participant_answered(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.meeting("Ada", nil)
	row := s.invite(id, "Bob", nil)
	s.pass(time.Hour)
	s.change("ActivityParticipant", row, map[string]any{"InviteResponseId": responseConfirmed})
	if got := s.read(id); !got.Modified.Equal(s.now()) || !got.End.Equal(time.Date(2026, 3, 3, 10, 0, 0, 0, time.UTC)) {
		t.Errorf("changed at %v, ends at %v", got.Modified, got.End)
	}
}

func TestWhat_the_user_may_not_write_is_locked(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	own, other := s.meeting("Ada", nil), s.meeting("Bob", nil)
	s.invite(other, "Ada", nil)
	if r := s.read(own); len(r.Locked) > 0 {
		t.Errorf("of her own: %v", r.Locked)
	}
	if r := s.read(other); !slices.Equal(r.Locked, []string{record.Others, activity.Reminder}) {
		t.Errorf("of a colleague's: %v", r.Locked)
	}
}

func TestWithout_a_column_for_it_the_place_stays_in_Google_and_that_is_told(t *testing.T) {
	t.Parallel()
	s := newSiteOf(t, box.Options{Without: []string{"Activity.Location"}})
	r := s.applyOne(create(record.Fields{activity.Place: text("Room 1")}))
	if len(r.Notes) != 1 || r.Notes[0].Code != "no-column" || len(r.Projections) != 1 || r.Projections[0].Canonical.Text != "Room 1" || len(r.Record.Fields[activity.Place]) > 0 {
		t.Errorf("told %v, projected %v", r.Notes, r.Projections)
	}
	if is := s.read(newID); !slices.Contains(is.Locked, activity.Place) {
		t.Errorf("locked are %v", is.Locked)
	}
}
