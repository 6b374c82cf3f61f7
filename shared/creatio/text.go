package creatio

import (
	"strings"
	"unicode/utf8"
)

// Cut shortens a text to a number of UTF-16 units, in which databases count, without splitting a character.
func Cut(text string, limit int) string {
	units := 0
	for i, r := range text {
		n := 1
		if r > 0xFFFF {
			n = 2
		}
		if units += n; units > limit {
			return strings.TrimSpace(text[:i])
		}
	}
	return text
}

// Length is the length of a text in UTF-16 units.
func Length(s string) int {
	n := utf8.RuneCountInString(s)
	for _, r := range s {
		if r > 0xFFFF {
			n++
		}
	}
	return n
}
