package contacts

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/odata"
	"github.com/tandem-sync/tandem/shared/record"
)

// Apply carries plans out.
func (s *Side) Apply(ctx context.Context, plans []record.Plan) ([]record.Result, error) {
	plans = slices.Clone(plans)
	for i, p := range plans {
		if _, known := p.Prepared.(*prepared); !known && p.Err == nil {
			plans[i].Err = fault.New(fault.Bug, creatio.Side, "no-plan", errors.New("apply contact: the plan is not one of this side"))
		}
	}
	return s.site.Apply(ctx, plans, applier{s})
}

// applier carries the plans of a side out.
type applier struct{ *Side }

func preparedOf(j *creatio.Job) *prepared { return j.Prepared.(*prepared) }

// Set is that of contacts.
func (applier) Set() string { return "Contact" }

// Check reads what is to be changed once more.
func (s applier) Check(ctx context.Context, jobs []*creatio.Job) error {
	var linked, changed []string
	for _, j := range jobs {
		if j.Action == record.Unlink || (j.Join && j.Action == record.Update) {
			linked = append(linked, j.ID)
		}
		if j.Action == record.Update && len(j.Changed) > 0 {
			changed = append(changed, j.ID)
		}
	}
	links, err := s.linkRows(ctx, linked)
	if err != nil {
		return err
	}
	now, err := s.current(ctx, changed)
	if err != nil {
		return fmt.Errorf("read what is to be changed: %w", err)
	}
	for _, j := range jobs {
		if is, read := now[j.ID]; read {
			check(j, s.remembered(j, is))
		}
		s.prepareWrites(j, links[j.ID])
	}
	return nil
}

// check ends a job whose contact is not what it was planned for.
func check(j *creatio.Job, now record.Record) {
	if now.Gone {
		j.Refuse(creatio.ErrNotThere())
		return
	}
	again, same := preparedOf(j).onto(j.Plan, now)
	if !creatio.Untouched(contact.Schema, j.Plan, now) || !same {
		j.Refuse(creatio.ErrChanged(nil))
		return
	}
	j.Prepared = again
}

// remembered is the contact of a job as it is now, for what it was taken for.
func (s *Side) remembered(j *creatio.Job, now record.Record) record.Record {
	return s.Remember(record.Record{AdapterState: j.AdapterState, Fields: j.Before}, now)
}

// current reads contacts, by id.
func (s *Side) current(ctx context.Context, ids []string) (map[string]record.Record, error) {
	records, err := s.Fetch(ctx, ids)
	if err != nil {
		return nil, err
	}
	now := make(map[string]record.Record, len(records))
	for _, r := range records {
		now[r.ID] = r
	}
	return now, nil
}

// linkRows are the ids of the tag's links to contacts.
func (s *Side) linkRows(ctx context.Context, ids []string) (map[string][]string, error) {
	var queries []odata.Query
	for chunk := range slices.Chunk(creatio.NormalIDs(ids), creatio.MaxListed) {
		queries = append(queries, s.linksOf(chunk))
	}
	answers, err := s.site.ReadAll(ctx, queries)
	if err != nil {
		return nil, fmt.Errorf("read tag links: %w", err)
	}
	links := map[string][]string{}
	for _, a := range answers {
		for _, r := range a.Rows {
			contact := r.Lookup(s.contact)
			links[contact] = append(links[contact], r.Text("Id"))
		}
	}
	return links, nil
}

// prepareWrites are what a job sends: what it planned, and the tag's links to its contact, of which these are there.
func (s *Side) prepareWrites(j *creatio.Job, links []string) {
	p := preparedOf(j)
	j.Send = slices.Clone(p.writes)
	if p.owner && len(j.Send) > 0 {
		first := j.Send[0]
		first.Body = maps.Clone(first.Body)
		first.Body["OwnerId"] = s.user.ContactID
		j.Send[0] = first
	}
	switch {
	case j.Action == record.Unlink:
		for _, id := range links {
			j.Send = append(j.Send, creatio.Write{Method: "DELETE", Set: s.set, ID: id})
		}
	case j.Join && len(links) == 0:
		j.Send = append(j.Send, s.link(j.ID, s.taken.All()))
	}
}

// Resolve looks at the contacts of jobs in doubt.
func (s applier) Resolve(ctx context.Context, jobs []*creatio.Job) error {
	ids := make([]string, len(jobs))
	for i, j := range jobs {
		ids[i] = j.ID
	}
	now, err := s.current(ctx, ids)
	if err != nil {
		return err
	}
	links, err := s.linkRows(ctx, ids)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		s.resolve(j, s.remembered(j, now[j.ID]), links[j.ID])
	}
	return nil
}

// resolve decides about a job by its contact as it is now.
func (s *Side) resolve(j *creatio.Job, now record.Record, links []string) {
	doubt := j.Doubt
	switch {
	case j.Action == record.Unlink && (now.Gone || len(links) == 0):
		j.Finish(record.Record{ID: j.ID, Fields: j.Before, AdapterState: j.AdapterState})
		return
	case j.Action == record.Unlink:
	case now.Gone && j.Action == record.Create:
		if j.Duplicate != nil && j.Duplicate.Set == "Contact" {
			// Somebody has a contact of that id, and does not show it.
			j.Refuse(doubt)
			return
		}
	case now.Gone:
		j.Refuse(creatio.ErrNotThere())
		return
	case creatio.Shows(contact.Schema, j.Plan, now) && (now.Member || !j.Join):
		// The first attempt took effect, or an earlier one did.
		j.Finish(now)
		return
	case j.Action == record.Create:
		// It is there by the id that was meant for it, and shows something else: the contact of an earlier attempt.
		j.Begun = true
		j.Refuse(fault.New(fault.Conflict, creatio.Side, "exists", doubt))
		return
	case !creatio.Untouched(contact.Schema, j.Plan, now):
		if j.Duplicate != nil && !s.HasRow(now.AdapterState, j.Duplicate.NewID()) {
			s.taken.Add(j.Duplicate.NewID())
		}
		j.Begun = j.Begun || j.PartWritten || fault.Ambiguous(doubt)
		j.Refuse(creatio.ErrChanged(doubt))
		return
	}
	if j.Duplicate != nil {
		s.taken.Add(j.Duplicate.NewID())
		j.Refuse(fault.New(fault.Conflict, creatio.Side, "id-taken", doubt))
		return
	}
	j.Again()
	s.prepareWrites(j, links)
}

// NeedsLook reports whether the site insists on an owner, or has no link to take away.
func (applier) NeedsLook(j *creatio.Job, err error) bool {
	var f *fault.Error
	if j.Action == record.Create && errors.As(err, &f) && f.Code == odata.CodeOwner {
		preparedOf(j).owner = true
		return true
	}
	return j.Action == record.Unlink && fault.Is(err, fault.Gone)
}

// Written is a contact as it was to be.
func (s applier) Written(j *creatio.Job) record.Record {
	p := preparedOf(j)
	return record.Record{
		ID: j.ID, Modified: s.site.ServerTime(s.site.Now()).UTC(), Member: j.Action != record.Unlink, Fields: p.fields, AdapterState: p.state.encode(),
	}
}
