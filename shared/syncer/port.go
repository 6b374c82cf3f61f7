package syncer

import (
	"context"
	"encoding/json"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
)

// Side is one of the two services as a run sees it, opened for one user and one scope (as a private tag in Creatio, a group
// in Google). Errors are of the kinds of package fault. What else a side can do is told by the interfaces below, and asked
// of the side and not of its name.
type Side interface {
	// Scan reads what changed since the cursor, to the end; a nil cursor reads everything in scope. It writes
	// nothing. A cursor that is no longer good is fault.FullSync. A page that is missing is an error.
	Scan(ctx context.Context, cursor json.RawMessage) (record.Delta, error)
	// Fetch reads records by id, in any order; those that are no longer there come with Gone set.
	Fetch(ctx context.Context, ids []string) ([]record.Record, error)
	// Plan says what operations come to, in their order. It writes nothing, and reads no more than look-ups. What a plan
	// says that a record will show is what a reading after its write shows. The error is for what concerns them all.
	Plan(ctx context.Context, ops []record.Operation) ([]record.Plan, error)
	// Apply carries plans out and tells of each what became of it, in their order. It does exactly what a plan says.
	// Where the record is not any more what it was planned for, or another plan is needed, the result is fault.Conflict
	// and nothing of it is sent: read the record, and plan anew. The error is for what concerns them all (reconnect,
	// unreachable); what was not carried out for its sake is then fault.Retry.
	Apply(ctx context.Context, plans []record.Plan) ([]record.Result, error)
}

// Scoped is a Side whose scope has to be there before anything is in it.
type Scoped interface {
	// Prepare makes sure that the scope exists and returns its lasting id. It may write.
	Prepare(ctx context.Context) (scope string, err error)
}

// Finder is a Side that can be searched for the counterparts of records.
type Finder interface {
	// Candidates finds records, in scope or not, that may be the same as one of like: those which share an e-mail
	// address, a phone number or a name with one of them. More is allowed, less is not.
	Candidates(ctx context.Context, like []record.Record) ([]record.Record, error)
}

// Naming is a Side that takes the ids of new records from who creates them, so that a creation can be repeated.
type Naming interface {
	// NewID is the id of a record that is to be created: the same for the same seed.
	NewID(seed string) string
}

// Lagging is a Side whose lists and readings may show less than was written.
type Lagging interface {
	// Lag is how long they may trail what was written.
	Lag() time.Duration
}

// Stable is a Side that gives its records other ids at times, and knows them by another one that stays.
type Stable interface {
	// StableID is what stays the same of a record when it gets another id, read from its state; empty where that is not
	// known.
	StableID(state json.RawMessage) string
}

// Relister is a Side whose cursor knows the members, or their number, by which it notices that somebody came or left.
type Relister interface {
	// Relist is the cursor after the run itself moved members, and changed their number by so many: it has the next Scan
	// list the members, unless that number alone tells that nobody else moved. What a person undoes of it before the next
	// run would else look as if nobody had come or left.
	Relist(cursor json.RawMessage, by int) json.RawMessage
}

// Photos is a Side whose records have photos. Photos travel by themselves, one record after the other, once everything
// else is written. A record of either call is one as the side gave it: its ID, its Photo and its AdapterState count.
type Photos interface {
	// Photo reads the picture that a record shows: to its end, or to a byte beyond record.MaxPhoto.
	Photo(ctx context.Context, r record.Record) ([]byte, error)
	// PutPhoto gives a record a picture in the place of the one it shows, or takes that away where there is none. Doing it
	// twice is the same as once. A record that shows another photo than r names is fault.Conflict, and stays as it is.
	// Result.Record is the record after the write, as a later read will show it. Where the side makes another picture of what
	// it is given, Result.Projections tell the hash of that, or nothing where that could not be seen.
	PutPhoto(ctx context.Context, r record.Record, picture []byte) record.Result
	// Made reports whether a picture that the side shows is what it makes of another one that it was given.
	Made(of, picture []byte) bool
}
