package creatio

import (
	"encoding/json"
	"fmt"
	"io"
)

// state is what a Server keeps between two lives. Sessions end with it.
type state struct {
	Rows   map[string]map[string]row
	Order  map[string][]string
	Users  map[string]User
	Tokens map[string]token
}

// Save writes everything the site holds.
func (s *Server) Save(w io.Writer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := json.NewEncoder(w).Encode(state{s.t.rows, s.t.order, s.users, s.tokens}); err != nil {
		return fmt.Errorf("save simulated creatio: %w", err)
	}
	return nil
}

// Load replaces everything by what Save wrote.
func (s *Server) Load(r io.Reader) error {
	var st state
	if err := json.NewDecoder(r).Decode(&st); err != nil {
		return fmt.Errorf("load simulated creatio: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.t.rows, s.t.order, s.t.undo, s.users, s.tokens = st.Rows, st.Order, nil, st.Users, st.Tokens
	for set := range schemas {
		if s.t.rows[set] == nil {
			s.t.rows[set] = map[string]row{}
		}
	}
	return nil
}
