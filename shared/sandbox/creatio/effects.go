package creatio

import (
	"cmp"
	"iter"
	"slices"
	"strings"
	"time"
)

// mirrored are the columns of a contact that show its primary communication of a type.
var mirrored = []struct{ typeID, column string }{
	{typeEmail, "Email"}, {typeWork, "Phone"}, {typeMobile, "MobilePhone"}, {typeHome, "HomePhone"}, {typeSkype, "Skype"},
}

func columnOf(typeID string) string {
	for _, m := range mirrored {
		if m.typeID == typeID {
			return m.column
		}
	}
	return ""
}

var (
	nameParts      = []string{"Surname", "GivenName", "MiddleName"}
	addressColumns = []string{"AddressTypeId", "Address", "CityId", "RegionId", "Zip", "CountryId"}
)

func changed(old, now row, column string) bool {
	if old == nil {
		return now[column] != "" && now[column] != (time.Time{})
	}
	return old[column] != now[column]
}

// contactSaving takes a name apart that was changed, or else puts it together from parts that were.
func contactSaving(t *tx, old, now row) error {
	switch {
	case changed(old, now, "Name"):
		now["GivenName"], now["MiddleName"], now["Surname"] = t.s.split(now.text("Name"))
	case slices.ContainsFunc(nameParts, func(p string) bool { return changed(old, now, p) }):
		now["Name"] = t.s.compose(now)
	}
	now["Age"] = age(now.time("BirthDate"), t.at)
	return nil
}

// split takes a name apart as the converters of the system setting ContactFieldConverter do.
func (s *Server) split(name string) (given, middle, surname string) {
	words := strings.Fields(name)
	n := len(words)
	switch {
	case n == 0:
		return "", "", ""
	case s.o.NameOrder == "SGM" && n == 1:
		return "", "", words[0]
	case s.o.NameOrder == "SGM":
		return words[1], strings.Join(words[2:], " "), words[0]
	case n == 1:
		return words[0], "", ""
	}
	return words[0], strings.Join(words[1:n-1], " "), words[n-1]
}

func (s *Server) compose(r row) string {
	order := []string{"GivenName", "MiddleName", "Surname"}
	if s.o.NameOrder == "SGM" {
		order = nameParts
	}
	var words []string
	for _, p := range order {
		words = append(words, strings.Fields(r.text(p))...)
	}
	return strings.Join(words, " ")
}

func age(birth, at time.Time) int64 {
	if birth.IsZero() {
		return 0
	}
	years := at.Year() - birth.Year()
	if at.Month() < birth.Month() || at.Month() == birth.Month() && at.Day() < birth.Day() {
		years--
	}
	return int64(max(0, years))
}

// contactSaved has the details follow the columns of a contact. An emptied column leaves its row.
func contactSaved(t *tx, old, now row) error {
	for _, m := range mirrored {
		if changed(old, now, m.column) && now.text(m.column) != "" {
			if err := t.communicate(now, m.typeID, now.text(m.column)); err != nil {
				return err
			}
		}
	}
	if slices.ContainsFunc(addressColumns, func(c string) bool { return changed(old, now, c) }) {
		if err := t.locate(now); err != nil {
			return err
		}
	}
	if changed(old, now, "BirthDate") {
		return t.celebrate(now)
	}
	return nil
}

// details are the rows of a detail of a contact, the oldest first.
func (t *tx) details(entity, contact string) []row {
	return t.linked(entity, "ContactId", contact)
}

// linked are the rows of an entity that point to an id by a lookup column, the oldest first.
func (t *tx) linked(entity, column, id string) []row {
	out := slices.Collect(t.each(entity, column, id))
	slices.SortFunc(out, oldest)
	return out
}

// each are those rows in no order: to sort thousands for every row that is saved takes long.
func (t *tx) each(entity, column, id string) iter.Seq[row] {
	return func(yield func(row) bool) {
		set := t.s.state.table(entity)
		for id := range set.index[column][id] {
			if !yield(set.Rows[id]) {
				return
			}
		}
	}
}

func oldest(a, b row) int {
	return cmp.Or(a.time("CreatedOn").Compare(b.time("CreatedOn")), cmp.Compare(a.text("Id"), b.text("Id")))
}

// communications are those of one type that are still good, in no order.
func (t *tx) communications(contact, typeID string) iter.Seq[row] {
	return func(yield func(row) bool) {
		for r := range t.each("ContactCommunication", "ContactId", contact) {
			if r.text("CommunicationTypeId") == typeID && !r.flag("NonActual") && !yield(r) {
				return
			}
		}
	}
}

// communicate has the primary communication of a type hold a number. Before version 8 every change makes a row.
func (t *tx) communicate(contact row, typeID, number string) error {
	e, id := t.entity("ContactCommunication"), contact.text("Id")
	values := row{"ContactId": id, "CommunicationTypeId": typeID, "Number": number, "Primary": true}
	primary := slices.SortedFunc(t.communications(id, typeID), oldest)
	primary = slices.DeleteFunc(primary, func(r row) bool { return !r.flag("Primary") })
	if t.s.atLeast(8) && len(primary) > 0 {
		best := slices.IndexFunc(primary, func(r row) bool { return r.text("Number") == number })
		best = max(best, 0)
		for i, r := range primary {
			if i != best {
				t.touch(e.name, r.text("Id"), row{"Primary": false})
			}
		}
		return t.update(e, primary[best].text("Id"), values)
	}
	t.demote(id, typeID, "")
	_, err := t.insert(e, values)
	return err
}

// demote makes no communication of a type the primary one, except one.
func (t *tx) demote(contact, typeID, except string) {
	for _, r := range slices.Collect(t.communications(contact, typeID)) {
		if id := r.text("Id"); id != except && r.flag("Primary") {
			t.touch("ContactCommunication", id, row{"Primary": false, "IsCreatedBySynchronization": false})
		}
	}
}

// actual is the communication that a contact's column shows, or would: the primary one, else the youngest.
func (t *tx) actual(contact, typeID string) row {
	var best row
	for r := range t.communications(contact, typeID) {
		switch {
		case best == nil, r.flag("Primary") && !best.flag("Primary"), r.flag("Primary") == best.flag("Primary") && oldest(r, best) > 0:
			best = r
		}
	}
	return best
}

// communicationSaving decides which communication of a type is the primary one.
func communicationSaving(t *tx, old, now row) error {
	now["SearchNumber"] = searchNumber(now)
	contact, typeID := now.text("ContactId"), now.text("CommunicationTypeId")
	fresh := old == nil
	moved := !fresh && old.text("CommunicationTypeId") != typeID
	if moved {
		now["ExternalCommunicationType"] = ""
	}
	if !t.s.atLeast(8) {
		if fresh || moved {
			t.demote(contact, typeID, now.text("Id"))
			now["Primary"] = true
		}
		now["IsCreatedBySynchronization"] = now["Primary"]
		return nil
	}
	if now.flag("NonActual") {
		now["Primary"] = false
		return nil
	}
	now["DateSetNonActual"] = time.Time{}
	actual := t.actual(contact, typeID)
	switch {
	case actual == nil:
		now["Primary"] = now.flag("Primary") || fresh || moved
	case actual["Id"] != now["Id"] && actual.flag("Primary"):
		replacing := actual["Number"] == now["Number"]
		switch {
		case replacing:
			now["Primary"] = true
		case moved:
			now["Primary"] = false
		case now.flag("Primary") && (fresh || !old.flag("Primary")):
			t.demote(contact, typeID, now.text("Id"))
		}
	}
	now["IsCreatedBySynchronization"] = now["Primary"]
	return nil
}

// searchNumber is what a communication is searched by: the digits of a telephone number from the last to the first, any
// other text in lower case.
func searchNumber(r row) string {
	if !slices.Contains(phoneTypes, r.text("CommunicationTypeId")) {
		return strings.ToLower(r.text("Number"))
	}
	var digits []rune
	for _, c := range r.text("Number") {
		if c >= '0' && c <= '9' {
			digits = append(digits, c)
		}
	}
	slices.Reverse(digits)
	return string(digits)
}

// communicationSaved has the contact's column follow its primary communication, and takes away what says the same twice.
func communicationSaved(t *tx, old, now row) error {
	contact, typeID, id := now.text("ContactId"), now.text("CommunicationTypeId"), now.text("Id")
	for _, r := range slices.Collect(t.each("ContactCommunication", "ContactId", contact)) {
		if r["Id"] != now["Id"] && r["CommunicationTypeId"] == now["CommunicationTypeId"] && r["Number"] == now["Number"] {
			t.store(t.entity("ContactCommunication"), r.text("Id"), nil)
		}
	}
	if old != nil && old.flag("Primary") {
		was := old.text("CommunicationTypeId")
		switch {
		case was != typeID:
			if err := t.succeed(contact, was); err != nil {
				return err
			}
		case now.flag("NonActual"):
			return t.succeed(contact, typeID)
		case !now.flag("Primary"):
			t.show(contact, row{columnOf(typeID): ""})
		}
	}
	if now = t.row("ContactCommunication", id); now.flag("Primary") {
		t.show(contact, row{columnOf(typeID): now["Number"]})
	}
	return nil
}

func communicationRemoved(t *tx, old row) error {
	contact, typeID := old.text("ContactId"), old.text("CommunicationTypeId")
	if !old.flag("Primary") || t.row("Contact", contact) == nil {
		return nil
	}
	if !t.s.atLeast(8) {
		if column := columnOf(typeID); column != "" && t.row("Contact", contact)[column] == old["Number"] {
			t.show(contact, row{column: ""})
		}
		return nil
	}
	return t.succeed(contact, typeID)
}

// succeed makes another communication of a type the primary one, or empties the contact's column.
func (t *tx) succeed(contact, typeID string) error {
	if next := t.actual(contact, typeID); next != nil {
		return t.update(t.entity("ContactCommunication"), next.text("Id"), row{"Primary": true})
	}
	t.show(contact, row{columnOf(typeID): ""})
	return nil
}

// show sets columns of a contact that mirror its details. That moves the contact's time of change where one differs.
func (t *tx) show(contact string, values row) {
	delete(values, "")
	old := t.row("Contact", contact)
	differs := false
	for name, v := range values {
		differs = differs || old != nil && old[name] != v
	}
	if !differs {
		return
	}
	values["ModifiedOn"], values["ModifiedById"] = t.stamp(), t.by.contact
	t.touch("Contact", contact, values)
}

// locate has the primary address follow a contact's columns. Emptied lookups leave it as it is.
func (t *tx) locate(contact row) error {
	e, values := t.entity("ContactAddress"), row{}
	for _, c := range addressColumns {
		if contact.text(c) != "" {
			values[c] = contact[c]
		}
	}
	if len(values) == 0 {
		return nil
	}
	for _, r := range t.details(e.name, contact.text("Id")) {
		if r.flag("Primary") {
			values["Address"], values["Zip"] = contact["Address"], contact["Zip"]
			return t.update(e, r.text("Id"), values)
		}
	}
	values["ContactId"], values["Primary"] = contact["Id"], true
	_, err := t.insert(e, values)
	return err
}

// addressSaved has the contact's columns follow its one primary address.
func addressSaved(t *tx, _, now row) error {
	if !now.flag("Primary") {
		return nil
	}
	for _, r := range t.details("ContactAddress", now.text("ContactId")) {
		if r["Id"] != now["Id"] && r.flag("Primary") {
			t.touch("ContactAddress", r.text("Id"), row{"Primary": false})
		}
	}
	values := row{}
	for _, c := range addressColumns {
		values[c] = now[c]
	}
	t.show(now.text("ContactId"), values)
	return nil
}

func addressRemoved(t *tx, old row) error {
	if old.flag("Primary") {
		values := row{}
		for _, c := range addressColumns {
			values[c] = ""
		}
		t.show(old.text("ContactId"), values)
	}
	return nil
}

// celebrate has the row of the birthday follow a contact's date of birth.
func (t *tx) celebrate(contact row) error {
	e := t.entity("ContactAnniversary")
	for _, r := range t.details(e.name, contact.text("Id")) {
		if r["AnniversaryTypeId"] != birthdayID {
			continue
		}
		if contact.time("BirthDate").IsZero() {
			return t.remove(e, r.text("Id"))
		}
		return t.update(e, r.text("Id"), row{"Date": contact["BirthDate"]})
	}
	if contact.time("BirthDate").IsZero() {
		return nil
	}
	_, err := t.insert(e, row{"ContactId": contact["Id"], "AnniversaryTypeId": birthdayID, "Date": contact["BirthDate"]})
	return err
}

// anniversarySaved has a contact's date of birth follow the row of the birthday.
func anniversarySaved(t *tx, old, now row) error {
	switch {
	case now["AnniversaryTypeId"] == birthdayID:
		t.show(now.text("ContactId"), row{"BirthDate": now["Date"], "Age": age(now.time("Date"), t.at)})
	case old != nil && old["AnniversaryTypeId"] == birthdayID:
		return anniversaryRemoved(t, old)
	}
	return nil
}

func anniversaryRemoved(t *tx, old row) error {
	if old["AnniversaryTypeId"] == birthdayID {
		t.show(old.text("ContactId"), row{"BirthDate": time.Time{}, "Age": int64(0)})
	}
	return nil
}
