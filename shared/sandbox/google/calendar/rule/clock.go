package rule

import "time"

// Instant is the moment at which clocks of a zone show a wall time, which is given as a time in UTC. A wall time that
// clocks skip counts with the offset before the gap; of one that comes twice, the first is meant (RFC 5545, section 3.3.5).
func Instant(wall time.Time, zone *time.Location) time.Time {
	before, after := offset(wall.Add(-24*time.Hour), zone), offset(wall.Add(24*time.Hour), zone)
	var found []time.Time
	for _, o := range []time.Duration{before, after} {
		if at := wall.Add(-o); offset(at, zone) == o {
			found = append(found, at)
		}
	}
	switch {
	case len(found) == 0:
		return wall.Add(-before).UTC()
	case len(found) == 2 && found[1].Before(found[0]):
		return found[1].UTC()
	}
	return found[0].UTC()
}

// Wall is what clocks of a zone show at a moment, as a time in UTC.
func Wall(at time.Time, zone *time.Location) time.Time {
	return at.UTC().Add(offset(at, zone))
}

func offset(at time.Time, zone *time.Location) time.Duration {
	_, seconds := at.In(zone).Zone()
	return time.Duration(seconds) * time.Second
}

// Date is the beginning of a wall time's day.
func Date(wall time.Time) time.Time { return wall.Truncate(24 * time.Hour) }
