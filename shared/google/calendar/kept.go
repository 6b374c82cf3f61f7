package calendar

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/google"
)

// kept is what is kept of recurring events from one run to the next. A list tells of a changed series alone, and not of those of
// its instances that differ from it or were cancelled before.
type kept struct {
	// Events are recurring events and instances that differ from theirs, cancelled ones among them, by the service's id. Some
	// instances have no series in this calendar.
	Events map[string]*gcal.Event `json:"events"`
	// Starts are the original starts of the instances in the range, as startKey writes them, of those series of which only the
	// service knows the instances.
	Starts map[string][]string `json:"starts,omitempty"`
	// Ended are series that ended a short time ago, and that another one may continue.
	Ended []ended `json:"ended,omitempty"`
	// Told are the series of which the user was told that they are not shown whole, and why.
	Told map[string]string `json:"told,omitempty"`

	// single are events of the list that do not recur, and are no instances.
	single map[string]bool
	// index finds the instances that differ by the ids of their records, and related series that were one once. has are the
	// original starts of series.
	index   map[string]string
	related map[string][]string
	has     map[string]map[string]bool
}

func newKept() *kept {
	return &kept{Events: map[string]*gcal.Event{}, Starts: map[string][]string{}, Told: map[string]string{}}
}

// encode writes what is kept, the same bytes for the same.
func (k *kept) encode() []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	// Events that were decoded always encode, and a buffer takes everything.
	_ = json.NewEncoder(w).Encode(k)
	_ = w.Close()
	return out.Bytes()
}

func decodeKept(data []byte) (*kept, error) {
	k := newKept()
	raw, err := ReadKept(data)
	if err == nil {
		err = json.Unmarshal(raw, k)
	}
	return k, err
}

// ReadKept is what a side gave to be kept, for a person to read.
func ReadKept(data []byte) (json.RawMessage, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("read what is kept of series: %w", err)
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read what is kept of series: %w", err)
	}
	return raw, nil
}

// digestOf stands for what is kept; empty for nothing.
func digestOf(data []byte) string {
	if len(data) == 0 {
		return ""
	}
	sum := sha256.Sum256(data)
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// loadKept is what the last run kept, with its digest; nothing where that cannot be read.
func (s *Side) loadKept(ctx context.Context) (*kept, string, error) {
	s.mu.Lock()
	now, digest := s.kept, s.keptDigest
	s.mu.Unlock()
	if now != nil {
		return now, digest, nil
	}
	if s.o.Retained == nil {
		return newKept(), "", nil
	}
	data, err := s.o.Retained(ctx)
	if err != nil {
		return nil, "", err
	}
	now, digest = newKept(), digestOf(data)
	if len(data) > 0 {
		if now, err = decodeKept(data); err != nil {
			// All of it can be read again.
			now, digest = newKept(), ""
		}
	}
	s.setKept(now, digest)
	return now, digest, nil
}

func (s *Side) setKept(k *kept, digest string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept, s.keptDigest = k, digest
}

// keptFor is what was kept with a cursor.
func (s *Side) keptFor(ctx context.Context, c cursor) (*kept, error) {
	k, digest, err := s.loadKept(ctx)
	if err == nil && digest != c.Retained {
		err = fault.New(fault.FullSync, google.Side, "cursor", errors.New("scan events: what is kept of series is not of this cursor"))
	}
	return k, err
}

// with is what is to be kept once a list was read of what changed. Events are shared and never changed in place.
func (k *kept) with(s *Side, events []*gcal.Event) *kept {
	out := &kept{Events: maps.Clone(k.Events), Starts: maps.Clone(k.Starts), Ended: slices.Clone(k.Ended), Told: maps.Clone(k.Told)}
	gone := map[string]bool{}
	for _, e := range events {
		was := k.Events[e.Id]
		switch {
		case len(e.Recurrence) > 0, e.RecurringEventId != "":
			out.Events[e.Id] = s.essence(e)
		case was == nil:
		case e.Status == statusCancelled && was.RecurringEventId != "":
			// Of an instance without its series the service need not say any more.
			out.Events[e.Id] = cancelled(was)
		default:
			gone[e.Id] = true
		}
	}
	for id, e := range out.Events {
		if gone[id] || gone[e.RecurringEventId] && e.Status == statusCancelled {
			delete(out.Events, id)
		}
	}
	for id := range gone {
		delete(out.Starts, id)
		delete(out.Told, id)
	}
	out.single = map[string]bool{}
	for _, e := range events {
		out.single[e.Id] = e.Status != statusCancelled && len(e.Recurrence) == 0 && e.RecurringEventId == ""
	}
	return out
}

func cancelled(e *gcal.Event) *gcal.Event {
	out := *e
	out.Status = statusCancelled
	return &out
}

// master is a recurring event of the calendar; nil where there is none of that id.
func (k *kept) master(id string) *gcal.Event {
	if e := k.Events[id]; e != nil && len(e.Recurrence) > 0 {
		return e
	}
	return nil
}

// families are the ids of series that were one once, in order, those among them that are not in this calendar but have an
// instance in it.
func (k *kept) families() map[string][]string {
	seen := map[string]bool{}
	for id, e := range k.Events {
		if len(e.Recurrence) == 0 {
			id = e.RecurringEventId
		}
		seen[id] = true
	}
	out := map[string][]string{}
	for _, id := range slices.Sorted(maps.Keys(seen)) {
		out[baseID(id)] = append(out[baseID(id)], id)
	}
	return out
}

// exceptions are the instances that differ from their series, by series and in the order of their ids.
func (k *kept) exceptions() map[string][]*gcal.Event {
	out := map[string][]*gcal.Event{}
	for _, id := range slices.Sorted(maps.Keys(k.Events)) {
		if e := k.Events[id]; len(e.Recurrence) == 0 {
			out[e.RecurringEventId] = append(out[e.RecurringEventId], e)
		}
	}
	return out
}

// essence is what is kept of an event: what records are made of.
func (s *Side) essence(e *gcal.Event) *gcal.Event {
	out := gcal.Event{
		Id: e.Id, Etag: e.Etag, Status: e.Status, Created: e.Created, Updated: e.Updated, Summary: e.Summary, Description: e.Description, Location: e.Location,
		Start: e.Start, End: e.End, Recurrence: e.Recurrence, RecurringEventId: e.RecurringEventId, OriginalStartTime: e.OriginalStartTime,
		ICalUID: e.ICalUID, Organizer: e.Organizer, Attendees: e.Attendees, AttendeesOmitted: e.AttendeesOmitted, EventType: e.EventType,
		GuestsCanModify: e.GuestsCanModify, GuestsCanSeeOtherGuests: e.GuestsCanSeeOtherGuests, Locked: e.Locked, PrivateCopy: e.PrivateCopy,
		Visibility: e.Visibility, Reminders: e.Reminders,
	}
	if p := e.ExtendedProperties; p != nil {
		own := &gcal.EventExtendedProperties{}
		for _, name := range []string{mark, creatioMark} {
			own.Private, own.Shared = pick(own.Private, p.Private, name), pick(own.Shared, p.Shared, name)
		}
		out.ExtendedProperties = own
	}
	if s.hidden(e) {
		return bare(&out)
	}
	return &out
}

func pick(into, from map[string]string, name string) map[string]string {
	value, ok := from[name]
	if !ok {
		return into
	}
	if into == nil {
		into = map[string]string{}
	}
	into[name] = value
	return into
}

// bare is a private event without what nobody is to see of it. Its title is still told from others.
func bare(e *gcal.Event) *gcal.Event {
	out := *e
	out.Description, out.Location, out.Attendees = "", "", nil
	if self := own(e.Attendees); self != nil {
		out.Attendees = []*gcal.EventAttendee{self}
	}
	if e.Summary != "" && !isHash(e.Summary) {
		sum := sha256.Sum256([]byte(e.Summary))
		out.Summary = hashed + hex.EncodeToString(sum[:8])
	}
	return &out
}

const hashed = "sha256:"

func isHash(summary string) bool {
	return len(summary) == len(hashed)+16 && summary[:len(hashed)] == hashed
}

// keptTime is how long a series that ended may be continued by one that the service tells of later.
const keptTime = 24 * time.Hour
