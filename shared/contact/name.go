package contact

import (
	"slices"
	"strings"
	"unicode"

	"github.com/tandem-sync/tandem/shared/record"
)

// near is the similarity above which two words are taken for spellings of one name.
const near = 0.86

// contradict tells whether two names cannot be the same person: both are there, in one script, and no word of one is
// near a word of the other, not even as an initial. Names in two scripts never contradict.
func contradict(a, b record.Fields) bool {
	x, y := nameTokens(a), nameTokens(b)
	if len(x) == 0 || len(y) == 0 || script(x) != script(y) {
		return false
	}
	return len(rest(x, y)) == len(x)
}

// diverge tells whether two names may be those of two people who share a part of it: each has a word that is no spelling
// of any of the other's.
func diverge(a, b record.Fields) bool {
	x, y := nameTokens(a), nameTokens(b)
	if len(x) == 0 || len(y) == 0 || script(x) != script(y) {
		return false
	}
	return len(rest(x, y)) > 0 && len(rest(y, x)) > 0
}

// rest are the words of a name that are near none of another's.
func rest(words, others []string) []string {
	return slices.DeleteFunc(slices.Clone(words), func(p string) bool {
		return slices.ContainsFunc(others, func(q string) bool {
			return isInitial(p, q) || isInitial(q, p) || similarity(p, q) >= near
		})
	})
}

func isInitial(short, long string) bool {
	return len([]rune(short)) == 1 && strings.HasPrefix(long, short)
}

// script names the script of the first letter.
func script(tokens []string) string {
	for _, r := range tokens[0] {
		for _, name := range []string{"Latin", "Cyrillic", "Greek", "Arabic", "Hebrew", "Han", "Hiragana", "Katakana", "Hangul", "Thai", "Devanagari"} {
			if unicode.Is(unicode.Scripts[name], r) {
				return name
			}
		}
	}
	return ""
}

// similarity is the Jaro-Winkler similarity of two words, by characters: 1 for equal, 0 for nothing in common.
func similarity(a, b string) float64 {
	x, y := []rune(a), []rune(b)
	if len(x) == 0 || len(y) == 0 {
		return 0
	}
	j := jaro(x, y)
	prefix := 0
	for prefix < min(4, len(x), len(y)) && x[prefix] == y[prefix] {
		prefix++
	}
	return j + float64(prefix)*0.1*(1-j)
}

func jaro(x, y []rune) float64 {
	window := max(max(len(x), len(y))/2-1, 0)
	matchedX, matchedY := make([]bool, len(x)), make([]bool, len(y))
	matches := 0
	for i := range x {
		for j := max(0, i-window); j < min(len(y), i+window+1); j++ {
			if !matchedY[j] && x[i] == y[j] {
				matchedX[i], matchedY[j] = true, true
				matches++
				break
			}
		}
	}
	if matches == 0 {
		return 0
	}
	swapped, j := 0, 0
	for i := range x {
		if !matchedX[i] {
			continue
		}
		for !matchedY[j] {
			j++
		}
		if x[i] != y[j] {
			swapped++
		}
		j++
	}
	m := float64(matches)
	return (m/float64(len(x)) + m/float64(len(y)) + (m-float64(swapped)/2)/m) / 3
}

func sameName(a, b record.Fields) bool {
	x, y := nameTokens(a), nameTokens(b)
	return len(x) > 0 && slices.Equal(x, y)
}

// nameTokens are the words of a name in alphabetical order, since people disagree which comes first.
func nameTokens(f record.Fields) []string {
	tokens := strings.Fields(record.Fold(f.Text(GivenName) + " " + f.Text(MiddleName) + " " + f.Text(Surname)))
	slices.Sort(tokens)
	return tokens
}
