package worldtest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
	"google.golang.org/api/people/v1"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/match"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// word is what people wrote last into a field of a contact. As long as nobody on the other side wrote there too since both
// sides agreed, it is what both sides show in the end.
type word struct {
	side record.Side
	// text is what was written, empty where the value was taken away; former is what showed there before.
	text, former string
	// contested says that both sides wrote since they agreed.
	contested bool
	// unheard says that a run wrote it to the other side and never heard the answer.
	unheard bool
}

// The fields of words: those with one value, and whether a contact is in scope. A value of a set is one of its own, named by
// the set and the value's key.
const (
	jobTitle = contact.JobTitle
	notes    = contact.Notes
	scope    = "scope"
	joined   = "joined"
	left     = "left"
)

func phoneField(number string) string { return contact.Phones + "|" + contact.SubscriberKey(number) }
func emailField(email string) string  { return contact.Emails + "|" + contact.EmailKey(email) }
func streetField(street string) string {
	return contact.Addresses + "|" + strings.Join(strings.Fields(strings.ReplaceAll(street, ",", " "))[:1], "")
}

// numberField is the field of a number or an e-mail address.
func numberField(text string) string {
	if strings.Contains(text, "@") {
		return emailField(text)
	}
	return phoneField(text)
}

// says notes what somebody is about to write, before it is there.
func (f *folk) says(side record.Side, name, field, was, text string) {
	if f.words == nil || name == "" || field == phoneField("") {
		return
	}
	if f.words[name] == nil {
		f.words[name] = map[string]*word{}
	}
	w := f.words[name][field]
	switch {
	case w == nil:
		w = &word{side: side}
		f.words[name][field] = w
	case !f.during && f.settled(name, field):
		w.contested, w.unheard = false, false
	case w.side != side:
		w.contested = true
	}
	if w.unheard && w.side == side && text == w.former && text != w.text {
		f.w.counts("a return to the former value, after a write of which nobody heard")
	}
	if field == scope && f.unheardMove && was != text {
		f.w.counts("somebody in again or out again, after a move of which nobody heard")
	}
	w.side, w.former, w.text = side, was, text
}

// unsay is for what happens to a contact as a whole: nobody's last word about it counts until both sides agree again.
func (f *folk) unsay(names ...string) {
	if f.words == nil {
		return
	}
	for _, name := range names {
		if f.words[name] == nil {
			f.words[name] = map[string]*word{}
		}
		for _, field := range []string{jobTitle, notes, scope} {
			if f.words[name][field] == nil {
				f.words[name][field] = &word{}
			}
		}
		for _, w := range f.words[name] {
			w.contested = true
		}
	}
}

// holders are the ids of the contacts of a family name.
func (f *folk) holders(side record.Side, name string) (ids []string) {
	if side == record.Google {
		for _, p := range f.w.google.Account(ada).People() {
			if nameInGoogle(p) == name {
				ids = append(ids, p.ResourceName)
			}
		}
		return ids
	}
	for _, c := range f.w.creatio.System().Rows("Contact", nil) {
		if familyName.FindString(fmt.Sprint(c["Surname"])) == name {
			ids = append(ids, fmt.Sprint(c["Id"]))
		}
	}
	return ids
}

// holds is what a contact shows in a field of a word.
func (f *folk) holds(side record.Side, id, field string) string {
	set, _, _ := strings.Cut(field, "|")
	if side == record.Google {
		return holdsInGoogle(f, id, set, field)
	}
	s := f.w.creatio.System()
	c := s.Get("Contact", id)
	switch set {
	case jobTitle:
		return text(c["JobTitle"])
	case notes:
		return text(c["Notes"])
	case scope:
		return map[bool]string{true: joined, false: left}[len(f.tagged(id)) > 0]
	case contact.Addresses:
		for _, r := range s.Rows("ContactAddress", map[string]any{"ContactId": id}) {
			if streetField(text(r["Address"])) == field {
				if text(r["CountryId"]) == lists[6].id {
					return text(r["Address"]) + "|" + lists[6].name
				}
				return text(r["Address"])
			}
		}
	default:
		for _, r := range s.Rows("ContactCommunication", map[string]any{"ContactId": id}) {
			if numberField(text(r["Number"])) == field {
				return text(r["Number"])
			}
		}
	}
	return ""
}

func text(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

func holdsInGoogle(f *folk, id, set, field string) string {
	p := f.w.google.Account(ada).Person(id)
	switch set {
	case jobTitle:
		if len(p.Organizations) > 0 {
			return p.Organizations[0].Title
		}
	case notes:
		if len(p.Biographies) > 0 {
			return p.Biographies[0].Value
		}
	case scope:
		g := f.group()
		return map[bool]string{true: joined, false: left}[g != "" && slices.Contains(f.w.google.Account(ada).Members(g), id)]
	case contact.Addresses:
		for _, a := range p.Addresses {
			if streetField(a.StreetAddress) == field {
				return addressText(a)
			}
		}
	case contact.Phones:
		for _, n := range p.PhoneNumbers {
			if phoneField(n.Value) == field && n.Type != "yacht" {
				return n.Value
			}
		}
	case contact.Emails:
		for _, e := range p.EmailAddresses {
			if emailField(e.Value) == field {
				return e.Value
			}
		}
	}
	return ""
}

// form is how a side shows a text that was written on the other one.
func form(side record.Side, field, text string) string {
	text = strings.TrimSpace(norm.NFC.String(strings.ReplaceAll(text, "\r\n", "\n")))
	switch set, _, _ := strings.Cut(field, "|"); {
	case side == record.Creatio && set == jobTitle && len([]rune(text)) > 250:
		return strings.TrimSpace(string([]rune(text)[:250]))
	case side == record.Google && set == notes && len(text) > 100_000:
		return strings.TrimSpace(strings.ToValidUTF8(text[:100_000], ""))
	case side == record.Creatio && set == contact.Addresses:
		// What no list has goes into the text, which is cut.
		text, known := strings.CutSuffix(text, "|"+lists[6].name)
		if text = strings.ReplaceAll(text, "|", ", "); len(text) > 500 {
			text = strings.TrimSpace(text[:500])
		}
		if known {
			text += "|" + lists[6].name
		}
		return text
	default:
		return text
	}
}

// settled reports whether both sides agree on a field, and a run has written that down.
func (f *folk) settled(name, field string) bool {
	c, g := f.holders(record.Creatio, name), f.holders(record.Google, name)
	if len(c) != 1 || len(g) != 1 {
		return false
	}
	links, err := f.w.store.User(f.w.user).LinksBy(f.w.t.Context(), record.Contacts, record.Creatio, c)
	if err != nil {
		f.w.t.Error(err)
	}
	i := slices.IndexFunc(links, func(l store.Link) bool { return l.GoogleID == g[0] })
	if i < 0 || links[i].Unfinished() {
		return false
	}
	inCreatio, inGoogle := f.holds(record.Creatio, c[0], field), f.holds(record.Google, g[0], field)
	set, _, isSet := strings.Cut(field, "|")
	switch {
	case field == scope:
		return inCreatio == inGoogle && links[i].Active == (inCreatio == joined)
	case isSet:
		known := slices.ContainsFunc(links[i].Base[set], func(e record.Entry) bool {
			switch set {
			case contact.Addresses:
				return streetField(e.Parts[contact.Street]+" "+e.Text) == field
			default:
				return numberField(e.Text) == field && form("", "", inCreatio) == form("", "", e.Text) && form("", "", inGoogle) == form("", "", e.Text)
			}
		})
		return known == (inCreatio != "") && known == (inGoogle != "")
	default:
		base := links[i].Base.Text(field)
		return form(record.Creatio, field, base) == form(record.Creatio, field, inCreatio) && form(record.Google, field, base) == form(record.Google, field, inGoogle)
	}
}

// stand compares what people wrote last with what shows where they wrote it: nothing but another word may change that.
func (f *folk) stand(when string) {
	for _, name := range slices.Sorted(maps.Keys(f.words)) {
		for _, field := range slices.Sorted(maps.Keys(f.words[name])) {
			w := f.words[name][field]
			ids := f.holders(w.side, name)
			if w.contested || len(ids) != 1 {
				continue
			}
			if is := f.holds(w.side, ids[0], field); form(w.side, "", is) != form(w.side, "", w.text) {
				f.w.t.Errorf("%s %s of %s is %q in %s, where somebody wrote %q", when, field, name, short(is), w.side, short(w.text))
			}
		}
	}
}

// lastWords finds last words that are not what both sides show in the end, each in its form.
func (f *folk) lastWords() {
	f.stand("in the end the")
	for _, name := range slices.Sorted(maps.Keys(f.words)) {
		c, g := f.holders(record.Creatio, name), f.holders(record.Google, name)
		if len(c) != 1 || len(g) != 1 {
			continue
		}
		ids := map[record.Side]string{record.Creatio: c[0], record.Google: g[0]}
		together := f.holds(record.Creatio, c[0], scope) == joined && f.holds(record.Google, g[0], scope) == joined
		for _, field := range slices.Sorted(maps.Keys(f.words[name])) {
			w := f.words[name][field]
			if w.contested || field != scope && !together {
				continue
			}
			other := w.side.Other()
			if is, want := f.holds(other, ids[other], field), form(other, field, w.text); form(other, "", is) != want {
				f.w.t.Errorf("in the end the %s of %s is %q in %s; the last word, in %s, was %q", field, name, short(is), other, w.side, short(w.text))
			}
		}
	}
}

func short(text string) string {
	if len(text) > 60 {
		return fmt.Sprintf("%s… (%d)", text[:60], len(text))
	}
	return text
}

// put writes a value into the one contact of a family name, and reports whether there is one.
func (f *folk) put(side record.Side, name, field, value string) bool {
	ids := f.holders(side, name)
	if len(ids) != 1 || f.foreign[side][ids[0]] != "" {
		return false
	}
	id, was := ids[0], f.holds(side, ids[0], field)
	set, _, _ := strings.Cut(field, "|")
	if field == scope {
		return was != value && f.move(side, id, value)
	}
	if set == contact.Addresses || set != jobTitle && set != notes && (was != "" || value == "") {
		return false
	}
	f.whom = name
	f.says(side, name, field, was, value)
	if was != "" {
		f.over(was)
	}
	if value != "" {
		f.alive(value, append(f.forms[value], strings.ReplaceAll(norm.NFC.String(value), "\n", `\n`))...)
	}
	if side == record.Creatio {
		s := f.w.creatio.As("Ada")
		switch set {
		case jobTitle:
			f.must("", s.Update("Contact", id, map[string]any{"JobTitle": value}))
		case notes:
			f.must("", s.Update("Contact", id, map[string]any{"Notes": value}))
		case contact.Phones:
			f.insert("ContactCommunication", map[string]any{"ContactId": id, "CommunicationTypeId": phoneTypes["home"], "Number": value})
		case contact.Emails:
			f.insert("ContactCommunication", map[string]any{"ContactId": id, "CommunicationTypeId": emailType, "Number": value})
		}
		return true
	}
	return f.w.google.Account(ada).Edit(id, func(p *people.Person) {
		switch set {
		case jobTitle:
			organization(p).Title = value
		case notes:
			p.Biographies = nil
			if value != "" {
				p.Biographies = []*people.Biography{{Value: value, ContentType: "TEXT_PLAIN"}}
			}
		case contact.Phones:
			p.PhoneNumbers = append(p.PhoneNumbers, &people.PhoneNumber{Value: value, Type: "home"})
		case contact.Emails:
			p.EmailAddresses = append(p.EmailAddresses, &people.EmailAddress{Value: value, Type: "home"})
		}
	})
}

// move takes a contact into scope or out of it.
func (f *folk) move(side record.Side, id, to string) bool {
	switch {
	case side == record.Creatio && to == joined:
		f.tag(id)
	case side == record.Creatio:
		f.untag(id)
	case f.group() == "":
		return false
	case to == joined:
		f.join(id, f.group())
	default:
		return f.takeOut(id)
	}
	return true
}

// untag takes a contact's tag off.
func (f *folk) untag(id string) {
	name := f.nameInCreatio(id)
	for _, l := range f.tagged(id) {
		f.says(record.Creatio, name, scope, joined, left)
		f.must("", f.w.creatio.As("Ada").Delete("ContactInTag", fmt.Sprint(l["Id"])))
		f.somebody(name).out = true
	}
}

// takeOut takes a contact out of the group, and reports whether it was in it.
func (f *folk) takeOut(id string) bool {
	g, account := f.group(), f.w.google.Account(ada)
	if g == "" || !slices.Contains(account.Members(g), id) {
		return false
	}
	name := nameInGoogle(account.Person(id))
	f.says(record.Google, name, scope, joined, left)
	f.somebody(name).out = true
	return account.RemoveFromGroup(id, g)
}

// thinksBetter has somebody set a value back to what it was before; where unheard, one of which a run wrote something and
// never heard of it.
func (f *folk) thinksBetter(r *rand.Rand, unheard bool) string {
	type at struct{ name, field string }
	var all []at
	for _, name := range slices.Sorted(maps.Keys(f.words)) {
		for _, field := range slices.Sorted(maps.Keys(f.words[name])) {
			w := f.words[name][field]
			if w.side != "" && w.former != w.text && (!unheard || w.unheard || field == scope && f.unheardMove) {
				all = append(all, at{name, field})
			}
		}
	}
	if len(all) == 0 {
		return ""
	}
	a := all[r.IntN(len(all))]
	w := f.words[a.name][a.field]
	side := w.side
	if !f.put(side, a.name, a.field, w.former) {
		return ""
	}
	return fmt.Sprintf("the %s of %s to %q in %s", a.field, a.name, short(f.words[a.name][a.field].text), side)
}

// unheard notes of which words a run wrote to a side and never heard the answer.
func (f *folk) unheard(side record.Side, sent string) {
	sent = norm.NFC.String(sent)
	f.unheardMove = f.unheardMove || strings.Contains(sent, "ContactInTag") || strings.Contains(sent, "resourceNamesTo") || strings.Contains(sent, "emberships")
	for name, fields := range f.words {
		for field, w := range fields {
			if field == scope || w.side == side || w.text == "" || w.contested || !strings.Contains(sent, norm.NFC.String(head(w.text))) || f.settled(name, field) {
				continue
			}
			w.unheard = true
			if form(side, field, w.text) != form("", "", w.text) {
				set, _, _ := strings.Cut(field, "|")
				f.w.counts("a value of " + set + " that the side had to change, in a write of which nobody heard")
			}
		}
	}
}

// head is by what a value is known that may be cut.
func head(value string) string {
	if len(value) < 100 {
		return value
	}
	return strings.Join(strings.SplitN(value, " ", 3)[:2], " ")
}

// family is a new family name, given a new first name. No two are spellings of one.
func (f *folk) family() string {
	f.made++
	return fmt.Sprintf("%s%04d", f.word(8), f.made)
}

func (f *folk) given() string {
	f.made++
	name := f.word(9)
	f.alive(name, name)
	return name
}

// givenOf is the first name that a contact has from the beginning, on either side: whose names do not agree is not matched.
func (f *folk) givenOf(name string) string {
	if f.givens[name] == "" {
		f.givens[name] = f.given()
	}
	return f.givens[name]
}

func (f *folk) word(length int) string {
	r := rand.New(rand.NewPCG(f.w.seed, uint64(f.made)))
	for {
		var b strings.Builder
		for i := range length {
			letters := "bcdfghjklmnprstvwz"
			if i%2 == 1 {
				letters = "aeiou"
			}
			b.WriteByte(letters[r.IntN(len(letters))])
		}
		name := strings.ToUpper(b.String()[:1]) + b.String()[1:]
		if !slices.ContainsFunc(f.names, func(other string) bool { return !contradict(name, other) }) {
			f.names = append(f.names, name)
			return name
		}
	}
}

func contradict(a, b string) bool {
	named := func(name string) match.Item {
		out := record.Fields{}
		out.SetText(contact.GivenName, name)
		return match.Item{Fields: out}
	}
	return contact.Match.Compare(named(a), named(b)) == match.Other
}

// related notes that somebody made one contact of two, or two of one.
func (f *folk) related(a, b string) { f.kin[f.root(a)] = f.root(b) }

func (f *folk) root(name string) string {
	for f.kin[name] != "" && f.kin[name] != name {
		name = f.kin[name]
	}
	return name
}

// apart finds contacts that have something of somebody else: two people of whom a run made one.
func (w *world) apart() {
	f := w.folk
	for _, side := range record.Sides {
		for name := range w.names(side) {
			for _, id := range f.holders(side, name) {
				shown := f.shown(side, id)
				for value, of := range f.of {
					mine := slices.ContainsFunc(of, func(owner string) bool { return owner == "" || f.root(owner) == f.root(name) })
					if !mine && strings.Contains(shown, value) {
						w.t.Errorf("%s: %s has %q of %v", side, name, short(value), of)
					}
				}
			}
		}
	}
}

// doubled finds numbers and addresses that one contact has twice, though nobody edited them on both sides.
func (w *world) doubled() {
	f := w.folk
	for _, side := range record.Sides {
		for name := range w.names(side) {
			for _, id := range f.holders(side, name) {
				n := map[string]int{}
				if side == record.Google {
					p := w.google.Account(ada).Person(id)
					for _, a := range p.Addresses {
						n[streetField(a.StreetAddress)]++
					}
					for _, e := range p.EmailAddresses {
						n[emailField(e.Value)]++
					}
					for _, e := range p.PhoneNumbers {
						n[phoneField(e.Value)]++
					}
				} else {
					for _, r := range w.creatio.System().Rows("ContactAddress", map[string]any{"ContactId": id}) {
						n[streetField(text(r["Address"]))]++
					}
					for _, r := range w.creatio.System().Rows("ContactCommunication", map[string]any{"ContactId": id}) {
						n[numberField(text(r["Number"]))]++
					}
				}
				for field, times := range n {
					if known := f.words[name][field]; times > 1 && known != nil && !known.contested {
						w.t.Errorf("%s: %s has %s %d times", side, name, field, times)
					}
				}
			}
		}
	}
}
