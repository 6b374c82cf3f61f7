package worldtest

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
	"google.golang.org/api/people/v1"

	"github.com/tandem-sync/tandem/shared/record"
)

// folk are the people who edit on both sides, and what is known of their doing. Every value that somebody writes is
// another one, so that it can be looked for, but where somebody sets a value back to what it was or shares it with somebody
// else. Everybody whom they write about is known by a family name of their own, and no two names are spellings of one.
type folk struct {
	w    *world
	made int
	// during says that a run is under way.
	during bool
	// live are the values that somebody wrote and nobody has changed or taken away since, with their spellings.
	live map[string][]string
	// written is when.
	written map[string]time.Time
	// foreign are contacts that nobody may touch, as they are.
	foreign map[record.Side]map[string]string
	// about are the contacts by family name.
	about map[string]*somebody
	album *album
	// whom is the family name of the contact that is being edited; of are the family names of those about whom a value was
	// written, and kin those of whose contacts somebody made one.
	whom string
	of   map[string][]string
	kin  map[string]string
	// names are the words that names are made of, and givens the first names by family name.
	names  []string
	givens map[string]string
	// forms are the spellings of all that was ever written; words are what people wrote last, where a world asks for that.
	forms map[string][]string
	words map[string]map[string]*word
	// unheardMove says that a run moved contacts into scope or out of it and never heard the answer.
	unheardMove bool
	// shared are the numbers and e-mail addresses that more than one contact has, with the family name of the first of them.
	shared map[string]string
}

// somebody is what people did about a contact.
type somebody struct {
	// in says that it was ever brought into scope; out that it was ever taken out of it, on either side.
	in, out bool
	// twice is how many more than one of it people made on a side.
	twice map[record.Side]int
}

func newFolk(w *world) *folk {
	return &folk{
		w: w, live: map[string][]string{}, written: map[string]time.Time{}, about: map[string]*somebody{}, album: newAlbum(),
		of: map[string][]string{}, kin: map[string]string{}, givens: map[string]string{}, forms: map[string][]string{}, shared: map[string]string{},
		foreign: map[record.Side]map[string]string{record.Creatio: {}, record.Google: {}},
	}
}

// familyName is how a contact is known through all that is edited of it.
var familyName = regexp.MustCompile(`[A-Z][a-z]{7}\d{4}`)

func (f *folk) somebody(name string) *somebody {
	if f.about[name] == nil {
		f.about[name] = &somebody{twice: map[record.Side]int{}}
	}
	return f.about[name]
}

// unmet reports whether a contact in Google has one in Creatio, and no run has written down yet that the two are one.
func (f *folk) unmet(id string) bool {
	links, err := f.w.store.User(f.w.user).LinksBy(f.w.t.Context(), record.Contacts, record.Google, []string{id})
	if err != nil {
		f.w.t.Error(err)
	}
	return len(links) == 0 && f.w.names(record.Creatio)[nameInGoogle(f.w.google.Account(ada).Person(id))] > 0
}

// value is a new text, which is live from now on.
func (f *folk) value(format string) string {
	f.made++
	text := fmt.Sprintf(format, f.made)
	f.alive(text, norm.NFC.String(text))
	return text
}

// alive notes that somebody has written something, in one of some spellings.
func (f *folk) alive(text string, spellings ...string) {
	f.forms[text] = spellings
	f.live[text], f.written[text] = spellings, time.Now()
	if !slices.Contains(f.of[text], f.whom) {
		f.of[text] = append(f.of[text], f.whom)
	}
}

// day is a new birthday.
func (f *folk) day() time.Time {
	f.made++
	d := time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, f.made*3)
	text := d.Format(time.DateOnly)
	f.alive(text, text, fmt.Sprintf(`"day":%d,"month":%d,"year":%d`, d.Day(), int(d.Month()), d.Year()))
	return d
}

// over ends the values that a text shows: somebody saw them, and changed them or took them away.
func (f *folk) over(seen string) {
	seen = norm.NFC.String(seen)
	for value, spellings := range f.live {
		if slices.ContainsFunc(append(spellings, head(value)), func(s string) bool { return strings.Contains(seen, s) }) {
			delete(f.live, value)
		}
	}
}

func encode(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

// The rows of Creatio's lists that contacts point to, and their names.
var lists = []struct{ entity, id, name string }{
	{"Department", "d0000000-0000-4000-8000-000000000001", "Sales"},
	{"Department", "d0000000-0000-4000-8000-000000000002", "Lab"},
	{"ContactSalutationType", "d0000000-0000-4000-8000-000000000003", "Dr."},
	{"ContactSalutationType", "d0000000-0000-4000-8000-000000000004", "Ms."},
	{"Account", "d0000000-0000-4000-8000-000000000005", "Acme"},
	{"Account", "d0000000-0000-4000-8000-000000000006", "Globex"},
	{"Country", "d0000000-0000-4000-8000-000000000007", "Norway"},
}

// lists makes those rows.
func (w *world) lists() {
	for _, l := range lists {
		if _, err := w.creatio.System().Insert(l.entity, map[string]any{"Id": l.id, "Name": l.name}); err != nil {
			w.t.Fatal(err)
		}
	}
}

// Types of rows in Creatio by kind.
var (
	phoneTypes = map[string]string{
		"work": "3dddb3cc-53ee-49c4-a71f-e9e257f59e49", "home": "0da6a26b-d7bc-df11-b00f-001d60e938c6",
		"mobile": "d4a2dc80-30ca-df11-9b2a-001d60e938c6", "other": "21c0d693-9a52-43fa-b7f1-c6d8b53975d4",
	}
	addressTypes = map[string]string{"home": "4f8b2d67-71d0-45fb-897e-cd4a308a97c0", "work": "fb7a3f6a-f36b-1410-6f81-1c6f65e50343"}
	emailType    = "ee1c85c3-cfcb-df11-9b2a-001d60e938c6"
	skypeType    = "09e4bda6-cfcb-df11-9b2a-001d60e938c6"
)

func kindOf(r *rand.Rand, kinds map[string]string) string {
	names := make([]string, 0, len(kinds))
	for name := range kinds {
		names = append(names, name)
	}
	slices.Sort(names)
	return names[r.IntN(len(names))]
}

// must is for edits that no service can have anything against.
func (f *folk) must(id string, err error) string {
	if err != nil {
		f.w.t.Errorf("somebody cannot edit: %v", err)
	}
	return id
}

// inCreatio makes a contact.
func (f *folk) inCreatio(tagged bool) string {
	f.whom = f.family()
	return f.namedInCreatio(f.whom, f.value("p%04d@example.com"), tagged)
}

func (f *folk) namedInCreatio(name, email string, tagged bool) string {
	s := f.w.creatio.As("Ada")
	f.whom = name
	job := f.value("Job %04d")
	id := f.must(s.Insert("Contact", map[string]any{"Name": "Given " + name, "JobTitle": job}))
	f.says(record.Creatio, name, jobTitle, "", job)
	// The site takes a whole name apart, whatever parts come with it.
	f.must("", s.Update("Contact", id, map[string]any{"GivenName": f.givenOf(name)}))
	f.says(record.Creatio, name, emailField(email), "", email)
	f.insert("ContactCommunication", map[string]any{"ContactId": id, "CommunicationTypeId": emailType, "Number": email})
	if f.somebody(name); tagged {
		f.tag(id)
	}
	return id
}

func (f *folk) insert(entity string, values map[string]any) {
	f.must(f.w.creatio.As("Ada").Insert(entity, values))
}

func (f *folk) tag(contact string) {
	name := f.nameInCreatio(contact)
	if len(f.tagged(contact)) == 0 {
		f.says(record.Creatio, name, scope, left, joined)
		f.insert("ContactInTag", map[string]any{"TagId": f.w.tag, "EntityId": contact})
	}
	f.somebody(name).in = true
}

// tagged are the links of a contact to the tag.
func (f *folk) tagged(contact string) []map[string]any {
	return f.w.creatio.As("Ada").Rows("ContactInTag", map[string]any{"TagId": f.w.tag, "EntityId": contact})
}

func (f *folk) nameInCreatio(contact string) string {
	return familyName.FindString(fmt.Sprint(f.w.creatio.System().Get("Contact", contact)["Surname"]))
}

// inGoogle makes a contact.
func (f *folk) inGoogle(group string) string {
	f.whom = f.family()
	return f.namedInGoogle(f.whom, f.value("p%04d@example.com"), group)
}

func (f *folk) namedInGoogle(name, email, group string) string {
	f.whom = name
	job := f.value("Job %04d")
	f.says(record.Google, name, jobTitle, "", job)
	f.says(record.Google, name, emailField(email), "", email)
	id := f.w.google.Account(ada).Add(&people.Person{
		Names:          []*people.Name{{GivenName: f.givenOf(name), FamilyName: name}},
		EmailAddresses: []*people.EmailAddress{{Value: email, Type: "work"}},
		Organizations:  []*people.Organization{{Title: job}},
	})
	if f.somebody(name); group != "" {
		f.join(id, group)
	}
	return id
}

func (f *folk) join(person, group string) {
	name := nameInGoogle(f.w.google.Account(ada).Person(person))
	if !slices.Contains(f.w.google.Account(ada).Members(group), person) {
		f.says(record.Google, name, scope, left, joined)
	}
	if f.w.google.Account(ada).AddToGroup(person, group) {
		f.somebody(name).in = true
	}
}

func nameInGoogle(p *people.Person) string {
	if p == nil || len(p.Names) == 0 {
		return ""
	}
	return familyName.FindString(p.Names[0].FamilyName)
}

// group is the resource name of the group that the sync made, empty where it is not there.
func (f *folk) group() string {
	d, err := f.w.store.User(f.w.user).Sync(f.w.t.Context(), record.Contacts)
	if err != nil {
		f.w.t.Error(err)
	}
	for _, g := range f.w.google.Account(ada).Groups() {
		if g.ResourceName == d.Scopes[record.Google] || d.Scopes[record.Google] == "" && g.Name == "Creatio" {
			return g.ResourceName
		}
	}
	return ""
}

// known reports whether a run has chosen the group already; before, another name is another group.
func (f *folk) known() bool {
	d, err := f.w.store.User(f.w.user).Sync(f.w.t.Context(), record.Contacts)
	return err == nil && d.Scopes[record.Google] != ""
}

// stranger makes a contact on each side that is nobody's business, and remembers how it is.
func (f *folk) stranger() {
	id := f.inGoogle("")
	f.w.google.Account(ada).Edit(id, func(p *people.Person) {
		p.ClientData = []*people.ClientData{{Key: "another program", Value: f.value("data %04d")}}
		p.PhoneNumbers = []*people.PhoneNumber{{Value: "+12025550000", Type: "yacht"}}
	})
	f.give(record.Google, id)
	f.foreign[record.Google][id] = f.shown(record.Google, id)
	id = f.inCreatio(false)
	f.give(record.Creatio, id)
	f.foreign[record.Creatio][id] = f.shown(record.Creatio, id)
}

// shown is all that a side has of a contact.
func (f *folk) shown(side record.Side, id string) string {
	if side == record.Google {
		p := f.w.google.Account(ada).Person(id)
		// The address of a picture begins with that of the service, which knows it from its first request.
		p.Photos = nil
		return encode(p) + f.photo(side, id)
	}
	s := f.w.creatio.System()
	all := []any{s.Get("Contact", id), f.photo(side, id)}
	for _, detail := range []string{"ContactCommunication", "ContactAddress", "ContactAnniversary"} {
		all = append(all, s.Rows(detail, map[string]any{"ContactId": id}))
	}
	return encode(all)
}

// everything is all that both sides have.
func (f *folk) everything() string {
	s := f.w.creatio.System()
	all := []any{f.w.google.Account(ada).People()}
	for _, entity := range []string{"Contact", "ContactCommunication", "ContactAddress", "ContactAnniversary"} {
		all = append(all, s.Rows(entity, nil))
	}
	return norm.NFC.String(encode(all)) + f.photos()
}

// edit is somebody who edits on both sides at a call of a run: always the same for the same world and call.
func (w *world) edit(at place) {
	h := fnv.New64a()
	fmt.Fprint(h, at)
	r := rand.New(rand.NewPCG(w.seed, h.Sum64()))
	w.folk.during = true
	for range 1 + r.IntN(3) {
		w.folk.act(r)
	}
	w.folk.during = false
}

// act is one edit of anybody's.
func (f *folk) act(r *rand.Rand) {
	for range 10 {
		side, acts := record.Creatio, append(creatioActs, oddInCreatio...)
		if r.IntN(2) == 0 {
			side, acts = record.Google, append(googleActs, oddInGoogle...)
		}
		total := 0
		for _, a := range acts {
			total += a.often
		}
		n := r.IntN(total)
		for _, a := range acts {
			if n -= a.often; n >= 0 {
				continue
			}
			if what := a.do(f, r); what != "" {
				f.w.write("somebody in %s: %s %s", side, a.name, what)
				return
			}
			break
		}
	}
}

// act is one kind of edit. It tells of whom it was, or nothing where there was nobody.
type act struct {
	name  string
	often int
	do    func(*folk, *rand.Rand) string
}
