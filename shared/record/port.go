package record

import (
	"encoding/json"
	"time"
)

// Delta is what a side tells of one window.
type Delta struct {
	// Records are the records that changed, or in a complete delta all of them, with their content. A window may tell of
	// everybody, so they are packed, each by itself.
	Records []Packed
	// Touched are ids of records that may have changed and whose content must be fetched if they are linked.
	Touched []string
	// Members, where not nil, is the complete list of ids in scope now, as far as the extents go: a linked record in one of
	// them that is missing from the list left.
	Members []string
	// Extents are the parts of the scope that were read whole; nil for all of it.
	Extents []Extent
	// From is the beginning of the range; zero for none. A record that ended before it, and still does, is left as it is.
	From time.Time
	// ScopeGone says that the tag or the group itself is not there any more.
	ScopeGone bool
	// Cursor is where the next window starts. To be kept only after everything above is dealt with.
	Cursor json.RawMessage
	// Retained is what the side wants to have again beside the cursor, and is to be kept before that is; nil where it stays as it is.
	Retained []byte
	// Notices are what the user is told of records of the side that no operation is about.
	Notices []Notice
}

// Notice is a note about a record.
type Notice struct {
	ID, Name string
	Note
}

// Extent is a part of a scope that was read whole, so that what is missing in it is missing from something.
type Extent struct {
	// Parent is the series whose records were read; empty for all records. Alone bounds them to those of no series.
	Parent string
	Alone  bool
	// From and To bound the ends of the records that were read, To itself excluded; zero for no bound. Later are series of which
	// only what ends at a later time than From was read.
	From, To time.Time
	Later    map[string]time.Time
}

// Covers reports whether a record of a series, or of none, that ends at a time lies in the extent. One without an end lies
// in every range.
func (e Extent) Covers(parent string, end time.Time) bool {
	switch {
	case e.Parent != "" && e.Parent != parent, e.Alone && parent != "":
		return false
	case end.IsZero():
		return true
	case end.Before(e.Later[parent]):
		return false
	default:
		return !end.Before(e.From) && (e.To.IsZero() || end.Before(e.To))
	}
}

// Action is what an operation does to a record of a side.
type Action string

// The actions of a plan.
const (
	Create Action = "create"
	Update Action = "update"
	// Unlink takes the record out of scope: the tag comes off, or it leaves the group.
	Unlink Action = "unlink"
	// Cancel marks the record as one that does not take place; Delete removes it.
	Cancel Action = "cancel"
	Delete Action = "delete"
)

// Removes reports whether the action takes a record away, in whatever way.
func (a Action) Removes() bool { return a == Unlink || a == Cancel || a == Delete }

// Operation is one write to one record of one side.
type Operation struct {
	Action Action
	// Link is the link's id. A created Google contact carries it as its mark; a created Creatio contact's id is
	// ID, derived by the planner.
	Link string
	// ID is the record to write; for a creation in Creatio the id it shall have, empty for one in Google.
	ID string
	// AdapterState is the record's state as last read.
	AdapterState json.RawMessage
	// Before and After are the whole content as it is and as it shall be. Only the fields named in Changed differ.
	Before, After Fields
	Changed       []string
	// StandIns are values that the record shows where nothing is agreed on, because the side cannot show nothing.
	StandIns Fields
	// Former is the record in whose place a creation comes: one of the same link, which was deleted. Its zero value is none.
	Former Former
	// Once is what else a creation gets of its counterpart, in a vocabulary of the kind.
	Once Fields
	// Join puts the record into scope as well: tag or group. Set on every creation.
	Join bool
}

// Former is a record that was deleted, as it was when it was seen last.
type Former struct {
	ID           string
	AdapterState json.RawMessage
}

// Plan is what a side would do for one operation, and what the record will show then. It is made before anything is
// written, and is carried out as it says or not at all.
type Plan struct {
	Operation
	// Displayed is the whole content as the side will show it after the write.
	Displayed Fields
	// Projections are the values that the side will show differently from Operation.After.
	Projections []Projection
	// Rows are the ids of the rows that the write makes, by field.
	Rows map[string][]string
	// Notes are sentences for the user about values that cannot be written as they are.
	Notes []Note
	// Prepared is the adapter's own: what it needs to do exactly this. Opaque to everybody else, and kept nowhere.
	Prepared any
	// Err says that this operation cannot be written, and nothing of it is sent; of one of the kinds of package fault.
	Err error
}

// Result is what became of an operation, in the order of the operations.
type Result struct {
	// Record is the record after the write, as a later read will show it; its AdapterState is to be kept.
	Record Record
	// Projections lists values the side shows differently from Operation.After.
	Projections []Projection
	// Notes are sentences for the user about values that could not be written as they are.
	Notes []Note
	// Err says that this record was not written; of one of the kinds of package fault.
	Err error
}

// Note tells the user about one value of a record that the side could not take as it is.
type Note struct {
	Field, Code, Message, Action string
}
