package contacts

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/odata"
	"github.com/tandem-sync/tandem/shared/record"
)

// job is one plan on its way.
type job struct {
	record.Plan
	prepared
	// send are the writes to be sent.
	send []write
	// attempt counts from 0.
	attempt int
	// owner says that the site insists on being told who owns a new contact, which does not change what shows.
	owner bool
	// begun says that some of the writes took effect.
	begun bool
	// doubt is why the first attempt may or may not have taken effect, or could not; duplicate is the write whose row is
	// there already, if that is why.
	doubt     error
	duplicate *write
	// result is what became of the operation, once that is known.
	result *record.Result
}

// Apply carries plans out, each contact with all of its rows in one group that takes effect as a whole, and many
// contacts in one batch. Creatio takes no condition with a write, so the contacts are read right before, and what is not
// any more what was planned for is left alone. Where a reply is lost it reads before it writes again.
func (s *Side) Apply(ctx context.Context, plans []record.Plan) ([]record.Result, error) {
	results := make([]record.Result, len(plans))
	jobs := make([]*job, len(plans))
	for i, p := range plans {
		jobs[i] = newJob(p)
	}
	err := s.apply(ctx, jobs)
	for i, j := range jobs {
		if j.result == nil {
			j.refuse(cutOff(j, err))
		}
		results[i] = *j.result
	}
	return results, err
}

func newJob(p record.Plan) *job {
	j := &job{Plan: p}
	var known bool
	j.prepared, known = p.Prepared.(prepared)
	switch {
	case p.Err != nil:
		j.refuse(p.Err)
	case !known:
		j.refuse(fault.New(fault.Bug, creatio.Side, "no-plan", errors.New("apply contact: the plan is not one of this side")))
	}
	return j
}

// cutOff is the error of a job that was not ended, or not begun.
func cutOff(j *job, err error) error {
	if j.doubt != nil {
		return j.doubt
	}
	return fault.New(fault.Retry, creatio.Side, "not-done", errors.Join(errors.New("apply contacts: cut off"), err))
}

// finish ends a job whose contact is as it was to be.
func (j *job) finish(r record.Record) {
	j.result = &record.Result{Record: r, Projections: j.Projections, Notes: j.Notes}
}

// refuse ends a job that was not carried out, or not as a whole.
func (j *job) refuse(err error) {
	if j.begun {
		err = fault.InPart(err)
	}
	j.result = &record.Result{Err: err}
}

// pending are the jobs that are not ended.
func pending(jobs []*job) []*job {
	return slices.DeleteFunc(slices.Clone(jobs), func(j *job) bool { return j.result != nil })
}

func (s *Side) apply(ctx context.Context, jobs []*job) error {
	if err := s.check(ctx, pending(jobs)); err != nil {
		return err
	}
	if err := s.run(ctx, pending(jobs)); err != nil {
		return err
	}
	unsure := pending(jobs)
	if err := s.resolveDoubt(ctx, unsure); err != nil {
		return err
	}
	return s.run(ctx, pending(unsure))
}

// check reads what is to be changed once more, ends the jobs of contacts that are not what they were planned for, and
// has the others send what they planned.
func (s *Side) check(ctx context.Context, jobs []*job) error {
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
			j.check(is)
		}
		s.prepareWrites(j, links[j.ID])
	}
	return nil
}

// check ends a job whose contact is not what it was planned for.
func (j *job) check(now record.Record) {
	if now.Gone {
		j.refuse(errNotThere())
		return
	}
	again, same := j.onto(j.Plan, now)
	if !untouched(j.Plan, now) || !same {
		j.refuse(errChanged(nil))
		return
	}
	j.prepared = again
}

func errNotThere() error {
	return fault.New(fault.Gone, creatio.Side, "not-found", errors.New("apply contact: it is not there"))
}

// errChanged is the error of a contact that is not any more what it was planned for; beside may be what happened before
// that was found.
func errChanged(beside error) error {
	return fault.New(fault.Conflict, creatio.Side, "changed-meanwhile", errors.Join(errors.New("apply contact: it is not what it was planned for"), beside))
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
func (s *Side) prepareWrites(j *job, links []string) {
	j.send = slices.Clone(j.writes)
	if j.owner && len(j.send) > 0 {
		first := j.send[0]
		first.body = maps.Clone(first.body)
		first.body["OwnerId"] = s.user.ContactID
		j.send[0] = first
	}
	switch {
	case j.Action == record.Unlink:
		for _, id := range links {
			j.send = append(j.send, write{method: "DELETE", set: s.set, id: id})
		}
	case j.Join && len(links) == 0:
		j.send = append(j.send, s.link(j.ID, s.takenIDs()))
	}
}

// segment is as much of a job as fits in one batch; more than a hundred writes are a group each.
type segment struct {
	job    *job
	writes []write
	last   bool
}

// run sends the writes of jobs. The error is for what concerns them all.
func (s *Side) run(ctx context.Context, jobs []*job) error {
	var batch []segment
	size := 0
	flush := func() error {
		err := s.sendBatch(ctx, batch)
		batch, size = nil, 0
		return err
	}
	for _, j := range jobs {
		if len(j.send) == 0 {
			s.succeed(j)
			continue
		}
		chunks := slices.Collect(slices.Chunk(j.send, creatio.MaxParts))
		for i, chunk := range chunks {
			if size+len(chunk) > creatio.MaxParts {
				if err := flush(); err != nil {
					return err
				}
			}
			batch = append(batch, segment{j, chunk, i == len(chunks)-1})
			size += len(chunk)
		}
	}
	if len(batch) == 0 {
		return nil
	}
	return flush()
}

// sendBatch carries one batch out.
func (s *Side) sendBatch(ctx context.Context, batch []segment) error {
	var parts []odata.Part
	batch = slices.DeleteFunc(batch, func(g segment) bool { return g.job.result != nil || g.job.doubt != nil })
	for i, g := range batch {
		for _, w := range g.writes {
			parts = append(parts, w.part("g"+strconv.Itoa(i)))
		}
	}
	if len(parts) == 0 {
		return nil
	}
	replies, err := s.site.Client().Batch(ctx, parts)
	if err != nil {
		for _, g := range batch {
			g.job.fail(err, nil)
		}
		if fault.Ambiguous(err) && ctx.Err() == nil && batch[0].job.attempt == 0 {
			return nil
		}
		return err
	}
	for _, g := range batch {
		mine := replies[:len(g.writes)]
		replies = replies[len(g.writes):]
		at, err := reason(g, mine)
		switch {
		case err == nil && g.last:
			s.succeed(g.job)
		case err == nil:
			g.job.begun = true
		case fault.Is(err, fault.Reconnect):
			return err
		default:
			g.job.fail(err, at)
		}
	}
	return nil
}

func (w write) part(group string) odata.Part {
	p := odata.Part{Method: w.method, Path: w.set, Group: group}
	if w.body != nil {
		p.Body = w.body
	}
	if w.id != "" {
		p.Path = odata.EntityPath(w.set, w.id)
	}
	return p
}

// succeed ends a job whose contact is as it was to be.
func (s *Side) succeed(j *job) {
	j.finish(record.Record{
		ID: j.ID, Modified: s.site.ServerTime(s.site.Now()).UTC(), Member: j.Action != record.Unlink, Fields: j.fields, AdapterState: j.state.encode(),
	})
}

// fail notes that an attempt failed at a write: in doubt where the contact has to be looked at, else for good.
func (j *job) fail(err error, at *write) {
	if j.attempt == 0 && j.needsLook(err) {
		j.doubt = err
		if faultCode(err) == "duplicate" {
			j.duplicate = at
		}
		return
	}
	j.refuse(err)
}

// needsLook reports whether looking at the contact tells what to do: after a lost reply, where a row is there already, and
// where the site insists on an owner. A row whose contact is not there breaks a foreign key.
func (j *job) needsLook(err error) bool {
	if j.Action == record.Create && strings.Contains(err.Error(), "Owner") {
		j.owner = true
		return true
	}
	code := faultCode(err)
	return fault.Ambiguous(err) || code == "duplicate" || code == "foreign-key" || j.Action == record.Unlink && fault.Is(err, fault.Gone)
}

func faultCode(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Code
	}
	return ""
}
