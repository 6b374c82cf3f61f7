package contacts

import (
	"context"
	"strings"

	"github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/odata"
	"github.com/tandem-sync/tandem/shared/record"
)

// resolveDoubt looks at the contacts of jobs whose first attempt is in doubt. It ends the jobs of those that show what was
// planned, and of those for which another plan is needed; the others are left to be sent once more, as they were planned.
func (s *Side) resolveDoubt(ctx context.Context, jobs []*job) error {
	if len(jobs) == 0 {
		return nil
	}
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
		s.resolve(j, now[j.ID], links[j.ID])
	}
	return nil
}

// resolve decides about a job by its contact as it is now.
func (s *Side) resolve(j *job, now record.Record, links []string) {
	doubt := j.doubt
	switch {
	case j.Action == record.Unlink && (now.Gone || len(links) == 0):
		j.finish(record.Record{ID: j.ID, Fields: j.Before, AdapterState: j.AdapterState})
		return
	case j.Action == record.Unlink:
	case now.Gone && j.Action == record.Create:
		if j.duplicate != nil && j.duplicate.set == "Contact" {
			// Somebody has a contact of that id, and does not show it.
			j.refuse(doubt)
			return
		}
	case now.Gone:
		j.refuse(errNotThere())
		return
	case shows(j.Plan, now) && (now.Member || !j.Join):
		// The first attempt took effect, or an earlier one did.
		j.finish(now)
		return
	case j.Action == record.Create:
		// It is there by the id that was meant for it, and shows something else: the contact of an earlier attempt.
		j.begun = true
		j.refuse(fault.New(fault.Conflict, creatio.Side, "exists", doubt))
		return
	case !untouched(j.Plan, now):
		j.begun = j.begun || fault.Ambiguous(doubt)
		j.refuse(errChanged(doubt))
		return
	}
	if j.duplicate != nil {
		id, _ := j.duplicate.body["Id"].(string)
		s.markTaken(id)
		j.refuse(fault.New(fault.Conflict, creatio.Side, "id-taken", doubt))
		return
	}
	j.doubt = nil
	j.attempt++
	s.prepareWrites(j, links)
}

// reason is why a group of writes failed, and at which; nil where it did not. Of the errors of a group only one is its
// own: the others say that they were not carried out because of it.
func reason(s segment, replies []odata.Reply) (*write, error) {
	var found error
	var at *write
	for i, r := range replies {
		if r.Err == nil {
			continue
		}
		err := r.Err
		w := s.writes[i]
		// A row that is gone although the contact is there means that the contact changed since it was read.
		if fault.Is(err, fault.Gone) && s.job.Action != record.Unlink && !(w.set == "Contact" && strings.EqualFold(w.id, s.job.ID)) {
			err = fault.New(fault.Conflict, creatio.Side, "row-gone", err)
		}
		if found == nil || (dependent(found) && !dependent(err)) {
			found, at = err, &s.writes[i]
		}
	}
	return at, found
}

// dependent reports whether an error only says that another one stopped the group.
func dependent(err error) bool { return faultCode(err) == "group-failed" }
