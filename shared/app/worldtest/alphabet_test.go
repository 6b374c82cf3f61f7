package worldtest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// households are people who live or work together, each with the spellings of one name that people use, as
// "given|middle|surname|prefix|suffix". No spelling of one is a spelling of another, and a name that says nothing is a company's.
var households = [][][]string{
	{{"Anna||Meyer", "ANNA||MEYER", "Anna Maria||Meyer"}, {"Bert||Meyer"}},
	{{"Daniela||Huber"}, {"Daniel||Huber", "daniel||huber"}},
	{{"Олена||Коваль", "Olena||Koval"}, {"Peter||Brown", "P.||Brown"}},
	{{"Тарас||Бойко", "Taras||Boiko"}, {"Mary||Jones"}},
	{{"В'ячеслав||Шевченко", "В\u02bcячеслав||Шевченко", "В\u2019ячеслав||Шевченко", "В`ячеслав||Шевченко"}, {"Ольга||Шевченко"}},
	{{"Lukasz||Los", "Łukasz||Łoś", "ŁUKASZ||ŁOŚ"}, {"Marta||Łoś"}},
	{{"Søren||Bø", "Soren||Bo"}, {"Åse||Bø"}},
	{{"Ayşe||Yıldız", "AYŞE||YILDIZ"}, {"Mehmet||Yıldız"}},
	{{"John||Smith"}, {"John||Smith||Jr.", "John||Smith Jr."}, {"Dr. Jane||Smith", "Jane||Smith|Dr."}},
	{{"ハナコ||ヤマサキ"}, {"ハナコ||ヤマザキ"}},
	{{"José||Núñez", norm.NFD.String("José||Núñez"), "Jose||Nunez"}, {"Jorge||Núñez"}},
	{{"Jürgen||Müller", "Juergen||Mueller", norm.NFD.String("Jürgen||Müller")}, {"Ute||Müller"}},
	{{"أحمد||حسن", "أَحْمَد||حسن"}, {"ليلى||حسن"}},
	{{"\u2068Tom\u2069||Doe", "Tom||Doe\u200b"}, {"Jane||Doe"}},
	{{"太郎||山田"}, {"花子||山田"}},
	{{"Conor||O'Brien", "Conor||O\u2018Brien", "Conor||OBrien"}, {"Kate||O'Brien"}},
	{{"Γιώργος||Παπαδόπουλος", "Giorgos||Papadopoulos"}, {"Ελένη||Παπαδόπουλος"}},
	{{"Jean-Pierre||Dupont", "Jean Pierre||Dupont", "Jeanpierre||Dupont"}, {"Marie||Dupont"}},
	{{"Robert||Reed", "Bob||Reed"}, {"Sue||Reed"}},
	{{"Maria||García López", "Maria|García|López"}, {"Pablo||García"}},
	{{"||"}, {"Ann||Lee"}, {"Bob||Ray"}},
}

// nameParts takes a spelling apart.
func nameParts(spelling string) (given, middle, surname, prefix, suffix string) {
	p := append(strings.Split(spelling, "|"), "", "", "", "", "")
	return p[0], p[1], p[2], p[3], p[4]
}

// numbers are the forms of telephone numbers of some countries, of which d is the last four digits. The first form names the
// country; the last nine digits of each are the number's own.
var numbers = [][]string{
	{"+44 20 7946 d", "+44 (0)20 7946 d", "0044 20 7946 d", "020 7946 d", "(020) 7946-d", "011 44 20 7946 d", "8~10 44 20 7946 d"},
	{"+33 6 74 37 d", "06 74 37 d", "0033 6 74 37 d", "+33(0)674.37.d", "011 33 6 74 37 d"},
	{"+1 202 555 d", "(202) 555-d", "202.555.d", "1-202-555-d", "001 202 555 d", "+1 (202) 555-d"},
	{"+52 55 1234 d", "+52 1 55 1234 d", "0052 55 1234 d", "55 1234 d"},
	{"+49 30 23125 d", "030 23125 d", "0049 (0)30 23125-d", "+49 (0) 30 / 23125 d"},
	{"+20 2 2577 d", "+٢٠ ٢ ٢٥٧٧ d", "00 20 2 2577 d"},
}

// telephone is a form of the n-th number; the same n has the same number in every form.
func telephone(r *rand.Rand, n int) string {
	forms := numbers[n%len(numbers)]
	return strings.Replace(forms[r.IntN(len(forms))], "d", fmt.Sprintf("%04d", 1000+n), 1)
}

// subscriber is what is the same in all forms of a number: its last digits, in whatever script.
func subscriber(text string) string {
	var b strings.Builder
	for _, r := range norm.NFKC.String(text) {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case unicode.IsDigit(r):
			// Digits of a script stand in one row, zero first.
			zero := r
			for unicode.IsDigit(zero-1) && r-zero < 9 {
				zero--
			}
			b.WriteRune('0' + r - zero)
		}
	}
	digits := b.String()
	return digits[max(0, len(digits)-8):]
}

// token is what no other value has in it.
func token(n int) string { return fmt.Sprintf("q%04dq", n) }

// mailbox is a form of the address of the n-th mailbox.
func mailbox(r *rand.Rand, n int) string {
	plain := token(n) + "@example.com"
	switch n % 4 {
	case 0:
		plain = token(n) + "@gmail.com"
		if r.IntN(2) == 0 {
			plain = token(n) + "@googlemail.com"
		}
	case 1:
		plain = token(n) + "@weiß.example"
	}
	switch r.IntN(6) {
	case 0:
		return strings.ToUpper(token(n)) + plain[len(token(n)):]
	case 1:
		return "mailto:" + plain
	case 2:
		return "Sue Reed <" + plain + ">"
	case 3:
		return plain + "\u200b"
	default:
		return plain
	}
}

// website is a form of the n-th web address.
func website(r *rand.Rand, n int) string {
	return [...]string{"https://%s.example/a", "http://%s.example/a/", "%s.example/a", "HTTPS://%s.EXAMPLE/a"}[r.IntN(4)][:0] +
		fmt.Sprintf([...]string{"https://%s.example/a", "http://%s.example/a/", "%s.example/a", "HTTPS://%s.example/a"}[r.IntN(4)], token(n))
}

// words are texts as people write and paste them; T is the token.
var words = []string{
	"T", "Head of T", "Prefers calls <i think> T after 5pm, budget a<b and c>d", "=HYPERLINK(\"http://x.example\";\"T\")", "+T", "@T", "-T+1",
	"<b>T</b>", "T &amp; co", "T & Söhne <info>", "\u2068T\u2069 mit Marken", "\u202eT\u202c", "T\u00a0 GmbH  &  Co", norm.NFD.String("Chargée dé T"), "日本語 T テスト",
	"مدير T", "<script>alert('T')</script>", "<img src=x onerror=alert(T)>", "T \U0001F468\u200d\U0001F469\u200d\U0001F467\u200d\U0001F466", "a\u200bb T", "T\ufeff", "&lt;T&gt;", "T <", "%T% ${T} {{T}}",
}

// oneLine is a text of one line.
func oneLine(r *rand.Rand, n int) string {
	text := strings.ReplaceAll(words[r.IntN(len(words))], "T", token(n))
	if r.IntN(8) == 0 {
		// The family stands across the limit of the column.
		text = token(n) + " " + strings.Repeat("x", 236+r.IntN(6)) + strings.Repeat("\U0001F468\u200d\U0001F469\u200d\U0001F467", 3)
	}
	return text
}

// lines is a text of several lines.
func lines(r *rand.Rand, n int) string {
	text := strings.ReplaceAll(words[r.IntN(len(words))], "T", token(n))
	for range r.IntN(3) {
		text += "\n" + strings.ReplaceAll(words[r.IntN(len(words))], "T", "line")
	}
	return text
}

// companies are the accounts of the site, in the forms in which people write them, and one that it does not have.
var companies = []string{"Müller Bau GmbH", "Acme Ltd", "ООО Ромашка", "Nobody's & Sons"}

// places are parts of addresses, of which the site's lists have some, as "zip|city|region|country"; # is the token.
var places = []string{
	"8001|Zürich||Switzerland", "8001|" + norm.NFD.String("Zürich") + "||Switzerland", "6020|Innsbruck|Tirol|Österreich", "6020|Innsbruck|Tirol|" + norm.NFD.String("Österreich"),
	"|Atlantis||Mu", "|||Norway", "# 1|Innsbruck||", "||Tirol|", "|||", "12345|Unknown|Somewhere|Norway", "|Zürich||",
}

// otherwise is a name of a list in another form.
func otherwise(r *rand.Rand, name string) string {
	switch r.IntN(4) {
	case 0:
		return norm.NFD.String(name)
	case 1:
		return strings.ReplaceAll(name, " ", "\u00a0")
	case 2:
		return strings.ReplaceAll(name, " ", "  ")
	default:
		return name
	}
}
