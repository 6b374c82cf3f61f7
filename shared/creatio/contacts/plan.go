package contacts

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/creatio"
	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
)

// prepared is what Apply needs of a plan: what it comes to, and everything that it was made from beside the operation, to
// see whether the contact still comes to the same.
type prepared struct {
	planned
	names creatio.Names
	taken map[string]bool
	// owner says that the site insists on being told who owns a new contact, which does not change what shows.
	owner bool
}

// tagRow is what the tag's link stands under among the rows of a plan. It is none of a field.
const tagRow = "tag"

// Plan says what operations come to. It looks the names up that they mention, each once in the life of the site.
func (s *Side) Plan(ctx context.Context, ops []record.Operation) ([]record.Plan, error) {
	names, err := s.site.LookUp(ctx, questions(ops))
	if err != nil {
		return nil, fmt.Errorf("plan contacts: %w", err)
	}
	plans := make([]record.Plan, len(ops))
	for i, op := range ops {
		op.ID = strings.ToLower(op.ID)
		plans[i] = planOperation(op, names, s.taken.All())
		if op.Action == record.Create && op.Join && plans[i].Err == nil {
			// The tag comes last, and a contact may be left without it: then it was never under the tag, and nobody took it off.
			plans[i].Rows = maps.Clone(plans[i].Rows)
			plans[i].Rows[tagRow] = []string{s.link(op.ID, s.taken.All()).NewID()}
		}
	}
	return plans, nil
}

func planOperation(op record.Operation, names creatio.Names, taken map[string]bool) record.Plan {
	out := record.Plan{Operation: op, Displayed: op.Before}
	have, err := readState(op.AdapterState)
	switch {
	case op.ID == "":
		out.Err = fault.New(fault.Bug, creatio.Side, "no-id", errors.New("plan contact: no id"))
	case err != nil, op.Action == record.Update && len(op.AdapterState) == 0 && len(op.Changed) > 0:
		out.Err = fault.New(fault.Conflict, creatio.Side, "not-read", errors.New("plan contact: its rows are not known"))
	case op.Action == record.Unlink:
		out.Prepared = &prepared{planned: planned{fields: op.Before, state: have}}
	case op.Action == record.Create, op.Action == record.Update:
		p := planContact(op, have, names, taken)
		out.Displayed, out.Projections, out.Rows, out.Notes = p.fields, p.projections, p.rows, p.notes
		out.Prepared = &prepared{planned: p, names: names, taken: taken}
	default:
		out.Err = fault.Errorf(fault.Bug, creatio.Side, "action", "plan contact: no such action: %s", op.Action)
	}
	return out
}

// onto plans the same changes for the contact as it is now, and reports whether that comes to the same: to the same writes,
// after which the fields that change show the same. What else somebody changed meanwhile is left as it is, and shows.
func (p *prepared) onto(plan record.Plan, now record.Record) (*prepared, bool) {
	have, err := readState(now.AdapterState)
	if err != nil {
		return p, false
	}
	again := planContact(creatio.Rebased(plan, now), have, p.names, p.taken)
	if !reflect.DeepEqual(again.writes, p.writes) || !creatio.Displays(contact.Schema, plan, again.fields) {
		return p, false
	}
	next := *p
	next.planned = again
	return &next, true
}
