package record

import (
	"cmp"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/net/idna"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// ContactSchema is what Tandem carries of a contact.
var ContactSchema = Schema{
	{Name: GivenName, Label: "First name", Of: "name", Key: textKey},
	{Name: MiddleName, Label: "Middle name", Of: "name", Key: textKey},
	{Name: Surname, Label: "Last name", Of: "name", Key: textKey},
	{Name: Salutation, Label: "Title", Key: textKey},
	{Name: JobTitle, Label: "Job title", Key: textKey},
	{Name: Department, Label: "Department", Key: textKey},
	{Name: Company, Label: "Company", Key: textKey},
	{Name: Birthday, Label: "Birthday", Key: textKey},
	{Name: Skype, Label: "Skype", Key: textKey},
	{Name: Emails, Label: "E-mail", Set: true, Key: func(e Entry) string { return EmailKey(e.Text) }},
	{Name: Phones, Label: "Phone", Set: true, Key: func(e Entry) string { return PhoneKey(e.Text) }, Alike: samePhone},
	{Name: Addresses, Label: "Address", Set: true, Key: addressKey},
	{Name: Websites, Label: "Website", Set: true, Key: func(e Entry) string { return WebKey(e.Text) }},
	{Name: Notes, Label: "Notes", Lines: true, Key: textKey},
}

func textKey(e Entry) string { return e.Text }

// EmailKey is the identity of an e-mail address: lower case, with the domain in its ASCII form. The part before the
// @ is folded too, as every large mail service does; dots in it stay, since only one of them ignores those.
func EmailKey(address string) string {
	address = norm.NFC.String(cases.Fold().String(norm.NFD.String(strings.Join(strings.Fields(visible(address)), " "))))
	local, domain, found := strings.Cut(address, "@")
	if !found {
		return address
	}
	if ascii, err := idna.Lookup.ToASCII(domain); err == nil {
		domain = ascii
	}
	return local + "@" + domain
}

// visible is a text without the characters that show nothing, as marks of direction and soft hyphens, which come along
// where people copy from web pages and messages. A text of nothing else stays as it is.
func visible(s string) string {
	out := strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s)
	return cmp.Or(out, s)
}

// PhoneKey is the identity of a telephone number: E.164 with its extension where the number names its country, else
// the digits and letters as they are, so that a number nobody can parse still is itself.
func PhoneKey(number string) string {
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
	return n, err == nil
}

// significant digits are enough to be one subscriber.
const significant = 9

// SubscriberKey is what spellings of a number have in common that PhoneKey tells apart: its last digits, without the
// country, whatever people write before them, and without an extension. A letter is the digit on its key. It is empty for
// a number that is too short to be one subscriber's.
func SubscriberKey(number string) string {
	if n, ok := parsePhone(number); ok {
		number = phonenumbers.Format(n, phonenumbers.E164)
	} else {
		number = phonenumbers.EXTN_PATTERN.ReplaceAllString(strings.TrimSpace(norm.NFKC.String(visible(number))), "")
	}
	digits := phonenumbers.NormalizeDigitsOnly(number)
	if len(digits) >= lettered {
		digits = phonenumbers.NormalizeDigitsOnly(phonenumbers.ConvertAlphaCharactersInNumber(number))
	}
	if len(digits) < significant {
		return ""
	}
	return digits[len(digits)-significant:]
}

// lettered is how many digits a number that is written with letters has at least: a prefix as 1-800.
const lettered = 4

// samePhone tells whether one number is the other one without its country code.
func samePhone(a, b Entry) bool {
	n, ok := parsePhone(a.Text)
	other := b.Text
	if !ok {
		if n, ok = parsePhone(b.Text); !ok {
			return false
		}
		other = a.Text
	}
	if _, both := parsePhone(other); both {
		return false
	}
	region := phonenumbers.GetRegionCodeForCountryCode(int(n.GetCountryCode()))
	o, err := phonenumbers.Parse(other, region)
	return err == nil && phonenumbers.IsNumberMatchWithNumbers(n, o) == phonenumbers.EXACT_MATCH
}

// addressKey is the identity of an address: its words, whatever the case and the punctuation. One that was never
// taken apart is known by its text, and one without words by its signs.
func addressKey(e Entry) string {
	parts := []string{e.Text, e.Parts[Street], e.Parts[City], e.Parts[Region], e.Parts[Zip], e.Parts[Country]}
	folded := make([]string, len(parts))
	for i, part := range parts {
		folded[i] = Fold(part)
	}
	if strings.Join(folded, "") == "" {
		for i, part := range parts {
			folded[i] = strings.Join(strings.Fields(norm.NFC.String(part)), " ")
		}
	}
	return strings.Join(folded, "|")
}

// zeroWidthGaps are the characters without a width between which words are: the zero width space of scripts that write no
// other, and the non-joiner, which others write as a space.
const zeroWidthGaps = "\u200b\u200c"

// Fold brings a text to the form in which spellings of one name are equal: without case, accents and
// punctuation, words apart by one space. It keeps every script.
func Fold(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range norm.NFKD.String(cases.Fold().String(norm.NFKD.String(s))) {
		switch {
		case unicode.Is(unicode.Mn, r) || r == '\'' || r == '’' || unicode.Is(unicode.Cf, r) && !strings.ContainsRune(zeroWidthGaps, r):
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mc, r):
			if gap && b.Len() > 0 {
				b.WriteByte(' ')
			}
			gap = false
			b.WriteRune(r)
		default:
			gap = true
		}
	}
	return b.String()
}

// DisplayName is what a person calls the contact.
func DisplayName(f Fields) string {
	var parts []string
	for _, name := range []string{GivenName, MiddleName, Surname} {
		if t := strings.TrimSpace(f.Text(name)); t != "" {
			parts = append(parts, t)
		}
	}
	if len(parts) > 0 {
		return strings.Join(parts, " ")
	}
	for _, name := range []string{Company, Emails, Phones} {
		if t := strings.TrimSpace(f.Text(name)); t != "" {
			return t
		}
	}
	return "(no name)"
}
