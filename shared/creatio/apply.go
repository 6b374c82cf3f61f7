package creatio

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/odata"
	"github.com/tandem-sync/tandem/shared/record"
)

// job is one operation on its way.
type job struct {
	index int
	op    record.Operation
	// attempt counts from 0.
	attempt int
	// salt makes other ids of new rows, for the case that the first ones are taken.
	salt int
	// owner says that the site insists on being told who owns a new contact.
	owner  bool
	plan   plan
	writes []write
	// result is the operation's fate, once it has one.
	result *record.Result
	// doubt is why the operation's first attempt may or may not have taken effect, or has to be made differently.
	doubt error
}

// Apply carries operations out, each contact with all of its rows in one group that takes effect as a whole, and many
// contacts in one batch. Where a reply is lost or a row is there already, it reads before it writes again.
func (c *Contacts) Apply(ctx context.Context, ops []record.Operation) ([]record.Result, error) {
	results := make([]record.Result, len(ops))
	jobs := make([]*job, len(ops))
	for i, op := range ops {
		op.ID = strings.ToLower(op.ID)
		jobs[i] = &job{index: i, op: op}
	}
	err := c.apply(ctx, jobs)
	for i, j := range jobs {
		switch {
		case j.result != nil:
			results[i] = *j.result
		case j.doubt != nil:
			results[i] = record.Result{Err: j.doubt}
		default:
			results[i] = record.Result{Err: fault.New(fault.Retry, side, "not-done", errors.Join(errors.New("apply contacts: cut off"), err))}
		}
	}
	return results, err
}

func (c *Contacts) apply(ctx context.Context, jobs []*job) error {
	if len(jobs) == 0 {
		return nil
	}
	if err := c.prepare(ctx, jobs); err != nil {
		return err
	}
	if err := c.run(ctx, jobs); err != nil {
		return err
	}
	var again []*job
	for _, j := range jobs {
		if j.doubt != nil {
			again = append(again, j)
		}
	}
	if len(again) == 0 {
		return nil
	}
	if err := c.settle(ctx, again); err != nil {
		return err
	}
	return c.run(ctx, again)
}

// prepare plans the first attempt of every operation.
func (c *Contacts) prepare(ctx context.Context, jobs []*job) error {
	ops := make([]record.Operation, len(jobs))
	var linked []string
	for i, j := range jobs {
		ops[i] = j.op
		if j.op.Action == record.Unlink || (j.op.Join && j.op.Action == record.Update) {
			linked = append(linked, j.op.ID)
		}
	}
	known, err := c.site.resolve(ctx, ops)
	if err != nil {
		return err
	}
	links, err := c.linkRows(ctx, linked)
	if err != nil {
		return err
	}
	now, err := c.current(ctx, ops)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		n, err := readNative(j.op.AdapterState)
		if is, read := now[j.op.ID]; read {
			if j.outdated(is); j.result != nil {
				continue
			}
			n, err = readNative(is.AdapterState)
		}
		switch {
		case err != nil, j.op.Action == record.Update && len(j.op.AdapterState) == 0 && len(j.op.Changed) > 0:
			j.doubt = fault.New(fault.Conflict, side, "not-read", errors.New("apply contact: its rows are not known"))
		default:
			c.plan(j, n, known, links[j.op.ID])
		}
	}
	return nil
}

// current reads the contacts that are to be changed once more. Creatio takes no condition with a write, so this is as
// close as one gets to writing over nobody's change.
func (c *Contacts) current(ctx context.Context, ops []record.Operation) (map[string]record.Record, error) {
	var ids []string
	for _, op := range ops {
		if op.Action == record.Update && len(op.Changed) > 0 {
			ids = append(ids, op.ID)
		}
	}
	records, err := c.Fetch(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read what is to be changed: %w", err)
	}
	now := make(map[string]record.Record, len(records))
	for _, r := range records {
		now[r.ID] = r
	}
	return now, nil
}

// outdated gives a job its fate whose contact is not what it was planned for.
func (j *job) outdated(now record.Record) {
	if now.Gone {
		j.result = &record.Result{Err: fault.New(fault.Gone, side, "not-found", errors.New("apply contact: it is not there"))}
		return
	}
	for _, name := range j.op.Changed {
		if f, _ := contact.Schema.Field(name); !f.Equal(now.Fields[name], j.op.Before[name]) {
			j.result = &record.Result{Err: fault.New(fault.Conflict, side, "changed-meanwhile", errors.New("apply contact: it changed since it was read"))}
			return
		}
	}
	// What else changed is not written, and is what the contact shows.
	before := now.Fields.Clone()
	after := now.Fields.Clone()
	for _, name := range j.op.Changed {
		before[name], after[name] = j.op.Before[name], j.op.After[name]
	}
	j.op.Before, j.op.After, j.op.AdapterState = before, after, now.AdapterState
}

// linkRows are the ids of the tag's links to contacts.
func (c *Contacts) linkRows(ctx context.Context, ids []string) (map[string][]string, error) {
	var queries []odata.Query
	for chunk := range slices.Chunk(normal(ids), maxListed) {
		queries = append(queries, c.linksOf(chunk))
	}
	answers, err := c.site.readAll(ctx, queries)
	if err != nil {
		return nil, fmt.Errorf("read tag links: %w", err)
	}
	links := map[string][]string{}
	for _, a := range answers {
		for _, r := range a.rows {
			contact := r.Lookup(c.contact)
			links[contact] = append(links[contact], r.Text("Id"))
		}
	}
	return links, nil
}

// plan turns a job into writes.
func (c *Contacts) plan(j *job, n native, known *names, links []string) {
	j.writes = nil
	if j.op.Action == record.Unlink {
		j.plan = plan{fields: j.op.Before, native: n}
		for _, id := range links {
			j.writes = append(j.writes, write{method: "DELETE", set: c.set, id: id})
		}
		return
	}
	j.plan = planContact(j.op, n, known, j.salt)
	j.writes = j.plan.writes
	if j.owner && len(j.writes) > 0 && j.op.Action == record.Create {
		j.writes[0].body["OwnerId"] = c.user.ContactID
	}
	if j.op.Join && len(links) == 0 {
		j.writes = append(j.writes, c.link(j.op.ID, j.salt))
	}
}

// segment is as much of a job as fits in one batch; more than a hundred writes are a group each.
type segment struct {
	job    *job
	writes []write
	last   bool
}

// run sends the writes of all jobs that have no fate yet. The error is for what concerns them all.
func (c *Contacts) run(ctx context.Context, jobs []*job) error {
	var batch []segment
	size := 0
	flush := func() error {
		err := c.send(ctx, batch)
		batch, size = nil, 0
		return err
	}
	for _, j := range jobs {
		if j.result != nil || j.doubt != nil {
			continue
		}
		if len(j.writes) == 0 {
			c.done(j)
			continue
		}
		chunks := slices.Collect(slices.Chunk(j.writes, maxParts))
		for i, chunk := range chunks {
			if size+len(chunk) > maxParts {
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

// send carries one batch out.
func (c *Contacts) send(ctx context.Context, batch []segment) error {
	var parts []odata.Part
	batch = slices.DeleteFunc(batch, func(s segment) bool { return s.job.result != nil || s.job.doubt != nil })
	for i, s := range batch {
		for _, w := range s.writes {
			parts = append(parts, w.part("g"+strconv.Itoa(i)))
		}
	}
	if len(parts) == 0 {
		return nil
	}
	replies, err := c.site.client.Batch(ctx, parts)
	if err != nil {
		for _, s := range batch {
			s.job.fail(err)
		}
		if fault.Ambiguous(err) && ctx.Err() == nil && batch[0].job.attempt == 0 {
			return nil
		}
		return err
	}
	for _, s := range batch {
		mine := replies[:len(s.writes)]
		replies = replies[len(s.writes):]
		err := reason(s, mine)
		switch {
		case err == nil && s.last:
			c.done(s.job)
		case err != nil && fault.Is(err, fault.Reconnect):
			return err
		case err != nil:
			s.job.fail(err)
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

// done gives a job its good fate.
func (c *Contacts) done(j *job) {
	member := j.op.Action != record.Unlink
	r := record.Record{
		ID: j.op.ID, Modified: c.site.serverTime(c.site.options.Now()).UTC(), Member: member, Fields: j.plan.fields, AdapterState: j.plan.native.encode(),
	}
	j.doubt = nil
	j.result = &record.Result{Record: r, Projections: j.plan.shown, Notes: j.plan.notes}
}

// fail notes that an attempt failed: in doubt where another one may help, else for good.
func (j *job) fail(err error) {
	if j.attempt == 0 && j.mend(err) {
		j.doubt = err
		return
	}
	j.doubt = nil
	j.result = &record.Result{Err: err}
}

// mend reports whether a second attempt can do better: after a lost reply, with other ids where the first ones are
// taken, and with an owner where the site insists on one.
func (j *job) mend(err error) bool {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return false
	}
	if j.op.Action == record.Create && strings.Contains(err.Error(), "Owner") {
		j.owner = true
		return true
	}
	if f.Code == "duplicate" {
		j.salt++
	}
	// A row whose contact is not there breaks a foreign key; the second reading tells whether that is why.
	if f.Ambiguous || f.Code == "duplicate" || f.Code == "foreign-key" {
		return true
	}
	return j.op.Action == record.Unlink && f.Kind == fault.Gone
}
