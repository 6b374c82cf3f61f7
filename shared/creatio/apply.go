package creatio

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/odata"
	"github.com/tandem-sync/tandem/shared/record"
)

// Write is one row to insert, change or delete.
type Write struct {
	Method, Set, ID string
	Body            map[string]any
}

func (w Write) part(group string) odata.Part {
	p := odata.Part{Method: w.Method, Path: w.Set, Group: group}
	if w.Body != nil {
		p.Body = w.Body
	}
	if w.ID != "" {
		p.Path = odata.EntityPath(w.Set, w.ID)
	}
	return p
}

// NewID is the id of the row that is to be inserted; empty where the site chooses it.
func (w Write) NewID() string {
	id, _ := w.Body["Id"].(string)
	return id
}

// Job is one plan on its way to the site.
type Job struct {
	record.Plan
	// Send are the writes to be sent.
	Send []Write
	// Begun says that some of the writes took effect.
	Begun bool
	// Doubt is why the first attempt may or may not have taken effect, or could not; Duplicate is the write whose row is
	// there already, if that is why.
	Doubt     error
	Duplicate *Write
	// PartWritten says that a failed attempt may have taken effect up to where it failed: Creatio takes a group of writes without a
	// transaction, and answers with an error after it wrote. Settled says that the site would refuse the rest again, so that the
	// look is only for what took effect.
	PartWritten, Settled bool
	// alone says that the site failed without a reason, which it tells a write by itself.
	alone bool

	// attempt counts from 0.
	attempt int
	// result is what became of the operation, once that is known.
	result *record.Result
}

// Finish ends a job whose record is as it was to be.
func (j *Job) Finish(r record.Record) {
	j.result = &record.Result{Record: r, Projections: j.Projections, Notes: j.Notes}
}

// Refuse ends a job that was not carried out, or not as a whole.
func (j *Job) Refuse(err error) {
	if j.Begun {
		err = fault.InPart(err)
	}
	j.result = &record.Result{Err: err}
}

// Again has a job in doubt, of which nothing took effect, sent once more, unless the site would refuse it again.
func (j *Job) Again() {
	if j.Settled {
		j.Refuse(j.Doubt)
		return
	}
	j.Doubt = nil
	j.attempt++
}

// Resume has the rest of a job sent of which a part took effect.
func (j *Job) Resume(left []Write) {
	j.Send, j.Doubt, j.Begun = left, nil, true
	j.attempt++
}

// Applier is what a kind of records adds to how its plans are carried out.
type Applier interface {
	// Set is the entity set of the records themselves, as opposed to rows of their details.
	Set() string
	// Check reads what is to be changed, ends the jobs whose record is not what was planned for any more, and gives the others
	// what they send.
	Check(ctx context.Context, jobs []*Job) error
	// Resolve looks at the records of jobs whose first attempt is in doubt. It ends the jobs of those that show what was
	// planned and of those that need another plan, as those of which a part took effect, and has the others sent once more.
	Resolve(ctx context.Context, jobs []*Job) error
	// NeedsLook reports whether looking at the record tells what to do after an error of its own.
	NeedsLook(j *Job, err error) bool
	// Written is the record of a job that was carried out.
	Written(j *Job) record.Record
}

// Rereader is an Applier whose records are read in the same request as they are written, because the site makes rows of its
// own.
type Rereader interface {
	// Reread asks for the records of jobs. The number of queries grows with theirs.
	Reread(jobs []*Job) []odata.Query
	// Reading gives jobs that were carried out the answers to those queries.
	Reading(jobs []*Job, answers []Answer)
}

// Apply carries plans out, each record with all of its rows in one group, and many records in one batch. A group ends at the
// first write that fails, and what came before it may stay. Creatio takes no condition with a write, so the records are read
// right before, and what is not any more what was planned for is left alone. Where a reply is lost, or a group failed, it reads
// before it concludes anything or writes again.
func (s *Site) Apply(ctx context.Context, plans []record.Plan, as Applier) ([]record.Result, error) {
	results := make([]record.Result, len(plans))
	jobs := make([]*Job, len(plans))
	for i, p := range plans {
		jobs[i] = &Job{Plan: p}
		if p.Err != nil {
			jobs[i].Refuse(p.Err)
		}
	}
	err := (&sender{site: s, as: as}).apply(ctx, jobs)
	for i, j := range jobs {
		if j.result == nil {
			j.Refuse(cutOff(j, err))
		}
		results[i] = *j.result
	}
	return results, err
}

// cutOff is the error of a job that was not ended, or not begun.
func cutOff(j *Job, err error) error {
	if j.Doubt != nil {
		return j.Doubt
	}
	return fault.New(fault.Retry, Side, "not-done", errors.Join(errors.New("apply: cut off"), err))
}

// pending are the jobs that are not ended.
func pending(jobs []*Job) []*Job {
	return slices.DeleteFunc(slices.Clone(jobs), func(j *Job) bool { return j.result != nil })
}

// sender sends the writes of jobs.
type sender struct {
	site *Site
	as   Applier
	// refusedAlone is how many batches of one job were refused as a whole since one was taken.
	refusedAlone int
}

// maxRefusedAlone is how many jobs in a row are refused by themselves before the site counts as refusing everything.
const maxRefusedAlone = 3

// refusedWhole reports whether a batch was refused as such: it is too large, or something in it makes it unreadable to the
// site.
func refusedWhole(err error) bool {
	code := FaultCode(err)
	return code == "too-large" || code == "status-400"
}

// divide sends the halves of a batch that was refused as a whole, so that only the job at fault fails.
func (s *sender) divide(ctx context.Context, batch []segment, err error) error {
	if len(batch) == 1 {
		s.refusedAlone++
		s.fail(batch[0].job, err, nil, false)
		return nil
	}
	if err := s.sendBatch(ctx, batch[:len(batch)/2]); err != nil {
		return err
	}
	return s.sendBatch(ctx, batch[len(batch)/2:])
}

func (s *sender) apply(ctx context.Context, jobs []*Job) error {
	if jobs = pending(jobs); len(jobs) == 0 {
		return nil
	}
	if err := s.as.Check(ctx, jobs); err != nil {
		return err
	}
	if err := s.run(ctx, pending(jobs)); err != nil {
		return err
	}
	unsure := pending(jobs)
	if len(unsure) == 0 {
		return nil
	}
	if err := s.as.Resolve(ctx, unsure); err != nil {
		return err
	}
	return s.run(ctx, pending(unsure))
}

// segment is as much of a job as fits in one batch; more than a hundred writes are a group each.
type segment struct {
	job    *Job
	writes []Write
	last   bool
}

// run sends the writes of jobs. The error is for what concerns them all.
func (s *sender) run(ctx context.Context, jobs []*Job) error {
	var batch []segment
	size := 0
	flush := func() error {
		err := s.sendBatch(ctx, batch)
		batch, size = nil, 0
		return err
	}
	for _, j := range jobs {
		if len(j.Send) == 0 {
			j.Finish(s.as.Written(j))
			continue
		}
		if j.alone {
			if err := s.sendAlone(ctx, j); err != nil {
				return err
			}
			continue
		}
		chunks := slices.Collect(slices.Chunk(j.Send, MaxParts-len(s.reread([]*Job{j}))))
		for i, chunk := range chunks {
			next := append(slices.Clone(batch), segment{j, chunk, i == len(chunks)-1})
			if size+len(chunk)+len(s.reread(ending(next))) > MaxParts {
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

// ending are the jobs that end with a batch.
func ending(batch []segment) []*Job {
	var out []*Job
	for _, g := range batch {
		if g.last {
			out = append(out, g.job)
		}
	}
	return out
}

func (s *sender) reread(jobs []*Job) []odata.Query {
	if r, ok := s.as.(Rereader); ok && len(jobs) > 0 {
		return r.Reread(jobs)
	}
	return nil
}

// sendBatch carries one batch out.
func (s *sender) sendBatch(ctx context.Context, batch []segment) error {
	var parts []odata.Part
	batch = slices.DeleteFunc(batch, func(g segment) bool { return g.job.result != nil || g.job.Doubt != nil })
	for i, g := range batch {
		for _, w := range g.writes {
			parts = append(parts, w.part("g"+strconv.Itoa(i)))
		}
	}
	if len(parts) == 0 {
		return nil
	}
	written := ending(batch)
	replies, answers, err := s.site.writeAndRead(ctx, parts, s.reread(written))
	if refusedWhole(err) && s.refusedAlone < maxRefusedAlone {
		return s.divide(ctx, batch, err)
	}
	if err != nil {
		for _, g := range batch {
			s.fail(g.job, err, nil, false)
		}
		if fault.Ambiguous(err) && ctx.Err() == nil && batch[0].job.attempt == 0 {
			return nil
		}
		return err
	}
	s.refusedAlone = 0
	var done []*Job
	for _, g := range batch {
		mine := replies[:len(g.writes)]
		replies = replies[len(g.writes):]
		at, err := s.reason(g, mine)
		switch {
		case err == nil && g.last:
			done = append(done, g.job)
		case err == nil:
			g.job.Begun = true
		case fault.Is(err, fault.Reconnect):
			return err
		default:
			g.job.alone = slices.ContainsFunc(mine, bare)
			s.fail(g.job, err, at, len(g.writes) > 1 || slices.ContainsFunc(mine, func(r odata.Reply) bool { return r.Status >= http.StatusInternalServerError }))
		}
	}
	if r, ok := s.as.(Rereader); ok && len(done) > 0 {
		r.Reading(done, answers)
	}
	for _, j := range done {
		if j.result == nil {
			j.Finish(s.as.Written(j))
		}
	}
	return nil
}

// sendAlone sends the writes of a job one by one, each in a request of its own. The error is for what concerns all jobs.
func (s *sender) sendAlone(ctx context.Context, j *Job) error {
	for i, w := range j.Send {
		err := s.site.write(ctx, w)
		if err == nil {
			continue
		}
		j.Begun = j.Begun || i > 0
		j.Refuse(s.rowGone(j, w, err))
		if fault.Is(err, fault.Reconnect) {
			return err
		}
		return nil
	}
	if queries := s.reread([]*Job{j}); len(queries) > 0 {
		answers, err := s.site.Attempt(ctx, queries)
		if err != nil {
			answers = []Answer{{Err: err}}
		}
		s.as.(Rereader).Reading([]*Job{j}, answers)
	}
	if j.result == nil {
		j.Finish(s.as.Written(j))
	}
	return nil
}

// write sends one write by itself.
func (s *Site) write(ctx context.Context, w Write) error {
	switch w.Method {
	case http.MethodPost:
		_, err := s.client.Insert(ctx, w.Set, w.Body)
		return err
	case http.MethodPatch:
		return s.client.Update(ctx, w.Set, w.ID, w.Body)
	default:
		return s.client.Delete(ctx, w.Set, w.ID)
	}
}

// fail notes that an attempt failed at a write: in doubt where the record has to be looked at, else for good. partWritten says that
// some of it may have taken effect all the same.
func (s *sender) fail(j *Job, err error, at *Write, partWritten bool) {
	code := FaultCode(err)
	unsure := s.as.NeedsLook(j, err) || fault.Ambiguous(err) || code == "duplicate" || code == "foreign-key"
	if j.attempt > 0 || !unsure && !partWritten {
		j.Begun = j.Begun || partWritten
		j.Refuse(err)
		return
	}
	j.Doubt, j.PartWritten, j.Settled = err, partWritten, !unsure
	if code == "duplicate" {
		j.Duplicate = at
	}
}

// reason is why a group of writes failed, and at which; nil where it did not. Of the errors of a group only one is its own:
// the others say that they were not carried out because of it.
func (s *sender) reason(g segment, replies []odata.Reply) (*Write, error) {
	var found error
	var at *Write
	for i, r := range replies {
		if r.Err == nil {
			continue
		}
		err := s.rowGone(g.job, g.writes[i], r.Err)
		if found == nil || (dependent(found) && !dependent(err)) {
			found, at = err, &g.writes[i]
		}
	}
	return at, found
}

// rowGone is the error of a write as that of its job. A row that is gone although the record is there means that the record
// changed since it was read.
func (s *sender) rowGone(j *Job, w Write, err error) error {
	if fault.Is(err, fault.Gone) && !j.Action.Removes() && !(w.Set == s.as.Set() && strings.EqualFold(w.ID, j.ID)) {
		return fault.New(fault.Conflict, Side, "row-gone", err)
	}
	return err
}

// dependent reports whether an error only says that another one stopped the group.
func dependent(err error) bool { return FaultCode(err) == "group-failed" }

// FaultCode is the code of a fault; empty for other errors.
func FaultCode(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Code
	}
	return ""
}

// ErrNotThere is the fault of a record that is gone.
func ErrNotThere() error {
	return fault.New(fault.Gone, Side, "not-found", errors.New("apply: the record is not there"))
}

// ErrChanged is the fault of a record that is not any more what it was planned for; beside may be what happened before that
// was found.
func ErrChanged(beside error) error {
	return fault.New(fault.Conflict, Side, "changed-meanwhile", errors.Join(errors.New("apply: the record is not what it was planned for"), beside))
}
