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
	// Released are claims of records that were not made and are not on their way: they end at their Until, which is now, where they
	// are still this user's and of that record.
	Released []Claim
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
	// Before is the record's time of modification as the write found it; zero for a new one. It is not kept: what it tells of
	// an edit that was later than the one that the write carried goes into Edited.
	Before time.Time `json:"-"`
	// Modified is the record's time of modification as the write left it, Edited the time of the edit. Where Modified is zero,
	// the write is only about to be sent, at Sent by Sender.
	Modified time.Time `json:"modified"`
	Edited   time.Time `json:"edited"`
	Sent     time.Time `json:"-"`
	Sender   string    `json:"-"`
	// Sending are writes that were about to be sent, and of which nobody has told yet what became of them.
	Sending []Sending `json:"sending,omitempty"`
	// User is filled in by the store.
	User string `json:"user"`
	// Until is when the note is of no use any more.
	Until time.Time `json:"until"`
}

// Sending is a write that was about to be sent, at Sent, with an edit that was made at Edited. By tells senders apart, and not
// who they are.
type Sending struct {
	By     string    `json:"by"`
	Sent   time.Time `json:"sent"`
	Edited time.Time `json:"edited"`
}

// How far a record's time of modification may be from what a note says of it. Creatio does not tell what time a write gave.
// Modified is the last whole second of the site's clock that the run knew of when the answer came, and the record was written
// after that, or while the run waited for the answer, which it does for sendTime at most.
const (
	sendTime  = time.Minute
	noteAhead = 2 * time.Second
)

// Left reports whether a record that has this time of modification is as the write left it.
func (n WriteNote) Left(modified time.Time) bool {
	return !n.Modified.IsZero() && !modified.Before(n.Modified.Add(-sendTime)) && !modified.After(n.Modified.Add(noteAhead))
}

// Left reports whether a record that has this time of modification may be as the write left it.
func (s Sending) Left(modified time.Time) bool {
	return !modified.Before(s.Sent.Add(-noteAhead)) && !s.Over(modified)
}

// Over reports whether a write took effect by now, if ever.
func (s Sending) Over(now time.Time) bool { return now.After(s.Sent.Add(sendTime)) }

// EditedAt is when a person last edited a record that has this time of modification, as far as the note tells.
func (n WriteNote) EditedAt(modified time.Time) time.Time {
	if n.Left(modified) {
		return n.Edited
	}
	edited, sent := time.Time{}, false
	for _, s := range n.Sending {
		if s.Left(modified) {
			sent = true
			if s.Edited.After(edited) {
				edited = s.Edited
			}
		}
	}
	if sent {
		return edited
	}
	return modified
}
