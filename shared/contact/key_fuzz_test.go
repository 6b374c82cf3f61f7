package contact

import "testing"

// The identity of an address is the identity of itself, and nothing is the identity only of nothing that anybody could see.
func FuzzEmailKey(f *testing.F) {
	for _, seed := range []string{
		"", "ada@example.com", "Ada <ADA@Example.com>", "mailto:ada@weiß.example", "ada@xn--wei-hoa.example", "a.d.a+x@googlemail.com", "@", "a@", "@b", "a@b@c",
		"ada@example.com\u200b", "\u202eada@example.com", "=HYPERLINK(\"x\")", "\xff@\xfe", "ada@example.com.", "\"a b\"@example.com", "<script>@example.com",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		key := EmailKey(address)
		if again := EmailKey(key); again != key {
			t.Errorf("EmailKey(%q) = %q, and again %q", address, key, again)
		}
		for _, spelling := range EmailSpellings(address) {
			if EmailKey(spelling) != key {
				t.Errorf("%q is a spelling of %q, and has another identity", spelling, address)
			}
		}
	})
}

func FuzzWebKey(f *testing.F) {
	for _, seed := range []string{
		"", "example.com", "HTTPS://www.Example.com/", "http://example.com/a?b#c", "javascript:alert(1)", "//x", "http://[::1]:80/", "http://%zz", "\xff", "ftp://a b", "http://weiß.example",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		key := WebKey(address)
		if again := WebKey(key); again != key {
			t.Errorf("WebKey(%q) = %q, and again %q", address, key, again)
		}
	})
}

func FuzzParseBirthday(f *testing.F) {
	for _, seed := range []string{"", "2000-02-29", "1900-02-29", "0000-00-00", "9999-12-31", "-001-01-01", "2000-2-9", "2000-02-29T00:00:00Z", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		// A day without a year is one of a leap year.
		if day, ok := ParseBirthday(text); ok && day.Format("2006-01-02") != text && day.Format("--01-02") != text {
			t.Errorf("%q is read as %s", text, day)
		}
	})
}
