package calendar

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/google"
	"github.com/tandem-sync/tandem/shared/record"
)

// Seek finds the user's copies of events by what Identity tells of them.
func (s *Side) Seek(ctx context.Context, names []string) ([]*record.Record, error) {
	events, err := s.listByUID(ctx, names)
	if err != nil {
		return nil, err
	}
	out := make([]*record.Record, len(names))
	// Instances that are as their series have them are read by themselves.
	var places []int
	var ids []string
	for i, name := range names {
		_, start, _ := strings.Cut(name, "\x00")
		e, id := sought(events[i], keyOfStart(start))
		switch {
		case e != nil:
			r := s.record(e)
			out[i] = &r
		case id != "":
			places, ids = append(places, i), append(ids, id)
		}
	}
	if len(ids) == 0 {
		return out, nil
	}
	found, err := s.Fetch(ctx, ids)
	if err != nil {
		return nil, err
	}
	for n, i := range places {
		if !found[n].Gone && s.Identity(found[n].AdapterState) == names[i] {
			out[i] = &found[n]
		}
	}
	return out, nil
}

// listByUID lists events by the iCalendar ids with which names begin, those that were deleted among them.
func (s *Side) listByUID(ctx context.Context, names []string) ([][]*gcal.Event, error) {
	out, pages, open := make([][]*gcal.Event, len(names)), make([]string, len(names)), make([]int, len(names))
	for i := range names {
		open[i] = i
	}
	for len(open) > 0 {
		parts := make([]google.Part, len(open))
		for n, i := range open {
			uid, _, _ := strings.Cut(names[i], "\x00")
			q := url.Values{"iCalUID": {uid}, "showDeleted": {"true"}, "maxAttendees": {strconv.Itoa(maxAttendees)}}
			if pages[i] != "" {
				q.Set("pageToken", pages[i])
			}
			parts[n] = google.Part{Method: http.MethodGet, Path: "/" + api + "/calendars/" + primary + "/events?" + q.Encode()}
		}
		replies, err := s.api.Batch(ctx, "seek events", api, parts)
		if err != nil {
			return nil, err
		}
		var more []int
		for n, i := range open {
			if replies[n].Err != nil {
				return nil, google.OfList(replies[n].Err)
			}
			var page gcal.Events
			if err := json.Unmarshal(replies[n].Body, &page); err != nil {
				return nil, fault.Errorf(fault.Retry, google.Side, "malformed-reply", "seek events: %w", err)
			}
			out[i] = append(out[i], page.Items...)
			if next := page.NextPageToken; next != "" && next != pages[i] {
				pages[i] = next
				more = append(more, i)
			}
		}
		open = more
	}
	return out, nil
}

// sought is the event of an original start among those of one iCalendar id, or, for an instance that is as its series has it, the id of
// its record. An empty start is that of an event that is no instance.
func sought(events []*gcal.Event, key string) (e *gcal.Event, id string) {
	for _, e := range events {
		switch {
		case e.RecurringEventId == "" && len(e.Recurrence) == 0 && key == "", e.RecurringEventId != "" && key != "" && startKey(e.OriginalStartTime) == key:
			return e, ""
		case len(e.Recurrence) > 0 && key != "" && e.Status != statusCancelled:
			id = baseID(e.Id) + "_" + key
		}
	}
	return nil, id
}

// keyOfStart is the key of an original start as Identity writes it.
func keyOfStart(start string) string {
	if at, err := time.Parse(time.RFC3339, start); err == nil {
		return at.UTC().Format(keyTime)
	}
	return strings.ReplaceAll(start, "-", "")
}
