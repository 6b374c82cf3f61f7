package creatio

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"time"
)

// row is one row of a table, by the names of columns.
type row map[string]any

func (r row) text(name string) string    { v, _ := r[name].(string); return v }
func (r row) time(name string) time.Time { v, _ := r[name].(time.Time); return v }
func (r row) flag(name string) bool      { v, _ := r[name].(bool); return v }

// rowSet holds the rows of one entity. Rows are replaced, never changed in place.
type rowSet struct {
	Rows map[string]row
	// index finds rows by lookup column and value.
	index map[string]map[string]map[string]bool
}

// put stores a row, or takes it out where it is nil.
func (rs *rowSet) put(e *entity, id string, r row) {
	each := func(r row, do func(in map[string]bool)) {
		for _, c := range e.columns {
			if v := r.text(c.name); c.kind == lookup && v != "" {
				if rs.index[c.name] == nil {
					rs.index[c.name] = map[string]map[string]bool{}
				}
				if rs.index[c.name][v] == nil {
					rs.index[c.name][v] = map[string]bool{}
				}
				do(rs.index[c.name][v])
			}
		}
	}
	if old := rs.Rows[id]; old != nil {
		each(old, func(in map[string]bool) { delete(in, id) })
		delete(rs.Rows, id)
	}
	if r != nil {
		rs.Rows[id] = r
		each(r, func(in map[string]bool) { in[id] = true })
	}
}

// count is how many rows an expression lets through at most.
func (rs *rowSet) count(x *expr) int {
	if x.column == "Id" {
		return len(x.ids)
	}
	n := 0
	for _, id := range x.ids {
		n += len(rs.index[x.column][id])
	}
	return n
}

// account is a user of the site and of its identity service.
type account struct {
	User
	UnitID string
}

// state is everything that Save writes down.
type state struct {
	Tables   map[string]*rowSet
	Users    map[string]account
	Clients  map[string]OAuthClient
	Sessions map[string]session
	// Codes, Access and Refresh are authorization codes and tokens with what was granted.
	Codes, Access, Refresh map[string]grant
}

func (s *Server) newState() state {
	st := state{
		Tables: map[string]*rowSet{}, Users: map[string]account{}, Clients: map[string]OAuthClient{}, Sessions: map[string]session{},
		Codes: map[string]grant{}, Access: map[string]grant{}, Refresh: map[string]grant{},
	}
	for name := range s.schema {
		st.Tables[name] = newRowSet()
	}
	return st
}

func newRowSet() *rowSet {
	return &rowSet{Rows: map[string]row{}, index: map[string]map[string]map[string]bool{}}
}

func (st state) table(name string) *rowSet { return st.Tables[name] }

// stateVersion is the form of what Save writes.
const stateVersion = 1

// saved is what Save writes; rows with columns as JSON.
type saved struct {
	Version int
	Rows    map[string]map[string]map[string]json.RawMessage
	State   state
}

// MarshalJSON leaves the rows to what surrounds the set.
func (rs *rowSet) MarshalJSON() ([]byte, error) { return []byte("{}"), nil }

// Save writes down the whole state, passwords and tokens included.
func (s *Server) Save(w io.Writer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := saved{Version: stateVersion, Rows: map[string]map[string]map[string]json.RawMessage{}, State: s.state}
	for name, set := range s.state.Tables {
		out.Rows[name] = map[string]map[string]json.RawMessage{}
		for id, r := range set.Rows {
			columns := map[string]json.RawMessage{}
			for column, value := range r {
				raw, err := json.Marshal(value)
				if err != nil {
					return fmt.Errorf("save simulated creatio: %w", err)
				}
				columns[column] = raw
			}
			out.Rows[name][id] = columns
		}
	}
	if err := json.NewEncoder(w).Encode(out); err != nil {
		return fmt.Errorf("save simulated creatio: %w", err)
	}
	return nil
}

// Load replaces the whole state by one that Save wrote. Where it cannot, nothing is changed. What the site's version does
// not have is left out.
func (s *Server) Load(r io.Reader) error {
	in := saved{State: s.newState()}
	if err := json.NewDecoder(r).Decode(&in); err != nil {
		return fmt.Errorf("load simulated creatio: %w", err)
	}
	if in.Version != stateVersion {
		return fmt.Errorf("load simulated creatio: version %d is not known, only %d", in.Version, stateVersion)
	}
	next := s.newState()
	for _, m := range []struct{ to, from map[string]grant }{
		{next.Codes, in.State.Codes}, {next.Access, in.State.Access}, {next.Refresh, in.State.Refresh},
	} {
		maps.Copy(m.to, m.from)
	}
	maps.Copy(next.Users, in.State.Users)
	maps.Copy(next.Clients, in.State.Clients)
	maps.Copy(next.Sessions, in.State.Sessions)
	for name, rows := range in.Rows {
		e := s.schema[name]
		if e == nil {
			continue
		}
		for id, columns := range rows {
			loaded, err := restore(e, columns)
			if err != nil || loaded.text("Id") != id {
				return errors.Join(fmt.Errorf("load simulated creatio: a row of %s cannot be read", name), err)
			}
			next.Tables[name].put(e, id, loaded)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = next
	// What was saved by a site that had less gets the rows that every site is delivered with.
	s.preset(func(entity string) bool { return in.Rows[entity] != nil })
	return nil
}

// restore makes a row of saved columns.
func restore(e *entity, columns map[string]json.RawMessage) (row, error) {
	out := row{}
	for _, c := range e.columns {
		raw, there := columns[c.name]
		var err error
		switch v := c.kind.zero().(type) {
		case time.Time:
			err = unmarshal(raw, there, &v)
			out[c.name] = v
		case int64:
			err = unmarshal(raw, there, &v)
			out[c.name] = v
		case bool:
			err = unmarshal(raw, there, &v)
			out[c.name] = v
		case []byte:
			err = unmarshal(raw, there, &v)
			out[c.name] = v
		case string:
			err = unmarshal(raw, there, &v)
			out[c.name] = v
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func unmarshal[T any](raw json.RawMessage, there bool, into *T) error {
	if !there {
		return nil
	}
	return json.Unmarshal(raw, into)
}
