package contact

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tandem-sync/tandem/shared/record"
)

func field(t interface{ Fatalf(string, ...any) }, name string) record.Field {
	f, ok := Schema.Field(name)
	if !ok {
		t.Fatalf("the schema has no field %s", name)
	}
	return f
}

func place(street, zip, city, region, country string) record.Entry {
	e := record.Entry{Parts: map[string]string{}}
	for k, v := range map[string]string{Street: street, Zip: zip, City: city, Region: region, Country: country} {
		if v != "" {
			e.Parts[k] = v
		}
	}
	return e
}

func TestEmailKey_tells_addresses_apart_as_mail_services_do(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"anna@example.com":                     "anna@example.com",
		" Anna.Meyer@Example.COM ":             "anna.meyer@example.com",
		"anna+news@example.com":                "anna+news@example.com",
		"a.n.n.a@example.com":                  "a.n.n.a@example.com",
		"anna@bücher.example":                  "anna@xn--bcher-kva.example",
		"anna@BÜCHER.example":                  "anna@xn--bcher-kva.example",
		"anna@bu\u0308cher.example":            "anna@xn--bcher-kva.example",
		"anna@xn--bcher-kva.example":           "anna@xn--bcher-kva.example",
		"josé@example.com":                     "josé@example.com",
		"jose\u0301@example.com":               "josé@example.com",
		"no address at all":                    "no address at all",
		"anna@not a domain":                    "anna@not a domain",
		"anna@":                                "anna@",
		"":                                     "",
		"two  spaces@example.com":              "two spaces@example.com",
		"ΑΝΝΑ@example.com":                     "αννα@example.com",
		"user@sub.domain.EXAMPLE":              "user@sub.domain.example",
		"anna@exam_ple.com":                    "anna@exam_ple.com",
		"\tanna@example.com\n":                 "anna@example.com",
		"\u200banna@\u200dexample.com\ufeff":   "anna@example.com",
		"\u200e\u200f":                         "\u200e\u200f",
		"Anna Meyer <Anna@example.com>":        "anna@example.com",
		"quoted\"at@\"local@Example.com":       "quoted\"at@\"local@example.com",
		"anna@EXAMPLE.com.":                    "anna@example.com",
		"anna @ example.com, ":                 "anna@example.com",
		"anna@example.com (private)":           "anna@example.com",
		"'anna@example.com'":                   "anna@example.com",
		"anna\uff20example.com":                "anna@example.com",
		"mailto:Anna%20%3Canna@example.com%3E": "anna@example.com",
		"anna@\uff45\uff58ample.com":           "anna@example.com",
		"very.long.local.part@example.info":    "very.long.local.part@example.info",
		"info@σίσυφος.example":                 "info@xn--kxa6ajbbmh.example",
		"a@نامه\u200cای.example":               "a@xn--mgba3gch31f060k.example",
		"a@نامهای.example":                     "a@xn--mgba3gch31f.example",
	} {
		if got := EmailKey(address); got != want {
			t.Errorf("EmailKey(%q) = %q, want %q", address, got, want)
		}
	}
}

func TestPhoneKey_is_the_subscriber_not_the_spelling(t *testing.T) {
	t.Parallel()
	for number, want := range map[string]string{
		"+1 202 555 0100":           "+12025550100",
		"+1 (202) 555-0100":         "+12025550100",
		"+1.202.555.0100":           "+12025550100",
		"0012025550100":             "+12025550100",
		" 00 1 202 555 0100 ":       "+12025550100",
		"＋１ ２０２ ５５５ ０１００":           "+12025550100",
		"+1 202 555 0100 ext. 12":   "+12025550100;ext=12",
		"+1 202 555 0100 x12":       "+12025550100;ext=12",
		"+44 (0)20 7946 0018":       "+442079460018",
		"+44 20 7946 0018":          "+442079460018",
		"020 7946 0018":             "02079460018",
		"(202) 555-0100":            "2025550100",
		"555-0100":                  "5550100",
		"412":                       "412",
		"*100#":                     "*100#",
		"1-800-FLOWERS":             "1800FLOWERS",
		"ask at the desk":           "ASKATTHEDESK",
		"—":                         "—",
		" — ":                       "—",
		"":                          "",
		"+":                         "+",
		"+999 not a number":         "+999NOTANUMBER",
		"\u200e+1 202 555 0100":     "+12025550100",
		"\u202a+12025550100\u202c":  "+12025550100",
		"\u200e+44 (0)20 7946 0018": "+442079460018",
		"٠٢٠ ٧٩٤٦ ٠٠١٨":             "02079460018",
	} {
		if got := PhoneKey(number); got != want {
			t.Errorf("PhoneKey(%q) = %q, want %q", number, got, want)
		}
	}
}

func TestSubscriberKeys_are_what_spellings_of_a_number_have_in_common(t *testing.T) {
	t.Parallel()
	for key, spellings := range map[string][]string{
		"079460018": {
			"+44 20 7946 0018", "+44 (0)20 7946 0018", "0044 20 7946 0018", "020 7946 0018", "(020) 7946-0018 ext. 12", "020 7946 0018 x12",
			"+44 20 7946 0018 ext 7", "\u202a020 7946 0018\u202c", "٠٢٠ ٧٩٤٦ ٠٠١٨", "020 7946 0018 доб. 5",
		},
		"003569377": {"1-800-FLOWERS", "+1-800-FLOWERS", "+1 800 356 9377", "1 (800) 356-9377"},
		"22334455":  {"+47 22 33 44 55", "22 33 44 55", "22334455 ext. 7", "0047 22 33 44 55"},
		"21234567":  {"+32 2 123 45 67", "02 123 45 67", "+370 2 123 4567", "8 212 34567"},
		"5451000":   {"+354 545 1000", "545-1000"},
		"6621234":   {"+43 662 1234", "0662 1234"},
		"":          {"", "412", "*100#", "12345", "ask at the desk", "4711 ext. 123456", "ask Mary Somerville"},
	} {
		for _, number := range spellings {
			if got := SubscriberKeys(number); key == "" && len(got) > 0 || key != "" && !slices.Contains(got, key) {
				t.Errorf("SubscriberKeys(%q) = %q, want %q", number, got, key)
			}
		}
	}
}

func TestWebKey_is_where_an_address_leads(t *testing.T) {
	t.Parallel()
	for key, spellings := range map[string][]string{
		"example.com": {
			"example.com", "Example.COM", "http://example.com", "https://example.com/", "HTTPS://EXAMPLE.com", " https://example.com ", "example.com.",
			"https://example.com:443/", "http://example.com:80",
		},
		"example.com/a/b":             {"example.com/a/b", "https://example.com/a/b/", "http://EXAMPLE.com/a/b"},
		"example.com/A/b":             {"example.com/A/b"},
		"www.example.com":             {"www.example.com"},
		"example.com:8080/x":          {"example.com:8080/x/", "http://example.com:8080/x"},
		"xn--bcher-kva.example":       {"bücher.example", "https://BÜCHER.example/", "http://bu\u0308cher.example", "xn--bcher-kva.example"},
		"example.com/%C3%A4":          {"example.com/ä", "https://example.com/%C3%A4", "//example.com/%c3%a4"},
		"example.com/~a":              {"https://example.com/~a", "https://example.com/%7Ea", "example.com/%7ea"},
		"xn--fa-hia.example":          {"http://faß.example", "FAẞ.example"},
		"fass.example":                {"http://fass.example", "FASS.example"},
		"xn--mgba3gch31f060k.example": {"نامه\u200cای.example"},
		"example.com?q=A&b":           {"https://example.com/?q=A&b", "example.com?q=A&b"},
		"example.com/x#Part":          {"https://example.com/x#Part"},
		"me@example.com/x":            {"https://me@example.com/x"},
		"ftp://example.com/x":         {"ftp://example.com/x"},
		"ask at the desk":             {"ask  at the desk"},
		"http://":                     {"http://"},
		"xn--e1afmkfd.example/%F0%9F": {"http://пример.example/%F0%9F"},
		"":                            {"", "  "},
	} {
		for _, address := range spellings {
			if got := WebKey(address); got != key {
				t.Errorf("WebKey(%q) = %q, want %q", address, got, key)
			}
		}
	}
}

func TestSamePhone_knows_a_number_without_its_country_code(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		a, b string
		want bool
	}{
		{"+44 20 7946 0018", "020 7946 0018", true},
		{"+44 20 7946 0018", "(020) 7946-0018", true},
		{"+1 202 555 0100", "(202) 555-0100", true},
		{"+1 202 555 0100", "1 202 555 0100", true},
		{"+49 30 23125 001", "030 23125001", true},
		{"0049 30 23125 001", "030 23125001", true},
		{"+44 20 7946 0018", "020 7946 0019", false},
		{"+44 20 7946 0018", "7946 0018", false},
		{"+44 20 7946 0018", "+44 20 7946 0018", false}, // of one key already
		{"+44 20 7946 0018", "+1 202 555 0100", false},
		{"020 7946 0018", "020 7946 0018", false},
		{"011 44 20 7946 0018", "020 7946 0018", false}, // no country says what 011 is
		{"8~10 44 20 7946 0018", "(020) 7946-0018", false},
		{"011 44 20 7946 0018", "020 7946 0019", false},
		{"011 44 20", "020", false},
		{"ask", "+44 20 7946 0018", false},
		{"", "+44 20 7946 0018", false},
		{"", "", false},
	} {
		for _, pair := range [][2]string{{tc.a, tc.b}, {tc.b, tc.a}} {
			if got := samePhone(record.Entry{Text: pair[0]}, record.Entry{Text: pair[1]}); got != tc.want {
				t.Errorf("samePhone(%q, %q) = %v, want %v", pair[0], pair[1], got, tc.want)
			}
		}
	}
}

func TestAddressKey_is_one_place(t *testing.T) {
	t.Parallel()
	home := place("Lindenstraße 12", "10969", "Berlin", "", "Germany")
	for name, tc := range map[string]struct {
		other record.Entry
		same  bool
	}{
		"in capitals":            {place("LINDENSTRASSE 12", "10969", "BERLIN", "", "GERMANY"), true},
		"with other punctuation": {place("Lindenstraße, 12.", "10969", "Berlin", "", "Germany"), true},
		"on two lines":           {place("Lindenstraße\n12", "10969", "Berlin", "", "Germany"), true},
		"another number":         {place("Lindenstraße 13", "10969", "Berlin", "", "Germany"), false},
		"without the country":    {place("Lindenstraße 12", "10969", "Berlin", "", ""), false},
		"parts moved":            {place("Lindenstraße 12", "", "10969 Berlin", "", "Germany"), false},
		"nothing":                {record.Entry{}, false},
	} {
		if got := addressKey(home) == addressKey(tc.other); got != tc.same {
			t.Errorf("%s: the same place: %v, want %v", name, got, tc.same)
		}
	}
}

func TestAddresses_without_parts_are_places_of_their_own(t *testing.T) {
	t.Parallel()
	in := record.Fields{Addresses: {{Text: "Lindenstraße 12, Berlin"}, {Text: "Rua da Conceição 41"}, {Text: "🏠"}, {Text: "⛵"}}}
	if diff := cmp.Diff(in, Schema.Clean(in)); diff != "" {
		t.Errorf("addresses got lost:\n%s", diff)
	}
}

func TestDisplayName_is_what_a_person_calls_the_contact(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]record.Fields{
		"Anna Maria Meyer":   {GivenName: {{Text: "Anna"}}, MiddleName: {{Text: "Maria"}}, Surname: {{Text: "Meyer"}}, Company: {{Text: "Acme"}}},
		"Meyer":              {Surname: {{Text: " Meyer "}}},
		"Acme":               {GivenName: {{Text: " "}}, Company: {{Text: "Acme"}}, Emails: {{Text: "a@example.com"}}},
		"a@example.com":      {Emails: {{Text: "a@example.com"}}, Phones: {{Text: "+1 202 555 0100"}}},
		"+1 202 555 0100":    {Phones: {{Text: "+1 202 555 0100"}}},
		"(no name)":          {Notes: {{Text: "who?"}}},
		"b@example.com":      {Emails: {{Text: "b@example.com"}, {Text: "c@example.com"}}},
		"Prince":             {GivenName: {{Text: "Prince"}}, Salutation: {{Text: "Dr."}}},
		"王 伟":                {GivenName: {{Text: "王"}}, Surname: {{Text: "伟"}}},
		"de la Cruz y Ortiz": {Surname: {{Text: "de la Cruz y Ortiz"}}},
	} {
		if got := Title(f); got != want {
			t.Errorf("Title(%v) = %q, want %q", f, got, want)
		}
	}
	if got := Title(nil); got != "(no name)" {
		t.Errorf("nobody is called %q", got)
	}
}

func TestField_Same_sees_what_a_person_sees(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		field string
		a, b  record.Entry
		want  bool
	}{
		"white space nobody sees":           {JobTitle, record.Entry{Text: " Head  of\tSales "}, record.Entry{Text: "Head of Sales"}, true},
		"one character in two codings":      {Surname, record.Entry{Text: "Mu\u0308ller"}, record.Entry{Text: "Müller"}, true},
		"case":                              {Surname, record.Entry{Text: "meyer"}, record.Entry{Text: "Meyer"}, false},
		"accents":                           {Surname, record.Entry{Text: "Muller"}, record.Entry{Text: "Müller"}, false},
		"line ends of two systems":          {Notes, record.Entry{Text: "a\r\nb \n"}, record.Entry{Text: "a\nb"}, true},
		"a line break in notes":             {Notes, record.Entry{Text: "a\nb"}, record.Entry{Text: "a b"}, false},
		"an empty line in notes":            {Notes, record.Entry{Text: "a\n\nb"}, record.Entry{Text: "a\nb"}, false},
		"indentation in notes":              {Notes, record.Entry{Text: "a\n  b"}, record.Entry{Text: "a\nb"}, false},
		"a line break elsewhere":            {JobTitle, record.Entry{Text: "a\nb"}, record.Entry{Text: "a b"}, true},
		"the label":                         {Phones, record.Entry{Kind: KindWork, Text: "1"}, record.Entry{Kind: KindHome, Text: "1"}, false},
		"the spelling of a number":          {Phones, record.Entry{Text: "+1 202 555 0100"}, record.Entry{Text: "+12025550100"}, false},
		"a part that is empty":              {Addresses, record.Entry{Parts: map[string]string{City: "Bonn", Zip: " "}}, record.Entry{Parts: map[string]string{City: "Bonn"}}, true},
		"a part more":                       {Addresses, record.Entry{Parts: map[string]string{City: "Bonn", Zip: "1"}}, record.Entry{Parts: map[string]string{City: "Bonn"}}, false},
		"a value in another part":           {Addresses, record.Entry{Parts: map[string]string{City: "Bonn"}}, record.Entry{Parts: map[string]string{Region: "Bonn"}}, false},
		"no parts and empty parts":          {Addresses, record.Entry{Parts: map[string]string{}}, record.Entry{}, true},
		"an address in a text and in parts": {Addresses, record.Entry{Text: "Bonn"}, record.Entry{Parts: map[string]string{Street: "Bonn"}}, false},
	} {
		if got := field(t, tc.field).Same(tc.a, tc.b); got != tc.want {
			t.Errorf("%s: same is %v, want %v", name, got, tc.want)
		}
	}
}

func TestField_Show_writes_values_for_a_person(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		field   string
		entries []record.Entry
		want    string
	}{
		"nothing":     {Surname, nil, ""},
		"one text":    {Surname, []record.Entry{{Text: "Meyer"}}, "Meyer"},
		"with labels": {Phones, []record.Entry{{Kind: KindWork, Text: "1"}, {Text: "2"}}, "1 (work); 2"},
		"an address": {
			Addresses,
			[]record.Entry{{Kind: KindHome, Parts: map[string]string{Country: "Germany", City: "Berlin", Zip: "10969", Street: " Lindenstraße\n12 "}}},
			"Lindenstraße 12, 10969, Berlin, Germany (home)",
		},
		"an address with a region": {Addresses, []record.Entry{place("", "", "Boston", "Massachusetts", "")}, "Boston, Massachusetts"},
		"an address as a text":     {Addresses, []record.Entry{{Text: "by the harbor", Parts: map[string]string{City: "Boston"}}}, "by the harbor"},
	} {
		if got := field(t, tc.field).Show(tc.entries); got != tc.want {
			t.Errorf("%s: shows %q, want %q", name, got, tc.want)
		}
	}
}

func TestSchema_Clean_keeps_each_value_once_and_nothing_else(t *testing.T) {
	t.Parallel()
	got := Schema.Clean(record.Fields{
		"shoeSize":  {{Text: "39"}},
		Surname:     {{Text: " "}, {Text: "Meyer"}, {Text: "Smith"}},
		GivenName:   {{Text: ""}},
		MiddleName:  {},
		Emails:      {{Text: "a@example.com"}, {Kind: KindHome, Text: "A@Example.com"}, {Text: "b@example.com"}, {Kind: KindWork}},
		Phones:      {{Kind: KindWork, Text: "+1 202 555 0100"}, {Kind: KindHome, Text: "0012025550100"}, {Text: "(202) 555-0100"}, {Text: "(202) 555-0101"}},
		Addresses:   {{Kind: KindHome, Parts: map[string]string{City: " "}}, place("A 1", "", "Bonn", "", ""), place("a 1", "", "BONN", "", "")},
		Notes:       {{Text: "\n \r\n"}},
		Salutation:  nil,
		"unknown  ": {{Text: "x"}},
	})
	want := record.Fields{
		Surname:   {{Text: "Meyer"}},
		Emails:    {{Text: "a@example.com"}, {Text: "b@example.com"}},
		Phones:    {{Kind: KindWork, Text: "+1 202 555 0100"}, {Text: "(202) 555-0101"}},
		Addresses: {place("A 1", "", "Bonn", "", "")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("clean content (-want +got):\n%s", diff)
	}
}

func TestSchema_Equal_compares_sets_in_any_order(t *testing.T) {
	t.Parallel()
	one := record.Fields{Surname: {{Text: "Meyer"}}, Emails: {{Text: "a@example.com"}, {Text: "b@example.com"}}}
	for name, tc := range map[string]struct {
		other record.Fields
		want  bool
	}{
		"itself":                {one, true},
		"another order":         {record.Fields{Surname: {{Text: "Meyer "}}, Emails: {{Text: "b@example.com"}, {Text: "a@example.com"}}}, true},
		"an unknown field more": {record.Fields{Surname: {{Text: "Meyer"}}, Emails: one[Emails], "shoeSize": {{Text: "39"}}}, true},
		"an empty field more":   {record.Fields{Surname: {{Text: "Meyer"}}, Emails: one[Emails], Notes: {}}, true},
		"one address twice":     {record.Fields{Surname: {{Text: "Meyer"}}, Emails: {{Text: "a@example.com"}, {Text: "a@example.com"}}}, false},
		"one address less":      {record.Fields{Surname: {{Text: "Meyer"}}, Emails: {{Text: "a@example.com"}}}, false},
		"another spelling":      {record.Fields{Surname: {{Text: "Meyer"}}, Emails: {{Text: "A@example.com"}, {Text: "b@example.com"}}}, false},
		"a field less":          {record.Fields{Emails: one[Emails]}, false},
		"nothing":               {nil, false},
	} {
		if got := Schema.Equal(one, tc.other); got != tc.want {
			t.Errorf("%s: equal is %v, want %v", name, got, tc.want)
		}
		if got := Schema.Equal(tc.other, one); got != tc.want {
			t.Errorf("%s, the other way: equal is %v, want %v", name, got, tc.want)
		}
	}
}

func TestFields_are_read_and_set_one_by_one(t *testing.T) {
	t.Parallel()
	f := record.Fields{}
	f.SetText(Surname, "Meyer")
	if got := f.Text(Surname); got != "Meyer" {
		t.Errorf("the surname is %q", got)
	}
	copied := f.Clone()
	copied[Surname][0].Text = "Smith"
	f.SetText(GivenName, "")
	f.SetText(Surname, "")
	if len(f) != 0 {
		t.Errorf("emptied fields stay: %v", f)
	}
	if diff := cmp.Diff(record.Fields{Surname: {{Text: "Smith"}}}, copied); diff != "" {
		t.Errorf("the copy changed with the original:\n%s", diff)
	}
	if !f.One(Surname).IsZero() {
		t.Error("a missing field has a value")
	}
}

func TestEvery_field_has_a_name_a_label_and_a_key(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, f := range Schema {
		if f.Name == "" || f.Label == "" || f.Key == nil || seen[f.Name] {
			t.Errorf("field %q with label %q is not whole, or there twice", f.Name, f.Label)
		}
		seen[f.Name] = true
	}
	if _, ok := Schema.Field("shoeSize"); ok {
		t.Error("an unknown field is found")
	}
	for _, s := range record.Sides {
		if s.Other() == s || s.Other().Other() != s {
			t.Errorf("%s is its own opposite", s)
		}
	}
}
