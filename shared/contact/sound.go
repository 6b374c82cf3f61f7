package contact

import (
	"maps"
	"slices"
	"strings"

	"github.com/mozillazg/go-unidecode"
)

// hear writes letters whose marks make another sound as those romanizations do that have no marks.
var hear = strings.NewReplacer(
	"š", "sh", "Š", "Sh", "č", "ch", "Č", "Ch", "ž", "zh", "Ž", "Zh", "ş", "sh", "Ş", "Sh", "ș", "sh", "Ș", "Sh", "ç", "ch", "Ç", "Ch",
	"s\u030c", "sh", "S\u030c", "Sh", "c\u030c", "ch", "C\u030c", "Ch", "z\u030c", "zh", "Z\u030c", "Zh",
).Replace

// The ways in which the romanizations of a script spell a letter. The name of one comes before everything that is spelled in it.
const (
	slavic   = "s:"
	greek    = "g:"
	georgian = "k:"
)

// soundAlike reports whether words of two scripts are one.
func soundAlike(a, b word) bool {
	x := soundings(a)
	return slices.ContainsFunc(soundings(b), func(s string) bool { return slices.Contains(x, s) })
}

// soundings are a word of any script in Latin letters, with what the usual romanizations of a script spell differently made one. That is
// coarser than a spelling, so only words of two scripts are compared by it. A Latin word may come from any script.
func soundings(w word) []string {
	out := make([]string, 0, 3)
	for _, way := range []string{slavic, greek, georgian} {
		if s := sounding(way, w); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// sounding is a word in one of the ways; empty for a word of a script that has another one.
func sounding(way string, w word) string {
	heard := w.heard
	if heard == "" {
		heard = w.plain
	}
	var spelling string
	switch of := script(w.plain); {
	case of == "Greek" && way == greek:
		spelling = greekLetters.Replace(heard)
	case of == "Georgian" && way == georgian:
		spelling = georgianLetters.Replace(heard)
	case of == "Latin", of != "Greek" && of != "Georgian" && way == slavic:
		spelling = unidecode.Unidecode(cyrillicLetters.Replace(heard))
	default:
		return ""
	}
	spelling = strings.Map(func(r rune) rune {
		if r < 'a' || r > 'z' {
			return -1
		}
		return r
	}, strings.ToLower(spelling))
	switch {
	case script(w.plain) == "Greek":
	case way == greek:
		spelling = greekRomanizations.Replace(spelling)
	case way == georgian:
		spelling = georgianRomanizations.Replace(spelling)
	default:
		spelling = romanizations.Replace(spelling)
	}
	if spelling = withoutRepetition(spelling); spelling == "" {
		return ""
	}
	return way + spelling
}

// whole is the name as one word.
func (n name) whole() word {
	var w word
	for _, o := range n.words {
		w.plain += o.plain
		w.spelled += o.spelled
		w.heard += o.heard
	}
	return w
}

// soundKeysOf are the words as they sound, in alphabetical order, in every way that all of them have.
func (n name) soundKeysOf() []string {
	var keys []string
	for _, way := range []string{slavic, greek, georgian} {
		heard := make(map[word]string, len(n.words))
		for _, w := range n.words {
			if heard[w] = sounding(way, w); heard[w] == "" {
				break
			}
		}
		if len(heard) > 0 && !slices.Contains(slices.Collect(maps.Values(heard)), "") {
			keys = append(keys, n.sorted(func(w word) string { return heard[w] }))
		}
	}
	return keys
}

// cyrillicLetters are those for which there is a letter that more romanizations agree on.
var cyrillicLetters = strings.NewReplacer("ђ", "д", "ћ", "ц", "џ", "дж", "йо", "е")

// greekLetters are the letters of the modern language, and those that sound otherwise together (ISO 843, ELOT 743).
var greekLetters = strings.NewReplacer(
	"γιαν", "ian", "για", "ia", "γιο", "io", "γιω", "io", "γιε", "ie",
	"ου", "u", "μπ", "b", "ντ", "d", "γκ", "g", "γγ", "g", "τσ", "s", "τζ", "s", "αυ", "av", "ευ", "ev", "ηυ", "iv", "οι", "i", "ει", "i", "υι", "i", "αι", "e",
	"α", "a", "β", "v", "γ", "g", "δ", "d", "ε", "e", "ζ", "z", "η", "i", "θ", "t", "ι", "i", "κ", "k", "λ", "l", "μ", "m", "ν", "n", "ξ", "x",
	"ο", "o", "π", "p", "ρ", "r", "σ", "s", "ς", "s", "τ", "t", "υ", "i", "φ", "v", "χ", "h", "ψ", "ps", "ω", "o",
)

// greekRomanizations are the spellings of Greek names, with and without regard to how they sound.
var greekRomanizations = strings.NewReplacer(
	"gia", "ia", "gio", "io", "gie", "ie", "ou", "u", "mp", "b", "nt", "d", "gk", "g", "ng", "g", "gh", "g", "ch", "h", "kh", "h", "th", "t", "ph", "v", "dh", "d",
	"ks", "x", "tz", "s", "ts", "s", "eu", "ev", "au", "av", "ei", "i", "oi", "i", "ai", "e", "y", "i", "j", "i", "f", "v", "c", "k", "w", "o", "q", "k",
)

// georgianLetters are the letters in the national romanization of 2002, without its apostrophes.
var georgianLetters = strings.NewReplacer(
	"ა", "a", "ბ", "b", "გ", "g", "დ", "d", "ე", "e", "ვ", "v", "ზ", "z", "თ", "t", "ი", "i", "კ", "k", "ლ", "l", "მ", "m", "ნ", "n", "ო", "o", "პ", "p",
	"ჟ", "zh", "რ", "r", "ს", "s", "ტ", "t", "უ", "u", "ფ", "p", "ქ", "k", "ღ", "gh", "ყ", "q", "შ", "sh", "ჩ", "ch", "ც", "ts", "ძ", "dz", "წ", "ts", "ჭ", "ch",
	"ხ", "kh", "ჯ", "j", "ჰ", "h",
)

// georgianRomanizations are what people write in its place.
var georgianRomanizations = strings.NewReplacer("ph", "p", "f", "p", "th", "t", "gh", "g", "kh", "h", "q", "k", "w", "v", "tch", "ch", "tz", "ts", "zh", "j", "dj", "j", "y", "i")

// romanizations are the spellings that the national, scientific and passport romanizations of Cyrillic and Greek names give one
// letter (ISO 9, BGN/PCGN, ICAO Doc 9303). Of several that fit, the first in this list is taken. A capital is a letter that no
// romanization writes as the small one: Yana is not Anna.
var romanizations = strings.NewReplacer(
	"shch", "S", "sht", "S", "schtsch", "S", "stsch", "S", "sch", "S", "sh", "S", "tsch", "C", "tch", "C", "ch", "C", "cz", "C", "zh", "Z",
	"kh", "h", "gh", "h", "g", "h", "tz", "s", "ts", "s", "c", "s", "ph", "f", "th", "t", "ck", "k", "ks", "x",
	"lyu", "lu", "liu", "lu", "lju", "lu", "yu", "U", "iu", "U", "ju", "U", "yo", "e", "jo", "e", "dj", "d", "ye", "e", "ie", "e", "je", "e",
	"iya", "A", "ija", "A", "iia", "A", "yya", "A", "yia", "A", "ya", "A", "ja", "A", "ia", "A",
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
