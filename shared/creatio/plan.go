package creatio

import (
	"github.com/tandem-sync/tandem/shared/record"
)

// Rebased is the operation of a plan for the record as it is now: with the same changes, and with everything else as
// somebody left it meanwhile.
func Rebased(plan record.Plan, now record.Record) record.Operation {
	op := plan.Operation
	op.Before, op.After, op.AdapterState = now.Fields.Clone(), now.Fields.Clone(), now.AdapterState
	for _, name := range op.Changed {
		op.Before[name], op.After[name] = plan.Before[name], plan.After[name]
	}
	return op
}

// Displays reports whether, for every field that a plan changes, a content shows what the plan displays.
func Displays(schema record.Schema, plan record.Plan, shown record.Fields) bool {
	for _, f := range schema {
		changes := !f.Equal(plan.Before[f.Name], plan.Displayed[f.Name])
		if changes && !f.Equal(shown[f.Name], plan.Displayed[f.Name]) {
			return false
		}
	}
	return true
}

// Shows reports whether a record shows everything that a plan writes.
func Shows(schema record.Schema, plan record.Plan, now record.Record) bool {
	return equalIn(schema, plan.Changed, now.Fields, plan.Displayed)
}

// Untouched reports whether a record shows nothing of what a plan writes, but what was there before.
func Untouched(schema record.Schema, plan record.Plan, now record.Record) bool {
	return equalIn(schema, plan.Changed, now.Fields, plan.Before)
}

func equalIn(schema record.Schema, names []string, a, b record.Fields) bool {
	for _, name := range names {
		if f, _ := schema.Field(name); !f.Equal(a[name], b[name]) {
			return false
		}
	}
	return true
}
