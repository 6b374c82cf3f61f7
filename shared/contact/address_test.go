package contact

import (
	"testing"

	"github.com/tandem-sync/tandem/shared/record"
)

func TestAn_edited_address_keeps_what_its_side_cannot_hold(t *testing.T) {
	t.Parallel()
	address := func(street, zip, city, country string) record.Entry {
		parts := map[string]string{}
		for part, text := range map[string]string{Street: street, Zip: zip, City: city, Country: country} {
			if text != "" {
				parts[part] = text
			}
		}
		return record.Entry{Kind: KindHome, Parts: parts}
	}
	agreed := address("1 Pier", "Z1", "Ockham", "United Kingdom")
	shown := address("1 Pier, Ockham", "Z1", "", "United Kingdom")
	for name, c := range map[string]struct{ now, want record.Entry }{
		"another zip":                         {address("1 Pier, Ockham", "Z2", "", "United Kingdom"), address("1 Pier", "Z2", "Ockham", "United Kingdom")},
		"another street before the city":      {address("2 Pier, Ockham", "Z1", "", "United Kingdom"), address("2 Pier", "Z1", "Ockham", "United Kingdom")},
		"no street before the city":           {address("Ockham", "Z1", "", "United Kingdom"), address("", "Z1", "Ockham", "United Kingdom")},
		"the country is taken away":           {address("1 Pier, Ockham", "Z1", "", ""), address("1 Pier", "Z1", "Ockham", "")},
		"the city moves to its place":         {address("1 Pier", "Z1", "Ockham", "United Kingdom"), address("1 Pier", "Z1", "Ockham", "United Kingdom")},
		"another city in its place":           {address("1 Pier, Ockham", "Z1", "Ripley", "United Kingdom"), address("1 Pier", "Z1", "Ripley", "United Kingdom")},
		"another text without the city":       {address("5 Hill, Ripley", "Z1", "", "United Kingdom"), address("5 Hill, Ripley", "Z1", "", "United Kingdom")},
		"another address of the same country": {address("5 Hill", "Z5", "", "United Kingdom"), address("5 Hill", "Z5", "", "United Kingdom")},
	} {
		f, _ := Schema.Field(Addresses)
		if got, _ := editedAddress(agreed, shown, c.now); !f.Same(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
	// Nothing is left of an address of which only the country is the same.
	long := address("1 Pier", "a code that a column has no room for", "", "United Kingdom")
	if e, weight := editedAddress(long, address("1 Pier", "", "", "United Kingdom"), address("9 Quay", "", "", "United Kingdom")); weight != 0 {
		t.Errorf("another address was taken for an edit: %v", e)
	}
}
