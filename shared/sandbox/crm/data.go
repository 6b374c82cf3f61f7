package creatio

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// row is one row: text as string, numbers as float64, flags as bool, ids and moments as their texts. What is empty is
// not there.
type row map[string]any

func (r row) text(name string) string {
	t, _ := r[name].(string)
	return t
}

func (r row) flag(name string) bool {
	b, _ := r[name].(bool)
	return b
}

// actor is on whose behalf something is done.
type actor struct {
	login, contact string
	// system may see and do all.
	system bool
}

// refusal is an error as the site's OData service tells it.
type refusal struct {
	status         int
	message, inner string
}

func (e *refusal) Error() string { return strings.TrimSpace(e.message + " " + e.inner) }

func refuse(status int, format string, args ...any) *refusal {
	return &refusal{status: status, message: fmt.Sprintf(format, args...)}
}

func dbError(inner string, args ...any) *refusal {
	return &refusal{status: http.StatusInternalServerError, message: "An error has occurred.", inner: fmt.Sprintf(inner, args...)}
}

func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

const momentForm = "2006-01-02T15:04:05.000000Z"

func stamp(t time.Time) string { return t.UTC().Format(momentForm) }

// tables hold the rows; every change is noted so that a group of them can be taken back.
type tables struct {
	rows map[string]map[string]row
	// order is that of insertion.
	order map[string][]string
	undo  []func()
	now   func() time.Time
}

func newTables(now func() time.Time) *tables {
	t := &tables{rows: map[string]map[string]row{}, order: map[string][]string{}, now: now}
	for name := range schemas {
		t.rows[name] = map[string]row{}
	}
	for name, list := range delivered {
		for _, id := range slices.Sorted(maps.Keys(list)) {
			t.put(name, id, row{"Id": id, "Name": list[id], "CreatedOn": stamp(now()), "ModifiedOn": stamp(now())})
		}
	}
	return t
}

func (t *tables) put(set, id string, r row) {
	old, known := t.rows[set][id]
	t.rows[set][id] = r
	if !known {
		t.order[set] = append(t.order[set], id)
	}
	t.undo = append(t.undo, func() {
		if known {
			t.rows[set][id] = old
			return
		}
		delete(t.rows[set], id)
		t.order[set] = slices.DeleteFunc(t.order[set], func(x string) bool { return x == id })
	})
}

func (t *tables) drop(set, id string) {
	old := t.rows[set][id]
	at := slices.Index(t.order[set], id)
	delete(t.rows[set], id)
	t.order[set] = slices.Delete(t.order[set], at, at+1)
	t.undo = append(t.undo, func() {
		t.rows[set][id] = old
		t.order[set] = slices.Insert(t.order[set], at, id)
	})
}

// begin starts a group; rollback takes everything since then back.
func (t *tables) begin() { t.undo = nil }

func (t *tables) rollback() {
	for _, f := range slices.Backward(t.undo) {
		f()
	}
	t.undo = nil
}

// all are the rows of a set in order of insertion.
func (t *tables) all(set string) []row {
	out := make([]row, 0, len(t.order[set]))
	for _, id := range t.order[set] {
		out = append(out, t.rows[set][id])
	}
	return out
}

// of are the rows of a detail of a contact.
func (t *tables) of(set, contact string) []row {
	var out []row
	for _, id := range t.order[set] {
		if r := t.rows[set][id]; r.text("ContactId") == contact {
			out = append(out, r)
		}
	}
	return out
}

// value checks and brings one value into the form in which it is kept; nil empties the column.
func (t *tables) value(set, id, name string, v any, patch bool) (any, bool, error) {
	c, ok := schemas[set][name]
	if !ok {
		return nil, false, refuse(http.StatusBadRequest, "The property '%s' does not exist on type 'Terrasoft.Configuration.OData.%s'.", name, set)
	}
	switch x := v.(type) {
	case nil:
		return nil, true, nil
	case string:
		switch c.kind {
		case text:
			if c.size > 0 && utf8.RuneCountInString(x) > c.size {
				return nil, false, dbError("22001: value too long for type character varying(%d)", c.size)
			}
			if x == "" {
				return nil, true, nil
			}
			return x, true, nil
		case lookup, guid:
			x = strings.ToLower(x)
			if len(x) != len(noGUID) || strings.Trim(x, "0123456789abcdef-") != "" {
				return nil, false, refuse(http.StatusBadRequest, "Cannot convert the literal '%s' to the expected type 'Edm.Guid'.", x)
			}
			if x == noGUID {
				// An empty id in a change is passed over without a word.
				return nil, !patch, nil
			}
			if c.kind == lookup && t.rows[c.target][x] == nil && (c.target != set || x != id) {
				return nil, false, dbError("23503: insert or update on table \"%s\" violates foreign key constraint \"FK%s%s\"", set, set, name)
			}
			return x, true, nil
		case moment:
			at, err := time.Parse(time.RFC3339Nano, x)
			if err != nil {
				return nil, false, refuse(http.StatusBadRequest, "Cannot convert the literal '%s' to the expected type 'Edm.DateTimeOffset'.", x)
			}
			return stamp(at), true, nil
		}
	case bool:
		if c.kind == flag {
			return x, true, nil
		}
	case float64:
		if c.kind == number {
			return x, true, nil
		}
	}
	return nil, false, refuse(http.StatusBadRequest, "Cannot convert the value of '%s' to the expected type.", name)
}

// take brings values into a row.
func (t *tables) take(set string, into row, values map[string]any, patch bool) error {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		v, use, err := t.value(set, into.text("Id"), name, values[name], patch)
		switch {
		case err != nil:
			return err
		case !use:
		case v == nil:
			delete(into, name)
		default:
			into[name] = v
		}
	}
	for name, c := range schemas[set] {
		if c.required && into[name] == nil && (set != "Contact" || name != "Name") {
			return dbError("23502: null value in column \"%s\" of relation \"%s\" violates not-null constraint", name, set)
		}
	}
	return nil
}

// insert makes a row, with everything that the site does about it.
func (t *tables) insert(a actor, set string, values map[string]any) (string, error) {
	id := strings.ToLower(fmt.Sprint(values["Id"]))
	if values["Id"] == nil || id == noGUID {
		id = newID()
	}
	if t.rows[set][id] != nil {
		return "", dbError("23505: duplicate key value violates unique constraint \"PK%s\"", set)
	}
	r := row{"Id": id, "CreatedOn": stamp(t.now()), "ModifiedOn": stamp(t.now())}
	if a.contact != "" {
		r["CreatedById"], r["ModifiedById"] = a.contact, a.contact
	}
	switch {
	case set == "Contact" && a.contact != "" && values["OwnerId"] == nil:
		r["OwnerId"] = a.contact
	case set == "ContactTag" && values["TypeId"] == nil:
		r["TypeId"] = tagPrivate
	case set == "Tag" && values["TagAccessId"] == nil:
		r["TagAccessId"] = tagMine
	}
	if err := t.take(set, r, values, false); err != nil {
		return "", err
	}
	r["Id"] = id
	t.put(set, id, r)
	return id, t.settle(set, row{}, r)
}

// update changes a row.
func (t *tables) update(a actor, set, id string, values map[string]any) error {
	old := t.rows[set][id]
	if old == nil {
		return refuse(http.StatusNotFound, "%s with key %s not found.", set, id)
	}
	r := maps.Clone(old)
	if err := t.take(set, r, values, true); err != nil {
		return err
	}
	r["Id"], r["ModifiedOn"] = id, stamp(t.now())
	if a.contact != "" {
		r["ModifiedById"] = a.contact
	}
	t.put(set, id, r)
	return t.settle(set, old, r)
}

// remove deletes a row, and what belongs to it.
func (t *tables) remove(set, id string) error {
	old := t.rows[set][id]
	if old == nil {
		return refuse(http.StatusNotFound, "%s with key %s not found.", set, id)
	}
	switch set {
	case "Contact":
		for _, u := range t.all("SysAdminUnit") {
			if u.text("ContactId") == id {
				return dbError("23503: update or delete on table \"Contact\" violates foreign key constraint \"FKSysAdminUnitContact\"")
			}
		}
		for _, detail := range []string{"ContactCommunication", "ContactAddress", "ContactAnniversary"} {
			for _, r := range t.of(detail, id) {
				t.drop(detail, r.text("Id"))
			}
		}
		t.dropLinks("ContactInTag", "EntityId", id)
		t.dropLinks("TagInRecord", "RecordId", id)
	case "ContactTag":
		t.dropLinks("ContactInTag", "TagId", id)
	case "Tag":
		t.dropLinks("TagInRecord", "TagId", id)
	}
	t.drop(set, id)
	return t.settle(set, old, row{})
}

func (t *tables) dropLinks(set, column, id string) {
	for _, r := range t.all(set) {
		if r.text(column) == id {
			t.drop(set, r.text("Id"))
		}
	}
}

// settle does what the site's own code does after a row was saved.
func (t *tables) settle(set string, old, is row) error {
	switch set {
	case "Contact":
		return t.settleContact(old, is)
	case "ContactCommunication":
		t.settleCommunication(old, is)
	case "ContactAddress":
		t.settleAddress(old, is)
	case "ContactAnniversary":
		t.settleAnniversary(old, is)
	}
	return nil
}

// settleContact keeps the whole name and its parts together, and the details and the columns that show them.
func (t *tables) settleContact(old, is row) error {
	if len(is) == 0 {
		return nil
	}
	next := maps.Clone(is)
	parts := func(r row) string { return join(" ", r.text("GivenName"), r.text("MiddleName"), r.text("Surname")) }
	switch {
	case is.text("Name") != "" && is.text("Name") != old.text("Name") && parts(is) == parts(old):
		splitName(next)
	case parts(is) != parts(old):
		next["Name"] = parts(is)
	}
	if next.text("Name") == "" {
		return dbError("23502: null value in column \"Name\" of relation \"Contact\" violates not-null constraint")
	}
	t.put("Contact", is.text("Id"), next)
	for name, kind := range mirrored {
		if v := is.text(name); v != "" && v != old.text(name) {
			t.mirrorDown(is.text("Id"), kind, v)
		}
	}
	if v := is.text("BirthDate"); v != old.text("BirthDate") {
		t.mirrorBirthday(is.text("Id"), v)
	}
	return nil
}

// splitName takes a whole name apart: the last word is the surname.
func splitName(r row) {
	words := strings.Fields(r.text("Name"))
	for _, name := range []string{"GivenName", "MiddleName", "Surname"} {
		delete(r, name)
	}
	switch n := len(words); {
	case n == 1:
		r["GivenName"] = words[0]
	case n == 2:
		r["GivenName"], r["Surname"] = words[0], words[1]
	case n > 2:
		r["GivenName"], r["MiddleName"], r["Surname"] = words[0], strings.Join(words[1:n-1], " "), words[n-1]
	}
}

func join(sep string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), sep)
}

// mirrorDown has the detail show what a column of the contact shows.
func (t *tables) mirrorDown(contact, kind, value string) {
	var first row
	for _, r := range t.of("ContactCommunication", contact) {
		if r.text("CommunicationTypeId") != kind {
			continue
		}
		if r.text("Number") == value {
			return
		}
		if first == nil || r.flag("Primary") {
			first = r
		}
	}
	r := row{"Id": newID(), "ContactId": contact, "CommunicationTypeId": kind, "CreatedOn": stamp(t.now()), "Primary": true}
	if first != nil {
		r = maps.Clone(first)
	}
	r["Number"], r["SearchNumber"], r["ModifiedOn"] = value, searchNumber(kind, value), stamp(t.now())
	t.put("ContactCommunication", r.text("Id"), r)
}

// searchNumber is what a number is found by: its digits from the last to the first, an address in small letters.
func searchNumber(kind, value string) string {
	if kind == typeEmail {
		return strings.ToLower(value)
	}
	var digits []rune
	for _, c := range value {
		if unicode.IsDigit(c) {
			digits = append(digits, c)
		}
	}
	slices.Reverse(digits)
	return string(digits)
}

// settleCommunication keeps one row per number and one primary per type, and shows the primary one in the contact.
func (t *tables) settleCommunication(old, is row) {
	contact, kind := is.text("ContactId"), is.text("CommunicationTypeId")
	if len(is) == 0 {
		contact, kind = old.text("ContactId"), old.text("CommunicationTypeId")
	} else {
		next := maps.Clone(is)
		next["SearchNumber"] = searchNumber(kind, is.text("Number"))
		t.put("ContactCommunication", is.text("Id"), next)
	}
	for _, r := range t.of("ContactCommunication", contact) {
		if len(is) == 0 || r.text("Id") == is.text("Id") || r.text("CommunicationTypeId") != kind {
			continue
		}
		if r.text("Number") == is.text("Number") {
			t.drop("ContactCommunication", r.text("Id"))
		} else if is.flag("Primary") && r.flag("Primary") {
			next := maps.Clone(r)
			next["Primary"] = false
			t.put("ContactCommunication", r.text("Id"), next)
		}
	}
	kinds := []string{kind}
	if was := old.text("CommunicationTypeId"); was != "" && was != kind {
		kinds = append(kinds, was)
	}
	for _, k := range kinds {
		t.mirrorUp(contact, k)
	}
}

func (t *tables) mirrorUp(contact, kind string) {
	name := ""
	for column, k := range mirrored {
		if k == kind {
			name = column
		}
	}
	c := t.rows["Contact"][contact]
	if name == "" || c == nil {
		return
	}
	show := ""
	for _, r := range t.of("ContactCommunication", contact) {
		if r.text("CommunicationTypeId") == kind && (show == "" || r.flag("Primary")) {
			show = r.text("Number")
		}
	}
	t.show(contact, map[string]string{name: show})
}

// show sets columns of a contact that mirror its details. That moves the contact's time of change.
func (t *tables) show(contact string, columns map[string]string) {
	c := t.rows["Contact"][contact]
	next := maps.Clone(c)
	changed := false
	for name, v := range columns {
		if c.text(name) == v {
			continue
		}
		changed = true
		if v == "" {
			delete(next, name)
		} else {
			next[name] = v
		}
	}
	if changed {
		next["ModifiedOn"] = stamp(t.now())
		t.put("Contact", contact, next)
	}
}

// settleAddress shows the primary address in the contact.
func (t *tables) settleAddress(old, is row) {
	contact := is.text("ContactId")
	if len(is) == 0 {
		contact = old.text("ContactId")
	}
	if t.rows["Contact"][contact] == nil {
		return
	}
	primary := row{}
	for _, r := range t.of("ContactAddress", contact) {
		if is.flag("Primary") && r.flag("Primary") && r.text("Id") != is.text("Id") {
			next := maps.Clone(r)
			next["Primary"] = false
			t.put("ContactAddress", r.text("Id"), next)
			continue
		}
		if r.flag("Primary") {
			primary = r
		}
	}
	columns := map[string]string{}
	for _, name := range []string{"AddressTypeId", "Address", "CityId", "RegionId", "Zip", "CountryId"} {
		columns[name] = primary.text(name)
	}
	t.show(contact, columns)
}

// mirrorBirthday has the birthday's row say what the column says.
func (t *tables) mirrorBirthday(contact, date string) {
	var has row
	for _, r := range t.of("ContactAnniversary", contact) {
		if r.text("AnniversaryTypeId") == birthday {
			has = r
		}
	}
	switch {
	case date == "" && has != nil:
		t.drop("ContactAnniversary", has.text("Id"))
	case date == "" || has != nil && has.text("Date") == date:
	case has != nil:
		next := maps.Clone(has)
		next["Date"], next["ModifiedOn"] = date, stamp(t.now())
		t.put("ContactAnniversary", has.text("Id"), next)
	default:
		id := newID()
		t.put("ContactAnniversary", id, row{
			"Id": id, "ContactId": contact, "AnniversaryTypeId": birthday, "Date": date, "CreatedOn": stamp(t.now()), "ModifiedOn": stamp(t.now()),
		})
	}
}

// settleAnniversary shows a birthday in the contact. A contact has one.
func (t *tables) settleAnniversary(old, is row) {
	r := is
	if len(is) == 0 {
		r = old
	}
	contact := r.text("ContactId")
	if r.text("AnniversaryTypeId") != birthday || t.rows["Contact"][contact] == nil {
		return
	}
	for _, o := range t.of("ContactAnniversary", contact) {
		if len(is) > 0 && o.text("AnniversaryTypeId") == birthday && o.text("Id") != is.text("Id") {
			t.drop("ContactAnniversary", o.text("Id"))
		}
	}
	t.show(contact, map[string]string{"BirthDate": is.text("Date")})
}

// sees tells whether somebody may read a row: private tags, and what hangs on them, are their maker's alone.
func (t *tables) sees(a actor, set string, r row) bool {
	if a.system {
		return true
	}
	switch set {
	case "ContactTag":
		return r.text("TypeId") != tagPrivate || r.text("CreatedById") == a.contact
	case "Tag":
		return r.text("TagAccessId") != tagMine || r.text("CreatedById") == a.contact
	case "ContactInTag":
		return t.sees(a, "ContactTag", t.rows["ContactTag"][r.text("TagId")])
	case "TagInRecord":
		return t.sees(a, "Tag", t.rows["Tag"][r.text("TagId")])
	}
	return true
}
