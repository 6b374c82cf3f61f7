package app

import (
	"context"
	"time"

	"github.com/tandem-sync/tandem/shared/creatio/activities"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/google/calendar"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
	"github.com/tandem-sync/tandem/shared/zone"
)

// A user's zone is the one that Creatio has for the user, else the site's default, else that of the calendar. Both sides tell
// theirs while they are read, and what they told is in their cursors: only before the first reading it takes a request.

// findZone is the user's zone, asked for where no cursor tells it.
func (a *App) findZone(ctx context.Context, c clients, d store.Sync) (*time.Location, error) {
	code, told := activities.ZoneTold(d.Cursors[record.Creatio])
	if !told {
		var err error
		if code, err = activities.New(c.site, activities.Options{User: c.user}).UserZone(ctx); err != nil {
			return nil, err
		}
	}
	if loc, known := zone.Load(code); known {
		return loc, nil
	}
	name, told := calendar.ZoneTold(d.Cursors[record.Google])
	if !told {
		events, err := calendar.New(c.google, calendar.Options{})
		if err != nil {
			return nil, err
		}
		if name, err = events.Zone(ctx); err != nil {
			return nil, err
		}
	}
	if loc, known := zone.Load(name); known {
		return loc, nil
	}
	return time.UTC, nil
}

// knownZone is the user's zone as far as it is known without a request.
func knownZone(p store.Profile, d store.Sync) *time.Location {
	code, told := activities.ZoneTold(d.Cursors[record.Creatio])
	if !told {
		code = p.Creatio.TimeZone
	}
	name, _ := calendar.ZoneTold(d.Cursors[record.Google])
	for _, one := range []string{code, name} {
		if loc, known := zone.Load(one); known {
			return loc
		}
	}
	return time.UTC
}

// syncFrom is the day from which activities are taken: a week before the user came, unless the settings say another.
func syncFrom(p store.Profile, s store.Settings, loc *time.Location) string {
	if s.SyncFrom != "" {
		return s.SyncFrom
	}
	return zone.DateOf(p.CreatedAt, loc).Add(-7).String()
}

// firstInstant is when the day begins from which activities are taken.
func firstInstant(p store.Profile, s store.Settings, loc *time.Location) (time.Time, error) {
	first, err := zone.ParseDate(syncFrom(p, s, loc))
	if err != nil {
		return time.Time{}, fault.Errorf(fault.Bug, "", "sync-from", "open activities: %w", err)
	}
	return first.Start(loc), nil
}
