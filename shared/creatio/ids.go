package creatio

import (
	"strings"

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
