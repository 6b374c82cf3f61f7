package contact

import (
	"testing"

	"github.com/tandem-sync/tandem/shared/record"
)

func TestA_number_is_one_however_it_is_dialled(t *testing.T) {
	t.Parallel()
	f, _ := Schema.Field(Phones)
	same := func(a, b string) bool { return f.Means(record.Entry{Text: a}, record.Entry{Text: b}) }
	for _, c := range [][2]string{
		{"011 44 20 7946 0958", "+44 20 7946 0958"},
		{"8~10 44 20 7946 0958", "+44 20 7946 0958"},
		{"00 44 20 7946 0958", "+44 20 7946 0958"},
		{"+52 1 55 1234 5678", "+52 55 1234 5678"},
		{"+33 6 74 37 50 50", "06 74 37 50 50"},
	} {
		if !same(c[0], c[1]) || !same(c[1], c[0]) {
			t.Errorf("%s and %s are two", c[0], c[1])
		}
	}
	for _, c := range [][2]string{
		{"011 442 0795", "+44 20 7946 0958"}, {"011 44 20 7946 0958", "+44 20 7946 0959"}, {"011 44 20 7946 0958", "011 442 0795"}, {"+52 55 1234 5678", "+52 1 55 1234 5679"},
	} {
		if same(c[0], c[1]) {
			t.Errorf("%s and %s are one", c[0], c[1])
		}
	}
}
