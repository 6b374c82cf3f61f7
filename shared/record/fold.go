package record

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

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
