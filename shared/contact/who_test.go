package contact_test

import (
	"testing"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/match"
	"github.com/tandem-sync/tandem/shared/record"
)

// card makes an item from what a contact shows: "given", "surname", "email" and so on, each followed by its value.
func card(of ...string) match.Item {
	it := match.Item{Fields: record.Fields{}, Untracked: record.Fields{}, Member: true}
	for i := 0; i < len(of); i += 2 {
		e := record.Entry{Text: of[i+1]}
		switch of[i] {
		case "given":
			it.Fields.SetText(contact.GivenName, e.Text)
		case "middle":
			it.Fields.SetText(contact.MiddleName, e.Text)
		case "surname":
			it.Fields.SetText(contact.Surname, e.Text)
		case "company":
			it.Fields.SetText(contact.Company, e.Text)
		case "email":
			it.Fields[contact.Emails] = append(it.Fields[contact.Emails], e)
		case "phone":
			it.Fields[contact.Phones] = append(it.Fields[contact.Phones], e)
		case "other email":
			it.Untracked[contact.Emails] = append(it.Untracked[contact.Emails], e)
		case "other phone":
			it.Untracked[contact.Phones] = append(it.Untracked[contact.Phones], e)
		case "birthday":
			it.Fields.SetText(contact.Birthday, e.Text)
		case "suffix":
			it.Untracked.SetText(contact.Suffix, e.Text)
		default:
			panic("no such part of a card: " + of[i])
		}
	}
	return it
}

const (
	mailbox  = "meyer@example.com"
	landline = "+49 30 1234567"
)

func TestMatch_asks_where_names_do_not_agree(t *testing.T) {
	t.Parallel()
	const (
		one   = "one person"
		doubt = "doubt"
		two   = "two people"
	)
	for name, tc := range map[string]struct {
		creatio, google match.Item
		want            string
	}{
		"a couple with one mailbox": {
			card("given", "Anna", "surname", "Meyer", "email", mailbox), card("given", "Bert", "surname", "Meyer", "email", mailbox), doubt,
		},
		"Daniela and Daniel": {
			card("given", "Daniela", "surname", "Meyer", "phone", landline), card("given", "Daniel", "surname", "Meyer", "phone", landline), doubt,
		},
		"Mario and Maria, address and number": {
			card("given", "Mario", "surname", "Rossi", "phone", landline, "email", mailbox),
			card("given", "Maria", "surname", "Rossi", "phone", landline, "email", mailbox), doubt,
		},
		"two desks of a company": {
			card("given", "Sales", "surname", "Acme", "email", "info@example.com"), card("given", "Support", "surname", "Acme", "email", "info@example.com"), doubt,
		},
		"two scripts, another person, one mailbox": {
			card("given", "Олена", "surname", "Коваль", "email", mailbox), card("given", "Peter", "surname", "Brown", "email", mailbox), doubt,
		},
		"two scripts, another person, one number": {
			card("given", "Тарас", "surname", "Бойко", "phone", landline), card("given", "Mary", "surname", "Jones", "phone", landline), doubt,
		},
		"two scripts, the spouse": {
			card("given", "Даниела", "surname", "Мейер", "phone", landline), card("given", "Daniel", "surname", "Meyer", "phone", landline), doubt,
		},
		"a transliteration": {
			card("given", "Олена", "surname", "Коваль", "email", mailbox), card("given", "Olena", "surname", "Koval", "email", mailbox), one,
		},
		"a transliteration, by number": {
			card("given", "Тарас", "surname", "Бойко", "phone", landline), card("given", "Taras", "surname", "Boyko", "phone", landline), one,
		},
		"a transliteration of hard letters": {
			card("given", "Юрій", "surname", "Щербак", "email", mailbox), card("given", "Yuriy", "surname", "Shcherbak", "email", mailbox), one,
		},
		"a German transliteration": {
			card("given", "Наталья", "surname", "Шевченко", "email", mailbox), card("given", "Natalja", "surname", "Schewtschenko", "email", mailbox), one,
		},
		"a Greek transliteration": {
			card("given", "Γιώργος", "surname", "Παπαδόπουλος", "email", mailbox), card("given", "Giorgos", "surname", "Papadopoulos", "email", mailbox), one,
		},
		"a transliteration and an initial": {
			card("given", "Тарас", "surname", "Бойко", "email", mailbox), card("given", "T.", "surname", "Boiko", "email", mailbox), one,
		},
		"a transliteration, by company": {
			card("given", "Олена", "surname", "Коваль", "company", "Acme"), card("given", "Olena", "surname", "Koval", "company", "ACME"), one,
		},
		"a company and a person by the switchboard": {
			card("given", "Ann", "surname", "Lee", "phone", landline), card("company", "Harbor Office", "phone", landline), doubt,
		},
		"a company and a person by a mailbox": {
			card("given", "Bob", "surname", "Ray", "email", "info@example.com"), card("company", "Harbor Office", "email", "info@example.com"), doubt,
		},
		"a company and a person by both": {
			card("given", "Bob", "surname", "Ray", "email", "info@example.com", "phone", landline),
			card("company", "Harbor Office", "email", "info@example.com", "phone", landline), doubt,
		},
		"a company that is called so": {
			card("given", "Ann", "surname", "Lee", "phone", landline), card("given", "Harbor Office", "company", "Harbor Office", "phone", landline), doubt,
		},
		"no name, one key": {
			card("given", "Ann", "surname", "Lee", "email", mailbox), card("email", mailbox), doubt,
		},
		"no name, an address for a name": {
			card("given", "Ann", "surname", "Lee", "email", mailbox), card("given", mailbox, "email", mailbox), doubt,
		},
		"no name, address and number": {
			card("given", "Ann", "surname", "Lee", "email", mailbox, "phone", landline), card("email", mailbox, "phone", landline), one,
		},
		"no name on either side": {
			card("email", mailbox), card("email", mailbox), one,
		},
		"no name, one number, each with an address": {
			card("email", "anna@example.com", "phone", landline), card("email", "bert@example.com", "phone", landline), doubt,
		},
		"no name, an office's number, and somebody of it": {
			card("email", "office@example.com", "phone", landline), card("email", "bert@example.com", "phone", landline), doubt,
		},
		"father and son of one name": {
			card("given", "John", "surname", "Smith", "phone", landline, "birthday", "1950-01-02"),
			card("given", "John", "surname", "Smith", "phone", landline, "birthday", "1981-03-04"), doubt,
		},
		"a birthday with another day": {
			card("given", "John", "surname", "Smith", "phone", landline, "birthday", "1950-01-02"),
			card("given", "John", "surname", "Smith", "phone", landline, "birthday", "1950-02-01"), one,
		},
		"two companies with one number": {
			card("company", "Harbor Office", "phone", landline), card("company", "Mill Office", "phone", landline), doubt,
		},
		"father and son": {
			card("given", "John", "surname", "Smith", "phone", landline, "email", "john@example.com", "company", "Smith and Sons"),
			card("given", "John", "surname", "Smith", "suffix", "Jr.", "phone", landline, "email", "jr@example.com"), doubt,
		},
		"father and son, in the surname": {
			card("given", "John", "surname", "Smith", "phone", landline), card("given", "John", "surname", "Smith Jr.", "phone", landline), doubt,
		},
		"the second and the third": {
			card("given", "John", "surname", "Smith II", "email", mailbox), card("given", "John", "surname", "Smith", "suffix", "III", "email", mailbox), doubt,
		},
		"the son, his suffix in two places": {
			card("given", "John", "middle", "Smith", "surname", "Jr.", "phone", landline), card("given", "John", "surname", "Smith", "suffix", "Jr.", "phone", landline), one,
		},
		"titles on both sides": {
			card("given", "Dr. Jane", "surname", "Roe", "email", mailbox), card("given", "Jane", "surname", "Roe, PhD", "email", mailbox), one,
		},
		"a short form": {
			card("given", "Robert", "surname", "Smith", "email", mailbox, "phone", landline), card("given", "Bob", "surname", "Smith", "email", mailbox, "phone", landline), doubt,
		},
		"another surname": {
			card("given", "Anna", "surname", "Meyer", "email", "anna@example.com"), card("given", "Anna", "surname", "Kowalski", "email", "anna@example.com"), doubt,
		},
		"a fuller name": {
			card("given", "Anna", "surname", "Meyer", "email", mailbox), card("given", "Anna Maria", "surname", "Meyer", "email", mailbox), one,
		},
		"an initial": {
			card("given", "A.", "surname", "Meyer", "phone", landline), card("given", "Anna", "surname", "Meyer", "phone", landline), one,
		},
		"another initial": {
			card("given", "B.", "surname", "Meyer", "phone", landline), card("given", "Anna", "surname", "Meyer", "phone", landline), doubt,
		},
		"one word for two initials": {
			card("given", "Anna", "surname", "Adams", "email", mailbox), card("given", "A.", "surname", "Meyer", "email", mailbox), doubt,
		},
		"an apostrophe": {
			card("given", "В'ячеслав", "surname", "Мельник", "company", "Acme"), card("given", "В\u02bcячеслав", "surname", "Мельник", "company", "Acme"), one,
		},
		"a grave for an apostrophe": {
			card("given", "В\u0060ячеслав", "surname", "Мельник", "company", "Acme"), card("given", "В\u2019ячеслав", "surname", "Мельник", "company", "Acme"), one,
		},
		"another apostrophe": {
			card("given", "Pat", "surname", "O'Brien", "company", "Acme"), card("given", "Pat", "surname", "O\u2018Brien", "company", "Acme"), one,
		},
		"a dotless letter": {
			card("given", "AYSE", "surname", "YILDIZ", "company", "Acme"), card("given", "Ayşe", "surname", "Yıldız", "company", "Acme"), one,
		},
		"a stroke": {
			card("given", "Lukasz", "surname", "Los", "company", "Acme"), card("given", "Łukasz", "surname", "Łoś", "company", "Acme"), one,
		},
		"a slash": {
			card("given", "Søren", "surname", "Bø", "company", "Acme"), card("given", "Soren", "surname", "Bo", "company", "Acme"), one,
		},
		"an umlaut spelled out": {
			card("given", "Jürgen", "surname", "Müller", "company", "Acme"), card("given", "Juergen", "surname", "Mueller", "company", "Acme"), one,
		},
		"a sharp s": {
			card("given", "Anna", "surname", "Groß", "email", mailbox), card("given", "Anna", "surname", "GROSS", "email", mailbox), one,
		},
		"voiced and voiceless": {
			card("given", "一郎", "surname", "ヤマサキ", "email", mailbox), card("given", "一郎", "surname", "ヤマザキ", "email", mailbox), doubt,
		},
		"a name in one word": {
			card("given", "山田太郎", "email", mailbox), card("given", "太郎", "surname", "山田", "email", mailbox), doubt,
		},
		"a name in one word, in its order": {
			card("surname", "王伟", "email", mailbox), card("given", "王", "surname", "伟", "email", mailbox), one,
		},
		"a transliteration in one word": {
			card("surname", "王伟", "email", mailbox), card("surname", "Wang", "given", "Wei", "email", mailbox), doubt,
		},
		"a transliteration in one word, in its order": {
			card("surname", "王伟", "email", mailbox), card("given", "Wang", "surname", "Wei", "email", mailbox), one,
		},
		"a double name": {
			card("given", "Jean-Pierre", "surname", "Roux", "email", mailbox), card("given", "Jeanpierre", "surname", "Roux", "email", mailbox), one,
		},
		"an address of a type that the site added": {
			card("given", "Sue", "surname", "Reed", "other email", "sue@example.com"), card("given", "Sue", "surname", "Reed", "email", "sue@example.com"), one,
		},
		"an address of a type that the site added, another name": {
			card("given", "Sue", "surname", "Reed", "other email", "sue@example.com"), card("given", "Tom", "surname", "Hall", "email", "sue@example.com"), doubt,
		},
		"a number of a type that the site added, another spelling": {
			card("given", "Jean Pierre", "surname", "Dupont", "other phone", landline), card("given", "Jeanpierre", "surname", "Dupont", "phone", landline), one,
		},
		"a number of a type that the site added, another script": {
			card("given", "Γιώργος", "surname", "Παπαδόπουλος", "other phone", landline),
			card("given", "Giorgos", "surname", "Papadopoulos", "phone", landline), one,
		},
		"a number of a type that the site added, umlauts spelled out": {
			card("given", "Jürgen", "surname", "Müller", "other phone", landline), card("given", "Juergen", "surname", "Mueller", "phone", landline), one,
		},
		"a switchboard, and an initial": {
			card("given", "A.", "surname", "Dupont", "other phone", landline), card("given", "Anna", "surname", "Dupont", "phone", landline), two,
		},
		"a switchboard of a family": {
			card("given", "Anna", "surname", "Dupont", "other phone", landline), card("given", "Bert", "surname", "Dupont", "phone", landline), two,
		},
		"an office with one number": {
			card("given", "Grace", "surname", "Hopper", "phone", landline), card("given", "Alan", "surname", "Turing", "phone", landline), two,
		},
		"namesakes in one company": {
			card("given", "Anna", "surname", "Meyer", "company", "Acme"), card("given", "Anna", "surname", "Meyers", "company", "Acme"), two,
		},
		"one mailbox at googlemail.com": {
			card("given", "Sam", "surname", "Person", "email", "sample.person@googlemail.com"), card("given", "Sam", "surname", "Person", "email", "sample.person@gmail.com"), one,
		},
		"an address in a link": {
			card("given", "Tom", "surname", "Hall", "email", "mailto:tom@example.com"), card("given", "Tom", "surname", "Hall", "email", "tom@example.com"), one,
		},
		"an address with its name": {
			card("given", "Sue", "surname", "Reed", "email", "Sue Reed <sue@example.com>"), card("given", "Sue", "surname", "Reed", "email", "sue@example.com"), one,
		},
		"a domain with a sharp s": {
			card("given", "Sue", "surname", "Reed", "email", "info@faß.example"), card("given", "Sue", "surname", "Reed", "email", "info@fass.example"), two,
		},
		"a mailbox with a sharp s": {
			card("given", "Sue", "surname", "Reed", "email", "weiß@example.com"), card("given", "Sue", "surname", "Reed", "email", "weiss@example.com"), two,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, turned := range []bool{false, true} {
				c, g := tc.creatio, tc.google
				if turned {
					c, g = g, c
				}
				r := match.Find(contact.Match, []match.Item{c}, []match.Item{g})
				got := two
				switch {
				case len(r.Pairs) > 0:
					got = one
				case len(r.Doubts) > 0:
					got = doubt
				}
				if got != tc.want {
					t.Errorf("got %s, want %s (turned: %v): %s", got, tc.want, turned, describe(r))
				}
			}
		})
	}
}

// Two of a family have the mailbox of the one in Google: whose name is his, but for the suffix, is not him.
func TestMatch_asks_for_a_namesake_with_a_suffix_among_several(t *testing.T) {
	t.Parallel()
	family := []match.Item{
		card("given", "John", "surname", "Smith", "email", mailbox), card("given", "Jane", "surname", "Smith", "email", mailbox),
	}
	r := match.Find(contact.Match, family, []match.Item{card("given", "John", "surname", "Smith", "suffix", "Jr.", "email", mailbox)})
	if len(r.Pairs) > 0 || len(r.Doubts) == 0 {
		t.Errorf("got %s", describe(r))
	}
	r = match.Find(contact.Match, family, []match.Item{card("given", "John", "surname", "Smith", "email", mailbox)})
	if len(r.Pairs) != 1 {
		t.Errorf("without the suffix: got %s", describe(r))
	}
}
