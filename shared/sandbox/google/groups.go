package google

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/api/people/v1"
)

// show is a group with as many of its members.
func (c *call) show(g *group, fields []string, count, most int) map[string]any {
	out := map[string]any{"resourceName": g.Name, "etag": tag('=', g.Seq, 0)}
	for _, name := range fields {
		switch name {
		case "name":
			out["name"], out["formattedName"] = g.Title, g.Title
			if g.System {
				out["formattedName"] = systemGroups[g.Title]
			}
		case "groupType":
			out[name] = "USER_CONTACT_GROUP"
			if g.System {
				out[name] = "SYSTEM_CONTACT_GROUP"
			}
		case "memberCount":
			if count > 0 {
				out[name] = count
			}
		case "metadata":
			meta := map[string]any{"updateTime": stamp(g.Updated)}
			if g.Deleted {
				meta["deleted"] = true
			}
			out[name] = meta
		case "clientData":
			if len(g.ClientData) > 0 {
				out[name] = g.ClientData
			}
		}
	}
	if most > 0 && count > 0 {
		var names []string
		for _, m := range c.book.membersUpTo(g.Name, c.groupsUpTo()) {
			names = append(names, m.Name)
		}
		out["memberResourceNames"] = names[:min(most, len(names))]
	}
	return out
}

// groupsUpTo is the last change that groups show.
func (c *call) groupsUpTo() int64 { return c.book.shown(c.s.o.Now().Add(-c.s.o.StaleGroups)) }

// counts are the numbers of members of all groups after the change of a number.
func (b *book) counts(seq int64) map[string]int {
	out := map[string]int{}
	for _, c := range b.Contacts {
		if at, there := c.upTo(seq); there && !at.Deleted {
			for _, g := range at.Groups {
				out[g]++
			}
		}
	}
	return out
}

// membersUpTo are a group's members after the change of a number, by name.
func (b *book) membersUpTo(group string, seq int64) []*contact {
	var out []*contact
	for _, c := range b.Contacts {
		if at, there := c.upTo(seq); there && !at.Deleted && slices.Contains(at.Groups, group) {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(x, y *contact) int { return cmp.Compare(x.Name, y.Name) })
	return out
}

// listGroups is contactGroups.list.
func (c *call) listGroups() (any, *failure) {
	fields, f := c.mask("groupFields", c.query.Get("groupFields"), []string{"metadata", "groupType", "memberCount", "name"})
	if f != nil {
		return nil, f
	}
	size, f := c.number("pageSize", 30)
	if f != nil {
		return nil, f
	}
	bound := fmt.Sprintf("groups %x", hash64(strings.Join(slices.Sorted(slices.Values(fields)), ","), fmt.Sprint(size)))
	sync := c.query.Get("syncToken")
	from := cursor{Kind: "page", Of: c.account.Subject, Bound: bound + sync, UpTo: c.book.Seq, Full: c.s.o.Now(), Epoch: c.book.Epoch}
	if text := c.query.Get("pageToken"); text != "" {
		from, f = c.resume("pageToken", "page", text, from.Bound)
	} else if sync != "" {
		var old cursor
		old, f = c.resume("syncToken", "sync", sync, bound)
		from.Since, from.Full = old.UpTo, old.Full
	}
	if f != nil {
		return nil, f
	}
	return c.pageOfGroups(from, fields, size, bound, sync != ""), nil
}

func (c *call) pageOfGroups(from cursor, fields []string, size int, bound string, sync bool) map[string]any {
	var list []*group
	total := 0
	for _, g := range c.book.Groups {
		if sync && g.Seq <= from.Since || !sync && g.Deleted {
			continue
		}
		if total++; g.Name > from.After {
			list = append(list, g)
		}
	}
	slices.SortFunc(list, func(x, y *group) int { return cmp.Compare(x.Name, y.Name) })
	counts := c.book.counts(c.groupsUpTo())
	var shown []any
	for _, g := range list[:min(size, len(list))] {
		shown = append(shown, c.show(g, fields, counts[g.Name], 0))
	}
	out := map[string]any{"contactGroups": shown, "totalItems": total}
	if len(list) > size {
		from.After = list[size-1].Name
		out["nextPageToken"] = from.encode()
		return out
	}
	next := cursor{Kind: "sync", Of: from.Of, Bound: bound, UpTo: from.UpTo, Full: from.Full, Epoch: from.Epoch}
	out["nextSyncToken"] = next.encode()
	return out
}

// getGroup is contactGroups.get.
func (c *call) getGroup() (any, *failure) {
	fields, most, f := c.groupView()
	if f != nil {
		return nil, f
	}
	g := c.book.group(c.name())
	if g == nil {
		return nil, notFound()
	}
	return c.show(g, fields, c.book.counts(c.groupsUpTo())[g.Name], most), nil
}

func (c *call) groupView() ([]string, int, *failure) {
	fields, f := c.mask("groupFields", c.query.Get("groupFields"), []string{"metadata", "groupType", "memberCount", "name"})
	if f != nil {
		return nil, 0, f
	}
	most, f := c.number("maxMembers", 0)
	return fields, most, f
}

// batchGetGroups is contactGroups.batchGet.
func (c *call) batchGetGroups() (any, *failure) {
	fields, most, f := c.groupView()
	names := c.query["resourceNames"]
	switch {
	case f != nil:
		return nil, f
	case len(names) == 0:
		return nil, invalidField("resource_names", "At least one is required.")
	case len(names) > maxBatch:
		return nil, invalidField("resource_names", "There are more than 200.")
	}
	counts := c.book.counts(c.groupsUpTo())
	var out []any
	for _, name := range names {
		one := map[string]any{"requestedResourceName": name}
		if g := c.book.group(name); g != nil {
			one["contactGroup"], one["status"] = c.show(g, fields, counts[name], most), struct{}{}
		} else {
			one["status"] = map[string]any{"code": codeNumbers["NOT_FOUND"], "message": notFound().message}
		}
		out = append(out, one)
	}
	return map[string]any{"responses": out}, nil
}

// createGroup is contactGroups.create.
func (c *call) createGroup() (any, *failure) {
	var in people.CreateContactGroupRequest
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	fields, f := c.mask("readGroupFields", in.ReadGroupFields, []string{"metadata", "groupType", "name"})
	if f != nil {
		return nil, f
	}
	if in.ContactGroup == nil {
		return nil, invalidField("contact_group", "It is required.")
	}
	if f := c.nameable(in.ContactGroup.Name, nil); f != nil {
		return nil, f
	}
	g := c.s.newGroup(c.book, in.ContactGroup.Name)
	g.ClientData = groupData(in.ContactGroup)
	return c.show(g, fields, 0, 0), nil
}

// nameable refuses a name that another group has.
func (c *call) nameable(title string, g *group) *failure {
	title = strings.TrimSpace(title)
	switch other := c.book.named(title); {
	case title == "":
		return invalidField("contact_group.name", "It is required.")
	case len(title) > maxText:
		return invalidField("contact_group.name", "The value is too long.")
	case other != nil && other != g:
		return exists("Contact group name already exists.")
	}
	return nil
}

func groupData(g *people.ContactGroup) []map[string]any {
	var out []map[string]any
	for _, d := range g.ClientData {
		if d != nil {
			out = append(out, map[string]any{"key": d.Key, "value": d.Value})
		}
	}
	return out
}

// updateGroup is contactGroups.update.
func (c *call) updateGroup() (any, *failure) {
	var in people.UpdateContactGroupRequest
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	updated, f := c.mask("updateGroupFields", in.UpdateGroupFields, []string{"name"})
	if f != nil {
		return nil, f
	}
	fields, f := c.mask("readGroupFields", in.ReadGroupFields, []string{"metadata", "groupType", "name"})
	if f != nil {
		return nil, f
	}
	g := c.book.group(c.name())
	switch {
	case g == nil:
		return nil, notFound()
	case g.System:
		return nil, invalidField("resource_name", "A system contact group cannot be changed.")
	case in.ContactGroup == nil:
		return nil, invalidField("contact_group", "It is required.")
	case in.ContactGroup.Etag != "" && in.ContactGroup.Etag != tag('=', g.Seq, 0):
		return nil, precondition("Request contact_group.etag is different than the current contact_group.etag. " +
			"Clear local cache and get the latest contact group.")
	}
	if slices.Contains(updated, "name") {
		if f := c.nameable(in.ContactGroup.Name, g); f != nil {
			return nil, f
		}
		g.Title = strings.TrimSpace(in.ContactGroup.Name)
	}
	if slices.Contains(updated, "clientData") {
		g.ClientData = groupData(in.ContactGroup)
	}
	c.s.touch(c.book, g)
	return c.show(g, fields, c.book.counts(c.groupsUpTo())[g.Name], 0), nil
}

// deleteGroup is contactGroups.delete.
func (c *call) deleteGroup() (any, *failure) {
	g := c.book.group(c.name())
	switch {
	case g == nil:
		return nil, notFound()
	case g.System:
		return nil, invalidField("resource_name", "A system contact group cannot be deleted.")
	}
	if c.flag("deleteContacts") {
		c.s.violate("a contact group was deleted with its contacts: %s of %s", g.Title, c.account.Email)
		for _, member := range c.book.members(g.Name) {
			c.s.remove(c.book, member)
		}
	}
	c.s.removeGroup(c.book, g)
	return struct{}{}, nil
}

// modifyMembers is contactGroups.members.modify. Who is not there, and who would be left without a group, is told of in
// the answer; the others are moved.
func (c *call) modifyMembers() (any, *failure) {
	var in people.ModifyContactGroupMembersRequest
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	g := c.book.group(c.name())
	switch {
	case g == nil:
		return nil, notFound()
	case len(in.ResourceNamesToAdd)+len(in.ResourceNamesToRemove) > maxMembers:
		return nil, invalidField("resource_names_to_add", "There are more than 1000 resource names.")
	case len(in.ResourceNamesToAdd) > 0 && !g.open():
		return nil, invalidField("resource_name", "Contacts cannot be added to the contact group "+g.Name+".")
	}
	for _, name := range slices.Concat(in.ResourceNamesToAdd, in.ResourceNamesToRemove) {
		if !isPerson(name) {
			return nil, invalidField("resource_names", "It is not the name of a person.")
		}
		if slices.Contains(in.ResourceNamesToAdd, name) && slices.Contains(in.ResourceNamesToRemove, name) {
			return nil, invalidField("resource_names", "A person cannot be added and removed at once.")
		}
	}
	missing, last := []string{}, []string{}
	for _, name := range in.ResourceNamesToAdd {
		if found := c.book.find(name); found != nil {
			c.s.join(c.book, found, g.Name)
		} else {
			missing = append(missing, name)
		}
	}
	for _, name := range in.ResourceNamesToRemove {
		found := c.book.find(name)
		switch {
		case found == nil:
			missing = append(missing, name)
		case slices.Equal(found.now().Groups, []string{g.Name}):
			last = append(last, name)
		default:
			c.s.leave(c.book, found, g.Name)
		}
	}
	out := map[string]any{}
	if len(missing) > 0 {
		out["notFoundResourceNames"] = missing
	}
	if len(last) > 0 {
		out["canNotRemoveLastContactGroupResourceNames"] = last
	}
	return out, nil
}
