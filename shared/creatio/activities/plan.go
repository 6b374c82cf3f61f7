package activities

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/activity"
	"github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
)

// prepared is what Apply needs of a plan: what it comes to, and what it was made from.
type prepared struct {
	planned
	by    contactsBy
	taken map[string]bool
	at    time.Time
	// read is when the activity was read; zero where it was not.
	read time.Time
	// there says that an activity that was to be made is there already.
	there bool
	// reading is the activity as it was read behind the writes.
	reading *activityRow
}

// Plan says what operations come to. It reads the activities as they are, and looks up the addresses that it does not know, in
// one request.
func (s *Side) Plan(ctx context.Context, ops []record.Operation) ([]record.Plan, error) {
	ids := make([]string, len(ops))
	for i := range ops {
		ids[i] = strings.ToLower(ops[i].ID)
	}
	at := s.site.Now()
	now, by, err := s.lookAt(ctx, ids, s.unknownAddresses(ops))
	if err != nil {
		return nil, fmt.Errorf("plan activities: %w", err)
	}
	plans := make([]record.Plan, len(ops))
	for i, op := range ops {
		op.ID = ids[i]
		p := &prepared{by: by, taken: s.taken.All(), at: s.site.ServerTime(at), read: at}
		plans[i] = s.planOperation(op, now[op.ID], p)
	}
	return plans, nil
}

// lookAt reads activities by id, and contacts by addresses.
func (s *Side) lookAt(ctx context.Context, ids, addresses []string) (map[string]*activityRow, contactsBy, error) {
	now := map[string]*activityRow{}
	by := contactsBy{}
	if err := s.learnAccounts(ctx, nil, addresses); err != nil {
		return nil, nil, err
	}
	more := addressQueries(addresses)
	for chunk := range slices.Chunk(creatio.NormalIDs(ids), readTogether) {
		// Few addresses are looked up at a time, so that they fit beside the activities.
		few := more[:min(len(more), maxLookUps)]
		more = more[len(few):]
		found, answers, err := s.readActivities(ctx, chunk, few, len(few))
		if err != nil {
			return nil, nil, err
		}
		for _, a := range found {
			now[a.id] = a
		}
		maps.Copy(by, readContactsBy(answers))
	}
	if len(more) > 0 {
		answers, err := s.site.ReadAll(ctx, more)
		if err != nil {
			return nil, nil, err
		}
		maps.Copy(by, readContactsBy(answers))
	}
	return now, by, s.learnAccounts(ctx, s.contactsWith(by, addresses), nil)
}

// unknownAddresses are those of participants that operations name and that were not among them before, and of organizers.
func (s *Side) unknownAddresses(ops []record.Operation) []string {
	var out []string
	for _, op := range ops {
		if organizer := op.Once.Text(activity.Organizer); organizer != "" {
			out = append(out, organizer, strings.ToLower(organizer))
		}
		if !slices.Contains(op.Changed, activity.Attendees) {
			continue
		}
		before := map[string]bool{}
		for _, e := range op.Before[activity.Attendees] {
			before[strings.ToLower(e.Text)] = true
		}
		for _, e := range op.After[activity.Attendees] {
			if address := strings.TrimSpace(e.Text); !before[strings.ToLower(address)] {
				out = append(out, address, strings.ToLower(address))
			}
		}
	}
	return creatio.Unique(out)
}

func (s *Side) planOperation(op record.Operation, now *activityRow, p *prepared) record.Plan {
	out := record.Plan{Operation: op, Displayed: op.Before}
	if op.ID == "" {
		out.Err = fault.New(fault.Bug, creatio.Side, "no-id", errors.New("plan activity: no id"))
		return out
	}
	have, err := readState(op.AdapterState)
	switch {
	case err != nil:
		out.Err = fault.New(fault.Conflict, creatio.Side, "not-read", err)
		return out
	case now == nil && op.Action == record.Create:
		p.planned = s.plan(op, draft{}, p.by, p.taken, p.at)
	case now == nil:
		out.Err = creatio.ErrNotThere()
		return out
	case op.Action == record.Create:
		// Another attempt has made it, or a colleague's run. It is taken over as it is.
		p.there = true
		own := op
		own.Action, own.Join, own.Changed = record.Update, true, nil
		p.planned = s.plan(own, s.draft(now), p.by, p.taken, p.at)
	default:
		is := s.draft(now)
		is.state = is.remember(have)
		if !op.Action.Removes() && !creatio.Untouched(activity.Schema, out, s.recordOf(now.id, now.latest(), is)) {
			out.Err = creatio.ErrChanged(nil)
			return out
		}
		p.planned = s.plan(op, is, p.by, p.taken, p.at)
	}
	out.Displayed, out.Projections, out.Rows, out.Notes = p.fields, p.projections, p.rows, p.notes
	if op.Action == record.Delete {
		out.Displayed = op.Before
	}
	out.Prepared = p
	return out
}

// onto plans the same changes for the activity as it is now, and reports whether that comes to the same writes, after which the
// fields that change show the same.
func (s *Side) onto(p *prepared, plan record.Plan, now *activityRow) (*prepared, bool) {
	is := s.draft(now)
	if have, err := readState(plan.AdapterState); err == nil {
		is.state = is.remember(have)
	}
	again := s.plan(creatio.Rebased(plan, s.recordOf(now.id, now.latest(), is)), is, p.by, p.taken, p.at)
	if !reflect.DeepEqual(again.writes, p.writes) || !creatio.Displays(activity.Schema, plan, again.fields) {
		return p, false
	}
	next := *p
	next.planned = again
	return &next, true
}

// maxLookUps is how many queries for addresses are sent beside those for activities.
const maxLookUps = 5
