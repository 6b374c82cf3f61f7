package store

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/tandem-sync/tandem/shared/record"
)

// Pair is two records that are not to be matched: not before somebody says so, or never.
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
}

// PairState is what is known of a pair.
type PairState string

const (
	// StateDoubt says that nobody has said yet whether the two are one.
	StateDoubt PairState = "doubt"
	// StateDifferent says that the user took them for two.
	StateDifferent PairState = "different"
)

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
