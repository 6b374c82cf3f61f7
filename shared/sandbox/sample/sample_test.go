package sample_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/api/people/v1"

	"github.com/tandem-sync/tandem/shared/contact"
	"github.com/tandem-sync/tandem/shared/match"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/sandbox/sample"
)

func rowsOf(entity string) []sample.Row {
	return slices.DeleteFunc(sample.Creatio(), func(r sample.Row) bool { return r.Entity != entity })
}

func text(r sample.Row, column string) string { s, _ := r.Values[column].(string); return s }

func TestThere_is_enough_on_both_sides_to_be_worth_looking_at(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ have, least int }{
		"contacts in Creatio": {len(rowsOf("Contact")), 160},
		"contacts in Google":  {len(sample.Google()), 110},
		"known to both":       {len(sample.Same()), 60},
		"groups":              {len(sample.Groups()), 2},
		"companies":           {len(rowsOf("Account")), 20},
		"addresses":           {len(rowsOf("ContactAddress")), 100},
	} {
		if tc.have < tc.least {
			t.Errorf("%s: %d, want at least %d", name, tc.have, tc.least)
		}
	}
}

func TestContent_is_the_same_each_time_and_free_to_be_changed(t *testing.T) {
	t.Parallel()
	rows, persons := sample.Creatio(), sample.Google()
	rows[len(rows)-1].Values["Id"] = "changed"
	persons[0].Names[0].GivenName = "changed"
	persons[0].PhoneNumbers[0].Value = "changed"
	again, more := sample.Creatio(), sample.Google()
	if text(again[len(again)-1], "Id") == "changed" || more[0].Names[0].GivenName == "changed" || more[0].PhoneNumbers[0].Value == "changed" {
		t.Error("a change of the content shows in the next one")
	}
	if diff := cmp.Diff(again, sample.Creatio()); diff != "" {
		t.Errorf("Creatio's content differs from call to call:\n%s", diff)
	}
	if diff := cmp.Diff(more, sample.Google(), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("Google's content differs from call to call:\n%s", diff)
	}
}

var guid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func TestEvery_row_has_an_id_of_its_own_and_points_to_rows_before_it(t *testing.T) {
	t.Parallel()
	// Rows of lists that every Creatio is delivered with need no row here.
	delivered := []string{"TypeId", "CommunicationTypeId", "AddressTypeId", "TagAccessId"}
	users := []string{"", sample.UserLogin, sample.ColleagueLogin}
	seen := map[string]bool{}
	for _, r := range sample.Creatio() {
		id := text(r, "Id")
		if !guid.MatchString(id) || seen[id] {
			t.Errorf("%s %q: not an id, or not the only one", r.Entity, id)
		}
		seen[id] = true
		if !slices.Contains(users, r.By) {
			t.Errorf("%s %s is made by the unknown %q", r.Entity, id, r.By)
		}
		for column, v := range r.Values {
			s, isText := v.(string)
			if isText && s == "" {
				t.Errorf("%s %s: column %s is empty", r.Entity, id, column)
			}
			if column != "Id" && strings.HasSuffix(column, "Id") {
				if !guid.MatchString(s) {
					t.Errorf("%s %s: %s is %v", r.Entity, id, column, v)
				}
				if !slices.Contains(delivered, column) && !seen[s] {
					t.Errorf("%s %s: %s points to %s, which is not there yet", r.Entity, id, column, s)
				}
			}
		}
	}
}

func TestGoogle_contacts_are_in_groups_that_exist_and_have_names_of_their_own(t *testing.T) {
	t.Parallel()
	groups := map[string]bool{"contactGroups/myContacts": true}
	for _, g := range sample.Groups() {
		groups[sample.GroupResourceName(g)] = true
	}
	if len(groups) != len(sample.Groups())+1 {
		t.Error("groups share a resource name")
	}
	seen := map[string]bool{}
	for _, p := range sample.Google() {
		if !regexp.MustCompile(`^people/c[0-9]{19}$`).MatchString(p.ResourceName) || seen[p.ResourceName] {
			t.Errorf("resource name %q: not one, or not the only one", p.ResourceName)
		}
		seen[p.ResourceName] = true
		for _, m := range p.Memberships {
			if g := m.ContactGroupMembership.ContactGroupResourceName; !groups[g] {
				t.Errorf("%s is in the unknown group %q", p.ResourceName, g)
			}
		}
	}
}

// reserved are the ranges of numbers that no subscriber has.
var reserved = regexp.MustCompile(`^(\+120255501\d\d|\+442079460\d{3}|\+447700900\d{3}|\+493023125\d{3}|\+4917139200\d\d|` +
	`\+3319900\d{4}|\+3363998\d{4}|\+46701740[56]\d\d|\+468465004\d\d|\+6125550\d{4})$`)

func TestNumbers_and_addresses_reach_nobody(t *testing.T) {
	t.Parallel()
	numbers := map[string]string{}
	for _, r := range rowsOf("ContactCommunication") {
		switch n := text(r, "Number"); {
		case text(r, "CommunicationTypeId") == web:
			checkWeb(t, n)
		case strings.Contains(n, "@"):
			checkMail(t, n)
		case strings.HasPrefix(n, "+"):
			flat := strings.ReplaceAll(n, " ", "")
			numbers[flat[len(flat)-9:]] = n
			if !reserved.MatchString(flat) {
				t.Errorf("the number %s may be somebody's", n)
			}
		}
	}
	for _, p := range sample.Google() {
		for _, e := range p.EmailAddresses {
			checkMail(t, e.Value)
		}
		for _, u := range p.Urls {
			checkWeb(t, u.Value)
		}
		for _, n := range p.PhoneNumbers {
			flat := strings.Map(digit, strings.TrimPrefix(n.Value, "00"))
			if n.Type == "Extension" {
				continue
			}
			_, known := numbers[flat[max(0, len(flat)-9):]]
			if !known && !reserved.MatchString("+"+flat) {
				t.Errorf("the number %s of %s may be somebody's", n.Value, p.ResourceName)
			}
		}
	}
}

func digit(r rune) rune {
	if unicode.IsDigit(r) {
		return r
	}
	return -1
}

// web is the type of communications that are web addresses.
const web = "6a8ba927-67cc-df11-9b2a-001d60e938c6"

func checkWeb(t *testing.T, address string) {
	t.Helper()
	host, _, _ := strings.Cut(strings.TrimPrefix(strings.ToLower(address), "https://"), "/")
	if !slices.ContainsFunc([]string{"example.com", "example.net", "example.org"}, func(d string) bool { return strings.HasSuffix("."+host, "."+d) }) {
		t.Errorf("the address %s may be somebody's", address)
	}
}

func checkMail(t *testing.T, address string) {
	t.Helper()
	_, domain, _ := strings.Cut(strings.ToLower(address), "@")
	if !slices.Contains([]string{"example.com", "example.net", "example.org"}, domain) {
		t.Errorf("the address %s may be somebody's", address)
	}
}

func TestNames_are_in_every_script_on_both_sides(t *testing.T) {
	t.Parallel()
	var creatio, google strings.Builder
	for _, r := range rowsOf("Contact") {
		creatio.WriteString(text(r, "Name"))
	}
	for _, p := range sample.Google() {
		for _, n := range p.Names {
			google.WriteString(n.GivenName + n.FamilyName)
		}
	}
	for side, all := range map[string]string{"Creatio": creatio.String(), "Google": google.String()} {
		for _, script := range []string{"Latin", "Cyrillic", "Greek", "Arabic", "Han"} {
			if !strings.ContainsFunc(all, func(r rune) bool { return unicode.Is(unicode.Scripts[script], r) }) {
				t.Errorf("no name in %s is in %s", side, script)
			}
		}
	}
}

func TestEvery_kind_of_tag_is_on_somebody_and_somebody_has_none(t *testing.T) {
	t.Parallel()
	tagged, count := map[string]int{}, map[string]int{}
	for _, r := range slices.Concat(rowsOf("ContactInTag"), rowsOf("TagInRecord")) {
		count[text(r, "TagId")]++
		tagged[text(r, "EntityId")+text(r, "RecordId")]++
		if text(r, "TagId") == sample.ColleagueTagID && r.By != sample.ColleagueLogin {
			t.Error("a colleague's private tag is put on by somebody else")
		}
	}
	for name, tag := range map[string]string{
		sample.PrivateTagName: sample.PrivateTagID, sample.FreedomTagName: sample.FreedomTagID, sample.CorporateTagName: sample.CorporateTagID,
		sample.PublicTagName: sample.PublicTagID, sample.ColleagueTagName: sample.ColleagueTagID,
	} {
		if count[tag] < 10 {
			t.Errorf("tag %s is on %d contacts only", name, count[tag])
		}
	}
	if bare := len(rowsOf("Contact")) - len(tagged); bare < 10 {
		t.Errorf("only %d contacts have no tag", bare)
	}
}

func TestWhat_makes_contacts_difficult_is_there(t *testing.T) {
	t.Parallel()
	has := map[string]int{}
	names := map[string]int{}
	for _, r := range rowsOf("Contact") {
		names[text(r, "Name")]++
	}
	shared := map[string]int{}
	for _, r := range rowsOf("ContactCommunication") {
		shared[text(r, "Number")]++
	}
	photos := sample.Photos()
	for _, p := range sample.Google() {
		count := func(what string, found bool) {
			if found {
				has[what]++
			}
		}
		for _, b := range p.Birthdays {
			count("birthday with a year", b.Date.Year > 0)
			count("birthday without a year", b.Date.Year == 0)
		}
		for _, b := range p.Biographies {
			count("notes of several lines", strings.Contains(b.Value, "\n"))
			count("emoji", strings.ContainsFunc(b.Value, func(r rune) bool { return r > 0x1f300 }))
		}
		for _, n := range p.PhoneNumbers {
			count("custom label", strings.HasPrefix(n.Type, "Yacht"))
		}
		count("web address", len(p.Urls) > 0)
		count("several web addresses", len(p.Urls) > 1)
		count("photo", len(photos[p.ResourceName]) > 0)
		count("several phones", len(p.PhoneNumbers) > 1)
		count("several addresses", len(p.Addresses) > 1)
		count("no name", len(p.Names) == 0)
	}
	for _, what := range []string{
		"birthday with a year", "birthday without a year", "notes of several lines", "emoji", "custom label", "photo", "several phones",
		"several addresses", "no name", "web address", "several web addresses",
	} {
		if has[what] == 0 {
			t.Errorf("no contact in Google with: %s", what)
		}
	}
	if n := len(rowsOf("SysImage")); n < 5 || has["photo"] < 5 {
		t.Errorf("there are %d photos in Creatio and %d in Google", n, has["photo"])
	}
	if names["George Halloran"] != 2 {
		t.Error("father and son of one name are missing")
	}
	if n := text(rowsOf("Account")[0], "Name"); n == "" {
		t.Error("a company has no name")
	}
	if !slices.Contains(values(shared), 2) {
		t.Error("no two contacts share a number")
	}
}

func values(m map[string]int) []int {
	var out []int
	for _, v := range m {
		out = append(out, v)
	}
	return out
}

// TestPairs_found_are_the_same_people pairs both sides as a first synchronization does, and compares with the truth.
func TestPairs_found_are_the_same_people(t *testing.T) {
	t.Parallel()
	creatio, google := creatioItems(), googleItems()
	truth := sample.Same()
	right := 0
	for _, p := range match.Find(contact.Match, creatio, google).Pairs {
		c, g := creatio[p.Creatio], google[p.Google]
		if truth[c.ID] != g.ID {
			t.Errorf("%s was taken for %s, by %s", contact.Title(c.Fields), contact.Title(g.Fields), p.Reason)
			continue
		}
		right++
	}
	if right < 60 {
		t.Errorf("%d of %d people were found on both sides, want at least 60", right, len(truth))
	}
}

func creatioItems() []match.Item {
	fields := map[string]record.Fields{}
	var items []match.Item
	accounts := map[string]string{}
	for _, r := range sample.Creatio() {
		switch r.Entity {
		case "Account":
			accounts[text(r, "Id")] = text(r, "Name")
		case "Contact":
			f := record.Fields{}
			f.SetText(contact.GivenName, text(r, "GivenName"))
			f.SetText(contact.MiddleName, text(r, "MiddleName"))
			f.SetText(contact.Surname, text(r, "Surname"))
			f.SetText(contact.Company, accounts[text(r, "AccountId")])
			fields[text(r, "Id")] = f
			items = append(items, match.Item{ID: text(r, "Id"), Fields: f, Member: true})
		case "ContactCommunication":
			f, n := fields[text(r, "ContactId")], text(r, "Number")
			field := contact.Phones
			if strings.Contains(n, "@") {
				field = contact.Emails
			}
			f[field] = append(f[field], record.Entry{Text: n})
		}
	}
	return items
}

func googleItems() []match.Item {
	var items []match.Item
	for _, p := range sample.Google() {
		f := record.Fields{}
		for _, n := range p.Names {
			f.SetText(contact.GivenName, n.GivenName)
			f.SetText(contact.MiddleName, n.MiddleName)
			f.SetText(contact.Surname, n.FamilyName)
		}
		for _, o := range p.Organizations {
			f.SetText(contact.Company, o.Name)
		}
		for _, e := range p.EmailAddresses {
			f[contact.Emails] = append(f[contact.Emails], record.Entry{Text: e.Value})
		}
		f[contact.Phones] = phones(p)
		items = append(items, match.Item{ID: p.ResourceName, Fields: f})
	}
	return items
}

func phones(p *people.Person) []record.Entry {
	var out []record.Entry
	for _, n := range p.PhoneNumbers {
		out = append(out, record.Entry{Kind: n.Type, Text: n.Value})
	}
	return out
}
