package google

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/api/people/v1"
)

const (
	// maxBatch, maxDeletions and maxMembers are what is taken at once.
	maxBatch     = 200
	maxDeletions = 500
	maxMembers   = 1000
)

// createContact is people.createContact.
func (c *call) createContact() (any, *failure) {
	var p people.Person
	if f := c.decode(&p); f != nil {
		return nil, f
	}
	v, f := c.view(readable)
	if f != nil {
		return nil, f
	}
	if f := c.creatable(&p); f != nil {
		return nil, f
	}
	if f := c.room(1); f != nil {
		return nil, f
	}
	made := c.create(&p)
	return made.render(made.now(), v), nil
}

// acceptable refuses a person whom no contact can be like.
func (c *call) acceptable(p *people.Person, mask []string) *failure {
	fields, _ := contentOf(p)
	if refused := c.s.o.Refused; refused != "" && strings.Contains(encode(fields), refused) {
		return invalid("Request contains an invalid argument.")
	}
	return checkPerson(p, mask)
}

// creatable refuses a person who cannot become a contact.
func (c *call) creatable(p *people.Person) *failure {
	if f := c.acceptable(p, writable); f != nil {
		return f
	}
	_, groups := contentOf(p)
	return c.joinable(groups, nil)
}

// joinable refuses groups that are not there, or that take nobody in any more. Who is in such a group may stay.
func (c *call) joinable(groups, already []string) *failure {
	for _, name := range groups {
		g := c.book.group(name)
		switch {
		case g == nil:
			return invalidField("person.memberships", "The contact group "+name+" does not exist.")
		case !g.open() && !slices.Contains(already, name):
			return invalidField("person.memberships", "Contacts cannot be added to the contact group "+name+".")
		}
	}
	return nil
}

// binned is how long a contact stays in the trash.
const binned = 30 * 24 * time.Hour

// room refuses more contacts than an account holds, those in the trash among them.
func (c *call) room(more int) *failure {
	held := 0
	for _, one := range c.book.Contacts {
		if now := one.now(); !now.Deleted || c.s.o.Now().Sub(now.At) < binned {
			held++
		}
	}
	if held+more > c.s.o.MaxContacts {
		return invalid("MY_CONTACTS_OVERFLOW_COUNT").because("MY_CONTACTS_OVERFLOW_COUNT", nil)
	}
	return nil
}

func (c *call) create(p *people.Person) *contact {
	fields, groups := contentOf(p)
	maps.DeleteFunc(fields, func(name string, _ []item) bool { return !slices.Contains(writable, name) })
	return c.s.add(c.book, "", fields, groups)
}

// after is what a write shows of the people it wrote; an empty mask shows nobody.
func (c *call) after(param, mask string, sources []string) (v view, silent bool) {
	m, _ := c.mask(param, mask, []string{})
	return c.showing(m, sources), len(m) == 0
}

// batchCreate is people.batchCreateContacts. All contacts are made, or none.
func (c *call) batchCreate() (any, *failure) {
	var in people.BatchCreateContactsRequest
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	v, silent := c.after("readMask", in.ReadMask, in.Sources)
	switch {
	case len(in.Contacts) == 0:
		return nil, invalidField("contacts", "At least one is required.")
	case len(in.Contacts) > maxBatch:
		return nil, invalidField("contacts", "There are more than 200.")
	}
	errors := map[string]*failure{}
	for i, one := range in.Contacts {
		if one == nil || one.ContactPerson == nil {
			errors[strconv.Itoa(i)] = invalidField(fmt.Sprintf("contacts[%d].contact_person", i), "It is required.")
		} else if f := c.creatable(one.ContactPerson); f != nil {
			errors[strconv.Itoa(i)] = f
		}
	}
	if f := batchFailure("BatchCreateContactsErrorDetails", errors); f != nil {
		return nil, f
	}
	if f := c.room(len(in.Contacts)); f != nil {
		return nil, f
	}
	var out []any
	for _, one := range in.Contacts {
		made := c.create(one.ContactPerson)
		out = append(out, outcome(made.Name, made.render(made.now(), v)))
	}
	if silent {
		return struct{}{}, nil
	}
	return map[string]any{"createdPeople": out}, nil
}

// batchFailure is the refusal of a whole batch for the sake of some contacts; nil where there are none.
func batchFailure(kind string, errors map[string]*failure) *failure {
	if len(errors) == 0 {
		return nil
	}
	keys := slices.Sorted(maps.Keys(errors))
	details := map[string]any{}
	for _, key := range keys {
		details[key] = map[string]any{"code": codeNumbers[errors[key].status], "message": errors[key].message, "details": errors[key].details}
	}
	first := *errors[keys[0]]
	first.details = append(slices.Clone(first.details), map[string]any{
		"@type": "type.googleapis.com/google.people.v1." + kind, "contactErrors": details,
	})
	return &first
}

// updateContact is people.updateContact.
func (c *call) updateContact() (any, *failure) {
	var p people.Person
	if f := c.decode(&p); f != nil {
		return nil, f
	}
	fields, f := c.mask("updatePersonFields", c.query.Get("updatePersonFields"), nil)
	if f != nil {
		return nil, f
	}
	v, f := c.view(readable)
	if f != nil {
		return nil, f
	}
	name := c.name()
	if f := c.updatable(name, &p, fields); f != nil {
		return nil, f
	}
	found := c.book.find(name)
	c.update(found, &p, fields)
	return found.render(found.now(), v), nil
}

// updatable refuses a change that a contact cannot take.
func (c *call) updatable(name string, p *people.Person, fields []string) *failure {
	if f := c.acceptable(p, fields); f != nil {
		return f
	}
	found := c.book.find(name)
	if found == nil {
		return notFound()
	}
	if f := current(found, p); f != nil {
		return f
	}
	next, groups := merged(found.now(), p, fields)
	if entries, size := measure(next); entries > maxEntries || size > maxBytes {
		return invalidField("person", "The contact is too large.")
	}
	if !slices.Contains(fields, "memberships") {
		return nil
	}
	if len(groups) == 0 {
		return invalidField("person.memberships", "At least one contact group membership is required.")
	}
	return c.joinable(groups, found.now().Groups)
}

// current refuses a person who was read before the last change. One etag is enough, that of the person or that of the
// contact's source; where there are sources, the contact's must be among them.
func current(found *contact, p *people.Person) *failure {
	var source *people.Source
	if p.Metadata != nil {
		at := slices.IndexFunc(p.Metadata.Sources, func(s *people.Source) bool { return s != nil && s.Type == "CONTACT" })
		if at < 0 && len(p.Metadata.Sources) > 0 {
			return invalidField("person.metadata.sources", "There is no contact source.")
		}
		if at >= 0 {
			source = p.Metadata.Sources[at]
		}
	}
	now := found.now()
	switch {
	case source != nil && source.Id != "" && source.Id != found.Source:
		return invalidField("person.metadata.sources", "The source is not one of the contact.")
	case p.Etag == "" && (source == nil || source.Etag == ""):
		return invalid("Request must set person.etag or person.metadata.sources.etag for the source that is being updated.")
	case source != nil && source.Etag != "" && source.Etag != sourceEtag(now):
		return precondition("Request person.metadata.sources.etag is different than the current person.metadata.sources.etag. " +
			"Clear local cache and get the latest person.")
	case (source == nil || source.Etag == "") && p.Etag != found.etag(now):
		return precondition("Request person.etag is different than the current person.etag. Clear local cache and get the latest person.")
	}
	return nil
}

// merged is a contact with the fields of the mask replaced.
func merged(now version, p *people.Person, fields []string) (content, []string) {
	next, groups := maps.Clone(now.Content), now.Groups
	if next == nil {
		next = content{}
	}
	sent, in := contentOf(p)
	for _, name := range fields {
		switch {
		case name == "memberships":
			groups = in
		case len(sent[name]) == 0:
			delete(next, name)
		default:
			next[name] = sent[name]
		}
	}
	return next, groups
}

func measure(fields content) (entries, size int) {
	for _, list := range fields {
		entries += len(list)
	}
	return entries, len(encode(fields))
}

func (c *call) update(found *contact, p *people.Person, fields []string) {
	next, groups := merged(found.now(), p, fields)
	c.s.put(c.book, found, version{Content: next, Groups: groups, Photo: found.now().Photo})
}

// batchUpdate is people.batchUpdateContacts. All contacts are changed, or none.
func (c *call) batchUpdate() (any, *failure) {
	var in people.BatchUpdateContactsRequest
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	fields, f := c.mask("updateMask", in.UpdateMask, nil)
	if f != nil {
		return nil, f
	}
	v, silent := c.after("readMask", in.ReadMask, in.Sources)
	switch {
	case len(in.Contacts) == 0:
		return nil, invalidField("contacts", "At least one is required.")
	case len(in.Contacts) > maxBatch:
		return nil, invalidField("contacts", "There are more than 200.")
	}
	names := slices.Sorted(maps.Keys(in.Contacts))
	errors, asked := map[string]*failure{}, map[*contact]string{}
	for _, name := range names {
		p := in.Contacts[name]
		f := c.updatable(name, &p, fields)
		if found := c.book.find(name); f == nil {
			if asked[found] != "" {
				f = invalidField("contacts", "The contact is there twice.")
			}
			asked[found] = name
		}
		if f != nil {
			errors[name] = f
		}
	}
	if f := batchFailure("BatchUpdateContactsErrorDetails", errors); f != nil {
		return nil, f
	}
	out := map[string]any{}
	for _, name := range names {
		p, found := in.Contacts[name], c.book.find(name)
		c.update(found, &p, fields)
		out[name] = outcome(name, found.render(found.now(), v))
	}
	if silent {
		return struct{}{}, nil
	}
	return map[string]any{"updateResult": out}, nil
}

// deleteContact is people.deleteContact.
func (c *call) deleteContact() (any, *failure) {
	return c.deletion([]string{c.name()})
}

// batchDelete is people.batchDeleteContacts.
func (c *call) batchDelete() (any, *failure) {
	var in people.BatchDeleteContactsRequest
	if f := c.decode(&in); f != nil {
		return nil, f
	}
	switch {
	case len(in.ResourceNames) == 0:
		return nil, invalidField("resource_names", "At least one is required.")
	case len(in.ResourceNames) > maxDeletions:
		return nil, invalidField("resource_names", "There are more than 500.")
	}
	return c.deletion(in.ResourceNames)
}

func (c *call) deletion(names []string) (any, *failure) {
	var found []*contact
	for _, name := range names {
		one := c.book.find(name)
		if one == nil {
			return nil, notFound()
		}
		if !slices.Contains(found, one) {
			found = append(found, one)
		}
	}
	for _, one := range found {
		c.s.violate("a contact was deleted: %s of %s", one.Name, c.account.Email)
		c.s.remove(c.book, one)
	}
	return struct{}{}, nil
}

// open reports whether contacts can be added to a group. Of the system's only two are left
// (https://developers.google.com/people/api/rest/v1/contactGroups.members/modify).
func (g *group) open() bool { return !g.System || g.Name == myContacts || g.Name == starred }

func exists(message string) *failure {
	return newFailure(http.StatusConflict, "ALREADY_EXISTS", message)
}
