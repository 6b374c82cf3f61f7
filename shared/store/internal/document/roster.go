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

// EncodeRoster writes a roster as it is kept: ids a line each, compressed, so that 25,000 of them stay below half a
// megabyte. No id of either side has a line break.
func EncodeRoster(r store.Roster) ([]byte, error) {
	var b bytes.Buffer
	// Neither a known level nor a buffer fails.
	w, _ := flate.NewWriter(&b, flate.BestSpeed)
	_, _ = io.WriteString(w, strings.Join(r, "\n"))
	if err := w.Close(); err != nil {
		return nil, fault.New(fault.Bug, Side, "encode", fmt.Errorf("encode roster: %w", err))
	}
	return b.Bytes(), nil
}

// DecodeRoster reads what EncodeRoster wrote.
func DecodeRoster(data []byte) (store.Roster, error) {
	text, err := io.ReadAll(flate.NewReader(bytes.NewReader(data)))
	if err != nil {
		return nil, fault.New(fault.Bug, Side, "decode", fmt.Errorf("decode roster: %w", err))
	}
	if len(text) == 0 {
		return store.Roster{}, nil
	}
	return strings.Split(string(text), "\n"), nil
}
