package contact

import (
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/tandem-sync/tandem/shared/match"
	"github.com/tandem-sync/tandem/shared/record"
)

// The reasons by which two contacts are found to be one, strongest first.
const (
	ByEmail match.Reason = "e-mail"
	ByPhone match.Reason = "phone"
	ByName  match.Reason = "name and company"
)

// Match are the rules by which contacts that have no link yet are found to be the same person. A shared address or number
// says that they may be one; then their names have to agree.
var Match = match.Rules{
	Levels: []match.Level{
		{Reason: ByEmail, Keys: emailKeys, Least: match.Same},
		// A switchboard's number, or the family's: two names that have nothing in common are two people.
		{Reason: ByPhone, Keys: phoneKeys, Least: match.Same, Shared: true},
		{Reason: ByPhone, Keys: namedNumberKeys, Least: match.Same, Possible: sameFullName},
		{Reason: ByName, Keys: nameKeys, Least: match.Same},
		{Reason: ByName, Keys: soundKeys, Least: match.Same, Possible: twoScripts},
	},
	SameName: sameName,
	Compare:  compare,
}

// CandidateKeys are all by which a contact is found that may be the same as another one: addresses and numbers under any label, and
// the name however it is spelled. Contacts that share one are compared by Match.
func CandidateKeys(it match.Item) []string {
	var keys []string
	for _, k := range emailKeys(it) {
		keys = append(keys, "e"+k)
	}
	for _, e := range allOf(it, Phones) {
		number, _, _ := strings.Cut(PhoneKey(e.Text), ";")
		keys = append(keys, "p"+number)
	}
	for _, k := range numberKeys(allOf(it, Phones)) {
		keys = append(keys, "d"+k)
	}
	names := []record.Fields{it.Fields}
	if it.Fields.Text(MiddleName) != "" {
		short := maps.Clone(it.Fields)
		delete(short, MiddleName)
		names = append(names, short)
	}
	for _, f := range names {
		if n := nameOf(match.Item{Fields: f, Untracked: it.Untracked}); !n.isEmpty() {
			keys = append(keys, "n"+n.sorted(plain), "n"+n.sorted(spelled), "j"+joined(n)+n.suffix)
			for _, k := range n.soundKeysOf() {
				keys = append(keys, "s"+k)
			}
		}
	}
	return unique(keys)
}

// compare tells how likely two contacts that share an address or a number are one person.
func compare(a, b match.Item) match.Verdict {
	x, y := nameOf(a), nameOf(b)
	switch {
	case x.isEmpty() && y.isEmpty():
		return compareNameless(a, b)
	case (x.isEmpty() || y.isEmpty()) && calledAlike(a, b):
		return match.Same
	case x.isEmpty():
		return compareToNameless(b, a)
	case y.isEmpty():
		return compareToNameless(a, b)
	case generationApart(a, b):
		return min(compareNames(x, y), match.Doubtful)
	default:
		if v := compareNames(x, y); v != match.Same || !onlyByRole(a, b) || len(x.words) == len(y.words) || min(len(x.words), len(y.words)) > 1 {
			return v
		}
		return match.Doubtful
	}
}

// calledAlike reports whether two have the same for a name, although for one of them it is the company's as well: a business that
// is called as its owner is.
func calledAlike(a, b match.Item) bool {
	x, y := record.Fold(Title(nameFields(a))), record.Fold(Title(nameFields(b)))
	return x == y && len(nameFields(a)) > 0 && len(nameFields(b)) > 0
}

// nameFields are the fields of the name.
func nameFields(it match.Item) record.Fields {
	out := record.Fields{}
	for _, f := range []string{GivenName, MiddleName, Surname} {
		out.SetText(f, it.Fields.Text(f))
	}
	return out
}

// onlyByRole reports whether all that two share are mailboxes of a role, which an Anna has who is any of a company's Annas.
func onlyByRole(a, b match.Item) bool {
	addresses := shared(emailKeys(a), emailKeys(b))
	return len(addresses) > 0 && len(shared(numberKeys(allOf(a, Phones)), numberKeys(allOf(b, Phones)))) == 0 &&
		!slices.ContainsFunc(addresses, func(k string) bool { return !isRole(k) })
}

// compareNameless compares two of which neither has a name: they are one unless their companies differ, or all that they share is
// a number or a role's mailbox and each has an address of its own.
func compareNameless(a, b match.Item) match.Verdict {
	x, y := record.Fold(a.Fields.Text(Company)), record.Fold(b.Fields.Text(Company))
	if x != "" && y != "" && x != y {
		return match.Doubtful
	}
	own := func(it match.Item) []string { return slices.DeleteFunc(emailKeys(it), isRole) }
	for _, addresses := range []func(match.Item) []string{emailKeys, own} {
		if len(addresses(a)) > 0 && len(addresses(b)) > 0 && len(shared(addresses(a), addresses(b))) == 0 {
			return match.Doubtful
		}
	}
	return match.Same
}

// generation is about how many years are between parents and children.
const generation = 12

// earliest and latest are the years in which somebody may be born whom people still know: programs write 1604, 1899, 1900, 1904 or
// 9999 where nobody said a year.
const earliest, latest = 1905, 2100

// generationApart reports whether two were born so far apart that they are not one person, but may have one name, one number and one
// mailbox.
func generationApart(a, b match.Item) bool {
	born := func(it match.Item) (int, bool) {
		text := it.Fields.Text(Birthday)
		t, ok := ParseBirthday(text)
		return t.Year(), ok && !strings.HasPrefix(text, "--") && earliest <= t.Year() && t.Year() <= latest
	}
	x, ok := born(a)
	y, ok2 := born(b)
	return ok && ok2 && max(x, y)-min(x, y) >= generation
}

// compareToNameless compares a person with a contact that has no name: an address and a number together are enough, unless
// they are a company's own.
func compareToNameless(person, nameless match.Item) match.Verdict {
	numbers := shared(numberKeys(allOf(person, Phones)), numberKeys(allOf(nameless, Phones)))
	addresses := slices.DeleteFunc(shared(emailKeys(person), emailKeys(nameless)), func(address string) bool {
		return isRole(address) || isCompanys(address, nameless.Fields.Text(Company))
	})
	if len(numbers) > 0 && len(addresses) > 0 {
		return match.Same
	}
	return match.Doubtful
}

// roles are mailboxes that a company's people share.
var roles = func() map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(`info office contact contacts mail email post hello hi welcome sales support service services admin administration team help helpdesk
		billing accounts accounting hr jobs career careers marketing press media pr reception frontdesk enquiries inquiries orders order shop store booking bookings
		reservations noreply donotreply newsletter webmaster postmaster privacy legal finance invoice invoices purchasing procurement customerservice customercare
		secretary secretariat assistant general company staff all kontakt buero verkauf vertrieb einkauf zentrale empfang rezeption sekretariat rechnung buchhaltung
		bewerbung kundenservice kundendienst biuro sprzedaz obchod ventas contacto hola administracion contato vendas contatto vendite commerciale segreteria
		commercial compta accueil direction verkoop administratie bureau firma ofis poczta sklep recepcja receptie recepcion correo facturacion facturation
		faktura firmapost kundeservice kundtjanst salg zakaz prodazhi buh buhgalter kadry sekretar priem otdel abuse admin hostmaster root
		family familie familia famille famiglia familien rodina rodzina home haus maison casa`) {
		out[w] = true
	}
	return out
}()

// isRole reports whether an address is a role's, as office@, office.vienna@ and no-reply@.
func isRole(address string) bool {
	local, _, _ := strings.Cut(address, "@")
	first := strings.FieldsFunc(local, func(r rune) bool { return !unicode.IsLetter(r) })
	return len(first) > 0 && roles[first[0]] || roles[strings.Join(first, "")]
}

// isCompanys reports whether an address is that of a company, as acme@acme.example, or harbor@example.com of Harbor Office.
func isCompanys(address, company string) bool {
	letters := func(s string) string { return strings.ReplaceAll(record.Fold(s), " ", "") }
	local, domain, _ := strings.Cut(address, "@")
	name := letters(local)
	return name != "" && (strings.HasPrefix(letters(company), name) ||
		slices.ContainsFunc(strings.Split(domain, "."), func(label string) bool { return letters(label) == name }))
}

// shared are the keys that are in both lists.
func shared(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(k string) bool { return !slices.Contains(b, k) })
}

// allOf are the values of a field under any label.
func allOf(it match.Item, field string) []record.Entry {
	return slices.Concat(it.Fields[field], it.Untracked[field])
}

// emailKeys are the addresses under any label. A site may have made a type of its own for numbers, whose values are none.
func emailKeys(it match.Item) []string {
	var keys []string
	for _, e := range allOf(it, Emails) {
		if key := EmailKey(e.Text); strings.Contains(key, "@") || len(it.Fields[Emails]) > 0 && slices.ContainsFunc(it.Fields[Emails], e.Equal) {
			keys = append(keys, key)
		}
	}
	return unique(keys)
}

func phoneKeys(it match.Item) []string { return numberKeys(it.Fields[Phones]) }

func numberKeys(numbers []record.Entry) []string {
	var keys []string
	for _, e := range numbers {
		keys = append(keys, SubscriberKeys(e.Text)...)
	}
	return unique(keys)
}

// namedNumberKeys are the numbers under any label, each with every word of the name as it sounds: a fax or a switchboard is shared
// by many, of whom hardly two have one name.
func namedNumberKeys(it match.Item) []string {
	var names []string
	for _, w := range nameOf(it).words {
		names = append(slices.Concat(names, soundings(w)), soundings(word{plain: w.spelled})...)
	}
	names = slices.DeleteFunc(names, func(s string) bool { return s == "" })
	return products(names, numberKeys(allOf(it, Phones)))
}

// sameFullName tells whether two names of at least two whole words agree, in whatever spelling.
func sameFullName(a, b match.Item) bool {
	x, y := nameOf(a), nameOf(b)
	initial := func(w word) bool { return len([]rune(w.plain)) == 1 && script(w.plain) != "Han" }
	short := func(n name) bool { return len(n.words) < 2 || slices.ContainsFunc(n.words, initial) }
	return !short(x) && !short(y) && compareNames(x, y) == match.Same
}

// nameKeys are the name with the company.
func nameKeys(it match.Item) []string {
	return products(fullNames(nameOf(it)), companyKeys(it))
}

// soundKeys are the name as it sounds with the company: what two scripts have in common.
func soundKeys(it match.Item) []string {
	n := nameOf(it)
	if len(n.words) < 2 {
		return nil
	}
	return products(n.soundKeysOf(), companyKeys(it))
}

func twoScripts(a, b match.Item) bool {
	return !slices.Equal(nameOf(a).scripts(), nameOf(b).scripts())
}

func companyKeys(it match.Item) []string {
	if company := record.Fold(it.Fields.Text(Company)); company != "" {
		return []string{company}
	}
	return nil
}

// fullNames are the spellings of a name of at least two words.
func fullNames(n name) []string {
	if len(n.words) < 2 {
		return nil
	}
	return unique([]string{n.sorted(plain), n.sorted(spelled), joined(n) + n.suffix})
}

// products are all pairs of two lists.
func products(names, others []string) []string {
	var keys []string
	for _, n := range names {
		for _, o := range others {
			keys = append(keys, n+"|"+o)
		}
	}
	return unique(keys)
}

func sameName(a, b match.Item) bool {
	x, y := nameOf(a), nameOf(b)
	if x.isEmpty() || y.isEmpty() {
		return false
	}
	return x.sorted(plain) == y.sorted(plain) || x.sorted(spelled) == y.sorted(spelled)
}

func unique(keys []string) []string {
	slices.Sort(keys)
	return slices.Compact(keys)
}
