package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
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

// BeginGoogle begins a sign-in, which also links the Google account, and returns the address of the consent page. browser
// is a secret of the browser; only the same browser can finish the linking.
func (l *Linker) BeginGoogle(ctx context.Context, browser string) (string, error) {
	return l.beginGoogle(ctx, browser, "")
}

// beginGoogle begins a sign-in. With an email it forces Google to ask that account for consent again. Google returns a
// refresh token only with the first consent (https://developers.google.com/identity/protocols/oauth2/web-server#offline),
// and each forced consent uses up one of the hundred refresh tokens that an account may have.
func (l *Linker) beginGoogle(ctx context.Context, browser, email string) (string, error) {
	m, err := l.google.metadata(ctx)
	if err != nil {
		return "", err
	}
	s := store.State{ID: secret(), Side: record.Google, Nonce: secret(), Browser: fingerprint(browser, "", 0)}
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
	return l.begin(ctx, l.google.config(m), s, scopes, options)
}

// BeginCreatio begins to link a Creatio account to a user by consent, and returns the address of the consent page.
func (l *Linker) BeginCreatio(ctx context.Context, user, browser string) (string, error) {
	if err := l.only(AuthUser); err != nil {
		return "", err
	}
	p, err := l.o.Store.User(user).Profile(ctx)
	if err != nil {
		return "", fmt.Errorf("begin linking: %w", err)
	}
	m, err := l.creatio.metadata(ctx)
	if err != nil {
		return "", err
	}
	if m.Authorize == "" {
		return "", l.creatio.unknown("it has no consent page; before Creatio 8.3 there is none")
	}
	s := store.State{ID: secret(), Side: record.Creatio, User: user, Browser: fingerprint(browser, user, p.SessionEpoch)}
	return l.begin(ctx, l.creatio.config(m), s, []string{"offline_access"}, nil)
}

// begin stores the linking and returns the address of the consent page.
func (l *Linker) begin(ctx context.Context, c *oauth2.Config, s store.State, scopes []string, options []oauth2.AuthCodeOption) (string, error) {
	verifier := oauth2.GenerateVerifier()
	sealed, err := l.o.Vault.Seal([]byte(verifier), stateContext(s))
	if err != nil {
		return "", onSide(s.Side, "seal code verifier", err)
	}
	s.Verifier, s.Expires = sealed, l.o.Now().UTC().Add(linkingTime)
	if err := l.o.Store.PutState(ctx, s); err != nil {
		return "", fmt.Errorf("begin linking: %w", err)
	}
	c.RedirectURL, c.Scopes = l.redirectURI(s.Side), scopes
	return c.AuthCodeURL(s.ID, append(options, oauth2.S256ChallengeOption(verifier))...), nil
}

// resume finds the linking to which an authorization response belongs, and consumes it. If the response is invalid, the
// error is ErrState; the linking is not consumed, so that its own browser and service can still finish it.
func (l *Linker) resume(ctx context.Context, side record.Side, browser string, query url.Values) (store.State, error) {
	s, err := l.o.Store.State(ctx, query.Get("state"), l.o.Now().UTC())
	if errors.Is(err, store.ErrNotFound) {
		return s, ErrState
	}
	if err != nil {
		return s, fmt.Errorf("resume linking: %w", err)
	}
	mine, err := l.begunBy(ctx, s, browser)
	if err != nil {
		return s, err
	}
	if !mine {
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
	if err := l.o.Store.TakeState(ctx, s.ID); errors.Is(err, store.ErrNotFound) {
		return s, ErrState
	} else if err != nil {
		return s, fmt.Errorf("resume linking: %w", err)
	}
	return s, nil
}

// begunBy reports whether a browser began the linking and the user has not signed out since.
func (l *Linker) begunBy(ctx context.Context, s store.State, browser string) (bool, error) {
	epoch := 0
	if s.User != "" {
		p, err := l.o.Store.User(s.User).Profile(ctx)
		if errors.Is(err, store.ErrNotFound) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("resume linking: %w", err)
		}
		epoch = p.SessionEpoch
	}
	return browser != "" && s.Browser == fingerprint(browser, s.User, epoch), nil
}

// rejectAnswer rejects a response that is not from the service that was asked, and logs it for the operator. It is an
// attack, or the service names another issuer than its discovery document.
func (l *Linker) rejectAnswer(ctx context.Context, s store.State, why string) error {
	l.o.Logger.WarnContext(ctx, "an answer to a linking was rejected", "side", string(s.Side), "reason", why)
	return ErrState
}

// fingerprint is the hash that the linking stores of the browser. It includes the user's session epoch, so that signing
// out invalidates linkings in progress: finishing one signs the user in.
func fingerprint(browser, user string, epoch int) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{browser, user, strconv.Itoa(epoch)}, "\n")))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func stateContext(s store.State) string { return "state/" + s.ID }

// only rejects a way to link Creatio that is not the configured one.
func (l *Linker) only(auth string) error {
	if l.o.Creatio.Auth == auth {
		return nil
	}
	return fault.Errorf(fault.Misconfigured, string(record.Creatio), "other-auth", "link account: users sign in to Creatio by %q here", l.o.Creatio.Auth)
}
