package document

import (
	"strings"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/store"
)

// ValidBlob reports whether name can be that of a blob: ids with slashes between them.
func ValidBlob(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if !ValidID(part) {
			return false
		}
	}
	return len(name) <= longestID
}

// BlobToRead checks the name of a blob to be read.
func BlobToRead(name string) error {
	if !ValidBlob(name) {
		return store.ErrNotFound
	}
	return nil
}

// BlobToWrite checks the name of a blob to be written.
func BlobToWrite(name string) error {
	if !ValidBlob(name) {
		return fault.Errorf(fault.Bug, Side, "invalid-id", "the name %q of a blob is not of ids with slashes between them", name)
	}
	return nil
}
