package app_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// defaultTag is the private tag that every story's user has.
const defaultTag = "On my phone"

type columns = map[string]any

// contactColumns are the columns of a contact by the label of their field, in the order in which they are shown. A lookup
// names its list.
var contactColumns = []struct{ label, column, list string }{
	{"full name", "Name", ""},
	{"first name", "GivenName", ""},
	{"middle name", "MiddleName", ""},
	{"last name", "Surname", ""},
	{"title", "SalutationTypeId", "ContactSalutationType"},
	{"job title", "JobTitle", ""},
	{"job", "JobId", "Job"},
	{"department", "DepartmentId", "Department"},
	{"account", "AccountId", "Account"},
	{"birth date", "BirthDate", ""},
	{"notes", "Notes", ""},
}

// addressLists are the lists in which parts of an address are looked up, with the columns of the address.
var addressLists = [][3]string{{"city", "CityId", "City"}, {"region", "RegionId", "Region"}, {"country", "CountryId", "Country"}}

// inCreatio carries out what people do in Creatio.
func (s *story) inCreatio(st statement) {
	s.t.Helper()
	for _, known := range siteStatements {
		if m := known.form.FindStringSubmatch(st.text); m != nil {
			known.do(s, m)
			return
		}
	}
	if header, ok := strings.CutPrefix(st.text, "new "); ok {
		s.newContact(header, st.more)
		return
	}
	id := s.contactNamed(st.text)
	for _, line := range st.more {
		s.editContact(id, line)
	}
}

func (s *story) putTag(contact, name string) {
	s.t.Helper()
	if s.tagSet(name) == "Tag" {
		s.row("Ada", "TagInRecord", columns{"TagId": s.tagNamed(name), "RecordId": contact, "RecordSchemaName": "Contact"})
		return
	}
	s.tagged(s.tagNamed(name), contact)
}

func (s *story) takeTag(contact, name string) {
	s.t.Helper()
	links, of := "ContactInTag", "EntityId"
	if s.tagSet(name) == "Tag" {
		links, of = "TagInRecord", "RecordId"
	}
	for _, l := range s.creatio.System().Rows(links, columns{"TagId": s.tagNamed(name), of: contact}) {
		if err := s.creatio.As("Ada").Delete(links, l["Id"].(string)); err != nil {
			s.t.Fatal(err)
		}
	}
}

// tagsOf are the names of a contact's tags.
func (s *story) tagsOf(contact string) []string {
	var out []string
	for _, set := range [][3]string{{"ContactInTag", "EntityId", "ContactTag"}, {"TagInRecord", "RecordId", "Tag"}} {
		for _, l := range s.creatio.System().Rows(set[0], columns{set[1]: contact}) {
			out = append(out, s.creatio.System().Get(set[2], l["TagId"].(string))["Name"].(string))
		}
	}
	slices.Sort(out)
	return out
}

// newContact makes a contact of which "Ada Lovelace, tagged" says the name and the tags.
func (s *story) newContact(header string, lines []string) {
	s.t.Helper()
	name, tags, tagged := strings.Cut(header, ", tagged")
	values := columns{"Name": value(name)}
	var rest []string
	for _, line := range lines {
		label, text := s.labelled(line)
		if !s.column(values, label, text) {
			rest = append(rest, "+ "+line)
		}
	}
	id := s.row("Ada", "Contact", values)
	for _, line := range rest {
		s.editContact(id, line)
	}
	if tagged {
		for tag := range strings.SplitSeq(tags, ",") {
			if tag = strings.TrimSpace(tag); tag == "" {
				tag = defaultTag
			}
			s.putTag(id, tag)
		}
	}
}

// column notes a column's new value; false where the label is none of a column.
func (s *story) column(values columns, label, text string) bool {
	s.t.Helper()
	for _, c := range contactColumns {
		if c.label != label {
			continue
		}
		switch {
		case c.list != "" && text != "":
			values[c.column] = s.listed(c.list, text)
		case c.list != "":
			values[c.column] = nil
		case c.column == "BirthDate" && text != "":
			values[c.column] = text + "T00:00:00Z"
		case c.column == "BirthDate":
			values[c.column] = nil
		default:
			values[c.column] = text
		}
		return true
	}
	return false
}

// editContact carries out one line: a column's new value, a row that comes, goes or changes, a tag, a deletion.
func (s *story) editContact(id, line string) {
	s.t.Helper()
	ada := s.creatio.As("Ada")
	check := func(err error) {
		s.t.Helper()
		if err != nil {
			s.t.Fatalf("%s: %v", line, err)
		}
	}
	word, rest, _ := strings.Cut(line, " ")
	switch {
	case line == "delete":
		check(ada.Delete("Contact", id))
	case word == "tag":
		s.putTag(id, cmp.Or(rest, defaultTag))
	case word == "untag":
		s.takeTag(id, cmp.Or(rest, defaultTag))
	case word == "+":
		label, text := s.labelled(rest)
		set, values := s.detail(label, text)
		values["ContactId"] = id
		s.row("Ada", set, values)
	case word == "-":
		label, text := s.labelled(rest)
		set, row := s.detailRow(id, label, text)
		check(ada.Delete(set, row))
	case strings.Contains(line, " => "):
		was, is, _ := strings.Cut(line, " => ")
		label, text := s.labelled(was)
		set, row := s.detailRow(id, label, text)
		if other, of, ok := strings.Cut(is, ": "); ok && s.typeOf(other) != "" {
			label, is = other, of
		}
		_, values := s.detail(label, value(is))
		check(ada.Update(set, row, values))
	default:
		label, text := s.labelled(line)
		if label == "photo" {
			s.expose(id, s.painted(text))
			return
		}
		values := columns{}
		if !s.column(values, label, text) {
			s.t.Fatalf("%q is no column of a contact: write + or - for a row of a detail", label)
		}
		check(ada.Update("Contact", id, values))
	}
}

// typeLabel names a row of a detail by its type, as "mobile phone" or "business address".
func typeLabel(typeName string) string {
	if typeName == "Email" {
		return "e-mail"
	}
	return strings.ToLower(typeName)
}

// typeOf is the id of the type that a label of a detail names; empty for none.
func (s *story) typeOf(label string) string {
	list := "CommunicationType"
	if address, ok := strings.CutSuffix(label, " address"); ok {
		list, label = "AddressType", address
	}
	for _, r := range s.creatio.System().Rows(list, nil) {
		if typeLabel(r["Name"].(string)) == label {
			return r["Id"].(string)
		}
	}
	return ""
}

// detail is a row of a detail as it is written.
func (s *story) detail(label, text string) (set string, values columns) {
	s.t.Helper()
	id := s.typeOf(label)
	switch {
	case label == "address":
		id = ""
	case id == "":
		s.t.Fatalf("Creatio has no %q", label)
	case !strings.HasSuffix(label, " address"):
		return "ContactCommunication", columns{"CommunicationTypeId": id, "Number": text}
	}
	parts := s.parts(text, "street", "zip", "city", "region", "country")
	values = columns{"Address": parts["street"], "Zip": parts["zip"]}
	if id != "" {
		values["AddressTypeId"] = id
	}
	for _, l := range addressLists {
		if values[l[1]] = nil; parts[l[0]] != "" {
			values[l[1]] = s.listed(l[2], parts[l[0]])
		}
	}
	return "ContactAddress", values
}

// detailRow finds a row by what it shows.
func (s *story) detailRow(contact, label, text string) (set, id string) {
	s.t.Helper()
	for _, r := range s.details(contact) {
		if r.label == label && r.text == text {
			return r.set, r.id
		}
	}
	s.t.Fatalf("the contact has no %s: %s", label, text)
	return "", ""
}

type detailLine struct{ set, id, label, text string }

// details are the rows of a contact's details as they are shown.
func (s *story) details(contact string) []detailLine {
	site := s.creatio.System()
	name := func(list string, id any) string {
		if row := site.Get(list, id.(string)); id != "" && row != nil {
			return row["Name"].(string)
		}
		return ""
	}
	var out []detailLine
	for _, r := range site.Rows("ContactCommunication", columns{"ContactId": contact}) {
		out = append(out, detailLine{
			"ContactCommunication", r["Id"].(string), typeLabel(name("CommunicationType", r["CommunicationTypeId"])), r["Number"].(string),
		})
	}
	for _, r := range site.Rows("ContactAddress", columns{"ContactId": contact}) {
		out = append(out, detailLine{"ContactAddress", r["Id"].(string), strings.TrimSpace(typeLabel(name("AddressType", r["AddressTypeId"])) + " address"), written(
			[2]string{"street", r["Address"].(string)}, [2]string{"zip", r["Zip"].(string)}, [2]string{"city", name("City", r["CityId"])},
			[2]string{"region", name("Region", r["RegionId"])}, [2]string{"country", name("Country", r["CountryId"])},
		)})
	}
	slices.SortFunc(out, func(a, b detailLine) int { return strings.Compare(a.set+a.label+a.text, b.set+b.label+b.text) })
	return out
}

// creatioContacts are all contacts but those that the users of the site are.
func (s *story) creatioContacts() []columns {
	rows := slices.DeleteFunc(s.creatio.System().Rows("Contact", nil), func(r map[string]any) bool {
		return slices.Contains([]string{"Supervisor", "Ada Example", "Bo Example"}, r["Name"].(string))
	})
	slices.SortStableFunc(rows, func(a, b map[string]any) int {
		return strings.Compare(a["Name"].(string)+s.contactLines(a), b["Name"].(string)+s.contactLines(b))
	})
	return rows
}

func (s *story) contactNamed(text string) string {
	s.t.Helper()
	name, fits := selected(text)
	var found []string
	for _, r := range s.creatioContacts() {
		if r["Name"] == name && fits(s.contactLines(r)) {
			found = append(found, r["Id"].(string))
		}
	}
	if len(found) != 1 {
		s.t.Fatalf("Creatio has %d contacts %q, not one", len(found), text)
	}
	return found[0]
}

// contactLines are a contact's values, a line for each.
func (s *story) contactLines(r columns) string {
	var b strings.Builder
	line := func(label, text string) {
		if text != "" {
			fmt.Fprintf(&b, "  %s: %s\n", label, shown(text))
		}
	}
	for _, c := range contactColumns[1:] {
		switch v := r[c.column].(type) {
		case time.Time:
			if !v.IsZero() {
				line(c.label, v.UTC().Format(time.DateOnly))
			}
		case string:
			if c.list != "" && v != "" {
				v = s.creatio.System().Get(c.list, v)["Name"].(string)
			}
			line(c.label, v)
		}
	}
	for _, d := range s.details(r["Id"].(string)) {
		line(d.label, d.text)
	}
	if image := s.creatio.System().Get("SysImage", r["PhotoId"].(string)); r["PhotoId"] != "" && image != nil {
		line("photo", s.colour(image["Data"].([]byte)))
	}
	return b.String()
}

// creatioShows is the state of Creatio.
func (s *story) creatioShows() string {
	var b strings.Builder
	for _, r := range s.creatioContacts() {
		b.WriteString(r["Name"].(string))
		if tags := s.tagsOf(r["Id"].(string)); len(tags) == 1 && tags[0] == defaultTag {
			b.WriteString(", tagged")
		} else if len(tags) > 0 {
			b.WriteString(", tagged " + strings.Join(tags, ", "))
		}
		b.WriteString("\n" + s.contactLines(r))
	}
	if b.Len() == 0 {
		return "nobody\n"
	}
	return b.String()
}

// taggedNames are the names under the tag of the settings.
func (s *story) taggedNames() string {
	var names []string
	for _, r := range s.creatioContacts() {
		if len(s.tagsOf(r["Id"].(string))) > 0 {
			names = append(names, r["Name"].(string))
		}
	}
	return listOf(names)
}

func listOf(names []string) string {
	if len(names) == 0 {
		return "nobody\n"
	}
	return strings.Join(names, ", ") + "\n"
}
