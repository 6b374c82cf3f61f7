package web

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// Whatever is taken is taken as it was written: no field is made up, guessed or dropped.
func FuzzSettingsAreReadStrictly(f *testing.F) {
	f.Add(goodJSON)
	f.Add(`{"automatic":false,"intervalMinutes":60,"tagId":"` + goodTag + `","direction":"both","conflicts":"latest","state":null}`)
	f.Add(`{"automatic":true,"automatic":false}`)
	f.Add(`{"a":{"b":[[[]]]}} `)
	f.Add("{")
	f.Fuzz(func(t *testing.T, input string) {
		s, err := readContactsSettings(strings.NewReader(input))
		if err != nil {
			if e := explain(err); e.status != 400 && e.status != 422 {
				t.Errorf("%q: status %d", input, e.status)
			}
			return
		}
		if errs := s.Validate(); errs != nil {
			t.Errorf("%q: taken, but %v", input, errs)
		}
		d := json.NewDecoder(strings.NewReader(input))
		d.DisallowUnknownFields()
		var want struct {
			ContactsSettings
			State json.RawMessage `json:"state"`
		}
		if err := d.Decode(&want); err != nil || want.ContactsSettings != s {
			t.Errorf("%q: read as %+v, is %+v (%v)", input, s, want.ContactsSettings, err)
		}
		out, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := readContactsSettings(bytes.NewReader(out)); err != nil || again != s {
			t.Errorf("%q: written and read again: %+v, %v", input, again, err)
		}
	})
}
