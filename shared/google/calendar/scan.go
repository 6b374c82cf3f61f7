package calendar

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/google"
	"github.com/tandem-sync/tandem/shared/record"
)

// cursor is where the next window starts.
type cursor struct {
	Token string `json:"token"`
	// From and To are the range that was read, and Private what became of private events: with others everything is read again.
	// The range rolls on by the day, so that the first window of a day reads everything; it is also the one in which reminders
	// show that changed alone.
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Private Private   `json:"private"`
	// Reads tells what was read of an event then.
	Reads int `json:"reads"`
	// Retained is the digest of what is kept of series beside the cursor.
	Retained string `json:"kept,omitempty"`
	// Zone is the calendar's time zone, as the list told it.
	Zone string `json:"zone,omitempty"`
}

// ZoneTold is the calendar's time zone as a cursor has it; false where it does not tell.
func ZoneTold(raw json.RawMessage) (name string, told bool) {
	var c cursor
	if json.Unmarshal(raw, &c) != nil {
		return "", false
	}
	return c.Zone, c.Zone != ""
}

// reads is raised with everything more that is read of an event.
const reads = 3

// end completes a window: with what is kept from here on, where that became another, and where the next one starts.
func (s *Side) end(delta *record.Delta, token string, now *kept) {
	data := now.encode()
	if digest := digestOf(data); digest != s.keptDigest {
		delta.Retained = data
		s.setKept(now, digest)
	}
	// Strings and times of this age always encode.
	delta.Cursor, _ = json.Marshal(cursor{
		Token: token, From: s.o.From, To: s.o.To, Private: s.o.Private, Reads: reads, Retained: s.keptDigest, Zone: s.zoneTold(),
	})
}

// Scan reads what changed since the cursor. With nothing changed it is one request. The instances of a recurring event follow
// from its rule; only those of one whose rule is not surely read as the service does are asked for.
func (s *Side) Scan(ctx context.Context, raw json.RawMessage) (record.Delta, error) {
	if len(raw) == 0 {
		return s.scanAll(ctx)
	}
	var from cursor
	if err := json.Unmarshal(raw, &from); err != nil || from.Token == "" || from.Reads != reads ||
		!from.From.Equal(s.o.From) || !from.To.Equal(s.o.To) || from.Private != s.o.Private {
		return record.Delta{}, fault.New(fault.FullSync, google.Side, "cursor", errors.New("scan events: the cursor is not one of this range and these parameters"))
	}
	events, token, err := s.list(ctx, from.Token)
	if err != nil {
		return record.Delta{}, fmt.Errorf("scan events: %w", err)
	}
	if len(events) == 0 {
		from.Token, from.Zone = token, s.zoneTold()
		raw, err := json.Marshal(from)
		return record.Delta{Cursor: raw}, err
	}
	was, err := s.keptFor(ctx, from)
	if err != nil {
		return record.Delta{}, err
	}
	now := was.with(s, events)
	g := newGathering(s, was, now)
	for _, e := range events {
		switch {
		case e.RecurringEventId != "":
			g.exception(e)
		case e.Status == statusCancelled && was.Events[e.Id] != nil && was.Events[e.Id].RecurringEventId != "":
			g.exception(cancelled(was.Events[e.Id]))
		case len(e.Recurrence) > 0:
			g.changed[e.Id] = true
		default:
			if was.master(e.Id) != nil {
				g.changed[e.Id] = true
			}
			g.add(recordID(e), e)
			if e.Status == statusCancelled || was.master(e.Id) != nil {
				// It may have been a recurring event, and its instances are gone with it.
				g.extents = append(g.extents, record.Extent{Parent: e.Id, From: s.o.From})
			}
		}
	}
	if err := g.series(ctx); err != nil {
		return record.Delta{}, fmt.Errorf("scan events: %w", err)
	}
	delta := record.Delta{Records: g.packed(), Notices: g.notices, From: s.o.From}
	if len(g.extents) > 0 {
		delta.Members, delta.Extents = g.members(), g.extents
	}
	s.end(&delta, token, now)
	return delta, nil
}

// scanAll reads all events of the range, and whatever differs from a recurring event or was cancelled of it, in the range or not.
func (s *Side) scanAll(ctx context.Context) (record.Delta, error) {
	events, token, err := s.list(ctx, "")
	if err != nil {
		return record.Delta{}, fmt.Errorf("scan events: %w", err)
	}
	was, _, err := s.loadKept(ctx)
	if err != nil {
		return record.Delta{}, fmt.Errorf("scan events: %w", err)
	}
	empty := newKept()
	empty.Ended, empty.Told = was.Ended, was.Told
	now := empty.with(s, events)
	g := newGathering(s, was, now)
	for _, e := range events {
		if len(e.Recurrence) == 0 && e.RecurringEventId == "" && e.Status != statusCancelled && s.inRange(e) {
			g.add(e.Id, e)
		}
	}
	for _, k := range []*kept{was, now} {
		for id, e := range k.Events {
			if len(e.Recurrence) > 0 {
				g.changed[id] = true
			} else if k == now {
				g.changed[e.RecurringEventId] = true
			}
		}
	}
	if err := g.series(ctx); err != nil {
		return record.Delta{}, fmt.Errorf("scan events: %w", err)
	}
	// Of recurring events nobody read what lies beyond the range, or before the newest instances.
	whole := []record.Extent{{Alone: true, From: s.o.From}, {From: s.o.From, To: s.o.To, Later: g.later}}
	delta := record.Delta{Records: g.packed(), Members: g.members(), Extents: whole, Notices: g.notices, From: s.o.From}
	s.end(&delta, token, now)
	return delta, nil
}

// inRange reports whether an event lies in the range; an instance has to start before its end.
func (s *Side) inRange(e *gcal.Event) bool {
	moment, ok := momentOf(e)
	start, end := moment.In(s.o.Zone)
	return ok && !end.Before(s.o.From) && (e.RecurringEventId == "" || start.Before(s.o.To))
}

// list reads the events of the calendar, recurring ones as such: all of them, or with a token those that changed.
func (s *Side) list(ctx context.Context, token string) (events []*gcal.Event, next string, err error) {
	var pages google.Pages
	for page := ""; ; {
		call := s.service.Events.List(primary).EventTypes(typeDefault).MaxAttendees(maxAttendees).MaxResults(int64(s.o.PageSize)).Context(ctx)
		if token != "" {
			call.SyncToken(token)
		}
		if page != "" {
			call.PageToken(page)
		}
		reply, err := call.Do()
		switch err = s.api.Classify("list events", err, false); {
		case token != "" && page == "" && google.OfRecords(err):
			// Whatever Google has against the token, another one helps.
			return nil, "", fault.New(fault.FullSync, google.Side, "token-refused", err)
		case page != "" && google.OfRecords(err):
			return nil, "", fault.New(fault.Retry, google.Side, "incomplete-list", err)
		case err != nil:
			return nil, "", google.OfList(err)
		}
		s.learn(reply)
		events = append(events, reply.Items...)
		if page, err = pages.Next("list events", reply.NextPageToken, len(reply.Items)); err != nil {
			return nil, "", err
		}
		if page == "" {
			if reply.NextSyncToken == "" {
				return nil, "", fault.New(fault.Retry, google.Side, "incomplete-list", errors.New("list events: the last page has no sync token"))
			}
			return events, reply.NextSyncToken, nil
		}
	}
}
