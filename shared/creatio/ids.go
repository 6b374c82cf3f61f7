package creatio

import (
	"strings"

	"github.com/google/uuid"
)

// TypeEmail is the type of the communications that are e-mail addresses, by the id that every Creatio is delivered with
// (packages Base and CrtBase: CommunicationTypeConsts).
const TypeEmail = "ee1c85c3-cfcb-df11-9b2a-001d60e938c6"

const noGUID = "00000000-0000-0000-0000-000000000000"

// DeriveID makes the id of a row from what the row is, so that a repeated insertion is a duplicate and not a second row.
func DeriveID(names ...string) string {
	space := uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://github.com/tandem-sync/tandem/creatio"))
	return uuid.NewSHA1(space, []byte(strings.Join(names, "\x00"))).String()
}
