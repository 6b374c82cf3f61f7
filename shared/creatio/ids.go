package creatio

import (
	"maps"
	"strings"
	"sync"

	"github.com/google/uuid"
)

// TypeEmail is the id of the communication type for e-mail addresses, the same in every Creatio (packages Base and CrtBase:
// CommunicationTypeConsts).
const TypeEmail = "ee1c85c3-cfcb-df11-9b2a-001d60e938c6"

const noGUID = "00000000-0000-0000-0000-000000000000"

// DeriveID derives the id of a row from names that identify it, so that a repeated insertion is rejected as a duplicate.
func DeriveID(names ...string) string {
	space := uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://github.com/tandem-sync/tandem/creatio"))
	return uuid.NewSHA1(space, []byte(strings.Join(names, "\x00"))).String()
}

// NormalIDs returns ids in one spelling, sorted and without duplicates.
func NormalIDs(ids []string) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = strings.ToLower(id)
	}
	return Unique(out)
}

// TakenIDs are ids that new rows were to have, and that rows elsewhere have already.
type TakenIDs struct {
	mu sync.Mutex
	// ids is never written to, so that plans may hold it.
	ids map[string]bool
}

// All returns the ids, which the caller must not change.
func (t *TakenIDs) All() map[string]bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ids
}

// Add notes an id, so that the next plan goes by another one.
func (t *TakenIDs) Add(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ids = maps.Clone(t.ids)
	if t.ids == nil {
		t.ids = map[string]bool{}
	}
	t.ids[id] = true
}
