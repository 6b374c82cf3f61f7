package web

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/store"
)

const (
	// sessionAge is how long a session lasts; idleAge, how long one does that nobody uses.
	sessionAge = 30 * 24 * time.Hour
	idleAge    = 14 * 24 * time.Hour
	// seenAge is how old the note of the last use may be.
	seenAge = time.Hour
	// freshAge is how long ago a sign-in may be that counts as one just now.
	freshAge = 10 * time.Minute
	// linkAge is how long a linking may take.
	linkAge = 10 * time.Minute
	// skew is how far another copy's clock may be ahead of ours.
	skew = 5 * time.Minute
	// maxCookie bounds what is opened at all; browsers keep no more in one cookie.
	maxCookie = 4096
	// sealContext ties what is sealed to its use, so that a sealed token is no session.
	sealContext = "session"
)

// The names of the cookies.
const (
	sessionCookie = "tandem"
	linkCookie    = "tandem-link"
)

// ticket is the session as the browser carries it, sealed.
type ticket struct {
	User string `json:"user"`
	// Session is what all sessions of the user name.
	Session string `json:"session"`
	// Issued is when the user signed in; Seen is when the session was used, to the hour.
	Issued time.Time `json:"issued"`
	Seen   time.Time `json:"seen"`
}

// session is the request's session, nil where there is none that counts. A cookie that does not count is taken away. With
// ErrNotAllowed the session counts, and is good for nothing but to be ended.
func (s *Site) session(w http.ResponseWriter, r *http.Request) (*ticket, error) {
	c, err := r.Cookie(s.cookieName(sessionCookie))
	if err != nil {
		return nil, nil // no cookie is no session
	}
	t, err := s.open(c.Value)
	if err != nil {
		return nil, err
	}
	if t == nil {
		s.forget(w, sessionCookie)
		return nil, nil
	}
	session, err := s.service.Session(r.Context(), t.User)
	if err != nil && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, ErrNotAllowed) {
		return nil, err
	}
	if errors.Is(err, store.ErrNotFound) || session == "" || session != t.Session {
		s.forget(w, sessionCookie)
		return nil, nil
	}
	if now := s.now(); err == nil && now.Sub(t.Seen) >= seenAge {
		return t, s.carry(w, ticket{t.User, t.Session, t.Issued, now.UTC().Truncate(time.Second)})
	}
	return t, err
}

// open reads a session's cookie; nil where it was tampered with or is too old.
func (s *Site) open(value string) (*ticket, error) {
	if len(value) > maxCookie {
		return nil, nil
	}
	sealed, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil {
		return nil, nil
	}
	plain, err := s.sealer.Open(sealed, sealContext)
	if fault.Is(err, fault.Retry) || fault.Is(err, fault.Misconfigured) {
		return nil, err // the key cannot be reached; that says nothing about the session
	}
	var t ticket
	if err != nil || json.Unmarshal(plain, &t) != nil || t.User == "" {
		return nil, nil
	}
	now := s.now()
	if t.Issued.After(now.Add(skew)) || !now.Before(t.Issued.Add(sessionAge)) || !now.Before(t.Seen.Add(idleAge)) {
		return nil, nil
	}
	return &t, nil
}

// begin gives the browser a session.
func (s *Site) begin(w http.ResponseWriter, user, session string) error {
	now := s.now().UTC().Truncate(time.Second)
	return s.carry(w, ticket{user, session, now, now})
}

func (s *Site) carry(w http.ResponseWriter, t ticket) error {
	plain, err := json.Marshal(t)
	if err != nil {
		return fault.Errorf(fault.Bug, "", "session", "encode session: %w", err)
	}
	sealed, err := s.sealer.Seal(plain, sealContext)
	if err != nil {
		return err
	}
	s.keep(w, sessionCookie, base64.RawURLEncoding.EncodeToString(sealed), t.Issued.Add(sessionAge).Sub(s.now()))
	return nil
}

// browser is what the browser keeps of the linkings that it began; empty where it keeps none.
func (s *Site) browser(r *http.Request) string {
	c, err := r.Cookie(s.cookieName(linkCookie))
	if err != nil || len(c.Value) > maxCookie {
		return ""
	}
	return c.Value
}

// lead leads a browser to a consent page.
func (s *Site) lead(w http.ResponseWriter, b Begun) error {
	s.keep(w, linkCookie, b.Browser, linkAge)
	return s.see(w, b.Redirect)
}

// cookieName adds the prefix with which a browser takes the cookie from this host over https only.
// https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#name-the-__host-prefix
func (s *Site) cookieName(name string) string {
	if s.secure {
		return "__Host-" + name
	}
	return name
}

// keep sets a cookie. Lax, not Strict: it has to come along when a consent page leads back to us.
func (s *Site) keep(w http.ResponseWriter, name, value string, age time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: s.cookieName(name), Value: value, Path: "/", MaxAge: int(age.Seconds()),
		Secure: s.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

func (s *Site) forget(w http.ResponseWriter, name string) {
	http.SetCookie(w, &http.Cookie{
		Name: s.cookieName(name), Path: "/", MaxAge: -1,
		Secure: s.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}
