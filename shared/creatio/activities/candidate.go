package activities

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/activity"
	"github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/odata"
	"github.com/tandem-sync/tandem/shared/record"
)

// Candidates finds the activities that may be the same as one of like: those that Creatio's own synchronizations have tied to
// it, and those of the user at the same time.
func (s *Side) Candidates(ctx context.Context, like []record.Record) ([]record.Record, error) {
	if err := s.readDirectory(ctx); err != nil {
		return nil, err
	}
	var queries []odata.Query
	tied := tieQueries(like)
	queries = append(append(queries, tied...), s.timeQueries(s.unlisted(like))...)
	answers, err := s.site.Read(ctx, queries)
	if err != nil {
		return nil, err
	}
	named := activityIDsIn(like)
	ids := slices.Clone(named)
	for i, a := range answers {
		if a.Err != nil && i >= len(tied) {
			return nil, creatio.Required(a.Err)
		}
		for _, r := range a.Rows {
			switch {
			case r.Has("ActivityId"):
				ids = append(ids, r.Lookup("ActivityId"))
			case r.Has("LocalId"):
				ids = append(ids, r.Lookup("LocalId"))
			default:
				ids = append(ids, r.Lookup("Id"))
			}
		}
	}
	var out []record.Record
	for chunk := range slices.Chunk(creatio.NormalIDs(ids), tiedTogether) {
		found, err := s.readTied(ctx, chunk, nil)
		if err != nil {
			return nil, err
		}
		for _, a := range found.activities {
			// In one whose event the user has, the user takes part, though Creatio may not know that yet.
			if r := s.record(a); r.Member || slices.Contains(named, a.id) && s.takesPlace(s.draft(a).state) {
				r.Ties = found.ties[a.id]
				out = append(out, r)
			}
		}
	}
	return out, nil
}

// unlisted are those of records whose activity the run may not have read yet: where it read all that the user has in the range,
// these are only some at its edge, where an activity of whole days may end before the range in one time zone and in it in another.
func (s *Side) unlisted(like []record.Record) []record.Record {
	if !s.readsAll() {
		return like
	}
	return slices.DeleteFunc(slices.Clone(like), func(r record.Record) bool { return !r.End.Before(s.o.From.Add(dayEnd)) })
}

var guidForm = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// activityIDsIn are the ids of activities that records are tied to.
func activityIDsIn(like []record.Record) []string {
	var ids []string
	for _, r := range like {
		for _, name := range r.Ties {
			if guidForm.MatchString(name) {
				ids = append(ids, name)
			}
		}
	}
	return ids
}

// tieQueries ask which activities the site has tied to events. Many sites keep these tables closed.
func tieQueries(like []record.Record) []odata.Query {
	var ids, names []string
	for _, r := range like {
		ids = append(append(ids, r.ID), r.Aliases...)
		names = append(names, slices.DeleteFunc(slices.Clone(r.Ties), guidForm.MatchString)...)
	}
	var out []odata.Query
	for chunk := range slices.Chunk(creatio.Unique(ids), creatio.MaxListed) {
		out = append(out, odata.Query{
			Set: "ActivityCorrespondence", Select: []string{"Id", "ActivityId"},
			Filter: odata.And(odata.In("SourceActivityId", creatio.Texts(chunk)), odata.Eq("IsDeleted", odata.Bool(false))),
		})
	}
	for chunk := range slices.Chunk(creatio.Unique(names), creatio.MaxListed) {
		out = append(out, odata.Query{Set: "SysSyncMetaData", Select: []string{"Id", "LocalId"}, Filter: odata.In("RemoteId", creatio.Texts(chunk))})
	}
	return out
}

// timesPerQuery is how many times one query asks for: a filter may have a hundred nodes.
const timesPerQuery = 3

// Days begin up to so much before and after they do in UTC.
const (
	eastmost = 14 * time.Hour
	westmost = 12 * time.Hour
)

// span is when something may begin: from an instant on and before another.
type span struct{ from, to time.Time }

func (sp span) filter(path string) odata.Filter {
	return odata.And(odata.Ge(path, odata.DateTime(sp.from)), odata.Lt(path, odata.DateTime(sp.to)))
}

// spans are when an activity of a moment may begin and end: instants within the second, days in whatever zone.
func spans(m activity.Moment) [2]span {
	start, end := m.In(time.UTC)
	out := [2]span{{from: start, to: start}, {from: end, to: end}}
	for i := range out {
		if m.AllDay {
			out[i].from, out[i].to = out[i].from.Add(-eastmost), out[i].to.Add(westmost)
		}
		out[i].to = out[i].to.Add(time.Second)
	}
	return out
}

// timeQueries ask for the user's activities at the times of records. Titles are compared by who asks.
func (s *Side) timeQueries(like []record.Record) []odata.Query {
	var times [][2]span
	for _, r := range like {
		m, err := activity.ReadMoment(r.Fields.One(activity.When))
		if at := spans(m); err == nil && !slices.Contains(times, at) {
			times = append(times, at)
		}
	}
	var out []odata.Query
	for chunk := range slices.Chunk(times, timesPerQuery) {
		at := func(path string) odata.Filter {
			var of []odata.Filter
			for _, t := range chunk {
				of = append(of, odata.And(t[0].filter(path+"StartDate"), t[1].filter(path+"DueDate")))
			}
			return odata.Or(of...)
		}
		out = append(out,
			odata.Query{Set: participantSet, Select: []string{"Id", "ActivityId"}, Filter: odata.And(s.takesPart(), at("Activity/"))},
			odata.Query{Set: activitySet, Select: []string{"Id"}, Filter: odata.And(s.owned(), at(""))})
	}
	return out
}

// tied are activities, with the names of the events that the site has tied to them.
type tied struct {
	activities []*activityRow
	ties       map[string][]string
	more       []creatio.Answer
}

// readTied reads activities with the events that they are tied to, and what more queries ask for.
func (s *Side) readTied(ctx context.Context, ids []string, more []odata.Query) (tied, error) {
	queries := slices.Clone(more)
	if !s.tiesClosed() {
		for chunk := range slices.Chunk(ids, creatio.MaxListed) {
			listed := creatio.Guids(chunk)
			queries = append(queries,
				odata.Query{
					Set: "ActivityCorrespondence", Select: []string{"Id", "ActivityId", "SourceActivityId"},
					Filter: odata.And(odata.In("Activity/Id", listed), odata.Eq("IsDeleted", odata.Bool(false))),
				},
				odata.Query{Set: "SysSyncMetaData", Select: []string{"Id", "LocalId", "RemoteId"}, Filter: odata.In("LocalId", listed)})
		}
	}
	found, answers, err := s.readActivities(ctx, ids, queries, len(more))
	if err != nil {
		return tied{}, err
	}
	out := tied{activities: found, more: answers[:len(more)]}
	out.ties = s.readTies(answers[len(more):])
	return out, nil
}

// readTies are the names of the events that activities are tied to, by the activity: ids of events, and iCalendar ids. Each user
// of an activity may have noted one.
func (s *Side) readTies(answers []creatio.Answer) map[string][]string {
	ties, closed := map[string][]string{}, 0
	for _, a := range answers {
		if a.Err != nil {
			closed++
		}
		for _, r := range a.Rows {
			id, event := r.Lookup("ActivityId"), strings.TrimSpace(r.Text("SourceActivityId"))
			if r.Has("LocalId") {
				id, event = r.Lookup("LocalId"), strings.TrimSpace(r.Text("RemoteId"))
			}
			if event != "" && !slices.Contains(ties[id], event) {
				ties[id] = append(ties[id], event)
			}
		}
	}
	if len(answers) > 0 && closed == len(answers) {
		s.closeTies()
	}
	return ties
}

func (s *Side) readsAll() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.readAll
}

func (s *Side) tiesClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.noTies
}

func (s *Side) closeTies() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noTies = true
}
