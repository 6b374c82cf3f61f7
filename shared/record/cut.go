package record

import (
	"strings"
	"unicode/utf16"

	"github.com/rivo/uniseg"
)

// Cut shortens a text to a number of UTF-16 units, in which services and databases count, and splits nothing that a reader takes for
// one character, as an emoji made of several.
func Cut(text string, limit int) string { return cut(text, limit, Length) }

// CutBytes shortens a text to a number of bytes in the same way.
func CutBytes(text string, limit int) string {
	return cut(text, limit, func(s string) int { return len(s) })
}

// Length is the length of a text in UTF-16 units.
func Length(text string) int {
	n := 0
	for _, r := range text {
		n += max(utf16.RuneLen(r), 1)
	}
	return n
}

func cut(text string, limit int, length func(string) int) string {
	if length(text) <= limit {
		return text
	}
	room, end, state := limit, 0, -1
	for rest := text; rest != ""; {
		var character string
		if character, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state); length(character) > room {
			break
		}
		room -= length(character)
		end += len(character)
	}
	return strings.TrimSpace(text[:end])
}
