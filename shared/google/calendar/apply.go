package calendar

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	gcal "google.golang.org/api/calendar/v3"

	"github.com/tandem-sync/tandem/shared/activity"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/google"
	"github.com/tandem-sync/tandem/shared/record"
)

// generations is how often a new event gets another id because an event that was deleted has it still.
const generations = 8

// idPrefix begins the ids of events that Tandem made, in the calendars of all who take part.
const idPrefix = "tandem"

// eventID is the id of the event that is made for a link: what base32hex of lower case may be, as the service takes it
// (https://developers.google.com/workspace/calendar/api/v3/reference/events/insert). An id stays taken when its event is
// deleted, so each event made for one link has a generation.
func eventID(link string, generation int) string {
	sum := sha256.Sum256([]byte(link + "\x00" + strconv.Itoa(generation)))
	return idPrefix + strings.ToLower(base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:20]))
}

// job is one plan on its way.
type job struct {
	record.Plan
	planned
	generation int
	// formerEtag is the version of the event that is to be there again.
	formerEtag string
	// result is what became of it, once that is known.
	result *record.Result
}

func (j *job) fail(err error) { j.result = &record.Result{Err: err} }

// Apply carries plans out. Every change and deletion carries the version that it was planned for.
func (s *Side) Apply(ctx context.Context, plans []record.Plan) ([]record.Result, error) {
	jobs := make([]*job, len(plans))
	for i, p := range plans {
		jobs[i] = newJob(p)
	}
	err := s.apply(ctx, jobs)
	results := make([]record.Result, len(plans))
	for i, j := range jobs {
		if j.result == nil {
			j.fail(fault.New(fault.Retry, google.Side, "not-done", errors.Join(errors.New("apply events: cut off"), err)))
		}
		results[i] = *j.result
	}
	return results, err
}

func newJob(p record.Plan) *job {
	j := &job{Plan: p}
	out, known := p.Prepared.(planned)
	switch {
	case p.Err != nil:
		j.fail(p.Err)
	case !known:
		j.fail(fault.New(fault.Bug, google.Side, "no-plan", errors.New("apply event: the plan is not one of this side")))
	default:
		j.planned = out
	}
	return j
}

func (s *Side) apply(ctx context.Context, jobs []*job) error {
	var open []*job
	for _, j := range jobs {
		switch {
		case j.result != nil:
		case j.method == "":
			j.result = &record.Result{Projections: j.Projections, Notes: j.Notes, Record: record.Record{
				ID: j.ID, Modified: s.api.Now().UTC(), Member: true, Fields: j.Displayed, AdapterState: j.state.encode(),
			}}
		default:
			open = append(open, j)
		}
	}
	open, err := s.readInstances(ctx, open)
	if err != nil {
		return err
	}
	return s.write(ctx, open)
}

// readInstances reads those instances that were not seen to differ from their series, and what is to be there again: what
// they are called, and their version, is nowhere else. One that is not what was planned for is a conflict.
func (s *Side) readInstances(ctx context.Context, jobs []*job) ([]*job, error) {
	var ids []string
	for _, j := range jobs {
		if j.state.Instance {
			ids = append(ids, j.ID)
		} else if j.former != "" {
			ids = append(ids, j.former)
		}
	}
	if len(ids) == 0 {
		return jobs, nil
	}
	found, unread, err := s.read(ctx, ids)
	if err != nil {
		return nil, err
	}
	now := map[string]*gcal.Event{}
	for i, id := range ids {
		now[id] = found[i]
	}
	return slices.DeleteFunc(jobs, func(j *job) bool {
		if !j.state.Instance {
			if err := unread[j.former]; err != nil {
				j.fail(err)
				return true
			}
			if e, read := now[j.former]; read && e != nil {
				j.former, j.formerEtag = e.Id, e.Etag
				j.again.Attendees = answered(j.again.Attendees, e.Attendees)
			} else if read {
				j.former = ""
			}
			return false
		}
		e := now[j.ID]
		switch gone := e == nil || e.Status == statusCancelled; {
		case unread[j.ID] != nil:
			j.fail(unread[j.ID])
		case gone && j.method == http.MethodDelete:
			j.result = &record.Result{Record: record.Record{ID: j.ID, Gone: true, Tombstone: true}}
		case gone:
			j.fail(fault.New(fault.Gone, google.Side, "not-found", errors.New("update event: it is not there")))
		case !activity.Schema.Equal(s.Remember(record.Record{Fields: j.Before, AdapterState: j.AdapterState}, s.record(e)).Fields, j.Before):
			j.fail(fault.New(fault.Conflict, google.Side, "changed-meanwhile", errors.New("update event: it changed since it was read")))
		default:
			j.state.Etag, j.state.ID = e.Etag, e.Id
		}
		return j.result != nil
	}), nil
}

// forgot reports whether an event that is there again lacks guests who were not written because they were to be still its own.
// Then they are to be.
func (j *job) forgot(body []byte) bool {
	var e gcal.Event
	if j.former == "" || len(j.again.Attendees) > 0 || json.Unmarshal(body, &e) != nil || len(e.Attendees) >= len(j.event.Attendees) {
		return false
	}
	j.again = &gcal.Event{Attendees: answered(j.event.Attendees, e.Attendees)}
	j.formerEtag = e.Etag
	return true
}

// answered are attendees with what those of them answered who are guests of an event: nobody answers for others.
func answered(list, guests []*gcal.EventAttendee) []*gcal.EventAttendee {
	out := slices.Clone(list)
	for i, a := range out {
		for _, guest := range guests {
			if !guest.Self && guest.ResponseStatus != "" && activity.AddressKey(guest.Email) == activity.AddressKey(a.Email) {
				copied := *a
				copied.ResponseStatus, out[i] = guest.ResponseStatus, &copied
			}
		}
	}
	return out
}

// write sends jobs, and those again whose new id was taken.
func (s *Side) write(ctx context.Context, jobs []*job) error {
	for len(jobs) > 0 {
		parts := make([]google.Part, len(jobs))
		for i, j := range jobs {
			parts[i] = j.part()
		}
		replies, err := s.api.Batch(ctx, "write events", api, parts)
		var taken, anew []*job
		for i, j := range jobs {
			reply := replies[i]
			switch {
			case j.method == http.MethodDelete && (reply.Err == nil || fault.Is(reply.Err, fault.Gone)):
				j.result = &record.Result{Record: record.Record{ID: j.ID, Gone: true, Tombstone: true, Modified: s.api.Now().UTC()}}
			case j.former != "" && reply.Err != nil && !slices.ContainsFunc([]fault.Kind{fault.Retry, fault.Reconnect, fault.Conflict}, func(k fault.Kind) bool { return fault.Is(reply.Err, k) }):
				// Google has it no more, or does not let it come back. Another one takes its place.
				j.former = ""
				anew = append(anew, j)
			case j.method == http.MethodPost && j.former == "" && fault.Is(reply.Err, fault.Conflict):
				taken = append(taken, j)
			case reply.Err != nil:
				j.fail(ofEvent(reply.Err))
			case j.forgot(reply.Body):
				anew = append(anew, j)
			default:
				s.done(j, reply.Body)
			}
		}
		if err != nil {
			return err
		}
		if jobs, err = s.resolveTaken(ctx, taken); err != nil {
			return err
		}
		jobs = append(jobs, anew...)
	}
	return nil
}

// ofEvent is what an answer says of one event. Google let the user's calendar be read a moment ago, so that it forbids one part is
// not about the account.
func ofEvent(err error) error {
	if f, is := errors.AsType[*fault.Error](err); is && f.Kind == fault.Misconfigured && f.Code == "no-access" {
		return fault.New(fault.ReadOnly, google.Side, "forbidden", err)
	}
	return err
}

// part is the request of a job.
func (j *job) part() google.Part {
	const quietly = "?sendUpdates=none&maxAttendees=200"
	id := cmp.Or(j.state.ID, j.ID)
	p := google.Part{Method: j.method, Path: path(id) + quietly, Header: http.Header{}}
	if j.state.Etag != "" {
		p.Header.Set("If-Match", j.state.Etag)
	}
	switch {
	case j.former != "":
		p.Method, p.Path, p.Body, p.Header = http.MethodPatch, path(j.former)+quietly, j.again, http.Header{}
		if j.formerEtag != "" {
			p.Header.Set("If-Match", j.formerEtag)
		}
	case j.method == http.MethodPost:
		e := *j.event
		e.Id = eventID(j.Link, j.generation)
		p.Path, p.Body, p.Header = "/"+api+"/calendars/"+primary+"/events"+quietly, &e, nil
	case j.method == http.MethodPatch:
		p.Body = j.event
	default:
		p.Path = path(id) + "?sendUpdates=none"
	}
	return p
}

// done ends a job whose event is as it was to be.
func (s *Side) done(j *job, body []byte) {
	var e gcal.Event
	if err := json.Unmarshal(body, &e); err != nil || e.Id == "" {
		f := fault.New(fault.Retry, google.Side, "malformed-reply", errors.New("write event: the reply is no event"))
		f.Ambiguous = true
		j.fail(f)
		return
	}
	r := s.Remember(record.Record{Fields: j.Displayed, AdapterState: j.state.encode()}, s.record(&e))
	if j.ID != "" {
		r.ID = j.ID
	}
	j.result = &record.Result{Record: r, Projections: j.Projections, Notes: j.Notes}
}

// resolveTaken looks at the events that have the ids of new ones. The ids follow from the links, and those from the activities:
// one that is there is the new one, whose answer was lost, or the copy of the one that a colleague's run made. After one that was
// deleted the next generation is tried.
func (s *Side) resolveTaken(ctx context.Context, jobs []*job) ([]*job, error) {
	if len(jobs) == 0 {
		return nil, nil
	}
	ids := make([]string, len(jobs))
	for i, j := range jobs {
		ids[i] = eventID(j.Link, j.generation)
	}
	found, err := s.Fetch(ctx, ids)
	if err != nil {
		return nil, err
	}
	var again []*job
	for i, j := range jobs {
		switch r := found[i]; {
		case !r.Gone:
			r = s.Remember(record.Record{Fields: j.Displayed, AdapterState: j.state.encode()}, r)
			j.result = &record.Result{Record: r, Projections: j.Projections, Notes: j.Notes}
		case j.generation+1 >= generations:
			j.fail(fault.New(fault.BadRecord, google.Side, "ids-taken", errors.New("create event: all its ids are taken")))
		default:
			j.generation++
			again = append(again, j)
		}
	}
	return again, nil
}
