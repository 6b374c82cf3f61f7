package record

import (
	"maps"
	"time"
)

// Intent is what a run is about to write to the records of a link. It stands on the link before anything is sent, so that
// the next run can tell what became of it where this one died, or never heard the answer: the base and two records do not
// tell everything. A side may show a value in another form than it was given, and a person may go back to the former value.
//
// It holds only the fields that change.
type Intent struct {
	// Fields are the names of the fields that change on a side.
	Fields []string `json:"fields,omitempty"`
	// Base is what both sides agree on once everything is written, of Fields.
	Base Fields `json:"base,omitempty"`
	// Active and SplitSide are the link's once everything is written.
	Active    bool `json:"active,omitempty"`
	SplitSide Side `json:"split,omitempty"`
	// Decided says that the user decided what is written, as by an undo: it is an edit of the time at which it is written, and
	// carries none of the other side's.
	Decided bool `json:"decided,omitempty"`
	// Scopes are those to which the memberships belong.
	Scopes map[Side]string `json:"scopes,omitempty"`
	// Sides are both sides of the link; a side that is not written has no Action.
	Sides map[Side]IntentSide `json:"sides,omitempty"`
}

// Without is the intent as it is once some sides have answered that they did not write.
func (in *Intent) Without(refused []Side) *Intent {
	if in == nil || len(refused) == 0 {
		return in
	}
	out := *in
	out.Sides = maps.Clone(in.Sides)
	for _, s := range refused {
		side := out.Sides[s]
		side.Refused = true
		out.Sides[s] = side
	}
	return &out
}

// IntentSide is one side of an intent.
type IntentSide struct {
	Action Action `json:"action,omitempty"`
	// Refused says that the side answered that it did not write.
	Refused bool `json:"refused,omitempty"`
	// Before is what the record showed when the write was planned, After what it shows once it is written; of Fields.
	Before Fields `json:"before,omitempty"`
	After  Fields `json:"after,omitempty"`
	// Projections are the values that the record shows in another form than the agreed one once everything is written; of Fields.
	Projections []Projection `json:"projections,omitempty"`
	// WasMember and Member say whether the record was in scope before the write, and is after it.
	WasMember bool `json:"wasMember,omitempty"`
	Member    bool `json:"member,omitempty"`
	// Rows are ids of the rows that the write makes, by field.
	Rows map[string][]string `json:"rows,omitempty"`
	// Modified is the version of the record for which the write was planned.
	Modified time.Time `json:"modified,omitzero"`
}
