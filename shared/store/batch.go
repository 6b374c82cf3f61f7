package store

import (
	"time"

	"github.com/tandem-sync/tandem/shared/record"
)

// Batch is what a run writes at once. Its parts are written in this order, so that where one batch takes several
// transactions and the process dies between them, what is written makes sense without the rest.
type Batch struct {
	// Notes are of writes that were made. Of two notes of one record the one of the later write stays.
	Notes []WriteNote
	// Pairs are what the run found out about pairs. A person's word stands: a doubt takes the place of a pair that the user
	// has decided about only where it carries the link that the user undid.
	Pairs []Pair
	// Links are put in place of those of their ids. A link with both ids empty is deleted. Of one link given twice the last
	// one stays.
	Links []Link
	// Claims are those without which links are not to be written, each of a link of the batch.
	Claims []Claim
	// SettledPairs are the ids of pairs to be removed, which may be missing.
	SettledPairs []string
}

// Claim says that a user's run is about to make a record in Creatio that others, who look for a record like it, do not find
// yet. Claims of one user do not stand in each other's way: within a run, and from run to run, the lease and the links
// keep that user's creations apart, and two of them may well share a number. The claim that came first stays then.
type Claim struct {
	// Site is the Creatio site, and Key one of the keys that the record can be matched by, in whatever normal form the
	// callers agree on. Neither is kept: a keyed hash of both and the type is the claim's key.
	Site string `json:"-"`
	Key  string `json:"-"`
	// RecordID is the id that the record is going to have: a claim of the same record is the same claim again.
	RecordID string `json:"recordId"`
	// Link is the id of the link that notes the creation.
	Link string `json:"link"`
	// User and Type are filled in by the store.
	User string      `json:"user"`
	Type record.Type `json:"type"`
	// Until is when the claim ends: later than any run that made it can still write.
	Until time.Time `json:"until"`
}

// Holds reports whether the claim keeps another one away at now.
func (c Claim) Holds(now time.Time, other Claim) bool {
	return now.Before(c.Until) && c.User != other.User && c.RecordID != other.RecordID
}

// WriteNote says that a change of a Creatio record was Tandem's own, and of when the edit was that it carried. Another user
// whose contact is the same record sees only the time of the write, which is nobody's edit.
type WriteNote struct {
	// Site is the Creatio site, and Record the record's id, whose letters may be of either case. Neither is kept: a keyed
	// hash of both is the note's key.
	Site   string `json:"-"`
	Record string `json:"-"`
	// Modified is the record's time of modification as the write left it, Edited the time of the edit.
	Modified time.Time `json:"modified"`
	Edited   time.Time `json:"edited"`
	// User is filled in by the store.
	User string `json:"user"`
	// Until is when the note is of no use any more.
	Until time.Time `json:"until"`
}
