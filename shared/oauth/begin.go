package oauth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"golang.org/x/oauth2"

	"github.com/tandem-sync/tandem/shared/fault"
	"github.com/tandem-sync/tandem/shared/record"
	"github.com/tandem-sync/tandem/shared/store"
)

// linkingTime is how long a user may take for a linking.
const linkingTime = 10 * time.Minute

// consentAgain is the prefix of the id of a linking that already forces Google to ask for consent.
const consentAgain = "again-"

// googleScopes are the scopes beyond the user's identity, with their short names in store.GoogleAccount. A user may untick
// each of them (https://developers.google.com/identity/protocols/oauth2/resources/granular-permissions).
var googleScopes = []struct{ short, scope string }{
	{"contacts", "https://www.googleapis.com/auth/contacts"},
	{"calendar", "https://www.googleapis.com/auth/calendar.events"},
}

// Begun is a linking that waits for the user on a consent page.
type Begun struct {
	// Redirect is the address of the consent page.
	Redirect string
	// Browser is what the browser has to show again to finish the linking, in place of what it showed before.
	Browser string
}

// linking is one linking in progress. Only the browser that began it keeps it, sealed.
type linking struct {
	ID   string      `json:"id"`
	Side record.Side `json:"side"`
	// User and Session are who is signed in; empty at sign-in.
	User    string    `json:"user,omitempty"`
	Session string    `json:"session,omitempty"`
	Nonce   string    `json:"nonce,omitempty"`
	Expires time.Time `json:"expires"`
	// Verifier is the PKCE code verifier.
	Verifier string `json:"verifier"`
}

const (
	// linkingsAtOnce is how many linkings one browser may have in progress; a further one takes the place of the oldest.
	linkingsAtOnce = 4
	// browserContext is what the linkings in progress are sealed with.
	browserContext = "linkings"
)

// BeginGoogle begins a sign-in, which also links the Google account. browser is what the browser shows of the linkings that it
// began before, or empty.
func (l *Linker) BeginGoogle(ctx context.Context, browser string) (Begun, error) {
	return l.beginGoogle(ctx, browser, "")
}

// AgainGoogle begins to link an account again, by one consent, for a user who is signed in.
func (l *Linker) AgainGoogle(ctx context.Context, browser, email string) (Begun, error) {
	return l.beginGoogle(ctx, browser, email)
}

// beginGoogle begins a sign-in. With an email it forces Google to ask that account for consent again. Google returns a
// refresh token only with the first consent (https://developers.google.com/identity/protocols/oauth2/web-server#offline),
// and each forced consent uses up one of the hundred refresh tokens that an account may have.
func (l *Linker) beginGoogle(ctx context.Context, browser, email string) (Begun, error) {
	m, err := l.google.metadata(ctx)
	if err != nil {
		return Begun{}, err
	}
	s := linking{ID: secret(), Side: record.Google, Nonce: secret()}
	options := []oauth2.AuthCodeOption{
		oauth2.AccessTypeOffline, oauth2.SetAuthURLParam("nonce", s.Nonce), oauth2.SetAuthURLParam("include_granted_scopes", "true"),
	}
	if email != "" {
		s.ID = consentAgain + s.ID
		options = append(options, oauth2.SetAuthURLParam("prompt", "consent"), oauth2.SetAuthURLParam("login_hint", email))
	}
	scopes := []string{"openid", "email", "profile"}
	for _, g := range googleScopes {
		scopes = append(scopes, g.scope)
	}
	return l.begin(l.google.config(m), browser, s, scopes, options)
}

// BeginCreatio begins to link a Creatio account to a user by consent.
func (l *Linker) BeginCreatio(ctx context.Context, user, browser string) (Begun, error) {
	if err := l.only(AuthUser); err != nil {
		return Begun{}, err
	}
	p, err := l.o.Store.User(user).Profile(ctx)
	if err != nil {
		return Begun{}, fmt.Errorf("begin linking: %w", err)
	}
	m, err := l.creatio.metadata(ctx)
	if err != nil {
		return Begun{}, err
	}
	if m.Authorize == "" {
		return Begun{}, l.creatio.unknown("it has no consent page; before Creatio 8.3 there is none")
	}
	s := linking{ID: secret(), Side: record.Creatio, User: user, Session: p.Session}
	return l.begin(l.creatio.config(m), browser, s, []string{"offline_access"}, nil)
}

// begin seals the linking for the browser. It stores nothing: whoever opens an address costs nothing that way.
func (l *Linker) begin(c *oauth2.Config, browser string, s linking, scopes []string, options []oauth2.AuthCodeOption) (Begun, error) {
	now := l.o.Now().UTC()
	s.Verifier, s.Expires = oauth2.GenerateVerifier(), now.Add(linkingTime)
	all, err := l.linkings(browser)
	if err != nil {
		return Begun{}, err
	}
	all = slices.DeleteFunc(append(all, s), func(s linking) bool { return !now.Before(s.Expires) })
	plain, err := json.Marshal(all[max(0, len(all)-linkingsAtOnce):])
	if err != nil {
		return Begun{}, fault.New(fault.Bug, string(s.Side), "encode", errors.New("begin linking: encode it"))
	}
	sealed, err := l.o.Browser.Seal(plain, browserContext)
	if err != nil {
		return Begun{}, onSide(s.Side, "begin linking", err)
	}
	c.RedirectURL, c.Scopes = l.redirectURI(s.Side), scopes
	return Begun{
		Redirect: c.AuthCodeURL(s.ID, append(options, oauth2.S256ChallengeOption(s.Verifier))...),
		Browser:  base64.RawURLEncoding.EncodeToString(sealed),
	}, nil
}

// linkings are what a browser shows; none if it shows nothing that was sealed here.
func (l *Linker) linkings(browser string) ([]linking, error) {
	sealed, err := base64.RawURLEncoding.DecodeString(browser)
	if err != nil || len(sealed) == 0 {
		return nil, nil
	}
	plain, err := l.o.Browser.Open(sealed, browserContext)
	if fault.Is(err, fault.Retry) || fault.Is(err, fault.Misconfigured) {
		return nil, fmt.Errorf("read linkings: %w", err)
	}
	var all []linking
	if err != nil || json.Unmarshal(plain, &all) != nil {
		return nil, nil
	}
	return all, nil
}

// resume finds the linking to which an authorization response belongs, and consumes it. If the response is invalid, the
// error is ErrState; the linking is not consumed, so that its own browser and service can still finish it.
func (l *Linker) resume(ctx context.Context, side record.Side, browser string, query url.Values) (linking, error) {
	all, err := l.linkings(browser)
	if err != nil {
		return linking{}, err
	}
	state := query.Get("state")
	i := slices.IndexFunc(all, func(s linking) bool { return state != "" && s.ID == state && l.o.Now().Before(s.Expires) })
	if i < 0 {
		return linking{}, ErrState
	}
	s := all[i]
	if signedIn, err := l.signedIn(ctx, s); err != nil {
		return s, err
	} else if !signedIn {
		return s, ErrState
	}
	if s.Side != side {
		return s, l.rejectAnswer(ctx, s, "it arrived at the address of another service")
	}
	m, err := l.provider(side).metadata(ctx)
	if err != nil {
		return s, err
	}
	if why := m.mismatch(query); why != "" {
		return s, l.rejectAnswer(ctx, s, why)
	}
	if err := l.o.Store.UseState(ctx, s.ID, s.Expires); errors.Is(err, store.ErrUsed) {
		return s, ErrState
	} else if err != nil {
		return s, fmt.Errorf("resume linking: %w", err)
	}
	return s, nil
}

// signedIn reports whether the user who began a linking has not signed out since.
func (l *Linker) signedIn(ctx context.Context, s linking) (bool, error) {
	if s.User == "" {
		return true, nil
	}
	p, err := l.o.Store.User(s.User).Profile(ctx)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("resume linking: %w", err)
	}
	return p.Session == s.Session, nil
}

// rejectAnswer rejects a response that is not from the service that was asked, and logs it for the operator. It is an
// attack, or the service names another issuer than its discovery document.
func (l *Linker) rejectAnswer(ctx context.Context, s linking, why string) error {
	l.o.Logger.WarnContext(ctx, "an answer to a linking was rejected", "side", string(s.Side), "reason", why)
	return ErrState
}

// only rejects a way to link Creatio that is not the configured one.
func (l *Linker) only(auth string) error {
	if l.o.Creatio.Auth == auth {
		return nil
	}
	return fault.Errorf(fault.Misconfigured, string(record.Creatio), "other-auth", "link account: users sign in to Creatio by %q here", l.o.Creatio.Auth)
}
