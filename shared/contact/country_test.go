package contact

import (
	"slices"
	"testing"

	"github.com/tandem-sync/tandem/shared/record"
)

func TestCountries_are_found_by_the_names_that_people_write(t *testing.T) {
	t.Parallel()
	for name, code := range map[string]string{
		"Germany": "DE", "Deutschland": "DE", "deutschland ": "DE", "Allemagne": "DE", "Німеччина": "DE", "USA": "US", "U.S.A.": "US", "UK": "GB",
		"Holland": "NL", "Österreich": "AT", "O\u0308sterreich": "AT", "Suisse": "CH", "Україна": "UA", "Ukraine": "UA", "Great Britain": "GB", "DE": "DE", "deu": "DE", "BRD": "DE",
		"Российская Федерация": "RU", "საქართველო": "GE", "Sakartvelo": "GE", "Hrvatska": "HR", "Србија": "RS", "Lietuva": "LT", "Česká republika": "CZ", "ไทย": "TH",
		"Hong Kong": "HK", "Trinidad and Tobago": "TT", "Bosnia": "BA", "Türkiye": "TR", "Turkey": "TR", "Korea": "KR", "Ivory Coast": "CI", "Congo": "",
		"The Netherlands": "NL", "the United States": "US", "Oesterreich": "AT", "Tuerkei": "TR", "Weißrussland": "BY", "Великобританія": "GB", "香港": "HK", "한국": "KR",
		"Korea, Republic of": "KR", "Korea, Democratic People's Republic of": "KP", "Iran, Islamic Republic of": "IR", "Congo, Democratic Republic of the": "CD", "Moldova, Republic of": "MD",
		"North Macedonia": "MK", "Macedonia": "MK", "Slovak Republic": "SK", "Emirates": "AE", "Palestinian Territories": "PS", "The Gambia": "GM", "Taiwan, Province of China": "TW",
		"Ockham": "", "": "", ",": "", "the": "", "Niger": "NE", "Nigeria": "NG", "Guinea": "GN", "Samoa": "WS", "American Samoa": "AS",
	} {
		if got := countryCode(name); got != code {
			t.Errorf("%q is %q, want %q", name, got, code)
		}
	}
	if got := CountryName("FR"); got != "France" {
		t.Errorf("FR is %q", got)
	}
	for _, code := range []string{"", "XX1", "??"} {
		if got := CountryName(code); got != "" {
			t.Errorf("%q is %q", code, got)
		}
	}
	for _, c := range [][2]string{{"Deutschland", "Germany"}, {"USA", "United States"}, {"United States", "USA"}, {"England", "United Kingdom"}, {"Holland", "Netherlands"}} {
		if !slices.Contains(CountrySpellings(c[0]), c[1]) {
			t.Errorf("%s is not looked for as %s: %q", c[0], c[1], CountrySpellings(c[0]))
		}
	}
	address := func(country string) record.Entry {
		return record.Entry{Parts: map[string]string{Street: "1 Pier", Country: country}}
	}
	f, _ := Schema.Field(Addresses)
	if f.Key(address("Germany")) != f.Key(address("Deutschland")) || f.Key(address("Germany")) == f.Key(address("France")) {
		t.Error("an address is told apart by the language of its country, or not by its country")
	}
}
