package store

import (
	"slices"
	"testing"
)

// What is kept may be broken; whatever can be read is what would be written.
func FuzzDecodeMemberSet(f *testing.F) {
	for _, set := range []MemberSet{{}, {"people/c1"}, {"people/c1", "people/c2"}, {"", ""}} {
		data, err := set.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add(data[:len(data)/2])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := DecodeMemberSet(data)
		if err != nil {
			return
		}
		written, err := set.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := DecodeMemberSet(written); err != nil || !slices.Equal(again, set) {
			t.Errorf("%q is read again as %q, %v", set, again, err)
		}
	})
}
