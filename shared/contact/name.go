package contact

import (
	"slices"
	"strings"
	"unicode"

	"github.com/mozillazg/go-unidecode"

	"github.com/tandem-sync/tandem/shared/match"
	"github.com/tandem-sync/tandem/shared/record"
)

// Suffix is what stands after a name and tells a father from his son. Sides that keep it apart from the name hand it over
// among the untracked values.
const Suffix = "suffix"

// Nickname is what people call somebody, which sides that keep it apart from the name hand over in the same way.
const Nickname = "nickname"

// suffixes are the words that tell generations apart, by the word that they mean.
var suffixes = map[string]string{
	"jr": "junior", "jnr": "junior", "junior": "junior", "2nd": "second", "ii": "second", "3rd": "third", "iii": "third", "iv": "fourth", "4th": "fourth",
	"sr": "senior", "snr": "senior", "senior": "senior", "filho": "junior", "hijo": "junior", "fils": "junior", "pere": "senior",
	"мл": "junior", "младший": "junior", "молодший": "junior", "ст": "senior", "старший": "senior",
}

// titles are words beside a name that are no part of it.
var titles = map[string]bool{
	"mr": true, "mrs": true, "ms": true, "miss": true, "mx": true, "dr": true, "prof": true, "professor": true, "sir": true, "dame": true,
	"herr": true, "frau": true, "dipl": true, "ing": true, "mag": true, "mme": true, "mlle": true, "sra": true, "dott": true,
	"phd": true, "md": true, "mba": true, "esq": true, "msc": true, "bsc": true, "cpa": true, "пан": true, "пані": true,
}

// name is a person's name as it is compared.
type name struct {
	words []word
	// suffix is the generation, empty where the name does not say.
	suffix string
}

// word is one word of a name in its spellings: as it is without accents, and with the letters that people write in their
// place (Müller is Muller and Mueller).
type word struct{ plain, spelled string }

// nameOf is the name of a record. One that only repeats the record's company, address or number is none.
func nameOf(it match.Item) name {
	var n name
	whole := ""
	for _, part := range []string{GivenName, MiddleName, Surname} {
		text := it.Fields.Text(part)
		whole += " " + text
		plain, spelled := strings.Fields(record.Fold(text)), strings.Fields(record.Fold(spellOut(text)))
		for i, w := range plain {
			n.words = append(n.words, word{plain: w, spelled: spelled[i]})
		}
	}
	if standsIn(record.Fold(whole), it) {
		return name{}
	}
	n.takeSuffix(it.Untracked.Text(Suffix))
	return n.withoutTitles()
}

// spellOut writes the letters that have a spelling of two letters that way.
var spellOut = strings.NewReplacer(
	"ä", "ae", "ö", "oe", "ü", "ue", "å", "aa", "ø", "oe", "Ä", "Ae", "Ö", "Oe", "Ü", "Ue", "Å", "Aa", "Ø", "Oe",
	"a\u0308", "ae", "o\u0308", "oe", "u\u0308", "ue", "a\u030a", "aa", "A\u0308", "Ae", "O\u0308", "Oe", "U\u0308", "Ue", "A\u030a", "Aa",
).Replace

// standsIn tells whether a folded name says only what the record shows elsewhere.
func standsIn(folded string, it match.Item) bool {
	if folded == record.Fold(it.Fields.Text(Company)) {
		return true
	}
	for _, field := range []string{Emails, Phones} {
		for _, e := range it.Fields[field] {
			if folded == record.Fold(e.Text) {
				return true
			}
		}
	}
	return false
}

// takeSuffix takes the generation from the end of the name, or from what stands apart.
func (n *name) takeSuffix(apart string) {
	for _, w := range strings.Fields(record.Fold(apart)) {
		n.suffix = suffixes[w]
	}
	for i := len(n.words) - 1; i > 1; i-- {
		if s := suffixes[n.words[i].plain]; s != "" {
			n.suffix = s
			n.words = slices.Delete(n.words, i, i+1)
		}
	}
}

// withoutTitles is the name without what people put beside it, unless nothing else is there.
func (n name) withoutTitles() name {
	rest := slices.DeleteFunc(slices.Clone(n.words), func(w word) bool { return titles[w.plain] })
	if len(rest) > 0 {
		n.words = rest
	}
	return n
}

func (n name) isEmpty() bool { return len(n.words) == 0 }

// sorted are the words in alphabetical order, since people disagree which comes first, with the generation.
func (n name) sorted(of func(word) string) string {
	out := make([]string, 0, len(n.words)+1)
	for _, w := range n.words {
		out = append(out, of(w))
	}
	slices.Sort(out)
	if n.suffix != "" {
		out = append(out, n.suffix)
	}
	return strings.Join(out, " ")
}

func plain(w word) string   { return w.plain }
func spelled(w word) string { return w.spelled }

// scripts are the scripts of the words.
func (n name) scripts() []string {
	var out []string
	for _, w := range n.words {
		out = append(out, script(w.plain))
	}
	return unique(out)
}

// compareNames tells how likely two names are one person's: every word of the shorter one has to be a spelling, an initial or
// the transliteration of a word of the longer. They are plainly others' where no word is near any of the other's; between two
// scripts nobody can be so sure.
func compareNames(a, b name) match.Verdict {
	short, long := a, b
	if len(short.words) > len(long.words) {
		short, long = long, short
	}
	switch {
	case a.suffix == b.suffix && (covers(long.words, short.words) || joined(a) == joined(b)):
		return match.Same
	case !slices.Equal(a.scripts(), b.scripts()):
		if a.suffix == b.suffix && sounds(joined(a)) == sounds(joined(b)) {
			return match.Same
		}
		return match.Doubtful
	case !slices.ContainsFunc(short.words, func(w word) bool { return slices.ContainsFunc(long.words, func(o word) bool { return near(w, o) }) }):
		return match.Other
	default:
		return match.Doubtful
	}
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
	if script(a.plain) == script(b.plain) {
		return false
	}
	return sounds(a.plain) == sounds(b.plain) || sounds(a.spelled) == sounds(b.spelled)
}

func isInitial(a, b word) bool {
	x, y := a.plain, b.plain
	if script(x) != script(y) {
		x, y = sounds(x), sounds(y)
	}
	short := func(s, l string) bool { return len([]rune(s)) == 1 && strings.HasPrefix(l, s) }
	return short(x, y) || short(y, x)
}

// near tells whether two words may be one that somebody mistyped, or a form of it.
func near(a, b word) bool {
	return sameWord(a, b) || isInitial(a, b) || similarity(a.plain, b.plain) >= nearly
}

// nearly is the similarity from which on two words may be forms of one.
const nearly = 0.86

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

// sounds is a word of any script in Latin letters, with what the usual romanizations spell differently made one. It is
// coarser than a spelling, so only words of two scripts are compared by it.
func sounds(w string) string {
	latin := strings.ToLower(unidecode.Unidecode(modernGreek.Replace(w)))
	latin = strings.Map(func(r rune) rune {
		if r < 'a' || r > 'z' {
			return -1
		}
		return r
	}, latin)
	return withoutRepetition(romanizations.Replace(latin))
}

// modernGreek are the letters that are pronounced otherwise than those of the ancient language (ISO 843 transcription).
var modernGreek = strings.NewReplacer("ου", "ou", "η", "i", "β", "v", "υ", "y")

// romanizations are the spellings that the national, scientific and passport romanizations of Cyrillic and Greek names give one
// letter (ISO 9, BGN/PCGN, ICAO Doc 9303). Of several that fit, the first in this list is taken.
var romanizations = strings.NewReplacer(
	"shch", "S", "schtsch", "S", "stsch", "S", "sch", "S", "sh", "S", "tsch", "C", "tch", "C", "ch", "C", "cz", "C", "zh", "Z",
	"kh", "h", "gh", "h", "g", "h", "tz", "s", "ts", "s", "c", "s", "ph", "f", "th", "t", "ck", "k", "ks", "x",
	"yu", "u", "iu", "u", "ju", "u", "yo", "o", "jo", "o", "ye", "e", "ie", "e", "je", "e",
	"iya", "a", "ija", "a", "iia", "a", "ya", "a", "ja", "a", "ia", "a",
	"iy", "i", "ii", "i", "yy", "i", "ij", "i", "yj", "i", "y", "i", "j", "i", "w", "v", "q", "k", "ou", "u",
)

// withoutRepetition writes letters that come twice in a row once.
func withoutRepetition(s string) string {
	var b strings.Builder
	var last rune
	for _, r := range s {
		if r != last {
			b.WriteRune(r)
		}
		last = r
	}
	return b.String()
}
