package contact

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/nyaruka/phonenumbers"
	"pgregory.net/rapid"

	"github.com/tandem-sync/tandem/shared/record"
)

// entries draws values that are alike often enough to meet: the same number, address and text in many spellings.
func entries(f record.Field) *rapid.Generator[record.Entry] {
	texts := []string{"", " ", "a", "A ", "a  b", "a b", "a\nb", "a\r\nb", "é", "e\u0301", "🚤", "—", "- -", "-  -"}
	switch f.Name {
	case Emails:
		texts = append(texts, "a@example.com", "A@Example.com", " a@example.com", "a@BÜCHER.example", "a@bu\u0308cher.example", "a  b@example.com", "a b@example.com")
	case Phones:
		texts = append(texts, "+1 202 555 0100", "+12025550100", "0012025550100", "(202) 555-0100", "+1 202 555 0100 x1", "+44 20 7946 0018",
			"020 7946 0018", "020\u00a07946\t0018", "412", "ask", "ask  me", "٠٢٠ ٧٩٤٦ ٠٠١٨")
	case Websites:
		texts = append(texts, "example.com", "https://Example.com/", "http://example.com/a/", "example.com/a", "bücher.example", "bu\u0308cher.example", "ftp://example.com")
	}
	text := rapid.OneOf(rapid.SampledFrom(texts), rapid.String())
	kind := rapid.SampledFrom([]string{"", KindWork, KindHome})
	return rapid.Custom(func(t *rapid.T) record.Entry {
		e := record.Entry{}
		if f.Set {
			e.Kind = kind.Draw(t, "kind")
		}
		if f.Name == Addresses && rapid.Bool().Draw(t, "in parts") {
			e.Parts = rapid.MapOfN(rapid.SampledFrom([]string{Street, City, Region, Zip, Country}), text, 0, 3).Draw(t, "parts")
			return e
		}
		e.Text = text.Draw(t, "text")
		return e
	})
}

func anyField() *rapid.Generator[record.Field] { return rapid.SampledFrom([]record.Field(Schema)) }

func contents() *rapid.Generator[record.Fields] {
	return rapid.Custom(func(t *rapid.T) record.Fields {
		out := record.Fields{}
		for _, f := range Schema {
			if v := rapid.SliceOfN(entries(f), 0, 4).Draw(t, f.Name); len(v) > 0 {
				out[f.Name] = v
			}
		}
		return out
	})
}

func TestSame_is_reflexive_and_symmetric(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := anyField().Draw(t, "field")
		a, b, c := entries(f).Draw(t, "a"), entries(f).Draw(t, "b"), entries(f).Draw(t, "c")
		if !f.Same(a, a) {
			t.Fatalf("%v differs from itself", a)
		}
		if f.Same(a, b) != f.Same(b, a) {
			t.Fatalf("%v and %v are the same one way only", a, b)
		}
		if f.Same(a, b) && f.Same(b, c) && !f.Same(a, c) {
			t.Fatalf("%v, %v and %v are the same in part", a, b, c)
		}
		if a.Equal(b) && !f.Same(a, b) {
			t.Fatalf("%v and %v are equal but not the same", a, b)
		}
	})
}

// What nobody can tell apart is one value: else a set would hold it twice.
func TestSame_values_of_a_set_have_one_identity(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.SampledFrom(sets()).Draw(t, "field")
		a, b := entries(f).Draw(t, "a"), entries(f).Draw(t, "b")
		if f.Same(a, b) && f.Key(a) != f.Key(b) {
			t.Fatalf("%+v is %q and %+v is %q", a, f.Key(a), b, f.Key(b))
		}
	})
}

func sets() []record.Field {
	var out []record.Field
	for _, f := range Schema {
		if f.Set {
			out = append(out, f)
		}
	}
	return out
}

// Values of one identity are one subscriber, mailbox or place, so they never are alike in the sense that is asked
// of values of two.
func TestAlike_is_symmetric_and_about_two_identities(t *testing.T) {
	t.Parallel()
	f := field(t, Phones)
	rapid.Check(t, func(t *rapid.T) {
		a, b := entries(f).Draw(t, "a"), entries(f).Draw(t, "b")
		if f.Alike(a, b) != f.Alike(b, a) {
			t.Fatalf("%v is like %v one way only", a, b)
		}
		if f.Alike(a, a) {
			t.Fatalf("%v is like itself", a)
		}
	})
}

func TestClean_is_idempotent_and_tells_no_two_values_of_one_identity(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		once := Schema.Clean(contents().Draw(t, "content"))
		if twice := Schema.Clean(once); !Schema.Equal(once, twice) {
			t.Fatalf("%v becomes %v", once, twice)
		}
		for _, f := range Schema {
			seen := map[string]bool{}
			for _, e := range once[f.Name] {
				if f.Empty(e) || seen[f.Key(e)] {
					t.Fatalf("%s keeps %v, which is empty or there already", f.Name, e)
				}
				seen[f.Key(e)] = true
			}
			if !f.Set && len(once[f.Name]) > 1 {
				t.Fatalf("%s has %d values", f.Name, len(once[f.Name]))
			}
			if v, ok := once[f.Name]; ok && len(v) == 0 {
				t.Fatalf("%s is there and empty", f.Name)
			}
		}
	})
}

func TestClean_loses_no_identity(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := contents().Draw(t, "content")
		out := Schema.Clean(in)
		for _, f := range sets() {
			for _, e := range in[f.Name] {
				if !f.Empty(e) && !slices.ContainsFunc(out[f.Name], func(kept record.Entry) bool { return f.Means(kept, e) }) {
					t.Fatalf("%s loses %v", f.Name, e)
				}
			}
		}
	})
}

func TestKeys_are_keys_of_themselves(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		// golang.org/x/text/cases folds each case of Cherokee to the other one.
		foldable := rapid.String().Filter(func(s string) bool {
			return !strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Cherokee, r) })
		})
		text := rapid.OneOf(foldable, rapid.SampledFrom([]string{"Acme™", "ΣΑΣ", "a@BÜCHER.example", "İx", "ǰ", "ﬀ"})).Draw(t, "text")
		if once := record.Fold(text); record.Fold(once) != once {
			t.Fatalf("record.Fold(%q) = %q, and again %q", text, once, record.Fold(once))
		}
		if once := EmailKey(text); EmailKey(once) != once {
			t.Fatalf("EmailKey(%q) = %q, and again %q", text, once, EmailKey(once))
		}
	})
}

// FuzzPhoneKey looks for numbers whose identity depends on white space, or is not the identity of itself.
func FuzzPhoneKey(f *testing.F) {
	for _, seed := range []string{
		"", "+", "++", "+1 202 555 0100", "0012025550100", "+1 202 555 0100 ext. 5", "020 7946 0018", "*100#", "1-800-FLOWERS", "٠٢٠", "—",
		"+44;ext=7", "+1 202 555 0100,,12#", "00", "tel:+12025550100", "\xff\xfe", "+12025550100\u202c",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, number string) {
		key := PhoneKey(number)
		if strings.TrimSpace(number) != "" && key == "" {
			t.Errorf("PhoneKey(%q) is empty", number)
		}
		// A number that nobody can have may lose a trunk prefix each time it is read.
		n, ok := parsePhone(number)
		if again := PhoneKey(key); again != key && ok && phonenumbers.IsValidNumber(n) && n.GetExtension() == "" {
			t.Errorf("PhoneKey(%q) = %q, and again %q", number, key, again)
		}
		phones, _ := Schema.Field(Phones)
		spaced := strings.Map(func(r rune) rune {
			if unicode.IsSpace(r) {
				return ' '
			}
			return r
		}, number)
		if phones.Same(record.Entry{Text: number}, record.Entry{Text: " " + spaced + " "}) && PhoneKey(" "+spaced+" ") != key {
			t.Errorf("PhoneKey(%q) = %q, with spaces %q", number, key, PhoneKey(" "+spaced+" "))
		}
		samePhone(record.Entry{Text: number}, record.Entry{Text: "+44 20 7946 0018"})
	})
}
