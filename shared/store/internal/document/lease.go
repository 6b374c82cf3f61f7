package document

import (
	"cmp"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/store"
)

// Grant gives the lease to owner, unless it is held at now, by whomever.
func Grant(s *store.Sync, owner string, now time.Time, ttl time.Duration) (store.Lease, error) {
	if owner == "" {
		return store.Lease{}, fault.Errorf(fault.Bug, Side, "no-owner", "a lease needs an owner")
	}
	if s.Lease.Owner != "" && now.Before(s.Lease.Expires) {
		return store.Lease{}, store.ErrLeased
	}
	if s.Lease.Owner != "" {
		// Whoever had it neither committed nor gave it up, and did not say what it spent.
		s.Interrupted = true
		for side, r := range s.Rates {
			s.Rates[side] = store.Rate{At: Time(now), Until: r.Until}
		}
	}
	s.Lease = store.Lease{Owner: owner, Fence: s.Lease.Fence + 1, Expires: Time(now.Add(ttl)), After: cmp.Or(s.Lease.Owner, s.Lease.After)}
	return s.Lease, nil
}

// Holds is nil where l is the lease that was granted last and has not been given up. An expired lease still counts as
// held until somebody else takes it: nobody can have written in between.
func Holds(s store.Sync, l store.Lease) error {
	if l.Owner == "" || s.Lease.Owner != l.Owner || s.Lease.Fence != l.Fence {
		return store.ErrFenced
	}
	return nil
}

// Extend makes the lease end ttl after now.
func Extend(s *store.Sync, l store.Lease, now time.Time, ttl time.Duration) error {
	if err := Holds(*s, l); err != nil {
		return err
	}
	s.Lease.Expires = Time(now.Add(ttl))
	return nil
}

// Free ends the lease with a commit. Its fence stays, so that the next one is higher.
func Free(s *store.Sync) { s.Lease = store.Lease{Fence: s.Lease.Fence} }

// GiveUp ends the lease of one who did nothing: whoever was cut off before is left to the next.
func GiveUp(s *store.Sync) { s.Lease = store.Lease{Fence: s.Lease.Fence, After: s.Lease.After} }

// Change runs f on the document and puts back what f may not change.
func Change(s *store.Sync, f func(*store.Sync) error) error {
	kept, lease := s.Type, s.Lease
	err := f(s)
	s.Type, s.Lease = kept, lease
	return err
}
