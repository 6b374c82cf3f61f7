package document

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"strings"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/store"
)

// EncodeMemberSet writes a member set as it is kept: ids a line each, compressed, so that 25,000 of them stay below half a
// megabyte. No id of either side has a line break.
func EncodeMemberSet(r store.MemberSet) ([]byte, error) {
	var b bytes.Buffer
	// Neither a known level nor a buffer fails.
	w, _ := flate.NewWriter(&b, flate.BestSpeed)
	_, _ = io.WriteString(w, strings.Join(r, "\n"))
	if err := w.Close(); err != nil {
		return nil, fault.New(fault.Bug, Side, "encode", fmt.Errorf("encode member set: %w", err))
	}
	return b.Bytes(), nil
}

// DecodeMemberSet reads what EncodeMemberSet wrote.
func DecodeMemberSet(data []byte) (store.MemberSet, error) {
	text, err := io.ReadAll(flate.NewReader(bytes.NewReader(data)))
	if err != nil {
		return nil, fault.New(fault.Bug, Side, "decode", fmt.Errorf("decode member set: %w", err))
	}
	if len(text) == 0 {
		return store.MemberSet{}, nil
	}
	return strings.Split(string(text), "\n"), nil
}
