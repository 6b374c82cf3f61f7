package store

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
)

// Pair is two records whose match is not a matter of course: nobody knows yet whether they are one, or the user has said it.
type Pair struct {
	// ID is PairID of both ids, so that two records are one pair at most.
	ID        string    `json:"id"`
	CreatioID string    `json:"creatioId"`
	GoogleID  string    `json:"googleId"`
	State     PairState `json:"state"`
	// Reason is why they may be one, or why they are not.
	Reason string    `json:"reason,omitempty"`
	Since  time.Time `json:"since,omitzero"`
	// Names are what the records were called when the pair was written.
	Names map[record.Side]string `json:"names,omitempty"`
	// Link is the link that an undo took away, as it was: an undo of that puts it back. Nil where the two had none, or the
	// user has decided since.
	Link *Link `json:"link,omitempty"`
	// Silent says that neither record was in scope when somebody looked last: nobody is asked about them.
	Silent bool `json:"silent,omitempty"`
	// FormerLink is the id of the link that the two had, which their records may carry as their mark; empty where they had none.
	FormerLink string `json:"formerLink,omitempty"`
}

// PairState is what is known of a pair.
type PairState string

const (
	// StateDoubt says that nobody has said yet whether the two are one.
	StateDoubt PairState = "doubt"
	// StateDifferent says that the user took them for two.
	StateDifferent PairState = "different"
	// StateSame says that the user took them for one, and no run has linked them yet.
	StateSame PairState = "same"
)

// Decided reports whether the user has said what the two are.
func (s PairState) Decided() bool { return s == StateDifferent || s == StateSame }

// PairCounts are the numbers of a user's pairs.
type PairCounts struct {
	// Known counts them all, Doubts those that nobody has decided about.
	Known  int `json:"known,omitempty"`
	Doubts int `json:"doubts,omitempty"`
}

// Verdict is what the user said of two records: that they are the same, or that they are not.
type Verdict struct {
	CreatioID string `json:"creatioId"`
	GoogleID  string `json:"googleId"`
	Same      bool   `json:"same"`
	// Doubt says that it ends an open doubt.
	Doubt bool      `json:"doubt,omitempty"`
	At    time.Time `json:"at"`
}

// PairID is the id of the pair of two records. The letters of an id of Creatio may be of either case.
func PairID(creatioID, googleID string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(creatioID) + "\x00" + googleID))
	return hex.EncodeToString(sum[:16])
}

// SideID is the pair's id on a side.
func (p *Pair) SideID(s record.Side) string {
	if s == record.Creatio {
		return p.CreatioID
	}
	return p.GoogleID
}
