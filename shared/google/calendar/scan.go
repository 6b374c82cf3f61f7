package calendar

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
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
const reads = 1

func (s *Side) cursor(token string) json.RawMessage {
	// Strings and times of this age always encode.
	raw, _ := json.Marshal(cursor{Token: token, From: s.o.From, To: s.o.To, Private: s.o.Private, Reads: reads, Zone: s.zoneTold()})
	return raw
}

// Scan reads what changed since the cursor. With nothing changed it is one request. Of a recurring event that changed the
// instances in the range are read.
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
	var series []string
	var masters []*gcal.Event
	g := newGathering(s)
	for _, e := range events {
		switch {
		case e.Status == statusCancelled && e.RecurringEventId == "":
			// It may have been a recurring event, and its instances are gone with it.
			g.add(e)
			g.extents = append(g.extents, record.Extent{Parent: e.Id})
		case len(e.Recurrence) > 0:
			series = append(series, e.Id)
			masters = append(masters, e)
			g.extents = append(g.extents, record.Extent{Parent: e.Id, From: s.o.From, To: s.o.To})
		default:
			g.add(e)
		}
	}
	if err := s.expand(ctx, series, g); err != nil {
		return record.Delta{}, fmt.Errorf("scan events: %w", err)
	}
	g.former = s.continued(masters, g.list())
	delta := record.Delta{Records: g.packed(), Cursor: s.cursor(token)}
	if len(g.extents) > 0 {
		delta.Members, delta.Extents = g.members(), g.extents
	}
	return delta, nil
}

// scanAll reads all events of the range.
func (s *Side) scanAll(ctx context.Context) (record.Delta, error) {
	events, token, err := s.list(ctx, "")
	if err != nil {
		return record.Delta{}, fmt.Errorf("scan events: %w", err)
	}
	var series []string
	g := newGathering(s)
	for _, e := range events {
		if len(e.Recurrence) > 0 {
			series = append(series, e.Id)
		} else if e.Status != statusCancelled && s.inRange(e) {
			g.add(e)
		}
	}
	if err := s.expand(ctx, series, g); err != nil {
		return record.Delta{}, fmt.Errorf("scan events: %w", err)
	}
	// Of recurring events nobody read what lies beyond the range.
	whole := []record.Extent{{Alone: true, From: s.o.From}, {From: s.o.From, To: s.o.To}}
	return record.Delta{Records: g.packed(), Members: g.members(), Extents: whole, Cursor: s.cursor(token)}, nil
}

// inRange reports whether an event lies in the range; an instance has to start before its end.
func (s *Side) inRange(e *gcal.Event) bool {
	moment, ok := momentOf(e)
	start, end := moment.In(s.o.Zone)
	return ok && !end.Before(s.o.From) && (e.RecurringEventId == "" || start.Before(s.o.To))
}

// gathering is what a scan found, each event once, as it was told last.
type gathering struct {
	side    *Side
	events  map[string]*gcal.Event
	order   []string
	extents []record.Extent
	// former are ids that instances had before their series was split, by id.
	former map[string][]string
}

func newGathering(s *Side) *gathering { return &gathering{side: s, events: map[string]*gcal.Event{}} }

func (g *gathering) add(e *gcal.Event) {
	if g.events[e.Id] == nil {
		g.order = append(g.order, e.Id)
	}
	g.events[e.Id] = e
}

func (g *gathering) list() []*gcal.Event {
	out := make([]*gcal.Event, 0, len(g.order))
	for _, id := range g.order {
		out = append(out, g.events[id])
	}
	return out
}

func (g *gathering) packed() []record.Packed {
	out := make([]record.Packed, 0, len(g.order))
	for _, e := range g.list() {
		r := g.side.record(e)
		r.Aliases = g.former[e.Id]
		out = append(out, record.Pack(r))
	}
	return out
}

// members are the ids in scope.
func (g *gathering) members() []string {
	out := []string{}
	for _, id := range g.order {
		if r := g.side.record(g.events[id]); r.Member && !r.Gone {
			out = append(out, id)
		}
	}
	return out
}

// list reads the events of the calendar, recurring ones as such: all of them, or with a token those that changed.
func (s *Side) list(ctx context.Context, token string) (events []*gcal.Event, next string, err error) {
	seen := map[string]bool{}
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
		if page = reply.NextPageToken; page == "" {
			if reply.NextSyncToken == "" {
				return nil, "", fault.New(fault.Retry, google.Side, "incomplete-list", errors.New("list events: the last page has no sync token"))
			}
			return events, reply.NextSyncToken, nil
		}
		if seen[page] {
			return nil, "", fault.New(fault.Retry, google.Side, "incomplete-list", errors.New("list events: the pages repeat themselves"))
		}
		seen[page] = true
	}
}

// expand reads the instances of recurring events that lie in the range.
func (s *Side) expand(ctx context.Context, series []string, g *gathering) error {
	pages := map[string]string{}
	for len(series) > 0 {
		parts := make([]google.Part, len(series))
		for i, id := range series {
			q := url.Values{
				"timeMin": {s.o.From.Format(time.RFC3339)}, "timeMax": {s.o.To.Format(time.RFC3339)},
				"maxResults": {strconv.Itoa(s.o.PageSize)}, "maxAttendees": {strconv.Itoa(maxAttendees)},
			}
			if pages[id] != "" {
				q.Set("pageToken", pages[id])
			}
			parts[i] = google.Part{Method: http.MethodGet, Path: path(id) + "/instances?" + q.Encode()}
		}
		replies, err := s.api.Batch(ctx, "list instances", api, parts)
		if err != nil {
			return err
		}
		var more []string
		for i, reply := range replies {
			if fault.Is(reply.Err, fault.Gone) {
				// It was deleted since the list; the next one tells so.
				continue
			}
			var page gcal.Events
			if reply.Err == nil {
				if err := json.Unmarshal(reply.Body, &page); err != nil {
					return fault.Errorf(fault.Retry, google.Side, "malformed-reply", "list instances: %w", err)
				}
			} else {
				return google.OfList(reply.Err)
			}
			for _, e := range page.Items {
				g.add(e)
			}
			if pages[series[i]] = page.NextPageToken; page.NextPageToken != "" {
				more = append(more, series[i])
			}
		}
		series = more
	}
	return nil
}

// path is that of an event on Google's host.
func path(id string) string {
	return "/" + api + "/calendars/" + primary + "/events/" + url.PathEscape(id)
}

// Fetch reads events by id.
func (s *Side) Fetch(ctx context.Context, ids []string) ([]record.Record, error) {
	parts := make([]google.Part, len(ids))
	for i, id := range ids {
		parts[i] = google.Part{Method: http.MethodGet, Path: path(id) + "?maxAttendees=" + strconv.Itoa(maxAttendees)}
	}
	replies, err := s.api.Batch(ctx, "read events", api, parts)
	if err != nil {
		return nil, err
	}
	out := make([]record.Record, len(ids))
	for i, reply := range replies {
		var e gcal.Event
		switch {
		case fault.Is(reply.Err, fault.Gone):
			out[i] = record.Record{ID: ids[i], Gone: true}
			continue
		case reply.Err != nil:
			return nil, google.OfList(reply.Err)
		}
		if err := json.Unmarshal(reply.Body, &e); err != nil {
			return nil, fault.Errorf(fault.Retry, google.Side, "malformed-reply", "read events: %w", err)
		}
		out[i] = s.record(&e)
		out[i].ID = ids[i]
	}
	return out, nil
}
