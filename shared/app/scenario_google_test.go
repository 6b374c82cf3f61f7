package app_test

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"google.golang.org/api/people/v1"

	googlebox "github.com/tandem-sync/tandem/shared/sandbox/google"
)

// entries are one list of a person in Google by its label, as "phone (mobile): +44 …".
type entries struct {
	label string
	// show are the list's entries with their own labels.
	show   func(*people.Person) [][2]string
	add    func(p *people.Person, label, text string)
	remove func(p *people.Person, i int)
	change func(p *people.Person, i int, label, text string)
}

func entriesOf[T any](label string, list func(*people.Person) *[]*T, show func(*T) (string, string), make func(label, text string) *T) entries {
	return entries{
		label: label,
		show: func(p *people.Person) [][2]string {
			var out [][2]string
			for _, e := range *list(p) {
				l, text := show(e)
				out = append(out, [2]string{l, text})
			}
			return out
		},
		add:    func(p *people.Person, l, text string) { *list(p) = append(*list(p), make(l, text)) },
		remove: func(p *people.Person, i int) { *list(p) = slices.Delete(*list(p), i, i+1) },
		change: func(p *people.Person, i int, l, text string) { (*list(p))[i] = make(l, text) },
	}
}

// personLists are the lists of a person in the order in which they are shown.
func (s *story) personLists() []entries {
	return []entries{
		entriesOf("organization", func(p *people.Person) *[]*people.Organization { return &p.Organizations }, func(o *people.Organization) (string, string) {
			return o.Type, written([2]string{"company", o.Name}, [2]string{"job title", o.Title}, [2]string{"department", o.Department})
		}, func(label, text string) *people.Organization {
			parts := s.parts(text, "company", "job title", "department")
			return &people.Organization{Type: label, Name: parts["company"], Title: parts["job title"], Department: parts["department"]}
		}),
		entriesOf("chat", func(p *people.Person) *[]*people.ImClient { return &p.ImClients },
			func(c *people.ImClient) (string, string) { return c.Protocol, c.Username },
			func(label, text string) *people.ImClient { return &people.ImClient{Protocol: label, Username: text} }),
		entriesOf("e-mail", func(p *people.Person) *[]*people.EmailAddress { return &p.EmailAddresses },
			func(e *people.EmailAddress) (string, string) { return e.Type, e.Value },
			func(label, text string) *people.EmailAddress { return &people.EmailAddress{Type: label, Value: text} }),
		entriesOf("phone", func(p *people.Person) *[]*people.PhoneNumber { return &p.PhoneNumbers },
			func(n *people.PhoneNumber) (string, string) { return n.Type, n.Value },
			func(label, text string) *people.PhoneNumber { return &people.PhoneNumber{Type: label, Value: text} }),
		entriesOf("address", func(p *people.Person) *[]*people.Address { return &p.Addresses }, func(a *people.Address) (string, string) {
			street := strings.Join(slices.DeleteFunc([]string{a.StreetAddress, a.ExtendedAddress, a.PoBox}, func(s string) bool { return s == "" }), " / ")
			return a.Type, written([2]string{"street", street}, [2]string{"zip", a.PostalCode}, [2]string{"city", a.City},
				[2]string{"region", a.Region}, [2]string{"country", a.Country})
		}, func(label, text string) *people.Address {
			parts := s.parts(text, "street", "zip", "city", "region", "country")
			street, second, _ := strings.Cut(parts["street"], " / ")
			return &people.Address{
				Type: label, StreetAddress: street, ExtendedAddress: second, PostalCode: parts["zip"], City: parts["city"], Region: parts["region"], Country: parts["country"],
			}
		}),
		entriesOf("website", func(p *people.Person) *[]*people.Url { return &p.Urls },
			func(u *people.Url) (string, string) { return u.Type, u.Value },
			func(label, text string) *people.Url { return &people.Url{Type: label, Value: text} }),
		entriesOf("nickname", func(p *people.Person) *[]*people.Nickname { return &p.Nicknames },
			func(n *people.Nickname) (string, string) { return "", n.Value },
			func(_, text string) *people.Nickname { return &people.Nickname{Value: text} }),
		entriesOf("relation", func(p *people.Person) *[]*people.Relation { return &p.Relations },
			func(r *people.Relation) (string, string) { return r.Type, r.Person },
			func(label, text string) *people.Relation { return &people.Relation{Type: label, Person: text} }),
		entriesOf("field", func(p *people.Person) *[]*people.UserDefined { return &p.UserDefined },
			func(u *people.UserDefined) (string, string) { return u.Key, u.Value },
			func(label, text string) *people.UserDefined { return &people.UserDefined{Key: label, Value: text} }),
		entriesOf("client data", func(p *people.Person) *[]*people.ClientData { return &p.ClientData },
			func(d *people.ClientData) (string, string) { return d.Key, d.Value },
			func(label, text string) *people.ClientData { return &people.ClientData{Key: label, Value: text} }),
	}
}

// personValues are the single values of a person.
var personValues = []struct {
	label string
	of    func(*people.Person) *string
}{
	{"first name", func(p *people.Person) *string { return &nameIn(p).GivenName }},
	{"middle name", func(p *people.Person) *string { return &nameIn(p).MiddleName }},
	{"last name", func(p *people.Person) *string { return &nameIn(p).FamilyName }},
	{"prefix", func(p *people.Person) *string { return &nameIn(p).HonorificPrefix }},
	{"suffix", func(p *people.Person) *string { return &nameIn(p).HonorificSuffix }},
	{"phonetic first name", func(p *people.Person) *string { return &nameIn(p).PhoneticGivenName }},
}

func nameIn(p *people.Person) *people.Name {
	if len(p.Names) == 0 {
		p.Names = []*people.Name{{}}
	}
	return p.Names[0]
}

func firstOrganization(p *people.Person) *people.Organization {
	if len(p.Organizations) == 0 {
		p.Organizations = []*people.Organization{{}}
	}
	return p.Organizations[0]
}

// groupStatements are what the user does with labels and with the account.
var groupStatements = []struct {
	form *regexp.Regexp
	do   func(s *story, m []string) bool
}{
	{regexp.MustCompile(`^group "(.+)"$`), func(s *story, m []string) bool { return s.google.Account(ada).CreateGroup(m[1]) != "" }},
	{regexp.MustCompile(`^rename group "(.+)" to "(.+)"$`), func(s *story, m []string) bool { return s.google.Account(ada).RenameGroup(m[1], m[2]) }},
	{regexp.MustCompile(`^delete group "(.+)"$`), func(s *story, m []string) bool { return s.google.Account(ada).DeleteGroup(m[1]) }},
	{regexp.MustCompile(`^merge (.+) into (.+)$`), func(s *story, m []string) bool {
		return s.google.Account(ada).Merge(s.personNamed(m[2]), s.personNamed(m[1]))
	}},
	{regexp.MustCompile(`^restore (.+)$`), func(s *story, m []string) bool { return s.google.Account(ada).Restore(s.trash[m[1]]) }},
	{regexp.MustCompile(`^the sync tokens expire$`), func(s *story, _ []string) bool { s.google.ExpireSyncTokens(); return true }},
	{regexp.MustCompile(`^Ada withdraws her consent$`), func(s *story, _ []string) bool { s.google.RevokeGrant(ada); return true }},
	{regexp.MustCompile(`^(the People API of Tandem's project is switched off|Ada withdraws the permission for contacts)$`), func(s *story, m []string) bool {
		s.google.SetFault(refusing(refusals[m[1]]))
		return true
	}},
	{regexp.MustCompile(`^(the People API of Tandem's project is switched on|Ada gives the permission for contacts)$`), func(s *story, _ []string) bool { s.google.SetFault(nil); return true }},
}

// refusals are what Google says to every request for contacts, as google.rpc.Status
// (https://cloud.google.com/apis/design/errors#error_info).
var refusals = map[string]string{
	"the People API of Tandem's project is switched off": `{"error":{"code":403,"status":"PERMISSION_DENIED",
		"message":"People API has not been used in project 7 before or it is disabled.",
		"errors":[{"domain":"usageLimits","reason":"accessNotConfigured"}],
		"details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"SERVICE_DISABLED","domain":"googleapis.com"}]}}`,
	"Ada withdraws the permission for contacts": `{"error":{"code":403,"status":"PERMISSION_DENIED",
		"message":"Request had insufficient authentication scopes.",
		"errors":[{"domain":"global","reason":"insufficientPermissions"}],
		"details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"ACCESS_TOKEN_SCOPE_INSUFFICIENT","domain":"googleapis.com"}]}}`,
}

func refusing(body string) func(*http.Request) *googlebox.Fault {
	return func(r *http.Request) *googlebox.Fault {
		if !strings.HasPrefix(r.URL.Path, "/v1/") {
			return nil
		}
		return &googlebox.Fault{Status: http.StatusForbidden, Body: body, Header: http.Header{"Content-Type": {"application/json"}}}
	}
}

// inGoogle carries out what the user does in Google.
func (s *story) inGoogle(st statement) {
	s.t.Helper()
	for _, known := range groupStatements {
		if m := known.form.FindStringSubmatch(st.text); m != nil {
			if !known.do(s, m) {
				s.t.Fatalf("Google did not take this: %s", st.text)
			}
			return
		}
	}
	if header, ok := strings.CutPrefix(st.text, "new "); ok {
		s.newPerson(header, st.more)
		return
	}
	id := s.personNamed(st.text)
	for _, line := range st.more {
		s.editPerson(id, line)
	}
}

// newPerson makes a contact of which "Ada Lovelace, in Creatio" says the name and the groups.
func (s *story) newPerson(header string, lines []string) {
	s.t.Helper()
	name, groups, grouped := strings.Cut(header, ", in ")
	p := &people.Person{}
	if name != "(no name)" {
		p.Names = []*people.Name{nameOf(value(name))}
	}
	for _, line := range lines {
		s.editOf(p, "+ "+line)
	}
	id := s.google.Account(ada).Add(p)
	if grouped {
		for g := range strings.SplitSeq(groups, ", ") {
			if !s.google.Account(ada).AddToGroup(id, g) {
				s.t.Fatalf("Google has no group %q", g)
			}
		}
	}
}

// nameOf takes a name apart as Google does: the first word, the last one, and what is between them.
func nameOf(text string) *people.Name {
	words := strings.Fields(text)
	last := len(words) - 1
	n := &people.Name{GivenName: words[0]}
	if last > 0 {
		n.MiddleName, n.FamilyName = strings.Join(words[1:last], " "), words[last]
	}
	return n
}

// editPerson carries out one line on a contact in Google.
func (s *story) editPerson(id, line string) {
	s.t.Helper()
	book := s.google.Account(ada)
	p := book.Person(id)
	done := true
	switch word, rest, _ := strings.Cut(line, " "); {
	case line == "delete":
		if s.trash == nil {
			s.trash = map[string]string{}
		}
		s.trash[personName(p)] = id
		done = book.Delete(id)
	case line == "gets another id":
		done = book.Rename(id) != ""
	case word == "duplicate":
		twin := *p
		twin.ResourceName, twin.Metadata, twin.Etag = "", nil, ""
		twin.Names = []*people.Name{nameOf(strings.TrimPrefix(rest, "as "))}
		done = book.Add(&twin) != ""
	case word == "into":
		done = book.AddToGroup(id, rest)
	case strings.HasPrefix(line, "out of "):
		done = book.RemoveFromGroup(id, strings.TrimPrefix(line, "out of "))
	case word == "photo:":
		done = book.SetPhoto(id, s.painted(rest))
	default:
		done = book.Edit(id, func(p *people.Person) { s.editOf(p, line) })
	}
	if !done {
		s.t.Fatalf("Google did not take this: %s", line)
	}
}

// editOf changes one value of a person.
func (s *story) editOf(p *people.Person, line string) {
	s.t.Helper()
	added := strings.HasPrefix(line, "+ ")
	removed := strings.HasPrefix(line, "- ")
	label, text := s.labelled(strings.TrimPrefix(strings.TrimPrefix(line, "+ "), "- "))
	for _, v := range personValues {
		if v.label == label {
			*v.of(p) = text
			nameIn(p).DisplayName, nameIn(p).UnstructuredName, nameIn(p).DisplayNameLastFirst = "", "", ""
			return
		}
	}
	switch label {
	case "company":
		firstOrganization(p).Name = text
	case "job title":
		firstOrganization(p).Title = text
	case "department":
		firstOrganization(p).Department = text
	case "notes":
		if p.Biographies = nil; text != "" {
			p.Biographies = []*people.Biography{{Value: text, ContentType: "TEXT_PLAIN"}}
		}
	case "birthday":
		if p.Birthdays = nil; text != "" {
			if p.Birthdays = []*people.Birthday{{Text: text}}; wholeDate.MatchString(text) {
				p.Birthdays = []*people.Birthday{{Date: dateIn(text)}}
			}
		}
	default:
		s.editEntry(p, label, text, added, removed)
	}
}

var wholeDate = regexp.MustCompile(`^(-|\d{4})-\d\d-\d\d$`)

func dateIn(text string) *people.Date {
	d := &people.Date{}
	if _, err := fmt.Sscanf(text, "--%d-%d", &d.Month, &d.Day); err != nil {
		_, _ = fmt.Sscanf(text, "%d-%d-%d", &d.Year, &d.Month, &d.Day)
	}
	return d
}

var ownLabel = regexp.MustCompile(`^(.+?)(?: \((.*)\))?$`)

// editEntry adds, removes or changes an entry of a list.
func (s *story) editEntry(p *people.Person, label, text string, added, removed bool) {
	s.t.Helper()
	m := ownLabel.FindStringSubmatch(label)
	for _, l := range s.personLists() {
		if l.label != m[1] {
			continue
		}
		if added {
			l.add(p, m[2], text)
			return
		}
		was, is, changed := strings.Cut(text, " => ")
		at := slices.Index(l.show(p), [2]string{m[2], was})
		if at < 0 || changed == removed {
			s.t.Fatalf("%s is no entry of this contact, or neither added (+), removed (-) nor changed (=>): %s", label, text)
		}
		if removed {
			l.remove(p, at)
			return
		}
		own := m[2]
		if other, of, ok := strings.Cut(is, ": "); ok && strings.HasPrefix(other, l.label) {
			own, is = ownLabel.FindStringSubmatch(other)[2], of
		}
		l.change(p, at, own, value(is))
		return
	}
	s.t.Fatalf("a contact in Google has no %q", label)
}

func personName(p *people.Person) string {
	var words []string
	if len(p.Names) > 0 {
		n := p.Names[0]
		for _, w := range []string{n.GivenName, n.MiddleName, n.FamilyName} {
			if w != "" {
				words = append(words, w)
			}
		}
	}
	return cmp.Or(strings.Join(words, " "), "(no name)")
}

// googlePeople are all contacts in Google in the order of what they show.
func (s *story) googlePeople() []*people.Person {
	list := s.google.Account(ada).People()
	slices.SortStableFunc(list, func(a, b *people.Person) int {
		return strings.Compare(personName(a)+s.personLines(a), personName(b)+s.personLines(b))
	})
	return list
}

func (s *story) personNamed(text string) string {
	s.t.Helper()
	name, fits := selected(text)
	var found []string
	for _, p := range s.googlePeople() {
		if personName(p) == name && fits(s.personLines(p)) {
			found = append(found, p.ResourceName)
		}
	}
	if len(found) != 1 {
		s.t.Fatalf("Google has %d contacts %q, not one", len(found), text)
	}
	return found[0]
}

// personLines are a person's values, a line for each. Tandem's own mark is none of the user's.
func (s *story) personLines(p *people.Person) string {
	var b strings.Builder
	line := func(label, text string) {
		if text != "" {
			fmt.Fprintf(&b, "  %s: %s\n", label, shown(text))
		}
	}
	if len(p.Names) > 0 {
		for _, v := range personValues {
			line(v.label, *v.of(p))
		}
	}
	for _, d := range p.Birthdays {
		switch {
		case d.Date == nil:
			line("birthday", d.Text)
		case d.Date != nil && d.Date.Year == 0:
			line("birthday", fmt.Sprintf("--%02d-%02d", d.Date.Month, d.Date.Day))
		case d.Date != nil:
			line("birthday", fmt.Sprintf("%04d-%02d-%02d", d.Date.Year, d.Date.Month, d.Date.Day))
		}
	}
	for _, n := range p.Biographies {
		line("notes", n.Value)
	}
	if photo := s.google.Account(ada).Photo(p.ResourceName); photo != nil {
		line("photo", s.colour(photo))
	}
	for _, l := range s.personLists() {
		var lines []string
		for _, e := range l.show(p) {
			switch {
			case l.label == "client data" && e[0] == "tandem":
			case e[0] == "":
				lines = append(lines, l.label+"\x00"+e[1])
			default:
				lines = append(lines, l.label+" ("+e[0]+")\x00"+e[1])
			}
		}
		slices.Sort(lines)
		for _, text := range lines {
			label, text, _ := strings.Cut(text, "\x00")
			line(label, text)
		}
	}
	return b.String()
}

// googleShows is the state of Google.
func (s *story) googleShows() string {
	book := s.google.Account(ada)
	var b strings.Builder
	in := map[string][]string{}
	for _, g := range book.Groups() {
		members := book.Members(g.ResourceName)
		if len(members) == 0 {
			fmt.Fprintf(&b, "empty group: %s\n", g.Name)
		}
		for _, id := range members {
			in[id] = append(in[id], g.Name)
		}
	}
	for _, p := range s.googlePeople() {
		b.WriteString(personName(p))
		if groups := in[p.ResourceName]; len(groups) > 0 {
			b.WriteString(", in " + strings.Join(groups, ", "))
		}
		b.WriteString("\n" + s.personLines(p))
	}
	if b.Len() == 0 {
		return "nobody\n"
	}
	return b.String()
}

// groupNames are the names in the group "Creatio".
func (s *story) groupNames() string {
	book := s.google.Account(ada)
	var names []string
	for _, p := range s.googlePeople() {
		if slices.Contains(book.Members("Creatio"), p.ResourceName) {
			names = append(names, personName(p))
		}
	}
	return listOf(names)
}
