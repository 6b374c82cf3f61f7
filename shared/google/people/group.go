package people

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/api/people/v1"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/google"
	"github.com/tandem-sync/tandem/shared/record"
)

const (
	userGroup   = "USER_CONTACT_GROUP"
	myContacts  = "contactGroups/myContacts"
	groupFields = "groupType,memberCount,metadata,name"
)

// Chosen is false: the group is made where it is missing.
func (s *Side) Chosen() bool { return false }

// Prepare finds the group, by its resource name where that is known and still good, else by its name, or makes it. It
// returns the resource name, which stays when the user renames the group.
func (s *Side) Prepare(ctx context.Context) (string, error) {
	if known := s.scope(); known != "" {
		g, err := s.readGroup(ctx, known, 0)
		if err != nil {
			return "", fmt.Errorf("prepare group: %w", err)
		}
		if g != nil {
			return known, nil
		}
	}
	group, err := s.findGroup(ctx)
	if err != nil {
		return "", fmt.Errorf("prepare group: %w", err)
	}
	if group == "" {
		if group, err = s.createGroup(ctx); err != nil {
			return "", fmt.Errorf("prepare group: %w", err)
		}
	}
	s.setScope(group)
	return group, nil
}

// readGroup reads a group with as many of its members; nil where it is not there.
func (s *Side) readGroup(ctx context.Context, group string, members int64) (*people.ContactGroup, error) {
	call := s.service.ContactGroups.Get(group).GroupFields(groupFields).Context(ctx)
	if members > 0 {
		call.MaxMembers(members)
	}
	g, err := call.Do()
	if err != nil {
		if err = s.api.Classify("get group", err, false); fault.Is(err, fault.Gone) {
			return nil, nil
		}
		return nil, google.OfList(err)
	}
	if g.Metadata != nil && g.Metadata.Deleted {
		return nil, nil
	}
	return g, nil
}

// findGroup looks for the group by name among those that the user made.
func (s *Side) findGroup(ctx context.Context) (string, error) {
	var groups []*people.ContactGroup
	var pages google.Pages
	for page := ""; ; {
		call := s.service.ContactGroups.List().GroupFields(groupFields).PageSize(maxPage).Context(ctx)
		if page != "" {
			call.PageToken(page)
		}
		reply, err := call.Do()
		if err != nil {
			return "", google.OfList(s.api.Classify("list groups", err, false))
		}
		groups = append(groups, reply.ContactGroups...)
		if page, err = pages.Next("list groups", reply.NextPageToken, len(reply.ContactGroups)); err != nil {
			return "", err
		}
		if page == "" {
			break
		}
	}
	return pickGroup(groups, s.options.GroupName), nil
}

// pickGroup prefers the name to the letter over one that differs as a person would not notice: a label's name is
// unique to its user, but not every spelling of it is another name.
func pickGroup(groups []*people.ContactGroup, name string) string {
	groups = slices.DeleteFunc(slices.Clone(groups), func(g *people.ContactGroup) bool {
		return g == nil || g.ResourceName == "" || (g.GroupType != "" && g.GroupType != userGroup) || (g.Metadata != nil && g.Metadata.Deleted)
	})
	slices.SortFunc(groups, func(a, b *people.ContactGroup) int { return strings.Compare(a.ResourceName, b.ResourceName) })
	for _, same := range []func(string) bool{
		func(n string) bool { return strings.TrimSpace(n) == name },
		func(n string) bool { return record.Fold(n) == record.Fold(name) && record.Fold(name) != "" },
	} {
		for _, g := range groups {
			if same(g.Name) {
				return g.ResourceName
			}
		}
	}
	return ""
}

// createGroup makes the group. Where another one of the name is there by now, or the answer was lost, it looks again.
func (s *Side) createGroup(ctx context.Context) (string, error) {
	// The fields that are shown by default will do: this method does not show all that the others do.
	g, err := s.service.ContactGroups.Create(&people.CreateContactGroupRequest{
		ContactGroup: &people.ContactGroup{Name: s.options.GroupName},
	}).Context(ctx).Do()
	if err == nil && g.ResourceName != "" {
		return g.ResourceName, nil
	}
	if err == nil {
		err = fault.New(fault.Retry, google.Side, "incomplete-reply", errors.New("create group: no resource name in the reply"))
	} else if err = s.api.Classify("create group", err, true); !fault.Is(err, fault.Conflict) && !fault.Ambiguous(err) {
		return "", err
	}
	found, lookErr := s.findGroup(ctx)
	switch {
	case lookErr != nil:
		return "", lookErr
	case found != "":
		return found, nil
	case fault.Is(err, fault.Conflict):
		return "", fault.New(fault.Retry, google.Side, "group-hidden", err)
	}
	return "", err
}
