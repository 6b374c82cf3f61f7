package creatio

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"time"
	"unicode/utf16"
)

// actor is who reads or writes.
type actor struct {
	login, contact string
	// system sees and may do everything.
	system bool
}

// tx is one write with everything that follows from it: all of it happens, or nothing.
type tx struct {
	s  *Server
	by actor
	// at is the time of the write, to 100 nanoseconds; the database keeps microseconds.
	at   time.Time
	undo []undone
}

type undone struct {
	e   *entity
	id  string
	old row
}

func (s *Server) begin(by actor) *tx {
	return &tx{s: s, by: by, at: s.now().Truncate(100 * time.Nanosecond)}
}

// rollback undoes what was written since a mark, which is a length of undo.
func (t *tx) rollback(mark int) {
	for _, u := range slices.Backward(t.undo[mark:]) {
		t.s.state.table(u.e.name).put(u.e, u.id, u.old)
	}
	t.undo = t.undo[:mark]
}

// atomically does all or nothing.
func (t *tx) atomically(do func() error) error {
	mark := len(t.undo)
	err := do()
	if err != nil {
		t.rollback(mark)
	}
	return err
}

func (t *tx) entity(name string) *entity { return t.s.schema[name] }

func (t *tx) row(entity, id string) row { return t.s.state.table(entity).Rows[id] }

// store puts a row, or takes it out, and remembers how to undo that.
func (t *tx) store(e *entity, id string, r row) {
	set := t.s.state.table(e.name)
	t.undo = append(t.undo, undone{e, id, set.Rows[id]})
	set.put(e, id, r)
}

// touch changes columns as a plain statement of SQL does, without anything that follows from it.
func (t *tx) touch(entity, id string, values row) {
	if old := t.row(entity, id); old != nil {
		now := maps.Clone(old)
		maps.Copy(now, values)
		t.store(t.entity(entity), id, now)
	}
}

// stamp is the time as the database keeps it.
func (t *tx) stamp() time.Time { return t.at.Truncate(time.Microsecond) }

// insert makes a row of values and gives it as it is stored.
func (t *tx) insert(e *entity, values row) (row, error) {
	now := row{}
	for _, c := range e.columns {
		now[c.name] = c.kind.zero()
		switch c.initial {
		case nil:
		case currentContact:
			now[c.name] = t.by.contact
		case currentTime:
			now[c.name] = t.stamp()
		default:
			now[c.name] = c.initial
		}
	}
	maps.Copy(now, values)
	maps.Copy(now, row{"CreatedOn": t.stamp(), "ModifiedOn": t.stamp(), "CreatedById": t.by.contact, "ModifiedById": t.by.contact})
	if now.text("Id") == "" {
		now["Id"] = t.s.o.NewID()
	}
	id := now.text("Id")
	err := t.atomically(func() error {
		if t.row(e.name, id) != nil {
			return database("23505: duplicate key value violates unique constraint \"PK_" + e.name + "\"")
		}
		return t.save(e, nil, now)
	})
	return t.row(e.name, id), err
}

// update changes columns of a row. Where none changes, nothing is saved.
func (t *tx) update(e *entity, id string, values row) error {
	old := t.row(e.name, id)
	if old == nil {
		return notFound()
	}
	now := maps.Clone(old)
	maps.Copy(now, values)
	now["Id"] = id
	if !differ(old, now) {
		return nil
	}
	now["ModifiedOn"], now["ModifiedById"] = t.stamp(), t.by.contact
	return t.atomically(func() error { return t.save(e, old, now) })
}

func differ(a, b row) bool {
	return !maps.EqualFunc(a, b, func(x, y any) bool {
		if b, ok := x.([]byte); ok {
			other, _ := y.([]byte)
			return bytes.Equal(b, other)
		}
		if at, ok := x.(time.Time); ok {
			other, _ := y.(time.Time)
			return at.Equal(other)
		}
		return x == y
	})
}

// save completes, checks and stores a row, and does what follows.
func (t *tx) save(e *entity, old, now row) error {
	if e.saving != nil {
		if err := e.saving(t, old, now); err != nil {
			return err
		}
	}
	if err := t.check(e, now); err != nil {
		return err
	}
	t.store(e, now.text("Id"), now)
	if e.saved == nil {
		return nil
	}
	return e.saved(t, old, now)
}

// check finds what the database would refuse.
func (t *tx) check(e *entity, r row) error {
	for _, c := range e.columns {
		v := r.text(c.name)
		switch {
		case c.required && (v == "" && (c.kind == text || c.kind == lookup || c.kind == guid) || c.kind == instant && r.time(c.name).IsZero()):
			return database(fmt.Sprintf("23502: null value in column %q violates not-null constraint", c.name))
		case c.kind == text && c.size > 0 && len(utf16.Encode([]rune(v))) > c.size:
			return database(fmt.Sprintf("22001: value too long for type character varying(%d)", c.size))
		case c.kind == lookup && v != "" && v != r["Id"] && c.name != "CreatedById" && c.name != "ModifiedById" && t.row(c.to, v) == nil:
			return database(fmt.Sprintf("23503: insert or update on table %q violates foreign key constraint \"FK_%s_%s\"", e.name, e.name, c.name))
		}
	}
	return nil
}

// remove deletes a row and what belongs to it.
func (t *tx) remove(e *entity, id string) error {
	old := t.row(e.name, id)
	if old == nil {
		return notFound()
	}
	return t.atomically(func() error {
		t.store(e, id, nil)
		if err := t.release(e, id); err != nil {
			return err
		}
		if e.removed == nil {
			return nil
		}
		return e.removed(t, old)
	})
}

// release deals with the rows that point to one that is deleted.
func (t *tx) release(e *entity, id string) error {
	for _, name := range t.s.names() {
		other := t.entity(name)
		for _, c := range other.columns {
			if c.kind != lookup || c.to != e.name {
				continue
			}
			for _, ref := range sortedKeys(t.s.state.table(name).index[c.name][id]) {
				switch c.fate {
				case cascade:
					t.store(other, ref, nil)
					if err := t.release(other, ref); err != nil {
						return err
					}
				case setNull:
					t.touch(name, ref, row{c.name: ""})
				default:
					return database(fmt.Sprintf("23503: update or delete on table %q violates foreign key constraint \"FK_%s_%s\" on table %q",
						e.name, name, c.name, name))
				}
			}
		}
	}
	return nil
}

// names are the entities in a lasting order.
func (s *Server) names() []string { return sortedKeys(s.schema) }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// refusal is why a request is refused: OData's error, with what caused it inside.
type refusal struct {
	status                   int
	message, inner, typeName string
}

func (r *refusal) Error() string {
	if r.inner != "" {
		return r.message + " " + r.inner
	}
	return r.message
}

// database is an error of the database, which the platform passes on inside of its own.
func database(inner string) error {
	return &refusal{http.StatusInternalServerError, "An error has occurred.", inner, "Npgsql.PostgresException"}
}

func badRequest(format string, args ...any) error {
	inner := fmt.Sprintf(format, args...)
	return &refusal{http.StatusBadRequest, "The query specified in the URI is not valid. " + inner, inner, "Microsoft.OData.ODataException"}
}

func badBody(format string, args ...any) error {
	message := fmt.Sprintf(format, args...)
	return &refusal{http.StatusBadRequest, "The request is invalid.", message, "Microsoft.OData.ODataException"}
}

func notFound() error {
	return &refusal{http.StatusNotFound, "Item not found.", "Item not found.", "Terrasoft.Common.ItemNotFoundException"}
}

func forbidden(op string, e *entity) error {
	return &refusal{
		http.StatusForbidden, "Access is denied.", fmt.Sprintf("Current user does not have permission to %s records of the object %q.", op, e.name),
		"System.Security.SecurityException",
	}
}

func refusalOf(err error) *refusal {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r
	}
	return &refusal{http.StatusInternalServerError, "An error has occurred.", err.Error(), "System.Exception"}
}

var guidForm = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// newID makes a random id (RFC 9562, 5.4).
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
}
