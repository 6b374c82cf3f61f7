package calendar

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/google"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/zone"
)

// starts are the original starts of the instances of series of some families, by series. The service is asked only for those of
// series whose rule is beyond package recurrence.
func (g *gathering) starts(ctx context.Context, families map[string][]string, of map[string]bool) (map[string][]string, error) {
	out := map[string][]string{}
	var ask []string
	for base := range of {
		for _, id := range families[base] {
			series := g.now.master(id)
			if series == nil {
				continue
			}
			keys, ok := g.side.starts(series)
			if out[id] = keys; !ok {
				ask = append(ask, id)
				continue
			}
			delete(g.now.Starts, id)
		}
	}
	slices.Sort(ask)
	answers, err := g.side.askStarts(ctx, ask)
	if err != nil {
		return nil, err
	}
	for _, id := range ask {
		keys, there := answers[id]
		if !there {
			// It was deleted since the list, and the next one tells so; or it is not to be had for a moment.
			g.unread[id] = true
			continue
		}
		out[id], g.now.Starts[id] = keys, keys
		if series := g.now.master(id); series.Start.Date == "" {
			if _, known := zone.Load(series.Start.TimeZone); !known {
				g.tell(series, "unknown-zone", "Tandem does not know the time zone “"+series.Start.TimeZone+"” of this series. Its occurrences are where Google has them.", "Nothing to do.")
			}
		}
	}
	return out, nil
}

// askStarts asks the service for the original starts of the instances of series that lie in the range. Those of which it does not
// know any more are missing.
func (s *Side) askStarts(ctx context.Context, series []string) (map[string][]string, error) {
	out, pages, read := map[string][]string{}, map[string]string{}, map[string]*google.Pages{}
	for len(series) > 0 {
		parts := make([]google.Part, len(series))
		for i, id := range series {
			q := url.Values{
				"timeMin": {s.o.From.Format(time.RFC3339)}, "timeMax": {s.o.To.Format(time.RFC3339)},
				"maxResults": {strconv.Itoa(s.o.PageSize)}, "maxAttendees": {"1"},
			}
			if pages[id] != "" {
				q.Set("pageToken", pages[id])
			}
			parts[i] = google.Part{Method: http.MethodGet, Path: path(id) + "/instances?" + q.Encode()}
		}
		replies, err := s.api.Batch(ctx, "list instances", api, parts)
		if err != nil {
			return nil, err
		}
		var more []string
		for i, reply := range replies {
			id := series[i]
			if fault.Is(reply.Err, fault.Gone) {
				delete(out, id)
				continue
			}
			if reply.Err != nil {
				return nil, google.OfList(reply.Err)
			}
			var page gcal.Events
			if err := json.Unmarshal(reply.Body, &page); err != nil {
				return nil, fault.Errorf(fault.Retry, google.Side, "malformed-reply", "list instances: %w", err)
			}
			if out[id] == nil {
				out[id] = []string{}
			}
			for _, e := range page.Items {
				if key := startKey(e.OriginalStartTime); key != "" {
					out[id] = append(out[id], key)
				}
			}
			if read[id] == nil {
				read[id] = &google.Pages{}
			}
			if pages[id], err = read[id].Next("list instances", page.NextPageToken, len(page.Items)); err != nil {
				return nil, err
			}
			if pages[id] != "" {
				more = append(more, id)
			}
		}
		series = more
	}
	for _, keys := range out {
		slices.Sort(keys)
	}
	return out, nil
}

// Fetch reads events by id.
func (s *Side) Fetch(ctx context.Context, ids []string) ([]record.Record, error) {
	events, unread, err := s.read(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if unread[id] != nil {
			// Whether the instance is there nobody knows, and whoever took it for gone would make another one.
			return nil, unread[id]
		}
	}
	k, _, err := s.loadKept(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]record.Record, len(ids))
	for i, e := range events {
		if e == nil {
			out[i] = record.Record{ID: ids[i], Gone: true}
			continue
		}
		if e.RecurringEventId != "" && k.Events[e.Id] == nil {
			// It may be no exception, and its version not the one that counts.
			e.Etag = ""
		}
		out[i] = s.record(e)
		out[i].ID = ids[i]
	}
	return out, nil
}

// read reads events by the ids of their records; nil for those that are not there. unread are those of which the service knows the
// series and does not find the instances for a moment.
func (s *Side) read(ctx context.Context, ids []string) (out []*gcal.Event, unread map[string]error, err error) {
	of := make([]*address, len(ids))
	open := make([]int, len(ids))
	for i, id := range ids {
		if of[i], err = s.locate(ctx, id); err != nil {
			return nil, nil, err
		}
		open[i] = i
	}
	out, unread = make([]*gcal.Event, len(ids)), map[string]error{}
	for len(open) > 0 {
		parts := make([]google.Part, len(open))
		for n, i := range open {
			parts[n] = google.Part{Method: http.MethodGet, Path: of[i].path()}
		}
		replies, err := s.api.Batch(ctx, "read events", api, parts)
		if err != nil {
			return nil, nil, err
		}
		var more []int
		for n, i := range open {
			switch reply := replies[n]; {
			case fault.Is(reply.Err, fault.Gone) && of[i].series != "":
				unread[ids[i]] = fault.New(fault.Retry, google.Side, "series-not-found", reply.Err)
			case fault.Is(reply.Err, fault.Gone):
			case reply.Err != nil:
				return nil, nil, google.OfList(reply.Err)
			default:
				if out[i], err = of[i].event(reply.Body); err != nil {
					return nil, nil, err
				}
				if out[i] == nil && of[i].page != "" {
					more = append(more, i)
				}
			}
		}
		open = more
	}
	return out, unread, s.forgetGone(ctx, of, ids, unread)
}

// forgetGone takes those out of unread whose series is gone since the list told of it.
func (s *Side) forgetGone(ctx context.Context, of []*address, ids []string, unread map[string]error) error {
	if len(unread) == 0 {
		return nil
	}
	lost := map[string][]string{}
	for i, id := range ids {
		if unread[id] != nil {
			lost[of[i].series] = append(lost[of[i].series], id)
		}
	}
	series := slices.Sorted(maps.Keys(lost))
	parts := make([]google.Part, len(series))
	for i, id := range series {
		parts[i] = google.Part{Method: http.MethodGet, Path: path(id)}
	}
	replies, err := s.api.Batch(ctx, "read series", api, parts)
	if err != nil {
		return err
	}
	for i, reply := range replies {
		var e gcal.Event
		switch gone := fault.Is(reply.Err, fault.Gone); {
		case reply.Err != nil && !gone:
			return google.OfList(reply.Err)
		case !gone && json.Unmarshal(reply.Body, &e) != nil:
			return fault.Errorf(fault.Retry, google.Side, "malformed-reply", "read series: %w", errors.New("the reply is no event"))
		case gone || e.Status == statusCancelled:
			for _, id := range lost[series[i]] {
				delete(unread, id)
			}
		}
	}
	return nil
}

// address is where the service has an event: under its id, or, where an instance was never listed, under its series by its
// original start.
type address struct {
	id, series, start string
	// page is the page of the list that is to be read next; empty for the first, and behind the last one.
	page string
	// read are the pages so far.
	read *google.Pages
}

// locate finds the address of a record.
func (s *Side) locate(ctx context.Context, id string) (*address, error) {
	found := instanceID.FindStringSubmatch(id)
	if found == nil {
		return &address{id: id}, nil
	}
	k, _, err := s.loadKept(ctx)
	if err != nil {
		return nil, err
	}
	return k.locate(s, id, found[1], found[2]), nil
}

func (k *kept) locate(s *Side, id, base, key string) *address {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k.index == nil {
		k.index, k.related, k.has = map[string]string{}, k.families(), map[string]map[string]bool{}
		for id, e := range k.Events {
			if e.RecurringEventId != "" && (k.index[recordID(e)] == "" || e.Status != statusCancelled) {
				k.index[recordID(e)] = id
			}
		}
	}
	if listed := k.index[id]; listed != "" {
		return &address{id: listed}
	}
	for _, series := range slices.Concat([]string{base}, k.related[base]) {
		if k.has[series] == nil {
			k.has[series] = map[string]bool{}
			for _, key := range s.startsOf(k, series) {
				k.has[series][key] = true
			}
		}
		if k.has[series][key] {
			return &address{series: series, start: originalStart(key)}
		}
	}
	return &address{id: id}
}

// originalStart is an original start as the service is asked for it.
func originalStart(key string) string {
	if at, err := time.Parse(keyDay, key); err == nil {
		return at.Format(time.DateOnly)
	}
	at, _ := time.Parse(keyTime, key)
	return at.Format(time.RFC3339)
}

func (a *address) path() string {
	q := url.Values{"maxAttendees": {strconv.Itoa(maxAttendees)}}
	if a.id != "" {
		return path(a.id) + "?" + q.Encode()
	}
	q.Set("originalStart", a.start)
	q.Set("showDeleted", "true")
	if a.page != "" {
		q.Set("pageToken", a.page)
	}
	return path(a.series) + "/instances?" + q.Encode()
}

// event reads an answer; nil where the page has none of that start. A page may be empty although another one follows.
func (a *address) event(body []byte) (*gcal.Event, error) {
	malformed := func(err error) error {
		return fault.Errorf(fault.Retry, google.Side, "malformed-reply", "read events: %w", err)
	}
	if a.id != "" {
		var e gcal.Event
		if err := json.Unmarshal(body, &e); err != nil {
			return nil, malformed(err)
		}
		return &e, nil
	}
	var page gcal.Events
	if err := json.Unmarshal(body, &page); err != nil {
		return nil, malformed(err)
	}
	if len(page.Items) > 0 {
		return page.Items[0], nil
	}
	if a.read == nil {
		a.read = &google.Pages{}
	}
	var err error
	a.page, err = a.read.Next("read events", page.NextPageToken, 0)
	return nil, err
}

// path is that of an event on Google's host.
func path(id string) string {
	return "/" + api + "/calendars/" + primary + "/events/" + url.PathEscape(id)
}
