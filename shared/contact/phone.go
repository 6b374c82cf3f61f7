package contact

import (
	"cmp"
	"hash/maphash"
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
	for _, r := range strings.ToUpper(norm.NFKC.String(visible(number))) {
		switch {
		case unicode.IsDigit(r):
			// A digit of another script is that digit.
			b.WriteString(cmp.Or(phonenumbers.NormalizeDigitsOnly(string(r)), string(r)))
		case unicode.IsLetter(r) || strings.ContainsRune("+*#,;", r):
			b.WriteRune(r)
		}
	}
	if b.Len() == 0 {
		return strings.Join(strings.Fields(norm.NFC.String(number)), " ")
	}
	return b.String()
}

func parsePhone(number string) (*phonenumbers.PhoneNumber, bool) {
	number = strings.Join(strings.Fields(norm.NFKC.String(visible(number))), " ")
	if strings.HasPrefix(number, "00") {
		number = "+" + number[2:]
	}
	if !strings.HasPrefix(number, "+") {
		return nil, false
	}
	n, err := phonenumbers.Parse(number, phonenumbers.UNKNOWN_REGION)
	if err != nil {
		return nil, false
	}
	const mexico, mobile = 52, 10_000_000_000
	if national := n.GetNationalNumber(); n.GetCountryCode() == mexico && national/mobile == 1 {
		// Until 2019 a 1 stood before the numbers of mobiles for callers from abroad.
		n.NationalNumber = new(national % mobile)
	}
	return n, true
}

// foreignPrefixes are what people dial before the code of a country: in North America, in Russia and Kazakhstan, and in
// Japan. The same digits begin numbers elsewhere, as 011 those of Turin.
var foreignPrefixes = []string{"011", "810", "010"}

// dialledAbroad tells whether a number is another one that names its country, with a foreign prefix in the place of the plus.
func dialledAbroad(n *phonenumbers.PhoneNumber, other string) bool {
	digits := phonenumbers.NormalizeDigitsOnly(norm.NFKC.String(visible(other)))
	for _, prefix := range foreignPrefixes {
		rest, ok := strings.CutPrefix(digits, prefix)
		if o, parsed := parsePhone("+" + rest); ok && parsed && phonenumbers.IsNumberMatchWithNumbers(n, o) == phonenumbers.EXACT_MATCH {
			return true
		}
	}
	return false
}

// significant digits are enough to be one subscriber.
const significant = 9

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

// dialled are the digits of a number without its extension. A letter is the digit on its key.
func dialled(number string) string {
	if n, ok := parsePhone(number); ok {
		number = phonenumbers.Format(n, phonenumbers.E164)
	} else {
		number = phonenumbers.EXTN_PATTERN.ReplaceAllString(strings.TrimSpace(norm.NFKC.String(visible(number))), "")
	}
	digits := phonenumbers.NormalizeDigitsOnly(number)
	if len(digits) >= lettered {
		digits = phonenumbers.NormalizeDigitsOnly(phonenumbers.ConvertAlphaCharactersInNumber(number))
	}
	return digits
}

// lettered is how many digits a number that is written with letters has at least: a prefix as 1-800.
const lettered = 4

// lastDigits are those that a number has in common with itself in any other form.
func lastDigits(e record.Entry) string {
	const some = 5
	digits := dialled(e.Text)
	return digits[max(0, len(digits)-some):]
}

// samePhone tells whether one number is the other one without its country code, or with the prefix of calls abroad. The number that
// names its country confirms that; where none does, a number that is the same but for the prefix and the country.
func samePhone(a, b record.Entry) bool {
	n, first := parsePhone(a.Text)
	o, second := parsePhone(b.Text)
	switch {
	case first && second:
		return false
	case first:
		return dialledAbroad(n, b.Text) || isNational(n, b.Text)
	case second:
		return dialledAbroad(o, a.Text) || isNational(o, a.Text)
	default:
		return abroadAndNational(a.Text, b.Text) || abroadAndNational(b.Text, a.Text)
	}
}

// abroadAndNational tells whether a number with the prefix of calls abroad is another one within its country.
func abroadAndNational(abroad, national string) bool {
	digits := phonenumbers.NormalizeDigitsOnly(norm.NFKC.String(visible(abroad)))
	return slices.ContainsFunc(foreignPrefixes, func(prefix string) bool {
		rest, ok := strings.CutPrefix(digits, prefix)
		n, parsed := parsePhone("+" + rest)
		return ok && parsed && phonenumbers.IsValidNumber(n) && isNational(n, national)
	})
}

// isNational tells whether a number is another one, which names its country, as it is written there.
func isNational(n *phonenumbers.PhoneNumber, other string) bool {
	region := phonenumbers.GetRegionCodeForCountryCode(int(n.GetCountryCode()))
	o, err := phonenumbers.Parse(other, region)
	return err == nil && phonenumbers.IsNumberMatchWithNumbers(n, o) == phonenumbers.EXACT_MATCH
}
