package creatio

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/odata"
	"github.com/tandem-sync/tandem/shared/record"
)

// settle reads the contacts of jobs whose first attempt is in doubt, and plans a second one for what is missing. A job
// of which nothing is missing is done.
func (c *Contacts) settle(ctx context.Context, jobs []*job) error {
	ids := make([]string, len(jobs))
	ops := make([]record.Operation, len(jobs))
	for i, j := range jobs {
		ids[i], ops[i] = j.op.ID, j.op
	}
	current, err := c.Fetch(ctx, ids)
	if err != nil {
		return err
	}
	links, err := c.linkRows(ctx, ids)
	if err != nil {
		return err
	}
	known, err := c.site.resolve(ctx, ops)
	if err != nil {
		return err
	}
	now := make(map[string]record.Record, len(current))
	for _, r := range current {
		now[r.ID] = r
	}
	for _, j := range jobs {
		j.attempt++
		c.settleOne(j, now[j.op.ID], known, links[j.op.ID])
	}
	return nil
}

func (c *Contacts) settleOne(j *job, now record.Record, known *names, links []string) {
	doubt := j.doubt
	j.doubt = nil
	switch {
	case now.Gone && j.op.Action == record.Create:
		c.plan(j, native{}, known, links)
		return
	case now.Gone && j.op.Action == record.Unlink:
		now.Fields, now.AdapterState = j.op.Before, j.op.AdapterState
		j.result = &record.Result{Record: record.Record{ID: j.op.ID, Fields: j.op.Before, AdapterState: j.op.AdapterState}}
		return
	case now.Gone:
		j.result = &record.Result{Err: fault.New(fault.Gone, side, "not-found", errors.New("apply contact: it is not there"))}
		return
	}
	n, err := readNative(now.AdapterState)
	if err != nil {
		j.result = &record.Result{Err: fault.Errorf(fault.Bug, side, "native", "read own state: %w", err)}
		return
	}
	if j.op.Action == record.Unlink {
		c.plan(j, n, known, links)
		return
	}
	rest, ok := remaining(j, now)
	if !ok {
		j.result = &record.Result{Err: fault.New(fault.Conflict, side, "changed-meanwhile", errors.Join(errors.New("apply contact"), doubt))}
		return
	}
	first := j.plan
	j.op = rest
	c.plan(j, n, known, links)
	j.plan.shown = append(stillShown(first.shown, rest.Changed), j.plan.shown...)
	j.plan.notes = append(stillNoted(first.notes, rest.Changed), j.plan.notes...)
}

// remaining is the operation that is left to do on a contact as it is now. A field that holds neither what was
// promised nor what was there before has been changed by somebody: the operation no longer fits then.
func remaining(j *job, now record.Record) (record.Operation, bool) {
	rest := j.op
	rest.Action, rest.Before, rest.After, rest.Changed, rest.AdapterState = record.Update, now.Fields, now.Fields.Clone(), nil, now.AdapterState
	rest.Join = j.op.Join && !now.Member
	for _, name := range j.op.Changed {
		f, _ := contact.Schema.Field(name)
		is := now.Fields[name]
		switch {
		case f.Equal(is, j.plan.fields[name]) && j.plan.fields != nil, f.Equal(is, j.op.After[name]):
			continue
		case f.Equal(is, j.op.Before[name]):
		case j.op.Action == record.Create && sameWords(name, now.Fields, j.op.After):
		case j.op.Action == record.Create:
			// The contact was made by an earlier run and somebody has changed it since. Their value stays.
			continue
		default:
			return rest, false
		}
		rest.Changed = append(rest.Changed, name)
		if value := j.op.After[name]; len(value) > 0 {
			rest.After[name] = value
		} else {
			delete(rest.After, name)
		}
	}
	return rest, true
}

// sameWords reports whether a name differs only in how the site split it.
func sameWords(field string, a, b record.Fields) bool {
	switch field {
	case contact.GivenName, contact.MiddleName, contact.Surname:
	default:
		return false
	}
	words := func(f record.Fields) []string {
		w := strings.Fields(contact.Title(f))
		slices.Sort(w)
		return w
	}
	return slices.Equal(words(a), words(b))
}

func stillShown(shown []record.Projection, replanned []string) []record.Projection {
	return slices.DeleteFunc(slices.Clone(shown), func(s record.Projection) bool { return slices.Contains(replanned, s.Field) })
}

func stillNoted(notes []record.Note, replanned []string) []record.Note {
	return slices.DeleteFunc(slices.Clone(notes), func(n record.Note) bool { return slices.Contains(replanned, n.Field) })
}

// reason is why a group of writes failed; nil where it did not. Of the errors of a group only one is its own: the others
// say that they were not carried out because of it.
func reason(s segment, replies []odata.Reply) error {
	var found error
	for i, r := range replies {
		if r.Err == nil {
			continue
		}
		err := r.Err
		w := s.writes[i]
		// A row that is gone although the contact is there means that the contact changed since it was read.
		if fault.Is(err, fault.Gone) && s.job.op.Action != record.Unlink && !(w.set == "Contact" && strings.EqualFold(w.id, s.job.op.ID)) {
			err = fault.New(fault.Conflict, side, "row-gone", err)
		}
		if found == nil || (dependent(found) && !dependent(err)) {
			found = err
		}
	}
	return found
}

// dependent reports whether an error only says that another one stopped the group.
func dependent(err error) bool {
	f, ok := errors.AsType[*fault.Error](err)
	return ok && f.Code == "group-failed"
}
