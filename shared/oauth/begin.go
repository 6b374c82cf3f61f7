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

// linkingTime is how long a linking may take.
const linkingTime = 10 * time.Minute

// again begins the id of a linking in which Google was already told to ask for consent.
const again = "again-"

// googleScopes are what Tandem asks for beyond who the user is, by the short names of store.GoogleAccount. Google lets
// users untick each (https://developers.google.com/identity/protocols/oauth2/resources/granular-permissions).
var googleScopes = []struct{ short, scope string }{
	{"contacts", "https://www.googleapis.com/auth/contacts"},
}

// BeginGoogle begins a sign-in, which links the Google account at the same time, and gives the address of the consent
// page. browser is a secret of the browser that has to come back.
func (l *Linker) BeginGoogle(ctx context.Context, browser string) (string, error) {
	return l.beginGoogle(ctx, browser, "")
}

// beginGoogle has Google ask for consent again where email says whose is needed. Google gives a refresh token with the
// first consent only (https://developers.google.com/identity/protocols/oauth2/web-server#offline), and every forced one
// uses up one of the hundred that an account may have.
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
		s.ID = again + s.ID
		options = append(options, oauth2.SetAuthURLParam("prompt", "consent"), oauth2.SetAuthURLParam("login_hint", email))
	}
	scopes := []string{"openid", "email", "profile"}
	for _, g := range googleScopes {
		scopes = append(scopes, g.scope)
	}
	return l.begin(ctx, l.google.config(m), s, scopes, options)
}

// BeginCreatio begins the linking of a Creatio account to a user by consent.
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

// begin keeps the linking and makes the address of the consent page.
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

// resume takes up a linking whose answer came to the address of a side, once. Everything that is wrong with the answer
// is ErrState, and leaves the linking to the browser and the service that it belongs to.
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
		return s, l.turnAway(ctx, s, "it came to the address of another service")
	}
	m, err := l.provider(side).metadata(ctx)
	if err != nil {
		return s, err
	}
	if why := m.disowns(query); why != "" {
		return s, l.turnAway(ctx, s, why)
	}
	if err := l.o.Store.TakeState(ctx, s.ID); errors.Is(err, store.ErrNotFound) {
		return s, ErrState
	} else if err != nil {
		return s, fmt.Errorf("resume linking: %w", err)
	}
	return s, nil
}

// begunBy says whether a browser is the one that began a linking, and the user has not signed out since.
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

// turnAway is the error of an answer that is not one of the service that was asked. The operator hears of it: it is an
// attack, or a service that gives itself another name than its discovery does.
func (l *Linker) turnAway(ctx context.Context, s store.State, why string) error {
	l.o.Logger.WarnContext(ctx, "an answer to a linking was turned away", "side", string(s.Side), "reason", why)
	return ErrState
}

// fingerprint is what is kept of the browser. The user's session epoch is in it, so that signing out ends linkings that
// are under way: they end signed in.
func fingerprint(browser, user string, epoch int) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{browser, user, strconv.Itoa(epoch)}, "\n")))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func stateContext(s store.State) string { return "state/" + s.ID }

// only refuses a way to link Creatio that is not the configured one.
func (l *Linker) only(auth string) error {
	if l.o.Creatio.Auth == auth {
		return nil
	}
	return fault.Errorf(fault.Misconfigured, string(record.Creatio), "other-auth", "link account: users sign in to Creatio by %q here", l.o.Creatio.Auth)
}
