package people

import (
	"context"
	"errors"
	"slices"

	"google.golang.org/api/people/v1"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/google"
	"github.com/tandem-sync/tandem/shared/record"
)

// Plan says what operations come to: it asks nobody, since a record's state holds all of it that a write replaces.
func (s *Side) Plan(_ context.Context, ops []record.Operation) ([]record.Plan, error) {
	plans := make([]record.Plan, len(ops))
	for i, op := range ops {
		plans[i] = planOperation(op)
	}
	return plans, nil
}

func planOperation(op record.Operation) record.Plan {
	out := record.Plan{Operation: op, Displayed: op.Before}
	have, err := readState(op.AdapterState)
	switch {
	case op.Action != record.Create && op.ID == "":
		out.Err = fault.New(fault.Bug, google.Side, "no-id", errors.New("plan contact: no resource name"))
	case err != nil:
		out.Err = fault.New(fault.Conflict, google.Side, "not-read", errors.New("plan contact: its state is not one of this version"))
	case op.Action == record.Create:
		out.Prepared = planPerson(op, state{Person: &people.Person{}})
	case op.Action == record.Update && len(op.Changed) > 0 && have.version() == "":
		out.Err = fault.New(fault.Conflict, google.Side, "not-read", errors.New("plan contact: its state is not known"))
	case op.Action == record.Update:
		out.Prepared = planPerson(op, have)
	case op.Action == record.Unlink:
		out.Prepared = planned{state: have}
	default:
		out.Err = fault.Errorf(fault.Bug, google.Side, "action", "plan contact: no such action: %s", op.Action)
	}
	if p, ok := out.Prepared.(planned); ok {
		out.Displayed = p.displayed(op.Before)
		out.Projections, out.Notes = p.projections(out.Displayed), p.notes
	}
	return out
}

// planned is what Apply needs of a plan: the version of the contact that it was made for, the fields to write, each as a
// whole, and what is to show for what was asked.
type planned struct {
	state  state
	person *people.Person
	mask   []string
	want   map[string][]wanted
	notes  []record.Note
}

// displayed is the content as it will show: what is written as it will be read, and the rest as it was.
func (p planned) displayed(before record.Fields) record.Fields {
	out := before.Clone()
	if len(p.mask) == 0 {
		return out
	}
	after := asShown(p.person)
	after.Nicknames = p.state.Person.Nicknames
	shown := fieldsOf(after)
	for _, name := range p.mask {
		for _, field := range fieldsIn[name] {
			if out[field] = shown[field]; len(out[field]) == 0 {
				delete(out, field)
			}
		}
	}
	return out
}

// fieldsIn are the fields that each field of a person holds.
var fieldsIn = map[string][]string{
	"names":          {contact.GivenName, contact.MiddleName, contact.Surname, contact.Salutation},
	"organizations":  {contact.Company, contact.JobTitle, contact.Department},
	"birthdays":      {contact.Birthday},
	"imClients":      {contact.Skype},
	"emailAddresses": {contact.Emails},
	"phoneNumbers":   {contact.Phones},
	"addresses":      {contact.Addresses},
	"urls":           {contact.Websites},
	"biographies":    {contact.Notes},
}

// asShown is a person as Google shows it once it is written: where no entry of a field was said to come first, the first
// one does.
func asShown(p *people.Person) *people.Person {
	out := *p
	out.Organizations = firstShown(p.Organizations, func(o *people.Organization) **people.FieldMetadata { return &o.Metadata })
	out.ImClients = firstShown(p.ImClients, func(c *people.ImClient) **people.FieldMetadata { return &c.Metadata })
	out.EmailAddresses = firstShown(p.EmailAddresses, func(e *people.EmailAddress) **people.FieldMetadata { return &e.Metadata })
	out.PhoneNumbers = firstShown(p.PhoneNumbers, func(n *people.PhoneNumber) **people.FieldMetadata { return &n.Metadata })
	out.Addresses = firstShown(p.Addresses, func(a *people.Address) **people.FieldMetadata { return &a.Metadata })
	out.Urls = firstShown(p.Urls, func(u *people.Url) **people.FieldMetadata { return &u.Metadata })
	return &out
}

func firstShown[T any](list []*T, meta func(*T) **people.FieldMetadata) []*T {
	if len(list) == 0 || slices.ContainsFunc(list, func(e *T) bool { return foremost(*meta(e)) }) {
		return list
	}
	first := *list[0]
	*meta(&first) = &people.FieldMetadata{SourcePrimary: true}
	return append([]*T{&first}, list[1:]...)
}

// projections are the values that a written contact shows differently from what was asked.
func (p planned) projections(now record.Fields) []record.Projection {
	var out []record.Projection
	for _, f := range contact.Schema {
		for _, w := range p.want[f.Name] {
			if f.Set && f.Empty(w.canonical) {
				continue
			}
			displayed := w.displayed
			if !f.Set || !f.Empty(displayed) {
				displayed = find(f, now[f.Name], displayed)
			}
			if !f.Same(w.canonical, displayed) {
				out = append(out, record.Projection{Field: f.Name, Canonical: w.canonical, Displayed: displayed})
			}
		}
	}
	return out
}

// find is the entry that shows for what was written: itself, or the same value in another spelling, or nothing.
func find(f record.Field, entries []record.Entry, written record.Entry) record.Entry {
	if !f.Set {
		if len(entries) > 0 {
			return entries[0]
		}
		return record.Entry{}
	}
	for _, same := range []func(record.Entry) bool{
		func(e record.Entry) bool { return f.Same(e, written) },
		func(e record.Entry) bool { return f.Key(e) == f.Key(written) },
	} {
		if i := slices.IndexFunc(entries, same); i >= 0 {
			return entries[i]
		}
	}
	return record.Entry{}
}
