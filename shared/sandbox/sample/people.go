package sample

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"google.golang.org/api/people/v1"
)

// person is somebody whom one side or both know.
type person struct {
	// key is the name in Latin letters, unique, as in e-mail addresses.
	key                    string
	given, middle, surname string
	// latin is the name in Latin letters without accents.
	latin [3]string
	where place
	// by is the login of who made the contact in Creatio, and tags the tags it has there.
	by   string
	tags []string

	salutation, job, department, company string
	// account says that Creatio has the company.
	account bool
	// birthday is as in Tandem: 2006-01-02, or --01-02 without a year.
	birthday  string
	emails    []labeled
	phones    []labeled
	addresses []address
	skype     string
	websites  []string
	faces     faces
	notes     string
	// groups are the groups in Google beside My contacts.
	groups []string
	// spelling makes what Google says of the person out of what Creatio says; more adds what only Google can say.
	spelling spelling
	more     func(*people.Person)
}

type place int

// Where people are known.
const (
	both place = iota
	creatioOnly
	googleOnly
)

func (p *person) inCreatio() bool      { return p.where != googleOnly }
func (p *person) inGoogle() bool       { return p.where != creatioOnly }
func (p *person) id() string           { return derive("contact", p.key) }
func (p *person) resourceName() string { return "people/c" + digits(derive("person", p.key)) }

// digits makes a decimal number out of an id, as Google's are.
func digits(id string) string {
	out := []byte{'4'}
	for _, r := range []byte(id) {
		if len(out) < 19 && r != '-' {
			out = append(out, '0'+r%10)
		}
	}
	return string(out)
}

type labeled struct{ kind, text string }

type address struct {
	kind  string
	parts [5]string
}

// everybody makes all people, the same ones each time.
func everybody() []*person {
	m := maker{used: map[string]int{}}
	for _, c := range cultures {
		for line := range strings.Lines(strings.TrimSpace(c.names)) {
			m.add(c, strings.TrimSpace(line))
		}
	}
	return append(m.out, m.special()...)
}

// maker makes people one after the other.
type maker struct {
	out []*person
	// used counts the numbers taken from each range; creatio and shared the people in each place.
	used            map[string]int
	creatio, shared int
}

// where spreads people over the places, and tags over those in Creatio.
var where = []place{both, creatioOnly, both, googleOnly, creatioOnly, both, creatioOnly, both, googleOnly, creatioOnly}

func (m *maker) add(c culture, line string) {
	i := len(m.out)
	p := &person{where: where[i%len(where)], by: UserLogin}
	p.name(line)
	m.fill(p, c.home, i)
	switch {
	case p.where == both:
		m.shared++
		p.tags = sharedTags[m.shared%len(sharedTags)]
		p.spelling = spellings[m.shared%len(spellings)]
	case p.inCreatio():
		m.creatio++
		p.tags = creatioTags[m.creatio%len(creatioTags)]
		if slices.Contains(p.tags, ColleagueTagID) {
			p.by = ColleagueLogin
		}
	}
	m.out = append(m.out, p)
}

var (
	sharedTags = [][]string{
		{PrivateTagID}, {PrivateTagID, PublicTagID}, {FreedomTagID}, {PrivateTagID}, nil, {PrivateTagID, FreedomTagID}, {CorporateTagID}, {PrivateTagID},
	}
	creatioTags = [][]string{
		{PrivateTagID}, {CorporateTagID}, {ColleagueTagID}, nil, {PublicTagID}, {PrivateTagID, CorporateTagID}, {FreedomTagID}, {ColleagueTagID, CorporateTagID}, nil,
	}
)

// name reads a line of names.
func (p *person) name(line string) {
	line, plain, foreign := strings.Cut(line, " = ")
	if !foreign {
		plain = line
	}
	split := func(s string) [3]string {
		words := strings.Fields(s)
		middle := ""
		if len(words) > 2 {
			middle = strings.Join(words[1:len(words)-1], " ")
		}
		out := [3]string{words[0], middle, words[len(words)-1]}
		for i := range out {
			out[i] = strings.ReplaceAll(out[i], "~", " ")
		}
		return out
	}
	own := split(line)
	p.given, p.middle, p.surname, p.latin = own[0], own[1], own[2], split(plain)
	p.key = strings.ToLower(strings.ReplaceAll(strings.Join([]string{p.latin[0], p.latin[2]}, "."), " ", ""))
	p.key = strings.Map(func(r rune) rune {
		if r == '.' || r == '-' || (r < unicode.MaxASCII && unicode.IsLetter(r)) {
			return r
		}
		return -1
	}, p.key)
}

// take takes the next number of a range.
func (m *maker) take(r numbers) string {
	n := m.used[r.format]
	m.used[r.format]++
	return r.number(n)
}

var (
	jobs        = []string{"Head of Procurement", "Chief Cartographer", "Sales Manager", "Partner", "Operations Lead", "Bookbinder", "Account Executive", ""}
	departments = []string{"Sales", "Procurement", "", "Research & Development", "Board", ""}
	salutations = []string{"", "Ms.", "Mr.", "", "Dr.", "", "Prof.", ""}
)

// fill gives a person everything but a name: little to some, much to others.
func (m *maker) fill(p *person, home region, i int) {
	p.emails = []labeled{{"work", p.key + "@example.com"}}
	if i%3 == 1 {
		p.emails = append(p.emails, labeled{"home", p.key + "@example.net"})
	}
	p.phones = []labeled{{"mobile", m.take(home.mobile)}}
	if i%4 == 0 || i%7 == 3 {
		p.phones = append(p.phones, labeled{"work", m.take(home.fixed)})
	}
	if i%9 == 5 {
		p.phones = append(p.phones, labeled{"home", m.take(home.fixed)}, labeled{"other", m.take(home.fixed)})
	}
	if i%11 == 7 {
		p.phones = append(p.phones, labeled{"extension", fmt.Sprint(400 + i)})
	}
	p.job, p.department, p.salutation = jobs[i%len(jobs)], departments[i%len(departments)], salutations[i%len(salutations)]
	if i%5 != 2 {
		p.company, p.account = home.companies[i%len(home.companies)], true
	}
	kinds := []string{"work", "home", "other", "shipping", "legal", "actual"}
	if i%4 != 3 {
		p.addresses = append(p.addresses, address{kinds[i%2], home.places[i%len(home.places)]})
	}
	if i%6 == 2 {
		p.addresses = append(p.addresses, address{kinds[2+i/6%4], home.places[(i+1)%len(home.places)]})
	}
	if i%3 == 0 {
		p.birthday = fmt.Sprintf("%04d-%02d-%02d", 1938+i*7%64, 1+i*5%12, 1+i*11%28)
	}
	if i == 30 {
		p.birthday = "1984-02-29"
	}
	if i%8 == 6 {
		p.skype = strings.ReplaceAll(p.key, "-", ".") + ".calls"
	}
	if p.account && p.job == "Partner" {
		p.websites = []string{"https://" + strings.ReplaceAll(p.key, ".", "-") + ".example.com"}
	}
	p.faces = face(p.key, i)
	if i%4 == 1 {
		p.notes = notes[i/4%len(notes)]
	}
	p.groups = [][]string{nil, {Groups()[0]}, nil, {Groups()[2]}, {Groups()[1], Groups()[3]}, nil, nil}[i%7]
}

var notes = []string{
	"Met at the boat show 🚤\nPrefers a call before 10:00\n\nAsk about the lighthouse!",
	"Allergic to peanuts 🥜 – never the satay place.",
	"Two children: Ida (7) and Emil (4)\nBirthday cake: lemon 🍋",
	"<p>Signed the <b>framework agreement</b>.</p><p>Renewal: autumn &amp; by post only</p>",
	"Розмовляє українською та англійською 🇺🇦\nЛюбить каву без цукру",
	"Μιλάει ελληνικά και αγγλικά\nΣυνάντηση κάθε Τρίτη 📅",
	"يفضّل التواصل بالبريد الإلكتروني ✉️\nالاجتماع القادم في دبي",
	"喜欢绿茶 🍵\n微信联系更快",
	"- invoice to the Leipzig office\n- deliveries through the yard\n- dog is friendly 🐕‍🦺",
	"Line one\r\nLine two with trailing blanks   \r\n\r\nLine four",
	"Said: “5 < 7 & 9 > 8”, and meant it.",
}
