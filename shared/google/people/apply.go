package people

import (
	"context"
	"errors"
	"slices"
	"strings"

	"google.golang.org/api/people/v1"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/google"
	"github.com/tandem-sync/tandem/shared/httpx"
	"github.com/tandem-sync/tandem/shared/record"
)

// maxRefusals is how many refused requests one Apply takes to find the records that Google does not want. The rest of
// the work is left for later: each of those requests counts against the user's quota.
const maxRefusals = 200

// job is one plan on its way.
type job struct {
	record.Plan
	planned
	// unsure says that an attempt to write it may have taken effect, whatever the next one was answered.
	unsure bool
	// result is what became of the operation, once that is known.
	result *record.Result
}

func (j *job) fail(err error) {
	if j.unsure {
		err = fault.InPart(err)
	}
	j.result = &record.Result{Err: err}
}

// succeed ends a job whose contact is as it was to be.
func (j *job) succeed(r record.Record) {
	j.result = &record.Result{Record: r, Projections: j.projections(r.Fields), Notes: j.Notes}
}

// pending reports whether it is not known yet what became of the job.
func (j *job) pending() bool { return j.result == nil }

// writer carries out the plans of one Apply, one request after the other.
type writer struct {
	*Side
	group    string
	refusals int
	// lost says that the answer to the last request never came.
	lost bool
	// groupChecked says that the group was seen to be there after a refusal.
	groupChecked bool
}

// Apply carries plans out: creations and changes by the batch, then who joins the group and who leaves it. Google
// takes a batch as a whole or not at all, so a refused batch is split until the record is found that it refuses. Every
// change carries the version of the contact that it was planned for, and Google refuses it for any other.
func (s *Side) Apply(ctx context.Context, plans []record.Plan) ([]record.Result, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	results := make([]record.Result, len(plans))
	if len(plans) == 0 {
		return results, nil
	}
	w := &writer{Side: s, group: s.scope()}
	jobs := make([]*job, len(plans))
	for i, p := range plans {
		jobs[i] = newJob(p)
	}
	err := w.apply(ctx, jobs)
	for i, j := range jobs {
		if j.pending() {
			j.fail(fault.New(fault.Retry, google.Side, "not-done", errors.Join(errors.New("apply contacts: cut off"), err)))
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
		j.fail(fault.New(fault.Bug, google.Side, "no-plan", errors.New("apply contact: the plan is not one of this side")))
	default:
		j.planned = out
	}
	return j
}

func (w *writer) apply(ctx context.Context, jobs []*job) error {
	if w.group == "" {
		return fault.New(fault.Bug, google.Side, "no-group", errors.New("apply contacts: the group is not prepared"))
	}
	for _, step := range []func(context.Context, []*job) error{w.creations, w.updates, w.memberships} {
		if err := step(ctx, jobs); err != nil {
			return err
		}
	}
	for _, j := range jobs {
		if j.pending() {
			// Nothing was left to write.
			j.succeed(record.Record{ID: j.ID, Modified: w.api.Now().UTC(), Member: true, Fields: j.Before, AdapterState: j.AdapterState})
		}
	}
	return nil
}

// creations makes new contacts, in the group and among the user's own, each with its mark.
func (w *writer) creations(ctx context.Context, jobs []*job) error {
	var mine []*job
	for _, j := range jobs {
		if j.pending() && j.Action == record.Create {
			mine = append(mine, j)
		}
	}
	for chunk := range slices.Chunk(mine, maxBatch) {
		if err := w.create(ctx, chunk); err != nil {
			return err
		}
	}
	return nil
}

// newPerson is the contact that a job makes.
func (w *writer) newPerson(j *job) *people.Person {
	p := *j.person
	if j.Link != "" {
		p.ClientData = []*people.ClientData{{Key: mark, Value: j.Link}}
	}
	for _, g := range []string{w.group, myContacts} {
		p.Memberships = append(p.Memberships, &people.Membership{
			ContactGroupMembership: &people.ContactGroupMembership{ContactGroupResourceName: g},
		})
	}
	return &p
}

func (w *writer) create(ctx context.Context, jobs []*job) error {
	request := &people.BatchCreateContactsRequest{ReadMask: personFields, Sources: []string{contactSource}}
	for _, j := range jobs {
		request.Contacts = append(request.Contacts, &people.ContactToCreate{ContactPerson: w.newPerson(j)})
	}
	reply, err := w.service.People.BatchCreateContacts(request).Context(ctx).Do()
	if err == nil {
		w.lost = false
		w.created(jobs, reply.CreatedPeople)
		return nil
	}
	err = w.api.Classify("create contacts", err, true)
	if google.Code(err) == "contacts-full" {
		failAll(jobs, err)
		return nil
	}
	halves, err := w.handleRefusal(ctx, jobs, err)
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
		p := byMark[j.Link]
		if (p == nil || j.Link == "") && len(made) == len(jobs) && unmarked(made[i]) {
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

// written ends a job as an answer tells.
func (w *writer) written(j *job, p *people.PersonResponse, what string) {
	if p == nil {
		p = &people.PersonResponse{}
	}
	if err := w.personError(what, p, true); err != nil {
		j.fail(err)
		return
	}
	r := recordOf(p.Person, w.group)
	if r.Gone {
		f := fault.New(fault.Retry, google.Side, "incomplete-reply", errors.New(what+": the reply does not show the contact"))
		f.Ambiguous = true
		j.fail(f)
		return
	}
	if j.Action == record.Create {
		// The group may show only later, but it was part of what took effect.
		r.Member = true
	} else if r.ID != j.ID {
		r.Aliases = append(r.Aliases, j.ID)
	}
	j.succeed(r)
}

// handleRefusal deals with a request that failed: it ends the jobs, or returns what to try again apart from
// each other. The error is for what concerns them all.
func (w *writer) handleRefusal(ctx context.Context, jobs []*job, err error) ([][]*job, error) {
	if google.Code(err) == "no-access" {
		// Who may not write to anybody's contacts may not read them either: it is some of these that may not be changed.
		err = fault.New(fault.ReadOnly, google.Side, "forbidden", err)
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
	case !google.OfRecords(err):
		return nil, err
	}
	w.lost = false
	if !w.groupChecked && jobs[0].Action == record.Create {
		w.groupChecked = true
		if err := w.checkGroup(ctx); err != nil {
			return nil, err
		}
	}
	if len(jobs) == 1 {
		jobs[0].fail(err)
		return nil, nil
	}
	if w.refusals++; w.refusals > maxRefusals {
		return nil, fault.New(fault.Retry, google.Side, "many-refused", err)
	}
	return [][]*job{jobs[:len(jobs)/2], jobs[len(jobs)/2:]}, nil
}

// checkGroup gives the error of writing to a group that was deleted meanwhile, which is no record's fault; nil where it is
// there.
func (w *writer) checkGroup(ctx context.Context) error {
	g, err := w.readGroup(ctx, w.group, 0)
	if err == nil && g == nil {
		err = errGroupGone()
	}
	return err
}

func errGroupGone() error {
	return fault.New(fault.Retry, google.Side, "group-gone", errors.New("apply contacts: the group was deleted meanwhile"))
}

func failAll(jobs []*job, err error) {
	for _, j := range jobs {
		j.fail(err)
	}
}

// updates changes contacts, those of equal fields together: a batch has one mask.
func (w *writer) updates(ctx context.Context, jobs []*job) error {
	var masks []string
	groups := map[string][][]*job{}
	for _, j := range jobs {
		if !j.pending() || j.Action != record.Update || len(j.mask) == 0 {
			continue
		}
		mask := strings.Join(j.mask, ",")
		batches := groups[mask]
		if batches == nil {
			masks = append(masks, mask)
		}
		same := func(o *job) bool { return o.ID == j.ID }
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
func (w *writer) update(ctx context.Context, mask string, jobs []*job, checked bool) error {
	request := &people.BatchUpdateContactsRequest{
		Contacts: make(map[string]people.Person, len(jobs)), UpdateMask: mask, ReadMask: personFields, Sources: []string{contactSource},
	}
	for _, j := range jobs {
		p := *j.person
		p.ResourceName, p.Etag = j.ID, j.state.Merged
		p.Metadata = &people.PersonMetadata{Sources: []*people.Source{{Type: contactType, Id: j.state.Source, Etag: j.state.Etag}}}
		request.Contacts[j.ID] = p
	}
	var doubt httpx.Doubt
	reply, err := w.service.People.BatchUpdateContacts(request).Context(httpx.WithDoubt(httpx.Idempotent(ctx), &doubt)).Do()
	for _, j := range jobs {
		j.unsure = j.unsure || doubt.Any()
	}
	if err == nil {
		w.lost = false
		for _, j := range jobs {
			p := reply.UpdateResult[j.ID]
			w.written(j, &p, "update contact")
		}
		return nil
	}
	err = w.api.Classify("update contacts", err, true)
	if !checked && (fault.Is(err, fault.Conflict) || fault.Is(err, fault.Gone)) {
		rest, err := w.checkVersions(ctx, jobs)
		if err != nil {
			return err
		}
		if len(rest) == 0 {
			return nil
		}
		if len(rest) < len(jobs) {
			return w.update(ctx, mask, rest, true)
		}
		checked = true
	}
	halves, err := w.handleRefusal(ctx, jobs, err)
	for _, half := range halves {
		if err := w.update(ctx, mask, half, checked); err != nil {
			return err
		}
	}
	return err
}

// checkVersions reads the contacts of a batch of which one is not what it was planned for. It ends the jobs of those that
// are gone, that somebody changed, or that a first attempt whose answer was lost has written already, and returns the
// others, which are left to be written.
func (w *writer) checkVersions(ctx context.Context, jobs []*job) ([]*job, error) {
	ids := make([]string, len(jobs))
	for i, j := range jobs {
		ids[i] = j.ID
	}
	found, err := w.read(ctx, w.group, ids)
	if err != nil {
		return nil, err
	}
	var rest []*job
	for _, j := range jobs {
		r := found[j.ID]
		n, _ := readState(r.AdapterState)
		switch {
		case r.Gone:
			j.fail(fault.New(fault.Gone, google.Side, "not-found", errors.New("update contact: it is not there")))
		case n.version() == j.state.version():
			rest = append(rest, j)
		case j.shownBy(r.Fields) && !w.another(j.AdapterState, n.Source):
			if r.ID != j.ID {
				r.Aliases = append(r.Aliases, j.ID)
			}
			j.succeed(r)
		default:
			j.fail(fault.New(fault.Conflict, google.Side, "changed-meanwhile", errors.New("update contact: it changed since it was read")))
		}
	}
	return rest, nil
}

// shownBy reports whether a contact shows all that was to be written.
func (j *job) shownBy(now record.Fields) bool {
	for _, name := range j.Changed {
		if f, _ := contact.Schema.Field(name); !f.Equal(now[name], j.Displayed[name]) {
			return false
		}
	}
	return true
}
