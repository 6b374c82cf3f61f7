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
		{"+52 55 1234 5678", "00 52 1 55 1234 5678"},
		{"+52 55 1234 5678", "011 52 1 55 1234 5678"},
		{"+52 55 1234 5678", "044 55 1234 5678"},
		{"+52 1 55 1234 5678", "01 (55) 1234-5678"},
		{"+44 20 7946 0018", "+44 20 7946 0018 (work)"},
		{"+44 20 7946 0018", "020 7946 0018 (Büro)"},
		{"+36 1 234 5678", "06 1 234 5678"},
		{"+370 612 34567", "8 612 34567"},
		{"+54 9 11 2345 6789", "011 15-2345-6789"},
		{"+55 11 91234 5678", "0 15 11 91234-5678"},
		{"+375 17 123 45 67", "8 017 123 45 67"},
		{"+39 347 123 4567", "347 123 4567"},
		{"+1 868 622 1234", "868-622-1234"},
		{"+98 21 1234 5678", "۰۲۱۱۲۳۴۵۶۷۸"},
	} {
		if !same(c[0], c[1]) || !same(c[1], c[0]) {
			t.Errorf("%s and %s are two", c[0], c[1])
		}
	}
	for _, c := range [][2]string{
		{"011 442 0795", "+44 20 7946 0958"},
		{"011 44 20 7946 0958", "+44 20 7946 0959"},
		{"011 44 20 7946 0958", "011 442 0795"},
		{"+52 55 1234 5678", "+52 1 55 1234 5679"},
		{"+44 20 7946 0018", "020 7946 0018 x5"},
		{"+1 202 555 0143", "555 0143"},
		{"+47 22 33 44 55", "+45 22 33 44 55"},
		{"+52 55 1234 5678", "+52 1 55 1234 5678 x1"},
		{"1-800-(FLOWERS)", "1-800"},
	} {
		if same(c[0], c[1]) {
			t.Errorf("%s and %s are one", c[0], c[1])
		}
	}
}

// A prefix of calls abroad that no other number confirms counts where it is dialled: at the contact's, else at the user's.
func TestA_prefix_of_calls_abroad_counts_with_a_region(t *testing.T) {
	t.Parallel()
	at := func(country string) []record.Fields {
		return []record.Fields{{Addresses: {{Kind: KindHome, Parts: map[string]string{Country: country}}}}}
	}
	const london, turin = "020 7946 0958", "011 44207946"
	for _, c := range []struct {
		a, b    string
		records []record.Fields
		home    string
		want    bool
	}{
		{"011 44 20 7946 0958", london, at("USA"), "", true},
		{"011 44 20 7946 0958", london, nil, "US", true},
		{"011 44 20 7946 0958", london, at("Italia"), "US", false},
		{"011 44 20 7946 0958", london, nil, "", false},
		{"011 44 20 7946 0958", "8~10 44 20 7946 0958", append(at("USA"), at("Россия")...), "", true},
		{"8~10 44 20 7946 0958", london, at("Россия"), "US", true},
		{"0011 44 20 7946 0958", london, at("Australia"), "", true},
		{"0011 44 20 7946 0958", "+44 20 7946 0958", nil, "", true},
		{"010 44 20 7946 0958", "+44 20 7946 0958", nil, "", true},
		{turin, "+44 20 7946", nil, "US", false},
		{turin, "+39 011 44207946", nil, "US", true},
	} {
		same := samePhoneThere(c.records, c.home)
		for _, pair := range [][2]string{{c.a, c.b}, {c.b, c.a}} {
			if got := same(record.Entry{Text: pair[0]}, record.Entry{Text: pair[1]}); got != c.want {
				t.Errorf("%s and %s at %v, user in %q: one number is %v, want %v", pair[0], pair[1], c.records, c.home, got, c.want)
			}
		}
	}
}
