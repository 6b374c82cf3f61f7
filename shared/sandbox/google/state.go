package google

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"
)

// state is all that a simulated Google knows, as it is saved.
type state struct {
	Version int
	// Key is the private key that signs ID tokens, as PKCS #8; empty until it is first saved.
	Key      []byte              `json:",omitempty"`
	Clients  map[string]*client  // by id
	Accounts map[string]*account // by e-mail address
	Grants   map[string]*grant   // by grantKey
	Codes    map[string]*code
	Refresh  map[string]*token
	Access   map[string]*token
	// Auto is the account that consents without being asked.
	Auto string
	// Calendars are those of all accounts.
	Calendars json.RawMessage `json:",omitempty"`
}

const stateVersion = 1

func newState() state {
	return state{
		Version: stateVersion, Clients: map[string]*client{}, Accounts: map[string]*account{}, Grants: map[string]*grant{},
		Codes: map[string]*code{}, Refresh: map[string]*token{}, Access: map[string]*token{},
	}
}

// client is an OAuth client.
type client struct {
	Secret       string
	RedirectURIs []string
}

// account is a user with the address book; the calendar is kept with those of all users.
type account struct {
	User
	Refuses bool
	// Limited says that consent gives no more than Granted.
	Limited bool
	Granted []string
	Book    *book
}

// Save writes down the whole state, secrets and signing key included.
func (s *Server) Save(w io.Writer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	der, err := s.signer().marshal()
	if err != nil {
		return fmt.Errorf("save simulated google: %w", err)
	}
	s.state.Key = der
	if s.state.Calendars, err = json.Marshal(s.calendars); err != nil {
		return fmt.Errorf("save simulated google: %w", err)
	}
	if err := json.NewEncoder(w).Encode(s.state); err != nil {
		return fmt.Errorf("save simulated google: %w", err)
	}
	return nil
}

// Load replaces the whole state by one that Save wrote. Where it cannot, nothing is changed.
func (s *Server) Load(r io.Reader) error {
	next := newState()
	if err := json.NewDecoder(r).Decode(&next); err != nil {
		return fmt.Errorf("load simulated google: %w", err)
	}
	if next.Version != stateVersion {
		return fmt.Errorf("load simulated google: version %d is not known, only %d", next.Version, stateVersion)
	}
	if _, err := parseKey(next.Key); err != nil {
		return fmt.Errorf("load simulated google: %w", err)
	}
	for _, a := range next.Accounts {
		if a == nil || a.Book == nil {
			return errors.New("load simulated google: an account has no address book")
		}
		a.Book.index()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(next.Calendars) == 0 {
		next.Calendars = json.RawMessage("{}")
	}
	if err := json.Unmarshal(next.Calendars, s.calendars); err != nil {
		return fmt.Errorf("load simulated google: %w", err)
	}
	s.state = next
	for _, a := range next.Accounts {
		s.calendars.AddUser(a.Email, a.Name)
	}
	return nil
}

// AddClient registers an OAuth client, or replaces the one of that id.
func (s *Server) AddClient(id, secret string, redirectURIs ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Clients[id] = &client{Secret: secret, RedirectURIs: redirectURIs}
}

// User is a person with a Google account.
type User struct {
	Email, Name string
	// HostedDomain is the Google Workspace domain that the account belongs to; empty for a private one.
	HostedDomain  string
	EmailVerified bool
	// Subject is the account's lasting id; default: derived from the e-mail address.
	Subject string
}

// AddUser adds an account with an empty address book and an empty calendar. One that is there already keeps what it has.
func (s *Server) AddUser(u User) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := emailKey(u.Email)
	s.calendars.AddUser(u.Email, u.Name)
	if u.Subject == "" {
		u.Subject = subjectOf(key)
	}
	if a := s.state.Accounts[key]; a != nil {
		a.User = u
		return
	}
	s.state.Accounts[key] = &account{User: u, Book: newBook(u.Subject, s.o.Now())}
}

func emailKey(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// subjectOf is 21 digits, as Google's are.
func subjectOf(key string) string {
	return fmt.Sprintf("1%020d", hash64("subject", key))
}

// Account is what the user of that address does; nil where there is none.
func (s *Server) Account(email string) *Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Accounts[emailKey(email)] == nil {
		return nil
	}
	return &Account{s: s, key: emailKey(email)}
}

// SetIssuerURL says by what URL the server is reached, where that was not known when it was made.
func (s *Server) SetIssuerURL(base string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.o.IssuerURL = strings.TrimSuffix(base, "/")
}

// violate notes something that nobody should do.
func (s *Server) violate(format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	s.violations = append(s.violations, what)
	s.o.Logger.Warn("simulated google: no client may do this", "violation", what)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

// appendQuery adds parameters to an address that may have some already.
func appendQuery(address string, values url.Values) string {
	if strings.Contains(address, "?") {
		return address + "&" + values.Encode()
	}
	return address + "?" + values.Encode()
}
