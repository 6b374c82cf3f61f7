package creatio

import "fmt"

// may reports whether somebody has the right to an operation.
func (s *Server) may(a actor, e *entity, op string) bool {
	return a.system || !s.denied[denial{a.login, e.name, op, ""}]
}

// mayOn reports whether somebody has the right to an operation on one row: on its own, and on the record whose detail it is.
func (s *Server) mayOn(a actor, e *entity, r row, op string) bool {
	if a.system {
		return true
	}
	master := e.follow(e.master)
	return !s.denied[denial{a.login, e.name, op, r.text("Id")}] && (master == nil || !s.denied[denial{a.login, master.to, op, r.text(master.name)}])
}

// owner is whose a row is that nobody else may see; empty for everybody's.
func (s *Server) owner(e *entity, r row) string {
	if e.owner == nil {
		return ""
	}
	return e.owner(s, r)
}

// sees reports whether a row is there for somebody.
func (s *Server) sees(a actor, e *entity, r row) bool {
	if r == nil || !s.mayOn(a, e, r, Read) {
		return false
	}
	owner := s.owner(e, r)
	return a.system || owner == "" || owner == a.contact
}

// visible is a row that somebody sees, or nil.
func (s *Server) visible(a actor, e *entity, id string) row {
	if r := s.state.table(e.name).Rows[id]; s.sees(a, e, r) {
		return r
	}
	return nil
}

// create inserts a row for somebody.
func (t *tx) create(e *entity, values row) (row, error) {
	if !t.by.system && e.closed || !t.s.may(t.by, e, Insert) || !t.s.mayOn(t.by, e, values, Update) {
		return nil, forbidden("insert", e)
	}
	var made row
	err := t.atomically(func() error {
		var err error
		if made, err = t.insert(e, values); err != nil {
			return err
		}
		if !t.s.sees(t.by, e, made) {
			return forbidden("insert", e)
		}
		return nil
	})
	return made, err
}

// change updates a row for somebody.
func (t *tx) change(e *entity, id string, values row) error {
	if !t.by.system && e.closed || !t.s.may(t.by, e, Update) {
		return forbidden("update", e)
	}
	old := t.s.visible(t.by, e, id)
	switch {
	case old == nil:
		return notFound()
	case !t.s.mayOn(t.by, e, old, Update):
		return forbidden("update", e)
	}
	return t.update(e, id, values)
}

// drop deletes a row for somebody.
func (t *tx) drop(e *entity, id string) error {
	if !t.by.system && e.closed || !t.s.may(t.by, e, Delete) {
		return forbidden("delete", e)
	}
	old := t.s.visible(t.by, e, id)
	switch {
	case old == nil:
		return notFound()
	case !t.s.mayOn(t.by, e, old, Delete), e.master != "" && !t.s.mayOn(t.by, e, old, Update):
		return forbidden("delete", e)
	}
	return t.remove(e, id)
}

func (s *Server) actorOf(login string) actor {
	u := s.state.Users[login]
	return actor{login: login, contact: u.ContactID}
}

// Session is what somebody does on the pages of the site, with all that follows from it.
type Session struct {
	s      *Server
	login  string
	system bool
}

// As is the session of a user, named by login.
func (s *Server) As(user string) *Session { return &Session{s: s, login: user} }

// System is a session that sees and may do everything.
func (s *Server) System() *Session { return &Session{s: s, system: true} }

func (u *Session) open(name string) (actor, *entity, error) {
	a := actor{contact: supervisor, system: true}
	if !u.system {
		if _, known := u.s.state.Users[u.login]; !known {
			return a, nil, fmt.Errorf("the site has no user %q", u.login)
		}
		a = u.s.actorOf(u.login)
	}
	e := u.s.schema[name]
	if e == nil {
		return a, nil, fmt.Errorf("the site has no entity %q", name)
	}
	return a, e, nil
}

// Insert makes a row and gives its id. Values are named as in OData, a lookup X as XId; times are time.Time or text as
// OData has it, nil is nothing.
func (u *Session) Insert(entity string, values map[string]any) (string, error) {
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	a, e, err := u.open(entity)
	if err != nil {
		return "", err
	}
	given, err := u.s.typed(e, values, true)
	if err != nil {
		return "", err
	}
	made, err := u.s.begin(a).create(e, given)
	if err != nil {
		return "", err
	}
	return made.text("Id"), nil
}

// Update changes columns of a row.
func (u *Session) Update(entity, id string, values map[string]any) error {
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	a, e, err := u.open(entity)
	if err != nil {
		return err
	}
	given, err := u.s.typed(e, values, false)
	if err != nil {
		return err
	}
	return u.s.begin(a).change(e, lower(id), given)
}

// Delete removes a row.
func (u *Session) Delete(entity, id string) error {
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	a, e, err := u.open(entity)
	if err != nil {
		return err
	}
	return u.s.begin(a).drop(e, lower(id))
}

// Get is a row that the session sees, or nil. Texts and lookups are strings, empty for none; numbers are int64, times
// time.Time.
func (u *Session) Get(entity, id string) map[string]any {
	rows := u.Rows(entity, map[string]any{"Id": id})
	if len(rows) == 0 {
		return nil
	}
	return rows[0]
}

// Rows are the rows that the session sees and whose columns have the values of the filter, the oldest first; none for an
// entity or a column that the site does not have.
func (u *Session) Rows(entity string, filter map[string]any) []map[string]any {
	u.s.mu.Lock()
	defer u.s.mu.Unlock()
	a, e, err := u.open(entity)
	if err != nil || !u.s.may(a, e, Read) {
		return nil
	}
	want, err := u.s.typed(e, filter, true)
	if err != nil {
		return nil
	}
	var out []map[string]any
	for _, r := range u.s.sorted(a, e) {
		if matches(r, want) {
			out = append(out, copyOf(r))
		}
	}
	return out
}
