package people

import (
	"context"
	"errors"
	"slices"

	"google.golang.org/api/people/v1"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/google"
	"github.com/tandem-sync/tandem/shared/httpx"
	"github.com/tandem-sync/tandem/shared/record"
)

// memberships takes contacts into the group and out of it.
func (w *writer) memberships(ctx context.Context, jobs []*job) error {
	var joining, changing []*job
	for _, j := range jobs {
		switch {
		case j.Action == record.Unlink && j.pending():
			changing = append(changing, j)
		case j.Action == record.Update && j.Join && (j.pending() || j.result.Err == nil):
			joining = append(joining, j)
			changing = append(changing, j)
		}
	}
	for chunk := range slices.Chunk(changing, maxMembers) {
		if err := w.changeMembers(ctx, chunk); err != nil {
			// Content was written, but these did not join: their operation is not done, and not without effect.
			for _, j := range changing {
				if !j.pending() && j.Join && j.result.Err == nil && !j.result.Record.Member {
					j.fail(fault.InPart(err))
				}
			}
			return err
		}
	}
	return w.readVersions(ctx, joining)
}

// changeMembers changes memberships with one request. Doing it twice is the same as once.
func (w *writer) changeMembers(ctx context.Context, jobs []*job) error {
	request := &people.ModifyContactGroupMembersRequest{}
	for _, j := range jobs {
		if j.Action == record.Unlink {
			request.ResourceNamesToRemove = append(request.ResourceNamesToRemove, j.ID)
		} else {
			request.ResourceNamesToAdd = append(request.ResourceNamesToAdd, j.name())
		}
	}
	reply, err := w.modifyMembers(ctx, w.group, request)
	if err != nil {
		if fault.Is(err, fault.Gone) {
			if gone := w.checkGroup(ctx); google.Code(gone) == "group-gone" {
				return w.endWithoutGroup(jobs, gone)
			} else if gone != nil {
				return gone
			}
			if len(jobs) == 1 {
				w.finishMembership(jobs[0], true)
				return nil
			}
		}
		if fault.Ambiguous(err) {
			failAll(jobs, err)
			return err
		}
		halves, err := w.handleRefusal(ctx, jobs, err)
		for _, half := range halves {
			if err := w.changeMembers(ctx, half); err != nil {
				return err
			}
		}
		return err
	}
	w.lost = false
	if err := w.removeLastGroup(ctx, reply.CanNotRemoveLastContactGroupResourceNames); err != nil {
		return err
	}
	for _, j := range jobs {
		w.finishMembership(j, slices.Contains(reply.NotFoundResourceNames, j.name()))
	}
	return nil
}

// name is the contact's resource name, which may have changed with what was just written.
func (j *job) name() string {
	if j.result != nil && j.result.Err == nil && j.result.Record.ID != "" {
		return j.result.Record.ID
	}
	return j.ID
}

func (w *writer) modifyMembers(ctx context.Context, group string, request *people.ModifyContactGroupMembersRequest) (*people.ModifyContactGroupMembersResponse, error) {
	reply, err := w.service.ContactGroups.Members.Modify(group, request).Context(httpx.Idempotent(ctx)).Do()
	return reply, w.api.Classify("change members", err, true)
}

// removeLastGroup takes contacts out of the group that have no other: they become the user's own first, since a contact without
// a group would be none (https://developers.google.com/people/api/rest/v1/contactGroups.members/modify).
func (w *writer) removeLastGroup(ctx context.Context, last []string) error {
	if len(last) == 0 {
		return nil
	}
	if _, err := w.modifyMembers(ctx, myContacts, &people.ModifyContactGroupMembersRequest{ResourceNamesToAdd: last}); err != nil {
		return google.OfList(err)
	}
	reply, err := w.modifyMembers(ctx, w.group, &people.ModifyContactGroupMembersRequest{ResourceNamesToRemove: last})
	if err != nil {
		return google.OfList(err)
	}
	if len(reply.CanNotRemoveLastContactGroupResourceNames) > 0 {
		return fault.New(fault.Retry, google.Side, "last-group", errors.New("change members: contacts could not leave their last group"))
	}
	return nil
}

// finishMembership ends a job after the members were changed.
func (w *writer) finishMembership(j *job, missing bool) {
	now := w.api.Now().UTC()
	switch {
	case j.Action == record.Unlink:
		// Who is not there any more is not in the group either.
		j.result = &record.Result{Record: record.Record{ID: j.ID, Modified: now, Fields: j.Before, AdapterState: j.AdapterState}}
	case missing:
		gone := fault.New(fault.Gone, google.Side, "not-found", errors.New("join group: the contact is not there"))
		// What was written before somebody deleted it took effect.
		gone.Ambiguous = !j.pending()
		j.fail(gone)
	case j.pending():
		j.succeed(record.Record{ID: j.ID, Modified: now, Member: true, Fields: j.Before, AdapterState: j.AdapterState})
	default:
		j.result.Record.Member = true
	}
}

// endWithoutGroup ends jobs where the group is gone: who was to leave has left, who was to join has not.
func (w *writer) endWithoutGroup(jobs []*job, gone error) error {
	for _, j := range jobs {
		if j.Action == record.Unlink {
			w.finishMembership(j, false)
		}
	}
	return gone
}

// readVersions reads contacts that joined, since joining makes a new version of them. Where that fails nothing is lost: the
// next write finds another version, and reads.
func (w *writer) readVersions(ctx context.Context, joined []*job) error {
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
		w.api.Logger.DebugContext(ctx, "contacts that joined could not be read", "error", err)
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
