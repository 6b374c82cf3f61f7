package google

import (
	"context"
	"errors"
	"slices"

	"google.golang.org/api/people/v1"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/httpx"
	"github.com/tandem-sync/tandem/shared/record"
)

// memberships takes contacts into the group and out of it.
func (w *writer) memberships(ctx context.Context, jobs []*job) error {
	var joining, moving []*job
	for _, j := range jobs {
		switch {
		case j.op.Action == record.Unlink && j.open():
			moving = append(moving, j)
		case j.op.Action == record.Update && j.op.Join && (j.open() || j.result.Err == nil):
			joining = append(joining, j)
			moving = append(moving, j)
		}
	}
	for chunk := range slices.Chunk(moving, maxMembers) {
		if err := w.move(ctx, chunk); err != nil {
			// Content was written, but these did not join: their operation is not done, and not without effect.
			for _, j := range moving {
				if !j.open() && j.op.Join && j.result.Err == nil && !j.result.Record.Member {
					j.fail(partly(err))
				}
			}
			return err
		}
	}
	return w.reread(ctx, joining)
}

// partly is the error of an operation of which something took effect.
func partly(err error) error {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return err
	}
	kept := *f
	kept.Ambiguous = true
	return &kept
}

// move changes memberships with one request. Doing it twice is the same as once.
func (w *writer) move(ctx context.Context, jobs []*job) error {
	request := &people.ModifyContactGroupMembersRequest{}
	for _, j := range jobs {
		if j.op.Action == record.Unlink {
			request.ResourceNamesToRemove = append(request.ResourceNamesToRemove, j.op.ID)
		} else {
			request.ResourceNamesToAdd = append(request.ResourceNamesToAdd, j.name())
		}
	}
	reply, err := w.modify(ctx, w.group, request)
	if err != nil {
		if fault.Is(err, fault.Gone) {
			if gone := w.groupGone(ctx); code(gone) == "group-gone" {
				return w.ungrouped(jobs, gone)
			} else if gone != nil {
				return gone
			}
			if len(jobs) == 1 {
				w.moved(jobs[0], true)
				return nil
			}
		}
		if fault.Ambiguous(err) {
			failAll(jobs, err)
			return err
		}
		halves, err := w.refused(ctx, jobs, err)
		for _, half := range halves {
			if err := w.move(ctx, half); err != nil {
				return err
			}
		}
		return err
	}
	w.lost = false
	if err := w.release(ctx, reply.CanNotRemoveLastContactGroupResourceNames); err != nil {
		return err
	}
	for _, j := range jobs {
		w.moved(j, slices.Contains(reply.NotFoundResourceNames, j.name()))
	}
	return nil
}

// name is the contact's resource name, which may have changed with what was just written.
func (j *job) name() string {
	if j.result != nil && j.result.Err == nil && j.result.Record.ID != "" {
		return j.result.Record.ID
	}
	return j.op.ID
}

func (w *writer) modify(ctx context.Context, group string, request *people.ModifyContactGroupMembersRequest) (*people.ModifyContactGroupMembersResponse, error) {
	reply, err := w.api.ContactGroups.Members.Modify(group, request).Context(httpx.Idempotent(ctx)).Do()
	return reply, w.classify("change members", err, true)
}

// release takes contacts out of the group that have no other: they become the user's own first, since a contact without
// a group would be none (https://developers.google.com/people/api/rest/v1/contactGroups.members/modify).
func (w *writer) release(ctx context.Context, last []string) error {
	if len(last) == 0 {
		return nil
	}
	if _, err := w.modify(ctx, myContacts, &people.ModifyContactGroupMembersRequest{ResourceNamesToAdd: last}); err != nil {
		return onList(err)
	}
	reply, err := w.modify(ctx, w.group, &people.ModifyContactGroupMembersRequest{ResourceNamesToRemove: last})
	if err != nil {
		return onList(err)
	}
	if len(reply.CanNotRemoveLastContactGroupResourceNames) > 0 {
		return fault.New(fault.Retry, side, "last-group", errors.New("change members: contacts could not leave their last group"))
	}
	return nil
}

// moved gives a job its fate after the members were changed.
func (w *writer) moved(j *job, missing bool) {
	now := w.options.Now().UTC()
	switch {
	case j.op.Action == record.Unlink:
		// Who is not there any more is not in the group either.
		j.result = &record.Result{Record: record.Record{ID: j.op.ID, Modified: now, Fields: j.op.Before, AdapterState: j.op.AdapterState}}
	case missing:
		gone := fault.New(fault.Gone, side, "not-found", errors.New("join group: the contact is not there"))
		// What was written before somebody deleted it took effect.
		gone.Ambiguous = !j.open()
		j.fail(gone)
	case j.open():
		j.done(record.Record{ID: j.op.ID, Modified: now, Member: true, Fields: j.op.Before, AdapterState: j.op.AdapterState})
	default:
		j.result.Record.Member = true
	}
}

// ungrouped gives jobs their fate where the group is gone: who was to leave has left, who was to join has not.
func (w *writer) ungrouped(jobs []*job, gone error) error {
	for _, j := range jobs {
		if j.op.Action == record.Unlink {
			w.moved(j, false)
		}
	}
	return gone
}

// reread reads contacts that joined, since joining makes a new version of them. Where that fails nothing is lost: the
// next write finds another version, and reads.
func (w *writer) reread(ctx context.Context, joined []*job) error {
	var ids []string
	for _, j := range joined {
		if j.result != nil && j.result.Err == nil {
			ids = append(ids, j.result.Record.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	found, err := w.read(ctx, w.group, ids)
	if err != nil {
		w.options.Logger.DebugContext(ctx, "contacts that joined could not be read", "error", err)
		return nil
	}
	for _, j := range joined {
		if j.result == nil || j.result.Err != nil {
			continue
		}
		// A version that somebody else made is not taken for the one that was written.
		is := &j.result.Record
		if r := found[is.ID]; r.Member && r.ID == is.ID && contact.Schema.Equal(r.Fields, is.Fields) {
			is.AdapterState, is.Modified = r.AdapterState, r.Modified
		}
	}
	return nil
}
