package contact_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/match"
)

// TestMatch_is_right_on_a_labelled_set meets pairs of contacts of which it is known whether they are one person: one person
// in two spellings, and two who share a mailbox, a number, a company or a name. Run with -v it shows the figures by kind.
func TestMatch_is_right_on_a_labelled_set(t *testing.T) {
	t.Parallel()
	const pairs = 24000
	r := rand.New(rand.NewPCG(1, 2))
	figures := map[string]*figure{}
	var same, full, different figure
	for i := range pairs {
		p := labelled[i%len(labelled)]
		a, b := p.make(&people{Rand: r})
		if r.IntN(2) == 0 {
			a, b = b, a
		}
		got := verdictOn(a, b)
		of := figures[p.kind]
		if of == nil {
			of = &figure{}
			figures[p.kind] = of
		}
		of.count(got)
		if !p.same {
			different.count(got)
			continue
		}
		same.count(got)
		if p.full {
			full.count(got)
		}
	}
	for _, p := range labelled {
		t.Logf("%-60s same=%-5v %s", p.kind, p.same, figures[p.kind])
	}
	right := float64(same.linked) / float64(same.linked+different.linked)
	t.Logf("automatic links that are right: %.4f; of pairs with a key and a full name linked: %.4f; of one person neither linked nor asked: %.4f",
		right, full.share(full.linked), same.share(same.left))
	if right < 0.999 {
		t.Errorf("automatic links are right in %.4f, want at least 0.999", right)
	}
	if got := full.share(full.linked); got < 0.9 {
		t.Errorf("of one person's pairs with a key and a full name %.4f are linked, want at least 0.90", got)
	}
	if got := same.share(same.left); got > 0.01 {
		t.Errorf("of one person's pairs %.4f are neither linked nor asked, want at most 0.01", got)
	}
}

type figure struct{ linked, asked, left int }

func (f *figure) count(r match.Result) {
	switch {
	case len(r.Pairs) > 0:
		f.linked++
	case len(r.Doubts) > 0:
		f.asked++
	default:
		f.left++
	}
}

func (f *figure) share(of int) float64 { return float64(of) / float64(f.linked+f.asked+f.left) }

func (f *figure) String() string {
	return fmt.Sprintf("linked %5.1f %%, asked %5.1f %%, neither %5.1f %%", 100*f.share(f.linked), 100*f.share(f.asked), 100*f.share(f.left))
}

func verdictOn(a, b match.Item) match.Result {
	return match.Find(contact.Match, []match.Item{a}, []match.Item{b})
}

// kindOfPair is a kind of pairs: whether both are one person, and whether both show the person's full name.
type kindOfPair struct {
	kind       string
	same, full bool
	make       func(*people) (a, b match.Item)
}

var labelled = []kindOfPair{
	{"same address", true, true, func(p *people) (match.Item, match.Item) {
		who, key := p.person(), p.email()
		return card(append(who.parts(), key...)...), card(append(who.parts(), key...)...)
	}},
	{"same number, national and international", true, true, func(p *people) (match.Item, match.Item) {
		who, n := p.person(), p.IntN(1_000_000)
		return card(append(who.parts(), "phone", fmt.Sprintf("030 9%06d", n))...), card(append(who.parts(), "phone", fmt.Sprintf("+49 30 9%06d", n))...)
	}},
	{"same company", true, true, func(p *people) (match.Item, match.Item) {
		who := p.person()
		return card(append(who.parts(), "company", "Acme Ltd.")...), card(append(who.parts(), "company", "ACME\u00a0Ltd")...)
	}},
	{"accents left out", true, true, func(p *people) (match.Item, match.Item) {
		who, key := p.of(accented), p.key()
		return card(append(who.parts(), key...)...), card(append(who.respelled(accents).parts(), key...)...)
	}},
	{"umlauts spelled out", true, true, func(p *people) (match.Item, match.Item) {
		who, key := p.of(umlauts), p.key()
		return card(append(who.parts(), key...)...), card(append(who.respelled(spellings).parts(), key...)...)
	}},
	{"capitals", true, true, func(p *people) (match.Item, match.Item) {
		who, key := p.person(), p.key()
		return card(append(who.parts(), key...)...), card(append(who.mapped(strings.ToUpper).parts(), key...)...)
	}},
	{"surname first", true, true, func(p *people) (match.Item, match.Item) {
		who, key := p.person(), p.key()
		return card(append(who.parts(), key...)...), card(append([]string{"given", who.surname, "surname", who.given}, key...)...)
	}},
	{"never split", true, true, func(p *people) (match.Item, match.Item) {
		who, key := p.person(), p.key()
		return card(append(who.parts(), key...)...), card(append([]string{"given", who.given + " " + who.surname}, key...)...)
	}},
	{"middle name or initial on one side", true, true, func(p *people) (match.Item, match.Item) {
		who, key := p.person(), p.key()
		middle := []string{"B.", "Maria", "Lee"}[p.IntN(3)]
		return card(append(who.parts(), key...)...), card(append(append(who.parts(), "middle", middle), key...)...)
	}},
	{"title on one side", true, true, func(p *people) (match.Item, match.Item) {
		who, key := p.person(), p.key()
		titled := who
		titled.given = []string{"Dr. ", "Prof. ", "Mr. "}[p.IntN(3)] + who.given
		return card(append(who.parts(), key...)...), card(append(titled.parts(), key...)...)
	}},
	{"apostrophes", true, true, func(p *people) (match.Item, match.Item) {
		who, key := p.of(apostrophes), p.key()
		marks := []string{"'", "\u2019", "\u2018", "\u02bc", "`"}
		as := func(mark string) human {
			return who.mapped(func(s string) string { return strings.ReplaceAll(s, "'", mark) })
		}
		return card(append(as(marks[p.IntN(5)]).parts(), key...)...), card(append(as(marks[p.IntN(5)]).parts(), key...)...)
	}},
	{"transliterated", true, true, func(p *people) (match.Item, match.Item) {
		both := transliterated[p.IntN(len(transliterated))]
		key := p.key()
		return card(append(both[0].parts(), key...)...), card(append(both[1].parts(), key...)...)
	}},
	{"initial", true, false, func(p *people) (match.Item, match.Item) {
		who, key := p.person(), p.key()
		short := who
		short.given = string([]rune(who.given)[:1]) + "."
		return card(append(who.parts(), key...)...), card(append(short.parts(), key...)...)
	}},
	{"mistyped", true, false, func(p *people) (match.Item, match.Item) {
		who, key := p.person(), p.key()
		typed := who
		at := 1 + p.IntN(len(who.surname)-2)
		typed.surname = who.surname[:at] + who.surname[at+1:]
		return card(append(who.parts(), key...)...), card(append(typed.parts(), key...)...)
	}},
	{"short form of the name", true, false, func(p *people) (match.Item, match.Item) {
		form, key, surname := shortForms[p.IntN(len(shortForms))], p.key(), p.person().surname
		return card(append(human{form[0], surname}.parts(), key...)...), card(append(human{form[1], surname}.parts(), key...)...)
	}},
	{"married, personal address", true, false, func(p *people) (match.Item, match.Item) {
		who, key := p.person(), p.email()
		return card(append(who.parts(), key...)...), card(append(human{who.given, p.other(who).surname}.parts(), key...)...)
	}},
	{"no name on one side, address and number", true, false, func(p *people) (match.Item, match.Item) {
		key := append(p.email(), p.phone()...)
		return card(append(p.person().parts(), key...)...), card(key...)
	}},
	{"no name on one side, one key", true, false, func(p *people) (match.Item, match.Item) {
		key := p.key()
		return card(append(p.person().parts(), key...)...), card(key...)
	}},

	{"two of a family, one mailbox", false, false, func(p *people) (match.Item, match.Item) {
		a, key := p.person(), p.email()
		return card(append(a.parts(), key...)...), card(append(human{p.other(a).given, a.surname}.parts(), key...)...)
	}},
	{"two of a family, one number", false, false, func(p *people) (match.Item, match.Item) {
		a, key := p.person(), p.phone()
		return card(append(a.parts(), key...)...), card(append(human{p.other(a).given, a.surname}.parts(), key...)...)
	}},
	{"he and she of one name, address and number", false, false, func(p *people) (match.Item, match.Item) {
		both, surname, key := heAndShe[p.IntN(len(heAndShe))], p.person().surname, append(p.email(), p.phone()...)
		return card(append(human{both[0], surname}.parts(), key...)...), card(append(human{both[1], surname}.parts(), key...)...)
	}},
	{"father and son, one number", false, false, func(p *people) (match.Item, match.Item) {
		who, key := p.person(), p.phone()
		return card(append(who.parts(), key...)...), card(append(append(who.parts(), "suffix", []string{"Jr.", "II", "III"}[p.IntN(3)]), key...)...)
	}},
	{"two of an office, one mailbox", false, false, func(p *people) (match.Item, match.Item) {
		a, key := p.person(), []string{"email", "info@example.com", "company", "Acme"}
		return card(append(a.parts(), key...)...), card(append(p.other(a).parts(), key...)...)
	}},
	{"two of an office, one number", false, false, func(p *people) (match.Item, match.Item) {
		a, key := p.person(), append(p.phone(), "company", "Acme")
		return card(append(a.parts(), key...)...), card(append(p.other(a).parts(), key...)...)
	}},
	{"two scripts, one mailbox", false, false, func(p *people) (match.Item, match.Item) {
		i := p.IntN(len(transliterated))
		j := (i + 1 + p.IntN(len(transliterated)-1)) % len(transliterated)
		key := p.key()
		return card(append(transliterated[i][0].parts(), key...)...), card(append(transliterated[j][1].parts(), key...)...)
	}},
	{"two of a family in two scripts, address and number", false, false, func(p *people) (match.Item, match.Item) {
		two, family, key := inTwoScripts[p.IntN(len(inTwoScripts))], transliterated[p.IntN(len(transliterated))], append(p.email(), p.phone()...)
		return card(append(human{two[0], family[0].surname}.parts(), key...)...), card(append(human{two[1], family[1].surname}.parts(), key...)...)
	}},
	{"a company and its employee", false, false, func(p *people) (match.Item, match.Item) {
		key := p.phone()
		if p.IntN(2) == 0 {
			key = append(key, "email", "info@example.com")
		}
		return card(append(p.person().parts(), key...)...), card(append([]string{"company", "Harbor Office"}, key...)...)
	}},
	{"namesakes of two companies", false, false, func(p *people) (match.Item, match.Item) {
		who := p.person()
		return card(append(append(who.parts(), "company", "Acme"), p.email()...)...), card(append(append(who.parts(), "company", "Globex"), p.email()...)...)
	}},
	{"two who share a company", false, false, func(p *people) (match.Item, match.Item) {
		a := p.person()
		return card(append(a.parts(), "company", "Acme")...), card(append(p.other(a).parts(), "company", "Acme")...)
	}},
}

// inTwoScripts are names of two people that sound nearly alike.
var inTwoScripts = [][2]string{
	{"Яна", "Anna"},
	{"Юля", "Ulla"},
	{"Катя", "Kata"},
	{"Юрий", "Uri"},
	{"Дарья", "Dara"},
	{"Мария", "Mara"},
	{"Коля", "Kola"},
	{"Ася", "Asa"},
	{"Олександр", "Oleksandra"},
	{"Валентин", "Valentyna"},
	{"Евгений", "Yevgeniia"},
	{"Иван", "Ivana"},
	{"Михаил", "Michaela"},
	{"Мартин", "Martina"},
}

// people draws people and what they can be reached by.
type people struct{ *rand.Rand }

type human struct{ given, surname string }

func (h human) parts() []string { return []string{"given", h.given, "surname", h.surname} }

func (h human) mapped(f func(string) string) human { return human{f(h.given), f(h.surname)} }

func (h human) respelled(by *strings.Replacer) human { return h.mapped(by.Replace) }

func (p *people) of(list []human) human {
	return human{list[p.IntN(len(list))].given, list[p.IntN(len(list))].surname}
}

func (p *people) person() human { return p.of(everyday) }

// other is somebody with another given name and another surname.
func (p *people) other(than human) human {
	for {
		if h := p.person(); h.given != than.given && h.surname != than.surname {
			return h
		}
	}
}

func (p *people) email() []string {
	return []string{"email", fmt.Sprintf("person%d@example.com", p.IntN(1_000_000_000))}
}

func (p *people) phone() []string {
	return []string{"phone", fmt.Sprintf("+49 30 9%06d", p.IntN(1_000_000))}
}

func (p *people) key() []string {
	return slices.Clone([][]string{p.email(), p.phone()}[p.IntN(2)])
}

var (
	accents   = strings.NewReplacer("ł", "l", "Ł", "L", "ś", "s", "ó", "o", "ż", "z", "é", "e", "ç", "c", "ı", "i", "ş", "s", "ø", "o", "Ø", "O", "å", "a", "đ", "d", "Đ", "D", "ñ", "n", "á", "a", "ž", "z", "č", "c", "ć", "c", "ğ", "g", "í", "i", "ă", "a", "ț", "t")
	spellings = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "Ö", "Oe", "Ü", "Ue", "Ä", "Ae", "ß", "ss")

	everyday = []human{
		{"Anna", "Meyer"},
		{"Bert", "Kowalski"},
		{"Clara", "Smith"},
		{"David", "Johnson"},
		{"Elena", "Rossi"},
		{"Frank", "Dubois"},
		{"Grace", "Murphy"},
		{"Henry", "Tanaka"},
		{"Irene", "Garcia"},
		{"James", "Novak"},
		{"Karin", "Jensen"},
		{"Laura", "Walker"},
		{"Martin", "Silva"},
		{"Nina", "Petrov"},
		{"Oscar", "Lindgren"},
		{"Paula", "Schneider"},
		{"Quentin", "Baker"},
		{"Rosa", "Fischer"},
		{"Simon", "Martinez"},
		{"Teresa", "Weber"},
		{"Ursula", "Becker"},
		{"Victor", "Campbell"},
		{"Wendy", "Hoffmann"},
		{"Xavier", "Turner"},
		{"Yvonne", "Richter"},
		{"Zoe", "Bennett"},
	}
	accented = []human{
		{"Łukasz", "Łoś"},
		{"Søren", "Sørensen"},
		{"José", "Muñoz"},
		{"François", "Gonçalves"},
		{"Ayşe", "Yıldız"},
		{"Đorđe", "Đoković"},
		{"Zoé", "Żółw"},
		{"Åse", "Håkon"},
		{"Ştefan", "Ionuță"},
		{"Žofia", "Čapek"},
		{"Tuğba", "Dağ"},
	}
	umlauts     = []human{{"Jürgen", "Müller"}, {"Jörg", "Schäfer"}, {"Götz", "Groß"}, {"Käthe", "Weiß"}, {"Özlem", "Böhm"}, {"Ülkü", "Krüger"}}
	apostrophes = []human{{"В'ячеслав", "Мар'яненко"}, {"Pat", "O'Brien"}, {"Jack", "O'Neill"}, {"Дем'ян", "Лук'яненко"}, {"Nora", "D'Angelo"}}

	transliterated = [][2]human{
		{{"Олена", "Коваль"}, {"Olena", "Koval"}},
		{{"Тарас", "Бойко"}, {"Taras", "Boyko"}},
		{{"Юлія", "Шевченко"}, {"Yuliia", "Shevchenko"}},
		{{"Андрій", "Мельник"}, {"Andriy", "Melnyk"}},
		{{"Сергей", "Иванов"}, {"Sergey", "Ivanov"}},
		{{"Наталья", "Щербакова"}, {"Natalya", "Shcherbakova"}},
		{{"Дмитрий", "Кузнецов"}, {"Dmitry", "Kuznetsov"}},
		{{"Христо", "Георгиев"}, {"Hristo", "Georgiev"}},
		{{"Γιώργος", "Παπαδόπουλος"}, {"Giorgos", "Papadopoulos"}},
		{{"Ελένη", "Νικολάου"}, {"Eleni", "Nikolaou"}},
		{{"Жанна", "Цветкова"}, {"Zhanna", "Tsvetkova"}},
		{{"Михаил", "Чехов"}, {"Mikhail", "Chekhov"}},
	}

	shortForms = [][2]string{{"Robert", "Bob"}, {"William", "Bill"}, {"Margaret", "Peggy"}, {"Richard", "Dick"}, {"Elizabeth", "Liz"}, {"Alexander", "Sasha"}, {"Michael", "Mike"}}
	heAndShe   = [][2]string{{"Daniel", "Daniela"}, {"Mario", "Maria"}, {"Paul", "Paula"}, {"Alexander", "Alexandra"}, {"Francis", "Frances"}, {"Victor", "Victoria"}, {"Jean", "Jeanne"}, {"Andrea", "Andreas"}}
)
