package record_test

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tandem-sync/tandem/shared/record"
)

func TestA_packed_document_comes_back_to_the_letter(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		``, `{}`, `null`, `"`, `"a`, `"\"`, `"a\\"`, `{"a":"b\":\"c"}`, `{"a" : "b"}`, `["A9F1B1E4-0000-4000-8000-000000000001"]`,
		`["a9f1b1e4-0000-4000-8000-000000000001","a9f1b1e4-0000-4000-8000-00000000000g"]`,
		`["2026-11-28T06:07:56.739487Z","2026-11-28T06:07:56Z","2026-11-28T06:07:56.500Z","0001-01-01T00:00:00Z","2026-02-30T00:00:00Z","2026-11-28T08:07:56+02:00"]`,
		strings.Repeat(`{"name":[1,2,3],`, 100), `{"b":"ÿ` + "\xff" + `"}`,
	} {
		if got := string(record.PackJSON([]byte(raw)).Unpack()); got != raw {
			t.Errorf("%q came back as %q", raw, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOf(rapid.SampledFrom([]byte(`"\:,{}aZ1-`+"\xff"))).Draw(t, "raw")
		if got := string(record.PackJSON(raw).Unpack()); got != string(raw) {
			t.Fatalf("%q came back as %q", raw, got)
		}
	})
}

// A table that grew with everything it ever saw would take the room that packing saves.
func TestDocuments_of_ever_other_forms_come_back_as_well(t *testing.T) {
	t.Parallel()
	for i := range 5000 {
		raw, err := json.Marshal(map[string]int{strings.Repeat("n", i%300): i})
		if err != nil {
			t.Fatal(err)
		}
		if got := string(record.PackJSON(raw).Unpack()); got != string(raw) {
			t.Fatalf("%q came back as %q", raw, got)
		}
	}
}
