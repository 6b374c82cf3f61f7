package google

import (
	"context"
	"errors"
	"slices"
	"strings"

	"google.golang.org/api/people/v1"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/httpx"
	"github.com/tandem-sync/tandem/shared/record"
)

// maxRefusals is how many refused requests one Apply takes to find the records that Google does not want. The rest of
// the work is left for later: each of those requests counts against the user's quota.
const maxRefusals = 200

// job is one operation on its way.
type job struct {
	op     record.Operation
	native native
	plan   plan
	// unsure says that an attempt to write it may have taken effect, whatever the next one was answered.
	unsure bool
	// result is the operation's fate, once it has one.
	result *record.Result
}

func (j *job) fail(err error) {
	if j.unsure {
		err = partly(err)
	}
	j.result = &record.Result{Err: err}
}

// open reports whether the job has no fate yet.
func (j *job) open() bool { return j.result == nil }

// writer carries out the operations of one Apply, one request after the other.
type writer struct {
	*Contacts
	group    string
	refusals int
	// lost says that the answer to the last request never came.
	lost bool
	// looked says that the group was seen to be there after a refusal.
	looked bool
}

// Apply carries operations out: creations and changes by the batch, then who joins the group and who leaves it. Google
// takes a batch as a whole or not at all, so a refused batch is split until the record is found that it refuses.
func (c *Contacts) Apply(ctx context.Context, ops []record.Operation) ([]record.Result, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	results := make([]record.Result, len(ops))
	if len(ops) == 0 {
		return results, nil
	}
	w := &writer{Contacts: c, group: c.scope()}
	jobs := make([]*job, len(ops))
	for i, op := range ops {
		jobs[i] = w.job(op)
	}
	err := w.apply(ctx, jobs)
	for i, j := range jobs {
		if j.open() {
			j.fail(fault.New(fault.Retry, side, "not-done", errors.Join(errors.New("apply contacts: cut off"), err)))
		}
		results[i] = *j.result
	}
	return results, err
}

// job plans one operation.
func (w *writer) job(op record.Operation) *job {
	j := &job{op: op}
	var err error
	if j.native, err = readNative(op.AdapterState); err != nil {
		j.fail(fault.New(fault.Conflict, side, "not-read", errors.New("apply contact: its state is not one of this version")))
		return j
	}
	switch op.Action {
	case record.Create:
		j.plan = planPerson(op, native{Person: &people.Person{}})
	case record.Update:
		if len(op.Changed) > 0 && j.native.version() == "" {
			j.fail(fault.New(fault.Conflict, side, "not-read", errors.New("apply contact: its state is not known")))
			return j
		}
		j.plan = planPerson(op, j.native)
	case record.Unlink:
	default:
		j.fail(fault.Errorf(fault.Bug, side, "action", "apply contact: no such action: %s", op.Action))
	}
	if op.Action != record.Create && op.ID == "" {
		j.fail(fault.New(fault.Bug, side, "no-id", errors.New("apply contact: no resource name")))
	}
	return j
}

func (w *writer) apply(ctx context.Context, jobs []*job) error {
	if w.group == "" {
		return fault.New(fault.Bug, side, "no-group", errors.New("apply contacts: the group is not prepared"))
	}
	for _, step := range []func(context.Context, []*job) error{w.creations, w.updates, w.memberships} {
		if err := step(ctx, jobs); err != nil {
			return err
		}
	}
	for _, j := range jobs {
		if j.open() {
			// Nothing was left to write.
			j.result = &record.Result{
				Record:      record.Record{ID: j.op.ID, Modified: w.options.Now().UTC(), Member: true, Fields: j.op.Before, AdapterState: j.op.AdapterState},
				Projections: j.plan.shown(j.op.Before), Notes: j.plan.notes,
			}
		}
	}
	return nil
}

// creations makes new contacts, in the group and among the user's own, each with its mark.
func (w *writer) creations(ctx context.Context, jobs []*job) error {
	var mine []*job
	for _, j := range jobs {
		if !j.open() || j.op.Action != record.Create {
			continue
		}
		p := j.plan.person
		if j.op.Link != "" {
			p.ClientData = []*people.ClientData{{Key: mark, Value: j.op.Link}}
		}
		for _, g := range []string{w.group, myContacts} {
			p.Memberships = append(p.Memberships, &people.Membership{
				ContactGroupMembership: &people.ContactGroupMembership{ContactGroupResourceName: g},
			})
		}
		mine = append(mine, j)
	}
	for chunk := range slices.Chunk(mine, maxBatch) {
		if err := w.create(ctx, chunk); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) create(ctx context.Context, jobs []*job) error {
	request := &people.BatchCreateContactsRequest{ReadMask: personFields, Sources: []string{contactSource}}
	for _, j := range jobs {
		request.Contacts = append(request.Contacts, &people.ContactToCreate{ContactPerson: j.plan.person})
	}
	reply, err := w.api.People.BatchCreateContacts(request).Context(ctx).Do()
	if err == nil {
		w.lost = false
		w.created(jobs, reply.CreatedPeople)
		return nil
	}
	err = w.classify("create contacts", err, true)
	if code(err) == "contacts-full" {
		failAll(jobs, err)
		return nil
	}
	halves, err := w.refused(ctx, jobs, err)
	for _, half := range halves {
		if err := w.create(ctx, half); err != nil {
			return err
		}
	}
	return err
}

// created finds each job's contact in the answer: by its mark, or in the order of the request.
func (w *writer) created(jobs []*job, made []*people.PersonResponse) {
	byMark := map[string]*people.PersonResponse{}
	for _, p := range made {
		if !unmarked(p) {
			byMark[markOf(p.Person, sourceOf(p.Person))] = p
		}
	}
	for i, j := range jobs {
		p := byMark[j.op.Link]
		if (p == nil || j.op.Link == "") && len(made) == len(jobs) && unmarked(made[i]) {
			p = made[i]
		}
		w.written(j, p, "create contact")
	}
}

// unmarked reports whether an answer does not say whose it is.
func unmarked(p *people.PersonResponse) bool {
	if p == nil || p.Person == nil {
		return true
	}
	source := sourceOf(p.Person)
	return source == nil || markOf(p.Person, source) == ""
}

// written gives a job the fate that an answer tells of.
func (w *writer) written(j *job, p *people.PersonResponse, what string) {
	if p == nil {
		p = &people.PersonResponse{}
	}
	if err := w.fate(what, p, true); err != nil {
		j.fail(err)
		return
	}
	r := recordOf(p.Person, w.group)
	if r.Gone {
		f := fault.New(fault.Retry, side, "incomplete-reply", errors.New(what+": the reply does not show the contact"))
		f.Ambiguous = true
		j.fail(f)
		return
	}
	if j.op.Action == record.Create {
		// The group may show only later, but it was part of what took effect.
		r.Member = true
	} else if r.ID != j.op.ID {
		r.Aliases = append(r.Aliases, j.op.ID)
	}
	j.done(r)
}

// done gives a job its good fate.
func (j *job) done(r record.Record) {
	j.result = &record.Result{Record: r, Projections: j.plan.shown(r.Fields), Notes: j.plan.notes}
}

// refused deals with a request that failed: it gives the records their fate, or returns what to try again apart from
// each other. The error is for what concerns them all.
func (w *writer) refused(ctx context.Context, jobs []*job, err error) ([][]*job, error) {
	if code(err) == "no-access" {
		// Who may not write to anybody's contacts may not read them either: it is some of these that may not be changed.
		err = fault.New(fault.ReadOnly, side, "forbidden", err)
	}
	switch {
	case fault.Ambiguous(err):
		failAll(jobs, err)
		// Once may be chance, or the doing of a record in this batch; twice in a row is the network's.
		if w.lost || ctx.Err() != nil {
			return nil, err
		}
		w.lost = true
		return nil, nil
	case concernsAll(err):
		return nil, err
	}
	w.lost = false
	if !w.looked && jobs[0].op.Action == record.Create {
		w.looked = true
		if err := w.groupGone(ctx); err != nil {
			return nil, err
		}
	}
	if len(jobs) == 1 {
		jobs[0].fail(err)
		return nil, nil
	}
	if w.refusals++; w.refusals > maxRefusals {
		return nil, fault.New(fault.Retry, side, "many-refused", err)
	}
	return [][]*job{jobs[:len(jobs)/2], jobs[len(jobs)/2:]}, nil
}

// groupGone is the error of writing to a group that was deleted meanwhile: no record's fault.
func (w *writer) groupGone(ctx context.Context) error {
	g, err := w.readGroup(ctx, w.group, 0)
	if err == nil && g == nil {
		err = errGroupGone()
	}
	return err
}

func errGroupGone() error {
	return fault.New(fault.Retry, side, "group-gone", errors.New("apply contacts: the group was deleted meanwhile"))
}

func failAll(jobs []*job, err error) {
	for _, j := range jobs {
		j.fail(err)
	}
}

func code(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Code
	}
	return ""
}

// updates changes contacts, those of equal fields together: a batch has one mask.
func (w *writer) updates(ctx context.Context, jobs []*job) error {
	var masks []string
	groups := map[string][][]*job{}
	for _, j := range jobs {
		if !j.open() || j.op.Action != record.Update || len(j.plan.mask) == 0 {
			continue
		}
		mask := strings.Join(j.plan.mask, ",")
		batches := groups[mask]
		if batches == nil {
			masks = append(masks, mask)
		}
		same := func(o *job) bool { return o.op.ID == j.op.ID }
		at := slices.IndexFunc(batches, func(b []*job) bool { return len(b) < maxBatch && !slices.ContainsFunc(b, same) })
		if at < 0 {
			batches = append(batches, nil)
			at = len(batches) - 1
		}
		batches[at] = append(batches[at], j)
		groups[mask] = batches
	}
	for _, mask := range masks {
		for _, batch := range groups[mask] {
			if err := w.update(ctx, mask, batch, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// update writes one batch. Repeating it is safe: a version that was written over is no longer the current one.
func (w *writer) update(ctx context.Context, mask string, jobs []*job, settled bool) error {
	request := &people.BatchUpdateContactsRequest{
		Contacts: make(map[string]people.Person, len(jobs)), UpdateMask: mask, ReadMask: personFields, Sources: []string{contactSource},
	}
	for _, j := range jobs {
		p := *j.plan.person
		p.ResourceName, p.Etag = j.op.ID, j.native.Merged
		p.Metadata = &people.PersonMetadata{Sources: []*people.Source{{Type: contactType, Id: j.native.Source, Etag: j.native.Etag}}}
		request.Contacts[j.op.ID] = p
	}
	var doubt httpx.Doubt
	reply, err := w.api.People.BatchUpdateContacts(request).Context(httpx.WithDoubt(httpx.Idempotent(ctx), &doubt)).Do()
	for _, j := range jobs {
		j.unsure = j.unsure || doubt.Any()
	}
	if err == nil {
		w.lost = false
		for _, j := range jobs {
			p := reply.UpdateResult[j.op.ID]
			w.written(j, &p, "update contact")
		}
		return nil
	}
	err = w.classify("update contacts", err, true)
	if !settled && (fault.Is(err, fault.Conflict) || fault.Is(err, fault.Gone)) {
		rest, err := w.settle(ctx, jobs)
		if err != nil {
			return err
		}
		if len(rest) == 0 {
			return nil
		}
		if len(rest) < len(jobs) {
			return w.update(ctx, mask, rest, true)
		}
		settled = true
	}
	halves, err := w.refused(ctx, jobs, err)
	for _, half := range halves {
		if err := w.update(ctx, mask, half, settled); err != nil {
			return err
		}
	}
	return err
}

// settle reads the contacts of a batch of which one is not what it was. Those that are gone, that somebody changed, or
// that a first attempt whose answer was lost has written already, get their fate; the others are left to be written.
func (w *writer) settle(ctx context.Context, jobs []*job) ([]*job, error) {
	ids := make([]string, len(jobs))
	for i, j := range jobs {
		ids[i] = j.op.ID
	}
	found, err := w.read(ctx, w.group, ids)
	if err != nil {
		return nil, err
	}
	var rest []*job
	for _, j := range jobs {
		r := found[j.op.ID]
		n, _ := readNative(r.AdapterState)
		switch {
		case r.Gone:
			j.fail(fault.New(fault.Gone, side, "not-found", errors.New("update contact: it is not there")))
		case n.version() == j.native.version():
			rest = append(rest, j)
		case j.holds(r.Fields) && !w.another(j.op.AdapterState, n.Source):
			if r.ID != j.op.ID {
				r.Aliases = append(r.Aliases, j.op.ID)
			}
			j.done(r)
		default:
			j.fail(fault.New(fault.Conflict, side, "changed-meanwhile", errors.New("update contact: it changed since it was read")))
		}
	}
	return rest, nil
}

// holds reports whether a contact has all that was to be written.
func (j *job) holds(now record.Fields) bool {
	for _, name := range j.op.Changed {
		if f, _ := contact.Schema.Field(name); !f.Equal(now[name], j.op.After[name]) {
			return false
		}
	}
	return true
}
