package contact

import (
	"cmp"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

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
