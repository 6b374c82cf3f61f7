// Package document holds what the backends of package store have in common, so that they cannot differ in it: how a
// document is written as JSON, which ids are keys, and the rules of leases, claims, write notes and pairs.
//
// Invariants: what Encode wrote, Decode reads as the same document; times leave it in UTC, cut to microseconds, which
// is what Firestore keeps. The package is pure: no I/O, no clock, no logger.
package document

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// Side is the side that faults of a store name: neither of the two services.
const Side = "store"

// Document is everything that a store keeps.
type Document interface {
	store.Profile | store.Token | store.UsedState | store.SharedSecret | store.Seat | store.Sync | store.Link | store.Run | store.Schedule | []store.Change | store.Schema |
		store.Claim | store.WriteNote | store.Pair | store.Channel | store.Guesses | store.AccessToken | HashKey
}

// Encode writes a document as it is kept. The caller's document stays as it is.
func Encode[D Document](d D) ([]byte, error) {
	settle(&d)
	data, err := encode(d)
	if err != nil {
		return nil, fault.New(fault.Bug, Side, "encode", fmt.Errorf("encode %T: %w", d, err))
	}
	return data, nil
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// Decode reads what Encode wrote. Fields of a later version are ignored.
func Decode[D Document](data []byte) (D, error) {
	var d D
	if err := json.Unmarshal(data, &d); err != nil {
		return d, fault.New(fault.Bug, Side, "decode", fmt.Errorf("decode %T: %w", d, err))
	}
	if s, ok := any(&d).(*store.Sync); ok {
		s.Settings = s.Settings.Completed(s.Type)
	}
	return d, nil
}

// settle brings a document to the form in which it comes back, without touching maps that the caller holds too.
func settle(d any) {
	switch d := d.(type) {
	case *store.Profile:
		d.CreatedAt, d.UnlinkedAt, d.Erasing = Time(d.CreatedAt), Time(d.UnlinkedAt), Time(d.Erasing)
		if b := d.Google.Barred; b != nil {
			d.Google.Barred = &store.Barred{Since: Time(b.Since), Seen: Time(b.Seen)}
		}
	case *store.Token:
		d.Revoke = Time(d.Revoke)
	case *store.UsedState:
		d.Expires = Time(d.Expires)
	case *store.Guesses:
		d.Until, d.Last, d.Expires = Time(d.Until), Time(d.Last), Time(d.Expires)
		d.By = slices.Clone(d.By)
		for i := range d.By {
			d.By[i].Last = Time(d.By[i].Last)
		}
	case *store.Sync:
		d.LastSync, d.Due, d.LastFinished, d.Lease.Expires = Time(d.LastSync), Time(d.Due), Time(d.LastFinished), Time(d.Lease.Expires)
		d.DoubtsAt, d.FailingSince = Time(d.DoubtsAt), Time(d.FailingSince)
		d.Push.Next, d.Push.Busy = Time(d.Push.Next), Time(d.Push.Busy)
		d.Verdicts = slices.Clone(d.Verdicts)
		for i := range d.Verdicts {
			d.Verdicts[i].At = Time(d.Verdicts[i].At)
		}
		d.Rates = maps.Clone(d.Rates)
		for side, r := range d.Rates {
			r.At, r.Until = Time(r.At), Time(r.Until)
			d.Rates[side] = r
		}
		d.Cursors = maps.Clone(d.Cursors)
		// A missing cursor would come back as the JSON word null.
		maps.DeleteFunc(d.Cursors, func(_ record.Side, c json.RawMessage) bool { return len(c) == 0 })
		d.Idle.StartedAt = Time(d.Idle.StartedAt)
		d.Notices.FailingSince, d.Notices.Sent = Time(d.Notices.FailingSince), maps.Clone(d.Notices.Sent)
		for cause, at := range d.Notices.Sent {
			d.Notices.Sent[cause] = Time(at)
		}
	case *store.Schema:
		d.Since, d.Lease.Expires = Time(d.Since), Time(d.Lease.Expires)
	case *store.Link:
		d.UpdatedAt, d.RetryAt, d.RevisitAt, d.End = Time(d.UpdatedAt), Time(d.RetryAt), Time(d.RevisitAt), Time(d.End)
		d.Sides = maps.Clone(d.Sides)
		for side, known := range d.Sides {
			known.Modified = Time(known.Modified)
			d.Sides[side] = known
		}
	case *store.Claim:
		d.Until = Time(d.Until)
	case *store.WriteNote:
		d.Modified, d.Edited, d.Until = Time(d.Modified), Time(d.Edited), Time(d.Until)
	case *store.AccessToken:
		d.CreatedAt, d.ExpiresAt, d.UsedAt = Time(d.CreatedAt), Time(d.ExpiresAt), Time(d.UsedAt)
	case *store.Channel:
		d.Due, d.Expires = Time(d.Due), Time(d.Expires)
	case *store.Pair:
		d.Since = Time(d.Since)
		if d.Link != nil {
			was := *d.Link
			settle(&was)
			d.Link = &was
		}
	case *store.Schedule:
		d.Paused, d.Place.At = Time(d.Paused), Time(d.Place.At)
	case *store.Run:
		d.StartedAt, d.FinishedAt = Time(d.StartedAt), Time(d.FinishedAt)
		d.Changes = nil
	}
}

// Time is t as it is kept.
func Time(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// NewSync is the document of a sync type that nobody has touched yet.
func NewSync(t record.Type) store.Sync {
	return store.Sync{Type: t, Settings: store.DefaultSettings(t), Status: "never"}
}

// Forgotten is what remains of a sync when everything is forgotten that its runs learned.
func Forgotten(s store.Sync) store.Sync {
	return store.Sync{Type: s.Type, Settings: s.Settings, Status: "never", Due: s.Due, Lease: s.Lease}
}

// longestID leaves room below the 1,500 bytes that Firestore allows for a key.
const longestID = 512

// ValidID reports whether id can be a key: letters, digits, _ and -, and not of the form that Firestore reserves
// (https://cloud.google.com/firestore/quotas#collections_documents_and_fields).
func ValidID(id string) bool {
	if id == "" || len(id) > longestID || len(id) >= 2 && id[:2] == "__" {
		return false
	}
	for _, r := range []byte(id) {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-':
		default:
			return false
		}
	}
	return true
}

// ToRead checks ids of a document to be read: no document has an invalid id, wherever that came from.
func ToRead(ids ...string) error {
	for _, id := range ids {
		if !ValidID(id) {
			return store.ErrNotFound
		}
	}
	return nil
}

// ToWrite checks ids of a document to be written.
func ToWrite(ids ...string) error {
	for _, id := range ids {
		if !ValidID(id) {
			return fault.Errorf(fault.Bug, Side, "invalid-id", "id %q is not of letters, digits, _ and -", id)
		}
	}
	return nil
}
