package syncer

import (
	"context"
	"encoding/json"

	"github.com/tandem-sync/tandem/shared/record"
)

// Side is one of the two services as a run sees it, opened for one user and one scope (a private tag in
// Creatio, a group in Google). Errors are of the kinds of package fault.
type Side interface {
	// Scan reads what changed since the cursor, to the end; a nil cursor reads everything in scope. It writes
	// nothing. A cursor that is no longer good is fault.FullSync. A page that is missing is an error.
	Scan(ctx context.Context, cursor json.RawMessage) (record.Delta, error)
	// Fetch reads records by id, in any order; those that are no longer there come with Gone set.
	Fetch(ctx context.Context, ids []string) ([]record.Record, error)
	// Candidates finds records, in scope or not, that may be the same as one of like: those which share an
	// e-mail address, a phone number or a name with one of them. More is allowed, less is not.
	Candidates(ctx context.Context, like []record.Record) ([]record.Record, error)
	// Prepare makes sure that the scope exists and returns its lasting id. It may write.
	Prepare(ctx context.Context) (scope string, err error)
	// Apply carries operations out and tells of each what became of it, in their order. The error is for what
	// concerns them all (reconnect, unreachable); results without a fate are then fault.Retry.
	Apply(ctx context.Context, ops []record.Operation) ([]record.Result, error)
}

// Photos is a Side whose records have photos. Photos travel by themselves, one record after the other, once everything
// else is written. A record of either call is one as the side gave it: its ID, its Photo and its Native count.
type Photos interface {
	// Photo reads the picture that a record shows: to its end, or to a byte beyond record.MaxPhoto.
	Photo(ctx context.Context, r record.Record) ([]byte, error)
	// PutPhoto gives a record a picture in the place of the one it shows, or takes that away where there is none. Doing it
	// twice is the same as once. A record that shows another photo than r names is fault.Conflict, and stays as it is.
	// Result.Record is the record after the write, as a later read will show it. Where the side makes another picture of what
	// it is given, Result.Shown tells the hash of that, or none where that could not be seen.
	PutPhoto(ctx context.Context, r record.Record, picture []byte) record.Result
	// Made reports whether a picture that the side shows is what it makes of another one that it was given.
	Made(of, picture []byte) bool
}

// Counting is a Side whose cursor knows the number of members, by which it notices that somebody came or left.
type Counting interface {
	// Moved is the cursor after the run itself moved members, and changed their number by so many. What a person undoes of
	// it before the next run would else look as if nobody had come or left.
	Moved(cursor json.RawMessage, by int) json.RawMessage
}

// Lasting is a Side that gives its records other ids at times.
type Lasting interface {
	// Lasting is what stays the same of a record when it gets another id, read from its Native; empty where that is not
	// known.
	Lasting(native json.RawMessage) string
}
