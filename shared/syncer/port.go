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
