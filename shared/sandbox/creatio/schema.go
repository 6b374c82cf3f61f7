package creatio

import (
	"slices"
	"strings"
	"time"
)

// kind is what a column holds, and with it the Go type of its values: text, guid and lookup are strings, the latter two in
// lower case and empty for none; instant is a time.Time, zero for none; number an int64; flag a bool; binary a []byte.
type kind int

const (
	text kind = iota
	guid
	lookup
	instant
	number
	flag
	binary
)

// edm are the types of OData by kind.
var edm = map[kind]string{
	text: "Edm.String", guid: "Edm.Guid", lookup: "Edm.Guid", instant: "Edm.DateTimeOffset", number: "Edm.Int32",
	flag: "Edm.Boolean", binary: "Edm.Stream",
}

// zero are the values of empty columns.
func (k kind) zero() any {
	switch k {
	case instant:
		return time.Time{}
	case number:
		return int64(0)
	case flag:
		return false
	case binary:
		return []byte(nil)
	default:
		return ""
	}
}

// fate is what becomes of a row when the one it points to is deleted.
type fate int

const (
	// restrict keeps what is pointed to from being deleted, as a foreign key does.
	restrict fate = iota
	cascade
	setNull
)

// column is one property of an entity. A lookup X is the property XId.
type column struct {
	name     string
	kind     kind
	to       string
	size     int
	required bool
	fate     fate
	// initial is the value of a row that is inserted without one, or a stand-in for it.
	initial any
}

// standIn is an initial value that is known only when a row is inserted.
type standIn int

const (
	// currentContact is the contact of who inserts, currentTime the time at which that happens.
	currentContact standIn = iota + 1
	currentTime
)

// The lengths of Creatio's text types.
const (
	shortText  = 50
	mediumText = 250
	longText   = 500
	unlimited  = 0
)

func textual(name string, size int) column { return column{name: name, kind: text, size: size} }
func of(k kind, name string) column        { return column{name: name, kind: k} }
func link(name, to string) column          { return column{name: name + "Id", kind: lookup, to: to} }

func (c column) must() column       { c.required = true; return c }
func (c column) on(f fate) column   { c.fate = f; return c }
func (c column) or(v any) column    { c.initial = v; return c }
func (c column) navigation() string { return strings.TrimSuffix(c.name, "Id") }
func many(k kind, names ...string) []column {
	out := make([]column, len(names))
	for i, n := range names {
		out[i] = of(k, n)
	}
	return out
}

func texts(size int, names ...string) []column {
	out := many(text, names...)
	for i := range out {
		out[i].size = size
	}
	return out
}

// entity is one entity set. What happens when its rows are saved is told by functions; everything else is data.
type entity struct {
	name    string
	columns []column
	// since is the first version that has the entity.
	since []int
	// list says that it is one of the site's lookups.
	list bool
	// closed says that nobody writes to it through OData.
	closed bool
	// master is the navigation property to the record whose detail a row is, and whose rights it has; empty for none.
	master string
	// owner tells whose a row is that nobody else may see; empty for everybody's.
	owner func(s *Server, r row) string
	// saving completes a row before it is checked and stored; saved and removed do what follows from it.
	saving  func(t *tx, old, now row) error
	saved   func(t *tx, old, now row) error
	removed func(t *tx, old row) error

	byName map[string]*column
}

// find is the column of a name.
func (e *entity) find(name string) *column { return e.byName[name] }

// follow is the column behind a navigation property.
func (e *entity) follow(navigation string) *column {
	if c := e.byName[navigation+"Id"]; c != nil && c.kind == lookup {
		return c
	}
	return nil
}

// base are the columns that every entity has.
func base() []column {
	return []column{
		of(guid, "Id"), of(instant, "CreatedOn"), link("CreatedBy", "Contact").on(setNull),
		of(instant, "ModifiedOn"), link("ModifiedBy", "Contact").on(setNull), of(number, "ProcessListeners"),
	}
}

// entities makes the schema of a site of the server's version, without what the site lacks.
func (s *Server) entities() map[string]*entity {
	lacks := func(name string) bool { return slices.Contains(s.o.Without, name) }
	out := map[string]*entity{}
	for _, e := range slices.Concat(contactTable(), activityTable(), systemTable()) {
		if !s.atLeast(e.since...) || lacks(e.name) {
			continue
		}
		own := e
		own.columns = slices.DeleteFunc(slices.Concat(base(), e.columns), func(c column) bool { return lacks(e.name + "." + c.name) })
		own.byName = map[string]*column{}
		for i := range own.columns {
			own.byName[own.columns[i].name] = &own.columns[i]
		}
		out[own.name] = &own
	}
	return out
}
