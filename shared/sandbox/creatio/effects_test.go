package creatio_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tandem-sync/tandem/shared/sandbox/creatio"
)

// communications are a contact's, as "number" or "number*" for primary ones, sorted.
func (w *world) communications(contact, typeID string) string {
	var out []string
	for _, r := range w.box.System().Rows("ContactCommunication", map[string]any{"ContactId": contact, "CommunicationTypeId": typeID}) {
		out = append(out, fmt.Sprint(r["Number"])+map[any]string{true: "*"}[r["Primary"]])
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func TestNames_are_taken_apart_and_put_together(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		order  string
		insert map[string]any
		change map[string]any
		// want is given, middle, surname and the whole.
		want string
	}{
		{"", map[string]any{"Name": "Ida"}, nil, "Ida||"},
		{"", map[string]any{"Name": "Ida Iron"}, nil, "Ida||Iron"},
		{"", map[string]any{"Name": "Ida May Ann  Iron"}, nil, "Ida|May Ann|Iron"},
		{"", map[string]any{"GivenName": "Ida", "Surname": "von Iron"}, nil, "Ida||von Iron=Ida von Iron"},
		{"", map[string]any{"Name": "Ida May Iron", "Surname": "Other"}, nil, "Ida|May|Iron"},
		{"", map[string]any{"Name": "Ida Iron"}, map[string]any{"MiddleName": "May"}, "Ida|May|Iron=Ida May Iron"},
		{"", map[string]any{"Name": "Ida Iron"}, map[string]any{"Name": "Ida Steel"}, "Ida||Steel"},
		{"SGM", map[string]any{"Name": "Iron"}, nil, "||Iron"},
		{"SGM", map[string]any{"Name": "Iron Ida May Ann"}, nil, "Ida|May Ann|Iron"},
		{"SGM", map[string]any{"GivenName": "Ida", "Surname": "Iron"}, nil, "Ida||Iron=Iron Ida"},
	} {
		w := newWorld(t, creatio.Options{NameOrder: tc.order})
		id := w.insert("Contact", tc.insert)
		if tc.change != nil {
			w.update("Contact", id, tc.change)
		}
		c := w.get("Contact", id)
		parts, whole, given := strings.Cut(tc.want, "=")
		if got := fmt.Sprint(c["GivenName"], "|", c["MiddleName"], "|", c["Surname"]); got != parts || given && c["Name"] != whole {
			t.Errorf("%v then %v: got %s and %q, want %s", tc.insert, tc.change, got, c["Name"], tc.want)
		}
	}
}

func TestColumns_and_communications_mirror_each_other(t *testing.T) {
	t.Parallel()
	w := newWorld(t, creatio.Options{})
	id := w.insert("Contact", map[string]any{"Name": "Jo", "Email": "jo@example.com", "Phone": "+1 (202) 555-0150"})
	created := w.get("Contact", id)["ModifiedOn"]
	expect := func(step, typeID, column, rows, shown string) {
		t.Helper()
		if got := w.communications(id, typeID); got != rows || w.get("Contact", id)[column] != shown {
			t.Errorf("%s: rows %q, column %q; want %q, %q", step, got, w.get("Contact", id)[column], rows, shown)
		}
	}
	expect("a column makes a row", email, "Email", "jo@example.com*", "jo@example.com")
	phone := w.box.System().Rows("ContactCommunication", map[string]any{"ContactId": id, "CommunicationTypeId": work})[0]
	if phone["SearchNumber"] != "05105552021" || w.get("Contact", id)["Phone"] != "+1 (202) 555-0150" {
		t.Errorf("search number: %v", phone["SearchNumber"])
	}

	w.clock.pass(time.Minute)
	second := w.insert("ContactCommunication", map[string]any{"ContactId": id, "CommunicationTypeId": email, "Number": "B@example.com"})
	expect("a second row is not primary", email, "Email", "B@example.com jo@example.com*", "jo@example.com")
	if c := w.get("Contact", id); c["ModifiedOn"] != created || w.get("ContactCommunication", second)["SearchNumber"] != "b@example.com" {
		t.Errorf("a row that does not show moved the contact to %v", c["ModifiedOn"])
	}
	w.update("ContactCommunication", second, map[string]any{"Primary": true})
	expect("another row becomes primary", email, "Email", "B@example.com* jo@example.com", "B@example.com")
	if c := w.get("Contact", id); c["ModifiedOn"] == created {
		t.Error("a row that shows did not move the contact")
	}
	w.update("Contact", id, map[string]any{"Email": "c@example.com"})
	expect("a column changes its row", email, "Email", "c@example.com* jo@example.com", "c@example.com")
	w.update("Contact", id, map[string]any{"Email": nil})
	expect("an emptied column leaves its row", email, "Email", "c@example.com* jo@example.com", "")
	w.update("ContactCommunication", second, map[string]any{"Number": "d@example.com"})
	expect("a row shows again when it changes", email, "Email", "d@example.com* jo@example.com", "d@example.com")
	w.insert("ContactCommunication", map[string]any{"ContactId": id, "CommunicationTypeId": email, "Number": "d@example.com"})
	expect("no number stands twice", email, "Email", "d@example.com* jo@example.com", "d@example.com")
	for _, r := range w.box.System().Rows("ContactCommunication", map[string]any{"ContactId": id, "Number": "d@example.com"}) {
		if err := w.box.As("ann").Delete("ContactCommunication", r["Id"].(string)); err != nil {
			t.Fatal(err)
		}
	}
	expect("the next one follows", email, "Email", "jo@example.com*", "jo@example.com")
	w.update("ContactCommunication", phone["Id"].(string), map[string]any{"CommunicationTypeId": mobile})
	expect("the type changes", mobile, "MobilePhone", "+1 (202) 555-0150*", "+1 (202) 555-0150")
	expect("the old type is empty", work, "Phone", "", "")
	taken := w.insert("ContactCommunication", map[string]any{"ContactId": id, "CommunicationTypeId": work, "Number": "+1 202 555 0151"})
	w.update("ContactCommunication", taken, map[string]any{"CommunicationTypeId": mobile})
	expect("a type that has a primary row keeps it", mobile, "MobilePhone", "+1 (202) 555-0150* +1 202 555 0151", "+1 (202) 555-0150")
	if err := w.box.As("ann").Delete("ContactCommunication", taken); err != nil {
		t.Fatal(err)
	}
	w.update("ContactCommunication", phone["Id"].(string), map[string]any{"NonActual": true})
	expect("what is no longer good does not show", mobile, "MobilePhone", "+1 (202) 555-0150", "")
}

func TestBefore_version_8_every_change_of_a_column_adds_a_row(t *testing.T) {
	t.Parallel()
	w := newWorld(t, creatio.Options{Version: "7.15.4"})
	id := w.insert("Contact", map[string]any{"Name": "Jo", "Email": "a@example.com"})
	w.update("Contact", id, map[string]any{"Email": "b@example.com"})
	if got := w.communications(id, email); got != "a@example.com b@example.com*" {
		t.Errorf("after a change of the column: %s", got)
	}
	w.insert("ContactCommunication", map[string]any{"ContactId": id, "CommunicationTypeId": email, "Number": "c@example.com"})
	if got := w.communications(id, email); got != "a@example.com b@example.com c@example.com*" || w.get("Contact", id)["Email"] != "c@example.com" {
		t.Errorf("after an insertion: %s, column %v", got, w.get("Contact", id)["Email"])
	}
}

func TestAddresses_and_birthdays_mirror_the_contact(t *testing.T) {
	t.Parallel()
	w := newWorld(t, creatio.Options{})
	id := w.insert("Contact", map[string]any{"Name": "Kim", "Address": "Main St 1", "AddressTypeId": homeAddr, "BirthDate": "1980-03-02T00:00:00Z"})
	system := w.box.System()
	rows := system.Rows("ContactAddress", map[string]any{"ContactId": id})
	if len(rows) != 1 || rows[0]["Address"] != "Main St 1" || rows[0]["Primary"] != true {
		t.Fatalf("addresses: %v", rows)
	}
	w.clock.pass(time.Minute)
	other := w.insert("ContactAddress", map[string]any{"ContactId": id, "Address": "Side St 2", "Zip": "10115", "Primary": true})
	if c := w.get("Contact", id); c["Address"] != "Side St 2" || c["Zip"] != "10115" || c["AddressTypeId"] != "" {
		t.Errorf("the new primary address does not show: %v", c)
	}
	if first := w.get("ContactAddress", rows[0]["Id"].(string)); first["Primary"] != false {
		t.Error("two addresses are primary")
	}
	w.update("Contact", id, map[string]any{"Zip": "20095"})
	if a := w.get("ContactAddress", other); a["Zip"] != "20095" {
		t.Errorf("the address did not follow: %v", a)
	}

	if c := w.get("Contact", id); c["Age"] != int64(45) {
		t.Errorf("the age is %v on the day before", c["Age"])
	}
	days := system.Rows("ContactAnniversary", map[string]any{"ContactId": id})
	if len(days) != 1 || days[0]["AnniversaryTypeId"] != birthday {
		t.Fatalf("anniversaries: %v", days)
	}
	w.update("ContactAnniversary", days[0]["Id"].(string), map[string]any{"Date": "1990-03-01T00:00:00Z"})
	if c := w.get("Contact", id); c["BirthDate"].(time.Time).Year() != 1990 || c["Age"] != int64(36) {
		t.Errorf("the contact did not follow: %v, %v", c["BirthDate"], c["Age"])
	}
	w.update("Contact", id, map[string]any{"BirthDate": nil})
	if left := system.Rows("ContactAnniversary", nil); len(left) != 0 || w.get("Contact", id)["Age"] != int64(0) {
		t.Errorf("the birthday is left: %v", left)
	}
}

func TestDeleting_a_contact_takes_its_details_and_its_tags(t *testing.T) {
	t.Parallel()
	w := newWorld(t, creatio.Options{})
	id := w.insert("Contact", map[string]any{"Name": "Lea", "Email": "lea@example.com", "Address": "x", "BirthDate": "1990-03-01T00:00:00Z"})
	tag := w.insert("ContactTag", map[string]any{"Name": "phone"})
	before := w.get("Contact", id)["ModifiedOn"]
	w.clock.pass(time.Minute)
	w.insert("ContactInTag", map[string]any{"TagId": tag, "EntityId": id})
	if w.get("Contact", id)["ModifiedOn"] != before {
		t.Error("a tag moved the contact")
	}
	if err := w.box.As("ann").Delete("Contact", id); err != nil {
		t.Fatal(err)
	}
	for _, e := range []string{"ContactCommunication", "ContactAddress", "ContactAnniversary", "ContactInTag"} {
		for _, r := range w.box.System().Rows(e, nil) {
			if r["ContactId"] == id || r["EntityId"] == id {
				t.Errorf("%s: %v is left", e, r)
			}
		}
	}
	if err := w.box.As("ann").Delete("Contact", w.contact); err == nil || w.get("Contact", w.contact)["Email"] != "ann@example.com" {
		t.Errorf("the contact of a user was deleted: %v", err)
	}
}

func TestPrivate_tags_show_to_their_maker_alone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, creatio.Options{})
	id := w.insert("Contact", map[string]any{"Name": "Max"})
	for _, tc := range []struct {
		tags, links string
		tag, link   map[string]any
	}{
		{"ContactTag", "ContactInTag", map[string]any{"Name": "mine"}, map[string]any{"EntityId": id}},
		{"Tag", "TagInRecord", map[string]any{"Name": "mine"}, map[string]any{"RecordId": id, "RecordSchemaName": "Contact"}},
	} {
		tag := w.insert(tc.tags, tc.tag)
		tc.link["TagId"] = tag
		link := w.insert(tc.links, tc.link)
		bob := w.box.As("bob")
		if bob.Get(tc.tags, tag) != nil || bob.Get(tc.links, link) != nil || len(bob.Rows(tc.links, nil)) != 0 {
			t.Errorf("%s: another user sees it", tc.tags)
		}
		if _, err := bob.Insert(tc.links, tc.link); err == nil {
			t.Errorf("%s: another user puts a contact under it", tc.tags)
		}
		if bob.Delete(tc.links, link) == nil || bob.Update(tc.tags, tag, map[string]any{"Name": "x"}) == nil {
			t.Errorf("%s: another user changes it", tc.tags)
		}
		if w.box.System().Get(tc.tags, tag) == nil || len(w.box.System().Rows(tc.links, nil)) != 1 {
			t.Errorf("%s: the system does not see it", tc.tags)
		}
	}
}
