package store

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"strings"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
)

// Blob is bytes that are kept under a name.
type Blob struct {
	Name string
	Data []byte
}

// MemberSet is the ids of the records in scope on one side, sorted. It is kept as a blob.
type MemberSet []string

// membersPrefix begins the names of the blobs that are member sets.
const membersPrefix = "members/"

// MembersBlob is the name of the blob that is a side's member set.
func MembersBlob(s record.Side) string { return membersPrefix + string(s) }

// RetainedBlob is the name of the blob of what a side keeps beside its cursor.
func RetainedBlob(s record.Side) string { return keptPrefix + string(s) }

const keptPrefix = "kept/"

// IsRetainedBlob is the side that keeps a blob beside its cursor; false for another blob.
func IsRetainedBlob(name string) (record.Side, bool) {
	side, is := strings.CutPrefix(name, keptPrefix)
	return record.Side(side), is
}

// IsMembersBlob is the side whose member set a blob is; false for another blob.
func IsMembersBlob(name string) (record.Side, bool) {
	side, is := strings.CutPrefix(name, membersPrefix)
	return record.Side(side), is
}

// Encode writes the set as it is kept: ids a line each, compressed, so that 25,000 of them stay below half a megabyte. No id
// of either side has a line break.
func (m MemberSet) Encode() ([]byte, error) {
	var b bytes.Buffer
	// Neither a known level nor a buffer fails.
	w, _ := flate.NewWriter(&b, flate.BestSpeed)
	_, _ = io.WriteString(w, strings.Join(m, "\n"))
	if err := w.Close(); err != nil {
		return nil, fault.New(fault.Bug, "store", "encode", fmt.Errorf("encode member set: %w", err))
	}
	return b.Bytes(), nil
}

// DecodeMemberSet reads what Encode wrote.
func DecodeMemberSet(data []byte) (MemberSet, error) {
	text, err := io.ReadAll(flate.NewReader(bytes.NewReader(data)))
	if err != nil {
		return nil, fault.New(fault.Bug, "store", "decode", fmt.Errorf("decode member set: %w", err))
	}
	if len(text) == 0 {
		return MemberSet{}, nil
	}
	return strings.Split(string(text), "\n"), nil
}
