package worldtest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
	"google.golang.org/api/people/v1"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/record"
)

// Values that a side cannot show as they were written, values that were there before, and those of somebody else.
var (
	oddInCreatio = []act{
		{"thinks better of", 6, func(f *folk, r *rand.Rand) string { return f.thinksBetter(r, false) }},
		{"writes long notes about", 2, column("Notes", func(f *folk, r *rand.Rand) any { return longNotes(f, r) })},
		{"writes a title with marks of its own for", 1, column("JobTitle", func(f *folk, _ *rand.Rand) any { return f.value(norm.NFD.String("Job %04d Chargée")) })},
		{"spells a number or address anew of", 3, row("ContactCommunication", func(f *folk, r *rand.Rand, row map[string]any) {
			was := text(row["Number"])
			is := respelled(r, was)
			if row["CommunicationTypeId"] == skypeType || is == was {
				return
			}
			f.over(was)
			f.says(record.Creatio, f.whom, numberField(was), was, is)
			f.alive(is, is, was)
			f.must("", f.w.creatio.As("Ada").Update("ContactCommunication", fmt.Sprint(row["Id"]), map[string]any{"Number": is}))
		})},
		{"gives the number or address of another one to", 2, inCreatio(func(f *folk, r *rand.Rand, id string) bool {
			value := f.another(r)
			if value == "" || f.holds(record.Creatio, id, numberField(value)) != "" {
				return false
			}
			kind := phoneTypes["home"]
			if strings.Contains(value, "@") {
				kind = emailType
			}
			f.says(record.Creatio, f.whom, numberField(value), "", value)
			f.alive(value, value)
			f.insert("ContactCommunication", map[string]any{"ContactId": id, "CommunicationTypeId": kind, "Number": value})
			return true
		})},
	}
	oddInGoogle = []act{
		{"thinks better of", 6, func(f *folk, r *rand.Rand) string { return f.thinksBetter(r, false) }},
		{"writes a long job title for", 4, person(func(f *folk, _ *rand.Rand, p *people.Person) bool {
			was := organization(p).Title
			organization(p).Title = f.instead(was, "Job %04d "+strings.Repeat("t", 291))
			f.says(record.Google, f.whom, jobTitle, was, organization(p).Title)
			return true
		})},
		{"writes long notes about", 1, person(func(f *folk, r *rand.Rand, p *people.Person) bool {
			was := holdsInGoogle(f, p.ResourceName, notes, notes)
			f.over(was)
			is := f.value("note %04d " + strings.Repeat("n", 1500))
			f.says(record.Google, f.whom, notes, was, is)
			p.Biographies = []*people.Biography{{Value: is, ContentType: "TEXT_PLAIN"}}
			return true
		})},
		{"adds an address that no list has to", 4, person(func(f *folk, r *rand.Rand, p *people.Person) bool {
			a := &people.Address{Type: kindOf(r, addressTypes)}
			switch r.IntN(3) {
			case 0:
				a.StreetAddress, a.City, a.Country = f.value("%04d Elm Street"), "Atlantis", "Mu"
			case 1:
				a.StreetAddress, a.City, a.Country = f.value("%04d Elm Street"), "Atlantis", "Norway"
			default:
				a.StreetAddress, a.Country = f.value("%04d Elm Street "+strings.Repeat("s", 520)), "Norway"
			}
			f.says(record.Google, f.whom, streetField(a.StreetAddress), "", addressText(a))
			p.Addresses = append(p.Addresses, a)
			return true
		})},
		{"spells a number or address anew of", 3, person(func(f *folk, r *rand.Rand, p *people.Person) bool {
			var all []*string
			for _, e := range p.EmailAddresses {
				all = append(all, &e.Value)
			}
			for _, n := range p.PhoneNumbers {
				if n.Type == "yacht" {
					continue
				}
				all = append(all, &n.Value)
			}
			if len(all) == 0 {
				return false
			}
			value := all[r.IntN(len(all))]
			was, is := *value, respelled(r, *value)
			if is == was {
				return false
			}
			f.over(was)
			f.says(record.Google, f.whom, numberField(was), was, is)
			f.alive(is, is, was)
			*value = is
			return true
		})},
		{"gives the number or address of another one to", 2, person(func(f *folk, r *rand.Rand, p *people.Person) bool {
			value := f.another(r)
			if value == "" || f.holds(record.Google, p.ResourceName, numberField(value)) != "" {
				return false
			}
			f.says(record.Google, f.whom, numberField(value), "", value)
			f.alive(value, value)
			if strings.Contains(value, "@") {
				p.EmailAddresses = append(p.EmailAddresses, &people.EmailAddress{Value: value, Type: "home"})
			} else {
				p.PhoneNumbers = append(p.PhoneNumbers, &people.PhoneNumber{Value: value, Type: "home"})
			}
			return true
		})},
	}
)

// addressText is an address in Google as words have it.
func addressText(a *people.Address) string {
	return strings.Join(slices.DeleteFunc([]string{a.StreetAddress, a.PostalCode, a.City, a.Region, a.Country}, func(s string) bool { return s == "" }), "|")
}

// longNotes are such as Google has no room for, once in a while, since they are long.
func longNotes(f *folk, r *rand.Rand) string {
	if r.IntN(6) > 0 {
		return f.value("note %04d " + strings.Repeat("n", 1500))
	}
	return f.value("note %04d " + strings.Repeat("n", 101_000))
}

// respelled is a number or an e-mail address in another spelling.
func respelled(r *rand.Rand, value string) string {
	if strings.Contains(value, "@") {
		if upper := strings.ToUpper(value); upper != value {
			return upper
		}
		return strings.ToLower(value)
	}
	key := contact.SubscriberKey(value)
	if len(key) != 9 {
		return value
	}
	digits := "2" + key
	return fmt.Sprintf([...]string{"+1%s%s%s", "+1 (%s) %s-%s", "(%s) %s-%s", "001 %s %s %s"}[r.IntN(4)], digits[:3], digits[3:6], digits[6:])
}

// another is a number or an e-mail address of somebody else. Who shares it never has the same name.
func (f *folk) another(r *rand.Rand) string {
	var all []string
	for value := range f.live {
		if (strings.HasPrefix(value, "+1202555") || strings.Contains(value, "@example.com")) && len(f.of[value]) > 0 && !strings.HasPrefix(value, "+12025550000") {
			owner := f.of[value][0]
			if f.root(owner) != f.root(f.whom) && len(f.holders(record.Creatio, owner))+len(f.holders(record.Google, owner)) > 0 {
				all = append(all, value)
			}
		}
	}
	if len(all) == 0 {
		return ""
	}
	slices.Sort(all)
	value := all[r.IntN(len(all))]
	if key := numberField(value); f.shared[key] == "" {
		f.shared[key] = f.of[value][0]
	}
	return value
}

// unshare takes what people share from all but the one who had it first: who has something in common with somebody else, and
// no counterpart yet, is left alone until then.
func (f *folk) unshare() {
	site, account := f.w.creatio.As("Ada"), f.w.google.Account(ada)
	foreign := func(value, name string) bool {
		first := f.shared[numberField(value)]
		return first != "" && f.root(first) != f.root(name)
	}
	for _, r := range f.w.creatio.System().Rows("ContactCommunication", nil) {
		if id := text(r["ContactId"]); foreign(text(r["Number"]), f.nameInCreatio(id)) && f.foreign[record.Creatio][id] == "" {
			f.says(record.Creatio, f.nameInCreatio(id), numberField(text(r["Number"])), text(r["Number"]), "")
			f.must("", site.Delete("ContactCommunication", text(r["Id"])))
		}
	}
	for _, id := range f.people() {
		account.Edit(id, func(p *people.Person) {
			name := nameInGoogle(p)
			p.PhoneNumbers = slices.DeleteFunc(p.PhoneNumbers, func(n *people.PhoneNumber) bool {
				f.lose(name, n.Value, foreign)
				return foreign(n.Value, name)
			})
			p.EmailAddresses = slices.DeleteFunc(p.EmailAddresses, func(e *people.EmailAddress) bool {
				f.lose(name, e.Value, foreign)
				return foreign(e.Value, name)
			})
		})
	}
}

func (f *folk) lose(name, value string, foreign func(string, string) bool) {
	if foreign(value, name) && f.words[name][numberField(value)] != nil {
		f.words[name][numberField(value)].contested = true
	}
}
