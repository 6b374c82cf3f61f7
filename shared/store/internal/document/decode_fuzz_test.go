package document

import (
	"bytes"
	"testing"

	"github.com/tandem-sync/tandem/shared/store"
)

// A document may be of another version, of a backup, or broken: what can be read is written and read again as the same.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"type":"contacts","lease":{"fence":3},"settings":{"intervalMinutes":5},"cursors":{"google":{"token":"x"}}}`, `{"id":"l1","base":{"emails":[{"text":"a"}]},"updatedAt":"2026-03-02T12:00:00Z"}`,
		`{"id":"ada","createdAt":"2026-03-02T12:00:00.123456789+02:00","session":"\u0000\ud800"}`, `{"due":"0001-01-01T00:00:00Z"}`, `null`, `[]`, `{"settings":null}`, `{"cursors":{"google":null}}`, `{`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		rewritten[store.Sync](t, data)
		rewritten[store.Profile](t, data)
		rewritten[store.Link](t, data)
		rewritten[store.Run](t, data)
		rewritten[store.Channel](t, data)
	})
}

func rewritten[D Document](t *testing.T, data []byte) {
	t.Helper()
	d, err := Decode[D](data)
	if err != nil {
		return
	}
	once, err := Encode(d)
	if err != nil {
		// A time may be in a year that JSON does not write.
		return
	}
	again, err := Decode[D](once)
	if err != nil {
		t.Fatalf("%s, written as %s: %v", data, once, err)
	}
	if twice, err := Encode(again); err != nil || !bytes.Equal(once, twice) {
		t.Errorf("%s is written as %s, and again as %s, %v", data, once, twice, err)
	}
}
