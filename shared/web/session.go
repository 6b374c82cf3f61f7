package web

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/store"
)

const (
	// sessionAge is how long a session lasts.
	sessionAge = 30 * 24 * time.Hour
	// linkAge is how long a linking may take.
	linkAge = 10 * time.Minute
	// skew is how far another copy's clock may be ahead of ours.
	skew = 5 * time.Minute
	// maxCookie bounds what is opened at all; browsers keep no more in one cookie.
	maxCookie = 4096
	// sealContext ties what is sealed to its use, so that a sealed token is no session.
	sealContext = "session"
)

// ticket is the session as the browser carries it, sealed.
type ticket struct {
	User   string    `json:"user"`
	Epoch  int       `json:"epoch"`
	Issued time.Time `json:"issued"`
}

// session is the user of the request's session, empty where there is none that counts. A cookie that does not
// count is taken away.
func (s *Site) session(w http.ResponseWriter, r *http.Request) (string, error) {
	c, err := r.Cookie(s.cookieName("tandem"))
	if err != nil {
		return "", nil // no cookie is no session
	}
	t, err := s.open(c.Value)
	if err != nil {
		return "", err
	}
	if t == nil {
		s.forget(w, "tandem")
		return "", nil
	}
	epoch, err := s.service.Epoch(r.Context(), t.User)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return "", err
	}
	if err != nil || epoch != t.Epoch {
		s.forget(w, "tandem")
		return "", nil
	}
	return t.User, nil
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
	if t.Issued.After(now.Add(skew)) || !now.Before(t.Issued.Add(sessionAge)) {
		return nil, nil
	}
	return &t, nil
}

// begin gives the browser a session.
func (s *Site) begin(w http.ResponseWriter, user string, epoch int) error {
	plain, err := json.Marshal(ticket{User: user, Epoch: epoch, Issued: s.now().UTC().Truncate(time.Second)})
	if err != nil {
		return fault.Errorf(fault.Bug, "", "session", "encode session: %w", err)
	}
	sealed, err := s.sealer.Seal(plain, sealContext)
	if err != nil {
		return err
	}
	s.keep(w, "tandem", base64.RawURLEncoding.EncodeToString(sealed), sessionAge)
	return nil
}

// browser is the secret by which a browser that comes back from a consent page is known again. One that is there
// already is kept, so that two linkings may be under way at once.
func (s *Site) browser(w http.ResponseWriter, r *http.Request) string {
	secret := s.shownBrowser(r)
	if secret == "" {
		b := make([]byte, 32)
		_, _ = rand.Read(b) // never fails
		secret = base64.RawURLEncoding.EncodeToString(b)
	}
	s.keep(w, "tandem-link", secret, linkAge)
	return secret
}

// shownBrowser is the secret that the browser shows; empty where it shows none that we could have given it.
func (s *Site) shownBrowser(r *http.Request) string {
	c, err := r.Cookie(s.cookieName("tandem-link"))
	if err != nil {
		return ""
	}
	if b, err := base64.RawURLEncoding.Strict().DecodeString(c.Value); err != nil || len(b) != 32 {
		return ""
	}
	return c.Value
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
