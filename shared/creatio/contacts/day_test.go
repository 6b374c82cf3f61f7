package contacts

import (
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/zone"
)

func TestDay_is_the_one_that_a_site_means(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ user, site, at, want string }{
		"midnight in UTC":                       {"Europe/London", "", "1980-05-01T00:00:00Z", "1980-05-01"},
		"midnight in UTC, for a user in Tokyo":  {"Asia/Tokyo", "", "1980-05-01T00:00:00Z", "1980-05-01"},
		"midnight where the user is":            {"Europe/Kyiv", "", "1995-12-31T22:00:00Z", "1996-01-01"},
		"midnight far in the east":              {"Pacific/Auckland", "", "1979-12-31T11:00:00Z", "1980-01-01"},
		"midnight far in the west":              {"Pacific/Honolulu", "", "1980-05-01T10:00:00Z", "1980-05-01"},
		"by the summer time of today":           {"Europe/Berlin", "", "1970-07-21T22:00:00Z", "1970-07-22"},
		"midnight in the zone of the site":      {"Europe/London", "Russian Standard Time", "1980-04-30T21:00:00Z", "1980-05-01"},
		"noon is no zone":                       {"Europe/London", "", "1970-12-22T12:00:00Z", "1970-12-22"},
		"a time of day is no zone":              {"Europe/London", "", "1970-12-22T15:30:00Z", "1970-12-22"},
		"a time of day is the user's":           {"Asia/Tokyo", "", "1970-12-22T15:30:00Z", "1970-12-23"},
		"a time of day, for a user without one": {"", "Asia/Tokyo", "1970-12-22T15:30:00Z", "1970-12-23"},
		"no zone is known":                      {"", "", "1980-04-30T22:00:00Z", "1980-05-01"},
		"no zone is known, in the west":         {"", "", "1980-05-01T08:00:00Z", "1980-05-01"},
		"noon, and no zone is known":            {"", "", "1980-05-01T12:00:00Z", "1980-05-01"},
		"no date":                               {"Europe/London", "", "0001-01-01T00:00:00Z", ""},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		var d days
		d.user, _ = zone.Load(c.user)
		d.site, _ = zone.Load(c.site)
		if got := d.of(at); got != c.want {
			t.Errorf("%s: %s is %q, want %q", name, c.at, got, c.want)
		}
	}
}
