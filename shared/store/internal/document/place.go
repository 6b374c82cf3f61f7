package document

import (
	"time"

	"github.com/tandem-sync/tandem/shared/store"
)

// A band is the first letter of a place: syncs that go the same way stand together.
const (
	Failing   = "0"
	Held      = "1"
	Reconnect = "2"
	Partial   = "3"
	Running   = "4"
	Waiting   = "5"
	ok        = "6"
	off       = "7"
	never     = "8"
)

var bands = map[string]string{
	"failing": Failing, "held": Held, "reconnect": Reconnect, "partial": Partial, "running": Running, "ok": ok, "off": off, "never": never,
}

// Place is where a user's sync stands: places sort as store.Store.SyncStatuses lists. It says nothing that a clock could
// change, so that it can be kept: among those that wait for their time, the late ones are those with the earliest.
func Place(user string, s store.Sync) string {
	band, known := bands[s.Status]
	if !known {
		band = never
	}
	switch {
	case band <= Partial:
	case s.Lease.Owner != "":
		band = Running
	// What is off is due for an errand.
	case !s.Due.IsZero() && s.Status != "off":
		return Waiting + stamp(s.Due) + " " + user
	}
	return band + " " + user
}

// Late is the place before which those stand that wait, and were due at the time or before.
func Late(at time.Time) string { return Waiting + stamp(at.Add(time.Microsecond)) }

// stamp is a time as a text that sorts like it.
func stamp(t time.Time) string { return Time(t).Format("2006-01-02T15:04:05.000000") }

// After is a place behind every one of a band.
func After(band string) string { return band + "~" }
