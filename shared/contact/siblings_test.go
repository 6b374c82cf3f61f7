package contact_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/match"
)

// called is somebody of a name "Anna|Meyer" with what else a card shows.
func called(name string, of ...string) match.Item {
	given, surname, _ := strings.Cut(name, "|")
	return card(append([]string{"given", given, "surname", surname}, of...)...)
}

// met is what two come to who meet, whichever side they are on; the worse where that differs.
func met(a, b match.Item) string {
	got := ""
	for _, pair := range [][2]match.Item{{a, b}, {b, a}} {
		r := match.Find(contact.Match, pair[:1], pair[1:])
		is := "two people"
		switch {
		case len(r.Pairs) > 0:
			is = "one person"
		case len(r.Doubts) > 0:
			is = "doubt"
		}
		if got != "" && got != is {
			return got + " or " + is
		}
		got = is
	}
	return got
}

func TestMatch_knows_one_person_by_two_spellings(t *testing.T) {
	t.Parallel()
	for _, tc := range [][2]string{
		{"Νίκος|Χατζηδάκης", "Nikos|Chatzidakis"},
		{"Νίκος|Χατζηδάκης", "Nikos|Hatzidakis"},
		{"Αλέξανδρος|Παπαδάκης", "Alexandros|Papadakis"},
		{"Ευάγγελος|Δημητρίου", "Evangelos|Dimitriou"},
		{"Ελευθέριος|Βενιζέλος", "Eleftherios|Venizelos"},
		{"Μπάμπης|Ντίνος", "Babis|Dinos"},
		{"Γιάννης|Ξενάκης", "Yannis|Xenakis"},
		{"Χρήστος|Ψαρράς", "Christos|Psarras"},
		{"Κωνσταντίνος|Τσάτσος", "Konstantinos|Tsatsos"},
		{"გიორგი|ბერიძე", "Giorgi|Beridze"},
		{"ნინო|ჭავჭავაძე", "Nino|Chavchavadze"},
		{"თამარ|ქავთარაძე", "Tamar|Kavtaradze"},
		{"ვახტანგ|კიკაბიძე", "Vakhtang|Kikabidze"},
		{"Արմեն|Սարգսյան", "Armen|Sargsyan"},
		{"Արամ|Խաչատրյան", "Aram|Khachatryan"},
		{"Євген|Гаврилюк", "Yevhen|Havryliuk"},
		{"Ігор|Сікорський", "Ihor|Sikorskyi"},
		{"Ганна|Яценко", "Hanna|Yatsenko"},
		{"Сергій|Жадан", "Serhii|Zhadan"},
		{"Ольга|Кобилянська", "Olha|Kobylianska"},
		{"Їжак|Їжакевич", "Yizhak|Yizhakevych"},
		{"Фёдор|Достоевский", "Fyodor|Dostoevsky"},
		{"Пётр|Чайковский", "Petr|Tchaikovsky"},
		{"Юрий|Гагарин", "Yuri|Gagarin"},
		{"Алексей|Васильев", "Alexey|Vasiliev"},
		{"Алексей|Васильев", "Aleksei|Vasilyev"},
		{"Ксения|Щукина", "Ksenia|Shchukina"},
		{"Ђорђе|Петровић", "Đorđe|Petrović"},
		{"Љубица|Његош", "Ljubica|Njegoš"},
		{"Георги|Димитров", "Georgi|Dimitrov"},
		{"Щефан|Стоянов", "Shtefan|Stoyanov"},
		{"J. R. R.|Tolkien", "John Ronald Reuel|Tolkien"},
		{"A. B.|Meyer", "Anna|Meyer"},
		{"Anna|Meyer-Schulz", "Anna|Meyer Schulz"},
		{"Anna|Meyer-Schulz", "Anna|Meyer"},
		{"Anna|García Márquez", "Anna|García"},
		{"Hans-Peter|Koch", "Hans Peter|Koch"},
		{"Hans-Peter|Koch", "H.-P.|Koch"},
		{"Иван Иванович|Иванов", "Иван|Иванов"},
		{"Иван Петрович|Иванов", "И. П.|Иванов"},
		{"Ivan|Ivanov", "Иван Иванович|Иванов"},
		{"Anna|Meyer (Schulz)", "Anna|Meyer"},
		{"Anna|Meyer geb. Schulz", "Anna|Meyer"},
		{"Anna|Meyer née Schulz", "Anna|Meyer"},
		{"Jan|van der Berg", "Jan|Vanderberg"},
		{"Jan|van der Berg", "Jan van der|Berg"},
		{"Jan|van der Berg", "Jan|Berg"},
		{"Charles|de Gaulle", "Charles|De Gaulle"},
		{"Charles|de Gaulle", "Charles|Degaulle"},
		{"Omar|al-Farsi", "Omar|Alfarsi"},
		{"Omar|al-Farsi", "Omar|Al Farsi"},
		{"Omar|el-Farsi", "Omar|El Farsi"},
		{"Pat|MacDonald", "Pat|Mac Donald"},
		{"Pat|O'Brien", "Pat|O Brien"},
		{"Ludwig|von Beethoven", "Ludwig v.|Beethoven"},
		{"John|Smith PhD", "John|Smith"},
		{"John|Smith, Ph.D.", "John|Smith"},
		{"John|Smith, M.D.", "John|Smith"},
		{"John|Smith, MBA", "John|Smith"},
		{"John|Smith CPA", "Mr. John|Smith"},
		{"Mag. Dr. Anna|Meyer", "Anna|Meyer"},
		{"Prof. Dr. med. Anna|Meyer", "Anna|Meyer"},
		{"Dipl.-Ing. Anna|Meyer", "Anna|Meyer"},
		{"Sr. Juan|García", "Juan|García"},
		{"Rev. John|Smith", "John|Smith"},
		{"Señora Ana|García", "Ana|García"},
		{"Mgr. Jana|Nováková", "Jana|Nováková"},
		{"Ing. Jan|Novák", "Jan|Novák, CSc."},
		{"Г-н Иван|Иванов", "Иван|Иванов"},
		{"Meyer|Anna", "Anna|Meyer"},
		{"Meyer, Anna|", "Anna|Meyer"},
		{"ANNA|MEYER", "anna|meyer"},
		{"Anne-Sophie|Mutter", "A.|Mutter"},
		{"Йосип|Сліпий", "Й.|Сліпий"},
		{"Йосип|Сліпий", "Yosyp|Slipyi"},
		{"ﾔﾏﾀﾞ|タロウ", "ヤマダ|タロウ"},
		{"Юлия|Цветкова", "Julia|Tsvetkova"},
		{"Люба|Юрьева", "Liuba|Yuryeva"},
		{"Людмила|Цой", "Ludmila|Tsoy"},
		{"Майя|Плисецкая", "Maya|Plisetskaya"},
		{"Татьяна|Юдина", "Tatiana|Iudina"},
		{"Зоя|Бялик", "Zoia|Bialik"},
		{"Софья|Дюма", "Sofya|Dyuma"},
		{"Mary|St. Claire", "Mary|St Claire"},
		{"José|Silva Júnior", "José|Silva Jr."},
		{"Hans|Meier d. J.", "Hans|Meier jun."},
		{"John|Smith the Younger", "John|Smith Jr."},
		{"John V|Smith", "John|Smith"},
		{"Jan Id|Bo", "Jan|Bo Id"},
		{"Nick|Sales", "N.|Sales"},
	} {
		if got := met(called(tc[0], "email", mailbox), called(tc[1], "email", mailbox)); got != "one person" {
			t.Errorf("%s and %s are %s", tc[0], tc[1], got)
		}
	}
}

func TestMatch_knows_one_person_by_company_and_another_keyboard(t *testing.T) {
	t.Parallel()
	for _, tc := range [][2]string{
		{"Meyer|Anna", "Anna|Meyer"},
		{"Meyer, Anna|", "Anna|Meyer"},
		{"Νίκος|Παπαδάκης", "Nikos|Papadakis"},
		{"Þór|Björnsson", "Thor|Bjornsson"},
		{"Æsa|Ærø", "Aesa|Aero"},
		{"İbrahim|Işık", "Ibrahim|Isik"},
		{"IBRAHIM|IŞIK", "İbrahim|Işık"},
		{"Weiß|Anna", "Weiss|Anna"},
		{"WEIẞ|Anna", "Weiß|Anna"},
		{"Đức|Nguyễn", "Duc|Nguyen"},
		{"Ştefan|Ţepeş", "Ștefan|Țepeș"},
		{"Søren|Ångström", "Soeren|Aangstroem"},
		{"Jürgen|Groß", "Juergen|Gross"},
		{"Ｊｏｈｎ|Ｓｍｉｔｈ", "John|Smith"},
		{"ﬁona|Fox", "Fiona|Fox"},
		{"Фёдор|Ёлкин", "Федор|Елкин"},
		{"حَسَن|عَلِي", "حسن|علي"},
		{"أحمد|علي", "احمد|علي"},
		{"علي|يحيى", "علی|یحیی"},
		{"דָּוִד|כֹּהֵן", "דוד|כהן"},
		{"D'Angelo|Rossi", "D Angelo|Rossi"},
		{"Col·la|Vila", "Colla|Vila"},
		{"Tadhg|Ó Súilleabháin", "Tadhg|O'Suilleabhain"},
		{"Anna|Meyer-Schulz", "Anna|Meyerschulz"},
		{"Đuro|Đurić", "Djuro|Djuric"},
		{"Əli|Məmmədov", "Ali|Mammadov"},
		{"ウォン|カーウァイ", "ｳｫﾝ|ｶｰｳｧｲ"},
	} {
		a, b := called(tc[0], "company", "Acme"), called(tc[1], "company", "Acme")
		if got := met(a, b); got != "one person" {
			t.Errorf("%s and %s are %s", tc[0], tc[1], got)
		}
		if keys := contact.CandidateKeys(b); !slices.ContainsFunc(contact.CandidateKeys(a), func(k string) bool { return slices.Contains(keys, k) }) {
			t.Errorf("%s is not found for %s", tc[1], tc[0])
		}
	}
}

func TestMatch_asks_whether_two_of_one_mailbox_are_one_person(t *testing.T) {
	t.Parallel()
	for _, tc := range [][2]string{
		{"محمد|الفارسي", "Peter|Brown"},
		{"גיא|לוי", "Mary|Jones"},
		{"Наталія|Бойко", "Nataliia|Boiko Jr."},
		{"Олександр|Коваль", "Oleksandra|Koval"},
		{"Євген|Коваль", "Yevheniia|Koval"},
		{"Валерій|Коваль", "Valeriia|Koval"},
		{"Валентин|Мороз", "Valentyna|Moroz"},
		{"Юлій|Мороз", "Yuliia|Moroz"},
		{"Віталій|Мороз", "Vitaliia|Moroz"},
		{"Γιώργος|Παπαδόπουλος", "Georgia|Papadopoulou"},
		{"Ivan|Petrov", "Ivana|Petrova"},
		{"J.|Smith", "K.|Smith"},
		{"A. B.|Meyer", "Bert|Kowalski"},
		{"A.|M.", "Anna|Meyer"},
		{"A|", "Anna|Meyer"},
		{"John A.|Smith", "John B.|Smith"},
		{"Anna Maria|Meyer", "Anna Sophie|Meyer"},
		{"Anna|Meyer-Schulz", "Anna|Meyer-Kurz"},
		{"Anna|García Márquez", "Anna|García López"},
		{"Hans|Peter", "Hans-Peter|Koch"},
		{"Иван Иванович|Иванов", "Иван Петрович|Иванов"},
		{"Ivan Petrovich|Ivanov", "Иван Иванович|Иванов"},
		{"van|Berg", "Jan|van Dijk"},
		{"Jan|van Dijk", "Piet|van Dam"},
		{"de la|Cruz", "Maria|de la Vega"},
		{"John|Smith II", "John|Smith III"},
		{"John|Smith, Jr.", "John|Smith, Sr."},
		{"John Jr.|Smith", "John|Smith"},
		{"John|Smith jun.", "John|Smith sen."},
		{"John|Smith the Younger", "John|Smith the Elder"},
		{"Jr. John|Smith", "John|Smith"},
		{"John|Smith I", "John|Smith II"},
		{"John|Smith V", "John|Smith IV"},
		{"Carlos|Silva Neto", "Carlos|Silva"},
		{"Carlos|Silva Sobrinho", "Carlos|Silva Filho"},
		{"Іван|Франко мол.", "Іван|Франко"},
		{"Smith|Jr.", "Smith|"},
		{"Anna|Meyer", "Anna Meyer|(Assistant)"},
		{"Anna|Meyer", "Mama|Anna Meyer"},
		{"Anna|Meyer", "Sekretariat|Anna Meyer"},
		{"Олена|Коваль", "мама Олена|Коваль"},
		{"Mr.|Meyer", "Mrs.|Meyer"},
		{"Herr|Meyer", "Frau|Meyer"},
		{"Mr.|Meyer", "Anna|Meyer"},
		{"Familie|Meyer", "Anna|Meyer"},
		{"Anna & Bert|Meyer", "Anna|Meyer"},
		{"Anna und Bert|Meyer", "Bert|Meyer"},
		{"Mr. & Mrs.|Meyer", "Anna|Meyer"},
		{"|Meyer", "Anna|Meyer"},
		{"Mr. J.|Meyer", "Mrs. J.|Meyer"},
		{"Herr Kim|Meyer", "Frau Kim|Meyer"},
		{"Acme Support|", "Acme|"},
		{"Globex|Buchhaltung", "Globex|"},
		{"Яна|Ким", "Anna|Kim"},
		{"Юля|Ким", "Ulla|Kim"},
		{"Катя|Ким", "Kata|Kim"},
		{"Софья|Ким", "Sofa|Kim"},
		{"Дарья|Ким", "Dara|Kim"},
		{"Юрий|Ким", "Uri|Kim"},
		{"John Junior|Smith", "John|Smith"},
		{"John|Smith 2", "John|Smith"},
		{"John|Smith 5th", "John|Smith"},
		{"John|Smith VII", "John|Smith"},
		{"John|Smith, the Elder", "John|Smith"},
		{"Hans|Meier d. J.", "Hans|Meier"},
		{"Hans|Meier der Jüngere", "Hans|Meier"},
		{"Jan|Novák ml.", "Jan|Novák"},
		{"Jan|Novák starší", "Jan|Novák"},
		{"ifj. Kovács|István", "Kovács|István"},
		{"Mario|Rossi figlio", "Mario|Rossi"},
		{"Bo|Ek d.ä.", "Bo|Ek"},
	} {
		if got := met(called(tc[0], "email", mailbox), called(tc[1], "email", mailbox)); got != "doubt" {
			t.Errorf("%s and %s are %s", tc[0], tc[1], got)
		}
	}
}

func TestMatch_takes_nobody_for_a_role(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"office@example.com", "office.vienna@example.com", "sales-1@example.com", "no-reply@example.com", "Secretariat@example.com", "kontakt@example.com"} {
		if got := met(called("|", "email", address, "phone", landline), called("Anna|Meyer", "email", address, "phone", landline)); got != "doubt" {
			t.Errorf("nobody and Anna Meyer with %s are %s", address, got)
		}
		if got := met(called("Anna|", "email", address), called("Anna|Meyer", "email", address)); got != "doubt" {
			t.Errorf("Anna and Anna Meyer with %s are %s", address, got)
		}
	}
	if got := met(called("|", "email", "officer@example.com", "phone", landline), called("Anna|Meyer", "email", "officer@example.com", "phone", landline)); got != "one person" {
		t.Errorf("an officer is %s", got)
	}
}

func TestMatch_takes_no_company_and_no_family_for_a_person(t *testing.T) {
	t.Parallel()
	for _, tc := range [][2]string{
		{"Harbor Office", "harbor@example.com"},
		{"Harbor Office", "harbor-office@example.com"},
		{"", "acme@acme.example"},
		{"", "acme.paper@mail.acmepaper.example"},
		{"", "family@example.com"},
		{"", "familie.meyer@example.com"},
	} {
		nobody := called("|", "company", tc[0], "email", tc[1], "phone", landline)
		if got := met(nobody, called("Ann|Meyer", "email", tc[1], "phone", landline)); got != "doubt" {
			t.Errorf("nobody of the company %q and Ann Meyer with %s are %s", tc[0], tc[1], got)
		}
	}
	own := called("|", "company", "Harbor Office", "email", "ann@example.com", "phone", landline)
	if got := met(own, called("Ann|Meyer", "email", "ann@example.com", "phone", landline)); got != "one person" {
		t.Errorf("an address of one's own and a number are %s", got)
	}
}

// A business may be called as its owner is.
func TestMatch_knows_somebody_whose_company_has_the_name(t *testing.T) {
	t.Parallel()
	business := called("John|Ford", "company", "John Ford", "email", mailbox)
	if got := met(business, called("John|Ford", "email", mailbox)); got != "one person" {
		t.Errorf("John Ford and John Ford are %s", got)
	}
	if got := met(business, called("Mary|Ford", "email", mailbox)); got != "doubt" {
		t.Errorf("John Ford and Mary Ford are %s", got)
	}
}

// Two generations may share a mailbox as well as a number.
func TestMatch_asks_about_namesakes_of_two_generations(t *testing.T) {
	t.Parallel()
	father := called("John|Smith", "email", mailbox, "birthday", "1950-01-02")
	if got := met(father, called("John|Smith", "email", mailbox, "birthday", "1981-03-04")); got != "doubt" {
		t.Errorf("they are %s", got)
	}
	if got := met(father, called("John|Smith", "email", mailbox, "birthday", "1951-01-02")); got != "one person" {
		t.Errorf("another year is %s", got)
	}
	for _, nobodys := range []string{"--03-04", "1604-03-04", "1899-12-30", "1900-01-01", "1904-01-01", "9999-01-01"} {
		if got := met(father, called("John|Smith", "email", mailbox, "birthday", nobodys)); got != "one person" {
			t.Errorf("with the birthday %s they are %s", nobodys, got)
		}
	}
}

func TestMatch_finds_one_number_in_the_forms_of_many_countries(t *testing.T) {
	t.Parallel()
	for _, tc := range [][2]string{
		{"+47 22 33 44 55", "22 33 44 55"},
		{"+45 32 12 34 56", "32123456"},
		{"+65 6123 4567", "6123 4567"},
		{"+354 545 1000", "545 1000"},
		{"+43 662 1234", "0662 1234"},
		{"+32 2 123 45 67", "02 123 45 67"},
		{"+64 3 123 4567", "(03) 123-4567"},
		{"+370 2 123 4567", "8 212 34567"},
		{"22 33 44 55", "22334455"},
		{"+380 44 123 45 67", "(044) 123-45-67"},
		{"+7 495 123-45-67", "8 (495) 123-45-67"},
		{"+39 06 1234 5678", "06 1234 5678"},
		{"+36 1 234 5678", "06 1 234 5678"},
		{"+55 11 91234 5678", "0 15 11 91234-5678"},
		{"+44 20 7946 0018", "tel:+44-20-7946-0018"},
		{"٠٥٠١٢٣٤٥٦٧", "+966 50 123 4567"},
	} {
		if got := met(called("A.|Meyer", "phone", tc[0]), called("Anna|Meyer", "phone", tc[1])); got != "one person" {
			t.Errorf("%s and %s are %s", tc[0], tc[1], got)
		}
		if got := met(called("Bert|Meyer", "phone", tc[0]), called("Anna|Meyer", "phone", tc[1])); got != "doubt" {
			t.Errorf("two with %s and %s are %s", tc[0], tc[1], got)
		}
	}
	for _, tc := range [][2]string{{"112", "112"}, {"+47 22 33 44 55", "22 33 44 56"}, {"4711", "4711"}} {
		if got := met(called("A.|Meyer", "phone", tc[0]), called("Anna|Meyer", "phone", tc[1])); got != "two people" {
			t.Errorf("%s and %s are %s", tc[0], tc[1], got)
		}
	}
}

func TestMatch_asks_about_somebody_who_has_but_a_nickname(t *testing.T) {
	t.Parallel()
	for nick, want := range map[string]string{"Bobby": "doubt", "Robert": "one person"} {
		it := called(nick+"|", "phone", landline)
		it.Untracked.SetText(contact.Nickname, nick)
		if got := met(it, called("Robert|Smith", "phone", landline)); got != want {
			t.Errorf("%s and Robert Smith are %s, want %s", nick, got, want)
		}
	}
}

// Of a family's several names the only equal one may still be another generation's.
func TestMatch_tells_father_and_son_apart_among_several(t *testing.T) {
	t.Parallel()
	father, mother := called("John|Smith", "phone", landline), called("Jane|Smith", "phone", landline)
	son := called("John|Smith", "phone", landline, "suffix", "Jr.")
	r := match.Find(contact.Match, []match.Item{father}, []match.Item{son, mother})
	if len(r.Pairs) > 0 || len(r.Doubts) == 0 {
		t.Errorf("got %s", describe(r))
	}
}

func TestMatch_finds_one_mailbox_however_it_is_written(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"\"Anna Meyer\" <anna@example.com>", "<anna@example.com>", "anna@example.com (private)", "MAILTO:anna@example.com?subject=Hi",
		"mailto:Anna%20Meyer%20%3Canna@example.com%3E", "anna@example.com.", "anna@example.com,", "'anna@example.com'", "anna @example.com", "anna\uff20example.com",
		"[anna@example.com]", "Work: anna@example.com", "\"Anna\" anna@example.com", "anna@example.com - private", "SMTP:anna@example.com", "Meyer, Anna (anna@example.com)",
		"<anna@example.com>;", "(private) anna@example.com", "anna@example.com?subject=Hi", "anna@example.com<mailto:anna@example.com>", "anna@example\u3002com",
	} {
		if got := met(called("A.|Meyer", "email", address), called("Anna|Meyer", "email", "ANNA@example.com")); got != "one person" {
			t.Errorf("%s is %s", address, got)
		}
	}
	for _, address := range []string{
		"anna@ex-ample.com", "an.na@example.com", "anna+crm@example.com", "anna@ехample.com", "ann\u0131a@example.com",
		"b.anna@example.com", "b anna@example.com", "b,anna@example.com", "anna@example.com, bert@example.com",
	} {
		if got := met(called("A.|Meyer", "email", address), called("Anna|Meyer", "email", "anna@example.com")); got != "two people" {
			t.Errorf("%s is %s", address, got)
		}
	}
}
