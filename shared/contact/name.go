package contact

import (
	"cmp"
	"slices"
	"strings"

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
	"jr": "junior", "jnr": "junior", "jun": "junior", "2nd": "second", "ii": "second", "3rd": "third", "iii": "third", "iv": "fourth", "4th": "fourth",
	"5th": "fifth", "vii": "seventh", "viii": "eighth", "sr": "senior", "snr": "senior", "sen": "senior", "мл": "junior", "мол": "junior", "ст": "senior",
	"ifj": "junior", "ifjabb": "junior", "idosb": "senior", "id": "senior", "mladsi": "junior", "starsi": "senior", "younger": "junior", "elder": "senior",
	"jungere": "junior", "altere": "senior",
}

// lastSuffixes are suffixes that are names as well, or initials: behind a whole name they are suffixes.
var lastSuffixes = map[string]string{
	"junior": "junior", "senior": "senior", "filho": "junior", "hijo": "junior", "fils": "junior", "pere": "senior", "neto": "grandson", "nieto": "grandson",
	"sobrinho": "nephew", "figlio": "junior", "padre": "senior", "младший": "junior", "молодший": "junior", "старший": "senior",
	"v": "fifth", "vi": "sixth", "ix": "ninth", "ml": "junior", "st": "senior",
}

// endSuffixes are suffixes of two words behind a whole name: der Jüngere and der Ältere, or den yngre and den ældre.
var endSuffixes = map[string]string{"d j": "junior", "d a": "senior", "d y": "junior", "d ae": "senior", "den yngre": "junior", "den aldre": "senior", "den aeldre": "senior"}

// titles are words beside a name that are no part of it. Of some it is known whether they are a man's or a woman's.
var titles = map[string]gender{
	"mr": man, "mister": man, "mrs": woman, "ms": woman, "miss": woman, "mx": unknown, "dr": unknown, "prof": unknown, "professor": unknown, "sir": man, "dame": woman,
	"herr": man, "hr": man, "frau": woman, "dipl": unknown, "ing": unknown, "mag": unknown, "mgr": unknown, "bc": unknown, "judr": unknown, "mudr": unknown,
	"mme": woman, "mlle": woman, "monsieur": man, "madame": woman, "senor": man, "senora": woman, "sra": woman, "srta": woman, "dott": unknown, "dottssa": woman,
	"signor": man, "signora": woman, "rev": unknown, "med": unknown,
	"phd": unknown, "md": unknown, "mba": unknown, "esq": unknown, "msc": unknown, "bsc": unknown, "cpa": unknown, "csc": unknown, "dds": unknown,
	"пан": man, "пані": woman, "господин": man, "госпожа": woman,
}

// relations are words by which somebody is called after another person, or a desk after its company. Some are last names as well.
var relations = func() map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(`assistant secretary office mom mum mother dad father wife husband son daughter brother sister
		assistent assistentin sekretariat sekretarin sekretaerin buro buero mutter mama mutti vater papa ehefrau ehemann sohn tochter bruder schwester
		мама папа мать отец жена муж сын дочь брат сестра дружина чоловік донька мати батько секретар секретарь секретарка
		support sales team helpdesk hotline service reception billing accounting accounts marketing zentrale empfang vertrieb verkauf einkauf buchhaltung kundenservice
		accueil ventas compras recepcion biuro офис бухгалтерия бухгалтерія отдел приемная приймальня поддержка підтримка`) {
		out[w] = true
	}
	return out
}()

type gender int

const (
	unknown gender = iota
	man
	woman
)

// couples are the words by which several people are one contact. Those that stand in surnames as well are none.
var couples = map[string]bool{"&": true, "+": true, "/": true, "and": true, "und": true, "et": true, "og": true, "och": true, "и": true, "та": true}

// name is a person's name as it is compared.
type name struct {
	words []word
	// suffix is the generation, empty where the name does not say.
	suffix string
	// gender is what the titles say of the person.
	gender gender
	// couple says that it names several people, relation that it names somebody or a desk after another one, and nick that it is only what
	// people call somebody.
	couple, relation, nick bool
}

// word is one word of a name in its spellings: as it is without accents, and with the letters that people write in their
// place (Müller is Muller and Mueller).
type word struct {
	plain, spelled string
	// heard is the word with letters in the place of accents that make another sound.
	heard string
	// family says that it stands in the last name.
	family bool
}

// nameOf is the name of a record. One that only repeats the record's company, address or number is none.
func nameOf(it match.Item) name {
	var n name
	whole := ""
	for _, part := range []string{GivenName, MiddleName, Surname} {
		text := it.Fields.Text(part)
		whole += " " + text
		plain, spelled, heard := strings.Fields(record.Fold(text)), strings.Fields(record.Fold(spellOut(text))), strings.Fields(record.Fold(hear(text)))
		for i, w := range plain {
			n.relation = n.relation || relations[w]
			n.words = append(n.words, word{plain: w, spelled: spelled[i], heard: heard[i], family: part == Surname})
		}
		if part != Surname {
			n.couple = n.couple || isCouple(text)
		}
	}
	folded := record.Fold(whole)
	if standsIn(folded, it) {
		return name{}
	}
	n.nick = folded != "" && folded == record.Fold(it.Untracked.Text(Nickname))
	n.takeTitles(it.Fields.Text(Salutation))
	n.takeSuffix(it.Untracked.Text(Suffix))
	return n
}

// isCouple reports whether a text names several people.
func isCouple(text string) bool {
	words := strings.Fields(strings.ToLower(coupled(text)))
	for i, w := range words {
		if i > 0 && i+1 < len(words) && couples[w] {
			return true
		}
	}
	return false
}

var coupled = strings.NewReplacer("&", " & ", "+", " + ", "/", " / ").Replace

// spellOut writes the letters that have a spelling of two letters that way.
var spellOut = strings.NewReplacer(
	"đ", "dj", "Đ", "Dj", "ə", "a", "Ə", "A", "ä", "ae", "ö", "oe", "ü", "ue", "å", "aa", "ø", "oe", "Ä", "Ae", "Ö", "Oe", "Ü", "Ue", "Å", "Aa", "Ø", "Oe",
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

// takeSuffix takes the generation from the name, or from what stands apart.
func (n *name) takeSuffix(apart string) {
	for _, w := range strings.Fields(record.Fold(apart)) {
		n.suffix = cmp.Or(suffixes[w], lastSuffixes[w])
	}
	if last := len(n.words) - 2; last > 1 {
		if s := endSuffixes[n.words[last].plain+" "+n.words[last+1].plain]; s != "" {
			n.suffix, n.words = s, n.words[:last]
		}
	}
	for i := len(n.words) - 1; i >= 0 && len(n.words) > 1; i-- {
		if s := suffixAt(n.words, i); s != "" {
			n.suffix = s
			n.words = slices.Delete(n.words, i, i+1)
			for i--; i > 0 && articles[n.words[i].plain]; i-- {
				n.words = slices.Delete(n.words, i, i+1)
			}
			i++
		}
	}
}

// articles stand before a suffix that is a word of the language.
var articles = map[string]bool{"the": true, "der": true, "die": true}

// suffixAt is what a word of a name says of the generation; empty for one that is a name. A number tells namesakes apart as well.
func suffixAt(words []word, i int) string {
	w := words[i].plain
	switch s := suffixes[w]; {
	case s != "":
		return s
	case i == 0:
		return ""
	case strings.Trim(w, "0123456789") == "":
		return w
	case i > 1 && i == len(words)-1, i == 1 && len(words) > 2 && len([]rune(w)) > len("st") && !words[i].family:
		return lastSuffixes[w]
	default:
		return ""
	}
}

// takeTitles takes away what people put beside a name, unless nothing else is there. A Spanish title is an English suffix.
func (n *name) takeTitles(apart string) {
	for _, w := range strings.Fields(record.Fold(apart)) {
		n.gender = max(n.gender, titles[w])
	}
	if len(n.words) > 1 && n.words[0].plain == "sr" {
		n.gender, n.words = man, n.words[1:]
	}
	rest := slices.DeleteFunc(slices.Clone(n.words), func(w word) bool { _, is := titles[w.plain]; return is })
	if len(rest) == 0 {
		return
	}
	for _, w := range n.words {
		n.gender = max(n.gender, titles[w.plain])
	}
	n.words = rest
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
