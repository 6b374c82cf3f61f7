package odata

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is decoded where it lies is what encoding/json decodes.
func FuzzDecode_of_a_list(f *testing.F) {
	for _, seed := range []string{
		`{"value":[]}`, `{"value":[{}]}`, ` { "value" : [ { "Id" : "1" , "N":null } , {"a\"b":[1,{"x":"]}"}],"c":-1.5e3} ] , "@odata.count" : "7" } `,
		`{"@odata.count":3,"value":[{"a":"\\"},{"a":"\u00e9\\\""}],"@odata.nextLink":"x?y"}`, `{"value":null}`, `[]`, `{"value":[1]}`, `{"value":{}}`, `{`, ``, `"`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		page, err := decodePage(body, 0)
		var want struct{ Value []map[string]json.RawMessage }
		if invalid := json.Unmarshal(body, &want); err != nil {
			return
		} else if invalid != nil && !json.Valid(body) {
			t.Fatalf("%q is decoded as %v", body, page.Rows)
		}
		if strings.Count(strings.ToLower(string(body)), "value") != 1 || strings.Contains(string(body), `\`) {
			// encoding/json takes names in any case.
			return
		}
		var got []map[string]json.RawMessage
		for _, r := range page.Rows {
			got = append(got, r)
		}
		same := cmp.Comparer(func(a, b json.RawMessage) bool { return strings.TrimSpace(string(a)) == strings.TrimSpace(string(b)) })
		if len(got)+len(want.Value) > 0 && !cmp.Equal(got, want.Value, same) {
			t.Fatalf("%q: got %s, want %s", body, got, want.Value)
		}
	})
}
