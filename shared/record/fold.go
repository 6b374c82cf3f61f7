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

// apostrophes are what people type for the apostrophe inside a word, typographic and modifier letters included. A word stays
// one word whichever of them it is written with, or with none.
const apostrophes = "'\u2018\u2019\u201b\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u02c8\u0060\u00b4\u2032\u2035\uff07\u055a\u05f3\ua78c"

// wholeLetters are letters with a mark that Unicode does not take apart
// (https://www.unicode.org/reports/tr15/#Design_Goals), as they are written where a keyboard lacks them, and the letters of Arabic
// keyboards that stand for one.
var wholeLetters = map[rune]string{
	'ł': "l", 'ø': "o", 'đ': "d", 'ı': "i", 'ħ': "h", 'ŧ': "t", 'ŋ': "n", 'ð': "d", 'þ': "th", 'æ': "ae", 'œ': "oe",
	'ی': "ي", 'ى': "ي", 'ک': "ك", 'ة': "ه",
	'ƒ': "f", 'ɓ': "b", 'ɗ': "d", 'ƙ': "k", 'ə': "e", 'ɨ': "i", 'ŀ': "l", 'ĸ': "k", 'ʒ': "z", 'ŉ': "n",
}

// Fold brings a text to the form in which spellings of one name are equal: without case, accents and
// punctuation, words apart by one space. It keeps every script. A mark that makes another letter, as the voicing marks of
// kana and the vowels of Indian scripts do, is kept.
func Fold(s string) string {
	var b strings.Builder
	gap, last := false, rune(0)
	for _, r := range norm.NFKD.String(cases.Fold().String(norm.NFKD.String(s))) {
		switch {
		case isAccent(r) && !isLetter(last, r) || strings.ContainsRune(apostrophes, r) || unicode.Is(unicode.Cf, r) && !strings.ContainsRune(zeroWidthGaps, r):
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r):
			if gap && b.Len() > 0 {
				b.WriteByte(' ')
			}
			gap = false
			if plain, ok := wholeLetters[r]; ok {
				b.WriteString(plain)
			} else {
				b.WriteRune(r)
			}
		default:
			gap = true
		}
		last = r
	}
	return letters.Replace(b.String())
}

// letters are those of isLetter as one.
var letters = strings.NewReplacer("и\u0306", "й", "у\u0306", "ў", "і\u0308", "ї")

// isLetter reports whether a mark makes another letter of the one before it: й is no и, and ї no і. Between ё and е people make no
// difference.
func isLetter(of, mark rune) bool {
	switch mark {
	case '\u0306':
		return of == 'и' || of == 'у'
	case '\u0308':
		return of == 'і'
	default:
		return false
	}
}

// isAccent reports whether a mark may be left out and the word is still spelled the same: accents of European scripts, and
// the vowel points of Arabic, Hebrew and Syriac, which most texts leave out.
func isAccent(r rune) bool {
	if !unicode.Is(unicode.Mn, r) {
		return false
	}
	return r >= 0x0300 && r <= 0x036f || // Combining Diacritical Marks
		r >= 0x0483 && r <= 0x0487 || // Cyrillic
		r >= 0x0591 && r <= 0x05c7 || // Hebrew points
		r >= 0x0610 && r <= 0x061a || r >= 0x064b && r <= 0x065f || r == 0x0670 || r >= 0x06d6 && r <= 0x06ed || // Arabic
		r >= 0x0711 && r <= 0x074a || // Syriac
		r >= 0x1ab0 && r <= 0x1aff || r >= 0x1dc0 && r <= 0x1dff || r >= 0x20d0 && r <= 0x20ff || r >= 0xfe00 && r <= 0xfe0f || r >= 0xfe20 && r <= 0xfe2f
}
