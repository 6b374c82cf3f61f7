package contact

import (
	"slices"
	"strings"
	"unicode"

	"github.com/tandem-sync/tandem/shared/match"
)

// compareNames tells how likely two names are one person's: every word of the shorter one has to be a spelling, an initial or
// the transliteration of a word of the longer. They are plainly others' where no word is near any of the other's; between two
// scripts nobody can be so sure, nor of what people only call somebody.
func compareNames(a, b name) match.Verdict {
	short, long := a, b
	if len(short.words) > len(long.words) {
		short, long = long, short
	}
	switch {
	case agree(a, b, short, long):
		return match.Same
	case !slices.Equal(a.scripts(), b.scripts()), a.nick, b.nick:
		return match.Doubtful
	case !slices.ContainsFunc(short.words, func(w word) bool { return slices.ContainsFunc(long.words, func(o word) bool { return near(w, o) }) }):
		return match.Other
	default:
		return match.Doubtful
	}
}

// agree reports whether two names are one person's, as far as they say.
func agree(a, b, short, long name) bool {
	switch {
	case a.suffix != b.suffix, a.couple != b.couple, a.relation != b.relation, a.gender != unknown && b.gender != unknown && a.gender != b.gender:
		return false
	case joined(a) == joined(b), !slices.Equal(a.scripts(), b.scripts()) && soundAlike(a.whole(), b.whole()):
		return true
	default:
		return covers(long.words, short.words) && isSomebody(short, long) && sameFamily(a, b)
	}
}

// isSomebody reports whether a name that is a part of another one tells who of a family is meant. A last name is that of all of them,
// and initials may be anybody's.
func isSomebody(short, long name) bool {
	if len(short.words) > 1 {
		return sharesJoined(short, long) || slices.ContainsFunc(short.words, func(w word) bool {
			return slices.ContainsFunc(long.words, func(o word) bool { return sameWord(w, o) })
		})
	}
	given, family := long.parts()
	if len(family) == 0 {
		// Never split: the first word is the first name.
		given = given[:1]
	}
	return slices.ContainsFunc(given, func(o word) bool { return sameWord(short.words[0], o) })
}

// sharesJoined reports whether a word of one name is two words of the other.
func sharesJoined(short, long name) bool {
	return slices.ContainsFunc(short.words, func(w word) bool {
		free := slices.Clone(long.words)
		return takeJoined(&free, w)
	})
}

// sameFamily reports whether two names that are both split have a last name in common, perhaps each in the place of the first name.
func sameFamily(a, b name) bool {
	aGiven, aFamily := a.parts()
	bGiven, bFamily := b.parts()
	if len(aGiven) == 0 || len(aFamily) == 0 || len(bGiven) == 0 || len(bFamily) == 0 {
		return true
	}
	return overlap(aFamily, bFamily) || overlap(aFamily, bGiven) && overlap(aGiven, bFamily)
}

// parts are the words of the first and of the last name.
func (n name) parts() (given, family []word) {
	for _, w := range n.words {
		if w.family {
			family = append(family, w)
		} else {
			given = append(given, w)
		}
	}
	return given, family
}

// overlap reports whether a word of one list is in the other, however words are written together.
func overlap(a, b []word) bool {
	x, y := joined(name{words: a}), joined(name{words: b})
	return slices.ContainsFunc(a, func(w word) bool {
		return strings.Contains(y, w.plain) || slices.ContainsFunc(b, func(o word) bool { return sameWord(w, o) || isInitial(w, o) })
	}) || slices.ContainsFunc(b, func(w word) bool { return strings.Contains(x, w.plain) })
}

// covers tells whether each of some words is a word of others, each another one. Whole words are looked for before initials.
func covers(others, words []word) bool {
	free := slices.Clone(others)
	take := func(w word, same func(a, b word) bool) bool {
		i := slices.IndexFunc(free, func(o word) bool { return same(w, o) })
		if i >= 0 {
			free = slices.Delete(free, i, i+1)
		}
		return i >= 0
	}
	left := slices.DeleteFunc(slices.Clone(words), func(w word) bool { return take(w, sameWord) })
	left = slices.DeleteFunc(left, func(w word) bool { return take(w, isInitial) })
	return !slices.ContainsFunc(left, func(w word) bool { return !takeJoined(&free, w) })
}

// takeJoined takes two words that make up one: Jean Pierre and Jeanpierre.
func takeJoined(free *[]word, w word) bool {
	for i := 0; i+1 < len(*free); i++ {
		if (*free)[i].plain+(*free)[i+1].plain == w.plain {
			*free = slices.Delete(*free, i, i+2)
			return true
		}
	}
	return false
}

// joined is the name without spaces, in the order in which it is written: Chinese and Japanese names may have one or none.
func joined(n name) string {
	var b strings.Builder
	for _, w := range n.words {
		b.WriteString(w.plain)
	}
	return b.String()
}

func sameWord(a, b word) bool {
	if a.plain == b.plain || a.plain == b.spelled || a.spelled == b.plain || a.spelled == b.spelled {
		return true
	}
	return script(a.plain) != script(b.plain) && soundAlike(a, b)
}

// isInitial reports whether one word is the first letter of the other one. Where a sign is a syllable it is a word.
func isInitial(a, b word) bool {
	return isInitialOf(a, b) || isInitialOf(b, a)
}

func isInitialOf(short, long word) bool {
	s := script(short.plain)
	if len([]rune(short.plain)) != 1 || s == "Han" || s == "Hiragana" || s == "Katakana" || s == "Hangul" {
		return false
	}
	if s == script(long.plain) {
		return strings.HasPrefix(long.plain, short.plain)
	}
	return slices.ContainsFunc(soundings(short), func(x string) bool {
		return slices.ContainsFunc(soundings(long), func(y string) bool { return strings.HasPrefix(y, x) })
	})
}

// near tells whether two words may be one that somebody mistyped, or a form of it.
func near(a, b word) bool {
	return sameWord(a, b) || isInitial(a, b) || similarity(a.plain, b.plain) >= nearly
}

// nearly is the similarity from which on two words may be forms of one.
const nearly = 0.86

// scripts are the scripts of the words.
func (n name) scripts() []string {
	var out []string
	for _, w := range n.words {
		out = append(out, script(w.plain))
	}
	return unique(out)
}

// inTwoScripts reports whether two names have no script in common.
func inTwoScripts(a, b string) bool {
	x, y := scriptsOf(a), scriptsOf(b)
	return len(x) > 0 && len(y) > 0 && len(shared(x, y)) == 0
}

// scriptsOf are the scripts of the words of a text that have letters.
func scriptsOf(text string) []string {
	var out []string
	for w := range strings.FieldsSeq(text) {
		if s := script(w); s != "" {
			out = append(out, s)
		}
	}
	return unique(out)
}

// script names the script of the first letter.
func script(w string) string {
	for _, r := range w {
		for _, name := range []string{"Latin", "Cyrillic", "Greek", "Arabic", "Hebrew", "Han", "Hiragana", "Katakana", "Hangul", "Thai", "Devanagari", "Georgian", "Armenian"} {
			if unicode.Is(unicode.Scripts[name], r) {
				return name
			}
		}
	}
	return ""
}
