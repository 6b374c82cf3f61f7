package activities

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/activity"
	"github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/odata"
	"github.com/tandem-sync/tandem/shared/record"
)

// freshFor is how long an activity that was read for its plan is written without being read once more.
const freshFor = 15 * time.Second

// Apply carries plans out.
func (s *Side) Apply(ctx context.Context, plans []record.Plan) ([]record.Result, error) {
	plans = slices.Clone(plans)
	for i, p := range plans {
		if _, known := p.Prepared.(*prepared); !known && p.Err == nil {
			plans[i].Err = fault.New(fault.Bug, creatio.Side, "no-plan", errors.New("apply activity: the plan is not one of this side"))
		}
	}
	return s.site.Apply(ctx, plans, applier{s})
}

// applier carries the plans of a side out.
type applier struct{ *Side }

func preparedOf(j *creatio.Job) *prepared { return j.Prepared.(*prepared) }

// Set is that of activities.
func (applier) Set() string { return activitySet }

// Check reads what is to be changed once more where that was read a while ago.
func (s applier) Check(ctx context.Context, jobs []*creatio.Job) error {
	var old []string
	for _, j := range jobs {
		if s.site.Now().Sub(preparedOf(j).read) > freshFor {
			old = append(old, j.ID)
		}
	}
	now, _, err := s.lookAt(ctx, old, nil)
	if err != nil {
		return fmt.Errorf("read what is to be changed: %w", err)
	}
	for _, j := range jobs {
		if slices.Contains(old, j.ID) {
			s.check(j, now[j.ID])
		}
		j.Send = preparedOf(j).writes
	}
	return nil
}

// check ends a job whose activity is not what it was planned for.
func (s applier) check(j *creatio.Job, now *activityRow) {
	p := preparedOf(j)
	switch {
	case j.Action == record.Create && now == nil && !p.there:
	case now == nil:
		j.Refuse(creatio.ErrNotThere())
	case j.Action == record.Create && !p.there:
		j.Refuse(creatio.ErrChanged(nil))
	case p.there:
	default:
		again, same := s.onto(p, j.Plan, now)
		if !same || !j.Action.Removes() && !creatio.Untouched(activity.Schema, j.Plan, s.remembered(j, now)) {
			j.Refuse(creatio.ErrChanged(nil))
			return
		}
		j.Prepared = again
	}
}

// remembered is the activity of a job as it is now, for what it was taken for.
func (s applier) remembered(j *creatio.Job, now *activityRow) record.Record {
	return s.Remember(record.Record{AdapterState: preparedOf(j).after.encode()}, s.Remember(record.Record{AdapterState: j.AdapterState}, s.record(now)))
}

// Reread asks for the activities behind the writes: the site makes rows of its own.
func (s applier) Reread(jobs []*creatio.Job) []odata.Query {
	var ids []string
	for _, j := range jobs {
		if j.Action != record.Delete {
			ids = append(ids, j.ID)
		}
	}
	return s.contentQueries(ids)
}

// Reading gives jobs the activities as they were read. Where that failed, or told less than other readings, they are as they
// were to be.
func (s applier) Reading(jobs []*creatio.Job, answers []creatio.Answer) {
	if s.isFlat() || slices.ContainsFunc(answers, func(a creatio.Answer) bool { return a.Err != nil }) {
		return
	}
	found := map[string]*activityRow{}
	for _, a := range s.activitiesOf(answers) {
		found[a.id] = a
	}
	for _, j := range jobs {
		preparedOf(j).reading = found[j.ID]
	}
}

// Written is an activity as it was read behind the writes, else as it was to be.
func (s applier) Written(j *creatio.Job) record.Record {
	p := preparedOf(j)
	if j.Action == record.Delete {
		return record.Record{ID: j.ID, Gone: true}
	}
	d, modified := p.after, s.site.ServerTime(s.site.Now()).UTC()
	if p.reading != nil {
		d, modified = s.draft(p.reading), p.reading.latest()
		d.state = d.remember(p.after.state)
	}
	return s.recordOf(j.ID, modified, d)
}

// Resolve looks at the activities of jobs in doubt.
func (s applier) Resolve(ctx context.Context, jobs []*creatio.Job) error {
	ids := make([]string, len(jobs))
	for i, j := range jobs {
		ids[i] = j.ID
	}
	now, _, err := s.lookAt(ctx, ids, nil)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		s.resolve(j, now[j.ID])
	}
	return nil
}

// resolve decides about a job by its activity as it is now.
func (s applier) resolve(j *creatio.Job, now *activityRow) {
	p, unsure := preparedOf(j), j.Doubt
	if now == nil {
		s.resolveMissing(j)
		return
	}
	is := s.remembered(j, now)
	p.reading = now
	left := remaining(j.Send, now)
	switch {
	case j.Action == record.Delete:
	case !j.Action.Removes() && j.Duplicate == nil && movesRows(left) && creatio.Shows(activity.Schema, j.Plan, is):
		// Not everybody who takes part shows: what is missing are rows of others.
		p.reading = nil
		j.Resume(left)
		return
	case j.Action == record.Cancel && now.status == statusCanceled,
		j.Action == record.Unlink && s.declined(now),
		!j.Action.Removes() && creatio.Shows(activity.Schema, j.Plan, is) && (is.Member || !j.Join):
		// The first attempt took effect, or an earlier one did.
		j.Finish(s.Written(j))
		return
	case j.Action == record.Create:
		// Another run has made it meanwhile.
		j.Begun = true
		j.Refuse(fault.New(fault.Conflict, creatio.Side, "exists", unsure))
		return
	case !j.Action.Removes() && !creatio.Untouched(activity.Schema, j.Plan, is):
		j.Begun = j.Begun || j.PartWritten || fault.Ambiguous(unsure)
		j.Refuse(creatio.ErrChanged(unsure))
		return
	}
	if j.Duplicate != nil {
		s.taken.Add(j.Duplicate.NewID())
		j.Refuse(fault.New(fault.Conflict, creatio.Side, "id-taken", unsure))
		return
	}
	p.reading = nil
	j.Send = left
	j.Again()
}

// remaining are the writes that an attempt has not carried out, by the rows that are there now.
func remaining(writes []creatio.Write, now *activityRow) []creatio.Write {
	has := func(id string) bool {
		return slices.ContainsFunc(now.participants, func(p participantRow) bool { return strings.EqualFold(p.row, id) })
	}
	return slices.DeleteFunc(slices.Clone(writes), func(w creatio.Write) bool {
		switch {
		case w.Method == http.MethodPost:
			return w.Set == activitySet || has(w.NewID())
		case w.Method == http.MethodDelete && w.Set == participantSet:
			return !has(w.ID)
		}
		return false
	})
}

// movesRows reports whether writes make or delete rows.
func movesRows(writes []creatio.Write) bool {
	return slices.ContainsFunc(writes, func(w creatio.Write) bool { return w.Method != http.MethodPatch })
}

// resolveMissing decides about a job whose activity is not there.
func (s applier) resolveMissing(j *creatio.Job) {
	switch {
	case j.Action == record.Delete:
		j.Finish(s.Written(j))
	case j.Action != record.Create:
		j.Refuse(creatio.ErrNotThere())
	case j.Duplicate != nil && j.Duplicate.Set == activitySet:
		// Somebody has an activity of that id, and does not show it.
		j.Refuse(j.Doubt)
	default:
		j.Again()
	}
}

func (s applier) declined(now *activityRow) bool {
	return slices.ContainsFunc(now.participants, func(p participantRow) bool {
		return p.contact == s.o.User.ContactID && p.response == responseDeclined
	})
}

// NeedsLook reports whether what was to be deleted may be gone already.
func (applier) NeedsLook(j *creatio.Job, err error) bool {
	return j.Action == record.Delete && fault.Is(err, fault.Gone)
}
