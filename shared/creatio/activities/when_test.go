package activities

import (
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/activity"
	"github.com/tandem-sync/tandem/shared/record"
	box "github.com/tandem-sync/tandem/shared/sandbox/creatio"
)

// allDay is the third of March in a zone, as an activity has it.
func allDay(zone string) map[string]any {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		panic(err)
	}
	return map[string]any{
		"StartDate": time.Date(2026, 3, 3, 0, 0, 0, 0, loc), "DueDate": time.Date(2026, 3, 4, 0, 0, 0, 0, loc),
	}
}

func when(r record.Record) string { return r.Fields.Text(activity.When) }

// third is the field of an activity that is all the day on the third of March.
const third = "2026-03-03/2026-03-04"

func TestDays_begin_in_the_zone_of_the_activity_else_of_its_owner_else_of_the_site(t *testing.T) {
	t.Parallel()
	s := newSiteOf(t, box.Options{DefaultTimeZone: "Israel Standard Time"})
	s.box.AddUser(box.User{Name: "Eve", ContactName: "Eve Example", Active: true})
	zoned := func(values map[string]any, code string) map[string]any {
		values["TimeZoneId"] = s.box.System().Rows("TimeZone", map[string]any{"Code": code})[0]["Id"]
		return values
	}
	for name, row := range map[string]struct {
		owner  string
		values map[string]any
		days   bool
	}{
		"the owner's":            {"Ada", allDay("Europe/Kyiv"), true},
		"not the owner's":        {"Ada", allDay("America/New_York"), false},
		"a colleague's":          {"Bob", allDay("America/New_York"), true},
		"the user's of another":  {"Bob", allDay("Europe/Kyiv"), false},
		"the site's":             {"Eve", allDay("Asia/Jerusalem"), true},
		"the activity's own":     {"Ada", zoned(allDay("America/New_York"), "Eastern Standard Time"), true},
		"not the activity's own": {"Ada", zoned(allDay("Europe/Kyiv"), "Eastern Standard Time"), false},
		"an unknown one":         {"Ada", allDay("UTC"), false},
		"no time at all":         {"Ada", map[string]any{"StartDate": "2026-03-02T22:00:00Z", "DueDate": "2026-03-02T22:00:00Z"}, false},
	} {
		if got := when(s.read(s.meeting(row.owner, row.values))); (got == third) != row.days {
			t.Errorf("%s: read as %s", name, got)
		}
	}
}

func TestWhere_no_zone_can_be_read_days_begin_in_that_of_the_calendar(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, entity := range []string{"SysAdminUnit", "SysSettingsValue", "TimeZone"} {
		s.box.Deny("Ada", entity, box.Read)
	}
	id := s.meeting("Ada", allDay("Europe/Berlin"))
	s.ada.TimeZone = "Customized Time Zone"
	s.begin()
	berlin, err := time.LoadLocation("Europe/Berlin")
	s.must(err)
	s.side.o.Zone = berlin
	if got := when(s.read(id)); got != third {
		t.Errorf("read as %s", got)
	}
}

func TestInstants_stay_what_they_were_taken_for_whatever_becomes_of_a_zone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	days, instants := s.meeting("Ada", allDay("Europe/Kyiv")), s.meeting("Ada", allDay("America/New_York"))
	was := map[string]record.Record{days: s.read(days), instants: s.read(instants)}
	s.box.AddUser(box.User{Name: "Ada", Password: "right", ContactName: "Ada Example", Email: "ada@example.com", TimeZone: "Eastern Standard Time", Active: true})
	s.begin()
	for id, before := range was {
		now := s.read(id)
		if when(now) == when(before) {
			t.Fatalf("the zone did not change: %s", when(now))
		}
		kept := s.side.Remember(before, now)
		if when(kept) != when(before) || string(kept.AdapterState) != string(before.AdapterState) {
			t.Errorf("read as %s, taken as %s, was %s", when(now), when(kept), when(before))
		}
		// Other fields change without the time.
		s.applyOneOf(update(kept, record.Fields{activity.Title: text("Retro")}), kept.AdapterState)
	}
	s.change("Activity", days, map[string]any{"StartDate": "2026-03-05T05:00:00Z", "DueDate": "2026-03-06T05:00:00Z"})
	if got := when(s.side.Remember(was[days], s.read(days))); got != "2026-03-05/2026-03-06" {
		t.Errorf("other instants are taken as %s", got)
	}
}

// applyOneOf applies an operation on an activity of which something is known, and reads it with that.
func (s *site) applyOneOf(op record.Operation, known []byte) {
	s.t.Helper()
	results, err := s.side.Apply(s.t.Context(), s.plan(op))
	s.must(err)
	s.must(results[0].Err)
	if now := s.side.Remember(record.Record{AdapterState: known}, s.read(op.ID)); !activity.Schema.Equal(now.Fields, results[0].Record.Fields) || when(now) != when(record.Record{Fields: op.Before}) {
		s.t.Errorf("said to show %v, shows %v", results[0].Record.Fields, now.Fields)
	}
}

func TestWhat_is_timed_at_the_start_of_a_day_stays_timed_where_Tandem_wrote_it(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r, err := s.side.Apply(t.Context(), s.plan(create(record.Fields{activity.When: timed("2026-03-02T22:00:00Z", "2026-03-03T22:00:00Z")})))
	s.must(err)
	s.must(r[0].Err)
	if got := when(s.side.Remember(r[0].Record, s.read(newID))); got != "2026-03-02T22:00:00Z/2026-03-03T22:00:00Z" || when(r[0].Record) != got {
		t.Errorf("written as %s, read as %s", when(r[0].Record), got)
	}
}
