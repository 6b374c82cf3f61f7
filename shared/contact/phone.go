package contact

import (
	"cmp"
	"hash/maphash"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/text/unicode/norm"

	"github.com/tandem-sync/tandem/shared/record"
)

// PhoneKey is the identity of a telephone number: E.164 with its extension where the number names its country, else
// the digits and letters as they are, so that a number nobody can parse still is itself.
func PhoneKey(number string) string { return knownPhones.of(number) }

// knownPhones remembers the keys of the latest numbers: to parse one takes long, and a merge asks for the same ones many times.
var knownPhones = keyCache{seed: maphash.MakeSeed()}

// keyCache has a place for every hash. What comes later takes the place of what was there.
type keyCache struct {
	seed maphash.Seed
	mu   sync.Mutex
	at   [512]struct{ number, key string }
}

func (c *keyCache) of(number string) string {
	place := &c.at[maphash.String(c.seed, number)%uint64(len(c.at))]
	c.mu.Lock()
	known := *place
	c.mu.Unlock()
	if known.number == number {
		return known.key
	}
	key := phoneKey(number)
	c.mu.Lock()
	defer c.mu.Unlock()
	place.number, place.key = number, key
	return key
}

func phoneKey(number string) string {
	if n, ok := parsePhone(number); ok {
		key := phonenumbers.Format(n, phonenumbers.E164)
		if ext := n.GetExtension(); ext != "" {
			key += ";ext=" + ext
		}
		return key
	}
	var b strings.Builder
	for _, r := range strings.ToUpper(plainNumber(number)) {
		switch {
		case unicode.IsDigit(r):
			// A digit of another script is that digit.
			b.WriteString(cmp.Or(phonenumbers.NormalizeDigitsOnly(string(r)), string(r)))
		case unicode.IsLetter(r) || strings.ContainsRune("+*#,;", r):
			b.WriteRune(r)
		}
	}
	if b.Len() == 0 {
		return strings.Join(strings.Fields(norm.NFC.String(string([]rune(number)))), " ")
	}
	return b.String()
}

func parsePhone(number string) (*phonenumbers.PhoneNumber, bool) {
	number = plainNumber(number)
	dialled := strings.HasPrefix(number, "00")
	if dialled {
		number = "+" + number[2:]
	}
	if !strings.HasPrefix(number, "+") {
		return nil, false
	}
	n, err := phonenumbers.Parse(number, phonenumbers.UNKNOWN_REGION)
	if err != nil {
		return nil, false
	}
	const mobile = 10_000_000_000
	if national := n.GetNationalNumber(); n.GetCountryCode() == mexico && national/mobile == 1 {
		// Until 2019 a 1 stood before the numbers of mobiles for callers from abroad.
		n.NationalNumber = new(national % mobile)
	}
	return n, !dialled || phonenumbers.IsPossibleNumber(n)
}

const mexico = 52

// plainNumber is a number without what shows nothing, and without a remark in brackets behind it.
func plainNumber(number string) string {
	number = strings.Join(strings.Fields(norm.NFKC.String(visible(number))), " ")
	if at := strings.LastIndexByte(number, '('); at > 0 && strings.HasSuffix(number, ")") && !strings.ContainsFunc(number[at:], unicode.IsDigit) &&
		len(phonenumbers.NormalizeDigitsOnly(number[:at])) >= shortest {
		number = strings.TrimSpace(number[:at])
	}
	return number
}

// dialledAbroad tells whether a number is another one that names its country, with what people dial before that in the place of the
// plus: 011 in North America, 8~10 in Russia, 0011 in Australia. The same digits begin numbers elsewhere, as 011 those of Turin, but
// hardly ones that go on as the other number.
func dialledAbroad(n *phonenumbers.PhoneNumber, other string) bool {
	digits, whole := phonenumbers.NormalizeDigitsOnly(plainNumber(other)), strings.TrimPrefix(phonenumbers.Format(n, phonenumbers.E164), "+")
	prefix, ok := strings.CutSuffix(digits, whole)
	if !ok && n.GetCountryCode() == mexico {
		prefix, ok = strings.CutSuffix(digits, "521"+strings.TrimPrefix(whole, "52"))
	}
	return ok && len(prefix) > 1 && n.GetExtension() == "" && phonenumbers.IsValidNumber(n) && foreignPrefix.MatchString(prefix)
}

// foreignPrefix are all prefixes of calls abroad, those that choose a carrier among them
// (https://www.itu.int/en/ITU-T/inr/forms/Pages/dp.aspx).
var foreignPrefix = regexp.MustCompile(`^(00\d{0,3}|011|0011|010|001\d{0,2}|009|119|810|99\d{2}|1[0-9]{2,3}0|8\d{0,2}10)$`)

// abroad is a number that begins with the prefix of calls abroad of a country.
func abroad(number, region string) (*phonenumbers.PhoneNumber, bool) {
	n, err := phonenumbers.ParseAndKeepRawInput(plainNumber(number), region)
	if err != nil || n.GetCountryCodeSource() != phonenumbers.PhoneNumber_FROM_NUMBER_WITH_IDD || !phonenumbers.IsValidNumber(n) {
		return nil, false
	}
	return parsePhone(withExtension(n))
}

// withExtension is a number with its country's code, and with its extension.
func withExtension(n *phonenumbers.PhoneNumber) string {
	number := phonenumbers.Format(n, phonenumbers.E164)
	if ext := n.GetExtension(); ext != "" {
		number += " ext. " + ext
	}
	return number
}

// samePhoneThere compares numbers of a contact with regard to where they are dialled: in the countries of the contact's addresses, else
// in the user's.
func samePhoneThere(records []record.Fields, home string) func(a, b record.Entry) bool {
	regions := regionsOf(records)
	if len(regions) == 0 && home != "" {
		regions = []string{home}
	}
	if len(regions) == 0 {
		return samePhone
	}
	return func(a, b record.Entry) bool {
		if samePhone(a, b) {
			return true
		}
		for _, region := range regions {
			x, y := dialledIn(a, region), dialledIn(b, region)
			if (x.Text != a.Text || y.Text != b.Text) && (PhoneKey(x.Text) == PhoneKey(y.Text) || samePhone(x, y)) {
				return true
			}
		}
		return false
	}
}

// dialledIn is a number with its country's code in the place of the prefix of calls abroad.
func dialledIn(e record.Entry, region string) record.Entry {
	if _, ok := parsePhone(e.Text); ok {
		return e
	}
	if n, ok := abroad(e.Text, region); ok {
		e.Text = withExtension(n)
	}
	return e
}

// regionsOf are the countries of contacts' addresses.
func regionsOf(records []record.Fields) []string {
	var out []string
	for _, f := range records {
		for _, e := range f[Addresses] {
			if code := countryCode(e.Parts[Country]); code != "" {
				out = append(out, code)
			}
		}
	}
	return unique(out)
}

// significant digits are enough to be one subscriber. Shorter numbers have at least shortest.
const (
	significant = 9
	shortest    = 6
)

// SubscriberKey is what spellings of a number have in common that PhoneKey tells apart: its last digits, without the
// country, whatever people write before them, and without an extension. A letter is the digit on its key. It is empty for
// a number that is too short to be one subscriber's.
func SubscriberKey(number string) string {
	digits := dialled(number)
	if len(digits) < significant {
		return ""
	}
	return digits[len(digits)-significant:]
}

// SubscriberKeys are all by which a number is found: beside that key all of its digits where it is shorter in its country, as those of
// small countries and of small towns are.
func SubscriberKeys(number string) []string {
	digits := dialled(number)
	keys := slices.DeleteFunc([]string{SubscriberKey(number)}, func(key string) bool { return key == "" })
	national := strings.TrimLeft(digits, "0")
	if n, ok := parsePhone(number); ok {
		national = phonenumbers.GetNationalSignificantNumber(n)
	} else if len(digits) == significant {
		// What is dialled before a number inside of a country is 0 in most, and 8 in some.
		national = strings.TrimPrefix(national, "8")
	}
	if len(national) >= shortest && len(national) < significant {
		keys = append(keys, national)
	}
	return keys
}

// dialled are the digits of a number without its extension. A letter is the digit on its key.
func dialled(number string) string {
	if n, ok := parsePhone(number); ok {
		number = phonenumbers.Format(n, phonenumbers.E164)
	} else {
		number = phonenumbers.EXTN_PATTERN.ReplaceAllString(plainNumber(number), "")
	}
	digits := phonenumbers.NormalizeDigitsOnly(number)
	if len(digits) >= lettered {
		digits = phonenumbers.NormalizeDigitsOnly(phonenumbers.ConvertAlphaCharactersInNumber(number))
	}
	return digits
}

// lettered is how many digits a number that is written with letters has at least: a prefix as 1-800.
const lettered = 4

// mayBeSamePhone reports, of the keys of two numbers, whether it is worth to look at them: both end alike.
func mayBeSamePhone(a, b string) bool {
	a, _, _ = strings.Cut(a, ";")
	b, _, _ = strings.Cut(b, ";")
	const end = 4
	return len(a) < end || len(b) < end || a[len(a)-end:] == b[len(b)-end:] || strings.ContainsFunc(b+a, unicode.IsLetter)
}

// lastDigits are those that a number has in common with itself in any other form.
func lastDigits(e record.Entry) string {
	const some = 5
	digits := dialled(e.Text)
	return digits[max(0, len(digits)-some):]
}

// samePhone tells whether one number is the other one without its country code, or with the prefix of calls abroad. The number that
// names its country confirms that.
func samePhone(a, b record.Entry) bool {
	if !mayBeSamePhone(PhoneKey(a.Text), PhoneKey(b.Text)) {
		return false
	}
	n, first := parsePhone(a.Text)
	o, second := parsePhone(b.Text)
	switch {
	case first && second:
		return false
	case first:
		return dialledAbroad(n, b.Text) || isNational(n, b.Text)
	case second:
		return dialledAbroad(o, a.Text) || isNational(o, a.Text)
	}
	return false
}

// isNational tells whether a number is another one, which names its country, as it is written there.
func isNational(n *phonenumbers.PhoneNumber, other string) bool {
	region := phonenumbers.GetRegionCodeForCountryCode(int(n.GetCountryCode()))
	other = plainNumber(other)
	if n.GetCountryCode() == mexico {
		other = mexicanPrefix.ReplaceAllString(other, "")
	}
	o, err := phonenumbers.Parse(other, region)
	return err == nil && phonenumbers.IsNumberMatchWithNumbers(n, o) == phonenumbers.EXACT_MATCH
}

// mexicanPrefix is what was dialled before a number inside of Mexico until 2019: 01, and to mobiles 044 or 045.
var mexicanPrefix = regexp.MustCompile(`^(01|044|045)[ .-]*`)
