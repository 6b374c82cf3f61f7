package store

import (
	"time"

	"github.com/tandem-sync/tandem/shared/record"
)

// Errands is how often somebody has to look at what is due although nothing is synchronized automatically, as a grant
// that could not be revoked yet.
const Errands = time.Hour

// Interval is how often somebody has to look whether the sync is due; zero where it never is.
func (s *Sync) Interval() time.Duration {
	switch {
	case s.Due.IsZero():
		return 0
	case !s.Settings.Automatic:
		return Errands
	default:
		return max(time.Minute, time.Duration(s.Settings.IntervalMinutes)*time.Minute)
	}
}

// SyncStatus is one user's sync of a type among those of all users.
type SyncStatus struct {
	// Place is where it stands; opaque.
	Place string
	// Profile is whose it is; one with nothing but the ID while the user is being erased.
	Profile Profile
	Sync    Sync
}

// StatusCounts counts users, and the syncs of a type. A sync is counted once, as the first of these that it is.
type StatusCounts struct {
	// Users are all; Linked those with both accounts.
	Users, Linked int
	// Failing, Held, Reconnect and Partial are statuses. Running have a lease, which may be that of a run that died. Late
	// wait for their time, and it is over.
	Failing, Held, Reconnect, Partial, Running, Late int
	// LastSync is the latest time of all; zero where there is none.
	LastSync time.Time
}

// Schedule is what administrators decided about the calls that synchronize a type, which else follow the settings.
type Schedule struct {
	Type record.Type `json:"type"`
	// Paused is since when nobody is to be synchronized by schedule; zero where that is not so.
	Paused time.Time `json:"paused,omitzero"`
	// Place is how far a long list of due users has been queued; see PlaceOf.
	Place Place `json:"place,omitzero"`
	// Sweep is how far all users have been looked at; see SweepOf.
	Sweep Sweep `json:"sweep,omitzero"`
}

// PlaceOf is the type under which the place of a type is kept: in a document of its own, which ticks replace while administrators
// replace the other.
func PlaceOf(t record.Type) record.Type { return t + "-place" }

// SweepOf is the type under which the sweep over the users of a type is kept, in a document of its own as well.
func SweepOf(t record.Type) record.Type { return t + "-sweep" }

// Sweep is a look at every user.
type Sweep struct {
	Began time.Time `json:"began,omitzero"`
	// After is a place among the SyncStatuses; empty where all have been looked at.
	After string `json:"after,omitempty"`
}

// Place is a user in the list of those who are due.
type Place struct {
	User string    `json:"user,omitempty"`
	At   time.Time `json:"at,omitzero"`
}
